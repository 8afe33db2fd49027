"""Rank tests a second time: null distributions counted in whole numbers, statistics by their formulas; and quartiles.

Part of the self-check; calls nothing of `ranks`. The ways to reach each sum of ranks are the coefficients of a product
of polynomials. One whole number holds them all, side by side in `width` bits each: to multiply by (1 + x^r) is to shift
and to add, and the rest of a division by 2^width - 1 is the sum of the coefficients. Nothing is rounded.
"""

from __future__ import annotations

__all__ = ["describe", "dunn_z", "kruskal", "rank_sum_p", "shift", "signed_rank", "two_sided", "walsh_shift"]

import statistics
from bisect import bisect_left
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor, fsum, nan, sqrt

import numpy as np
from scipy import special, stats

# Sizes up to which `ranks` counts, and above which it approximates by a normal distribution.
SIGNED_RANK_LIMIT, RANK_SUM_LIMIT = 300, 120
# Arms of the same size share the null distribution that bounds their interval.
REMEMBERED = 64


def describe(values: list[float]) -> dict[str, float]:
    """Mean, standard deviation and quartiles (type 7) of known values, by Python's own statistics and sums that do not round."""
    n, values = len(values), sorted(values)  # once: whatever sorts it again finds it in order
    if not n:
        return {"n": 0} | dict.fromkeys(("mean", "sd", "median", "q1", "q3", "min", "max"), nan)
    quartiles = statistics.quantiles(values, n=4, method="inclusive") if n > 1 else values * 3
    mean = fsum(values) / n
    return {
        "n": n, "mean": mean, "sd": sqrt(fsum((value - mean) ** 2 for value in values) / (n - 1)) if n > 1 else nan, "min": values[0],
        "q1": quartiles[0], "median": statistics.median(values), "q3": quartiles[2], "max": values[-1],
    }  # fmt: skip


