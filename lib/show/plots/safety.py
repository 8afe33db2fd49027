"""Results on adverse events -> pictures. Computes nothing; the house style stands in style."""

from __future__ import annotations

__all__ = ["plot_ae_courses", "plot_ae_first", "plot_ae_grades", "plot_ae_terms", "plot_profiles"]

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from lib.analyses.result import where
from lib.analyses.safety.events import ANY, Harms
from lib.analyses.safety.events_in_time import HarmsInTime
from lib.analyses.safety.profiles import Profiles, profile
from lib.dataset.dataset import Dataset
from lib.languages.speech import N_, _
from lib.show.display import (
    EMPTY,
    Block,
    Figure,
    anchor,
    empty_if_absent,
    in_small_type,
    internal_only,
    too_many,
    withheld,
)
from lib.show.formats import format_percent, format_whole
from lib.show.labels import OVERALL, counted, everybody, inside, level_text
from lib.show.phrases import format_duration, joined, unit_name
from lib.show.plots.course import MOST_NAMES, TALLEST
from lib.show.plots.legends import legend
from lib.show.plots.panel import picture_with_counts, write_at_risk, write_legend
from lib.show.plots.style import (
    GREY,
    INK,
    MARKERS,
    PALE,
    line_style,
    picture,
    plain_log_ticks,
    shown_arms,
    write_figure,
)
from lib.study.limits import DRAWN, PROFILES
from lib.study.parts import Arm

# Pale to dark: readable in grey; the worst grades are hatched as well.
GRADE_COLOURS = ("#fde0c5", "#f8b58b", "#e5743f", "#a63603", "#4d1800")
HATCHES = ("", "", "", "//", "xx")
# The line of a profile that holds letters; what others hold is named by the study.
RESPONSE = N_("Response")
ONE_BY_ONE = N_("profiles of single patients")


@empty_if_absent
def plot_ae_terms(safety: Harms, most: int = 15) -> Figure | Block:
    """Risks of the most frequent terms by arm, and beside them the differences to the reference arm."""
    data = safety.dataset
    by_arm = safety["ae_term"][safety["ae_term"]["group"] != OVERALL]
    terms = _most_frequent(by_arm, most)
    if not terms:
        return EMPTY
    several = len(data.arms) > 1
    per_term = 0.27 if len(data.arms) < 4 else 0.36
    with picture(1.1 + per_term * max(len(terms), 2), 1, 1 + several, sharey=True, squeeze=False) as (figure, axes):
        left = axes[0, 0]
        _draw_risks(left, data, by_arm, safety["ae_term_severe"], terms)
        if several:
            _draw_differences(axes[0, 1], data, safety["ae_term_difference"], terms)
        left.set_yticks(range(len(terms)), [*map(data.study.adverse_events.called, terms)])
        left.set_ylim(-0.6, len(terms) - 0.4)
        handles, labels = left.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(3, len(labels)), fontsize=8)
        told = []
        for term in terms[::-1][:3]:
            shares = [
                f"{data.study.arm(r.group).label} {format_percent(r.proportion)}"
                for r in where(by_arm, variable=term).itertuples()
            ]
            told.append(_("{term}: {shares}", term=data.study.adverse_events.called(term), shares=_(", ").join(shares)))
        title = _("Risk of each adverse event by arm") + (_(", and risk differences") if several else "")
        return write_figure(figure, "ae_terms", title, _("Dots by term and arm. Most frequent: {join}.", join=_("; ").join(told)), _terms_legend(figure, data))


def _terms_legend(figure, data: Dataset) -> str:
    beside = _(" On the right, differences to {arm} with {level} confidence intervals.", arm=data.study.arm(data.reference).label, level=level_text(data)) if len(data.arms) > 1 else ""
    return legend(figure, data, "ae_terms", severe=inside(data.study.adverse_events.severe_words), differences=beside)


def _most_frequent(by_arm: pd.DataFrame, most: int) -> list[str]:
    """Terms by their largest share, the largest last; terms whose every count is masked are left out."""
    largest = by_arm.groupby("variable")["proportion"].max().dropna()
    return list(largest[largest > 0].sort_values(kind="stable").index[-most:])


