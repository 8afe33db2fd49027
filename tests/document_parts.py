"""Documents to test with: of a notebook that was run in this process, and of cells that try to act."""

from __future__ import annotations

import io
import re
from functools import cache

import nbformat
import pypdf
import pytest
from nbformat.v4 import new_code_cell, new_output
from notebook_cells import read_notebook, run_notebook, shipped

from lib.publish.folder import Report, read_report
from lib.publish.paper.document import Document, read_document

# What a cell of a hostile table holds: markup of every language that a document passes through.
HOSTILE = [
    '#panic("run") #link("https://evil.example")[x] $x$ `raw` *b* _i_ @ref <label> \\ // c',
    "<script>alert(1)</script>&lt;w:fldSimple/&gt;",
    "=cmd|' /C calc'!A0",
    '{ HYPERLINK "https://evil.example" } {INCLUDETEXT "/etc/passwd"}',
    ']] #eval("1") \\u{1F600} ]',
    "nul\x00bell\x07escape\x1b[31m",
    "\ud7ff\u202eright to left",
    "{{ 7 * 7 }} {% raw %}",
    "x" * 400,
]


def executed(name: str, study: str, arms: str, audience: str) -> nbformat.NotebookNode:
    """A notebook that was run in this process, with its text and with everything it showed."""
    notebook = read_notebook(name)
    if arms:
        with pytest.MonkeyPatch.context() as monkeypatch:
            shown = run_notebook(name, monkeypatch, study=study, arms=[arms], audience=audience)
    else:
        shown = shipped(name, study, audience)
    outputs = [new_output("display_data", data, metadata=metadata) for data, metadata in shown.outputs]
    text = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    notebook.cells = [text[0], new_code_cell("show()", outputs=outputs, id="all"), *text[1:]]
    return notebook


@cache
def report_and_document(
    name: str, study: str, arms: str = "", audience: str = "internal", *, details: bool = True
) -> tuple[Report, Document]:
    """The report of a notebook that was run, and its document, with what the page folds or without."""
    notebook = executed(name, study, arms, audience)
    report = read_report(name, notebook)
    return report, read_document([report], report.header["synthetic"], details=details)


def read_pdf(content: bytes) -> pypdf.PdfReader:
    """A PDF opened."""
    return pypdf.PdfReader(io.BytesIO(content))


def squeezed(text: str) -> str:
    """Text without white space and without ligatures."""
    return re.sub(r"\s+", "", text.replace("ﬁ", "fi").replace("ﬀ", "ff"))


def embedded(reader: pypdf.PdfReader) -> dict[str, bool]:
    """Whether each font of a PDF is embedded, by its name."""
    found = {}
    for page in reader.pages:
        for font in (page["/Resources"].get("/Font") or {}).values():
            descendant = font.get_object()["/DescendantFonts"][0].get_object()
            descriptor = descendant["/FontDescriptor"].get_object()
            found[descriptor["/FontName"]] = bool({"/FontFile2", "/FontFile3"} & set(descriptor))
    return found
