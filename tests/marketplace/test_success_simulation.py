"""A short form of the worlds of `tests/bench/ranking.py`: near to a truth that is known."""

import dataclasses

import numpy as np
import pytest

from tests.marketplace import simulated, yardsticks

WORLDS = 6
HARDER = simulated.SCENARIOS[2]


@pytest.fixture(scope="module")
def means() -> dict[str, np.ndarray]:
    """Method → mean Spearman, part of the best five, coverage; better agencies got harder loans."""
    worlds = [yardsticks.compared(simulated.simulate(HARDER, seed)) for seed in range(WORLDS)]
    return {
        method: np.mean([dataclasses.astuple(world[method]) for world in worlds], axis=0)
        for method in worlds[0]
    }


def test_it_finds_skill_where_the_raw_rate_finds_easy_loans(means):
    ours, raw, pooled = (
        means[name][0] for name in ("this engine", "raw rate", "pooled O/E, shrunk")
    )
    assert ours > 0.85
    assert ours - raw > 0.2
    assert ours - pooled > 0.05


def test_its_intervals_hold_the_truth_about_as_often_as_they_say(means):
    assert 0.90 < means["this engine"][2] < 0.99
    assert means["raw rate"][2] < 0.75


def test_the_spread_of_skill_and_of_lots_is_found():
    """.20 between agencies, .10 between the lots of one."""
    found = [
        yardsticks.score(simulated.simulate(HARDER, seed).book, simulated.POLICY)
        for seed in range(3)
    ]
    assert np.mean([one.tau_count for one in found]) == pytest.approx(0.20, abs=0.05)
    assert np.mean([one.variances.between_lots**0.5 for one in found]) == pytest.approx(
        0.10, abs=0.05
    )
