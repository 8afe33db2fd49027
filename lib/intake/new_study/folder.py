"""A workbook, or a few files, as a clinic keeps them -> a study's folder: tables, a proposed study.yml, what was changed.

Reads what it is given and writes a new folder; neither is anything sent, nor what lies there changed. A column that
looks personal is not copied.
"""

from __future__ import annotations

__all__ = [
    "ANSWERS",
    "BEFORE",
    "CHANGES",
    "NewStudy",
    "answer_lines",
    "changed_tables",
    "proposed",
    "read_new_study",
    "read_sheets",
    "update_study",
    "write_new_study",
]

import functools
import io
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from lib.intake.columns import columns_of, looks_personal
from lib.intake.files import read_files
from lib.intake.new_study.headers import Headed, with_header
from lib.intake.new_study.proposal import propose
from lib.intake.new_study.proposal_events import with_event_codes
from lib.intake.new_study.questions import Questions
from lib.intake.new_study.recognition import Proposal, Recognised, recognise
from lib.intake.new_study.structures import NUMBERED, with_patients
from lib.intake.new_study.template import EXAMPLE
from lib.intake.new_study.tidying import CHANGE_COLUMNS, tidied
from lib.intake.new_study.words import CENSORED, HAPPENED, NO, YES
from lib.intake.spreadsheet import write_csv
from lib.study.parts import FLAGS_OF_DATES
from lib.study.questions import Question
from lib.study.study import read_study
from lib.study.yaml_file import Problem, ProblemsFound, shown

HEADER = (
    "Proposed from the tables: every guess has its reason above it. Read all of it, correct it, and run the check again.\n"
    "Names, labels, orders, units and thresholds; never expressions. Every key is explained in data/README.md."
)
CHANGES, ANSWERS, BEFORE = "changes.csv", "answers.yml", "study_before.yml"


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
    questions, headed = Questions(answers), sheets
    read_as = [(sheet, note) for sheet, one in headed.items() for note in one.notes]
    sheets = {sheet: _with_values(sheet, one, questions) for sheet, one in headed.items()}
    personal = [f"{sheet}: {column}" for sheet, frame in sheets.items() for column in frame if looks_personal(column)]
    sheets = {s: frame.drop(columns=[c for c in frame if looks_personal(c)]) for s, frame in sheets.items()}
    neat = {sheet: tidied(sheet, frame, questions) for sheet, frame in sheets.items()}
    found, others = recognise({sheet: frame for sheet, (frame, _) in neat.items()})
    tables = {one.table: one for one in found}
    if "patients" not in tables:
        raise _no_patients(found, sheets)
    changes = [part.assign(table=one.table) for one in found for part in (headed[one.sheet].listed(one.sheet), neat[one.sheet][1])]
    columns = tables["patients"].columns
    tables["patients"], said = with_patients(tables["patients"], questions)
    # from here on the frames are our own, and changed in place
    tables = {table: replace(one, frame=one.frame.copy()) for table, one in tables.items()}
    for table, one in tables.items():
        changes += [_with_flags(table, one), _with_limits(table, one)]
        if table == "adverse_events":
            changes.append(with_event_codes(one))
    proposal = propose(name, tables, questions)
    if questions.problems:
        raise ProblemsFound(questions.problems)
    if NUMBERED in tables["patients"].frame and not (proposal.study["endpoints"] or questions.open or columns):
        raise _no_patients([], sheets)
    rows = pd.concat(changes, ignore_index=True) if changes else pd.DataFrame(columns=CHANGE_COLUMNS)
    return NewStudy(tables, rows[CHANGE_COLUMNS], proposal, said, personal, others, read_as)


def _with_values(sheet: str, one: Headed, questions: Questions) -> pd.DataFrame:
    """Without the columns of formulas that have no value: whether the study does without them is asked."""
    lost = []
    for column, error in one.without_values.items():
        if column not in one.frame:
            raise ProblemsFound([Problem(error.code, str(error), file=sheet, row=error.row, column=error.column)])
        text = f"May {column} of {sheet} be left out? {str(error)[:1].upper()}{str(error)[1:]}."
        questions.ask(f"formulas of {column}", text, {"leave out": "the column is not copied; saved as the sentence says, the file can be read whole"})
        lost.append(column)
    return one.frame.drop(columns=lost)


