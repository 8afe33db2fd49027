"""Results of the tumour's course and of the models of markers -> tables. Computes nothing."""

from __future__ import annotations

__all__ = [
    "table_agreement",
    "table_best_response",
    "table_disagreements",
    "table_duration",
    "table_excluded",
    "table_paired_response",
    "table_presence",
    "table_ratios",
    "table_response_change",
    "table_sensitivity",
]

import pandas as pd

from lib import tables
from lib.analysis import Analysis, where
from lib.dataset import Dataset
from lib.display import EMPTY, Block, Column, Row, Table, empty_if_absent, internal_only
from lib.formats import (
    DASH,
    format_duration,
    format_exact_p,
    format_interval,
    format_median,
    format_number,
    format_p,
    format_percent,
    format_points,
    format_whole,
)
from lib.labels import OVERALL, counted, decimals_of_time, groups_of, level_text, pair_label, share, unit_label
from lib.longitudinal import measure
from lib.longitudinal_model import PRESENCE
from lib.response import CATEGORIES
from lib.tables_outcome import CATEGORY_LABELS, format_rate

SHORT_LABELS = {"died": "Died", "missing": "No scan", "not due": "Not due"}
BEST_LABELS = CATEGORY_LABELS | {
    "died": "Died before the first assessment",
    "not due": "First assessment not yet due",
}
PRESENCE_LABELS = {
    "value": "With a value that counts",
    "excluded": "With a sample that is left out",
    "died": "Died",
    "not due": "Visit not yet due",
    "progressed": "No value, progressed before",
    "missing": "No value, otherwise",
}


def _visit(data: Dataset, time: float) -> str:
    return "Baseline" if time == 0 else format_duration(time, data.study.time.unit)


def _count(row: pd.Series) -> str:
    return f"{format_whole(row['count'])}"


@empty_if_absent
def table_best_response(data: Dataset, course: Analysis) -> Table:
    """Best response of every patient, adding up to all, and the rates made from it."""
    groups, counts, rows = groups_of(data, overall=True), course["best_response"], []
    for category in CATEGORIES:
        part = where(counts, variable=category)
        if (part["count"] != 0).any() or category in CATEGORIES[:4]:
            rows.append(Row((BEST_LABELS[category], *tables.cells(part, groups, _count)), "sub"))
    sizes = {**data.n, OVERALL: len(data.patients)}
    rows.append(Row((f"All {unit_label(counts)}", *(format_whole(sizes[group]) for group in groups))))
    rule, rates = data.study.response, {"best_objective_response": "Objective response"}
    if "confirmed_response" in course:
        rates["confirmed_response"] = f"Objective response, confirmed after {rule.confirmation_days} days or more"
    for output, label in (rates | {"best_disease_control": "Disease control"}).items():
        rows.append(Row((label, *tables.cells(course[output], groups, format_rate))))
    early = f" Stable disease counts from {rule.stable_days} days after time zero." if rule.stable_days else ""
    notes = [
        f"The best category up to the first progression, whatever treatment followed; not confirmed unless the row says so.{early}",
        f"Rates: patients/all treated whose first assessment is due (%); exact Clopper-Pearson {level_text(data)} CI in %.",
        "A best response is chosen after the event and looks better than the response at any one visit.",
    ]
    if "best_objective_response_test" in course:
        p = format_exact_p(course["best_objective_response_test"].iloc[0])
        notes.append(f"Objective response, all arms: Fisher-Freeman-Halton, {p}.")
    columns = (Column("Best response"), *tables.arm_columns(data, overall=True))
    return Table("best_response", "Best response by arm", columns, tuple(rows), tuple(notes))


