"""Results of response, tumour volume, markers and published claims -> tables. Computes nothing."""

from __future__ import annotations

__all__ = [
    "CATEGORY_LABELS",
    "format_rate",
    "table_change",
    "table_level",
    "table_other_events",
    "table_published",
    "table_response",
    "table_response_pairs",
    "table_sites",
]

import pandas as pd

from lib import tables
from lib.analysis import Analysis, where
from lib.dataset import Dataset
from lib.display import EMPTY, Block, Column, Row, Table, compares_arms, empty_if_absent
from lib.formats import (
    DASH,
    MASKED,
    exactness,
    format_duration,
    format_interval,
    format_number,
    format_p,
    format_points,
    format_whole,
)
from lib.labels import groups_of, level_text, pair_label, share, unit_label
from lib.longitudinal import measure
from lib.other_events import OTHER_EVENTS
from lib.response import CATEGORIES

CATEGORY_LABELS = {
    "CR": "Complete response",
    "PR": "Partial response",
    "SD": "Stable disease",
    "PD": "Progressive disease",
    "NE": "Not evaluable",
    "died": "Died before the visit",
    "missing": "No assessment",
    "not due": "Visit not yet due",
}
RATES = {
    "objective_response_treated": "Objective response, all treated",
    "objective_response_evaluable": "Objective response, evaluable",
    "disease_control_treated": "Disease control, all treated",
    "disease_control_evaluable": "Disease control, evaluable",
}


def _visit(data: Dataset, time: float) -> str:
    return format_duration(time, data.study.time.unit)


def format_rate(row: pd.Series) -> str:
    """Count, denominator, percentage and exact interval; a dash where nobody is in the denominator."""
    if not row["n"]:
        return DASH
    if pd.isna(row["count"]):
        return MASKED
    return f"{share(row)}; {format_interval(row['ci_low'], row['ci_high'], 0, percent=True)}"


@empty_if_absent
def table_response(data: Dataset, response: Analysis) -> Table:
    """Categories and response rates by visit and arm."""
    groups, rows = groups_of(data, overall=True), []
    for time, categories in response["response_category"].groupby("time"):
        rows.append(Row((f"At {_visit(data, time)}",), "group"))
        for category in CATEGORIES:
            part = categories[categories["variable"] == category]
            if (part["count"] != 0).any() or category in CATEGORIES[:4]:
                rows.append(
                    Row(
                        (CATEGORY_LABELS[category], *tables.cells(part, groups, lambda r: format_whole(r["count"]))),
                        "sub",
                    )
                )
        for output, label in RATES.items():
            part = response[output]
            rows.append(Row((label, *tables.cells(part[part["time"] == time], groups, format_rate))))
    notes = [
        f"Rates: {unit_label(response['objective_response_treated'])}/denominator (%); exact Clopper-Pearson {level_text(data)} CI in %. All treated counts patients who died or were not assessed as non-responders.",
        data.study.response.caveat,
    ]
    columns = (Column("Response"), *tables.arm_columns(data, overall=True))
    return Table("response", "Tumour response by visit and arm", columns, tuple(rows), tuple(n for n in notes if n))


