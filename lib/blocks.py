"""What a document on paper is made of: headings, paragraphs, tables, pictures. Plain strings, no markup."""

from __future__ import annotations

__all__ = [
    "Block",
    "Cell",
    "Contents",
    "Definitions",
    "Heading",
    "Paragraph",
    "Picture",
    "Row",
    "Run",
    "Table",
    "printed",
]

import re
from dataclasses import dataclass

# XML has no place for these, and nothing prints them.
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


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
    """A picture as SVG, width and height in points, with its caption and the words that stand for it."""

    title: str
    svg: str
    alt: str
    size: tuple[float, float]
    number: int = 0


@dataclass(frozen=True)
class Contents:
    """The place of the table of contents."""


Block = Heading | Paragraph | Definitions | Table | Picture | Contents
