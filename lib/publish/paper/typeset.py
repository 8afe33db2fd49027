"""A document -> PDF, and a figure -> PDF or PNG, by Typst. The look is in lib/publish/paper/templates/report.typ.

Everything that is shown is handed over as data, never as markup. No date is written, and Typst's own fonts and
matplotlib's are used, so that the same document gives the same bytes on every machine. Only where they lack a
character (Chinese, say) are the fonts of the machine asked.
"""

from __future__ import annotations

__all__ = ["DPI", "characters", "figure_pdf", "figure_png", "fonts", "pdf"]

import json
import struct
import zlib
from dataclasses import asdict
from functools import cache
from pathlib import Path

import matplotlib as mpl
import typst
from matplotlib.ft2font import FT2Font

from lib.publish.paper.document import Document
from lib.publish.paper.layout import MARGIN, WHOLE_ROWS, Block, Picture, Table, lay_out, picture_size

DPI = 300
# Signature and first chunk of a PNG: its resolution stands behind them.
PNG_START = 33
TEMPLATES = Path(__file__).parent / "templates"
# DejaVu Sans, in which the figures are drawn.
FONTS = Path(mpl.get_data_path()) / "fonts" / "ttf"


def pdf(document: Document) -> bytes:
    """Set a document on pages of A4: tagged for screen readers (PDF/UA-1), with bookmarks, fonts embedded."""
    shown = asdict(document) | {"blocks": [_block(block) for block in document.blocks]}
    shown |= {"margin": MARGIN, "whole": WHOLE_ROWS}
    return _compiled(
        "report.typ", {"document": json.dumps(shown, ensure_ascii=False)}, format="pdf", pdf_standards=["ua-1"]
    )


def figure_pdf(svg: str, title: str, alt: str) -> bytes:
    """Turn an SVG into a PDF of its own size, its text as text."""
    return _compiled("figure.typ", {"svg": svg, "title": title, "alt": alt}, format="pdf", pdf_standards=["ua-1"])


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
def fonts(complete: bool) -> typst.Fonts:
    """Return Typst's fonts and matplotlib's; unless these are complete, those of the machine too."""
    return typst.Fonts(include_system_fonts=not complete, font_paths=[str(FONTS)])


@cache
def characters() -> set[str]:
    """Return what can be set without a font of the machine."""
    return {chr(code) for code in FT2Font(str(FONTS / "DejaVuSans.ttf")).get_charmap()} | set("\n\t")


def _compiled(template: str, inputs: dict[str, str], **options) -> bytes:
    shown = set("".join(inputs.values()))
    try:
        return typst.compile(
            str(TEMPLATES / template),
            sys_inputs=inputs,
            font_paths=fonts(complete=characters() >= shown),
            timestamp=0,
            **options,
        )
    except typst.TypstError as error:
        raise ValueError(f"Typst cannot set {template}: {error}") from error