def _above_limit(one: Recognised) -> list[tuple]:
    """A value above what could be measured counts as that limit; the data model has no flag for it."""
    value, frame = one.columns["value"], one.frame
    above = frame[value].str.fullmatch(r">\s*\d+(\.\d+)?").fillna(False).astype(bool)
    found = frame.loc[above, value]
    frame.loc[above, value] = found.str.lstrip("> ")
    return [(one.table, row, value, cell, frame.loc[row, value], "above the limit: counted as the limit") for row, cell in found.items()]


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
    sheets = {name: replace(with_header(sheet.header, sheet.frame), labels=sheet.labels, notes=sheet.notes, without_values=sheet.without_values) for name, sheet in read.items()}
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
    """Write `<0.1` as a value of 0.1 that is below the limit of 0.1, and `>500` as its limit, 500."""
    changes = _above_limit(one) if table == "markers" else []
    if table == "markers" and "below_limit" not in one.columns and "limit" not in one.columns:
        value, frame = one.columns["value"], one.frame
        limited = frame[value].str.fullmatch(r"<\s*\d+(\.\d+)?").fillna(False).astype(bool)
        if limited.any():
            limits = frame.loc[limited, value].str.lstrip("< ")
            changes += [
                (table, row, value, frame.loc[row, value], text, "below the limit") for row, text in limits.items()
            ]
            frame["below_limit"], frame["limit"] = limited.map({True: "1", False: "0"}), limits
            frame.loc[limited, value] = limits
            one.columns.update(below_limit="below_limit", limit="limit")
    return pd.DataFrame(changes, columns=CHANGE_COLUMNS)


def write_new_study(new: NewStudy, folder: Path) -> None:
    """Write tables, study.yml, the answers and the list of changes into an empty folder.

    Parameters
    ----------
    new : NewStudy
    folder : Path
        Exists, and is empty.
    """
    _write_tables(new, folder)
    (folder / "study.yml").write_text(_yaml(new.proposal), "utf-8", newline="\n")


def update_study(new: NewStudy, folder: Path, *, proposal: bool, was: NewStudy | None = None) -> None:
    """Write the tables of a study anew, from files that were corrected or have grown, and the answers.

    Parameters
    ----------
    new : NewStudy
    folder : Path
        Of the study.
    proposal : bool
        Write study.yml anew too; the one that is there is kept as study_before.yml. Else it stays as it is.
    was : NewStudy, optional
        What study.yml was proposed as: if it reads so still, nobody wrote in it, and it is not kept.
    """
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new_") as place:
        (write_new_study if proposal else _write_tables)(new, Path(place))
        if proposal and not (was and (folder / "study.yml").read_text("utf-8") == _yaml(was.proposal)):
            shutil.copyfile(folder / "study.yml", folder / BEFORE)
        for path in sorted(Path(place).iterdir()):
            path.replace(folder / path.name)


def changed_tables(new: NewStudy, folder: Path) -> list[str]:
    """Names of the tables of a study that are not as the files give them."""
    with tempfile.TemporaryDirectory() as place:
        _write_tables(new, Path(place))
        given = {table: (Path(place) / f"{table}.csv").read_bytes() for table in new.tables}
    return [table for table in given if not (path := folder / f"{table}.csv").is_file() or path.read_bytes() != given[table]]


def _write_tables(new: NewStudy, folder: Path) -> None:
    for table, one in new.tables.items():
        one.frame.to_csv(folder / f"{table}.csv", index=False, lineterminator="\n")
    read_as = pd.DataFrame([(sheet, "", "", "", "", note) for sheet, note in new.read_as], columns=CHANGE_COLUMNS)
    write_csv(pd.concat([read_as, new.changes]), folder / CHANGES)
    if given := new.proposal.questions.given:
        _write_answers(given, folder / ANSWERS)


def _write_answers(answers: dict[str, str], path: Path) -> None:
    content = CommentedMap(answers)
    content.yaml_set_start_comment("Answers to what the tables do not say, as they were given; python -m lib new takes them again.")
    path.write_text(_dumped(content), "utf-8", newline="\n")


def answer_lines(questions: Iterable[Question]) -> str:
    """Lines for answers.yml: a key for each question, its options as a remark beside it."""
    lines = []
    for one in questions:
        key = _dumped(CommentedMap({one.key: ""})).partition("''")[0].rstrip()
        lines += [f"# {one.question}", *(f"#   {option}: {follows}" for option, follows in one.options.items()), key]
    return "\n".join(lines) + "\n"


def _yaml(proposal: Proposal) -> str:
    content = CommentedMap({key: _styled(value) for key, value in proposal.study.items()})
    content.yaml_set_start_comment(HEADER)
    for key, sentences in proposal.guesses.items():
        if key in content:
            content.yaml_set_comment_before_after_key(key, before="\n".join(["", *map(_one_line, sentences)]))
    return _dumped(content)


def _dumped(content: CommentedMap) -> str:
    writer, text = YAML(), io.StringIO()
    writer.width, writer.allow_unicode = 4000, True
    writer.indent(mapping=2, sequence=4, offset=2)
    writer.dump(content, text)
    return text.getvalue()


def _one_line(sentence: str) -> str:
    return "".join(c if c.isprintable() else " " for c in sentence)


def _styled(value):
    """Short lists and mappings of plain values on one line."""
    if isinstance(value, dict):
        styled = CommentedMap({key: _styled(part) for key, part in value.items()})
        if len(str(value)) < 110 and not any(isinstance(part, dict | list) for part in value.values()):
            styled.fa.set_flow_style()
        return styled
    if isinstance(value, list):
        styled = CommentedSeq([_styled(part) for part in value])
        if not any(isinstance(part, dict | list) for part in value):
            styled.fa.set_flow_style()
        return styled
    return value
