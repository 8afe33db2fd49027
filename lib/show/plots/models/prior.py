"""Pictures of prior, likelihood and posterior: a panel a reader, one under the other on one axis. Computes nothing."""

from __future__ import annotations

__all__ = ["plot_prior_effect", "plot_prior_response"]


import pandas as pd
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from lib.analyses.outlook.prior import VAGUE, PriorEffect
from lib.analyses.outlook.prior_response import PriorResponse
from lib.analyses.result import where
from lib.dataset.dataset import Dataset
from lib.fonts import fill
from lib.languages.speech import N_, _
from lib.show.display import EMPTY, Block, Figure, empty_if_absent
from lib.show.formats import (
    capitalised,
    format_chance,
    format_given,
    format_interval,
    format_number,
    format_percent,
    format_points,
)
from lib.show.labels import inside, pair_label, reader_label, reader_title
from lib.show.phrases import format_duration
from lib.show.plots.legends import legend
from lib.show.plots.style import GREY, INK, picture, shown_arms, write_figure

# Told apart by line as well as by colour.
LOOKS = {
    "prior": {"color": GREY, "linestyle": "dashed", "linewidth": 1.4},
    "likelihood": {"color": "#D55E00", "linestyle": "dotted", "linewidth": 1.8},
    "posterior": {"color": "#0072B2", "linestyle": "solid", "linewidth": 1.8},
}
KINDS = {"prior": N_("Before (prior)"), "likelihood": N_("These data (likelihood)"), "posterior": N_("Now (posterior)")}
ZONE = "#e3efe3"
# On a short axis more of them.
TICKS, MORE, SHORT = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20), (0.3, 0.4, 0.6, 0.8, 1.5, 3, 4), 6
PANEL = 1.15


@empty_if_absent
def plot_prior_effect(found: PriorEffect) -> Figure | Block:
    """Densities of the hazard ratio before, by these data, and now, a panel a reader; the zone worth having is shaded."""
    if "curves" not in found.data:
        return EMPTY
    data, curves = found.dataset, found["curves"]
    rows = found["posterior_effect"].assign(prior=lambda f: f["variable"].str.rpartition(": ")[2])
    worth = data.study.worthwhile.hazard_ratio if data.study.worthwhile else None
    low, high = curves["hr"].min(), curves["hr"].max()
    with picture(0.9 + PANEL * len(rows), len(rows), 2, sharex="col", sharey="col", squeeze=False, width_ratios=[2.6, 1]) as (figure, panels):
        for (axes, words), row in zip(panels, rows.to_dict("records"), strict=True):
            _draw_reader(axes, where(curves, prior=row["prior"]), "hr")
            axes.axvline(1, color=GREY, linewidth=0.9, zorder=0).set_gid(f"{row['prior']}-benefit")
            if worth and worth > low:
                axes.axvspan(low, min(worth, high), color=ZONE, linewidth=0, zorder=-1).set_gid(f"{row['prior']}-worthwhile")
            if pd.notna(row["hr"]):
                axes.plot([row["ci_low"], row["ci_high"]], [0, 0], color=INK, linewidth=3, solid_capstyle="butt")
                axes.plot(row["hr"], 0, "o", color=INK, markersize=5, clip_on=False)[0].set_gid(f"{row['prior']}-median")
            axes.set(xscale="log", xlim=(low, high), ylim=(0, 1.05 * curves["density"].max()))
            _write(words, reader_title(row["variable"]), _effect_lines(data, row))
        bottom = panels[-1][0]
        bottom.xaxis.set_major_locator(FixedLocator([tick for tick in sorted(TICKS + (MORE if high < SHORT * low else ())) if low <= tick <= high]))
        bottom.xaxis.set_minor_locator(NullLocator())
        bottom.xaxis.set_major_formatter(FuncFormatter(lambda value, __: format_given(value)))
        pair = pair_label(data, rows["group"].iat[0])
        bottom.set_xlabel(fill(_("Hazard ratio, {pair}", pair=pair), 60) + _("\nbelow 1: fewer events with the arm named first"), fontsize=8)
        _write_key(figure, _("Worth having: below {worth}", worth=format_number(worth, 2)) if worth else "", curves)
        endpoint = data.study.endpoint(found.variable)
        told = _("; ").join(_("{reader}: {lines}", reader=reader_label(row["variable"]), lines=_(", ").join(_effect_lines(data, row))) for row in rows.to_dict("records"))
        alt = _("Curves of belief about the hazard ratio before, by these data and now, one panel a reader. {told}.", told=capitalised(told))
        own = legend(figure, data, "prior_effect", endpoint=inside(endpoint.label), pair=pair, zone=_zone(bool(worth)))
        return write_figure(figure, f"{found.variable}_prior", _("{endpoint}: what was known before and is known now", endpoint=endpoint.short), alt, own)


def _effect_lines(data: Dataset, row: dict) -> list[str]:
    if pd.isna(row["hr"]):
        return [_("not estimable")]
    enough = [_("worth having {chance}", chance=format_chance(row['probability_worthwhile']))] if pd.notna(row["probability_worthwhile"]) else []
    return [f"{format_number(row['hr'], 2)} ({format_interval(row['ci_low'], row['ci_high'], 2)})", _("benefit {chance}", chance=format_chance(row['probability_benefit'])), *enough]


def _zone(declared: bool) -> str:
    return _(" The shaded zone is the benefit that study.yml calls worth having.") if declared else ""


