"""Forest of a regression: every ratio by itself and with all others held alike. Computes nothing."""

from __future__ import annotations

__all__ = ["plot_regression"]


import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from lib.analyses.models.regression import Regression
from lib.dataset.dataset import Dataset
from lib.fonts import fill
from lib.languages.speech import _
from lib.show.display import EMPTY, Block, Figure, empty_if_absent
from lib.show.formats import format_interval, format_number
from lib.show.labels import inside, level_text
from lib.show.plots.legends import legend
from lib.show.plots.robustness import draw_ratio, log_axis, ratio_span
from lib.show.plots.style import GREY, INK, picture, write_figure
from lib.show.ways import TermLine, term_lines

# Characters of a line of a label; how far the two marks of a line lie from its middle; where the two columns of words end.
LABEL, APART, COLUMNS = 26, 0.19, (0.48, 1.0)
TICKS = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20]


@empty_if_absent
def plot_regression(regression: Regression) -> Figure | Block:
    """Crude (open circles) and adjusted hazard ratios (filled squares) of arms and covariates."""
    data, lines = regression.dataset, list(term_lines(regression))
    frames = [regression[name] for name in ("regression_crude", "regression_adjusted") if name in regression]
    shown = pd.concat([frame[["hr", "ci_low", "ci_high"]] for frame in frames])
    if shown["hr"].isna().all():
        return EMPTY
    span, fitted = ratio_span(shown), len(frames) == 2
    labels = [fill(line.label, LABEL) for line in lines]
    places = np.cumsum([0, *(-1.0 - 0.65 * label.count("\n") for label in labels)])
    with picture(1.25 + 0.27 * -places[-1], 1, 3, sharey=True, width_ratios=[1.5, 1.6, 1.9]) as (figure, (left, axes, right)):
        axes.set_ylim(places[-1] - 0.1, 2.0)
        axes.axvline(1, color=GREY, linewidth=0.9, zorder=0)
        for y, label, line in zip((places[1:] + places[:-1]) / 2, labels, lines, strict=True):
            _write_line((left, axes, right), y, line, (label, span, fitted))
        log_axis(axes, span, TICKS)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(_("◄ fewer events · more ►\nHazard ratio"), fontsize=7.5)
        for x, words in zip(COLUMNS, (_("Crude"), _("Adjusted")), strict=True):
            if fitted or x == COLUMNS[0]:
                right.text(x, 0.35, f"{words}\n({level_text(data)} CI)", color=GREY, va="bottom", ha="right", fontsize=7.5)
        for side in (left, right):
            side.axis("off")
            side.set_xlim(0, 1)
        marks = [_mark("o", "white", _("crude")), *([_mark("s", INK, _("adjusted"))] if fitted else [])]
        figure.legend(handles=marks, loc="outside upper center", ncols=2, fontsize=8)
        endpoint = data.study.endpoint(regression.variable)
        none = "" if fitted else _("; there is no adjusted model")
        own = legend(figure, data, "regression", endpoint=inside(endpoint.label), none=none)
        return write_figure(figure, f"{endpoint.id}_regression", _("{endpoint}: crude and adjusted hazard ratios", endpoint=endpoint.short), _alt(data, lines), own)


def _mark(mark: str, face: str, label: str) -> Line2D:
    return Line2D([], [], color=INK, marker=mark, markerfacecolor=face, markersize=5, linewidth=1.2, label=label)


def _write_line(panels: tuple, y: float, line: TermLine, how: tuple[str, tuple[float, float], bool]) -> None:
    """Write one line; `how`: its label, the span of the axis, whether there is an adjusted model."""
    (left, axes, right), (label, span, fitted) = panels, how
    heading = line.counts is None
    within = not heading and line.counts["variable"].count(": ") != 1
    left.text(0.04 if within else 0, y, label, va="center", fontsize=8, fontweight="bold" if heading else "normal")
    if heading:
        return
    if line.reference:
        axes.plot(1, y, "|", color=GREY, markersize=7)
        right.text(COLUMNS[1] if fitted else COLUMNS[0], y, _("reference"), va="center", ha="right", fontsize=7.5, color=GREY)
        return
    for x, row, mark, up in zip(COLUMNS, (line.crude, line.adjusted), ("o", "s"), (APART, -APART), strict=True):
        if mark == "s" and not fitted:
            continue
        right.text(x, y, _in_words(row), va="center", ha="right", fontsize=7.5)
        if row is not None and pd.notna(row["hr"]):
            draw_ratio(axes, y + up * fitted, row, INK, span, size=4.5, mark=mark, hollow=mark == "o")


def _in_words(row: pd.Series | None) -> str:
    if row is None or pd.isna(row["hr"]):
        return _("not estimated")
    return f"{format_number(row['hr'], 2)} ({format_interval(row['ci_low'], row['ci_high'], 2)})"


def _alt(data: Dataset, lines: list[TermLine]) -> str:
    """Each ratio in words, with the heading above it."""
    told, heading = [], ""
    for line in lines:
        if line.counts is None:
            heading = line.label
        elif not line.reference:
            within = line.counts["variable"].count(": ") != 1
            if line.counts["group"] != "overall":
                named = f"{line.label} vs {data.study.arm(data.reference).label}"
            else:
                named = _("{heading}, {label}", heading=heading, label=line.label) if within else line.label
            adjusted = _(", adjusted {in_words}", in_words=_in_words(line.adjusted)) if line.adjusted is not None else ""
            told.append(_("{named}: crude {in_words}{adjusted}", named=named, in_words=_in_words(line.crude), adjusted=adjusted))
    return _("Forest plot of hazard ratios. {join}.", join=_("; ").join(told))
