"""A shared report on its way out: without places of this machine, and entered into the register of what was shared."""

from __future__ import annotations

__all__ = ["is_registered", "is_shared", "one_at_a_time", "register", "without_places"]

import contextlib
import csv
import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING

from lib.show.disclosure import register as registered
from lib.study.study import Study
from lib.study.yaml_file import ProblemsFound

if TYPE_CHECKING:
    from nbformat import NotebookNode

# How a notebook is told its study, in the cell that papermill adds.
STUDY_LINE = re.compile(r"^study\b.*$", re.MULTILINE)


def is_shared(routed: dict[str, dict]) -> bool:
    """Whether any notebook of a report is made for sharing."""
    return any(given.get("audience") == "share" for given in routed.values())


def one_at_a_time(study: Study, routed: dict[str, dict]) -> contextlib.AbstractContextManager[None]:
    """Let a shared report of a study wait for another, of which it has to know."""
    return registered.keep_out(study.study.id) if is_shared(routed) else contextlib.nullcontext()


def without_places(notebook: NotebookNode, study: Study) -> None:
    """Name the study by its id in an executed notebook, in place of its folder."""
    for cell in notebook.cells:
        if {"parameters", "injected-parameters"} & set(cell.metadata.get("tags", [])):
            cell.source = STUDY_LINE.sub(f'study = "{study.study.id}"', cell.source)
    given = notebook.metadata.get("papermill", {}).get("parameters", {})
    if "study" in given:
        given["study"] = study.study.id


def register(study: Study, name: str, run: dict, folder: Path) -> None:
    """Enter a report that is whole: what its results.csv shows of counts.

    Parameters
    ----------
    study : Study
    name : str
        Of the report's folder.
    run : dict
        What its run.json holds.
    folder : Path
        That holds its results.csv.
    """
    from lib.show.disclosure.counts import COUNTS  # noqa: PLC0415  its imports are those of a table: only where one is there
    from lib.show.disclosure.jointly import data_print  # noqa: PLC0415

    with (folder / "results.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["statistic"] in COUNTS and row["value"]]
    cells = {
        (row["output"], row["variable"], row["group"], float(row["time"]) if row["time"] else None, row["statistic"]): float(row["value"])
        for row in rows
    }
    parameters = _without_study(run["parameters"])
    n = {arm["id"]: arm["n"] for arm in run["about"]["arms"]}
    today = dt.datetime.now(dt.UTC).date().isoformat()
    registered.enter(study.study.id, registered.Shared(name, today, data_print(study), parameters, n, cells))


def is_registered(study: Study, parameters: dict[str, dict]) -> bool:
    """Whether a report of these data and parameters stands in the register: one that was withdrawn is not shared.

    Parameters
    ----------
    study : Study
    parameters : dict of dict
        As its run.json holds them.
    """
    from lib.show.disclosure.jointly import data_print  # noqa: PLC0415

    try:
        entries = registered.read(study.study.id)
    except ProblemsFound:  # whoever makes the report is told
        return False
    return any((entry.data, entry.parameters) == (data_print(study), _without_study(parameters)) for entry in entries)


def _without_study(parameters: dict[str, dict]) -> dict[str, dict]:
    """As the register holds them: a report of before there were populations is one of everybody."""
    return {name: {"population": ""} | {k: v for k, v in given.items() if k != "study"} for name, given in parameters.items()}
