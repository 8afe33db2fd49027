"""Zip archives (Excel, Word) that do not tell when they were made: the same contents give the same bytes."""

from __future__ import annotations

__all__ = ["MADE", "fixed_archive"]

import datetime as dt
import io
import zipfile

# Each file of an archive carries a time; this is the earliest that it can hold.
MADE = dt.datetime(1980, 1, 1)


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
