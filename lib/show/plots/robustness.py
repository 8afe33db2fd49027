"""Pictures of robustness, subgroups and confounding. Computes nothing."""

from __future__ import annotations

__all__ = ["draw_ratio", "log_axis", "plot_balance", "plot_robustness", "plot_subgroups", "plot_weighted_curves", "ratio_span"]


import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter, NullFormatter, PercentFormatter

from lib.analyses.efficacy.survival import Survival
from lib.analyses.result import where
from lib.analyses.robustness.confounding import Weights
from lib.analyses.robustness.robustness import Robustness
from lib.analyses.robustness.subgroups import Subgroups
from lib.dataset.dataset import Dataset
from lib.fonts import fill, wrap
from lib.languages.speech import _
from lib.show.display import Figure, empty_if_absent, internal_only
from lib.show.formats import (
    MASKED,
    format_given,
    format_interval,
    format_limit,
    format_number,
    format_p,
    format_whole,
    is_masked,
    p_value,
    said_p,
)
from lib.show.labels import OVERALL, covariate_label, inside, level_text, pair_label
from lib.show.phrases import joined, p_values, unit_name
from lib.show.plots.legends import legend
from lib.show.plots.panel import picture_with_counts, write_at_risk, write_legend
from lib.show.plots.style import GREY, INK, PALE, line_style, picture, thin_steps, write_figure
from lib.show.ways import level_label, subgroup_of, way_label
from lib.statistics.comparisons import ALPHA, name_pair
from lib.study.endpoints import Endpoint

# What is drawn of a p-value or hazard ratio stays inside these; beyond, an arrow head points outwards.
P_SPAN, HR_SPAN = (1e-4, 1.0), (0.05, 20.0)
# Ways of several pairs are in the table only.
PAIRS = ("rmst", "pairwise")
# Characters of a line of a subgroup's label, and where the counts of the two arms end (of the width of their axes).
LABEL, COLUMNS = 22, (0.7, 1.0)


def log_axis(axes, span: tuple[float, float], ticks: list[float]) -> None:
    """Make an axis of ratios, with those of `ticks` that lie on it."""
    axes.set_xscale("log")
    axes.set_xlim(span)
    axes.set_xticks([t for t in ticks if span[0] <= t <= span[1]])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, __: format_given(v)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="x", which="minor", length=0)


def draw_ratio(axes, y: float, row: pd.Series, colour: str, span: tuple[float, float], *, size: float = 5, mark: str = "s", hollow: bool = False) -> None:
    """Hazard ratio with its interval; a limit outside the axis becomes an arrow head."""
    low = span[0] if pd.isna(row["ci_low"]) else row["ci_low"]
    high = span[1] if pd.isna(row["ci_high"]) else row["ci_high"]
    inside = np.clip([low, high], *span)
    axes.plot(inside, [y, y], color=colour, linewidth=1.4, solid_capstyle="butt")
    for value, end, head in ((low, inside[0], "<"), (high, inside[1], ">")):
        if value != end or value in span:
            axes.plot(end, y, head, color=colour, markersize=4, clip_on=False)
    if span[0] <= row["hr"] <= span[1]:
        axes.plot(row["hr"], y, mark, color=colour, markersize=size, markerfacecolor="white" if hollow else colour)


def ratio_span(rows: pd.DataFrame) -> tuple[float, float]:
    """Axis that holds 0.5, 2 and the intervals, within `HR_SPAN`."""
    limits = rows[["hr", "ci_low", "ci_high"]].to_numpy(dtype=float).ravel()
    limits = [0.5, 2.0, *limits[np.isfinite(limits) & (limits > 0)]]
    return max(min(limits) / 1.15, HR_SPAN[0]), min(max(limits) * 1.15, HR_SPAN[1])


