"""Placements: who holds what, under which terms, and what came of it."""

import django_filters
import django_tables2
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agencies import policies, selectors
from frontend import composition, tables, trail
from frontend.access import page
from frontend.templatetags import fairplace
from frontend.views import recalls
from frontend.views.exports import ExportTable
from portfolios.models import Placement, Recall
from portfolios.selectors import shown_exports, shown_placements, visible_loans, visible_recalls
from portfolios.services import portfolios

EXPORTS_SHOWN = 10
READERS = policies.PEOPLE
State = Placement.State


class PlacementTable(tables.Table):
    caption = gettext_lazy("Placements")
    empty_title = gettext_lazy("No placement yet")
    empty_text = gettext_lazy("Placements are opened when a listing is awarded.")

    title = django_tables2.Column(verbose_name=gettext_lazy("Placement"))
    agency = django_tables2.Column(
        verbose_name=gettext_lazy("Agency"), accessor="agency__name", order_by="agency__name"
    )
    state = tables.StateColumn(verbose_name=gettext_lazy("State"))
    open_count = tables.IntegerColumn(verbose_name=gettext_lazy("Loans"))
    open_minor = tables.MoneyColumn(verbose_name=gettext_lazy("Balance"))
    confirmed_minor = tables.MoneyColumn(verbose_name=gettext_lazy("Recovered"))
    rate_ppm = tables.RateColumn(verbose_name=gettext_lazy("Commission"))
    ends_at = tables.DeadlineColumn(verbose_name=gettext_lazy("Ends"))

    def render_title(self, record):
        return tables.link(reverse("placement", args=[record.pk]), record.title)

    def render_ends_at(self, value, record, table, column):
        if record.state != State.LIVE:
            return fairplace.zoned(record.closed_at, table.time_zone)
        return column.render(value, table)


class OwnPlacementTable(PlacementTable):
    """For the agency, which has a bank on the other side."""

    empty_text = gettext_lazy("When a bank awards you a share of a listing, it appears here.")
    agency = django_tables2.Column(
        verbose_name=gettext_lazy("Bank"),
        accessor="institution__name",
        order_by="institution__name",
    )
    confirmed_minor = tables.MoneyColumn(
        verbose_name=gettext_lazy("Reported"), accessor="reported_minor"
    )


class PlacementFilter(tables.FilterSet):
    text = django_filters.CharFilter(
        label=gettext_lazy("Title"), field_name="title", lookup_expr="icontains"
    )
    state = django_filters.ChoiceFilter(label=gettext_lazy("State"), choices=State.choices)


@page(allow=READERS)
def placement_list(request: HttpRequest) -> HttpResponse:
    """For the bank who holds what; for an agency what it holds now."""
    is_agency = request.actor.kind == "agency"
    rows = shown_placements(request.actor).order_by("-opened_at")
    found = PlacementFilter(request.GET or None, rows)
    if is_agency:
        del found.filters["state"]
    kind = OwnPlacementTable if is_agency else PlacementTable
    zone = selectors.time_zone_of(request.actor)
    lead = _("Who holds what, under which terms, and until when.")
    return render(
        request,
        "frontend/placements/list.html",
        {
            "title": _("My placements") if is_agency else _("Placements"),
            "lead": _("What you hold now, under which terms, and until when.")
            if is_agency
            else lead,
            "table": kind(found.qs, request=request, time_zone=zone),
            "filterset": found,
        },
    )


@page(allow=READERS)
def placement(request: HttpRequest, pk) -> HttpResponse:
    """One placement: its terms, what came in, and what its loans are like."""
    found = selectors.find(shown_placements(request.actor), pk=pk)
    is_agency = request.actor.kind == "agency"
    loans = visible_loans(request.actor).filter(placement=found)
    zone = found.institution.time_zone
    return render(
        request,
        "frontend/placements/placement.html",
        {
            "title": found.title,
            "state": found.state,
            "lead": _("%(loans)s placed by %(bank)s")
            % {"loans": fairplace.loans(found.loan_count), "bank": found.institution.name}
            if is_agency
            else _("%(loans)s placed with %(agency)s")
            % {"loans": fairplace.loans(found.loan_count), "agency": found.agency.name},
            "breadcrumbs": [(_("Placements"), reverse("placements"))],
            "placement": found,
            "is_agency": is_agency,
            "loans_url": f"{reverse('loans')}?placement={found.pk}",
            "on_hold_count": loans.filter(is_on_hold=True).count(),
            "recovered_ppm": found.confirmed_minor * 1_000_000 // found.balance_minor,
            "charts": composition.of(portfolios.composition(loans), found.currency),
            "may_recall": found.state == State.LIVE
            and policies.allows(request.actor, policies.VENDOR_MANAGERS),
            "may_return": policies.allows(request.actor, policies.AGENCY_PEOPLE),
            "pending": visible_recalls(request.actor)
            .filter(placement=found, state=Recall.State.PENDING)
            .order_by("final_at")
            if policies.allows(request.actor, recalls.READERS)
            else [],
            "time_zone": zone,
            "exports": _exports(request, found, zone),
            "entries": trail.timeline(request.actor, found),
        },
    )


def _exports(request: HttpRequest, found: Placement, zone: str) -> ExportTable:
    """The latest that sent anything."""
    sent = shown_exports(request.actor).filter(placement=found, row_count__gt=0)
    return ExportTable(sent.order_by("-requested_at")[:EXPORTS_SHOWN], time_zone=zone)
