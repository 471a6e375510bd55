"""What makes lots comparable: the facts of the loans, and the measures they are compared by."""

import dataclasses
import math
from collections.abc import Iterator

import numpy as np

AIM = 0.005
"""Standardised mean difference at which lots of many loans are good enough."""
PROMISED = 0.006
PROMISED_FROM_LOANS = 20_000
ACCEPTABLE = 0.02
"""Above it somebody must accept the lots (Stuart 2010 calls 0.1 large; the industry uses that)."""
PLAIN_FROM_LOANS = 2_000
"""Below it lots are judged beside chance as well."""

OTHER = "other"
MISSING = "missing"


@dataclasses.dataclass(frozen=True, slots=True)
class Loans:
    """Loans to be drawn, column by column; all arrays have one entry per loan.

    `ids` are `halves` of unique identifiers; loans with the same number in `borrowers` belong to
    one borrower. `score` and `expected_recovery_ppm` are float64, NaN where unknown; `products`
    and `regions` are texts.
    """

    ids: np.ndarray
    borrowers: np.ndarray
    balance_minor: np.ndarray
    days_past_due: np.ndarray
    score: np.ndarray
    expected_recovery_ppm: np.ndarray
    earlier_placements: np.ndarray
    products: "Levels"
    regions: "Levels"

    def __len__(self) -> int:
        return len(self.ids)

    def taken(self, order: np.ndarray) -> "Loans":
        """The same loans in another order, or some of them."""
        return Loans(*(getattr(self, field.name)[order] for field in dataclasses.fields(self)))


@dataclasses.dataclass(frozen=True, slots=True)
class Levels:
    """A text per loan as `codes` into `names`, which are sorted and different."""

    names: tuple[str, ...]
    codes: np.ndarray

    def __getitem__(self, order: np.ndarray) -> "Levels":
        return Levels(self.names, self.codes[order])


def levels(texts) -> Levels:
    """Levels of a sequence of texts."""
    names = sorted(set(texts))
    numbers = {name: number for number, name in enumerate(names)}
    return Levels(tuple(names), np.fromiter((numbers[text] for text in texts), np.int32))


def halves(identifiers) -> np.ndarray:
    """UUIDs as rows of two unsigned 64-bit numbers that sort as they do."""
    content = b"".join(identifier.bytes for identifier in identifiers)
    return np.frombuffer(content, ">u8").astype(np.uint64).reshape(-1, 2)


def numbered(rows: np.ndarray) -> np.ndarray:
    """A number for each row of `halves`, the same for rows that are the same."""
    order = np.lexsort((rows[:, 1], rows[:, 0]))
    is_new = (rows[order][1:] != rows[order][:-1]).any(axis=1)
    numbers = np.zeros(len(rows), np.int64)
    numbers[order[1:]] = np.cumsum(is_new)
    return numbers


@dataclasses.dataclass(frozen=True, slots=True)
class Measure:
    """A number per loan, called `covariate` (and `level`, where a covariate has several)."""

    covariate: str
    level: str
    values: np.ndarray


@dataclasses.dataclass(frozen=True, slots=True)
class Grouping:
    """A covariate of levels: `codes` per loan into `names`, each a measure of nought and one."""

    covariate: str
    names: tuple[str, ...]
    codes: np.ndarray


def chance(loans: int, lot_loans: int) -> float:
    """Standard deviation of the standardised mean difference of a lot drawn plainly at random."""
    rest = loans - lot_loans
    return math.sqrt(1 / lot_loans + 1 / rest) if lot_loans and rest else 0.0


def resolution(loans: int, lot_loans: int) -> float:
    """The difference that a measure must be able to tell apart in a lot of this size."""
    if loans >= PROMISED_FROM_LOANS:
        return PROMISED
    if loans >= PLAIN_FROM_LOANS:
        return ACCEPTABLE
    return max(ACCEPTABLE, chance(loans, lot_loans))


def measures(loans: Loans, smallest: int) -> Iterator[Measure]:
    """Balance, its logarithm, days past due, score, expected recovery, and what is unknown.

    An unknown score counts as the mean of the known ones, and its being unknown as a measure of
    its own. Measures on which all loans agree are left out; `smallest` is the number of loans in
    the smallest lot.
    """
    balances = loans.balance_minor.astype(np.float64)
    yield from _varying("balance", balances)
    yield from _varying("log_balance", np.log(np.maximum(balances, 1)))
    yield from _varying("days_past_due", loans.days_past_due.astype(np.float64))
    for covariate, values in (
        ("score", loans.score),
        ("expected_recovery", loans.expected_recovery_ppm),
    ):
        unknown = np.isnan(values)
        count = int(unknown.sum())
        if count == len(values):
            continue
        yield from _varying(covariate, np.where(unknown, np.nanmean(values), values))
        if _is_resolved(count, len(values), smallest):
            yield Measure(covariate, MISSING, unknown.astype(np.float64))


def _varying(covariate: str, values: np.ndarray) -> Iterator[Measure]:
    if len(values) and values.min() < values.max():
        yield Measure(covariate, "", values)


def groupings(loans: Loans, smallest: int) -> Iterator[Grouping]:
    """Product, region and number of earlier placements, rare levels put together as "other".

    A level is rare where one loan more or less in the smallest lot moves its difference beyond
    what is to be resolved: no draw could balance it.
    """
    placed, codes = np.unique(loans.earlier_placements, return_inverse=True)
    earlier = Levels(tuple(str(number) for number in placed.tolist()), codes)
    for covariate, found in (
        ("product", loans.products),
        ("region", loans.regions),
        ("earlier_placements", earlier),
    ):
        counts = np.bincount(found.codes, minlength=len(found.names))
        kept = _kept(counts, len(loans), smallest)
        has_rest = int(counts[kept].sum()) < len(loans)
        new = np.full(len(found.names), len(kept), np.int32)
        new[kept] = np.arange(len(kept))
        names = (*(found.names[place] for place in kept), *([OTHER] if has_rest else []))
        grouped = Grouping(covariate, names, new[found.codes])
        if len(grouped.names) > 1:
            yield grouped


def _kept(counts: np.ndarray, loans: int, smallest: int) -> list[int]:
    """The levels that stand by themselves; the rest is resolved too, or there is no rest."""
    kept = [
        place for place, count in enumerate(counts.tolist()) if _is_resolved(count, loans, smallest)
    ]
    kept.sort(key=lambda place: (-counts[place], place))
    while kept and not _is_resolved(rest := loans - int(counts[kept].sum()), loans, smallest):
        if rest == 0:
            break
        kept.pop()
    return sorted(kept)


def _is_resolved(count: int, loans: int, smallest: int) -> bool:
    share = count / loans if loans else 0
    deviation = math.sqrt(share * (1 - share))
    return smallest * deviation * resolution(loans, smallest) >= 1
