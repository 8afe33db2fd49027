"""Tumour volume and laboratory markers over the visits: level, change from baseline, models, comparisons of arms.

Patients are the unit; medians and rank methods, because change in percent is bounded below and skewed. Mixed models
of log values take all visits at once.
"""

from __future__ import annotations

__all__ = ["Levels", "Measure", "analyse_marker", "analyse_volume", "measure"]

from typing import NamedTuple

import numpy as np
import pandas as pd

from lib.analyses.efficacy.adjusted import adjust, volumes_to_adjust
from lib.analyses.result import Absent, Analysis, requires
from lib.dataset.dataset import Dataset
from lib.dataset.derived import LESION_VOLUME, VOLUME, marker_frame, volume_frame
from lib.statistics import proportions, ranks
from lib.study.clinic.markers import Marker
from lib.study.study import Study

# A quantile that such a value does not reach is right, because none of those that count is larger.
AT_LIMIT = "values above the limit of the assay count as that limit, and are at least so large"


class Measure(NamedTuple):
    """How a quantity is read: label, unit, whether change is a ratio (log scale), and what describes change.

    Change is described in percent of the baseline, or in the quantity's unit where its scale is linear, as a score's.
    """

    label: str
    unit: str
    log: bool
    described: str = "percent_change"

    @property
    def change_unit(self) -> str:
        """Unit of what `described` holds."""
        return "%" if self.described == "percent_change" else self.unit


def measure(study: Study, variable: str) -> Measure:
    """Describe the quantity that an analysis of this module is about."""
    if variable == VOLUME:
        return Measure("Tumour volume", "cm³", False)
    if variable == LESION_VOLUME:
        return Measure("Volume of the single lesions", "cm³", True)
    marker = study.marker(variable)
    log = marker.scale == "log"
    return Measure(marker.label, marker.unit, log, "percent_change" if log else "absolute_change")


class Levels(Analysis):
    """Level and change of a marker, or of the tumour's volume, over the visits."""


@requires("lesions", "measurements")
def analyse_volume(data: Dataset, visits: tuple[float, ...]) -> Levels:
    """Total volume of the target lesions over the visits.

    Parameters
    ----------
    data : Dataset
    visits : tuple of float
        Visits at which change is tested, in the study's time unit.

    Returns
    -------
    Levels
        Frames as `_analyse`; the tested change is the percentage change from baseline. And those of `adjusted.adjust`,
        of the log ratio.
    """
    result = _analyse(data, VOLUME, volume_frame(data), visits, "percent_change")
    return _with_adjusted(result, volumes_to_adjust(data), visits, log=True)


@requires("markers")
def analyse_marker(data: Dataset, marker: Marker, visits: tuple[float, ...] = ()) -> Levels | Absent:
    """One marker over the visits; samples that cannot be compared are left out of everything but the counts.

    Parameters
    ----------
    data : Dataset
    marker : Marker
    visits : tuple of float
        Visits at which change is tested (default: the marker's own after baseline, or all at which it was sampled).

    Returns
    -------
    Levels
        Frames as `_analyse`, and `marker_excluded` (patients and samples left out, by reason). The tested change is
        the log ratio to baseline where the marker's scale is log, else the difference. And those of `adjusted.adjust`.
    """
    values = marker_frame(data, marker)
    reasons = values.assign(variable=values["excluded"].where(values["excluded"] != "", values["unchanged"]))
    reasons = reasons[reasons["variable"] != ""].groupby(["arm", "variable"], observed=False)["patient_id"]
    excluded = reasons.nunique().rename("count").reset_index().rename(columns={"arm": "group"})
    usable = values[values["excluded"] == ""].drop(columns="excluded")
    tested = tuple(v for v in visits or marker.visits or sorted(usable["visit"].unique()) if v > 0)
    if not tested:
        return Absent(f"{marker.label}: no sample after baseline.")
    change = "log_ratio" if marker.scale == "log" else "change"
    result = _analyse(data, marker.id, usable, tested, change)
    frames = result.frames | {
        "marker_excluded": excluded.assign(variable=marker.id + ": " + excluded["variable"], method="patients", note="")
    }
    whole = Levels(data, marker.id, frames, result.data)
    # Steps of an ordinal scale need not be alike: shifts count them.
    return whole if marker.levels else _with_adjusted(whole, usable, tested, log=marker.scale == "log")


def _with_adjusted(result: Levels, values: pd.DataFrame, visits: tuple[float, ...], *, log: bool) -> Levels:
    """The same, with the changes adjusted for the baseline."""
    frames, modelled = adjust(result.dataset, result.variable, values, visits, log)
    return Levels(result.dataset, result.variable, result.frames | frames, result.data | {"adjusted": modelled})


