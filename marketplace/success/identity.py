"""The raw index as a product: raw = exposure × mix × performance, exactly."""

import numpy as np

from marketplace.success.cells import Cells
from marketplace.success.factors import Factors
from marketplace.success.fits import ratio


def split(
    cells: Cells, factors: Factors, balance: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The raw index, and the parts of it that are longer exposure and easier loans.

    Raw is cash ÷ balance against the group's. Exposure is what the group's average curve over the
    months would have brought on the balance, mix what an average agency would have brought on the
    very strata besides.
    """
    by_month = cells.balance_months.sum(axis=1)
    raw, exposure, mix = (np.zeros(len(balance)) for _ in range(3))
    for number in range(int(factors.group.max()) + 1):
        own = factors.group == number
        cash = cells.cash[own].sum(axis=(0, 1))
        curve = ratio(np.clip(cash, 0, None), by_month[own].sum(axis=0))
        typical = by_month[own] @ curve
        owed = balance[own].sum()
        raw[own] = ratio(factors.cash[own] * owed, balance[own] * factors.cash[own].sum())
        exposure[own] = ratio(typical * owed, balance[own] * typical.sum())
        mix[own] = ratio(factors.expected_cash[own], typical)
    return raw, exposure, mix
