"""Cox regression (Efron ties): hazard ratios between arms, overall tests, proportional hazards, weights."""

from __future__ import annotations

__all__ = [
    "NO_INFORMATION", "CoxModel", "RobustFit", "against_change", "check_proportional_hazards", "estimate_cox", "estimate_weighted_cox",
    "fit_robust", "km_scale", "wald_terms",
]  # fmt: skip

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from lib.statistics.models.concordance import concordance, concordance_of_patterns
from lib.statistics.models.design import Design, make_design, pick_terms
from lib.statistics.models.firth import ESTIMATES, as_ratio, estimate_penalised, leave_out_quiet
from lib.statistics.models.partial_likelihood import CountedSets, Fit, RiskSets, fit_cox, sum_rows
from lib.statistics.survival.event_table import OVERALL

# Peduzzi et al., J Clin Epidemiol 1995;48:1503-1510
EVENTS_PER_VARIABLE = 10
# Of the events: scores that spread by less are rounding
ROUNDING = 1e-12
TERM_COLUMNS = ["term", "group", *ESTIMATES]
NO_INFORMATION = "not estimable: no event while patients of both groups (or with different values) are at risk"


@dataclass(frozen=True)
class CoxModel:
    """Result of `estimate_cox`.

    Attributes
    ----------
    terms : DataFrame, one row per term
        `term`, `group`, `n`, `n_events`, `coef`, `std_err`, `hr`, `ci_low`, `ci_high`, `statistic`, `p_value`,
        `method`, `note`.
    overall : DataFrame, one row per test (likelihood ratio, Wald, score)
        `group`, `test`, `chisq`, `df`, `p_value`, `n`, `n_events`, `events_per_variable`, `concordance`, `method`,
        `note`.
    """

    terms: pd.DataFrame
    overall: pd.DataFrame


def wald_terms(design: Design, beta: np.ndarray, covariance: np.ndarray, level: float) -> pd.DataFrame:
    """Hazard ratios with Wald intervals, from coefficients and covariance on the scale of the design."""
    coef, std_err = beta / design.scale, np.sqrt(np.diag(covariance)) / design.scale
    reach = stats.norm.ppf(0.5 + level / 2) * std_err
    z = coef / std_err
    values = (design.terms, design.groups, coef, std_err, as_ratio(coef), as_ratio(coef - reach), as_ratio(coef + reach),
              z, 2 * stats.norm.sf(np.abs(z)))  # fmt: skip
    return pd.DataFrame(dict(zip(TERM_COLUMNS, values, strict=True)))


def _quiet_events(tte: pd.DataFrame, design: Design) -> str:
    """Say why the fit separates: the arms without an event, else the covariates."""
    counts = tte[design.kept].groupby("arm", observed=True)["event"].sum()
    empty = [str(arm) for arm, n in counts.items() if n == 0]
    if empty:
        return f"no event in {', '.join(empty)}"
    crude = all(term.startswith("arm=") for term in design.terms)
    return "the events of one arm precede all others" if crude else "the covariates separate events from non-events"


def _terms(tte: pd.DataFrame, design: Design, fit: Fit, level: float, strata: str | None) -> pd.DataFrame:
    method = f"Cox regression (Efron ties), Wald {level:.0%} interval"
    chosen = pick_terms(design, fit.estimable)
    if not fit.estimable.any():
        found = pd.DataFrame(columns=[*TERM_COLUMNS, "method", "note"])
    elif fit.separated:
        found = estimate_penalised(tte, chosen, level, strata)
        switched = f"{_quiet_events(tte, design)}, so Firth's penalised Cox regression is used for all terms"
        found["note"] = [f"{switched}; {note}" if note else switched for note in found["note"]]
    else:
        covariance = np.linalg.inv(fit.best.information)
        found = wald_terms(chosen, fit.beta[fit.estimable], covariance, level).assign(method=method, note="")
    every = pd.DataFrame({"term": design.terms, "group": design.groups})
    terms = every.merge(found, on=["term", "group"], how="left", sort=False) if len(found) else every.reindex(
        columns=[*TERM_COLUMNS, "method", "note"])  # fmt: skip
    terms["method"], terms["note"] = terms["method"].fillna(method), terms["note"].fillna(NO_INFORMATION)
    terms.loc[~fit.known, [*TERM_COLUMNS[2:], "note"]] = [np.nan] * len(TERM_COLUMNS[2:]) + [NO_INFORMATION]
    left_out = len(tte) - int(design.kept.sum())
    if left_out:
        text = f"{left_out} patient{' with a missing covariate is' if left_out == 1 else 's with a missing covariate are'} left out"
        terms["note"] = terms["note"].map(lambda note: f"{note}; {text}" if note else text)
    terms.insert(2, "n", int(design.kept.sum()))
    terms.insert(3, "n_events", int(tte["event"].to_numpy()[design.kept].sum()))
    return terms


