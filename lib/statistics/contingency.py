"""Tests on a contingency table: exact by counting (where that takes too long by random tables), Pearson chi-square.

scipy's `fisher_exact` draws random tables as soon as a table is larger than 2 x 2, so two runs of a report
would differ (scipy 1.17.1, https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.fisher_exact.html).
Here every table with the given margins is counted (table_network). Intervals and arm comparisons live in proportions.
"""

__all__ = ["EXACT_LIMIT", "LAYERED_LIMIT", "ExactTest", "chi_square", "exact_test", "share_of_layers"]

from bisect import bisect_left, bisect_right
from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.special import gammaln

from lib.statistics.table_network import TooManyTables, share_of_extreme
from lib.study.words import grouped

RELATIVE_TOLERANCE = 1e-7  # tables this close to the observed one count as equally likely; R fisher.test
EXACT_LIMIT = 40_000_000  # partial tables listed; up to about ten seconds and 1.5 GB
LAYERED_LIMIT = 2_000_000  # tables of several layers listed: less than a second and 100 MB
MONTE_CARLO_TABLES = 100_000


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
        Used only when the table is too large to count.
    limit : int
        Largest number of partial tables to list; above it, random tables are drawn. A 2 x 2 table is never drawn.

    Returns
    -------
    ExactTest
        p is NaN for a table without patients, and 1 if the margins allow one table only.

    References
    ----------
    Freeman GH, Halton JH. Biometrika 1951;38:141. Equal to R ``fisher.test(table, workspace = 2e7)``.
    """
    table = np.asarray(table, dtype=np.int64)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    name = "Fisher's exact test" if table.shape == (2, 2) else "Fisher-Freeman-Halton exact test"
    if table.size == 0:
        return ExactTest(np.nan, np.nan, name)
    if table.shape[0] < table.shape[1]:  # what the columns have left is followed from row to row
        table = table.T
    try:
        p_value = _count(table, limit)
    except TooManyTables:
        return _monte_carlo(table, seed)
    return ExactTest(p_value, 0.0, f"{name} (all tables counted)")


def _count(table, limit):
    if table.shape[1] == 1:
        return 1.0
    if table.shape == (2, 2):
        return _hypergeometric(table)
    return share_of_extreme(table, RELATIVE_TOLERANCE, limit)


def _hypergeometric(table):
    """Both tails of a 2 x 2 table, as far as they are no more likely than it: of any size, without a list.

    scipy's `fisher_exact` does the same with a tolerance of 1e-14, in which ties of large arms are lost.
    """
    cells = stats.hypergeom(table.sum(), table[0].sum(), table[:, 0].sum())
    low, high = (int(end) for end in cells.support())
    limit = cells.pmf(table[0, 0]) * (1 + RELATIVE_TOLERANCE)
    mode = (table[0].sum() + 1) * (table[:, 0].sum() + 1) // (table.sum() + 2)
    left = low + bisect_right(range(low, mode), limit, key=cells.pmf) - 1
    right = mode + bisect_left(range(mode, high + 1), -limit, key=lambda x: -cells.pmf(x))
    return float(min(1.0, cells.cdf(left) + cells.sf(right - 1)))


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


def share_of_layers(count, n, limit=LAYERED_LIMIT):
    """Exact test that the odds ratios of the arms are the same in every layer, given the totals of arms and of layers.

    Parameters
    ----------
    count, n : array-like of int, shape = (n_layers, n_arms)
        Patients with the outcome, of all; an arm may be empty in a layer.
    limit : int
        Largest number of tables to list.

    Returns
    -------
    float
        The probability of all tables no more likely than the observed one; NaN where the totals allow one table only.

    Raises
    ------
    lib.statistics.table_network.TooManyTables

    References
    ----------
    Zelen M. Biometrika 1971;58:129-137, of two arms; with more, tables are as likely as the product of their binomial
    coefficients, which is the distribution of the logistic model without interaction given what is sufficient for it.
    """
    count, n = np.asarray(count, dtype=np.int64), np.asarray(n, dtype=np.int64)
    order = np.argsort(np.prod(n + 1.0, axis=1), kind="stable")  # the largest layer is what the others leave
    count, n = count[order], n[order]
    left, weight = count.sum(axis=0)[None], np.zeros(1)
    for layer in range(len(n) - 1):
        cells = _cells(n[layer], count[layer].sum(), limit)
        if len(left) * len(cells) > limit:
            raise TooManyTables
        rest = left[:, None] - cells[None]
        fits = ((rest >= 0) & (rest <= n[layer + 1 :].sum(axis=0))).all(axis=2)
        weight = (weight[:, None] + _log_choices(n[layer], cells)[None])[fits]
        left = rest[fits]
    weight = weight + _log_choices(n[-1], left)
    if len(weight) < 2:
        return np.nan
    share = np.exp(weight - weight.max())
    observed = np.exp(sum(_log_choices(n[layer], count[layer]) for layer in range(len(n))) - weight.max())
    return float(min(1.0, share[share <= observed * (1 + RELATIVE_TOLERANCE)].sum() / share.sum()))


def _cells(n, total, limit):
    """All counts of arms of these sizes that add up to a total: the last arm has what the others leave."""
    if np.prod(n[:-1] + 1.0) > limit:
        raise TooManyTables
    first = np.indices(n[:-1] + 1).reshape(len(n) - 1, -1).T
    last = total - first.sum(axis=1)
    fits = (last >= 0) & (last <= n[-1])
    return np.column_stack([first[fits], last[fits]])


def _log_choices(n, cells):
    """Log of the product of binomial coefficients."""
    return (gammaln(n + 1.0) - gammaln(cells + 1.0) - gammaln(n - cells + 1.0)).sum(axis=-1)


def _log_weight(cells):
    """Log probability of a table up to the constant that its margins fix: minus the sum of log factorials."""
    return -gammaln(np.asarray(cells) + 1.0).sum(axis=-1)


def _monte_carlo(table, seed):
    """Share of random tables with the same margins that are no more likely than the observed one."""
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    drawn = stats.random_table(rows, columns).rvs(MONTE_CARLO_TABLES, random_state=seed)
    limit = _log_weight(table.ravel()) + np.log1p(RELATIVE_TOLERANCE)
    extreme = (_log_weight(drawn.reshape(len(drawn), -1)) <= limit).sum()
    p_value = (extreme + 1) / (MONTE_CARLO_TABLES + 1)  # the observed table is one of them
    error = np.sqrt(p_value * (1 - p_value) / MONTE_CARLO_TABLES)
    method = f"Fisher-Freeman-Halton test, {grouped(MONTE_CARLO_TABLES)} random tables, seed {seed}"
    return ExactTest(float(p_value), float(error), method)
