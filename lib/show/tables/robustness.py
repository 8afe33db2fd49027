"""Results of robustness and subgroups -> tables. Computes nothing."""

from __future__ import annotations

__all__ = [
    "table_definitions", "table_detectable", "table_incidence", "table_intervals", "table_response_subgroups", "table_robustness",
    "table_subgroups",
]  # fmt: skip

import re

import pandas as pd

from lib.analyses.efficacy.survival import Survival
from lib.analyses.result import where
from lib.analyses.robustness.definitions import DECLARED, FIELD, Definitions
from lib.analyses.robustness.robustness import WAYS, Robustness
from lib.analyses.robustness.subgroups import ResponseSubgroups, Subgroups
from lib.dataset.dataset import Dataset
from lib.languages.notes import worded
from lib.languages.speech import _
from lib.show.display import EMPTY, Block, Column, Row, Table, empty_if_absent
from lib.show.formats import (
    DASH,
    MASKED,
    capitalised,
    format_bounds,
    format_interval,
    format_limit,
    format_number,
    format_p,
    format_p_bounds,
    format_percent,
    format_points,
    format_time,
    format_whole,
    is_masked,
    said_p,
)
from lib.show.labels import counted, decimals_of_time, groups_of, level_text, pair_label, unit_label
from lib.show.phrases import format_duration, in_unit, out_of, unit_name
from lib.show.tables import parts
from lib.show.ways import definition_label, event_label, field_label, level_label, subgroup_of, way_label
from lib.statistics.comparisons import name_pair


@empty_if_absent
def table_robustness(robust: Robustness) -> Table:
    """Every way to ask the question: patients, events, p, estimate, and why a way could not be gone."""
    data = robust.dataset
    rows, heading, pair = [], "", name_pair(*data.contrast)
    for (way, time), part in robust["ways"].groupby(["way", "time"], sort=False, dropna=False):
        if WAYS[way][0] != heading:
            heading = WAYS[way][0]
            rows.append(Row((heading,), "group"))
        label = way_label(data, robust, way, time)
        if way in ("rmst", "pairwise"):
            rows += [_pair_row(data, _("{label}, {pair}", label=label, pair=pair_label(data, row["group"])), row) for __, row in part.iterrows()]
        else:
            rows.append(_way_row(label, part, pair))
    columns = (
        Column(_("What was done")),
        Column(_("Events / {unit_label}", unit_label=unit_label(robust['robustness']))),
        Column(said_p()),
        Column(_("Hazard ratio or difference"), f"{level_text(data)} CI"),
    )
    endpoint = data.study.endpoint(robust.variable)
    field = (robust["ways"]["way"] == FIELD).any()
    notes = (
        *([_("What the arm treats: {field_label}. Growth and new lesions are measured, and each endpoint keeps its other events.", field_label=field_label(data))] if field else []),
        _(
            "Hazard ratio: {pair_label}; below 1: fewer events per time with the arm named first. {p}: test of all arms, but of the pair named where "
            "there is one, and of {pair_label} for Firth's.",
            pair_label=pair_label(data, pair), p=said_p(),
        ),
        _(
            "Fragility: patients changed one by one, each time the one who moves {p} most, until {p} crosses {limit}. Worst case: every censored patient "
            "of the arm had the event when last seen, those of the other arms stay free of it to the end; best case: the other way round. These are "
            "bounds, not estimates.",
            p=said_p(), limit=format_limit(),
        ),
    )
    return Table(
        f"{robust.variable}_robustness",
        _("{endpoint}: the same question, many answers", endpoint=endpoint.short),
        columns,
        tuple(rows),
        notes,
    )


def _way_row(label: str, part: pd.DataFrame, pair: str) -> Row:
    """One row from the test of all arms and the hazard ratio of the contrast."""
    ratios = part[(part["group"] == pair) & part["hr"].notna()]
    tests = part[part["group"] != pair]
    row = (tests if len(tests) else part).iloc[0]
    p = format_p(row["p_value"])
    if pd.notna(row["min"]):
        p = format_p_bounds(row["min"], row["max"])
    ratio = (
        ""
        if ratios.empty
        else f"{format_number(ratios['hr'].iat[0], 2)} ({format_interval(ratios['ci_low'].iat[0], ratios['ci_high'].iat[0], 2)})"
    )
    return Row((_with_remark(label, row), _events(row), p, ratio), "sub")


