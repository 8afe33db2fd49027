"""Why patients got their treatment: propensity of k arms, overlap weights, weighted curves, E-values.

Balance and effective sample size are in balance, the weighted Cox model in models.
"""

from __future__ import annotations

__all__ = [
    "design_columns",
    "estimate_e_value",
    "estimate_propensity",
    "estimate_weighted_curve",
    "make_overlap_weights",
]

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.discrete.discrete_model import MNLogit

from lib.statistics.comparisons import ordered_levels
from lib.statistics.survival.event_table import distinct, merge_times
from lib.statistics.weighting.multinomial import MAX_SLOPE, fit_multinomial, information_at, probabilities
from lib.study.limits import LARGE

# Outcome share above which a hazard ratio is no risk ratio (VanderWeele and Ding, Ann Intern Med 2017;167:268-274)
RARE = 0.15
METHOD = "multinomial logistic propensity model, maximum likelihood"


def design_columns(patients: pd.DataFrame, covariates: Sequence[str]) -> pd.DataFrame:
    """Numbers as they are, categories as indicators against their first level; what does not vary is left out."""
    columns = {}
    for name in covariates:
        values = patients[name]
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            columns[name] = values.astype(float)
        else:
            present = [level for level in ordered_levels(values) if (values == level).any()]
            columns |= {f"{name}={level}": (values == level).astype(float) for level in present[1:]}
    frame = pd.DataFrame(columns, index=patients.index)
    return frame.loc[:, frame.std(ddof=0) > 0]


