"""Log-rank tests against R: survdiff (reference.R, survival_more.R, staples.R) and coin."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_data import SURVIVAL_SETS, load_expected, load_tte, make_tte, numbers

from lib.statistics.second_engine.survival import recompute
from lib.statistics.survival import logrank
from lib.statistics.survival.landmark import compare_from_landmark, select_landmark
from lib.statistics.survival.logrank import (
    NO_EVENT,
    compare_logrank,
    compare_pairwise,
    compare_permutation,
    compare_trend,
)

CLOSE = {"rtol": 1e-6, "atol": 1e-12}
TRENDS = load_expected("staples")["times"]
STRATIFIED = [name for name in SURVIVAL_SETS if "logrank_stratified" in load_expected(name)]


@pytest.mark.parametrize("name", SURVIVAL_SETS)
def test_all_arms(name):
    """survdiff(Surv(time, event) ~ arm): chisq, pchisq."""
    expected, tte = load_expected(name)["logrank"], load_tte(name)
    found = compare_logrank(tte).iloc[0]
    np.testing.assert_allclose([found["chisq"], found["df"], found["p_value"]],
                               [expected["chisq"], expected["df"], expected["p"]], **CLOSE)  # fmt: skip


@pytest.mark.parametrize("name", SURVIVAL_SETS)
def test_pairs(name):
    """survdiff on each pair; p.adjust(p, "holm")."""
    expected, found = load_expected(name)["pairwise"], compare_pairwise(load_tte(name))
    np.testing.assert_allclose(found["p_value"], numbers(expected["p"]), **CLOSE)
    np.testing.assert_allclose(found["p_adjusted"], numbers(expected["holm"]), **CLOSE)
    pairs = expected["pair"] if isinstance(expected["pair"], list) else [expected["pair"]]
    assert found["group"].tolist() == [" vs ".join(reversed(pair.split(" vs "))) for pair in pairs]


@pytest.mark.parametrize("name", STRATIFIED)
def test_strata(name):
    """survdiff(Surv(time, event) ~ arm + strata(stratum))."""
    expected, found = (
        load_expected(name)["logrank_stratified"],
        compare_logrank(load_tte(name), strata="stratum").iloc[0],
    )
    np.testing.assert_allclose([found["chisq"], found["p_value"]], [expected["chisq"], expected["p"]], **CLOSE)


@pytest.mark.parametrize("name", SURVIVAL_SETS)
def test_peto(name):
    """survdiff(Surv(time, event) ~ arm, rho = 1): chisq."""
    expected, tte = load_expected("survival_more")[name]["peto"], load_tte(name)
    np.testing.assert_allclose(compare_logrank(tte, rho=1)["chisq"], expected["chisq"], **CLOSE)


def test_float_noise_is_no_time_difference():
    """survdiff on times that differ by 1e-17 (timefix)."""
    noisy = load_expected("survival_more")["noisy"]
    rows = list(zip(noisy["time"], noisy["event"], noisy["arm"], strict=True))
    tte = make_tte({name: [(t, e) for t, e, arm in rows if arm == name] for name in "ab"})
    np.testing.assert_allclose(compare_logrank(tte)["chisq"], noisy["chisq"], **CLOSE)


def test_permutation_of_two_arms_is_exact():
    """coin::logrank_test(Surv(time, event) ~ arm, distribution = "exact") on arms a and c."""
    tte, expected = load_tte("edge_small_three_arm"), load_expected("survival_more")["permutation"]["two_arms"]
    found = compare_permutation(tte[tte["arm"] != "b"]).iloc[0]
    np.testing.assert_allclose([found["chisq"], found["p_value"]], [expected["chisq"], expected["p"]], **CLOSE)
    assert found["mc_error"] == 0 and "every allocation" in found["method"]


def test_permutation_of_three_arms_is_within_its_monte_carlo_error():
    """coin::logrank_test(..., distribution = approximate(1e6)); statistic exact, p within 4 standard errors."""
    tte, expected = load_tte("edge_small_three_arm"), load_expected("survival_more")["permutation"]["three_arms"]
    found = compare_permutation(tte, n_resamples=20_000, seed=1).iloc[0]
    np.testing.assert_allclose(found["chisq"], expected["chisq"], **CLOSE)
    assert abs(found["p_value"] - expected["p"]) < 4 * found["mc_error"]
    assert found["p_value"] == compare_permutation(tte, n_resamples=20_000, seed=1)["p_value"].iat[0]


def test_resampling_agrees_with_counting():
    """The same two arms counted, and (padded beyond the limit of counting) resampled: within 4 standard errors."""
    tte = load_tte("edge_small_three_arm")
    two = tte[tte["arm"] != "b"]
    exact = compare_permutation(two)["p_value"].iat[0]
    scores, sizes = logrank._scores(two), np.array([14, 13])
    between = (np.array([scores[(two["arm"] == arm).to_numpy()].sum() for arm in "ac"]) ** 2 / sizes).sum()
    p = logrank._resampled(scores, sizes, between, 20_000, 3)
    assert abs(p - exact) < 4 * np.sqrt(exact * (1 - exact) / 20_000)


def test_landmark_analysis():
    """survdiff(Surv(time - 365, event) ~ x_nodes > 3, subset = time > 365)."""
    tte, expected = load_tte("colon_recurrence"), load_expected("survival_more")["landmark"]
    tte = tte.assign(late=(tte["x_nodes"] > 3).where(tte["x_nodes"].notna()))
    found = compare_from_landmark(tte, "late", expected["mark"]).iloc[0]
    np.testing.assert_allclose([found["chisq"], found["p_value"]], [expected["chisq"], expected["p"]], **CLOSE)
    assert found["n"] == expected["n"] and found["n_excluded"] == len(tte) - expected["n"]
    rows = select_landmark(tte, "late", expected["mark"])
    assert (rows["time"] > 0).all() and rows["study_arm"].cat.categories.tolist() == load_expected("colon_recurrence")[
        "arms"
    ]


def test_response_without_a_landmark_is_refused():
    tte = load_tte("lung").assign(responder=True)
    with pytest.raises(ValueError, match=r"needs a landmark: .* survive until then"):
        compare_from_landmark(tte, "responder")


def tte_of(case):
    places = sorted(set(case["by"]))
    arm = pd.Categorical([f"d{by}" for by in case["by"]], [f"d{place}" for place in places], ordered=True)
    return pd.DataFrame({"patient_id": range(len(arm)), "arm": arm, "time": np.array(case["time"], float), "event": np.array(case["event"], bool)})


@st.composite
def some_times(draw, arms):
    n = draw(st.integers(6, 40))
    arm = [f"d{draw(st.integers(0, arms - 1))}" for _ in range(n)]
    times, events = draw(st.lists(st.integers(1, 12), min_size=n, max_size=n)), draw(st.lists(st.booleans(), min_size=n, max_size=n))
    return pd.DataFrame({"patient_id": range(n), "arm": pd.Categorical(arm, [f"d{i}" for i in range(arms)], ordered=True), "time": np.array(times, float), "event": events})


@pytest.mark.parametrize("name", TRENDS)
def test_trend_equals_r(name):
    """s <- survdiff(Surv(time, event) ~ by); w <- seq_along(s$n); z <- sum(w*(s$obs - s$exp))/sqrt(w %*% s$var %*% w)"""
    row = compare_trend(tte_of(TRENDS[name])).iloc[0]
    np.testing.assert_allclose([row["statistic"], row["chisq"], row["p_value"]], [TRENDS[name]["z"], TRENDS[name]["z"] ** 2, TRENDS[name]["p"]], rtol=1e-6, atol=1e-14)
    assert (row["df"], row["note"]) == (1, "")


@pytest.mark.parametrize("name", TRENDS)
def test_the_second_engine_agrees_on_a_trend(name):
    tte = tte_of(TRENDS[name])
    again = recompute(tte, "d1", outputs=["logrank_trend"]).query("output == 'logrank_trend'").set_index("statistic")["value"]
    row = compare_trend(tte).iloc[0]
    np.testing.assert_allclose([row[name] for name in again.index], again, rtol=1e-6)
    assert len(again) == 4


@given(some_times(2))
@settings(deadline=None)
def test_of_two_arms_it_is_the_log_rank_test(tte):
    trend, usual = compare_trend(tte).iloc[0], compare_logrank(tte).iloc[0]
    np.testing.assert_allclose([trend["chisq"], trend["p_value"]], [usual["chisq"], usual["p_value"]], rtol=1e-7, atol=1e-12)


@given(some_times(4))
@settings(deadline=None)
def test_the_order_turned_round_turns_the_sign_and_no_more(tte):
    turned = tte.assign(arm=tte["arm"].cat.reorder_categories(tte["arm"].cat.categories[::-1]))
    one, other = compare_trend(tte).iloc[0], compare_trend(turned).iloc[0]
    np.testing.assert_allclose(one["statistic"], -other["statistic"], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(one["p_value"], other["p_value"], rtol=1e-7)
    assert not one["chisq"] > compare_logrank(tte)["chisq"].iat[0] * (1 + 1e-9), "the part of the chi-square that lies along the order"


def test_without_events_there_is_no_trend():
    tte = tte_of(TRENDS["small"])
    for events in (False, tte["time"].eq(20)):
        row = compare_trend(tte.assign(event=events)).iloc[0]
        assert np.isnan(row["p_value"])
        assert row["note"] == NO_EVENT
