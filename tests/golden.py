"""Texts that were read once and are compared ever after: what a notebook says and tabulates, and what its pictures draw.

    compare("rair_dtc.share.efficacy", said(shown))

`make golden` writes them anew; read `git diff tests/whole/golden` as you would read the report.
"""

from __future__ import annotations

__all__ = ["GOLDEN", "compare", "drawn", "said", "watch_pictures"]

import csv
import difflib
import io
import os
import re
from pathlib import Path

import numpy as np
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_hex
from notebook_cells import IGNORE, PLOTTERS, Shown

from lib.show.plots import style as plot_style

GOLDEN = Path(__file__).parent / "whole" / "golden"
# Lines of a difference that are printed; the files hold the rest.
MOST_LINES = 60
# Points of a curve that are written down; of longer ones the first and last.
MOST_POINTS = 80


def compare(name: str, found: str) -> None:
    """Hold a text against the one that was read; under REFRESH_GOLDEN write it instead."""
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("REFRESH_GOLDEN"):
        path.write_text(found, encoding="utf-8")
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    if found == before:
        return
    moved = list(difflib.unified_diff(before.splitlines(), found.splitlines(), f"{path.name} as it was read", "as it is now", n=1, lineterm=""))
    more = [f"... and {len(moved) - MOST_LINES} lines more"] if len(moved) > MOST_LINES else []
    raise AssertionError("\n".join(["what a reader sees has changed; if it is meant to: make golden", *moved[:MOST_LINES], *more]))


def said(shown: Shown) -> str:
    """Every heading, sentence, table and description of a picture, in the order of the page."""
    lines: list[str] = []
    for heading, cell, (data, metadata) in zip(_headings(shown), shown.cells, shown.outputs, strict=True):
        if IGNORE in cell.metadata.get("tags", []):
            continue
        if heading not in lines:
            lines += ["", heading]
        record = metadata.get("cohort_report", {})
        lines += ["", *(_tabulated(record, data) if record.get("kind") == "table" else _sentences(data["text/plain"]))]
    return "\n".join(lines).strip() + "\n"


def _headings(shown: Shown) -> list[str]:
    """The heading above each output: the last of the markdown cells before its code cell."""
    above, last = {}, ""
    for cell in shown.notebook:
        if cell.cell_type == "markdown":
            last = cell.source.splitlines()[0]
        above[id(cell)] = last
    return [above[id(cell)] for cell in shown.cells]


def _sentences(text: str) -> list[str]:
    """One sentence a line, so that a difference shows the one that changed."""
    return re.sub(r"(?<=[\w)%][.?!]) (?=[A-Z0-9])", "\n", text).splitlines()


def _tabulated(record: dict, data: dict) -> list[str]:
    """A table as its CSV holds it (with the second lines of its headings), aligned; below it its notes."""
    rows = [[cell.replace("\n", " / ") for cell in row] for row in csv.reader(io.StringIO(record["csv"]))]
    whole = [row for row in rows if len(row) == len(rows[0])]
    widths = [max(len(row[i]) for row in whole) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in rows]
    notes = data["text/plain"].split("\n")[1 + len(rows) :]
    return [f"[{record['id']}] {record['title']}", *lines, *[f"* {line}" for note in notes for line in _sentences(note)]]


def watch_pictures(monkeypatch) -> dict[str, str]:
    """Picture id -> what it draws, of everything that is drawn during the test."""
    kept = {}

    def keep(figure, figure_id, title, alt, *rest):
        kept.setdefault(figure_id, drawn(figure, figure_id, alt))
        return write(figure, figure_id, title, alt, *rest)

    write = plot_style.write_figure
    for module in PLOTTERS:
        monkeypatch.setattr(f"{module}.write_figure", keep)
    return kept


