"""Tables of the tumour's course, of lesions and sites, and of other events. Computes nothing."""

from __future__ import annotations

__all__ = [
    "table_agreement",
    "table_best_response",
    "table_disagreements",
    "table_duration",
    "table_first_progression",
    "table_other_events",
    "table_paired_response",
    "table_response_change",
    "table_sites",
]

import pandas as pd

from lib.analyses.efficacy.course import Course
from lib.analyses.efficacy.other_events import FIRST, OTHER_EVENTS, FirstProgression, OtherEvents, Sites, first_name
from lib.analyses.efficacy.response import CATEGORIES
from lib.analyses.result import where
from lib.dataset.dataset import Dataset
from lib.languages.notes import worded
from lib.languages.speech import N_, _
from lib.show.display import EMPTY, Block, Column, Row, Table, empty_if_absent, internal_only
from lib.show.formats import (
    DASH,
    format_exact_p,
    format_interval,
    format_median,
    format_number,
    format_p,
    format_points,
    format_whole,
    said_p,
)
from lib.show.labels import CATEGORY_LABELS, OVERALL, decimals_of_time, groups_of, level_text, share, unit_label
from lib.show.phrases import unit_name
from lib.show.tables import parts
from lib.show.tables.parts import count_cell, format_rate, visit_label
from lib.show.ways import field_label

SHORT_LABELS = {"died": N_("Died"), "missing": N_("No scan"), "not due": N_("Not due")}
BEST_LABELS = CATEGORY_LABELS | {
    "died": N_("Died before the first assessment"),
    "not due": N_("First assessment not yet due"),
}


@empty_if_absent
def table_best_response(course: Course) -> Table:
    """Best response of every patient, adding up to all, and the rates made from it."""
    data = course.dataset
    groups, counts, rows = groups_of(data, overall=True), course["best_response"], []
    for category in CATEGORIES:
        part = where(counts, variable=category)
        if (part["count"] != 0).any() or category in CATEGORIES[:4]:
            rows.append(Row((_(BEST_LABELS[category]), *parts.cells(part, groups, count_cell)), "sub"))
    sizes = {**data.n, OVERALL: len(data.patients)}
    rows.append(Row((_("All {unit_label}", unit_label=unit_label(counts)), *(format_whole(sizes[group]) for group in groups))))
    rule, rates = data.response, {"best_objective_response": _("Objective response")}
    if "confirmed_response" in course:
        rates["confirmed_response"] = _("Objective response, confirmed after {confirmation_days} days or more", confirmation_days=rule.confirmation_days)
    for output, label in (rates | {"best_disease_control": _("Disease control")}).items():
        rows.append(Row((label, *parts.cells(course[output], groups, format_rate))))
    early = _(" Stable disease counts from {stable_days} days after time zero.", stable_days=rule.stable_days) if rule.stable_days else ""
    notes = [
        _("The best category up to the first progression, whatever treatment followed; not confirmed unless the row says so.{early}", early=early),
        _("Rates: patients/all {entered} whose first assessment is due (%); exact Clopper-Pearson {level} CI in %.", entered=_(data.study.by_design.entered), level=level_text(data)),
        _("A best response is chosen after the event and looks better than the response at any one visit."),
    ]
    if "best_objective_response_test" in course:
        p = format_exact_p(course["best_objective_response_test"].iloc[0])
        notes.append(_("Objective response, all arms: Fisher-Freeman-Halton, {p}.", p=p))
    columns = (Column(_("Best response")), *parts.arm_columns(data, overall=True))
    return Table("best_response", _("Best response by arm"), columns, tuple(rows), tuple(notes))


