"""What no adjustment can do: lots that chance dealt show what unrecorded quality pulls.

An agency's loans of random lots are nobody's choice. Where its other loans do better or worse than
those beyond chance, something was at work that was not recorded, and the others are believed less
by as much as agencies differ in that.
"""

import dataclasses

import numpy as np

from marketplace.success.fits import ratio


@dataclasses.dataclass(frozen=True)
class Combined:
    """By agency the factor and the variance of its logarithm; `pull` is σ_c, the sd of what
    unrecorded quality adds to the logarithm of the other loans' factor."""

    factor: np.ndarray
    variance: np.ndarray
    pull: float


def combine(
    random: np.ndarray, random_variance: np.ndarray, other: np.ndarray, other_variance: np.ndarray
) -> Combined:
    """Both factors of each agency as one; variances are of the logarithms, infinite where there
    is nothing.

    σ_c² by the method of moments over Δ = ln other − ln random; then weights 1/v_r and
    1/(v_n + σ_c²). Where a factor is 0 its own side alone says so.
    """
    known = (other > 0) & np.isfinite(random_variance + other_variance)
    has_both = known & (random > 0)
    apart = _log(other, other_variance)[known] - _log(random, random_variance)[known]
    # Chance is less where there is more to count: its variance is that of an average agency.
    weight = other[known] / (random_variance + other_variance)[known]
    pull_squared = _between(apart, weight)
    of_random = ratio(np.ones_like(random), random_variance)
    of_other = ratio(np.ones_like(other), other_variance + pull_squared)
    total = of_random + of_other
    # Logarithms where there are both; else what there is, which may be nothing at all.
    logs = np.zeros_like(random)
    logs[has_both] = (
        of_random[has_both] * np.log(random[has_both])
        + of_other[has_both] * np.log(other[has_both])
    ) / total[has_both]
    plain = ratio(of_random * random + of_other * other, total, otherwise=1.0)
    return Combined(
        factor=np.where(has_both, np.exp(logs), plain),
        variance=ratio(np.ones_like(total), total, otherwise=np.inf),
        pull=float(np.sqrt(pull_squared)),
    )


def _between(apart: np.ndarray, weight: np.ndarray) -> float:
    """The variance between agencies beyond that of chance (DerSimonian & Laird 1986)."""
    if len(apart) < 2:
        return 0.0
    mean = float((weight * apart).sum() / weight.sum())
    below = float(weight.sum() - (weight**2).sum() / weight.sum())
    excess = float((weight * (apart - mean) ** 2).sum()) - (len(apart) - 1)
    return max(0.0, excess / below) if below > 0 else 0.0


def _log(factor: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """The logarithm of a factor that a count of factor ÷ variance is behind; with half a success
    more it is hardly biased where that is small, and there is one where nobody paid."""
    return np.log(factor + variance / 2)
