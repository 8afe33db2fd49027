"""What stands in and under the panel of a curve: words where nothing runs, counts under the ticks. Computes nothing."""

from __future__ import annotations

__all__ = [
    "FEW_ARMS", "HANDLE", "PAD", "box_at", "counts_height", "draw_incidence", "inner_size", "is_free", "picture_with_counts", "text_size", "with_value",
    "write_above", "write_at_risk", "write_counts", "write_legend",
]  # fmt: skip

import functools
from collections.abc import Sequence
from contextlib import contextmanager

import numpy as np
import pandas as pd
from matplotlib import rcParams
from matplotlib.collections import LineCollection
from matplotlib.textpath import TextPath
from matplotlib.ticker import PercentFormatter

from lib.analyses.result import where
from lib.dataset.dataset import Dataset
from lib.fonts import fill, wrap
from lib.languages.speech import _
from lib.show.formats import format_whole
from lib.show.phrases import unit_name
from lib.show.plots.style import GREY, fits, line_style, picture

# Inches of a line of counts under a curve, around a text in the panel, and of the line before an entry of a legend.
COUNT_LINE, PAD, HANDLE = 0.155, 0.08, 0.42
# A legend of more arms would lie on the curves.
FEW_ARMS = 3
# Characters of a line of a legend: in the panel, and in two columns above it.
BESIDE, COLUMN = 44, 36
# Steps in which a sloped line is looked at.
FINE = 200


def text_size(text: str, size: float = 8) -> tuple[float, float]:
    """Width and height in inches of the lines of a text of so many points."""
    lines, font = text.split("\n"), (*rcParams["font.family"], *rcParams["font.sans-serif"])
    return max(_width(line, size, font) for line in lines) / 72, len(lines) * 1.35 * size / 72


@functools.lru_cache(maxsize=4096)
def _width(line: str, size: float, font: tuple[str, ...]) -> float:
    """Width of a line in points. Letters are measured by their outlines, which takes a hundredth of a second, and labels recur."""
    return TextPath((0, 0), line, size=size).get_extents().width if line.strip() else 0.0


def inner_size(figure, axes) -> tuple[float, float]:
    """Width and height of the axes in inches, once everything around them has its place."""
    if not fits(figure):
        return 0.0, 0.0
    place = axes.get_position()
    return place.width * figure.get_figwidth(), place.height * figure.get_figheight()


def with_value(label: str, value: str, wide: int) -> str:
    """A label with its value in lines of so many characters; the value stays whole."""
    lines = wrap(f"{label}:", wide) or [":"]
    return "\n".join(lines) + (" " if len(lines[-1]) + len(value) < wide else "\n") + value


def write_above(figure, axes, text: str, size: float = 8) -> None:
    """A text above everything else; the figure grows by it, so that no axes shrink."""
    if text:
        figure.set_figheight(figure.get_figheight() + text_size(text, size)[1] + 0.08)
        figure.suptitle(text, x=axes.get_position().x0, ha="left", fontsize=size, linespacing=1.35)


def is_free(curves: Sequence[tuple[np.ndarray, np.ndarray]], box: tuple[float, float, float, float]) -> bool:
    """Whether a box (left, bottom, right, top, in the units of the axes) meets none of the step curves (times, values)."""
    left, bottom, right, top = box
    for time, value in curves:
        before = np.searchsorted(time, left, side="right") - 1
        own = value[max(before, 0) : np.searchsorted(time, right, side="right")]
        own = own[np.isfinite(own)]
        if len(own) and time[0] <= right and time[-1] >= left and own.max() >= bottom and own.min() <= top:
            return False
    return True


