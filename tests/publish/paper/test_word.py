"""A document -> Word, opened again: tables, captions, pictures, headers; nothing in a cell acts."""

import io
import re
import time
import zipfile
from xml.etree import ElementTree

import docx as python_docx
import pytest
from document_parts import HOSTILE
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn

from lib.publish.paper.document import Document
from lib.publish.paper.layout import Cell, Contents, Heading, Paragraph, Picture, Row, Run, Table, printed
from lib.publish.paper.typeset import figure_png
from lib.publish.paper.word import docx

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 36 18" width="36pt" height="18pt"/>'
OWN_FIELDS = r" (PAGE|NUMPAGES|SEQ (Table|Figure) \\\* ARABIC|TOC \\o \"1-2\" \\h \\z \\u) "


def draw(picture):
    return figure_png(picture.svg, picture.title, picture.alt)


def document(*blocks, chapters=False):
    return Document("Title", "Study · Part", "Synthetic data: no real patient", chapters, blocks)


def opened(content):
    return python_docx.Document(io.BytesIO(content))


def table(rows, columns=2, head=None, numeric=True):
    head = head or (Row((Cell("Row"), *[Cell(f"Arm {i}", "n = 3", "#0072B2") for i in range(1, columns)])),)
    return Table("Caption", head, tuple(rows), ("A note.",), (False, *[numeric] * (columns - 1)), 1)


def test_header_footer_and_properties():
    word = opened(docx(document(Paragraph((Run("text"),))), draw))
    (section,) = word.sections
    assert section.header.paragraphs[0].text == "Study · Part\tSynthetic data: no real patient"
    assert "PAGE" in section.footer._element.xml
    assert "NUMPAGES" in section.footer._element.xml
    assert (round(section.page_width.cm, 1), round(section.page_height.cm, 1)) == (21.0, 29.7)
    assert 2 <= section.left_margin.cm <= 2.5
    assert (word.core_properties.title, word.core_properties.author) == ("Title", "")
    assert word.core_properties.language == "en"


def test_rows_repeat_and_are_not_broken():
    rows = [Row((Cell(f"row {i}"), Cell(f"{i}.5", whole=str(i)))) for i in range(40)]
    made = opened(docx(document(table([Row((Cell("Group", columns=2),), "group"), *rows])), draw)).tables[0]
    marks = [row._tr.trPr for row in made.rows]
    assert all(mark.find(qn("w:cantSplit")) is not None for mark in marks)
    assert [mark.find(qn("w:tblHeader")) is not None for mark in marks] == [True] + [False] * 41
    assert made.rows[1]._tr.tc_lst[0].grid_span == 2
    tab = made.rows[2].cells[1].paragraphs[0].paragraph_format.tab_stops[0]
    assert "DECIMAL" in str(tab.alignment)
    assert made.style.name == "Report Table"


def test_short_tables_stay_whole():
    rows = [Row((Cell(f"row {i}"), Cell("1", whole="1"))) for i in range(5)]
    made = opened(docx(document(table(rows)), draw)).tables[0]
    assert all(cell.paragraphs[0].paragraph_format.keep_with_next for row in made.rows for cell in row.cells)


def test_merged_cells_of_a_head():
    head = (
        Row((Cell("Row", rows=2), Cell("Both arms", columns=2), Cell("p", rows=2))),
        Row((Cell("A"), Cell("B"))),
    )
    made = opened(docx(document(table([Row(tuple(Cell(x) for x in "abcd"))], 4, head)), draw)).tables[0]
    assert [cell.text for cell in made.rows[0].cells] == ["Row", "Both arms", "Both arms", "p"]
    assert [cell.text for cell in made.rows[1].cells] == ["Row", "A", "B", "p"]
    assert [cell.text for cell in made.rows[2].cells] == list("abcd")


def test_a_wide_table_turns_the_page_and_back():
    text = "12.5 (3.0 to 45.0)"
    wide = table([Row((Cell("row"), *[Cell(text, whole="12")] * 8))], columns=9)
    word = opened(docx(document(Paragraph((Run("a"),)), wide, Paragraph((Run("b"),))), draw))
    sides = [WD_ORIENT.PORTRAIT, WD_ORIENT.LANDSCAPE, WD_ORIENT.PORTRAIT]
    assert [section.orientation for section in word.sections] == sides
    assert all("Synthetic data" in section.header.paragraphs[0].text for section in word.sections)
    assert word.sections[1].page_width > word.sections[1].page_height


def test_contents_link_to_the_headings():
    blocks = (Contents(), Heading(1, "One"), Heading(2, "Two"), Heading(3, "deep"), Heading(1, "Three"))
    xml = opened(docx(document(*blocks), draw)).element.body.xml
    linked = re.findall(r'w:hyperlink w:anchor="(_Toc\d+)"', xml)
    named = re.findall(r'w:bookmarkStart w:id="\d+" w:name="(_Toc\d+)"', xml)
    assert linked == [named[0], named[1], named[3]]
    assert xml.count('fldCharType="begin"') == xml.count('fldCharType="end"') == 1


