"""The page for patients in more than one language: the same numbers, nothing left in another, every sign drawn."""

import json
import re
import unicodedata
from collections import Counter
from functools import cache
from gettext import NullTranslations

import lxml.html
import pytest
from axe_playwright_python.sync_playwright import Axe
from designed_studies import write_case
from golden import compare
from pypdf import PdfReader
from quick_pages import quick
from random_study import Design, write_random

from lib.languages import speech
from lib.publish.folder import publish, read_report
from lib.publish.plain import languages_of, plain_page
from lib.study.study import ROOT, read_study
from lib.study.yaml_file import ProblemsFound

pytestmark = pytest.mark.thorough

PAGES = ("efficacy", "safety")
GIVEN = {"rair_dtc": {}, "share": {"audience": "share"}, "one": {"arms": ["C"]}}


def made(folder, **given):
    return [read_report(name, notebook) for name, notebook in quick(folder, PAGES, **given).items()]


@pytest.fixture(scope="module")
def reports():
    return cache(lambda name: made("data/rair_dtc", **GIVEN[name]))


def read(html):
    """Every text that is read or heard, one after the other."""
    document = lxml.html.fromstring(html)
    return [" ".join(text.split()) for text in document.xpath("//title/text()|//main//text()|//@aria-label") if text.strip()]


@pytest.mark.parametrize("name", GIVEN)
def test_the_same_numbers_in_every_language(reports, name):
    pages = [plain_page(reports(name), True, code) for code in languages_of(reports(name))]
    english, chinese = (Counter(re.findall(r"\d+", " ".join(read(page)))) for page in pages)
    assert len(pages) == 2
    assert english == chinese
    assert sum(english.values()) > 20
    for what in ("use", "li"):
        assert len({len(lxml.html.fromstring(page).findall(f".//{what}")) for page in pages}) == 1
    figures = [[node.get("class") for node in lxml.html.fromstring(page).xpath("//main//use")] for page in pages]
    assert figures[0] == figures[1]


@pytest.mark.parametrize("name", GIVEN)
def test_no_english_is_left_but_names(reports, name):
    header = reports(name)[0].header
    names = {header["title"], header["short_title"], "English"}
    for text in read(plain_page(reports(name), True, "zh")):
        left = text
        for one in names:
            left = left.replace(one, "")
        assert not re.search("[A-Za-z]", left), text


@pytest.mark.parametrize("name", ["rair_dtc", "share"])
def test_reads_as_it_was_read(reports, name):
    compare(f"plain.{'rair_dtc_share' if name == 'share' else name}.zh", "\n".join(read(plain_page(reports(name), True, "zh"))) + "\n")


class Pseudo(NullTranslations):
    """English with an accent on each letter, half as long again: what is not in the catalogue stays without."""

    @staticmethod
    def said(message):
        parts = re.split(r"(\{[^}]*\})", message)
        return "".join(part if part.startswith("{") else "".join(f"{c}\N{COMBINING ACUTE ACCENT}" if c.isalpha() else c for c in part) for part in parts)

    def gettext(self, message):
        return self.said(message)

    def ngettext(self, one, many, n):
        return self.said(one if n == 1 else many)


def words_of(part):
    """Every word of a study.yml."""
    if isinstance(part, dict | list | tuple):
        return set().union(*map(words_of, part.values() if isinstance(part, dict) else part), *(map(words_of, part) if isinstance(part, dict) else ()))
    return {word.lower() for word in re.findall(r"[A-Za-z]+", str(part))}


@pytest.mark.parametrize("case", ["competing", "withheld", "confounded", "randomised", "one_arm", "clinic"])
def test_every_word_is_of_the_study_or_of_the_catalogue(case, tmp_path, monkeypatch):
    folder = write_random(tmp_path / "s", Design((34, 31), seed=7, hazard=0.04)) if case == "clinic" else write_case(tmp_path / "s", case)
    monkeypatch.setattr(speech, "_catalogue", lambda _code: Pseudo())
    monkeypatch.setattr(speech, "listed", "".join)
    texts = read(plain_page(made(folder), synthetic=True))
    known = words_of(read_study(folder).model_dump())
    plain = [unicodedata.normalize("NFC", re.sub(r"\w\N{COMBINING ACUTE ACCENT}", "", text)) for text in texts]
    assert {word for text in plain for word in re.findall("[A-Za-z]+", text) if word.lower() not in known} <= {"and"}, "not in the catalogue"


