"""Rank tests a second time: null distributions by Fourier inversion, statistics by their formulas.

Part of the self-check; calls nothing of `ranks`, which counts the ways by adding one rank after the other.
"""

from __future__ import annotations

from functools import lru_cache
from math import nan, sqrt

import numpy as np
from scipy import special, stats

__all__ = ["dunn_z", "kruskal", "rank_sum_p", "shift", "signed_rank", "walsh_shift"]

# Sizes up to which `ranks` counts, and above which it approximates by a normal distribution.
SIGNED_RANK_LIMIT, RANK_SUM_LIMIT = 300, 120
# Products of complex numbers in one null distribution, a tenth of a second; above, it is not computed a second time.
# Ranks without ties stay below it at every size that is counted.
MOST_PRODUCTS = 15_000_000
# Arms of the same size share the null distribution that bounds their interval.
REMEMBERED = 64


def _ranks(values: np.ndarray) -> np.ndarray:
    """Twice the mean rank of each value, a whole number: how many are smaller, and how many no larger."""
    ordered = np.sort(values)
    return np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right") + 1


@lru_cache(maxsize=REMEMBERED)
def _signed_null(doubled: tuple[int, ...]) -> np.ndarray:
    """Chance of each value of twice the positive rank sum: the product of (1 + z^rank) / 2, inverted."""
    size = sum(doubled) + 1
    z = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    product = np.ones(len(z), complex)
    for rank in doubled:
        product *= (1 + z**rank) / 2
    return np.fft.irfft(product, size)


@lru_cache(maxsize=REMEMBERED)
def _sum_null(ranks: tuple[int, ...], m: int) -> tuple[int, np.ndarray] | None:
    """Least sum of m ranks drawn without replacement, and the chance of each from there on; None for too many."""
    ordered = sorted(ranks)
    least, size = sum(ordered[:m]), sum(ordered[-m:]) - sum(ordered[:m]) + 1
    if size * m * len(ranks) // 2 > MOST_PRODUCTS:
        return None
    z = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    drawn = np.zeros((m + 1, len(z)), complex)  # coefficient of y^j of the product of (1 + y z^rank)
    drawn[0] = 1
    for i, rank in enumerate(ordered, 1):  # divided by the ways as it grows: each coefficient stays a mean
        share = (np.arange(1, min(i, m) + 1) / i)[:, None]
        drawn[1 : i + 1] = drawn[1 : i + 1] * (1 - share) + drawn[:m][:i] * z**rank * share
    return least, np.roll(np.fft.irfft(drawn[m], size), -least % size)


def _two_sided(chances: np.ndarray, observed: float, least: int = 0) -> float:
    """Chance of a value at least as far from the mean as the observed one; the first chance is that of `least`."""
    values = least + np.arange(len(chances))
    mean = values @ chances
    return float(min(1.0, chances[np.abs(values - mean) >= abs(observed - mean) - 1e-6].sum()))


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
        p_value = _two_sided(_signed_null(tuple(doubled.tolist())), positive)
    return {"statistic": positive / 2, "p_value": p_value}


def walsh_shift(x: np.ndarray, level: float) -> dict[str, float]:
    """Median of the means of every two values, and the two of them that bound it."""
    n = len(x)
    if not n:
        return {"median": nan, "estimate": nan, "ci_low": nan, "ci_high": nan}
    means = sorted((x[i] + x[j]) / 2 for i in range(n) for j in range(i, n))
    if n <= SIGNED_RANK_LIMIT:
        bounds = _bounds(means, _signed_null(tuple(range(1, n + 1))), level)
    else:
        k = int(n * (n + 1) / 4 - stats.norm.isf((1 - level) / 2) * sqrt(n * (n + 1) * (2 * n + 1) / 24))
        bounds = means[k - 1], means[-k]
    return {"median": float(np.median(x)), "estimate": _middle(means), "ci_low": bounds[0], "ci_high": bounds[1]}


def shift(x: np.ndarray, y: np.ndarray, level: float) -> dict[str, float]:
    """Median of all differences x - y, and the two of them that bound it."""
    m, n = len(x), len(y)
    if not (m and n):
        return {"difference": nan, "ci_low": nan, "ci_high": nan}
    differences = np.sort((x[:, None] - y[None, :]).ravel())
    if m + n <= RANK_SUM_LIMIT:
        bounds = _bounds(differences, _sum_null(tuple(range(1, m + n + 1)), min(m, n))[1], level)
    else:
        k = int(m * n / 2 - stats.norm.isf((1 - level) / 2) * sqrt(m * n * (m + n + 1) / 12))
        bounds = differences[k - 1], differences[-k]
    return {"difference": _middle(differences), "ci_low": float(bounds[0]), "ci_high": float(bounds[1])}


def _middle(ordered) -> float:
    half = len(ordered) // 2
    return float(ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2)


def _bounds(ordered, null: np.ndarray, level: float) -> tuple[float, float]:
    """The k-th value from either end, k the least number whose chance is not below half of what the level leaves."""
    below, k = 0.0, 0
    while below + null[k] < (1 - level) / 2 * (1 - 1e-12):
        below, k = below + null[k], k + 1
    return (ordered[k - 1], ordered[-k]) if k else (nan, nan)


def rank_sum_p(x: np.ndarray, y: np.ndarray) -> float | None:
    """Two-sided p of the rank sum, given the ties; None where the null distribution would take too long."""
    if not (len(x) and len(y)):
        return nan
    doubled, small = _ranks(np.concatenate([x, y])), min(len(x), len(y))
    if np.ptp(doubled) == 0:
        return 1.0
    n, own = len(doubled), doubled[: len(x)].sum()
    if n > RANK_SUM_LIMIT:
        spread = np.square(doubled / 2 - (n + 1) / 2).sum() / (n - 1)
        return _normal_p(abs(own / 2 - len(x) * (n + 1) / 2), len(x) * len(y) / n * spread)
    null = _sum_null(tuple(doubled.tolist()), small)
    return None if null is None else _two_sided(null[1], own if small == len(x) else doubled.sum() - own, null[0])


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
