"""Statements: the list, one month of one agency, and what is on none yet."""

import django_filters
import django_tables2
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agencies import policies as roles
from agencies import selectors
from config import clock
from frontend import charts, outcomes, tables, trail
from frontend.access import page
from frontend.templatetags import fairplace
from frontend.views.statement_lines import LineFilter, LineTable, lines_of
from payouts import policies
from payouts.models import Excess, Payout, Statement
from payouts.selectors import (
    line_sums,
    payout_sums,
    shown_statements,
    visible_excesses,
    visible_payouts,
)
from payouts.services import statements

PEOPLE = policies.READERS & roles.PEOPLE
State = Statement.State
BADGES = {State.SUBMITTED: "to_be_approved"}


class StatementTable(tables.Table):
    caption = gettext_lazy("Statements")
    empty_title = gettext_lazy("No statement yet")
    empty_text = gettext_lazy(
        "When a month is over, a finance preparer makes its statements from the commission that "
        "confirmed recoveries earned."
    )

    starts_on = django_tables2.Column(verbose_name=gettext_lazy("Month"))
    agency = django_tables2.Column(
        verbose_name=gettext_lazy("Agency"), accessor="agency__name", order_by="agency__name"
    )
    institution = django_tables2.Column(
        verbose_name=gettext_lazy("Bank"),
        accessor="institution__name",
        order_by="institution__name",
    )
    state = django_tables2.Column(verbose_name=gettext_lazy("State"))
    payment = django_tables2.Column(verbose_name=gettext_lazy("Payment"))
    line_count = tables.IntegerColumn(verbose_name=gettext_lazy("Lines"))
    total_minor = tables.MoneyColumn(verbose_name=gettext_lazy("Total"))

    def render_starts_on(self, record):
        return tables.link(
            reverse("statement", args=[record.pk]), fairplace.month(record.starts_on)
        )

    def render_state(self, record):
        return fairplace.badge(BADGES.get(record.state, record.state))

    def render_payment(self, value):
        return fairplace.badge(outcomes.payment(value))


class StatementFilter(tables.FilterSet):
    state = django_filters.ChoiceFilter(label=gettext_lazy("State"), choices=State.choices)
    payment = django_filters.ChoiceFilter(
        label=gettext_lazy("Payment"), choices=Payout.State.choices, field_name="payout__state"
    )
    month = django_filters.ChoiceFilter(label=gettext_lazy("Month"), field_name="starts_on")
    agency = django_filters.ChoiceFilter(label=gettext_lazy("Agency"))
    institution = django_filters.ChoiceFilter(label=gettext_lazy("Bank"))
    currency = django_filters.ChoiceFilter(label=gettext_lazy("Currency"))

    def __init__(self, data, queryset, *, of_bank: bool):
        super().__init__(data, queryset)
        plain = queryset.order_by()
        months = plain.values_list("starts_on", flat=True).distinct().order_by("-starts_on")
        side = "agency" if of_bank else "institution"
        sides = plain.values_list(side, f"{side}__name").distinct().order_by(f"{side}__name")
        currencies = plain.values_list("currency", flat=True).distinct().order_by("currency")
        self.filters["month"].extra["choices"] = [
            (month.isoformat(), fairplace.month(month)) for month in months
        ]
        self.filters[side].extra["choices"] = list(sides)
        self.filters["currency"].extra["choices"] = [(code, code) for code in currencies]
        # What has one value only is nothing to filter by.
        narrows = {side: len(sides) > 1, "currency": len(currencies) > 1, "state": of_bank}
        for name in ("state", "agency", "institution", "currency"):
            if not narrows.get(name):
                del self.filters[name]


@page(allow=PEOPLE)
def statement_list(request: HttpRequest) -> HttpResponse:
    """Every month of every agency, or what an agency earned so far."""
    of_bank = request.actor.kind == "institution"
    rows = shown_statements(request.actor).order_by("-starts_on", "agency__name", "currency")
    found = StatementFilter(request.GET or None, rows, of_bank=of_bank)
    table = StatementTable(
        found.qs,
        request=request,
        time_zone=selectors.time_zone_of(request.actor),
        exclude=("institution",) if of_bank else ("agency", "state"),
    )
    lead = _("What each agency earned in a month: one person prepares, another approves and pays.")
    if not of_bank:
        table.empty_text = _(
            "A statement appears here once a bank has approved it. Commission comes from "
            "recoveries that the bank confirmed."
        )
        lead = _("What you earned, month by month. It stays here when loans are recalled.")
    context = {
        "title": _("Statements"),
        "lead": lead,
        "of_bank": of_bank,
        "table": table,
        "filterset": found,
        "tabs": tabs(request) if of_bank else [],
        "sums": [] if of_bank else payout_sums(request.actor),
        "may_prepare": roles.allows(request.actor, roles.FINANCE_PREPARERS),
    }
    return render(request, "frontend/statements/list.html", context)


def tabs(request: HttpRequest) -> list[dict]:
    """The parts of the bank's pages about commission."""
    waiting = visible_excesses(request.actor).filter(state=Excess.State.OPEN).count()
    parts = (
        (_("Statements"), "statements", None),
        (_("Carried forward"), "carried_forward", None),
        (_("Above the balance"), "excesses", waiting or None),
    )
    return [
        {"label": label, "url": reverse(name), "current": request.path == reverse(name), "count": n}
        for label, name, n in parts
    ]


