"""The tumour's course, patient by patient: waterfall, spider, swimmer.

Thresholds drawn here are those of the response rule on diameters; a picture of volume has none. Computes nothing.
"""

from __future__ import annotations

__all__ = ["plot_spider", "plot_swimmer", "plot_waterfall"]

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lib.analyses.efficacy.course import Course, undrawn
from lib.analyses.result import where
from lib.dataset.dataset import Dataset
from lib.fonts import fill
from lib.languages.speech import N_, _
from lib.show.display import Figure, empty_if_absent, internal_only
from lib.show.formats import capitalised, format_number, format_whole
from lib.show.labels import counted, everybody
from lib.show.phrases import joined, unit_name
from lib.show.plots.legends import legend
from lib.show.plots.style import CATEGORY_COLOURS, CATEGORY_HATCHES, GREY, INK, PALE, picture, write_figure
from lib.study.parts import Arm

# A page is some nine inches high; bars get thinner, and lose their names, rather than run over it.
TALLEST, MOST_NAMES = 9.2, 90
ENDS = {"progressed": ("X", N_("progression")), "died": ("s", N_("died without it")), "left": (">", N_("no progression when last scanned"))}  # fmt: skip
EVENTS = {"response": ("o", "white", N_("first response")), "progression": ("X", INK, N_("progression")), "death": ("s", INK, N_("death")),
          "local": ("v", "#ffffff", N_("local treatment")), "later": ("|", INK, N_("later line starts"))}  # fmt: skip


def _panels(data: Dataset, height: float, widths: list[int]):
    """One panel per arm beside each other, as wide as asked for."""
    return picture(height, 1, len(data.arms), sharey=True, squeeze=False, gridspec_kw={"width_ratios": widths})


def _title(arm: Arm, n: int, arms: int) -> str:
    return f"{fill(arm.label, max(10, 60 // arms))}\nn = {format_whole(n)}"


def _counted(data: Dataset, course: Course, what: str, group: str = "") -> pd.Series:
    """Patients of a group (of all, without one) of whom it holds, and among how many."""
    return where(course["course_count"], variable=what, group=group or everybody(data)).iloc[0]


@internal_only("single patients", "the best change of each patient")
@empty_if_absent
def plot_waterfall(course: Course) -> Figure:
    """Best change of what the response rule adds up, one bar per patient, coloured by best response."""
    data = course.dataset
    rule, patients = data.response, course["course"]
    drawn = patients[patients["no_change"] == ""]
    sizes = [max(int((drawn["arm"] == arm.id).sum()), 3) for arm in data.arms]
    with _panels(data, 3.4, sizes) as (figure, axes):
        for axis, arm in zip(axes[0], data.arms, strict=True):
            own = drawn[drawn["arm"] == arm.id].sort_values(["best_change", "patient_id"], ascending=[False, True])
            for place, row in enumerate(own.itertuples()):
                # A change of exactly 0 still shows as a line: the patient is there.
                axis.bar(place, row.best_change or 0.4, width=0.8, color=CATEGORY_COLOURS[row.best_response],
                         hatch=CATEGORY_HATCHES.get(row.best_response), edgecolor=GREY, linewidth=0.6, gid=row.patient_id)  # fmt: skip
            for threshold in _thresholds(rule):
                axis.axhline(threshold, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
            axis.axhline(0, color=INK, linewidth=0.8)
            axis.set_title(_title(arm, _counted(data, course, "drawn", arm.id)["count"], len(data.arms)), fontsize=9, loc="left", color=INK)
            axis.set(xticks=[], xlim=(-0.8, max(len(own), 3) - 0.2))
            axis.spines["bottom"].set_visible(False)
            axis.axhline(0, color=arm.colour, linewidth=2.2, xmax=1, zorder=3)
        low, high = drawn["best_change"].min(), drawn["best_change"].max()
        axes[0][0].set_ylim(min(-105, _finite(low, 0) - 5), max(30, _finite(high, 0) + 8))
        axes[0][0].set_ylabel(fill(_("Best change of the {measured}, %", measured=_(rule.measured)), 22))
        shown = [c for c in CATEGORY_COLOURS if (drawn["best_response"] == c).any()]
        handles: list[Artist] = [Patch(facecolor=CATEGORY_COLOURS[c], hatch=CATEGORY_HATCHES.get(c), edgecolor=GREY, label=c) for c in shown]
        handles.append(Line2D([], [], color=INK, linewidth=0.8, linestyle=(0, (4, 3)), label=_rule_text(rule)))
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=8)
        return write_figure(
            figure,
            "waterfall",
            _("Best change of the {measured}, patient by patient", measured=_(rule.measured)),
            _("Waterfall plot, one bar per patient. {waterfall_words} {missing_words}", waterfall_words=_waterfall_words(data, course), missing_words=_missing_words(data, course)),
            legend(figure, data, "waterfall"),
        )


