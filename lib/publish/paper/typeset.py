"""A document -> PDF, and a figure -> PDF or PNG, by Typst. The look is in lib/publish/paper/templates/report.typ.

Everything that is shown is handed over as data, never as markup. No date is written, and Typst's own fonts and
those of `lib.fonts` are used, so that the same document gives the same bytes on every machine.
"""

from __future__ import annotations

__all__ = ["DPI", "figure_pdf", "figure_png", "pdf"]

import json
import struct
import zlib
from dataclasses import asdict
from functools import cache
from pathlib import Path

import typst

from lib.fonts import MARKED, families_of, files, undrawn
from lib.languages.speech import _, in_force
from lib.publish.pages import numbered
from lib.publish.paper.document import Document
from lib.publish.paper.layout import MARGIN, WHOLE_ROWS, Block, Picture, Table, lay_out, picture_size

DPI = 300
# Signature and first chunk of a PNG: its resolution stands behind them.
PNG_START = 33
TEMPLATES = Path(__file__).parent / "templates"


def pdf(document: Document) -> bytes:
    """Set a document on pages of A4: tagged for screen readers (PDF/UA-1), with bookmarks, fonts embedded."""
    shown = asdict(document) | {"blocks": [_block(block) for block in document.blocks]}
    shown |= {"margin": MARGIN, "whole": WHOLE_ROWS, "words": _words()}
    return _as_pdf("report.typ", {"document": json.dumps(shown, ensure_ascii=False)})


def _words() -> dict[str, str]:
    """What the template says by itself, and in which language."""
    return {"language": in_force(), "contents": _("Contents"), "of": _(" of "), **{kind.lower(): numbered(kind, "").strip() for kind in ("Table", "Figure")}}


def figure_pdf(svg: str, title: str, alt: str) -> bytes:
    """Turn an SVG into a PDF of its own size, its text as text."""
    return _as_pdf("figure.typ", {"svg": svg, "title": title, "alt": alt})


def figure_png(svg: str, title: str, alt: str, dpi: int = DPI) -> bytes:
    """Turn an SVG into a PNG of 300 dots per inch, which it says of itself."""
    drawn = _compiled("figure.typ", {"svg": svg, "title": title, "alt": alt}, format="png", ppi=float(dpi))
    per_metre = round(DPI / 0.0254)
    chunk = b"pHYs" + struct.pack(">IIB", per_metre, per_metre, 1)
    told = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return drawn[:PNG_START] + told + drawn[PNG_START:]


def _block(block: Block) -> dict:
    shown = {"kind": type(block).__name__.lower()} | asdict(block)
    match block:
        case Table():
            shown |= asdict(lay_out(block))
        case Picture():
            shown |= dict(zip(("width", "height"), picture_size(block), strict=True))
    return shown


@cache
def _fonts(beyond: bool) -> typst.Fonts:
    """Typst's fonts and matplotlib's; or all of `lib.fonts`, which are large, beside them."""
    return typst.Fonts(include_system_fonts=False, font_paths=[str(file.parent) for file in (files() if beyond else files()[:1])])


def _as_pdf(template: str, inputs: dict[str, str]) -> bytes:
    """A PDF that conforms to PDF/UA-1, or that is tagged alike but does not say so."""
    accessible = set(MARKED).isdisjoint(families_of("".join(inputs.values())))
    return _compiled(template, inputs, format="pdf", pdf_standards=["ua-1"] if accessible else [])


def _compiled(template: str, inputs: dict[str, str], **options) -> bytes:
    shown = "".join(inputs.values())
    families, lacking = families_of(shown), undrawn(shown)
    inputs = {name: text.translate(dict.fromkeys(map(ord, lacking), "\N{REPLACEMENT CHARACTER}")) for name, text in inputs.items()}
    try:
        return typst.compile(
            str(TEMPLATES / template),
            sys_inputs=inputs | {"families": json.dumps(families), "language": in_force()},
            font_paths=_fonts(beyond=len(families) > 1),
            timestamp=0,
            **options,
        )
    except typst.TypstError as error:
        raise ValueError(f"Typst cannot set {template}: {error}") from error