def drawn(figure, name: str, alt: str) -> str:
    """What a picture draws: its words and where they stand; curves, bars and signs by their coordinates, with their colour."""
    lines = [f"== {name}", alt]
    for number, axes in enumerate(figure.axes):
        lines.append(f"-- axes {number}: x {_numbers(axes.get_xlim())} ({axes.get_xscale()}), y {_numbers(axes.get_ylim())} ({axes.get_yscale()})")
        for label, words in (("title", axes.get_title("left") or axes.get_title()), ("x", axes.get_xlabel()), ("y", axes.get_ylabel())):
            lines += [f"{label}: {words}"] if words else []
        if axes.axison:
            lines += [f"ticks {side}: {_ticks(axis)}" for side, axis in (("x", axes.xaxis), ("y", axes.yaxis)) if _ticks(axis)]
        lines += [_line(line) for line in axes.lines]
        lines += [_patch(patch) for patch in axes.patches if patch.get_visible()]
        lines += [part for collection in axes.collections for part in _collection(collection)]
        lines += [f"text ({_numbers(t.get_position())}) {to_hex(t.get_color())}: {t.get_text()!r}" for t in axes.texts if t.get_text()]
        lines += _legend(axes.get_legend())
    return "\n".join([*lines, *(part for legend in figure.legends for part in _legend(legend))]) + "\n"


def _numbers(values) -> str:
    """Five digits (a date is a day), of long rows the first and last."""
    shown = [f"{float(v):.5g}" for v in np.ma.filled(np.ma.asarray(values, dtype=float), np.nan).ravel()]
    return " ".join(shown if len(shown) <= MOST_POINTS else [*shown[: MOST_POINTS // 2], f"({len(shown)})", *shown[-MOST_POINTS // 2 :]])


def _ticks(axis) -> str:
    """Place and label of every tick that is seen."""
    axis.get_ticklabels()  # writes them
    low, high = sorted(axis.get_view_interval())
    seen = [(tick.get_loc(), tick.label1.get_text()) for tick in axis.get_major_ticks()]
    return " | ".join(f"{float(f'{place:.5g}'):g}={words!r}" for place, words in seen if low <= place <= high and words)


def _line(line) -> str:
    sign = "" if line.get_marker() in ("None", None, "") else f" sign {line.get_marker()} {to_hex(line.get_markerfacecolor())}"
    dashes = "" if line.get_linestyle() == "None" else f" {line.get_linestyle()} {line.get_drawstyle()}"
    return f"line {to_hex(line.get_color())}{dashes}{sign}: x {_numbers(line.get_xdata(orig=False))}; y {_numbers(line.get_ydata(orig=False))}"


def _patch(patch) -> str:
    corners = patch.get_bbox().bounds if hasattr(patch, "get_bbox") else patch.get_path().vertices
    return f"{type(patch).__name__} {to_hex(patch.get_facecolor())}{' hatched' if patch.get_hatch() else ''}: {_numbers(corners)}"


def _collection(found) -> list[str]:
    """Bands, marks and bars of errors."""
    colours = [to_hex(c) for c in (found.get_facecolor() if len(found.get_facecolor()) else found.get_edgecolor())]
    if isinstance(found, QuadMesh):
        return [f"cells in their order: {' '.join(colours)}"]
    colours = " ".join(dict.fromkeys(colours))
    offsets = np.ma.asarray(found.get_offsets())
    if len(offsets) and np.any(offsets):
        return [f"marks {colours}: {_numbers(offsets)}"]
    return [f"{type(found).__name__} {colours}: {_numbers(path.vertices)}" for path in found.get_paths() if len(path.vertices)]


def _legend(legend) -> list[str]:
    if legend is None:
        return []
    heading = legend.get_title().get_text()
    named = zip(legend.legend_handles, legend.get_texts(), strict=True)
    return [*([f"legend: {heading}"] if heading else []), *[f"legend {_colour_of(handle)}: {text.get_text()}" for handle, text in named]]


def _colour_of(handle) -> str:
    """Of a line, a patch, or a line with bars of errors."""
    found = handle.get_facecolor() if hasattr(handle, "get_facecolor") else handle.get_color()
    if np.ndim(found) > 1 and not len(found):
        found = handle.get_edgecolor()
    return to_hex(found if np.ndim(found) < 2 else found[0])
