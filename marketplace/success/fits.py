"""What an average agency would have achieved: agency effects fixed, quasi-Poisson, fitted exactly.

An outcome O of agency a in cell c with exposure W has the mean θ_a λ_c W. Fixing the agencies'
effects while the cells' rates are estimated keeps skill out of the norm where good agencies were
given easy loans (Kalbfleisch & Wolfe 2013, doi 10.1007/s12561-013-9093-x); with one stratum a
column of a triangle it is the chain ladder (Renshaw & Verrall 1998).
"""

import dataclasses
from collections.abc import Callable

import numpy as np
from scipy.sparse.csgraph import connected_components

PASSES_MAX = 400
PRECISION = 1e-9
NEWTON_EVERY = 3
STEP_MAX = 1.0
SHARE_AS_IF_KNOWN = 0.30
"""An agency with no more than this part of its cells leaves their rates as good as known."""
CONNECTED_FROM = 1e-9
"""Eigenvalues of the normed Laplacian below are those of groups that share nothing."""


@dataclasses.dataclass(frozen=True)
class Fit:
    """`rate` λ in the shape of a cell, `expected` E_a = Σ λ W and `group` of each agency.

    Within a group ΣE = ΣO, so that O_a/E_a = 1 is the average agency of the group. Agencies of
    different groups share no cell and cannot be compared. `passes` is how often it went round.
    `inflation` is by how much the variance of an agency's O_a/E_a is larger than if the rates of
    its cells were known: 1 where others hold most of them, without end where it stands all but
    alone, because its cells say what it did and not what another would have.
    """

    rate: np.ndarray
    expected: np.ndarray
    group: np.ndarray
    passes: int
    inflation: np.ndarray


def two_way(observed: np.ndarray, exposure: np.ndarray) -> Fit:
    """The fit of agencies × cells; both arrays have that shape, `exposure` is 0 or more.

    Alternates the two closed forms, with a Newton step for the agencies in between, to a relative
    change of 1e-9.
    """
    group = groups(observed, exposure)
    own = np.clip(observed.sum(axis=1), 0, None)
    by_cell = np.clip(observed.sum(axis=0), 0, None)

    def moved(theta: np.ndarray, number: int) -> np.ndarray:
        rate = ratio(by_cell, theta @ exposure)
        expected = exposure @ rate
        if number % NEWTON_EVERY == 0:
            theta = theta * np.exp(_newton(theta, rate, exposure, own))
        else:
            theta = ratio(own, expected)
        return centred(theta, expected, group)

    theta, passes = _settled(moved, len(own))
    rate = ratio(by_cell, theta @ exposure)
    inflation = _inflation(theta[:, None] * exposure * rate)
    return _scaled(rate, exposure, own, group, passes, inflation)


def three_margins(observed: np.ndarray, exposure: np.ndarray, coarse_of: np.ndarray) -> Fit:
    """The fit of agencies × strata × months for small books: λ_sm = level_s × shape_{g(s), m}.

    `coarse_of` is each stratum's coarse group, which has one shape over the months.
    """
    agencies, strata, months = observed.shape
    group = groups(observed.sum(axis=2), exposure.sum(axis=2))
    own = np.clip(observed.sum(axis=(1, 2)), 0, None)
    by_stratum = np.clip(observed.sum(axis=(0, 2)), 0, None)
    coarse = int(coarse_of.max()) + 1
    gather = np.zeros((coarse, strata))
    gather[coarse_of, np.arange(strata)] = 1
    by_shape = np.clip(gather @ observed.sum(axis=0), 0, None)
    level, shape = np.ones(strata), np.ones((coarse, months))
    flat = exposure.reshape(agencies, -1)

    def moved(theta: np.ndarray, _number: int) -> np.ndarray:
        nonlocal level, shape
        held = (theta @ flat).reshape(strata, months)
        shape = ratio(by_shape, gather @ (level[:, None] * held))
        level = ratio(by_stratum, (held * shape[coarse_of]).sum(axis=1))
        expected = flat @ (level[:, None] * shape[coarse_of]).ravel()
        return centred(ratio(own, expected), expected, group)

    theta, passes = _settled(moved, agencies)
    rate = level[:, None] * shape[coarse_of]
    # Months share their shape with other strata: what is free in each stratum is its level.
    inflation = _inflation(theta[:, None] * (exposure * rate).sum(axis=2))
    return _scaled(rate, exposure, own, group, passes, inflation)


