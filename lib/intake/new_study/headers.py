"""Where a sheet's header is and its patients end: titles, two rows of header, a row of units, totals, merged cells.

Whatever is left out or filled in stands on the list of changes.
"""

from __future__ import annotations

__all__ = ["Headed", "with_header", "with_labels", "with_legends"]

import datetime as dt
import itertools
import re
import unicodedata
from dataclasses import dataclass, field, replace

import pandas as pd

from lib.intake.cells import EXCEL_DAY_ZERO, Unreadable
from lib.intake.new_study.tidying import CHANGE_COLUMNS, known_cells
from lib.intake.new_study.words import UNIT_WORDS

SEARCHED = 20  # rows in which a header is looked for
UNIT = re.compile(
    r"[\[(]?\s*(?:[munpµμ]?g(?:/[dm]?l)?|[kcm]?m|kg(?:/m.?)?|[mµμ]?mol/l|[mµμk]?i?u/m?l|mm\s?hg|mm3|cm3|%|n|score|10\^?9/l|"
    + "|".join(word for words in UNIT_WORDS.values() for word in words)
    + r"|y/n|yes/no|0/1|m/f|dd.?mm.?yyyy|yyyy-mm-dd)\s*[\])]?\Z",
    re.IGNORECASE,
)
NUMBER = re.compile(r"[-<>]?\d+([.,]\d+)?\Z")
TOTAL = re.compile(
    r"(?:grand )?totals?|sum|mean|average|median|sd|n|n ?= ?\d+|count|summe|gesamt|mittelwert|total[e]?|moyenne|media|合计|总计|平均|合計|計",
    re.IGNORECASE,
)
# A name that says nothing: V12, var_003, Q4a, 列1.
NAMELESS = re.compile(r"(?:v|var|variable|x|q|c|col|column|field|feld|item|f|列|变量)[ _]?\d+[a-z]?", re.IGNORECASE)
LONGEST_LABEL = 60  # a longer one is a question of a form, no name
MOST_BLOCKS = 6  # of merged cells downwards, each value once
# What a name says of its codes: Sex (1=male, 2=female); 性别（男=1，女=2）; 死亡（1是0否）; Response: 1 = CR; 2 = PR.
LEGEND = re.compile(r"(?P<name>.+?)\s*(?:\((?P<within>[^()]+)\)|\[(?P<brackets>[^\[\]]+)\]|[\s:,]\s*(?P<behind>-?\d{1,2}\s*=.+))\Z", re.DOTALL)
CODE, TEXT = r"(?P<code>-?\d{1,2})", r"(?P<text>[^=:]*[^\W\d_][^=:]*)"
BETWEEN = r"\s*[,;/|、\n]\s*|\s+(?=-?\d{1,2}\s*[=:-])|(?<=[=:]\d)\s+"
# How a pair looks, and what lies between two; a Han sign needs nothing between itself and its code.
PAIRS = [(re.compile(pair), re.compile(between)) for pair, between in (
    (rf"{CODE}\s*[=:]\s*{TEXT}", BETWEEN), (rf"{TEXT}\s*[=:]\s*{CODE}", BETWEEN), (rf"{CODE}\s*-\s*(?=\D){TEXT}", BETWEEN),
    (rf"{CODE}\s?(?=[\u3400-\u9fff]){TEXT}", BETWEEN + r"|(?<=[\u3400-\u9fff])\s*(?=\d)"),
)]  # fmt: skip


