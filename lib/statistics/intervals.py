"""Intervals of shares, their difference and their odds ratio, from counts alone: each computed once, as R has it."""

from __future__ import annotations

__all__ = ["clopper_pearson", "conditional_odds_ratio", "miettinen_nurminen", "newcombe"]

from functools import lru_cache

import numpy as np
from scipy import special, stats
from scipy.optimize import brentq
from statsmodels.stats.proportion import proportion_confint

# The same few counts return in every table of small arms, and an exact interval is a search for a root.
REMEMBERED = 4096
NEXT_TO_0 = 1e-18  # differences and shares are searched to this distance: one in a million to 12 digits
MOST_LOG_ODDS = 100.0  # arms of 10^20 patients cannot reach it
NAN_INTERVAL = (np.nan, np.nan)


@lru_cache(maxsize=REMEMBERED)
def clopper_pearson(count, n, level=0.95):
    """Exact interval of a binomial proportion; (NaN, NaN) if n = 0.

    References
    ----------
    Clopper CJ, Pearson ES. Biometrika 1934;26:404. R: ``binom.test(count, n)$conf.int``.
    """
    if n == 0:
        return NAN_INTERVAL
    tail = (1 - level) / 2  # scipy's binomtest searches to 2e-12: too coarse for 1 of 100,000
    low = float(special.betaincinv(count, n - count + 1, tail)) if count > 0 else 0.0
    high = float(special.betainccinv(count + 1, n - count, tail)) if count < n else 1.0
    return low, high


def newcombe(count_x, n_x, count_y, n_y, level=0.95):
    """Interval of a risk difference from two Wilson intervals (method 10), without continuity correction.

    References
    ----------
    Newcombe RG. Stat Med 1998;17:873. R: two ``prop.test(count, n, correct = FALSE)$conf.int`` combined.
    """
    x, y = count_x / n_x, count_y / n_y
    low_x, high_x = proportion_confint(count_x, n_x, 1 - level, method="wilson")
    low_y, high_y = proportion_confint(count_y, n_y, 1 - level, method="wilson")
    return x - y - np.hypot(x - low_x, high_y - y), x - y + np.hypot(high_x - x, y - low_y)


@lru_cache(maxsize=REMEMBERED)
def miettinen_nurminen(count_x, n_x, count_y, n_y, level=0.95):
    """Score interval of a risk difference with the variance factor N / (N - 1).

    Own, because statsmodels 0.15 raises "no bracket" for 10/13 vs 3/14 (`confint_proportions_2indep`).

    References
    ----------
    Miettinen O, Nurminen M. Stat Med 1985;4:213. R: ``PropCIs::diffscoreci`` with that factor.
    """
    if 2 * (count_x + count_y) > n_x + n_y:  # shares near 0 keep digits that shares near 1 do not have
        low, high = miettinen_nurminen(n_x - count_x, n_x, n_y - count_y, n_y, level)
        return -high, -low
    z, observed = stats.norm.ppf((1 + level) / 2), count_x / n_x - count_y / n_y

    def excess(difference, sign):
        return sign * _score(difference, count_x, n_x, count_y, n_y) - z

    edge = 1e-9  # at -1 and 1 the restricted variance is 0
    low, high = -1.0, 1.0
    if observed - edge > -1 + edge and excess(-1 + edge, 1) > 0:
        low = brentq(excess, -1 + edge, observed, args=(1,), xtol=NEXT_TO_0)
    if observed + edge < 1 - edge and excess(1 - edge, -1) > 0:
        high = brentq(excess, observed, 1 - edge, args=(-1,), xtol=NEXT_TO_0)
    return low, high


def _score(difference, count_x, n_x, count_y, n_y):
    """Distance of the observed from a supposed difference in standard errors, restricted to the latter."""
    if difference < 0:
        return -_score(-difference, count_y, n_y, count_x, n_x)
    total, gap, room = n_x + n_y, count_x / n_x - count_y / n_y - difference, 1 - difference

    def slope(y):
        """Sign of the likelihood's slope at a second share; with it multiplied out, the cubic of appendix I."""
        x, not_x = y + difference, room - y
        return (count_x * not_x - (n_x - count_x) * x) * y * (1 - y) + (count_y - n_y * y) * x * not_x

    least, most = NEXT_TO_0 * room, (1 - 1e-12) * room  # at the very ends the product is 0
    y = 0.0 if slope(least) <= 0 else room if slope(most) >= 0 else brentq(slope, least, most, xtol=NEXT_TO_0)
    variance = ((y + difference) * (room - y) / n_x + y * (1 - y) / n_y) * total / (total - 1)
    return gap / np.sqrt(variance) if variance > 0 else np.sign(gap) * 1e9  # finite, for the root finder


@lru_cache(maxsize=REMEMBERED)
def conditional_odds_ratio(count_x, n_x, count_y, n_y, level=0.95):
    """Conditional maximum-likelihood odds ratio and its exact limits; patients of both outcomes.

    Given all totals, k patients of the first arm have the outcome with weight w(k) times the odds ratio to the k.
    Own, because scipy 1.17.1 (`stats.contingency.odds_ratio`) takes two minutes for arms of 50,000.
    """
    events, tail = count_x + count_y, (1 - level) / 2
    k = np.arange(max(0, events - n_y), min(n_x, events) + 1)
    log_weight = -special.gammaln([k + 1, n_x - k + 1, events - k + 1, n_y - events + k + 1]).sum(axis=0)

    def solve(statistic, aim):
        """Odds ratio at which the chances of all k give a statistic its aim."""

        def excess(log_ratio):
            logs = log_weight + log_ratio * k
            chances = np.exp(logs - logs.max())
            return statistic @ chances / chances.sum() - aim

        return float(np.exp(brentq(excess, -MOST_LOG_ODDS, MOST_LOG_ODDS, xtol=1e-12)))

    least, most = count_x == k[0], count_x == k[-1]
    ratio = 0.0 if least else np.inf if most else solve(k - float(count_x), 0.0)
    low = 0.0 if least else solve((k >= count_x).astype(float), tail)
    high = np.inf if most else solve((k <= count_x).astype(float), tail)
    return ratio, low, high
