"""Files that somebody brought -> the folder of a study: what they give, what they leave open, and how it is written.

Whoever asks (the command line, the interactive page) asks what is `open` and goes on with `answered`; nothing is
written before `write`.
"""

from __future__ import annotations

__all__ = ["TakingIn", "folder_for", "is_brought", "take_in", "take_in_again", "waiting"]

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lib.intake.new_study.folder import ANSWERS, changed_tables, update_study, write_new_study
from lib.intake.new_study.headers import Headed
from lib.intake.new_study.reading import NewStudy, proposed, read_sheets
from lib.run.target import replaced_folder
from lib.study.questions import Question, read_answers
from lib.study.study import Study
from lib.study.yaml_file import Problem, ProblemsFound, read_yaml

LONGEST_WAY = 480  # of a text that study.yml may hold


@dataclass(frozen=True)
class TakingIn:
    """Files on their way to a study's folder; another answer makes another one.

    Attributes
    ----------
    folder : Path
        Of the study; need not exist yet.
    files : tuple of Path
    answers : dict of str to str
        Key of a question -> its answer, all that are known.
    study : NewStudy
        What the files and the answers make.
    """

    folder: Path
    files: tuple[Path, ...]
    answers: dict[str, str]
    study: NewStudy
    _sheets: dict[str, Headed]

    @property
    def open(self) -> list[Question]:
        """What decides a result and is not answered."""
        return list(self.study.proposal.questions.open.values())

    @property
    def differing(self) -> list[str]:
        """Names of the tables in the study's folder that are not as the files give them."""
        return changed_tables(self.study, self.folder)

    def answered(self, more: Mapping[str, str]) -> TakingIn:
        """The same files with more answers.

        Raises
        ------
        ProblemsFound
            E114: an answer that is none of those possible.
        """
        answers = self.answers | dict(more)
        return replace(self, answers=answers, study=_proposed(self.folder, self.files, self._sheets, answers))

    def write(self, was: NewStudy | None = None) -> bool:
        """Write the study's folder, or its tables anew.

        Parameters
        ----------
        was : NewStudy, optional
            What study.yml was last proposed as: if it reads so still, nothing of it need be kept.

        Returns
        -------
        bool
            Whether a study.yml that asks nothing was there; it stays as it is.

        Raises
        ------
        OSError
            The folder cannot be written; it is as it was.
        """
        begun = (self.folder / "study.yml").is_file()
        stays = begun and waiting(self.folder) is None
        with replaced_folder(self.folder, keep=begun) as target:
            if begun:
                update_study(self.study, target, proposal=not stays, was=was)
            else:
                write_new_study(self.study, target)
        return stays


def take_in(folder: Path, files: tuple[Path, ...], given: Mapping[str, str] | None = None) -> TakingIn:
    """Read files and propose the study of a folder, with the answers that are kept there.

    Parameters
    ----------
    folder : Path
    files : tuple of Path
        In any format, folders, archives.
    given : dict of str to str, optional
        Answers that go before those that are kept.

    Raises
    ------
    ProblemsFound
        As `lib.intake.new_study.reading.read_new_study` says.
    """
    answers = read_answers(folder / ANSWERS) if (folder / ANSWERS).is_file() else {}
    answers |= given or {}
    files = tuple(path.absolute() for path in files)
    sheets = read_sheets(list(files))
    return TakingIn(folder, files, answers, _proposed(folder, files, sheets, answers), sheets)


def take_in_again(study: Study, folder: Path) -> TakingIn:
    """Read the files again of which a study was made that waits for answers.

    Raises
    ------
    ProblemsFound
        E001 if study.yml does not say which these are; else as `take_in`.
    """
    if not study.made_from:
        raise ProblemsFound([Problem("E001", "made_from does not say of which files this study was made", file="study.yml")])
    return take_in(folder, tuple(Path(os.path.normpath(folder.absolute() / file)) for file in study.made_from))


def _proposed(folder: Path, files: tuple[Path, ...], sheets: dict[str, Headed], answers: dict[str, str]) -> NewStudy:
    """The proposal; while it waits for answers its study.yml says of which files it was made."""
    study = proposed(folder.resolve().name, sheets, answers)
    if study.proposal.questions.open and (made_from := [_from(folder, file) for file in files]) and all(made_from):
        study.proposal.study["made_from"] = made_from
    return study


def _from(folder: Path, file: Path) -> str:
    """How to get from a study's folder to a file; empty where study.yml cannot hold it."""
    try:
        way = Path(os.path.relpath(file, folder.resolve())).as_posix()
    except ValueError:  # another drive on Windows
        way = file.as_posix()
    return way if len(way) <= LONGEST_WAY and way.isprintable() else ""


def is_brought(place: Path) -> bool:
    """Whether something is a file, or a folder of files, that a study may be made of; a study's own folder is none."""
    if place.is_dir():
        return not (place / "study.yml").exists() and any(place.iterdir())
    return place.exists()


def folder_for(place: Path, data: Path) -> Path:
    """The folder below `data` for the study of a file."""
    return data / (re.sub(r"[^\w-]+", "_", place.resolve().stem).strip("_") or "study")


def waiting(folder: Path) -> Study | None:
    """The study of a folder, if it waits for answers: then it is proposed anew."""
    try:
        study = read_yaml(folder / "study.yml", Study)
    except ProblemsFound:
        return None
    return study if study.ask else None
