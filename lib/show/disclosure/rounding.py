"""How exact a shared number is: three significant digits, of everything that does not count; nowhere else is rounded.

A number with all its digits tells what it was divided by: 1181/312 says that three of 315 are missing, k / 2^n says n.
"""

from __future__ import annotations

__all__ = ["DIGITS", "round_shared"]

import math
from collections.abc import Collection

import pandas as pd

from lib.analyses.result import PLACES
from lib.show.disclosure.counts import COUNTS
from lib.statistics.comparisons import ALPHA, RECIPROCALS, add_number_needed

DIGITS = 3
# Whole numbers, which masking protects as such, or which count no patients.
WHOLE = {*COUNTS, "observed", "df", "n_imputations", "n_resamples", "n_queries", "n_items", "n_answered", "n_tests", "n_below"}
# What is read from the side of these on which a number lies (a test's limit; no effect) must read the same.
SIDES = (ALPHA, 1.0)


def round_shared(frame: pd.DataFrame, places: Collection[str] = PLACES) -> pd.DataFrame:
    """A frame of results, or of a curve, with three significant digits in every column that does not count.

    Parameters
    ----------
    frame : DataFrame
    places : collection of str
        Columns that stay, as whole counts do: what a row is about.

    Returns
    -------
    DataFrame
        A number below 0.05 or 1 stays below it and one above stays above. One that would end in 5 is a trace smaller or
        larger, as the exact one is: with fewer digits both read the same (0.4749 is 0.47, not 0.48).
    """
    blurred = [c for c in frame if c not in {*places, *WHOLE} and pd.api.types.is_numeric_dtype(frame[c])]
    rounded = frame.assign(**{column: frame[column].astype(float).map(_round) for column in blurred})
    if "nnt" not in rounded:
        return rounded
    # A reciprocal of the difference itself would tell more of its digits.
    needed = add_number_needed(rounded)
    return rounded.assign(**{name: needed[name].map(_round) for name in RECIPROCALS})


def _round(value: float) -> float:
    if not math.isfinite(value) or value == 0:
        return value
    rounded = float(f"{value:.{DIGITS - 1}e}")
    for limit in SIDES:
        if value < limit <= rounded:
            return _step(limit, -1)
        if rounded <= limit < value:
            return _step(limit, 1)
    return _beside_a_half(value, rounded)


def _beside_a_half(value: float, rounded: float) -> float:
    digits, exponent = f"{rounded:.{DIGITS - 1}e}".split("e")
    if not digits.endswith("5") or value == rounded:
        return rounded
    return float(f"{digits}1e{exponent}" if abs(value) > abs(rounded) else f"{digits[:-1]}49e{exponent}")


def _step(limit: float, sign: int) -> float:
    """The next number of three digits below or above a limit."""
    exponent = math.floor(math.log10(limit))
    # Just below a power of ten the digits are finer.
    finer = 1 if sign < 0 and math.isclose(limit, 10.0**exponent) else 0
    places = DIGITS - 1 - exponent + finer
    return round(limit + sign * 10.0**-places, places)
