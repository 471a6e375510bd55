"""The one address where GraphQL is spoken: POST, JSON, one document, bounded."""

import json
from collections.abc import Callable

import graphene
from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext_lazy as _

from config.graphql import execution, limits
from config.graphql.context import Context
from config.graphql.execution import refused

KEYS = frozenset({"query", "variables", "operationName", "extensions"})


def graphql_view(schema: graphene.Schema, *, on_denial: Callable | None = None) -> Callable:
    """The view of a schema. `request.actor` says who asks; somebody unknown gets 401.

    `on_denial(actor, operation, error)` hears of every `NotFound` and `NotAllowed`, after the
    request's own savepoint is settled, so that what it writes survives. CSRF protection is the
    middleware's and stays on: only a request that carries a token in place of a session goes
    without, and the middleware that read the token says so.
    """

    def view(request: HttpRequest) -> JsonResponse:
        headers = {}
        try:
            _check_transport(request)
            context = Context(request.actor, request)
            query, variables, operation_name = _read(request)
            status, body = execution.run(
                schema.graphql_schema, query, variables, operation_name, context
            )
            for (operation, _code), error in context.denials.items():
                if on_denial is not None:
                    on_denial(context.actor, operation, error)
        except execution.Refused as refusal:
            status, body, headers = refusal.status, refusal.body, refusal.headers
        return JsonResponse(
            body,
            status=status,
            headers={"Cache-Control": "no-store"} | headers,
            json_dumps_params={"ensure_ascii": False},
        )

    return view


def _check_transport(request: HttpRequest) -> None:
    if request.method != "POST":
        message = _("Send a POST request.")
        raise refused(405, "METHOD_NOT_ALLOWED", message, headers={"Allow": "POST"})
    if request.META.get("QUERY_STRING"):
        raise refused(400, "QUERY_STRING", _("Send everything in the body, nothing in the URL."))
    charset = request.content_params.get("charset", "utf-8").lower()
    if request.content_type != "application/json" or charset != "utf-8":
        raise refused(415, "MEDIA_TYPE", _("Send application/json in UTF-8."))
    if request.actor.kind == "public":
        message = _("Log in or send an access token first.")
        raise refused(401, "UNAUTHENTICATED", message, headers={"WWW-Authenticate": "Bearer"})
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    if length > limits.BODY_BYTES:
        raise _too_large()


def _too_large() -> execution.Refused:
    return refused(413, "TOO_LARGE", _("The request is too large."))


def _read(request: HttpRequest) -> tuple[str, dict | None, str | None]:
    """The document, the variables and the name of the operation. Raises `Refused`."""
    try:
        body = json.loads(request.body.decode("utf-8"), parse_constant=_no_such_number)
    except (ValueError, RecursionError):
        raise refused(400, "BAD_JSON", _("The body is not valid JSON.")) from None
    _check_values(body)
    if not isinstance(body, dict) or body.keys() - KEYS:
        raise refused(400, "BAD_REQUEST", _("Send one object with `query` and `variables`."))
    query, variables = body.get("query"), body.get("variables")
    operation_name = body.get("operationName")
    if (
        not isinstance(query, str)
        or not isinstance(variables, dict | None)
        or not isinstance(operation_name, str | None)
    ):
        raise refused(400, "BAD_REQUEST", _("Send one object with `query` and `variables`."))
    if len(query.encode("utf-8")) > limits.QUERY_BYTES:
        raise _too_large()
    return query, variables, operation_name


def _no_such_number(name: str):
    raise ValueError(name)


def _check_values(body) -> None:
    """Refuse what is nested too deeply, has too many values, or text no database can hold."""
    waiting = [(body, 1)]
    count = 0
    while waiting:
        value, depth = waiting.pop()
        count += 1
        if depth > limits.JSON_DEPTH or count > limits.JSON_VALUES:
            raise _too_large()
        if isinstance(value, dict):
            _check_text(*value.keys())
            waiting.extend((inner, depth + 1) for inner in value.values())
        elif isinstance(value, list):
            waiting.extend((inner, depth + 1) for inner in value)
        elif isinstance(value, str):
            _check_text(value)


def _check_text(*texts: str) -> None:
    for text in texts:
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise execution.bad_text() from None
        if "\x00" in text:
            raise execution.bad_text()
