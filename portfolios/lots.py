"""Drawing a portfolio's loans into comparable lots at random: nobody chooses who gets which.

Matched-block randomisation with exchanges (`lot_exchange`): borrowers are sorted by how many loans
they have, product and earlier placements, fifty bands of expected recovery, and balance up and
down by turns; consecutive ones form blocks in which every lot has its share of places, and chance
deals the places out. The same seed and loans give the same lots in whatever order the loans come:
chance is the raw output of PCG64, a stream that NumPy keeps the same from version to version
(NEP 19), and what is compared are whole numbers.
"""

from collections.abc import Sequence

import numpy as np

from config import errors, money
from portfolios import lot_exchange
from portfolios.lot_covariates import Loans

UNPLACED = -1
BANDS = 50
LONGEST_BLOCK = 64
LARGEST_BALANCE_MINOR = 2**50


def draw(loans: Loans, shares_ppm: Sequence[int], seed: int, *, refine: bool = True) -> np.ndarray:
    """The lot of each loan, as an index into `shares_ppm`; `UNPLACED` beyond the shares' sum.

    The number of loans per lot follows the shares by largest remainder. A borrower's loans stay
    together; then a lot may hold up to one borrower's loans more or fewer. Without `refine` the
    blocks are left as chance dealt them.

    Raises `INVALID_SHARES`, `SHARES_ABOVE_WHOLE` (more than 1,000,000 together); ValueError for
    a negative seed or ids that repeat.
    """
    rest_ppm = money.PPM - sum(shares_ppm)
    if rest_ppm < 0:
        raise errors.InvalidInput("SHARES_ABOVE_WHOLE", "The shares are more than 100 % together.")
    counts = money.split_by_shares(len(loans), [*shares_ppm, rest_ppm])
    bits = np.random.PCG64(seed)
    if not len(loans):
        return np.empty(0, np.intp)
    order, units = _in_order(loans)
    lot_of = _dealt(units, counts, len(loans), bits)
    judged = [count > 0 for count in counts[:-1]]
    if refine and any(judged):
        lot_exchange.exchange(loans.taken(order), units, lot_of, counts, [*judged, False], bits)
    drawn = np.empty(len(loans), np.intp)
    sizes = np.diff(units.first, append=len(loans))
    drawn[order] = np.repeat(np.where(lot_of == len(shares_ppm), UNPLACED, lot_of), sizes)
    return drawn


def _in_order(loans: Loans) -> tuple[np.ndarray, lot_exchange.Units]:
    """The loans' order by unit, and the units in the order in which blocks are cut."""
    by_id = np.lexsort((loans.ids[:, 1], loans.ids[:, 0]))
    ids = loans.ids[by_id]
    if (ids[1:] == ids[:-1]).all(axis=1).any():
        raise ValueError("the same loan was given twice")
    borrowers = loans.borrowers[by_id]
    grouped = np.argsort(borrowers, kind="stable")
    first = _edges(borrowers[grouped])
    sizes = np.diff(first, append=len(grouped))
    # Units in the order in which they are met going by id: how borrowers are numbered is nothing.
    met = np.argsort(grouped[first])
    stratum, place = _keys(loans, by_id[grouped], first, sizes)
    order = met[np.lexsort((place[met], stratum[met]))]
    stratum, sizes = stratum[order], sizes[order]
    starts = np.cumsum(sizes) - sizes
    loan_order = np.repeat(first[order] - starts, sizes) + np.arange(len(grouped))
    edges = _edges(stratum)
    ends = np.append(edges[1:], len(stratum))
    class_edges = _edges(sizes)
    class_ends = np.append(class_edges[1:], len(sizes)).tolist()
    units = lot_exchange.Units(
        first=starts,
        stratum_start=np.repeat(edges, ends - edges),
        stratum_end=np.repeat(ends, ends - edges),
        classes=[
            (start, end, int(sizes[start]))
            for start, end in zip(class_edges.tolist(), class_ends, strict=True)
        ],
    )
    return by_id[grouped][loan_order], units