def _settled(
    moved: Callable[[np.ndarray, int], np.ndarray], agencies: int
) -> tuple[np.ndarray, int]:
    """θ that `moved` does not move any more, and how many passes that took."""
    theta = np.ones(agencies)
    for number in range(1, PASSES_MAX + 1):
        before, theta = theta, moved(theta, number)
        if np.abs(theta - before).max(initial=0) < PRECISION * max(
            1.0, float(theta.max(initial=0))
        ):
            return theta, number
    return theta, PASSES_MAX


def groups(observed: np.ndarray, exposure: np.ndarray) -> np.ndarray:
    """For each agency, the number of the group within which it can be compared, from 0 on.

    Two agencies are linked where both were exposed in a cell in which anything happened. The
    number of groups is that of zero eigenvalues of the fit's Laplacian.
    """
    informative = exposure[:, observed.sum(axis=0) > 0] > 0
    linked = informative.astype(np.float32) @ informative.T.astype(np.float32)
    return connected_components(linked, directed=False)[1]


def _newton(theta: np.ndarray, rate: np.ndarray, exposure: np.ndarray, own: np.ndarray):
    """The step of log θ with λ at its best for θ: L⁺ (O − θE), L the Laplacian of the fit."""
    mean = theta[:, None] * exposure * rate
    by_cell = mean.sum(axis=0)
    laplacian = np.diag(mean.sum(axis=1)) - (mean * ratio(np.ones_like(by_cell), by_cell)) @ mean.T
    step = np.linalg.pinv(laplacian, hermitian=True) @ (own - mean.sum(axis=1))
    return np.clip(step, -STEP_MAX, STEP_MAX)


def _inflation(mean: np.ndarray) -> np.ndarray:
    """By how much L⁺_aa is more than 1/μ_a, which it is where an agency's part of its cells is
    small; L⁺ of the means of agencies × cells is the covariance of log θ with the rates free.

    The Laplacian is normed by its diagonal, so that what is nothing can be told from what is small.
    """
    by_cell, by_agency = mean.sum(axis=0), mean.sum(axis=1)
    normed = mean / np.sqrt(np.where(by_agency > 0, by_agency, 1))[:, None]
    shared = (normed * ratio(np.ones_like(by_cell), by_cell)) @ normed.T
    values, vectors = np.linalg.eigh(np.diag((by_agency > 0).astype(float)) - shared)
    inverse = np.where(values > CONNECTED_FROM, 1 / np.maximum(values, CONNECTED_FROM), 0)
    return np.maximum(1.0, (1 - SHARE_AS_IF_KNOWN) * (vectors**2 @ inverse))


def centred(theta: np.ndarray, expected: np.ndarray, group: np.ndarray) -> np.ndarray:
    """θ so that the expected outcome of each group is what its agencies achieved."""
    total = np.bincount(group, expected)
    reached = np.bincount(group, theta * expected)
    return theta * ratio(total, reached, otherwise=1.0)[group]


def _scaled(
    rate: np.ndarray,
    exposure: np.ndarray,
    own: np.ndarray,
    group: np.ndarray,
    passes: int,
    inflation: np.ndarray,
) -> Fit:
    """λ and E so that ΣE = ΣO in each group; a cell with an outcome has agencies of one group."""
    expected = exposure.reshape(len(own), -1) @ rate.ravel()
    factor = ratio(np.bincount(group, own), np.bincount(group, expected), otherwise=1.0)
    by_row = exposure.reshape(len(own), len(rate), -1).sum(axis=2)
    of_row = factor[group[np.argmax(by_row > 0, axis=0)]]
    scaled = rate * of_row.reshape(-1, *([1] * (rate.ndim - 1)))
    return Fit(scaled, expected * factor[group], group, passes, inflation)


def ratio(above: np.ndarray, below: np.ndarray, otherwise: float = 0.0) -> np.ndarray:
    """`above` ÷ `below`, `otherwise` where there is nothing to divide by."""
    found = np.full(np.broadcast(above, below).shape, otherwise)
    return np.divide(above, below, out=found, where=below > 0)
