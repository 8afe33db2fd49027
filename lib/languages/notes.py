"""What the rooms below the pages say in English (notes, methods, reasons, labels), in the language in force.

Analyses and statistics know no language: their words are recorded in results.csv, which is the same in every language. The
catalogue holds each text of their code with what it puts in as `{name}`; a text is found by that.
"""

from __future__ import annotations

__all__ = ["worded"]

import re
from collections.abc import Iterator
from functools import cache, lru_cache, partial, reduce

from lib.languages.extraction import ABOUT_FILES, AGREEMENT, NOTE
from lib.languages.speech import ENGLISH, N_, in_force, ngettext, notes_of, translation_of

# What begins a note, and is left out where it is clear from the place.
BEGINNINGS = ("not estimable: ", "not compared: ", "not tested: ", "not made: ", "no interval: ", "not checked: ")
# What may stand between two notes.
BETWEEN, COMMA = re.compile(r"(; |(?<=[.?]) )"), re.compile(r"(, )")
# Names as a file or a study has them, one or several.
IDS = re.compile(r"[\w./-]+(?:, [\w./-]+)*")
# An argument that is a word of ours even there.
OURS = {"unit"}
# Keys of answers.yml, which are typed as they are.
THEIRS = {"key", "near"}
# How a sentence ends, and how two stand in a row.
FULL_STOP, NEXT = "{sentence}.", "{before} {sentence}"
# Names of two things or more, and how they are put together.
LISTED, LIST = re.compile(r"[\w-]+(?: and [\w-]+)+"), "{others} and {last}"
# How parts that are told one after the other are put together.
PARTS = N_("{first}, {second}")
# An argument that is a list of texts with what follows from each.
LISTING = "listed"
# A time in a unit.
DURATION = re.compile(r"(-?[\d.,]+) (day|week|month|year)s")
# Letters that a text with arguments has of its own, so that it can be told from others.
SHORTEST = 5
# What English says by number, which an argument called so holds.
GRAMMAR = re.compile(r"en\d*")
ARGUMENT = re.compile(r"\{([a-zA-Z_]\w*)\}")


def worded(text: str) -> str:
    """A text of the rooms below, in the language in force; as it is where the catalogue does not hold it."""
    return text if in_force() == ENGLISH or not text else _worded(text, in_force())


@lru_cache(maxsize=4096)
def _worded(text: str, code: str) -> str:
    found = _found(text, code)
    return _by_parts(text, code) if found is None else found


def _by_parts(text: str, code: str) -> str:
    """A text that was put together of several, of which the catalogue holds some; as it is where it holds none."""
    if LISTED.fullmatch(text):
        *others, last = (translation_of(code, part) or part for part in text.split(" and "))
        return _said(code, LIST, others=", ".join(others), last=last)
    between = next((one for one in (BETWEEN, COMMA) if one.search(text)), None)
    if between is None:
        return text
    parts, said = between.split(text), list[str]()
    while parts:
        size, found = next(_parts_found(parts, code, bool(said)), (1, _by_parts(parts[0], code)))
        said += [found, *parts[2 * size - 1 : 2 * size]]
        parts = parts[2 * size :]
    if "".join(said) == text:
        return text
    return reduce(partial(_put_together, code), zip(said[1::2], said[2::2], strict=True), said[0])


def _parts_found(parts: list[str], code: str, later: bool) -> Iterator[tuple[int, str]]:
    """How many parts make up a text that the catalogue holds, and its translation: whole texts before those with arguments, which are short.

    `parts` are texts with what stands between them.
    """
    n = (len(parts) + 1) // 2
    for found_by, sizes in ((_exactly, range(n, 0, -1)), (_matched, range(1, n + 1))):
        for size in sizes:
            text = "".join(parts[: 2 * size - 1])
            for form in (text, _upper(text), *((f", {text}",) if later else ())):
                if text and (found := found_by(form, code, "")) is not None:
                    yield size, found.lstrip("，、, ")
            if text.endswith(".") and (found := found_by(text[:-1], code, "")) is not None:
                yield size, _said(code, FULL_STOP, sentence=found)
            if text and size == 1 and found_by is _exactly and (found := _found(text, code)) is not None:
                yield size, found


