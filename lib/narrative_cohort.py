"""Sentences of the cohort report on how the study was run: completeness, exposure, attendance, timing, checklists."""

from __future__ import annotations

__all__ = [
    "sentence_attendance",
    "sentence_checklists",
    "sentence_completeness",
    "sentence_enrolment",
    "sentence_exposure",
    "sentence_timing",
]

import math

import pandas as pd

from lib.analysis import Analysis, where
from lib.checklist import read_checklist
from lib.dataset import Dataset
from lib.exposure import BETWEEN
from lib.formats import format_number, format_percent, format_points, format_whole, joined, said_count
from lib.labels import counted, everybody, examination_label, share
from lib.narrative import reason_if_absent
from lib.study_design import RANDOMISED

# An arm whose share of examinations, or median delay in days, lies so far from another's is named.
SHARE_APART, DAYS_APART = 0.1, 7


def _at_most(row: pd.Series) -> str:
    """The largest value behind a median, where it may be shown."""
    return "" if pd.isna(row["max"]) else f" (at most {format_number(row['max'], 0)})"


@reason_if_absent
def sentence_completeness(data: Dataset, analysis: Analysis) -> str:
    """How complete the follow-up is, and how many were lost."""
    short = data.study.endpoint(analysis.variable).short
    parts = []
    for arm in data.arms:
        lost = analysis.row("follow_up_lost", arm.id)
        if lost["n"] == 0:
            continue
        share = format_percent(analysis.row("follow_up_completeness", arm.id)["estimate"])
        parts.append(f"{share} with {arm.label} ({said_count(lost['count'])} of {said_count(lost['n'])} lost)")
    days = data.study.policy.lost_after_days
    return f"Of the follow-up for {short} that was possible until the cut-off, this was observed: {joined(parts)}. Lost: censored more than {days} days before the cut-off."


@reason_if_absent
def sentence_enrolment(data: Dataset, enrolment: Analysis) -> str:
    """When each arm was enrolled; different calendar times confound."""
    if "starts" not in enrolment:
        return ""
    starts, parts = enrolment["starts"], []
    for arm in data.arms:
        dates = where(starts, arm=arm.id)["date"]
        months = dict.fromkeys(f"{date:%B %Y}" for date in (dates.min(), dates.max())) if len(dates) else ["nobody"]
        parts.append(f"{arm.label} {' to '.join(months)}")
    return f"First and last start of treatment: {joined(parts)}."


@reason_if_absent
def sentence_exposure(data: Dataset, exposure: Analysis) -> str:
    """Who received each component, and what stands between several."""
    parts = []
    for component in data.study.treatments.components:
        row = where(exposure["exposure_count"], variable=f"{component.id}: treated", group=everybody(data)).iloc[0]
        parts.append(f"{component.label} {share(row)}")
    text = f"Patients who received each component: {joined(parts)}."
    days = where(exposure["exposure_number"], variable=BETWEEN, group=everybody(data))
    if len(days) and days["n"].iat[0]:
        row = days.iloc[0]
        text += (
            f" In {counted(row)} with several components {format_number(row['median'], 0)} days{_at_most(row)} in the median lay between the first start and the last: time in which only part of the treatment was given."
        )
    return text


@reason_if_absent
def sentence_attendance(data: Dataset, attendance: Analysis) -> str:
    """Share examined of those due, over all visits, and whether arms differ."""
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
def sentence_timing(data: Dataset, timing: Analysis) -> str:
    """Median and longest interval by arm, and whether scans of one arm come later than those of another."""
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


def sentence_checklists(data: Dataset, reporting: Analysis) -> str:
    """How many items of each checklist the report answers."""
    parts = [
        f"{format_whole(row['n_answered'])} of {format_whole(row['n_items'])} items of {read_checklist(row['variable']).name}"
        for _, row in reporting["reporting"].iterrows()
    ]
    other = " A randomised trial is reported by CONSORT, which is not filled here." if data.study.allocation == RANDOMISED else ""
    return f"This report answers {joined(parts)}; the others say why they stay open.{other}"
