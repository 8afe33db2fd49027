"""Real reports as Word and PDF, beside their pages: nothing lost, nothing added; and the files of a run."""

import html
import io
import re

import demo_notebooks as demo
import docx as python_docx
import pytest
from document_parts import embedded, read_pdf, report_and_document, squeezed
from docx.oxml.ns import qn

from lib.publish.editions import editions
from lib.publish.folder import publish
from lib.publish.pages import report_page
from lib.publish.paper.document import SYNTHETIC
from lib.publish.paper.layout import Heading, Paragraph, Picture, Table
from lib.publish.paper.typeset import figure_png, pdf
from lib.publish.paper.word import docx

pytestmark = pytest.mark.notebook

EFFICACY = {"name": "efficacy", "study": "data/rair_dtc"}
REPORTS = [
    EFFICACY,
    {"name": "safety", "study": "data/rair_dtc", "arms": "B", "audience": "share"},
    {"name": "cohort", "study": "data/colon"},
]
EACH = pytest.mark.parametrize("asked", REPORTS, ids=lambda asked: "-".join(asked.values()).replace("data/", ""))


def of(document, kind):
    return [block for block in document.blocks if isinstance(block, kind)]


@EACH
def test_a_document_holds_what_the_page_shows(asked):
    """Also where a report is shared: no word, table or picture that the page does not have, and none is lost."""
    report, document = report_and_document(**asked)
    page = report_page(report.shown, header=report.header, report=report, synthetic=True, pages=[])
    shown = re.sub(r"\s+", "", html.unescape(re.sub(r"(?s)<[^>]+>", "", page)))
    for table in of(document, Table):
        for row in (*table.head, *table.body):
            assert "".join(re.sub(r"\s+", "", cell.text + cell.detail) for cell in row.cells) in shown
    for block in of(document, Paragraph):
        assert re.sub(r"\s+", "", block.text) in shown
    assert [table.title for table in of(document, Table)] == [record["title"] for record in report.tables.values()]
    pictures = [(figure["title"], figure["alt"]) for figure in report.figures.values()]
    assert [(picture.title, picture.alt) for picture in of(document, Picture)] == pictures
    assert len(of(document, Table)) == page.count('<table class="ct">')


def test_details_are_named_where_they_are_not_printed():
    """The same numbers of tables and figures, whether details are printed or not."""
    _, whole = report_and_document(**EFFICACY)
    report, main = report_and_document(**EFFICACY, details=False)
    numbers = {(type(block), block.title): block.number for block in (*of(whole, Table), *of(whole, Picture))}
    printed = {(type(block), block.title): block.number for block in (*of(main, Table), *of(main, Picture))}
    assert printed.items() < numbers.items()
    folded = {
        output.metadata.get("cohort_report", {}).get("title")
        for cell in report.notebook.cells for output in cell.get("outputs", []) if output.metadata.get("cohort_details")
    }  # fmt: skip
    assert {title for _, title in numbers.keys() - printed.keys()} == folded & {title for _, title in numbers}
    named = " ".join(block.text for block in of(main, Paragraph) if block.text.startswith("Details on the page: "))
    for kind, title in numbers.keys() - printed.keys():
        assert f"{'Table' if kind is Table else 'Figure'} {numbers[kind, title]}, {title}" in named
    assert not [block for block in of(whole, Paragraph) if block.text.startswith("Details on the page")]


@EACH
def test_word(asked):
    """As many tables, captions and pictures as the page has, in its order."""
    report, document = report_and_document(**asked)
    word = python_docx.Document(io.BytesIO(docx(document, lambda p: figure_png(p.svg, p.title, p.alt))))
    assert len(word.tables) == len(report.tables)
    captions = [line.text for line in word.paragraphs if line.style.name == "Caption"]
    for kind, kept in (("Table", report.tables), ("Figure", report.figures)):
        titles = [f"{kind} {number}. {record['title']}" for number, record in enumerate(kept.values(), 1)]
        assert [caption for caption in captions if caption.startswith(f"{kind} ")] == titles
    pictures = word.element.body.findall(f".//{qn('wp:docPr')}")
    assert [picture.get("descr") for picture in pictures] == [figure["alt"] for figure in report.figures.values()]
    assert len({picture.get("id") for picture in pictures}) == len(pictures)
    chapters = [heading.text for heading in of(document, Heading) if heading.level == 1]
    assert [line.text for line in word.paragraphs if line.style.name == "Heading 1"] == chapters
    for made, table in zip(word.tables, of(document, Table), strict=True):
        assert [row.cells[0].text for row in made.rows[1:]] == [row.cells[0].text for row in table.body]


