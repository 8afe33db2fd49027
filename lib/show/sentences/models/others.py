"""Sentences about what other studies found, each tied to its numbers."""

from __future__ import annotations

__all__ = ["sentence_evidence"]

import pandas as pd

from lib.analyses.outlook.others import WITH_OWN, Evidence, question_of
from lib.analyses.result import where
from lib.dataset.dataset import Dataset
from lib.languages.notes import worded
from lib.languages.speech import _, in_a_row
from lib.show.formats import capitalised, format_percent, format_whole
from lib.show.labels import caveat, level_text
from lib.show.phrases import in_unit
from lib.show.sentences.absent import reason_if_absent
from lib.show.ways import estimate_label, limits_label, question_label


@reason_if_absent
def sentence_evidence(evidence: Evidence) -> str:
    """Question by question: what the studies say together, or why they are not put together."""
    data, said = evidence.dataset, []
    for question in dict.fromkeys(question_of(data, other) for other in data.study.external):
        rows = evidence["evidence_pooled"]
        rows = rows[rows["variable"].map(lambda name, own=question.named: name == own or name.startswith(f"{own}: "))]
        if len(rows):
            said.append(_question(data, capitalised(question_label(data, question)), rows))
    frame = evidence["evidence_pooled"]
    mixed = where(frame, step=WITH_OWN, term="hazard_ratio")
    said += [caveat(data.study, _("this study's part in it"))] if len(mixed) else []
    if not said:
        return _("The results of other studies are declared in words alone (external, without number): they stand beside this study's and are not put together.")
    return in_a_row(said)


def _question(data: Dataset, about: str, rows: pd.DataFrame) -> str:
    first = rows.iloc[0]
    left = _(" {note}.", note=capitalised(worded(first['note']))) if first["note"] == first["note"] and first["note"] and first["step"] else ""
    if not first["step"]:
        return _("{about}: not put together. There {en} {note}.", about=about, en='is' if first['n_studies'] == 1 else 'are', note=worded(first['note']))
    whose = _("this study's among them") if first["step"] == WITH_OWN else _("without this study's")
    told = [estimate_label(data, first), limits_label(data, first, "pi_low", "pi_high")]
    estimate, limits = [in_unit(shown, data.study.time.unit) for shown in told] if first["term"] == "median" else told
    one = _(" It holds 1: the truth of a further study may lie on either side.") if first["term"] == "hazard_ratio" and first["pi_low"] < 1 < first["pi_high"] else ""
    return (
        _(
            "{about}: {n_studies} estimates, {whose}, put together {estimate}, {level} CI; {i2} of their spread is not chance (I²). The "
            "truth of a further study is expected within {limits}, the {level} prediction interval.{one}{left}",
            about=about, n_studies=format_whole(first['n_studies']), whose=whose, estimate=estimate, level=level_text(data), i2=format_percent(first['i2']), limits=limits, one=one, left=left,
        )
    )
