"""The page for patients: what the pages of a report give to it (`lib.show.plain`), put together in each of its languages. Computes nothing."""

from __future__ import annotations

__all__ = ["ADDRESSES", "languages_of", "plain_page", "title_of"]

from lib.languages.speech import ENGLISH, LANGUAGES, _, in_language, name_of
from lib.publish.pages import patients_page

# Language -> the file that holds its page.
ADDRESSES = {code: "plain.html" if code == ENGLISH else f"plain.{code}.html" for code in LANGUAGES}


def languages_of(reports: list) -> list[str]:
    """Codes of the languages in which a report speaks to patients, English first."""
    return list(reports[0].header.get("plain", ()))


def title_of(code: str, several: bool) -> str:
    """What the list of files calls a page."""
    return _("For patients ({language}): what was found, in plain words", language=name_of(code)) if several else _("For patients: what was found, in plain words")


def plain_page(reports: list, synthetic: bool, language: str = ENGLISH) -> str:
    """Lay out the page for patients: plain.html.

    Parameters
    ----------
    reports : list of lib.publish.folder.Report
    synthetic : bool
        Whether any of their tables is.
    language : str
        One of `languages_of`.
    """
    given: dict = {name: part[language] for report in reports for name, part in report.plain.items()}
    outcomes, about = given.get("outcomes", []), reports[0].header["plain"][language]
    left_open = [*about["open"], *(sentence for outcome in outcomes for sentence in outcome["open"])]
    others = [{"code": code, "name": name_of(code), "file": ADDRESSES[code]} for code in languages_of(reports) if code != language]
    with in_language(language):
        return patients_page(
            header=reports[0].header, synthetic=synthetic, about=about, outcomes=outcomes, harms=given.get("harms"),
            open=list(dict.fromkeys(left_open)), language=language, others=others,
        )  # fmt: skip
