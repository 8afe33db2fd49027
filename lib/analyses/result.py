"""What every clinical task returns: named, unrounded frames about one variable.

Tables, figures, sentences and results.csv are all made from these frames and from nothing else.
"""

from __future__ import annotations

__all__ = ["PATIENTS", "PLACES", "Absent", "Analysis", "absent_if_absent", "requires", "unit_of", "where"]

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import wraps

import pandas as pd

from lib.dataset.dataset import Dataset

# Columns that say where a value belongs, not what it is.
PLACES = {"variable", "group", "time", "method", "note", "term", "test", "step", "grade", "level", "unit"}
# What a row counts, where its frame does not say otherwise in a column `unit`.
PATIENTS = "patients"


def unit_of(frame: pd.DataFrame) -> pd.Series:
    """What each row counts: patients, events, lesions, samples, scans, intervals."""
    return frame["unit"] if "unit" in frame else pd.Series(PATIENTS, frame.index)


def where(frame: pd.DataFrame, **values) -> pd.DataFrame:
    """Rows of `frame` whose columns have these values."""
    for column, value in values.items():
        frame = frame[frame[column] == value]
    return frame


@dataclass(frozen=True)
class Analysis:
    """The results about one variable.

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


def absent_if_absent(analyse: Callable) -> Callable:
    """Let an analysis of an analysis give back the `Absent` that it is given. It takes the dataset first."""

    @wraps(analyse)
    def checked(data, analysis, *arguments, **options):
        return analysis if isinstance(analysis, Absent) else analyse(data, analysis, *arguments, **options)

    return checked


def requires(*tables: str) -> Callable:
    """Let an analysis give back `Absent` for a study that lacks one of `tables`.

    The analysis takes the dataset first.
    """

    def decorate(analyse: Callable) -> Callable:
        @wraps(analyse)
        def checked(data, *arguments, **options):
            missing = [table.replace("_", " ") for table in tables if not data.holds(table)]
            if missing:
                return Absent(
                    f"This study holds no table of {' and '.join(missing)}, so there is nothing to show here."
                )
            return analyse(data, *arguments, **options)

        return checked

    return decorate
