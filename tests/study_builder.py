"""A small good study of three arms and six patients, and ways to spoil it.

    write_study(folder, patients=cell(0, "age_years", "17"))

writes a study whose first patient is 17. Row 0 is the first row below the header, row 2 of the file.
"""

from __future__ import annotations

__all__ = ["STUDY_YML", "TABLES", "add", "again", "as_if_chosen", "cell", "drop", "good_tables", "header", "study_text", "write_study"]

import datetime as dt
import functools
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd

STUDY_YML = Path(__file__).parent.parent / "data" / "rair_dtc" / "study.yml"
# What is given in two languages, in a line or below its key; but for words for patients.
IN_LINE = re.compile(r'\b((?:label|short|unit|why): )\{en: ("[^"]*"|[^,{}"]+), zh: [^{}]*\}')
TERMS = re.compile(r"^  labels:.*?(?=^  plain:)", re.MULTILINE | re.DOTALL)
BELOW = re.compile(r"^( +)(\w+):( #[^\n]*)?\n\1  en: ([^\n]*)\n\1  zh: [^\n]*\n", re.MULTILINE)


def study_text() -> str:
    """The shipped study.yml with its labels in English alone and unquoted, for whoever changes a line of it."""
    text = TERMS.sub("", IN_LINE.sub(r"\1\2", STUDY_YML.read_text(encoding="utf-8")))
    return BELOW.sub(_in_english, text)


def _in_english(found: re.Match) -> str:
    key, comment, words = found[2], found[3] or "", found[4]
    if key in ("question", "population") and len(found[1]) > 2:  # words for patients keep their languages
        return found[0]
    bare = words.strip('"')
    return f"{found[1]}{key}: {words if ': ' in bare or '#' in bare else bare}{comment}\n"


# The small study has no laboratory values that are watched for harm: a test that needs some declares its own.
LABORATORY = re.compile(r"  # watched for harm(?:.*\n)+?\nliver:\n(?:  .*\n)+")
TABLES = ("patients", "lesions", "measurements", "assessments", "markers", "treatments", "adverse_events")
Change = Callable[[pd.DataFrame], pd.DataFrame]

# id: arm, age, sex, histology, ecog, courses, activity, time zero, last assessment (visit), progression (visit),
# day of death, day of last contact
PATIENTS = {
    "SYN-01": ("A", 52, "F", "PTC", 0, 2, "11.1", "2020-01-10", 6, 6, 400, 400),
    "SYN-02": ("A", 63, "M", "FTC", 1, 3, "14.8", "2020-03-02", 12, None, None, 600),
    "SYN-03": ("B", 47, "F", "PTC", 0, 1, "5.5", "2020-02-14", 12, 12, None, 500),
    "SYN-04": ("B", 71, "M", "HCC", 2, 0, "0.0", "2020-05-20", 6, None, 300, 300),
    "SYN-05": ("C", 58, "F", "PDTC", 1, 4, "22.2", "2020-06-01", 12, None, None, 700),
    "SYN-06": ("C", 39, "F", "PTC", 0, 2, "7.4", "2020-07-15", 12, None, None, 450),
}
# lesion: site, target, visit -> longest, short, third
LESIONS = {
    "SYN-01-1": ("lung", 1, {0: (30.0, 22.0, 20.0), 6: (38.5, 28.0, 22.0)}),
    "SYN-02-1": ("bone", 1, {0: (41.0, 30.0, 25.0), 6: (30.0, 22.0, 18.0), 12: (26.0, 20.0, 15.0)}),
    "SYN-03-1": ("cervical_lymph_node", 1, {0: (26.0, 18.0, 16.0), 6: (20.0, 12.5, 11.0), 12: (18.0, 11.0, 10.0)}),
    "SYN-03-2": ("lung", 1, {0: (22.0, 18.0, 14.0), 6: (16.0, 12.0, 10.0), 12: (38.0, 25.0, 21.0)}),
    "SYN-04-1": ("lung", 1, {0: (28.0, 20.0, 20.0), 6: (27.0, 20.0, 18.0)}),
    "SYN-05-1": ("cervical_lymph_node", 1, {0: (24.0, 17.0, 15.0), 6: (12.0, 8.0, 7.0), 12: (0.0, 0.0, 0.0)}),
    "SYN-06-1": ("lung", 1, {0: (20.0, 15.0, 12.0), 6: (12.0, 10.0, 8.0), 12: (5.0, 5.0, 5.0)}),
    "SYN-06-2": ("other", 0, {0: (9.0, 8.0, 7.0), 6: (9.0, 8.0, 7.0), 12: (8.0, 7.0, 7.0)}),
}
TG = {0: 250.0, 6: 110.0}


def as_if_chosen(data):
    """The same patients as if somebody had chosen their treatment, for what a trial is not asked."""
    design = data.study.design.model_copy(update={"allocation": "not_randomised", "analysed": "as_treated"})
    return replace(data, study=data.study.model_copy(update={"design": design}))


def _on(patient: str, days: float) -> str:
    return str(dt.date.fromisoformat(PATIENTS[patient][7]) + dt.timedelta(days=round(days)))


def _visit(patient: str, visit: int) -> str:
    """Nominal date of a visit; the baseline scan is a week before time zero."""
    return _on(patient, visit * 30.4375 if visit else -7)


