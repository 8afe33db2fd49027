"""Checklists: every item once and answered or said why not, every link to a heading that exists."""

import re
from dataclasses import replace

import pytest
from notebook_cells import NOTEBOOKS, read_notebook
from pydantic import ValidationError

from lib.analyses.cohort import checklist
from lib.dataset import dataset
from lib.publish.pages import outline
from lib.report.page import start
from lib.show.display import EMPTY, anchor
from lib.show.sentences.cohort import sentence_checklists
from lib.show.tables import conduct as table_conduct
from lib.study.study import ROOT

STROBE = ["1a", "1b", "2", "3", "4", "5", "6a", "6b", "7", "8", "9", "10", "11", "12a", "12b", "12c", "12d", "12e",
          "13a", "13b", "13c", "14a", "14b", "14c", "15", "16a", "16b", "16c", "17", "18", "19", "20", "21", "22"]  # fmt: skip
RECORD = ["1.1", "1.2", "1.3", "6.1", "6.2", "6.3", "7.1", "12.1", "12.2", "12.3", "13.1", "19.1", "22.1"]


@pytest.fixture(scope="module", params=["data/rair_dtc", "data/colon"])
def data(request):
    return dataset.load("cohort", study=request.param)


def headings(page):
    cells = [cell.source for cell in read_notebook(page).cells if cell.cell_type == "markdown"]
    found = {line.lstrip("# ") for source in cells for line in source.splitlines() if line.startswith("#")}
    return found | {"Key results"}  # made by Report.key_results


# Hopewell S et al. BMJ 2025;389:e081123, table 1.
LETTERS = {1: "ab", 5: "ab", 12: "ab", 16: "ab", 17: "ab", 20: "ab", 21: "abcd", 22: "ab", 23: "ab", 24: "ab"}
CONSORT = [f"{number}{letter}" for number in range(1, 31) for letter in LETTERS.get(number, " ")]
CONSORT = [item.strip() for item in CONSORT]


@pytest.mark.parametrize(("name", "items"), [("consort", CONSORT), ("strobe", STROBE), ("record", RECORD)])
def test_every_item_is_there_once(name, items):
    assert [item.item for item in checklist.read_checklist(name).items] == items


@pytest.mark.parametrize("name", checklist.CHECKLISTS)
def test_every_link_leads_to_a_heading(name):
    known = {page: headings(page) for page in NOTEBOOKS}
    for item in checklist.read_checklist(name).items:
        for place in item.places:
            assert place.heading in known[place.page], f"{name} {item.item}: {place.page} has no {place.heading!r}"


@pytest.mark.parametrize("name", checklist.CHECKLISTS)
def test_the_address_is_the_one_that_the_page_gives(name):
    for item in checklist.read_checklist(name).items:
        for place in item.places:
            assert outline(f"<h2>{place.heading}</h2>").headings[0][1] == anchor(place.heading)


@pytest.mark.parametrize("name", checklist.CHECKLISTS)
def test_every_item_is_answered_or_says_why_not(data, name):
    answers = checklist.fill(data, checklist.read_checklist(name))
    assert len(answers) == len(checklist.read_checklist(name).items)
    for answer in answers:
        assert answer.said[-1] in ".?"
        assert answer.said.startswith("Not answered: ") == (not answer.places)


def test_answers_depend_on_what_the_study_holds():
    def said(study, item, name="strobe"):
        loaded = dataset.load("cohort", study=study)
        return next(a for a in checklist.fill(loaded, checklist.read_checklist(name)) if a.item == item)

    assert said("data/rair_dtc", "4").said == "Retrospective cohort, one centre, three groups, as treated."
    assert said("data/colon", "4").said == "Randomised trial, three arms."
    assert said("data/rair_dtc", "8").places
    assert said("data/colon", "8").said == "Not answered: this study holds no table of measurements."
    assert said("data/colon", "21b", "consort").said.startswith("Analysed as randomised. ")
    assert said("data/colon", "1.2", "record").said == "Not answered: this study holds no calendar dates."
    assert not said("data/rair_dtc", "13b").places
    assert said("data/rair_dtc", "10").said.startswith("52 patients, as published")
    assert said("data/colon", "10").said == "Not answered: this study does not state its sample size."
    assert said("data/rair_dtc", "22").said == "Not answered: this study does not state its funding."


def test_the_table_links_and_its_csv_is_text(data):
    table = table_conduct.table_checklist(checklist.count_answered(data), "strobe")
    if data.study.by_design.by_chance:
        assert table == EMPTY
        table = table_conduct.table_checklist(checklist.count_answered(data), "consort")
    html = table._repr_mimebundle_()[0]["text/html"]
    links = re.findall(r'<a href="([^"]+)">([^<]+)</a>', html)
    assert ("cohort.html#who-is-in-the-study", "Cohort: Who is in the study?") in links
    assert "<a" not in table.to_csv()
    assert "Cohort: Who is in the study?" in table.to_csv()


def test_an_item_needs_places_or_a_reason_and_not_both():
    place = {"page": "cohort", "heading": "Cohort"}
    for wrong in ({}, {"places": [place], "lacking": "x"}, {"places": [place]}, {"says": "weather", "places": [place]}):
        with pytest.raises(ValidationError):
            checklist.Item(item="1", text="t", **wrong)


def test_every_declaration_is_shown_or_said_to_be_missing(data):
    about = data.study.study.model_copy(update={"funding": "None <of any kind>"})
    declared = replace(data, study=data.study.model_copy(update={"study": about}))
    table = table_conduct.table_declarations(checklist.count_answered(declared))
    assert [row.cells[0] for row in table.rows] == list(checklist.DECLARATIONS.values())
    told = dict(row.cells for row in table.rows)
    assert told["Funding and role of the funders"] == "None <of any kind>"
    assert told["Registration"] == "not stated"
    assert "<of" not in table._repr_mimebundle_()[0]["text/html"]
    answer = next(a for a in checklist.fill(declared, checklist.read_checklist("strobe")) if a.item == "22")
    assert answer.said == "None <of any kind>."
    assert answer.places


def test_a_shared_report_counts_items_in_whole_numbers():
    """Masking leaves floats behind."""
    page = start("cohort", {"study": str(ROOT / "data/rair_dtc"), "audience": "share"})
    assert "29 of 34 items of STROBE" in sentence_checklists(page.record(checklist.count_answered(page.data)))
