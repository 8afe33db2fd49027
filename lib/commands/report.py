"""The command `report`: check the study, execute the notebooks, write the pages."""

from __future__ import annotations

__all__ = ["report"]

import contextlib
import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path

import click

from lib.commands.progress import followed
from lib.commands.request import PAIRS, PARAMETERS, STUDY, asked_for, chosen
from lib.commands.terminal import FOLDER, OUTPUTS, explain, fail, printable, shown
from lib.languages.speech import _
from lib.publish.editions import DETAIL, FORMATS
from lib.run.execute import NotebookFailed, run_name
from lib.run.manifest import NAMED
from lib.run.one_report import NOTEBOOK_FOLDER, notebook_paths, stands
from lib.run.sharing import is_shared
from lib.run.target import NotOurs, TargetError, recover
from lib.study.parameters import NOTEBOOKS
from lib.study.provenance import rerun_command
from lib.study.study import Study
from lib.study.yaml_file import Gathered

# Of the name of a folder, on any system.
LONGEST_NAME = 255
# What a notebook raises where nothing can be shared, by name: its module imports what reads tables.
SHARING_REFUSED = "SharingRefused"
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
@click.option("--again", is_flag=True, help="Make all of it, even if it is there already, or parts of it were computed before.")
@click.option("--steps", is_flag=True, help="Tell each cell on a line of its own, for a program that waits.")
@click.option("--format", "formats", default="html", help=FORMAT_HELP)
@click.option("--detail", type=click.Choice(DETAIL), default=DETAIL[0], help="Print what pages fold as details, too: full [default: main].")
def report(
    *, data, answers, folder, output, pairs, file, notebooks, notebook_folder, jobs, name, warm, strict, formats, detail, again, steps
) -> None:
    """Check the study, execute the notebooks, write the pages: all of them or nothing.

    DATA is a study's folder, as --study, or a file in any format, of which a study is made below data/ first.
    """
    if data and folder:
        fail(_("name the study once: as DATA or by --study"), 2)
    folder = _study_of(data or folder, answers)
    gathered = Gathered()
    wanted = gathered.take(chosen, formats, FORMATS, "format")
    study, given, routed = asked_for(gathered, folder, pairs, file, notebooks)
    if gathered.problems:
        from lib.commands.check import checked_tables  # noqa: PLC0415

        # Without a run there is no name for its folder; the tables are still read, so that all is said at once.
        checked_tables(gathered, study, given, OUTPUTS)
    target = (output or OUTPUTS / study.study.id / (_one_word(name) or run_name(routed))).resolve()
    asked = {"notebooks": notebooks, "output": output, "name": name}
    asked["format"] = formats if set(wanted) != {"html"} else None
    asked["detail"] = detail if detail != DETAIL[0] else None
    asked["notebook_folder"] = notebook_folder if notebook_folder.resolve() != NOTEBOOK_FOLDER else None
    command = rerun_command(study, given, **asked)
    with _ending():
        paths = notebook_paths(notebook_folder, routed)
    # Whether a notebook warned is not written down: who asks strictly has it made.
    if again or strict or not _stands(study, routed, target, command, notebook_folder):
        with _ending(), followed(study, paths, [sorted(wanted), jobs, warm, is_shared(routed)], steps=steps) as progress:
            from lib.commands.making import make  # noqa: PLC0415

            ways = {"detail": detail, "jobs": jobs, "warm": warm, "strict": strict, "again": again, "progress": progress}
            make(study, given, routed, target, command=command, folder=notebook_folder, formats=wanted, outputs=OUTPUTS, **ways)
    click.echo(shown(target / "index.html"))


def _study_of(place: Path | None, answers: Path | None) -> Path | None:
    """Folder of the study; of a file with data, the study that is made of it."""
    if place is None or (place / "study.yml").is_file():
        return place
    from lib.commands.new_study import study_of  # noqa: PLC0415  what reads files takes a second to import

    return study_of(place, answers)


def _stands(study: Study, routed: dict, target: Path, command: str, notebooks: Path) -> bool:
    """Whether the report is there already; it is told, or else what has changed since."""
    recover(target)
    run, changed = stands(study, routed, target, command, notebooks)
    if run:
        made = dt.datetime.fromisoformat(run["created"]).astimezone()
        said = _("{shown} is there already, made on {made:%Y-%m-%d} at {made:%H:%M} from the same data, code and parameters", shown=shown(target), made=made)
        click.echo(_("{said}; --again makes it anew.", said=said), err=True)
    elif changed:
        more = _(" and {value} more", value=len(changed) - NAMED) if len(changed) > NAMED else ""
        click.echo(_("Made again, since this is not as it was: {printable}{more}.", printable=printable(', '.join(changed[:NAMED])), more=more), err=True)
    return run is not None


@contextlib.contextmanager
def _ending() -> Iterator[None]:
    """Say in one sentence what ended a report, with its exit code."""
    try:
        yield
    except NotebookFailed as failure:
        kind, __, sentence = failure.error.partition(": ")
        if kind == SHARING_REFUSED:
            fail(sentence, 2)
        explain(failure)
    except NotOurs as error:
        fail(str(error), 2)
    except (TargetError, ValueError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail(_("stopped; an earlier report is as it was"), 130)


def _one_word(name: str) -> str:
    if name and (Path(name).name != name or name.startswith(".")):
        raise click.BadParameter("one plain word, without a path", param_hint="--name")
    if len(os.fsencode(name)) > LONGEST_NAME or not name.isprintable():
        message = _("at most {longest_name} bytes, without control characters", longest_name=LONGEST_NAME)
        raise click.BadParameter(message, param_hint="--name")
    return name
