"""Firth's logistic regression against brglm2 and base R: expected/proportions.json (proportions.R)."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_data import load_expected

from lib.statistics.models import logistic

DRAWN = settings(deadline=None, max_examples=30)
CASES = load_expected("proportions")["firth"]


def patients_of(case):
    data = pd.DataFrame(case["data"])
    return data.assign(arm=data["arm"].astype("category"), y=data["y"].astype(bool))


@pytest.mark.parametrize("name", CASES)
def test_firth_equals_r(name):
    """glm(y ~ ., binomial, method = "brglmFit", type = "AS_mean"); limits by optim and uniroot"""
    case = CASES[name]
    covariates = [column for column in case["data"] if column not in ("y", "arm")]
    frame = logistic.estimate_adjusted_odds(patients_of(case), "y", covariates)
    assert_allclose(frame.coef, case["coef"], rtol=1e-6)
    assert_allclose(frame.std_err, case["se"], rtol=1e-6)
    assert_allclose(np.log(frame.ci_low), case["low"], rtol=1e-5)
    assert_allclose(np.log(frame.ci_high), case["high"], rtol=1e-5)
    assert_allclose(frame.p_value, case["p"], rtol=1e-5)
    assert frame.group[:2].tolist() == ["b vs a", "c vs a"]


@pytest.mark.parametrize(
    ("outcome", "covariate", "reason"),
    [
        ([True] * 4, [1.0, 2.0, 3.0, 4.0], "same outcome"),
        ([True, False, True, False], [0.0, 0.0, 1.0, 1.0], "determine each other"),
    ],
)
def test_model_that_is_not_determined_is_nan_with_a_reason(outcome, covariate, reason):
    patients = pd.DataFrame({"arm": list("aabb"), "y": outcome, "x": covariate})
    frame = logistic.estimate_adjusted_odds(patients, "y", ["x"])
    assert frame[["odds_ratio", "ci_low", "ci_high", "p_value"]].isna().all(axis=None)
    assert frame.note.str.contains(reason).all()


def test_levels_are_compared_with_the_first():
    patients = patients_of(CASES["adjusted"])
    stages = np.resize(["II", "I", "III"], len(patients))
    patients["stage"] = pd.Categorical(stages, categories=["I", "II", "III"])
    frame = logistic.estimate_adjusted_odds(patients, "y", ["stage"], reference="c")
    assert frame.term.tolist() == ["arm", "arm", "stage = II", "stage = III"]
    assert frame.group.tolist() == ["a vs c", "b vs c", "overall", "overall"]


@DRAWN
@given(st.lists(st.booleans(), min_size=6, max_size=30).filter(lambda y: 0 < sum(y) < len(y)))
def test_estimates_are_finite_and_mirror(outcome):
    patients = pd.DataFrame({"arm": np.resize(["a", "b"], len(outcome)), "y": outcome})
    row = logistic.estimate_adjusted_odds(patients, "y").iloc[0]
    other = logistic.estimate_adjusted_odds(patients.assign(y=~patients.y), "y").iloc[0]
    assert 0 < row.ci_low <= row.odds_ratio <= row.ci_high < np.inf
    assert_allclose(row.odds_ratio * other.odds_ratio, 1, rtol=1e-6)


def test_estimates_of_many_patients_are_at_rest():
    """Rounding of a log likelihood of 100,000 patients is no fall: another step of Newton's method changes nothing."""
    rng = np.random.default_rng(4)
    arm, age = rng.choice(list("abc"), 100_000), rng.normal(60, 10, 100_000)
    y = (rng.random(100_000) < 0.3 + 0.05 * (arm == "b")).astype(float)
    columns = np.column_stack([arm == "b", arm == "c", age]).astype(float)
    x = np.column_stack([np.ones(len(y)), (columns - columns.mean(axis=0)) / columns.std(axis=0)])
    beta, _ = logistic._maximise(x, y, np.zeros(4))
    p, inverse = 1 / (1 + np.exp(-x @ beta)), np.linalg.inv(logistic._information(x, beta))
    leverage = p * (1 - p) * ((x @ inverse) * x).sum(axis=1)
    assert_allclose(inverse @ (x.T @ (y - p + leverage * (0.5 - p))), 0, atol=1e-11)
