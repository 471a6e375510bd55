"""What a ranking is computed from: loans as they were placed, and what came in on them."""

import dataclasses

import numpy as np

PPM = 1_000_000
MOST_MONTHS = 600
MOST_CELLS = 20_000_000
"""Beyond either the columns are not what they are taken for, and memory would run out."""


@dataclasses.dataclass(frozen=True)
class Policy:
    """What is decided, not computed; amounts in the book's unit.

    A month counts as paying from `least_payment` on, and from `least_share_ppm` of the balance on:
    cutting a payment into many gains nothing. The cash of one loan counts up to the
    `cap_quantile` of the paying loans of its stratum (1: all of it), so that one inheritance does
    not make an agency the best. A tier ends where the first of it is better with `tie_probability`.
    """

    least_payment: float = 5.0
    least_share_ppm: int = 5_000
    cap_quantile: float = 0.995
    tie_probability: float = 0.90
    ranked_from: float = 0.70
    provisional_from: float = 0.50
    least_months: int = 3
    draws: int = 4000
    seed: int = 20_261_125


@dataclasses.dataclass(frozen=True)
class Book:
    """Loans, one element each: `agency`, `stratum`, `lot` (int, from 0 on), `balance` (above 0, in
    any one unit) and the months on book `starts` to `ends` over which it was exposed.

    Payments, one element each: `paid_loan` (index of a loan), `paid_month` (whole month on book,
    from 0 on) and `cash` (net; what was reversed is negative in the month of the payment).
    `group_of` has for each stratum the coarser group that lends it what it lacks, from 0 on;
    `is_random` marks the loans of lots that chance dealt, if there are any.
    Raises ValueError, with a sentence for people, for data that are none of this.
    """

    agency: np.ndarray
    stratum: np.ndarray
    lot: np.ndarray
    balance: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    paid_loan: np.ndarray
    paid_month: np.ndarray
    cash: np.ndarray
    group_of: np.ndarray
    agencies: int
    is_random: np.ndarray | None = None

    def __post_init__(self) -> None:
        loans = (self.agency, self.stratum, self.lot, self.balance, self.starts, self.ends)
        if len({len(column) for column in loans}) != 1:
            raise ValueError("the columns of loans differ in length")
        if self.is_random is not None and len(self.is_random) != len(self.agency):
            raise ValueError("the columns of loans differ in length")
        if not len(self.paid_loan) == len(self.paid_month) == len(self.cash):
            raise ValueError("the columns of payments differ in length")
        if not len(self.agency):
            raise ValueError("there is no loan")
        for name, column, bound in (
            ("an agency", self.agency, self.agencies),
            ("a stratum", self.stratum, len(self.group_of)),
            ("the loan of a payment", self.paid_loan, len(self.agency)),
        ):
            if len(column) and (column.min() < 0 or column.max() >= bound):
                raise ValueError(f"{name} is out of range")
        if not (np.isfinite(self.balance).all() and (self.balance > 0).all()):
            raise ValueError("a balance is not above zero")
        if not (np.isfinite(self.ends).all() and (self.ends >= self.starts).all()):
            raise ValueError("an exposure is negative")
        if (self.starts < 0).any() or (len(self.paid_month) and self.paid_month.min() < 0):
            raise ValueError("a month on book is negative")
        if not np.isfinite(self.cash).all():
            raise ValueError("an amount is not a number")
        if self.months > MOST_MONTHS:
            raise ValueError(f"an exposure is longer than {MOST_MONTHS} months")
        if self.agencies * self.strata * self.months > MOST_CELLS:
            raise ValueError(
                f"there are {self.agencies} agencies, {self.strata} strata and {self.months}"
                " months: too many to compare; choose coarser strata"
            )

    @property
    def strata(self) -> int:
        return len(self.group_of)

    @property
    def groups(self) -> int:
        return int(self.group_of.max()) + 1

    @property
    def months(self) -> int:
        """Months on book in which anything was exposed, at least one."""
        return max(1, int(np.ceil(self.ends.max())))


@dataclasses.dataclass(frozen=True)
class Paid:
    """Loan-months with cash: `loan`, `month`, `cash` (after the cap), what was `beyond_cap`, and
    whether it `is_paying`; `outside` is the cash that came outside of the exposed months.
    """

    loan: np.ndarray
    month: np.ndarray
    cash: np.ndarray
    is_paying: np.ndarray
    beyond_cap: np.ndarray
    outside: float


def paid(book: Book, policy: Policy) -> Paid:
    """What came in by loan and month. The order of the payments does not matter."""
    inside = (book.paid_month < np.ceil(book.ends[book.paid_loan])) & (
        book.paid_month >= np.floor(book.starts[book.paid_loan])
    )
    key = book.paid_loan[inside].astype(np.int64) * book.months + book.paid_month[inside]
    amounts = book.cash[inside]
    order = np.lexsort((amounts, key))
    key, amounts = key[order], amounts[order]
    first = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if len(key) else key
    cash = np.add.reduceat(amounts, first) if len(key) else amounts
    loan, month = np.divmod(key[first], book.months)
    factor = _cap(book, policy, loan, cash)
    kept = cash * factor
    # A product of whole numbers, which a database that counts payers finds to be the same.
    is_enough = cash * PPM >= policy.least_share_ppm * book.balance[loan]
    return Paid(
        loan=loan,
        month=month,
        cash=kept,
        is_paying=(cash > 0) & (cash >= policy.least_payment) & is_enough,
        beyond_cap=cash - kept,
        outside=float(book.cash[~inside].sum()),
    )


def _cap(book: Book, policy: Policy, loan: np.ndarray, cash: np.ndarray) -> np.ndarray:
    """By how much the cash of each loan-month counts: less than 1 for loans beyond the cap."""
    total = np.bincount(loan, cash, minlength=len(book.agency))
    payers = np.flatnonzero(total > 0)
    if policy.cap_quantile >= 1 or not len(payers):
        return np.ones(len(cash))
    order = payers[np.lexsort((total[payers], book.stratum[payers]))]
    strata, firsts, counts = np.unique(book.stratum[order], return_index=True, return_counts=True)
    caps = np.full(book.strata, np.inf)
    # The payer at the quantile, counted upwards: with few payers that is the largest.
    caps[strata] = total[order[firsts + np.ceil(policy.cap_quantile * counts).astype(int) - 1]]
    scale = np.ones(len(total))
    scale[payers] = np.minimum(1, caps[book.stratum[payers]] / total[payers])
    return scale[loan]
