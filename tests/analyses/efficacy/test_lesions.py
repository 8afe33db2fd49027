"""Nested random intercepts equal lme4, at a boundary too; lesions of one patient belong together."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_data import load_expected
from study_builder import write_study

from lib.analyses.efficacy.lesions import analyse_lesions
from lib.analyses.result import Absent
from lib.dataset.course import lesion_frame
from lib.dataset.dataset import load
from lib.show.plots.markers import plot_ratios
from lib.show.sentences.markers import sentence_lesions
from lib.show.tables.markers.change import table_ratios
from lib.statistics.models import mixed
from lib.statistics.models.reml_nested import _Profile, fit_nested_intercepts
from lib.study.study import ROOT

EXPECTED = load_expected("lesions")
VISITS = (6.0, 12.0)
DRAWN = settings(deadline=None, max_examples=20)


@pytest.fixture(scope="module")
def cohort():
    data = load("efficacy", study=str(ROOT / "data/rair_dtc"))
    return data, analyse_lesions(data, VISITS)


def _samples(case) -> pd.DataFrame:
    frame = pd.DataFrame(case["data"]).rename(columns={"patient": "patient_id"})
    return frame.assign(arm=frame["arm"].astype("category"))


def test_the_model_of_lesions_equals_r(cohort):
    """R: lmer(log(volume) ~ arm * month + (1 | patient_id / lesion_id)), emmeans and lmerTest with Satterthwaite df."""
    _, found = cohort
    variance = found["lesion_volume_model_variance"].iloc[0]
    assert variance["n"] == EXPECTED["n"]
    names = ["var_between", "var_lesions", "var_within"]
    assert_allclose(variance[names].astype(float), [EXPECTED[k] for k in ("patient", "lesion", "residual")], rtol=1e-6)
    assert_allclose(variance["loglik"], EXPECTED["loglik"], rtol=1e-10)
    for output, key in (("ratio", "within"), ("comparison", "between")):
        rows = found[f"lesion_volume_model_{output}"]
        rows = rows.sort_values(["group", "time"]) if key == "within" else rows.sort_values(["time", "group"])
        for column, name in (("coef", "coef"), ("std_err", "se"), ("df", "df"), ("p_value", "p")):
            assert_allclose(rows[column], EXPECTED[key][name], rtol=1e-5 if name == "p" else 1e-6)  # one of 1e-19 moves by more
    terms = found["lesion_volume_model_term"]
    for column, name in (("statistic", "f"), ("df_residual", "df")):
        assert_allclose(terms[column], EXPECTED[name], rtol=1e-6)
    # A p-value of 1e-36 moves by seventy times what its F statistic moves by.
    assert_allclose(terms["p_value"], EXPECTED["p"], rtol=1e-4)


@pytest.mark.parametrize("name", ["both", "no_patient", "no_lesion"])
def test_made_sets_equal_r(name):
    """R: lmer(log(value) ~ arm * factor(visit) + (1 | patient / id)); unequal numbers of lesions, a variance of zero."""
    case = EXPECTED["made"][name]
    fit = mixed.fit_mixed(_samples(case), visit="visit", within="id")
    row = mixed.estimate_variance(fit).iloc[0]
    assert_allclose(row[["var_between", "var_lesions", "var_within"]].astype(float),
                    [case["patient"], case["lesion"], case["residual"]], rtol=1e-6)  # fmt: skip
    assert_allclose(row["loglik"], case["loglik"], rtol=1e-10)
    assert ("between patients is estimated as zero" in row["note"]) == (name == "no_patient")
    assert_allclose(fit.model.means[0], case["means"][0], rtol=1e-6)
    assert_allclose(fit.model.means[3] - fit.model.means[0], case["means"][1], rtol=1e-5)


def test_the_second_level_matters(cohort):
    """R: the model without lesions has a likelihood that is lower by 30; without it intervals are too narrow."""
    samples = lesion_frame(cohort[0]).query("visit in (0, 6, 12)")
    assert EXPECTED["loglik"] - EXPECTED["loglik_patients_only"] > 25
    naive = mixed.fit_mixed(samples.assign(patient_id=samples["lesion_id"]), visit="visit")
    errors = [np.diag(fit.model.covariance) for fit in (naive, _refit(samples))]
    assert (errors[0] < errors[1]).all()


def _refit(samples):
    return mixed.fit_mixed(samples, visit="visit", within="lesion_id")


@DRAWN
@given(st.integers(0, 2**32 - 1))
def test_the_gradient_is_that_of_the_deviance(seed):
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(6), 6)
    group = np.repeat(np.arange(12), 3)
    design = np.column_stack([np.ones(36), np.tile([0, 1, 2], 12)])
    profile = _Profile(rng.normal(size=36) + rng.normal(size=6)[patient], design, patient, group)
    at = rng.uniform(0.1, 2, 2)
    steps = 1e-6 * np.eye(2)
    slope = [(profile.deviance(at + h) - profile.deviance(at - h)) / 2e-6 for h in steps]
    assert_allclose(profile.gradient(at), slope, rtol=1e-5, atol=1e-6)


def test_one_lesion_each_or_no_repetition_is_no_nested_model():
    y, design = np.arange(6.0), np.ones((6, 1))
    alone = fit_nested_intercepts(y, design, np.repeat([0, 1, 2], 2), np.repeat([0, 1, 2], 2))
    once = fit_nested_intercepts(y, design, np.repeat([0, 1, 2], 2), np.arange(6))
    assert "no patient has two lesions" in alone.note
    assert "no lesion has two values" in once.note
    same = fit_nested_intercepts(
        np.repeat([1.0, 5.0, 2.0, 7.0], 2), np.ones((8, 1)), np.repeat([0, 1], 4), np.repeat(np.arange(4), 2)
    )
    assert "do not vary within lesions" in same.note


def test_a_flat_likelihood_is_not_estimable():
    """Two patients, one seen twice, one with three lesions: each split of two variances has the same likelihood."""
    y = np.log([27.568605985006947, 4.9468774560486315, 4.417330598359537, 10.896687946403558, 6.926271417764519])
    design = np.column_stack([[1, 0, 1, 1, 1], [0, 1, 0, 0, 0]]).astype(float)
    fit = fit_nested_intercepts(y, design, np.array([0, 0, 1, 1, 1]), np.array([0, 0, 1, 2, 3]))
    assert fit.note == "not estimable: too few values to tell the variances apart"
    assert np.isnan(fit.within)


def test_page_carries_the_numbers(cohort):
    _, found = cohort
    row = found["lesion_volume_model_ratio"].query("group == 'C' and time == 12").iloc[0]
    said = f"{row['ratio']:.2f} ({row['ci_low']:.2f} to {row['ci_high']:.2f})"
    assert said in sentence_lesions(found)
    targets = cohort[0].tables["lesions"].query("target")["patient_id"].value_counts()
    assert f"{(targets > 1).sum()} of 52 patients have several target lesions" in sentence_lesions(found)
    text = table_ratios(found).to_text()
    assert said in text
    assert "between the lesions of a patient" in text
    assert "Volume of the single lesions" in plot_ratios(found).title + plot_ratios(found).alt


def test_a_vanished_lesion_counts_as_too_small_and_every_lesion_once(cohort):
    data, _ = cohort
    frame = lesion_frame(data)
    assert not frame.duplicated(["lesion_id", "visit"]).any()
    assert (frame["value"] > 0).all()


def test_studies_that_cannot_be_modelled_say_why(tmp_path):
    six = load("efficacy", study=str(write_study(tmp_path / "six")))
    single = six.tables["lesions"].drop_duplicates("patient_id")
    one = replace(six, tables={**six.tables, "lesions": single})
    colon = load("efficacy", study=str(ROOT / "data/colon"))
    assert isinstance(analyse_lesions(six, VISITS), Absent) or sentence_lesions(analyse_lesions(six, VISITS))
    assert "no patient has two target lesions" in sentence_lesions(analyse_lesions(one, VISITS))
    assert "no table of lesions" in sentence_lesions(analyse_lesions(colon, VISITS))
