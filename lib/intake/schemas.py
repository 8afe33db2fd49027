"""One check per cell, all at once: types, ranges and codes of every table, as a pandera schema over text.

Cells are text until their check has passed; then they become dates, numbers, categories and flags. What they must
be stands in lib/intake/columns.py, rules between cells in lib/intake/tables.py.
"""

from __future__ import annotations

__all__ = ["check_table", "typed_frame"]

import difflib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pandera.backends.pandas.builtin_checks  # noqa: F401  else imported at the first check, in every kernel
import pandera.pandas as pa
import pyarrow.compute as pc
from pyarrow import array as pa_array

from lib.intake.cells import TEXT
from lib.intake.columns import LARGEST, Column, looks_personal
from lib.intake.evidence import list_problems
from lib.intake.files import Source
from lib.study.parts import FIRST_DAY, LAST_DAY
from lib.study.yaml_file import Problem, shown

MAX_CHARACTERS = 200
FIRST, LAST, NO_DATE = np.datetime64(FIRST_DAY, "ns"), np.datetime64(LAST_DAY, "ns"), np.datetime64("NaT", "ns")
FAILED = ["column", "index", "check"]

PATTERNS = {
    "id": r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,39}\z",
    "date": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\z",
    "whole": r"^-?[0-9]{1,15}\z",
    "number": r"^-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?\z",
    "flag": r"^[01]\z",
}
# Control characters, those that are invisible or turn the text around, and an overlong text.
HIDDEN_PATTERN = f"^.{{{MAX_CHARACTERS + 1}}}|" + (
    "[\\x00-\\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
# What a spreadsheet would run, in its full-width forms too, and what a browser would.
FORMULA_PATTERN = r"^\s*[=@＝＠]|^\s*[+＋－-]\s*[^0-9.\s]|^\s*[+＋－-][0-9.]+[^0-9.eE]|<\s*[A-Za-z/!?]"


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
    """Run the schema over all cells; of several failures in one cell the first counts."""
    known = {column.name: column for column in columns}
    schemas = {
        name: pa.Column(None, _checks(column, must_be_filled), nullable=True, required=False)
        for name, column in known.items()
    }
    # How a column is held says how it is checked, and how many rows the file has how it is held.
    few = [name for name in frame if isinstance(frame[name].dtype, pd.CategoricalDtype)]
    texts = frame.drop(columns=few)
    parts = [_failed(texts, schemas), *(_failed_by_value(frame[name], schemas[name]) for name in few)]
    failed = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    order = failed["column"].map({name: i for i, name in enumerate(frame)}).argsort(kind="stable")
    problems = []
    for (name, check), cases in failed.iloc[order].groupby(["column", "check"], sort=False):
        code, _, message = check.partition(" ")
        rows = cases["index"].astype(int)
        cells = frame.loc[rows, name].astype(TEXT)
        near = cells.map({value: _near(value, known[name], code) for value in cells.unique()}, na_action="ignore")
        found = pd.DataFrame({"near": near.fillna("").astype(object)}, index=rows).assign(patient_id=owner)
        problems += list_problems(code, source, found, name, message + "{near}")
    return problems


def _failed(frame: pd.DataFrame, schemas: dict[str, pa.Column]) -> pd.DataFrame:
    """Cells that fail: column, index, check."""
    try:
        pa.DataFrameSchema(schemas).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        return errors.failure_cases.drop_duplicates(["column", "index"])[FAILED]
    return pd.DataFrame(columns=FAILED)


def _failed_by_value(cells: pd.Series, schema: pa.Column) -> pd.DataFrame:
    """As `_failed` for one column of few different texts: a check sees each once."""
    values, codes = _distinct(cells)
    present = values if cells.hasnans else values.iloc[:-1]
    failed = _failed(present.to_frame(cells.name), {cells.name: schema}).set_index("index")
    rows = np.flatnonzero(np.isin(codes, failed.index.to_numpy(dtype=np.int64)))
    found = failed.loc[codes[rows]].assign(index=cells.index[rows])
    return pd.concat([found[found["check"] == check] for check in failed["check"].unique()] or [found])[FAILED]


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


def _checks(column: Column, must_be_filled: bool) -> list[pa.Check]:
    """Checks of one column, the most general first; `error` is the code and the message."""
    checks = [
        _check(
            lambda cells: ~_matches(cells, HIDDEN_PATTERN),
            f"E107 must be one line of at most {MAX_CHARACTERS} characters, without invisible characters",
        ),
        _check(
            lambda cells: ~_matches(cells, FORMULA_PATTERN),
            "E090 must not begin like a formula (= + - @) or hold HTML: nothing in a table is run",
        ),
    ]
    if must_be_filled and column.filled:
        checks.append(_check(pd.notna, f"{column.type_code} is empty; must be {column.rule}", ignore_na=False))
    # A number is first checked without its limits: a wrong type and a wrong size have their own codes.
    unlimited = replace(column, low=None, high=None)
    size = f", none beyond {LARGEST:.0e}" if column.kind == "number" and column.high is None else ""
    checks.append(_check(lambda c: pd.notna(_convert(c, unlimited)), f"{column.type_code} must be {column.rule}{size}"))
    if column != unlimited:
        checks.append(_check(lambda c: pd.notna(_convert(c, column)), f"{column.code} must be {column.rule}"))
    return checks


def _check(passes: Callable, error: str, ignore_na: bool = True) -> pa.Check:
    return pa.Check(lambda cells: pd.Series(passes(cells), cells.index), error=error, ignore_na=ignore_na)


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
    empty = pd.Series(pd.NA, index=cells.index, dtype=TEXT)
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
        low, high = -LARGEST if column.low is None else column.low, LARGEST if column.high is None else column.high
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
