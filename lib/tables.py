"""Results -> tables: chooses rows and columns and writes numbers as strings. Computes nothing."""

from __future__ import annotations

__all__ = [
    "arm_columns",
    "cells",
    "format_share",
    "format_with_interval",
    "notes_of",
    "table_baseline",
    "table_comparisons",
    "table_flow",
    "table_follow_up",
    "table_queries",
    "table_survival",
]

import pandas as pd

from lib.analysis import Analysis
from lib.dataset import Dataset
from lib.display import Column, Row, Table, compares_arms
from lib.formats import (
    DASH,
    MASKED,
    format_count,
    format_duration,
    format_interval,
    format_number,
    format_p,
    format_percent,
    format_time,
    format_whole,
)
from lib.labels import FLOW_STEPS, OVERALL, decimals_of_time, groups_of, level_text, pair_label
from lib.study_parts import Variable

ALPHA = 0.05


def arm_columns(data: Dataset, overall: bool = False) -> list[Column]:
    """One column per arm in force, with its n and colour, and optionally one for all."""
    columns = [Column(arm.label, f"n = {data.n[arm.id]}", arm.colour) for arm in data.arms]
    return columns + ([Column("All", f"n = {len(data.patients)}")] if overall and len(data.arms) > 1 else [])


def notes_of(*frames: pd.DataFrame) -> list[str]:
    """Return the plain sentences that the statistics left, each once."""
    notes = [str(note) for frame in frames if "note" in frame for note in frame["note"] if note]
    return [
        f"{note[0].upper()}{note[1:]}."
        for note in dict.fromkeys(notes)
        if not note.startswith(("not reached", "upper limit"))
    ]


def cells(frame: pd.DataFrame, groups: list[str], show) -> list[str]:
    """Show one string per group, a dash where the frame has no row for it."""
    rows = {row["group"]: row for _, row in frame.iterrows()}
    return [show(rows[group]) if group in rows else DASH for group in groups]


def format_share(row: pd.Series) -> str:
    """Count and share of a row: "3 (21%)"; a masked count alone."""
    count = format_whole(row["count"])
    return count if pd.isna(row["count"]) else f"{count} ({format_percent(row['proportion'])})"


def table_flow(data: Dataset, flow: Analysis) -> Table:
    """Participant flow in numbers."""
    frame, groups = flow["flow"], groups_of(data, overall=True)
    rows = []
    if "screened" not in set(frame["step"]):
        rows.append(Row(("Screened, excluded", *["not recorded"] * len(groups))))
    for _, part in frame.groupby(["step", "note"], sort=False):
        step, note = part["step"].iat[0], part["note"].iat[0]
        label = FLOW_STEPS[step] + (f" ({note})" if note else "")
        rows.append(Row((label, *cells(part, groups, lambda r: format_whole(r["count"])))))
    columns = (Column("Step"), *[Column(c.label, "", c.colour) for c in arm_columns(data, True)])
    return Table("flow", "Participant flow", columns, tuple(rows))


def table_baseline(data: Dataset, baseline: Analysis) -> Table:
    """Table 1: characteristics by arm and overall, with missing counts and the largest standardized difference."""
    groups = groups_of(data, overall=True)
    several, tested = "baseline_smd" in baseline, "baseline_test" in baseline
    rows: list[Row] = []
    for variable in data.study.baseline:
        extra = []
        if several:
            extra.append(_largest_smd(baseline, variable))
        if tested:
            extra.append(format_p(baseline["baseline_test"].set_index("variable").loc[variable.id, "p_value"]))
        rows += _baseline_rows(baseline, variable, groups, extra)
    columns = [Column("Characteristic"), *arm_columns(data, overall=True)]
    notes = ["Categories: n (% of patients with a known value). Numbers: median (first to third quartile); range."]
    if several:
        columns.append(Column("SMD", "largest of all pairs"))
        notes.append(
            "SMD: standardized difference, the largest over all pairs of arms. With arms of this size a value near 0.4 is expected by chance alone."
            if data.n.min() < 30
            else "SMD: standardized difference, the largest over all pairs of arms; above 0.1 is usually called an imbalance."
        )
    if tested:
        columns.append(Column("p"))
        methods = baseline["baseline_test"]["method"].unique()
        notes.append("p: " + "; ".join(methods) + ". Balance is not a hypothesis; these are shown on request only.")
    return Table("baseline", "Baseline characteristics by arm", tuple(columns), tuple(rows), tuple(notes))


