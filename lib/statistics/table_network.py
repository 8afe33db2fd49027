"""How much of the probability lies on tables that are no more likely than one, margins given: counted, not drawn.

A network algorithm (Mehta CR, Patel NR. J Am Stat Assoc 1983;78:427): the rows are filled one after the other. What the
columns have left before a row is a node; a way to fill the row leads from node to node. Where even the likeliest rest
makes no table likelier than the limit, all rests are extreme, and the sum of their weights is known without a list.
Rows are taken from both ends, on whichever side less has to be listed, until the sides meet. Only positive terms near
the limit are added: nothing cancels, so that a p-value of 1e-300 has as many digits as one of 0.1. Used by contingency.
"""

from __future__ import annotations

__all__ = ["TooManyTables", "share_of_extreme"]

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln

from lib.statistics.node_lists import LARGEST, merge_nodes, number_ranges, row_codes, sums_within

NEGLIGIBLE = 1e-13  # part of a sum of falling terms after which the rest does not matter
MOST_PATIENTS = 1_000_000  # of more, log factorials are not good enough
BLOCK = 1_000_000  # entries of lists in work at once, for the memory


class TooManyTables(Exception):
    """More partial tables than may be listed."""


def share_of_extreme(table: np.ndarray, tolerance: float, most: int) -> float:
    """Probability of the tables with these margins that are no more likely than `table`.

    Parameters
    ----------
    table : ndarray of int, shape = (n_rows, n_columns)
        At least three rows, no more columns than rows, no margin of 0.
    tolerance : float
        Tables that are more likely by up to this relative amount count as well.
    most : int
        Partial tables to list at most.

    Raises
    ------
    TooManyTables
        If there are more.
    """
    network = _Network(table, tolerance, most)
    layers = network.layers()
    above, below = network.first_lists(layers[0]), network.last_lists(layers[-1])
    extreme, i, j = 0.0, 0, len(layers) - 1
    while i < j:
        down, up = above.size[layers[i].start].sum(), below.size[layers[j - 1].end].sum()
        network.spend(min(down, up))
        if down <= up:
            above, found = network.down(above, layers[i], layers[i + 1])
            extreme, i = extreme + found, i + 1
        else:
            below, j = network.up(below, layers[j - 1]), j - 1
    _, mass = below.up_to(above.node, network.limit - above.weight)
    extreme += np.exp(above.mass + mass - network.limit).sum()
    return float(min(1.0, extreme * np.exp(network.limit - layers[0].total[0])))


class _Layer(NamedTuple):
    """The nodes before a row, and the ways to fill it; all weights are logs.

    Of each node: the largest weight of the rows above (`peak`), the summed weight of all ways to fill this row and
    those below (`total`), a bound of the weight of each (`bound`), and the summed weight of those that are extreme
    whatever the rows above (`extreme`). Of each other way to fill this row: the node where it starts, the one of the next
    layer where it ends, its `weight`, and the summed weight of all that are alike in these (`mass`).
    """

    peak: np.ndarray
    total: np.ndarray
    bound: np.ndarray
    extreme: np.ndarray
    start: np.ndarray
    end: np.ndarray
    weight: np.ndarray
    mass: np.ndarray


