"""Tables of the cohort report: participant flow, Table 1, follow-up, data queries. Computes nothing."""

from __future__ import annotations

__all__ = ["table_baseline", "table_disposition", "table_flow", "table_follow_up", "table_populations", "table_queries"]

from collections.abc import Sequence

import pandas as pd

from lib.analyses.cohort.baseline import Baseline
from lib.analyses.cohort.flow import Completeness, Flow
from lib.analyses.cohort.populations import NOT_RECORDED, Populations
from lib.analyses.efficacy.survival import FollowUp
from lib.analyses.result import Absent, where
from lib.dataset.dataset import Dataset
from lib.languages.notes import worded
from lib.languages.speech import N_, _, in_a_row
from lib.show.display import EMPTY, Block, Column, Row, Table, empty_if_absent
from lib.show.formats import (
    DASH,
    NOT_REACHED,
    format_error,
    format_given,
    format_interval,
    format_median,
    format_number,
    format_p,
    format_percent,
    format_whole,
    p_value,
    said_p,
)
from lib.show.labels import OVERALL, decimals_of_time, flow_step, groups_of, level_text, share, unit_label
from lib.show.phrases import format_duration, joined, unit_name
from lib.show.tables.parts import arm_columns, cells, format_share
from lib.study.parts import Variable

SUMMARIES = {"median": N_("median (first to third quartile)"), "mean": N_("mean (standard deviation)")}
SEVERITIES = {"error": N_("To be corrected before a report can be made"), "warning": N_("To be looked at; they stop nothing")}
NO_BALANCE_TEST = N_(
    "No {p}, though show_p_values asks for them: chance formed the arms, so every difference between them is chance, and a test of it answers no "
    "question (Senn S. Stat Med 1994;13:1715-1726).",
)
TESTS = {
    "Kruskal-Wallis test": N_("Kruskal-Wallis"),
    "Pearson chi-square test without continuity correction": N_("chi-square"),
}


@empty_if_absent
def table_flow(flow: Flow) -> Table:
    """Participant flow in numbers, down to each analysis; patients in boxes of zero are kept."""
    data = flow.dataset
    frame, groups = flow["flow"], [*groups_of(data), OVERALL]
    rows = []
    if "screened" not in set(frame["step"]):
        rows.append(Row((_("Screened, excluded"), *[_("not recorded")] * len(groups))))
    for __, part in frame.groupby(["step", "note"], sort=False):
        step, note = part["step"].iat[0], worded(part["note"].iat[0])
        label, kind = (note, "sub") if step == "excluded" and note else (flow_step(data.study, step), "")
        label = _("{label} ({note})", label=label, note=note) if note and not kind else label
        rows.append(Row((label, *cells(part, groups, lambda r: f"{format_whole(r['count'])}")), kind))
    rows += _analysed_rows(data, flow, groups)
    columns = (Column(_("Step")), *[Column(a.label, "", a.colour) for a in data.arms], Column(_("All")))
    notes = []
    excluded = frame[(frame["step"] == "excluded") & (frame["note"] == "")]
    if where(excluded, group=OVERALL)["count"].sum() > excluded[excluded["group"] != OVERALL]["count"].sum():
        notes.append(_("Patients who were excluded before an arm was known count under All only."))
    if "flow_marker" in flow:
        notes.append(_("Markers: patients with a sample that can be used; others lack it, or it cannot be compared."))
    return Table("flow", _("Participant flow"), columns, tuple(rows), tuple(notes))


def _analysed_rows(data: Dataset, flow: Flow, groups: list[str]) -> list[Row]:
    """Patients analysed for each endpoint, response visit and marker."""
    shown = groups if len(data.arms) > 1 else [data.arms[0].id, data.arms[0].id]
    unit = data.study.time.unit
    rows = [Row((_("Analysed for"),), "group")]
    for endpoint in data.study.endpoints:
        part = where(flow["flow_endpoint"], variable=endpoint.id)
        rows.append(Row((endpoint.label, *cells(part, shown, lambda r: f"{format_whole(r['count'])}")), "sub"))
    for output, label in (
        ("flow_response_due", _("Response, all {entered}", entered=_(data.study.by_design.entered))),
        ("flow_response_evaluable", _("Response, evaluable")),
        ("flow_volume", _("Tumour volume")),
        ("flow_marker", ""),
    ):
        for (name, visit), part in _by_variable_and_time(flow[output]) if output in flow else ():
            words = label or data.study.marker(name).label
            when = _("baseline") if visit == 0 else format_duration(visit, unit)
            rows.append(Row((_("{label}, {detail}", label=words, detail=when), *cells(part, shown, lambda r: f"{format_whole(r['count'])}")), "sub"))
    return rows


def _by_variable_and_time(frame: pd.DataFrame):
    variable = frame["variable"] if "variable" in frame else pd.Series("", index=frame.index)
    return frame.assign(variable=variable).groupby(["variable", "time"], sort=False)


