"""Kinds of analyses: each task gives its own, and what shows one refuses another before it looks for a frame."""

from dataclasses import replace
from inspect import signature
from typing import get_type_hints

import pandas as pd
import pytest

from lib import analyse
from lib.analyses.efficacy.survival import FollowUp, Survival
from lib.analyses.result import Absent, Analysis, absent_among, absent_if_absent
from lib.analyses.robustness.confounding import EValues, Weights
from lib.dataset.dataset import load
from lib.report.page import Page
from lib.show import plot, say, table
from lib.show.disclosure.audience import mask_analysis
from lib.show.labels import name_arms
from lib.study.study import ROOT

SHOWS = [getattr(room, name) for room in (plot, say, table) for name in room.__all__]
# These show what no task of `analyse` gives.
OF_NO_ANALYSIS = {"sentence_queries", "table_queries", "table_published"}


class Other(Analysis):
    """A kind that nothing shows."""


def kinds(hint) -> set[type]:
    inner = set().union(*map(kinds, getattr(hint, "__args__", ())))
    return inner or ({hint} if isinstance(hint, type) else set())


def of_analyses(function) -> dict[str, set[type]]:
    """Parameter -> kinds of analysis that it takes."""
    hints = {name: kinds(hint) for name, hint in get_type_hints(function).items() if name in signature(function).parameters}
    return {name: found for name, found in hints.items() if any(issubclass(kind, Analysis) for kind in found)}


@pytest.fixture(scope="module")
def data():
    return load("efficacy", study=str(ROOT / "data" / "rair_dtc"))


def test_every_task_gives_a_kind_of_its_own():
    given = {name: kinds(get_type_hints(getattr(analyse, name))["return"]) - {Absent} for name in analyse.__all__}
    assert all(len(kind) == 1 and Analysis not in kind for kind in given.values()), given
    own = [next(iter(kind)) for kind in given.values()]
    # Level and change are the same question of a marker and of the tumour's volume.
    assert len(set(own)) == len(own) - 1, given


@pytest.mark.parametrize("show", [s for s in SHOWS if s.__name__ not in OF_NO_ANALYSIS], ids=lambda s: s.__name__)
def test_what_shows_an_analysis_names_its_kind_and_refuses_another(show, data):
    asked = of_analyses(show)
    assert asked
    assert all(Analysis not in found for found in asked.values()), "which kind?"
    wrong = Other(data, "os", {})
    for name, found in asked.items():
        arguments = {other: wrong if other == name else Absent("None.") for other in asked}
        positional = [arguments.pop(p) for p, how in signature(show).parameters.items() if how.kind != how.KEYWORD_ONLY and p in arguments]
        with pytest.raises(TypeError, match=f"{show.__name__}: {name} is Other, needed is ") as refused:
            show(*positional, **arguments)
        assert all(kind.__name__ in str(refused.value) for kind in found if issubclass(kind, Analysis))


@pytest.mark.parametrize("task", [analyse.weights, analyse.e_values, analyse.robustness, analyse.subgroups])
def test_an_analysis_of_an_analysis_refuses_another_kind(task, data):
    absent = Absent("None.")
    assert task(data, absent) is absent
    with pytest.raises(TypeError, match="is FollowUp, needed is Survival"):
        task(data, FollowUp(data, "os", {}))


@pytest.mark.parametrize("wrong", [None, "os", 1, pd.DataFrame(), [Other(None, "", {})], (Weights(None, "", {}),), Survival], ids=str)
def test_whatever_is_no_such_analysis_is_refused(wrong):
    def take(analysis: Survival, more: Weights | Absent | None = None, several: list[EValues | Absent] = ()):
        """Nothing."""

    look = absent_among(take)
    with pytest.raises(TypeError, match=r"take: analysis is \w+, needed is Survival$"):
        look(wrong)


def test_the_absent_is_let_in_where_the_signature_says_so():
    def take(analysis: Survival, more: Weights | Absent | None = None, several: list[EValues | Absent] = ()):
        """Nothing."""

    look, there, absent = absent_among(take), Survival(None, "", {}), Absent("None.")
    assert look(there) is look(there, absent) is look(there, None, [absent, EValues(None, "", {})]) is None
    assert look(absent) is look(absent, Weights(None, "", {})) is look(analysis=absent) is absent
    with pytest.raises(TypeError, match="several is Weights, needed is EValues or Absent"):
        look(absent, several=[absent, Weights(None, "", {})])


def test_a_task_is_not_begun_for_another_kind():
    @absent_if_absent
    def task(data: None, analysis: Survival):
        raise AssertionError("must not be reached")

    with pytest.raises(TypeError, match="task: analysis is Other, needed is Survival"):
        task(None, Other(None, "", {}))


@pytest.mark.parametrize("audience", ["internal", "share"])
def test_naming_masking_and_recording_keep_the_kind(audience):
    page = Page("efficacy", load("efficacy", study=str(ROOT / "data" / "rair_dtc"), audience=audience))
    found = page.analyse(analyse.survival, page.endpoint)
    assert type(found) is Survival
    assert type(name_arms(page.data, found)) is type(mask_analysis(page.data, found)) is type(replace(found, data={})) is Survival
