"""Tables of how the study was run: exposure, attendance, timing of scans, enrolment, checklists. Computes nothing."""

from __future__ import annotations

__all__ = [
    "table_attendance",
    "table_checklist",
    "table_declarations",
    "table_enrolment",
    "table_exposure",
    "table_timing",
]

import pandas as pd

from lib.analyses.cohort.checklist import DECLARATIONS, Place, Reporting, fill, read_checklist
from lib.analyses.cohort.conduct import BETWEEN, FIRST, LATER, SAME_DAY, SCANS, Attendance, Exposure, Timing
from lib.analyses.cohort.flow import Enrolment
from lib.analyses.result import where
from lib.analyses.robustness.confounding import Calendar
from lib.dataset.dataset import Dataset
from lib.show.display import EMPTY, Block, Column, Links, Row, Table, anchor, empty_if_absent
from lib.show.formats import DASH, format_duration, format_given, format_interval, format_number, format_whole
from lib.show.labels import examination_label, groups_of, share, unit_label
from lib.show.tables.parts import arm_columns, cells

# Measure -> label, decimals.
MEASURES = {
    "duration": ("Duration, days", 0),
    "sessions": ("Sessions per patient", 0),
    "lesions": ("Lesions treated per patient", 0),
    "seeds": ("Seeds per patient", 0),
    "activity": ("Activity per patient, mCi", 1),
    "prescription": ("Prescribed dose per lesion, Gy", 0),
    "d90": ("D90 per lesion, Gy", 1),
    "lowest d90": ("Lowest D90 of a patient, Gy", 1),
}


def _count(row: pd.Series) -> str:
    return share(row) if row["n"] else DASH


def _summary(decimals: int):
    def shown(row: pd.Series) -> str:
        if not row["n"]:
            return DASH
        quartiles = format_interval(row["q1"], row["q3"], decimals)
        return f"{format_number(row['median'], decimals)} ({quartiles})"

    return shown


def _range(row: pd.Series) -> str:
    return format_interval(row["min"], row["max"], 0)


@empty_if_absent
def table_exposure(exposure: Exposure) -> Table:
    """Every component: who received it, how long, how much; then the days between components and later lines."""
    data = exposure.dataset
    groups, rows = groups_of(data, overall=True), []
    for component in data.study.treatments.components:
        rows.append(Row((component.label,), "group"))
        for name, label in _counted(component).items():
            rows += _rows(exposure["exposure_count"], f"{component.id}: {name}", label, groups, _count)
        for measure, (label, decimals) in MEASURES.items():
            name = f"{component.id}: {measure}"
            rows += _rows(exposure["exposure_number"], name, label, groups, _summary(decimals))
    rows += _between(data, exposure, groups) + _later(data, exposure, groups)
    notes = (
        "Patients/analysed (%) for who received a component and for later lines, otherwise patients/those whom it concerns (%). Numbers: median (first to third quartile) of those who received it; mean, range and quartiles stand in results.csv. A treatment that goes on is counted until the last contact.",
    )
    columns = (Column("Exposure"), *arm_columns(data, overall=True))
    return Table("exposure", "Treatment received, by component and arm", columns, tuple(rows), notes)


def _counted(component) -> dict[str, str]:
    """Counts of a component -> label, in the order of the table."""
    unit = f" {component.dose_unit}" if component.dose_unit else ""
    labels = {"treated": "Received it", "ongoing": "Still on it"}
    labels |= {f"start {dose:g}": f"Started with {format_given(dose)}{unit}" for dose in component.doses}
    labels |= {f"lowest {dose:g}": f"Lowest dose {format_given(dose)}{unit}" for dose in component.doses}
    return labels | {"reduced": "Dose reduced"}


def _rows(frame: pd.DataFrame, variable: str, label: str, groups: list[str], show) -> list[Row]:
    """One row, or none where nothing of this name was computed."""
    part = where(frame, variable=variable)
    return [Row((label, *cells(part, groups, show)), "sub")] if len(part) else []


def _between(data: Dataset, exposure: Exposure, groups: list[str]) -> list[Row]:
    number = exposure["exposure_number"]
    rows = _rows(number, BETWEEN, "Days from the first to the last start", groups, _summary(0))
    rows += _rows(number, BETWEEN, "Range", groups, _range)
    names = {component.id: component.label for component in data.study.treatments.components}
    for name, label in {**{i: f"{text} came first" for i, text in names.items()}, SAME_DAY: "Same day"}.items():
        rows += _rows(exposure["exposure_count"], f"{FIRST}: {name}", label, groups, _count)
    return [Row(("Patients with several components",), "group"), *rows] if rows else []


def _later(data: Dataset, exposure: Exposure, groups: list[str]) -> list[Row]:
    names = {component.id: component.label for component in data.study.treatments.components}
    counts = exposure["exposure_count"]
    rows = [Row(("Later lines of treatment",), "group")]
    for variable in dict.fromkeys(counts["variable"]):
        if variable.startswith(f"{LATER}: "):
            name = variable.removeprefix(f"{LATER}: ")
            label = "Any" if name == "any" else names.get(name, name[:1].upper() + name[1:])
            rows += _rows(counts, variable, label, groups, _count)
    return rows


