"""Holds: pausing the collection of one loan, and letting it go on."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agencies import selectors
from config import errors
from frontend import forms
from frontend.access import page
from frontend.views.loans import found_loan, small_form
from portfolios.models import Hold
from portfolios.selectors import visible_holds
from portfolios.services import holds


class HoldForm(forms.Form):
    kind = forms.forms.ChoiceField(
        label=gettext_lazy("Because of"),
        choices=[
            (Hold.Reason.DISPUTE.value, Hold.Reason.DISPUTE.label),
            (Hold.Reason.OTHER.value, Hold.Reason.OTHER.label),
        ],
    )
    reason = forms.ReasonField()


@page(allow=holds.MAY_HOLD)
def hold(request: HttpRequest, pk) -> HttpResponse:
    """Pause the collection of one loan."""
    found = found_loan(request, pk)
    form = HoldForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            holds.open_hold(actor=request.actor, loan_id=pk, **form.cleaned_data)
        except errors.InvalidInput as error:
            forms.form_from_error(form, error)
        else:
            messages.success(request, _("The loan is on hold. Whoever holds it sees that."))
            return redirect("loan", pk)
    return small_form(
        request,
        found,
        form,
        title=_("Put on hold"),
        lead=_("Collection rests until you release it; contacts meanwhile are flagged."),
        submit=_("Put on hold"),
    )


class ReasonForm(forms.Form):
    reason = forms.ReasonField()


@page(allow=holds.MAY_HOLD)
def release(request: HttpRequest, pk) -> HttpResponse:
    """End one hold."""
    opened = selectors.find(visible_holds(request.actor), pk=pk)
    found = found_loan(request, opened.loan_id)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            holds.release(actor=request.actor, hold_id=pk, **form.cleaned_data)
        except (errors.InvalidInput, errors.InvalidState) as error:
            forms.form_from_error(form, error)
        else:
            messages.success(request, _("The hold is released."))
            return redirect("loan", found.pk)
    return small_form(
        request,
        found,
        form,
        title=_("Release the hold"),
        lead=_("Collection goes on when no other hold is open."),
        submit=_("Release"),
    )
