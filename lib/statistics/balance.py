"""Table 1 in numbers: values and levels by arm, and how far the arms stand apart (standardized differences).

No test lives here: with few patients a p-value measures n, not imbalance. Weights come from elsewhere.
"""

__all__ = ["compare_balance", "count_levels", "effective_sample_size", "estimate_quantiles"]

import numpy as np
import pandas as pd

from lib.statistics.comparisons import arm_pairs, name_pair, ordered_levels

# Columns of what is described and of what is counted, also where there is nothing.
DESCRIBED = ["variable", "group", "n", "n_missing", "mean", "sd", "median", "q1", "q3", "min", "max", "method", "note"]
COUNTED = ["variable", "level", "group", "count", "n", "n_missing", "proportion", "method", "note"]


def estimate_quantiles(patients, variables, arm="arm"):
    """Describe numeric variables per arm and over all patients.

    Parameters
    ----------
    patients : DataFrame, one row per patient
    variables : list of str
        Numeric columns.

    Returns
    -------
    DataFrame, one row per variable and arm, `overall` last: `variable`, `group`, `n`, `n_missing`, `mean`,
    `sd`, `median`, `q1`, `q3`, `min`, `max`, `method`, `note`
        R: ``quantile(x, type = 7)``, ``sd(x)``; SPSS prints type 6, SAS type 2
    """
    rows = []
    for variable in variables:
        for group, part in _groups(patients[[variable, arm]], arm):
            x = part[variable].dropna().to_numpy(dtype=float)
            q1, median, q3 = np.quantile(x, [0.25, 0.5, 0.75], method="linear") if len(x) else [np.nan] * 3
            rows.append({
                "variable": variable, "group": group, "n": len(x), "n_missing": len(part) - len(x),
                "mean": x.mean() if len(x) else np.nan, "sd": x.std(ddof=1) if len(x) > 1 else np.nan,
                "median": median, "q1": q1, "q3": q3,
                "min": x.min() if len(x) else np.nan, "max": x.max() if len(x) else np.nan,
                "method": "quantiles of type 7", "note": "" if len(x) else "not estimable: no value",
            })  # fmt: skip
    return pd.DataFrame(rows, columns=DESCRIBED)


def count_levels(patients, variables, arm="arm"):
    """Count the levels of categorical variables per arm and over all patients.

    Parameters
    ----------
    patients : DataFrame, one row per patient
    variables : list of str
        Columns of any type; a Categorical gives the order of levels, and keeps those that do not occur.

    Returns
    -------
    DataFrame, one row per variable, level and arm, `overall` last: `variable`, `level`, `group`, `count`, `n`
    (known values, the denominator), `n_missing`, `proportion`, `method`, `note`
    """
    rows = []
    for variable in variables:
        groups = _groups(patients[[variable, arm]], arm)
        for level in ordered_levels(patients[variable]):
            for group, part in groups:
                count, n = int((part[variable] == level).sum()), int(part[variable].notna().sum())
                rows.append({
                    "variable": variable, "level": level, "group": group, "count": count, "n": n,
                    "n_missing": len(part) - n, "proportion": count / n if n else np.nan,
                    "method": "share of the known values", "note": "" if n else "not estimable: no value",
                })  # fmt: skip
    return pd.DataFrame(rows, columns=COUNTED)


