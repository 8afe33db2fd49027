"""Excel workbooks (.xlsx): values only, once nothing in them can run, lead elsewhere or swell.

Nothing is computed: a formula stands for the value that Excel kept beside it, which is said; columns in which some have none are named.
"""

from __future__ import annotations

__all__ = ["MAX_UNPACKED_BYTES", "open_sheets", "sheet_of_rows", "unpacked_parts"]

import datetime as dt
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import openpyxl
import pyarrow as pa
from openpyxl.utils import get_column_letter

from lib.intake.cells import Sheet, Unreadable, cell_text, text_frame
from lib.study.words import grouped
from lib.study.yaml_file import shown

# What is larger is a mistake or an attack on the memory.
MAX_UNPACKED_BYTES = 200_000_000
MAX_COLUMNS = 1_000
MAX_SHEET_ROWS = 1_048_576  # of Excel itself
# Parts of a workbook that run, or lead elsewhere.
REFUSED_PARTS = {
    "vbaproject": "macros", "externallinks/": "links to other files", "connections.": "connections", "basic/": "macros",
    "scripts/": "macros",
}  # fmt: skip
SHOWN_FORMULAS = 5


def open_sheets(path: Path) -> dict[str, Callable[[], Sheet]]:
    """Every sheet that holds a table, under its name."""
    workbook = _open(path)
    # a sheet of nothing but a chart has no cells
    names = [sheet.title for sheet in workbook.worksheets]
    workbook.close()
    return {name: partial(_read, path, name) for name in names}


def unpacked_parts(path: Path) -> list[str]:
    """Names of the parts of a workbook that is an archive, none of which runs, leads elsewhere or swells."""
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
    if sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
        raise Unreadable("E101", f"the workbook unpacks to more than {grouped(MAX_UNPACKED_BYTES)} bytes")
    for part, what in REFUSED_PARTS.items():
        if any(part in item.filename.lower() for item in parts):
            raise Unreadable("E101", f"a workbook with {what} is refused; save a copy with values only")
    return [item.filename for item in parts]


def _open(path: Path, kept: bool = False) -> openpyxl.Workbook:
    """A workbook with its formulas, or with the values that were kept beside them."""
    unpacked_parts(path)
    return openpyxl.load_workbook(path, read_only=True, data_only=kept, keep_links=False)


def _read(path: Path, sheet: str) -> Sheet:
    rows, formulas = [], {}
    for i, cells in enumerate(_rows(path, sheet)):
        formulas |= {(i, j): cell_text(cell.value) for j, cell in enumerate(cells) if cell.data_type == "f"}
        rows.append([cell_text(cell.value) for cell in cells])
    without_values, notes = _with_kept_values(path, sheet, rows, formulas) if formulas else ({}, [])
    return replace(sheet_of_rows(rows, notes), without_values=without_values, day_zero=_day_zero(path))


def _day_zero(path: Path) -> dt.date:
    """The day from which the workbook counts: that of 1904 on old Macintoshes."""
    workbook = _open(path)
    workbook.close()
    return workbook.epoch.date()


def _rows(path: Path, sheet: str, kept: bool = False) -> Iterator[list]:
    """Cells of each row up to its last filled one."""
    workbook = _open(path, kept)
    try:
        # the size that a sheet declares may be wrong
        workbook[sheet].reset_dimensions()
        for number, row in enumerate(workbook[sheet].iter_rows(), 1):
            width = next((j for j in range(len(row), 0, -1) if row[j - 1].value is not None), 0)
            if number > MAX_SHEET_ROWS or width > MAX_COLUMNS:
                raise Unreadable("E101", f"more than {grouped(MAX_SHEET_ROWS)} rows or {grouped(MAX_COLUMNS)} columns")
            yield list(row if kept else row[:width])
    finally:
        workbook.close()


def _with_kept_values(path: Path, sheet: str, rows: list[list], formulas: dict[tuple, str]) -> tuple[dict, list[str]]:
    """Put the kept value in the place of each formula; columns in which some have none, and a sentence about the others."""
    without: dict[int, list[tuple]] = {}
    for i, row in enumerate(_rows(path, sheet, kept=True)):
        for j, cell in enumerate(row):
            if (i, j) in formulas:
                rows[i][j] = cell_text(cell.value)
                # a formula without a result looks like an empty number; an empty text as a result does not
                if cell.value is None and cell.data_type == "n":
                    without.setdefault(j, []).append((i, j))
    header = rows[0]
    unread = {}
    for j, places in without.items():
        i, name = places[0][0], header[j] if j < len(header) else ""
        reason = f"{len(places)} formulas have no value kept beside them, the first in {_place(i, j)}: "
        reason += f"{shown(formulas[i, j])}; nothing is computed here: open the file in Excel or LibreOffice and save it"
        unread[name] = Unreadable("E090", reason, row=i + 1, column=shown(name) if name else "")
        if not name or i == 0:
            raise unread[name]
    kept = [place for place in formulas if place[1] not in without]
    if not kept:
        return unread, []
    first = {j: (i, j) for i, j in reversed(kept)}
    said = [f"{shown(header[j])} ({_place(*at)} {shown(formulas[at])})" for j, at in sorted(first.items()) if j < len(header)]
    more = f" and {len(said) - SHOWN_FORMULAS} more columns" if len(said) > SHOWN_FORMULAS else ""
    return unread, [f"{len(kept)} formulas stand for the values kept beside them: {', '.join(said[:SHOWN_FORMULAS])}{more}"]


def _place(i: int, j: int) -> str:
    return f"{get_column_letter(j + 1)}{i + 1}"


def sheet_of_rows(rows: list[list], notes: list[str]) -> Sheet:
    """Rows of text, the first of which is the header, as a sheet; one without a cell has no columns."""
    width = max(map(len, rows), default=0)
    columns = list(zip(*(row + [None] * (width - len(row)) for row in rows), strict=True))
    header = [column[0] or "" for column in columns]
    return Sheet(header, text_frame([pa.array(column[1:], pa.large_string()) for column in columns]), notes=tuple(notes))
