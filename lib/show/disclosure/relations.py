"""What a reader knows of how counts add up: of adverse events, of responses, of the steps of the flow.

The relations themselves stand here; which outputs have them, and all that holds for any output, in counts.
"""

from __future__ import annotations

__all__ = [
    "add_adverse_events",
    "add_flow",
    "add_responses",
    "add_sums",
    "equal",
    "inside",
    "look_up",
    "names_of",
]

from itertools import combinations

import pandas as pd

from lib.analyses.catalogue import TERM
from lib.analyses.outputs import named
from lib.show.disclosure.suppression import Cells

# Rows of a term share a denominator, one row per severity.
BY_SEVERITY = set(named(denominator=TERM))
RESPONDERS, CONTROLLED, ASSESSED = ("CR", "PR"), ("CR", "PR", "SD"), ("CR", "PR", "SD", "PD")
NOT_ASSESSED = ("NE", "died", "missing")


def equal(cells: Cells, terms: dict) -> None:
    """Say that a sum is 0, if all of it is counted here."""
    if all(key in cells.values for key in terms):
        cells.relate(terms)


def names_of(frame: pd.DataFrame) -> list[str]:
    """What a row is about, whichever arm it belongs to."""
    return (frame["variable"].astype(str) if "variable" in frame else pd.Series("", index=frame.index)).to_list()


def look_up(frames: dict[str, pd.DataFrame]) -> dict[str, dict[tuple, int]]:
    """Output -> (variable, time, group) -> row number."""
    found = {}
    for name, frame in frames.items():
        time = frame["time"].astype(float).fillna(-1.0) if "time" in frame else [-1.0] * len(frame)
        keys = zip(names_of(frame), time, frame["group"].astype(str), strict=True)
        found[name] = {key: row for row, key in enumerate(keys)}
    return found


def inside(cells: Cells, inner: tuple, outer: tuple) -> None:
    """Say that one count lies within another, where both are counted here."""
    if inner in cells.values and outer in cells.values and cells.values[outer] >= cells.values[inner]:
        cells.rest((*outer, "beyond", *inner), {outer: 1.0, inner: -1.0})


def _union(cells: Cells, whole: tuple, parts: list[tuple]) -> None:
    """Patients with anything: at least each part, at most the sum of the parts."""
    parts = [part for part in parts if part in cells.values]
    if whole not in cells.values or not parts:
        return
    cells.relate({whole: 1.0} | dict.fromkeys(parts, -1.0), low=0 if len(parts) == 1 else -float("inf"), high=0)
    for part in parts[:] if len(parts) > 1 else []:
        inside(cells, part, whole)


def add_adverse_events(
    cells: Cells, frames: dict, systems: dict[str, list[str]], severe: int, fatal: int | None
) -> None:
    """Terms in systems in any event; causes; severities that add up, of patients and of events."""
    lookup = look_up(frames)

    def at(output, variable, group, column="count"):
        return output, lookup.get(output, {}).get((variable, -1.0, group)), column

    graded = {
        (output, row.term, row.grade, str(row.group)): (output, number, "count")
        for output in BY_SEVERITY & set(frames)
        for number, row in enumerate(frames[output].itertuples())
    }
    grades = sorted(frames["ae_grade"]["grade"].unique())
    for group in dict.fromkeys(frames["ae_overview"]["group"].astype(str)):
        for end, kind in (("", "any"), ("_severe", "severe")):
            _union(cells, at("ae_overview", kind, group), [at(f"ae_system{end}", system, group) for system in systems])
            for system, terms in systems.items():
                _union(cells, at(f"ae_system{end}", system, group), [at(f"ae_term{end}", t, group) for t in terms])
        for cause in ("drug", "procedure"):
            parts = [at("ae_attribution", part, group) for part in (cause, "both")]
            _union(cells, at("ae_overview", f"related_{cause}", group), parts)
        every = [(t, at("ae_term", t, group), at("ae_term_severe", t, group)) for own in systems.values() for t in own]
        for name, mild, worst in [
            ("any term", at("ae_overview", "any", group), at("ae_overview", "severe", group)), *every
        ]:  # fmt: skip
            for whole, least in ((mild, 1), (worst, severe)):
                parts = [graded.get(("ae_grade", name, grade, group)) for grade in grades if grade >= least]
                equal(cells, {whole: -1.0} | dict.fromkeys(parts, 1.0))
        # Where outcomes are recorded too, more events can be fatal than those whose severity says so.
        _same_or_inside(cells, graded.get(("ae_grade", "any term", fatal, group)), at("ae_overview", "fatal", group))
        by_grade = [graded.get(("ae_events", "events", grade, group)) for grade in grades]
        _add_events(cells, at, group, by_grade, severe)


