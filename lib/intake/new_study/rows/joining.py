"""Sheets that hold one row per patient beside the table of patients: whether their columns belong to it is asked."""

from __future__ import annotations

__all__ = ["with_joined"]

from dataclasses import replace

import pandas as pd

from lib.intake.new_study.questions import Questions
from lib.intake.new_study.recognition import MADE_OF, Recognised, columns_called

JOIN, LEAVE_OUT = "join", "leave out"
MOST = 0.8  # of the ids of a sheet are patients of the table, so it is about them


def with_joined(
    tables: list[Recognised], others: list[str], frames: dict[str, pd.DataFrame], questions: Questions
) -> tuple[list[Recognised], list[str], list[str]]:
    """Put the columns of further sheets of patients beside those of the table, where that is answered.

    Parameters
    ----------
    tables : list of Recognised
    others : list of str
        Sheets that are none of the tables.
    frames : dict of str to DataFrame of text
        Of all sheets.
    questions : Questions

    Returns
    -------
    tables : list of Recognised
    others : list of str
        Without those that were joined.
    said : list of str
        What was done.
    """
    patients = next((one for one in tables if one.table == "patients"), None)
    if patients is None or (ids := _ids(patients.frame)) is None:
        return tables, others, []
    joined, taken = patients, []
    for sheet in others:
        more = _ids(frames[sheet])
        if more is None or more.isin(ids).mean() < MOST:
            continue
        columns = [column for column in frames[sheet] if column != more.name]
        text = f"Sheet {sheet} has one row for each of {more.isin(ids).sum()} patients, too. What becomes of its columns ({', '.join(columns[:6])})?"
        options = {JOIN: f"they stand beside those of sheet {patients.sheet}", LEAVE_OUT: "they are not copied"}
        if questions.ask(f"sheet {sheet}", text, options, first=True) == JOIN:
            joined = _beside(joined, frames[sheet], more, sheet)
            taken.append(sheet)
    if not taken:
        return tables, others, []
    joined = replace(joined, columns=columns_called(joined.frame, MADE_OF["patients"].replace("|", "").split()))
    said = [f"Sheet {sheet} is joined to sheet {patients.sheet} by the ids of patients." for sheet in taken]
    return [joined if one is patients else one for one in tables], [sheet for sheet in others if sheet not in taken], said


def _ids(frame: pd.DataFrame) -> pd.Series | None:
    """The ids of a sheet that has one row for each patient; None for any other sheet."""
    column = columns_called(frame, ["patient_id"]).get("patient_id")
    ids = frame[column] if column is not None else None
    return ids if ids is not None and len(ids) > 1 and ids.notna().all() and ids.is_unique else None


def _beside(patients: Recognised, frame: pd.DataFrame, ids: pd.Series, sheet: str) -> Recognised:
    """The table of patients with the columns of a sheet; a name that both have gets that of the sheet behind it."""
    rows = frame.set_index(ids).drop(columns=ids.name)
    rows = rows.rename(columns={name: f"{name} ({sheet})" for name in rows if name in patients.frame})
    own = columns_called(patients.frame, ["patient_id"])["patient_id"]
    found = rows.reindex(patients.frame[own]).set_axis(patients.frame.index)
    return replace(patients, frame=pd.concat([patients.frame, found.where(found.notna(), None)], axis=1))
