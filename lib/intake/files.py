"""Files -> text: the only reader of data files. Every cell is text, every row keeps its number in the file.

CSV, one Excel workbook with a sheet per table, or Parquet (lib/intake/cells.py). Nothing is evaluated, no link is followed, nothing
outside the study's folder is opened, and a file larger than it should be is refused before it is unpacked.
What the columns mean is not known here (lib/intake/schemas.py).
"""

from __future__ import annotations

__all__ = ["Source", "read_file", "read_sources"]

import contextlib
import difflib
import itertools
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from lib.intake.cells import TEXT, Unreadable, cell_text, compact, read_parquet, text_frame
from lib.study.study import Study
from lib.study.yaml_file import Problem, shown

# What is larger is a mistake or an attack on the memory; only Parquet is meant for more than a million patients.
MAX_BYTES = 500_000_000
MAX_UNPACKED_BYTES = 200_000_000
MAX_COLUMNS = 1_000
MAX_SHEET_ROWS = 1_048_576  # of Excel itself
EXTENSIONS = (".csv", ".xlsx", ".parquet")
# First bytes of files that are not what their name says.
MAGIC = {
    b"PK\x03\x04": "it is an Excel workbook or a zip archive",
    b"PAR1": "it is a Parquet file",
    b"\xd0\xcf\x11\xe0": "it is an old (.xls) or password-protected workbook; save it as .xlsx without a password",
}
# Parts of a workbook that run, or lead elsewhere.
REFUSED_PARTS = {"vbaproject": "macros", "externallinks/": "links to other files", "connections.xml": "connections"}


@dataclass(frozen=True)
class Source:
    """One table as its file holds it.

    Attributes
    ----------
    file : str
        File name, with the sheet in brackets.
    frame : DataFrame of text, index = row in the file (the header is row 1)
        Under our names where study.yml maps them; empty cells are missing. In a large table (lib/study/limits.py) a column of few
        texts is a Categorical of them.
    theirs : dict of str to str
        Our name -> the file's own, for messages.
    ignored : tuple of str
        Columns of the file, by its own names, that `frame` leaves out, as nobody knows them.
    """

    file: str
    frame: pd.DataFrame
    theirs: dict[str, str]
    ignored: tuple[str, ...] = ()


class EmptySheet(Unreadable):
    """A sheet without a header."""


def read_sources(study: Study) -> tuple[dict[str, Source], list[Problem]]:
    """Read every table that study.yml names.

    Parameters
    ----------
    study : lib.study.study.Study

    Returns
    -------
    sources : dict of str to Source
        The tables that could be read.
    problems : list of Problem
        E001 not found, E002 no rows, E005 duplicate column, E006 encoding or delimiter, E101 refused,
        E104 not readable, E105 two sources.
    """
    sources, problems = {}, []
    sheets = _sheets(study.folder)
    for name, table in study.tables.items():
        sheet = table.sheet or name
        file = f"{table.file} [{sheet}]" if table.file.lower().endswith(".xlsx") else table.file
        try:
            header, frame = _read(_inside(study.folder, table.file), sheet)
            sources[name] = _source(file, table.columns, header, frame)
        except Unreadable as error:
            problems.append(Problem(error.code, str(error), file=file, row=error.row, column=error.column))
        others = [f"{name}{e}" for e in (".csv", ".parquet") if (study.folder / f"{name}{e}").exists()]
        others += [f"{workbook} [{name}]" for workbook, names in sheets.items() if name in names]
        others = [other for other in others if other != file]
        if others:
            message = f"two sources for {name}: {file} and {', '.join(others)}; keep one"
            problems.append(Problem("E105", message, file=file))
    return sources, problems