@dataclass(frozen=True)
class Headed:
    """A sheet under its header, and what was done to find it.

    Attributes
    ----------
    frame : DataFrame of text, index = row in the file
    changes : list of tuple
        Row, column, what was found, what it became, why; as the list of changes says it.
    labels : dict of str to str
        Name of a column -> what the file says it is, where it says so.
    notes : tuple of str
        What was assumed of how the file is to be read.
    day_zero : date
        From which a number in a column of dates counts days.
    without_values : dict of str to Unreadable
        Name of a column -> which of its formulas have no value.
    """

    frame: pd.DataFrame
    changes: list[tuple]
    labels: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    day_zero: dt.date = EXCEL_DAY_ZERO
    without_values: dict[str, Unreadable] = field(default_factory=dict)

    def listed(self, sheet: str) -> pd.DataFrame:
        """The changes as rows of the list of changes."""
        return pd.DataFrame([(sheet, *change) for change in self.changes], columns=CHANGE_COLUMNS)


def with_header(header: list[str], frame: pd.DataFrame) -> Headed:
    """Name the columns by the first row that is filled like a header; a title above it is left out.

    Parameters
    ----------
    header : list of str
        Row 1.
    frame : DataFrame of text, index = row in the file
        The rows below.

    Returns
    -------
    Headed
        Empty rows and columns without a name and a value are left out; names are unique.
    """
    rows = [[str(cell).strip() for cell in row] for row in [header, *frame.head(SEARCHED).fillna("").values.tolist()]]
    filled = [sum(map(bool, row)) for row in rows]
    start = next((i for i, count in enumerate(filled) if count > max(filled) / 2), 0)
    names, last, changes = rows[start], start, []
    below = rows[start + 1] if start + 1 < len(rows) else []
    number = int(frame.index[start]) if start < len(frame) else 0
    if _is_second_header(names, below, rows[start + 2 : start + 5]):
        names, last = _joined(names, below), start + 1
        changes.append((number, "", " | ".join(below)[:200], "", "a second row of the header, taken into the names"))
    elif _is_of_units(below):
        names, last = [f"{name} ({unit.strip('()[] ')})" if unit else name for name, unit in zip(names, below, strict=True)], start + 1
        changes.append((number, "", " | ".join(below)[:200], "", "a row of units, taken into the names"))
    unique = _unique(names)
    body = frame.iloc[last:].set_axis(unique, axis="columns").dropna(how="all")
    unnamed = [name for name, cell in zip(unique, names, strict=True) if not cell]
    body = body.drop(columns=[name for name in unnamed if body[name].isna().all()])
    body = _without_totals(body, changes)
    return Headed(_filled_down(body, changes), changes)


def _unique(cells: list[str]) -> list[str]:
    names = []
    for number, cell in enumerate(cells, start=1):
        name = " ".join("".join(c if c.isprintable() else " " for c in cell).split()) or f"column {number}"
        numbered = (f"{name} ({again})" for again in itertools.count(2))
        names.append(name if name not in names else next(other for other in numbered if other not in names))
    return names


def _is_second_header(names: list[str], below: list[str], body: list[list[str]]) -> bool:
    """Whether the first row has gaps (merged cells) above words, and numbers begin a row further down."""
    gaps = [number for number, name in enumerate(names) if not name and below and below[number]]
    if not gaps or not names[0] + below[0] or any(NUMBER.match(cell) for cell in below) or _is_of_units(below):
        return False
    words_below = all(below[number] for number, name in enumerate(names) if not name)
    return words_below and any(NUMBER.match(cell) for row in body for cell in row)


def _joined(names: list[str], below: list[str]) -> list[str]:
    """The second row's names, with the group of the first above them where they alone would not be unique."""
    groups = list(itertools.accumulate(names, lambda group, name: name or group))
    own = [under or name for name, under in zip(names, below, strict=True)]
    return [name if own.count(name) == 1 else f"{group} {name}".strip() for name, group in zip(own, groups, strict=True)]


def _is_of_units(row: list[str]) -> bool:
    units = [cell for cell in row if cell]
    return bool(units) and all(UNIT.match(cell) and not NUMBER.match(cell) for cell in units) and len(units) < len(row)


