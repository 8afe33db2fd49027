"""What a notebook cell can show: a table, a picture, a block of text, each with the record that the runner reads.

Everything that a reader sees passes through here once, escaped once. Contents are made in tables, plots and report.
"""

from __future__ import annotations

__all__ = [
    "DETAILS",
    "EMPTY",
    "METADATA",
    "Block",
    "Column",
    "Figure",
    "Lacking",
    "Links",
    "Row",
    "Table",
    "anchor",
    "compares_arms",
    "empty_if_absent",
    "in_small_type",
    "internal_only",
    "template",
    "too_many",
    "withheld",
]

import csv
import html
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar, overload

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from lib.analyses.result import Absent, Analysis, absent_among
from lib.languages.notes import worded
from lib.languages.speech import N_, _, in_a_row
from lib.show.disclosure.audience import allows
from lib.show.formats import DASH, NOT_REACHED, capitalised, unstyled
from lib.study.limits import DRAWN, LARGE
from lib.study.words import grouped
from lib.study.written import guarded

# Key of an output's metadata under which the runner finds id, title and contents.
METADATA = "cohort_report"
# Key of the metadata of what a page folds, and a document prints only where all of it is asked for.
DETAILS = "cohort_details"
# What may stand for a number within a cell: alone, "NR (3.1 to NR)", "45% (–); 1", and beside a word of a script without spaces.
SIGN = re.compile(rf"(?<![^\s(;,/\u2e80-\uffef])({NOT_REACHED}|{DASH})(?![^\s);,\u2e80-\uffef])")

A = TypeVar("A", bound=Analysis | Absent)
B = TypeVar("B", bound=Analysis)
T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R")


@cache
def template(name: str) -> Template:
    """Return the template of that name; every value put into it is escaped."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.globals |= {"_": _, "in_a_row": in_a_row}
    return environment.get_template(name)


@dataclass(frozen=True)
class Column:
    """A column of a table: label, a second line, the colour of its arm, whether it holds words."""

    label: str
    detail: str = ""
    colour: str = ""
    text: bool = False


class Lacking(str):
    """A sentence that says why there is nothing to show; a section that says nothing else is left out of a page."""


def anchor(heading: str) -> str:
    """Name under which a page's heading can be linked to: "Who is in it?" -> "who-is-in-it"."""
    return re.sub(r"[^\w]+", "-", heading.lower()).strip("-")


class Links(str):
    """A cell of links: its text is what a CSV file holds; `links` are (text, address within the report) pairs."""

    links: tuple[tuple[str, str], ...]

    def __new__(cls, links):
        """Make the cell of (text, address) pairs."""
        cell = super().__new__(cls, "; ".join(text for text, __ in links))
        cell.links = tuple(links)
        return cell


@dataclass(frozen=True)
class Row:
    """A row of strings; `kind` is "" (a row), "group" (a heading across) or "sub" (an indented row)."""

    cells: tuple[str, ...]
    kind: str = ""


@dataclass(frozen=True)
class Table:
    """A table ready to be read: strings only; `dash` is what a dash stands for in it."""

    id: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    dash: str = N_("none or not estimable")

    def __post_init__(self) -> None:
        # What the rooms below call things: columns, and the first cell of each row.
        columns = tuple(replace(column, label=worded(column.label), detail=worded(column.detail)) for column in self.columns)
        rows = tuple(row if isinstance(row.cells[0], Links) else replace(row, cells=(worded(row.cells[0]), *row.cells[1:])) for row in self.rows)
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "rows", rows)

    @property
    def footnotes(self) -> tuple[str, ...]:
        """The notes, and one that explains the signs that the table prints, and no other; words hold none."""
        words = {i for i, column in enumerate(self.columns) if i == 0 or column.text}
        cells = [(i, cell) for row in self.rows if row.kind != "group" for i, cell in enumerate(row.cells)]
        printed = {sign for i, cell in cells for sign in SIGN.findall(cell) if i not in words or cell == DASH}
        key = [_("{sign}: {meaning}", sign=sign, meaning=means) for sign, means in ((NOT_REACHED, _("not reached")), (DASH, _(self.dash))) if sign in printed]
        return (*self.notes, _("{sentence}.", sentence=_("; ").join(key))) if key else self.notes

    def to_csv(self) -> str:
        """The table as CSV; a heading across stands alone in its row, a cell that starts like a formula is quoted.

        Numbers are as a spreadsheet reads them, whatever the style: a full point, no space between thousands.
        """
        header = [", ".join(filter(None, (c.label, c.detail))) for c in self.columns]
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        for cells in (header, *(row.cells for row in self.rows)):
            writer.writerow([guarded(unstyled(str(cell))) for cell in cells])
        return out.getvalue()

    def to_text(self) -> str:
        """The table as aligned plain text: title, header, rows, notes."""
        lines = [[c.label for c in self.columns], *[list(row.cells) for row in self.rows if row.kind != "group"]]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]

        def aligned(cells):
            first, *others = [
                cell.ljust(w) if i == 0 else cell.rjust(w)
                for i, (cell, w) in enumerate(zip(cells, widths, strict=True))
            ]
            return "  ".join([first, *others]).rstrip()

        body = [row.cells[0] if row.kind == "group" else aligned(row.cells) for row in self.rows]
        return "\n".join([self.title, aligned(lines[0]), *body, *self.footnotes])

    def _repr_mimebundle_(self, include=None, exclude=None):
        record = {"kind": "table", "id": self.id, "title": self.title, "csv": self.to_csv()}
        html = template("table.html").render(table=self)
        return {"text/html": html, "text/plain": self.to_text()}, {METADATA: record}


