"""What every command does at a terminal: say problems by file or a failed cell, end in one sentence."""

from __future__ import annotations

__all__ = [
    "FOLDER",
    "OUTPUTS",
    "explain",
    "fail",
    "printable",
    "refuse",
    "said_of",
    "say_problems",
    "shown",
]

import shutil
import sys
from itertools import groupby
from pathlib import Path
from typing import NoReturn

import click

from lib.fonts import fill
from lib.languages.notes import worded
from lib.languages.speech import _, ngettext
from lib.run.execute import NotebookFailed
from lib.study.study import ROOT
from lib.study.words import THIN
from lib.study.yaml_file import Problem

# A terminal shows so many problems of one file, and so many of one kind in it; queries.csv holds all.
SHOWN_PER_FILE, SHOWN_PER_KIND = 40, 3
SHOWN_SOURCE_LINES = 8
LONGEST_SENTENCE = 300
OUTPUTS = ROOT / "outputs"
FOLDER = click.Path(path_type=Path)


def say_problems(problems: list[Problem]) -> None:
    """Print problems by file, each wrapped to the width of the terminal."""
    width = max(40, min(110, shutil.get_terminal_size().columns))
    for file, group in groupby(sorted(problems, key=lambda p: p.file), key=lambda p: p.file):
        listed = [sentence for kind in _kinds(list(group)) for sentence in _of_kind(kind)]
        click.secho(f"\n{printable(file) or _('study')}", bold=True, err=True)
        for sentence in listed[:SHOWN_PER_FILE]:
            click.echo(fill(printable(sentence), width, initial_indent="  ", subsequent_indent=" " * 8), err=True)
        if len(listed) > SHOWN_PER_FILE:
            click.echo(_("  ... and {value} more", value=len(listed) - SHOWN_PER_FILE), err=True)
    if problems:
        click.echo(err=True)


def _kinds(problems: list[Problem]) -> list[list[Problem]]:
    """Problems of one code and column together, in the order in which each kind was found first."""
    kinds = {}
    for problem in problems:
        kinds.setdefault((problem.code, problem.column), []).append(problem)
    return list(kinds.values())


def _of_kind(problems: list[Problem]) -> list[str]:
    """The first of a kind, and how many more there are in which rows."""
    more = problems[SHOWN_PER_KIND:]
    if len(more) < 2:  # a line that counts is no shorter than the line
        return [_sentence(problem) for problem in problems]
    rows = ", ".join(str(problem.row) for problem in more[:SHOWN_PER_FILE // 4] if problem.row != "")
    counted_rows = _(" (rows {rows}{part})", rows=rows, part=' ...' if len(more) > SHOWN_PER_FILE // 4 else '') if rows else ""
    kind = f"{problems[0].code}  {problems[0].column}".rstrip()
    return [*map(_sentence, problems[:SHOWN_PER_KIND]), _("{kind}: and {n} more of this kind{counted_rows}", kind=kind, n=len(more), counted_rows=counted_rows)]


def _sentence(problem: Problem) -> str:
    where = [_("row {row}", row=problem.row) if problem.row != "" else "", problem.column, problem.patient_id]
    where = ", ".join(str(part) for part in where if part)
    value = _(" (found {value})", value=problem.value) if str(problem.value) else ""
    return f"{problem.code}  {where}{': ' if where else ''}{worded(problem.message)}{value}"


def refuse(problems: list[Problem]) -> NoReturn:
    """Print blocking problems and end with exit code 2."""
    say_problems(problems)
    errors = sum(problem.severity == "error" for problem in problems)
    fail(ngettext("{n} problem to correct first; no notebook was started", "{n} problems to correct first; no notebook was started", errors, n=errors), 2)


def explain(failure: NotebookFailed) -> NoReturn:
    """Print which cell of which notebook failed, with what, and end with exit code 1."""
    cell = _(" in cell {cell}", cell=failure.cell) if failure.cell else ""
    click.secho(_("\n{notebook}.ipynb failed{cell}", notebook=failure.notebook, cell=cell), bold=True, err=True)
    lines = failure.source.splitlines()
    for line in lines[:SHOWN_SOURCE_LINES] + (["..."] if len(lines) > SHOWN_SOURCE_LINES else []):
        click.echo(f"    {printable(line)}", err=True)
    click.echo(f"  {printable(failure.error)}", err=True)
    click.echo(_("  parameters: {join}", join=', '.join(f'{k} = {v!r}' for k, v in failure.parameters.items())), err=True)
    fail(_("nothing was written; an earlier report is as it was"))


def fail(sentence: str, code: int = 1) -> NoReturn:
    """Print one sentence and end."""
    click.secho(_("Error: {sentence}.", sentence=printable(worded(sentence))), fg="red", err=True)
    sys.exit(code)


def said_of(error: BaseException) -> str:
    """An error in one plain sentence, without its full stop.

    Parameters
    ----------
    error : BaseException
        Of the system it says what and where; of anything else that it was not expected, and how to learn more.
    """
    if isinstance(error, MemoryError):
        return _("not enough memory; what was there before is as it was")
    text = " ".join(str(error).split()).rstrip(".")
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename and error.strerror else ""
        return printable(f"{where}{error.strerror or text or type(error).__name__}")
    text = f"{text[:LONGEST_SENTENCE]}..." if len(text) > LONGEST_SENTENCE else text
    said = f"{type(error).__name__}{': ' if text else ''}{text}"
    return printable(_("this was not expected: {said} (COHORT_DEBUG=1 before the command shows where)", said=said))


def printable(text: str) -> str:
    """Write text so that nothing in it (it may come from a table) acts on the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text.replace(THIN, " "))


def shown(path: Path) -> str:
    """Say a path as short as it can be said from where the user stands."""
    path = Path(path).resolve()
    return printable(str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path))
