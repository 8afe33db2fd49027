"""Pictures of how arms compare: whether their hazards stay proportional, and absolute differences. Computes nothing."""

from __future__ import annotations

__all__ = ["plot_differences", "plot_hazards", "plot_response_subgroups"]

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from lib.analyses.efficacy.response import ResponseRates
from lib.analyses.efficacy.survival import Survival
from lib.analyses.result import Absent, where
from lib.analyses.robustness.subgroups import ResponseSubgroups
from lib.dataset.dataset import Dataset
from lib.fonts import fill
from lib.languages.speech import N_, _
from lib.show.display import EMPTY, Block, Figure, compares_arms, empty_if_absent
from lib.show.formats import (
    MASKED,
    capitalised,
    format_given,
    format_interval,
    format_p,
    format_percent,
    format_points,
    format_whole,
    is_masked,
)
from lib.show.labels import inside, level_text, pair_label
from lib.show.phrases import format_duration, joined, unit_name
from lib.show.plots.legends import legend
from lib.show.plots.panel import write_legend
from lib.show.plots.style import GREY, line_style, picture, shown_arms, write_figure
from lib.show.ways import level_label, subgroup_of
from lib.statistics.comparisons import name_pair

# Shares without the event that are marked on an axis of log cumulative hazard, and where it ends.
SHARES, ENDS = (0.99, 0.95, 0.9, 0.75, 0.5, 0.25, 0.1, 0.05, 0.01), (0.995, 0.005)
# What is said of pale intervals.
PALE_MEANS = N_("pale: too few events for the approximation behind the interval")
# Characters of a line of a label.
LABEL = 34
# Half of the axis where all differences are none, without an interval.
NO_SPAN = 0.1


class Line(NamedTuple):
    """A line of the forest: a heading (without a row), or a pair of arms and its difference."""

    label: str
    row: pd.Series | None = None


@empty_if_absent
@compares_arms
def plot_hazards(analysis: Survival) -> Figure | Block:
    """Kaplan-Meier curves on axes on which those of proportional hazards run parallel; nothing where no arm has an event."""
    data, endpoint = analysis.dataset, analysis.dataset.study.endpoint(analysis.variable)
    curves = [(arm, _between(where(analysis["curve"], group=arm.id))) for arm, __ in shown_arms(data)]
    shares = np.concatenate([curve["survival"].to_numpy(float) for __, curve in curves])
    if not len(shares):
        return EMPTY
    with picture(3.2) as (figure, axes):
        axes.set_xscale("log")
        axes.set_yscale("function", functions=(_log_cumulative_hazard, _survival))
        for arm, curve in curves:
            axes.step(curve["time"], curve["survival"], where="post", color=arm.colour, linestyle=line_style(arm), linewidth=1.6, label=arm.label)
        # The curve that falls lies above: the hazard adds up.
        ends = min(shares.max() + 0.005, ENDS[0]), max(min(shares) - 0.01, ENDS[1])
        axes.set_ylim(*ends)
        axes.yaxis.set_major_locator(FixedLocator([share for share in SHARES if ends[1] <= share <= ends[0]]))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda share, __: format_percent(share)))
        for formatted in (axes.xaxis.set_major_formatter, axes.xaxis.set_minor_formatter):
            formatted(FuncFormatter(lambda time, __: format_given(time) if f"{time:e}"[0] in "125" else ""))
        axes.set_ylabel(_("{fill}\n(scale of the log cumulative hazard)", fill=fill(endpoint.label, 40)))
        told = _proportional(analysis)
        axes.set_xlabel(_("{unit} since {zero_label}, on a scale of ratios\n{told}", unit=unit_name(data.study.time.unit).capitalize(), zero_label=data.study.time.zero_label, told=told))
        write_legend(figure, axes)
        alt = _("Step curves of {listed}, which run parallel where hazards are proportional. {told}.", listed=joined([arm.label for arm in data.arms]), told=told)
        own = legend(figure, data, "hazards", endpoint=inside(endpoint.label))
        return write_figure(figure, f"{endpoint.id}_hazards", _("{endpoint} on the scale of proportional hazards", endpoint=endpoint.short), alt, own)


def _between(curve: pd.DataFrame) -> pd.DataFrame:
    """The steps of a curve at which some, and not all, are without the event: others have no place on the scale."""
    return curve[(curve["survival"] < 1) & (curve["survival"] > 0) & (curve["time"] > 0)]


