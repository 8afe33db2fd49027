"""Sentences on whether the model of an endpoint fits. None says that an assumption holds."""

from __future__ import annotations

__all__ = ["sentence_adjusted_subgroups", "sentence_discrimination", "sentence_linearity", "sentence_model_fit", "sentence_periods", "sentence_proportional"]

import pandas as pd

from lib.analyses.models.fit import ModelFit
from lib.analyses.models.fit_terms import ENOUGH
from lib.analyses.result import where
from lib.show.formats import (
    format_ci,
    format_duration,
    format_limit,
    format_number,
    format_p,
    format_percent,
    format_whole,
    joined,
    plural,
    said_p,
)
from lib.show.labels import inside, pair_label, variable_label
from lib.show.sentences.absent import reason_if_absent
from lib.show.verdict import Pair, below, say_interactions
from lib.show.ways import level_label

# Shrinkage below which a model should have fewer coefficients (van Houwelingen and le Cessie, Stat Med 1990;9:1303-1325; Harrell).
MUCH = 0.85


def _name(fit: ModelFit, variable: str) -> str:
    return variable_label(fit.dataset, variable.split(": ")[1])


def _reasons(fit: ModelFit, rows: pd.DataFrame) -> str:
    """What was not tested, by reason: "age and weight (fewer than 10 events per coefficient)"."""
    by_reason = {note: [_name(fit, v) for v in part["variable"]] for note, part in rows.groupby("note", sort=False)}
    return joined([f"{joined(names)} ({note.removeprefix('not tested: ')})" for note, names in by_reason.items()])


@reason_if_absent
def sentence_model_fit(fit: ModelFit) -> str:
    """Who is in the model and what it is made of, or why it is not checked."""
    row, missing = fit["model_fit"].iloc[0], fit["model_missing"]
    short = inside(fit.dataset.study.endpoint(fit.variable).short)
    lost = missing[missing["n_missing"] > 0]
    which = joined([f"{_name(fit, r.variable)} {format_whole(r.n_missing)}" for r in lost.itertuples()])
    out = f" {plural(row['n_missing'], 'patient')} without a value of a covariate, or without its logarithm, {'is' if row['n_missing'] == 1 else 'are'} left out (by covariate: {which})." if row["n_missing"] and which else ""
    if row["note"]:
        return f"The model of {short} with the declared covariates is {row['note']}.{out}"
    size = f"{plural(row['n'], 'patient')} with {plural(row['n_events'], 'event')}, {format_whole(row['df'])} coefficients, {format_number(row['events_per_variable'])} events for each"
    return f"What is checked is the model of {short} with arm and declared covariates: {size}.{out}"


@reason_if_absent
def sentence_linearity(fit: ModelFit) -> str:
    """Which numbers bend, and which were not tested."""
    if "model_linearity" not in fit:
        return ""
    tests = fit["model_linearity"]
    made, left = tests[tests["p_value"].notna()], tests[tests["p_value"].isna()]
    alone = f"That the hazard follows a straight line in {_reasons(fit, left)} is assumed and not tested." if len(left) else ""
    if made.empty:
        return alone
    shown = joined([f"{_name(fit, r.variable)} ({format_p(r.p_value, symbol=True)})" for r in made.itertuples()])
    bent = [_name(fit, r.variable) for r in made.itertuples() if below(r.p_value)]
    if bent:
        verdict = f"{said_p()} is below {format_limit()} for {joined(bent)}: its ratio per step is an average over a curve, and the figure says more."
    else:
        verdict = "No bend was recognised, which does not show that they are straight."
    return " ".join(filter(None, [f"A straight line was tested against a curve for {shown}. {verdict}", alone]))


@reason_if_absent
def sentence_proportional(fit: ModelFit) -> str:
    """Whether hazard ratios change over time; never that they do not."""
    if "model_proportional_all" not in fit:
        return ""
    arms, every = fit.row("model_proportional_arm", "overall"), fit["model_proportional_all"].iloc[0]
    tests = fit["model_proportional"]
    low = [f"{_name(fit, r.variable)} ({format_p(r.p_value, symbol=True)})" for r in tests.itertuples() if below(r.p_value)]
    shown = f"Tests of proportional hazards: {_shown(arms['p_value'])} for the arms, {_shown(every['p_value'])} for all terms together."
    events = plural(fit["model_fit"]["n_events"].iat[0], "event")
    if below(arms["p_value"]):
        verdict = f"The hazard ratios of the arms change over time: one number is an average over this follow-up.{_undeclared(fit)}"
    else:
        verdict = f"A change of the arms' hazard ratios was not recognised; with {events} that does not show that they are constant."
    others = f"Of the covariates, {said_p()} is below {format_limit()} for {joined(low)}: that ratio changes over time, and the arms are compared as if alike in it on average only." if low else ""
    return " ".join(filter(None, [shown, verdict, others]))