def two_sided(z: float) -> float:
    """Two-sided p-value of a standard normal statistic."""
    return 2 * float(stats.norm.sf(abs(z)))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Twice the mean rank of each value, a whole number: how many are smaller, and how many no larger."""
    ordered = np.sort(values)
    return np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right") + 1


class _Null:
    """Ways to reach each sum, from `start` on; `packed` holds them in `width` bits each."""

    def __init__(self, packed: int, width: int, start: int = 0):
        unreached = ((packed & -packed).bit_length() - 1) // width
        self.packed, self.width, self.least = packed >> unreached * width, width, start + unreached
        self.total = self.at_least(self.least)

    def at_least(self, value: int) -> int:
        """Ways to reach so much or more."""
        return (self.packed >> max(value - self.least, 0) * self.width) % ((1 << self.width) - 1)

    def two_sided(self, observed: int, mean: Fraction) -> float:
        """Chance of a sum at least as far from the mean as the observed one."""
        far = abs(observed - mean)
        if not far:
            return 1.0
        below = self.total - self.at_least(floor(mean - far) + 1)
        return (self.at_least(ceil(mean + far)) + below) / self.total

    def quantile(self, chance: float) -> int:
        """How many sums lie below the first whose chance, with all below it, is not less than `chance`."""
        sums = range((self.packed.bit_length() - 1) // self.width + 1)
        return bisect_left(sums, chance, key=lambda k: 1 - self.at_least(self.least + k + 1) / self.total)


@lru_cache(maxsize=REMEMBERED)
def _signed_null(ranks: tuple[int, ...]) -> _Null:
    """Sums of the ranks of a random half: each is in or out."""
    width, packed = len(ranks) + 1, 1
    for rank in ranks:
        packed += packed << rank * width
    return _Null(packed, width)


@lru_cache(maxsize=REMEMBERED)
def _sum_null(ranks: tuple[int, ...], m: int) -> _Null:
    """Sums of m ranks drawn without replacement."""
    width, least = len(ranks) + 1, min(ranks)
    drawn = [1] + [0] * m  # of so many ranks, each less the least one
    for rank in ranks:
        for j in range(m, 0, -1):
            drawn[j] += drawn[j - 1] << (rank - least) * width
    return _Null(drawn[m], width, m * least)


def _normal_p(distance: float, variance: float) -> float:
    """Two-sided p of a distance from the mean, half a step nearer."""
    return 2 * float(special.ndtr(-max(distance - 0.5, 0) / sqrt(variance)))


def signed_rank(x: np.ndarray) -> dict[str, float]:
    """Sum of the positive ranks of the values that are not 0, and its two-sided p."""
    if not len(x):
        return {"statistic": nan, "p_value": nan}
    moved = x[x != 0]
    doubled = _ranks(np.abs(moved))
    positive = int(doubled[moved > 0].sum())
    if len(moved) > SIGNED_RANK_LIMIT:
        p_value = _normal_p(abs(positive - doubled.sum() / 2) / 2, float((doubled / 2) @ (doubled / 2)) / 4)
    else:
        p_value = _signed_null(tuple(doubled.tolist())).two_sided(positive, Fraction(int(doubled.sum()), 2))
    return {"statistic": positive / 2, "p_value": p_value}


def walsh_shift(x: np.ndarray, level: float) -> dict[str, float]:
    """Median of the means of every two values, and the two of them that bound it."""
    n = len(x)
    if not n:
        return {"median": nan, "estimate": nan, "ci_low": nan, "ci_high": nan}
    means = np.sort(((x[:, None] + x[None, :]) / 2)[np.tri(n, dtype=bool)])
    if n <= SIGNED_RANK_LIMIT:
        bounds = _bounds(means, _signed_null(tuple(range(1, n + 1))), level)
    else:
        k = int(n * (n + 1) / 4 - stats.norm.isf((1 - level) / 2) * sqrt(n * (n + 1) * (2 * n + 1) / 24))
        bounds = _ends(means, k)
    return {"median": float(np.median(x)), "estimate": _middle(means), "ci_low": bounds[0], "ci_high": bounds[1]}


def shift(x: np.ndarray, y: np.ndarray, level: float) -> dict[str, float]:
    """Median of all differences x - y, and the two of them that bound it."""
    m, n = len(x), len(y)
    if not (m and n):
        return {"difference": nan, "ci_low": nan, "ci_high": nan}
    differences = np.sort((x[:, None] - y[None, :]).ravel())
    if m + n <= RANK_SUM_LIMIT:
        bounds = _bounds(differences, _sum_null(tuple(range(1, m + n + 1)), min(m, n)), level)
    else:
        k = int(m * n / 2 - stats.norm.isf((1 - level) / 2) * sqrt(m * n * (m + n + 1) / 12))
        bounds = _ends(differences, k)
    return {"difference": _middle(differences), "ci_low": float(bounds[0]), "ci_high": float(bounds[1])}


def _middle(ordered) -> float:
    half = len(ordered) // 2
    return float(ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2)


def _bounds(ordered, null: _Null, level: float) -> tuple[float, float]:
    """The k-th value from either end, k the least number whose chance is not below half of what the level leaves."""
    return _ends(ordered, null.quantile((1 - level) / 2 * (1 - 1e-12)))


def _ends(ordered, k: int) -> tuple[float, float]:
    return (float(ordered[k - 1]), float(ordered[-k])) if k > 0 else (nan, nan)


def rank_sum_p(x: np.ndarray, y: np.ndarray) -> float:
    """Two-sided p of the rank sum, given the ties."""
    if not (len(x) and len(y)):
        return nan
    doubled, small = _ranks(np.concatenate([x, y])), min(len(x), len(y))
    if np.ptp(doubled) == 0:
        return 1.0
    n, own = len(doubled), doubled[: len(x)].sum()
    if n > RANK_SUM_LIMIT:
        spread = np.square(doubled / 2 - (n + 1) / 2).sum() / (n - 1)
        return _normal_p(abs(own / 2 - len(x) * (n + 1) / 2), len(x) * len(y) / n * spread)
    observed, mean = int(own if small == len(x) else doubled.sum() - own), Fraction(int(doubled.sum()) * small, n)
    return _sum_null(tuple(doubled.tolist()), small).two_sided(observed, mean)


def kruskal(samples: list[np.ndarray]) -> dict[str, float]:
    """Kruskal and Wallis's statistic: how the mean ranks of the samples vary, against how all ranks do."""
    samples = [x for x in samples if len(x)]
    pooled = np.concatenate([*samples, []])
    if len(samples) < 2 or np.ptp(pooled) == 0:
        return {"n": len(pooled), "chisq": nan, "df": nan, "p_value": nan}
    ranks, n = _ranks(pooled) / 2, len(pooled)
    parts = np.split(ranks, np.cumsum([len(x) for x in samples])[:-1])
    between = sum(len(part) * (part.mean() - (n + 1) / 2) ** 2 for part in parts)
    chisq, df = between / (np.square(ranks - (n + 1) / 2).sum() / (n - 1)), len(samples) - 1
    return {"n": n, "chisq": chisq, "df": df, "p_value": float(special.gammaincc(df / 2, chisq / 2))}


def dunn_z(samples: dict[str, np.ndarray], x: str, y: str) -> float:
    """Difference of two mean ranks among all, in standard errors."""
    pooled = np.concatenate(list(samples.values()))
    if not (len(samples[x]) and len(samples[y])) or np.ptp(pooled) == 0:
        return nan
    ranks = _ranks(pooled) / 2
    owner = np.repeat(list(samples), [len(values) for values in samples.values()])
    apart = ranks[owner == x].mean() - ranks[owner == y].mean()
    return float(apart / sqrt(ranks.var(ddof=1) * (1 / len(samples[x]) + 1 / len(samples[y]))))