@dataclass(frozen=True)
class Figure:
    """A picture as SVG, with the words that stand for it.

    `legend` stands below it in a manuscript. `panels` says where its axes lie, one each: left, top, width, height in the units of the SVG, then the limits of
    x and of y.
    """

    id: str
    title: str
    svg: str
    alt: str
    panels: tuple[tuple[float, ...], ...] = ()
    legend: str = ""

    def place(self, panel: int, x: float, y: float) -> tuple[float, float]:
        """Where (x, y) of a panel with linear axes lies in the SVG."""
        left, top, width, height, x0, x1, y0, y1 = self.panels[panel]
        return left + width * (x - x0) / (x1 - x0), top + height * (y1 - y) / (y1 - y0)

    def _repr_mimebundle_(self, include=None, exclude=None):
        record = {"kind": "figure", "id": self.id, "title": self.title, "alt": self.alt, "legend": self.legend}
        return {"image/svg+xml": self.svg, "text/plain": _("Figure: {title}. {alt}", title=self.title, alt=self.alt)}, {METADATA: record}


@dataclass(frozen=True)
class Block:
    """Text made from results, with a record for the runner (may be empty)."""

    html: str
    text: str
    record: dict

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": self.html, "text/plain": self.text}, ({METADATA: self.record} if self.record else {})


EMPTY = Block("", "", {})


def compares_arms(show: Callable[Concatenate[A, P], R]) -> Callable[Concatenate[A, P], R | Block]:
    """Let a table of comparisons show nothing where there is one arm."""

    @wraps(show)
    def checked(analysis: A, /, *arguments: P.args, **options: P.kwargs) -> R | Block:
        return EMPTY if len(analysis.dataset.arms) == 1 else show(analysis, *arguments, **options)

    return checked


@overload
def empty_if_absent(show: Callable[[A, B], R]) -> Callable[[A | Absent, B | Absent], R | Block]: ...
@overload
def empty_if_absent(show: Callable[Concatenate[T, P], R]) -> Callable[Concatenate[T | Absent, P], R | Block]: ...
def empty_if_absent(show):
    """Let a table or figure show nothing for an analysis that a study has no data for, and refuse a wrong kind."""
    absent = absent_among(show)

    @wraps(show)
    def checked(*arguments, **options):
        return EMPTY if absent(*arguments, **options) else show(*arguments, **options)

    return checked


def withheld(what: str) -> Block:
    """Say that a shared report leaves something out."""
    return in_small_type(capitalised(_("{what}: left out of a shared report.", what=_(what))))


def too_many(what: str, limit: int) -> Block:
    """Say that more patients than so many are not shown one by one."""
    return in_small_type(capitalised(_("{what}: not shown, because there are more than {limit} patients; the tables of this page count them.", what=_(what), limit=grouped(limit))))


def in_small_type(text: str) -> Block:
    """A sentence that belongs to what stands beside it."""
    return Block(f'<p class="note">{html.escape(text)}</p>', text, {})


def internal_only(
    kind: str, what: str, scales: bool = False
) -> Callable[[Callable[Concatenate[A, P], R]], Callable[Concatenate[A, P], R | Block]]:
    """Let a table or figure say that it is left out where the audience may not see this kind of output.

    Nor is it made in a large study, unless it `scales`: stays small and readable however many patients there are.
    """

    def decorate(show: Callable[Concatenate[A, P], R]) -> Callable[Concatenate[A, P], R | Block]:
        @wraps(show)
        def checked(analysis: A, /, *arguments: P.args, **options: P.kwargs) -> R | Block:
            data = analysis.dataset
            if data is not None and not allows(data.parameters, kind):
                return withheld(what)
            most = LARGE if kind == "listing" else DRAWN
            large = not scales and data is not None and len(data.patients) > most
            return too_many(what, most) if large else show(analysis, *arguments, **options)

        return checked

    return decorate