def read_file(path: Path) -> dict[str, tuple[list[str], pd.DataFrame]]:
    """Read everything in one file, whatever it is about: header and rows of each sheet that holds any.

    Parameters
    ----------
    path : Path
        A .csv, .xlsx or .parquet file.

    Returns
    -------
    dict of str to (list of str, DataFrame of text, index = row in the file)
        By sheet; by the name of the file where there are no sheets.

    Raises
    ------
    Unreadable
        As `read_sources` says it: E001, E006, E101, E104.
    """
    path = _inside(path.parent, path.name)
    if path.suffix.lower() != ".xlsx":
        header, frame = _read(path, "")
        return {path.stem: (header, frame.astype(TEXT))}
    tables = {}
    for sheet in _sheet_names(path):
        with contextlib.suppress(EmptySheet):
            tables[sheet] = _read(path, sheet)
    return tables


def _inside(folder: Path, name: str) -> Path:
    """Path of a plain file of a known kind and reasonable size, in the study's own folder."""
    path = folder / name
    extension = path.suffix.lower()
    if path.is_symlink():
        raise Unreadable("E101", "a symbolic link is refused: put the file itself into the study's folder")
    if not path.exists():
        near = difflib.get_close_matches(name, [p.name for p in folder.iterdir()], 1)
        raise Unreadable("E001", f"file not found: {name}" + (f" (did you mean {near[0]}?)" if near else ""))
    if extension not in EXTENSIONS:
        raise Unreadable(
            "E104", f"not readable: the extension is {extension or 'missing'}, not {', '.join(EXTENSIONS)}"
        )
    if not path.is_file():
        raise Unreadable("E104", f"not readable as {extension}: not a file")
    if path.stat().st_size == 0:
        raise Unreadable("E104", f"not readable as {extension}: the file has 0 bytes")
    if path.stat().st_size > MAX_BYTES:
        raise Unreadable("E101", f"larger than {MAX_BYTES:,} bytes")
    return path


def _read(path: Path, sheet: str) -> tuple[list[str], pd.DataFrame]:
    """Header and rows, by the reader that the extension names."""
    extension = path.suffix.lower()
    try:
        if extension == ".csv":
            return _split(_read_csv(path.read_bytes()))
        if extension == ".xlsx":
            return _split(_read_sheet(path, sheet))
        return read_parquet(path)
    except Unreadable:
        raise
    except Exception as error:
        # The readers raise almost anything on a damaged or hostile file; none of it is a defect here.
        reason = shown(str(error).splitlines()[0] if str(error) else type(error).__name__)
        raise Unreadable("E104", f"not readable as {extension}: {reason}") from None


def _split(table: pa.Table) -> tuple[list[str], pd.DataFrame]:
    """The first row is the header; the rows below keep their numbers."""
    header = [column[0].as_py() or "" for column in table.columns]
    rows = [column.combine_chunks() for column in table.slice(1).columns]
    return header, text_frame([compact(column.dictionary_encode()) for column in rows])


def _source(file: str, mapped: dict[str, str], header: list[str], frame: pd.DataFrame) -> Source:
    """Check the header, drop empty rows, and rename to our names."""
    header = [name or f"(column {i} without a name)" for i, name in enumerate(header, 1)]
    twice = {name for name in header if header.count(name) > 1}
    if twice:
        names = ", ".join(sorted(shown(name) for name in twice))
        raise Unreadable("E005", f"more than once in the header: {names}; keep one", row=1, column=names)
    frame = frame.set_axis(header, axis="columns").dropna(how="all")
    if frame.empty:
        raise Unreadable("E002", "no rows below the header; if there are none, take the table out of study.yml")
    ours = {theirs: our for our, theirs in mapped.items()}
    # A column that bears our name, while study.yml takes that name from another one, is not the one meant.
    frame = frame.drop(columns=[name for name in header if name in mapped and name not in ours])
    return Source(file, frame.rename(columns=ours), {ours.get(name, name): name for name in header})


