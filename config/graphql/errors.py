"""How a refusal looks to a client."""

import graphene
from graphene.utils.str_converters import to_camel_case

from config import errors
from config.graphql import rules


class UserError(graphene.ObjectType):
    """Why something was not done, in a form for programs (`code`) and for people (`message`)."""

    code = graphene.String(required=True, description="A stable word, such as `BID_TOO_LATE`.")
    message = graphene.String(required=True, description="A sentence in the client's language.")
    field = graphene.String(description="The path of the input that it is about.")
    row = graphene.Int(description="The row of the batch that it is about, counted from 1.")


rules.declare(UserError, rules.EVERYONE)


def field_path(path: str | None) -> str | None:
    """A path of Python names as the client wrote it: `rows.amount_minor` is `rows.amountMinor`."""
    return ".".join(to_camel_case(part) for part in path.split(".")) if path else None


def user_error(error: errors.DomainError) -> UserError:
    """The entry of a payload's `errors` for a refusal; also for a row that was refused."""
    return UserError(
        code=error.code, message=str(error.message), field=field_path(error.field), row=error.row
    )
