"""Sentences on tumour response: rates, time to it, survival by it; control of single lesions, and their dose."""

from __future__ import annotations

__all__ = [
    "sentence_criteria",
    "sentence_dose",
    "sentence_first_response",
    "sentence_later_response",
    "sentence_lesion_control",
    "sentence_response",
    "sentence_response_time",
    "sentence_survival_by_response",
]

import pandas as pd

from lib.analyses.efficacy.dose_response import STEP, DoseResponse
from lib.analyses.efficacy.lesion_control import ALL, LesionControl
from lib.analyses.efficacy.response import NON_RESPONDER, RESPONDER, ResponseRates, ResponseTime
from lib.analyses.result import where
from lib.analyses.robustness.criteria import DECLARED, Criteria
from lib.dataset.dataset import Dataset
from lib.languages.speech import N_, _, in_a_row
from lib.show.formats import (
    capitalised,
    format_ci,
    format_given,
    format_interval,
    format_number,
    format_p,
    format_percent,
    format_whole,
)
from lib.show.labels import counted, inside, pair_label
from lib.show.phrases import format_duration, in_unit, joined, plural, said_share
from lib.show.sentences.absent import reason_if_absent
from lib.show.verdict import (
    GRAY,
    Estimate,
    OverallTest,
    below,
    exact_test,
    plain_note,
    say_arms,
    say_effect,
    say_tests,
    say_verdict,
)
from lib.show.ways import criteria_label, not_compared
from lib.statistics.comparisons import name_pair

# Who had a response by the landmark, and who had none.
SIZES = {RESPONDER: N_("{n} responders"), NON_RESPONDER: N_("{n} non-responders")}


@reason_if_absent
def sentence_response(response: ResponseRates) -> str:
    """Objective response at every response visit, with the exact test."""
    return in_a_row(_at_visit(response, visit) for visit in response.dataset.response_visits)


@reason_if_absent
def sentence_first_response(response: ResponseRates) -> str:
    """Objective response at the first response visit."""
    return in_a_row(_at_visit(response, visit) for visit in response.dataset.response_visits[:1])


@reason_if_absent
def sentence_later_response(response: ResponseRates) -> str:
    """Objective response at the response visits after the first."""
    return in_a_row(_at_visit(response, visit) for visit in response.dataset.response_visits[1:])


def _at_visit(response: ResponseRates, visit: float) -> str:
    data = response.dataset
    rates = where(response["objective_response_treated"], time=visit)
    parts = []
    for arm in data.arms:
        row = rates[rates["group"] == arm.id].iloc[0]
        interval = format_interval(row["ci_low"], row["ci_high"], 0, percent=True)
        told = said_share(row["count"], row["n"])
        told = _("{label} ({note})", label=told, note=_("; ").join([format_percent(row["proportion"]), interval])) if pd.notna(row["proportion"]) else told
        parts.append(_("{told} with {arm}", told=told, arm=arm.label) if row["n"] else _("nobody due with {arm}", arm=arm.label))
    by = _(" by {criteria_label}", criteria_label=inside(criteria_label(data, data.criteria))) if data.criteria else ""
    text = _("At {duration} an objective response{by} was seen in {listed}.", duration=format_duration(visit, data.study.time.unit), by=by, listed=joined(parts))
    if "objective_response_treated_test" not in response:
        return text
    test = where(response["objective_response_treated_test"], time=visit).iloc[0]
    pairs = where(response["objective_response_treated_pairwise"], time=visit)
    return in_a_row([text, say_arms(data, exact_test(test), pairs)])


@reason_if_absent
def sentence_response_time(timed: ResponseTime) -> str:
    """Share of each arm with a response by the last response visit."""
    data = timed.dataset
    rows = timed["response_incidence"]
    end = rows["time"].max()
    last = rows[rows["time"] == end]
    parts = [
        _("{estimate} with {arm}", estimate=format_percent(r.estimate), arm=data.study.arm(r.group).label)
        for r in last[last["estimate"].notna()].itertuples()
    ]
    unknown = [data.study.arm(group).label for group in last.loc[last["estimate"].isna(), "group"]]
    when = in_unit(format_number(end, 1), data.study.time.unit)
    text = _("By {when} a response had come in {listed} (cumulative incidence; progression and death compete)", when=when, listed=joined(parts))
    if unknown:
        never = _("it cannot be told how many had responded by {when} with {listed}", when=when, listed=joined(unknown, 'or'))
        text = _("; ").join([text, never]) if parts else capitalised(never)
    if "response_incidence_test" not in timed:
        return _("{text}.", text=text)
    test = timed["response_incidence_test"].iloc[0]
    return _("{text}. {arms}", text=text, arms=say_arms(data, OverallTest(_(GRAY), test['p_value'], test['note'])))


