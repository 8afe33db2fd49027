"""HTML as the notebooks show it -> the blocks of a document, so that what a table holds cannot act in one."""

from __future__ import annotations

__all__ = ["code_block", "read_blocks"]

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

import lxml.html

from lib.publish.paper.layout import Block, Cell, Definitions, Heading, Paragraph, Row, Run, Table, printed
from lib.study.words import THIN

# Text of a style sheet or a script is not text; a button or a download has no use on paper.
LEFT_OUT = {"script", "style", "template", "button", "nav", "svg", "input"}
INLINE = {"a", "abbr", "b", "br", "code", "em", "i", "small", "span", "strong", "sub", "sup", "time"}
STYLES = {"strong": "strong", "b": "strong", "em": "em", "i": "em", "code": "code"}
# Of a br; text that was read holds none.
LINE_END = "\v"
ROLES = ("banner", "lead", "note")


def code_block(text: str) -> Paragraph:
    """Keep printed text as it is."""
    return Paragraph((Run(printed(text.rstrip())),), "code")


def read_blocks(markup: str) -> list[Block]:
    """Read HTML as the notebooks show it.

    Parameters
    ----------
    markup : str
        Elements without a meaning on paper are left out, unknown ones are read for their contents.
    """
    return list(_blocks(lxml.html.fragment_fromstring(markup, create_parent="div"), ""))


def _blocks(parent, role: str) -> Iterator[Block]:
    """Blocks of the element's contents; text that stands among them becomes paragraphs."""
    loose = [Run(_said(parent.text))]
    for element in parent:
        if _is_inline(element):
            loose += [*_element_runs(element, ""), Run(_said(element.tail))]
            continue
        yield from _paragraph(loose, role)
        if _is_shown(element):
            yield from _block(element, role)
        loose = [Run(_said(element.tail))]
    yield from _paragraph(loose, role)


def _block(element, role: str) -> Iterator[Block]:
    classes = element.get("class", "").split()
    match element.tag:
        case "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
            yield Heading(int(element.tag[1]), _text(element), element.get("id", ""))
        case "p" | "figcaption":
            yield from _paragraph(_runs(element), next((name for name in ROLES if name in classes), role))
        case "li" if element.find("p") is None:
            yield from _paragraph(_runs(element), role)
        case "summary":
            yield from _paragraph(_runs(element), "term")
        case "ul" | "ol":
            yield from _blocks(element, role or "item")
        case "dl":
            yield _definitions(element, "meta" in classes)
        case "pre":
            yield code_block(element.text_content())
        case "table":
            yield _table(element, [])
        case "figure" if element.find(".//table") is not None:
            caption = element.find(".//figcaption")
            notes = [] if caption is None else [b.text for b in _blocks(caption, "") if isinstance(b, Paragraph)]
            yield _table(element.find(".//table"), notes)
        case _:
            yield from _blocks(element, "key" if "keyresults" in classes else role)


def _is_inline(element) -> bool:
    return _is_shown(element) and element.tag in INLINE


def _is_shown(element) -> bool:
    if not isinstance(element.tag, str) or element.tag in LEFT_OUT:
        return False
    classes = element.get("class", "").split()
    return element.get("hidden") is None and element.get("download") is None and "anchor-link" not in classes


def _paragraph(runs: Iterable[Run], role: str) -> Iterator[Paragraph]:
    joined = _squeezed(runs)
    if joined:
        yield Paragraph(joined, role)


def _definitions(element, aligned: bool) -> Definitions:
    pairs, term = [], ""
    for part in element:
        if part.tag == "dt":
            term = _text(part)
        elif part.tag == "dd":
            pairs.append((term, _squeezed(_runs(part))))
            term = ""
    return Definitions(tuple(pairs), aligned)


def _runs(element, style: str = "") -> Iterator[Run]:
    """Text of an element and of everything in it, in order."""
    yield Run(_said(element.text), style)
    for part in element:
        if _is_shown(part):
            yield from _element_runs(part, style)
        yield Run(_said(part.tail), style)


