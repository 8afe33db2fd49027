"""The open questions of a study as a form: one at a time, each answer with what follows from it, until none is left.

What is asked, and how an answer is kept, is that of the command line (lib/run/taking_in.py). Nothing is chosen
beforehand, and nothing is written before somebody answers.
"""

from __future__ import annotations

__all__ = ["NOT_HERE", "Asker", "waits"]

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import anywidget
import traitlets as t

from lib.explore.view import HERE, told, words_of
from lib.languages.notes import worded
from lib.languages.speech import N_, _, ngettext
from lib.run.taking_in import TakingIn, folder_for, is_brought, take_in, take_in_again, waiting
from lib.show.formats import format_whole
from lib.show.phrases import plural
from lib.study.provenance import study_path
from lib.study.study import ROOT
from lib.study.yaml_file import Problem, ProblemsFound

DATA = ROOT / "data"
MOST_PROBLEMS = 20  # of a file that cannot be taken in; the command line lists all
NOT_HERE = N_(
    "This study waits for answers that decide its results. Nobody answers on a shared page: whoever keeps the study "
    "does, in explore.ipynb for an internal audience or by python -m lib new."
)
ELSEWHERE = N_("If the file lies elsewhere by now, write its place as study into the first cell, and run it again.")
CHANGED = N_("The files or the study have changed meanwhile, so nothing was written. This is what they say now.")
ANSWER, MAKE, AGAIN = N_("Answer"), N_("Make the study"), N_("Read again")
WORDS = {"moment": N_("One moment …"), "answered": N_("Answered")}
log = logging.getLogger(__name__)


def waits(place: Path) -> bool:
    """Whether something is no study yet (a file, a folder of files), or one that waits for answers."""
    return is_brought(place) or waiting(place) is not None


class AskView(anywidget.AnyWidget):
    """What is asked. The reader sets `given`: the number of the answer that was chosen (or none), and the turn."""

    _esm = HERE / "ask.js"
    _css = HERE / "view.css"
    taken = ("given",)
    says = t.Unicode().tag(sync=True)
    answered = t.List(t.Unicode()).tag(sync=True)
    question = t.Unicode().tag(sync=True)
    options = t.List().tag(sync=True)
    problems = t.List(t.Unicode()).tag(sync=True)
    button = t.Unicode().tag(sync=True)
    turn = t.Int(0).tag(sync=True)
    given = t.Dict().tag(sync=True)
    words = t.Dict().tag(sync=True)

    @t.default("words")
    def _usual_words(self):
        return words_of(WORDS)


