"""The command `check`: study.yml and the tables, and nothing else."""

from __future__ import annotations

__all__ = ["check", "checked_tables"]

from collections.abc import Callable
from pathlib import Path

import click
import pandas as pd

from lib.commands.request import PAIRS, PARAMETERS, STUDY, asked_for
from lib.commands.terminal import OUTPUTS, refuse, say_problems, shown
from lib.intake.tables import Tables, list_queries, read_tables, write_queries
from lib.languages.speech import LANGUAGES, _, ngettext
from lib.run.admission import admit, request_of
from lib.study.study import Study
from lib.study.yaml_file import Gathered, Problem


@click.command()
@STUDY
@PAIRS
@PARAMETERS
def check(*, folder, pairs, file) -> None:
    """Check the study, and whether a report with these parameters can be made; list every data query, nothing else."""
    gathered = Gathered()
    study, given, __ = asked_for(gathered, folder, pairs, file)
    queries = checked_tables(gathered, study, given, OUTPUTS, save=True).queries
    say_problems([Problem(**row) for row in queries.drop(columns="severity").to_dict("records")])
    tables = ngettext("{n} table", "{n} tables", len(study.tables), n=len(study.tables))
    click.echo(_("{short_title}: {tables} read, {found}, nothing that blocks a report.", short_title=study.study.short_title, tables=tables, found=_found(queries)))


def checked_tables(
    gathered: Gathered, study: Study, given: dict, outputs: Path, *, save: bool = False, before: Callable[[], object] = lambda: None
) -> Tables:
    """Read the tables and stop at all that blocks the report; then, or to `save` it, the list of data queries is written.

    It goes into the study's own folder below `outputs`, where nobody keeps anything else; a report holds its own. What is
    to be done `before` anything is said is done.
    """
    known = len(gathered.problems)
    tables = gathered.take(read_tables, study)
    queries = tables.queries if tables else list_queries(gathered.problems[known:])
    request = gathered.take(request_of, study, given)
    if tables and request:
        gathered.take(admit, study, request, tables)
    if save or gathered.problems:
        before()
        _save(queries, outputs / study.study.id, given["language"] if given.get("language") in LANGUAGES else study.language)
    if gathered.problems:
        refuse(gathered.problems)
    return tables


def _save(queries: pd.DataFrame, folder: Path, language: str) -> None:
    try:
        path = write_queries(queries, folder, language)
    except OSError as error:
        click.echo(_("The data queries could not be written into {folder}: {strerror}.", folder=folder, strerror=error.strerror), err=True)
    else:
        click.echo(f"{_found(queries)}: {shown(path)}", err=True)


def _found(queries: pd.DataFrame) -> str:
    return ngettext("{n} data query", "{n} data queries", len(queries), n=len(queries))
