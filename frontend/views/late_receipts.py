"""Late receipts: an agency tells of money that came after a recall, the bank decides."""

import django_filters
import django_tables2
from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agencies import policies, selectors
from agencies.selectors import visible_memberships
from config import errors, money
from frontend import forms, tables, trail
from frontend.access import page
from frontend.templatetags import fairplace
from portfolios.models import LateReceipt
from portfolios.selectors import visible_late_receipts, visible_loans, visible_spells
from portfolios.services import late_receipts

READERS = policies.AGENCY_PEOPLE | policies.FINANCE | policies.AUDITORS
State = LateReceipt.State


class LateReceiptTable(tables.Table):
    caption = gettext_lazy("Late receipts")
    empty_title = gettext_lazy("No late receipt")
    empty_text = gettext_lazy(
        "When money reaches an agency after a loan was taken back, the agency reports it here."
    )

    reference = django_tables2.Column(verbose_name=gettext_lazy("Payment"))
    other = django_tables2.Column(
        verbose_name=gettext_lazy("Agency"), accessor="agency__name", order_by="agency__name"
    )
    loan_reference = django_tables2.Column(verbose_name=gettext_lazy("Loan"))
    amount_minor = tables.MoneyColumn(verbose_name=gettext_lazy("Amount"))
    value_on = tables.DayColumn(verbose_name=gettext_lazy("Value date"))
    state = tables.StateColumn(verbose_name=gettext_lazy("State"))
    submitted_at = tables.MomentColumn(verbose_name=gettext_lazy("Reported"))

    def render_reference(self, record):
        return tables.link(reverse("late_receipt", args=[record.pk]), record.reference)


class OwnLateReceiptTable(LateReceiptTable):
    """For the agency: at which bank."""

    empty_text = gettext_lazy(
        "Money that still reaches you after a loan was taken back is reported here."
    )
    other = django_tables2.Column(
        verbose_name=gettext_lazy("Bank"),
        accessor="institution__name",
        order_by="institution__name",
    )


class LateReceiptFilter(tables.FilterSet):
    state = django_filters.ChoiceFilter(label=gettext_lazy("State"), choices=State.choices)
    loan = django_filters.CharFilter(
        label=gettext_lazy("Loan"), field_name="loan_reference", lookup_expr="istartswith"
    )


@page(allow=READERS)
def late_receipt_list(request: HttpRequest) -> HttpResponse:
    """Both sides see what was told and what was decided."""
    is_agency = request.actor.kind == "agency"
    rows = visible_late_receipts(request.actor).select_related("agency", "institution")
    found = LateReceiptFilter(request.GET or None, rows.order_by("-submitted_at"))
    kind = OwnLateReceiptTable if is_agency else LateReceiptTable
    return render(
        request,
        "frontend/late_receipts/list.html",
        {
            "title": _("Late receipts"),
            "lead": _("Money that came after a loan was taken back. The bank decides about it.")
            if is_agency
            else _("Money that reached an agency after its loan was taken back. You decide."),
            "is_agency": is_agency,
            "table": kind(
                found.qs, request=request, time_zone=selectors.time_zone_of(request.actor)
            ),
            "filterset": found,
        },
    )


class PlainMoneyField(forms.MoneyField):
    """An amount whose currency is chosen beside it."""

    addon = ""


class SubmitForm(forms.Form):
    institution = forms.AskedField(label=gettext_lazy("Bank"), prompt=gettext_lazy("Choose a bank"))
    loan_reference = django_forms.CharField(
        label=gettext_lazy("Loan reference"),
        max_length=60,
        help_text=gettext_lazy("As it was named while you held it. It is not looked up."),
    )
    reference = django_forms.CharField(label=gettext_lazy("Your payment reference"), max_length=60)
    currency = django_forms.CharField(
        label=gettext_lazy("Currency"), max_length=3, min_length=3, initial="USD"
    )
    amount = PlainMoneyField(currency="USD", label=gettext_lazy("Amount"))
    value_on = forms.DayField(label=gettext_lazy("Value date"))
    note = django_forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=2000,
        widget=django_forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, data=None, *, institutions):
        super().__init__(data)
        bank = self.fields["institution"]
        bank.choices = institutions if len(institutions) == 1 else [*bank.choices, *institutions]
        typed = (self.data.get("currency") or "").upper()
        if typed in money.CURRENCIES:
            self.fields["amount"].currency = typed

    def clean_currency(self):
        code = self.cleaned_data["currency"].upper()
        if code not in money.CURRENCIES:
            raise django_forms.ValidationError(_("Enter a code of ISO 4217, such as USD."))
        return code


