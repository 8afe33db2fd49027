"""Power and assurance of the next trial by its number of events. Computes nothing."""

from __future__ import annotations

__all__ = ["plot_next_trial"]

import numpy as np
from matplotlib.ticker import FuncFormatter, NullLocator, PercentFormatter

from lib.analyses.outlook.next_trial import LIMIT, POWERS, SEEN, WORTHWHILE, NextTrial
from lib.analyses.result import where
from lib.languages.speech import _
from lib.show.display import EMPTY, Block, Figure, empty_if_absent
from lib.show.formats import format_given, format_number, format_percent, format_whole
from lib.show.labels import inside, pair_label
from lib.show.phrases import joined
from lib.show.plots.legends import legend
from lib.show.plots.panel import write_legend
from lib.show.plots.style import GREY, INK, picture, write_figure
from lib.show.ways import EFFECTS
from lib.statistics.comparisons import name_pair

LINES = {SEEN: "dashed", LIMIT: "dotted", WORTHWHILE: "solid"}
TICKS = (10, 20, 50, 100, 200, 500, 1000, 2000)


@empty_if_absent
def plot_next_trial(trial: NextTrial) -> Figure | Block:
    """A line of power for each effect, and of assurance; nothing where there is neither."""
    data, curve = trial.dataset, trial["curve"]
    drawn = [term for term in LINES if term in curve]
    if len(curve.columns) == 1:
        return EMPTY
    endpoint, pair = data.study.endpoint(trial.variable), name_pair(*data.contrast)
    frame = where(trial["next_trial"], step="equal")
    with picture(3.1) as (figure, axes):
        told = []
        for term in drawn:
            rows = where(frame, term=term)
            label = _("Power: {effects}, HR {iat}", effects=inside(_(EFFECTS[term])), iat=format_number(rows['hr'].iat[0], 2))
            axes.plot(curve["events"], curve[term], color=INK, linestyle=LINES[term], linewidth=1.4, label=label)
            known = rows.dropna(subset="events_needed")
            # The power that was asked for, at the events that it takes: what the table says.
            inside_axes = known[known["events_needed"].between(*curve["events"].iloc[[0, -1]])]
            axes.plot(inside_axes["events_needed"], np.interp(inside_axes["events_needed"], curve["events"], curve[term]), "o", color=INK, markersize=4)
            told += [_("{label} ({reached})", label=label, reached=joined([_("{power} at {events_needed} events", power=format_percent(r.power), events_needed=format_whole(r.events_needed)) for r in known.itertuples()]))] if len(known) else []
        if "assurance" in curve:
            axes.plot(curve["events"], curve["assurance"], color=data.study.arm(data.contrast[0]).colour, linewidth=2.4, label=_("Assurance"))
        axes.axhline(POWERS[0], color=GREY, linewidth=0.9, linestyle="dashed", zorder=0)
        axes.set_xscale("log")
        axes.set(ylim=(0, 1.02), xlim=tuple(curve["events"].iloc[[0, -1]]), ylabel=_("Power, assurance"))
        axes.set_xticks(TICKS)
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, __: format_given(value)))
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.set_xlabel(_("Events of the next trial, {endpoint}, on a scale of ratios", endpoint=inside(endpoint.short)))
        write_legend(figure, axes, "lower right")
        alt = _("Lines that rise with the number of events. {value}. {part}", value=_("; ").join(told) or _("No effect to plan for"), part=_("Assurance rises with them, and stays below the probability that there is a benefit at all.") if 'assurance' in curve else '')
        own = legend(figure, data, "next_trial", pair=pair_label(data, pair), aim=format_percent(POWERS[0]))
        return write_figure(figure, f"{endpoint.id}_next_trial_power", _("{endpoint}: power and assurance of the next trial", endpoint=endpoint.short), alt.strip(), own)
