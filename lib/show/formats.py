"""Numbers -> the strings a reader sees. The only place that rounds, and the only one that changes a scale.

Tables, figures and sentences all use these, so one number never reads two ways. A number is shown as results.csv holds
it, with one exception: shares, their limits and their differences are recorded as proportions (0.42) and shown in percent
or percentage points (42%). Nothing outside of this module multiplies, divides, subtracts or takes a logarithm.
How a journal wants it written (styles) is asked here and nowhere else.
"""

from __future__ import annotations

__all__ = [
    "DASH",
    "DECIMALS",
    "MASKED",
    "NOT_REACHED",
    "capitalised",
    "exactness",
    "format_bounds",
    "format_chance",
    "format_ci",
    "format_count",
    "format_error",
    "format_exact_p",
    "format_given",
    "format_interval",
    "format_level",
    "format_limit",
    "format_median",
    "format_needed",
    "format_number",
    "format_p",
    "format_p_bounds",
    "format_percent",
    "format_points",
    "format_relative",
    "format_signed",
    "format_time",
    "format_tiny",
    "format_whole",
    "is_masked",
    "p_value",
    "per_hundred",
    "restyled",
    "rounded_as_shown",
    "said_p",
    "unstyled",
]

import math
import re

from lib.languages.speech import N_, _
from lib.show.styles import in_force
from lib.statistics.comparisons import ALPHA
from lib.study.words import THIN

PERCENT = 100
# Of a time in each unit.
DECIMALS = {"days": 0, "weeks": 1, "months": 1, "years": 2}
NOT_REACHED = "NR"
DASH = "–"
MINUS = "−"
# A count that the sharing policy hides; a count that does not exist is not shown at all.
MASKED = N_("masked")
# Between the limits of an interval.
TO = N_(" to ")
# What styles call it, of one and of several.
P_VALUES = (N_("p-value"), N_("p-values"), N_("P value"), N_("P values"), N_("p value"), N_("p values"))


def format_number(value: float, decimals: int = 1, missing: str = DASH) -> str:
    """Round half away from zero in the decimal that is shown, as a reader would (2.25 -> 2.3)."""
    if value is None or math.isnan(value):
        return missing
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    # A float such as 18.65 lies just below its decimal; the nudge is far below any clinical digit.
    shown = f"{abs(value) + 1e-12 * max(1.0, abs(value)):,.{decimals}f}"
    is_zero = not shown.strip("0.")
    return (MINUS if value < 0 and not is_zero else "") + _written(shown)


def rounded_as_shown(value: float, decimals: int) -> float:
    """The number that a reader sees, as a number."""
    return float(unstyled(format_number(value, decimals)).replace(MINUS, "-"))


def _written(shown: str) -> str:
    """A number as Python writes it -> as the style does: "1,234.5" -> "1 234.5"."""
    return shown.replace(",", THIN).replace(".", in_force().point)


def unstyled(text: str) -> str:
    """Numbers as a spreadsheet reads them: no thin space between digits, and a full point."""
    return re.sub(r"(?<=\d)·(?=\d)", ".", re.sub(rf"(?<=\d){THIN}(?=\d)", "", text))


def restyled(number: str) -> str:
    """A number that somebody else wrote with all its digits ("−1200.50"), as the style writes it."""
    whole, point, rest = number.partition(".")
    sign, digits = whole[: len(whole) - len(whole.lstrip("-" + MINUS))], whole.lstrip("-" + MINUS)
    return f"{sign}{_written(f'{int(digits):,}' + point + rest)}" if digits.isdigit() else number


def format_given(value: float) -> str:
    """A number that somebody has chosen (a visit, a dose, a limit), with the digits it was given: 4.5, 1 000, 12."""
    shown = f"{value:,g}"
    return _written(f"{value:,.0f}" if "e+" in shown else shown).replace("-", MINUS)


def format_time(value: float, decimals: int = 1) -> str:
    """A time-to-event quantity: NaN reads "not reached"."""
    return format_number(value, decimals, missing=NOT_REACHED)


