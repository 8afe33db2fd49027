"""What an endpoint does not show: where the lesions lay, where else the disease went, and what was given afterwards.

Counts of patients by arm. A difference in survival can be made by any of them.
"""

from __future__ import annotations

__all__ = ["OTHER_EVENTS", "OtherEvents", "Sites", "analyse_other_events", "analyse_sites"]

import pandas as pd

from lib.analyses.result import Absent, Analysis, requires
from lib.dataset.dataset import Dataset
from lib.statistics import proportions

# Variable -> label, in the order of the page.
OTHER_EVENTS = {
    "local_progression": "Local progression",
    "distant_progression": "Distant progression",
    "later_line": "Later line of treatment",
    "later_line_before": "Later line without a recorded progression",
    "death": "Death",
    "death_without": "Death without a recorded progression",
}


class OtherEvents(Analysis):
    """Events of the course that no endpoint counts."""


def analyse_other_events(data: Dataset) -> OtherEvents | Absent:
    """Patients with each kind of event by arm, whatever endpoint counts it.

    Returns
    -------
    OtherEvents
        `other_events`: `count` of `n`, `proportion` and exact interval; `variable` is a key of `OTHER_EVENTS`. What
        the study does not record has no row. `Absent` where it records none of them.
    """
    patients = data.patients
    dates = {name: patients.get(f"{name}_date") for name in ("local_progression", "distant_progression", "death")}
    flags = {name: date.notna() for name, date in dates.items() if date is not None}
    progressed = pd.DataFrame({n: flags[n] for n in flags if n != "death"}, index=patients.index).any(axis=1)
    treatments = data.tables.get("treatments", pd.DataFrame())
    if "line" in treatments:
        later = treatments.loc[treatments["line"].fillna(1) > 1, "patient_id"]
        flags["later_line"] = patients["patient_id"].isin(later)
        flags["later_line_before"] = flags["later_line"] & ~progressed
    if "death" in flags and len(flags) > 1:
        flags["death_without"] = flags["death"] & ~progressed
    if not flags:
        return Absent("This study holds no dates of progression, later treatment or death.")
    return OtherEvents(data, "", {"other_events": _count(data, {n: flags[n] for n in OTHER_EVENTS if n in flags})})


class Sites(Analysis):
    """Where the lesions are."""


@requires("lesions")
def analyse_sites(data: Dataset) -> Sites:
    """Patients with a target lesion at each site by arm: `lesion_sites`, columns as `other_events`."""
    lesions = data.tables["lesions"]
    targets = lesions[lesions["target"].astype(bool)]
    at = {site.value: targets.loc[targets["site"] == site.value, "patient_id"] for site in data.study.sites}
    flags = {site: data.patients["patient_id"].isin(owners) for site, owners in at.items()}
    return Sites(data, "", {"lesion_sites": _count(data, {site: flag for site, flag in flags.items() if flag.any()})})


def _count(data: Dataset, flags: dict[str, pd.Series]) -> pd.DataFrame:
    columns = ["variable", "group", "count", "n", "proportion", "ci_low", "ci_high", "method", "note"]
    parts = [
        proportions.estimate_proportion(
            proportions.count_outcome(data.patients[["arm"]].assign(flag=flag), "flag"), data.parameters.level
        ).assign(variable=name)
        for name, flag in flags.items()
    ]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
