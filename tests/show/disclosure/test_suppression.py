"""An adversary who knows how counts add up, and solves for the small ones."""

import functools
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from lib.analyses.efficacy import survival
from lib.analyses.safety import events as safety_events
from lib.dataset.dataset import load
from lib.show.disclosure import audience
from lib.show.disclosure.suppression import Cells

SMALL = 5
WIDE = SMALL - 1 - 1e-6
FEW = settings(deadline=None, max_examples=15)


def width(goal, sums, least, most):
    """How far apart the smallest and the largest possible value of an unknown are: a second formulation, by equalities.

    `sums` are dicts of unknown -> coefficient that add up to 0; `least`, `most` bound every unknown.
    """
    names = list(least)
    place = {name: i for i, name in enumerate(names)}
    matrix = np.zeros((len(sums), len(names)))
    for row, terms in enumerate(sums):
        for name, coefficient in terms.items():
            matrix[row, place[name]] += coefficient
    ends = []
    for sign in (1, -1):
        cost = np.zeros(len(names))
        cost[place[goal]] = sign
        found = linprog(
            cost, A_eq=matrix, b_eq=np.zeros(len(sums)), bounds=[(least[n], most[n]) for n in names], method="highs"
        )
        if found.status == 3:  # nothing holds it
            return np.inf
        assert found.status == 0, found.message
        ends.append(sign * found.fun)
    return ends[1] - ends[0]


@FEW
@given(st.lists(st.lists(st.integers(0, 12), min_size=3, max_size=3), min_size=2, max_size=5))
def test_a_table_with_both_margins_gives_no_small_cell_back(counts):
    counts = np.array(counts)
    table = np.vstack([np.column_stack([counts, counts.sum(1)]), [*counts.sum(0), counts.sum()]])
    cells = Cells()
    rows, columns = table.shape
    for i, j in np.ndindex(table.shape):
        cells.show((i, j), table[i, j])
    sums = [{(i, j): 1.0 if j < columns - 1 else -1.0 for j in range(columns)} for i in range(rows)]
    sums += [{(i, j): 1.0 if i < rows - 1 else -1.0 for i in range(rows)} for j in range(columns)]
    for terms in sums:
        cells.relate(terms)
    hidden = cells.suppress(SMALL, lambda key: (key[0] < rows - 1, key[1] < columns - 1))
    small = [key for key in cells.values if 0 < table[key] < SMALL]
    assert set(small) <= hidden
    least = {key: 0 if key in hidden else table[key] for key in cells.values}
    most = {key: None if key in hidden else table[key] for key in cells.values}
    for key in small:
        assert width(key, sums, least, most) >= WIDE
    if not small:
        assert not hidden


def test_a_rest_is_protected_like_a_count():
    cells = Cells()
    cells.show("size", 14, public=True)
    cells.show("with", 12)
    cells.rest("without", {"size": 1.0, "with": -1.0})
    assert cells.bounds(["without"]) == [(2, 2)]
    assert cells.suppress(SMALL, lambda key: ()) == {"with", "without"}
    assert cells.bounds(["with"]) == [(0, 14)]


@functools.cache
def shared():
    return audience.restrict(load("safety", audience="share"))


TERMS = ["Hypertension", "Fatigue", "Weight loss", "Proteinuria", "Nausea", "Diarrhoea"]


@st.composite
def adverse_events(draw):
    """Any events of the patients of the shipped study."""
    patients = list(shared().patients["patient_id"])
    some = st.tuples(st.sampled_from(patients), st.sampled_from(TERMS), st.integers(1, 5),
                     st.sampled_from(["drug", "procedure", "both", "no"]))  # fmt: skip
    rows = draw(st.lists(some, min_size=1, max_size=150))
    frame = pd.DataFrame(rows, columns=["patient_id", "term", "grade", "related"])
    return frame.assign(serious=False, action="none", onset_date=pd.Timestamp("2020-01-01"))


