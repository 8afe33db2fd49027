"""Lists of nodes as arrays, for the network of contingency tables: codes, ranges, merging without a loss."""

from __future__ import annotations

__all__ = ["LARGEST", "merge_nodes", "number_ranges", "row_codes", "sums_within"]

import numpy as np

# Log weights that agree to 1e-9 are one: they are good to 1e-10, and the tolerance of the test is 1e-7.
SCALE = 1e9
LARGEST, LARGEST_WHOLE = 700.0, 2**62  # exp(700) is still a number, and one more digit a whole one


def number_ranges(begin: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All whole numbers of several ranges: which range, and the number."""
    size = end - begin
    which = np.repeat(np.arange(len(size)), size)
    return which, np.arange(len(which)) - np.repeat(np.cumsum(size) - size - begin, size)


def row_codes(rows: np.ndarray) -> np.ndarray:
    """A number for each row, the same for the same row."""
    codes = np.zeros(len(rows), dtype=np.int64)
    for column in rows.T:
        base = int(column.max(initial=0)) + 1
        if (int(codes.max(initial=0)) + 1) * base > LARGEST_WHOLE:
            codes = np.unique(codes, return_inverse=True)[1]
        codes = codes * base + column
    return codes


def merge_nodes(node: np.ndarray, weight: np.ndarray, mass: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sort by node and weight, and add up the masses (logs) of those that agree in both; nothing is left out."""
    some = np.flatnonzero(mass > -np.inf)
    node, weight, mass = node[some], weight[some], mass[some]
    known = weight > -np.inf
    least = weight[known].min(initial=0.0)
    key = np.where(known, np.rint((np.where(known, weight, least) - least) * SCALE) + 1, 0).astype(np.int64)
    span = int(key.max(initial=0)) + 1
    fits = (int(node.max(initial=0)) + 1) * span < LARGEST_WHOLE
    order = np.argsort(node * span + key) if fits else np.lexsort((key, node))
    node, key, weight, mass = node[order], key[order], weight[order], mass[order]
    first = np.flatnonzero(np.r_[True, (node[1:] != node[:-1]) | (key[1:] != key[:-1])][: len(node)])
    if len(first) == len(node):
        return node, weight, mass
    top = np.maximum.reduceat(mass, first)
    amount = np.exp(mass - np.repeat(top, np.diff(np.append(first, len(mass)))))
    return node[first], weight[first], top + np.log(np.add.reduceat(amount, first))


def sums_within(values: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Running sums that begin anew where `position` is 0: by doubling, because a difference of running sums cancels."""
    step = 1
    while (position >= step).any():
        later = np.flatnonzero(position >= step)
        values[later] += values[later - step]
        step *= 2
    return values