def test_cells_link_to_headings_that_are_there():
    links = (("Cohort: Who?", "cohort.html#who"), ("Safety: Harm?", "safety.html#harm"))
    row = Row((Cell("1a"), Cell("Cohort: Who?\nSafety: Harm?", links=links)))
    who = Heading(2, "Who?", "cohort.html#who")
    word = opened(docx(document(table([row], numeric=False), Heading(1, "One"), who), draw))
    assert word.tables[0].rows[1].cells[1].text == "Cohort: Who?\nSafety: Harm?"
    (linked,) = re.findall(r'w:anchor="(\w+)"', word.tables[0]._tbl.xml)
    heading = next(line for line in word.paragraphs if line.text == "Who?")
    assert f'w:name="{linked}"' in heading._p.xml


def test_hostile_cells_are_text():
    texts = [printed(text) for text in HOSTILE]
    rows = [Row((Cell(text), Cell(text, text))) for text in texts]
    content = docx(document(table(rows), *[Paragraph((Run(text),)) for text in texts], Heading(1, texts[0])), draw)
    word = opened(content)
    assert [row.cells[0].text for row in word.tables[0].rows[1:]] == texts
    assert [line.text for line in word.paragraphs if line.style.name == "Normal"] == texts
    assert len(word.sections) == 1, "a long word is broken, the page is not turned for it"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for part in (archive.read(name) for name in archive.namelist() if name.endswith((".xml", ".rels"))):
            ElementTree.fromstring(part)
            assert b"<w:fldSimple" not in part
            fields = re.findall(rb"<w:instrText[^>]*>([^<]*)<", part)
            assert all(re.fullmatch(OWN_FIELDS, field.decode()) for field in fields)
            assert b'TargetMode="External"' not in part


def test_the_same_bytes_at_another_time_and_place(monkeypatch):
    picture = Picture("Figure", SVG, "alt", (36, 18), 1)
    shown = document(Contents(), Heading(1, "One"), picture, table([Row((Cell("a"), Cell("1", whole="1")))]))
    first = docx(shown, draw)
    later = time.time() + 400 * 86400
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(time, "time", lambda: later)
        elsewhere.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        assert docx(shown, draw) == first
    time.tzset()
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_contents_of_several_reports_stand_in_two_columns():
    wide = table([Row((Cell("row"), *[Cell("12.5 (3.0 to 45.0)", whole="12")] * 8))], columns=9)
    word = opened(docx(document(Contents(), Heading(1, "One"), wide, Heading(1, "Two"), chapters=True), draw))
    columns = [section._sectPr.find(qn("w:cols")).get(qn("w:num"), "1") for section in word.sections]
    assert columns == ["1", "2", "1", "1", "1"]
    assert all("Synthetic data" in section.header.paragraphs[0].text for section in word.sections)


@pytest.mark.parametrize("chapters", [True, False])
def test_chapters_begin_a_page(chapters):
    word = opened(docx(document(Heading(1, "One"), chapters=chapters), draw))
    assert bool(word.styles["Heading 1"].paragraph_format.page_break_before) == chapters


# Order of children in the schema (ECMA-376, part 1), as far as they are written here: Word refuses another one.
ORDER = {
    "pPr": "pStyle keepNext keepLines pageBreakBefore widowControl numPr pBdr shd tabs spacing ind contextualSpacing jc "
    "outlineLvl rPr sectPr",
    "rPr": "rStyle rFonts b bCs i iCs caps smallCaps color spacing w kern sz szCs u lang",
    "tblPr": "tblStyle tblStyleRowBandSize tblStyleColBandSize tblW jc tblInd tblBorders shd tblLayout tblCellMar tblLook "
    "tblCaption",
    "tcPr": "tcW gridSpan vMerge tcBorders shd vAlign",
    "trPr": "cantSplit tblHeader",
    "sectPr": "headerReference footerReference type pgSz pgMar cols docGrid",
    "style": "name aliases basedOn next link uiPriority semiHidden unhideWhenUsed qFormat rsid pPr rPr tblPr tblStylePr",
    "tbl": "tblPr tblGrid tr",
    "tc": "tcPr p",
}


def test_children_stand_in_the_order_of_the_schema():
    wide = table([Row((Cell("row"), *[Cell("12.5 (3.0 to 45.0)", whole="12")] * 8))], columns=9)
    sub = table([Row((Cell("a"), Cell("1", whole="1")), "sub")])
    key = Paragraph((Run("a", "strong"), Run("b", "code"), Run("■", colour="#0072B2")), "key")
    content = docx(document(Contents(), Heading(1, "One"), key, wide, sub), draw)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [
            name
            for name in archive.namelist()
            if re.fullmatch(r"word/(document|styles|header\d*|footer\d*)\.xml", name)
        ]
        parts = [ElementTree.fromstring(archive.read(name)) for name in names]
    assert len(parts) >= 4
    for element in (element for part in parts for element in part.iter()):
        order = ORDER.get(element.tag.split("}")[1], "").split()
        children = [child.tag.split("}")[1] for child in element]
        if order:
            assert [order.index(child) for child in children] == sorted(order.index(child) for child in children), (
                children
            )
