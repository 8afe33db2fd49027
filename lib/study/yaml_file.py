"""Reads a YAML file into a pydantic model, refusing whatever could run code, and names the line of every error.

Nothing here knows what a study is.
"""

from __future__ import annotations

__all__ = ["Gathered", "Problem", "ProblemsFound", "line_of", "read_yaml", "shown"]

import copy
import datetime as dt
import difflib
import functools
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import DocumentStartEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from lib.study.words import grouped

# A study.yml is a few hundred lines; anything far larger is a mistake or an attack.
MAX_BYTES = 1_000_000
MAX_DEPTH = 50
# What a value may be, and how long a number: none of a study has half as many digits.
PLAIN = ("str", "int", "float", "bool", "null", "timestamp")
LONGEST_NUMBER = 40
M = TypeVar("M", bound=BaseModel)
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Problem:
    """One data query: what is wrong, where, and what would be right.

    Attributes
    ----------
    code : str
        E... blocks the run, W... is listed in the cohort report.
    message : str
        One plain sentence that names the rule and what is allowed.
    file, row, column, patient_id, value : str or int
        Where; empty where it does not apply. `row` counts as a spreadsheet does: the header is row 1.
    """

    code: str
    message: str
    file: str = ""
    row: int | str = ""
    column: str = ""
    patient_id: str = ""
    value: str = ""

    @property
    def severity(self) -> str:
        """`error` (blocks the run) or `warning`."""
        return "error" if self.code.startswith("E") else "warning"

    def as_row(self) -> dict[str, str | int]:
        """The problem as one row of the data query list."""
        return {"severity": self.severity, **asdict(self)}

    def __str__(self) -> str:
        where = [self.file, f"row {self.row}" if self.row else "", self.column, self.patient_id]
        value = f" (found {self.value!r})" if self.value else ""
        return f"{self.code} {', '.join(str(w) for w in where if w)}: {self.message}{value}"


class ProblemsFound(ValueError):
    """Everything that was found wrong, together.

    Attributes
    ----------
    problems : list of Problem
    """

    def __init__(self, problems: list[Problem]):
        self.problems = problems
        super().__init__("\n".join(str(p) for p in problems))

    def _render_traceback_(self) -> list[str]:
        """What IPython shows of it: the sentences, since no line of code is to blame."""
        return [str(problem) for problem in self.problems]


