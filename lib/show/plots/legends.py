"""A legend for every figure, to paste below it in a manuscript: what is drawn, of how many, what marks and shades mean.

The sentences stand here and nowhere else. Abbreviations are spelled out at the end, those that picture or legend use and
no others.
"""

from __future__ import annotations

__all__ = ["legend"]

import re

from matplotlib.figure import Figure as Drawing
from matplotlib.text import Text

from lib.dataset.dataset import Dataset
from lib.languages.speech import N_, _
from lib.show.formats import NOT_REACHED, capitalised, format_given, format_whole
from lib.show.labels import CATEGORY_LABELS, inside, level_text
from lib.show.phrases import joined, plural

# Kind of figure -> its sentences. `{n}`: patients by arm; `{level}`: "95%"; `{few}`: from how many patients on; `{zero}`:
# time zero; `{entered}`: "treated" or "randomised"; what else a sentence needs, its figure names.
LEGENDS = {
    "flow": N_("Flow of patients through the study ({n}). The last boxes hold the patients who could be analysed for each outcome."),
    "enrolment": N_("Patients enrolled over time, by arm ({n}). Each step is a patient, at the date of {zero}."),
    "attendance": N_(
        "Share of the patients due at each scheduled visit who were examined, in per cent, above the number of patients due, by arm ({n}). The "
        "darker a cell, the more examinations are missing; grey: fewer than {few} patients due; empty cells: nobody due.",
    ),
    "timing": N_(
        "Days since the scan before, by scheduled visit and arm ({n}). Marks are medians and lines the range from the first to the third quartile, "
        "pale where fewer than {few} intervals are known; grey bars show the scheduled interval.",
    ),
    "survival": N_(
        "Kaplan-Meier curves of {endpoint} by arm ({n}). Shaded bands are pointwise {level} confidence intervals.{ticks} Curves are pale from where "
        "fewer than {few} patients are at risk. The grey line marks 50%.{below}",
    ),
    "hazards": N_(
        "Kaplan-Meier curves of {endpoint} by arm ({n}), on scales of the log cumulative hazard and of the logarithm of time. Curves that run "
        "parallel are those of proportional hazards.",
    ),
    "differences": N_(
        "Absolute differences to the reference arm in the share of patients without an event ({endpoint}){response} ({n}), in percentage points: arm "
        "named first minus arm named second. Squares are estimates, lines {level} confidence intervals{pale}.",
    ),
    "robustness": N_(
        "{endpoint} compared in several ways, {pair} ({n}): {p_value} of the test (left) and hazard ratio with {level} confidence interval (right). "
        "Dots are filled where the {p_value} is below {limit}, the dashed line; bars are ranges; arrow heads point to values beyond the axis. A "
        "hazard ratio below 1 means fewer events with the arm named first.",
    ),
    "forest": N_(
        "Hazard ratios for {endpoint} by subgroup, {pair} ({n}). Squares are estimates, larger where events are more, and lines {level} confidence "
        "intervals; an arrow head points to a limit beyond the axis. The dashed line is the ratio of all patients. A hazard ratio below 1 means "
        "fewer events with the arm named first.",
    ),
    "curves": N_(
        "Hazard ratio for {endpoint} along each covariate that is a number, against its median, the arm and all other covariates held alike ({n}; "
        "those with every covariate known are drawn). Restricted cubic splines with pointwise {level} confidence bands, between the 5th and the 95th "
        "centile; dashed: the straight line of the model.",
    ),
    "residuals": N_(
        "Scaled Schoenfeld residuals of the arms for {endpoint} ({n}; those with every covariate known are drawn): each mark is an event, at the log "
        "hazard ratio that it alone speaks for. Dashed: the trend that the test of proportional hazards looks at; curve: natural spline with "
        "pointwise {level} confidence band; black line: the one log hazard ratio of the model. Marks beyond the axis are not drawn.",
    ),
    "regression": N_(
        "Hazard ratios for {endpoint} of the arms and of each covariate ({n}). Open circles: each by itself (crude); filled squares: all others held "
        "alike (adjusted){none}; lines are {level} confidence intervals, and an arrow head points to a limit beyond the axis. A hazard ratio above 1 "
        "means more events.",
    ),
    "response_forest": N_(
        "Objective response at {when} by subgroup, {pair} ({n}): patients with a response of all who were due, and the difference in percentage "
        "points, arm named first minus arm named second. Squares are estimates, lines {level} confidence intervals.",
    ),
    "balance": N_(
        "Standardized differences of baseline variables before (open circles) and after weighting (filled squares), the largest over all pairs of "
        "arms ({n}). Variables above the grey line are in the propensity model; the dashed line marks {tenth}.",
    ),
    "weighted": N_(
        "Kaplan-Meier curves of {endpoint} by arm ({n}), weighted by overlap weights (bold) and unweighted (thin). Numbers at risk are those of "
        "patients, unweighted.",
    ),
    "next_trial": N_(
        "Power of a log-rank test and assurance by the number of events, {pair}, two arms of one size. Power is the chance that a trial finds the "
        "hazard ratio that a line is for; assurance that it finds fewer events with the arm named first, over all ratios that this study ({n}) "
        "leaves possible. The dashed line marks {aim}.",
    ),
    "evidence": N_(
        "{kinds} of this study ({n}; squares) and of other studies (circles), with confidence intervals; an arrow head points to a limit that was "
        "not reached or lies beyond the axis.{pooled}",
    ),
    "missing": N_(
        "Covariates of the model for {endpoint} that are missing together ({n}). Each row is a pattern, with the patients who have it and how many "
        "of them had the event; grey: known, cross: missing.",
    ),
    "response": N_("Tumour response by visit and arm ({n}), as shares of all patients {entered}. Numbers in the bars are patients; white: no assessment."),
    "incidence": N_("Cumulative incidence of a first response by arm ({n}), with progression and death as competing events. Numbers below the curves are patients at risk."),
    "lesion_control": N_(
        "Cumulative incidence of progression of treated lesions by arm ({n}), with the patient's death as a competing event. Shaded bands are "
        "pointwise {level} confidence intervals that allow for lesions of one patient being alike. Numbers below the curves are lesions at risk, and "
        "the patients who have them.",
    ),
    "dose": N_(
        "D90 of treated lesions ({n}) against {what}. Lines are estimates with one slope for all arms, shaded bands pointwise {level} confidence "
        "intervals that allow for lesions of one patient being alike.",
    ),
    "waterfall": N_(
        "Best change of the {measured} up to the first progression, one bar per patient, coloured by best response ({n}; who has no later scan is "
        "not drawn). Dashed lines are the thresholds of the response rule.",
    ),
    "spider": N_(
        "Change of the {measured} from baseline over time, one line per patient ({n}; who has no later scan is not drawn). The sign at the end of a "
        "line says how it ended; the dashed line is the threshold of a partial response.",
    ),
    "swimmer": N_(
        "Follow-up of every patient from {zero} to death or last contact, one bar per patient ({n}). Coloured bars are treatment, black lines "
        "responses; an arrow head marks a patient alive when last seen.",
    ),
    "trajectories": N_(
        "{quantity} since baseline, one line per patient and one panel per arm ({n}; who has no baseline or no later value is not drawn). Below the "
        "axis: patients with a value at the visit.",
    ),
    "summary": N_(
        "{quantity}: change from baseline by visit and arm ({n}). Marks are medians, open where fewer than {few} patients have a value, and lines "
        "the range from the first to the third quartile. Numbers below are patients with a value.",
    ),
    "ratios": N_(
        "{quantity}: ratio to baseline by visit and arm ({n}), estimated by a linear mixed model of the logarithm. Bars are {level} confidence "
        "intervals. Numbers below count who has a value.",
    ),
    "rises": N_(
        "Cumulative incidence of progression of a marker ({quantity}) by arm ({n}), with death as a competing event. Numbers below the curves are "
        "patients at risk.",
    ),
    "immortal_days": N_(
        "The first days since {zero} ({n}), one line each of the {who} that could go either way. Thick: between time zero and adding the component, "
        "days in which nobody who added it can have had the event; a stroke marks adding it, an arrow head that follow-up goes on.",
    ),
    "immortal_shares": N_(
        "What the {who} that could go either way had come to on each day since {zero}, as shares of them ({n}). Days before adding the component are "
        "immortal for who added it: none of them can have had the event in them.",
    ),
    "strategies": N_(
        "{endpoint} under both strategies ({n}), {label}, of the {who} that could go either way: cloned, censored where a strategy is left and "
        "weighted for that (bold), and of who ever added the component against the others from time zero (thin).",
    ),
    "lab_shift": N_(
        "Laboratory values of each patient ({n}): the highest in the time at risk against the baseline, as multiples of the upper limit of normal "
        "(dashed lines: the limit). Above the diagonal the value rose.",
    ),
    "liver": N_(
        "Highest bilirubin against highest transaminase of each patient ({n}), as multiples of the upper limit of normal. Dashed lines are three "
        "times the limit of transaminases and twice that of bilirubin.",
    ),
    "ae_terms": N_("The most frequent adverse events ({n}). Filled marks are the share of patients with the event, open marks with {severe}.{differences}"),
    "ae_grades": N_("Patients with each adverse event by arm ({n}), by the worst {scale} of each patient, as shares of all patients {entered}."),
    "ae_first": N_(
        "Cumulative incidence of a first adverse event by arm ({n}), with death as a competing event. Curves are pale from where fewer than {few} "
        "patients are at risk. Numbers below the curves are patients at risk.",
    ),
    "ae_courses": N_(
        "Onset and duration of adverse events, one line per patient with an event ({n}). A tick is an onset, a bar lasts as long as the event and is "
        "shaded by its {scale}; an arrow head marks an event that went on.",
    ),
    "prior_effect": N_(
        "Belief about the hazard ratio for {endpoint}, {pair} ({n}), one panel a reader: before (dashed), by these data (dotted) and now (solid), as "
        "densities on a logarithmic axis; the dot and the bar on the axis are the median and the {level} credible interval of the belief now.{zone} "
        "A hazard ratio below 1 means fewer events with the arm named first.",
    ),
    "prior_share": N_(
        "Belief about the share of patients with an objective response at {when}, and about its difference, {pair} ({n}), one row a reader: before "
        "(dashed), by these data (dotted) and now (solid), as densities, with {level} credible intervals.{zone}",
    ),
    "profile": N_(
        "Course of one patient since {zero}. Bars and diamonds are treatment (grey: after the study treatment), letters the tumour response at each "
        "scan, shaded bars adverse events with their {scale}.",
    ),
}
# What pictures abbreviate -> what it stands for; endpoints and markers are added from the study.
ABBREVIATIONS = {
    "CI": N_("confidence interval"),
    "HR": N_("hazard ratio"),
    NOT_REACHED: N_("not reached"),
}


