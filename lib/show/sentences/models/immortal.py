"""Sentences about a component that takes time to be added."""

from __future__ import annotations

__all__ = ["sentence_immortal", "sentence_strategies"]

import pandas as pd

from lib.analyses.models.immortal import CLONED, Immortal
from lib.analyses.models.same_question import NAIVE
from lib.analyses.result import where
from lib.analyses.verdicts import REFUSED
from lib.dataset.dataset import Dataset
from lib.languages.notes import worded
from lib.languages.speech import _, in_a_row
from lib.show.formats import format_interval, format_number, format_percent, format_points, format_whole
from lib.show.labels import inside, level_text
from lib.show.phrases import format_duration, joined, plural
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
        _(" {other_start} of these arms began otherwise and {en} left out: on that day it was not known that {shared} would come.", other_start=plural(counts['other start'], 'patient'), en='is' if counts['other start'] == 1 else 'are', shared=shared) if counts["other start"] else ""
    )  # fmt: skip
    days = immortal["immortal_time"].iloc[0]
    spread = _("{median} (median; {min} to {max})", median=format_number(days['median'], 0), min=format_number(days['min'], 0), max=format_number(days['max'], 0))
    return (
        _(
            "Asked: {strategy}. {eligible} began with {shared} and could have done either.{left_out} {added} added {added2} within {period}, "
            "{added_later} later, {never_added} never. {event_of_added} of the {value} who ever added it had the event, and {event_of_never_added} of "
            "the {never_added} others. Who added it did so {spread} days after time zero, {person_time} together ({estimate} of all their days), in "
            "which none of them can have had the event. {within}",
            strategy=strategy.label, eligible=plural(counts['eligible'], 'patient'), shared=shared, left_out=left_out, added=format_whole(counts['added']), added2=added, period=period, added_later=format_whole(counts['added later']), never_added=format_whole(counts['never added']), event_of_added=format_whole(counts['event of added']), value=format_whole(counts['added'] + counts['added later']), event_of_never_added=format_whole(counts['event of never added']), spread=spread, person_time=plural(days['person_time'], 'day'), estimate=format_percent(days['estimate'], 1), within=_within(counts, period),
        )
    )


def _within(counts: pd.Series, period: str) -> str:
    ended, left = counts["event within"], counts["left within"]
    if not ended + left:
        return _("Nobody had the event or left within the {period}, so nobody was kept from adding it by that.", period=period)
    return (
        _(
            "Within the {period} {ended} had the event and {left} left: a comparison by who ever added it counts whoever of them had not yet done so as "
            "not added, although nobody knows what would have come.",
            period=period, ended=format_whole(ended), left=format_whole(left),
        )
    )


@reason_if_absent
def sentence_strategies(immortal: Immortal) -> str:
    """What the strategies come to from the same day on, or why that is not estimated."""
    data, verdict = immortal.dataset, immortal["verdicts"].iloc[0]
    if verdict["state"] == REFUSED:
        return _("Following every patient under both strategies was refused: {why} {conclude}", why=inside(worded(verdict["why"])), conclude=worded(verdict['conclude']))
    return in_a_row([_shares(data, immortal), _naive(immortal), verdict["why"] and _("Weak: {why}", why=inside(worded(verdict["why"]))), worded(verdict["conclude"])])


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
        _(
            "Had everybody added {labels} within the period, {shares} would be without the event at {duration}; had nobody, {shares2}: {points} "
            "percentage points{interval}, if the covariates hold all that led to adding it.",
            labels=_labels(data)[1], shares=format_percent(shares[ADDED]), duration=format_duration(row['time'], data.study.time.unit), shares2=format_percent(shares[NOT_ADDED]), points=format_points(row['difference']), interval=interval,
        )
    )


def _naive(immortal: Immortal) -> str:
    """How far the naive hazard ratio lies from that of the strategies."""
    ratios = immortal["strategy_hr"].set_index("variable")["hr"]
    naive, cloned = ratios.get(NAIVE, float("nan")), ratios.get(CLONED, float("nan"))
    if pd.isna(naive) or pd.isna(cloned):
        return ""
    return _("Hazard ratio {cloned}; comparing whoever ever added it with the others from time zero gives {naive}, with its days before counted as treated.", cloned=format_number(cloned, 2), naive=format_number(naive, 2))
