"""Laboratory values against their reference limits: shift from baseline to the worst on treatment, Hy's law.

Worst and highest are taken over the samples in the time at risk of adverse events (safety_time.at_risk).
"""

from __future__ import annotations

__all__ = ["CASE", "MISSING", "QUADRANTS", "TRANSAMINASE", "Laboratory", "analyse", "liver_peaks", "sample_frame", "watched"]

import numpy as np
import pandas as pd

from lib.analyses.result import Absent, Analysis, requires
from lib.analyses.safety.events_in_time import at_risk
from lib.dataset.dataset import Dataset, once_per_dataset
from lib.intake.recist import BASELINE_VISIT
from lib.statistics import proportions
from lib.study.clinic.markers import Marker, Reference

# FDA. Guidance for Industry, Drug-Induced Liver Injury: Premarketing Clinical Evaluation. 2009, section II: transaminase
# of at least 3, then bilirubin above 2 times the upper limit, without alkaline phosphatase of 2 times or more.
TRANSAMINASE, BILIRUBIN, CHOLESTASIS = 3.0, 2.0, 2.0
# Bilirubin follows the transaminase of the same injury within a month (Senior JR. Clin Pharmacol Ther 2009;85:331).
DAYS_TO_BILIRUBIN = 30
QUADRANTS = {
    "hy": "Transaminase and bilirubin high",
    "temple": "Transaminase high alone",
    "cholestasis": "Bilirubin high alone",
    "neither": "Neither high",
}
CASE = "hy_law"
MISSING, NORMAL, LOW, HIGH, BOTH = "no sample", "normal", "low", "high", "low and high"


def watched(data: Dataset) -> list[Marker]:
    """Markers that are watched for harm, in study order."""
    return [marker for marker in data.study.markers if marker.role == "safety"]


class Laboratory(Analysis):
    """Laboratory values: worst grades, shifts, liver."""


@requires("markers")
def analyse(data: Dataset) -> Laboratory | Absent:
    """Shift tables of every laboratory value with reference limits, and Hy's law where the study has liver tests.

    Parameters
    ----------
    data : Dataset
        With the table markers.

    Returns
    -------
    Laboratory
        `lab_shift` (patients by category or grade at baseline and worst at risk; `variable` is "marker: from -> to",
        everybody treated counted once per marker), `lab_worse` (patients with a worse category than at baseline, of
        those with both samples; exact interval), `lab_peak` (highest value as a multiple of the upper limit), `lab_high` (patients whose highest value lies above it) and, with
        `liver` in study.yml, `liver_quadrant` (patients by their highest transaminase and bilirubin) and
        `liver_hys_law` (those who meet the biochemical criteria). Data: `shifts`, `peaks` (one row per patient).
        Absent for a study without limits.
    """
    markers = watched(data)
    if not markers:
        return Absent("This study gives no reference limits for a laboratory value, so no shift can be shown.")
    samples = {marker.id: sample_frame(data, marker) for marker in markers}
    shifts = {marker.id: _shifts(data, samples[marker.id], marker.reference) for marker in markers}
    frames = {
        "lab_shift": _over_markers(markers, lambda m: _count_shifts(data, shifts[m.id], _scale(m.reference))),
        "lab_worse": _over_markers(markers, lambda m: _count_worse(data, shifts[m.id])),
    }
    above = [marker for marker in markers if marker.reference.high]
    if above:
        frames["lab_high"] = _over_markers(above, lambda m: _count_high(shifts[m.id]))
        frames["lab_peak"] = _over_markers(above, lambda m: _describe_peaks(shifts[m.id]))
    every = pd.concat([frame.assign(marker=name) for name, frame in shifts.items()], ignore_index=True)
    kept = {"shifts": every}
    if data.study.liver:
        kept["peaks"] = liver_peaks(data)
        frames |= _liver(data, kept["peaks"])
    return Laboratory(data, "", frames, kept)


def _over_markers(markers: list[Marker], count) -> pd.DataFrame:
    """One block of rows per marker, whose id leads `variable`."""
    parts = []
    for marker in markers:
        part = count(marker)
        name = marker.id + ": " + part["variable"] if "variable" in part else marker.id
        parts.append(part.assign(variable=name))
    return pd.concat(parts, ignore_index=True)


def _scale(reference: Reference) -> list[str]:
    """Categories of a value, best first."""
    if reference.grades_above:
        return [f"grade {grade}" for grade in range(len(reference.grades_above) + 1)]
    low = [LOW] if reference.low is not None else []
    high = [HIGH] if reference.high is not None else []
    return [NORMAL, *low, *high, *([BOTH] if low and high else [])]


