"""The placement board: what of the bank's placements waits for somebody, and when."""

import datetime

import django_tables2
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agencies import policies, selectors
from config import clock
from frontend import holdings, tables
from frontend.access import page
from frontend.views.holds import HoldTable
from portfolios.models import Objection, Placement, Recall
from portfolios.selectors import shown_holds, shown_objections, shown_placements, shown_recalls
from portfolios.services import holds

READERS = holds.MAY_HOLD | policies.AUDITORS
ENDING = datetime.timedelta(days=60)


class ObjectionTable(tables.Table):
    caption = gettext_lazy("Objections to decide, the most urgent first")
    empty_title = gettext_lazy("No objection waits")
    empty_text = gettext_lazy("When an agency objects to a recall, you decide it here.")
    prefix = "objections-"

    loan = django_tables2.Column(
        verbose_name=gettext_lazy("Loan"), accessor="loan__reference", orderable=False
    )
    kind = django_tables2.Column(
        verbose_name=gettext_lazy("Because"), accessor="get_kind_display", orderable=False
    )
    agency = django_tables2.Column(
        verbose_name=gettext_lazy("Agency"), accessor="agency__name", orderable=False
    )
    final_at = tables.DeadlineColumn(
        verbose_name=gettext_lazy("Recall final"),
        accessor="recalled_loan__recall__final_at",
        orderable=False,
    )

    decides = False

    def render_loan(self, value, record):
        if not self.decides:
            return value
        return tables.link(reverse("objection_decide", args=[record.pk]), value)


class RecallTable(tables.Table):
    caption = gettext_lazy("Announced recalls, the most urgent first")
    empty_title = gettext_lazy("No recall is announced")
    empty_text = gettext_lazy("A recall is announced from the page of its placement.")
    prefix = "recalls-"

    placement = django_tables2.Column(
        verbose_name=gettext_lazy("Placement"), accessor="placement__title", orderable=False
    )
    loan_count = tables.IntegerColumn(verbose_name=gettext_lazy("Loans"), orderable=False)
    balance_minor = tables.MoneyColumn(
        verbose_name=gettext_lazy("Balance"), currency="placement__currency", orderable=False
    )
    open_count = tables.IntegerColumn(
        verbose_name=gettext_lazy("Objections to decide"), orderable=False
    )
    final_at = tables.DeadlineColumn(verbose_name=gettext_lazy("Final"), orderable=False)

    def render_placement(self, value, record):
        if not self.links:
            return value
        return tables.link(reverse("recall", args=[record.pk]), value)

    links = False


class EndingTable(tables.Table):
    caption = gettext_lazy("Placements that end next")
    empty_title = gettext_lazy("No placement ends soon")
    empty_text = gettext_lazy("Placements whose term is over within 60 days stand here.")
    prefix = "endings-"

    title = django_tables2.Column(verbose_name=gettext_lazy("Placement"), orderable=False)
    agency = django_tables2.Column(
        verbose_name=gettext_lazy("Agency"), accessor="agency__name", orderable=False
    )
    open_count = tables.IntegerColumn(verbose_name=gettext_lazy("Loans"), orderable=False)
    open_minor = tables.MoneyColumn(verbose_name=gettext_lazy("Balance"), orderable=False)
    ends_at = tables.DeadlineColumn(verbose_name=gettext_lazy("Ends"), orderable=False)

    def render_title(self, value, record):
        return tables.link(reverse("placement", args=[record.pk]), value)


class ReviewTable(HoldTable):
    caption = gettext_lazy("Holds to be reviewed now, the longest overdue first")
    empty_title = gettext_lazy("No hold waits for a review")
    empty_text = gettext_lazy("A hold with a day of review stands here from that day on.")
    prefix = "reviews-"

    class Meta:
        exclude = ("expires_on", "state")
        orderable = False


@page(allow=READERS)
def board(request: HttpRequest) -> HttpResponse:
    """Due dates, recalls that are announced, holds to be reviewed, objections to decide."""
    actor = request.actor
    zone = selectors.time_zone_of(actor)
    today = clock.business_date(zone)
    objections = (
        shown_objections(actor)
        .filter(state=Objection.State.OPEN, recalled_loan__recall__state=Recall.State.PENDING)
        .select_related("agency")
        .order_by("recalled_loan__recall__final_at", "pk")
    )
    pending = shown_recalls(actor).filter(state=Recall.State.PENDING).order_by("final_at", "pk")
    reviews = shown_holds(actor, today).filter(hold_state="to_review").order_by("review_on", "pk")
    ending = shown_placements(actor).filter(
        state=Placement.State.LIVE, ends_at__lte=clock.now() + ENDING
    )
    shown = {"request": request, "time_zone": zone}
    lists = [
        ObjectionTable(objections, **shown),
        RecallTable(pending, **shown),
        ReviewTable(reviews, **shown),
        EndingTable(ending.order_by("ends_at", "pk"), **shown),
    ]
    lists[0].decides = policies.allows(actor, policies.VENDOR_MANAGERS)
    lists[1].links = policies.allows(actor, policies.VENDOR_MANAGERS | policies.AUDITORS)
    return render(
        request,
        "frontend/board/board.html",
        {
            "title": _("Placement board"),
            "lead": _("What waits for somebody, and when."),
            "lists": lists,
            "chart": holdings.by_kind(actor),
        },
    )
