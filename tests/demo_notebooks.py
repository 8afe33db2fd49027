"""Notebooks small enough to execute in a test, which keep the promises that the runner relies on."""

import json
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

COLUMNS = "report,output,variable,group,time,statistic,value,method,unit"
HEADER = {
    "kind": "header",
    "title": "A study of <two> arms & a half",
    "short_title": "Demo",
    "synthetic": True,
    "cutoff": "2025-02-28",
    "arms": [
        {"id": "A", "label": "Drug", "colour": "#0072B2", "n": 14},
        {"id": "B", "label": "Seeds", "colour": "#D55E00", "n": 25},
    ],
    "parameters": {},
    "queries": {"error": 0, "warning": 2},
}
SVG = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns:xlink="http://www.w3.org/1999/xlink" width="360pt" height="120pt" viewBox="0 0 360 120"
  xmlns="http://www.w3.org/2000/svg">
 <metadata><dc:date xmlns:dc="x">1970</dc:date></metadata>
 <defs><style type="text/css">*{stroke-linejoin: round}</style>
  <clipPath id="p1"><rect width="360" height="120"/></clipPath></defs>
 <g id="axes_1" clip-path="url(#p1)"><path id="m1" d="M10 10 H180 V60 H350" fill="none" stroke="#0072B2"/></g>
 <use xlink:href="#m1" y="20"/><text x="20" y="100" font-size="12">Months</text>
</svg>
"""
TABLE = """<figure class="tablefig"><div class="scroll" tabindex="0" role="region" aria-label="Table: Counts">
<table class="ct"><caption>Counts</caption>
<thead><tr><th scope="col">Step</th><th scope="col" class="num">n</th></tr></thead>
<tbody><tr><th scope="row">Treated</th><td class="num">39</td></tr></tbody>
</table></div></figure>"""
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
PARAMETERS = """study: str = "data/rair_dtc"
cutoff: str = ""
arms: list = []
level: float = 0.95
endpoint: str = ''"""


def shown(record: dict, html: str = "", **data: str) -> dict:
    """An output as a kernel would return it."""
    data |= {"text/html": html} if html else {"text/plain": "-"}
    return new_output("display_data", data, metadata={"cohort_report": record})


def outputs(name: str) -> list:
    """One output of each kind, as a report has them."""
    table = {"kind": "table", "id": f"{name}_counts", "title": "Counts", "csv": "Step,n\nTreated,39\n"}
    figure = {"kind": "figure", "id": "curve", "title": "A curve", "alt": 'Falls from 1 to 0, "fast"'}
    row = f"{name},flow,all,overall,,n,39,count,patients"
    return [
        shown(HEADER, '<div class="titleblock"><p class="lead">A question?</p></div>'),
        shown({"kind": "key_results", "sentences": ["39 patients < 40 & more."]}),
        shown(table, TABLE),
        shown(figure, **{"image/svg+xml": SVG}),
        shown({"kind": "verdict", "id": "self_check", "text": "All checks hold.", "ok": True}),
        shown({"kind": "results", "csv": f"{COLUMNS}\n{row}\n"}),
    ]


def executed(name: str, extra: list | None = None) -> nbformat.NotebookNode:
    """A notebook that looks executed."""
    shown_here = outputs(name) + (extra or [])
    cells = [
        new_markdown_cell(f"# {name.capitalize()}\n\nText with *words*.", id="a"),
        new_code_cell("show(everything)  # the source", outputs=shown_here, execution_count=1, id="b"),
        new_markdown_cell("## What came in\n\n### A detail", id="c"),
        new_markdown_cell("## What came out", id="d"),
    ]
    return new_notebook(cells=cells, metadata=KERNEL)


def source(name: str, code: str = "") -> nbformat.NotebookNode:
    """A notebook to execute: it runs `code`, then shows one output of each kind."""
    kept = [(output.data, output.metadata) for output in outputs(name)]
    literal = json.dumps(json.dumps(kept))
    show = f"for data, metadata in json.loads({literal}):\n    display(data, raw=True, metadata=metadata)"
    cells = [
        new_markdown_cell("# Title", id="title"),
        new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}, id="parameters"),
        new_markdown_cell("## A question", id="question"),
        new_code_cell(code or "1", metadata={"tags": ["remove-cell"]}, id="code"),
        new_code_cell(f"import json\nfrom IPython.display import display\n{show}", id="show"),
    ]
    return new_notebook(cells=cells, metadata=KERNEL)


def write(folder: Path, **codes: str) -> Path:
    """Write notebooks named by the keywords into `folder/notebooks`; each runs its code first."""
    notebooks = folder / "notebooks"
    notebooks.mkdir(exist_ok=True)
    for name, code in codes.items():
        nbformat.write(source(name, code), notebooks / f"{name}.ipynb")
    return notebooks
