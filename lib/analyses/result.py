"""What every clinical task returns: named, unrounded frames about one variable, of the task's own kind.

Tables, figures, sentences and results.csv are all made from these frames and from nothing else.
"""

from __future__ import annotations

__all__ = ["PATIENTS", "PLACES", "Absent", "Analysis", "absent_among", "absent_if_absent", "requires", "unit_of", "where", "without"]

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, get_args, get_type_hints

import pandas as pd

from lib.dataset.dataset import Dataset

# Columns that say where a value belongs, not what it is.
PLACES = {"variable", "group", "time", "method", "note", "term", "test", "step", "grade", "level", "unit"}
# What a row counts, where its frame does not say otherwise in a column `unit`.
PATIENTS = "patients"
A = TypeVar("A")
P = ParamSpec("P")
R = TypeVar("R")


def unit_of(frame: pd.DataFrame) -> pd.Series:
    """What each row counts: patients, events, lesions, samples, scans, intervals."""
    return frame["unit"] if "unit" in frame else pd.Series(PATIENTS, frame.index)


def where(frame: pd.DataFrame, **values: object) -> pd.DataFrame:
    """Rows of `frame` whose columns have these values."""
    for column, value in values.items():
        frame = frame[frame[column] == value]
    return frame


@dataclass(frozen=True)
class Analysis:
    """The results about one variable. Each task gives a kind of its own, which tables, plots and sentences ask for.

    Attributes
    ----------
    dataset : Dataset
        The analysis set that it is about.
    variable : str
        Id of the endpoint, baseline variable, marker or term ("" where the frames name it in a column `variable`).
    frames : dict of str to DataFrame
        Output name -> tidy frame: `group`, optional `time` and `variable`, one column per statistic,
        `method`, `note`, and `unit` where it counts anything but patients. Recorded in results.csv.
    data : dict of str to DataFrame
        What the pictures need beyond that (curves, single patients); not recorded.
    """

    dataset: Dataset = field(repr=False)
    variable: str
    frames: dict[str, pd.DataFrame]
    data: dict[str, pd.DataFrame] = field(default_factory=dict)

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.frames[name] if name in self.frames else self.data[name]

    def __contains__(self, name: str) -> bool:
        return name in self.frames or name in self.data

    def __iter__(self) -> Iterator[str]:
        return iter(self.frames)

    def row(self, output: str, group: str, time: float | None = None) -> pd.Series:
        """The one row of `output` for `group` (and `time`)."""
        hit = where(self[output], group=group, **({} if time is None else {"time": time}))
        if len(hit) != 1:
            raise KeyError(f"{output}: {len(hit)} rows for group {group!r}, time {time!r}")
        return hit.iloc[0]


@dataclass(frozen=True)
class Absent:
    """Stands for an analysis that a study has no data for. Sentences say why, tables and figures stay empty.

    `dataset` is what it was asked of, once a page has recorded it.
    """

    reason: str
    variable: str = ""
    dataset: Dataset | None = field(default=None, repr=False)


def absent_among(function: Callable[..., object]) -> Callable[..., Absent | None]:
    """Make what looks at the arguments of a function: analyses have the kinds that its signature names, or are absent.

    Returns
    -------
    callable
        Takes what `function` takes. Gives the first `Absent` that stands where the signature names none, else None;
        a `TypeError` says which kind was given and which is needed.
    """
    signature = inspect.signature(function)
    kinds = {name: _classes(hint) for name, hint in get_type_hints(function).items() if name in signature.parameters}
    needed = {name: of for name, of in kinds.items() if any(issubclass(kind, Analysis) for kind in of)}

    def look(*arguments: object, **options: object) -> Absent | None:
        absent = None
        for name, given in signature.bind_partial(*arguments, **options).arguments.items():
            for one in given if isinstance(given, list | tuple) else [given]:
                if name not in needed or isinstance(one, needed[name]):
                    continue
                if not isinstance(one, Absent):
                    allowed = " or ".join(kind.__name__ for kind in needed[name])
                    raise TypeError(f"{function.__name__}: {name} is {type(one).__name__}, needed is {allowed}")
                absent = absent or one
        return absent

    return look


def _classes(hint: object) -> tuple[type, ...]:
    """Every class that an annotation names: `list[Survival | Absent]` -> Survival, Absent."""
    inner = [found for part in get_args(hint) for found in _classes(part)]
    return tuple(inner) or ((hint,) if isinstance(hint, type) else ())


def absent_if_absent(analyse: Callable[Concatenate[Dataset, A, P], R]) -> Callable[Concatenate[Dataset, A | Absent, P], R | Absent]:
    """Let an analysis of an analysis give back the `Absent` that it is given, and refuse a wrong kind."""
    absent = absent_among(analyse)

    @wraps(analyse)
    def checked(data: Dataset, analysis: A | Absent, /, *arguments: P.args, **options: P.kwargs) -> R | Absent:
        return absent(data, analysis, *arguments, **options) or analyse(data, analysis, *arguments, **options)  # type: ignore[arg-type]

    return checked


def without(*tables: str) -> str:
    """The reason of what needs tables that a study does not hold."""
    return f"This study holds no table of {' and '.join(table.replace('_', ' ') for table in tables)}."


def requires(*tables: str) -> Callable[[Callable[Concatenate[Dataset, P], R]], Callable[Concatenate[Dataset, P], R | Absent]]:
    """Let an analysis give back `Absent` for a study that lacks one of `tables`.

    The analysis takes the dataset first.
    """

    def decorate(analyse: Callable[Concatenate[Dataset, P], R]) -> Callable[Concatenate[Dataset, P], R | Absent]:
        @wraps(analyse)
        def checked(data: Dataset, /, *arguments: P.args, **options: P.kwargs) -> R | Absent:
            missing = [table for table in tables if not data.holds(table)]
            if missing:
                return Absent(without(*missing))
            return analyse(data, *arguments, **options)

        return checked

    return decorate
