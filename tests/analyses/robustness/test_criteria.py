"""Response by other criteria: held against the same rules applied by hand, on the shipped cohort and a small one."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from lib.analyses.efficacy import response
from lib.analyses.result import where
from lib.analyses.robustness.criteria import BENEFIT, DECLARED, analyse_criteria
from lib.analyses.robustness.subgroups import analyse_response_subgroups
from lib.dataset.dataset import load
from lib.show import say, table
from lib.study.yaml_file import ProblemsFound

VISITS = (6.0, 12.0)
DATA = load("robustness")
CRITERIA = analyse_criteria(DATA, VISITS)


def by(criteria):
    return replace(DATA, parameters=DATA.parameters.model_copy(update={"criteria": criteria}))


@pytest.mark.parametrize("visit", VISITS)
@pytest.mark.parametrize("criteria", [DECLARED, "volumetric"])
def test_each_row_is_the_response_page_by_those_criteria(criteria, visit):
    """The table and the parameter give the same answer: fisher.test of the same counts."""
    own = response.analyse(by("" if criteria == DECLARED else criteria), VISITS)
    for name in ("", "_test", "_pairwise", "_difference"):
        expected = where(own[f"objective_response_treated{name}"], time=visit).reset_index(drop=True)
        found = where(CRITERIA[f"criteria{name}"], time=visit, variable=criteria).reset_index(drop=True)
        pd.testing.assert_frame_equal(found[expected.columns], expected)


@pytest.mark.parametrize("visit", VISITS)
def test_volumetric_response_equals_volumes_by_hand(visit):
    """Total volume of the targets at the visit at most 0.343 of the baseline, or all gone, and no progression before."""
    lesions, measured = DATA.tables["lesions"], DATA.tables["measurements"]
    rows = measured.drop(columns="patient_id", errors="ignore").merge(lesions[lesions["target"]], on="lesion_id")
    rows["volume"] = rows[["longest_mm", "short_mm", "third_mm"]].prod(axis=1)
    total = rows.pivot_table(index="patient_id", columns="visit", values="volume", aggfunc="sum")
    expected = 0
    for patient in DATA.patients["patient_id"]:
        course = total.loc[patient].dropna()
        before = course[(course.index > 0) & (course.index <= visit)]
        nadir = np.minimum.accumulate(np.r_[course[0.0], before.to_numpy()[:-1]]) if len(before) else []
        new = DATA.tables["assessments"].query("patient_id == @patient and new_lesion and visit <= @visit")
        grew = (before.to_numpy() >= 1.728 * np.array(nadir)).any() if len(before) else False
        expected += visit in course.index and not grew and new.empty and course[visit] <= 0.343 * course[0.0]
    found = where(CRITERIA["criteria"], time=visit, variable="volumetric", group="overall")["count"].iat[0]
    small = rows[(rows["site"] == "cervical_lymph_node") & (rows["visit"] == visit) & (rows["short_mm"] < 10)]["patient_id"].nunique()
    assert expected <= found <= expected + small  # a node of normal size is gone, whatever its volume


def test_benefit_is_counted_patient_by_patient():
    benefit = where(CRITERIA["criteria"], variable=BENEFIT)
    assert_allclose(benefit["time"].unique(), 168 / 30.4375)
    best = response.analyse(DATA, VISITS)["response_category"]
    assert benefit.set_index("group")["count"]["overall"] >= where(best, time=6.0, group="overall").set_index("variable")["count"][["CR", "PR"]].sum()
    early = DATA.patients.query("local_progression and (local_progression_date - time_zero).dt.days < 168")["patient_id"]
    assert benefit.set_index("group")["count"]["overall"] <= len(DATA.patients) - len(early) + 5


def test_criteria_that_are_not_recorded_are_named_and_refused():
    assert CRITERIA["left_out"]["variable"].tolist() == ["mrecist"]
    assert "viable_mm" in " ".join(table.criteria(CRITERIA).notes)
    with pytest.raises(ProblemsFound, match=r"measurements\.viable_mm"):
        load("efficacy", criteria="mrecist")
    with pytest.raises(ProblemsFound, match="none in this study"):
        load("efficacy", study="data/colon", criteria="recist")


def test_criteria_that_assess_few_compare_nothing():
    """RECIST 1.1 leaves treated lesions out: rates stand, and whom it can assess; no test, and the sentence says why."""
    assessed = where(CRITERIA["criteria_evaluable"], variable="recist", time=6.0).set_index("group")["count"]
    own = response.analyse(by("recist"), VISITS)
    assert assessed[DATA.study.arm_ids].tolist() == where(own["objective_response_evaluable"], time=6.0).set_index("group")["n"][DATA.study.arm_ids].tolist()
    assert min(assessed) < DATA.study.policy.min_at_risk
    assert not set(where(CRITERIA["criteria_test"], variable="recist")["time"])
    assert set(where(CRITERIA["criteria"], variable="recist")["time"]) == set(VISITS)
    said = say.criteria(CRITERIA)
    assert "RECIST 1.1 cannot compare the arms: at 6 months only" in said
    assert "RECIST 1.1: not compared, because fewer than 5" in " ".join(table.criteria(CRITERIA).notes)


@pytest.mark.parametrize("p", [0.01, 0.2])
def test_sentence_says_whether_the_verdict_turns(p):
    frames = CRITERIA.frames | {"criteria_test": CRITERIA["criteria_test"].assign(p_value=[p if v == DECLARED else 0.03 for v in CRITERIA["criteria_test"]["variable"]])}
    said = say.criteria(replace(CRITERIA, frames=frames))
    assert ("the verdict is the other one" in said) == (p > 0.05)
    assert ("and so do volumetric criteria (p = 0.030)" in said) == (p < 0.05)


def test_subgroups_add_up_and_their_limits_are_those_of_the_counts():
    """Differences of 2 x 2 tables; fisher is not used: the interval is Miettinen-Nurminen's, whose limits hold p = 0.05."""
    found = analyse_response_subgroups(DATA, VISITS)
    counts, rows = found["response_subgroup_count"], found["response_subgroup"]
    whole = where(counts, variable="response: all").set_index("group")
    levels = counts[counts["variable"].str.startswith("response: sex")].groupby("group", sort=False)[["count", "n"]].sum()
    pd.testing.assert_frame_equal(levels, whole.loc[levels.index, ["count", "n"]], check_dtype=False)
    row = where(rows, variable="response: all").iloc[0]
    shown = table.response_subgroups(found)
    assert [cell for cell in shown.rows[0].cells[1:3]] == [f"{whole.at[arm, 'count']}/{whole.at[arm, 'n']}" for arm in DATA.contrast]
    assert len([r for r in shown.rows if r.kind == "sub"]) == len(rows) - 1
    x, y = (whole.loc[arm] for arm in DATA.contrast)
    assert_allclose(row["difference"], x["count"] / x["n"] - y["count"] / y["n"])
    assert (row["ci_low"] > 0) == (stats.fisher_exact([[x["count"], x["n"] - x["count"]], [y["count"], y["n"] - y["count"]]]).pvalue < 0.05)


def test_one_arm_or_no_subgroup_says_why():
    assert "one arm" in say.response_subgroups(analyse_response_subgroups(load("robustness", arms=["A"]), VISITS))
    assert "no table of lesions" in str(say.criteria(analyse_criteria(load("robustness", study="data/colon"), ())))