@empty_if_absent
def table_attendance(attendance: Attendance) -> Table:
    """Patients examined at each visit, of those due."""
    data = attendance.dataset
    groups, frame, rows = groups_of(data, overall=True), attendance["attendance"], []
    for name, examined in frame.groupby("variable", sort=False):
        rows.append(Row((examination_label(data.study, name),), "group"))
        for visit, part in examined.groupby("time"):
            if (part["n"] != 0).any():
                label = "Baseline" if visit == 0 else format_duration(visit, data.study.time.unit)
                rows.append(Row((label, *cells(part, groups, lambda r: _count(r) if r["n"] else "none due")), "sub"))
    until = "cut-off and death" + (
        ", for scans also until progression" if SCANS in set(frame["variable"]) and data.study.response else ""
    )
    notes = (
        f"{unit_label(frame).capitalize()} examined/due (%). Due: examined, or under observation until the visit's window had closed ({until}).",
    )
    columns = (Column("Visit"), *arm_columns(data, overall=True))
    return Table("attendance", "Patients examined at each visit, of those due", columns, tuple(rows), notes)


@empty_if_absent
def table_timing(timing: Timing) -> Table:
    """Days between scans, and from the scheduled day."""
    data = timing.dataset
    groups, rows = groups_of(data, overall=True), []
    for output, label in (
        ("scan_interval", "Days between two scans"),
        ("scan_longest", "Longest interval of a patient, days"),
        ("scan_delay", "Days after the scheduled day"),
    ):
        frame = timing[output]
        rows += [
            Row((label, *cells(frame, groups, _summary(0)))),
            Row(("Range", *cells(frame, groups, _range)), "sub"),
            Row((unit_label(frame).capitalize(), *cells(frame, groups, lambda r: f"{format_whole(r['n'])}")), "sub"),
        ]
    notes = (
        "Median (first to third quartile). Intervals grow with the schedule, so an arm that is followed for longer has longer ones: compare arms visit by visit in the figure.",
    )
    columns = (Column("Timing of scans"), *arm_columns(data, overall=True))
    return Table("timing", "Intervals between scans, by arm", columns, tuple(rows), notes)


@empty_if_absent
def table_enrolment(enrolment: Enrolment | Calendar) -> Table:
    """Patients who started in each calendar year and, where it was asked for, the days between their components."""
    data = enrolment.dataset
    groups, frame = groups_of(data, overall=True), enrolment["enrolment"]
    rows = [
        Row((f"{year:.0f}", *cells(part, groups, lambda r: f"{format_whole(r['count'])}")))
        for year, part in frame.groupby("time")
    ]
    if "component_gap" in enrolment:
        gap = enrolment["component_gap"]
        rows += [
            Row(("Days between the first and the last component of a combination",), "group"),
            Row(("Median (quartiles)", *cells(gap, groups, _summary(0))), "sub"),
            Row(("Range", *cells(gap, groups, _range)), "sub"),
            Row(("On the same day", *cells(gap, groups, lambda r: f"{format_whole(r['count'])}/{format_whole(r['n'])}")), "sub"),
        ]
    columns = (Column("Year"), *arm_columns(data, overall=True))
    title = f"Patients by year of {data.study.time.zero_label}"
    return Table("enrolment", title, columns, tuple(rows))


@empty_if_absent
def table_checklist(reporting: Reporting, name: str) -> Table | Block:
    """A reporting checklist: each item, what the report says, and where; nothing where the design asks for another."""
    if name not in reporting.dataset.study.by_design.checklists:
        return EMPTY
    checklist = read_checklist(name)
    rows = []
    for answer in fill(reporting.dataset, checklist):
        links = [(_place(place), f"{place.page}.html#{anchor(place.heading)}") for place in answer.places]
        rows.append(Row((answer.item, answer.text, answer.said, Links(links) if links else DASH)))
    labels = ("Item", "What is asked", "What the report says", "Where it stands")
    notes = (f"{checklist.source}. Items in our own words.",)
    columns = tuple(Column(label, text=True) for label in labels)
    return Table(f"checklist_{name}", f"{checklist.name}: {checklist.title}", columns, tuple(rows), notes, dash="in no section")


@empty_if_absent
def table_declarations(reporting: Reporting) -> Table:
    """What a journal asks the authors to declare, in the words of study.yml."""
    about = reporting.dataset.study.study
    rows = [Row((label, getattr(about, key) or "not stated")) for key, label in DECLARATIONS.items()]
    columns = (Column("Declaration", text=True), Column("As study.yml states it", text=True))
    return Table("declarations", "What the authors declare", columns, tuple(rows))


def _place(place: Place) -> str:
    """Such as "Cohort: How alike are the arms?"; the title of a page is its top."""
    page = place.page.capitalize()
    return f"{page}: {'top of the page' if place.heading == page else place.heading}"
