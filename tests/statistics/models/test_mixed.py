"""Mixed model against lme4, lmerTest and emmeans: expected/small_samples.json and mixed.json (mixed.R)."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_data import load_expected, numbers

from lib.statistics.models import mixed

DRAWN = settings(deadline=None, max_examples=20)
FIRST = load_expected("small_samples")["mixed_model"]
CASES = load_expected("mixed")


def samples_of(case):
    data = pd.DataFrame(case["data"]).rename(columns={"id": "patient_id", "visit": "time"})
    return data.assign(arm=data["arm"].astype("category"))


def fit_of(case):
    return mixed.fit_mixed(samples_of(case))


@pytest.mark.parametrize("case", [FIRST, *CASES.values()], ids=["first", *CASES])
def test_variance_components_and_likelihood_equal_r(case):
    """lmer(log(value) ~ arm * factor(visit) + (1 | id), REML = TRUE); lme4 stops near 1e-7"""
    row = mixed.estimate_variance(fit_of(case)).iloc[0]
    assert_allclose([row.var_between, row.var_within], case["variance"], rtol=1e-5)
    assert_allclose(row.loglik, case["loglik"], rtol=1e-9)


def test_cell_means_carry_the_fixed_effects_of_r():
    """fixef(m), sqrt(diag(vcov(m))), in R's treatment coding"""
    model, fixed = fit_of(FIRST).model, np.array(list(FIRST["fixed"].values()))
    coding = np.linalg.inv(np.kron(treatment_coding(3), treatment_coding(5)))
    # R's order: intercept, arms, visits, then interactions with the arm running fastest.
    order = [0, 5, 10, 1, 2, 3, 4, 6, 11, 7, 12, 8, 13, 9, 14]
    assert_allclose((coding @ model.means)[order], fixed, rtol=1e-6)
    errors = np.sqrt(np.diag(coding @ model.covariance @ coding.T))[order]
    assert_allclose(errors, FIRST["se"], rtol=1e-6)


def treatment_coding(n):
    return np.column_stack([np.ones(n), np.eye(n)[:, 1:]])


@pytest.mark.parametrize("case", [FIRST, CASES["three_arms"]], ids=["first", "three_arms"])
def test_terms_equal_r(case):
    """anova(m, ddf = "Satterthwaite"), type III"""
    terms, expected = mixed.compare_terms(fit_of(case)), case["anova"]
    assert terms.term.tolist() == ["arm", "visit", "arm x visit"]
    assert_allclose(terms.statistic, expected["F"], rtol=1e-6)
    assert_allclose(terms.df_residual, expected["den_df"], rtol=1e-6)
    assert_allclose(terms.p_value, expected["p"], rtol=1e-5)  # 1e-26 in the tail: relative to that


@pytest.mark.parametrize("name", CASES)
def test_satterthwaite_contrasts_equal_r(name):
    """contrast(emmeans(m, ~ visit | arm, lmer.df = "satterthwaite"), "trt.vs.ctrl", adjust = "none")"""
    ratios, expected = mixed.estimate_ratios(fit_of(CASES[name])), CASES[name]["contrast"]
    for column, key in [("coef", "estimate"), ("std_err", "SE"), ("df", "df"), ("p_value", "p.value")]:
        assert_allclose(ratios[column], numbers(expected[key]), rtol=2e-5 if key == "p.value" else 1e-5)
    assert_allclose(ratios.ratio, np.exp(ratios.coef))


def test_ratios_of_ratios_equal_r():
    """contrast(emmeans(m, ~ arm * visit), interaction = c("revpairwise", "trt.vs.ctrl"))"""
    fit, case = fit_of(CASES["three_arms"]), CASES["three_arms"]
    between = mixed.compare_ratios(fit).set_index(["group", "time"])
    expected = case["between_arms"]
    keys = [
        (pair.replace(" - ", " vs "), int(visits.split(" - ")[0]))
        for pair, visits in zip(expected["arm_revpairwise"], expected["visit_f_trt.vs.ctrl"], strict=True)
    ]
    for column, key in [("coef", "estimate"), ("std_err", "SE"), ("df", "df")]:
        assert_allclose(between.loc[keys, column], expected[key], rtol=1e-5)


