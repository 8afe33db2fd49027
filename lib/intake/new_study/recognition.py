"""Sheets and columns under names of their own -> tables and columns of the data model, and what had to be guessed.

A name is recognised by what people usually call it, written any way; nothing is taken for a table without the
columns that make it one. What the columns hold is tidied before (tidying) and checked later (intake.schemas).
"""

from __future__ import annotations

__all__ = [
    "MADE_OF",
    "NUMBER",
    "Proposal",
    "Recognised",
    "as_id",
    "as_label",
    "is_numeric",
    "plain_name",
    "recognise",
    "values_of",
    "with_header",
    "with_one_row_per_patient",
]

import itertools
import re
from collections.abc import Container
from dataclasses import dataclass, field

import pandas as pd

# Our column -> what it is usually called, in plain names (see `plain_name`); SDTM and ADaM names among them.
CALLED = {
    "patient_id": "patient_id patient patientid pat_id patid patient_no patient_nr patient_number subject subject_id "
    "subjid usubjid case case_id case_no participant participant_id record_id study_id id no nr",
    "arm": "arm group treatment_group treatment_arm study_arm arm_code cohort treatment trt trt01a trt01p rx therapy "
    "allocation regimen gruppe bras actarm",
    "time_zero": "time_zero treatment_start start_of_treatment start_date date_start index_date baseline_date day_0 day0 "
    "date_of_randomisation date_of_randomization randomisation_date randomization_date rand_date enrolment_date trtsdt",
    "last_tumour_assessment": "last_tumour_assessment last_tumor_assessment last_assessment last_scan last_scan_date "
    "date_of_last_scan last_imaging last_imaging_date last_ct",
    "local_progression": "local_progression progression progressed progressive_disease local_recurrence relapse",
    "local_progression_date": "local_progression_date progression_date date_of_progression pd_date date_progression "
    "date_of_local_progression recurrence_date relapse_date date_of_relapse",
    "distant_progression_date": "distant_progression_date date_of_distant_progression metastasis_date",
    "death": "death dead died deceased dthfl vital_status death_flag",
    "death_date": "death_date date_of_death dod dthdt dthdtc date_death",
    "last_contact_date": "last_contact_date last_contact date_of_last_contact last_follow_up last_followup last_fu "
    "last_seen last_visit_date date_last_seen follow_up_date lstalvdt last_known_alive",
    "excluded": "excluded exclusion exclusion_reason reason_for_exclusion",
    "lesion_id": "lesion_id lesion lesion_no lesion_nr target_lesion tulnkid",
    "site": "site location lesion_site organ tuloc",
    "target": "target is_target target_lesion_flag",
    "treated": "treated locally_treated",
    "assessment_date": "assessment_date scan_date date_of_scan imaging_date date_of_assessment date trdtc",
    "visit": "visit visit_month month timepoint visitnum",
    "longest_mm": "longest_mm longest longest_diameter longest_diameter_mm ld_mm d1 d1_mm diameter_1",
    "short_mm": "short_mm short short_axis short_axis_mm sd_mm d2 d2_mm diameter_2",
    "third_mm": "third_mm third d3 d3_mm diameter_3 height_mm",
    "too_small": "too_small too_small_to_measure",
    "status": "status lesion_status",
    "modality": "modality method imaging_method",
    "reader_response": "reader_response response overall_response recist best_response ovrlresp",
    "new_lesion": "new_lesion new_lesions",
    "sample_date": "sample_date date_of_sample lab_date lbdtc date blood_date",
    "marker": "marker analyte test parameter lbtestcd paramcd lab_test",
    "value": "value result lbstresn aval lab_value",
    "unit": "unit units lbstresu",
    "below_limit": "below_limit below_detection below_lod",
    "limit": "limit lod loq detection_limit",
    "state": "state tsh_state",
    "component": "component treatment drug therapy agent extrt",
    "start_date": "start_date start exstdtc date_start treatment_start first_dose date",
    "end_date": "end_date stop_date stop end exendtc date_end last_dose aeendtc resolved resolution_date",
    "start_dose": "start_dose dose starting_dose exdose",
    "lowest_dose": "lowest_dose reduced_dose",
    "n_seeds": "n_seeds seeds number_of_seeds",
    "seed_activity_mci": "seed_activity_mci seed_activity activity_mci",
    "prescription_gy": "prescription_gy prescribed_dose_gy prescription_dose",
    "d90_gy": "d90_gy d90",
    "line": "line treatment_line line_of_therapy",
    "term": "term event adverse_event ae aeterm aedecod preferred_term pt toxicity",
    "system": "system soc system_organ_class aesoc aebodsys",
    "grade": "grade ctcae_grade severity aetoxgr toxicity_grade ctc_grade aesev",
    "onset_date": "onset_date onset start_date date_of_onset aestdtc date",
    "related": "related relationship causality aerel attribution",
    "serious": "serious sae aeser",
    "action": "action action_taken aeacn",
    "outcome": "outcome aeout outcome_of_event event_outcome ae_outcome",
}
# Table -> the columns it may have; the first ones, up to the bar, make a sheet that table.
MADE_OF = {
    "measurements": "lesion_id longest_mm assessment_date | visit short_mm third_mm too_small status modality",
    "markers": "patient_id marker value | sample_date visit unit below_limit limit state",
    "adverse_events": "patient_id term grade | onset_date end_date system related serious action outcome",
    "treatments": "patient_id component start_date | end_date start_dose lowest_dose lesion_id n_seeds "
    "seed_activity_mci prescription_gy d90_gy line",
    "lesions": "lesion_id patient_id site | target treated",
    "assessments": "patient_id assessment_date | visit reader_response new_lesion",
    "patients": "patient_id | arm time_zero last_tumour_assessment local_progression local_progression_date "
    "distant_progression_date death death_date last_contact_date excluded",
}
MOST_ROWS_PER_PATIENT = 4
NUMBER = re.compile(r"-?\d+(\.\d+)?\Z")


