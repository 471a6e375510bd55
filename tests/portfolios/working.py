"""What an agency did with a loan, on days that are told: for tests of what came of it."""

import datetime

from agencies.scope import scope
from portfolios.models import Contact, Loan, PlacedLoan, Promise
from portfolios.selectors import observed_work
from tests import world

NOON = datetime.time(17, tzinfo=datetime.UTC)
"""In New York, in winter."""


def at(text: str) -> datetime.datetime:
    """Noon in New York of `2026-01-20`, or a moment in UTC as `2026-01-20T03:00`."""
    if "T" in text:
        return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)
    return datetime.datetime.combine(datetime.date.fromisoformat(text), NOON)


def loans(bank: world.Bank, house: world.House, *balances_minor: int, ages=(), currency="USD"):
    """Loans of these balances placed with the house now, in order; `ages` are days past due."""
    portfolio = world.make_portfolio(bank, balances_minor=list(balances_minor), currency=currency)
    with scope(bank.actor("vendor_manager")):
        made = list(Loan.objects.filter(portfolio=portfolio).order_by("pk"))
        for loan, days in zip(made, ages, strict=False):
            Loan.objects.filter(pk=loan.pk).update(days_past_due=days)
    world.place(bank, house, portfolio)
    return made


def _event(house: world.House, loan: Loan, logged_at: datetime.datetime, label: str) -> dict:
    spell = PlacedLoan.objects.get(loan=loan, closed_at=None)
    return {
        "institution_id": spell.institution_id,
        "agency_id": house.agency.pk,
        "placement_id": spell.placement_id,
        "spell_id": spell.pk,
        "loan_id": loan.pk,
        "logged_at": logged_at,
        "logged_by": label,
    }


def contact(house: world.House, loan: Loan, measure: str, when: str) -> Contact:
    """One contact that happened then."""
    with scope(house.actor("collector")) as actor:
        return Contact.objects.create(
            **_event(house, loan, at(when), actor.label),
            measure=measure,
            channel=Contact.Channel.PHONE,
            direction=Contact.Direction.OUTBOUND,
            outcome=Contact.Outcome.NO_ANSWER,
            happened_at=at(when),
        )


def promise(house: world.House, loan: Loan, amount_minor: int, due: str, *, logged: str) -> Promise:
    """A promise for a day, logged then."""
    with scope(house.actor("collector")) as actor:
        return Promise.objects.create(
            **_event(house, loan, at(logged), actor.label),
            currency=loan.currency,
            amount_minor=amount_minor,
            due_on=datetime.date.fromisoformat(due),
        )


def pay(bank, house, loan: Loan, amount_minor: int, value: str, *, confirmed: bool = True):
    """A payment of that value date."""
    day = datetime.date.fromisoformat(value)
    return world.recover(bank, house, loan, amount_minor, value_on=day, confirmed=confirmed)


def seen(actor, figures):
    """What a selector answers for the one bank and currency that the actor sees."""
    with scope(actor):
        (field,) = observed_work(actor)
        return figures(field)
