"""What is left of a figure when chance is taken into account: gamma-Poisson on effective counts.

θ ~ Gamma(shape 1/τ², mean μ) over the agencies, o | θ ~ Poisson(θ e), with e = 1/variance and
o = e × the factor. Mean and spread of the agencies are not known: a grid over τ and μ is weighed by
what it makes of the data, and every agency's posterior is a mixture of gammas over it. An agency
with no success at all needs no patch, and a newcomer shrinks to the typical agency, not to the mean
of the money, which the largest dominate.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
from scipy.special import digamma, gammaln, polygamma

TAUS, MUS = 32, 15
TAU_RANGE = (0.01, 1.5)
TAU_SCALE = 0.5
NONE = 0.75
TAU_RARE, RARE = 0.10, 0.05
MU_WIDTH = 4.0
MU_REACH_MAX = 5.0
"""Of log μ, where there is next to no exposure: no mean is a hundred times the field's."""

TauPrior = Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Posterior:
    """Mixtures of gammas: `weight` by point of the grid, `shape` and `rate` by agency and point."""

    weight: np.ndarray
    shape: np.ndarray
    rate: np.ndarray
    tau_squared: float

    @property
    def mean(self) -> np.ndarray:
        return (self.shape / self.rate) @ self.weight

    def log_moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance of log θ, by agency."""
        means = digamma(self.shape) - np.log(self.rate)
        mean = means @ self.weight
        variances = polygamma(1, self.shape) + (means - mean[:, None]) ** 2
        return mean, variances @ self.weight

    def draws(self, count: int, generator: np.random.Generator, turn: np.ndarray) -> np.ndarray:
        """θ of `count` draws × agencies in their `turn`; a draw takes one point of the grid for
        all of them."""
        point = generator.choice(len(self.weight), size=count, p=self.weight)
        shape, rate = self.shape[turn][:, point], self.rate[turn][:, point]
        return (generator.standard_gamma(shape) / rate).T


def half_normal(taus: np.ndarray) -> np.ndarray:
    """The log weights of τ ~ half-normal(0.5): agencies differ, nobody knows by how much."""
    # The grid is even in log τ, so each point stands for a stretch as long as τ.
    return -0.5 * (taus / TAU_SCALE) ** 2 + np.log(taus)


def none_or_some(taus: np.ndarray) -> np.ndarray:
    """The log weights of a τ that is more likely none at all: three quarters are on the least of
    the grid (Mitchell & Beauchamp 1988), the rest falls exponentially to P(τ > 0.10) = 0.05
    (Simpson, Rue, Riebler, Martins & Sørbye 2017)."""
    some = taus * RARE ** (taus / TAU_RARE)
    weights = (1 - NONE) * some / some.sum()
    weights[0] += NONE
    return np.log(weights)


def posterior(
    successes: np.ndarray, exposure: np.ndarray, tau_prior: TauPrior = half_normal
) -> Posterior:
    """By agency, from effective successes o and effective exposures e, both 0 or more; `tau_prior`
    gives log weights to a grid of τ, those of log μ are even."""
    taus = np.geomspace(*TAU_RANGE, TAUS)
    mus = np.exp(_log_mus(successes, exposure))
    tau, mu = (axis.ravel() for axis in np.meshgrid(taus, mus, indexing="ij"))
    weigh = np.repeat(tau_prior(taus), MUS)
    return on_grid(successes, exposure, shape=1 / tau**2, rate=1 / (tau**2 * mu), weigh=weigh)


def on_grid(
    successes: np.ndarray,
    exposure: np.ndarray,
    *,
    shape: np.ndarray,
    rate: np.ndarray,
    weigh: np.ndarray,
) -> Posterior:
    """The posterior over a grid of priors Gamma(shape, rate), each with a log weight of its own."""
    alpha, beta = shape[None, :], rate[None, :]
    o, e = successes[:, None], exposure[:, None]
    log_likelihood = (
        gammaln(o + alpha)
        - gammaln(alpha)
        + alpha * np.log(beta / (beta + e))
        - o * np.log(beta + e)
    ).sum(axis=0)
    log_weight = log_likelihood + weigh
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    tau_squared = float(weight @ (1 / shape))
    return Posterior(weight, alpha + o, beta + e, tau_squared)


def _log_mus(successes: np.ndarray, exposure: np.ndarray) -> np.ndarray:
    """An even grid around the mean, four standard errors wide to each side."""
    total = exposure.sum()
    if total <= 0 or successes.sum() <= 0:
        return np.linspace(-1, 1, MUS)
    centre = np.log(successes.sum() / total)
    known = exposure > 0
    ratios = np.log((successes[known] + 0.5) / (exposure[known] + 0.5)) - centre
    spread = np.sqrt((np.mean(ratios**2) + len(ratios) / total) / len(ratios))
    reach = min(MU_WIDTH * max(float(spread), 0.02), MU_REACH_MAX)
    return centre + np.linspace(-1, 1, MUS) * reach
