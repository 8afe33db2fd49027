"""Forests of this study's estimates beside those of others, and of both together, one a kind. Computes nothing."""

from __future__ import annotations

__all__ = ["plot_evidence"]

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from lib.analyses.outlook.others import KINDS, OTHERS, WITH_OWN, Evidence, Question, question_of
from lib.analyses.result import where
from lib.dataset.dataset import Dataset
from lib.fonts import fill
from lib.languages.notes import worded
from lib.languages.speech import N_, _
from lib.show.display import Block, Figure, empty_if_absent
from lib.show.formats import capitalised, format_given, format_level, format_percent
from lib.show.labels import level_text
from lib.show.phrases import unit_name
from lib.show.plots.legends import legend
from lib.show.plots.style import GREY, INK, PALE, picture, write_figure
from lib.show.ways import estimate_label, limits_label, question_of_whom

# Characters of a line of a label, and how far an axis of ratios or of times reaches at most beyond the estimates.
LABEL, BEYOND = 40, 4.0
POOLED = {WITH_OWN: N_("Together, with this study"), OTHERS: N_("Together, the others alone")}


class Line(NamedTuple):
    """A line of the forest: a heading (no row), an estimate, or several put together."""

    label: str
    row: pd.Series | None = None
    pooled: bool = False


@empty_if_absent
def plot_evidence(evidence: Evidence) -> list[Figure | Block]:
    """One forest for each kind of number of which another study gives one."""
    given = where(evidence["lines"], unit="patients of another study")
    return [_forest(evidence, kind) for kind in KINDS if given["term"].eq(kind).any()]


def _forest(evidence: Evidence, kind: str) -> Figure:
    data, lines = evidence.dataset, [*_lines(evidence, kind)]
    labels = [fill(line.label, LABEL) for line in lines]
    places = np.cumsum([0, *(-1 - 0.65 * label.count("\n") for label in labels)])
    span = _span(kind, [line.row for line in lines if line.row is not None])
    together = any(line.pooled for line in lines)
    with picture(0.9 + 0.25 * -places[-1], 1, 3, sharey=True, width_ratios=[2.2, 1.7, 1.3]) as (figure, (left, axes, right)):
        axes.set_ylim(places[-1] - 0.1, 1.5)
        for y, label, line in zip((places[1:] + places[:-1]) / 2, labels, lines, strict=True):
            bold = line.row is None or line.pooled
            left.text(0 if line.row is None else 0.03, y, label, va="center", fontsize=8, fontweight="bold" if bold else "normal")
            if line.row is not None:
                right.text(1, y, estimate_label(data, line.row), ha="right", va="center", fontsize=8)
                (_together if line.pooled else _single)(axes, y, line.row, data, span)
        _axis(axes, data, kind, span)
        right.text(1, 0.35, f"{capitalised(worded(KINDS[kind].removesuffix('s')))}\n({level_text(data)} CI)", color=GREY, va="bottom", ha="right", fontsize=7.5)
        for side in (left, right):
            side.axis("off")
            side.set_xlim(0, 1)
        words = _(
            " Diamonds are random-effects means with their confidence intervals, the pale bars behind them prediction intervals: where the truth of a "
            "further study lies.",
        ) if together else ""
        told = _("; ").join(_("{label}: {estimate}", label=line.label, estimate=estimate_label(data, line.row)) + (_(", further study {limits_label}", limits_label=limits_label(data, line.row, 'pi_low', 'pi_high')) if line.pooled else "") for line in lines if line.row is not None)
        own = legend(figure, data, "evidence", kinds=capitalised(worded(KINDS[kind])), pooled=words)
        return write_figure(figure, f"evidence_{kind}", _("{kinds} beside those of other studies", kinds=capitalised(worded(KINDS[kind]))), _("Forest plot. {told}.", told=told), own)