def box_at(axes, inner: tuple[float, float], place: tuple[float, float], size: tuple[float, float]) -> tuple[float, float, float, float]:
    """A text of so many inches at a place in the axes (`inner_size`), in their units (a logarithm on such an axis): left, bottom, right, top."""
    wide, high = inner
    (x0, x1), (y0, y1) = axes.get_xlim(), axes.transScale.transform([(1, y) for y in axes.get_ylim()])[:, 1]
    x, y = ((part + 2 * PAD) / max(whole, 0.1) for part, whole in zip(size, (wide, high), strict=True))
    left, bottom = (share * max(1 - part, 0) for share, part in zip(place, (x, y), strict=True))
    return x0 + left * (x1 - x0), y0 + bottom * (y1 - y0), x0 + (left + x) * (x1 - x0), y0 + (bottom + y) * (y1 - y0)


def _drawn(axes) -> list[tuple[np.ndarray, np.ndarray]]:
    """Times and values of all lines of the panel, in the units of `box_at`: steps as they are, sloped lines in small steps."""
    lines = [(line.get_drawstyle(), np.column_stack(line.get_data(orig=False))) for line in axes.lines if line.get_transform() == axes.transData]
    bars = [("default", bar) for part in axes.collections if isinstance(part, LineCollection) for bar in part.get_segments()]
    drawn = []
    for style, points in (*lines, *bars):
        x, y = axes.transScale.transform(np.asarray(points, float)).T if len(points) else np.empty((2, 0))
        if style == "default" and len(x) > 1 and (np.diff(x) > 0).all():
            x, y = (fine := np.linspace(x[0], x[-1], FINE)), np.interp(fine, x, y)
        drawn += [(x, y)] if len(x) else []
    return drawn


