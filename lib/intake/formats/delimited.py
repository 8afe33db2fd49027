"""Delimited text (.csv, .tsv, .txt): encoding and delimiter are found, rows keep their numbers in the file.

Lines that begin with # above the header are no rows: those of cBioPortal name the columns, others are comments.
"""

from __future__ import annotations

__all__ = ["open_sheets"]

import csv
import io
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv

from lib.intake.cells import TEXT, Sheet, Unreadable, compact, text_frame
from lib.intake.formats.encodings import decode
from lib.languages.speech import N_
from lib.study.yaml_file import shown

# In the order in which they are taken where two part the rows as evenly: a comma is in numbers and names as well.
DELIMITERS = {"\t": N_("a tab"), ";": N_("a semicolon"), "|": N_("a bar"), ",": N_("a comma")}
SAMPLE_LINES = 200  # by which the delimiter is judged
MOSTLY = 0.9  # of them have as many cells as the others
CODED = re.compile(r"(-?\d{1,3}):([^\W\d].*)")
MOST_CODES = 30
MOST_TITLE = 20  # lines
NUMBER = re.compile(r"-?[\d.,]+(?:[eE][+-]?\d+)?|NA|\.")


@dataclass
class _Text:
    """Text below the lines that are no rows: `header_row` is the number of its first line in the file."""

    text: str
    header_row: int
    comments: list[str]
    notes: list[str]


def open_sheets(path: Path) -> dict[str, Callable[[], Sheet]]:
    """The only sheet of the file, under its name."""
    return {path.stem: lambda: _read(path)}


def _read(path: Path) -> Sheet:
    extension = path.suffix.lower()
    raw = path.read_bytes()
    text, notes = decode(raw)
    if text.count('"') % 2:
        reason = "a quotation mark is never closed (is the file cut off?)"
        raise Unreadable("E104", f"not readable as {extension}: {reason}")
    told, text = _told_delimiter(text)
    below = _below_comments(text, notes)
    below.header_row += bool(told)
    delimiter = told or _delimiter(below.text)
    if delimiter != ("\t" if extension == ".tsv" else ","):
        below.notes.append(f"delimiter: {DELIMITERS.get(delimiter, 'blanks')}")
    if delimiter == " " or _is_padded(below.text, delimiter):
        below.text, delimiter = _without_padding(below.text, delimiter), "\t" if delimiter == " " else delimiter
        below.notes.append("blanks around cells were taken off")
    _pad_title(below, delimiter)
    _even_header(below, delimiter)
    end = "" if below.text.endswith(("\n", "\r")) else "\n"
    header, frame = _split(_parse((below.text + end).encode(), delimiter, below.header_row), below.header_row)
    labels = _labels(below, header, delimiter)
    coded = _without_codes(frame, header) if below.comments or delimiter == "\t" else []
    return Sheet(header, frame, labels, tuple(below.notes + coded))


def _told_delimiter(text: str) -> tuple[str, str]:
    """What a first line such as `sep=;`, written by Excel, says; and the text below it."""
    told = re.match(r"sep=([,;|\t])\r?\n", text, re.IGNORECASE)
    return (told[1], text[told.end() :]) if told else ("", text)


def _below_comments(text: str, notes: list[str]) -> _Text:
    """Leave out the lines above the header that begin with #; a single one may be the header itself."""
    comments, at = [], 0
    while text.startswith("#", at):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end + 1
        comments.append(text[at:end].rstrip("\r\n").lstrip("#"))
        at = end
    first = text[at : text.find("\n", at)] if at else ""
    if len(comments) == 1 and any(d in first and comments[0].count(d) == first.count(d) for d in DELIMITERS):
        return _Text(text, 1, [], notes)
    return _Text(text[at:], 1 + len(comments), comments, notes)


def _delimiter(text: str) -> str:
    """The delimiter by which most lines have as many cells as the header, and the most of them."""
    lines = _first_lines(text)
    header = lines.splitlines()[0] if lines.strip() else ""
    below_title = "".join(lines.splitlines(keepends=True)[: MOST_TITLE + 1])
    found = []
    for order, delimiter in enumerate(DELIMITERS):
        if delimiter in below_title:
            rows = [row for row in _cells(lines, delimiter) if row] or [[header]]
            usual, times = Counter(map(len, rows)).most_common(1)[0]
            # a quotation mark inside a cell: the delimiter beside it is another
            whole = not any('"' in cell for cell in rows[0])
            even = times / len(rows) > MOSTLY and delimiter in header
            found.append((usual > 1, whole, even, usual, -order, delimiter))
    if found and max(found)[0]:
        return max(found)[-1]
    return " " if _is_parted_by_blanks(lines) else ","


def _is_parted_by_blanks(lines: str) -> bool:
    """Every line has as many words (R leaves out a header of row names), and one column is of numbers: no list of names."""
    rows = [row for row in csv.reader(_squeezed(lines), delimiter=" ") if row]
    counts = {len(row) for row in rows[1:]}
    if len(rows) < 2 or len(counts) != 1 or max(counts) < 2 or len(rows[0]) not in (max(counts), max(counts) - 1):
        return False
    return any(all(NUMBER.fullmatch(cell) for cell in column) for column in zip(*rows[1:], strict=True))