@compares_arms
@empty_if_absent
def table_response_pairs(data: Dataset, response: Analysis, outcome: str = "objective_response") -> Table:
    """Comparisons of response rates: risk difference, odds ratio, exact tests."""
    level, rows = level_text(data), []
    name = f"{outcome}_treated"
    for time, pairs in response[f"{name}_pairwise"].groupby("time"):
        rows.append(Row((f"At {_visit(data, time)}, all treated",), "group"))
        for group in pairs["group"]:
            at = {
                part: where(response[f"{name}{part}"], time=time)
                for part in ("_difference", "_newcombe", "_odds_ratio")
            }
            rows.append(Row((
                pair_label(data, group),
                *tables.cells(at["_difference"], [group], lambda r: _points(r, "difference")),
                *tables.cells(at["_newcombe"], [group], lambda r: format_interval(r["ci_low"], r["ci_high"], 0, percent=True)),
                *tables.cells(at["_odds_ratio"], [group], lambda r: _ratio(r, "odds_ratio")),
                *tables.cells(pairs, [group], lambda r: format_p(r["p_value"])),
                *tables.cells(pairs, [group], lambda r: format_p(r["p_adjusted"])),
            )))  # fmt: skip
        exact = where(response[f"{name}_test"], time=time).iloc[0]
        chisq = where(response[f"{name}_chisq"], time=time).iloc[0]
        rows.append(Row((f"All arms, {exactness([exact['mc_error']])}", "", "", "", format_p(exact["p_value"]), "")))
        rows.append(Row(("All arms, chi-square", "", "", "", format_p(chisq["p_value"]), "")))
    columns = (Column("Comparison"), Column("Risk difference, points", f"{level} CI"), Column("Newcombe", f"{level} CI"),
               Column("Odds ratio", f"exact {level} CI"), Column("p", "Fisher"), Column("p", "Holm"))  # fmt: skip
    notes = (
        "Risk difference: arm named first minus arm named second, in percentage points, with the Miettinen-Nurminen interval; Newcombe's interval beside it.",
        f"Overall: {response[f'{name}_test']['method'].iat[0]}; chi-square without continuity correction, for comparison with the publication.",
        *tables.notes_of(response[f"{name}_odds_ratio"]),
    )
    title = f"{outcome.replace('_', ' ').capitalize()}: comparisons of arms"
    return Table(f"{outcome}_comparisons", title, columns, tuple(rows), notes)


def _points(row: pd.Series, column: str) -> str:
    if pd.isna(row[column]):
        return DASH
    return f"{format_points(row[column])} ({format_interval(row['ci_low'], row['ci_high'], 0, percent=True)})"


def _ratio(row: pd.Series, column: str) -> str:
    if pd.isna(row[column]) and pd.isna(row["ci_low"]):
        return DASH
    return f"{format_number(row[column], 2)} ({format_interval(row['ci_low'], row['ci_high'], 2)})"


@empty_if_absent
def table_level(data: Dataset, analysis: Analysis) -> Table:
    """Value and change by visit and arm: n, median, quartiles."""
    groups, name, rows = groups_of(data), analysis.variable, []
    quantity = measure(data.study, name)
    label = quantity.label

    def shown(row):
        if not row["n"]:
            return DASH
        return f"{format_number(row['median'], 1)} ({format_interval(row['q1'], row['q3'], 1)}), n = {format_whole(row['n'])}"

    for output, heading in (
        (f"{name}_level", f"{label}, {quantity.unit}"),
        (f"{name}_{quantity.described}", f"Change from baseline, {quantity.change_unit}"),
    ):
        rows.append(Row((heading,), "group"))
        enough = analysis[output].groupby("time").filter(lambda part: part["n"].max() >= data.study.policy.min_at_risk)
        for time, part in enough.groupby("time"):
            rows.append(
                Row(("Baseline" if time == 0 else _visit(data, time), *tables.cells(part, groups, shown)), "sub")
            )
    columns, units = (Column("Visit"), *tables.arm_columns(data)), unit_label(analysis[f"{name}_level"])
    notes = (
        f"Median (first to third quartile), and n, the {units} with a value. Patients who died or left are not in later rows.",
        f"Visits at which every arm has fewer than {data.study.policy.min_at_risk} {units} are in results.csv only.",
    )
    return Table(f"{name}_by_visit", f"{label} by visit and arm", columns, tuple(rows), notes)


