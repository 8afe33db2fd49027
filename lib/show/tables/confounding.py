"""Results of confounding -> tables. Computes nothing."""

from __future__ import annotations

__all__ = ["table_balance", "table_weighted"]

import pandas as pd

from lib.analyses.result import Absent, where
from lib.analyses.robustness.confounding import EValues, Weights
from lib.dataset.dataset import Dataset
from lib.languages.speech import _
from lib.show.display import EMPTY, Block, Column, Row, Table, empty_if_absent
from lib.show.formats import DASH, MASKED, format_interval, format_number, format_p, format_whole, is_masked, said_p
from lib.show.labels import OVERALL, covariate_label, decimals_of_time, level_text, pair_label, unit_label
from lib.show.phrases import format_duration, horizon, unit_name
from lib.show.tables import parts


@empty_if_absent
def table_balance(weights: Weights) -> Table:
    """Standardized differences before and after weighting, and how many patients the weights leave."""
    data = weights.dataset
    before, after = (
        where(weights[f"balance_{when}"], group=OVERALL).set_index("variable") for when in ("before", "after")
    )
    modelled = {f"log {c.variable}" if c.log else c.variable for c in data.study.confounding.covariates}
    rows = [Row((_("Largest standardized difference over all pairs of arms"),), "group")]
    for variable in before.index:
        mark = "" if variable in modelled else _(" (not in the model)")
        rows.append(
            Row(
                (
                    covariate_label(data, variable) + mark,
                    *(_(MASKED) if is_masked(smd.loc[variable]) else format_number(smd.at[variable, "smd"], 2) for smd in (before, after)),
                ),
                "sub",
            )
        )
    units = unit_label(weights["effective_size"])
    rows.append(Row((_("{units}, and effective {units2} after weighting", units=units.capitalize(), units2=units),), "group"))
    for row in weights["effective_size"].itertuples():
        missing = _(" ({n_missing} without a covariate left out)", n_missing=format_whole(row.n_missing)) if row.n_missing != 0 else ""
        rows.append(Row((f"{data.study.arm(row.group).label}{missing}", format_whole(row.n), format_number(row.ess, 1)), "sub"))
    columns = (Column(_("Baseline variable")), Column(_("Before weighting")), Column(_("After weighting")))
    notes = (
        _(
            "Multinomial propensity model of the arm; generalised overlap weights, so that patients count who might have been in any arm. Differences "
            "are divided by the unweighted spread. Effective patients: Kish.",
        ),
    )
    return Table("balance_weighted", _("Balance before and after weighting"), columns, tuple(rows), notes)


@empty_if_absent
def table_weighted(weights: Weights | Absent, e_values: EValues | Absent) -> Table | Block:
    """Crude and weighted hazard ratios with their E-values; what a study does not have is left out."""
    weighted = weights if isinstance(weights, Weights) else None
    explained = e_values if isinstance(e_values, EValues) else None
    known = explained or weighted
    if known is None:
        return EMPTY
    data = known.dataset
    level, rows = level_text(data), []
    crude = explained["e_value"] if explained else weighted["unweighted_cox"]
    for row in crude.itertuples():
        ratio = (
            DASH if pd.isna(row.hr) else f"{format_number(row.hr, 2)} ({format_interval(row.ci_low, row.ci_high, 2)})"
        )
        after = _weighted(data, weighted, row.group) if weighted else ()
        rows.append(Row((pair_label(data, row.group), ratio, *after, *([_e_value(row)] if explained else []))))
    columns, notes = [Column(_("Comparison")), Column(_("Hazard ratio"), f"{level} CI")], []
    if weighted:
        unit = data.study.time.unit
        columns += [
            Column(_("Weighted hazard ratio"), _("{level} CI, robust", level=level)),
            Column(said_p(), _("weighted")),
            Column(_("Weighted difference in mean {unit}", unit=unit_name(unit)), _("{level} CI, bootstrap", level=level)),
        ]
        notes += [
            _("Weighted: Cox model with overlap weights and a robust variance that takes the weights as known."),
            _(
                "Difference in weighted restricted means up to {duration}; percentile interval over resamples of patients, the propensity fitted again in "
                "each ({min} could be used).",
                duration=format_duration(horizon(weighted['weighted_rmst']['tau'].max()), unit), min=format_whole(weighted['weighted_rmst']['n_resamples'].min()),
            ),
            *parts.notes_of(weighted["weighted_cox"], weighted["weighted_rmst"]),
        ]
    if explained:
        columns.append(Column(_("E-value"), _("of the limit next to 1")))
        notes = [
            _(
                "E-value: the risk ratio that an unmeasured confounder would need both with the treatment and with the outcome, beyond the measured ones, to "
                "explain the hazard ratio away; 1 means that nothing is needed.",
            ),
            *parts.notes_of(explained["e_value"]), *notes,
        ]  # fmt: skip
    variable = known.variable
    title = _("{endpoint}: comparison of arms, crude and against confounding", endpoint=data.study.endpoint(variable).short)
    return Table(f"{variable}_weighted", title, tuple(columns), tuple(rows), tuple(dict.fromkeys(notes)))


def _e_value(row) -> str:
    return DASH if pd.isna(row.e_value) else f"{format_number(row.e_value, 2)} ({format_number(row.e_value_limit, 2)})"


def _weighted(data: Dataset, weights: Weights, group: str) -> tuple[str, str, str]:
    row, means = weights.row("weighted_cox", group), weights.row("weighted_rmst", group)
    mean = parts.format_with_interval(means, "estimate", decimals_of_time(data))
    if pd.isna(row["hr"]):
        return DASH, DASH, mean
    ratio = f"{format_number(row['hr'], 2)} ({format_interval(row['ci_low'], row['ci_high'], 2)})"
    return ratio, format_p(row["p_value"]), mean
