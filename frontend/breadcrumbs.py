"""Breadcrumbs of the pages below one thing: (title, address) from its list down to itself."""

from django.urls import reverse
from django.utils.translation import gettext as _

from marketplace.models import Listing
from portfolios.models import LoanImport, Placement, Portfolio

Crumbs = list[tuple[str, str]]


def to_portfolio(portfolio: Portfolio) -> Crumbs:
    return [
        (_("Portfolios"), reverse("portfolios")),
        (portfolio.name, reverse("portfolio", args=[portfolio.pk])),
    ]


def above_import(made: LoanImport) -> Crumbs:
    """To the portfolio that gets the loans, or to the list of maintenance files."""
    if made.portfolio is None:
        return [(_("Maintenance files"), reverse("maintenance"))]
    return to_portfolio(made.portfolio)


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
