"""How much is paid at a time, in two parts: the typical payment × what the large ones add to it.

    O/X = T × (O/X)/T

T is the mean payment, each as a part of what an average payer of its stratum brings and up to a
limit that is the same part of an agency's own T (an M-estimate of scale: Huber 1964), against that
of an average agency. The cash itself hangs on a few settlements and large loans; T tells what an
agency's hand adds with a tenth of that variance. What the large payments add is kept, and believed
by as much as the data say, as the tilt is beside the count.
"""

import dataclasses

import numpy as np

from marketplace.success import fits
from marketplace.success.book import Book, Paid
from marketplace.success.factors import PAYERS_PER_CELL, Factors
from marketplace.success.fits import ratio

TYPICAL_QUANTILE = 0.80
"""A payment counts up to what four in five do not exceed."""
PASSES_MAX, PRECISION = 100, 1e-9
SHOWN_AT_LEAST = 0.1


@dataclasses.dataclass(frozen=True)
class Sizes:
    """By agency the `typical` payment and what the `large` ones add to it, 1 where nobody paid;
    their product is the factors' `size`.

    `found` and `expected` are what the typical payment is the ratio of, by loan and in average
    payments, and `inflation` that of their fit, by agency. The limit moves with what is looked
    for, so of a change in all payments that ratio shows the part `shown`.
    """

    typical: np.ndarray
    large: np.ndarray
    found: np.ndarray
    expected: np.ndarray
    inflation: np.ndarray
    shown: float


def split(book: Book, paid: Paid, factors: Factors) -> Sizes:
    """The two parts of the factors' size."""
    loan = paid.loan[paid.is_paying]
    agency, column = book.agency[loan], book.stratum[loan]
    if len(loan) < PAYERS_PER_CELL * len(np.unique(column)):
        column = book.group_of[column]
    average = factors.severity[book.stratum[loan]] * book.balance[loan]
    part = ratio(paid.cash[paid.is_paying], average)
    limit = _limit(part)
    shape = (book.agencies, max(book.strata, book.groups))
    cell = np.ravel_multi_index((agency, column), shape)

    def by_cell(values: np.ndarray | None) -> np.ndarray:
        summed = np.bincount(cell, values, minlength=shape[0] * shape[1])
        return summed.reshape(shape).astype(float)

    payments = by_cell(None)
    group = fits.groups(payments, payments)
    typical = np.ones(book.agencies)
    for _number in range(PASSES_MAX):
        counted = np.minimum(part, (typical * limit)[agency])
        found = by_cell(counted)
        limited = float(ratio(counted[counted < part].sum(), counted.sum()))
        shown = max(SHOWN_AT_LEAST, 1 - limited)
        expected = payments @ ratio(found.sum(axis=0), typical @ payments)
        before = typical
        # The ratio shows a part of what is still missing; their common level is none of it.
        missing = ratio(found.sum(axis=1), expected * typical, otherwise=1.0)
        moved = fits.centred(typical * missing ** (1 / shown), expected, group)
        typical = np.where(expected > 0, moved, 1)
        if np.abs(typical / before - 1).max() < PRECISION:
            break
    fit = fits.two_way(found, payments)
    typical = ratio(found.sum(axis=1), fit.expected, otherwise=1.0)
    return Sizes(
        typical=typical,
        large=ratio(factors.size, typical, otherwise=1.0),
        found=np.bincount(loan, counted, minlength=len(book.agency)),
        expected=np.bincount(loan, fit.rate[column], minlength=len(book.agency)),
        inflation=fit.inflation,
        shown=shown,
    )


def _limit(part: np.ndarray) -> float:
    """The payment at the quantile, counted upwards."""
    if not len(part):
        return 0.0
    place = int(np.ceil(TYPICAL_QUANTILE * len(part))) - 1
    return float(np.partition(part, place)[place])