def _put_together(code: str, before: str, after: tuple[str, str]) -> str:
    """Two texts with what stands between them, as the language has it."""
    between, then = after
    if between == " ":
        return _said(code, NEXT, before=before, sentence=then)
    return _said(code, PARTS, first=before, second=then) if between == ", " else f"{before}{translation_of(code, between) or between}{then}"


def _said(code: str, message: str, /, **words: str) -> str:
    return (translation_of(code, message) or message).format(**words)


def _found(text: str, code: str) -> str | None:
    """The translation of one text: as it stands, as a sentence that was made of it, or without its beginning; whole texts before those with arguments."""
    if (time := DURATION.fullmatch(text)) is not None:
        return ngettext(f"{{n}} {time[2]}", f"{{n}} {time[2]}s", 2, n=time[1])
    forms = [(form, "", "") for form in (text, _lower(text), _upper(text))]
    bare = _lower(text.removesuffix("."))
    if text.endswith("."):
        forms += [(form, FULL_STOP, "") for form in (bare, _upper(bare))]
    forms += [(beginning + bare, FULL_STOP if text.endswith(".") else "", bare) for beginning in BEGINNINGS]
    for matched in (_exactly, _matched):
        for form, end, whole in forms:
            if (said := matched(form, code, whole)) is not None:
                said = _after(said) if whole else said
                return _said(code, end, sentence=said) if end else said
    return None


def _exactly(text: str, code: str, whole: str) -> str | None:
    return translation_of(code, text)


def _after(said: str) -> str:
    """What stands after the translation of a beginning."""
    return re.split("：|: ", said, maxsplit=1)[-1]


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _matched(text: str, code: str, whole: str) -> str | None:
    for pattern, message, named in _templates(code):
        if (found := pattern.fullmatch(text)) and not any(_is_another(word, message, whole, code) for name, word in found.groupdict().items() if name != LISTING):
            words = {name: word if not word or name in THEIRS or (named and name not in OURS and IDS.fullmatch(word)) else _worded(word, code) for name, word in found.groupdict().items()}
            return _said(code, message, **words)
    return None


def _is_another(word: str, message: str, whole: str, code: str) -> bool:
    """Whether what was put in is the text itself, or a further text that stands beside this one."""
    further = any(end in word and end not in message for end in ("; ", ". ", ", where ")) or word.endswith(".")
    return (word == whole != "") or (further and _exactly(word, code, "") is None and _exactly(_upper(word), code, "") is None)


@cache
def _templates(code: str) -> list[tuple[re.Pattern[str], str, bool]]:
    """Messages with arguments, those with most words of their own first, and whether names may be put in."""
    notes, about = (set(filter(ARGUMENT.search, notes_of(code, mark))) for mark in (NOTE, ABOUT_FILES))
    messages = sorted(notes | about, key=lambda m: (-len(ARGUMENT.sub("", m)), m))
    return [(_pattern(message), message, message in about) for message in messages if len(re.sub(r"[^A-Za-z]", "", ARGUMENT.sub("", message))) >= SHORTEST]


def _pattern(message: str) -> re.Pattern[str]:
    seen: set[str] = set()
    parts = []
    for place, part in enumerate(ARGUMENT.split(message)):
        if place % 2 == 0:
            parts.append(re.escape(part))
        else:
            own = "|".join(sorted(AGREEMENT)) if GRAMMAR.fullmatch(part) else ".*?"
            parts.append(f"(?P={part})" if part in seen else f"(?P<{part}>{own})")
            seen.add(part)
    return re.compile("".join(parts), re.DOTALL)