def _draw_reader(axes, curves: pd.DataFrame, x: str, colour: str = "") -> None:
    """The curves of one reader; in a colour of its own where it is one of several arms."""
    for kind, look in LOOKS.items():
        curve = where(curves, kind=kind)
        if curve.empty:
            continue
        axes.plot(curve[x], curve["density"], **(look | ({"color": colour} if colour else {})))
        if kind == "posterior":
            axes.fill_between(curve[x], curve["density"], color=colour or look["color"], alpha=0.15, linewidth=0)
    axes.yaxis.set_major_locator(NullLocator())
    axes.spines["left"].set_visible(False)


def _write(axes, heading: str, lines: list[str]) -> None:
    axes.axis("off")
    wrapped = fill(heading, 24)
    axes.text(0, 0.95, wrapped, transform=axes.transAxes, va="top", fontsize=8.5, fontweight="bold")
    axes.text(0, 0.95 - 0.17 * (1 + wrapped.count("\n")), "\n".join(lines), transform=axes.transAxes, va="top", fontsize=8, color=INK, linespacing=1.35)


def _write_key(figure, zone: str, curves: pd.DataFrame) -> None:
    drawn = [kind for kind in LOOKS if (curves["kind"] == kind).any()]
    handles = [figure.axes[0].plot([], [], **LOOKS[kind], label=_(KINDS[kind]))[0] for kind in drawn]
    handles += [Patch(color=ZONE, label=zone)] if zone else []
    figure.legend(handles=handles, loc="outside upper left", ncols=2, fontsize=8, handlelength=3)


@empty_if_absent
def plot_prior_response(found: PriorResponse) -> Figure | Block:
    """Densities of the share of responders of the two arms, and of their difference, a row a reader."""
    data, curves = found.dataset, found["curves"]
    if "posterior_share_difference" not in found:
        return EMPTY
    rows = found["posterior_share_difference"].assign(prior=lambda f: f["variable"].str.rpartition(": ")[2]).to_dict("records")
    worth = data.study.worthwhile.response_difference if data.study.worthwhile else None
    arms = [(arm, marker) for arm, marker in shown_arms(data) if arm.id in data.contrast]
    apart = where(curves, group="")["share"]
    with picture(1.15 + 1.45 * len(rows), len(rows), 2, sharex="col", sharey="col", squeeze=False) as (figure, panels):
        for (left, right), row in zip(panels, rows, strict=True):
            for arm, marker in arms:
                # An arm without an earlier result is drawn as it is without a prior.
                own = next(part for name in (row["prior"], VAGUE) if len(part := where(curves, prior=name, group=arm.id)))
                _draw_reader(left, own, "share", arm.colour)
                top = where(own, kind="posterior").nlargest(1, "density")
                left.plot(top["share"], top["density"], marker, color=arm.colour, markersize=6)
            _draw_reader(right, where(curves, prior=row["prior"], group=""), "share")
            right.axvline(0, color=GREY, linewidth=0.9, zorder=0)
            if worth is not None and worth < apart.max():
                right.axvspan(worth, apart.max(), color=ZONE, linewidth=0, zorder=-1)
            left.set(xlim=(0, 1))
            right.set(xlim=(apart.min(), apart.max()))
            left.set_title(reader_title(row["variable"]), loc="left", fontsize=8.5, fontweight="bold")
            right.set_title(_("; ").join(_difference_lines(row)), loc="left", fontsize=8)
        left, right = panels[-1]
        _top(panels, curves, data)
        left.xaxis.set_major_formatter(FuncFormatter(lambda share, __: format_percent(share)))
        right.xaxis.set_major_locator(MaxNLocator(5, symmetric=True))
        right.xaxis.set_major_formatter(FuncFormatter(lambda share, __: format_points(share)))
        left.set_xlabel(_("Share of responders"), fontsize=8)
        right.set_xlabel(fill(_("Points, {pair_label}", pair_label=pair_label(data, rows[0]['group'])), 48), fontsize=8)
        _write_arms(figure, arms, _("Worth having: above {points} points", points=format_points(worth)) if worth else "")
        when = format_duration(found["posterior_share"]["time"].iat[0], data.study.time.unit)
        told = _("; ").join(_("{reader}: {lines}", reader=reader_label(row["variable"]), lines=_(", ").join(_difference_lines(row))) for row in rows)
        own = legend(figure, data, "prior_share", when=when, pair=pair_label(data, rows[0]["group"]), zone=_zone(bool(worth)))
        return write_figure(figure, "response_prior", _("Objective response at {when}: what was known before and is known now", when=when), _("Curves of belief about the share of responders, and about the difference in points. {told}.", told=capitalised(told)), own)


def _top(panels, curves: pd.DataFrame, data: Dataset) -> None:
    """Leave out the corner of a prior that rises beyond all other curves at 0 and 1."""
    shown = curves[(curves["kind"] != "prior") & curves["group"].isin(data.contrast)]
    panels[0][0].set_ylim(0, 1.08 * shown["density"].max())
    panels[0][1].set_ylim(0, None)


def _difference_lines(row: dict) -> list[str]:
    return [_("{points} points ({interval})", points=format_points(row['difference']), interval=format_interval(row['ci_low'], row['ci_high'], 0, percent=True)), _("more responders: {chance}", chance=format_chance(row['probability_benefit']))]


def _write_arms(figure, arms, zone: str) -> None:
    handles = [figure.axes[0].plot([], [], marker=marker, color=arm.colour, label=fill(arm.label, 36))[0] for arm, marker in arms]
    handles += [figure.axes[0].plot([], [], **(look | {"color": INK}), label=_(KINDS[kind]))[0] for kind, look in LOOKS.items()]
    handles += [Patch(color=ZONE, label=zone)] if zone else []
    figure.legend(handles=handles, loc="outside upper left", ncols=2, fontsize=8, handlelength=3)
