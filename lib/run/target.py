"""The folder a report is written into: wholly new or wholly as it was, never in between.

Knows nothing of studies and notebooks.
"""

from __future__ import annotations

__all__ = ["NotOurs", "TargetError", "recover", "refuse_foreign", "replaced_folder"]

import contextlib
import ctypes
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from lib.run.manifest import NAMED, foreign

try:
    import fcntl
except ImportError:  # Windows has no flock: there a folder that is left over has to be removed by hand
    fcntl = None

# Of Linux and of macOS: two names change places in one step.
AT_FDCWD, RENAME_EXCHANGE, RENAME_SWAP = -100, 2, 2


class TargetError(OSError):
    """The folder cannot be written, in one plain sentence."""


class NotOurs(TargetError):
    """The folder holds what no report wrote: another one has to be named."""


@contextlib.contextmanager
def replaced_folder(target: Path, *, keep: bool = False) -> Iterator[Path]:
    """Give a temporary folder beside `target`, and put it in its place when the block succeeds, in one step.

    Whatever ends the block otherwise (an error, Ctrl-C) leaves the target as it was and nothing beside it; what a kill
    leaves beside it, the next run or `recover` removes.

    Parameters
    ----------
    target : Path
        A folder that does not exist yet, is empty, or holds an earlier report and nothing else.
    keep : bool
        The target may hold anything, and the temporary folder begins with all of it, as links to the same files: what
        is written anew has to be put in the place of a link, never into its file.

    Yields
    ------
    Path
        The temporary folder; empty, unless `keep`.

    Raises
    ------
    NotOurs
        The folder holds something other than a report.
    TargetError
        It cannot be written, changed meanwhile, or another run is writing it.
    """
    target = Path(target).resolve()
    _refuse_what_cannot_be(target)
    if keep and Path.cwd().is_relative_to(target):
        raise TargetError(f"{target} is replaced as a whole: go to another folder first (cd ..), and name it from there")
    if not keep:
        refuse_foreign(target)
    with _staging(target) as staging:
        new = staging / "new"
        seen = _state(target) if keep else {}
        _begin(new, target, keep)
        yield new
        if keep and _state(target) != seen:
            raise TargetError(f"something in {target} was changed meanwhile; run it again")
        if not keep:
            # A minute has passed: somebody may have put something there.
            refuse_foreign(target)
        _swap(new, staging / "old", target)


def refuse_foreign(target: Path) -> None:
    """Refuse a folder in which anything lies that no report wrote.

    Parameters
    ----------
    target : Path
        Need not exist.

    Raises
    ------
    NotOurs
        Naming what lies there.
    TargetError
        It is no folder, or cannot be read.
    """
    try:
        names = foreign(target) if target.is_dir() else []
    except OSError as error:
        raise TargetError(f"cannot read {target}: {error.strerror}") from None
    if names:
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        said = ", ".join(names[:NAMED]) + more
        raise NotOurs(f"{target} holds what no report wrote: {said}; move it away, or name a new or an empty folder")


def recover(target: Path) -> None:
    """Bring back a report that a killed run had moved aside, and remove what it left, unless a run is at work.

    Parameters
    ----------
    target : Path
        Of a report; need not exist.
    """
    target = Path(target).resolve()
    with contextlib.suppress(OSError):
        if _staged(target).exists():
            with _staging(target):
                pass


def _refuse_what_cannot_be(target: Path) -> None:
    try:
        if target.exists() and not target.is_dir():
            raise NotOurs(f"{target} is a file; name a folder")
    except TargetError:
        raise
    except OSError as error:
        raise TargetError(f"cannot write {target}: {error.strerror}") from None
    if os.path.ismount(target):
        raise NotOurs(f"{target} is a disk of its own, which cannot be replaced as a whole; name a folder in it")


def _staged(target: Path) -> Path:
    """Where a new folder is made: beside the old one; its own name might be as long as a name can be."""
    return target.with_name(f".cohort-{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:12]}")


