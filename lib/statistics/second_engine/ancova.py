"""Adjusted changes from baseline a second time, by least squares of statsmodels on a matrix of indicators."""

from __future__ import annotations

__all__ = ["ENGINE", "Fitted", "fit"]

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import statsmodels
from statsmodels.regression.linear_model import OLS

ENGINE = f"statsmodels {statsmodels.__version__}"


class Fitted(NamedTuple):
    """Least squares on one column per arm and the baseline about its mean."""

    arms: list[str]
    model: Any
    alone: Any

    def contrast(self, group: str, level: float) -> dict[str, float]:
        """Mean of an arm, or the difference of two."""
        weights = np.zeros(len(self.model.params))
        for arm, sign in zip(group.split(" vs "), (1.0, -1.0), strict=False):
            weights[self.arms.index(arm)] += sign
        tested = self.model.t_test(weights)
        low, high = tested.conf_int(1 - level)[0]
        return {"estimate": float(tested.effect[0]), "std_err": float(tested.sd[0, 0]), "ci_low": float(low), "ci_high": float(high),
                "statistic": float(tested.tvalue[0, 0]), "p_value": float(tested.pvalue), "df_residual": float(tested.df_denom)}  # fmt: skip

    def overall(self) -> dict[str, float]:
        """F test of the arms, and the slope of the change on the baseline."""
        slope = {"coef": float(self.model.params[-1])} if len(self.model.params) > len(self.arms) else {}
        found = slope | {"df_residual": float(self.model.df_resid), "n": float(self.model.nobs)}
        if len(self.arms) < 2:
            return found
        statistic, p_value, more = self.model.compare_f_test(self.alone)
        return found | {"statistic": float(statistic), "p_value": float(p_value), "df": float(more)}


def fit(patients: pd.DataFrame, arms: list[str]) -> Fitted:
    """Fit the changes of the patients of `arms`; a baseline that is the same for all has no column."""
    own = patients[patients["arm"].astype(str).isin(arms)]
    indicators = np.column_stack([(own["arm"].astype(str) == arm).to_numpy(float) for arm in arms])
    centred = (own["baseline"] - own["baseline"].mean()).to_numpy(float)[:, None]
    covariate = centred if np.ptp(own["baseline"].to_numpy(float)) > 0 else centred[:, :0]
    change, ones = own["change"].to_numpy(float), np.ones((len(own), 1))
    return Fitted(arms, OLS(change, np.hstack([indicators, covariate])).fit(), OLS(change, np.hstack([ones, covariate])).fit())
