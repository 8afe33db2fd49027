"""Completeness of follow-up, missing examinations and the timing of scans, against R and recounts from the files."""

import re
from collections import Counter
from dataclasses import replace

import pandas as pd
import pytest
from numpy.testing import assert_allclose
from reference_data import load_expected
from study_builder import cell, drop, write_study

from lib.analyses.cohort import conduct, flow
from lib.analyses.result import Absent, where
from lib.dataset import dataset
from lib.show.display import EMPTY
from lib.show.plots.cohort import FEW, plot_attendance, plot_timing

RAIR = "data/rair_dtc"
COLUMNS = ["n", "mean", "sd", "min", "q1", "median", "q3", "max"]


def loaded(study=RAIR, **parameters):
    return dataset.load("cohort", study=str(study), **parameters)


def attended(found, name, visit, group):
    row = where(found["attendance"], variable=name, time=visit, group=group).iloc[0]
    return int(row["count"]), int(row["n"])


@pytest.mark.parametrize("endpoint", ["lpfs", "os"])
def test_completeness_equals_r(endpoint):
    """R: sum(time) / sum(ifelse(event, time, cutoff - start)); potential - time > 180."""
    data = loaded()
    found = flow.analyse_completeness(data, data.study.endpoint(endpoint))
    for group, (index, observed, potential, lost) in load_expected("cohort")["completeness"][endpoint].items():
        row = found.row("follow_up_completeness", group)
        assert_allclose(
            row[["estimate", "person_time", "person_time_potential"]].astype(float), [index, observed, potential]
        )
        if group != "overall":
            assert found.row("follow_up_lost", group)["count"] == lost


def test_nobody_without_an_event_can_be_followed_beyond_the_cutoff():
    """Cut back to an early day, everybody alive is seen until then: complete but for the gap to the last contact."""
    data = loaded(cutoff="2021-06-30")
    found = flow.analyse_completeness(data, data.study.endpoint("os"))["follow_up_completeness"]
    assert found["estimate"].between(0, 1).all()
    assert (
        found["estimate"].min()
        > flow.analyse_completeness(loaded(), data.study.endpoint("os"))["follow_up_completeness"]["estimate"].min()
    )


def test_completeness_is_one_if_all_are_seen_until_the_cutoff(tmp_path):
    seen = {"death": "0", "death_date": "", "last_contact_date": "2025-02-28"}
    folder = write_study(tmp_path, patients=cell(slice(None), list(seen), list(seen.values())))
    data = loaded(folder)
    found = flow.analyse_completeness(data, data.study.endpoint("os"))
    assert (found["follow_up_completeness"]["estimate"] == 1).all()
    assert (found["follow_up_lost"]["count"] == 0).all()


def test_a_threshold_of_the_study_decides_who_is_lost(tmp_path):
    found = {}
    for days in (30, 1800):
        text = f"lost_after_days: {days}"
        folder = write_study(tmp_path / str(days), lambda t, text=text: t.replace("lost_after_days: 180", text))
        data = loaded(folder)
        lost = flow.analyse_completeness(data, data.study.endpoint("os"))["follow_up_lost"]
        found[days] = lost[lost["group"].isin(["A", "B", "C"])]["count"].sum()
    assert found == {30: 4, 1800: 0}  # two of six died; the others were last seen in 2021 and 2022


def test_missing_examinations_are_recounted():
    """Due and examined at three visits, from the files, patient by patient."""
    found = conduct.analyse_missing(loaded())
    patients = pd.read_csv(f"{RAIR}/patients.csv", parse_dates=["time_zero", "death_date", "local_progression_date"])
    lesions = pd.read_csv(f"{RAIR}/lesions.csv").set_index("lesion_id")["patient_id"]
    scans = pd.read_csv(f"{RAIR}/measurements.csv").assign(patient_id=lambda m: m["lesion_id"].map(lesions))
    for visit in (1, 12, 24):
        had = set(scans[scans["visit"] == visit]["patient_id"])
        expected = dict.fromkeys("ABC", (0, 0))
        for row in patients.itertuples():
            closed = row.time_zero + pd.Timedelta(days=visit * 30.4375 + 24)
            ends = [pd.Timestamp("2025-02-28"), row.death_date, row.local_progression_date]
            due = row.patient_id in had or closed <= min(end for end in ends if pd.notna(end))
            made, of = expected[row.arm]
            expected[row.arm] = (made + (row.patient_id in had), of + due)
        assert {arm: attended(found, conduct.SCANS, visit, arm) for arm in "ABC"} == expected


