"""A workbook, or a few files, as a clinic keeps them -> a study's folder: tables, a proposed study.yml, what was changed.

Reads what it is given and writes a new folder; neither is anything sent, nor what lies there changed. A column that
looks personal is not copied.
"""

from __future__ import annotations

__all__ = ["CHANGES", "NewStudy", "read_new_study", "update_tables", "write_new_study"]

import io
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from lib.intake.columns import columns_of, looks_personal
from lib.intake.files import read_files
from lib.intake.new_study.proposal import propose
from lib.intake.new_study.proposal_events import with_event_codes
from lib.intake.new_study.recognition import Proposal, Recognised, recognise, with_header, with_one_row_per_patient
from lib.intake.new_study.template import EXAMPLE
from lib.intake.new_study.tidying import CHANGE_COLUMNS, tidied
from lib.intake.spreadsheet import write_csv
from lib.study.study import read_study
from lib.study.yaml_file import Problem, ProblemsFound, shown

# What a flag is called in a clinic's table.
YES = frozenset(("yes", "y", "true", "x", "ja", "oui", "dead", "died", "deceased", "progressed"))
NO = frozenset(("no", "n", "false", "nein", "non", "alive", "living"))
HEADER = (
    "Proposed from the tables: every guess has its reason above it. Read all of it, correct it, and run the check again.\n"
    "Names, labels, orders, units and thresholds; never expressions. Every key is explained in data/README.md."
)
CHANGES = "changes.csv"


