"""Cox regression with Firth's penalty: finite hazard ratios where an arm has no event or the data separate."""

from __future__ import annotations

__all__ = ["ESTIMATES", "as_ratio", "compare_penalised", "estimate_firth", "estimate_penalised", "leave_out_quiet"]

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import optimize, stats

from lib.statistics.models.design import Design, make_design, without_event
from lib.statistics.models.partial_likelihood import CountedSets, Derivatives, RiskSets, make_risk_sets

ESTIMATES = ["coef", "std_err", "hr", "ci_low", "ci_high", "statistic", "p_value"]

# largest move of a coefficient (in standard deviations of its column) within one iteration
MAX_STEP = 2.0
# Beyond a coefficient of 25 (a hazard ratio of 7e10), or an information this close to singular, rounding decides
MAX_COEF, MIN_EIGENVALUE = 25.0, 1e-11
# Beyond it no ratio is a number: of a step that is far larger than the values differ by.
MAX_EXPONENT = 700.0
# imaginary step: so small that it leaves the real part untouched (Squire and Trapp, SIAM Rev 1998;40:110-112)
STEP = 1e-30
# The penalty alone would decide, and answer 1 whatever the treatments do.
NO_EVENT = "not estimable: no event in either arm"


def as_ratio(coef: np.ndarray) -> np.ndarray:
    """Exponential of coefficients, NaN where it is no number."""
    return np.exp(np.where(np.abs(coef) < MAX_EXPONENT, coef, np.nan))


def _penalised(sets: RiskSets, beta: np.ndarray) -> tuple[float, Derivatives]:
    """Log partial likelihood plus half the log determinant of the information (-inf where that is singular)."""
    at = sets.derivatives(beta)
    eigenvalues = np.linalg.eigvalsh(at.information)
    usable = eigenvalues.min() > MIN_EIGENVALUE * max(1.0, eigenvalues.max())
    return (at.loglik + np.log(eigenvalues).sum() / 2 if usable else -np.inf), at


def _gradient(sets: RiskSets, beta: np.ndarray, at: Derivatives) -> np.ndarray:
    """Score plus the penalty's gradient, tr(I^-1 dI / d beta) / 2.

    From the third moments of the risk sets (Breslow ties), which are sums over time; of counted patients by complex-step
    derivatives of the information.
    """
    inverse = np.linalg.inv(at.information)
    if isinstance(sets, CountedSets):
        slopes = [sets.derivatives(beta + STEP * 1j * unit).information.imag / STEP for unit in np.eye(len(beta))]
        return at.score + np.array([np.sum(inverse * slope) for slope in slopes]) / 2
    _, risk = sets.risks(beta)
    pairs = np.triu_indices(len(beta))
    spread = ((sets.x @ inverse) * sets.x).sum(axis=1)
    moments = [np.ones(len(risk)), spread, sets.x, spread[:, None] * sets.x, sets.x[:, pairs[0]] * sets.x[:, pairs[1]]]
    mass = (sets.weight * sets.count * risk)[:, None] * np.column_stack(moments)
    sums = sets.at_risk(mass)[sets.term_block]
    sums = sums[:, 1:] / sums[:, :1]
    p = len(beta)
    mean, squares = sums[:, 1 : p + 1], np.empty((len(sums), p, p))
    squares[:, pairs[0], pairs[1]] = squares[:, pairs[1], pairs[0]] = sums[:, 2 * p + 1 :]
    turned = mean @ inverse
    middle = (turned * mean).sum(axis=1)
    third = sums[:, p + 1 : 2 * p + 1] - 2 * np.einsum("tkj,tj->tk", squares, turned) + (2 * middle - sums[:, 0])[:, None] * mean
    return at.score + sets.term_weight @ third / 2


