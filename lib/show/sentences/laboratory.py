"""Sentences about laboratory values against their limits."""

from __future__ import annotations

__all__ = ["sentence_laboratory", "sentence_liver"]

import pandas as pd

from lib.analyses.result import where
from lib.analyses.safety.laboratory import Laboratory, watched
from lib.show.formats import MASKED, format_whole, joined, plural
from lib.show.labels import everybody, share, unit_label
from lib.show.sentences.absent import reason_if_absent


@reason_if_absent
def sentence_laboratory(laboratory: Laboratory) -> str:
    """Patients whose value became worse, for every laboratory value, by arm."""
    data = laboratory.dataset
    parts = []
    for marker in watched(data):
        worse = where(laboratory["lab_worse"], variable=marker.id).set_index("group")
        told = joined([f"{_share(worse.loc[arm.id])} with {arm.label}" for arm in data.arms])
        parts.append(f"{marker.short} {told}")
    return f"Worse at risk than at baseline: {'; '.join(parts)}."


def _share(row: pd.Series) -> str:
    if not row["n"]:
        return "nobody sampled twice"
    return share(row)


@reason_if_absent
def sentence_liver(laboratory: Laboratory) -> str:
    """How many meet the biochemical criteria of Hy's law."""
    data = laboratory.dataset
    if "liver_hys_law" not in laboratory:
        return "This study names no liver tests, so Hy's law is not assessed."
    own = laboratory["liver_hys_law"].set_index("group")
    n, cases = own.loc[everybody(data), ["n", "count"]]
    unit = unit_label(laboratory["liver_hys_law"])
    if not n:
        return "No patient has a transaminase and a bilirubin in the time at risk, so Hy's law is not assessed."
    if cases == 0:
        return f"No patient of {format_whole(n)} with both tests meets the biochemical criteria of Hy's law; among so few that does not rule out severe liver injury."
    by_arm = joined([f"{_share(own.loc[arm.id])} with {arm.label}" for arm in data.arms])
    number = MASKED if pd.isna(cases) else plural(cases, unit.removesuffix("s"), unit)
    return f"Biochemical criteria of Hy's law: {number} ({by_arm}). Each needs a clinician's judgement of the cause: such a case foretells severe liver injury."
