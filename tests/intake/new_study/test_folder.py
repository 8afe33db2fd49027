"""From a clinic's workbook to a study: what is recognised, tidied, guessed, refused; and that the numbers are the same."""

import datetime as dt
import re

import hypothesis.strategies as st
import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given
from new_studies import new_study, rows_of, write_book
from openpyxl.utils.datetime import CALENDAR_MAC_1904, to_excel
from reference_data import FOLDER

from lib.__main__ import main
from lib.intake.new_study.folder import write_new_study
from lib.intake.new_study.headers import with_header
from lib.intake.new_study.reading import proposed, read_new_study, read_sheets
from lib.intake.new_study.recognition import plain_name
from lib.intake.new_study.tidying import tidied
from lib.intake.tables import read_tables
from lib.study.study import ROOT, read_study
from lib.study.yaml_file import ProblemsFound

RAIR = ROOT / "data" / "rair_dtc"
OS = {"event of os_status": "1"}
COLON = {"unit of time": "days", "event of status_etype_1": "1", "event of status_etype_2": "1"}


def _column(*cells):
    return pd.DataFrame({"x": list(cells)}, index=range(2, len(cells) + 2), dtype=object)


def _tidy(*cells):
    return [cell if isinstance(cell, str) else None for cell in tidied("t", _column(*cells))[0]["x"]]


@pytest.mark.parametrize(
    ("cells", "tidy"),
    [
        ((" a\u00a0 b ", "N/A", "--", "unknown", "none"), ["a b", None, None, None, "none"]),
        (("1.5", "-", "Nil", "2"), ["1.5", None, None, "2"]),
        (("-", "1+", "2+"), ["-", "1+", "2+"]),
        (("Nil", "Mild", "Severe"), ["Nil", "Mild", "Severe"]),
        (("2020年5月1日", "2020年12月31日", "无"), ["2020-05-01", "2020-12-31", None]),
        (("01-Jan-20", "20APR2020", "3 Dez 1999"), ["2020-01-01", "2020-04-20", "1999-12-03"]),
        (("2020-01-02 14:30", "2020-02-03T08:00:05"), ["2020-01-02", "2020-02-03"]),
        (("31/12/20", "01/02/98"), ["2020-12-31", "1998-02-01"]),
        (("８６", "１５０", "Ⅱ"), ["86", "150", "II"]),
        (("12 mg", "10 mg", "8mg"), ["12", "10", "8"]),
        (("28.02.2020", "1.3.2021", "n.d."), ["2020-02-28", "2021-03-01", None]),
        (("12/31/2020", "01/02/2021"), ["2020-12-31", "2021-01-02"]),
        (("31/12/2020", "01/02/2021"), ["2020-12-31", "2021-02-01"]),
        (("3 Mar 2020", "2020-03-04", "4. Mai 2020"), ["2020-03-03", "2020-03-04", "2020-05-04"]),
        (("2020-01-01", "2020/1/2", "43900"), ["2020-01-01", "2020-01-02", "2020-03-10"]),
        (("1,5", "2", "0,25"), ["1.5", "2", "0.25"]),
        (("1.0", "0.0", "2.00", "3"), ["1", "0", "2", "3"]),
        (("1.0", "0.5"), ["1.0", "0.5"]),
        (("M", "m", "M ", "F"), ["M", "M", "M", "F"]),
    ],
)
def test_what_has_one_meaning_is_tidied(cells, tidy):
    assert _tidy(*cells) == tidy


@pytest.mark.parametrize(
    "cells",
    [
        ("01/02/2020", "03/04/2020"),  # day or month first?
        ("31/12/2020", "12/31/2020"),  # both
        ("31.02.2020", "01.03.2020"),  # no such day: the first stays
        ("1,500", "2,250"),  # thousands or decimals?
        ("43900", "44000"),  # numbers, as nothing says that they are dates
        ("=1+1", "@x"),
        ("-", "low", "high"),  # missing, or none?
        ("999", "3", "4", "5"),
        ("12 mg", "10 g"),  # two units
    ],
)
def test_what_could_mean_two_things_stays(cells):
    assert _tidy(*cells)[0] == cells[0]


@given(st.lists(st.one_of(st.none(), st.text(max_size=12), st.dates().map(str)), min_size=1, max_size=12))
def test_every_change_is_listed_and_tidying_twice_changes_nothing(cells):
    frame = _column(*cells)
    once, changes = tidied("t", frame)
    twice, none = tidied("t", once)
    before, after = frame["x"].fillna(""), once["x"].fillna("")
    assert set(frame.index[before.ne(after)]) <= set(changes["row"])
    assert after.equals(twice["x"].fillna(""))
    assert none.empty