@empty_if_absent
def table_response_change(course: Course) -> Table | Block:
    """Category at the first response visit against the last, every patient of each arm."""
    data = course.dataset
    if "response_change" not in course:
        return EMPTY
    shown = [c for c in CATEGORIES if c in set(course["response_change_last"]["variable"]) or c in CATEGORIES[:4]]
    rows, visits = [], data.response_visits
    first, last = (visit_label(data, pick(visits)) for pick in (min, max))
    for arm in data.arms:
        own, before, after = (where(course[f"response_change{end}"], group=arm.id) for end in ("", "_first", "_last"))
        counts, before, after = (part.set_index("variable")["count"] for part in (own, before, after))
        rows.append(Row((f"{arm.label} (n = {data.n[arm.id]})",), "group"))
        for category in [c for c in CATEGORIES if c in before.index]:
            cells = [format_whole(counts[f"{category} -> {last}"]) if f"{category} -> {last}" in counts else DASH for last in shown]
            rows.append(Row((_(CATEGORY_LABELS[category]), *cells, format_whole(before[category])), "sub"))
        total = after.reindex(shown, fill_value=0)
        rows.append(Row((_("All"), *(format_whole(n) for n in total), f"{data.n[arm.id]}"), "sub"))
    columns = (Column(_("At {first}", first=first)), *(Column(_(SHORT_LABELS[c]) if c in SHORT_LABELS else c) for c in shown), Column(_("All")))
    notes = (
        _("Rows: category at {first}; columns: at {last}.", first=first, last=last),
        _("Progression stays: a patient who progressed and then died or left counts as progressive disease."),
    )
    title = _("What became of each response: from {first} to {last}", first=first, last=last)
    return Table("response_change", title, columns, tuple(rows), notes)


@empty_if_absent
def table_paired_response(course: Course) -> Table | Block:
    """Responses gained and lost between the first and the last response visit, exact McNemar test."""
    data = course.dataset
    if "response_change_treated" not in course:
        return EMPTY
    rows = []
    for name, heading in (("treated", _("All {entered}", entered=_(data.study.by_design.entered))), ("evaluable", _("Evaluable at both visits"))):
        frame = course[f"response_change_{name}"].set_index("group")
        rows.append(Row((heading,), "group"))
        for group in groups_of(data, overall=True):
            row = frame.loc[group]
            label = _("All arms") if group == OVERALL else data.study.arm(group).label
            points = format_points(row["difference"])
            numbers = (f"{format_whole(row[column])}" for column in ("n", "n_gained", "n_lost"))
            rows.append(Row((label, *numbers, points, format_p(row["p_value"])), "sub"))
    columns = (Column(_("Arm")), Column(unit_label(course["response_change_treated"]).capitalize()), Column(_("Gained")), Column(_("Lost")),
               Column(_("Points")), Column(said_p(), _("McNemar")))  # fmt: skip
    notes = (
        _(
            "The same patients at both visits, exact test; points: change of the response rate in percentage points. Only those who changed carry the "
            "test. Among all {entered}, a patient who died or was not assessed counts as without response.",
            entered=_(data.study.by_design.entered),
        ),
    )
    title = _("Responses gained and lost between the first and the last response visit")
    return Table("response_paired", title, columns, tuple(rows), notes)


@empty_if_absent
def table_duration(course: Course) -> Table:
    """Time to response and its duration, in responders."""
    data = course.dataset
    groups, d, unit = groups_of(data), decimals_of_time(data), data.study.time.unit
    best, time, lasting = course["best_objective_response"], course["time_to_response"], course["duration_of_response"]

    def quartiles(row):
        return f"{format_number(row['median'], d)} ({format_interval(row['q1'], row['q3'], d)})" if row["n"] else DASH

    rows = (
        Row(
            (_("Responders"), *parts.cells(best, groups, lambda r: f"{format_whole(r['count'])}/{format_whole(r['n'])}"))
        ),
        Row((_("Time to response, {unit}: median (quartiles)", unit=unit_name(unit)), *parts.cells(time, groups, quartiles))),
        Row(
            (
                _("Progressed or died after response"),
                *parts.cells(lasting, groups, lambda r: f"{format_whole(r['n_events'])}"),
            )
        ),
        Row((_("Duration of response, {unit}: median ({level} CI)", unit=unit_name(unit), level=level_text(data)), *parts.cells(lasting, groups, lambda r: format_median(r, d)))),
    )
    notes = (
        _("Duration: {iat}; from the first response to progression or death, else censored at the last assessment.", iat=worded(lasting['method'].iat[0])),
        _("Responders are selected by the outcome: these rows describe them and do not compare the arms."),
    )
    columns = (Column(_("In responders")), *parts.arm_columns(data))
    return Table("duration_of_response", _("Time to response and its duration"), columns, rows, notes)


