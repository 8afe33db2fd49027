"""Pictures of a component that takes time to be added: whose days are immortal, and both strategies. Computes nothing."""

from __future__ import annotations

__all__ = ["plot_immortal_days", "plot_strategies"]

import numpy as np
import pandas as pd
from matplotlib.ticker import PercentFormatter

from lib.analyses.models.immortal import Immortal
from lib.analyses.result import where
from lib.dataset.dataset import Dataset
from lib.languages.notes import worded
from lib.languages.speech import _
from lib.show.display import EMPTY, Block, Figure, empty_if_absent, internal_only
from lib.show.formats import capitalised, format_number, format_percent, format_whole
from lib.show.labels import inside
from lib.show.phrases import plural, unit_name
from lib.show.plots.legends import legend
from lib.show.plots.panel import write_legend
from lib.show.plots.style import GREY, INK, PALE, picture, thin_steps, write_figure
from lib.statistics.weighting.cloning import ADDED, NOT_ADDED, STRATEGIES

# Of more patients lines cannot be told apart: shares of them are drawn instead.
FEW_LINES = 60
# How far beyond the period the picture reaches, in periods.
BEYOND = 2.0
IMMORTAL = "#CC79A7"


@internal_only("single patients", "days before a component was added, one line per patient", scales=True)
@empty_if_absent
def plot_immortal_days(immortal: Immortal) -> Figure:
    """The days between time zero and adding the component: a line per patient, or shares of many."""
    data, patients = immortal.dataset, immortal["patients"]
    within = float(data.study.strategy.within_days)
    limit = max(BEYOND * within, min(patients["added_days"].max() * 1.1, 2 * BEYOND * within))
    few = len(patients) <= FEW_LINES
    with picture(1.0 + (0.13 * len(patients) if few else 2.2)) as (figure, axes):
        (_draw_lines if few else _draw_shares)(axes, patients, limit)
        axes.axvline(within, color=GREY, linewidth=0.9, linestyle="dashed")
        axes.set_xlim(0, limit)
        axes.set_xlabel(_("Days since {zero_label} (dashed: end of the period)", zero_label=data.study.time.zero_label))
        handles, labels = axes.get_legend_handles_labels()
        named = dict(zip(labels, handles, strict=True))
        figure.legend(named.values(), named.keys(), loc="outside upper left", ncols=2, fontsize=8)
        days = immortal["immortal_time"].iloc[0]
        alt = (
            _("{n} added the component; {person_time} before it are immortal, {median} in the middle, {max} at most.", n=plural(days['n'], 'patient'), person_time=plural(days['person_time'], 'day'), median=format_number(days['median'], 0), max=format_number(days['max'], 0))
        )
        who = plural(len(patients), "patient")
        own = legend(figure, data, "immortal_days", who=who) if few else legend(figure, data, "immortal_shares", who=who)
        return write_figure(figure, f"{immortal.variable}_immortal_days", _("Whose days are immortal"), alt, own)


def _draw_lines(axes, patients: pd.DataFrame, limit: float) -> None:
    """Who added on top, the latest first; then who did not."""
    order = patients.assign(last=patients["added_days"].fillna(-1)).sort_values(["last", "days"], ascending=False, kind="stable")
    for y, row in enumerate(order.itertuples()):
        end, start = min(row.days, limit), 0.0 if pd.isna(row.added_days) else row.added_days
        if pd.notna(row.added_days):
            axes.plot([0, min(start, limit)], [-y, -y], color=IMMORTAL, linewidth=5, solid_capstyle="butt", label=_("Before adding: immortal"))
            axes.plot([min(start, limit), end], [-y, -y], color=INK, linewidth=1.6, solid_capstyle="butt", label=_("After adding"))
            axes.plot(start, -y, "|", color=INK, markersize=8)
        else:
            axes.plot([0, end], [-y, -y], color=GREY, linewidth=1, linestyle="dotted", label=_("Never added"))
        if row.days > limit:
            axes.plot(limit, -y, ">", color=GREY, markersize=3, clip_on=False)
        else:
            axes.plot(end, -y, "X" if row.event else "o", color=INK, markersize=5, label=_("Event") if row.event else _("End of follow-up"))
    axes.set_ylim(-len(order) + 0.3, 0.7)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def _draw_shares(axes, patients: pd.DataFrame, limit: float) -> None:
    """Shares of the patients on each day, one above the other."""
    days = np.arange(0, np.floor(limit) + 1)
    added, end = patients["added_days"].to_numpy(dtype=float), patients["days"].to_numpy(dtype=float)
    event, known = patients["event"].to_numpy(dtype=bool), ~np.isnan(added)
    gone, before = days[:, None] >= end, days[:, None] < np.where(known, added, np.inf)
    states: dict[str, tuple[np.ndarray, dict]] = {
        _("Before adding: immortal"): (~gone & known & before, {"color": IMMORTAL}),
        _("After adding"): (~gone & known & ~before, {"color": "#56B4E9"}),
        _("Never added"): (~gone & ~known, {"color": PALE}),
        _("Event"): (gone & event, {"color": INK}),
        _("End of follow-up"): (gone & ~event, {"facecolor": "white", "edgecolor": GREY, "hatch": "....", "linewidth": 0}),
    }
    base = np.zeros(len(days))
    for label, (state, look) in states.items():
        if not state.any():
            continue
        top = base + state.mean(axis=1)
        axes.fill_between(days, base, top, step="post", label=label, **look)
        base = top
    axes.set_ylim(0, 1)
    axes.set_ylabel(_("Share of the patients"))
    axes.yaxis.set_major_formatter(PercentFormatter(1))


