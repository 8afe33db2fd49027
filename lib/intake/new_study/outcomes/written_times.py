"""Times as people write them: with a sign behind those that are censored, as articles do (12.3+); in words (1年2个月)."""

from __future__ import annotations

__all__ = ["with_durations", "with_marked_times"]

import re
from dataclasses import replace

import pandas as pd

from lib.intake.new_study.headers import Headed
from lib.intake.new_study.outcomes.outcome_names import unit_of
from lib.intake.new_study.questions import Questions
from lib.intake.new_study.tidying import known_cells
from lib.intake.new_study.words import UNIT_WORDS
from lib.study.parts import DAYS

MARKED = re.compile(r"(\d+(?:[.,]\d+)?)\s*([+*]?)\Z")
# Signs that a day of the calendar has as well (3月, 5日).
OF_THE_CALENDAR = {"月", "日", "일"}
# Years, then months, weeks and days, each with its unit and none of them needed; 2020年 is a date.
WRITTEN = re.compile(r"\s*".join(
    rf"(?:(?P<{unit}>\d{{1,{5 if unit == 'days' else 3 if unit != 'years' else 2}}}(?:[.,]\d+)?)\s*(?:{'|'.join(sorted(map(re.escape, set(UNIT_WORDS[unit]) - OF_THE_CALENDAR), key=len, reverse=True))})\.?)?"
    for unit in ("years", "months", "weeks", "days")
), re.IGNORECASE)  # fmt: skip
# With as few different numbers, all whole, 2+ may be a grade, and 3 months a visit.
FEW_NUMBERS = 6
UNIT = re.compile(r"\s*(?:\([^()]*\)|\[[^\[\]]*\])\s*\Z")
FIRST = 20
STATUS = {True: "censored", False: "event"}
IN_MONTHS = {"years": 12.0, "months": 1.0}


def with_marked_times(sheet: str, one: Headed, questions: Questions) -> Headed:
    """Ask what the sign behind some numbers means; where it is censoring, put a column of event and censoring beside the times.

    Parameters
    ----------
    sheet : str
        Its name, for the question.
    one : Headed
    questions : Questions

    Returns
    -------
    Headed
        With the numbers alone in each column that was answered, and what was changed.
    """
    frame, changes = one.frame.copy(), list(one.changes)
    for column in one.frame:
        numbers, signs = _parts(known_cells(one.frame[column]))
        marked = signs.ne("")
        if signs[marked].nunique() != 1 or marked.all() or (numbers.nunique() <= FEW_NUMBERS and not numbers.str.contains("[.,]").any()):
            continue
        found, sign = one.frame[column][marked[marked].index], signs[marked].iloc[0]
        answer = questions.ask(
            f"{sign} in {column}",
            f"What does {sign} behind a number of {column} in {sheet} mean, such as {found.iloc[0]}?",
            {
                "censored": f"no event until then: {int(marked.sum())} of {len(marked)} are censored, and the others have the event",
                "nothing": "the numbers are kept without it",
                "text": "the column is no time and stays as it is",
            },
        )
        if answer not in ("censored", "nothing"):
            continue
        frame.loc[numbers.index, column] = numbers
        changes += [(int(row), column, cell, numbers[row], f"{sign} behind a number") for row, cell in found.items()]
        if answer == "censored":
            frame.insert(frame.columns.get_loc(column) + 1, _status_of(column, frame), marked.map(STATUS).reindex(frame.index))
    return replace(one, frame=frame, changes=changes)


def with_durations(one: Headed) -> Headed:
    """Write `1 year 2 months` as a number in one unit, which then stands in the name of the column: their own, months, else days."""
    frame, changes, called = one.frame.copy(), list(one.changes), {}
    for column in one.frame:
        cells = known_cells(one.frame[column])
        parts = _matched(WRITTEN, cells)
        if not len(parts) or cells.nunique() <= FEW_NUMBERS:
            continue
        found = {row: {unit: float(number.replace(",", ".")) for unit, number in part.groupdict().items() if number} for row, part in parts.items()}
        units = set().union(*found.values())
        unit = next(iter(units)) if len(units) == 1 else "months" if units <= set(IN_MONTHS) else "days"
        scale = {unit: 1.0} if len(units) == 1 else IN_MONTHS if unit == "months" else DAYS
        for row, part in found.items():
            frame.loc[row, column] = f"{sum(number * scale[own] for own, number in part.items()):.10g}"
            changes.append((int(row), column, cells[row], frame.loc[row, column], f"a time in words, in {unit}"))
        name = column if unit_of(column) == unit else f"{column} ({unit})"
        called[column] = name if name not in frame else column
    changes = [(row, called.get(column, column), *rest) for row, column, *rest in changes]
    labels = {called.get(column, column): label for column, label in one.labels.items()}
    return replace(one, frame=frame.rename(columns=called), changes=changes, labels=labels)


def _parts(cells: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Number and sign of each cell; nothing where any cell is something else."""
    found = _matched(MARKED, cells)
    return found.map(lambda parts: parts[1]), found.map(lambda parts: parts[2])


def _matched(pattern: re.Pattern, cells: pd.Series) -> pd.Series:
    """The match of each cell; none where any cell is something else, which the first few mostly tell."""
    found = cells.head(FIRST).map(pattern.fullmatch)
    if not found.isna().any():
        found = cells.map(pattern.fullmatch)
    return found[:0] if found.isna().any() else found


def _status_of(column: str, frame: pd.DataFrame) -> str:
    """A name for the status beside a time: that of the time without its unit."""
    named = (f"{start} status{more}" for more in ("", *(f" ({again})" for again in range(2, len(frame.columns) + 3))) for start in (UNIT.sub("", column), column))
    return next(name for name in named if name not in frame)
