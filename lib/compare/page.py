"""A comparison of two outputs -> compare.html, which needs nothing but itself, and compare.csv."""

from __future__ import annotations

__all__ = ["write_comparison"]

import os
from pathlib import Path

from lib.compare.moved import Comparison
from lib.compare.tables import (
    CAUSES,
    describe,
    sentence_verdict,
    table_causes,
    table_headlines,
    table_moved,
    table_outputs,
)
from lib.publish.pages import comparison_page
from lib.show.display import template


def write_comparison(comparison: Comparison, folder: Path) -> Path:
    """Write the page and every number into `folder`; return the page.

    Raises
    ------
    OSError
        The folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    comparison.numbers.to_csv(folder / "compare.csv", index=False, lineterminator="\n")
    page = folder / "compare.html"
    page.write_text(_page(comparison, folder), encoding="utf-8", newline="\n")
    return page


def _page(comparison: Comparison, folder: Path) -> str:
    tables = [f(comparison) for f in (table_headlines, table_causes, table_outputs, table_moved)]
    outputs = {"Old": comparison.old, "New": comparison.new}
    return comparison_page(
        header=comparison.new.run.about,
        synthetic=any(output.run.about.get("synthetic", True) for output in outputs.values()),
        pages=[("compare.html", "Comparison")],
        sides=[(side, describe(output), _link(output.folder, folder)) for side, output in outputs.items()],
        old=comparison.old.run,
        new=comparison.new.run,
        verdict=sentence_verdict(comparison),
        causes=[title.lower() for cause, title in CAUSES.items() if (comparison.changes["cause"] == cause).any()],
        tables={table.id: template("table.html").render(table=table) if table.rows else "" for table in tables},
    )


def _link(report: Path, folder: Path) -> str:
    """Address of a report's first page as seen from the comparison."""
    try:
        return Path(os.path.relpath(report / "index.html", folder)).as_posix()
    except ValueError:  # another drive on Windows
        return (report / "index.html").resolve().as_uri()
