"""One check per cell, all at once: types, ranges and codes of every table, over its text.

Cells are text until their check has passed; then they become dates, numbers, categories and flags. What they must
be stands in lib/intake/columns.py, rules between cells in lib/intake/tables.py.
"""

from __future__ import annotations

__all__ = ["check_table", "typed_frame"]

import difflib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow.compute as pc
from pyarrow import array as pa_array

from lib.fonts import undrawn
from lib.intake.cells import TEXT
from lib.intake.columns import LARGEST, Column, looks_personal
from lib.intake.evidence import list_problems
from lib.intake.files import Source
from lib.study.parts import FIRST_DAY, LAST_DAY
from lib.study.yaml_file import Problem, shown

MAX_CHARACTERS = 200
FIRST, LAST, NO_DATE = np.datetime64(FIRST_DAY, "ns"), np.datetime64(LAST_DAY, "ns"), np.datetime64("NaT", "ns")

PATTERNS = {
    "id": r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,39}\z",
    "date": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\z",
    "whole": r"^-?[0-9]{1,15}\z",
    "number": r"^-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?\z",
    "flag": r"^[01]\z",
}
# Control characters, and those that are invisible or turn the text around.
HIDDEN_PATTERN = "[\\x00-\\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
# What a spreadsheet would run, in its full-width forms too, and what a browser would.
FORMULA_PATTERN = r"^\s*[=@＝＠]|^\s*[+＋－-]\s*[^0-9.\s]|^\s*[+＋－-][0-9.]+[^0-9.eE]|<\s*[A-Za-z/!?]"
BEYOND_ASCII = r"[^\x00-\x7f]"


def check_table(source: Source, columns: tuple[Column, ...], owner: pd.Series | None = None) -> list[Problem]:
    """Check the header and every cell of one table.

    Parameters
    ----------
    source : lib.intake.files.Source
    columns : tuple of Column
    owner : Series, optional
        Patient of each row, for the messages of a table that does not name its patients.

    Returns
    -------
    list of Problem
        E003 missing column, W004 ignored column, W106 personal data, E090 formula or HTML, E107 hidden or overlong
        text, and per column the code of its type, range or list.
    """
    frame = source.frame
    missing = {c.declared: c for c in columns if c.name not in frame}
    problems = [_missing(source, column) for column in missing.values() if column.required]
    problems += [_ignored(source, name, list(missing)) for name in source.ignored]
    owner = frame.get("patient_id", owner)
    excluded = frame["excluded"].notna() if "excluded" in frame else pd.Series(False, index=frame.index)
    for part, must_be_filled in ((frame[~excluded], True), (frame[excluded], False)):
        if not part.empty:
            problems += _check_cells(source, part, columns, must_be_filled, owner)
    return problems


def _missing(source: Source, column: Column) -> Problem:
    name = column.declared
    near = difflib.get_close_matches(name, source.ignored, 1)
    hint = f" (did you mean {shown(near[0])}?)" if near else ""
    return Problem("E003", f"missing column {name}{hint}; it holds {column.rule}", source.file, 1, name)