@page(allow=PEOPLE)
def statement(request: HttpRequest, pk) -> HttpResponse:
    """One statement: its total, where it comes from, and what happens to it next."""
    actor = request.actor
    found = selectors.find(shown_statements(actor), pk=pk)
    of_bank = actor.kind == "institution"
    payout = visible_payouts(actor).filter(statement=found).first()
    filterset = LineFilter(request.GET or None, lines_of(actor, found))
    sums = line_sums(actor, found)
    context = {
        "title": _("%(month)s · %(whose)s")
        % {
            "month": fairplace.month(found.starts_on),
            "whose": found.agency.name if of_bank else found.institution.name,
        },
        "state": BADGES.get(found.state, found.state),
        "lead": _next_step(request, found, payout),
        "breadcrumbs": [(_("Statements"), reverse("statements"))],
        "statement": found,
        "payout": payout,
        "payment": outcomes.payment(payout.state) if payout else "",
        "sums": sums,
        "chart": _chart(found, sums),
        "table": LineTable(filterset.qs, request=request),
        "filterset": filterset,
        "of_bank": of_bank,
        "steps": _steps(request, found),
        "signed_by": _signed_by(found) if of_bank else [],
        "time_zone": found.institution.time_zone,
        "entries": trail.timeline(actor, found, *([payout] if payout else [])),
    }
    return render(request, "frontend/statements/statement.html", context)


def _chart(found: Statement, sums: dict[str, int]) -> dict:
    words = {
        "total": fairplace.money(found.total_minor, found.currency),
        "accrued": fairplace.money(sums["accrual"], found.currency),
        "back": fairplace.money(sums["clawback"], found.currency),
    }
    title = _("Nothing was taken back of the %(accrued)s earned") % words
    if sums["clawback"]:
        title = _("%(total)s is left of %(accrued)s after %(back)s was taken back") % words
    return charts.waterfall(
        [(_("Earned"), sums["accrual"]), (_("Taken back"), -sums["clawback"])],
        total=_("Total"),
        currency=found.currency,
        title=title,
        description=_("Commission on confirmed recoveries, less that on money that was reversed."),
    )


def signers(found: Statement) -> tuple:
    """Identifiers of those who prepared and submitted it, and may not approve it."""
    return (found.prepared_by_id, found.submitted_by_id)


def _steps(request: HttpRequest, found: Statement) -> list[str]:
    """Which forms this person finds on the page: submit, discard, approve, send_back."""
    actor = request.actor
    if found.state == State.DRAFT and roles.allows(actor, roles.FINANCE_PREPARERS):
        return ["submit", "discard"]
    if found.state == State.SUBMITTED and roles.allows(actor, roles.FINANCE_APPROVERS):
        return ["send_back"] if actor.user_id in signers(found) else ["approve", "send_back"]
    return []


def _next_step(request: HttpRequest, found: Statement, payout: Payout | None) -> str:
    actor = request.actor
    if found.state == State.DRAFT:
        if roles.allows(actor, roles.FINANCE_PREPARERS):
            return _("A draft. Look through the lines, then submit it for approval.")
        return _("A draft: a finance preparer has to submit it before it can be approved.")
    if found.state == State.SUBMITTED:
        if actor.user_id in signers(found):
            return _("You prepared or submitted it, so another person has to approve it.")
        if roles.allows(actor, roles.FINANCE_APPROVERS):
            return _("Waits for you or another approver. What you approve is paid.")
        return _("Waits for a finance approver.")
    if payout is None:
        return ""
    return {
        Payout.State.APPROVED: _("Approved; the payment goes out with the next run."),
        Payout.State.SENDING: _("Approved; the payment is being sent."),
        Payout.State.FAILED: _("Approved, but the payment failed. The bank has to send it again."),
        Payout.State.PAID: _("Approved and paid."),
    }[payout.state]


def _signed_by(found: Statement) -> list[tuple]:
    zone = found.institution.time_zone
    rows = (
        (_("Prepared by"), found.prepared_by, found.prepared_at),
        (_("Submitted by"), found.submitted_by, found.submitted_at),
        (_("Approved by"), found.approved_by, found.approved_at),
    )
    return [
        (
            label,
            format_html(
                '{}<span class="cell-note">{}</span>', person.name, fairplace.zoned(moment, zone)
            )
            if person
            else None,
        )
        for label, person, moment in rows
    ]


class CarriedTable(tables.Table):
    caption = gettext_lazy("What no statement holds yet")
    empty_title = gettext_lazy("Everything is on a statement")
    empty_text = gettext_lazy("Commission that confirmed recoveries earn from now on appears here.")

    agency = django_tables2.Column(
        verbose_name=gettext_lazy("Agency"), accessor="agency__name", orderable=False
    )
    currency = django_tables2.Column(verbose_name=gettext_lazy("Currency"), orderable=False)
    entries = tables.IntegerColumn(verbose_name=gettext_lazy("Entries"), orderable=False)
    total = tables.MoneyColumn(verbose_name=gettext_lazy("Total so far"), orderable=False)
    note = django_tables2.Column(
        verbose_name=gettext_lazy("What becomes of it"), orderable=False, empty_values=()
    )

    def render_note(self, record):
        if record["total"] > 0:
            return _("Goes on the next statement.")
        return _("Carried forward until it is above zero.")


@page(allow=policies.BANK_READERS)
def carried_forward(request: HttpRequest) -> HttpResponse:
    """Commission on no statement: this month's, and what came to nothing or less."""
    rows = statements.carried_forward(request.actor, clock.now())
    context = {
        "title": _("Statements"),
        "lead": _("Commission earned or taken back that is on no statement yet."),
        "tabs": tabs(request),
        "table": CarriedTable(rows, request=request),
    }
    return render(request, "frontend/statements/list.html", context)
