"""Files -> checked, typed tables and the list of data queries. The gateway to everything above.

Reading (files), the check of each cell (schemas) and the rules between them (rules) are run in one pass, so that one
run names everything that is wrong.
"""

from __future__ import annotations

__all__ = ["RULES", "Tables", "check_rules", "list_queries", "read_tables", "write_queries"]

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lib.intake.columns import Column, columns_of
from lib.intake.evidence import Evidence, Rule, look_up
from lib.intake.files import Source, read_sources
from lib.intake.rules import clinic, progression, tumour
from lib.intake.rules import patients as rules_patients
from lib.intake.schemas import check_table, typed_frame
from lib.intake.spreadsheet import write_csv, write_spreadsheet
from lib.languages.notes import worded
from lib.languages.speech import ENGLISH, N_, _, in_language
from lib.study.study import Study
from lib.study.yaml_file import Problem, ProblemsFound

QUERY_COLUMNS = list(Problem("", "").as_row())
# The same as the workbook of data queries heads them, and its severities.
HEADS = {
    "severity": N_("severity"), "code": N_("code"), "message": N_("message"), "file": N_("file"), "row": N_("row"), "column": N_("column"),
    "patient_id": N_("patient_id"), "value": N_("value"),
}  # fmt: skip
SEVERITIES = {"error": N_("error"), "warning": N_("warning")}
SORTED_BY = ["patient_id", "lesion_id", "assessment_date", "marker", "sample_date", "component", "start_date"]
RULES: tuple[Rule, ...] = (*rules_patients.RULES, *tumour.RULES, *progression.RULES, *clinic.RULES)


@dataclass(frozen=True)
class Tables:
    """The checked tables of a study.

    Attributes
    ----------
    frames : dict of str to DataFrame
        A key per table that study.yml names; a table that it does not name has none. Ids and texts are str, dates
        datetime64, whole numbers Int64, numbers float, arms (by id) and baseline categories ordered Categoricals
        in study order, other codes str, flags bool. Rows are sorted by id and date, whatever the order of the
        file. Of the columns that a file may lack, flags of lesions, measurements and markers, `status`, `limit`
        and the columns of treatments are always there, the others where the file has them. `measurements` has the
        `patient_id` of its lesion.
    queries : DataFrame, one row per open data query
        severity, code, message, file, row, column, patient_id, value: warnings only, sorted by patient.
    """

    frames: dict[str, pd.DataFrame]
    queries: pd.DataFrame

    def __getitem__(self, table: str) -> pd.DataFrame:
        return self.frames[table]

    def __contains__(self, table: str) -> bool:
        return table in self.frames


def read_tables(study: Study) -> Tables:
    """Read and check every table of a study.

    Parameters
    ----------
    study : lib.study.study.Study

    Returns
    -------
    Tables

    Raises
    ------
    lib.study.yaml_file.ProblemsFound
        With everything that is wrong in any table, warnings included, when anything blocks the run.
    """
    columns = columns_of(study)
    sources, problems = read_sources(study)
    sources = {table: _under_our_names(source, columns[table]) for table, source in sources.items()}
    frames = _typed(sources, columns)
    for table, source in sources.items():
        problems += check_table(source, columns[table], frames[table].get("patient_id"))
    if "patients" in frames:
        patients = frames["patients"]
        included = patients[patients["excluded"].isna()] if patients["excluded"].notna().any() else patients
        problems += check_rules(Evidence(study, sources, {**frames, "patients": included}))
    if any(problem.severity == "error" for problem in problems):
        raise ProblemsFound(sorted(problems, key=lambda problem: problem.severity != "error"))
    finished = {table: _finished(frames[table], sources[table], columns[table]) for table in study.tables}
    return Tables(finished, list_queries(problems))


