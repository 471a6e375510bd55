"""The entry point of the web: finds out who asks and opens the scope in which they act."""

import contextlib
from http import HTTPStatus

from allauth.idp.oidc.models import Token
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.shortcuts import render

from agencies import actors, audit
from agencies.models import MachineClient
from agencies.scope import scope
from config import dberrors, errors

LOGIN_PREFIXES = ("/accounts/", "/identity/", "/invitations/")
API_PATH = "/graphql"
API_PATH = "/graphql"
UNSCOPED_PATHS = ("/livez", "/readyz")
"""Answered without asking the database who it is."""

STATUS = {
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.NotAllowed: HTTPStatus.FORBIDDEN,
    errors.InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.InvalidState: HTTPStatus.CONFLICT,
}


def identify(request) -> actors.Actor:
    """Who sent this request: the person of the session, the machine of the token, or nobody.

    A person who still has to set up the second factor is nobody yet, and
    `request.lacks_second_factor` says so.
    """
    request.lacks_second_factor = False
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return _client_of(token.strip())
    user = request.user
    if not user.is_authenticated or not user.is_active:
        return actors.PUBLIC
    if settings.TOTP_REQUIRED_FOR_INSTITUTIONS and user.institution_id and not _has_totp(user):
        request.lacks_second_factor = True
        return actors.PUBLIC
    return actors.for_user(user)


def _has_totp(user) -> bool:
    return Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists()


def _client_of(token: str) -> actors.Actor:
    found = Token.objects.lookup(Token.Type.ACCESS_TOKEN, token)
    if found is None or found.user_id is not None:
        return actors.PUBLIC
    machine = MachineClient.objects.filter(client_id=found.client_id, is_enabled=True).first()
    return actors.for_client(machine) if machine else actors.PUBLIC


def _is_call_without_session(request) -> bool:
    return request.path == API_PATH and settings.SESSION_COOKIE_NAME not in request.COOKIES


class ScopeMiddleware:
    """Runs every view inside `scope(request.actor)`; log-in views inside the log-in's.

    A `DomainError` that a view lets through rolls its work back, is logged as a denial in a
    transaction of its own, and is answered with a page that says its sentence.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        # A bearer token is never sent by a browser on its own, unlike a session or a password for
        # a proxy; and a call of the API without a session has nobody's rights to abuse.
        request.bearer = request.headers.get("Authorization", "").lower().startswith("bearer ")
        if request.bearer or _is_call_without_session(request):
            request._dont_enforce_csrf_checks = True
        if request.path in UNSCOPED_PATHS:
            request.actor = actors.PUBLIC
            return self.get_response(request)
        with scope(actors.LOGIN):
            request.actor = identify(request)
        # Entered before the view and left after it, or in `process_exception`.
        request.view_scope = contextlib.ExitStack()
        with request.view_scope:
            return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if request.path not in UNSCOPED_PATHS:
            is_login = request.path.startswith(LOGIN_PREFIXES)
            actor = actors.LOGIN if is_login else request.actor
            request.view_scope.enter_context(scope(actor))

    def process_exception(self, request, exception):
        """Undo what the view did; answer a refusal, leave everything else to others."""
        if request.path in UNSCOPED_PATHS:
            return None
        request.view_scope.__exit__(type(exception), exception, exception.__traceback__)
        is_refusal = isinstance(exception, errors.DomainError)
        refusal = exception if is_refusal else dberrors.translate(exception)
        return None if refusal is None else self._refused(request, refusal)

    def _refused(self, request, error):
        status = STATUS[type(error)]
        template = "404.html" if status == HTTPStatus.NOT_FOUND else "frontend/refused.html"
        with scope(request.actor):
            if isinstance(error, errors.NotFound | errors.NotAllowed):
                audit.deny(request.actor, request.resolver_match.view_name or "page", error)
            return render(request, template, {"error": error, "status": int(status)}, status=status)