def format_percent(proportion: float, decimals: int = 0) -> str:
    """Proportion in [0, 1] -> "77%"."""
    return DASH if math.isnan(proportion) else f"{format_number(PERCENT * proportion, decimals)}%"


def format_count(count: float, n: float, proportion: float, decimals: int = 0) -> str:
    """Count, denominator and share -> "10/13 (77%)"; no percentage of nobody."""
    if math.isnan(count):
        return _(MASKED)
    if not n or math.isnan(proportion):
        return f"{format_whole(count)}/{format_whole(n)}"
    return in_force().share.format(count=format_whole(count), n=format_whole(n), percent=format_percent(proportion, decimals))


def format_signed(change: float) -> str:
    """A change with its sign, to three significant digits."""
    if math.isnan(change):
        return DASH
    digits = f"{abs(change):.3g}"
    shown = f"{float(digits):,.0f}" if abs(change) >= 1000 else digits
    return f"{'+' if change > 0 else MINUS}{_written(shown)}" if change else "0"


def format_relative(change: float) -> str:
    """A relative change, in percent: 0.125 -> "+12.5%"."""
    return DASH if math.isnan(change) else f"{format_signed(PERCENT * change)}%"


def format_whole(count: float) -> str:
    """A count; a missing one was masked."""
    return _(MASKED) if math.isnan(count) else _written(f"{int(count):,}")


def format_points(difference: float, decimals: int = 0) -> str:
    """Difference of two proportions, in percentage points: 0.35 -> "35"."""
    return format_number(PERCENT * difference, decimals)


def format_needed(number: float) -> str:
    """A number needed to treat: whole patients, rounded up, without its sign."""
    return format_whole(math.ceil(abs(number) - 1e-9))


def format_level(level: float) -> str:
    """Confidence level: 0.95 -> "95%"."""
    return f"{_written(f'{PERCENT * level:g}')}%"


def format_ci(level: float, low: float, high: float, decimals: int = 1, *, percent: bool = False, missing: str = DASH) -> str:
    """An interval with its level: "95% CI 0.55 to 0.87"."""
    return f"{format_level(level)} {in_force().ci} {format_interval(low, high, decimals, percent, missing)}"


def format_interval(low: float, high: float, decimals: int = 1, percent: bool = False, missing: str = DASH) -> str:
    """Interval -> "18.2 to NR"; both limits missing gives `missing` once. Of a proportion: in percent."""
    if math.isnan(low) and math.isnan(high):
        return missing
    return _joined_limits(_limits(low, high, decimals, percent, missing))


def format_median(row, decimals: int = 1, interval: bool = True) -> str:
    """Median of a curve, with its interval: "18.6 (9.1 to NR)"; "5.0 (–)" where the curve gives none; a dash for nobody.

    `row` holds n, median, ci_low, ci_high, and a note if it was masked.
    """
    if row["n"] == 0 or is_masked(row):
        return DASH if row["n"] == 0 else _(MASKED)
    shown = format_time(row["median"], decimals)
    if not interval or (math.isnan(row["median"]) and math.isnan(row["ci_low"])):
        return shown
    # Both limits are missing where the curve falls to 0 at once, not because they lie beyond its end.
    missing = DASH if math.isnan(row["ci_low"]) else NOT_REACHED
    return f"{shown} ({format_interval(row['ci_low'], row['ci_high'], decimals, missing=missing)})"


def format_bounds(low: float, high: float, decimals: int = 1, percent: bool = False, missing: str = DASH) -> str:
    """Bounds of a value: "12.1 to 19.1", or one number where they print the same. Of a proportion: in percent."""
    shown = _limits(low, high, decimals, percent, missing)
    return shown[0] if shown[0] == shown[1] else _joined_limits(shown)


def _joined_limits(shown: list[str]) -> str:
    """By a dash where the style has one, and never beside a minus, a sign or a word."""
    plain = all(limit[:1].isdigit() for limit in shown)
    return _(in_force().joins if plain else TO).join(shown)