def _overall_tests(fit: Fit) -> dict[str, float]:
    """Chi-square of the likelihood-ratio, Wald and score test of all terms together."""
    beta = fit.beta[fit.estimable]
    wald = np.nan if fit.separated else beta @ fit.best.information @ beta
    return {
        "likelihood ratio": 2 * (fit.best.loglik - fit.null.loglik),
        "Wald": wald,
        "score": fit.null.score @ np.linalg.solve(fit.null.information, fit.null.score),
    }


def _overall(tte: pd.DataFrame, design: Design, fit: Fit, harrell: float) -> pd.DataFrame:
    df, n_events = int(fit.estimable.sum()), int(tte["event"].to_numpy()[design.kept].sum())
    per_variable = n_events / (df or len(design.terms)) if design.terms else np.nan
    note = NO_INFORMATION if not df else ""
    if df and per_variable < EVENTS_PER_VARIABLE:
        note = f"only {per_variable:.1f} events per variable (fewer than {EVENTS_PER_VARIABLE}): estimates are unstable"
    chisq = _overall_tests(fit) if df else dict.fromkeys(("likelihood ratio", "Wald", "score"), np.nan)
    found = pd.DataFrame({"group": OVERALL, "test": list(chisq), "chisq": list(chisq.values())})
    found["df"] = float(df) if df else np.nan
    found["p_value"] = stats.chi2.sf(found["chisq"], df) if df else np.nan
    found = found.assign(n=int(design.kept.sum()), n_events=n_events, events_per_variable=per_variable,
                         concordance=harrell, method="Cox regression (Efron ties)", note=note)  # fmt: skip
    if fit.separated and df:
        found.loc[found["test"] == "Wald", "note"] = "not estimable: a hazard ratio is 0 or infinite without penalty"
    return found


def estimate_cox(
    tte: pd.DataFrame,
    reference: str,
    covariates: Sequence[str] = (),
    level: float = 0.95,
    strata: str | None = None,
) -> CoxModel:
    """Hazard ratios against the reference arm, crude or adjusted.

    Parameters
    ----------
    tte : DataFrame, one row per patient
        `arm`, `time`, `event` (True = event), and the columns named by `covariates` and `strata`.
    reference : str
        Arm that the others are compared with.
    covariates : sequence of str
        Numeric columns enter as they are, others as indicators; patients with a missing one are left out and counted.
    level : float
        Confidence level.
    strata : str, optional
        Column whose levels have their own baseline hazard.

    Returns
    -------
    CoxModel
        Frames `terms` and `overall`. `coef` > 0 or `hr` > 1: more events than with the reference. Where an arm has no
        event, or the covariates separate, all terms come from `estimate_firth`, and `note` says so; the
        likelihood-ratio test is then the limit that the unpenalised likelihood approaches, and Wald's does not exist.
        Two arms without any event have no hazard ratio.

    Raises
    ------
    ValueError
        For an unknown reference or covariate.

    Notes
    -----
    R: ``coxph(Surv(time, event) ~ arm + x + strata(s), ties = "efron")``, with ``fit$wald.test`` (summary's Wald
    statistic is rounded to two decimals). Overall p values do not depend on the reference. lifelines' default
    precision is too coarse for 1e-6 (1.4e-4 off).
    """
    design = make_design(tte, reference, covariates)
    fit, sets = fit_cox(tte, design, strata, None)
    terms = _terms(tte, design, fit, level, strata)
    coef = np.nan_to_num(terms["coef"].to_numpy(dtype=float))
    if isinstance(sets, CountedSets):
        harrell = concordance_of_patterns(sets.patterns @ (coef * design.scale)[fit.estimable], sets.risk_by, sets.events_by)
    else:
        rows = tte.loc[design.kept, ["time", "event", *([strata] if strata else [])]]
        harrell = concordance(rows, coef @ (design.x * design.scale).T, strata)
    # Only now: the concordance asks for the risk of every arm.
    return CoxModel(leave_out_quiet(terms, tte, design), _overall(tte, design, fit, harrell))


