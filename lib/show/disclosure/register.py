"""What was shared of each study from this machine: the next report is masked so that it cannot be subtracted from it.

One file per study beside the reports; `make clean` leaves it. Who shares from several machines copies it, or names one
folder for all by `COHORT_REPORT_SHARED`. It holds counts that were shown, and no others.
"""

from __future__ import annotations

__all__ = ["Shared", "enter", "keep_out", "nested", "place", "read", "same_population", "withdraw"]

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from lib.study.study import ROOT
from lib.study.written import write_whole
from lib.study.yaml_file import Problem, ProblemsFound

try:
    import fcntl
except ImportError:  # Windows has no flock: there two reports must not be shared at once
    fcntl = None

VARIABLE = "COHORT_REPORT_SHARED"
# Who is in a report.
POPULATION = ("arms", "population", "subgroup", "subgroup_values")
Cell = tuple[str, str, str, float | None, str]


@dataclass(frozen=True)
class Shared:
    """One report that was shared.

    Attributes
    ----------
    name : str
        Of its folder; with a number where that is taken.
    when : str
        Day.
    data : str
        SHA-256 over the fingerprints of study.yml and the tables.
    parameters : dict
        Notebook -> its parameters, without the study's folder.
    n : dict
        Arm -> patients.
    cells : dict
        (output, variable, group, time, statistic) -> count that was shown.
    """

    name: str
    when: str
    data: str
    parameters: dict[str, dict[str, Any]]
    n: dict[str, int]
    cells: dict[Cell, float]

    @property
    def composed(self) -> bool:
        """Whether it is made of several that were shared, and was not itself."""
        return "" in self.parameters

    @property
    def common(self) -> dict[str, Any]:
        """Parameters that all its notebooks share."""
        return next(iter(self.parameters.values()))


def place(study: str) -> Path:
    """File of a study's register, by the study's id."""
    return Path(os.environ.get(VARIABLE) or ROOT / "outputs" / ".shared") / f"{study}.json"


def read(study: str) -> tuple[Shared, ...]:
    """Every report of a study that was shared, in the order in which they were.

    Raises
    ------
    lib.study.yaml_file.ProblemsFound
        E110: the register cannot be read; what it held must not be forgotten in silence.
    """
    path = place(study)
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
        return tuple(Shared(**one | _as_now(one)) for one in listed)
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError, KeyError) as error:
        message = f"the register of shared reports cannot be read ({type(error).__name__}); restore it, or move it away"
        raise ProblemsFound([Problem("E110", message, file="parameters", column="audience", value=path.name)]) from None


def _as_now(one: dict[str, Any]) -> dict[str, Any]:
    """What is written otherwise than it is held, and a population, which earlier registers do not name: everybody."""
    parameters = {name: {"population": ""} | given for name, given in one["parameters"].items()}
    return {"cells": {tuple(cell): value for *cell, value in one["cells"]}, "parameters": parameters}


def _write(study: str, entries: tuple[Shared, ...]) -> None:
    """In the place of the earlier file, as a whole; nobody else may read it."""
    path = place(study)
    path.parent.mkdir(parents=True, exist_ok=True)
    listed = [asdict(e) | {"cells": [[*cell, value] for cell, value in e.cells.items()]} for e in entries]
    write_whole(path, json.dumps(listed, ensure_ascii=False, indent=0), mode=0o600)


def enter(study: str, shared: Shared) -> Shared:
    """Add a report. One that was shared before keeps its place, its name, and every cell that it ever showed."""
    entries = list(read(study))
    for number, old in enumerate(entries):
        if (old.data, old.parameters) == (shared.data, shared.parameters):
            entries[number] = replace(old, cells=old.cells | shared.cells)
            break
    else:
        taken, name, number = {old.name for old in entries}, shared.name, 2
        while name in taken:
            name, number = f"{shared.name}-{number}", number + 1
        entries.append(shared := replace(shared, name=name))
    _write(study, tuple(entries))
    return shared


def withdraw(study: str, name: str) -> bool:
    """Forget a report that reached nobody; whether there was one of this name."""
    entries = read(study)
    kept = tuple(entry for entry in entries if entry.name != name)
    if len(kept) < len(entries):
        _write(study, kept)
    return len(kept) < len(entries)


def same_population(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two reports (by their common parameters) are about the same patients of the arms that both show."""
    return all(_plain(one[key]) == _plain(other[key]) for key in POPULATION if key != "arms")


def nested(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether the patients of one report, in the arms that both show, may all be in the other; so that they subtract.

    Of two populations one is mostly part of the other (per protocol of those treated), so they are held to be.
    """
    if one["subgroup"] != other["subgroup"]:
        return "" in (one["subgroup"], other["subgroup"])
    values = [set(map(str, report["subgroup_values"])) for report in (one, other)]
    return values[0] <= values[1] or values[1] <= values[0]


def _plain(value: Any) -> Any:
    return sorted(map(str, value)) if isinstance(value, list | tuple) else value


@contextlib.contextmanager
def keep_out(study: str) -> Iterator[None]:
    """One shared report of a study at a time: each has to know of the one before. The lock ends with the process.

    Raises
    ------
    ValueError
        The register cannot be written.
    """
    path = place(study)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.with_suffix(".lock").open("w")
    except OSError as error:
        raise ValueError(f"the register of shared reports cannot be written ({error.strerror}): nothing is shared without it") from None
    with file:
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