def _lines(evidence: Evidence, kind: str) -> Iterator[Line]:
    data, frame = evidence.dataset, evidence["lines"]
    questions: list[Question] = [*dict.fromkeys(question_of(data, other) for other in data.study.external)]
    for question in (q for q in questions if q.kind == kind):
        rows = where(frame, question=question.named)
        if rows["unit"].nunique() < 2:  # in words alone, or of arms that are not in force
            continue
        yield Line(capitalised(question_of_whom(data, question)))
        for __, row in rows.iterrows():
            other = _(" ({level} CI)", level=format_level(row["level"])) if kind != "proportion" and pd.notna(row["level"]) and abs(row["level"] - data.parameters.level) > 1e-9 else ""
            yield Line(f"{_('This study') if row['unit'] == 'patients' else row['label']}{other}", row)
        for step, label in POOLED.items():
            found = where(evidence["evidence_pooled"], variable=f"{question.named}: {step}")
            yield from (Line(_(label), row, True) for __, row in found.dropna(subset="estimate").iterrows())


def _span(kind: str, rows: list[pd.Series]) -> tuple[float, float]:
    """Limits of the axis: all of a share; of ratios and times the estimates and what lies near them."""
    if kind == "proportion":
        return 0.0, 1.0
    estimates = np.array([row["estimate"] for row in rows if pd.notna(row["estimate"])])
    limits = np.array([row[c] for row in rows for c in ("ci_low", "ci_high", "pi_low", "pi_high") if c in row and pd.notna(row[c])])
    low, high = estimates.min(), estimates.max()
    if kind == "median":
        return 0.0, 1.25 * max(high, limits[limits <= BEYOND * high].max(initial=high))
    return min(0.5, max(limits.min(initial=low), low / BEYOND)) / 1.1, max(2.0, min(limits.max(initial=high), high * BEYOND)) * 1.1


def _axis(axes, data: Dataset, kind: str, span: tuple[float, float]) -> None:
    axes.set_xlim(span)
    axes.tick_params(axis="y", length=0)
    if kind == "hazard_ratio":
        axes.set_xscale("log")
        axes.axvline(1, color=GREY, linewidth=0.9, zorder=0)
        ticks = [tick for tick in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if span[0] <= tick <= span[1]]
        axes.set_xticks(ticks)
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel(_("◄ fewer · more ►\nevents with the arm named first"), fontsize=7.5)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.set_xlabel(_("Share of patients") if kind == "proportion" else capitalised(unit_name(data.study.time.unit)), fontsize=7.5)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, __: format_percent(value) if kind == "proportion" else format_given(value)))


def _single(axes, y: float, row: pd.Series, data: Dataset, span: tuple[float, float]) -> None:
    """An estimate with its interval; a limit that was not reached, or lies outside, is an arrow head."""
    if pd.isna(row["estimate"]):
        return
    own = row["unit"] == "patients"
    colour = data.study.arm(row["group"].partition(" vs ")[0]).colour if own else INK
    if pd.notna(row["ci_low"]):
        low, high = row["ci_low"], span[1] * 2 if pd.isna(row["ci_high"]) else row["ci_high"]
        ends = np.clip([low, high], *span)
        axes.plot(ends, [y, y], color=colour, linewidth=1.4, solid_capstyle="butt")
        for value, end, head in ((low, ends[0], "<"), (high, ends[1], ">")):
            if value != end:
                axes.plot(end, y, head, color=colour, markersize=4, clip_on=False)
    axes.plot(row["estimate"], y, "s" if own else "o", color=colour, markersize=5)


def _together(axes, y: float, row: pd.Series, data: Dataset, span: tuple[float, float]) -> None:
    """A diamond over its interval, and behind it the prediction interval."""
    axes.plot(np.clip([row["pi_low"], row["pi_high"]], *span), [y, y], color=PALE, linewidth=7, solid_capstyle="butt", zorder=1)
    low, high = np.clip([row["ci_low"], row["ci_high"]], *span)
    axes.fill([low, row["estimate"], high, row["estimate"]], [y, y + 0.28, y, y - 0.28], color=INK, zorder=2)