def check_proportional_hazards(
    tte: pd.DataFrame, reference: str, covariates: Sequence[str] = (), strata: str | None = None
) -> pd.DataFrame:
    """Test whether hazard ratios change over time (score test against 1 - Kaplan-Meier).

    Parameters as in `estimate_cox`.

    Returns
    -------
    DataFrame, one row per term and a last one for all together, group ``overall``
        `term` (last: ``global``), `group`, `chisq`, `df`, `p_value` (small = not proportional), `method`, `note`.

    Notes
    -----
    R: ``cox.zph(fit, transform = "km", terms = FALSE)`` of survival >= 3.0: beta(t) = b + theta g(t) with g centred
    over the events; U2 and I22 - I21 I11^-1 I12 at theta = 0 (Grambsch and Therneau, Biometrika 1994;81:515-526).
    lifelines' proportional_hazard_test is another statistic.
    """
    design = make_design(tte, reference, covariates)
    fit, sets = fit_cox(tte, design, strata, None)
    found = pd.DataFrame({"term": [*design.terms, "global"], "group": [*design.groups, OVERALL]})
    found = found.assign(chisq=np.nan, df=np.nan, p_value=np.nan, note=NO_INFORMATION,
                         method="score test of hazard ratios that change with 1 - Kaplan-Meier")  # fmt: skip
    if not design.terms:
        return found.iloc[:0]
    if fit.separated:
        return found.assign(note=f"not estimable: {_quiet_events(tte, design)}")
    if fit.estimable.any():
        score, against, squared = against_change(fit, sets)
        rows = np.flatnonzero([*fit.estimable, False])
        known = np.diag(against) > 1e-9 * np.diag(squared)
        found.loc[rows[known], "chisq"] = score[known] ** 2 / np.diag(against)[known]
        found.loc[rows[known], "df"] = 1.0
        if known.all() and np.linalg.matrix_rank(against, hermitian=True) == len(against):
            found.loc[found.index[-1], "chisq"] = score @ np.linalg.solve(against, score)
            found.loc[found.index[-1], "df"] = float(len(score))
        found.loc[np.flatnonzero(~fit.known), ["chisq", "df"]] = np.nan
        found["p_value"] = stats.chi2.sf(found["chisq"], found["df"])
        found.loc[found["chisq"].notna(), "note"] = ""
    return found


def against_change(fit: Fit, sets: RiskSets) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Score of coefficients that change with `km_scale`, its information beyond the fitted ones', and before that."""
    beta, g = fit.beta[fit.estimable], km_scale(sets)
    mixed, squared = sets.derivatives(beta, g, 1), sets.derivatives(beta, g, 2).information
    return mixed.score, squared - mixed.information @ np.linalg.solve(fit.best.information, mixed.information), squared


def km_scale(sets: RiskSets) -> np.ndarray:
    """1 - S(t-) of each block by the Kaplan-Meier curve of all patients, centred over the events."""
    d = sum_rows(sets.events, sets.starts)
    events = np.bincount(sets.block_time, d)
    leaving = np.bincount(sets.block_time, sum_rows(sets.count, sets.starts))
    at_risk = leaving[::-1].cumsum()[::-1]
    gone = 1 - np.concatenate([[1.0], np.cumprod(1 - events / at_risk)[:-1]])[sets.block_time]
    return gone - gone @ d / d.sum()


def _score_residuals(sets: RiskSets, beta: np.ndarray) -> np.ndarray:
    """Contribution of each row (one patient) to the score at beta, shape (r, p); Efron's ties included.

    What the patient's event adds, less what was expected of him over the time he was at risk; for his own event he
    counts with 1 minus Efron's share only (Therneau and Grambsch 2000, section 4.2; R: residuals(fit, "score")).
    """
    _, risk = sets.risks(beta)
    total, mean = sets.term_means(risk)
    hazard = sets.term_weight / total
    ties = np.maximum(sets.per_block(sets.term_count), 1)
    own_mean = (sets.per_block(sets.term_count[:, None] * mean) / ties[:, None])[sets.block]
    tied_hazard = sets.per_block(hazard * sets.term_share)[sets.block]
    tied_mean = sets.per_block((hazard * sets.term_share)[:, None] * mean)[sets.block]
    events = sets.events[:, None]
    at_risk = sets.so_far(sets.per_block(hazard))[sets.block] - sets.events * tied_hazard
    expected = sets.x * at_risk[:, None] - sets.so_far(sets.per_block(hazard[:, None] * mean))[sets.block]
    return events * (sets.x - own_mean) - risk[:, None] * (expected + events * tied_mean)


