"""Shift tables of an ordinal marker: the level at baseline against the worst, the last, and that at each visit."""

from __future__ import annotations

__all__ = ["LAST", "MISSING", "VISIT", "WORST", "Shifts", "analyse_shifts"]

import numpy as np
import pandas as pd

from lib.analyses.result import Absent, Analysis, requires
from lib.dataset.dataset import Dataset
from lib.dataset.derived import marker_frame
from lib.statistics import proportions
from lib.study.clinic.markers import Marker

WORST, LAST, VISIT, MISSING = "worst", "last", "visit", "no sample"
CHANGES = {"worse": 1.0, "better": -1.0}


class Shifts(Analysis):
    """An ordinal marker, from baseline to later."""


@requires("markers")
def analyse_shifts(data: Dataset, marker: Marker) -> Shifts | Absent:
    """Patients by their level at baseline and later: the worst after baseline, the last, and at each visit.

    Parameters
    ----------
    data : Dataset
    marker : Marker
        Of scale ordinal, its levels best first. Samples that are left out of the marker's analysis are left out here.

    Returns
    -------
    Shifts
        `<marker>_scale_shift` (`variable` is "marker: when: from -> to", `when` one of `WORST`, `LAST`, `VISIT` with its
        `time`; every patient analysed counts once per table, without a sample as such) and `<marker>_scale_change`
        (patients who are worse, and better, than at baseline, of those with both; exact interval).
    """
    values = marker_frame(data, marker)
    values = values[(values["excluded"] == "") & values["value"].isin(marker.codes)].sort_values(["visit", "date"], kind="stable")
    values = values.assign(place=values["value"].map({code: place for place, code in enumerate(marker.codes)}))
    later, every = values[values["visit"] > 0], data.patients[["patient_id", "arm"]]
    if later.empty:
        return Absent(f"{marker.label}: no sample after baseline.", marker.id)
    before = every["patient_id"].map(values[values["visit"] == 0].drop_duplicates("patient_id").set_index("patient_id")["place"])
    by_patient = later.groupby("patient_id")["place"]
    tables = {(WORST, np.nan): by_patient.max(), (LAST, np.nan): by_patient.last()}
    visits = [visit for visit in marker.visits or sorted(later["visit"].unique()) if visit > 0]
    tables |= {(VISIT, float(visit)): later[later["visit"] == visit].drop_duplicates("patient_id").set_index("patient_id")["place"] for visit in visits}
    names, parts, changes = [level.value for level in marker.levels], [], []
    for (when, time), places in tables.items():
        pairs = every.assign(before=before, after=every["patient_id"].map(places))
        lead = f"{marker.id}: {when}: "
        parts.append(_count(data, pairs, names).assign(time=time, variable=lambda rows, lead=lead: lead + rows["variable"]))
        changes.append(_changed(data, pairs).assign(time=time, variable=lambda rows, lead=lead: lead + rows["variable"]))
    frames = {f"{marker.id}_scale_shift": parts, f"{marker.id}_scale_change": changes}
    return Shifts(data, marker.id, {name: pd.concat(found, ignore_index=True) for name, found in frames.items()})


def _count(data: Dataset, pairs: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Patients by level before and after; cells with nobody are kept."""
    said = {place: name for place, name in enumerate(names)}
    pairs = pairs.assign(**{end: pairs[end].map(said).fillna(MISSING) for end in ("before", "after")})
    counts = pairs.groupby(["before", "after", "arm"], observed=False).size()
    rows = [
        (f"{before} -> {after}", arm.id, int(counts.get((before, after, arm.id), 0)), int(data.n[arm.id]))
        for before in (*names, MISSING) for after in (*names, MISSING) for arm in data.arms
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["variable", "group", "count", "n"])
    return frame.assign(method="count of patients, baseline -> later", note="")


def _changed(data: Dataset, pairs: pd.DataFrame) -> pd.DataFrame:
    """Patients whose level moved up or down the scale, of those with both."""
    moved = np.sign(pairs["after"] - pairs["before"])
    found = []
    for name, sign in CHANGES.items():
        flags = pairs.assign(moved=moved.eq(sign).astype(object).where(moved.notna()))
        found.append(proportions.estimate_proportion(proportions.count_outcome(flags, "moved"), data.parameters.level).assign(variable=name))
    return pd.concat(found, ignore_index=True)
