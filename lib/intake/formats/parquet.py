"""Parquet: cells have types, and become the same text as in any other file."""

from __future__ import annotations

__all__ = ["open_sheets"]

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from lib.intake.cells import Sheet, Unreadable, cell_text, compact, text_frame
from lib.study.words import grouped
from lib.study.yaml_file import shown

# What is larger is a mistake or an attack on the memory.
MAX_UNPACKED_BYTES, MAX_CELLS, MAX_COLUMNS = 4_000_000_000, 500_000_000, 1_000


def open_sheets(path: Path) -> dict[str, Callable[[], Sheet]]:
    """The only sheet of the file, under its name."""
    return {path.stem: lambda: _read(path)}


def _read(path: Path) -> Sheet:
    described = pa.parquet.read_metadata(path)
    unpacked = sum(described.row_group(i).total_byte_size for i in range(described.num_row_groups))
    n_cells = described.num_rows * described.num_columns
    if unpacked > MAX_UNPACKED_BYTES or n_cells > MAX_CELLS or described.num_columns > MAX_COLUMNS:
        limits = f"{grouped(MAX_UNPACKED_BYTES)} bytes, {grouped(MAX_CELLS)} cells or {grouped(MAX_COLUMNS)} columns"
        raise Unreadable("E101", f"more than {limits}")
    texts = [field.name for field in pa.parquet.read_schema(path) if _is_text(field.type)]
    # A text that stands in many rows is held once: the memory grows with the file, not with what it unpacks to.
    table = pa.parquet.ParquetFile(path, read_dictionary=texts).read()
    # Parquet has no header row; counted as if it had, rows agree with the same table as CSV.
    return Sheet(list(table.column_names), text_frame([_text_array(column) for column in table.columns]))


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
