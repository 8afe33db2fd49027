"""A document -> PDF, read again: pages, text, bookmarks, tags, fonts; nothing in a cell acts."""

import struct

import pytest
from document_parts import HOSTILE, embedded, read_pdf, squeezed

from lib.fonts import families_of
from lib.publish.paper.document import SYNTHETIC, Document
from lib.publish.paper.layout import Cell, Contents, Definitions, Heading, Paragraph, Picture, Row, Run, Table, printed
from lib.publish.paper.typeset import figure_pdf, figure_png, pdf

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 360 180" width="360pt" height="180pt">'
    '<rect width="360" height="180" fill="#0072B2"/><text x="20" y="90" style="font: 12px \'DejaVu Sans\'">Months</text></svg>'
)


def text_of(reader):
    return squeezed("".join(page.extract_text() for page in reader.pages))


def document(*blocks, title="Title", chapters=False):
    return Document(title, "Study · Part", SYNTHETIC, chapters, blocks)


def rows(number, text="1.5"):
    return tuple(Row((Cell(f"row {i}"), Cell(text, whole="1"))) for i in range(number))


def table(body, title="Caption", columns=2):
    head = (Row((Cell("Row"), *[Cell("Arm", "n = 3", "#0072B2")] * (columns - 1))),)
    return Table(title, head, tuple(body), ("A note.",), (False, *[True] * (columns - 1)), 1)


def test_a_long_table_repeats_its_head():
    reader = read_pdf(pdf(document(table([Row((Cell("Group", columns=2),), "group"), *rows(150)]))))
    assert len(reader.pages) >= 3
    assert all("n = 3" in page.extract_text() for page in reader.pages)


def test_a_short_table_stays_whole():
    filler = Paragraph((Run("line\n" * 38),))
    reader = read_pdf(pdf(document(filler, table(rows(12)))))
    assert "row 0" not in reader.pages[0].extract_text()
    assert "Caption" not in reader.pages[0].extract_text()


def test_a_wide_table_turns_the_page_and_back():
    number = Cell("12.5 (3.0 to 45.0)", whole="12")
    wide = table([Row((Cell("row"), *[number] * 8))], columns=9)
    reader = read_pdf(pdf(document(Paragraph((Run("a"),)), wide, Paragraph((Run("b"),)))))
    assert [page.mediabox.width > page.mediabox.height for page in reader.pages] == [False, True, False]
    assert all(SYNTHETIC in page.extract_text() for page in reader.pages)


def test_every_kind_of_block():
    head = (Row((Cell("Row", rows=2), Cell("Both", columns=2))), Row((Cell("A"), Cell("B"))))
    merged = Table("Merged", head, (Row((Cell("x"), Cell("1"), Cell("2"))),), (), (False, False, False), 1)
    blocks = [
        Contents(), Heading(1, "Chapter"), Heading(2, "Section"), Heading(3, "Deep"), merged,
        *[Paragraph((Run(f"role {role}."),), role) for role in ("", "banner", "lead", "note", "item", "key", "term", "code")],
        Definitions((("term", (Run("meaning", "em"),)),), True), Definitions((("other", (Run("x", "code"),)),), False),
        Picture("", SVG, "Nothing is said.", (360, 180)), Table("", (), rows(1), (), (False, True)),
        Paragraph((Run("■", colour="#0072B2"), Run(" strong", "strong"), Run(" muted", "muted"))),
    ]  # fmt: skip
    reader = read_pdf(pdf(document(*blocks, chapters=True)))
    assert len(reader.pages) == 2, "with chapters, a heading of level 1 begins a page"
    text = text_of(reader)
    for word in ("Contents", "Chapter", "Deep", "Both", "rolekey.", "rolecode.", "meaning", "strong"):
        assert word in text
    assert "Study·Part·Chapter" in text


def test_a_link_tells_the_page_of_its_heading():
    links = (("Cohort: Who?", "cohort.html#who"), ("Safety: Harm?", "safety.html#harm"))
    row = Row((Cell("1a"), Cell("Cohort: Who?\nSafety: Harm?", links=links)))
    listed = Table("Checklist", (), (row,), (), (False, False), 1)
    blocks = [Heading(1, "One"), listed, Heading(1, "Two"), Heading(2, "Who?", "cohort.html#who")]
    reader = read_pdf(pdf(document(*blocks, chapters=True)))
    text = squeezed(reader.pages[1].extract_text())
    assert "Cohort:Who?(p.3)" in text
    assert "Safety:Harm?(" not in text, "a report that is not in this document"
    assert "/Annots" in reader.pages[1]
    assert b"/URI" not in reader.stream.getvalue()


