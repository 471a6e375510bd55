"""The first page: for people what waits for them, for visitors what this is."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from agencies import policies, selectors
from frontend import trail, work
from frontend.access import ANYBODY, page, to_second_factor

LATELY = 5


@page(allow=ANYBODY)
def home(request: HttpRequest) -> HttpResponse:
    """What to do now, or who we are."""
    if request.lacks_second_factor:
        return to_second_factor(request)
    if request.actor.role not in policies.PEOPLE:
        context = {"title": _("Overdue loans, fairly placed")}
        return render(request, "frontend/home/welcome.html", context)
    lately = selectors.visible_audit_entries(request.actor).order_by("-at", "-pk")[:LATELY]
    context = {
        "title": _("What to do now"),
        "items": work.of(request.actor),
        "figures": work.figures_of(request.actor),
        "entries": trail.entries(request.actor, lately),
        "time_zone": selectors.time_zone_of(request.actor),
    }
    return render(request, "frontend/home/home.html", context)
