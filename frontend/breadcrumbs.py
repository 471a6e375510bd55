"""Breadcrumbs of the pages below one thing: (title, address) from its list down to itself."""

from django.urls import reverse
from django.utils.translation import gettext as _

from marketplace.models import Listing
from portfolios.models import Placement, Portfolio

Crumbs = list[tuple[str, str]]


def to_portfolio(portfolio: Portfolio) -> Crumbs:
    return [
        (_("Portfolios"), reverse("portfolios")),
        (portfolio.name, reverse("portfolio", args=[portfolio.pk])),
    ]


def to_placement(placement: Placement) -> Crumbs:
    return [
        (_("Placements"), reverse("placements")),
        (placement.title, reverse("placement", args=[placement.pk])),
    ]


def to_listing(listing: Listing) -> Crumbs:
    return [
        (_("Listings"), reverse("listings")),
        (listing.title, reverse("listing", args=[listing.pk])),
    ]
