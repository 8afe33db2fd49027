"""Pictures of the cohort report: participant flow, enrolment, attendance and timing of scans. Computes nothing."""

from __future__ import annotations

__all__ = ["plot_attendance", "plot_enrolment", "plot_flow", "plot_timing"]


import numpy as np
import pandas as pd
import seaborn
from matplotlib.colors import ListedColormap
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import MaxNLocator

from lib.analyses.cohort.conduct import Attendance, Timing
from lib.analyses.cohort.flow import Enrolment, Flow
from lib.analyses.result import where
from lib.dataset.dataset import Dataset
from lib.fonts import fill, wrap
from lib.languages.notes import worded
from lib.languages.speech import _
from lib.show.display import EMPTY, Block, Figure, empty_if_absent, internal_only
from lib.show.formats import capitalised, format_given, format_number, format_percent, format_whole
from lib.show.labels import OVERALL, counted, everybody, examination_label, flow_step, groups_of, inside, unit_label
from lib.show.phrases import format_duration, joined, unit_name
from lib.show.plots.legends import legend
from lib.show.plots.panel import write_legend
from lib.show.plots.style import GREY, INK, line_style, picture, shown_arms, thin_steps, write_figure

LINE = 0.21  # inches of one line of text
LABELS = 0.3  # share of the width left of the arms
BOX = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": GREY, "linewidth": 0.9}
MISSING = "#d08a3a"  # of a cell in which nobody was examined: the darkest on which INK is read (5.6 to 1)
FEW = "#e4e4e4"  # of a cell of few patients, whose share says little
ARROW = {"arrowstyle": "-|>", "color": GREY, "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0}


@empty_if_absent
def plot_flow(flow: Flow) -> Figure:
    """Participant flow as boxes: all patients, then the arms, then what each is analysed for; zeros are kept."""
    data = flow.dataset
    frame = flow["flow"]
    steps = [_box(data, row) for row in frame[(frame["group"] == OVERALL) & (frame["step"] != "excluded")].to_dict("records")]
    excluded = frame[(frame["group"] == OVERALL) & (frame["step"] == "excluded")]
    if "screened" not in set(frame["step"]):
        steps = [_("Screened, excluded\nnot recorded"), *steps]
    rows = _analysed(data, flow)
    gap, top = 3.1, 1.0
    arms_at = -gap * len(steps) - 1
    first_row = arms_at - 3.5
    bottom = first_row - len(rows) - 0.3
    with picture(LINE * (top - bottom)) as (figure, axes):
        axes.set(xlim=(0, 1), ylim=(bottom, top))
        axes.axis("off")
        centre = LABELS + (1 - LABELS) / 2
        for i, text in enumerate(steps):
            axes.text(centre, -gap * i, text, ha="center", va="center", bbox=BOX, linespacing=1.3)
            if i:
                _arrow(axes, (centre, -gap * (i - 1) - 1.15), (centre, -gap * i + 1.2))
        if len(excluded):
            reasons = [_("{reason}: {count}", reason=worded(r["note"]) or _("Excluded"), count=format_whole(r["count"])) for r in excluded.to_dict("records")]
            axes.annotate("", (0.27, -gap / 2), (centre, -gap / 2), arrowprops=ARROW)
            wrapped = "\n".join(fill(reason, 34, max_lines=1, placeholder="…") for reason in reasons)
            axes.text(0.255, -gap / 2, wrapped, ha="right", multialignment="left", va="center", bbox=BOX, fontsize=8)
        _draw_arms(axes, data, rows, y=arms_at, first_row=first_row, start=(centre, arms_at + 1 + gap - 1.15))
        told = joined([f"{arm.label} {data.n[arm.id]}" for arm in data.arms])
        words = _(", then ").join(inside(step).replace("\n", _(": ")) for step in steps)
        return write_figure(figure, "flow", _("Participant flow"), _("Flow diagram. {words}; by arm: {told}.", words=capitalised(words), told=told), legend(figure, data, "flow"))


def _box(data: Dataset, step: dict) -> str:
    name = flow_step(data.study, step["step"])
    label = _("{label} ({note})", label=name, note=worded(step["note"])) if step["note"] else name
    return f"{label}\nn = {format_whole(step['count'])}"


def _arrow(axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", end, start, arrowprops=ARROW)


def _analysed(data: Dataset, flow: Flow) -> list[tuple[str, dict[str, str]]]:
    """Lines below the arms: label, and the count of each arm in words; a line without counts is a heading."""
    unit, study = data.study.time.unit, data.study

    def counts(frame: pd.DataFrame) -> dict[str, str]:
        return dict(zip(frame["group"], frame["count"].map(format_whole), strict=True))

    def at(visit: float) -> str:
        return _("baseline") if visit == 0 else format_duration(visit, unit)

    rows: list[tuple[str, dict[str, str]]] = [(_("Time to event"), {})]
    rows += [(e.short, counts(where(flow["flow_endpoint"], variable=e.id))) for e in study.endpoints]
    for output, label in (("flow_response_evaluable", _("Response, evaluable")), ("flow_volume", _("Tumour volume"))):
        if output in flow:
            rows.append((label, {}))
            rows += [(at(visit), counts(part)) for visit, part in flow[output].groupby("time")]
    for marker in study.markers:
        own = where(flow["flow_marker"], variable=marker.id) if "flow_marker" in flow else pd.DataFrame()
        if len(own):
            rows.append((_("{marker}, usable", marker=marker.short), {}))
            rows += [(at(visit), counts(part)) for visit, part in own.groupby("time")]
    return rows


def _draw_arms(axes, data: Dataset, rows: list, *, y: float, first_row: float, start: tuple[float, float]) -> None:
    """A box per arm, and below it one box with the number analysed for each line of `rows`."""
    width = (1 - LABELS) / len(data.arms)
    for i, (label, counts) in enumerate(rows):
        axes.text(
            0.02 if counts else 0,
            first_row - i,
            label,
            ha="left",
            va="center",
            fontsize=8,
            fontweight="normal" if counts else "bold",
        )
    for i, arm in enumerate(data.arms):
        x = LABELS + width * (i + 0.5)
        label = "\n".join(wrap(arm.label, max(11, 52 // len(data.arms)), max_lines=3, placeholder=" …"))
        _arrow(axes, start, (x, y + (1.2 + 0.45 * label.count("\n"))))
        size = 8 if len(data.arms) < 5 else 7
        edge = {**BOX, "edgecolor": arm.colour, "linewidth": 1.4}
        axes.text(
            x, y, f"{label}\nn = {data.n[arm.id]}", ha="center", va="center", bbox=edge, fontsize=size, linespacing=1.3
        )
        _arrow(axes, (x, y - 1.2 - 0.45 * label.count("\n")), (x, first_row + 0.65))
        half = min(0.07, 0.4 * width)
        low, high = first_row - len(rows) + 0.4, first_row + 0.6
        axes.fill([x - half, x + half, x + half, x - half], [low, low, high, high],
                  facecolor="white", edgecolor=arm.colour, linewidth=1)  # fmt: skip
        for j, (__, counts) in enumerate(rows):
            if counts:
                axes.text(x, first_row - j, counts.get(arm.id, "0"), ha="center", va="center", fontsize=8)


@internal_only("single patients", "the start of each patient")
@empty_if_absent
def plot_enrolment(enrolment: Enrolment) -> Figure:
    """Patients who had started treatment by each day, one line per arm."""
    data = enrolment.dataset
    starts = enrolment["starts"]
    with picture(2.6) as (figure, axes):
        first, last = starts["date"].min(), starts["date"].max()
        told = []
        for arm, marker in shown_arms(data):
            own = where(starts, arm=arm.id)
            if own.empty:
                continue
            own = own.iloc[thin_steps(own["cumulative"] / own["cumulative"].max())]
            dates = [first, *own["date"], last]
            counts = [0, *own["cumulative"], own["cumulative"].iloc[-1]]
            axes.step(dates, counts, where="post", color=arm.colour, linestyle=line_style(arm), linewidth=1.8, label=arm.label)
            axes.plot(dates[-1], counts[-1], marker, color=arm.colour, markersize=5)
            told.append(_("{arm} {min:%Y-%m} to {max:%Y-%m}", arm=arm.label, min=own['date'].min(), max=own['date'].max()))
        locator = AutoDateLocator(minticks=3, maxticks=9)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylim(bottom=0)
        axes.set_ylabel(_("Patients enrolled"))
        axes.set_xlabel(_("Date of {zero_label}", zero_label=data.study.time.zero_label))
        write_legend(figure, axes, "upper left")
        title = _("Enrolment over time, by arm")
        return write_figure(figure, "enrolment", title, _("Step curves. First to last patient: {join}.", join=_("; ").join(told)), legend(figure, data, "enrolment"))


@empty_if_absent
def plot_attendance(attendance: Attendance) -> Figure:
    """Share of the patients due who were examined, as a grid: a row per examination and arm, a column per visit.

    The darker a cell, the more are missing; it is grey where few were due, and empty where nobody was.
    """
    data, frame = attendance.dataset, attendance["attendance"]
    least = data.study.policy.min_at_risk
    due = frame[(frame["n"] != 0) & frame["group"].isin(groups_of(data))]
    words = due["proportion"].map(lambda share: "m" if np.isnan(share) else format_percent(share).removesuffix("%"))
    words = words + due["n"].map(lambda n: "\nm" if np.isnan(n) else f"\n{format_whole(n)}")
    labels, told = {}, []
    for name in dict.fromkeys(due["variable"]):
        label = examination_label(data.study, name)
        labels |= {(name, ""): label} | {(name, arm.id): arm.label for arm in data.arms}
        total = where(attendance["attendance_total"], variable=name, group=everybody(data)).iloc[0]
        told.append(_("{label} {count} of {n} due", label=label, count=format_whole(total['count']), n=format_whole(total['n'])))
    cells = due.assign(shown=due["proportion"].fillna(1.0), words=words, few=(due["n"] < least).astype(float)).pivot(index=["variable", "group"], columns="time")
    cells = cells.reindex(pd.MultiIndex.from_tuples(labels))
    few = cells["few"] == 1
    palettes = ((seaborn.light_palette(MISSING, reverse=True, as_cmap=True), few), (ListedColormap([FEW]), ~few))
    with picture(0.75 + 0.31 * len(labels)) as (figure, axes):
        for palette, others in palettes:
            seaborn.heatmap(
                cells["shown"], vmin=0, vmax=1, cmap=palette, cbar=False, mask=others | cells["shown"].isna(),
                annot=cells["words"], fmt="", annot_kws={"fontsize": 7, "color": INK, "linespacing": 1.1}, linewidths=1, ax=axes,
                xticklabels=False, yticklabels=False,  # seaborn draws the picture to see whether they overlap, before it has its layout
            )  # fmt: skip
        axes.set_xticks([place + 0.5 for place in range(len(cells["shown"].columns))], [format_given(visit) for visit in cells["shown"]])
        axes.set_yticks([place + 0.5 for place in range(len(labels))], list(labels.values()))
        for (__, arm), label in zip(labels, axes.get_yticklabels(), strict=True):
            label.set(fontsize=8 if arm else 9, fontweight="normal" if arm else "bold")
        axes.tick_params(length=0)
        masked = _("; m: masked") if words.str.contains("m").any() else ""
        axes.set_ylabel("")
        axes.set_xlabel(_("Scheduled visit, {unit}", unit=unit_name(data.study.time.unit)))
        figure.supxlabel(_("In each cell the share examined, in %, above the patients due (grey: fewer than {least}{masked})", least=least, masked=masked), fontsize=8)
        alt = _("Grid of visits by arm; the darker a cell, the more are missing, and grey where fewer than {least} were due. Examined: {join}.", least=least, join=_("; ").join(told))
        return write_figure(figure, "attendance", _("Examined at each visit, of the patients due"), alt, legend(figure, data, "attendance"))


@empty_if_absent
def plot_timing(timing: Timing) -> Figure | Block:
    """Interval that ends at each visit by arm: median, quartiles, and what the schedule asks for; pale where few are left."""
    data = timing.dataset
    if "scan_interval_visit" not in timing:  # nobody was scanned twice
        return EMPTY
    frame = timing["scan_interval_visit"]
    frame = frame[(frame["n"] > 0) & frame["group"].isin(groups_of(data))]
    visits, least = sorted(frame["time"].unique()), data.study.policy.min_at_risk
    offsets = np.linspace(-0.24, 0.24, len(data.arms)) if len(data.arms) > 1 else [0.0]
    with picture(2.9) as (figure, axes):
        for (arm, marker), offset in zip(shown_arms(data), offsets, strict=True):
            for row in where(frame, group=arm.id).to_dict("records"):
                x, enough = visits.index(row["time"]) + offset, row["n"] >= least
                look = {"color": arm.colour, "alpha": 1.0 if enough else 0.4}
                axes.plot([x, x], [row["q1"], row["q3"]], linewidth=1.6, **look)
                axes.plot(
                    x, row["median"], marker, markersize=5, markerfacecolor=arm.colour if enough else "white", **look
                )
            axes.plot([], [], marker, color=arm.colour, markersize=5, label=arm.label)
        _draw_schedule(axes, data, visits)
        axes.set_xticks(range(len(visits)), [format_given(visit) for visit in visits])
        axes.set_ylim(bottom=0)
        axes.set_ylabel(_("Days since the scan before"))
        axes.set_xlabel(_("Visit, {unit} (pale: fewer than {least} {unit_label})", unit=unit_name(data.study.time.unit), least=least, unit_label=unit_label(frame)))
        write_legend(figure, axes, "upper left", "lower right")
        intervals = timing["scan_interval"]
        told = [
            f"{data.study.arm(r['group']).label} {counted(r)}"
            + (_(", median {median} days", median=format_number(r['median'], 0)) if r["n"] else "")
            for r in intervals[intervals["group"].isin(groups_of(data))].to_dict("records")
        ]
        alt = _("Medians with quartiles by visit and arm, and the scheduled interval. In all: {join}.", join=_("; ").join(told))
        return write_figure(figure, "timing", _("Interval between scans at each visit, by arm"), alt, legend(figure, data, "timing"))


def _draw_schedule(axes, data: Dataset, visits: list[float]) -> None:
    """The interval that the schedule asks for, as a grey bar behind each visit."""
    schedule = sorted(data.study.visits.schedule) if data.study.visits else []
    label = _("scheduled")
    for x, visit in enumerate(visits):
        before = [v for v in schedule if v < visit]
        if visit in schedule and before:
            days = (visit - before[-1]) * data.study.time.days_per_unit
            axes.plot([x - 0.38, x + 0.38], [days, days], color=GREY, linewidth=1.2, zorder=0, label=label)
            label = "_"
