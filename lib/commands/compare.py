"""The command `compare`: which numbers moved between two output folders, and why."""

from __future__ import annotations

__all__ = ["compare"]

import sys

import click

from lib.commands.terminal import FOLDER, fail, printable, said_of, shown
from lib.compare.moved import TOLERANCE, CompareError, read_outputs
from lib.compare.moved import compare as compare_outputs
from lib.compare.tables import comparison_text
from lib.languages.speech import _
from lib.run.target import recover


@click.command()
@click.argument("old", type=FOLDER)
@click.argument("new", type=FOLDER)
@click.option("--tolerance", type=click.FloatRange(0), default=TOLERANCE, help=f"Relative [default: {TOLERANCE:g}].")
@click.option("--output", type=FOLDER, help="Folder for compare.html and compare.csv [default: beside NEW].")
def compare(*, old, new, tolerance, output) -> None:
    """Say which numbers moved between two output folders, and why. Exit code 1: some did; 2: not comparable."""
    for report in (old, new):
        recover(report)
    try:
        before, after = read_outputs(old, new)
        comparison = compare_outputs(before, after, tolerance)
    except CompareError as error:
        fail(str(error), 2)
    click.echo(printable(comparison_text(comparison)))
    folder = output or new.resolve().parent
    try:
        from lib.compare.page import write_comparison  # noqa: PLC0415  as in _published

        click.echo(shown(write_comparison(comparison, folder)), err=True)
    except OSError as error:
        fail(_("cannot write into {folder}: {of}", folder=folder, of=said_of(error)), 2)
    sys.exit(1 if comparison.moved else 0)