@once_per_dataset
def sample_frame(data: Dataset, marker: Marker) -> pd.DataFrame:
    """Samples of one laboratory value with their limits, and whether each counts as baseline or at risk.

    The limits beside a sample go before those of study.yml; a value below its limit of detection is limit / sqrt(2), one
    above the limit of the assay is the next number after it, so that it lies above a reference limit of the same value.

    Returns
    -------
    DataFrame, one row per sample
        patient_id, arm, visit, date, value, low, high (all in the marker's unit), ratio (value / high), baseline and
        treated (bool).
    """
    own = data.tables["markers"]
    own = own[own["marker"] == marker.id].rename(columns={"sample_date": "date"}).reset_index(drop=True)
    factor = own["unit"].map(dict(marker.units)).astype(float)
    below = own["below_limit"].fillna(False).astype(bool)
    above = own["above_limit"].fillna(False).astype(bool)
    own["value"] = own["value"].astype(float).where(~below, own["limit"].astype(float) / np.sqrt(2)) * factor
    own["value"] = own["value"].where(~above, np.nextafter(own["value"], np.inf))
    for name in ("low", "high"):
        declared = getattr(marker.reference, name)
        given = own.get(f"reference_{name}", pd.Series(np.nan, own.index)).astype(float) * factor
        own[name] = given.fillna(np.nan if declared is None else declared)
    own["arm"] = own["patient_id"].map(data.patients.set_index("patient_id")["arm"])
    own["ratio"] = own["value"] / own["high"]
    own["baseline"] = own["visit"] == BASELINE_VISIT
    own["treated"] = ~own["baseline"] & _in_risk(data, own)
    columns = ["patient_id", "arm", "visit", "date", "value", "low", "high", "ratio", "baseline", "treated"]
    return own.loc[own["value"].notna(), columns].reset_index(drop=True)


def _in_risk(data: Dataset, samples: pd.DataFrame) -> pd.Series:
    """Whether each sample lies in the time at risk; everywhere if the study does not say when that was."""
    risk = at_risk(data)
    if risk is None:
        return pd.Series(True, samples.index)
    pairs = samples[["patient_id", "date"]].reset_index().merge(risk, on="patient_id")
    return samples.index.isin(pairs.loc[pairs["date"].between(pairs["start"], pairs["end"]), "index"])


def _categories(samples: pd.DataFrame, reference: Reference) -> pd.Series:
    """Grade of each sample by the multiple of the upper limit, or on which side of the limits it lies."""
    if reference.grades_above:
        grades = np.searchsorted(reference.grades_above, samples["ratio"].to_numpy(float), side="left")
        return pd.Series([f"grade {grade}" for grade in grades], samples.index, dtype=object)
    high, low = samples["value"] > samples["high"], samples["value"] < samples["low"]
    return pd.Series(np.where(high, HIGH, np.where(low, LOW, NORMAL)), samples.index, dtype=object)


def _worst(categories: pd.Series) -> str:
    """Worst of one patient's categories: the highest grade, or every side on which a value ever lay."""
    sides = set(categories) - {NORMAL}
    if sides == {LOW, HIGH}:
        return BOTH
    return max(sides) if sides else NORMAL


def _shifts(data: Dataset, samples: pd.DataFrame, reference: Reference) -> pd.DataFrame:
    """Every patient's category at baseline (the last sample of it) and worst at risk, and the highest multiples."""
    samples = samples.assign(category=_categories(samples, reference)).sort_values("date", kind="stable")
    before = samples[samples["baseline"]].groupby("patient_id").tail(1).set_index("patient_id")
    treated = samples[samples["treated"]].groupby("patient_id")
    shifts = data.patients[["patient_id", "arm"]].copy()
    shifts["before"] = shifts["patient_id"].map(before["category"]).fillna(MISSING)
    shifts["after"] = shifts["patient_id"].map(treated["category"].agg(_worst)).fillna(MISSING)
    shifts["ratio_before"] = shifts["patient_id"].map(before["ratio"])
    shifts["ratio_after"] = shifts["patient_id"].map(treated["ratio"].max())
    known = (shifts["before"] != MISSING) & (shifts["after"] != MISSING)
    shifts["worse"] = pd.Series([_is_worse(*pair) for pair in zip(shifts["before"], shifts["after"], strict=True)],
                                shifts.index, dtype=object).where(known)  # fmt: skip
    return shifts


def _is_worse(before: str, after: str) -> bool:
    """A higher grade, or a side of the limits on which the value did not lie at baseline."""
    if MISSING in (before, after):
        return False
    if after.startswith("grade"):
        return after > before
    sides = {NORMAL: set(), LOW: {LOW}, HIGH: {HIGH}, BOTH: {LOW, HIGH}}
    return bool(sides[after] - sides[before])


def _count_shifts(data: Dataset, shifts: pd.DataFrame, scale: list[str]) -> pd.DataFrame:
    """Patients by category at baseline and worst category, everybody treated; cells with nobody are kept."""
    counts, n = shifts.groupby(["before", "after", shifts["arm"].astype(str)]).size().to_dict(), data.n
    rows = [
        (f"{before} -> {after}", arm.id, counts.get((before, after, arm.id), 0), int(n[arm.id]))
        for before in [*(name for name in scale if name != BOTH), MISSING] for after in [*scale, MISSING] for arm in data.arms
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["variable", "group", "count", "n"])
    return frame.assign(method="count of patients, baseline -> worst at risk", note="")


