"""Results -> pictures: SVG with text as text, in the arms' colours, line styles and markers. Computes nothing.

The style is picture's; the words of `alt` are made from the same numbers as the drawing.
"""

from __future__ import annotations

__all__ = [
    "plot_response",
    "plot_summary",
    "plot_survival",
    "plot_trajectories",
]

import numpy as np
import pandas as pd
from matplotlib.ticker import PercentFormatter

from lib.analysis import Analysis, where
from lib.dataset import Dataset
from lib.display import Figure, empty_if_absent, internal_only, withheld
from lib.formats import (
    DASH,
    MASKED,
    NOT_REACHED,
    format_duration,
    format_median,
    format_number,
    format_p,
    format_whole,
)
from lib.labels import OVERALL, counted, decimals_of_time, everybody, level_text, unit_label
from lib.longitudinal import Measure, measure
from lib.picture import (
    CATEGORY_COLOURS,
    GREY,
    INK,
    PALE,
    line_style,
    picture,
    plain_log_ticks,
    shown_arms,
    thin_steps,
    write_figure,
)
from lib.study_parts import Arm

# Of more censored patients than this the ticks of one pixel are one tick.
MANY_TICKS = 500


@empty_if_absent
def plot_survival(data: Dataset, analysis: Analysis) -> Figure:
    """Kaplan-Meier curves with bands, censor marks and numbers at risk.

    A curve is pale where fewer patients than the study's policy asks for are at risk.
    """
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
        _write_counts(bottom, data, "Number at risk", counts, top.get_xlim())
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


def _write_counts(axes, data: Dataset, heading: str, counts: pd.DataFrame, span: tuple[float, float]) -> None:
    """Counts under the ticks of the picture above, one row per arm in its colour; `counts` holds group, x and n."""
    axes.axis("off")
    axes.set(xlim=span, ylim=(-len(data.arms) - 0.5, 0.5))
    left = {"textcoords": "offset points", "ha": "right", "va": "center", "fontsize": 8, "annotation_clip": False}
    axes.annotate(heading, (span[0], 0), (-17, 0), color=GREY, **left)
    for i, arm in enumerate(data.arms, start=1):
        axes.annotate(arm.label, (span[0], -i), (-17, 0), color=arm.colour, **left)
        for row in where(counts, group=arm.id).itertuples():
            axes.text(row.x, -i, format_whole(row.n), ha="center", va="center", fontsize=8)


def _survival_alt(data: Dataset, analysis: Analysis) -> str:
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


def _tests(analysis: Analysis) -> str:
    """The tests of all arms: with a competing event Gray's beside the log-rank test, as they may disagree."""
    names = {"logrank": "Log-rank", "gray": "Gray"}
    p_values = {name: analysis[output]["p_value"].iat[0] for output, name in names.items() if output in analysis}
    return "; ".join(f"{name} {format_p(p, symbol=True)}" for name, p in p_values.items() if pd.notna(p))


@empty_if_absent
def plot_response(data: Dataset, response: Analysis) -> Figure:
    """Share of each response category by visit and arm, as stacked bars with counts."""
    categories = response["response_category"]
    if categories["count"].isna().any():
        return withheld("tumour response as a picture, because its bars would show masked counts")
    visits = sorted(categories["time"].unique())
    with picture(0.7 + 0.42 * len(data.arms) * len(visits), len(visits), 1, sharex=True, squeeze=False) as (
        figure,
        axes,
    ):
        for axis, visit in zip(axes[:, 0], visits, strict=True):
            _stack(axis, categories, response["response_unassessed"], data, visit)
            axis.set_title(
                f"At {format_duration(visit, data.study.time.unit)}", loc="left", fontsize=9, fontweight="bold"
            )
        axes[-1, 0].set_xlabel("Share of all treated patients")
        axes[-1, 0].xaxis.set_major_formatter(PercentFormatter(1))
        handles, labels = axes[0, 0].get_legend_handles_labels()
        unique = dict(zip(labels, handles, strict=True))
        figure.legend(unique.values(), unique.keys(), loc="outside lower center", ncols=len(unique), fontsize=8)
        rates = response["objective_response_treated"]
        told = [
            f"at {format_duration(r.time, data.study.time.unit)} {data.study.arm(r.group).label} {format_whole(r.count_)} of {format_whole(r.n)}"
            for r in rates[rates["group"] != OVERALL].rename(columns={"count": "count_"}).itertuples()
        ]
        return write_figure(
            figure,
            "response",
            "Tumour response by visit and arm",
            f"Stacked bars. Objective response: {'; '.join(told)}.",
        )


