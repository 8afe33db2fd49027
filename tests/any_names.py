"""Names, texts and codes that a study may use, those of the library among them, and how they are drawn."""

from __future__ import annotations

import ast
import functools
import keyword
import re

import pandas as pd
from hypothesis import strategies as st
from random_study import MONTH

from lib.study.study import ROOT

ID = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}\Z")


@functools.cache
def names_in_use() -> list[str]:
    """Every text and every argument of the library that a study could take for an id, keywords, and what pandas calls its own."""
    found = {*dir(pd.DataFrame), *dir(pd.Series), *keyword.kwlist, "T", "index", "size", "dtype"}
    for path in (ROOT / "lib").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.keyword) and node.arg:
                found.add(node.arg)
    return sorted(name for name in found if ID.match(name))


# Not while tests are collected, in every process: the whole library is read for it.
in_use = st.deferred(lambda: st.sampled_from(names_in_use()))
COLUMNS_IN_USE = ["patient_id", "arm", "time_zero", "death", "death_date", "local_progression", "local_progression_date",
                  "distant_progression_date", "last_contact_date", "last_tumour_assessment", "excluded"]  # fmt: skip
TEXTS = ("Age", "Sex", "Grösse, µg/L", "女性", "5 < x & y > 3", "it's \"so\"", "50% of all", "a_b^c", "{x} {0}", "A vs B", "overall", "n = 3: no",
         "x" * 70, "Two words", "Time to the first event of any kind, whatever it was, as the protocol has it")  # fmt: skip
CODES = ("F", "M", "0", "1", "2", "yes", "no", "I", "II", "overall", "missing", "nan", "None", "a: b", "x vs y", "<5", "n", "Ü", "女")
UNITS = {"days": 1.0, "weeks": 7.0, "months": MONTH, "years": 365.25}
DATES = ("local_progression_date", "distant_progression_date", "death_date")
FLAGS = {"death_date": "death", "local_progression_date": "local_progression"}
ids = st.one_of(st.sampled_from(["os", "pfs", "x1", "Age", "a_b", "A", "B", "C"]), in_use, st.from_regex(ID, fullmatch=True))
texts = st.sampled_from(TEXTS)


def distinct(draw, of, least, most, without=()):
    """A list of different values."""
    kept = of.filter(lambda name: name not in without)
    return draw(st.lists(kept, min_size=least, max_size=most, unique=True))


def rarely(draw, times: int) -> bool:
    """True once in so many times; the simplest study is one in which nothing is rare."""
    return draw(st.integers(1, times)) == times
