"""The command `check`: study.yml and the tables, and nothing else."""

from __future__ import annotations

__all__ = ["check"]

import click

from lib.commands.request import PAIRS, PARAMETERS, STUDY, asked_for
from lib.commands.terminal import OUTPUTS, checked_tables, counted, say_problems
from lib.study.yaml_file import Gathered, Problem


@click.command()
@STUDY
@PAIRS
@PARAMETERS
def check(*, folder, pairs, file) -> None:
    """Check the study, and whether a report with these parameters can be made; list every data query, nothing else."""
    gathered = Gathered()
    study, given, _ = asked_for(gathered, folder, pairs, file)
    queries = checked_tables(gathered, study, given, OUTPUTS, save=True).queries
    say_problems([Problem(**row) for row in queries.drop(columns="severity").to_dict("records")])
    tables, found = counted(len(study.tables), "table", "tables"), counted(len(queries), "data query", "data queries")
    click.echo(f"{study.study.short_title}: {tables} read, {found}, nothing that blocks a report.")
