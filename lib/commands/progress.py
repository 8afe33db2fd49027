"""How far a report is: at a terminal one line that rewrites itself, with the time that is left; elsewhere a line per page.

The time is told from when each step of an earlier run like this one began, which is kept beside the environment; without
such a run none is told.
"""

from __future__ import annotations

__all__ = ["Progress", "followed"]

import contextlib
import hashlib
import json
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from tqdm.utils import disp_len, disp_trim

from lib.commands.terminal import printable
from lib.languages.speech import N_, _
from lib.study.study import Study
from lib.study.written import write_whole

# What is at work before the first notebook and after the last.
TABLES, PAGES = N_("reading the tables"), N_("writing the pages")
# Seconds between two drawings of the line, so that its time runs.
EVERY = 0.5
# Where the terminal does not say how wide it is.
WIDTH = 80
# A narrower place tells no section.
NARROWEST = 12
# From this part of the earlier run on, how much slower or faster this one is counts.
SETTLED = 0.2
# With the environment, where no report and no study lies.
TIMES = Path(sys.prefix, "var", "cohort_report", "times.json")
# So many runs are remembered.
RUNS = 50
# When each step of each thing at work began, in seconds since the beginning.
Begun = dict[str, list[float]]


class Progress:
    """Notes each cell that starts, and tells.

    Parameters
    ----------
    cells : dict of int
        Notebook -> its cells, as they are executed.
    earlier : dict of list of float, optional
        As `begun` of an earlier run was when it ended.
    steps : bool
        Tell each cell on a line of its own, for a program that waits.
    clock : callable
        Gives seconds.
    """

    def __init__(self, cells: dict[str, int], earlier: Begun | None = None, *, steps: bool = False, clock: Callable[[], float] = time.monotonic):
        self.cells, self.earlier, self.steps, self.clock = cells, earlier, steps, clock
        self.since, self.lock = clock(), threading.RLock()
        self.done = dict.fromkeys(cells, 0)
        self.at: dict[str, str] = {TABLES: ""}
        self.begun: Begun = {TABLES: [0.0]}
        self.live, self.ended = sys.stderr.isatty() and not steps, threading.Event()

    def __call__(self, name: str, number: int, of: int, heading: str) -> None:
        """Note that a cell starts; as `lib.run.execute.execute` calls it."""
        with self.lock:
            self._begin(name, heading)
            self.done[name] = number - 1 if number <= of else self.cells[name]
            if number > of:
                self.at.pop(name)
                if self.done == self.cells:
                    self._begin(PAGES, "")
            self._tell(name, number, of, heading)

    def _begin(self, name: str, heading: str) -> None:
        if self.at.pop(TABLES, None) is not None:
            self.begun[TABLES].append(self._now())
        self.at[name] = heading
        self.begun.setdefault(name, []).append(self._now())

    def _tell(self, name: str, number: int, of: int, heading: str) -> None:
        if self.live:
            self.draw()
        elif self.steps:
            said = _("{name}: cell {number} of {of}, {heading}", name=name, number=number, of=of, heading=heading) if number <= of else _("{name}: done", name=name)
            click.echo(f"{sum(self.done.values())}/{sum(self.cells.values())} {_shortened(_plain(said), 60)}", err=True)
        elif number > of:
            click.echo(_("{name}: done, {sum} of {n}", name=name, sum=sum(self.done[n] == self.cells[n] for n in self.cells), n=len(self.cells)), err=True)

    def _now(self) -> float:
        return self.clock() - self.since

    def say(self, sentence: str) -> None:
        """Write a line of its own, above the one that rewrites itself."""
        with self.lock:
            if self.live:
                _write("")
            click.echo(sentence, err=True)

    def draw(self) -> None:
        """Write the line anew."""
        with self.lock:
            if self.live and not self.ended.is_set():
                _write(self.line(_width()))

    def stop(self) -> None:
        """Clear the line for good."""
        with self.lock:
            if self.live and not self.ended.is_set():
                _write("")
            self.ended.set()

    def line(self, width: int) -> str:
        """How far it is, how long it will take, and which section each notebook is at."""
        with self.lock:
            # The pages are still to be written when the last cell is done.
            part = min(99, 100 * sum(self.done.values()) // max(1, sum(self.cells.values())))
            left = self.left()
            head = f"{part:2d}%" + (f", {in_words(left)}" if left is not None else "")
            each = (width - 1 - len(head)) // len(self.at) - len(" | ") if self.at else 0
            said = [_shortened(_plain(f"{_(name)}: {_(heading)}" if heading and each > NARROWEST else _(name)), each) for name, heading in self.at.items()]
        return str(disp_trim(" | ".join([head, *said]), width - 1))

    def left(self) -> float | None:
        """Seconds to the end, by the earlier run; None without one, or where this one is another."""
        places = [self._place(name) for name in self.at] if self.earlier else []
        known = [place for place in places if place is not None]
        if not known or len(known) < len(places):
            return None
        place, end = sum(known) / len(known), self.earlier[PAGES][-1]
        return (end - place) * (self._now() / place if place > SETTLED * end else 1)

    def _place(self, name: str) -> float | None:
        """When the earlier run was where this one is, in one of the things at work."""
        was, steps = (self.earlier or {}).get(name, []), self.begun[name]
        if len(was) <= len(steps):
            return None
        began, begins = steps[-1], was[len(steps) - 1]
        pace = began / begins if began > 0 and begins > 0 else 1
        return min(begins + (self._now() - began) / pace, was[len(steps)])

    def end(self) -> Begun:
        """Return what to keep of a run that went well."""
        return self.begun | {PAGES: [*self.begun.get(PAGES, []), self._now()]}


def in_words(seconds: float) -> str:
    """Such as "about 25 s left": never more exact than it is."""
    return _("about {value} min left", value=round(seconds / 60)) if seconds > 90 else _("about {max} s left", max=max(5, 5 * math.ceil(seconds / 5)))


def _plain(text: str) -> str:
    return printable(" ".join(text.split()))


def _shortened(text: str, width: int) -> str:
    return text if disp_len(text) <= width else f"{disp_trim(text, max(1, width - 3)).rstrip()}..."


def _write(line: str) -> None:
    """In the place of the line before; the cursor goes back to its beginning, where whatever else is said overwrites it."""
    spaces = " " * (_width() - 1 - disp_len(line))
    sys.stderr.write(f"\r{line}{spaces}\r")
    sys.stderr.flush()


def _width() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or WIDTH
    except (OSError, ValueError):
        return WIDTH


@contextlib.contextmanager
def followed(study: Study, notebooks: dict[str, Path], how: object, *, steps: bool) -> Iterator[Progress]:
    """Show how far a report is, until the block ends; what a report that was made took is kept for the next.

    Parameters
    ----------
    study : Study
    notebooks : dict of Path
        Name -> file of the notebook to be executed.
    how : object
        What decides how long it takes, beside study and notebooks; a run of other ways tells nothing of this one.
    steps : bool
        As in `Progress`.

    Yields
    ------
    Progress
    """
    # Not by nbformat, whose imports would take the first second.
    sources = {name: json.loads(path.read_text(encoding="utf-8")).get("cells", []) for name, path in notebooks.items()}
    key = _key(study, sources, how)
    # One cell more each: papermill adds the parameters.
    progress = Progress({name: len(cells) + 1 for name, cells in sources.items()}, _kept().get(key), steps=steps)
    progress.draw()
    if progress.live:
        threading.Thread(target=_tick, args=(progress,), daemon=True).start()
    try:
        yield progress
        _keep(key, progress.end())
    finally:
        progress.stop()


def _tick(progress: Progress) -> None:
    while not progress.ended.wait(EVERY):
        with contextlib.suppress(OSError):  # the terminal was closed
            progress.draw()


def _key(study: Study, sources: dict[str, list], how: object) -> str:
    """Tells runs apart that take another time; tables that doubled are another study."""
    size = sum(path.stat().st_size for path in study.folder.iterdir() if path.is_file()).bit_length()
    written = [(name, [cell.get("source") for cell in cells]) for name, cells in sources.items()]
    return hashlib.sha256(repr([str(study.folder.resolve()), size, written, how]).encode()).hexdigest()[:16]


def _kept() -> dict[str, Begun]:
    """Earlier runs by key; none where the file is not there or no list of such."""
    try:
        runs = json.loads(TIMES.read_text(encoding="utf-8"))
        return {key: {str(name): [float(one) for one in begun] for name, begun in run.items()} for key, run in runs.items() if run[PAGES]}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def _keep(key: str, begun: Begun) -> None:
    rounded = {name: [round(one, 2) for one in steps] for name, steps in begun.items()}
    runs = {other: run for other, run in _kept().items() if other != key} | {key: rounded}
    with contextlib.suppress(OSError):  # where nothing can be kept, no time is told
        TIMES.parent.mkdir(parents=True, exist_ok=True)
        write_whole(TIMES, json.dumps(dict([*runs.items()][-RUNS:])))
