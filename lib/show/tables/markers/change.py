"""Tables of markers and volumes: levels and changes by visit, presence, ratios, who was left out and whether it matters."""

from __future__ import annotations

__all__ = ["table_adjusted", "table_change", "table_excluded", "table_level", "table_presence", "table_ratios", "table_sensitivity", "table_shifts"]

import pandas as pd

from lib.analyses.efficacy.marker_models import PRESENCE, MarkerModel, Presence, Ratios
from lib.analyses.efficacy.markers import Levels, measure
from lib.analyses.efficacy.shifts import LAST, MISSING, VISIT, WORST, Shifts
from lib.analyses.result import where
from lib.dataset.dataset import Dataset
from lib.dataset.derived import VOLUME
from lib.languages.notes import worded
from lib.languages.speech import N_, _
from lib.show.display import EMPTY, Block, Column, Row, Table, empty_if_absent
from lib.show.formats import (
    DASH,
    capitalised,
    format_given,
    format_interval,
    format_number,
    format_p,
    format_percent,
    format_whole,
    said_p,
)
from lib.show.labels import counted, groups_of, level_text, pair_label, unit_label
from lib.show.phrases import format_duration, joined, unit_name
from lib.show.tables import parts as table_parts
from lib.show.tables.parts import count_cell, visit_label

PRESENCE_LABELS = {
    "value": N_("With a value that counts"),
    "excluded": N_("With a sample that is left out"),
    "died": N_("Died"),
    "not due": N_("Visit not yet due"),
    "progressed": N_("No value, progressed before"),
    "missing": N_("No value, otherwise"),
}
LIMITED = {"below_limit": N_("{units} below the limit of detection"), "above_limit": N_("{units} above the limit of the assay")}


@empty_if_absent
def table_level(analysis: Levels) -> Table:
    """Value and change by visit and arm: n, median, quartiles."""
    data = analysis.dataset
    groups, name, rows = groups_of(data), analysis.variable, []
    quantity = measure(data.study, name)
    label = worded(quantity.label)

    def shown(row):
        if not row["n"]:
            return DASH
        return f"{format_number(row['median'], 1)} ({format_interval(row['q1'], row['q3'], 1)}), n = {format_whole(row['n'])}"

    for output, heading in (
        (f"{name}_level", _("{label}, {detail}", label=label, detail=quantity.unit)),
        (f"{name}_{quantity.described}", _("Change from baseline, {change_unit}", change_unit=quantity.change_unit)),
    ):
        rows.append(Row((heading,), "group"))
        enough = analysis[output].groupby("time").filter(lambda part: part["n"].max() >= data.study.policy.min_at_risk)
        for time, part in enough.groupby("time"):
            rows.append(
                Row(
                    (_("Baseline") if time == 0 else visit_label(data, time), *table_parts.cells(part, groups, shown)),
                    "sub",
                )
            )
    columns, units = (Column(_("Visit")), *table_parts.arm_columns(data)), unit_label(analysis[f"{name}_level"])
    notes = (
        _("Median (first to third quartile), and n, the {units} with a value. Patients who died or left are not in later rows.", units=units),
        _("Visits at which every arm has fewer than {min_at_risk} {units} are in results.csv only.", min_at_risk=data.study.policy.min_at_risk, units=units),
        *table_parts.notes_of(analysis[f"{name}_level"]),
    )
    return Table(f"{name}_by_visit", _("{label} by visit and arm", label=label), columns, tuple(rows), notes)


@empty_if_absent
def table_change(analysis: Levels) -> Table:
    """Tests of change within and between arms, by visit."""
    data = analysis.dataset
    name, level, rows = analysis.variable, level_text(data), []
    quantity = measure(data.study, name)
    label, log = worded(quantity.label), quantity.log
    within_all = analysis[f"{name}_within"]
    for time, within in within_all.groupby("time"):
        rows.append(Row((_("At {visit_label}", visit_label=visit_label(data, time)),), "group"))
        for arm in data.arms:
            row = within[within["group"] == arm.id].iloc[0]
            rows.append(
                Row((arm.label, format_whole(row["n"]), _shift(row, "estimate", log), format_p(row["p_value"]), ""))
            )
        if f"{name}_between" in analysis:
            rows += _between(data, analysis, time, log)
    unit = _("ratio to baseline") if log else _("points of % change") if quantity.change_unit == "%" else quantity.change_unit
    columns = (Column(_("Arm or comparison")), Column(unit_label(within_all).capitalize()), Column(_("Hodges-Lehmann, {unit}", unit=unit_name(unit)), f"{level} CI"),
               Column(said_p()), Column(said_p(), _("Holm")))  # fmt: skip
    between = (
        _("; between arms the Hodges-Lehmann shift, Dunn's test with Holm's adjustment, and Kruskal-Wallis over all arms")
    )
    notes = (
        _("Within an arm: {join}{part}.", join=_("; ").join(map(worded, within_all["method"].unique())), part=between if len(data.arms) > 1 else ''),
        *([_("Below 1: lower than at baseline; between arms, the ratio of two such ratios.")] if log else []),
        *_few(data, within_all),
        *table_parts.notes_of(within_all),
    )
    return Table(f"{name}_change", _("{label}: change from baseline", label=label), columns, tuple(rows), notes)


