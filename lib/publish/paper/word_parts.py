"""Parts of a Word document: styles, fields, bookmarks. What python-docx has no call for is made of its XML here."""

from __future__ import annotations

__all__ = ["PADDING", "add_styles", "bookmark", "element", "field", "link", "paragraph", "run", "twips"]

import copy
import re

from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt, RGBColor

SERIF, MONO = "Times New Roman", "Courier New"
INK, MUTED, WARN = "1B2227", "56626B", "6B4300"
# Points: width of the terms of a list of definitions, room at the sides of a table's cell.
TERM, PADDING = 92, 4.5
PARAGRAPH, CHARACTER, TABLE = WD_STYLE_TYPE.PARAGRAPH, WD_STYLE_TYPE.CHARACTER, WD_STYLE_TYPE.TABLE
BREAKS = {"\n": "w:br", "\t": "w:tab"}
# Name: size, colour, bold, space before and after in points, kept with the next paragraph.
LOOK = {
    "Normal": (11, INK, False, 0, 6, False),
    "Title": (20, INK, True, 0, 10, True),
    "Heading 1": (14, INK, True, 18, 6, True),
    "Heading 2": (12, INK, True, 14, 5, True),
    "Heading 3": (11, INK, True, 10, 4, True),
    "Contents Heading": (12, INK, True, 14, 4, True),
    "TOC 1": (9.5, INK, False, 2, 0, False),
    "TOC 2": (9.5, INK, False, 0, 0, False),
    "Banner": (10.5, WARN, False, 6, 8, False),
    "Note": (10, MUTED, False, 0, 6, False),
    "List Bullet": (11, INK, False, 0, 3, False),
    "Key Result": (11, INK, False, 0, 3, False),
    "Definition": (9.5, INK, False, 0, 3, False),
    "Term": (9.5, INK, False, 5, 0, True),
    "Term Text": (9.5, INK, False, 0, 3, False),
    "Code": (8, INK, False, 0, 6, False),
    "Caption": (10, INK, False, 8, 4, False),
    "Figure": (11, INK, False, 8, 0, True),
    "Table Text": (9, INK, False, 1.5, 1.5, False),
    "Table Note": (8.5, MUTED, False, 2, 0, False),
    "After Table": (6, INK, False, 0, 6, False),
    "Header": (8.5, MUTED, False, 0, 0, False),
    "Footer": (8.5, MUTED, False, 0, 0, False),
}
CHARACTERS = {"Muted": (None, MUTED), "Code Text": (8, INK), "Flag": (None, WARN)}


def element(tag: str, *children, **attributes):
    """Make an element: `element("w:tab", w_val="decimal", w_pos=300)`; children that are None are left out."""
    made = OxmlElement(tag)
    for name, value in attributes.items():
        made.set(qn(name.replace("_", ":", 1)), str(value))
    made.extend(child for child in children if child is not None)
    return made


def flag(tag: str, on: bool | None):
    """Make a property that is on or off; None where it is left to the style."""
    return None if on is None else element(tag, w_val=int(on))


def paragraph(style: str, *contents, keep: bool | None = None, tab=None, indent: float = 0, centred: bool = False):
    """Make a paragraph of a style (its id).

    Parameters
    ----------
    style : str
    *contents : element
    keep : bool, optional
        Whether it stays on the page of the next.
    tab : tuple of str and float, optional
        Kind of a tab stop and its place in points.
    indent : float
        At the left, in points.
    centred : bool
    """
    return element(
        "w:p",
        element(
            "w:pPr",
            element("w:pStyle", w_val=style),
            flag("w:keepNext", keep),
            element("w:tabs", element("w:tab", w_val=tab[0], w_pos=twips(tab[1]))) if tab else None,
            element("w:ind", w_left=twips(indent)) if indent else None,
            element("w:jc", w_val="center") if centred else None,
        ),
        *contents,
    )


def run(text: str, style: str = "", bold: bool | None = None, colour: str = "", size: float = 0):
    """Make a run of text in a character style (its id); line ends and tabs of the text are kept."""
    properties = element(
        "w:rPr",
        element("w:rStyle", w_val=style) if style else None,
        flag("w:b", bold),
        element("w:color", w_val=colour.lstrip("#").upper()) if colour else None,
        element("w:sz", w_val=round(2 * size)) if size else None,
    )
    made = element("w:r", properties)
    for piece in re.split("([\n\t])", text):
        if piece in BREAKS:
            made.append(element(BREAKS[piece]))
        elif piece:
            shown = element("w:t", xml_space="preserve")
            shown.text = piece
            made.append(shown)
    return made


def field(instruction: str, shown: str = "", bold: bool | None = None) -> list:
    """Make the runs of a field that Word can update; `shown` stands there until then."""
    told = element("w:instrText", xml_space="preserve")
    told.text = f" {instruction} "
    begin, separate, end = (element("w:fldChar", w_fldCharType=kind) for kind in ("begin", "separate", "end"))
    parts = [begin, told, separate, end]
    made = [element("w:r", element("w:rPr", flag("w:b", bold)), part) for part in parts]
    return [*made[:-1], *([run(shown, bold=bold)] if shown else []), made[-1]]


