"""Base classes of everything that can be read.

A `Node` is a row that an actor may see; it cannot be defined without the selector that says
which. A `Value` is made up for the occasion: a sum, a count, the answer to one row of a batch.
"""

import graphene
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from graphene.types.objecttype import ObjectTypeOptions
from graphene_django import DjangoObjectType
from graphene_django.types import DjangoObjectTypeOptions

from config.graphql import connections, rules, scalars


class Identified(graphene.Interface):
    """Something with an identifier that stays its own."""

    class Meta:
        name = "Node"

    id = graphene.ID(required=True, description="A UUID.")


class NodeOptions(DjangoObjectTypeOptions):
    selector = None
    allow: frozenset[str] = frozenset()


class Node(DjangoObjectType):
    """A row, for the actors to whom `Meta.selector` shows it and whose role is in `Meta.allow`.

    `Meta`: `model`; `fields`, a tuple of names; `selector`, a callable from an actor to the rows
    it may see; `allow`, a frozenset of roles; optionally `allow_fields`, names of fields with
    the fewer roles that may read them. Foreign keys in `fields` become references that go
    through the target's selector and may therefore be null. Columns that end in `_minor` and
    `_ppm` become `MinorUnits` and `RatePpm`. Raises TypeError where something is missing.
    """

    class Meta:
        abstract = True

    @classmethod
    def __init_subclass_with_meta__(
        cls,
        model=None,
        fields=None,
        selector=None,
        allow=None,
        allow_fields=None,
        name=None,
        registry=None,
        interfaces=(),
        **options,
    ):
        allow = rules.checked(cls.__name__, allow)
        if not callable(selector):
            raise TypeError(f"{cls.__name__} must name its `selector` (actor → queryset).")
        if not isinstance(fields, tuple | list) or options.keys() & {"exclude", "filter_fields"}:
            raise TypeError(f"{cls.__name__} must list its `fields`.")
        for field_name in fields:
            _declare_column(cls, model, field_name)
        meta = NodeOptions(cls)
        meta.selector = selector
        meta.allow = allow
        super().__init_subclass_with_meta__(
            model=model,
            fields=tuple(fields) or ("id",),
            name=name,
            registry=registry,
            interfaces=(Identified, *interfaces),
            connection=connections.make(cls, name or cls.__name__, allow),
            convert_choices_to_enum=False,
            _meta=meta,
            **options,
        )
        stricter = rules.restrict(cls, allow, allow_fields)
        rules.declare(cls, allow, stricter)

    @classmethod
    def is_type_of(cls, root, info):
        belongs = super().is_type_of(root, info)
        if belongs:
            info.context.demand(info, cls._meta.allow)
        return belongs

    @classmethod
    def visible(cls, info) -> models.QuerySet:
        """The rows that the actor may see."""
        return cls._meta.selector(info.context.actor)

    @classmethod
    def get_queryset(cls, queryset, info):
        return queryset.filter(pk__in=cls.visible(info).values("pk"))

    @classmethod
    def get_node(cls, info, id):
        """The row with this identifier, or None: malformed, foreign and absent are one case."""
        try:
            key = cls._meta.model._meta.pk.to_python(id)
        except ValidationError:
            return None
        return cls.load(info, [key])[key]

    @classmethod
    def load(cls, info, keys) -> dict:
        """Rows by primary key, None for one the actor may not see; one query, once a request."""
        loaded = info.context.loaded.setdefault(cls, {})
        missing = {key for key in keys if key not in loaded}
        if missing:
            loaded.update(dict.fromkeys(missing))
            loaded.update({row.pk: row for row in cls.visible(info).filter(pk__in=missing)})
        return loaded


def _declare_column(cls, model, name: str) -> None:
    """Give a column the scalar its name or type asks for, unless the class declares the field."""
    if name in cls.__dict__:
        return
    try:
        column = model._meta.get_field(name)
    except FieldDoesNotExist:
        raise TypeError(f"{cls.__name__}.{name}: {model.__name__} has no such field.") from None
    if column.is_relation:
        if not column.concrete or column.many_to_many:
            raise TypeError(f"{cls.__name__}.{name}: declare it with queries.connection().")
        setattr(cls, name, reference(column, lambda: cls._meta.registry))
        return
    required = {"required": not column.null, "description": column.help_text or None}
    if name.endswith("_minor"):
        setattr(cls, name, scalars.MinorUnits(**required))
    elif name.endswith("_ppm"):
        setattr(cls, name, scalars.RatePpm(**required))
    elif isinstance(column, models.DateTimeField):
        setattr(cls, name, scalars.DateTime(**required))


def reference(column: models.ForeignKey, registry) -> graphene.Field:
    """The object a foreign key points at, through the selector of that object's own type."""

    def target():
        node = registry().get_type_for_model(column.related_model)
        if node is None:
            raise TypeError(f"{column}: no GraphQL type for {column.related_model.__name__}.")
        return node

    def resolve(root, info):
        key = getattr(root, column.attname)
        if key is None:
            return None
        keys = (getattr(peer, column.attname, None) for peer in connections.peers(root))
        return target().load(info, {key, *keys} - {None})[key]

    return graphene.Field(target, resolver=resolve, description=column.help_text or None)


class ValueOptions(ObjectTypeOptions):
    allow: frozenset[str] = frozenset()


class Value(graphene.ObjectType):
    """Something that is no row, for the roles in `Meta.allow`; resolves from a dict or an object.

    `Meta.allow_fields` as for `Node`. Raises TypeError where `allow` is missing.
    """

    class Meta:
        abstract = True

    @classmethod
    def __init_subclass_with_meta__(cls, allow=None, allow_fields=None, **options):
        allow = rules.checked(cls.__name__, allow)
        meta = ValueOptions(cls)
        meta.allow = allow
        super().__init_subclass_with_meta__(_meta=meta, **options)
        stricter = rules.restrict(cls, allow, allow_fields)
        rules.declare(cls, allow, stricter)

    @classmethod
    def is_type_of(cls, root, info):
        info.context.demand(info, cls._meta.allow)
        return True
