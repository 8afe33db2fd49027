"""Numbers -> the strings a reader sees. The only place that rounds, and the only one that changes a scale.

Tables, figures and sentences all use these, so one number never reads two ways. A number is shown as results.csv holds
it, with one exception: shares, their limits and their differences are recorded as proportions (0.42) and shown in percent
or percentage points (42%). Nothing outside of this module multiplies, divides, subtracts or takes a logarithm.
"""

from __future__ import annotations

__all__ = [
    "DASH",
    "MASKED",
    "NOT_REACHED",
    "SOME",
    "capitalised",
    "exactness",
    "format_bounds",
    "format_count",
    "format_duration",
    "format_exact_p",
    "format_interval",
    "format_level",
    "format_median",
    "format_number",
    "format_p",
    "format_percent",
    "format_points",
    "format_relative",
    "format_signed",
    "format_time",
    "format_whole",
    "from_to",
    "is_masked",
    "joined",
    "out_of",
    "per_hundred",
    "plural",
    "said_count",
    "said_share",
]

import math

from lib.statistics.comparisons import ALPHA

PERCENT = 100
NOT_REACHED = "NR"
DASH = "–"
MINUS = "−"
# A count that the sharing policy hides; a count that does not exist is not shown at all.
MASKED = "masked"
# The same count within a sentence.
SOME = "a masked number"


def format_number(value: float, decimals: int = 1, missing: str = DASH) -> str:
    """Round half away from zero in the decimal that is shown, as a reader would (2.25 -> 2.3)."""
    if value is None or math.isnan(value):
        return missing
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    # A float such as 18.65 lies just below its decimal; the nudge is far below any clinical digit.
    shown = f"{abs(value) + 1e-12 * max(1.0, abs(value)):.{decimals}f}"
    is_zero = float(shown) == 0
    return (MINUS if value < 0 and not is_zero else "") + shown


def format_time(value: float, decimals: int = 1) -> str:
    """A time-to-event quantity: NaN reads "not reached"."""
    return format_number(value, decimals, missing=NOT_REACHED)


def format_duration(value: float, unit: str) -> str:
    """(6, "months") -> "6 months"; (1, "years") -> "1 year"."""
    return f"{value:g} {unit.removesuffix('s') if value == 1 else unit}"


def format_percent(proportion: float, decimals: int = 0) -> str:
    """Proportion in [0, 1] -> "77%"."""
    return DASH if math.isnan(proportion) else f"{format_number(PERCENT * proportion, decimals)}%"


def format_count(count: float, n: float, proportion: float, decimals: int = 0) -> str:
    """Count, denominator and share -> "10/13 (77%)"; no percentage of nobody."""
    if math.isnan(count):
        return MASKED
    shown = f"{format_whole(count)}/{format_whole(n)}"
    return shown if not n or math.isnan(proportion) else f"{shown} ({format_percent(proportion, decimals)})"


def format_signed(change: float) -> str:
    """A change with its sign, to three significant digits."""
    if math.isnan(change):
        return DASH
    return f"{'+' if change > 0 else MINUS}{abs(change):.3g}" if change else "0"


def format_relative(change: float) -> str:
    """A relative change, in percent: 0.125 -> "+12.5%"."""
    return DASH if math.isnan(change) else f"{format_signed(PERCENT * change)}%"


def format_whole(count: float) -> str:
    """A count; a missing one was masked."""
    return MASKED if math.isnan(count) else f"{int(count)}"


def format_points(difference: float, decimals: int = 0) -> str:
    """Difference of two proportions, in percentage points: 0.35 -> "35"."""
    return format_number(PERCENT * difference, decimals)


def format_level(level: float) -> str:
    """Confidence level: 0.95 -> "95%"."""
    return f"{PERCENT * level:g}%"


def said_count(count: float) -> str:
    """A count within a sentence: "3", or "a masked number"."""
    return SOME if math.isnan(count) else format_whole(count)


def said_share(count: float, n: float) -> str:
    """A count and its denominator within a sentence: "3/14", or "a masked number of 14"."""
    return f"{SOME} of {said_count(n)}" if math.isnan(count) or math.isnan(n) else f"{format_whole(count)}/{format_whole(n)}"


def format_interval(low: float, high: float, decimals: int = 1, percent: bool = False, missing: str = DASH) -> str:
    """Interval -> "18.2 to NR"; both limits missing gives `missing` once. Of a proportion: in percent."""
    if math.isnan(low) and math.isnan(high):
        return missing
    return " to ".join(_limits(low, high, decimals, percent, missing))


