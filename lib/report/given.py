"""The parameters that a notebook was given, those included that it does not know, read from its own names.

Papermill writes what it is given into a cell of assignments, without asking whether the notebook knows the names: a
misspelt one would quietly leave the default in force. What is found here is checked by parameters.
"""

from __future__ import annotations

__all__ = ["assigned_in", "given"]

import ast
import types
from collections.abc import Collection, Iterable, Iterator
from typing import Any

# What every kernel holds; one that keeps no history (nbval's) shows it among the names.
IPYTHON = {"In", "Out"}
# The first line of the cell that papermill injects.
INJECTED = "# Parameters"


def given(names: dict[str, Any], known: Collection[str]) -> dict[str, Any]:
    """Parameters among the names of a notebook.

    Parameters
    ----------
    names : dict
        The notebook's `globals()`, or names and values alone.
    known : collection of str
        Names of its parameters, in their order.

    Returns
    -------
    dict
        Name -> value of each that is there, and of each name that stands beside them as if it were one.
    """
    history = names.get("_ih", [])[1:]  # the sources of the cells that IPython has run; none in a plain script
    assigned = _of_parameters(history, known) if any(history) else _plain(names)
    return {name: names[name] for name in dict.fromkeys([*known, *assigned]) if name in names}


def _of_parameters(history: list[str], known: Collection[str]) -> Iterator[str]:
    """Names assigned beside a parameter, or by papermill, back to the last cell that assigns them from the first on.

    Whoever corrects a cell and runs it again is not held to what stood there before, nor to names of other cells.
    """
    for source in reversed(history[:-1]):  # the last is the cell that asks
        assigned, injected = assigned_in(source), source.startswith(INJECTED)
        if injected or not set(known).isdisjoint(assigned):
            yield from assigned
        if not injected and next(iter(known)) in assigned:
            return


def assigned_in(source: str) -> list[str]:
    """Names that the source of a cell assigns, not those inside of its functions, loops and conditions."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return []
    targets = [target for node in body for target in _targets(node)]
    return [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]


def _targets(node: ast.stmt) -> Iterable[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AnnAssign) else []


def _plain(names: dict[str, Any]) -> Iterator[str]:
    """Public names that hold neither a module nor a function or class, nor what IPython puts beside them."""
    for name, value in names.items():
        if not (name.startswith("_") or name in IPYTHON or isinstance(value, types.ModuleType) or callable(value)):
            yield name