@dataclass(frozen=True)
class Recognised:
    """One sheet, taken for one table.

    Attributes
    ----------
    table : str
        Of the data model.
    sheet : str
    frame : DataFrame of text
        Under the file's own column names.
    columns : dict of str to str
        Our name -> the file's.
    """

    table: str
    sheet: str
    frame: pd.DataFrame
    columns: dict[str, str]


def plain_name(text: str) -> str:
    """Write a name in small letters and digits with `_` between words: `Date of Death` -> `date_of_death`."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", text)
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def with_header(header: list[str], frame: pd.DataFrame) -> pd.DataFrame:
    """Name the columns by the first row that is filled like a header; a title above it is left out.

    Parameters
    ----------
    header : list of str
        Row 1.
    frame : DataFrame of text, index = row in the file
        The rows below.

    Returns
    -------
    DataFrame of text, index = row in the file
        Empty rows and columns without a name and a value are left out; names are unique.
    """
    rows = [header, *frame.head(20).fillna("").values.tolist()]
    filled = [sum(bool(str(cell).strip()) for cell in row) for row in rows]
    start = next((i for i, count in enumerate(filled) if count > max(filled) / 2), 0)
    names = []
    for number, cell in enumerate(rows[start], start=1):
        name = " ".join(str(cell).split()) or f"column {number}"
        numbered = (f"{name} ({again})" for again in itertools.count(2))
        names.append(name if name not in names else next(other for other in numbered if other not in names))
    below = frame.iloc[start:].set_axis(names, axis="columns").dropna(how="all")
    unnamed = [name for name, cell in zip(names, rows[start], strict=True) if not str(cell).strip()]
    return below.drop(columns=[name for name in unnamed if below[name].isna().all()])


def recognise(sheets: dict[str, pd.DataFrame]) -> tuple[list[Recognised], list[str]]:
    """Take each sheet for the table that it is.

    Parameters
    ----------
    sheets : dict of str to DataFrame of text

    Returns
    -------
    recognised : list of Recognised
        At most one sheet per table: the one with most of its columns.
    others : list of str
        Sheets that are none of the tables, or a second one of a table.
    """
    candidates = [found for sheet, frame in sheets.items() if (found := _as_table(sheet, frame))]
    best = {}
    for found in candidates:
        earlier = best.get(found.table)
        if earlier is None or len(found.columns) > len(earlier.columns):
            best[found.table] = found
    if not best and len(sheets) == 1:
        (sheet, frame) = next(iter(sheets.items()))
        best["patients"] = Recognised("patients", sheet, frame, {})
    taken = {found.sheet for found in best.values()}
    return [best[table] for table in reversed(MADE_OF) if table in best], [s for s in sheets if s not in taken]


def _as_table(sheet: str, frame: pd.DataFrame) -> Recognised | None:
    for table in sorted(MADE_OF, key=lambda table: plain_name(sheet) != table):
        needed, _, others = MADE_OF[table].partition("|")
        columns = _called(frame, [*needed.split(), *others.split()])
        if set(needed.split()) <= set(columns):
            return Recognised(table, sheet, frame, columns)
    return None


def _called(frame: pd.DataFrame, wanted: list[str]) -> dict[str, str]:
    """Our name -> the file's, for the columns that bear one of the usual names; the most usual name wins."""
    theirs = {}
    for column in frame:
        theirs.setdefault(plain_name(column), column)
    found = {}
    for ours in wanted:
        name = next(
            (name for name in CALLED[ours].split() if name in theirs and theirs[name] not in found.values()), None
        )
        if name is not None:
            found[ours] = theirs[name]
    return found


