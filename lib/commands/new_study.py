"""The command line of a new study: `python -m lib new` and `python -m lib template`."""

from __future__ import annotations

__all__ = ["new", "study_of", "template"]

import sys
from pathlib import Path

import click

from lib.commands.terminal import fail, printable, refuse, said_of, say_problems, shown
from lib.fonts import fill
from lib.intake.new_study.folder import ANSWERS, BEFORE, CHANGES, answer_lines
from lib.intake.new_study.reading import NewStudy
from lib.intake.new_study.recognition import Recognised
from lib.intake.new_study.template import EXAMPLE, write_template
from lib.intake.tables import read_tables
from lib.languages.notes import worded
from lib.languages.speech import _, in_force, ngettext
from lib.run.taking_in import TakingIn, folder_for, is_brought, take_in, waiting
from lib.run.target import NotOurs, recover
from lib.study.questions import Question, read_answers
from lib.study.study import ROOT, read_study
from lib.study.yaml_file import Problem, ProblemsFound

FILE = click.Path(path_type=Path)
WIDTH = 100


@click.command()
@click.argument("folder", type=FILE)
@click.option(
    "--from", "files", type=FILE, multiple=True, required=True, help="A file, a folder or a .zip: formats in data/README.md. Repeatable."
)
@click.option("--answers", "given", type=FILE, help=f"Answers to what the tables do not say [default: {ANSWERS} in FOLDER].")
@click.option("--update", is_flag=True, help="Write the tables of the study in FOLDER anew; its study.yml stays, once no question is open.")
def new(*, folder: Path, files: tuple[Path, ...], given: Path | None, update: bool) -> None:
    """Begin a study: read tables of any format, ask what they do not say, write FOLDER with a proposed study.yml, and check it."""
    # What a killed run left beside the folder, before it is looked at.
    recover(folder)
    if update and not (folder / "study.yml").is_file():
        fail(_("there is no study.yml in {shown}, so nothing to update", shown=shown(folder)), 2)
    if not update and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        fail(
            _("{shown} is there already; name another folder, or --update it: study.yml is never overwritten", shown=shown(folder)), 2
        )
    if _take_in(folder, files, given):
        click.echo(f"  python -m lib new {_typed(folder)} {' '.join(f'--from {_typed(path)}' for path in files)} --update")
    else:
        _check(folder)


def study_of(place: Path | None, given: Path | None) -> Path | None:
    """Folder of the study to report; of a file with data, the study that is made of it, once nothing is open.

    Parameters
    ----------
    place : Path, optional
        A study's folder, or a file in any format, or a folder of such files; what does not exist is left to the reader.
    given : Path, optional
        Answers to what the file does not say.
    """
    if place is None or not is_brought(place):
        return place
    folder = folder_for(place, ROOT / "data")
    recover(folder)
    if (folder / "study.yml").is_file() and not waiting(folder):
        _same_or_fail(folder, place)
    elif _take_in(folder, (place,), given):
        click.echo(f"  python -m lib report {_typed(place)}")
        fail(_("no report is made on an open question"), 2)
    return folder


def _same_or_fail(folder: Path, place: Path) -> None:
    """The study stands as the file gave it, or somebody has to say which of the two counts."""
    try:
        changed = take_in(folder, (place,)).differing
    except ProblemsFound as found:
        refuse(found.problems)
    if changed:
        click.echo(_("  python -m lib report --study {typed}               the study as it stands there", typed=_typed(folder)), err=True)
        click.echo(_("  python -m lib new {typed} --from {typed2} --update     take the file in again first", typed=_typed(folder), typed2=_typed(place)), err=True)
        fail(_("{shown} is there already, and its tables ({join}) are not what {printable} gives", shown=shown(folder), join=', '.join(changed), printable=printable(place.name)), 2)


def _take_in(folder: Path, files: tuple[Path, ...], given: Path | None) -> bool:
    """Read, ask, write the study's folder, and tell; True if questions stay open, which are then listed."""
    update = (folder / "study.yml").is_file()
    try:
        taking = _asked(take_in(folder, files, read_answers(given) if given else {}))
        stays = taking.write()
    except ProblemsFound as found:
        refuse(found.problems)
    except NotOurs as error:
        fail(str(error), 2)
    except OSError as error:
        fail(said_of(error))
    _tell(taking.study, stays)
    if update and not stays:
        click.echo(_("\nstudy.yml is proposed anew with the answers; what it was stands in {before}.", before=BEFORE))
    if taking.open:
        _say_open(folder, taking.open)
    return bool(taking.open)


def _typed(path: Path) -> str:
    """A path as a terminal takes it, whatever the system: in quotes where it holds a space."""
    text = shown(path)
    return f'"{text}"' if " " in text else text


