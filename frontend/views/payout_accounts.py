"""Payout accounts: where each agency of the panel is paid, and asking for one."""

import django_filters
import django_tables2
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agencies import policies as roles
from agencies import selectors
from agencies.models import PanelMembership
from config import errors
from frontend import forms, outcomes, tables
from frontend.access import page
from frontend.templatetags import fairplace
from frontend.views import payouts as payout_pages
from payouts import policies
from payouts.models import PayoutAccount
from payouts.selectors import memberships_with_account
from payouts.services import accounts

State = PayoutAccount.State


class AccountTable(tables.Table):
    caption = gettext_lazy("Payout accounts")
    empty_title = gettext_lazy("No agency on the panel yet")
    empty_text = gettext_lazy("Once an agency is approved, ask for the account it is paid to.")

    agency = django_tables2.Column(
        verbose_name=gettext_lazy("Agency"), accessor="agency__name", order_by="agency__name"
    )
    panel = tables.StateColumn(verbose_name=gettext_lazy("On the panel"), accessor="state")
    account = django_tables2.Column(verbose_name=gettext_lazy("Account"), empty_values=())
    remote_id = django_tables2.Column(verbose_name=gettext_lazy("At Stripe"))
    requested_at = tables.MomentColumn(verbose_name=gettext_lazy("Asked for"))
    action = django_tables2.Column(
        verbose_name=gettext_lazy("What to do"), empty_values=(), orderable=False
    )

    def __init__(self, *args, may_ask: bool, **kwargs):
        super().__init__(*args, **kwargs)
        self.may_ask = may_ask

    def render_account(self, record):
        shown = fairplace.badge(record.account or "not_asked_for")
        if record.account != State.REFUSED:
            return shown
        happened, _advice = outcomes.said(record.refusal_code)
        return format_html('{}<span class="cell-note">{}</span>', shown, happened)

    def render_action(self, record):
        if record.account == State.REQUESTED:
            return _("Nothing: Stripe opens it.")
        if record.account == State.ACTIVE:
            return _("Nothing: it can be paid.")
        if record.state != PanelMembership.State.APPROVED:
            return _("Nothing: only approved agencies are paid.")
        if not self.may_ask:
            return _("A finance preparer asks for one.")
        words = _("Ask again") if record.account else _("Ask for an account")
        url = reverse("payout_account_request", args=[record.pk])
        return format_html('<a class="btn btn-sm btn-quiet" href="{}">{}</a>', url, words)


class AccountFilter(tables.FilterSet):
    agency = django_filters.CharFilter(
        label=gettext_lazy("Agency"), field_name="agency__name", lookup_expr="icontains"
    )
    account = django_filters.ChoiceFilter(
        label=gettext_lazy("Account"),
        choices=[("none", gettext_lazy("None yet")), *State.choices],
        method="in_state",
    )

    def in_state(self, queryset, name, value):
        return queryset.filter(account=None if value == "none" else value)


@page(allow=policies.BANK_READERS)
def account_list(request: HttpRequest) -> HttpResponse:
    """Every agency of the panel, and where it is paid."""
    rows = memberships_with_account(request.actor).order_by("agency__name")
    found = AccountFilter(request.GET or None, rows)
    context = {
        "title": _("Payouts"),
        "lead": _("A payment waits until the agency has an active account at Stripe."),
        "tabs": payout_pages.tabs(request),
        "filterset": found,
        "table": AccountTable(
            found.qs,
            request=request,
            time_zone=selectors.time_zone_of(request.actor),
            may_ask=roles.allows(request.actor, roles.FINANCE_PREPARERS),
        ),
    }
    return render(request, "frontend/payouts/list.html", context)


@page(allow=roles.FINANCE_PREPARERS)
def ask(request: HttpRequest, pk) -> HttpResponse:
    """Ask for the account of one panel membership."""
    member = selectors.find(memberships_with_account(request.actor), pk=pk)
    form = forms.Form(forms.sent(request))
    if request.method == "POST":
        try:
            accounts.request(actor=request.actor, membership_id=pk)
        except errors.InvalidState as error:
            messages.error(request, error.message)
        else:
            done = _("The account of %(agency)s is being opened.") % {"agency": member.agency.name}
            messages.success(request, done)
        return redirect("payout_accounts")
    context = {
        "title": _("Ask for a payout account"),
        "lead": member.agency.name,
        "breadcrumbs": [
            (_("Payouts"), reverse("payouts")),
            (_("Agencies' accounts"), reverse("payout_accounts")),
        ],
        "form": form,
        "submit": _("Ask for the account"),
        "note": _(
            "Within a minute Stripe is asked to open an account for this agency, with its name, "
            "country and contact address. Approved payouts that wait for it go out once it is "
            "active. Nothing is paid by this."
        ),
        "back": reverse("payout_accounts"),
        "tone": "primary",
    }
    return render(request, "frontend/statements/step.html", context)