def _finite(value: float, otherwise: float) -> float:
    return value if np.isfinite(value) else otherwise


def _thresholds(rule) -> tuple[float, float]:
    """Change of what the rule adds up, in percent, of a partial response and of a progression."""
    return rule.partial_percent, rule.progression_percent


def _rule_text(rule) -> str:
    partial, more = _thresholds(rule)
    return _("{part} rule: {partial}% and +{more}%", part=_("volume") if rule.measure == 'volume' else _("diameter"), partial=format_number(partial, 0), more=format_number(more, 0))


def _waterfall_words(data: Dataset, course: Course) -> str:
    partial, parts = _thresholds(data.response)[0], []
    for arm in data.arms:
        reached, change = _counted(data, course, "reached a partial response", arm.id), course.row("best_change", arm.id)
        if reached["n"]:
            share = _("{count} of {n} at or below {partial}%", count=format_whole(reached['count']), n=format_whole(reached['n']), partial=format_number(partial, 0))
            first, last = (format_number(change[end], 0) for end in ("max", "min"))
            parts.append(_("{arm}: {share}, from {first}% to {last}%", arm=arm.label, share=share, first=first, last=last))
        else:
            parts.append(_("{arm}: nobody", arm=arm.label))
    return _("{join}.", join=_("; ").join(parts))


def _missing_words(data: Dataset, course: Course) -> str:
    drawn = _counted(data, course, "drawn")
    if undrawn(course).empty:
        return _("All {drawn} {en} drawn.", drawn=counted(drawn), en='is' if drawn['n'] == 1 else 'are')
    return _("{count} of {drawn} are drawn; the text below names the others.", count=format_whole(drawn['count']), drawn=counted(drawn))


@internal_only("single patients", "the course of each patient")
@empty_if_absent
def plot_spider(course: Course) -> Figure:
    """Change of what the response rule adds up over real time, one line per patient, with a sign for how it ended."""
    data = course.dataset
    patients, rows = course["course"], course["assessments"]
    rows = rows[rows["percent_change"].notna()]
    rule, unit = data.response, data.study.time.unit
    with _panels(data, 3.3, [1] * len(data.arms)) as (figure, axes):
        for axis, arm in zip(axes[0], data.arms, strict=True):
            own = patients[(patients["arm"] == arm.id) & (patients["no_change"] == "")]
            for patient in own.itertuples():
                line = rows[rows["patient_id"] == patient.patient_id]
                sign, __ = ENDS[_ended(patient)]
                axis.plot(
                    line["time"],
                    line["percent_change"],
                    color=arm.colour,
                    linewidth=0.9,
                    alpha=0.6,
                    gid=patient.patient_id,
                )
                axis.plot(line["time"].iloc[-1], line["percent_change"].iloc[-1], sign, markersize=5.5, zorder=3,
                          color=arm.colour if sign == "X" else "white", markeredgecolor=arm.colour, markeredgewidth=1)  # fmt: skip
            axis.axhline(0, color=GREY, linewidth=0.8)
            axis.axhline(_thresholds(rule)[0], color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
            axis.set_title(_title(arm, _counted(data, course, "drawn", arm.id)["count"], len(data.arms)), fontsize=9, loc="left")
            axis.set_xlabel(unit_name(unit).capitalize())
            axis.set_xlim(min(-1.0, _finite(rows["time"].min(), 0)), 1.05 * max(_finite(rows["time"].max(), 1), 1))
        axes[0][0].set_ylabel(fill(_("Change of the {measured}, %", measured=_(rule.measured)), 18))
        handles = [Line2D([], [], marker=sign, linestyle="", color=INK if sign == "X" else "white", markeredgecolor=INK, label=_(label))
                   for sign, label in ENDS.values()]  # fmt: skip
        partial = _("diameter rule: {thresholds}%", thresholds=format_number(_thresholds(rule)[0], 0))
        handles.append(Line2D([], [], color=INK, linewidth=0.8, linestyle=(0, (4, 3)), label=partial))
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=8)
        told = joined([_("{count} {end}", count=format_whole(_counted(data, course, f"drawn: {key}")["count"]), end=_(label)) for key, (__, label) in ENDS.items()])
        alt = _("Spider plot, one line per patient over real time since {zero_label}. How the lines end: {told}. {missing_words}", zero_label=data.study.time.zero_label, told=told, missing_words=_missing_words(data, course))
        title = _("{measured} over time, patient by patient", measured=capitalised(_(rule.measured)))
        return write_figure(figure, "spider", title, alt, legend(figure, data, "spider"))


def _ended(patient) -> str:
    if pd.notna(patient.progression_time):
        return "progressed"
    return "died" if patient.died else "left"


