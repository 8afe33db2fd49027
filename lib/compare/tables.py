"""A comparison of two outputs -> tables and sentences. Chooses and writes; what moved is found in moved."""

from __future__ import annotations

__all__ = [
    "CAUSES",
    "SIDES",
    "comparison_text",
    "describe",
    "sentence_verdict",
    "table_causes",
    "table_headlines",
    "table_moved",
    "table_outputs",
]

import math
from collections.abc import Iterator

import pandas as pd

from lib.analyses.catalogue import Headline
from lib.analyses.outputs import OUTPUTS
from lib.compare.moved import Comparison, Output
from lib.languages.notes import worded
from lib.languages.speech import N_, _
from lib.show.display import Column, Row, Table
from lib.show.formats import (
    DASH,
    DECIMALS,
    NOT_REACHED,
    format_given,
    format_interval,
    format_number,
    format_p,
    format_percent,
    format_points,
    format_relative,
    format_signed,
    format_whole,
    unstyled,
)
from lib.show.phrases import plural, report_title, unit_name
from lib.statistics.survival.event_table import OVERALL

# So many of the largest moves are listed; compare.csv holds all.
LISTED = 50
CAUSES = {"data": N_("Data"), "parameters": N_("Parameters"), "code": N_("Code"), "versions": N_("Versions"), "methods": N_("Methods")}
STATUS = {"moved": N_("moved"), "new": N_("only in the new report"), "missing": N_("only in the old report")}
SIDES = {"old": N_("Old"), "new": N_("New")}
HARMS = {"any": N_("any"), "severe": N_("severe"), "serious": N_("serious")}


def sentence_verdict(comparison: Comparison) -> str:
    """Say in one sentence how many numbers moved, and beyond what."""
    tolerance, compared = f"{comparison.tolerance:g}", len(comparison.numbers)
    if not comparison.moved:
        return _("No number moved beyond a relative tolerance of {tolerance}: {n} compared.", tolerance=tolerance, n=plural(compared, "statistic"))
    moved, new, missing = (comparison.count(status) for status in STATUS)
    said = [_("{moved} of {n} moved beyond a relative tolerance of {tolerance}", moved=moved, n=plural(compared, "number"), tolerance=tolerance)]
    said += [_("{n} only in the new report", n=plural(new, "number"))] if new else []
    said += [_("{n} only in the old report", n=plural(missing, "number"))] if missing else []
    return _("{sentence}.", sentence=_("; ").join(said))


def table_headlines(comparison: Comparison) -> Table:
    """Old beside new of what is asked first: patients, events, medians, hazard ratios, responses, harms."""
    blocks: dict[str, dict[str, Headline]] = {}
    for output in OUTPUTS:
        if output.headline:
            blocks.setdefault(output.headline.block, {})[output.name] = output.headline
    sides = [Column(_(side), detail) for side in SIDES.values() for detail in (_("events / n"), _("estimate (CI)"))]
    return Table(
        "headlines",
        _("Key numbers, old beside new"),
        (Column(_("Number")), *sides, Column(_("Change"), _("new − old"))),
        tuple(row for block in blocks.values() for row in _block(comparison, block)),
        (_("The change of a share is in percentage points."),),
        dash=_("not in that report"),
    )


def _block(comparison: Comparison, block: dict[str, Headline]) -> Iterator[Row]:
    """Rows of a block of headlines by output, variable by variable in the order of the report."""
    chosen = [_chosen(comparison.numbers, output, headline) for output, headline in block.items()]
    for variable in dict.fromkeys(name for numbers in chosen for name in numbers["variable"]):
        for headline, numbers in zip(block.values(), chosen, strict=True):
            for time, part in numbers[numbers["variable"] == variable].groupby("time", sort=False):
                yield from _headline_rows(comparison, headline, variable, time, part)


