"""The command `report`: check the study, execute the notebooks, write the pages."""

from __future__ import annotations

__all__ = ["report"]

import contextlib
import os
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import nbformat
from nbformat import NotebookNode
from tqdm import tqdm

from lib.commands.new_study import study_of
from lib.commands.request import PAIRS, PARAMETERS, STUDY, asked_for, chosen
from lib.commands.terminal import FOLDER, OUTPUTS, checked_tables, explain, fail, printable, shown
from lib.intake.handover import offered
from lib.publish.editions import DETAIL, FORMATS
from lib.run.execute import NotebookFailed, run_name
from lib.run.kernels import prepare
from lib.run.one_report import NOTEBOOK_FOLDER, make_report, notebook_paths
from lib.run.target import NotOurs, TargetError, refuse_foreign
from lib.show.disclosure.jointly import SharingRefused
from lib.study.parameters import NOTEBOOKS
from lib.study.provenance import rerun_command
from lib.study.yaml_file import Gathered

# Of the name of a folder, on any system.
LONGEST_NAME = 255
FORMAT_HELP = (
    f"By comma: {', '.join(FORMATS)}. docx (Word) and pdf: one per report and one of all. figures: a PDF and a 300-dpi "
    "PNG of each. plain: a page for patients. The pages are always made [default: html]."
)


@click.command()
@click.argument("data", type=FOLDER, required=False)
@STUDY
@click.option("--answers", type=FOLDER, help="Answers to what the file DATA does not say.")
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
@click.option("--detail", type=click.Choice(DETAIL), default=DETAIL[0], help="Print what pages fold as details, too: full [default: main].")
def report(
    *, data, answers, folder, output, pairs, file, notebooks, notebook_folder, jobs, name, warm, strict, formats, detail, steps
) -> None:
    """Check the study, execute the notebooks, write the pages: all of them or nothing.

    DATA is a study's folder, as --study, or a file in any format, of which a study is made below data/ first.
    """
    if data and folder:
        fail("name the study once: as DATA or by --study", 2)
    folder = study_of(data or folder, answers)
    gathered = Gathered()
    wanted = gathered.take(chosen, formats, FORMATS, "format")
    study, given, routed = asked_for(gathered, folder, pairs, file, notebooks)
    if gathered.problems:
        # Without a run there is no name for its folder; the tables are still read, so that all is said at once.
        checked_tables(gathered, study, given, OUTPUTS)
    target = (output or OUTPUTS / study.study.id / (_one_word(name) or run_name(routed))).resolve()
    asked = {"notebooks": notebooks, "output": output, "name": name}
    asked["format"] = formats if set(wanted) != {"html"} else None
    asked["detail"] = detail if detail != DETAIL[0] else None
    asked["notebook_folder"] = notebook_folder if notebook_folder.resolve() != NOTEBOOK_FOLDER else None
    try:
        paths = notebook_paths(notebook_folder, routed)
        sources = {name: nbformat.read(path, as_version=4) for name, path in paths.items()}
        if warm:
            # Its imports take as long as the tables that are read meanwhile.
            prepare(sources.values())
        tables = checked_tables(gathered, study, given, OUTPUTS)
        refuse_foreign(target)
        with offered(study, tables), _bar(sources, steps) as progress:
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
                detail=detail,
                queries=tables.queries,
            )
    except NotebookFailed as failure:
        if failure.error.startswith(SharingRefused.__name__):
            fail(failure.error.partition(": ")[2], 2)
        explain(failure)
    except NotOurs as error:
        fail(str(error), 2)
    except (TargetError, ValueError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("stopped; an earlier report is as it was", 130)
    click.echo(shown(target / "index.html"))


def _one_word(name: str) -> str:
    if name and (Path(name).name != name or name.startswith(".")):
        raise click.BadParameter("one plain word, without a path", param_hint="--name")
    if len(os.fsencode(name)) > LONGEST_NAME or not name.isprintable():
        message = f"at most {LONGEST_NAME} bytes, without control characters"
        raise click.BadParameter(message, param_hint="--name")
    return name


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
