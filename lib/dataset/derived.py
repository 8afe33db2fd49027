"""Frames derived from the analysis set: times to event, response at a visit, tumour volume, marker values, baseline.

Who is in the analysis set is decided in dataset. Computes no statistic.
"""

from __future__ import annotations

__all__ = [
    "LESION_VOLUME",
    "VOLUME",
    "baseline_frame",
    "marker_frame",
    "response_frame",
    "time_to_event_frame",
    "volume_frame",
    "why_not_seen",
]

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lib.dataset.dataset import Dataset, once_per_dataset
from lib.dataset.markers import LAST, UNKNOWN, marker_frame, rise_dates, with_change
from lib.dataset.progression import measured_responses, progression_dates
from lib.intake import recist
from lib.study.endpoints import Endpoint
from lib.study.parts import DAYS, Variable
from lib.study.study import present
from lib.study.words import OF_MARKER

Array = npt.NDArray[Any]
VOLUME = "volume"
LESION_VOLUME = "lesion_volume"


def time_to_event_frame(data: Dataset, endpoint: Endpoint) -> pd.DataFrame:
    """Time and event of every patient for whom the endpoint is known, and what decided them.

    Parameters
    ----------
    data : Dataset
    endpoint : Endpoint

    Returns
    -------
    DataFrame, one row per patient with a known time, the index as in `data.patients`
        patient_id, arm, time (in the study's unit), event (bool, True = event of interest),
        cause (0 censored, 1 event, 2 competing), decided_by (column or kind of progression that made it an event, or
        column that censored it), and what else `patients` holds.
    """
    patients = data.patients
    derived = [progression_dates(data)] if endpoint.kinds else []
    derived += [rise_dates(data, data.study.marker(name)) for name in endpoint.of_markers]
    dated = pd.concat([patients, *derived], axis=1) if derived else patients
    days, cause, decided_by = _from_dates(dated, endpoint) if endpoint.derived else _ready_made(patients, endpoint)
    frame = patients.copy(deep=False)  # a registry's columns are held once
    frame.insert(2, "time", days / data.study.time.days_per_unit)
    frame.insert(3, "event", cause == 1)
    frame.insert(4, "cause", cause)
    frame.insert(5, "decided_by", decided_by)
    return frame if frame["time"].notna().all() else frame[frame["time"].notna()]


def _from_dates(patients: pd.DataFrame, endpoint: Endpoint) -> tuple[pd.Series, Array, Array]:
    """Earliest counting date wins; an event of interest wins over a competing one of the same day."""
    columns = [*endpoint.events, *endpoint.competing]
    dates = pd.DataFrame({c: patients.get(c, pd.Series(pd.NaT, patients.index)) for c in columns})
    first = dates.min(axis=1)
    which = dates.fillna(pd.Timestamp.max).to_numpy().argmin(axis=1)
    decided = np.array(columns, dtype=object)[which]
    happened = first.notna().to_numpy()
    cause = np.where(happened, np.where(which < len(endpoint.events), 1, 2), 0)
    censor = present(endpoint.censor)
    end = first.where(happened, patients[f"{censor}{LAST}" if censor.startswith(OF_MARKER) else censor])
    # Censored before the event became known cannot be: an event after the last assessment still counts (a death).
    days = (end - patients["time_zero"]).dt.days.astype(float)
    for name in endpoint.of_markers:  # of whom nothing can be known of a marker, nobody knows when it progressed
        days = days.mask(patients[f"{OF_MARKER}{name}{UNKNOWN}"])
    return days, cause, np.where(happened, decided, censor)


def _ready_made(patients: pd.DataFrame, endpoint: Endpoint) -> tuple[pd.Series, Array, Array]:
    time, event, codes = present(endpoint.time), present(endpoint.event), patients[endpoint.event_column]
    cause = np.where(codes == event.event, 1, 0)
    if event.competing:
        cause = np.where(codes == event.competing, 2, cause)
    days = patients[endpoint.time_column].astype(float) * DAYS[time.unit]
    return days, cause, np.full(len(patients), event.column, dtype=object)


@once_per_dataset
def volume_frame(data: Dataset) -> pd.DataFrame:
    """Total volume of the target lesions per patient and visit, and its change.

    Returns
    -------
    DataFrame, one row per patient and visit
        patient_id, arm, visit, date, value (cm3), baseline, change, percent_change.
    """
    volumes = recist.derive_volume(data.tables["lesions"], data.tables["measurements"])
    volumes = volumes.rename(columns={"volume_cm3": "value", "assessment_date": "date"})
    return with_change(data, volumes.dropna(subset=["value"]))