def _pair_row(data: Dataset, label: str, row: pd.Series) -> Row:
    d, unit = decimals_of_time(data), data.study.time.unit
    p = row["p_value"] if pd.isna(row["p_adjusted"]) else row["p_adjusted"]
    gain = (
        ""
        if pd.isna(row["difference"])
        else in_unit(f"{format_number(row['difference'], d)} ({format_interval(row['ci_low'], row['ci_high'], d)})", unit)
    )
    return Row((_with_remark(label, row), _events(row), format_p(p), gain), "sub")


def _events(row: pd.Series) -> str:
    if pd.isna(row["n"]) or pd.isna(row["n_events"]):
        return ""
    return f"{format_whole(row['n_events'])}/{format_whole(row['n'])}"


def _with_remark(label: str, row: pd.Series) -> str:
    """Label with Monte Carlo error, counts of deletions or changes, and the statistic's own note."""
    said = []
    if pd.notna(row["mc_error"]):
        said.append(
            _("Monte Carlo error {mc_error}", mc_error=format_number(row['mc_error'], 4)) if row["mc_error"] else _("every allocation counted")
        )
    if pd.notna(row["min"]):
        said.append(_("{out_of} deletions {en} the verdict at {limit}", out_of=out_of(row['count'], row['n']), en="turns" if row['count'] == 1 else "turn", limit=format_limit()))
    elif pd.notna(row["count"]):
        said.append(_("{out_of} {en} enough", out_of=out_of(row['count'], row['n']), en='is' if row['count'] == 1 else 'are'))
    if pd.notna(row["n_missing"]):
        lost = counted(row, "n_missing")
        said.append(_("{lost} without a known stratum", lost=lost) if row["way"] == "stratified" else _("{lost} had the event or left before", lost=lost))
    said += [re.sub(r"(?<=^not made: )not recorded: ", "", worded(row["note"]))] if row["note"] else []
    return _("{label} ({note})", label=label, note=_("; ").join(said)) if said else label


@empty_if_absent
def table_definitions(definitions: Definitions, fits: dict[str, pd.DataFrame]) -> Table:
    """Published numbers of an endpoint beside what each definition of its events gives; `fits`: verdicts by definition."""
    data = definitions.dataset
    endpoint = data.study.endpoint(definitions.variable)
    declared = fits[DECLARED]
    columns = [Column(_("Claim"), text=True), Column(_("Published"), text=True), *(Column(definition_label(name), text=True) for name in fits)]
    cells = [[_("{number} ({verdict})", number=row.reproduced, verdict=_(row.verdict)) for row in found.itertuples()] for found in fits.values()]
    rows = [Row((row.claim, row.printed, *(cell[i] for cell in cells))) for i, row in enumerate(declared.itertuples())]
    notes = (
        _("Each definition keeps the other events of the endpoint. Where a new lesion competes, curve and log-rank test are those of censoring."),
        *([_("What the arm treats: {field_label}.", field_label=field_label(data))] if FIELD in fits else []),
    )
    title = _("{endpoint}: which definition do the published numbers fit?", endpoint=endpoint.short)
    return Table(f"{endpoint.id}_definitions", title, tuple(columns), tuple(rows), notes)


@empty_if_absent
def table_incidence(robust: Robustness) -> Table | Block:
    """Cumulative incidence of the first kind of event and of the other, each with the other competing."""
    data = robust.dataset
    if "incidence" not in robust or robust["incidence"].empty:
        return EMPTY
    endpoint, rows, unit = data.study.endpoint(robust.variable), [], data.study.time.unit
    columns = [*endpoint.events, *endpoint.competing]
    first = event_label(columns[0]) if columns else _("event of interest")
    other = _(" or ").join(event_label(c) for c in columns[1:]) or _("competing event")
    for name, kind in (("incidence", first), ("incidence_other", _("{other} without it", other=other))):
        rows.append(Row((_("{kind}, at", kind=capitalised(kind)),), "group"))
        for time, part in robust[name].groupby("time"):
            rows.append(Row((format_duration(time, unit), *parts.cells(part, groups_of(data), _share)), "sub"))
    gray = robust["ways"].query("way == 'competing'")["p_value"].iat[0]
    notes = (
        _("Aalen-Johansen, log-log {level} CI in % (Aalen variance). Gray's test of the first kind: {part}.", level=level_text(data), part=format_p(gray, symbol=True) if pd.notna(gray) else _("not made")),
    )
    return Table(f"{robust.variable}_incidence", _("{endpoint}: cumulative incidence by kind of event", endpoint=endpoint.short),
                 (Column(_("Cumulative incidence")), *parts.arm_columns(data)), tuple(rows), notes)  # fmt: skip


