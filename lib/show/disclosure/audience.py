"""What a report may show to whom: kinds of output, small cells, single patients. Every other module asks here.

The rules of `mask_analysis`, where small means 1 to `policy.small_cell` - 1 patients (data/README.md gives reasons):

1. No small count is shown, and no count, rest, difference or step between two times that is small may follow from
   what is shown: counts says how counts hang together, suppression hides more of them until a linear program finds
   nothing any more.
2. Whatever stands in a row with a hidden count, or is computed from one elsewhere, is hidden with it.
3. Quartiles need four times, a median twice as many patients as a small count. The smallest and the largest value are
   hidden, and an exact p-value from which follows how few patients changed the other way.
4. A curve steps only where as many patients as make a cell have had the event since the step before.
5. Rows of single patients, and analyses that nobody has examined for all this, are left out.
6. What is left and does not count is rounded (rounding).
"""

from __future__ import annotations

__all__ = ["KINDS", "LEFT_OUT", "allows", "check_audience", "is_part", "mask_analysis", "restrict"]

from dataclasses import replace
from typing import TypeVar

import numpy as np
import pandas as pd

from lib.analyses.catalogue import COURSE, Output
from lib.analyses.outputs import find, named
from lib.analyses.result import PLACES, Absent, Analysis
from lib.dataset.dataset import Dataset
from lib.show.disclosure.counts import COUNTS, OVERALL, count_cells, family, price
from lib.show.disclosure.jointly import add_earlier, differences, earlier_of, refuse_exposed
from lib.show.disclosure.register import Shared
from lib.show.disclosure.rounding import round_shared
from lib.study.parameters import Parameters
from lib.study.yaml_file import Problem, ProblemsFound

A = TypeVar("A", bound=Analysis)
# What an output shows -> who may see it.
KINDS = {
    "estimates": {"internal", "share"},
    "small cells": {"internal"},
    "listing": {"internal"},
    "profile": {"internal"},
    "patient ids": {"internal"},
    "single patients": {"internal"},
    "steps": {"internal"},
    "places": {"internal"},
}
# Rows of these are about a time: what stands there tells how many had left, or had had the event, by then.
OVER_TIME = set(named(time=COURSE))
# One patient more or less turns these; they say how, and so do the groups in a sum of events.
SINGLE = ["min", "max"]
# Hidden, they take their row with them. A curve's events do not: its median and ratio follow from the days as well.
DECIDING = ("n", "count", "n_missing", "n_zero", "n_gained", "n_lost")
# Made from the number of events, of which an arm's follows from two sums.
FROM_EVENTS = ("n_events", "events_per_variable", "observed", "expected", "proportion")
# Of two arms of a known size; whoever knows the formula knows the events.
DETECTABLE = ("hr", "hr_above")
MASKED = "masked: small cells"
LEFT_OUT = "left out of a shared report"
NOT_EXAMINED = (
    "This part counts single patients in ways that masking does not cover, so it is left out of a shared report."
)


def allows(parameters: Parameters, kind: str) -> bool:
    """Whether the report's audience may see this kind of output.

    Parameters
    ----------
    parameters : Parameters
    kind : str
        A key of `KINDS`.

    Raises
    ------
    KeyError
        For a kind that nobody has decided about.
    """
    return parameters.audience in KINDS[kind]


def is_part(data: Dataset) -> bool:
    """Whether the report shows part of the study's patients or time, so that another could be subtracted from it."""
    p = data.parameters
    return bool(p.arms or p.leaves_out or p.cutoff not in (None, data.study.study.cutoff))


def restrict(data: Dataset) -> Dataset:
    """The dataset as its audience may have it: for a shared report without ids, and without single data queries.

    What never enters a notebook cannot leave it. Patients keep their order, so no number changes.

    Raises
    ------
    lib.study.yaml_file.ProblemsFound
        As `check_audience` does.
    """
    check_audience(data)
    if allows(data.parameters, "patient ids"):
        return data
    return replace(data, tables=_without_ids(data.tables), queries=_without_rows(data))


