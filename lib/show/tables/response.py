"""Tables of tumour response: by visit, pairs of arms, over time, survival by it. Computes nothing."""

from __future__ import annotations

__all__ = ["table_response", "table_response_incidence", "table_response_pairs", "table_survival_by_response"]

import pandas as pd

from lib.analyses.efficacy.response import CATEGORIES, NON_RESPONDER, RESPONDER, ResponseRates, ResponseTime
from lib.analyses.result import where
from lib.show.display import EMPTY, Block, Column, Row, Table, compares_arms, empty_if_absent
from lib.show.formats import (
    DASH,
    MASKED,
    exactness,
    format_duration,
    format_interval,
    format_median,
    format_number,
    format_p,
    format_percent,
    format_whole,
    is_masked,
    said_p,
)
from lib.show.labels import (
    CATEGORY_LABELS,
    counted,
    decimals_of_time,
    groups_of,
    level_text,
    pair_label,
    trend_note,
    unit_label,
)
from lib.show.tables import parts
from lib.show.tables.parts import format_difference, format_rate, visit_label

RATES = {
    "objective_response_treated": "Objective response, all {0}",
    "objective_response_evaluable": "Objective response, evaluable",
    "disease_control_treated": "Disease control, all {0}",
    "disease_control_evaluable": "Disease control, evaluable",
}
LABELS = {RESPONDER: "Response at the landmark", NON_RESPONDER: "No response"}


@empty_if_absent
def table_response(response: ResponseRates) -> Table:
    """Categories and response rates by visit and arm."""
    data = response.dataset
    groups, rows, entered = groups_of(data, overall=True), [], data.study.by_design.entered
    for time, categories in response["response_category"].groupby("time"):
        rows.append(Row((f"At {visit_label(data, time)}",), "group"))
        for category in CATEGORIES:
            part = categories[categories["variable"] == category]
            if (part["count"] != 0).any() or category in CATEGORIES[:4]:
                rows.append(
                    Row(
                        (CATEGORY_LABELS[category], *parts.cells(part, groups, lambda r: format_whole(r["count"]))),
                        "sub",
                    )
                )
        for output, label in RATES.items():
            part = response[output]
            rows.append(Row((label.format(entered), *parts.cells(part[part["time"] == time], groups, format_rate))))
    notes = [
        f"Rates: {unit_label(response['objective_response_treated'])}/denominator (%); exact Clopper-Pearson {level_text(data)} CI in %. All {entered} counts patients who died or were not assessed as non-responders.",
        data.study.response.caveat,
    ]
    columns = (Column("Response"), *parts.arm_columns(data, overall=True))
    return Table("response", "Tumour response by visit and arm", columns, tuple(rows), tuple(n for n in notes if n))


@empty_if_absent
@compares_arms
def table_response_pairs(response: ResponseRates, outcome: str = "objective_response") -> Table:
    """Comparisons of response rates: risk difference, odds ratio, exact tests."""
    data = response.dataset
    level, rows, trends = level_text(data), [], []
    name = f"{outcome}_treated"
    for time, pairs in response[f"{name}_pairwise"].groupby("time"):
        rows.append(Row((f"At {visit_label(data, time)}, all {data.study.by_design.entered}",), "group"))
        for group in pairs["group"]:
            at = {
                part: where(response[f"{name}{part}"], time=time)
                for part in ("_difference", "_newcombe", "_odds_ratio")
            }
            rows.append(Row((
                pair_label(data, group),
                *parts.cells(at["_difference"], [group], format_difference),
                *parts.cells(at["_newcombe"], [group], lambda r: format_interval(r["ci_low"], r["ci_high"], 0, percent=True)),
                *parts.cells(at["_odds_ratio"], [group], lambda r: _ratio(r, "odds_ratio")),
                *parts.cells(pairs, [group], lambda r: format_p(r["p_value"])),
                *parts.cells(pairs, [group], lambda r: format_p(r["p_adjusted"])),
            )))  # fmt: skip
        exact = where(response[f"{name}_test"], time=time).iloc[0]
        chisq = where(response[f"{name}_chisq"], time=time).iloc[0]
        rows.append(Row((f"All arms, {exactness([exact['mc_error']])}", "", "", "", format_p(exact["p_value"]), "")))
        rows.append(Row(("All arms, chi-square", "", "", "", format_p(chisq["p_value"]), "")))
        for trend in where(response[f"{name}_trend"], time=time).to_dict("records") if f"{name}_trend" in response else []:
            rows.append(Row(("Trend over the arms, Cochran-Armitage", "", "", "", format_p(trend["p_value"]), "")))
            trends.append(trend_note(data, trend, f"of these at {visit_label(data, time)}"))
    columns = (Column("Comparison"), Column("Risk difference, points", f"{level} CI"), Column("Newcombe", f"{level} CI"),
               Column("Odds ratio", f"exact {level} CI"), Column(said_p(), "Fisher"), Column(said_p(), "Holm"))  # fmt: skip
    notes = (
        "Risk difference: arm named first minus arm named second, in percentage points, with the Miettinen-Nurminen interval; Newcombe's interval beside it.",
        f"Overall: {response[f'{name}_test']['method'].iat[0]}; chi-square without continuity correction, for comparison with the publication.",
        *filter(None, trends),
        *parts.notes_of(response[f"{name}_odds_ratio"]),
    )
    title = f"{outcome.replace('_', ' ').capitalize()}: comparisons of arms"
    return Table(f"{outcome}_comparisons", title, columns, tuple(rows), notes)


