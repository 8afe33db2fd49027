"""Two output folders held against each other: every move is found, none is invented, and a reason is named."""

import csv
import json
import math
import re

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from lib.__main__ import main
from lib.compare.moved import CompareError, compare, read_outputs
from lib.compare.tables import comparison_text, table_headlines
from lib.report.results import COLUMNS

ROWS = [
    ("cohort", "flow", "analysed", "A", "", "count", "13", "count"),
    ("efficacy", "median", "os", "A", "", "n", "13", "Kaplan-Meier"),
    ("efficacy", "median", "os", "A", "", "n_events", "6", "Kaplan-Meier"),
    ("efficacy", "median", "os", "A", "", "median", "", "Kaplan-Meier"),
    ("efficacy", "median", "os", "A", "", "ci_low", "16", "Kaplan-Meier"),
    ("efficacy", "median", "os", "A", "", "ci_high", "", "Kaplan-Meier"),
    ("efficacy", "cox", "os", "B vs A", "", "hr", "0.5", "Cox"),
    ("safety", "ae_overview", "any", "A", "", "count", "10", "count"),
    ("safety", "ae_overview", "any", "A", "", "n", "13", "count"),
    ("safety", "ae_overview", "any", "A", "", "proportion", "0.76923076923", "count"),
]
RUN = {
    "created": "2025-02-28T10:00:00+00:00",
    "study": "demo",
    "parameters": {"efficacy": {"study": "data/demo", "level": 0.95}},
    "commit": "a" * 40,
    "versions": {"python": "3.11.7", "numpy": "2.4.6"},
    "inputs": {
        "data": {"study.yml": "1" * 64, "patients.csv": "2" * 64},
        "code": {"lib/statistics/models/cox.py": "3" * 64},
    },
    "about": {
        "title": "A <study>",
        "short_title": "Demo",
        "synthetic": True,
        "cutoff": "2025-02-28",
        "time_unit": "months",
        "arms": [{"id": a, "label": f"Drug {a}", "colour": "#0072B2", "n": 13} for a in "AB"],
        "endpoints": {"os": "Overall survival"},
    },
    "reports": {"efficacy": {"key_results": ["Six deaths."], "verdicts": [{"id": "x", "ok": True, "text": "Holds."}]}},
}


@pytest.fixture
def output(tmp_path):
    """Write an output folder: run.json and results.csv, with rows and keys replaced."""

    def write(name, rows=ROWS, **run):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "run.json").write_text(json.dumps(RUN | run), "utf-8")
        with (folder / "results.csv").open("w", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *rows])
        return folder

    return write


def _replaced(output_name, statistic, value):
    return [(*r[:6], value, r[7]) if (r[1], r[5]) == (output_name, statistic) else r for r in ROWS]


def _row(comparison, output_name, statistic):
    numbers = comparison.numbers
    return numbers[(numbers["output"] == output_name) & (numbers["statistic"] == statistic)].iloc[0]


def test_nothing_moved(output):
    comparison = compare(*read_outputs(output("old"), output("new", created="2025-03-01T00:00:00+00:00")))
    assert not comparison.moved
    assert set(comparison.numbers["status"]) == {"same"}
    assert comparison.changes.empty
    assert "No number moved" in comparison_text(comparison)
    assert "10 statistics compared" in comparison_text(comparison)


def test_moves_absolute_and_relative(output):
    new = _replaced("cox", "hr", "0.6")
    comparison = compare(*read_outputs(output("old"), output("new", new)))
    row = _row(comparison, "cox", "hr")
    assert (row["status"], row["old"], row["new"]) == ("moved", 0.5, 0.6)
    assert row["absolute"] == pytest.approx(0.1)
    assert row["relative"] == pytest.approx(0.2)
    assert comparison.count("moved") == 1


@pytest.mark.parametrize(("tolerance", "moved"), [(0.2, False), (0.1, True)])
def test_tolerance_is_relative_to_the_larger_value(output, tolerance, moved):
    new = _replaced("cox", "hr", "0.6")
    assert compare(*read_outputs(output("old"), output("new", new)), tolerance).moved is moved


