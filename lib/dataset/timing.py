"""When things happened to each patient: scans before a progression, starts of treatment components.

Frames for the questions that time raises (time zero, intervals between scans). Computes no statistic.
"""

from __future__ import annotations

__all__ = [
    "component_frame",
    "interval_frame",
    "midpoint_time",
    "scan_gaps",
    "shifted_frame",
    "strategy_frame",
    "why_no_components",
    "why_no_midpoint",
]

import pandas as pd

from lib.dataset.dataset import Dataset
from lib.study.endpoints import Endpoint
from lib.study.inference.strategy import Strategy, shared_components
from lib.study.study import present
from lib.study.words import KINDS


def why_no_components(data: Dataset) -> str:
    """Why no arm can be asked for the time between its components; "" where one can."""
    if not data.holds("treatments"):
        return "the study holds no table of treatments"
    if "time_zero" not in data.patients:
        return "the study holds no date of time zero"
    return "" if _combinations(data) else "no arm receives more than one component"


def _combinations(data: Dataset) -> dict[str, list[str]]:
    """Components of each arm in force that receives more than one."""
    components = present(data.study.treatments).components
    given = {arm.id: [c.id for c in components if arm.id in c.arms] for arm in data.arms}
    return {arm: parts for arm, parts in given.items() if len(parts) > 1}


def _first_starts(data: Dataset) -> pd.DataFrame:
    """First start of each component (first line of treatment only), a row per patient."""
    rows = data.tables["treatments"]
    rows = rows[rows["line"].fillna(1) == 1] if "line" in rows else rows
    return rows.groupby(["patient_id", "component"])["start_date"].min().unstack()


def component_frame(data: Dataset) -> pd.DataFrame:
    """First and last start of the components that the arm combines (first line of treatment only).

    Returns
    -------
    DataFrame, one row per patient of an arm with several components who received all of them
        patient_id, arm, first, last (dates), gap_days (last minus first).
    """
    starts = _first_starts(data)
    arm = data.patients.set_index("patient_id")["arm"]
    parts = []
    for arm_id, components in _combinations(data).items():
        own = starts.reindex(index=arm.index[arm == arm_id], columns=components).dropna()
        parts.append(pd.DataFrame({"first": own.min(axis=1), "last": own.max(axis=1)}).assign(arm=arm_id))
    frame = pd.concat(parts).rename_axis("patient_id").reset_index()
    frame["arm"] = pd.Categorical(frame["arm"], categories=arm.cat.categories, ordered=True)
    return frame.assign(gap_days=(frame["last"] - frame["first"]).dt.days.astype(float))


def shifted_frame(data: Dataset, tte: pd.DataFrame) -> pd.DataFrame:
    """Time to event from the start of the later component; who was not followed beyond it is left out."""
    later = component_frame(data).set_index("patient_id")["last"]
    shift = (tte["patient_id"].map(later) - tte["time_zero"]).dt.days.clip(lower=0).fillna(0).astype(float)
    time = tte["time"] - shift / data.study.time.days_per_unit
    return tte.assign(time=time)[(shift == 0) | (time > 0)].reset_index(drop=True)


def strategy_frame(data: Dataset, strategy: Strategy) -> pd.DataFrame:
    """When patients of the arms of a strategy began, and when they added its component (first line of treatment only).

    Returns
    -------
    DataFrame, one row per patient of these arms, index as in `data.patients`
        patient_id, arm, began (bool: time zero is the start of a component that all these arms receive, and the one to be
        added was not given before), added (days from time zero to the first start of the component to be added; NaN = never).
    """
    patients = data.patients[data.patients["arm"].isin(strategy.arms)]
    shared = shared_components(present(data.study.treatments).components, strategy)
    starts = _first_starts(data).reindex(columns=[*shared, strategy.add])
    days = starts.reindex(patients["patient_id"]).set_axis(patients.index).apply(lambda start: (start - patients["time_zero"]).dt.days)
    return patients[["patient_id", "arm"]].assign(began=(days[shared] == 0).any(axis=1), added=days[strategy.add].astype(float))


def why_no_midpoint(data: Dataset, endpoint: Endpoint) -> str:
    """Why an event cannot be placed between two scans; "" where it can."""
    if not data.holds("measurements"):
        return "the study holds no table of measurements"
    return "" if _found_at_scans(data) & set(endpoint.events) else "the event is not found at scans"


def _found_at_scans(data: Dataset) -> set[str]:
    """What makes an event on the day of the scan that shows it."""
    return {*KINDS, present(data.study.response).progression_column or ""}


def _scans(data: Dataset) -> pd.DataFrame:
    """patient_id and date of every tumour assessment, each once, in order."""
    own = data.tables["lesions"].set_index("lesion_id")["patient_id"]
    measured = data.tables["measurements"]
    scans = pd.DataFrame({"patient_id": measured["lesion_id"].map(own), "date": measured["assessment_date"]})
    return scans.dropna().drop_duplicates().sort_values(["patient_id", "date"]).reset_index(drop=True)


def interval_frame(data: Dataset, tte: pd.DataFrame) -> pd.DataFrame:
    """Between which times the event of each patient lies.

    Returns
    -------
    DataFrame
        `tte` with `left` and `right` (the endpoint's unit): for a progression the last scan without it (time zero
        where there is none) and the scan that found it, for any other event its day twice, for the censored the last
        day and infinity.
    """
    found = tte.loc[tte["event"] & tte["decided_by"].isin(_found_at_scans(data)), ["patient_id", "time_zero", "time"]]
    days = (found["time"] * data.study.time.days_per_unit).round()
    found = found.assign(progression=found["time_zero"] + pd.to_timedelta(days, unit="D"))
    scans = _scans(data).merge(found, on="patient_id")
    before = scans[scans["date"] < scans["progression"]].groupby("patient_id")["date"].max()
    last = found["patient_id"].map(before).fillna(found["time_zero"]).clip(lower=found["time_zero"])
    left = tte["time"].copy()
    left.loc[found.index] = (last - found["time_zero"]).dt.days / data.study.time.days_per_unit
    return tte.assign(left=left, right=tte["time"].where(tte["event"], float("inf")))


def midpoint_time(data: Dataset, tte: pd.DataFrame) -> pd.DataFrame:
    """Time to event with each progression half-way between the last scan without it and the scan that found it."""
    frame = interval_frame(data, tte)
    return tte.assign(time=frame["time"].where(~frame["event"], (frame["left"] + frame["right"]) / 2))


def scan_gaps(data: Dataset) -> pd.DataFrame:
    """Days between two successive tumour assessments of a patient.

    Returns
    -------
    DataFrame, one row per pair of assessments
        patient_id, arm, days.
    """
    scans = _scans(data)
    days = scans.groupby("patient_id")["date"].diff().dt.days
    frame = scans.assign(days=days.astype(float)).dropna(subset=["days"])
    arm = data.patients.set_index("patient_id")["arm"]
    frame["arm"] = pd.Categorical(frame["patient_id"].map(arm), categories=arm.cat.categories, ordered=True)
    return frame[["patient_id", "arm", "days"]].reset_index(drop=True)
