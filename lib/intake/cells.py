"""What every reader of data files gives: cells as text, rows with their number in the file, or why there are none.

A Parquet file, whose cells have types, is turned into the same text here.
"""

from __future__ import annotations

__all__ = ["TEXT", "Unreadable", "cell_text", "compact", "read_parquet", "text_frame"]

import datetime as dt
import math
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lib.study.limits import LARGE
from lib.study.yaml_file import shown

TEXT = "string[pyarrow]"
FEW = 2  # A text that stands in so many rows on average, or more, is one of few.
# What is larger is a mistake or an attack on the memory.
MAX_UNPACKED_BYTES, MAX_CELLS, MAX_COLUMNS = 4_000_000_000, 500_000_000, 1_000


class Unreadable(Exception):
    """A file that is not read: code, reason, and where it shows."""

    def __init__(self, code: str, reason: str, row: int | str = "", column: str = ""):
        super().__init__(reason)
        self.code, self.row, self.column = code, row, column


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


def text_frame(columns: list[pa.Array]) -> pd.DataFrame:
    """Columns of text as a frame, index = row in the file: the rows below the header, which is row 1."""
    table = pa.table(columns, names=[str(i) for i in range(len(columns))])
    frame = table.to_pandas(types_mapper={pa.large_string(): pd.StringDtype("pyarrow")}.get)
    frame.index = pd.RangeIndex(2, len(frame) + 2, name="row")
    return frame


def read_parquet(path: Path) -> tuple[list[str], pd.DataFrame]:
    """Read a table; its names, and its rows as text under their numbers.

    Raises
    ------
    Unreadable
        E101 too large, E104 a column that no cell of a table can hold.
    """
    described = pa.parquet.read_metadata(path)
    unpacked = sum(described.row_group(i).total_byte_size for i in range(described.num_row_groups))
    n_cells = described.num_rows * described.num_columns
    if unpacked > MAX_UNPACKED_BYTES or n_cells > MAX_CELLS or described.num_columns > MAX_COLUMNS:
        limits = f"{MAX_UNPACKED_BYTES:,} bytes, {MAX_CELLS:,} cells or {MAX_COLUMNS:,} columns"
        raise Unreadable("E101", f"more than {limits}")
    texts = [field.name for field in pa.parquet.read_schema(path) if _is_text(field.type)]
    # A text that stands in many rows is held once: the memory grows with the file, not with what it unpacks to.
    table = pa.parquet.ParquetFile(path, read_dictionary=texts).read()
    # Parquet has no header row; counted as if it had, rows agree with the same table as CSV.
    return list(table.column_names), text_frame([_text_array(column) for column in table.columns])


def _is_text(of: pa.DataType) -> bool:
    return pa.types.is_string(of) or pa.types.is_large_string(of)


def _text_array(column: pa.ChunkedArray) -> pa.Array:
    """A column as text: of few different texts in a large table their codes, else the texts."""
    nested = pa.types.is_nested(column.type) or pa.types.is_binary(column.type)
    if nested or pa.types.is_large_binary(column.type) or pa.types.is_fixed_size_binary(column.type):
        raise Unreadable("E104", f"not readable as .parquet: a column of type {shown(column.type)}")
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    values = column.unify_dictionaries().combine_chunks()
    if isinstance(values, pa.ChunkedArray):  # a column without a row
        return pa.array([], pa.large_string())
    if _is_text(values.dictionary.type):
        texts = values.dictionary.cast(pa.large_string())
        texts.validate(full=True)  # bytes that are no UTF-8
        texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.large_string()), texts)
    else:
        texts = pa.array([cell_text(value.as_py()) for value in values.dictionary], pa.large_string())
    texts = texts.dictionary_encode()  # two values may be one text: 0.0 and -0.0
    return compact(pa.DictionaryArray.from_arrays(texts.indices.take(values.indices), texts.dictionary))
