"""What a proposed study consists of, and how names and cells are read while it is made."""

from __future__ import annotations

__all__ = ["Proposal", "as_id", "as_label", "is_numeric", "values_of"]

import itertools
import re
from collections.abc import Container
from dataclasses import dataclass, field

import pandas as pd

from lib.recognition import Recognised, plain_name

NUMBER = re.compile(r"-?\d+(\.\d+)?\Z")


@dataclass
class Proposal:
    """What study.yml could say.

    Attributes
    ----------
    study : dict
        The content of study.yml.
    guesses : dict of str to list of str
        Top-level key -> why it reads as it does.
    left_out : dict of str to str
        "table: column" -> why it is taken out of the frames: nothing that no report uses is copied.
    missing : list of str
        What the study does not hold, and what follows.
    """

    study: dict = field(default_factory=dict)
    guesses: dict[str, list[str]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def say(self, key: str, sentence: str) -> None:
        """Add the reason of a guess."""
        self.guesses.setdefault(key, []).append(sentence)

    def leave_out(self, found: Recognised, reasons: dict[str, str]) -> None:
        """Take columns out of a table: column -> why."""
        found.frame.drop(columns=list(reasons), inplace=True)
        self.left_out |= {f"{found.table}: {column}": reason for column, reason in reasons.items()}


def as_id(text: str, otherwise: str, taken: Container[str] = ()) -> str:
    """Make an id for study.yml: letters, digits and `_`, a letter first; numbered where it is `taken` already.

    Two names in Chinese, or "CRP-a" and "CRP a", would else be one.
    """
    name = plain_name(text)[:40]
    name = name if name[:1].isalpha() else f"{otherwise}_{name}"[:40].rstrip("_")
    numbered = (f"{name[:36]}_{again}" for again in itertools.count(2))
    return name if name not in taken else next(other for other in numbered if other not in taken)


def as_label(text: str) -> str:
    """Make a label of a name: `age_at_diagnosis` -> `Age at diagnosis`."""
    words = re.sub(r"[_\s]+", " ", text).strip()
    return words[:1].upper() + words[1:]


def values_of(cells: pd.Series) -> list[str]:
    """List the different values; numbers in order of size, texts in that of the alphabet."""
    values = list(cells.dropna().unique())
    numbers = all(NUMBER.match(value) for value in values)
    return sorted(values, key=float) if numbers else sorted(values)


def is_numeric(cells: pd.Series) -> bool:
    """Whether nearly all filled cells are numbers."""
    filled = cells.dropna()
    return len(filled) > 0 and filled.map(lambda cell: bool(NUMBER.match(cell))).mean() > 0.9