def _log_cumulative_hazard(survival):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(-np.log(np.asarray(survival, dtype=float)))


def _survival(value):
    return np.exp(-np.exp(np.asarray(value, dtype=float)))


def _proportional(analysis: Survival) -> str:
    """What the test of all arms says."""
    rows = where(analysis["proportional_hazards"], term="global") if "proportional_hazards" in analysis else pd.DataFrame()
    if rows.empty or pd.isna(rows["p_value"].iat[0]):
        return _("Proportional hazards were not tested")
    return _("Test of proportional hazards, all arms: {p}", p=format_p(rows['p_value'].iat[0], symbol=True))


@empty_if_absent
@compares_arms
def plot_differences(analysis: Survival, response: ResponseRates | Absent) -> Figure | Block:
    """Forest of absolute differences to the reference arm: shares without the event at each landmark, and of responses."""
    data, responses = analysis.dataset, [*_response_lines(response)]
    lines = [*_survival_lines(analysis), *responses]
    rows = [line.row for line in lines if line.row is not None]
    if not any(pd.notna(row["difference"]) for row in rows):
        return EMPTY
    endpoint = data.study.endpoint(analysis.variable)
    own = {"endpoint": inside(endpoint.label), "response": _(" and with an objective response") if responses else "", "pale": _(" ({note})", note=_(PALE_MEANS)) if any(not _is_carried(row) for row in rows) else ""}
    title = _("{endpoint}{part}: absolute differences", endpoint=endpoint.short, part=_(" and response") if responses else '')
    return _forest(data, lines, name=f"{endpoint.id}_differences", title=title, told_by=lambda figure: legend(figure, data, "differences", **own))


@empty_if_absent
def plot_response_subgroups(subgroups: ResponseSubgroups) -> Figure | Block:
    """Forest of the difference in objective response between focus and reference arm, by subgroup."""
    data, lines = subgroups.dataset, [*_subgroup_lines(subgroups)]
    if subgroups["response_subgroup"]["difference"].isna().all():
        return EMPTY
    pair = pair_label(data, name_pair(*data.contrast))
    when = format_duration(subgroups["response_subgroup"]["time"].iat[0], data.study.time.unit)
    first = fill(data.study.arm(data.contrast[0]).label, 24, max_lines=2, placeholder=" …")
    title = _("Objective response at {when} by subgroup", when=when)
    return _forest(data, lines, name="response_forest", title=title, told_by=lambda figure: legend(figure, data, "response_forest", pair=pair, when=when), first=first)


def _subgroup_lines(subgroups: ResponseSubgroups) -> Iterator[Line]:
    data, shown = subgroups.dataset, ""
    tests = subgroups["response_interaction"].set_index("variable")["p_value"]
    for __, row in subgroups["response_subgroup"].iterrows():
        heading, level = level_label(data, row["variable"])
        if level and subgroup_of(row["variable"]) != shown:
            shown = subgroup_of(row["variable"])
            tested = _("interaction {p}", p=format_p(tests[shown], symbol=True)) if pd.notna(tests[shown]) else _("interaction not tested")
            yield Line(_("{label} ({note})", label=heading, note=tested))
        counts = where(subgroups["response_subgroup_count"], variable=row["variable"]).set_index("group")
        shares = [f"{format_whole(counts.at[arm, 'count'])}/{format_whole(counts.at[arm, 'n'])}" for arm in data.contrast]
        yield Line(_("{name}: {title}", name=level or heading, title=" vs ".join(shares)), row)


