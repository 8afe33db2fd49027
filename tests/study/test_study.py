"""study.yml: what is accepted, and the error, line and advice for what is not."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from study_builder import STUDY_YML, study_text

from lib.study.study import read_study
from lib.study.yaml_file import Problem, ProblemsFound

GOOD = study_text()


def problems(folder: Path, text: str | bytes) -> list[Problem]:
    content = text if isinstance(text, bytes) else text.encode()
    (folder / "study.yml").write_bytes(content)
    with pytest.raises(ProblemsFound) as found:
        read_study(folder)
    return found.value.problems


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_the_studies_of_the_repository_are_read():
    study = read_study(STUDY_YML.parent)
    assert study.arm_ids == ["A", "B", "C"]
    assert study.primary.id == "lpfs"
    assert study.study.cutoff == dt.date(2025, 2, 28)
    assert study.marker("tg").units["µg/L"] == 1
    colon = read_study(STUDY_YML.parent.parent / "colon")
    assert [arm.code for arm in colon.arms] == ["Obs", "Lev", "Lev+5FU"]
    assert not colon.primary.derived


# old text, new text, line where the error shows (a part of the new text), words of the message
ERRORS = {
    "unknown key": (
        "short_title:",
        "shorttitle:",
        "shorttitle",
        ["unknown key (did you mean short_title?)", "allowed are"],
    ),
    "unknown key of an arm": (
        "line: dashed",
        "linestyle: dashed",
        "{id: B",
        ["did you mean line?", "id, label, value, colour"],
    ),
    "unknown key at the top": ("policy:", "policies:", "policies:", ["did you mean policy?", "reference_arm"]),
    "duplicate arm": ("{id: B,", "{id: A,", "study:", ["id of arm given twice: A"]),
    "duplicate endpoint": ("id: os\n", "id: lpfs\n", "study:", ["id of endpoint given twice: lpfs"]),
    "duplicate key": (
        "reference_arm: A\n",
        "reference_arm: A\nreference_arm: B\n",
        "reference_arm: B",
        ["reference_arm"],
    ),
    "arm that does not exist": ("reference_arm: A", "reference_arm: D", "study:", ["D does not exist", "A, B, C"]),
    "variable that does not exist": (
        "variable: sex",
        "variable: gender",
        "study:",
        ["gender does not exist", "age_years"],
    ),
    "marker that does not exist": (
        "marker: tgab, above",
        "marker: tgabs, above",
        "study:",
        ["tgabs does not exist", "tg, tgab, tsh"],
    ),
    "component that does not exist": ("component: seeds", "component: seed", "study:", ["seed does not exist"]),
    "date column that does not exist": (
        "censor: last_contact_date",
        "censor: last_seen",
        "censor: last_seen",
        ["last_contact_date"],
    ),
    "table that does not exist": ("  lesions: {file", "  lesion: {file", "lesion:", ["lesions"]),
    "response without its table": (
        "  lesions: {file: lesions.csv}\n",
        "",
        "study:",
        ["needs visits and the table lesions"],
    ),
    "bad type": ("days_per_unit: 30.4375", "days_per_unit: month", "days_per_unit", ["number"]),
    "bad date": ("cutoff: 2025-02-28", "cutoff: 2025-02-31", "cutoff", ["date"]),
    "date before what can be counted": ("cutoff: 2025-02-28", "cutoff: 0001-01-01", "cutoff", ["1920-01-01"]),
    "date after what can be counted": ("cutoff: 2025-02-28", "cutoff: 9999-12-31", "cutoff", ["2199-12-31"]),
    "visit after a lifetime": ("schedule: [0, 1,", "schedule: [0, 1e18,", "study:", ["visits.schedule: 1e+18 months", "fifty years"]),
    "days without end": ("confirmation_days: 28", "confirmation_days: 99999999999", "confirmation_days", ["18263"]),
    "time without end": ("tau: 36", "tau: .inf", "tau", ["finite number"]),
    "number that is none": ("days_per_unit: 30.4375", "days_per_unit: .nan", "days_per_unit", ["finite number"]),
    "bad colour": ('"#0072B2"', '"blue"', "{id: A", ["pattern"]),
    "category without levels": (
        "    levels: [{value: F, label: Female}, {value: M, label: Male}]\n",
        "",
        "id: sex",
        ["a category has levels"],
    ),
    "endpoint without form": ("    censor: last_contact_date\n", "", "id: os", ["either events and censor"]),
    "path outside the folder": ("file: patients.csv", "file: ../patients.csv", "../patients.csv", ["without a path"]),
    "absolute path": ("file: patients.csv", "file: /etc/passwd", "/etc/passwd", ["without a path"]),
    "required key missing": ("  synthetic: true\n", "", "study:", ["required"]),
    "stratum that does not exist": ("landmarks: [1, 3]", "strata: [centre]", "study:", ["centre does not exist", "ecog"]),
    "stratum of numbers": ("landmarks: [1, 3]", "strata: [age_years]", "study:", ["age_years is a number"]),
    "judgement that ROBINS-I does not know": (
        "judgement: moderate",
        "judgement: mild",
        "judgement: mild",
        ["low", "serious", "critical"],
    ),
    "domain that ROBINS-I does not know": ("  reporting:\n", "  spin:\n", "spin:", ["unknown key", "missing_data"]),
    "overall better than a domain": (
        "overall:\n    judgement: serious",
        "overall:\n    judgement: low",
        "study:",
        ["overall cannot be low while confounding is serious"],
    ),
    "element of no trial": ("  contrast: Intention", "  comparison: Intention", "comparison:", ["unknown key", "eligibility"]),
    "overlong label": ("label: Anlotinib,", f"label: {'x' * 600},", "{id: A", ["one line of at most 500 characters"]),
    "plain words that nobody sees": ("plain: {en: the drug alone,", 'plain: {en: "\u200b",', "{id: A", ["must not be empty"]),
    "one plain name for two arms": ("plain: {en: the drug alone,", "plain: {en: The Seeds alone,", "arms:", ["no reader could tell them apart"]),
    "one Chinese name for two arms": ("zh: 单用药物组", "zh: 单用粒子组", "arms:", ["(单用粒子组): no reader could tell them apart"]),
    "plain words for no term": ("    Hematoma: {en: Bruise,", "    Bruising: {en: Bruise,", "study:", ["Bruising is no term of systems"]),
    "sign of no font": ("label: Anlotinib,", 'label: "Anlotinib \\U0001fa7a",', "{id: A", ["no font of the reports draws \U0001fa7a"]),
    "direction mark": ("label: Anlotinib,", 'label: "An\\u202elotinib",', "{id: A", ["direction marks"]),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error_names_line_and_remedy(name: str, tmp_path: Path):
    old, new, where, words = ERRORS[name]
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    found = problems(tmp_path, text)
    assert {p.code for p in found} == {"E100"}
    assert found[0].file == "study.yml"
    message = "; ".join(p.message for p in found)
    assert all(word in message for word in words), message
    if where != "study:":
        assert line_of(text, where) in [p.row for p in found]


def test_every_error_is_named_at_once(tmp_path: Path):
    text = GOOD.replace("short_title:", "shorttitle:").replace('"#D55E00"', '"red"').replace("tau: 36", "tau: -1")
    found = problems(tmp_path, text)
    assert {p.column for p in found} >= {"study.shorttitle", "study.short_title", "arms.1.colour", "endpoints.0.tau"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD.replace("title: Anlotinib,", "title: !!python/object/apply:os.system [touch x] #", 1), "tag"),
        (GOOD.replace("id: rair_dtc", "id: !Object rair_dtc"), "tag"),
        (GOOD.replace("id: rair_dtc", "id: &a rair_dtc").replace("description: Retrospective", "description: *a #"), "alias"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "alias"),
        ("x" * 1_100_000, "larger than"),
        ("[" * 100_000, "more than 50 brackets"),
        ("- " * 3_000 + "x", "nested too deeply"),
    ],
)
def test_what_could_run_or_swell_is_refused(text: str, says: str, tmp_path: Path):
    found = problems(tmp_path, text)
    assert {p.code for p in found} == {"E101"}
    assert says in found[0].message
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("value", "code", "says"),
    [
        ("!!int abc", "E101", "tag"),
        ("!!int 5", "E101", "tag"),
        ("!!binary aGVsbG8=", "E101", "tag"),
        ("!!set {a, b}", "E101", "tag"),
        ("!!omap [a: 1]", "E101", "tag"),
        ("!!float x", "E101", "tag"),
        ("!!timestamp x", "E101", "tag"),
        ("!!bool x", "E101", "tag"),
        ("!!null x", "E101", "tag"),
        ("!!str 5", "E101", "tag"),
        ("! x", "E101", "tag"),
        ("9" * 5_000, "E100", "a number of more than 40 signs"),
        ("-" + "9" * 5_000, "E100", "a number of more than 40 signs"),
        ("0x" + "f" * 5_000, "E100", "a number of more than 40 signs"),
        ("0." + "1" * 5_000, "E100", "a number of more than 40 signs"),
        ("=", "E100", "in quotes"),
        ("<<", "E100", "in quotes"),
        ("2023-02-31", "E100", "not a date of the calendar"),
        ('"\\ud800"', "E100", "half of a pair"),
        ("{[a]: b}", "E100", "a key is plain text"),
        ("{{a: b}: c}", "E100", "a key is plain text"),
    ],
)
def test_what_is_no_plain_value_is_refused_with_its_line(value: str, code: str, says: str, tmp_path: Path):
    text = GOOD.replace("id: rair_dtc", f"id: {value}")
    found = problems(tmp_path, text)
    assert {(p.code, p.file, p.row) for p in found} == {(code, "study.yml", line_of(text, "  id: "))}
    assert says in found[0].message


@pytest.mark.parametrize("directive", ["%YAML 1.1", "%TAG ! tag:example.org,2000:"])
def test_a_directive_is_refused(directive: str, tmp_path: Path):
    assert {(p.code, p.row) for p in problems(tmp_path, f"{directive}\n---\n{GOOD}")} == {("E101", 2)}


@pytest.mark.parametrize("value", ["1706659200", '"1706659200"', "1706659200000", "1.5e9", "true", '"2023-W01-1"', '"20230630"'])
def test_a_number_is_no_date(value: str, tmp_path: Path):
    text = re.sub(r"cutoff: \S+", f"cutoff: {value}", GOOD, count=1)
    assert text != GOOD
    found = problems(tmp_path, text)
    assert [(p.code, p.row) for p in found] == [("E100", line_of(text, "cutoff:"))]
    assert "a date of the calendar" in found[0].message


ARM = "Anlotinib"


@pytest.mark.parametrize("other", [ARM, ARM.upper(), f" {ARM}  ", f"{ARM[:2]}\u200b{ARM[2:]}", ARM.replace("o", "\u043e"), ARM.replace("l", "\uff4c")])
def test_arms_that_no_reader_can_tell_apart(other: str, tmp_path: Path):
    text = GOOD.replace("label: Iodine-125 seeds,", f'label: "{other}",', 1)
    assert text != GOOD
    found = problems(tmp_path, text)
    assert [(p.code, p.row) for p in found] == [("E100", line_of(text, "arms:"))]
    assert "no reader could tell them apart" in found[0].message


@pytest.mark.parametrize("empty", ["", " ", "\u200b", "\u200d\ufeff", "\u00ad", "\u3164", "\u2800", "\u0301", "\u3000"])
def test_a_label_that_nobody_sees(empty: str, tmp_path: Path):
    text = GOOD.replace(f"label: {ARM},", f'label: "{empty}",', 1)
    assert text != GOOD
    found = problems(tmp_path, text)
    assert {p.code for p in found} == {"E100"}
    assert "must not be empty or invisible" in found[0].message


@pytest.mark.parametrize("letter", ["\u0410", "\u0391", "\uff21", "A\u200b"])
def test_an_id_of_letters_that_look_like_others(letter: str, tmp_path: Path):
    text = GOOD.replace("id: A,", f"id: {letter},", 1)
    assert text != GOOD
    assert line_of(text, f"id: {letter}") in [p.row for p in problems(tmp_path, text)]


@pytest.mark.parametrize("text", ["", "[1, 2]", "study", "a: [", "\t- x", b"\xff\xfe\x00", b"a: \xe4\n", "a: \x07"])
def test_not_a_study(text: str | bytes, tmp_path: Path):
    assert {p.code for p in problems(tmp_path, text)} == {"E100"}


def test_missing_and_linked_files(tmp_path: Path):
    with pytest.raises(ProblemsFound, match="E001"):
        read_study(tmp_path)
    (tmp_path / "study.yml").symlink_to(STUDY_YML)
    with pytest.raises(ProblemsFound, match=r"E101.*symbolic link"):
        read_study(tmp_path)


def test_codes_are_text(tmp_path: Path):
    """Levels 0 and "0" are one code, so both together are a duplicate; true is no code."""
    level = "levels: [{value: 0, label"
    assert "given twice: 0" in problems(tmp_path, GOOD.replace("{value: 1, label", '{value: "0", label', 1))[0].message
    assert problems(tmp_path, GOOD.replace(level, "levels: [{value: true, label", 1))[0].code == "E100"


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_random_change_is_read_or_refused(tmp_path_factory, data):
    """Whatever is put into a line of study.yml, the answer is a study or ProblemsFound."""
    lines = GOOD.split("\n")
    at = data.draw(st.integers(0, len(lines) - 1))
    junk = st.one_of(
        st.text(max_size=30), st.sampled_from(["null", "- x", "? a", "{}", "[[]]", "<<: x", "1e999", ".nan", "%YAML 3"])
    )
    lines[at] = data.draw(st.sampled_from([lines[at][:12], "", lines[at]])) + data.draw(junk)
    folder = tmp_path_factory.mktemp("study")
    (folder / "study.yml").write_text("\n".join(lines), encoding="utf-8", errors="replace")
    try:
        assert read_study(folder).arms
    except ProblemsFound as found:
        assert all(p.code in ("E100", "E101") and p.message for p in found.problems)


def test_a_list_whose_only_entry_is_wrong_is_not_said_to_be_too_short(tmp_path):
    text = study_text().replace("covariates: [{variable: age_years, step: 10, spline: true}, {variable: sex}, {variable: tg_baseline, log: true, spline: true}]", "covariates: [{variable: age_years, step: 0}]")
    (tmp_path / "study.yml").write_text(text, "utf-8")
    with pytest.raises(ProblemsFound) as found:
        read_study(tmp_path)
    assert [problem.column for problem in found.value.problems] == ["models.covariates.0.step"]
    (tmp_path / "study.yml").write_text(text.replace("[{variable: age_years, step: 0}]", "[]"), "utf-8")
    with pytest.raises(ProblemsFound, match="at least 1 item"):
        read_study(tmp_path)
