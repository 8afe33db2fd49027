"""Does the model of an endpoint fit? Straight lines, proportional hazards, changes with time, interactions, discrimination.

Asked of the Cox model with the declared covariates, of the patients who have them all; each only as far as the events
carry it (`fit_terms`).
"""

from __future__ import annotations

__all__ = ["ModelFit", "analyse_model_fit"]

import numpy as np
import pandas as pd

from lib.analyses.efficacy.survival import Survival
from lib.analyses.models.covariates import NONE_DECLARED, declared_covariates, model_frame
from lib.analyses.models.fit_terms import Held, assess_lines, assess_proportional, said_few
from lib.analyses.models.terms import STRATUM, stratum
from lib.analyses.policy import too_few, withhold
from lib.analyses.result import Absent, Analysis, absent_if_absent
from lib.analyses.robustness.subgroups import levels_of
from lib.analyses.verdicts import FITTED, REFUSED, WEAK, Verdict, as_sentence, verdict_frame
from lib.dataset.dataset import Dataset
from lib.statistics.comparisons import ALPHA, name_pair
from lib.statistics.multivariable.carried import ENOUGH, FEW
from lib.statistics.multivariable.interaction import compare_levels
from lib.statistics.multivariable.nested import Model, fit_model
from lib.statistics.multivariable.optimism import draw_resamples, estimate_discrimination
from lib.statistics.multivariable.periods import AFTER, BEFORE, compare_periods, split_at
from lib.statistics.survival.event_table import OVERALL
from lib.study.limits import LARGE, because_large
from lib.study.parts import Subgroup, own

SEED = 20250228
COUNT = "count of patients with every covariate, and of coefficients"
PERIODS = "Cox regression (Efron ties), arms with a coefficient before and after, Wald interval"
PERIODS_TEST = "likelihood-ratio test, hazard ratios of the arms that change at the time against constant ones (Cox regression, Efron ties)"
INTERACTION = "likelihood-ratio test, arm x subgroup against arm + subgroup beside the covariates (Cox regression, Efron ties)"
LEVELS = "Cox regression with arm x subgroup beside the covariates (Efron ties), Wald interval"
DISCRIMINATION = "Harrell's concordance, optimism by bootstrap"
# Of the resamples; where fewer could be used, those that could are no picture of them all.
USABLE = 0.9
Found = tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame], Verdict]


class ModelFit(Analysis):
    """Whether the model of an endpoint fits."""


@absent_if_absent
def analyse_model_fit(data: Dataset, survival: Survival) -> ModelFit | Absent:
    """Check the Cox model of an endpoint with the declared covariates.

    Parameters
    ----------
    data : Dataset
    survival : Survival
        The endpoint.

    Returns
    -------
    ModelFit
        `variable` is "endpoint", "endpoint: covariate" or "endpoint: subgroup".
        `model_fit`: n, n_missing (a covariate is), n_events, df (coefficients), events_per_variable; `model_missing`: n and
        n_missing by covariate. And unless a note there says why the model is not checked:
        `model_linearity`: test of each covariate with a spline; `model_quartiles`: its hazard ratio between the
        quartiles, "...: line" and "...: spline"; `model_proportional_arm`, `model_proportional`,
        `model_proportional_all`: proportional hazards of the arms (pairs, and all), of each covariate, of all terms;
        `model_period`: hazard ratios "endpoint: before" and "endpoint: after" the declared time; `model_period_test`;
        `model_interaction`: test by subgroup; `model_subgroup`: hazard ratio of the contrast by level, with the patients and events of its two arms;
        `model_concordance`. Data: `curve`, `residuals`, `verdicts`, and what a second engine needs (`fit_rows`, `knots`,
        `fit_levels`). `Absent` with one arm or without covariates.
    """
    if len(data.arms) < 2:
        return Absent("With one arm there is no comparison to adjust, so no model is checked.")
    covariates = declared_covariates(data)
    if not covariates:
        return Absent(f"No model is checked: {NONE_DECLARED}.")
    columns = [own(covariate.variable) for covariate in covariates]
    tte = stratum(data, model_frame(data, survival["tte"], covariates))
    strata = STRATUM if STRATUM in tte else None
    short = data.study.endpoint(survival.variable).short
    known = tte[columns + ([strata] if strata else [])].notna().all(axis=1)
    complete, name = tte[known], survival.variable
    why = _why_empty(data, complete)
    model = None if why else fit_model(complete, data.reference, columns, strata)
    why = why or _why_not(data, complete, model)
    frames = {"model_fit": _sizes(name, known, complete, model, why), "model_missing": _missing(name, tte, columns)}
    if why or model is None:
        verdict = Verdict(f"Checks of the Cox regression, {short}", REFUSED, as_sentence(why), "Nothing is known of how well a model with these covariates would fit.")
        return ModelFit(data, name, frames, {"verdicts": verdict_frame([verdict])})
    held = Held(data, name, survival["tte"], complete, covariates, columns, strata, model)
    found = [assess_lines(held), assess_proportional(held), _periods(held), _interactions(held), _discrimination(held)]
    rows = {"fit_rows": complete[["arm", "time", "event", *columns, *([strata] if strata else [])]]}
    verdicts = verdict_frame([verdict._replace(model=f"{verdict.model}, {short}") for _, _, verdict in found])
    for own_frames, own_data, _ in found:
        frames, rows = frames | own_frames, rows | own_data
    return ModelFit(data, name, frames, rows | {"verdicts": verdicts})


