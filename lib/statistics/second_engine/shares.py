"""Shares of patients and rates a second time: exact intervals and tests by their definitions, table by table.

Part of the self-check; calls nothing of `proportions`, `contingency` or `rates`. Everything is a function of counts.
"""

from __future__ import annotations

__all__ = [
    "chi_square",
    "exact_p",
    "holm",
    "mcnemar_p",
    "newcombe",
    "numbers_needed",
    "odds_ratio",
    "rate",
    "rate_ratio",
    "score_interval",
    "share",
    "trend",
]

from functools import lru_cache
from math import inf, isnan, nan, sqrt

import numpy as np
import statsmodels
from scipy import optimize, special, stats
from statsmodels.stats.rates import confint_poisson

STATSMODELS = f"statsmodels {statsmodels.__version__}"
ENUMERATED, FORMULA = "all tables, one by one", "separate formula"
# Tables that are listed one by one; above, the exact test is not computed a second time (a tenth of a second, 50 MB).
MOST_TABLES = 300_000
# Tables this close to the observed one count as equally likely: fisher.test and binom.test of R.
TIED = 1e-7
# The same few counts return in every table of small arms.
REMEMBERED = 4096
# A limit is searched to this distance: that of one patient in a million has nine digits.
TIGHT = 1e-15

# One in so many patients is nobody.
RARER = 1e-6


@lru_cache(maxsize=REMEMBERED)
def share(count: int, n: int, level: float) -> dict[str, float]:
    """Share and its exact interval."""
    if not n:
        return {"proportion": nan, "ci_low": nan, "ci_high": nan}
    low, high = _binomial_limits(count, n, level)
    return {"proportion": count / n, "ci_low": low, "ci_high": high}


def _binomial_limits(count: int, n: int, level: float) -> tuple[float, float]:
    """Shares at which as many, or as few, as observed are as unlikely as the level allows: searched for on the logit."""
    tail = (1 - level) / 2

    def solve(chance) -> float:
        return float(special.expit(optimize.brentq(lambda b: chance(special.expit(b)) - tail, -60, 60, xtol=TIGHT)))

    low = solve(lambda p: special.bdtrc(count - 1, n, p)) if count else 0.0
    high = solve(lambda p: special.bdtr(count, n, p)) if count < n else 1.0
    return low, high


def numbers_needed(difference: dict[str, float]) -> dict[str, float]:
    """How many patients stand behind one more, or one fewer, with the outcome: of a difference of shares and its limits."""

    def needed(share: float) -> float:
        return nan if isnan(share) or abs(share) < RARER or abs(share) > 1 else 1 / share

    return {name: needed(difference[of]) for name, of in (("nnt", "difference"), ("nnt_low", "ci_low"), ("nnt_high", "ci_high"))}


def trend(table: tuple[tuple[int, ...], ...]) -> dict[str, float]:
    """Cochran-Armitage test as a correlation: patients times the squared correlation of outcome and place of the arm."""
    place = np.concatenate([np.full(sum(arm), rank) for rank, arm in enumerate(table)])
    outcome = np.concatenate([np.repeat([1, 0], arm) for arm in table])
    if len(place) < 2 or np.ptp(place) == 0 or np.ptp(outcome) == 0:
        return dict.fromkeys(("statistic", "chisq", "df", "p_value"), nan)
    z = sqrt(len(place)) * float(np.corrcoef(place, outcome)[0, 1])
    return {"statistic": z, "chisq": z**2, "df": 1.0, "p_value": float(2 * stats.norm.sf(abs(z)))}


@lru_cache(maxsize=REMEMBERED)
def exact_p(table: tuple[tuple[int, ...], ...]) -> float | None:
    """Probability of all tables with the margins of `table` that are no more likely than it.

    Parameters
    ----------
    table : tuple of tuple of int
        One tuple per arm: patients in each category.

    Returns
    -------
    float or None
        None where there are more than MOST_TABLES.
    """
    cells = np.array(table, dtype=np.int64)
    cells = cells[cells.sum(axis=1) > 0][:, cells.sum(axis=0) > 0]
    if not cells.size:
        return nan
    if min(cells.shape) == 1:
        return 1.0
    if cells.shape[0] < cells.shape[1]:
        cells = cells.T
    sizes, margins = np.sort(cells.sum(axis=1)), cells.sum(axis=0)
    left, weight = margins[None, :], np.zeros(1)
    for size in sizes[:-1]:
        ways = _ways(int(size), margins)
        if ways is None or len(left) * len(ways) > MOST_TABLES:
            return None
        rest = (left[:, None, :] - ways[None, :, :]).reshape(-1, len(margins))
        grown = (weight[:, None] - special.gammaln(ways + 1.0).sum(axis=1)[None, :]).ravel()
        fits = (rest >= 0).all(axis=1)
        left, weight = rest[fits], grown[fits]
    weight = weight - special.gammaln(left + 1.0).sum(axis=1)  # the last arm takes what is left
    observed = -special.gammaln(cells + 1.0).sum()
    every = special.gammaln(sizes.sum() + 1.0) - special.gammaln(sizes + 1.0).sum() - special.gammaln(margins + 1.0).sum()
    return float(min(1.0, np.exp(-every + weight[weight <= observed + np.log1p(TIED)]).sum()))


