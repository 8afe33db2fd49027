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
from lib.languages.notes import worded
from lib.languages.speech import N_, _, in_a_row
from lib.show.display import EMPTY, Block, Column, Links, Row, Table, anchor, empty_if_absent
from lib.show.formats import DASH, format_given, format_interval, format_number, format_whole
from lib.show.labels import examination_label, groups_of, share, unit_label
from lib.show.phrases import format_duration
from lib.show.tables.parts import arm_columns, cells

# Measure -> label, decimals.
MEASURES = {
    "duration": (N_("Duration, days"), 0),
    "sessions": (N_("Sessions per patient"), 0),
    "lesions": (N_("Lesions treated per patient"), 0),
    "seeds": (N_("Seeds per patient"), 0),
    "activity": (N_("Activity per patient, mCi"), 1),
    "prescription": (N_("Prescribed dose per lesion, Gy"), 0),
    "d90": (N_("D90 per lesion, Gy"), 1),
    "lowest d90": (N_("Lowest D90 of a patient, Gy"), 1),
}
# What a checklist says that a study does not state; part of a note of the rooms below.
UNSTATED = (N_("its question"), N_("its cutoff"), N_("its population"), N_("its design"), N_("its citation"), N_("its setting"), N_("its registration"), N_("its protocol"), N_("its ethics"), N_("its sample size"), N_("its funding"), N_("its data access"))


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
            rows += _rows(exposure["exposure_number"], name, _(label), groups, _summary(decimals))
    rows += _between(data, exposure, groups) + _later(data, exposure, groups)
    notes = (
        _(
            "Patients/analysed (%) for who received a component and for later lines, otherwise patients/those whom it concerns (%). Numbers: median "
            "(first to third quartile) of those who received it; mean, range and quartiles stand in results.csv. A treatment that goes on is counted "
            "until the last contact.",
        ),
    )
    columns = (Column(_("Exposure")), *arm_columns(data, overall=True))
    return Table("exposure", _("Treatment received, by component and arm"), columns, tuple(rows), notes)


def _counted(component) -> dict[str, str]:
    """Counts of a component -> label, in the order of the table."""
    unit = f" {component.dose_unit}" if component.dose_unit else ""
    labels = {"treated": _("Received it"), "ongoing": _("Still on it")}
    labels |= {f"start {dose:g}": _("Started with {dose}{unit}", dose=format_given(dose), unit=unit) for dose in component.doses}
    labels |= {f"lowest {dose:g}": _("Lowest dose {dose}{unit}", dose=format_given(dose), unit=unit) for dose in component.doses}
    return labels | {"reduced": _("Dose reduced")}


def _rows(frame: pd.DataFrame, variable: str, label: str, groups: list[str], show) -> list[Row]:
    """One row, or none where nothing of this name was computed."""
    part = where(frame, variable=variable)
    return [Row((label, *cells(part, groups, show)), "sub")] if len(part) else []


def _between(data: Dataset, exposure: Exposure, groups: list[str]) -> list[Row]:
    number = exposure["exposure_number"]
    rows = _rows(number, BETWEEN, _("Days from the first to the last start"), groups, _summary(0))
    rows += _rows(number, BETWEEN, _("Range"), groups, _range)
    names = {component.id: component.label for component in data.study.treatments.components}
    for name, label in {**{i: _("{text} came first", text=text) for i, text in names.items()}, SAME_DAY: _("Same day")}.items():
        rows += _rows(exposure["exposure_count"], f"{FIRST}: {name}", label, groups, _count)
    return [Row((_("Patients with several components"),), "group"), *rows] if rows else []


