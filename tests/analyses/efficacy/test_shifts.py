"""Shift tables of an ordinal marker: margins, missing samples, worst, last and visits, by counting again."""

import pandas as pd
import pytest
from staples_study import LEVELS as STAPLES
from staples_study import PAIN, write_staples

from lib.analyses.efficacy import markers, shifts
from lib.analyses.result import Absent
from lib.dataset.dataset import load
from lib.report import recheck
from lib.report.results import to_rows
from lib.show import table
from lib.study.yaml_file import ProblemsFound

LEVELS = ("0", "1", "2.5")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return load("efficacy", study=str(write_staples(tmp_path_factory.mktemp("staples") / "six")))


@pytest.fixture(scope="module")
def found(data):
    return shifts.analyse_shifts(data, data.study.marker("pain"))


def later(values):
    """What each table holds of a patient."""
    known = [value for value in values[1:] if value]
    return {
        ("worst", None): max(known, key=LEVELS.index) if known else "no sample", ("last", None): known[-1] if known else "no sample",
        ("visit", 6.0): values[1] or "no sample", ("visit", 12.0): values[2] or "no sample",
    }  # fmt: skip


def test_every_cell_is_what_counting_gives(data, found):
    arm = data.patients.set_index("patient_id")["arm"].astype(str)
    frame = found["pain_scale_shift"]
    counted = {}
    for patient, values in PAIN.items():
        for (when, time), after in later(values).items():
            key = (f"pain: {when}: {values[0] or 'no sample'} -> {after}", time, arm[patient])
            counted[key] = counted.get(key, 0) + 1
    times = [None if pd.isna(time) else time for time in frame["time"]]
    shown = {key: n for *key, n in zip(frame["variable"], times, frame["group"], frame["count"], strict=True) if n for key in [tuple(key)]}
    assert shown == counted
    # Margins: every patient of an arm once per table.
    totals = frame.assign(when=frame["variable"].str.split(": ").str[1]).groupby(["when", "time", "group"], dropna=False)["count"].sum()
    assert (totals == 2).all()
    assert len(totals) == 4 * 3
    assert len(frame) == 4 * 16 * 3, "cells with nobody are kept"


def test_who_is_worse_and_who_is_better(found):
    rows = found["pain_scale_change"].set_index(["variable", "group"])
    worst = rows[rows["time"].isna()]
    assert worst.loc[("pain: worst: worse", "overall"), ["count", "n"]].tolist() == [2, 4]
    assert worst.loc[("pain: last: worse", "overall"), ["count", "n"]].tolist() == [1, 4]
    assert worst.loc[("pain: last: better", "overall"), ["count", "n"]].tolist() == [1, 4]
    assert {"ci_low", "ci_high"} <= set(rows)


def test_what_is_shown_and_checked(data, found):
    tables = table.shifts(found)
    assert [one.title for one in tables] == ["Pain: from baseline to the worst after it", "Pain: from baseline to the last", "Pain: from baseline to 6 months", "Pain: from baseline to 12 months"]
    assert len({one.name for one in tables}) == 4 if hasattr(tables[0], "name") else True
    first = tables[0].rows
    assert first[0].cells[0].startswith("Anlotinib (n = 2): worse 1/2 (50%)")
    assert first[1].cells == ("None", "0", "1", "0", "0")
    checked = recheck.check(data, [(found, to_rows("efficacy", found))])
    assert len(checked.compared) > 50
    assert table.shifts(Absent("no")).html == ""


def test_steps_of_a_scale_are_not_adjusted(data):
    assert not [name for name in markers.analyse_marker(data, data.study.marker("pain")) if "adjusted" in name]


def test_without_a_later_sample_there_is_no_shift(data):
    absent = shifts.analyse_shifts(data, data.study.marker("pain").model_copy(update={"id": "nothing"}))
    assert absent.reason == "Pain: no sample after baseline."


@pytest.mark.parametrize(("old", "new", "says"), [
    (f", {STAPLES}", "", "scale ordinal has levels"),
    ("scale: ordinal", "scale: linear", "only scale ordinal has them"),
    ("value: '2.5'", "value: much", "the value of each is a number"),
    ("value: '2.5'", "value: '1.0'", "level given twice"),
    ("units: {points: 1}", "units: {points: 2}", "codes are in one unit"),
    ("scale: ordinal", "scale: ordinal, reference: {high: 2}", "has no reference limits"),
    ("{value: 0, label: None}, {value: 1, label: Some}, ", "", "at least two"),
])  # fmt: skip
def test_what_is_no_ordinal_scale_is_said(tmp_path, old, new, says):
    with pytest.raises(ProblemsFound) as found:
        load("efficacy", study=str(write_staples(tmp_path / "six", lambda text: text.replace(old, new, 1))))
    assert says in "; ".join(problem.message for problem in found.value.problems)


def test_a_value_that_is_no_level_is_an_error(tmp_path):
    folder = write_staples(tmp_path / "six")
    samples = pd.read_csv(folder / "markers.csv", dtype=str, keep_default_na=False)
    first = samples.index[samples["marker"] == "pain"][0]
    samples.loc[first, "value"], samples.loc[first + 1, ["value", "below_limit", "limit"]] = "2", ["", "1", "1"]
    samples.to_csv(folder / "markers.csv", index=False)
    with pytest.raises(ProblemsFound) as found:
        load("efficacy", study=str(folder))
    told = [(p.code, p.row, p.column) for p in found.value.problems if p.code.startswith("E")]
    assert told == [("E060", first + 2, "value"), ("E060", first + 3, "below_limit")]
    assert "there are 0, 1, 2.5" in found.value.problems[0].message
