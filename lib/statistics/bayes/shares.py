"""Mixtures of beta distributions: what is known of a share, and of the difference of two."""

from __future__ import annotations

__all__ = ["JEFFREYS", "BetaMixture", "Difference", "count_patients", "make_robust", "predict", "update"]

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from lib.statistics.bayes.knowledge import find_quantile

# Nodes of a panel, and panels, of the integral over the second share.
NODES, PANELS = 20, 40
# Beyond these quantiles a share is not looked at.
TAIL = 1e-14
# Shares between which a density is finite.
INSIDE = (1e-300, 1 - 2.0**-53)
# Chances that differ by less than this share of them are the same.
ROUNDING = 1e-9


class BetaMixture(NamedTuple):
    """Beta distributions with their weights, which sum to 1."""

    weight: tuple[float, ...]
    a: tuple[float, ...]
    b: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean of the mixture."""
        a, b = np.array(self.a), np.array(self.b)
        return float(np.dot(self.weight, a / (a + b)))

    @property
    def variance(self) -> float:
        """Variance of the mixture."""
        own, centre = stats.beta.stats(np.array(self.a), np.array(self.b), moments="v"), stats.beta.mean(self.a, self.b)
        return float(np.dot(self.weight, own + np.square(centre - self.mean)))

    def cdf(self, x: np.ndarray | float) -> np.ndarray:
        """Probability of at most `x`."""
        return stats.beta.cdf(np.asarray(x, float)[..., None], self.a, self.b) @ np.array(self.weight)

    def pdf(self, x: np.ndarray) -> np.ndarray:
        """Density."""
        return stats.beta.pdf(np.asarray(x, float)[..., None], self.a, self.b) @ np.array(self.weight)

    def quantile(self, p: float) -> float:
        """Value below which the share lies with probability `p`."""
        own = stats.beta.ppf(p, self.a, self.b)
        return float(own[0]) if len(own) == 1 else find_quantile(self.cdf, p, own)


# Half a responder and half a non-responder: as much as one patient says.
JEFFREYS = BetaMixture((1.0,), (0.5,), (0.5,))


def make_robust(found: Sequence[tuple[int, int]], weights: Sequence[float]) -> BetaMixture:
    """Earlier counts (of n) beside as much as one patient would say; parameters as in `normal.make_robust`."""
    parts = [(count + 0.5, n - count + 0.5) for count, n in found]
    shares = [weight / len(weights) for weight in weights]
    a, b = zip(*parts, (0.5, 0.5), strict=True)
    return BetaMixture((*shares, 1 - sum(shares)), tuple(a), tuple(b))


def update(prior: BetaMixture, count: int, n: int) -> BetaMixture:
    """Posterior of a prior and `count` of `n`.

    R (RBesT): ``postmix(mixbeta(...), r = count, n = n)``.
    """
    a, b = np.array(prior.a), np.array(prior.b)
    said = np.log(prior.weight) + stats.betabinom.logpmf(count, n, a, b)
    weights = np.exp(said - said.max())
    return BetaMixture(tuple((weights / weights.sum()).tolist()), tuple((a + count).tolist()), tuple((b + n - count).tolist()))


def predict(prior: BetaMixture, count: int, n: int) -> float:
    """Box's prior predictive p-value: the chance, were the prior right, of a count of `n` no likelier than this one."""
    chances = stats.betabinom.pmf(np.arange(n + 1)[:, None], n, prior.a, prior.b) @ np.array(prior.weight)
    return float(min(chances[chances <= chances[count] * (1 + ROUNDING)].sum(), 1.0))


def count_patients(prior: BetaMixture) -> float:
    """Effective sample size in patients: a + b of the beta distribution of this mean and variance."""
    return prior.mean * (1 - prior.mean) / prior.variance - 1


class Difference(NamedTuple):
    """First share minus second, of two that are known apart from each other."""

    first: BetaMixture
    second: BetaMixture

    @property
    def mean(self) -> float:
        """Mean of the difference."""
        return self.first.mean - self.second.mean

    def cdf(self, x: np.ndarray | float) -> np.ndarray:
        """Probability of a difference of at most `x`: the integral over the second share, by Gauss's rule."""
        x = np.asarray(x, float)
        y, weight, high = self._nodes(x)
        inside = (weight * self.second.pdf(y) * self.first.cdf(y + x[..., None])).sum(axis=-1)
        return np.clip(inside + 1 - self.second.cdf(high), 0.0, 1.0)

    def pdf(self, x: np.ndarray) -> np.ndarray:
        """Density."""
        x = np.asarray(x, float)
        y, weight, _ = self._nodes(x)
        return (weight * self.second.pdf(y) * self.first.pdf(y + x[..., None])).sum(axis=-1)

    def quantile(self, p: float) -> float:
        """Value below which the difference lies with probability `p`."""
        return find_quantile(self.cdf, p, (-1.0, 1.0))

    def _nodes(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Second shares at which the first one lies between 0 and 1, with their weights, and where they end.

        The sine takes away the corners that densities have at 0 and 1 where a count is 0 or all.
        """
        a, b = np.array(self.second.a), np.array(self.second.b)
        low = np.maximum(-x, stats.beta.ppf(TAIL, a, b).min())
        high = np.maximum(np.minimum(1 - x, stats.beta.isf(TAIL, a, b).max()), low)
        at, width = np.polynomial.legendre.leggauss(NODES)
        panel = np.pi / 2 / PANELS
        angle = (panel * (np.arange(PANELS)[:, None] + (at + 1) / 2)).ravel()
        weight = np.tile(width, PANELS) * panel / 2 * np.sin(2 * angle)
        long = (high - low)[..., None]
        return np.clip(low[..., None] + long * np.sin(angle) ** 2, *INSIDE), long * weight, high
