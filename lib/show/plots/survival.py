"""Time-to-event curves as KMunicate asks for them: at risk, censored, events under the curve. Computes nothing.

The style is style's; the words of `alt` are made from the same numbers as the drawing.
"""

from __future__ import annotations

__all__ = ["plot_survival"]

import numpy as np
import pandas as pd
from matplotlib.ticker import PercentFormatter

from lib.analyses.efficacy.survival import Survival
from lib.analyses.result import where
from lib.dataset.dataset import Dataset
from lib.fonts import fill
from lib.languages.speech import N_, _, in_a_row
from lib.show.display import Figure, empty_if_absent
from lib.show.formats import (
    DASH,
    MASKED,
    NOT_REACHED,
    format_interval,
    format_median,
    format_number,
    format_p,
    format_whole,
    is_masked,
)
from lib.show.labels import counted, decimals_of_time, inside, level_text, pair_label
from lib.show.phrases import in_unit, joined, unit_name
from lib.show.plots.legends import legend
from lib.show.plots.panel import (
    FEW_ARMS,
    HANDLE,
    PAD,
    box_at,
    inner_size,
    is_free,
    picture_with_counts,
    text_size,
    with_value,
    write_above,
    write_counts,
)
from lib.show.plots.style import GREY, PALE, line_style, shown_arms, thin_steps, write_figure
from lib.study.parts import Arm

# Of more censored patients than this the ticks of one pixel are one tick.
MANY_TICKS = 500
# Rows under the curve; those that a shared report leaves out are not drawn.
ROWS = {"n_risk": N_("At risk"), "n_censored": N_("Censored"), "n_events": N_("Events")}
# Characters of a line that are tried in the panel, and in the legend: beside the curves, and in two columns above them.
WIDTHS, BESIDE, COLUMN = (64, 40), 44, 26
# A name stands at the end of its curve: no curve may end before this share of the axis, no name lie further off.
LATE, FAR = 0.8, 0.06


@empty_if_absent
def plot_survival(analysis: Survival) -> Figure:
    """Kaplan-Meier curves with bands, censor marks, hazard ratio, and the numbers at risk, censored and with the event.

    A curve is pale where fewer patients than the study's policy asks for are at risk.
    """
    data = analysis.dataset
    endpoint, risk = data.study.endpoint(analysis.variable), analysis["at_risk"]
    rows = {column: _(label) for column, label in ROWS.items() if risk[column].notna().any()} or {"n_risk": _(ROWS["n_risk"])}
    with picture_with_counts(3.4, data, len(rows)) as (figure, top, bottom):
        for arm, __ in shown_arms(data):
            _draw_curve(top, arm, where(analysis["curve"], group=arm.id), data)
        top.axhline(0.5, color=PALE, linewidth=0.8, zorder=0)
        top.set(ylim=(0, 1.02), ylabel=fill(endpoint.label, 40))
        top.yaxis.set_major_formatter(PercentFormatter(1))
        top.set_xlabel(_("{unit} since {zero_label}", unit=unit_name(data.study.time.unit).capitalize(), zero_label=data.study.time.zero_label))
        top.set_xticks(sorted(risk["time"].unique()))
        top.set_xlim(left=0)
        heading = _("Number at risk") if len(rows) == 1 else _("Censored: also at the competing event") if endpoint.has_competing else ""
        write_counts(bottom, data, heading, risk.rename(columns={"time": "x"}), top.get_xlim(), rows=rows)
        _write_in_panel(figure, top, analysis)
        ticks = _(" Ticks are censored patients.") if "n_censored" in rows else ""
        below = _(" Below: {listed}{part}.", listed=joined([label.lower() if i else _("numbers at risk") for i, label in enumerate(rows.values())]), part=_(", up to each time") if len(rows) > 1 else '')
        own = legend(figure, data, "survival", endpoint=inside(endpoint.label), ticks=ticks, below=below)
        return write_figure(figure, f"km_{endpoint.id}", _("{endpoint} by arm", endpoint=endpoint.label), _survival_alt(data, analysis), own)