def estimate_propensity(
    patients: pd.DataFrame, covariates: Sequence[str], reference: str, level: float = 0.95
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Probability of each arm given the covariates.

    Parameters
    ----------
    patients : DataFrame, one row per patient, no missing covariate
        `arm` (ordered categorical) and the covariates.
    covariates : sequence of str
        Numeric columns enter as they are, others as indicators against their first level.
    reference : str
        Arm that the coefficients are relative to; the probabilities do not depend on it.
    level : float

    Returns
    -------
    scores : DataFrame, one row per patient, one column per arm that has patients
        Probabilities; they sum to 1.
    terms : DataFrame, one row per covariate column and arm
        `term`, `group` (``x vs reference``), `n`, `coef` (log odds per unit), `std_err`, `ci_low`, `ci_high`,
        `p_value` (Wald), `method`, `note`.

    Raises
    ------
    ValueError
        If the covariates tell the arms apart, or there are too few patients for them.

    Notes
    -----
    R: ``nnet::multinom(arm ~ x + g, maxit = 2000, reltol = 1e-14)``. scikit-learn's logistic regression is penalised
    by default and differs by 0.035.
    """
    x = design_columns(patients, covariates)
    present = [arm for arm in ordered_levels(patients["arm"]) if (patients["arm"] == arm).any()]
    order = [reference, *(arm for arm in present if arm != reference)]
    if len(present) < 2 or reference not in present:
        raise ValueError("fewer than two arms have patients with known covariates")
    if len(patients) <= (len(order) - 1) * (x.shape[1] + 1):
        raise ValueError(f"{len(patients)} patients are too few for {x.shape[1]} covariates")
    codes = patients["arm"].map({arm: i for i, arm in enumerate(order)}).to_numpy(dtype=int)
    scale, design = x.std(ddof=0).to_numpy(), np.column_stack([np.ones(len(x)), (x - x.mean()) / x.std(ddof=0)])
    try:
        coef, errors, scores = (_fit_alike if len(codes) > LARGE else _fit_listed)(codes, design)
    except (np.linalg.LinAlgError, ValueError) as error:
        raise ValueError("the covariates tell the arms apart completely") from error
    if not np.isfinite([*coef.ravel(), *errors.ravel()]).all() or np.abs(coef[1:]).max(initial=0) > MAX_SLOPE:
        raise ValueError("the covariates tell the arms apart completely")
    z, parts = stats.norm.ppf(0.5 + level / 2), []
    for i, arm in enumerate(order[1:]):
        slope, error = coef[1:, i] / scale, errors[1:, i] / scale
        parts.append(pd.DataFrame({
            "term": list(x), "group": f"{arm} vs {reference}", "n": len(x), "coef": slope, "std_err": error,
            "ci_low": slope - z * error, "ci_high": slope + z * error, "p_value": 2 * stats.norm.sf(np.abs(slope / error)),
        }))  # fmt: skip
    terms = pd.concat(parts, ignore_index=True).assign(method=METHOD, note="")
    return pd.DataFrame(scores, index=patients.index, columns=order)[present], terms


def _fit_listed(codes: np.ndarray, design: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coefficients and their standard errors, shape (p, k - 1), and probabilities, shape (n, k)."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # A fit that runs off is found by who asks, whatever the library says of it.
        warnings.simplefilter("ignore")
        fit = MNLogit(codes, design).fit(method="newton", maxiter=100, tol=1e-12, disp=0)
        return tuple(np.asarray(v, float) for v in (fit.params, fit.bse, fit.predict()))


def _fit_alike(codes: np.ndarray, design: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `_fit_listed`, the same likelihood; patients of one arm with the same covariates are counted."""
    alike = np.zeros(len(codes), dtype=np.int64)
    for column in design.T:
        values, position = distinct(column)
        alike = distinct(alike * len(values) + position)[1]
    one_of = np.zeros(alike.max() + 1, dtype=np.int64)
    one_of[alike] = np.arange(len(alike))
    n_arms = codes.max() + 1
    cells = np.bincount(alike * n_arms + codes, minlength=len(one_of) * n_arms).astype(float)
    rows, own = np.repeat(design[one_of], n_arms, axis=0), np.tile(np.eye(n_arms), (len(one_of), 1))
    beta, fitted = fit_multinomial(rows, own, cells[None])
    if not fitted.all():
        raise ValueError("the likelihood has no maximum")
    errors = np.sqrt(np.diag(np.linalg.inv(information_at(rows, own, cells[None], beta)[0])))
    return beta[0].T, errors.reshape(beta[0].shape).T, probabilities(design[one_of], beta)[0].T[alike]


def make_overlap_weights(scores: pd.DataFrame, arm: pd.Series) -> pd.Series:
    """Generalised overlap weights: patients count by how likely they were to be in any of the arms.

    Parameters
    ----------
    scores : DataFrame, one row per patient, one column per arm
        Probabilities of `estimate_propensity`.
    arm : Series
        The arm of each patient.

    Returns
    -------
    Series, in (0, 1]
        w = (1 / e[own arm]) / sum over the arms of 1 / e (Li and Li, Ann Appl Stat 2019;13:2389-2415). With two arms
        this is the probability of the other arm.
    """
    own = scores.to_numpy()[np.arange(len(arm)), scores.columns.get_indexer(arm)]
    return pd.Series(1 / own / (1 / scores).sum(axis=1).to_numpy(), index=scores.index)


def estimate_weighted_curve(tte: pd.DataFrame, weight: str = "weight") -> pd.DataFrame:
    """Kaplan-Meier curve of each arm with weighted patients.

    Parameters
    ----------
    tte : DataFrame, one row per patient
        `arm`, `time`, `event`, and the column of weights (> 0).

    Returns
    -------
    DataFrame, one row per arm and distinct time of the arm, the first at time 0
        `group`, `time`, `survival` (just after it). No interval: weights that were estimated make Greenwood's wrong.
        R: ``survfit(Surv(time, event) ~ arm, weights = w)``.
    """
    parts = []
    for arm in ordered_levels(tte["arm"]):
        own = tte[tte["arm"] == arm]
        if own.empty:
            continue
        times, index = merge_times(own["time"].to_numpy(dtype=float))
        weights, event = own[weight].to_numpy(dtype=float), own["event"].to_numpy(dtype=float)
        at_risk = np.bincount(index, weights)[::-1].cumsum()[::-1]
        survival = np.cumprod(1 - np.bincount(index, weights * event) / at_risk)
        parts.append(pd.DataFrame({"group": arm, "time": [0.0, *times], "survival": [1.0, *np.maximum(survival, 0)]}))
    return pd.concat(parts, ignore_index=True)


def _e_value(ratio: float) -> float:
    """E-value of a risk ratio, whichever side of 1 it lies on."""
    ratio = max(ratio, 1 / ratio)
    return ratio + np.sqrt(ratio * (ratio - 1))


def estimate_e_value(hr: float, ci_low: float, ci_high: float, share: float) -> dict:
    """How strong an unmeasured confounder would have to be to explain a hazard ratio away.

    Parameters
    ----------
    hr, ci_low, ci_high : float
        Hazard ratio and its interval.
    share : float
        Share of the patients with the event. Above 15 % the hazard ratio is first turned into a risk ratio,
        (1 - 0.5^sqrt(HR)) / (1 - 0.5^sqrt(1 / HR)).

    Returns
    -------
    dict
        `e_value` (risk ratio that the confounder needs both with treatment and with outcome), `e_value_limit` (the
        same for the limit next to 1; 1 where the interval holds 1). VanderWeele and Ding 2017. R: closed form.
    """

    def risk_ratio(ratio: float) -> float:
        if share < RARE:
            return ratio
        return (1 - 0.5 ** np.sqrt(ratio)) / (1 - 0.5 ** np.sqrt(1 / ratio))

    if not np.isfinite([hr, ci_low, ci_high]).all() or min(hr, ci_low, ci_high) <= 0:
        return {"e_value": np.nan, "e_value_limit": np.nan}
    limit = 1.0 if ci_low <= 1 <= ci_high else ci_high if hr < 1 else ci_low
    return {"e_value": _e_value(risk_ratio(hr)), "e_value_limit": _e_value(risk_ratio(limit))}
