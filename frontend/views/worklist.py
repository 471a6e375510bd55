"""The agency's worklist and the feed of changes, as pages."""

import django_tables2
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agencies import policies
from frontend import tables, trail
from frontend.access import page
from frontend.templatetags import fairplace
from portfolios.models import PlacementChange
from portfolios.selectors import visible_changes
from portfolios.services import worklist

Reason = worklist.Reason
EMPTY = {
    Reason.PROMISE: gettext_lazy("No promise is due today or broken."),
    Reason.RECALL: gettext_lazy("No announced recall waits for an objection of yours."),
    Reason.HOLD: gettext_lazy("No loan on hold has a day of review."),
    Reason.UNTOUCHED: gettext_lazy("Every loan had a contact lately."),
}


class WorkTable(tables.Table):
    caption = gettext_lazy("Loans that wait for you, the most urgent first")
    empty_title = gettext_lazy("Nothing waits here")

    reference = django_tables2.Column(verbose_name=gettext_lazy("Loan"))
    placement = django_tables2.Column(
        verbose_name=gettext_lazy("Placement"),
        accessor="placement__title",
        order_by="placement__title",
    )
    bank = django_tables2.Column(
        verbose_name=gettext_lazy("Bank"),
        accessor="institution__name",
        order_by="institution__name",
    )
    balance_minor = tables.MoneyColumn(verbose_name=gettext_lazy("Balance"))
    due_on = tables.DayColumn(verbose_name=gettext_lazy("By"))

    def render_reference(self, value, record):
        return tables.link(reverse("loan", args=[record.pk]), value)


@page(allow=policies.AGENCY_PEOPLE)
def work(request: HttpRequest) -> HttpResponse:
    """What waits for the agency, one list for each reason."""
    asked = request.GET.get("reason", "")
    reason = Reason(asked) if asked in Reason.values else Reason.PROMISE
    found = {one: worklist.of(request.actor, one) for one in Reason}
    table = WorkTable(found[reason], request=request, empty_text=EMPTY[reason])
    url = reverse("worklist")
    return render(
        request,
        "frontend/worklist/worklist.html",
        {
            "title": _("Worklist"),
            "lead": _("Loans that wait for you, why, and by which day."),
            "tabs": [
                {
                    "label": one.label,
                    "url": f"{url}?reason={one.value}",
                    "current": one == reason,
                    "count": found[one].count(),
                }
                for one in Reason
            ],
            "table": table,
        },
    )


class ChangeTable(tables.Table):
    caption = gettext_lazy("Changes, the newest first")
    empty_title = gettext_lazy("Nothing has changed yet")
    empty_text = gettext_lazy("What a bank changes about your placements is listed here.")

    at = tables.MomentColumn(verbose_name=gettext_lazy("When"))
    kind = django_tables2.Column(verbose_name=gettext_lazy("What"))
    reference = django_tables2.Column(verbose_name=gettext_lazy("Loan or placement"))
    amount_minor = tables.MoneyColumn(verbose_name=gettext_lazy("Amount"))
    due_on = tables.DayColumn(verbose_name=gettext_lazy("Day"))
    note = django_tables2.Column(verbose_name=gettext_lazy("Note"), orderable=False)

    def render_kind(self, value, record):
        words = trail.KINDS.get(record.detail, "")
        note = format_html('<span class="cell-note">{}</span>', words) if words else ""
        return format_html("{}{}", fairplace.badge(record.kind), note)

    def render_reference(self, value, record):
        if record.kind in PlacementChange.ENDS:
            return value
        if record.loan_id:
            return tables.link(reverse("loan", args=[record.loan_id]), value)
        return tables.link(reverse("placement", args=[record.placement_id]), value)


@page(allow=policies.AGENCY_PEOPLE)
def changes(request: HttpRequest) -> HttpResponse:
    """What banks changed about the agency's placements."""
    rows = visible_changes(request.actor).order_by("-at", "-pk")
    return render(
        request,
        "frontend/worklist/changes.html",
        {
            "title": _("Changes"),
            "lead": _("What banks changed about your placements; your own system reads the same."),
            "table": ChangeTable(rows, request=request),
        },
    )
