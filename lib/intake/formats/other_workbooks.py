"""Workbooks that are not .xlsx: .xls, .xlsb, and .ods. Values only; a formula stands for the value kept beside it.

What such a file declares may be larger than what it holds, and its reader believes it; so that is counted first.
"""

from __future__ import annotations

__all__ = ["open_sheets"]

import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import python_calamine

from lib.intake.cells import Sheet, Unreadable, cell_text
from lib.intake.formats.workbook import MAX_COLUMNS, sheet_of_rows, unpacked_parts
from lib.study.words import grouped

MAX_CELLS = 20_000_000
MACROS = "_VBA_PROJECT".encode("utf-16-le")  # a folder in an .xls
ODS = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
# Records of an .xlsb: a row, and the cells in it; each begins with its number.
XLSB_ROW, XLSB_CELLS = 0, range(1, 12)


def open_sheets(path: Path) -> dict[str, Callable[[], Sheet]]:
    """Every sheet that holds a table, under its name."""
    extension = path.suffix.lower()
    notes = []
    if extension == ".xls":
        if MACROS in path.read_bytes():
            raise Unreadable("E101", "a workbook with macros is refused; save a copy with values only")
    else:
        parts = unpacked_parts(path)
        with zipfile.ZipFile(path) as archive:
            notes = _check_ods(archive) if extension == ".ods" else _check_xlsb(archive, parts)
    try:
        workbook = python_calamine.load_workbook(path)
    except python_calamine.PasswordError:
        reason = f"not readable as {extension}: it is password-protected; save it without a password"
        raise Unreadable("E104", reason) from None
    kinds = {one.name: one.typ for one in workbook.sheets_metadata}
    names = [name for name in workbook.sheet_names if kinds[name] == python_calamine.SheetTypeEnum.WorkSheet]
    return {name: partial(_read, workbook, name, notes) for name in names}


def _read(workbook: python_calamine.CalamineWorkbook, sheet: str, notes: list[str]) -> Sheet:
    rows = workbook.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    if max(map(len, rows), default=0) > MAX_COLUMNS:
        raise Unreadable("E101", f"more than {grouped(MAX_COLUMNS)} columns")
    return sheet_of_rows([[cell_text(value) for value in row] for row in rows], notes)


def _check_ods(archive: zipfile.ZipFile) -> list[str]:
    """Refuse a sheet that repeats cells without end; say how many formulas there are."""
    cells = waiting = formulas = 0
    with archive.open("content.xml") as content:
        for _, element in ElementTree.iterparse(content):
            if element.tag == f"{ODS}table-row":
                width = _width(element)
                # empty rows count once something follows them
                waiting += int(element.get(f"{ODS}number-rows-repeated", 1)) * max(width, 1)
                cells, waiting = (cells + waiting, 0) if width else (cells, waiting)
                formulas += sum(f"{ODS}formula" in cell.attrib for cell in element)
                if cells > MAX_CELLS or width > MAX_CELLS:
                    raise Unreadable("E101", f"more than {grouped(MAX_CELLS)} cells")
                element.clear()
            elif element.tag == f"{ODS}table":
                waiting = 0
    return [f"{formulas} formulas stand for the values kept beside them"] if formulas else []


def _width(row: ElementTree.Element) -> int:
    """Cells up to the last one that is filled."""
    width = filled = 0
    for cell in row:
        width += int(cell.get(f"{ODS}number-columns-repeated", 1))
        if len(cell) or len(cell.attrib.keys() - {f"{ODS}number-columns-repeated", f"{ODS}style-name"}):
            filled = width
    return filled


def _check_xlsb(archive: zipfile.ZipFile, parts: list[str]) -> list[str]:
    """Refuse a sheet whose cells lie so far apart that a table of them would fill the memory."""
    for part in parts:
        if part.lower().startswith("xl/worksheets/") and part.lower().endswith(".bin"):
            last_row = last_column = 0
            for kind, content in _records(archive.read(part)):
                if kind == XLSB_ROW:
                    last_row = max(last_row, int.from_bytes(content[:4], "little"))
                elif kind in XLSB_CELLS:
                    last_column = max(last_column, int.from_bytes(content[:4], "little"))
            if (last_row + 1) * (last_column + 1) > MAX_CELLS:
                raise Unreadable("E101", f"more than {grouped(MAX_CELLS)} cells")
    return []


def _records(raw: bytes):
    """Number and first bytes of every record; both numbers take as many bytes as have their highest bit set, and one."""
    at = 0
    while at < len(raw):
        kind, at = _number(raw, at, 2)
        size, at = _number(raw, at, 4)
        yield kind, raw[at : at + 4]
        at += size


def _number(raw: bytes, at: int, longest: int) -> tuple[int, int]:
    number = shift = 0
    for byte in raw[at : at + longest]:
        number |= (byte & 0x7F) << shift if longest > 2 else byte << (shift // 7 * 8)
        shift += 7
        at += 1
        if byte < 0x80:
            break
    return number, at
