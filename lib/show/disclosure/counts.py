"""What an analysis counts, and how its counts hang together: everything that could give a hidden count back.

The frames of an `analysis.Analysis` become `disclosure.Cells`; a key is (output, row number, column).
"""

from __future__ import annotations

__all__ = ["COUNTS", "OVERALL", "count_cells", "family", "price"]

from itertools import combinations

import pandas as pd

from lib.analyses import catalogue
from lib.analyses.catalogue import Output, Within
from lib.analyses.result import PATIENTS, unit_of
from lib.show.disclosure.relations import (
    add_adverse_events,
    add_flow,
    add_responses,
    add_sums,
    equal,
    inside,
    look_up,
    names_of,
)
from lib.show.disclosure.suppression import Cells

OVERALL = "overall"
COUNTS = ("n", "count", "n_events", "n_censored", "n_risk", "n_missing", "n_zero", "n_gained", "n_lost")
# Not every row of the overview is an adverse event.
NOT_AN_EVENT = {"death", "any"}


def family(output: Output, frame: pd.DataFrame) -> pd.DataFrame:
    """What the rows that add up to one denominator have in common: `common`, `time`, `group`, one row per row."""
    variables = frame["variable"].astype(str) if "variable" in frame else pd.Series("", index=frame.index)
    match output.denominator:
        case catalogue.TERM:
            variables = frame["term"].astype(str)
        case catalogue.BEFORE_COLON:
            variables = variables.map(lambda variable: variable.split(": ")[0])
        case catalogue.ALL:
            variables = variables.map(lambda _: "")
    spread = output.time == catalogue.SPREAD
    time = frame["time"].astype(float) if "time" in frame and not spread else pd.Series(-1.0, frame.index)
    return pd.DataFrame({"common": variables, "time": time.fillna(-1.0), "group": frame["group"].astype(str)})


def price(frames: dict[str, pd.DataFrame], known: dict[str, Output]):
    """What it costs to hide a count, for `Cells.suppress`: totals first, what a reader misses least, late times."""
    groups = {name: frame["group"].astype(str).to_list() for name, frame in frames.items()}
    times = {name: frame["time"].astype(float).fillna(0).to_list() for name, frame in frames.items() if "time" in frame}

    def cost(key) -> tuple:
        name, row, column = key
        late = -times[name][row] if column == "n_risk" else 0.0
        return groups[name][row] != OVERALL, late, not known[name].least_missed, column == "n"

    return cost


def count_cells(
    frames: dict[str, pd.DataFrame],
    known: dict[str, Output],
    sizes: pd.Series,
    systems: dict[str, list[str]],
    *,
    severe: int = 3,
    fatal: int | None = None,
) -> Cells:
    """The counts of an analysis and everything that is known about how they add up.

    Parameters
    ----------
    frames : dict of str to DataFrame
        Output name -> tidy frame with `group`.
    known : dict of str to Output
        Output name -> its row of the catalogue.
    sizes : Series
        Patients per arm and `overall`, which every page tells.
    systems : dict of str to list of str
        System -> its terms, where there are adverse events.
    severe : int
        Rank of the mildest adverse event that counts as severe.
    fatal : int, optional
        Rank that is death, on a scale that has one.

    Returns
    -------
    lib.show.disclosure.suppression.Cells
    """
    cells = Cells()
    for group, size in sizes.items():
        cells.show(("size", group), size, public=True)
    for name, frame in frames.items():
        _add(cells, known[name], frame, sizes)
    _add_times(cells, frames, sizes)
    lookup = look_up(frames)
    for name in frames:
        _relate(cells, lookup, known[name])
    if "ae_grade" in frames:
        add_adverse_events(cells, frames, systems, severe, fatal)
    add_responses(cells, lookup)
    if "flow" in frames:
        add_flow(cells, frames["flow"])
    return cells


def _add(cells: Cells, output: Output, frame: pd.DataFrame, sizes: pd.Series) -> None:
    """Counts of one frame, their denominators, and the sums over arms."""
    name = output.name
    columns = [column for column in COUNTS if column in frame]
    patients = unit_of(frame) == PATIENTS
    groups = frame["group"].astype(str).to_list()
    # Where everybody is counted, nobody is missing: neither tells anything.
    whole = patients & (frame["n"].astype(float) == frame["group"].map(sizes)) if "n" in frame else patients & False
    for column in columns:
        for row, (value, everybody) in enumerate(zip(frame[column].astype(float), whole, strict=True)):
            if pd.notna(value):
                cells.show((name, row, column), value, public=everybody and (column == "n" or (column == "n_missing" and value == 0)))
    for row, (group, of_patients) in enumerate(zip(groups, patients, strict=True)):
        _add_rests(cells, (name, row), ("size", group) if of_patients and group in sizes else None)
    if "count" in columns:
        _add_families(cells, output, frame)
    _add_totals(cells, name, frame, columns, sizes)