def check_audience(data: Dataset) -> None:
    """Refuse a shared report of these patients where the sizes of its arms alone would tell too much.

    Raises
    ------
    lib.study.yaml_file.ProblemsFound
        E110 when an arm in force is itself a small cell (its size stands on every page), or when so few of its
        patients are left out that the report of all patients, or one shared before, less this one, would be a report
        about them.
    """
    if allows(data.parameters, "patient ids"):
        return
    least = data.study.policy.small_cell
    whole = data.flow[data.flow["step"] == "treated"].set_index("group")["count"]
    few = [arm.id for arm in data.arms if data.n[arm.id] < least]
    left = [arm.id for arm in data.arms if 0 < whole[arm.id] - data.n[arm.id] < least]
    reasons = [f"fewer than {least} patients in arm {', '.join(few)}"] if few else []
    if left:
        reasons.append(f"all but fewer than {least} patients of arm {', '.join(left)}, who follow by subtraction")
    reasons += [] if left else differences(data, earlier_of(data))
    if reasons:
        message = f"cannot be shared: {'; '.join(reasons)} (policy.small_cell)"
        raise ProblemsFound([Problem("E110", message, file="parameters", column="audience", value="share")])


def _without_ids(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Running numbers instead of the ids of patients and lesions, in every table."""
    renamed = dict(tables)
    for column, word, owner in (("patient_id", "patient", "patients"), ("lesion_id", "lesion", "lesions")):
        if owner not in tables:
            continue
        ids = sorted(tables[owner][column].dropna().astype(str).unique())
        numbers = {old: f"{word}{i:06d}" for i, old in enumerate(ids)}
        for name, frame in renamed.items():
            if column in frame:
                renamed[name] = frame.assign(**{column: frame[column].map(numbers)})
    return renamed


def _without_rows(data: Dataset) -> pd.DataFrame:
    """Data queries without what points to a patient or a file; rule, table and column stay, so that they can be counted."""
    tables = {table.file: name for name, table in data.study.tables.items()}
    queries = data.queries
    return queries.assign(file=queries["file"].map(lambda file: tables.get(file, "")), row="", patient_id="", value="", message=LEFT_OUT)


def mask_analysis(data: Dataset, analysis: A, earlier: tuple[Shared, ...] = ()) -> A | Absent:
    """Hide small cells and whatever would give them back; leave out the rows of single patients.

    Parameters
    ----------
    data : Dataset
    analysis : Analysis
    earlier : tuple of Shared
        Reports of the same study that were shared before (`jointly.earlier_of`).

    Returns
    -------
    Analysis or Absent
        The same frames with the same rows; what is hidden is missing. `Absent` if no frame was examined.

    Raises
    ------
    lib.show.disclosure.jointly.SharingRefused
        Whatever is hidden, a small count follows from this report and an earlier one.
    """
    known = {name: find(name, analysis.variable) for name in analysis.frames}
    frames = {name: frame for name, frame in analysis.frames.items() if known[name].examined}
    if not frames:
        return Absent(NOT_EXAMINED)
    small = data.study.policy.small_cell
    hidden = _hidden(data, analysis, known, frames, earlier)
    rows = {name: gone[[c for c in gone if c in DECIDING]].any(axis=1) for name, gone in hidden.items()}
    if "landmark" in hidden:
        rows["landmark"] = hidden["landmark"].any(axis=1)
    masked = {}
    for name, frame in frames.items():
        gone = hidden[name].any(axis=1) if name in OVER_TIME else rows[name] | _made_from(known[name], frame, known, frames, rows)
        blanked = _blank(frame, gone | _few(frame, small) | _tells_counts(data, known[name], frame), hidden[name])
        masked[name] = _without_single(known[name], _without_signs(_without_quantiles(blanked, frame, small), frame, small))
    others = {name: _emptied(frame) for name, frame in analysis.frames.items() if name not in frames}
    masked = {name: round_shared(frame) for name, frame in (_mask_events(masked) | others).items()}
    return replace(analysis, dataset=data, frames=masked, data=_shared_data(analysis, masked, small))


def _hidden(data: Dataset, analysis: Analysis, known: dict, frames: dict, earlier: tuple[Shared, ...]) -> dict[str, pd.DataFrame]:
    """Which counts of each frame are hidden: one column per column of counts."""
    counted = dict(frames)
    # Events and censorings by time are in no shared report: nothing else has to be hidden for their sake.
    for name in OVER_TIME & set(frames):
        counted[name] = frames[name].assign(**{c: np.nan for c in known[name].never_shared if c in frames[name]})
    if "landmark" in frames and "curve" in analysis.data:
        # A share without the event tells the number of events before.
        counted["landmark"] = frames["landmark"].assign(n_events=_events_by(analysis["curve"], frames["landmark"]))
    systems = analysis["terms"].groupby("system")["term"].apply(list).to_dict() if "terms" in analysis.data else {}
    sizes = pd.Series({**data.n, OVERALL: len(data.patients)})
    settings = data.study.adverse_events
    ranks = {"severe": settings.severe, "fatal": settings.fatal} if settings else {}
    small = data.study.policy.small_cell
    cells = count_cells(counted, known, sizes, systems, **ranks)
    add_earlier(cells, counted, analysis.variable, data, earlier)
    gone = cells.suppress(small, price(counted, known))
    refuse_exposed(cells, small, earlier)
    return {
        name: pd.DataFrame(
            {c: [(name, row, c) in gone for row in range(len(frame))] for c in COUNTS if c in frame}, index=frame.index
        )
        for name, frame in counted.items()
    }


def _events_by(curve: pd.DataFrame, frame: pd.DataFrame) -> list[float]:
    """Events up to and including the time of each row."""
    return [
        float(curve.loc[(curve["group"] == group) & (curve["time"] <= time), "n_events"].sum())
        for group, time in zip(frame["group"], frame["time"], strict=True)
    ]


def _few(frame: pd.DataFrame, small: int) -> pd.Series:
    """Rows about few patients."""
    n = frame["n"].astype(float) if "n" in frame else pd.Series(0.0, frame.index)
    return n.between(0, small, inclusive="neither")


def _emptied(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame that nobody has examined: its rows, and nothing in them. A method can name the time of a patient."""
    said = {column: text for column, text in (("note", MASKED), ("method", LEFT_OUT)) if column in frame}
    return frame.assign(**dict.fromkeys(set(frame) - PLACES, np.nan), **said)


def _tells_counts(data: Dataset, output: Output, frame: pd.DataFrame) -> pd.Series:
    """Rows that say without a count what the counts were: a standardized difference of two small shares does."""
    categories = [variable.id for variable in data.study.baseline if variable.type == "category"]
    return frame["variable"].isin(categories) if output.tells_counts else pd.Series(False, index=frame.index)


def _made_from(output: Output, frame: pd.DataFrame, known: dict, frames: dict, rows: dict[str, pd.Series]) -> pd.Series:
    """Rows made from hidden counts of another output."""
    found = pd.Series(False, index=frame.index)
    source = output.made_from
    if source not in rows:
        return found
    of = family(known[source], frames[source])[rows[source]]
    for index, row in family(output, frame).iterrows():
        same = set(of.loc[(of["common"] == row["common"]) & (of["time"] == row["time"]), "group"])
        found[index] = bool(same & set(row["group"].split(" vs "))) or (row["group"] == OVERALL and len(same) > 0)
    return found


def _blank(frame: pd.DataFrame, rows: pd.Series, counts: pd.DataFrame) -> pd.DataFrame:
    """The frame without its hidden counts, and in `rows` without everything that is not a count of its own."""
    blanked = frame.copy()
    for column in set(frame) - PLACES:
        blanked[column] = frame[column].astype(float).mask(counts.get(column, rows))
    if "note" in frame and rows.any() and "step" not in frame:
        blanked["note"] = frame["note"].mask(rows, MASKED)
    return blanked


def _without_quantiles(frame: pd.DataFrame, full: pd.DataFrame, small: int) -> pd.DataFrame:
    """Rule 3: quartiles and medians only where they divide the patients into parts that are no small cells."""
    if {"n", "q1", "q3"} <= set(frame):
        n = full["n"].astype(float)
        quartiles = {c: frame[c].where(n >= 4 * small) for c in ("q1", "q3")}
        frame = frame.assign(**quartiles, median=frame["median"].where(n >= 2 * small))
    return frame


def _without_signs(frame: pd.DataFrame, full: pd.DataFrame, small: int) -> pd.DataFrame:
    """Rule 3: no signed-rank test from which follows how few patients changed the other way than most.

    Its statistic is the sum of their ranks, its exact p a whole number / 2^n, which three digits do not blur. Up to
    `small` - 1 patients, and none more, have a sum below 1 + 2 + ... + `small`. None are hidden too: else it would tell.
    """
    if not {"statistic", "p_value", "n_zero"} <= set(frame):
        return frame
    changed = full["n"].astype(float) - full["n_zero"].astype(float)
    least = np.minimum(full["statistic"], changed * (changed + 1) / 2 - full["statistic"])
    told = least < small * (small + 1) / 2
    note = frame["note"].mask(told & frame["p_value"].notna(), MASKED) if "note" in frame else ""
    return frame.assign(statistic=frame["statistic"].mask(told), p_value=frame["p_value"].mask(told), note=note)


def _without_single(output: Output, frame: pd.DataFrame) -> pd.DataFrame:
    """Rule 3: no extremes, and no result of one patient's leaving."""
    frame = frame.assign(**{c: np.nan for c in (*SINGLE, *output.never_shared) if c in frame})
    if output.name == "robustness":
        of_one = frame["variable"].str.contains("leave_one_out|fragile")
        frame = frame.assign(p_value=frame["p_value"].mask(of_one))
    return frame


def _mask_events(frames: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The events of a time-to-event analysis, in no row where one arm's are hidden: pairs and totals give them back."""
    about = [name for name, f in frames.items() if "n_events" in f and name not in OVER_TIME]
    if not any(frames[name]["n_events"].isna().any() for name in about):
        return frames
    masked = {n: frames[n].assign(**{c: np.nan for c in FROM_EVENTS if c in frames[n]}) for n in about}
    if "detectable" in masked:
        masked["detectable"] = masked["detectable"].assign(**dict.fromkeys(DETECTABLE, np.nan), note=MASKED)
    return frames | masked


def _shared_data(analysis: Analysis, masked: dict[str, pd.DataFrame], small: int) -> dict[str, pd.DataFrame]:
    """What pictures may have: no rows of patients, coarse curves, and copies of frames as the frames now are."""
    kept = {name: frame for name, frame in analysis.data.items() if name == "terms"}
    if "ways" in analysis.data:
        kept["ways"] = analysis["ways"].assign(**{c: masked["robustness"][c].to_numpy() for c in masked["robustness"]})
    if "curve" in analysis.data and "n_events" in analysis["curve"]:
        shown = [masked[name] for name in OVER_TIME if name in masked and "estimate" in masked[name]]
        times = pd.concat([f.loc[f["estimate"].notna(), ["group", "time"]] for f in shown]) if shown else None
        told = {group for f in masked.values() if "n_events" in f for group in f.loc[f["n_events"].notna(), "group"]}
        parts = [_coarsen(own, times, small, g in told) for g, own in analysis["curve"].groupby("group", sort=False)]
        kept["curve"] = pd.concat(parts, ignore_index=True)
    return kept


def _coarsen(curve: pd.DataFrame, times: pd.DataFrame | None, small: int, total: bool) -> pd.DataFrame:
    """Rule 4: one arm's curve, stepping only where enough events lie behind and between it and what else is shown.

    `total` says that the number of all events is shown, so that those after the last step follow.

    As in the rounded Kaplan-Meier curves of OpenSAFELY, steps wait until enough patients share them.
    """
    events = curve["n_events"].cumsum().to_numpy()
    after = curve["n_risk"].to_numpy() - curve["n_events"].to_numpy() - curve["n_censored"].to_numpy()
    own = [] if times is None else times.loc[times["group"] == curve["group"].iat[0], "time"]
    known = [events[curve["time"].to_numpy() <= time][-1] for time in own if (curve["time"] <= time).any()]
    known += [events[-1]] if total else []
    kept = [0]
    for i in range(1, len(curve)):
        others = [events[kept[-1]], *known]
        apart = all(abs(events[i] - other) >= small or events[i] == other for other in others)
        if apart and events[i] > events[kept[-1]] and after[i] >= small:
            kept.append(i)
    coarse = curve.iloc[kept]
    # The time of a step is a day of a patient.
    return round_shared(coarse.assign(n_censored=0), PLACES - {"time"})
