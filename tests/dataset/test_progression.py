"""Where the disease progressed: when a lesion grew, which kind of progression that is, and endpoints made of kinds."""

import json
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion_studies import (
    FOLDER,
    Lesion,
    Patient,
    draw_lesions,
    frames_of,
    study_of,
    treatments,
    with_kinds,
    write_lesions,
    write_treatments,
)
from reference_data import load_expected

from lib.dataset.dataset import load
from lib.dataset.derived import time_to_event_frame
from lib.dataset.progression import lesion_progression, progression_dates, progressions
from lib.intake.recist import derive_growth, derive_response
from lib.study.clinic.tumour import Response
from lib.study.words import KINDS
from lib.study.yaml_file import ProblemsFound

RULE = Response(visits=(6,), node_sites=("node",))
RULE_WITHOUT_NODES = {"visits": [6], "progression_column": "local_progression_date"}
KEYS = ["patient_id", "kind", "how"]


def of(folder, patients, lesions, study=None, **parameters):
    return load("efficacy", study=str(write_lesions(folder, patients, lesions, study)), **parameters)


def months(data, dates):
    """Months from time zero of each date of one patient's rows."""
    zero = data.patients.set_index("patient_id")["time_zero"]
    return ((dates["date"] - dates["patient_id"].map(zero)).dt.days / 30).tolist()


@pytest.mark.parametrize(
    ("sizes", "grew"),
    [
        ({0: 30, 2: 36}, 2),  # 1.2 times and 6 mm
        ({0: 30, 2: 35.9}, None),
        ({0: 20, 2: 24.9}, None),  # 1.245 times, but 4.9 mm
        ({0: 20, 2: 25}, 2),
        ({0: 91.5, 2: 109.8}, 2),  # exactly 1.2 times
        ({0: 30, 2: 20, 4: 25, 6: 40}, 4),  # over the nadir, not the baseline
        ({0: 30, 2: 20, 4: None, 6: 26}, 6),
        ({0: 30, 2: "absent", 4: 4.9, 6: 5}, 6),  # gone, then back
        ({0: 30, 2: "small", 4: 9.9, 6: 10}, 6),
        ({0: None, 2: 20, 4: 40}, None),  # no baseline, no growth
        ({0: 30}, None),
    ],
)
def test_a_lesion_grows_over_its_own_smallest_diameter(sizes, grew):
    date = derive_growth(*frames_of([Lesion("P", "neck", sizes)]), RULE)["growth_date"].iat[0]
    assert pd.isna(date) if grew is None else date == pd.Timestamp("2020-01-01") + pd.Timedelta(days=30 * grew)


def test_a_node_counts_by_its_short_axis_and_a_new_lesion_from_its_first_day(tmp_path):
    lesions = [
        Lesion("P1", "neck", {0: 30, 2: 30, 4: 30}), Lesion("P1", "lung", {2: 10, 4: 20}, target=False), Lesion("P1", "lung", {0: 9, 2: 30}, target=False),
    ]  # fmt: skip
    data = of(tmp_path, [Patient("P1"), Patient("P2")], [*lesions, Lesion("P2", "neck", {0: 20})])
    found = lesion_progression(data).set_index("lesion_id")
    assert set(found.index) == {"P1-0", "P1-1", "P2-3"}  # no target and not new: no part of it
    new = found.loc["P1-1"]
    assert (new["new"], new["target"], new["in_field"], new["region"]) == (True, False, False, "distant")
    assert [(new[c] - pd.Timestamp("2020-01-01")).days / 30 for c in ("first_seen", "growth_date", "last_seen")] == [2, 4, 4]


def test_days_of_every_kind_equal_r():
    """R: progression.R derives lesions, sums and new lesions from the tables itself."""
    for name, expected in load_expected("progression").items():
        data = load("efficacy", study=str(FOLDER / name))
        days = progression_dates(data)[list(KINDS)].sub(data.patients["time_zero"], axis=0)
        for kind, want in expected["days"].items():
            own = days[f"progression.{kind}"].dropna().dt.days
            assert (len(own), own.sum()) == (want["n"], want["sum"]), (name, kind)


def test_what_an_arm_treats(tmp_path):
    """In an arm without local therapy every target; in one with it the marked ones, whatever else is given."""
    grows = {0: 20, 2: 30}
    patients = [Patient("P1", "A"), Patient("P2", "B"), Patient("P3", "C")]
    lesions = [Lesion(p.id, site, grows, treated=site == "neck" and p.arm != "A") for p in patients for site in ("neck", "node", "lung")]
    study = treatments(study_of(patients))
    data = load("efficacy", study=str(write_treatments(write_lesions(tmp_path, patients, lesions, study), patients, study)))
    kinds = progressions(data).groupby("patient_id")["kind"].agg(lambda k: {x.removeprefix("progression.") for x in k})
    assert kinds["P1"] == {"in_field", "target_growth"}
    assert kinds["P2"] == kinds["P3"] == {"in_field", "regional", "distant", "target_growth"}


def test_without_treatments_the_marks_decide_patient_by_patient(tmp_path):
    patients = [Patient("P1", "A"), Patient("P2", "B")]
    lesions = [Lesion("P1", "neck", {0: 20, 2: 30}), Lesion("P2", "neck", {0: 20, 2: 20}, treated=True), Lesion("P2", "lung", {0: 20, 2: 30})]
    found = progressions(of(tmp_path, patients, lesions)).set_index("patient_id")["kind"]
    assert "progression.in_field" in set(found["P1"])
    assert set(found[["P2"]]) == {"progression.distant", "progression.target_growth"}


