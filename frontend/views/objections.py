"""Objections: the agency says why it should keep loans, the bank decides."""

from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from agencies import policies, selectors
from config import clock, errors
from frontend import breadcrumbs, forms, previews
from frontend.access import page
from frontend.templatetags import fairplace
from frontend.views.contacts import with_note
from frontend.views.recalls import small_form
from portfolios.models import Objection
from portfolios.selectors import (
    shown_contacts,
    shown_objections,
    shown_promises,
    shown_recalls,
    shown_recoveries,
)
from portfolios.services import objections

STATES = {
    Objection.State.OPEN: "objected",
    Objection.State.ACCEPTED: "objection_accepted",
    Objection.State.REFUSED: "objection_refused",
}
"""State → what the page calls it."""


class ObjectForm(forms.Form):
    references = previews.ReferencesField(
        help_text=gettext_lazy("One on each line. Each loan can be objected to once.")
    )
    kind = forms.AskedField(
        label=gettext_lazy("Because"),
        prompt=gettext_lazy("Choose a reason"),
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

    def __init__(self, *args, is_accepted: bool, **kwargs):
        """What the portal has accepted can only be refused: there is nothing to choose."""
        super().__init__(*args, **kwargs)
        if is_accepted:
            del self.fields["decision"]


@page(allow=policies.VENDOR_MANAGERS)
def decide(request: HttpRequest, pk) -> HttpResponse:
    """Accept or refuse one objection."""
    objection = selectors.find(shown_objections(request.actor), pk=pk)
    found = selectors.find(shown_recalls(request.actor), pk=objection.recalled_loan.recall_id)
    is_accepted = objection.state == Objection.State.ACCEPTED and objection.is_automatic
    form = DecideForm(request.POST or None, is_accepted=is_accepted)
    if request.method == "POST" and form.is_valid():
        try:
            objections.decide(
                actor=request.actor,
                objection_ids=[pk],
                accept=form.cleaned_data.get("decision") == "accept",
                reason=form.cleaned_data["reason"],
            )
        except (errors.InvalidInput, errors.InvalidState) as error:
            forms.form_from_error(form, error)
        else:
            messages.success(request, _("It is decided, and the agency has been told."))
            return redirect("recall", found.pk)
    may_decide = objections.may_be_decided(objection)
    url = reverse("recall", args=[found.pk])
    return forms.render_page(
        request,
        "frontend/recalls/objection.html",
        {
            "title": _("Decide the objection") if may_decide else _("Objection"),
            "lead": _next_step(objection, may_decide),
            "state": STATES[objection.state],
            "breadcrumbs": [*breadcrumbs.to_placement(found.placement), (_("Recall"), url)],
            "objection": objection,
            "recall": found,
            "known": _known(request.actor, objection, found.institution.time_zone),
            "form": form if may_decide or form.is_bound else None,
            "is_accepted": is_accepted,
            "cancel_url": url,
            "time_zone": found.institution.time_zone,
        },
    )


def _next_step(objection: Objection, may_decide: bool) -> str:
    if not may_decide:
        return _("Nothing is left to decide.")
    if objection.state == Objection.State.ACCEPTED:
        return _("The portal's data show the reason, so the loan stays unless you refuse it.")
    return _("%(agency)s wants to keep loan %(reference)s. Accept that or refuse it.") % {
        "agency": objection.agency.name,
        "reference": objection.loan.reference,
    }


def _known(actor, objection: Objection, zone: str) -> list[tuple]:
    """What the portal itself knows of the agency's time with the loan: labels and values."""
    today = clock.business_date(zone)
    promised = shown_promises(actor).filter(spell=objection.spell_id, due_on__gte=today)
    promise = promised.order_by("due_on").first()
    recoveries = shown_recoveries(actor).filter(spell=objection.spell_id)
    recovery = recoveries.order_by("-value_on", "-logged_at").first()
    contacts = shown_contacts(actor).filter(spell=objection.spell_id)
    contact = contacts.order_by("-happened_at").first()
    return [
        (
            _("Next promise"),
            _("%(amount)s by %(day)s")
            % {
                "amount": fairplace.money(promise.amount_minor, promise.currency),
                "day": fairplace.day_text(promise.due_on),
            }
            if promise
            else _("none is open"),
        ),
        (
            _("Last payment"),
            _("%(amount)s on %(day)s")
            % {
                "amount": fairplace.money(
                    recovery.amount_minor - recovery.reversed_minor, recovery.currency
                ),
                "day": fairplace.day_text(recovery.value_on),
            }
            if recovery
            else _("none was reported"),
        ),
        (
            _("Last contact"),
            with_note(
                fairplace.zoned(contact.happened_at, zone),
                f"{contact.get_channel_display()} · {contact.get_outcome_display()}",
            )
            if contact
            else _("none was logged"),
        ),
    ]
