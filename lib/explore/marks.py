"""What a point, bar or step of a figure says when a reader points at it: numbers in words, and the patients behind it.

A mark stands where the figure drew something: at an element of the SVG (by its id), or at a place on an axis.
Nothing is computed here; which marks and patients an audience may have is decided by disclosure.
"""

from __future__ import annotations

__all__ = ["marks_prior", "marks_response", "marks_survival", "marks_terms", "marks_waterfall"]

from collections.abc import Iterable

import numpy as np
import pandas as pd

from lib.analyses.efficacy.course import Course
from lib.analyses.efficacy.response import ResponseRates
from lib.analyses.efficacy.survival import Survival
from lib.analyses.outlook.prior import PriorEffect
from lib.analyses.result import Absent, where
from lib.analyses.safety.events import Harms
from lib.languages.speech import N_, _, in_a_row
from lib.show.disclosure.audience import allows
from lib.show.display import Block, Figure, anchor
from lib.show.formats import format_chance, format_ci, format_interval, format_number, format_percent, format_whole
from lib.show.labels import OVERALL, decimals_of_time, level_text, reader_title
from lib.show.phrases import format_duration, in_unit, plural

# More steps than this cannot be told apart on a screen; more names than this are no closer look.
MOST_STEPS, MOST_PATIENTS = 250, 40
# Responses that are words; the others are codes.
WORDS = (N_("died"), N_("missing"))


def _mark(says: str, patients: Iterable[str] = (), **place) -> dict:
    named = [str(patient) for patient in patients]
    more = _("The first {most} of {n} patients are listed.", most=MOST_PATIENTS, n=len(named)) if len(named) > MOST_PATIENTS else ""
    return {"says": in_a_row([says, more]), "patients": named[:MOST_PATIENTS], **place}


def marks_survival(analysis: Survival | Absent, figure: Figure | Block) -> list[dict]:
    """Say, at each step of the curves, the time, the estimate with its interval, and who is behind the step.

    Parameters
    ----------
    analysis : Survival
        Of `time_to_event.analyse`.
    figure : Figure
        Of `figures.plot_survival`.

    Returns
    -------
    list of dict
        `says` (one sentence), `patients` (ids, may be empty), and the place in the SVG: `x` and `y`, or `id`.
    """
    data = analysis.dataset
    if isinstance(analysis, Absent) or not isinstance(figure, Figure):
        return []
    steps = _steps(analysis) if allows(data.parameters, "steps") else _landmarks(analysis)
    decimals, unit, marks = decimals_of_time(data), data.study.time.unit, []
    for row in steps.itertuples():
        x, y = figure.place(0, row.time, row.estimate)
        interval = format_ci(data.parameters.level, row.ci_low, row.ci_high, 0, percent=True)
        says = _(
            "{arm}, {time}: {percent} without the event ({interval}), {n} at risk{happened}.",
            arm=data.study.arm(row.group).label, time=in_unit(format_number(row.time, decimals), unit), percent=format_percent(row.estimate),
            interval=interval, n=format_whole(row.n_risk), happened=row.happened,
        )  # fmt: skip
        marks.append(_mark(says, row.patients, x=x, y=y))
    return marks


def _landmarks(analysis: Survival) -> pd.DataFrame:
    """The places that the table shows anyway."""
    shown = analysis["landmark"].dropna(subset=["estimate"])
    return shown.assign(happened="", patients=[[]] * len(shown))


def _steps(analysis: Survival) -> pd.DataFrame:
    """The steps of the curves where somebody had the event or was censored, thinned to what a screen can show."""
    curve = analysis["curve"].rename(columns={"survival": "estimate"})
    curve = curve[(curve["n_events"] > 0) | (curve["n_censored"] > 0)]
    kept = [
        part.iloc[np.unique(np.linspace(0, len(part) - 1, MOST_STEPS).round().astype(int))]
        for __, part in curve.groupby("group", sort=False, observed=True)
        if len(part)
    ]
    if not kept:
        return curve.assign(happened="", patients=None)
    steps = pd.concat(kept, ignore_index=True)
    tte = analysis["tte"]
    ids = tte.groupby([tte["arm"].astype(str), tte["time"]], observed=True)["patient_id"].agg(list)
    happened = [
        _("; {events}, {n} censored at this time", events=plural(row.n_events, "event"), n=format_whole(row.n_censored))
        for row in steps.itertuples()
    ]
    patients = [ids.get((str(row.group), row.time), []) for row in steps.itertuples()]
    return steps.assign(happened=happened, patients=patients)


