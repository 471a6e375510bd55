"""What shares would come to: counted as the draw counts, money rounded once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import money
from marketplace import allocation
from marketplace.allocation import Lot, Offer
from portfolios import lots


def test_shares_become_loans_balances_and_commissions():
    plan = allocation.plan(
        [Offer(600_000, 200_000, 10), Offer(250_000, 185_000, 1), Offer(1, 100_000, 5)],
        loans=7,
        balance_minor=1_000_01,
    )
    assert plan.lots == [
        Lot(loans=4, balance_minor=600_01, commission_minor=120_00, problem=""),
        Lot(loans=2, balance_minor=250_00, commission_minor=46_25, problem="ABOVE_CAPACITY"),
        Lot(loans=0, balance_minor=0, commission_minor=0, problem="EMPTY_LOT"),
    ]
    assert (plan.unplaced_loans, plan.unplaced_minor) == (1, 150_00)
    assert (plan.share_ppm, plan.is_above_whole) == (850_001, False)


def test_shares_above_the_whole_leave_nothing():
    plan = allocation.plan(
        [Offer(700_000, 200_000, 10), Offer(300_001, 100_000, 10)], loans=10, balance_minor=1000
    )
    assert [(lot.loans, lot.balance_minor) for lot in plan.lots] == [(7, 700), (3, 300)]
    assert (plan.unplaced_loans, plan.unplaced_minor, plan.is_above_whole) == (0, 0, True)


@given(
    shares_ppm=st.lists(st.integers(1, 250_000), min_size=1, max_size=4),
    loans=st.integers(0, 400),
)
def test_the_plan_counts_what_the_draw_draws(shares_ppm, loans):
    offers = [Offer(share_ppm, 100_000, 10**6) for share_ppm in shares_ppm]
    plan = allocation.plan(offers, loans=loans, balance_minor=loans * 100)
    drawn = lots.draw(list(range(loans)), shares_ppm, seed=7)
    assert [lot.loans for lot in plan.lots] == [drawn.count(n) for n in range(len(offers))]
    assert plan.unplaced_loans == drawn.count(lots.UNPLACED)
    assert sum(lot.balance_minor for lot in plan.lots) + plan.unplaced_minor == loans * 100


@pytest.mark.parametrize("rate_ppm", [1, 333_333, 1_000_000])
def test_a_commission_is_rounded_once(rate_ppm):
    [lot] = allocation.plan([Offer(money.PPM, rate_ppm, 10)], loans=3, balance_minor=12_345).lots
    assert lot.commission_minor == money.share(12_345, rate_ppm)
