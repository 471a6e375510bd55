"""Commission at a flat rate, against laws and the published worked examples."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payouts import commission

EXAMPLES = (
    Path(__file__).resolve().parents[3] / "shared" / "data" / "commission" / "worked_examples.json"
)
AMOUNTS = st.integers(0, 10**13)
RATES = st.integers(0, 1_000_000)


@pytest.fixture(scope="module")
def examples():
    if not EXAMPLES.exists():
        pytest.skip("the worked examples of ../shared/data/commission are not on this machine")
    cases = json.loads(EXAMPLES.read_text())
    return {case["id"]: (case["input"], case["expected"]) for case in cases}


def reversals(base_minor, parts_minor, rate_ppm):
    """What each reversal in turn takes back, as a positive amount."""
    taken = []
    for part_minor in parts_minor:
        taken.append(-commission.adjustment(base_minor, base_minor - part_minor, rate_ppm))
        base_minor -= part_minor
    return taken


def test_c01_flat_rate(examples):
    given_, expected = examples["C01"]
    assert commission.accrued(given_["base"], given_["ppm"]) == expected == 22_500


def test_c02_half_a_cent_is_rounded_up(examples):
    given_, expected = examples["C02"]
    accrued = [
        commission.accrued(base, ppm)
        for base, ppm in zip(given_["base"], given_["ppm"], strict=True)
    ]
    assert accrued == expected["half_up"] == [2_777, 86]


def test_c03_a_negative_base_mirrors(examples):
    given_, expected = examples["C03"]
    assert commission.accrued(given_["base"], given_["ppm"]) == expected == -2_777


def test_c15_partial_reversals_take_back_what_was_accrued(examples):
    _, expected = examples["C15"]
    assert commission.accrued(8_801, 225_000) == expected["total"]
    assert reversals(8_801, [8_314, 487], 225_000) == [expected["first"], expected["second"]]


def test_c16_three_partial_reversals(examples):
    _, expected = examples["C16"]
    assert commission.accrued(10_000, 100_100) == expected["total"]
    assert reversals(10_000, [3_333, 3_333, 3_334], 100_100) == expected["parts"]


def test_c28_every_recovery_is_rounded_by_itself(examples):
    _, expected = examples["C28"]
    assert sum(commission.accrued(5, 225_000) for _ in range(1000)) == expected["per_line"]


def test_c29_currencies_without_hundredths(examples):
    _, expected = examples["C29"]
    assert commission.accrued(1_234, 225_000) == expected["JPY"] == expected["KWD"] == 278


def test_c31_an_overpayment_earns_on_the_balance_alone(examples):
    _, expected = examples["C31"]
    [base_minor] = commission.eligible([10_000], 9_500)
    assert commission.accrued(base_minor, 250_000) == expected == 2_375


def test_c32_the_rate_frozen_at_placement_holds(examples):
    _, expected = examples["C32"]
    assert commission.accrued(20_000, 250_000) == expected["placement_basis"]


@given(st.lists(AMOUNTS, min_size=1, max_size=20), RATES)
def test_reversing_everything_takes_back_everything(parts_minor, rate_ppm):
    base_minor = sum(parts_minor)
    taken = reversals(base_minor, parts_minor, rate_ppm)
    assert sum(taken) == commission.accrued(base_minor, rate_ppm)
    assert min(taken) >= 0


@given(AMOUNTS, AMOUNTS, AMOUNTS, RATES)
def test_adjustments_telescope(first, second, third, rate_ppm):
    direct = commission.adjustment(first, third, rate_ppm)
    by_way_of_second = commission.adjustment(first, second, rate_ppm)
    by_way_of_second += commission.adjustment(second, third, rate_ppm)
    assert direct == by_way_of_second


@pytest.mark.parametrize(
    ("amounts_minor", "room_minor", "expected"),
    [
        ([400, 400, 400], 1_000, [400, 400, 200]),
        ([400, 700, 100], 1_000, [400, 600, 0]),
        ([100], 100, [100]),
        ([100, 100], 0, [0, 0]),
        ([100], -50, [0]),
        ([0, 5], 5, [0, 5]),
        ([], 100, []),
    ],
)
def test_what_lies_within_the_balance(amounts_minor, room_minor, expected):
    assert commission.eligible(amounts_minor, room_minor) == expected


@given(st.lists(AMOUNTS, max_size=30), st.integers(-(10**13), 10**14))
def test_eligible_parts_fill_the_balance_in_order(amounts_minor, room_minor):
    parts = commission.eligible(amounts_minor, room_minor)
    assert sum(parts) == min(sum(amounts_minor), max(room_minor, 0))
    assert all(0 <= part <= whole for part, whole in zip(parts, amounts_minor, strict=True))
    cut = [part < whole for part, whole in zip(parts, amounts_minor, strict=True)]
    first_cut = cut.index(True) if any(cut) else len(parts)
    assert not any(parts[first_cut + 1 :])


def test_a_negative_recovery_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="negative"):
        commission.eligible([100, -1], 1_000)
