"""Cells: exposure, payers and cash by agency, stratum and month on book, never by loan."""

import dataclasses

import numpy as np

from marketplace.success.book import Book, Paid


@dataclasses.dataclass(frozen=True)
class Cells:
    """Arrays of agencies × strata × months.

    `loan_months` T, `balance_months` W (balance × months), `payers` N (loan-months that paid),
    `payer_balance` V (their balance), `cash` O.
    """

    loan_months: np.ndarray
    balance_months: np.ndarray
    payers: np.ndarray
    payer_balance: np.ndarray
    cash: np.ndarray

    def in_pairs(self) -> "Cells":
        """The cells of half as many agencies: those of 2n and 2n + 1 are the one's of n."""
        return Cells(*(_added(getattr(self, part.name)) for part in dataclasses.fields(self)))


def _added(cells: np.ndarray) -> np.ndarray:
    return cells[::2] + cells[1::2]


def apart(book: Book) -> Book:
    """The book in which each agency is two: 2n with what it was given, 2n + 1 with its random
    lots."""
    is_random = np.zeros(len(book.agency), bool) if book.is_random is None else book.is_random
    return dataclasses.replace(book, agency=book.agency * 2 + is_random, agencies=book.agencies * 2)


def of(book: Book, paid: Paid) -> Cells:
    """The cells of a book."""
    cell = book.agency.astype(np.int64) * book.strata + book.stratum
    months = book.months
    loan_months, balance_months = _until(book, cell, book.ends)
    if book.starts.any():
        before, balance_before = _until(book, cell, book.starts)
        loan_months -= before
        balance_months -= balance_before
    shape = (book.agencies, book.strata, months)
    key = cell[paid.loan] * months + paid.month
    paying = key[paid.is_paying]
    balances = book.balance[paid.loan[paid.is_paying]]
    size = int(np.prod(shape))
    return Cells(
        loan_months=loan_months.reshape(shape),
        balance_months=balance_months.reshape(shape),
        payers=np.bincount(paying, minlength=size).astype(float).reshape(shape),
        payer_balance=np.bincount(paying, balances, minlength=size).reshape(shape),
        cash=np.bincount(key, paid.cash, minlength=size).reshape(shape),
    )


def beyond_cap(book: Book, paid: Paid) -> np.ndarray:
    """The cash of each cell that the cap leaves out."""
    key = (book.agency.astype(np.int64) * book.strata + book.stratum)[paid.loan]
    shape = (book.agencies, book.strata, book.months)
    key = key * book.months + paid.month
    return np.bincount(key, paid.beyond_cap, minlength=int(np.prod(shape))).reshape(shape)


def _until(book: Book, cell: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Loan-months and balance-months by cell and month, of exposures from 0 to `ends`.

    An exposure of 2.3 months is one whole month in months 0 and 1 and 0.3 of month 2: a histogram
    of whole months, summed from above, and the rests.
    """
    months = book.months
    whole = np.minimum(ends.astype(np.int64), months)
    rest = ends - whole
    key = cell * (months + 1) + whole
    shape = (book.agencies * book.strata, months + 1)
    size = shape[0] * shape[1]
    found = []
    for weight in (None, book.balance):
        counts = np.bincount(key, weight, minlength=size).reshape(shape)
        rests = np.bincount(key, rest if weight is None else rest * weight, minlength=size)
        later = counts[:, ::-1].cumsum(axis=1)[:, ::-1]
        found.append(later[:, 1:] + rests.reshape(shape)[:, :months])
    return found[0], found[1]