@empty_if_absent
def plot_robustness(robust: Robustness) -> Figure:
    """P-value and hazard ratio of every way to ask the question, one row each."""
    data = robust.dataset
    pair, ways = name_pair(*data.contrast), robust["ways"]
    drawn = []
    for (way, time), part in ways[~ways["way"].isin(PAIRS)].groupby(["way", "time"], sort=False, dropna=False):
        ratio, tests = part[(part["group"] == pair) & part["hr"].notna()], part[part["group"] != pair]
        drawn.append((way_label(data, robust, way, time), (tests if len(tests) else part).iloc[0], ratio))
    colour = data.study.arm(data.contrast[0]).colour
    labels = [fill(label, 38) for label, __, __ in drawn]
    lines = sum(label.count("\n") + 1 for label in labels)
    span = ratio_span(ways[(ways["group"] == pair) & ways["hr"].notna()])
    with picture(1.2 + 0.155 * lines + 0.06 * len(drawn), 1, 3, sharey=True, width_ratios=[1.1, 1.1, 0.8]) as (figure, (left, right, words)):
        place, places = 0.0, []
        for label, (__, row, ratio) in zip(labels, drawn, strict=True):
            depth = label.count("\n") + 1
            y = -(place + depth / 2)
            places.append(y)
            place += depth + 0.35
            _p_value(left, y, row)
            if len(ratio):
                draw_ratio(right, y, ratio.iloc[0], colour, span)
                words.text(1, y, _in_words(ratio.iloc[0]), va="center", ha="right", fontsize=7.5)
            elif pd.isna(row["p_value"]) and pd.isna(row["min"]):
                left.text(
                    P_SPAN[0] * 1.15,
                    y,
                    _("not made") if str(row["note"]).startswith("not made") else _("no {p_value}", p_value=p_value()),
                    color=GREY,
                    fontsize=7.5,
                    va="center",
                )
        left.axvline(ALPHA, color=GREY, linewidth=0.9, linestyle="dashed")
        words.text(1, 0.2, _("Hazard ratio\n({level} CI)", level=level_text(data)), va="bottom", ha="right", fontsize=7.5, color=GREY)
        words.axis("off")
        words.set_xlim(0, 1)
        left.set_yticks(places, labels, fontsize=7.5)
        left.set_ylim(-place, 0.2)
        left.tick_params(axis="y", length=0)
        log_axis(left, P_SPAN, [1e-4, 1e-3, 0.01, 0.05, 0.2, 1])
        _ratio_axis(right, data, span)
        left.set_xlabel(_("{p_value} (dashed: {limit})", p_value=p_value(), limit=format_limit()))
        tests = where(robust["robustness_tests"], variable=f"{robust.variable}: p-values").iloc[0]
        alt = (
            (_("Dots of {p_values}, {n_below} of them below {limit}, and hazard ratios with intervals. ", p_values=p_values(tests['n_tests']), n_below=format_whole(tests['n_below']), limit=format_limit()) if tests["n_tests"] else _("No way gives a {p_value}.", p_value=p_value()))
            + _("; ").join(
                _("{label}: {p}", label=label, p=format_p(row["p_value"], symbol=True))
                for label, row, __ in drawn
                if pd.notna(row["p_value"])
            )
        )
        endpoint = data.study.endpoint(robust.variable)
        return write_figure(
            figure,
            f"{endpoint.id}_robustness_plot",
            _("{endpoint}: {p_value} and hazard ratio in every way of asking", endpoint=endpoint.short, p_value=p_value()),
            alt,
            legend(figure, data, "robustness", endpoint=endpoint.label, pair=pair_label(data, pair), p_value=p_value(), limit=format_limit()),
        )


def _p_value(axes, y: float, row: pd.Series) -> None:
    """Filled below 0.05, open above; a range as a bar; what lies below the axis as an arrow head."""
    if pd.notna(row["min"]):
        axes.plot(
            np.clip([row["min"], row["max"]], *P_SPAN),
            [y, y],
            color=INK,
            linewidth=3,
            alpha=0.55,
            solid_capstyle="butt",
        )
    if pd.notna(row["p_value"]):
        low = row["p_value"] < P_SPAN[0]
        face = INK if row["p_value"] < ALPHA else "white"
        axes.plot(
            max(row["p_value"], P_SPAN[0]),
            y,
            "<" if low else "o",
            color=INK,
            markerfacecolor=face,
            markersize=5,
            clip_on=False,
        )


