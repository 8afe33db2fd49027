"""Two output folders: which numbers moved between them, by how much, and what changed behind them.

Reads run.json and results.csv, nothing else. What a reader sees of it is made in tables.
"""

from __future__ import annotations

__all__ = ["TOLERANCE", "CompareError", "Comparison", "Output", "Run", "compare", "read_outputs"]

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import BaseModel, ValidationError

from lib.report.results import COLUMNS, KEY

# Two processors may differ in the last digits of a float; no statistic means anything there.
TOLERANCE = 1e-9
# What can have changed behind the numbers, as run.json names it.
CAUSES = ("data", "parameters", "code", "versions", "methods")


class CompareError(ValueError):
    """The folders cannot be compared; one plain sentence per reason."""


class Run(BaseModel):
    """run.json, as far as a comparison needs it."""

    created: str
    study: str
    parameters: dict[str, dict]
    commit: str
    versions: dict[str, str]
    inputs: dict[str, dict[str, str]]
    about: dict
    reports: dict[str, dict]


@dataclass(frozen=True)
class Output:
    """One output folder: `results` is a DataFrame, one row per statistic, indexed by `lib.report.results.KEY`."""

    folder: Path
    run: Run
    results: pd.DataFrame


@dataclass(frozen=True)
class Comparison:
    """Two outputs and what differs.

    Attributes
    ----------
    numbers : DataFrame, one row per statistic of either output
        Columns of `KEY`, `old`, `new` (NaN: does not exist), `absolute` (new - old), `relative` (absolute / |old|),
        `status` (same, moved, new, missing: the row is in one output only), `old_method`, `new_method`.
    changes : DataFrame, one row per changed input
        `cause` (one of `CAUSES`), `what`, `old`, `new`; empty = not there.
    """

    old: Output
    new: Output
    tolerance: float
    numbers: pd.DataFrame
    changes: pd.DataFrame

    @property
    def moved(self) -> bool:
        """Whether any number moved beyond the tolerance, appeared or vanished."""
        return bool((self.numbers["status"] != "same").any())

    def count(self, status: str) -> int:
        """Number of statistics with that status."""
        return int((self.numbers["status"] == status).sum())


def read_outputs(*folders: Path) -> list[Output]:
    """Read output folders.

    Raises
    ------
    CompareError
        Names everything that is wrong with all of them: a folder that holds no report, a file that is damaged.
    """
    outputs, problems = [], []
    for folder in map(Path, folders):
        try:
            outputs.append(Output(folder, _read_run(folder), _read_results(folder)))
        except CompareError as error:
            problems.append(str(error))
    if problems:
        raise CompareError("; ".join(dict.fromkeys(problems)))
    return outputs


def _read_run(folder: Path) -> Run:
    path = folder / "run.json"
    if not path.is_file():
        raise CompareError(f"{folder} is not a report: it holds no run.json")
    try:
        return Run.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError) as error:
        lacking = [".".join(map(str, e["loc"])) for e in error.errors()] if isinstance(error, ValidationError) else []
        missing = f" (wrong or missing: {', '.join(filter(None, lacking))})" if any(lacking) else ""
        raise CompareError(f"{path} cannot be read as the run.json of a report{missing}") from None


def _read_results(folder: Path) -> pd.DataFrame:
    path = folder / "results.csv"
    if not path.is_file():
        raise CompareError(f"{folder} is not a report: it holds no results.csv")
    try:
        rows = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except ValueError as error:  # a pandas error of parsing or of encoding is one
        raise CompareError(f"{path} cannot be read: {error}") from None
    # Reports of before did not say what a row counts.
    if list(rows.columns) not in (COLUMNS, [column for column in COLUMNS if column != "unit"]):
        raise CompareError(f"{path} has the columns {', '.join(rows.columns)}; needed are {', '.join(COLUMNS)}")
    values = pd.to_numeric(rows["value"].replace("", "nan"), errors="coerce")
    wrong = rows[values.isna() & (rows["value"] != "")]
    if len(wrong):
        raise CompareError(f"{path}, row {wrong.index[0] + 2}, value: not a number (found {wrong['value'].iat[0]})")
    twice = rows[rows.duplicated(KEY)]
    if len(twice):
        raise CompareError(f"{path}, row {twice.index[0] + 2}: the same statistic a second time")
    return rows.assign(value=values).set_index(KEY)


def compare(old: Output, new: Output, tolerance: float = TOLERANCE) -> Comparison:
    """Hold one output against another.

    Parameters
    ----------
    old, new : Output
    tolerance : float
        Relative to the larger of the two absolute values: up to it a number has not moved.

    Raises
    ------
    CompareError
        The outputs are of different studies.
    """
    if old.run.study != new.run.study:
        raise CompareError(
            f"the reports are of different studies: {old.run.study} in {old.folder}, {new.run.study} in {new.folder}"
        )
    numbers = _numbers(old.results, new.results, tolerance)
    return Comparison(old, new, tolerance, numbers, _changes(old.run, new.run, numbers))


def _numbers(old: pd.DataFrame, new: pd.DataFrame, tolerance: float) -> pd.DataFrame:
    # In the order of the new report; what is missing there follows.
    index = new.index.append(old.index.difference(new.index, sort=False))
    a, b = old["value"].reindex(index), new["value"].reindex(index)
    absolute, larger = b - a, np.maximum(a.abs(), b.abs())
    same = (a.isna() & b.isna()) | (a == b) | (absolute.abs() <= tolerance * larger)
    status = np.select(
        [~index.isin(old.index), ~index.isin(new.index), same], ["new", "missing", "same"], default="moved"
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = (absolute / a.abs()).where(a != 0)
    methods = {f"{name}_method": o["method"].reindex(index).fillna("") for name, o in (("old", old), ("new", new))}
    frame = pd.DataFrame(
        {"old": a, "new": b, "absolute": absolute, "relative": relative, "status": status} | methods, index=index
    )
    return frame.reset_index()


def _changes(old: Run, new: Run, numbers: pd.DataFrame) -> pd.DataFrame:
    both = numbers[numbers["status"].isin(["same", "moved"])]
    before, after = _inputs(old), _inputs(new)
    for inputs, method in ((before, "old_method"), (after, "new_method")):
        named = both.groupby(["report", "output", "variable"], sort=False)[method].agg(lambda m: "; ".join(m.unique()))
        inputs["methods"] = {f"{report}: {output}, {of}": m for (report, output, of), m in named.items()}
    rows = [
        (cause, what, before[cause].get(what, ""), after[cause].get(what, ""))
        for cause in CAUSES
        for what in _union(before[cause], after[cause])
        if before[cause].get(what) != after[cause].get(what)
    ]
    return pd.DataFrame(rows, columns=["cause", "what", "old", "new"])


def _inputs(run: Run) -> dict[str, dict[str, str]]:
    """Everything that can change a number: cause -> what -> its value or fingerprint, as text."""
    parameters = {
        f"{report}: {name}": json.dumps(value, ensure_ascii=False)
        for report, given in run.parameters.items()
        for name, value in given.items()
        if name != "study"
    }
    code = {"commit": run.commit} | run.inputs.get("code", {})
    return {"data": run.inputs.get("data", {}), "parameters": parameters, "code": code, "versions": run.versions}


def _union(*names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name for some in names for name in some))
