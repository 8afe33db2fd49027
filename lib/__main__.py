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

from lib.admission import admit, request_of
from lib.batch_command import batch
from lib.claims import read_claims
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
from lib.yamlfile import Gathered, Problem, ProblemsFound, read_yaml

OUTPUTS = ROOT / "outputs"
FOLDER = click.Path(path_type=Path)
STUDY = click.option(
    "--study", "folder", type=FOLDER, help="Folder of the study (holds study.yml) [default: that of -f]."
)
PAIRS = click.option(
    "-p", "--parameter", "pairs", multiple=True, metavar="NAME=VALUE", help="Repeatable. A list: A,C."
)
PARAMETERS = click.option(
    "-f", "--parameters", "file", type=FOLDER, help="A YAML file of parameters; -p goes before it."
)
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
@STUDY
@click.option("--output", type=FOLDER, help="Folder to write [default: outputs/<study>/<name>].")
@PAIRS
@PARAMETERS
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
    gathered = Gathered()
    wanted = gathered.take(_chosen, formats, FORMATS, "format")
    study, given, routed = _asked(gathered, folder, pairs, file, notebooks)
    if gathered.problems:
        # Without a run there is no name for its folder; the tables are still read, so that all is said at once.
        _checked(gathered, study, given, output.resolve().parent if output else OUTPUTS / study.study.id)
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
        with offered(study, _checked(gathered, study, given, target.parent)), _bar(sources, steps) as progress:
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
@PAIRS
@PARAMETERS
def check(*, folder, pairs, file) -> None:
    """Check the study, and whether a report with these parameters can be made; list every data query, nothing else."""
    gathered = Gathered()
    study, given, _ = _asked(gathered, folder, pairs, file)
    queries = _checked(gathered, study, given, OUTPUTS / study.study.id).queries
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


def _asked(
    gathered: Gathered, folder: Path | None, pairs: tuple[str, ...], file: Path | None, notebooks: str = ""
) -> tuple[Study, dict, dict | None]:
    """Study, parameters as they were given, and parameters by notebook; ends where there is no study to go on with."""
    names = gathered.take(_chosen, notebooks, NOTEBOOKS, "notebook") or list(NOTEBOOKS)
    given = (gathered.take(read_yaml, file, Given) or Given({})).root if file else {}
    place = folder or gathered.take(_folder_in, given, file)
    given = {name: value for name, value in given.items() if name != "study"}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if sign:
            given[name.strip()] = value.strip()
        else:
            gathered.problems.append(Problem("E110", "write a parameter as name=value", "parameters", value=pair))
    study = gathered.take(read_study, place) if place else None
    routed = gathered.take(route_parameters, study, names, given)
    if study is None:
        refuse(gathered.problems)
    gathered.take(read_claims, study.folder)
    return study, given, routed


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


def _checked(gathered: Gathered, study: Study, given: dict, folder: Path) -> Tables:
    """Read the tables and write the list of data queries beside the reports; stop at all that blocks the report."""
    known = len(gathered.problems)
    tables = gathered.take(read_tables, study)
    _save(tables.queries if tables else list_queries(gathered.problems[known:]), folder)
    request = gathered.take(request_of, study, given)
    if tables and request:
        gathered.take(admit, study, request, tables)
    if gathered.problems:
        refuse(gathered.problems)
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
