"""Markers and volumes: every patient's course, what a visit sums up to, ratios with their intervals. Computes nothing."""

from __future__ import annotations

__all__ = ["plot_ratios", "plot_rises", "plot_summary", "plot_trajectories"]

import numpy as np
import pandas as pd

from lib.analyses.efficacy.kinetics import Rises
from lib.analyses.efficacy.marker_models import Ratios
from lib.analyses.efficacy.markers import Levels, Measure, measure
from lib.analyses.result import unit_of, where
from lib.dataset.dataset import Dataset
from lib.languages.notes import worded
from lib.languages.speech import _
from lib.show.display import Figure, empty_if_absent, internal_only
from lib.show.formats import capitalised, format_given, format_interval, format_number, format_percent, format_whole
from lib.show.labels import counted, everybody, inside, level_text, unit_label
from lib.show.phrases import format_duration, in_unit, joined, out_of, unit_name
from lib.show.plots.legends import legend
from lib.show.plots.panel import draw_incidence, picture_with_counts, write_at_risk, write_counts, write_legend
from lib.show.plots.style import GREY, line_style, picture, plain_log_ticks, shown_arms, write_figure


@internal_only("single patients", "the course of each patient")
@empty_if_absent
def plot_trajectories(analysis: Levels) -> Figure:
    """Each patient's course since baseline, one panel per arm, with the patients who have a value under the visits.

    A marker on the log scale is shown as ratio to baseline, one on a linear scale as difference, all else in percent.
    """
    data = analysis.dataset
    quantity, tested = measure(data.study, analysis.variable), analysis[f"{analysis.variable}_within"]["time"]
    drawn, known = analysis[f"{analysis.variable}_drawn"].set_index("group"), _changes(analysis, quantity)
    values = analysis["values"].dropna(subset=["shown"])
    values = values[values.groupby("patient_id")["visit"].transform("max") > 0]
    rows = -(-len(data.arms) // 3)
    columns = -(-len(data.arms) // rows)
    with picture(0.5 + 2.5 * rows, rows, columns, sharey=True, squeeze=False) as (figure, axes):
        for axis in axes.flat[len(data.arms) :]:
            axis.set_axis_off()
        for axis, arm in zip(axes.flat, data.arms, strict=False):
            own = where(values, arm=arm.id)
            for patient, course in own.groupby("patient_id"):
                axis.plot(course["visit"], course["shown"], ".-", color=arm.colour, alpha=0.45, linewidth=0.8,
                          markersize=2.5, gid=patient)  # fmt: skip
            axis.axhline(1 if quantity.log else 0, color=GREY, linewidth=0.8)
            axis.set_title(_("{arm}\n{loc} of {loc2}", arm=arm.label, loc=format_whole(drawn.loc[arm.id, 'count']), loc2=counted(drawn.loc[arm.id])),
                           fontsize=9, loc="left")  # fmt: skip
            counts = {0: drawn.loc[arm.id, "count"]} | where(known, group=arm.id).set_index("time")["n"].to_dict()
            ticks = _spaced(
                [0, *tested, *sorted(own["visit"].unique())], gap=0.105 * columns * max(values["visit"].max(), 1) / 3
            )
            axis.set_xticks(ticks, [f"{format_given(tick)}\n{format_whole(counts.get(tick, 0))}" for tick in ticks], fontsize=8)
            axis.set_xlabel(_("{unit}; below, {unit_label} with a value", unit=unit_name(data.study.time.unit).capitalize(), unit_label=unit_label(known)), fontsize=8)
        _scale(axes[0, 0], quantity)
        for first in axes[:, 0]:
            first.set_ylabel(_change_label(quantity))
        whole = drawn.loc[everybody(data)]
        others = "" if whole["count"] == whole["n"] else _("; the others have no baseline or no later value")
        alt = _("One line per patient. {out_of} {unit_label} are drawn{others}.", out_of=capitalised(out_of(whole['count'], whole['n'])), unit_label=unit_label(known), others=others)
        return write_figure(
            figure, f"{analysis.variable}_trajectories", _("{quantity}: course of each patient", quantity=worded(quantity.label)), alt,
            legend(figure, data, "trajectories", quantity=worded(quantity.label)),
        )


@empty_if_absent
def plot_summary(analysis: Levels) -> Figure:
    """Median change and its quartiles by visit and arm, with the numbers behind them; open where few are left."""
    data = analysis.dataset
    name, quantity, least = analysis.variable, measure(data.study, analysis.variable), data.study.policy.min_at_risk
    changes = _changes(analysis, quantity)
    visits = [0.0, *(time for time, part in changes.groupby("time") if part["n"].max() >= least)]
    changes = changes[changes["time"].isin(visits)]
    changes = changes.assign(x=changes["time"].map(visits.index))
    offsets = np.linspace(-0.24, 0.24, len(data.arms)) if len(data.arms) > 1 else [0.0]
    ratios = [2.7, 0.19 * (len(data.arms) + 1)]
    with picture(sum(ratios), 2, 1, gridspec_kw={"height_ratios": ratios}) as (figure, (top, bottom)):
        told = []
        for (arm, marker), offset in zip(shown_arms(data), offsets, strict=True):
            own = where(changes, group=arm.id)
            own = own[own["n"] > 0]
            look = {"color": arm.colour, "linestyle": line_style(arm)}
            start = 1 if quantity.log else 0
            top.plot([offset, *(own["x"] + offset)], [start, *own["median"]], linewidth=1.2, **look)
            top.vlines(own["x"] + offset, own["q1"], own["q3"], color=arm.colour, linewidth=1.2)
            few = own["n"] < least
            top.plot(
                own["x"][few] + offset,
                own["median"][few],
                marker,
                color=arm.colour,
                markerfacecolor="white",
                markersize=5,
            )
            top.plot(own["x"][~few] + offset, own["median"][~few], marker, color=arm.colour, markersize=5)
            top.plot([], [], marker=marker, markersize=5, linewidth=1.2, label=arm.label, **look)
            told.append(f"{arm.label} {_last_median(own[~few], quantity, data)}")
        top.axhline(start, color=GREY, linewidth=0.8, zorder=0)
        _scale(top, quantity)
        top.set_ylabel(_change_label(quantity))
        top.set_xticks(range(len(visits)), [format_given(visit) for visit in visits])
        top.set_xlim(-0.5, max(len(visits), 2) - 0.5)
        top.set_xlabel(_("Visit, {unit} (open: fewer than {least} {unit_label})", unit=unit_name(data.study.time.unit), least=least, unit_label=unit_label(changes)))
        baseline = where(analysis[f"{name}_level"], time=0).assign(x=0)
        counts = pd.concat([baseline, changes])
        write_counts(bottom, data, _("With a value"), counts, top.get_xlim())
        write_legend(figure, top, "lower left", "upper right", "upper left", "lower right")
        alt = _("Medians with quartiles by visit and arm. The last median of at least {least} {unit_label}: {join}.", least=least, unit_label=unit_label(changes), join=_("; ").join(told))
        return write_figure(figure, f"{name}_summary", _("{quantity}: change from baseline by visit and arm", quantity=worded(quantity.label)), alt, legend(figure, data, "summary", quantity=worded(quantity.label)))


def _changes(analysis: Levels, quantity: Measure) -> pd.DataFrame:
    """Change since baseline by visit and arm, as it is drawn."""
    return analysis[f"{analysis.variable}_{'change_ratio' if quantity.log else quantity.described}"]


def _scale(axes, quantity: Measure) -> None:
    if quantity.log:
        axes.set_yscale("log")
        plain_log_ticks(axes)


def _change_label(quantity: Measure) -> str:
    return _("Ratio to baseline") if quantity.log else _("Change from baseline, {change_unit}", change_unit=quantity.change_unit)


def _spaced(visits: list[float], gap: float) -> list[float]:
    """Visits to label: the first ones given, and whichever others stand far enough from those before them."""
    chosen: list[float] = []
    for visit in visits:
        if all(abs(visit - other) >= gap for other in chosen):
            chosen.append(visit)
    return sorted(chosen)


def _last_median(own: pd.DataFrame, quantity: Measure, data: Dataset) -> str:
    if own.empty:
        return _("none")
    last = own.iloc[-1]
    value = (
        _("{median} of baseline", median=format_number(last['median'], 2))
        if quantity.log
        else f"{format_number(last['median'], 0)} {quantity.change_unit}"
    )
    return _("{value} at {duration}", value=value, duration=format_duration(last['time'], data.study.time.unit))


@empty_if_absent
def plot_ratios(model: Ratios) -> Figure:
    """Ratio to baseline by visit and arm from the mixed model, with intervals, on a logarithmic axis."""
    data = model.dataset
    name, d = model.variable, 2
    frame, counts = model[f"{name}_model_ratio"], model[f"{name}_model_count"]
    visits = sorted(frame["time"].unique())
    offsets = np.linspace(-0.22, 0.22, len(data.arms)) if len(data.arms) > 1 else [0.0]
    with picture_with_counts(3.0, data) as (figure, axes, bottom):
        told = []
        for (arm, marker), offset in zip(shown_arms(data), offsets, strict=True):
            own = frame[(frame["group"] == arm.id) & frame["ratio"].notna()]
            x = np.array([visits.index(t) for t in own["time"]]) + 1 + offset
            margins = [
                own["ratio"] - own["ci_low"].fillna(own["ratio"]),
                own["ci_high"].fillna(own["ratio"]) - own["ratio"],
            ]
            axes.errorbar([0 + offset, *x], [1, *own["ratio"]], [[0, *margins[0]], [0, *margins[1]]], color=arm.colour,
                          linestyle=line_style(arm), marker=marker, markersize=5, capsize=2.5, linewidth=1.3, label=arm.label)  # fmt: skip
            if len(own):
                last = own.iloc[-1]
                told.append(
                    _("{arm} {ratio} ({interval}) at {duration}", arm=arm.label, ratio=format_number(last['ratio'], d), interval=format_interval(last['ci_low'], last['ci_high'], d), duration=format_duration(last['time'], data.study.time.unit))
                )
        axes.axhline(1, color=GREY, linewidth=0.8)
        axes.set_yscale("log")
        plain_log_ticks(axes)
        labels = [_("Baseline"), *(format_duration(t, data.study.time.unit) for t in visits)]
        axes.set_xticks(range(len(labels)), labels)
        axes.set_xlim(-0.5, len(labels) - 0.5)
        axes.set_ylabel(_("Ratio to baseline ({level} CI)", level=level_text(data)))
        below = counts.assign(x=counts["time"].map([0.0, *visits].index))
        write_counts(bottom, data, _("{iat} with a value", iat=unit_name(unit_of(counts).iat[0]).capitalize()), below, axes.get_xlim())
        write_legend(figure, axes, "lower left", "upper right", "upper left", "lower right")
        label = worded(measure(data.study, name).label)
        alt = _("Ratios to baseline with intervals by visit and arm. Last visit: {join}.", join=_("; ").join(told))
        return write_figure(figure, f"{name}_ratios", _("{label}: ratio to baseline by arm, mixed model", label=label), alt, legend(figure, data, "ratios", quantity=label))


@empty_if_absent
def plot_rises(rises: Rises) -> Figure:
    """Share of each arm in whom a marker has progressed over time, death competing."""
    data, name = rises.dataset, rises.variable
    marker, table, at_risk = data.study.marker(name), rises[f"{name}_rise_incidence"], rises[f"{name}_rise_at_risk"]
    curve, end = rises["incidence_curve"], table["time"].max()
    with picture_with_counts(3.0, data) as (figure, axes, bottom):
        draw_incidence(axes, data, curve, 1.05 * max(float(curve["time"].max()), end), _("Patients whose {marker} progressed", marker=inside(marker.short)))
        write_at_risk(axes, bottom, data, at_risk)
        write_legend(figure, axes, "upper left")
        told = [_("{arm} {estimate} ({n_events} patients)", arm=data.study.arm(r.group).label, estimate=format_percent(r.estimate), n_events=format_whole(r.n_events)) for r in table[table["time"] == end].itertuples()]
        alt = _("Cumulative incidence of progression of {marker} as steps. By {when}: {listed}.", marker=inside(marker.label), when=in_unit(format_number(end, 1), data.study.time.unit), listed=joined(told))
        return write_figure(figure, f"{name}_rises_curve", _("{marker}: cumulative incidence of progression", marker=marker.label), alt, legend(figure, data, "rises", quantity=inside(marker.label)))
