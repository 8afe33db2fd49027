"""Standardized differences and quantiles against base R: expected/balance.json (balance.R)."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_data import load_expected, numbers

from lib.statistics import balance

DRAWN = settings(deadline=None)
CASE = load_expected("balance")
VARIABLES = ["age", "sex", "histology"]
levels = st.lists(st.sampled_from("pqr"), min_size=4, max_size=30)


def patients_of():
    data = pd.DataFrame(CASE["data"])
    return data.assign(arm=data["arm"].astype("category"), age=numbers(CASE["data"]["age"]))


@pytest.mark.parametrize(("key", "weight"), [("smd", None), ("weighted", "weight")])
@pytest.mark.parametrize("variable", VARIABLES)
def test_differences_equal_r(variable, key, weight):
    """numeric(), two(), levels_smd() of balance.R"""
    frame = balance.compare_balance(patients_of(), [variable], weight=weight).set_index("group")
    expected = np.array(CASE[key][variable])
    assert_allclose(frame.loc[CASE["pairs"], "smd"], expected, rtol=1e-9)
    assert_allclose(frame.loc["overall", "smd"], np.abs(expected).max(), rtol=1e-9)


def test_quantiles_equal_r():
    """quantile(x, type = 7), mean(x), sd(x)"""
    frame = balance.estimate_quantiles(patients_of(), ["age"]).set_index("group")
    columns = ["min", "q1", "median", "q3", "max", "mean", "sd"]
    assert_allclose(frame.loc[["a", "b", "c"], columns], [CASE["age"][arm] for arm in "abc"], rtol=1e-12)
    assert frame.n_missing.tolist() == [1, 1, 0, 2]
    assert frame.loc["overall", "n"] == 50


def test_levels_are_counted_in_their_order_with_missing_apart():
    arm = pd.Categorical(["a", "a", "b"], categories=["a", "b", "c"])
    stage = pd.Categorical(["II", None, "I"], categories=["I", "II", "III"])
    frame = balance.count_levels(pd.DataFrame({"arm": arm, "stage": stage}), ["stage"])
    assert frame["count"].tolist() == [0, 1, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    assert frame.level.unique().tolist() == ["I", "II", "III"]
    in_a = frame[frame.group == "a"]
    assert (in_a.n == 1).all()
    assert (in_a.n_missing == 1).all()
    assert frame[frame.group == "c"].proportion.isna().all()


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([1.0, 2.0, np.nan, np.nan], "an arm has no value"),
        ([1.0, 2.0, 3.0, np.nan], "one value only"),
        ([1.0, 1.0, 2.0, 2.0], "differ but do not vary"),
        (["p", "p", "q", "q"], "differ but do not vary"),
    ],
)
def test_difference_that_does_not_exist_is_nan_with_a_reason(values, reason):
    frame = balance.compare_balance(pd.DataFrame({"arm": list("aabb"), "x": values}), ["x"])
    assert frame.smd.isna().all()
    assert reason in frame.note[0]


def test_equal_arms_do_not_differ():
    patients = pd.DataFrame({"arm": list("aabb"), "x": [1, 2, 2, 1], "y": list("pqqp"), "z": list("pppp")})
    assert (balance.compare_balance(patients, ["x", "y", "z"]).smd == 0).all()


def test_effective_sample_size_of_equal_and_of_no_weights():
    assert balance.effective_sample_size([2.0] * 7) == pytest.approx(7)
    assert balance.effective_sample_size([1.0, 0.0, 0.0]) == pytest.approx(1)
    assert np.isnan(balance.effective_sample_size([0.0, 0.0]))


@DRAWN
@given(levels, st.permutations("pqr"))
def test_names_of_levels_do_not_matter(values, names):
    """Which level is left out of the Mahalanobis distance is a choice without effect"""
    patients = pd.DataFrame({"arm": np.resize(["a", "b"], len(values)), "x": values})
    renamed = patients.assign(x=patients.x.map(dict(zip("pqr", names, strict=True))))
    found = [balance.compare_balance(frame, ["x"]).smd.iloc[-1] for frame in (patients, renamed)]
    assert_allclose(found[0], found[1], rtol=1e-6, atol=1e-9)


@DRAWN
@given(st.lists(st.integers(-50, 50), min_size=6, max_size=30), st.floats(0.1, 10), st.floats(-5, 5))
def test_unit_and_direction(values, factor, shift):
    patients = pd.DataFrame({"arm": np.resize(["a", "b"], len(values)), "x": np.array(values, dtype=float)})
    once = balance.compare_balance(patients, ["x"])
    again = balance.compare_balance(patients.assign(x=patients.x * factor + shift), ["x"])
    back = balance.compare_balance(patients, ["x"], reference="b")
    assert_allclose(again.smd, once.smd, rtol=1e-6, atol=1e-9)
    assert_allclose(back.smd, [-once.smd[0], once.smd[1]], rtol=1e-9)