def estimate_weighted_cox(
    tte: pd.DataFrame,
    reference: str,
    weights: str = "weight",
    covariates: Sequence[str] = (),
    *,
    level: float = 0.95,
    cluster: str | None = None,
) -> pd.DataFrame:
    """Hazard ratios in a weighted cohort, with the robust (sandwich) variance.

    Parameters
    ----------
    tte, reference, covariates, level
        As in `estimate_cox`.
    weights : str
        Column with a weight > 0 for each patient.
    cluster : str, optional
        Column of rows that belong together (default: every row for itself).

    Returns
    -------
    DataFrame, one row per term
        As `CoxModel.terms`; `std_err` is robust, `naive_std_err` is not. NaN where an arm has no event: there is no
        penalised fit with weights here.

    Raises
    ------
    ValueError
        If a weight is missing, not finite or not positive.

    Notes
    -----
    R: ``coxph(Surv(time, event) ~ arm, weights = w, robust = TRUE, cluster = id)``. Lin and Wei, JASA 1989;84:1074.
    lifelines' robust variance differs by 2e-4 when events are tied.
    """
    terms = fit_robust(tte, reference, weights, covariates, level=level, cluster=cluster).terms
    return terms.assign(method=f"weighted Cox regression (Efron ties), robust Wald {level:.0%} interval")


class RobustFit(NamedTuple):
    """Terms with robust standard errors, and chi-square and degrees of freedom of the robust score test of all terms."""

    terms: pd.DataFrame
    score: float
    df: int


def fit_robust(tte: pd.DataFrame, reference: str, weights: str, covariates: Sequence[str] = (), *, level: float = 0.95, cluster: str | None = None) -> RobustFit:
    """The terms of `estimate_weighted_cox`, whose parameters these are, and the robust score test of all of them."""
    if not (np.isfinite(tte[weights].to_numpy(dtype=float)) & (tte[weights] > 0)).all():
        raise ValueError(f"{weights} must be a finite weight > 0 for every patient")
    design = make_design(tte, reference, covariates)
    fit, sets = fit_cox(tte, design, None, weights)
    sizes = {"n": int(design.kept.sum()), "n_events": int(tte["event"].to_numpy()[design.kept].sum())}
    every = pd.DataFrame({"term": design.terms, "group": design.groups}).assign(**sizes)
    names = [*TERM_COLUMNS[2:], "naive_std_err"]
    codes = np.arange(len(sets.order)) if cluster is None else pd.factorize(tte.loc[design.kept, cluster])[0][sets.order]

    def grouped(beta: np.ndarray) -> np.ndarray:
        residuals = sets.weight[:, None] * _score_residuals(sets, beta)
        return np.column_stack([np.bincount(codes, column) for column in residuals.T]) if residuals.size else residuals

    score = _robust_score(grouped(np.zeros(int(fit.estimable.sum()))), float(sets.weight @ sets.events))
    if fit.separated or not fit.estimable.any():
        why = f"not estimable: {_quiet_events(tte, design)}" if fit.separated else NO_INFORMATION
        return RobustFit(every.reindex(columns=[*every.columns, *names]).assign(note=why), *score)
    beta, naive = fit.beta[fit.estimable], np.linalg.inv(fit.best.information)
    influence = grouped(beta) @ naive
    chosen = pick_terms(design, fit.estimable)
    found = wald_terms(chosen, beta, influence.T @ influence, level).drop(columns="group")
    found["naive_std_err"] = np.sqrt(np.diag(naive)) / chosen.scale
    terms = every.merge(found, on="term", how="left", sort=False)
    terms.loc[~fit.known, names] = np.nan
    return RobustFit(terms.assign(note=np.where(terms["coef"].isna(), NO_INFORMATION, "")), *score)


def _robust_score(residuals: np.ndarray, events: float) -> tuple[float, int]:
    """Chi-square of the sum of independent scores at 0, shape (clusters, p), against their own spread; NaN of too few."""
    spread, p = residuals.T @ residuals, residuals.shape[1]
    rounding = np.sqrt(np.diag(spread)) <= ROUNDING * events  # columns have sd 1
    if not p or rounding.any() or np.linalg.matrix_rank(spread, hermitian=True) < p:
        return np.nan, p
    return float(residuals.sum(axis=0) @ np.linalg.solve(spread, residuals.sum(axis=0))), p
