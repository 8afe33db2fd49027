"""Masking a report together with those shared before it: no small count follows by subtracting one from another."""

from __future__ import annotations

__all__ = ["SharingRefused", "add_earlier", "data_print", "differences", "earlier_of", "itself", "refuse_exposed", "tells_more"]

import hashlib
import json
from dataclasses import replace

import pandas as pd

from lib.dataset.dataset import Dataset
from lib.show.disclosure.counts import COUNTS, OVERALL
from lib.show.disclosure.register import Shared, nested, read, same_population
from lib.show.disclosure.relations import names_of
from lib.show.disclosure.suppression import Cells
from lib.study.parameters import NOTEBOOKS
from lib.study.provenance import data_prints
from lib.study.study import Study
from lib.study.yaml_file import Problem, ProblemsFound

EARLIER = "earlier"


class SharingRefused(ProblemsFound):
    """No masking of this report keeps what an earlier one holds from giving a small count away."""


def data_print(study: Study) -> str:
    """One SHA-256 for the data of a study."""
    found = json.dumps(data_prints(study, by_file=False), sort_keys=True)
    return hashlib.sha256(found.encode()).hexdigest()


def earlier_of(data: Dataset) -> tuple[Shared, ...]:
    """Reports shared before this one. One that is made again is masked as it was: what came after it does not count.

    With two parts of one subgroup, the whole less one of them is a report as well.
    """
    entries, own = _known(data)
    if not (found := list(entries[:own])):
        return ()
    given, now = data.parameters.model_dump(mode="json", exclude={"study"}), data_print(data.study)
    alike = [e for e in found if e.data == now and all(e.common[k] == given[k] for k in ("cutoff", "arms", "population"))]
    return (*found, *_composed(given, alike))


def itself(data: Dataset) -> Shared | None:
    """The same report as it was shared before, if it was: perhaps by another version of this program, which hid otherwise."""
    entries, own = _known(data)
    return None if own is None else entries[own]


def tells_more(rows: pd.DataFrame, before: Shared) -> bool:
    """Whether rows of results.csv show a count that the report did not when it was shared."""
    counts = rows[rows["statistic"].isin(COUNTS) & rows["value"].notna()]
    times = [None if pd.isna(time) else float(time) for time in counts["time"]]
    places = zip(counts["output"], counts["variable"], counts["group"], times, counts["statistic"], strict=True)
    return any(cell not in before.cells for cell in places)


def _known(data: Dataset) -> tuple[tuple[Shared, ...], int | None]:
    """Every report of the study that was shared, and the place of this one among them."""
    if not (entries := read(data.study.study.id)):
        return (), None
    given = data.parameters.model_dump(mode="json", exclude={"study"})
    # The interactive page is no report that was shared: it knows of all of them.
    name = next((name for name, model in NOTEBOOKS.items() if type(data.parameters) is model), "")
    now = data_print(data.study)
    return entries, next((i for i, e in enumerate(entries) if e.data == now and e.parameters.get(name, {}) == given), None)


def _composed(given: dict, entries: list[Shared]) -> list[Shared]:
    """The whole less parts that were shared, and all the parts together."""
    composed = []
    for subgroup in dict.fromkeys(e.common["subgroup"] for e in entries if e.common["subgroup"]):
        own = given["subgroup"] == subgroup
        if given["subgroup"] and not own:
            continue
        seen, parts = set(given["subgroup_values"]) if own else set(), []
        for entry in entries:
            values = set(entry.common["subgroup_values"])
            if entry.common["subgroup"] == subgroup and not values & seen:
                parts.append(entry)
                seen |= values
        wholes = [e for e in entries if not e.common["subgroup"]] if own else []
        for whole, signs in [(w, -1) for w in wholes if parts] + ([(None, 1)] if not own and len(parts) > 1 else []):
            composed.append(_add(whole, parts, signs))
    return composed


def _add(whole: Shared | None, parts: list[Shared], sign: int) -> Shared:
    of = [whole, *parts] if whole else parts
    cells = set.intersection(*(set(e.cells) for e in of))
    signs = [1, *[sign] * len(parts)] if whole else [sign] * len(parts)
    summed = {c: sum(s * e.cells[c] for s, e in zip(signs, of, strict=True)) for c in sorted(cells, key=repr)}
    n = {arm: sum(s * e.n.get(arm, 0) for s, e in zip(signs, of, strict=True)) for arm in of[0].n}
    name = " less ".join(e.name for e in of) if whole else " and ".join(e.name for e in of)
    # What is composed of several has no values of its own: nothing is the same population.
    common = of[0].common | {"subgroup": "composed", "subgroup_values": []}
    return replace(of[0], name=name, n=n, cells=summed, parameters={"": common})


