"""What an endpoint does not show: where the lesions lay, where the disease went, and what was given afterwards.

Counts of patients by arm. A difference in survival can be made by any of them.
"""

from __future__ import annotations

__all__ = [
    "ANY", "FIRST", "OTHER_EVENTS", "FirstProgression", "OtherEvents", "Sites", "analyse_first_progression", "analyse_other_events", "analyse_sites",
    "first_name",
]  # fmt: skip

import pandas as pd

from lib.analyses.result import Absent, Analysis, requires
from lib.dataset.dataset import Dataset
from lib.dataset.progression import ANY_NEW, ELSEWHERE, GROWTH, IN_FIELD, NEW, RECORDED, SUM, progressions
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
ANY = "any"
# (Kind, how it showed) -> label, in the order of the page; the first row is everybody who progressed.
FIRST = {
    (ANY, ANY): "Any progression",
    (IN_FIELD, GROWTH): "In the field: a lesion that the arm treats grew",
    ("progression.local_untreated", GROWTH): "Local: an untreated target grew",
    ("progression.local_untreated", NEW): "Local: a new lesion",
    ("progression.regional", GROWTH): "Regional: an untreated target grew",
    ("progression.regional", NEW): "Regional: a new lesion",
    ("progression.distant", GROWTH): "Distant: an untreated target grew",
    ("progression.distant", NEW): "Distant: a new lesion",
    ("progression.distant", RECORDED): "Distant: recorded without a lesion that shows it",
    (ELSEWHERE, GROWTH): "No region stated: an untreated target grew",
    (ELSEWHERE, NEW): "No region stated: a new lesion",
    (SUM, GROWTH): "The sum of the targets grew, no single lesion did",
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


class FirstProgression(Analysis):
    """Where the disease progressed first."""


@requires("lesions", "measurements")
def analyse_first_progression(data: Dataset) -> FirstProgression | Absent:
    """Patients by where they progressed first, and whether a lesion grew or a new one was seen.

    Returns
    -------
    FirstProgression
        `first_progression`: columns as `other_events`; `variable` is `any`, or kind and way of showing of a key of `FIRST` ("in_field
        growth"). A patient stands in each row that holds on the first day. `Absent` where nobody progressed.
    """
    rows = progressions(data)
    rows = rows[rows["kind"] != ANY_NEW]
    rows = rows[rows["date"] == rows.groupby("patient_id")["date"].transform("min")]
    # Where a lesion shows it, the sum and what somebody wrote down say nothing of their own.
    shown = rows[(rows["kind"] != SUM) & (rows["how"] != RECORDED)]["patient_id"]
    rows = rows[~(((rows["kind"] == SUM) | (rows["how"] == RECORDED)) & rows["patient_id"].isin(shown))]
    if rows.empty:
        return Absent("No progression was measured.")
    patients = data.patients["patient_id"]
    found = {key: patients.isin(rows.loc[(rows["kind"] == key[0]) & (rows["how"] == key[1]), "patient_id"]) for key in FIRST}
    found[(ANY, ANY)] = patients.isin(rows["patient_id"])
    flags = {first_name(*key): flag for key, flag in found.items() if flag.any()}
    return FirstProgression(data, "", {"first_progression": _count(data, flags)})


def first_name(kind: str, how: str) -> str:
    """The variable of a key of `FIRST`."""
    return ANY if kind == ANY else f"{kind.removeprefix('progression.')} {how}"


def _count(data: Dataset, flags: dict[str, pd.Series]) -> pd.DataFrame:
    columns = ["variable", "group", "count", "n", "proportion", "ci_low", "ci_high", "method", "note"]
    parts = [
        proportions.estimate_proportion(
            proportions.count_outcome(data.patients[["arm"]].assign(flag=flag), "flag"), data.parameters.level
        ).assign(variable=name)
        for name, flag in flags.items()
    ]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
