"""The pages: the one list of addresses. Each chapter adds its own below its heading."""

from django.urls import path
from django.views.i18n import set_language

from frontend.access import ANYBODY, page
from frontend.views import health, home

urlpatterns = [
    path("", home.home, name="home"),
    path("language/", page(allow=ANYBODY)(set_language), name="set_language"),
    path("livez", health.live, name="livez"),
    path("readyz", health.ready, name="readyz"),
    # --- agencies: who
    # --- portfolios: what is owed
    # --- marketplace: the deal
    # --- payouts: the money out
]
