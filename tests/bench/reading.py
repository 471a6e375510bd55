"""An agency's page of loans behind both walls, against the same rows in raw SQL."""

from django.db import connections

from agencies.scope import scope
from portfolios.models import Loan
from portfolios.selectors import visible_loans
from tests import world

PAGE = (
    "select l.id, l.reference, l.balance_minor from portfolios_loan l"
    " join portfolios_placement p on p.id = l.placement_id"
    " where l.agency_id = %s and p.state = 'live' order by l.id limit 50"
)


def page_of_loans():
    """The page should not grow with the bank: 1,000 loans, then 8,000."""
    bank, house = world.make_bank(), world.make_agency()
    world.join_panel(bank, house)
    for loans in (1_000, 7_000):
        portfolio = world.make_portfolio(bank, balances_minor=[1_000_00] * loans)
        world.place(bank, house, portfolio)
        yield _page(bank, house)


def _page(bank, house):
    with scope(bank.actor("auditor")):
        held = Loan.objects.filter(agency=house.agency).count()

    def ours():
        with scope(house.actor()) as actor:
            found = visible_loans(actor).order_by("pk").values("id", "reference", "balance_minor")
            assert len(found[:50]) == 50

    def raw():
        with connections["owner"].cursor() as cursor:
            cursor.execute(PAGE, [house.agency.pk])
            assert len(cursor.fetchall()) == 50

    return f"an agency's page of 50 of {held:,} loans / one SELECT", ours, raw


CASES = (page_of_loans,)
