"""The balance report: exact differences, rare levels together, limits by size."""

import dataclasses

import numpy as np
import pytest

from portfolios import lot_balance, lot_covariates
from portfolios.lot_balance import Difference
from portfolios.lot_covariates import Levels
from tests.portfolios.tapes import alike, tape


def test_a_difference_is_the_lots_mean_less_that_of_the_rest_in_standard_deviations():
    loans = dataclasses.replace(alike(10), days_past_due=np.arange(10) * 30)
    [lot] = lot_balance.report(loans, np.repeat([0, -1], [4, 6]), 1, [[0]])
    # 45 less 195, in 30 × √8.25.
    assert lot.differences == [Difference("days_past_due", "", -1_740_777)]
    assert (lot.loans, lot.balance_minor, lot.largest_ppm) == (4, 4_000_00, 1_740_777)


def test_what_is_unknown_counts_as_the_mean_and_by_itself():
    score = np.array([600.0, 700.0, np.nan, np.nan] * 5)
    loans = dataclasses.replace(alike(20), score=score)
    [lot] = lot_balance.report(loans, np.array([0, 0, -1, -1] * 5), 1, [[0]])
    assert [(one.covariate, one.level, one.difference_ppm) for one in lot.differences] == [
        ("score", "", 0),
        ("score", "missing", -2_000_000),
    ]


def test_rare_levels_are_counted_together():
    codes = np.array([0] * 10_000 + [1] * 9_900 + [2] * 60 + [3] * 40)
    loans = dataclasses.replace(alike(20_000), regions=Levels(("A", "B", "C", "D"), codes))
    assert [one.names for one in lot_covariates.groupings(loans, 10_000)] == [("A", "B", "C", "D")]
    # In a lot of 2,500 one loan of 100 is a difference of 0.0057, one of 60 of 0.0073.
    assert [one.names for one in lot_covariates.groupings(loans, 2_500)] == [("A", "B", "other")]
    [grouped] = lot_covariates.groupings(loans, 1_000)
    assert grouped.names == ("A", "other")
    assert np.bincount(grouped.codes).tolist() == [10_000, 10_000]


def test_a_lot_may_have_several_parts_and_the_whole_has_no_rest():
    loans = tape(2_000)
    part_of = np.arange(2_000) % 4
    first, both, whole = lot_balance.report(loans, part_of, 4, [[0], [0, 2], [0, 1, 2, 3]])
    assert (first.loans, both.loans, whole.loans) == (500, 1_000, 2_000)
    assert whole.balance_minor == int(loans.balance_minor.sum())
    assert (whole.differences, whole.largest_ppm) == ([], 0)


@pytest.mark.parametrize(
    ("loans", "lot_loans", "limits"),
    [
        (2_000, 10, (20_000, 100_000)),
        (5_000_000, 100_000, (20_000, 100_000)),
        # √(1/6 + 1/4)
        (10, 6, (645_497, 2_581_988)),
        (1_999, 1_000, (44_733, 178_932)),
        (10, 10, (20_000, 100_000)),
    ],
)
def test_limits_are_plain_from_two_thousand_loans_on(loans, lot_loans, limits):
    assert lot_balance.limits(loans, lot_loans) == limits


def test_the_spread_is_of_average_balances():
    loans = dataclasses.replace(alike(4), balance_minor=np.array([100, 100, 120, 120]))
    lots = lot_balance.report(loans, np.array([0, 0, 1, 1]), 2, [[0], [1]])
    assert lot_balance.spread_ppm(lots) == 181_818
    assert lot_balance.spread_ppm(lots[:1]) == 0
