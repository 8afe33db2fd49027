"""Laboratory values -> tables: against their limits, Hy's law; how fast a marker changes, and when it rose. Computes nothing."""

from __future__ import annotations

__all__ = [
    "table_kinetics", "table_lab_overview", "table_lab_shift", "table_liver", "table_liver_cases", "table_rises", "table_slopes",
    "table_surrogate",
]  # fmt: skip

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
from lib.analyses.safety.laboratory import CASE, MISSING, QUADRANTS, Laboratory, watched
from lib.dataset.dataset import Dataset
from lib.show.display import EMPTY, Block, Column, Row, Table, empty_if_absent, internal_only
from lib.show.formats import (
    DASH,
    capitalised,
    format_duration,
    format_given,
    format_interval,
    format_number,
    format_p,
    format_percent,
    format_whole,
    joined,
)
from lib.show.labels import decimals_of_time, groups_of, level_text, pace, pair_label, rise_rule, unit_label
from lib.show.tables.parts import arm_columns, cells, count_cell, format_rate, notes_by_arm, visit_label

LIMITS = "Limits: those beside the sample, else of the study. Worst and highest: of all samples in the time at risk."


def _words(category: str) -> str:
    return category[0].upper() + category[1:]


@empty_if_absent
def table_lab_overview(laboratory: Laboratory) -> Table:
    """Patients whose value became worse than at baseline, and the highest multiples, one block per value."""
    data = laboratory.dataset
    groups, rows = groups_of(data), []
    for marker in watched(data):
        rows.append(Row((f"{marker.label}, {marker.unit}",), "group"))
        worse = where(laboratory["lab_worse"], variable=marker.id)
        rows.append(Row(("Worse than at baseline", *cells(worse, groups, format_rate)), "sub"))
        for period in ("baseline", "highest") if marker.reference.high else ():
            peaks = where(laboratory["lab_peak"], variable=f"{marker.id}: {period}")
            label = f"{_words(period)}, multiple of the upper limit: median (quartiles; range)"
            rows.append(Row((label, *cells(peaks, groups, _spread)), "sub"))
    columns = (Column("Laboratory value"), *arm_columns(data))
    notes = (
        f"Worse: {unit_label(laboratory['lab_worse'])}/those with a sample at baseline and at risk (%); exact {level_text(data)} CI in %. {LIMITS}",
    )
    return Table("lab_overview", "Laboratory values at baseline and at their worst", columns, tuple(rows), notes)


def _spread(row) -> str:
    if not row["n"]:
        return "no sample"
    quartiles, ends = (format_interval(row[a], row[b], 1) for a, b in (("q1", "q3"), ("min", "max")))
    return f"{format_number(row['median'], 1)} ({quartiles}; {ends})"


@empty_if_absent
def table_lab_shift(laboratory: Laboratory) -> list[Table]:
    """One table per laboratory value: category at baseline against the worst at risk, every treated patient."""
    data = laboratory.dataset
    return [_shift(data, laboratory, marker) for marker in watched(data)]


def _shift(data: Dataset, laboratory: Laboratory, marker) -> Table:
    frame = laboratory["lab_shift"]
    frame = frame[frame["variable"].str.startswith(f"{marker.id}: ")]
    ends = frame["variable"].str.removeprefix(f"{marker.id}: ").str.split(" -> ", expand=True)
    frame = frame.assign(before=ends[0], after=ends[1])
    shown = list(dict.fromkeys(frame["after"]))
    rows = []
    for arm in data.arms:
        rows.append(Row((f"{arm.label} (n = {data.n[arm.id]})",), "group"))
        for before in dict.fromkeys(frame["before"]):
            counts = where(frame, group=arm.id, before=before).set_index("after")["count"]
            rows.append(Row((_words(before), *(format_whole(counts[after]) for after in shown)), "sub"))
    columns = (
        Column("At baseline"),
        *(Column(_words(after), "worst at risk" if after != MISSING else "at risk") for after in shown),
    )
    return Table(
        f"lab_shift_{marker.id}",
        f"{marker.label}: from baseline to the worst",
        columns,
        tuple(rows),
        _scale_notes(marker, unit_label(frame), data.study.by_design.entered),
    )


