"""Shares and what stands beside them, computed a second time from the counts."""

from __future__ import annotations

__all__ = ["recompute_paired", "recompute_pairwise", "recompute_shares"]

from collections.abc import Callable, Iterator
from math import nan

from lib.analyses.result import Analysis
from lib.dataset.dataset import Dataset
from lib.report.rechecked.parts import Arms, Number, Place, Rows, adjusted, exact_numbers, numbers, pairs, places, table
from lib.statistics.second_engine import shares
from lib.statistics.second_engine.cox import FORMULA

# What compares arms: output, place, counts of the arms, rows of the comparison, level.
Compare = Callable[[str, Place, Arms, Rows, float], Iterator[Number]]


def recompute_shares(data: Dataset, analysis: Analysis) -> Iterator[Number]:
    """Shares and their intervals from the counts beside them; comparisons of arms from the counts of the arms."""
    level = data.parameters.level
    for output, frame in analysis.frames.items():
        if not {"count", "n", "proportion"} <= set(frame):
            continue
        compared = {name: places(analysis, f"{output}_{name}") for name in COMPARISONS}
        for place, rows in places(analysis, output).items():
            for group, row in rows.items():
                values = shares.share(int(row["count"]), int(row["n"]), level)
                shown = {name: value for name, value in values.items() if name in frame}
                yield from numbers(output, place, group, shown, FORMULA)
            arms = {arm.id: (int(rows[arm.id]["count"]), int(rows[arm.id]["n"])) for arm in data.arms if arm.id in rows}
            for name, compare in COMPARISONS.items():
                yield from compare(f"{output}_{name}", place, arms, compared[name].get(place, {}), level)


def _exact(output: str, place: Place, arms: Arms, rows: Rows, level: float) -> Iterator[Number]:
    if rows:
        yield from exact_numbers(output, place, table(arms.values()), rows)


def _chi_square(output: str, place: Place, arms: Arms, rows: Rows, level: float) -> Iterator[Number]:
    if rows:
        yield from numbers(output, place, "overall", shares.chi_square(table(arms.values())), FORMULA)


def _trend(output: str, place: Place, arms: Arms, rows: Rows, level: float) -> Iterator[Number]:
    if rows:
        yield from numbers(output, place, "overall", shares.trend(table(arms.values())), FORMULA)


def recompute_pairwise(output: str, place: Place, arms: Arms, rows: Rows, level: float) -> Iterator[Number]:
    """Exact tests of pairs of arms."""
    found = {
        group: nan if pair is None else shares.exact_p(table((pair[:2], pair[2:]))) for group, pair in pairs(arms, rows)
    }
    yield from adjusted(output, place, found, shares.ENUMERATED)


def _difference(limits: Callable[[int, int, int, int, float], tuple[float, float]]) -> Compare:
    def compare(output: str, place: Place, arms: Arms, rows: Rows, level: float) -> Iterator[Number]:
        for group, pair in pairs(arms, rows):
            low, high = (nan, nan) if pair is None else limits(*pair, level)
            difference = nan if pair is None else pair[0] / pair[1] - pair[2] / pair[3]
            values = {"difference": difference, "ci_low": low, "ci_high": high}
            values |= shares.numbers_needed(values) if "nnt" in rows[group] else {}
            yield from numbers(output, place, group, values, FORMULA)

    return compare


def _odds_ratio(output: str, place: Place, arms: Arms, rows: Rows, level: float) -> Iterator[Number]:
    for group, pair in pairs(arms, rows):
        values = (
            dict.fromkeys(("odds_ratio", "ci_low", "ci_high"), nan) if pair is None else shares.odds_ratio(*pair, level)
        )
        yield from numbers(output, place, group, values, FORMULA)


def recompute_paired(data: Dataset, analysis: Analysis) -> Iterator[Number]:
    """Changes of an outcome within patients, from how many gained and lost it."""
    for output in (name for name, frame in analysis.frames.items() if {"n_gained", "n_lost"} <= set(frame)):
        for place, rows in places(analysis, output).items():
            for group, row in rows.items():
                n, gained, lost = int(row["n"]), int(row["n_gained"]), int(row["n_lost"])
                values = {"difference": (gained - lost) / n, "p_value": shares.mcnemar_p(gained, lost)} if n else {}
                yield from numbers(output, place, group, values, shares.ENUMERATED)


# What stands beside a share, by the end of its output's name.
COMPARISONS = {
    "test": _exact, "chisq": _chi_square, "trend": _trend, "pairwise": recompute_pairwise, "difference": _difference(shares.score_interval),
    "newcombe": _difference(shares.newcombe), "odds_ratio": _odds_ratio,
}  # fmt: skip
