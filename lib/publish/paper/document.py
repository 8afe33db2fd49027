"""Executed notebooks -> one document of numbered tables and pictures, without code.

It holds what a page of lib/publish/pages.py shows and nothing else. Word is written by lib/publish/paper/word.py, PDF by lib/publish/paper/typeset.py.
"""

from __future__ import annotations

__all__ = ["Document", "read_document"]

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from nbconvert.filters import markdown2html_mistune

from lib.languages.speech import N_, _, in_a_row
from lib.publish.pages import numbered, prose
from lib.publish.paper.layout import Block, Contents, Heading, PageEnd, Paragraph, Picture, Run, Table, printed
from lib.publish.paper.markup import code_block, read_blocks
from lib.publish.sections import by_folding
from lib.publish.summary import Summary, summarise
from lib.show.display import METADATA, anchor

SYNTHETIC = N_("Synthetic data: no real patient")
# Part of the first page that its picture takes in Word, and what each row of its tables takes from that.
PICTURE_SHARE, LEAST_SHARE, ROW_SHARE = 0.42, 0.18, 0.014


@dataclass(frozen=True)
class Document:
    """`running` and `flag` stand on top of every page; with `chapters`, headings of level 1 begin a page."""

    title: str
    running: str
    flag: str
    chapters: bool
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Fold:
    """Where details begin or end."""

    begins: bool


def read_document(reports: list, synthetic: bool, *, details: bool = False) -> Document:
    """Make one document of one report or of several.

    Parameters
    ----------
    reports : list of lib.publish.folder.Report
    synthetic : bool
        Whether any of their tables is.
    details : bool
        Whether it holds what pages fold; else it names the tables and pictures that are not printed.

    Returns
    -------
    Document
        Tables and pictures numbered from 1, those that are not printed among them.
    """
    first = reports[0]
    chapters = len(reports) > 1
    blocks, header = [], None
    for report in reports:
        for record, shown in _shown(report.shown):
            read = [_named(block, report.page) for block in shown]
            is_header = record.get("kind") == "header"
            if is_header and header is None:
                header = read
                # With chapters, the header stands before the first of them, and the summary before all.
                blocks = [*read, Contents(), *blocks] if chapters else [*blocks, *read, Contents()]
            elif not is_header or read != header:
                blocks += read
    title = first.header["title"] if chapters else _take_title(blocks) or first.title
    if not chapters:
        blocks = [replace(b, level=max(b.level - 1, 1)) if isinstance(b, Heading) else b for b in blocks]
    front = _front(first.header["question"], summary, synthetic) if chapters and (summary := summarise(reports)) else []
    said = {title, *(block.text for block in front if isinstance(block, Paragraph))}
    kept = [*front, *(b for b in blocks if not (isinstance(b, Paragraph) and b.text in said))]
    name = "" if chapters else f" · {first.title}"
    running = printed(f"{first.header['short_title']}{name}")
    unfolded = tuple(_unfolded(_numbered(kept), details))
    return Document(printed(title), running, _(SYNTHETIC) if synthetic else "", chapters, unfolded)


def _unfolded(blocks: Iterable[Block | Fold], details: bool) -> Iterator[Block]:
    """Blocks with the details or without; a line in their place names the tables and pictures that are left out."""
    folded, left = False, []
    for block in blocks:
        if isinstance(block, Fold):
            if left:
                yield Paragraph((Run(printed(_("Details on the page: {left}.", left="; ".join(left)))),), "note")
            folded, left = block.begins and not details, []
        elif not folded:
            yield block
        elif isinstance(block, Table | Picture) and block.title:
            left.append(f"{numbered('Table' if isinstance(block, Table) else 'Figure', block.number)}, {block.title}")


