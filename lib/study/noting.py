"""What a computation reads of what may be otherwise in the next report, noted while it runs.

Parameters note themselves (lib/study/parameters.py), and so do the frames that analyses are handed on with (lib/kept). Where
nothing is being noted, noting does nothing.
"""

from __future__ import annotations

__all__ = ["Read", "note", "noted", "noting"]

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

# Whose it is (None: a parameter), and its name.
Read = tuple[int | None, str]

# One for each computation that is being followed, the innermost last; dicts, as they keep the order.
_open: list[dict[Read, None]] = []


def noting() -> bool:
    """Whether anything is being followed."""
    return bool(_open)


def note(reads: Iterable[Read]) -> None:
    """Write down that these were read."""
    if _open:
        _open[-1].update(dict.fromkeys(reads))


@contextmanager
def noted(passed_on: bool = True) -> Iterator[dict[Read, None]]:
    """Follow what is done meanwhile, and give what it read; whoever follows from outside read it too, if it is passed on."""
    own: dict[Read, None] = {}
    _open.append(own)
    try:
        yield own
    finally:
        _open.pop()
        if passed_on:
            note(own)