def test_hostile_text_is_text():
    texts = [printed(text) for text in HOSTILE]
    body = [Row((Cell(text), Cell(text, text))) for text in texts]
    blocks = [table(body, texts[0]), *[Paragraph((Run(text),)) for text in texts], Heading(1, texts[0])]
    blocks.append(Definitions(tuple((text, (Run(text, "code"),)) for text in texts), aligned=True))
    reader = read_pdf(pdf(document(*blocks, title=texts[0])))
    text = text_of(reader)
    for said in (
        '#panic("run")',
        "<script>alert(1)</script>",
        "=cmd|'/CcalC'!A0".replace("calC", "calc"),
        "{{7*7}}",
        '#eval("1")',
    ):
        assert squeezed(said) in text
    assert b"/URI" not in reader.stream.getvalue()
    assert b"/JavaScript" not in reader.stream.getvalue()
    assert reader.metadata.title == texts[0]


@pytest.mark.parametrize("address", ["/etc/hostname", "../../README.md", "https://evil.example/x.png"])
def test_a_picture_reaches_for_nothing(address):
    svg = SVG.replace("<rect", f'<image href="{address}" width="9" height="9"/><rect')
    with pytest.raises(ValueError, match="linked image"):
        figure_png(svg, "t", "a")


def test_what_cannot_be_set_is_said():
    with pytest.raises(ValueError, match=r"Typst cannot set figure\.typ"):
        figure_png("<svg", "t", "a")


def test_a_figure_for_a_journal():
    reader = read_pdf(figure_pdf(SVG, "Title", "What it says"))
    assert [round(float(side)) for side in reader.pages[0].mediabox[2:]] == [360, 180]
    assert reader.pages[0].extract_text() == "Months"
    assert reader.metadata.title == "Title"
    assert all(embedded(reader).values())
    png = figure_png(SVG, "Title", "What it says")
    assert struct.unpack(">II", png[16:24]) == (1500, 750)
    place = png.index(b"pHYs") + 4
    assert struct.unpack(">IIB", png[place : place + 9]) == (11811, 11811, 1)


SCRIPTS = {
    "Chinese": ("总生存期（碘125粒子植入）", "NotoSansCJKsc-Regular"),
    "Japanese": ("全生存期間 カタカナ", "NotoSansCJKjp-Regular"),
    "Korean": ("전체 생존기간", "NotoSansCJKkr-Regular"),
    "Thai": ("ผู้ป่วยที่ได้รับการรักษา", "NotoSansThai-Regular"),
    "Hindi": ("हिन्दी प्रगति", "NotoSansDevanagari-Regular"),
    "Arabic": ("مرضى الغدة الدرقية ٤٥", "DejaVuSans"),
    "Hebrew": ("חולים שטופלו ב־תרופה", "DejaVuSans"),
    "Cyrillic": ("Выживаемость без прогрессирования", "DejaVuSans"),
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_any_script_is_set_by_a_font_of_ours(script):
    text, font = SCRIPTS[script]
    shown = read_pdf(pdf(document(Heading(1, text), Paragraph((Run(text), Run(text, style="code"))), table(rows(2)))))
    assert any(font in name for name in embedded(shown)) or script == "Cyrillic"  # which the font of the text has
    families = ", ".join(f"'{family}'" for family in families_of(text)[::-1])
    svg = SVG.replace("Months", text).replace("'DejaVu Sans'", families)
    assert font in "".join(embedded(read_pdf(figure_pdf(svg, "t", "a"))))
    other = text.replace(text[0], text[1])  # of boxes instead of signs both would look alike
    assert figure_png(svg, "t", "a", 60) != figure_png(svg.replace(text, other), "t", "a", 60)


def test_a_sign_that_no_font_has_is_seen_to_be_missing():
    """As in the name of a file, which nobody checks."""
    assert "in \ufffd.csv" in read_pdf(pdf(document(Paragraph((Run("in \U0001fa7a.csv"),))))).pages[0].extract_text()


def test_the_same_bytes():
    shown = document(Contents(), Heading(1, "One"), Picture("F", SVG, "alt", (360, 180), 1), table(rows(30)))
    assert pdf(shown) == pdf(shown)
