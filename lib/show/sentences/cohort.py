"""Sentences of the cohort report: flow, Table 1, follow-up, exposure, attendance, timing, checklists."""

from __future__ import annotations

__all__ = [
    "LARGE_SMD",
    "sentence_attendance",
    "sentence_baseline",
    "sentence_checklists",
    "sentence_completeness",
    "sentence_enrolment",
    "sentence_exposure",
    "sentence_flow",
    "sentence_follow_up",
    "sentence_queries",
    "sentence_timing",
]

import math

import pandas as pd

from lib.analyses.cohort.baseline import Baseline
from lib.analyses.cohort.checklist import Reporting, read_checklist
from lib.analyses.cohort.conduct import BETWEEN, Attendance, Exposure, Timing
from lib.analyses.cohort.flow import Completeness, Enrolment, Flow
from lib.analyses.efficacy.survival import FollowUp
from lib.analyses.result import where
from lib.dataset.dataset import part_label
from lib.languages.speech import N_, _, month_of
from lib.show.formats import (
    MASKED,
    NOT_REACHED,
    TO,
    format_given,
    format_number,
    format_percent,
    format_points,
    format_time,
    format_whole,
    is_masked,
)
from lib.show.labels import counted, decimals_of_time, everybody, examination_label, inside, share, variable_label
from lib.show.phrases import joined, plural, said_count, unit_name
from lib.show.sentences.absent import reason_if_absent
from lib.show.sentences.survival import IMBALANCE
from lib.study.limits import SMALL_ARM

CHANCE = N_(" Where the arms were formed by chance, CONSORT is the guideline (design.allocation).")
ROUTINE = N_(" RECORD asks for more where data were collected routinely, for another purpose than the study (design.routine_data).")
# An arm whose share of examinations, or median delay in days, lies so far from another's is named.
SHARE_APART, DAYS_APART = 0.1, 7
# A difference of this size in a baseline variable is expected by chance with arms of about 13 to 25 patients.
LARGE_SMD = 0.4


def _at_most(row: pd.Series) -> str:
    """The largest value behind a median, where it may be shown."""
    return "" if pd.isna(row["max"]) else _(" (at most {max})", max=format_number(row['max'], 0))


@reason_if_absent
def sentence_completeness(analysis: Completeness) -> str:
    """How complete the follow-up is, and how many were lost."""
    data = analysis.dataset
    short = data.study.endpoint(analysis.variable).short
    parts = []
    for arm in data.arms:
        lost = analysis.row("follow_up_lost", arm.id)
        if lost["n"] == 0:
            continue
        share = format_percent(analysis.row("follow_up_completeness", arm.id)["estimate"])
        parts.append(_("{share} with {arm} ({lost})", share=share, arm=arm.label, lost=_lost(lost)))
    days = data.study.policy.lost_after_days
    return _("Follow-up for {short} that was observed, of what was possible until the cut-off: {listed}. Lost: censored more than {days} days before the cut-off.", short=inside(short), listed=joined(parts), days=days)


def _lost(row: pd.Series) -> str:
    """How many were lost: "1 of 14 lost", "none of 14 lost"."""
    if pd.isna(row["count"]):
        return _("a masked number of {n} lost", n=said_count(row["n"]))
    if row["count"] == 0:
        return _("none of {n} lost", n=said_count(row["n"]))
    return _("{part} of {n} lost", part=format_whole(row["count"]), n=said_count(row["n"]))


@reason_if_absent
def sentence_enrolment(enrolment: Enrolment) -> str:
    """When each arm was enrolled; different calendar times confound."""
    data = enrolment.dataset
    if "starts" not in enrolment:
        return ""
    starts, parts = enrolment["starts"], []
    for arm in data.arms:
        dates = where(starts, arm=arm.id)["date"]
        months = dict.fromkeys(map(month_of, (dates.min(), dates.max()))) if len(dates) else [_("nobody")]
        parts.append(f"{arm.label} {_(TO).join(months)}")
    return _("First and last start of treatment: {listed}.", listed=joined(parts))


@reason_if_absent
def sentence_exposure(exposure: Exposure) -> str:
    """Who received each component, and what stands between several."""
    data = exposure.dataset
    parts = []
    for component in data.study.treatments.components:
        row = where(exposure["exposure_count"], variable=f"{component.id}: treated", group=everybody(data)).iloc[0]
        parts.append(f"{component.label} {share(row)}")
    text = _("Patients who received each component: {listed}.", listed=joined(parts))
    days = where(exposure["exposure_number"], variable=BETWEEN, group=everybody(data))
    if len(days) and days["n"].iat[0]:
        row = days.iloc[0]
        text += (
            _(" In {row} with several components, the last began a median of {median} days{at_most} after the first; until then only part of the treatment was given.", row=counted(row), median=format_number(row['median'], 0), at_most=_at_most(row))
        )
    return text


@reason_if_absent
def sentence_attendance(attendance: Attendance) -> str:
    """Share examined of those due, over all visits, and whether arms differ."""
    data = attendance.dataset
    parts, apart = [], []
    for __, total in where(attendance["attendance_total"], group=everybody(data)).iterrows():
        label = examination_label(data.study, total["variable"])
        if total["n"]:
            parts.append(f"{label} {share(total)}")
        if total["difference"] > SHARE_APART:
            apart.append(_("{label} (up to {points} points)", label=label, points=format_points(total['difference'])))
    text = _("Examinations made of those due, over all visits: {listed}.", listed=joined(parts))
    if apart:
        text += _(" The arms differ most in {listed}.", listed=joined(apart))
    return text


