"""Somebody who reads a shared report and wants to know what is masked: formulas turned round, linear programs over all of it.

Values come from the rows of results.csv that were shared, and from nothing else. Which cells there are, and how counts of
such a report hang together, anybody knows who reads the pages of another study: it is read from the full rows.
"""

from __future__ import annotations

__all__ = ["Attack", "attack", "possible"]

import math
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise, product

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import beta

from lib.analyses.catalogue import COURSE, OVERLAP, Output
from lib.analyses.outputs import find
from lib.analyses.result import PATIENTS
from lib.show.disclosure.counts import COUNTS, count_cells, family

ROW = ["output", "variable", "group", "time"]
LEVEL = 0.95
EXACT = 1e-6


def possible(shown: dict[str, float], size: int, *, whole: bool = False, digits: int = 3) -> set[tuple[int, int]]:
    """Every (n, count) that a reader cannot rule out from what stands in one row, each number printed with `digits`.

    `whole` says that values are whole numbers, so that a mean is a fraction with the denominator n.
    """
    n, count = (grid.ravel() for grid in np.meshgrid(np.arange(1, size + 1), np.arange(size + 1), indexing="ij"))
    n, count = n[count <= n], count[count <= n]
    fits = np.ones(len(n), bool)
    for name, made in (("n", n), ("count", count)):
        if name in shown:
            fits &= made == shown[name]
    tail = (1 - LEVEL) / 2
    made = {
        "proportion": count / n,
        "ci_low": np.where(count == 0, 0.0, beta.ppf(tail, np.maximum(count, 1e-9), n - count + 1)),
        "ci_high": np.where(count == n, 1.0, beta.ppf(1 - tail, count + 1, np.maximum(n - count, 1e-9))),
    }
    for name in set(made) & set(shown):
        fits &= np.abs(made[name] - shown[name]) <= _half(shown[name], digits)
    if whole and "mean" in shown:
        total = shown["mean"] * n
        fits &= np.abs(total - np.round(total)) <= n * _half(shown["mean"], digits)
    if "p_value" in shown:
        trials = shown["p_value"] * 2.0 ** (n - 1)
        fits &= np.abs(trials - np.round(trials)) <= 2.0 ** (n - 1) * _half(shown["p_value"], digits)
    return set(zip(n[fits].tolist(), count[fits].tolist(), strict=True))


def _half(value: float, digits: int) -> float:
    """How far the exact number can lie from the printed one: half a unit, less beside a half, more near what is not crossed."""
    if not value:
        return 10.0**-digits
    unit = 10.0 ** (math.floor(math.log10(abs(value))) + 1 - digits)
    near = any(abs(value - limit) <= unit for limit in (0.05, 1.0))
    beside = float(f"{value:.{digits}g}") != value
    return unit * (1.01 if near else 0.41 if beside else 0.51)