def test_one_arm_has_a_visit_test_only():
    """contestMD(lmer(log(value) ~ factor(visit) + (1 | id)), cbind(0, diag(2)), ddf = "Satterthwaite")"""
    terms, expected = mixed.compare_terms(fit_of(CASES["one_arm"])), CASES["one_arm"]["anova"]
    alone = "not estimable: fewer than two levels"
    assert terms.note.tolist() == [alone, "", alone]
    visit = terms.iloc[1]
    assert_allclose([visit.statistic, visit.df_residual, visit.p_value],
                    [expected["F"], expected["den_df"], expected["p"]], rtol=1e-5)  # fmt: skip


def test_empty_cell_costs_that_cell_only():
    fit = fit_of(CASES["empty_cell"])
    ratios = mixed.estimate_ratios(fit).set_index(["group", "time"])
    reason = "not estimable: arm b has no value at visit 12"
    assert ratios.index[ratios.ratio.isna()].tolist() == [("b", 12)]
    assert ratios.loc[("b", 12), "note"] == reason
    assert (mixed.compare_terms(fit).note == reason).all()
    assert mixed.count_values(fit)["n"].eq(0).sum() == 1


def test_zero_variance_between_patients_is_said():
    fit = fit_of(CASES["singular"])
    assert fit.model.between == 0
    assert mixed.estimate_ratios(fit).note.eq("the variance between patients is estimated as zero").all()


@pytest.mark.parametrize(
    ("values", "patients", "reason"),
    [
        ([5.0, 7.0, 6.0, 9.0], [1, 2, 3, 4], "no patient has two values"),
        ([5.0, 7.0], [1, 1], "no more values than means"),
        ([5.0, 5.0, 5.0, 5.0], [1, 1, 2, 2], "do not vary around their means"),
        ([5.0, 5.0, 7.0, 7.0], [1, 1, 2, 2], "do not vary within patients"),
        ([], [], "no more values than means"),
    ],
)
def test_data_that_determine_no_model_are_nan_with_a_reason(values, patients, reason):
    samples = pd.DataFrame({"patient_id": patients, "time": [0, 1] * (len(values) // 2), "value": values})
    samples["arm"] = pd.Categorical(["a"] * len(samples), categories=["a"])
    fit = mixed.fit_mixed(samples.astype({"value": float}))
    assert not fit.model.is_fitted
    assert reason in mixed.estimate_variance(fit).note[0]
    for frame in (mixed.estimate_ratios(fit), mixed.compare_terms(fit)):
        assert frame.select_dtypes(float).drop(columns=["time", "n"], errors="ignore").isna().all(axis=None)


def test_values_that_have_no_logarithm_are_refused():
    samples = samples_of(CASES["one_arm"])
    with pytest.raises(ValueError, match=r"value must be positive .* but found 1 values <= 0"):
        mixed.fit_mixed(samples.assign(value=samples.value.where(samples.index != 3, 0.0)))


@DRAWN
@given(st.floats(0.001, 1000), st.randoms(use_true_random=False))
def test_unit_and_row_order_leave_ratios_alone(unit, shuffle):
    samples = samples_of(CASES["empty_cell"])
    rows = list(range(len(samples)))
    shuffle.shuffle(rows)
    once = mixed.fit_mixed(samples)
    again = mixed.fit_mixed(samples.assign(value=samples.value * unit).iloc[rows])
    columns = ["ratio", "ci_low", "ci_high", "df", "p_value"]
    assert_allclose(mixed.estimate_ratios(again)[columns], mixed.estimate_ratios(once)[columns], rtol=1e-6)
    assert_allclose(again.model.means, once.model.means + np.log(unit), rtol=1e-6, atol=1e-8)


def test_a_likelihood_that_rounding_alone_tells_apart_is_not_estimable():
    """Eleven values of seven patients, one degree of freedom: the profile of the variances is flat to eight digits, and its slope rounding."""
    rows = [
        ("A0", "A", 0, 37.063), ("A0", "A", 1, 12.245), ("B1", "B", 0, 4.609), ("B3", "B", 0, 4.34), ("B3", "B", 1, 38.902), ("B3", "B", 2, 30.045),
        ("C0", "C", 0, 14.608), ("C0", "C", 1, 3.024), ("C0", "C", 2, 2.597), ("D2", "D", 0, 56.896), ("D2", "D", 1, 2.704),
    ]  # fmt: skip
    samples = pd.DataFrame(rows, columns=["patient_id", "arm", "time", "value"]).astype({"arm": "category", "time": float})
    fit = mixed.fit_mixed(samples)
    assert not fit.model.is_fitted and fit.model.note.startswith("not estimable: too few values")