def bookmark(number: int) -> list:
    """Make the two ends of the bookmark that a table of contents links to."""
    return [
        element("w:bookmarkStart", w_id=number, w_name=f"_Toc{number:09d}"),
        element("w:bookmarkEnd", w_id=number),
    ]


def link(number: int, shown):
    """Make a run a link to the bookmark of that number."""
    return element("w:hyperlink", shown, w_anchor=f"_Toc{number:09d}", w_history=1)


def twips(points: float) -> int:
    """Word's unit: a twentieth of a point."""
    return round(20 * points)


def add_styles(styles, chapters: bool) -> None:
    """Give every style that is used its look, and take away those that are not."""
    for style in [s for s in styles if s.type == TABLE and s.name not in ("Normal Table", "Table Grid")]:
        style.delete()
    for name, (size, colour, bold, before, after, kept) in LOOK.items():
        style = styles[name] if name in styles else styles.add_style(name, PARAGRAPH)
        _type(style, MONO if name == "Code" else SERIF, size, colour, bold)
        style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(before), Pt(after)
        style.paragraph_format.keep_with_next = kept
        style.paragraph_format.line_spacing = 1.0 if size < 10 else 1.1
    for name, (size, colour) in CHARACTERS.items():
        _type(styles.add_style(name, CHARACTER), MONO if size else SERIF, size, colour, name == "Flag" or None)
    _shade(styles["Banner"], "FDF4E1", "D9A441")
    _bullet(styles["Key Result"], styles["List Bullet"])
    _shade(styles["Key Result"], "F3F5F6", MUTED)
    _rule_below(styles["Header"])
    styles["Banner"].paragraph_format.left_indent = Pt(8)
    styles["Heading 1"].paragraph_format.page_break_before = chapters
    styles["Footer"].paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    styles["TOC 2"].paragraph_format.left_indent = Pt(14)
    styles["Term Text"].paragraph_format.left_indent = Pt(14)
    hanging = styles["Definition"].paragraph_format
    hanging.left_indent, hanging.first_line_indent = Pt(TERM), Pt(-TERM)
    hanging.tab_stops.add_tab_stop(Pt(TERM))
    _table_style(styles.add_style("Report Table", TABLE))


def _type(style, family: str, size: float | None, colour: str, bold: bool | None) -> None:
    """Set the type of a style, in place of the theme's."""
    for tag in ("w:rPr/w:rFonts", "w:rPr/w:spacing", "w:rPr/w:kern", "w:rPr/w:i", "w:pPr/w:pBdr", "w:pPr/w:tabs"):
        for old in style.element.xpath(tag):
            old.getparent().remove(old)
    style.font.name = family
    style.element.rPr.find(qn("w:rFonts")).set(qn("w:cs"), family)
    style.font.bold, style.font.color.rgb = bold, RGBColor.from_string(colour)
    if size:
        style.font.size = Pt(size)


def _shade(style, fill: str, bar: str) -> None:
    """Put the paragraphs of a style on a ground, with a bar at their left."""
    properties = style.element.get_or_add_pPr()
    border = element("w:left", w_val="single", w_sz=18, w_space=6, w_color=bar)
    _insert(properties, element("w:pBdr", border), element("w:shd", w_val="clear", w_color="auto", w_fill=fill))


def _bullet(style, other) -> None:
    """Let a style begin its paragraphs with the bullet of another."""
    _insert(style.element.get_or_add_pPr(), copy.deepcopy(other.element.pPr.numPr))
    style.paragraph_format.left_indent, style.paragraph_format.first_line_indent = Pt(20), Pt(-12)


def _rule_below(style) -> None:
    border = element("w:bottom", w_val="single", w_sz=4, w_space=3, w_color=MUTED)
    _insert(style.element.get_or_add_pPr(), element("w:pBdr", border))


def _insert(properties, *parts) -> None:
    """Put numbering, borders and shading where the schema wants them: before tabs, spacing, indents, alignment."""
    later = ("w:tabs", "w:suppressAutoHyphens", "w:spacing", "w:ind", "w:contextualSpacing", "w:jc", "w:outlineLvl")
    place = next((i for i, part in enumerate(properties) if part.tag in map(qn, later)), len(properties))
    for part in reversed(parts):
        properties.insert(place, part)


def _table_style(style) -> None:
    """Three rules: above, under the header, below."""
    rule, thin = ({"w_val": "single", "w_sz": size, "w_space": 0, "w_color": INK} for size in (8, 4))
    margins = element(
        "w:tblCellMar", *(element(f"w:{side}", w_w=twips(PADDING), w_type="dxa") for side in ("left", "right"))
    )
    borders = element("w:tblBorders", element("w:top", **rule), element("w:bottom", **rule))
    head = element(
        "w:tblStylePr",
        element("w:rPr", element("w:b")),
        element("w:tcPr", element("w:tcBorders", element("w:bottom", **thin))),
        w_type="firstRow",
    )
    style.element.append(element("w:tblPr", borders, margins))
    style.element.append(head)
