"""Files -> text: the three formats give the same text, rows keep their numbers, hostile files are refused."""

from __future__ import annotations

import datetime as dt
import io
import json
import time
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pyreadstat
import pytest
from any_file import ods, xls, xlsb
from study_builder import good_tables

from lib.intake.files import read_sources
from lib.study.parts import Table
from lib.study.study import Study
from lib.study.yaml_file import shown


def study_of(folder: Path, **tables: Table) -> Study:
    """A study of these tables only; what the reader does not look at is left as it is."""
    study = Study.model_construct(tables=tables or {"patients": Table(file="patients.csv")})
    study._folder = folder
    return study


def read(folder: Path, **tables: Table):
    return read_sources(study_of(folder, **tables))


def one(folder: Path, content: bytes, file: str = "patients.csv", **table):
    """Source or the only problem of one file."""
    (folder / file).write_bytes(content)
    sources, problems = read(folder, patients=Table(file=file, **table))
    assert len(problems) == (0 if sources else 1), problems
    return sources["patients"] if sources else problems[0]


def workbook(*rows, sheet: str = "patients") -> bytes:
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    raw = io.BytesIO()
    book.save(raw)
    return raw.getvalue()


def test_csv_keeps_row_numbers_and_text(tmp_path):
    source = one(tmp_path, b'a,b\n1,"x, y"\n\n,\n0.10,"say ""no"""\n')
    assert source.frame.index.tolist() == [2, 5]
    assert source.frame["a"].tolist() == ["1", "0.10"]
    assert source.frame["b"].tolist() == ["x, y", 'say "no"']


@pytest.mark.parametrize("raw", [b"\xef\xbb\xbfa,b\n1,2\n", b"a,b\r\n1,2\r\n", b"a,b\n1,2", b'"a","b"\n"1","2"\n'])
def test_csv_dialects(raw, tmp_path):
    source = one(tmp_path, raw)
    assert source.frame.columns.tolist() == ["a", "b"]
    assert source.frame.loc[2].tolist() == ["1", "2"]


def test_csv_missing_is_empty_and_nothing_else(tmp_path):
    frame = one(tmp_path, b"a,b\n,NA\nnan,null\n").frame
    assert frame.isna().to_numpy().tolist() == [[True, False], [False, False]]


def test_names_are_mapped_and_the_file_keeps_its_own(tmp_path):
    source = one(tmp_path, b"id,rx,arm\n1,Lev,x\n", columns={"patient_id": "id", "arm": "rx"})
    assert source.frame.columns.tolist() == ["patient_id", "arm"]
    assert source.frame["arm"].tolist() == ["Lev"]
    assert source.theirs["patient_id"] == "id"


def test_column_without_a_name(tmp_path):
    assert one(tmp_path, b",a\n1,2\n").frame.columns.tolist() == ["(column 1 without a name)", "a"]


@pytest.mark.parametrize(
    ("raw", "code", "says"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00", "E104", "a binary file"),
        (b"PAR1\x15\x04", "E104", "it is a Parquet file"),
        (b"\xd0\xcf\x11\xe0rest", "E104", "password-protected"),
        (b"%PDF-1.7 rest", "E104", "it is a PDF"),
        (b"$FL2@(#) SPSS", "E104", "it is an SPSS file (.sav)"),
        (b"<html><table>", "E104", "it is a page (HTML or XML)"),
        (b"a,b\n1,2,3\n4,5\n", "E104", "3 fields where the header has 2"),
        (b"a,b\n", "E002", "no rows"),
        (b"\n", "E002", "no rows"),
        (b"a,b,a\n1,2,3\n", "E005", "more than once in the header: a"),
    ],
)
def test_csv_refused(raw, code, says, tmp_path):
    problem = one(tmp_path, raw)
    assert problem.code == code
    assert says in problem.message


def test_excel_cells_as_text(tmp_path):
    values = [
        52,
        52.0,
        11.1,
        0.0,
        dt.datetime(2020, 2, 29),
        dt.datetime(2020, 2, 29, 9, 30),
        True,
        " x",
        "NA",
        None,
        45123,
    ]
    source = one(tmp_path, workbook([f"c{i}" for i in range(len(values))], values), "study.xlsx")
    expected = ["52", "52", "11.1", "0", "2020-02-29", "2020-02-29T09:30:00", "TRUE", " x", "NA", None, "45123"]
    assert source.frame.loc[2].astype(object).where(source.frame.loc[2].notna(), None).tolist() == expected
    assert source.file == "study.xlsx [patients]"