@empty_if_absent
def plot_subgroups(subgroups: Subgroups) -> Figure:
    """Forest of the hazard ratio by subgroup, with events and patients of the two arms, and the ratio in words."""
    data = subgroups.dataset
    ratios, pair = subgroups["subgroup"], name_pair(*data.contrast)
    lines, shown = [], ""
    for __, row in ratios.iterrows():
        heading, level = level_label(data, row["variable"])
        if level and subgroup_of(row["variable"]) != shown:
            shown = subgroup_of(row["variable"])
            lines.append((fill(heading, LABEL), None, shown))
        lines.append((fill(level or heading, LABEL), row, row["variable"]))
    places = np.cumsum([0, *(-1 - 0.65 * label.count("\n") for label, __, __ in lines)])
    middles, arms = (places[1:] + places[:-1]) / 2, [wrap(data.study.arm(a).label, 12, max_lines=4, placeholder=" …") for a in data.contrast]
    head = max(map(len, arms)) + 1
    with picture(0.8 + 0.25 * -places[-1] + 0.14 * head, 1, 3, sharey=True, width_ratios=[2.0, 1.5, 1.35]) as (figure, (left, axes, right)):
        axes.set_ylim(places[-1] - 0.1, 0.3 + 0.56 * head)
        for y, line in zip(middles, lines, strict=True):
            _write_subgroup((left, axes, right), y, line, subgroups)
        overall, span = ratios["hr"].iat[0], ratio_span(ratios)
        if pd.notna(overall) and span[0] < overall < span[1]:
            axes.axvline(overall, color=PALE, linewidth=1.2, linestyle="dashed", zorder=0)
        _ratio_axis(axes, data, span)
        small = {"va": "bottom", "ha": "right", "fontsize": 7.5, "clip_on": False}
        for x, arm, label in zip(COLUMNS, data.contrast, arms, strict=True):
            left.text(x, 0.25, "\n".join([*label, _("events/n")]), color=data.study.arm(arm).colour, **small)
        right.text(0.62, 0.25, _("Hazard ratio\n({level} CI)", level=level_text(data)), color=GREY, **small)
        right.text(1, 0.25, _("{p} for\ninteraction", p=said_p()), color=GREY, **small)
        for side in (left, right):
            side.axis("off")
            side.set_xlim(0, 1)
        told = [f"{' '.join(level_label(data, r['variable'])).strip()} {_in_words(r)}" for __, r in ratios.iterrows() if pd.notna(r["hr"])]
        endpoint = data.study.endpoint(subgroups.variable)
        alt = _("Forest plot, {pair_label}. Hazard ratios: {value}.", pair_label=pair_label(data, pair), value=_("; ").join(told) or _("none can be estimated"))
        return write_figure(figure, f"{endpoint.id}_forest", _("{endpoint} by subgroup", endpoint=endpoint.short), alt, _forest_legend(figure, data, endpoint))


def _forest_legend(figure, data: Dataset, endpoint: Endpoint) -> str:
    pair = pair_label(data, name_pair(*data.contrast))
    return legend(figure, data, "forest", endpoint=inside(endpoint.label), pair=pair)


def _write_subgroup(panels: tuple, y: float, line: tuple, subgroups: Subgroups) -> None:
    """One line of the forest: a heading with its test of interaction, or a subgroup with its counts and ratio."""
    data, (left, axes, right), (label, row, variable) = subgroups.dataset, panels, line
    text = {"va": "center", "fontsize": 8}
    if row is None:
        p_value = subgroups["interaction"].set_index("variable")["p_value"][variable]
        left.text(0, y, label, fontweight="bold", **text)
        right.text(1, y, format_p(p_value) if pd.notna(p_value) else _("not tested"), ha="right", **text)
        return
    counts = where(subgroups["subgroup_count"], variable=variable).set_index("group")
    left.text(0 if label == _("All patients") else 0.04, y, label, **text)
    for x, arm in zip(COLUMNS, data.contrast, strict=True):
        left.text(x, y, f"{format_whole(counts.at[arm, 'n_events'])}/{format_whole(counts.at[arm, 'n'])}", ha="right", **text)
    right.text(0.62, y, _in_words(row), ha="right", **text)
    if pd.notna(row["hr"]):
        # The area of a square is its weight: the number of events.
        size = max(2.5, 9 * np.sqrt(counts["n_events"].sum() / max(_largest(subgroups), 1)))
        draw_ratio(axes, y, row, data.study.arm(data.contrast[0]).colour, ratio_span(subgroups["subgroup"]), size=size)


def _in_words(row: pd.Series) -> str:
    if pd.isna(row["hr"]):
        return _(MASKED) if is_masked(row) else _("not estimated")
    return f"{format_number(row['hr'], 2)} ({format_interval(row['ci_low'], row['ci_high'], 2)})"


def _ratio_axis(axes, data: Dataset, span: tuple[float, float]) -> None:
    """Axis of a hazard ratio: 1 as a line, and under it which side has fewer events, whatever an event is."""
    axes.axvline(1, color=GREY, linewidth=0.9, zorder=0)
    log_axis(axes, span, [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20])
    axes.tick_params(axis="y", length=0)
    sides = [wrap(data.study.arm(arm).label, 13, max_lines=3, placeholder=" …") for arm in data.contrast]
    deep = max(map(len, sides))
    first, second = ("\n".join(side + [""] * (deep - len(side))) for side in sides)
    axes.set_xlabel("\n" * (deep + 1), fontsize=7.5)  # keeps the room
    for x, words in ((0.0, _("◄ Fewer events\n{first}", first=first)), (1.0, _("Fewer events ►\n{second}", second=second))):
        axes.annotate(words, (x, 0), (0, -17), xycoords="axes fraction", textcoords="offset points", ha="right" if x else "left", va="top", fontsize=7.5)


