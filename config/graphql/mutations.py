"""How things are done: one input, one payload, one savepoint, one service call."""

import graphene
from django.db import transaction
from graphene.utils.props import props

from config import dberrors, errors
from config.graphql import rules, scalars
from config.graphql.errors import UserError, user_error


class Mutation(graphene.Mutation):
    """Something an actor whose role is in `allow` can do; named object first, `PortfolioPublish`.

    A subclass declares `allow`, a frozenset of roles; `class Input` with the fields of the
    input; what the payload shows beside `errors`, each of which may be null; and
    `perform(cls, info, actor, **input)`, which calls one service and returns `cls(…)`. Every
    `ID` arrives as a UUID, lists and objects as plain lists and dicts.

    A refusal (`DomainError`) undoes everything since the start of `perform` and answers with
    `errors` alone. Raises TypeError at the definition where something is missing.
    """

    class Meta:
        abstract = True

    allow: frozenset[str]
    errors = graphene.List(
        graphene.NonNull(UserError), required=True, description="Empty when it was done."
    )

    @classmethod
    def __init_subclass_with_meta__(cls, **options):
        name = cls.__name__
        cls.allow = rules.checked(name, cls.__dict__.get("allow"))
        if "Input" not in cls.__dict__ or not hasattr(cls, "perform"):
            raise TypeError(f"{name} must declare `class Input` and `perform`.")
        takes = type(f"{name}Input", (graphene.InputObjectType,), props(cls.Input))
        super().__init_subclass_with_meta__(
            name=f"{name}Payload",
            arguments={"input": takes(required=True)},
            resolver=_runner(cls),
            **options,
        )
        for field_name, field in cls._meta.fields.items():
            if field_name != "errors" and isinstance(field.type, graphene.NonNull):
                raise TypeError(f"{name}.{field_name} must be nullable: a refusal leaves it out.")
        rules.declare(cls, cls.allow)

    @classmethod
    def Field(cls, **options):
        """The field of the root through which this is done."""
        return super().Field(required=True, **options)


def _runner(mutation: type[Mutation]):
    """The resolver of a mutation: the rule, then `perform` in a savepoint, refusals as data."""

    def run(root, info, **arguments):
        context = info.context
        taken = scalars.plain_arguments(info, arguments)["input"]
        try:
            context.demand(info, mutation.allow)
            with dberrors.translated(), transaction.atomic():
                payload = mutation.perform(info, context.actor, **taken)
        except errors.DomainError as error:
            if isinstance(error, errors.NotFound | errors.NotAllowed):
                context.deny(info, error)
            return mutation(errors=[user_error(error)])
        finally:
            context.forget()
        if payload.errors is None:
            payload.errors = []
        return payload

    run.allow = mutation.allow
    return run
