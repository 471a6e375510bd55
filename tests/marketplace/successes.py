"""Books of loans for the ranking's tests: small, of any shape, whole amounts of money."""

import dataclasses

import numpy as np

from marketplace.success.book import Book, Policy

ALL_CASH = Policy(least_payment=1, least_share_ppm=0, cap_quantile=1)


def book(seed: int, *, agencies: int = 6, strata: int = 4, loans: int = 240) -> Book:
    """Loans of agencies that work every stratum, in an order and with payments of chance."""
    dice = np.random.default_rng(seed)
    ends = dice.integers(1, 25, loans) / 4
    paid_loan = dice.integers(0, loans, loans // 2)
    return Book(
        agency=dice.integers(0, agencies, loans),
        stratum=dice.integers(0, strata, loans),
        lot=dice.integers(0, 3, loans),
        balance=dice.integers(100, 100_000, loans).astype(float),
        starts=np.zeros(loans),
        ends=ends,
        paid_loan=paid_loan,
        paid_month=(dice.random(len(paid_loan)) * ends[paid_loan]).astype(np.int64),
        cash=dice.integers(10, 5_000, len(paid_loan)).astype(float),
        group_of=np.arange(strata) // 2,
        agencies=agencies,
    )


def with_payments(made: Book, loan, month, cash) -> Book:
    """The same with more payments."""
    return dataclasses.replace(
        made,
        paid_loan=np.r_[made.paid_loan, loan],
        paid_month=np.r_[made.paid_month, month],
        cash=np.r_[made.cash, cash].astype(float),
    )
