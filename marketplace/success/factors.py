"""The exact split of an index: how many pay × whether the larger ones do × how much they pay.

    O/E = N/E^N × (X/E)/(N/E^N) × O/X

N are paying loan-months, X = Σ f V is what they would bring if everybody paid the average part f of
the balance, O is the cash. The count carries most of the skill with a fraction of the noise of
money; the other two are kept, and shrunk by as much as the data say.
"""

import dataclasses

import numpy as np

from marketplace.success import fits
from marketplace.success.cells import Cells
from marketplace.success.fits import Fit, ratio

PAYMENTS_LENT = 20
"""So many payments of its coarse group are counted to the severity of a stratum."""
PAYERS_PER_CELL = 30
"""Below, cells are too thin for a rate of their own, and a stratum lends its group's shape."""


@dataclasses.dataclass(frozen=True)
class Factors:
    """By agency: `payers` N, `severity_cash` X, `cash` O and what an average agency would have:
    `expected_payers` E^N, `expected_cash` E. `counts` and `money` are the fits behind them,
    `severity` f by stratum, `group` within which ΣE = ΣX = ΣO.
    """

    payers: np.ndarray
    severity_cash: np.ndarray
    cash: np.ndarray
    counts: Fit
    money: Fit
    severity: np.ndarray
    is_small: bool

    @property
    def group(self) -> np.ndarray:
        return self.counts.group

    @property
    def expected_payers(self) -> np.ndarray:
        return self.counts.expected

    @property
    def expected_cash(self) -> np.ndarray:
        return self.money.expected

    @property
    def count(self) -> np.ndarray:
        """N / E^N."""
        return ratio(self.payers, self.expected_payers)

    @property
    def tilt(self) -> np.ndarray:
        """(X/E) / (N/E^N); 1 where nobody paid."""
        return ratio(ratio(self.severity_cash, self.expected_cash), self.count, otherwise=1.0)

    @property
    def size(self) -> np.ndarray:
        """O / X; 1 where nobody paid."""
        return ratio(self.cash, self.severity_cash, otherwise=1.0)


def split(cells: Cells, group_of: np.ndarray) -> Factors:
    """The factors of every agency; `group_of` is each stratum's coarse group."""
    live = int(np.count_nonzero(cells.payers.sum(axis=0)))
    is_small = cells.payers.sum() < PAYERS_PER_CELL * max(live, 1)
    counts = _fit(cells.payers, cells.loan_months, group_of, is_small)
    severity = _severity(cells, group_of)
    weighted = cells.payer_balance * severity[:, None]
    by_agency = weighted.sum(axis=(1, 2))
    cash = cells.cash.sum(axis=(1, 2))
    # In each group X is scaled to the cash: the third factor is 1 for its average agency.
    total = ratio(
        np.bincount(counts.group, np.clip(cash, 0, None)),
        np.bincount(counts.group, by_agency),
        otherwise=1.0,
    )
    scale = total[counts.group]
    money = _fit(weighted * scale[:, None, None], cells.balance_months, group_of, is_small)
    return Factors(
        payers=cells.payers.sum(axis=(1, 2)),
        severity_cash=by_agency * scale,
        cash=cash,
        counts=counts,
        money=money,
        severity=severity,
        is_small=bool(is_small),
    )


def _fit(observed: np.ndarray, exposure: np.ndarray, group_of: np.ndarray, is_small: bool) -> Fit:
    if is_small:
        return fits.three_margins(observed, exposure, group_of)
    agencies, *shape = observed.shape
    fit = fits.two_way(observed.reshape(agencies, -1), exposure.reshape(agencies, -1))
    return dataclasses.replace(fit, rate=fit.rate.reshape(shape))


def _severity(cells: Cells, group_of: np.ndarray) -> np.ndarray:
    """By stratum, the part of its balance that a paying loan pays in a month; credibility lends it
    20 payments of its coarse group (Bühlmann & Straub)."""
    cash, balance = cells.cash.sum(axis=2), cells.payer_balance.sum(axis=2)
    gather = np.zeros((int(group_of.max()) + 1, len(group_of)))
    gather[group_of, np.arange(len(group_of))] = 1
    own = fits.two_way(np.clip(cash, 0, None), balance).rate
    lent = fits.two_way(np.clip(cash @ gather.T, 0, None), balance @ gather.T).rate[group_of]
    overall = float(ratio(np.array(cash.sum()), np.array(balance.sum())))
    lent = np.where(lent > 0, lent, overall)
    payments = cells.payers.sum(axis=(0, 2))
    return (payments * own + PAYMENTS_LENT * lent) / (payments + PAYMENTS_LENT)