@dataclass(frozen=True)
class NewStudy:
    """What was read, and what a study of it would be.

    Attributes
    ----------
    tables : dict of str to Recognised
    changes : DataFrame, one row per changed cell
        table, row, column, found, became, why.
    proposal : Proposal
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
    personal: list[str]
    others: list[str]
    read_as: list[tuple[str, str]]


def read_new_study(name: str, files: list[Path]) -> NewStudy:
    """Read files and propose a study.

    Parameters
    ----------
    name : str
        Of the study's folder.
    files : list of Path
        Files, folders or archives, as `lib.intake.files.read_files` takes them.

    Raises
    ------
    ProblemsFound
        A file that is not read (E001, E006, E090, E101, E104), or in which there is no patient (E003).
    """
    sheets, read_as = _sheets(files)
    personal = [f"{sheet}: {column}" for sheet, frame in sheets.items() for column in frame if looks_personal(column)]
    sheets = {s: frame.drop(columns=[c for c in frame if looks_personal(c)]) for s, frame in sheets.items()}
    neat = {sheet: tidied(sheet, frame) for sheet, frame in sheets.items()}
    found, others = recognise({sheet: frame for sheet, (frame, _) in neat.items()})
    tables = {one.table: one for one in found}
    if "patients" not in tables or "patient_id" not in tables["patients"].columns:
        message = f"no sheet has a column of patient ids (patient_id, subject, id ...); there are {_listed(sheets)}"
        raise ProblemsFound([Problem("E003", message, file=", ".join(path.name for path in files))])
    changes = [neat[one.sheet][1].assign(table=one.table) for one in found]
    patients, patient = tables["patients"], tables["patients"].columns["patient_id"]
    frame, key = with_one_row_per_patient(patients.frame, patient)
    tables["patients"] = replace(patients, frame=frame, columns=_still(patients.columns, frame))
    # from here on the frames are our own, and changed in place
    tables = {table: replace(one, frame=one.frame.copy()) for table, one in tables.items()}
    for table, one in tables.items():
        changes += [_with_flags(table, one), _with_limits(table, one)]
        if table == "adverse_events":
            changes.append(with_event_codes(one))
    proposal = propose(name, tables)
    if key:
        proposal.say(
            "endpoints", f"The file has several rows per patient, told apart by {key}; each became columns of its own."
        )
    rows = pd.concat(changes, ignore_index=True) if changes else pd.DataFrame(columns=CHANGE_COLUMNS)
    return NewStudy(tables, rows[CHANGE_COLUMNS], proposal, personal, others, read_as)


def _sheets(files: list[Path]) -> tuple[dict[str, pd.DataFrame], list[tuple[str, str]]]:
    """Every sheet that holds rows, and what was assumed of how it is to be read."""
    read, problems = read_files(files)
    sheets = {name: with_header(sheet.header, sheet.frame) for name, sheet in read.items()}
    sheets = {name: frame for name, frame in sheets.items() if not frame.empty}
    if problems or not sheets:
        raise ProblemsFound(problems or [Problem("E002", "no rows", file=", ".join(path.name for path in files))])
    return sheets, [(name, note) for name in sheets for note in read[name].notes]


def _listed(sheets: dict[str, pd.DataFrame]) -> str:
    return "; ".join(f"{shown(sheet)} with {', '.join(map(shown, list(frame)[:8]))}" for sheet, frame in sheets.items())


def _still(columns: dict[str, str], frame: pd.DataFrame) -> dict[str, str]:
    return {ours: theirs for ours, theirs in columns.items() if theirs in frame}


def _with_flags(table: str, one: Recognised) -> pd.DataFrame:
    """Write 1 and 0 for yes and no in the flags of the data model."""
    changes = []
    for ours, theirs in one.columns.items():
        if ours not in _flags(table):
            continue
        cells = one.frame[theirs].dropna()
        for row, cell in cells[cells.str.lower().isin(YES | NO)].items():
            one.frame.loc[row, theirs] = "1" if cell.lower() in YES else "0"
            changes.append((table, row, theirs, cell, one.frame.loc[row, theirs], "a flag is 0 or 1"))
    return pd.DataFrame(changes, columns=CHANGE_COLUMNS)


def _flags(table: str) -> set[str]:
    """Names of the flags of a table, from the data model itself."""
    return {column.name for column in columns_of(read_study(EXAMPLE))[table] if column.kind == "flag"}


def _with_limits(table: str, one: Recognised) -> pd.DataFrame:
    """Write `<0.1` as a value of 0.1 that is below the limit of 0.1."""
    changes = []
    if table == "markers" and "below_limit" not in one.columns and "limit" not in one.columns:
        value, frame = one.columns["value"], one.frame
        limited = frame[value].str.fullmatch(r"<\s*\d+(\.\d+)?").fillna(False).astype(bool)
        if limited.any():
            limits = frame.loc[limited, value].str.lstrip("< ")
            changes = [
                (table, row, value, frame.loc[row, value], text, "below the limit") for row, text in limits.items()
            ]
            frame["below_limit"], frame["limit"] = limited.map({True: "1", False: "0"}), limits
            frame.loc[limited, value] = limits
            one.columns.update(below_limit="below_limit", limit="limit")
    return pd.DataFrame(changes, columns=CHANGE_COLUMNS)


def write_new_study(new: NewStudy, folder: Path) -> None:
    """Write tables, study.yml and the list of changes into an empty folder.

    Parameters
    ----------
    new : NewStudy
    folder : Path
        Exists, and is empty.
    """
    _write_tables(new, folder)
    (folder / "study.yml").write_text(_yaml(new.proposal), "utf-8", newline="\n")


def update_tables(new: NewStudy, folder: Path) -> None:
    """Write the tables of a study anew, from files that were corrected or have grown; its study.yml stays as it is.

    Parameters
    ----------
    new : NewStudy
    folder : Path
        Of the study.
    """
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new_") as place:
        _write_tables(new, Path(place))
        for path in sorted(Path(place).iterdir()):
            path.replace(folder / path.name)


def _write_tables(new: NewStudy, folder: Path) -> None:
    for table, one in new.tables.items():
        one.frame.to_csv(folder / f"{table}.csv", index=False, lineterminator="\n")
    read_as = pd.DataFrame([(sheet, "", "", "", "", note) for sheet, note in new.read_as], columns=CHANGE_COLUMNS)
    write_csv(pd.concat([read_as, new.changes]), folder / CHANGES)


def _yaml(proposal: Proposal) -> str:
    content = CommentedMap({key: _styled(value) for key, value in proposal.study.items()})
    content.yaml_set_start_comment(HEADER)
    for key, sentences in proposal.guesses.items():
        if key in content:
            content.yaml_set_comment_before_after_key(key, before="\n".join(["", *map(_one_line, sentences)]))
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
