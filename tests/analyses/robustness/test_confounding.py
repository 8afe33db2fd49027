"""Propensity, overlap weights, weighted comparison and E-values equal R; what cannot be weighted says so."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_data import load_expected

from lib.analyses.cohort.flow import analyse_enrolment
from lib.analyses.efficacy.survival import analyse
from lib.analyses.result import Absent
from lib.analyses.robustness import confounding
from lib.dataset.dataset import load
from lib.show.display import EMPTY
from lib.show.sentences.robustness import sentence_calendar, sentence_e_value, sentence_weights
from lib.show.tables.conduct import table_enrolment
from lib.show.tables.confounding import table_balance, table_weighted
from lib.statistics.weighting import propensity
from lib.study.study import ROOT

EXPECTED = load_expected("robustness")


def _of(study="data/rair_dtc", **parameters):
    data = load("efficacy", study=str(ROOT / study), **parameters)
    return data, analyse(data, data.study.primary)


@pytest.fixture(scope="module")
def cohort():
    data, analysis = _of()
    return data, analysis, confounding.analyse_weights(data, analysis)


def test_propensity_equals_r(cohort):
    """R: nnet::multinom(arm ~ age + sex + log_tg, reltol = 1e-16); its optimiser stops near 1e-6."""
    terms, patients = cohort[2]["propensity"], cohort[2]["patients"]
    for column, name in (("coef", "coef"), ("std_err", "se")):
        found = terms[column].to_numpy().reshape(2, 3)
        np.testing.assert_allclose(found, EXPECTED["propensity"][name], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(cohort[2]["scores"][["A", "B", "C"]], EXPECTED["propensity"]["scores"], rtol=1e-5)
    np.testing.assert_allclose(patients["weight"], EXPECTED["propensity"]["weights"], rtol=1e-5)


def test_weighted_comparison_equals_r(cohort):
    """R: coxph(weights = w, robust = TRUE); survfit(weights = w); Kish's effective size."""
    found = cohort[2]
    np.testing.assert_allclose(found["effective_size"]["ess"], EXPECTED["ess"], rtol=1e-5)
    np.testing.assert_allclose(found["weighted_cox"]["coef"], EXPECTED["weighted"]["coef"], rtol=2e-5)
    np.testing.assert_allclose(found["weighted_cox"]["std_err"], EXPECTED["weighted"]["se"], rtol=1e-5)
    curve = found["weighted_curve"].query("time > 0")
    assert curve.groupby("group", sort=False).size().tolist() == EXPECTED["weighted_curve"]["n"]
    np.testing.assert_allclose(curve["time"], EXPECTED["weighted_curve"]["time"], rtol=1e-9)
    np.testing.assert_allclose(curve["survival"], EXPECTED["weighted_curve"]["surv"], rtol=1e-5, atol=1e-9)


def test_e_value_equals_the_closed_form():
    """R: closed form; frequent and rare outcome."""
    e = EXPECTED["e_value"]
    found = propensity.estimate_e_value(0.326, 0.127, 0.837, share=0.8)
    assert [found["e_value"], found["e_value_limit"]] == pytest.approx([e["estimate"], e["limit"]], rel=1e-9)
    assert propensity.estimate_e_value(0.326, 0.127, 0.837, share=0.1)["e_value"] == pytest.approx(e["rare"], rel=1e-9)


@given(st.floats(0.05, 20), st.floats(1.01, 5), st.floats(0, 1))
def test_e_value_does_not_depend_on_the_direction(hr, width, share):
    one = propensity.estimate_e_value(hr, hr / width, hr * width, share)
    other = propensity.estimate_e_value(1 / hr, 1 / hr / width, 1 / hr * width, share)
    assert list(one.values()) == pytest.approx(list(other.values()), rel=1e-6)
    assert one["e_value"] >= one["e_value_limit"] >= 1


