"""One receipt: the report that it proves, or how a person settles it."""

from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from agencies import policies, selectors
from config import errors
from frontend import forms, trail
from frontend.access import page
from frontend.templatetags import fairplace
from portfolios.models import Confirmation, ReceiptLine, Recovery
from portfolios.selectors import (
    visible_confirmations,
    visible_loans,
    visible_receipt_lines,
)
from portfolios.services import receipt_lines, receipts

READERS = policies.FINANCE | policies.AUDITORS
CANDIDATES_SHOWN = 20
State = ReceiptLine.State


class LinkForm(forms.Form):
    recovery = django_forms.ChoiceField(
        label=gettext_lazy("Which report does it prove?"), widget=django_forms.RadioSelect
    )
    reason = forms.ReasonField()

    def __init__(self, data=None, *, candidates: list[Recovery], reference: str):
        super().__init__(data, auto_id="link_%s")
        self.fields["recovery"].choices = [
            (str(one.pk), _candidate(one, reference)) for one in candidates
        ]


def _candidate(recovery: Recovery, loan_reference: str) -> str:
    words = {
        "reference": recovery.reference,
        "agency": recovery.agency.name,
        "day": fairplace.day_text(recovery.value_on),
        "loan": recovery.loan.reference,
    }
    if recovery.loan.reference != loan_reference:
        return _("%(reference)s of %(agency)s, %(day)s, another loan: %(loan)s") % words
    return _("%(reference)s of %(agency)s, %(day)s") % words


class DismissForm(forms.Form):
    reason = forms.ReasonField()

    def __init__(self, data=None):
        super().__init__(data, auto_id="dismiss_%s")


@page(allow=READERS)
def receipt_line(request: HttpRequest, pk) -> HttpResponse:
    """One receipt: the report that it proves, or how to settle it."""
    return _show_line(request, pk)


@page(allow=policies.FINANCE_PREPARERS)
@require_POST
def link(request: HttpRequest, pk) -> HttpResponse:
    """It proves one of its candidates."""
    line = selectors.find(visible_receipt_lines(request.actor), pk=pk)
    if line.state not in receipts.OPEN:
        messages.error(request, _("This receipt has been settled already."))
        return redirect("receipt_line", pk)
    form = LinkForm(
        request.POST, candidates=_candidates(request, line), reference=line.loan_reference
    )
    if form.is_valid():
        given = form.cleaned_data
        try:
            receipt_lines.link(
                actor=request.actor,
                line_id=pk,
                recovery_id=given["recovery"],
                reason=given["reason"],
            )
        except errors.InvalidInput as error:
            forms.form_from_error(form, error)
        except errors.InvalidState as error:
            messages.error(request, error.message)
            return redirect("receipt_line", pk)
        else:
            messages.success(request, _("The receipt confirms this recovery."))
            return redirect("receipt_line", pk)
    return _show_line(request, pk, link_form=form)


@page(allow=policies.FINANCE_PREPARERS)
@require_POST
def dismiss(request: HttpRequest, pk) -> HttpResponse:
    """It proves no report."""
    form = DismissForm(request.POST)
    if form.is_valid():
        try:
            receipt_lines.dismiss(actor=request.actor, line_id=pk, **form.cleaned_data)
        except errors.InvalidInput as error:
            forms.form_from_error(form, error)
        except errors.InvalidState as error:
            messages.error(request, error.message)
            return redirect("receipt_line", pk)
        else:
            messages.success(request, _("The receipt is dismissed."))
            return redirect("receipt_line", pk)
    return _show_line(request, pk, dismiss_form=form)


def _candidates(request: HttpRequest, line: ReceiptLine) -> list[Recovery]:
    if line.state not in receipts.OPEN:
        return []
    return list(receipt_lines.candidates(request.actor, line)[:CANDIDATES_SHOWN])


def _show_line(request: HttpRequest, pk, *, link_form=None, dismiss_form=None) -> HttpResponse:
    actor = request.actor
    line = selectors.find(visible_receipt_lines(actor).select_related("receipt_file"), pk=pk)
    is_open = line.state in receipts.OPEN
    may_settle = is_open and policies.allows(actor, policies.FINANCE_PREPARERS)
    candidates = _candidates(request, line) if may_settle else []
    if candidates and link_form is None:
        link_form = LinkForm(candidates=candidates, reference=line.loan_reference)
    refused = any(form is not None and form.is_bound for form in (link_form, dismiss_form))
    return render(
        request,
        "frontend/receipts/line.html",
        {
            "title": _("Receipt %(reference)s") % {"reference": line.receipt_reference},
            "state": line.state,
            "lead": _next_step(line, candidates, may_settle),
            "breadcrumbs": [
                (_("Receipts"), reverse("receipts")),
                (line.receipt_file.file_name, reverse("receipt_file", args=[line.receipt_file_id])),
            ],
            "line": line,
            "loan": visible_loans(actor).filter(reference=line.loan_reference).first(),
            "confirmation": _confirmation(actor, line),
            "link_form": link_form if candidates else None,
            "dismiss_form": (dismiss_form or DismissForm()) if may_settle else None,
            "time_zone": selectors.time_zone_of(actor),
            "entries": trail.timeline(actor, line),
        },
        status=forms.UNPROCESSABLE if refused else 200,
    )


def _confirmation(actor, line: ReceiptLine) -> Confirmation | None:
    found = visible_confirmations(actor).select_related("recovery__agency")
    return found.filter(receipt_line=line).first()


def _next_step(line: ReceiptLine, candidates: list, may_settle: bool) -> str:
    if line.state == State.MATCHED:
        return _("It confirms a recovery.")
    if line.state == State.DISMISSED:
        return _("It was dismissed: it confirms nothing.")
    if not may_settle:
        return _("Waits for a finance preparer.")
    if line.state == State.AMBIGUOUS:
        return _("Several reports have its amount. Choose the one that it proves.")
    if candidates:
        return _("No report of this loan has its amount. Another loan's has: is that the one?")
    return _("Nobody has reported it yet. It is matched by itself when a report comes.")
