"""Response by visit, and over time; control of treated lesions, and their dose. Computes nothing."""

from __future__ import annotations

__all__ = ["plot_dose", "plot_lesion_control", "plot_response", "plot_response_incidence"]

from dataclasses import replace

import pandas as pd
from matplotlib.ticker import PercentFormatter

from lib.analyses.efficacy.dose_response import DoseResponse
from lib.analyses.efficacy.lesion_control import LesionControl
from lib.analyses.efficacy.response import ResponseRates, ResponseTime
from lib.analyses.result import where
from lib.dataset.dataset import Dataset
from lib.languages.speech import N_, _
from lib.show.display import EMPTY, Block, Figure, empty_if_absent, internal_only, withheld
from lib.show.formats import format_number, format_percent, format_whole
from lib.show.labels import OVERALL, counted
from lib.show.phrases import format_duration, in_unit, joined, plural, unit_name
from lib.show.plots.legends import legend
from lib.show.plots.panel import draw_incidence, picture_with_counts, write_at_risk, write_counts, write_legend
from lib.show.plots.style import (
    CATEGORY_COLOURS,
    CATEGORY_HATCHES,
    GREY,
    INK,
    line_style,
    picture,
    plain_log_ticks,
    shown_arms,
    thin_steps,
    write_figure,
)

# What the two panels of the dose show.
PANELS = {"control": N_("control"), "volume": N_("volume")}
LESIONS_AT_RISK = {"n_risk": N_("Lesions"), "n_patients": N_("Patients")}


@empty_if_absent
def plot_response(response: ResponseRates) -> Figure | Block:
    """Share of each response category by visit and arm, as stacked bars with counts."""
    data = response.dataset
    categories = response["response_category"]
    if categories["count"].isna().any():
        return withheld(_("tumour response as a picture, because its bars would show masked counts"))
    visits = sorted(categories["time"].unique())
    with picture(0.7 + 0.42 * len(data.arms) * len(visits), len(visits), 1, sharex=True, squeeze=False) as (
        figure,
        axes,
    ):
        for axis, visit in zip(axes[:, 0], visits, strict=True):
            _stack(axis, categories, response["response_unassessed"], data, visit)
            axis.set_title(
                _("At {duration}", duration=format_duration(visit, data.study.time.unit)), loc="left", fontsize=9, fontweight="bold"
            )
        axes[-1, 0].set_xlabel(_("Share of all {entered} patients", entered=_(data.study.by_design.entered)))
        axes[-1, 0].xaxis.set_major_formatter(PercentFormatter(1))
        handles, labels = axes[0, 0].get_legend_handles_labels()
        unique = dict(zip(labels, handles, strict=True))
        figure.legend(unique.values(), unique.keys(), loc="outside lower center", ncols=len(unique), fontsize=8)
        rates = response["objective_response_treated"]
        told = [
            _("at {duration} {arm} {count} of {n}", duration=format_duration(r.time, data.study.time.unit), arm=data.study.arm(r.group).label, count=format_whole(r.count_), n=format_whole(r.n))
            for r in rates[rates["group"] != OVERALL].rename(columns={"count": "count_"}).itertuples()
        ]
        return write_figure(
            figure,
            "response",
            _("Tumour response by visit and arm"),
            _("Stacked bars. Objective response: {join}.", join=_("; ").join(told)),
            legend(figure, data, "response"),
        )


def _stack(axes, categories: pd.DataFrame, unassessed: pd.DataFrame, data: Dataset, time: float) -> None:
    names = ["CR", "PR", "SD", "PD", _("no assessment")]
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
        draw_incidence(axes, data, curve, longest, _("Patients with a response"))
        write_at_risk(axes, bottom, data, timed["response_at_risk"])
        write_legend(figure, axes, "upper left")
        end = table["time"].max()
        told = [
            _("{arm} {estimate} ({n_events} responses)", arm=data.study.arm(r.group).label, estimate=format_percent(r.estimate), n_events=format_whole(r.n_events))
            for r in table[table["time"] == end].itertuples()
        ]
        alt = _("Cumulative incidence of response as steps. By {when}: {listed}.", when=in_unit(format_number(end, 1), data.study.time.unit), listed=joined(told))
        return write_figure(figure, "response_incidence_curve", _("Cumulative incidence of response by arm"), alt, legend(figure, data, "incidence"))


