"""Sentences on markers and lesions: change within and between arms, presence, models."""

from __future__ import annotations

__all__ = [
    "sentence_change", "sentence_kinetics", "sentence_lesions", "sentence_model", "sentence_presence", "sentence_rises",
    "sentence_surrogate",
]  # fmt: skip

import pandas as pd

from lib.analyses.efficacy.kinetics import DOUBLING, FELL, ROSE, TRENDS, UNKNOWN, Rises, Slopes, Trends
from lib.analyses.efficacy.lesions import Lesions
from lib.analyses.efficacy.marker_models import Presence, Ratios
from lib.analyses.efficacy.markers import Levels, measure
from lib.analyses.result import where
from lib.show.formats import (
    format_duration,
    format_given,
    format_interval,
    format_number,
    format_p,
    format_percent,
    format_whole,
    is_masked,
    joined,
    out_of,
    plural,
    said_count,
)
from lib.show.labels import counted, everybody, inside, pace, rise_rule
from lib.show.sentences.absent import reason_if_absent
from lib.show.sentences.course import GONE
from lib.show.verdict import GRAY, OverallTest, say_arms, say_tests


@reason_if_absent
def sentence_change(analysis: Levels) -> str:
    """Median change at every response visit by arm, and the within-arm tests."""
    return " ".join(filter(None, [_change_at(analysis, visit) for visit in analysis.dataset.response_visits]))


def _change_at(analysis: Levels, visit: float) -> str:
    data = analysis.dataset
    name, parts, quantity = analysis.variable, [], measure(data.study, analysis.variable)
    unit, decimals = ("%", 0) if quantity.change_unit == "%" else (f" {quantity.change_unit}", 1)
    for arm in data.arms:
        rows = where(analysis[f"{name}_{quantity.described}"], group=arm.id, time=visit)
        within = where(analysis[f"{name}_within"], group=arm.id, time=visit)
        if rows.empty or within.empty or not rows["n"].iat[0]:
            parts.append(f"no value with {arm.label}")
            continue
        change = "masked" if pd.isna(rows["median"].iat[0]) else f"{format_number(rows['median'].iat[0], decimals)}{unit}"
        p = "" if is_masked(within.iloc[0]) else f", {format_p(within['p_value'].iat[0], symbol=True)}"
        parts.append(f"{change} with {arm.label} ({plural(rows['n'].iat[0], 'patient')}{p})")
    if all(part.startswith("no value") for part in parts):
        return ""
    text = f"{quantity.label} at {format_duration(visit, data.study.time.unit)}, median change from baseline: {joined(parts)}."
    if f"{name}_between" not in analysis:
        return text
    test = where(analysis[f"{name}_between"], time=visit).iloc[0]
    pairs = where(analysis[f"{name}_pairwise"], time=visit)
    return f"{text} {say_arms(data, OverallTest('Kruskal-Wallis', test['p_value'], test['note']), pairs, 'the changes of the arms')}"


@reason_if_absent
def sentence_model(model: Ratios) -> str:
    """Ratio to baseline by arm at the last visit at which none has few values, and whether the courses differ."""
    data = model.dataset
    name, parts = model.variable, []
    frame, fewest = model[f"{name}_model_ratio"], model[f"{name}_model_count"].groupby("time")["n"].min()
    times = frame["time"].unique()
    last = max((time for time in times if fewest[time] >= data.study.policy.min_at_risk), default=max(times))
    for row in where(frame, time=last).to_dict("records"):
        label = data.study.arm(row["group"]).label
        if pd.isna(row["ratio"]):
            parts.append(f"not estimable with {label}")
        else:
            interval = format_interval(row["ci_low"], row["ci_high"], 2, missing="no interval")
            parts.append(f"{format_number(row['ratio'], 2)} ({interval}) with {label}")
    when = format_duration(last, data.study.time.unit)
    sampled = f" {model['sampled']['said'].iat[0]}" if "sampled" in model else ""
    text = f"{measure(data.study, name).label} at {when} as a ratio to baseline, from the mixed model{sampled}: {joined(parts)}."
    if len(data.arms) < 2:
        return text
    test = model[f"{name}_model_term"].set_index("term").loc["arm x visit"]
    return f"{text} {say_tests('the courses of the arms', OverallTest('F test over all visits', test['p_value'], test['note']))}"


@reason_if_absent
def sentence_lesions(lesions: Lesions) -> str:
    """How many patients have several lesions, and how alike these are."""
    data = lesions.dataset
    several, variance = (
        lesions.row("lesion_volume_several", everybody(data)),
        lesions["lesion_volume_model_variance"].iloc[0],
    )
    return (
        f"{format_whole(several['count'])} of {counted(several)} have several target lesions. {sentence_model(lesions)} "
        f"{format_percent(variance['correlation'])} of the variance lies between patients: lesions of one patient are alike and do not count as so many patients."
    )