def _draw_curve(axes, arm: Arm, curve: pd.DataFrame, data: Dataset) -> None:
    if curve.empty:
        return
    time, survival = curve["time"].to_numpy(), curve["survival"].to_numpy()
    enough = curve["n_risk"].to_numpy() >= data.study.policy.min_at_risk
    last = int(enough.sum())
    # n_risk counts those at risk since the step before, so the curve turns pale at the last step with enough.
    turn = max(last - 1, 0)
    style = {"where": "post", "color": arm.colour, "linestyle": line_style(arm)}
    low, high = curve["ci_low"].to_numpy(float), curve["ci_high"].to_numpy(float)
    for part, line, band in (
        (slice(None, turn + 1), {"linewidth": 1.8, "label": arm.id}, 0.1),
        (slice(turn, None), {"linewidth": 1.2, "alpha": 0.45}, 0.05),
    ):
        drawn, filled = thin_steps(survival[part]), thin_steps(low[part], high[part])
        axes.step(time[part][drawn], survival[part][drawn], **line, **style)
        limits = low[part][filled], high[part][filled]
        axes.fill_between(time[part][filled], *limits, step="post", color=arm.colour, alpha=band, linewidth=0)
    censored = np.flatnonzero(curve["n_censored"].to_numpy() > 0)
    censored = censored[thin_steps(time[censored] / max(time.max(), 1.0), many=MANY_TICKS)]
    axes.plot(time[censored], survival[censored], "|", color=arm.colour, markersize=7, markeredgewidth=1.1)


def _write_in_panel(figure, axes, analysis: Survival) -> None:
    """Medians and comparisons where no curve runs: names at the ends of the curves, else a legend."""
    data = analysis.dataset
    curves = [(own["time"].to_numpy(float), own["survival"].to_numpy(float)) for arm in data.arms if len(own := where(analysis["curve"], group=arm.id))]
    taken = [] if _name_curves(figure, axes, analysis) else _draw_legend(figure, axes, analysis, curves)
    inner = inner_size(figure, axes)
    half = (np.array(axes.get_xlim()), np.array([0.5, 0.5]))
    for wide in WIDTHS if len(data.arms) > 1 else ():
        told = "\n".join(_comparison(analysis, wide))
        size = text_size(told)
        for place in _places():
            box = box_at(axes, inner, place, size)
            if told and is_free([*curves, half], box) and not any(_overlap(box, other) for other in taken):
                axes.text(box[0], box[1], told, fontsize=8, va="bottom", linespacing=1.35).set_position(_inset(axes, inner, box))
                return
    if len(data.arms) > 1:
        write_above(figure, axes, "\n".join(_comparison(analysis, WIDTHS[0])))


def _places() -> list[tuple[float, float]]:
    """Where a text may stand in the panel, as shares of the room that it leaves: corners first, then from the upper right."""
    steps = np.linspace(0, 1, 13)
    return [(0, 0), (1, 1), (1, 0), (0, 1), *((x, y) for x in steps[::-1] for y in steps[::-1])]


def _inset(axes, inner: tuple[float, float], box: tuple[float, float, float, float]) -> tuple[float, float]:
    """Lower left corner of the text in its box."""
    wide, high = inner
    (x0, x1), (y0, y1) = axes.get_xlim(), axes.get_ylim()
    return box[0] + PAD / wide * (x1 - x0), box[1] + PAD / high * (y1 - y0)


def _overlap(one: tuple, other: tuple) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _medians(data: Dataset, analysis: Survival) -> dict[str, str]:
    d = decimals_of_time(data)
    return {arm.id: format_median(analysis.row("median", arm.id), d) for arm in data.arms}


def _median_title(data: Dataset) -> str:
    return _("Median, {unit}\n({level} CI)", unit=unit_name(data.study.time.unit), level=level_text(data))


def _name_curves(figure, axes, analysis: Survival) -> bool:
    """Write each arm and its median right of the end of its curve, if all of them end there and apart."""
    data, end = analysis.dataset, axes.get_xlim()[1]
    last = {arm.id: own.iloc[-1] for arm in data.arms if len(own := where(analysis["curve"], group=arm.id))}
    if len(last) < len(data.arms) or len(last) > FEW_ARMS or any(row["time"] < LATE * end for row in last.values()):
        return False
    medians = _medians(data, analysis)
    labels = {arm.id: f"{fill(arm.label, 20)}\n{medians[arm.id]}" for arm in data.arms}
    high = inner_size(figure, axes)[1]
    if not high:
        return False
    heights = {arm: (text_size(label)[1] + 0.03) / high for arm, label in labels.items()}
    title = _median_title(data)
    places = _apart({arm: float(row["survival"]) for arm, row in last.items()}, heights, 1.0 - text_size(title)[1] / high)
    if any(abs(places[arm] - last[arm]["survival"]) > FAR + heights[arm] / 4 for arm in places):
        return False
    note = {"transform": axes.get_yaxis_transform(), "fontsize": 8, "linespacing": 1.2}
    axes.text(1.015, 1.0, title, color=GREY, va="top", **note)
    for arm in data.arms:
        axes.text(1.015, places[arm.id], labels[arm.id], color=arm.colour, va="center", **note)
    return True