def legend(figure: Drawing, data: Dataset, kind: str, **words: str) -> str:
    """The legend of a figure.

    Parameters
    ----------
    figure : matplotlib Figure
        As it is drawn: its words tell which abbreviations it uses.
    data : Dataset
    kind : str
        A key of `LEGENDS`.
    **words : str
        What its sentences need beyond the patients, the level and the policy.
    """
    by_arm = joined([_("{n} with {arm}", n=format_whole(data.n[arm.id]), arm=arm.label) for arm in data.arms])
    patients = plural(len(data.patients), "patient")
    known = {
        "n": patients if len(data.arms) == 1 else _("{name}: {title}", name=patients, title=by_arm),
        "level": level_text(data),
        "few": format_given(data.study.policy.min_at_risk),
        "tenth": format_given(0.1),
        "zero": data.study.time.zero_label,
        "entered": _(data.study.by_design.entered),
        "measured": _(data.response.measured) if data.response else "",
    }
    said = capitalised(_(LEGENDS[kind], **(known | words)))
    seen = " ".join([said, *(text.get_text() for text in figure.findobj(Text) if isinstance(text, Text) and text.get_visible())])
    means = _abbreviations(data)
    used = [short for short in means if re.search(rf"(?<!\w){re.escape(short)}(?!\w)", seen, re.ASCII)]
    spelled = _("; ").join(_("{name}: {title}", name=short, title=means[short]) for short in sorted(used))
    return _("{said} {spelled}.", said=said, spelled=spelled) if used else said


def _abbreviations(data: Dataset) -> dict[str, str]:
    """Every abbreviation that a figure may use; a short name that is a word stands for itself."""
    named = [*((e.short, e.label) for e in data.study.endpoints), *((m.short, m.label) for m in data.study.markers)]
    own = {short: inside(label) for short, label in named if short[1:].lower() != short[1:] and short != label}
    categories = {short: inside(_(long)) for short, long in CATEGORY_LABELS.items() if short.isupper()}
    return {short: _(long) for short, long in ABBREVIATIONS.items()} | categories | own