def _why_empty(data: Dataset, complete: pd.DataFrame) -> str:
    """Why there is nothing to fit, or too little; before a model is tried."""
    empty = [arm.label for arm in data.arms if not (complete["arm"] == arm.id).any()]
    if empty:
        return f"nobody with {' or '.join(empty)} has every covariate known"
    return too_few(data, complete)


def _why_not(data: Dataset, complete: pd.DataFrame, model: Model | None) -> str:
    """Why a model that was tried is not checked: what its events do not carry, or what separates."""
    if model is None:
        return ""
    quiet = [arm.label for arm in data.arms if not complete.loc[complete["arm"] == arm.id, "event"].any()]
    if quiet:
        return f"no event with {' or '.join(quiet)}, so the hazard ratio has no limit"
    if complete["event"].sum() < FEW * max(model.df, 1):
        return said_few(FEW)
    if model.usable:
        return ""
    return "the covariates separate events from non-events" if model.fit.separated else "an arm cannot be told from the covariates"


def _sizes(name: str, known: pd.Series, complete: pd.DataFrame, model: Model | None, why: str) -> pd.DataFrame:
    df, events = (float(model.df) if model else np.nan), int(complete["event"].sum())
    sizes = {"n": len(complete), "n_missing": int((~known).sum()), "n_events": events, "df": df, "events_per_variable": events / df if df else np.nan}
    return pd.DataFrame([{"variable": name, "group": OVERALL, **sizes, "method": COUNT, "note": f"not checked: {why}" if why else ""}])