def _ratio(row: pd.Series, column: str) -> str:
    if pd.isna(row[column]) and pd.isna(row["ci_low"]):
        return DASH
    return f"{format_number(row[column], 2)} ({format_interval(row['ci_low'], row['ci_high'], 2)})"


@empty_if_absent
def table_response_incidence(timed: ResponseTime) -> Table:
    """Share of each arm with a first response by the end of each response visit, the others not censored away."""
    data = timed.dataset
    unit, rows = data.study.time.unit, []
    for time, part in timed["response_incidence"].groupby("time"):
        label = f"By {format_duration(round(time, 1), unit)}"
        rows.append(Row((label, *parts.cells(part, groups_of(data), _share))))
    notes = [
        f"Aalen-Johansen, log-log {level_text(data)} CI in %; number of first responses up to then. Progression and death before a response compete: they end the chance of one and are not censored. Times are the ends of the visits' windows.",
        *parts.notes_by_arm(data, timed["response_incidence"]),
    ]
    if "response_incidence_test" in timed:
        row = timed["response_incidence_test"].iloc[0]
        notes.append(
            f"All arms, Gray's test: {format_p(row['p_value'], symbol=True) if pd.notna(row['p_value']) else row['note']}."
        )
    columns = (Column("First response"), *parts.arm_columns(data))
    return Table("response_incidence", "Cumulative incidence of response", columns, tuple(rows), tuple(notes))


def _share(row: pd.Series) -> str:
    if pd.isna(row["estimate"]):
        return MASKED if is_masked(row) else "not estimable"
    interval = format_interval(row["ci_low"], row["ci_high"], 0, percent=True)
    return f"{format_percent(row['estimate'])} ({interval}); {format_whole(row['n_events'])}"


@empty_if_absent
def table_survival_by_response(timed: ResponseTime) -> Table | Block:
    """Responders against non-responders, the clock set back to the landmark."""
    data = timed.dataset
    if "response_landmark" not in timed:
        return EMPTY
    d, unit, rows = decimals_of_time(data), data.study.time.unit, []
    for test in timed["response_landmark"].to_dict("records"):
        short = data.study.endpoint(test["variable"]).short
        heading = f"{short} from {format_duration(round(test['time'], 1), unit)} on: {counted(test)}; {'none' if test['n_missing'] == 0 else format_whole(test['n_missing'])} left out"
        rows.append(Row((heading,), "group"))
        medians = where(timed["response_landmark_median"], variable=test["variable"], time=test["time"]).set_index(
            "group"
        )
        ratio = DASH if pd.isna(test["hr"]) else parts.format_with_interval(pd.Series(test), "hr", 2)
        for group, cells in ((RESPONDER, (ratio, format_p(test["p_value"]))), (NON_RESPONDER, ("1", ""))):
            row = medians.loc[group]
            events = f"{format_whole(row['n_events'])}/{format_whole(row['n'])}"
            median = format_median(row, d)
            rows.append(Row((LABELS[group], events, median, *cells), "sub"))
    columns = (
        Column("Group"),
        Column(f"Events / {unit_label(timed['response_landmark_median'])}"),
        Column(f"Median from the landmark, {unit}", f"{level_text(data)} CI"),
        Column("Hazard ratio", f"{level_text(data)} CI"),
        Column(said_p(), "log-rank"),
    )
    notes = (
        "Left out: the event or the end of follow-up before the landmark, or not evaluable at the visit. All arms together. Responders were not made by lot: who responds may have had the better outlook anyway, so this says whom to expect well of and not that response prolongs life, nor which treatment is better.",
        *parts.notes_of(timed["response_landmark"]),
    )
    return Table("survival_by_response", "Survival by response, from a landmark on", columns, tuple(rows), notes)
