"""The house style of every picture, and how one becomes SVG. What is drawn lives beside it, a file a subject.

Conventions: 7.2 inches wide (a page's text width), 9-point text, no title inside the picture (the page has one),
every arm told apart by colour and by line or marker.
"""

from __future__ import annotations

__all__ = [
    "CATEGORY_COLOURS",
    "CATEGORY_HATCHES",
    "GREY",
    "INK",
    "MARKERS",
    "PALE",
    "STYLE",
    "WIDTH",
    "fits",
    "line_style",
    "picture",
    "plain_log_ticks",
    "shown_arms",
    "thin_steps",
    "write_figure",
]

import io
import re
import warnings
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.backends.backend_svg import FigureCanvasSVG, RendererSVG
from matplotlib.font_manager import fontManager
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator, ScalarFormatter
from matplotlib.transforms import Bbox

from lib.dataset.dataset import Dataset
from lib.fonts import FAMILIES, MAIN, families_of, files
from lib.show.display import Figure
from lib.show.formats import format_given, restyled
from lib.study.parts import Arm

WIDTH = 7.2
# A curve of more steps than this is thinned for drawing: no axis of a step curve is higher than 300 pixels on a page
# (96 to the inch), so half a pixel is this share of it, and nothing that is drawn lies further off.
MANY_STEPS, HALF_PIXEL = 1_500, 1 / 600
# Longest labels that are tried one after the other where those of a study leave no room for the axes.
LABEL_LENGTHS = (60, 40, 25, 12)
# Inches of the narrowest axes in which a reader still tells anything apart.
LEAST_WIDTH = 0.5
INK, GREY, PALE = "#222222", "#6b6b6b", "#d9d9d9"
MARKERS = ("o", "s", "^", "D", "v", "P")
# Six that can be told apart in grey: length on, length off, in widths of the line.
LINES = {"longdash": (0, (8, 2.5)), "dashdotdot": (0, (5, 1.5, 1, 1.5, 1, 1.5))}
STYLE: dict[Any, Any] = {
    # Each sign by the first font that has it.
    "font.family": [*FAMILIES, "sans-serif"],
    "font.sans-serif": [MAIN],
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
# Response, best first; readable in grey because lightness falls with it, and what is no response is hatched.
CATEGORY_HATCHES = {"PD": "////", "NE": "...."}
CATEGORY_COLOURS = {"CR": "#08519c", "PR": "#4292c6", "SD": "#c6dbef", "PD": "#fdae6b", "NE": "#eeeeee"}


for _file in files()[1:]:  # the first is matplotlib's own
    fontManager.addfont(_file)
# They have one weight, which stands for bold, too.
fontManager.ttflist += [replace(entry, weight=700) for entry in fontManager.ttflist if entry.name in FAMILIES[1:]]

# Measures for all pictures: matplotlib remembers what a text takes as long as what measured it is there.
_MEASURE = RendererSVG(1, 1, io.StringIO())


class _Canvas(FigureCanvasSVG):
    """SVG's canvas, whose texts are measured once and not anew at each look."""

    def get_renderer(self) -> RendererSVG:
        """Return what a layout measures by."""
        return _MEASURE


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


def write_figure(figure, figure_id: str, title: str, alt: str, legend: str = "") -> Figure:
    """Write the figure as SVG whose ids are its own, so that several can stand on one page."""
    buffer = io.StringIO()
    with _house_style(**{"svg.hashsalt": figure_id}):
        box = _lay_out(figure)
        figure.savefig(buffer, format="svg", dpi=72, metadata={"Date": None, "Creator": None}, bbox_inches=box)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # A hash of unrounded coordinates would tell one machine's last digit from another's: in their order instead.
    order: dict[str, str] = {}
    hashed = r'(?<=[#"])[A-Za-z][0-9a-f]{10}(?=[)"])'
    svg = re.sub(hashed, lambda found: order.setdefault(found[0], f"{found[0][0]}{len(order) + 1}"), svg)
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{figure_id}-", svg)
    svg = _with_fonts(svg)
    return Figure(figure_id, title, svg, alt, _panels(figure, svg), legend)


def _with_fonts(svg: str) -> str:
    """Name the fonts of each text, first one that has all its signs: whoever draws an SVG takes no second one for a part of it."""

    def quoted(families: tuple[str, ...]) -> str:
        return ", ".join(f"'{family}'" for family in families)

    named = rf"{re.escape(quoted(FAMILIES))}(?=[^>]*>([^<]*)<)"
    return re.sub(named, lambda found: quoted(families_of(found[1], svg)[::-1]), svg)


def _lay_out(figure) -> Bbox:
    """Find the places of the axes, and what surrounds all that is drawn, in inches.

    The same as bbox_inches="tight", which draws every picture twice: once to throw it away.
    """
    _style_ticks(figure)
    _Canvas(figure)
    figure.set_dpi(72)  # SVG's, whatever a figure asks for
    for most in (*LABEL_LENGTHS, None):
        if fits(figure):
            break
        if most:
            _shorten(figure, most)
    figure.set_layout_engine(None)
    return figure.get_tightbbox().padded(0.04)


def _style_ticks(figure) -> None:
    """Let the axes write their numbers as the page does."""
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        if type(axis.get_major_formatter()) is ScalarFormatter:
            axis.set_major_formatter(_Ticks())


class _Ticks(ScalarFormatter):
    """Matplotlib's own ticks of a linear axis, written as the page writes numbers."""

    def __call__(self, x, pos=None):
        return restyled(super().__call__(x, pos))


def fits(figure) -> bool:
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
        left, bottom, right, _, __, top = map(float, found.groups()[1:])
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
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, __: format_given(value)))


def shown_arms(data: Dataset) -> list[tuple[Arm, str]]:
    """Arms in force, each with its marker."""
    return [(arm, MARKERS[i % len(MARKERS)]) for i, arm in enumerate(data.arms)]
