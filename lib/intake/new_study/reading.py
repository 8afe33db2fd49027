"""A workbook, or a few files, as a clinic keeps them -> what a study of them would be: tables, study.yml, what was changed.

Reads what it is given and changes none of it. A column that looks personal is not copied.
"""

from __future__ import annotations

__all__ = ["NewStudy", "proposed", "read_new_study", "read_sheets"]

import functools
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from lib.intake.columns import columns_of, looks_personal, names_people
from lib.intake.files import read_files
from lib.intake.new_study.headers import Headed, with_header, with_labels, with_legends
from lib.intake.new_study.outcomes.written_times import with_durations, with_marked_times
from lib.intake.new_study.proposal import propose
from lib.intake.new_study.proposal_events import with_event_codes
from lib.intake.new_study.proposal_patients import MAX_LEVELS
from lib.intake.new_study.questions import Questions
from lib.intake.new_study.recognition import Known, Proposal, Recognised, is_numeric, recognise
from lib.intake.new_study.rows.joining import with_joined
from lib.intake.new_study.rows.structures import NUMBERED, with_patients, with_pseudonyms
from lib.intake.new_study.standards.datasets import datasets_of, selected
from lib.intake.new_study.standards.translation import Translation, translated
from lib.intake.new_study.template import EXAMPLE
from lib.intake.new_study.tidying import CHANGE_COLUMNS, tidied
from lib.intake.new_study.words import CENSORED, HAPPENED, NO, YES
from lib.study.parts import FLAGS_OF_DATES
from lib.study.study import read_study
from lib.study.yaml_file import Problem, ProblemsFound, shown


@dataclass(frozen=True)
class NewStudy:
    """What was read, and what a study of it would be.

    Attributes
    ----------
    tables : dict of str to Recognised
    changes : DataFrame, one row per changed cell
        table, row, column, found, became, why.
    proposal : Proposal
    said : list of str
        What was done about rows and patients.
    personal : list of str
        Columns that are not copied: "sheet: column".
    others : list of str
        Sheets that are none of the tables.
    read_as : list of (str, str)
        Sheet, and what was assumed of how it is to be read.
    """

    tables: dict[str, Recognised]
    changes: pd.DataFrame
    proposal: Proposal
    said: list[str]
    personal: list[str]
    others: list[str]
    read_as: list[tuple[str, str]]


def read_new_study(name: str, files: list[Path], answers: dict[str, str] | None = None) -> NewStudy:
    """Read files and propose a study.

    Parameters
    ----------
    name : str
        Of the study's folder.
    files : list of Path
        Files, folders or archives, as `lib.intake.files.read_files` takes them.
    answers : dict of str to str, optional
        Key of a question -> the answer.

    Raises
    ------
    ProblemsFound
        As `read_sheets` and `proposed` say.
    """
    return proposed(name, read_sheets(files), answers)


def proposed(name: str, sheets: dict[str, Headed], answers: dict[str, str] | None = None) -> NewStudy:
    """Propose a study of sheets that were read.

    Parameters
    ----------
    name : str
        Of the study's folder.
    sheets : dict of str to Headed
    answers : dict of str to str, optional
        Key of a question -> the answer.

    Raises
    ------
    ProblemsFound
        No table of patients (E003), an answer that is none of those possible (E114).
    """
    questions = Questions(answers)
    headed = {sheet: with_legends(with_labels(one)) for sheet, one in sheets.items()}
    read_as = [(sheet, note) for sheet, one in headed.items() for note in one.notes]
    headed = {sheet: with_durations(with_marked_times(sheet, _with_values(sheet, one, questions), questions)) for sheet, one in headed.items()}
    personal = {sheet: [c for c in one.frame if looks_personal(c) or looks_personal(one.labels.get(c, "")) or names_people(one.frame[c])] for sheet, one in headed.items()}
    headed = {sheet: replace(one, frame=with_pseudonyms(one.frame, personal[sheet])) for sheet, one in headed.items()}
    datasets = datasets_of(headed)
    headed = selected(headed, datasets)
    sheets = {sheet: one.frame for sheet, one in headed.items()}
    neat = {sheet: tidied(sheet, frame, questions, headed[sheet].day_zero) for sheet, frame in sheets.items()}
    found = _recognised(datasets, {sheet: frame for sheet, (frame, _) in neat.items()}, headed, questions)
    tables = {one.table: one for one in found.tables}
    if "patients" not in tables:
        raise _no_patients(found.tables, sheets)
    # rows are those of the file: of a data set, of which several may make a table, by its own name
    of_table = {one.sheet: one.table for one in found.tables if not datasets}
    changes = [
        part.assign(table=of_table.get(sheet, sheet))
        for sheet in headed if sheet not in found.others
        for part in (headed[sheet].listed(sheet), neat[sheet][1])
    ]  # fmt: skip
    columns = tables["patients"].columns
    tables["patients"], said = with_patients(tables["patients"], questions)
    # from here on the frames are our own, and changed in place
    tables = {table: replace(one, frame=one.frame.copy()) for table, one in tables.items()}
    for table, one in tables.items():
        changes += [_with_flags(table, one), _with_limits(table, one) if table == "markers" else _limits_asked(table, one, questions)]
        if table == "adverse_events":
            changes.append(with_event_codes(one))
    proposal = propose(name, tables, questions, found.known)
    proposal.missing += found.missing
    if questions.problems:
        raise ProblemsFound(questions.problems)
    if NUMBERED in tables["patients"].frame and not (proposal.study["endpoints"] or questions.open or columns):
        raise _no_patients([], sheets)
    rows = pd.concat(changes, ignore_index=True) if changes else pd.DataFrame(columns=CHANGE_COLUMNS)
    not_copied = [f"{sheet}: {column}" for sheet, columns in personal.items() for column in columns]
    return NewStudy(tables, rows[CHANGE_COLUMNS], proposal, found.said + said, not_copied, found.others, read_as)