def test_a_number_that_appears_and_one_that_vanishes(output):
    """A median reached at last has moved; a row of one report only is new or missing; both are differences."""
    new = [*_replaced("median", "median", "43.4"), ("efficacy", "cox", "os", "B vs A", "", "p_value", "0.1", "Cox")]
    comparison = compare(*read_outputs(output("old"), output("new", new[1:])))
    assert {s: comparison.count(s) for s in ("moved", "new", "missing")} == {"moved": 1, "new": 1, "missing": 1}
    row = _row(comparison, "median", "median")
    assert row["status"] == "moved"
    assert math.isnan(row["absolute"])
    only = compare(*read_outputs(output("a"), output("b", [*ROWS, new[-1]])))
    assert only.moved
    assert only.count("moved") == 0


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.floats(0, 1))
def test_a_number_never_moves_against_itself(value, tolerance):
    import pandas as pd  # noqa: PLC0415

    from lib.compare.moved import _numbers  # noqa: PLC0415

    index = pd.MultiIndex.from_tuples([ROWS[0][:6]], names=COLUMNS[:6])
    frame = pd.DataFrame({"value": [value], "method": ["count"]}, index=index)
    assert _numbers(frame, frame, tolerance)["status"].tolist() == ["same"]


def test_causes(output):
    changed = {
        "parameters": {"efficacy": {"study": "elsewhere", "level": 0.9, "endpoint": "os"}},
        "commit": "b" * 40,
        "versions": {"python": "3.11.7", "numpy": "2.5.0"},
        "inputs": {"data": {"study.yml": "1" * 64, "patients.csv": "9" * 64, "lesions.csv": "4" * 64}, "code": {}},
    }
    rows = [(*r[:7], "Cox, Firth" if r[1] == "cox" else r[7]) for r in ROWS]
    changes = compare(*read_outputs(output("old"), output("new", rows, **changed))).changes
    found = {(c.cause, c.what): (c.old, c.new) for c in changes.itertuples()}
    assert found == {
        ("data", "patients.csv"): ("2" * 64, "9" * 64),
        ("data", "lesions.csv"): ("", "4" * 64),
        ("parameters", "efficacy: level"): ("0.95", "0.9"),
        ("parameters", "efficacy: endpoint"): ("", '"os"'),
        ("code", "commit"): ("a" * 40, "b" * 40),
        ("code", "lib/statistics/models/cox.py"): ("3" * 64, ""),
        ("versions", "numpy"): ("2.4.6", "2.5.0"),
        ("methods", "efficacy: cox, os"): ("Cox", "Cox, Firth"),
    }


def test_headlines_stand_old_beside_new(output):
    new = [(*r[:6], {"n_events": "8", "median": "43.44", "count": "13"}.get(r[5], r[6]), r[7]) for r in ROWS]
    comparison = compare(*read_outputs(output("old"), output("new", new)))
    rows = [row.cells for row in table_headlines(comparison).rows]
    assert rows[:5] == [
        ("Patients analysed",),
        ("Drug A", "", "13", "", "13", "0"),
        ("Overall survival: median, months",),
        ("Drug A", "6/13", "NR (16.0 to NR)", "8/13", "43.4 (16.0 to NR)", "now estimable"),
        ("Overall survival: hazard ratio",),
    ]
    assert rows[5] == ("Drug B vs Drug A", "", "0.50", "", "0.50", "0")
    assert rows[7] == ("Drug A", "10/13", "77%", "13/13", "77%", "0")


def test_folders_of_one_report(output):
    efficacy = [row for row in ROWS if row[0] == "efficacy"]
    comparison = compare(*read_outputs(output("old"), output("new", efficacy)))
    assert comparison.count("missing") == 4
    assert "only in the old report" in comparison_text(comparison)


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("run.json", None, "is not a report: it holds no run.json"),
        ("results.csv", None, "is not a report: it holds no results.csv"),
        ("run.json", "{", "cannot be read as the run.json of a report"),
        ("run.json", '{"study": "demo"}', "wrong or missing: created, parameters"),
        ("results.csv", "a,b\n1,2\n", "has the columns a, b; needed are report"),
        ("results.csv", "", "cannot be read"),
        ("results.csv", f"{','.join(COLUMNS)}\na,b,c,d,,n,many,m\n", "row 2, value: not a number (found many)"),
        ("results.csv", f"{','.join(COLUMNS)}\n" + "a,b,c,d,,n,1,m\n" * 2, "row 3: the same statistic a second time"),
    ],
)
def test_what_is_no_report(output, file, text, said):
    old, new = output("old"), output("new")
    (old / file).unlink() if text is None else (old / file).write_text(text, "utf-8")
    with pytest.raises(CompareError) as caught:
        read_outputs(old, new)
    assert said in str(caught.value)
    assert str(old) in str(caught.value)


