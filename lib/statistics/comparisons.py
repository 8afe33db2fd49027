"""What every comparison of arms shares: which pairs, in which order, and Holm's adjustment.

No estimator lives here; see proportions, ranks, rates, balance and models.
"""

__all__ = ["ALPHA", "NO_DIFFERENCE", "RECIPROCALS", "add_number_needed", "adjust_holm", "arm_pairs", "as_float", "count_below", "name_pair", "ordered_levels"]

from itertools import combinations

import numpy as np
import pandas as pd

# Below it a p-value turns a verdict; two-sided.
ALPHA = 0.05
# One patient of a million: what rounding leaves of two equal shares lies far below.
NO_DIFFERENCE = 1e-6
# Number needed -> what it is the reciprocal of.
RECIPROCALS = {"nnt": "difference", "nnt_low": "ci_low", "nnt_high": "ci_high"}


def ordered_levels(values):
    """Arms (or levels) in their order: the categories of a Categorical, else the sorted values.

    Parameters
    ----------
    values : Series, one value per patient

    Returns
    -------
    list; a category without patients is kept, so that it shows as n = 0
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        return list(values.cat.categories)
    return sorted(values.dropna().unique())


def arm_pairs(arms, reference=None):
    """All pairs (x, y), x compared with y; `reference`, else the first in study order, comes second.

    Raises
    ------
    ValueError
        If `reference` is not one of `arms`.

    Examples
    --------
    >>> arm_pairs(["A", "B", "C"])
    [('B', 'A'), ('C', 'A'), ('C', 'B')]
    """
    arms = list(arms)
    if reference is not None:
        if reference not in arms:
            raise ValueError(f"reference must be one of {arms}, but found {reference!r}")
        arms = [reference, *(arm for arm in arms if arm != reference)]
    return sorted(((x, y) for y, x in combinations(arms, 2)), key=lambda pair: arms.index(pair[0]))


def name_pair(x: str, y: str) -> str:
    """Name of the comparison of x with y (difference = x - y, ratio = x / y)."""
    return f"{x} vs {y}"


def adjust_holm(p_values):
    """Holm's step-down adjustment; a p-value that does not exist (NaN) takes no part and stays NaN.

    Own, because statsmodels 0.15 `multipletests` runs the garbage collector, 30 ms or more, in every call.

    Parameters
    ----------
    p_values : array-like, shape = (n_comparisons,)

    Returns
    -------
    array, shape = (n_comparisons,)
        R: ``p.adjust(p, "holm")``, which leaves NA out in the same way.
    """
    p_values = np.asarray(p_values, dtype=float)
    adjusted = np.full(p_values.shape, np.nan)
    known = ~np.isnan(p_values)
    order = np.argsort(p_values[known], kind="stable")
    steps = np.arange(len(order), 0, -1) * p_values[known][order]
    adjusted[np.flatnonzero(known)[order]] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def count_below(p_values, method="tests that gave a p-value"):
    """Count tests, those below 0.05, and how many would lie there by chance if nothing differed.

    Parameters
    ----------
    p_values : array-like
        A p-value that does not exist (NaN) is no test.
    method : str

    Returns
    -------
    DataFrame, one row: `group` (overall), `n_tests`, `n_below`, `n_expected`, `method`, `note`
    """
    made = pd.Series(np.asarray(p_values, dtype=float)).dropna()
    row = {"group": "overall", "n_tests": len(made), "n_below": int((made < ALPHA).sum()), "n_expected": ALPHA * len(made)}
    return pd.DataFrame([row | {"method": method, "note": ""}])


def as_float(frame, columns):
    """Copy of `frame` with these columns as float: `DataFrame.astype`, which takes milliseconds even where nothing changes."""
    return frame.assign(**{column: frame[column].astype(float) for column in columns if frame[column].dtype != float})


def add_number_needed(differences):
    """Add the number needed to treat to differences of two shares: one patient more (below 0: fewer) of so many has the outcome.

    Parameters
    ----------
    differences : DataFrame, one row per comparison: `difference`, `ci_low`, `ci_high`, shares

    Returns
    -------
    DataFrame
        As given, with `nnt`, `nnt_low`, `nnt_high`: 1 / difference and 1 / its limits, with their signs. Limits on both
        sides of 0 enclose infinity: every number from `nnt_high` up and from `nnt_low` down (Altman DG. BMJ
        1998;317:1309). NaN where the difference or limit is missing, is none (below `NO_DIFFERENCE`), or lies beyond 1,
        as no difference of two shares does.
    """
    values = {name: differences[source].astype(float) for name, source in RECIPROCALS.items()}
    return differences.assign(**{name: 1 / value.where(value.abs().between(NO_DIFFERENCE, 1)) for name, value in values.items()})