def test_excel_gaps_keep_row_numbers(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "patients"
    for place, value in {"A1": "a", "B1": "b", "A2": 1, "B5": 2}.items():
        book.active[place] = value
    book.save(tmp_path / "study.xlsx")
    source = one(tmp_path, (tmp_path / "study.xlsx").read_bytes(), "study.xlsx")
    assert source.frame.index.tolist() == [2, 5]


def test_excel_sheet_by_name(tmp_path):
    raw = workbook(["a"], ["1"], sheet="Baseline")
    assert one(tmp_path, raw, "study.xlsx", sheet="Baseline").frame["a"].tolist() == ["1"]
    problem = one(tmp_path, raw, "study.xlsx")
    assert (problem.code, problem.message) == ("E001", "sheet not found: patients; there are Baseline")


def test_excel_declared_size_is_not_believed(tmp_path):
    """A sheet that claims a million rows and 16,384 columns, and a cell in row 9,999,999."""
    raw = workbook(["a"], ["1"])
    for old, new, code in (
        ('ref="A1:A2"', 'ref="A1:XFD1048576"', ""),
        ('r="A2"', 'r="XFD2"', "E101"),
        ('<row r="2"', '<row r="9999999"', "E101"),
    ):
        changed = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(raw)) as source, zipfile.ZipFile(changed, "w") as target:
            for item in source.infolist():
                text = source.read(item)
                if item.filename == "xl/worksheets/sheet1.xml":
                    assert old.encode() in text
                    text = text.replace(old.encode(), new.encode())
                target.writestr(item.filename, text)
        found = one(tmp_path, changed.getvalue(), "study.xlsx")
        assert getattr(found, "code", "") == code


def test_excel_entities_are_not_expanded(tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    doctype = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{tmp_path}/secret.txt"><!ENTITY a "aaaa">]>'
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook(["a"], ["1"]))) as source, zipfile.ZipFile(changed, "w") as target:
        for item in source.infolist():
            text = source.read(item).decode()
            if item.filename == "xl/worksheets/sheet1.xml":
                text = doctype + text.replace("<v>1</v>", "<v>&e;</v>").replace('t="n"', 't="str"')
            target.writestr(item.filename, text)
    found = one(tmp_path, changed.getvalue(), "study.xlsx")
    assert "secret" not in (found.frame.to_csv() if hasattr(found, "frame") else found.message)


def test_parquet_is_the_same_text(tmp_path):
    table = pa.table(
        {
            "id": pa.array(["S1", "S2"]).dictionary_encode(),
            "whole": pa.array([5, None], pa.int32()),
            "number": [1.5, float("nan")],
            "day": [dt.date(2020, 2, 29), None],
            "time": pa.array([dt.datetime(2020, 2, 29), dt.datetime(2020, 2, 29, 1)], pa.timestamp("us")),
            "flag": [True, False],
        }
    )
    pyarrow.parquet.write_table(table, tmp_path / "patients.parquet")
    frame = one(tmp_path, (tmp_path / "patients.parquet").read_bytes(), "patients.parquet").frame
    assert frame.loc[2].tolist() == ["S1", "5", "1.5", "2020-02-29", "2020-02-29", "TRUE"]
    assert frame.loc[3].astype(object).where(frame.loc[3].notna(), None).tolist() == [
        "S2",
        None,
        "nan",
        None,
        "2020-02-29T01:00:00",
        "FALSE",
    ]


def test_parquet_refuses_nested_and_binary_columns(tmp_path):
    for column in ([[1], [2]], [b"x", b"y"], [{"a": 1}, {"a": 2}]):
        pyarrow.parquet.write_table(pa.table({"a": column}), tmp_path / "x.parquet")
        assert one(tmp_path, (tmp_path / "x.parquet").read_bytes(), "patients.parquet").code == "E104"


def test_csv_workbook_and_parquet_agree(tmp_path):
    patients = good_tables()["patients"]
    patients.to_csv(tmp_path / "table.csv", index=False)
    patients.to_parquet(tmp_path / "table.parquet")
    (tmp_path / "study.xlsx").write_bytes(workbook(list(patients.columns), *patients.to_numpy().tolist(), sheet="p"))
    frames = []
    for table in (Table(file="table.csv"), Table(file="table.parquet"), Table(file="study.xlsx", sheet="p")):
        sources, problems = read(tmp_path, patients=table)
        assert problems == []
        frames.append(sources["patients"].frame)
    pd.testing.assert_frame_equal(frames[0], frames[1])
    pd.testing.assert_frame_equal(frames[0], frames[2])