@empty_if_absent
def table_populations(populations: Populations) -> Table | Block:
    """Who belongs to which analysis population, by arm."""
    data = populations.dataset
    labels = {population.id: population.label for population in data.study.populations}
    note = _("Patients (% of those analysed). A patient can belong to several; the parameter population makes the reports about one.")
    return _by_label(populations, "population", labels, _("Analysis populations"), (note,))


@empty_if_absent
def table_disposition(populations: Populations) -> Table | Block:
    """How the patients' parts in the study ended, by arm."""
    ended = populations.dataset.study.disposition
    labels = {level.value: level.label for level in ended.levels} if ended else {}
    return _by_label(populations, "disposition", {NOT_RECORDED: _("Not recorded")} | labels, _("Disposition of the patients"), (_("Patients (% of those analysed)."),))


def _by_label(populations: Populations, output: str, labels: dict[str, str], title: str, notes: tuple[str, ...]) -> Table | Block:
    data = populations.dataset
    if output not in populations:
        return EMPTY
    groups = groups_of(data, overall=True)
    rows = [Row((labels[name], *cells(part, groups, format_share))) for name, part in populations[output].groupby("variable", sort=False)]
    return Table(output, title, (Column(_("Patients")), *arm_columns(data, overall=True)), tuple(rows), notes)


@empty_if_absent
def table_baseline(baseline: Baseline) -> Table:
    """Table 1: characteristics by arm and overall, with missing counts and the largest standardized difference."""
    data = baseline.dataset
    groups = groups_of(data, overall=True)
    several, tested = "baseline_smd" in baseline, "baseline_test" in baseline
    rows: list[Row] = []
    for variable in data.study.baseline:
        extra = []
        if several:
            extra.append(_largest_smd(baseline, variable))
        if tested:
            test = where(baseline["baseline_test"], variable=variable.id).iloc[0]
            extra += [
                format_p(test["p_value"]),
                _test_name(test) if test["note"] == "" else DASH,
            ]
        rows += _baseline_rows(data, baseline, variable, groups, extra)
    columns = [Column(_("Characteristic")), *arm_columns(data, overall=True)]
    shown = {variable.summary for variable in data.study.baseline if variable.type != "category"}
    numbers = joined([_(words) for summary, words in SUMMARIES.items() if summary in shown], "or")
    notes = [
        _("Categories: n (% of {unit_label} with a known value).", unit_label=unit_label(baseline['baseline_category'])),
        *(
            [_("Numbers: {numbers}, as named in the row; range.", numbers=numbers)]
            if len(shown) > 1
            else [_("Numbers: {numbers}; range.", numbers=numbers)]
            if shown
            else []
        ),
    ]
    notes = [in_a_row(notes)]
    if several:
        columns.append(Column("SMD", _("largest of all pairs")))
        notes.append(
            _("SMD: standardized difference, the largest over all pairs of arms. With arms of this size a value near {value} is expected by chance alone.", value=format_given(0.4))
            if data.n.min() < 30
            else _("SMD: standardized difference, the largest over all pairs of arms; above {value} is usually called an imbalance.", value=format_given(0.1))
        )
    if tested:
        columns += [Column(said_p()), Column(_("Test"), text=True)]
        notes.append(
            _("{p}: the chi-square test where no cell is sparse, else the exact test. Balance is not a hypothesis; {p_value}s are shown on request only.", p=said_p(), p_value=p_value())
        )
    if data.study.by_design.by_chance and getattr(data.parameters, "show_p_values", False):
        notes.append(_(NO_BALANCE_TEST, p=p_value(several=True)))
    return Table("baseline", _("Baseline characteristics by arm"), tuple(columns), tuple(rows), tuple(notes))


def _test_name(test: pd.Series) -> str:
    name = worded(TESTS.get(test["method"], test["method"]))
    return _("{label}, {detail}", label=name, detail=format_error(test["mc_error"])) if test.get("mc_error", 0) > 0 else name


def _largest_smd(baseline: Baseline, variable: Variable) -> str:
    smd = baseline["baseline_smd"]
    largest = smd[(smd["variable"] == variable.id) & (smd["group"] == OVERALL)]
    return format_number(largest["smd"].iat[0], 2)


def _baseline_rows(
    data: Dataset, baseline: Baseline, variable: Variable, groups: list[str], extra: list[str]
) -> list[Row]:
    label = _("{label}, {detail}", label=variable.label, detail=variable.unit) if variable.unit else variable.label
    blank = ("",) * len(extra)
    if variable.type == "category":
        counts, missing = baseline["baseline_category"], baseline["baseline_missing"]
        rows = [Row((label, *[""] * len(groups), *extra))]
        for level in variable.levels:
            part = counts[counts["variable"] == f"{variable.id}: {level.value}"]
            shown = cells(part, groups, lambda r: f"{format_whole(r['count'])} ({format_percent(r['proportion'])})")
            rows.append(Row((level.label, *shown, *blank), "sub"))
    else:
        part = baseline["baseline_number"]
        missing = part = part[part["variable"] == variable.id]
        d, show = variable.decimals, _mean if variable.summary == "mean" else _median
        named = len({v.summary for v in data.study.baseline if v.type != "category"}) > 1
        label += {"mean": _(", mean (SD)"), "median": _(", median (IQR)")}[variable.summary] if named else ""
        rows = [
            Row((label, *cells(part, groups, lambda r: show(r, d)), *extra)),
            Row((_("Range"), *cells(part, groups, lambda r: format_interval(r["min"], r["max"], d)), *blank), "sub"),
        ]
    part = missing[missing["variable"] == variable.id]
    if (part["n_missing"] != 0).any():
        rows.append(Row((_("Missing"), *cells(part, groups, lambda r: f"{format_whole(r['n_missing'])}"), *blank), "sub"))
    return rows


