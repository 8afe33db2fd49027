"""Cells as people type them -> cells as the data model wants them, every change on a list.

Only what has one meaning is changed: blanks around a text, a word for "missing", a date in another order, a decimal
comma, two spellings of one category, one unit behind every number. What could mean two things is asked (which of day and
month comes first, what "-" or 999 stands for). Knows nothing of studies: a column is judged by what it holds.
"""

from __future__ import annotations

__all__ = ["CHANGE_COLUMNS", "known_cells", "tidied"]

import datetime as dt
import re
from collections.abc import Callable
from functools import partial

import pandas as pd

from lib.intake.cells import EXCEL_DAY_ZERO
from lib.intake.new_study.questions import Questions
from lib.intake.new_study.words import words
from lib.languages.speech import N_

CHANGE_COLUMNS = ["table", "row", "column", "found", "became", "why"]

# Words for "not known". "none" and "no" are answers, and stay.
MISSING = frozenset(
    ("na", "n/a", "n.a.", "n.a", "nan", "null", ".", "--", "---", "?", "??", "unknown", "unk", "missing",
     "not known", "not done", "nd", "n.d.", "#n/a", "#null!", "#value!", "#ref!", "keine angabe", "k.a.", "unbekannt", "inconnu",
     "不详", "未知", "不明", "未查", "未測定")
)  # fmt: skip
# Nothing, in a column of numbers or dates; among words perhaps a result ("-" beside "+", "nil" beside "mild").
NOTHING = frozenset(("-", "nil", "/", "无", "無", "なし"))
PLUS = re.compile(r"[+-]|\d\+|\++|\d\s*\(\+\)|\(\+\)|positive|pos\.?|阳性|陽性", re.IGNORECASE)
SCALE = re.compile(r"mild|moderate|severe|slight|leicht|mittel|schwer|轻度?|中度?|重度?|軽度|有|yes|grade .*|\d", re.IGNORECASE)
# Numbers that people type where there is none; they are far from every other.
SENTINELS = words("-1 -9 -99 -999 -9999 88 99 888 999 8888 9999 99999")
FAR = 3  # times the largest of the others
FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: " "}
ROMAN = {0x2160 + number: text for number, text in enumerate(["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"])}
MOSTLY = 0.8  # of the filled cells are dates, so the column is one of dates
# 1954 to 2064: outside them a number in a column of dates is no day count of Excel
EXCEL_DAYS = range(20_000, 60_000)
EASTERN_NO = frozenset(("无", "無", "なし"))
DAY_ORDERS = {"day first": "dmy", "month first": "mdy"}
FEW = 30  # different texts at most, where spellings are taken for one category
# First letters of the months, in English, German and French.
MONTHS = (
    ("jan",), ("feb", "fev", "fév"), ("mar", "mär", "mrz"), ("apr", "avr"), ("may", "mai"), ("jun", "juin"),
    ("jul", "juil"), ("aug", "aoû", "aou"), ("sep",), ("oct", "okt"), ("nov",), ("dec", "dez", "déc"),
)  # fmt: skip
NUMERIC = re.compile(r"(\d{1,4})(?:[-./ ]|\. )(\d{1,2})(?:[-./ ]|\. )(\d{1,4})(?:[ T]\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?Z?)?\Z")
# Years of this and the last century; a number of eight digits is seldom one, many of them never are.
COMPACT, FEW_DATES = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)\Z"), 3
WORDED = re.compile(r"(\d{1,2})(?:\.|st|nd|rd|th)?[ -]?([^\W\d]{3,10})\.?,?[ -]?(\d{4}|\d\d)\Z")
EASTERN = re.compile(r"(\d{4})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]?\Z")
# A year of two digits is of the last hundred years but these.
LATEST_SHORT_YEAR = 40
WITH_UNIT = re.compile(r"(-?\d+(?:[.,]\d+)?)\s*((?:[^\W\d_]|[%µμ°])[^\s\d]{0,9}(?:/[^\s]{1,8})?)\Z")
# A value outside of what could be measured has a sign before it.
OUTSIDE = r"(?:[<>≤≥]=?\s*)?"
COMMA = re.compile(OUTSIDE + r"-?\d+,\d+\Z")
PLAIN = re.compile(OUTSIDE + r"-?\d+(\.\d+)?\Z")
WHOLE = re.compile(r"(-?\d+)(?:\.0+)?\Z")


