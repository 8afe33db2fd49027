"""The page for patients: what the pages of a report give to it (`lib.show.plain`), put together. Computes nothing."""

from __future__ import annotations

__all__ = ["plain_page"]

from lib.publish.pages import patients_page


def plain_page(reports: list, synthetic: bool) -> str:
    """Lay out the page for patients: plain.html.

    Parameters
    ----------
    reports : list of lib.publish.folder.Report
    synthetic : bool
        Whether any of their tables is.
    """
    given: dict = {name: part for report in reports for name, part in report.plain.items()}
    outcomes, about = given.get("outcomes", []), reports[0].header["plain"]
    left_open = [*about["open"], *(sentence for outcome in outcomes for sentence in outcome["open"])]
    return patients_page(
        header=reports[0].header, synthetic=synthetic, about=about, outcomes=outcomes, harms=given.get("harms"),
        open=list(dict.fromkeys(left_open)),
    )  # fmt: skip
