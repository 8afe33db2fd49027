"""Logistic regression of arms and covariates, one at a time and together: the terms, and a test of each that has several.

With Firth's penalty where the likelihood has no maximum, or where it is asked for.
"""

from __future__ import annotations

__all__ = ["fit_odds"]

import warnings

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import log_expit
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.tools.sm_exceptions import ConvergenceWarning, PerfectSeparationWarning

from lib.statistics.models.design import Design
from lib.statistics.models.logistic import METHOD, compare_penalised_odds, fit_penalised_odds
from lib.statistics.multivariable.ratios import Fitted, describe_columns

COLUMNS = ["coef", "std_err", "ci_low", "ci_high", "p_value"]
# A log odds that no patient has but where the likelihood rises for ever (a chance of 3 in 10 million).
RUNAWAY = 15.0
PENALTY = " with Firth's penalty"
NOTHING = "not estimable: all have the same outcome, or the terms determine each other"


def fit_odds(patients: pd.DataFrame, design: Design, level: float, *, penalise: bool = False) -> Fitted:
    """Odds ratios of the columns of a design, and likelihood-ratio tests of its variables.

    Parameters
    ----------
    patients : DataFrame, one row per patient
        `event` : bool, True = has the outcome.
    design : Design
        Of `patients`.
    level : float
        Confidence level.
    penalise : bool
        Whether Firth's penalty is used although the likelihood may have a maximum.

    Returns
    -------
    Fitted
        As `fit_ratios`, with `odds_ratio` in the place of `hr` and `statistic` only where there is no penalty.

    Notes
    -----
    R: ``glm(y ~ arm + x, binomial, epsilon = 1e-14)`` with ``confint.default`` and ``drop1(fit, test = "LRT")``; with
    the penalty ``logistf::logistf`` and ``logistftest``.
    """
    y = patients["event"].to_numpy(float)[design.kept]
    x = np.column_stack([np.ones(len(y)), design.x])
    several = {name: columns for name, columns in describe_columns(design).items() if len(columns) > 1}
    every = pd.DataFrame({"term": design.terms, "group": design.groups}).assign(n=len(y), n_events=int(y.sum()))
    tests = pd.DataFrame({"variable": list(several), "df": [float(len(c)) for c in several.values()]})
    if not len(y) or y.min() == y.max() or np.linalg.matrix_rank(x) < x.shape[1]:
        nothing = every.assign(**dict.fromkeys([*COLUMNS, "odds_ratio"], np.nan), method=_method(level), note=NOTHING)
        return Fitted(nothing, tests.assign(chisq=np.nan, p_value=np.nan, method=_test(False), note=NOTHING), False)
    found = None if penalise else _plain(x, y, level)
    penalised = found is None
    if found is None:
        found, _ = fit_penalised_odds(x, y, level)
        chisq = [compare_penalised_odds(x, y, [1 + j for j in columns]) for columns in several.values()]
    else:
        whole = _loglik(x, y)
        chisq = [2 * (whole - _loglik(np.delete(x, [1 + j for j in columns], axis=1), y)) for columns in several.values()]
    found[:, :4] /= design.scale[:, None]
    terms = every.assign(**dict(zip(COLUMNS, found.T, strict=True)))
    terms[["ci_low", "ci_high"]] = np.exp(terms[["ci_low", "ci_high"]])
    terms.insert(list(terms).index("std_err") + 1, "odds_ratio", np.exp(terms["coef"]))
    tests["chisq"] = np.array(chisq, dtype=float)
    tests["p_value"] = stats.chi2.sf(tests["chisq"], tests["df"])
    return Fitted(terms.assign(method=METHOD if penalised else _method(level), note=""), tests.assign(method=_test(penalised), note=""), penalised)


def _method(level: float) -> str:
    return f"logistic regression, Wald {level:.0%} interval"


def _test(penalised: bool) -> str:
    return f"likelihood-ratio test of all terms of a variable (logistic regression{PENALTY if penalised else ''})"


def _fit(x: np.ndarray, y: np.ndarray):
    with warnings.catch_warnings():
        for kind in (PerfectSeparationWarning, ConvergenceWarning, RuntimeWarning):
            warnings.simplefilter("ignore", kind)
        return GLM(y, x, family=Binomial()).fit(tol=1e-14, maxiter=100)


def _plain(x: np.ndarray, y: np.ndarray, level: float) -> np.ndarray | None:
    """Estimates without a penalty, as `fit_penalised_odds` gives them; None where the likelihood has no maximum."""
    fit = _fit(x, y)
    if not np.abs(x @ fit.params).max() < RUNAWAY:
        return None
    coef, error = fit.params[1:], np.sqrt(np.diag(np.linalg.inv(x.T * fit.mu * (1 - fit.mu) @ x)))[1:]
    reach = stats.norm.isf((1 - level) / 2) * error
    return np.column_stack([coef, error, coef - reach, coef + reach, 2 * stats.norm.sf(np.abs(coef / error))])


def _loglik(x: np.ndarray, y: np.ndarray) -> float:
    eta = x @ _fit(x, y).params
    return float((y * log_expit(eta) + (1 - y) * log_expit(-eta)).sum())
