"""Response by visit, and response over time. Computes nothing."""

from __future__ import annotations

__all__ = ["plot_response", "plot_response_incidence"]

import pandas as pd
from matplotlib.ticker import PercentFormatter

from lib.analyses.efficacy.response import ResponseRates, ResponseTime
from lib.analyses.result import where
from lib.dataset.dataset import Dataset
from lib.show.display import Block, Figure, empty_if_absent, withheld
from lib.show.formats import format_duration, format_number, format_percent, format_whole, joined
from lib.show.labels import OVERALL
from lib.show.plots.legends import legend
from lib.show.plots.panel import draw_incidence, picture_with_counts, write_at_risk, write_legend
from lib.show.plots.style import CATEGORY_COLOURS, CATEGORY_HATCHES, GREY, INK, picture, write_figure


@empty_if_absent
def plot_response(response: ResponseRates) -> Figure | Block:
    """Share of each response category by visit and arm, as stacked bars with counts."""
    data = response.dataset
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
        axes[-1, 0].set_xlabel(f"Share of all {data.study.by_design.entered} patients")
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
            legend(figure, data, "response"),
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
                -i, value / n, left=left, color=colour, edgecolor=GREY, linewidth=0.6, height=0.72, label=name,
                hatch=CATEGORY_HATCHES.get(name),
            )  # fmt: skip
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
                    bbox={"facecolor": colour, "edgecolor": "none", "pad": 1} if name in CATEGORY_HATCHES else None,
                )
            left += value / n
    axes.set_yticks([-i for i in range(len(data.arms))], [f"{arm.label} (n = {data.n[arm.id]})" for arm in data.arms])
    axes.set_xlim(0, 1)
    axes.tick_params(axis="y", length=0)


@empty_if_absent
def plot_response_incidence(timed: ResponseTime) -> Figure:
    """Share of each arm with a first response over time, progression and death competing."""
    data = timed.dataset
    curve, table = timed["incidence_curve"], timed["response_incidence"]
    longest = 1.05 * max(float(curve["time"].max()), float(table["time"].max()))
    with picture_with_counts(3.0, data) as (figure, axes, bottom):
        draw_incidence(axes, data, curve, longest, "Patients with a response")
        write_at_risk(axes, bottom, data, timed["response_at_risk"])
        write_legend(figure, axes, "upper left")
        end = table["time"].max()
        told = [
            f"{data.study.arm(r.group).label} {format_percent(r.estimate)} ({format_whole(r.n_events)} responses)"
            for r in table[table["time"] == end].itertuples()
        ]
        alt = f"Cumulative incidence of response as steps. By {format_number(end, 1)} {data.study.time.unit}: {joined(told)}."
        return write_figure(figure, "response_incidence_curve", "Cumulative incidence of response by arm", alt, legend(figure, data, "incidence"))
