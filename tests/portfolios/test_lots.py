"""Drawing lots: exact counts, one draw per seed, borrowers kept together, lots alike."""

import dataclasses
import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config import errors, money
from portfolios import lot_balance, lots
from tests.portfolios.tapes import alike, tape

SHARES = st.lists(st.integers(1, 250_000), min_size=1, max_size=4)
SEEDS = st.integers(0, 2**128 - 1)
FEW = settings(max_examples=40, deadline=None)


def counted(loans: int, shares_ppm: list[int]) -> list[int]:
    """What the shares come to by largest remainder, without what is left over."""
    rest_ppm = money.PPM - sum(shares_ppm)
    return money.split_by_shares(loans, [*shares_ppm, rest_ppm])[:-1]


def counts(drawn: np.ndarray, shares_ppm: list[int]) -> list[int]:
    return [int(np.count_nonzero(drawn == lot)) for lot in range(len(shares_ppm))]


def largest_ppm(loans, drawn, lot_count: int) -> int:
    """The largest difference of all lots, by the balance report."""
    found = lot_balance.report(loans, drawn, lot_count, [[lot] for lot in range(lot_count)])
    return max(lot.largest_ppm for lot in found)


def test_a_draw_of_this_year_can_be_repeated_in_any_other():
    numbers = np.arange(24)
    loans = dataclasses.replace(
        alike(24), balance_minor=numbers * 7_919 % 101 * 1_000, days_past_due=numbers * 37 % 400
    )
    drawn = lots.draw(loans, [500_000, 250_000], 20_261_125)
    assert drawn.tolist() == [
        -1,
        -1,
        1,
        1,
        -1,
        0,
        -1,
        0,
        0,
        -1,
        1,
        0,
        0,
        1,
        0,
        0,
        1,
        1,
        0,
        -1,
        0,
        0,
        0,
        0,
    ]
    assert Counter(drawn.tolist()) == {0: 12, 1: 6, lots.UNPLACED: 6}


def test_another_seed_is_another_draw():
    draws = {tuple(lots.draw(alike(12), [500_000, 500_000], seed)) for seed in range(20)}
    assert len(draws) > 15


def test_the_whole_may_go_to_one():
    assert lots.draw(tape(12), [1_000_000], 7).tolist() == [0] * 12


def test_no_loans_give_no_lots():
    assert lots.draw(tape(0), [500_000], 7).tolist() == []


def test_thirds_leave_no_loan_out():
    assert counts(lots.draw(tape(12), [333_333] * 3, 7), [1] * 3) == [4, 4, 4]


@FEW
@given(st.integers(1, 300), SHARES, SEEDS)
def test_counts_follow_the_shares_by_largest_remainder(loans, shares_ppm, seed):
    drawn = lots.draw(tape(loans), shares_ppm, seed)
    assert counts(drawn, shares_ppm) == counted(loans, shares_ppm)


