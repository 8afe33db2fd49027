"""Which of the dates in a table of patients are time zero, the last contact and death: by their names, else asked."""

from __future__ import annotations

__all__ = ["ISO", "find_dates", "in_words"]

import re

import pandas as pd

from lib.intake.new_study.outcomes.outcome_names import NONE, outcome_columns, read_name
from lib.intake.new_study.recognition import Proposal, Recognised, is_date
from lib.intake.new_study.words import CALLED, known_name
from lib.study.parts import DAYS, FLAGS_OF_DATES

ISO = re.compile(r"\d{4}-\d\d-\d\d\Z")
NO_DATES = "no endpoint is made of dates"
EVENTS = {*FLAGS_OF_DATES, *FLAGS_OF_DATES.values(), "distant_progression_date"}


def find_dates(proposal: Proposal, patients: Recognised) -> None:
    """Find the dates of which endpoints are made; what no name tells is asked where no column holds ready-made times.

    Parameters
    ----------
    proposal : Proposal
        Gets the questions.
    patients : Recognised
        Its columns get `time_zero`, `last_contact_date` and `death_date`.
    """
    ready = bool(proposal.known.outcomes) or _ready_made(patients)
    if not ready or "last_contact_date" in patients.columns:
        _one_time_zero(proposal, patients)
    if ready:
        return
    # A recognised event or last contact says that patients were followed; so do two dates of which nothing else is known.
    followed = (EVENTS | {"last_contact_date"}) & set(patients.columns)
    if not followed and len(_free(proposal, patients)) + ("time_zero" in patients.columns) < 2:
        return
    for ours in ("time_zero", "last_contact_date", "death_date"):
        if not _asked(proposal, patients, ours):
            return


def _one_time_zero(proposal: Proposal, patients: Recognised) -> None:
    """Of several dates that are called as time zero is, the one that is answered."""
    frame, taken = patients.frame, {theirs for ours, theirs in patients.columns.items() if ours != "time_zero"}
    names = {re.sub("_dt$", "_date", known_name(column)): column for column in frame if column not in taken}
    called = [name for name in dict.fromkeys(CALLED["time_zero"].split()) if name in names]
    dates = [names[name] for name in called if frame[names[name]].str.match(ISO).any()]
    if len(dates) < 2:
        return
    patients.columns.pop("time_zero", None)
    answer = proposal.questions.ask("time zero", "From which date does time run?", {date: _follows(patients, "time_zero", date) for date in dates})
    if answer:
        patients.columns["time_zero"] = answer


def _ready_made(patients: Recognised) -> bool:
    """Whether a column holds times of an outcome; an age in years is none."""
    times, _ = outcome_columns(patients.frame.drop(columns=list(set(patients.columns.values()))))
    return any(name.time or name.kinds or not name.others for name in map(read_name, times))


def _free(proposal: Proposal, patients: Recognised) -> list[str]:
    """Columns of dates of which nothing is known."""
    taken = {*patients.columns.values(), *proposal.known.aside}
    frame = patients.frame
    return [c for c in frame if c not in taken and is_date(frame[c])]


def _asked(proposal: Proposal, patients: Recognised, ours: str) -> bool:
    """Ask for one date if it is needed and there are some that it may be; whether to go on to the next."""
    if ours in patients.columns or (ours == "time_zero" and "time zero" in proposal.questions.open):
        return True
    if ours == "death_date" and _says_event(patients):
        return True
    dates = [date for date in _free(proposal, patients) if _may_be(patients, ours, date)]
    if not dates:
        return ours == "death_date"
    key, text, none = {
        "time_zero": ("time zero", "From which date does time run?", NO_DATES),
        "last_contact_date": ("last contact", "Which date is that of the last contact, until which a patient was followed?", NO_DATES),
        "death_date": ("date of death", "Which date is that of death, empty where a patient is alive?", "the file holds no date of death"),
    }[ours]
    answer = proposal.questions.ask(key, text, {date: _follows(patients, ours, date) for date in dates} | {NONE: none})
    if answer and answer != NONE:
        patients.columns[ours] = answer
    return answer != NONE


def _says_event(patients: Recognised) -> bool:
    """Whether something else than a date of death says what became of a patient."""
    rest = patients.frame.drop(columns=list(set(patients.columns.values())))
    return bool(EVENTS & set(patients.columns)) or bool(outcome_columns(rest)[1])


def _may_be(patients: Recognised, ours: str, date: str) -> bool:
    """Whether a date lies where such a one can: time zero before the last contact, death for some patients alone."""
    if ours == "death_date":
        return bool(patients.frame[date].isna().any())
    between = _between(patients, ours, date)
    return between.empty or between.median() >= 0


def _between(patients: Recognised, ours: str, date: str) -> pd.Series:
    """Days from time zero to the last contact of those who have both, if `date` is one of them; empty if the other is not known."""
    columns = {"time_zero": None, "last_contact_date": None} | patients.columns | {ours: date}
    if None in (columns["time_zero"], columns["last_contact_date"]):
        return pd.Series(dtype=float)
    start, end = (pd.to_datetime(patients.frame[columns[name]], errors="coerce") for name in ("time_zero", "last_contact_date"))
    return (end - start).dt.days.dropna()


def _follows(patients: Recognised, ours: str, date: str) -> str:
    """What follows if `date` is ours."""
    between = _between(patients, ours, date)
    if ours == "death_date" or between.empty:
        cells = patients.frame[date].dropna()
        return f"{len(cells)} of {len(patients.frame)} patients have one, from {cells.min()} to {cells.max()}"
    median = in_words(between.median())
    return f"the median from it to the last contact is {median}" if ours == "time_zero" else f"the median from time zero to it is {median}"


def in_words(days: float) -> str:
    """Write a time in days in the unit in which it is easily read."""
    return f"{days:.0f} days" if days < 60 else f"{days / DAYS['months']:.1f} months" if days < 730 else f"{days / DAYS['years']:.1f} years"
