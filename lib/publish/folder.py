"""Executed notebooks -> a folder: pages, index, results.csv, tables, figures, notebooks.

Reads what the outputs carry under `cohort_report` in their metadata; computes nothing and rounds nothing.
"""

from __future__ import annotations

__all__ = ["PublishError", "Report", "publish", "read_report", "summary"]

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from lib.languages.speech import ENGLISH, _, in_language
from lib.publish.editions import DETAIL, editions
from lib.publish.pages import overview_page, report_page, standalone_svg
from lib.publish.plain import ADDRESSES, languages_of, title_of
from lib.publish.sections import with_something_to_show
from lib.publish.summary import summarise
from lib.report.results import COLUMNS, KEY
from lib.show.display import METADATA
from lib.show.phrases import report_title
from lib.study.written import guarded

# What run.json says of the study, as the header of a page has it.
ABOUT = ("title", "short_title", "synthetic", "cutoff", "time_unit", "arms", "endpoints", "language")
KINDS = ("header", "key_results", "results", "table", "figure", "verdict", "text", "lacking")


class PublishError(ValueError):
    """What the notebooks show does not make a report, in one plain sentence."""


@dataclass(eq=False)
class Report:
    """One executed notebook and what its outputs carry."""

    name: str
    notebook: NotebookNode
    header: dict
    results: list[list[str]]
    key_results: list[str] = field(default_factory=list)
    summary: dict = field(default_factory=dict)
    plain: dict = field(default_factory=dict)
    verdicts: list[dict] = field(default_factory=list)
    tables: dict[str, dict] = field(default_factory=dict)
    figures: dict[str, dict] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What the page is called in menus."""
        return report_title(self.name)

    @property
    def shown(self) -> NotebookNode:
        """What pages and documents show of the notebook."""
        return with_something_to_show(self.notebook)

    @property
    def page(self) -> str:
        """File name of the page."""
        return f"{self.name}.html"


def publish(
    executed: dict[str, NotebookNode], folder: Path, run: dict, formats: Iterable[str] = (), detail: str = DETAIL[0]
) -> list[Report]:
    """Write everything except run.json.

    Parameters
    ----------
    executed : dict of NotebookNode
        Name -> executed notebook, in the order of the pages.
    folder : Path
        Exists; what lies there is part of the report too.
    run : dict
        What index.html says of the run: study, command, parameters, commit, versions.
    formats : iterable of str
        What to make beside the pages: of `lib.publish.editions.FORMATS`.
    detail : str
        What is printed of a page: of `lib.publish.editions.DETAIL`.

    Returns
    -------
    list of Report

    Raises
    ------
    PublishError
        An output is missing, given twice, or cannot become a file. `folder` is then incomplete: throw it away.
    """
    reports = [read_report(name, notebook) for name, notebook in executed.items()]
    # One synthetic table makes the whole report synthetic.
    synthetic = any(report.header["synthetic"] for report in reports)
    files: dict[str, str | bytes] = _files(reports)
    with in_language(reports[0].header.get("language", ENGLISH)):
        files |= editions(reports, synthetic, formats, detail)
        files |= _pages(reports, synthetic, [*files, *(path.name for path in folder.iterdir())], run, detail)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return reports


def summary(reports: list[Report]) -> dict:
    """Say in short what came out, for run.json: the study as analysed, key results and verdicts of each report."""
    header = reports[0].header
    return {
        "about": {key: header[key] for key in ABOUT if key in header},
        "reports": {
            report.name: {
                "key_results": report.key_results,
                "verdicts": [{key: verdict[key] for key in ("id", "ok", "text")} for verdict in report.verdicts],
            }
            for report in reports
        },
    }


def read_report(name: str, notebook: NotebookNode) -> Report:
    """Collect what the outputs of a notebook carry.

    Parameters
    ----------
    name : str
        Of the notebook.
    notebook : NotebookNode
        Executed.

    Raises
    ------
    PublishError
        A header or results are missing or given twice, an id is unusable or given twice, a kind is unknown.
    """
    carried = list(_carried(name, notebook))
    results = _results(name, _one(name, "results", carried)["csv"])
    report = Report(name, notebook, _one(name, "header", carried), results)
    for record, data in carried:
        match record["kind"]:
            case "key_results":
                report.key_results += record["sentences"]
                given = dict(record.get("summary", {}))
                report.plain |= given.pop("plain", {})
                report.summary |= given
            case "verdict":
                report.verdicts.append(record)
            case "table":
                _keep(report, report.tables, record, record["csv"])
            case "figure":
                if "image/svg+xml" not in data:
                    raise PublishError(f"{name}: figure {record['id']} has no SVG")
                _keep(report, report.figures, record, data["image/svg+xml"])
    return report


def _carried(name: str, notebook: NotebookNode):
    """Yield (record, data) of each output that carries one."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                raise PublishError(f"{name}: an output is an error: {output.ename}: {output.evalue}")
            record = output.get("metadata", {}).get(METADATA)
            if record:
                kind = record.get("kind")
                if kind not in KINDS:
                    raise PublishError(f"{name}: unknown kind of output {kind!r}; known are {', '.join(KINDS)}")
                yield record, output.data


