"""A posterior on a grid: any prior with any likelihood of one quantity, without sampling."""

from __future__ import annotations

__all__ = ["GridPosterior", "LogLikelihood", "combine"]

from typing import NamedTuple

import numpy as np
from scipy.interpolate import CubicSpline

from lib.statistics.bayes.knowledge import find_quantile
from lib.statistics.bayes.normal import NormalMixture

# Points from one value of the likelihood to the next.
FINE = 20


class LogLikelihood(NamedTuple):
    """A log likelihood at ascending values of a quantity, 0 at its highest.

    `peak`: whether it falls on either side; where it does not, data alone give no posterior.
    """

    x: np.ndarray
    value: np.ndarray
    peak: bool


class GridPosterior(NamedTuple):
    """A density at ascending values, and the probability up to each."""

    x: np.ndarray
    density: np.ndarray
    below: np.ndarray
    weight: tuple[float, ...] = (1.0,)

    @property
    def mean(self) -> float:
        """Mean of the posterior."""
        return float(CubicSpline(self.x, self.x * self.density).integrate(self.x[0], self.x[-1]))

    def cdf(self, x: np.ndarray | float) -> np.ndarray:
        """Probability of at most `x`."""
        return np.clip(CubicSpline(self.x, self.below)(np.clip(x, self.x[0], self.x[-1])), 0.0, 1.0)

    def pdf(self, x: np.ndarray) -> np.ndarray:
        """Density; 0 beyond the grid."""
        return np.interp(x, self.x, self.density, 0.0, 0.0)

    def quantile(self, p: float) -> float:
        """Value below which the quantity lies with probability `p`."""
        i = int(np.clip(np.searchsorted(self.below, p), 1, len(self.x) - 1))
        return find_quantile(self.cdf, p, (self.x[i - 1], self.x[i]))


def combine(prior: NormalMixture, likelihood: LogLikelihood) -> GridPosterior | None:
    """Posterior of a prior and a likelihood; None where both are flat on a side.

    The parts of a mixture are updated one by one, so that their weights are known.
    """
    if not likelihood.peak and not np.isfinite(prior.sds).all():
        return None
    spline = CubicSpline(likelihood.x, likelihood.value)
    x = np.append((likelihood.x[:-1, None] + np.diff(likelihood.x)[:, None] * np.arange(FINE) / FINE).ravel(), likelihood.x[-1])
    seen = np.exp(spline(x))
    parts = [NormalMixture((1.0,), (mean,), (sd,)) for mean, sd in zip(prior.means, prior.sds, strict=True)]
    joint = [share * part.pdf(x) * seen for share, part in zip(prior.weight, parts, strict=True)]
    masses = [CubicSpline(x, one).integrate(x[0], x[-1]) for one in joint]
    total = float(np.sum(masses))
    density = np.sum(joint, axis=0) / total
    below = CubicSpline(x, density).antiderivative()(x)
    return GridPosterior(x, density, np.maximum.accumulate(below), tuple(float(mass) / total for mass in masses))
