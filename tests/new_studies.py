"""A clinic's files, and the study that is proposed from them."""

import openpyxl

from lib.intake.new_study.folder import write_new_study
from lib.intake.new_study.reading import read_new_study


def write_book(path, sheets):
    """Write frames of text as a workbook; what looks like a date or a number stays as it is typed."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        page = book.create_sheet(name)
        for row in rows:
            page.append(list(row))
    book.save(path)
    return path


def rows_of(frame):
    """Header and rows as lists, blanks as None."""
    return [list(frame), *frame.astype(object).where(frame.notna(), None).to_numpy().tolist()]


def new_study(tmp_path, *files, answers=None):
    """Propose a study from files and write it; what was proposed, and its folder."""
    new = read_new_study("mine", list(files), answers)
    folder = tmp_path / "mine"
    folder.mkdir()
    write_new_study(new, folder)
    return new, folder