def _said(text: str | None) -> str:
    return printed(text or "")


def _element_runs(element, style: str) -> Iterator[Run]:
    classes = element.get("class", "").split()
    if "swatch" in classes:
        yield Run("■", colour=_colour(element))
        yield Run("\N{NO-BREAK SPACE}")
    elif element.tag == "br":
        yield Run(LINE_END)
    elif element.tag == "li":
        yield from _runs(element, style)
        yield Run("; " if element.getnext() is not None else "")
    else:
        yield from _runs(element, STYLES.get(element.tag) or ("muted" if "muted" in classes else style))


def _colour(element) -> str:
    found = re.search(r"background:\s*(#[0-9A-Fa-f]{6})", element.get("style", ""))
    return found[1] if found else ""


def _squeezed(runs: Iterable[Run]) -> tuple[Run, ...]:
    """Runs of one style joined; white space as a browser shows it: one space, none at a line's ends."""
    kept: list[Run] = []
    for run in runs:
        text = re.sub(r"[ \t\r\n]+", " ", run.text).replace(LINE_END, "\n")
        if not kept or kept[-1].text.endswith((" ", "\n")):
            text = text.lstrip(" ")
        if kept and text.startswith("\n"):
            kept[-1] = replace(kept[-1], text=kept[-1].text.rstrip(" "))
        if kept and (kept[-1].style, kept[-1].colour) == (run.style, run.colour):
            kept[-1] = replace(kept[-1], text=kept[-1].text + text)
        elif text:
            kept.append(replace(run, text=text))
    while kept and not kept[-1].text.strip(" \n"):
        kept.pop()
    if kept:
        kept[-1] = replace(kept[-1], text=kept[-1].text.rstrip(" \n"))
    return tuple(kept)


def _text(element) -> str:
    return "".join(run.text for run in _squeezed(_runs(element)))


def _table(element, notes: list[str]) -> Table:
    caption = element.find("caption")
    rows = [[_row(tr) for tr in element.xpath(path)] for path in ("./thead/tr", "./tbody/tr|./tr")]
    width = max((sum(cell.columns for cell in row.cells) for part in rows for row in part), default=0)
    numeric = _numeric(element, width)
    body = [_aligned(row, numeric) for row in rows[1]]
    return Table("" if caption is None else _text(caption), tuple(rows[0]), tuple(body), tuple(notes), numeric)


def _row(element) -> Row:
    kind = next((name for name in ("group", "sub") if name in element.get("class", "").split()), "")
    return Row(tuple(_cell(part) for part in element if part.tag in ("th", "td")), kind)


def _cell(element) -> Cell:
    swatch, detail = element.find(".//span[@class='swatch']"), element.find(".//span[@class='detail']")
    colour = "" if swatch is None else _colour(swatch)
    second = "" if detail is None else _text(detail)
    for part in (swatch, detail):
        if part is not None:
            part.drop_tree()
    links = tuple((_text(link), printed(link.get("href", ""))) for link in element.iter("a"))
    spans = int(element.get("colspan", 1)), int(element.get("rowspan", 1))
    return Cell(_text(element), second, colour, *spans, links=links)


def _numeric(element, width: int) -> tuple[bool, ...]:
    """Columns whose every cell is marked as a number."""
    rows = [row for row in element.xpath("./tbody/tr") if len(row) == width]
    return tuple(bool(rows) and all("num" in row[i].get("class", "").split() for row in rows) for i in range(width))


def _aligned(row: Row, numeric: tuple[bool, ...]) -> Row:
    if len(row.cells) != len(numeric):
        return row
    cells = [replace(c, whole=_whole(c.text)) if n else c for c, n in zip(row.cells, numeric, strict=True)]
    return replace(row, cells=tuple(cells))


def _whole(text: str) -> str:
    """What stands before the decimal point where a text begins with a number, signs before it included."""
    found = re.match(rf"[^\w(.]*\d+(?:{THIN}\d{{3}})*", text)
    return found[0] if found else ""
