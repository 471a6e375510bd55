"""Every agency's index with its uncertainty, its place, and what the raw rate is made of."""

import dataclasses

import numpy as np

from marketplace.success import cells as cell_tables
from marketplace.success import dispersion, identity, random_lots, shrinkage, standing
from marketplace.success import factors as factor_tables
from marketplace.success import sizes as size_tables
from marketplace.success.book import Book, Paid, Policy, paid
from marketplace.success.cells import Cells
from marketplace.success.dispersion import Variances
from marketplace.success.factors import Factors
from marketplace.success.fits import ratio
from marketplace.success.sizes import Sizes
from marketplace.success.standing import Place, Status

LEVEL = 0.95


@dataclasses.dataclass(frozen=True)
class Score:
    """One agency. Money in the book's unit; `raw_index` = `exposure_factor` × `mix_factor` ×
    `observed` / `expected`, and that is `count` × `tilt` × `size`.

    `index` is the median of the posterior of observed ÷ expected, from `low` to `high` with 95 %;
    `log_mean` and `log_variance` are of its logarithm, `effective_payments` what a funnel is drawn
    by. `place` is None unless the status is `RANKED`.
    """

    agency: int
    loans: int
    balance: float
    observed: float
    expected: float
    raw_index: float
    exposure_factor: float
    mix_factor: float
    count: float
    tilt: float
    size: float
    index: float
    low: float
    high: float
    probability_above_one: float
    reliability: float
    status: Status
    group: int
    place: Place | None
    log_mean: float
    log_variance: float
    effective_payments: float


@dataclasses.dataclass(frozen=True)
class Result:
    """The scores, in order of expected rank within each group, those without one last; and what
    the fit found: the spread of the agencies in the three factors, the `pull` of unrecorded quality
    (None without random lots: then it is adjusted for recorded differences only), and the cash that
    was capped or came outside of the exposed months."""

    scores: list[Score]
    cells: Cells
    factors: Factors
    variances: Variances
    tau_count: float
    tau_tilt: float
    tau_size: float
    pull: float | None
    capped: float
    outside: float

    @property
    def groups(self) -> int:
        return int(self.factors.group.max()) + 1


@dataclasses.dataclass(frozen=True)
class _Judged:
    """What is known of the agencies' indices: moments of the logarithms, and draws × agencies."""

    mean: np.ndarray
    variance: np.ndarray
    reliability: np.ndarray
    status: list[Status]
    drawn: np.ndarray


def score(
    book: Book,
    policy: Policy | None = None,
    counted: Cells | None = None,
    barred: np.ndarray | None = None,
) -> Result:
    """Score the agencies of a book. The same book gives the same scores, in any order of rows.

    `counted` are the cells of `cells.apart(book)` where somebody has counted them already, with
    all of the cash; without, they are counted from the book's rows. `barred` says of each agency
    whether its conduct bars it: it is scored as the others are, and has no place among them.
    """
    policy = policy or Policy()
    payments = paid(book, policy)
    doubled = cell_tables.apart(book)
    if counted is None:
        each = cell_tables.of(doubled, payments)
    else:
        each = dataclasses.replace(
            counted, cash=counted.cash - cell_tables.beyond_cap(doubled, payments)
        )
    cells = each.in_pairs()
    factors = factor_tables.split(cells, book.group_of)
    sizes = size_tables.split(book, payments, factors)
    variances = dispersion.of(book, payments, factors, sizes)
    count, pull = _count(doubled, each, payments, factors, variances)
    parts = _shrunk(factors, sizes, count, variances)
    judged = _judged(policy, cells, factors, parts, barred)
    return Result(
        scores=_scores(book, policy, cells, factors, variances, judged),
        cells=cells,
        factors=factors,
        variances=variances,
        tau_count=parts[0].tau_squared ** 0.5,
        tau_tilt=parts[1].tau_squared ** 0.5,
        tau_size=(parts[2].tau_squared + parts[3].tau_squared) ** 0.5,
        pull=pull,
        capped=float(payments.beyond_cap.sum()),
        outside=payments.outside,
    )


def _count(
    doubled: Book, each: Cells, payments: Paid, factors: Factors, variances: Variances
) -> tuple[tuple[np.ndarray, np.ndarray], float | None]:
    """How many pay, with the variance of its logarithm, and the pull of unrecorded quality.

    With random lots each agency is two in the fit, its random loans and its others: the norm is
    the same for both, and what they differ by beyond chance is what was not recorded.
    """
    if not (doubled.agency % 2).any():
        return (factors.count, variances.count), None
    halves = factor_tables.split(each, doubled.group_of)
    spread = dispersion.of_count(doubled, payments, halves)
    combined = random_lots.combine(halves.count[1::2], spread[1::2], halves.count[::2], spread[::2])
    expected = factors.expected_payers
    level = ratio(np.array(expected.sum()), np.array((combined.factor * expected).sum()))
    return (combined.factor * float(level), combined.variance), combined.pull