def differences(data: Dataset, earlier: tuple[Shared, ...]) -> list[str]:
    """Why a report cannot be shared beside earlier ones: the sizes of arms stand on every page."""
    least = data.study.policy.small_cell
    return [
        f"arm {arm} has {n} patients here and {entry.n[arm]} in the shared report {entry.name}; those who differ follow by subtraction"
        for entry in earlier
        if entry.composed or nested(entry.common, data.parameters.model_dump(mode="json"))
        for arm, n in data.n.items()
        if arm in entry.n and 0 < abs(int(n) - entry.n[arm]) < least
    ]


def add_earlier(cells: Cells, frames: dict[str, pd.DataFrame], variable: str, data: Dataset, earlier: tuple[Shared, ...]) -> None:
    """Enter what earlier reports showed and hid of the same counts into the system of this one."""
    if not earlier:
        return
    names, given = _names(cells, frames, variable), data.parameters.model_dump(mode="json", exclude={"study"})
    now, small = data_print(data.study), data.study.policy.small_cell
    for number, entry in enumerate(earlier):
        alike = same_population(entry.common, given)
        parts = entry.composed or nested(entry.common, given)
        totals = parts and (set(entry.n) <= set(data.n.index) or set(entry.n) >= set(data.n.index))
        exact = alike and entry.data == now and entry.common["cutoff"] == given["cutoff"]
        covered = {(cell[0], cell[3]) for cell in entry.cells}
        for key, cell in names.items():
            old = entry.cells.get(cell)
            if old is None:
                # The same patients, and not shown then: hidden then, and hidden now.
                if alike and (cell[0], cell[3]) in covered and cell[2] in {*entry.n, OVERALL}:
                    cells.hold(key)
                continue
            before, difference = (EARLIER, number, *key), cells.values[key] - old
            if exact and (cell[2] != OVERALL or entry.common["arms"] == given["arms"]):
                cells.show(before, old, public=True)
                cells.relate({key: 1.0, before: -1.0}, difference, difference)
            elif 0 < abs(difference) < small and (totals if cell[2] == OVERALL else parts):
                cells.show(before, old, public=True)
                sign = 1.0 if difference > 0 else -1.0
                cells.rest((EARLIER, number, "difference", *key), {key: sign, before: -sign})
        if exact and entry.common["arms"] != given["arms"]:
            _relate_totals(cells, names, number, entry)


def _names(cells: Cells, frames: dict[str, pd.DataFrame], variable: str) -> dict[tuple, tuple]:
    """Key in the system -> name in results.csv, of every count."""
    found = {}
    for name, frame in frames.items():
        about = names_of(frame) if "variable" in frame else [variable] * len(frame)
        times = frame["time"].astype(float) if "time" in frame else [float("nan")] * len(frame)
        for row, (what, group, time) in enumerate(zip(about, frame["group"].astype(str), times, strict=True)):
            for column in frame:
                if (name, row, column) in cells.values:
                    found[name, row, column] = (name, what, group, None if pd.isna(time) else float(time), column)
    return found


def _relate_totals(cells: Cells, names: dict[tuple, tuple], number: int, entry: Shared) -> None:
    """A total over other arms, as it was shown, is the sum of these arms now."""
    by_name = {cell: key for key, cell in names.items()}
    for cell, key in by_name.items():
        if cell[2] == OVERALL and cell in entry.cells:
            before = (EARLIER, number, "total", *key)
            arms = [by_name.get((*cell[:2], arm, *cell[3:])) for arm in entry.n]
            if None not in arms and sum(cells.values[arm] for arm in arms) == entry.cells[cell]:
                cells.show(before, entry.cells[cell], public=True)
                cells.relate({before: -1.0} | dict.fromkeys(arms, 1.0))


def refuse_exposed(cells: Cells, small: int, earlier: tuple[Shared, ...]) -> None:
    """Refuse where masking as much as there is leaves a difference to an earlier report in the open.

    Raises
    ------
    SharingRefused
    """
    few = [
        key
        for key, value in cells.values.items()
        if isinstance(key, tuple) and key[0] == EARLIER and key[2] == "difference" and 0 < value < small
    ]
    for key, (low, high) in zip(few, cells.bounds(few), strict=True):
        if high - low < 1:
            message = f"cannot be shared beside {earlier[key[1]].name}, which was shared before: whatever is masked, a small count of {key[3]} follows by subtraction"
            raise SharingRefused([Problem("E110", message, file="parameters", column="audience", value="share")])