class Reader:
    """Unknowns with their limits, and sums that are 0: written from the definitions of the table's rows."""

    def __init__(self, data, full, masked):
        self.sizes = {**data.n.to_dict(), "overall": len(data.patients)}
        self.arms = [arm.id for arm in data.arms]
        self.true, self.least, self.most, self.sums = {}, {}, {}, []
        for output in ("ae_overview", "ae_term", "ae_term_severe", "ae_system", "ae_system_severe", "ae_grade"):
            for before, after in zip(full[output].itertuples(), masked[output].itertuples(), strict=True):
                name, known = (output, before.variable, before.group), pd.notna(after.count)
                self.true[name] = before.count
                size = self.sizes[before.group]
                self.least[name], self.most[name] = (before.count, before.count) if known else (0, size)
        self.systems = full["terms"].groupby("system")["term"].apply(list).to_dict()
        self.know_totals()
        for group in self.sizes:
            self.know_terms(group)
            self.know_severe(group)

    def add(self, kind, terms, group):
        """One more unknown, which makes an inequality an equality."""
        name = (kind, len(self.sums), group)
        self.true[name] = sum(c * self.true[n] for n, c in terms.items())
        self.least[name], self.most[name] = 0, None
        self.sums.append({**terms, name: -1.0})

    def know_totals(self):
        for group, size in self.sizes.items():
            self.true["n", "", group] = self.least["n", "", group] = self.most["n", "", group] = size
        for output, variable, group in [name for name in self.true if name[0] != "n"]:
            name = (output, variable, group)
            if group == "overall":
                self.sums.append({name: -1.0} | {(output, variable, arm): 1.0 for arm in self.arms})
            self.add("without", {("n", "", group): 1.0, name: -1.0}, group)

    def know_terms(self, group):
        for end, kind in (("", "any"), ("_severe", "severe")):
            every = ("ae_overview", kind, group)
            systems = [(f"ae_system{end}", system, group) for system in self.systems]
            self.add("slack", dict.fromkeys(systems, 1.0) | {every: -1.0}, group)
            for system in systems:
                self.add("beyond", {every: 1.0, system: -1.0}, group)
                terms = [(f"ae_term{end}", term, group) for term in self.systems[system[1]]]
                self.add("slack", dict.fromkeys(terms, 1.0) | {system: -1.0}, group)
                for term in terms:
                    self.add("beyond", {system: 1.0, term: -1.0}, group)

    def know_severe(self, group):
        terms = [term for own in self.systems.values() for term in own]
        for output, names in (("ae_term", terms), ("ae_system", self.systems)):
            for name in names:
                self.add("beyond", {(output, name, group): 1.0, (f"{output}_severe", name, group): -1.0}, group)
        wholes = [("any term", ("ae_overview", "any", group))] + [(t, ("ae_term", t, group)) for t in terms]
        for term, whole in wholes if group in self.arms else []:
            self.sums.append({whole: -1.0} | {("ae_grade", f"{term}, grade {g}", group): 1.0 for g in range(1, 6)})


@settings(FEW, max_examples=5)
@given(adverse_events())
def test_an_adversary_cannot_solve_the_table_of_adverse_events(events):
    assert_unsolvable(events)


def test_grades_and_systems_do_not_give_a_term_away():
    """Eight with a term, five of them with grade 1: the other three follow unless the grades are tied to the term."""
    of = {arm: list(own["patient_id"]) for arm, own in shared().patients.groupby("arm", observed=True)}
    rows = [(p, "Hypertension", 1 if i < 5 else 2) for i, p in enumerate(of["A"][:8])]
    rows += [(p, "Hypertension", 1) for p in of["B"][:10]] + [(p, "Nausea", 1) for p in of["B"][4:16]]
    events = pd.DataFrame(rows, columns=["patient_id", "term", "grade"])
    assert_unsolvable(
        events.assign(related="drug", serious=False, action="none", onset_date=pd.Timestamp("2020-01-01"))
    )


