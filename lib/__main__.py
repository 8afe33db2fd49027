"""The command line: `python -m lib report`, `batch`, `check`, `compare`, `new`, `template`, `lab`, `explore`.

Exit codes: 0 done; 1 a notebook failed, the folder cannot be written, or compared numbers moved; 2 the study, its
tables, the parameters or the folders to compare are wrong; 130 stopped by the user.
"""

from __future__ import annotations

__all__ = ["main"]

import contextlib
import signal
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click
import nbformat
import pandas as pd
from nbformat import NotebookNode
from pydantic import RootModel
from tqdm import tqdm

from lib.batch_command import batch
from lib.compare import TOLERANCE, CompareError, read_outputs
from lib.compare import compare as compare_outputs
from lib.compare_tables import comparison_text
from lib.editions import FORMATS
from lib.handover import offered
from lib.intake import Tables, list_queries, read_tables, write_queries
from lib.kernels import prepare
from lib.making import NOTEBOOK_FOLDER, make_report, notebook_paths
from lib.new_command import new, template
from lib.parameters import NOTEBOOKS
from lib.provenance import rerun_command
from lib.run import NotebookFailed, route_parameters, run_name
from lib.serve_command import explore, lab
from lib.study import ROOT, Study, read_study
from lib.target import TargetError
from lib.terminal import explain, fail, printable, refuse, say_problems, shown
from lib.yamlfile import Problem, ProblemsFound, read_yaml

OUTPUTS = ROOT / "outputs"
FOLDER = click.Path(path_type=Path)
STUDY = click.option("--study", "folder", type=FOLDER, required=True, help="Folder of the study (holds study.yml).")
FORMAT_HELP = (
    f"By comma: {', '.join(FORMATS)}. docx (Word) and pdf: one per report and one of all. figures: a PDF and a 300-dpi "
    "PNG of each. The pages are always made [default: html]."
)


class Given(RootModel[dict[str, object]]):
    """A file of parameters: a mapping of names to values."""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Make the reports of a study, check its tables, or begin a study from a workbook, or explore it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


for command in (batch, new, template, lab, explore):
    main.add_command(command)


