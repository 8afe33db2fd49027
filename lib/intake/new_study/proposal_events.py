"""The table of adverse events as a clinic codes it -> our codes, and what study.yml says of terms and severity.

Words for a severity or an outcome that have one meaning are known here; any other scale is asked about.
"""

from __future__ import annotations

__all__ = ["propose_events", "with_event_codes"]

import re

import pandas as pd

from lib.intake.new_study.recognition import Proposal, Recognised, as_label, is_numeric, plain_name
from lib.intake.new_study.tidying import CHANGE_COLUMNS
from lib.study.clinic.harms import FATAL_GRADE

# "Grade 3", "G3", "Gr. III" -> 3.
GRADE = re.compile(r"(?:toxicity |ctcae )?(?:grade|grad|gr\.?|g)?[ -]*([1-5]|I{1,3}|IV|V)(?:级|級|度)?\Z", re.IGNORECASE)
ROMAN = {"I": "1", "II": "2", "III": "3", "IV": "4", "V": "5"}
# A column of these names holds grades of five, whichever were seen.
OF_FIVE = ("ctcae_grade", "aetoxgr", "toxicity_grade", "ctc_grade")
# Severities by rank, the mildest first; the third counts as severe, the fifth is death.
SEVERITIES = (
    {"mild", "leicht", "léger", "legere", "leve", "轻度"},
    {"moderate", "mittel", "mittelschwer", "mässig", "mäßig", "modéré", "moderado", "中度"},
    {"severe", "schwer", "sévère", "grave", "重度"},
    {"life-threatening", "life threatening", "lebensbedrohlich", "危及生命"},
    {"fatal", "death", "tödlich", "死亡"},
)
SEVERE, FATAL = 3, 5
NO_SYSTEM = "Not classified"
# What an outcome is called, in plain names: SDTM and E2B among them. Numbers mean different things in different forms.
OUTCOMES = {
    "recovered": "recovered recovered_resolved resolved recovered_or_resolved cured geheilt genesen",
    "recovering": "recovering recovering_resolving resolving improving recovering_or_resolving improved",
    "not recovered": "not_recovered not_recovered_not_resolved not_resolved ongoing persisting continuing unresolved "
    "not_recovered_or_not_resolved nicht_genesen",
    "sequelae": "sequelae with_sequelae recovered_with_sequelae resolved_with_sequelae recovered_resolved_with_sequelae",
    "fatal": "fatal death died dead resulted_in_death verstorben",
}


def with_event_codes(found: Recognised) -> pd.DataFrame:
    """Write grades as numbers and outcomes as our codes, wherever every cell has one meaning; list what was changed."""
    changes = []
    for ours, read, why in (("grade", _grade, "a grade is a number"), ("outcome", _outcome, "a code of the data model")):
        theirs = found.columns.get(ours)
        if theirs is None:
            continue
        cells = found.frame[theirs].dropna()
        became = cells.map(read)
        if became.isna().any():
            continue
        for row in cells.index[became != cells]:
            changes.append((found.table, row, theirs, cells[row], became[row], why))
        found.frame.loc[cells.index, theirs] = became
    return pd.DataFrame(changes, columns=CHANGE_COLUMNS)


def _grade(cell: str) -> str | None:
    match = GRADE.match(cell)
    return match and ROMAN.get(match[1].upper(), match[1])


def _outcome(cell: str) -> str | None:
    name = plain_name(cell)
    return next((code for code, called in OUTCOMES.items() if name in called.split()), None)


def propose_events(proposal: Proposal, found: Recognised) -> None:
    """Terms under their systems, and the scale of severity."""
    term, system = found.columns["term"], found.columns.get("system")
    of = found.frame[system].fillna(NO_SYSTEM) if system else pd.Series(NO_SYSTEM, found.frame.index)
    pairs = (
        pd.DataFrame({"system": of, "term": found.frame[term]})
        .dropna()
        .drop_duplicates("term")
        .sort_values(["system", "term"])
    )
    graded = is_numeric(found.frame[found.columns["grade"]])
    proposal.study["adverse_events"] = {
        "dictionary": proposal.own("CTCAE (write the version)" if graded else "(write the dictionary)"),
        "systems": {name: list(rows["term"]) for name, rows in pairs.groupby("system")},
    } | (_grades if graded else _levels)(proposal, found)
    if isinstance(label := proposal.own(NO_SYSTEM), dict) and NO_SYSTEM in set(of):
        proposal.study["adverse_events"]["labels"] = {NO_SYSTEM: label}
    proposal.say(
        "adverse_events",
        "Every term in the table under its system. Two spellings of one term would count apart: correct the table.",
    )


def _grades(proposal: Proposal, found: Recognised) -> dict:
    """The highest grade: five where the column says so or higher ones were seen than a scale of three has."""
    column = found.columns["grade"]
    seen = pd.to_numeric(found.frame[column], errors="coerce").max()
    if plain_name(column) in OF_FIVE or not seen <= SEVERE:
        return {}
    proposal.say(
        "adverse_events",
        f"No grade above {seen:g} was seen, so the scale may end at {SEVERE}: nothing is then said of fatal events. "
        f"If it is CTCAE, whose grade {FATAL_GRADE} is death, write max_grade: {FATAL_GRADE}.",
    )
    return {"severe_grade": SEVERE, "max_grade": SEVERE}


def _levels(proposal: Proposal, found: Recognised) -> dict:
    """The study's own words, in order where their meaning is known; which of them is severe is asked where it is not."""
    words = sorted(found.frame[found.columns["grade"]].dropna().unique())
    ranks = {word: rank for rank, known in enumerate(SEVERITIES, 1) for word in words if word.casefold() in known}
    known = len(ranks) == len(words) == len(set(ranks.values()))
    ordered = sorted(words, key=ranks.get) if known else words
    scale = {"levels": [{"value": word, "label": as_label(word)} for word in ordered]}
    named = {rank: word for word, rank in ranks.items()} if known else {}
    if SEVERE in named:
        scale["severe_level"] = named[SEVERE]
    if FATAL in named:
        scale["fatal_level"] = named[FATAL]
    order = "mildest first; add those that nobody had" if known else "in the order of the alphabet: put the mildest first"
    asked = "" if SEVERE in named else " Write severe_level: the mildest that counts as severe; until then the check asks."
    proposal.say("adverse_events", f"Severity in the table's own words, {order}.{asked}")
    return scale
