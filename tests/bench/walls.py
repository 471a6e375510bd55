"""What the walls cost among millions of loans: a page of an agency, a recall, a bank's sums.

Each figure stands beside itself at a tenth of the size. The issue's limits: a page of an agency
at most 1.5 times the same query without walls and under 5 ms, a recall until no row is visible
and the sums of a portfolio's page under 200 ms.
"""

from django.db import connections

from agencies.scope import scope
from portfolios.models import Loan, Placement
from portfolios.selectors import loan_order, shown_portfolios, visible_loans, visible_tallies
from portfolios.services import placements, portfolios
from tests import world
from tests.bench import estate
from tests.bench.estate import Estate

SIZES = (200_000, 2_000_000)
PAGE = 50
QUICK_RUNS = 60
"""Repeats within one timing of what takes a few milliseconds: one alone would measure noise."""


def behind_walls():
    for loans in SIZES:
        made = estate.build(loans)
        for house in (made.small, made.large):
            yield _page(made, house)
        yield _sums(made)
        yield _recall(made)


def _page(made: Estate, house: world.House):
    """The newest 50, as the pages and GraphQL read them; what is live was asked just before."""
    with scope(house.actor()) as actor:
        held = visible_loans(actor).count()
        order = [f"-{column}" for column in (*loan_order(actor), "pk")]
        newest = visible_loans(actor).order_by(*order)[:PAGE]

    def ours():
        with scope(house.actor()):
            for _run in range(QUICK_RUNS):
                assert len(newest.all()) == PAGE

    def raw():
        for _run in range(QUICK_RUNS):
            assert len(newest.using("owner").all()) == PAGE

    label = f"{QUICK_RUNS} × newest {PAGE} of {held:,} among {made.loans:,} loans / no walls"
    return label, ours, raw


def _sums(made: Estate):
    def ours():
        with scope(made.bank.actor("vendor_manager")) as actor:
            (shown,) = shown_portfolios(actor)
            tallies = visible_tallies(actor).filter(portfolio=shown)
            found = portfolios.composition_of(tallies)
        assert found.loan_count == shown.loan_count == made.loans

    def raw():
        with connections["owner"].cursor() as cursor:
            cursor.execute(
                "select count(*), sum(balance_minor) from portfolios_loan where portfolio_id = %s",
                [made.portfolio.pk],
            )
            assert cursor.fetchone()[0] == made.loans

    return f"a portfolio's page: its sums of {made.loans:,} loans / one SELECT", ours, raw


def _recall(made: Estate):
    """Until the agency sees no row; raw, as one takes it back by hand, loan by loan."""
    lots = iter(made.lots)
    taken = made.loans // estate.LOT_STEP

    def ours(lot: Placement):
        with scope(made.bank.actor("vendor_manager")) as actor:
            placements.recall(actor=actor, placement_id=lot.pk, reason="Poor results")
        with scope(made.other.actor()):
            assert not Loan.objects.filter(placement=lot).exists()

    def raw(lot: Placement):
        with connections["owner"].cursor() as cursor:
            for statement in (
                "update portfolios_loan set placement_id = null, agency_id = null"
                " where id in (select loan_id from portfolios_placedloan where placement_id = %s)",
                "update portfolios_placedloan set closed_at = now(), close_reason = 'x'"
                " where placement_id = %s",
            ):
                cursor.execute(statement, [lot.pk])

    ours.before = raw.before = lambda: (next(lots),)
    return f"recall {taken:,} of {made.loans:,} loans / UPDATE of each", ours, raw


CASES = (behind_walls,)
