"""Firth's logistic regression against brglm2 and base R: expected/proportions.json (proportions.R)."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_data import load_expected

from lib.statistics.contingency import share_of_layers
from lib.statistics.models import logistic

DRAWN = settings(deadline=None, max_examples=30)
CASES = load_expected("proportions")["firth"]
LAYERS = load_expected("staples")["layers"]


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


def levels_of(count, n, arms, levels):
    frame = pd.DataFrame({"group": arms, "count": count, "n": n, "level": levels})
    return {level: part.drop(columns="level").reset_index(drop=True) for level, part in frame.groupby("level")}


@pytest.mark.parametrize(
    ("count", "n", "arms", "levels", "expected"),
    [
        ([2, 1, 3, 5, 7, 3], [12, 2, 15, 10, 9, 4], list("AABBCC"), list("FMFMFM"), (0.921625232612, 2, 0.630770862499)),
        ([120, 300, 211, 190, 87, 260], [400, 500, 450, 470, 200, 600], list("AAABBB"), list("xyzxyz"), (26.6081761292, 2, 1.66766174623e-06)),
    ],
)  # fmt: skip
def test_interaction_of_what_cannot_be_listed_equals_r(count, n, arms, levels, expected):
    """anova(glm(cbind(count, n - count) ~ arm + g, binomial), glm(cbind(count, n - count) ~ arm * g, binomial), test = "LRT")"""
    row = logistic.compare_interaction(levels_of(count, n, arms, levels), {}, limit=1).iloc[0]
    assert_allclose([row["chisq"], row["df"], row["p_value"]], expected, rtol=1e-6)
    assert row["note"] == ""


@pytest.mark.parametrize("name", LAYERS)
def test_exact_interaction_equals_r(name):
    """Every table with these totals, listed by expand.grid (staples.R), nobody or everybody in a cell or not."""
    case = LAYERS[name]
    count, n = np.array(case["count"]), np.array(case["n"])
    levels = {str(i): pd.DataFrame({"group": list("ABC")[: n.shape[1]], "count": count[i], "n": n[i]}) for i in range(len(n))}
    row = logistic.compare_interaction(levels, {}).iloc[0]
    assert_allclose(row["p_value"], case["p"], rtol=1e-6)
    assert row["method"] == logistic.EXACT and row["note"] == ""


@pytest.mark.parametrize(
    ("count", "n", "limit", "why"),
    [([2, 0, 3, 5], [12, 2, 15, 10], 1, "with Drug nobody or everybody"), ([2, 0, 3, 0], [12, 0, 15, 0], 99, "one level only"),
     ([0, 0, 0, 0], [12, 2, 15, 10], 99, "one table only"), ([0, 0, 15, 10], [12, 2, 15, 10], 99, "one table only")],
)  # fmt: skip
def test_interaction_that_counts_cannot_tell_is_not_tested(count, n, limit, why):
    row = logistic.compare_interaction(levels_of(count, n, list("AABB"), list("FMFM")), {"A": "Drug", "B": "Seeds"}, limit).iloc[0]
    assert np.isnan(row["p_value"]) and why in row["note"]


def test_exact_interaction_holds_its_level():
    """Arms of 14, 25 and 13 that respond alike in both levels: all tables together are called different in 5 % at most."""
    n = np.array([[7, 12, 6], [7, 13, 7]])
    rng, found = np.random.default_rng(3), []
    for _ in range(400):
        y = rng.binomial(n, [[0.21, 0.32, 0.77]] * 2)
        levels = {str(i): pd.DataFrame({"group": list("ABC"), "count": y[i], "n": n[i]}) for i in range(2)}
        found.append(logistic.compare_interaction(levels, {})["p_value"].iat[0])
    assert 0.01 < np.mean(np.array(found) < 0.05) < 0.07


@DRAWN
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 6)), min_size=6, max_size=6), st.permutations(range(3)), st.booleans())
def test_exact_interaction_knows_no_order(cells, order, other):
    """Order of arms and of levels, and which outcome is counted, change nothing."""
    n = np.array([b + 1 for _, b in cells]).reshape(2, 3)
    count = np.minimum(np.array([a for a, _ in cells]).reshape(2, 3), n)
    again, of = (n - count if other else count)[::-1][:, order], n[::-1][:, order]
    assert_allclose(share_of_layers(again, of), share_of_layers(count, n), rtol=1e-9)


@DRAWN
@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), min_size=2, max_size=4), st.integers(1, 9))
def test_levels_with_the_same_counts_do_not_interact(cells, repeat):
    """Whatever the shares of the arms are, levels that are copies of each other have the same odds ratios."""
    count, n = zip(*((a, a + b) for a, b in cells), strict=True)
    arms = [f"arm {i}" for i in range(len(cells))]
    one = pd.DataFrame({"group": arms, "count": count, "n": n})
    more = one.assign(count=one["count"] * repeat, n=one["n"] * repeat)
    exact = logistic.compare_interaction({"x": one, "y": more}, {}).iloc[0]
    assert exact["method"] != logistic.EXACT or exact["p_value"] > 0.3 or "one table" in exact["note"]
    row = logistic.compare_interaction({"x": one, "y": more}, {}, limit=1).iloc[0]
    assert abs(row["chisq"]) < 1e-9 and row["df"] == len(cells) - 1


def test_three_patients_have_the_odds_of_their_counts():
    """2 of 2 against 0 of 1: with half a patient added to each cell, (2.5 / 0.5) / (0.5 / 1.5) = 15"""
    patients = pd.DataFrame({"arm": ["a", "b", "b"], "y": [False, True, True]})
    assert_allclose(logistic.estimate_adjusted_odds(patients, "y")["odds_ratio"], 15, rtol=1e-7)