def _later(data: Dataset, exposure: Exposure, groups: list[str]) -> list[Row]:
    names = {component.id: component.label for component in data.study.treatments.components}
    counts = exposure["exposure_count"]
    rows = [Row((_("Later lines of treatment"),), "group")]
    for variable in dict.fromkeys(counts["variable"]):
        if variable.startswith(f"{LATER}: "):
            name = variable.removeprefix(f"{LATER}: ")
            label = _("Any") if name == "any" else names.get(name, name[:1].upper() + name[1:])
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
                label = _("Baseline") if visit == 0 else format_duration(visit, data.study.time.unit)
                rows.append(Row((label, *cells(part, groups, lambda r: _count(r) if r["n"] else _("none due"))), "sub"))
    until = _("cut-off and death") + (
        _(", for scans also until progression") if SCANS in set(frame["variable"]) and data.study.response else ""
    )
    notes = (
        _("{unit_label} examined/due (%). Due: examined, or under observation until the visit's window had closed ({until}).", unit_label=unit_label(frame).capitalize(), until=until),
    )
    columns = (Column(_("Visit")), *arm_columns(data, overall=True))
    return Table("attendance", _("Patients examined at each visit, of those due"), columns, tuple(rows), notes)


@empty_if_absent
def table_timing(timing: Timing) -> Table:
    """Days between scans, and from the scheduled day."""
    data = timing.dataset
    groups, rows = groups_of(data, overall=True), []
    for output, label in (
        ("scan_interval", _("Days between two scans")),
        ("scan_longest", _("Longest interval of a patient, days")),
        ("scan_delay", _("Days after the scheduled day")),
    ):
        frame = timing[output]
        rows += [
            Row((label, *cells(frame, groups, _summary(0)))),
            Row((_("Range"), *cells(frame, groups, _range)), "sub"),
            Row((unit_label(frame).capitalize(), *cells(frame, groups, lambda r: f"{format_whole(r['n'])}")), "sub"),
        ]
    notes = (
        _(
            "Median (first to third quartile). Intervals grow with the schedule, so an arm that is followed for longer has longer ones: compare arms "
            "visit by visit in the figure.",
        ),
    )
    columns = (Column(_("Timing of scans")), *arm_columns(data, overall=True))
    return Table("timing", _("Intervals between scans, by arm"), columns, tuple(rows), notes)


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
            Row((_("Days between the first and the last component of a combination"),), "group"),
            Row((_("Median (quartiles)"), *cells(gap, groups, _summary(0))), "sub"),
            Row((_("Range"), *cells(gap, groups, _range)), "sub"),
            Row((_("On the same day"), *cells(gap, groups, lambda r: f"{format_whole(r['count'])}/{format_whole(r['n'])}")), "sub"),
        ]
    columns = (Column(_("Year")), *arm_columns(data, overall=True))
    title = _("Patients by year of {zero_label}", zero_label=data.study.time.zero_label)
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
        rows.append(Row((answer.item, worded(answer.text), in_a_row(map(_ended, answer.parts)), Links(links) if links else DASH)))
    labels = (_("Item"), _("What is asked"), _("What the report says"), _("Where it stands"))
    notes = (_("{source}. Items in our own words.", source=checklist.source),)
    columns = tuple(Column(label, text=True) for label in labels)
    title = _("{name}: {title}", name=checklist.name, title=worded(checklist.title))
    return Table(f"checklist_{name}", title, columns, tuple(rows), notes, dash=_("in no section"))


@empty_if_absent
def table_declarations(reporting: Reporting) -> Table:
    """What a journal asks the authors to declare, in the words of study.yml."""
    about = reporting.dataset.study.study
    rows = [Row((worded(label), getattr(about, key) or _("not stated"))) for key, label in DECLARATIONS.items()]
    columns = (Column(_("Declaration"), text=True), Column(_("As study.yml states it"), text=True))
    return Table("declarations", _("What the authors declare"), columns, tuple(rows))


def _place(place: Place) -> str:
    """Such as "Cohort: How alike are the arms?"; the title of a page is its top."""
    page = place.page.capitalize()
    return _("{name}: {title}", name=_(page), title=_("top of the page") if place.heading == page else _(place.heading))


def _ended(part: str) -> str:
    """A part of an answer with the full stop of the language in force; a question has its own mark."""
    said = worded(part)
    bare = said.removesuffix(".")
    return said if bare == said else bare if bare.endswith("？") else _("{sentence}.", sentence=bare)
