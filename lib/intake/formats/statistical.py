"""SPSS, Stata and SAS: labels of values become the texts of the cells, labels of variables are kept, dates are ISO.

What the file itself declares as missing is empty, and said.
"""

from __future__ import annotations

__all__ = ["open_sheets"]

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat

from lib.intake.cells import Sheet, Unreadable, cell_text, text_array, text_frame
from lib.intake.formats.encodings import NAMES
from lib.study.words import grouped
from lib.study.yaml_file import shown

READERS = {
    ".sav": (pyreadstat.read_sav, {"user_missing": True}), ".zsav": (pyreadstat.read_sav, {"user_missing": True}),
    ".por": (pyreadstat.read_por, {}), ".dta": (pyreadstat.read_dta, {"user_missing": True}),
    ".sas7bdat": (pyreadstat.read_sas7bdat, {"user_missing": True}), ".xpt": (pyreadstat.read_xport, {}),
}  # fmt: skip
# What is larger is a mistake or an attack on the memory.
MAX_CELLS, MAX_COLUMNS = 100_000_000, 1_000
MEMBER = b"HEADER RECORD*******MEMB"
# Dates of Stata that stay numbers: weeks, months, quarters, half-years since 1960.
PERIODS = {"%tw": "weeks", "%tm": "months", "%tq": "quarters", "%th": "half-years"}
SHOWN_CODES, SHOWN_COLUMNS = 12, 40


def open_sheets(path: Path) -> dict[str, Callable[[], Sheet]]:
    """The only sheet of the file, under its name."""
    return {path.stem: lambda: _read(path)}


def _read(path: Path) -> Sheet:
    extension = path.suffix.lower()
    if extension == ".xpt" and (members := path.read_bytes().count(MEMBER)) > 1:
        raise Unreadable("E104", f"not readable as .xpt: it holds {members} data sets; save each as a file of its own")
    frame, described, notes = _typed(path, extension)
    header, columns, said, missing = list(frame), [], [], _Missing(described)
    for name in header:
        cells = missing.taken_out(name, frame[name])
        if described.readstat_variable_types.get(name) == "float":
            # a number of Stata in single precision: 24.3 is no 24.299999
            cells = cells.map(lambda value: float(str(np.float32(value))), na_action="ignore")
        codes = described.variable_value_labels.get(name)
        if codes:
            cells = cells.map(_words(codes), na_action="ignore")
            said.append(_said(name, codes, cells))
        columns.append(text_array(cells))
    labels = {name: label for name, label in described.column_names_to_labels.items() if label and label != name}
    for period, unit in PERIODS.items():
        counted = [shown(name) for name, form in described.original_variable_types.items() if str(form).startswith(period)]
        if counted:
            notes.append(f"{', '.join(counted)}: {unit} since 1960, left as numbers")
    notes += _listed("labels in the place of codes", said)
    notes += _listed("empty, because the file declares them as missing", missing.said())
    return Sheet(header, text_frame(columns), labels, tuple(notes))


def _typed(path: Path, extension: str) -> tuple[pd.DataFrame, object, list[str]]:
    """Cells with their types, and what the file says of them."""
    read, options = READERS[extension]
    described, encoding = _with_encoding(lambda **given: read(path, metadataonly=True, **given)[1])
    if len(described.column_names) > MAX_COLUMNS:
        raise Unreadable("E101", f"more than {grouped(MAX_COLUMNS)} columns")
    most = MAX_CELLS // max(1, len(described.column_names))
    if (described.number_rows or 0) > most:
        raise Unreadable("E101", f"more than {grouped(MAX_CELLS)} cells")
    limited = {"encoding": encoding} if encoding else {}
    (frame, described), encoding = _with_encoding(lambda **given: read(path, row_limit=most + 1, **options, **given), limited)
    if len(frame) > most:
        raise Unreadable("E101", f"more than {grouped(MAX_CELLS)} cells")
    return frame, described, [f"encoding: the file does not say it right; {NAMES[encoding]} can be read"] if encoding else []


def _with_encoding(read: Callable, given: dict | None = None):
    """Result of reading, and the encoding that had to be tried where the file's own is wrong."""
    try:
        return read(**(given or {})), (given or {}).get("encoding", "")
    except (pyreadstat.ReadstatError, UnicodeDecodeError) as error:
        wrong = isinstance(error, UnicodeDecodeError) or "convert" in str(error) or "encoding" in str(error).lower()
        if not wrong:
            raise
        for encoding in ("gb18030", "cp1252"):
            try:
                return read(encoding=encoding), encoding
            except (pyreadstat.ReadstatError, UnicodeDecodeError):
                continue
        raise


class _Missing:
    """Values that the file declares as missing: taken out, and counted."""

    def __init__(self, described):
        self.ranges = described.missing_ranges or {}
        self.letters = described.missing_user_values or {}
        self.codes = described.variable_value_labels
        self.found: dict[str, Counter] = {}

    def taken_out(self, name: str, cells: pd.Series) -> pd.Series:
        declared = pd.Series(False, index=cells.index)
        for one in self.ranges.get(name, []):
            if isinstance(one["lo"], str):
                declared |= cells.eq(one["lo"])
            else:
                declared |= pd.to_numeric(cells, errors="coerce").between(one["lo"], one["hi"])
        declared |= cells.isin(self.letters.get(name, []))
        if not declared.any():
            return cells
        self.found[name] = Counter(cells[declared])
        return cells.astype(object).mask(declared, None)

    def said(self) -> list[str]:
        """Column, and how often each such value was found."""
        return [f"{shown(name)} ({self._counted(name)})" for name in self.found]

    def _counted(self, name: str) -> str:
        words = self.codes.get(name, {})
        counted = sorted(self.found[name].items(), key=lambda item: str(item[0]))
        said = [
            f"{count} x {shown(cell_text(value))}{f' {shown(words[value])}' if value in words else ''}"
            for value, count in counted[:SHOWN_CODES]
        ]
        return ", ".join(said)


def _words(codes: dict) -> Callable:
    """The label of a code; with the code where two codes have one label, and the value itself where it has none."""
    counts = Counter(label.strip() for label in codes.values())
    unique = {
        code: label.strip() if counts[label.strip()] == 1 else f"{cell_text(code)} {label.strip()}".strip()
        for code, label in codes.items()
    }
    return lambda value: unique.get(value) or value


def _said(name: str, codes: dict, cells: pd.Series) -> str:
    """Column and codes; and how many cells have none of them, in a column where some have."""
    listed = [f"{shown(cell_text(code))} = {shown(label)}" for code, label in list(codes.items())[:SHOWN_CODES]]
    more = f" and {len(codes) - SHOWN_CODES} more" if len(codes) > SHOWN_CODES else ""
    plain = sum(not isinstance(value, str) for value in cells.dropna())
    other = f"; {plain} cells without a label stay" if plain else ""
    return f"{shown(name)} ({', '.join(listed)}{more}{other})"


def _listed(what: str, columns: list[str]) -> list[str]:
    """One sentence for all columns of a kind."""
    more = f"; and {len(columns) - SHOWN_COLUMNS} more columns" if len(columns) > SHOWN_COLUMNS else ""
    return [f"{what}: {'; '.join(columns[:SHOWN_COLUMNS])}{more}"] if columns else []
