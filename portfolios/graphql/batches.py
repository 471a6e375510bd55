"""What the rows of every batch have in common, on the way in and on the way out."""

import uuid

import graphene

from config import errors
from config.graphql import types
from config.graphql.errors import UserError, user_error
from portfolios.services import work


class Outcome(graphene.Enum):
    """What became of a row."""

    RECORDED = work.RECORDED
    ALREADY_RECORDED = work.ALREADY_RECORDED
    REFUSED = work.REFUSED

    class Meta:
        name = "RowOutcome"


class Named:
    """How one loan is named: by its id, or by its reference."""

    loan_id = graphene.ID()
    loan_reference = graphene.String()
    institution = graphene.String(
        description="The short name of the bank; only where two of yours use one reference."
    )


class Row(graphene.InputObjectType):
    """One row of a batch."""

    loan_reference = graphene.String(required=True)
    institution = Named.institution


class Answer(types.Value):
    """What became of one row."""

    class Meta:
        abstract = True

    row = graphene.Int(required=True, description="Counted from 1.")
    outcome = Outcome(required=True)
    warnings = graphene.List(
        graphene.NonNull(graphene.String),
        required=True,
        description="Codes of what is odd about it though it was recorded.",
    )
    error = graphene.Field(UserError)


def shown(info, answers: list[work.Answer], **named) -> list[dict]:
    """The answers for a list of `Answer`s; `named` is the field and the type of what was recorded.

    Unknown loans are remembered for the log of denials.
    """
    ((field, node),) = named.items()
    rows = node.load(info, [uuid.UUID(answer.id) for answer in answers if answer.id])
    return [
        {
            "row": answer.row,
            "outcome": answer.outcome,
            "warnings": answer.warnings,
            "error": _error(info, answer),
            field: rows[uuid.UUID(answer.id)] if answer.id else None,
        }
        for answer in answers
    ]


def _error(info, answer: work.Answer) -> UserError | None:
    if not answer.code:
        return None
    kind = errors.NotFound if answer.code == "NOT_FOUND" else errors.InvalidInput
    error = kind(answer.code, answer.message, field=answer.field or None, row=answer.row)
    if isinstance(error, errors.NotFound):
        info.context.deny(info, error)
    return user_error(error)
