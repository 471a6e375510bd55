"""Money above the balance: it earns commission only if an approver says so."""

import django_filters
import django_tables2
from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agencies import policies as roles
from agencies import selectors
from config import errors
from frontend import forms, tables, trail
from frontend.access import page
from frontend.templatetags import fairplace
from frontend.views import statements as statement_pages
from payouts import commission, policies
from payouts.models import Excess
from payouts.selectors import shown_excesses
from payouts.services import commissions

State = Excess.State
BADGES = {State.OPEN: "to_be_decided", State.ACCEPTED: "counts"}


class ExcessTable(tables.Table):
    caption = gettext_lazy("Money above the balance")
    empty_title = gettext_lazy("Nothing above a balance")
    empty_text = gettext_lazy(
        "When a confirmed payment brings more than was owed, you decide here whether it counts."
    )

    reference = django_tables2.Column(
        verbose_name=gettext_lazy("Payment"), accessor="recovery__reference"
    )
    agency = django_tables2.Column(
        verbose_name=gettext_lazy("Agency"), accessor="recovery__agency__name"
    )
    state = django_tables2.Column(verbose_name=gettext_lazy("State"))
    found_at = tables.MomentColumn(verbose_name=gettext_lazy("Found"))
    paid = tables.MoneyColumn(
        verbose_name=gettext_lazy("Paid in all"), accessor="recovery__amount_minor"
    )
    amount_minor = tables.MoneyColumn(verbose_name=gettext_lazy("Above the balance"))

    def render_reference(self, value, record):
        note = _("Loan %(reference)s") % {"reference": record.recovery.loan.reference}
        return tables.link(reverse("excess", args=[record.pk]), value, note)

    def render_state(self, value, record):
        return fairplace.badge(BADGES.get(record.state, record.state))


class ExcessFilter(tables.FilterSet):
    state = django_filters.ChoiceFilter(label=gettext_lazy("State"), choices=State.choices)
    reference = django_filters.CharFilter(
        label=gettext_lazy("Payment reference"),
        field_name="recovery__reference",
        lookup_expr="icontains",
    )


@page(allow=policies.BANK_READERS)
def excess_list(request: HttpRequest) -> HttpResponse:
    """What came in above what was owed, and what was decided."""
    rows = shown_excesses(request.actor).order_by("-found_at", "-pk")
    found = ExcessFilter(request.GET or None, rows)
    context = {
        "title": _("Statements"),
        "lead": _("Money above the balance earns no commission until an approver says it counts."),
        "tabs": statement_pages.tabs(request),
        "filterset": found,
        "table": ExcessTable(
            found.qs, request=request, time_zone=selectors.time_zone_of(request.actor)
        ),
    }
    return render(request, "frontend/statements/list.html", context)


class DecideForm(forms.Form):
    accept = django_forms.TypedChoiceField(
        label=gettext_lazy("Does it count?"),
        choices=[
            ("yes", gettext_lazy("It counts: the agency earns its rate on it")),
            ("no", gettext_lazy("It does not count: no commission on it")),
        ],
        coerce=lambda value: value == "yes",
        widget=django_forms.RadioSelect,
    )
    reason = forms.ReasonField(
        help_text=gettext_lazy("Your colleagues read it, and it stays in the audit trail.")
    )


@page(allow=policies.BANK_READERS)
def excess(request: HttpRequest, pk) -> HttpResponse:
    """One payment above the balance; for an approver, the decision."""
    found = selectors.find(shown_excesses(request.actor), pk=pk)
    may_decide = found.state == State.OPEN and roles.allows(request.actor, roles.FINANCE_APPROVERS)
    if request.method == "POST":
        roles.demand(request.actor, roles.FINANCE_APPROVERS)
    form = DecideForm(forms.sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            decided = commissions.decide_excess(
                actor=request.actor, excess_id=pk, **form.cleaned_data
            )
        except errors.InvalidInput as error:
            forms.form_from_error(form, error)
        except errors.InvalidState as error:
            messages.error(request, error.message)
            return redirect("excess", pk)
        else:
            messages.success(request, _done(decided))
            return redirect("excesses")
    zone = selectors.time_zone_of(request.actor)
    context = {
        "title": _("%(amount)s above the balance")
        % {"amount": fairplace.money(found.amount_minor, found.currency)},
        "state": BADGES.get(found.state, found.state),
        "lead": _next_step(found, may_decide),
        "breadcrumbs": [
            (_("Statements"), reverse("statements")),
            (_("Above the balance"), reverse("excesses")),
        ],
        "facts": _facts(found, zone),
        "form": form if may_decide else None,
        "excess": found,
        "time_zone": zone,
        "entries": trail.timeline(request.actor, found, found.recovery),
    }
    return forms.render_page(request, "frontend/excesses/excess.html", context)


def _done(decided: Excess) -> str:
    if decided.state == State.ACCEPTED:
        return _("It counts: the commission on it goes on the next statement.")
    return _("It does not count: no commission on it.")


def _next_step(found: Excess, may_decide: bool) -> str:
    if found.state != State.OPEN:
        return _("Decided.")
    if may_decide:
        return _("Decide whether this part of the payment earns commission.")
    return _("Waits for a finance approver.")


def _facts(found: Excess, zone: str) -> list[tuple]:
    recovery = found.recovery
    rate_ppm = recovery.placement.rate_ppm
    earns_minor = commission.accrued(found.amount_minor, rate_ppm)
    facts = [
        (_("Payment"), recovery.reference),
        (_("Loan"), recovery.loan.reference),
        (_("Agency"), recovery.agency.name),
        (_("Paid in all"), fairplace.money(recovery.amount_minor, found.currency)),
        (_("Above the balance"), fairplace.money(found.amount_minor, found.currency)),
        (_("Rate of the placement"), fairplace.rate(rate_ppm)),
        (_("Would earn about"), fairplace.money(earns_minor, found.currency)),
        (_("Found"), fairplace.zoned(found.found_at, zone)),
    ]
    if found.state != State.OPEN:
        facts.append((_("Decided"), fairplace.zoned(found.decided_at, zone)))
        facts.append((_("Reason"), found.decision_reason))
    return facts
