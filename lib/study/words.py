"""What a study may call something: one visible line, no two things by names that a reader cannot tell apart; events by names of ours."""

from __future__ import annotations

__all__ = [
    "DATE_COLUMNS", "KINDS", "OF_MARKER", "THIN", "DateColumn", "EventDate", "Kind", "Label", "Language", "LastDay", "LegendLabel", "Spoken", "Text", "Told",
    "grouped", "plain", "told_apart", "unique",
]  # fmt: skip

import re
import unicodedata
from collections import Counter
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator

from lib.fonts import undrawn
from lib.languages.speech import ENGLISH, LANGUAGES, in_force, in_language

# Between thousands, on every page and in every message: narrow, no line ends there, and nobody takes it for a decimal.
THIN = "\N{NARROW NO-BREAK SPACE}"
# Letters without ink: Hangul fillers, the empty Braille cell.
BLANK = "\u115f\u1160\u2800\u3164\uffa0"
# Cyrillic and Greek capitals and small letters that are drawn like Latin ones.
LOOKS_LIKE = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеѕіјорсухԁΑΒΕΖΗΙΚΜΝΟΡΤΥΧο",
    "ABESIJKMHOPCTYXaesijopcyxdABEZHIKMNOPTYXo",
)

DateColumn = Literal[
    "time_zero", "last_tumour_assessment", "local_progression_date", "distant_progression_date", "death_date",
    "last_contact_date",
]  # fmt: skip
DATE_COLUMNS: tuple[DateColumn, ...] = get_args(DateColumn)
# Progression by where it was, derived from measured lesions; no column of a table can have a full stop in its name.
Kind = Literal[
    "progression.in_field", "progression.local_untreated", "progression.regional", "progression.distant",
    "progression.new_lesion", "progression.target_growth",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)
# The progression of a marker, of the rule that the marker declares; as a date of censoring, its last sample that counts.
OF_MARKER = "marker."


def _named_event(name: str) -> str:
    if name not in (*DATE_COLUMNS, *KINDS) and not re.fullmatch(rf"{re.escape(OF_MARKER)}[A-Za-z][A-Za-z0-9_]{{0,39}}", name):
        raise ValueError(f"one of {', '.join((*DATE_COLUMNS, *KINDS))}, or {OF_MARKER} and the id of a marker that declares its progression")
    return name


def _last_day(name: str) -> str:
    if name in KINDS:
        raise ValueError(f"{name} is an event; observation ends on one of {', '.join(DATE_COLUMNS)}, or with the last sample of {OF_MARKER} and the id of a marker")
    return name


EventDate = Annotated[str, AfterValidator(_named_event)]
LastDay = Annotated[EventDate, AfterValidator(_last_day)]


def _undrawable(sign: str) -> bool:
    """Whether no page, figure or file can hold a sign: controls, ends of lines, halves of pairs, and no character at all."""
    code = ord(sign)
    reverses = 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069
    return reverses or code & 0xFFFE == 0xFFFE or unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp")


def plain(text: str) -> str:
    """Refuse what a label must not hold: control characters, marks that reverse the text, or a whole page."""
    if len(text) > 500 or any(_undrawable(c) for c in text):
        raise ValueError("one line of at most 500 characters, without control or direction marks")
    if lacking := undrawn(text):
        raise ValueError(f"no font of the reports draws {lacking}")
    return text


def _said(text: str) -> str:
    if not _seen(text).strip():
        raise ValueError("must not be empty or invisible: a report calls it so")
    return text


def _seen(text: str) -> str:
    """What a reader sees of a text: no signs of no width, no blanks that pass for letters."""
    return "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Mn", "Me") and c not in BLANK)


def _alike(text: str) -> str:
    """Return the same for all texts that a reader cannot tell apart: width, case, spaces, letters of other scripts."""
    inked = (c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf" and c not in BLANK)
    return " ".join("".join(inked).translate(LOOKS_LIKE).casefold().split())


def told_apart(what: str, name: str = "label") -> AfterValidator:
    """Make a validator that refuses parts that a report would call by one name (an attribute) in any language, at the line where they stand."""

    def checked(parts: tuple[Any, ...]) -> tuple[Any, ...]:
        for code in LANGUAGES:
            with in_language(code):
                tell(parts)
        return parts

    def tell(parts: tuple[Any, ...]) -> None:
        first: dict[str, str] = {}
        for part in parts:
            if (other := first.setdefault(_alike(getattr(part, name)), part.id)) != part.id:
                raise ValueError(f"the {what}s {other} and {part.id} have one label ({getattr(part, name)}): no reader could tell them apart")

    return AfterValidator(checked)


def _in_legend(text: str) -> str:
    if text.startswith("_"):
        raise ValueError("must not begin with _: the legend of a figure leaves such a name out")
    return text


Text = Annotated[str, AfterValidator(plain)]


def _known_language(code: str) -> str:
    if code not in LANGUAGES:
        raise ValueError(f"the code of a language that pages are written in: {', '.join(LANGUAGES)}")
    return code


Language = Annotated[str, AfterValidator(_known_language)]


def _in_force(given: Any) -> Any:
    """Of a text that is given for several languages, that of the language in force, or else the first."""
    if not isinstance(given, dict) or not given or not all(isinstance(text, str) for text in given.values()):
        return given
    for code in given:
        _known_language(code)
    return next(given[code] for code in (in_force(), ENGLISH, *given) if code in given)


# What a report tells, in one language or in several: {en: ..., zh: ...}.
Told = Annotated[Text, BeforeValidator(_in_force)]
# What a report calls something; the second kind stands in legends too.
Label = Annotated[Told, AfterValidator(_said)]
LegendLabel = Annotated[Label, AfterValidator(_in_legend)]


def _by_language(given: Any) -> Any:
    """A text alone is English."""
    if not isinstance(given, str | dict):
        raise ValueError(f"a text, or one for each language: {{{ENGLISH}: ..., {LANGUAGES[-1]}: ...}}")
    return {ENGLISH: given} if isinstance(given, str) else given


# Words for readers of several languages.
Spoken = Annotated[dict[Language, Annotated[Text, AfterValidator(_said)]], BeforeValidator(_by_language)]


def grouped(count: int) -> str:
    """A whole number with its thousands apart: "1 234"."""
    return f"{count:,}".replace(",", THIN)


def unique(what: str, names: list[str]) -> None:
    """Raise ValueError if a name is given twice."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"{what} given twice: {', '.join(map(str, twice))}")
