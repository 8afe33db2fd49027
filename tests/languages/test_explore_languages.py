"""The interactive page in the language that is asked for, or in the study's own; copies of the notebooks in it."""

import re

import nbformat
import pytest
from click.testing import CliRunner
from jinja2 import Environment, FileSystemLoader
from ruamel.yaml import YAML
from study_builder import write_study

from lib.__main__ import main
from lib.explore import asking, saving, serve
from lib.explore import page as explore_page
from lib.explore.form import find_studies
from lib.explore.serve import JUPYTER, copy_notebooks
from lib.explore.view import words_of
from lib.languages import speech
from lib.languages.speech import _, in_force, in_language
from lib.study.provenance import study_path
from lib.study.study import ROOT, read_study
from lib.study.yaml_file import ProblemsFound

RAIR = "data/rair_dtc"
# Names that every language writes so.
NAMES = {"RAIR", "DTC", "ECOG", "CI", "vs", "study", "yml", "Excel"}
FORM = [
    "Study", "Endpoint", "Arms", "Anlotinib", "Iodine-125 seeds", "Anlotinib + seeds", "Compared with", "Patients", "All patients", "By sex", "By age",
    "By ECOG performance status", "Curves read off at (months)", "e.g. 12, 24", "Data cut-off", "Sceptic’s chance of a benefit worth having",
    "Confidence level", "Audience", "Internal: everything, patients by id", "Shared: small cells masked, no single patients", "Name of the report",
    "Replace the report of this name", "Save as report", "Make the reports with these choices",
]  # fmt: skip


@pytest.fixture(autouse=True)
def english_again():
    speech.use("")
    yield
    speech.use("")


@pytest.fixture
def chinese(tmp_path):
    """A study whose own language is Chinese; its labels are the English ones of the example."""
    write_study(tmp_path / "mine")
    yml = tmp_path / "mine" / "study.yml"
    yml.write_text(f"language: zh\n{yml.read_text('utf-8')}", "utf-8")
    return study_path(tmp_path / "mine")