@empty_if_absent
def table_agreement(course: Course) -> Table | Block:
    """How often the derived category is the reader's, by visit."""
    data = course.dataset
    if "reader_agreement" not in course:
        return EMPTY
    enough = course["reader_agreement"]["n"] >= data.study.policy.min_at_risk
    rows = [
        Row(
            (
                visit_label(data, r["time"]),
                f"{format_whole(r['n'])}",
                share(r),
                format_number(r["kappa"], 2),
            )
        )
        for r in course["reader_agreement"][enough].to_dict("records")
    ]
    columns = (Column(_("Visit")), Column(_("Read and derived")), Column(_("Same category")), Column(_("Kappa"), _("unweighted")))
    note = (
        _(
            "Each patient counts once per visit. Kappa does not exist where both used one category only. Visits with fewer than {min_at_risk} "
            "{unit_label} are in results.csv only.",
            min_at_risk=data.study.policy.min_at_risk, unit_label=unit_label(course['reader_agreement']),
        )
    )
    return Table("reader_agreement", _("Derived category beside the reader's"), columns, tuple(rows), (note,))


@internal_only("listing", "assessments on which the reader and the rule disagree")
@empty_if_absent
def table_disagreements(course: Course) -> Table | Block:
    """Every assessment whose derived category is not the reader's."""
    data = course.dataset
    found = course["disagreements"]
    if found.empty:
        return EMPTY
    rows = []
    for row in found.itertuples():
        change = f"{format_number(row.percent_change, 1)}%"
        place = (row.patient_id, data.study.arm(row.arm).label, visit_label(data, row.visit), f"{row.date:%Y-%m-%d}")
        rows.append(Row((*place, change, row.response, row.reader)))
    columns = (Column(_("Patient")), Column(_("Arm"), text=True), Column(_("Visit")), Column(_("Date")),
               Column(_("Sum of diameters"), _("change from baseline")), Column(_("Derived")), Column(_("Reader")))  # fmt: skip
    title = _("Assessments whose derived category is not the reader's")
    note = _("The report uses the derived category throughout; the reader's changes no number.")
    return Table("reader_disagreements", title, columns, tuple(rows), (note,))


@empty_if_absent
def table_other_events(other: OtherEvents) -> Table:
    """Patients with each kind of event by arm, whatever endpoint counts it."""
    data = other.dataset
    notes = (
        _(
            "Patients/all (%); exact Clopper-Pearson {level} CI in %. A longer follow-up sees more of each: rates over time stand with the endpoints. A "
            "later line can prolong survival without belonging to the arm.",
            level=level_text(data),
        ),
    )
    return _counts(data, "what_else_happened", other["other_events"], OTHER_EVENTS, _("What else happened"), *notes)


@empty_if_absent
def table_sites(sites: Sites) -> Table:
    """Patients with a target lesion at each site by arm."""
    data = sites.dataset
    labels = {site.value: site.label for site in data.study.sites}
    notes = (
        _(
            "Patients with a target lesion at the site/all (%); exact Clopper-Pearson {level} CI in %. A patient can have several sites. Where an arm "
            "holds other sites than another, the disease chose the treatment.",
            level=level_text(data),
        ),
    )
    return _counts(data, "where_the_target_lesions_lie", sites["lesion_sites"], labels, _("Where the target lesions lie"), *notes)


@empty_if_absent
def table_first_progression(first: FirstProgression) -> Table:
    """Where patients progressed first, by arm."""
    data = first.dataset
    labels = {first_name(*key): label for key, label in FIRST.items()}
    notes = (
        _(
            "Patients/all (%); exact Clopper-Pearson {level} CI in %. The first day on which a lesion had grown over its own smallest diameter, a new "
            "one was seen, the sum of the targets met the rule or distant progression was recorded; who had several on that day stands in several rows. "
            "Treated are {field_label}.",
            level=level_text(data), field_label=field_label(data),
        ),
    )
    return _counts(data, "where_it_progressed_first", first["first_progression"], labels, _("Where it progressed first"), *notes)


def _counts(data: Dataset, name: str, frame: pd.DataFrame, labels: dict[str, str], *words: str) -> Table:
    title, *notes = words
    groups = groups_of(data, overall=True)
    rows = [
        Row((worded(labels[variable]), *parts.cells(part, groups, format_rate)))
        for variable, part in frame.groupby("variable", sort=False)
    ]
    return Table(name, title, (Column(unit_label(frame).capitalize()), *parts.arm_columns(data, overall=True)), tuple(rows), tuple(notes))
