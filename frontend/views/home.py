"""The first page: for people what waits for them, for visitors what this is."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from agencies import policies
from frontend import work
from frontend.access import ANYBODY, page


@page(allow=ANYBODY)
def home(request: HttpRequest) -> HttpResponse:
    """What to do now, or who we are."""
    if request.lacks_second_factor:
        return redirect("mfa_activate_totp")
    if request.actor.role not in policies.PEOPLE:
        return render(request, "frontend/home/welcome.html")
    return render(request, "frontend/home/home.html", {"items": work.of(request.actor)})