def _count_worse(data: Dataset, shifts: pd.DataFrame) -> pd.DataFrame:
    counts = proportions.count_outcome(shifts, "worse")
    return proportions.estimate_proportion(counts, data.parameters.level)


def _count_high(shifts: pd.DataFrame) -> pd.DataFrame:
    """Patients above the upper limit at risk, of those with a sample at baseline too: what the picture shows."""
    known = shifts["ratio_before"].notna() & shifts["ratio_after"].notna()
    counts = proportions.count_outcome(shifts.assign(high=(shifts["ratio_after"] > 1).astype(object).where(known)), "high")
    found = proportions.estimate_proportion(counts)
    return found.drop(columns=["ci_low", "ci_high"]).assign(method="highest value at risk above the upper limit")


def _describe_peaks(shifts: pd.DataFrame) -> pd.DataFrame:
    """Multiples of the upper limit at baseline and at their highest: median, quartiles, range."""
    parts = []
    for name, column in (("baseline", "ratio_before"), ("highest", "ratio_after")):
        grouped = shifts.groupby("arm", observed=False)[column]
        summary = grouped.agg(n="count", median="median", min="min", max="max")
        summary["q1"], summary["q3"] = grouped.quantile(0.25), grouped.quantile(0.75)
        tidy = summary.rename_axis("group").reset_index()
        parts.append(tidy.assign(group=tidy["group"].astype(str), variable=name))
    return pd.concat(parts, ignore_index=True).assign(method="median, quartiles (type 7) and range", note="")


def liver_peaks(data: Dataset) -> pd.DataFrame:
    """Highest liver tests of every patient at risk, as multiples of the upper limit, and Hy's law.

    Returns
    -------
    DataFrame, one row per patient
        patient_id, arm, transaminase, bilirubin, alkaline_phosphatase (highest multiples; missing without a sample),
        quadrant (a key of `QUADRANTS`; missing without transaminase or bilirubin), `CASE` (True where a transaminase of
        3 times the limit or more is followed within 30 days by a bilirubin above twice it, without an alkaline
        phosphatase of twice its limit or more up to then).
    """
    tests, liver = {}, data.study.liver
    for kind, ids in (("transaminase", liver.transaminases), ("bilirubin", (liver.bilirubin,)),
                      ("alkaline_phosphatase", filter(None, [liver.alkaline_phosphatase]))):  # fmt: skip
        parts = [sample_frame(data, data.study.marker(test)) for test in ids]
        tests[kind] = pd.concat(parts, ignore_index=True) if parts else None
    peaks = data.patients[["patient_id", "arm"]].copy()
    for kind, own in tests.items():
        highest = None if own is None else own[own["treated"]].groupby("patient_id")["ratio"].max()
        peaks[kind] = np.nan if highest is None else peaks["patient_id"].map(highest)
    high, yellow = peaks["transaminase"] >= TRANSAMINASE, peaks["bilirubin"] > BILIRUBIN
    known = peaks["transaminase"].notna() & peaks["bilirubin"].notna()
    names = np.select([high & yellow, high, yellow], ["hy", "temple", "cholestasis"], "neither")
    peaks["quadrant"] = pd.Series(names, peaks.index, dtype=object).where(known)
    cases = _cases(tests)
    peaks[CASE] = pd.Series(peaks["patient_id"].isin(cases), dtype=object).where(known)
    return peaks


def _cases(tests: dict[str, pd.DataFrame | None]) -> set[str]:
    """Patients with the biochemical criteria of Hy's law in their order in time."""
    injury, jaundice = (tests[kind][tests[kind]["treated"]] for kind in ("transaminase", "bilirubin"))
    injury, jaundice = injury[injury["ratio"] >= TRANSAMINASE], jaundice[jaundice["ratio"] > BILIRUBIN]
    pairs = injury[["patient_id", "date"]].merge(
        jaundice[["patient_id", "date"]], on="patient_id", suffixes=("", "_of")
    )
    pairs = pairs[(pairs["date_of"] - pairs["date"]).dt.days.between(0, DAYS_TO_BILIRUBIN)]
    if tests["alkaline_phosphatase"] is None:
        return set(pairs["patient_id"])
    phosphatase = tests["alkaline_phosphatase"]
    first = phosphatase[phosphatase["ratio"] >= CHOLESTASIS].groupby("patient_id")["date"].min()
    cholestatic = pairs["patient_id"].map(first) <= pairs["date_of"]
    return set(pairs.loc[~cholestatic, "patient_id"])


def _liver(data: Dataset, peaks: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Patients by quadrant and with the criteria, of those with both tests at risk."""
    parts = []
    for name in QUADRANTS:
        here = (peaks["quadrant"] == name).astype(object).where(peaks["quadrant"].notna())
        found = proportions.estimate_proportion(proportions.count_outcome(peaks.assign(here=here), "here"))
        parts.append(found.drop(columns=["ci_low", "ci_high"]).assign(variable=name, method="count of patients"))
    cases = proportions.estimate_proportion(proportions.count_outcome(peaks, CASE), data.parameters.level)
    return {"liver_quadrant": pd.concat(parts, ignore_index=True), "liver_hys_law": cases.assign(variable=CASE)}
