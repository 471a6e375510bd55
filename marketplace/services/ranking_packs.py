"""Packs: an agency's own cells with what was expected of each, for its own spreadsheet."""

import csv
import gzip
import io

import numpy as np

from config.money import PPM
from config.spreadsheets import inert
from marketplace.models import RankingPolicy
from marketplace.services.exposures import MONTH_DAYS, SEPARATOR
from marketplace.services.success_books import SuccessBook
from marketplace.success.cells import Cells
from marketplace.success.scores import Result

WITHHELD = "withheld"
"""Stands for the cells in which what is expected would tell what one rival did."""
RATES = (6, 7)
"""Which of the figures are λ: of several cells together there is none."""
EXPECTED = (6, 7, 8, 9)
"""λ and what it makes."""


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

    Cells that are not `told` come as one line with their sum, so that the whole is still what the
    ranking said; where even that would tell of a rival, without what was expected.
    """
    exposed = result.cells.loan_months[agency] > 0
    is_told = told(policy, result.cells, agency)
    tables = _tables(book, result, agency)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns(policy))
    strata, months = np.nonzero(is_told)
    labels = [
        [inert(label) for label in text.split(SEPARATOR)[: len(policy.strata)]]
        for text in book.strata
    ]
    figures = [_written(table[is_told]) for table in tables]
    for stratum, month, *row in zip(strata, months, *figures, strict=True):
        writer.writerow([*labels[stratum], month, *row])
    hidden = exposed & ~is_told
    if hidden.any():
        sums = [_written(table[hidden].sum(keepdims=True))[0] for table in tables]
        is_safe = _shares(policy, result.cells, agency, hidden)
        for place in RATES if is_safe else EXPECTED:
            sums[place] = ""
        writer.writerow([WITHHELD] * len(policy.strata) + ["", *sums])
    # Without a date in it, so that the same run gives the same bytes.
    return gzip.compress(file.getvalue().encode(), compresslevel=6, mtime=0)


def told(policy: RankingPolicy, cells: Cells, agency: int) -> np.ndarray:
    """Strata × months: of which of its cells an agency is told what was expected.

    Of a cell it is not where fewer than the policy's smallest field were exposed in it, or where
    another agency had more than the policy's largest share of the others' and its own exposure.
    What is left of the whole then tells the sum of those; so as many further cells are withheld,
    the smallest first, as that sum needs to be of enough agencies too.
    """
    exposed = cells.balance_months
    own = exposed[agency]
    shared = _are_shared(policy, exposed.reshape(len(exposed), -1), agency)
    is_told = (own > 0) & shared.reshape(own.shape)
    hidden = (own > 0) & ~is_told
    if not hidden.any():
        return is_told
    strata, months = np.nonzero(is_told)
    order = np.argsort(own[strata, months], kind="stable")
    strata, months = strata[order], months[order]
    added = np.cumsum(exposed[:, strata, months], axis=1)
    together = exposed[:, hidden].sum(axis=1)[:, None] + np.c_[np.zeros(len(exposed)), added]
    enough = np.flatnonzero(_are_shared(policy, together, agency))
    more = int(enough[0]) if len(enough) else len(strata)
    is_told[strata[:more], months[:more]] = False
    return is_told


def is_whole_told(policy: RankingPolicy, cells: Cells, agency: int) -> bool:
    """Whether an agency may be told what was expected of all of its cells together."""
    return _shares(policy, cells, agency, cells.balance_months[agency] > 0)


def _shares(policy: RankingPolicy, cells: Cells, agency: int, where: np.ndarray) -> bool:
    """Whether enough agencies were exposed in these cells together, and no rival was most of it."""
    together = cells.balance_months[:, where].sum(axis=1)
    return bool(_are_shared(policy, together[:, None], agency)[0])


def _are_shared(policy: RankingPolicy, exposed: np.ndarray, agency: int) -> np.ndarray:
    """By column of agencies × columns, whether enough of them were exposed and no rival of
    `agency` was more than the policy's largest share."""
    largest = np.delete(exposed, agency, axis=0).max(axis=0, initial=0)
    share = policy.largest_share_ppm / PPM
    is_enough = np.count_nonzero(exposed, axis=0) >= policy.smallest_field
    return is_enough & (largest <= share * exposed.sum(axis=0))


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
