"""The house: imports point down, and into a room only through what it lists; types. The contracts are in pyproject.toml."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from notebook_cells import NOTEBOOKS, read_notebook

from lib.study.study import ROOT

# What a later change could do by mistake: file, a line that is added to it, words of the contract that forbids it.
MISTAKES = {
    "upward": ("lib/study/limits.py", "from lib.report import results", "Imports point down"),
    "sideways": ("lib/show/sentences/absent.py", "from lib.show.tables import parts", "do not know each other"),
    "circle": ("lib/statistics/comparisons.py", "from lib.statistics import ranks", "No circles"),
    "engine": ("lib/analyses/cohort/flow.py", "from scipy import stats", "Engines of statistics"),
    "file": ("lib/dataset/timing.py", "import openpyxl", "Files of data"),
    "yaml": ("lib/report/published.py", "from ruamel.yaml import YAML", "YAML"),
    "second engine": ("lib/statistics/second_engine/cox.py", "from lib.statistics import ranks", "second engine"),
}


def _lint(folder: Path) -> subprocess.CompletedProcess:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(
        command, cwd=folder, env=os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200"}, capture_output=True, text=True, check=False
    )


def test_every_contract_is_kept():
    done = _lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_noticed(mistake, tmp_path):
    file, line, contract = MISTAKES[mistake]
    shutil.copytree(ROOT / "lib", tmp_path / "lib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / file).open("a", encoding="utf-8") as module:
        module.write(f"\n{line}\n")
    done = _lint(tmp_path)
    broken = [said for said in done.stdout.splitlines() if "BROKEN" in said]
    assert done.returncode == 1, done.stdout + done.stderr
    assert any(contract in said for said in broken), broken


def _modules(root: Path) -> dict[str, Path]:
    """Dotted name -> file, of everything below lib."""
    return {".".join(p.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): p for p in (root / "lib").rglob("*.py")}


def _past_the_door(root: Path) -> list[str]:
    """Imports of a module that its room does not list, by somebody outside of the room."""
    modules, found = _modules(root), []
    rooms = {name: path for name, path in modules.items() if path.stem == "__init__"}
    listed = {name: _listed(path) for name, path in rooms.items() if name != "lib"}
    for user, path in modules.items():
        for used in _imported(path) & set(modules):
            for room, names in listed.items():
                inside = user == room or user.startswith(f"{room}.")
                if used.startswith(f"{room}.") and not inside and used.removeprefix(f"{room}.").split(".")[0] not in names:
                    found.append(f"{user} uses {used}, which {room} does not list")
    return found


def _listed(path: Path) -> set[str]:
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def _imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def test_a_room_is_entered_by_what_it_lists():
    assert _past_the_door(ROOT) == []


def test_what_a_room_lists_is_there():
    modules = _modules(ROOT)
    missing = [f"{room}.{name}" for room, path in modules.items() if path.stem == "__init__" and room != "lib"
               for name in _listed(path) if f"{room}.{name}" not in modules and f"def {name}(" not in path.read_text("utf-8")]  # fmt: skip
    assert missing == []


def test_an_import_past_the_door_is_noticed(tmp_path):
    shutil.copytree(ROOT / "lib", tmp_path / "lib", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "lib" / "report" / "results.py").open("a", encoding="utf-8") as module:
        module.write("\nfrom lib.show.plots import style\n")
    assert _past_the_door(tmp_path) == ["lib.report.results uses lib.show.plots.style, which lib.show.plots does not list"]


def test_every_slow_test_of_the_list_is_there():
    """A test that is renamed begins as a quick one, and leaves no line behind."""
    for line in (ROOT / "tests" / "slow.txt").read_text("utf-8").splitlines():
        file, _, name = line.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text("utf-8"), line


def test_files_and_rooms_stay_small():
    """A newcomer reads a file in one sitting and a room at one look."""
    files = _modules(ROOT).values()
    assert {str(path): n for path in files if (n := len(path.read_text("utf-8").splitlines())) > 350} == {}
    rooms = {path.parent for path in files}
    assert {str(room): n for room in rooms if (n := len([p for p in room.glob("*.py") if p.stem != "__init__"])) > 12} == {}


# What a notebook could do by mistake, after its first cells: a line, and the words of the type error.
WRONG = {
    "plot.survival(response)": 'incompatible type "ResponseRates | Absent"; expected "Survival | Absent"',
    "table.ratios(volume)": 'incompatible type "Levels | Absent"; expected "Ratios | Absent"',
    "say.survival([survival, course])": 'expected "Survival | Absent"',
    "plot.weighted_curves(weights, survival)": 'incompatible type "Weights | Absent"; expected "Survival | Absent"',
    "page.analyse(analyse.weights, response)": 'expected "Survival | Absent"',
    "page.analyse(analyse.survival, page.markers[0])": 'incompatible type "Marker"; expected "Endpoint | None"',
    "table.response_pairs(response, 5)": 'incompatible type "int"; expected "str"',
}


@pytest.mark.thorough
def test_types_of_lib_and_of_the_notebooks_hold_and_a_wrong_kind_is_an_error(tmp_path):
    """One run: `make types`, the notebooks as if they were modules, and mistakes, which alone are errors."""
    sources = {name: "\n".join(cell.source for cell in read_notebook(name).cells if cell.cell_type == "code") for name in NOTEBOOKS}
    mistakes = f"{sources['efficacy']}\n" + "\n".join(WRONG) + "\n"
    for name, source in (sources | {"mistakes": mistakes}).items():
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
    # A parameters cell says `list`, not of what: whoever writes one is no programmer.
    command = [sys.executable, "-m", "mypy", "--allow-any-generics", "--no-error-summary", "lib", *map(str, tmp_path.glob("*.py"))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    said = [line for line in done.stdout.splitlines() if ": error:" in line]
    first = mistakes.count("\n") - len(WRONG) + 1
    for number, (line, words) in enumerate(WRONG.items(), start=first):
        mine = [one for one in said if f"mistakes.py:{number}:" in one]
        assert any(words in one for one in mine), (line, mine)
        said = [one for one in said if one not in mine]
    assert said == []