def widgets(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from widgets(child)


def said(*boxes) -> list[str]:
    """What a form says: labels, choices, hints."""
    found = []
    for widget in (widget for box in boxes for widget in widgets(box)):
        options = [option[0] for option in getattr(widget, "options", ())]
        html = re.sub("<.*?>", "", widget.value) if type(widget).__name__ == "HTML" else ""
        found += [getattr(widget, "description", ""), html, *options, getattr(widget, "placeholder", ""), getattr(widget, "tooltip", "")]
    return [text for text in found if text and text != "\u200b"]


def english_in(texts, *names) -> list[str]:
    """Words with Latin letters, but for names."""
    return [text for text in texts if set(re.findall(r"[A-Za-z]{2,}", text)) - NAMES - {part for name in names for part in re.findall(r"[A-Za-z]+", name)}]


@pytest.mark.notebook
def test_a_form_in_chinese_holds_no_english_words_but_names():
    page = explore_page.Explorer(RAIR, language="zh")
    texts, titles = said(page.form.box, page.saver.box), find_studies(RAIR, language="zh")
    assert {"终点", "局部无进展生存期", "保存为报告"} <= set(texts)
    assert english_in(texts, *titles) == []
    words = {key: text.replace("{title}", "") for key, text in page.view.words.items() if key != "language"}
    assert english_in([*page.view.tabs, *words.values()]) == []
    marks = [mark["says"] for block in page.view.blocks for mark in block.get("marks", [])]
    assert len(marks) > 10
    assert english_in(marks) == []
    page.form._arms["A"].value = False
    page.form._landmarks.value = "twelve"
    assert english_in(page.view.problems, "twelve") == []
    assert english_in([re.sub("<.*?>", "", page.form._moved.value)]) == []
    for box in page.form._arms.values():
        box.value = False
    assert page.view.problems == ["组：请至少勾选一个组。"]


@pytest.mark.notebook
def test_times_are_taken_as_they_are_typed_in_chinese():
    page = explore_page.Explorer(RAIR, language="zh")
    for written in ("6，18", "6、18", "6；18"):
        page.form._landmarks.value = written
        assert page.form.parameters() == {"landmarks": [6.0, 18.0]}


@pytest.mark.notebook
def test_the_form_in_english_is_what_it_was():
    explore_page.Explorer(RAIR, language="zh")
    speech.use("")
    page = explore_page.Explorer(RAIR)
    texts, titles = said(page.form.box, page.saver.box), set(find_studies(RAIR))
    numbers = re.compile(r"[\d.]+%")
    labels = {endpoint.label for endpoint in page.form.study.endpoints}
    assert {text for text in texts if text not in titles | labels and not numbers.fullmatch(text)} == set(FORM)
    assert page.view.tabs == ["Survival", "Response", "Each patient", "Adverse events", "Prior knowledge", "Data"]
    assert page._chosen() == (RAIR, {})
    assert {"language": "en", "closer": "A closer look"}.items() <= page.view.words.items()


@pytest.mark.notebook
def test_the_page_follows_the_language_of_the_study_that_is_chosen(chinese):
    page = explore_page.Explorer(chinese)
    assert (in_force(), page.view.tabs[0], page.form._pick.description) == ("zh", "生存", "研究")
    assert page.view.words == words_of()
    page.form._audience.value = "share"
    page.form._pick.value = RAIR
    assert (in_force(), page.view.tabs[0], page.form._pick.description) == ("en", "Survival", "Study")
    assert page.saver.button.description == "Save as report"
    assert page.form.audience == "share", "whoever it was for, it stays for"
    assert [label for label, __ in page.form._audience.options] == ["Internal: everything, patients by id", "Shared: small cells masked, no single patients"]
    page.form._pick.value = chinese
    assert (in_force(), page.view.tabs[0], page.saver.button.description) == ("zh", "生存", "保存为报告")
    assert page._chosen() == (chinese, {"audience": "share"}), "its own language need not be said"


@pytest.mark.notebook
def test_a_language_that_is_asked_for_is_that_of_every_study_and_is_saved(chinese, tmp_path, monkeypatch):
    page = explore_page.Explorer(chinese, language="en")
    assert (in_force(), page.view.tabs[0]) == ("en", "Survival")
    monkeypatch.setattr(saving, "OUTPUTS", tmp_path / "outputs")
    folder, given = page._chosen()
    file = saving.write_parameters(folder, given, "mine")
    assert YAML(typ="safe").load(file)["language"] == "en"
    assert page.page.data.parameters.language == "en"


def test_whoever_serves_the_page_may_ask_for_a_language(monkeypatch):
    opened = []
    monkeypatch.setattr(explore_page, "Explorer", lambda *given: opened.append(given))
    monkeypatch.setattr(explore_page, "take_only_values", lambda: None)
    both = ("internal", "share")
    explore_page.start({"study": RAIR})
    monkeypatch.setenv("COHORT_LANGUAGE", "zh")
    explore_page.start({"study": RAIR})
    explore_page.start({"study": RAIR, "language": "en"})
    assert opened == [(RAIR, both, ""), (RAIR, both, "zh"), (RAIR, both, "en")]
    with pytest.raises(ProblemsFound, match="one of en"):
        explore_page.start({"study": RAIR, "language": "tlh"})


def test_commands_hand_the_language_on(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(serve, "serve_page", lambda *__, **options: asked.append(options["language"]))
    monkeypatch.setattr(serve, "copy_notebooks", lambda *__, **options: asked.append(options["language"]) or [])
    monkeypatch.setattr(serve, "open_lab", lambda *__, **options: asked.append(options["language"]) or 1 / 0)
    for command in ("explore", "lab"):
        for options in ([], ["--language", "zh"]):
            CliRunner().invoke(main, [command, "--output", str(tmp_path), *options])
    assert asked == ["", "zh", "", "", "zh", "zh"]
    assert serve._environment(tmp_path, "/", "zh")["COHORT_LANGUAGE"] == "zh"
    assert CliRunner().invoke(main, ["lab", "--language", "tlh"]).exit_code == 2


def test_copies_of_notebooks_speak_the_language_that_is_asked_for(tmp_path):
    assert copy_notebooks(tmp_path, language="zh") == []
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        before, copy = nbformat.read(path, as_version=4), nbformat.read(tmp_path / path.name, as_version=4)
        (given,) = [cell.source for cell in copy.cells if "parameters" in cell.metadata.get("tags", [])]
        assert given.count('language: str = "zh"') == 1
        prose = [(own.source, cell.source) for own, cell in zip(before.cells, copy.cells, strict=True) if cell.cell_type == "markdown"]
        assert prose
        assert all(re.search("[一-鿿]", cell) for __, cell in prose), path.name
        code = [cell.source for own, cell in zip(before.cells, copy.cells, strict=True) if cell.cell_type == "code" and cell.source != own.source]
        assert code == [given]
    mine = nbformat.read(tmp_path / "safety.ipynb", as_version=4)
    mine.cells[-1].source += "\n# my thought"
    nbformat.write(mine, tmp_path / "safety.ipynb")
    assert copy_notebooks(tmp_path) == ["safety.ipynb"]
    assert "my thought" in (tmp_path / "safety.ipynb").read_text("utf-8")
    for path in (ROOT / "notebooks").glob("[!s]*.ipynb"):
        own, copy = nbformat.read(path, as_version=4), nbformat.read(tmp_path / path.name, as_version=4)
        assert [cell.source for cell in copy.cells] == [cell.source for cell in own.cells], "nobody edited it: English again"
    assert copy_notebooks(tmp_path, language="en") == ["safety.ipynb"]
    assert 'language: str = "en"' in nbformat.read(tmp_path / "cohort.ipynb", as_version=4).cells[1].source


def test_what_is_asked_is_asked_in_chinese(tmp_path, monkeypatch):
    monkeypatch.setattr(asking, "DATA", tmp_path / "data")
    file = tmp_path / "mine.csv"
    file.write_text("id,arm,time,status\n" + "".join(f"P{n},{'AB'[n % 2]},{30 * n + 5},{int(n % 3 == 0)}\n" for n in range(1, 19)))
    page = explore_page.Explorer(str(file), language="zh")
    view = page.asker.view
    assert (view.button, view.words["moment"]) == ("回答", "请稍候……")
    assert re.findall("[一-鿿，。：]+", view.says) == ["未说明决定结果的全部内容：尚有", "个问题待回答。您的回答保存在", "中。"]
    view.given = {"turn": view.turn, "choice": -1}
    assert view.problems == ["请先选择一个答案。"]


def test_a_page_without_a_place_says_so_in_the_language_in_force():
    page = Environment(loader=FileSystemLoader(JUPYTER / "voila" / "templates" / "ward"), autoescape=True).get_template("full.html")
    with in_language("zh"):
        text = page.render(said=_("All places are taken at this time; please try again in some minutes"), _=_, language="zh")
    assert '<html lang="zh">' in text
    assert english_in(re.findall(">([^<>]+)<", text), "asks") == []
    text = page.render(said="Full", _=_, language="en")
    assert "<title>No place is free</title>" in text
    assert ">Full. This page asks again by itself every twenty seconds; nothing that anybody saved is lost.</p>" in text


def test_the_served_notebook_is_a_copy_where_another_language_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(serve, "own_settings", lambda: {"IPYTHONDIR": str(tmp_path / "ipython")})
    assert serve._notebook("") == serve._notebook("en") == ROOT / "notebooks" / "explore.ipynb"
    copy = serve._notebook("zh")
    assert copy.is_relative_to(tmp_path)
    assert nbformat.read(copy, as_version=4).cells[0].source.startswith("# 探索")
    settings = serve._settings(None, 1, "/", "", "")
    assert settings["HTMLExporter"] == {"language_code": "en"}
    assert settings["VoilaConfiguration"]["resources"]["words"]["anew"] == "Begin anew"


def test_titles_of_studies_are_in_the_language_that_is_asked_for():
    assert read_study(ROOT / RAIR, "zh").study.short_title in find_studies(RAIR, language="zh")
    assert read_study(ROOT / RAIR).study.short_title in find_studies(RAIR)
