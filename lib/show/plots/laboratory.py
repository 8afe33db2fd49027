"""Laboratory values against their limits -> pictures of single patients. Computes nothing; the style stands in style."""

from __future__ import annotations

__all__ = ["plot_lab_shift", "plot_liver"]

import pandas as pd
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from lib.analyses.result import where
from lib.analyses.safety.laboratory import BILIRUBIN, QUADRANTS, TRANSAMINASE, Laboratory, watched
from lib.dataset.dataset import Dataset
from lib.languages.notes import worded
from lib.languages.speech import _
from lib.show.display import EMPTY, Block, Figure, empty_if_absent, internal_only
from lib.show.formats import format_given, format_whole
from lib.show.labels import counted, everybody
from lib.show.phrases import joined
from lib.show.plots.legends import legend
from lib.show.plots.style import GREY, INK, PALE, picture, shown_arms, write_figure

# Ticks of axes of multiples: where values lie close together, and where they do not.
CLOSE, WIDE = (0.1, 0.2, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10), (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
PANELS = 3


def _multiples(axis, values: pd.Series, marks: tuple[float, ...] = ()) -> tuple[float, float]:
    """Limits of a logarithmic axis of multiples that shows the values and the marks, with plain ticks."""
    seen = [*values[values > 0].dropna(), *marks, 1.0]
    low, high = min(seen) / 1.3, max(seen) * 1.3
    ticks = CLOSE if high / low < 8 else WIDE if high / low < 100 else WIDE[::3]
    axis.set_major_locator(FixedLocator([tick for tick in ticks if low <= tick <= high]))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, __: format_given(value)))
    return low, high


@internal_only("single patients", "laboratory values of each patient")
@empty_if_absent
def plot_lab_shift(laboratory: Laboratory) -> Figure | Block:
    """Highest value at risk against the baseline, as multiples of the upper limit: one mark per patient."""
    data = laboratory.dataset
    markers = [marker for marker in watched(data) if marker.reference.high]
    if not markers:
        return EMPTY
    columns = min(PANELS, len(markers))
    rows = -(-len(markers) // columns)
    with picture(0.5 + 2.3 * rows, rows, columns, squeeze=False) as (figure, axes):
        for axis in axes.flat[len(markers) :]:
            axis.set_axis_off()
        told = []
        for axis, marker in zip(axes.flat, markers, strict=False):
            own = where(laboratory["shifts"], marker=marker.id).dropna(subset=["ratio_before", "ratio_after"])
            _draw_shift(axis, data, own)
            high = where(laboratory["lab_high"], variable=marker.id, group=everybody(data)).iloc[0]
            axis.set_title(_("{marker} ({n})", marker=marker.short, n=counted(high)), loc="left", fontsize=9)
            told.append(_("{marker}: {count} of {high} above the limit", marker=marker.short, count=format_whole(high['count']), high=counted(high)))
            axis.set_xlabel(_("Baseline"), fontsize=8)
        figure.supylabel(_("Highest at risk, multiple of the upper limit"), fontsize=9)
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(3, len(labels)), fontsize=8)
        alt = _("One mark per patient; above the diagonal the value rose. {join}.", join=_("; ").join(told))
        return write_figure(figure, "lab_shift", _("Laboratory values: baseline and highest"), alt, legend(figure, data, "lab_shift"))


def _draw_shift(axis, data: Dataset, own: pd.DataFrame) -> None:
    axis.set(xscale="log", yscale="log")
    both = pd.concat([own["ratio_before"], own["ratio_after"]])
    ends = _multiples(axis.xaxis, both)
    _multiples(axis.yaxis, both)
    axis.set(xlim=ends, ylim=ends)
    axis.plot(ends, ends, color=PALE, linewidth=0.8, zorder=0)
    for draw in (axis.axhline, axis.axvline):
        draw(1, color=GREY, linewidth=0.8, linestyle="dashed", zorder=0)
    for arm, marker in shown_arms(data):
        part = where(own, arm=arm.id)
        axis.plot(part["ratio_before"], part["ratio_after"], marker, color=arm.colour, markersize=4, linestyle="",
                  label=arm.label, alpha=0.85)  # fmt: skip


@internal_only("single patients", "liver tests of each patient")
@empty_if_absent
def plot_liver(laboratory: Laboratory) -> Figure | Block:
    """Highest bilirubin against the highest transaminase (eDISH), with the limits of Hy's law; its quadrant is named."""
    data = laboratory.dataset
    if "peaks" not in laboratory:
        return EMPTY
    peaks = laboratory["peaks"].dropna(subset=["quadrant"])
    if peaks.empty:
        return EMPTY
    with picture(3.6) as (figure, axes):
        axes.set(xscale="log", yscale="log")
        right = _multiples(axes.xaxis, peaks["transaminase"], (TRANSAMINASE * 2,))
        top = _multiples(axes.yaxis, peaks["bilirubin"], (BILIRUBIN * 2,))
        axes.set(xlim=right, ylim=top)
        axes.axvline(TRANSAMINASE, color=GREY, linewidth=0.8, linestyle="dashed")
        axes.axhline(BILIRUBIN, color=GREY, linewidth=0.8, linestyle="dashed")
        for arm, marker in shown_arms(data):
            own = where(peaks, arm=arm.id)
            axes.plot(
                own["transaminase"],
                own["bilirubin"],
                marker,
                color=arm.colour,
                markersize=5,
                linestyle="",
                label=arm.label,
            )
        for row in where(peaks, quadrant="hy").itertuples():
            axes.annotate(
                str(row.patient_id),
                (row.transaminase, row.bilirubin),
                (4, 4),
                textcoords="offset points",
                fontsize=7,
                color=INK,
            )
        corners = {"hy": (0.99, 0.98), "temple": (0.99, 0.02), "cholestasis": (0.01, 0.98), "neither": (0.01, 0.02)}
        for name, (x, y) in corners.items():
            axes.text(x, y, worded(QUADRANTS[name]), transform=axes.transAxes, ha="right" if x > 0.5 else "left",
                      va="top" if y > 0.5 else "bottom", fontsize=8, color=GREY)  # fmt: skip
        axes.set_xlabel(_("Highest transaminase, multiple of the upper limit"))
        axes.set_ylabel(_("Highest bilirubin, multiple of the upper limit"))
        figure.legend(loc="outside lower center", ncols=min(3, len(data.arms)), fontsize=8)
        counts = where(laboratory["liver_quadrant"], group=everybody(data)).set_index("variable")
        shown = joined([_("{count} {quadrant}", count=format_whole(counts.loc[name, "count"]), quadrant=worded(label).lower()) for name, label in QUADRANTS.items()])
        alt = (
            _("One mark per patient, {iloc}: {told}. Dashed: 3 times and twice the upper limit.", iloc=counted(counts.iloc[0]), told=shown)
        )
        return write_figure(figure, "liver", _("Highest liver tests of each patient (eDISH)"), alt, legend(figure, data, "liver"))
