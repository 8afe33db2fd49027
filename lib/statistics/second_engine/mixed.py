"""Mixed models a second time: statsmodels' restricted likelihood, taken to the root of its slope.

statsmodels' own search stops at five digits of a variance; its likelihood does not. Part of the self-check; calls
nothing of `mixed` or `reml`. Satterthwaite's degrees of freedom have no second engine.
"""

from __future__ import annotations

__all__ = ["ENGINE", "Fitted", "fit", "half_width", "two_sided"]

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import statsmodels
from scipy import optimize, stats
from statsmodels.regression.mixed_linear_model import MixedLM, MixedLMParams, VCSpec

ENGINE = f"statsmodels {statsmodels.__version__}"
# A variance that is a smaller part of that within is at the edge of what there is, where the slope is not zero.
LEAST = 1e-6
# Slopes below this are zero: an estimate is off by less than the eighth digit.
FLAT = 1e-8


def half_width(error: float, df: float, level: float) -> float:
    """How far an interval by t reaches to either side."""
    return float(stats.t.isf((1 - level) / 2, df)) * error


def two_sided(t: float, df: float) -> float:
    """Two-sided p-value of a t statistic."""
    return 2 * float(stats.t.sf(abs(t), df))


@dataclass(frozen=True)
class Fitted:
    """Means of the logarithm per (arm, visit), their covariance, the variances, and the restricted log-likelihood."""

    cells: list[tuple]
    means: np.ndarray
    covariance: np.ndarray
    variances: dict[str, float]
    loglik: float

    def contrast(self, weights: dict[tuple, float]) -> tuple[float, float]:
        """Estimate and standard error of a weighted sum of means."""
        w = np.array([weights.get(cell, 0.0) for cell in self.cells])
        return float(w @ self.means), float(np.sqrt(w @ self.covariance @ w))


def fit(samples: pd.DataFrame, visit: str, within: str | None = None) -> Fitted | None:
    """Fit log(value) by arm and visit with an intercept per patient, and per lesion (`within`) in it.

    Parameters
    ----------
    samples : DataFrame, one row per value: `patient_id`, `arm`, `value` (> 0 or missing), `visit`, and `within`
    visit : str
    within : str, optional

    Returns
    -------
    Fitted or None
        None where a variance is estimated as zero, or the search fails.
    """
    known = samples[samples["value"].notna()]
    places = list(zip(known["arm"].astype(str), known[visit].astype(float), strict=True))
    cells = sorted(set(places))
    design = np.array([[float(place == cell) for cell in cells] for place in places])
    logs, patients = np.log(known["value"].to_numpy(dtype=float)), known["patient_id"].to_numpy()
    lesions = None if within is None else known[within].to_numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on its way it says where a matrix is close to singular
        nested = {} if lesions is None else {"exog_vc": _members(patients, lesions)}
        model = MixedLM(logs, design, groups=patients, exog_re=np.ones((len(logs), 1)), **nested)
        ratios = _highest(model)
        if ratios is None:
            return None
        means, _ = model.get_fe_params(*_split(ratios))
        within_ = float(model.get_scale(means, *_split(ratios)))
        loglik = float(model.loglike(_parameters(model, ratios)))
    names = ("var_between", "var_lesions")[: len(ratios)]
    variances = {name: float(ratio * within_) for name, ratio in zip(names, ratios, strict=True)} | {"var_within": within_}
    return Fitted(cells, means, _covariance(design, patients, lesions, variances), variances, loglik)


def _covariance(design: np.ndarray, patients: np.ndarray, lesions: np.ndarray | None, variances: dict) -> np.ndarray:
    """Of the means: the inverse of X' V^-1 X, patient by patient (statsmodels takes that of the whole Hessian)."""
    total = 0.0
    for patient in np.unique(patients):
        own = patients == patient
        v = variances["var_between"] + variances["var_within"] * np.eye(own.sum())
        if lesions is not None:
            v += variances["var_lesions"] * (lesions[own][:, None] == lesions[own][None, :])
        total = total + design[own].T @ np.linalg.solve(v, design[own])
    return np.linalg.inv(total)


def _members(patients: np.ndarray, lesions: np.ndarray) -> VCSpec:
    """Which values of each patient belong to which lesion."""
    columns, matrices = [], []
    for patient in np.unique(patients):
        own = lesions[patients == patient]
        columns.append([str(lesion) for lesion in np.unique(own)])
        matrices.append((own[:, None] == np.unique(own)[None, :]).astype(float))
    return VCSpec(["lesion"], [columns], [matrices])


def _split(ratios: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.array([[ratios[0]]]), ratios[1:]


def _parameters(model: MixedLM, ratios: np.ndarray) -> MixedLMParams:
    cov_re, vcomp = _split(ratios)
    return MixedLMParams.from_components(fe_params=np.zeros(model.k_fe), cov_re=cov_re, vcomp=vcomp)


def _highest(model: MixedLM) -> np.ndarray | None:
    """Variances over that within at the highest restricted likelihood; None where that is at the edge."""
    def slopes(logs: np.ndarray) -> np.ndarray:
        ratios = np.exp(logs)
        at = _parameters(model, ratios)
        at.fe_params, _ = model.get_fe_params(*_split(ratios))
        _, by_patient, by_lesion = model.score_full(at, calc_fe=False)
        return ratios * np.concatenate([by_patient, by_lesion])

    try:
        near = model.fit(reml=True, method="lbfgs")
        start = np.concatenate([np.diag(near.cov_re), np.atleast_1d(near.vcomp)]) / near.scale
        if not start.min() > LEAST:
            return None
        found = optimize.root(slopes, np.log(start), tol=1e-12)
    except (ValueError, np.linalg.LinAlgError):  # hardly more values than means, or a step to where nothing can be inverted
        return None
    ratios = np.exp(found.x)
    # Where rounding ends the search before the last digit that was asked for, it says that it has failed; where a variance
    # goes to zero the slopes do, too, and nothing is found.
    at_rest = np.abs(found.fun).max() < FLAT and ratios.min() > LEAST
    return ratios if found.success or at_rest else None
