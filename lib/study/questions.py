"""Questions that a proposed study leaves open, and the answers to them: what decides a result and is not certain."""

from __future__ import annotations

__all__ = ["Answers", "Question", "open_questions", "read_answers"]

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, RootModel

from lib.study.parts import Code, Frozen, Label, Text
from lib.study.yaml_file import Problem, read_yaml


def _as_typed(value: object) -> str | None:
    """An answer as it was typed: `true` and 1 are words here; nothing is no answer."""
    if value is None or isinstance(value, str):
        return value or None
    return str(value).lower() if isinstance(value, bool) else str(value)


Answer = Annotated[Text | None, BeforeValidator(_as_typed)]


class Question(Frozen):
    """What has to be known before there is a result; nothing is taken for granted.

    Attributes
    ----------
    key : str
        Under which an answer stands in answers.yml.
    question : str
    options : dict of str to str
        Answer -> what follows from it.
    """

    key: Label
    question: Text
    options: dict[Code, Text] = Field(min_length=1)

    @property
    def listed(self) -> str:
        """The options with what follows from each, in one sentence."""
        return "; ".join(f"{answer}, where {follows}" if follows else answer for answer, follows in self.options.items())


class Answers(RootModel[dict[Label, Answer]]):
    """answers.yml: key of a question -> its answer."""


def read_answers(path: Path) -> dict[str, str]:
    """Read answers: those that are given, by the key of their question.

    Raises
    ------
    lib.study.yaml_file.ProblemsFound
        No such file, or none of keys and plain values.
    """
    return {key: answer for key, answer in read_yaml(path, Answers).root.items() if answer is not None}


def open_questions(questions: tuple[Question, ...], file: str = "study.yml") -> list[Problem]:
    """One problem per open question: it stops a report until it is answered."""
    return [
        Problem("E113", f"{one.question} Not answered; possible are {one.listed}", file=file, column=one.key)
        for one in questions
    ]
