"""Results of functions of the library, kept by what they were made from: the code, the analysis set, what they were given.

Of the parameters, and of the frames of an analysis that a page has recorded, only those count that the function read when
it first worked: a change of another one finds the result. So does another page that asks the same.

What lies in the folder: under the hash of function, data and arguments the lists of what was read, and under the hash of
that and of what stands there now the result. Nothing is kept of a shared report, of a large study (its results are as
large), of a function that warned, of a notebook's own code, nor unless the process that starts the kernels asks for it.
"""

from __future__ import annotations

__all__ = ["begin", "kept", "watched"]

import contextlib
import hashlib
import io
import os
import pickle
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

import pandas as pd

from lib import noting
from lib.analyses.result import Analysis
from lib.dataset.dataset import Dataset
from lib.kept.store import KEEPING, Store, opened
from lib.study.limits import LARGE

P = ParamSpec("P")
R = TypeVar("R")
A = TypeVar("A")
# All names of the frames of an analysis, beside single ones.
NAMES = ""
# What cannot be pickled says so in one of these ways.
UNPICKLED = (pickle.PicklingError, TypeError, AttributeError)


class _Frames(Mapping[str, pd.DataFrame]):
    """Frames of an analysis that note which of them are read."""

    def __init__(self, frames: Mapping[str, pd.DataFrame]):
        self._frames, self._prints = dict(frames), dict[str, str]()

    def __getitem__(self, name: str) -> pd.DataFrame:
        noting.note([(id(self), name)])
        return self._frames[name]

    def __contains__(self, name: object) -> bool:
        noting.note([(id(self), str(name))])
        return name in self._frames

    def __iter__(self) -> Iterator[str]:
        noting.note([(id(self), NAMES)])
        return iter(self._frames)

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __or__(self, other: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
        return dict(self) | dict(other)

    def __ror__(self, other: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
        return dict(other) | dict(self)

    def __reduce__(self) -> tuple[type, tuple[dict[str, pd.DataFrame]]]:
        return dict, (dict(self),)

    def print_of(self, name: str) -> str:
        """What tells this frame (all their names) from any other."""
        if name not in self._prints:
            frame = self._frames.get(name)
            # Column by column: how pandas lays them out in memory changes as a frame is written and read.
            held = None if frame is None else (frame.index, frame.columns.name, [(c, column.array) for c, column in frame.items()])
            self._prints[name] = _print(list(self._frames) if name == NAMES else held)
        return self._prints[name]


class _Book:
    """What is kept for one page: its data set, and where."""

    def __init__(self, store: Store, code: str, data: Dataset):
        self.store, self.data = store, data
        parts = (data.study, data.arms, data.reference, data.tables, data.queries, data.flow)
        self.base = _print((code, parts))

    def ask(self, function: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> R:
        """Give the result as it was kept, or have it made and keep it."""
        met: list[_Frames] = []
        # Analyses stand below what is shown, and cannot know in which style numbers are written, and in which language.
        style = () if function.__module__.startswith("lib.analyses.") else (self.data.style, self.data.language)
        asked = self._asked((function.__module__, function.__qualname__, style, arguments, options), met)
        if asked is None:
            return function(*arguments, **options)
        before = self._lists(asked)
        for reads in before:
            content = self.store.read(self._place(asked, reads, met))
            if content is not None:
                noting.note((place if place is None else id(met[place]), name) for place, name in reads)
                return cast(R, self._loaded(content))
        with _followed() as (said, followed):
            result = function(*arguments, **options)
            content = self._dumped(result)
        places = {id(frames): place for place, frames in enumerate(met)} | {None: None}
        if content is not None and not said and all(place in places for place, _ in followed):
            reads = tuple((places[place], name) for place, name in followed)
            self.store.write(self._place(asked, reads, met), content)
            if reads not in before:
                self.store.write(asked, pickle.dumps([*before, reads]))
        return result

    def _lists(self, asked: str) -> list[tuple[noting.Read, ...]]:
        """What was read by those that asked the same before."""
        found = self.store.read(asked)
        return pickle.loads(found) if found is not None else []

    def _asked(self, what: object, met: list[_Frames]) -> str | None:
        """Name of what is asked; the frames that it hands on are `met`, and count by what is read of them."""

        def apart(thing: object) -> object:
            if isinstance(thing, Dataset):
                if thing is not self.data:
                    raise pickle.PicklingError
                return "data"
            if not isinstance(thing, _Frames):
                return None
            if not any(thing is one for one in met):
                met.append(thing)
            return next(place for place, one in enumerate(met) if one is thing)

        try:
            return _print((self.base, what), apart)
        except UNPICKLED:
            return None

    def _place(self, asked: str, reads: Iterable[noting.Read], met: list[_Frames]) -> str:
        """Name of the result, if what it read is what stands there now."""
        now = [
            (place, name, repr(getattr(self.data.parameters, name, None)) if place is None else met[place].print_of(name))
            for place, name in reads
        ]
        return hashlib.sha256(repr((asked, now)).encode()).hexdigest()

    def _dumped(self, result: object) -> bytes | None:
        """The result without its data set; None where it cannot be kept."""

        def apart(thing: object) -> object:
            if isinstance(thing, Dataset) and thing is not self.data:
                raise pickle.PicklingError
            return "data" if thing is self.data else None

        try:
            return _pickled(result, apart)
        except UNPICKLED:
            return None

    def _loaded(self, content: bytes) -> object:
        unpickler = pickle.Unpickler(io.BytesIO(content))
        unpickler.persistent_load = lambda _: self.data  # type: ignore[method-assign]
        return unpickler.load()


@contextlib.contextmanager
def _followed() -> Iterator[tuple[list[warnings.WarningMessage], dict[noting.Read, None]]]:
    """Follow what is read, and what is warned of, which is then said as if nobody had listened."""
    with warnings.catch_warnings(record=True) as said, noting.noted() as reads:
        warnings.simplefilter("always")
        yield said, reads
    for one in said:
        warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def _pickled(thing: object, apart: Callable[[object], object], fast: bool = False) -> bytes:
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, pickle.HIGHEST_PROTOCOL)
    pickler.persistent_id = apart  # type: ignore[method-assign]
    # Without memory of what came before: equal things are the same bytes, be they one object or two.
    pickler.fast = fast
    pickler.dump(thing)
    return buffer.getvalue()


def _print(thing: object, apart: Callable[[object], object] = lambda _: None) -> str:
    """SHA-256 of a thing by all that it holds."""
    return hashlib.sha256(_pickled(thing, apart, fast=True)).hexdigest()


_in_force: dict[str, _Book | None] = {"book": None}


def begin(data: Dataset) -> None:
    """Keep from now on what is computed of this data set, if the process that started this one asks for it."""
    code, _, place = os.environ.get(KEEPING, "").partition(" ")
    keeps = code and data.parameters.audience == "internal" and len(data.patients) <= LARGE
    store = opened(Path(place)) if keeps else None
    _in_force["book"] = _Book(store, code, data) if store else None


def kept(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function of the library give what it gave before, where it was asked the same; it has to be found by its name."""

    @wraps(function)
    def remembered(*arguments: P.args, **options: P.kwargs) -> R:
        book = _in_force["book"]
        return book.ask(function, *arguments, **options) if book and _of_library(function) else function(*arguments, **options)

    return remembered


def _of_library(function: Callable[..., object]) -> bool:
    module, name = getattr(function, "__module__", ""), getattr(function, "__qualname__", "")
    return module.startswith("lib.") and getattr(sys.modules[module], name, None) is function


def watched(analysis: A) -> A:
    """The same analysis, whose frames note that they are read; where nothing is kept, as it is."""
    if _in_force["book"] is None or not isinstance(analysis, Analysis):
        return analysis
    frames, shown = (cast(dict[str, pd.DataFrame], _Frames(part)) for part in (analysis.frames, analysis.data))
    return cast(A, replace(analysis, frames=frames, data=shown))
