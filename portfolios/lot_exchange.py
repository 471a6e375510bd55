"""Exchanging borrowers between lots until the lots are alike.

Rounds of randomly proposed exchanges within a stratum, of which those are made that lessen the sum
of squared standardised mean differences most, at most one per lot and round, so that each lessens
it by exactly what was computed. First-moment anticlustering (Papenberg and Klau 2021).

All decisions are made on whole numbers: measures are rounded to 1/256 of their standard deviation.
Sums of whole numbers do not depend on their order, so another machine decides the same.
"""

import dataclasses

import numpy as np

from portfolios import lot_covariates
from portfolios.lot_covariates import Loans

SCALE = 256
LARGEST = 2**20
WEIGHT = 2**16
PROPOSALS_PER_LOT = 64
FEWEST_PROPOSALS = 1_024
MOST_ROUNDS = 4_000
IDLE_ROUNDS = 60
SHAKES = 20
"""How often lots that can no more be bettered step by step are shaken by a few blind exchanges."""
FEW = 20
"""One in so many differences, or fewer, being too large, the largest one is aimed at."""
FREE_ROUND = 4
"""Every so many rounds partners come from any stratum: what strata leave over is evened out."""


@dataclasses.dataclass(frozen=True, slots=True)
class Units:
    """Borrowers in the order of the draw; the loans of each lie together.

    `first` is where a unit's loans begin; `stratum_start` and `stratum_end` bound the units of
    its stratum; `classes` are (start, end, loans per unit): only units of one size are exchanged.
    """

    first: np.ndarray
    stratum_start: np.ndarray
    stratum_end: np.ndarray
    classes: list[tuple[int, int, int]]


class _Facts:
    """Standardised measures of loans, as whole numbers, of a few units at a time."""

    def __init__(self, loans: Loans, smallest: int):
        columns = [
            np.clip(np.rint(_standardised(m.values) * SCALE), -LARGEST, LARGEST).astype(np.int32)
            for m in lot_covariates.measures(loans, smallest)
        ]
        self.columns = np.stack(columns, axis=1) if columns else np.zeros((len(loans), 0), np.int32)
        self.codes, self.tables = [], []
        for grouping in lot_covariates.groupings(loans, smallest):
            share = np.bincount(grouping.codes, minlength=len(grouping.names)) / len(loans)
            table = np.diag(1 / np.sqrt(share * (1 - share)))
            self.codes.append(grouping.codes)
            self.tables.append(np.rint(table * SCALE).astype(np.int64))

    @property
    def width(self) -> int:
        return self.columns.shape[1] + sum(len(table) for table in self.tables)

    def of(self, first: np.ndarray, size: int) -> np.ndarray:
        """Sums over the loans of units of `size` loans, one row a unit."""
        places = first[:, None] + np.arange(size)
        parts = [self.columns[places].sum(axis=1, dtype=np.int64)]
        for codes, table in zip(self.codes, self.tables, strict=True):
            parts.append(table[codes[places]].sum(axis=1))
        return np.concatenate(parts, axis=1)

    def pool(self, lot_of, first, start, end, lot, place, is_above) -> np.ndarray:
        """Units from `start` to `end` whose exchange may lessen measure `place` in `lot`.

        Those of the lot; for a level those of the lot that have it, or, where the lot has too
        few, those of other lots that have it.
        """
        is_in = lot_of[start:end] == lot
        place -= self.columns.shape[1]
        for codes, table in zip(self.codes, self.tables, strict=True):
            if 0 <= place < len(table):
                has_level = codes[first[start:end]] == place
                is_in = has_level & (is_in if is_above else ~is_in)
            place -= len(table)
        return start + np.flatnonzero(is_in)

    def sums(self, lot_of: np.ndarray, lots: int) -> np.ndarray:
        """By how much each measure's sum in each lot, one row a lot, is above its expectation."""
        sums = np.empty((lots, self.width), np.int64)
        for place in range(self.columns.shape[1]):
            # Exact: below 2**53.
            sums[:, place] = np.bincount(lot_of, self.columns[:, place], minlength=lots)
        place = self.columns.shape[1]
        for codes, table in zip(self.codes, self.tables, strict=True):
            pairs = np.bincount(lot_of * len(table) + codes, minlength=lots * len(table))
            sums[:, place : place + len(table)] = pairs.reshape(lots, -1) @ table
            place += len(table)
        held = np.bincount(lot_of, minlength=lots)[:, None]
        return sums - np.rint(held / len(lot_of) * sums.sum(axis=0)).astype(np.int64)


