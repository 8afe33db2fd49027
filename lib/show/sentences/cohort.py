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
from lib.show.formats import (
    MASKED,
    NOT_REACHED,
    SOME,
    format_given,
    format_number,
    format_percent,
    format_points,
    format_time,
    format_whole,
    is_masked,
    joined,
    plural,
    said_count,
)
from lib.show.labels import counted, decimals_of_time, everybody, examination_label, inside, share, variable_label
from lib.show.sentences.absent import reason_if_absent
from lib.show.sentences.survival import IMBALANCE
from lib.study.limits import SMALL_ARM

CHANCE = " Where the arms were formed by chance, CONSORT is the guideline (design.allocation)."
ROUTINE = " RECORD asks for more where data were collected routinely, for another purpose than the study (design.routine_data)."
# An arm whose share of examinations, or median delay in days, lies so far from another's is named.
SHARE_APART, DAYS_APART = 0.1, 7
# A difference of this size in a baseline variable is expected by chance with arms of about 13 to 25 patients.
LARGE_SMD = 0.4


def _at_most(row: pd.Series) -> str:
    """The largest value behind a median, where it may be shown."""
    return "" if pd.isna(row["max"]) else f" (at most {format_number(row['max'], 0)})"


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
        parts.append(f"{share} with {arm.label} ({_lost(lost)})")
    days = data.study.policy.lost_after_days
    return f"Follow-up for {inside(short)} that was observed, of what was possible until the cut-off: {joined(parts)}. Lost: censored more than {days} days before the cut-off."


def _lost(row: pd.Series) -> str:
    """How many were lost: "1 of 14 lost", "none of 14 lost"."""
    return f"{SOME if pd.isna(row['count']) else 'none' if row['count'] == 0 else format_whole(row['count'])} of {said_count(row['n'])} lost"


@reason_if_absent
def sentence_enrolment(enrolment: Enrolment) -> str:
    """When each arm was enrolled; different calendar times confound."""
    data = enrolment.dataset
    if "starts" not in enrolment:
        return ""
    starts, parts = enrolment["starts"], []
    for arm in data.arms:
        dates = where(starts, arm=arm.id)["date"]
        months = dict.fromkeys(f"{date:%B %Y}" for date in (dates.min(), dates.max())) if len(dates) else ["nobody"]
        parts.append(f"{arm.label} {' to '.join(months)}")
    return f"First and last start of treatment: {joined(parts)}."


@reason_if_absent
def sentence_exposure(exposure: Exposure) -> str:
    """Who received each component, and what stands between several."""
    data = exposure.dataset
    parts = []
    for component in data.study.treatments.components:
        row = where(exposure["exposure_count"], variable=f"{component.id}: treated", group=everybody(data)).iloc[0]
        parts.append(f"{component.label} {share(row)}")
    text = f"Patients who received each component: {joined(parts)}."
    days = where(exposure["exposure_number"], variable=BETWEEN, group=everybody(data))
    if len(days) and days["n"].iat[0]:
        row = days.iloc[0]
        text += (
            f" In {counted(row)} with several components, the last began a median of {format_number(row['median'], 0)} days{_at_most(row)} after the first; until then only part of the treatment was given."
        )
    return text


@reason_if_absent
def sentence_attendance(attendance: Attendance) -> str:
    """Share examined of those due, over all visits, and whether arms differ."""
    data = attendance.dataset
    parts, apart = [], []
    for _, total in where(attendance["attendance_total"], group=everybody(data)).iterrows():
        label = examination_label(data.study, total["variable"])
        if total["n"]:
            parts.append(f"{label} {share(total)}")
        if total["difference"] > SHARE_APART:
            apart.append(f"{label} (up to {format_points(total['difference'])} points)")
    text = f"Examinations made of those due, over all visits: {joined(parts)}."
    if apart:
        text += f" The arms differ most in {joined(apart)}."
    return text


@reason_if_absent
def sentence_timing(timing: Timing) -> str:
    """Median and longest interval by arm, and whether scans of one arm come later than those of another."""
    data = timing.dataset
    parts = []
    for arm in data.arms:
        row = timing.row("scan_interval", arm.id)
        if not row["n"]:
            parts.append(f"no interval with {arm.label}")
            continue
        parts.append(f"{format_number(row['median'], 0)}{_at_most(row)} with {arm.label}")
    text = f"Days between scans, median: {joined(parts)}."
    spread = timing["delay_spread"]["difference"].iat[0] if "delay_spread" in timing else float("nan")
    if not math.isnan(spread):
        verdict = (
            "an arm that is scanned later finds its progressions later"
            if spread >= DAYS_APART
            else "no arm lags a week behind another"
        )
        text += (
            f" Against the scheduled day the medians of the arms lie {format_number(spread, 1)} days apart: {verdict}."
        )
    return text