def _recognised(datasets: dict[str, list[str]], frames: dict[str, pd.DataFrame], headed: dict[str, Headed], questions: Questions) -> Translation:
    """Tables out of data sets of a standard, or each out of the sheet that looks like it."""
    labels = {sheet: one.labels for sheet, one in headed.items()}
    if datasets:
        return translated(datasets, frames, labels, questions)
    tables, others, said = with_joined(*recognise(frames), frames, questions)
    return Translation(tables, others, Known(labels=next((labels[one.sheet] for one in tables if one.table == "patients"), {})), said, [])


def _with_values(sheet: str, one: Headed, questions: Questions) -> Headed:
    """Without the columns of formulas that have no value: whether the study does without them is asked."""
    lost = []
    for column, error in one.without_values.items():
        if column not in one.frame:
            raise ProblemsFound([Problem(error.code, str(error), file=sheet, row=error.row, column=error.column)])
        text = f"May {column} of {sheet} be left out? {str(error)[:1].upper()}{str(error)[1:]}."
        questions.ask(f"formulas of {column}", text, {"leave out": "the column is not copied; saved as the sentence says, the file can be read whole"})
        lost.append(column)
    return replace(one, frame=one.frame.drop(columns=lost))


def _no_patients(found: list[Recognised], sheets: dict[str, pd.DataFrame]) -> ProblemsFound:
    taken = "".join(f"; {one.sheet} is a table of {one.table}" for one in found)
    message = f"no sheet is a table of patients, with one row for each: there are {_listed(sheets)}{taken}"
    return ProblemsFound([Problem("E003", message, file=", ".join(sheets))])


def read_sheets(files: list[Path]) -> dict[str, Headed]:
    """Every sheet that holds anything, under the header that it has, and what was assumed of how it is to be read.

    Raises
    ------
    ProblemsFound
        A file that is not read (E001, E006, E090, E101, E104), or nothing in any (E002).
    """
    read, problems = read_files(files)
    sheets = {
        name: replace(
            with_header(sheet.header, sheet.frame),
            labels=sheet.labels, notes=sheet.notes, day_zero=sheet.day_zero, without_values=sheet.without_values,
        )
        for name, sheet in read.items()
    }  # fmt: skip
    sheets = {name: one for name, one in sheets.items() if not one.frame.empty}
    if problems or not sheets:
        raise ProblemsFound(problems or [Problem("E002", "no rows", file=", ".join(path.name for path in files))])
    return sheets


def _listed(sheets: dict[str, pd.DataFrame]) -> str:
    return "; ".join(f"{shown(sheet)} with {', '.join(map(shown, list(frame)[:8]))}" for sheet, frame in sheets.items())


