"""Checked tables: types, order, data queries, and the speed of it."""

from __future__ import annotations

import csv
import time

import numpy as np
import openpyxl
import pandas as pd
import pytest
from bad_input_cases import replaced
from study_builder import STUDY_YML, TABLES, add, again, cell, good_tables, write_study

from lib.intake.evidence import MAX_LISTED
from lib.intake.spreadsheet import write_csv, write_spreadsheet
from lib.intake.tables import QUERY_COLUMNS, RULES, read_tables, write_queries
from lib.study.parts import own
from lib.study.study import read_study
from lib.study.yaml_file import Problem, ProblemsFound

DATA = STUDY_YML.parent.parent


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return read_tables(read_study(write_study(tmp_path_factory.mktemp("good"))))


def test_the_first_and_the_last_day_are_read_and_subtracted(tmp_path):
    """As far as pandas' nanoseconds reach: these two days lie apart as far as any two may."""
    days = {"time_zero": "1920-01-01", "last_contact_date": "2199-12-31", "last_tumour_assessment": "2199-12-31"}
    folder = write_study(tmp_path, replaced("cutoff: 2025-02-28", "cutoff: 2199-12-31"), patients=cell(1, list(days), list(days.values())))
    with pytest.raises(ProblemsFound) as found:
        read_tables(read_study(folder))
    assert "E020" not in {problem.code for problem in found.value.problems}


def test_good_study_has_no_query(good):
    assert good.queries.empty
    assert good.queries.columns.tolist() == QUERY_COLUMNS == list(Problem("", "").as_row())
    assert set(good.frames) == set(TABLES)


def test_types(good):
    patients = good["patients"]
    assert patients["arm"].cat.categories.tolist() == ["A", "B", "C"]
    assert patients["arm"].cat.ordered
    assert patients[own("histology")].cat.categories.tolist() == ["PTC", "FTC", "HCC", "PDTC"]
    assert patients[own("ecog")].tolist() == ["0", "1", "0", "2", "1", "0"]
    assert patients[own("age_years")].dtype == "Int64"
    assert patients[own("cum_rai_gbq")].dtype == float
    assert patients["time_zero"].dtype == "datetime64[ns]"
    assert patients["death"].dtype == bool
    assert patients["death_date"].isna().tolist() == [not dead for dead in patients["death"]]
    assert good["lesions"]["target"].tolist() == [True] * 7 + [False]
    assert good["measurements"]["status"].value_counts().to_dict() == {"measured": 20, "too_small": 1, "absent": 1}
    assert good["measurements"]["patient_id"].tolist() == [i[:6] for i in good["measurements"]["lesion_id"]]
    assert good["markers"]["limit"].dropna().unique().tolist() == [10.0]
    assert good["treatments"]["n_seeds"].dropna().tolist() == [40] * 4


def test_absent_tables_have_no_key(tmp_path):
    colon = read_tables(read_study(DATA / "colon"))
    assert set(colon.frames) == {"patients"}
    assert "lesions" not in colon
    assert colon.queries.empty
    assert len(colon["patients"]) == 929
    assert colon["patients"]["arm"].cat.categories.tolist() == ["Obs", "Lev", "Lev5FU"]
    assert colon["patients"]["arm"].value_counts().tolist() == [315, 310, 304]
    assert set(colon["patients"][own("recurrence.event")]) == {"0", "1"}


def test_the_cohort_has_no_query():
    tables = read_tables(read_study(DATA / "rair_dtc"))
    assert len(tables["patients"]) == 52
    assert tables.queries.empty


def test_order_of_rows_does_not_matter(good, tmp_path):
    shuffled = {table: lambda frame: frame.sample(frac=1, random_state=7) for table in TABLES}
    again_read = read_tables(read_study(write_study(tmp_path, **shuffled)))
    for table in TABLES:
        pd.testing.assert_frame_equal(again_read[table], good[table])


