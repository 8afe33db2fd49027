"""Checked tables, handed to the kernels by the process that has read them, so that they are read once per report.

They lie in a file in memory that has no name on any disk and is gone when that process ends, however it does. Where
there is none (another system, a notebook run by itself, tables that have changed), a notebook reads the tables itself.
"""

from __future__ import annotations

__all__ = ["offered", "take"]

import contextlib
import os
import pickle
import secrets
from collections.abc import Iterator

from lib.intake.tables import Tables
from lib.study.study import Study

# Where a kernel finds them: a file of the process that started it, open to nobody but the same user. It begins with a
# mark that nobody else knows, since the place may be another file's by then, and what is unpickled must be ours.
VARIABLE, PLACE = "COHORT_REPORT_TABLES", "{} /proc/{}/fd/{}"


@contextlib.contextmanager
def offered(study: Study, tables: Tables) -> Iterator[None]:
    """Offer the tables to every process that is started meanwhile.

    Parameters
    ----------
    study : Study
    tables : Tables
        Not kept: a caller who keeps them neither needs their memory once only.
    """
    if not hasattr(os, "memfd_create"):
        yield
        return
    mark = secrets.token_hex()
    with open(os.memfd_create("tables"), "wb") as file:
        file.write(mark.encode())
        pickle.dump(_state(study), file)
        pickle.dump(tables, file, protocol=pickle.HIGHEST_PROTOCOL)
        file.flush()
        del tables
        os.environ[VARIABLE] = PLACE.format(mark, os.getpid(), file.fileno())
        try:
            yield
        finally:
            os.environ.pop(VARIABLE, None)


def take(study: Study) -> Tables | None:
    """Tables that were offered for this study as it is now; None without any."""
    mark, _, place = os.environ.get(VARIABLE, "").partition(" ")
    if place:
        with contextlib.suppress(OSError), open(place, "rb") as file:
            if file.read(len(mark)) == mark.encode() and pickle.load(file) == _state(study):
                return pickle.load(file)
    return None


def _state(study: Study) -> list[tuple]:
    """Files of the study's folder, with sizes and times of the last change."""
    found = [(path.resolve(), path.stat()) for path in sorted(study.folder.iterdir()) if path.is_file()]
    return [(str(path), stat.st_size, stat.st_mtime_ns) for path, stat in found]
