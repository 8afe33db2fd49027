"""The fixed prose of notebooks in the language in force: a message for each paragraph of a markdown cell."""

from __future__ import annotations

__all__ = ["translated"]

from lib.languages.extraction import paragraphs
from lib.languages.speech import ENGLISH, _, in_force


def translated(source: str) -> str:
    """A markdown cell in the language in force."""
    if in_force() == ENGLISH:
        return source
    return "\n\n".join(mark + _(text) for mark, text in paragraphs(source))
