"""Executed notebooks -> HTML pages that need nothing but themselves. The look is in lib/publish/templates/report."""

from __future__ import annotations

__all__ = [
    "HEADLINE",
    "batch_page",
    "comparison_page",
    "inline_svg",
    "number",
    "outline",
    "overview_page",
    "patients_page",
    "report_page",
    "standalone_svg",
]

import base64
import hashlib
import html
import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment
from markupsafe import Markup
from nbconvert.exporters import HTMLExporter, TemplateExporter
from nbconvert.filters import Highlight2HTML
from nbformat import NotebookNode

from lib.languages.extraction import paragraphs
from lib.languages.prose import translated
from lib.languages.speech import ENGLISH, N_, _, in_a_row, in_force, ngettext
from lib.publish.sections import by_folding, is_folded, titles
from lib.publish.webfonts import with_fonts
from lib.show.display import METADATA, anchor
from lib.show.phrases import plural

TEMPLATES = Path(__file__).parent / "templates"
# Levels that appear in the navigation of a page.
HEADLINE = (2, 3)


class Outline(NamedTuple):
    """HTML whose headings all have an id, and those headings as (level, id, text)."""

    html: Markup
    headings: list[tuple[int, str, str]]


class Numbered(NamedTuple):
    """HTML whose figures and tables are numbered, and those that can be linked to, as (name, id, title)."""

    html: Markup
    listed: list[tuple[str, str, str]]


class ReportExporter(HTMLExporter):
    """nbconvert's HTML exporter with our template, escaping by default."""

    def __init__(self):
        super().__init__(template_name="report", extra_template_basedirs=[str(TEMPLATES)], exclude_anchor_links=True)
        self.register_filter("highlight_code", Highlight2HTML(pygments_lexer="ipython3", parent=self))

    def _create_environment(self) -> Environment:
        environment = super()._create_environment()
        environment.autoescape = True
        environment.trim_blocks = environment.lstrip_blocks = True
        style, script = ((TEMPLATES / "report" / f"report.{end}").read_text(encoding="utf-8") for end in ("css", "js"))
        environment.globals |= {
            "style": Markup(style),
            "script": Markup(script),
            "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            "METADATA": METADATA,
            "HEADLINE": HEADLINE,
            "_": _,
            "ngettext": ngettext,
            "plural": plural,
            "in_a_row": in_a_row,
            "language": in_force,
            "script_words": _script_words,
        }
        environment.tests["folded"] = is_folded
        environment.filters |= {
            "by_folding": by_folding,
            "titles": titles,
            "outline": outline,
            "number": number,
            "is_tall": _is_tall,
            "inline_svg": inline_svg,
            "css_string": _css_string,
            "data_url": _data_url,
            "plain": _plain,
            "linked": _linked,
            "prose": prose,
        }
        return environment

    def from_notebook_node(self, nb, resources=None, **kw):
        """Render a page; HTMLExporter would parse it once more and lower the case of SVG's names."""
        return TemplateExporter.from_notebook_node(self, nb, resources, **kw)


@cache
def _exporter() -> ReportExporter:
    return ReportExporter()


def report_page(notebook: NotebookNode, **context) -> str:
    """Render one notebook.

    Parameters
    ----------
    notebook : NotebookNode
        Executed.
    **context
        What the template shows around it: see lib/publish/templates/report/index.html.j2.
    """
    return _finished(_exporter().from_notebook_node(notebook, {"page": context})[0])


def overview_page(**context) -> str:
    """Render index.html: see lib/publish/templates/report/overview.html.j2."""
    return _finished(_exporter().environment.get_template("overview.html.j2").render(page=context))


def patients_page(**context) -> str:
    """Render plain.html in the language in force: see lib/publish/templates/report/plain.html.j2."""
    return _finished(_exporter().environment.get_template("plain.html.j2").render(page=context))


# By these a page that may be written anew is told from one of the user.
COMPARISON, BATCH = "<!-- cohort-report: comparison -->", "<!-- cohort-report: batch -->"


def comparison_page(**context) -> str:
    """Render compare.html: see lib/publish/templates/report/compare.html.j2."""
    return _marked(_finished(_exporter().environment.get_template("compare.html.j2").render(page=context)), COMPARISON)


def batch_page(**context) -> str:
    """Render batch.html: see lib/publish/templates/report/batch.html.j2."""
    return _marked(_finished(_exporter().environment.get_template("batch.html.j2").render(page=context)), BATCH)


def _marked(page: str, mark: str) -> str:
    """Say after the first line what wrote the page."""
    first, end, others = page.partition("\n")
    return f"{first}{end}{mark}\n{others}"


def _finished(page: str) -> str:
    return with_fonts(page.strip() + "\n")


def number(content: str) -> Numbered:
    """Number figures and tables in the order in which they stand, each kind by itself.

    Parameters
    ----------
    content : str
        HTML; a table has its caption, a figure its figcaption without attributes.

    Returns
    -------
    Numbered
    """
    counts, listed = Counter(), []

    def with_number(match: re.Match) -> str:
        kind = "Table" if match["tag"] == "caption" else "Figure"
        counts[kind] += 1
        name, own = numbered(kind, counts[kind]), re.search(r'\bid="([^"]+)"', match["attributes"])
        if own:
            listed.append((name, own[1], html.unescape(match["title"]).strip()))
        return f'{match["before"]}<span class="number">{name}.</span> {match["title"]}</{match["tag"]}>'

    figure = r'(?P<before><figure class="(?:tablefig|plot)\b(?P<attributes>[^>]*)>.*?<(?P<tag>caption|figcaption)>)'
    marked = re.sub(rf"{figure}(?P<title>.*?)</(?P=tag)>", with_number, content, flags=re.DOTALL)
    return Numbered(Markup(marked), listed)


