"""The same question, many answers: every way equals R on the shipped cohort, and none breaks on any study."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_data import load_expected, load_tte, make_tte
from study_builder import write_study

from lib.analyses.efficacy.survival import analyse
from lib.analyses.result import Absent, where
from lib.analyses.robustness.robustness import WAYS, analyse_robustness
from lib.analyses.robustness.subgroups import analyse_subgroups
from lib.dataset import timing
from lib.dataset.dataset import load
from lib.show.sentences.robustness import (
    sentence_power,
    sentence_robustness,
    sentence_single_patients,
    sentence_subgroups,
)
from lib.show.tables.robustness import table_robustness, table_subgroups
from lib.show.ways import way_label
from lib.statistics.comparisons import count_below
from lib.statistics.survival import sensitivity
from lib.statistics.survival.landmark import select_landmark
from lib.statistics.survival.logrank import compare_logrank
from lib.study.parts import own
from lib.study.study import ROOT

EXPECTED = load_expected("robustness")


def _of(study="data/rair_dtc", endpoint="", **parameters):
    data = load("efficacy", study=str(ROOT / study), **parameters)
    return data, analyse(data, data.study.endpoint(endpoint) if endpoint else data.study.primary)


@pytest.fixture(scope="module")
def cohort():
    data, analysis = _of()
    return data, analysis, analyse_robustness(data, analysis)


@pytest.mark.parametrize(
    "way",
    ["declared", "peto", "first_event", "competing", "later_component", "midpoint", "calendar", "worst", "best"],
)
def test_every_way_equals_r(cohort, way):
    """R: survdiff, cuminc on the changed data; see tests/reference/robustness.R."""
    rows = where(cohort[2]["ways"], way=way, group="overall")
    assert rows["p_value"].item() == pytest.approx(EXPECTED[way], rel=1e-6)


def test_hazard_ratio_between_scans_equals_r(cohort):
    """R: coxph(Surv(half, event) ~ arm, ties = "efron")."""
    row = where(cohort[2]["ways"], way="midpoint", group="C vs A")
    assert row["hr"].item() == pytest.approx(EXPECTED["midpoint_hr"], rel=1e-6)


def test_strata_equal_r():
    """R: survdiff and coxph with strata(extent, surg), two declared strata crossed."""
    data, analysis = _of("data/colon")
    rows = where(analyse_robustness(data, analysis)["ways"], way="stratified").set_index("group")
    expected, ratio = EXPECTED["stratified"], rows.loc["Lev5FU vs Obs"]
    assert rows.at["overall", "n"] == expected["n"]
    assert rows.at["overall", "p_value"] == pytest.approx(expected["p"], rel=1e-6)
    assert ratio[["hr", "ci_low", "ci_high"]].tolist() == pytest.approx([expected["hr"], *expected["ci"]], rel=1e-6)


def test_a_study_without_a_site_says_so(cohort):
    row = where(cohort[2]["ways"], way="stratified").iloc[0]
    assert "not recorded" in row["note"]
    assert "the study declares no site" in table_robustness(cohort[2]).to_text()


def test_a_stratum_unknown_for_some_patients_leaves_them_out(tmp_path):
    """One site is missing: that patient is left out, and the row says so."""
    folder = write_study(
        tmp_path / "s", study=lambda text: text.replace("landmarks: [1, 3]", "landmarks: [1, 3]\n  strata: [sex]")
    )
    data = load("efficacy", study=str(folder))
    data.patients.loc[data.patients.index[0], own("sex")] = np.nan
    analysis = analyse(data, data.study.primary)
    row = where(analyse_robustness(data, analysis)["ways"], way="stratified").iloc[0]
    assert row["n_missing"] == 1


def test_deletions_equal_r(cohort):
    """R: survdiff without each patient."""
    row, p = where(cohort[2]["ways"], way="leave_one_out").iloc[0], np.array(EXPECTED["without_each"])
    assert row[["min", "max"]].tolist() == pytest.approx([p.min(), p.max()], rel=1e-6)
    assert row["count"] == (p >= 0.05).sum()


def test_fragility_finds_the_smallest_number(cohort):
    """R: every choice of one, then of two, of the five censored patients."""
    row = where(cohort[2]["ways"], way="fragile_event").iloc[0]
    assert EXPECTED["turned"]["one"] < 0.05 <= EXPECTED["turned"]["two"]
    assert row["count"] == 2
    assert row["p_value"] == pytest.approx(EXPECTED["turned"]["two"], rel=1e-6)


def test_landmark_equals_r():
    """R: survdiff(Surv(time - 30, event) ~ arm, subset = time > 30)."""
    late = select_landmark(load_tte("veteran"), "arm", 30)
    assert len(late) == EXPECTED["landmark"]["n"]
    assert compare_logrank(late)["p_value"].item() == pytest.approx(EXPECTED["landmark"]["p"], rel=1e-6)


def test_days_between_components_equal_r(cohort):
    gaps = timing.component_frame(cohort[0])["gap_days"]
    assert [gaps.median(), gaps.max()] == [EXPECTED["gap"]["median"], EXPECTED["gap"]["max"]]


def test_power_equals_a_simulation_by_r():
    """R: 4000 studies of rexp, each tested by survdiff; within 4 Monte Carlo errors."""
    e = EXPECTED["power"]
    arms = {}
    for arm, n, median in zip("ABC", e["n"], e["medians"], strict=True):
        half = (n + 1) // 2
        arms[arm] = [(median, 1)] * half + [(e["censored_at"], 0)] * (n - half)
    found = sensitivity.estimate_power(make_tte(arms), 4000, seed=3).iloc[0]
    error = np.hypot(found["mc_error"], np.sqrt(e["power"] * (1 - e["power"]) / e["simulations"]))
    assert abs(found["power"] - e["power"]) < 4 * error
    assert found["power"] == sensitivity.estimate_power(make_tte(arms), 4000, seed=3)["power"].item()


def test_power_is_alpha_where_the_arms_are_alike():
    alike = [(10, 1)] * 30 + [(40, 0)] * 30
    found = sensitivity.estimate_power(make_tte({"A": alike, "B": alike}), 4000, seed=5).iloc[0]
    assert found["power"] == pytest.approx(0.05, abs=4 * found["mc_error"])


def test_detectable_effect_equals_schoenfeld(cohort):
    row = where(cohort[2]["detectable"], group="C vs A")
    assert row["hr"].item() == pytest.approx(EXPECTED["detectable"], rel=1e-6)
    assert row["hr_above"].item() == pytest.approx(1 / EXPECTED["detectable"], rel=1e-6)


def test_subgroups_equal_r(cohort):
    """R: coxph within the level; anova(coxph(S ~ arm + g), coxph(S ~ arm * g))."""
    found = analyse_subgroups(cohort[0], cohort[1])
    female = where(found["subgroup"], variable="lpfs: sex: F")[["hr", "ci_low", "ci_high"]].iloc[0]
    assert female.tolist() == pytest.approx([EXPECTED["female"][k] for k in ("hr", "low", "high")], rel=1e-6)
    for subgroup, name in (("sex", "sex"), ("age60", "old")):
        row = where(found["interaction"], variable=f"lpfs: {subgroup}").iloc[0]
        expected = EXPECTED[f"interaction_{name}"]
        assert [row["chisq"], row["p_value"]] == pytest.approx([expected["chisq"], expected["p"]], rel=1e-6)
        counts = found["subgroup_count"]
        own = counts[counts["variable"].str.startswith(f"lpfs: {subgroup}: ")]
        assert own["n"].sum() == where(counts, variable="lpfs: all")["n"].sum()


def test_a_way_that_cannot_be_gone_stays_and_says_why():
    data, analysis = _of("data/colon")
    robust = analyse_robustness(data, analysis)
    lost = robust["ways"][robust["ways"]["note"].str.startswith("not made")].set_index("way")["note"]
    assert {"first_event", "competing", "later_component", "midpoint", "interval", "calendar"} == set(lost.index)
    text = table_robustness(robust).to_text()
    assert all(note in text for note in lost)
    labels = [way_label(data, robust, way, time) for way in WAYS for time in (6, float("nan"))]
    assert not [label for label in labels if label != label.strip() or "  " in label or label.endswith((" at", " by"))]


def test_one_arm_and_too_few_events():
    data, analysis = _of(arms=["B"])
    assert isinstance(analyse_robustness(data, analysis), Absent)
    assert "one arm" in sentence_power(analyse_robustness(data, analysis))
    data, analysis = _of(cutoff="2019-06-30")
    assert analysis["tte"]["event"].sum() < data.study.policy.min_events
    robust = analyse_robustness(data, analysis)
    assert robust["ways"]["p_value"].isna().all()
    assert "no way of asking" in sentence_robustness(robust)
    assert sentence_single_patients(robust) == ""
    assert "cannot be estimated" in sentence_subgroups(analyse_subgroups(data, analysis))
    assert "not estimable: no event in either arm" in table_subgroups(analyse_subgroups(data, analysis)).to_text()


def test_the_sentence_counts_what_the_frame_holds(cohort):
    _, _, robust = cohort
    said = sentence_robustness(robust)
    assert f"The table holds {robust['robustness']['p_value'].notna().sum()} p-values" in said
    assert "Gray's test" in said
    assert "2 of the 5 censored" in sentence_single_patients(robust)


def test_bounds_name_what_they_are_about_and_need_somebody_censored(cohort):
    """With three arms p is of all and the ratio of two; where nobody is censored there is nothing to assume."""
    _, _, robust = cohort
    pair = "Anlotinib + seeds vs Anlotinib"
    assert f" for all arms, hazard ratio of {pair} " in sentence_single_patients(robust)
    ways = robust["ways"]
    ended = replace(robust, data={"ways": ways.assign(n_events=ways["n"])})
    assert "the censored could do" not in sentence_single_patients(ended)
    two, analysis = _of(arms=["A", "C"])
    assert "for all arms" not in sentence_single_patients(analyse_robustness(two, analysis))


def test_a_range_that_no_digit_shows_is_none(cohort):
    _, _, robust = cohort
    tiny = replace(robust, data={"ways": robust["ways"].assign(p_value=np.linspace(1e-6, 1e-5, len(robust["ways"])), p_adjusted=np.nan, min=1e-6, max=1e-5)})
    assert "p stays below 0.001 and lies below 0.05 in" in sentence_robustness(tiny)
    assert "p stays below 0.001, and" in sentence_single_patients(tiny)


def test_one_answer_is_no_range_and_has_no_number(cohort):
    _, _, robust = cohort
    one = robust["ways"].iloc[:1].assign(p_value=0.387)
    counts = count_below([0.387])
    tests = pd.concat([counts.assign(variable=f"{robust.variable}: {name}") for name in ("answers", "p-values")])
    frames = robust.frames | {"robustness_tests": tests}
    assert sentence_robustness(replace(robust, frames=frames, data={"ways": one})).endswith(
        "the same question was asked in 1 way; p is 0.387 and lies below 0.05 in none of 1."
    )


def test_the_study_of_the_builder_has_every_way_named(tmp_path):
    data = load("efficacy", study=str(write_study(tmp_path / "small")))
    robust = analyse_robustness(data, analyse(data, data.study.primary))
    assert set(robust["ways"]["way"]) <= set(WAYS)
    assert len(table_robustness(robust).rows) > 15


patients = st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=2, max_size=9)


@given(patients, patients)
@settings(max_examples=40, deadline=None)
def test_counts_on_the_table_equal_the_changed_frame(a, b):
    """Deletions and reversals on the event table give what the test gives on changed patients."""
    tte = make_tte({"A": a, "B": b})
    p = [compare_logrank(tte.drop(index=i))["p_value"].item() for i in tte.index]
    found = sensitivity.compare_without_each(tte).iloc[0]
    if not np.isnan(compare_logrank(tte)["p_value"].item()) and not np.isnan(p).any():
        assert [found["min"], found["max"]] == pytest.approx([min(p), max(p)], rel=1e-9)
    for row in sensitivity.count_reversals(tte, "B").itertuples():
        assert np.isnan(row.count) or row.count <= row.n


def test_without_either_of_two_patients_no_test_is_left():
    """One patient an arm: every deletion leaves one arm."""
    found = sensitivity.compare_without_each(make_tte({"A": [(1, 1)], "B": [(1, 0)]})).iloc[0]
    assert found[["min", "max", "count"]].isna().all()
    assert found["note"] == "not estimable: without any one patient no test is left"


@given(patients, patients)
@settings(max_examples=40, deadline=None)
def test_extremes_keep_the_patients_and_the_events(a, b):
    tte = make_tte({"A": a, "B": b})
    for frame in sensitivity.assume_extremes(tte, "B").values():
        assert frame["patient_id"].tolist() == tte["patient_id"].tolist()
        assert (frame["event"] >= tte["event"]).all()
        assert (frame["time"] >= tte["time"]).all()
    cases = sensitivity.assume_extremes(tte, "B")
    events = {name: int(frame.loc[frame["arm"] == "B", "event"].sum()) for name, frame in cases.items()}
    assert events["best"] <= events["worst"] == len(b)


def test_a_note_about_all_patients_is_named_so():
    data = load("efficacy", study=str(ROOT / "tests" / "cases" / "six_arms"))
    notes = table_subgroups(analyse_subgroups(data, analyse(data, data.study.primary))).notes
    assert any(note.startswith("All patients: ") for note in notes)
    assert not any(" :" in note for note in notes)


def test_the_order_of_the_patients_does_not_matter(cohort):
    data, analysis, robust = cohort
    shuffled = analysis.data | {"tte": analysis["tte"].sample(frac=1, random_state=1).reset_index(drop=True)}
    again = analyse_robustness(data, replace(analysis, data=shuffled))
    # a seeded shuffle starts from the order of the rows
    kept = ~robust["ways"]["way"].isin(["permutation", "interval"])
    pd.testing.assert_frame_equal(robust["ways"][kept], again["ways"][kept], rtol=1e-9)
