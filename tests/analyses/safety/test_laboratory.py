"""Laboratory values against their limits, recounted patient by patient from the samples."""

import datetime as dt
import functools
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from study_builder import cell, write_study

from lib.analyses.result import Absent, where
from lib.analyses.safety import laboratory
from lib.analyses.safety.events_in_time import at_risk
from lib.dataset.dataset import load
from lib.report.results import to_rows
from lib.show.disclosure import audience
from lib.show.plots import laboratory as plot_laboratory
from lib.show.sentences import laboratory as say_laboratory
from lib.show.tables import laboratory as table_laboratory
from lib.study.study import read_study
from lib.study.yaml_file import ProblemsFound

FEW = settings(deadline=None, max_examples=15)
LIVER = """
  - {id: alt, label: Alanine aminotransferase, short: ALT, unit: U/L, units: {U/L: 1, µkat/L: 60}, role: safety, reference: {high: 40, grades_above: [1, 3, 5, 20]}}
  - {id: bili, label: Bilirubin, short: Bilirubin, unit: µmol/L, units: {µmol/L: 1}, role: safety, reference: {high: 21}}
  - {id: alp, label: Alkaline phosphatase, short: ALP, unit: U/L, units: {U/L: 1}, role: quality, reference: {high: 120}}
  - {id: k, label: Potassium, short: K, unit: mmol/L, units: {mmol/L: 1}, role: safety, scale: linear, reference: {low: 3.5, high: 5.1}}

liver: {transaminases: [alt], bilirubin: bili, alkaline_phosphatase: alp}

treatments:"""
TESTS = ("alt", "bili", "alp", "k")
UNITS = {"alt": "U/L", "bili": "µmol/L", "alp": "U/L", "k": "mmol/L"}


def with_laboratory(text):
    """study.yml of the built study, with four laboratory values."""
    return text.replace("\n\ntreatments:", LIVER, 1)


def samples(*rows):
    """Append samples: patient, days since time zero, visit, marker, value."""

    def change(frame):
        zero = {"SYN-01": "2020-01-10", "SYN-05": "2020-06-01", "SYN-06": "2020-07-15", "SYN-02": "2020-03-02"}
        new = [
            {"patient_id": patient, "sample_date": str(dt.date.fromisoformat(zero[patient]) + dt.timedelta(days=day)),
             "visit": str(visit), "marker": marker, "value": str(value), "unit": UNITS[marker], "below_limit": "0"}
            for patient, day, visit, marker, value in rows
        ]  # fmt: skip
        return pd.concat([frame, pd.DataFrame(new)], ignore_index=True).fillna("")

    return change


# Hy's law by the book, a bilirubin that comes too late, a cholestatic one, and no sample at risk.
ROWS = [
    ("SYN-01", -5, 0, "alt", 30), ("SYN-01", 30, 1, "alt", 130), ("SYN-01", 50, 3, "bili", 50), ("SYN-01", -5, 0, "alp", 90),
    ("SYN-01", 30, 1, "alp", 239),
    ("SYN-02", -5, 0, "alt", 45), ("SYN-02", 30, 1, "alt", 120), ("SYN-02", 61, 3, "bili", 43), ("SYN-02", -5, 0, "k", 5.6),
    ("SYN-02", 30, 1, "k", 3.4), ("SYN-02", 60, 3, "k", 5.2),
    ("SYN-05", -5, 0, "alt", 39), ("SYN-05", 30, 1, "alt", 119), ("SYN-05", 31, 3, "bili", 42.5), ("SYN-05", -5, 0, "k", 4),
    ("SYN-05", 30, 1, "k", 4.1),
    ("SYN-06", 30, 1, "alt", 121), ("SYN-06", 30, 1, "bili", 60), ("SYN-06", 29, 1, "alp", 240),
]  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = write_study(tmp_path_factory.mktemp("lab") / "study", with_laboratory, markers=samples(*ROWS))
    return load("safety", study=str(folder))


def count(frame, variable, group):
    return int(where(frame, variable=variable, group=group)["count"].iat[0])


def test_a_patient_counts_once_with_the_worst_sample(built):
    found = laboratory.analyse(built)["lab_shift"]
    assert count(found, "alt: grade 0 -> grade 2", "A") == 1  # 130 is 3.25 times the limit
    assert count(found, "alt: grade 1 -> grade 1", "A") == 1  # 120 is 3 times, not above
    assert count(found, "alt: grade 0 -> grade 1", "C") == 1
    assert count(found, "alt: no sample -> grade 2", "C") == 1
    assert count(found, "alt: no sample -> no sample", "B") == 2
    assert count(found, "k: high -> low and high", "A") == 1
    assert count(found, "k: normal -> normal", "C") == 1
    totals = found.groupby([found["variable"].str.split(": ").str[0], "group"])["count"].sum()
    assert (totals.unstack() == built.n.to_dict()).all(axis=None)