def numbered(kind: str, number: int | str) -> str:
    """("Table", 3) -> "Table 3"."""
    return _("Table {number}", number=number) if kind == "Table" else _("Figure {number}", number=number)


def prose(source: str) -> str:
    """A markdown cell in the language in force; a heading keeps the address that it has in English."""
    (mark, heading), *_others = paragraphs(source) or [("", "")]
    if in_force() == ENGLISH or not mark:
        return translated(source)
    level, rest = len(mark.strip()), translated(source).partition("\n")[2]
    return f'<h{level} id="{anchor(heading)}">{html.escape(_(heading))}</h{level}>\n{rest}'


def outline(content: str) -> Outline:
    """Give every heading an id and list the headings.

    Parameters
    ----------
    content : str
        HTML; ids that are already there are kept.

    Returns
    -------
    Outline
    """
    taken, headings = set(re.findall(r'\bid="([^"]+)"', content)), []

    def with_id(match: re.Match) -> str:
        level, attributes, inner = int(match[1]), match[2], match[3]
        text = html.unescape(re.sub(r"<[^>]+>", "", inner)).strip()
        own = re.search(r'\bid="([^"]+)"', attributes)
        name = own[1] if own else _unused(anchor(text) or "section", taken)
        headings.append((level, name, text))
        return f'<h{level}{attributes}{"" if own else f""" id="{name}" """.rstrip()}>{inner}</h{level}>'

    marked = re.sub(r"<h([1-6])((?:\s[^>]*)?)>(.*?)</h\1>", with_id, content, flags=re.DOTALL)
    return Outline(Markup(marked), headings)


def _unused(name: str, taken: set[str]) -> str:
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{name}-{number}"
    taken.add(candidate)
    return candidate


def inline_svg(svg: str, prefix: str, alt: str) -> Markup:
    """Prepare an SVG for a page that holds several.

    Parameters
    ----------
    svg : str
        As matplotlib writes it.
    prefix : str
        Put before every id, so that ids of two figures never meet.
    alt : str
        What the picture says, for those who do not see it.
    """
    body = _without_prolog(svg)
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    # A style element inside an SVG speaks to the whole page: tie its rules to this one.
    body = re.sub(r"(<style[^>]*>)\s*\*\s*\{", rf"\1#{prefix} * {{", body)
    body = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', body)
    body = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', body)
    body = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", body)
    label = html.escape(alt, quote=True)
    return Markup(re.sub(r"<svg\b", lambda __: f'<svg id="{prefix}" role="img" aria-label="{label}"', body, count=1))


def standalone_svg(svg: str, title: str, alt: str, legend: str = "") -> str:
    """Return an SVG file that carries its own title, description and legend."""
    told = f"{alt.rstrip('.')}. Legend: {legend}" if legend else alt
    described = f"<title>{html.escape(title)}</title><desc>{html.escape(told)}</desc>"
    return re.sub(r"(<svg\b[^>]*>)", lambda m: m[1] + described, svg, count=1)


def _without_prolog(svg: str) -> str:
    return svg[svg.index("<svg") :].strip()


def _is_tall(svg: str) -> bool:
    """Whether a picture is too high to share a printed page: made as low as others, it could not be read."""
    width, height = (float(n) for n in re.search(r'viewBox="\S+ \S+ (\S+) (\S+)"', svg).groups())
    return 3 * height > 2 * width


def _css_string(text: str) -> Markup:
    """Write text so that it can stand between quotes in a style sheet, whatever it holds."""
    return Markup("".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):x} " for c in text))


def _data_url(text: str, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(text.encode()).decode()}"


# What the script of a page says.
SCRIPT_WORDS = (
    N_("Show all code"), N_("Hide all code"), N_("Copy"), N_("Copied"), N_("Selected: press Ctrl+C"), N_("table"), N_("Show rows with"),
    N_("{shown} of {all} rows"), N_("Colours: auto"), N_("Colours: light"), N_("Colours: dark"),
)  # fmt: skip


def _script_words() -> str:
    """Translations of what the script says, for an attribute; English is what stands in it."""
    return "" if in_force() == ENGLISH else json.dumps({text: _said(text) for text in SCRIPT_WORDS}, ensure_ascii=False)


def _said(text: str) -> str:
    """A message whose arguments the script puts in."""
    return _(text, shown="{shown}", all="{all}")


def _linked(text: str, address: str) -> Markup:
    """A message with a part between {link} and {end} that leads somewhere."""
    return Markup(html.escape(text)).replace("{link}", Markup('<a href="{}">').format(address)).replace("{end}", Markup("</a>"))


def _plain(value) -> str:
    """Show a parameter's value as a reader would write it."""
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value)) or _("all")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return f"{value:g}" if isinstance(value, float) else "" if value is None else str(value)
