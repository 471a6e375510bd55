"""How much chance there is in an agency's figures: from its mix, never its own residuals."""

import dataclasses
from typing import Self

import numpy as np

from marketplace.success.book import Book, Paid
from marketplace.success.factors import Factors
from marketplace.success.fits import ratio
from marketplace.success.sizes import Sizes

BALANCE_BANDS = 5
PAYERS_FOR_OWN = 50
"""Groups with fewer payers take the dispersion of all."""
LOTS_TRIMMED = 0.005
REST_AT_LEAST = 0.25
LEAST_VARIANCE = 1e-6
"""Of a logarithm: no figure is surer than to a thousandth. Without it data in which everything is
exactly as expected would have infinite weight."""


@dataclasses.dataclass(frozen=True)
class Variances:
    """Of the logarithms of the factors, by agency; infinite where nothing was expected. That of
    the `size` is of its two parts together, `typical` and `large` are of each.

    `between_lots` is ω², what lots of one agency differ by beyond chance in how many pay (variance
    of their log).
    """

    count: np.ndarray
    tilt: np.ndarray
    size: np.ndarray
    typical: np.ndarray
    large: np.ndarray
    between_lots: float


@dataclasses.dataclass(frozen=True)
class _Loans:
    """The loans of a book with the `group` that each shares its dispersion with, and how often
    each paid."""

    book: Book
    group: np.ndarray
    payers: np.ndarray

    @classmethod
    def of(cls, book: Book, paid: Paid) -> Self:
        payers = np.bincount(paid.loan[paid.is_paying], minlength=len(book.agency))
        return cls(book, _groups(book), payers.astype(float))

    def by_agency(self, values: np.ndarray) -> np.ndarray:
        return _by(self.book.agency, values, self.book.agencies)

    def variance(self, found: np.ndarray, expected: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """By agency, of the logarithm of found ÷ expected, for what was found and expected by
        loan; `theta` is what each agency has of it."""
        phi = _phi(self.group, found, theta[self.book.agency] * expected, self.payers)
        noise = self.by_agency(phi[self.group] * expected)
        return _at_least(ratio(noise, self.by_agency(expected) ** 2, otherwise=np.inf))

    def between_lots(
        self, found: np.ndarray, expected: np.ndarray, theta: np.ndarray, own: np.ndarray
    ) -> tuple[float, np.ndarray]:
        """ω² by the method of moments within agencies (DerSimonian & Laird 1986), and by agency
        the part of it that stays, ω² Σ_l (E_l / E)²; `own` is the variance of chance alone."""
        of_lot, place = _lots(self.book)
        found, mean = (
            np.bincount(place, values, minlength=len(of_lot)) for values in (found, expected)
        )
        total = _by(of_lot, mean, self.book.agencies)
        shares = ratio(_by(of_lot, mean**2, self.book.agencies), total**2)
        phi = np.where(total > 0, own, 0) * total
        theta = theta[of_lot]
        known = (mean > 0) & (theta > 0)
        of_lot, mean = of_lot[known], theta[known] * mean[known]
        relative = found[known] / mean - 1
        variance = _at_least(phi[of_lot] / mean)
        score = relative / np.sqrt(variance)
        if len(score):
            low, high = np.quantile(score, (LOTS_TRIMMED, 1 - LOTS_TRIMMED))
            relative = np.clip(score, low, high) * np.sqrt(variance)
        weight = 1 / variance
        within = _by(of_lot, weight, self.book.agencies)
        squared = _by(of_lot, weight**2, self.book.agencies)
        below = float(weight.sum() - ratio(squared, within).sum())
        excess = float((relative**2 / variance).sum()) - (len(of_lot) - np.count_nonzero(within))
        between = max(0.0, excess / below) if below > 0 else 0.0
        return between, between * shares


def of(book: Book, paid: Paid, factors: Factors, sizes: Sizes) -> Variances:
    """The variances of a book's factors.

    φ_g = Σ(y − θe)² / Σθe over the loans of a group, which is a coarse group of strata × a fifth of
    the balances, pooled over agencies.
    """
    loans = _Loans.of(book, paid)
    expected_cash = _expected(book, factors.money.rate) * book.balance
    severity_cash = loans.payers * book.balance * factors.severity[book.stratum]
    severity_cash *= ratio(factors.severity_cash, loans.by_agency(severity_cash))[book.agency]
    cash = np.bincount(paid.loan, paid.cash, minlength=len(book.agency))
    count, count_of_lots, between = _count(loans, factors)
    money_ratio = ratio(factors.severity_cash, factors.expected_cash)
    money = loans.variance(severity_cash, expected_cash, money_ratio) * factors.money.inflation
    size = loans.variance(cash, severity_cash, factors.size)
    typical, typical_of_lots = _typical(loans, sizes)
    return Variances(
        count=count + count_of_lots,
        tilt=_beyond(money, count),
        size=size,
        typical=typical + typical_of_lots,
        large=_beyond(size, typical),
        between_lots=between,
    )


def of_count(book: Book, paid: Paid, factors: Factors) -> np.ndarray:
    """By agency the variance of how many pay alone."""
    own, of_lots, _between = _count(_Loans.of(book, paid), factors)
    return own + of_lots


def _count(loans: _Loans, factors: Factors) -> tuple[np.ndarray, np.ndarray, float]:
    """The variance of how many pay by chance and by lots, by agency, and ω²."""
    expected = _expected(loans.book, factors.counts.rate)
    own = loans.variance(loans.payers, expected, factors.count)
    between, of_lots = loans.between_lots(loans.payers, expected, factors.count, own)
    return own * factors.counts.inflation, of_lots, between


def _typical(loans: _Loans, sizes: Sizes) -> tuple[np.ndarray, np.ndarray]:
    """The variance of the typical payment by chance and by lots, by agency."""
    own = loans.variance(sizes.found, sizes.expected, sizes.typical)
    _between, of_lots = loans.between_lots(sizes.found, sizes.expected, sizes.typical, own)
    return own * sizes.inflation / sizes.shown**2, of_lots / sizes.shown**2


def _beyond(both: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Hausman's difference: the variance that a noisier figure has beyond the surer one."""
    known = np.isfinite(both) & np.isfinite(first)
    more = np.subtract(both, first, out=np.full(len(both), np.inf), where=known)
    return np.maximum(more, both * REST_AT_LEAST)


def _at_least(variance: np.ndarray) -> np.ndarray:
    return np.maximum(variance, LEAST_VARIANCE)


def _groups(book: Book) -> np.ndarray:
    edges = np.quantile(book.balance, np.linspace(0, 1, BALANCE_BANDS + 1)[1:-1])
    band = np.searchsorted(edges, book.balance)
    return book.group_of[book.stratum].astype(np.int64) * BALANCE_BANDS + band


def _expected(book: Book, rate: np.ndarray) -> np.ndarray:
    """By loan, Σ_m λ_sm × the part of month m in which it was exposed."""
    reached = np.concatenate([np.zeros((len(rate), 1)), rate.cumsum(axis=1)], axis=1)
    padded = np.concatenate([rate, np.zeros((len(rate), 1))], axis=1)

    row = book.stratum.astype(np.int64) * reached.shape[1]

    def until(moment: np.ndarray) -> np.ndarray:
        whole = np.minimum(moment.astype(np.int64), rate.shape[1])
        place = row + whole
        return reached.ravel()[place] + padded.ravel()[place] * (moment - whole)

    return until(book.ends) - until(book.starts) if book.starts.any() else until(book.ends)


def _phi(group: np.ndarray, found: np.ndarray, mean: np.ndarray, payers: np.ndarray) -> np.ndarray:
    """By group, the over-dispersion of `found` around `mean`."""
    squares = np.bincount(group, (found - mean) ** 2)
    means = np.bincount(group, mean)
    pooled = float(squares.sum() / means.sum()) if means.sum() > 0 else 1.0
    enough = np.bincount(group, payers) >= PAYERS_FOR_OWN
    return np.where(enough, ratio(squares, means, otherwise=pooled), pooled)


def _by(agency: np.ndarray, values: np.ndarray, agencies: int) -> np.ndarray:
    return np.bincount(agency, values, minlength=agencies)


def _lots(book: Book) -> tuple[np.ndarray, np.ndarray]:
    """The agency of each lot, and by loan the lot's place among them."""
    width = int(book.lot.max()) + 1
    key = book.agency.astype(np.int64) * width + book.lot
    if book.agencies * width > len(key):
        lots, place = np.unique(key, return_inverse=True)
        return lots // width, place
    # Few enough for one of each, there or not: that takes no sorting of the loans.
    return np.repeat(np.arange(book.agencies), width), key