def _largest_smd(baseline: Analysis, variable: Variable) -> str:
    smd = baseline["baseline_smd"]
    largest = smd[(smd["variable"] == variable.id) & (smd["group"] == OVERALL)]
    return format_number(largest["smd"].iat[0], 2)


def _baseline_rows(baseline: Analysis, variable: Variable, groups: list[str], extra: list[str]) -> list[Row]:
    label = f"{variable.label}, {variable.unit}" if variable.unit else variable.label
    blank = ("",) * len(extra)
    if variable.type == "category":
        counts, missing = baseline["baseline_category"], baseline["baseline_missing"]
        rows = [Row((label, *[""] * len(groups), *extra))]
        for level in variable.levels:
            part = counts[counts["variable"] == f"{variable.id}: {level.value}"]
            shown = cells(part, groups, format_share)
            rows.append(Row((level.label, *shown, *blank), "sub"))
    else:
        part = baseline["baseline_number"]
        missing = part = part[part["variable"] == variable.id]
        d = variable.decimals
        rows = [
            Row((label, *cells(part, groups, lambda r: _median(r, d)), *extra)),
            Row(("Range", *cells(part, groups, lambda r: format_interval(r["min"], r["max"], d)), *blank), "sub"),
        ]
    part = missing[missing["variable"] == variable.id]
    if part["n_missing"].fillna(1).any():
        rows.append(Row(("Missing", *cells(part, groups, lambda r: format_whole(r["n_missing"])), *blank), "sub"))
    return rows


def _median(row: pd.Series, decimals: int) -> str:
    if not row["n"]:
        return DASH
    return f"{format_number(row['median'], decimals)} ({format_interval(row['q1'], row['q3'], decimals)})"


def table_follow_up(data: Dataset, analyses: list[Analysis]) -> Table:
    """Follow-up by reverse Kaplan-Meier, per endpoint and arm."""
    groups, d, rows = groups_of(data), decimals_of_time(data), []
    for analysis in analyses:
        endpoint, frame = data.study.endpoint(analysis.variable), analysis["follow_up"]
        rows += [
            Row((endpoint.label,), "group"),
            Row(("Censored / patients", *cells(frame, groups, lambda r: f"{format_whole(r['n_events'])}/{format_whole(r['n'])}"))),
            Row(
                (
                    f"Median follow-up, {data.study.time.unit}",
                    *cells(frame, groups, lambda r: format_time(r["median"], d)),
                )
            ),
            Row(
                (
                    f"{level_text(data)} CI",
                    *cells(frame, groups, lambda r: format_interval(r["ci_low"], r["ci_high"], d, missing="NR")),
                ),
                "sub",
            ),
        ]
    columns = (Column("Follow-up"), *arm_columns(data))
    notes = (
        "Reverse Kaplan-Meier: an event ends the follow-up that would have been; median with log-log interval. NR: not reached.",
    )
    return Table("follow_up", "Follow-up by endpoint and arm", columns, tuple(rows), notes)


def table_queries(queries: pd.DataFrame) -> Table:
    """Open data queries, sorted by patient."""
    columns = ("code", "patient_id", "file", "row", "column", "value", "message")
    labels = ("Code", "Patient", "Table", "Row", "Column", "Value", "What is wrong, and what would be right")
    ordered = queries.sort_values(["patient_id", "file", "row"], key=lambda s: s.astype(str))
    rows = [Row(tuple(str(value) for value in row)) for row in ordered[list(columns)].itertuples(index=False)]
    return Table("queries", "Open data queries", tuple(Column(label, text=True) for label in labels), tuple(rows))