def test_a_scan_that_was_not_made_is_missed_but_still_due(tmp_path):
    whole = conduct.analyse_missing(loaded(write_study(tmp_path / "whole")))
    rows = {"measurements": drop(3), "assessments": drop(3)}  # SYN-02 at 6 months, seen again at 12
    less = conduct.analyse_missing(loaded(write_study(tmp_path / "less", **rows)))
    assert attended(whole, conduct.SCANS, 6, "A") == (2, 2)
    assert attended(less, conduct.SCANS, 6, "A") == (1, 2)
    assert attended(less, "tg", 6, "A") == (2, 2)


def cells_of(figure):
    """Lines of the cells: first the shares, then the patients due."""
    texts = re.findall(r'style="font-size: 7px[^>]*>([^<]+)<', figure.svg)
    return Counter(texts[::2]), Counter(texts[1::2])


def test_the_grid_shows_each_share_that_was_due_and_marks_what_is_masked():
    found = conduct.analyse_missing(loaded())
    frame = found["attendance"]
    due = frame[(frame["group"] != "overall") & (frame["n"] > 0)]
    shares, patients = cells_of(plot_attendance(found))
    assert shares == Counter(f"{100 * share:.0f}" for share in due["proportion"])
    assert patients == Counter(f"{n}" for n in due["n"])
    assert len(re.findall(FEW, plot_attendance(found).svg)) == (due["n"] < found.dataset.study.policy.min_at_risk).sum() > 0
    masked = frame.assign(proportion=frame["proportion"].where(frame["count"] == frame["n"]))
    hidden = plot_attendance(replace(found, frames=found.frames | {"attendance": masked}))
    cells, _ = cells_of(hidden)
    assert set(cells) == {"100", "m"} and cells["m"] == (due["count"] < due["n"]).sum()
    assert "m: masked" in hidden.svg


def test_nobody_is_due_after_death_or_progression():
    found = conduct.analyse_missing(loaded())["attendance"]
    assert (found["count"] <= found["n"]).all()
    overall = found[found["group"] == "overall"]
    scans = overall[overall["variable"] == conduct.SCANS].sort_values("time")
    assert scans["n"].is_monotonic_decreasing
    assert scans["n"].iat[0] == 52


@pytest.mark.parametrize(("output", "key"), [("scan_interval", "interval"), ("scan_longest", "longest")])
def test_intervals_equal_r(output, key):
    """R: diff(sort(unique(assessment_date))) per patient; quantile(x, type = 7), mean, sd."""
    found = conduct.analyse_timing(loaded())
    for arm, expected in load_expected("cohort")[key].items():
        assert_allclose(found.row(output, arm)[COLUMNS].astype(float), expected, rtol=1e-9)


def test_intervals_by_visit_add_up_and_order_does_not_matter(tmp_path):
    found = conduct.analyse_timing(loaded())
    by_visit = found["scan_interval_visit"].groupby("group")["n"].sum()
    whole = found["scan_interval"].set_index("group")["n"]
    assert by_visit.to_dict() == whole.to_dict()
    one = conduct.analyse_timing(loaded(write_study(tmp_path / "one")))
    two = conduct.analyse_timing(loaded(write_study(tmp_path / "two", measurements=lambda f: f.iloc[::-1])))
    for output in one:
        pd.testing.assert_frame_equal(one[output], two[output])


def only_at(data, visit, **columns):
    """The data with the scans of one visit, no samples, and other columns of the patients."""
    tables = {
        name: frame[frame["visit"] == visit]
        for name, frame in data.tables.items()
        if name in ("measurements", "markers")
    }
    patients = data.patients.assign(**columns)
    return replace(
        data, tables={**data.tables, **tables, "markers": data.tables["markers"].iloc[:0], "patients": patients}
    )


def test_where_nobody_is_due_yet_nothing_can_be_missing():
    """Nobody was scanned, the first scan is due at 3 months, and all started on the day of the cut-off."""
    data = loaded()
    data = only_at(data, -1, time_zero=pd.Timestamp(data.cutoff))
    visits = data.study.visits.model_copy(update={"schedule": (3.0, 6.0)})
    markers = tuple(marker.model_copy(update={"visits": (6.0,)}) for marker in data.study.markers)
    data = replace(data, study=data.study.model_copy(update={"visits": visits, "markers": markers}))
    found = conduct.analyse_missing(data)
    assert isinstance(found, Absent)
    assert "due yet" in found.reason
    assert plot_attendance(found) is EMPTY


def test_patients_who_were_scanned_once_have_no_intervals():
    data = only_at(loaded(), 0)
    timing = conduct.analyse_timing(data)
    assert timing.row("scan_interval", "A")["n"] == 0
    assert plot_timing(timing) is EMPTY


def test_a_study_without_dates_says_so():
    data = loaded("data/colon")
    for absent in (
        conduct.analyse_missing(data),
        conduct.analyse_timing(data),
        flow.analyse_completeness(data, data.study.primary),
    ):
        assert isinstance(absent, Absent)
        assert absent.reason.endswith(".")
