"""The notebooks: how they read, over a grid of parameters, and check cells that notice a falsified value."""

import ast
import io
import re
import subprocess
import sys
from itertools import chain

import nbformat
import numpy as np
import pandas as pd
import pytest
from notebook_cells import CHECK, EVERY, IGNORE, NOTEBOOKS, each_week, read_notebook, run_notebook, shipped, words_alone
from papermill.inspection import inspect_notebook

from lib.report.published import compare_published
from lib.report.results import KEY
from lib.study.claims import read_claims
from lib.study.parameters import NOTEBOOKS as MODELS
from lib.study.study import ROOT, read_study

pytestmark = pytest.mark.notebook

RAIR, COLON = "data/rair_dtc", "data/colon"
# Arms, subgroup, then the others: each two values of arms and subgroup meet once (the orthogonal array L9), a third in each
# notebook, so that each sees every value; of the other parameters both values meet each of these.
ARMS = ({}, {"arms": ["A", "C"]}, {"arms": ["B"]})
SUBGROUPS = ({}, {"subgroup": "sex", "subgroup_values": ["M"]}, {"subgroup": "age60", "subgroup_values": [">=60"]})
OTHERS = {
    (0, 0): {"cutoff": "2021-06-30", "level": 0.9}, (1, 1): {"reference": "C"}, (2, 2): {"cutoff": "2021-06-30"},
    (0, 1): {"reference": "C", "level": 0.9}, (1, 2): {"cutoff": "2021-06-30"}, (2, 0): {"audience": "share"},
    (0, 2): {"reference": "C", "cutoff": "2021-06-30"}, (1, 0): {"level": 0.9, "reference": "C"}, (2, 1): {"audience": "share", "level": 0.9},
}  # fmt: skip
THIRDS = [[{"study": RAIR, **ARMS[arms], **SUBGROUPS[(arms + shift) % 3], **OTHERS[arms, (arms + shift) % 3]} for arms in range(3)] for shift in range(3)]
ONE_COLON = {"study": COLON, "arms": ["Lev", "Lev5FU"], "subgroup": "age65", "subgroup_values": ["<65"]}
COMMON = [{"study": RAIR}, {"study": COLON}, {"study": RAIR, "audience": "share"}, ONE_COLON]
OWN = {
    "cohort": [{"study": RAIR, "show_p_values": True}, {"study": COLON, "show_p_values": True}],
    "efficacy": [
        {"study": RAIR, "endpoint": "os", "response_visits": [3]},
        {"study": COLON, "endpoint": "death"},
        {"study": RAIR, "endpoint": "ttlp", "landmarks": [6, 400]},
    ],
    "robustness": [{"study": RAIR, "endpoint": "os"}, {"study": COLON, "endpoint": "death"}],
    "models": [{"study": RAIR, "endpoint": "os", "scepticism": 0.2}, {"study": COLON, "endpoint": "death"}],
    "safety": [{"study": RAIR, "threshold_percent": 20, "profiles": "all"}],
}
# Drawn too, beside both studies and what is shared of one: one arm, two of another study, times past the last patient, all
# profiles. Of the others' pictures tests/whole/golden holds the coordinates, in studies of their kinds.
DRAWN = [*(third[2] for third in THIRDS), ONE_COLON, OWN["efficacy"][-1], OWN["safety"][-1]]
GRID = [(name, parameters) for i, name in enumerate(NOTEBOOKS)
        for parameters in [*COMMON, *each_week(chain(*THIRDS), THIRDS[i % 3]), *OWN[name]]]  # fmt: skip


