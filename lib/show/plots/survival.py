"""Time-to-event curves with numbers at risk. Computes nothing.

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
from lib.show.display import Figure, empty_if_absent
from lib.show.formats import DASH, MASKED, NOT_REACHED, format_median, format_p, format_whole
from lib.show.labels import counted, decimals_of_time, level_text
from lib.show.plots.style import PALE, line_style, picture, shown_arms, thin_steps, write_counts, write_figure
from lib.study.parts import Arm

# Of more censored patients than this the ticks of one pixel are one tick.
MANY_TICKS = 500


@empty_if_absent
def plot_survival(analysis: Survival) -> Figure:
    """Kaplan-Meier curves with bands, censor marks and numbers at risk.

    A curve is pale where fewer patients than the study's policy asks for are at risk.
    """
    data = analysis.dataset
    endpoint, risk = data.study.endpoint(analysis.variable), analysis["at_risk"]
    height = 3.5 + 0.19 * (len(data.arms) + 1)
    ratios = [3.5, 0.19 * (len(data.arms) + 1)]
    with picture(height, 2, 1, gridspec_kw={"height_ratios": ratios}) as (figure, (top, bottom)):
        for arm, _ in shown_arms(data):
            _draw_curve(top, arm, where(analysis["curve"], group=arm.id), data, analysis.row("median", arm.id))
        top.axhline(0.5, color=PALE, linewidth=0.8, zorder=0)
        top.set(ylim=(0, 1.02), ylabel=endpoint.label if len(endpoint.label) < 40 else endpoint.short)
        top.yaxis.set_major_formatter(PercentFormatter(1))
        # More than three arms would lie on the curves.
        place = {"loc": "upper right"} if len(data.arms) < 4 else {"loc": "lower left", "bbox_to_anchor": (0, 1), "ncols": 2}
        top.legend(**place, fontsize=8, title=_legend_title(data), title_fontsize=8, alignment="left", handlelength=3)
        top.text(0.01, 0.03, _tests(analysis), transform=top.transAxes)
        top.set_xlabel(f"{data.study.time.unit.capitalize()} since {data.study.time.zero_label}")
        top.set_xticks(sorted(risk["time"].unique()))
        top.set_xlim(left=0)
        counts = risk.rename(columns={"time": "x", "n_risk": "n"})
        write_counts(bottom, data, "Number at risk", counts, top.get_xlim())
        return write_figure(figure, f"km_{endpoint.id}", f"{endpoint.label} by arm", _survival_alt(data, analysis))


def _legend_title(data: Dataset) -> str:
    return f"Median, {data.study.time.unit} ({level_text(data)} CI)"


def _draw_curve(axes, arm: Arm, curve: pd.DataFrame, data: Dataset, median: pd.Series) -> None:
    if curve.empty:
        return
    d = decimals_of_time(data)
    label = f"{arm.label}: {format_median(median, d)}"
    time, survival = curve["time"].to_numpy(), curve["survival"].to_numpy()
    enough = curve["n_risk"].to_numpy() >= data.study.policy.min_at_risk
    last = int(enough.sum())
    # n_risk counts those at risk since the step before, so the curve turns pale at the last step with enough.
    turn = max(last - 1, 0)
    style = {"where": "post", "color": arm.colour, "linestyle": line_style(arm)}
    low, high = curve["ci_low"].to_numpy(float), curve["ci_high"].to_numpy(float)
    for part, line, band in (
        (slice(None, turn + 1), {"linewidth": 1.8, "label": label}, 0.1),
        (slice(turn, None), {"linewidth": 1.2, "alpha": 0.45}, 0.05),
    ):
        drawn, filled = thin_steps(survival[part]), thin_steps(low[part], high[part])
        axes.step(time[part][drawn], survival[part][drawn], **line, **style)
        limits = low[part][filled], high[part][filled]
        axes.fill_between(time[part][filled], *limits, step="post", color=arm.colour, alpha=band, linewidth=0)
    censored = np.flatnonzero(curve["n_censored"].to_numpy() > 0)
    censored = censored[thin_steps(time[censored] / max(time.max(), 1.0), many=MANY_TICKS)]
    axes.plot(time[censored], survival[censored], "|", color=arm.colour, markersize=7, markeredgewidth=1.1)


def _survival_alt(data: Dataset, analysis: Survival) -> str:
    d, unit = decimals_of_time(data), data.study.time.unit
    parts = []
    for arm in data.arms:
        row = analysis.row("median", arm.id)
        median = format_median(row, d, interval=False)
        median = {NOT_REACHED: "not reached", DASH: "none", MASKED: MASKED}.get(median, f"{median} {unit}")
        parts.append(
            f"{arm.label}, {format_whole(row['n_events'])} of {counted(row)} with the event, median {median}"
        )
    return f"Kaplan-Meier curves. {'; '.join(parts)}. {_tests(analysis)}".strip()


def _tests(analysis: Survival) -> str:
    """The tests of all arms: with a competing event Gray's beside the log-rank test, as they may disagree."""
    names = {"logrank": "Log-rank", "gray": "Gray"}
    p_values = {name: analysis[output]["p_value"].iat[0] for output, name in names.items() if output in analysis}
    return "; ".join(f"{name} {format_p(p, symbol=True)}" for name, p in p_values.items() if pd.notna(p))
