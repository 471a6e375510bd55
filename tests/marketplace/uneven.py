"""Agencies that were given uneven loans: the best one the hard ones, another the easy ones."""

import datetime

from agencies.scope import scope
from config import clock as the_clock
from marketplace.models import RankingRun, RankingScore
from marketplace.selectors import ShownRanking, shown_ranking
from marketplace.services import rankings
from portfolios.models import Loan
from portfolios.services import complaints
from tests import world

NOON = datetime.datetime(2026, 3, 2, 17, tzinfo=datetime.UTC)
NAMES = ("Alder", "Birch", "Cedar", "Damson", "Elm")
EASY_MINOR, HARD_MINOR = 400_00, 2_000_00
"""Balances of two bands. Of small loans one in four pays, of large ones one in twelve."""
SKILL = {"Alder": 1, "Birch": 1, "Cedar": 1, "Damson": 1, "Elm": 2}
EASY_OF_TEN = {"Alder": 9, "Birch": 5, "Cedar": 5, "Damson": 5, "Elm": 1}
"""How many of ten loans are easy: Alder was given those that anybody collects on."""
LOANS = 160
EXPOSED_DAYS = 100


def complain(bank, loan, *, outcome=None, is_agency_at_fault=False, severity="low"):
    with scope(bank.actor("compliance_officer")) as actor:
        opened = complaints.open(
            actor=actor,
            loan_reference=loan.reference,
            category="frequency",
            severity=severity,
            happened_on=the_clock.now().date(),
            account="Six calls in one day",
            summary="How often did you ring?",
        )
        if outcome:
            complaints.decide(
                actor=actor,
                complaint_id=opened.pk,
                outcome=outcome,
                is_agency_at_fault=is_agency_at_fault,
                reason="As the log shows",
            )


def place(bank, house, *balances_minor, currency="USD"):
    portfolio = world.make_portfolio(bank, balances_minor=list(balances_minor), currency=currency)
    world.place(bank, house, portfolio)
    with scope(bank.actor("auditor")):
        return list(Loan.objects.filter(portfolio=portfolio).order_by("reference"))


def collect(bank, name, house):
    """A tenth of the balance from each loan that pays: as many as skill and ease let."""
    easy = LOANS * EASY_OF_TEN[name] // 10
    for number, balance_minor in ((easy, EASY_MINOR), (LOANS - easy, HARD_MINOR)):
        loans = place(bank, house, *[balance_minor] * number)
        every = (4 if balance_minor == EASY_MINOR else 12) // SKILL[name]
        world.recover_each(bank, house, loans[::every], balance_minor // 10)


def houses(bank: world.Bank) -> dict[str, world.House]:
    """Five agencies on its panel with 160 loans each, of which some have paid."""
    made = {name: world.make_agency(f"{name} Recoveries") for name in NAMES}
    for name, house in made.items():
        world.join_panel(bank, house)
        collect(bank, name, house)
    return made


def compute(bank, currency="USD", **which) -> RankingRun:
    with scope(bank.actor("vendor_manager")) as actor:
        return rankings.compute(actor=actor, currency=currency, **which)


def shown(bank, **which) -> ShownRanking | None:
    with scope(bank.actor("auditor")) as actor:
        return shown_ranking(actor, **{"currency": "USD", **which})


def score_of(bank, run: RankingRun, house) -> RankingScore:
    with scope(bank.actor("auditor")):
        return run.scores.get(agency=house.agency)


def name_of(score: RankingScore) -> str:
    return score.agency.name.split()[0]
