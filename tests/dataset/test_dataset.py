"""The analysis set in force: cut-off, arms, subgroup, and the frames derived from the tables."""

import gc
import weakref
from dataclasses import replace

import pandas as pd
import pytest
from staples_study import PPROT, write_staples
from study_builder import cell, write_study

from lib.analyses.efficacy import survival
from lib.dataset import dataset, derived
from lib.dataset.dataset import once_per_dataset
from lib.study.parts import own
from lib.study.yaml_file import ProblemsFound


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    write_study(folder)
    return str(folder)


def tte(data, endpoint):
    return derived.time_to_event_frame(data, data.study.endpoint(endpoint)).set_index("patient_id")


def test_a_derived_endpoint_takes_the_first_date_that_counts(folder):
    frame = tte(dataset.load("efficacy", study=folder), "lpfs")
    progressed, censored, died = frame.loc["SYN-01"], frame.loc["SYN-02"], frame.loc["SYN-04"]
    assert progressed["event"]
    assert progressed["decided_by"] == "local_progression_date"
    assert not censored["event"]
    assert censored["decided_by"] == "last_tumour_assessment"
    assert died["event"]
    assert died["decided_by"] == "death_date"
    assert died["time"] == pytest.approx(300 / 30.4375)


def test_a_competing_event_is_no_event(folder):
    frame = tte(dataset.load("efficacy", study=folder), "ttlp")
    assert frame.loc["SYN-04", "cause"] == 2
    assert not frame.loc["SYN-04", "event"]
    assert frame.loc["SYN-01", "cause"] == 1


def test_an_earlier_cutoff_shows_the_study_as_it_stood(folder):
    """A patient who had not started is gone; what happened later has not happened."""
    data = dataset.load("efficacy", study=folder, cutoff="2020-07-01")
    assert list(data.patients["patient_id"]) == ["SYN-01", "SYN-02", "SYN-03", "SYN-04", "SYN-05"]
    assert not data.patients["local_progression"].any()
    assert not data.patients["death"].any()
    assert (data.patients["last_contact_date"] <= pd.Timestamp("2020-07-01")).all()
    assert (data.tables["measurements"]["assessment_date"] <= pd.Timestamp("2020-07-01")).all()
    frame = tte(data, "os")
    assert not frame["event"].any()
    assert (frame["time"] >= 0).all()


def test_arms_and_subgroups_restrict_every_table(folder):
    data = dataset.load("safety", study=folder, arms=["A", "C"], subgroup="sex", subgroup_values=["F"])
    assert set(data.patients["patient_id"]) == {"SYN-01", "SYN-05", "SYN-06"}
    assert list(data.n.index) == ["A", "C"]
    for table in ("lesions", "markers", "adverse_events", "treatments"):
        assert set(data.tables[table]["patient_id"]) <= set(data.patients["patient_id"])
    steps = data.flow[data.flow["group"] == "overall"].set_index("step")["count"]
    assert steps["treated"] == 6
    assert steps["analysed"] == 3


def test_a_cut_makes_a_subgroup_of_a_number(folder):
    older = dataset.load("cohort", study=folder, subgroup="age60", subgroup_values=[">=60"])
    younger = dataset.load("cohort", study=folder, subgroup="age60", subgroup_values=["<60"])
    assert (older.patients[own("age_years")] >= 60).all()
    assert len(older.patients) + len(younger.patients) == 6


def test_without_the_reference_arm_the_first_one_is_compared_with(folder):
    assert dataset.load("efficacy", study=folder, arms="B,C").reference == "B"


def test_another_reference_and_other_landmarks_are_taken():
    data = dataset.load("efficacy", study="data/rair_dtc", reference="C", landmarks="24, 6, 24")
    found = survival.analyse(data, data.study.primary)
    assert set(found["cox"]["group"]) == {"A vs C", "B vs C", "B vs A"}
    assert sorted(found["landmark"]["time"].unique()) == [6, 24]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"reference": "X"}, "reference"),
        ({"reference": "C", "arms": ["A", "B"]}, "reference"),
        ({"landmarks": "6,0"}, "landmarks"),
        ({"landmarks": ["inf"]}, "landmarks"),
        ({"landmarks": list(range(1, 10))}, "landmarks"),
    ],
)
def test_a_wrong_reference_or_landmark_is_named(given, named):
    with pytest.raises(ProblemsFound) as found:
        dataset.load("efficacy", study="data/rair_dtc", **given)
    assert [problem.column for problem in found.value.problems] == [named]


