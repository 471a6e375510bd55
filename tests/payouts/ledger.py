"""What most tests of the money begin with: March recovered, taken back, and over."""

import dataclasses
import datetime

from agencies.scope import scope
from payouts.models import Statement
from payouts.services import commissions, statements
from portfolios.models import Loan
from tests import world

MARCH = datetime.date(2026, 3, 1)
IN_MARCH = datetime.datetime(2026, 3, 20, 12, tzinfo=datetime.UTC)
IN_APRIL = datetime.datetime(2026, 4, 2, 12, tzinfo=datetime.UTC)
TOTAL = 80_00
"""80.00 − 20.00 + round(20.002): the March of `march`."""


@dataclasses.dataclass
class March:
    """A bank, an agency, and the other two that must see and change nothing."""

    bank: world.Bank
    house: world.House
    rival: world.House
    other_bank: world.Bank
    membership: object
    placement: object


def march(clock) -> March:
    """In March an agency recovered 400.00 and 100.01 at 20 %, of which 100.00 came back.

    Then it is the second of April. `A-3` brought 50.00 more than the second loan's balance.
    """
    clock.set(IN_MARCH)
    bank, house, rival = world.make_bank(), world.make_agency(), world.make_agency()
    other_bank = world.make_bank()
    membership = world.join_panel(bank, house)
    world.join_panel(bank, rival)
    portfolio = world.make_portfolio(bank, balances_minor=[1_000_00, 100_01])
    placement = world.place(bank, house, portfolio, rate_ppm=200_000)
    with scope(bank.actor("auditor")):
        first, second = Loan.objects.filter(portfolio=portfolio).order_by("reference")
    recovery = world.recover(bank, house, first, 400_00, reference="A-1")
    world.recover(bank, house, second, 100_01, reference="A-2")
    world.recover(bank, house, second, 50_00, reference="A-3")
    world.reverse(bank, recovery, 100_00)
    with scope(bank.sweep) as actor:
        commissions.accrue(actor=actor)
    clock.set(IN_APRIL)
    return March(bank, house, rival, other_bank, membership, placement)


def prepared(bank: world.Bank) -> Statement:
    """The draft of March."""
    with scope(bank.actor("finance_preparer")) as actor:
        (statement,) = statements.prepare(actor=actor, starts_on=MARCH)
    return statement


def submitted(bank: world.Bank) -> Statement:
    """The statement of March, waiting for approval."""
    statement = prepared(bank)
    with scope(bank.actor("finance_preparer")) as actor:
        return statements.submit(actor=actor, statement_id=statement.pk)


def approved(bank: world.Bank) -> Statement:
    """The statement of March, to be paid."""
    statement = submitted(bank)
    with scope(bank.actor("finance_approver")) as actor:
        statements.approve(actor=actor, statement_id=statement.pk)
    return statement
