"""run.json: what a report was made from, and which files it wrote. By it a report knows itself from a folder of the user.

Needs nothing but Python: `make clean` reads it too.
"""

from __future__ import annotations

__all__ = ["MARK", "SCHEMA", "foreign", "listed", "write_run"]

import datetime as dt
import hashlib
import json
import os
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


def write_run(folder: Path, run: dict[str, Any]) -> None:
    """Write run.json, the last file of a report: `run`, and every other file of the folder with its SHA-256.

    `created`, its first key and the only one that tells when, has a line to itself.
    """
    created = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    files = {name: _sha256(path) for name, path in _files(folder).items()}
    text = json.dumps({"created": created, "schema": SCHEMA} | run | {"files": files}, indent=2, ensure_ascii=False)
    (folder / MARK).write_text(text + "\n", encoding="utf-8", newline="\n")


def listed(text: str | None) -> dict[str, str] | None:
    """Return the files that a run.json lists, name -> SHA-256; None where it is no run.json of a report."""
    try:
        run = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    ours = isinstance(run, dict) and run.get("schema") == SCHEMA and isinstance(run.get("files"), dict)
    return run["files"] if ours else None


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