@page(allow=policies.AGENCY_PEOPLE)
def submit(request: HttpRequest) -> HttpResponse:
    """Tell a bank of money that came in late."""
    memberships = visible_memberships(request.actor).filter(state__in=late_receipts.STANDINGS)
    banks = memberships.order_by("institution__name").values_list(
        "institution_id", "institution__name"
    )
    form = SubmitForm(request.POST or None, institutions=[(str(pk), name) for pk, name in banks])
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        try:
            late_receipts.submit(
                actor=request.actor,
                institution_id=given.pop("institution"),
                amount_minor=given.pop("amount"),
                **given,
            )
        except errors.InvalidInput as error:
            forms.form_from_error(form, error, {"amount_minor": "amount"})
        else:
            messages.success(request, _("The bank has been told. You find its decision here."))
            return redirect("late_receipts")
    return forms.render_page(
        request,
        "frontend/late_receipts/form.html",
        {
            "title": _("Report a late receipt"),
            "lead": _("For money that reached you after the loan was taken back."),
            "breadcrumbs": [(_("Late receipts"), reverse("late_receipts"))],
            "form": form,
            "cancel_url": reverse("late_receipts"),
        },
    )


class DecisionForm(forms.Form):
    decision = django_forms.ChoiceField(
        label=gettext_lazy("Decision"),
        choices=(
            ("accept", gettext_lazy("Accept: it becomes a recovery, to be confirmed by a receipt")),
            ("refuse", gettext_lazy("Refuse: it does not count")),
        ),
        widget=django_forms.RadioSelect,
    )
    reason = forms.ReasonField(help_text=gettext_lazy("The agency reads it."))


@page(allow=READERS)
def late_receipt(request: HttpRequest, pk) -> HttpResponse:
    """One late receipt; a finance preparer decides here."""
    actor = request.actor
    rows = visible_late_receipts(actor).select_related("agency", "institution", "recovery")
    if actor.kind == "agency":
        # The recovery is on a spell that the agency may not see any more: no join to it.
        rows = visible_late_receipts(actor).select_related("agency", "institution")
    found = selectors.find(rows, pk=pk)
    is_open = found.state == State.SUBMITTED
    may_decide = is_open and policies.allows(actor, policies.FINANCE_PREPARERS)
    form = DecisionForm(request.POST or None) if may_decide else None
    if request.method == "POST":
        policies.demand(actor, policies.FINANCE_PREPARERS)
        if form is None:
            raise errors.InvalidState("DECIDED", _("This has been decided already."))
        if form.is_valid() and _decide(request, found, form):
            return redirect("late_receipt", pk)
    return forms.render_page(
        request,
        "frontend/late_receipts/late_receipt.html",
        {
            "title": _("Late receipt %(reference)s") % {"reference": found.reference},
            "state": found.state,
            "lead": _("Waits for the bank's decision.") if is_open else _("Decided."),
            "breadcrumbs": [(_("Late receipts"), reverse("late_receipts"))],
            "late_receipt": found,
            "is_agency": actor.kind == "agency",
            "amount": fairplace.money(found.amount_minor, found.currency),
            "loan": visible_loans(actor).filter(reference=found.loan_reference).first()
            if actor.institution_id
            else None,
            "spells": visible_spells(actor)
            .filter(loan__reference=found.loan_reference, agency=found.agency_id)
            .order_by("opened_at"),
            "form": form,
            "time_zone": found.institution.time_zone,
            "entries": trail.timeline(actor, found),
        },
    )


def _decide(request: HttpRequest, found: LateReceipt, form: DecisionForm) -> bool:
    accept = form.cleaned_data["decision"] == "accept"
    try:
        late_receipts.decide(
            actor=request.actor,
            late_receipt_id=found.pk,
            accept=accept,
            reason=form.cleaned_data["reason"],
        )
    except (errors.InvalidInput, errors.InvalidState) as error:
        forms.form_from_error(form, error)
        return False
    messages.success(
        request,
        _("Accepted: the recovery waits for a receipt now.") if accept else _("Refused."),
    )
    return True