def _scale_notes(marker, units: str, entered: str) -> tuple[str, ...]:
    limits = marker.reference
    if limits.grades_above:
        steps = ", ".join(f"{grade} above {format_given(times)}" for grade, times in enumerate(limits.grades_above, start=1))
        scale = f"Grade by multiples of the upper limit: {steps}."
    else:
        told = [
            f"{word} {format_given(limit)}" for word, limit in (("lower", limits.low), ("upper", limits.high)) if limit is not None
        ]
        scale = f"Limits of the study, {marker.unit}: {joined(told)}."
    return (f"{units.capitalize()}; all {entered}, each once. {scale} {LIMITS}",)


@empty_if_absent
def table_liver(laboratory: Laboratory) -> Table | Block:
    """Patients by highest transaminase and bilirubin, and those who meet the biochemical criteria of Hy's law."""
    data = laboratory.dataset
    if "liver_quadrant" not in laboratory:
        return EMPTY
    groups, rows = groups_of(data), []
    for name, label in QUADRANTS.items():
        part = where(laboratory["liver_quadrant"], variable=name)
        rows.append(Row((label, *cells(part, groups, lambda r: f"{format_whole(r['count'])}/{format_whole(r['n'])}"))))
    cases = where(laboratory["liver_hys_law"], variable=CASE)
    rows.append(Row(("Biochemical criteria of Hy's law", *cells(cases, groups, format_rate))))
    columns = (Column("Highest values at risk"), *arm_columns(data))
    phosphatase = data.study.liver.alkaline_phosphatase
    cholestasis = (
        "no alkaline phosphatase of twice its limit or more up to then"
        if phosphatase
        else "the study has no alkaline phosphatase, so cholestasis cannot be ruled out"
    )
    notes = (
        f"{unit_label(laboratory['liver_quadrant']).capitalize()}/those with both tests at risk. High: a transaminase of 3 times the upper limit or more, a bilirubin above twice it.",
        f"Hy's law: such a transaminase, such a bilirubin within 30 days of it, and {cholestasis} (exact {level_text(data)} CI in %). Whether the drug was the cause is for a clinician to judge: viral hepatitis, liver metastases and biliary obstruction do the same.",
    )  # fmt: skip
    return Table("liver", "Liver tests: Hy's law", columns, tuple(rows), notes)


@internal_only("listing", "the listing of patients with high liver tests")
@empty_if_absent
def table_liver_cases(laboratory: Laboratory) -> Table | Block:
    """Every patient with a high transaminase or bilirubin: for the safety physician."""
    data = laboratory.dataset
    if "peaks" not in laboratory:
        return EMPTY
    peaks = laboratory["peaks"]
    found = peaks[peaks["quadrant"].isin(["hy", "temple", "cholestasis"])]
    if found.empty:
        return EMPTY
    tests = ("transaminase", "bilirubin", "alkaline_phosphatase")
    rows = [
        Row((str(p["patient_id"]), data.study.arm(str(p["arm"])).label, QUADRANTS[p["quadrant"]],
             *(format_number(p[test], 1) for test in tests), "yes" if p[CASE] else "no"))
        for p in found.sort_values(["arm", "patient_id"], kind="stable").to_dict("records")
    ]  # fmt: skip
    columns = (Column("Patient"), Column("Arm", text=True), Column("Pattern", text=True),
               *(Column(_words(test.replace("_", " ")), "highest, × upper limit") for test in tests), Column("Hy's law"))  # fmt: skip
    return Table("liver_cases", "Patients with high liver tests", columns, tuple(rows))