@internal_only("single patients", "the course of each patient")
@empty_if_absent
def plot_swimmer(course: Course) -> Figure:
    """Follow-up of every patient as a bar, with treatment, response, progression, later lines and death on it."""
    data = course.dataset
    patients, treatments = course["course"], course["treatments"]
    patients = patients.sort_values(["arm", "follow_up", "patient_id"], ascending=[True, False, True])
    step = min(0.135, (TALLEST - 1.2) / max(len(patients) + 2 * len(data.arms), 1))
    places = _places(patients, data)
    with picture(1.2 + step * (len(patients) + 2 * len(data.arms))) as (figure, axes):
        for arm in data.arms:
            for patient in patients[patients["arm"] == arm.id].itertuples():
                own = treatments[treatments["patient_id"] == patient.patient_id]
                _draw_lane(axes, patient, own, places[patient.patient_id], arm)
            axes.text(0, places[arm.id], f"{arm.label} (n = {data.n[arm.id]})", fontsize=8, fontweight="bold",
                      va="center", color=INK)  # fmt: skip
        names = {place: key for key, place in places.items() if key in set(patients["patient_id"])}
        few = len(patients) <= MOST_NAMES
        axes.set_yticks(list(names) if few else [], list(names.values()) if few else [], fontsize=5)
        axes.tick_params(axis="y", length=0, pad=4)
        axes.spines["left"].set_visible(False)
        axes.set_ylim(min(places.values(), default=0) - 1, 1)
        axes.set_xlim(left=min(0, treatments["start"].min() if len(treatments) else 0))
        axes.set_xlabel(_("{unit} since {zero_label}", unit=unit_name(data.study.time.unit).capitalize(), zero_label=data.study.time.zero_label))
        figure.legend(handles=_swimmer_legend(), loc="outside lower center", ncols=4, fontsize=7.5)
        said = {"responded": N_("{n} responded"), "progressed": N_("{n} progressed"), "died": N_("{n} died"), "alive": N_("{n} were alive when last seen")}
        told = _(", ").join(_(words, n=format_whole(_counted(data, course, what)["count"])) for what, words in said.items())
        everyone = counted(_counted(data, course, "alive"))
        alt = _("Swimmer plot, one bar for each of {everyone}, from {zero_label} to death or last contact. {told}.", everyone=everyone, zero_label=data.study.time.zero_label, told=told)
        return write_figure(figure, "swimmer", _("Follow-up of every patient"), alt, legend(figure, data, "swimmer"))


def _places(patients: pd.DataFrame, data: Dataset) -> dict[str, int]:
    """Height of each patient's bar, and of each arm's name above its bars."""
    places, place = {}, 0
    for arm in data.arms:
        places[arm.id] = place
        for patient in patients.loc[patients["arm"] == arm.id, "patient_id"]:
            place -= 1
            places[patient] = place
        place -= 2
    return places


def _draw_lane(axes, patient, treatments: pd.DataFrame, y: int, arm: Arm) -> None:
    """One patient: bar of follow-up, treatment on it, response below, events as signs."""
    end = patient.follow_up
    axes.barh(y, end, height=0.72, color=PALE, linewidth=0, gid=patient.patient_id)
    for row in treatments.itertuples():
        if row.line > 1:
            _mark(axes, "later", row.start, y)
        elif row.kind == "drug":
            until = end if pd.isna(row.end) else row.end
            axes.barh(
                y,
                until - row.start,
                left=row.start,
                height=0.72,
                color=to_rgba(arm.colour, 0.55),
                edgecolor=GREY,
                linewidth=0.5,
            )
        else:
            _mark(axes, "local", row.start, y)
    if patient.responder:
        until = patient.response_time + patient.duration
        axes.plot([patient.response_time, until], [y, y], color=INK, linewidth=1.3, solid_capstyle="butt")
        _mark(axes, "response", patient.response_time, y)
    if pd.notna(patient.progression_time):
        _mark(axes, "progression", patient.progression_time, y)
    if patient.died:
        _mark(axes, "death", end, y)
    else:
        axes.plot(end, y, marker=">", color=INK, markersize=3.6, clip_on=False)


def _mark(axes, event: str, x: float, y: int) -> None:
    sign, face, __ = EVENTS[event]
    size = 5 if sign == "|" else 3.6
    axes.plot(x, y, sign, markersize=size, color=face, markeredgecolor=INK, markeredgewidth=1.3 if sign == "|" else 0.7,
              clip_on=False, zorder=3)  # fmt: skip


def _swimmer_legend() -> list:
    signs = [
        Line2D([], [], marker=sign, linestyle="", color=face, markeredgecolor=INK, markersize=5, label=_(label))
        for sign, face, label in EVENTS.values()
    ]
    return [
        Patch(facecolor=PALE, label=_("follow-up")), Patch(facecolor=to_rgba(GREY, 0.55), edgecolor=GREY, label=_("drug of the study (arm's colour)")),
        Line2D([], [], color=INK, linewidth=1.3, label=_("response lasts")), *signs,
        Line2D([], [], marker=">", linestyle="", color=INK, markersize=5, label=_("alive when last seen")),
    ]  # fmt: skip