def _with_flags(table: str, one: Recognised) -> pd.DataFrame:
    """Write 1 and 0 for yes and no in the flags of the data model."""
    changes = []
    for ours, theirs in one.columns.items():
        # What a flag of an event means is asked or certain in event_codes; here it only stands beside its date.
        lone = any(flag == ours and date not in one.columns for date, flag in FLAGS_OF_DATES.items())
        if ours not in _flags(table) or lone:
            continue
        cells = one.frame[theirs].dropna()
        for row, cell in cells.items():
            flag = _flag(cell)
            if flag is None or flag == cell:
                continue
            one.frame.loc[row, theirs] = flag
            changes.append((table, row, theirs, cell, one.frame.loc[row, theirs], "a flag is 0 or 1"))
    return pd.DataFrame(changes, columns=CHANGE_COLUMNS)


def _flag(cell: str) -> str | None:
    """1 or 0 of a cell that says yes or no in words, or that it happened or not."""
    if cell.casefold() in YES or cell in ("1", "0"):
        return "0" if cell == "0" else "1"
    if cell.casefold() in NO or CENSORED.fullmatch(cell):
        return "0"
    return "1" if HAPPENED.fullmatch(cell) else None


@functools.cache
def _flags(table: str) -> set[str]:
    """Names of the flags of a table, from the data model itself."""
    return {column.name for column in columns_of(read_study(EXAMPLE))[table] if column.kind == "flag"}


def _with_limits(table: str, one: Recognised) -> pd.DataFrame:
    """Write `<0.1` as a value of 0.1 that is below the limit of 0.1, and `>500` as one of 500 that is above what could be measured."""
    changes = _flagged(one, "<≤", "below_limit", "below the limit") + _flagged(one, ">≥", "above_limit", "above the limit")
    return pd.DataFrame(changes, columns=CHANGE_COLUMNS)


def _limits_asked(table: str, one: Recognised, questions: Questions) -> pd.DataFrame:
    """Ask what `>500` is in a column of numbers: beside the patient there is no flag that says that it lies beyond."""
    own = [column for column in one.frame if table == "patients" and column not in one.columns.values()]
    found = {column: limits for column in own if len(limits := _limits(one.frame[column], "<≤>≥")) and _measured(one.frame[column], limits)}
    if not found:
        return pd.DataFrame(columns=CHANGE_COLUMNS)
    n = sum(map(len, found.values()))
    column, first = next((column, one.frame.loc[limits.index[0], column]) for column, limits in found.items())
    options = {
        "limit": f"each is the limit itself, such as {next(iter(found[column]))} for {first}, and medians and tests take it for a value",
        "missing": f"{n} cells are empty",
    }
    text = f"What are the {n} values beyond a limit in {', '.join(found)}, such as {first}? A table of markers (long form) keeps them as limits."
    answer, changes = questions.ask("values beyond a limit", text, options), []
    for column, limits in found.items():
        if answer:
            for row, limit in limits.items():
                became = limit if answer == "limit" else None
                changes.append((table, row, column, one.frame.loc[row, column], became or "", "a value beyond a limit"))
                one.frame.loc[row, column] = became
    return pd.DataFrame(changes, columns=CHANGE_COLUMNS)


def _measured(cells: pd.Series, limits: pd.Series) -> bool:
    """Whether the other cells are numbers, most of all and too many for a category such as 0, 1, 2, >2."""
    others = cells.dropna().drop(limits.index)
    return len(limits) < len(others) and cells.nunique() > MAX_LEVELS and is_numeric(others)


def _limits(cells: pd.Series, signs: str) -> pd.Series:
    """The numbers of the cells that have one of these signs before them."""
    return cells.astype("string").str.extract(rf"^[{signs}]=?\s*(\d+(?:\.\d+)?)$", expand=False).dropna().astype(object)


def _flagged(one: Recognised, signs: str, flag: str, why: str) -> list[tuple]:
    """Values with one of these signs as the limit behind it, and their flag; a lower limit that the file gives itself stays."""
    value, frame = one.columns["value"], one.frame
    limits = _limits(frame[value], signs)
    if limits.empty:
        return []
    changes = [(one.table, row, value, frame.loc[row, value], limit, why) for row, limit in limits.items()]
    frame.loc[limits.index, value] = limits
    if flag not in one.columns:
        one.columns[flag], frame[flag] = flag, "0"
    frame.loc[limits.index, one.columns[flag]] = "1"
    if flag == "below_limit":
        if "limit" not in one.columns:
            one.columns["limit"], frame["limit"] = "limit", None
        limit = one.columns["limit"]
        frame[limit] = frame[limit].fillna(limits)
    return changes