def _read_csv(raw: bytes) -> pa.Table:
    """Comma-separated UTF-8, with or without a byte-order mark."""
    for magic, reason in MAGIC.items():
        if raw.startswith(magic):
            raise Unreadable("E104", f"not readable as .csv: {reason}")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable("E006", "encoding is UTF-16; save the file as CSV UTF-8")
    if b"\x00" in raw:
        raise Unreadable("E104", "not readable as .csv: a binary file")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = raw.count(b"\n", 0, error.start) + 1
        reason = f"encoding is not UTF-8 (byte 0x{raw[error.start]:02x}); save the file as CSV UTF-8"
        raise Unreadable("E006", reason, row=row) from None
    header = text.splitlines()[0] if text.strip() else ""
    for delimiter, name in ((";", "a semicolon"), ("\t", "a tab"), ("|", "a bar")):
        if "," not in header and delimiter in header:
            raise Unreadable("E006", f"delimiter is {name}; save the file with commas", row=1)
    if text.count('"') % 2:
        raise Unreadable("E104", "not readable as .csv: a quotation mark is never closed (is the file cut off?)")
    return _parse_csv(text.encode() + b"\n")


def _parse_csv(raw: bytes) -> pa.Table:
    uneven = []

    def skip(row):
        uneven.append(row)
        return "skip"

    # One block and one thread, so that a row is known by its number.
    table = pa.csv.read_csv(
        pa.BufferReader(raw),
        pa.csv.ReadOptions(use_threads=False, block_size=len(raw) + 1, autogenerate_column_names=True),
        pa.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=skip),
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
        raise Unreadable("E104", f"not readable as .csv: {len(uneven)} rows such as this: {found}", row=first.number)
    return table


def _open_workbook(path: Path):
    """Open a workbook to read values only, once nothing in it can run, lead elsewhere or swell."""
    start = path.read_bytes()[:4]
    if start != b"PK\x03\x04":
        raise Unreadable("E104", f"not readable as .xlsx: {MAGIC.get(start, 'not an Excel workbook')}")
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
    if sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
        raise Unreadable("E101", f"the workbook unpacks to more than {MAX_UNPACKED_BYTES:,} bytes")
    for part, what in REFUSED_PARTS.items():
        if any(part in item.filename.lower() for item in parts):
            raise Unreadable("E101", f"a workbook with {what} is refused; save a copy with values only")
    return openpyxl.load_workbook(path, read_only=True, data_only=False, keep_links=False)


def _sheets(folder: Path) -> dict[str, list[str]]:
    """Workbook -> its sheets, for every workbook in the folder that can be read."""
    found = {}
    for path in sorted(folder.glob("*.xlsx")):
        if not path.is_symlink() and not path.name.startswith("~$"):
            try:
                found[path.name] = _sheet_names(_inside(folder, path.name))
            except Exception:  # a workbook that no table needs may be anything
                continue
    return found


def _sheet_names(path: Path) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        workbook = _open_workbook(path)
    names = workbook.sheetnames
    workbook.close()
    return names


def _read_sheet(path: Path, sheet: str) -> pa.Table:
    """Values of one sheet. A formula comes as its own text, which lib/intake/schemas.py refuses."""
    with warnings.catch_warnings():
        # openpyxl warns of what it leaves out (drop-down lists, headers, printing); values are complete.
        warnings.simplefilter("ignore")
        workbook = _open_workbook(path)
        try:
            if sheet not in workbook.sheetnames:
                there = ", ".join(map(shown, workbook.sheetnames))
                raise Unreadable("E001", f"sheet not found: {sheet}; there are {there}")
            # the size that a sheet declares may be wrong
            workbook[sheet].reset_dimensions()
            rows = list(_rows(workbook[sheet]))
        finally:
            workbook.close()
    columns = itertools.zip_longest(*rows)
    arrays = [pa.array(column, pa.large_string()) for column in columns]
    if not arrays or not rows[0]:
        raise EmptySheet("E104", "not readable as .xlsx: the first row of the sheet, the header, is empty")
    return pa.table(arrays, names=[str(i) for i in range(len(arrays))])


def _rows(worksheet) -> Iterator[list]:
    for number, row in enumerate(worksheet.iter_rows(values_only=True), 1):
        if number > MAX_SHEET_ROWS or len(row) > MAX_COLUMNS:
            raise Unreadable("E101", f"more than {MAX_SHEET_ROWS:,} rows or {MAX_COLUMNS:,} columns")
        yield [cell_text(value) for value in row]
