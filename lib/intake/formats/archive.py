"""Several files at once, a folder or a .zip: all that can be read in it. Nothing of an archive is kept on the disk."""

from __future__ import annotations

__all__ = ["files_in", "open_sheets", "unpacked"]

import contextlib
import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from lib.intake.cells import Sheet, Unreadable
from lib.intake.formats import readers
from lib.study.words import grouped
from lib.study.yaml_file import shown

# What is larger is a mistake or an attack on the memory.
MAX_UNPACKED_BYTES, MAX_FILES = 500_000_000, 1_000
ENCRYPTED = 0x1
PIECE = 1_000_000
# What programs and systems leave behind.
NOISE = ("__MACOSX/", ".", "~$", "Thumbs.db", "desktop.ini")


def open_sheets(path: Path) -> dict[str, Callable[[], Sheet]]:
    """Every sheet of every file, under its name; with that of its file before it where two have one name."""
    found: dict[str, Callable[[], Sheet]] = {}
    with unpacked(path) as folder:
        for file in files_in(folder)[0]:
            for sheet, read in _named(file, folder).items():
                # read now: the files are gone when the archive is closed
                found[sheet if sheet not in found else f"{file.stem} {sheet}"] = _kept(read())
    return found


def _named(file: Path, folder: Path) -> dict[str, Callable[[], Sheet]]:
    try:
        return readers.open_sheets(file)
    except Unreadable as error:
        raise Unreadable(error.code, f"{shown(file.relative_to(folder))}: {error}", error.row, error.column) from None


def _kept(sheet: Sheet) -> Callable[[], Sheet]:
    return lambda: sheet


def files_in(folder: Path) -> tuple[list[Path], list[Path]]:
    """Files of a folder, at any depth, that can be read, and those of other kinds; no links, nothing hidden."""
    known, others = [], []
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not path.is_symlink() and not any(part.startswith(NOISE) for part in parts):
            (known if path.suffix.lower() in readers.EXTENSIONS else others).append(path)
    if len(known) > MAX_FILES:
        raise Unreadable("E101", f"more than {grouped(MAX_FILES)} files")
    return known, others


@contextlib.contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Unpack an archive into a folder that is gone afterwards.

    Raises
    ------
    Unreadable
        E101 whatever leads out of the folder, is an archive itself, or unpacks to too much; E104 a password.
    """
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as place:
        members = [one for one in archive.infolist() if not one.is_dir()]
        if len(members) > MAX_FILES:
            raise Unreadable("E101", f"more than {grouped(MAX_FILES)} files")
        left = MAX_UNPACKED_BYTES
        for member in members:
            _check(member)
            left -= _unpack(archive, member, Path(place), left)
        yield Path(place)


def _check(member: zipfile.ZipInfo) -> None:
    name, inside = shown(member.filename), PurePosixPath(member.filename.replace("\\", "/"))
    if inside.is_absolute() or ".." in inside.parts or ":" in member.filename:
        raise Unreadable("E101", f"{name}: a path that leads out of the archive is refused")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise Unreadable("E101", f"{name}: a symbolic link is refused")
    if inside.suffix.lower() == ".zip":
        raise Unreadable("E101", f"{name}: an archive in an archive is refused; unpack it first")
    if member.flag_bits & ENCRYPTED:
        raise Unreadable("E104", f"not readable as .zip: {name} is password-protected; unpack it first")


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, place: Path, left: int) -> int:
    """Write one file, and count what it really holds, whatever it declares."""
    target = place / PurePosixPath(member.filename.replace("\\", "/"))
    target.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with archive.open(member) as source, target.open("wb") as file:
        while piece := source.read(PIECE):
            size += len(piece)
            if size > left:
                raise Unreadable("E101", f"the archive unpacks to more than {grouped(MAX_UNPACKED_BYTES)} bytes")
            file.write(piece)
    return size
