"""Where studies and reports lie: a folder of this machine, or an address such as s3://bucket/folder (fsspec).

A remote study is fetched once per version; a remote report is made here and uploaded, run.json last, so that a report
that has one is whole. Nothing here knows what a report says.
"""

from __future__ import annotations

__all__ = ["is_remote", "joined", "local_study", "read_file", "upload", "write_file"]

import hashlib
import os
import shutil
import tempfile
from pathlib import Path, PurePosixPath

import fsspec

from lib.run.target import MARK
from lib.study.study import ROOT

FETCHED = ROOT / "outputs" / ".fetched"


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
    system, root = fsspec.url_to_fs(place, use_listings_cache=False)
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
    system, root = fsspec.url_to_fs(place, use_listings_cache=False)
    try:
        return system.cat_file(f"{root}/{name}").decode()
    except FileNotFoundError:
        return None


def write_file(place: str, name: str, text: str) -> str:
    """Write a file below a place, wholly or not at all; return where it is."""
    if is_remote(place):
        system, root = fsspec.url_to_fs(place, use_listings_cache=False)
        system.pipe_file(f"{root}/{name}", text.encode())
    else:
        Path(place).mkdir(parents=True, exist_ok=True)
        new = Path(place) / f".{name}.new"
        new.write_text(text, encoding="utf-8", newline="\n")
        new.replace(Path(place) / name)
    return joined(place, name)


def upload(folder: Path, place: str) -> None:
    """Put a report in the place of an earlier one: whoever finds its run.json finds all of it."""
    system, root = fsspec.url_to_fs(place, use_listings_cache=False)
    earlier = set(system.find(root))
    if f"{root}/{MARK}" in earlier:
        system.rm_file(f"{root}/{MARK}")
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    for name in sorted(names, key=lambda name: name == MARK):
        system.pipe_file(f"{root}/{name}", (folder / name).read_bytes())
    for left_over in sorted(earlier - {f"{root}/{name}" for name in names}):
        system.rm_file(left_over)