@once_per_dataset
def response_frame(data: Dataset, visit: float) -> pd.DataFrame:
    """Time-point response of every patient at one visit.

    Returns
    -------
    DataFrame, one row per patient
        patient_id, arm, response: CR, PR, SD, PD, NE, or why there is none: `died` (before the visit),
        `missing` (no assessment), `not due` (the visit lies after the cut-off); evaluable (bool), responder (bool),
        controlled (bool: CR, PR or SD), percent_change (of what the rule adds up), reader (the reader's category or NA).
    """
    patients = data.patients[["patient_id", "arm"]].reset_index(drop=True)
    derived = measured_responses(data, present(data.response))
    at_visit = derived[derived["visit"] == visit].drop_duplicates("patient_id").set_index("patient_id")
    response = patients["patient_id"].map(at_visit["response"]).astype(object)
    progressed = derived[(derived["response"] == "PD") & (derived["visit"] < visit)]["patient_id"]
    response = response.where(~(response.isna() & patients["patient_id"].isin(progressed)), "PD")
    response = response.where(response.notna(), why_not_seen(data, visit).to_numpy())
    frame = patients.assign(response=response, percent_change=patients["patient_id"].map(at_visit["percent_change"]))
    frame["evaluable"] = frame["response"].isin(["CR", "PR", "SD", "PD"])
    frame["responder"] = frame["response"].isin(["CR", "PR"])
    frame["controlled"] = frame["response"].isin(["CR", "PR", "SD"])
    frame["reader"] = _reader(data, visit, patients["patient_id"])
    return frame


def why_not_seen(data: Dataset, visit: float) -> pd.Series:
    """Why a patient without a value at `visit` has none: `died`, `not due` (after the cut-off) or `missing`.

    Returns
    -------
    Series, one value per row of `data.patients`
    """
    patients = data.patients
    why = pd.Series("missing", index=patients.index, dtype=object)
    if "time_zero" not in patients:  # nobody knows when the visit was due
        return why
    due = patients["time_zero"] + pd.to_timedelta(visit * data.study.time.days_per_unit, unit="D")
    if data.cutoff is not None:
        why[due + pd.Timedelta(days=present(data.study.visits).window_days[1]) > pd.Timestamp(data.cutoff)] = "not due"
    if "death_date" in patients:
        latest = due + pd.Timedelta(days=present(data.study.visits).window_days[1])
        why[patients["death_date"].notna() & (patients["death_date"] <= latest)] = "died"
    return why


def _reader(data: Dataset, visit: float, patient_ids: pd.Series) -> pd.Series:
    readings = data.tables.get("assessments", pd.DataFrame())
    if "reader_response" not in readings:
        return pd.Series(pd.NA, index=patient_ids.index, dtype="object")
    rows = readings[readings["visit"] == visit].drop_duplicates("patient_id").set_index("patient_id")
    return patient_ids.map(rows["reader_response"]).astype(object)


def baseline_frame(data: Dataset) -> pd.DataFrame:
    """Baseline variables of every patient, those derived from other tables included.

    Returns
    -------
    DataFrame, one row per patient
        patient_id, arm, and the `column` of each variable of study.yml.
    """
    frame = data.patients.reset_index(drop=True).copy()
    for variable in data.study.baseline:
        if variable.source is not None:
            frame[variable.column] = frame["patient_id"].map(_derived_baseline(data, variable))
    return frame[["patient_id", "arm", *[v.column for v in data.study.baseline]]]


def _derived_baseline(data: Dataset, variable: Variable) -> pd.Series:
    """Value per patient_id of a baseline variable that another table holds."""
    source = present(variable.source)
    kind = source.kind
    if kind == "marker":
        values = marker_frame(data, data.study.marker(present(source.marker)))
    elif kind == "volume":
        values = volume_frame(data)
    else:
        lesions = data.tables["lesions"]
        if kind == "targets":
            return lesions[lesions["target"].astype(bool)].groupby("patient_id").size()
        values = measured_responses(data, present(data.study.response)).rename(columns={"sum_mm": "value"})
    return values[values["visit"] == 0].drop_duplicates("patient_id").set_index("patient_id")["value"]
