"""How far agencies are thought to differ: in some things for certain, in others if it shows."""

import numpy as np
import pytest

from marketplace.success import shrinkage

AGENCIES = 40


def spread(factor: np.ndarray, variance: float, prior) -> float:
    exposure = np.full(AGENCIES, 1 / variance)
    return shrinkage.posterior(exposure * factor, exposure, prior).tau_squared ** 0.5


def test_a_difference_that_may_be_none_is_hardly_seen_in_chance():
    """Over 50 worlds in which agencies differ by chance alone, sd .14."""
    dice = np.random.default_rng(2)
    worlds = np.exp(dice.normal(0, 0.02**0.5, (50, AGENCIES)))
    some, none = (
        np.mean([spread(world, 0.02, prior) for world in worlds])
        for prior in (shrinkage.half_normal, shrinkage.none_or_some)
    )
    assert none < 0.03 < 0.05 < some


def test_a_difference_that_is_there_is_seen_all_the_same():
    dice = np.random.default_rng(3)
    for variance in (0.02, 0.002):
        worlds = np.exp(dice.normal(0, (0.2**2 + variance) ** 0.5, (20, AGENCIES)))
        found = [spread(world, variance, shrinkage.none_or_some) for world in worlds]
        assert np.mean(found) == pytest.approx(0.2, rel=0.15)
