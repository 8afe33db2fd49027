"""Which value of a column is the event: certain where the words themselves say it, asked in every other case.

1 under `death` is a death. 1 under `status` or `censored` is anybody's guess, and a guess turns every curve upside down.
"""

from __future__ import annotations

__all__ = ["CENSORED_CODE", "DENIED", "EVENT", "Codes", "codes_of"]

import re
from dataclasses import dataclass

import pandas as pd

from lib.intake.new_study.outcomes.outcome_names import read_name
from lib.intake.new_study.questions import Questions
from lib.intake.new_study.recognition import values_of
from lib.intake.new_study.words import (
    CENSORED,
    ENDPOINT_KEYS,
    ENDPOINTS,
    HAPPENED,
    NO,
    TRUE_NAMES,
    YES,
    known_name,
    words,
)

EVENT, CENSORED_CODE, COMPETING = "event", "censored", "competing"
NUMBERED = re.compile(r"\d+\s*[:=.)-]\s*(?=\D)")  # "1:DECEASED"
DENIED = re.compile(r"\b(?:no|not|without|never|free|kein|nicht|non)\b|[未无無]", re.IGNORECASE)
# Beside a word of TRUE_NAMES they leave its meaning as it is.
NEUTRAL = words("flag ind indicator yn fl jn of the is any has")
NAMED = TRUE_NAMES | NEUTRAL | ENDPOINT_KEYS | {word for called, _, _ in ENDPOINTS.values() for word in called.split()} - {"lebt", "alive", "vital"}


@dataclass(frozen=True)
class Codes:
    """What each value means, and how that is known."""

    roles: dict[str, str]
    because: str


def codes_of(cells: pd.Series, event: str, questions: Questions, *, adam: bool = False, patients: int = 0) -> Codes | None:
    """What the values of a column of events mean; None while that is asked.

    Parameters
    ----------
    cells : Series of text
        One per patient.
    event : str
        Name of the column.
    questions : Questions
    adam : bool
        Whether it is CNSR of an ADaM data set of times to an event.
    patients : int
        How many they are, where a patient may have several values; else as many as there are cells.
    """
    values = values_of(cells)
    roles = _certain(event, values, adam=adam)
    if roles is not None and f"event of {event}" not in questions.given:
        return Codes(roles, "as the words say" if not adam else "as ADaM defines CNSR: 0 is the event")
    counts = cells.value_counts()
    ask = _which_of_two if len(values) == 2 else _each
    asked = ask(event, values, counts, patients or len(cells), questions)
    return asked and Codes(asked, "as answered")


def _certain(event: str, values: list[str], *, adam: bool) -> dict[str, str] | None:
    """Roles of the values, where nothing has to be asked."""
    if adam and "0" in values and all(value.isdigit() for value in values):
        return {value: EVENT if value == "0" else CENSORED_CODE for value in values}
    texts = {value: NUMBERED.sub("", value).strip() for value in values}
    if all(text.casefold() in YES | NO | {"0", "1"} for text in texts.values()):
        if values == ["1"]:  # of 0 and 1, or of 1 and 2?
            return None
        return {v: EVENT if t.casefold() in YES | {"1"} else CENSORED_CODE for v, t in texts.items()} if _says_true(event) else None
    roles = {value: _role(value, event) for value in values}
    once = list(roles.values()).count(EVENT) <= 1
    return roles if once and all(roles.values()) else None


def _role(value: str, event: str) -> str:
    """What a word says of itself; empty where it says nothing."""
    word = NUMBERED.sub("", value).strip()
    if CENSORED.fullmatch(word) or (word.casefold() in NO and _says_true(event)):
        return CENSORED_CODE
    return EVENT if HAPPENED.fullmatch(word) and not DENIED.search(word) else ""


def _says_true(event: str) -> bool:
    """Whether yes in this column can only mean that it happened."""
    named = known_name(event).split("_")
    of_kind = bool(set(named) & TRUE_NAMES) and not read_name(event).status
    return of_kind and all(word in NAMED or word.isdigit() for word in named)


def _which_of_two(event: str, values: list[str], counts: pd.Series, n: int, questions: Questions) -> dict[str, str] | None:
    options = {value: f"{counts[value]} of {n} patients have the event, {n - counts[value]} are censored" for value in values}
    answer = questions.ask(f"event of {event}", f"Which value of {event} means that the event happened?", options)
    return answer and {value: EVENT if value == answer else CENSORED_CODE for value in values}


def _each(event: str, values: list[str], counts: pd.Series, n: int, questions: Questions) -> dict[str, str] | None:
    """Ask of each value: more than two, or one alone, say nothing of one another. "Living" is not asked."""
    roles = {value: _role(value, event) for value in values}
    for value in [value for value in values if roles[value] != CENSORED_CODE]:
        options = {
            EVENT: f"{counts[value]} of {n} patients have the event by it",
            CENSORED_CODE: f"{counts[value]} of {n} patients are without the event by it",
        }
        if len(values) > 2:
            options[COMPETING] = f"{counts[value]} of {n} patients have another event, after which this one cannot happen"
        roles[value] = questions.ask(f"{event} = {value}", f"What does {value} mean in {event}?", options)
    if not all(roles.values()):
        return None
    return roles
