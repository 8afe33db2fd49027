"""Where studies and reports lie: a folder of this machine, or an address such as s3://bucket/folder (fsspec).

A remote study is fetched once per version; a remote report is made here and uploaded, run.json last, so that a report
that has one is whole. Nothing here knows what a report says.
"""

from __future__ import annotations

__all__ = ["admit_report", "is_remote", "joined", "local_study", "read_file", "read_report", "upload", "write_file"]

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import fsspec

from lib.run.manifest import MARK, NAMED, listed, read_run, whole
from lib.run.target import NotOurs, recover, refuse_foreign
from lib.study.study import ROOT
from lib.study.written import write_whole

FETCHED = ROOT / "outputs" / ".fetched"
# Lists what is being uploaded, from before the first file until after the last: without it, a killed one would be nobody's.
UPLOADING = ".uploading.json"


def is_remote(place: str) -> bool:
    """Whether a place is an address, not a path."""
    return "://" in str(place)


def joined(place: str, name: str) -> str:
    """Return the place `name` below a place."""
    return f"{str(place).rstrip('/')}/{name}" if is_remote(place) else str(Path(place) / name)


def local_study(place: str) -> Path:
    """Return a study's folder on this machine.

    Parameters
    ----------
    place : str
        A path, or an address, of which a copy is made; the same contents give the same copy, others another.

    Raises
    ------
    OSError
        The address cannot be read, or a name there would leave the copy's folder.
    """
    if not is_remote(place):
        return Path(place)
    with _reached(place) as (system, root):
        files = {path: str(system.checksum(path)) for path in sorted(system.find(root))}
    if not files:
        raise FileNotFoundError(f"no file at {place}")
    # A bucket has no folders: `..` is a name like any other there, and a way out of the folder here.
    outside = [path for path in files if ".." in PurePosixPath(path).parts or "\\" in path]
    if outside:
        raise OSError(f"a name that leaves the folder: {outside[0]!r}")
    version = hashlib.sha256(repr([place, files]).encode()).hexdigest()[:12]
    folder = FETCHED / version / Path(root).name
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(dir=folder.parent))
        try:
            with _reached(place):
                for path in files:
                    copy = new / Path(path).relative_to(root)
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    system.get_file(path, str(copy))
            os.rename(new, folder)
        except OSError:
            # Another process may have been quicker.
            if not folder.exists():
                raise
        finally:
            shutil.rmtree(new, ignore_errors=True)
    return folder


def read_file(place: str, name: str) -> str | None:
    """Return the text of a file below a place; None where there is none."""
    if not is_remote(place):
        path = Path(place) / name
        return path.read_text(encoding="utf-8") if path.is_file() else None
    with _reached(place) as (system, root):
        try:
            return system.cat_file(f"{root}/{name}").decode()
        except FileNotFoundError:
            return None


def read_report(place: str) -> dict | None:
    """Return what run.json says of a report that is there as it was written; None where there is none.

    At an address the files are not fetched: that each is there has to do.
    """
    if not is_remote(place):
        return whole(Path(place))
    run = read_run(read_file(place, MARK))
    with _reached(place) as (system, root):
        return run if run and _names(system, root) == {MARK, *run["files"]} else None


def write_file(place: str, name: str, text: str) -> str:
    """Write a file below a place, wholly or not at all; return where it is."""
    if is_remote(place):
        with _reached(place) as (system, root):
            system.pipe_file(f"{root}/{name}", text.encode())
    else:
        Path(place).mkdir(parents=True, exist_ok=True)
        write_whole(Path(place) / name, text)
    return joined(place, name)


def admit_report(place: str) -> None:
    """Tidy up after a killed run, and refuse a place that holds what no report wrote.

    Raises
    ------
    lib.run.target.TargetError
        Of a folder or an address.
    OSError
        The address cannot be reached.
    """
    if is_remote(place):
        with _reached(place) as (system, root):
            _refuse_unknown(place, _names(system, root), _listed(system, root))
    else:
        recover(Path(place))
        refuse_foreign(Path(place))


def upload(folder: Path, place: str) -> None:
    """Put a report in the place of an earlier one: whoever finds its run.json finds all of it.

    Raises
    ------
    lib.run.target.NotOurs
        Something else lies there.
    OSError
        The address cannot be written.
    """
    with _reached(place) as (system, root):
        earlier, written = _names(system, root), _listed(system, root)
        _refuse_unknown(place, earlier, written)
        names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
        system.pipe_file(f"{root}/{UPLOADING}", "\n".join(sorted({*written, *names})).encode())
        if MARK in earlier:
            system.rm_file(f"{root}/{MARK}")
        for name in sorted(names, key=lambda name: name == MARK):
            system.pipe_file(f"{root}/{name}", (folder / name).read_bytes())
        for left_over in sorted(earlier - {*names, UPLOADING}):
            system.rm_file(f"{root}/{left_over}")
        system.rm_file(f"{root}/{UPLOADING}")


@contextlib.contextmanager
def _reached(place: str) -> Iterator[tuple]:
    """Give the file system of an address and the path there; whatever its library raises is an OSError in one sentence."""
    try:
        yield fsspec.url_to_fs(place, use_listings_cache=False)
    except OSError:
        raise
    except Exception as error:
        # Each library has errors of its own: no credentials, no such scheme, not installed.
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise OSError(f"{place} cannot be reached: {reason.rstrip('.')}") from error


def _names(system, root: str) -> set[str]:
    return {path.removeprefix(f"{root.rstrip('/')}/") for path in system.find(root)}


def _listed(system, root: str) -> set[str]:
    """Names that a report there, or an upload that was killed, has written."""
    written = set()
    for name, names in ((MARK, lambda text: listed(text) or {}), (UPLOADING, str.splitlines)):
        with contextlib.suppress(FileNotFoundError):
            written |= {name, *names(system.cat_file(f"{root}/{name}").decode("utf-8", "replace"))}
    return written


def _refuse_unknown(place: str, names: set[str], written: set[str]) -> None:
    unknown = sorted(names - (written if written - {MARK} else set()))
    if unknown:
        more = f" and {len(unknown) - NAMED} more" if len(unknown) > NAMED else ""
        said = ", ".join(unknown[:NAMED]) + more
        raise NotOurs(f"{place} holds what no report wrote: {said}; move it away, or name another place")
