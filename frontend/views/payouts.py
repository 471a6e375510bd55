"""Payouts: what is on its way, and one payment with every try and what Stripe said."""

import django_filters
import django_tables2
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_htmx.http import HttpResponseClientRefresh

from agencies import policies as roles
from agencies import selectors
from agencies.models import PanelMembership
from config import errors
from frontend import forms, outcomes, tables, trail
from frontend.access import page
from frontend.templatetags import fairplace, states
from payouts import policies
from payouts.models import Payout, PayoutAccount, PayoutAttempt
from payouts.selectors import (
    memberships_with_account,
    payout_sums,
    shown_payouts,
    visible_payout_attempts,
)
from payouts.services import payouts

PEOPLE = policies.READERS & roles.PEOPLE
State = Payout.State
PROGRESS = {State.APPROVED: 1, State.SENDING: 2, State.FAILED: 2, State.PAID: 3}
STEPS = 3
MOVING = (State.APPROVED, State.SENDING)


class PayoutTable(tables.Table):
    caption = gettext_lazy("Payouts")
    empty_title = gettext_lazy("No payout yet")
    empty_text = gettext_lazy("A payout begins when a finance approver signs a statement.")

    starts_on = django_tables2.Column(
        verbose_name=gettext_lazy("Statement"), accessor="statement__starts_on"
    )
    agency = django_tables2.Column(
        verbose_name=gettext_lazy("Agency"), accessor="agency__name", order_by="agency__name"
    )
    institution = django_tables2.Column(
        verbose_name=gettext_lazy("Bank"),
        accessor="institution__name",
        order_by="institution__name",
    )
    state = django_tables2.Column(verbose_name=gettext_lazy("State"))
    approved_at = tables.MomentColumn(verbose_name=gettext_lazy("Approved"))
    paid_at = tables.MomentColumn(verbose_name=gettext_lazy("Paid"))
    amount_minor = tables.MoneyColumn(verbose_name=gettext_lazy("Amount"))

    def render_starts_on(self, value, record):
        return tables.link(reverse("payout", args=[record.pk]), fairplace.month(value))

    def render_state(self, record):
        return state_badge(record)


def state_badge(payout: Payout) -> str:
    """The state, and in a note what it waits for."""
    shown = fairplace.badge(outcomes.payment(payout.state))
    if payout.state == State.APPROVED and payout.account != PayoutAccount.State.ACTIVE:
        note = _("waits for the agency's account")
        return format_html('{}<span class="cell-note">{}</span>', shown, note)
    return shown


class PayoutFilter(tables.FilterSet):
    state = django_filters.ChoiceFilter(label=gettext_lazy("State"), choices=State.choices)
    agency = django_filters.ChoiceFilter(label=gettext_lazy("Agency"))
    institution = django_filters.ChoiceFilter(label=gettext_lazy("Bank"))
    paid_at = django_filters.DateFromToRangeFilter(label=gettext_lazy("Paid"))

    def __init__(self, data, queryset, *, of_bank: bool):
        super().__init__(data, queryset)
        side = "agency" if of_bank else "institution"
        sides = queryset.order_by().values_list(side, f"{side}__name").distinct()
        self.filters[side].extra["choices"] = list(sides.order_by(f"{side}__name"))
        del self.filters["institution" if of_bank else "agency"]
        if not of_bank and len(self.filters[side].extra["choices"]) < 2:
            del self.filters[side]


@page(allow=PEOPLE)
def payout_list(request: HttpRequest) -> HttpResponse:
    """Every payment of the bank, or to the agency."""
    of_bank = request.actor.kind == "institution"
    rows = shown_payouts(request.actor).order_by("-approved_at", "-pk")
    found = PayoutFilter(request.GET or None, rows, of_bank=of_bank)
    lead = _("Money on its way to you, and what has been paid.")
    if of_bank:
        lead = _("Each approved statement is paid by one transfer, however often it is tried.")
    context = {
        "title": _("Payouts"),
        "lead": lead,
        "of_bank": of_bank,
        "tabs": tabs(request) if of_bank else [],
        "sums": payout_sums(request.actor),
        "accounts": [] if of_bank else _where_paid(request),
        "filterset": found,
        "table": PayoutTable(
            found.qs,
            request=request,
            time_zone=selectors.time_zone_of(request.actor),
            exclude=("institution",) if of_bank else ("agency",),
        ),
    }
    return render(request, "frontend/payouts/list.html", context)


def _where_paid(request: HttpRequest) -> list[tuple]:
    """The agency's account with each bank that it works for, in words."""
    members = memberships_with_account(request.actor).select_related("institution")
    approved = members.filter(state=PanelMembership.State.APPROVED).order_by("institution__name")
    return [
        (member.institution.name, fairplace.badge(member.account or "not_asked_for"))
        for member in approved
    ]


def tabs(request: HttpRequest) -> list[dict]:
    """The parts of the bank's pages about payments."""
    parts = ((_("Payouts"), "payouts"), (_("Agencies' accounts"), "payout_accounts"))
    return [
        {"label": label, "url": reverse(name), "current": request.path == reverse(name)}
        for label, name in parts
    ]


