"""Tumour response on the shipped cohort: a second reading by R (tumour.R), margins, and hand-made courses."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from reference_data import load_expected

from lib.analyses.efficacy import course as efficacy_course
from lib.analyses.efficacy import response
from lib.analyses.result import where
from lib.dataset.course import assessment_frame, course_frame
from lib.dataset.dataset import load
from lib.show.sentences.course import sentence_concordance

VISITS = (6.0, 12.0)
R = load_expected("tumour")
DATA = load("efficacy")
COURSE = efficacy_course.analyse_course(DATA, VISITS)
TUMOUR = response.analyse(DATA, VISITS)


@pytest.mark.parametrize("visit", VISITS)
@pytest.mark.parametrize(("outcome", "key"), [("objective_response", "response"), ("disease_control", "control")])
def test_rates_and_exact_tests_equal_r(outcome, key, visit):
    """fisher.test(t); chisq.test(t, correct = FALSE); p.adjust(p, "holm"), response derived in base R"""
    expected, name = R[key][f"{visit:g}"], f"{outcome}_treated"
    rates = where(TUMOUR[name], time=visit)
    assert rates[rates["group"] != "overall"]["count"].tolist() == expected["count"]
    assert_allclose(where(TUMOUR[f"{name}_test"], time=visit)["p_value"], expected["p"], rtol=1e-6)
    assert_allclose(where(TUMOUR[f"{name}_chisq"], time=visit)["chisq"], expected["chisq"], rtol=1e-6)
    pairs = where(TUMOUR[f"{name}_pairwise"], time=visit)
    assert_allclose(pairs["p_value"], expected["pairs"], rtol=1e-6)
    assert_allclose(pairs["p_adjusted"], expected["holm"], rtol=1e-6)


def test_best_response_equals_a_recount_and_adds_up():
    """table(arm, best), the rule written a second time in base R"""
    counts = COURSE["best_response"]
    for arm, expected in R["best"].items():
        own = where(counts, group=arm).set_index("variable")["count"]
        assert own[["CR", "PR", "SD", "PD"]].tolist() == expected
        assert own.sum() == DATA.n[arm]
    assert where(counts, group="overall")["count"].sum() == len(DATA.patients)


def test_best_change_equals_a_recount():
    """tapply(change, patient, min) up to the first progression"""
    found = COURSE["course"].set_index("patient_id")["best_change"]
    assert_allclose(found, pd.Series(R["best_change"])[found.index], rtol=1e-9)


def test_the_margins_of_the_matrix_are_the_counts_of_the_visits():
    matrix, categories = COURSE["response_change"], TUMOUR["response_category"]
    ends = matrix["variable"].str.split(" -> ", expand=True)
    for place, visit in enumerate(VISITS):
        margin = matrix.groupby(["group", ends[place].rename("category")])["count"].sum()
        for (arm, category), count in margin.items():
            assert where(categories, group=arm, variable=category, time=visit)["count"].tolist() == [count]
        assert margin.groupby("group").sum().to_dict() == DATA.n.to_dict()


def test_paired_changes_equal_r():
    """binom.test(gained, gained + lost)"""
    frame = COURSE["response_change_treated"].set_index("group")
    for arm, expected in R["paired"].items():
        assert frame.loc[arm, ["n_gained", "n_lost"]].tolist() == [expected["gained"], expected["lost"]]
        assert_allclose(frame.loc[arm, "p_value"], expected["p"], rtol=1e-9)


def test_volume_and_diameters_rank_alike_as_in_r():
    """cor(volume, diameters, method = "spearman") at the response visits, both derived in base R"""
    found, expected = COURSE["volume_diameters"], R["concordance"]
    assert found["n"].tolist() == [row["n"] for row in expected]
    assert_allclose(found["spearman"], [row["spearman"] for row in expected], rtol=1e-9)
    assert f"{expected[1]['spearman']:.2f} at 12 months" in sentence_concordance(COURSE)


def test_confirmed_never_exceeds_best_and_no_duration_is_negative():
    course = COURSE["course"]
    assert (course["responder"] | ~course["confirmed"]).all()
    assert 0 < course["confirmed"].sum() < course["responder"].sum()
    assert (course.loc[course["responder"], "duration"] >= 0).all()
    assert course.loc[~course["responder"], "duration"].isna().all()


def test_disagreements_are_the_assessments_read_otherwise():
    rows, found = assessment_frame(DATA), COURSE["disagreements"]
    raw = DATA.tables["assessments"].set_index(["patient_id", "assessment_date"])["reader_response"]
    again = [
        (r.patient_id, r.visit) for r in rows.dropna(subset=["response"]).itertuples()
        if isinstance(raw[r.patient_id, r.date], str) and raw[r.patient_id, r.date] != r.response
    ]  # fmt: skip
    assert list(zip(found["patient_id"], found["visit"], strict=True)) == again
    agreement = COURSE["reader_agreement"]
    assert (agreement["n"] - agreement["count"]).sum() == len(found)


def test_kappa_of_a_textbook_table():
    """Cohen 1960: 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no has kappa 0.4"""
    one = pd.Series(["PR"] * 25 + ["SD"] * 25)
    other = pd.Series(["PR"] * 20 + ["SD"] * 5 + ["PR"] * 10 + ["SD"] * 15)
    assert_allclose(efficacy_course._kappa(one, other)[0], 0.4, rtol=1e-12)
    assert np.isnan(efficacy_course._kappa(one[:5], one[:5])[0])


def with_responses(monkeypatch, day_and_response):
    """Course of the first patient, as if the assessments had been these."""
    first = DATA.patients["patient_id"].iloc[0]
    rows = assessment_frame(DATA)
    rows = rows[rows["patient_id"] == first].iloc[[0] * len(day_and_response)].copy()
    rows["day"], rows["response"] = zip(*day_and_response, strict=True)
    rows["time"] = rows["day"] / DATA.study.time.days_per_unit
    monkeypatch.setattr("lib.dataset.course.assessment_frame", lambda _: rows)
    return course_frame(replace(DATA)).iloc[0]  # a data set of its own: what is derived from one is remembered


@pytest.mark.parametrize(
    ("assessed", "best", "confirmed"),
    [
        ([(30, "PR"), (58, "PR")], "PR", True),
        ([(30, "PR"), (57, "PR")], "PR", False),
        ([(30, "PR"), (40, "NE"), (90, "PR")], "PR", True),
        ([(30, "PR"), (60, "SD"), (90, "PR")], "PR", False),
        ([(30, "PR"), (60, "CR"), (70, "SD")], "CR", True),
        ([(41, "SD"), (90, "PD")], "PD", False),
        ([(42, "SD"), (90, "PD")], "SD", False),
        ([(41, "SD")], "NE", False),
        ([(30, "NE")], "NE", False),
    ],
)
def test_best_and_confirmed_response_of_a_course(monkeypatch, assessed, best, confirmed):
    row = with_responses(monkeypatch, assessed)
    assert (row["best_response"], row["confirmed"]) == (best, confirmed)