class Gathered:
    """What several steps find wrong, to be said all at once.

    Attributes
    ----------
    problems : list of Problem
        Each once, in the order in which they were found.
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def take(self, step: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> R | None:
        """Result of a step, or None where it found problems."""
        try:
            return step(*arguments, **options)
        except ProblemsFound as found:
            self.problems += [problem for problem in found.problems if problem not in self.problems]
            return None

    def stop(self) -> None:
        """Raise ProblemsFound if any step found one."""
        if self.problems:
            raise ProblemsFound(self.problems)


def shown(value: object) -> str:
    """`value` as text that is safe to print: one line, at most 80 characters, nothing invisible."""
    text = "" if value is None else str(value)
    cut = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text[:80])
    return cut + "…" if len(text) > 80 else cut


def read_yaml(path: Path, model: type[M]) -> M:
    """Read `path` and check it against `model`.

    Parameters
    ----------
    path : Path
        A YAML 1.2 file. Tags, anchors, aliases and duplicate keys are refused.
    model : type of pydantic.BaseModel

    Returns
    -------
    An instance of `model`

    Raises
    ------
    ProblemsFound
        E001 (no such file), E101 (tries to run code), E100 (everything else), each with its line.
    """
    if path.is_symlink():
        raise ProblemsFound([Problem("E101", "a symbolic link is refused: put the file itself here", file=path.name)])
    if not path.is_file():
        raise ProblemsFound([Problem("E001", f"file not found: {path.name}", file=path.name)])
    raw = path.read_bytes()
    if len(raw) > MAX_BYTES:
        raise ProblemsFound([Problem("E101", f"larger than {grouped(MAX_BYTES)} bytes", file=path.name)])
    # Reading brackets takes time that grows with the square of their depth.
    if max(itertools.accumulate((byte in b"[{") - (byte in b"]}") for byte in raw), default=0) > MAX_DEPTH:
        raise ProblemsFound([Problem("E101", f"more than {MAX_DEPTH} brackets in one another", file=path.name)])
    node, content = _parse(raw, path.name)
    try:
        return model.model_validate(copy.deepcopy(content))
    except ValidationError as error:
        raise ProblemsFound([_problem(e, node, model, path.name) for e in _told_once(error.errors())]) from None


def _told_once(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """Errors without those of a list that is too short only because what stands in it is wrong."""
    places = [e["loc"] for e in errors]
    return [e for e in errors if e["type"] != "too_short" or not any(place[: len(e["loc"])] == e["loc"] != place for place in places)]


def line_of(path: Path, location: Sequence[str | int]) -> int:
    """Line of a key of a file that `read_yaml` has read: `("runs", 2)` is the third entry of `runs`."""
    return _line(YAML(pure=True).compose(path.read_text(encoding="utf-8-sig")), location)


# What a tag or a directive needs; most files have neither, and are not read once more to look for them.
MAY_TELL = re.compile(r"!|(?:\A|[\r\n\x85\u2028\u2029])%")


# A page reads study.yml more than once, and whoever makes many pages reads the same ones.
@functools.lru_cache(maxsize=32)
def _parse(raw: bytes, file: str) -> tuple[Node | None, Any]:
    """The composed node, which knows its lines, and the plain content."""
    try:
        text = raw.decode("utf-8-sig")
        yaml = YAML(typ="safe", pure=True)
        node = yaml.compose(text)
        refused = (list(_told(text, file)) if MAY_TELL.search(text) else []) or ([] if node is None else list(_refused(node, file)))
        content = None if refused or node is None else yaml.constructor.construct_document(node)
    except RecursionError:
        raise ProblemsFound([Problem("E101", "nested too deeply to be read", file=file)]) from None
    except (YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ProblemsFound(
            [Problem("E100", f"not readable as YAML: {reason}", file=file, row=mark.line + 1 if mark else "")]
        ) from None
    except (ValueError, TypeError, OverflowError) as error:
        # What a library does not expect of a value that it makes of plain text.
        raise ProblemsFound([Problem("E100", f"not readable as YAML: {shown(error)}", file=file)]) from None
    if refused:
        raise ProblemsFound(refused)
    return node, content


def _told(text: str, file: str) -> Iterator[Problem]:
    """Yield a problem per tag that somebody wrote, and per directive: both change what plain text means."""
    for event in YAML(typ="safe", pure=True).parse(text):
        line = event.start_mark.line + 1
        # What has no tag in the file gets one only when it is composed.
        tag = getattr(event, "tag", None)
        if tag:
            rule = "a YAML tag is refused: nothing in a study is run, and plain text says what it is"
            yield Problem("E101", rule, file=file, row=line, value=shown(tag))
        if isinstance(event, DocumentStartEvent) and (event.version or event.tags):
            yield Problem("E101", "a directive (%) is refused: it changes what plain text means", file=file, row=line)


def _refused(node: Node, file: str, seen: set[int] | None = None) -> Iterator[Problem]:
    """Yield a problem per alias, and per value that is none: a study is plain data."""
    seen = set() if seen is None else seen
    line = node.start_mark.line + 1
    if id(node) in seen:
        yield Problem("E101", "an alias (*name) is refused: write the value out", file=file, row=line)
        return
    seen.add(id(node))
    if isinstance(node, ScalarNode) and (rule := _no_value(str(node.tag), node.value)):
        yield Problem("E100", rule, file=file, row=line, value=shown(node.value))
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                yield Problem("E100", "a key is plain text, not a list or a mapping", file=file, row=line)
            yield from _refused(key, file, seen)
            yield from _refused(value, file, seen)
    elif isinstance(node, SequenceNode):
        for item in node.value:
            yield from _refused(item, file, seen)


def _no_value(tag: str, text: str) -> str:
    """Say why a plain value cannot be taken for what YAML takes it for; empty: it can."""
    kind = tag.removeprefix("tag:yaml.org,2002:")
    if kind not in PLAIN:
        return "YAML takes this for an instruction: put it in quotes"
    if kind in ("int", "float") and len(text) > LONGEST_NUMBER:
        return f"a number of more than {LONGEST_NUMBER} signs: put it in quotes if it is a name"
    if kind == "timestamp" and not _is_date(text):
        return "not a date of the calendar, such as 2025-02-28"
    if any("\ud800" <= sign <= "\udfff" for sign in text):
        return "half of a pair of signs (surrogate), which no file can hold"
    return ""


def _is_date(text: str) -> bool:
    try:
        return bool(dt.datetime.fromisoformat(text))
    except ValueError:
        return False


def _problem(error: ErrorDetails, node: Node | None, model: type[BaseModel], file: str) -> Problem:
    location = [part for part in error["loc"] if not str(part).startswith("function-")]
    key = ".".join(shown(part) for part in location)
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        allowed = _allowed_keys(model, location[:-1])
        near = difflib.get_close_matches(str(location[-1]), allowed, 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        message = f"unknown key{hint}; allowed are {', '.join(allowed)}"
    value = error.get("input")
    found = "" if isinstance(value, dict | list) or error["type"] == "missing" else shown(value)
    return Problem(
        "E100", f"{key}: {message}" if key else message, file=file, row=_line(node, location), column=key, value=found
    )


def _line(node: Node | None, location: Sequence[str | int]) -> int:
    """Line of the deepest key of `location` that stands in the file."""
    line = node.start_mark.line + 1 if node is not None else 1
    for part in location:
        if isinstance(node, MappingNode):
            hit = [(k, v) for k, v in node.value if isinstance(k, ScalarNode) and k.value == str(part)]
            if not hit:
                return line
            line, node = hit[0][0].start_mark.line + 1, hit[0][1]
        elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            return line
    return line


def _allowed_keys(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """Names of the fields at `location` inside `model`."""
    for part in location:
        if isinstance(part, int) or part not in model.model_fields:
            continue
        annotation = model.model_fields[part].annotation
        model = next((m for m in _models_in(annotation)), model)
    return [field.alias or name for name, field in model.model_fields.items()]


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models_in(inner)
