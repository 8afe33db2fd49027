"""A table of text -> an Excel workbook or a CSV in which nothing is a formula; the same table gives the same bytes."""

from __future__ import annotations

__all__ = ["save_workbook", "write_csv", "write_spreadsheet"]

import io
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.writer.excel import ExcelWriter

from lib.study.written import MADE, fixed_archive, guarded, write_whole

WIDEST = 80
# Excel itself holds no more in one cell.
MAX_CELL = 32_767


def write_spreadsheet(frame: pd.DataFrame, path: Path | str, sheet: str) -> Path:
    """Write `frame` as the only sheet of a workbook: header in bold and in view, a filter, every cell plain text.

    Parameters
    ----------
    frame : DataFrame
    path : path
        Of the .xlsx file.
    sheet : str
        Name of the sheet.

    Returns
    -------
    Path
        Of the file.
    """
    book = openpyxl.Workbook()
    page = book.active
    page.title, page.freeze_panes = sheet, "A2"
    for i, (name, values) in enumerate(frame.astype(str).items(), start=1):
        texts = [str(name), *values]
        for row, text in enumerate(texts, start=1):
            cell = page.cell(row, i)
            # Set as a value, "=1" would become a formula: the type is set first, and marked as text when edited.
            cell._value, cell.data_type = ILLEGAL_CHARACTERS_RE.sub("", text)[:MAX_CELL], "s"
            cell.style, cell.number_format = "Normal", "@"
            cell.alignment, cell.font = Alignment(vertical="top", wrap_text=True), Font(bold=row == 1)
        page.column_dimensions[get_column_letter(i)].width = min(WIDEST, max(map(len, texts)) + 2)
    page.auto_filter.ref = page.dimensions
    return save_workbook(book, path)


def write_csv(frame: pd.DataFrame, path: Path) -> Path:
    """Write `frame` as CSV; a cell that a spreadsheet would take for a formula begins with an apostrophe.

    A lone carriage return would end the row unquoted, and what follows would begin the next: it becomes a line feed.

    Parameters
    ----------
    frame : DataFrame
    path : Path

    Returns
    -------
    Path
        Of the file.
    """
    safe = frame.astype(str).map(guarded)
    return write_whole(path, safe.to_csv(index=False, lineterminator="\n"))


def save_workbook(book: openpyxl.Workbook, path: Path | str) -> Path:
    """Save a workbook so that the same content gives the same bytes: one time for it and every file of its archive."""
    book.properties.created = book.properties.modified = MADE
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        ExcelWriter(book, archive).save()
    return write_whole(Path(path), fixed_archive(raw.getvalue()))