@reason_if_absent
def sentence_survival_by_response(timed: ResponseTime) -> str:
    """Responders against non-responders from the last landmark at which both can be compared."""
    data = timed.dataset
    if "response_landmark" not in timed:
        return ""
    known = timed["response_landmark"].dropna(subset=["hr", "p_value"])
    if known.empty:
        return _("Responders cannot be compared with non-responders: too few events or patients beyond the landmark.")
    row = known.iloc[0]
    medians = timed["response_landmark_median"]
    medians = medians[(medians["variable"] == row["variable"]) & (medians["time"] == row["time"])].set_index("group")
    sizes = [_(size, n=format_whole(medians.at[group, "n"])) for group, size in SIZES.items()]
    short, when = data.study.endpoint(row["variable"]).short, in_unit(format_number(row["time"], 1), data.study.time.unit)
    verdict = say_tests(_("responders and non-responders"), OverallTest(_("log-rank"), row["p_value"]))
    return (
        _(
            "Among those still free of the event at {when} ({listed}), the hazard ratio for {short} with a response is {hr} ({interval}). "
            "{verdict} Response marks patients who do better; it is no proof that responding is what helped.",
            when=when, listed=joined(sizes), short=inside(short), hr=format_number(row['hr'], 2), interval=format_ci(data.parameters.level, row['ci_low'], row['ci_high'], 2), verdict=verdict,
        )
    )


@reason_if_absent
def sentence_lesion_control(control: LesionControl) -> str:
    """Share of the treated lesions that progressed by the last landmark that carries, and whether the arms differ."""
    data, rows, outcomes = control.dataset, control["lesion_control"], control["lesion_outcome"]
    time, parts = _last_landmark(control), []
    for arm in rows["group"].unique():
        sizes, grown = (where(outcomes, group=arm, variable=name).iloc[0] for name in (ALL, "progressed"))
        share = said_share(grown["count"], grown["n"])
        if time is not None:
            row = where(rows, group=arm, time=time).iloc[0]
            interval = _("no interval") if pd.isna(row["ci_low"]) else format_ci(data.parameters.level, row["ci_low"], row["ci_high"], 0, percent=True)
            share = _("{label} ({note})", label=format_percent(row["estimate"]), note=interval)
        parts.append(_("{share} with {arm} ({sizes} in {n_patients})", share=share, arm=data.study.arm(arm).label, sizes=counted(sizes, 'count'), n_patients=plural(sizes['n_patients'], 'patient')))
    when = _("so far") if time is None else _("by {duration}", duration=format_duration(time, data.study.time.unit))
    how = _("as counted, since no landmark can be read in every arm") if time is None else _("the patient's death competes, and the intervals allow for lesions of one patient being alike")
    said = _("Of the treated lesions, {listed} had progressed {when}; {how}.", listed=joined(parts), when=when, how=how)
    return said if "lesion_control_test" not in control else say_verdict(data.study, said, *_lesion_verdict(control), differ=below(control["lesion_control_test"]["p_value"].iat[0]))


def _last_landmark(control: LesionControl) -> float | None:
    """The last landmark that can be read in every arm, of those with enough lesions at risk if there are any."""
    read = control["lesion_control"].groupby("time").agg(known=("estimate", "count"), arms=("estimate", "size"), left=("n_risk", "min"))
    read = read[read["known"] == read["arms"]]
    enough = read[read["left"] >= control.dataset.study.policy.min_at_risk]
    return max(enough.index if len(enough) else read.index, default=None)


def _lesion_verdict(control: LesionControl) -> tuple[str, str]:
    """What the robust test says, and the ratio of the pair that carries the question, else of the first."""
    data, ratios, test = control.dataset, control["lesion_control_cox"], control["lesion_control_test"].iloc[0]
    several = len(ratios) > 1
    verdict = say_arms(data, OverallTest(_("robust log-rank"), test["p_value"], test["note"], plural(test["n_events"], "lesion")), ratios if several else None, _("the rates of progression"))
    asked = where(ratios, group=name_pair(*data.contrast))
    row = (asked if len(asked) else ratios).iloc[0]
    if pd.isna(test["p_value"]):
        return verdict, ""
    p = row["p_value"] if several else test["p_value"]
    effect = Estimate(
        pair_label(data, row["group"]), row["hr"], row["ci_low"], row["ci_high"], data.parameters.level,
        p_value=p, p_adjusted=row["p_adjusted"] if several else p, several=several, name=_("cause-specific hazard ratio"), note=row["note"],
    )  # fmt: skip
    return verdict, say_effect(effect)