def _maximise(sets: RiskSets, beta: np.ndarray, free: np.ndarray) -> tuple[np.ndarray, float]:
    """Maximise the penalised likelihood over the free coefficients by BFGS that starts from the information."""
    value, at = _penalised(sets, beta)
    if not np.isfinite(value) or not free.any():
        return beta, value
    gradient, inverse = _gradient(sets, beta, at)[free], np.linalg.inv(at.information[np.ix_(free, free)])
    for _ in range(200):
        step = np.zeros_like(beta)
        step[free] = inverse @ gradient
        if np.abs(step).max() < 1e-10:
            break
        step /= max(1.0, np.abs(step).max() / MAX_STEP)
        noise = 1e-12 * (1 + abs(value))
        while (trial := _penalised(sets, beta + step))[0] < value - noise and np.abs(step).max() > 1e-13:
            step = step / 2
        beta, (value, at) = beta + step, trial
        turned = gradient - (gradient := _gradient(sets, beta, at)[free])
        moved = step[free]
        if moved @ turned > 0:
            project = np.eye(len(moved)) - np.outer(moved, turned) / (moved @ turned)
            inverse = project @ inverse @ project.T + np.outer(moved, moved) / (moved @ turned)
    return beta, value


def _profile_limit(sets: RiskSets, peak: tuple[np.ndarray, float], j: int, reach: float, cut: float) -> float:
    """Coefficient j at which twice the profile penalised log likelihood has fallen by `cut` below its peak."""
    beta, best = peak
    free, state = np.arange(len(beta)) != j, {"beta": beta}

    def excess(value: float) -> float:
        for start in (state["beta"], beta):
            found, profile = _maximise(sets, np.where(free, start, value), free)
            if np.isfinite(profile):
                state["beta"] = found
                return np.sqrt(max(2 * (best - profile), 0.0)) - np.sqrt(cut)  # nearly linear, so quickly solved
        return np.nan

    near, far = beta[j], beta[j] + reach
    while not (height := excess(far)) > 0:
        near, far = far, far + (far - beta[j])
        if np.isnan(height) or abs(far) > MAX_COEF:
            return np.nan
    return float(optimize.brentq(excess, near, far, xtol=1e-9, rtol=1e-11))


def fit_firth(sets: RiskSets, level: float) -> dict[str, np.ndarray | float]:
    """Penalised coefficients with profile limits and likelihood-ratio p values, on the scale of the design."""
    p = sets.x.shape[1]
    everything, zero = np.ones(p, bool), np.zeros(p)
    beta, best = _maximise(sets, zero, everything)
    std_err = np.sqrt(np.diag(np.linalg.inv(sets.derivatives(beta).information)))
    cut = stats.chi2.ppf(level, 1)
    reach = np.sqrt(cut) * std_err
    low, high = (
        np.array([_profile_limit(sets, (beta, best), j, sign * reach[j], cut) for j in range(p)]) for sign in (-1, 1)
    )
    fixed = [_maximise(sets, np.where(np.arange(p) == j, 0.0, beta), np.arange(p) != j)[1] for j in range(p)]
    drops = np.where(np.isfinite(fixed), 2 * (best - np.array(fixed)), np.nan)
    return {"beta": beta, "std_err": std_err, "low": low, "high": high, "chisq": np.maximum(drops, 0),
            "overall": 2 * (best - _penalised(sets, zero)[0])}  # fmt: skip


