"""What of a notebook is shown: a question without data is a line at the end, details are folded, reasons are told once."""

import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from notebook_cells import NOTEBOOKS, read_notebook, run_notebook, shipped, without_drawing

from lib.publish.pages import report_page
from lib.publish.sections import MOST_TITLES, by_folding, titles, with_something_to_show

pytestmark = pytest.mark.thorough

HEADER = {"short_title": "Demo", "synthetic": False}


class Report:
    name = title = "safety"


def output(kind, folded=False, **record):
    metadata = {"cohort_report": {"kind": kind, **record}} | ({"cohort_details": True} if folded else {})
    html = f"<p>{record.get('reason') or record.get('title') or kind}</p>"
    return new_output("display_data", {"text/html": html, "text/plain": kind}, metadata=metadata)


def section(heading, *outputs, tags=()):
    return [new_markdown_cell(f"## {heading}\n\nHow to read it."), new_code_cell(outputs=list(outputs), metadata={"tags": list(tags)})]


def shown(*cells):
    return with_something_to_show(new_notebook(cells=[new_markdown_cell("# Title"), *cells])).cells


def page_of(*cells):
    return report_page(new_notebook(cells=shown(*cells)), header=HEADER, report=Report, synthetic=False, pages=[], detail="main")


NONE = output("lacking", reason="This study holds no table of <lesions>.")
TABLE = output("table", id="t", title="Counts", csv="a")


def test_a_section_without_data_is_a_line_at_the_end_where_links_to_it_lead():
    page = page_of(*section("Does it shrink?", NONE, NONE), *section("How many?", TABLE), *section("How soon?", NONE), *section("How computed?", output("text", title="M")))
    headings = re.findall(r"<h2[^>]*>([^<]+)<", page)
    assert headings == ["How many?", "How computed?", "What does this study not hold?"]
    line = page.split("What does this study not hold?</h2>")[1]
    assert "<li>This study holds no table of &lt;lesions&gt;." in line
    assert line.count("<li>") == 1
    assert re.findall(r'<span id="([^"]+)">([^<]+)</span>', line) == [("does-it-shrink", "Does it shrink?"), ("how-soon", "How soon?")]
    assert "How to read it" not in line


def test_sections_that_show_anything_stay():
    kept = shown(*section("A", NONE, TABLE), *section("B", output("verdict", id="v", text="", ok=True)), new_markdown_cell("## Words alone"))
    assert [cell.source.splitlines()[0] for cell in kept if cell.cell_type == "markdown"] == ["# Title", "## A", "## B", "## Words alone"]


def test_a_reason_stands_once_on_a_page():
    page = page_of(*section("A", NONE, TABLE, NONE), *section("B", NONE, TABLE), *section("C", NONE))
    assert page.count("no table of") == 2, "beside what else A shows, and for C at the end"


def test_a_section_that_shows_nothing_at_all_is_left_out_too():
    page = page_of(*section("A", TABLE), *section("B"))
    assert "This study holds nothing that answers this." in page


def test_what_is_prepared_is_no_output():
    assert "## B" not in [cell.source.splitlines()[0] for cell in shown(*section("B", NONE), *[new_code_cell(outputs=[TABLE], metadata={"tags": ["remove-cell"]})]) if cell.cell_type == "markdown"]


def test_the_notebook_itself_is_not_changed():
    cells = [*section("A", NONE, TABLE), *section("B", NONE, TABLE)]
    notebook = new_notebook(cells=cells)
    with_something_to_show(notebook)
    assert [len(cell.outputs) for cell in notebook.cells if cell.cell_type == "code"] == [2, 2]


def test_details_are_folded_and_named():
    several = [TABLE, *(output("table", folded=True, id=f"t{i}", title=f"Title {i}", csv="a") for i in range(2)), output("text", title="Words")]
    assert [(folded, len(group)) for folded, group in by_folding(several)] == [(False, 1), (True, 2), (False, 1)]
    page = page_of(*section("A", *several))
    assert re.search(r"<summary>Details: Title 0; Title 1</summary>", page)
    inside = page.split('<details class="more">')[1].split("</details>")[0]
    assert "<p>Title 0</p>" in inside
    assert "<p>Counts</p>" not in inside


@pytest.mark.parametrize("n", [1, MOST_TITLES + 1, MOST_TITLES + 2, 40])
def test_a_fold_names_the_first_of_many(n):
    named = titles([output("table", title=f"T{i}") for i in range(n)])
    assert len(named) <= MOST_TITLES + 1
    assert named[0] == "T0"
    assert (named[-1] == f"and {n - MOST_TITLES} more") == (n > MOST_TITLES + 1)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_page_asks_few_questions(name):
    headings = [cell.source.splitlines()[0] for cell in read_notebook(name).cells if cell.cell_type == "markdown" and cell.source.startswith("## ")]
    assert 5 <= len(headings) - 1 <= 8, "questions before the methods"
    assert headings[-1] == "## How was this computed?"


@pytest.mark.parametrize("study", ["rair_dtc", "colon"])
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_no_answer_stands_twice(name, study):
    """What the key results say is not said again below them."""
    shown_here = shipped(name, f"data/{study}")
    lacking = {record["reason"] for record in shown_here.records("lacking")}
    said = [call.result for call in shown_here.calls if call.name.startswith("sentence_")]
    each = {sentence for answer in said for sentence in ([answer] if isinstance(answer, str) else answer)}
    paragraphs = [data.get("text/plain", "") for data, metadata in shown_here.outputs if "svg" not in str(data.keys())]
    assert each
    assert {sentence for sentence in each - lacking - {""} if sum(text.count(sentence) for text in paragraphs) > 1} == set()


def test_what_a_study_lacks_is_said_with_its_reason_and_never_within_a_fold(monkeypatch):
    without_drawing(monkeypatch)
    found = run_notebook("safety", monkeypatch, study="data/colon")
    lacking = [(metadata["cohort_report"]["reason"], metadata) for _, metadata in found.outputs if metadata.get("cohort_report", {}).get("kind") == "lacking"]
    assert {reason for reason, _ in lacking} == {"This study holds no table of adverse events.", "This study holds no table of markers."}
    assert not [metadata for _, metadata in lacking if metadata.get("cohort_details")]
