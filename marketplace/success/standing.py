"""Where an agency stands: whether there is enough of it to say so, and its place if there is."""

import dataclasses
import enum

import numpy as np

from marketplace.success import order
from marketplace.success.book import Policy
from marketplace.success.cells import Cells
from marketplace.success.factors import Factors
from marketplace.success.fits import ratio

RANK_LEVEL = 0.90
COMPANIONS = 2
COMPANION_SHARE = 0.05
COMPARABLE_SHARE = 0.5


class Status(enum.Enum):
    """What may be said of an agency: a place, an interval alone, that there is too little, or that
    its conduct bars it from having a place."""

    RANKED = "ranked"
    PROVISIONAL = "provisional"
    TOO_LITTLE = "too little data"
    BARRED = "barred"


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a ranked agency stands in its group: its rank is from `low` to `high` with 90 %.

    `position` is one more than how many stand in tiers before its own, which it shares if
    `is_tied`.
    """

    expected_rank: float
    low: int
    high: int
    probability_top_quarter: float
    tier: int
    position: int
    is_tied: bool


def status(policy: Policy, factors: Factors, cells: Cells, reliability: np.ndarray) -> list[Status]:
    """Whether there is enough of an agency, and enough of others on the same loans."""
    exposed = cells.balance_months.sum(axis=0)
    present = np.count_nonzero(cells.balance_months, axis=0)
    # In a field of more than ten even an equal share is hardly 5 %: half of one is company too.
    least = np.minimum(COMPANION_SHARE, 0.5 / np.maximum(1, present))
    is_company = (cells.balance_months > 0) & (cells.balance_months >= least * exposed)
    others = is_company.sum(axis=0)[None] - is_company
    expected = cells.balance_months * factors.money.rate[None]
    comparable = ratio(
        (expected * (others >= COMPANIONS)).sum(axis=(1, 2)), expected.sum(axis=(1, 2))
    )
    months = (cells.loan_months.sum(axis=1) > 0).sum(axis=1)
    is_fit = (months >= policy.least_months) & (comparable >= COMPARABLE_SHARE)
    found = []
    for fit, sure in zip(is_fit, reliability, strict=True):
        if fit and sure >= policy.ranked_from:
            found.append(Status.RANKED)
        elif fit and sure >= policy.provisional_from:
            found.append(Status.PROVISIONAL)
        else:
            found.append(Status.TOO_LITTLE)
    return found


def places(
    group: np.ndarray,
    statuses: list[Status],
    mean: np.ndarray,
    variance: np.ndarray,
    drawn: np.ndarray,
    policy: Policy,
) -> dict[int, Place]:
    """The places of those who are ranked, each among those of its group.

    `mean` and `variance` are of the logarithms of the indices, `drawn` is draws × agencies.
    """
    ranked = np.array([one is Status.RANKED for one in statuses])
    tail = (1 - RANK_LEVEL) / 2
    found = {}
    for number in np.unique(group[ranked]):
        own = np.flatnonzero(ranked & (group == number))
        probability = order.better(mean[own], variance[own])
        expected = order.expected_ranks(probability)
        tier = order.tiers(expected, probability, policy.tie_probability)
        ranks = (-drawn[:, own]).argsort(axis=1).argsort(axis=1) + 1
        low, high = np.quantile(ranks, (tail, 1 - tail), axis=0, method="inverted_cdf")
        top = (ranks <= max(1, round(len(own) / 4))).mean(axis=0)
        for agency, *stand in zip(own, expected, low, high, top, tier, strict=True):
            rank, lowest, highest, best, number_of_tier = stand
            found[int(agency)] = Place(
                expected_rank=float(rank),
                low=int(lowest),
                high=int(highest),
                probability_top_quarter=float(best),
                tier=int(number_of_tier),
                position=1 + int((tier < number_of_tier).sum()),
                is_tied=int((tier == number_of_tier).sum()) > 1,
            )
    return found
