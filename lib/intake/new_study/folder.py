"""A study that is proposed -> its folder: tables, study.yml, answers, what was changed; nothing that lies there is lost."""

from __future__ import annotations

__all__ = ["ANSWERS", "BEFORE", "CHANGES", "answer_lines", "changed_tables", "update_study", "write_new_study"]

import io
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from lib.intake.new_study.reading import NewStudy
from lib.intake.new_study.recognition import Proposal
from lib.intake.new_study.tidying import CHANGE_COLUMNS
from lib.intake.spreadsheet import write_csv
from lib.languages.notes import worded
from lib.study.questions import Question
from lib.study.written import write_whole

HEADER = (
    "Proposed from the tables: every guess has its reason above it. Read all of it, correct it, and run the check again.\n"
    "Names, labels, orders, units and thresholds; never expressions. Every key is explained in data/README.md."
)
CHANGES, ANSWERS, BEFORE = "changes.csv", "answers.yml", "study_before.yml"


def write_new_study(new: NewStudy, folder: Path) -> None:
    """Write tables, study.yml, the answers and the list of changes into an empty folder.

    Parameters
    ----------
    new : NewStudy
    folder : Path
        Exists.
    """
    _write_tables(new, folder)
    write_whole(folder / "study.yml", _yaml(new.proposal))


def update_study(new: NewStudy, folder: Path, *, proposal: bool, was: NewStudy | None = None) -> None:
    """Write the tables of a study anew, from files that were corrected or have grown, and the answers.

    Parameters
    ----------
    new : NewStudy
    folder : Path
        A copy of the study's folder, which takes its place when this is done: its files may be links to those there.
    proposal : bool
        Write study.yml anew too; the one that is there is kept as study_before.yml. Else it stays as it is.
    was : NewStudy, optional
        What study.yml was proposed as: if it reads so still, nobody wrote in it, and it is not kept.
    """
    if proposal and not (was and (folder / "study.yml").read_text("utf-8") == _yaml(was.proposal)):
        write_whole(folder / BEFORE, (folder / "study.yml").read_bytes())
    (write_new_study if proposal else _write_tables)(new, folder)


def changed_tables(new: NewStudy, folder: Path) -> list[str]:
    """Names of the tables of a study that are not as the files give them."""
    with tempfile.TemporaryDirectory() as place:
        _write_tables(new, Path(place))
        given = {table: (Path(place) / f"{table}.csv").read_bytes() for table in new.tables}
    return [table for table in given if not (path := folder / f"{table}.csv").is_file() or path.read_bytes() != given[table]]


def _write_tables(new: NewStudy, folder: Path) -> None:
    for table, one in new.tables.items():
        write_whole(folder / f"{table}.csv", one.frame.to_csv(index=False, lineterminator="\n"))
    read_as = pd.DataFrame([(sheet, "", "", "", "", note) for sheet, note in new.read_as], columns=CHANGE_COLUMNS)
    write_csv(pd.concat([read_as, new.changes]), folder / CHANGES)
    if given := new.proposal.questions.given:
        _write_answers(given, folder / ANSWERS)


def _write_answers(answers: dict[str, str], path: Path) -> None:
    content = CommentedMap(answers)
    content.yaml_set_start_comment("Answers to what the tables do not say, as they were given; python -m lib new takes them again.")
    write_whole(path, _dumped(content))


def answer_lines(questions: Iterable[Question]) -> str:
    """Lines for answers.yml: a key for each question, its options as a remark beside it."""
    lines = []
    for one in questions:
        key = _dumped(CommentedMap({one.key: ""})).partition("''")[0].rstrip()
        lines += [f"# {worded(one.question)}", *(f"#   {option}: {worded(follows)}" for option, follows in one.options.items()), key]
    return "\n".join(lines) + "\n"


def _yaml(proposal: Proposal) -> str:
    content = CommentedMap({key: _styled(value) for key, value in proposal.study.items()})
    content.yaml_set_start_comment(HEADER)
    for key, sentences in proposal.guesses.items():
        if key in content:
            content.yaml_set_comment_before_after_key(key, before="\n".join(["", *map(_one_line, map(worded, sentences))]))
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
