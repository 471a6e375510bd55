"""What else one could rank by, on the same book: the raw rate, and pooled O/E with shrinkage."""

import dataclasses

import numpy as np
from scipy.stats import spearmanr

from marketplace.success import cells as cell_tables
from marketplace.success import shrinkage
from marketplace.success.book import Book, paid
from marketplace.success.fits import ratio
from marketplace.success.scores import score
from tests.marketplace.simulated import POLICY, Simulated

TOP = 5


@dataclasses.dataclass(frozen=True)
class Ranked:
    """An index by agency with its 95 % interval."""

    index: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclasses.dataclass(frozen=True)
class Marks:
    """How near to the truth: rank correlation, part of the true best five found, coverage."""

    spearman: float
    top: float
    coverage: float


def engine(book: Book) -> tuple[Ranked, np.ndarray]:
    """This engine's, and what it expected of each agency."""
    scores = sorted(score(book, POLICY).scores, key=lambda one: one.agency)
    columns = [
        np.array([getattr(one, name) for one in scores]) for name in ("index", "low", "high")
    ]
    return Ranked(*columns), np.array([one.expected for one in scores])


def raw_rate(book: Book) -> Ranked:
    """Cash ÷ balance, with the interval of a ratio of sums over loans."""
    cash = np.bincount(book.paid_loan, book.cash, minlength=len(book.agency))
    owed = np.bincount(book.agency, book.balance)
    rate = np.bincount(book.agency, cash) / owed
    squares = np.bincount(book.agency, (cash - rate[book.agency] * book.balance) ** 2)
    error = np.sqrt(squares) / owed / rate
    index = rate / (cash.sum() / book.balance.sum())
    return Ranked(index, index * np.exp(-1.96 * error), index * np.exp(1.96 * error))


def pooled(book: Book) -> Ranked:
    """Cash against the pooled rates of strata and months, shrunk: the classical way."""
    payments = paid(book, POLICY)
    cells = cell_tables.of(book, payments)
    rate = ratio(cells.cash.sum(axis=0), cells.balance_months.sum(axis=0))
    expected = (cells.balance_months * rate).sum(axis=(1, 2))
    found = cells.cash.sum(axis=(1, 2)) / expected
    reached = np.concatenate([np.zeros((len(rate), 1)), rate.cumsum(axis=1)], axis=1)
    padded = np.concatenate([rate, np.zeros((len(rate), 1))], axis=1)
    whole = book.ends.astype(int)
    own = book.balance * (
        reached[book.stratum, whole] + padded[book.stratum, whole] * (book.ends - whole)
    )
    cash = np.bincount(payments.loan, payments.cash, minlength=len(own))
    spread = ((cash - found[book.agency] * own) ** 2).sum() / (found[book.agency] * own).sum()
    exposure = expected / spread
    posterior = shrinkage.posterior(exposure * np.clip(found, 0, None), exposure)
    turn = np.arange(len(found))
    drawn = posterior.draws(4_000, np.random.default_rng(1), turn)
    return Ranked(posterior.mean, *np.quantile(drawn, (0.025, 0.975), axis=0))


def marks(ranked: Ranked, world: Simulated, expected: np.ndarray) -> Marks:
    """`expected` weighs the agencies to the one of index 1."""
    truth = world.truth / ((world.truth * expected).sum() / expected.sum())
    best = set(np.argsort(-world.truth)[:TOP])
    return Marks(
        spearman=float(spearmanr(ranked.index, world.truth)[0]),
        top=len(best & set(np.argsort(-ranked.index)[:TOP])) / TOP,
        coverage=float(((ranked.low <= truth) & (truth <= ranked.high)).mean()),
    )


def compared(world: Simulated) -> dict[str, Marks]:
    """Method → its marks in one world."""
    ours, expected = engine(world.book)
    return {
        "raw rate": marks(raw_rate(world.book), world, expected),
        "pooled O/E, shrunk": marks(pooled(world.book), world, expected),
        "this engine": marks(ours, world, expected),
    }
