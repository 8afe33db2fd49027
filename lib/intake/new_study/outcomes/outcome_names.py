"""Columns of times and of events among the columns of a table, and which belong together; all of it by their names.

A time without its event, or two events for one time, is a question; what an event's values mean is not known here
(lib/intake/new_study/outcomes/event_codes.py).
"""

from __future__ import annotations

__all__ = ["Name", "Pair", "outcome_columns", "paired", "read_name", "unit_of"]

import re
import unicodedata
from dataclasses import dataclass

import pandas as pd

from lib.intake.new_study.questions import Questions
from lib.intake.new_study.recognition import is_numeric
from lib.intake.new_study.words import (
    ENDPOINTS,
    EVENT_NAMES,
    STATUS_NAMES,
    TIME_NAMES,
    UNIT_WORDS,
    known_name,
    words,
)

AGE = re.compile(r"(^|_)(age|alter|edad|età|idade|leeftijd|wiek|yaş)(_|$)|年龄|年齢|年齡|岁|歳|나이|연령|возраст")  # nobody is followed for as long as that
MOST_VALUES, MOST_WORDS = 6, 12  # of a column of events: codes, or a vital status in words with causes of death and of leaving
CALENDAR = 1800  # a "year" of which every value is later is one of the calendar
NONE = "none"
KINDS = {word: kind for kind, (called, _, _) in ENDPOINTS.items() for word in called.split()}
UNITS = {word: unit for unit, called in UNIT_WORDS.items() for word in called}
IN = words("in en em")  # before a unit: "Gesamtüberleben in Monaten", "survival in days"
INITIALS = frozenset(word for word in UNITS if word.isascii() and len(word) == 1)  # a unit in brackets alone
# What is written without a gap: `rfstime`, `pstat`, `osmonths`, `生存时间`; then the rest is a word of its own.
GLUED = re.compile(
    r"(?P<stem>[^\W\d_]+?)(?P<last>time|stat|status|event|censor|cens|months?|days?|weeks?|years?|时间|状态|日数|天数|周数|月数|年数|期間|"
    r"zeit|monate|tage|jahre|status)\Z"
)
# Alone they name a time even where no event is known.
PLAIN_TIMES = words("t time futime followup follow fu duration survtime aval 时间 随访时间 生存时间 観察期間 beobachtungszeit")
# Kinds of outcome of which one word may name the time and another the event.
FAMILIES = {"rfs": "ttr", "dfs": "ttr", "efs": "ttr", "mfs": "ttr", "pfs": "ttp"}
TWO_WORDS = ("progression_free", "disease_free", "relapse_free", "recurrence_free", "event_free", "metastasis_free", "cancer_specific", "local_control", "local_failure")


@dataclass(frozen=True)
class Name:
    """What the words of a column's name say of an outcome.

    Attributes
    ----------
    kinds : frozenset of str
        Kinds of outcome that it names (os, pfs ...).
    others : tuple of str
        Words that name none of them, nor a time, an event or a status.
    time, event, status : bool
        Whether a word says so.
    unit : str
        Of time; empty where none is named.
    """

    kinds: frozenset[str]
    others: tuple[str, ...]
    time: bool
    event: bool
    status: bool
    unit: str


def read_name(column: str) -> Name:
    """Read what the name of a column says."""
    whole = known_name(column)
    for pair in TWO_WORDS:
        whole = re.sub(f"(^|_){pair}(_survival)?(?=_|$)", f"\\1{KINDS[pair]}", whole)
    parts = [part for word in whole.split("_") if word for part in _parts(word)]
    units = set(UNITS) - INITIALS
    parts = [part for part, after in zip(parts, [*parts[1:], ""], strict=False) if not (part in IN and after in units)]
    known = TIME_NAMES | units | EVENT_NAMES | STATUS_NAMES | set(KINDS)
    kinds = frozenset(KINDS[word] for word in parts if word in KINDS)
    if len(kinds) > 1 and "os" in kinds:  # the survival of "progression-free survival"
        kinds -= {"os"}
    return Name(
        kinds,
        tuple(word for word in parts if word not in known and not word.isdigit()),
        any(word in TIME_NAMES for word in parts),
        any(word in EVENT_NAMES for word in parts),
        any(word in STATUS_NAMES for word in parts),
        next((UNITS[word] for word in parts if word in units), ""),
    )


def _parts(word: str) -> list[str]:
    if word in TIME_NAMES or word in UNITS or word in EVENT_NAMES or word in STATUS_NAMES or word in KINDS:
        return [word]
    match = GLUED.match(word)
    return [*_parts(match["stem"]), match["last"]] if match else [word]


def unit_of(column: str) -> str:
    """The unit of time that the name of a column says: "os_months", "time (days)", "随访时间（月）"."""
    bracketed = re.search(r"[(\[,/]\s*([^\W\d_]+)\.?\s*[)\]]?\s*\Z", unicodedata.normalize("NFKC", column))
    if bracketed and bracketed[1].casefold() in UNITS:
        return UNITS[bracketed[1].casefold()]
    return read_name(column).unit


def _is_time(frame: pd.DataFrame, column: str) -> bool:
    cells, name = frame[column], read_name(column)
    if not (name.time or name.unit or (name.kinds and not name.event)) or (name.status and not name.time) or not is_numeric(cells):
        return False
    numbers = pd.to_numeric(cells, errors="coerce").dropna()
    calendar = name.unit == "years" and numbers.min() > CALENDAR
    return numbers.nunique() > 2 and numbers.min() >= 0 and not calendar


