"""The log-rank test for trend against R (staples.R), its second engine, and the two-sample test."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_data import load_expected

from lib.statistics.second_engine.survival import recompute
from lib.statistics.survival.logrank import NO_EVENT, compare_logrank, compare_trend

CASES = load_expected("staples")["times"]


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


@pytest.mark.parametrize("name", CASES)
def test_trend_equals_r(name):
    """s <- survdiff(Surv(time, event) ~ by); w <- seq_along(s$n); z <- sum(w*(s$obs - s$exp))/sqrt(w %*% s$var %*% w)"""
    row = compare_trend(tte_of(CASES[name])).iloc[0]
    assert_allclose([row["statistic"], row["chisq"], row["p_value"]], [CASES[name]["z"], CASES[name]["z"] ** 2, CASES[name]["p"]], rtol=1e-6, atol=1e-14)
    assert (row["df"], row["note"]) == (1, "")


@pytest.mark.parametrize("name", CASES)
def test_the_second_engine_agrees(name):
    tte = tte_of(CASES[name])
    again = recompute(tte, "d1", outputs=["logrank_trend"]).query("output == 'logrank_trend'").set_index("statistic")["value"]
    row = compare_trend(tte).iloc[0]
    assert_allclose([row[name] for name in again.index], again, rtol=1e-6)
    assert len(again) == 4


@given(some_times(2))
@settings(deadline=None)
def test_of_two_arms_it_is_the_log_rank_test(tte):
    trend, usual = compare_trend(tte).iloc[0], compare_logrank(tte).iloc[0]
    assert_allclose([trend["chisq"], trend["p_value"]], [usual["chisq"], usual["p_value"]], rtol=1e-7, atol=1e-12)


@given(some_times(4))
@settings(deadline=None)
def test_the_order_turned_round_turns_the_sign_and_no_more(tte):
    turned = tte.assign(arm=tte["arm"].cat.reorder_categories(tte["arm"].cat.categories[::-1]))
    one, other = compare_trend(tte).iloc[0], compare_trend(turned).iloc[0]
    assert_allclose(one["statistic"], -other["statistic"], rtol=1e-7, atol=1e-9)
    assert_allclose(one["p_value"], other["p_value"], rtol=1e-7)
    assert not one["chisq"] > compare_logrank(tte)["chisq"].iat[0] * (1 + 1e-9), "the part of the chi-square that lies along the order"


def test_without_events_there_is_no_trend():
    tte = tte_of(CASES["small"])
    for events in (False, tte["time"].eq(20)):
        row = compare_trend(tte.assign(event=events)).iloc[0]
        assert np.isnan(row["p_value"])
        assert row["note"] == NO_EVENT
