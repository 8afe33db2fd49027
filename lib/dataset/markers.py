"""Marker values of every patient: in one unit, compared with the baseline where they can be, and when they rose.

Computes no statistic.
"""

from __future__ import annotations

__all__ = [
    "ABOVE", "INTERFERED", "LAST", "UNKNOWN", "interfered", "marker_frame", "rise_dates", "rise_frame", "usable_samples", "with_change",
]  # fmt: skip

import numpy as np
import pandas as pd

from lib.dataset.dataset import Dataset, once_per_dataset
from lib.study.clinic.markers import Interference, Marker
from lib.study.study import present
from lib.study.words import OF_MARKER

ABOVE = "baseline above the limit of the assay, left out of changes alone"
INTERFERED = "interfering antibody"
LEFT_OUT, NO_BASELINE = "every sample left out", "no baseline sample that counts"
# Columns of an endpoint beside the day of progression: the last sample that counts, and whether nothing can be known.
LAST, UNKNOWN = ".last", ".unknown"
# Of a threshold: less than this is rounding, so that 1.25 times 0.1 is reached by 0.125.
ROUNDING = 1e-12


@once_per_dataset
def marker_frame(data: Dataset, marker: Marker) -> pd.DataFrame:
    """Values of one marker in its own unit, below-limit values as limit / sqrt(2), above-limit ones as the limit, and their change.

    A sample with an interfering marker above its limit, or in another state than the patient's baseline sample, is
    flagged in `excluded` (a plain reason, else ""). From a baseline above the limit of the assay no change is known: its
    patient's samples are flagged in `unchanged` (a reason, else ""), and have neither baseline nor change.

    Returns
    -------
    DataFrame, one row per patient and visit
        patient_id, arm, visit, date, value, below_limit, above_limit, baseline, change, percent_change, log_ratio,
        excluded, unchanged.
    """
    samples = data.tables["markers"]
    own = samples[samples["marker"] == marker.id].copy()
    factor = own["unit"].map(dict(marker.units)).astype(float)
    below = own["below_limit"].fillna(False).astype(bool)
    # limit / sqrt(2) is the usual substitute for a left-censored log-normal value (Hornung and Reed 1990).
    own["value"] = own["value"].where(~below, own["limit"] / np.sqrt(2)) * factor
    own = own.rename(columns={"sample_date": "date"}).sort_values(["patient_id", "visit", "date"])
    own = own.drop_duplicates(["patient_id", "visit"], keep="first")
    own["above_limit"] = own["above_limit"].fillna(False).astype(bool)
    own["excluded"] = _excluded_samples(data, own, marker)
    frame = with_change(data, own)
    from_above = frame["patient_id"].isin(frame.loc[frame["above_limit"] & (frame["visit"] == 0), "patient_id"])
    frame.loc[from_above, ["baseline", "change", "percent_change"]] = np.nan
    frame["unchanged"] = np.where(from_above, ABOVE, "")
    with np.errstate(divide="ignore", invalid="ignore"):
        frame["log_ratio"] = np.log(frame["value"] / frame["baseline"])
    return frame


def _excluded_samples(data: Dataset, own: pd.DataFrame, marker: Marker) -> pd.Series:
    reason = pd.Series("", index=own.index)
    if marker.match_state and "state" in own:
        first = own[own["visit"] == 0].set_index("patient_id")["state"]
        other = (
            own["state"].ne(own["patient_id"].map(first)) & own["state"].notna() & own["patient_id"].isin(first.index)
        )
        reason[other] = "not in the state of the baseline sample"
    if marker.interference:
        # Antibodies persist: one positive sample makes every sample of the patient unreliable.
        reason[own["patient_id"].isin(interfered(data, marker.interference))] = INTERFERED
    return reason


def interfered(data: Dataset, interference: Interference) -> pd.Series:
    """Patients, each once, of whom a sample of the interfering marker ever lay above its limit."""
    samples = data.tables["markers"]
    other = samples[samples["marker"] == interference.marker]
    values = other["value"] * other["unit"].map(dict(data.study.marker(interference.marker).units)).astype(float)
    # Above what the assay can measure is above every limit up to that.
    beyond = other["above_limit"].fillna(False).astype(bool) & (values >= interference.above)
    return other.loc[(values > interference.above) | beyond, "patient_id"].drop_duplicates()