@empty_if_absent
def table_kinetics(slopes: Slopes) -> Table:
    """How fast a marker changes, by arm: doubling times at the quartiles, velocity, who rises and doubles soon, who has no slope."""
    data, name = slopes.dataset, slopes.variable
    marker, groups, unit = data.study.marker(name), groups_of(data), data.study.time.unit
    rows = [Row(("Patients with a slope", *cells(slopes[f"{name}_slope"], groups, lambda r: format_whole(r["n"]))))]
    for column, label in (("q1", "First quartile of slopes"), ("median", "Median"), ("q3", "Third quartile")):
        rows.append(Row((label, *cells(slopes[f"{name}_doubling_time"], groups, lambda r, c=column: pace(data, r[c]) if r["n"] else DASH)), "sub"))
    velocity = slopes[f"{name}_velocity"]
    rows.append(Row((f"Velocity, {marker.unit} per {unit.removesuffix('s')}", *cells(velocity, groups, _quartiles))))
    for what, label in ((RISING, "The value rises"), (DOUBLING, "It doubles in less than {limit}")):
        own = where(slopes[f"{name}_kinetics"], variable=f"{name}: {what}")
        # From the lowest value on nearly every slope is upwards, so that they are says nothing.
        if len(own) and not (what == RISING and marker.kinetics.since == "nadir"):
            limit = format_duration(marker.kinetics.doubling_below, unit) if what == DOUBLING else ""
            rows.append(Row((label.format(limit=limit), *cells(own, groups, format_rate))))
    reasons = slopes[f"{name}_no_slope"]
    rows += [Row(("No slope",), "group")] if len(reasons) else []
    for variable, own in reasons.groupby("variable", sort=False):
        rows.append(Row((capitalised(variable.removeprefix(f"{name}: ")), *cells(own, groups, count_cell)), "sub"))
    least = marker.kinetics
    since = "the baseline sample" if least.since == "baseline" else "the lowest value, so that a slope is seldom downwards,"
    notes = (
        f"A straight line through the logarithm of each patient's values from {since} on: at least {least.min_values} of them over at least {least.min_days} days, all samples that count, at visits or not. Values beyond a limit of the assay are not measured and left out.",
        f"Velocity: the same line through the values themselves; median (first to third quartile). Shares: exact {level_text(data)} CI in %.",
        *_slope_tests(slopes),
    )
    return Table(f"{name}_kinetics", f"{marker.label}: how fast it changes", (Column("Patient by patient"), *arm_columns(data)), tuple(rows), notes)


def _quartiles(row: pd.Series) -> str:
    return f"{format_number(row['median'], 2)} ({format_interval(row['q1'], row['q3'], 2)})" if row["n"] else DASH


def _slope_tests(slopes: Slopes) -> list[str]:
    """Comparisons of the slopes of the arms, as notes."""
    data, name, said = slopes.dataset, slopes.variable, []
    if f"{name}_slope_between" not in slopes:
        return said
    test = slopes[f"{name}_slope_between"].iloc[0]
    said.append(f"Slopes of all arms, Kruskal-Wallis: {test['note'] or format_p(test['p_value'], symbol=True)}.")
    unit = data.study.time.unit.removesuffix("s")
    for row in slopes[f"{name}_slope_shift"].to_dict("records"):
        if pd.isna(row["ratio"]):
            said.append(f"{pair_label(data, row['group'])}: {row['note']}.")
            continue
        ratio = f"{format_number(row['ratio'], 2)} ({format_interval(row['ci_low'], row['ci_high'], 2)})"
        said.append(f"{pair_label(data, row['group'])}: values grow {ratio} times as much per {unit} (Hodges-Lehmann, {level_text(data)} CI), rank-sum {format_p(row['p_value'], symbol=True)}.")
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
        limits = format_interval(low, high, decimals) if known else own["note"].removeprefix("no interval: ") or "may rise or fall"
        velocity = f"{format_number(own['velocity'], 2)} ({format_interval(own['velocity_low'], own['velocity_high'], 2)})"
        rows.append(Row((str(own["patient_id"]), data.study.arm(str(own["arm"])).label, format_whole(own["n"]), format_number(own["span"], decimals),
                         f"{pace(data, own['doubling'])} ({limits})", velocity)))  # fmt: skip
    level = level_text(data)
    columns = (Column("Patient"), Column("Arm", text=True), Column("Values"), Column(f"Over, {unit}"),
               Column("Doubling or halving time", f"{level} CI", text=True), Column(f"Velocity, {marker.unit} per {unit.removesuffix('s')}", f"{level} CI"))  # fmt: skip
    note = "Intervals by the t distribution with two degrees of freedom fewer than values; where that of the slope holds 0, the value may rise or fall."
    return Table(f"{name}_slopes", f"{marker.label}: doubling time by patient", columns, tuple(rows), (note,))


