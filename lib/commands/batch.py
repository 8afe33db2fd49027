"""The command line of a batch: `python -m lib batch`."""

from __future__ import annotations

__all__ = ["batch"]

import sys
import time
from pathlib import Path

import click
from tqdm import tqdm

from lib.batch.index import read_seconds, refuse_others, write_index, write_table
from lib.batch.places import admit_report, is_remote, joined
from lib.batch.plan import Plan, Run, read_plan
from lib.batch.workers import FAILED, KEPT, Outcome, is_up_to_date, make_all, outcome_of
from lib.commands.terminal import fail, printable, refuse, said_of, shown
from lib.languages.speech import _
from lib.run.one_report import NOTEBOOK_FOLDER, NotebookMissing, inputs_of, parameters_of
from lib.run.target import NotOurs
from lib.study.study import ROOT
from lib.study.yaml_file import ProblemsFound

FOLDER = click.Path(path_type=Path)
# Seconds between two writings of the index while runs are made: the page of thousands takes a moment.
INDEX_EVERY = 10


@click.command()
@click.argument("plan", type=FOLDER)
@click.option("--output", default="", help="Folder or s3:// address [default: outputs/<name of the plan>].")
@click.option("--jobs", type=click.IntRange(1, 64), default=2, help="Reports side by side [default: 2].")
@click.option("--scheduler", default="", help="A running dask scheduler, tcp://host:port, instead of --jobs.")
@click.option("--notebook-folder", type=FOLDER, default=NOTEBOOK_FOLDER, help="Where they lie [default: notebooks].")
@click.option("--resume", is_flag=True, help="Make only what is missing, or was made from other inputs or code.")
def batch(*, plan, output, jobs, scheduler, notebook_folder, resume) -> None:
    """Make every report that PLAN names, and an index of them. Exit code 1: at least one failed."""
    try:
        asked, runs = read_plan(plan)
    except ProblemsFound as found:
        refuse(found.problems)
    output = output or str(ROOT / "outputs" / plan.stem)
    if not is_remote(output):
        output = str(Path(output).resolve())
    try:
        _admit(runs, output)
        expected = _expected(runs, notebook_folder.resolve())
        workers = {"notebooks": notebook_folder.resolve(), "jobs": jobs, "scheduler": scheduler}
        outcomes = _made(asked, list(zip(runs, expected, strict=True)), output, resume=resume, **workers)
    except KeyboardInterrupt:
        fail(_("stopped; what was finished is kept, and --resume makes the rest"), 130)
    except (NotOurs, FileExistsError, IsADirectoryError) as error:
        fail(_("cannot make the batch: {of}", of=said_of(error)), 2)
    except (NotebookMissing, OSError) as error:
        fail(_("cannot make the batch: {of}", of=said_of(error)))
    counts = {status: sum(outcome.status == status for outcome in outcomes) for status in (KEPT, FAILED)}
    for outcome in outcomes:
        if outcome.status == FAILED:
            click.echo(f"{outcome.run}: {printable(outcome.error)}", err=True)
    made = len(outcomes) - sum(counts.values())
    click.echo(_("{made} made, {counts} kept, {counts2} failed", made=made, counts=counts[KEPT], counts2=counts[FAILED]), err=True)
    index = joined(output, "batch.html")
    click.echo(index if is_remote(output) else shown(Path(index)))
    sys.exit(1 if counts[FAILED] else 0)


def _admit(runs: list[Run], output: str) -> None:
    """Refuse a place that holds what no batch wrote, all of it at once, before anything is made."""
    refuse_others(output)
    refused = []
    for run in runs:
        try:
            admit_report(joined(output, run.name))
        except NotOurs as error:
            refused.append(str(error))
    if refused:
        raise NotOurs("; ".join(refused))


def _made(plan: Plan, runs: list[tuple[Run, dict]], output: str, *, resume: bool, **workers) -> list[Outcome]:
    """Make what has to be made; batch.csv and the index grow with the runs: a batch that is killed has lost nothing."""
    outcomes = {}
    if resume:
        seconds = read_seconds(output)
        for run, inputs in runs:
            if is_up_to_date(run, output, inputs):
                outcomes[run.name] = outcome_of(run, output, KEPT, seconds.get(run.name))
    todo = [(run, inputs) for run, inputs in runs if run.name not in outcomes]
    studies = {run.name: run.study for run, __ in runs}
    written = time.monotonic()

    def in_order() -> list[Outcome]:
        return [outcomes[run.name] for run, __ in runs if run.name in outcomes]

    with tqdm(total=len(runs), initial=len(outcomes), unit="report", disable=None, smoothing=0.1) as bar:

        def done(outcome: Outcome) -> None:
            nonlocal written
            outcomes[outcome.run] = outcome
            write_table(in_order(), output)
            if time.monotonic() - written > INDEX_EVERY:
                write_index(plan.title, in_order(), studies, output)
                written = time.monotonic()
            bar.update()

        try:
            if todo:
                make_all(todo, output, done, **workers)
        finally:
            if outcomes:  # until something is made, an earlier index stays
                write_table(in_order(), output)
                write_index(plan.title, in_order(), studies, output)
    return in_order()


def _expected(runs: list[Run], notebooks: Path) -> list[dict]:
    """What each report is to be made from; files are read once per study and set of notebooks."""
    first = {(run.place, *run.routed): run for run in runs}
    shared = {key: inputs_of(run.study, run.routed, notebooks) for key, run in first.items()}
    return [shared[run.place, *run.routed] | {"parameters": parameters_of(run.routed)} for run in runs]
