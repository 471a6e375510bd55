"""Conduct as a gate, never as a weight: any weight would be a price for a complaint.

Upheld complaints and breaches are few, so they go through the same shrinkage as recoveries: an
agency of a hundred loans with one complaint is not the worst of the field.
"""

import dataclasses
import enum

import numpy as np
from scipy.special import gammaincc

from marketplace.success import shrinkage


class Light(enum.Enum):
    """Red: no place and no new placements. Amber: a place with a mark, and no larger share."""

    RED = "red"
    AMBER = "amber"
    GREEN = "green"


@dataclasses.dataclass(frozen=True)
class Limits:
    """Red where the rate is more than `red_ratio` times the field's with `red_probability`, amber
    likewise."""

    red_ratio: float = 1.5
    red_probability: float = 0.95
    amber_ratio: float = 1.25
    amber_probability: float = 0.80


@dataclasses.dataclass(frozen=True)
class Gate:
    """One agency's light; `rate_ratio` is the posterior mean of its rate against the field's."""

    light: Light
    rate_ratio: float
    probability_red: float
    probability_amber: float


def judge(
    events: np.ndarray,
    loan_months: np.ndarray,
    has_critical: np.ndarray,
    limits: Limits | None = None,
) -> list[Gate]:
    """The gates of agencies by what was upheld against them over so many loan-months.

    `has_critical`: there was a breach that no rate excuses. Raises ValueError for negative counts
    or exposures, and for events without exposure.
    """
    if (events < 0).any() or (loan_months < 0).any():
        raise ValueError("a count or an exposure is negative")
    if (events[loan_months == 0] > 0).any():
        raise ValueError("something happened without exposure")
    limits = limits or Limits()
    mean, red, amber = np.ones(len(events)), np.zeros(len(events)), np.zeros(len(events))
    # Where nothing happened to anybody there is no rate to compare with.
    if events.any():
        field = float(events.sum() / loan_months.sum())
        found = shrinkage.posterior(events.astype(float), loan_months * field)
        mean = found.mean
        red, amber = _above(found, limits.red_ratio), _above(found, limits.amber_ratio)
    return [
        Gate(
            light=_light(bool(critical), float(is_red), float(is_amber), limits),
            rate_ratio=float(rate_ratio),
            probability_red=float(is_red),
            probability_amber=float(is_amber),
        )
        for critical, rate_ratio, is_red, is_amber in zip(
            has_critical, mean, red, amber, strict=True
        )
    ]


def _above(found: shrinkage.Posterior, limit: float) -> np.ndarray:
    """By agency, the probability that θ is above the limit."""
    return gammaincc(found.shape, found.rate * limit) @ found.weight


def _light(has_critical: bool, red: float, amber: float, limits: Limits) -> Light:
    if has_critical or red > limits.red_probability:
        return Light.RED
    return Light.AMBER if amber > limits.amber_probability else Light.GREEN