def write_legend(figure, axes, *corners: str, title: str = "") -> None:
    """Arms in the first corner of the panel that nothing runs through, or above it, as where there are many; long labels wrap."""
    handles, labels = axes.get_legend_handles_labels()
    beside = [fill(label, BESIDE) for label in labels]
    wide, high = text_size("\n".join([*([title] if title else []), *beside]))
    lines = _drawn(axes)
    inner, size = inner_size(figure, axes), (wide + HANDLE, high + 0.05 * len(labels))
    boxes = {corner: box_at(axes, inner, (float("right" in corner), float("upper" in corner)), size) for corner in corners}
    free = next((corner for corner, box in boxes.items() if is_free(lines, box)), None)
    look = {"fontsize": 8, "title": title or None, "title_fontsize": 8, "alignment": "left", "handlelength": 3}
    if len(labels) <= FEW_ARMS and free:
        axes.legend(handles, beside, loc=free, **look)
        return
    above = [fill(label, COLUMN) for label in labels]
    deep = [label.count("\n") + 1 for label in above]
    figure.set_figheight(figure.get_figheight() + 0.1 + 0.16 * (bool(title) + sum(sorted(deep)[len(deep) // 2 :])))
    figure.legend(handles, above, loc="outside upper left", ncols=2, **look)


def _wrapped_arms(data: Dataset, rows: int) -> list[str]:
    """Label of each arm as it stands beside its rows: no wider than the margin of a curve, no higher than three lines."""
    wide, most = (18, max(rows, 2)) if rows > 1 else (24, 2)
    return ["\n".join(wrap(arm.label, wide, max_lines=most, placeholder=" …")) or arm.label for arm in data.arms]


def _depths(data: Dataset, rows: int) -> list[float]:
    """Lines that each arm takes under a curve."""
    gap = 0.45 if rows > 1 else 0.0
    return [max(rows, 1 + 0.9 * label.count("\n")) + gap for label in _wrapped_arms(data, rows)]


def counts_height(data: Dataset, rows: int = 1) -> float:
    """Inches that `write_counts` needs for so many rows of each arm."""
    return COUNT_LINE * (1.2 + sum(_depths(data, rows)))


@contextmanager
def picture_with_counts(height: float, data: Dataset, rows: int = 1):
    """Yield a figure, the axes of a curve so many inches high, and those of the counts under it."""
    below = counts_height(data, rows)
    with picture(height + below, 2, 1, gridspec_kw={"height_ratios": [height, below]}) as (figure, (top, bottom)):
        yield figure, top, bottom


def draw_incidence(axes, data: Dataset, curve: pd.DataFrame, longest: float, label: str) -> None:
    """Cumulative incidence of each arm as steps up to `longest`, in percent of the patients; `label` is that of the axis."""
    for arm in data.arms:
        steps = where(curve, group=arm.id)
        time, share = [*steps["time"], longest], [*steps["estimate"], *steps["estimate"].tail(1)]
        axes.step(time, share, where="post", color=arm.colour, linestyle=line_style(arm), linewidth=1.8, label=arm.label)
    axes.set(ylim=(0, 1.02), ylabel=label, xlim=(0, longest))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel(_("{unit} since {zero_label}", unit=unit_name(data.study.time.unit).capitalize(), zero_label=data.study.time.zero_label))


def write_at_risk(top, bottom, data: Dataset, at_risk: pd.DataFrame, heading: str = "") -> None:
    """Ticks of a curve at the times of `at_risk`, and under them the numbers."""
    times = sorted(at_risk["time"].unique())
    top.set_xticks(times)
    top.set_xlim(0, max(top.get_xlim()[1], times[-1]))
    write_counts(bottom, data, heading or _("Number at risk"), at_risk.rename(columns={"time": "x", "n_risk": "n"}), top.get_xlim())


def write_counts(axes, data: Dataset, heading: str, counts: pd.DataFrame, span: tuple[float, float], *, rows: dict[str, str] | None = None) -> None:
    """Counts under the ticks of the picture above, one row per arm in its colour, or several.

    Parameters
    ----------
    counts : DataFrame
        `group`, `x`, and the columns of `rows`.
    rows : dict of str to str
        Column -> what stands beside its row; by default `n`, and beside it the arm.
    """
    rows = rows or {"n": ""}
    depths = _depths(data, len(rows))
    axes.axis("off")
    axes.set(xlim=span, ylim=(-sum(depths) - 0.7, 0.5))
    left = {"textcoords": "offset points", "ha": "right", "fontsize": 8, "annotation_clip": False}
    first = where(counts, x=counts["x"].min())[list(rows)]
    gap = 7 + 36 * max([text_size(format_whole(n))[0] for n in first.to_numpy(float).ravel()], default=0.2)
    beside = 72 * max(text_size(label)[0] for label in rows.values()) + 8 if len(rows) > 1 else 0
    if len(heading) < 25:
        axes.annotate(heading, (span[0], 0), (-gap, 0), color=GREY, va="center", **left)
    else:  # wider than the labels: it begins at the axis
        axes.annotate(heading, (span[0], 0), (-5, 0), color=GREY, va="center", **left | {"ha": "left"})
    top, outermost = -0.5, (counts["x"].min(), counts["x"].max())
    for arm, label, depth in zip(data.arms, _wrapped_arms(data, len(rows)), depths, strict=True):
        middle = top - depth / 2 if len(rows) == 1 else top - 0.5 - 0.45 * label.count("\n")
        axes.annotate(label, (span[0], middle), (-gap - beside, 0), color=arm.colour, va="center", linespacing=1.05, **left)
        for i, (column, what) in enumerate(rows.items()):
            y = middle if len(rows) == 1 else top - 0.5 - i
            if what and len(rows) > 1:
                axes.annotate(what, (span[0], y), (-gap, 0), color=GREY, va="center", **left)
            for row in where(counts, group=arm.id).to_dict("records"):
                count = axes.text(row["x"], y, format_whole(row[column]), ha="center", va="center", fontsize=8)
                count.set_gid(f"{arm.id}-{column}-{row['x']:g}")
                # Only the outermost can stick out of the axes: the others need not be measured at each layout.
                count.set_in_layout(row["x"] in outermost)
        top -= depth
