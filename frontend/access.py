"""Who may open which page. A page that declares no rule fails a test."""

import functools
from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_htmx.http import HttpResponseClientRedirect

from agencies import policies
from config import errors

ANYBODY = policies.ANYBODY
"""For pages that need no log-in."""


def page(*, allow: frozenset[str]) -> Callable:
    """Declares the roles that may open a view, and keeps everybody else out.

    Somebody unknown is sent to the log-in and comes back afterwards; somebody known without the
    role is refused (`NotAllowed`, 403). What was shown is kept by no cache.
    """
    if not isinstance(allow, frozenset) or not allow:
        raise TypeError("A page declares `allow`, a frozenset of roles.")

    def declare(view):
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args, **kwargs) -> HttpResponse:
            if request.actor.role in allow:
                response = view(request, *args, **kwargs)
                response.headers.setdefault("Cache-Control", "no-store")
                return response
            if request.actor.kind == "public" and not request.bearer:
                return _ask_who(request)
            raise errors.NotAllowed("NOT_ALLOWED", _("Your role does not allow this."))

        guarded.allow = allow
        return guarded

    return declare


def _ask_who(request: HttpRequest) -> HttpResponse:
    """To the log-in, or to the second factor that is still missing."""
    if request.lacks_second_factor:
        answer = to_second_factor(request)
    elif request.method in ("GET", "HEAD"):
        answer = redirect_to_login(request.get_full_path(), reverse("account_login"))
    else:
        answer = redirect("account_login")
    return HttpResponseClientRedirect(answer.url) if request.htmx else answer


def to_second_factor(request: HttpRequest) -> HttpResponse:
    """To the page on which the second factor is set up, saying why."""
    messages.info(
        request,
        _("Your institution asks for a second factor. Set it up here, then you can go on."),
    )
    return redirect("mfa_activate_totp")