def _offsets(arms: Sequence[Arm]) -> np.ndarray:
    return np.linspace(0.27, -0.27, len(arms)) if len(arms) > 1 else np.zeros(1)


def _draw_risks(axes, data: Dataset, every: pd.DataFrame, severe: pd.DataFrame, terms: list[str]) -> None:
    for (arm, marker), offset in zip(shown_arms(data), _offsets(data.arms), strict=True):
        own = where(every, group=arm.id).set_index("variable")["proportion"].reindex(terms).to_numpy(float)
        worst = where(severe, group=arm.id).set_index("variable")["proportion"].reindex(terms).to_numpy(float)
        places = np.arange(len(terms)) + offset
        axes.hlines(places, 0, np.nan_to_num(own), color=arm.colour, linewidth=0.8, alpha=0.5)
        points = {"color": arm.colour, "markersize": 4.5, "linestyle": ""}
        axes.plot([], [], marker, label=arm.label, **points)
        for term, share, place in zip(terms, own, places, strict=True):
            axes.plot(share, place, marker, gid=f"{arm.id}-{anchor(term)}", **points)
        seen = worst > 0
        axes.plot(
            worst[seen], places[seen], marker, color="white", markeredgecolor=arm.colour, markersize=4.5, linestyle=""
        )
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel(_("Patients with the event\n(open: {severe_words})", severe_words=data.study.adverse_events.severe_words))
    axes.set_xlim(left=0)


def _draw_differences(axes, data: Dataset, differences: pd.DataFrame, terms: list[str]) -> None:
    axes.axvline(0, color=GREY, linewidth=0.8)
    for (arm, marker), offset in zip(shown_arms(data), _offsets(data.arms), strict=True):
        own = where(differences, group=f"{arm.id} vs {data.reference}").set_index("variable").reindex(terms)
        places = np.arange(len(terms)) + offset
        low, high = own["ci_low"].to_numpy(float), own["ci_high"].to_numpy(float)
        axes.hlines(places, low, high, color=arm.colour, linewidth=1)
        axes.plot(own["difference"].to_numpy(float), places, marker, color=arm.colour, markersize=4.5, linestyle="")
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel(_("Difference to {arm}\n({level} CI; right: more often)", arm=data.study.arm(data.reference).label, level=level_text(data)))
    axes.tick_params(axis="y", length=0)


@empty_if_absent
def plot_ae_grades(safety: Harms, most: int = 15) -> Figure | Block:
    """Worst severity of each patient per term, stacked, one panel per arm."""
    data = safety.dataset
    settings = data.study.adverse_events
    if safety["ae_grade"]["count"].isna().any():
        return withheld(_("the worst {scale} as a picture, because its bars would show masked counts", scale=_(settings.scale)))
    by_arm = safety["ae_term"][safety["ae_term"]["group"] != OVERALL]
    terms = _most_frequent(by_arm, most)
    if not terms:
        return EMPTY
    grades = settings.ranks
    rows = int(np.ceil(len(data.arms) / 3))
    columns = int(np.ceil(len(data.arms) / rows))
    height = rows * (0.8 + 0.2 * max(len(terms), 3)) + 0.4
    with picture(height, rows, columns, sharex=True, sharey=True, squeeze=False) as (figure, axes):
        for axis in axes.flat[len(data.arms) :]:
            axis.set_axis_off()
        for axis, arm in zip(axes.flat, data.arms, strict=False):
            _draw_grades(axis, where(safety["ae_grade"], group=arm.id), terms, grades)
            axis.set_title(f"{arm.label}\nn = {data.n[arm.id]}", loc="left", fontsize=9, color=arm.colour)
            axis.xaxis.set_major_formatter(PercentFormatter(1))
        axes[0, 0].set_yticks(range(len(terms)), [*map(data.study.adverse_events.called, terms)])
        for axis in axes[-1]:
            axis.set_xlabel(_("Share of all {entered}", entered=_(data.study.by_design.entered)), fontsize=8)
        figure.legend(handles=_shades(data, grades, hatched=True), loc="outside lower center", ncols=5, fontsize=8)
        told = [
            _("{arm}, {grade}: {count}", arm=arm.label, grade=settings.words(g), count=_patients(safety, arm.id, g))
            for arm in data.arms
            for g in grades
            if _patients(safety, arm.id, g)
        ]
        scale = _(settings.scale)
        alt = _("Stacked bars by term and arm. Patients by worst {scale} of any event: {value}.", scale=scale, value=_("; ").join(told) or _("none"))
        return write_figure(figure, "ae_term_grades", _("Worst {scale} of each patient, by term and arm", scale=scale), alt, legend(figure, data, "ae_grades", scale=scale))