def _colours(data: Dataset) -> dict[str, str]:
    """A strategy has the colour of the arm that is formed by it, where there is one."""
    adds = next(c for c in data.study.treatments.components if c.id == data.study.strategy.add).arms
    own = [arm for arm in data.arms if arm.id in data.study.strategy.arms]
    having, lacking = ([arm.colour for arm in own if (arm.id in adds) is has] for has in (True, False))
    return {ADDED: having[0] if len(having) == 1 else INK, NOT_ADDED: lacking[0] if len(lacking) == 1 else GREY}


@internal_only("single patients", "curves of both strategies, which step for single patients", scales=True)
@empty_if_absent
def plot_strategies(immortal: Immortal) -> Figure | Block:
    """Weighted curves of both strategies (bold) over the naive ones (thin)."""
    if "strategy_curve" not in immortal:
        return EMPTY
    data, colours = immortal.dataset, _colours(immortal.dataset)
    endpoint, styles = data.study.endpoint(immortal.variable), {ADDED: "solid", NOT_ADDED: "dashed"}
    with picture(3.3) as (figure, axes):
        for group in reversed(STRATEGIES):
            for name, drawn in (("naive_curve", {"linewidth": 0.9, "alpha": 0.6}), ("strategy_curve", {"linewidth": 2, "label": capitalised(worded(group))})):
                curve = where(immortal[name], group=group)
                curve = curve.iloc[thin_steps(curve["survival"])]
                axes.step(curve["time"], curve["survival"], where="post", color=colours[group], linestyle=styles[group], **drawn)
        axes.axvline(data.study.strategy.within_days / data.study.time.days_per_unit, color=GREY, linewidth=0.9, linestyle="dotted")
        axes.set(ylim=(0, 1.02), ylabel=endpoint.label if len(endpoint.label) < 40 else endpoint.short)
        axes.set_xlim(left=0)
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.set_xlabel(_("{unit} since {zero_label} (dotted: end of the period)", unit=unit_name(data.study.time.unit).capitalize(), zero_label=data.study.time.zero_label))
        write_legend(figure, axes, "upper right", title=_("Bold: both strategies, weighted; thin: ever added, from time zero"))
        sizes = where(immortal["strategy_weight"], variable="cloned").set_index("group")
        told = [_("{group}, {at} of {at2}", group=worded(group), at=format_number(sizes.at[group, 'ess'], 1), at2=format_whole(sizes.at[group, 'n'])) for group in reversed(STRATEGIES)]
        shares = where(immortal["strategy_share"], variable="cloned").dropna(subset=["estimate"])
        ends = [_("{group} {share}", group=worded(group), share=format_percent(part["estimate"].iat[-1])) for group, part in shares.groupby("group", sort=False)]
        alt = _("Curves of both strategies, weighted, over naive ones. Effective patients of who stayed: {join}.", join=_("; ").join(told)) + (_(" Without the event at the last time: {join}.", join=_("; ").join(ends)) if ends else "")
        return write_figure(
            figure, f"{endpoint.id}_strategies_plot", _("{endpoint} under both strategies", endpoint=endpoint.short), alt,
            legend(figure, data, "strategies", endpoint=inside(endpoint.label), label=data.study.strategy.label, who=plural(len(immortal["patients"]), "patient")),
        )  # fmt: skip
