"""The set-up: two lists of dependencies, the locks that were derived from them, any Python that they serve, any folder."""

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.version import Version
from ruamel.yaml import YAML

from lib.run.clean import clean
from lib.run.manifest import write_run
from lib.study.provenance import code_commit, package_versions
from lib.study.study import ROOT

PYTHONS = ("3.11", "3.12", "3.13")
# List of dependencies -> its lock.
LOCKS = {"environment.yml": "requirements.lock", "tests/environment.yml": "tests/requirements.lock"}
both = pytest.mark.parametrize("listed", LOCKS)


def _environment(listed: str) -> list[str]:
    """Everything listed: what conda-forge has, then what pip adds."""
    parts = YAML(typ="safe").load(ROOT / listed)["dependencies"]
    return [name for part in parts for name in (part["pip"] if isinstance(part, dict) else [part])]


def _locked(listed: str) -> dict[str, str]:
    """Package -> its entry: version, marker, hashes, and who needs it."""
    text = (ROOT / LOCKS[listed]).read_text("utf-8")
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)
    return {re.split(r"[=\s]", entry, maxsplit=1)[0]: entry for entry in entries if entry.strip()}


def _version(entry: str) -> str:
    return re.match(r"\S+==(\S+)", entry)[1]


def _listed(listed: str) -> dict[str, str]:
    """Package -> the version or the beginning of it, the names spelt as in the lock."""
    parts = [part for part in _environment(listed) if not part.startswith("python>=") and part not in ("pip", "-e .")]
    assert [part for part in parts if not re.fullmatch(r"[a-z0-9._-]+={1,2}[0-9][0-9A-Za-z.]*", part)] == []
    return {re.sub("[._]", "-", name): version for name, version in (re.split("={1,2}", part) for part in parts)}


@both
def test_lock_holds_what_the_environment_lists(listed):
    locked = _locked(listed)
    other = {name: (version, _version(locked[name])) for name, version in _listed(listed).items()}
    assert {name: pair for name, pair in other.items() if not f"{pair[1]}.".startswith(f"{pair[0]}.")} == {}


@both
def test_lock_holds_nothing_that_nobody_needs(listed):
    """An entry that no other needs was asked for: those are the environment's own."""
    asked = {name for name, entry in _locked(listed).items() if "# via" not in entry}
    assert asked <= set(_listed(listed))


@both
def test_every_entry_of_the_lock_has_hashes(listed):
    entries = _locked(listed)
    assert len(entries) > len(_listed(listed))
    assert [name for name, entry in entries.items() if "--hash=sha256:" not in entry] == []


def test_both_locks_hold_the_same_versions_of_what_they_share():
    reports, tests = (_locked(listed) for listed in LOCKS)
    shared = set(reports) & set(tests)
    assert len(shared) > 10
    assert {name for name in shared if _version(reports[name]) != _version(tests[name])} == set()


def test_a_report_needs_nothing_of_the_tests():
    assert set(_listed("environment.yml")).isdisjoint(_listed("tests/environment.yml"))
    imported = subprocess.run(["git", "-C", ROOT, "grep", "-hoE", r"^ *(import|from) (pytest|hypothesis|moto|flask|playwright|pypdf|psutil)\b",
                               "--", "lib", "notebooks"], capture_output=True, text=True, check=False).stdout  # fmt: skip
    assert imported == ""


def test_this_environment_is_the_locked_one():
    installed = {re.sub("[._]", "-", name): version for name, version in package_versions().items()}
    locked = _locked("environment.yml")
    listed = _listed("environment.yml")
    assert {name: Version(installed[name]) for name in listed} == {name: Version(_version(locked[name])) for name in listed}
    assert installed["python"].startswith(tuple(f"{version}." for version in PYTHONS))


