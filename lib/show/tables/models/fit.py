"""Whether the model of an endpoint fits -> tables. Computes nothing."""

from __future__ import annotations

__all__ = ["table_adjusted_subgroups", "table_discrimination", "table_linearity", "table_periods", "table_proportional"]

import math

import pandas as pd

from lib.analyses.models.fit import ModelFit
from lib.analyses.result import where
from lib.dataset.dataset import Dataset
from lib.languages.notes import worded
from lib.languages.speech import N_, _
from lib.show.display import EMPTY, Block, Column, Row, Table, empty_if_absent
from lib.show.formats import DASH, capitalised, format_number, format_p, format_whole, said_p
from lib.show.labels import level_text, pair_label
from lib.show.phrases import format_duration
from lib.show.tables import parts
from lib.show.ways import level_label, subgroup_of
from lib.statistics.comparisons import name_pair


def _covariate(data: Dataset, variable: str) -> str:
    """Label of the covariate of a row, "os: age_years"."""
    return data.study.variable(variable.split(": ")[1]).label


def _id_and_short(fit: ModelFit) -> tuple[str, str]:
    endpoint = fit.dataset.study.endpoint(fit.variable)
    return endpoint.id, endpoint.short


def _ratio(row: pd.Series) -> str:
    return parts.format_with_interval(row, "hr", 2)


def _whole(value: float) -> str:
    return DASH if pd.isna(value) else format_whole(value)


@empty_if_absent
def table_linearity(fit: ModelFit) -> Table | Block:
    """Each number as a straight line and as a curve: the ratio between its quartiles, and the test of the bend."""
    if "model_quartiles" not in fit:
        return EMPTY  # none could be tested, and the sentence says why
    data, rows, said = fit.dataset, [], []
    quartiles = fit["model_quartiles"].set_index("variable")
    for __, row in fit["model_linearity"].iterrows():
        label, ratios = _covariate(data, row["variable"]), [DASH, DASH]
        if row["note"]:
            said.append(_("{label}: {note}.", label=label, note=worded(row['note'])))
        else:
            kinds = [quartiles.loc[f"{row['variable']}: {kind}"] for kind in ("line", "spline")]
            ratios = [_ratio(kind) for kind in kinds]
            label = _("{label}, {between}", label=label, between=_between(data, row["variable"], kinds[0]))
        rows.append(Row((label, *ratios, format_number(row["chisq"], 2), _whole(row["df"]), format_p(row["p_value"]), format_number(row["events_per_variable"]))))
    hazard = _("hazard ratio ({level} CI)", level=level_text(data))
    columns = (Column(_("Covariate")), Column(_("As a straight line"), hazard), Column(_("As a curve"), hazard),
               Column(_("Bend"), _("chi-square")), Column("df"), Column(said_p()), Column(_("Events"), _("per coefficient")))  # fmt: skip
    name, short = _id_and_short(fit)
    notes = (
        _(
            "Third against first quartile, everything else in the model held alike: where line and curve say the same, the line does. Curve: restricted "
            "cubic spline, 3 knots below 30 events, 4 below 100, else 5, fewer where the events do not carry them or values are tied. Bend: "
            "likelihood-ratio test of the curve against the line.",
        ),
        *said,
    )
    return Table(f"{name}_linearity", _("{short}: numbers as straight lines and as curves", short=short), columns, tuple(rows), notes)


def _between(data: Dataset, variable: str, row: pd.Series) -> str:
    """Such as "69 against 53 years"."""
    decimals = 0 if all(math.isclose(row[q], round(row[q]), abs_tol=1e-9) for q in ("q1", "q3")) else 1
    unit = data.study.variable(variable.split(": ")[1]).unit
    q3, q1 = (format_number(row[q], decimals) for q in ("q3", "q1"))
    return _("{q3} against {q1} {unit}", q3=q3, q1=q1, unit=unit) if unit else _("{q3} against {q1}", q3=q3, q1=q1)


@empty_if_absent
def table_proportional(fit: ModelFit) -> Table | Block:
    """Test of proportional hazards of each arm, of each covariate with all its levels, and of all terms."""
    if "model_proportional_all" not in fit:
        return EMPTY
    data = fit.dataset
    arms = fit["model_proportional_arm"]
    pairs = arms[arms["group"] != "overall"]
    lines = [(pair_label(data, row["group"]), row) for __, row in pairs.iterrows()]
    lines += [(_("All arms"), row) for __, row in arms[arms["group"] == "overall"].iterrows()] if len(pairs) > 1 else []
    lines += [(_covariate(data, row["variable"]), row) for __, row in fit["model_proportional"].iterrows()]
    lines += [(_("All terms"), row) for __, row in fit["model_proportional_all"].iterrows()]
    rows = [Row((label, format_number(row["chisq"], 2), _whole(row["df"]), format_p(row["p_value"]))) for label, row in lines]
    name, short = _id_and_short(fit)
    note = _(
        "Score test of a hazard ratio that changes with 1 - Kaplan-Meier (cox.zph), the other terms held alike and constant; a category with all its "
        "levels. A small p speaks against one ratio for the whole follow-up. The tests are not adjusted for their number.",
    )
    columns = (Column(capitalised(_("term"))), Column(_("Chi-square")), Column("df"), Column(said_p()))
    return Table(f"{name}_proportional", _("{short}: proportional hazards, term by term", short=short), columns, tuple(rows), (note,))


