"""Complaints: the queue by deadline, one case for either side, and what the public form brought."""

import datetime
from zoneinfo import ZoneInfo

import django_filters
import django_tables2
from django import forms as django_forms
from django.contrib import messages
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from agencies import policies, selectors
from config import clock, errors
from frontend import charts, forms, tables, trail
from frontend.access import page
from frontend.templatetags import fairplace
from portfolios.models import Complaint, ComplaintIntake
from portfolios.selectors import complaints_at, shown_complaints, shown_intakes, visible_loans
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


# --- one case


class AnswerForm(forms.Form):
    answer = django_forms.CharField(
        label=gettext_lazy("Your answer"),
        max_length=complaints.LONGEST_ANSWER,
        widget=django_forms.Textarea(attrs={"rows": 8}),
        help_text=gettext_lazy(
            "What happened, and what proves it. The bank reads it; it cannot be changed later."
        ),
    )


class DecisionForm(forms.Form):
    outcome = django_forms.ChoiceField(
        label=gettext_lazy("Outcome"),
        choices=Complaint.Outcome.choices,
        widget=django_forms.RadioSelect,
    )
    is_agency_at_fault = django_forms.BooleanField(
        label=gettext_lazy("It was the agency's doing"),
        required=False,
        help_text=gettext_lazy("Then it counts against the placement, if it is upheld."),
    )
    reason = forms.ReasonField(
        min_length=complaints.SHORTEST_DECISION,
        help_text=gettext_lazy("The agency reads it, and it stays in the audit trail."),
    )

    def __init__(self, *args, agency, **kwargs):
        super().__init__(*args, **kwargs)
        if agency is None:
            del self.fields["is_agency_at_fault"]


class RevealForm(forms.Form):
    reason = forms.ReasonField(
        label=gettext_lazy("Why do you need it?"),
        help_text=gettext_lazy("Kept in the audit trail with your name."),
    )


@page(allow=VIEWERS)
def complaint(request: HttpRequest, pk) -> HttpResponse:
    """One case: the clock, what is said to have happened, the answer, and what is to be done."""
    return _show(request, _found(request, pk))


@page(allow=policies.AGENCY_PEOPLE)
@require_POST
def answer(request: HttpRequest, pk) -> HttpResponse:
    """The agency's one answer."""
    form = AnswerForm(request.POST)
    if form.is_valid():
        try:
            complaints.answer(actor=request.actor, complaint_id=pk, **form.cleaned_data)
        except errors.InvalidInput as error:
            forms.form_from_error(form, error)
        except errors.InvalidState as error:
            messages.error(request, error.message)
            return redirect("complaint", pk)
        else:
            messages.success(request, _("Your answer is with the bank, which decides now."))
            return redirect("complaint", pk)
    return _show(request, _found(request, pk), answer_form=form)


@page(allow=complaints.MAY_HANDLE)
@require_POST
def decide(request: HttpRequest, pk) -> HttpResponse:
    """Upheld or not, whose doing it was, and why."""
    found = _found(request, pk)
    form = DecisionForm(request.POST, agency=found.agency)
    if form.is_valid():
        try:
            complaints.decide(
                actor=request.actor,
                complaint_id=pk,
                **{"is_agency_at_fault": False, **form.cleaned_data},
            )
        except errors.InvalidInput as error:
            forms.form_from_error(form, error)
        except errors.InvalidState as error:
            messages.error(request, error.message)
            return redirect("complaint", pk)
        else:
            messages.success(request, _("Decided. The hold of this complaint has ended."))
            return redirect("complaint", pk)
    return _show(request, found, decision_form=form)


@page(allow=complaints.MAY_HANDLE)
def reveal(request: HttpRequest, pk) -> HttpResponse:
    """The complainant's own words, once; they are in the answer alone, never in an address."""
    found = _found(request, pk)
    form = RevealForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            words = complaints.reveal(actor=request.actor, complaint_id=pk, **form.cleaned_data)
        except errors.InvalidInput as error:
            forms.form_from_error(form, error)
        else:
            return _show(request, found, words=words)
    url = reverse("complaint", args=[pk])
    context = {
        "title": _("Read the complainant's words"),
        "lead": _("Shown to you once. The audit trail keeps who looked, when and why."),
        "breadcrumbs": [(_("Complaints"), reverse("complaints")), (found.loan_reference, url)],
        "form": form,
        "submit": _("Show them"),
        "cancel_url": url,
    }
    return forms.render_page(request, "frontend/complaints/form.html", context)


def _found(request: HttpRequest, pk) -> Complaint:
    return selectors.find(shown_complaints(request.actor), pk=pk)


def _show(
    request: HttpRequest, found: Complaint, *, answer_form=None, decision_form=None, words=None
) -> HttpResponse:
    actor = request.actor
    is_agency = actor.kind == "agency"
    is_decided = found.state == State.DECIDED
    may_handle = policies.allows(actor, complaints.MAY_HANDLE)
    if is_agency and found.state == State.OPEN:
        answer_form = answer_form or AnswerForm()
    if may_handle and not is_decided:
        decision_form = decision_form or DecisionForm(agency=found.agency)
    context = {
        "title": _("Complaint about loan %(loan)s") % {"loan": found.loan_reference},
        "state": stage_of(found, actor),
        "lead": _next_step(found, is_agency, may_handle),
        "breadcrumbs": [(_("Complaints"), reverse("complaints"))],
        "complaint": found,
        "due": due_html(found, clock.now()),
        "is_agency": is_agency,
        "is_decided": is_decided,
        "may_handle": may_handle,
        "words": words,
        "loan_url": _loan_url(actor, found),
        "answer_form": answer_form if found.state == State.OPEN else None,
        "decision_form": None if is_decided else decision_form,
        **_days(found),
        "time_zone": found.institution.time_zone,
        "entries": trail.timeline(actor, found),
    }
    refused = any(form and form.is_bound for form in (answer_form, decision_form))
    status = forms.UNPROCESSABLE if refused else 200
    return render(request, "frontend/complaints/complaint.html", context, status=status)


def _days(found: Complaint) -> dict:
    """When it was received, answered and decided, on the institution's calendar, and how late."""
    zone = ZoneInfo(found.institution.time_zone)
    received_on, answered_on, decided_on = (
        moment and moment.astimezone(zone).date()
        for moment in (found.received_at, found.answered_at, found.decided_at)
    )
    late = (decided_on - found.due_on).days if decided_on else 0
    in_time = ngettext("%(days)d day late", "%(days)d days late", late) % {"days": late}
    return {
        "received_on": received_on,
        "answered_on": answered_on,
        "decided_on": decided_on,
        "in_time": in_time if late > 0 else _("in time"),
    }


def _loan_url(actor, found: Complaint) -> str:
    """Where the loan is shown; an agency only gets there while it holds it."""
    seen = visible_loans(actor).filter(pk=found.loan_id).exists()
    return reverse("loan", args=[found.loan_id]) if seen else ""


def _next_step(found: Complaint, is_agency: bool, may_handle: bool) -> str:
    if found.state == State.DECIDED:
        return _("Decided; nothing is left to do.")
    if is_agency and found.state == State.OPEN:
        return _("Answer once, before the bank decides.")
    if is_agency:
        return _("You have answered. The bank decides.")
    if not may_handle:
        return _("A compliance officer decides it. The loan is on hold until then.")
    if found.state == State.ANSWERED:
        return _("The agency has answered. Decide, with a reason.")
    if not found.agency_id:
        return _("No agency had the loan on that day. Decide, with a reason.")
    return _("The agency has not answered yet. You may decide without its answer.")
