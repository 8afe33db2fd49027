"""What remains of a difference in objective response when other things are held alike: odds ratios, alone and together."""

from __future__ import annotations

__all__ = ["ResponseRegression", "analyse_response_regression"]

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib.analyses.models.covariates import declared_covariates, model_frame
from lib.analyses.models.terms import (
    compared,
    count_arms,
    count_levels,
    count_missing,
    counted_covariates,
    name_terms,
    name_tests,
    weakened,
    why_refused,
)
from lib.analyses.result import Absent, Analysis, requires
from lib.analyses.verdicts import REFUSED, WEAK, Verdict, as_sentence, verdict_frame
from lib.dataset.dataset import Dataset
from lib.dataset.derived import response_frame
from lib.statistics.comparisons import name_pair
from lib.statistics.models.design import make_design, pick_terms
from lib.statistics.multivariable.carried import PENALISED, judge_events
from lib.statistics.multivariable.odds import fit_odds
from lib.study.inference.models import ModelCovariate
from lib.study.parts import own

ABOUT = "response"
ODDS = "How the odds of a response compare as if the arms were alike in these covariates; odds are no shares, and their ratio lies further from 1."
ALONE = "Nothing is concluded: the difference in shares stands alone."


class ResponseRegression(Analysis):
    """Objective response at one visit by arm and covariates; as `Regression`."""

    BEGINS, RATIO = "response_regression_", "odds_ratio"


@requires("lesions", "measurements")
def analyse_response_regression(data: Dataset, visits: Sequence[float]) -> ResponseRegression | Absent:
    """Crude and adjusted odds ratios of objective response at the first visit, of all treated whose visit was due.

    Parameters
    ----------
    data : Dataset
    visits : sequence of float
        Response visits, in the study's time unit; the earliest is modelled.

    Returns
    -------
    ResponseRegression
        As `Regression`, with `response_regression_` before the names and `odds_ratio` in the place of `hr`; `variable`
        begins with "response", `time` is the visit, an event is a response. Strata are covariates here no more than in
        the comparison of shares: they are left out. `Absent` with one arm or without a visit.
    """
    if len(data.arms) < 2:
        return Absent("With one arm no response can be adjusted.", ABOUT)
    if not visits:
        return Absent("This study declares no response visit.", ABOUT)
    visit, declared = min(visits), declared_covariates(data)
    shown = declared or tuple(ModelCovariate(variable=v.id) for v in data.study.baseline)
    # An event at one time is what a model matrix is made of; the rows are those of the patients, in their order.
    found = response_frame(data, visit).set_axis(data.patients.index)
    frame = found[["arm", "response", "responder"]].rename(columns={"responder": "event"}).assign(time=1.0)
    frame = model_frame(data, frame[frame["response"] != "not due"], shown)
    names = [own(c.variable) for c in counted_covariates(data, frame, shown)]
    frame = frame[["arm", "time", "event", *names]].astype({"event": bool})
    frames = _crude(data, frame, names)
    more, verdict, reason = _adjusted(data, frame, names if declared else [])
    named = {f"response_regression_{name}": part.assign(time=visit) for name, part in (frames | more).items()}
    shared = {"modelled": frame, "verdicts": verdict_frame([verdict]), "reason": pd.DataFrame({"reason": [reason] if reason else []})}
    return ResponseRegression(data, ABOUT, named, shared)


def _crude(data: Dataset, frame: pd.DataFrame, names: list[str]) -> dict[str, pd.DataFrame]:
    level, terms, tests, counts = data.parameters.level, [], [], [count_arms(data, frame, ABOUT)]
    for name in [None, *names]:
        design = make_design(frame, data.reference, [name] if name else [])
        alone = pick_terms(design, np.array([(group == "overall") == bool(name) for group in design.groups], dtype=bool))
        counts += [count_levels(frame, name, ABOUT)] if name else []
        if alone.terms:
            fitted = fit_odds(frame, alone, level)
            terms.append(compared(data, frame[design.kept], name_terms(fitted.terms, ABOUT)))
            tests.append(compared(data, frame[design.kept], name_tests(fitted.tests, ABOUT)))
    return {
        "count": pd.concat(counts, ignore_index=True),
        "missing": count_missing(frame, names, ABOUT),
        "crude": pd.concat(terms, ignore_index=True),
        "crude_test": pd.concat(tests, ignore_index=True),
    }


def _adjusted(data: Dataset, frame: pd.DataFrame, names: list[str]) -> tuple[dict[str, pd.DataFrame], Verdict, str]:
    design, level, model = make_design(frame, data.reference, names), data.parameters.level, "Logistic regression, objective response"
    kept = frame[design.kept]
    rarer, n_terms = int(min(kept["event"].sum(), (~kept["event"]).sum())), len(design.terms)
    fit = {"fit": _size(len(kept), len(frame), int(kept["event"].sum()), rarer, n_terms)} if names else {}
    if reason := why_refused(data, frame, design, names, rarer):
        return fit, Verdict(model, REFUSED, as_sentence(reason), ALONE), reason
    fitted = fit_odds(frame, design, level, penalise=judge_events(rarer, n_terms) == PENALISED)
    terms = compared(data, kept, name_terms(fitted.terms, ABOUT))
    contrast = terms[(terms["variable"] == ABOUT) & (terms["group"] == name_pair(*data.contrast))].iloc[0]
    if pd.isna(contrast["odds_ratio"]):
        reason = contrast["note"].partition(": ")[2] or contrast["note"]
        return fit, Verdict(model, REFUSED, as_sentence(reason), ALONE), reason
    same = compared(data, kept, name_terms(fit_odds(kept, make_design(kept, data.reference), level).terms, ABOUT))
    found = {
        "adjusted": terms,
        "adjusted_test": compared(data, kept, name_tests(fitted.tests, ABOUT)),
        "same": same[["variable", "group", "n", "n_events", "odds_ratio", "ci_low", "ci_high", "method", "note"]],
    }
    state, why = weakened(rarer, n_terms, fitted.penalised, len(frame) - len(kept))
    return found | fit, Verdict(model, state, why, f"A direction and not a size. {ODDS}" if state == WEAK else ODDS), ""


def _size(n: int, whole: int, n_events: int, rarer: int, n_terms: int) -> pd.DataFrame:
    """Events per coefficient are those of the rarer answer."""
    row = {"group": "overall", "n": n, "n_missing": whole - n, "n_events": n_events, "df": float(n_terms), "events_per_variable": rarer / n_terms}
    return pd.DataFrame([row]).assign(method="count of patients, responses and coefficients of a regression", note="")
