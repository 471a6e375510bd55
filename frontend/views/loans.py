"""Loans: the list, and one loan with its masked borrower."""

import datetime
from zoneinfo import ZoneInfo

import django_filters
import django_tables2
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agencies import policies, selectors
from config import clock, errors
from frontend import forms, tables, trail
from frontend.access import page
from frontend.templatetags import fairplace
from portfolios import masks
from portfolios.models import Loan
from portfolios.selectors import (
    loan_order,
    shown_contacts,
    shown_loans,
    shown_promises,
    shown_recoveries,
    visible_borrowers,
    visible_holds,
    visible_placements,
    visible_portfolios,
    visible_spells,
)
from portfolios.services import borrowers, eligibility, holds, loans

EVENTS_SHOWN = 20
PERSONAL = {
    "name": gettext_lazy("Name"),
    "phone": gettext_lazy("Phone"),
    "email": gettext_lazy("E-mail"),
    "address": gettext_lazy("Address"),
    "national_id": gettext_lazy("National identifier"),
}


class LoanTable(tables.Table):
    caption = gettext_lazy("Loans")
    empty_title = gettext_lazy("No loans")
    empty_text = gettext_lazy("Loans come with an import, and to agencies with a placement.")

    reference = django_tables2.Column(verbose_name=gettext_lazy("Reference"))
    holder = django_tables2.Column(
        verbose_name=gettext_lazy("Held by"), accessor="agency__name", default="–"
    )
    state = tables.StateColumn(verbose_name=gettext_lazy("State"), orderable=False, empty_values=())
    balance_minor = tables.MoneyColumn(verbose_name=gettext_lazy("Balance"))
    days_past_due = tables.IntegerColumn(verbose_name=gettext_lazy("Days past due"))
    region = django_tables2.Column(verbose_name=gettext_lazy("Region"))
    grade = django_tables2.Column(verbose_name=gettext_lazy("Grade"))

    def render_reference(self, record):
        return tables.link(reverse("loan", args=[record.pk]), record.reference)

    def render_state(self, record):
        if not hasattr(self, "rendered_at"):
            self.rendered_at = clock.now()
        return fairplace.badge(state_of(record, self.rendered_at))


class OwnLoanTable(LoanTable):
    """For the agency: in which of its placements."""

    holder = django_tables2.Column(
        verbose_name=gettext_lazy("Placement"), accessor="placement__title"
    )


def state_of(loan: Loan, moment: datetime.datetime) -> str:
    """The word that says what may be done with a loan.

    That a loan is held out is the bank's to know; agencies see placed loans alone.
    """
    if loan.is_on_hold:
        return "on_hold"
    if loan.placement_id:
        return "placed"
    return "held_out" if eligibility.is_held_out(loan, moment) else "unplaced"


class LoanFilter(tables.FilterSet):
    reference = django_filters.CharFilter(
        label=gettext_lazy("Reference"), lookup_expr="istartswith"
    )
    portfolio = django_filters.ModelChoiceFilter(
        label=gettext_lazy("Portfolio"),
        queryset=lambda request: visible_portfolios(request.actor).order_by("name"),
    )
    placement = django_filters.ModelChoiceFilter(
        label=gettext_lazy("Placement"),
        queryset=lambda request: visible_placements(request.actor).order_by("title"),
    )
    region = django_filters.CharFilter(label=gettext_lazy("Region"), lookup_expr="iexact")
    grade = django_filters.CharFilter(label=gettext_lazy("Grade"), lookup_expr="iexact")
    is_on_hold = django_filters.ChoiceFilter(
        label=gettext_lazy("On hold"),
        choices=(("True", gettext_lazy("On hold")), ("False", gettext_lazy("Not on hold"))),
    )


@page(allow=policies.PEOPLE)
def loan_list(request: HttpRequest) -> HttpResponse:
    """For the bank all its loans, for an agency those that it holds now."""
    is_agency = request.actor.kind == "agency"
    # An agency's newest first: of millions, found without looking at other people's.
    along = [f"-{column}" for column in loan_order(request.actor)]
    order = [*along, "-pk"] if is_agency else ["reference"]
    found = LoanFilter(
        request.GET or None, shown_loans(request.actor).order_by(*order), request=request
    )
    if is_agency:
        del found.filters["portfolio"]
    kind = OwnLoanTable if is_agency else LoanTable
    return render(
        request,
        "frontend/loans/list.html",
        {
            "title": _("My loans") if is_agency else _("Loans"),
            "lead": _("Everything that is placed with you now. Borrowers' details are masked.")
            if is_agency
            else _("Every loan of the bank. Borrowers' details are masked."),
            "table": kind(found.qs, request=request),
            "filterset": found,
            "may_look_up": policies.allows(request.actor, borrowers.MAY_LOOK_UP),
        },
    )


@page(allow=policies.PEOPLE)
def loan(request: HttpRequest, pk) -> HttpResponse:
    """One loan: what is owed, by whom as far as may be seen, and what happened to it."""
    return _show(request, found_loan(request, pk))


def found_loan(request: HttpRequest, pk) -> Loan:
    """The loan, if this actor sees it."""
    return selectors.find(shown_loans(request.actor), pk=pk)


