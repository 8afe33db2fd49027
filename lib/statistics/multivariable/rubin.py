"""Rubin's rules: one estimate of several imputed data sets, and the Cox model of covariates that were imputed."""

from __future__ import annotations

__all__ = ["ImputedCox", "estimate_imputed_cox", "pool"]

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from lib.statistics.models.design import make_design
from lib.statistics.models.partial_likelihood import Fit, fit_cox

METHOD = "Cox regression (Efron ties) of {m} imputed data sets, Rubin's rules, {level:.0%} interval by t (Barnard and Rubin)"


def pool(estimates: np.ndarray, variances: np.ndarray, df_complete: float, level: float = 0.95) -> pd.DataFrame:
    """Put the estimates of m imputed data sets together.

    Parameters
    ----------
    estimates, variances : ndarray, shape (m, p)
        Of each imputed data set; m >= 2.
    df_complete : float
        Degrees of freedom if nothing were missing.
    level : float

    Returns
    -------
    DataFrame, one row per estimate
        `coef`, `std_err`, `ci_low`, `ci_high`, `statistic` (t), `df`, `p_value`, `missing_information` (fraction of the
        information that is missing), `efficiency` (relative to infinitely many imputations), `mc_error` (standard error
        of `coef` over other draws of as many imputations).

    References
    ----------
    Rubin DB. Multiple Imputation for Nonresponse in Surveys, 1987. Barnard J, Rubin DB. Biometrika 1999;86:948-955.
    """
    m = len(estimates)
    if m < 2:
        raise ValueError("one imputation says nothing of how far imputations differ")
    coef, within, between = estimates.mean(axis=0), variances.mean(axis=0), estimates.var(axis=0, ddof=1)
    total = within + (1 + 1 / m) * between
    share = (1 + 1 / m) * between / total
    observed = (df_complete + 1) / (df_complete + 3) * df_complete * (1 - share)
    df = 1 / (share**2 / (m - 1) + 1 / observed)
    increase = (1 + 1 / m) * between / within
    information = (increase + 2 / (df + 3)) / (1 + increase) * (between > 0)
    std_err = np.sqrt(total)
    reach = stats.t.ppf(0.5 + level / 2, df) * std_err
    return pd.DataFrame({
        "coef": coef, "std_err": std_err, "ci_low": coef - reach, "ci_high": coef + reach, "statistic": coef / std_err,
        "df": df, "p_value": 2 * stats.t.sf(np.abs(coef / std_err), df), "missing_information": information,
        "efficiency": 1 / (1 + information / m), "mc_error": np.sqrt(between / m),
    })  # fmt: skip


class ImputedCox(NamedTuple):
    """`terms`: as `estimate_imputed_cox` says; `fits`: coefficients of each data set, a column per term; `reason`: why not, `of` which terms."""

    terms: pd.DataFrame
    fits: pd.DataFrame
    reason: str = ""
    of: tuple[str, ...] = ()


def estimate_imputed_cox(completed: Sequence[pd.DataFrame], reference: str, covariates: Sequence[str], level: float = 0.95) -> ImputedCox:
    """Hazard ratios of arms and covariates over imputed data sets.

    Parameters
    ----------
    completed : sequence of DataFrame, one row per patient
        `arm`, `time`, `event` (True = event), and the covariates without a missing value.
    reference : str
    covariates : sequence of str
    level : float

    Returns
    -------
    ImputedCox
        `terms`: `term`, `group`, `n`, `n_events`, `n_imputations`, `hr` with its limits, and what `pool` gives, whose
        degrees of freedom of complete data are events less coefficients. Empty, with the reason, where a
        coefficient runs off or cannot be estimated in any of the data sets: then there is nothing to put together.

    Notes
    -----
    R: ``pool(with(imp, coxph(Surv(time, event) ~ arm + x)))`` of mice.
    """
    names: dict[tuple[str, str], None] = {}
    estimates, variances = [], []
    for frame in completed:
        design = make_design(frame, reference, covariates)
        fit, _ = fit_cox(frame, design)
        if fit.separated or not (fit.estimable & fit.known).all():
            return ImputedCox(pd.DataFrame(), pd.DataFrame(), *_why_not(design.terms, fit))
        names |= dict.fromkeys(zip(design.terms, design.groups, strict=True))
        estimates.append(fit.beta / design.scale)
        variances.append(np.diag(np.linalg.inv(fit.best.information)) / design.scale**2)
    events = int(completed[0]["event"].sum())
    found = pool(np.array(estimates), np.array(variances), max(events - len(names), 1), level)
    found = found.assign(hr=np.exp(found["coef"]), **{side: np.exp(found[side]) for side in ("ci_low", "ci_high")})
    terms, groups = zip(*names, strict=True)
    sizes = {"n": len(completed[0]), "n_events": events, "n_imputations": len(completed)}
    labelled = pd.DataFrame({"term": terms, "group": groups}).assign(**sizes)
    method = METHOD.format(m=len(completed), level=level)
    return ImputedCox(pd.concat([labelled, found], axis=1).assign(method=method, note=""), pd.DataFrame(estimates, columns=list(terms)))


def _why_not(terms: Sequence[str], fit: Fit) -> tuple[str, tuple[str, ...]]:
    if fit.separated:
        return "the arms or covariates separate events from non-events", ()
    return "the events say nothing of", tuple(term for term, fine in zip(terms, fit.estimable & fit.known, strict=True) if not fine)