def _shown(p: float) -> str:
    return "not tested" if pd.isna(p) else format_p(p, symbol=True)


def _undeclared(fit: ModelFit) -> str:
    """What would be shown if a time were declared."""
    if "model_period" in fit:
        return ""
    return " A hazard ratio before and after a time is shown where study.yml declares that time (change_at under models), best before the data are seen."


@reason_if_absent
def sentence_periods(fit: ModelFit) -> str:
    """The hazard ratio of the contrast before and after the declared time, and whether a change was recognised."""
    if "model_period" not in fit:
        return ""
    data, test = fit.dataset, fit["model_period_test"].iloc[0]
    pair, when = " vs ".join(data.contrast), format_duration(test["time"], data.study.time.unit)
    said = []
    for period, words in (("before", f"until {when}"), ("after", "after it")):
        row = where(fit["model_period"], variable=f"{fit.variable}: {period}", group=pair).iloc[0]
        interval = format_ci(data.parameters.level, row["ci_low"], row["ci_high"], 2)
        why = row["note"].removeprefix("not compared: ").removeprefix("not estimable: ")
        said.append(f"not estimated {words} ({why})" if pd.isna(row["hr"]) else f"{format_number(row['hr'], 2)} {words} ({interval})")
    if pd.isna(test["p_value"]):
        verdict = f"Whether they change is {test['note'] or 'not tested'}."
    elif below(test["p_value"]):
        verdict = f"They change ({format_p(test['p_value'], symbol=True)}): read each, and not their average."
    else:
        verdict = f"A change was not recognised ({format_p(test['p_value'], symbol=True)}): that one of them leaves out 1 and the other does not, or that they look unlike, is no sign of one."
    weak = "" if test["events_per_variable"] >= ENOUGH else f" A model with {format_number(test['events_per_variable'])} events for each coefficient gives unstable ratios, more often too far from 1 than too near."
    return f"Adjusted hazard ratio of {pair_label(data, pair)}: {joined(said)}. {verdict}{weak}"


@reason_if_absent
def sentence_adjusted_subgroups(fit: ModelFit) -> str:
    """What tests of interaction say beside the covariates."""
    if "model_interaction" not in fit:
        return ""
    tests = fit["model_interaction"]
    made, left = tests[tests["p_value"].notna()], tests[tests["p_value"].isna()]
    names = {r.variable: level_label(fit.dataset, f"{r.variable}: ")[0] for r in tests.itertuples()}
    by_reason = {note: [names[v] for v in part["variable"]] for note, part in left.groupby("note", sort=False)}
    untested = joined([f"{joined(who)} ({note.removeprefix('not tested: ')})" for note, who in by_reason.items()])
    alone = f"Interactions with the arm are not tested for {untested}." if untested else ""
    return " ".join(filter(None, [say_interactions([Pair(names[r.variable], r.p_value) for r in made.itertuples()]) if len(made) else "", alone]))


@reason_if_absent
def sentence_discrimination(fit: ModelFit) -> str:
    """How well the model tells apart who has the event sooner, as fitted and less its optimism."""
    if "model_concordance" not in fit:
        return ""
    row = fit["model_concordance"].iloc[0]
    fitted = f"In {format_percent(row['concordance'])} of the pairs of patients whose order is known the model expects the event sooner for the one who had it first"
    if pd.isna(row["concordance_corrected"]):
        return f"{fitted}; by how much that flatters a model that was fitted to them is not known ({row['note']})."
    return f"{fitted}, and in {format_percent(row['concordance_corrected'])} once its optimism is taken off (by chance in half). Calibration slope {format_number(row['slope'], 2)}: {_slope(row['slope'])}."


def _slope(slope: float) -> str:
    if slope < MUCH:
        return "for other patients like these the coefficients are much too large, as with too many of them for the events"
    return "for other patients like these the coefficients are somewhat too large" if slope < 1 else "for other patients like these the coefficients are not too large"