@main.command()
@click.option("--study", "folder", type=FOLDER, help="Folder of the study (holds study.yml) [default: that of -f].")
@click.option("--output", type=FOLDER, help="Folder to write [default: outputs/<study>/<name>].")
@click.option("-p", "--parameter", "pairs", multiple=True, metavar="NAME=VALUE", help="Repeatable. A list: A,C.")
@click.option("-f", "--parameters", "file", type=FOLDER, help="A YAML file of parameters; -p goes before it.")
@click.option("--notebooks", default="", help=f"Which reports, by comma [default: {','.join(NOTEBOOKS)}].")
@click.option("--notebook-folder", type=FOLDER, default=NOTEBOOK_FOLDER, help="Where they lie [default: notebooks].")
@click.option("--jobs", type=click.IntRange(1, 64), default=2, help="Notebooks side by side [default: 2].")
@click.option("--name", default="", help="Name of the run [default: default, or made from the parameters].")
@click.option("--warm/--fresh", default=True, help="Fork kernels with the imports done, or start each anew.")
@click.option("--strict", is_flag=True, help="Fail when a notebook warns.")
@click.option("--steps", is_flag=True, help="Tell each cell on a line of its own, for a program that waits.")
@click.option("--format", "formats", default="html", help=FORMAT_HELP)
def report(*, folder, output, pairs, file, notebooks, notebook_folder, jobs, name, warm, strict, formats, steps) -> None:
    """Check the study, execute the notebooks, write the pages: all of them or nothing."""
    try:
        given = _given(pairs, file)
        study = read_study(folder or _folder_in(given, file))
        if file:
            given.pop("study", None)
        routed = route_parameters(study, _chosen(notebooks, NOTEBOOKS, "notebook"), given)
        wanted = _chosen(formats, FORMATS, "format")
    except ProblemsFound as found:
        refuse(found.problems)
    target = (output or OUTPUTS / study.study.id / (_one_word(name) or run_name(routed))).resolve()
    asked = {"notebooks": notebooks, "output": output, "name": name}
    asked["format"] = formats if set(wanted) != {"html"} else None
    asked["notebook_folder"] = notebook_folder if notebook_folder.resolve() != NOTEBOOK_FOLDER else None
    try:
        paths = notebook_paths(notebook_folder, routed)
        sources = {name: nbformat.read(path, as_version=4) for name, path in paths.items()}
        if warm:
            # Its imports take as long as the tables that are read meanwhile.
            prepare(sources.values())
        with offered(study, _checked(study, target.parent)), _bar(sources, steps) as progress:
            make_report(
                study,
                routed,
                target,
                command=rerun_command(study, given, **asked),
                folder=notebook_folder,
                strict=strict,
                warn=lambda message: click.echo(f"Warning: {printable(message)}", err=True),
                jobs=jobs,
                progress=progress,
                warm=warm,
                formats=wanted,
            )
    except NotebookFailed as failure:
        explain(failure)
    except (TargetError, ValueError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("stopped; an earlier report is as it was", 130)
    click.echo(shown(target / "index.html"))


@main.command()
@STUDY
def check(*, folder) -> None:
    """Check study.yml and the tables, list every data query, and do nothing else."""
    try:
        study = read_study(folder)
    except ProblemsFound as found:
        refuse(found.problems)
    queries = _checked(study, OUTPUTS / study.study.id).queries
    say_problems([Problem(**row) for row in queries.drop(columns="severity").to_dict("records")])
    tables, found = _counted(len(study.tables), "table", "tables"), _counted(len(queries), "data query", "data queries")
    click.echo(f"{study.study.short_title}: {tables} read, {found}, nothing that blocks a report.")


@main.command()
@click.argument("old", type=FOLDER)
@click.argument("new", type=FOLDER)
@click.option("--tolerance", type=click.FloatRange(0), default=TOLERANCE, help=f"Relative [default: {TOLERANCE:g}].")
@click.option("--output", type=FOLDER, help="Folder for compare.html and compare.csv [default: beside NEW].")
def compare(*, old, new, tolerance, output) -> None:
    """Say which numbers moved between two output folders, and why. Exit code 1: some did; 2: not comparable."""
    try:
        comparison = compare_outputs(*read_outputs(old, new), tolerance)
    except CompareError as error:
        fail(str(error), 2)
    click.echo(printable(comparison_text(comparison)))
    folder = output or new.resolve().parent
    try:
        from lib.compare_page import write_comparison  # noqa: PLC0415  as in _published

        click.echo(shown(write_comparison(comparison, folder)), err=True)
    except OSError as error:
        fail(f"cannot write into {folder}: {error.strerror}", 2)
    sys.exit(1 if comparison.moved else 0)


def _counted(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"


def _given(pairs: tuple[str, ...], file: Path | None) -> dict:
    given = dict(read_yaml(file, Given).root) if file else {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign:
            raise ProblemsFound([Problem("E110", "write a parameter as name=value", file="parameters", value=pair)])
        given[name.strip()] = value.strip()
    return given


def _folder_in(given: dict, file: Path | None) -> Path:
    """Folder of the study that the file of parameters names, relative to here or to this repository."""
    if not file or not isinstance(given.get("study"), str):
        message = "name a study, by --study or as study in the file of -f"
        raise ProblemsFound([Problem("E110", message, file="parameters", column="study")])
    folder = Path(given["study"])
    return folder if folder.exists() else ROOT / folder


def _chosen(asked: str, known: Iterable[str], kind: str) -> list[str]:
    """Names of a list by comma, in our order; all of them if it is empty."""
    names = [name.strip() for name in asked.split(",") if name.strip()]
    unknown = [name for name in names if name not in known]
    if unknown:
        message = f"no {kind} {', '.join(unknown)}; there are {', '.join(known)}"
        raise ProblemsFound([Problem("E110", message, file="parameters", column=f"{kind}s")])
    return [name for name in known if not names or name in names]


def _one_word(name: str) -> str:
    if name and (Path(name).name != name or name.startswith(".")):
        raise click.BadParameter("one plain word, without a path", param_hint="--name")
    return name


def _checked(study: Study, folder: Path) -> Tables:
    """Read the tables and write the list of data queries beside the reports; stop at blocking ones."""
    try:
        tables = read_tables(study)
    except ProblemsFound as found:
        _save(list_queries(found.problems), folder)
        refuse(found.problems)
    _save(tables.queries, folder)
    return tables


def _save(queries: pd.DataFrame, folder: Path) -> None:
    try:
        path = write_queries(queries, folder)
    except OSError as error:
        click.echo(f"The data queries could not be written into {folder}: {error.strerror}.", err=True)
    else:
        click.echo(f"{_counted(len(queries), 'data query', 'data queries')}: {shown(path)}", err=True)


@contextlib.contextmanager
def _bar(notebooks: dict[str, NotebookNode], steps: bool) -> Iterator[Callable]:
    """Show one bar for all notebooks (or a line per cell), which names the notebook and the cell at work."""
    # One cell more each: papermill adds the parameters.
    cells = sum(len(notebook.cells) + 1 for notebook in notebooks.values())
    done = dict.fromkeys(notebooks, 0)
    with tqdm(total=cells, disable=steps or None, leave=False, bar_format="{l_bar}{bar:20} {n}/{total}") as bar:

        def progress(name: str, number: int, of: int, heading: str) -> None:
            bar.update(number - 1 - done[name])
            done[name] = number - 1
            said = textwrap.shorten(f"{name}: cell {number} of {of}, {heading}", 60, placeholder=" ...")
            bar.set_description_str(said)
            if steps:
                click.echo(f"{sum(done.values())}/{cells} {printable(said)}", err=True)

        yield progress


if __name__ == "__main__":
    main(prog_name="python -m lib")
