"""Frames of one patient's course: treatment, response, markers, events, on one time axis. Computes no statistic."""

from __future__ import annotations

__all__ = ["Profiles", "choose_profiles", "profile"]

from typing import cast

import pandas as pd

from lib.analyses.result import Analysis, requires
from lib.analyses.safety.events import kinds_of_events
from lib.analyses.safety.events_in_time import course_frame
from lib.dataset.dataset import Dataset
from lib.dataset.derived import marker_frame
from lib.dataset.progression import measured_responses
from lib.study.parameters import Safety
from lib.study.study import present

GRAVE = ("severe", "serious", "stopped", "fatal")


class Profiles(Analysis):
    """Patients who are drawn one by one."""


@requires("adverse_events")
def choose_profiles(data: Dataset, *patients: str) -> Profiles:
    """Choose the patients whose profile is drawn: those named, or those that the parameter `profiles` asks for.

    `severe`: with a severe, serious or fatal event, or one that ended a treatment; `all`; `none`.

    Returns
    -------
    Profiles
        Data `chosen`, one row per patient in study order. Nothing is recorded.
    """
    ids = [*patients] or _asked_for(data)
    return Profiles(data, "", {}, {"chosen": pd.DataFrame({"patient_id": ids}, dtype=str)})


def _asked_for(data: Dataset) -> list[str]:
    ids, wanted = list(data.patients["patient_id"]), cast(Safety, data.parameters).profiles
    if wanted != "severe" or "time_zero" not in data.patients:
        return ids if wanted == "all" and "time_zero" in data.patients else []
    events = data.tables["adverse_events"]
    kinds = kinds_of_events(data, events)
    grave = pd.concat([kinds[kind] for kind in GRAVE if kind in kinds], axis="columns").any(axis="columns")
    found = set(events.loc[grave, "patient_id"])
    return [patient for patient in ids if patient in found]


def profile(data: Dataset, patient_id: str) -> dict[str, pd.DataFrame]:
    """Everything about one patient, in the study's unit since time zero.

    Returns
    -------
    dict of DataFrame
        `treatments` (component, line, start, end, ongoing), `responses` (time, response), `markers` (marker, time,
        ratio to the first value), `events` (as `safety_time.course_frame`), `marks` (what, time: progression, death,
        last contact). A table that the study lacks gives no rows.
    """
    own = data.patients[data.patients["patient_id"] == patient_id].iloc[0]
    zero, last = own["time_zero"], own.get("last_contact_date", pd.NaT)
    last = last if pd.notna(last) else pd.Timestamp(data.cutoff)

    def since(dates: pd.Series) -> pd.Series:
        return (dates - zero).dt.days / data.study.time.days_per_unit

    def rows(table: str) -> pd.DataFrame:
        frame = data.tables[table]
        return frame[frame["patient_id"] == patient_id]

    empty = pd.DataFrame()
    parts = {"treatments": empty, "responses": empty, "markers": empty}
    if data.holds("treatments"):
        given = rows("treatments")
        local = given["component"].isin([c.id for c in data.study.treatments.components if c.kind == "local"])
        end = given["end_date"].where(given["end_date"].notna() | ~local, given["start_date"])
        parts["treatments"] = given[["component"]].assign(
            line=given["line"].fillna(1) if "line" in given else 1, start=since(given["start_date"]),
            end=since(end.fillna(last)), ongoing=end.isna(),
        )  # fmt: skip
    if data.holds("measurements") and data.study.response:
        lesions = rows("lesions")
        measured = data.tables["measurements"]
        measured = measured[measured["lesion_id"].isin(lesions["lesion_id"])]
        if lesions["target"].any() and len(measured):
            derived = measured_responses(data, present(data.response))
            seen = measured.groupby("visit")["assessment_date"].min()
            derived = derived[(derived["patient_id"] == patient_id) & (derived["visit"] > 0)].reset_index(drop=True)
            parts["responses"] = derived[["response"]].assign(time=since(derived["visit"].map(seen)))
    values = [_marker(data, marker, patient_id) for marker in data.study.markers if marker.role == "endpoint"]
    values = [frame.assign(time=since(frame["date"])) for frame in values if len(frame)]
    parts["markers"] = pd.concat(values, ignore_index=True) if values else empty
    courses = course_frame(data)
    parts["events"] = courses[courses["patient_id"] == patient_id].reset_index(drop=True)
    dates = {"progression": own.get("local_progression_date"), "death": own.get("death_date"), "last contact": last}
    marks = pd.DataFrame([(what, date) for what, date in dates.items() if pd.notna(date)], columns=["what", "date"])
    if "death" in set(marks["what"]):
        marks = marks[marks["what"] != "last contact"]
    parts["marks"] = marks.assign(time=since(pd.to_datetime(marks["date"])))
    return parts


def _marker(data: Dataset, marker, patient_id: str) -> pd.DataFrame:
    """Values of one marker as ratio to the patient's baseline."""
    frame = marker_frame(data, marker)
    frame = frame[(frame["patient_id"] == patient_id) & frame["baseline"].gt(0)]
    return pd.DataFrame({"marker": marker.short, "date": frame["date"], "ratio": frame["value"] / frame["baseline"]})
