"""Dates of events and the flags beside them: what says to whom an event happened, whatever its words are, and on which day."""

from __future__ import annotations

__all__ = ["event_dates"]

import re

import pandas as pd

from lib.intake.new_study.outcomes.event_codes import DENIED, EVENT, codes_of
from lib.intake.new_study.outcomes.outcome_dates import ISO
from lib.intake.new_study.outcomes.outcome_names import outcome_columns
from lib.intake.new_study.recognition import Proposal, Recognised, as_id
from lib.intake.new_study.words import DEATH, NO, YES, known_name
from lib.study.parts import FLAGS_OF_DATES
from lib.study.words import DATE_COLUMNS

# What makes a name that of a date.
AS_DATE = re.compile(r"date|datum|日期|时间|時間|日\Z|_dt\Z|дата|fecha|data_|날짜|일\Z")


def event_dates(proposal: Proposal, patients: Recognised) -> set[str]:
    """Find the dates that there are, none without both ends of follow-up; that of death may come of a status.

    Parameters
    ----------
    proposal : Proposal
        Gets the questions what words beside a date mean.
    patients : Recognised
        Its columns get the flags, and what is made of a status.

    Returns
    -------
    set of str
        Our names; without those whose flag waits for an answer.
    """
    for date, flag in FLAGS_OF_DATES.items():
        cells = patients.frame[patients.columns[flag]].dropna() if flag in patients.columns else ()
        if date not in patients.columns and len(cells) and cells.str.match(ISO).all():
            patients.columns[date] = patients.columns.pop(flag)  # "Death" above days tells when, not whether
    has = {ours for ours in patients.columns if ours in DATE_COLUMNS}
    if not {"time_zero", "last_contact_date"} <= has:
        return set()
    if "death" not in patients.columns and (status := _vital_status(patients)):
        patients.columns["death"] = status
    if "death" in patients.columns and "death_date" not in has:
        has |= _death_date(proposal, patients)
    return {date for date in has if date not in FLAGS_OF_DATES or _flagged(proposal, patients, date, FLAGS_OF_DATES[date])}


def _flagged(proposal: Proposal, patients: Recognised, date: str, flag: str) -> bool:
    """Write the flag of a date as 0 and 1, whatever its words are; False while it is asked what they mean."""
    known = patients.columns.get(flag, "")
    theirs = known or _beside(patients, date)
    cells = patients.frame[theirs].dropna() if theirs else pd.Series(dtype=object)
    if cells.empty or (known and set(cells) <= {"0", "1"}):
        return True
    if set(cells.str.casefold()) <= YES | NO:
        happened = cells.str.casefold().isin(YES)
    elif (codes := codes_of(cells, theirs, proposal.questions)) is not None:
        happened = cells.map(codes.roles).eq(EVENT)
    else:
        return False
    patients.columns[flag] = as_id(flag, flag, patients.frame)
    patients.frame[patients.columns[flag]] = happened.map({True: "1", False: "0"}).reindex(patients.frame.index)
    proposal.say("endpoints", f"{patients.columns[flag]} is 1 where {theirs} says that it happened.")
    return True


def _beside(patients: Recognised, date: str) -> str:
    """A column of yes and no that is called as a date is (复发 beside 复发日期): it says to whom it happened, whether or not the day is known."""
    stem = AS_DATE.sub("", known_name(patients.columns[date])).strip("_")
    free = [name for name in patients.frame if name not in patients.columns.values() and stem and stem in known_name(name)]
    free = [name for name in free if not DENIED.search(known_name(name).replace("_", " "))]  # 无复发 says the opposite
    return next((name for name in free if (cells := patients.frame[name].dropna()).size and set(cells.str.casefold()) <= YES | NO | {"0", "1"}), "")


def _vital_status(patients: Recognised) -> str:
    """A status that beside the dates can only be of death, as one of its values says; "" where a time stands beside it."""
    rest = patients.frame.drop(columns=list(set(patients.columns.values())))
    times, events = outcome_columns(rest)
    return next((column for column in events if rest[column].dropna().map(lambda v: bool(DEATH.fullmatch(v))).any()), "") if not times else ""


def _death_date(proposal: Proposal, patients: Recognised) -> set[str]:
    """The day of death of a patient who died is that of the last contact, where the file holds no other."""
    flag, contact = patients.columns["death"], patients.columns["last_contact_date"]
    cells = patients.frame[flag]
    codes = codes_of(cells.dropna(), flag, proposal.questions)
    if codes is None:
        return set()
    died = cells.map(codes.roles).eq(EVENT)
    patients.frame["death"] = died.map({True: "1", False: "0"}).where(cells.notna(), None)
    patients.frame["death_date"] = patients.frame[contact].where(died, None)
    patients.columns.update(death="death", death_date="death_date")
    proposal.say("endpoints", f"The file has no date of death: where {flag} says death, it is {contact}.")
    return {"death_date"}