def _drawn(timed: HarmsInTime, what: str, group: str, column: str) -> str:
    return format_whole(where(timed["events_drawn"], variable=what, group=group)[column].iat[0])


def _shades(data: Dataset, ranks, hatched: bool = False) -> list[Patch]:
    """The legend of severities."""
    words = {rank: data.study.adverse_events.words(rank) for rank in ranks}
    return [
        Patch(facecolor=GRADE_COLOURS[rank - 1], edgecolor=GREY, hatch=HATCHES[rank - 1] if hatched else None,
              label=f"{label[:1].upper()}{label[1:]}")
        for rank, label in words.items()
    ]  # fmt: skip


def _patients(safety: Harms, group: str, grade: int) -> int:
    return int(where(safety["ae_grade"], group=group, term=ANY, grade=grade)["count"].iat[0])


def _draw_grades(axes, own: pd.DataFrame, terms: list[str], grades: range) -> None:
    left = np.zeros(len(terms))
    for grade in grades:
        part = where(own, grade=grade).set_index("term").reindex(terms)
        share = (part["count"] / part["n"].where(part["n"] > 0)).fillna(0).to_numpy(float)
        style = {"height": 0.7, "color": GRADE_COLOURS[grade - 1], "edgecolor": GREY, "hatch": HATCHES[grade - 1]}
        axes.barh(range(len(terms)), share, left=left, linewidth=np.where(share > 0, 0.5, 0), **style)
        left += share
    axes.tick_params(axis="y", length=0)


@empty_if_absent
def plot_ae_first(timed: HarmsInTime) -> Figure:
    """Cumulative incidence of the first adverse event, death competing; pale where few are at risk."""
    data = timed.dataset
    with picture_with_counts(3.2, data) as (figure, axes, bottom):
        for arm in data.arms:
            own = where(timed["curve"], group=arm.id)
            if len(own) < 2:
                continue
            time, risk = own["time"].to_numpy(float), own["estimate"].to_numpy(float)
            last = int((own["n_risk"] >= data.study.policy.min_at_risk).sum())
            style = {"where": "post", "color": arm.colour, "linestyle": line_style(arm)}
            axes.step(time[: last + 1], risk[: last + 1], linewidth=1.8, label=arm.label, **style)
            axes.step(time[max(last, 0) :], risk[max(last, 0) :], linewidth=1.2, alpha=0.45, **style)
        axes.set(ylim=(0, 1.02), ylabel=_("Risk of a first adverse event"))
        axes.set_xlabel(_("{unit} since {zero_label}", unit=unit_name(data.study.time.unit).capitalize(), zero_label=data.study.time.zero_label))
        # Beyond the last event the curves only run on.
        steps = timed["curve"].groupby("group", sort=False)["time"].apply(lambda times: times.iloc[:-1].max()).max()
        axes.set_xlim(0, max(2 * steps, 1e-9) if steps > 0 else None)
        write_at_risk(axes, bottom, data, timed["ae_first_at_risk"])
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        write_legend(figure, axes, "lower right")
        alt = _("Cumulative incidence of the first adverse event, death competing, as steps by arm.{risks}", risks=_risks(data, timed))
        return write_figure(figure, "ae_first", _("Time to the first adverse event, by arm"), alt, legend(figure, data, "ae_first"))