def format_median(row, decimals: int = 1, interval: bool = True) -> str:
    """Median of a curve, with its interval: "18.6 (9.1 to NR)"; "5.0 (–)" where the curve gives none; a dash for nobody.

    `row` holds n, median, ci_low, ci_high, and a note if it was masked.
    """
    if row["n"] == 0 or is_masked(row):
        return DASH if row["n"] == 0 else MASKED
    shown = format_time(row["median"], decimals)
    if not interval or (math.isnan(row["median"]) and math.isnan(row["ci_low"])):
        return shown
    # Both limits are missing where the curve falls to 0 at once, not because they lie beyond its end.
    missing = DASH if math.isnan(row["ci_low"]) else NOT_REACHED
    return f"{shown} ({format_interval(row['ci_low'], row['ci_high'], decimals, missing=missing)})"


def format_bounds(low: float, high: float, decimals: int = 1, percent: bool = False, missing: str = DASH) -> str:
    """Bounds of a value: "12.1 to 19.1", or one number where they print the same. Of a proportion: in percent."""
    shown = _limits(low, high, decimals, percent, missing)
    return shown[0] if shown[0] == shown[1] else " to ".join(shown)


def _limits(low: float, high: float, decimals: int, percent: bool, missing: str) -> list[str]:
    scale = PERCENT if percent else 1
    return [format_number(scale * limit, decimals, missing) for limit in (low, high)]


def format_p(p: float, symbol: bool = False) -> str:
    """P-value with three decimals, never 0 and never 1; with more where three would hide its side of the limit."""
    if math.isnan(p):
        return DASH
    if round(p, 3) == ALPHA and abs(p - ALPHA) > 1e-9:
        shown = next(text for n in range(4, 12) if float(text := f"{p:.{n}f}") != ALPHA)
    elif p < 0.001:
        shown = "<0.001"
    elif p > 0.999:
        shown = ">0.999"
    else:
        shown = f"{p:.3f}"
    if not symbol:
        return shown
    return f"p {shown[0]} {shown[1:]}" if shown[0] in "<>" else f"p = {shown}"


def format_exact_p(test) -> str:
    """P-value of an exact test (`p_value`, `mc_error`): where random tables were drawn, with its Monte Carlo error."""
    p = format_p(test["p_value"], symbol=True)
    return f"simulated {p}, Monte Carlo error {test['mc_error']:.4f}" if test["mc_error"] > 0 else f"exact {p}"


def exactness(mc_errors) -> str:
    """Heading of such p-values: "exact", or that tables were drawn, with the largest Monte Carlo error."""
    drawn = [error for error in mc_errors if error > 0]
    if not drawn:
        return "exact"
    how = "simulated" if len(drawn) == len(mc_errors) else "exact or simulated"
    return f"{how}, Monte Carlo error up to {max(drawn):.4f}"


def is_masked(row) -> bool:
    """Whether the sharing policy took the numbers of a row, as its note says; else what is missing does not exist."""
    return str(row.get("note", "")).startswith(MASKED)


def joined(parts, last: str = "and") -> str:
    """["a", "b", "c"] -> "a, b and c"."""
    parts = [str(part) for part in parts]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {last} {parts[-1]}" if parts else ""


def plural(count: int, noun: str, nouns: str = "") -> str:
    """(1, "patient") -> "1 patient"; (2, "patient") -> "2 patients"."""
    if math.isnan(count):
        return f"{SOME} of {nouns or noun + 's'}"
    return f"{int(count):,} {noun if count == 1 else nouns or noun + 's'}".replace(",", " ")


def out_of(count: float, n: float) -> str:
    """(3, 11) -> "3 of 11"; (0, 11) -> "none of 11": a sentence has no digit for nobody."""
    return f"{'none' if count == 0 else format_whole(count)} of {format_whole(n)}"


def per_hundred(proportion: float, rest: bool = False) -> int:
    """People of 100, as `format_percent` shows the share: 0.236 -> 24; the `rest` of them: 76."""
    of_them = int(format_number(PERCENT * proportion, 0))
    return PERCENT - of_them if rest else of_them


def from_to(first: str, last: str, moves: str, stays: str) -> str:
    """("0.55", "0.60", "goes", "stays") -> "goes from 0.55 to 0.60"; with equal ends "stays 0.55"."""
    return f"{moves} from {first} to {last}" if first != last else f"{stays} {first}"


def capitalised(text: str) -> str:
    """The same words as the start of a sentence."""
    return f"{text[:1].upper()}{text[1:]}"
