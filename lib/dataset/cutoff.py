"""The tables as they stood on an earlier day: what came later is not yet known."""

from __future__ import annotations

__all__ = ["apply_cutoff"]

import pandas as pd

from lib.study.parts import FLAGS_OF_DATES


def apply_cutoff(tables: dict[str, pd.DataFrame], cutoff: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """Return the tables as they stood on `cutoff`: later rows, events and contacts are not yet known.

    Patients who had not started are dropped. The last tumour assessment becomes the last one on or before the cut-off
    that the measurements hold (the cut-off itself where a study has none).
    """
    patients = tables["patients"]
    patients = patients[patients["time_zero"] <= cutoff].copy()
    for date, flag in (*FLAGS_OF_DATES.items(), ("distant_progression_date", None)):
        if date in patients:
            later = patients[date] > cutoff
            patients.loc[later, date] = pd.NaT
            if flag in patients:
                patients.loc[later, flag] = False
    if "last_contact_date" in patients:
        patients["last_contact_date"] = patients["last_contact_date"].clip(upper=cutoff)
    kept = dict(tables)
    for name, date in (
        ("measurements", "assessment_date"),
        ("assessments", "assessment_date"),
        ("markers", "sample_date"),
        ("treatments", "start_date"),
        ("adverse_events", "onset_date"),
    ):
        if name in tables:
            frame = tables[name]
            kept[name] = _as_known(frame[~(frame[date] > cutoff)].copy(), patients, cutoff)
    if "last_tumour_assessment" in patients:
        patients["last_tumour_assessment"] = _last_assessment(patients, kept, cutoff)
    return {**kept, "patients": patients}


def _as_known(frame: pd.DataFrame, patients: pd.DataFrame, cutoff: pd.Timestamp) -> pd.DataFrame:
    """Rows as they stood on `cutoff`: what ended later goes on, and what became of it is not known."""
    if "end_date" not in frame:
        return frame
    later = frame["end_date"] > cutoff
    if "outcome" in frame:
        alive = patients.set_index("patient_id")["death_date"].isna() if "death_date" in patients else pd.Series()
        not_yet = later | ((frame["outcome"] == "fatal") & frame["patient_id"].map(alive).eq(True))
        frame["outcome"] = frame["outcome"].mask(not_yet)
    return frame.assign(end_date=frame["end_date"].mask(later))


def _last_assessment(patients: pd.DataFrame, tables: dict[str, pd.DataFrame], cutoff: pd.Timestamp) -> pd.Series:
    clipped = patients["last_tumour_assessment"].clip(upper=cutoff)
    if "measurements" not in tables:
        return clipped
    own = tables["lesions"].set_index("lesion_id")["patient_id"]
    dates = tables["measurements"].groupby(tables["measurements"]["lesion_id"].map(own))["assessment_date"].max()
    last = patients["patient_id"].map(dates)
    later = patients["last_tumour_assessment"] > cutoff
    # A baseline scan before time zero censors at time zero: it contributes no time.
    return clipped.where(~later, last.fillna(patients["time_zero"]).clip(lower=patients["time_zero"]))
