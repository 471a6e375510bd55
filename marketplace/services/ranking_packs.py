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
    cells = result.cells
    is_told = _is_told(policy, cells, agency)
    uncapped = book.cells.in_pairs().cash[agency]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns(policy))
    for stratum, month in zip(*np.nonzero(cells.loan_months[agency]), strict=True):
        if is_told[stratum, month]:
            labels = book.strata[stratum].split(SEPARATOR)[: len(policy.strata)]
            where = (stratum, month)
            writer.writerow([*labels, month, *_figures(cells, uncapped, result, agency, where)])
    hidden = (cells.loan_months[agency] > 0) & ~is_told
    if hidden.any():
        labels = [WITHHELD] * len(policy.strata)
        writer.writerow([*labels, "", *_figures(cells, uncapped, result, agency, hidden)])
    # Without a date in it, so that the same run gives the same bytes.
    return gzip.compress(file.getvalue().encode(), mtime=0)


def _is_told(policy: RankingPolicy, cells: Cells, agency: int) -> np.ndarray:
    """Strata × months: whether enough agencies were exposed there, and no rival was most of it."""
    exposed = cells.balance_months
    present = np.count_nonzero(exposed, axis=0)
    others = np.delete(exposed, agency, axis=0)
    largest = others.max(axis=0) if len(others) else np.zeros(exposed.shape[1:])
    share = policy.largest_share_ppm / 1_000_000
    return (present >= policy.smallest_field) & (largest <= share * exposed.sum(axis=0))


def _figures(cells: Cells, uncapped: np.ndarray, result: Result, agency: int, where) -> list:
    """W, O and E of some cells of an agency; λ where it is one cell."""
    counts, money = result.factors.counts.rate, result.factors.money.rate
    loan_months, balance_months = cells.loan_months[agency], cells.balance_months[agency]
    is_one = isinstance(where, tuple)

    def total(table: np.ndarray) -> float:
        return float(np.sum(table[where]))

    return [
        round(total(loan_months) * MONTH_DAYS),
        round(total(balance_months) * MONTH_DAYS),
        round(total(cells.payers[agency])),
        round(total(cells.payer_balance[agency])),
        round(total(uncapped)),
        round(total(cells.cash[agency])),
        repr(float(counts[where]) / MONTH_DAYS) if is_one else "",
        repr(float(money[where]) / MONTH_DAYS) if is_one else "",
        repr(total(loan_months * counts)),
        repr(total(balance_months * money)),
    ]
