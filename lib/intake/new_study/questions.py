"""What a proposal asks: answers that were given are taken, every other question stays open and blocks the study."""

from __future__ import annotations

__all__ = ["Questions"]

import difflib
from collections.abc import Mapping

from lib.study.questions import Question
from lib.study.yaml_file import Problem, shown

LONGEST = 480  # of a text that study.yml may hold


class Questions:
    """The questions of one proposal.

    Attributes
    ----------
    given : dict of str to str
        Key -> answer, as the user gave them.
    answered : dict of str to str
        Those of them that were asked for.
    open : dict of str to Question
        Asked, and not answered.
    first : set of str
        Keys of open questions that decide who is a patient: nothing is asked about events before they are answered.
    problems : list of Problem
        Answers that are none of the options (E114).
    """

    def __init__(self, given: Mapping[str, str] | None = None):
        self.given, self.answered = dict(given or {}), {}
        self.open: dict[str, Question] = {}
        self.first: set[str] = set()
        self.problems: list[Problem] = []

    def ask(self, key: str, text: str, options: Mapping[str, str], *, first: bool = False) -> str | None:
        """Ask; each option says what follows from it. A question that is open already stays as it was asked.

        Returns
        -------
        str or None
            The option that was answered; None while the question is open.
        """
        key, by_shown = shown(key), {shown(option): option for option in options}
        if key in self.given:
            answer = next((o for o in by_shown if o.casefold() == self.given[key].casefold()), None)
            answer = self.given[key] if self.given[key] in by_shown else answer
            if answer is not None:
                self.answered[key] = answer
                return by_shown[answer]
            message = f"not an answer to: {text} Possible are {', '.join(by_shown)}"
            self.problems.append(Problem("E114", message, file="answers.yml", column=key, value=shown(self.given[key])))
        follow = {short: _plain(options[option]) for short, option in by_shown.items()}
        self.open.setdefault(key, Question(key=key, question=_plain(text), options=follow))
        self.first |= {key} if first else set()
        return None

    def volunteered(self, key: str) -> str | None:
        """An answer to what would not have been asked, such as another arm than the one that is plain."""
        if key in self.given:
            self.answered[key] = self.given[key]
        return self.given.get(key)

    @property
    def unused(self) -> list[str]:
        """A sentence per answer that answers nothing, with the question that may have been meant."""
        keys = [key for key in self.given if key not in self.answered and key not in self.open]
        near = {key: difflib.get_close_matches(key, self.open, 1) for key in keys}
        return [_unused(shown(key), near[key][0] if near[key] else "") for key in keys]


def _unused(key: str, near: str) -> str:
    return f"{key}: answers no question; {near} was meant?" if near else f"{key}: answers no question"


def _plain(text: str) -> str:
    plain = "".join(c if c.isprintable() else " " for c in text)
    return plain if len(plain) <= LONGEST else plain[:LONGEST] + "…"