def _missing(name: str, tte: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    rows = [(f"{name}: {column.removeprefix(own(''))}", OVERALL, len(tte), int(tte[column].isna().sum())) for column in columns]
    return pd.DataFrame(rows, columns=["variable", "group", "n", "n_missing"]).assign(method="count of patients", note="")


def _periods(held: Held) -> Found:
    """Hazard ratios before and after the declared time."""
    data, model = held.data, "Hazard ratios before and after a time"
    at = data.study.models.change_at if data.study.models else None
    if at is None:
        return {}, {}, Verdict(model, REFUSED, "No time is declared (change_at under models in study.yml); one that is chosen after the data are seen finds what it looks for.")
    each = held.each(held.model.df + len(held.others))
    if not held.tte["time"].gt(at).any():
        return {}, {}, Verdict(model, REFUSED, "Nobody is under observation after the declared time.")
    if each < FEW:
        return {}, {}, Verdict(model, REFUSED, as_sentence(said_few(FEW)), "Whether the hazard ratios change at the declared time is not known.")
    found = compare_periods(held.tte, data.reference, held.columns, at, level=data.parameters.level, strata=held.strata)
    split = split_at(held.tte, at, held.strata)
    ratios = []
    for period in (BEFORE, AFTER):
        own_rows = found.ratios[found.ratios["period"] == period].drop(columns="period").assign(variable=f"{held.name}: {period}", time=at, method=PERIODS)
        note = np.where(own_rows["hr"].isna(), "not estimable: an arm has no event", "")
        ratios.append(withhold(data, split[split["period"] == period], own_rows.assign(note=note)))
    frame = pd.concat(ratios, ignore_index=True)
    # A test of all ratios rests on the one with the fewest events.
    untold = next((note.replace("not compared:", "not tested:").replace("not estimable:", "not tested:") for note in frame["note"] if note), "")
    tested = dict.fromkeys(found.test, np.nan) if untold else found.test
    test = pd.DataFrame([{"variable": held.name, "group": OVERALL, "time": at, **tested, "events_per_variable": each, "method": PERIODS_TEST, "note": untold}])
    in_each = split.groupby("period")["event"].sum().reindex([BEFORE, AFTER], fill_value=0)
    thin = each < ENOUGH or bool((in_each < ENOUGH * len(held.others)).any())
    return {"model_period": frame, "model_period_test": test}, {}, _verdict_on_periods(model, test.iloc[0], thin, frame["hr"].notna().any())


def _verdict_on_periods(model: str, test: pd.Series, thin: bool, some: bool) -> Verdict:
    few, p = f"{said_few(ENOUGH).capitalize()}, in the whole or of the arms in one of the periods." if thin else "", test["p_value"]
    if np.isnan(p):
        why = test["note"].removeprefix("not tested: ") or "a model with two periods cannot be fitted"
        return Verdict(model, WEAK if some else REFUSED, f"The change is not tested: {why} in one of the periods." if some else as_sentence(why),
                       "Whether the hazard ratios change at the declared time is not known.")  # fmt: skip
    conclude = (
        "The hazard ratios differ between the periods: read both, and not their average."
        if p < ALPHA
        else "A change at that time was not recognised, which does not show that there is none; two ratios that look unlike are within chance."
    )
    return Verdict(model, WEAK if few else FITTED, few, conclude)


def _interactions(held: Held) -> Found:
    """Interaction of the arm with every declared subgroup, beside the covariates."""
    data, model = held.data, "Interaction of the arm with subgroups"
    if not data.study.subgroups:
        return {}, {}, Verdict(model, REFUSED, "This study declares no subgroups.")
    tests, ratios = [], []
    masks: dict[str, pd.Series] = {}
    for subgroup in data.study.subgroups:
        test, inside, levels = _interaction(held, subgroup)
        tests.append(test)
        ratios.append(inside)
        masks |= {f"{subgroup.id}: {level}": mask for level, mask in levels.items()}
    found = pd.DataFrame(tests)
    frames = {"model_interaction": found} | ({"model_subgroup": pd.concat(ratios, ignore_index=True)} if any(map(len, ratios)) else {})
    return frames, {"fit_levels": pd.DataFrame(masks, index=held.tte.index)}, _verdict_on_interactions(held, model, found)


def _interaction(held: Held, subgroup: Subgroup) -> tuple[dict[str, object], pd.DataFrame, dict[str, pd.Series]]:
    """Test of one subgroup, ratios of the contrast in its levels, and the levels (none where it is not tested)."""
    data, variable = held.data, f"{held.name}: {subgroup.id}"
    raw = held.everybody.loc[held.tte.index]
    levels = {level: inside for level, inside in levels_of(subgroup, raw, data) if inside.any()}
    known = np.logical_or.reduce([np.zeros(len(raw), dtype=bool), *levels.values()])
    tte = held.tte[known]
    events = int(tte["event"].sum())
    row: dict[str, object] = {"variable": variable, "group": OVERALL, "n": len(tte), "n_events": events, "method": INTERACTION}
    nothing = dict.fromkeys(("chisq", "df", "p_value", "events_per_variable"), np.nan)
    why = _why_no_interaction(held, levels)
    if why:
        return row | nothing | {"note": f"not tested: {why}"}, pd.DataFrame(), {}
    found = compare_levels(
        tte, data.reference, {level: inside[known] for level, inside in levels.items()}, held.columns,
        level=data.parameters.level, strata=held.strata,
    )  # fmt: skip
    each = events / max(found.coefficients, 1)
    if each < ENOUGH or np.isnan(found.test["p_value"]):
        why = said_few(ENOUGH) if each < ENOUGH else "a model with the interaction cannot be fitted"
        return row | nothing | {"events_per_variable": each, "note": f"not tested: {why}"}, pd.DataFrame(), {}
    pair = name_pair(*data.contrast)
    inside = found.ratios[found.ratios["group"] == pair]
    both = held.tte["arm"].isin(data.contrast)
    two = [held.tte[both & levels[level]] for level in inside["level"]]
    inside = inside.assign(n=list(map(len, two)), n_events=[int(patients["event"].sum()) for patients in two])
    inside = inside.assign(variable=[f"{variable}: {level}" for level in inside["level"]], method=LEVELS, note="").drop(columns="level")
    return row | found.test | {"events_per_variable": each, "note": ""}, inside, levels


def _why_no_interaction(held: Held, levels: dict[str, pd.Series]) -> str:
    if len(levels) < 2:
        return "one level only"
    for inside in levels.values():
        counts = held.tte[inside].groupby("arm", observed=False)["event"].sum()
        quiet = [arm.label for arm in held.data.arms if counts.get(arm.id, 0) == 0]
        if quiet:  # the likelihood then has its maximum at infinity, where a chi-square approximation means nothing
            return f"no event with {' or '.join(quiet)} in one of the levels"
    return ""


def _verdict_on_interactions(held: Held, model: str, tests: pd.DataFrame) -> Verdict:
    made = tests["p_value"].notna()
    reasons = "; ".join(dict.fromkeys(note.removeprefix("not tested: ") for note in tests.loc[~made, "note"]))
    nothing = "The adjusted ratio is that of all patients; whether it is the same in every subgroup is not known."
    if not made.any():
        return Verdict(model, REFUSED, as_sentence(reasons), nothing)
    why = "" if made.all() else f"Not for every subgroup: {reasons}."
    low = (tests["p_value"] < ALPHA).any()
    conclude = "An interaction is a question for another study and no finding of this one." if low else "No interaction was recognised, which does not show that the ratio is the same in all: such tests find only large differences."
    return Verdict(model, FITTED if made.all() else WEAK, why, conclude)


def _discrimination(held: Held) -> Found:
    """Concordance of the model, less its optimism."""
    model, n = "Discrimination", len(held.tte)
    resamples = draw_resamples(n, SEED) if n <= LARGE else np.empty((0, n), dtype=int)
    found = estimate_discrimination(held.tte.reset_index(drop=True), held.model, resamples, held.strata)
    row = {"variable": held.name, "group": OVERALL, "concordance": found.apparent, "optimism": found.optimism, "concordance_corrected": found.corrected,
           "slope": found.slope, "n_resamples": found.n_resamples, "method": DISCRIMINATION, "note": ""}  # fmt: skip
    if found.n_drawn == 0:
        note = because_large("not resampled")
    elif found.n_resamples < USABLE * found.n_drawn:
        note = "not corrected: in too many resamples the model cannot be fitted"
    else:
        few = as_sentence(said_few(ENOUGH)) if held.weak else ""
        conclude = "It says how well the model orders patients of this study, less what it owes to them; of other patients only their data can tell."
        return {"model_concordance": pd.DataFrame([row])}, {}, Verdict(model, WEAK if few else FITTED, few, conclude)
    row |= {"optimism": np.nan, "concordance_corrected": np.nan, "slope": np.nan, "note": note}
    return {"model_concordance": pd.DataFrame([row])}, {}, Verdict(model, WEAK, as_sentence(note), "The concordance as fitted flatters the model.")
