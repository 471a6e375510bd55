"""How much chance there is in an agency's figures: from its mix, never its own residuals."""

import dataclasses

import numpy as np

from marketplace.success.book import Book, Paid
from marketplace.success.factors import Factors
from marketplace.success.fits import ratio

BALANCE_BANDS = 5
PAYERS_FOR_OWN = 50
"""Groups with fewer payers take the dispersion of all."""
LOTS_TRIMMED = 0.005
TILT_AT_LEAST = 0.25
LEAST_VARIANCE = 1e-6
"""Of a logarithm: no figure is surer than to a thousandth. Without it data in which everything is
exactly as expected would have infinite weight."""


@dataclasses.dataclass(frozen=True)
class Variances:
    """Of the logarithms of the three factors, by agency; infinite where nothing was expected.

    `between_lots` is ω², what lots of one agency differ by beyond chance (variance of their log).
    """

    count: np.ndarray
    tilt: np.ndarray
    size: np.ndarray
    between_lots: float


def of(book: Book, paid: Paid, factors: Factors) -> Variances:
    """The variances of a book's factors.

    φ_g = Σ(y − θe)² / Σθe over the loans of a group, which is a coarse group of strata × a fifth of
    the balances, pooled over agencies.
    """
    loans = len(book.agency)
    group = _groups(book)
    expected_payers = _expected(book, factors.counts.rate)
    expected_cash = _expected(book, factors.money.rate) * book.balance
    payers = np.bincount(paid.loan[paid.is_paying], minlength=loans).astype(float)
    cash = np.bincount(paid.loan, paid.cash, minlength=loans)
    scale = ratio(
        factors.severity_cash,
        _by(book.agency, payers * book.balance * factors.severity[book.stratum], book.agencies),
    )[book.agency]
    severity_cash = payers * book.balance * factors.severity[book.stratum] * scale
    count = _phi(group, payers, factors.count[book.agency] * expected_payers, payers)
    money_ratio = ratio(factors.severity_cash, factors.expected_cash)
    money = _phi(group, severity_cash, money_ratio[book.agency] * expected_cash, payers)
    size = _phi(group, cash, factors.size[book.agency] * severity_cash, payers)
    own = book.agencies
    of_count = _by(book.agency, count[group] * expected_payers, own)
    of_money = _by(book.agency, money[group] * expected_cash, own)
    of_size = _by(book.agency, size[group] * severity_cash, own)
    phi_count = ratio(of_count, factors.expected_payers, otherwise=1.0)
    by_count = _at_least(ratio(phi_count, factors.expected_payers, otherwise=np.inf))
    by_money = _at_least(ratio(of_money, factors.expected_cash**2, otherwise=np.inf))
    by_size = _at_least(ratio(of_size, factors.severity_cash**2, otherwise=np.inf))
    by_count = by_count * factors.counts.inflation
    by_money = by_money * factors.money.inflation
    between, shares = _between_lots(book, factors, payers, expected_payers, phi_count)
    # Hausman's difference: what the weighting by balance adds to the count's own variance.
    both = np.isfinite(by_money) & np.isfinite(by_count)
    more = np.subtract(by_money, by_count, out=np.full(own, np.inf), where=both)
    return Variances(
        count=by_count + between * shares,
        tilt=np.maximum(more, by_money * TILT_AT_LEAST),
        size=by_size,
        between_lots=between,
    )


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


def _between_lots(
    book: Book,
    factors: Factors,
    payers: np.ndarray,
    expected: np.ndarray,
    phi: np.ndarray,
) -> tuple[float, np.ndarray]:
    """ω² by the method of moments within agencies (DerSimonian & Laird 1986), and by agency the
    part of it that stays: Σ_l (E_l / E)²."""
    of_lot, place = _lots(book)
    found, mean = (
        np.bincount(place, values, minlength=len(of_lot)) for values in (payers, expected)
    )
    shares = _by(of_lot, mean**2, book.agencies)
    shares = ratio(shares, factors.expected_payers**2)
    theta = factors.count[of_lot]
    known = (mean > 0) & (theta > 0)
    of_lot, mean = of_lot[known], theta[known] * mean[known]
    relative = found[known] / mean - 1
    variance = _at_least(phi[of_lot] / mean)
    score = relative / np.sqrt(variance)
    if len(score):
        low, high = np.quantile(score, (LOTS_TRIMMED, 1 - LOTS_TRIMMED))
        relative = np.clip(score, low, high) * np.sqrt(variance)
    weight = 1 / variance
    within = _by(of_lot, weight, book.agencies)
    squared = _by(of_lot, weight**2, book.agencies)
    below = float(weight.sum() - ratio(squared, within).sum())
    excess = float((relative**2 / variance).sum()) - (len(of_lot) - np.count_nonzero(within))
    return (max(0.0, excess / below) if below > 0 else 0.0), shares


def _lots(book: Book) -> tuple[np.ndarray, np.ndarray]:
    """The agency of each lot, and by loan the lot's place among them."""
    width = int(book.lot.max()) + 1
    key = book.agency.astype(np.int64) * width + book.lot
    if book.agencies * width > len(key):
        lots, place = np.unique(key, return_inverse=True)
        return lots // width, place
    # Few enough for one of each, there or not: that takes no sorting of the loans.
    return np.repeat(np.arange(book.agencies), width), key