def code_cells(name):
    return [cell for cell in read_notebook(name).cells if cell.cell_type == "code"]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_parameters_cell_is_the_model(name):
    cell = next(c for c in code_cells(name) if "parameters" in c.metadata.get("tags", []))
    lines = cell.source.splitlines()
    assert all("  # " in line for line in lines), "every parameter has a comment"
    found = {node.target.id: ast.literal_eval(node.value) for node in ast.parse(cell.source).body}
    model = MODELS[name]
    assert list(found) == list(model.model_fields)
    assert model.model_validate(found) == model()
    assert list(inspect_notebook(str(ROOT / "notebooks" / f"{name}.ipynb"))) == list(found), "papermill reads a line of the cell otherwise"


@pytest.mark.parametrize("name", EVERY)
def test_a_notebook_reads_like_a_paper(name):
    cells = read_notebook(name).cells
    assert cells[0].cell_type == "markdown"
    assert cells[0].source.startswith("# ")
    for cell in code_cells(name):
        tree = ast.parse(cell.source)
        assert not any(isinstance(node, ast.FunctionDef | ast.ClassDef | ast.For | ast.If) for node in ast.walk(tree))
        tags = cell.metadata.get("tags", [])
        assert len(cell.source.splitlines()) <= (16 if {"parameters", "remove-cell"} & set(tags) else 8)
        assert not (cell.outputs and IGNORE in tags), "what depends on the day is not stored"
    headings = [c.source.splitlines()[0] for c in cells if c.cell_type == "markdown" and c.source.startswith("##")]
    assert all(heading.endswith("?") for heading in headings)


@pytest.mark.parametrize(
    ("name", "parameters"), GRID, ids=lambda v: v if isinstance(v, str) else "-".join(map(str, v.values()))
)
def test_a_notebook_runs_over_the_grid(name, parameters, monkeypatch):
    plain = set(parameters) <= {"study", "audience"}
    if not plain and parameters not in DRAWN:
        words_alone(monkeypatch)
    shown = shipped(name, **parameters) if plain else run_notebook(name, monkeypatch, **parameters)
    results = pd.read_csv(io.StringIO(shown.records("results")[0]["csv"]))
    assert not results.duplicated(KEY).any()
    assert np.isfinite(results["value"].dropna().astype(float)).all()
    assert shown.records("header")[0]["arms"]
    text = shown.text + "".join(record["csv"] for record in shown.records("table"))
    assert not re.search(r"\b(nan|NaN|None(?! of \d)|inf)\b", text)
    assert not re.search(r"superior|no difference|equally (safe|effective) as", text)
    n = sum(arm["n"] for arm in shown.records("header")[0]["arms"])
    assert n == len(shown.names["page"].data.patients)
    assert all(count <= n for count in results[(results["statistic"] == "n_risk") & (results["unit"] != "lesions")]["value"])


def test_sentences_carry_the_recorded_numbers():
    """Each "x/y (z%" in the text is a count and a denominator of results.csv."""
    for name in ("efficacy", "safety"):
        shown = shipped(name, RAIR)
        results = pd.read_csv(io.StringIO(shown.records("results")[0]["csv"]))
        wide = results.set_index([*KEY[1:]])["value"].unstack("statistic")
        pairs = {(int(c), int(n)) for c, n in wide[["count", "n"]].dropna().to_numpy()}
        spoken = "\n".join(s for record in shown.records("key_results") for s in record["sentences"])
        found = re.findall(r"(\d+)/(\d+)", spoken)
        assert found
        assert {(int(a), int(b)) for a, b in found} <= pairs


def test_the_published_claims_all_match():
    shown = shipped("efficacy", RAIR)
    page = shown.names["page"]
    claims = compare_published(read_claims(page.data.study.folder), page.results)
    assert len(claims) == 15
    assert claims[claims["verdict"] != "matches"].empty, claims[claims["verdict"] != "matches"].to_string()
    # The data were calibrated to the claims: that they match is no merit, and gets no tick.
    assert page.data.study.study.synthetic
    assert shown.records("verdict")[0]["ok"] is None


def test_a_study_without_tables_says_so():
    shown = shipped("efficacy", COLON)
    assert "no table of measurements" in shown.text
    assert "no table of markers" in shown.text
    assert "no table of adverse events" in shipped("safety", COLON).text


