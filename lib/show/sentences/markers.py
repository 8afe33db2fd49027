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
from lib.languages.notes import worded
from lib.languages.speech import _, in_a_row
from lib.show.formats import (
    MASKED,
    format_given,
    format_interval,
    format_number,
    format_p,
    format_percent,
    format_whole,
    is_masked,
)
from lib.show.labels import counted, everybody, inside, pace, rise_rule
from lib.show.phrases import format_duration, joined, out_of, plural, said_count
from lib.show.sentences.absent import reason_if_absent
from lib.show.sentences.course import GONE
from lib.show.verdict import GRAY, OverallTest, say_arms, say_tests


@reason_if_absent
def sentence_change(analysis: Levels) -> str:
    """Median change at every response visit by arm, and the within-arm tests."""
    return in_a_row([_change_at(analysis, visit) for visit in analysis.dataset.response_visits])


def _change_at(analysis: Levels, visit: float) -> str:
    data = analysis.dataset
    name, parts, quantity = analysis.variable, [], measure(data.study, analysis.variable)
    unit, decimals = ("%", 0) if quantity.change_unit == "%" else (f" {quantity.change_unit}", 1)
    known = False
    for arm in data.arms:
        rows = where(analysis[f"{name}_{quantity.described}"], group=arm.id, time=visit)
        within = where(analysis[f"{name}_within"], group=arm.id, time=visit)
        if rows.empty or within.empty or not rows["n"].iat[0]:
            parts.append(_("no value with {arm}", arm=arm.label))
            continue
        change = _(MASKED) if pd.isna(rows["median"].iat[0]) else f"{format_number(rows['median'].iat[0], decimals)}{unit}"
        whom = plural(rows["n"].iat[0], "patient")
        told = whom if is_masked(within.iloc[0]) else _("{label}, {detail}", label=whom, detail=format_p(within["p_value"].iat[0], symbol=True))
        parts.append(_("{change} with {arm} ({told})", change=change, arm=arm.label, told=told))
        known = True
    if not known:
        return ""
    text = _("{quantity} at {duration}, median change from baseline: {listed}.", quantity=worded(quantity.label), duration=format_duration(visit, data.study.time.unit), listed=joined(parts))
    if f"{name}_between" not in analysis:
        return text
    test = where(analysis[f"{name}_between"], time=visit).iloc[0]
    pairs = where(analysis[f"{name}_pairwise"], time=visit)
    return in_a_row([text, say_arms(data, OverallTest(_('Kruskal-Wallis'), test['p_value'], test['note']), pairs, _('the changes of the arms'))])


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
            parts.append(_("not estimable with {label}", label=label))
        else:
            interval = format_interval(row["ci_low"], row["ci_high"], 2, missing=_("no interval"))
            parts.append(_("{ratio} ({interval}) with {label}", ratio=format_number(row['ratio'], 2), interval=interval, label=label))
    when = format_duration(last, data.study.time.unit)
    sampled = _(" {how}", how=worded(model["sampled"]["said"].iat[0])) if "sampled" in model else ""
    text = _("{measure} at {when} as a ratio to baseline, from the mixed model{sampled}: {listed}.", measure=worded(measure(data.study, name).label), when=when, sampled=sampled, listed=joined(parts))
    if len(data.arms) < 2:
        return text
    test = model[f"{name}_model_term"].set_index("term").loc["arm x visit"]
    return in_a_row([text, say_tests(_('the courses of the arms'), OverallTest(_('F test over all visits'), test['p_value'], test['note']))])