def _under_our_names(source: Source, columns: tuple[Column, ...]) -> Source:
    """The columns of the data model under our names, one that the study means in two ways twice; the others are ignored."""
    found = {column.name: column.declared for column in columns if column.declared in source.frame}
    theirs = {ours: source.theirs[declared] for ours, declared in found.items()}
    ignored = tuple(source.theirs[name] for name in source.frame if name not in found.values())
    return Source(source.file, source.frame[list(found.values())].set_axis(list(found), axis=1), theirs, ignored)


def _typed(sources: dict[str, Source], columns: dict[str, tuple[Column, ...]]) -> dict[str, pd.DataFrame]:
    frames = {table: typed_frame(source, columns[table]) for table, source in sources.items()}
    if "measurements" in frames:
        measured = frames["measurements"]
        measured["too_small"] |= measured["status"].eq("too_small")
        derived = measured["too_small"].map({True: "too_small", False: "measured"})
        measured["status"] = measured["status"].fillna(derived)
        if "lesions" in frames:
            owner = frames["lesions"].dropna(subset="lesion_id").drop_duplicates("lesion_id").set_index("lesion_id")
            measured["patient_id"] = look_up(measured["lesion_id"], owner["patient_id"])
    return frames


def _finished(frame: pd.DataFrame, source: Source, columns: tuple[Column, ...]) -> pd.DataFrame:
    """Leave out optional columns that the file lacks, and sort."""
    lacking = [c.name for c in columns if not (c.required or c.always or c.name in source.frame)]
    lacking = [name for name in lacking if frame[name].isna().all() or frame[name].dtype == bool]
    frame = frame.drop(columns=lacking)
    keys = [column for column in SORTED_BY if column in frame]
    if keys and frame[keys[0]].is_unique:  # then no other column decides
        if frame[keys[0]].is_monotonic_increasing:
            return frame.reset_index(drop=True)
        return frame.sort_values(keys[0], ignore_index=True)
    others = [column for column in frame if column not in keys]
    return frame.sort_values([*keys, *others], ignore_index=True)


def list_queries(problems: list[Problem]) -> pd.DataFrame:
    """Problems as the list of data queries, sorted by patient: columns as in `Tables.queries`."""
    return _by_patient(pd.DataFrame([problem.as_row() for problem in problems], columns=QUERY_COLUMNS))


def _by_patient(queries: pd.DataFrame) -> pd.DataFrame:
    """Sort by patient, table and row: the order in which a list is worked off; what concerns no patient comes last."""
    patients = queries["patient_id"].astype(str)
    rows = pd.to_numeric(queries["row"], errors="coerce").fillna(0)
    keys = pd.DataFrame({"none": patients == "", "patient": patients, "file": queries["file"].astype(str), "row": rows})
    order = keys.sort_values(list(keys), kind="stable").index
    return queries.loc[order].reset_index(drop=True)


def write_queries(queries: pd.DataFrame, folder: Path | str, language: str = ENGLISH) -> Path:
    """Write the list of data queries, sorted by patient, as queries.csv and queries.xlsx, in which no cell is a formula.

    The workbook is for who corrects the tables; the CSV file, for programs, is the same in every language.

    Parameters
    ----------
    queries : DataFrame
        As in `Tables`.
    folder : path
        Made if need be.
    language : str, optional
        Of the workbook.

    Returns
    -------
    Path
        Of the CSV file; the workbook lies beside it.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    queries = _by_patient(queries)
    with in_language(language):
        told = queries.assign(severity=[_(SEVERITIES[one]) for one in queries["severity"]], message=queries["message"].map(worded))
        told = told.rename(columns={name: _(head) for name, head in HEADS.items()})
        write_spreadsheet(told, folder / "queries.xlsx", _("Data queries"))
    return write_csv(queries, folder / "queries.csv")


def check_rules(evidence: Evidence) -> list[Problem]:
    """Apply every rule that the tables allow.

    Parameters
    ----------
    evidence : lib.intake.evidence.Evidence

    Returns
    -------
    list of Problem
    """
    return [problem for rule in RULES if evidence.holds(*rule.needs) for problem in rule(evidence)]
