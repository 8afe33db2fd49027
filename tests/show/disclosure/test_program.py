"""The bounds of counts against a second solver, which begins each search anew."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from lib.show.disclosure.program import Program, System


@st.composite
def systems(draw):
    """Counts, relations that are true of them, and in which order they are hidden."""
    n = draw(st.integers(1, 12))
    counts = dict(enumerate(draw(st.lists(st.integers(0, 30), min_size=n, max_size=n))))
    relations = []
    for _ in range(draw(st.integers(0, 14))):
        terms = draw(st.dictionaries(st.integers(0, n - 1), st.sampled_from([1.0, -1.0]), min_size=1, max_size=5))
        true = sum(c * counts[key] for key, c in terms.items())
        below, above = draw(st.sampled_from([(0, 0), (0, 3), (0, np.inf), (np.inf, 2)]))
        relations.append((terms, true - below, true + above))
    return counts, relations, draw(st.permutations(sorted(counts)))


def ends(key, counts, relations, hidden):
    """The smallest and largest possible value, by inequalities and without a program that is kept."""
    rows, limits = [], []
    for terms, low, high in relations:
        for sign, limit in ((1.0, high), (-1.0, -low)):
            if np.isfinite(limit):
                rows.append([sign * terms.get(k, 0.0) for k in counts])
                limits.append(limit)
    bounds = [(0, None) if k in hidden else (v, v) for k, v in counts.items()]
    found = []
    for sign in (1, -1):
        goal = [sign * float(k == key) for k in counts]
        solved = linprog(goal, A_ub=rows or None, b_ub=limits or None, bounds=bounds, method="highs")
        assert solved.status in (0, 3), solved.message
        found.append(sign * solved.fun if solved.status == 0 else np.inf)
    return found


@settings(deadline=None, max_examples=40)
@given(systems())
def test_bounds_are_those_of_a_second_solver_however_many_are_hidden(system):
    counts, relations, order = system
    program, hidden = Program(counts, [], relations), set()
    for key in order:
        program.hide(key)
        hidden.add(key)
        for asked in {key, order[0]}:
            low, high, holding = program.search(asked)
            assert (low, high) == pytest.approx(ends(asked, counts, relations, hidden), abs=1e-6)
            assert program.room(asked) >= (high - low) - 1e-6
            assert not holding & hidden
            if not holding:
                assert ends(asked, counts, relations, set(counts)) == pytest.approx([low, high], abs=1e-6)


@settings(deadline=None, max_examples=40)
@given(systems(), st.data())
def test_what_every_reader_knows_and_what_hangs_apart_changes_no_bound(system, data):
    counts, relations, order = system
    public = set(data.draw(st.lists(st.sampled_from(order), max_size=3)))
    hidden = set(order[: len(order) // 2 + 1]) - public
    split = System(counts, hidden, public, relations)
    for key in hidden:
        low, high, holding = split.around(key).search(key)
        assert (low, high) == pytest.approx(ends(key, counts, relations, hidden), abs=1e-6)
        assert not holding & public


def test_a_count_that_nothing_is_known_about_can_be_anything():
    program = Program({"a": 3.0, "b": 4.0}, ["a"], [])
    assert program.room("a") == 0
    assert program.search("a") == (0, np.inf, set())
    assert program.room("a") == np.inf
    assert program.search("b") == (4, 4, {"b"})
