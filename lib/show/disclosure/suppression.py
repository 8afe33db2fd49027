"""Which counts have to be hidden so that nobody can work out a small one: cell suppression, proved by linear programs.

What a count is and how the counts of an analysis hang together stands in counts; who may see what in audience.
"""

from __future__ import annotations

__all__ = ["Cells"]

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping

import numpy as np

Key = Hashable
# HiGHS is exact to about 1e-7; counts are whole.
EXACT = 1e-6
# What was hidden, by all that decides it: the interactive page masks the same counts again at each change of something else.
_hidden: dict[tuple, frozenset[Key]] = {}
MOST_HIDDEN = 32


class Cells:
    """Counts that are known, shown or hidden, and everything that a reader knows about how they add up.

    Attributes
    ----------
    values : dict of key to float
        The true counts, which are never negative.
    hidden : set of key
        What a reader does not see. Differences and rests are hidden from the start: nobody prints them, but they must
        not follow from what is printed either.
    """

    def __init__(self) -> None:
        self.values: dict[Key, float] = {}
        self.hidden: set[Key] = set()
        self._public: set[Key] = set()
        self._relations: list[tuple[dict[Key, float], float, float]] = []
        self._of: dict[Key, list[int]] = defaultdict(list)
        # Extremes of all solutions found so far; each stays one, because hiding more only adds solutions.
        self._least: dict[Key, float] = {}
        self._most: dict[Key, float] = {}

    def show(self, key: Key, value: float, public: bool = False) -> None:
        """Add a count that is printed; `public` if every reader knows it anyway, such as the size of an arm."""
        self.values[key] = self._least[key] = self._most[key] = float(value)
        if public:
            self._public.add(key)

    def hold(self, key: Key) -> None:
        """Hide a count from the start, unless every reader knows it."""
        if key not in self._public:
            self.hidden.add(key)

    def relate(self, terms: Mapping[Key, float], low: float = 0, high: float = 0) -> None:
        """Say that low <= sum of coefficient x count <= high, as every reader knows."""
        number = len(self._relations)
        self._relations.append((dict(terms), low, high))
        for key in terms:
            self._of[key].append(number)

    def rest(self, key: Key, terms: Mapping[Key, float]) -> None:
        """Add the count that `terms` leave, such as n minus the patients with an event: protected like any other."""
        value = sum(coefficient * self.values[name] for name, coefficient in terms.items())
        self.values[key] = self._least[key] = self._most[key] = value
        self.hidden.add(key)
        self.relate({**terms, key: -1.0})

    def suppress(self, small: int, price: Callable[[Key], tuple]) -> set[Key]:
        """Hide counts until no small one is known to within less than `small` - 1.

        Parameters
        ----------
        small : int
            Counts from 1 to `small` - 1 are small.
        price : function of a key to a tuple
            What hiding it costs; the cheapest count that gives a small one away is hidden.

        Returns
        -------
        set of key
            Everything hidden. A reader who solves all relations for a small count finds an interval at least
            `small` - 1 wide (where public counts leave that much room).

        References
        ----------
        Fischetti M, Salazar JJ. Management Science 2001;47:1008 (cell suppression; protection levels by two linear
        programs per cell). Hundepool A et al. Statistical Disclosure Control. Wiley 2012.
        """
        shown = [(key, price(key)) for key in self.values if key not in self.hidden and key not in self._public]
        relations = tuple((*terms.items(), low, high) for terms, low, high in self._relations)
        asked = (small, tuple(self.values.items()), frozenset(self.hidden), frozenset(self._public), relations, tuple(shown))
        if asked not in _hidden:
            if len(_hidden) >= MOST_HIDDEN:
                del _hidden[next(iter(_hidden))]
            _hidden[asked] = frozenset(self._hide(small, price))
        self.hidden = set(_hidden[asked])
        return self.hidden

    def _hide(self, small: int, price: Callable[[Key], tuple]) -> set[Key]:
        """As `suppress`, worked out anew."""
        protected = sorted((k for k, v in self.values.items() if 0 < v < small and k not in self._public), key=repr)
        self.hidden |= set(protected)
        for key in protected:
            while self._most[key] - self._least[key] < small - 1 - EXACT:
                giving = self._search(key)
                if self._most[key] - self._least[key] >= small - 1 - EXACT or not giving:
                    break
                self.hidden.add(min(giving, key=lambda k: (*price(k), self.values[k], repr(k))))
        return self.hidden

    def bounds(self, key: Key) -> tuple[float, float]:
        """What a reader can say about a count: the smallest and the largest value it can have."""
        if key not in self.hidden:
            return self.values[key], self.values[key]
        system = self._around(key)
        return tuple(self._solve(key, system, sign)[0] for sign in (1, -1))

    def _search(self, key: Key) -> set[Key]:
        """Widen what is known to be possible for `key`; give back the shown counts that hold it in."""
        system, giving = self._around(key), set()
        for sign in (1, -1):
            end, binding = self._solve(key, system, sign)
            self._least[key], self._most[key] = min(self._least[key], end), max(self._most[key], end)
            giving |= {name for number in binding for name in self._relations[number][0]}
        return giving - self.hidden - self._public

    def _reach(self, key: Key) -> tuple[dict[Key, int], list[int]]:
        """Hidden counts that hang together with `key`, numbered, and the relations between them."""
        unknown, relations, waiting = {key: 0}, {}, [key]
        while waiting:
            for number in self._of[waiting.pop()]:
                relations[number] = None
                for name in self._relations[number][0]:
                    if name in self.hidden and name not in unknown:
                        unknown[name] = len(unknown)
                        waiting.append(name)
        return unknown, list(relations)

    def _around(self, key: Key) -> tuple:
        """The relations around `key` as sparse matrix x hidden counts <= limits, and each row's relation.

        Hidden counts by column, matrix, limits, number of the relation of each row.
        """
        from scipy.sparse import csr_array  # noqa: PLC0415  every command would wait half a second for scipy

        unknown, relations = self._reach(key)
        rows, limits, numbers = [], [], []
        for number in relations:
            terms, low, high = self._relations[number]
            known = sum(c * self.values[name] for name, c in terms.items() if name not in unknown)
            for side, limit in ((1.0, high), (-1.0, -low)):
                if np.isfinite(limit):
                    rows += [(len(limits), unknown[name], side * c) for name, c in terms.items() if name in unknown]
                    limits.append(limit - side * known)
                    numbers.append(number)
        at, of, coefficients = zip(*rows, strict=True) if rows else ((), (), ())
        matrix = csr_array((coefficients, (at, of)), shape=(len(limits), len(unknown)))
        return unknown, matrix, np.array(limits), numbers

    def _solve(self, key: Key, system: tuple, sign: int) -> tuple[float, list[int]]:
        """Smallest (sign 1) or largest (-1) possible value, and the relations that hold it there."""
        from scipy.optimize import linprog  # noqa: PLC0415  as above

        unknown, matrix, limits, numbers = system
        goal = np.zeros(len(unknown))
        goal[unknown[key]] = sign
        found = linprog(goal, A_ub=matrix, b_ub=limits, method="highs") if len(limits) else None
        if found is None or found.status == 3:
            return (0.0 if sign == 1 else np.inf), []
        if found.status != 0:
            raise ArithmeticError(f"no bound for {key}: {found.message}")
        for name, place in unknown.items():
            self._least[name] = min(self._least[name], found.x[place])
            self._most[name] = max(self._most[name], found.x[place])
        return sign * found.fun, [
            n for n, dual in zip(numbers, found.ineqlin.marginals, strict=True) if abs(dual) > EXACT
        ]