@empty_if_absent
def table_response_change(data: Dataset, course: Analysis) -> Table | Block:
    """Category at the first response visit against the last, every patient of each arm."""
    if "response_change" not in course:
        return EMPTY
    shown = [c for c in CATEGORIES if c in set(course["response_change_last"]["variable"]) or c in CATEGORIES[:4]]
    rows, visits = [], data.parameters.response_visits or data.study.response.visits
    first, last = (_visit(data, pick(visits)) for pick in (min, max))
    for arm in data.arms:
        own, before, after = (where(course[f"response_change{end}"], group=arm.id) for end in ("", "_first", "_last"))
        counts, before, after = (part.set_index("variable")["count"] for part in (own, before, after))
        rows.append(Row((f"{arm.label} (n = {data.n[arm.id]})",), "group"))
        for category in [c for c in CATEGORIES if c in before.index]:
            cells = [format_whole(counts[f"{category} -> {last}"]) if f"{category} -> {last}" in counts else DASH for last in shown]
            rows.append(Row((CATEGORY_LABELS[category], *cells, format_whole(before[category])), "sub"))
        total = after.reindex(shown, fill_value=0)
        rows.append(Row(("All", *(format_whole(n) for n in total), f"{data.n[arm.id]}"), "sub"))
    columns = (Column(f"At {first}"), *(Column(SHORT_LABELS.get(c, c)) for c in shown), Column("All"))
    notes = (
        f"Rows: category at {first}; columns: at {last}.",
        "Progression stays: a patient who progressed and then died or left counts as progressive disease.",
    )
    title = f"What became of each response: from {first} to {last}"
    return Table("response_change", title, columns, tuple(rows), notes)


@empty_if_absent
def table_paired_response(data: Dataset, course: Analysis) -> Table | Block:
    """Responses gained and lost between the first and the last response visit, exact McNemar test."""
    if "response_change_treated" not in course:
        return EMPTY
    rows = []
    for name, heading in (("treated", "All treated"), ("evaluable", "Evaluable at both visits")):
        frame = course[f"response_change_{name}"].set_index("group")
        rows.append(Row((heading,), "group"))
        for group in groups_of(data, overall=True):
            row = frame.loc[group]
            label = "All arms" if group == OVERALL else data.study.arm(group).label
            points = format_points(row["difference"])
            numbers = (f"{format_whole(row[column])}" for column in ("n", "n_gained", "n_lost"))
            rows.append(Row((label, *numbers, points, format_p(row["p_value"])), "sub"))
    columns = (Column("Arm"), Column(unit_label(course["response_change_treated"]).capitalize()), Column("Gained"), Column("Lost"),
               Column("Points"), Column("p", "McNemar"))  # fmt: skip
    notes = (
        "The same patients at both visits, exact test; points: change of the response rate in percentage points. Only those who changed carry the test. Among all treated, a patient who "
        "died or was not assessed counts as without response.",
    )
    title = "Responses gained and lost between the first and the last response visit"
    return Table("response_paired", title, columns, tuple(rows), notes)


@empty_if_absent
def table_duration(data: Dataset, course: Analysis) -> Table:
    """Time to response and its duration, in responders."""
    groups, d, unit = groups_of(data), decimals_of_time(data), data.study.time.unit
    best, time, lasting = course["best_objective_response"], course["time_to_response"], course["duration_of_response"]

    def quartiles(row):
        return f"{format_number(row['median'], d)} ({format_interval(row['q1'], row['q3'], d)})" if row["n"] else DASH

    rows = (
        Row(
            ("Responders", *tables.cells(best, groups, lambda r: f"{format_whole(r['count'])}/{format_whole(r['n'])}"))
        ),
        Row((f"Time to response, {unit}: median (quartiles)", *tables.cells(time, groups, quartiles))),
        Row(
            (
                "Progressed or died after response",
                *tables.cells(lasting, groups, lambda r: f"{format_whole(r['n_events'])}"),
            )
        ),
        Row((f"Duration of response, {unit}: median ({level_text(data)} CI)", *tables.cells(lasting, groups, lambda r: format_median(r, d)))),
    )
    notes = (
        f"Duration: {lasting['method'].iat[0]}; from the first response to progression or death, else censored at the last assessment.",
        "Responders are selected by the outcome: these rows describe them and do not compare the arms.",
    )
    columns = (Column("In responders"), *tables.arm_columns(data))
    return Table("duration_of_response", "Time to response and its duration", columns, rows, notes)


