"""Tests on a contingency table: exact by full enumeration (of a large study by random tables), Pearson chi-square.

scipy's `fisher_exact` draws random tables as soon as a table is larger than 2 x 2, so two runs of a report
would differ (scipy 1.17.1, https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.fisher_exact.html).
Here every table with the given margins is counted. Intervals and arm comparisons live in proportions.
"""

__all__ = ["EXACT_LIMIT", "ExactTest", "chi_square", "exact_test"]

from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.special import gammaln

from lib.scale import LARGE, because_large

RELATIVE_TOLERANCE = 1e-7  # tables this close to the observed one count as equally likely; R fisher.test
EXACT_LIMIT = 3_000_000  # partial tables held at once; about a second and 300 MB
MONTE_CARLO_TABLES = 100_000
LOG_DIGITS = 11  # log probabilities that agree to 1e-11 are one value; far inside the tolerance above


class ExactTest(NamedTuple):
    """p-value of an exact test, its Monte Carlo error (0 if enumerated), and how it was made."""

    p_value: float
    mc_error: float
    method: str


def exact_test(table, seed=20250228, limit=EXACT_LIMIT):
    """Fisher-Freeman-Halton test: the probability of all tables no more likely than the observed one.

    Parameters
    ----------
    table : array-like of int, shape = (n_rows, n_columns)
    seed : int
        Used only when the table is too large to enumerate.
    limit : int
        Largest number of partial tables to enumerate; above it, random tables are drawn.

    Returns
    -------
    ExactTest
        p is NaN for a table without patients, and 1 if the margins allow one table only.

    References
    ----------
    Freeman GH, Halton JH. Biometrika 1951;38:141. Equal to R ``fisher.test(table)``.
    """
    table = np.asarray(table, dtype=np.int64)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    name = "Fisher's exact test" if table.shape == (2, 2) else "Fisher-Freeman-Halton exact test"
    if table.size == 0:
        return ExactTest(np.nan, np.nan, name)
    if table.shape[0] < table.shape[1]:  # few columns keep the number of states small
        table = table.T
    # Of more patients, the tables with these margins have probabilities beyond what a number can hold.
    halves = _two_halves(table.sum(axis=1), table.sum(axis=0), limit) if table.sum() <= LARGE else None
    if halves is None:
        return _monte_carlo(table, seed)
    p_value = _share_of_extreme(*halves, table.sum(axis=0), _log_weight(table.ravel()))
    return ExactTest(p_value, 0.0, f"{name} (all tables counted)")


def chi_square(table):
    """Pearson's chi-square test without continuity correction.

    Returns
    -------
    statistic, df, p_value : float
        NaN if a row or column total is zero in all but one line, so that nothing is left to compare.
        Equal to R ``chisq.test(table, correct = FALSE)``.
    """
    table = np.asarray(table, dtype=np.int64)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if min(table.shape) < 2:
        return np.nan, np.nan, np.nan
    result = stats.chi2_contingency(table, correction=False)  # scipy's default is Yates on 2 x 2
    return result.statistic, result.dof, result.pvalue


def _log_weight(cells):
    """Log probability of a table up to the constant that its margins fix: minus the sum of log factorials."""
    return -gammaln(np.asarray(cells) + 1.0).sum(axis=-1)


def _two_halves(rows, columns, limit):
    """Cut the rows into two halves and list the ways to fill each; None if that takes more than `limit`.

    A half is a list of (taken from the columns, log weight, number of ways); two entries make a table if
    together they take exactly the columns. So a 5 x 3 table of 52 patients needs some 10^5 partial tables
    instead of 10^8 whole ones. The next row goes to the half that is shorter so far.
    """
    empty = np.zeros((1, len(columns)), dtype=np.int64), np.zeros(1), np.ones(1)
    halves = [empty, empty]
    for row in sorted(rows):
        shorter = int(len(halves[1][0]) < len(halves[0][0]))
        taken, weight, ways = halves[shorter]
        if len(taken) * np.prod(np.minimum(columns[:-1], row) + 1.0) > limit:
            return None
        cells = _compositions(row, columns)
        total = (taken[:, None, :] + cells[None, :, :]).reshape(-1, len(columns))
        weight = np.round((weight[:, None] + _log_weight(cells)[None, :]).ravel(), LOG_DIGITS)
        fits = (total <= columns).all(axis=1)
        halves[shorter] = _merge(total[fits], weight[fits], np.repeat(ways, len(cells))[fits], columns)
    return halves


