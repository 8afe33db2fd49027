"""The tab Data: the open queries of a study, until none is left."""

import re

import pytest
from explored import TABS, look_at, shown
from study_builder import cell, write_study

from lib.explore import page as explore_page
from lib.explore.form import find_studies

pytestmark = pytest.mark.notebook

RAIR, COLON = "data/rair_dtc", "data/colon"
DATA = len(TABS)


def open_queries(page) -> str:
    """The tab Data as a reader sees it."""
    page.view.tab = DATA
    assert page.view.problems == []
    return shown(page)


def test_data_queries_are_shown_until_none_is_left(tmp_path):
    """A blocking query and one that is not; both corrected on disk, one after the other."""
    too_young = cell(0, "age_years", "17 <b>")
    impossible = cell(3, "death_date", "2031-01-01")
    write_study(tmp_path, patients=lambda frame: impossible(too_young(frame)))
    page = explore_page.Explorer(str(tmp_path))
    for tab in range(len(TABS)):
        page.view.tab = tab
        assert page.view.problems == ["2 problems of the data must be corrected first; the tab Data says more."]
        assert page.view.blocks == []
    text = open_queries(page)
    assert "2 of 2 data queries have to be answered before a report can be made." in text
    assert "To be corrected before a report can be made" in text
    for what in ("SYN-01", "patients.csv, row 2, age_years", "17 &lt;b&gt;", "SYN-04", "patients.csv, row 5, death_date"):
        assert what in text
    assert "<b>" not in page.view.blocks[-1]["html"]
    assert text.index("SYN-01") < text.index("SYN-04")
    page.saver.save()
    assert "Nothing was saved" in page.saver.said.value
    write_study(tmp_path, patients=impossible)
    page.view.asked += 1
    text = shown(page)
    assert "1 of 1 data query has to be answered" in text
    assert "SYN-01" not in text
    write_study(tmp_path)
    page.view.asked += 1
    assert page.view.blocks[0]["says"].startswith("No data query is open: every rule of intake holds. Checked at ")
    assert len(page.view.blocks) == 1
    assert any("svg" in block for block in look_at(page, "Survival"))


def test_what_blocks_a_report_comes_first_and_a_long_list_is_cut(tmp_path, monkeypatch):
    write_study(tmp_path, patients=cell(5, "age_years", "17"), markers=cell(slice(None), "unit", "furlongs"))
    page = explore_page.Explorer(str(tmp_path))
    whole = open_queries(page)
    rows = page.view.blocks[-1]["text"].splitlines()
    assert rows.index("To be corrected before a report can be made") == 2
    monkeypatch.setattr("lib.explore.queries.MOST", 3)
    page.view.asked += 1
    cut = page.view.blocks[-1]
    n = whole.count("<tr>") - 1
    assert cut["html"].count("<tr>") - 1 == 3 < n
    assert f"{n - 3} more are not listed here." in cut["html"]


def test_a_study_whose_yml_is_wrong_can_be_chosen_and_corrected(tmp_path):
    write_study(tmp_path, study=lambda text: text.replace("reference_arm: A", "reference_arm: <i>Z"))
    page = explore_page.Explorer(str(tmp_path))
    assert page.form._pick.options[0][0] == f"{tmp_path.name} (study.yml has to be corrected)"
    assert "must be corrected first" in page.view.problems[0]
    text = open_queries(page)
    assert "study.yml" in text
    assert "&lt;i&gt;Z" in page.view.blocks[-1]["html"]
    assert "<i>" not in page.view.blocks[-1]["html"]
    page.form._pick.value = RAIR
    assert "No data query is open" in open_queries(page)
    page.form._pick.value = page.form._pick.options[0][1]
    write_study(tmp_path)
    assert any("svg" in block for block in look_at(page, "Survival")), "seen without being asked to"
    page.view.asked += 1
    assert page.form._pick.options[0][0] == page.form.study.study.short_title
    assert page.form.folder == page.form._pick.options[0][1] != RAIR


def test_queries_are_only_counted_for_a_shared_view(tmp_path, monkeypatch):
    """Neither the list nor the error of another tab, nor what saving says, tells anything of a single patient."""
    monkeypatch.setenv("COHORT_AUDIENCE", "share")
    write_study(tmp_path, patients=cell([0, 1], "age_years", "17"))
    page = explore_page.start({"study": str(tmp_path)})
    text = open_queries(page)
    assert "2 of 2 data queries have to be answered" in text
    assert "left out of a shared report" in text
    page.saver.save()
    for tab in range(DATA + 1):
        page.view.tab = tab
        said = re.sub(r"Checked at [\d:]+", "", shown(page) + page.saver.said.value)
        assert not [word for word in ("SYN-", "age_years", "row 2", "17") if word in said]


def test_a_new_study_is_offered_when_the_data_are_checked_again(tmp_path, monkeypatch):
    data = tmp_path / "data"
    monkeypatch.setattr(explore_page, "find_studies", lambda first: find_studies(first, data))
    page = explore_page.Explorer(RAIR)
    page.form._endpoint.value = "os"
    assert len(page.form._pick.options) == 1
    write_study(data / "mine")
    write_study(data / "wrong", study=lambda _: "nonsense")
    page.view.asked += 1
    titles = [title for title, _ in page.form._pick.options]
    assert len(titles) == 3
    assert titles[1].startswith(titles[0])
    assert "mine" in titles[1]
    assert titles[2] == "wrong (study.yml has to be corrected)"
    assert page.form.folder == RAIR
    assert page.form.parameters() == {"endpoint": "os"}, "what was chosen stays"
    page.form._pick.value = page.form._pick.options[1][1]
    assert len(page.page.data.patients) == 6
