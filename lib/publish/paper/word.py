"""A document -> Word: real tables, numbered captions, pictures with alt text, all in styles that an author can change.

Text enters as text: nothing in it is read as a field, a formula or XML. Tables are made in lib/publish/paper/word_table.py.
"""

from __future__ import annotations

__all__ = ["docx"]

import io
from collections.abc import Callable

import docx as python_docx
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.text import WD_BREAK
from docx.oxml.ns import qn
from docx.shared import Pt
from docx.text.run import Run as WordRun

from lib.languages.speech import _, in_force
from lib.publish.pages import numbered
from lib.publish.paper.document import Document
from lib.publish.paper.layout import (
    A4,
    MARGIN,
    Contents,
    Definitions,
    Heading,
    PageEnd,
    Paragraph,
    Picture,
    Run,
    Table,
    lay_out,
    picture_size,
)
from lib.publish.paper.word_parts import add_styles, bookmark, field, link, paragraph, run
from lib.publish.paper.word_table import word_table
from lib.study.written import MADE, fixed_archive

# Ids of styles.
PARAGRAPHS = {
    "": "Normal", "lead": "Normal", "banner": "Banner", "note": "Note", "item": "ListBullet", "key": "KeyResult",
    "term": "Term", "code": "Code",
}  # fmt: skip
# Where the number of a caption stands.
MARK = "\v"
CHARACTERS = {"": "", "strong": "Strong", "em": "Emphasis", "code": "CodeText", "muted": "Muted"}
# Levels of headings in the table of contents.
LISTED = 2


def docx(document: Document, draw: Callable[[Picture], bytes]) -> bytes:
    """Write a document as a .docx file.

    Parameters
    ----------
    document : Document
    draw : callable
        Picture -> PNG.

    Returns
    -------
    bytes
        The same for the same document.
    """
    return _Writer(document, draw).written()


