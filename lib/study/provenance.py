"""What a report was made from: fingerprints of data and code, versions, commit, the command to repeat it."""

from __future__ import annotations

__all__ = [
    "code_commit",
    "data_prints",
    "fingerprints",
    "library_files",
    "package_versions",
    "report_version",
    "rerun_command",
    "study_path",
    "without_places",
]

import hashlib
import os
import platform
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from lib.study.study import ROOT, Study


def study_path(folder: Path) -> str:
    """Return a study's folder as the pages may show it: relative to this repository, with forward slashes."""
    try:
        return Path(os.path.relpath(folder, ROOT)).as_posix()
    except ValueError:  # another drive on Windows
        return Path(folder).resolve().as_posix()


def data_prints(study: Study, *, by_file: bool = True) -> dict[str, str]:
    """Return the SHA-256 of study.yml and the tables by file, or by table, for readers whom names of files do not concern."""
    files = {"study": study.folder / "study.yml"}
    files |= dict(sorted(((n, study.folder / t.file) for n, t in study.tables.items()), key=lambda one: one[1]))
    files["published"] = study.folder / "published.yml"
    return {path.name if by_file else name: _sha256(path) for name, path in files.items() if path.is_file()}


def fingerprints(study: Study, notebooks: Iterable[Path], *, by_file: bool = True) -> dict[str, dict[str, str]]:
    """Return the SHA-256 of every file a report depends on.

    Parameters
    ----------
    study : Study
    notebooks : iterable of Path
    by_file : bool
        As in `data_prints`.

    Returns
    -------
    dict of dict
        `data`: files of the study's folder; `code`: notebooks and library; each name -> SHA-256.
    """
    code = {f"notebooks/{path.name}": path for path in notebooks}
    code |= {path.relative_to(ROOT).as_posix(): path for path in library_files()}
    return {
        "data": data_prints(study, by_file=by_file),
        "code": {name: _sha256(path) for name, path in code.items()},
    }


def library_files() -> list[Path]:
    """Return every file of the library, in whatever folder: modules, templates, checklists. No bytecode, nothing hidden."""
    found = ((path, path.relative_to(ROOT).parts) for path in (ROOT / "lib").rglob("*") if path.is_file())
    return sorted(path for path, parts in found if not any(part.startswith((".", "__pycache__")) for part in parts))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def package_versions() -> dict[str, str]:
    """Return the installed version of Python and of every package that environment.yml names."""
    listed = (ROOT / "environment.yml").read_text(encoding="utf-8")
    names = re.findall(r"^ +- ([A-Za-z0-9._-]+)={1,2}[0-9]", listed, re.MULTILINE)
    return {"python": platform.python_version()} | {name: _installed(name) for name in names}


@cache
def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def report_version() -> str:
    """Return the version of this repository, as pyproject.toml has it and CHANGES.md describes it; nobody need install it."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def code_commit() -> str:
    """Return the git commit of this repository, `+changes` when files differ from it, or `unknown` outside git."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(ROOT), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != ROOT:
            return "unknown"
        return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def rerun_command(study: Study, given: dict[str, Any], **options: str | Path | None) -> str:
    """Return the command that makes the same report again, to be run from the repository.

    Parameters
    ----------
    study : Study
    given : dict
        Parameters that were given, name -> value.
    **options : str or Path
        Further options that were given, by name; empty ones are left out.
    """
    words = ["python", "-m", "lib", "report", "--study", study_path(study.folder)]
    for key, value in given.items():
        words += ["-p", f"{key}={','.join(map(str, value)) if isinstance(value, list | tuple) else value}"]
    for option, value in options.items():
        if value:
            words += [f"--{option.replace('_', '-')}", study_path(value) if isinstance(value, Path) else value]
    return shlex.join(words)


def without_places(command: str, study: str) -> str:
    """Return a command without folders of this machine: the study by its id, and not where its report was written."""
    words, kept = iter(shlex.split(command)), []
    for word in words:
        if word in ("--output", "--notebook-folder", "--name", "-f", "--parameters"):
            next(words, None)
        elif word == "--study":
            next(words, None)
            kept += [word, study]
        else:
            kept.append(word)
    return shlex.join(kept)