class AttemptTable(tables.Table):
    caption = gettext_lazy("Attempts")
    empty_title = gettext_lazy("Not tried yet")
    empty_text = gettext_lazy("The next run sends it, as soon as the agency's account is active.")

    number = tables.IntegerColumn(verbose_name=gettext_lazy("Attempt"))
    state = tables.StateColumn(verbose_name=gettext_lazy("State"))
    prepared_at = tables.MomentColumn(verbose_name=gettext_lazy("Begun"))
    outcome_code = django_tables2.Column(
        verbose_name=gettext_lazy("What Stripe said"), empty_values=()
    )
    idempotency_key = django_tables2.Column(verbose_name=gettext_lazy("Key and account"))

    def render_outcome_code(self, record):
        if record.state == PayoutAttempt.State.SUCCEEDED:
            return _("The transfer was made.")
        if not record.outcome_code:
            return _("Nothing yet.")
        happened, advice = outcomes.said(record.outcome_code)
        return format_html('{}<span class="cell-note">{}</span>', happened, advice)

    def render_idempotency_key(self, record):
        return format_html(
            '{}<span class="cell-note">{}</span>',
            record.idempotency_key,
            record.destination,
        )


@page(allow=PEOPLE)
def payout(request: HttpRequest, pk) -> HttpResponse:
    """One payment: how far it is, every try, and what to do if it failed."""
    found = selectors.find(shown_payouts(request.actor), pk=pk)
    if request.htmx and found.state not in MOVING:
        # The page asks while the payment moves; once it has arrived all of the page is new.
        return HttpResponseClientRefresh()
    return _show(request, found)


class RetryForm(forms.Form):
    reason = forms.ReasonField(
        help_text=gettext_lazy("Say what was put right. It stays in the audit trail.")
    )


@page(allow=roles.FINANCE_APPROVERS)
def retry(request: HttpRequest, pk) -> HttpResponse:
    """Have a failed payment sent again under a new key."""
    found = selectors.find(shown_payouts(request.actor), pk=pk)
    form = RetryForm(forms.sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            payouts.retry(actor=request.actor, payout_id=pk, **form.cleaned_data)
        except errors.InvalidInput as error:
            forms.form_from_error(form, error)
        except errors.InvalidState as error:
            messages.error(request, error.message)
            return redirect("payout", pk)
        else:
            messages.success(request, _("It is sent again with the next run."))
            return redirect("payout", pk)
    return _show(request, found, form)


def _show(request: HttpRequest, found: Payout, form: RetryForm | None = None) -> HttpResponse:
    actor = request.actor
    of_bank = actor.kind == "institution"
    may_retry = found.state == State.FAILED and roles.allows(actor, roles.FINANCE_APPROVERS)
    zone = found.institution.time_zone
    attempts = visible_payout_attempts(actor).filter(payout=found).order_by("-number")
    happened, advice = outcomes.said(found.failure_code)
    lacks_account = found.state == State.APPROVED and found.account != PayoutAccount.State.ACTIVE
    words = {
        "amount": fairplace.money(found.amount_minor, found.currency),
        "whose": found.agency.name if of_bank else found.institution.name,
    }
    context = {
        "title": (_("%(amount)s to %(whose)s") if of_bank else _("%(amount)s from %(whose)s"))
        % words,
        "state": outcomes.payment(found.state),
        "state_words": states.words(outcomes.payment(found.state))[0],
        "lead": _next_step(found, of_bank, lacks_account),
        "breadcrumbs": [(_("Payouts"), reverse("payouts"))],
        "payout": found,
        "of_bank": of_bank,
        "step": PROGRESS[found.state],
        "steps": STEPS,
        "is_moving": found.state in MOVING,
        "lacks_account": lacks_account,
        "happened": happened,
        "advice": advice,
        "form": (form or RetryForm()) if may_retry else None,
        "facts": _facts(found, of_bank, zone),
        "table": AttemptTable(attempts, request=request, time_zone=zone) if of_bank else None,
        "time_zone": zone,
        "entries": trail.timeline(actor, found, found.statement),
    }
    return forms.render_page(request, "frontend/payouts/payout.html", context)


def _next_step(found: Payout, of_bank: bool, lacks_account: bool) -> str:
    if lacks_account:
        if of_bank:
            return _("It waits until the agency has an active payout account.")
        return _("It waits until your payout account at Stripe is active.")
    if found.state == State.FAILED:
        if of_bank:
            return _("No money moved. Once the cause is dealt with, an approver has it sent again.")
        return _("It could not be sent. The bank knows and has to send it again.")
    return {
        State.APPROVED: _("It goes out with the next run; this page shows when."),
        State.SENDING: _("It is being sent; this page shows when it has arrived."),
        State.PAID: _("Paid."),
    }[found.state]


def _facts(found: Payout, of_bank: bool, zone: str) -> list[tuple]:
    statement = format_html(
        '<a href="{}">{}</a>',
        reverse("statement", args=[found.statement_id]),
        fairplace.month(found.statement.starts_on),
    )
    facts = [
        (_("Amount"), fairplace.money(found.amount_minor, found.currency)),
        (_("Statement"), statement),
        (_("Approved"), fairplace.zoned(found.approved_at, zone)),
        (_("Paid"), fairplace.zoned(found.paid_at, zone)),
        (_("Transfer at Stripe"), found.remote_id or None),
    ]
    if of_bank:
        facts.append((_("Group at Stripe"), payouts.transfer_group(found.pk)))
    if found.reversed_minor:
        facts.append((_("Sent back"), fairplace.money(found.reversed_minor, found.currency)))
    return facts
