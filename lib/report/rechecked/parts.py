"""What every part of the recheck is made of: places and numbers of results.csv, pairs of arms, tables of counts."""

from __future__ import annotations

__all__ = ["PYTHON", "Arms", "Number", "Place", "Rows", "adjusted", "exact_numbers", "numbers", "pairs", "places", "table"]

from collections.abc import Iterable, Iterator, Mapping
from math import isnan, nan
from typing import Any

from lib.analyses.result import Analysis
from lib.statistics.second_engine import shares
from lib.statistics.second_engine.cox import FORMULA

PYTHON = "Python's statistics"
# output, variable, group, time, statistic, value, engine
Number = tuple[str, str, str, float, str, float, str]
# variable and time (None: the output has none)
Place = tuple[str, float | None]
# group -> its row; counts of each arm, by outcome; arm -> count and n
Rows = dict[str, dict[str, Any]]
Counts = tuple[tuple[int, ...], ...]
Arms = dict[str, tuple[int, int]]


def places(analysis: Analysis, output: str) -> dict[Place, Rows]:
    """Rows of an output by variable and time, then by group; none where the analysis has no such output."""
    found: dict[Place, Rows] = {}
    for row in analysis.frames[output].to_dict("records") if output in analysis.frames else []:
        time = float(row.get("time", nan))
        place = str(row.get("variable", analysis.variable)), None if isnan(time) else time
        found.setdefault(place, {})[str(row["group"])] = row
    return found


def numbers(output: str, place: Place, group: str, values: dict[str, float], engine: str) -> Iterator[Number]:
    """Values by statistic as rows."""
    variable, time = place
    for statistic, value in values.items():
        yield output, variable, group, nan if time is None else time, statistic, value, engine


def exact_numbers(output: str, place: Place, table: Counts, rows: Rows) -> Iterator[Number]:
    """The exact test of all arms; one by random tables is not computed a second time."""
    p_value = None if rows["overall"]["mc_error"] > 0 else shares.exact_p(table)
    if p_value is not None:
        filled = sum(sum(arm) > 0 for arm in table)
        values = {"p_value": p_value if filled > 1 else nan, "mc_error": 0.0 if filled else nan}
        yield from numbers(output, place, "overall", values, shares.ENUMERATED)


def table(arms: Iterable[tuple[int, int]]) -> Counts:
    """With and without the outcome, by arm."""
    return tuple((count, n - count) for count, n in arms)


def pairs(arms: Arms, rows: Rows) -> Iterator[tuple[str, tuple[int, int, int, int] | None]]:
    """Each pair `x vs y` that is compared and its counts; none where an arm is empty."""
    for group in rows:
        (x, n_x), (y, n_y) = (arms[arm] for arm in group.split(" vs "))
        yield group, (x, n_x, y, n_y) if n_x and n_y else None


def adjusted(output: str, place: Place, found: Mapping[str, float | None], engine: str) -> Iterator[Number]:
    """P-values of pairs, and Holm's adjustment where each of them is known."""
    known = {group: p for group, p in found.items() if p is not None}
    for group, p in known.items():
        yield from numbers(output, place, group, {"p_value": p}, engine)
    if len(known) == len(found):
        for group, p in zip(known, shares.holm(list(known.values())), strict=True):
            yield from numbers(output, place, group, {"p_adjusted": p}, FORMULA)
