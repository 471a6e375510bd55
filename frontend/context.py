"""What every page knows besides its own subject."""

import functools

from django.conf import settings
from django.utils.functional import SimpleLazyObject

from config import clock
from frontend import navigation

THEMES = ("auto", "light", "dark")


def portal(request) -> dict:
    """Context processor: actor, navigation, theme, organisation, now, payouts_simulated.

    `now` is the database's moment, asked for once and only by a page that shows a deadline.
    """
    actor = getattr(request, "actor", None)
    theme = request.COOKIES.get("theme", "auto")
    return {
        "actor": actor,
        "signed_in": _is_signed_in(request, actor),
        "navigation": navigation.sections(actor.role, request.path) if actor else [],
        "organisation": SimpleLazyObject(lambda: _organisation(request)),
        "theme": theme if theme in THEMES else "auto",
        "themes": THEMES,
        "now": functools.cache(clock.now),
        "payouts_simulated": settings.STRIPE_SIMULATED,
    }


def _is_signed_in(request, actor) -> bool:
    """Somebody has logged in; who still lacks the second factor can log out again, no more."""
    known = actor is not None and actor.kind in ("institution", "agency")
    return known or getattr(request, "lacks_second_factor", False)


def _organisation(request) -> str:
    user = getattr(request, "user", None)
    owner = getattr(user, "institution", None) or getattr(user, "agency", None)
    return str(owner) if owner else ""