def _asked(taking: TakingIn) -> TakingIn:
    """Where somebody sits at the terminal ask what is open, one by one, until nothing is."""
    while at_a_terminal() and taking.open:
        taking = taking.answered({question.key: _ask(question) for question in taking.open})
    return taking


def at_a_terminal() -> bool:
    """Whether somebody can answer."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _ask(question: Question) -> str:
    click.secho(f"\n{fill(printable(worded(question.question)), WIDTH)}", bold=True)
    for option, follows in question.options.items():
        click.echo(fill(printable(f"{option}: {worded(follows)}"), WIDTH, initial_indent="  ", subsequent_indent="    "))
    return click.prompt(_("Answer"), type=click.Choice(list(question.options), case_sensitive=False))


def _say_open(folder: Path, questions: list[Question]) -> None:
    """List the open questions as lines to be filled in."""
    n = len(questions)
    head = ngettext("{n} question decides a result, and the tables do not say the answer", "{n} questions decide a result, and the tables do not say the answer", n, n=n)
    click.secho(f"\n{head}", bold=True)
    click.echo(_("Write these lines into {shown}, an answer behind each colon:\n", shown=shown(folder / ANSWERS)))
    click.echo(printable(answer_lines(questions)))
    click.echo(_("Then:"))


def _tell(study: NewStudy, update: bool) -> None:
    """Say what was recognised, guessed (where that was written), changed, left out, and what is missing."""
    guesses = {} if update else study.proposal.guesses
    said = {
        _("Read as"): [f"{sheet}: {worded(note)}" for sheet, note in study.read_as],
        _("Tables"): [*(_recognised(table, one) for table, one in study.tables.items()), *map(worded, study.said)],
        _("Answered"): [f"{key}: {answer}" for key, answer in study.proposal.questions.answered.items()],
        _("Not copied"): [
            *(_("sheet {sheet}: none of the tables", sheet=sheet) for sheet in study.others),
            *(_("{column}: looks like personal data", column=column) for column in study.personal),
            *(f"{column}: {worded(reason)}" for column, reason in study.proposal.left_out.items()),
        ],
        _("Kept in the table, not used by study.yml"): [f"{c}: {worded(reason)}" for c, reason in study.proposal.aside.items()],
        _("Guesses, each to be read again in study.yml"): [
            f"{key}: {worded(sentence)}" for key, sentences in guesses.items() for sentence in sentences
        ],
        _("Cells that were rewritten, listed in {changes}", changes=CHANGES): [
            f"{count}: {worded(why)}" for why, count in study.changes["why"].value_counts(sort=False).items()
        ],
        _("Missing"): [worded(sentence) for sentence in study.proposal.missing],
        _("Answers to nothing"): [worded(sentence) for sentence in study.proposal.questions.unused],
    }
    for head, items in said.items():
        if items:
            click.secho(f"\n{head}", bold=True)
        for item in items:
            click.echo(fill(printable(item), WIDTH, initial_indent="  ", subsequent_indent="    "))


def _recognised(table: str, one: Recognised) -> str:
    named = "".join(_("; {theirs} is {ours}", theirs=theirs, ours=ours) for ours, theirs in one.columns.items() if ours != theirs)
    return _("{table}: sheet {sheet}, {n} rows{named}", table=table, sheet=one.sheet, n=len(one.frame), named=named)


def _check(folder: Path) -> None:
    """Check the new study as `python -m lib check` does, and say what to do next."""
    try:
        queries = read_tables(read_study(folder)).queries
    except ProblemsFound as found:
        problems = found.problems
    else:
        problems = [Problem(**row) for row in queries.drop(columns="severity").to_dict("records")]
    say_problems(problems)
    blocking = sum(problem.severity == "error" for problem in problems)
    click.echo(_("\nWritten: {shown}. Read study.yml there and correct it and the tables, then:", shown=shown(folder)))
    click.echo(f"  python -m lib check --study {_typed(folder)}")
    if blocking:
        click.echo(_("{blocking} of {n} data queries have to be answered before a report can be made.", blocking=blocking, n=len(problems)))
    else:
        click.echo(f"  python -m lib report --study {_typed(folder)}")


@click.command()
@click.argument("file", type=FILE)
@click.option("--study", "folder", type=FILE, default=EXAMPLE, help="Take arms, terms and variables from this study.")
def template(*, file: Path, folder: Path) -> None:
    """Write FILE, an Excel workbook to fill in: tables, drop-down lists, explanations."""
    if file.suffix.lower() != ".xlsx":
        fail(_("the workbook's name has to end in .xlsx"), 2)
    if file.exists():
        fail(_("{shown} is there already; name another file, nothing is overwritten", shown=shown(file)), 2)
    try:
        write_template(read_study(folder, in_force()), file)
    except ProblemsFound as found:
        refuse(found.problems)
    except OSError as error:
        fail(_("{shown} cannot be written: {strerror}", shown=shown(file), strerror=error.strerror))
    click.echo(shown(file))