def _mean(row: pd.Series, decimals: int) -> str:
    if not row["n"]:
        return DASH
    return f"{format_number(row['mean'], decimals + 1)} ({format_number(row['sd'], decimals + 1)})"


def _median(row: pd.Series, decimals: int) -> str:
    if not row["n"]:
        return DASH
    return f"{format_number(row['median'], decimals)} ({format_interval(row['q1'], row['q3'], decimals)})"


@empty_if_absent
def table_follow_up(
    analyses: Sequence[FollowUp | Absent], completeness: Sequence[Completeness | Absent] = ()
) -> Table | Block:
    """Follow-up by reverse Kaplan-Meier per endpoint and arm, how complete it is, and who was lost."""
    followed, rows = [analysis for analysis in analyses if isinstance(analysis, FollowUp)], []
    if not followed:
        return EMPTY
    data = followed[0].dataset
    groups, d = groups_of(data), decimals_of_time(data)
    complete = {analysis.variable: analysis for analysis in completeness if isinstance(analysis, Completeness)}
    for analysis in followed:
        endpoint, frame = data.study.endpoint(analysis.variable), analysis["follow_up"]
        label = _("Median follow-up, {unit}", unit=unit_name(data.study.time.unit))
        limits = cells(frame, groups, lambda r: _limits(r, d))
        rows += [
            Row((endpoint.label,), "group"),
            Row(
                (
                    _("Censored / {unit_label}", unit_label=unit_label(frame)),
                    *cells(frame, groups, lambda r: f"{format_whole(r['n_events'])}/{format_whole(r['n'])}"),
                )
            ),
            Row((label, *cells(frame, groups, lambda r: format_median(r, d, interval=False)))),
            Row((f"{level_text(data)} CI", *limits), "sub"),
        ]
        if endpoint.id in complete:
            rows += _completeness_rows(data, complete[endpoint.id], groups)
    notes = [
        _("Reverse Kaplan-Meier: an event ends the follow-up that would have been; median with log-log interval.")
    ]
    if complete:
        notes.append(
            _("Completeness (Clark): observed time as a share of the time that could have been observed until the data cut-off; an event counts as complete.")
        )
    columns = (Column(_("Follow-up")), *arm_columns(data))
    return Table("follow_up", _("Follow-up by endpoint and arm"), columns, tuple(rows), tuple(notes))


def _limits(row: pd.Series, decimals: int) -> str:
    """Interval of a median follow-up; a dash where there is none."""
    if pd.isna(row["ci_low"]):
        return DASH
    return format_interval(row["ci_low"], row["ci_high"], decimals, missing=NOT_REACHED)


def _completeness_rows(data: Dataset, analysis: Completeness, groups: list[str]) -> list[Row]:
    index, lost = analysis["follow_up_completeness"], analysis["follow_up_lost"]
    days = data.study.policy.lost_after_days
    return [
        Row((_("Completeness"), *cells(index, groups, lambda r: format_percent(r["estimate"])))),
        Row((_("Censored more than {days} days before the cut-off", days=days), *cells(lost, groups, share))),
    ]  # fmt: skip


def table_queries(queries: pd.DataFrame, most: int | None = None) -> Table | Block:
    """Open data queries, sorted by patient; those that block a report come first; at most so many are listed; nothing for none."""
    if queries.empty:
        return EMPTY
    blocking, rows, before = "error" in set(queries["severity"]), [], ""
    for query in queries.sort_values("severity", kind="stable").head(most or len(queries)).to_dict("records"):
        if blocking and query["severity"] != before:
            before = query["severity"]
            rows.append(Row((_(SEVERITIES[before]),), "group"))
        row = _("row {row}", row=query['row']) if query["row"] != "" else ""
        place = _(", ").join(str(part) for part in (query["file"], row, query["column"]) if part)
        rows.append(Row((query["patient_id"] or DASH, place, str(query["value"]), worded(query["message"]), query["code"])))
    columns = (
        Column(_("Patient")),
        Column(_("Where"), _("table, row, column"), text=True),
        Column(_("Found"), text=True),
        Column(_("What is wrong, and what would be right"), text=True),
        Column(_("Code")),
    )
    left = len(queries) - (most or len(queries))
    notes = (_("{left} more are not listed here.", left=format_whole(left)),) if left > 0 else ()
    return Table("queries", _("Open data queries"), columns, tuple(rows), notes, dash=_("of no single patient"))