def _pad_title(below: _Text, delimiter: str) -> None:
    """A title above the table, of one cell a line, gets the empty cells that it lacks, so that rows keep their numbers."""
    rows = _cells(_first_lines(below.text), delimiter)
    counts = [len(row) for row in rows]
    usual = Counter(counts).most_common(1)[0][0] if counts else 0
    start = next((i for i, count in enumerate(counts) if count > 1), 0)
    if usual < 3 or not 0 < start <= MOST_TITLE or '"' in "".join(below.text.splitlines()[:start]):
        return
    lines = below.text.split("\n", start)
    below.text = "\n".join([line.rstrip("\r") + delimiter * (counts[start] - 1) for line in lines[:start]] + lines[start:])
    below.notes.append(f"{start} lines above the table are a title")


def _first_lines(text: str) -> str:
    at = 0
    for _ in range(SAMPLE_LINES):
        at = text.find("\n", at) + 1
        if not at:
            return text
    return text[:at]


def _cells(text: str, delimiter: str) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        return []


def _squeezed(text: str) -> list[str]:
    """Lines in which a run of blanks is one."""
    return [re.sub(r"\s+", " ", line.strip()) for line in text.splitlines() if line.strip()]


def _is_padded(text: str, delimiter: str) -> bool:
    """Blanks stand around the delimiter in the header, as in a table that was made to be looked at."""
    header = text[: text.find("\n")] if "\n" in text else text
    return delimiter != "\t" and bool(re.search(rf"[^ ] +{re.escape(delimiter)}|{re.escape(delimiter)} +[^ ]", header))


def _without_padding(text: str, delimiter: str) -> str:
    """The same rows without blanks around their cells; a run of blanks, where it is the delimiter, is one."""
    written = io.StringIO()
    writer = csv.writer(written, delimiter="\t" if delimiter == " " else delimiter, lineterminator="\n")
    source = io.StringIO(text, newline="")
    if delimiter == " ":
        source = (re.sub(r"[ \t]+", " ", line.strip()) + "\n" for line in text.splitlines())
    for row in csv.reader(source, delimiter=delimiter, skipinitialspace=delimiter != " "):
        writer.writerow([cell.strip() for cell in row])
    return written.getvalue()


def _even_header(below: _Text, delimiter: str) -> None:
    """A header that is one cell short: the rows end with a delimiter, or begin with a name that R gave them."""
    rows = [row for row in _cells(_first_lines(below.text), delimiter) if row]
    if len(rows) < 2 or {len(row) for row in rows[1:]} != {len(rows[0]) + 1}:
        return
    if all(row[-1] == "" for row in rows[1:]):
        end = re.search(r"\r?\n", below.text)
        below.text = below.text[: end.start()] + delimiter + below.text[end.start() :]
        return
    below.text = delimiter + below.text
    below.notes.append("every row has one cell more than the header: the first was taken for the name of the row")


def _parse(raw: bytes, delimiter: str, header_row: int) -> pa.Table:
    uneven = []

    def skip(row):
        uneven.append(row)
        return "skip"

    # One block and one thread, so that a row is known by its number.
    table = pa.csv.read_csv(
        pa.BufferReader(raw),
        pa.csv.ReadOptions(use_threads=False, block_size=len(raw) + 1, autogenerate_column_names=True),
        pa.csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=skip
        ),
        pa.csv.ConvertOptions(
            default_column_type=pa.large_string(),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )
    if uneven:
        first = uneven[0]
        found = f"{first.actual_columns} fields where the header has {first.expected_columns}"
        raise Unreadable(
            "E104", f"not readable: {len(uneven)} rows such as this: {found}", row=first.number + header_row - 1
        )
    return table


def _split(table: pa.Table, header_row: int) -> tuple[list[str], pd.DataFrame]:
    """The first row is the header; the rows below keep their numbers."""
    header = [column[0].as_py() or "" for column in table.columns]
    rows = [column.combine_chunks() for column in table.slice(1).columns]
    return header, text_frame([compact(column.dictionary_encode()) for column in rows], header_row)


def _labels(below: _Text, header: list[str], delimiter: str) -> dict[str, str]:
    """Names of the columns in the lines above the header, as cBioPortal writes them; else the lines are comments."""
    if not below.comments:
        return {}
    names = next(iter(_cells(below.comments[0], delimiter)), [])
    if len(below.comments) < 2 or len(names) != len(header):
        below.notes.append(f"{len(below.comments)} lines of comment above the header (#) are no rows")
        return {}
    below.notes.append(f"the {len(below.comments)} lines above the header (#) name the columns, and are no rows")
    return {name: label for name, label in zip(header, names, strict=True) if label and label != name}


def _without_codes(frame: pd.DataFrame, header: list[str]) -> list[str]:
    """Write `0:LIVING` as LIVING, in columns in which every cell has such a code; say which."""
    notes = []
    for position in range(frame.shape[1]):
        distinct = frame.iloc[:, position].dropna().unique()
        codes = [CODED.fullmatch(str(text)) for text in distinct[: MOST_CODES + 1]]
        if not codes or len(codes) > MOST_CODES or not all(codes):
            continue
        if len({code[1] for code in codes}) == len({code[2] for code in codes}) == len(codes):
            words, cells = {code[0]: code[2] for code in codes}, frame.iloc[:, position]
            few = isinstance(cells.dtype, pd.CategoricalDtype)
            frame.isetitem(position, cells.cat.rename_categories(words) if few else cells.map(words).astype(TEXT))
            said = ", ".join(sorted(f"{code[1]} = {shown(code[2])}" for code in codes))
            notes.append(f"{shown(header[position])}: codes were taken off their words: {said}")
    return notes