def _edges(values: np.ndarray) -> np.ndarray:
    """Where runs of the same value begin."""
    return np.flatnonzero(np.concatenate(([True], values[1:] != values[:-1])))


def _keys(loans: Loans, order, first, sizes) -> tuple[np.ndarray, np.ndarray]:
    """By what units are sorted: their stratum (the largest borrowers first), their place in it."""
    lead = order[first]
    kinds = np.unique(sizes)[::-1]
    stratum = len(kinds) - 1 - np.searchsorted(kinds[::-1], sizes)
    stratum = stratum * len(loans.products.names) + loans.products.codes[lead]
    earlier = loans.earlier_placements[lead]
    stratum = stratum * (int(earlier.max()) + 1) + earlier
    if stratum.max() < 2**16:
        stratum = stratum.astype(np.uint16)  # sorted several times faster
    band = _bands(np.add.reduceat(_known(loans.expected_recovery_ppm)[order], first) / sizes)
    balance = np.add.reduceat(loans.balance_minor[order], first)
    balance = np.minimum(balance, LARGEST_BALANCE_MINOR)
    upwards = np.where(band % 2 == 0, balance, LARGEST_BALANCE_MINOR - balance)
    return stratum, band * (LARGEST_BALANCE_MINOR + 1) + upwards


def _known(values: np.ndarray) -> np.ndarray:
    """Unknown values as the mean of the known ones."""
    unknown = np.isnan(values)
    if not unknown.any():
        return values
    return np.where(unknown, 0.0 if unknown.all() else np.nanmean(values), values)


def _bands(values: np.ndarray) -> np.ndarray:
    """The fiftieth part of the units in which each value lies; equal values lie together."""
    parts = np.arange(1, BANDS) / BANDS
    return np.searchsorted(np.quantile(values, parts, method="lower"), values, side="right")


def _dealt(
    units: lot_exchange.Units, counts: Sequence[int], loans: int, bits: np.random.PCG64
) -> np.ndarray:
    """The lot of each unit: block by block as chance deals, the largest borrowers first.

    Every size of borrower is shared out by what the lots still lack, its odd ones by chance; the
    last and smallest size brings the lots to their counts.
    """
    lot_of = np.empty(len(units.first), np.intp)
    given = [0] * len(counts)
    seen = 0
    for start, end, size in units.classes:
        seen += (end - start) * size
        lacking = [
            max(count * seen - held * loans, 0) for count, held in zip(counts, given, strict=True)
        ]
        shares = _rounded(lacking, end - start, bits)
        lot_of[start:end] = _blocks(shares, bits)
        given = [held + share * size for held, share in zip(given, shares, strict=True)]
    return lot_of


def _rounded(weights: list[int], units: int, bits: np.random.PCG64) -> list[int]:
    """`units` shared out by weights, each share rounded up or down by chance, without bias.

    Systematic sampling: Madow 1949.
    """
    whole = sum(weights)
    start = int(bits.random_raw()) * whole >> 64
    order = np.argsort(bits.random_raw(len(weights)), kind="stable").tolist()
    shares, sum_before = [0] * len(weights), 0
    for lot in order:
        sum_after = sum_before + weights[lot] * units
        shares[lot] = (sum_after + start) // whole - (sum_before + start) // whole
        sum_before = sum_after
    return shares


def _blocks(shares: list[int], bits: np.random.PCG64) -> np.ndarray:
    """A lot for every place in the row: each lot's places evenly spread, dealt out in blocks."""
    begins = (int(bits.random_raw()) >> 11) / 2**53
    spread = np.concatenate([(np.arange(share) + begins) / max(share, 1) for share in shares])
    row = np.repeat(np.arange(len(shares)), shares)[np.argsort(spread, kind="stable")]
    length = min(-(-len(row) // min(share for share in shares if share)), LONGEST_BLOCK)
    chance = bits.random_raw(len(row))
    full = len(row) // length * length
    dealt = np.argsort(chance[:full].reshape(-1, length), axis=1, kind="stable")
    dealt += np.arange(0, full, length)[:, None]
    rest = full + np.argsort(chance[full:], kind="stable")
    return row[np.concatenate((dealt.ravel(), rest))]
