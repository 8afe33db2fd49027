"""The house style of every picture, and how one becomes SVG. What is drawn lives beside it, a file a subject.

Conventions: 7.2 inches wide (a page's text width), 9-point text, no title inside the picture (the page has one),
every arm told apart by colour and by line or marker.
"""

from __future__ import annotations

__all__ = [
    "CATEGORY_COLOURS",
    "GREY",
    "INK",
    "MARKERS",
    "PALE",
    "STYLE",
    "WIDTH",
    "counts_height",
    "inner_size",
    "is_free",
    "line_style",
    "picture",
    "plain_log_ticks",
    "shown_arms",
    "text_size",
    "thin_steps",
    "with_value",
    "write_above",
    "write_counts",
    "write_figure",
]

import io
import re
import textwrap
import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.text import Text
from matplotlib.textpath import TextPath
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from matplotlib.transforms import Bbox

from lib.analyses.result import where
from lib.dataset.dataset import Dataset
from lib.show.display import Figure
from lib.show.formats import format_whole
from lib.study.parts import Arm

WIDTH = 7.2
# A curve of more steps than this is thinned for drawing: no axis of a step curve is higher than 300 pixels on a page
# (96 to the inch), so half a pixel is this share of it, and nothing that is drawn lies further off.
MANY_STEPS, HALF_PIXEL = 1_500, 1 / 600
# Longest labels that are tried one after the other where those of a study leave no room for the axes.
LABEL_LENGTHS = (60, 40, 25, 12)
# Inches of the narrowest axes in which a reader still tells anything apart.
LEAST_WIDTH = 0.5
# Inches of a line of counts under a curve.
COUNT_LINE = 0.155
INK, GREY, PALE = "#222222", "#6b6b6b", "#d9d9d9"
MARKERS = ("o", "s", "^", "D", "v", "P")
# Six that can be told apart in grey: length on, length off, in widths of the line.
LINES = {"longdash": (0, (8, 2.5)), "dashdotdot": (0, (5, 1.5, 1, 1.5, 1, 1.5))}
STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    # DejaVu Sans comes with matplotlib: the same metrics, so the same bytes, on every machine.
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
    # A label is drawn as it stands: a dollar begins no formula, least of all one that cannot be read.
    "text.parse_math": False,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "figure.dpi": 100,
}
# Response, best first; readable in grey because lightness falls with it. PD is hatched.
CATEGORY_COLOURS = {"CR": "#08519c", "PR": "#4292c6", "SD": "#c6dbef", "PD": "#fdae6b", "NE": "#eeeeee"}


@contextmanager
def _house_style(**more):
    """Matplotlib's own settings and the house's, whatever a user has set."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE | more)
        yield


@contextmanager
def picture(height: float, rows: int = 1, columns: int = 1, **options):
    """Yield a figure and its axes in the house style; the figure is closed afterwards."""
    with _house_style():
        figure, axes = plt.subplots(rows, columns, figsize=(WIDTH, height), layout="constrained", **options)
        try:
            yield figure, axes
        finally:
            plt.close(figure)


def thin_steps(*values: np.ndarray, many: int = MANY_STEPS) -> np.ndarray:
    """Positions of the steps that a picture needs: a curve through them is nowhere half a pixel away from the whole.

    Parameters
    ----------
    *values : ndarray, shape (m,)
        Curves over the same times (an estimate and its limits), as shares of the axis from 0 to 1; NaN: no value.
    many : int
        Number of steps that are left as they are.

    Returns
    -------
    ndarray of int
        All positions of a curve of up to `many` steps.
    """
    if len(values[0]) <= many:
        return np.arange(len(values[0]))
    rows = np.column_stack([np.nan_to_num(np.asarray(v, dtype=float), nan=-1.0) for v in values])
    changed = (np.diff(np.floor(rows / HALF_PIXEL), axis=0) != 0).any(axis=1)
    return np.flatnonzero(np.concatenate([[True], changed[:-1], [True]]))


def write_figure(figure, figure_id: str, title: str, alt: str) -> Figure:
    """Write the figure as SVG whose ids are its own, so that several can stand on one page."""
    buffer = io.StringIO()
    with _house_style(**{"svg.hashsalt": figure_id}):
        box = _lay_out(figure)
        figure.savefig(buffer, format="svg", dpi=72, metadata={"Date": None, "Creator": None}, bbox_inches=box)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{figure_id}-", svg)
    return Figure(figure_id, title, svg, alt, _panels(figure, svg))


def _lay_out(figure) -> Bbox:
    """Find the places of the axes, and what surrounds all that is drawn, in inches.

    The same as bbox_inches="tight", which draws every picture twice: once to throw it away.
    """
    FigureCanvasSVG(figure)
    figure.set_dpi(72)  # SVG's, whatever a figure asks for
    for most in (*LABEL_LENGTHS, None):
        if _fits(figure):
            break
        if most:
            _shorten(figure, most)
    figure.set_layout_engine(None)
    return figure.get_tightbbox().padded(0.04)


def _fits(figure) -> bool:
    """Arrange the axes; whether their labels leave them any room."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="constrained_layout not applied", category=UserWarning)
        try:
            figure.get_layout_engine().execute(figure)
        except UserWarning:
            return False
    return min(axes.get_position().width for axes in figure.axes) * figure.get_figwidth() >= LEAST_WIDTH


