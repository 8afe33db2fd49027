"""The data model -> an Excel workbook to fill in: a sheet per table, explanations, drop-down lists, limits."""

from __future__ import annotations

__all__ = ["EXAMPLE", "write_template"]

from pathlib import Path

import openpyxl
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from lib.intake.columns import Column, columns_of
from lib.intake.spreadsheet import save_workbook
from lib.languages.notes import worded
from lib.languages.speech import in_a_row
from lib.study.study import Study

# A study of every table and no particular disease: what it calls its arms, sites and terms is nobody's.
EXAMPLE = Path(__file__).parent / "example"
OWN_WORDS = ("arm", "site", "marker", "term", "system")
ROWS = 2_000
MAX_LIST = 250  # characters of a drop-down list that Excel takes
FORMATS = {"date": "yyyy-mm-dd", "id": "@", "code": "@", "text": "@"}
REQUIRED, OPTIONAL = PatternFill("solid", fgColor="D9E8F5"), PatternFill("solid", fgColor="F0F0F0")
TABLES = {
    "patients": "One row per patient. The only table that must be filled.",
    "lesions": "One row per lesion.",
    "measurements": "One row per lesion and scan.",
    "assessments": "One row per patient and scan: what the reader said.",
    "markers": "One row per blood sample and marker.",
    "treatments": "One row per component of treatment: each drug, each implantation.",
    "adverse_events": "One row per event.",
}
MEANING = {
    "patient_id": "Pseudonym of the patient: never a name, a birth date or a hospital number.",
    "arm": "Treatment group.",
    "time_zero": "Day from which time counts (randomisation, start of treatment).",
    "last_tumour_assessment": "Last day on which the tumour was assessed.",
    "local_progression": "1 if the tumour progressed, else 0.",
    "local_progression_date": "Day of the first progression; empty if none.",
    "distant_progression_date": "Day of the first distant progression; empty if none.",
    "death": "1 if dead, else 0.",
    "death_date": "Day of death; empty if alive.",
    "last_contact_date": "Last day known alive; the day of death if dead.",
    "excluded": "Reason why the patient is not analysed; empty for those who are.",
    "lesion_id": "Unique over all patients, such as P001-L1.",
    "site": "Organ or region.",
    "target": "1 for a target lesion, else 0.",
    "treated": "1 if treated locally, else 0.",
    "region": "Where it lies, as seen from what local therapy is for; empty: the region of its site.",
    "assessment_date": "Day of the scan.",
    "visit": "Planned time in the study's unit; 0 is baseline.",
    "longest_mm": "Longest diameter.",
    "short_mm": "Longest diameter at right angles to it (the short axis of a lymph node).",
    "third_mm": "Third diameter, for the volume.",
    "too_small": "1 if too small to measure; the diameters are then 5.0.",
    "status": "measured, too_small, or absent (vanished; diameters 0.0).",
    "modality": "CT, MR, US ...",
    "reader_response": "Response as the reader gave it.",
    "new_lesion": "1 if a new lesion was seen, else 0.",
    "sample_date": "Day of the blood sample.",
    "marker": "What was measured.",
    "value": "The result, a number.",
    "unit": "Its unit.",
    "below_limit": "1 if below the limit of detection, else 0.",
    "limit": "The limit of detection.",
    "above_limit": "1 if above what the assay can measure, else 0; the value is then its upper limit.",
    "state": "suppressed or stimulated, where it matters.",
    "positive": "1 if the laboratory calls it positive.",
    "component": "Drug or local therapy.",
    "start_date": "First day.",
    "end_date": "Last day; empty if it goes on.",
    "start_dose": "First dose.",
    "lowest_dose": "Lowest dose given.",
    "line": "1 = study treatment, 2 and more = later therapy.",
    "term": "What happened, one term of the dictionary (CTCAE).",
    "system": "Its organ system.",
    "grade": "How severe it was, on the scale of study.yml.",
    "onset_date": "First day.",
    "related": "drug, procedure, both or no.",
    "serious": "1 if serious, else 0.",
    "action": "none, reduced, interrupted or stopped.",
    "outcome": "What became of it: recovered, recovering, not recovered, sequelae, fatal or unknown.",
}
READ_ME = (
    "How to fill this workbook",
    "",
    "One sheet per table, one row per patient, scan, sample, treatment or event, as its first line says.",
    "Blue headings must be filled, grey ones may. Point at a heading to read what belongs there.",
    "Dates as 2023-02-28. A point as decimal mark. Leave a cell empty when it is not known.",
    "Delete sheets and grey columns that you do not need. Add columns to patients for your baseline variables.",
    "No names, birth dates, addresses or hospital numbers: such columns are not copied.",
    "",
    "Then: python -m lib new data/my_study --from this_workbook.xlsx",
)