def _without_totals(body: pd.DataFrame, changes: list[tuple]) -> pd.DataFrame:
    """Leave out rows at the end that begin with a word for a total, and remarks that stand alone there."""
    while len(body) > 1:
        cells = body.iloc[-1].dropna()
        first, alone = str(cells.iloc[0]).strip().rstrip(":"), len(cells) == 1 and body.shape[1] > 2
        remark = alone and (" " in first or first.startswith(("*", "#"))) and not NUMBER.match(first)
        if not TOTAL.fullmatch(first) and not remark:
            return body
        changes.append((int(body.index[-1]), cells.index[0], first, "", "a total or a remark at the end, no patient: left out"))
        body = body.iloc[:-1]
    return body


def _filled_down(body: pd.DataFrame, changes: list[tuple]) -> pd.DataFrame:
    """Cells merged downwards: few values, each once, the first in the first row, and nothing but gaps below each."""
    body = body.copy()
    for column in body:
        cells = body[column].dropna()
        blocks = 2 <= len(cells) <= MOST_BLOCKS and cells.is_unique and len(cells) * 2 < len(body)
        if blocks and cells.index[0] == body.index[0] and not cells.map(lambda cell: bool(NUMBER.match(str(cell)))).any():
            filled = body[column].ffill()
            why = "cells merged downwards"
            changes += [(int(row), column, "", filled[row], why) for row in body.index[body[column].isna()]]
            body[column] = filled
    return body


def with_labels(headed: Headed) -> Headed:
    """Call a column by its label where its name says nothing (`V12`: Sex), and say so; a label that two have stays a label."""
    labels = {column: " ".join(label.split()) for column, label in headed.labels.items() if column in headed.frame}
    called = {
        column: label
        for column, label in labels.items()
        if NAMELESS.fullmatch(column) and 0 < len(label) <= LONGEST_LABEL and label.isprintable()
        and list(labels.values()).count(label) == 1 and label not in headed.frame
    }  # fmt: skip
    if not called:
        return replace(headed, labels=labels)
    said = "columns are called by their labels: " + ", ".join(f"{column} is {label}" for column, label in called.items())
    changes = [(row, called.get(column, column), *rest) for row, column, *rest in headed.changes]
    labels = {called.get(column, column): label for column, label in labels.items()}
    return replace(headed, frame=headed.frame.rename(columns=called), changes=changes, labels=labels, notes=(*headed.notes, said))


def with_legends(headed: Headed) -> Headed:
    """Put what the name of a column says of its codes in their place, where it says it of each: `Sex (1=male, 2=female)` is Sex."""
    frame, called, said = headed.frame.copy(), {}, []
    for column in headed.frame:
        name, legend = _legend(unicodedata.normalize("NFKC", column))
        cells = known_cells(frame[column]).str.replace(r"\.0+\Z", "", regex=True)
        if not legend or name in frame or name in called.values() or not len(cells) or not cells.isin(legend).all():
            continue
        frame.loc[cells.index, column] = cells.map(legend)
        called[column] = name
        said.append(f"{name}: what its name says in the place of codes: {', '.join(f'{code} = {text}' for code, text in legend.items())}")
    changes = [(row, called.get(column, column), *rest) for row, column, *rest in headed.changes]
    labels = {called.get(column, column): label for column, label in headed.labels.items()}
    return replace(headed, frame=frame.rename(columns=called), changes=changes, labels=labels, notes=(*headed.notes, *said))


def _legend(column: str) -> tuple[str, dict[str, str]]:
    """The name without its legend, and text by code; without a legend of two codes or more nothing by code."""
    found = LEGEND.fullmatch(column)
    listed = next(filter(None, found.group("within", "brackets", "behind")), "").strip() if found else ""
    for pair, between in PAIRS:
        items = [item for item in between.split(listed) if item]
        pairs = {str(int(one["code"])): one["text"].strip() for item in items if (one := pair.fullmatch(item))}
        if 1 < len(items) == len(pairs) == len(set(pairs.values())):
            return found["name"].strip(" :,"), pairs
    return column, {}