RISE_LABELS = {RISEN: "Progressed", DIED: "Died before", FREE: "Neither up to the last sample"}


@empty_if_absent
def table_rises(rises: Rises) -> Table:
    """Progression of a marker: what became of everybody, and the share of each arm by the visits."""
    data, name = rises.dataset, rises.variable
    marker, groups, rows = data.study.marker(name), groups_of(data), []
    for variable, own in rises[f"{name}_rise_count"].groupby("variable", sort=False):
        state = variable.removeprefix(f"{name}: ")
        label = RISE_LABELS.get(state) or f"Not known: {state}"
        rows.append(Row((label, *cells(own, groups, count_cell))))
    rows.append(Row(("Cumulative incidence",), "group"))
    few = data.study.policy.min_at_risk

    def share(row):
        if pd.isna(row["estimate"]):
            return "not estimable"
        interval = format_interval(row["ci_low"], row["ci_high"], 0, percent=True)
        pale = " (few)" if row["n_risk"] < few else ""
        return f"{format_percent(row['estimate'])} ({interval}), n = {format_whole(row['n_risk'])}{pale}"

    for time, own in rises[f"{name}_rise_incidence"].groupby("time"):
        rows.append(Row((f"By {format_duration(round(time, 1), data.study.time.unit)}", *cells(own, groups, share)), "sub"))
    notes = [
        f"Progressed: {rise_rule(marker)}. A value below the limit of detection is no rise, and a rise from one counts from that limit.",
        f"Aalen-Johansen, log-log {level_text(data)} CI in %; n, patients without it still followed (few: fewer than {few}). Death competes; others are followed up to their last sample that counts. Times are the ends of the visits' windows, or the last day of the arm that is followed least.",
        *notes_by_arm(data, rises[f"{name}_rise_incidence"]),
    ]
    if f"{name}_rise_test" in rises:
        test = rises[f"{name}_rise_test"].iloc[0]
        notes.append(f"All arms, Gray's test: {test['note'] or format_p(test['p_value'], symbol=True)}.")
    columns = (Column("Patients"), *arm_columns(data))
    return Table(f"{name}_rises", f"{marker.label}: progression", columns, tuple(rows), tuple(notes))


@empty_if_absent
def table_surrogate(trends: Trends) -> Table:
    """Whether the interfering marker fell or rose, of patients in whom the marker itself has no use."""
    data, name = trends.dataset, trends.variable
    marker, groups, rows = data.study.marker(name), groups_of(data), []
    other, limits = data.study.marker(marker.interference.marker), marker.surrogate
    labels = {
        FELL: f"Fell to {format_given(limits.fell)} times the baseline or less", STABLE: "Neither",
        ROSE: f"Rose to {format_given(limits.rose)} times the baseline or more", UNKNOWN: "Not known",
    }  # fmt: skip
    for state, label in labels.items():
        own = where(trends[f"{name}_surrogate"], variable=f"{name}: {state}")
        rows.append(Row((label, *cells(own, groups, lambda r: f"{format_whole(r['count'])}/{format_whole(r['n'])}"))))
    if f"{name}_surrogate_ratio" in trends:
        rows.append(Row(("Ratio to baseline, median (first to third quartile)",), "group"))
        for time, own in trends[f"{name}_surrogate_ratio"].groupby("time"):
            rows.append(Row((visit_label(data, time), *cells(own, groups, lambda r: f"{_quartiles(r)}, n = {format_whole(r['n'])}" if r["n"] else DASH)), "sub"))
    notes = (
        f"Patients whose {marker.short} has no use, because {other.label} was above {format_given(marker.interference.above)} {other.unit} at any time; their last value against the baseline.",
        "Not known: no value before or after, or one above the limit of the assay that leaves it open.",
    )
    title = f"{other.label} in place of {marker.label}"
    return Table(f"{name}_surrogate", title, (Column("Last value"), *arm_columns(data)), tuple(rows), notes)
