"""Change from baseline, adjusted for the baseline: analysis of covariance with the arms as a factor.

One slope for all arms, estimated within them; the sums are written out, so that each number can be followed by hand.
"""

from __future__ import annotations

__all__ = ["LEAST_IN_ARM", "LEAST_RESIDUAL", "METHOD", "estimate_ancova"]

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from lib.statistics.comparisons import name_pair, ordered_levels
from lib.statistics.survival.event_table import OVERALL

METHOD = "analysis of covariance, baseline as covariate"
# Below so many residual degrees of freedom the variance is hardly known: the t quantile is 14 % wider than the normal one
# at 10, and 42 % at 4, and nobody can see whether the changes lie about a line.
LEAST_RESIDUAL = 10
# An arm of two lies on any line through its mean.
LEAST_IN_ARM = 3
# Residuals that spread so many times as much in one arm as in another: one variance for all is then that of none, and with
# arms of unequal size the test of two of them can reject more than twice as often as it should.
UNEVEN = 2.0
# Sums of squares smaller than this share of what they are a part of are rounding.
NOTHING = 1e-20


class _Fit(NamedTuple):
    """Sizes and means of the arms, the common slope with its sum of squares, residual variance, its degrees of freedom, and whether arms share it."""

    n: np.ndarray
    change: np.ndarray
    baseline: np.ndarray
    slope: float
    spread: float
    variance: float
    df: int
    between: float
    uneven: bool

    def adjusted(self, weights: np.ndarray, at: float) -> tuple[float, float]:
        """A weighted sum of the arms' means at one baseline, and its standard error."""
        away = float(weights @ self.baseline) - at * weights.sum()
        moved = self.slope * away if self.spread else 0.0
        reach = away**2 / self.spread if self.spread else 0.0
        return float(weights @ self.change) - moved, float(np.sqrt(self.variance * ((weights**2 / self.n).sum() + reach)))


def estimate_ancova(patients: pd.DataFrame, reference: str, level: float = 0.95) -> dict[str, pd.DataFrame]:
    """Adjusted mean change by arm at the mean baseline, and the adjusted differences to the reference arm.

    Parameters
    ----------
    patients : DataFrame, one row per patient
        `arm`, `baseline`, `change`; patients without one of the two numbers are left out.
    reference : arm id
    level : float

    Returns
    -------
    dict of str to DataFrame
        `mean` (one row per arm: `group`, `n`, `estimate`, `std_err`, `ci_low`, `ci_high`, `df_residual`), `difference`
        (one per other arm, ``x vs reference``: `difference`, `std_err`, `ci_low`, `ci_high`, `statistic` (t), `p_value`,
        `df_residual`), `test` (all arms: `n`, `coef` (slope of the change on the baseline), `statistic` (F), `df`,
        `df_residual`, `p_value`); each with `method` and `note`. NaN and the reason in an arm of fewer than
        `LEAST_IN_ARM`, and everywhere with fewer than `LEAST_RESIDUAL` residual degrees of freedom.
        R: ``m <- lm(change ~ baseline + arm)``; ``emmeans(m, "arm")``, ``summary(m)``, ``anova(update(m, . ~ baseline), m)``
    """
    known = patients.dropna(subset=["baseline", "change"])
    arms = [str(arm) for arm in ordered_levels(patients["arm"])]
    sizes = {arm: int((known["arm"].astype(str) == arm).sum()) for arm in arms}
    used = [arm for arm in arms if sizes[arm] >= LEAST_IN_ARM]
    fit, why = _fit([known[known["arm"].astype(str) == arm] for arm in used])
    at = float(np.average(fit.baseline, weights=fit.n)) if fit else 0.0

    def row(group: str, name: str) -> dict[str, object]:
        named = group.split(" vs ")
        few = " and ".join(arm for arm in named if arm not in used)
        if few or fit is None:
            return {"group": group, "note": why or f"not estimable: fewer than {LEAST_IN_ARM} patients with both values in arm {few}"}
        weights = np.zeros(len(used))
        for arm, sign in zip(named, (1.0, -1.0), strict=False):
            weights[used.index(arm)] += sign
        value, error = fit.adjusted(weights, at)
        reach = stats.t.ppf((1 + level) / 2, fit.df) * error
        found = {"group": group, name: value, "std_err": error, "ci_low": value - reach, "ci_high": value + reach}
        tested = {"statistic": value / error, "p_value": 2 * stats.t.sf(abs(value / error), fit.df)} if name == "difference" else {}
        return found | tested | {"df_residual": fit.df, "note": _said(fit)}

    pairs = [name_pair(arm, reference) for arm in arms if arm != reference]
    limits = ["std_err", "ci_low", "ci_high"]
    means = _frame([row(arm, "estimate") for arm in arms], ["estimate", *limits, "df_residual"])
    means.insert(1, "n", [sizes[arm] for arm in arms])
    return {
        "mean": means,
        "difference": _frame([row(pair, "difference") for pair in pairs], ["difference", *limits, "statistic", "p_value", "df_residual"]),
        "test": _overall(fit, why, int(sum(sizes[arm] for arm in used)) if fit else len(known)),
    }


