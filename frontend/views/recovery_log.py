"""Reporting payments: a few typed in, or a file of many; each row is answered on its own."""

import secrets

from django import forms as django_forms
from django.contrib import messages
from django.forms import BaseFormSet, formset_factory
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from agencies import audit, policies
from config import clock, errors
from frontend import forms
from frontend.access import page
from frontend.templatetags import fairplace
from portfolios.models import Recovery
from portfolios.recovery_files import COLUMNS
from portfolios.selectors import visible_placements
from portfolios.services import recoveries, recovery_files, work

ROWS = 5
ROWS_MAX = 50
PROBLEMS_SHOWN = 200
TYPED = ("loan_reference", "reference", "amount")
FORM_FIELDS = {"amount_minor": "amount"}


class PlainMoneyField(forms.MoneyField):
    """An amount whose currency stands elsewhere."""

    addon = ""


class PaymentForm(forms.Form):
    """One row. A row in which nothing was typed counts for nothing."""

    institution = django_forms.ChoiceField(label=gettext_lazy("Bank"), required=False)
    loan_reference = django_forms.CharField(label=gettext_lazy("Loan"), max_length=60)
    reference = django_forms.CharField(label=gettext_lazy("Your payment reference"), max_length=60)
    amount = PlainMoneyField(currency="USD", label=gettext_lazy("Amount"))
    currency = django_forms.ChoiceField(label=gettext_lazy("Currency"))
    value_on = forms.DayField(label=gettext_lazy("Value date"))
    channel = django_forms.ChoiceField(
        label=gettext_lazy("Channel"), choices=Recovery.Channel.choices
    )

    def __init__(
        self, *args, banks: list[tuple], currencies: list[str], today, loan_reference="", **kwargs
    ):
        super().__init__(*args, **kwargs)
        self.fields["institution"].choices = [("", _("Any")), *banks]
        if len(banks) < 2:
            del self.fields["institution"]
        self.fields["currency"].choices = [(code, code) for code in currencies]
        self.fields["currency"].initial = currencies[0]
        if len(currencies) == 1:
            del self.fields["currency"]
            self.fields["amount"].label = _("Amount, %(currency)s") % {"currency": currencies[0]}
        self.fields["value_on"].initial = today
        self.fields["channel"].initial = Recovery.Channel.BANK_TRANSFER
        if loan_reference and self.prefix == "form-0":
            self.fields["loan_reference"].initial = loan_reference
        named = self.data.get(self.add_prefix("currency"))
        self.fields["amount"].currency = named if named in currencies else currencies[0]
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = field.label
            if isinstance(field, django_forms.ChoiceField):
                field.widget.attrs["class"] = "form-select w-auto"

    def has_changed(self) -> bool:
        return any(self.data.get(self.add_prefix(name), "").strip() for name in TYPED)

    def as_row(self) -> dict:
        """The payment as `recoveries.log` takes it."""
        given = dict(self.cleaned_data)
        given["amount_minor"] = given.pop("amount")
        return given


class PaymentFormSet(BaseFormSet):
    """The rows of one batch."""

    def typed(self) -> list[PaymentForm]:
        return [form for form in self.forms if form.has_changed()]


Payments = formset_factory(
    PaymentForm, formset=PaymentFormSet, extra=ROWS, max_num=ROWS_MAX, absolute_max=ROWS_MAX
)


@page(allow=policies.AGENCY_PEOPLE)
def log(request: HttpRequest) -> HttpResponse:
    """Type in a few payments."""
    options = _options(request)
    payments = Payments(request.POST or None, form_kwargs=options)
    key = request.POST.get("key") or secrets.token_hex(16)
    if request.method == "POST" and payments.is_valid() and payments.typed():
        typed = payments.typed()
        rows = [form.as_row() for form in typed]
        try:
            answers = recoveries.log(actor=request.actor, idempotency_key=key, rows=rows)
        except errors.InvalidInput as error:
            messages.error(request, error.message)
        else:
            _tell(request, answers)
            _log_denials(request, [answer.code for answer in answers])
            refused = [
                (form, answer)
                for form, answer in zip(typed, answers, strict=True)
                if answer.outcome == work.REFUSED
            ]
            if not refused:
                return redirect("recoveries")
            payments = _again(refused, options)
            key = secrets.token_hex(16)
    elif request.method == "POST" and payments.is_valid():
        messages.error(request, _("Write at least one payment."))
    return render(
        request,
        "frontend/recoveries/log.html",
        {
            "title": _("Report payments"),
            "lead": _("One row for each payment. Your reference must be new for each of them."),
            "breadcrumbs": [(_("Recoveries"), reverse("recoveries"))],
            "payments": payments,
            "currencies": options["currencies"],
            "headings": list(payments.forms[0].fields.values()),
            "key": key,
        },
        status=forms.UNPROCESSABLE if request.method == "POST" else 200,
    )


