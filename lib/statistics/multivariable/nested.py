"""Cox models that hold one another: coefficients with their covariance, contrasts, and what the larger has beyond the smaller."""

from __future__ import annotations

__all__ = ["Model", "compare_models", "contrast", "fit_model"]

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from lib.statistics.models.design import Design, make_design
from lib.statistics.models.partial_likelihood import Fit, RiskSets, fit_cox


class Model(NamedTuple):
    """A Cox model (Efron ties), fitted.

    `coef`, shape (p,), and `covariance`, shape (p, p), are on the scale of the columns; a term that others explain has 0
    in both, as R predicts with it. `usable`: neither separated nor without any information, and every arm's own effect
    is known.
    """

    design: Design
    fit: Fit
    sets: RiskSets
    coef: np.ndarray
    covariance: np.ndarray
    usable: bool

    @property
    def df(self) -> int:
        """Coefficients that the events inform."""
        return int(self.fit.estimable.sum())

    def place(self, term: str) -> int:
        """Column of a term."""
        return self.design.terms.index(term)


def fit_model(tte: pd.DataFrame, reference: str, covariates: Sequence[str] = (), strata: str | None = None) -> Model:
    """Fit a Cox model; parameters as of `cox.estimate_cox`.

    R: ``coxph(Surv(time, event) ~ arm + x + strata(s), ties = "efron")``.
    """
    design = make_design(tte, reference, covariates)
    fit, sets = fit_cox(tte, design, strata)
    used, p = fit.estimable, len(design.terms)
    of_arm = np.array([term.startswith("arm=") for term in design.terms], dtype=bool)
    usable = bool(used.any() and not fit.separated and fit.known[of_arm].all())
    coef, covariance = np.zeros(p), np.zeros((p, p))
    if usable:
        coef[used] = fit.beta[used] / design.scale[used]
        inverse = np.linalg.inv(fit.best.information)
        covariance[np.ix_(used, used)] = inverse / np.outer(design.scale[used], design.scale[used])
    return Model(design, fit, sets, coef, covariance, usable)


def compare_models(smaller: Model, larger: Model) -> dict[str, float]:
    """Likelihood-ratio test of what the larger of two nested models of the same rows has beyond the smaller.

    Returns
    -------
    dict
        `chisq`, `df`, `p_value`; NaN where a model is not usable or they have as many coefficients. R:
        ``anova(smaller, larger)``.
    """
    df = larger.df - smaller.df
    if not (smaller.usable and larger.usable and df > 0):
        return dict.fromkeys(("chisq", "df", "p_value"), np.nan)
    chisq = max(2 * (larger.fit.best.loglik - smaller.fit.best.loglik), 0.0)
    return {"chisq": chisq, "df": float(df), "p_value": float(stats.chi2.sf(chisq, df))}


def contrast(model: Model, weights: np.ndarray, level: float) -> dict[str, np.ndarray]:
    """Sums of coefficients as log and as hazard ratios with Wald intervals.

    Parameters
    ----------
    weights : ndarray, shape (k, p)
        One sum per row.

    Returns
    -------
    dict of ndarray, shape (k,)
        `coef`, `std_err`, `hr`, `ci_low`, `ci_high` (of the hazard ratio).
    """
    coef = weights @ model.coef
    error = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", weights, model.covariance, weights), 0.0))
    reach = stats.norm.ppf(0.5 + level / 2) * error
    return {"coef": coef, "std_err": error, "hr": np.exp(coef), "ci_low": np.exp(coef - reach), "ci_high": np.exp(coef + reach)}
