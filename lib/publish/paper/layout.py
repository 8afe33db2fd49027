"""What a report on paper is made of, and how it lies on an A4 page: blocks; widths of columns, size of type, upright or across.

Word and PDF take the same layout. Widths are estimated, in em (the size of the type), from the characters of Times:
where a column is estimated too narrow its text breaks over two lines, and nothing is lost.
"""

from __future__ import annotations

__all__ = [
    "A4",
    "MARGIN",
    "WHOLE_ROWS",
    "Block",
    "Cell",
    "Contents",
    "Definitions",
    "Heading",
    "Layout",
    "PageEnd",
    "Paragraph",
    "Picture",
    "Row",
    "Run",
    "Table",
    "alignment",
    "lay_out",
    "picture_size",
    "printed",
]

import re
import unicodedata
from dataclasses import dataclass

# Points.
A4 = (595.28, 841.89)
MARGIN = 62.36
SIZES = (9.0, 8.0, 7.5)
GAP = 9.0
# Part of the page's text height that a picture may take: its caption stands below.
PICTURE_HEIGHT = 0.86
# Widths of characters in em; capitals and the others are taken at their mean.
WIDTHS = {c: 0.5 for c in "0123456789–"} | {c: 0.25 for c in " .,"} | {c: 0.33 for c in "()[]-/:;'ijltfr"}
WIDTHS |= {c: 0.57 for c in "<>=+−±≥≤"} | {c: 0.84 for c in "%mMWw&@"}
CAPITAL, OTHER, WIDE = 0.68, 0.47, 1.0
# Bold type against plain; what the square of an arm and the indent of a row take.
BOLD, SQUARE, INDENT = 1.12, 1.2, 1.3
# A column of words is not made narrower than the first, and a word longer than the second is broken.
WORDS, LONGEST_WORD = 11.0, 18.0
# A table of up to so many rows stays on one page.
WHOLE_ROWS = 16
# XML has no place for these, and nothing prints them.
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Layout:
    """Widths of the columns and size of the type in points; `landscape` when the page has to be turned."""

    widths: tuple[float, ...]
    size: float
    landscape: bool


def lay_out(table: Table) -> Layout:
    """Choose the largest type in which no number is broken; turn the page only if the smallest does not do.

    Parameters
    ----------
    table : lib.publish.paper.layout.Table

    Returns
    -------
    Layout
    """
    needs = [_needs(table, i) for i in range(len(table.numeric))]
    tries = [(size, page, page > A4[0]) for page in A4 for size in SIZES]
    for size, page, landscape in tries:
        room = page - 2 * MARGIN - GAP * len(needs)
        least, natural = ([size * need[i] for need in needs] for i in (0, 1))
        if sum(least) <= room or (size, page, landscape) == tries[-1]:
            return Layout(tuple(width + GAP for width in _shared_out(least, natural, room)), size, landscape)
    raise AssertionError("the last try always fits")


def alignment(table: Table, column: int) -> tuple[float, float]:
    """Width, in em, of what stands before and from the decimal point in a column.

    Parameters
    ----------
    table : lib.publish.paper.layout.Table
    column : int
        From 0.
    """
    cells = [row.cells[column] for row in _full(table.body, table) if row.cells[column].whole]
    before = max((_em(cell.whole) for cell in cells), default=0.0)
    return before, max((_em(cell.text[len(cell.whole) :]) for cell in cells), default=0.0)


def picture_size(picture: Picture) -> tuple[float, float]:
    """Width and height on the page, in points: as wide as the text, or as high as the page allows."""
    width, height = picture.size
    scale = min((A4[0] - 2 * MARGIN) / width, (A4[1] - 2 * MARGIN) * picture.share / height)
    return scale * width, scale * height


def _full(rows: tuple[Row, ...], table: Table) -> list[Row]:
    """Rows in which no cell spans columns."""
    return [row for row in rows if len(row.cells) == len(table.numeric)]


