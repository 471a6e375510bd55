"""From a document to an answer: parse, measure, validate, execute, and show no more than intended.

Only what was written to be shown is shown: syntax and validation, and our own refusals. Any
other exception is logged with a reference, and the client gets the reference.
"""

import logging
import re
import uuid

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationType,
    execute_sync,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
)

from config import dberrors, errors
from config.graphql import limits
from config.graphql.context import Context
from config.graphql.errors import field_path

logger = logging.getLogger(__name__)

ESCAPED_NUL = re.compile(r"\\u(0000|\{0+\})")


class Refused(Exception):
    """A request that is answered without being executed."""

    def __init__(self, status: int, *shown: dict, headers: dict | None = None):
        super().__init__(status)
        self.status = status
        self.body = {"errors": list(shown)}
        self.headers = headers or {}


def refused(status: int, code: str, message, headers: dict | None = None) -> Refused:
    """A `Refused` with one error."""
    shown = {"message": str(message), "extensions": {"code": code}}
    return Refused(status, shown, headers=headers)


def bad_text() -> Refused:
    """For text that no database can hold: a NUL, or half of a surrogate pair."""
    return refused(400, "BAD_TEXT", _("The request has a character that is not text."))


def run(
    schema: GraphQLSchema,
    query: str,
    variables: dict | None,
    operation_name: str | None,
    context: Context,
) -> tuple[int, dict]:
    """The status and the body of the answer. Raises `Refused` where nothing is executed.

    A fault of ours undoes all that the request wrote, the mutations before it included.
    """
    document, operation = _checked(schema, query, variables, operation_name)
    with transaction.atomic():
        result = execute_sync(
            schema,
            document,
            context_value=context,
            variable_values=variables,
            operation_name=operation_name,
            hide_suggestions=not _introspection(),
        )
        return _answer(result, operation)


def _introspection() -> bool:
    return getattr(settings, "GRAPHQL_INTROSPECTION", False)


def _checked(schema: GraphQLSchema, query: str, variables, operation_name):
    """The document and its operation, if it may be executed."""
    if ESCAPED_NUL.search(query):
        raise bad_text()
    try:
        document = parse(
            query,
            max_lexical_tokens=limits.TOKENS,
            max_comments=limits.COMMENTS,
            max_source_length=limits.QUERY_BYTES,
        )
    except GraphQLError as error:
        raise Refused(400, _formatted(error, "SYNTAX_ERROR")) from None
    try:
        limits.demand(limits.measure(schema, document, variables))
    except errors.InvalidInput as error:
        raise refused(400, error.code, error.message) from None
    operation = get_operation_ast(document, operation_name)
    if operation is None or schema.get_root_type(operation.operation) is None:
        raise refused(400, "UNKNOWN_OPERATION", _("Say which one operation to execute."))
    rules = specified_rules
    if not _introspection():
        rules = (*specified_rules, NoSchemaIntrospectionCustomRule)
    found = validate(
        schema,
        document,
        rules,
        max_errors=limits.VALIDATION_ERRORS,
        hide_suggestions=not _introspection(),
    )
    if found:
        raise Refused(400, *(_formatted(error, "VALIDATION_FAILED") for error in found))
    return document, operation.operation


def _answer(result: ExecutionResult, operation: OperationType) -> tuple[int, dict]:
    found = result.errors or []
    if any(error.path is None for error in found):
        raise Refused(400, *(_formatted(error, "VARIABLES_INVALID") for error in found))
    shown = [_shown(error) for error in found]
    body = {"data": result.data}
    if shown:
        body["errors"] = shown
    faulty = any(error["extensions"]["code"] == "INTERNAL" for error in shown)
    if faulty:
        transaction.set_rollback(True)
        if operation is OperationType.MUTATION:
            # What the payloads say was done has just been undone.
            body["data"] = None
    return (500 if faulty and body["data"] is None else 200), body


def _formatted(error: GraphQLError, code: str, message=None, **extensions) -> dict:
    shown = {"message": str(message or error.message)}
    if error.locations:
        shown["locations"] = [location.formatted for location in error.locations]
    if error.path is not None:
        shown["path"] = error.path
    return shown | {"extensions": {"code": code} | extensions}


def _shown(error: GraphQLError) -> dict:
    """What a client may see of an error that a resolver raised."""
    cause = error.original_error
    refusal = cause if isinstance(cause, errors.DomainError) else dberrors.translate(cause)
    if refusal is not None:
        about = {"field": field_path(refusal.field), "row": refusal.row}
        given = {name: value for name, value in about.items() if value is not None}
        return _formatted(error, refusal.code, refusal.message, **given)
    reference = uuid.uuid4().hex[:12]
    logger.error("fault %s at %s", reference, error.path, exc_info=cause or error)
    message = _("Something went wrong on our side. Reference %(reference)s.")
    return _formatted(error, "INTERNAL", message % {"reference": reference}, reference=reference)
