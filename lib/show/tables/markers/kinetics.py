"""How fast a marker changes, when it rose, and what stands in its place -> tables. Computes nothing."""

from __future__ import annotations

__all__ = ["table_kinetics", "table_rises", "table_slopes", "table_surrogate"]

import pandas as pd

from lib.analyses.efficacy.kinetics import (
    DIED,
    DOUBLING,
    FELL,
    FREE,
    RISEN,
    RISING,
    ROSE,
    STABLE,
    UNKNOWN,
    Rises,
    Slopes,
    Trends,
)
from lib.analyses.result import where
from lib.languages.notes import worded
from lib.languages.speech import N_, _
from lib.show.display import Column, Row, Table, empty_if_absent, internal_only
from lib.show.formats import (
    DASH,
    capitalised,
    format_given,
    format_interval,
    format_number,
    format_p,
    format_percent,
    format_whole,
)
from lib.show.labels import decimals_of_time, groups_of, level_text, pace, pair_label, rise_rule
from lib.show.phrases import format_duration, unit_name
from lib.show.tables.parts import arm_columns, cells, count_cell, format_rate, notes_by_arm, visit_label


@empty_if_absent
def table_kinetics(slopes: Slopes) -> Table:
    """How fast a marker changes, by arm: doubling times at the quartiles, velocity, who rises and doubles soon, who has no slope."""
    data, name = slopes.dataset, slopes.variable
    marker, groups, unit = data.study.marker(name), groups_of(data), data.study.time.unit
    rows = [Row((_("Patients with a slope"), *cells(slopes[f"{name}_slope"], groups, lambda r: format_whole(r["n"]))))]
    for column, label in (("q1", _("First quartile of slopes")), ("median", _("Median")), ("q3", _("Third quartile"))):
        rows.append(Row((label, *cells(slopes[f"{name}_doubling_time"], groups, lambda r, c=column: pace(data, r[c]) if r["n"] else DASH)), "sub"))
    velocity = slopes[f"{name}_velocity"]
    rows.append(Row((_("Velocity, {unit} per {per}", unit=marker.unit, per=unit_name(unit.removesuffix('s'))), *cells(velocity, groups, _quartiles))))
    for what, label in ((RISING, _("The value rises")), (DOUBLING, _("It doubles in less than {{limit}}"))):
        own = where(slopes[f"{name}_kinetics"], variable=f"{name}: {what}")
        # From the lowest value on nearly every slope is upwards, so that they are says nothing.
        if len(own) and not (what == RISING and marker.kinetics.since == "nadir"):
            limit = format_duration(marker.kinetics.doubling_below, unit) if what == DOUBLING else ""
            rows.append(Row((label.format(limit=limit), *cells(own, groups, format_rate))))
    reasons = slopes[f"{name}_no_slope"]
    rows += [Row((_("No slope"),), "group")] if len(reasons) else []
    for variable, own in reasons.groupby("variable", sort=False):
        rows.append(Row((capitalised(variable.removeprefix(f"{name}: ")), *cells(own, groups, count_cell)), "sub"))
    least = marker.kinetics
    since = _("the baseline sample") if least.since == "baseline" else _("the lowest value, so that a slope is seldom downwards,")
    notes = (
        _(
            "A straight line through the logarithm of each patient's values from {since} on: at least {min_values} of them over at least {min_days} "
            "days, all samples that count, at visits or not. Values beyond a limit of the assay are not measured and left out.",
            since=since, min_values=least.min_values, min_days=least.min_days,
        ),
        _("Velocity: the same line through the values themselves; median (first to third quartile). Shares: exact {level} CI in %.", level=level_text(data)),
        *_slope_tests(slopes),
    )
    return Table(f"{name}_kinetics", _("{marker}: how fast it changes", marker=marker.label), (Column(_("Patient by patient")), *arm_columns(data)), tuple(rows), notes)


def _quartiles(row: pd.Series) -> str:
    return f"{format_number(row['median'], 2)} ({format_interval(row['q1'], row['q3'], 2)})" if row["n"] else DASH


def _slope_tests(slopes: Slopes) -> list[str]:
    """Comparisons of the slopes of the arms, as notes."""
    data, name, said = slopes.dataset, slopes.variable, []
    if f"{name}_slope_between" not in slopes:
        return said
    test = slopes[f"{name}_slope_between"].iloc[0]
    said.append(_("Slopes of all arms, Kruskal-Wallis: {value}.", value=worded(test['note']) or format_p(test['p_value'], symbol=True)))
    unit = data.study.time.unit.removesuffix("s")
    for row in slopes[f"{name}_slope_shift"].to_dict("records"):
        if pd.isna(row["ratio"]):
            said.append(_("{pair_label}: {note}.", pair_label=pair_label(data, row['group']), note=worded(row['note'])))
            continue
        ratio = f"{format_number(row['ratio'], 2)} ({format_interval(row['ci_low'], row['ci_high'], 2)})"
        said.append(_("{pair_label}: values grow {ratio} times as much per {unit} (Hodges-Lehmann, {level} CI), rank-sum {p}.", pair_label=pair_label(data, row['group']), ratio=ratio, unit=unit_name(unit), level=level_text(data), p=format_p(row['p_value'], symbol=True)))
    return said