@empty_if_absent
def table_change(data: Dataset, analysis: Analysis) -> Table:
    """Tests of change within and between arms, by visit."""
    name, level, rows = analysis.variable, level_text(data), []
    quantity = measure(data.study, name)
    label, log = quantity.label, quantity.log
    within_all = analysis[f"{name}_within"]
    for time, within in within_all.groupby("time"):
        rows.append(Row((f"At {_visit(data, time)}",), "group"))
        for arm in data.arms:
            row = within[within["group"] == arm.id].iloc[0]
            rows.append(
                Row((arm.label, format_whole(row["n"]), _shift(row, "estimate", log), format_p(row["p_value"]), ""))
            )
        if f"{name}_between" in analysis:
            rows += _between(data, analysis, time, log)
    unit = "ratio to baseline" if log else "points of % change" if quantity.change_unit == "%" else quantity.change_unit
    columns = (Column("Arm or comparison"), Column(unit_label(within_all).capitalize()), Column(f"Hodges-Lehmann, {unit}", f"{level} CI"),
               Column("p"), Column("p", "Holm"))  # fmt: skip
    between = (
        "; between arms the Hodges-Lehmann shift, Dunn's test with Holm's adjustment, and Kruskal-Wallis over all arms"
    )
    notes = (
        f"Within an arm: {'; '.join(within_all['method'].unique())}{between if len(data.arms) > 1 else ''}.",
        *(["Below 1: lower than at baseline; between arms, the ratio of two such ratios."] if log else []),
        *tables.notes_of(within_all),
    )
    return Table(f"{name}_change", f"{label}: change from baseline", columns, tuple(rows), notes)


def _shift(row: pd.Series, column: str, log: bool) -> str:
    """Estimate and interval; a ratio with two decimals."""
    return tables.format_with_interval(row, column, 2 if log else 1)


def _between(data: Dataset, analysis: Analysis, time: float, log: bool) -> list[Row]:
    parts = (analysis[f"{analysis.variable}_{part}"] for part in ("shift", "pairwise", "between"))
    shift, pairs, between = (part[part["time"] == time].set_index("group") for part in parts)
    rows = [
        Row((pair_label(data, group), "", _shift(shift.loc[group], "ratio" if log else "difference", log),
             format_p(pair["p_value"]), format_p(pair["p_adjusted"])), "sub")
        for group, pair in pairs.iterrows()
    ]  # fmt: skip
    overall = between.iloc[0]
    return [*rows, Row(("All arms", format_whole(overall["n"]), "", format_p(overall["p_value"]), ""), "sub")]


def table_published(claims: pd.DataFrame) -> Table | Block:
    """Published claims beside the report's own numbers; nothing for a study without claims."""
    if claims.empty:
        return EMPTY
    rows = [Row((row.id, row.claim, row.printed, row.reproduced, row.verdict)) for row in claims.itertuples()]
    columns = (
        Column("Id"),
        Column("Claim", text=True),
        Column("Published", text=True),
        Column("This report", text=True),
        Column("To the printed precision", text=True),
    )
    return Table("published", "Published beside reproduced", columns, tuple(rows))


@empty_if_absent
def table_other_events(data: Dataset, other: Analysis) -> Table:
    """Patients with each kind of event by arm, whatever endpoint counts it."""
    notes = (
        f"Patients/all (%); exact Clopper-Pearson {level_text(data)} CI in %. A longer follow-up sees more of each: rates over time stand with the endpoints. A later line can prolong survival without belonging to the arm.",
    )
    return _counts(data, other["other_events"], OTHER_EVENTS, "What else happened", notes)


@empty_if_absent
def table_sites(data: Dataset, sites: Analysis) -> Table:
    """Patients with a target lesion at each site by arm."""
    labels = {site.value: site.label for site in data.study.sites}
    notes = (
        f"Patients with a target lesion at the site/all (%); exact Clopper-Pearson {level_text(data)} CI in %. A patient can have several sites. Where an arm holds other sites than another, the disease chose the treatment.",
    )
    return _counts(data, sites["lesion_sites"], labels, "Where the target lesions lie", notes)


def _counts(data: Dataset, frame: pd.DataFrame, labels: dict[str, str], title: str, notes: tuple) -> Table:
    name = "_".join(title.lower().split())
    groups = groups_of(data, overall=True)
    rows = [
        Row((labels[variable], *tables.cells(part, groups, format_rate)))
        for variable, part in frame.groupby("variable", sort=False)
    ]
    return Table(name, title, (Column(unit_label(frame).capitalize()), *tables.arm_columns(data, overall=True)), tuple(rows), notes)
