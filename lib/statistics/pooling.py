"""Estimates of several studies put together: random effects, how far the studies differ, where the next may lie."""

from __future__ import annotations

__all__ = ["LEAST", "Pooled", "as_logit", "from_limits", "pool_random"]

from collections.abc import Sequence
from math import log, sqrt
from typing import NamedTuple

import numpy as np
from scipy import optimize, stats

# Studies with which the spread between them can be told at all, and a prediction interval has a degree of freedom.
LEAST = 3


class Pooled(NamedTuple):
    """What several studies say together, on the scale of the estimates.

    `tau2`: variance between studies. `chisq`, `df`: Cochran's Q. `i2`: share of the spread that is not chance.
    `low`, `high`: prediction interval of the true effect of one more study.
    """

    estimate: float
    std_err: float
    ci_low: float
    ci_high: float
    tau2: float
    chisq: float
    df: int
    i2: float
    low: float
    high: float


def pool_random(estimates: Sequence[float], std_errs: Sequence[float], level: float = 0.95) -> Pooled:
    """Pool estimates by random effects: Paule and Mandel's variance, Hartung and Knapp's interval.

    The standard error is never smaller than without Hartung and Knapp's factor (Röver, Knapp and Friede 2015), which
    of few studies that happen to agree would make the interval absurdly narrow. The prediction interval has k - 2
    degrees of freedom (Higgins, Thompson and Spiegelhalter 2009, with that standard error as Partlett and Riley 2017).

    Parameters
    ----------
    estimates, std_errs : sequence of float, at least `LEAST`
        Normal on their scale: log hazard ratios, log medians, logits; every standard error above 0.
    level : float

    Raises
    ------
    ValueError
        For fewer studies than `LEAST`.

    References
    ----------
    R, of ``y`` and ``s``: ``Q <- function(t) {w <- 1 / (s^2 + t); sum(w * (y - weighted.mean(y, w))^2) - (k - 1)}``;
    ``tau2 <- if (Q(0) > 0) uniroot(Q, c(0, 1e4), tol = 1e-14)$root else 0``; with ``w <- 1 / (s^2 + tau2)`` and
    ``m <- weighted.mean(y, w)``: ``se <- sqrt(max(1, sum(w * (y - m)^2) / (k - 1)) / sum(w))``,
    ``m + c(-1, 1) * qt(0.975, k - 1) * se``, ``m + c(-1, 1) * qt(0.975, k - 2) * sqrt(tau2 + se^2)``
    """
    y, variance = np.asarray(estimates, dtype=float), np.asarray(std_errs, dtype=float) ** 2
    k = len(y)
    if k < LEAST:
        raise ValueError(f"{k} estimates, pooled are at least {LEAST}")
    heterogeneity, tau2 = _spread(y, variance, 0.0)[1], _between(y, variance)
    mean, chisq, total = _spread(y, variance, tau2)
    std_err = sqrt(max(1.0, chisq / (k - 1)) / total)
    reach, further = (float(stats.t.isf((1 - level) / 2, df)) for df in (k - 1, k - 2))
    wide = further * sqrt(tau2 + std_err**2)
    i2 = max(0.0, 1 - (k - 1) / heterogeneity) if heterogeneity > 0 else 0.0
    return Pooled(mean, std_err, mean - reach * std_err, mean + reach * std_err, tau2, heterogeneity, k - 1, i2, mean - wide, mean + wide)


def _spread(y: np.ndarray, variance: np.ndarray, tau2: float) -> tuple[float, float, float]:
    """Weighted mean, weighted sum of squares about it, sum of weights."""
    weight = 1 / (variance + tau2)
    mean = float(weight @ y / weight.sum())
    return mean, float(weight @ (y - mean) ** 2), float(weight.sum())


def _between(y: np.ndarray, variance: np.ndarray) -> float:
    """Variance between studies at which the spread about the mean is what is expected of it.

    Paule RC, Mandel J. J Res Natl Bur Stand 1982;87:377-385.
    """

    def beyond(tau2: float) -> float:
        return _spread(y, variance, tau2)[1] - (len(y) - 1)

    if beyond(0.0) <= 0:
        return 0.0
    # With so much between them even without any chance within, the spread is less than expected.
    most = float(len(y) * np.var(y)) + 1e-12
    return float(optimize.brentq(beyond, 0.0, most, xtol=1e-15, rtol=1e-14))


def from_limits(low: float, high: float, level: float) -> float:
    """Standard error of a logarithm from the limits of its exponential: R ``log(high / low) / (2 * qnorm((1 + level) / 2))``."""
    return log(high / low) / (2 * float(stats.norm.ppf((1 + level) / 2)))


def as_logit(count: int, n: int) -> tuple[float, float]:
    """Logit of a share and its standard error; half a patient is added on both sides where one side is empty."""
    more = 0.5 if count in (0, n) else 0.0
    yes, no = count + more, n - count + more
    return log(yes / no), sqrt(1 / yes + 1 / no)