def _apart(wanted: dict[str, float], heights: dict[str, float], top: float) -> dict[str, float]:
    """Places as near to those wanted as texts of these heights can lie between 0 and `top` without touching."""
    order = sorted(wanted, key=lambda name: -wanted[name])
    places, above = {}, top
    for name in order:
        places[name] = min(wanted[name], above - heights[name] / 2)
        above = places[name] - heights[name] / 2
    below = 0.0
    for name in reversed(order):
        places[name] = max(places[name], below + heights[name] / 2)
        below = places[name] + heights[name] / 2
    return places


def _draw_legend(figure, axes, analysis: Survival, curves: list) -> list[tuple]:
    """Arms with their medians in the upper right corner, or above the axes where curves run there; the place it takes."""
    data, medians = analysis.dataset, _medians(analysis.dataset, analysis)
    labels = {arm.id: with_value(arm.label, medians[arm.id], BESIDE) for arm in data.arms}
    lines = {line.get_label(): line for line in axes.lines}
    shown = [arm.id for arm in data.arms if arm.id in lines]
    if not shown:
        return []
    title = _median_title(data).replace("\n", " ")
    wide, high = text_size("\n".join([title, *labels.values()]))
    box = box_at(axes, inner_size(figure, axes), (1, 1), (wide + HANDLE, high + 0.05 * len(labels)))
    free = len(data.arms) <= FEW_ARMS and is_free(curves, box)
    if not free:
        labels = {arm.id: with_value(arm.label, medians[arm.id], COLUMN) for arm in data.arms}
        deep = [labels[arm].count("\n") + 1 for arm in shown]
        figure.set_figheight(figure.get_figheight() + text_size(title)[1] + sum(sorted(deep)[len(deep) // 2 :]) * 0.16)
    place = {"loc": "upper right"} if free else {"loc": "lower left", "bbox_to_anchor": (0, 1), "ncols": 2, "borderaxespad": 0.1}
    axes.legend([lines[arm] for arm in shown], [labels[arm] for arm in shown], **place, fontsize=8, title=title, title_fontsize=8, alignment="left", handlelength=3)
    return [box] if free else []


def _survival_alt(data: Dataset, analysis: Survival) -> str:
    d, unit = decimals_of_time(data), data.study.time.unit
    parts = []
    for arm in data.arms:
        row = analysis.row("median", arm.id)
        median = format_median(row, d, interval=False)
        median = {NOT_REACHED: _("not reached"), DASH: _("none"), MASKED: _(MASKED)}.get(median, in_unit(median, unit))
        parts.append(
            _("{arm}, {n_events} of {row} with the event, median {median}", arm=arm.label, n_events=format_whole(row['n_events']), row=counted(row), median=median)
        )
    ratios = _("; ").join(f"{pair} {ratio}" for pair, ratio in _ratios(analysis))
    told = [_("{ratio_title}: {ratios}.", ratio_title=_ratio_title(data), ratios=ratios) if ratios else "", _tests(analysis)]
    return _("Kaplan-Meier curves. {join}. {join2}", join=_("; ").join(parts), join2=in_a_row(told)).strip()


def _comparison(analysis: Survival, wide: int) -> list[str]:
    """What compares the arms: hazard ratios of the study's question, tests of all arms; no line longer than asked for."""
    told = [with_value(pair, ratio, wide) for pair, ratio in _ratios(analysis)]
    return [*([_ratio_title(analysis.dataset)] if told else []), *told, *filter(None, [_tests(analysis)])]


def _ratio_title(data: Dataset) -> str:
    named = _("Hazard ratio") if data.study.by_design.by_chance else _("Hazard ratio, unadjusted")
    return _("{named} ({level} CI)", named=named, level=level_text(data))


def _ratios(analysis: Survival) -> list[tuple[str, str]]:
    """Ratios of the arm that the study asks about with every other; of many arms, with the reference alone."""
    data = analysis.dataset
    if len(data.arms) < 2:
        return []
    focus, reference = data.contrast
    few, rows = len(data.arms) <= FEW_ARMS, analysis["cox"].to_dict("records")
    asked = [row for row in rows if focus in (pair := row["group"].split(" vs ")) and (few or reference in pair)]
    return [(pair_label(data, row["group"]), _ratio(row)) for row in asked]


def _ratio(row: dict) -> str:
    if pd.isna(row["hr"]):
        return _(MASKED) if is_masked(row) else _("not estimated")
    return f"{format_number(row['hr'], 2)} ({format_interval(row['ci_low'], row['ci_high'], 2)})"


def _tests(analysis: Survival) -> str:
    """The tests of all arms: with a competing event Gray's beside the log-rank test, as they may disagree."""
    names = {"logrank": _("Log-rank"), "gray": _("Gray")}
    p_values = {name: analysis[output]["p_value"].iat[0] for output, name in names.items() if output in analysis}
    return _("; ").join(f"{name} {format_p(p, symbol=True)}" for name, p in p_values.items() if pd.notna(p))
