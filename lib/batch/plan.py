"""A plan names many runs, as grids or one by one; it is checked as a whole, against the data, before any of them starts.

A run is what `python -m lib report` makes: a study, its parameters, a folder.
"""

from __future__ import annotations

__all__ = ["MAX_RUNS", "Plan", "Run", "read_plan"]

import itertools
import math
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from lib.batch.places import local_study
from lib.intake.tables import Tables, read_tables
from lib.run.admission import admit, request_of
from lib.run.execute import route_parameters, run_name
from lib.study.claims import read_claims
from lib.study.parameters import NOTEBOOKS
from lib.study.study import Study, read_study
from lib.study.words import grouped
from lib.study.yaml_file import Gathered, Problem, ProblemsFound, line_of, read_yaml

# More is a slip: a grid grows with the product of its lines.
MAX_RUNS = 10_000
# The value of a grid that leaves a parameter as the study has it.
DEFAULT = "default"


def _listed(value):
    return value if isinstance(value, list) else [value]


class Block(BaseModel):
    """Runs that belong together: every study with every combination of the grid."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    study: Annotated[list[str], BeforeValidator(_listed)] = Field(min_length=1)
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")] | None = None
    notebooks: list[Literal[tuple(NOTEBOOKS)]] = Field(default=list(NOTEBOOKS), min_length=1)  # type: ignore[valid-type]
    parameters: dict[str, object] = {}
    grid: dict[str, Annotated[list[object], Field(min_length=1)]] = {}


class Plan(BaseModel):
    """The file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = "Batch of reports"
    runs: list[Block] = Field(min_length=1)


@dataclass(frozen=True)
class Run:
    """One report to make.

    Attributes
    ----------
    name : str
        Its folder below the output: `<study>/<name>`.
    place : str
        Folder of the study, as the plan has it: a path (from where the command is given) or an address.
    study : Study
    given : dict
        Parameters that the plan gives, name -> value.
    routed : dict of dict
        Notebook -> its parameters.
    """

    name: str
    place: str
    study: Study
    given: dict
    routed: dict


def read_plan(path: Path) -> tuple[Plan, list[Run]]:
    """Read a plan and check every run of it.

    Parameters
    ----------
    path : Path
        A YAML file.

    Returns
    -------
    Plan, list of Run
        The runs in the order of the file; names are unique.

    Raises
    ------
    ProblemsFound
        With everything that is wrong in the plan (file and line), its studies and their tables. In the plan: E100 not
        readable, an unknown key or too many runs; E110 a parameter; E111 a run without patients; E112 two runs with
        one name.
    """
    plan = read_yaml(path, Plan)
    size = sum(len(block.study) * math.prod(map(len, block.grid.values())) for block in plan.runs)
    if size > MAX_RUNS:
        raise ProblemsFound([Problem("E100", f"{grouped(size)} runs; at most {grouped(MAX_RUNS)}", file=path.name)])
    studies, problems = _studies(plan)
    runs: list[tuple[Run, int]] = []
    for number, block in enumerate(plan.runs):
        line = line_of(path, ("runs", number))
        for place in block.study:
            if place in studies:
                made, found = _runs_of(block, place, *studies[place])
                runs += [(run, line) for run in made]
                problems += [replace(problem, file=path.name, row=line) for problem in found]
    lines = {name: [line for run, line in runs if run.name == name] for name in _twice(run.name for run, _ in runs)}
    problems += [
        Problem("E112", f"the run {name} is asked for {len(at)} times (blocks in lines {', '.join(map(str, at))})", path.name, at[-1])
        for name, at in lines.items()
    ]  # fmt: skip
    if problems:
        raise ProblemsFound(list(dict.fromkeys(problems)))
    return plan, [run for run, _ in runs]


def _twice(names) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _studies(plan: Plan) -> tuple[dict[str, tuple[Study, Tables | None]], list[Problem]]:
    """Read every study and its tables once; no tables where they have to be corrected."""
    studies, problems = {}, []
    for place in dict.fromkeys(place for block in plan.runs for place in block.study):
        gathered = Gathered()
        try:
            study = gathered.take(read_study, local_study(place))
            if study:
                gathered.take(read_claims, study.folder)
                studies[place] = study, gathered.take(read_tables, study)
        except OSError as error:
            problems.append(Problem("E001", f"cannot be read: {error}", file=place))
        blocking = [problem for problem in gathered.problems if problem.severity == "error"]
        problems += [replace(problem, file=f"{place}/{problem.file}") for problem in blocking]
    return studies, problems


def _runs_of(block: Block, place: str, study: Study, tables: Tables | None) -> tuple[list[Run], list[Problem]]:
    runs, gathered, asked = [], Gathered(), []
    for values in itertools.product(*block.grid.values()):
        given = _spread(block.parameters | dict(zip(block.grid, values, strict=True)))
        notebooks = [name for name in NOTEBOOKS if name in block.notebooks]
        routed = gathered.take(route_parameters, study, notebooks, given)
        request = gathered.take(request_of, study, given)
        if tables and request and request not in asked:
            gathered.take(admit, study, request, tables)
            asked.append(request)
        if routed is None:
            continue
        name = _name(block, routed)
        plain = {k: v for own in routed.values() for k, v in own.items() if k != "study"}
        runs.append(Run(f"{study.study.id}/{name}", place, study, plain, routed))
    return runs, gathered.problems


def _name(block: Block, routed: dict) -> str:
    name = run_name(routed)
    if block.name is None:
        return name
    # A grid under one name: what is asked still tells its runs apart.
    return f"{block.name},{name}" if block.grid else block.name


def _spread(asked: dict) -> dict:
    """Leave out what stays as it is, and write `subgroup: {sex: F}` as the two parameters that it stands for."""
    given = {name: value for name, value in asked.items() if value != DEFAULT}
    match given.get("subgroup"):
        case {**one} if len(one) == 1:
            ((subgroup, values),) = one.items()
            given |= {"subgroup": subgroup, "subgroup_values": _listed(values)}
    return given
