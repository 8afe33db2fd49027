"""Which counts have to be hidden so that nobody can work out a small one: cell suppression, proved by linear programs.

What a count is and how the counts of an analysis hang together stands in counts; who may see what in audience.
"""

from __future__ import annotations

__all__ = ["Cells"]

from collections.abc import Callable, Mapping, Sequence

from lib.show.disclosure.program import EXACT, Key, Relation, System

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
        self._relations: list[Relation] = []

    def show(self, key: Key, value: float, public: bool = False) -> None:
        """Add a count that is printed; `public` if every reader knows it anyway, such as the size of an arm."""
        self.values[key] = float(value)
        if public:
            self._public.add(key)

    def hold(self, key: Key) -> None:
        """Hide a count from the start, unless every reader knows it."""
        if key not in self._public:
            self.hidden.add(key)

    def relate(self, terms: Mapping[Key, float], low: float = 0, high: float = 0) -> None:
        """Say that low <= sum of coefficient x count <= high, as every reader knows."""
        self._relations.append((dict(terms), low, high))

    def rest(self, key: Key, terms: Mapping[Key, float]) -> None:
        """Add the count that `terms` leave, such as n minus the patients with an event: protected like any other."""
        self.values[key] = sum(coefficient * self.values[name] for name, coefficient in terms.items())
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
        system = self._system()
        for key in protected:
            program = system.around(key)
            while program.room(key) < small - 1 - EXACT:
                _, _, giving = program.search(key)
                if program.room(key) >= small - 1 - EXACT or not giving:
                    break
                cheapest = min(giving, key=lambda k: (*price(k), self.values[k], repr(k)))
                self.hidden.add(cheapest)
                program.hide(cheapest)
        return self.hidden

    def bounds(self, keys: Sequence[Key]) -> list[tuple[float, float]]:
        """What a reader can say about each of these counts: the smallest and the largest value that it can have."""
        if not keys:
            return []
        system = self._system()
        return [system.around(k).search(k)[:2] if k in self.hidden else (self.values[k],) * 2 for k in keys]

    def _system(self) -> System:
        return System(self.values, self.hidden, self._public - self.hidden, self._relations)
