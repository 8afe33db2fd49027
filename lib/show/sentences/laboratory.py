"""Sentences about laboratory values against their limits."""

from __future__ import annotations

__all__ = ["sentence_laboratory", "sentence_liver"]

import pandas as pd

from lib.analyses.result import where
from lib.analyses.safety.laboratory import Laboratory, watched
from lib.languages.speech import _
from lib.show.formats import MASKED, format_whole
from lib.show.labels import everybody, share, unit_label
from lib.show.phrases import joined, plural
from lib.show.sentences.absent import reason_if_absent

# So many laboratory values a sentence holds; the table has them all.
NAMED = 3


@reason_if_absent
def sentence_laboratory(laboratory: Laboratory) -> str:
    """Patients whose value became worse, by arm, for the laboratory values of which the largest share of an arm did so."""
    data = laboratory.dataset
    frames = {marker.short: where(laboratory["lab_worse"], variable=marker.id).set_index("group") for marker in watched(data)}
    frames = {short: worse.loc[[arm.id for arm in data.arms]] for short, worse in frames.items()}
    order = sorted(frames, key=lambda short: -frames[short]["proportion"].astype(float).fillna(0.0).max())
    parts = []
    for short in order[:NAMED]:
        told = joined([_("{share} with {arm}", share=_share(frames[short].loc[arm.id]), arm=arm.label) for arm in data.arms])
        parts.append(_("{marker} {told}", marker=short, told=told))
    rest = len(order) - NAMED
    more = _("; and {rest} more in the table", rest=format_whole(rest)) if rest > 0 else ""
    return _("Worse at risk than at baseline: {join}{more}.", join=_("; ").join(parts), more=more)


def _share(row: pd.Series) -> str:
    if not row["n"]:
        return _("nobody sampled twice")
    return share(row)


@reason_if_absent
def sentence_liver(laboratory: Laboratory) -> str:
    """How many meet the biochemical criteria of Hy's law."""
    data = laboratory.dataset
    if "liver_hys_law" not in laboratory:
        return _("This study names no liver tests, so Hy's law is not assessed.")
    own = laboratory["liver_hys_law"].set_index("group")
    n, cases = own.loc[everybody(data), ["n", "count"]]
    unit = unit_label(laboratory["liver_hys_law"])
    if not n:
        return _("No patient has a transaminase and a bilirubin in the time at risk, so Hy's law is not assessed.")
    if cases == 0:
        return _("No patient of {n} with both tests meets the biochemical criteria of Hy's law; among so few that does not rule out severe liver injury.", n=format_whole(n))
    by_arm = joined([_("{share} with {arm}", share=_share(own.loc[arm.id]), arm=arm.label) for arm in data.arms])
    number = _(MASKED) if pd.isna(cases) else plural(cases, unit.removesuffix("s"), unit)
    return _("Biochemical criteria of Hy's law: {number} ({by_arm}). Each needs a clinician's judgement of the cause: such a case foretells severe liver injury.", number=number, by_arm=by_arm)
