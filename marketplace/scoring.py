"""Success rates of agencies with a bootstrap interval: unadjusted, a description and no verdict.

The rate is confirmed net recoveries ÷ placed balance, a ratio estimator. Its interval is the
percentile bootstrap over loans (Efron & Tibshirani 1993, ch. 13), since a few large payments carry
most of the money and a formula for the variance would trust them too much.
"""

import dataclasses
from dataclasses import dataclass

import numpy as np

from config import money

MINIMUM_LOANS = 30
MINIMUM_PAYING_LOANS = 5
"""Below either a bootstrap has too little to draw from, and no interval is given: with no payment
at all it would claim to be certain of zero."""

_BLOCK = 1 << 19
"""Loans drawn at a time: it bounds memory (about 20 MB) whatever the size of the portfolio."""


@dataclass(frozen=True, slots=True)
class Score:
    """One agency's success rate. Bounds are None where there is too little data.

    `position` counts from 1 and is shared by equal rates; it says nothing about whether two
    agencies can be told apart. `distinguishable_from_field` says that the interval excludes the
    pooled rate of all agencies. Without loans there is neither rate nor position.
    """

    agency: int
    loans: int
    placed_minor: int
    recovered_minor: int
    rate_ppm: int | None
    low_ppm: int | None = None
    high_ppm: int | None = None
    position: int | None = None
    distinguishable_from_field: bool = False


def pooled_rate_ppm(placed_minor: np.ndarray, recovered_minor: np.ndarray) -> int | None:
    """Σ recovered ÷ Σ placed in ppm; None where nothing was placed."""
    placed = int(np.sum(placed_minor, dtype=np.int64))
    if placed == 0:
        return None
    recovered = int(np.sum(recovered_minor, dtype=np.int64))
    return money.round_half_away(recovered * money.PPM, placed)


def success_rates(
    agency_index: np.ndarray,
    placed_minor: np.ndarray,
    recovered_minor: np.ndarray,
    *,
    agencies: int,
    seed: int,
    draws: int = 1000,
    level: float = 0.95,
) -> list[Score]:
    """Score agencies 0 … `agencies` − 1, highest rate first, those without loans last.

    The three arrays have one element per placed loan: its agency, its balance at placement (above
    zero) and what was recovered of it net of reversals, both int64 minor units of one currency.
    Neither the order of the loans nor the numbering of the agencies changes an interval.
    Raises ValueError for arrays of different lengths, a balance of zero or less, or an agency out
    of range.
    """
    if not agency_index.shape == placed_minor.shape == recovered_minor.shape:
        raise ValueError("the arrays must have one element per placed loan")
    if (placed_minor <= 0).any():
        raise ValueError("a placed balance is above zero")
    if ((agency_index < 0) | (agency_index >= agencies)).any():
        raise ValueError("an agency is out of range")

    pooled_ppm = pooled_rate_ppm(placed_minor, recovered_minor)
    scores = []
    for agency in range(agencies):
        own = agency_index == agency
        placed, recovered = placed_minor[own], recovered_minor[own]
        score = Score(
            agency=agency,
            loans=len(placed),
            placed_minor=int(placed.sum()),
            recovered_minor=int(recovered.sum()),
            rate_ppm=pooled_rate_ppm(placed, recovered),
        )
        if len(placed) >= MINIMUM_LOANS and np.count_nonzero(recovered) >= MINIMUM_PAYING_LOANS:
            low_ppm, high_ppm = _interval(placed, recovered, seed, draws, level)
            score = dataclasses.replace(
                score,
                low_ppm=low_ppm,
                high_ppm=high_ppm,
                distinguishable_from_field=not low_ppm <= (pooled_ppm or 0) <= high_ppm,
            )
        scores.append(score)
    return _in_order(scores)


def _in_order(scores: list[Score]) -> list[Score]:
    """Highest rate first, with positions: 1, 2, 2, 4 where the second and third are equal."""
    rates = [score.rate_ppm for score in scores if score.rate_ppm is not None]
    placed = [
        dataclasses.replace(score, position=1 + sum(rate > score.rate_ppm for rate in rates))
        for score in scores
        if score.rate_ppm is not None
    ]
    placed.sort(key=lambda score: (score.position, score.agency))
    return placed + [score for score in scores if score.rate_ppm is None]


def _interval(
    placed: np.ndarray, recovered: np.ndarray, seed: int, draws: int, level: float
) -> tuple[int, int]:
    """The middle `level` of the rate over `draws` resamples of the loans with replacement, ppm."""
    order = np.lexsort((recovered, placed))
    # One complex number per loan, so that one gather and one sum serve both totals.
    pairs = placed[order] + 1j * recovered[order]
    loans = len(pairs)
    generator = np.random.Generator(np.random.PCG64(seed))
    totals = np.empty(draws, dtype=np.complex128)
    step = max(1, _BLOCK // loans)
    for start in range(0, draws, step):
        rows = min(step, draws - start)
        drawn = generator.integers(loans, size=(rows, loans), dtype=np.int32)
        totals[start : start + rows] = pairs[drawn].sum(axis=1)
    tail = (1 - level) / 2
    low, high = np.quantile(totals.imag / totals.real, (tail, 1 - tail)) * money.PPM
    return round(low), round(high)