def _options(request: HttpRequest) -> dict:
    """What the rows offer: whose loans the agency holds, in what currencies, and today."""
    held = visible_placements(request.actor).select_related("institution")
    held = list(held.order_by("institution", "currency").distinct("institution", "currency"))
    banks = {one.institution.slug: one.institution for one in held}
    return {
        "banks": sorted((slug, bank.name) for slug, bank in banks.items()),
        "currencies": sorted({one.currency for one in held}) or ["USD"],
        "today": min((clock.business_date(one.time_zone) for one in banks.values()), default=None),
        "loan_reference": request.GET.get("loan", ""),
    }


def _tell(request: HttpRequest, answers: list[work.Answer]) -> None:
    outcomes = [answer.outcome for answer in answers]
    recorded, known = outcomes.count(work.RECORDED), outcomes.count(work.ALREADY_RECORDED)
    above = sum(bool(answer.warnings) for answer in answers)
    if recorded:
        words = ngettext("%(count)s payment reported.", "%(count)s payments reported.", recorded)
        messages.success(request, words % {"count": fairplace.integer(recorded)})
    if known:
        words = ngettext(
            "%(count)s payment was reported before and is unchanged.",
            "%(count)s payments were reported before and are unchanged.",
            known,
        )
        messages.info(request, words % {"count": fairplace.integer(known)})
    if above:
        words = ngettext(
            "%(count)s payment is above what is left of its loan; the bank looks at it.",
            "%(count)s payments are above what is left of their loans; the bank looks at them.",
            above,
        )
        messages.warning(request, words % {"count": fairplace.integer(above)})
    if outcomes.count(work.REFUSED):
        messages.error(request, _("Correct the rows below. Nothing of them was reported."))


def _log_denials(request: HttpRequest, codes: list[str]) -> None:
    """Loans that are not there, or not theirs, are logged once for a batch, as by the API."""
    refusal = work.unknown_loan()
    if refusal.code in codes:
        audit.deny(request.actor, request.resolver_match.view_name, refusal)


def _again(refused: list, options: dict) -> PaymentFormSet:
    """The refused rows alone, as they were typed, each with what is wrong."""
    data = {"form-TOTAL_FORMS": str(len(refused)), "form-INITIAL_FORMS": "0"}
    for number, (form, _answer) in enumerate(refused):
        for name in form.fields:
            data[f"form-{number}-{name}"] = form.data.get(form.add_prefix(name), "")
    payments = Payments(data, form_kwargs=options)
    payments.is_valid()
    for form, (_form, answer) in zip(payments.forms, refused, strict=True):
        name = FORM_FIELDS.get(answer.field, answer.field)
        form.add_error(name if name in form.fields else None, answer.message)
    return payments


class FileForm(forms.Form):
    file = django_forms.FileField(
        label=gettext_lazy("CSV file"),
        help_text=gettext_lazy("UTF-8, at most 5 MB and 10,000 payments."),
        widget=django_forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
    )
    key = django_forms.CharField(widget=django_forms.HiddenInput, max_length=40)


@page(allow=policies.AGENCY_PEOPLE)
def upload(request: HttpRequest) -> HttpResponse:
    """Report the payments of a file, and read what became of each row."""
    form = FileForm(
        request.POST or None, request.FILES or None, initial={"key": secrets.token_hex(16)}
    )
    logged = None
    if request.method == "POST" and form.is_valid():
        try:
            logged = recovery_files.log(
                actor=request.actor,
                idempotency_key=form.cleaned_data["key"],
                content=form.cleaned_data["file"].read(),
            )
        except errors.InvalidInput as error:
            forms.form_from_error(form, error)
        else:
            form = FileForm(initial={"key": secrets.token_hex(16)})
            _log_denials(request, [problem.code for problem in logged.problems])
    return forms.render_page(
        request,
        "frontend/recoveries/upload.html",
        {
            "title": _("Report payments from a file"),
            "lead": _("Good rows are reported; the others are listed with what is wrong."),
            "breadcrumbs": [(_("Recoveries"), reverse("recoveries"))],
            "form": form,
            "logged": logged,
            "problems": logged.problems[:PROBLEMS_SHOWN] if logged else [],
            "hidden": max(0, len(logged.problems) - PROBLEMS_SHOWN) if logged else 0,
            "columns": COLUMNS,
            "channels": Recovery.Channel.values,
            "cancel_url": reverse("recoveries"),
        },
    )