@reason_if_absent
def sentence_lesions(lesions: Lesions) -> str:
    """How many patients have several lesions, and how alike these are."""
    data = lesions.dataset
    several, variance = (
        lesions.row("lesion_volume_several", everybody(data)),
        lesions["lesion_volume_model_variance"].iloc[0],
    )
    return (
        _(
            "{count} of {several} have several target lesions. {model} {correlation} of the variance lies between patients: lesions of one patient are "
            "alike and do not count as so many patients.",
            count=format_whole(several['count']), several=counted(several), model=sentence_model(lesions), correlation=format_percent(variance['correlation']),
        )
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
    text = _("At {when}, {value} of {n} still {en} a value that counts", when=when, value=said_count(value), n=plural(len(data.patients), 'patient'), en='has' if value == 1 else 'have')
    lost = [_(label, count=said_count(counts[state])) for state, label in GONE.items() if counts[state] != 0]
    if lost:
        text += _("; {listed} before, so the medians of later visits describe those who fared better", listed=joined(lost))
    return _("{text}.", text=text)


@reason_if_absent
def sentence_kinetics(slopes: Slopes) -> str:
    """In which time the value of the median patient of each arm doubles or halves, and who doubles soon."""
    data, name = slopes.dataset, slopes.variable
    marker, parts = data.study.marker(name), []
    for arm in data.arms:
        row = slopes.row(f"{name}_doubling_time", arm.id)
        parts.append(_("{pace} with {arm} ({n})", pace=pace(data, row['median']), arm=arm.label, n=plural(row['n'], 'patient')) if row["n"] else _("cannot be told with {arm}", arm=arm.label))
    since = {"baseline": _("baseline"), "nadir": _("its lowest value")}[marker.kinetics.since]
    text = _("{marker} from {since} on, in the patient of the median slope: {listed}.", marker=marker.label, since=since, listed=joined(parts))
    soon = where(slopes[f"{name}_kinetics"], variable=f"{name}: {DOUBLING}", group=everybody(data))
    if len(soon):
        row, limit = soon.iloc[0], format_duration(marker.kinetics.doubling_below, data.study.time.unit)
        text = _("{text} It doubles in less than {limit} in {out_of} {part}.", text=text, limit=limit, out_of=out_of(row['count'], row['n']), part=_("patient") if row['n'] == 1 else _("patients"))
    if f"{name}_slope_between" not in slopes:
        return text
    test = slopes[f"{name}_slope_between"].iloc[0]
    return in_a_row([text, say_arms(data, OverallTest(_('Kruskal-Wallis'), test['p_value'], test['note']), slopes[f'{name}_slope_pairwise'], _('the slopes of the arms'))])


@reason_if_absent
def sentence_rises(rises: Rises) -> str:
    """Share of each arm in whom the marker progressed by the last visit at which it can be told."""
    data, name = rises.dataset, rises.variable
    marker, frame = data.study.marker(name), rises[f"{name}_rise_incidence"]
    known = frame[frame["n_risk"] >= data.study.policy.min_at_risk].groupby("time")["group"].nunique()
    enough = known[known == len(data.arms)]
    end = enough.index.max() if len(enough) else frame["time"].min()
    parts = [
        _("{estimate} with {arm}", estimate=format_percent(row['estimate']), arm=data.study.arm(row['group']).label)
        if pd.notna(row["estimate"]) else _("not estimable with {arm}", arm=data.study.arm(row['group']).label)
        for row in where(frame, time=end).to_dict("records")
    ]  # fmt: skip
    when = format_duration(round(end, 1), data.study.time.unit)
    text = _("By {when} {marker} had risen to {rise_rule} in {listed} (cumulative incidence; death competes).", when=when, marker=inside(marker.label), rise_rule=rise_rule(marker), listed=joined(parts))
    if f"{name}_rise_test" not in rises:
        return text
    test = rises[f"{name}_rise_test"].iloc[0]
    return in_a_row([text, say_arms(data, OverallTest(_(GRAY), test['p_value'], test['note']))])


@reason_if_absent
def sentence_surrogate(trends: Trends) -> str:
    """Of how many patients the interfering marker stands for the marker, and in how many it fell or rose."""
    data, name = trends.dataset, trends.variable
    marker, frame = data.study.marker(name), trends[f"{name}_surrogate"]
    other = data.study.marker(marker.interference.marker)
    counts = {state: where(frame, variable=f"{name}: {state}")["count"].sum() for state in TRENDS}
    n = sum(counts.values())
    unknown = _(", and {counts} cannot be told", counts=format_whole(counts[UNKNOWN])) if counts[UNKNOWN] else ""
    return (
        _(
            "In {n} {marker} cannot be used. Of their {other}, followed in its place, the last value had fallen to {fell} times the baseline or less in "
            "{out_of} and risen to {rose} times or more in {out_of2}{unknown}.",
            n=plural(n, 'patient'), marker=inside(marker.label), other=inside(other.label), fell=format_given(marker.surrogate.fell), out_of=out_of(counts[FELL], n), rose=format_given(marker.surrogate.rose), out_of2=out_of(counts[ROSE], n), unknown=unknown,
        )
    )
