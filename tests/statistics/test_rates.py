"""Rates against R: expected/small_samples.json (reference_small.R)."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_data import load_expected, numbers

from lib.statistics import rates

DRAWN = settings(deadline=None, max_examples=40)
RATES = load_expected("small_samples")["rates"]
arms = st.lists(st.tuples(st.integers(0, 30), st.floats(0.1, 100)), min_size=2, max_size=4)


def events_of(n_events, person_time):
    names = ["a", "b", "c", "d"][: len(n_events)]
    return pd.DataFrame({"group": names, "n_events": n_events, "person_time": person_time})


@pytest.mark.parametrize("case", RATES)
def test_rates_equal_r(case):
    """poisson.test(x, T)$conf.int, per arm"""
    frame = rates.estimate_rate(events_of(case["events"], case["person_years"]))
    assert_allclose(frame.ci_low[:2], case["low"], rtol=1e-9)
    assert_allclose(frame.ci_high[:2], case["high"], rtol=1e-9)
    assert frame.group.tolist() == ["a", "b", "overall"]
    assert_allclose(frame.rate[2], sum(case["events"]) / sum(case["person_years"]))


@pytest.mark.parametrize("case", RATES)
def test_ratios_equal_r(case):
    """poisson.test(c(x1, x2), c(T1, T2)); R's Inf is NaN with a note here"""
    row = rates.compare_rates(events_of(case["events"], case["person_years"]), reference="b").iloc[0]
    expected = numbers([case["ratio"], *case["ratio_ci"]])
    assert_allclose([row.ratio, row.ci_low, row.ci_high], expected, rtol=1e-6)
    assert_allclose(row.p_value, case["p"], rtol=1e-6)
    assert (row.note != "") == bool(np.isnan(expected).any())


def test_arm_without_person_time_is_nan_with_a_reason():
    events = events_of([0, 4], [0.0, 12.5])
    single = rates.estimate_rate(events)
    assert single.loc[0, ["rate", "ci_low", "ci_high"]].isna().all()
    assert single.note.tolist() == ["not estimable: no person-time in a", "", ""]
    pair = rates.compare_rates(events).iloc[0]
    assert np.isnan(pair.p_value)
    assert pair.note == "not estimable: no person-time in a"


def test_no_event_in_the_second_arm_has_a_lower_limit_only():
    row = rates.compare_rates(events_of([0, 5], [10.0, 10.0])).iloc[0]
    assert np.isnan(row.ratio)
    assert np.isnan(row.ci_high)
    assert row.ci_low > 0
    assert row.note == "ratio and upper limit are infinite: no event in a"


@DRAWN
@given(arms, st.floats(0.01, 100))
def test_unit_of_time_scales_rates_and_leaves_ratios(arms, unit):
    events = events_of(*zip(*arms, strict=True))
    scaled = events.assign(person_time=events.person_time * unit)
    columns = ["rate", "ci_low", "ci_high"]
    back = rates.estimate_rate(scaled)[columns] * unit
    assert_allclose(back, rates.estimate_rate(events)[columns], rtol=1e-9)
    columns = ["ratio", "ci_low", "ci_high", "p_value", "p_adjusted"]
    assert_allclose(rates.compare_rates(scaled)[columns], rates.compare_rates(events)[columns], rtol=1e-6)


@DRAWN
@given(arms)
def test_limits_enclose_the_estimate(arms):
    events = events_of(*zip(*arms, strict=True))
    for frame, point in [(rates.estimate_rate(events), "rate"), (rates.compare_rates(events), "ratio")]:
        known = frame.dropna(subset=[point])
        assert (known.ci_low <= known[point] * (1 + 1e-9)).all()
        assert (known.ci_high >= known[point] * (1 - 1e-9)).all()
