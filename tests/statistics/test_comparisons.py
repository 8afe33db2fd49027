"""Numbers needed to treat: reciprocals, in the right order across infinity, and none where there is none."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_data import load_expected

from lib.statistics import proportions
from lib.statistics.comparisons import NO_DIFFERENCE, add_number_needed
from lib.statistics.second_engine import shares

SHARES = st.floats(-1, 1)


def frame_of(difference, low, high):
    return pd.DataFrame([{"group": "b vs a", "difference": difference, "ci_low": low, "ci_high": high}])


@given(st.lists(SHARES, min_size=3, max_size=3).map(sorted))
def test_they_are_reciprocals_in_order_across_infinity(shares_in_order):
    low, difference, high = shares_in_order
    row = add_number_needed(frame_of(difference, low, high)).iloc[0]
    for name, value in (("nnt", difference), ("nnt_low", low), ("nnt_high", high)):
        if abs(value) < NO_DIFFERENCE:
            assert np.isnan(row[name])
        else:
            assert_allclose(row[name] * value, 1)
            assert abs(row[name]) >= 1, "nobody is helped more than once"
    known = row[["nnt_low", "nnt", "nnt_high"]].astype(float)
    if known.notna().all():
        # Along 1 / nnt, which passes through infinity at 0, the estimate lies between its limits.
        assert (np.diff(1 / known) >= 0).all()
        if low > 0 or high < 0:
            assert known["nnt_high"] <= known["nnt"] <= known["nnt_low"]
        else:
            assert known["nnt_low"] < 0 < known["nnt_high"], "infinity lies between"


@given(SHARES, SHARES, SHARES)
def test_the_second_engine_agrees(difference, low, high):
    values = {"difference": difference, "ci_low": low, "ci_high": high}
    row = add_number_needed(frame_of(**dict(zip(("difference", "low", "high"), values.values(), strict=True)))).iloc[0]
    again = shares.numbers_needed(values)
    assert_allclose([row[name] for name in again], list(again.values()), rtol=1e-12)


@pytest.mark.parametrize("limits", [(np.nan, np.nan, np.nan), (0.0, -0.2, 0.2), (0.4, -0.1, 1.2), (0.3, 0.0, 0.6)])
def test_there_is_none_where_there_is_no_difference(limits):
    row = add_number_needed(frame_of(*limits)).iloc[0]
    for name, value in zip(("nnt", "nnt_low", "nnt_high"), limits, strict=True):
        assert np.isnan(row[name]) == (np.isnan(value) or value == 0 or abs(value) > 1)


@pytest.mark.parametrize("case", load_expected("small_samples")["response"])
def test_of_risk_differences_they_are_what_r_gives(case):
    """1 / (x1/n1 - x2/n2), and 1 / the limits of miettinen_nurminen() of reference_small.R"""
    counts = pd.DataFrame({"group": ["a", "b", "c"], "count": case["responders"], "n": case["n"]})
    order = [name.replace("-", " vs ") for name in case["pair"]]
    found = add_number_needed(proportions.estimate_risk_difference(counts)).set_index("group").loc[order]
    expected = np.array(case["miettinen_nurminen"], float)
    known = np.abs(expected) > NO_DIFFERENCE
    assert_allclose(found[["nnt_low", "nnt_high"]].to_numpy()[known], 1 / expected[known], rtol=1e-5)
