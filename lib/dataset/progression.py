"""Where the disease progressed: lesion by lesion, from the measured diameters.

Derived, never stored: nothing here is read from a date that somebody wrote down, but for distant progression.
"""

from __future__ import annotations

__all__ = [
    "ANY_NEW", "BY_REGION", "ELSEWHERE", "GROWTH", "IN_FIELD", "NEW", "RECORDED", "SUM", "growth_alone", "lesion_progression", "local_arms", "measured_responses",
    "new_lesions_alone", "progression_dates", "progressions", "without_field",
]  # fmt: skip

import pandas as pd

from lib.dataset.dataset import Dataset, once_per_dataset
from lib.intake import recist
from lib.study.clinic.tumour import Response
from lib.study.study import present
from lib.study.words import KINDS

# How a progression shows: a lesion (or the sum of the targets) grew, a lesion is new, or somebody wrote the day down.
GROWTH, NEW, RECORDED = "growth", "new", "recorded"
IN_FIELD, ANY_NEW, SUM = "progression.in_field", "progression.new_lesion", "progression.target_growth"
# Region of what is not treated -> its kind; a lesion without a region has none that study.yml could name.
BY_REGION = {"local": "progression.local_untreated", "regional": "progression.regional", "distant": "progression.distant"}
ELSEWHERE = "progression.elsewhere"


@once_per_dataset
def lesion_progression(data: Dataset) -> pd.DataFrame:
    """When each lesion was seen and when it grew, held against its own smallest diameter.

    Returns
    -------
    DataFrame, one row per lesion that is a target at baseline or first seen after it, sorted by patient and lesion
        patient_id, arm, lesion_id, site, region (local, regional, distant; missing where neither the lesion nor its site
        has one), treated (bool: locally), in_field (bool: a target that its arm treats: the treated ones; every target
        in an arm without local therapy), target, new (bool), first_seen, growth_date, last_seen (dates, as in
        `recist.derive_growth`).
    """
    lesions = data.tables["lesions"].set_index("lesion_id")
    found = recist.derive_growth(data.tables["lesions"], data.tables["measurements"], present(data.study.response))
    arm = data.patients.set_index("patient_id")["arm"]
    found["arm"] = pd.Categorical(found["patient_id"].map(arm), categories=arm.cat.categories, ordered=True)
    regions = pd.Series({site.value: site.region for site in data.study.sites}, dtype=object)
    found["region"] = found["site"].map(regions).astype(object)
    if "region" in lesions:
        own = found["lesion_id"].map(lesions["region"]).astype(object)
        found["region"] = own.where(own.notna(), found["region"])
    found["treated"] = found["lesion_id"].map(lesions["treated"]).eq(True).astype(bool)
    found["in_field"] = found["target"] & (found["treated"] | ~_locally(data, found))
    columns = ["patient_id", "arm", "lesion_id", "site", "region", "treated", "in_field", "target", "new"]
    return found[[*columns, "first_seen", "growth_date", "last_seen"]]


def without_field(data: Dataset) -> list[str]:
    """Ids of arms of which nobody knows what they treat.

    They have a local component, and none of their targets is marked as treated; all, where nothing says what arms are given.
    """
    found = lesion_progression(data)
    if data.study.treatments is None:
        return [] if found["treated"].any() else [arm.id for arm in data.arms]
    marked = set(found.loc[found["target"] & found["treated"], "arm"])
    return [arm.id for arm in data.arms if arm.id in local_arms(data) - marked]


def local_arms(data: Dataset) -> set[str]:
    """Ids of the arms that have a local component."""
    components = present(data.study.treatments).components
    return {arm for component in components if component.kind == "local" for arm in component.arms}


def _locally(data: Dataset, found: pd.DataFrame) -> pd.Series:
    """Which lesions are of patients who get local therapy: by their arm; without `treatments`, by their treated lesions."""
    if data.study.treatments is None:
        return found["treated"].groupby(found["patient_id"]).transform("any")
    return found["arm"].isin(local_arms(data))


@once_per_dataset
def measured_responses(data: Dataset, rule: Response) -> pd.DataFrame:
    """Response at every assessment, from what was measured, by a rule: `recist.derive_response`."""
    return recist.derive_response(data.tables["lesions"], data.tables["measurements"], rule)


@once_per_dataset
def progressions(data: Dataset) -> pd.DataFrame:
    """First day of each kind of progression of each patient, and how it showed.

    Returns
    -------
    DataFrame, one row per patient, kind and way of showing
        patient_id, kind (of study.yml, or `ELSEWHERE`: untreated, of no region), how (`GROWTH`, `NEW` or `RECORDED`), date (not
        before time zero: what grew since a baseline before it is known on day 0).
    """
    lesions = lesion_progression(data)
    where = lesions["region"].map(BY_REGION).fillna(ELSEWHERE)
    grown = lesions[lesions["target"] & lesions["growth_date"].notna()]
    new = lesions[lesions["new"]]
    responses = measured_responses(data, present(data.study.response))
    sums = responses[responses["grown"]]
    parts = [
        _rows(grown["patient_id"], where.mask(lesions["in_field"], IN_FIELD).loc[grown.index], GROWTH, grown["growth_date"]),
        _rows(new["patient_id"], where.loc[new.index], NEW, new["first_seen"]),
        _rows(new["patient_id"], ANY_NEW, NEW, new["first_seen"]),
        _rows(sums["patient_id"], SUM, GROWTH, sums["assessment_date"]),
    ]
    patients = data.patients
    if "distant_progression_date" in patients:
        known = patients[patients["distant_progression_date"].notna()]
        parts.append(_rows(known["patient_id"], BY_REGION["distant"], RECORDED, known["distant_progression_date"]))
    rows = pd.concat(parts, ignore_index=True)
    rows["date"] = rows["date"].clip(lower=rows["patient_id"].map(patients.set_index("patient_id")["time_zero"]))
    return rows.groupby(["patient_id", "kind", "how"], as_index=False)["date"].min()


def _rows(patient: pd.Series, kind: str | pd.Series, how: str, date: pd.Series) -> pd.DataFrame:
    return pd.DataFrame({"patient_id": patient, "kind": kind, "how": how, "date": date.astype("datetime64[ns]")})


@once_per_dataset
def progression_dates(data: Dataset) -> pd.DataFrame:
    """Day of each kind of progression; NaT where there was none.

    Returns
    -------
    DataFrame, index as `data.patients`
        A column per kind of study.yml, and one each for the parts of it that `growth_alone` and `new_lesions_alone` name.
    """
    rows, patient = progressions(data), data.patients["patient_id"]
    columns = {}
    for kind in KINDS:
        own = rows[rows["kind"] == kind]
        new = own["how"] == NEW
        for name, part in ((kind, own), (f"{kind}.{GROWTH}", own[~new]), (f"{kind}.{NEW}", own[new])):
            columns[name] = patient.map(part.groupby("patient_id")["date"].min()).astype("datetime64[ns]")
    return pd.DataFrame(columns, index=patient.index)


def growth_alone(event: str, progression_column: str | None) -> str:
    """What is left of an event when new lesions make none: column of `progression_dates`, or the event itself."""
    if event == progression_column:
        return SUM
    return f"{event}.{GROWTH}" if event in KINDS else event


def new_lesions_alone(event: str, progression_column: str | None) -> str:
    """The new lesions that an event counts, as a column of `progression_dates`; "" where it counts none."""
    if event == progression_column:
        return ANY_NEW
    return "" if event not in KINDS or event in (IN_FIELD, SUM) else f"{event}.{NEW}"