def _standardised(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / values.std()


def exchange(
    loans: Loans,
    units: Units,
    lot_of: np.ndarray,
    counts: list[int],
    judged: list[bool],
    bits: np.random.PCG64,
) -> None:
    """Change `lot_of` (one lot per unit) until no lot's difference is above the aim.

    `loans` come in the order of the units; `counts` are the loans of each lot; lots that are not
    `judged` only give and take. Stops too when nothing better is found any more.
    """
    sizes = np.diff(units.first, append=len(loans))
    smallest = min(count for count, of_interest in zip(counts, judged, strict=True) if of_interest)
    facts = _Facts(loans, smallest)
    if not facts.width:
        return
    total = len(loans)
    loans_in = np.bincount(lot_of, sizes, minlength=len(counts)).astype(np.int64)
    factor = np.array(
        [
            total / (held * (total - held)) if of_interest and 0 < held < total else 0.0
            for held, of_interest in zip(loans_in.tolist(), judged, strict=True)
        ]
    )
    if not factor.any():
        return
    weight = np.ceil((factor / factor.max()) ** 2 * WEIGHT).astype(np.int64)
    sums = facts.sums(np.repeat(lot_of, sizes), len(counts))
    reach = lot_covariates.AIM * SCALE / np.where(factor > 0, factor, np.nan)
    proposals = max(FEWEST_PROPOSALS, PROPOSALS_PER_LOT * len(counts))
    idle, shakes = 0, 0
    best = (np.inf, lot_of)
    enough = lot_covariates.resolution(total, smallest) * SCALE
    for number in range(MOST_ROUNDS):
        is_far = np.abs(sums) > reach[:, None]
        far = int(np.count_nonzero(is_far))
        if not far:
            return
        is_aimed = number % 2 == 1 and far * FEW <= is_far.size
        is_free = number % FREE_ROUND < 2
        worst = _worst(sums, factor) if is_aimed else None
        size, ours, theirs = _proposed(facts, units, lot_of, worst, is_free, proposals, bits)
        is_shaken = idle >= IDLE_ROUNDS
        if is_shaken:
            best = _better(best, lot_of, sums, factor)
            if best[0] <= enough or shakes == SHAKES:
                break
            shakes += 1
        made = _made(facts, units.first, size, lot_of, sums, weight, ours, theirs, is_shaken)
        idle = 0 if made else idle + 1
    best = _better(best, lot_of, sums, factor)
    lot_of[:] = best[1]


def _worst(sums: np.ndarray, factor: np.ndarray) -> tuple[int, int, bool]:
    """The lot and the measure that differ most, and whether the lot is above the rest."""
    size = np.abs(sums) * factor[:, None]
    lot, place = divmod(int(np.argmax(size)), sums.shape[1])
    return lot, place, bool(sums[lot, place] > 0)


def _proposed(facts, units, lot_of, worst, is_free, proposals, bits):
    """(loans per unit, units, as many others): pairs of one size to exchange, drawn at random.

    The others are of the same stratum unless the round `is_free`. Where a `worst` difference is
    given, the first ones are among those whose exchange could lessen it.
    """
    start, end, size = _class(units.classes, bits)
    raw = bits.random_raw(2 * proposals)
    pool = facts.pool(lot_of, units.first, start, end, *worst) if worst else ()
    if len(pool):
        ours = pool[(raw[:proposals] % np.uint64(len(pool))).astype(np.intp)]
    else:
        ours = start + (raw[:proposals] % np.uint64(end - start)).astype(np.intp)
    low = start if is_free else units.stratum_start[ours]
    high = end if is_free else units.stratum_end[ours]
    width = np.asarray(high - low, np.uint64)
    return size, ours, low + (raw[proposals:] % width).astype(np.intp)


def _better(best: tuple[float, np.ndarray], lot_of, sums, factor) -> tuple[float, np.ndarray]:
    """The lots with the smaller largest difference: the best so far or those of now."""
    largest = float((np.abs(sums) * factor[:, None]).max())
    return (largest, lot_of.copy()) if largest < best[0] else best


def _made(facts, first, size, lot_of, sums, weight, ours, theirs, is_shaken) -> bool:
    """Make the best of the proposed exchanges, shaken the first; whether there was one."""
    apart = lot_of[ours] != lot_of[theirs]
    ours, theirs = ours[apart], theirs[apart]
    if not len(ours):
        return False
    here, there = lot_of[ours], lot_of[theirs]
    change = facts.of(first[theirs], size) - facts.of(first[ours], size)
    # Of the weighted sum of squares: (sum ± change)² - sum².
    gain = weight[here] * np.einsum("ij,ij->i", change, change + 2 * sums[here])
    gain += weight[there] * np.einsum("ij,ij->i", change, change - 2 * sums[there])
    best = np.arange(len(gain)) if is_shaken else np.argsort(gain, kind="stable")
    best = best[is_shaken | (gain[best] < 0)]
    chosen = best[_one_per_lot(here[best], there[best], len(sums))]
    sums[here[chosen]] += change[chosen]
    sums[there[chosen]] -= change[chosen]
    lot_of[ours[chosen]], lot_of[theirs[chosen]] = there[chosen], here[chosen]
    return bool(len(chosen))


def _class(classes: list[tuple[int, int, int]], bits) -> tuple[int, int, int]:
    """A size of units to exchange, as probable as there are units of it."""
    place = int(bits.random_raw()) % classes[-1][1]
    return next(one for one in classes if place < one[1])


def _one_per_lot(here: np.ndarray, there: np.ndarray, lots: int) -> np.ndarray:
    """Which proposals, the best first, are the first one for both of their lots."""
    numbers = np.arange(len(here))
    first = np.full(lots, len(here))
    np.minimum.at(first, here, numbers)
    np.minimum.at(first, there, numbers)
    return (first[here] == numbers) & (first[there] == numbers)
