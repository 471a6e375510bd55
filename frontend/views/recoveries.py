"""Recoveries: what was reported and what of it is confirmed, and taking one back."""

import secrets

import django_filters
import django_tables2
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from agencies import policies, selectors
from agencies.selectors import visible_agencies
from config import clock, errors
from frontend import forms, tables, trail
from frontend.access import page
from frontend.templatetags import fairplace
from portfolios.models import Recovery
from portfolios.selectors import (
    recovery_totals,
    shown_recoveries,
    visible_reversals,
)
from portfolios.services import reversals

STATES = (("reported", gettext_lazy("Reported")), ("confirmed", gettext_lazy("Confirmed")))


def state_of(recovery: Recovery) -> str:
    """The word for what became of a recovery."""
    if recovery.reversed_minor == recovery.amount_minor:
        return "reversed"
    if recovery.reversed_minor:
        return "partly_reversed"
    return "confirmed" if recovery.confirmed_at else "reported"


class RecoveryTable(tables.Table):
    caption = gettext_lazy("Recoveries")
    empty_title = gettext_lazy("No recovery yet")
    empty_text = gettext_lazy(
        "Payments appear here when an agency reports them, and count once a receipt confirms them."
    )

    reference = django_tables2.Column(verbose_name=gettext_lazy("Payment"))
    loan = django_tables2.Column(
        verbose_name=gettext_lazy("Loan"), accessor="loan__reference", order_by="loan__reference"
    )
    agency = django_tables2.Column(
        verbose_name=gettext_lazy("Agency"), accessor="agency__name", order_by="agency__name"
    )
    amount_minor = tables.MoneyColumn(verbose_name=gettext_lazy("Amount"))
    value_on = tables.DayColumn(verbose_name=gettext_lazy("Value date"))
    channel = django_tables2.Column(verbose_name=gettext_lazy("Channel"))
    state = django_tables2.Column(
        verbose_name=gettext_lazy("State"), empty_values=(), orderable=False
    )
    logged_at = tables.MomentColumn(verbose_name=gettext_lazy("Reported"))

    def render_reference(self, record):
        return tables.link(reverse("recovery", args=[record.pk]), record.reference)

    def render_loan(self, value, record):
        return format_html('<a href="{}">{}</a>', reverse("loan", args=[record.loan_id]), value)

    def render_channel(self, record):
        return record.get_channel_display()

    def render_state(self, record):
        notes = []
        if record.reversed_minor:
            back = fairplace.money(record.reversed_minor, record.currency)
            notes.append(_("%(amount)s reversed") % {"amount": back})
        if not record.confirmed_at:
            notes.append(self.age(record))
        if record.is_above_balance:
            notes.append(_("above the balance"))
        note = format_html('<span class="cell-note">{}</span>', " · ".join(notes))
        return format_html("{}{}", fairplace.badge(state_of(record)), note if notes else "")

    def age(self, record) -> str:
        """For how long a report has waited for a receipt."""
        if not hasattr(self, "today"):
            self.today = clock.now()
        days = max(0, (self.today - record.logged_at).days)
        return ngettext("waits for %(days)s day", "waits for %(days)s days", days) % {
            "days": fairplace.integer(days)
        }


class RecoveryFilter(tables.FilterSet):
    text = django_filters.CharFilter(
        label=gettext_lazy("Loan or payment reference"), method="named"
    )
    state = django_filters.ChoiceFilter(
        label=gettext_lazy("State"), choices=STATES, method="in_state"
    )
    agency = django_filters.ModelChoiceFilter(
        label=gettext_lazy("Agency"),
        queryset=lambda request: visible_agencies(request.actor).order_by("name"),
    )
    channel = django_filters.ChoiceFilter(
        label=gettext_lazy("Channel"), choices=Recovery.Channel.choices
    )
    is_above_balance = django_filters.ChoiceFilter(
        label=gettext_lazy("Above the balance"),
        choices=(("True", gettext_lazy("Above")), ("False", gettext_lazy("Within"))),
    )
    value_on = django_filters.DateFromToRangeFilter(label=gettext_lazy("Value date"))

    def named(self, queryset, name, value):
        value = value.strip()
        return queryset.filter(
            Q(reference__istartswith=value) | Q(loan__reference__istartswith=value)
        )

    def in_state(self, queryset, name, value):
        return queryset.filter(confirmed_at__isnull=value == "reported")