def test_the_pythons_are_the_same_everywhere():
    assert "python>=3.11,<3.14" in _environment("environment.yml")
    assert 'requires-python = ">=3.11,<3.14"' in (ROOT / "pyproject.toml").read_text("utf-8")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert " ".join(f"python{version}" for version in reversed(PYTHONS)) in makefile
    assert "(3, 11) <= sys.version_info < (3, 14)" in makefile
    assert 'python: ["3.11", "3.13"]' in (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")


def _made(*words: str, path: str, cwd: Path = ROOT) -> subprocess.CompletedProcess:
    make = shutil.which("make")
    return subprocess.run([make, "--no-print-directory", *words], cwd=cwd, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False)


def _pretend(folder: Path, **pythons: int) -> str:
    """A PATH with nothing on it but commands by these names that end with these exit codes, and a shell."""
    folder.mkdir()
    for name, code in pythons.items():
        (folder / name).write_text(f"#!/bin/sh\nexit {code}\n")
        (folder / name).chmod(0o755)
    for tool in ("sh", "echo", "test", "touch"):
        (folder / tool).symlink_to(shutil.which(tool))
    return str(folder)


def test_make_takes_the_newest_python_that_runs(tmp_path):
    """pyenv's names that lead nowhere are passed over."""
    path = _pretend(tmp_path / "bin", **{"python3.13": 127, "python3.12": 0, "python3.11": 0, "python3": 0})
    assert "python3.12 -m venv" in _made("-n", "-B", ".venv/.synced", path=path).stdout


def test_make_without_a_python_says_what_to_do(tmp_path):
    path = _pretend(tmp_path / "bin", **{"python3": 1})
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements.lock").touch()
    done = _made(".venv/.synced", path=path, cwd=tmp_path)
    assert done.returncode == 2
    assert "No Python 3.11, 3.12 or 3.13 was found: install one" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_what_leads_to_this_folder_is_read_in_any_locale():
    """A .pth is read in the locale's encoding: the folder's own letters stand in a module, which is UTF-8."""
    files = [Path(file.locate()) for file in distribution("cohort-report").files]
    leading = [file for file in files if file.suffix == ".pth"]
    assert len(leading) == 1
    assert re.fullmatch(rb"import \w+\s*", leading[0].read_bytes())


def test_clean_leaves_what_somebody_made(tmp_path):
    made = (".venv/bin/python", ".pytest_cache/x", "outputs/s/default/run.json", "outputs/s/default/tables/a.csv", "outputs/plan/batch.csv",
            "outputs/plan/run 1/run.json", "outputs/.kept/a")  # fmt: skip
    own = ("outputs/lab/efficacy.ipynb", "outputs/mine/run.json", "outputs/other/run.json", "outputs/s/explored.yml",
           "outputs/s/queries.xlsx", "outputs/plan/notes.txt", "outputs/s/annotated/queries.csv", "data/s/patients.csv")  # fmt: skip
    for name in made + own:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "outputs" / "other" / "run.json").write_text('["created", "command", "parameters"]')
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "default").mkdir(parents=True)
    for folder in ("outputs/s/default", "outputs/s/annotated", "outputs/plan/run 1", "elsewhere/default"):
        write_run(tmp_path / folder, {})
    (tmp_path / "outputs/s/annotated/queries.csv").write_text("answered")
    (tmp_path / "outputs" / "linked").symlink_to(elsewhere)
    removed, kept = clean(tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in removed} == {
        ".venv", ".pytest_cache", "outputs/.kept", "outputs/s/default", "outputs/plan/run 1", "outputs/plan/batch.csv"}  # fmt: skip
    assert {path.relative_to(tmp_path).as_posix() for path in kept} >= {name for name in own if name.startswith("outputs")}
    assert all((tmp_path / name).exists() for name in own)
    assert (elsewhere / "default" / "run.json").exists()


def _another_python() -> str | None:
    """A Python of another version that the lock serves, if there is one on this machine."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    for version in reversed(PYTHONS):
        found = shutil.which(f"python{version}")
        runs = found and subprocess.run([found, "-c", "import ensurepip, venv"], capture_output=True, check=False).returncode == 0
        if version != here and runs:
            return found
    return None


@pytest.mark.notebook
def test_another_python_gives_the_same_numbers(real_reports, tmp_path):
    """results.csv, every byte, by 3.11, 3.12 or 3.13."""
    other = _another_python()
    if other is None:
        pytest.skip("no second Python on this machine")
    uv = Path(sys.executable).parent / "uv"
    subprocess.run([other, "-m", "venv", tmp_path / "env"], check=True)
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run([uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes", ROOT / "requirements.lock"], check=True)
    line = [python, "-m", "lib", "report", "--study", "data/rair_dtc", "--output", tmp_path / "out"]
    subprocess.run(line, cwd=ROOT, check=True, capture_output=True)
    assert (tmp_path / "out" / "results.csv").read_bytes() == (real_reports["rair_dtc"] / "results.csv").read_bytes()


def test_commit_is_named_or_unknown():
    assert re.fullmatch(r"unknown|[0-9a-f]{40}(\+changes)?", code_commit())
