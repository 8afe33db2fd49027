"""Text files: whatever the encoding and the delimiter, the cells are the same, and what was assumed is said."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.intake.cells import Sheet, Unreadable
from lib.intake.formats.encodings import FREQUENT, NAMES, decode
from lib.intake.formats.readers import open_sheets

ROWS = [["id", "arm", "age"], ["P1", "A", "61"], ["P2", "B", "50"], ["P3", "A", "47"]]
# Words as tables of patients hold them.
WORDS = {
    "gb18030": ["患者编号", "性别", "男", "女", "年龄", "治疗组", "对照组", "死亡", "存活", "末次随访日期", "CD4细胞", "阳性", "阴性", "稳定", "A组"],
    "cp950": ["病人編號", "性別", "男", "女", "年齡", "治療組", "對照組", "死亡", "存活", "追蹤日期", "陽性", "陰性", "疾病進展"],
    "cp932": ["患者番号", "性別", "男性", "女性", "年齢", "治療群", "対照群", "死亡", "生存", "グループ", "なし", "あり", "最終観察日"],
    "euc_jp": ["患者番号", "性別", "男性", "女性", "年齢", "グループ", "なし", "あり", "生存"],
    "cp949": ["환자번호", "성별", "남자", "여자", "나이", "치료군", "대조군", "사망", "생존", "양성", "음성", "없음"],
    "cp1252": ["Größe", "männlich", "Überlebt", "décédé", "âge", "años", "São", "mujer", "Ø", "naïve", "µg/L", "37°C", "Körpergewicht", "élevé"],
    "cp1251": ["Пациент", "Пол", "Возраст", "муж", "жен", "Группа", "умер", "жив", "Дата", "лечение"],
}
ALWAYS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]


def read(folder: Path, raw: bytes, file: str = "table.csv") -> Sheet:
    (folder / file).write_bytes(raw)
    (read,) = open_sheets(folder / file).values()
    return read()


def cells(sheet: Sheet) -> list[list]:
    frame = sheet.frame.astype(object)
    return [sheet.header, *frame.where(frame.notna(), "").to_numpy().tolist()]


@given(st.sampled_from(sorted(WORDS)), st.data())
@settings(max_examples=150, deadline=None)
def test_words_come_back_in_every_encoding(encoding, data):
    words = data.draw(st.lists(st.sampled_from(WORDS[encoding]), min_size=3, max_size=12, unique=True))
    text = "id,x\n" + "".join(f"{i},{word}\n" for i, word in enumerate(words))
    found, notes = decode(text.encode(encoding))
    said = "".join(notes)
    if text.isascii():
        assert (found, notes) == (text, [])
    elif found != text:
        # told by a word of the right reading that it may be another
        assert f"{NAMES[encoding]} would give" in said
    else:
        assert said.startswith(f"encoding: {NAMES[encoding]}") or text.encode(encoding) == found.encode("euc_jp")


@given(st.sampled_from([name for name in FREQUENT if name != "euc_jp"]), st.data())
@settings(max_examples=100, deadline=None)
def test_enough_text_of_the_characters_of_a_language_is_never_taken_for_another(encoding, data):
    letters = sorted(c for c in set(FREQUENT[encoding]) if c.encode(encoding, "ignore"))
    text = data.draw(st.text(st.sampled_from(letters), min_size=12, max_size=60))
    found, notes = decode(f"id,x\n1,{text}\n".encode(encoding))
    assert found == f"id,x\n1,{text}\n" or f"{NAMES[encoding]} would give" in notes[0]


@given(st.sampled_from(ALWAYS), st.text(st.characters(exclude_categories=["Cc", "Cs", "Co", "Cn"], exclude_characters='"'), max_size=30))
@settings(max_examples=60, deadline=None)
def test_unicode_comes_back_as_it_is(encoding, text):
    whole = f"id,name\n1,{text}\n"
    assert decode(whole.encode(encoding))[0] == whole.removeprefix("\ufeff")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", [*ALWAYS, "gb18030"])
@pytest.mark.parametrize("file", ["t.csv", "t.tsv", "t.txt"])
def test_delimiters(delimiter, encoding, file, tmp_path):
    rows = [[*ROWS[0], "性别"], *[[*row, "男" if row[1] == "A" else "女, 24,3"] for row in ROWS[1:]]]
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter).writerows(rows)
    sheet = read(tmp_path, written.getvalue().encode(encoding), file)
    assert cells(sheet) == rows
    assert sheet.frame.index.tolist() == [2, 3, 4]
    expected = delimiter == ("\t" if file == "t.tsv" else ",")
    assert any("delimiter" in note for note in sheet.notes) != expected


def test_a_decimal_comma_is_no_delimiter(tmp_path):
    assert read(tmp_path, b"id;bmi\n1;24,3\n2;27,5\n").header == ["id", "bmi"]
    assert read(tmp_path, b'id;"bmi, kg"\n1;24,3\n2;27,5\n').header == ["id", "bmi, kg"]
    assert read(tmp_path, b"id\tx,y\n1\t2,3\n2\t4,5\n").header == ["id", "x,y"]


@pytest.mark.parametrize(
    ("raw", "file"),
    [
        (b"id | arm | age\nP1 | A | 61\nP2 | B | 50\nP3 | A | 47\n", "t.csv"),
        (b"id; arm; age\nP1; A; 61\nP2; B; 50\nP3; A; 47\n", "t.csv"),
        (b"  id  arm  age\n  P1  A    61\n  P2  B    50\n  P3  A    47\n", "t.txt"),
        (b'"id" "arm" "age"\n"P1" "A" 61\n"P2" "B" 50\n"P3" "A" 47\n', "t.txt"),
        (b'id, arm, age\nP1, "A", 61\nP2, B, 50\nP3, A, 47\n', "t.csv"),
    ],
)
def test_blanks_around_cells(raw, file, tmp_path):
    sheet = read(tmp_path, raw, file)
    assert cells(sheet) == ROWS
    assert "blanks around cells were taken off" in sheet.notes


def test_what_excel_and_r_add_to_a_header(tmp_path):
    assert read(tmp_path, b"sep=;\nid;arm\nP1;A\n").frame.index.tolist() == [3]
    named = read(tmp_path, b'"arm","age"\n"P1","A",61\n"P2","B",50\n')
    assert named.header == ["", "arm", "age"]
    assert "every row has one cell more than the header" in named.notes[0]
    assert read(tmp_path, b"id,arm\nP1,A,\nP2,B,\n").header == ["id", "arm", ""]
    with pytest.raises(Unreadable, match="3 fields where the header has 2") as raised:
        read(tmp_path, b"# made today\nid,arm\nP1,A\nP2,B,x\n")
    assert raised.value.row == 4


def test_lines_of_cbioportal(tmp_path):
    raw = (
        "#Patient Identifier\tOverall Survival Status\tAge\n#Identifier\tStatus\tAge in years\n#STRING\tSTRING\tNUMBER\n#1\t1\t1\n"
        "PATIENT_ID\tOS_STATUS\tAGE\nP1\t0:LIVING\t61\nP2\t1:DECEASED\t50\nP3\t\t47\n"
    )
    sheet = read(tmp_path, raw.encode(), "data_clinical_patient.txt")
    assert cells(sheet) == [["PATIENT_ID", "OS_STATUS", "AGE"], ["P1", "LIVING", "61"], ["P2", "DECEASED", "50"], ["P3", "", "47"]]
    assert sheet.frame.index.tolist() == [6, 7, 8]
    assert sheet.labels == {"PATIENT_ID": "Patient Identifier", "OS_STATUS": "Overall Survival Status", "AGE": "Age"}
    assert "OS_STATUS: codes were taken off their words: 0 = LIVING, 1 = DECEASED" in sheet.notes


def test_codes_stay_where_they_are_no_codes(tmp_path):
    """A time of day, and one word under two codes."""
    for values in (["1:30", "2:45"], ["0:NO", "1:NO"], ["0:NO", "x"]):
        rows = "".join(f"P{i}\t{value}\n" for i, value in enumerate(values))
        assert cells(read(tmp_path, f"id\tx\n{rows}".encode(), "t.tsv"))[1:] == [[f"P{i}", v] for i, v in enumerate(values)]
    assert cells(read(tmp_path, b"id,x\nP1,0:LIVING\n"))[1] == ["P1", "0:LIVING"]


def test_a_single_line_with_a_hash_is_the_header(tmp_path):
    assert read(tmp_path, b"#,arm\n1,A\n").header == ["#", "arm"]


def test_a_title_above_the_table_keeps_its_rows(tmp_path):
    sheet = read(tmp_path, b"Export of the registry\nmade in May\n\nid;arm;age\nP1;A;61\nP2;B;50\nP3;A;47\n")
    assert cells(sheet)[3] == ["id", "arm", "age"]
    assert sheet.frame.index.tolist() == [2, 3, 4, 5, 6, 7]
    assert "3 lines above the table are a title" in sheet.notes


@pytest.mark.parametrize("raw", [b"name\nJohn Smith\nJane Doe\n", b"First name\nJohn Smith\nJane Doe\n", b"id\n1\n2\n", b"a,b\n1 2,3 4\n"])
def test_blanks_in_cells_are_no_delimiters(raw, tmp_path):
    assert read(tmp_path, raw).header == raw.splitlines()[0].decode().split(",")
