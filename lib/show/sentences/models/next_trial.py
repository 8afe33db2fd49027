"""Sentences about the next trial, each tied to its numbers."""

from __future__ import annotations

__all__ = ["sentence_next_trial"]

import pandas as pd

from lib.analyses.outlook.next_trial import POWERS, SEEN, WORTHWHILE, NextTrial
from lib.analyses.result import where
from lib.show.formats import (
    format_chance,
    format_number,
    format_percent,
    format_whole,
    joined,
    plural,
)
from lib.show.labels import caveat, decimals_of_time, inside, pair_label
from lib.show.sentences.absent import reason_if_absent
from lib.show.ways import EFFECTS
from lib.statistics.comparisons import name_pair


@reason_if_absent
def sentence_next_trial(trial: NextTrial) -> str:
    """How many events and patients each effect asks for, what assurance says, and where accrual and follow-up come from."""
    data, frame = trial.dataset, where(trial["next_trial"], step="equal")
    endpoint, pair = data.study.endpoint(trial.variable), name_pair(*data.contrast)
    said = [_effect(where(frame, term=term, power=POWERS[0])) for term in EFFECTS]
    start = f"{endpoint.short}, {pair_label(data, pair)}, two arms of one size, {format_percent(POWERS[0])} power: {'; '.join(said)}."
    return " ".join(filter(None, [start, _assurance(frame), _patients(trial), caveat(data.study, "the effect seen, and with it the assurance,")]))


def _effect(rows: pd.DataFrame) -> str:
    """Such as "the effect seen (hazard ratio 0.33) asks for 26 events"."""
    row = rows.iloc[0]
    about = inside(EFFECTS[row["term"]])
    if pd.isna(row["events_needed"]):
        return f"{about} gives no size ({row['note']})"
    note = f", {row['note']}" if row["note"] else ""
    crude = "" if row["term"] == WORTHWHILE else "crude "
    return f"{about} ({crude}hazard ratio {format_number(row['hr'], 2)}{note}) asks for {plural(row['events_needed'], 'event')}"


def _assurance(frame: pd.DataFrame) -> str:
    """What a trial planned for an effect can hope for, given how little is known."""
    for term in (WORTHWHILE, SEEN):
        known = where(frame, term=term).dropna(subset="assurance")
        if len(known):
            row = known.iloc[0]
            return (
                f"A trial of {format_whole(row['events_needed'])} events has {format_percent(row['power'])} power for {inside(EFFECTS[term])}; "
                f"its assurance, over all hazard ratios that this study leaves possible, is {format_chance(row['assurance'])}."
            )
    return "There is no assurance: this study gives no hazard ratio with a standard error."


def _patients(trial: NextTrial) -> str:
    """Where the numbers of patients come from, or why there are none."""
    data, assumed = trial.dataset, trial["next_trial_assumed"].set_index("variable")
    unit, d = data.study.time.unit, decimals_of_time(data)
    rate, follow_up, hazard, loss = (assumed["estimate"][name] for name in ("accrual", "follow_up", "hazard", "loss"))
    per = f"per {unit.removesuffix('s')}"
    missing = [assumed.at[name, "note"] for name, value in (("follow_up", follow_up), ("hazard", hazard)) if pd.isna(value)]
    if missing:
        return f"Patients are not derived from events: {joined(missing)}."
    entered = f"{format_number(rate, 2)} {per} enter" if pd.notna(rate) else f"all enter at once ({assumed.at['accrual', 'note']})"
    left = f"{format_number(loss, 4)} {per} leave without the event" if loss > 0 else "nobody leaves without the event"
    note = f" ({assumed.at['loss', 'note']})" if assumed.at["loss", "note"] else ""
    return (
        f"Patients follow from events as things went here, with constant rates: {entered}, the last is followed for {format_number(follow_up, d)} {unit} (the median follow-up), "
        f"{format_number(hazard, 4)} events {per} with {data.study.arm(data.reference).label}, and {left}{note}."
    )
