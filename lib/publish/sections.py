"""What of an executed notebook is shown: sections that hold something, in order; what is folded; what the study does not hold."""

from __future__ import annotations

__all__ = ["LACKING", "by_folding", "is_folded", "titles", "with_something_to_show"]

import html
from collections.abc import Iterable
from itertools import groupby

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output

from lib.languages.speech import N_, _, in_a_row
from lib.show.display import DETAILS, METADATA, anchor

# Heading of the one place that says what was left out.
LACKING = N_("What does this study not hold?")
SECTION = "## "
# Titles that a fold names.
MOST_TITLES = 6


def is_folded(output: NotebookNode) -> bool:
    """Whether an output is a detail, which a page folds."""
    return bool(output.get("metadata", {}).get(DETAILS))


def by_folding(outputs: Iterable[NotebookNode]) -> list[tuple[bool, list[NotebookNode]]]:
    """Outputs in order, those that are folded together in one list."""
    return [(folded, list(several)) for folded, several in groupby(outputs, key=is_folded)]


def titles(outputs: Iterable[NotebookNode]) -> list[str]:
    """What the fold of some outputs says that it holds: their titles, the first ones of many."""
    found = [record["title"] for output in outputs if "title" in (record := _record(output))]
    return found if len(found) <= MOST_TITLES + 1 else [*found[:MOST_TITLES], _("and {n} more", n=len(found) - MOST_TITLES)]


def with_something_to_show(notebook: NotebookNode) -> NotebookNode:
    """A copy without the sections that say nothing but what the study lacks; what they say stands in one place at the end.

    Parameters
    ----------
    notebook : NotebookNode
        Executed. A section is a heading of level 2 and what follows up to the next.

    Returns
    -------
    NotebookNode
    """
    kept: list[NotebookNode] = []
    lacking: dict[str, list[str]] = {}
    told: set[str] = set()
    for section in _sections(notebook.cells):
        if (reasons := _reasons(section)) is None:
            kept += [_told_once(cell, told) for cell in section]
        else:
            heading = section[0].source.splitlines()[0].removeprefix(SECTION)
            lacking.setdefault(in_a_row(reasons), []).append(heading)
    return NotebookNode(notebook | {"cells": [*kept, *([_left_out(lacking)] if lacking else [])]})


def _sections(cells: list[NotebookNode]) -> list[list[NotebookNode]]:
    """Cells by section; what stands before the first one is a section without a heading."""
    sections: list[list[NotebookNode]] = [[]]
    for cell in cells:
        if _begins(cell):
            sections.append([])
        sections[-1].append(cell)
    return sections


def _begins(cell: NotebookNode) -> bool:
    return cell.cell_type == "markdown" and cell.source.startswith(SECTION)


def _reasons(section: list[NotebookNode]) -> list[str] | None:
    """Why a section has nothing to show, each reason once; None where it shows something, or has no heading or code."""
    code = [cell for cell in section if cell.cell_type == "code" and "remove-cell" not in cell.metadata.get("tags", [])]
    if not code or not _begins(section[0]):
        return None
    outputs = [output for cell in code for output in cell.outputs if output.output_type != "stream" or output.name == "stdout"]
    records = [_record(output) for output in outputs]
    if any(record.get("kind") != "lacking" for record in records):
        return None
    return list(dict.fromkeys(record["reason"] for record in records))


def _record(output: NotebookNode) -> dict:
    return output.get("metadata", {}).get(METADATA, {})


def _told_once(cell: NotebookNode, told: set[str]) -> NotebookNode:
    """A cell without the reasons that were told above."""
    if cell.cell_type != "code":
        return cell
    kept = []
    for output in cell.outputs:
        reason = _record(output).get("reason")
        if reason is None or reason not in told:
            kept.append(output)
        told |= {reason} if reason is not None else set()
    return NotebookNode(cell | {"outputs": kept})


def _left_out(lacking: dict[str, list[str]]) -> NotebookNode:
    """One line a reason, with the questions that it leaves open; links to these lead here."""
    lines = [
        f"<li>{html.escape(reason or _('This study holds nothing that answers this.'))} <span class=\"muted\">{_named(headings)}</span></li>"
        for reason, headings in lacking.items()
    ]
    shown = f'<h2 id="{anchor(LACKING)}">{_(LACKING)}</h2><ul class="lacking">{"".join(lines)}</ul>'
    output = new_output("display_data", {"text/html": shown, "text/plain": "; ".join(lacking)}, metadata={METADATA: {"kind": "lacking"}})
    return new_code_cell(outputs=[output], metadata={"tags": ["remove-input"]}, id=anchor(LACKING))


def _named(headings: list[str]) -> str:
    return " ".join(f'<span id="{anchor(heading)}">{html.escape(_(heading))}</span>' for heading in headings)
