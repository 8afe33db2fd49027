"""Frames of the treated lesions, one row each: whether they stay controlled, and the dose that they got.

A treated lesion is a target that is marked as treated (`progression.lesion_progression`). Computes no statistic.
"""

from __future__ import annotations

__all__ = ["dose_frame", "lesions_as_patients", "treated_frame"]

from dataclasses import replace

import numpy as np
import pandas as pd

from lib.dataset.dataset import Dataset
from lib.dataset.progression import lesion_progression

MEASURED = ("lesions", "measurements")


def treated_frame(data: Dataset) -> pd.DataFrame:
    """Time of every treated lesion to its progression, the patient's death competing.

    Censored at the last assessment with a diameter of the lesion; a death after it still counts, as in endpoints.

    Returns
    -------
    DataFrame, one row per treated lesion
        patient_id, arm (of the arms with treated lesions), lesion_id, time (since time zero, the study's unit), event
        (bool: grew in the field), cause (0 censored, 1 grew, 2 the patient died), followed (bool: assessed after the
        baseline).
    """
    found = lesion_progression(data)
    found = found[found["treated"] & found["target"]].reset_index(drop=True)
    own = data.patients.set_index("patient_id")
    zero, death = (found["patient_id"].map(own[column]) if column in own else pd.Series(pd.NaT, found.index) for column in ("time_zero", "death_date"))
    grown = found["growth_date"].notna() & ~(found["growth_date"] > death)
    end = found["growth_date"].where(grown, death).fillna(found["last_seen"]).fillna(zero)
    days = (end - zero).dt.days.clip(lower=0)
    arms = [arm.id for arm in data.arms if (found["arm"] == arm.id).any()]
    return pd.DataFrame({
        "patient_id": found["patient_id"],
        "arm": found["arm"].cat.set_categories(arms, ordered=True),
        "lesion_id": found["lesion_id"],
        "time": days / data.study.time.days_per_unit,
        "event": grown,
        "cause": np.where(grown, 1, np.where(death.notna(), 2, 0)),
        "followed": found["last_seen"] > found["first_seen"],
    })  # fmt: skip


def lesions_as_patients(data: Dataset, lesions: pd.DataFrame) -> Dataset:
    """The study in which each of these lesions is a patient of its own with one target.

    What is derived of all targets of a patient (response, its course) is derived of one lesion from it, by the same rule.

    Parameters
    ----------
    data : Dataset
    lesions : DataFrame, one row per lesion
        patient_id, lesion_id.

    Returns
    -------
    Dataset
        With the tables patients (`patient_id` is the lesion's, `owner` that of the patient), lesions and measurements.
    """
    own = data.patients.set_index("patient_id").loc[lesions["patient_id"]].reset_index(names="owner")
    kept = {name: data.tables[name][data.tables[name]["lesion_id"].isin(lesions["lesion_id"])] for name in MEASURED}
    tables = {
        "patients": own.assign(patient_id=lesions["lesion_id"].to_numpy()),
        "lesions": kept["lesions"].assign(patient_id=kept["lesions"]["lesion_id"], target=True),
        "measurements": kept["measurements"].drop(columns="patient_id", errors="ignore"),
    }
    return replace(data, tables=tables)


def dose_frame(data: Dataset) -> pd.DataFrame:
    """The dose of every lesion: `lesion_id`, `d90` (Gy) of its first local treatment in the first line."""
    rows = data.tables["treatments"] if data.holds("treatments") else pd.DataFrame()
    if not {"lesion_id", "d90_gy"} <= set(rows):
        return pd.DataFrame({"lesion_id": pd.Series(dtype=object), "d90": pd.Series(dtype=float)})
    line = rows["line"].fillna(1) if "line" in rows else 1
    rows = rows[(line == 1) & rows["lesion_id"].notna() & rows["d90_gy"].notna()]
    first = rows.sort_values("start_date", kind="stable").drop_duplicates("lesion_id")
    return first[["lesion_id", "d90_gy"]].rename(columns={"d90_gy": "d90"}).reset_index(drop=True)
