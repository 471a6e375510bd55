"""Conduct opens or shuts the gate; few complaints of a small agency do not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.success.gate import Light, judge

NOBODY = np.zeros(5, dtype=bool)


def lights(events, months, critical=NOBODY) -> list[Light]:
    return [one.light for one in judge(np.array(events), np.array(months, dtype=float), critical)]


def test_who_is_complained_about_far_more_than_others_is_shut_out():
    """40 where 10 were to be expected, and a little more than that."""
    found = judge(np.array([40, 9, 11, 10, 20]), np.full(5, 10_000.0), NOBODY)
    assert [one.light for one in found] == [
        Light.RED,
        Light.GREEN,
        Light.GREEN,
        Light.GREEN,
        Light.GREEN,
    ]
    assert found[0].rate_ratio > 1.5 > found[4].rate_ratio > 1 > found[1].rate_ratio


def test_one_complaint_of_a_small_agency_is_chance_and_twenty_are_not():
    """Twenty in a thousand months are no chance where a hundred thousand bring a hundred."""
    months = [100_000, 100_000, 100_000, 100_000, 1_000]
    assert lights([100, 98, 103, 101, 20], months) == [Light.GREEN] * 4 + [Light.RED]
    found = judge(np.array([100, 98, 103, 101, 1]), np.array(months, dtype=float), NOBODY)
    assert found[4].light is Light.GREEN


def test_between_the_two_is_a_warning():
    found = judge(np.array([150, 90, 95, 100, 90]), np.full(5, 10_000.0), NOBODY)
    assert found[0].light is Light.AMBER
    assert found[0].probability_red < 0.95
    assert found[0].probability_amber > 0.8


def test_a_critical_breach_shuts_at_once():
    critical = np.array([False, True, False, False, False])
    assert lights([1, 0, 1, 1, 1], [1_000] * 5, critical)[1] is Light.RED


def test_where_nothing_happened_all_are_green():
    assert lights([0] * 5, [1_000] * 5) == [Light.GREEN] * 5
    assert lights([0] * 5, [0] * 5) == [Light.GREEN] * 5


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(0, 40), min_size=5, max_size=5),
    st.lists(st.integers(1_000, 50_000), min_size=5, max_size=5),
    st.integers(1, 30),
)
def test_one_more_complaint_never_opens_a_gate(events, months, more):
    months = np.array(months, dtype=float)
    before = judge(np.array(events), months, NOBODY)[0]
    after = judge(np.array([events[0] + more, *events[1:]]), months, NOBODY)[0]
    order = [Light.GREEN, Light.AMBER, Light.RED]
    # The field's rate moves with the agency's own, a little; its own moves more.
    assert after.rate_ratio >= before.rate_ratio - 1e-6
    assert order.index(after.light) >= order.index(before.light)


@pytest.mark.parametrize(("events", "months"), [([-1], [10.0]), ([1], [-1.0]), ([1], [0.0])])
def test_what_cannot_be_is_refused(events, months):
    with pytest.raises(ValueError, match=r"negative|without exposure"):
        judge(np.array(events), np.array(months), np.zeros(1, dtype=bool))
