"""The queue of complaints, by deadline, as each side sees it."""

import datetime
from zoneinfo import ZoneInfo

import django_filters
import django_tables2
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from agencies import policies, selectors
from config import clock
from frontend import charts, tables
from frontend.access import page
from frontend.templatetags import fairplace
from portfolios.models import Complaint, ComplaintIntake
from portfolios.selectors import complaints_at, shown_complaints, shown_intakes
from portfolios.services import complaints, intakes

State = Complaint.State
VIEWERS = (
    policies.COMPLIANCE_OFFICERS
    | policies.VENDOR_MANAGERS
    | policies.AUDITORS
    | policies.AGENCY_PEOPLE
)
STAGES = [
    ("undecided", gettext_lazy("Not decided")),
    ("overdue", gettext_lazy("Overdue")),
    ("to_answer", gettext_lazy("Waiting for the agency")),
    ("to_decide", gettext_lazy("Waiting for a decision")),
    ("decided", gettext_lazy("Decided")),
]
SOON_DAYS = 3


def stage_of(complaint: Complaint, actor) -> str:
    """The word that says whose turn it is, or how it ended."""
    if complaint.state == State.DECIDED:
        return complaint.outcome
    if complaint.state == State.ANSWERED or not complaint.agency_id:
        return "awaiting_decision"
    return "to_answer" if actor.kind == "agency" else "awaiting_answer"


def due_html(complaint: Complaint, now: datetime.datetime):
    """How many days are left until the decision is due, and the day."""
    if complaint.state == State.DECIDED:
        return fairplace.day(complaint.due_on)
    today = now.astimezone(ZoneInfo(complaint.institution.time_zone)).date()
    left = (complaint.due_on - today).days
    if left < 0:
        tone = "danger"
        text = ngettext("%(days)d day overdue", "%(days)d days overdue", -left) % {"days": -left}
    elif left == 0:
        tone, text = "warning", _("today")
    else:
        tone = "warning" if left <= SOON_DAYS else "neutral"
        text = ngettext("in %(days)d day", "in %(days)d days", left) % {"days": left}
    return format_html(
        '<span class="deadline deadline-{}"><span class="deadline-left">{}</span> {}</span>',
        tone,
        text,
        fairplace.day(complaint.due_on),
    )


def _today(actor) -> datetime.date:
    return clock.business_date(selectors.time_zone_of(actor))


class ComplaintTable(tables.Table):
    """The queue as the bank sees it."""

    caption = gettext_lazy("Complaints, the most urgent first")
    empty_title = gettext_lazy("No complaints")
    empty_text = gettext_lazy(
        "Complaints that you enter, or open from the public form, wait here until they are decided."
    )

    loan_reference = django_tables2.Column(verbose_name=gettext_lazy("Loan"))
    due_on = django_tables2.Column(verbose_name=gettext_lazy("Decision due"))
    state = django_tables2.Column(verbose_name=gettext_lazy("State"))
    severity = tables.StateColumn(verbose_name=gettext_lazy("Severity"))
    agency = django_tables2.Column(
        verbose_name=gettext_lazy("Agency"), accessor="agency__name", default="–"
    )
    happened_on = tables.DayColumn(verbose_name=gettext_lazy("Day of the conduct"))

    def render_loan_reference(self, value, record):
        url = reverse("complaint", args=[record.pk])
        return tables.link(url, value, record.get_category_display())

    def render_due_on(self, record):
        if not hasattr(self, "rendered_at"):
            self.rendered_at = clock.now()
        return due_html(record, self.rendered_at)

    def render_state(self, record):
        return fairplace.badge(stage_of(record, self.request.actor))


class OwnComplaintTable(ComplaintTable):
    """For the agency: at which bank."""

    empty_title = gettext_lazy("Nobody has complained about you")
    empty_text = gettext_lazy("When a bank asks you about your conduct, it appears here.")

    agency = django_tables2.Column(verbose_name=gettext_lazy("Bank"), accessor="institution__name")