def test_numbers_in_word_are_the_recorded_ones():
    report, document = report_and_document(**EFFICACY)
    word = python_docx.Document(io.BytesIO(docx(document, lambda p: figure_png(p.svg, p.title, p.alt))))
    hazard = next(t for t in word.tables if t.rows[0].cells[1].text.startswith("Hazard ratio"))
    rows = [row for row in report.results if (row[1], row[2], row[5]) == ("cox", "lpfs", "hr")]
    assert len(rows) == 3
    assert [row.cells[1].text.split(" ")[0] for row in hazard.rows[1:4]] == [f"{float(row[6]):.2f}" for row in rows]


@EACH
def test_pdf(asked):
    """Pages with banner and number, bookmarks, tags, language, embedded fonts, every caption and every number."""
    report, document = report_and_document(**asked)
    reader = read_pdf(pdf(document))
    entries = [entry.title for entry in reader.outline if not isinstance(entry, list)]
    assert entries == [heading.text for heading in of(document, Heading) if heading.level == 1]
    assert reader.metadata.title == document.title
    assert "/CreationDate" not in reader.metadata
    root = reader.trailer["/Root"]
    assert root["/Lang"] == "en"
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    fonts = embedded(reader)
    assert len(fonts) >= 3
    assert all(fonts.values()), fonts
    pages = [page.extract_text() for page in reader.pages]
    for number, text in enumerate(pages, 1):
        assert (SYNTHETIC in text) == report.header["synthetic"]
        assert f"{number} of {len(pages)}" in text
    text = squeezed("".join(pages))
    for kind, kept in (("Table", report.tables), ("Figure", report.figures)):
        for number, record in enumerate(kept.values(), 1):
            assert squeezed(f"{kind} {number}. {record['title']}") in text
    for cell in (cell for table in of(document, Table) for row in table.body for cell in row.cells if cell.whole):
        assert squeezed(cell.text) in text


def _published(folder, formats, *names):
    folder.mkdir()
    run = {"command": "", "commit": "unknown", "versions": {"python": "3.11"}, "parameters": {n: {} for n in names}}
    publish({name: demo.executed(name) for name in names}, folder, run, formats)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_and_links(tmp_path):
    plain = _published(tmp_path / "plain", ["html"], "cohort", "efficacy")
    files = _published(tmp_path / "all", ["docx", "pdf", "figures"], "cohort", "efficacy")
    documents = {f"{name}.{ending}" for name in ("cohort", "efficacy", "report") for ending in ("docx", "pdf")}
    figures = {f"figures/{name}_curve.{ending}" for name in ("cohort", "efficacy") for ending in ("pdf", "png")}
    assert set(files) - set(plain) == documents | figures
    linked = set(re.findall(r'href="([^"#:]+)"', files["index.html"].decode()))
    assert linked >= set(files)
    alike = set(plain) - {"index.html"}
    assert {name: files[name] for name in alike} == {name: plain[name] for name in alike}
    assert _published(tmp_path / "again", ["figures", "pdf", "docx"], "cohort", "efficacy") == files


def test_one_report_needs_no_document_of_all(tmp_path):
    files = _published(tmp_path / "one", ["pdf"], "safety")
    assert "safety.pdf" in files
    assert "report.pdf" not in files
    assert not [name for name in files if name.endswith((".docx", ".png"))]


def test_nothing_is_imported_for_pages_alone():
    assert editions([], False, ["html"]) == {}
