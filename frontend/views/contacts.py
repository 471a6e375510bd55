"""Contacts: the list in which compliance finds the flagged ones, and logging work on a loan."""

import django_filters
import django_tables2
from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agencies import policies, selectors
from agencies.selectors import visible_agencies
from config import clock, errors
from frontend import forms, tables
from frontend.access import page
from frontend.templatetags import fairplace
from portfolios import conduct
from portfolios.models import Contact, Loan
from portfolios.selectors import narrow_contacts, shown_contacts, shown_loans
from portfolios.services import contacts, promises

READERS = (
    policies.AGENCY_PEOPLE
    | policies.COMPLIANCE_OFFICERS
    | policies.VENDOR_MANAGERS
    | policies.AUDITORS
)
FLAGS = (
    (conduct.OUTSIDE_HOURS, gettext_lazy("Outside permitted hours")),
    (conduct.TOO_MANY_CONTACTS, gettext_lazy("Too many contacts")),
    (conduct.ON_HOLD, gettext_lazy("Loan on hold")),
)


def with_note(text: str, note: str):
    """A cell with a smaller note below it."""
    return format_html('<span>{}<span class="cell-note">{}</span></span>', text, note)


class ContactTable(tables.Table):
    caption = gettext_lazy("Contacts")
    empty_title = gettext_lazy("No contact yet")
    empty_text = gettext_lazy("What agencies log about their contacts with borrowers appears here.")

    happened_at = tables.MomentColumn(verbose_name=gettext_lazy("When"))
    loan = django_tables2.Column(
        verbose_name=gettext_lazy("Loan"), accessor="loan__reference", order_by="loan__reference"
    )
    agency = django_tables2.Column(
        verbose_name=gettext_lazy("Agency"), accessor="agency__name", order_by="agency__name"
    )
    channel = django_tables2.Column(verbose_name=gettext_lazy("Contact"))
    outcome = django_tables2.Column(verbose_name=gettext_lazy("Outcome"))
    flags = django_tables2.Column(
        verbose_name=gettext_lazy("Flags"), empty_values=(), orderable=False
    )
    note = django_tables2.Column(verbose_name=gettext_lazy("Note"), orderable=False)

    def render_happened_at(self, value, record):
        return with_note(fairplace.zoned(value, self.time_zone), record.logged_by)

    def render_loan(self, value, record):
        return format_html('<a href="{}">{}</a>', reverse("loan", args=[record.loan_id]), value)

    def render_channel(self, record):
        return with_note(record.get_channel_display(), record.get_direction_display())

    def render_outcome(self, record):
        return with_note(record.get_outcome_display(), record.get_measure_display())

    def render_flags(self, record):
        badges = [(fairplace.badge(flag.lower()),) for flag in record.flags]
        return format_html_join(" ", "{}", badges) if badges else fairplace.NO_VALUE


class ContactFilter(tables.FilterSet):
    flagged = django_filters.ChoiceFilter(
        label=gettext_lazy("Flagged"),
        choices=(("yes", gettext_lazy("Flagged")), ("no", gettext_lazy("Not flagged"))),
        method="by_flags",
    )
    flag = django_filters.ChoiceFilter(
        label=gettext_lazy("Because of"), choices=FLAGS, method="by_flag"
    )
    agency = django_filters.ModelChoiceFilter(
        label=gettext_lazy("Agency"),
        queryset=lambda request: visible_agencies(request.actor).order_by("name"),
    )
    loan = django_filters.CharFilter(
        label=gettext_lazy("Loan"), field_name="loan__reference", lookup_expr="istartswith"
    )
    channel = django_filters.ChoiceFilter(
        label=gettext_lazy("Channel"), choices=Contact.Channel.choices
    )
    happened_at = django_filters.DateFromToRangeFilter(label=gettext_lazy("When"))

    def by_flags(self, queryset, name, value):
        return narrow_contacts(queryset, is_flagged=value == "yes")

    def by_flag(self, queryset, name, value):
        return narrow_contacts(queryset, flag=value)