def with_one_row_per_patient(frame: pd.DataFrame, patient: str) -> tuple[pd.DataFrame, str]:
    """Spread a table with one row per patient and endpoint to one row per patient.

    Parameters
    ----------
    frame : DataFrame of text
    patient : str
        Its column of patient ids.

    Returns
    -------
    frame : DataFrame of text
        What differs between the rows of a patient stands in one column per row: `time_etype_1`, `time_etype_2`.
        As it was, where rows of a patient have nothing to tell them apart.
    key : str
        The column that told the rows apart; empty where nothing was done.
    """
    rows = frame.groupby(patient, sort=False).size()
    if rows.empty or rows.nunique() != 1 or not 1 < rows.iloc[0] <= MOST_ROWS_PER_PATIENT:
        return frame, ""
    varying = [
        name for name in frame if name != patient and (frame.groupby(patient)[name].nunique(dropna=False) > 1).any()
    ]
    keys = [
        name
        for name in varying
        if frame[name].nunique() == rows.iloc[0] and not frame.duplicated([patient, name]).any()
    ]
    if not keys:
        return frame, ""
    key = keys[0]
    spread = [name for name in varying if name != key]
    fixed = frame.drop(columns=varying).drop_duplicates(patient)
    parts = [
        part.set_index(patient)[spread].add_suffix(f"_{plain_name(key)}_{plain_name(value)}")
        for value, part in frame.groupby(key, sort=True)
    ]
    return fixed.join(pd.concat(parts, axis="columns"), on=patient), key


@dataclass
class Proposal:
    """What study.yml could say.

    Attributes
    ----------
    study : dict
        The content of study.yml.
    guesses : dict of str to list of str
        Top-level key -> why it reads as it does.
    left_out : dict of str to str
        "table: column" -> why it is taken out of the frames: nothing that no report uses is copied.
    missing : list of str
        What the study does not hold, and what follows.
    """

    study: dict = field(default_factory=dict)
    guesses: dict[str, list[str]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def say(self, key: str, sentence: str) -> None:
        """Add the reason of a guess."""
        self.guesses.setdefault(key, []).append(sentence)

    def leave_out(self, found: Recognised, reasons: dict[str, str]) -> None:
        """Take columns out of a table: column -> why."""
        found.frame.drop(columns=list(reasons), inplace=True)
        self.left_out |= {f"{found.table}: {column}": reason for column, reason in reasons.items()}


def as_id(text: str, otherwise: str, taken: Container[str] = ()) -> str:
    """Make an id for study.yml: letters, digits and `_`, a letter first; numbered where it is `taken` already.

    Two names in Chinese, or "CRP-a" and "CRP a", would else be one.
    """
    name = plain_name(text)[:40]
    name = name if name[:1].isalpha() else f"{otherwise}_{name}"[:40].rstrip("_")
    numbered = (f"{name[:36]}_{again}" for again in itertools.count(2))
    return name if name not in taken else next(other for other in numbered if other not in taken)


def as_label(text: str) -> str:
    """Make a label of a name: `age_at_diagnosis` -> `Age at diagnosis`."""
    words = re.sub(r"[_\s]+", " ", text).strip()
    return words[:1].upper() + words[1:]


def values_of(cells: pd.Series) -> list[str]:
    """List the different values; numbers in order of size, texts in that of the alphabet."""
    values = list(cells.dropna().unique())
    numbers = all(NUMBER.match(value) for value in values)
    return sorted(values, key=float) if numbers else sorted(values)


def is_numeric(cells: pd.Series) -> bool:
    """Whether nearly all filled cells are numbers."""
    filled = cells.dropna()
    return len(filled) > 0 and filled.map(lambda cell: bool(NUMBER.match(cell))).mean() > 0.9
