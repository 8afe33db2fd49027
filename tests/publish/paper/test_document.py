"""Executed notebooks -> a document: what the page shows, numbered, and nothing else."""

import demo_notebooks as demo
import nbformat
import pytest

from lib.publish.folder import read_report
from lib.publish.paper.document import SYNTHETIC, read_document
from lib.publish.paper.layout import Contents, Heading, Paragraph, Picture, Table


def of(document, kind):
    return [block for block in document.blocks if isinstance(block, kind)]


@pytest.fixture(scope="module")
def reports():
    return [read_report(name, demo.executed(name)) for name in ("cohort", "efficacy")]


def test_one_report(reports):
    document = read_document(reports[:1], synthetic=True)
    assert (document.title, document.running, document.flag) == ("Cohort", "Demo · Cohort", SYNTHETIC)
    assert not document.chapters
    assert [(heading.level, heading.text) for heading in of(document, Heading)] == [
        (1, "What came in"),
        (2, "A detail"),
        (1, "What came out"),
    ]
    assert of(document, Heading)[0].name == "cohort.html#what-came-in"
    assert [(table.number, table.title) for table in of(document, Table)] == [(1, "Counts")]
    (picture,) = of(document, Picture)
    assert (picture.number, picture.alt, picture.size) == (1, 'Falls from 1 to 0, "fast"', (360.0, 120.0))
    assert picture.svg.startswith("<svg")
    assert document.blocks.index(Contents()) < document.blocks.index(picture)
    assert "show(everything)" not in str(document)


def test_several_reports(reports):
    document = read_document(reports, synthetic=False)
    assert (document.title, document.running, document.flag) == ("A study of <two> arms & a half", "Demo", "")
    assert document.chapters
    assert [heading.text for heading in of(document, Heading) if heading.level == 1] == ["Cohort", "Efficacy"]
    assert [table.number for table in of(document, Table)] == [1, 2]
    assert [picture.number for picture in of(document, Picture)] == [1, 2]
    lead = [block.text for block in of(document, Paragraph)]
    assert lead.count("A question?") == 1, "the title block that the reports share stands once, in front"
    assert isinstance(document.blocks[1], Contents)


def test_a_title_block_that_differs_is_kept(reports):
    other = read_report("efficacy", demo.executed("efficacy"))
    other.notebook.cells[1].outputs[0].data["text/html"] = "<p>endpoint = os</p>"
    shown = [block.text for block in of(read_document([reports[0], other], synthetic=True), Paragraph)]
    assert "endpoint = os" in shown


def test_cells_that_the_page_leaves_out(reports):
    notebook = demo.executed("cohort")
    printed = nbformat.v4.new_output("stream", name="stdout", text="\x1b[31mseen\x1b[0m")
    noise = nbformat.v4.new_output("stream", name="stderr", text="warning")
    hidden = nbformat.v4.new_output("stream", name="stdout", text="never")
    notebook.cells.append(nbformat.v4.new_code_cell("1", outputs=[printed, noise], id="x"))
    notebook.cells.append(nbformat.v4.new_code_cell("1", outputs=[hidden], metadata={"tags": ["remove-cell"]}, id="y"))
    document = read_document([read_report("cohort", notebook)], synthetic=True)
    assert document.blocks[-1].text == "seen"
    assert "never" not in str(document)
    assert "warning" not in str(document)


def test_pictures_of_other_kinds(reports):
    notebook = demo.executed("cohort")
    data = {"image/png": "aGVsbG8=\n"}
    notebook.cells.append(
        nbformat.v4.new_code_cell("1", outputs=[nbformat.v4.new_output("display_data", data)], id="x")
    )
    picture = read_document([read_report("cohort", notebook)], synthetic=True).blocks[-1]
    assert "data:image/png;base64,aGVsbG8=" in picture.svg
    assert picture.alt
    assert picture.number == 0
