"""run.json: what a report was made from, and which files it wrote. By it a report knows itself from a folder of the user.

Needs nothing but Python: `make clean` reads it too.
"""

from __future__ import annotations

__all__ = ["MARK", "SCHEMA", "differing", "foreign", "listed", "read_run", "whole", "write_run"]

import datetime as dt
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MARK = "run.json"
# Another program's run.json does not say so.
SCHEMA = "cohort-report/1"
# What an operating system puts into every folder that somebody looks at: nobody's work.
OF_THE_SYSTEM = (".DS_Store", "Thumbs.db", "desktop.ini")
# A run.json has some hundred lines.
MAX_BYTES = 20_000_000
# So many names are said.
NAMED = 5
# SHA-256 of all that run.json says, but when: somebody may have changed run.json itself.
SEAL = "sha256"
# Of these a difference is told by what they hold, a package or a file.
GROUPS = ("versions", "inputs", "data", "code")


def write_run(folder: Path, run: dict[str, Any]) -> None:
    """Write run.json, the last file of a report: `run`, and every other file of the folder with its SHA-256.

    `created`, its first key and the only one that tells when, has a line to itself; the last is the SHA-256 of the others.
    """
    created = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    files = {name: _sha256(path) for name, path in _files(folder).items()}
    said = {"schema": SCHEMA} | run | {"files": files}
    text = json.dumps({"created": created} | said | {SEAL: _seal(said)}, indent=2, ensure_ascii=False)
    (folder / MARK).write_text(text + "\n", encoding="utf-8", newline="\n")


def listed(text: str | None) -> dict[str, str] | None:
    """Return the files that a run.json lists, name -> SHA-256; None where it is no run.json of a report."""
    try:
        run = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    ours = isinstance(run, dict) and run.get("schema") == SCHEMA and isinstance(run.get("files"), dict)
    return run["files"] if ours else None


def read_run(text: str | None) -> dict[str, Any] | None:
    """Return what a run.json says; None where it is none of a report, or not as the report wrote it."""
    if listed(text) is None:
        return None
    run: dict[str, Any] = json.loads(text or "")
    try:
        dt.datetime.fromisoformat(run["created"])
        seal = _seal({key: value for key, value in run.items() if key not in ("created", SEAL)})
    except (KeyError, TypeError, ValueError, RecursionError):
        return None
    return run if run.get(SEAL) == seal else None


def whole(folder: Path) -> dict[str, Any] | None:
    """Return what run.json says of a report that lies in a folder as it was written: nothing changed, lacking or added.

    Parameters
    ----------
    folder : Path
        Need not exist.

    Returns
    -------
    dict or None
        None of any other folder, and of one that cannot be read.
    """
    try:
        if not (folder / MARK).is_file() or foreign(folder):
            return None
        run = read_run((folder / MARK).read_text("utf-8", errors="replace"))
        return run if run and run["files"].keys() == _files(folder).keys() - {MARK} else None
    except OSError:
        return None


def differing(found: Mapping[str, Any], expected: Mapping[str, Any]) -> list[str]:
    """Name what a report was made from (`found`) and would now be made from (`expected`), where the two differ.

    Parameters
    ----------
    found, expected : mapping
        As `lib.run.one_report.inputs_of` returns it; what `expected` does not hold is not compared.

    Returns
    -------
    list of str
        Such as "parameters", "pandas", "patients.csv"; empty where all is the same.
    """
    return [name for key, now in expected.items() for name in _within(key, found.get(key), now)]


def _within(key: str, was: Any, now: Any) -> list[str]:
    if was == now:
        return []
    if key in GROUPS and isinstance(was, dict) and isinstance(now, dict):
        return [name for one in dict.fromkeys([*was, *now]) for name in _within(one, was.get(one), now.get(one))]
    return [key]


def _seal(said: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def foreign(folder: Path) -> list[str]:
    """Name what lies in a folder and no report wrote, or somebody changed since; empty where all of it may go.

    Parameters
    ----------
    folder : Path
        Need not exist.

    Returns
    -------
    list of str
        Sorted; what was changed says so.

    Raises
    ------
    OSError
        Something in it cannot be read.
    """
    found = _files(folder)
    mark = found.pop(MARK, None)
    plain = mark is not None and mark.is_file() and not mark.is_symlink() and mark.stat().st_size < MAX_BYTES
    written = listed(mark.read_text("utf-8", errors="replace")) if plain else None
    if written is None:
        return sorted(found) + ([MARK] if mark is not None else [])
    unknown = [name for name, path in found.items() if name not in written or path.is_symlink() or not path.is_file()]
    changed = [name for name, path in found.items() if name not in unknown and _sha256(path) != written[name]]
    return sorted([*unknown, *(f"{name} (changed)" for name in changed)])


def _files(folder: Path) -> dict[str, Path]:
    """Everything in a folder but folders themselves; a link is not followed."""
    found = {}

    def cannot(error: OSError) -> None:
        raise error

    for place, folders, names in os.walk(folder, onerror=cannot if folder.exists() else None):
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        for name in [*names, *links]:
            if name not in OF_THE_SYSTEM:
                path = Path(place, name)
                found[path.relative_to(folder).as_posix()] = path
    return dict(sorted(found.items()))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
