"""One case or more per row of the table of bad input (data/README.md): its code, place, and what the message says.

The set of codes is compared exactly: a slip in one cell must not set off a chain of other findings, save where one
mistake breaks several rules.
"""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from bad_input_cases import CASES, Case, replaced
from study_builder import add, cell, good_tables, write_study

from lib.intake.tables import read_tables
from lib.study.study import read_study
from lib.study.yaml_file import Problem, ProblemsFound

COLON = Path(__file__).parents[2] / "data" / "colon"


def check(folder: Path) -> list[Problem]:
    """Every problem of a study, errors and warnings."""
    try:
        queries = read_tables(read_study(folder)).queries
    except ProblemsFound as found:
        return found.problems
    return [Problem(**row) for row in queries.drop(columns="severity").to_dict("records")]


@pytest.mark.parametrize("bad", CASES)
def test_bad_input(bad: Case, tmp_path: Path):
    found = check(write_study(tmp_path, bad.study, **bad.changes))
    assert {problem.code for problem in found} == set(bad.codes.split()), "\n".join(map(str, found))
    if bad.codes:
        first = [p for p in found if p.code == bad.codes.split()[0]]
        there = [p for p in first if all(getattr(p, key) == value for key, value in bad.at.items())]
        assert there, "\n".join(map(str, first))
        assert bad.says in there[0].message


@pytest.mark.parametrize("value", ["2", "yes", "TRUE", "1.0"])
def test_65_event_code_that_is_not_declared(value: str, tmp_path: Path):
    found = check(_colon(tmp_path, cell(0, "recurrence_status", value)))
    assert [(p.code, p.row, p.column, p.value) for p in found] == [("E102", 2, "recurrence_status", value)]
    assert "one of 1, 0" in found[0].message


@pytest.mark.parametrize("value", ["-1", "soon", "1e300"])
def test_66_time_that_is_none(value: str, tmp_path: Path):
    found = check(_colon(tmp_path, cell(3, "death_days", value)))
    assert [(p.code, p.row, p.column, p.value) for p in found] == [("E103", 5, "death_days", value)]
    assert "a number from 0 to 73050 days" in found[0].message


def test_66_a_time_without_its_event(tmp_path: Path):
    """Both are given or neither: half of a pair is a slip, none is an endpoint that the patient lacks."""
    found = check(_colon(tmp_path, lambda frame: cell(4, "death_status", "")(cell(3, "death_days", "")(frame))))
    assert [(p.code, p.row, p.column) for p in found] == [("E103", 5, "death_days"), ("E102", 6, "death_status")]
    assert "is empty, though death_status is given" in found[0].message
    found = check(_colon(tmp_path, cell([3, 7, 9], ["death_days", "death_status"], "")))
    assert [(p.code, p.row, p.column) for p in found] == [("W034", 5, "death_days")]
    assert found[0].message.startswith("3 of 929 patients have neither death_days nor death_status")


def test_27_ready_made_time_of_zero(tmp_path: Path):
    found = check(_colon(tmp_path, cell(3, "death_days", "0")))
    assert [(p.code, p.row, p.column) for p in found] == [("W033", 5, "death_days")]


def test_messages_name_the_column_of_the_file(tmp_path: Path):
    found = check(_colon(tmp_path, cell(0, "age", "17")))
    assert [(p.code, p.column, p.patient_id) for p in found] == [("E014", "age", "1")]


def _colon(folder: Path, change) -> Path:
    shutil.copy(COLON / "study.yml", folder)
    frame = pd.read_csv(COLON / "patients.csv", dtype=str, keep_default_na=False)
    change(frame).to_csv(folder / "patients.csv", index=False)
    return folder


def test_64_symbolic_link_is_refused(tmp_path: Path):
    folder = write_study(tmp_path / "study", markers=None)
    outside = tmp_path / "outside.csv"
    outside.write_text("secret\n1\n")
    (folder / "markers.csv").symlink_to(outside)
    found = check(folder)
    assert [(p.code, p.file) for p in found] == [("E101", "markers.csv")]
    assert "secret" not in str(found)


def test_64_path_outside_the_folder_is_refused(tmp_path: Path):
    folder = write_study(tmp_path, replaced("file: lesions.csv", "file: ../lesions.csv"))
    with pytest.raises(ProblemsFound, match="without a path"):
        read_study(folder)


def _workbook(folder: Path, named: bool = True, change=None) -> Path:
    """The good study with its patients in study.xlsx, which study.yml names or not."""
    write_study(folder, replaced("patients.csv", "study.xlsx") if named else str, patients=None)
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "patients"
    patients = good_tables()["patients"]
    for row in [list(patients.columns), *patients.to_numpy().tolist()]:
        sheet.append(row)
    if change:
        change(sheet)
    book.save(folder / "study.xlsx")
    return folder


def test_64_zip_bomb_is_refused(tmp_path: Path):
    folder = _workbook(tmp_path)
    with zipfile.ZipFile(folder / "study.xlsx", "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("xl/media/zeros.bin", bytes(210_000_000))
    found = check(folder)
    assert [p.code for p in found] == ["E101"]
    assert "unpacks to more than 200\u202f000\u202f000 bytes" in found[0].message


@pytest.mark.parametrize("part", ["xl/vbaProject.bin", "xl/externalLinks/externalLink1.xml", "xl/connections.xml"])
def test_64_workbook_that_runs_or_leads_elsewhere_is_refused(part: str, tmp_path: Path):
    folder = _workbook(tmp_path)
    with zipfile.ZipFile(folder / "study.xlsx", "a") as archive:
        archive.writestr(part, "x")
    assert [p.code for p in check(folder)] == ["E101"]


def test_61_formula_without_a_value_is_refused(tmp_path: Path):
    found = check(_workbook(tmp_path, change=lambda sheet: sheet.cell(2, 3, "=40+12")))
    assert [(p.code, p.file, p.row, p.column) for p in found] == [("E090", "study.xlsx [patients]", 2, "age_years")]
    assert "have no value kept beside them, the first in C2: =40+12" in found[0].message


def test_67_truncated_and_protected_workbooks(tmp_path: Path):
    path = _workbook(tmp_path) / "study.xlsx"
    whole = path.read_bytes()
    for content, says in ((whole[:2000], "not a zip file"), (b"\xd0\xcf\x11\xe0" + whole, "password-protected")):
        path.write_bytes(content)
        found = check(tmp_path)
        assert [p.code for p in found] == ["E104"]
        assert says in found[0].message


def test_68_two_sources(tmp_path: Path):
    folder = _workbook(tmp_path, named=False)
    good_tables()["patients"].to_csv(folder / "patients.csv", index=False)
    found = check(folder)
    assert [p.code for p in found] == ["E105"]
    assert "two sources for patients: patients.csv and study.xlsx [patients]" in found[0].message


def test_69_personal_data_is_not_read(tmp_path: Path):
    folder = write_study(tmp_path, patients=add(surname="Nemo", phone="=cmd"))
    tables = read_tables(read_study(folder))
    assert not {"surname", "phone"} & set(tables["patients"])
    assert "Nemo" not in tables.queries.to_csv()


def test_every_row_of_the_table_has_a_case():
    tested = {param.values[0].row for param in CASES}
    tested |= {
        int(name.split("_")[1]) for name in globals() if name.startswith("test_") and name.split("_")[1].isdigit()
    }
    # 63 is study.yml itself: tests/study/test_study.py
    assert set(range(1, 71)) - tested == {63}
