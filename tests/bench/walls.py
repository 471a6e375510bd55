"""What the walls cost among millions of loans: a page of an agency, a recall, a bank's sums."""

from django.db import connections

from agencies.scope import scope
from portfolios.models import Loan, Placement
from portfolios.selectors import loan_order, shown_portfolios, visible_loans, visible_tallies
from portfolios.services import placements, portfolios
from tests import world
from tests.bench import estate
from tests.bench.estate import Estate
from tests.bench.figures import Figure

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


def _page(made: Estate, house: world.House) -> Figure:
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

    label = f"an agency's newest {PAGE} of {held:,}, among all loans / no walls"
    return Figure(label, made.loans, ours, raw, runs=QUICK_RUNS, at_most=1.5, within_ms=5)


def _sums(made: Estate) -> Figure:
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

    label = "count and sum on a portfolio's page / one SELECT"
    return Figure(label, made.loans, ours, raw, within_ms=200)


def _recall(made: Estate) -> Figure:
    """Until the agency sees no row; raw, as one takes it back by hand, loan by loan."""
    lots, recalled = iter(made.lots), []
    taken = made.loans // estate.LOT_STEP

    def ours(lot: Placement):
        with scope(made.bank.actor("vendor_manager")) as actor:
            placements.recall(actor=actor, placement_id=lot.pk, reason="Poor results")
        with scope(made.other.actor()) as actor:
            assert not visible_loans(actor).filter(placement=lot).exists()
        recalled.append(lot)

    def before_raw():
        # Not by the selector alone: the database shows none of these rows either.
        with scope(made.other.actor()):
            assert not Loan.objects.filter(placement__in=recalled).exists()
        return (next(lots),)

    def raw(lot: Placement):
        with connections["owner"].cursor() as cursor:
            for statement in (
                "update portfolios_loan set placement_id = null, agency_id = null"
                " where id in (select loan_id from portfolios_placedloan where placement_id = %s)",
                "update portfolios_placedloan set closed_at = now(), close_reason = 'x',"
                " close_kind = 'recalled'"
                " where placement_id = %s",
            ):
                cursor.execute(statement, [lot.pk])

    ours.before, raw.before = (lambda: (next(lots),)), before_raw
    label = "recall a placement until no row is visible / UPDATE"
    return Figure(label, taken, ours, raw, within_ms=200)


CASES = (behind_walls,)
