"""Rank tests against R: expected/small_samples.json (reference_small.R) and ranks.json (ranks.R)."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_data import load_expected

from lib.statistics import ranks

DRAWN = settings(deadline=None)
SMALL, RANKS = load_expected("small_samples"), load_expected("ranks")
changes = st.lists(st.integers(-5, 5), max_size=14)


def frame_of(**samples):
    arm = np.repeat(list(samples), [len(x) for x in samples.values()])
    value = np.concatenate([np.asarray(x, dtype=float) for x in samples.values()])
    return pd.DataFrame({"arm": pd.Categorical(arm, categories=list(samples)), "value": value})


@pytest.mark.parametrize("case", SMALL["signed_rank"])
def test_signed_rank_with_ties_and_zeros_equals_r(case):
    """wilcox.exact(d)"""
    assert_allclose(ranks.signed_rank_p(case["change"])[1], case["p_zeros_dropped"], rtol=1e-9)


@pytest.mark.parametrize("case", RANKS["one_sample"])
def test_change_equals_r(case):
    """wilcox.test(x, exact = TRUE, conf.int = TRUE)"""
    row = ranks.estimate_change(frame_of(a=case["x"]), "value").iloc[0]
    assert_allclose([row.statistic, row.p_value], [case["statistic"], case["p"]], rtol=1e-9)
    assert_allclose([row.estimate, row.ci_low, row.ci_high], [case["estimate"], *case["ci"]], rtol=1e-9)


@pytest.mark.parametrize("case", RANKS["two_sample"])
def test_shift_equals_r(case):
    """wilcox.test(x, y, exact = TRUE, conf.int = TRUE)"""
    row = ranks.estimate_shift(frame_of(x=case["x"], y=case["y"]), "value", reference="y").iloc[0]
    assert_allclose(row.p_value, case["p"], rtol=1e-9)
    assert_allclose([row.difference, row.ci_low, row.ci_high], [case["estimate"], *case["ci"]], rtol=1e-9)
    assert row.group == "x vs y"


@pytest.mark.parametrize("case", RANKS["two_sample_ties"])
def test_rank_sum_with_ties_equals_r(case):
    """coin::wilcox_test(value ~ arm, distribution = "exact"); wilcox.exact differs in one of the five"""
    row = ranks.estimate_shift(frame_of(x=case["x"], y=case["y"]), "value").iloc[0]
    assert_allclose(row.p_value, case["p_coin"], rtol=1e-9)


def test_large_samples_say_that_they_are_approximate():
    """wilcox.test(..., exact = FALSE, correct = TRUE)$p.value"""
    case = RANKS["large"]
    change = ranks.estimate_change(frame_of(x=case["x"]), "value").iloc[0]
    shift = ranks.estimate_shift(frame_of(y=case["y"], z=case["z"]), "value").iloc[0]
    assert_allclose([change.p_value, shift.p_value], [case["p_signed"], case["p_sum"]], rtol=1e-9)
    assert "approximation" in change.method
    assert "approximation" in shift.method
    assert shift.ci_low <= shift.difference <= shift.ci_high
    assert change.ci_low <= change.estimate <= change.ci_high


@pytest.mark.parametrize("case", SMALL["kruskal_dunn"])
def test_kruskal_and_dunn_equal_r(case):
    """kruskal.test(y, g); rstatix::dunn_test(y ~ g, p.adjust.method = "holm")"""
    frame = pd.DataFrame({"arm": np.repeat(["a", "b", "c"], [14, 25, 13]), "value": case["y"]})
    overall = ranks.compare_ranks(frame, "value").iloc[0]
    assert_allclose([overall.chisq, overall.df, overall.p_value], [case["chisq"], 2, case["p"]], rtol=1e-9)
    pairs = ranks.compare_ranks_pairwise(frame, "value").set_index("group")
    expected = pd.DataFrame(case["dunn"])
    names = [" vs ".join(reversed(pair.split())) for pair in expected.pair]  # R's z is second minus first
    columns = ["statistic", "p_value", "p_adjusted"]
    assert_allclose(pairs.loc[names, columns], expected[["z", "p", "holm"]], rtol=1e-9)


def test_small_and_empty_arms_are_nan_with_a_reason():
    frame = pd.concat([frame_of(a=[1, 2, 3], b=[0, 0]), frame_of(b=[np.nan])], ignore_index=True)
    frame["arm"] = pd.Categorical(frame["arm"], categories=["a", "b", "c"])
    change = ranks.estimate_change(frame, "value").set_index("group")
    assert change.loc["a", "note"] == ranks.TOO_FEW
    assert change.loc["b", ["n", "n_missing", "n_zero", "p_value"]].tolist() == [2, 1, 2, 1]
    assert change.loc["b", "note"] == "no patient changed"
    assert np.isnan(change.loc["c", "p_value"])
    assert change.loc["c", "note"] == "not estimable: no value"
    for pairs in (ranks.compare_ranks_pairwise(frame, "value"), ranks.estimate_shift(frame, "value")):
        assert pairs.p_value.isna().tolist() == [False, True, True]
        assert pairs.note[1] == "not estimable: no value in c"


def test_one_arm_and_equal_values_are_not_compared():
    one = ranks.compare_ranks(frame_of(a=[1, 2]), "value").iloc[0]
    assert np.isnan(one.p_value)
    assert "fewer than two arms" in one.note
    equal = frame_of(a=[2, 2], b=[2, 2, 2])
    assert "all values are equal" in ranks.compare_ranks(equal, "value").note[0]
    assert "all values are equal" in ranks.compare_ranks_pairwise(equal, "value").note[0]
    assert ranks.estimate_shift(equal, "value").p_value[0] == 1


@DRAWN
@given(changes)
def test_signed_rank_equals_all_sign_flips(change):
    """The definition itself: every pattern of signs alike, for samples small enough to list them"""
    change = np.array(change[:9], dtype=float)
    p_value = ranks.signed_rank_p(change)[1]
    if len(change) == 0:
        assert np.isnan(p_value)
        return
    kept = change[change != 0]
    rank = pd.Series(np.abs(kept)).rank().to_numpy()
    sums = np.array([abs(np.dot(signs, rank)) for signs in product([-1, 1], repeat=len(rank))])
    assert_allclose(p_value, (sums >= abs(np.sign(kept) @ rank) - 1e-9).mean())


@DRAWN
@given(changes, st.integers(-20, 20))
def test_estimates_move_with_the_values_and_ranks_do_not(change, step):
    frame = frame_of(a=change, b=[0.5, 1.5, -2.5, 3.5])
    moved = frame.assign(value=frame["value"] + step)
    before, after = ranks.estimate_change(frame, "value"), ranks.estimate_change(moved, "value")
    assert_allclose(after[["estimate", "ci_low"]], before[["estimate", "ci_low"]] + step, atol=1e-9)
    for function in (ranks.compare_ranks, ranks.compare_ranks_pairwise, ranks.estimate_shift):
        assert_allclose(function(moved, "value").p_value, function(frame, "value").p_value, atol=1e-12)