def estimate_firth(
    tte: pd.DataFrame, reference: str, covariates: Sequence[str] = (), level: float = 0.95, strata: str | None = None
) -> pd.DataFrame:
    """Hazard ratios by Cox regression with Firth's penalty and profile-likelihood intervals.

    Parameters
    ----------
    tte : DataFrame, one row per patient
        `arm`, `time`, `event`, and the columns named by `covariates` and `strata`.
    reference : str
        Arm that the others are compared with.
    covariates : sequence of str
        Numeric columns as they are, others as indicators.
    level : float
        Confidence level.
    strata : str, optional
        Column whose levels have their own baseline hazard.

    Returns
    -------
    DataFrame, one row per term
        `term`, `group`, `coef` (log hazard ratio; > 0 = more events), `std_err`, `hr`, `ci_low`, `ci_high` (of the
        hazard ratio; NaN = beyond e^25), `statistic` (penalised likelihood ratio, chi-square with 1 df), `p_value`,
        `method`, `note`. NaN between two arms without any event.

    Notes
    -----
    Ties by Breslow, as in R: ``coxphf::coxphf(Surv(time, event) ~ arm, pl = TRUE, maxit = 2000)``. Heinze and
    Schemper, Biometrics 2001;57:114-119.
    """
    design = make_design(tte, reference, covariates)
    return leave_out_quiet(estimate_penalised(tte, design, level, strata), tte, design)


def leave_out_quiet(terms: pd.DataFrame, tte: pd.DataFrame, design: Design) -> pd.DataFrame:
    """Leave no hazard ratio between two arms without any event."""
    quiet, terms = without_event(tte, design), terms.copy()
    terms.loc[quiet, ESTIMATES] = np.nan
    terms.loc[quiet, "note"] = NO_EVENT
    return terms


def estimate_penalised(tte: pd.DataFrame, design: Design, level: float, strata: str | None) -> pd.DataFrame:
    """Every term of a design, as `estimate_firth`: two arms without any event too, which the penalty holds together."""
    sets = make_risk_sets(tte, design, strata, ties="breslow")
    columns = ["term", "group", *ESTIMATES]
    method = f"Cox regression with Firth's penalty (Breslow ties), profile-likelihood {level:.0%} interval"
    if not design.terms:
        return pd.DataFrame(columns=columns).assign(method=method, note="")
    null = sets.derivatives(np.zeros(len(design.terms))).information
    if np.linalg.matrix_rank(null, tol=1e-9 * max(1.0, np.trace(null)), hermitian=True) < len(null):
        blank = pd.DataFrame({"term": design.terms, "group": design.groups}).reindex(columns=columns)
        return blank.assign(method=method, note="not estimable: too few events for these terms")
    fit = fit_firth(sets, level)
    coef, std_err = fit["beta"] / design.scale, fit["std_err"] / design.scale
    low, high = fit["low"] / design.scale, fit["high"] / design.scale
    p_value = stats.chi2.sf(fit["chisq"], 1)
    ratios = (as_ratio(coef), as_ratio(low), as_ratio(high))
    values = (design.terms, design.groups, coef, std_err, *ratios, fit["chisq"], p_value)
    found = pd.DataFrame(dict(zip(columns, values, strict=True)))
    beyond = found[["hr", "ci_low", "ci_high", "p_value"]].isna().any(axis=1)
    return found.assign(method=method, note=np.where(beyond, "a limit or p value lies beyond what can be computed", ""))


def compare_penalised(tte: pd.DataFrame, design: Design, several: Mapping[str, Sequence[int]], strata: str | None) -> dict[str, float]:
    """Twice the fall of the penalised log likelihood as the columns of each variable are held at 0.

    Parameters
    ----------
    tte, design, strata
        As `estimate_penalised`.
    several : mapping of str to sequence of int
        Columns of each variable.

    Returns
    -------
    dict of str to float
        Chi-square by variable, NaN where there is none. R: ``coxphf::coxphftest(..., test = ~ x)``.
    """
    sets, p = make_risk_sets(tte, design, strata, ties="breslow"), len(design.terms)
    beta, best = _maximise(sets, np.zeros(p), np.ones(p, bool))
    held = {name: np.isin(np.arange(p), columns) for name, columns in several.items()}
    falls = {name: best - _maximise(sets, np.where(at_zero, 0.0, beta), ~at_zero)[1] for name, at_zero in held.items()}
    return {name: max(2 * fall, 0.0) if np.isfinite(fall) else np.nan for name, fall in falls.items()}
