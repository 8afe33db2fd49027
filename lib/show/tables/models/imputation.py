"""Who lacks a covariate, and the models with and without what was drawn -> tables. Computes nothing."""

from __future__ import annotations

__all__ = ["table_imputed", "table_missing", "table_missing_patterns"]

from dataclasses import replace

import pandas as pd

from lib.analyses.models.covariates import declared_covariates, said_step
from lib.analyses.models.imputation import COMPLETE, OTHERS, Imputed
from lib.analyses.result import where
from lib.dataset.dataset import Dataset
from lib.languages.speech import _
from lib.show.display import EMPTY, Block, Column, Row, Table, empty_if_absent
from lib.show.formats import (
    DASH,
    capitalised,
    format_interval,
    format_number,
    format_p,
    format_percent,
    format_whole,
    said_p,
)
from lib.show.labels import everybody, groups_of, inside, level_text, pair_label
from lib.show.phrases import joined, plural
from lib.show.tables import parts

KNOWN, MISSING = "known", "missing"


@empty_if_absent
def table_missing(imputed: Imputed) -> Table:
    """Patients who lack each covariate by arm, and events among those who lack it and those who do not."""
    data, found = imputed.dataset, imputed["missing_covariate"]
    groups, events = groups_of(data, overall=True), imputed["missing_events"].set_index("variable")
    lacking = {variable: of for variable, of in found.groupby("variable", sort=False) if of["count"].any()}
    rows = []
    for variable, of in lacking.items():
        shares = [_share(events, f"{variable}: {word}") for word in (MISSING, KNOWN)]
        rows.append(Row((data.study.variable(variable).label, *parts.cells(of, groups, parts.format_share), *shares)))
    whole = [data.study.variable(variable).label for variable in dict.fromkeys(found["variable"]) if variable not in lacking]
    columns = [
        Column(_("Covariate"), _("patients who lack it")), *_columns(data, found),
        Column(_("Events if missing"), _("of those who lack it")), Column(_("Events if known"), _("of the others")),
    ]  # fmt: skip
    notes = [
        *([_("Known of everybody: {listed}.", listed=joined(map(inside, whole)))] if whole else []),
        _("Described and not tested: whether values are missing by chance cannot be read from them. Events are counted whatever the length of follow-up."),
        *_undefined(imputed),
    ]
    return Table(f"{imputed.variable}_missing", _("{short}: covariates that are missing", short=_short(imputed)), tuple(columns), tuple(rows), tuple(notes), dash=_("nobody"))


def _columns(data: Dataset, found: pd.DataFrame) -> list[Column]:
    """A column per arm and one for all, with how many were looked at."""
    sizes = found.drop_duplicates("group").set_index("group")["n"]
    groups = groups_of(data, overall=True)
    return [replace(column, detail=f"n = {format_whole(sizes.get(group, 0))}") for group, column in zip(groups, parts.arm_columns(data, overall=True), strict=True)]


def _share(events: pd.DataFrame, variable: str) -> str:
    if variable not in events.index:
        return DASH
    row = events.loc[variable]
    return f"{format_whole(row['count'])}/{format_whole(row['n'])} ({format_percent(row['proportion'])})" if row["n"] else DASH


def _undefined(imputed: Imputed) -> list[str]:
    """Who is left out because a known value has no logarithm."""
    if "missing_logarithm" not in imputed:
        return []
    return [
        _(
            "{variable}: {count} of {n} with a known value of zero or less, which has no logarithm, in neither model and not counted above: to draw the "
            "value would overwrite what is known.",
            variable=imputed.dataset.study.variable(row['variable']).label, count=plural(row['count'], 'patient'), n=format_whole(row['n']),
        )
        for __, row in imputed["missing_logarithm"].iterrows()
    ]


@empty_if_absent
def table_missing_patterns(imputed: Imputed) -> Table:
    """Patients and events of each set of covariates that are missing together."""
    data, found = imputed.dataset, imputed["missing_pattern"]
    ids, groups = [c.variable for c in declared_covariates(data)], groups_of(data, overall=True)
    rows = []
    for pattern in dict.fromkeys(found["variable"]):
        of = where(found, variable=pattern)
        lacking = set() if pattern == COMPLETE else set(pattern.split(" + "))
        marks = [DASH] * len(ids) if pattern == OTHERS else [_("missing") if i in lacking else _("known") for i in ids]
        events = of.set_index("group")["n_events"][everybody(data)]
        rows.append(Row((*marks, *parts.cells(of, groups, lambda row: format_whole(row["count"])), format_whole(events))))
    columns = [
        *(Column(data.study.variable(i).label, text=True) for i in ids),
        *_columns(data, found), Column(_("Events"), _("of all")),
    ]  # fmt: skip
    return Table(f"{imputed.variable}_missing_patterns", _("{short}: patterns of missing covariates", short=_short(imputed)), tuple(columns), tuple(rows), dash=_("nobody, or one of several other patterns"))