def test_worse_is_a_higher_grade_or_another_side(built):
    worse = laboratory.analyse(built)["lab_worse"]
    assert where(worse, variable="alt", group="A")[["count", "n"]].iloc[0].tolist() == [1, 2]
    assert where(worse, variable="k", group="A")[["count", "n"]].iloc[0].tolist() == [1, 1]
    assert where(worse, variable="alt", group="B")["n"].iat[0] == 0


def test_who_has_no_sample_before_or_after_is_neither_better_nor_worse(tmp_path):
    """SYN-06 has no sample before, SYN-05 none after, on a scale of grades and on one of limits."""
    rows = [
        ("SYN-06", 30, 1, "alt", 121),
        ("SYN-05", -5, 0, "alt", 30),
        ("SYN-06", 30, 1, "k", 5.9),
        ("SYN-05", -5, 0, "k", 5.9),
    ]
    data = load("safety", study=str(write_study(tmp_path, with_laboratory, markers=samples(*rows))))
    found = laboratory.analyse(data)
    assert not found["lab_worse"]["n"].any()
    for name, before, after in (("alt", "grade 0", "grade 2"), ("k", "high", "high")):
        assert count(found["lab_shift"], f"{name}: {before} -> no sample", "C") == 1
        assert count(found["lab_shift"], f"{name}: no sample -> {after}", "C") == 1


def test_hys_law_by_the_book(built):
    found = laboratory.analyse(built)
    peaks = found["peaks"].set_index("patient_id")
    assert peaks["quadrant"].dropna().to_dict() == {
        "SYN-01": "hy",
        "SYN-02": "hy",
        "SYN-05": "cholestasis",
        "SYN-06": "hy",
    }
    # 01: 20 days later, phosphatase just below twice its limit; 02: 31 days later; 06: cholestatic the day before.
    assert peaks.index[peaks[laboratory.CASE].eq(True)].tolist() == ["SYN-01"]
    assert count(found["liver_hys_law"], laboratory.CASE, "A") == 1
    assert "1 patient (1/2 (50%) with Anlotinib" in say_laboratory.sentence_liver(found)


def test_limits_beside_a_sample_go_first(tmp_path):
    def own_limits(frame):
        frame = samples(("SYN-01", -5, 0, "alt", 30), ("SYN-01", 30, 1, "alt", 130))(frame)
        high = np.where(frame["value"] == "130", "130", "")
        return frame.assign(reference_low="", reference_high=high)

    folder = write_study(tmp_path / "study", with_laboratory, markers=own_limits)
    found = laboratory.analyse(load("safety", study=str(folder)))
    assert count(found["lab_shift"], "alt: grade 0 -> grade 0", "A") == 1


def test_everything_is_shown(built):
    found = laboratory.analyse(built)
    assert len(to_rows("safety", found))
    tables = [*table_laboratory.table_lab_shift(found), table_laboratory.table_lab_overview(found),
              table_laboratory.table_liver(found), table_laboratory.table_liver_cases(found)]  # fmt: skip
    text = "\n".join(table.to_text() for table in tables)
    assert "nan" not in text.lower()
    assert "SYN-01" in tables[-1].to_text()
    assert "SYN-01" in plot_laboratory.plot_liver(found).svg
    assert "of 3 patients above the limit" in plot_laboratory.plot_lab_shift(found).alt


def test_a_study_without_limits_says_so(tmp_path):
    found = laboratory.analyse(load("safety", study=str(write_study(tmp_path / "study"))))
    assert isinstance(found, Absent)
    assert "no reference limits" in found.reason
    assert "no table of markers" in laboratory.analyse(load("safety", study="data/colon")).reason


def test_a_study_without_liver_tests_says_so(tmp_path):
    def without(text):
        return with_laboratory(text).replace(
            "liver: {transaminases: [alt], bilirubin: bili, alkaline_phosphatase: alp}\n", ""
        )

    data = load("safety", study=str(write_study(tmp_path / "study", without, markers=samples(*ROWS))))
    found = laboratory.analyse(data)
    assert "names no liver tests" in say_laboratory.sentence_liver(found)
    assert table_laboratory.table_liver(found).text == ""


@functools.cache
def shipped():
    """The shipped cohort with the four laboratory values declared."""
    data = load("safety")
    with tempfile.TemporaryDirectory() as folder:
        study = read_study(write_study(Path(folder) / "study", with_laboratory))
    return replace(data, study=data.study.model_copy(update={"markers": study.markers, "liver": study.liver}))


@st.composite
def laboratories(draw):
    """Any samples of any patients."""
    patients = list(shipped().patients["patient_id"])
    some = st.tuples(st.sampled_from(patients), st.integers(-10, 900), st.sampled_from(TESTS), st.floats(0.2, 12))
    rows = draw(st.lists(some, min_size=1, max_size=120))
    zero = shipped().patients.set_index("patient_id")["time_zero"]
    limit = {"alt": 40, "bili": 21, "alp": 120, "k": 5.1}
    frame = pd.DataFrame(
        [(p, zero[p] + pd.Timedelta(days=day), 0 if day < 0 else 3, test, limit[test] * times, UNITS[test])
         for p, day, test, times in rows],
        columns=["patient_id", "sample_date", "visit", "marker", "value", "unit"],
    )  # fmt: skip
    return frame.assign(below_limit=False, limit=np.nan, above_limit=False)


