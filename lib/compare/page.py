"""A comparison of two outputs -> compare.html, which needs nothing but itself, and compare.csv."""

from __future__ import annotations

__all__ = ["write_comparison"]

import os
from pathlib import Path

from lib.compare.moved import Comparison
from lib.compare.tables import (
    CAUSES,
    SIDES,
    describe,
    sentence_verdict,
    table_causes,
    table_headlines,
    table_moved,
    table_outputs,
)
from lib.languages.speech import ENGLISH, LANGUAGES, _, in_language
from lib.publish.pages import COMPARISON, comparison_page
from lib.show.display import template
from lib.show.labels import inside
from lib.show.phrases import report_title
from lib.study.written import guarded, refuse_other, write_whole


def write_comparison(comparison: Comparison, folder: Path) -> Path:
    """Write the page, in the language of the new report, and every number into `folder`; return the page.

    Raises
    ------
    OSError
        The folder cannot be written, or holds other files of these names.
    """
    numbers = comparison.numbers.map(lambda value: guarded(value) if isinstance(value, str) else value)
    table = numbers.to_csv(index=False, lineterminator="\n")
    language = comparison.new.run.about.get("language")
    with in_language(language if language in LANGUAGES else ENGLISH):
        page = _page(comparison, folder)
    folder.mkdir(parents=True, exist_ok=True)
    # Both are told from files of the user before the first is written.
    refuse_other(folder / "compare.csv", table.partition("\n")[0])
    refuse_other(folder / "compare.html", COMPARISON)
    write_whole(folder / "compare.csv", table)
    return write_whole(folder / "compare.html", page)


def _page(comparison: Comparison, folder: Path) -> str:
    tables = [f(comparison) for f in (table_headlines, table_causes, table_outputs, table_moved)]
    outputs = dict(zip(SIDES.values(), (comparison.old, comparison.new), strict=True))
    return comparison_page(
        header=comparison.new.run.about,
        synthetic=any(output.run.about.get("synthetic", True) for output in outputs.values()),
        pages=[("compare.html", _("Comparison of reports"))],
        sides=[(_(side), describe(output), _link(output.folder, folder)) for side, output in outputs.items()],
        old=comparison.old.run,
        new=comparison.new.run,
        titles={name: report_title(name) for name in comparison.new.run.reports},
        verdict=sentence_verdict(comparison),
        causes=[inside(_(title)) for cause, title in CAUSES.items() if (comparison.changes["cause"] == cause).any()],
        tables={table.id: template("table.html").render(table=table) if table.rows else "" for table in tables},
    )


def _link(report: Path, folder: Path) -> str:
    """Address of a report's first page as seen from the comparison."""
    try:
        return Path(os.path.relpath(report / "index.html", folder)).as_posix()
    except ValueError:  # another drive on Windows
        return (report / "index.html").resolve().as_uri()