@empty_if_absent
def table_periods(fit: ModelFit) -> Table | Block:
    """Adjusted hazard ratio of each arm before and after the declared time, and the test of the change."""
    if "model_period" not in fit:
        return EMPTY
    data, ratios, test = fit.dataset, fit["model_period"], fit["model_period_test"].iloc[0]
    first, last = (where(ratios, variable=f"{fit.variable}: {period}").set_index("group") for period in ("before", "after"))
    rows = [
        Row((pair_label(data, group), *(cell for part in (first, last) for cell in (_events(part.loc[group]), _ratio(part.loc[group])))))
        for group in first.index
    ]
    when, hazard = format_duration(test["time"], data.study.time.unit), f"{level_text(data)} CI"
    columns = (Column(_("Arms")), Column(_("Until {when}", when=when), _("events / n")), Column(_("Hazard ratio"), hazard), Column(_("After {when}", when=when), _("events / n")), Column(_("Hazard ratio"), hazard))
    name, short = _id_and_short(fit)
    until, after = N_("{pair_label}, until {when}: {note}."), N_("{pair_label}, after {when}: {note}.")
    said = [_(until if r["variable"].endswith("before") else after, pair_label=pair_label(data, r["group"]), when=when, note=worded(r["note"])) for __, r in ratios.iterrows() if r["note"]]
    change = _("Likelihood-ratio test of a change: chi-square {chisq}, df {whole}, {p}.", chisq=format_number(test['chisq'], 2), whole=_whole(test['df']), p=format_p(test['p_value'], symbol=True))
    notes = (
        _(
            "The covariates are held alike over the whole follow-up. n: patients of both arms under observation when the period begins; a ratio after "
            "the time compares those who are left, who need not be alike in the arms even where they were at the start.",
        ),
        _("The change is {note}.", note=worded(test['note'])) if test["note"] else change,
        *said,
    )
    return Table(f"{name}_periods", _("{short}: hazard ratios until and after {when}", short=short, when=when), columns, tuple(rows), notes)


def _events(row: pd.Series) -> str:
    return f"{format_whole(row['n_events'])}/{format_whole(row['n'])}"


@empty_if_absent
def table_adjusted_subgroups(fit: ModelFit) -> Table | Block:
    """Adjusted hazard ratio of the contrast by subgroup, with tests of interaction."""
    if "model_subgroup" not in fit:
        return EMPTY  # none could be tested, and the sentence says why
    data, rows, said, levels = fit.dataset, [], [], fit["model_subgroup"]
    for __, test in fit["model_interaction"].iterrows():
        heading = level_label(data, f"{test['variable']}: ")[0]
        rows.append(Row((heading, _events(test), "", format_p(test["p_value"]), format_number(test["events_per_variable"]))))
        inside = levels[[subgroup_of(variable) == test["variable"] for variable in levels["variable"]]]
        rows += [Row((level_label(data, row["variable"])[1], _events(row), _ratio(row), "", ""), "sub") for __, row in inside.iterrows()]
        said += [_("{heading}: {note}.", heading=heading, note=worded(test['note']))] if test["note"] else []
    pair = pair_label(data, name_pair(*data.contrast))
    columns = (Column(_("Subgroup")), Column(_("Events / n")), Column(_("Hazard ratio"), f"{level_text(data)} CI"), Column(said_p(), _("interaction")), Column(_("Events"), _("per coefficient")))
    name, short = _id_and_short(fit)
    notes = (
        _(
            "All arms and all covariates in one model with arm x subgroup; events / n: of all arms beside a subgroup, of the two compared beside its "
            "levels; interaction: likelihood-ratio test against the model without it. Unadjusted ratios within subgroups stand in robustness. No "
            "subgroup was powered, and none is adjusted for the number of looks.",
        ),
        *said,
    )
    return Table(f"{name}_adjusted_subgroups", _("{short} in subgroups, adjusted: {pair}", short=short, pair=pair), columns, tuple(rows), notes)


@empty_if_absent
def table_discrimination(fit: ModelFit) -> Table | Block:
    """Harrell's concordance as fitted, its optimism, and what is left."""
    if "model_concordance" not in fit:
        return EMPTY
    row = fit["model_concordance"].iloc[0]
    cells = [format_number(row[name], 2) for name in ("concordance", "optimism", "concordance_corrected")]
    columns = (Column(_("Model")), Column(_("Concordance"), _("as fitted")), Column(_("Optimism")), Column(_("Concordance"), _("corrected")), Column(_("Calibration"), _("slope")), Column(_("Resamples")))
    name, short = _id_and_short(fit)
    notes = (
        _(
            "Share of pairs of patients in which the model expects the event sooner for the one who had it first (0.5: by chance). Optimism: by how much "
            "the model does better in resamples of the patients to which it is fitted anew than in the patients as they are. Slope below 1: predictions "
            "too extreme for others.",
        ),
        *([_("{note}.", note=worded(row["note"].capitalize()))] if row["note"] else []),
    )
    rows = (Row((_("Arms and covariates"), *cells, format_number(row["slope"], 2), _whole(row["n_resamples"]))),)
    return Table(f"{name}_discrimination", _("{short}: how well the model orders patients", short=short), columns, rows, notes)
