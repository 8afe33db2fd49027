"""How a file is written: wholly or not at all; a CSV without formulas; a zip archive that does not tell when it was made."""

from __future__ import annotations

__all__ = ["MADE", "fixed_archive", "guarded", "refuse_other", "write_whole"]

import contextlib
import datetime as dt
import errno
import hashlib
import io
import os
import re
import shutil
import zipfile
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: whoever writes a file there at the same time is told that it is in use
    fcntl = None  # type: ignore[assignment]

# Each file of an archive carries a time; this is the earliest that it can hold.
MADE = dt.datetime(1980, 1, 1)
# What a spreadsheet takes for a formula when it opens a CSV; a plain number is none.
FORMULA = re.compile(r"\s*[=+\-@\t\r＝＋－＠](?!\d*\.?\d+(?:[eE][+-]?\d+)?$)")
# The mark of a file stands in these.
FIRST_BYTES = 20_000


def fixed_archive(raw: bytes) -> bytes:
    """Write an archive anew with one time for every file.

    Parameters
    ----------
    raw : bytes
        A zip archive.
    """
    fixed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as source, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            entry = zipfile.ZipInfo(name, MADE.timetuple()[:6])
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3
            target.writestr(entry, source.read(name))
    return fixed.getvalue()


def guarded(cell: str) -> str:
    """Return a cell of a CSV so that no spreadsheet takes it for a formula, and no lone carriage return ends its row."""
    return (f"'{cell}" if cell[:1] in "\t\r" or FORMULA.match(cell) else cell).replace("\r", "\n") if cell else cell


def refuse_other(path: Path, mark: str) -> None:
    """Refuse to write a file in the place of one that was not written by us.

    Parameters
    ----------
    path : Path
        Need not exist.
    mark : str
        What stands in the first lines of each that we write.

    Raises
    ------
    FileExistsError
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder, where a file has to be written", str(path))
    if path.exists():
        with path.open("rb") as file:
            begins = file.read(FIRST_BYTES).decode("utf-8", errors="replace")
        if begins.strip() and mark not in begins:
            message = "was not written by this project and is not overwritten; move it away, or name another folder"
            raise FileExistsError(errno.EEXIST, message, str(path))


def write_whole(path: Path, content: str | bytes, *, mode: int = 0o666) -> Path:
    """Write a file that afterwards is new or as it was, whatever happens, and leave nothing beside it.

    Parameters
    ----------
    path : Path
        Its folder exists. What a kill leaves beside it, the next writing of the same file removes.
    content : str or bytes
        Text is written as UTF-8, its ends of lines as they are.
    mode : int
        Of a file that is not there yet, less what the user's umask takes.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OSError
    """
    path = Path(path)
    part = path.with_name(f".cohort-{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:12]}.part")
    raw = content.encode() if isinstance(content, str) else content
    descriptor = _claimed(part, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.truncate()
            if path.exists():  # a list that only its owner may read stays so
                shutil.copymode(path, part)
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
            if fcntl:
                part.replace(path)
        if not fcntl:
            part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    return path


def _claimed(part: Path, mode: int) -> int:
    """Open the file beside it, alone: another process that writes the same file is waited for."""
    while True:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0), mode)
        if fcntl is None:
            return descriptor
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError):
            if os.stat(part).st_ino == os.fstat(descriptor).st_ino:
                return descriptor
        # The other has finished: what it wrote is the file by now.
        os.close(descriptor)
