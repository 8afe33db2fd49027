"""SPSS, Stata and SAS: labels in the place of codes, ISO dates, whole numbers whole, declared missing values empty and said."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from any_file import cells, only_sheet, sheets

from lib.intake.cells import Unreadable

FRAME = pd.DataFrame(
    {
        "id": ["P1", "P2", "患者"],
        "arm": [1.0, 2.0, 9.0],
        "age": [50.0, 999.0, 61.0],
        "bmi": [24.3, np.nan, 27.1],
        "day": [dt.date(2020, 1, 2), None, dt.date(1950, 3, 4)],
        "at": [dt.datetime(2020, 1, 2, 3, 4), None, dt.datetime(2020, 1, 2)],
    }
)
LABELS = {"id": "Patient", "arm": "Arm of the trial", "age": "Age in years", "bmi": "", "day": "Start", "at": "Seen"}
WORDS = {"arm": {1: "Lev", 2: "Obs", 9: "Unknown"}}
NUMBERS = [["id", "arm", "age", "bmi", "day", "at"], ["P1", "1", "50", "24.3", "2020-01-02", "2020-01-02T03:04:00"],
           ["P2", "2", "999", "", "", ""], ["患者", "9", "61", "27.1", "1950-03-04", "2020-01-02"]]  # fmt: skip


@pytest.mark.parametrize("file", ["a.sav", "a.zsav"])
def test_spss(file, tmp_path):
    path = tmp_path / file
    missing = {"age": [999], "arm": [{"lo": 8, "hi": 9}]}
    pyreadstat.write_sav(
        FRAME, path, column_labels=LABELS, variable_value_labels=WORDS, missing_ranges=missing, compress=file.endswith("zsav")
    )
    sheet = only_sheet(path)
    rows = [row.copy() for row in NUMBERS]
    rows[1][1], rows[2][1:3], rows[3][1] = "Lev", ["Obs", ""], ""
    assert cells(sheet) == rows
    assert sheet.labels == {name: label for name, label in LABELS.items() if label}
    assert sheet.notes == (
        "labels in the place of codes: arm (1 = Lev, 2 = Obs, 9 = Unknown)",
        "empty, because the file declares them as missing: arm (1 x 9 Unknown); age (1 x 999)",
    )


def test_stata(tmp_path):
    stata = FRAME.assign(day=pd.to_datetime(FRAME["day"]), f=np.array([24.3, 1.1, 2], dtype="float32"), n=[1, 2, 3])
    stata["grade"] = pd.Categorical(["mild", "severe", "mild"])
    stata.to_stata(
        tmp_path / "a.dta", write_index=False, version=118, convert_dates={"day": "td", "at": "tc"}, variable_labels=LABELS,
        value_labels=WORDS,
    )  # fmt: skip
    sheet = only_sheet(tmp_path / "a.dta")
    rows = [row.copy() for row in NUMBERS]
    for row, word in zip(rows[1:], ("Lev", "Obs", "Unknown"), strict=True):
        row[1] = word
    more = [["f", "n", "grade"], ["24.3", "1", "mild"], ["1.1", "2", "severe"], ["2", "3", "mild"]]
    assert cells(sheet) == [row + beside for row, beside in zip(rows, more, strict=True)]
    assert sheet.labels["arm"] == "Arm of the trial"


def test_missing_letters_of_stata_are_empty_and_said(tmp_path):
    frame = pd.DataFrame({"id": ["P1", "P2", "P3"], "age": [50.0, "a", "b"]}).astype({"age": object})
    pyreadstat.write_dta(frame, tmp_path / "a.dta", missing_user_values={"age": ["a", "b"]})
    sheet = only_sheet(tmp_path / "a.dta")
    assert [row[1] for row in cells(sheet)] == ["age", "50", "", ""]
    assert sheet.notes == ("empty, because the file declares them as missing: age (1 x a, 1 x b)",)


@pytest.mark.parametrize("version", [5, 8])
def test_sas_transport(version, tmp_path):
    pyreadstat.write_xport(FRAME, tmp_path / "adsl.xpt", column_labels=LABELS, table_name="ADSL", file_format_version=version)
    sheet = only_sheet(tmp_path / "adsl.xpt")
    assert cells(sheet) == NUMBERS
    assert sheet.labels["arm"] == "Arm of the trial"
    whole = (tmp_path / "adsl.xpt").read_bytes()
    (tmp_path / "two.xpt").write_bytes(whole + whole[80 * 3 :])
    with pytest.raises(Unreadable, match="holds 2 data sets"):
        only_sheet(tmp_path / "two.xpt")


def test_spss_portable(tmp_path):
    pyreadstat.write_por(FRAME.iloc[:2], tmp_path / "a.por")
    assert [row[:3] for row in cells(only_sheet(tmp_path / "a.por"))[1:]] == [row[:3] for row in NUMBERS[1:3]]


def test_two_codes_of_one_label_stay_apart(tmp_path):
    words = {"x": {1: "yes", 2: "yes", 3: "no"}}
    pyreadstat.write_sav(pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0]}), tmp_path / "a.sav", variable_value_labels=words)
    sheet = only_sheet(tmp_path / "a.sav")
    assert [row[0] for row in cells(sheet)[1:]] == ["1 yes", "2 yes", "no", "4"]
    assert "1 cells without a label stay" in sheet.notes[0]


@pytest.mark.parametrize("extension", [".sav", ".zsav", ".por", ".dta", ".sas7bdat", ".xpt"])
@pytest.mark.parametrize("raw", [b"id,arm\n1,A\n", bytes(2000), b"$FL2@(#) SPSS DATA FILE" + bytes(100), b"<stata_dta><header>" * 9])
def test_damaged_files_are_said(extension, raw, tmp_path):
    (tmp_path / f"a{extension}").write_bytes(raw)
    with pytest.raises(Unreadable) as raised:
        sheets(tmp_path / f"a{extension}")["a"]
    assert raised.value.code == "E104"


def test_a_password_is_said(tmp_path):
    (tmp_path / "a.sav").write_bytes(b"ENCRYPTEDSAV" + bytes(100))
    with pytest.raises(Unreadable, match="password-protected SPSS file"):
        sheets(tmp_path / "a.sav")