@internal_only("listing", "the listing of doubling times by patient")
@empty_if_absent
def table_slopes(slopes: Slopes) -> Table:
    """Doubling or halving time and velocity of each patient, with their intervals; the fastest rise first in each arm."""
    data, name = slopes.dataset, slopes.variable
    marker, unit, decimals, rows = data.study.marker(name), data.study.time.unit, decimals_of_time(data), []
    for own in slopes["slopes"].sort_values(["arm", "slope", "patient_id"], ascending=[True, False, True], kind="stable").to_dict("records"):
        known = not pd.isna(own["doubling_low"])
        low, high = sorted((abs(own["doubling_low"]), abs(own["doubling_high"])))
        limits = format_interval(low, high, decimals) if known else worded(own["note"].removeprefix("no interval: ")) or _("may rise or fall")
        velocity = f"{format_number(own['velocity'], 2)} ({format_interval(own['velocity_low'], own['velocity_high'], 2)})"
        rows.append(Row((str(own["patient_id"]), data.study.arm(str(own["arm"])).label, format_whole(own["n"]), format_number(own["span"], decimals),
                         _("{label} ({note})", label=pace(data, own["doubling"]), note=limits), velocity)))  # fmt: skip
    level = level_text(data)
    columns = (Column(_("Patient")), Column(_("Arm"), text=True), Column(_("Values")), Column(_("Over, {unit}", unit=unit_name(unit))),
               Column(_("Doubling or halving time"), f"{level} CI", text=True), Column(_("Velocity, {unit} per {per}", unit=marker.unit, per=unit_name(unit.removesuffix('s'))), f"{level} CI"))  # fmt: skip
    note = _("Intervals by the t distribution with two degrees of freedom fewer than values; where that of the slope holds 0, the value may rise or fall.")
    return Table(f"{name}_slopes", _("{marker}: doubling time by patient", marker=marker.label), columns, tuple(rows), (note,))


RISE_LABELS = {RISEN: N_("Progressed"), DIED: N_("Died without a recorded progression"), FREE: N_("Neither up to the last sample")}


@empty_if_absent
def table_rises(rises: Rises) -> Table:
    """Progression of a marker: what became of everybody, and the share of each arm by the visits."""
    data, name = rises.dataset, rises.variable
    marker, groups, rows = data.study.marker(name), groups_of(data), []
    for variable, own in rises[f"{name}_rise_count"].groupby("variable", sort=False):
        state = variable.removeprefix(f"{name}: ")
        label = _(RISE_LABELS[state]) if state in RISE_LABELS else _("Not known: {state}", state=worded(state))
        rows.append(Row((label, *cells(own, groups, count_cell))))
    rows.append(Row((_("Cumulative incidence"),), "group"))
    few = data.study.policy.min_at_risk

    def share(row):
        if pd.isna(row["estimate"]):
            return _("not estimable")
        interval = format_interval(row["ci_low"], row["ci_high"], 0, percent=True)
        pale = _(" (few)") if row["n_risk"] < few else ""
        return f"{format_percent(row['estimate'])} ({interval}), n = {format_whole(row['n_risk'])}{pale}"

    for time, own in rises[f"{name}_rise_incidence"].groupby("time"):
        rows.append(Row((_("By {duration}", duration=format_duration(round(time, 1), data.study.time.unit)), *cells(own, groups, share)), "sub"))
    notes = [
        _("Progressed: {rise_rule}. A value below the limit of detection is no rise, and a rise from one counts from that limit.", rise_rule=rise_rule(marker)),
        _(
            "Aalen-Johansen, log-log {level} CI in %; n, patients without it still followed (few: fewer than {few}). Death competes; others are followed "
            "up to their last sample that counts. Times are the ends of the visits' windows, or the last day of the arm that is followed least.",
            level=level_text(data), few=few,
        ),
        *notes_by_arm(data, rises[f"{name}_rise_incidence"]),
    ]
    if f"{name}_rise_test" in rises:
        test = rises[f"{name}_rise_test"].iloc[0]
        notes.append(_("All arms, Gray's test: {value}.", value=worded(test['note']) or format_p(test['p_value'], symbol=True)))
    columns = (Column(_("Patients")), *arm_columns(data))
    return Table(f"{name}_rises", _("{marker}: progression", marker=marker.label), columns, tuple(rows), tuple(notes))


@empty_if_absent
def table_surrogate(trends: Trends) -> Table:
    """Whether the interfering marker fell or rose, of patients in whom the marker itself has no use."""
    data, name = trends.dataset, trends.variable
    marker, groups, rows = data.study.marker(name), groups_of(data), []
    other, limits = data.study.marker(marker.interference.marker), marker.surrogate
    labels = {
        FELL: _("Fell to {fell} times the baseline or less", fell=format_given(limits.fell)), STABLE: _("Neither"),
        ROSE: _("Rose to {rose} times the baseline or more", rose=format_given(limits.rose)), UNKNOWN: _("Not known"),
    }  # fmt: skip
    for state, label in labels.items():
        own = where(trends[f"{name}_surrogate"], variable=f"{name}: {state}")
        rows.append(Row((label, *cells(own, groups, lambda r: f"{format_whole(r['count'])}/{format_whole(r['n'])}"))))
    if f"{name}_surrogate_ratio" in trends:
        rows.append(Row((_("Ratio to baseline, median (first to third quartile)"),), "group"))
        for time, own in trends[f"{name}_surrogate_ratio"].groupby("time"):
            rows.append(Row((visit_label(data, time), *cells(own, groups, lambda r: f"{_quartiles(r)}, n = {format_whole(r['n'])}" if r["n"] else DASH)), "sub"))
    notes = (
        _("Patients whose {marker} has no use, because {other} was above {above} {unit} at any time; their last value against the baseline.", marker=marker.short, other=other.label, above=format_given(marker.interference.above), unit=other.unit),
        _("Not known: no value before or after, or one above the limit of the assay that leaves it open."),
    )
    title = _("{other} in place of {marker}", other=other.label, marker=marker.label)
    return Table(f"{name}_surrogate", title, (Column(_("Last value")), *arm_columns(data)), tuple(rows), notes)
