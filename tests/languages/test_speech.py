"""Messages in the language in force: whole, counted, listed; each catalogue complete."""

import re
import string
import subprocess
import sys
from gettext import NullTranslations

import pytest
from babel.messages.checkers import checkers
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from lib.languages import speech
from lib.languages.extraction import ABOUT_FILES, NOTE
from lib.languages.notes import worded
from lib.languages.speech import (
    CATALOGUES,
    ENGLISH,
    LANGUAGES,
    _,
    in_a_row,
    in_force,
    in_language,
    listed,
    name_of,
    ngettext,
    said_here,
)
from lib.study.study import ROOT

# Arguments that other languages may leave out.
GRAMMAR = re.compile(r"en\d*")
OTHERS = [code for code in LANGUAGES if code != ENGLISH]


@pytest.fixture(scope="module")
def messages(tmp_path_factory):
    """What the code says, as `make words` finds it: message -> catalogue's entry."""
    found = tmp_path_factory.mktemp("words") / "messages.pot"
    (line,) = re.findall(r"^EXTRACT *= *(.+)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    command = [sys.executable, "-m", "babel.messages.frontend", *line.split()[1:], "-o", str(found), "."]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with found.open("rb") as file:
        return {message.id: message for message in read_po(file) if message.id}


def catalogue(code):
    with (CATALOGUES / f"{code}.po").open("rb") as file:
        return read_po(file, locale=code, abort_invalid=True)


def named(text):
    """The arguments of a message."""
    return {name for _text, name, _format, _conversion in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("code", OTHERS)
def test_a_catalogue_says_all_that_the_code_says_and_nothing_else(code, messages):
    held = catalogue(code)
    assert {message.id for message in held if message.id} == set(messages)
    assert not held.obsolete
    for message in held:
        if message.id:
            said = message.string if isinstance(message.string, tuple) else (message.string,)
            assert all(said), f"{message.id} is not translated"
            assert not message.fuzzy, f"{message.id}: a guess that nobody has looked at"
            ids = message.id if isinstance(message.id, tuple) else (message.id,)
            # What holds English grammar alone ("is" or "are") is no argument of another language.
            allowed = {frozenset(name for name in named(text) if not (left and GRAMMAR.fullmatch(name))) for text in ids for left in (False, True)}
            assert {frozenset(named(text)) for text in said} <= allowed, f"{message.id}: other arguments"
            assert len(said) == (held.num_plurals if isinstance(message.id, tuple) else 1)
            message.flags.discard("python-format")  # "95% CI" is none
            for check in checkers:
                if not GRAMMAR.search(" ".join(sorted(named(ids[0]) - named(said[0])))):
                    check(held, message)


@pytest.mark.parametrize("code", OTHERS)
def test_every_text_of_the_rooms_below_can_be_told_whatever_its_arguments_are_called(code):
    """`{code}`, `{message}`: arguments are named by those who write sentences, not by those who translate them."""
    told = {message: message.format(**dict.fromkeys(named(message), "K7")) for mark in (NOTE, ABOUT_FILES) for message in speech.notes_of(code, mark)}
    with in_language(code):
        said = {message: worded(text) for message, text in told.items()}
    assert len(said) > 1000
    assert not [message for message, text in said.items() if named(message) - {"en"} and "K7" not in text]


def test_what_is_a_word_of_ours_is_told_among_names_of_a_file():
    with in_language("zh"):
        assert worded("x with y, in months: 1 is the event (3 patients), 2 is censored (4 patients), by its words. Write what the event is, and from when to when.").startswith("x与y，单位为月：1为事件（3例患者），2为删失（4例患者），")
        assert worded("missing column visit; it holds a number from 0 to 60 months") == "缺少列visit；该列内容为0至60月之间的数字"
        assert worded("must be a whole number from 1 to 5") == "须为1至5之间的整数"


def test_the_code_says_what_these_tests_read(messages):
    assert ("{n} person", "{n} people") in messages, "counted"
    assert {"Any problem", "What was asked?", "Table: {title}"} <= set(messages), "constants, and templates of both rooms"
    assert len(messages) > 100


def test_english_is_what_the_code_says():
    assert in_force() == ENGLISH
    assert _("{count} of {n} people", count=3, n=11) == "3 of 11 people"
    assert [ngettext("{n} month", "{n} months", n, n=n) for n in (1, 1.0, 0.5, 2, 0)] == ["1 month", "1.0 month", "0.5 months", "2 months", "0 months"]
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert in_a_row(["One.", "Two."]) == "One. Two."
    assert in_a_row([]) == ""


def test_chinese_is_counted_listed_and_set_as_chinese_is():
    with in_language("zh"):
        assert _("{count} of {n} people", count=3, n=11) == "11人中有3人"
        assert ngettext("{n} month", "{n} months", 6.0, n="6") == "6个月"
        assert listed(["甲", "乙", "丙"]) == "甲、乙和丙"
        assert in_a_row(["一。", "二。"]) == "一。二。"
        assert said_here({"en": "seeds", "zh": "粒子"}, "B") == "粒子"
        assert said_here({"en": "seeds"}, "B") == "B", "an English word is none for them"
    assert said_here({"en": "seeds", "zh": "粒子"}, "B") == "seeds"
    assert [name_of(code) for code in ("en", "zh")] == ["English", "中文"]


def test_a_language_ends_with_its_block_whatever_happens_there():
    with pytest.raises(ZeroDivisionError), in_language("zh"):
        1 / 0  # noqa: B018
    assert in_force() == ENGLISH


@given(st.text(max_size=20))
def test_an_argument_is_text_whatever_it_holds(text):
    for code in LANGUAGES:
        with in_language(code):
            assert text in _("{people} took part.", people=text)


def test_a_message_that_no_catalogue_holds_is_said_in_english(monkeypatch):
    monkeypatch.setattr(speech, "_catalogue", lambda _code: NullTranslations())
    with in_language("zh"):
        assert _("Severe") == "Severe"
