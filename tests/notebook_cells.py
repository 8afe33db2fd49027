"""Runs the cells of a notebook in this process: quick enough for a grid of parameters."""

from __future__ import annotations

import ast
import functools
import os
from collections.abc import Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO

import IPython.core.display_functions
import nbformat
import pytest

from lib.show import plot, say, table
from lib.study.study import ROOT

__all__ = ["CHECK", "EVERY", "IGNORE", "NOTEBOOKS", "PLOTTERS", "Call", "Shown", "each_week", "read_notebook", "run_notebook", "shipped", "without_drawing", "words_alone"]

NOTEBOOKS = ("cohort", "efficacy", "robustness", "models", "safety")
# The reports, and the interactive page, which is none.
EVERY = (*NOTEBOOKS, "explore")
# Modules that draw, by the name they are imported by.
PLOTTERS = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "lib" / "show" / "plots").rglob("[a-z]*.py") if path.stem not in ("style", "panel", "legends")
)  # fmt: skip
# Cells whose output alone nbval compares, and those whose output it does not.
CHECK, IGNORE = "nbval-check-output", "nbval-ignore-output"


@dataclass
class Call:
    """A table, picture or sentence that a notebook asked for: the function's name, what it was given and gave back."""

    name: str
    given: tuple
    result: object


@dataclass
class Shown:
    """What a notebook showed: (data, metadata) per output and the cell that showed it, its cells, what was made for it, what it printed; of a shipped study what each picture draws."""

    outputs: list[tuple[dict, dict]] = field(default_factory=list)
    cells: list = field(default_factory=list)
    notebook: list = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    printed: str = ""
    names: dict = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)

    def records(self, kind: str) -> list[dict]:
        """Records of one kind that the outputs carry for the runner."""
        found = [metadata.get("cohort_report", {}) for _, metadata in self.outputs]
        return [record for record in found if record.get("kind") == kind]

    @property
    def text(self) -> str:
        """Every output as plain text."""
        return "\n".join(data.get("text/plain", "") for data, _ in self.outputs)


def read_notebook(name: str):
    """The notebook as it is committed."""
    return nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)


def run_notebook(name: str, monkeypatch, **parameters) -> Shown:
    """Run every code cell in order, with `parameters` set after the parameters cell."""
    shown = Shown()
    names = shown.names
    cell = None

    def keep(*items, metadata=None):
        shown.cells += [cell] * len(items)
        for data, carried in (item._repr_mimebundle_() for item in items):
            shown.outputs.append((data, carried | (metadata or {})))

    monkeypatch.setattr(IPython.core.display_functions, "display", keep)
    monkeypatch.setattr("lib.report.page.display", keep)
    _watch(monkeypatch, shown.calls)
    shown.notebook = read_notebook(name).cells
    for cell in shown.notebook:
        if cell.cell_type != "code":
            continue
        tree = ast.parse(cell.source)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        with redirect_stdout(StringIO()) as out:
            exec(compile(tree, name, "exec"), names)
            value = eval(compile(ast.Expression(last.value), name, "eval"), names) if last else None
        shown.printed += out.getvalue()
        if value is not None:
            keep(value)
        if "parameters" in cell.metadata.get("tags", []):
            names.update(parameters)
    return shown


def without_drawing(monkeypatch) -> None:
    """Make figures without drawing them, which takes longer than all else on a page."""
    monkeypatch.setattr("lib.show.plots.style._lay_out", lambda figure: None)
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda figure, file, **options: file.write("<svg></svg>"))


def words_alone(monkeypatch) -> None:
    """Leave out the drawing where other tests draw the same; each week (`make siege`) it is drawn here too."""
    if not os.environ.get("SIEGE"):
        without_drawing(monkeypatch)


def each_week(everything: Iterable, today: Iterable) -> list:
    """What runs today of much that takes long; each week (`make siege`) everything does."""
    return list(everything if os.environ.get("SIEGE") else today)


def _watch(monkeypatch, calls: list[Call]) -> None:
    """Keep what every function makes that notebooks call for a table, a picture or a sentence."""

    def watched(function):
        @functools.wraps(function)
        def call(*given, **named):
            result = function(*given, **named)
            calls.append(Call(function.__name__, (*given, *named.values()), result))
            return result

        return call

    for facade in (plot, say, table):
        for name in facade.__all__:
            monkeypatch.setattr(facade, name, watched(getattr(facade, name)))


@functools.cache
def shipped(name: str, study: str, audience: str = "internal") -> Shown:
    """A notebook with a study that the repository ships, all else at its default; run once for all who read it."""
    from golden import watch_pictures  # noqa: PLC0415  which reads what is shown here

    with pytest.MonkeyPatch.context() as monkeypatch:
        pictures = watch_pictures(monkeypatch)
        shown = run_notebook(name, monkeypatch, study=study, audience=audience)
    shown.pictures |= pictures
    return shown