def _few(data: Dataset, counts: pd.DataFrame) -> list[str]:
    """At which visits an arm has so few values that their rows are about single patients."""
    least = data.study.policy.min_at_risk
    few = sorted(counts.loc[(counts["time"] > 0) & (counts["n"] < least), "time"].unique())
    when = joined([format_duration(time, data.study.time.unit) for time in few])
    return [_("At {when} an arm has fewer than {least} {unit_label} with a value: read these rows as single cases.", when=when, least=least, unit_label=unit_label(counts))] if few else []


def _shift(row: pd.Series, column: str, log: bool) -> str:
    """Estimate and interval; a ratio with two decimals."""
    return table_parts.format_with_interval(row, column, 2 if log else 1)


def _between(data: Dataset, analysis: Levels, time: float, log: bool) -> list[Row]:
    parts = (analysis[f"{analysis.variable}_{part}"] for part in ("shift", "pairwise", "between"))
    shift, pairs, between = (part[part["time"] == time].set_index("group") for part in parts)
    rows = [
        Row((pair_label(data, group), "", _shift(shift.loc[group], "ratio" if log else "difference", log),
             format_p(pair["p_value"]), format_p(pair["p_adjusted"])), "sub")
        for group, pair in pairs.iterrows()
    ]  # fmt: skip
    overall = between.iloc[0]
    return [*rows, Row((_("All arms"), format_whole(overall["n"]), "", format_p(overall["p_value"]), ""), "sub")]


@empty_if_absent
def table_adjusted(analysis: Levels) -> Table | Block:
    """Change by arm at the same baseline, and the differences to the reference arm."""
    data, name, level = analysis.dataset, analysis.variable, level_text(analysis.dataset)
    if f"{name}_adjusted_mean" not in analysis or analysis[f"{name}_adjusted_mean"]["std_err"].isna().all():
        return EMPTY
    means, quantity, rows = analysis[f"{name}_adjusted_mean"], measure(data.study, name), []
    ratio, decimals = "ratio" in means, 2 if "ratio" in means else 1
    for time, part in means.groupby("time"):
        rows.append(Row((_("At {visit_label}", visit_label=visit_label(data, time)),), "group"))
        for row in part.to_dict("records"):
            shown = table_parts.format_with_interval(row, "ratio" if ratio else "estimate", decimals)
            rows.append(Row((data.study.arm(row["group"]).label, format_whole(row["n"]), shown, "")))
        if f"{name}_adjusted_difference" in analysis:
            for row in where(analysis[f"{name}_adjusted_difference"], time=time).to_dict("records"):
                shown = table_parts.format_with_interval(row, "ratio" if ratio else "difference", decimals)
                rows.append(Row((pair_label(data, row["group"]), "", shown, format_p(row["p_value"])), "sub"))
            test = where(analysis[f"{name}_adjusted_test"], time=time).iloc[0]
            rows.append(Row((_("All arms, F test"), format_whole(test["n"]), "", format_p(test["p_value"])), "sub"))
    columns = (Column(_("Arm or comparison")), Column(unit_label(means).capitalize()),
               Column(_("Ratio to baseline") if ratio else _("Change, {unit}", unit=quantity.unit), f"{level} CI"), Column(said_p()))  # fmt: skip
    notes = (
        _(
            "{iat}: {part} change of each arm had all started from the mean baseline, and its difference to the reference arm; one slope for all arms. "
            "Not adjusted for multiplicity.",
            iat=capitalised(worded(means['method'].iat[0])), part=_("the geometric mean") if ratio else _("the mean"),
        ),
        *([_("Below 1: lower than at baseline; between arms, the ratio of two such ratios.")] if ratio else []),
        *([_("A vanished lesion counts as too small to measure.")] if name == VOLUME else []),
        *table_parts.notes_of(means),
    )
    return Table(f"{name}_adjusted", _("{quantity}: change adjusted for the baseline", quantity=worded(quantity.label)), columns, tuple(rows), notes)


