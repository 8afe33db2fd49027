"""A parameter that a notebook does not know: refused by the notebook itself, whoever executes it."""

import subprocess
import sys

import nbformat
import pytest
from notebook_cells import NOTEBOOKS, read_notebook
from papermill import PapermillExecutionError, execute_notebook

from lib.report.given import assigned_in, given
from lib.study.parameters import NOTEBOOKS as MODELS
from lib.study.parameters import check_parameters
from lib.study.study import ROOT
from lib.study.yaml_file import ProblemsFound

pytestmark = pytest.mark.notebook

KNOWN = ["study", "arms", "level", "audience"]
CELL = 'study: str = "data/rair_dtc"\narms: list = []\nlevel: float = 0.95\naudience: str = "internal"'
START = "page = report.start('safety', globals())"


def ran(*cells: str, **names) -> dict:
    """Globals of a kernel that has run these cells, the last of which asks."""
    return {"study": "s", "arms": [], "level": 0.95, "audience": "internal", "_ih": ["", *cells], **names}


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        ([CELL, START], set()),
        ([CELL, "# Parameters\nendpoimt = 'os'\n", START], {"endpoimt"}),
        ([CELL, "# Parameters\nstudy = 's'\naudiense = 'share'\n", START], {"audiense"}),
        ([CELL.replace("audience:", "audiense:"), START], {"audiense"}),
        ([CELL + "\nlevle = 0.9", START], {"levle"}),
        # corrected and run again, the cell of parameters or papermill's own
        ([CELL + "\nlevle = 0.9", START, CELL, START], set()),
        ([CELL, "# Parameters\nlevle = 0.9\n", START, CELL, START], set()),
        # not corrected
        ([CELL + "\nlevle = 0.9", START, START], {"levle"}),
        ([CELL, "# Parameters\nlevle = 0.9\n", START, START], {"levle"}),
        # names of other cells are nobody's business, before the first start and when it is run again
        (["x = 5", CELL, "y = 3", START, "data = page.data\nx, y = 1, 2", START], set()),
        ([CELL, "for level in (1, 2):\n    z = level", "%%broken", START], set()),
    ],
)
def test_names_beside_parameters_are_found(cells, found):
    names = dict.fromkeys(["endpoimt", "audiense", "levle", "x", "y", "z", "data", "page"], 1)
    assert set(given(ran(*cells, **names), KNOWN)) - set(KNOWN) == found


def test_a_script_has_no_history():
    """Names of modules, functions and IPython are none of parameters."""
    names = {"study": "s", "sys": sys, "given": given, "_hidden": 1, "levle": 1}
    assert given(names, KNOWN) == {"study": "s", "levle": 1}


def test_assigned_names():
    assert assigned_in("a = b = 1\n(c, [d]) = x\ne: int = 3\nf: int\nimport g\nh(i)") == list("abcdef")


def refusals(name, **parameters):
    with pytest.raises(ProblemsFound) as caught:
        check_parameters(None, name, parameters)
    return {p.column: p.message for p in caught.value.problems}


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("study", 5, "the folder of a study"),
        ("study", ["data/colon"], "the folder of a study"),
        ("cutoff", 1686787200, "a date such as 2023-06-30, from 1920 to 2199"),
        ("cutoff", "1686787200", "a date such as 2023-06-30, from 1920 to 2199"),
        ("cutoff", "30.06.2023", "a date such as 2023-06-30, from 1920 to 2199"),
        ("cutoff", ["2023-06-30"], "a date such as 2023-06-30, from 1920 to 2199"),
        ("arms", {"A": 1}, "ids of arms, such as A,C"),
        ("arms", [["A"]], "ids of arms, such as A,C"),
        ("reference", 1.5, "the id of an arm"),
        ("subgroup_values", True, "values of the subgroup, such as F,M"),
        ("level", "high", "a number from 0.5 to 0.999"),
        ("level", 95, "a number from 0.5 to 0.999"),
        ("level", float("nan"), "a number from 0.5 to 0.999"),
        ("audience", "shared", "internal or share"),
        ("endpoint", ["os"], "the id of an endpoint"),
        ("landmarks", "soon", "at most 8 times above 0, such as 12,24"),
        ("landmarks", [0, 12], "at most 8 times above 0, such as 12,24"),
        ("landmarks", list(range(1, 10)), "at most 8 times above 0, such as 12,24"),
        ("response_visits", "3;6", "times of visits, such as 3,6"),
    ],
)
def test_a_value_of_another_type_is_one_sentence(name, value, says):
    assert refusals("efficacy", **{name: value}) == {name: f"must be {says}"}


def test_everything_is_named_at_once():
    assert set(refusals("safety", endpoint="os", threshold_percent="many", profiles=None, show_p_values=True)) == {
        "endpoint", "threshold_percent", "profiles", "show_p_values",
    }  # fmt: skip


@pytest.fixture(scope="module")
def beginnings(tmp_path_factory):
    """The notebooks up to the cell that starts the report: all that a refusal needs."""
    folder = tmp_path_factory.mktemp("notebooks")
    for name in NOTEBOOKS:
        notebook = read_notebook(name)
        first = next(i for i, cell in enumerate(notebook.cells) if "report.start" in cell.source)
        notebook.cells = notebook.cells[: first + 1]
        nbformat.write(notebook, folder / f"{name}.ipynb")
    return folder


@pytest.mark.parametrize(("name", "engine"), [("cohort", None), ("efficacy", "warm"), ("robustness", "warm"), ("models", "warm"), ("safety", "warm")])
def test_papermill_is_refused_by_name(name, engine, beginnings):
    wrong = {"audiense": "share", "level": "high"}
    with pytest.raises(PapermillExecutionError) as caught:
        execute_notebook(
            beginnings / f"{name}.ipynb", None, wrong, engine_name=engine, cwd=str(ROOT), progress_bar=False
        )
    known = ", ".join(MODELS[name].model_fields)
    assert caught.value.ename == "ProblemsFound"
    assert caught.value.traceback == [
        f"E110 parameters, audiense: unknown parameter audiense (did you mean audience?); known are {known}",
        "E110 parameters, level: must be a number from 0.5 to 0.999 (found 'high')",
    ]


def test_papermill_on_the_command_line(beginnings, tmp_path):
    command = [sys.executable, "-m", "papermill", str(beginnings / "efficacy.ipynb"), str(tmp_path / "out.ipynb")]
    done = subprocess.run([*command, "-p", "endpoimt", "os"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 1
    assert "unknown parameter endpoimt (did you mean endpoint?)" in done.stderr
    done = subprocess.run([*command, "-p", "endpoint", "os"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
