"""Dataset-JSON, files of R, archives and folders, exports of REDCap: sheets of text, or one sentence that says why not."""

from __future__ import annotations

import json
import stat
import zipfile
from pathlib import Path

import lifelines
import numpy as np
import pandas as pd
import pytest
import rdata
import statsmodels
from any_file import cells, only_sheet, sheets

from lib.intake.cells import Unreadable
from lib.intake.files import read_files
from lib.intake.formats import archive
from lib.intake.formats.r_data import DATES, _checked

COLUMNS = [
    {"itemOID": "IT.USUBJID", "name": "USUBJID", "label": "Unique Subject Identifier", "dataType": "string"},
    {"itemOID": "IT.AGE", "name": "AGE", "label": "Age", "dataType": "integer"},
    {"itemOID": "IT.TRTSDT", "name": "TRTSDT", "label": "Start", "dataType": "integer", "displayFormat": "DATE9."},
]
RECORDS = [["S1", 61, 21916], ["S2", None, None]]
EXPECTED = [["USUBJID", "AGE", "TRTSDT"], ["S1", "61", "2020-01-02"], ["S2", "", ""]]
V11 = {"datasetJSONVersion": "1.1.0", "name": "ADSL", "label": "Subjects", "columns": COLUMNS, "rows": RECORDS}
SEQUENCE = {"OID": "ITEMGROUPDATASEQ", "name": "ITEMGROUPDATASEQ", "type": "integer"}
ITEMS = [SEQUENCE, *({"OID": c["itemOID"], "type": c["dataType"]} | c for c in COLUMNS)]
V10 = {"datasetJSONVersion": "1.0.0", "clinicalData": {"itemGroupData": {
    "IG.ADSL": {"records": 2, "name": "ADSL", "items": ITEMS, "itemData": [[i, *r] for i, r in enumerate(RECORDS, 1)]}}}}  # fmt: skip


@pytest.mark.parametrize("content", [V11, V10])
def test_dataset_json(content, tmp_path):
    (tmp_path / "adsl.json").write_text(json.dumps(content), "utf-8")
    found = sheets(tmp_path / "adsl.json")
    assert list(found) == ["ADSL"]
    assert cells(found["ADSL"]) == EXPECTED
    assert found["ADSL"].labels["AGE"] == "Age"
    assert found["ADSL"].notes == ("TRTSDT: numbers with the format DATE9. were read as dates",)


@pytest.mark.parametrize(
    "raw",
    [b"{}", b"[1, 2]", b"{", b"[" * 100_000, b'{"columns": [{"name": "A"}], "rows": [[NaN]]}', b'{"columns": [{"name": "A"}], "rows": [[1, 2]]}',
     b'{"columns": [{"name": "A"}], "rows": [[{"a": 1}]]}', b'{"columns": [1], "rows": []}', b'{"clinicalData": {"itemGroupData": 1}}'],
)  # fmt: skip
def test_other_json_is_refused(raw, tmp_path):
    (tmp_path / "a.json").write_bytes(raw)
    with pytest.raises(Unreadable) as raised:
        only_sheet(tmp_path / "a.json")
    assert raised.value.code == "E104"


@pytest.mark.parametrize("packed", ["gzip", "bzip2", "xz"])
def test_files_of_r(packed, tmp_path):
    frame = pd.DataFrame({"id": ["a", "b"], "arm": pd.Categorical(["Lev", "Obs"]), "t": [1.5, np.nan], "n": np.array([1, 2], dtype="int32")})
    rdata.write_rds(tmp_path / "d.rds", frame, compression=packed)
    rdata.write_rda(tmp_path / "d.rda", {"one": frame, "two": frame.iloc[:1], "note": "x"}, compression=packed)
    expected = [["id", "arm", "t", "n"], ["a", "Lev", "1.5", "1"], ["b", "Obs", "", "2"]]
    assert cells(sheets(tmp_path / "d.rds")["d"]) == expected
    assert list(sheets(tmp_path / "d.rda")) == ["one", "two"]


def test_what_r_only_describes_is_limited(tmp_path):
    class State:
        value = np.array([1e12, 1, 1])

    with pytest.raises(Unreadable, match="more than 10\u202f000\u202f000 rows"):
        _checked(lambda state: state, State())
    assert DATES["Date"](np.array([18263.0, np.nan]), None).astype("datetime64[D]").astype(str).tolist() == ["2020-01-02", "NaT"]
    rdata.write_rds(tmp_path / "v.rds", np.array([1, 2]))
    with pytest.raises(Unreadable, match="no data frame in it"):
        only_sheet(tmp_path / "v.rds")


def _zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, raw in files.items():
            made.writestr(name, raw)
    return path


def test_a_folder_and_an_archive_are_their_files(tmp_path):
    files = {"a/patients.csv": b"id;arm\nP1;A\n", "a/markers.tsv": b"id\tvalue\nP1\t2\n", "readme.pdf": b"%PDF", "__MACOSX/a/._patients.csv": b"\0",
             "b/patients.csv": b"id,x\nP1,2\n", ".hidden.csv": b"\0"}  # fmt: skip
    path = _zip(tmp_path / "all.zip", files)
    with zipfile.ZipFile(path) as made:
        made.extractall(tmp_path / "folder")
    for place in (path, tmp_path / "folder"):
        found, problems = read_files([place])
        assert not problems
        assert {name: sheet.header for name, sheet in found.items()} == {
            "markers": ["id", "value"], "patients": ["id", "arm"], "patients patients": ["id", "x"]
        }  # fmt: skip
        assert found["patients"].notes == ("delimiter: a semicolon",)


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [("../x.csv", "E101", "leads out"), ("/x.csv", "E101", "leads out"), ("a/..\\..\\x.csv", "E101", "leads out"), ("c:x.csv", "E101", "leads out"),
     ("in.zip", "E101", "an archive in an archive"), ("x.csv", "E104", "x.csv: not readable as .csv")],
)  # fmt: skip
def test_archives_that_are_refused(name, code, says, tmp_path):
    with pytest.raises(Unreadable, match=says) as raised:
        sheets(_zip(tmp_path / "a.zip", {name: b"PAR1"}))
    assert raised.value.code == code


