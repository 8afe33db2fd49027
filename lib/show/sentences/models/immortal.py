"""Sentences about a component that takes time to be added."""

from __future__ import annotations

__all__ = ["sentence_immortal", "sentence_strategies"]

import pandas as pd

from lib.analyses.models.immortal import CLONED, Immortal
from lib.analyses.models.same_question import NAIVE
from lib.analyses.result import where
from lib.analyses.verdicts import REFUSED
from lib.dataset.dataset import Dataset
from lib.show.formats import (
    format_duration,
    format_interval,
    format_number,
    format_percent,
    format_points,
    format_whole,
    joined,
    plural,
)
from lib.show.labels import level_text
from lib.show.sentences.absent import reason_if_absent
from lib.statistics.weighting.cloning import ADDED, NOT_ADDED
from lib.study.inference.strategy import shared_components


def _labels(data: Dataset) -> tuple[str, str]:
    """What both strategies begin with, and what is added."""
    labels = {c.id: c.label for c in data.study.treatments.components}
    shared = shared_components(data.study.treatments.components, data.study.strategy)
    return joined([labels[c] for c in shared], "or"), labels[data.study.strategy.add]


@reason_if_absent
def sentence_immortal(immortal: Immortal) -> str:
    """Who could begin both strategies, who added the component and when, and what happened before."""
    data, strategy = immortal.dataset, immortal.dataset.study.strategy
    shared, added = _labels(data)
    counts = immortal["strategy_patients"].set_index("variable")["count"]
    period = plural(strategy.within_days, "day")
    left_out = (
        f" {plural(counts['other start'], 'patient')} of these arms began otherwise and {'is' if counts['other start'] == 1 else 'are'} left out: "
        f"on that day it was not known that {shared} would come." if counts["other start"] else ""
    )  # fmt: skip
    days = immortal["immortal_time"].iloc[0]
    spread = f"{format_number(days['median'], 0)} (median; {format_number(days['min'], 0)} to {format_number(days['max'], 0)})"
    return (
        f"Asked: {strategy.label}. {plural(counts['eligible'], 'patient')} began with {shared} and could have done either.{left_out} "
        f"{format_whole(counts['added'])} added {added} within {period}, {format_whole(counts['added later'])} later, {format_whole(counts['never added'])} never. "
        f"{format_whole(counts['event of added'])} of the {format_whole(counts['added'] + counts['added later'])} who ever added it had the event, and {format_whole(counts['event of never added'])} of the {format_whole(counts['never added'])} others. "
        f"Who added it did so {spread} days after time zero, {plural(days['person_time'], 'day')} together ({format_percent(days['estimate'], 1)} of all their days), "
        f"in which none of them can have had the event. {_within(counts, period)}"
    )


def _within(counts: pd.Series, period: str) -> str:
    ended, left = counts["event within"], counts["left within"]
    if not ended + left:
        return f"Nobody had the event or left within the {period}, so nobody was kept from adding it by that."
    return (
        f"Within the {period} {format_whole(ended)} had the event and {format_whole(left)} left: a comparison by who ever added it "
        "counts whoever of them had not yet done so as not added, although nobody knows what would have come."
    )


@reason_if_absent
def sentence_strategies(immortal: Immortal) -> str:
    """What the strategies come to from the same day on, or why that is not estimated."""
    data, verdict = immortal.dataset, immortal["verdicts"].iloc[0]
    if verdict["state"] == REFUSED:
        return f"Following every patient under both strategies was refused: {verdict['why'][:1].lower()}{verdict['why'][1:]} {verdict['conclude']}"
    return " ".join(filter(None, [_shares(data, immortal), _naive(immortal), verdict["why"] and f"Weak: {verdict['why'][:1].lower()}{verdict['why'][1:]}", verdict["conclude"]]))


def _shares(data: Dataset, immortal: Immortal) -> str:
    """Shares without the event under both strategies at the last time that both are followed to."""
    risk = where(immortal["strategy_risk"], variable=CLONED).dropna(subset=["difference"])
    if risk.empty:
        return ""
    row, level = risk.iloc[-1], level_text(data)
    shares = where(immortal["strategy_share"], variable=CLONED, time=row["time"]).set_index("group")["estimate"]
    limits = format_interval(row["ci_low"], row["ci_high"], 0, percent=True)
    interval = f" ({level} CI {limits})" if pd.notna(row["ci_low"]) else ""
    return (
        f"Had everybody added {_labels(data)[1]} within the period, {format_percent(shares[ADDED])} would be without the event at {format_duration(row['time'], data.study.time.unit)}; "
        f"had nobody, {format_percent(shares[NOT_ADDED])}: {format_points(row['difference'])} percentage points{interval}, if the covariates hold all that led to adding it."
    )


def _naive(immortal: Immortal) -> str:
    """How far the naive hazard ratio lies from that of the strategies."""
    ratios = immortal["strategy_hr"].set_index("variable")["hr"]
    naive, cloned = ratios.get(NAIVE, float("nan")), ratios.get(CLONED, float("nan"))
    if pd.isna(naive) or pd.isna(cloned):
        return ""
    return f"Hazard ratio {format_number(cloned, 2)}; comparing whoever ever added it with the others from time zero gives {format_number(naive, 2)}, with its days before counted as treated."