class ComplaintFilter(tables.FilterSet):
    loan_reference = django_filters.CharFilter(
        label=gettext_lazy("Loan"), lookup_expr="istartswith"
    )
    state = django_filters.ChoiceFilter(
        label=gettext_lazy("State"), choices=STAGES, method="at_stage"
    )
    severity = django_filters.ChoiceFilter(
        label=gettext_lazy("Severity"), choices=Complaint.Severity.choices
    )
    agency = django_filters.ModelChoiceFilter(
        label=gettext_lazy("Agency"),
        queryset=lambda request: selectors.visible_agencies(request.actor).order_by("name"),
    )

    def at_stage(self, queryset, name, value):
        return complaints_at(queryset, value, _today(self.request.actor))


@page(allow=VIEWERS)
def complaint_list(request: HttpRequest) -> HttpResponse:
    """The queue: what is not decided first, by deadline."""
    actor = request.actor
    is_agency = actor.kind == "agency"
    rows = shown_complaints(actor)
    ordered = rows.order_by(F("decided_at").desc(nulls_first=True), "due_on", "pk")
    found = ComplaintFilter(request.GET or None, ordered, request=request)
    if is_agency:
        del found.filters["agency"]
    kind = OwnComplaintTable if is_agency else ComplaintTable
    context = {
        "title": _("Complaints"),
        "lead": _("About your conduct. Answer before the bank decides.")
        if is_agency
        else _("About the conduct of agencies. Each holds its loan until it is decided."),
        "table": kind(found.qs, request=request),
        "filterset": found,
        "is_agency": is_agency,
        "may_open": policies.allows(actor, complaints.MAY_HANDLE),
        "tiles": _tiles(actor, rows),
        "chart": None if is_agency else _by_category(rows),
    }
    return render(request, "frontend/complaints/list.html", context)


def _tiles(actor, rows: QuerySet[Complaint]) -> list[dict]:
    """{label, value, url, note, tone} of each figure above the queue."""
    today = _today(actor)
    overdue = complaints_at(rows, "overdue", today).count()
    tiles = [
        {
            "label": _("To answer") if actor.kind == "agency" else _("With the agency"),
            "value": complaints_at(rows, "to_answer", today).count(),
            "url": "?state=to_answer",
        },
        {
            "label": _("Waiting for a decision"),
            "value": complaints_at(rows, "to_decide", today).count(),
            "url": "?state=to_decide",
        },
        {
            "label": _("Overdue"),
            "value": overdue,
            "url": "?state=overdue",
            "tone": "danger" if overdue else "success",
            "note": _("These come first.") if overdue else _("None is late."),
        },
    ]
    if policies.allows(actor, intakes.MAY_HANDLE):
        waiting = shown_intakes(actor).filter(state=ComplaintIntake.State.RECEIVED).count()
        tiles.append(
            {
                "label": _("From the public form"),
                "value": waiting,
                "url": reverse("intakes"),
                "note": _("Read them, then open or dismiss.") if waiting else "",
            }
        )
    return tiles


def _by_category(rows: QuerySet[Complaint]) -> dict | None:
    """What people complain about, the most frequent first."""
    counted = dict.fromkeys(Complaint.Category.values, 0)
    for category in rows.order_by().values_list("category", flat=True):
        counted[category] += 1
    total = sum(counted.values())
    if not total:
        return None
    ordered = sorted(counted.items(), key=lambda one: -one[1])
    most, number = ordered[0]
    return charts.lying_bars(
        [(str(Complaint.Category(name).label), count) for name, count in ordered],
        title=_("Most often: %(category)s (%(count)s of %(total)s)")
        % {
            "category": Complaint.Category(most).label,
            "count": fairplace.integer(number),
            "total": fairplace.integer(total),
        },
        description=_("All complaints received, whatever became of them, by category."),
        subject=_("Category"),
        measure=_("Complaints"),
    )
