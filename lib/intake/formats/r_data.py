"""Data frames of R (.rds, .rda, .RData): parsed, never evaluated. Factors are their labels, dates ISO."""

from __future__ import annotations

__all__ = ["open_sheets"]

import bz2
import datetime as dt
import gzip
import lzma
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import rdata
from rdata.conversion import DEFAULT_CLASS_MAP
from rdata.parser import DEFAULT_ALTREP_MAP

from lib.intake.cells import Sheet, Unreadable, text_array, text_frame
from lib.study.words import grouped

# What is larger is a mistake or an attack on the memory.
MAX_UNPACKED_BYTES, MAX_COLUMNS, MAX_ROWS = 200_000_000, 1_000, 10_000_000
PACKED = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
UNITS = {"days": "D", "secs": "s", "hours": "h", "mins": "min", "weeks": "W"}


def open_sheets(path: Path) -> dict[str, Callable[[], Sheet]]:
    """Every data frame of the file, under its name; that of an .rds under the name of the file."""
    raw = _unpacked(path)
    parsed = rdata.parser.parse_data(raw, altrep_constructor_dict=_limited(DEFAULT_ALTREP_MAP))
    found = rdata.conversion.convert(parsed, constructor_dict={**DEFAULT_CLASS_MAP, **DATES})
    named = {path.stem: found} if isinstance(found, pd.DataFrame) else found if isinstance(found, dict) else {}
    frames = {name: frame for name, frame in named.items() if isinstance(frame, pd.DataFrame)}
    if not frames:
        raise Unreadable("E104", "not readable as a file of R: there is no data frame in it; save one by write.csv")
    return {name: partial(_sheet, frame) for name, frame in frames.items()}


def _unpacked(path: Path) -> bytes:
    """The bytes that R wrote, which it packs by itself."""
    raw = path.read_bytes()
    opened = next((opened for magic, opened in PACKED.items() if raw.startswith(magic)), None)
    if opened:
        with opened(path) as file:
            raw = file.read(MAX_UNPACKED_BYTES + 1)
    if len(raw) > MAX_UNPACKED_BYTES:
        raise Unreadable("E101", f"the file unpacks to more than {grouped(MAX_UNPACKED_BYTES)} bytes")
    return raw


def _limited(constructors: dict) -> dict:
    """Constructors of sequences that a file only describes (1 to n), which may be longer than any memory."""
    return {name: partial(_checked, made) if b"compact" in name else made for name, made in constructors.items()}


def _checked(made: Callable, state):
    if float(state.value[0]) > MAX_ROWS:
        raise Unreadable("E101", f"more than {grouped(MAX_ROWS)} rows")
    return made(state)


def _days(values, _attributes):
    return pd.Series(pd.to_datetime(pd.Series(values, dtype=float), unit="D")).to_numpy()


def _moments(values, _attributes):
    return pd.Series(pd.to_datetime(pd.Series(values, dtype=float), unit="s")).to_numpy()


DATES = {"Date": _days, "POSIXct": _moments}


def _sheet(frame: pd.DataFrame) -> Sheet:
    if frame.shape[1] > MAX_COLUMNS:
        raise Unreadable("E101", f"more than {grouped(MAX_COLUMNS)} columns")
    header, columns = [str(name) for name in frame], [_texts(frame[name]) for name in frame]
    if not all(str(name).isdecimal() for name in frame.index):
        # names of rows that are no numbers, such as those of patients
        header, columns = ["row.names", *header], [text_array(frame.index), *columns]
    return Sheet(header, text_frame(columns))


def _texts(cells: pd.Series):
    values = cells.astype(object).where(cells.notna(), None)
    return text_array([value.to_pydatetime() if isinstance(value, dt.datetime) else value for value in values])
