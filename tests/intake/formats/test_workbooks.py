"""Workbooks of every kind give the same text; formulas stand for the values kept beside them; what runs or swells is refused."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import openpyxl
import pytest
from any_file import cells, ods, only_sheet, sheets, with_kept_values, xls, xlsb

from lib.intake.cells import Unreadable

ROWS = [["id", "年龄", "x", "note"], ["P1", 61, 1.5, "Größe"], ["", "", "", ""], ["P2", "", 2, "=text"]]
TEXT = [["id", "年龄", "x", "note"], ["P1", "61", "1.5", "Größe"], ["", "", "", ""], ["P2", "", "2", "=text"]]


def xlsx(path: Path, name: str, rows: list[list], kept: dict[str, str] | None = None) -> Path:
    book, raw = openpyxl.Workbook(), io.BytesIO()
    book.active.title = name
    for i, row in enumerate(rows, 1):
        for j, value in enumerate(row, 1):
            if value != "":
                book.active.cell(i, j, value)
            if value == "=text":
                book.active.cell(i, j).data_type = "s"
    book.save(raw)
    path.write_bytes(with_kept_values(raw.getvalue(), kept or {}))
    return path


def test_every_kind_of_workbook_gives_the_same_text(tmp_path):
    plain = [row[:3] + (["text"] if row[3] == "=text" else row[3:]) for row in ROWS]
    made = [
        (xlsx(tmp_path / "a.xlsx", "p", ROWS), TEXT),
        (xls(tmp_path / "a.xls", "p", ROWS), TEXT),
        (xlsb(tmp_path / "a.xlsb", "p", ROWS), TEXT),
        (ods(tmp_path / "a.ods", {"p": plain}), [*TEXT[:3], [*TEXT[3][:3], "text"]]),
    ]
    for path, expected in made:
        assert list(sheets(path)) == ["p"], path.name
        assert cells(only_sheet(path)) == expected, path.name
        assert only_sheet(path).frame.index.tolist() == [2, 3, 4]


def test_formulas_stand_for_their_kept_values(tmp_path):
    rows = [["id", "age", "name"], ["P1", "=2020-1977", '=IF(A2="","x","")'], ["P2", "=2020-1945", "=A3&1"]]
    sheet = only_sheet(xlsx(tmp_path / "a.xlsx", "p", rows, {"B2": "43", "B3": "75", "C2": "", "C3": "P21"}))
    assert cells(sheet)[1:] == [["P1", "43", ""], ["P2", "75", "P21"]]
    assert sheet.notes == (
        '4 formulas stand for the values kept beside them: age (B2 =2020-1977), name (C2 =IF(A2="","x",""))',
    )
    assert only_sheet(ods(tmp_path / "a.ods", {"p": [["id", "age"], ["P1", "=2020-1977:43"]]})).notes == (
        "1 formulas stand for the values kept beside them",
    )


def test_a_formula_without_a_value_is_named_by_its_place(tmp_path):
    rows = [["id", "age", "sex"], ["P1", "=2020-1977", "=1+1"], ["P2", "=2020-1945", "=2+2"]]
    sheet = only_sheet(xlsx(tmp_path / "a.xlsx", "p", rows, {"B2": "43", "C2": "2", "C3": "4"}))
    said = sheet.without_values["age"]
    assert "1 formulas have no value kept beside them, the first in B3: =2020-1945" in str(said)
    assert (said.code, said.row, said.column) == ("E090", 3, "age")
    assert list(sheet.without_values) == ["age"]
    assert sheet.notes == ("2 formulas stand for the values kept beside them: sex (C2 =1+1)",)
    with pytest.raises(Unreadable, match="first in B1"):
        only_sheet(xlsx(tmp_path / "b.xlsx", "p", [["id", "=A1"], ["P1", "1"]], {}))


def test_columns_that_are_only_formatted_are_none(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["id"])
    book.active.append(["P1"])
    book.active.cell(2, 3000).number_format = "0.00"
    book.save(tmp_path / "a.xlsx")
    assert cells(only_sheet(tmp_path / "a.xlsx")) == [["id"], ["P1"]]


@pytest.mark.parametrize("part", ["xl/vbaProject.bin", "xl/externalLinks/externalLink1.bin", "xl/connections.bin", "Basic/script-lc.xml"])
@pytest.mark.parametrize("extension", [".xlsx", ".xlsb", ".ods"])
def test_what_runs_or_leads_elsewhere_is_refused(part, extension, tmp_path):
    path = tmp_path / f"a{extension}"
    {".xlsx": xlsx, ".xlsb": xlsb, ".ods": lambda p, n, r: ods(p, {n: r})}[extension](path, "p", ROWS[:2])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(part, "x")
    with pytest.raises(Unreadable) as raised:
        sheets(path)
    assert raised.value.code == "E101"


def test_sheets_that_swell_are_refused(tmp_path):
    many = '<table:table-row table:number-rows-repeated="1000000"><table:table-cell table:number-columns-repeated="16000" office:value-type="float" office:value="1"/></table:table-row>'
    empty = many.replace(' office:value-type="float" office:value="1"', "")
    for made in (ods(tmp_path / "a.ods", {"p": ROWS[:2]}, many), xlsb(tmp_path / "a.xlsb", "p", ROWS[:2], far=(1_048_575, 16_383))):
        with pytest.raises(Unreadable, match="more than 20\u202f000\u202f000 cells"):
            sheets(made)
    assert cells(only_sheet(ods(tmp_path / "b.ods", {"p": ROWS[:2]}, empty))) == TEXT[:2]
    with zipfile.ZipFile(tmp_path / "b.ods", "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("Pictures/zeros.bin", bytes(210_000_000))
    with pytest.raises(Unreadable, match="unpacks to more than"):
        sheets(tmp_path / "b.ods")


@pytest.mark.parametrize(
    ("stream", "code", "says"),
    [("EncryptedPackage", "E104", "password-protected workbook"), ("_VBA_PROJECT", "E101", "macros"), ("Other", "E104", "not readable as .xls")],
)
def test_old_workbooks_that_are_refused(stream, code, says, tmp_path):
    with pytest.raises(Unreadable, match=says) as raised:
        sheets(xls(tmp_path / "a.xls", "p", ROWS, stream))
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("file", "raw", "says"),
    [
        ("a.xlsx", b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "password-protected"),
        ("a.xlsx", b"id,arm\n1,A\n", "not a zip file"),
        ("a.xls", b"PK\x03\x04", "an Excel workbook or a zip archive"),
        ("a.xls", b"<html><table><tr><td>id</td></tr></table></html>", "a page .HTML or XML."),
        ("a.ods", b"PK\x03\x04rest", "not readable as .ods"),
        ("a.xlsm", b"PK\x03\x04", "can run macros; save it as .xlsx"),
        ("a.pdf", b"%PDF-1.7", "a PDF; ask for the table"),
        ("a", b"$FL2@(#)", "it is an SPSS file"),
    ],
)
def test_what_a_file_looks_like_is_said(file, raw, says, tmp_path):
    (tmp_path / file).write_bytes(raw)
    with pytest.raises(Unreadable, match=says) as raised:
        sheets(tmp_path / file)
    assert raised.value.code == "E104"
