"""Numbers as strings: the only place that rounds."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.show.formats import (
    format_bounds,
    format_chance,
    format_count,
    format_interval,
    format_level,
    format_number,
    format_p,
    format_percent,
    format_points,
    format_relative,
    format_tiny,
    rounded_as_shown,
)
from lib.show.phrases import format_duration, from_to, horizon, joined, out_of, plural


@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [(18.65, 1, "18.7"), (2.25, 1, "2.3"), (-0.04, 1, "0.0"), (-3.26, 1, "−3.3"), (math.nan, 1, "–"), (0.425, 2, "0.43"),
     (math.inf, 1, "∞"), (22.4999, 0, "22")],
)  # fmt: skip
def test_a_number_is_rounded_half_away_from_zero(value, decimals, shown):
    assert format_number(value, decimals) == shown


@pytest.mark.parametrize(
    ("p", "shown"),
    [(0.0231475, "p = 0.023"), (0.4249, "p = 0.425"), (0.00042, "p < 0.001"), (0.99999, "p > 0.999"), (math.nan, "–")],
)
def test_a_p_value_has_three_decimals_and_is_never_zero_or_one(p, shown):
    assert format_p(p, symbol=not math.isnan(p)) == shown


@given(st.floats(0, 1))
def test_no_p_value_reads_as_certainty(p):
    assert format_p(p) not in ("0.000", "1.000", "0", "1")


@given(st.floats(-1e6, 1e6), st.integers(0, 4))
def test_a_rounded_number_stays_within_half_a_unit(value, decimals):
    shown = rounded_as_shown(value, decimals)
    assert abs(shown - value) <= 0.5 * 10**-decimals * (1 + 1e-9) + 1e-5


def test_counts_percentages_and_intervals():
    assert format_count(10, 13, 10 / 13) == "10/13 (77%)"
    assert format_count(0, 0, math.nan) == "0/0"
    assert format_percent(0.3214, 1) == "32.1%"
    assert format_interval(18.2, math.nan, missing="NR") == "18.2 to NR"
    assert format_interval(math.nan, math.nan) == "–"
    assert format_interval(0.461868, 0.949619, 0, percent=True) == "46 to 95"
    assert format_bounds(0.461868, 0.46234, 0, percent=True) == "46"
    assert format_points(-0.345) == "−35"
    assert format_level(0.999) == "99.9%"
    assert [format_relative(c) for c in (0.125, -1e-9, 0.0, math.nan)] == ["+12.5%", "−1e-07%", "0%", "–"]


def test_words():
    assert joined([]) == ""
    assert joined(["a"]) == "a"
    assert joined(["a", "b", "c"]) == "a, b and c"
    assert plural(1, "patient") == "1 patient"
    assert plural(2000, "data query", "data queries") == "2\u202f000 data queries"
    assert format_duration(1, "years") == "1 year"
    assert format_duration(6, "months") == "6 months"
    assert [format_duration(horizon(tau), "months") for tau in (24, 4.25, 27.56471)] == ["24 months", "4.25 months", "27.56 months"]


@pytest.mark.parametrize(
    ("probability", "said"), [(0, "less than 1%"), (0.004, "less than 1%"), (0.01, "1%"), (0.5, "50%"), (0.99, "99%"), (0.995, "more than 99%"), (1, "more than 99%")]
)
def test_a_probability_is_never_certain(probability, said):
    assert format_chance(probability) == said


@pytest.mark.parametrize(("number", "said"), [(2e-13, "2 × 10⁻¹³"), (0, "0"), (9.6e-8, "1 × 10⁻⁷"), (3e-16, "3 × 10⁻¹⁶")])
def test_a_tiny_number_is_written_as_physicists_do(number, said):
    assert format_tiny(number) == said


def test_a_sentence_has_no_digit_for_nobody_and_no_equal_ends():
    assert (out_of(0, 11), out_of(3, 11), out_of(float("nan"), 11)) == ("none of 11", "3 of 11", "masked of 11")
    assert [out_of(n, n) for n in (1, 2, 11, 2000)] == ["1 of 1", "both", "all 11", "all 2\u202f000"]
    assert [out_of(0, n) for n in (1, 2)] == ["none of 1", "none of 2"]
    assert from_to("0.55", "0.60", "goes", "stays") == "goes from 0.55 to 0.60"
    assert from_to("<0.001", "<0.001", "runs", "stays") == "stays <0.001"