def _fit(parts: list[pd.DataFrame]) -> tuple[_Fit | None, str]:
    """The model of these arms, or why there is none."""
    n = np.array([len(part) for part in parts])
    x, y = ([part[column].to_numpy(float) for part in parts] for column in ("baseline", "change"))
    if n.sum() - len(parts) - 1 < LEAST_RESIDUAL:
        return None, f"not estimable: fewer than {LEAST_RESIDUAL} residual degrees of freedom"
    all_x, all_y = np.concatenate(x), np.concatenate(y)
    of_x, of_y = np.array([part.mean() for part in x]), np.array([part.mean() for part in y])
    inner_x = all_x - np.repeat(of_x, n)
    inner_y = all_y - np.repeat(of_y, n)
    spread = float(inner_x @ inner_x)
    total = float(((all_x - all_x.mean()) ** 2).sum())
    varies = total > NOTHING * float(all_x @ all_x)
    if varies and spread <= NOTHING * float(all_x @ all_x):
        return None, "not estimable: the baseline is the same within each arm, so it cannot be told from the arm"
    slope = float(inner_x @ inner_y) / spread if varies else 0.0
    df = int(n.sum() - len(parts) - varies)
    left = inner_y - slope * inner_x
    within = float(left @ left)
    if within <= NOTHING * float(all_y @ all_y):
        return None, "not estimable: the changes do not vary about the line"
    spreads = np.array([part.std(ddof=1) for part in np.split(left, np.cumsum(n)[:-1])])
    uneven = bool(spreads.max() > UNEVEN * spreads.min())
    return _Fit(n, of_y, of_x, slope, spread if varies else 0.0, within / df, df, _without_arms(all_x, all_y, varies) - within, uneven), ""


def _without_arms(x: np.ndarray, y: np.ndarray, varies: bool) -> float:
    """Residual sum of squares of the changes on the baseline alone."""
    x, y = x - x.mean(), y - y.mean()
    left = y - float(x @ y) / float(x @ x) * x if varies else y
    return float(left @ left)


def _overall(fit: _Fit | None, why: str, n: int) -> pd.DataFrame:
    """F test of all arms, and the slope."""
    found: dict[str, object] = {"group": OVERALL, "note": why}
    if fit is not None:
        more = len(fit.n) - 1
        found |= {"coef": fit.slope if fit.spread else np.nan, "df_residual": fit.df, "note": _said(fit)}
        if more:
            statistic = fit.between / more / fit.variance
            found |= {"statistic": statistic, "df": more, "p_value": stats.f.sf(statistic, more, fit.df)}
    frame = _frame([found], ["coef", "statistic", "df", "df_residual", "p_value"])
    frame.insert(1, "n", n)
    return frame


def _said(fit: _Fit) -> str:
    """What has to be known of a model that could be made."""
    same = "" if fit.spread else "not adjusted: all patients have the same baseline"
    uneven = "the changes spread more than twice as much in one arm as in another, so that intervals and p of this model, which has one variance for all, can mislead" if fit.uneven else ""
    return "; ".join(filter(None, [same, uneven]))


def _frame(rows: list[dict[str, object]], columns: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["group", *columns, "note"])
    return frame.astype(dict.fromkeys(columns, float)).assign(method=METHOD)
