"""Fonts that a page brings for what a reader's machine may lack."""

import base64
import io
import re
from types import SimpleNamespace

import pytest
from fontTools.ttLib import TTFont
from nbformat.v4 import new_markdown_cell, new_notebook

from lib.languages.speech import in_language
from lib.publish.pages import report_page
from lib.publish.webfonts import with_fonts

PAGE = """<html><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'none'">
<style>p { font-family: "DejaVu Sans", var(--script, sans-serif); }</style></head><body><p>{}</p></body></html>
"""


def fonts_of(page):
    return [TTFont(io.BytesIO(base64.b64decode(data))) for data in re.findall(r"base64,([^)]+)\)", page)]


@pytest.mark.parametrize("text", ["Überlebenszeit ≥ 1, Жизнь, مرضى, Επιβίωση", "a&lt;b"])
def test_a_page_that_every_machine_can_show_stays_as_it_is(text):
    assert with_fonts(PAGE.replace("{}", text)) == PAGE.replace("{}", text)


def test_a_font_with_the_signs_of_the_page_alone_is_in_it_and_allowed():
    page = with_fonts(PAGE.replace("{}", "总生存期 ไทย"))
    chinese, thai = fonts_of(page)
    assert {chr(code) for code in chinese.getBestCmap()} == set("总生存期")
    assert set("ไทย") <= {chr(code) for code in thai.getBestCmap()}
    assert "font-src data:;" in page
    assert len(page) < 20_000
    assert page == with_fonts(PAGE.replace("{}", "总生存期 ไทย"))


def test_what_a_style_sheet_puts_in_is_among_the_signs():
    """The cue that a table moves sideways, and "synthetic data" at the head of a printed page."""
    header = {"short_title": "Demo", "synthetic": True}
    with in_language("zh"):
        page = report_page(new_notebook(), header=header, report=SimpleNamespace(name="efficacy", title="疗效"), synthetic=True, pages=[], detail="main")
    (font,) = fonts_of(page)
    assert set("可左右滑动合成数据") <= {chr(code) for code in font.getBestCmap()}


def test_marks_keep_their_places_above_letters():
    (font,) = fonts_of(with_fonts(PAGE.replace("{}", "ผู้ป่วย")))
    assert {"GPOS", "GSUB"} <= set(font.keys())


@pytest.mark.parametrize(("text", "family"), [("总生存期", "Noto Sans CJK SC"), ("全生存期間あり", "Noto Sans CJK JP"), ("전체 생존기간", "Noto Sans CJK KR")])
@pytest.mark.browser
def test_the_browser_takes_it(text, family, browser, tmp_path):
    (tmp_path / "page.html").write_text(with_fonts(PAGE.replace("{}", text)), encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    page.evaluate("document.fonts.ready.then(() => 0)")
    assert page.evaluate("[...document.fonts].map(font => [font.family, font.status])") == [[family, "loaded"]]
    page.close()


def test_pages_of_a_report_bring_theirs():
    report, header = SimpleNamespace(name="efficacy", title="Efficacy"), {"short_title": "Demo", "synthetic": False}
    for text, brought in (("# Overall survival", 0), ("# 总生存期", 1)):
        page = report_page(new_notebook(cells=[new_markdown_cell(text)]), header=header, report=report, synthetic=False, pages=[], detail="main")
        assert len(fonts_of(page)) == brought