def _shorten(figure, most: int) -> None:
    """Cut every text at so many characters; the table beside a figure holds it whole."""

    def cut(text: str) -> str:
        return "\n".join(line if len(line) <= most else f"{line[: most - 1]}…" for line in text.split("\n"))

    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        # Ticks are written anew with each drawing, so it is their writer that is changed.
        write = axis.get_major_formatter()
        if any(cut(tick.get_text()) != tick.get_text() for tick in axis.get_ticklabels()):
            axis.set_major_formatter(FuncFormatter(lambda value, place, write=write: cut(write(value, place))))
    for text in figure.findobj(Text):
        text.set_text(cut(text.get_text()))


def _panels(figure, svg: str) -> tuple[tuple[float, ...], ...]:
    """Where the axes lie: the SVG begins each with its background, a rectangle; axes without one have no place."""
    number = r"(-?[\d.]+)"
    corners = rf"axes_(\d+)\">\s*<g id=\"[^\"]*patch_\d+\">\s*<path d=\"M {number} {number} L {number} {number} L {number} {number}"
    panels = []
    for found in re.finditer(corners, " ".join(svg.split())):
        left, bottom, right, _, _, top = map(float, found.groups()[1:])
        axes = figure.axes[int(found[1]) - 1]
        panels.append((left, top, right - left, bottom - top, *axes.get_xlim(), *axes.get_ylim()))
    return tuple(panels)


def line_style(arm: Arm):
    """Line of an arm as matplotlib takes it."""
    return LINES.get(arm.line, arm.line)


def plain_log_ticks(axes) -> None:
    """Ticks at 1, 2, 5 times the powers of ten within the vertical axis (all digits on a short one), as plain numbers."""
    low, high = axes.get_ylim()
    powers = np.arange(np.floor(np.log10(low)) - 1, np.ceil(np.log10(high)) + 1)
    ticks = [m * 10.0**p for p in powers for m in range(1, 10) if low <= m * 10.0**p <= high]
    if len(ticks) > 6:
        ticks = [m * 10.0**p for p in powers for m in (1, 2, 5) if low <= m * 10.0**p <= high]
    axes.yaxis.set_major_locator(FixedLocator(ticks[:: max(1, len(ticks) // 10)]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def shown_arms(data: Dataset) -> list[tuple[Arm, str]]:
    """Arms in force, each with its marker."""
    return [(arm, MARKERS[i % len(MARKERS)]) for i, arm in enumerate(data.arms)]


def text_size(text: str, size: float = 8) -> tuple[float, float]:
    """Width and height in inches of the lines of a text of so many points."""
    lines = text.split("\n")
    widths = [TextPath((0, 0), line, size=size).get_extents().width if line.strip() else 0.0 for line in lines]
    return max(widths) / 72, len(lines) * 1.35 * size / 72


def inner_size(figure, axes) -> tuple[float, float]:
    """Width and height of the axes in inches, once everything around them has its place."""
    if not _fits(figure):
        return 0.0, 0.0
    place = axes.get_position()
    return place.width * figure.get_figwidth(), place.height * figure.get_figheight()


def with_value(label: str, value: str, wide: int) -> str:
    """A label with its value in lines of so many characters; the value stays whole."""
    lines = textwrap.wrap(f"{label}:", wide) or [":"]
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


def _wrapped_arms(data: Dataset, rows: int) -> list[str]:
    """Label of each arm as it stands beside its rows: no wider than the margin of a curve, no higher than three lines."""
    wide, most = (18, max(rows, 2)) if rows > 1 else (24, 2)
    return ["\n".join(textwrap.wrap(arm.label, wide, max_lines=most, placeholder=" …")) or arm.label for arm in data.arms]


def _depths(data: Dataset, rows: int) -> list[float]:
    """Lines that each arm takes under a curve."""
    gap = 0.45 if rows > 1 else 0.0
    return [max(rows, 1 + 0.9 * label.count("\n")) + gap for label in _wrapped_arms(data, rows)]


def counts_height(data: Dataset, rows: int = 1) -> float:
    """Inches that `write_counts` needs for so many rows of each arm."""
    return COUNT_LINE * (1.2 + sum(_depths(data, rows)))


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
    top = -0.5
    for arm, label, depth in zip(data.arms, _wrapped_arms(data, len(rows)), depths, strict=True):
        middle = top - depth / 2 if len(rows) == 1 else top - 0.5 - 0.45 * label.count("\n")
        axes.annotate(label, (span[0], middle), (-gap - beside, 0), color=arm.colour, va="center", linespacing=1.05, **left)
        for i, (column, what) in enumerate(rows.items()):
            y = middle if len(rows) == 1 else top - 0.5 - i
            if what and len(rows) > 1:
                axes.annotate(what, (span[0], y), (-gap, 0), color=GREY, va="center", **left)
            for row in where(counts, group=arm.id).to_dict("records"):
                axes.text(row["x"], y, format_whole(row[column]), ha="center", va="center", fontsize=8).set_gid(f"{arm.id}-{column}-{row['x']:g}")
        top -= depth
