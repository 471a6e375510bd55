"""Who may read what: the registry of declared rules, and the guard that enforces one.

Nothing is open because nobody thought of it: a field without a rule is named by
`undeclared_fields`, and a test fails.
"""

import copy
from collections.abc import Callable

import graphene
from graphene.utils.str_converters import to_camel_case
from graphql import GraphQLObjectType, is_object_type, is_scalar_type

from config import errors

RULES: dict[str, frozenset[str]] = {}
"""`Type.field` as in the schema, and the roles that may read it; filled when a type is defined."""

EVERYONE = frozenset({"*"})
"""In `RULES`: whoever was let through to the object that holds it."""

FOREIGN_SCALARS = frozenset({graphene.BigInt, graphene.Decimal, graphene.DateTime})
"""graphene's own that lose money or the time zone; `scalars` has ours."""


def checked(owner: str, allow) -> frozenset[str]:
    """`allow` if it is a set of roles; raises TypeError at the definition of `owner` if not."""
    if not isinstance(allow, frozenset) or not allow:
        raise TypeError(f"{owner} must declare `allow`, a frozenset of roles.")
    return frozenset(str(role) for role in allow)


def declare(graphene_type, allow: frozenset[str], stricter: dict | None = None) -> None:
    """Enter all fields of a type into the registry, those in `stricter` with their own roles."""
    stricter = stricter or {}
    for name, field in graphene_type._meta.fields.items():
        shown = getattr(field, "name", None) or to_camel_case(name)
        RULES[f"{graphene_type._meta.name}.{shown}"] = stricter.get(name, allow)


def guard(resolver: Callable, allow: frozenset[str]) -> Callable:
    """`resolver` for the roles in `allow`; a `NotFound` out of it is null, and both are logged."""

    def guarded(root, info, **arguments):
        info.context.demand(info, allow)
        try:
            return resolver(root, info, **arguments)
        except errors.NotFound as error:
            info.context.deny(info, error)
            return None
        except errors.NotAllowed as error:
            raise info.context.deny(info, error) from error

    guarded.allow = allow
    return guarded


def restrict(graphene_type, allow: frozenset[str], stricter) -> dict[str, frozenset[str]]:
    """Put a guard of its own before each field in `stricter` (Python name → roles).

    Such a field may be null, whatever its column says. Returns the checked rules; raises
    TypeError for an unknown field or for roles that the type does not let in.
    """
    checked_rules = {}
    for name, roles in (stricter or {}).items():
        owner = f"{graphene_type.__name__}.{name}"
        roles = checked(owner, roles)
        if name == "id" or name not in graphene_type._meta.fields:
            raise TypeError(f"{owner} is not a field that can have a rule of its own.")
        if not roles <= allow:
            raise TypeError(f"{owner} allows roles that {graphene_type.__name__} does not.")
        graphene_type._meta.fields[name] = _guarded(graphene_type._meta.fields[name], roles)
        checked_rules[name] = roles
    return checked_rules


def _guarded(field: graphene.Field, allow: frozenset[str]) -> graphene.Field:
    field = copy.copy(field)
    if isinstance(field._type, graphene.NonNull):
        field._type = field._type.of_type
    wrap = field.wrap_resolve
    field.wrap_resolve = lambda parent_resolver: guard(wrap(parent_resolver), allow)
    return field


def _object_types(schema: graphene.Schema) -> list[GraphQLObjectType]:
    return [
        graphql_type
        for name, graphql_type in sorted(schema.graphql_schema.type_map.items())
        if is_object_type(graphql_type) and not name.startswith("__")
    ]


def declared(schema: graphene.Schema) -> dict[str, frozenset[str]]:
    """Every `Type.field` of the schema that has a rule, and the roles it lets in.

    A field of the root has one only where a guard really stands before its resolver.
    """
    graphql_schema = schema.graphql_schema
    roots = {graphql_schema.query_type, graphql_schema.mutation_type}
    found = {}
    for graphql_type in _object_types(schema):
        for name, field in graphql_type.fields.items():
            path = f"{graphql_type.name}.{name}"
            allow = getattr(field.resolve, "allow", None)
            if allow is None and graphql_type not in roots:
                allow = RULES.get(path)
            if allow is not None:
                found[path] = allow
    return found


def undeclared_fields(schema: graphene.Schema) -> list[str]:
    """Every `Type.field` of the schema that nobody gave a rule; must be empty."""
    known = declared(schema)
    return [
        path
        for graphql_type in _object_types(schema)
        for path in (f"{graphql_type.name}.{name}" for name in graphql_type.fields)
        if path not in known
    ]


def foreign_scalars(schema: graphene.Schema) -> list[str]:
    """Names of scalars in the schema that are not exact enough for us; must be empty."""
    return [
        name
        for name, graphql_type in sorted(schema.graphql_schema.type_map.items())
        if is_scalar_type(graphql_type)
        and getattr(graphql_type, "graphene_type", None) in FOREIGN_SCALARS
    ]