@page(allow=policies.PEOPLE)
def recovery_list(request: HttpRequest) -> HttpResponse:
    """For the bank everything that was reported, for an agency what it reported on its loans."""
    is_agency = request.actor.kind == "agency"
    rows = shown_recoveries(request.actor)
    found = RecoveryFilter(
        request.GET or None,
        rows.select_related("loan", "agency").order_by("-logged_at", "-pk"),
        request=request,
    )
    if is_agency:
        del found.filters["agency"]
    table = RecoveryTable(
        found.qs,
        request=request,
        time_zone=selectors.time_zone_of(request.actor),
        exclude=("agency",) if is_agency else (),
    )
    return render(
        request,
        "frontend/recoveries/list.html",
        {
            "title": _("Recoveries"),
            "lead": _("What you reported on the loans you hold. It counts once the bank confirms.")
            if is_agency
            else _("What agencies reported. It counts once one of your receipts confirms it."),
            "is_agency": is_agency,
            "totals": recovery_totals(rows),
            "waiting_url": f"{reverse('recoveries')}?state=reported&sort=logged_at",
            "table": table,
            "filterset": found,
        },
    )


class ReversalForm(forms.Form):
    amount = forms.MoneyField(
        currency="USD",
        label=gettext_lazy("Amount to reverse"),
        required=False,
        help_text=gettext_lazy("Leave it empty to reverse all that is left."),
    )
    reason = forms.ReasonField()
    reference = forms.forms.CharField(widget=forms.forms.HiddenInput)

    def __init__(self, data=None, *, recovery: Recovery):
        super().__init__(data, initial={"reference": secrets.token_hex(8)})
        self.fields["amount"].currency = recovery.currency
        left = recovery.amount_minor - recovery.reversed_minor
        self.fields["amount"].help_text = _(
            "At most %(left)s. Leave it empty to reverse all of it."
        ) % {"left": fairplace.money(left, recovery.currency)}


@page(allow=policies.PEOPLE)
def recovery(request: HttpRequest, pk) -> HttpResponse:
    """One recovery: what was reported, confirmed and taken back."""
    found = _found(request, pk)
    actor = request.actor
    may_reverse = policies.allows(actor, reversals.MAY_REVERSE)
    return render(
        request,
        "frontend/recoveries/recovery.html",
        {
            "title": _("Payment %(reference)s") % {"reference": found.reference},
            "state": state_of(found),
            "lead": _next_step(found, actor),
            "breadcrumbs": [(_("Recoveries"), reverse("recoveries"))],
            "recovery": found,
            "is_agency": actor.kind == "agency",
            "left_minor": found.amount_minor - found.reversed_minor,
            "may_reverse": may_reverse and found.reversed_minor < found.amount_minor,
            "reversals": visible_reversals(actor).filter(recovery=found).order_by("logged_at"),
            "time_zone": found.institution.time_zone,
            "entries": trail.timeline(actor, found),
        },
    )


def _found(request: HttpRequest, pk) -> Recovery:
    rows = shown_recoveries(request.actor)
    return selectors.find(rows.select_related("loan", "agency", "institution"), pk=pk)


def _next_step(found: Recovery, actor) -> str:
    if found.reversed_minor == found.amount_minor:
        return _("All of it was reversed: nothing of it counts.")
    if found.confirmed_at:
        return _("Confirmed by a receipt: what is left of it counts.")
    if actor.kind == "agency":
        return _("Waits for the bank's receipt. It counts once that has come.")
    return _("Waits for a receipt. Upload the bank's receipts to confirm it.")


@page(allow=policies.AGENCY_PEOPLE | policies.FINANCE_PREPARERS)
def reverse_recovery(request: HttpRequest, pk) -> HttpResponse:
    """Take one recovery back, in part or whole."""
    found = _found(request, pk)
    form = ReversalForm(request.POST or None, recovery=found)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            reversal = reversals.reverse(
                actor=request.actor,
                recovery_id=pk,
                reversal_reference=given["reference"],
                amount_minor=given["amount"],
                reason=given["reason"],
            )
        except (errors.InvalidInput, errors.InvalidState) as error:
            forms.form_from_error(form, error, {"amount_minor": "amount"})
        else:
            amount = fairplace.money(reversal.amount_minor, found.currency)
            messages.success(request, _("%(amount)s reversed.") % {"amount": amount})
            return redirect("recovery", pk)
    url = reverse("recovery", args=[pk])
    title = _("Payment %(reference)s") % {"reference": found.reference}
    return forms.render_page(
        request,
        "frontend/recoveries/reverse.html",
        {
            "title": _("Reverse a payment"),
            "lead": _(
                "For money that was returned or reported by mistake. A payment is never edited."
            ),
            "breadcrumbs": [(_("Recoveries"), reverse("recoveries")), (title, url)],
            "recovery": found,
            "form": form,
            "cancel_url": url,
        },
    )