def compare_balance(patients, variables, arm="arm", reference=None, weight=None):
    """Standardized mean difference of each variable, for every pair of arms and the largest of them.

    Numeric: difference of means over sqrt((s_x^2 + s_y^2) / 2). Two levels: difference of the shares of the
    second level over sqrt((p_x (1 - p_x) + p_y (1 - p_y)) / 2). More levels: Mahalanobis distance of the
    shares, never negative. Denominators are those of the unweighted patients, so that weighting cannot
    improve the balance by widening the spread.

    Parameters
    ----------
    patients : DataFrame, one row per patient
    variables : list of str
        Numeric columns are compared by means; bool, text and Categorical columns by shares. Missing values
        are left out per variable.
    reference : arm id, optional
    weight : str, optional
        Column of weights (>= 0) for the numerators.

    Returns
    -------
    DataFrame, one row per variable and pair `x vs y`, then `overall` (largest absolute value): `variable`,
    `group`, `smd`, `method`, `note`

    References
    ----------
    Austin PC. Stat Med 2009;28:3083; Yang D, Dalton JE. SAS Global Forum 2012, paper 335.
    """
    pairs, rows = arm_pairs(ordered_levels(patients[arm]), reference), []
    for variable in variables:
        known = patients[[arm, variable, *([weight] if weight else [])]].dropna(subset=variable)
        values, kind = _as_columns(known[variable])
        weights = np.ones(len(known)) if weight is None else known[weight].to_numpy(dtype=float)
        own = {name: (known[arm] == name).to_numpy() for name in dict.fromkeys(sum(pairs, ()))}
        parts, found = {name: (values[rows], weights[rows]) for name, rows in own.items()}, []
        for x, y in pairs:
            smd, note = _difference(*parts[x], *parts[y], kind)
            found.append((variable, name_pair(x, y), smd, note))
        sizes = np.abs([smd for _, _, smd, _ in found if not np.isnan(smd)])
        note = "" if len(sizes) else "not estimable: no pair of arms"
        found.append((variable, "overall", sizes.max() if len(sizes) else np.nan, note))
        rows += [(*row[:3], METHODS[kind], row[3]) for row in found]
    return pd.DataFrame(rows, columns=["variable", "group", "smd", "method", "note"])


def effective_sample_size(weights):
    """Kish's effective sample size, (sum w)^2 / sum w^2; NaN if all weights are 0.

    Parameters
    ----------
    weights : array of float >= 0, shape = (n_patients,)
    """
    weights = np.asarray(weights, dtype=float)
    squares = (weights**2).sum()
    return float(weights.sum() ** 2 / squares) if squares > 0 else np.nan


METHODS = {
    "numeric": "standardized mean difference",
    "levels": "standardized difference of shares (Yang-Dalton)",
}


def _groups(patients, arm):
    """Arms in study order, then all patients."""
    groups = [(group, patients[patients[arm] == group]) for group in ordered_levels(patients[arm])]
    return [*groups, ("overall", patients)] if len(groups) > 1 else groups


def _as_columns(values):
    """Numeric values as one column; levels as 0/1 columns without the first level."""
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return values.to_numpy(dtype=float)[:, None], "numeric"
    levels = [level for level in ordered_levels(values) if (values == level).any()]
    columns = [(values == level).to_numpy(dtype=float) for level in levels[1:]]
    return np.column_stack(columns) if columns else np.zeros((len(values), 0)), "levels"


def _difference(x, weights_x, y, weights_y, kind):
    """Standardized difference of two samples of columns, and why it does not exist."""
    if weights_x.sum() <= 0 or weights_y.sum() <= 0:
        return np.nan, "not estimable: an arm has no value"
    gap = np.average(x, axis=0, weights=weights_x) - np.average(y, axis=0, weights=weights_y)
    if kind == "numeric" and min(len(x), len(y)) < 2:
        return np.nan, "not estimable: an arm has one value only"
    if np.abs(gap).max(initial=0.0) < 1e-12:
        return 0.0, ""
    spread = (_spread(x, kind) + _spread(y, kind)) / 2
    if np.linalg.matrix_rank(np.column_stack([spread, gap])) > np.linalg.matrix_rank(spread):
        return np.nan, "not estimable: the arms differ but do not vary"
    if len(gap) == 1:
        return float(gap[0] / np.sqrt(spread[0, 0])), ""
    return float(np.sqrt(gap @ np.linalg.pinv(spread, hermitian=True) @ gap)), ""


def _spread(columns, kind):
    """Variance of one numeric column (n - 1), or the multinomial covariance of the shares of levels."""
    if kind == "numeric":
        return np.atleast_2d(columns.var(axis=0, ddof=1))
    shares = columns.mean(axis=0)
    return np.diag(shares) - np.outer(shares, shares)