def _shrunk(
    factors: Factors, sizes: Sizes, count: tuple[np.ndarray, np.ndarray], variances: Variances
) -> list[shrinkage.Posterior]:
    """The posteriors of the count, the tilt and the two parts of the size; `count` is the first
    with its variance."""
    parts = []
    for factor, variance, tau_prior in (
        (*count, shrinkage.half_normal),
        (factors.tilt, variances.tilt, shrinkage.none_or_some),
        (sizes.typical, variances.typical, shrinkage.half_normal),
        (sizes.large, variances.large, shrinkage.none_or_some),
    ):
        exposure = ratio(np.ones_like(variance), variance)
        successes = exposure * np.clip(factor, 0, None)
        parts.append(shrinkage.posterior(successes, exposure, tau_prior))
    return parts


def _judged(
    policy: Policy,
    cells: Cells,
    factors: Factors,
    parts: list[shrinkage.Posterior],
    barred: np.ndarray | None,
) -> _Judged:
    mean, variance = np.array([part.log_moments() for part in parts]).sum(axis=0)
    spread = sum(part.tau_squared for part in parts)
    reliability = np.clip(1 - variance / spread, 0, 1)
    is_exposed = cells.loan_months.sum(axis=(1, 2)) > 0
    return _Judged(
        mean=mean,
        variance=variance,
        reliability=reliability,
        status=[
            Status.BARRED if is_barred else status
            for is_barred, status in zip(
                np.zeros(len(mean), bool) if barred is None else barred,
                standing.status(policy, factors, cells, reliability),
                strict=True,
            )
        ],
        drawn=_draws(parts, policy, np.lexsort((mean, ~is_exposed))),
    )


def _draws(parts: list[shrinkage.Posterior], policy: Policy, turn: np.ndarray) -> np.ndarray:
    """The index in draws × agencies.

    Agencies take their turn by their own figures, those without any last, and each its draws at
    once: neither who is called what nor somebody without loans changes what is drawn for whom.
    """
    drawn = np.ones((policy.draws, len(turn)))
    for number, part in enumerate(parts):
        generator = np.random.Generator(np.random.PCG64([policy.seed, number]))
        drawn[:, turn] *= part.draws(policy.draws, generator, turn)
    return drawn


def _scores(
    book: Book,
    policy: Policy,
    cells: Cells,
    factors: Factors,
    variances: Variances,
    judged: _Judged,
) -> list[Score]:
    loans = np.bincount(book.agency, minlength=book.agencies)
    balance = np.bincount(book.agency, book.balance, minlength=book.agencies)
    raw, exposure_factor, mix_factor = identity.split(cells, factors, balance)
    tail = (1 - LEVEL) / 2
    low, index, high = np.quantile(judged.drawn, (tail, 0.5, 1 - tail), axis=0)
    places = standing.places(
        factors.group, judged.status, judged.mean, judged.variance, judged.drawn, policy
    )
    noise = variances.count + variances.tilt + variances.size
    scores = [
        Score(
            agency=agency,
            loans=int(loans[agency]),
            balance=float(balance[agency]),
            observed=float(factors.cash[agency]),
            expected=float(factors.expected_cash[agency]),
            raw_index=float(raw[agency]),
            exposure_factor=float(exposure_factor[agency]),
            mix_factor=float(mix_factor[agency]),
            count=float(factors.count[agency]),
            tilt=float(factors.tilt[agency]),
            size=float(factors.size[agency]),
            index=float(index[agency]),
            low=float(low[agency]),
            high=float(high[agency]),
            probability_above_one=float((judged.drawn[:, agency] > 1).mean()),
            reliability=float(judged.reliability[agency]),
            status=judged.status[agency],
            group=int(factors.group[agency]),
            place=places.get(agency),
            log_mean=float(judged.mean[agency]),
            log_variance=float(judged.variance[agency]),
            effective_payments=float(1 / noise[agency]) if noise[agency] > 0 else 0.0,
        )
        for agency in range(book.agencies)
    ]
    return sorted(scores, key=_by_rank)


def _by_rank(score: Score) -> tuple:
    rank = np.inf if score.place is None else score.place.expected_rank
    return (score.group, rank, -score.log_mean, score.agency)
