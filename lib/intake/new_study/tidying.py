"""Cells as people type them -> cells as the data model wants them, every change on a list.

Only what has one meaning is changed: blanks around a text, a word for "missing", a date in another order, a decimal
comma, two spellings of one category. What could mean two things stays, and the check of the study asks about it.
Knows nothing of studies: a column is judged by what it holds.
"""

from __future__ import annotations

__all__ = ["CHANGE_COLUMNS", "tidied"]

import datetime as dt
import re
from collections.abc import Callable

import pandas as pd

CHANGE_COLUMNS = ["table", "row", "column", "found", "became", "why"]

# Words for "not known". "none" and "no" are answers, and stay.
MISSING = frozenset(
    ("na", "n/a", "n.a.", "n.a", "nan", "null", "nil", ".", "-", "--", "---", "?", "??", "unknown", "unk", "missing",
     "not known", "not done", "nd", "n.d.", "#n/a", "#null!", "#value!", "#ref!", "keine angabe", "k.a.", "inconnu")
)  # fmt: skip
MOSTLY = 0.8  # of the filled cells are dates, so the column is one of dates
EXCEL_DAY_ONE = dt.date(1899, 12, 30)
# 1954 to 2064: outside them a number in a column of dates is no day count of Excel
EXCEL_DAYS = range(20_000, 60_000)
FEW = 30  # different texts at most, where spellings are taken for one category
# First letters of the months, in English, German and French.
MONTHS = (
    ("jan",), ("feb", "fev", "fév"), ("mar", "mär", "mrz"), ("apr", "avr"), ("may", "mai"), ("jun", "juin"),
    ("jul", "juil"), ("aug", "aoû", "aou"), ("sep",), ("oct", "okt"), ("nov",), ("dec", "dez", "déc"),
)  # fmt: skip
NUMERIC = re.compile(r"(\d{1,4})[-./ ](\d{1,2})[-./ ](\d{1,4})(?:[ T]00:00(?::00(?:\.0+)?)?)?\Z")
WORDED = re.compile(r"(\d{1,2})(?:\.|st|nd|rd|th)?[ -]([^\W\d]{3,10})\.?,?[ -](\d{4})\Z")
COMMA = re.compile(r"-?\d+,\d+\Z")
PLAIN = re.compile(r"-?\d+(\.\d+)?\Z")


def tidied(table: str, frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tidy one table.

    Parameters
    ----------
    table : str
        Its name, for the list of changes.
    frame : DataFrame of text, index = row in the file
        Empty cells are missing.

    Returns
    -------
    frame : DataFrame of text, the same rows and columns
    changes : DataFrame, one row per changed cell
        table, row, column, found, became, why.
    """
    tidy, changes = frame.astype(object).where(frame.notna(), None), []
    for step in (_blanks, _missing, _dates, _decimals, _spellings):
        for column in tidy:
            cells = tidy[column].dropna()
            became, why = step(cells)
            became = became[became.ne(cells) | became.isna()]
            tidy.loc[became.index, column] = became
            changes += [(table, row, column, cells[row], text or "", why) for row, text in became.items()]
    return tidy, pd.DataFrame(changes, columns=CHANGE_COLUMNS).sort_values(["row", "column"], ignore_index=True)


def _changed(cells: pd.Series, change: Callable[[str], str | None]) -> pd.Series:
    return pd.Series([change(cell) for cell in cells], cells.index, dtype=object)


def _blanks(cells: pd.Series) -> tuple[pd.Series, str]:
    return _changed(cells, lambda cell: " ".join(cell.split()) or None), "blanks"


def _missing(cells: pd.Series) -> tuple[pd.Series, str]:
    return _changed(cells, lambda cell: None if cell.lower() in MISSING else cell), "a word for missing"


def _dates(cells: pd.Series) -> tuple[pd.Series, str]:
    """ISO dates, in a column of dates whose order of day and month one of its own cells proves."""
    parts = [match and match.groups() for match in map(NUMERIC.match, cells)]
    order = _order(parts)
    read = pd.Series(
        [_day(cell, part, order) for cell, part in zip(cells, parts, strict=True)], cells.index, dtype=object
    )
    serial = read.isna() & cells.map(lambda cell: bool(re.fullmatch(r"\d{5}", cell)))
    if read.isna().all() or (read.notna() | serial).mean() < MOSTLY:
        return cells, ""
    read[serial] = [_excel_day(int(cell)) for cell in cells[serial]]
    return read.where(read.notna(), cells), "a date in another form"


def _order(parts: list) -> str:
    """`dmy`, `mdy`, or nothing where the cells do not tell."""
    of_day = [
        (int(first), int(second)) for first, second, year in filter(None, parts) if len(year) == 4 and len(first) < 3
    ]
    day_first, month_first = any(a > 12 for a, _ in of_day), any(b > 12 for _, b in of_day)
    if day_first == month_first:
        return ""
    return "dmy" if day_first else "mdy"


def _day(cell: str, parts: tuple | None, order: str) -> str | None:
    worded = WORDED.match(cell)
    if worded:
        name = worded[2].lower()
        month = next((number for number, starts in enumerate(MONTHS, start=1) if name.startswith(starts)), None)
        return month and _iso(worded[3], month, worded[1])
    if parts is None:
        return None
    first, second, third = parts
    if len(first) == 4:
        return _iso(first, second, third)
    # A full stop stands between day, month and year in that order wherever it is used.
    order = order or ("dmy" if "." in cell else "")
    if len(third) != 4 or not order:
        return None
    return _iso(third, second, first) if order == "dmy" else _iso(third, first, second)


def _iso(year, month, day) -> str | None:
    try:
        return dt.date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None


def _excel_day(number: int) -> str | None:
    return (EXCEL_DAY_ONE + dt.timedelta(days=number)).isoformat() if number in EXCEL_DAYS else None


def _decimals(cells: pd.Series) -> tuple[pd.Series, str]:
    """A decimal comma, where no cell shows that the comma could part thousands."""
    commas = cells[cells.map(lambda cell: bool(COMMA.match(cell)))]
    others = cells.drop(commas.index)
    thousands = commas.str.fullmatch(r"-?[1-9]\d{0,2},\d{3}").all()
    if commas.empty or thousands or not others.map(lambda cell: bool(PLAIN.match(cell))).all():
        return cells, ""
    return cells.where(~cells.index.isin(commas.index), cells.str.replace(",", ".")), "a decimal comma"


def _spellings(cells: pd.Series) -> tuple[pd.Series, str]:
    """One spelling per category, the most frequent, where cells differ in capitals alone."""
    counts = cells.value_counts(sort=False)
    if len(counts) > FEW or len(counts) == len(cells):
        return cells, ""
    ranked = sorted(counts.index, key=lambda text: (-counts[text], text))
    chosen = {}
    for text in ranked:
        chosen.setdefault(text.casefold(), text)
    return cells.map(lambda cell: chosen[cell.casefold()]), "another spelling of one category"
