"""Pictures of response over time. Computes nothing."""

from __future__ import annotations

__all__ = ["plot_response_incidence"]

from matplotlib.ticker import PercentFormatter

from lib.analysis import Analysis, where
from lib.dataset import Dataset
from lib.display import Figure, empty_if_absent
from lib.formats import format_number, format_percent, format_whole, joined
from lib.picture import line_style, picture, write_figure
from lib.time_to_event import ticks


@empty_if_absent
def plot_response_incidence(data: Dataset, timed: Analysis) -> Figure:
    """Share of each arm with a first response over time, progression and death competing."""
    curve, table = timed["incidence_curve"], timed["response_incidence"]
    longest = 1.05 * max(float(curve["time"].max()), float(table["time"].max()))
    shown = ticks(longest, data.study.time.unit)
    with picture(3.0) as (figure, axes):
        for arm in data.arms:
            steps = where(curve, group=arm.id)
            time, share = [*steps["time"], longest], [*steps["estimate"], *steps["estimate"].tail(1)]
            axes.step(time, share, where="post", color=arm.colour, linestyle=line_style(arm), linewidth=1.8, label=arm.label)
        axes.set(ylim=(0, 1.02), ylabel="Patients with a response", xlim=(0, longest), xticks=shown)
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.set_xlabel(f"{data.study.time.unit.capitalize()} since {data.study.time.zero_label}")
        figure.legend(loc="outside upper left", ncols=2, fontsize=8, handlelength=3)
        end = table["time"].max()
        told = [
            f"{data.study.arm(r.group).label} {format_percent(r.estimate)} ({format_whole(r.n_events)} responses)"
            for r in table[table["time"] == end].itertuples()
        ]
        alt = f"Cumulative incidence of response as steps. By {format_number(end, 1)} {data.study.time.unit}: {joined(told)}."
        return write_figure(figure, "response_incidence_curve", "Cumulative incidence of response by arm", alt)