def test_the_region_of_a_lesion_goes_before_that_of_its_site(tmp_path):
    study = study_of([Patient("P1")]) | {"sites": [{"value": "neck", "label": "Neck", "region": "local"}, {"value": "other", "label": "Other"}], "response": RULE_WITHOUT_NODES}
    lesions = [
        Lesion("P1", "neck", {0: 20, 2: 20}), Lesion("P1", "neck", {2: 9}, False, region="regional"), Lesion("P1", "other", {2: 9}, False),
        Lesion("P1", "other", {2: 9}, False, region="distant"),
    ]  # fmt: skip
    data = of(tmp_path, [Patient("P1")], lesions, study)
    assert lesion_progression(data)["region"].fillna("none").tolist() == ["local", "regional", "none", "distant"]
    assert set(progressions(data)["kind"]) == {"progression.regional", "progression.elsewhere", "progression.distant", "progression.new_lesion"}


def test_an_endpoint_of_kinds(tmp_path):
    patients = [Patient(f"P{i}", "A" if i < 4 else "B", death=500 if i == 3 else None, distant=40 if i == 2 else None) for i in range(6)]
    grows, stays = {0: 20, 2: 30, 4: 40}, {0: 20, 2: 20, 4: 20}
    lesions = [Lesion(p.id, "neck", grows if i in (0, 2) else stays, treated=p.arm == "B") for i, p in enumerate(patients)]
    lesions += [Lesion("P1", "node", {4: 10}, False), Lesion("P4", "neck", {2: 10}, False)]
    study = with_kinds(study_of(patients), "progression.in_field", "progression.local_untreated", competing=["progression.distant", "death_date"])
    data = of(tmp_path, patients, lesions, study)
    found = time_to_event_frame(data, data.study.endpoint("lc")).set_index("patient_id")
    assert found["decided_by"].tolist() == [
        "progression.in_field", "last_tumour_assessment", "progression.distant", "death_date", "progression.local_untreated", "last_tumour_assessment",
    ]  # fmt: skip
    assert found["cause"].tolist() == [1, 0, 2, 2, 1, 0]
    assert found["time"].tolist() == [2, 4, 40 / 30, 500 / 30, 2, 4]

    early = load("efficacy", study=str(tmp_path), cutoff="2020-02-15")  # before the scan of month 2
    assert progressions(early)[KEYS].values.tolist() == [["P2", "progression.distant", "recorded"]]
    assert time_to_event_frame(early, early.study.endpoint("lc"))["event"].sum() == 0

    one = load("efficacy", study=str(tmp_path), arms=["B"])
    assert time_to_event_frame(one, one.study.endpoint("lc"))["decided_by"].tolist() == ["progression.local_untreated", "last_tumour_assessment"]


def test_a_kind_needs_measured_lesions(tmp_path):
    """Named by study.yml, before any table is read."""
    patients = [Patient("P1")]
    study = with_kinds(study_of(patients), "progression.regional")
    study = {key: value for key, value in study.items() if key not in ("response", "visits", "sites")} | {"tables": {"patients": {"file": "patients.csv"}}}
    folder = write_lesions(tmp_path, patients, [Lesion("P1", "neck", {0: 20})])
    (folder / "study.yml").write_text(json.dumps(study))
    with pytest.raises(ProblemsFound, match=r"E100 .*lc: progression\.regional needs response and the tables lesions and measurements"):
        load("efficacy", study=str(folder))


def test_an_unknown_kind_names_those_there_are(tmp_path):
    patients = [Patient("P1")]
    folder = write_lesions(tmp_path, patients, [Lesion("P1", "neck", {0: 20})], with_kinds(study_of(patients), "progression.bone"))
    with pytest.raises(ProblemsFound, match=r"progression\.in_field"):
        load("efficacy", study=str(folder))


drawn = st.integers(0, 2**31).map(lambda seed: draw_lesions((4, 4, 3), seed))


@settings(max_examples=10, deadline=None)
@given(drawn, st.randoms(use_true_random=False))
def test_the_order_of_lesions_and_rows_changes_nothing(tmp_path_factory, made, order):
    folder = tmp_path_factory.mktemp("drawn")
    data = of(folder, *made)
    mixed = replace(data, tables={name: frame.sample(frac=1, random_state=order.randrange(2**31)) for name, frame in data.tables.items()})
    for derive, keys in ((lesion_progression, "lesion_id"), (progressions, KEYS)):
        first, second = (derive(d).sort_values(keys, ignore_index=True) for d in (data, mixed))
        pd.testing.assert_frame_equal(first, second)


@settings(max_examples=25, deadline=None)
@given(drawn)
def test_with_one_lesion_a_patient_grows_when_the_lesion_does(made):
    """The date of the lesion is that of the sum, and without new lesions that of the response rule."""
    patients, lesions = made
    single = [next(lesion for lesion in lesions if lesion.patient == p.id and lesion.target) for p in patients]
    frames = frames_of(single)
    response, growth = derive_response(*frames, RULE), derive_growth(*frames, RULE).set_index("patient_id")["growth_date"].dropna()
    for first in (response[response["grown"]], response[response["response"] == "PD"]):
        pd.testing.assert_series_equal(first.groupby("patient_id")["assessment_date"].min(), growth, check_names=False)