@dataclass
class Attack:
    """What a reader of one shared report, or of several, knows.

    Attributes
    ----------
    true : dict of tuple to float
        Every count of the study; the attack reads none but those of `shown`.
    shown : set of tuple
    relations : list of (terms, low, high)
    """

    true: dict[tuple, float] = field(default_factory=dict)
    shown: set[tuple] = field(default_factory=set)
    relations: list[tuple[dict, float, float]] = field(default_factory=list)

    def say(self, terms: dict, low: float = 0.0, high: float = 0.0) -> None:
        """Add a relation, where all of it is counted and it is true of the study."""
        if all(key in self.true for key in terms):
            value = sum(c * self.true[key] for key, c in terms.items())
            if low - EXACT <= value <= high + EXACT:
                self.relations.append((terms, low, high))

    def say_rest(self, name: tuple, whole: tuple, part: tuple) -> None:
        """Add what a count leaves of another: nobody prints it, and it must not follow either."""
        if whole in self.true and part in self.true and self.true[whole] >= self.true[part]:
            self.true[name] = self.true[whole] - self.true[part]
            self.say({whole: 1.0, part: -1.0, name: -1.0})

    def recovered(self, small: int) -> dict[tuple, tuple[int, int]]:
        """Masked small counts of which fewer values than two are possible."""
        unknown = {key: number for number, key in enumerate(sorted(set(self.true) - self.shown, key=repr))}
        targets = [key for key in unknown if 0 < self.true[key] < small]
        upper, limits, of = self._system(unknown)
        parts = self._parts(upper, len(unknown))
        found = {}
        for part in sorted({parts[unknown[key]] for key in targets}):
            inside = np.flatnonzero(parts == part)
            rows = np.flatnonzero(of == part) if len(of) else []
            own = {key for key in targets if parts[unknown[key]] == part}
            place = {column: i for i, column in enumerate(inside)}
            matrix, limit = upper[rows][:, inside], limits[rows]
            # What each count was in the solutions so far: two whole numbers for one are two that are possible.
            seen = np.array([np.full(len(inside), np.inf), np.full(len(inside), -np.inf)])
            for key in sorted(own, key=repr):
                column = place[unknown[key]]
                if _whole(*seen[:, column]) < 1:
                    ends = self._ends(column, matrix, limit, seen)
                    if ends[1] - ends[0] < 1:
                        found[key] = ends
        return found

    def _system(self, unknown: dict) -> tuple:
        entries, limits = [], []
        for terms, low, high in self.relations:
            known = sum(c * self.true[key] for key, c in terms.items() if key not in unknown)
            free = [(unknown[key], c) for key, c in terms.items() if key in unknown]
            for sign, limit in ((1.0, high), (-1.0, -low)):
                if free and np.isfinite(limit):
                    entries += [(len(limits), column, sign * c) for column, c in free]
                    limits.append(limit - sign * known)
        rows, columns, values = zip(*entries, strict=True)
        upper = csr_array((values, (rows, columns)), shape=(len(limits), len(unknown)))
        parts = self._parts(upper, len(unknown))
        return upper, np.array(limits), parts[upper.indices[upper.indptr[:-1]]]

    @staticmethod
    def _parts(upper: csr_array, size: int) -> np.ndarray:
        """Unknown counts that hang together in no way are solved apart."""
        together = abs(upper).T @ abs(upper)
        return connected_components(together, directed=False)[1] if size else np.array([])

    @staticmethod
    def _ends(column: int, matrix: csr_array, limits: np.ndarray, seen: np.ndarray) -> tuple[int, int]:
        """The least and the most that a count can be; the solutions are entered into `seen`."""
        goal = np.zeros(seen.shape[1])
        goal[column] = 1.0
        ends = []
        for sign in (1, -1):
            solved = linprog(sign * goal, A_ub=matrix, b_ub=limits, method="highs")
            if solved.status == 0:
                seen[:] = np.minimum(seen[0], solved.x), np.maximum(seen[1], solved.x)
            ends.append(sign * solved.fun if solved.status == 0 else sign * -np.inf if solved.status == 3 else math.nan)
        assert not np.isnan(ends).any(), "what is shown contradicts itself"
        low, high = ends
        return (math.ceil(low - EXACT), math.floor(high + EXACT) if np.isfinite(high) else 10**9)


def _whole(low: float, high: float) -> float:
    """How far apart the least and the greatest whole number from `low` to `high` are."""
    return np.floor(high + EXACT) - np.ceil(low - EXACT)


def attack(analyses: list, shared: pd.DataFrame, sizes: dict[str, int], systems: dict[str, list[str]], ranks: dict) -> Attack:
    """All that is known from the rows `shared` of the report of which `analyses` are the full results."""
    known = Attack()
    for group, size in sizes.items():
        known.true["size", "", group, -1.0, "count"] = size
        known.shown.add(("size", "", group, -1.0, "count"))
    patients = _count(known, analyses)
    _read(known, shared)
    _say_rows(known, patients, sizes)
    _say_catalogue(known, analyses)
    for analysis in analyses:
        _say_analysis(known, analysis, sizes, systems, ranks)
    return known


def _count(known: Attack, analyses: list) -> set[tuple]:
    """Enter every count; give back those of patients."""
    patients = set()
    for analysis in analyses:
        for name, frame in analysis.frames.items():
            for keys, row in zip(_keys(analysis, name, frame), frame.to_dict("records"), strict=True):
                for column in COUNTS:
                    if pd.notna(row.get(column, np.nan)):
                        key = (*keys, column)
                        known.true.setdefault(key, float(row[column]))
                        if row.get("unit", PATIENTS) == PATIENTS:
                            patients.add(key)
    return patients


def _read(known: Attack, shared: pd.DataFrame) -> None:
    """Read which counts were shared."""
    counts = shared[shared["statistic"].isin(COUNTS) & shared["value"].notna()]
    for row in counts.itertuples():
        key = (row.output, "" if pd.isna(row.variable) else row.variable, row.group, -1.0 if pd.isna(row.time) else row.time, row.statistic)
        if known.true.get(key) == row.value:
            known.shown.add(key)


def _keys(analysis, name: str, frame: pd.DataFrame) -> list[tuple]:
    variables = frame["variable"].astype(str) if "variable" in frame else [analysis.variable] * len(frame)
    times = frame["time"].astype(float).fillna(-1.0) if "time" in frame else [-1.0] * len(frame)
    return [(name, *rest) for rest in zip(variables, frame["group"].astype(str), times, strict=True)]