def test_optional_columns(tmp_path):
    bare = {
        "measurements": lambda f: f.drop(columns=["status", "modality"]).assign(
            **{a: f[a].where(f[a] != "0.0", "5.0") for a in ("longest_mm", "short_mm", "third_mm")},
            too_small=f["too_small"].where(f["status"] != "absent", "1"),
        ),
        "markers": lambda f: f.drop(columns=["state"]),
        "assessments": lambda f: f.drop(columns=["reader_response"]),
        "adverse_events": lambda f: f.drop(columns=["system", "related", "serious", "action"]),
    }
    tables = read_tables(read_study(write_study(tmp_path, **bare)))
    assert tables["measurements"]["status"].tolist().count("too_small") == 2
    assert "modality" not in tables["measurements"]
    assert "state" not in tables["markers"]
    assert "reader_response" not in tables["assessments"]
    assert not tables["adverse_events"]["serious"].any()
    assert "excluded" not in tables["patients"]


def test_excluded_patients_need_not_be_complete(tmp_path):
    empty = dict.fromkeys(good_tables()["patients"].columns, "") | {"patient_id": "SYN-90", "excluded": "no consent"}
    patients = [add(excluded=""), again(0, **empty)]
    tables = read_tables(read_study(write_study(tmp_path, patients=lambda f: patients[1](patients[0](f)))))
    assert tables["patients"]["excluded"].dropna().tolist() == ["no consent"]
    assert tables["patients"]["arm"].isna().sum() == 1


def test_errors_of_cells_and_of_rules_come_together(tmp_path):
    folder = write_study(
        tmp_path,
        patients=cell(0, ["age_years", "death_date"], ["17", ""]),
        lesions=None,
        markers=cell(0, "unit", "pg/mL"),
        treatments=add(note="x"),
    )
    with pytest.raises(ProblemsFound) as found:
        read_tables(read_study(folder))
    assert [p.code for p in found.value.problems] == ["E001", "E014", "E024", "E064", "W004"]


def test_a_column_wrong_throughout_is_listed_in_part(tmp_path):
    many = pd.concat([good_tables()["adverse_events"].iloc[[0]]] * 500)
    ids = [f"{i:03d}" for i in range(500)]
    folder = write_study(tmp_path, adverse_events=lambda _: many.assign(action=ids, grade="9"))
    with pytest.raises(ProblemsFound) as found:
        read_tables(read_study(folder))
    graded = [p for p in found.value.problems if p.code == "E070"]
    assert len(graded) == MAX_LISTED + 1
    assert graded[-1].message == "and 300 more rows with the same problem"


def test_queries_are_written_without_formulas(tmp_path):
    rows = [
        Problem("W004", "ignored", file="a.csv", row=2, column="=cmd|'x'!A0", patient_id="@id", value="-3"),
        Problem("W004", "ignored, too", value="+1+1"),
    ]
    path = write_queries(pd.DataFrame([row.as_row() for row in rows]), tmp_path / "out")
    with path.open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    assert [w["column"] for w in written] == ["'=cmd|'x'!A0", ""]
    assert [w["value"] for w in written] == ["-3", "'+1+1"]
    assert written[0]["patient_id"] == "'@id"


def test_the_workbook_of_queries_is_in_the_readers_language_and_the_csv_in_one(tmp_path):
    rows = [Problem("E051", "after the last contact on 2021-10-23", file="markers.csv", row=20, column="sample_date", patient_id="P2"), Problem("W004", "{x} ignored")]
    queries = pd.DataFrame([row.as_row() for row in rows])
    english, chinese = write_queries(queries, tmp_path / "en"), write_queries(queries, tmp_path / "zh", "zh")
    assert english.read_bytes() == chinese.read_bytes()
    book = openpyxl.load_workbook(chinese.with_suffix(".xlsx"))
    heads, first, second = ([cell.value for cell in row] for row in book.active.iter_rows())
    told = dict(zip(heads, first, strict=True))
    assert book.active.title == "数据质疑"
    assert (told["严重程度"], told["说明"], told["列"], told["患者编号"]) == ("错误", "晚于末次联系日期2021-10-23", "sample_date", "P2")
    assert "{x} ignored" in second, "what nobody translated stands as it is"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "\t@", "＝", "＋", "－", "＠"])
