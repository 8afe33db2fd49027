"""The tool that plants errors (tests/mutants, `make mutants`): its list fits the code, and it tells found from not found."""

import ast
import importlib.util
import sys

import pytest

from lib.study.study import ROOT

pytestmark = pytest.mark.thorough

HERE = ROOT / "tests" / "mutants"
# Tests that are quick, and an error for each of them to find.
QUICK = ["tests/show/test_verdict.py", "tests/show/test_formats.py", "tests/run/test_target.py"]
FOUND = (
    "a verdict is reversed", "pairs are named that do not differ", "no longer told apart where it never was", "the limits of a ratio are exchanged",
    "a report that cannot be swapped in loses the old one",
)  # fmt: skip


@pytest.fixture(scope="module")
def tool():
    """The files of the tool, which is no package."""
    sys.path.insert(0, str(HERE))
    try:
        spec = importlib.util.spec_from_file_location("mutants_run", HERE / "run.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(HERE))


def test_every_designed_error_fits_the_code_in_one_place(tool):
    seen = set()
    for mutant in tool.DESIGNED:
        source = (ROOT / "lib" / mutant.file).read_text(encoding="utf-8")
        assert source.count(mutant.old) == 1, f"{mutant.file}: {mutant.old!r}"
        assert mutant.what not in seen
        seen.add(mutant.what)
        ast.parse(mutant.planted(source))
    assert len(seen) >= 60


def test_drawn_errors_are_the_same_for_a_seed_and_can_be_read(tool):
    drawn = tool.draw(ROOT / "lib", 200, 1)
    assert drawn == tool.draw(ROOT / "lib", 200, 1)
    assert {mutant.file.split("/")[0] for mutant in drawn} == {"statistics", "intake", "analyses", "show"}
    for mutant in drawn:
        source = (ROOT / "lib" / mutant.file).read_text(encoding="utf-8")
        assert ast.dump(ast.parse(mutant.planted(source))) != ast.dump(ast.parse(source)), mutant


def test_every_error_meets_tests_that_exist(tool):
    for mutant in [*tool.DESIGNED, *tool.draw(ROOT / "lib", 200, 1)]:
        runs = tool.selections(mutant.file)
        assert runs, mutant.file
        assert all((ROOT / place).exists() for run in runs for place in run if place.startswith("tests/"))


def test_planted_errors_are_found_and_what_changes_nothing_is_not(tool):
    """In a copy; the code here stays as it is."""
    before = {path: path.read_bytes() for path in (ROOT / "lib").rglob("*.py")}
    chosen = [mutant for mutant in tool.DESIGNED if mutant.what in FOUND]
    harmless = tool.Mutant("nothing", "show/formats.py", "PERCENT = 100\n", "PERCENT = 50 + 50\n")
    with tool.Copy() as copy:
        by = [copy.notices(mutant, [QUICK]) for mutant in [*chosen, harmless]]
    assert len(by) == len(FOUND) + 1
    assert all(test.startswith("FAILED tests/") for test in by[:-1])
    assert by[-1] == ""
    assert not copy.place.exists()
    assert {path: path.read_bytes() for path in before} == before