def _say_rows(known: Attack, patients: set, sizes: dict[str, int]) -> None:
    """Within rows, and between the rows of arms and of all."""
    arms = [group for group in sizes if group != "overall"]
    for output, variable, group, time, column in [*known.true]:
        key, n = (output, variable, group, time, column), (output, variable, group, time, "n")
        if key in patients and group in sizes:
            known.say_rest((*key, "not counted"), ("size", "", group, -1.0, "count"), key)
        if column in ("count", "n_events", "n_zero", "n_gained", "n_lost"):
            known.say_rest((*key, "without"), n, key)
        if column == "n_missing" and key in patients and group in sizes:
            known.say({("size", "", group, -1.0, "count"): 1.0, n: -1.0, key: -1.0})
        if group == "overall":
            known.say({key: -1.0} | {(output, variable, arm, time, column): 1.0 for arm in arms})


def _say_catalogue(known: Attack, analyses: list) -> None:
    """What the catalogue says of outputs of all pages: counts within others, the same, sums, steps of the flow, courses."""
    where = defaultdict(list)
    for key in known.true:
        where[key[0], key[-1]].append(key)
    outputs = {name: find(name, analysis.variable) for analysis in analyses for name in analysis.frames}
    for name, output in outputs.items():
        _say_steps(known, output, where[name, "n"])
        for rule, key in product(output.within, where[name, "count"]):
            # A death need not be an adverse event.
            if rule.variable in ("", key[1]) and (name, key[1]) != ("ae_overview", "death"):
                outer = (rule.outer, rule.around or key[1], *key[2:])
                known.say_rest((*key, "of", *outer), outer, key)
        for same in output.same:
            for key in where[name, same.column]:
                known.say({key: 1.0, (same.output, *key[1:4], same.other_column): -1.0})
        if output.time == COURSE:
            _say_course(known, where[name, "n_risk"], -1.0)
            _say_course(known, where[name, "n_events"], 1.0)


def _say_steps(known: Attack, output: Output, keys: list[tuple]) -> None:
    """Denominators that are a step of the participant flow."""
    for key in keys if output.step else []:
        for variable, time in product(("", key[1], "analysed"), {key[3], -1.0}):
            known.say({key: 1.0, (output.step, variable, key[2], time, "count"): -1.0})


def _say_course(known: Attack, keys: list[tuple], sign: float) -> None:
    courses = defaultdict(list)
    for key in keys:
        courses[key[:3]].append(key)
    for course in courses.values():
        ordered = sorted(course, key=lambda key: key[3])
        for early, late in pairwise(ordered):
            known.say({late: sign, early: -sign}, 0.0, np.inf)


def _say_analysis(known: Attack, analysis, sizes: dict[str, int], systems: dict, ranks: dict) -> None:
    """Families of one denominator, adverse events, responses, the flow: within one analysis, as its frames have them."""
    frames = {name: frame for name, frame in analysis.frames.items() if set(COUNTS) & set(frame)}
    outputs = {name: find(name, analysis.variable) for name in frames}
    place = {(name, row): key for name, frame in frames.items() for row, key in enumerate(_keys(analysis, name, frame))}
    for name, frame in frames.items():
        if "count" in frame and "n" in frame and outputs[name].denominator != OVERLAP:
            of = family(outputs[name], frame)
            parts = [rows for _, rows in of.assign(row=range(len(of))).groupby(["common", "time", "group"], sort=False)["row"]]
            said = [{(*place[name, rows.iat[0]], "n"): 1.0} | {(*place[name, row], "count"): -1.0 for row in rows} for rows in parts]
            left = [sum(c * known.true.get(key, np.nan) for key, c in terms.items()) for terms in said]
            # Where it is so everywhere, everybody is in one of the rows.
            most = 0.0 if not any(left) and any(len(rows) > 1 for rows in parts) else np.inf
            for terms in said:
                known.say(terms, 0.0, most)
    own = systems if "ae_term" in frames else {}
    cells = count_cells(frames, outputs, pd.Series(sizes), own, **ranks)

    def renamed(key):
        if key[0] == "size":
            return ("size", "", key[1], -1.0, "count")
        return (*place[key[:2]], key[2]) if len(key) == 3 and key[:2] in place and key[2] in COUNTS else None

    for terms, low, high in cells._relations:
        names = {renamed(key): c for key, c in terms.items()}
        rest = [key for key in terms if renamed(key) is None]
        if not rest:
            known.say(names, low, high)
        elif len(rest) == 1:
            # A rest is never negative.
            known.say({key: c for key, c in names.items() if key is not None}, 0.0, np.inf)