@reason_if_absent
def sentence_checklists(reporting: Reporting) -> str:
    """How many items of each checklist the report answers."""
    data = reporting.dataset
    parts = [
        f"{format_whole(row['n_answered'])} of {format_whole(row['n_items'])} items of {read_checklist(row['variable']).name}"
        for _, row in reporting["reporting"].iterrows()
    ]
    design = data.study.by_design
    more = "" if design.allocation else CHANCE
    more += "" if design.by_chance or design.routine_data else ROUTINE
    return f"This report answers {joined(parts)}; the others say why they stay open.{more}"


@reason_if_absent
def sentence_flow(flow: Flow) -> str:
    """Who is in the report."""
    data = flow.dataset
    arms = joined([f"{format_whole(data.n[arm.id])} with {arm.label}" for arm in data.arms])
    part = part_label(data.study, data.parameters)
    kind = "subgroup" if data.parameters.subgroup else "population"
    restricted = f" Only the {kind} {part} is analysed." if part else ""
    left_out = [arm.label for arm in data.study.arms if arm.id not in [a.id for a in data.arms]]
    arms_out = f" {joined(left_out)} {'is' if len(left_out) == 1 else 'are'} left out by parameter." if left_out else ""
    return f"{plural(len(data.patients), 'patient')} {'is' if len(data.patients) == 1 else 'are'} analysed: {arms}.{arms_out}{restricted}"


@reason_if_absent
def sentence_baseline(baseline: Baseline) -> str:
    """Which variables differ most between the arms."""
    data = baseline.dataset
    if "baseline_smd" not in baseline:
        return "One arm: there is no balance to judge."
    largest = (
        where(baseline["baseline_smd"], group="overall")
        .dropna(subset=["smd"])
        .sort_values("smd", ascending=False, kind="stable")
    )
    if largest.empty:
        return "No standardized difference can be estimated."
    above = largest[largest["smd"] > LARGE_SMD]
    if above.empty:
        first = largest.iloc[0]
        return f"The largest standardized difference is {format_number(first['smd'], 2)} ({variable_label(data, first['variable'])})."
    named = [f"{variable_label(data, r.variable)} ({format_number(r.smd, 2)})" for r in above.head(4).itertuples()]
    more = " and others" if len(above) > 4 else ""
    small = f" In arms this small, {format_given(LARGE_SMD)} is expected by chance alone." if data.n.min() < SMALL_ARM else ""
    return (
        f"The arms differ most in {joined(named) if not more else ', '.join(named)}{more} (standardized difference, the largest over all pairs of arms).{small} "
        f"{IMBALANCE[data.study.by_design.allocation]}"
    )


@reason_if_absent
def sentence_follow_up(analysis: FollowUp) -> str:
    """Median follow-up of each arm."""
    data = analysis.dataset
    d, unit, found = decimals_of_time(data), data.study.time.unit, analysis["follow_up"].set_index("group")
    shown = [(arm.label, found.loc[arm.id]) for arm in data.arms if found.at[arm.id, "n"] != 0]
    parts = [f"{label} {MASKED if is_masked(row) else format_time(row['median'], d)}" for label, row in shown]
    never = " (NR = not reached)" if any(part.endswith(NOT_REACHED) for part in parts) else ""
    return f"Median follow-up for {inside(data.study.endpoint(analysis.variable).short)} by reverse Kaplan-Meier, in {unit}: {joined(parts)}{never}."


def sentence_queries(queries: pd.DataFrame) -> str:
    """How many data queries are open, and how many of them block a report."""
    if queries.empty:
        return "No data query is open: every rule of intake holds."
    if blocking := int((queries["severity"] == "error").sum()):
        n = plural(len(queries), "data query", "data queries")
        return f"{blocking} of {n} {'has' if blocking == 1 else 'have'} to be answered before a report can be made."
    return f"{plural(len(queries), 'data query', 'data queries')} {'is' if len(queries) == 1 else 'are'} open; none of them stops the analysis."