def _share(row: pd.Series) -> str:
    if pd.isna(row["estimate"]):
        return _(MASKED) if is_masked(row) else _("not estimable")
    return f"{format_percent(row['estimate'])} ({format_interval(row['ci_low'], row['ci_high'], 0, percent=True)})"


@empty_if_absent
def table_intervals(robust: Robustness, survival: Survival) -> Table | Block:
    """What the time between scans leaves open: bounds of medians and shares beside Kaplan-Meier's single values."""
    data = robust.dataset
    if "interval_median" not in robust:
        return EMPTY
    groups, d, unit = groups_of(data), decimals_of_time(data), data.study.time.unit
    rows = [
        Row((_("Median, {unit}: Kaplan-Meier", unit=unit_name(unit)), *parts.cells(survival["median"], groups, lambda r: format_time(r["median"], d)))),
        Row((_("Bounds between scans"), *parts.cells(robust["interval_median"], groups, lambda r: format_bounds(r["bound_low"], r["bound_high"], d, missing="NR"))), "sub"),
    ]
    for time, part in robust["interval_landmark"].groupby("time"):
        rows.append(Row((_("Event-free at {duration}: bounds", duration=format_duration(time, unit)), *parts.cells(part, groups, lambda r: format_bounds(r["bound_low"], r["bound_high"], 0, percent=True)))))
    endpoint = data.study.endpoint(robust.variable)
    notes = (
        _(
            "Kaplan-Meier puts a progression on the day of the scan that found it. Turnbull's curve knows only that it came since the scan before, so "
            "its median is often earlier; what it leaves open lies between the bounds (shares in %). Bounds are no confidence intervals: they hold what "
            "the schedule of scans hides, not chance.",
        ),
        *parts.notes_by_arm(data, robust["interval_landmark"]),
    )
    return Table(f"{endpoint.id}_intervals", _("{endpoint}: what lies between two scans", endpoint=endpoint.short),
                 (Column(endpoint.short), *parts.arm_columns(data)), tuple(rows), notes)  # fmt: skip


@empty_if_absent
def table_detectable(robust: Robustness) -> Table:
    """What the observed number of events could have found."""
    data = robust.dataset
    rows = []
    for __, row in robust["detectable"].iterrows():
        found = [_(MASKED) if is_masked(row) else format_number(row[name], 2) for name in ("hr", "hr_above")]
        rows.append(Row((pair_label(data, row["group"]), f"{format_whole(row['n_events'])}/{format_whole(row['n'])}", *found)))
    columns = (
        Column(_("Comparison")),
        Column(_("Events / {unit_label}", unit_label=unit_label(robust['detectable']))),
        Column(_("Found if below"), _("hazard ratio")),
        Column(_("or above"), _("hazard ratio")),
    )
    note = _(
        "Hazard ratio that a two-sided log-rank test at {limit} finds with 80% power at the observed number of events (Schoenfeld). Smaller effects "
        "would usually be missed, whether they exist or not.",
        limit=format_limit(),
    )
    endpoint = data.study.endpoint(robust.variable)
    return Table(
        f"{robust.variable}_detectable",
        _("{endpoint}: effects that these numbers can find", endpoint=endpoint.short),
        columns,
        tuple(rows),
        (note,),
    )


