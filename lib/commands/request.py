"""What a command was asked for: the study, its parameters, which notebooks; every fault of them at once."""

from __future__ import annotations

__all__ = ["PAIRS", "PARAMETERS", "STUDY", "asked_for", "chosen"]

from collections.abc import Iterable
from pathlib import Path

import click
from pydantic import RootModel

from lib.commands.terminal import FOLDER, refuse
from lib.languages.speech import _
from lib.run.execute import route_parameters
from lib.study.claims import read_claims
from lib.study.parameters import NOTEBOOKS
from lib.study.study import ROOT, Study, read_study
from lib.study.yaml_file import Gathered, Problem, ProblemsFound, read_yaml

PAIRS = click.option("-p", "--parameter", "pairs", multiple=True, metavar="NAME=VALUE", help="Repeatable. A list: A,C.")

STUDY = click.option(
    "--study", "folder", type=FOLDER, help="Folder of the study (holds study.yml) [default: that of -f]."
)

PARAMETERS = click.option(
    "-f", "--parameters", "file", type=FOLDER, help="A YAML file of parameters; -p goes before it."
)


class Given(RootModel[dict[str, object]]):
    """A file of parameters: a mapping of names to values."""


def asked_for(
    gathered: Gathered, folder: Path | None, pairs: tuple[str, ...], file: Path | None, notebooks: str = ""
) -> tuple[Study, dict, dict | None]:
    """Study, parameters as they were given, and parameters by notebook; ends where there is no study to go on with."""
    names = gathered.take(chosen, notebooks, NOTEBOOKS, "notebook") or list(NOTEBOOKS)
    given = (gathered.take(read_yaml, file, Given) or Given({})).root if file else {}
    place = folder or gathered.take(_folder_in, given, file)
    given = {name: value for name, value in given.items() if name != "study"}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if sign:
            given[name.strip()] = value.strip()
        else:
            gathered.problems.append(Problem("E110", _("write a parameter as name=value"), "parameters", value=pair))
    study = gathered.take(read_study, place) if place else None
    routed = gathered.take(route_parameters, study, names, given)
    if study is None:
        refuse(gathered.problems)
    gathered.take(read_claims, study.folder)
    return study, given, routed


def _folder_in(given: dict, file: Path | None) -> Path:
    """Folder of the study that the file of parameters names, relative to here or to this repository."""
    if not file or not isinstance(given.get("study"), str):
        message = _("name a study, by --study or as study in the file of -f")
        raise ProblemsFound([Problem("E110", message, file="parameters", column="study")])
    folder = Path(given["study"])
    return folder if folder.exists() else ROOT / folder


def chosen(asked: str, known: Iterable[str], kind: str) -> list[str]:
    """Names of a list by comma, in our order; all of them if it is empty."""
    names = [name.strip() for name in asked.split(",") if name.strip()]
    unknown = [name for name in names if name not in known]
    if unknown:
        message = _("no {kind} {join}; there are {join2}", kind=kind, join=', '.join(unknown), join2=', '.join(known))
        raise ProblemsFound([Problem("E110", message, file="parameters", column=f"{kind}s")])
    return [name for name in known if not names or name in names]