def test_a_title_above_the_header_is_left_out():
    frame = pd.DataFrame([[None] * 3, ["Patient ID", "Arm", None], ["1", "A", None]], index=[2, 3, 4], dtype=object)
    named = with_header(["Our cohort, 2024", "", ""], frame).frame
    assert named.to_dict() == {"Patient ID": {4: "1"}, "Arm": {4: "A"}}


def test_columns_of_one_name_are_numbered_apart():
    """Also where a column bears the number already."""
    frame = pd.DataFrame([["1", "2", "3", "4"]], index=[2], dtype=object)
    assert list(with_header(["a", "a", "a (2)", "b"], frame).frame) == ["a", "a (2)", "a (2) (2)", "b"]


def test_the_list_of_changes_holds_no_formula(tmp_path):
    """It is made to be opened in a spreadsheet, and tells what stood in a hostile cell."""
    rows = [("patient_id", "arm"), ("P1", ' =HYPERLINK("http://evil")'), ("P2", "B")]
    (tmp_path / "in.csv").write_text("\n".join(",".join(f'"{c.replace(chr(34), chr(34) * 2)}"' for c in row) for row in rows))
    _, folder = new_study(tmp_path, tmp_path / "in.csv")
    (change,) = pd.read_csv(folder / "changes.csv").itertuples()
    assert (change.found, change.became) == ("' =HYPERLINK(\"http://evil\")", "'=HYPERLINK(\"http://evil\")")


def _with_samples(tmp_path, values, header=(), cells=()):
    patients = [("id", "arm", "os_months", "death"), *((f"P{i}", "AB"[i % 2], i + 2, i % 2) for i in range(8))]
    rows = [("P1", "tg", value, "ng", visit, "2024-01-01", *cells[visit : visit + 1]) for visit, value in enumerate(values)]
    samples = [("id", "marker", "value", "unit", "visit", "sample_date", *header), *rows]
    new, folder = new_study(tmp_path, write_book(tmp_path / "x.xlsx", {"patients": patients, "markers": samples}))
    return new, pd.read_csv(folder / "markers.csv", dtype=str)


@pytest.mark.parametrize(
    ("low", "high"),
    [("<0.1", ">500"), ("< 0.1", "> 500"), ("＜0.1", "＞500"), ("≤0.1", "≥500"), ("<=0.1", ">=500"), ("<0,1", ">500,0")],
)
def test_values_outside_of_what_could_be_measured_are_the_limit_and_flagged(tmp_path, low, high):
    new, written = _with_samples(tmp_path, (low, high, "7,5" if "," in low else "7.5"))
    assert list(written["value"].astype(float)) == [0.1, 500, 7.5]
    assert (list(written["below_limit"]), list(written["above_limit"])) == (["1", "0", "0"], ["0", "1", "0"])
    assert written["limit"].astype(float).tolist()[0] == 0.1 and written["limit"].isna().tolist() == [False, True, True]
    assert {"below the limit", "above the limit"} <= set(new.changes["why"])


def test_a_flag_of_the_file_is_kept_where_a_value_has_no_sign(tmp_path):
    _, written = _with_samples(tmp_path, ("500", ">500", "7"), ("above limit",), ("yes", "no", "no"))
    assert list(written.filter(like="above")[written.filter(like="above").columns[0]]) == ["1", "1", "0"]


def test_a_limit_of_the_file_stays_beside_a_value_below_it(tmp_path):
    """The column is what could be measured; a cell that is empty takes what stands behind the sign."""
    _, written = _with_samples(tmp_path, ("<0.2", "<0.2", "7"), ("lod",), ("0.1", "", "0.1"))
    assert (list(written["lod"]), list(written["below_limit"])) == (["0.1", "0.2", "0.1"], ["1", "1", "0"])