def _limits(low: float, high: float, decimals: int, percent: bool, missing: str) -> list[str]:
    scale = PERCENT if percent else 1
    return [format_number(scale * limit, decimals, missing) for limit in (low, high)]


def format_p(p: float, symbol: bool = False) -> str:
    """P-value, never 0 and never 1; with more decimals where the style's would hide its side of the limit."""
    if math.isnan(p):
        return DASH
    style, sign = in_force(), ""
    decimals = style.decimals_of(p)
    if float(f"{p:.{decimals}f}") == ALPHA and abs(p - ALPHA) > 1e-9:
        shown = next(text for n in range(decimals + 1, 12) if float(text := f"{p:.{n}f}") != ALPHA)
    elif p < style.least or p > style.most:
        sign, shown = ("<", f"{style.least:g}") if p < style.least else (">", f"{style.most:g}")
    else:
        shown = f"{p:.{decimals}f}"
    shown = _written(shown if style.zero else shown.removeprefix("0"))
    return f"{style.p}{style.sign.format(sign or '=')}{shown}" if symbol else sign + shown


def format_p_bounds(low: float, high: float) -> str:
    """Smallest and largest of several p-values: "0.012 to 0.034", or one where they print the same."""
    return _(TO).join(dict.fromkeys([format_p(low), format_p(high)]))


def format_limit() -> str:
    """The limit of p where a verdict turns: "0.05"."""
    shown = f"{ALPHA:g}"
    return _written(shown if in_force().zero else shown.removeprefix("0"))


def said_p() -> str:
    """The letter within a sentence or a heading: "p", or "P"."""
    return in_force().p


def p_value(several: bool = False) -> str:
    """What the style calls it within a sentence: "p-value", or "P value"; of `several`, "p-values"."""
    return _(in_force().p_value + ("s" if several else ""))


def format_error(mc_error: float) -> str:
    """What random tables leave open: "Monte Carlo error 0.0003"."""
    return _("Monte Carlo error {error}", error=format_number(mc_error, 4))


def format_exact_p(test) -> str:
    """P-value of an exact test (`p_value`, `mc_error`): where random tables were drawn, with its Monte Carlo error."""
    p = format_p(test["p_value"], symbol=True)
    return _("simulated {p}, {error}", p=p, error=format_error(test["mc_error"])) if test["mc_error"] > 0 else _("exact {p}", p=p)


def exactness(mc_errors) -> str:
    """Heading of such p-values: "exact", or that tables were drawn, with the largest Monte Carlo error."""
    drawn = [error for error in mc_errors if error > 0]
    if not drawn:
        return _("exact")
    how = _("simulated") if len(drawn) == len(mc_errors) else _("exact or simulated")
    return _("{how}, Monte Carlo error up to {error}", how=how, error=format_number(max(drawn), 4))


def is_masked(row) -> bool:
    """Whether the sharing policy took the numbers of a row, as its note says; else what is missing does not exist."""
    return str(row.get("note", "")).startswith(MASKED)


def per_hundred(proportion: float, rest: bool = False) -> int:
    """People of 100, as `format_percent` shows the share: 0.236 -> 24; the `rest` of them: 76."""
    of_them = int(format_number(PERCENT * proportion, 0))
    return PERCENT - of_them if rest else of_them


def format_chance(probability: float) -> str:
    """A probability in percent that is never certain: 0.997 -> "more than 99%"."""
    if probability > 0.99:
        return _("more than 99%")
    return _("less than 1%") if probability < 0.01 else format_percent(probability)


def format_tiny(number: float) -> str:
    """A very small number, to one digit: 2e-13 -> "2 × 10⁻¹³"; nothing is 0."""
    digit, __, power = f"{number:.0e}".partition("e")
    raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{digit} × 10{raised}" if number else "0"


def capitalised(text: str) -> str:
    """The same words as the start of a sentence."""
    return f"{text[:1].upper()}{text[1:]}"