class Asker:
    """Asks about one study at a time.

    Parameters
    ----------
    done : callable
        Called with the study's folder when nothing is open any more.
    """

    def __init__(self, done: Callable[[str], None]):
        self._done = done
        self._place: Path | None = None
        self._taking: TakingIn | None = None
        self._seen: tuple = ()
        self.view = AskView()
        self.view.observe(lambda change: self._pressed(change["new"]), "given")

    def ask(self, place: Path) -> None:
        """Ask what is open about something that `waits`; what is shown of it already stays."""
        if place != self._place or self._seen != self._stamp():
            self._place = place
            self._guarded(self._read)

    def _pressed(self, given: dict) -> None:
        """Take an answer, if anything was asked; of a turn that is over nothing is taken."""
        if self._place is None:
            return
        if given.get("turn") != self.view.turn:
            self._show([])
        elif self._taking is None:
            self._guarded(self._read)
        elif self._seen != self._stamp():
            self._guarded(lambda: self._read([_(CHANGED)]))
        else:
            self._guarded(lambda: self._take(given.get("choice")))

    def _guarded(self, step: Callable[[], None]) -> None:
        """Do something; what is wrong is said in a sentence, and what was asked stays."""
        try:
            step()
        except ProblemsFound as found:
            moved = any(problem.code == "E001" for problem in found.problems) and not is_brought(self._place)
            said = [*map(_sentence, found.problems[:MOST_PROBLEMS]), *_rest(found.problems)]
            self._show([*said, _(ELSEWHERE)] if moved else said)
        except OSError as error:
            why = f"{error.strerror.lower()}: {Path(error.filename or '').name}" if error.strerror else str(error)
            self._show([_("Nothing was written: {why}.", why=why)])
        except Exception as error:
            log.exception("the questions could not be asked")
            self._show([_("This cannot be taken in: {error}.", error=type(error).__name__)])

    def _read(self, say: list[str] | None = None) -> None:
        """Read the files, and ask the first question that they leave open."""
        place, self._taking, self._seen = self._place, None, ()
        folder = folder_for(place, DATA) if is_brought(place) else place
        study = waiting(folder)
        taking = take_in(folder, (place,)) if folder != place else take_in_again(study, folder)
        if study is None and (folder / "study.yml").is_file():
            if changed := taking.differing:
                message = _(
                    "is there already, and its tables ({tables}) are not what {file} gives. Choose it as the study, or take the file in again: {command}",
                    tables=_(", ").join(changed), file=place.name, command=f"python -m lib new {study_path(folder)} --from {place.name} --update",
                )  # fmt: skip
                raise ProblemsFound([Problem("E105", message, file=study_path(folder))])
            self._finish(taking)
            return
        self._taking = taking
        self._seen = self._stamp()
        self._show(say or [])

    def _take(self, choice: object) -> None:
        """Keep an answer with the study, and go on."""
        taking = self._taking
        if taking.open:
            question = taking.open[0]
            if type(choice) is not int or not 0 <= choice < len(question.options):
                self._show([_("Choose one of the answers first.")])
                return
            taking = taking.answered({question.key: list(question.options)[choice]})
        taking.write(self._taking.study)
        self._taking = taking
        self._seen = self._stamp()
        if taking.open:
            self._show([])
        else:
            self._finish(taking)

    def _finish(self, taking: TakingIn) -> None:
        self._place = self._taking = None
        self._show([])
        self._done(study_path(taking.folder))

    def _show(self, problems: list[str]) -> None:
        """Show what is asked, all at once; without anything that can be asked, the problems alone."""
        taking, view = self._taking, self.view
        with view.hold_sync():
            view.turn += 1
            view.words = words_of(WORDS)
            view.problems, view.button, view.says = problems, _(AGAIN), ""
            view.question, view.options, view.answered = "", [], []
            if taking:
                view.says, view.button = _head(taking), _(ANSWER if taking.open else MAKE)
                view.answered = [_("{key}: {answer}", key=_answer(key), answer=_answer(answer)) for key, answer in taking.study.proposal.questions.answered.items()]
            if taking and taking.open:
                view.question = worded(taking.open[0].question)
                view.options = [[_answer(answer), worded(follows)] for answer, follows in taking.open[0].options.items()]

    def _stamp(self) -> tuple:
        """What the files and the study on disk are told by: whoever answers has read what they say."""
        if self._taking is None:
            return ()
        kept = [self._taking.folder / name for name in ("study.yml", "answers.yml")]
        paths = [*kept, *(path for file in self._taking.files for path in _files(file))]
        return self._place, *((str(path), *_told(path)) for path in paths)


def _files(file: Path) -> Iterator[Path]:
    yield from sorted(file.rglob("*")) if file.is_dir() else [file]


def _told(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _answer(name: str) -> str:
    """What an answer is called: in words where it is made of some; a column or a value is called as the file has it."""
    return worded(name) if " " in name else name


def _head(taking: TakingIn) -> str:
    """What is asked of which file, or that nothing is."""
    names = _(", ").join(file.name for file in taking.files)
    patients, folder = len(taking.study.tables["patients"].frame), study_path(taking.folder)
    if not taking.open:
        return _("{names} leaves nothing open. Its {patients} become the study {folder}.", names=names, patients=plural(patients, "patient"), folder=folder)
    return ngettext(
        "{names} does not say everything that decides a result: {n} question is open. What you answer is kept in {folder}.",
        "{names} does not say everything that decides a result: {n} questions are open. What you answer is kept in {folder}.",
        len(taking.open), names=names, n=format_whole(len(taking.open)), folder=folder,
    )  # fmt: skip


def _sentence(problem: Problem) -> str:
    row = _("row {row}", row=problem.row) if problem.row else ""
    return told(problem, _(", ").join(str(part) for part in (problem.file, row, problem.column) if part))


def _rest(problems: list[Problem]) -> list[str]:
    more = len(problems) - MOST_PROBLEMS
    return [ngettext("And {n} further problem.", "And {n} further problems.", more, n=format_whole(more))] if more > 0 else []
