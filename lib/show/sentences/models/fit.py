"""Sentences on whether the model of an endpoint fits. None says that an assumption holds."""

from __future__ import annotations

__all__ = ["sentence_adjusted_subgroups", "sentence_discrimination", "sentence_linearity", "sentence_model_fit", "sentence_periods", "sentence_proportional"]

import pandas as pd

from lib.analyses.models.fit import ModelFit
from lib.analyses.models.fit_terms import ENOUGH
from lib.analyses.result import where
from lib.languages.notes import worded
from lib.languages.speech import _, in_a_row
from lib.show.formats import format_ci, format_limit, format_number, format_p, format_percent, format_whole, said_p
from lib.show.labels import inside, pair_label, variable_label
from lib.show.phrases import format_duration, joined, plural
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
    return _untested(by_reason)


def _untested(by_reason: dict[str, list[str]]) -> str:
    return joined([_("{names} ({reason})", names=joined(names), reason=worded(note.removeprefix("not tested: "))) for note, names in by_reason.items()])


@reason_if_absent
def sentence_model_fit(fit: ModelFit) -> str:
    """Who is in the model and what it is made of, or why it is not checked."""
    row, missing = fit["model_fit"].iloc[0], fit["model_missing"]
    short = inside(fit.dataset.study.endpoint(fit.variable).short)
    lost = missing[missing["n_missing"] > 0]
    which = joined([_("{covariate} {n_missing}", covariate=_name(fit, r.variable), n_missing=format_whole(r.n_missing)) for r in lost.itertuples()])
    out = _(" {n_missing} without a value of a covariate, or without its logarithm, {en} left out (by covariate: {which}).", n_missing=plural(row['n_missing'], 'patient'), en='is' if row['n_missing'] == 1 else 'are', which=which) if row["n_missing"] and which else ""
    if row["note"]:
        return _("The model of {short} with the declared covariates is {note}.{out}", short=short, note=worded(row['note']), out=out)
    size = _("{n} with {n_events}, {df} coefficients, {events_per_variable} events for each", n=plural(row['n'], 'patient'), n_events=plural(row['n_events'], 'event'), df=format_whole(row['df']), events_per_variable=format_number(row['events_per_variable']))
    return _("What is checked is the model of {short} with arm and declared covariates: {size}.{out}", short=short, size=size, out=out)


@reason_if_absent
def sentence_linearity(fit: ModelFit) -> str:
    """Which numbers bend, and which were not tested."""
    if "model_linearity" not in fit:
        return ""
    tests = fit["model_linearity"]
    made, left = tests[tests["p_value"].notna()], tests[tests["p_value"].isna()]
    alone = _("That the hazard follows a straight line in {reasons} is assumed and not tested.", reasons=_reasons(fit, left)) if len(left) else ""
    if made.empty:
        return alone
    shown = joined([_("{name} ({p})", name=_name(fit, r.variable), p=format_p(r.p_value, symbol=True)) for r in made.itertuples()])
    bent = [_name(fit, r.variable) for r in made.itertuples() if below(r.p_value)]
    if bent:
        verdict = _("{p} is below {limit} for {listed}: its ratio per step is an average over a curve, and the figure says more.", p=said_p(), limit=format_limit(), listed=joined(bent))
    else:
        verdict = _("No bend was recognised, which does not show that they are straight.")
    return in_a_row([_("A straight line was tested against a curve for {shown}. {verdict}", shown=shown, verdict=verdict), alone])


@reason_if_absent
def sentence_proportional(fit: ModelFit) -> str:
    """Whether hazard ratios change over time; never that they do not."""
    if "model_proportional_all" not in fit:
        return ""
    arms, every = fit.row("model_proportional_arm", "overall"), fit["model_proportional_all"].iloc[0]
    tests = fit["model_proportional"]
    low = [_("{name} ({p})", name=_name(fit, r.variable), p=format_p(r.p_value, symbol=True)) for r in tests.itertuples() if below(r.p_value)]
    shown = _("Tests of proportional hazards: {shown} for the arms, {shown2} for all terms together.", shown=_shown(arms['p_value']), shown2=_shown(every['p_value']))
    events = plural(fit["model_fit"]["n_events"].iat[0], "event")
    if below(arms["p_value"]):
        verdict = _("The hazard ratios of the arms change over time: one number is an average over this follow-up.{undeclared}", undeclared=_undeclared(fit))
    else:
        verdict = _("A change of the arms' hazard ratios was not recognised; with {events} that does not show that they are constant.", events=events)
    others = _("Of the covariates, {p} is below {limit} for {listed}: that ratio changes over time, and the arms are compared as if alike in it on average only.", p=said_p(), limit=format_limit(), listed=joined(low)) if low else ""
    return in_a_row([shown, verdict, others])


