"""The set-up: one list of dependencies, and a lock that was derived from it."""

import re

from ruamel.yaml import YAML

from lib.study.provenance import code_commit, package_versions
from lib.study.study import ROOT


def _environment() -> list[str]:
    """Everything listed: what conda-forge has, then what pip adds."""
    parts = YAML(typ="safe").load(ROOT / "environment.yml")["dependencies"]
    return [name for part in parts for name in (part["pip"] if isinstance(part, dict) else [part])]


def _locked() -> dict[str, str]:
    """Package -> its entry: version, marker, hashes, and who needs it."""
    text = (ROOT / "requirements.lock").read_text("utf-8")
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)
    return {re.split(r"[=\s]", entry, maxsplit=1)[0]: entry for entry in entries if entry.strip()}


def _pins() -> dict[str, str]:
    """Package -> version, the names spelt as in the lock."""
    listed = [part for part in _environment() if part not in ("python=3.11", "pip", "-e .")]
    assert all(re.fullmatch(r"[a-z0-9._-]+==[0-9][0-9A-Za-z.]*", part) for part in listed)
    return {re.sub("[._]", "-", name): version for name, version in (part.split("==") for part in listed)}


def test_lock_holds_what_the_environment_lists():
    locked = _locked()
    assert {name: re.match(r"\S+==(\S+)", locked[name])[1] for name in _pins()} == _pins()


def test_lock_holds_nothing_that_nobody_needs():
    """An entry that no other needs was asked for: those are the environment's own."""
    asked = {name for name, entry in _locked().items() if "# via" not in entry}
    assert asked <= set(_pins())


def test_every_entry_of_the_lock_has_hashes():
    entries = _locked()
    assert len(entries) > len(_pins())
    assert [name for name, entry in entries.items() if "--hash=sha256:" not in entry] == []


def test_this_environment_is_the_locked_one():
    installed = {re.sub("[._]", "-", name): version for name, version in package_versions().items()}
    assert {name: installed[name] for name in _pins()} == _pins()
    assert installed["python"].startswith("3.11.")


def test_python_is_the_same_everywhere():
    assert "python=3.11" in _environment()
    assert 'requires-python = ">=3.11,<3.12"' in (ROOT / "pyproject.toml").read_text("utf-8")
    assert "PYTHON ?= python3.11" in (ROOT / "Makefile").read_text("utf-8")
    assert 'python-version: "3.11"' in (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")


def test_commit_is_named_or_unknown():
    assert re.fullmatch(r"unknown|[0-9a-f]{40}(\+changes)?", code_commit())
