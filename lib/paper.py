"""An A4 page, and how a table is laid on it: widths of its columns, size of its type, upright or across.

Word and PDF take the same layout. Widths are estimated from the number of characters: where a column is estimated too
narrow its text breaks over two lines, and nothing is lost.
"""

from __future__ import annotations

__all__ = ["A4", "MARGIN", "WHOLE_ROWS", "Layout", "alignment", "lay_out", "picture_size"]

from dataclasses import dataclass

from lib.blocks import Cell, Picture, Row, Table

# Points.
A4 = (595.28, 841.89)
MARGIN = 62.36
SIZES = (9.0, 8.0, 7.5)
GAP = 9.0
# Part of the page's text height that a picture may take: its caption stands below.
PICTURE_HEIGHT = 0.86
# Mean width of a character of a book face, in its size.
EM = 0.45
# Characters that the square of an arm and the indent of a row take, and bold type more than plain.
SQUARE, INDENT, BOLD = 3, 3, 2
# A column of words is not made narrower than this, in characters; a longer word than the other is broken.
WORDS, LONGEST_WORD = 24, 40
# A table of up to so many rows stays on one page.
WHOLE_ROWS = 16


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
    table : lib.blocks.Table

    Returns
    -------
    Layout
    """
    needs = [_needs(table, i) for i in range(len(table.numeric))]
    tries = [(size, page, page > A4[0]) for page in A4 for size in SIZES]
    for size, page, landscape in tries:
        room = page - 2 * MARGIN - GAP * len(needs)
        least, natural = ([EM * size * need[i] for need in needs] for i in (0, 1))
        if sum(least) <= room or (size, page, landscape) == tries[-1]:
            return Layout(tuple(width + GAP for width in _shared_out(least, natural, room)), size, landscape)
    raise AssertionError("the last try always fits")


def alignment(table: Table, column: int) -> tuple[int, int]:
    """Most characters of a column before and from the decimal point.

    Parameters
    ----------
    table : lib.blocks.Table
    column : int
        From 0.
    """
    cells = [row.cells[column] for row in _full(table.body, table) if row.cells[column].whole]
    before = max((len(cell.whole) for cell in cells), default=0)
    return before, max((len(cell.text) - len(cell.whole) for cell in cells), default=0)


def picture_size(picture: Picture) -> tuple[float, float]:
    """Width and height on the page, in points: as wide as the text, or as high as the page allows."""
    width, height = picture.size
    scale = min((A4[0] - 2 * MARGIN) / width, (A4[1] - 2 * MARGIN) * PICTURE_HEIGHT / height)
    return scale * width, scale * height


def _full(rows: tuple[Row, ...], table: Table) -> list[Row]:
    """Rows in which no cell spans columns."""
    return [row for row in rows if len(row.cells) == len(table.numeric)]


def _needs(table: Table, column: int) -> tuple[int, int]:
    """Characters that a column needs at least, and those that it would take."""
    heads = [row.cells[column] for row in _full(table.head, table)]
    cells = [row.cells[column] for row in _full(table.body, table)]
    natural = max((_longest(cell) for cell in cells), default=0) + INDENT * (column == 0)
    # Words may stand on two lines, a number may not.
    words = [_longest_word(cell) for cell in cells if not cell.whole]
    least = max([min(natural, WORDS), sum(alignment(table, column)), *words, *(_longest_word(c) + BOLD for c in heads)])
    if table.numeric[column]:
        natural = max((_longest(cell) + BOLD for cell in heads), default=0)
    return least, max(natural, least)


def _longest(cell: Cell) -> int:
    return max(len(line) for line in [*cell.text.split("\n"), cell.detail]) + SQUARE * bool(cell.colour)


def _longest_word(cell: Cell) -> int:
    longest = max((len(word) for word in f"{cell.text} {cell.detail}".split()), default=0)
    return min(longest, LONGEST_WORD) + SQUARE * bool(cell.colour)


def _shared_out(least: list[float], natural: list[float], room: float) -> list[float]:
    """Give every column what it needs, then what it would take as far as there is room, then an equal share."""
    wanted = [n - width for n, width in zip(natural, least, strict=True)]
    part = min(1.0, max(0.0, room - sum(least)) / (sum(wanted) or 1.0))
    widths = [width + part * want for width, want in zip(least, wanted, strict=True)]
    scale = room / (sum(widths) or 1.0)
    return [width * scale for width in widths]
