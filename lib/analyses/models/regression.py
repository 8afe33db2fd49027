"""What remains of a hazard ratio when other things are held alike: one covariate at a time and all together.

How many covariates a model may carry is decided by its events: `lib.statistics.multivariable.carried`.
"""

from __future__ import annotations

__all__ = ["Regression", "analyse_regression"]

import numpy as np
import pandas as pd

from lib.analyses.efficacy.survival import Survival
from lib.analyses.models.covariates import declared_covariates, model_frame
from lib.analyses.models.terms import (
    COEFFICIENT,
    LEFT_OUT,
    STRATUM,
    compared,
    count_arms,
    count_levels,
    count_missing,
    counted_covariates,
    name_terms,
    name_tests,
    stratum,
    weakened,
    why_refused,
)
from lib.analyses.result import Absent, Analysis, absent_if_absent
from lib.analyses.verdicts import FITTED, REFUSED, WEAK, Verdict, as_sentence, verdict_frame
from lib.dataset.dataset import Dataset
from lib.statistics.comparisons import name_pair
from lib.statistics.models.design import Design, make_design, pick_terms
from lib.statistics.multivariable import ratios, subdistribution
from lib.statistics.multivariable.carried import PENALISED, PLAIN, TOO_FEW, judge_events
from lib.study.inference.models import ModelCovariate
from lib.study.parts import own

OUTCOME = ["arm", "time", "event", "cause"]
BY_CHANCE = "How far the comparison depends on chance imbalance in these covariates; the arms were randomised, so the crude comparison stays the answer."
ALIKE = "The arms compared as if alike in these covariates and in nothing else: no effect of treatment, as what was not measured stays."
DIRECTION = "A direction and not a size: with so few events estimates tend to lie too far from 1, in intervals that are too narrow."
DRAWN = "A direction and not a size: the penalty draws estimates towards 1, and so few events leave wide what they mean."
ALONE = "Nothing is concluded: the crude comparison stands alone."
INCIDENCE = "What goes with a higher or lower cumulative incidence while the competing event goes on; no rate among those still at risk."


class Regression(Analysis):
    """An endpoint in time by arm and covariates; its outputs begin with `BEGINS` and estimate `RATIO`."""

    BEGINS, RATIO = "regression_", "hr"


@absent_if_absent
def analyse_regression(data: Dataset, analysis: Survival) -> Regression | Absent:
    """Crude and adjusted hazard ratios of the arms and of each covariate.

    Parameters
    ----------
    data : Dataset
    analysis : Survival
        Of `survival.analyse`.

    Returns
    -------
    Regression
        `variable` is the endpoint (arms), "endpoint: covariate" (a number) or "endpoint: covariate: level".
        `regression_count` (patients and events by arm and level, of those with a known value), `regression_missing`
        (patients without, by covariate), `regression_crude` (each arm against the reference, each covariate alone),
        `regression_crude_test` (all terms of what has several), and where a model is fitted `regression_adjusted`,
        `regression_adjusted_test`, `regression_same` (crude ratios of the patients of the model) and always
        `regression_fit` (n, n_missing, n_events, number and events per coefficient of the model). With a competing event
        `subdistribution_crude` and `subdistribution_adjusted`. Data: `modelled` (the patients, with `own.` columns),
        `verdicts`, `reason` (why there is no adjusted model). `Absent` with one arm.
    """
    if len(data.arms) < 2:
        return Absent("With one arm no comparison can be adjusted.", analysis.variable)
    declared, about = declared_covariates(data), analysis.variable
    shown = declared or tuple(ModelCovariate(variable=v.id) for v in data.study.baseline)
    frame = stratum(data, model_frame(data, analysis["tte"], shown))
    names = [own(c.variable) for c in counted_covariates(data, frame, shown)]
    frame = frame[[*OUTCOME, *names, *([STRATUM] if STRATUM in frame else [])]]
    frames = _crude(data, analysis, frame, names)
    found, verdict, reason = _adjusted(data, frame, names if declared else [], about)
    verdicts = [verdict]
    if (frame["cause"] == 2).any():
        more, second = _subdistribution(data, frame, names if declared else [], about, reason)
        found, verdicts = found | more, [verdict, second]
    shared = {"modelled": frame, "verdicts": verdict_frame(verdicts), "reason": pd.DataFrame({"reason": [reason] if reason else []})}
    return Regression(data, about, frames | found, shared)


def _crude(data: Dataset, analysis: Survival, frame: pd.DataFrame, names: list[str]) -> dict[str, pd.DataFrame]:
    """Who is counted, and every ratio by itself; those of the arms are the ones of the endpoint's own analysis."""
    about, level = analysis.variable, data.parameters.level
    arms = analysis["cox"]
    terms = [arms[arms["group"].isin(_to_reference(data))].drop(columns="term", errors="ignore").assign(variable=about)]
    overall = analysis["cox_likelihood_ratio"][["group", "chisq", "df", "p_value", "method", "note"]]
    # What it says of events per variable is said once, of the adjusted model.
    tests = [overall.assign(variable=about, note=overall["note"].where(overall["p_value"].isna(), ""))]
    counts = [count_arms(data, frame, about)]
    for name in names:
        counts.append(count_levels(frame, name, about))
        design = make_design(frame, data.reference, [name])
        alone = pick_terms(design, np.array([group == "overall" for group in design.groups], dtype=bool))
        if not alone.terms:
            continue
        fitted = ratios.fit_ratios(frame, alone, level)
        terms.append(compared(data, frame[design.kept], name_terms(fitted.terms, about)))
        tests.append(compared(data, frame[design.kept], name_tests(fitted.tests, about)))
    return {
        "regression_count": pd.concat(counts, ignore_index=True),
        "regression_missing": count_missing(frame, names, about),
        "regression_crude": pd.concat(terms, ignore_index=True),
        "regression_crude_test": pd.concat(tests, ignore_index=True),
    }