def _needs(table: Table, column: int) -> tuple[float, float]:
    """What a column needs at least, and what it would take, in em."""
    heads = [row.cells[column] for row in _full(table.head, table)]
    cells = [row.cells[column] for row in _full(table.body, table)]
    natural = max((_longest(cell) for cell in cells), default=0) + INDENT * (column == 0)
    # Words may stand on two lines, a number may not.
    words = [_longest_word(cell) for cell in cells if not cell.whole]
    words += [BOLD * _longest_word(cell) for cell in heads]
    least = max([min(natural, WORDS), sum(alignment(table, column)), *words])
    if table.numeric[column]:
        natural = max((BOLD * _longest(cell) for cell in heads), default=0)
    return least, max(natural, least)


def _longest(cell: Cell) -> float:
    return max(_em(line) for line in [*cell.text.split("\n"), cell.detail]) + SQUARE * bool(cell.colour)


def _longest_word(cell: Cell) -> float:
    longest = max((_em(word) for word in f"{cell.text} {cell.detail}".split()), default=0)
    return min(longest, LONGEST_WORD) + SQUARE * bool(cell.colour)


def _em(text: str) -> float:
    return sum(WIDTHS.get(c) or _usual(c) for c in text)


def _usual(character: str) -> float:
    if unicodedata.east_asian_width(character) in "WF":
        return WIDE
    return CAPITAL if character.isupper() else OTHER


def _shared_out(least: list[float], natural: list[float], room: float) -> list[float]:
    """Give every column what it needs, then what it would take as far as there is room, then an equal share."""
    wanted = [n - width for n, width in zip(natural, least, strict=True)]
    part = min(1.0, max(0.0, room - sum(least)) / (sum(wanted) or 1.0))
    widths = [width + part * want for width, want in zip(least, wanted, strict=True)]
    scale = room / (sum(widths) or 1.0)
    return [width * scale for width in widths]


def printed(text: str) -> str:
    """Replace what cannot be printed."""
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


@dataclass(frozen=True)
class Run:
    """Text in one style: "", strong, em, code, muted; or the square of an arm's `colour`."""

    text: str
    style: str = ""
    colour: str = ""


@dataclass(frozen=True)
class Heading:
    """Level 1 is the highest; `name` is the address by which cells link to it, such as "cohort.html#key-results"."""

    level: int
    text: str
    name: str = ""


@dataclass(frozen=True)
class Paragraph:
    """`role` is "", banner, lead, note, item (of a list), key (an item of the key results), term or code."""

    runs: tuple[Run, ...]
    role: str = ""

    @property
    def text(self) -> str:
        """Without styles."""
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True)
class Definitions:
    """Terms with their texts; `aligned` when the terms are short and stand beside them."""

    pairs: tuple[tuple[str, tuple[Run, ...]], ...]
    aligned: bool


@dataclass(frozen=True)
class Cell:
    """`whole` is the part of a number before its decimal point, where the numbers of a column are aligned.

    `links` are (text, name of a heading) pairs: the lines of `text`.
    """

    text: str
    detail: str = ""
    colour: str = ""
    columns: int = 1
    rows: int = 1
    whole: str = ""
    links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Row:
    """`kind` is "" (a row), "group" (a heading across) or "sub" (an indented row)."""

    cells: tuple[Cell, ...]
    kind: str = ""


@dataclass(frozen=True)
class Table:
    """A table with its caption above and its notes below; `numeric` says which columns hold numbers."""

    title: str
    head: tuple[Row, ...]
    body: tuple[Row, ...]
    notes: tuple[str, ...]
    numeric: tuple[bool, ...]
    number: int = 0


@dataclass(frozen=True)
class Picture:
    """A picture as SVG, width and height in points, with its caption and the words that stand for it.

    `share` is the part of the page's text height that it may take; `rest`: a PDF gives it what the page has left.
    """

    title: str
    svg: str
    alt: str
    size: tuple[float, float]
    number: int = 0
    share: float = PICTURE_HEIGHT
    rest: bool = False


@dataclass(frozen=True)
class Contents:
    """The place of the table of contents."""


@dataclass(frozen=True)
class PageEnd:
    """What follows begins a page."""


Block = Heading | Paragraph | Definitions | Table | Picture | Contents | PageEnd