@reason_if_absent
def sentence_dose(dose: DoseResponse) -> str:
    """What goes with ten more Gy of D90, in control and in volume."""
    data, control = dose.dataset, dose["dose_control"].iloc[0]
    unit, step = data.study.time.unit, _("{step} Gy more D90", step=format_given(STEP))
    if pd.isna(control["odds_ratio"]):
        said = _("Control is not related to dose: {plain_note}.", plain_note=plain_note(control['note']))
    else:
        grown = _("{n_events} of {control} in {n_patients} had progressed by then, others may have been followed for less or died", n_events=format_whole(control['n_events']), control=counted(control), n_patients=plural(control['n_patients'], 'patient'))
        said = _("With {step} the odds of control at {duration} are multiplied by {multiplied}; {grown}.", step=step, duration=format_duration(control['time'], unit), multiplied=_multiplied(data, control, 'odds_ratio'), grown=grown)
    known = dose["dose_volume"][dose["dose_volume"]["ratio"].notna()]
    parts = [
        _("{multiplied} at {duration} ({row} in {n_patients})", multiplied=_multiplied(data, row, 'ratio'), duration=format_duration(row['time'], unit), row=counted(row), n_patients=plural(row['n_patients'], 'patient'))
        for row in known.to_dict("records")
    ]
    volume = _(" The volume of a lesion, as a share of its baseline, is multiplied by {listed}.", listed=joined(parts)) if parts else ""
    warning = _(" Doses were chosen lesion by lesion, so this describes and does not show what dose does.") if parts or pd.notna(control["odds_ratio"]) else ""
    return said + volume + warning


def _multiplied(data: Dataset, row: pd.Series | dict, column: str) -> str:
    interval = _("no interval") if pd.isna(row["ci_low"]) else _("; ").join([format_ci(data.parameters.level, row["ci_low"], row["ci_high"], 2), format_p(row["p_value"], symbol=True)])
    return _("{label} ({note})", label=format_number(row[column], 2), note=interval)


@reason_if_absent
def sentence_criteria(criteria: Criteria) -> str:
    """Whether the verdict on the response hangs on the criteria, visit by visit."""
    data = criteria.dataset
    if len(data.arms) < 2:
        return ""
    tests = criteria["criteria_test"].dropna(subset=["p_value"]) if "criteria_test" in criteria else pd.DataFrame(columns=["variable", "time", "p_value"])
    declared = tests[tests["variable"] == DECLARED].set_index("time")["p_value"]
    said = [_by_criteria(data, time, tests[tests["time"] == time], p) for time, p in declared.items()]
    said += [_cannot_compare(criteria, name) for name in not_compared(criteria)]
    return in_a_row(said) or _("By no criteria could the response of the arms be compared.")


def _cannot_compare(criteria: Criteria, name: str) -> str:
    """Criteria that can assess too few patients of an arm: whom they can, at the first visit."""
    data, rows = criteria.dataset, where(criteria["criteria_evaluable"], variable=name)
    rows = rows[rows["time"] == rows["time"].min()].set_index("group")
    parts = [_("{share} with {arm}", share=said_share(rows.at[arm.id, 'count'], rows.at[arm.id, 'n']), arm=arm.label) for arm in data.arms]
    when = format_duration(rows["time"].iat[0], data.study.time.unit)
    return _("{criteria_label} cannot compare the arms: at {when} only {listed} have what these criteria can assess.", criteria_label=capitalised(criteria_label(data, name)), when=when, listed=joined(parts))


def _by_criteria(data: Dataset, time: float, tests: pd.DataFrame, declared: float) -> str:
    """What other criteria make of the verdict at one visit."""
    others = tests[tests["variable"] != DECLARED]
    when, verdict = format_duration(time, data.study.time.unit), _("tell the arms apart") if below(declared) else _("do not tell the arms apart")
    start = _("At {when} the declared criteria {verdict} ({p})", when=when, verdict=verdict, p=format_p(declared, symbol=True))
    if others.empty:
        return _("{start}; no others could be applied.", start=start)
    turned = others[others["p_value"].map(below) != below(declared)]
    shown = joined([_("{label} ({note})", label=inside(criteria_label(data, r.variable)), note=format_p(r.p_value, symbol=True)) for r in (others if turned.empty else turned).itertuples()])
    if turned.empty:
        return _("{start}, and so do {shown}.", start=start, shown=shown) if below(declared) else _("{start}, nor do {shown}.", start=start, shown=shown)
    return _("{start}; by {shown} the verdict is the other one, so it depends on how a response is defined.", start=start, shown=shown)
