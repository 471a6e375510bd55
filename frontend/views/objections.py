"""Objections: the agency says why it should keep loans, the bank decides."""

from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from agencies import policies, selectors
from config import errors
from frontend import forms, previews
from frontend.access import page
from frontend.templatetags import fairplace
from frontend.views.recalls import small_form
from portfolios.models import Objection
from portfolios.selectors import shown_objections, shown_recalls
from portfolios.services import objections


class ObjectForm(forms.Form):
    references = previews.ReferencesField(
        help_text=gettext_lazy("One on each line. Each loan can be objected to once.")
    )
    kind = django_forms.ChoiceField(
        label=gettext_lazy("Because"),
        choices=Objection.Kind.choices,
        help_text=gettext_lazy(
            "A promise or a payment that stands in the portal is accepted by itself."
        ),
    )
    note = django_forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=2000,
        widget=django_forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("The day of the visit, the court's file number and the like."),
    )


@page(allow=policies.AGENCY_PEOPLE)
def submit(request: HttpRequest, pk) -> HttpResponse:
    """Say why the agency should keep loans."""
    found = selectors.find(shown_recalls(request.actor), pk=pk)
    form = ObjectForm(request.POST or None, initial={"references": request.GET.get("loan", "")})
    if request.method == "POST" and form.is_valid():
        try:
            count = objections.submit(actor=request.actor, recall_id=pk, **form.cleaned_data)
        except (errors.InvalidInput, errors.InvalidState) as error:
            forms.form_from_error(form, error)
        else:
            told = ngettext(
                "The bank reads your objection for %(count)s loan.",
                "The bank reads your objection for %(count)s loans.",
                count,
            )
            messages.success(request, told % {"count": fairplace.integer(count)})
            return redirect("recall", pk)
    return small_form(
        request,
        found,
        form,
        title=_("Object to the recall"),
        lead=_("Loans without an accepted objection go back on the day on which it is final."),
        submit=_("Send the objection"),
    )


class DecideForm(forms.Form):
    decision = django_forms.ChoiceField(
        label=gettext_lazy("Decision"),
        choices=[
            ("accept", gettext_lazy("Accept: the loan stays with the agency")),
            ("refuse", gettext_lazy("Refuse: the loan comes back when the recall is final")),
        ],
        widget=django_forms.RadioSelect,
    )
    reason = forms.ReasonField()


@page(allow=policies.VENDOR_MANAGERS)
def decide(request: HttpRequest, pk) -> HttpResponse:
    """Accept or refuse one objection."""
    objection = selectors.find(shown_objections(request.actor), pk=pk)
    found = selectors.find(shown_recalls(request.actor), pk=objection.recalled_loan.recall_id)
    form = DecideForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            objections.decide(
                actor=request.actor,
                objection_ids=[pk],
                accept=form.cleaned_data["decision"] == "accept",
                reason=form.cleaned_data["reason"],
            )
        except (errors.InvalidInput, errors.InvalidState) as error:
            forms.form_from_error(form, error)
        else:
            messages.success(request, _("It is decided, and the agency has been told."))
            return redirect("recall", found.pk)
    lead = _("%(reference)s: %(kind)s.") % {
        "reference": objection.loan.reference,
        "kind": objection.get_kind_display(),
    }
    return small_form(
        request,
        found,
        form,
        title=_("Decide the objection"),
        lead=f"{lead} {objection.note}".strip(),
        submit=_("Decide"),
    )
