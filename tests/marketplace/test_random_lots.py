"""Lots that chance dealt: what they say of the others, and how both are put together."""

import dataclasses

import numpy as np
import pytest

from marketplace.success import random_lots
from marketplace.success.scores import score
from tests.marketplace import simulated, yardsticks
from tests.marketplace.successes import ALL_CASH, book

SOME = np.array([1.2, 0.8, 1.0, 1.1])
SURE, UNSURE = np.full(4, 0.001), np.full(4, 0.04)


def test_where_both_say_the_same_nothing_pulls():
    found = random_lots.combine(SOME, UNSURE, SOME, SURE)
    assert found.pull == 0
    assert found.factor == pytest.approx(SOME)
    assert found.variance == pytest.approx(1 / (1 / UNSURE + 1 / SURE))


def test_where_they_differ_more_than_by_chance_the_random_ones_are_believed():
    other = SOME * np.array([1.4, 0.7, 1.5, 0.6])
    found = random_lots.combine(SOME, SURE, other, SURE)
    assert 0.35 < found.pull < 0.50  # what they differ by, .47 between them
    nearer = np.abs(np.log(found.factor / SOME)) < np.abs(np.log(found.factor / other))
    assert nearer.all()
    assert (found.variance < SURE).all()
    assert (found.variance > 0.0005).all()


def test_what_pulls_is_told_from_few_payers_without_making_it_larger():
    """A dozen payers in the random lots each, as it is with 300 loans of them; σ_c is .15."""
    dice = np.random.default_rng(9)
    few, many, agencies = 12.0, 150.0, 400
    found = []
    for _world in range(50):
        skill, pulled = np.exp(dice.normal(0, (0.20, 0.15), (agencies, 2))).T
        random, other = dice.poisson(few * skill) / few, dice.poisson(many * skill * pulled) / many
        variances = np.full(agencies, 1 / few), np.full(agencies, 1 / many)
        found.append(random_lots.combine(random, variances[0], other, variances[1]).pull ** 2)
    assert np.mean(found) == pytest.approx(0.15**2, rel=0.25)


def test_an_agency_with_one_side_alone_has_that():
    random, other = np.array([1.2, 0.0, 0.0]), np.array([0.0, 0.9, 0.0])
    nothing = np.inf
    found = random_lots.combine(
        random, np.array([0.01, nothing, nothing]), other, np.array([nothing, 0.02, nothing])
    )
    assert found.factor == pytest.approx([1.2, 0.9, 1.0])
    assert list(found.variance) == [0.01, 0.02, nothing]


def test_a_book_without_random_lots_says_so():
    made = book(1)
    assert score(made, ALL_CASH).pull is None
    none = dataclasses.replace(made, is_random=np.zeros(len(made.agency), dtype=bool))
    assert score(none, ALL_CASH).scores == score(made, ALL_CASH).scores
    with pytest.raises(ValueError, match="differ in length"):
        dataclasses.replace(made, is_random=np.zeros(3, dtype=bool))


def test_they_repair_what_unrecorded_quality_does_to_the_intervals():
    without, dealt = simulated.SCENARIOS[5:7]
    coverage, pulls = {}, []
    for scenario in (without, dealt):
        worlds = [simulated.simulate(scenario, seed) for seed in range(4)]
        marks = [yardsticks.compared(world)["this engine"].coverage for world in worlds]
        coverage[scenario.name] = np.mean(marks)
        pulls += [score(world.book, simulated.POLICY).pull for world in worlds]
    assert coverage[without.name] < 0.88 < 0.92 < coverage[dealt.name]
    assert pulls[:4] == [None] * 4
    assert np.mean(pulls[4:]) == pytest.approx(0.17, abs=0.06)