@empty_if_absent
def plot_lesion_control(control: LesionControl) -> Figure:
    """Share of the treated lesions that have progressed, with bands that know which lesions share a patient."""
    data, curve, lesions = _with_arms(control), control["curve"], control["lesions"]
    with picture_with_counts(3.0, data, len(LESIONS_AT_RISK)) as (figure, axes, bottom):
        for arm in data.arms:
            steps, last = where(curve, group=arm.id), lesions.loc[lesions["arm"] == arm.id, "time"].max()
            drawn = thin_steps(*(steps[name].to_numpy(float) for name in ("estimate", "ci_low", "ci_high")))
            steps = pd.concat([steps.iloc[drawn], steps.tail(1).assign(time=max(last, steps["time"].max()))])
            axes.step(steps["time"], steps["estimate"], where="post", color=arm.colour, linestyle=line_style(arm), linewidth=1.8, label=arm.label)
            axes.fill_between(steps["time"], steps["ci_low"].astype(float), steps["ci_high"].astype(float), step="post", color=arm.colour, alpha=0.1, linewidth=0)
        at_risk = control["lesion_control_at_risk"]
        axes.set(ylim=(0, 1.02), ylabel=_("Treated lesions that progressed"), xlim=(0, max(1.02 * lesions["time"].max(), at_risk["time"].max(), 1e-6)))
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.set_xlabel(_("{unit} since {zero_label}", unit=unit_name(data.study.time.unit).capitalize(), zero_label=data.study.time.zero_label))
        axes.set_xticks(sorted(at_risk["time"].unique()))
        write_counts(bottom, data, _("At risk"), at_risk.rename(columns={"time": "x"}), axes.get_xlim(), rows={column: _(label) for column, label in LESIONS_AT_RISK.items()})
        write_legend(figure, axes, "upper left", "lower right")
        counts = where(control["lesion_outcome"], variable="progressed")
        told = [_("{arm} {count} of {row}", arm=data.study.arm(row['group']).label, count=format_whole(row['count']), row=counted(row)) for __, row in counts.iterrows() if row["group"] != OVERALL]
        alt = _("Cumulative incidence of progression of treated lesions as steps, with bands. Progressed: {listed}.", listed=joined(told))
        return write_figure(
            figure, "lesion_control_curve", _("Progression of treated lesions by arm"), alt, legend(figure, data, "lesion_control", n=_sizes(data, lesions))
        )


def _with_arms(control: LesionControl) -> Dataset:
    """The data set with the arms that treat lesions, in whose rows and colours the picture is."""
    own = set(control["lesion_control"]["group"])
    return replace(control.dataset, arms=tuple(arm for arm in control.dataset.arms if arm.id in own))


def _sizes(data: Dataset, lesions: pd.DataFrame) -> str:
    """Lesions and patients of each arm, for a legend."""
    own = {arm.label: lesions[lesions["arm"] == arm.id] for arm in data.arms if (lesions["arm"] == arm.id).any()}
    return joined([_("{n} in {nunique} with {label}", n=plural(len(part), 'lesion'), nunique=plural(part['patient_id'].nunique(), 'patient'), label=label) for label, part in own.items()])


