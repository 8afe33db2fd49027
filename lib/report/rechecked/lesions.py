"""Treated lesions computed a second time: incidence, comparison of arms, slopes of dose."""

from __future__ import annotations

__all__ = ["recompute_lesions"]

from collections.abc import Iterator
from math import isnan

import numpy as np
import pandas as pd

from lib.analyses.efficacy.dose_response import STEP
from lib.analyses.result import Analysis
from lib.dataset.dataset import Dataset
from lib.report.rechecked.parts import Number, adjusted, numbers, places
from lib.statistics.second_engine import clustered, competing
from lib.study.limits import LARGE
from lib.study.study import present


def recompute_lesions(data: Dataset, analysis: Analysis) -> Iterator[Number]:
    """Numbers of lesions that share a patient; an interval or a slope that was not shown is not compared."""
    if "lesions" not in analysis or len(analysis["lesions"]) > LARGE:
        return
    lesions = analysis["lesions"].assign(time=lambda f: f["time"].astype(float).round(9))
    yield from _incidence(data, analysis, lesions)
    yield from _arms(data, analysis, lesions)
    yield from _dose(data, analysis, lesions)


def _incidence(data: Dataset, analysis: Analysis, lesions: pd.DataFrame) -> Iterator[Number]:
    for place, rows in places(analysis, "lesion_control").items():
        for group, row in rows.items():
            time, cause, patient = _columns(lesions[lesions["arm"] == group], "time", "cause", "patient_id")
            values = competing.clustered_incidence(time, cause, patient, present(place[1]), data.parameters.level)
            shown = {name: value for name, value in values.items() if name in ("n_risk", "n_events", "estimate") or not isnan(row["std_err"])}
            yield from numbers("lesion_control", place, group, shown, competing.FORMULA)


def _columns(frame: pd.DataFrame, *names: str) -> list[np.ndarray]:
    return [frame[name].to_numpy() for name in names]


def _arms(data: Dataset, analysis: Analysis, lesions: pd.DataFrame) -> Iterator[Number]:
    """The hazard ratio of each pair from the model of all arms, and the test of all of them."""
    time, event, patient, arm = _columns(lesions.assign(arm=lesions["arm"].astype(str)), "time", "event", "patient_id", "arm")
    if analysis.frames.get("lesion_control_test", pd.DataFrame({"df": [0]}))["df"].iat[0] != len(set(arm)) - 1:
        return  # one arm, no test, or an arm of which the events tell nothing
    for place, rows in places(analysis, "lesion_control_cox").items():
        found = {}
        for group in (group for group, row in rows.items() if not isnan(row["p_value"])):
            x, y = group.split(" vs ")
            others = [x, *(name for name in dict.fromkeys(arm) if name not in (x, y))]
            values = clustered.cox(time, event, np.column_stack([arm == name for name in others]).astype(float), patient, data.parameters.level)
            found[group] = values.pop("p_value")
            yield from numbers("lesion_control_cox", place, group, values, clustered.FORMULA)
        yield from adjusted("lesion_control_cox", place, found, clustered.FORMULA)
    for place, rows in places(analysis, "lesion_control_test").items():
        if not isnan(rows["overall"]["p_value"]):
            others = list(dict.fromkeys(arm))[1:]
            values = clustered.score(time, event, np.column_stack([arm == name for name in others]).astype(float), patient)
            yield from numbers("lesion_control_test", place, "overall", values, clustered.FORMULA)


def _dose(data: Dataset, analysis: Analysis, lesions: pd.DataFrame) -> Iterator[Number]:
    level = data.parameters.level
    for place, rows in places(analysis, "dose_control").items():
        if not isnan(rows["overall"]["p_value"]):
            kept = 1 - _pseudo_values(lesions, present(place[1]))
            values = clustered.slope(kept, _design(lesions), lesions["patient_id"].to_numpy(), STEP, level, odds=True)
            yield from numbers("dose_control", place, "overall", values, clustered.STATSMODELS)
    for place, rows in places(analysis, "dose_volume").items():
        if not isnan(rows["overall"]["p_value"]):
            used = analysis["volumes"][analysis["volumes"]["visit"] == place[1]]
            y = np.log(used["ratio"].to_numpy())
            yield from numbers("dose_volume", place, "overall", clustered.slope(y, _design(used), used["patient_id"].to_numpy(), STEP, level, odds=False), clustered.STATSMODELS)


def _design(rows: pd.DataFrame) -> np.ndarray:
    """One indicator per arm, and the dose."""
    arm = rows["arm"].astype(str)
    return np.column_stack([*(arm == name for name in arm.unique()), rows["d90"] - rows["d90"].mean()]).astype(float)


def _pseudo_values(lesions: pd.DataFrame, at: float) -> np.ndarray:
    """Incidence of the arm, plus its number of lesions times what each moves it by."""
    values = np.zeros(len(lesions))
    for arm in lesions["arm"].unique():
        own = (lesions["arm"] == arm).to_numpy()
        time, cause, patient = _columns(lesions[own], "time", "cause", "patient_id")
        values[own] = competing.clustered_incidence(time, cause, patient, at, 0.95)["estimate"] + own.sum() * competing.moves(time, cause, at)
    return values