@functools.cache
def good_tables() -> dict[str, pd.DataFrame]:
    """The tables as text, empty cells as ""."""
    tables = {table: [] for table in TABLES}
    for lesion, (site, target, sizes) in LESIONS.items():
        patient = lesion[:6]
        tables["lesions"].append((lesion, patient, site, target, int(PATIENTS[patient][0] != "A" and target)))
        for visit, axes in sizes.items():
            status = "absent" if axes[0] == 0 else "too_small" if axes[0] == 5 else "measured"
            flag = int(status == "too_small")
            tables["measurements"].append((lesion, _visit(patient, visit), visit, "CT", *axes, flag, status))
    for patient in PATIENTS:
        _add_patient(tables, patient)
    frames = {table: pd.DataFrame(rows, columns=COLUMNS[table]).astype(str) for table, rows in tables.items()}
    return frames


def _add_patient(tables: dict[str, list], patient: str) -> None:
    arm, *baseline, zero, last, progressed, died, contact = PATIENTS[patient]
    progression = _visit(patient, progressed) if progressed else ""
    death = _on(patient, died) if died else ""
    follow_up = (zero, _visit(patient, last), int(bool(progressed)), progression, int(bool(died)), death)
    tables["patients"].append((patient, arm, *baseline, *follow_up, _on(patient, contact)))
    for visit in sorted({v for lesion, (_, _, sizes) in LESIONS.items() if lesion[:6] == patient for v in sizes}):
        reader = {0: ""}.get(visit, "PD" if visit == progressed else "SD")
        tables["assessments"].append((patient, _visit(patient, visit), visit, reader))
    for visit, value in TG.items():
        tables["markers"].append((patient, _visit(patient, visit), visit, "tg", value, "ng/mL", 0, "", "suppressed"))
    tables["markers"].append((patient, _visit(patient, 0), 0, "tgab", "", "IU/mL", 1, 10, "suppressed"))
    if arm in "AC":
        drug = (patient, "anlotinib", zero, _on(patient, 200), 12, 10, "", "", "", "", "", "")
        tables["treatments"].append(drug)
    if arm in "BC":
        seeds = (patient, "seeds", zero, "", "", "", f"{patient}-1", 40, 0.6, 110, 115.5, "")
        tables["treatments"].append(seeds)
    event = ("Fatigue", "General disorders and administration site conditions", 2)
    tables["adverse_events"].append((patient, *event, _on(patient, 30), _on(patient, 45), "drug", 0, "none"))


COLUMNS = {
    "patients": [
        "patient_id",
        "arm",
        "age_years",
        "sex",
        "histology",
        "ecog",
        "n_prior_rai",
        "cum_rai_gbq",
        "time_zero",
        "last_tumour_assessment",
        "local_progression",
        "local_progression_date",
        "death",
        "death_date",
        "last_contact_date",
    ],
    "lesions": ["lesion_id", "patient_id", "site", "target", "treated"],
    "measurements": [
        "lesion_id",
        "assessment_date",
        "visit",
        "modality",
        "longest_mm",
        "short_mm",
        "third_mm",
        "too_small",
        "status",
    ],
    "assessments": ["patient_id", "assessment_date", "visit", "reader_response"],
    "markers": ["patient_id", "sample_date", "visit", "marker", "value", "unit", "below_limit", "limit", "state"],
    "treatments": [
        "patient_id",
        "component",
        "start_date",
        "end_date",
        "start_dose",
        "lowest_dose",
        "lesion_id",
        "n_seeds",
        "seed_activity_mci",
        "prescription_gy",
        "d90_gy",
        "line",
    ],
    "adverse_events": [
        "patient_id",
        "term",
        "system",
        "grade",
        "onset_date",
        "end_date",
        "related",
        "serious",
        "action",
    ],
}


def write_study(folder: Path, study: Callable[[str], str] = str, **changes: Change | bytes | None) -> Path:
    """Write the good study, changed.

    Parameters
    ----------
    folder : Path
        Made if need be.
    study : function of str to str
        Applied to the text of study.yml.
    **changes : function of DataFrame to DataFrame, bytes or None
        Per table: applied to it, written instead of it, or the file left out.

    Returns
    -------
    Path
        The folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = LABORATORY.sub("", study_text())
    (folder / "study.yml").write_text(study(text), encoding="utf-8")
    for table, frame in good_tables().items():
        change = changes.get(table, lambda frame: frame)
        if isinstance(change, bytes):
            (folder / f"{table}.csv").write_bytes(change)
        elif change is not None:
            change(frame).to_csv(folder / f"{table}.csv", index=False, lineterminator="\n")
    return folder


def cell(row: int | list[int] | slice, column: str | list[str], value) -> Change:
    """Put `value` (one, or one per column) into one or more rows."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.copy()
        frame.loc[frame.index[row if isinstance(row, slice) else [row] if isinstance(row, int) else row], column] = (
            value
        )
        return frame

    return change


def drop(*rows: int) -> Change:
    """Leave rows out."""
    return lambda frame: frame.drop(index=list(rows))


def again(row: int, **values) -> Change:
    """Append a copy of a row, with other values in it."""
    return lambda frame: pd.concat([frame, frame.iloc[[row]].assign(**values)], ignore_index=True)


def add(**columns) -> Change:
    """Add columns."""
    return lambda frame: frame.assign(**columns)


def header(old: str, new: str) -> Change:
    """Rename a column."""
    return lambda frame: frame.rename(columns={old: new})