def _front(question: str, summary: Summary, synthetic: bool) -> list[Block]:
    """The summary on a page of its own, below the title; it counts no tables and no pictures."""
    weakens = in_a_row([_("{sentence}.", sentence=_(SYNTHETIC)) if synthetic else "", summary.weakens])
    lines = [(question, "lead"), (weakens, "banner"), (summary.answer, "")]
    effects, others = (_untitled(part) for part in (summary.effects, summary.harms + summary.sure))
    pictures = []
    if summary.figure:
        rows = sum(len(block.body) for block in [*effects, *others] if isinstance(block, Table))
        shown = _picture(summary.figure["content"], "", summary.figure["alt"])
        pictures = [replace(shown, share=max(LEAST_SHARE, PICTURE_SHARE - ROW_SHARE * rows), rest=True)]
    said = [Paragraph((Run(printed(text)),), role) for text, role in lines if text]
    return [*said, *effects, *pictures, *others, PageEnd()]


def _untitled(shown: str) -> list[Block]:
    """Tables with their captions as lines above them."""
    parts: list[Block] = []
    for block in read_blocks(shown) if shown else []:
        parts += [Paragraph((Run(block.title),), "term"), replace(block, title="")] if isinstance(block, Table) else [block]
    return parts


def _take_title(blocks: list[Block]) -> str:
    found = next((b for b in blocks if isinstance(b, Heading) and b.level == 1), None)
    if found:
        blocks.remove(found)
    return found.text if found else ""


def _named(block: Block | Fold, page: str) -> Block | Fold:
    """A heading with the address that it has on the page."""
    return replace(block, name=f"{page}#{anchor(block.name or block.text)}") if isinstance(block, Heading) else block


def _numbered(blocks: Iterable[Block | Fold]) -> Iterator[Block | Fold]:
    count = {Table: 0, Picture: 0}
    for block in blocks:
        if isinstance(block, Table | Picture) and block.title:
            count[type(block)] += 1
            yield replace(block, number=count[type(block)])
        else:
            yield block


def _shown(notebook) -> Iterator[tuple[dict, list[Block | Fold]]]:
    """Record (may be empty) and blocks of everything that the page shows: see lib/publish/templates/report/index.html.j2."""
    for cell in notebook.cells:
        if "remove-cell" in cell.metadata.get("tags", []):
            continue
        if cell.cell_type == "markdown":
            yield {}, read_blocks(markdown2html_mistune(prose(cell.source)))
        for details, outputs in by_folding(cell.get("outputs", [])):
            yield from [({}, [Fold(begins=True)])] if details else []
            for output in outputs:
                if output.output_type in ("display_data", "execute_result"):
                    record = output.metadata.get(METADATA) or {}
                    yield record, _output(record, output.data)
                elif output.output_type == "stream" and output.name == "stdout":
                    yield {}, [code_block(re.sub(r"\x1b\[[0-9;]*m", "", output.text))]
            yield from [({}, [Fold(begins=False)])] if details else []


def _output(record: dict, data: dict) -> list[Block]:
    if "text/html" in data and record.get("kind") != "figure":
        return read_blocks(data["text/html"])
    if "image/svg+xml" in data:
        shown = _picture(data["image/svg+xml"], record.get("title", ""), record.get("alt", ""))
        own = record.get("legend", "")
        return [shown, Paragraph((Run(printed(own)),), "note")] if own else [shown]
    if record:
        return []
    if "image/png" in data:
        return [_picture(_framed(data["image/png"]), "", "")]
    if "text/markdown" in data:
        return read_blocks(markdown2html_mistune(data["text/markdown"]))
    return [code_block(data.get("text/plain", ""))]


def _picture(svg: str, title: str, alt: str) -> Picture:
    svg = svg[svg.index("<svg") :]
    box = re.search(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+) ([\d.]+)"', svg)
    alt = printed(alt) or _("A picture without a description.")
    return Picture(printed(title), printed(svg), alt, (float(box[1]), float(box[2])) if box else (518.0, 320.0))


def _framed(png: str) -> str:
    """A PNG in base64 as an SVG that holds it."""
    data = html.escape("".join(png.split()))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 518 320" width="518pt" height="320pt">'
        f'<image width="518" height="320" href="data:image/png;base64,{data}"/></svg>'
    )