@empty_if_absent
def table_presence(presence: Presence) -> Table:
    """Who has a value at each visit, and why the others have none."""
    data = presence.dataset
    name, groups, rows = presence.variable, groups_of(data), []
    frame = presence[f"{name}_presence"]
    shown = [s for s in PRESENCE if s == "value" or (where(frame, variable=f"{name}: {s}")["count"] != 0).any()]
    for time, part in frame.groupby("time"):
        rows.append(Row((visit_label(data, time),), "group"))
        for state in shown:
            own = where(part, variable=f"{name}: {state}")
            rows.append(Row((_(PRESENCE_LABELS[state]), *table_parts.cells(own, groups, count_cell)), "sub"))
        for limited, words in LIMITED.items():
            if f"{name}_{limited}" in presence and (presence[f"{name}_{limited}"]["count"] != 0).any():
                own = where(presence[f"{name}_{limited}"], time=time)
                label = _(words, units=unit_label(own).capitalize())
                rows.append(Row((label, *table_parts.cells(own, groups, _of_samples)), "sub"))
    columns = (Column(_("Visit")), *table_parts.arm_columns(data))
    notes = [_("Each patient counts once per visit. Those without a value are seldom a chance sample of their arm.")]
    if f"{name}_below_limit" in presence:
        notes.append(_("A value below the limit of detection enters as the limit divided by the square root of two."))
    if f"{name}_above_limit" in presence:
        notes.append(_("A value above the limit of the assay enters as that limit."))
    title = _("{measure}: who has a value, and who has none", measure=worded(measure(data.study, name).label))
    return Table(f"{name}_presence", title, columns, tuple(rows), tuple(notes))


def _of_samples(row: pd.Series) -> str:
    return f"{format_whole(row['count'])}/{format_whole(row['n'])}"


@empty_if_absent
def table_excluded(analysis: Levels) -> Table | Block:
    """Patients whose samples are left out of the analysis of a marker, by reason."""
    data = analysis.dataset
    groups, frame = groups_of(data), analysis["marker_excluded"]
    if frame.empty:
        return EMPTY
    rows = []
    for variable, part in frame.groupby("variable", sort=False):
        reason = variable.split(": ", 1)[1]
        rows.append(Row((f"{reason[0].upper()}{reason[1:]}", *table_parts.cells(part, groups, count_cell))))
    marker = data.study.marker(analysis.variable)
    columns = (Column(_("{unit_label} left out", unit_label=unit_label(frame).capitalize())), *table_parts.arm_columns(data))
    limit = (
        (_("Interfering: {marker} above {above} at any time leaves out every sample of the patient.", marker=data.study.marker(marker.interference.marker).label, above=format_given(marker.interference.above)),) if marker.interference else ()
    )  # fmt: skip
    return Table(f"{marker.id}_excluded", _("{marker}: samples left out", marker=marker.label), columns, tuple(rows), limit)


@empty_if_absent
def table_ratios(model: Ratios) -> Table:
    """Ratios to baseline from the mixed model, comparisons of arms and tests of the terms."""
    data = model.dataset
    name, level, rows = model.variable, level_text(data), []
    for time, part in model[f"{name}_model_ratio"].groupby("time"):
        rows.append(Row((_("At {visit_label}", visit_label=visit_label(data, time)),), "group"))
        rows += [Row((data.study.arm(r["group"]).label, *_ratio(r))) for r in part.to_dict("records")]
        if f"{name}_model_comparison" in model:
            pairs = where(model[f"{name}_model_comparison"], time=time)
            rows += [Row((pair_label(data, r["group"]), *_ratio(r)), "sub") for r in pairs.to_dict("records")]
    terms = model[f"{name}_model_term"].set_index("term")
    tested = terms.loc[["visit", *(["arm x visit"] if len(data.arms) > 1 else [])]]
    labels = {"visit": _("Any change over the visits"), "arm x visit": _("Change differs between the arms")}
    for term, row in tested.iterrows():
        rows.append(Row((_("{labels}, F test", labels=labels[term]), "", format_p(row["p_value"]))))
    variance = model[f"{name}_model_variance"].iloc[0]
    method = model[f"{name}_model_ratio"]["method"].iat[0]
    notes = (
        _("{method}; {variance}. Not adjusted for multiplicity.", method=capitalised(worded(method)), variance=counted(variance)),
        _("Below 1: lower than at baseline. Between arms: the ratio of two such ratios."),
        _("Intraclass correlation {correlation}: the share of the variance that lies between patients.", correlation=format_number(variance['correlation'], 2)),
        *_few(data, model[f"{name}_model_count"]),
        *_of_lesions(variance),
        *table_parts.notes_of(model[f"{name}_model_ratio"], model[f"{name}_model_term"]),
    )
    columns = (Column(_("Arm or comparison")), Column(_("Ratio to baseline"), f"{level} CI"), Column(said_p()))
    title = _("{measure}: ratio to baseline from a mixed model", measure=worded(measure(data.study, name).label))
    return Table(f"{name}_model", title, columns, tuple(rows), notes)


