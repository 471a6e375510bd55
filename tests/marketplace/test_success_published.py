"""The engine against answers that others have published."""

import csv
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from scipy.stats import spearmanr

from marketplace.success import fits, order, shrinkage

TRIANGLE = Path(settings.BASE_DIR).parent / "shared" / "data" / "ranking" / "genins.csv"


def test_pumps():
    """George, Makov & Smith 1993; BUGS examples volume 1; α ~ exponential(1), β ~ gamma(0.1, 1)."""
    failures = np.array([5, 1, 5, 14, 3, 19, 1, 1, 4, 22], dtype=float)
    hours = np.array([94.3, 15.7, 62.9, 126, 5.24, 31.4, 1.05, 1.05, 2.1, 10.5])
    shapes, rates = np.geomspace(0.02, 12, 400), np.geomspace(0.01, 20, 400)
    shape, rate = (axis.ravel() for axis in np.meshgrid(shapes, rates, indexing="ij"))
    # The grid is even in the logarithms: each point stands for a stretch of shape × rate.
    prior = -shape + (0.1 - 1) * np.log(rate) - rate + np.log(shape) + np.log(rate)
    found = shrinkage.on_grid(failures, hours, shape=shape, rate=rate, weigh=prior)
    published = [0.0602, 0.1010, 0.0893, 0.1163, 0.5990, 0.6083, 0.8946, 0.8760, 1.5832, 1.9834]
    assert found.mean == pytest.approx(published, rel=0.02)


DEATHS = np.array([0, 18, 8, 46, 8, 13, 9, 31, 14, 8, 29, 24], dtype=float)
OPERATIONS = np.array([47, 148, 119, 810, 211, 196, 148, 215, 207, 97, 256, 360], dtype=float)


def surgery() -> tuple[shrinkage.Posterior, float]:
    """A death is a yes or no: its variance is that of a Poisson count × (1 − p)."""
    rate = DEATHS.sum() / OPERATIONS.sum()
    exposure = OPERATIONS * rate / (1 - rate)
    return shrinkage.posterior(exposure * DEATHS / (OPERATIONS * rate), exposure), rate


def test_surgical_rates():
    """Twelve hospitals, BUGS examples volume 1: posterior mean mortality."""
    found, rate = surgery()
    published = np.array(
        "0.0536 0.1032 0.0711 0.0599 0.0524 0.0698"
        " 0.0669 0.1223 0.0704 0.0780 0.1018 0.0685".split(),
        dtype=float,
    )
    apart = np.abs(found.mean * rate - published)
    assert apart.mean() <= 0.0015
    assert apart.max() <= 0.0050


def test_surgical_ranks():
    """The same, expected ranks, 1 for the lowest mortality."""
    mean, variance = surgery()[0].log_moments()
    probability = order.better(-mean, variance)
    found = order.expected_ranks(probability)
    published = [3.32, 10.04, 6.05, 3.94, 2.82, 5.86, 5.41, 11.40, 6.00, 7.18, 10.15, 5.83]
    assert spearmanr(found, published)[0] >= 0.99
    assert found == pytest.approx(published, abs=0.4)
    assert found.sum() == pytest.approx(12 * 13 / 2)


def test_baseball():
    """Efron & Morris 1975: 18 batters after 45 times at bat, and the rest of their season."""
    hits = np.array([18, 17, 16, 15, 14, 14, 13, 12, 11, 11] + [10] * 5 + [9, 8, 7], dtype=float)
    season = np.array(
        "0.346 0.298 0.276 0.222 0.273 0.270 0.263 0.210 0.269"
        " 0.230 0.264 0.256 0.303 0.264 0.226 0.285 0.316 0.200".split(),
        dtype=float,
    )
    batted, mean = hits / 45, hits.sum() / 45 / 18
    exposure = np.full(18, 45 * mean / (1 - mean))
    found = shrinkage.posterior(exposure * batted / mean, exposure).mean * mean
    published = mean + 0.212 * (batted - mean)
    assert found == pytest.approx(published, abs=0.006)
    errors = [((guess - season) ** 2).sum() for guess in (batted, found)]
    assert errors[0] / errors[1] >= 3


def test_taylor_ashe():
    """The triangle of Taylor & Ashe 1983: what is still to come is 18,680,856."""
    cumulative = np.zeros((10, 11))
    with TRIANGLE.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            origin, developed = int(row["origin"]) - 2001, int(row["development"])
            cumulative[origin, developed - 2000 - origin] = float(row["values"])
    paid = np.diff(cumulative, axis=1)
    known = np.add.outer(np.arange(10), np.arange(10)) < 10
    fit = fits.two_way(paid * known, known.astype(float))
    theta = (paid * known).sum(axis=1) / fit.expected
    to_come = (theta[:, None] * fit.rate[None, :])[~known].sum()
    assert to_come == pytest.approx(18_680_856, abs=1)
    assert fit.passes <= 20
