"""Packs: an agency's own cells with what was expected of each, for its own spreadsheet."""

import csv
import gzip
import io

import numpy as np

from marketplace.models import RankingPolicy
from marketplace.services.exposures import MONTH_DAYS, SEPARATOR
from marketplace.services.success_books import SuccessBook
from marketplace.success.cells import Cells
from marketplace.success.scores import Result

WITHHELD = "withheld"
"""Stands for the cells in which what is expected would tell what one rival did."""
RATES = (6, 7)
"""Which of the figures are λ: of several cells together there is none."""


def columns(policy: RankingPolicy) -> list[str]:
    """The header of a pack: the stratum's facts, the month, W and O, λ and what it makes."""
    return [
        *(name for name, _bands in policy.strata),
        "month_on_book",
        "loan_days",
        "balance_days_minor",
        "paying_loans",
        "paying_balance_minor",
        "cash_minor",
        "cash_counted_minor",
        "expected_payers_per_loan_day",
        "expected_cash_per_balance_day",
        "expected_payers",
        "expected_cash_minor",
    ]


def pack(policy: RankingPolicy, book: SuccessBook, result: Result, agency: int) -> bytes:
    """One agency's cells as a gzipped CSV.

    A cell's expectation is withheld where fewer than the policy's smallest field were exposed in
    it, or where another agency had more than the policy's largest share; those cells come as one
    line with their sum, so that the whole is still what the ranking said.
    """
    exposed = result.cells.loan_months[agency] > 0
    is_told = exposed & _is_told(policy, result.cells, agency)
    tables = _tables(book, result, agency)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns(policy))
    strata, months = np.nonzero(is_told)
    labels = [text.split(SEPARATOR)[: len(policy.strata)] for text in book.strata]
    figures = [_written(table[is_told]) for table in tables]
    for stratum, month, *row in zip(strata, months, *figures, strict=True):
        writer.writerow([*labels[stratum], month, *row])
    hidden = exposed & ~is_told
    if hidden.any():
        sums = [_written(table[hidden].sum(keepdims=True))[0] for table in tables]
        for place in RATES:
            sums[place] = ""
        writer.writerow([WITHHELD] * len(policy.strata) + ["", *sums])
    # Without a date in it, so that the same run gives the same bytes.
    return gzip.compress(file.getvalue().encode(), compresslevel=6, mtime=0)


def _is_told(policy: RankingPolicy, cells: Cells, agency: int) -> np.ndarray:
    """Strata × months: whether enough agencies were exposed there, and no rival was most of it."""
    exposed = cells.balance_months
    present = np.count_nonzero(exposed, axis=0)
    others = np.delete(exposed, agency, axis=0)
    largest = others.max(axis=0) if len(others) else np.zeros(exposed.shape[1:])
    share = policy.largest_share_ppm / 1_000_000
    return (present >= policy.smallest_field) & (largest <= share * exposed.sum(axis=0))


def _tables(book: SuccessBook, result: Result, agency: int) -> list[np.ndarray]:
    """Strata × months of each of the last ten columns, whole numbers and floats."""
    cells = result.cells
    loan_days = np.rint(cells.loan_months[agency] * MONTH_DAYS).astype(np.int64)
    balance_days = np.rint(cells.balance_months[agency] * MONTH_DAYS).astype(np.int64)
    counts = result.factors.counts.rate / MONTH_DAYS
    money = result.factors.money.rate / MONTH_DAYS
    whole = (
        cells.payers[agency],
        cells.payer_balance[agency],
        book.cells.in_pairs().cash[agency],
        cells.cash[agency],
    )
    return [
        loan_days,
        balance_days,
        *(np.rint(table).astype(np.int64) for table in whole),
        counts,
        money,
        loan_days * counts,
        balance_days * money,
    ]


def _written(values: np.ndarray) -> list[str]:
    """Numbers as they are read again without a difference."""
    return list(map(repr, values.tolist()))