def _ways(size: int, margins: np.ndarray) -> np.ndarray | None:
    """Every way to put an arm's patients into the categories, one per row; None for too many."""
    tops = np.minimum(margins, size)
    if np.prod(tops[:-1] + 1.0) > MOST_TABLES:
        return None
    first = np.indices(tuple(tops[:-1] + 1)).reshape(len(tops) - 1, -1).T
    last = size - first.sum(axis=1)
    fits = (last >= 0) & (last <= tops[-1])
    return np.column_stack([first, last])[fits]


def chi_square(table: tuple[tuple[int, ...], ...]) -> dict[str, float]:
    """Pearson's chi-square: squared distance of each cell from what its margins lead one to expect."""
    rows = [row for row in table if sum(row)]
    columns = [column for column in zip(*rows, strict=True) if sum(column)]
    n, df = sum(map(sum, columns)), (len(rows) - 1) * (len(columns) - 1)
    if min(len(rows), len(columns)) < 2:
        return {"chisq": nan, "df": nan, "p_value": nan}
    expected = [[sum(row) * sum(column) / n for column in columns] for row in zip(*columns, strict=True)]
    pairs = zip(zip(*columns, strict=True), expected, strict=True)
    total = sum((o - e) ** 2 / e for row, wanted in pairs for o, e in zip(row, wanted, strict=True))
    return {"chisq": total, "df": df, "p_value": float(special.gammaincc(df / 2, total / 2))}


def holm(p_values: list[float]) -> list[float]:
    """Adjust step by step, the smallest first; a missing p takes no part."""
    order = sorted((i for i, p in enumerate(p_values) if not isnan(p)), key=p_values.__getitem__)
    adjusted, running = [nan] * len(p_values), 0.0
    for rank, i in enumerate(order):
        running = max(running, (len(order) - rank) * p_values[i])
        adjusted[i] = min(running, 1.0)
    return adjusted


@lru_cache(maxsize=REMEMBERED)
def newcombe(x: int, n_x: int, y: int, n_y: int, level: float) -> tuple[float, float]:
    """Limits of a difference of shares from the Wilson limits of both, written out."""
    z = stats.norm.isf((1 - level) / 2)

    def wilson(count: int, n: int) -> tuple[float, float]:
        middle, reach = count + z * z / 2, z * sqrt(count * (n - count) / n + z * z / 4)
        return (middle - reach) / (n + z * z), (middle + reach) / (n + z * z)

    (low_x, high_x), (low_y, high_y) = wilson(x, n_x), wilson(y, n_y)
    p, q = x / n_x, y / n_y
    return p - q - sqrt((p - low_x) ** 2 + (high_y - q) ** 2), p - q + sqrt((high_x - p) ** 2 + (q - low_y) ** 2)


