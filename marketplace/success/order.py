"""Who is before whom, and how sure that is: expected ranks, tiers, reliability."""

import numpy as np
from scipy.special import ndtr


def better(mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Agencies × agencies: how probably the one is better than the other, from mean and variance
    of the logarithms of their indices."""
    apart = mean[:, None] - mean[None, :]
    spread = np.sqrt(variance[:, None] + variance[None, :])
    return ndtr(np.divide(apart, spread, out=np.zeros_like(apart), where=spread > 0))


def expected_ranks(probability: np.ndarray) -> np.ndarray:
    """1 + Σ P(another is better): the rank with the least expected squared error (Lin, Louis,
    Paddock & Ridgeway 2006), without the noise of draws."""
    others = probability.T - np.diag(np.diag(probability))
    return 1 + others.sum(axis=1)


def tiers(expected: np.ndarray, probability: np.ndarray, tie_probability: float) -> np.ndarray:
    """Tiers from 1 on, of agencies of one group.

    A tier is the first that has none yet and everyone behind it that it does not beat with
    `tie_probability`.
    """
    order = np.argsort(expected, kind="stable")
    tier = np.zeros(len(order), dtype=int)
    number = 0
    for leader in order:
        if tier[leader]:
            continue
        number += 1
        tied = (tier == 0) & (probability[leader] < tie_probability)
        tied[leader] = True
        tier[tied] = number
    return tier