@empty_if_absent
def table_imputed(imputed: Imputed) -> Table | Block:
    """Hazard ratios of complete cases beside those by imputation."""
    if "imputed_cox" not in imputed:
        return EMPTY
    level = level_text(imputed.dataset)
    whole, complete = imputed["imputed_cox"], imputed["complete_cox"]
    beside = {(row["variable"], row["group"]): row for __, row in complete.iterrows()}
    rows = []
    for __, row in whole.iterrows():
        other = beside.get((row["variable"], row["group"]))
        ratios = [*(_ratio(other) if other is not None else (DASH, DASH)), *_ratio(row)]
        missing = DASH if pd.isna(row["missing_information"]) else format_percent(row["missing_information"], 1)
        rows.append(Row((_term_label(imputed, row), *ratios, missing)))
    sizes = [_("{iat} patients, {iat2} events", iat=format_whole(f['n'].iat[0]), iat2=format_whole(f['n_events'].iat[0])) for f in (complete, whole)]
    columns = (
        Column(capitalised(_("term"))), Column(_("Complete cases"), _("{sizes}; hazard ratio ({level} CI)", sizes=sizes[0], level=level)), Column(said_p(), _("complete cases")),
        Column(_("Imputed"), _("{sizes}; hazard ratio ({level} CI)", sizes=sizes[1], level=level)), Column(said_p(), _("imputed")), Column(_("Information missing"), _("of the imputed estimate")),
    )  # fmt: skip
    alike = _alike(imputed)
    left_out = [_("Complete cases: {note}", note=inside(note)) for note in parts.notes_of(complete)]
    notes = [*([_("The same in everybody, so not in the model: {listed}.", listed=joined(alike))] if alike else []), *left_out, *_how_imputed(whole), *parts.notes_of(whole)]
    return Table(f"{imputed.variable}_imputed", _("{short}: complete cases and imputed covariates", short=_short(imputed)), columns, tuple(rows), tuple(notes))


def _alike(imputed: Imputed) -> list[str]:
    """Covariates that the models leave out because all patients are alike in them."""
    data, kept = imputed.dataset, set(imputed["imputed_cox"]["variable"].str.removeprefix(f"{imputed.variable}: ").str.partition(": ")[0])
    return [inside(data.study.variable(c.variable).label) for c in declared_covariates(data) if c.variable not in kept]


def _how_imputed(whole: pd.DataFrame) -> list[str]:
    return [
        _(
            "Imputed: {iat} data sets by chained equations, put together by Rubin's rules with the degrees of freedom of Barnard and Rubin. What is "
            "missing was drawn given all other covariates, the arm, whether the event happened and the cumulative hazard at the patient's time "
            "(Nelson-Aalen): numbers from five patients with the nearest predictions, categories by multinomial logistic regression, coefficients drawn "
            "as well.",
            iat=format_whole(whole['n_imputations'].iat[0]),
        ),
        _(
            "Other draws would move a log hazard ratio by {max} or less (Monte Carlo standard error); precision is {min} or more of that with infinitely "
            "many data sets.",
            max=format_number(whole['mc_error'].max(), 4), min=format_percent(whole['efficiency'].min(), 1),
        ),
        _("Information missing: how much less is known of a hazard ratio than if every covariate were known, as far as the draws tell."),
    ]


def _ratio(row: pd.Series) -> tuple[str, str]:
    if pd.isna(row["hr"]):
        return DASH, DASH
    return f"{format_number(row['hr'], 2)} ({format_interval(row['ci_low'], row['ci_high'], 2)})", format_p(row["p_value"])


def _short(imputed: Imputed) -> str:
    return imputed.dataset.study.endpoint(imputed.variable).short


def _term_label(imputed: Imputed, row: pd.Series) -> str:
    """Such as "Drug vs placebo", "Age, per 10 years", "Sex: male vs female"."""
    data = imputed.dataset
    if row["variable"] == imputed.variable:
        return pair_label(data, row["group"])
    variable, __, level = row["variable"].removeprefix(f"{imputed.variable}: ").partition(": ")
    label = data.study.variable(variable).label
    if level:
        first = imputed["first"].set_index("variable")["level"][variable]
        return _("{label}: {level}", label=label, level=f"{_level(data, variable, level)} vs {_level(data, variable, first)}")
    covariate = next(c for c in declared_covariates(data) if c.variable == variable)
    step = said_step(data, covariate)
    return _("{label}, {step}", label=label, step=step) if step != "per" else label


def _level(data: Dataset, variable: str, value: str) -> str:
    return next(level.label for level in data.study.variable(variable).levels if level.value == value)