@pytest.mark.parametrize("names", [("性别", "吸烟"), ("risk-group", "risk group"), ("Sex", "sex")])
def test_names_that_are_alike_get_ids_of_their_own(tmp_path, names):
    """Nothing is merged: neither two variables of the patients, nor two markers in one column."""
    patients = [
        ("patient_id", "arm", "os_months", "os_status", *names),
        *((f"P{i}", "AB"[i % 2], str(9 + i), str(i % 2), "fm"[i % 2], "xy"[i // 5]) for i in range(1, 9)),
    ]
    samples = [
        ("patient_id", "marker", "value", "unit", "visit", "sample_date"),
        *((f"P{i}", f"{name} b{k}", str(i + k), "mg", "0", "2024-01-01") for i in (1, 2) for k, name in enumerate(names)),
    ]
    new, folder = new_study(tmp_path, write_book(tmp_path / "alike.xlsx", {"patients": patients, "markers": samples}), answers=OS)
    study = read_study(folder)
    assert len({variable.id for variable in study.baseline}) == len(study.baseline) == 2
    assert len({marker.id for marker in study.markers}) == 2
    assert pd.read_csv(folder / "markers.csv").groupby("marker")["value"].size().tolist() == [2, 2]
    assert {new.tables["patients"].columns[variable.id] for variable in study.baseline} == set(names)


@pytest.mark.parametrize(("name", "plain"), [("Date of Death", "date_of_death"), ("PatID", "pat_id"), ("Größe", "gr_e")])
def test_names_are_made_plain(name, plain):
    assert plain_name(name) == plain


def test_colon_from_a_workbook_has_the_numbers_of_the_shipped_study(tmp_path):
    """Two rows per patient, told apart by etype: 1 recurrence, 2 death. The same times and events as data/colon."""
    raw = pd.read_csv(FOLDER / "colon_full.csv")
    new, folder = new_study(tmp_path, write_book(tmp_path / "colon.xlsx", {"Sheet1": rows_of(raw)}), answers=COLON)
    study = read_study(folder)
    tables = read_tables(study)
    shipped = pd.read_csv(ROOT / "data" / "colon" / "patients.csv", dtype={"id": str}).set_index("id").sort_index()
    ours = tables["patients"].set_index("patient_id").sort_index()
    assert set(tables.queries["code"]) == {"W004"}  # a column that is the same for everybody is kept, and not used
    assert [arm.code for arm in study.arms] == ["Obs", "Lev", "Lev+5FU"]
    assert study.time.unit == "years"
    for endpoint, name in zip(study.endpoints, ("recurrence", "death"), strict=True):
        assert (ours[endpoint.time_column] == shipped[f"{name}_days"]).all()
        assert (ours[endpoint.event_column].astype(int) == shipped[f"{name}_status"]).all()
    assert "study" in new.tables["patients"].frame


def _messy() -> dict[str, list]:
    """The RAIR-DTC tables as a clinic might keep them: other names, titles, dates, commas, words."""
    tables = {table: pd.read_csv(RAIR / f"{table}.csv", dtype=str) for table in read_study(RAIR).tables}
    patients = tables["patients"]
    for column in [name for name in patients if name.endswith("_date") or name in ("time_zero", "last_tumour_assessment")]:
        patients[column] = pd.to_datetime(patients[column]).dt.strftime("%d.%m.%Y")
    patients["death"] = patients["death"].map({"1": "dead", "0": "Alive"})
    patients["local_progression"] = patients["local_progression"].map({"1": "Yes", "0": "no"})
    patients["sex"] = [f" {sex.lower()}" if row % 7 == 0 else sex for row, sex in enumerate(patients["sex"])]
    patients["cum_rai_gbq"] = patients["cum_rai_gbq"].str.replace(".", ",")
    patients["Patient Name"], patients["Comment"] = "Jane Doe", [f"seen by Dr {n}" for n in range(len(patients))]
    patients = patients.rename(
        columns={"patient_id": "Subject ID", "arm": "Treatment Group", "time_zero": "Start of treatment",
                 "death": "Vital status", "death_date": "Date of death", "last_contact_date": "Last seen"}
    )  # fmt: skip
    markers = tables["markers"]
    below = markers["below_limit"] == "1"
    markers.loc[below, "value"] = "<" + markers.loc[below, "limit"]
    markers = markers.drop(columns=["below_limit", "limit"]).rename(columns={"marker": "Test", "value": "Result"})
    events = tables["adverse_events"].rename(columns={"term": "AE term", "system": "SOC"}).rename(columns={"AE term": "AETERM"})
    title = [["RAIR-DTC cohort, exported", *[None] * 3], [None] * 4]
    others = {name: rows_of(tables[name]) for name in ("lesions", "measurements", "assessments", "treatments")}
    return {
        "Demographics": [*title, *rows_of(patients)], "Labs": rows_of(markers), "Toxicity": rows_of(events), **others,
        "Notes": [["ask Dr X"], ["done"]],
    }  # fmt: skip


def test_a_messy_workbook_becomes_the_shipped_tables(tmp_path):
    """Tidied and mapped, every table holds what the shipped one holds."""
    new, folder = new_study(tmp_path, write_book(tmp_path / "messy.xlsx", _messy()))
    ours, shipped = read_tables(read_study(folder)), read_tables(read_study(RAIR))
    assert set(ours.queries["code"]) <= {"W048", "W050"}  # the proposed visit windows are narrower
    for table, frame in shipped.frames.items():
        common = [name for name in frame if name in ours[table]]
        assert len(common) >= len(frame.columns) - 1, table
        if table == "markers":  # "<0.1" names the limit of the samples below it, not of the others
            frame["limit"] = frame["limit"].where(frame["below_limit"])
        left, right = ours[table][common].astype(str), frame[common].astype(str)
        pd.testing.assert_frame_equal(_sorted(left), _sorted(right), check_dtype=False, obj=table)
    written = "".join(path.read_text("utf-8") for path in folder.iterdir())
    assert "Jane Doe" not in written
    assert "seen by Dr" not in written
    assert new.personal == ["Demographics: Patient Name"]
    assert new.others == ["Notes"]
    assert {"blanks", "a decimal comma", "a date in another form", "a flag is 0 or 1"} <= set(new.changes["why"])


def _sorted(frame):
    return frame.sort_values(list(frame), ignore_index=True)


def test_hostile_cells_are_copied_as_text_and_refused_by_the_check(tmp_path):
    rows = [["id", "arm", "os_months", "os_status", "note"], *[[f"P{n}", "AB"[n % 2], n + 1.5, n % 2, f"=cmd|{n}"] for n in range(12)]]
    rows[3][1] = "=HYPERLINK(1)"
    asked = read_new_study("mine", [write_book(tmp_path / "x.xlsx", {"patients": rows})], OS)
    assert {"formulas of note", "formulas of arm"} <= set(asked.proposal.questions.open)
    (tmp_path / "x.csv").write_text("\n".join(",".join(map(str, row)) for row in rows), "utf-8")
    _, folder = new_study(tmp_path, tmp_path / "x.csv", answers=OS)
    assert "cmd|" not in (folder / "patients.csv").read_text("utf-8")
    with pytest.raises(ProblemsFound, match="E090"):
        read_tables(read_study(folder))


def test_template_filled_in_becomes_a_study(tmp_path):
    path = tmp_path / "mine.xlsx"
    run = CliRunner().invoke(main, ["template", str(path)])
    assert run.exit_code == 0, run.output
    book = openpyxl.load_workbook(path)
    assert book.sheetnames[:2] == ["Read me", "patients"]
    page = book["patients"]
    header = [cell.value for cell in page[1]]
    filled = {"arm": "standard", "age_years": 60, "sex": "F", "local_progression": 0, "death": 0}
    dates = {"time_zero": "2020-01-02", "last_tumour_assessment": "2021-01-02", "last_contact_date": "2021-02-02"}
    for number in range(6):
        row = {"patient_id": f"P{number}", **filled, **dates, "arm": ["standard", "new"][number % 2], "age_years": 50 + number}
        if number == 0:
            row |= {"death": 1, "death_date": "2021-02-02"}
        page.append([row.get(name) for name in header])
    assert all(page.cell(1, number + 1).comment for number in range(len(header)))
    assert {str(rule.sqref).split(":")[0] for rule in page.data_validations.dataValidation} >= {"D2"}
    book.save(path)
    run = CliRunner().invoke(main, ["new", str(tmp_path / "mine"), "--from", str(path)])
    assert run.exit_code == 0, run.output
    study = read_study(tmp_path / "mine")
    assert study.arm_ids == ["standard", "new"]
    assert set(read_tables(study).queries["column"]) == {"sex"}  # the same for everybody
    again = CliRunner().invoke(main, ["template", str(path)])
    assert again.exit_code == 2
    assert "nothing is overwritten" in again.output


def test_what_is_there_is_never_overwritten(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    run = CliRunner().invoke(main, ["new", str(tmp_path / "mine"), "--from", str(FOLDER / "colon_full.csv")])
    assert run.exit_code == 2
    assert "never overwritten" in run.output
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [("x.csv", b"a,b\n1,2\n", "no sheet is a table of patients"), ("x.xlsx", b"no", "E104"), ("y.csv", None, "E001")],
)
def test_what_cannot_be_read_stops_with_a_sentence(tmp_path, name, content, says):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    run = CliRunner().invoke(main, ["new", str(tmp_path / "mine"), "--from", str(tmp_path / name)])
    assert run.exit_code == 2
    assert says in re.sub(r"\s+", " ", run.output)
    assert not (tmp_path / "mine").exists()


def test_corrected_tables_come_in_and_study_yml_stays(tmp_path):
    """The second round: the workbook is corrected, study.yml keeps what was written into it."""
    rows = [["id", "arm", "os_months", "os_status"], *[[f"P{n}", "AB"[n % 2], n + 1.5, n % 2] for n in range(12)]]
    rows[3][2] = "many"
    book, folder = write_book(tmp_path / "x.xlsx", {"data": rows}), tmp_path / "mine"
    (tmp_path / "given.yml").write_text("event of os_status: 1\n")
    words = ["new", str(folder), "--from", str(book), "--answers", str(tmp_path / "given.yml")]
    assert "E103" in CliRunner().invoke(main, words).output
    proposed = (folder / "study.yml").read_text("utf-8")
    (folder / "study.yml").write_text(proposed.replace("label: OS", "label: Overall survival"), "utf-8")
    rows[3][2] = 3.5
    write_book(book, {"data": rows})
    run = CliRunner().invoke(main, [*words, "--update"])
    assert run.exit_code == 0, run.output
    assert "Guesses" not in run.output
    assert read_study(folder).endpoints[0].label == "Overall survival"
    assert read_tables(read_study(folder)).queries.empty
    assert sorted(path.name for path in tmp_path.iterdir()) == ["given.yml", "mine", "x.xlsx"]


def test_nothing_to_update_is_said(tmp_path):
    run = CliRunner().invoke(main, ["new", str(tmp_path / "mine"), "--from", str(FOLDER / "colon_full.csv"), "--update"])
    assert run.exit_code == 2
    assert "nothing to update" in run.output


def test_how_a_file_was_read_is_said_and_listed(tmp_path):
    rows = "".join(f"P{n};{'男女'[n % 2]};{'AB'[n % 2]};{n},5;{n % 2}\n" for n in range(12))
    (tmp_path / "x.txt").write_bytes(f"id;性别;arm;os_months;os_status\n{rows}".encode("gb18030"))
    run = CliRunner().invoke(main, ["new", str(tmp_path / "mine"), "--from", str(tmp_path / "x.txt")])
    assert run.exit_code == 0, run.output
    said = re.sub(r"\s+", " ", run.output)
    assert "Read as x: encoding: GB18030 (simplified Chinese), by its words: 性别, 男, 女 x: delimiter: a semicolon" in said
    changes = pd.read_csv(tmp_path / "mine" / "changes.csv", dtype=str, keep_default_na=False)
    assert changes["why"][:2].tolist() == ["encoding: GB18030 (simplified Chinese), by its words: 性别, 男, 女", "delimiter: a semicolon"]


@pytest.mark.parametrize(("known", "given"), [("P01", "p1"), ("007", "7"), ("P 3".replace(" ", "-"), "P03"), ("AB-010", "ab10"), ("S/1", "S-001")])
def test_an_id_that_differs_by_zeros_case_or_signs_is_named_and_never_joined(tmp_path, known, given):
    patients = pd.DataFrame({"patient_id": [known, "X55", "X66"], "arm": ["A", "B", "B"], "os_days": [10, 20, 30], "death": [1, 0, 1]})
    patients.to_csv(tmp_path / "patients.csv", index=False)
    events = pd.DataFrame({"patient_id": [given, "X99"], "term": "rash", "grade": 2, "onset_date": "2020-01-02"})
    events.to_csv(tmp_path / "adverse_events.csv", index=False)
    (tmp_path / "mine").mkdir()
    write_new_study(proposed("x", read_sheets([tmp_path / "patients.csv", tmp_path / "adverse_events.csv"])), tmp_path / "mine")
    with pytest.raises(ProblemsFound) as found:
        read_tables(read_study(tmp_path / "mine"))
    messages = {problem.value: problem.message for problem in found.value.problems if problem.code == "E040"}
    assert messages == {given: f"no such patient in patients.csv (did you mean {known}?)", "X99": "no such patient in patients.csv"}


def test_a_workbook_that_counts_from_1904_has_its_own_days(tmp_path):
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    sheet, plain = book.active, to_excel(dt.datetime(2021, 3, 3), CALENDAR_MAC_1904)
    sheet.append(["patient_id", "arm", "time_zero", "last_contact_date"])
    for i in range(8):  # the last day is a number without the form of a date
        sheet.append([f"P{i}", "AB"[i % 2], dt.date(2020, 1, 1 + i), dt.date(2021, 1, 1 + i) if i < 7 else plain])
    book.save(tmp_path / "mac.xlsx")
    days = proposed("x", read_sheets([tmp_path / "mac.xlsx"])).tables["patients"].frame
    assert list(days["time_zero"]) == [f"2020-01-{i:02d}" for i in range(1, 9)]
    assert list(days["last_contact_date"]) == [*(f"2021-01-{i:02d}" for i in range(1, 8)), "2021-03-03"]
