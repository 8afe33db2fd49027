"""Mixtures of normal distributions: priors of a log hazard ratio, and what they become with a normal likelihood."""

from __future__ import annotations

__all__ = ["EVENT_SD", "FLAT", "NormalMixture", "chance_of_each", "count_events", "doubt", "hope", "make_robust", "predict", "read_interval", "update"]

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import optimize, stats

from lib.statistics.bayes.knowledge import find_quantile
from lib.statistics.pooling import from_limits

# The log hazard ratio of d events, half of them in either arm, has a variance of 4 / d: one event says as much as this.
EVENT_SD = 2.0
# Standard deviations beyond which a normal density holds nothing.
FAR = 12.0
# Points at which a density of several tops is held against one height.
LOOKED_AT = 4_001


class NormalMixture(NamedTuple):
    """Normal distributions with their weights, which sum to 1; a standard deviation may be infinite (flat) where it is one."""

    weight: tuple[float, ...]
    means: tuple[float, ...]
    sds: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean of the mixture; NaN of a flat one."""
        return float(np.dot(self.weight, self.means)) if np.isfinite(self.sds).all() else np.nan

    @property
    def variance(self) -> float:
        """Variance of the mixture."""
        if not np.isfinite(self.sds).all():
            return np.inf
        away = np.square(np.array(self.means) - self.mean)
        return float(np.dot(self.weight, np.square(self.sds) + away))

    @property
    def ends(self) -> tuple[float, float]:
        """Where every part has ended."""
        means, sds = np.array(self.means), np.array(self.sds)
        return float((means - FAR * sds).min()), float((means + FAR * sds).max())

    def cdf(self, x: np.ndarray | float) -> np.ndarray:
        """Probability of at most `x`."""
        return stats.norm.cdf(np.asarray(x, float)[..., None], self.means, self.sds) @ np.array(self.weight)

    def pdf(self, x: np.ndarray) -> np.ndarray:
        """Density; of a flat one 1 everywhere."""
        x = np.asarray(x, float)
        if not np.isfinite(self.sds).all():
            return np.ones(x.shape)
        return stats.norm.pdf(x[..., None], self.means, self.sds) @ np.array(self.weight)

    def quantile(self, p: float) -> float:
        """Value below which the quantity lies with probability `p`."""
        if len(self.weight) == 1:
            return float(stats.norm.ppf(p, self.means[0], self.sds[0]))
        return find_quantile(self.cdf, p, self.ends)


FLAT = NormalMixture((1.0,), (0.0,), (np.inf,))


def doubt(effect: float, chance: float) -> NormalMixture:
    """Prior around no effect that gives a `chance` to one beyond `effect` (Spiegelhalter, Freedman and Parmar)."""
    return NormalMixture((1.0,), (0.0,), (effect / stats.norm.ppf(chance),))


def hope(effect: float, chance: float) -> NormalMixture:
    """Prior around `effect` (below 0) that gives a `chance` to harm."""
    return NormalMixture((1.0,), (effect,), (effect / stats.norm.ppf(chance),))


def read_interval(estimate: float, low: float, high: float, level: float) -> tuple[float, float]:
    """Log hazard ratio and its standard error, from a published hazard ratio with its interval."""
    return float(np.log(estimate)), from_limits(low, high, level)


def chance_of_each(weight: float, among: int) -> float:
    """Chance of one of so many earlier results to hold, each of which alone would be given `weight`."""
    return weight / among


def make_robust(found: Sequence[tuple[float, float]], weights: Sequence[float]) -> NormalMixture:
    """Earlier results beside as much as one event would say around no effect.

    Parameters
    ----------
    found : sequence of (mean, sd)
        Log hazard ratios of earlier studies, all of them equally likely to hold here.
    weights : sequence of float
        Chance given to each of holding here, if it were the only one.

    Returns
    -------
    NormalMixture
        The unit-information part comes last (Schmidli et al. 2014).
    """
    shares = [chance_of_each(weight, len(weights)) for weight in weights]
    means, sds = zip(*found, (0.0, EVENT_SD), strict=True)
    return NormalMixture((*shares, 1 - sum(shares)), tuple(means), tuple(sds))


def update(prior: NormalMixture, estimate: float, std_err: float) -> NormalMixture:
    """Posterior of a prior and a normal likelihood: each part by its precision, its weight by how well it foretold.

    R (RBesT): ``postmix(mixnorm(...), m = estimate, se = std_err)``.
    """
    sds, means = np.array(prior.sds), np.array(prior.means)
    precision = sds**-2 + std_err**-2
    centres = (means * sds**-2 + estimate * std_err**-2) / precision
    weights = np.array(prior.weight)
    if len(weights) > 1:
        said = np.log(weights) + stats.norm.logpdf(estimate, means, np.hypot(sds, std_err))
        weights = np.exp(said - said.max())
    return NormalMixture(tuple((weights / weights.sum()).tolist()), tuple(centres.tolist()), tuple((precision**-0.5).tolist()))


def predict(prior: NormalMixture, estimate: float, std_err: float) -> float:
    """Box's prior predictive p-value: the chance, were the prior right, of an estimate no likelier than this one."""
    if not np.isfinite(prior.sds).all():
        return np.nan
    spread = NormalMixture(prior.weight, prior.means, tuple(np.hypot(prior.sds, std_err).tolist()))
    if len(prior.weight) == 1:
        return float(2 * stats.norm.sf(abs(estimate - prior.mean) / spread.sds[0]))
    seen = float(spread.pdf(np.array(estimate)))
    x = np.linspace(min(spread.ends[0], estimate), max(spread.ends[1], estimate), LOOKED_AT)
    likelier = spread.pdf(x) > seen
    turns = [optimize.brentq(lambda y: float(spread.pdf(np.array(y))) - seen, x[i], x[i + 1], xtol=1e-13) for i in np.flatnonzero(np.diff(likelier))]
    return float(1 - np.diff(spread.cdf(np.array(turns)))[::2].sum())


def count_events(prior: NormalMixture) -> float:
    """Effective sample size in events, 4 / variance; 0 of a flat prior."""
    return EVENT_SD**2 / prior.variance