def test_every_format_agrees_and_says_how_it_was_read(tmp_path):
    """What study.yml names may be of any format; a file of one table needs no sheet."""
    frame = good_tables()["patients"]
    rows = [list(frame.columns), *frame.to_numpy().tolist()]
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_csv(tmp_path / "a.tsv", index=False, sep="\t")
    frame.to_csv(tmp_path / "a.txt", index=False, sep=";", encoding="utf-16")
    pyreadstat.write_sav(frame, tmp_path / "a.sav", variable_value_labels={"arm": {"A": "A"}})
    pyreadstat.write_xport(frame, tmp_path / "a.xpt", file_format_version=8)
    frame.to_stata(tmp_path / "a.dta", write_index=False, version=118)
    xls(tmp_path / "a.xls", "patients", rows)
    xlsb(tmp_path / "a.xlsb", "patients", rows)
    ods(tmp_path / "a.ods", {"patients": rows})
    columns = [{"name": name, "dataType": "string"} for name in frame]
    (tmp_path / "a.json").write_text(json.dumps({"name": "ADSL", "columns": columns, "rows": rows[1:]}), "utf-8")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "a.csv", "patients.csv")
    expected = read(tmp_path, patients=Table(file="a.csv"))[0]["patients"].frame
    said = {}
    for path in sorted(tmp_path.glob("a.*")):
        sources, problems = read(tmp_path, patients=Table(file=path.name))
        assert {problem.code for problem in problems} <= {"W006", "E105"}, problems
        said[path.suffix] = [problem.message for problem in problems if problem.code == "W006"]
        pd.testing.assert_frame_equal(sources["patients"].frame, expected)
    assert said == {suffix: [] for suffix in said} | {
        ".txt": ["encoding: UTF-16", "delimiter: a semicolon"], ".sav": ["labels in the place of codes: arm (A = A)"]
    }  # fmt: skip


def test_large_text_is_read_as_fast_as_it_is_parsed(tmp_path):
    """Finding encoding and delimiter looks at the first lines, not at every cell."""
    text = "id,arm,age\n" + "".join(f"P{i},{'AB'[i % 2]},{i % 90}\n" for i in range(200_000))
    started = time.process_time()
    assert len(one(tmp_path, text.encode()).frame) == 200_000
    assert time.process_time() - started < 5


def test_extensions_folders_and_links(tmp_path):
    (tmp_path / "patients.txt").write_text("a\n1\n")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "link.csv").symlink_to(tmp_path / "patients.txt")
    codes = {}
    (tmp_path / "patients.jmp").write_text("a\n1\n")
    for file in ("patients.txt", "patients.jmp", "folder.csv", "link.csv", "patient.txt"):
        _, problems = read(tmp_path, patients=Table(file=file))
        codes[file] = [problem.code for problem in problems if problem.code != "E105"]
    assert codes == {
        "patients.txt": [], "patients.jmp": ["E104"], "folder.csv": ["E104"], "link.csv": ["E101"], "patient.txt": ["E001"]
    }  # fmt: skip
    assert "did you mean patients.txt?" in problems[0].message


def test_every_unreadable_table_is_named_at_once(tmp_path):
    (tmp_path / "patients.csv").write_bytes(b"")
    _, problems = read(tmp_path, patients=Table(file="patients.csv"), lesions=Table(file="lesions.csv"))
    assert [(p.code, p.file) for p in problems] == [("E104", "patients.csv"), ("E001", "lesions.csv")]


def test_damaged_workbook_in_the_folder_does_no_harm(tmp_path):
    (tmp_path / "notes.xlsx").write_bytes(b"PK\x03\x04 not a workbook")
    assert one(tmp_path, b"a\n1\n").frame["a"].tolist() == ["1"]


@pytest.mark.parametrize(
    ("value", "text"),
    [("a\nb", "a\\u000ab"), ("\u202e", "\\u202e"), ("x" * 90, "x" * 80 + "…"), (None, ""), ("ü µ", "ü µ")],
)
def test_shown_is_safe_to_print(value, text):
    assert shown(value) == text