def marks_prior(found: PriorEffect | Absent, figure: Figure | Block) -> list[dict]:
    """Say what each reader now believes of the hazard ratio; arguments and result as in `marks_survival`."""
    if isinstance(found, Absent) or not isinstance(figure, Figure):
        return []
    data, marks = found.dataset, []
    first, worth = data.study.arm(data.contrast[0]).label, data.study.worthwhile
    for row in found["posterior_effect"].dropna(subset="hr").itertuples():
        who = reader_title(row.variable)
        interval = _("{level} credible interval {interval}", level=level_text(data), interval=format_interval(row.ci_low, row.ci_high, 2))
        says = {
            "median": _("{who}: hazard ratio {hr} ({interval}).", who=who, hr=format_number(row.hr, 2), interval=interval),
            "benefit": _("{who}: probability of fewer events with {arm} {chance}.", who=who, arm=first, chance=format_chance(row.probability_benefit)),
        }
        if pd.notna(row.probability_worthwhile):
            says["worthwhile"] = _(
                "{who}: probability of a benefit worth having (a hazard ratio below {hr}) {chance}.",
                who=who, hr=format_number(worth.hazard_ratio, 2), chance=format_chance(row.probability_worthwhile),
            )  # fmt: skip
        marks += [_mark(text, id=f"{figure.id}-{row.variable.rpartition(': ')[2]}-{what}") for what, text in says.items()]
    # A zone that lies beyond the axis is not drawn.
    return [mark for mark in marks if f'id="{mark["id"]}"' in figure.svg]


def marks_response(response: ResponseRates | Absent, figure: Figure | Block) -> list[dict]:
    """Say what each piece of the stacked bars holds; arguments and result as in `marks_survival`."""
    data = response.dataset
    if isinstance(response, Absent) or not isinstance(figure, Figure):
        return []
    patients, marks = response.data.get("patients"), []
    for row in response["response_category"].rename(columns={"count": "number"}).itertuples():
        if row.group == OVERALL or not row.number:
            continue
        when = format_duration(row.time, data.study.time.unit)
        says = _("{arm}, {when}: {patients} with {response}.", arm=data.study.arm(row.group).label, when=when, patients=plural(row.number, "patient"), response=_(row.variable))
        behind = []
        if patients is not None and allows(data.parameters, "patient ids"):
            behind = where(patients, time=row.time, arm=row.group, response=row.variable)["patient_id"]
        marks.append(_mark(says, behind, id=f"response-{row.time:g}-{row.group}-{_piece(row.variable)}"))
    return marks


def _piece(category: str) -> str:
    """Name of a category's piece of the bar: the figure draws every kind of missing as one."""
    return category if category in ("CR", "PR", "SD", "PD") else "no assessment"


def marks_waterfall(course: Course | Absent, figure: Figure | Block) -> list[dict]:
    """Say whose bar it is and how far it reaches; arguments and result as in `marks_survival`."""
    data = course.dataset
    if isinstance(course, Absent) or not isinstance(figure, Figure) or not allows(data.parameters, "single patients"):
        return []
    return [
        _mark(
            _(
                "{patient}, {arm}: best change {change}%, best response {response}.",
                patient=row.patient_id, arm=data.study.arm(str(row.arm)).label, change=format_number(row.best_change, 1), response=_(row.best_response),
            ),
            [row.patient_id],
            id=f"waterfall-{row.patient_id}",
        )
        for row in course["course"].sort_values(["arm", "best_change"], ascending=[True, False]).itertuples()
        if not row.no_change
    ]


def marks_terms(safety: Harms | Absent, figure: Figure | Block) -> list[dict]:
    """Say the risk of each term in each arm; arguments and result as in `marks_survival`."""
    data = safety.dataset
    if isinstance(safety, Absent) or not isinstance(figure, Figure):
        return []
    marks, events, arm_of = [], data.tables["adverse_events"], data.patients.set_index("patient_id")["arm"].astype(str)
    severe = data.study.adverse_events.severe_words
    worst = safety["ae_term_severe"].set_index(["variable", "group"])["count"]
    for row in safety["ae_term"].rename(columns={"count": "number"}).itertuples():
        if row.group == OVERALL or pd.isna(row.number):
            continue
        interval = format_ci(data.parameters.level, row.ci_low, row.ci_high, 0, percent=True)
        says = _(
            "{term}, {arm}: {count} of {patients} ({percent}; {interval}); {severe}: {worst}.",
            term=data.study.adverse_events.called(row.variable), arm=data.study.arm(row.group).label, count=format_whole(row.number), patients=plural(row.n, "patient"),
            percent=format_percent(row.proportion), interval=interval, severe=severe, worst=format_whole(worst.get((row.variable, row.group), 0)),
        )  # fmt: skip
        behind = []
        if allows(data.parameters, "patient ids"):
            ids = events.loc[events["term"].astype(str) == row.variable, "patient_id"].drop_duplicates()
            behind = ids[ids.map(arm_of) == row.group]
        marks.append(_mark(says, behind, id=f"ae_terms-{row.group}-{anchor(row.variable)}"))
    # The figure draws the most frequent terms.
    return [mark for mark in marks if f'id="{mark["id"]}"' in figure.svg]