@pytest.fixture
def study(tmp_path):
    """Change the words of a study that is asked for in Chinese."""

    def write(change):
        folder = write_random(tmp_path / "s", Design((6, 7), seed=1))
        study = json.loads((folder / "study.yml").read_text("utf-8"))
        study["study"]["plain"] = {"languages": ["zh"], "question": {"zh": "问题？"}, "population": {"zh": "患者"}}
        for part in (*study["arms"], *study["endpoints"]):
            part["plain"] = {"zh": f"名称{part['id']}"}
        change(study)
        (folder / "study.yml").write_text(json.dumps(study), encoding="utf-8")
        return folder

    return write


def test_words_in_another_language_alone_leave_english_to_the_labels(study):
    reports = made(study(lambda _study: None))
    assert languages_of(reports) == ["en", "zh"]
    english = plain_page(reports, synthetic=False)
    assert "名称A" not in english
    assert "We counted how often an event happened." in english
    assert "名称A" in plain_page(reports, synthetic=False, language="zh")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s["arms"][1].pop("plain"), "zh is asked for, and there are no words in it for arms: B: plain (write {en: ..., zh: ...})"),
        (lambda s: s["arms"][1].update(plain="the drug"), "no words in it for arms: B: plain"),
        (lambda s: (s["study"]["plain"].pop("question"), s["endpoints"][0].pop("plain")), "for study.plain.question; endpoints: pfs: plain"),
        (lambda s: s["study"]["plain"].update(languages=["xx"]), "the code of a language that pages are written in: en, zh"),
        (lambda s: s["study"]["plain"].update(question={"xx": "?"}), "the code of a language that pages are written in: en, zh"),
        (lambda s: s["arms"][0].update(plain={"zh": ""}), "must not be empty"),
        (lambda s: s["arms"][0].update(plain=5), "a text, or one for each language: {en: ..., zh: ...}"),
        (lambda s: s["arms"][0].update(plain=["a"]), "a text, or one for each language: {en: ..., zh: ...}"),
    ],
)
def test_a_page_that_would_speak_two_languages_is_refused(study, change, said):
    with pytest.raises(ProblemsFound, match=re.escape(said)):
        read_study(study(change))


def test_a_page_of_each_language_is_made_on_request_and_listed(tmp_path):
    pages = quick("data/rair_dtc", ("efficacy",))
    publish(pages, tmp_path, {"command": "", "commit": "unknown", "versions": {"python": "3.11"}, "parameters": {"efficacy": {}}}, ["plain"])
    index = (tmp_path / "index.html").read_text("utf-8")
    assert "For patients (English)" in index
    assert "For patients (中文)" in index
    for name, lang, other in (("plain.html", "en", "plain.zh.html"), ("plain.zh.html", "zh", "plain.html")):
        document = lxml.html.fromstring((tmp_path / name).read_text("utf-8"))
        assert document.get("lang") == lang
        assert f'href="{name}"' in index
        assert document.xpath(f"//a[@href='{other}']/@hreflang")


@pytest.mark.browser
@pytest.mark.parametrize("name", GIVEN)
def test_every_sign_is_drawn_by_the_font_that_the_page_brings(reports, visit_file, tmp_path, name):
    """Whatever fonts the machine has; and it is accessible, on a phone and on two sheets of paper."""
    (tmp_path / "plain.html").write_text(plain_page(reports(name), True, "zh"), encoding="utf-8")
    for width in (1366, 390):
        seen = visit_file(tmp_path / "plain.html", viewport={"width": width, "height": 844})
        seen.evaluate("document.fonts.ready.then(() => 0)")
        tools = seen.context.new_cdp_session(seen)
        tools.send("DOM.enable")
        tools.send("CSS.enable")
        root = tools.send("DOM.getDocument", {"depth": -1})["root"]["nodeId"]
        for node in tools.send("DOM.querySelectorAll", {"nodeId": root, "selector": "h1, h2, h3, p, li, th, td, caption, span, strong"})["nodeIds"]:
            html = tools.send("DOM.getOuterHTML", {"nodeId": node})["outerHTML"]
            own = "".join(lxml.html.fragment_fromstring(html).xpath("./text()"))
            han = len(re.findall("[\u3000-\u9fff\uff00-\uffef]", own))
            drawn = sum(font["glyphCount"] for font in tools.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"] if font["isCustomFont"])
            assert drawn >= han, html
        assert seen.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(seen, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"], "resultTypes": ["violations"]}).response
        assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found["violations"]] == []
    seen.pdf(path=tmp_path / "printed.pdf", prefer_css_page_size=True)
    assert len(PdfReader(tmp_path / "printed.pdf").pages) <= 2


def test_the_shipped_study_speaks_the_language_of_its_clinic():
    study = read_study(ROOT / "data" / "rair_dtc")
    assert study.study.plain.languages == ("zh",)
    assert not set(study.adverse_events.plain) - set(study.adverse_events.terms)
