"""Three digits of what a shared report says, in one place; and nothing is read differently for it."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from lib.show.disclosure.rounding import round_shared
from lib.statistics.comparisons import add_number_needed


def rounded(value):
    return round_shared(pd.DataFrame({"p_value": [value]}))["p_value"].iat[0]


@given(st.floats(1e-12, 1e9))
def test_three_digits_stay_on_their_side_of_a_limit(value):
    shown = rounded(value)
    assert abs(shown - value) <= 0.0101 * value
    assert float(f"{shown:.4g}") == shown
    if (near := float(f"{value:.3g}")) not in (0.05, 1.0):
        assert shown == near or f"{near:.2e}"[3] == "5", "a fourth digit only beside a half"
        assert float(f"{shown:.1e}") == float(f"{value:.1e}"), "with a digit less both read the same"
    for limit in (0.05, 1.0):
        assert (shown < limit) == (value < limit)
        assert (shown > limit) == (value > limit)
    assert rounded(shown) == shown, "shown again it is the same"


def test_counts_places_and_what_does_not_exist_stay():
    frame = pd.DataFrame({"group": ["A"], "time": [12.3456], "n": [1234.0], "count": [1001.0], "mean": [1181 / 312], "sd": [np.nan], "note": [""]})
    shown = round_shared(frame)
    assert shown.drop(columns="mean").equals(frame.drop(columns="mean"))
    assert shown["mean"].tolist() == [3.79]
    assert round_shared(frame, ())["time"].tolist() == [12.3]
    assert [rounded(value) for value in (0.0, -0.99999, np.inf)] == [0.0, -1.0, np.inf]


@given(st.floats(-0.999, 0.999), st.floats(-0.999, 0.999), st.floats(-0.999, 0.999))
def test_a_number_needed_tells_no_more_than_the_difference_that_is_shown(difference, low, high):
    frame = pd.DataFrame({"group": ["b vs a"], "difference": [difference], "ci_low": [low], "ci_high": [high]})
    shown = round_shared(add_number_needed(frame))
    told = add_number_needed(round_shared(frame))
    for name in ("nnt", "nnt_low", "nnt_high"):
        value = told[name].iat[0]
        assert np.isnan(shown[name].iat[0]) if np.isnan(value) else shown[name].iat[0] == rounded(value)
    assert round_shared(shown).equals(shown)
