"""Executing notebooks: parameters, kernels, failures. Real notebooks in real kernels."""

import threading
import time

import demo_notebooks as demo
import nbformat
import psutil
import pytest

from lib.run.execute import NotebookFailed, execute, route_parameters, run_name, take_messages
from lib.study.parameters import NOTEBOOKS
from lib.study.study import ROOT, read_study
from lib.study.yaml_file import ProblemsFound

pytestmark = pytest.mark.notebook

ALL = list(NOTEBOOKS)


@pytest.fixture(scope="module")
def study():
    return read_study(ROOT / "data" / "rair_dtc")


def test_parameters_go_to_the_notebooks_that_know_them(study):
    routed = route_parameters(study, ALL, {"endpoint": "os", "arms": "A,C", "level": "0.9", "cutoff": "2023-06-30"})
    shared = {"study": "data/rair_dtc", "cutoff": "2023-06-30", "arms": ["A", "C"], "level": 0.9}
    assert routed == {"cohort": shared, "efficacy": shared | {"endpoint": "os"}, "robustness": shared | {"endpoint": "os"}, "models": shared | {"endpoint": "os"}, "safety": shared}


def test_names_and_values_that_no_notebook_knows_are_all_listed(study):
    with pytest.raises(ProblemsFound) as caught:
        route_parameters(study, ALL, {"endpont": "os", "level": "2", "arms": "A,D"})
    problems = {p.column: p for p in caught.value.problems}
    assert {p.code for p in problems.values()} == {"E110"}
    assert "did you mean endpoint?" in problems["endpont"].message
    assert set(problems) >= {"endpont", "level"}
    assert len(caught.value.problems) == len(set(caught.value.problems))


def test_a_parameter_of_another_notebook_is_unknown_to_this_run(study):
    with pytest.raises(ProblemsFound, match="unknown parameter endpoint"):
        route_parameters(study, ["cohort"], {"endpoint": "os"})
    with pytest.raises(ProblemsFound, match="--study"):
        route_parameters(study, ALL, {"study": "data/colon"})


def test_run_is_named_after_what_was_asked(study):
    def name(notebooks=ALL, **given):
        return run_name(route_parameters(study, notebooks, given))

    assert name() == "default"
    assert name(endpoint="os", cutoff="2023-06-30") == "cutoff=2023-06-30,endpoint=os"
    assert name(cutoff="2023-06-30", endpoint="os") == name(endpoint="os", cutoff="2023-06-30")
    assert name(["efficacy"], arms="A,C", level=0.9) == "efficacy,arms=A+C,level=0.9"
    below = name(subgroup="age60", subgroup_values="<60")
    above = name(subgroup="age60", subgroup_values=">=60")
    assert below != above
    assert not set(below + above) & set('<>:"/\\|?*')


def test_execution(tmp_path):
    """Parameters arrive; the kernel stands in the repository, in a fixed environment; nothing differs between runs."""
    report = "import os, sys; print(level, os.getcwd(), os.environ['PYTHONHASHSEED'], os.environ['TZ']); import lib"
    notebooks = demo.write(tmp_path, cohort=report, efficacy="")
    parameters = {"cohort": {"level": 0.5}, "efficacy": {"level": 0.5}}
    seen = []
    first = execute(notebooks, parameters, 2, lambda *what: seen.append(what))
    assert list(first) == ["cohort", "efficacy"]
    printed = next(cell for cell in first["cohort"].cells if cell.id == "code").outputs[0].text
    assert printed == f"0.5 {ROOT} 0 UTC\n"
    assert [s for s in seen if s[0] == "efficacy"][-2:] == [("efficacy", 6, 6, "A question"), ("efficacy", 7, 6, "")]
    again = execute(notebooks, parameters, 1)
    assert {n: nbformat.writes(b) for n, b in first.items()} == {n: nbformat.writes(b) for n, b in again.items()}


@pytest.mark.usefixtures("no_kernel_left")
def test_failing_notebook(tmp_path):
    """The cell is numbered as in the notebook that the user opens; the other notebook is stopped at once."""
    notebooks = demo.write(tmp_path, cohort="import time\ntime.sleep(300)", efficacy="x = 1\nassert x == 2, 'not two'")
    started = time.monotonic()
    with pytest.raises(NotebookFailed) as caught:
        execute(notebooks, {"cohort": {"level": 0.5}, "efficacy": {"level": 0.5}}, 2)
    assert time.monotonic() - started < 60
    failure = caught.value
    assert (failure.notebook, failure.cell, failure.error) == ("efficacy", 4, "AssertionError: not two")
    assert "assert x == 2" in failure.source
    assert failure.parameters == {"level": 0.5}


def test_failure_in_the_cell_of_parameters(tmp_path):
    notebooks = demo.write(tmp_path, cohort="")
    notebook = nbformat.read(notebooks / "cohort.ipynb", as_version=4)
    notebook.cells[1].source = "level = 1 / 0"
    nbformat.write(notebook, notebooks / "cohort.ipynb")
    with pytest.raises(NotebookFailed, match="cell 2: ZeroDivisionError"):
        execute(notebooks, {"cohort": {"level": 0.5}})


@pytest.mark.usefixtures("no_kernel_left")
def test_kernel_that_dies(tmp_path):
    notebooks = demo.write(tmp_path, cohort="import os\nos._exit(1)")
    with pytest.raises(NotebookFailed, match=r"cohort.*its kernel ended; most often the memory"):
        execute(notebooks, {"cohort": {"level": 0.5}})


def test_notebook_that_is_no_notebook(tmp_path):
    (tmp_path / "cohort.ipynb").write_text("not a notebook")
    with pytest.raises(NotebookFailed, match=r"cohort\.ipynb"):
        execute(tmp_path, {"cohort": {}})


@pytest.mark.usefixtures("no_kernel_left")
def test_interrupted(tmp_path):
    """Ctrl-C reaches the main thread only: the kernels must end with it."""
    notebooks = demo.write(tmp_path, cohort="import time\ntime.sleep(300)")
    asleep = threading.Event()

    def interrupt():
        asleep.wait(60)
        time.sleep(0.5)
        psutil.Process().send_signal(2)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        execute(notebooks, {"cohort": {}}, 1, lambda name, number, *_: asleep.set() if number == 4 else None)


def test_messages_are_taken_out(tmp_path):
    code = "import sys, warnings; warnings.warn('careful'); print('kept'); print('noise', file=sys.stderr)"
    done = execute(demo.write(tmp_path, cohort=code), {"cohort": {"level": 0.5}})["cohort"]
    messages = take_messages(done)
    assert len(messages) == 1
    assert messages[0].startswith("cell 5: ")
    assert "UserWarning: careful" in messages[0]
    assert "noise" in messages[0]
    text = nbformat.writes(done)
    assert "kept" in text
    assert "UserWarning" not in text
    assert take_messages(done) == []


@pytest.fixture
def no_kernel_left():
    """What the test starts has ended when it ends; what an earlier test file left running is not its own."""
    before = set(psutil.Process().children(recursive=True))
    yield
    started = set(psutil.Process().children(recursive=True)) - before
    _, alive = psutil.wait_procs([process for process in started if not _is_server(process)], timeout=10)
    assert alive == []


def _is_server(process) -> bool:
    """The server of kernels stays for the next run; a kernel is its child."""
    try:
        return "lib.run.kernel_server" in " ".join(process.cmdline()) and process.ppid() == psutil.Process().pid
    except psutil.NoSuchProcess:
        return False