def _shown(p: float) -> str:
    return _("not tested") if pd.isna(p) else format_p(p, symbol=True)


def _undeclared(fit: ModelFit) -> str:
    """What would be shown if a time were declared."""
    if "model_period" in fit:
        return ""
    return _(" A hazard ratio before and after a time is shown where study.yml declares that time (change_at under models), best before the data are seen.")


@reason_if_absent
def sentence_periods(fit: ModelFit) -> str:
    """The hazard ratio of the contrast before and after the declared time, and whether a change was recognised."""
    if "model_period" not in fit:
        return ""
    data, test = fit.dataset, fit["model_period_test"].iloc[0]
    pair, when = " vs ".join(data.contrast), format_duration(test["time"], data.study.time.unit)
    said = []
    for period in ("before", "after"):
        row = where(fit["model_period"], variable=f"{fit.variable}: {period}", group=pair).iloc[0]
        interval = format_ci(data.parameters.level, row["ci_low"], row["ci_high"], 2)
        why = worded(row["note"].removeprefix("not compared: ").removeprefix("not estimable: "))
        if pd.isna(row["hr"]):
            said.append(_("not estimated until {when} ({why})", when=when, why=why) if period == "before" else _("not estimated after it ({why})", why=why))
        else:
            ratio = format_number(row["hr"], 2)
            said.append(_("{ratio} until {when} ({interval})", ratio=ratio, when=when, interval=interval) if period == "before" else _("{ratio} after it ({interval})", ratio=ratio, interval=interval))
    if pd.isna(test["p_value"]):
        verdict = _("Whether they change is {value}.", value=worded(test['note']) or _("not tested"))
    elif below(test["p_value"]):
        verdict = _("They change ({p}): read each, and not their average.", p=format_p(test['p_value'], symbol=True))
    else:
        verdict = _("A change was not recognised ({p}): that one of them leaves out 1 and the other does not, or that they look unlike, is no sign of one.", p=format_p(test['p_value'], symbol=True))
    weak = "" if test["events_per_variable"] >= ENOUGH else _(" A model with {events_per_variable} events for each coefficient gives unstable ratios, more often too far from 1 than too near.", events_per_variable=format_number(test['events_per_variable']))
    before, after = said
    return _("Adjusted hazard ratio of {pair_label}: {before} and {after}. {verdict}{weak}", pair_label=pair_label(data, pair), before=before, after=after, verdict=verdict, weak=weak)


@reason_if_absent
def sentence_adjusted_subgroups(fit: ModelFit) -> str:
    """What tests of interaction say beside the covariates."""
    if "model_interaction" not in fit:
        return ""
    tests = fit["model_interaction"]
    made, left = tests[tests["p_value"].notna()], tests[tests["p_value"].isna()]
    names = {r.variable: level_label(fit.dataset, f"{r.variable}: ")[0] for r in tests.itertuples()}
    by_reason = {note: [names[v] for v in part["variable"]] for note, part in left.groupby("note", sort=False)}
    alone = _("Interactions with the arm are not tested for {untested}.", untested=_untested(by_reason)) if by_reason else ""
    return in_a_row([say_interactions([Pair(names[r.variable], r.p_value) for r in made.itertuples()]) if len(made) else "", alone])


@reason_if_absent
def sentence_discrimination(fit: ModelFit) -> str:
    """How well the model tells apart who has the event sooner, as fitted and less its optimism."""
    if "model_concordance" not in fit:
        return ""
    row = fit["model_concordance"].iloc[0]
    fitted = _("In {concordance} of the pairs of patients whose order is known the model expects the event sooner for the one who had it first", concordance=format_percent(row['concordance']))
    if pd.isna(row["concordance_corrected"]):
        return _("{fitted}; by how much that flatters a model that was fitted to them is not known ({note}).", fitted=fitted, note=worded(row['note']))
    return _("{fitted}, and in {concordance_corrected} once its optimism is taken off (by chance in half). Calibration slope {slope}: {slope2}.", fitted=fitted, concordance_corrected=format_percent(row['concordance_corrected']), slope=format_number(row['slope'], 2), slope2=_slope(row['slope']))


def _slope(slope: float) -> str:
    if slope < MUCH:
        return _("for other patients like these the coefficients are much too large, as with too many of them for the events")
    return _("for other patients like these the coefficients are somewhat too large") if slope < 1 else _("for other patients like these the coefficients are not too large")