def _largest(subgroups: Subgroups) -> float:
    return float(subgroups["subgroup_count"].groupby("variable")["n_events"].sum().max())


@empty_if_absent
def plot_balance(weights: Weights) -> Figure:
    """Love plot: largest standardized difference of each baseline variable before (open) and after (filled) weighting."""
    data = weights.dataset
    before, after = (
        where(weights[f"balance_{when}"], group=OVERALL).set_index("variable")["smd"] for when in ("before", "after")
    )
    modelled = len(data.study.confounding.covariates)
    with picture(0.95 + 0.25 * len(before)) as (figure, axes):
        for i, variable in enumerate(before.index):
            axes.plot([before[variable], after[variable]], [-i, -i], color=PALE, linewidth=1.5, zorder=1)
            axes.plot(
                before[variable],
                -i,
                "o",
                color=INK,
                markerfacecolor="white",
                markersize=6,
                label=_("Before weighting") if not i else None,
            )
            axes.plot(after[variable], -i, "s", color=INK, markersize=5, label=_("After weighting") if not i else None)
        axes.axvline(0.1, color=GREY, linewidth=0.9, linestyle="dashed")
        axes.axhline(0.5 - modelled, color=PALE, linewidth=0.8)
        axes.set_yticks(
            [-i for i in range(len(before))], [covariate_label(data, v) for v in before.index], fontsize=8.5
        )
        axes.tick_params(axis="y", length=0)
        axes.set_xlim(left=0)
        axes.set_ylim(0.4 - len(before), 0.6)
        axes.set_xlabel(_("Largest standardized difference (dashed: {value}; above the line: in the model)", value=format_given(0.1)))
        figure.legend(loc="outside upper right", ncols=2, fontsize=8)
        told = [
            _("{covariate_label} from {before} to {after}", covariate_label=covariate_label(data, v), before=format_number(before[v], 2), after=format_number(after[v], 2))
            for v in before.index[:modelled]
        ]
        return write_figure(
            figure, "love", _("Balance before and after weighting"), _("Love plot. In the model: {listed}.", listed=joined(told)), legend(figure, data, "balance")
        )


@internal_only("single patients", "weighted curves, which step for single patients", scales=True)
@empty_if_absent
def plot_weighted_curves(analysis: Survival, weights: Weights) -> Figure:
    """Kaplan-Meier curves with overlap weights (bold) over the crude ones (thin)."""
    data = analysis.dataset
    endpoint = data.study.endpoint(analysis.variable)
    with picture_with_counts(3.1, data) as (figure, axes, bottom):
        for arm in data.arms:
            for curves, drawn in (
                (analysis["curve"], {"linewidth": 0.9, "alpha": 0.6}),
                (weights["weighted_curve"], {"linewidth": 2, "label": arm.label}),
            ):
                curve = where(curves, group=arm.id)
                curve = curve.iloc[thin_steps(curve["survival"])]
                drawn |= {"where": "post", "color": arm.colour, "linestyle": line_style(arm)}
                axes.step(curve["time"], curve["survival"], **drawn)
        axes.set(ylim=(0, 1.02), ylabel=endpoint.label if len(endpoint.label) < 40 else endpoint.short)
        axes.set_xlim(left=0)
        write_at_risk(axes, bottom, data, weights["weighted_at_risk"], _("At risk, unweighted"))
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.set_xlabel(_("{unit} since {zero_label}", unit=unit_name(data.study.time.unit).capitalize(), zero_label=data.study.time.zero_label))
        write_legend(figure, axes, "upper right", title=_("Bold: weighted; thin: crude"))
        sizes = [
            _("{arm} {ess} of {n}", arm=data.study.arm(r.group).label, ess=format_number(r.ess, 1), n=r.n)
            for r in weights["effective_size"].itertuples()
            if r.n
        ]
        alt = (
            _("Kaplan-Meier curves of each arm, weighted and crude. Effective patients after weighting: {listed}.", listed=joined(sizes))
        )
        return write_figure(
            figure, f"{endpoint.id}_weighted_curves", _("{endpoint} by arm, weighted for the covariates", endpoint=endpoint.short), alt,
            legend(figure, data, "weighted", endpoint=inside(endpoint.label)),
        )  # fmt: skip
