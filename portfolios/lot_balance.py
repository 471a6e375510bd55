"""How alike lots are: the balance report, and whether lots may be placed as they are.

The standardised mean difference of a measure is its mean in a lot less its mean in the rest of the
loans, in standard deviations of all of them, here in parts per million. Austin 2009 (Statistics in
Medicine 28:3083) on its use and on the bar of 0.1.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from config import money
from portfolios import lot_covariates
from portfolios.lot_covariates import Loans

ACCEPTABLE_PPM = 20_000
REFUSED_PPM = 100_000
CHANCE_ACCEPTED = 1
CHANCE_REFUSED = 4
"""How many times what chance alone deviates by, for lots of fewer than 2,000 loans in all."""


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """One measure in one lot against the rest. `covariate` and `level` as in `lot_covariates`."""

    covariate: str
    level: str
    difference_ppm: int


@dataclasses.dataclass(frozen=True, slots=True)
class LotBalance:
    """One lot: its loans, their sum, its differences, and the limits that hold for its size."""

    loans: int
    balance_minor: int
    differences: list[Difference]
    acceptable_ppm: int
    refused_ppm: int

    @property
    def largest(self) -> Difference | None:
        """The largest difference; None where the lot is the whole or all loans are alike."""
        return max(self.differences, key=lambda one: abs(one.difference_ppm), default=None)

    @property
    def largest_ppm(self) -> int:
        return abs(self.largest.difference_ppm) if self.largest else 0

    @property
    def needs_acceptance(self) -> bool:
        return self.largest_ppm > self.acceptable_ppm

    @property
    def is_refused(self) -> bool:
        return self.largest_ppm > self.refused_ppm


def report(
    loans: Loans, part_of: np.ndarray, parts: int, lots: Sequence[Sequence[int]]
) -> list[LotBalance]:
    """The balance of lots, each of them given as the numbers of its parts in `part_of`.

    `part_of` has one of `parts` parts per loan, or -1. Levels that are rare beside the smallest of
    all parts are put together, as when the lots were drawn.
    """
    place = np.where(part_of < 0, parts, part_of)
    counts = np.bincount(place, minlength=parts + 1)
    sums = np.bincount(place, loans.balance_minor, minlength=parts + 1)
    smallest = min((count for count in counts[:parts].tolist() if count), default=0)
    means: list[tuple[str, str, np.ndarray]] = []
    for measure in lot_covariates.measures(loans, smallest):
        standardised = (measure.values - measure.values.mean()) / measure.values.std()
        means.append(
            (measure.covariate, measure.level, np.bincount(place, standardised, parts + 1))
        )
    for grouping in lot_covariates.groupings(loans, smallest):
        width = len(grouping.names)
        pairs = np.bincount(place * width + grouping.codes, minlength=(parts + 1) * width)
        table = pairs.reshape(-1, width)
        share = table.sum(axis=0) / len(loans)
        above = (table - np.outer(counts, share)) / np.sqrt(share * (1 - share))
        means += [
            (grouping.covariate, name, above[:, number])
            for number, name in enumerate(grouping.names)
        ]
    return [_lot(len(loans), counts, sums, means, list(members)) for members in lots]


def _lot(loans: int, counts, sums, means, members: list[int]) -> LotBalance:
    held = int(counts[members].sum())
    rest = loans - held
    acceptable_ppm, refused_ppm = limits(loans, held)
    return LotBalance(
        loans=held,
        balance_minor=round(float(sums[members].sum())),
        differences=[
            Difference(covariate, level, _ppm(float(above[members].sum()) * loans / (held * rest)))
            for covariate, level, above in means
        ]
        if held and rest
        else [],
        acceptable_ppm=acceptable_ppm,
        refused_ppm=refused_ppm,
    )


def _ppm(difference: float) -> int:
    return round(difference * money.PPM)


def limits(loans: int, lot_loans: int) -> tuple[int, int]:
    """The difference above which a lot must be accepted, and the one above which it is refused.

    0.02 and 0.1; of fewer than 2,000 loans no less than once and four times the standard deviation
    that chance alone would give to a lot of this size.
    """
    if loans >= lot_covariates.PLAIN_FROM_LOANS:
        return ACCEPTABLE_PPM, REFUSED_PPM
    chance_ppm = _ppm(lot_covariates.chance(loans, lot_loans))
    return (
        max(ACCEPTABLE_PPM, CHANCE_ACCEPTED * chance_ppm),
        max(REFUSED_PPM, CHANCE_REFUSED * chance_ppm),
    )


def spread_ppm(lots: Sequence[LotBalance]) -> int:
    """How far the average balances of the lots lie apart: largest less smallest, of their mean.

    For equal lots that is the spread of their sums of money.
    """
    averages = [lot.balance_minor / lot.loans for lot in lots if lot.loans]
    if len(averages) < 2:
        return 0
    return _ppm((max(averages) - min(averages)) * len(averages) / sum(averages))