def _same_or_inside(cells: Cells, inner: tuple, outer: tuple) -> None:
    """One count is another or lies within it; where they are the same, a reader may know."""
    if inner in cells.values and outer in cells.values and cells.values[inner] == cells.values[outer]:
        cells.relate({inner: 1.0, outer: -1.0})
    else:
        inside(cells, inner, outer)


def _add_events(cells: Cells, at, group: str, by_grade: list, severe: int) -> None:
    """Events, not patients: by severity and by cause they add up to all events."""
    every, mild = (at("ae_events_mild", "events below severe", group, column) for column in ("n", "count"))
    equal(cells, {every: -1.0} | dict.fromkeys(by_grade, 1.0))
    equal(cells, {mild: -1.0} | dict.fromkeys(by_grade[: severe - 1], 1.0))
    for cause in ("drug", "procedure", "both", "no", "unknown"):
        equal(cells, {every: -1.0, at("ae_attribution_events", cause, group, "n"): 1.0})
        inside(cells, at("ae_attribution", cause, group), at("ae_attribution_events", cause, group))
    inside(cells, at("ae_overview", "any", group), every)


def add_sums(cells: Cells, lookup: dict, total: str, parts: str) -> None:
    """Rows over all times add up."""
    for (name, _, group), row in lookup.get(total, {}).items():
        own = [place for (part, _, of), place in lookup.get(parts, {}).items() if (part, of) == (name, group)]
        for column in ("count", "n"):
            equal(cells, {(total, row, column): -1.0} | {(parts, place, column): 1.0 for place in own})


def add_responses(cells: Cells, lookup: dict) -> None:
    """Categories that make up the rates of response and of disease control."""
    for categories, start, end in (("response_category", "", "_treated"), ("best_response", "best_", "")):
        for _, time, group in lookup.get(f"{start}objective_response{end}", {}):
            for outcome, members in (("objective_response", RESPONDERS), ("disease_control", CONTROLLED)):
                parts = [(categories, lookup.get(categories, {}).get((c, time, group)), "count") for c in members]
                name = f"{start}{outcome}{end}"
                equal(
                    cells,
                    {(name, lookup.get(name, {}).get(("", time, group)), "count"): -1.0} | dict.fromkeys(parts, 1.0),
                )
            parts = [(categories, lookup.get(categories, {}).get((c, time, group)), "count") for c in NOT_ASSESSED]
            without = ("response_unassessed", lookup.get("response_unassessed", {}).get(("", time, group)), "count")
            if start == "":
                equal(cells, {without: -1.0} | dict.fromkeys(parts, 1.0))
            parts = [(categories, lookup.get(categories, {}).get((c, time, group)), "count") for c in ASSESSED]
            row = lookup.get("objective_response_evaluable", {}).get(("", time, group))
            if start == "":
                equal(cells, {("objective_response_evaluable", row, "n"): -1.0} | dict.fromkeys(parts, 1.0))


def add_flow(cells: Cells, flow: pd.DataFrame) -> None:
    """Steps of the participant flow: who was lost from one to another, in all and by reason."""
    main = (flow["step"] != "excluded").to_numpy()
    for _, rows in flow.assign(row=range(len(flow)), main=main).groupby("group"):
        steps = [("flow", row, "count") for row in rows.loc[rows["main"], "row"]]
        for early, late in combinations(steps, 2):
            inside(cells, late, early)
        left = rows[~rows["main"]]
        total = [("flow", row, "count") for row in left.loc[left["note"] == "", "row"]]
        reasons = [("flow", row, "count") for row in left.loc[left["note"] != "", "row"]]
        for whole in total:
            equal(cells, {whole: -1.0} | dict.fromkeys(reasons, 1.0))
            equal(cells, {steps[0]: -1.0, whole: 1.0, steps[1]: 1.0})