def _stack(axes, categories: pd.DataFrame, unassessed: pd.DataFrame, data: Dataset, time: float) -> None:
    names = ["CR", "PR", "SD", "PD", "no assessment"]
    colours = [*list(CATEGORY_COLOURS.values())[:4], "#ffffff"]
    for i, arm in enumerate(data.arms):
        counts = where(categories, time=time, group=arm.id).set_index("variable")["count"]
        values = [*counts[names[:4]], where(unassessed, time=time, group=arm.id)["count"].iat[0]]
        n, left = max(sum(values), 1), 0.0
        for name, colour, value in zip(names, colours, values, strict=True):
            (piece,) = axes.barh(
                -i, value / n, left=left, color=colour, edgecolor=GREY, linewidth=0.6, height=0.72, label=name
            )
            piece.set_gid(f"{time:g}-{arm.id}-{name}")
            if value:
                dark = name == "CR"
                axes.text(
                    left + value / n / 2,
                    -i,
                    f"{int(value)}",
                    ha="center",
                    va="center",
                    fontsize=8,
                    color="white" if dark else INK,
                )
            left += value / n
    axes.set_yticks([-i for i in range(len(data.arms))], [f"{arm.label} (n = {data.n[arm.id]})" for arm in data.arms])
    axes.set_xlim(0, 1)
    axes.tick_params(axis="y", length=0)


@internal_only("single patients", "the course of each patient")
@empty_if_absent
def plot_trajectories(data: Dataset, analysis: Analysis) -> Figure:
    """Each patient's course since baseline, one panel per arm, with the patients who have a value under the visits.

    A marker on the log scale is shown as ratio to baseline, one on a linear scale as difference, all else in percent.
    """
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
            axis.set_title(f"{arm.label}\n{format_whole(drawn.loc[arm.id, 'count'])} of {counted(drawn.loc[arm.id])}",
                           fontsize=9, loc="left")  # fmt: skip
            counts = {0: drawn.loc[arm.id, "count"]} | where(known, group=arm.id).set_index("time")["n"].to_dict()
            ticks = _spaced([0, *tested, *sorted(own["visit"].unique())], gap=0.105 * columns * max(values["visit"].max(), 1) / 3)
            axis.set_xticks(ticks, [f"{tick:g}\n{format_whole(counts.get(tick, 0))}" for tick in ticks], fontsize=8)
            axis.set_xlabel(f"{data.study.time.unit.capitalize()}; below, {unit_label(known)} with a value", fontsize=8)
        _scale(axes[0, 0], quantity)
        for first in axes[:, 0]:
            first.set_ylabel(_change_label(quantity))
        whole = drawn.loc[everybody(data)]
        alt = (
            f"One line per patient. {format_whole(whole['count'])} of {counted(whole)} are drawn; "
            "the others have no baseline or no later value."
        )
        return write_figure(figure, f"{analysis.variable}_trajectories", f"{quantity.label}: course of each patient", alt)


@empty_if_absent
def plot_summary(data: Dataset, analysis: Analysis) -> Figure:
    """Median change and its quartiles by visit and arm, with the numbers behind them; open where few are left."""
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
            top.plot(own["x"][few] + offset, own["median"][few], marker, color=arm.colour, markerfacecolor="white", markersize=5)
            top.plot(own["x"][~few] + offset, own["median"][~few], marker, color=arm.colour, markersize=5)
            top.plot([], [], marker=marker, markersize=5, linewidth=1.2, label=arm.label, **look)
            told.append(f"{arm.label} {_last_median(own[~few], quantity, data)}")
        top.axhline(start, color=GREY, linewidth=0.8, zorder=0)
        _scale(top, quantity)
        top.set_ylabel(_change_label(quantity))
        top.set_xticks(range(len(visits)), [f"{visit:g}" for visit in visits])
        top.set_xlim(-0.5, max(len(visits), 2) - 0.5)
        top.set_xlabel(f"Visit, {data.study.time.unit} (open: fewer than {least} {unit_label(changes)})")
        figure.legend(loc="outside upper left", ncols=3, fontsize=8, handlelength=3)
        baseline = where(analysis[f"{name}_level"], time=0).assign(x=0)
        counts = pd.concat([baseline, changes])
        _write_counts(bottom, data, "With a value", counts, top.get_xlim())
        alt = f"Medians with quartiles by visit and arm. The last median of at least {least} {unit_label(changes)}: {'; '.join(told)}."
        return write_figure(figure, f"{name}_summary", f"{quantity.label}: change from baseline by visit and arm", alt)


def _changes(analysis: Analysis, quantity: Measure) -> pd.DataFrame:
    """Change since baseline by visit and arm, as it is drawn."""
    return analysis[f"{analysis.variable}_{'change_ratio' if quantity.log else quantity.described}"]


def _scale(axes, quantity: Measure) -> None:
    if quantity.log:
        axes.set_yscale("log")
        plain_log_ticks(axes)


def _change_label(quantity: Measure) -> str:
    return "Ratio to baseline" if quantity.log else f"Change from baseline, {quantity.change_unit}"


def _spaced(visits: list[float], gap: float) -> list[float]:
    """Visits to label: the first ones given, and whichever others stand far enough from those before them."""
    chosen: list[float] = []
    for visit in visits:
        if all(abs(visit - other) >= gap for other in chosen):
            chosen.append(visit)
    return sorted(chosen)


def _last_median(own: pd.DataFrame, quantity: Measure, data: Dataset) -> str:
    if own.empty:
        return "none"
    last = own.iloc[-1]
    value = f"{format_number(last['median'], 2)} of baseline" if quantity.log else f"{format_number(last['median'], 0)} {quantity.change_unit}"
    return f"{value} at {format_duration(last['time'], data.study.time.unit)}"
