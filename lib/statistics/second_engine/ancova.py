"""Adjusted changes from baseline a second time, by least squares of statsmodels on a matrix of indicators and a sandwich."""

from __future__ import annotations

__all__ = ["ENGINE", "Fitted", "fit"]

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import statsmodels
from scipy import stats
from statsmodels.regression.linear_model import OLS

ENGINE = f"statsmodels {statsmodels.__version__}"


class Fitted(NamedTuple):
    """Least squares on one column per arm and the baseline about its mean, and the arm of each row."""

    arms: list[str]
    model: Any
    arm: np.ndarray

    def contrast(self, group: str, level: float) -> dict[str, float]:
        """Mean of an arm, or the difference of two."""
        weights = np.zeros(len(self.model.params))
        for arm, sign in zip(group.split(" vs "), (1.0, -1.0), strict=False):
            weights[self.arms.index(arm)] += sign
        parts, own = self._covariances(weights[None])
        variance = parts.sum()
        df = variance**2 / (parts.ravel() ** 2 / own).sum()
        value, error = float(weights @ self.model.params), float(np.sqrt(variance))
        low, high = stats.t.interval(level, df, value, error)
        return {"estimate": value, "std_err": error, "ci_low": float(low), "ci_high": float(high), "statistic": value / error,
                "p_value": float(2 * stats.t.sf(abs(value / error), df)), "df_residual": float(df)}  # fmt: skip

    def overall(self) -> dict[str, float]:
        """Johansen's test of the arms, and the slope of the change on the baseline."""
        slope = {"coef": float(self.model.params[-1])} if len(self.model.params) > len(self.arms) else {}
        found = slope | {"n": float(self.model.nobs)}
        more = len(self.arms) - 1
        if not more:
            return found
        contrasts = np.hstack([-np.ones((more, 1)), np.eye(more), np.zeros((more, len(self.model.params) - more - 1))])
        parts, own = self._covariances(contrasts)
        covariance, moved = parts.sum(axis=0), contrasts @ self.model.params
        unknown = 0.0
        for part, df in zip(parts, own, strict=True):
            shared = np.linalg.solve(covariance, part)
            unknown += ((shared * shared.T).sum() + np.trace(shared) ** 2) / df / 2
        statistic = float(moved @ np.linalg.solve(covariance, moved)) / (more + 2 * unknown * (more - 1) / (more + 2))
        df = more * (more + 2) / 3 / unknown
        return found | {"statistic": statistic, "p_value": float(stats.f.sf(statistic, more, df)), "df": float(more), "df_residual": float(df)}

    def _covariances(self, contrasts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Covariance that the rows of each arm give to some contrasts, by the sandwich, and the arm's degrees of freedom."""
        free = 1 - self.model.get_influence().hat_matrix_diag
        pulls = contrasts @ np.linalg.pinv(self.model.model.exog)
        masks = [self.arm == arm for arm in self.arms]
        own = np.array([free[mask].sum() for mask in masks])
        variances = [(self.model.resid[mask] ** 2).sum() / df for mask, df in zip(masks, own, strict=True)]
        return np.array([variance * pulls[:, mask] @ pulls[:, mask].T for mask, variance in zip(masks, variances, strict=True)]), own


def fit(patients: pd.DataFrame, arms: list[str]) -> Fitted:
    """Fit the changes of the patients of `arms`; a baseline that is the same for all has no column."""
    own = patients[patients["arm"].astype(str).isin(arms)]
    indicators = np.column_stack([(own["arm"].astype(str) == arm).to_numpy(float) for arm in arms])
    centred = (own["baseline"] - own["baseline"].mean()).to_numpy(float)[:, None]
    covariate = centred if np.ptp(own["baseline"].to_numpy(float)) > 0 else centred[:, :0]
    return Fitted(arms, OLS(own["change"].to_numpy(float), np.hstack([indicators, covariate])).fit(), own["arm"].astype(str).to_numpy())
