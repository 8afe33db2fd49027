"""What a reader can work out: counts and how they add up, as linear programs.

Which counts have to be hidden stands in suppression.
"""

from __future__ import annotations

__all__ = ["Key", "Program", "Relation", "System"]

from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping

import numpy as np

Key = Hashable
# low <= sum of coefficient x count <= high
Relation = tuple[Mapping[Key, float], float, float]
# HiGHS is exact to about 1e-7; counts are whole.
EXACT = 1e-6


class Program:
    """Counts that hang together: the least and the most that each can be, given those that are shown.

    Each search begins where the last one ended. What was possible stays so, since hiding more only adds possibilities.

    Parameters
    ----------
    counts : dict of key to float
        The true counts.
    hidden : collection of key
        Which of them a reader does not see.
    relations : list of Relation
        About these counts alone.
    """

    def __init__(self, counts: Mapping[Key, float], hidden: Collection[Key], relations: list[Relation]):
        import highspy  # noqa: PLC0415  a page that is not shared needs none

        self._keys = list(counts)
        self._place = {key: place for place, key in enumerate(self._keys)}
        true = np.array(list(counts.values()), dtype=float)
        self._least, self._most = true.copy(), true.copy()
        free = self._free = np.array([key in hidden for key in self._keys])
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = len(counts), len(relations)
        model.col_cost_ = np.zeros(len(counts))
        model.col_lower_, model.col_upper_ = np.where(free, 0.0, true), np.where(free, np.inf, true)
        model.row_lower_ = np.array([low for _, low, _ in relations], dtype=float)
        model.row_upper_ = np.array([high for _, _, high in relations], dtype=float)
        model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        model.a_matrix_.start_ = np.cumsum([0, *(len(terms) for terms, _, _ in relations)])
        model.a_matrix_.index_ = np.array([self._place[key] for terms, _, _ in relations for key in terms], dtype=int)
        model.a_matrix_.value_ = np.array([c for terms, _, _ in relations for c in terms.values()], dtype=float)
        self._solver = highspy.Highs()
        # The primal simplex method goes on from the last corner, which stays possible; presolving would forget it.
        for name, value in (("output_flag", False), ("presolve", "off"), ("simplex_strategy", 4), ("threads", 1)):
            self._solver.setOptionValue(name, value)
        self._solver.passModel(model)
        self._unbounded, self._optimal = highspy.HighsModelStatus.kUnbounded, highspy.HighsModelStatus.kOptimal

    def hide(self, key: Key) -> None:
        """A reader does not see this count."""
        self._free[self._place[key]] = True
        self._solver.changeColBounds(self._place[key], 0.0, np.inf)

    def room(self, key: Key) -> float:
        """How far apart the least and the most are that were found for a count so far."""
        place = self._place[key]
        return float(self._most[place] - self._least[place])

    def search(self, key: Key) -> tuple[float, float, set[Key]]:
        """The least and the most that a count can be, and the shown counts that hold it there."""
        (low, below), (high, above) = self._end(self._place[key], 1.0), self._end(self._place[key], -1.0)
        return low, high, {self._keys[place] for place in (*below, *above)}

    def _end(self, place: int, sign: float) -> tuple[float, list[int]]:
        """Smallest (sign 1) or largest (-1) possible value, and the places of the shown counts that hold it there."""
        self._solver.changeColCost(place, sign)
        self._solver.run()
        status, found = self._solver.getModelStatus(), self._solver.getSolution()
        self._solver.changeColCost(place, 0.0)
        if status == self._unbounded:
            self._most[place] = np.inf
            return np.inf, []
        if status != self._optimal:
            raise ArithmeticError(f"no bound for {self._keys[place]}: {self._solver.modelStatusToString(status)}")
        counts = np.array(found.col_value)
        np.minimum(self._least, counts, out=self._least)
        np.maximum(self._most, counts, out=self._most)
        return float(counts[place]), np.flatnonzero((np.abs(found.col_dual) > EXACT) & ~self._free).tolist()


class System:
    """All counts and relations, in programs of what hangs together, each made when it is first asked for.

    Parameters
    ----------
    counts : dict of key to float
        The true counts.
    hidden, public : set of key
        What a reader does not see, and what every reader knows anyway.
    relations : list of Relation
    """

    def __init__(self, counts: Mapping[Key, float], hidden: Collection[Key], public: Collection[Key], relations: list[Relation]):
        self._counts, self._hidden = counts, set(hidden)
        self._relations = [_without(relation, counts, public) for relation in relations]
        self._of: dict[Key, list[int]] = defaultdict(list)
        for number, (terms, _, _) in enumerate(self._relations):
            for key in terms:
                self._of[key].append(number)
        self._programs: dict[Key, Program] = {}

    def around(self, key: Key) -> Program:
        """The program of everything that hangs together with a count that not every reader knows."""
        if key not in self._programs:
            keys, relations, waiting = {key: None}, {}, [key]
            while waiting:
                for number in self._of[waiting.pop()]:
                    relations[number] = None
                    found = [name for name in self._relations[number][0] if name not in keys]
                    keys |= dict.fromkeys(found)
                    waiting += found
            counts = {name: self._counts[name] for name in keys}
            program = Program(counts, self._hidden, [self._relations[number] for number in relations])
            self._programs |= dict.fromkeys(keys, program)
        return self._programs[key]


def _without(relation: Relation, counts: Mapping[Key, float], public: Collection[Key]) -> Relation:
    """The same relation between the other counts."""
    terms, low, high = relation
    known = sum(coefficient * counts[key] for key, coefficient in terms.items() if key in public)
    return {key: coefficient for key, coefficient in terms.items() if key not in public}, low - known, high - known
