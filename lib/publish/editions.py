"""What a report can be had as beside its pages: Word, PDF, figures for a journal, a page for patients. Made of the executed notebooks."""

from __future__ import annotations

__all__ = ["DETAIL", "FORMATS", "editions"]

from collections.abc import Iterable
from functools import cache

FORMATS = ("html", "docx", "pdf", "figures", "plain")
# What is printed of a page: all of it, or what it does not fold.
DETAIL = ("main", "full")


def editions(reports: list, synthetic: bool, formats: Iterable[str], detail: str = DETAIL[0]) -> dict[str, bytes]:
    """Make what was asked for: a document per report and, of several reports, one of all, called `report`; the page for patients, of all.

    Parameters
    ----------
    reports : list of lib.publish.folder.Report
        Their figures have a file name.
    synthetic : bool
        Whether any of their tables is.
    formats : iterable of str
        Of `FORMATS`; pages are not made here.
    detail : str
        Of `DETAIL`.

    Returns
    -------
    dict of bytes
        Name -> contents.

    Raises
    ------
    ValueError
        Something cannot be made.
    """
    asked = set(formats) - {"html"}
    if not asked:
        return {}
    files: dict[str, bytes] = {}
    # These take half a second to import: not before they are needed.
    if "plain" in asked:
        from lib.publish.plain import ADDRESSES, languages_of, plain_page  # noqa: PLC0415

        files |= {ADDRESSES[code]: plain_page(reports, synthetic, code).encode() for code in languages_of(reports)}
    if asked == {"plain"}:
        return files
    from lib.publish.paper import typeset  # noqa: PLC0415
    from lib.publish.paper.document import read_document  # noqa: PLC0415
    from lib.publish.paper.word import docx  # noqa: PLC0415

    # A figure is drawn once for all documents.
    png = cache(typeset.figure_png)
    if "figures" in asked:
        for figure in (figure for report in reports for figure in report.figures.values()):
            drawing = figure["content"], figure["title"], figure["alt"]
            stem = figure["file"].removesuffix(".svg")
            files |= {f"{stem}.pdf": typeset.figure_pdf(*drawing), f"{stem}.png": png(*drawing)}
    documents = {report.name: [report] for report in reports} | ({"report": reports} if len(reports) > 1 else {})
    for name, parts in documents.items() if {"docx", "pdf"} & asked else ():
        document = read_document(parts, synthetic, details=detail == "full")
        if "docx" in asked:
            files[f"{name}.docx"] = docx(document, lambda shown: png(shown.svg, shown.title, shown.alt))
        if "pdf" in asked:
            files[f"{name}.pdf"] = typeset.pdf(document)
    return files