def _of_lesions(variance: pd.Series) -> list[str]:
    """What the second random effect found, where the model has one."""
    if "var_lesions" not in variance:
        return []
    share = format_percent(variance["correlation_lesions"])
    return [
        _("A further {share} of the variance lies between the lesions of a patient; a vanished lesion counts as too small to measure.", share=share)
    ]


def _ratio(row: dict) -> tuple[str, str]:
    if pd.isna(row["ratio"]):
        return DASH, DASH
    shown = f"{format_number(row['ratio'], 2)} ({format_interval(row['ci_low'], row['ci_high'], 2)})"
    return shown, format_p(row["p_value"])


@empty_if_absent
def table_sensitivity(model: MarkerModel) -> Table:
    """The same ratios under other choices of samples, beside the main analysis."""
    data = model.dataset
    name, groups, rows = model.variable, groups_of(data), []

    def shown(row):
        if pd.isna(row["ratio"]):
            return DASH
        interval = format_interval(row["ci_low"], row["ci_high"], 2)
        return f"{format_number(row['ratio'], 2)} ({interval}), n = {format_whole(row['n'])}"

    for time, part in model[f"{name}_sensitivity"].groupby("time"):
        rows.append(Row((_("At {visit_label}", visit_label=visit_label(data, time)),), "group"))
        for variable, own in part.groupby("variable", sort=False):
            choice = variable.split(": ", 1)[1]
            rows.append(Row((f"{choice[0].upper()}{choice[1:]}", *table_parts.cells(own, groups, shown)), "sub"))
    columns = (Column(_("Samples")), *table_parts.arm_columns(data))
    units = unit_label(model[f"{name}_sensitivity"])
    note = _("Ratio to baseline from the same model ({level} CI), and n, the {units} with a value. All samples: those left out of the main analysis included.", level=level_text(data), units=units)
    title = _("{measure}: does the choice of samples matter?", measure=worded(measure(data.study, name).label))
    return Table(f"{name}_sensitivity", title, columns, tuple(rows), (note,))


@empty_if_absent
def table_shifts(shifts: Shifts) -> list[Table]:
    """The level at baseline against the worst, the last, and that at each visit: a table each."""
    frame = shifts[f"{shifts.variable}_scale_shift"]
    parts = frame["variable"].str.split(": ", n=2, expand=True)
    ends = parts[2].str.split(" -> ", expand=True)
    frame = frame.assign(when=parts[1], before=ends[0], after=ends[1])
    return [_shift_table(shifts, when, part) for (when, __), part in frame.groupby(["when", "time"], sort=False, dropna=False)]


def _shift_table(shifts: Shifts, when: str, frame: pd.DataFrame) -> Table:
    data, time, rows = shifts.dataset, frame["time"].iat[0], []
    marker = data.study.marker(shifts.variable)
    labels = {level.value: level.label for level in marker.levels} | {MISSING: _("No sample")}
    changed = shifts[f"{marker.id}_scale_change"]
    for arm in data.arms:
        moved = {name: where(changed, variable=f"{marker.id}: {when}: {name}", group=arm.id) for name in ("worse", "better")}
        moved = {name: own[own["time"].eq(time) | own["time"].isna()].iloc[0] for name, own in moved.items()}
        told = _(": worse {rate}; better {rate2}", rate=table_parts.format_rate(moved['worse']), rate2=table_parts.format_rate(moved['better'])) if moved["worse"]["n"] else ""
        rows.append(Row((f"{arm.label} (n = {data.n[arm.id]}){told}",), "group"))
        for before in labels:
            counts = where(frame, group=arm.id, before=before).set_index("after")["count"]
            rows.append(Row((labels[before], *(format_whole(counts[after]) for after in labels)), "sub"))
    later = {WORST: _("the worst after it"), LAST: _("the last"), VISIT: visit_label(data, time) if when == VISIT else ""}[when]
    columns = (Column(_("At baseline")), *(Column(label) for label in labels.values()))
    notes = (
        _(
            "{unit_label}, each once. Worse, better: {unit_label2}/those with both (%); exact {level} CI in %. A scale can only be counted: nobody says "
            "that its steps are alike.",
            unit_label=unit_label(frame).capitalize(), unit_label2=unit_label(frame), level=level_text(data),
        ),
    )
    name = f"{marker.id}_shift_{when}" + (f"_{time:g}".replace(".", "_") if when == VISIT else "")
    return Table(name, _("{marker}: from baseline to {later}", marker=marker.label, later=later), columns, tuple(rows), notes)
