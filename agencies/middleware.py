"""The entry point of the web: finds out who asks and opens the scope in which they act."""

from http import HTTPStatus

from allauth.idp.oidc.models import Token
from django.conf import settings
from django.shortcuts import render

from agencies import actors, audit
from agencies.models import MachineClient
from agencies.scope import scope
from config import dberrors, errors

LOGIN_PREFIXES = ("/accounts/", "/identity/")
STATUS = {
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.NotAllowed: HTTPStatus.FORBIDDEN,
    errors.InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.InvalidState: HTTPStatus.CONFLICT,
}


def identify(request) -> actors.Actor:
    """Who sent this request: the person of the session, the machine of the token, or nobody."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return _client_of(token.strip())
    user = request.user
    if user.is_authenticated and user.is_active:
        return actors.for_user(user)
    return actors.PUBLIC


def _client_of(token: str) -> actors.Actor:
    found = Token.objects.lookup(Token.Type.ACCESS_TOKEN, token)
    if found is None or found.user_id is not None:
        return actors.PUBLIC
    machine = MachineClient.objects.filter(client_id=found.client_id, is_enabled=True).first()
    return actors.for_client(machine) if machine else actors.PUBLIC


class ScopeMiddleware:
    """Runs every view inside `scope(request.actor)`; log-in views inside the log-in's.

    A `DomainError` that a view lets through rolls its work back, is logged as a denial in a
    transaction of its own, and is answered with a page that says its sentence.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        with scope(actors.LOGIN):
            request.actor = identify(request)
        # A token in a header is never sent by a browser on its own: no cross-site forgery.
        request.bearer = "Authorization" in request.headers
        request._dont_enforce_csrf_checks = request.bearer or getattr(
            request, "_dont_enforce_csrf_checks", False
        )
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        is_login = request.path.startswith(LOGIN_PREFIXES)
        actor = actors.LOGIN if is_login else request.actor
        try:
            with dberrors.translated(), scope(actor):
                response = view(request, *args, **kwargs)
                if hasattr(response, "render") and not response.is_rendered:
                    response = response.render()
                return response
        except errors.DomainError as error:
            return self._refused(request, error)

    def _refused(self, request, error):
        with scope(request.actor):
            if isinstance(error, errors.NotFound | errors.NotAllowed):
                audit.deny(request.actor, request.resolver_match.view_name or "page", error)
            return render(
                request, "frontend/refused.html", {"error": error}, status=STATUS[type(error)]
            )
