"""On the boundary itself: the day of the cut-off, a patient exactly at a cut, a value at its limit, the unit of a time."""

import datetime as dt
import json

import pandas as pd
import pytest
from designed_studies import DAYS, write_case
from study_builder import cell, write_study

from lib.analyses.cohort import flow
from lib.analyses.safety import laboratory
from lib.dataset.dataset import load
from lib.dataset.derived import time_to_event_frame
from lib.study.study import read_study
from lib.study.yaml_file import ProblemsFound

pytestmark = pytest.mark.thorough

# In the builder's study: the first patient's death, and the start of the last.
DEATH = dt.date(2020, 1, 10) + dt.timedelta(days=400)
LAST_START = dt.date(2020, 7, 15)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(write_study(tmp_path_factory.mktemp("study")))


def around(day: dt.date) -> list[str]:
    """The day before, and the day itself."""
    return [str(day - dt.timedelta(days=1)), str(day)]


def test_a_death_on_the_day_of_the_cutoff_has_happened(folder):
    found = []
    for day in around(DEATH):
        data = load("efficacy", study=folder, cutoff=day)
        frame = time_to_event_frame(data, data.study.endpoint("os")).set_index("patient_id")
        found.append((bool(frame.at["SYN-01", "event"]), round(frame.at["SYN-01", "time"] * data.study.time.days_per_unit)))
    assert found == [(False, 399), (True, 400)]


def test_who_starts_on_the_day_of_the_cutoff_is_in_the_report(folder):
    found = [load("cohort", study=folder, cutoff=day).patients["patient_id"].tolist() for day in around(LAST_START)]
    assert [("SYN-06" in ids) for ids in found] == [False, True]


@pytest.mark.parametrize(("table", "date"), [
    ("measurements", "assessment_date"), ("assessments", "assessment_date"), ("markers", "sample_date"),
    ("adverse_events", "onset_date"), ("treatments", "start_date"),
])  # fmt: skip
def test_a_visit_on_the_day_of_the_cutoff_is_known(folder, table, date):
    days = load("safety", study=folder).tables[table][date]
    day = days.max().date()
    found = [load("safety", study=folder, cutoff=str(d)).tables[table][date] for d in around(day)]
    assert [int((dates == pd.Timestamp(day)).sum()) for dates in found] == [0, int((days == pd.Timestamp(day)).sum())]
    assert (found[1] <= pd.Timestamp(day)).all()


def test_what_ended_on_the_day_of_the_cutoff_has_ended(folder):
    end = load("safety", study=folder).tables["adverse_events"].set_index("patient_id").at["SYN-01", "end_date"].date()
    found = [load("safety", study=folder, cutoff=d).tables["adverse_events"].set_index("patient_id")["end_date"] for d in around(end)]
    assert [pd.isna(ends["SYN-01"]) for ends in found] == [True, False]


def test_a_patient_exactly_at_the_cut_is_above_it(tmp_path):
    folder = str(write_study(tmp_path, patients=cell(0, "age_years", "60")))
    older, younger = (set(load("cohort", study=folder, subgroup="age60", subgroup_values=[side]).patients["patient_id"]) for side in (">=60", "<60"))
    assert "SYN-01" in older
    assert "SYN-01" not in younger


@pytest.mark.parametrize(("value", "refused"), [("17", True), ("18", False), ("90", False), ("91", True)])
def test_a_value_at_its_limit_is_allowed(tmp_path, value, refused):
    folder = write_study(tmp_path, patients=cell(0, "age_years", value))
    limits = next(v for v in read_study(folder).baseline if v.id == "age_years")
    assert (limits.min, limits.max) == (18, 90)
    problems = [p for p in load_problems(folder) if p["column"] == "age_years"]
    assert bool(problems) == refused


def load_problems(folder) -> list[dict]:
    """What is wrong with the tables of a study."""
    try:
        return load("cohort", study=str(folder)).queries.to_dict("records")
    except ProblemsFound as found:
        return [problem.as_row() for problem in found.problems]


@pytest.mark.parametrize(("value", "above"), [(99.9, 0), (100.0, 0), (100.1, 1)])
def test_a_laboratory_value_at_its_limit_is_within_it(tmp_path, value, above):
    """Not above the limit, and of no grade; a hair beyond it is."""
    found = laboratory.analyse(laboratory_study(tmp_path, value))["lab_worse"]
    assert found[found["group"] == "overall"]["count"].tolist() == [above]


def laboratory_study(folder, value: float):
    """The builder's study with a liver test of the first patient: normal before, `value` at month 3."""
    sample = {"marker": "alt", "unit": "U/L", "below_limit": 0, "limit": "", "state": ""}

    def change(frame):
        rows = [{"patient_id": p, "sample_date": str(dt.date.fromisoformat(z) + dt.timedelta(days=d)), "visit": v, "value": x, **sample}
                for p, z in (("SYN-01", "2020-01-10"), ("SYN-02", "2020-03-02")) for d, v, x in ((0, 0, 50.0), (91, 3, value if p == "SYN-01" else 50.0))]  # fmt: skip
        return pd.concat([frame, pd.DataFrame(rows)], ignore_index=True).fillna("")

    def declare(text: str) -> str:
        alt = '  - {id: alt, label: ALT, short: ALT, unit: "U/L", units: {"U/L": 1}, scale: linear, role: safety, visits: [0, 3], reference: {high: 100}}\n'
        return text.replace("\nmarkers:\n", f"\nmarkers:\n{alt}")

    return load("safety", study=str(write_study(folder, declare, markers=change)))


@pytest.mark.parametrize("followed", [600, 601, 603, 607, 611, 640, 671, 699])
@pytest.mark.parametrize(("days", "lost"), [(180, 0), (181, 1)])
def test_who_was_last_seen_exactly_so_many_days_before_the_cutoff_is_not_lost(tmp_path, followed, days, lost):
    """Lost: longer ago than `policy.lost_after_days`, in whole days however a month divides them."""
    start = dt.date(2020, 3, 2)
    seen = cell(1, "last_contact_date", str(start + dt.timedelta(days=followed)))
    folder = write_study(tmp_path, patients=seen)
    assert read_study(folder).policy.lost_after_days == 180
    data = load("cohort", study=str(folder), cutoff=str(start + dt.timedelta(days=followed + days)))
    found = flow.analyse_completeness(data, data.study.endpoint("os"))
    assert found.row("follow_up_lost", "A")["count"] == lost


@pytest.mark.parametrize("shown", DAYS)
@pytest.mark.parametrize("stored", DAYS)
def test_a_ready_made_time_has_the_unit_that_study_yml_names(tmp_path, stored, shown):
    """The same patients, their times stored in days, weeks, months or years and shown in any of these."""
    folder = write_case(tmp_path, "apart")
    study = json.loads((folder / "study.yml").read_text())
    frame = pd.read_csv(folder / "patients.csv")
    days = frame.set_index("patient_id")["days"]
    frame["days"] = frame["days"] / DAYS[stored]
    frame.to_csv(folder / "patients.csv", index=False)
    study["endpoints"][0]["time"]["unit"] = stored
    study["time"] |= {"unit": shown, "days_per_unit": DAYS[shown]}
    (folder / "study.yml").write_text(json.dumps(study))
    data = load("efficacy", study=str(folder))
    found = time_to_event_frame(data, data.study.primary).set_index("patient_id")["time"]
    assert found.to_numpy() == pytest.approx((days[found.index] / DAYS[shown]).to_numpy(), rel=1e-9)
