"""Change from baseline adjusted for the baseline: a marker on its scale, the tumour's volume as a ratio.

Whoever starts high falls further, by chance alone; arms that start apart are compared as if they had started alike.
"""

from __future__ import annotations

__all__ = ["adjust", "volumes_to_adjust"]

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib.dataset.course import lesion_frame
from lib.dataset.dataset import Dataset
from lib.dataset.derived import volume_frame
from lib.statistics.models.ancova import estimate_ancova

WITHOUT_LOGARITHM = "not estimable: a value of zero or less has no logarithm"
# Output -> columns that are logarithms and are read as ratios.
BACK = {"mean": ["estimate", "ci_low", "ci_high"], "difference": ["difference", "ci_low", "ci_high"], "test": []}


def volumes_to_adjust(data: Dataset) -> pd.DataFrame:
    """Volumes of patients with `baseline`: a vanished lesion counts as too small to measure, because 0 has no logarithm."""
    measured = lesion_frame(data).groupby(["patient_id", "visit"])["value"].sum().rename("positive").reset_index()
    values = volume_frame(data).drop_duplicates(["patient_id", "visit"]).merge(measured, on=["patient_id", "visit"])
    values = values.drop(columns=["value", "baseline", "change", "percent_change"]).rename(columns={"positive": "value"})
    first = values[values["visit"] == 0].set_index("patient_id")["value"]
    return values.assign(baseline=values["patient_id"].map(first))


def adjust(data: Dataset, variable: str, values: pd.DataFrame, visits: Sequence[float], log: bool) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Analysis of covariance of the change at each visit.

    Parameters
    ----------
    data : Dataset
    variable : str
        Marker, or the tumour's volume.
    values : DataFrame, one row per patient and visit
        patient_id, arm, visit, value, baseline.
    visits : sequence of float
    log : bool
        Whether change is a ratio: the log ratio is modelled on the log baseline, and read as a ratio.

    Returns
    -------
    dict of str to DataFrame
        `<variable>_adjusted_mean` (change, or ratio to baseline, at the mean baseline), with two arms or more
        `<variable>_adjusted_difference` (to the reference arm, or the ratio of the ratios) and
        `<variable>_adjusted_test` (all arms); see `estimate_ancova`.
    DataFrame
        What was modelled: patient_id, arm, visit, baseline, change.
    """
    parts: dict[str, list[pd.DataFrame]] = {}
    modelled = []
    for visit in visits:
        at = values[(values["visit"] == visit) & values["baseline"].notna()].drop_duplicates("patient_id")
        without = log and bool((at[["value", "baseline"]] <= 0).any(axis=None))
        at = _changes(at.iloc[:0] if without else at, log)
        for name, frame in estimate_ancova(at, data.reference, data.parameters.level).items():
            said = frame.assign(note=WITHOUT_LOGARITHM) if without else frame
            parts.setdefault(name, []).append(_as_ratios(said, BACK[name]).assign(time=visit) if log else said.assign(time=visit))
        modelled.append(at.assign(visit=visit))
    wanted = parts if len(data.arms) > 1 else {"mean": parts["mean"]}
    frames = {f"{variable}_adjusted_{name}": pd.concat(found, ignore_index=True) for name, found in wanted.items()}
    return frames, pd.concat(modelled, ignore_index=True)


def _changes(at: pd.DataFrame, log: bool) -> pd.DataFrame:
    change, start = (np.log(at["value"] / at["baseline"]), np.log(at["baseline"])) if log else (at["value"] - at["baseline"], at["baseline"])
    return at[["patient_id", "arm", "visit"]].assign(baseline=start.astype(float), change=change.astype(float))


def _as_ratios(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Logarithms as the ratios that are read; standard errors stay those of logarithms."""
    found = frame.assign(**{column: np.exp(frame[column]) for column in columns}, method=frame["method"] + ", on the log scale")
    return found.rename(columns={"difference": "ratio", "estimate": "ratio"})
