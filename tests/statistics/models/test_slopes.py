"""Lines through the values of each patient: against scipy, and what no choice of units may change."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from lib.statistics.models.slopes import estimate_slopes

COLUMNS = ["slope", "std_err", "ci_low", "ci_high"]


@st.composite
def samples(draw):
    """Up to six patients of up to eight samples each, some without a value, in any order."""
    rows = [
        (f"p{patient}", day, value)
        for patient in range(draw(st.integers(1, 6)))
        for day, value in draw(st.lists(st.tuples(st.integers(0, 2000), st.one_of(st.none(), st.integers(1, 400))), min_size=1, max_size=8))
    ]
    frame = pd.DataFrame(draw(st.permutations(rows)), columns=["patient_id", "time", "value"])
    return frame.assign(arm="A", time=frame["time"].astype(float), value=np.log(frame["value"].astype(float)))


@given(samples())
def test_each_line_is_that_of_scipy(frame):
    """scipy.stats.linregress; t.ppf(0.975, n - 2)"""
    found = estimate_slopes(frame, "value").set_index("patient_id")
    known = frame.dropna()
    assert set(found.index) == set(known["patient_id"])
    for patient, own in known.groupby("patient_id"):
        row = found.loc[patient]
        assert row["n"] == len(own)
        if own["time"].nunique() < 2:
            assert np.isnan(row["slope"]) and row["note"] == "not estimable: all values of one time"
            continue
        line = stats.linregress(own["time"], own["value"])
        assert_allclose(row["slope"], line.slope, rtol=1e-6, atol=1e-12)
        if row["note"]:
            assert np.isnan(row[["std_err", "ci_low", "ci_high"]].astype(float)).all()
            assert len(own) == 2 or line.stderr < 1e-6
        else:
            assert_allclose(row["std_err"], line.stderr, rtol=1e-5)
            assert_allclose(row["ci_high"] - row["slope"], stats.t.ppf(0.975, len(own) - 2) * line.stderr, rtol=1e-5)


@given(samples(), st.floats(-1e4, 1e4), st.floats(-20, 20), st.sampled_from([1 / 365.25, 1 / 30.4375, 7.0, -1.0]))
def test_units_and_the_day_of_entry_turn_slopes_as_they_should(frame, later, log_factor, per_day):
    """Another unit of the value is a constant of its logarithm; another unit of time divides; time turned round turns signs."""
    before = estimate_slopes(frame, "value").set_index("patient_id")
    moved = frame.assign(time=(frame["time"] + later) * per_day, value=frame["value"] + log_factor)
    after = estimate_slopes(moved, "value").set_index("patient_id").loc[before.index]
    sure = before["note"].eq("") & after["note"].eq("")
    assert_allclose(after.loc[sure, "slope"] * per_day, before.loc[sure, "slope"], rtol=1e-5, atol=1e-9)
    assert_allclose(after.loc[sure, "std_err"] * abs(per_day), before.loc[sure, "std_err"], rtol=1e-4, atol=1e-9)


@given(st.integers(1, 9), st.integers(2, 30), st.floats(-30, 30))
def test_equal_values_have_slope_zero_and_no_interval(n, step, value):
    found = estimate_slopes(pd.DataFrame({"patient_id": "p", "arm": "A", "time": np.arange(n + 2) * float(step), "value": value}), "value").iloc[0]
    assert found["slope"] == 0 and np.isnan(found["std_err"]) and found["note"] == "no interval: all values are equal"


def test_without_a_value_there_is_no_row():
    nothing = pd.DataFrame({"patient_id": ["p"], "arm": ["A"], "time": [1.0], "value": [np.nan]})
    assert estimate_slopes(nothing, "value").empty
    assert estimate_slopes(nothing.iloc[:0], "value").empty


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_the_interval_is_of_the_level(level):
    """confint(lm(c(0, 1, 1, 3) ~ c(0, 1, 2, 4)), level = level)[2, ]: slope 26 / 35"""
    frame = pd.DataFrame({"patient_id": "p", "arm": "A", "time": [0.0, 1, 2, 4], "value": [0.0, 1, 1, 3]})
    found = estimate_slopes(frame, "value", level=level).iloc[0]
    line = stats.linregress(frame["time"], frame["value"])
    assert found["slope"] == pytest.approx(25 / 35)
    assert found["ci_low"] == pytest.approx(line.slope - stats.t.ppf(0.5 + level / 2, 2) * line.stderr)