def tidied(table: str, frame: pd.DataFrame, questions: Questions | None = None, day_zero: dt.date = EXCEL_DAY_ZERO) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tidy one table.

    Parameters
    ----------
    table : str
        Its name, for the list of changes.
    frame : DataFrame of text, index = row in the file
        Empty cells are missing.
    questions : Questions, optional
        Gets what could mean two things; without it, that stays as it is.
    day_zero : date
        From which a number in a column of dates counts days.

    Returns
    -------
    frame : DataFrame of text, the same rows and columns
    changes : DataFrame, one row per changed cell
        table, row, column, found, became, why.
    """
    tidy, changes = frame.astype(object).where(frame.notna(), None), []
    questions = questions or Questions()
    orders = {column: _order(_parts(tidy[column].dropna())) for column in tidy}
    steps = (_width, _blanks, _missing, partial(_nothing, questions), partial(_dates, questions, orders, day_zero), _decimals, _whole, _units,
             partial(_sentinels, questions), _spellings)  # fmt: skip
    for step in steps:
        for column in tidy:
            cells = tidy[column].dropna()
            became, why = step(cells)
            became = became[became.ne(cells) | became.isna()]
            tidy.loc[became.index, column] = became
            changes += [(table, row, column, cells[row], text or "", why) for row, text in became.items()]
    return tidy, pd.DataFrame(changes, columns=CHANGE_COLUMNS).sort_values(["row", "column"], ignore_index=True)


def known_cells(cells: pd.Series) -> pd.Series:
    """The texts of a column that say something: not those that are empty, mean that nobody knows, or stand for nothing."""
    texts = cells.dropna().astype(str).str.strip()
    return texts[~texts.str.casefold().isin(MISSING | NOTHING) & texts.ne("")]


def _changed(cells: pd.Series, change: Callable[[str], str | None]) -> pd.Series:
    return pd.Series([change(cell) for cell in cells], cells.index, dtype=object)


def _width(cells: pd.Series) -> tuple[pd.Series, str]:
    return _changed(cells, lambda cell: cell.translate(FULL_WIDTH | ROMAN)), "full-width signs"


def _blanks(cells: pd.Series) -> tuple[pd.Series, str]:
    return _changed(cells, lambda cell: " ".join(cell.split()) or None), N_("blanks")


def _missing(cells: pd.Series) -> tuple[pd.Series, str]:
    return _changed(cells, lambda cell: None if cell.lower() in MISSING else cell), "a word for missing"


def _nothing(questions: Questions, cells: pd.Series) -> tuple[pd.Series, str]:
    """Take "-" and "nil" for nothing among numbers and dates; among words they may be a result, which is asked where they do not say it."""
    why, lower = "a word for missing", cells.str.lower() if len(cells) else cells
    for text in sorted(NOTHING & set(lower)):
        here, others = lower.eq(text), cells[~lower.isin(NOTHING)]
        answers = set(others) if others.nunique() <= FEW else set()
        numeric = others.map(lambda cell: bool(PLAIN.match(cell)) or bool(NUMERIC.match(cell) or EASTERN.match(cell)))
        if (len(others) and numeric.mean() > MOSTLY) or not answers:
            cells = cells.where(~here, None)
        elif text not in EASTERN_NO and not any((PLUS if text == "-" else SCALE).fullmatch(other) for other in answers):
            options = {"missing": f"{here.sum()} cells are empty", "value": f"{here.sum()} cells hold an answer of their own, {text}"}
            question = f"What does {text} mean in {cells.name}, beside {', '.join(sorted(answers)[:6])}?"
            if questions.ask(f"{text} in {cells.name}", question, options) == "missing":
                cells = cells.where(~here, None)
    return cells, why


def _whole(cells: pd.Series) -> tuple[pd.Series, str]:
    """In a column of whole numbers 1.0 is 1: programs write them so beside an empty cell, and a code or a flag is none of that name."""
    whole = len(cells) > 0 and all(map(WHOLE.match, cells))
    return _changed(cells, lambda cell: WHOLE.sub(r"\1", cell) if whole else cell), "a whole number"


def _sentinels(questions: Questions, cells: pd.Series) -> tuple[pd.Series, str]:
    """A number such as 999, far from every other of its column, is a value or none: asked."""
    for text in sorted(SENTINELS & set(cells)):
        others = pd.to_numeric(cells[~cells.isin(SENTINELS)], errors="coerce").dropna()
        if len(others) < FAR or others.nunique() < FAR or not _is_far(float(text), others):
            continue
        n = int(cells.eq(text).sum())
        options = {"missing": f"{n} cells are empty", "value": f"{n} cells hold the number {text}"}
        question = f"What does {text} mean in {cells.name}, whose other values lie from {others.min():g} to {others.max():g}?"
        if questions.ask(f"{text} in {cells.name}", question, options) == "missing":
            cells = cells.where(cells.ne(text), None)
    return cells, "a number for missing"


def _is_far(number: float, others: pd.Series) -> bool:
    return (number < 0 <= others.min()) or number > FAR * max(others.max(), 0)


def _parts(cells: pd.Series) -> list:
    """Year, month and day, or these in another order, of each cell that is a date in numbers; 20190314 is one where every cell of the column is."""
    compact = [COMPACT.match(cell) for cell in cells]
    whole = len(compact) >= FEW_DATES and all(match and _iso(*match.groups()) for match in compact)
    return [match and match.groups() for match in (compact if whole else map(NUMERIC.match, cells))]


def _dates(questions: Questions, orders: dict[str, str], day_zero: dt.date, cells: pd.Series) -> tuple[pd.Series, str]:
    """ISO dates, in a column of dates whose order of day and month its own cells prove, or the others of the sheet; else asked."""
    parts = _parts(cells)
    order = orders.get(cells.name) or _order(parts)
    if not order and _undecided(cells, parts):
        proved = {found for found in orders.values() if found}
        order = proved.pop() if len(proved) == 1 else _asked_order(questions, cells, parts)
    read = pd.Series(
        [_day(cell, part, order) for cell, part in zip(cells, parts, strict=True)], cells.index, dtype=object
    )
    serial = read.isna() & cells.map(lambda cell: bool(re.fullmatch(r"\d{5}", cell)))
    if read.isna().all() or (read.notna() | serial).mean() < MOSTLY:
        return cells, ""
    read[serial] = [_excel_day(int(cell), day_zero) for cell in cells[serial]]
    return read.where(read.notna(), cells), "a date in another form"


def _undecided(cells: pd.Series, parts: list) -> bool:
    """Whether nearly all cells are dates of which day and month could change places."""
    open_ones = [part for part in parts if part and len(part[0]) < 3 and len(part[2]) in (2, 4)]
    dotted = cells.str.contains(".", regex=False).any() if len(cells) else False
    return len(cells) > 0 and len(open_ones) / len(cells) >= MOSTLY and not dotted


def _asked_order(questions: Questions, cells: pd.Series, parts: list) -> str:
    cell, part = next((c, p) for c, p in zip(cells, parts, strict=True) if p)
    if not (_day(cell, part, "dmy") and _day(cell, part, "mdy")) or _order(parts, both=True):
        return ""
    options = {name: f"{cell} is {_day(cell, part, order)}" for name, order in DAY_ORDERS.items()}
    answer = questions.ask("order of dates", "Which comes first in the dates, the day or the month? No date says it.", options)
    return DAY_ORDERS.get(answer, "")


def _order(parts: list, *, both: bool = False) -> str:
    """`dmy`, `mdy`, or nothing where the cells do not tell; with `both`, whether they tell one and the other."""
    of_day = [
        (int(first), int(second)) for first, second, year in filter(None, parts) if len(year) in (2, 4) and len(first) < 3
    ]
    day_first, month_first = any(a > 12 for a, _ in of_day), any(b > 12 for _, b in of_day)
    if both:
        return "both" if day_first and month_first else ""
    if day_first == month_first:
        return ""
    return "dmy" if day_first else "mdy"


def _day(cell: str, parts: tuple | None, order: str) -> str | None:
    worded, eastern = WORDED.match(cell), EASTERN.match(cell)
    if eastern:
        return _iso(*eastern.groups())
    if worded:
        name = worded[2].lower()
        month = next((number for number, starts in enumerate(MONTHS, start=1) if name.startswith(starts)), None)
        return month and _iso(_year(worded[3]), month, worded[1])
    if parts is None:
        return None
    first, second, third = parts
    if len(first) == 4:
        return _iso(first, second, third)
    # A full stop stands between day, month and year in that order wherever it is used.
    order = order or ("dmy" if "." in cell else "")
    if len(third) not in (2, 4) or not order:
        return None
    return _iso(_year(third), second, first) if order == "dmy" else _iso(_year(third), first, second)


def _year(text: str) -> int:
    number = int(text)
    return number if len(text) == 4 else number + (2000 if number <= LATEST_SHORT_YEAR else 1900)


def _iso(year, month, day) -> str | None:
    try:
        return dt.date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None


def _excel_day(number: int, day_zero: dt.date) -> str | None:
    return (day_zero + dt.timedelta(days=number)).isoformat() if number in EXCEL_DAYS else None


def _decimals(cells: pd.Series) -> tuple[pd.Series, str]:
    """A decimal comma, where no cell shows that the comma could part thousands."""
    commas = cells[cells.map(lambda cell: bool(COMMA.match(cell)))]
    others = cells.drop(commas.index)
    thousands = commas.str.fullmatch(OUTSIDE + r"-?[1-9]\d{0,2},\d{3}").all()
    if commas.empty or thousands or not others.map(lambda cell: bool(PLAIN.match(cell))).all():
        return cells, ""
    return cells.where(~cells.index.isin(commas.index), cells.str.replace(",", ".")), "a decimal comma"


def _units(cells: pd.Series) -> tuple[pd.Series, str]:
    """Numbers alone, where one and the same unit stands behind each."""
    matches = [match for match in map(WITH_UNIT.match, cells) if match]
    if len(matches) != len(cells) or len(cells) < 2 or len({match[2] for match in matches}) != 1:
        return cells, ""
    numbers = pd.Series([match[1].replace(",", ".") for match in matches], cells.index, dtype=object)
    return numbers, f"the unit {matches[0][2]} behind every number of {cells.name}"


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
