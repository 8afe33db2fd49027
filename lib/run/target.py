"""The folder a report is written into: wholly new or wholly as it was, never in between.

Knows nothing of studies and notebooks.
"""

from __future__ import annotations

__all__ = ["MARK", "TargetError", "replaced_folder"]

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no flock: there a folder that is left over has to be removed by hand
    fcntl = None

# What tells a report, which may be replaced, from a folder of the user, which may not.
MARK = "run.json"


class TargetError(OSError):
    """The folder cannot be written, in one plain sentence."""


@contextlib.contextmanager
def replaced_folder(target: Path) -> Iterator[Path]:
    """Give a temporary folder beside `target`, and put it in its place when the block succeeds.

    Whatever ends the block otherwise (an error, Ctrl-C) leaves the target as it was and nothing beside it.

    Parameters
    ----------
    target : Path
        A folder that does not exist yet, is empty, or holds an earlier report.

    Yields
    ------
    Path
        The temporary folder, empty.

    Raises
    ------
    TargetError
        The folder is not writable, holds something other than a report, or another run is writing it.
    """
    target = Path(target).resolve()
    new, old = target.with_name(f".{target.name}.new"), target.with_name(f".{target.name}.old")
    _refuse_what_is_no_report(target)
    lock = _claim(new, target)
    try:
        _recover(new, old, target)
        yield new
        _swap(new, old, target)
    finally:
        shutil.rmtree(new, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _refuse_what_is_no_report(target: Path) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise TargetError(f"{target} is a file; name a folder")
    if not (target / MARK).is_file() and any(target.iterdir()):
        raise TargetError(f"{target} holds files that are not a report (no {MARK}); name a new or an empty folder")


def _claim(new: Path, target: Path) -> int | None:
    """Make the temporary folder and lock it; the lock ends with the process, however that ends."""
    busy = TargetError(f"another run is writing {target}; wait for it, or name another folder")
    try:
        new.parent.mkdir(parents=True, exist_ok=True)
        if fcntl is None and new.exists():
            raise TargetError(f"{busy} (if none is running, remove {new})")
        new.mkdir(exist_ok=fcntl is not None)
        lock = os.open(new, os.O_RDONLY) if fcntl else None
    except TargetError:
        raise
    except OSError as error:
        raise TargetError(f"cannot write into {target.parent}: {error.strerror}") from None
    if lock is None:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The folder may have been renamed by the run that held the lock until now.
        if os.stat(new).st_ino != os.fstat(lock).st_ino:
            raise busy
    except OSError:
        os.close(lock)
        raise busy from None
    return lock


def _recover(new: Path, old: Path, target: Path) -> None:
    """Undo what a killed run left: an earlier report moved aside, files in the temporary folder."""
    if old.exists():
        shutil.rmtree(old) if target.exists() else old.rename(target)
    for entry in new.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    probe = new / "probe"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise TargetError(f"cannot write into {new.parent}: {error.strerror}") from None


def _swap(new: Path, old: Path, target: Path) -> None:
    try:
        if target.exists():
            target.rename(old)
        new.rename(target)
    except OSError as error:
        raise TargetError(f"cannot replace {target}: {error.strerror}") from None
    finally:
        if old.exists() and not target.exists():
            old.rename(target)
    shutil.rmtree(old, ignore_errors=True)
