"""Tables of what other studies found beside this one, and of both together. Computes nothing."""

from __future__ import annotations

__all__ = ["table_external", "table_pooled"]

from functools import partial

import pandas as pd

from lib.analyses.outlook.others import OTHERS, WITH_OWN, Evidence, is_turned, question_of
from lib.analyses.result import Absent, where
from lib.dataset.dataset import Dataset
from lib.languages.speech import _
from lib.show.disclosure.audience import LEFT_OUT
from lib.show.display import EMPTY, Block, Column, Row, Table, empty_if_absent
from lib.show.formats import capitalised, format_number, format_percent, format_whole
from lib.show.labels import level_text, pair_label
from lib.show.phrases import in_unit
from lib.show.ways import estimate_label, limits_label, printed_label, question_label
from lib.study.inference.evidence import External


@empty_if_absent
def table_external(evidence: Evidence | Absent) -> Table | Block:
    """Declared results of other studies beside this one's, which a shared report leaves out."""
    data = evidence.dataset
    if data is None:
        return EMPTY
    arms = {arm.id for arm in data.arms}
    rows = []
    for other in (e for e in data.study.external if {e.arm, e.against or e.arm} <= arms):
        question = question_of(data, other)
        if isinstance(evidence, Absent):
            own = LEFT_OUT
        else:
            row = where(evidence["lines"], question=question.named, label="This study", unit="patients").iloc[0]
            own = estimate_label(data, row)
            own = in_unit(own, data.study.time.unit) if question.kind == "median" and pd.notna(row["estimate"]) else own
        why = _(". ").join(filter(None, [other.why, _("Another question: {differs}", differs=other.differs) if other.differs else "", other.citation]))
        rows.append(Row((pair_label(data, question.group), other.label, _printed(data, other, evidence), own, _("{why}.", why=why))))
    if not rows:
        return EMPTY
    labels = (_("Arm"), _("Result of another study"), _("As published"), _("In this report"), _("What may explain a difference"))
    notes = (
        _(
            "Not a comparison: other patients, other definitions, another time. An arm that does worse here than elsewhere makes every difference to it "
            "look larger.",
        ),
    )
    columns = tuple(Column(label, text=True) for label in labels)
    return Table("external", _("Results of other studies beside this one"), columns, tuple(rows), notes)


def _printed(data: Dataset, other: External, evidence: Evidence | Absent) -> str:
    """As published; a ratio of the pair the other way round also turned, so that it can be held against this study's."""
    printed = printed_label(data, other)
    if isinstance(evidence, Absent) or not is_turned(data, other):
        return printed
    row = where(evidence["lines"], question=question_of(data, other).named, label=other.label).iloc[0]
    return _("{printed}; turned round {estimate_label}", printed=printed, estimate_label=estimate_label(data, row))


@empty_if_absent
def table_pooled(evidence: Evidence) -> Table | Block:
    """What this study and others say together; nothing where nothing is put together."""
    data = evidence.dataset
    known = evidence["evidence_pooled"].dropna(subset="estimate")
    if known.empty:
        return EMPTY
    rows, sets = [], {WITH_OWN: _("with this study"), OTHERS: _("the others alone")}
    for __, row in known.iterrows():
        question = next(q for q in map(partial(question_of, data), data.study.external) if row["variable"].startswith(f"{q.named}: "))
        label = capitalised(f"{question_label(data, question)}, {sets[row['step']]}")
        rows.append(Row((
            label, format_whole(row["n_studies"]), estimate_label(data, row), limits_label(data, row, "pi_low", "pi_high"),
            format_number(row["tau2"], 3), format_percent(row["i2"]),
        )))  # fmt: skip
    columns = (
        Column(_("Put together")), Column(_("Studies")), Column(_("Mean"), f"{level_text(data)} CI"), Column(_("A further study"), _("{level} prediction interval", level=level_text(data))),
        Column("τ²"), Column("I²"),
    )  # fmt: skip
    notes = (
        _(
            "Random effects: the truth may differ from study to study, τ² is by how much (variance of logarithms, of shares of logits), I² the share of "
            "the spread that is not chance. The prediction interval holds the truth of a further study; with few studies it is wide, because their "
            "spread is not known well.",
        ),
    )
    return Table("evidence_pooled", _("This study and others together"), columns, tuple(rows), notes)