def table_survival(data: Dataset, analysis: Analysis) -> Table:
    """Events, median, follow-up, landmarks and restricted mean by arm."""
    endpoint, groups, d = data.study.endpoint(analysis.variable), groups_of(data), decimals_of_time(data)
    unit, median = data.study.time.unit, analysis["median"]
    rows = [
        Row(("Events / patients", *cells(median, groups, lambda r: format_count(r["n_events"], r["n"])))),
        Row(
            (
                f"Median, {unit} ({level_text(data)} CI)",
                *cells(median, groups, lambda r: format_with_interval(r, "median", d)),
            )
        ),
        Row(
            (f"Median follow-up, {unit}", *cells(analysis["follow_up"], groups, lambda r: format_time(r["median"], d))),
            "sub",
        ),
        Row((f"Event-free at ({level_text(data)} CI)",), "group"),
    ]
    for time, part in analysis["landmark"].groupby("time"):
        rows.append(Row((format_duration(time, unit), *cells(part, groups, _landmark)), "sub"))
    rmst = analysis["rmst"]
    tau = rmst["tau"].max()
    notes = ["Kaplan-Meier; log-log intervals. NR: not reached. Follow-up by reverse Kaplan-Meier.", *notes_of(rmst)]
    if "cumulative_incidence" in analysis:
        rows.append(Row((f"Cumulative incidence, {level_text(data)} CI, at",), "group"))
        for time, part in analysis["cumulative_incidence"].groupby("time"):
            rows.append(Row((format_duration(time, unit), *cells(part, groups, _landmark)), "sub"))
        notes.append(
            "Kaplan-Meier counts a competing event as censoring and so overstates the risk; the cumulative incidence does not (Aalen variance)."
        )
    rows.append(
        Row(
            (
                f"Mean event-free {unit} up to {tau:g} ({level_text(data)} CI)",
                *cells(rmst, groups, lambda r: format_with_interval(r, "estimate", d, DASH)),
            )
        )
    )
    return Table(
        f"{endpoint.id}_by_arm",
        f"{endpoint.label} by arm",
        (Column(endpoint.short), *arm_columns(data)),
        tuple(rows),
        tuple(notes),
    )


def format_with_interval(row: pd.Series, column: str, decimals: int, missing: str = "NR") -> str:
    """Estimate and interval of a row: "18.6 (9.1 to NR)"; a dash alone if there is no estimate."""
    estimate = format_number(row[column], decimals, missing)
    return (
        f"{estimate} ({format_interval(row['ci_low'], row['ci_high'], decimals, missing=missing)})"
        if estimate != DASH
        else DASH
    )


def _landmark(row: pd.Series) -> str:
    if pd.isna(row["estimate"]):
        return MASKED if str(row["note"]).startswith(MASKED) else "not estimable"
    interval = format_interval(row["ci_low"], row["ci_high"], 0, 100)
    return f"{format_percent(row['estimate'])} ({interval})"


@compares_arms
def table_comparisons(data: Dataset, analysis: Analysis) -> Table:
    """Comparisons of arms: hazard ratio, log-rank, difference in restricted means."""
    endpoint, d, unit = data.study.endpoint(analysis.variable), decimals_of_time(data), data.study.time.unit
    pairs = analysis["logrank_pairwise"]
    rows = []
    for group in pairs["group"]:
        rows.append(Row((
            pair_label(data, group),
            *cells(analysis["cox"], [group], lambda r: f"{format_number(r['hr'], 2)} ({format_interval(r['ci_low'], r['ci_high'], 2)})"),
            *cells(analysis["rmst_difference"], [group], lambda r: format_with_interval(r, "estimate", d, DASH)),
            *cells(pairs, [group], lambda r: format_p(r["p_value"])),
            *cells(pairs, [group], lambda r: format_p(r["p_adjusted"])),
        )))  # fmt: skip
    overall = analysis["logrank"].iloc[0]
    rows.append(Row(("All arms", "", "", format_p(overall["p_value"]), "")))
    if "gray" in analysis:
        rows.append(
            Row(("All arms, Gray's test (competing event)", "", "", format_p(analysis["gray"]["p_value"].iat[0]), ""))
        )
    level = level_text(data)
    columns = (
        Column("Comparison"),
        Column("Hazard ratio", f"{level} CI"),
        Column(f"Difference in mean {unit}", f"{level} CI"),
        Column("p", "log-rank"),
        Column("p", "Holm"),
    )
    global_test = analysis["proportional_hazards"]
    global_p = global_test[global_test["group"] == OVERALL]["p_value"]
    notes = [
        f"Hazard ratio: {analysis['cox']['method'].iat[0]}; below 1 favours the arm named first. Difference in restricted mean up to {analysis['rmst']['tau'].max():g} {unit}; above 0 favours the arm named first.",
        f"Proportional hazards, test of all arms: {DASH if global_p.isna().all() else format_p(global_p.iat[0], symbol=True)}. With few events this test has little power.",
        *_exploratory(data, overall),
        *notes_of(analysis["logrank"], analysis["cox"], analysis["rmst_difference"]),
    ]
    return Table(
        f"{endpoint.id}_comparisons", f"{endpoint.label}: comparisons of arms", columns, tuple(rows), tuple(notes)
    )


def _exploratory(data: Dataset, overall: pd.Series) -> list[str]:
    """Say that pairs are exploratory where the test of all arms does not carry them."""
    if len(data.arms) < 3 or overall["p_value"] < ALPHA:
        return []
    return ["The pairwise tests are exploratory: the test of all arms is not significant."]