@empty_if_absent
def table_agreement(data: Dataset, course: Analysis) -> Table | Block:
    """How often the derived category is the reader's, by visit."""
    if "reader_agreement" not in course:
        return EMPTY
    enough = course["reader_agreement"]["n"] >= data.study.policy.min_at_risk
    rows = [
        Row(
            (
                _visit(data, r["time"]),
                f"{format_whole(r['n'])}",
                share(r),
                format_number(r["kappa"], 2),
            )
        )
        for r in course["reader_agreement"][enough].to_dict("records")
    ]
    columns = (Column("Visit"), Column("Read and derived"), Column("Same category"), Column("Kappa", "unweighted"))
    note = (
        "Each patient counts once per visit. Kappa does not exist where both used one category only. "
        f"Visits with fewer than {data.study.policy.min_at_risk} {unit_label(course['reader_agreement'])} are in results.csv only."
    )
    return Table("reader_agreement", "Derived category beside the reader's", columns, tuple(rows), (note,))


@internal_only("listing", "assessments on which the reader and the rule disagree")
@empty_if_absent
def table_disagreements(data: Dataset, course: Analysis) -> Table | Block:
    """Every assessment whose derived category is not the reader's."""
    found = course["disagreements"]
    if found.empty:
        return EMPTY
    rows = []
    for row in found.itertuples():
        change = f"{format_number(row.percent_change, 1)}%"
        place = (row.patient_id, data.study.arm(row.arm).label, _visit(data, row.visit), f"{row.date:%Y-%m-%d}")
        rows.append(Row((*place, change, row.response, row.reader)))
    columns = (Column("Patient"), Column("Arm", text=True), Column("Visit"), Column("Date"),
               Column("Sum of diameters", "change from baseline"), Column("Derived"), Column("Reader"))  # fmt: skip
    title = "Assessments whose derived category is not the reader's"
    note = "The report uses the derived category throughout; the reader's changes no number."
    return Table("reader_disagreements", title, columns, tuple(rows), (note,))


@empty_if_absent
def table_presence(data: Dataset, presence: Analysis) -> Table:
    """Who has a value at each visit, and why the others have none."""
    name, groups, rows = presence.variable, groups_of(data), []
    frame, below = presence[f"{name}_presence"], f"{name}_below_limit"
    shown = [s for s in PRESENCE if s == "value" or (where(frame, variable=f"{name}: {s}")["count"] != 0).any()]
    for time, part in frame.groupby("time"):
        rows.append(Row((_visit(data, time),), "group"))
        for state in shown:
            own = where(part, variable=f"{name}: {state}")
            rows.append(Row((PRESENCE_LABELS[state], *tables.cells(own, groups, _count)), "sub"))
        if below in presence and (presence[below]["count"] != 0).any():
            own = where(presence[below], time=time)
            label = f"{unit_label(own).capitalize()} below the limit of detection"
            rows.append(
                Row(
                    (label, *tables.cells(own, groups, lambda r: f"{format_whole(r['count'])}/{format_whole(r['n'])}")),
                    "sub",
                )
            )
    columns = (Column("Visit"), *tables.arm_columns(data))
    notes = ["Each patient counts once per visit. Those without a value are seldom a chance sample of their arm."]
    if below in presence:
        notes.append("A value below the limit of detection enters as the limit divided by the square root of two.")
    title = f"{measure(data.study, name).label}: who has a value, and who has none"
    return Table(f"{name}_presence", title, columns, tuple(rows), tuple(notes))


@empty_if_absent
def table_excluded(data: Dataset, analysis: Analysis) -> Table | Block:
    """Patients whose samples are left out of the analysis of a marker, by reason."""
    groups, frame = groups_of(data), analysis["marker_excluded"]
    if frame.empty:
        return EMPTY
    rows = []
    for variable, part in frame.groupby("variable", sort=False):
        reason = variable.split(": ", 1)[1]
        rows.append(Row((f"{reason[0].upper()}{reason[1:]}", *tables.cells(part, groups, _count))))
    marker = data.study.marker(analysis.variable)
    columns = (Column(f"{unit_label(frame).capitalize()} left out"), *tables.arm_columns(data))
    limit = (
        (f"Interfering: {data.study.marker(marker.interference.marker).label} above {marker.interference.above:g} "
         "at any time leaves out every sample of the patient.",) if marker.interference else ()
    )  # fmt: skip
    return Table(f"{marker.id}_excluded", f"{marker.label}: samples left out", columns, tuple(rows), limit)


