"""Warm kernels: clean processes, the same outputs as ordinary ones, nothing left behind, and a way back."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import demo_notebooks as demo
import nbformat
import psutil
import pytest
from notebook_cells import NOTEBOOKS, each_week

from lib.run import kernels
from lib.run.execute import execute
from lib.study.study import ROOT

# What a cell can spoil for whoever comes after it in the same process.
SPOIL = """
import os, random, sys, warnings, builtins
import numpy as np, pandas as pd, matplotlib as mpl
import lib.show.formats
lib.show.formats.spoilt = builtins.spoilt = pd.spoilt = True
os.environ["SPOILT"] = "1"; os.chdir("/")
random.seed(1); np.random.seed(1)
mpl.rcParams["font.size"] = 40; pd.set_option("display.max_rows", 3)
warnings.simplefilter("ignore"); sys.path.insert(0, "/spoilt")
spoilt = True
"""
LOOK = """
import os, random, sys, warnings, builtins
import numpy as np, pandas as pd, matplotlib as mpl
import lib.show.formats
print("spoilt" in globals(), hasattr(lib.show.formats, "spoilt"), hasattr(builtins, "spoilt"), hasattr(pd, "spoilt"))
print(os.environ.get("SPOILT"), os.getcwd(), "/spoilt" in sys.path, len(sys.path))
print(mpl.rcParams["font.size"], mpl.get_backend(), pd.get_option("display.max_rows"), sorted(map(str, warnings.filters)))
print(os.environ["PYTHONHASHSEED"], hash("a"), sorted({"b", "a", "c"}), sys.argv[0], __name__, sys.stdin.isatty())
"""
DRAW = "import random, numpy as np\nprint(random.random(), np.random.random())"


@pytest.fixture(autouse=True)
def _own_server():
    """Each test starts and ends without a server."""
    kernels.shut_down()
    yield
    kernels.shut_down()


def _printed(notebook) -> str:
    return "".join(o.text for o in notebook.cells[-2].outputs if o.output_type == "stream")


def _children() -> list:
    """Servers of kernels and what they fork; another test of this process may have left a child that is neither."""
    return [child for child in psutil.Process().children(recursive=True) if kernels.SERVER in _command(child)]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:  # ended in between
        return []


def _run(folder, code, **options) -> str:
    return _printed(execute(demo.write(folder, cohort=code), {"cohort": {"level": 0.5}}, **options)["cohort"])


@pytest.mark.notebook
def test_nothing_of_one_notebook_reaches_the_next(tmp_path):
    clean = _run(tmp_path, LOOK)
    assert clean.startswith("False False False False\n")
    _run(tmp_path, SPOIL)
    assert _run(tmp_path, LOOK) == clean
    assert _run(tmp_path, LOOK, warm=False) == clean


@pytest.mark.notebook
def test_random_numbers_are_new_in_each_kernel(tmp_path):
    """As in an ordinary kernel, which takes its seed from the system: a copied generator would repeat itself."""
    assert len({number for _ in range(3) for number in _run(tmp_path, DRAW).split()}) == 6


@pytest.mark.notebook
def test_kernels_are_forked_from_one_server_that_has_the_imports(tmp_path):
    where = (
        "import os, sys\nprint(os.getpid(), os.getppid(), 'lib.analyses.cohort.flow' in sys.modules)\nif False:\n    import lib.analyses.cohort.flow"
    )
    first, second = _run(tmp_path, where).split(), _run(tmp_path, where).split()
    [server] = _children()
    assert first[0] != second[0]
    assert first[1:] == second[1:] == [str(server.pid), "True"]
    assert "ipykernel_launcher" not in " ".join(server.cmdline())
    fresh = _run(tmp_path, where, warm=False).split()
    assert fresh[1:] == [str(os.getpid()), "False"]
    kernels.shut_down()
    assert _children() == []


@pytest.mark.notebook
def test_changed_environment_or_code_starts_another_server(tmp_path, monkeypatch):
    ask = "import os\nprint(os.getppid(), os.environ.get('OMP_MAX_ACTIVE_LEVELS'))"
    first = _run(tmp_path, ask).split()
    monkeypatch.setenv("SOMETHING_ELSE", "1")
    assert _run(tmp_path, ask).split() == first
    monkeypatch.setenv("OMP_MAX_ACTIVE_LEVELS", "1")
    second = _run(tmp_path, ask).split()
    assert second[0] != first[0]
    assert second[1] == "1"
    kernels.shut_down()
    assert _children() == []


@pytest.mark.notebook
def test_a_kernel_that_runs_outlives_a_change_of_the_code(tmp_path):
    """Its server no longer serves, but stays: without it the kernel would end in the middle of a report."""

    def changed(*_):
        kernels._server_for(kernels.kernel_environment() | {"OMP_MAX_ACTIVE_LEVELS": "1"})

    assert _run(tmp_path, "print('to the end')", progress=changed) == "to the end\n"
    assert len(_children()) == 2
    kernels.shut_down()
    assert _children() == []


@pytest.mark.notebook
@pytest.mark.parametrize("how", ["no fork", "server broken"])
def test_ordinary_kernels_where_warm_ones_cannot_be(tmp_path, monkeypatch, how):
    if how == "no fork":
        monkeypatch.setattr(kernels, "CAN_FORK", False)
    else:
        monkeypatch.setattr(kernels, "SERVER", "lib.no_such_module")
    assert _run(tmp_path, "import os\nprint(os.getppid())").strip() == str(os.getpid())


@pytest.mark.notebook
def test_import_that_warns_stays_in_the_notebook(tmp_path, capfd):
    """A warning at import belongs into the notebook that imports, where `--strict` finds it: no warm kernel then."""
    (tmp_path / "frowning.py").write_text("import warnings\nwarnings.warn('careful')\n")
    code = f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\nimport frowning"
    os.environ["PYTHONPATH"], before = str(tmp_path), os.environ.get("PYTHONPATH")
    try:
        done = execute(demo.write(tmp_path, cohort=code), {"cohort": {"level": 0.5}})["cohort"]
    finally:
        os.environ.pop("PYTHONPATH") if before is None else os.environ.update(PYTHONPATH=before)
    assert "careful" in nbformat.writes(done)


@pytest.mark.parametrize(
    ("code", "modules"),
    [
        ("import a.b, c as d", ["a.b", "c"]),
        ("from lib import analyse", ["lib", "lib.analyse"]),
        ("%matplotlib inline\nimport a", []),
        ("from . import a", []),
        ("def f():\n    import late", ["late"]),
    ],
)
def test_imports_are_read_from_the_cells(code, modules):
    assert kernels.imported_by(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])) == modules


@pytest.mark.notebook
@pytest.mark.parametrize("victim", ["parent", "server"])
def test_sigkill_leaves_neither_process_nor_file(tmp_path, tmp_path_factory, victim):
    """The whole chain ends by itself: runner, server, kernel, and what the kernel has started."""
    told = tmp_path / "told"
    code = (
        "import os, pathlib, subprocess, time\n"
        "sleeper = subprocess.Popen(['sleep', '60'])\n"
        f"pathlib.Path({str(told)!r}).write_text(f'{{os.getppid()}} {{os.getpid()}} {{sleeper.pid}}')\n"
        "time.sleep(60)"
    )
    notebooks = demo.write(tmp_path, cohort=code)
    runtime = tmp_path_factory.mktemp("r")  # as short as where sockets usually lie
    program = (
        f"from pathlib import Path\nfrom lib.run.execute import execute\nexecute(Path({str(notebooks)!r}), {{'cohort': {{}}}})"
    )
    env = os.environ | {"TMPDIR": str(runtime), "JUPYTER_RUNTIME_DIR": str(runtime)}
    with (tmp_path / "said").open("wb") as said:
        runner = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, env=env, stderr=said)
    try:
        _until(lambda: told.exists() and len(told.read_text().split()) == 3, 120)
        chain = [psutil.Process(int(pid)) for pid in told.read_text().split()]
        (folder,) = runtime.iterdir()
        assert folder.stat().st_mode & 0o777 == 0o700
        assert len(list(folder.iterdir())) == 6, "five sockets, and the file that says where they are"
        os.kill(runner.pid if victim == "parent" else chain[0].pid, signal.SIGKILL)
        runner.wait(20)
        watched = chain if victim == "parent" else chain[:2]
        _, alive = psutil.wait_procs(watched, timeout=20)
        assert alive == []
        assert list(runtime.iterdir()) == []
        if victim == "server":
            assert "the memory did not suffice" in (tmp_path / "said").read_text()
    finally:
        runner.kill()
        runner.wait()
        if victim == "server":
            chain[2].kill()


@pytest.mark.notebook
@pytest.mark.parametrize("deep", [False, True])
def test_a_kernel_takes_no_port_where_its_folder_can_hold_sockets(tmp_path, tmp_path_factory, monkeypatch, deep):
    """A port that was chosen may be another's before the kernel takes it; a path that is too long for a socket needs ports."""
    folder = tmp_path_factory.mktemp("r") / ("d" * 60 if deep else "")
    folder.mkdir(exist_ok=True)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    said = _run(tmp_path, "import os, psutil\nprint(len([c for c in psutil.Process().net_connections('inet') if c.status == 'LISTEN']))")
    # One is the kernel's own: it hears there what its child processes print.
    assert int(said) == (6 if deep or not kernels.CAN_FORK else 1)
    kernels.shut_down()
    assert list(folder.iterdir()) == []


@pytest.mark.notebook
def test_papermill_command(tmp_path):
    """As a user of papermill calls it: the engine is found by name, and its kernels leave nothing."""
    notebooks = demo.write(tmp_path, cohort="import os\nprint(level, os.getcwd())")
    words = [str(notebooks / "cohort.ipynb"), str(tmp_path / "out.ipynb"), "--engine", "warm", "-p", "level", "0.9"]
    done = subprocess.run(
        [sys.executable, "-m", "papermill", *words],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert _printed(nbformat.read(tmp_path / "out.ipynb", 4)) == f"0.9 {tmp_path}\n"


def _until(holds, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.notebook
@pytest.mark.parametrize("study", each_week(["rair_dtc", "colon"], ["colon"]))
def test_same_outputs_as_ordinary_kernels(study):
    """The real notebooks, byte for byte."""
    parameters = {name: {"study": f"data/{study}"} for name in each_week(NOTEBOOKS, ["cohort", "efficacy", "safety"])}
    warm, fresh = (execute(Path(ROOT / "notebooks"), parameters, 2, warm=warm) for warm in (True, False))
    assert {n: nbformat.writes(b) for n, b in warm.items()} == {n: nbformat.writes(b) for n, b in fresh.items()}