def _risks(data: Dataset, timed: HarmsInTime) -> str:
    """Risks at the last landmark of the study."""
    frame = timed["ae_first"].dropna(subset=["estimate"])
    last = where(frame, time=frame["time"].max())
    told = [f"{data.study.arm(r.group).label} {format_percent(r.estimate)}" for r in last.itertuples()]
    return _(" By {duration}: {listed}.", duration=format_duration(last['time'].iat[0], data.study.time.unit), listed=joined(told)) if told else ""


@internal_only("single patients", "onset and duration of each patient's events")
@empty_if_absent
def plot_ae_courses(timed: HarmsInTime) -> Figure | Block:
    """Onset and duration of every event, one line per patient, shaded by grade."""
    data = timed.dataset
    courses = timed["courses"]
    if courses.empty:
        return EMPTY
    patients = list(dict.fromkeys(courses["patient_id"]))
    limit = courses["end"].clip(upper=2 * max(courses["start"].max(), 1)).max() * 1.03
    step = min(0.15, (TALLEST - 0.9) / len(patients))
    width = min(3.6, 0.75 * 72 * step)
    with picture(0.9 + step * len(patients)) as (figure, axes):
        place = {patient: -i for i, patient in enumerate(patients)}
        for __, event in courses.iterrows():
            y, shade = place[event["patient_id"]], GRADE_COLOURS[int(event["grade"]) - 1]
            end = min(event["end"], limit)
            axes.plot([event["start"], end], [y, y], color=shade, linewidth=width, solid_capstyle="butt", zorder=event["grade"])
            axes.plot(event["start"], y, "|", color=INK, markersize=5, zorder=9)
            if event["ongoing"] or event["end"] > limit:
                axes.plot(end, y, ">", color=INK, markersize=3, zorder=9, clip_on=False)
        for arm in data.arms:
            own = [place[p] for p in dict.fromkeys(where(courses, arm=arm.id)["patient_id"])]
            if own:
                axes.plot([-0.012 * limit] * 2, [max(own) + 0.4, min(own) - 0.4], color=arm.colour, linewidth=3, clip_on=False)
                said = _("{arm}\n{drawn} of {n}", arm=arm.label, drawn=_drawn(timed, 'patients', arm.id, 'count'), n=data.n[arm.id])
                axes.text(1.01, np.mean(own), said, color=arm.colour, fontsize=8, va="center", transform=axes.get_yaxis_transform())
        axes.set(xlim=(-0.012 * limit, limit), ylim=(-len(patients) + 0.2, 0.8))
        few = len(patients) <= MOST_NAMES
        axes.set_yticks(list(place.values()) if few else [], patients if few else [], fontsize=6)
        axes.set_xlabel(_("{unit} since {zero_label}", unit=unit_name(data.study.time.unit).capitalize(), zero_label=data.study.time.zero_label))
        shades = _shades(data, sorted(int(grade) for grade in courses["grade"].unique()))
        figure.legend(handles=shades, loc="outside lower center", ncols=5, fontsize=8)
        told = (counted(where(timed["events_drawn"], variable=what, group=everybody(data)).iloc[0], "count") for what in ("patients", "events"))
        alt = _("One line per patient with an event, {join}; a tick is an onset, a bar lasts as long as the event, a triangle goes on.", join=_(", ").join(told))
        return write_figure(figure, "ae_courses", _("Onset and duration of each patient's events"), alt, legend(figure, data, "ae_courses", scale=_(data.study.adverse_events.scale)))


@internal_only("profile", ONE_BY_ONE, scales=True)
@empty_if_absent
def plot_profiles(chosen: Profiles) -> list[Figure | Block] | Block:
    """One figure per patient: treatment, response, markers and events on one time axis. Of many patients the first few."""
    data, asked = chosen.dataset, list(chosen["chosen"]["patient_id"])
    if len(asked) <= PROFILES:
        return [_plot_profile(data, patient) for patient in asked]
    if len(data.patients) > DRAWN:
        return too_many(ONE_BY_ONE, DRAWN)
    said = _("Of {n} patients with a picture of their own the first {few} are drawn, in the order of the study. Explore draws each.", n=format_whole(len(asked)), few=format_whole(PROFILES))
    return [in_small_type(said), *(_plot_profile(data, patient) for patient in asked[:PROFILES])]