def _is_event(frame: pd.DataFrame, column: str) -> bool:
    cells, name = frame[column].dropna(), read_name(column)
    if not (name.event or name.status or name.kinds):
        return False
    numbers = pd.to_numeric(cells, errors="coerce").dropna()
    codes = len(numbers) < len(cells) or numbers.between(-1, 9).all()
    most = MOST_VALUES if len(numbers) else MOST_WORDS
    return 1 <= cells.nunique() <= most and codes and (cells.nunique() < len(cells) or len(cells) < 3)


def outcome_columns(frame: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Columns that may be times, and columns that may be events."""
    events = [column for column in frame if _is_event(frame, column)]
    return [column for column in frame if column not in events and _is_time(frame, column)], events


@dataclass(frozen=True)
class Pair:
    """A time and its event; `event` is empty while it is asked which one it is."""

    time: str
    event: str


def paired(frame: pd.DataFrame, questions: Questions, *, needed: bool = False) -> list[Pair]:
    """Times with their events: first those whose names agree, then what is left, where only one pair is possible.

    Where no name tells any and one is `needed`, which columns they are is asked.
    """
    times, events = outcome_columns(frame)
    pairs, names = [], {column: read_name(column) for column in [*times, *events]}
    for time in times:
        same = [e for e in events if e not in [p.event for p in pairs] and _agree(names[time], names[e])]
        if same and (names[time].kinds or names[time].others):
            pairs.append(Pair(time, min(same, key=lambda e: not (names[e].event or names[e].status))))
    left = [time for time in times if time not in [pair.time for pair in pairs]]
    free = [event for event in events if event not in [pair.event for pair in pairs] and not names[event].others]
    loose = [time for time in left if not names[time].others and (names[time].kinds or names[time].time)]
    loose = loose or ([] if pairs else [time for time in left if not names[time].others])
    for time in loose:
        fitting = [event for event in free if _may_agree(names[time], names[event])]
        if len(fitting) == 1 and len(loose) == 1:
            pairs.append(Pair(time, fitting[0]))
        elif fitting or (not pairs and known_name(time) in PLAIN_TIMES):
            event = _asked(frame, questions, time, fitting or _binary(frame))
            pairs += [Pair(time, event)] if event != NONE else []
    pairs = pairs or _by_event(frame, questions, [event for event in free if names[event].event])
    return pairs if pairs or questions.open or not needed else _by_answer(frame, questions)


def _by_answer(frame: pd.DataFrame, questions: Questions) -> list[Pair]:
    """No name tells an outcome, in whatever language it is: ask for the event, then for its time."""
    few = [c for c in frame if 2 <= frame[c].nunique() <= (MOST_VALUES if is_numeric(frame[c]) else MOST_WORDS) and frame[c].nunique() < frame[c].notna().sum()]
    if not few or not _of_many_numbers(frame, few):
        return []
    options = {c: f"its values: {_counted(frame[c])}" for c in few} | {NONE: "there is no time to an event in this file"}
    event = questions.ask("outcome", "Which column says what became of a patient (death, progression ...)? No name tells it.", options)
    return _by_event(frame, questions, [event]) if event and event != NONE else []


def _by_event(frame: pd.DataFrame, questions: Questions, events: list[str]) -> list[Pair]:
    """An event whose time no name tells: ask for it among the columns of many numbers."""
    many, pairs = _of_many_numbers(frame, events), []
    for event in events if many else []:
        options = {time: _spread(frame[time]) for time in many} | {NONE: f"{event} has no time: it is left out of the endpoints"}
        time = questions.ask(f"time column of {event}", f"Which column holds the time to {event}, or to the end of observation?", options)
        pairs += [Pair(time, event)] if time and time != NONE else []
    return pairs


def _of_many_numbers(frame: pd.DataFrame, others: list[str]) -> list[str]:
    return [
        c for c in frame
        if c not in others and not AGE.search(known_name(c)) and is_numeric(frame[c]) and frame[c].nunique() > max(MOST_VALUES, len(frame) / 4)
    ]  # fmt: skip


def _spread(cells: pd.Series) -> str:
    numbers = pd.to_numeric(cells, errors="coerce").dropna()
    return f"the median is {numbers.median():g}, the longest {numbers.max():g}"


def _counted(cells: pd.Series) -> str:
    return ", ".join(f"{value} ({n})" for value, n in cells.value_counts().items())


def _agree(time: Name, event: Name) -> bool:
    """Whether two names are of one outcome: the same kind and other words, or a letter that begins the event's name."""
    if (time.kinds or time.others) and time.kinds == event.kinds and time.others == event.others:
        return True
    initial = time.others[0] if len(time.others) == 1 and not time.kinds and len(time.others[0]) <= 2 else ""
    starts = {kind_word[: len(initial)] for kind in event.kinds for kind_word in _own_words(kind)}
    return bool(initial) and (initial in starts or initial == "".join(event.others)) and not (event.others and event.kinds)


def _own_words(kind: str) -> list[str]:
    return ["death"] if kind == "os" else [word for word in ENDPOINTS[kind][0].split() if len(word) > 3]


def _may_agree(time: Name, event: Name) -> bool:
    families = [{FAMILIES.get(kind, kind) for kind in name.kinds} for name in (time, event)]
    return not families[0] or not families[1] or families[0] == families[1]


def _binary(frame: pd.DataFrame) -> list[str]:
    return [column for column in frame if set(frame[column].dropna()) in ({"0", "1"}, {"1", "2"})]


def _asked(frame: pd.DataFrame, questions: Questions, time: str, candidates: list[str]) -> str:
    options = {c: f"its values: {_counted(frame[c])}" for c in candidates}
    if not options:
        return NONE
    options[NONE] = f"{time} is the time to no event: it is left out of the endpoints"
    return questions.ask(f"event column of {time}", f"Which column says whether the event of {time} happened?", options) or ""
