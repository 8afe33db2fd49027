"""A folder of pickles that this installation has written, each signed: nothing else is ever loaded.

Whatever is wrong with it (damaged, somebody else's, a full disk, no right to write) means that nothing is found, or kept.
"""

from __future__ import annotations

__all__ = ["KEEPING", "Store", "folder", "offered", "opened"]

import contextlib
import hashlib
import hmac
import os
import secrets
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from lib.study.study import ROOT

# Where it lies, if elsewhere; "": nowhere.
VARIABLE = "COHORT_REPORT_KEPT"
# How a kernel is told of it: the hash of the code that runs, and the folder.
KEEPING = "COHORT_REPORT_KEEPS"
# Bytes of all files; a report of a small study takes about three million.
LIMIT = 500_000_000
# Who signs: beside the environment, so that a folder that was sent or copied here has another signature.
SECRET, LENGTH = Path(sys.prefix, "var", "cohort_report", "kept.key"), hashlib.sha256().digest_size


def folder() -> Path | None:
    """Where results are kept; None where they shall not be."""
    chosen = os.environ.get(VARIABLE)
    return Path(chosen) if chosen else ROOT / "outputs" / ".kept" if chosen is None else None


def opened(place: Path) -> Store | None:
    """Open the folder, which is made if need be; None where it is not ours alone."""
    if not hasattr(os, "getuid"):  # a system that cannot tell whose a file is
        return None
    with contextlib.suppress(OSError):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        SECRET.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError), open(os.open(SECRET, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(secrets.token_bytes(LENGTH))
        secret = SECRET.read_bytes()
        if len(secret) == LENGTH and _ours(place) and _ours(SECRET):
            return Store(place, secret)
    return None


@contextlib.contextmanager
def offered(place: Path | None, code: object) -> Iterator[Callable[[], None]]:
    """Let every kernel that is started meanwhile keep its results there.

    Parameters
    ----------
    place : Path or None
        As `folder` gives it.
    code : object
        What tells this code from any other: files by hash, versions of packages.

    Yields
    ------
    callable
        To be called where that was not so after all: everything that was kept is forgotten.
    """
    store = opened(place) if place else None
    if store is None:
        yield lambda: None
        return
    os.environ[KEEPING] = f"{hashlib.sha256(repr(code).encode()).hexdigest()} {store.place.resolve()}"
    try:
        yield store.empty
    finally:
        os.environ.pop(KEEPING, None)
        store.prune()


def _ours(path: Path) -> bool:
    """Whether it is this user's, no link, and closed to all others."""
    found = path.lstat()
    return found.st_uid == os.getuid() and not stat.S_ISLNK(found.st_mode) and not found.st_mode & 0o077


class Store:
    """Bytes by name."""

    def __init__(self, place: Path, secret: bytes):
        self.place, self._secret = place, secret

    def read(self, name: str) -> bytes | None:
        """What was written under this name here; None for anything else."""
        path = self.place / name
        try:
            found = path.read_bytes()
            signed, content = found[:LENGTH], found[LENGTH:]
            if hmac.compare_digest(signed, self._sign(name, content)):
                os.utime(path)
                return content
        except OSError:
            pass
        return None

    def write(self, name: str, content: bytes) -> None:
        """Write it whole or not at all, whoever writes the same meanwhile."""
        with contextlib.suppress(OSError):
            descriptor, beside = tempfile.mkstemp(dir=self.place)
            try:
                with open(descriptor, "wb") as file:
                    file.write(self._sign(name, content) + content)
                os.replace(beside, self.place / name)
            except OSError:
                os.unlink(beside)

    def prune(self, limit: int = LIMIT) -> None:
        """Remove what was not used for longest, until the rest is within the limit."""
        left = limit
        with contextlib.suppress(OSError):
            for path, found in sorted(((path, path.stat()) for path in self.place.iterdir()), key=lambda one: -one[1].st_mtime):
                left -= found.st_size
                if left < 0:
                    path.unlink()

    def empty(self) -> None:
        """Remove everything."""
        self.prune(-1)

    def _sign(self, name: str, content: bytes) -> bytes:
        return hmac.digest(self._secret, name.encode() + b"\0" + content, "sha256")