def test_both_folders_are_named_at_once(tmp_path):
    with pytest.raises(CompareError, match=r"one is not a report.*two is not a report"):
        read_outputs(tmp_path / "one", tmp_path / "two")


def test_different_studies(output):
    with pytest.raises(CompareError, match=r"different studies: demo in .*, other in"):
        compare(*read_outputs(output("old"), output("new", study="other")))


def _command(*words):
    return CliRunner().invoke(main, ["compare", *map(str, words)])


def test_the_page_is_in_the_language_of_the_new_report_and_the_numbers_in_one(output, tmp_path):
    told = RUN["about"] | {"language": "zh", "title": "研究", "short_title": "研究", "arms": [arm | {"label": f"药物{arm['id']}"} for arm in RUN["about"]["arms"]], "endpoints": {"os": "总生存期"}}
    pages = {}
    for name, about in (("en", RUN["about"]), ("zh", told), ("xx", told | {"language": "xx"})):
        old, new = output(f"old_{name}", about=about), output(f"new_{name}", _replaced("cox", "hr", "0.6"), about=about, reports=RUN["reports"] | {"safety": {}})
        (tmp_path / name).mkdir()
        assert _command(old, new, "--output", tmp_path / name).exit_code == 1
        pages[name] = (tmp_path / name / "compare.html").read_text("utf-8")
    assert (tmp_path / "en" / "compare.csv").read_bytes() == (tmp_path / "zh" / "compare.csv").read_bytes()
    assert '<html lang="zh' in pages["zh"]
    assert "What moved between two reports?" in pages["xx"], "a language of a later version"
    text = " ".join(re.findall(r">([^<>]+)<", pages["zh"].partition("<body")[2]))
    for said in ("10个数值中有1个的变动超出相对容差1e-09。", "总生存期：风险比", "药物B vs 药物A", "疗效", "代码：相同", "仅旧报告有"):
        assert said in text
    left = {word for word in re.findall(r"[A-Za-z]{3,}", text)}
    assert left <= {"old", "new", "Six", "deaths", "Holds", "log", "rank", "any", "cox", "results", "csv", "efficacy", "flow", "median", "overview", "compare"}, left


def test_command(output, tmp_path):
    old, new = output("old"), output("new", _replaced("cox", "hr", "0.6"))
    result = _command(old, new)
    assert result.exit_code == 1, result.output
    assert "1 of 10 numbers moved" in result.stdout
    page = (tmp_path / "compare.html").read_text("utf-8")
    assert "1 of 10 numbers moved" in page
    assert "A &lt;study&gt;" in page
    assert "<study>" not in page
    assert 'href="old/index.html"' in page
    with (tmp_path / "compare.csv").open() as file:
        assert [row["status"] for row in csv.DictReader(file)].count("moved") == 1
    assert _command(old, new, "--tolerance", "0.2").exit_code == 0
    assert _command(old, old, "--output", tmp_path / "else").exit_code == 0
    assert (tmp_path / "else" / "compare.html").is_file()


def test_command_on_what_is_no_report(output, tmp_path):
    result = _command(output("old"), tmp_path / "nowhere")
    assert result.exit_code == 2
    assert "holds no run.json" in result.stderr
    assert "Traceback" not in result.output
    assert not (tmp_path / "compare.html").exists()


def test_what_a_table_holds_is_escaped(output, tmp_path):
    evil = "<script>alert(1)</script>\x1b[31m"
    rows = [*ROWS, ("safety", "ae_term", evil, "A", "", "count", "1", "count")]
    result = _command(output("old"), output("new", rows))
    assert result.exit_code == 1
    assert "\x1b" not in result.stdout
    page = (tmp_path / "compare.html").read_text("utf-8")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
