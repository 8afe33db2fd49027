"""Models of rows that share a patient, a second time: by statsmodels, and Cox's residuals from their definition.

Part of the self-check; calls nothing of `clustered` or `cox` of the models. statsmodels' own cluster-robust errors of Cox
models differ where events are tied, so only its coefficients and information are taken.
"""

from __future__ import annotations

__all__ = ["FORMULA", "STATSMODELS", "cox", "score", "slope"]

from math import nan, sqrt

import numpy as np
import statsmodels
from scipy import stats
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.genmod.families import Binomial, Gaussian
from statsmodels.genmod.generalized_linear_model import GLM

STATSMODELS, FORMULA = f"statsmodels {statsmodels.__version__}", "separate formula"


def cox(time: np.ndarray, event: np.ndarray, x: np.ndarray, patient: np.ndarray, level: float) -> dict[str, float]:
    """Hazard ratio of the first column of x, with its robust error.

    Parameters
    ----------
    time, event, patient : ndarray, shape (n,)
    x : ndarray, shape (n, p)
        Indicators of arms.
    level : float
    """
    fit = PHReg(time, x, status=event.astype(int), ties="efron").fit()
    beta = np.asarray(fit.params)
    bread = np.linalg.inv(-fit.model.hessian(beta))
    moved = _per_patient(_residuals(time, event, x, beta), patient) @ bread
    n, arms = len(moved), x.shape[1] + 1
    coef, error = float(beta[0]), sqrt(float((moved**2).sum(axis=0)[0]) * n / (n - arms))
    reach, t = stats.t.isf((1 - level) / 2, n - arms) * error, coef / error
    ratio = {"coef": coef, "std_err": error, "hr": np.exp(coef), "ci_low": np.exp(coef - reach), "ci_high": np.exp(coef + reach)}
    return ratio | {"statistic": t, "p_value": 2 * stats.t.sf(abs(t), n - arms)}


def score(time: np.ndarray, event: np.ndarray, x: np.ndarray, patient: np.ndarray) -> dict[str, float]:
    """Robust score test that all columns of x have no effect: `chisq`, `df`, `p_value`."""
    scores = _per_patient(_residuals(time, event, x, np.zeros(x.shape[1])), patient)
    total, df = scores.sum(axis=0), x.shape[1]
    chisq = float(total @ np.linalg.inv(scores.T @ scores) @ total)
    return {"chisq": chisq, "df": float(df), "p_value": float(stats.chi2.sf(chisq, df))}


def _per_patient(values: np.ndarray, patient: np.ndarray) -> np.ndarray:
    return np.array([values[patient == name].sum(axis=0) for name in dict.fromkeys(patient)])


def _residuals(time: np.ndarray, event: np.ndarray, x: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Score residual of each row: its event less what was expected; of d tied events the r-th counts the tied 1 - r / d."""
    risk, found = np.exp(x @ beta), np.zeros(x.shape)
    for t in np.unique(time[event]):
        dead, at_risk = event & (time == t), time >= t
        d = int(dead.sum())
        for r in range(d):
            weight = risk * at_risk * (1 - dead * r / d)
            from_mean = x - weight @ x / weight.sum()
            found += dead[:, None] * from_mean / d - (weight / weight.sum())[:, None] * from_mean
    return found


def slope(y: np.ndarray, x: np.ndarray, patient: np.ndarray, step: float, level: float, *, odds: bool) -> dict[str, float]:
    """Last coefficient of a line or of log odds, times `step`, with its cluster-robust error, interval and t test."""
    family, n = Binomial() if odds else Gaussian(), len(set(patient))
    codes = {"groups": np.unique(patient, return_inverse=True)[1], "use_correction": False}
    fit = GLM(y, x, family=family).fit(tol=1e-13, maxiter=200, cov_type="cluster", cov_kwds=codes)
    coef, error = step * float(fit.params[-1]), step * float(fit.bse[-1]) * sqrt(n / (n - 1)) if n > 1 else nan
    t, reach = coef / error, stats.t.isf((1 - level) / 2, n - 1) * error
    limits = {"ci_low": np.exp(coef - reach), "ci_high": np.exp(coef + reach)}
    return {"coef": coef, "std_err": error, "odds_ratio" if odds else "ratio": np.exp(coef), **limits,
            "df": n - 1.0, "statistic": t, "p_value": 2 * stats.t.sf(abs(t), n - 1)}  # fmt: skip