@empty_if_absent
@internal_only("single patients", "the dose of each lesion")
def plot_dose(dose: DoseResponse) -> Figure | Block:
    """D90 of each lesion against its control at the landmark and its volume at the first visit, with curve and band by arm."""
    data, control, volume = dose.dataset, dose["control_curve"], dose["volume_curve"]
    visits = sorted(volume["visit"].dropna().unique())
    panels = [*(["control"] if len(control) else []), *(["volume"] if visits else [])]
    if not panels:
        return EMPTY
    with picture(2.9, 1, len(panels), squeeze=False) as (figure, axes):
        for axis, panel in zip(axes[0], panels, strict=True):
            if panel == "control":
                _draw_control(axis, dose)
            else:
                _draw_volume(axis, dose, visits[0])
            axis.set_xlabel("D90, Gy")
        arms = dict(zip(*axes[0, 0].get_legend_handles_labels()[::-1], strict=True)) | dict(zip(*axes[0, -1].get_legend_handles_labels()[::-1], strict=True))
        figure.legend(arms.values(), arms.keys(), loc="outside upper left", ncols=2, fontsize=8)
        drawn = dose["lesions"] if "control" in panels else dose["volumes"].drop_duplicates("lesion_id")
        alt = _("Lines with bands over the dose: {listed}. {sizes}.", listed=joined([_(PANELS[panel]) for panel in panels]), sizes=_sizes(data, drawn))
        at = dose["dose_control"]["time"].iat[0]
        when = "" if pd.isna(at) else _(" at {duration}", duration=format_duration(at, data.study.time.unit))
        words = {"control": _("the modelled share without progression{at} (ticks: lesions, below those that had progressed, above all others, however long they were followed)", at=when), "volume": _("the ratio of the volume to its baseline at {part} (dots: lesions)", part=format_duration(visits[0], data.study.time.unit) if visits else '')}
        return write_figure(
            figure, "dose_response", _("Dose of the lesion against its control and its volume"), alt,
            legend(figure, data, "dose", n=_sizes(data, drawn), what=joined([words[panel] for panel in panels])),
        )


def _draw_band(axis, data: Dataset, curve: pd.DataFrame) -> None:
    for arm in data.arms:
        own = where(curve, group=arm.id)
        if len(own):
            axis.plot(own["x"], own["estimate"], color=arm.colour, linestyle=line_style(arm), linewidth=1.6, label=arm.label)
            axis.fill_between(own["x"], own["ci_low"].astype(float), own["ci_high"].astype(float), color=arm.colour, alpha=0.1, linewidth=0)


def _draw_control(axis, dose: DoseResponse) -> None:
    """Modelled control; a tick for each lesion, above where it stayed controlled, below where it progressed."""
    data = dose.dataset
    _draw_band(axis, data, dose["control_curve"])
    for arm in data.arms:
        own = where(dose["lesions"], arm=arm.id)
        axis.plot(own["d90"], 1.0 - own["failed"], "|", color=arm.colour, markersize=6)
    axis.set(ylim=(-0.05, 1.05), ylabel=_("Without progression"))
    axis.set_title(_("Control at {duration}", duration=format_duration(dose['dose_control']['time'].iat[0], data.study.time.unit)), loc="left", fontsize=9)
    axis.yaxis.set_major_formatter(PercentFormatter(1))


def _draw_volume(axis, dose: DoseResponse, visit: float) -> None:
    """Ratio of the volume to its baseline: every lesion, and the line of each arm."""
    data = dose.dataset
    _draw_band(axis, data, where(dose["volume_curve"], visit=visit))
    for arm, marker in shown_arms(data):
        own = where(dose["volumes"], arm=arm.id, visit=visit)
        axis.plot(own["d90"], own["ratio"], marker, color=arm.colour, markersize=3, alpha=0.6, linestyle="none")
    axis.axhline(1, color=GREY, linewidth=0.8, zorder=0)
    axis.set_yscale("log")
    plain_log_ticks(axis)
    axis.set_ylabel(_("Ratio to baseline"))
    axis.set_title(_("Volume at {duration}", duration=format_duration(visit, data.study.time.unit)), loc="left", fontsize=9)