def _show(request: HttpRequest, found: Loan, *, revealed=None, status=200) -> HttpResponse:
    actor = request.actor
    is_agency = actor.kind == "agency"
    contacts = _latest(shown_contacts(actor), found, "-happened_at")
    promises = _latest(shown_promises(actor), found, "-due_on")
    recoveries = _latest(shown_recoveries(actor), found, "-value_on")
    moment = clock.now()
    return render(
        request,
        "frontend/loans/loan.html",
        {
            "title": found.reference,
            "state": state_of(found, moment),
            "lead": _lead(found, is_agency),
            "breadcrumbs": [(_("Loans"), reverse("loans"))],
            "loan": found,
            "is_agency": is_agency,
            "facts": _facts(found, is_agency),
            "held_out_until": _held_out_until(found)
            if not is_agency and eligibility.is_held_out(found, moment)
            else "",
            "personal": _personal(actor, found, revealed or {}),
            "may_reveal": policies.allows(actor, loans.MAY_REVEAL),
            "may_hold": policies.allows(actor, holds.MAY_HOLD),
            "may_recall": policies.allows(actor, policies.VENDOR_MANAGERS),
            "holds": visible_holds(actor).filter(loan=found).order_by("-opened_at"),
            "spell": visible_spells(actor).filter(loan=found, closed_at=None).first(),
            "contacts": contacts,
            "promises": promises,
            "recoveries": recoveries,
            "time_zone": found.institution.time_zone,
            "entries": trail.timeline(actor, found, *contacts, *promises, *recoveries),
        },
        status=status,
    )


def _latest(events, found: Loan, order: str):
    return events.filter(loan=found).order_by(order)[:EVENTS_SHOWN]


def _lead(found: Loan, is_agency: bool) -> str:
    owed = fairplace.money(found.balance_minor, found.currency)
    if is_agency:
        return _("%(owed)s owed to %(bank)s") % {"owed": owed, "bank": found.institution.name}
    if found.agency:
        return _("%(owed)s, with %(agency)s") % {"owed": owed, "agency": found.agency.name}
    return _("%(owed)s, placed with nobody") % {"owed": owed}


def _facts(found: Loan, is_agency: bool) -> list[tuple]:
    facts = [
        (_("Balance"), fairplace.money(found.balance_minor, found.currency)),
        (_("Interest rate"), fairplace.rate(found.rate_ppm)),
        (_("Days past due"), fairplace.integer(found.days_past_due)),
        (_("Opened on"), fairplace.day(found.opened_on)),
        (_("Last payment on"), fairplace.day(found.last_payment_on)),
        (_("Region"), found.region or fairplace.NO_VALUE),
        (_("Grade"), found.grade or fairplace.NO_VALUE),
    ]
    if not is_agency:
        url = reverse("portfolio", args=[found.portfolio_id])
        facts.append((_("Portfolio"), tables.link(url, found.portfolio.name)))
        if found.held_out_until:
            facts.append((_("Held out until"), _held_out_until(found)))
    if found.placement:
        url = reverse("placement", args=[found.placement_id])
        facts.append((_("Placement"), tables.link(url, found.placement.title)))
    return facts


def _held_out_until(found: Loan) -> str:
    """The day, on the bank's calendar, from which a loan may be placed again."""
    zone = ZoneInfo(found.institution.time_zone)
    return fairplace.day(found.held_out_until.astimezone(zone).date())


def _personal(actor, found: Loan, revealed: dict[str, str]) -> list[dict]:
    """{name, label, value, is_revealed} of each personal field that is known."""
    borrower = visible_borrowers(actor).filter(pk=found.borrower_id).first()
    return [
        {
            "name": name,
            "label": PERSONAL[name],
            "value": revealed.get(name, value),
            "is_revealed": name in revealed,
        }
        for name, value in loans.masked_fields(borrower).items()
        if value
    ]


class RevealForm(forms.Form):
    reason = forms.ReasonField(
        label=gettext_lazy("Why do you need it?"),
        help_text=gettext_lazy("Kept in the audit trail with your name."),
    )


@page(allow=loans.MAY_REVEAL)
def reveal(request: HttpRequest, pk, field: str) -> HttpResponse:
    """Show one personal field once; it is in the answer alone, never in an address."""
    if field not in masks.BY_FIELD:
        raise Http404
    found = found_loan(request, pk)
    form = RevealForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            value = loans.reveal(
                actor=request.actor, loan_id=pk, field=field, reason=form.cleaned_data["reason"]
            )
        except errors.InvalidInput as error:
            forms.form_from_error(form, error)
        else:
            return _show(request, found, revealed={field: value})
    return small_form(
        request,
        found,
        form,
        title=_("Reveal: %(field)s") % {"field": PERSONAL[field]},
        lead=_("Shown to you once. The bank sees who looked, when and why."),
        submit=_("Reveal"),
    )


def small_form(request, found: Loan, form, *, title, lead, submit) -> HttpResponse:
    """A page with one form about a loan, and the way back to it."""
    url = reverse("loan", args=[found.pk])
    return forms.render_page(
        request,
        "frontend/loans/form.html",
        {
            "title": title,
            "lead": lead,
            "breadcrumbs": [(_("Loans"), reverse("loans")), (found.reference, url)],
            "form": form,
            "submit": submit,
            "cancel_url": url,
        },
    )