@FEW
@given(laboratories())
def test_every_shift_and_every_case_is_recounted(markers):
    """Each patient by hand: the last baseline sample, all samples in the time at risk."""
    data = replace(shipped(), tables=shipped().tables | {"markers": markers})
    found, risk = laboratory.analyse(data), at_risk(data)
    limits = {"alt": (1, 3, 5, 20), "bili": (1,)}
    expected, cases = {}, {arm.id: 0 for arm in data.arms}
    for patient in data.patients.itertuples():
        spans = risk[risk["patient_id"] == patient.patient_id]
        treated = {test: [] for test in TESTS}
        first = {}
        own = markers[markers["patient_id"] == patient.patient_id].sort_values("sample_date", kind="stable")
        for row in own.itertuples():
            times = row.value / {"alt": 40, "bili": 21, "alp": 120, "k": 5.1}[row.marker]
            if row.visit == 0:
                first[row.marker] = times
            elif any(s.start <= row.sample_date <= s.end for s in spans.itertuples()):
                treated[row.marker].append((row.sample_date, times))
        for test, bounds in limits.items():

            def name(times, bounds=bounds, test=test):
                grade = sum(times > bound for bound in bounds)
                return f"grade {grade}" if test == "alt" else ("high" if grade else "normal")

            before = name(first[test]) if test in first else "no sample"
            after = name(max(t for _, t in treated[test])) if treated[test] else "no sample"
            key = (f"{test}: {before} -> {after}", str(patient.arm))
            expected[key] = expected.get(key, 0) + 1
        cholestatic = list(own[(own["marker"] == "alp") & (own["value"] >= 240)]["sample_date"])
        cases[str(patient.arm)] += any(
            0 <= (then - day).days <= 30 and not any(c <= then for c in cholestatic)
            for day, up in treated["alt"] if up >= 3
            for then, yellow in treated["bili"] if yellow > 2
        )  # fmt: skip
    shifts = found["lab_shift"]
    counted = {
        (r.variable, r.group): r.count for r in shifts.itertuples() if r.count and not r.variable.startswith("k")
    }
    assert counted == expected
    assert {arm: count(found["liver_hys_law"], laboratory.CASE, arm) for arm in cases} == cases
    assert found["liver_quadrant"].groupby("group")["count"].sum().to_dict() == (
        found["liver_quadrant"].groupby("group")["n"].first().to_dict()
    )


def test_shared_tables_of_shifts_hold_no_small_cell(built):
    data = audience.restrict(
        replace(shipped(), parameters=shipped().parameters.model_copy(update={"audience": "share"}))
    )
    rng = np.random.default_rng(20250228)
    rows = [(p, z + pd.Timedelta(days=day), visit, "alt", 40 * rng.lognormal(0, 0.8), "U/L")
            for p, z in data.patients[["patient_id", "time_zero"]].itertuples(index=False) for day, visit in ((0, 0), (30, 1))]  # fmt: skip
    markers = pd.DataFrame(rows, columns=["patient_id", "sample_date", "visit", "marker", "value", "unit"])
    data = replace(data, tables=data.tables | {"markers": markers.assign(below_limit=False, limit=np.nan, above_limit=False)})
    full = laboratory.analyse(data)
    masked = audience.mask_analysis(data, full)
    assert full["lab_shift"]["count"].between(1, 4).any()
    assert not masked["lab_shift"]["count"].between(1, 4).any()
    assert set(masked.data) == set()
    assert "left out" in plot_laboratory.plot_liver(masked).text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda t: t.replace("reference: {high: 21}", "reference: {low: 30, high: 21}"),
            "low 30 must be below high 21",
        ),
        (lambda t: t.replace("role: safety, reference: {high: 21}", "role: safety"), "role safety needs reference"),
        (lambda t: t.replace("reference: {high: 120}", "reference: {low: 20}"), "alp has no reference.high"),
        (lambda t: t.replace("bilirubin: bili", "bilirubin: tbil"), "tbil does not exist"),
        (lambda t: t.replace("[1, 3, 5, 20]", "[3, 1]"), "grades_above must rise"),
    ],
)
def test_limits_that_make_no_sense_are_refused(tmp_path, change, message):
    with pytest.raises(ProblemsFound, match=message.replace("[", r"\[")):
        read_study(write_study(tmp_path / "study", lambda text: change(with_laboratory(text))))


@pytest.mark.parametrize(
    ("low", "high", "message"), [("5", "4", "must be below reference_high 4"), ("", "0", "above 0")]
)
def test_limits_beside_a_sample_are_checked(tmp_path, low, high, message):
    def change(frame):
        return cell(3, ["reference_low", "reference_high"], [low, high])(
            frame.assign(reference_low="", reference_high="")
        )

    with pytest.raises(ProblemsFound) as caught:
        load("safety", study=str(write_study(tmp_path / "study", markers=change)))
    assert any(p.code == "E065" and message in p.message and p.row == 5 for p in caught.value.problems)
