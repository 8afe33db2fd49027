"""What every reader of data files gives: cells as text, rows with their number in the file, or why there are none."""

from __future__ import annotations

__all__ = ["EXCEL_DAY_ZERO", "TEXT", "Sheet", "Unreadable", "cell_text", "compact", "text_array", "text_frame"]

import datetime as dt
import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import pandas as pd
import pyarrow as pa

from lib.study.limits import LARGE

TEXT = "string[pyarrow]"
EXCEL_DAY_ZERO = dt.date(1899, 12, 30)
FEW = 2  # A text that stands in so many rows on average, or more, is one of few.


class Unreadable(Exception):
    """A file that is not read: code, reason, and where it shows."""

    def __init__(self, code: str, reason: str, row: int | str = "", column: str = ""):
        super().__init__(reason)
        self.code, self.row, self.column = code, row, column


@dataclass(frozen=True)
class Sheet:
    """One table of a file, as it stands there.

    Attributes
    ----------
    header : list of str
        The first row; an empty text where a column has no name.
    frame : DataFrame of text, index = row in the file
        The rows below, a column for each of the header; empty cells are missing.
    labels : dict of str to str
        Name of a column -> what the file says it is, where it says so.
    notes : tuple of str
        What was assumed, or put in the place of something else, a sentence each: encoding, delimiter, codes, formulas.
    day_zero : date
        From which a number in a column of dates counts days.
    without_values : dict of str to Unreadable
        Name of a column -> which of its formulas have no value kept beside them (E090).
    """

    header: list[str]
    frame: pd.DataFrame
    labels: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    day_zero: dt.date = EXCEL_DAY_ZERO
    without_values: dict[str, Unreadable] = field(default_factory=dict)


def cell_text(value) -> str | None:
    """A cell as text: whole numbers without decimals, dates as ISO dates, formulas as they are written."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return str(int(value)) if math.isfinite(value) and value == int(value) else repr(value)
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time() and value.tzinfo is None
        return value.date().isoformat() if midnight else value.isoformat()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    text = f"={getattr(value, 'text', '')}" if type(value).__name__.endswith("Formula") else str(value)
    # a lone surrogate, which XML can hold by an escape, is no text
    return text.encode("utf-8", "replace").decode()


def compact(texts: pa.DictionaryArray) -> pa.Array:
    """Return the texts themselves, or as codes where they are few in a large table."""
    few = len(texts) > LARGE and FEW * len(texts.dictionary) <= len(texts)
    return texts if few else texts.dictionary.take(texts.indices)


def text_array(values: Iterable) -> pa.Array:
    """Values of any type as text, each different one turned once."""
    codes, distinct = pd.factorize(pd.Series(values, dtype=object), use_na_sentinel=True)
    texts = pa.array([cell_text(value) for value in distinct], pa.large_string())
    indices = pa.array(codes, pa.int32(), mask=codes < 0)
    again = texts.dictionary_encode()  # two values may be one text: 1 and 1.0
    return compact(pa.DictionaryArray.from_arrays(again.indices.take(indices), again.dictionary))


def text_frame(columns: list[pa.Array], header_row: int = 1) -> pd.DataFrame:
    """Columns of text as a frame, index = row in the file: the rows below the header."""
    table = pa.table(columns, names=[str(i) for i in range(len(columns))])
    frame = table.to_pandas(types_mapper={pa.large_string(): pd.StringDtype("pyarrow")}.get)
    frame.index = pd.RangeIndex(header_row + 1, header_row + 1 + len(frame), name="row")
    return frame
