"""The answer on one screen and on one page of A4: what the pages give to it (`lib.show.summary`), put together."""

from __future__ import annotations

__all__ = ["Summary", "summarise"]

from dataclasses import dataclass

from lib.languages.speech import _
from lib.show.display import Column, Links, Row, Table, anchor, template
from lib.show.phrases import plural

# Where each page says what was computed a second time.
CHECKED = anchor("How was this computed?")


@dataclass(frozen=True)
class Summary:
    """Sentences `weakens` and `answer`; `effects`, `harms` and `sure` are tables as HTML; "" for what there is not.

    `figure` is the record of the curve, `page` where it is explained; `told` are the reports whose key results it holds.
    """

    weakens: str
    answer: str
    effects: str
    harms: str
    sure: str
    figure: dict | None
    page: str
    told: tuple[str, ...]


def summarise(reports: list) -> Summary | None:
    """Put together what the pages give, or None where they give nothing.

    Parameters
    ----------
    reports : list of lib.publish.folder.Report
    """
    told = [report for report in reports if report.summary]
    given: dict = {name: part for report in told for name, part in report.summary.items()}
    sure = [asked for report in told for asked in report.summary.get("sure", [])]
    if not given:
        return None
    efficacy = next((report for report in told if "effects" in report.summary), None)
    figure = next(iter(efficacy.figures.values()), None) if efficacy else None
    texts = {name: given.get(name, "") for name in ("weakens", "answer", "effects", "harms")}
    told_at = efficacy.page if efficacy else ""
    return Summary(**texts, sure=_sure(sure, reports), figure=figure, page=told_at, told=tuple(r.name for r in told))


def _sure(said: list[list[str]], reports: list) -> str:
    """What was asked again, with a word each that leads to its place; the self-check of all pages last."""
    checks = {report: verdict["ok"] for report in reports for verdict in report.verdicts if verdict["id"] == "self_check"}
    done, empty = ([report.page for report, ok in checks.items() if bool(ok) is held] for held in (True, False))
    if checks:
        word = _("nothing to compare") if not done else _("agrees; nothing to compare on {pages}", pages=plural(len(empty), "page")) if empty else _("agrees")
        said = [*said, [_("Computed a second time"), word, f"{(done or empty)[0]}#{CHECKED}"]]
    rows = tuple(Row((asked, Links([(word, address)]))) for asked, word, address in said)
    columns = (Column(_("Asked again")), Column(_("Answer"), text=True))
    return template("table.html").render(table=Table("summary_sure", _("How sure"), columns, rows)) if rows else ""