def _forest(data: Dataset, lines: list[Line], *, name: str, title: str, told_by: Callable[[Drawing], str], first: str = "") -> Figure:
    """Draw lines of a forest of differences, in percentage points; `first` is the arm from which the other is taken, `told_by` its legend."""
    rows = [line.row for line in lines if line.row is not None]
    labels = [fill(line.label, LABEL) for line in lines]
    places = np.cumsum([0, *(-1 - 0.65 * label.count("\n") for label in labels)])
    span = max(abs(value) for row in rows for value in (row["difference"], row["ci_low"], row["ci_high"]) if pd.notna(value)) or NO_SPAN
    with picture(0.9 + 0.25 * -places[-1], 1, 3, sharey=True, width_ratios=[2.0, 1.7, 1.1]) as (figure, (left, axes, right)):
        axes.set_ylim(places[-1] - 0.1, 1.5)
        axes.axvline(0, color=GREY, linewidth=0.9, zorder=0)
        for y, label, line in zip((places[1:] + places[:-1]) / 2, labels, lines, strict=True):
            _write_difference((left, axes, right), y, label, line.row, data)
        axes.set_xlim(-1.05 * span, 1.05 * span)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda share, __: format_points(share)))
        axes.xaxis.set_major_locator(MaxNLocator(5, symmetric=True))
        axes.tick_params(axis="y", length=0)
        pale = any(not _is_carried(row) for row in rows)
        axes.set_xlabel(_("◄ fewer · more ►\nwith {first}", first=first or _("the arm named first")), fontsize=7.5)
        if pale:
            figure.supxlabel(capitalised(_(PALE_MEANS)), fontsize=7.5, color=GREY)
        right.text(1, 0.35, _("Points\n({level} CI)", level=level_text(data)), color=GREY, va="bottom", ha="right", fontsize=7.5)
        for side in (left, right):
            side.axis("off")
            side.set_xlim(0, 1)
        told = _("; ").join(_told(line.label, pair.label, pair.row) for line, pair in _with_heading(lines))
        return write_figure(figure, name, title, _("Forest plot. {told}.", told=told), told_by(figure))


def _told(heading: str, pair: str, row: pd.Series) -> str:
    """A line of the forest in words."""
    label = _("{label}, {detail}", label=heading, detail=pair) if heading != pair else pair
    said = _("{name}: {title}", name=label, title=_in_words(row))
    return said if _is_carried(row) else _("{label} ({note})", label=said, note=_(PALE_MEANS))


def _survival_lines(analysis: Survival) -> Iterator[Line]:
    unit = analysis.dataset.study.time.unit
    for time, rows in analysis["landmark_difference"].groupby("time"):
        yield Line(_("Without the event at {duration}", duration=format_duration(time, unit)))
        yield from (Line(pair_label(analysis.dataset, row["group"]), row) for __, row in rows.iterrows())


def _response_lines(response: ResponseRates | Absent) -> Iterator[Line]:
    if isinstance(response, Absent) or "objective_response_treated_difference" not in response:
        return
    data = response.dataset
    for time, rows in response["objective_response_treated_difference"].groupby("time"):
        yield Line(_("Objective response at {duration}", duration=format_duration(time, data.study.time.unit)))
        yield from (Line(pair_label(data, row["group"]), row) for __, row in rows.iterrows() if row["group"].endswith(f" vs {data.reference}"))


def _with_heading(lines: list[Line]) -> Iterator[tuple[Line, Line]]:
    """Each difference with the heading above it."""
    heading = lines[0]
    for line in lines:
        if line.row is None:
            heading = line
        else:
            yield heading, line


def _write_difference(panels: tuple, y: float, label: str, row: pd.Series | None, data: Dataset) -> None:
    left, axes, right = panels
    left.text(0 if row is None else 0.04, y, label, va="center", fontsize=8, fontweight="bold" if row is None else "normal")
    if row is None:
        return
    right.text(1, y, _in_words(row), ha="right", va="center", fontsize=8)
    colour = data.study.arm(row["group"].partition(" vs ")[0]).colour
    if pd.notna(row["ci_low"]) and pd.notna(row["ci_high"]):
        axes.plot([row["ci_low"], row["ci_high"]], [y, y], color=colour, linewidth=1.4, solid_capstyle="butt", alpha=1 if _is_carried(row) else 0.4)
    if pd.notna(row["difference"]):
        axes.plot(row["difference"], y, "s", color=colour, markersize=5)


def _is_carried(row: pd.Series) -> bool:
    """Whether the interval can be taken as it stands: no arm without variance in it, no limit that no difference can reach."""
    reaches = pd.notna(row["ci_low"]) and pd.notna(row["ci_high"]) and not (row["ci_low"] >= -1 and row["ci_high"] <= 1)
    return not reaches and not str(row.get("note", "")).startswith("interval too narrow")


def _in_words(row: pd.Series) -> str:
    if pd.isna(row["difference"]):
        return _(MASKED) if is_masked(row) else _("not estimated")
    return f"{format_points(row['difference'])} ({format_interval(row['ci_low'], row['ci_high'], 0, percent=True)})"