@lru_cache(maxsize=REMEMBERED)
def score_interval(x: int, n_x: int, y: int, n_y: int, level: float) -> tuple[float, float]:
    """Miettinen and Nurminen's limits of a difference of shares: where its score test reaches the level.

    The shares under a supposed difference are those that maximise the likelihood, at a part of the way between the
    lowest and the highest that there are.
    """
    z, observed, n = stats.norm.isf((1 - level) / 2), x / n_x - y / n_y, n_x + n_y

    def shares(t: float, d: float) -> tuple[float, float, float, float]:
        """Both shares d apart and what is left to 1, at t of the way from the lowest to the highest that there are."""
        room = 1 - abs(d)
        small, large = (t * room, 1 - t * room), (abs(d) + t * room, (1 - t) * room)
        return (*large, *small) if d > 0 else (*small, *large)

    def slope(t: float, d: float) -> float:
        p, not_p, q, not_q = shares(t, d)
        return (x * not_p - (n_x - x) * p) * q * not_q + (y * not_q - (n_y - y) * q) * p * not_p

    def score(d: float) -> float:
        t = 0.0 if slope(TIGHT, d) <= 0 else 1.0 if slope(1 - TIGHT, d) >= 0 else optimize.brentq(slope, TIGHT, 1 - TIGHT, args=(d,), xtol=TIGHT)
        p, not_p, q, not_q = shares(t, d)
        variance = (p * not_p / n_x + q * not_q / n_y) * n / (n - 1)
        return (observed - d) / sqrt(variance) if variance > 0 else inf * (observed - d) if observed != d else 0.0

    def limit(end: float, sign: int) -> float:
        """Where sign times the score falls to z, between the observed difference and the end of the scale."""
        inner = end + sign * 1e-9
        if sign * (observed - inner) <= 0 or not sign * score(inner) > z:
            return end
        return optimize.brentq(lambda d: min(sign * score(d), 1e9) - z, *sorted((inner, observed)), xtol=TIGHT)

    return limit(-1.0, 1), limit(1.0, -1)


@lru_cache(maxsize=REMEMBERED)
def odds_ratio(x: int, n_x: int, y: int, n_y: int, level: float) -> dict[str, float]:
    """Conditional odds ratio: the one that makes the observed count the expected one, all others summed up."""
    total = x + y
    low, high = max(0, total - n_y), min(n_x, total)
    values = np.arange(low, high + 1)
    logs = (special.gammaln(n_x + 1) - special.gammaln(values + 1) - special.gammaln(n_x - values + 1)
            + special.gammaln(n_y + 1) - special.gammaln(total - values + 1) - special.gammaln(n_y - total + values + 1))  # fmt: skip
    if len(values) < 2:
        return {"odds_ratio": nan, "ci_low": nan, "ci_high": nan}

    def chances(b: float) -> np.ndarray:
        raised = logs + b * values
        raised = np.exp(raised - raised.max())
        return raised / raised.sum()

    def solve(excess) -> float:
        return float(np.exp(optimize.brentq(excess, -60, 60, xtol=TIGHT)))

    tail = (1 - level) / 2
    return {
        "odds_ratio": 0.0 if x == low else nan if x == high else solve(lambda b: chances(b) @ values - x),
        "ci_low": 0.0 if x == low else solve(lambda b: chances(b)[values >= x].sum() - tail),
        "ci_high": nan if x == high else solve(lambda b: chances(b)[values <= x].sum() - tail),
    }


def mcnemar_p(gained: int, lost: int) -> float:
    """Exact McNemar test in whole numbers: how often a fair coin falls at least as one-sidedly."""
    n, ways, fewer = gained + lost, 1, 1
    for k in range(min(gained, lost)):
        ways = ways * (n - k) // (k + 1)
        fewer += ways
    return min(1.0, 2 * fewer / 2**n)


@lru_cache(maxsize=REMEMBERED)
def rate(count: int, time: float, level: float) -> dict[str, float]:
    """Rate and its exact interval by quantiles of chi-square."""
    if not time > 0:
        return {"rate": nan, "ci_low": nan, "ci_high": nan}
    low, high = confint_poisson(count, time, method="exact-c", alpha=1 - level)
    return {"rate": count / time, "ci_low": float(low) if count else 0.0, "ci_high": float(high)}


@lru_cache(maxsize=REMEMBERED)
def rate_ratio(x: int, time_x: float, y: int, time_y: float, level: float) -> dict[str, float]:
    """Ratio of two rates given the sum of their counts: limits of a share of them, p by adding up chances."""
    if not (time_x > 0 and time_y > 0):
        return dict.fromkeys(("ratio", "ci_low", "ci_high", "p_value"), nan)
    n = x + y
    if not n:
        return {"ratio": nan, "ci_low": 0.0, "ci_high": nan, "p_value": 1.0}
    part = time_x / (time_x + time_y)
    to_ratio = [p / (1 - p) * time_y / time_x if p < 1 else nan for p in (x / n, *_binomial_limits(x, n, level))]
    k = np.arange(n + 1)
    chances = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1) + k * np.log(part) + (n - k) * np.log1p(-part)
    p_value = np.exp(chances[chances <= chances[x] + np.log1p(TIED)]).sum()
    return {"ratio": to_ratio[0], "ci_low": to_ratio[1], "ci_high": to_ratio[2], "p_value": float(min(1.0, p_value))}
