"""One complaint for either side: the agency answers, the bank decides and may read the words."""

from zoneinfo import ZoneInfo

from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from agencies import policies, selectors
from config import clock, errors
from frontend import forms, trail
from frontend.access import page
from frontend.views.complaints import VIEWERS, State, due_html, stage_of
from portfolios.models import Complaint
from portfolios.selectors import shown_complaints, visible_loans
from portfolios.services import complaints


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
