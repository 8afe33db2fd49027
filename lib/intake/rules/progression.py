"""Rules about where the disease progressed, for endpoints that name its kinds: what has to be known of each lesion."""

from __future__ import annotations

__all__ = ["RULES"]

import pandas as pd

from lib.intake.evidence import Evidence, look_up, needs
from lib.intake.recist import derive_growth
from lib.study.yaml_file import Problem

FIELD = "progression.in_field"
# Kinds that a region names.
BY_REGION = ("progression.local_untreated", "progression.regional", "progression.distant")
NEEDED = ("lesions.lesion_id", "lesions.patient_id", "lesions.site", "lesions.target", "measurements.lesion_id",
          "measurements.assessment_date", "measurements.visit", "measurements.longest_mm", "measurements.short_mm")  # fmt: skip


def _named(e: Evidence, *kinds: str) -> str:
    """The first of these kinds that an endpoint names; "" if none does."""
    named = [kind for endpoint in e.study.endpoints for kind in endpoint.kinds if not kinds or kind in kinds]
    return named[0] if named else ""


def _grown(e: Evidence) -> pd.DataFrame:
    """Lesions that can progress, by their row in the file: as `derive_growth`, with `treated`."""
    lesions = e["lesions"].dropna(subset=["lesion_id", "patient_id"]).drop_duplicates("lesion_id")
    measured = e["measurements"].drop_duplicates(["lesion_id", "assessment_date"])
    found = derive_growth(lesions, measured, e.study.response).set_index("lesion_id")
    lesions = lesions[lesions["lesion_id"].isin(found.index)]
    columns = ["target", "new", "first_seen", "growth_date"]
    return lesions.drop(columns="target").join(found[columns], on="lesion_id")


@needs(*NEEDED)
def field_is_known(e: Evidence) -> list[Problem]:
    """E056: where an endpoint asks what lies in the field, an arm with a local component has treated targets."""
    kind = _named(e, FIELD, *BY_REGION)
    if not kind:
        return []
    lesions = e["lesions"]
    marked = e.of_patient("lesions", "arm")[lesions["target"] & lesions["treated"]]
    source = e.sources["lesions"]
    if e.study.treatments is None:
        if len(marked):
            return []
        message = f"an endpoint counts {kind}: mark the lesions that are treated locally, or declare treatments, which says what the arms are given"
        return [Problem("E056", message, source.file, "", source.theirs.get("treated", "treated"))]
    local = {arm: c.label for c in e.study.treatments.components if c.kind == "local" for arm in c.arms}
    return [
        Problem("E056", f"an endpoint counts {kind}, and no target of arm {arm.code} is marked as treated, though it gets {local[arm.id]}",
                source.file, "", source.theirs.get("treated", "treated"))
        for arm in e.study.arms
        if arm.id in local and arm.id not in set(marked)
    ]  # fmt: skip


@needs(*NEEDED)
def region_is_known(e: Evidence) -> list[Problem]:
    """E057: where an endpoint asks for a region, each new lesion and each untreated target has one."""
    kind = _named(e, *BY_REGION)
    if not kind:
        return []
    regions = {site.value for site in e.study.sites if site.region}
    found = _grown(e)
    found = found[found["region"].isna() & ~found["site"].isin(regions) & (found["new"] | ~found["treated"])]
    return e.problems("E057", "lesions", found, "site", f"no region, and an endpoint counts {kind}: say in study.yml (sites) or in the column "
                      "region whether it is local, regional or distant")  # fmt: skip


@needs("patients.time_zero", *NEEDED)
def progresses_after_time_zero(e: Evidence) -> list[Problem]:
    """E058: nothing that an endpoint counts as progression lies before time zero."""
    kind = _named(e)
    if not kind:
        return []
    lesions = _grown(e)
    lesions["date"] = lesions["first_seen"].where(lesions["new"], lesions["growth_date"])
    lesions["zero"] = e.of_patient("lesions", "time_zero").reindex(lesions.index)
    early = lesions[lesions["date"] < lesions["zero"]].set_index("lesion_id")
    m = e["measurements"]
    m = m.assign(begin=look_up(m["lesion_id"], early["zero"]), date=look_up(m["lesion_id"], early["date"]))
    found = m[m["assessment_date"] == m["date"]]
    return e.problems("E058", "measurements", found, "assessment_date", f"progression before {e.zero} {{begin}}, and an endpoint counts {kind}")


RULES = (field_is_known, region_is_known, progresses_after_time_zero)