def _analyse(data: Dataset, variable: str, values: pd.DataFrame, visits: tuple[float, ...], change: str) -> Levels:
    """Level and change by visit and arm, tests at `visits`.

    Returns
    -------
    Levels
        `<variable>_level` (n, median, q1, q3, min, max of the value), `<variable>_percent_change` or, on a linear
        scale, `<variable>_absolute_change` (the same of the change), on the log scale also `<variable>_change_ratio` (of
        the ratio to baseline), `<variable>_within` (exact signed-rank test and Hodges-Lehmann estimate of `change` within
        arms; a log ratio's as ratio), `<variable>_between` (Kruskal-Wallis), `<variable>_pairwise` (Dunn, Holm), `<variable>_shift`
        (Hodges-Lehmann difference between arms, of log ratios `ratio`), `<variable>_drawn` (patients with a course to
        draw); data `values`, with `shown`, the change as it is drawn, and `tested` (the changes that were tested).
    """
    level, name, described = data.parameters.level, variable, measure(data.study, variable).described
    later = values[(values["visit"] != 0) & values["baseline"].notna()].assign(absolute_change=lambda v: v["change"])
    frames = {
        f"{name}_level": _describe(values, "value"),
        f"{name}_{described}": _describe(later, described),
    }
    if change == "log_ratio":
        values = values.assign(shown=values["value"] / values["baseline"])
    else:
        values = values.assign(shown=values["percent_change" if described == "percent_change" else "change"])
    frames[f"{name}_drawn"] = _drawn(data, values)
    if change == "log_ratio":
        frames[f"{name}_change_ratio"] = _describe(later.assign(ratio=later["value"] / later["baseline"]), "ratio")
    parts: dict[str, list[pd.DataFrame]] = {}
    tested = []
    for visit in visits:
        at = later[later["visit"] == visit].drop_duplicates("patient_id")
        tests = {"within": ranks.estimate_change(at, change, level=level)}
        if len(data.arms) > 1:
            tests |= {
                "between": ranks.compare_ranks(at, change),
                "pairwise": ranks.compare_ranks_pairwise(at, change, reference=data.reference),
                "shift": ranks.estimate_shift(at, change, reference=data.reference, level=level),
            }
        tested.append(at[["patient_id", "arm", "visit"]].assign(tested=at[change]))
        if change == "log_ratio":
            tests = _as_ratios(tests)
        for test, frame in tests.items():
            parts.setdefault(f"{name}_{test}", []).append(frame.assign(time=visit))
    frames |= {test: pd.concat(part, ignore_index=True) for test, part in parts.items()}
    return Levels(data, variable, frames, {"values": values, "tested": pd.concat(tested, ignore_index=True)})


def _drawn(data: Dataset, values: pd.DataFrame) -> pd.DataFrame:
    """Patients of whom there is a course to draw: a baseline and a value after it."""
    later = values.loc[(values["visit"] > 0) & values["shown"].notna(), "patient_id"]
    patients = data.patients[["arm"]].assign(drawn=data.patients["patient_id"].isin(later))
    counts = proportions.estimate_proportion(proportions.count_outcome(patients, "drawn"))
    return counts.drop(columns=["ci_low", "ci_high"]).assign(method="patients with a baseline and a value after it")


def _as_ratios(tests: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Estimates of a change that was tested as a logarithm, as the ratios that are read."""
    back = {"within": ["estimate", "ci_low", "ci_high"], "shift": ["difference", "ci_low", "ci_high"]}
    found = {
        test: frame.assign(**{column: np.exp(frame[column].astype(float)) for column in back.get(test, [])})
        for test, frame in tests.items()
    }
    return found | {test: frame.rename(columns={"difference": "ratio"}) for test, frame in found.items() if test == "shift"}


def _describe(values: pd.DataFrame, column: str) -> pd.DataFrame:
    """n, median, quartiles (type 7) and range by visit and arm; an arm without values keeps its row with n = 0."""
    grouped = values.groupby(["visit", "arm"], observed=False)[column]
    summary = grouped.agg(n="count", median="median", min="min", max="max")
    summary["q1"], summary["q3"] = grouped.quantile(0.25), grouped.quantile(0.75)
    summary["note"] = ""
    if "above_limit" in values:
        above = values.groupby(["visit", "arm"], observed=False)["above_limit"].max().eq(True)
        summary.loc[above, "note"] = AT_LIMIT
    tidy = summary.reset_index().rename(columns={"visit": "time", "arm": "group"})
    return tidy.assign(group=tidy["group"].astype(str), method="median, quartiles (type 7) and range")