def _plot_profile(data: Dataset, patient_id: str) -> Figure:
    parts = profile(data, patient_id)
    labels, called = {c.id: c.label for c in data.study.treatments.components} if data.study.treatments else {}, data.study.adverse_events.called if data.study.adverse_events else str
    has_markers = len(parts["markers"]) > 0
    lines = list(dict.fromkeys(parts["treatments"].get("component", []))) + [RESPONSE] * (len(parts["responses"]) > 0)
    lines += list(dict.fromkeys(parts["events"]["term"].astype(str)))
    ratios = [0.24 * max(len(lines), 2)] + ([1.1] if has_markers else [])
    with picture(sum(ratios) + 0.8, len(ratios), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": ratios}) as (figure, axes):
        top, bottom = axes[0, 0], axes[-1, 0]
        _draw_course(top, data, parts, lines)
        top.set_yticks([-i for i in range(len(lines))], [_(line) if line == RESPONSE else labels.get(line) or called(line) for line in lines], fontsize=8)
        top.set_ylim(-len(lines) + 0.4, 0.6)
        if has_markers:
            for marker, (name, own) in zip(MARKERS, parts["markers"].groupby("marker", sort=False), strict=False):
                bottom.plot(own["time"], own["ratio"], marker=marker, color=INK, linewidth=1, markersize=3, label=name)
            bottom.set_yscale("log")
            plain_log_ticks(bottom)
            bottom.axhline(1, color=PALE, linewidth=0.8)
            bottom.set_ylabel(_("Ratio to\nbaseline"), fontsize=8)
            bottom.legend(fontsize=8, loc="best")
        for axis in axes[:, 0]:
            for mark in parts["marks"].itertuples():
                axis.axvline(mark.time, color=GREY, linewidth=0.8, linestyle={"death": "solid", "progression": "dashed"}.get(mark.what, "dotted"))
        for i, mark in enumerate(parts["marks"].itertuples()):
            place = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "ha": "center"}
            top.annotate(_(mark.what), (mark.time, 1), (0, 2 + 9 * (i % 2)), fontsize=7, color=GREY, **place)
        bottom.set_xlabel(_("{unit} since {zero_label}", unit=unit_name(data.study.time.unit).capitalize(), zero_label=data.study.time.zero_label))
        arm = data.study.arm(str(data.patients.set_index("patient_id")["arm"][patient_id])).label
        events = [f"{called(e.term)} {data.study.adverse_events.words(e.grade)}" for e in parts["events"].itertuples()]
        alt = _("Treatment, response, markers and events over time. Adverse events: {value}.", value=joined(events) or _('none'))
        safe = "".join(c if c.isalnum() else "_" for c in patient_id)
        return write_figure(figure, f"profile_{safe}", _("Patient {patient_id}, {arm}", patient_id=patient_id, arm=arm), alt, legend(figure, data, "profile", scale=_(data.study.adverse_events.scale)))


def _draw_course(axes, data: Dataset, parts: dict[str, pd.DataFrame], lines: list[str]) -> None:
    """Bars of treatment and events, letters of response, one line each."""
    place = {line: -i for i, line in enumerate(lines)}
    for row in parts["treatments"].itertuples():
        y = place[row.component]
        first = row.line == 1
        if row.end > row.start:
            axes.plot([row.start, row.end], [y, y], color=INK if first else GREY, linewidth=5, solid_capstyle="butt")
        else:
            axes.plot(row.start, y, "D", color=INK if first else GREY, markersize=5)
        if row.ongoing:
            axes.plot(row.end, y, ">", color=INK, markersize=4)
    for row in parts["responses"].itertuples():
        axes.text(row.time, place[RESPONSE], row.response, fontsize=7, ha="center", va="center")
    for row in parts["events"].itertuples():
        y = place[str(row.term)]
        shade = GRADE_COLOURS[int(row.grade) - 1]
        axes.plot([row.start, row.end], [y, y], color=shade, linewidth=5, solid_capstyle="butt")
        axes.text(row.start, y, data.study.adverse_events.short(row.grade), fontsize=7, va="center", ha="right")
        if row.ongoing:
            axes.plot(row.end, y, ">", color=INK, markersize=4)
