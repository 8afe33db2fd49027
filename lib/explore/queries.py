"""The data queries of the study that is looked at: read from disk with its tables, and listed until none is left."""

from __future__ import annotations

__all__ = ["MOST", "Checked", "check_study", "show_queries"]

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lib.explore.view import blocks_of
from lib.intake.tables import Tables, list_queries, read_tables
from lib.languages.speech import N_, _, in_a_row
from lib.show.disclosure.audience import allows
from lib.show.display import withheld
from lib.show.sentences.cohort import sentence_queries
from lib.show.tables.cohort import table_queries
from lib.study.parameters import Parameters
from lib.study.study import Study, read_study
from lib.study.yaml_file import ProblemsFound

# Nobody works off more than this between two checks.
MOST = 200
HOW = N_("Row 1 of a table is its header. Correct the tables in Excel, or study.yml in an editor, save, and check again.")


@dataclass(frozen=True)
class Checked:
    """A study as it was found on disk.

    Attributes
    ----------
    study : Study or None
        None if study.yml cannot be read.
    tables : Tables or None
        None if anything blocks a report.
    queries : DataFrame
        As in `lib.intake.tables.Tables`, here with those that block.
    at : datetime.datetime
        When the files were read.
    """

    study: Study | None
    tables: Tables | None
    queries: pd.DataFrame
    at: dt.datetime

    @property
    def blocking(self) -> int:
        """Number of data queries that block a report."""
        return int((self.queries["severity"] == "error").sum())


def check_study(folder: Path, language: str = "") -> Checked:
    """Read study.yml, in a language or in its own (""), and the tables, whatever is wrong in them."""
    at, study = dt.datetime.now().astimezone(), None
    try:
        study = read_study(folder, language)
        tables = read_tables(study)
    except ProblemsFound as found:
        return Checked(study, None, list_queries(found.problems), at)
    return Checked(study, tables, tables.queries, at)


def show_queries(checked: Checked, parameters: Parameters) -> list[dict]:
    """What the page shows of the data queries: their number, a button, and the list where the audience may see it.

    Parameters
    ----------
    checked : Checked
    parameters : lib.study.parameters.Parameters
        Whose audience decides.

    Returns
    -------
    list of dict
        As `lib.explore.view.blocks_of`; the first one has what it `says`, and a `button`.
    """
    said = in_a_row([sentence_queries(checked.queries), _("Checked at {time}.", time=f"{checked.at:%H:%M:%S}")])
    shown = [{"says": said, "button": _("Check again")}]
    if checked.queries.empty:
        return shown
    if not allows(parameters, "listing"):
        return shown + blocks_of([withheld(N_("the list of data queries"))])
    return [*shown, {"html": f'<p class="note">{_(HOW)}</p>', "text": _(HOW)}, *blocks_of([table_queries(checked.queries, MOST)])]