@empty_if_absent
def table_subgroups(subgroups: Subgroups) -> Table:
    """Hazard ratio of the focus arm against the reference arm by subgroup, with counts and tests of interaction."""
    data = subgroups.dataset
    rows, said, shown = [], [], ""
    tests = subgroups["interaction"].set_index("variable")
    for __, row in subgroups["subgroup"].iterrows():
        heading, level = level_label(data, row["variable"])
        counts = where(subgroups["subgroup_count"], variable=row["variable"]).set_index("group")
        if level and subgroup_of(row["variable"]) != shown:
            shown = subgroup_of(row["variable"])
            test = tests.loc[shown]
            rows.append(Row((heading, "", "", "", format_p(test["p_value"]))))
            said += [_("{heading}, interaction {note}.", heading=heading, note=worded(test['note']))] if test["note"] else []
        events = [
            f"{format_whole(counts.at[arm, 'n_events'])}/{format_whole(counts.at[arm, 'n'])}" for arm in data.contrast
        ]
        ratio = (
            f"{format_number(row['hr'], 2)} ({format_interval(row['ci_low'], row['ci_high'], 2)})"
            if pd.notna(row["hr"])
            else DASH
        )
        rows.append(Row((level or heading, *events, ratio, ""), "sub" if level else ""))
        said += [_("{strip}: {note}.", strip=f'{heading} {level}'.strip(), note=worded(row['note']))] if row["note"] else []
    x, y = (data.study.arm(arm) for arm in data.contrast)
    columns = (Column(_("Subgroup")), Column(x.label, _("events / n"), x.colour), Column(y.label, _("events / n"), y.colour),
               Column(_("Hazard ratio"), f"{level_text(data)} CI"), Column(said_p(), _("interaction")))  # fmt: skip
    endpoint = data.study.endpoint(subgroups.variable)
    notes = (
        _(
            "Hazard ratio below 1: fewer events per time with {x}; from a Cox model of all arms within the subgroup. Interaction: likelihood-ratio test "
            "of arm x subgroup against arm + subgroup over all arms.",
            x=x.label,
        ),
        _(
            "No subgroup was powered and none is adjusted for the number of looks: a hazard ratio that differs from the others is no sign of a different "
            "effect unless the interaction says so.",
        ),
        *said,
    )
    return Table(f"{subgroups.variable}_subgroups", _("{endpoint} in subgroups: {pair_label}", endpoint=endpoint.short, pair_label=pair_label(data, name_pair(*data.contrast))),
                 columns, tuple(rows), notes)  # fmt: skip


@empty_if_absent
def table_response_subgroups(subgroups: ResponseSubgroups) -> Table:
    """Difference in objective response between focus and reference arm by subgroup, with counts and tests of interaction."""
    data, rows, said, shown = subgroups.dataset, [], [], ""
    tests = subgroups["response_interaction"].set_index("variable")
    for __, row in subgroups["response_subgroup"].iterrows():
        heading, level = level_label(data, row["variable"])
        if level and subgroup_of(row["variable"]) != shown:
            shown = subgroup_of(row["variable"])
            rows.append(Row((heading, "", "", "", format_p(tests.at[shown, "p_value"]))))
            said += [_("{heading}, interaction {note}.", heading=heading, note=worded(tests.at[shown, "note"]))] if tests.at[shown, "note"] else []
        counts = where(subgroups["response_subgroup_count"], variable=row["variable"])
        shares = parts.cells(counts, list(data.contrast), lambda r: f"{format_whole(r['count'])}/{format_whole(r['n'])}")
        points = DASH if pd.isna(row["difference"]) else f"{format_points(row['difference'])} ({format_interval(row['ci_low'], row['ci_high'], 0, percent=True)})"
        rows.append(Row((level or heading, *shares, points, ""), "sub" if level else ""))
    x, y = (data.study.arm(arm) for arm in data.contrast)
    columns = (Column(_("Subgroup")), Column(x.label, _("responders / n"), x.colour), Column(y.label, _("responders / n"), y.colour),
               Column(_("Difference, points"), f"{level_text(data)} CI"), Column(said_p(), _("interaction")))  # fmt: skip
    when = format_duration(subgroups["response_subgroup"]["time"].iat[0], data.study.time.unit)
    notes = (
        _("All {entered} who were due at {when}; {x} minus {y}, with the Miettinen-Nurminen interval. Interaction, over all arms: {join}.", entered=_(data.study.by_design.entered), when=when, x=x.label, y=y.label, join=_(" or ").join(map(worded, dict.fromkeys(tests["method"])))),
        _("No subgroup was powered and none is adjusted for the number of looks."),
        *dict.fromkeys(said),
    )
    return Table("response_subgroups", _("Objective response at {when} in subgroups: {pair_label}", when=when, pair_label=pair_label(data, name_pair(*data.contrast))), columns, tuple(rows), notes)
