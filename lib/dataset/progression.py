"""Where the disease progressed: lesion by lesion, from the measured diameters.

Derived, never stored: nothing here is read from a date that somebody wrote down, but for distant progression.
"""

from __future__ import annotations

__all__ = ["lesion_progression"]

import pandas as pd

from lib.dataset.dataset import Dataset, once_per_dataset
from lib.intake import recist
from lib.study.study import present


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


def _locally(data: Dataset, found: pd.DataFrame) -> pd.Series:
    """Which lesions are of patients who get local therapy: by their arm; without `treatments`, by their treated lesions."""
    if data.study.treatments is None:
        return found["treated"].groupby(found["patient_id"]).transform("any")
    arms = {arm for component in data.study.treatments.components if component.kind == "local" for arm in component.arms}
    return found["arm"].isin(arms)
