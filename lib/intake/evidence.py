"""The tables under examination, as their files hold them and as typed frames, and how a finding is reported.

Shared by the checks of single cells (lib/intake/schemas.py) and the rules between cells and tables (lib/intake/tables.py).
"""

from __future__ import annotations

__all__ = ["MAX_LISTED", "ONE_DAY", "Evidence", "Rule", "list_problems", "look_up", "needs"]

import datetime as dt
import functools
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.intake.cells import TEXT
from lib.intake.files import Source
from lib.study.study import Study
from lib.study.words import grouped
from lib.study.yaml_file import Problem, shown

# A column that is wrong throughout is one mistake: the first rows show it, one line counts the others.
MAX_LISTED = 200
# A register or a laboratory often notes a day later what was last seen the day before; no result moves by it.
ONE_DAY = pd.Timedelta(days=1)


@dataclass(frozen=True)
class Evidence:
    """What the rules look at.

    Attributes
    ----------
    study : lib.study.study.Study
    sources : dict of str to lib.intake.files.Source
        Table -> its cells as text.
    frames : dict of str to DataFrame, index = row in the file
        Table -> its typed frame with every column of the data model; what is missing or not allowed is missing.
        `measurements` has the `patient_id` of its lesion. Patients excluded from the analysis are left out of
        `patients`.
    """

    study: Study
    sources: dict[str, Source]
    frames: dict[str, pd.DataFrame]

    def __getitem__(self, table: str) -> pd.DataFrame:
        return self.frames[table]

    @property
    def zero(self) -> str:
        """What the study calls the date from which time counts."""
        return self.study.time.zero

    def holds(self, *names: str) -> bool:
        """Whether the files hold these tables ("lesions") and columns ("patients.death")."""
        for name in names:
            table, _, column = name.partition(".")
            if table not in self.sources or (column and column not in self.sources[table].frame):
                return False
        return True

    def text(self, table: str, column: str) -> pd.Series:
        """A column as the file holds it: text, missing where the cell is empty."""
        return self.sources[table].frame[column].reindex(self.frames[table].index).astype(TEXT)

    def empty(self, table: str, column: str) -> pd.Series:
        """Which cells of a column are empty in the file; all, where it lacks the column."""
        frame = self.sources[table].frame
        cells = frame[column] if column in frame else pd.Series(pd.NA, frame.index)
        return cells.isna().reindex(self.frames[table].index)

    def of_patient(self, table: str, column: str) -> pd.Series:
        """A column of `patients`, for each row of another table; missing for a patient who is not there."""
        ids = self.frames[table]["patient_id"]
        if table not in self._places:
            self._places[table] = self._patients.index.get_indexer(ids.to_numpy())
        found = self._patients[column].array.take(self._places[table], allow_fill=True)
        return pd.Series(found, index=ids.index)

    @functools.cached_property
    def _patients(self) -> pd.DataFrame:
        return self.frames["patients"].dropna(subset="patient_id").drop_duplicates("patient_id").set_index("patient_id", drop=False)

    @functools.cached_property
    def _places(self) -> dict[str, np.ndarray]:
        """Of each table that was asked about: the row of `_patients` of each of its rows, -1 for a patient who is not there."""
        return {}

    def unknown(self, table: str, column: str, known: pd.Series) -> pd.Series:
        """Which cells of a column are filled with a text that is none of `known`."""
        cells = self.text(table, column)
        # As objects: of its own texts pandas looks at each known one in Python.
        return cells.notna() & ~cells.astype(object).isin(known.dropna().astype(object))

    def problems(self, code: str, table: str, found: pd.DataFrame, column: str, message: str) -> list[Problem]:
        """One problem per row of `found`.

        Parameters
        ----------
        code : str
        table : str
        found : DataFrame, index = row in the file
            The rows that break the rule.
        column : str
            Our name of the column where it shows.
        message : str
            May name columns of `found` in braces; they are filled in per row.
        """
        return list_problems(code, self.sources[table], found, column, message)


def look_up(keys: pd.Series, values: pd.Series) -> pd.Series:
    """`values` at `keys`, missing where there is no such key.

    As `keys.map(values)`, which forgets the type of `values` when no key is found.
    """
    return pd.Series(values.reindex(keys.to_numpy()).array, index=keys.index)


Rule = Callable[[Evidence], list[Problem]]


def needs(*names: str) -> Callable[[Rule], Rule]:
    """Mark a rule with the tables and columns it needs; without them it is skipped."""

    def mark(rule: Rule) -> Rule:
        rule.needs = names
        return rule

    return mark


def list_problems(code: str, source: Source, found: pd.DataFrame, column: str, message: str) -> list[Problem]:
    """One problem per row of `found`, up to `MAX_LISTED`, and one that counts the rest."""
    if found.empty:
        return []
    cells = source.frame.get(column)
    name = shown(source.theirs.get(column, column))
    problems = []
    for row, values in zip(found.index[:MAX_LISTED], found.head(MAX_LISTED).to_dict("records"), strict=True):
        filled = re.sub(r"\{(\w+)\}", lambda m: _written(values[m[1]]) if m[1] in values else m[0], message)  # noqa: B023
        value = "" if cells is None or pd.isna(cells.get(row)) else shown(cells.loc[row])
        patient = values.get("patient_id")
        patient = shown(patient) if isinstance(patient, str) else ""
        problems.append(Problem(code, filled, source.file, int(row), name, patient, value))
    if len(found) > MAX_LISTED:
        rest = f"and {grouped(len(found) - MAX_LISTED)} more rows with the same problem"
        problems.append(Problem(code, rest, source.file, "", name))
    return problems


def _written(value) -> str:
    if isinstance(value, dt.datetime | pd.Timestamp) and not pd.isna(value):
        return value.date().isoformat()
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return "nothing"
    return f"{value:g}" if isinstance(value, float) else shown(value)