def _add_rests(cells: Cells, place: tuple, size: tuple | None) -> None:
    """Who is missing from `n`, and who of `n` has no event."""
    n, missing = (*place, "n"), (*place, "n_missing")
    for column in ("n", "count") if size else ():
        # Who of the arm is not counted, whatever the reason: not due, missing, or without it.
        inside(cells, (*place, column), size)
    if n not in cells.values:
        return
    if size:
        terms = {size: 1.0, n: -1.0} | ({missing: -1.0} if missing in cells.values else {})
        if missing in terms and not _sum(cells, terms):
            # Who has no known value is everybody else, and every reader knows.
            cells.relate(terms)
        else:
            cells.rest((*place, "not in n"), terms)
    for column in ("n_events", "n_zero", "n_gained", "n_lost"):
        if (*place, column) in cells.values:
            cells.rest((*place, f"without {column}"), {n: 1.0, (*place, column): -1.0})


def _add_totals(cells: Cells, name: str, frame: pd.DataFrame, columns: list[str], sizes: pd.Series) -> None:
    """The arms add up to all patients, wherever both stand in the frame."""
    time = frame["time"].astype(float).fillna(-1.0) if "time" in frame else -1.0
    of = pd.DataFrame({"group": frame["group"].astype(str), "part": names_of(frame), "time": time})
    of = of.assign(row=range(len(of)))
    for _, rows in of.groupby(["part", "time"], sort=False):
        whole = rows.loc[rows["group"] == OVERALL, "row"].to_list()
        arms = rows.loc[rows["group"].isin(set(sizes.index) - {OVERALL}), "row"].to_list()
        for column in columns if len(whole) == 1 else []:
            terms = {(name, row, column): 1.0 for row in arms} | {(name, whole[0], column): -1.0}
            if all(key in cells.values for key in terms) and not _sum(cells, terms):
                cells.relate(terms)


def _sum(cells: Cells, terms: dict) -> float:
    return sum(coefficient * cells.values[key] for key, coefficient in terms.items())


def _add_families(cells: Cells, output: Output, frame: pd.DataFrame) -> None:
    """Counts that share a denominator: what they leave, or that they leave nothing."""
    name, found = output.name, []
    of = family(output, frame).assign(row=range(len(frame)))
    for (_, _, group), rows in of.groupby(["common", "time", "group"], sort=False):
        n = (name, rows["row"].iat[0], "n")
        whole = n if n in cells.values else ("size", group)
        counts = {(name, row, "count"): -1.0 for row in rows["row"] if (name, row, "count") in cells.values}
        if whole in cells.values and counts and output.denominator != catalogue.OVERLAP:
            found.append({whole: 1.0} | counts)
            for count in counts:
                inside(cells, count, whole)
    left = [_sum(cells, terms) for terms in found]
    exhaustive = not any(left) and any(len(terms) > 2 for terms in found)
    for terms, rest in zip(found, left, strict=True):
        if exhaustive:
            cells.relate(terms)
        elif rest >= 0:
            cells.rest((name, next(k[1] for k in terms if k[-1] == "count"), "the others"), terms)


def _add_times(cells: Cells, frames: dict[str, pd.DataFrame], sizes: pd.Series) -> None:
    """Numbers that only fall (at risk) or only rise (events) along time: what lies between any two of them."""
    at_risk: dict[str, list] = {group: [(float("-inf"), ("size", group))] for group in sizes.index}
    for name, frame in frames.items():
        if "n_risk" not in frame or "time" not in frame:
            continue
        events: dict[str, list] = {group: [] for group in sizes.index}
        for row, (group, time) in enumerate(zip(frame["group"].astype(str), frame["time"].astype(float), strict=True)):
            if (name, row, "n_risk") in cells.values:
                at_risk[group].append((time, (name, row, "n_risk")))
            if (name, row, "n_events") in cells.values:
                events[group].append((time, (name, row, "n_events")))
                cells.rest((name, row, "still free"), {("size", group): 1.0, (name, row, "n_events"): -1.0})
        _add_steps_between(cells, events, 1.0)
    _add_steps_between(cells, at_risk, -1.0)


def _add_steps_between(cells: Cells, points: dict[str, list], sign: float) -> None:
    """Differences between any two times of each arm; `sign` is -1 for a number that falls."""
    for own in points.values():
        for (start, early), (end, late) in combinations(sorted(own, key=lambda point: point[0]), 2):
            if start == end:
                cells.relate({early: 1.0, late: -1.0})
            else:
                cells.rest((*early, *late), {late: sign, early: -sign})


def _relate(cells: Cells, lookup: dict, output: Output) -> None:
    """Counts of one output that lie within those of others, are the same, or add up to them."""
    for rule in output.within:
        _nest(cells, lookup, output.name, rule)
    for column, other, other_column in output.same:
        for key, place in lookup[output.name].items():
            if key in lookup.get(other, {}):
                equal(cells, {(output.name, place, column): 1.0, (other, lookup[other][key], other_column): -1.0})
    if output.sums:
        add_sums(cells, lookup, output.name, output.sums)


def _nest(cells: Cells, lookup: dict, inner: str, rule: Within) -> None:
    """A count inside another: what the outer one has beyond it."""
    outer, variable, around = rule
    for (name, time, group), row in lookup.get(inner, {}).items():
        place = lookup.get(outer, {}).get((around or name, time, group))
        if place is None or (variable and name != variable) or (inner == "ae_overview" and name in NOT_AN_EVENT):
            continue
        inside(cells, (inner, row, "count"), (outer, place, "count"))