def test_the_page_says_that_the_data_are_synthetic():
    for name in NOTEBOOKS:
        html = "".join(d.get("text/html", "") for d, _ in shipped(name, RAIR).outputs)
        assert "These data are synthetic" in html
        assert "These data are synthetic" not in "".join(
            d.get("text/html", "") for d, _ in shipped(name, COLON).outputs
        )


def test_arms_and_endpoints_live_in_study_yml_alone():
    """No word of the first study is in the code."""
    study = read_study(ROOT / RAIR)
    words = (
        {arm.label for arm in study.arms}
        | {m.label for m in study.markers if m.role != "safety"}  # tests of the liver have one name everywhere
        | {e.id for e in study.endpoints if e.id != "os"}
    )
    words |= {"thyro", "anlotinib", "iodine", "RAIR"}
    sources = {str(path): path.read_text(encoding="utf-8") for path in (ROOT / "lib").rglob("*.py")}
    sources |= {name: "\n".join(c.source for c in code_cells(name)) for name in NOTEBOOKS}
    for name, source in sources.items():
        body = source.replace('"data/rair_dtc"', "").replace('"os"', "")
        assert not [word for word in words if word.lower() in body.lower()], name


def nbval(path, every):
    """Run a notebook and compare every output that it stores, or those of its check cells."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval" if every else "--nbval-lax",
        "--nbval-current-env",
        "-p",
        "no:cacheprovider",
        "-c",
        "/dev/null",
        str(path),
    ]
    return subprocess.run(command, capture_output=True, text=True, cwd=path.parent, check=False)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_a_notebook_stores_is_what_it_shows(name):
    """Text, tables and pictures byte by byte, whatever stands in the committed file."""
    cells = [c for c in code_cells(name) if IGNORE not in c.metadata.get("tags", [])]
    stored = [output.data for cell in cells for output in cell.outputs]
    shown = [data for data, _ in shipped(name, RAIR).outputs]
    assert len(stored) > 20
    for before, now in zip(stored, shown, strict=False):
        assert {kind: before[kind] for kind in now} == now
    pictures = [before for before in stored if "image/svg+xml" in before]
    assert all(before["image/png"] for before in pictures)
    # the cells that are not stored come last
    assert len(shown) - len(stored) == 3


# Of the two ways to compare, one notebook each: what the others store is held above, byte by byte.
@pytest.mark.parametrize("name", each_week(EVERY, ("cohort", "explore")))
def test_a_falsified_value_is_noticed(name, tmp_path):
    """What is committed passes; a copy of a cell, with one digit of its stored output changed, fails."""
    notebook = read_notebook(name)
    tagged = [c for c in notebook.cells if CHECK in c.metadata.get("tags", [])]
    cell = tagged[0] if tagged else next(c for c in notebook.cells if c.cell_type == "code" and "page.header" in c.source)
    copy = nbformat.from_dict(cell | {"id": "falsified"})
    output = copy.outputs[0]
    text = output.text if tagged else output.data["text/plain"]
    wrong = re.sub(r"\d(?!.*\d)", lambda digit: str((int(digit[0]) + 1) % 10), text, count=1, flags=re.DOTALL)
    assert wrong != text
    if tagged:
        output.text = wrong
    else:
        output.data["text/plain"] = wrong
    notebook.cells.append(copy)
    nbformat.write(notebook, tmp_path / "notebook.ipynb")
    done = nbval(tmp_path / "notebook.ipynb", every=not tagged)
    assert done.returncode == 1, done.stdout
    assert re.search(r"^1 failed, \d+ passed", done.stdout.splitlines()[-1].strip("= ")), done.stdout
    last = sum(c.cell_type == "code" for c in notebook.cells) - 1
    assert f"Cell {last}" in done.stdout
    assert "mismatch" in done.stdout
