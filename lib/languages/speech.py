"""What is said in the language in force: messages of the code, which are English, and their translations by a catalogue (gettext).

A message is a whole sentence or a whole cell with named arguments, so a translator moves words without touching code. `_` marks
it where it is said, `N_` where it stands as a constant. How a language is added: docs/how-to/languages.md.
"""

from __future__ import annotations

__all__ = ["ENGLISH", "LANGUAGES", "N_", "_", "in_a_row", "in_force", "in_language", "listed", "name_of", "ngettext", "said_here"]

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, reduce
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Any

ENGLISH = "en"
CATALOGUES = Path(__file__).parent
LANGUAGES = (ENGLISH, *sorted(path.stem for path in CATALOGUES.glob("*.po")))
# Whose rules of lists and names are those of the messages.
LOCALES = {ENGLISH: "en_GB"}
_language: ContextVar[str] = ContextVar("language", default=ENGLISH)


@contextmanager
def in_language(code: str) -> Iterator[None]:
    """Speak another language of `LANGUAGES` within the block."""
    token = _language.set(code)
    try:
        yield
    finally:
        _language.reset(token)


def in_force() -> str:
    """The code of the language that is spoken."""
    return _language.get()


@cache
def _catalogue(code: str) -> NullTranslations:
    if code == ENGLISH:
        return NullTranslations()
    from babel.messages.mofile import write_mo  # noqa: PLC0415  English pages need none
    from babel.messages.pofile import read_po  # noqa: PLC0415

    compiled = io.BytesIO()
    with (CATALOGUES / f"{code}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=code, abort_invalid=True))
    compiled.seek(0)
    return GNUTranslations(compiled)


def _(message: str, /, **words: Any) -> str:
    """A message in the language in force, with its arguments."""
    return _catalogue(in_force()).gettext(message).format(**words)


def ngettext(one: str, many: str, n: float, /, **words: Any) -> str:
    """A message that counts `n`, by the plural rules of the language in force; `n` itself is an argument only if it is given as one."""
    whole = int(n) if n == int(n) else 2  # a part of something is no single one of it
    return _catalogue(in_force()).ngettext(one, many, whole).format(**words)


def N_(message: str) -> str:
    """Mark a constant as a message, which `_` says later."""
    return message


def said_here(words: Mapping[str, str], otherwise: str) -> str:
    """What a study says in the language in force; otherwise what is given."""
    return words.get(in_force()) or otherwise


def in_a_row(sentences: Sequence[str]) -> str:
    """Sentences one after the other, apart as the language in force has them."""
    return reduce(lambda before, sentence: _("{before} {sentence}", before=before, sentence=sentence), sentences) if sentences else ""


def listed(parts: Sequence[str]) -> str:
    """["a", "b", "c"] -> "a, b and c", as the language in force lists them."""
    from babel.lists import format_list  # noqa: PLC0415

    return format_list(list(parts), locale=LOCALES.get(in_force(), in_force()))


def name_of(code: str) -> str:
    """A language by its own name."""
    from babel import Locale  # noqa: PLC0415

    return str(Locale.parse(code).get_display_name(code))