class _Writer:
    """One Word document while it is being made."""

    def __init__(self, document: Document, draw: Callable[[Picture], bytes]):
        self.document, self.draw = document, draw
        self.word = python_docx.Document()
        self.body = self.word.element.body
        headings = [block for block in document.blocks if isinstance(block, Heading)]
        self.headings = list(enumerate(headings))
        self.places = {heading.name: number for number, heading in reversed(self.headings) if heading.name}
        self.begun = 0
        self.landscape = False
        add_styles(self.word.styles, document.chapters)

    def written(self) -> bytes:
        """Write everything, in order."""
        self._properties()
        self._page()
        self._add(paragraph("Title", run(self.document.title)))
        for block in self.document.blocks:
            self._turn(isinstance(block, Table) and lay_out(block).landscape)
            self._block(block)
        raw = io.BytesIO()
        self.word.save(raw)
        return fixed_archive(raw.getvalue())

    def _add(self, *elements) -> None:
        for made in elements:
            # The last element of a body is its section.
            self.body.insert(len(self.body) - 1, made)

    def _properties(self) -> None:
        about = self.word.core_properties
        about.title, about.subject = self.document.title[:255], self.document.running[:255]
        about.author = about.comments = about.last_modified_by = about.keywords = ""
        about.language = in_force()
        about.created = about.modified = MADE

    def _page(self) -> None:
        """Lay the last section on A4, and write its header (study, banner) and footer (page n of m)."""
        section = self.word.sections[-1]
        section.orientation = WD_ORIENT.LANDSCAPE if self.landscape else WD_ORIENT.PORTRAIT
        width, height = reversed(A4) if self.landscape else A4
        section.page_width, section.page_height = Pt(width), Pt(height)
        for side in ("left", "right", "top", "bottom"):
            setattr(section, f"{side}_margin", Pt(MARGIN))
        section.header_distance = section.footer_distance = Pt(MARGIN / 2)
        flag = run(f"\t{self.document.flag}", "Flag") if self.document.flag else None
        header = paragraph("Header", run(self.document.running), flag, tab=("right", width - 2 * MARGIN))
        footer = paragraph("Footer", *field("PAGE", "1"), run(_(" of ")), *field("NUMPAGES", "1"))
        for part, line in ((section.header, header), (section.footer, footer)):
            part.is_linked_to_previous = False
            part._element[:] = [line]

    def _turn(self, landscape: bool) -> None:
        """Begin a section where the page has to be turned."""
        if landscape != self.landscape:
            self.landscape = landscape
            self.word.add_section(WD_SECTION.NEW_PAGE)
            # What ends a section is an empty paragraph.
            self.body[-2].style = "AfterTable"
            self._page()

    def _block(self, block) -> None:
        match block:
            case Heading():
                style = f"Heading{min(block.level, 3)}"
                self._add(paragraph(style, run(block.text), *bookmark(self.begun)))
                self.begun += 1
            case Paragraph():
                self._add(paragraph(PARAGRAPHS[block.role], *_runs(block.runs)))
            case Definitions():
                self._definitions(block)
            case Table():
                self._table(block)
            case Picture():
                self._picture(block)
            case Contents():
                self._contents()
            case PageEnd():
                self._add(paragraph("AfterTable"))
                self.word.paragraphs[-1].add_run().add_break(WD_BREAK.PAGE)

    def _definitions(self, block: Definitions) -> None:
        for term, runs in block.pairs:
            if block.aligned:
                self._add(paragraph("Definition", run(f"{term}\t", "Muted"), *_runs(runs)))
            else:
                self._add(paragraph("Term", run(term)), paragraph("TermText", *_runs(runs)))

    def _table(self, block: Table) -> None:
        if block.title:
            self._add(_caption("Table", block, keep=True))
        self._add(word_table(block, lay_out(block), self.places))
        self._add(*(paragraph("TableNote", run(note)) for note in block.notes))
        # Two tables without a paragraph between them would become one.
        self._add(paragraph("AfterTable"))

    def _picture(self, block: Picture) -> None:
        width, height = picture_size(block)
        holder = run("")
        line = paragraph("Figure", holder)
        self._add(line)
        shape = WordRun(holder, self.word.paragraphs[-1]).add_picture(
            io.BytesIO(self.draw(block)), Pt(width), Pt(height)
        )
        shape._inline.docPr.set("descr", block.alt)
        shape._inline.docPr.set("name", block.title or "Picture")
        if block.title:
            self._add(_caption("Figure", block))

    def _contents(self) -> None:
        """Write a table of contents that is right as it stands; updated in Word, it also shows page numbers."""
        listed = [(number, heading) for number, heading in self.headings if heading.level <= LISTED]
        if not listed:
            return
        lines = [paragraph(f"TOC{heading.level}", link(number, run(heading.text))) for number, heading in listed]
        *begin, end = field(f'TOC \\o "1-{LISTED}" \\h \\z \\u')
        for place, part in enumerate(begin, start=1):
            lines[0].insert(place, part)
        lines[-1].append(end)
        self._add(paragraph("ContentsHeading", run(_("Contents"))))
        # Of several reports in two columns.
        self._columns(2 if self.document.chapters else 1)
        self._add(*lines)
        self._columns(1)

    def _columns(self, number: int) -> None:
        """Go on in so many columns, on the same page."""
        columns = self.word.sections[-1]._sectPr.find(qn("w:cols"))
        if columns.get(qn("w:num"), "1") != str(number):
            self.word.add_section(WD_SECTION.CONTINUOUS)
            self.body[-2].style = "AfterTable"
            self.word.sections[-1]._sectPr.find(qn("w:cols")).set(qn("w:num"), str(number))


def _runs(runs: tuple[Run, ...]) -> list:
    return [run(part.text, CHARACTERS[part.style], colour=part.colour) for part in runs]


def _caption(kind: str, block: Table | Picture, keep: bool | None = None):
    number = field(f"SEQ {kind} \\* ARABIC", str(block.number), bold=True)
    before, after = numbered(kind, MARK).split(MARK)
    return paragraph("Caption", run(before, bold=True), *number, run(f"{after}. ", bold=True), run(block.title), keep=keep)