def _to_reference(data: Dataset) -> list[str]:
    return [name_pair(arm.id, data.reference) for arm in data.arms if arm.id != data.reference]


def _known(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame[STRATUM].notna()] if STRATUM in frame else frame


def _adjusted(data: Dataset, frame: pd.DataFrame, names: list[str], about: str) -> tuple[dict[str, pd.DataFrame], Verdict, str]:
    """The model of arms and covariates, its verdict, and why there is none."""
    known = _known(frame)
    design, level, strata = make_design(known, data.reference, names), data.parameters.level, STRATUM if STRATUM in frame else None
    kept = known[design.kept]
    n_events, n_terms = int(kept["event"].sum()), len(design.terms)
    model = f"Cox regression, {data.study.endpoint(about).short}"
    fit = {"regression_fit": _size(len(kept), len(frame), n_events, n_terms)} if names else {}
    if reason := why_refused(data, known, design, names, n_events):
        return fit, Verdict(model, REFUSED, as_sentence(reason), ALONE), reason
    fitted = ratios.fit_ratios(known, design, level, strata, penalise=judge_events(n_events, n_terms) == PENALISED)
    terms = compared(data, kept, name_terms(fitted.terms, about))
    contrast = terms[(terms["variable"] == about) & (terms["group"] == name_pair(*data.contrast))].iloc[0]
    if pd.isna(contrast["hr"]):
        return fit, Verdict(model, REFUSED, as_sentence(contrast["note"]), ALONE), contrast["note"]
    if strata:
        terms["method"] += ", stratified"
    arms = pick_terms(make_design(kept, data.reference), np.ones(len(data.arms) - 1, dtype=bool))
    same = compared(data, kept, name_terms(ratios.fit_ratios(kept, arms, level).terms, about))
    found = {
        "regression_adjusted": terms,
        "regression_adjusted_test": compared(data, kept, name_tests(fitted.tests, about)),
        "regression_same": same[["variable", "group", "n", "n_events", "hr", "ci_low", "ci_high", "method", "note"]],
    }
    state, why = weakened(n_events, n_terms, fitted.penalised, len(frame) - len(kept))
    return found | fit, Verdict(model, state, why, _concluded(data, state, fitted.penalised)), ""


def _size(n: int, whole: int, n_events: int, n_terms: int) -> pd.DataFrame:
    row = {"group": "overall", "n": n, "n_missing": whole - n, "n_events": n_events, "df": float(n_terms), "events_per_variable": n_events / n_terms}
    return pd.DataFrame([row]).assign(method="count of patients, events and coefficients of a regression", note="")


def _concluded(data: Dataset, state: str, penalised: bool) -> str:
    if state == WEAK:
        return DRAWN if penalised else DIRECTION
    return BY_CHANCE if data.study.by_design.by_chance else ALIKE


def _subdistribution(
    data: Dataset, frame: pd.DataFrame, names: list[str], about: str, refused: str
) -> tuple[dict[str, pd.DataFrame], Verdict]:
    """Fine and Gray's model: the arms alone, and with the covariates where the events carry them without a penalty."""
    level, model = data.parameters.level, f"Fine-Gray model, {data.study.endpoint(about).short}"
    crude = _ratios(data, frame, [], level, about)
    found = {"subdistribution_crude": crude}
    design: Design = make_design(frame, data.reference, names)
    kept = frame[design.kept]
    n_events = int(kept["event"].sum())
    verdict = judge_events(n_events, len(design.terms))
    reason = refused or (f"{COEFFICIENT[verdict]}, and this model has no form with a penalty" if verdict in (PENALISED, TOO_FEW) else "")
    if not reason:
        adjusted = _ratios(data, frame, names, level, about)
        reason = "; ".join(dict.fromkeys(note for note in adjusted["note"] if note)) if adjusted["hr"].isna().any() else ""
        found |= {} if reason else {"subdistribution_adjusted": adjusted}
    if reason:
        arms_alone = crude["hr"].notna().any()
        why = f"Adjusted: {reason}." if arms_alone else as_sentence(crude["note"].iat[0])
        return found, Verdict(model, WEAK if arms_alone else REFUSED, why, f"{INCIDENCE} The arms are not adjusted." if arms_alone else ALONE)
    weak = f"{COEFFICIENT[verdict].capitalize()}." if verdict != PLAIN else ""
    left = LEFT_OUT if len(kept) < len(frame) else ""
    return found, Verdict(model, WEAK if weak else FITTED, " ".join(filter(None, (weak, left))), f"A direction and not a size. {INCIDENCE}" if weak else INCIDENCE)


def _ratios(data: Dataset, frame: pd.DataFrame, names: list[str], level: float, about: str) -> pd.DataFrame:
    found = subdistribution.estimate_subdistribution(frame, data.reference, names, level)
    kept = frame[frame[names].notna().all(axis=1)]
    return compared(data, kept, name_terms(found, about))