def _share_of_extreme(half_a, half_b, columns, observed):
    """Share, by probability, of the tables whose log weight is no larger than the observed one."""
    base = np.cumprod(np.r_[1, columns[:-1] + 1])
    (taken_a, weight_a, ways_a), (taken_b, weight_b, ways_b) = half_a, half_b
    code_a, code_b = taken_a @ base, (columns - taken_b) @ base
    order = np.lexsort((weight_b, code_b))
    code_b, weight_b, ways_b = code_b[order], weight_b[order], ways_b[order]
    meets = np.isin(code_a, code_b)
    code_a, weight_a, ways_a = code_a[meets], weight_a[meets], ways_a[meets]

    # Per entry of a: the block of b that completes it, and where in that block the sum exceeds the observed.
    states, state_b = np.unique(code_b, return_inverse=True)
    state_a = np.searchsorted(states, code_a)
    block = np.searchsorted(state_b, np.arange(len(states) + 1))
    begin, end = block[state_a], block[state_a + 1]
    low, high = weight_b.min() - 1.0, weight_b.max() + 1.0
    room = np.clip(observed + np.log1p(RELATIVE_TOLERANCE) - weight_a, low, high)
    key = state_b * (high - low) + (weight_b - low)  # sorted by state, then by weight
    stop = np.clip(np.searchsorted(key, state_a * (high - low) + (room - low), side="right"), begin, end)

    running = np.r_[0.0, np.cumsum(ways_b * np.exp(weight_b - weight_b.max()))]
    part = ways_a * np.exp(weight_a - weight_a.max())
    extreme = (part * (running[stop] - running[begin])).sum()
    return float(min(1.0, extreme / (part * (running[end] - running[begin])).sum()))


def _merge(taken, weight, ways, columns):
    """Add up the ways of entries that take the same amounts with the same weight."""
    code = taken @ np.cumprod(np.r_[1, columns[:-1] + 1])
    order = np.lexsort((weight, code))
    taken, weight, ways, code = taken[order], weight[order], ways[order], code[order]
    first = np.flatnonzero(np.r_[True, (np.diff(code) != 0) | (np.diff(weight) != 0)])
    return taken[first], weight[first], np.add.reduceat(ways, first)


def _compositions(total, columns):
    """All ways to spread `total` over the columns, none above its column total; one way per line."""
    grids = np.meshgrid(*(np.arange(min(total, limit) + 1) for limit in columns[:-1]), indexing="ij")
    cells = np.stack([grid.ravel() for grid in grids], axis=1) if grids else np.zeros((1, 0), dtype=np.int64)
    last = total - cells.sum(axis=1)
    keep = (last >= 0) & (last <= columns[-1])
    return np.column_stack([cells, last])[keep]


def _monte_carlo(table, seed):
    """Share of random tables with the same margins that are no more likely than the observed one."""
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    drawn = stats.random_table(rows, columns).rvs(MONTE_CARLO_TABLES, random_state=seed)
    limit = _log_weight(table.ravel()) + np.log1p(RELATIVE_TOLERANCE)
    extreme = (_log_weight(drawn.reshape(len(drawn), -1)) <= limit).sum()
    p_value = (extreme + 1) / (MONTE_CARLO_TABLES + 1)  # the observed table is one of them
    error = np.sqrt(p_value * (1 - p_value) / MONTE_CARLO_TABLES)
    drawn = f"{MONTE_CARLO_TABLES:,} random tables"
    drawn = because_large(drawn) if table.sum() > LARGE else drawn
    return ExactTest(float(p_value), float(error), f"Fisher-Freeman-Halton test, {drawn}, seed {seed}")