def _one(name: str, kind: str, carried: list) -> dict:
    found = [record for record, __ in carried if record["kind"] == kind]
    if len(found) != 1:
        raise PublishError(f"{name}: {len(found)} outputs of kind {kind}, exactly 1 is needed")
    return found[0]


def _keep(report: Report, kept: dict, record: dict, content: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}", record["id"]):
        raise PublishError(f"{report.name}: {record['kind']} id {record['id']!r} cannot be a file name")
    if record["id"] in kept:
        raise PublishError(f"{report.name}: {record['kind']} id {record['id']} is given twice")
    kept[record["id"]] = record | {"content": content}


def _results(name: str, text: str) -> list[list[str]]:
    header, *rows = [*csv.reader(io.StringIO(text))] or [[]]
    if header != COLUMNS:
        raise PublishError(f"{name}: results need the columns {', '.join(COLUMNS)}, not {', '.join(header)}")
    return rows


def _files(reports: list[Report]) -> dict[str, str]:
    """Name -> contents of every file that is not a page."""
    files = {"results.csv": _results_file(reports)}
    # A table's id is its file's name, unless two notebooks use the same id.
    shared = Counter(table for report in reports for table in report.tables)
    for report in reports:
        for table, record in report.tables.items():
            record["file"] = f"tables/{table if shared[table] == 1 else f'{report.name}_{table}'}.csv"
            files[record["file"]] = record["content"]
        for figure, record in report.figures.items():
            record["file"] = f"figures/{report.name}_{figure}.svg"
            files[record["file"]] = standalone_svg(record["content"], record["title"], record["alt"], record.get("legend", ""))
        files[f"notebooks/{report.name}.ipynb"] = nbformat.writes(report.notebook) + "\n"
    return files


def _pages(reports: list[Report], synthetic: bool, files: list[str], run: dict, detail: str) -> dict[str, str]:
    """Name -> contents of every page."""
    frame = {
        "synthetic": synthetic,
        "detail": detail,
        "pages": [("index.html", _("Overview")), *((report.page, report.title) for report in reports)],
    }
    pages = {r.page: report_page(r.shown, header=r.header, report=r, **frame) for r in reports}
    spoken = languages_of(reports)
    titles = {ADDRESSES[code]: title_of(code, len(spoken) > 1) for code in spoken}
    titles |= {r["file"]: r["title"] for report in reports for r in [*report.tables.values(), *report.figures.values()]}
    listed = [
        {"name": name, "folder": name.rpartition("/")[0], "title": titles.get(name, "")}
        for name in sorted([*files, *pages, "run.json"])
    ]
    about = {"header": reports[0].header, "reports": reports, "summary": summarise(reports)}
    overview = overview_page(files=listed, run=run, **about, **frame)
    return pages | {"index.html": overview}


def _results_file(reports: list[Report]) -> str:
    rows = [row for report in reports for row in report.results]
    keys = Counter(tuple(row[: len(KEY)]) for row in rows)
    twice = [key for key, count in keys.items() if count > 1]
    if twice:
        raise PublishError(f"results.csv: {len(twice)} rows are given twice, the first is {', '.join(twice[0])}")
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([COLUMNS, *([guarded(cell) for cell in row] for row in rows)])
    return out.getvalue()