def assert_unsolvable(events):
    """What is printed of these events leaves every small count, rest and difference open."""
    data = shared()
    data = replace(data, tables=data.tables | {"adverse_events": events})
    full = safety_events.analyse(data)
    masked = audience.mask_analysis(data, full)
    reader = Reader(data, full, masked)
    small = [name for name, value in reader.true.items() if 0 < value < SMALL and name[0] != "slack"]
    assert all(reader.least[name] == 0 for name in small), "no small count is printed"
    for name in small[:: max(1, len(small) // 20)]:
        assert width(name, reader.sums, reader.least, reader.most) >= WIDE, name


@pytest.mark.parametrize("endpoint", ["lpfs", "os", "ttlp"])
def test_curves_and_numbers_at_risk_step_over_cells(endpoint):
    """Between any two things that are told of an arm lie no events, or as many as make a cell."""
    data = shared()
    full = survival.analyse(data, data.study.endpoint(endpoint))
    masked = audience.mask_analysis(data, full)
    assert "tte" not in masked
    some = 0
    for arm in data.arms:
        tte = full["tte"][full["tte"]["arm"] == arm.id]
        curve = masked["curve"][masked["curve"]["group"] == arm.id]
        told = masked["landmark"].query("group == @arm.id").dropna(subset=["estimate"])
        own = full["curve"].query("group == @arm.id")
        steps = [own.loc[np.isclose(own["survival"], s, atol=1e-12), "time"].min() for s in curve["survival"]]
        events = sorted({int((tte["event"] & (tte["time"] <= time)).sum()) for time in [*steps, *told["time"]]})
        assert all(later - earlier >= SMALL for earlier, later in pairwise(events)), arm.id
        risk = pd.concat([masked["at_risk"], masked["landmark"]]).query("group == @arm.id").dropna(subset=["n_risk"])
        numbers = sorted({*risk["n_risk"], data.n[arm.id]})
        assert all(later - earlier >= SMALL for earlier, later in pairwise(numbers)), arm.id
        some += len(told) + len(curve) - 1
        assert all(value == float(f"{value:.3g}") for value in curve["time"])
    assert some, "something is left"


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"subgroup": "ecog", "subgroup_values": ["2"]}, "fewer than 5 patients in arm"),
        ({"subgroup": "sex", "subgroup_values": ["F"]}, "who follow by subtraction"),
    ],
)
def test_two_runs_cannot_be_subtracted(parameters, why):
    with pytest.raises(Exception, match=why):
        audience.restrict(load("safety", audience="share", **parameters))
    assert len(audience.restrict(load("safety", **parameters)).patients)


def test_part_of_a_study_says_so():
    assert not audience.is_part(load("safety", audience="share"))
    assert audience.is_part(load("safety", audience="share", arms=["B"]))
    assert audience.is_part(load("safety", audience="share", cutoff="2023-06-30"))


def test_the_same_counts_are_hidden_once_and_any_other_anew(monkeypatch):
    worked, hide = [], Cells._hide
    monkeypatch.setattr(Cells, "_hide", lambda *given: worked.append(1) or hide(*given))

    def hidden(counts=(2, 9, 8), cheap="b", small=5, public=()):
        cells = Cells()
        for name, count in zip("abc", counts, strict=True):
            cells.show(name, count, public=name in public)
        cells.show("whole", sum(counts), public=True)
        cells.relate(dict.fromkeys("abc", 1.0) | {"whole": -1.0})
        found = cells.suppress(small, lambda key: (key != cheap,))
        found.add("mine")
        return cells.hidden - {"mine"}

    assert hidden() == hidden() == {"a", "b"} and len(worked) == 1
    assert hidden(cheap="c") == {"a", "c"}
    assert hidden(counts=(6, 9, 8)) == hidden(small=2) == set()
    assert hidden(public="b") == {"a", "c"}
    assert len(worked) == 5