class _Lists:
    """Of each node a list of log weights in ascending order, and the summed weight that each stands for (`mass`, log)."""

    def __init__(self, node: np.ndarray, weight: np.ndarray, mass: np.ndarray, scale: np.ndarray):
        self.node, self.weight, self.mass = merge_nodes(node, weight, mass)
        self.begin, self.scale = np.searchsorted(self.node, np.arange(len(scale) + 1)), scale
        self.size = np.diff(self.begin)
        amount = np.exp(np.minimum(self.mass - scale[self.node], LARGEST))
        self.sums = sums_within(amount, np.arange(len(amount)) - self.begin[self.node])

    def up_to(self, node: np.ndarray, room: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where in the list of each `node` the weights pass `room`, and the summed weight up to there (log)."""
        low, high = self.begin[node], self.begin[node + 1]
        while (low < high).any():
            middle = (low + high) // 2
            within = (low < high) & (self.weight[np.minimum(middle, len(self.weight) - 1)] <= room)
            low, high = np.where(within, middle + 1, low), np.where(within, high, middle)
        sums = np.where(low > self.begin[node], np.append(self.sums, 0.0)[low - 1], 0.0)
        return low, _log(sums) + self.scale[node]

    def carried(self, node: np.ndarray, position: np.ndarray, to: np.ndarray, ways: _Layer) -> list[np.ndarray]:
        """The list of each `node` from `position` on, taken by one of `ways` `to` another; by blocks, for the memory."""
        end = self.begin[node + 1]
        blocks = np.cumsum(end - position) // BLOCK
        parts = []
        for block in np.split(np.arange(len(node)), np.flatnonzero(np.diff(blocks)) + 1):
            which, entry = number_ranges(position[block], end[block])
            way = block[which]
            parts.append(merge_nodes(to[way], self.weight[entry] + ways.weight[way], self.mass[entry] + ways.mass[way]))
        return [np.concatenate(part) for part in zip(*parts, strict=True)]


class _Network:
    """The margins, and the log weight up to which a table is extreme. A weight is one over the factorials of the cells."""

    def __init__(self, table: np.ndarray, tolerance: float, most: int):
        if table.sum() > MOST_PATIENTS:
            raise TooManyTables
        self.rows, self.columns = np.sort(table.sum(axis=1)), table.sum(axis=0)
        self.log_factorial = gammaln(np.arange(table.sum() + 1) + 1.0)
        self.limit, self.most = np.log1p(tolerance) - self.log_factorial[table].sum(), most

    def spend(self, number: int) -> None:
        self.most -= int(number)
        if self.most < 0:
            raise TooManyTables

    def layers(self) -> list[_Layer]:
        """One for each row but the last, which follows from the others."""
        left, peak, layers = self.columns[None].astype(np.int32), np.zeros(1), []
        for i in range(len(self.rows) - 1):
            nodes, (start, after, weight) = self._fill(left, peak, i)
            if len(self.rows) > 3:  # it does not matter which of the columns has what left
                after.sort(axis=1)
            codes, end = np.unique(row_codes(after), return_inverse=True)
            left = np.empty((len(codes), len(self.columns)), dtype=np.int32)
            left[end] = after
            way, weight, mass = merge_nodes(start * len(codes) + end, weight, weight)
            start, end = np.divmod(way, max(len(codes), 1))
            layers.append(_Layer(peak, *nodes, start, end, weight, mass))
            peak = np.full(len(codes), -np.inf)
            np.maximum.at(peak, end, layers[-1].peak[start] + weight)
        return layers

    def first_lists(self, layer: _Layer) -> _Lists:
        """Nothing above the first row."""
        return _Lists(np.zeros(1, dtype=int), np.zeros(1), np.zeros(1), layer.peak)

    def last_lists(self, layer: _Layer) -> _Lists:
        """The last two rows, from each node."""
        nodes = np.arange(len(layer.peak))
        return self._lists_below(layer, (layer.start, layer.weight, layer.mass), nodes, layer.extreme)

    def _lists_below(self, layer: _Layer, listed: tuple, node: np.ndarray, extreme: np.ndarray) -> _Lists:
        """Of each node of a layer what is below: the weights listed, and minus infinity for what is extreme anyhow."""
        weight = np.full(len(node), -np.inf)
        joined = [np.append(*pair) for pair in zip(listed, (node, weight, extreme), strict=True)]
        return _Lists(*joined, self.limit - layer.peak)

    def down(self, above: _Lists, layer: _Layer, following: _Layer) -> tuple[_Lists, float]:
        """Take a row to those above; also the summed weight, over that of the limit, of all that is extreme so far."""
        room = self.limit - layer.weight - following.bound[layer.end]
        position, mass = above.up_to(layer.start, room)
        extreme = np.exp(mass + layer.mass + following.total[layer.end] - self.limit).sum()
        extreme += np.exp(above.mass + layer.extreme[above.node] - self.limit).sum()
        return _Lists(*above.carried(layer.start, position, layer.end, layer), following.peak), extreme

    def up(self, below: _Lists, layer: _Layer) -> _Lists:
        """Take a row to those below."""
        position, mass = below.up_to(layer.end, self.limit - layer.weight - layer.peak[layer.start])
        nodes = np.append(np.arange(len(layer.peak)), layer.start)
        extreme = np.append(layer.extreme, mass + layer.mass)
        return self._lists_below(layer, below.carried(layer.end, position, layer.start, layer), nodes, extreme)

    def _fill(self, left: np.ndarray, peak: np.ndarray, i: int) -> tuple[tuple, tuple]:
        """Fill row `i` cell by cell, from nodes where the columns have `left`.

        Returns total, bound and extreme of each node; and of each way to fill that leads to tables which are not all
        extreme its node, what it leaves, and its weight.
        """
        n, f, later = len(left), self.log_factorial, self.rows[i + 1 :]
        ways = np.arange(n), left, np.full(n, self.rows[i]), np.zeros(n)
        total, extreme, bound = self._total(left, ways[2], later, 0), np.zeros(n), None
        for j in range(left.shape[1] - 1):
            node = ways[0]
            ways, found, best = self._fill_cell(ways, peak, later, j)
            extreme += np.bincount(node, found, n)
            bound = best if j == 0 else bound
        node, left, row, weight = ways
        left[:, -1] -= row
        weight = weight - f[row]
        if len(later) == 1:
            weight -= f[left].sum(axis=1)
        return (total, bound, _log(extreme) + self.limit - peak), (node, left, weight)

    def _fill_cell(
        self, ways: tuple, peak: np.ndarray, later: np.ndarray, j: int
    ) -> tuple[tuple, np.ndarray, np.ndarray]:
        """Go on with each way by all values of cell `j` after which not every rest is extreme.

        Also, of each way, the summed weight of what is extreme by the other values (over that of the limit), and the
        bound of the weight of its rest.
        """
        f, (node, left, row, weight) = self.log_factorial, ways
        own, free = left[:, j], left[:, j + 1 :].sum(axis=1)
        low, high = np.maximum(0, row - free), np.minimum(row, own)
        cost, best = self._cost(left, row, later, j)
        best = np.clip(best, low, high)
        least, room = cost(best, slice(None)), peak[node] + weight - self.limit
        some = np.flatnonzero(least < room)

        def inside(x):
            return cost(x, some) < room[some]

        first, last = (_last_inside(inside, best[some], end[some]) for end in (low, high))
        cell = [values[some] for values in (low, high, own, free, row)]
        share = np.ones(len(node))
        share[some] = _outside(f, -1, first - 1, cell) + _outside(f, 1, last + 1, cell)
        extreme = np.exp(room + self._total(left, row, later, j) + _log(share))
        if len(self.rows) == 3 and len(later) == 1 and j == left.shape[1] - 2:
            last = first - 1  # one way comes to each node, so that those inside are never extreme
        self.spend(2 * (last - first + 1).sum())  # twice the memory of an entry in a list
        which, x = number_ranges(first, last + 1)
        which = some[which]
        left = left[which]
        left[:, j] -= x
        return (node[which], left, row[which] - x, weight[which] - f[x]), extreme, -least

    def _total(self, left: np.ndarray, row: np.ndarray, later: np.ndarray, j: int) -> np.ndarray:
        """Summed weight (log) of all ways to spread a row over the columns from `j` on, and the later rows over all."""
        f, free = self.log_factorial, left[:, j:].sum(axis=1)
        return f[later.sum()] - f[later].sum() + f[free] - f[row] - f[free - row] - f[left].sum(axis=1)

    def _cost(self, left: np.ndarray, row: np.ndarray, later: np.ndarray, j: int) -> tuple[Callable, np.ndarray]:
        """Least sum of log factorials of all cells not yet filled, as a convex function of cell `j`; and where it is least.

        Of one later row the last cell determines all. Else it is the bound of linear programming's dual: the log
        factorial of a cell is above its tangents, and with slopes that are sums of one number per row and one per
        column the margins fix the sum of the tangents. Slopes near those of the expected counts come near the bound.
        """
        f, n_columns = self.log_factorial, left.shape[1]
        if len(later) == 1 and j == n_columns - 2:
            own, other, before = left[:, j], left[:, j + 1], f[left[:, :j]].sum(axis=1)

            def exact(x, at):
                rest = row[at] - x
                return before[at] + f[x] + f[rest] + f[own[at] - x] + f[other[at] - rest]

            return exact, (row + 1) * (own + 1) // (own + other + 2)
        halves = (len(later) + (np.arange(n_columns) >= j)) / 2
        by_column = (left + halves) / (left.sum(axis=1) + halves.sum())[:, None]
        by_row = (row + (n_columns - j) / 2) / by_column[:, j:].sum(axis=1)
        logs = np.log(by_column)
        least = (logs * left).sum(axis=1) + np.log(by_row) * row
        least -= _tangents(f, by_row, by_column[:, j + 1 :])
        for total in later:
            factor = np.full(len(left), total + n_columns / 2)
            least += np.log(factor) * total - _tangents(f, factor, by_column)
        slope = np.log(by_row) + logs[:, j]
        return (lambda x, at: least[at] + f[x] - slope[at] * x), (by_row * by_column[:, j]).astype(int)


def _tangents(f: np.ndarray, by_row: np.ndarray, by_column: np.ndarray) -> np.ndarray:
    """Sum over the cells of a row of the largest gap between a line of a cell's slope and its log factorial."""
    slopes = by_row[:, None] * by_column
    x = np.minimum(slopes.astype(int), len(f) - 1)
    return (np.log(slopes) * x - f[x]).sum(axis=1)


def _last_inside(inside: Callable, near: np.ndarray, far: np.ndarray) -> np.ndarray:
    """The last whole number inside an interval on the way from `near`, which is inside, to `far`, which need not be."""
    step = np.sign(far - near)
    while (near != far).any():
        middle = (near + far + (step > 0)) // 2
        found = inside(middle)
        near, far = np.where(found, middle, near), np.where(found, far, middle - step)
    return near


def _outside(f: np.ndarray, step: int, x: np.ndarray, cell: list[np.ndarray]) -> np.ndarray:
    """Hypergeometric probability of a cell from `x` on, away from the mode; 0 where `x` is not a value of the cell.

    Of the cell: least and largest value, what its column has, what the other columns have, and what the row takes.
    """
    low, high, own, other, row = cell
    share, live = np.zeros(len(x)), np.flatnonzero((low <= x) & (x <= high))
    x, own, other, row = x[live], own[live], other[live], row[live]
    term = f[own] + f[other] + f[row] + f[own + other - row]
    term = np.exp(term - f[own + other] - f[x] - f[own - x] - f[row - x] - f[other - row + x])
    share[live] = term
    while len(live):
        if step > 0:
            term = term * (own - x) * (row - x) / ((x + 1.0) * (other - row + x + 1))
        else:
            term = term * x * (other - row + x) / ((own - x + 1.0) * (row - x + 1))
        share[live] += term
        on = term > NEGLIGIBLE * share[live]  # beyond the last cell possible it is 0
        live, x, term, own, other, row = live[on], x[on] + step, term[on], own[on], other[on], row[on]
    return share


def _log(values: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(values)