@page(allow=READERS)
def contact_list(request: HttpRequest) -> HttpResponse:
    """Contacts with borrowers; for compliance the flagged ones matter."""
    is_agency = request.actor.kind == "agency"
    rows = shown_contacts(request.actor).select_related("loan", "agency")
    found = ContactFilter(
        request.GET or None, rows.order_by("-happened_at", "-pk"), request=request
    )
    if is_agency:
        del found.filters["agency"]
    table = ContactTable(
        found.qs,
        request=request,
        time_zone=selectors.time_zone_of(request.actor),
        exclude=("agency",) if is_agency else (),
    )
    return render(
        request,
        "frontend/contacts/list.html",
        {
            "title": _("Contacts"),
            "lead": _("Every contact is recorded. Those that seem to break a rule are flagged.")
            if is_agency
            else _("A flag says that a rule seems broken. Ask the agency or open a complaint."),
            "table": table,
            "filterset": found,
        },
    )


class ContactForm(forms.Form):
    measure = django_forms.ChoiceField(
        label=gettext_lazy("Measure"), choices=Contact.Measure.choices
    )
    channel = django_forms.ChoiceField(
        label=gettext_lazy("Channel"), choices=Contact.Channel.choices
    )
    direction = django_forms.ChoiceField(
        label=gettext_lazy("Who began it"), choices=Contact.Direction.choices
    )
    outcome = forms.AskedField(
        label=gettext_lazy("Outcome"),
        prompt=gettext_lazy("Choose what came of it"),
        choices=Contact.Outcome.choices,
    )
    happened_at = forms.MomentField(label=gettext_lazy("When it happened"))
    note = django_forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=2000,
        help_text=gettext_lazy("What matters for the next contact. Never a card number."),
        widget=django_forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, data=None, *, time_zone: str, moment):
        super().__init__(
            data,
            initial={
                "measure": Contact.Measure.NEGOTIATION,
                "channel": Contact.Channel.PHONE,
                "happened_at": moment,
            },
        )
        self.fields["happened_at"].time_zone = time_zone


class PromiseForm(forms.Form):
    amount = forms.MoneyField(currency="USD", label=gettext_lazy("Amount promised"))
    due_on = forms.DayField(label=gettext_lazy("To be paid by"))

    def __init__(self, data=None, *, currency: str):
        super().__init__(data)
        self.fields["amount"].currency = currency


@page(allow=policies.AGENCY_PEOPLE)
def log(request: HttpRequest, pk) -> HttpResponse:
    """Log one contact about a loan."""
    loan = _loan(request, pk)
    zone = loan.institution.time_zone
    form = ContactForm(request.POST or None, time_zone=zone, moment=clock.now())
    if request.method == "POST" and form.is_valid():
        try:
            contact = contacts.log(actor=request.actor, loan_id=pk, **form.cleaned_data)
        except errors.InvalidInput as error:
            forms.form_from_error(form, error)
        else:
            messages.success(request, _("The contact is logged."))
            words = dict(FLAGS)
            for flag in contact.flags:
                messages.warning(
                    request, _("Flagged for compliance: %(flag)s.") % {"flag": words[flag]}
                )
            return redirect("loan", pk)
    lead = _("Collection of this loan rests: a contact now is flagged.") if loan.is_on_hold else ""
    return _form(request, loan, form, _("Log a contact"), lead, _("Log the contact"))


@page(allow=policies.AGENCY_PEOPLE)
def promise(request: HttpRequest, pk) -> HttpResponse:
    """Log what a borrower promised to pay."""
    loan = _loan(request, pk)
    form = PromiseForm(request.POST or None, currency=loan.currency)
    if request.method == "POST" and form.is_valid():
        try:
            promises.log(
                actor=request.actor,
                loan_id=pk,
                amount_minor=form.cleaned_data["amount"],
                due_on=form.cleaned_data["due_on"],
            )
        except errors.InvalidInput as error:
            forms.form_from_error(form, error, {"amount_minor": "amount"})
        else:
            messages.success(request, _("The promise is logged."))
            return redirect("loan", pk)
    return _form(request, loan, form, _("Log a promise to pay"), "", _("Log the promise"))


def _loan(request: HttpRequest, pk) -> Loan:
    return selectors.find(shown_loans(request.actor), pk=pk)


def _form(request, loan: Loan, form, title, lead, submit) -> HttpResponse:
    url = reverse("loan", args=[loan.pk])
    return forms.render_page(
        request,
        "frontend/contacts/form.html",
        {
            "title": title,
            "lead": lead,
            "breadcrumbs": [(_("Loans"), reverse("loans")), (loan.reference, url)],
            "form": form,
            "submit": submit,
            "cancel_url": url,
        },
    )
