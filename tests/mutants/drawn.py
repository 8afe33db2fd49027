"""Small errors drawn from a seed: a comparison, a sign, a constant or a choice that is another."""

from __future__ import annotations

__all__ = ["ROOMS", "draw", "sites"]

import ast
import random
from collections.abc import Iterator
from pathlib import Path

from designed import Mutant

# What a reader acts on is computed and said here.
ROOMS = ("statistics", "intake", "analyses", "show")
OPERATORS = {
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"), ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="),
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*"), ast.And: ("and", "or"), ast.Or: ("or", "and"),
    ast.Is: ("is", "is not"), ast.IsNot: ("is not", "is"), ast.In: ("in", "not in"), ast.NotIn: ("not in", "in"),
}  # fmt: skip
WORDS = {"min": "max", "max": "min", "any": "all", "all": "any", "first": "last", "last": "first", "isna": "notna", "notna": "isna"}
TEXTS = {"ci_low": "ci_high", "ci_high": "ci_low", "n": "count", "count": "n", "n_events": "n", "p_value": "p_adjusted", "q1": "q3", "median": "mean"}


def draw(lib: Path, n: int, seed: int) -> list[Mutant]:
    """So many errors, the same for the same seed and code; as many from each room as it has lines of the whole."""
    found = [mutant for room in ROOMS for path in sorted((lib / room).rglob("*.py")) if path.name != "__init__.py" for mutant in sites(lib, path)]
    return random.Random(seed).sample(found, min(n, len(found)))


def sites(lib: Path, path: Path) -> Iterator[Mutant]:
    """Every error of these kinds that a file could have."""
    source = path.read_text(encoding="utf-8")
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    lines = source.splitlines(keepends=True)

    def place(line: int, column: int) -> int:
        """Offset in characters; columns of the tree are bytes of UTF-8."""
        return starts[line - 1] + len(lines[line - 1].encode()[:column].decode())

    for node in _statements(ast.parse(source)):
        for start, end, old, new in _changes(node, source, place):
            at = source.find(old, start, end)
            if at >= 0:
                line = source.count("\n", 0, at) + 1
                yield Mutant(f"line {line}: {old} is {new}", str(path.relative_to(lib)), old, new, at)


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Nodes below functions and constants; not what is between the lines: imports, annotations, docstrings, defaults of decorators, f-strings."""
    todo: list[ast.AST] = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef):
            todo += node.body
        elif isinstance(node, ast.AnnAssign):
            todo += [node.value] if node.value else []
        elif not _is_wording(node):
            todo += list(ast.iter_child_nodes(node))
            yield node


def _is_wording(node: ast.AST) -> bool:
    """What changes no number: f-strings, docstrings, the list of public names."""
    documented = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    listed = isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
    return isinstance(node, ast.JoinedStr) or documented or listed


def _changes(node: ast.AST, source: str, place) -> Iterator[tuple[int, int, str, str]]:
    """(from, to, old, new): what stands between these is to be exchanged."""
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        yield from (_between(left, right, operator, place) for left, operator, right in zip(sides, node.ops, sides[1:], strict=False))
    elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        yield _between(node.left, node.right, node.op, place)
    elif isinstance(node, ast.BoolOp):
        yield _between(*node.values[:2], node.op, place)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
        name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        end = place(node.func.end_lineno, node.func.end_col_offset)
        if name in WORDS:
            yield end - len(name), end, name, WORDS[name]
    elif isinstance(node, ast.Constant):
        yield from _constants(node.value, source, place(node.lineno, node.col_offset), place(node.end_lineno, node.end_col_offset))


def _between(left: ast.AST, right: ast.AST, operator: ast.AST, place) -> tuple[int, int, str, str]:
    """The operator, which lies between two sides."""
    return place(left.end_lineno, left.end_col_offset), place(right.lineno, right.col_offset), *OPERATORS[type(operator)]


def _constants(value: object, source: str, start: int, end: int) -> Iterator[tuple[int, int, str, str]]:
    """A number is one more, a choice the other one, a column another."""
    if isinstance(value, bool):
        yield start, end, str(value), str(not value)
    elif isinstance(value, int | float):
        yield start, end, source[start:end], repr(value + 1)
    elif isinstance(value, str) and value in TEXTS:
        yield start + 1, end, value, TEXTS[value]