@contextlib.contextmanager
def _staging(target: Path) -> Iterator[Path]:
    """Make the folder beside the target and lock it; the lock ends with the process, however that ends."""
    staging = _staged(target)
    made = [parent for parent in staging.parents if not parent.exists()]
    lock = None
    try:
        lock = _claim(staging, target)
        _undo(staging, target)
        yield staging
    finally:
        if lock is not None:
            shutil.rmtree(staging, ignore_errors=True)
            if lock >= 0:
                os.close(lock)
        for parent in made:
            with contextlib.suppress(OSError):  # not empty: the report is in it
                parent.rmdir()


def _claim(staging: Path, target: Path) -> int:
    busy = TargetError(f"another run is writing {target}; wait for it, or name another folder")
    try:
        staging.parent.mkdir(parents=True, exist_ok=True)
        if fcntl is None and staging.exists():
            raise TargetError(f"{busy} (if none is running, remove {staging})")
        staging.mkdir(exist_ok=fcntl is not None)
        lock = os.open(staging, os.O_RDONLY) if fcntl else -1
    except TargetError:
        raise
    except OSError as error:
        raise TargetError(f"cannot write into {target.parent}: {error.strerror}") from None
    if lock < 0:
        return lock
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The run that held the lock until now may have removed the folder.
        if os.stat(staging).st_ino != os.fstat(lock).st_ino:
            raise busy
    except OSError:
        os.close(lock)
        raise busy from None
    return lock


def _undo(staging: Path, target: Path) -> None:
    """Undo what a killed run left: an earlier report moved aside, files in the temporary folder."""
    old = staging / "old"
    try:
        if old.exists() and not target.exists():
            old.rename(target)
        for entry in staging.iterdir():
            shutil.rmtree(entry)
    except OSError as error:
        raise TargetError(f"cannot write into {staging.parent}: {error.strerror}") from None


def _begin(new: Path, target: Path, keep: bool) -> None:
    try:
        if keep and target.exists():
            shutil.copytree(target, new, symlinks=True, copy_function=_link)
        else:
            new.mkdir()
        probe = new / ".probe"
        probe.touch()
        probe.unlink()
    except (OSError, shutil.Error) as error:
        raise TargetError(f"cannot write into {new.parent.parent}: {getattr(error, 'strerror', None) or error}") from None


def _link(source: str, copy: str) -> None:
    try:
        os.link(source, copy, follow_symlinks=False)
    except OSError:  # a file system without links
        shutil.copy2(source, copy, follow_symlinks=False)


def _state(folder: Path) -> dict[str, tuple[int, int, int]]:
    """What lies in a folder, and what would change if somebody wrote it."""
    paths = [Path(place, name) for place, _, names in os.walk(folder) for name in names]
    stats = {str(path): path.lstat() for path in paths}
    return {name: (stat.st_ino, stat.st_size, stat.st_mtime_ns) for name, stat in stats.items()}


def _swap(new: Path, old: Path, target: Path) -> None:
    """Put `new` in the place of the target; in one step, where the system can."""
    try:
        if not target.exists():
            new.rename(target)
        elif not _exchange(new, target):
            target.rename(old)
            new.rename(target)
    except OSError as error:
        raise TargetError(f"cannot replace {target}: {error.strerror}") from None
    finally:
        if old.exists() and not target.exists():
            old.rename(target)


def _exchange(one: Path, other: Path) -> bool:
    """Let two names change places in one step; False where the system or the disk cannot."""
    paths = os.fsencode(one), os.fsencode(other)
    try:
        system = ctypes.CDLL(None, use_errno=True)
        if hasattr(system, "renameat2"):
            return system.renameat2(AT_FDCWD, paths[0], AT_FDCWD, paths[1], RENAME_EXCHANGE) == 0
        return hasattr(system, "renamex_np") and system.renamex_np(*paths, RENAME_SWAP) == 0
    except (OSError, TypeError):  # Windows has no such library
        return False