def test_every_patient_has_one_response_or_a_reason(folder):
    data = dataset.load("efficacy", study=folder)
    frame = derived.response_frame(data, 12).set_index("patient_id")
    assert len(frame) == 6
    assert frame.loc["SYN-01", "response"] == "PD"  # progressed at 6 months, no scan since
    assert frame.loc["SYN-04", "response"] == "died"
    assert frame.loc["SYN-02", "response"] == "PR"
    assert frame.loc["SYN-05", "response"] == "CR"
    early = derived.response_frame(dataset.load("efficacy", study=folder, cutoff="2020-08-01"), 12)
    assert (early["response"] == "not due").any()


def test_change_is_measured_from_the_patients_own_baseline(folder):
    volumes = derived.volume_frame(dataset.load("efficacy", study=folder))
    baseline = volumes[volumes["visit"] == 0]
    assert (baseline["percent_change"] == 0).all()
    assert (volumes["percent_change"] >= -100).all()


def test_a_positive_antibody_takes_the_patient_out_of_the_marker(tmp_path):
    write_study(tmp_path)
    markers = pd.read_csv(tmp_path / "markers.csv", dtype=str, keep_default_na=False)
    antibody = markers.index[markers["marker"] == "tgab"]
    assert len(antibody)
    patient = markers.loc[antibody[0], "patient_id"]
    write_study(tmp_path, markers=cell(int(antibody[0]), "value", "400"))
    data = dataset.load("efficacy", study=str(tmp_path))
    frame = derived.marker_frame(data, data.study.marker("tg"))
    assert (frame[frame["patient_id"] == patient]["excluded"] == "interfering antibody").all()
    assert (frame[frame["patient_id"] != patient]["excluded"] == "").all()


def test_a_ready_made_endpoint_is_taken_as_it_stands():
    data = dataset.load("efficacy", study="data/colon")
    frame = tte(data, "death")
    source = pd.read_csv(data.study.folder / "patients.csv", dtype={"id": str}).set_index("id")
    assert (frame["event"].astype(int) == source["death_status"].reindex(frame.index)).all()
    assert frame["time"].to_numpy() == pytest.approx(source["death_days"].reindex(frame.index) / 365.25)


def test_wrong_parameters_are_named_together():
    with pytest.raises(ProblemsFound) as found:
        dataset.load("efficacy", study="data/colon", arms=["X"], cutoff="2020-01-01", level=2)
    assert {problem.column for problem in found.value.problems} == {"arms", "cutoff", "level"}
    with pytest.raises(ProblemsFound) as found:
        dataset.load("efficacy", study="data/colon", arms=["X"], cutoff="2020-01-01", endpoint="lpfs")
    assert {problem.column for problem in found.value.problems} == {"arms", "cutoff", "endpoint"}


def test_what_is_derived_once_is_a_copy_for_everybody_and_goes_with_its_data_set(folder):
    data = dataset.load("efficacy", study=folder)
    calls = []

    @once_per_dataset
    def patients(given, visit):
        calls.append(visit)
        return given.patients.assign(visit=visit)

    patients(data, 6)["arm"] = "changed"
    assert list(patients(data, 6)["arm"]) == list(data.patients["arm"])
    assert patients(data, 12)["visit"].eq(12).all()
    assert calls == [6, 12]
    patients(replace(data), 6)
    assert calls == [6, 12, 6]
    kept = weakref.ref(data)
    del data
    gc.collect()
    assert kept() is None


def test_a_population_leaves_those_who_belong_to_it(tmp_path):
    """Every table with them, after the arms and before the subgroup."""
    folder = str(write_staples(tmp_path / "six"))
    inside = [f"SYN-0{number}" for number, flag in enumerate(PPROT, start=1) if flag == "Y"]
    data = dataset.load("safety", study=folder, population="pp")
    assert data.patients["patient_id"].tolist() == inside
    assert all(set(frame["patient_id"]) <= set(inside) for frame in data.tables.values() if "patient_id" in frame)
    both = dataset.load("safety", study=folder, population="pp", arms=["A", "C"], subgroup="sex", subgroup_values=["F"])
    assert both.flow["step"].drop_duplicates().tolist() == ["treated", "arms", "population", "subgroup", "analysed"]
    assert set(both.patients["patient_id"]) < set(inside)
