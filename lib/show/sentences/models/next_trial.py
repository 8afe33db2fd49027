"""Sentences about the next trial, each tied to its numbers."""

from __future__ import annotations

__all__ = ["sentence_next_trial"]

import pandas as pd

from lib.analyses.outlook.next_trial import POWERS, SEEN, WORTHWHILE, NextTrial
from lib.analyses.result import where
from lib.languages.notes import worded
from lib.languages.speech import _, in_a_row
from lib.show.formats import format_chance, format_number, format_percent, format_whole
from lib.show.labels import caveat, decimals_of_time, inside, pair_label
from lib.show.phrases import in_unit, joined, plural, unit_name
from lib.show.sentences.absent import reason_if_absent
from lib.show.ways import EFFECTS
from lib.statistics.comparisons import name_pair


@reason_if_absent
def sentence_next_trial(trial: NextTrial) -> str:
    """How many events and patients each effect asks for, what assurance says, and where accrual and follow-up come from."""
    data, frame = trial.dataset, where(trial["next_trial"], step="equal")
    endpoint, pair = data.study.endpoint(trial.variable), name_pair(*data.contrast)
    said = [_effect(where(frame, term=term, power=POWERS[0])) for term in EFFECTS]
    start = _("{endpoint}, {pair_label}, two arms of one size, {powers} power: {join}.", endpoint=endpoint.short, pair_label=pair_label(data, pair), powers=format_percent(POWERS[0]), join=_("; ").join(said))
    return in_a_row([start, _assurance(frame), _patients(trial), caveat(data.study, _("the effect seen, and with it the assurance,"))])


def _effect(rows: pd.DataFrame) -> str:
    """Such as "the effect seen (hazard ratio 0.33) asks for 26 events"."""
    row = rows.iloc[0]
    about = inside(_(EFFECTS[row["term"]]))
    if pd.isna(row["events_needed"]):
        return _("{about} gives no size ({note})", about=about, note=worded(row['note']))
    note = _(", {note}", note=worded(row["note"])) if row["note"] else ""
    hr, events_needed = format_number(row["hr"], 2), plural(row["events_needed"], "event")
    if row["term"] == WORTHWHILE:
        return _("{about} (hazard ratio {hr}{note}) asks for {events_needed}", about=about, hr=hr, note=note, events_needed=events_needed)
    return _("{about} (crude hazard ratio {hr}{note}) asks for {events_needed}", about=about, hr=hr, note=note, events_needed=events_needed)


def _assurance(frame: pd.DataFrame) -> str:
    """What a trial planned for an effect can hope for, given how little is known."""
    for term in (WORTHWHILE, SEEN):
        known = where(frame, term=term).dropna(subset="assurance")
        if len(known):
            row = known.iloc[0]
            return (
                _("A trial of {events_needed} events has {power} power for {effects}; its assurance, over all hazard ratios that this study leaves possible, is {chance}.", events_needed=format_whole(row['events_needed']), power=format_percent(row['power']), effects=inside(_(EFFECTS[term])), chance=format_chance(row['assurance']))
            )
    return _("There is no assurance: this study gives no hazard ratio with a standard error.")


def _patients(trial: NextTrial) -> str:
    """Where the numbers of patients come from, or why there are none."""
    data, assumed = trial.dataset, trial["next_trial_assumed"].set_index("variable")
    unit, d = data.study.time.unit, decimals_of_time(data)
    rate, follow_up, hazard, loss = (assumed["estimate"][name] for name in ("accrual", "follow_up", "hazard", "loss"))
    per = _("per {unit}", unit=unit_name(unit.removesuffix("s")))
    missing = [worded(assumed.at[name, "note"]) for name, value in (("follow_up", follow_up), ("hazard", hazard)) if pd.isna(value)]
    if missing:
        return _("Patients are not derived from events: {listed}.", listed=joined(missing))
    entered = _("{rate} {per} enter", rate=format_number(rate, 2), per=per) if pd.notna(rate) else _("all enter at once ({at})", at=worded(assumed.at['accrual', 'note']))
    left = _("{loss} {per} leave without the event", loss=format_number(loss, 4), per=per) if loss > 0 else _("nobody leaves without the event")
    note = _(" ({note})", note=worded(assumed.at["loss", "note"])) if assumed.at["loss", "note"] else ""
    return (
        _(
            "Patients follow from events as things went here, with constant rates: {entered}, the last is followed for {follow_up} (the median "
            "follow-up), {hazard} events {per} with {arm}, and {left}{note}.",
            entered=entered, follow_up=in_unit(format_number(follow_up, d), unit), hazard=format_number(hazard, 4), per=per, arm=data.study.arm(data.reference).label, left=left, note=note,
        )
    )