@reason_if_absent
def sentence_presence(presence: Presence) -> str:
    """How many patients have a value at the last visit."""
    data = presence.dataset
    name = presence.variable
    frame = presence[f"{name}_presence"]
    at_last = where(frame, time=frame["time"].max(), group=everybody(data))
    counts = at_last.set_index(at_last["variable"].str.removeprefix(f"{name}: "))["count"]
    when, value = format_duration(frame["time"].max(), data.study.time.unit), counts["value"]
    text = f"At {when}, {said_count(value)} of {plural(len(data.patients), 'patient')} still {'has' if value == 1 else 'have'} a value that counts"
    lost = [f"{said_count(counts[state])} {label}" for state, label in GONE.items() if counts[state] != 0]
    if lost:
        text += f"; {joined(lost)} before, so the medians of later visits describe those who fared better"
    return f"{text}."


@reason_if_absent
def sentence_kinetics(slopes: Slopes) -> str:
    """In which time the value of the median patient of each arm doubles or halves, and who doubles soon."""
    data, name = slopes.dataset, slopes.variable
    marker, parts = data.study.marker(name), []
    for arm in data.arms:
        row = slopes.row(f"{name}_doubling_time", arm.id)
        parts.append(f"{pace(data, row['median'])} with {arm.label} ({plural(row['n'], 'patient')})" if row["n"] else f"cannot be told with {arm.label}")
    since = {"baseline": "baseline", "nadir": "its lowest value"}[marker.kinetics.since]
    text = f"{marker.label} from {since} on, in the patient of the median slope: {joined(parts)}."
    soon = where(slopes[f"{name}_kinetics"], variable=f"{name}: {DOUBLING}", group=everybody(data))
    if len(soon):
        row, limit = soon.iloc[0], format_duration(marker.kinetics.doubling_below, data.study.time.unit)
        text = f"{text} It doubles in less than {limit} in {out_of(row['count'], row['n'])} {'patient' if row['n'] == 1 else 'patients'}."
    if f"{name}_slope_between" not in slopes:
        return text
    test = slopes[f"{name}_slope_between"].iloc[0]
    return f"{text} {say_arms(data, OverallTest('Kruskal-Wallis', test['p_value'], test['note']), slopes[f'{name}_slope_pairwise'], 'the slopes of the arms')}"


@reason_if_absent
def sentence_rises(rises: Rises) -> str:
    """Share of each arm in whom the marker progressed by the last visit at which it can be told."""
    data, name = rises.dataset, rises.variable
    marker, frame = data.study.marker(name), rises[f"{name}_rise_incidence"]
    known = frame[frame["n_risk"] >= data.study.policy.min_at_risk].groupby("time")["group"].nunique()
    enough = known[known == len(data.arms)]
    end = enough.index.max() if len(enough) else frame["time"].min()
    parts = [
        f"{format_percent(row['estimate'])} with {data.study.arm(row['group']).label}"
        if pd.notna(row["estimate"]) else f"not estimable with {data.study.arm(row['group']).label}"
        for row in where(frame, time=end).to_dict("records")
    ]  # fmt: skip
    when = format_duration(round(end, 1), data.study.time.unit)
    text = f"By {when} {inside(marker.label)} had risen to {rise_rule(marker)} in {joined(parts)} (cumulative incidence; death competes)."
    if f"{name}_rise_test" not in rises:
        return text
    test = rises[f"{name}_rise_test"].iloc[0]
    return f"{text} {say_arms(data, OverallTest(GRAY, test['p_value'], test['note']))}"


@reason_if_absent
def sentence_surrogate(trends: Trends) -> str:
    """Of how many patients the interfering marker stands for the marker, and in how many it fell or rose."""
    data, name = trends.dataset, trends.variable
    marker, frame = data.study.marker(name), trends[f"{name}_surrogate"]
    other = data.study.marker(marker.interference.marker)
    counts = {state: where(frame, variable=f"{name}: {state}")["count"].sum() for state in TRENDS}
    n = sum(counts.values())
    unknown = f", and {format_whole(counts[UNKNOWN])} cannot be told" if counts[UNKNOWN] else ""
    return (
        f"In {plural(n, 'patient')} {inside(marker.label)} cannot be used. Of their {inside(other.label)}, followed in its place, the last value "
        f"had fallen to {format_given(marker.surrogate.fell)} times the baseline or less in {out_of(counts[FELL], n)} and risen to "
        f"{format_given(marker.surrogate.rose)} times or more in {out_of(counts[ROSE], n)}{unknown}."
    )