@FEW
@given(st.permutations(range(30)), SHARES, SEEDS)
def test_neither_the_order_of_the_loans_nor_the_numbers_of_borrowers_matter(order, shares, seed):
    loans = tape(30, borrowers=[number // 2 for number in range(30)])
    straight = lots.draw(loans, shares, seed)
    renumbered = np.array(order)[loans.borrowers]
    shuffled = dataclasses.replace(loans, borrowers=renumbered).taken(np.array(order))
    assert lots.draw(shuffled, shares, seed).tolist() == straight[np.array(order)].tolist()


@FEW
@given(st.lists(st.integers(0, 40), min_size=1, max_size=120), SHARES, SEEDS)
def test_a_borrowers_loans_stay_together(borrowers, shares_ppm, seed):
    drawn = lots.draw(tape(len(borrowers), borrowers=borrowers), shares_ppm, seed)
    assert len({*zip(borrowers, drawn.tolist(), strict=True)}) == len(set(borrowers))
    largest = max(Counter(borrowers).values())
    for lot, count in enumerate(counted(len(borrowers), shares_ppm)):
        assert abs(int(np.count_nonzero(drawn == lot)) - count) <= largest


def test_a_borrowers_loans_cost_no_lot_more_than_half_of_them():
    borrowers = np.repeat(np.arange(7_000), 3)
    for seed in range(5):
        drawn = lots.draw(tape(21_000, seed, borrowers=borrowers), [142_857] * 7, seed)
        assert all(abs(count - 3_000) <= 1.5 for count in counts(drawn, [1] * 7))


def test_every_loan_has_the_same_chance():
    placed = np.zeros(12)
    for seed in range(2_000):
        placed += lots.draw(alike(12), [250_000], seed) == 0
    # 2,000 draws at one in four: 500 ± 5 standard deviations of 19.4.
    assert placed.sum() == 6_000
    assert (np.abs(placed - 500) < 100).all()


def test_the_largest_borrower_may_go_to_any_lot():
    loans = dataclasses.replace(alike(12), borrowers=np.array([0, 0, 0, *range(1, 10)]))
    went = Counter(int(lots.draw(loans, [250_000] * 4, seed)[0]) for seed in range(400))
    assert all(60 < went[lot] < 140 for lot in range(4))


SHAPES = [
    [200_000] * 5,
    [50_000] * 20,
    [500_000, 300_000, 100_000],
    [25_000] * 4 + [225_000] * 4,
    [450_000, 200_000, 170_000, 60_000, 20_000],
]


@pytest.mark.parametrize("shares_ppm", SHAPES, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_lots_of_twenty_thousand_loans_are_alike(shares_ppm, seed):
    loans = tape(20_000 + 1_117 * seed, seed, regions=6 + 12 * seed)
    drawn = lots.draw(loans, shares_ppm, seed)
    assert counts(drawn, shares_ppm) == counted(len(loans), shares_ppm)
    assert largest_ppm(loans, drawn, len(shares_ppm)) <= 6_000


@pytest.mark.parametrize("seed", range(2))
def test_lots_of_borrowers_with_several_loans_are_alike(seed):
    sizes = np.random.default_rng(seed).geometric(0.6, 20_000)
    borrowers = np.repeat(np.arange(20_000), sizes)[:24_000]
    loans = tape(24_000, seed, borrowers=borrowers)
    drawn = lots.draw(loans, [125_000] * 8, seed)
    assert counts(drawn, [1] * 8) == [3_000] * 8
    assert largest_ppm(loans, drawn, 8) <= 6_000


@pytest.mark.parametrize("seed", range(3))
def test_lots_of_two_thousand_loans_need_no_acceptance(seed):
    loans = tape(2_000, seed)
    drawn = lots.draw(loans, [200_000] * 5, seed)
    assert largest_ppm(loans, drawn, 5) <= lot_balance.ACCEPTABLE_PPM


def test_plain_chance_would_not_do():
    loans = tape(20_000)
    drawn = lots.draw(loans, [50_000] * 20, 7, refine=False)
    assert largest_ppm(loans, drawn, 20) > 50_000


@pytest.mark.parametrize(
    ("shares_ppm", "code"),
    [
        ([600_000, 400_001], "SHARES_ABOVE_WHOLE"),
        ([1_000_001], "SHARES_ABOVE_WHOLE"),
        ([500_000, -1], "INVALID_SHARES"),
    ],
)
def test_impossible_shares_are_refused(shares_ppm, code):
    with pytest.raises(errors.InvalidInput) as refusal:
        lots.draw(tape(12), shares_ppm, 7)
    assert refusal.value.code == code


def test_mistakes_of_the_caller():
    loans = tape(2)
    with pytest.raises(ValueError, match="twice"):
        lots.draw(loans.taken(np.array([0, 0])), [500_000], 7)
    with pytest.raises(ValueError, match="non-negative"):
        lots.draw(loans, [500_000], -1)


def test_a_hundred_thousand_loans_are_drawn_at_once():
    loans = tape(100_000)
    before = time.process_time()
    drawn = lots.draw(loans, [300_000, 200_000, 100_000], 7)
    # Generous beside the 0.2 s it takes: a slow machine is no bug, a quadratic loop is.
    assert time.process_time() - before < 3
    assert counts(drawn, [1] * 3) == [30_000, 20_000, 10_000]