@reason_if_absent
def sentence_timing(timing: Timing) -> str:
    """Median and longest interval by arm, and whether scans of one arm come later than those of another."""
    data = timing.dataset
    parts = []
    for arm in data.arms:
        row = timing.row("scan_interval", arm.id)
        if not row["n"]:
            parts.append(_("no interval with {arm}", arm=arm.label))
            continue
        parts.append(_("{median}{at_most} with {arm}", median=format_number(row['median'], 0), at_most=_at_most(row), arm=arm.label))
    text = _("Days between scans, median: {listed}.", listed=joined(parts))
    spread = timing["delay_spread"]["difference"].iat[0] if "delay_spread" in timing else float("nan")
    if not math.isnan(spread):
        verdict = (
            _("an arm that is scanned later finds its progressions later")
            if spread >= DAYS_APART
            else _("no arm lags a week behind another")
        )
        text += (
            _(" Against the scheduled day the medians of the arms lie {spread} days apart: {verdict}.", spread=format_number(spread, 1), verdict=verdict)
        )
    return text


@reason_if_absent
def sentence_checklists(reporting: Reporting) -> str:
    """How many items of each checklist the report answers."""
    data = reporting.dataset
    parts = [
        _("{n_answered} of {n_items} items of {read_checklist}", n_answered=format_whole(row['n_answered']), n_items=format_whole(row['n_items']), read_checklist=read_checklist(row['variable']).name)
        for __, row in reporting["reporting"].iterrows()
    ]
    design = data.study.by_design
    more = "" if design.allocation else _(CHANCE)
    more += "" if design.by_chance or design.routine_data else _(ROUTINE)
    return _("This report answers {listed}; the others say why they stay open.{more}", listed=joined(parts), more=more)


@reason_if_absent
def sentence_flow(flow: Flow) -> str:
    """Who is in the report."""
    data = flow.dataset
    arms = joined([_("{n} with {arm}", n=format_whole(data.n[arm.id]), arm=arm.label) for arm in data.arms])
    part = part_label(data.study, data.parameters)
    only = _(" Only the subgroup {part} is analysed.", part=part) if data.parameters.subgroup else _(" Only the population {part} is analysed.", part=part)
    restricted = only if part else ""
    left_out = [arm.label for arm in data.study.arms if arm.id not in [a.id for a in data.arms]]
    arms_out = _(" {listed} {en} left out by parameter.", listed=joined(left_out), en='is' if len(left_out) == 1 else 'are') if left_out else ""
    return _("{n} {en} analysed: {arms}.{arms_out}{restricted}", n=plural(len(data.patients), 'patient'), en='is' if len(data.patients) == 1 else 'are', arms=arms, arms_out=arms_out, restricted=restricted)


@reason_if_absent
def sentence_baseline(baseline: Baseline) -> str:
    """Which variables differ most between the arms."""
    data = baseline.dataset
    if "baseline_smd" not in baseline:
        return _("One arm: there is no balance to judge.")
    largest = (
        where(baseline["baseline_smd"], group="overall")
        .dropna(subset=["smd"])
        .sort_values("smd", ascending=False, kind="stable")
    )
    if largest.empty:
        return _("No standardized difference can be estimated.")
    above = largest[largest["smd"] > LARGE_SMD]
    if above.empty:
        first = largest.iloc[0]
        return _("The largest standardized difference is {smd} ({variable_label}).", smd=format_number(first['smd'], 2), variable_label=variable_label(data, first['variable']))
    named = [_("{label} ({note})", label=variable_label(data, r.variable), note=format_number(r.smd, 2)) for r in above.head(4).itertuples()]
    more = _(" and others") if len(above) > 4 else ""
    small = _(" In arms this small, {large_smd} is expected by chance alone.", large_smd=format_given(LARGE_SMD)) if data.n.min() < SMALL_ARM else ""
    return (
        _("The arms differ most in {part}{more} (standardized difference, the largest over all pairs of arms).{small} {imbalance}", part=joined(named) if not more else _(", ").join(named), more=more, small=small, imbalance=_(IMBALANCE[data.study.by_design.allocation]))
    )


@reason_if_absent
def sentence_follow_up(analysis: FollowUp) -> str:
    """Median follow-up of each arm."""
    data = analysis.dataset
    d, unit, found = decimals_of_time(data), data.study.time.unit, analysis["follow_up"].set_index("group")
    shown = [(arm.label, found.loc[arm.id]) for arm in data.arms if found.at[arm.id, "n"] != 0]
    parts = [f"{label} {MASKED if is_masked(row) else format_time(row['median'], d)}" for label, row in shown]
    never = _(" (NR = not reached)") if any(part.endswith(NOT_REACHED) for part in parts) else ""
    return _("Median follow-up for {endpoint} by reverse Kaplan-Meier, in {unit}: {listed}{never}.", endpoint=inside(data.study.endpoint(analysis.variable).short), unit=unit_name(unit), listed=joined(parts), never=never)


def sentence_queries(queries: pd.DataFrame) -> str:
    """How many data queries are open, and how many of them block a report."""
    if queries.empty:
        return _("No data query is open: every rule of intake holds.")
    if blocking := int((queries["severity"] == "error").sum()):
        n = plural(len(queries), "data query", "data queries")
        return _("{blocking} of {n} {en} to be answered before a report can be made.", blocking=blocking, n=n, en='has' if blocking == 1 else 'have')
    return _("{n} {en} open; none of them stops the analysis.", n=plural(len(queries), 'data query', 'data queries'), en='is' if len(queries) == 1 else 'are')