def with_change(data: Dataset, values: pd.DataFrame) -> pd.DataFrame:
    """Values by visit with the patient's arm, baseline and change from it, in the unit and in percent."""
    arm = data.patients.set_index("patient_id")["arm"]
    values = values.reset_index(drop=True)
    baseline = values[values["visit"] == 0].drop_duplicates("patient_id").set_index("patient_id")["value"]
    values["arm"] = pd.Categorical(values["patient_id"].map(arm), categories=arm.cat.categories, ordered=True)
    values["baseline"] = values["patient_id"].map(baseline)
    values["change"] = values["value"] - values["baseline"]
    # From a baseline of zero, as a score may have, there is no change in percent.
    values["percent_change"] = 100 * values["change"] / values["baseline"].where(values["baseline"] > 0)
    return values


def usable_samples(data: Dataset, marker: Marker) -> pd.DataFrame:
    """Samples of one marker that count, by patient and day.

    Returns
    -------
    DataFrame
        As `marker_frame`; `below_limit` is bool.
    """
    values = marker_frame(data, marker)
    values = values[(values["excluded"] == "") & values["value"].notna() & values["date"].notna() & values["arm"].notna()]
    below = values["below_limit"].fillna(False).astype(bool)
    return values.assign(below_limit=below).sort_values(["patient_id", "date", "visit"], ignore_index=True)


@once_per_dataset
def rise_frame(data: Dataset, marker: Marker) -> pd.DataFrame:
    """When a marker has progressed by the rule that the study declares.

    A value below the limit of detection is no rise, and as what is risen from it is its limit; one above the limit of
    the assay is a rise where that limit is, and is nothing that could be risen from.

    Returns
    -------
    DataFrame, one row per patient, the index as in `data.patients`
        patient_id, arm, date (of the first sample that fulfils the rule, NaT: none), last (last sample that counts),
        why (why nobody can know, else "").
    """
    rule, samples = present(marker.progression), usable_samples(data, marker)
    first = samples[samples["visit"] == 0].drop_duplicates("patient_id").set_index("patient_id")
    samples = samples[samples["date"] >= samples["patient_id"].map(first["date"])].copy()
    samples["from"] = samples["value"].where(~samples["below_limit"], samples["value"] * np.sqrt(2)).where(~samples["above_limit"], np.inf)
    by_patient = samples.groupby("patient_id", sort=False)
    if rule.over == "baseline":
        start = by_patient["from"].transform("first")
        later = by_patient.cumcount() > 0
    else:
        lowest = by_patient["from"].cummin()
        start, later = lowest.groupby(samples["patient_id"], sort=False).shift(), by_patient.cumcount() > 0
    threshold = np.maximum(start * rule.ratio, start + rule.at_least) * (1 - ROUNDING)
    value = samples["value"].where(~samples["below_limit"], -np.inf)
    risen = later & (value >= threshold)
    if rule.confirmed:
        risen &= value.groupby(samples["patient_id"], sort=False).shift(-1) >= threshold
    patients = data.patients[["patient_id", "arm"]].copy()
    name = patients["patient_id"]
    patients["date"] = name.map(samples[risen].groupby("patient_id")["date"].first()).astype("datetime64[ns]")
    patients["last"] = name.map(by_patient["date"].last()).astype("datetime64[ns]")
    frame = marker_frame(data, marker)
    sampled = frame["excluded"].ne("").groupby(frame["patient_id"]).all()
    unknown = first.index[first["above_limit"]] if rule.over == "baseline" else []
    patients["why"] = np.select(
        [name.isin(unknown), name.isin(first.index), name.map(sampled).eq(True)],
        ["baseline above the limit of the assay", "", LEFT_OUT], NO_BASELINE,
    )  # fmt: skip
    patients.loc[patients["why"] != "", "date"] = pd.NaT
    return patients


def rise_dates(data: Dataset, marker: Marker) -> pd.DataFrame:
    """Dates of an endpoint that counts the progression of a marker, none before time zero.

    Returns
    -------
    DataFrame, the index as in `data.patients`
        A column named as in study.yml (`marker.` and the id), and with `LAST` and `UNKNOWN` behind its name.
    """
    rises, name, zero = rise_frame(data, marker), f"{OF_MARKER}{marker.id}", data.patients["time_zero"]
    return pd.DataFrame({name: rises["date"].clip(lower=zero), f"{name}{LAST}": rises["last"].clip(lower=zero), f"{name}{UNKNOWN}": rises["why"] != ""})