def test_each_sign_that_begins_a_formula_is_guarded(start, tmp_path):
    cell = f"{start}cmd|' /C calc'!A0\r=1+1"
    with write_csv(pd.DataFrame({"value": [cell, "-3", "+4.5", "a=1"]}), tmp_path / "x.csv").open(encoding="utf-8", newline="") as file:
        assert [row["value"] for row in csv.DictReader(file)] == [f"'{cell}".replace("\r", "\n"), "-3", "+4.5", "a=1"]
    book = openpyxl.load_workbook(write_spreadsheet(pd.DataFrame({"value": [cell]}), tmp_path / "x.xlsx", "s"))
    assert book.active["A2"].data_type == "s"


def test_workbook_of_queries_has_no_formula_and_always_the_same_bytes(tmp_path, monkeypatch):
    rows = [
        Problem("W004", "=1+1", file="b.csv", row=10, patient_id="SYN-2"),
        Problem("W004", "later row", file="b.csv", row=9, patient_id="SYN-2"),
        Problem("W106", "of no patient", file="a.csv", value="\x07+cmd"),
        Problem("W004", "first", file="b.csv", row=30, patient_id="SYN-1"),
    ]
    queries = pd.DataFrame([row.as_row() for row in rows])
    first = write_queries(queries, tmp_path / "one").with_suffix(".xlsx")
    monkeypatch.setattr(time, "localtime", lambda *_: time.struct_time((2031, 5, 6, 7, 8, 9, 1, 126, 0)))
    again = write_queries(queries.iloc[::-1], tmp_path / "two").with_suffix(".xlsx")
    assert first.read_bytes() == again.read_bytes()
    cells = [list(row) for row in openpyxl.load_workbook(first).active.iter_rows()]
    assert [cell.value for cell in cells[0]] == QUERY_COLUMNS
    assert {cell.data_type for row in cells for cell in row if cell.value is not None} == {"s"}
    messages = [row[QUERY_COLUMNS.index("message")].value for row in cells[1:]]
    assert messages == ["first", "later row", "=1+1", "of no patient"]
    with (tmp_path / "one" / "queries.csv").open(encoding="utf-8", newline="") as file:
        assert [row["message"] for row in csv.DictReader(file)] == ["first", "later row", "'=1+1", "of no patient"]


def test_rules_say_what_they_check():
    for rule in RULES:
        assert rule.needs
        assert rule.__doc__[:4].rstrip(":,")[0] in "EW"


def test_929_patients_are_quick():
    study = read_study(DATA / "colon")
    read_tables(study)
    begun = time.process_time()
    read_tables(study)
    assert time.process_time() - begun < 0.5


def test_rules_grow_with_the_table_and_not_its_square(tmp_path):
    """Sixteen times the patients take less than forty times as long."""
    base = good_tables()

    def study_times(n: int):
        frames = {}
        for table in TABLES:
            repeated = pd.concat([base[table]] * n, ignore_index=True)
            copy = np.repeat(np.arange(n), len(base[table])).astype(str)
            for column in ("patient_id", "lesion_id"):
                if column in repeated:
                    ids = repeated[column].str[:6] + "x" + pd.Series(copy) + repeated[column].str[6:]
                    repeated[column] = ids.where(repeated[column] != "", "")
            frames[table] = lambda _, frame=repeated: frame
        study = read_study(write_study(tmp_path / str(n), **frames))
        begun = time.process_time()
        assert read_tables(study).queries.empty
        return time.process_time() - begun

    small, large = study_times(50), study_times(800)
    assert large < 40 * small