def test_links_passwords_and_bombs_in_archives(tmp_path, monkeypatch):
    link = zipfile.ZipInfo("x.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as made:
        made.writestr(link, "/etc/passwd")
    raw = bytearray(_zip(tmp_path / "a.zip", {"x.csv": b"id\n1\n"}).read_bytes())
    at = raw.index(b"PK\x01\x02")
    raw[at + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(raw)
    monkeypatch.setattr(archive, "MAX_UNPACKED_BYTES", 1_000)
    _zip(tmp_path / "bomb.zip", {"x.csv": b"1" * 2_000})
    for file, says in (("link.zip", "symbolic link"), ("locked.zip", "password-protected"), ("bomb.zip", "unpacks to more than 1\u202f000 bytes")):
        with pytest.raises(Unreadable, match=says):
            sheets(tmp_path / file)


DICTIONARY = (
    "Variable / Field Name,Form Name,Field Type,Field Label,\"Choices, Calculations, OR Slider Labels\"\n"
    "record_id,base,text,Record,\nsex,base,radio,Sex,\"1, Male | 2, Female\"\nrisk,base,checkbox,Risks,\"a, Smoking | -1, Other, rare\"\n"
    "smoker,base,yesno,Smoker,\nterm,ae,text,<b>Term</b>,\ngrade,ae,dropdown,Grade,\"1, mild | 2, severe\"\nweight,visit,text,Weight,\n"
)  # fmt: skip
EXPORT = (
    "record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,sex,smoker,risk___a,risk____1,term,grade,weight\n"
    "1,baseline_arm_1,,,1,1,1,0,,,\n1,visit_1_arm_1,,,,,,,,,70\n1,visit_2_arm_1,,,,,,,,,71\n1,baseline_arm_1,ae,1,,,,,Nausea,1,\n"
    "1,baseline_arm_1,ae,2,,,,,Rash,2,\n2,baseline_arm_1,,,2,0,0,1,,,\n2,visit_1_arm_1,,,,,,,,,80\n"
)  # fmt: skip


def test_an_export_of_redcap(tmp_path):
    (tmp_path / "data.csv").write_text(EXPORT, "utf-8")
    (tmp_path / "dictionary.csv").write_text(DICTIONARY, "utf-8")
    found, problems = read_files([tmp_path / "data.csv", tmp_path / "dictionary.csv"])
    assert not problems
    base = [["record_id", "redcap_event_name", "sex", "smoker", "risk___a", "risk____1"],
            ["1", "baseline_arm_1", "Male", "Yes", "1", "0"], ["2", "baseline_arm_1", "Female", "No", "0", "1"]]  # fmt: skip
    assert list(found) == ["ae", "baseline_arm_1", "visit_1_arm_1"]
    assert cells(found["baseline_arm_1"]) == base
    assert found["baseline_arm_1"].frame.index.tolist() == [2, 7]
    assert [row[-2:] for row in cells(found["ae"])] == [["term", "grade"], ["Nausea", "mild"], ["Rash", "severe"]]
    assert [row[-1] for row in cells(found["visit_1_arm_1"])] == ["weight", "70", "71", "80"]
    assert found["baseline_arm_1"].labels["risk____1"] == "Risks: Other, rare"
    assert found["ae"].labels["term"] == "Term"
    assert any(note.startswith("sex: labels of the data dictionary in the place of codes: 1 = Male, 2 = Female") for note in found["ae"].notes)
    assert "parted by instrument and event into ae, baseline_arm_1, visit_1_arm_1" in found["ae"].notes[-1]


def test_an_export_of_redcap_with_labels(tmp_path):
    text = "Record ID,Repeat Instrument,Repeat Instance,Sex,Term\n1,,,Male,\n1,Adverse Events,1,,Rash\n2,,,Female,\n"
    (tmp_path / "data.csv").write_text(text, "utf-8")
    found, _ = read_files([tmp_path / "data.csv"])
    assert cells(found["data"]) == [["Record ID", "Sex"], ["1", "Male"], ["2", "Female"]]
    assert cells(found["Adverse Events"])[1] == ["1", "Adverse Events", "1", "Rash"]


# Two are no tables: a page of text above, of other widths, and values in quotes over several lines.
NO_TABLES = ("unemp", "scotland_population")
SHIPPED = sorted(path for package in (lifelines, statsmodels) for path in Path(package.__file__).parent.glob("datasets/**/*.csv") if path.stem not in NO_TABLES)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_data_set_of_the_installed_packages_is_read(path):
    """As many rows and columns as pandas finds, by the delimiter that it has to be told."""
    found, problems = read_files([path])
    assert not problems
    (sheet,) = found.values()
    known = pd.read_csv(path, sep=None, engine="python", dtype=str, comment=None, skip_blank_lines=True)
    named_rows = any("one cell more than the header" in note for note in sheet.notes)
    assert (len(sheet.frame.dropna(how="all")), len(sheet.header) - named_rows) == known.shape