def test_weights_balance_two_arms_exactly():
    """With two arms, overlap weights of a logistic model make the means of its covariates equal (Li et al. 2018)."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=80)
    arm = pd.Categorical(np.where(rng.random(80) < 1 / (1 + np.exp(-x)), "B", "A"), ["A", "B"], ordered=True)
    frame = pd.DataFrame({"arm": arm, "x": x})
    scores, _ = propensity.estimate_propensity(frame, ["x"], "A")
    weights = propensity.make_overlap_weights(scores, frame["arm"])
    means = [np.average(x[arm == a], weights=weights[arm == a]) for a in "AB"]
    assert means[0] == pytest.approx(means[1], rel=1e-8)
    assert ((weights > 0) & (weights < 1)).all()
    np.testing.assert_allclose(scores.sum(axis=1), 1)


def test_covariates_that_tell_the_arms_apart_are_refused():
    frame = pd.DataFrame({"arm": pd.Categorical(list("AAAABBBB"), ordered=True), "x": [1, 2, 3, 4, 11, 12, 13, 14]})
    with pytest.raises(ValueError, match="apart"):
        propensity.estimate_propensity(frame, ["x"], "A")


def test_balance_gets_better_and_the_table_shows_every_variable(cohort):
    data, analysis, weights = cohort
    before, after = (
        weights[f"balance_{w}"].query("group == 'overall'").set_index("variable")["smd"] for w in ("before", "after")
    )
    modelled = ["age_years", "sex", "log tg_baseline"]
    assert (after[modelled] < before[modelled]).all()
    text = table_balance(weights).to_text()
    assert all(v.label in text for v in data.study.baseline)
    said = sentence_weights(weights)
    size = weights["effective_size"].query("group != 'overall'")
    small = (size["ess"] < 10) | (size["ess"] < size["n"] / 2)
    assert ("That is too few with" in said) == small.any()
    assert all(f"{row.ess:.1f} of {row.n}" in said for row in size.itertuples())
    assert "Weighted hazard ratio" in [
        c.label for c in table_weighted(weights, confounding.analyse_e_values(data, analysis)).columns
    ]


def test_too_small_arms_are_not_weighted_without_a_warning():
    data, analysis = _of(subgroup="sex", subgroup_values=["F"])
    weights = confounding.analyse_weights(data, analysis)
    said = sentence_weights(weights)
    assert isinstance(weights, Absent) or "That is too few with" in said


def test_a_randomised_study_without_dates_says_so():
    data, analysis = _of("data/colon")
    weights, e_values = confounding.analyse_weights(data, analysis), confounding.analyse_e_values(data, analysis)
    assert "formed by chance, so the comparison is not weighted" in sentence_weights(weights)
    assert "holds no dates" in sentence_calendar(confounding.analyse_calendar(data))
    assert "no E-value" in sentence_e_value(e_values)
    assert table_weighted(weights, e_values) is EMPTY


def test_a_column_of_dates_that_nobody_has_is_no_date(cohort):
    data = cohort[0]
    blank = replace(data, tables={**data.tables, "patients": data.patients.assign(time_zero=pd.NaT)})
    assert "holds no dates" in sentence_calendar(confounding.analyse_calendar(blank))


def test_every_patient_is_enrolled_once(cohort):
    data = cohort[0]
    calendar = confounding.analyse_calendar(data)
    years = calendar["enrolment"]
    assert years.groupby(years["group"] == "overall")["count"].sum().tolist() == [len(data.patients)] * 2
    shown = [row.cells[0] for row in table_enrolment(calendar).rows]
    assert shown[-3:] == ["Median (quartiles)", "Range", "On the same day"]
    assert table_enrolment(analyse_enrolment(data)).rows == table_enrolment(calendar).rows[:-4]
    assert calendar["component_gap"]["group"].tolist() == ["C"]
    gap = calendar["component_gap"].iloc[0]
    said = f"{gap['median']:.0f} days ({gap['min']:.0f} to {gap['max']:.0f})"
    assert said in sentence_calendar(calendar)
