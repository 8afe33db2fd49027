"""Sentences about missing covariates, each tied to its numbers."""

from __future__ import annotations

__all__ = ["sentence_imputed"]

import pandas as pd

from lib.analyses.models.imputation import COMPLETE, Imputed
from lib.analyses.result import where
from lib.analyses.verdicts import REFUSED
from lib.languages.notes import worded
from lib.languages.speech import N_, _, in_a_row
from lib.show.formats import capitalised, format_ci, format_limit, format_number, format_p, format_percent, format_whole
from lib.show.labels import everybody, inside, pair_label
from lib.show.phrases import joined, plural
from lib.show.sentences.absent import reason_if_absent
from lib.show.verdict import below
from lib.statistics.comparisons import name_pair

SUPPOSES = (
    N_(
        "Imputation supposes that what is missing can be told from what is known (missing at random), which no data can show. It does not mend "
        "values that are missing by design, or because of what they are or of how the patient fared.",
    )
)


@reason_if_absent
def sentence_imputed(imputed: Imputed) -> str:
    """How many lack what, the comparison of interest by both models, and what imputation supposes; or why it is refused."""
    data = imputed.dataset
    short, verdict = data.study.endpoint(imputed.variable).short, imputed["verdicts"].iloc[0]
    said = _("{short}: {lacking}", short=short, lacking=_lacking(imputed))
    if verdict["state"] == REFUSED:
        return _("{said} What is missing is not imputed. {why} A model of complete cases leaves these patients out.", said=said, why=worded(verdict['why']))
    weak = _(" {why} Both estimates are to be read with care.", why=worded(verdict['why'])) if verdict["why"] else ""
    return in_a_row([said, _compared(imputed) + weak, _(SUPPOSES)])


def _lacking(imputed: Imputed) -> str:
    data = imputed.dataset
    group = everybody(data)
    complete = where(imputed["missing_pattern"], variable=COMPLETE, group=group).iloc[0]
    found = where(imputed["missing_covariate"], group=group)
    named = joined([_("{covariate} ({n_missing})", covariate=inside(data.study.variable(r.variable).label), n_missing=format_whole(r.count_)) for r in found[found["count"] > 0].rename(columns={"count": "count_"}).itertuples()])
    return _("{count} of {n} have every covariate of the model; not known: {named}.{undefined}", count=format_whole(complete['count']), n=plural(complete['n'], 'patient'), named=named, undefined=_undefined(imputed))


def _undefined(imputed: Imputed) -> str:
    """Who is in neither model although every value is known."""
    if "missing_logarithm" not in imputed:
        return ""
    found = imputed["missing_logarithm"]
    named = joined([_("{covariate} ({n_missing})", covariate=inside(imputed.dataset.study.variable(row["variable"]).label), n_missing=format_whole(row["count"])) for __, row in found.iterrows()])
    return _(" Patients whose value is known, but zero or less so that it has no logarithm, are in neither model: {named}.", named=named)


def _compared(imputed: Imputed) -> str:
    """The comparison that carries the question by both models."""
    data, pair = imputed.dataset, name_pair(*imputed.dataset.contrast)
    rows = [where(where(imputed[name], variable=imputed.variable), group=pair).iloc[0] for name in ("complete_cox", "imputed_cox")]
    if any(pd.isna(row["hr"]) for row in rows):
        return _("{pair_label} cannot be compared by both models: {next}.", pair_label=pair_label(data, pair), next=next(worded(row['note']) for row in rows if pd.isna(row['hr'])))
    complete, whole = (_("{ratio} ({interval}, {p})", ratio=format_number(r["hr"], 2), interval=format_ci(data.parameters.level, r["ci_low"], r["ci_high"], 2), p=format_p(r["p_value"], symbol=True)) for r in rows)
    text = _(
        "{pair_label}: hazard ratio {complete} in complete cases, and {whole} with what is missing drawn {n_imputations} times; "
        "{missing_information} of the information on it is missing.",
        pair_label=capitalised(pair_label(data, pair)), complete=complete, whole=whole, n_imputations=format_whole(rows[1]['n_imputations']), missing_information=format_percent(rows[1]['missing_information'], 1),
    )
    if below(rows[0]["p_value"]) != below(rows[1]["p_value"]):
        text += _(" The two lie on different sides of {limit}: who is left out decides the verdict.", limit=format_limit())
    return text