@empty_if_absent
def table_ratios(data: Dataset, model: Analysis) -> Table:
    """Ratios to baseline from the mixed model, comparisons of arms and tests of the terms."""
    name, level, rows = model.variable, level_text(data), []
    for time, part in model[f"{name}_model_ratio"].groupby("time"):
        rows.append(Row((f"At {_visit(data, time)}",), "group"))
        rows += [Row((data.study.arm(r["group"]).label, *_ratio(r))) for r in part.to_dict("records")]
        if f"{name}_model_comparison" in model:
            pairs = where(model[f"{name}_model_comparison"], time=time)
            rows += [Row((pair_label(data, r["group"]), *_ratio(r)), "sub") for r in pairs.to_dict("records")]
    terms = model[f"{name}_model_term"].set_index("term")
    tested = terms.loc[["visit", *(["arm x visit"] if len(data.arms) > 1 else [])]]
    labels = {"visit": "Any change over the visits", "arm x visit": "Change differs between the arms"}
    for term, row in tested.iterrows():
        rows.append(Row((f"{labels[term]}, F test", "", format_p(row["p_value"]))))
    variance = model[f"{name}_model_variance"].iloc[0]
    method = model[f"{name}_model_ratio"]["method"].iat[0]
    notes = (
        f"{method[0].upper()}{method[1:]}; {counted(variance)}. Not adjusted for multiplicity.",
        "Below 1: lower than at baseline. Between arms: the ratio of two such ratios.",
        f"Intraclass correlation {format_number(variance['correlation'], 2)}: the share of the variance that lies between patients.",
        *_of_lesions(variance),
        *tables.notes_of(model[f"{name}_model_ratio"], model[f"{name}_model_term"]),
    )
    columns = (Column("Arm or comparison"), Column("Ratio to baseline", f"{level} CI"), Column("p"))
    title = f"{measure(data.study, name).label}: ratio to baseline from a mixed model"
    return Table(f"{name}_model", title, columns, tuple(rows), notes)


def _of_lesions(variance: pd.Series) -> list[str]:
    """What the second random effect found, where the model has one."""
    if "var_lesions" not in variance:
        return []
    share = format_percent(variance["correlation_lesions"])
    return [f"A further {share} of the variance lies between the lesions of a patient; a vanished lesion counts as too small to measure."]


def _ratio(row: dict) -> tuple[str, str]:
    if pd.isna(row["ratio"]):
        return DASH, DASH
    shown = f"{format_number(row['ratio'], 2)} ({format_interval(row['ci_low'], row['ci_high'], 2)})"
    return shown, format_p(row["p_value"])


@empty_if_absent
def table_sensitivity(data: Dataset, model: Analysis) -> Table:
    """The same ratios under other choices of samples, beside the main analysis."""
    name, groups, rows = model.variable, groups_of(data), []

    def shown(row):
        if pd.isna(row["ratio"]):
            return DASH
        interval = format_interval(row["ci_low"], row["ci_high"], 2)
        return f"{format_number(row['ratio'], 2)} ({interval}), n = {format_whole(row['n'])}"

    for time, part in model[f"{name}_sensitivity"].groupby("time"):
        rows.append(Row((f"At {_visit(data, time)}",), "group"))
        for variable, own in part.groupby("variable", sort=False):
            choice = variable.split(": ", 1)[1]
            rows.append(Row((f"{choice[0].upper()}{choice[1:]}", *tables.cells(own, groups, shown)), "sub"))
    columns = (Column("Samples"), *tables.arm_columns(data))
    units = unit_label(model[f"{name}_sensitivity"])
    note = f"Ratio to baseline from the same model ({level_text(data)} CI), and n, the {units} with a value. All samples: those left out of the main analysis included."
    title = f"{measure(data.study, name).label}: does the choice of samples matter?"
    return Table(f"{name}_sensitivity", title, columns, tuple(rows), (note,))
