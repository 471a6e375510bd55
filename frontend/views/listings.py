"""Listings: the market's list, and one listing for either side."""

import django_filters
import django_tables2
from django.db.models import Case, F, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agencies import policies, selectors
from config import clock
from frontend import tables
from frontend.access import page
from frontend.templatetags import fairplace
from frontend.views import awards, bids, rooms
from marketplace.models import Listing
from marketplace.selectors import (
    shown_listings,
    with_own_offer,
    with_tape,
)

VIEWERS = policies.INSTITUTION_PEOPLE | policies.AGENCY_PEOPLE


class ListingTable(tables.Table):
    """What both sides see of a listing in a row."""

    caption = gettext_lazy("Listings")

    title = django_tables2.Column(verbose_name=gettext_lazy("Listing"))
    phase = tables.StateColumn(verbose_name=gettext_lazy("State"))
    closes_at = django_tables2.Column(verbose_name=gettext_lazy("Closes"))
    loan_count = tables.IntegerColumn(verbose_name=gettext_lazy("Loans"))
    balance_minor = tables.MoneyColumn(verbose_name=gettext_lazy("Balance"))
    highest_rate_ppm = tables.RateColumn(verbose_name=gettext_lazy("Highest rate"))

    def render_title(self, value, record):
        return tables.link(reverse("listing", args=[record.pk]), value, _what(record))

    def render_closes_at(self, value, record):
        zone = record.institution.time_zone
        if record.phase != "open":
            return fairplace.zoned(value, zone)
        if not hasattr(self, "rendered_at"):
            self.rendered_at = clock.now()
        return fairplace.deadline_html(value, self.rendered_at, zone, record.published_at)


class BankTable(ListingTable):
    empty_title = gettext_lazy("No portfolio was published yet")
    empty_text = gettext_lazy("Open a portfolio and publish it for bids; it appears here.")

    def render_phase(self, value):
        return fairplace.badge(awards.bank_state(value))


class AgencyTable(ListingTable):
    empty_title = gettext_lazy("No bank invites you to bid now")
    empty_text = gettext_lazy(
        "Listings of the banks that admitted you to their panel appear here when they open."
    )

    offer = django_tables2.Column(
        verbose_name=gettext_lazy("Your bid"), empty_values=(), order_by="bid_rate_ppm"
    )

    class Meta:
        sequence = ("title", "phase", "offer", "...")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # In the order of a figure that is not shown the figure could be read.
        for name in ("loan_count", "balance_minor", "highest_rate_ppm"):
            self.columns[name].column.orderable = False

    def render_title(self, value, record):
        what = f" · {_what(record)}" if record.is_opened else ""
        note = f"{record.institution.name}{what}"
        return tables.link(reverse("listing", args=[record.pk]), value, note)

    def render_loan_count(self, record):
        if not record.is_opened:
            return rooms.size_words(record)
        return fairplace.integer(record.tape_loan_count)

    def render_balance_minor(self, record):
        shown_minor = record.tape_balance_minor if record.is_opened else None
        return fairplace.money(shown_minor, record.currency)

    def render_highest_rate_ppm(self, record):
        return fairplace.rate(record.highest_rate_ppm if record.is_opened else None)

    def render_offer(self, record):
        return bids.standing(record)


class ListingFilter(tables.FilterSet):
    title = django_filters.CharFilter(label=gettext_lazy("Name"), lookup_expr="icontains")
    phase = django_filters.ChoiceFilter(label=gettext_lazy("State"), choices=Listing.Phase.choices)


class AgencyFilter(ListingFilter):
    bid = django_filters.ChoiceFilter(
        label=gettext_lazy("Your bid"),
        field_name="bid_rate_ppm",
        choices=[("yes", gettext_lazy("Submitted")), ("no", gettext_lazy("None"))],
        method="with_bid",
    )

    def with_bid(self, queryset, name, value):
        return queryset.filter(bid_rate_ppm__isnull=value == "no")


def _what(listing: Listing) -> str:
    return f"{listing.product}, {listing.jurisdiction}"


@page(allow=VIEWERS)
def listing_list(request: HttpRequest) -> HttpResponse:
    """The bank's listings, or those an agency may bid on; the open ones first."""
    actor = request.actor
    rows = shown_listings(actor)
    if actor.kind == "agency":
        rows = with_tape(actor, with_own_offer(actor, rows))
        found = AgencyFilter(request.GET or None, _soonest_first(rows))
        table = AgencyTable(found.qs, request=request)
        lead = _("Portfolios that banks offer you. Bids are sealed: only you know of yours.")
    else:
        found = ListingFilter(request.GET or None, _soonest_first(rows))
        table = BankTable(found.qs, request=request)
        lead = _("Portfolios published for bids. Bids are sealed until a listing closes.")
    context = {"title": _("Listings"), "lead": lead, "table": table, "filterset": found}
    return render(request, "frontend/listings/list.html", context)


def _soonest_first(rows: QuerySet[Listing]) -> QuerySet[Listing]:
    """What is open, the soonest to close first; what waits for a decision; then the newest."""
    place = Case(When(phase="open", then=Value(0)), When(phase="closed", then=Value(1)), default=2)
    ends = Case(When(phase="open", then=F("closes_at")))
    return rows.order_by(place, ends, "-closes_at")


@page(allow=VIEWERS)
def listing(request: HttpRequest, pk) -> HttpResponse:
    """One listing: a sealed room before the closing, bids and the award after it."""
    rows = shown_listings(request.actor)
    if request.actor.kind == "agency":
        return bids.room(request, selectors.find(rows, pk=pk))
    return awards.room(request, selectors.find(rows, pk=pk))