def write_template(study: Study, path: Path) -> Path:
    """Write the workbook for a study.

    Parameters
    ----------
    study : Study
        Gives arms, sites, markers, terms and baseline variables to the lists.
    path : Path
        Of the .xlsx file.

    Returns
    -------
    Path
        Of the file. The same study gives the same bytes.
    """
    book = openpyxl.Workbook()
    _fill_read_me(book.active)
    for table, columns in columns_of(study).items():
        if study.holds(table):
            _fill(book.create_sheet(table), table, columns, study)
    return save_workbook(book, path)


def _fill_read_me(page: Worksheet) -> None:
    page.title = "Read me"
    for row, line in enumerate([*map(worded, READ_ME), "", *(f"{table}: {worded(says)}" for table, says in TABLES.items())], start=1):
        page.cell(row, 1, line).font = Font(bold=row == 1, size=14 if row == 1 else 11)
    page.column_dimensions["A"].width = 110


def _fill(page: Worksheet, table: str, columns: tuple[Column, ...], study: Study) -> None:
    page.freeze_panes = "B2"
    theirs = study.tables[table].columns
    for number, column in enumerate(columns, start=1):
        name, letter = theirs.get(column.declared, column.declared), get_column_letter(number)
        head = page.cell(1, number, name)
        head.font, head.alignment = Font(bold=True), Alignment(vertical="top")
        head.fill = REQUIRED if column.required and column.filled else OPTIONAL
        head.comment = Comment(_explained(column, study), "Cohort report", width=320, height=110)
        page.column_dimensions[letter].width = max(12, len(name) + 3)
        page.column_dimensions[letter].number_format = FORMATS.get(column.kind, "General")
        rule = None if _own_words(column, study) else _limits(column)
        if rule is not None:
            page.add_data_validation(rule)
            rule.add(f"{letter}2:{letter}{ROWS + 1}")


def _explained(column: Column, study: Study) -> str:
    label = next((variable.label for variable in study.baseline if variable.column == column.name), "")
    meaning = MEANING.get(column.name, label or column.declared)
    rule = "your own words, spelt the same everywhere" if _own_words(column, study) else column.rule
    said = [f"{rule[:1].upper()}{rule[1:]}.", "" if column.required and column.filled else "May be empty."]
    return f"{worded(meaning)}\n{in_a_row(map(worded, said))}"


def _own_words(column: Column, study: Study) -> bool:
    return study.folder == EXAMPLE and column.name in OWN_WORDS


def _limits(column: Column) -> DataValidation | None:
    """A drop-down list or limits, for one column."""
    allowed = ["0", "1"] if column.kind == "flag" else list(column.allowed or [])
    listed = ",".join(allowed)
    if allowed and len(listed) <= MAX_LIST and not any("," in value or '"' in value for value in allowed):
        rule = DataValidation(type="list", formula1=f'"{listed}"', allow_blank=True)
    elif column.kind == "date":
        rule = DataValidation(type="date", operator="greaterThan", formula1="18264", allow_blank=True)  # 1950
    elif column.kind in ("whole", "number") and column.low is not None and column.high is not None:
        kind = "whole" if column.kind == "whole" else "decimal"
        low, high = f"{column.low:g}", f"{column.high:g}"
        rule = DataValidation(type=kind, operator="between", formula1=low, formula2=high, allow_blank=True)
    else:
        return None
    rule.showErrorMessage, rule.errorTitle, rule.error = True, column.declared[:31], worded(f"{column.rule}")[:220]
    return rule