def _ignored(source: Source, name: str, missing: list[str]) -> Problem:
    if looks_personal(name):
        message = "looks like personal data: not read; take the column out of the file"
        return Problem("W106", message, source.file, 1, shown(name))
    near = difflib.get_close_matches(name, missing, 1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return Problem("W004", f"ignored column: not in the data model{hint}", source.file, 1, shown(name))


def _check_cells(
    source: Source,
    frame: pd.DataFrame,
    columns: tuple[Column, ...],
    must_be_filled: bool,
    owner: pd.Series | None,
) -> list[Problem]:
    """Check all cells; of several failures in one cell the first counts."""
    known = {column.name: column for column in columns}
    problems = []
    for name, check, rows in _failures(frame, {name: _checks(column, must_be_filled) for name, column in known.items()}):
        code, _, message = check.partition(" ")
        cells = frame.loc[rows, name].astype(TEXT)
        near = cells.map({value: _near(value, known[name], code) for value in cells.unique()}, na_action="ignore")
        found = pd.DataFrame({"near": near.fillna("").astype(object)}, index=rows).assign(patient_id=owner)
        problems += list_problems(code, source, found, name, message + "{near}")
    return problems


def _failures(frame: pd.DataFrame, checks: dict[str, list[_Check]]) -> Iterator[tuple[str, str, np.ndarray]]:
    """Column, check and rows of all that fails, in the order of the columns."""
    for name in (name for name in frame if name in checks):
        # How a column is held says how it is checked, and how many rows the file has how it is held.
        way = _failed_by_value if isinstance(frame[name].dtype, pd.CategoricalDtype) else _failed
        yield from ((name, check, rows) for check, rows in way(frame[name], checks[name]))


def _failed(cells: pd.Series, checks: list[_Check]) -> list[tuple[str, np.ndarray]]:
    """What fails of a column: each check that finds something, and the rows; a cell fails one check, the first."""
    left, filled, found = np.ones(len(cells), bool), cells.notna().to_numpy(), []
    if _is_sound(cells, filled, checks):
        return found
    for check in checks:
        fails = left & ~np.asarray(check.passes(cells), dtype=bool)
        if check.of_text:
            fails &= filled
        if fails.any():
            found.append((check.error, cells.index.to_numpy()[fails]))
            left &= ~fails
    return found


def _is_sound(cells: pd.Series, filled: np.ndarray, checks: list[_Check]) -> bool:
    """Whether nothing can fail, as of most columns: no text has an unusual sign, and all pass the last check, the strictest."""
    if not filled.all() and any(not check.of_text for check in checks):
        return False
    odd = _matches(cells, f"{HIDDEN_PATTERN}|{FORMULA_PATTERN}|{BEYOND_ASCII}") | _is_overlong(cells)
    return not odd.any() and bool((~filled | np.asarray(checks[-1].passes(cells), dtype=bool)).all())


def _failed_by_value(cells: pd.Series, checks: list[_Check]) -> list[tuple[str, np.ndarray]]:
    """As `_failed` for a column of few different texts: a check sees each once."""
    values, codes = _distinct(cells)
    present = values if cells.hasnans else values.iloc[:-1]
    return [(error, cells.index.to_numpy()[np.isin(codes, places)]) for error, places in _failed(present, checks)]


def _distinct(cells: pd.Series) -> tuple[pd.Series, np.ndarray]:
    """Distinct texts of a Categorical, the missing one last, and the position of each cell among them."""
    values = [*cells.cat.categories, None]
    codes = cells.cat.codes.to_numpy(dtype=np.int64)
    return pd.Series(values, dtype=TEXT), np.where(codes < 0, len(values) - 1, codes)


def _near(value, column: Column, code: str) -> str:
    """Nearest allowed codes, for a typing error."""
    if code != column.code or not column.allowed or not isinstance(value, str):
        return ""
    near = difflib.get_close_matches(value[:MAX_CHARACTERS], list(column.allowed), 3, 0.5)
    return f"; nearest: {', '.join(near)}" if near else ""


class _Check(NamedTuple):
    """A rule of a column: which cells pass, the code and the message where one does not, and whether empty cells are left out."""

    passes: Callable[[pd.Series], np.ndarray]
    error: str
    of_text: bool = True


def _checks(column: Column, must_be_filled: bool) -> list[_Check]:
    """Checks of one column, the most general first: of several that a cell fails the first counts, and what passes the last is of its type."""
    checks = [
        _Check(
            lambda cells: ~(_matches(cells, HIDDEN_PATTERN) | _is_overlong(cells)),
            f"E107 must be one line of at most {MAX_CHARACTERS} characters, without invisible characters",
        ),
        _Check(
            lambda cells: ~_matches(cells, FORMULA_PATTERN),
            "E090 must not begin like a formula (= + - @) or hold HTML: nothing in a table is run",
        ),
        _Check(_is_drawn, "E107 holds signs that no font of the reports draws"),
    ]
    if must_be_filled and column.filled:
        checks.append(_Check(pd.notna, f"{column.type_code} is empty; must be {column.rule}", of_text=False))
    # A number is first checked without its limits: a wrong type and a wrong size have their own codes.
    unlimited = replace(column, low=None, high=None)
    size = f", none beyond {LARGEST:.0e}" if column.kind == "number" and column.high is None else ""
    checks.append(_Check(lambda c: pd.notna(_convert(c, unlimited)), f"{column.type_code} must be {column.rule}{size}"))
    if column != unlimited:
        checks.append(_Check(lambda c: pd.notna(_convert(c, column)), f"{column.code} must be {column.rule}"))
    return checks


def _is_overlong(cells: pd.Series) -> np.ndarray:
    """Which texts are longer than a cell may be; a pattern that counts them off takes thirty times as long to make."""
    long = pc.greater(pc.utf8_length(pa_array(cells)), MAX_CHARACTERS)
    return pc.fill_null(long, False).to_numpy(zero_copy_only=False)


def _is_drawn(cells: pd.Series) -> np.ndarray:
    """Which cells a picture can show; few of them, and few different ones, are more than plain letters."""
    beyond = _matches(cells, BEYOND_ASCII)
    drawn = {text: not undrawn(text) for text in cells[beyond].unique()}
    return ~beyond | cells.map(drawn).eq(True).to_numpy()


def typed_frame(source: Source, columns: tuple[Column, ...]) -> pd.DataFrame:
    """The cells of a table as dates, numbers, categories and flags; what is not allowed is missing.

    Parameters
    ----------
    source : lib.intake.files.Source
    columns : tuple of Column

    Returns
    -------
    DataFrame, index = row in the file
        Every column of the data model. Ids and texts are str, dates datetime64, whole numbers Int64, numbers float,
        arms and baseline categories ordered Categoricals in study order, other codes str, flags bool (False where
        missing).
    """
    cells = source.frame
    # A column that the file lacks is one of few texts: none.
    empty = pd.Series(pd.Categorical.from_codes(np.full(len(cells), -1), []), index=cells.index)
    typed = {column.name: _convert_all(cells.get(column.name, empty), column) for column in columns}
    typed |= {column.name: typed[column.name] == "1" for column in columns if column.kind == "flag"}
    return pd.DataFrame(typed, index=cells.index)


def _convert_all(cells: pd.Series, column: Column):
    """As `_convert`; of few different texts each is converted once."""
    if not isinstance(cells.dtype, pd.CategoricalDtype):
        return _convert(cells, column)
    values, codes = _distinct(cells)
    return _convert(values, column)[codes]


def _convert(cells: pd.Series, column: Column):
    """Cells as an array in the type of their column, missing where they are not of it. Flags stay "0" and "1"."""
    texts = cells.to_numpy(dtype=object, na_value=np.nan)
    if column.kind in PATTERNS:
        texts = np.where(_matches(cells, PATTERNS[column.kind]), texts, np.nan)
    if column.kind == "date":
        days = pd.to_datetime(texts, format="%Y-%m-%d", errors="coerce").as_unit("ns").to_numpy()
        return np.where((days >= FIRST) & (days <= LAST), days, NO_DATE)
    if column.kind in ("number", "whole"):
        numbers = texts.astype(float)
        low = -LARGEST if column.low is None else max(column.low, -LARGEST)
        high = LARGEST if column.high is None else min(column.high, LARGEST)
        allowed = (numbers >= low) & (numbers <= high)
        numbers = np.where(allowed, numbers, np.nan)
        return numbers if column.kind == "number" else pd.array(numbers, "Int64")
    if column.kind == "rank":
        return pd.array(pd.Series(texts, dtype=object).map(column.allowed), "Int64")
    if column.kind == "code" and column.allowed:
        values = pd.Series(texts).map(column.allowed).to_numpy(dtype=object)
        return pd.Categorical(values, list(column.allowed.values()), ordered=True) if column.ordered else values
    return texts


def _matches(cells: pd.Series, pattern: str) -> np.ndarray:
    """Which cells the pattern finds; an empty one it does not. In time that grows with the text, not faster."""
    found = pc.match_substring_regex(pa_array(cells), pattern)
    return pc.fill_null(found, False).to_numpy(zero_copy_only=False)