def _chosen(numbers: pd.DataFrame, output: str, headline: Headline) -> pd.DataFrame:
    """Numbers of one output and its variables; an output that two reports record is shown once."""
    chosen = numbers[numbers["output"] == output]
    chosen = chosen[chosen["variable"].isin(headline.variables)] if headline.variables else chosen
    return chosen[chosen["report"] == chosen["report"].iat[0]] if len(chosen) else chosen


def _headline_rows(comparison: Comparison, headline: Headline, variable: str, time: str, part) -> Iterator[Row]:
    about = comparison.new.run.about
    name, when = about.get("endpoints", {}).get(variable) or _(HARMS.get(variable, variable)), format_given(float(time)) if time else ""
    unit = about.get("time_unit", "")
    yield Row((_(headline.title, name=name, unit=unit_name(unit) if unit else "", time=when),), "group")
    for group, own in part.groupby("group", sort=False):
        values = own.set_index("statistic")
        cells = [cell for side in ("old", "new") for cell in _cells(values[side], headline, about)]
        yield Row((_label(comparison, group), *cells, _change(values.loc[headline.statistic], headline, about)), "sub")


def _label(comparison: Comparison, group: str) -> str:
    """Group of results.csv as a reader knows it: "C vs A" -> "Both drugs vs drug A"."""
    arms = [arm for output in (comparison.old, comparison.new) for arm in output.run.about.get("arms", [])]
    labels = {OVERALL: _("All")} | {arm["id"]: arm["label"] for arm in arms}
    parts = [labels.get(part, part) for part in group.split(" vs ")]
    return _("{first} vs {second}", first=parts[0], second=parts[1]) if len(parts) == 2 else " vs ".join(parts)


def _cells(values: pd.Series, headline: Headline, about: dict) -> tuple[str, str]:
    """Counts and estimate of one report: ("12/14", "18.6 (12.5 to 23.7)")."""
    counted = [values.get(name, math.nan) for name in headline.counts]
    there = not any(map(math.isnan, counted))
    counts = "" if not counted else "/".join(map(format_whole, counted)) if there else DASH
    decimals = _decimals(headline, about)
    missing = NOT_REACHED if headline.kind == "time" and counted and there else DASH
    value = values.get(headline.statistic, math.nan)
    match headline.kind:
        case "p":
            return counts, format_p(value)
        case "percent":
            shown = format_percent(value)
        case _:
            shown = format_number(value, decimals, missing)
    low, high = values.get("ci_low", math.nan), values.get("ci_high", math.nan)
    if not (math.isnan(low) and math.isnan(high)):
        percent = headline.kind == "percent"
        shown += f" ({format_interval(low, high, decimals, percent, NOT_REACHED)})"
    return counts, shown


def _decimals(headline: Headline, about: dict) -> int:
    return {"time": DECIMALS.get(about.get("time_unit", ""), 1), "ratio": 2}.get(headline.kind, 0)


def _change(row: pd.Series, headline: Headline, about: dict) -> str:
    """Change of a headline's number; in words where one side does not exist."""
    if row["status"] == "same":
        return "0"
    if row["status"] in ("new", "missing"):
        return _(STATUS[row["status"]])
    if math.isnan(row["absolute"]):
        return _("now estimable") if math.isnan(row["old"]) else _("no longer estimable")
    if headline.kind == "percent":
        shown = format_points(row["absolute"], 1)
    else:
        shown = format_number(row["absolute"], 3 if headline.kind == "p" else _decimals(headline, about))
    return f"+{shown}" if row["absolute"] > 0 and float(unstyled(shown)) else shown


def table_causes(comparison: Comparison) -> Table:
    """What changed behind the numbers; fingerprints in short."""
    rows = []
    for cause, title in CAUSES.items():
        changed = comparison.changes[comparison.changes["cause"] == cause]
        rows.append(Row((_("{cause}: changed", cause=_(title)) if len(changed) else _("{cause}: the same", cause=_(title)),), "group"))
        rows += [Row((c["what"], *_before_after(c)), "sub") for __, c in changed.iterrows()]
    columns = (Column(_("What")), *(Column(_(side), text=True) for side in SIDES.values()))
    return Table("causes", _("What changed behind the numbers"), columns, tuple(rows))


