"""Change from baseline, adjusted for the baseline: analysis of covariance with the arms as a factor.

One slope for all arms, estimated within them, and a variance for each arm: with one for all, arms of unequal size that
spread unequally are called different up to four times as often as they should be. The sums are written out, so that
each number can be followed by hand.
"""

from __future__ import annotations

__all__ = ["LEAST_IN_ARM", "LEAST_RESIDUAL", "METHOD", "estimate_ancova"]

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from lib.statistics.comparisons import name_pair, ordered_levels
from lib.statistics.survival.event_table import OVERALL

METHOD = "analysis of covariance, baseline as covariate, a variance for each arm"
# Below so many residual degrees of freedom the variances are hardly known, and nobody can see whether the changes lie
# about a line.
LEAST_RESIDUAL = 10
# Of three the variance is not known well enough: pairs with one that spreads twice as much reject in 8.5 % instead of
# 5 %. With four they do so in 5 % (4, 20 and 20 patients), as with 10, 19 and 10, where one variance for all gives 11 %,
# and 17 % where an arm spreads three times as much.
LEAST_IN_ARM = 4
# Sums of squares smaller than this share of what they are a part of are rounding.
NOTHING = 1e-20
STRAIGHT = "not estimable: the changes do not vary about the line"


class _Fit(NamedTuple):
    """Of each arm its size, means, share of the slope, variance and degrees of freedom; the slope and its sum of squares."""

    n: np.ndarray
    change: np.ndarray
    baseline: np.ndarray
    share: np.ndarray
    variance: np.ndarray
    df: np.ndarray
    slope: float
    spread: float

    def adjusted(self, weights: np.ndarray, at: float) -> tuple[float, float, float]:
        """A weighted sum of the arms' means at one baseline, its standard error, and Satterthwaite's degrees of freedom."""
        away = float(weights @ self.baseline) - at * weights.sum()
        parts = self._parts(weights[None], np.array([away]))[:, 0, 0]
        return float(weights @ self.change) - self.slope * away, float(np.sqrt(parts.sum())), float(parts.sum() ** 2 / (parts**2 / self.df).sum())

    def overall(self) -> tuple[float, int, float]:
        """F of all arms with its degrees of freedom: Welch's test of means, as Johansen carried it over to linear models."""
        weights = np.eye(len(self.n))[1:] - np.eye(len(self.n))[0]
        away = weights @ self.baseline
        difference = weights @ self.change - self.slope * away
        parts = self._parts(weights, away)
        inverse = np.linalg.inv(parts.sum(axis=0))
        of_arm = parts @ inverse
        unknown = sum((np.trace(q @ q) + np.trace(q) ** 2) / (2 * df) for q, df in zip(of_arm, self.df, strict=True))
        more = len(weights)
        scale = more + 2 * unknown - 6 * unknown / (more + 2)
        return float(difference @ inverse @ difference / scale), more, float(more * (more + 2) / (3 * unknown))

    def _parts(self, weights: np.ndarray, away: np.ndarray) -> np.ndarray:
        """What each arm adds to the covariance of some weighted sums (k, m, m): by its mean, and by the slope."""
        by_mean = weights.T[:, :, None] * weights.T[:, None, :] / self.n[:, None, None]
        by_slope = np.outer(away, away) * self.share[:, None, None] / self.spread if self.spread else 0.0
        return self.variance[:, None, None] * (by_mean + by_slope)


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
        `df_residual`, `p_value`); each with `method` and `note`. `df_residual` is Satterthwaite's, or Johansen's of the
        test. NaN and the reason in an arm of fewer than `LEAST_IN_ARM`, and everywhere with fewer than `LEAST_RESIDUAL`
        residual degrees of freedom. With the same baseline in all patients this is Welch's test.
        R: ``m <- lm(change ~ baseline + arm)``, ``v <- tapply(resid(m)^2, arm, sum) / tapply(1 - hatvalues(m), arm, sum)``,
        ``B <- solve(crossprod(X)); B %*% crossprod(X * sqrt(v[arm])) %*% B``; ``oneway.test(change ~ arm)``

    References
    ----------
    Johansen S. Biometrika 1980;67:85-92. Satterthwaite FE. Biometrics Bull 1946;2:110-114.
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
        value, error, df = fit.adjusted(weights, at)
        reach = stats.t.ppf((1 + level) / 2, df) * error
        found = {"group": group, name: value, "std_err": error, "ci_low": value - reach, "ci_high": value + reach}
        tested = {"statistic": value / error, "p_value": 2 * stats.t.sf(abs(value / error), df)} if name == "difference" else {}
        return found | tested | {"df_residual": df, "note": _said(fit)}

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
    left = np.split(inner_y - slope * inner_x, np.cumsum(n)[:-1])
    share = np.array([part @ part for part in np.split(inner_x, np.cumsum(n)[:-1])]) / spread if varies else np.zeros(len(n))
    within = np.array([part @ part for part in left])
    if within.min() <= NOTHING * float(all_y @ all_y):
        return None, STRAIGHT if within.max() <= NOTHING * float(all_y @ all_y) else f"{STRAIGHT} in one of the arms"
    df = n - 1 - share
    return _Fit(n, of_y, of_x, share, within / df, df, slope, spread if varies else 0.0), ""


def _overall(fit: _Fit | None, why: str, n: int) -> pd.DataFrame:
    """F test of all arms, and the slope."""
    found: dict[str, object] = {"group": OVERALL, "note": why}
    if fit is not None:
        found |= {"coef": fit.slope if fit.spread else np.nan, "note": _said(fit)}
        if len(fit.n) > 1:
            statistic, more, df = fit.overall()
            found |= {"statistic": statistic, "df": more, "df_residual": df, "p_value": stats.f.sf(statistic, more, df)}
    frame = _frame([found], ["coef", "statistic", "df", "df_residual", "p_value"])
    frame.insert(1, "n", n)
    return frame


def _said(fit: _Fit) -> str:
    """What has to be known of a model that could be made."""
    return "" if fit.spread else "not adjusted: all patients have the same baseline"


def _frame(rows: list[dict[str, object]], columns: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["group", *columns, "note"])
    return frame.astype(dict.fromkeys(columns, float)).assign(method=METHOD)
