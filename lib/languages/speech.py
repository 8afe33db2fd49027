"""What is said in the language in force: messages of the code, which are English, and their translations by a catalogue (gettext).

A message is a whole sentence or a whole cell with named arguments, so a translator moves words without touching code. `_` marks
it where it is said, `N_` where it stands as a constant. How a language is added: docs/how-to/languages.md.
"""

from __future__ import annotations

__all__ = ["ENGLISH", "LANGUAGES", "N_", "Nn_", "_", "in_a_row", "in_force", "in_language", "listed", "messages_of", "month_of", "name_of", "ngettext", "notes_of", "of_user", "said_here", "translation_of", "use"]

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
# What a process speaks, and what a part of it speaks meanwhile.
_usual = {"language": ENGLISH}
_language: ContextVar[str] = ContextVar("language", default="")


def use(code: str) -> None:
    """Speak a language of `LANGUAGES` from now on; "" is English."""
    _usual["language"] = code or ENGLISH


@contextmanager
def in_language(code: str) -> Iterator[None]:
    """Speak another language of `LANGUAGES` within the block."""
    token = _language.set(code)
    try:
        yield
    finally:
        _language.reset(token)


def of_user(environment: Mapping[str, str]) -> str:
    """The language in which a command speaks: COHORT_LANGUAGE, or that of the locale where there is a catalogue; else English."""
    named = ("COHORT_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
    asked = next((value for name in named if (value := environment.get(name, ""))), "")
    code = asked.replace("-", "_").partition("_")[0].partition(".")[0].lower()
    return code if code in LANGUAGES else ENGLISH


def in_force() -> str:
    """The code of the language that is spoken."""
    return _language.get() or _usual["language"]


@cache
def _read(code: str) -> Any:
    from babel.messages.pofile import read_po  # noqa: PLC0415  English pages need none

    with (CATALOGUES / f"{code}.po").open("rb") as file:
        return read_po(file, locale=code, abort_invalid=True)


@cache
def _catalogue(code: str) -> NullTranslations:
    if code == ENGLISH:
        return NullTranslations()
    from babel.messages.mofile import write_mo  # noqa: PLC0415

    compiled = io.BytesIO()
    write_mo(compiled, _read(code))
    compiled.seek(0)
    return GNUTranslations(compiled)


@cache
def messages_of(code: str) -> dict[str, str]:
    """Messages that a catalogue translates, but for those that count, with their translations."""
    return {message.id: message.string for message in _read(code) if isinstance(message.id, str) and message.id and message.string}


def notes_of(code: str, mark: str) -> list[str]:
    """Those of them that carry a comment of the code."""
    known = messages_of(code)
    return [message.id for message in _read(code) if isinstance(message.id, str) and message.id in known and mark in message.auto_comments]


def translation_of(code: str, message: str) -> str | None:
    """The translation of a message, without its arguments; None where the catalogue has none."""
    return messages_of(code).get(message)


def _(message: str, /, **words: Any) -> str:
    """A message in the language in force, with its arguments."""
    return _catalogue(in_force()).gettext(message).format(**words) if message else ""


def ngettext(one: str, many: str, n: float, /, **words: Any) -> str:
    """A message that counts `n`, by the plural rules of the language in force; `n` itself is an argument only if it is given as one."""
    whole = int(n) if n == int(n) else 2  # a part of something is no single one of it
    return _catalogue(in_force()).ngettext(one, many, whole).format(**words)


def N_(message: str) -> str:
    """Mark a constant as a message, which `_` says later."""
    return message


def Nn_(one: str, many: str) -> tuple[str, str]:
    """Mark a constant as a message that counts `{n}`, which `ngettext` says later."""
    return one, many


def said_here(words: Mapping[str, str], otherwise: str) -> str:
    """What a study says in the language in force; otherwise what is given."""
    return words.get(in_force()) or otherwise


def in_a_row(sentences: Iterable[str]) -> str:
    """Sentences one after the other, apart as the language in force has them; "" is none."""
    said = [sentence for sentence in sentences if sentence]
    return reduce(lambda before, sentence: _("{before} {sentence}", before=before, sentence=sentence), said) if said else ""


def listed(parts: Sequence[str]) -> str:
    """["a", "b", "c"] -> "a, b and c", as the language in force lists them."""
    from babel.lists import format_list  # noqa: PLC0415

    return format_list(list(parts), locale=LOCALES.get(in_force(), in_force()))


def month_of(date: Any) -> str:
    """A month and its year: "June 2018"."""
    if in_force() == ENGLISH:
        return f"{date:%B %Y}"
    from babel.dates import format_skeleton  # noqa: PLC0415

    return str(format_skeleton("yMMMM", date, locale=LOCALES.get(in_force(), in_force())))


def name_of(code: str) -> str:
    """A language by its own name."""
    from babel import Locale  # noqa: PLC0415

    return str(Locale.parse(code).get_display_name(code))