def _before_after(change: pd.Series) -> tuple[str, str]:
    fingerprint = change["cause"] == "data" or "/" in change["what"]
    cells = [change[side][:10] if fingerprint else worded(change[side]) if change["cause"] == "methods" else change[side] for side in ("old", "new")]
    return cells[0] or _("not there"), cells[1] or _("not there")


def table_outputs(comparison: Comparison) -> Table:
    """By report and output: how many numbers were compared and moved, and which moved most."""
    rows = []
    for report, own in comparison.numbers.groupby("report", sort=False):
        rows.append(Row((report_title(report),), "group"))
        for output, part in own.groupby("output", sort=False):
            counts = part["status"].value_counts()
            largest = part["relative"].abs().max()
            cells = [str(counts.get(status, 0)) for status in ("moved", "new", "missing")]
            rows.append(
                Row((output, str(len(part)), *cells, format_relative(largest).removeprefix("+")), "sub")
            )
    columns = (_("Output of results.csv"), _("Compared"), _("Moved"), _("Only new"), _("Only old"), _("Largest relative change"))
    return Table("outputs", _("Every output"), tuple(map(Column, columns)), tuple(rows))


def table_moved(comparison: Comparison) -> Table:
    """The numbers that moved most, relative to their old value; those without one come last."""
    moved = comparison.numbers[comparison.numbers["status"] != "same"]
    order = moved["relative"].abs().sort_values(ascending=False, kind="stable", na_position="last").index
    rows = []
    for __, row in moved.loc[order[:LISTED]].iterrows():
        where = ", ".join(filter(None, [row["variable"], _label(comparison, row["group"]), row["time"]]))
        change = _(STATUS[row["status"]]) if row["status"] != "moved" else format_signed(row["absolute"])
        rows.append(Row((
            _("{report}: {output}", report=report_title(row["report"]), output=row["output"]), where, row["statistic"], _value(row["old"]), _value(row["new"]),
            change, format_relative(row["relative"]),
        )))  # fmt: skip
    columns = (Column(_("Output")), Column(_("Variable, group, time"), text=True), Column(_("Statistic"), text=True))
    columns += tuple(map(Column, (_("Old"), _("New"), _("Change"), _("Relative"))))
    listed = _("The {most} largest of {n}; compare.csv holds all.", most=LISTED, n=len(moved)) if len(moved) > LISTED else ""
    return Table("moved", _("Numbers that moved most"), columns, tuple(rows), (listed,) if listed else ())


def _value(value: float) -> str:
    return DASH if math.isnan(value) else f"{value:.5g}".replace("-", "−")


def comparison_text(comparison: Comparison) -> str:
    """The whole comparison as plain text, for a terminal or a mail."""
    tables = [table_headlines(comparison), table_causes(comparison)]
    tables += [table_moved(comparison)] if comparison.moved else []
    lines = [_("{side}: {report}", side=_(side), report=describe(output)) for side, output in zip(SIDES.values(), (comparison.old, comparison.new), strict=True)]
    head = "\n".join([*lines, sentence_verdict(comparison)])
    return "\n\n".join([head, *(table.to_text() for table in tables if table.rows)])


def describe(output: Output) -> str:
    """One report in a line: folder, cut-off, patients, day it was made."""
    about = output.run.about
    cutoff = about.get("cutoff") or _("not recorded")
    patients = plural(sum(arm["n"] for arm in about.get("arms", [])), "patient")
    return _("{folder}, data cut-off {cutoff}, {patients}, made {day}", folder=output.folder.name, cutoff=cutoff, patients=patients, day=output.run.created[:10])
