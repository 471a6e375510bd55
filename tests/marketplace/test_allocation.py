"""What shares would come to: counted as the draw counts, money rounded once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import money
from marketplace import allocation
from marketplace.allocation import Lot, Offer, Split
from portfolios import lots
from tests.portfolios.tapes import alike, tape


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
    drawn = lots.draw(alike(loans), shares_ppm, seed=7).tolist()
    assert [lot.loans for lot in plan.lots] == [drawn.count(n) for n in range(len(offers))]
    assert plan.unplaced_loans == drawn.count(lots.UNPLACED)
    assert sum(lot.balance_minor for lot in plan.lots) + plan.unplaced_minor == loans * 100


@pytest.mark.parametrize("rate_ppm", [1, 333_333, 1_000_000])
def test_a_commission_is_rounded_once(rate_ppm):
    [lot] = allocation.plan([Offer(money.PPM, rate_ppm, 10)], loans=3, balance_minor=12_345).lots
    assert lot.commission_minor == money.share(12_345, rate_ppm)


@given(
    shares_ppm=st.lists(st.integers(50_000, 200_000), min_size=1, max_size=4),
    comparison_ppm=st.integers(0, 50_000),
    hold_out_ppm=st.integers(0, 100_000),
)
def test_the_parts_of_a_split_add_up(shares_ppm, comparison_ppm, hold_out_ppm):
    split = Split(tuple(shares_ppm), comparison_ppm, hold_out_ppm)
    assert split.is_possible
    assert sum(split.parts_ppm) == sum(shares_ppm) + hold_out_ppm
    for winner, share_ppm in enumerate(shares_ppm):
        assert sum(split.parts_ppm[part] for part in split.parts_of(winner)) == share_ppm
    lots_ppm = split.comparisons_ppm
    assert (sum(lots_ppm), max(lots_ppm) - min(lots_ppm) <= 1) == (comparison_ppm, True)
    assert split.parts_ppm[split.hold_out] == hold_out_ppm


def test_a_draw_gives_every_winner_an_equal_lot_to_compare_and_holds_some_out():
    split = Split((400_000, 300_000, 200_000), comparison_ppm=150_000, hold_out_ppm=50_000)
    drawn = allocation.draw(tape(20_000), split, "5eed")
    assert [lot.loans for lot in drawn.lots] == [8_000, 6_000, 4_000]
    assert [lot.loans for lot in drawn.comparisons] == [1_000, 1_000, 1_000]
    assert drawn.hold_out.loans == 1_000
    assert np.count_nonzero(drawn.part_of == allocation.LEFT_OVER) == 1_000
    assert drawn.largest_ppm <= 6_000
    assert not drawn.needs_acceptance
    again = allocation.draw(tape(20_000), split, "5eed")
    assert np.array_equal(again.part_of, drawn.part_of)


def test_a_share_smaller_than_its_comparison_lot_cannot_be_drawn():
    assert not Split((400_000, 40_000), comparison_ppm=100_000).is_possible
    assert Split((400_000, 50_000), comparison_ppm=100_000).is_possible
