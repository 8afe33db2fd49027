"""CDISC Dataset-JSON, 1.0 and 1.1: names, labels and rows of the data sets in a file."""

from __future__ import annotations

__all__ = ["open_sheets"]

import datetime as dt
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

from lib.intake.cells import Sheet, Unreadable, text_array, text_frame
from lib.study.words import grouped

# What is larger is a mistake or an attack on the memory.
MAX_BYTES, MAX_COLUMNS = 200_000_000, 1_000
SAS_DAY_ZERO = dt.datetime(1960, 1, 1)
# Formats of SAS that show a number as a day, or as a time of day; the others show it as a number.
DAYS = ("DATE", "E8601DA", "YYMMDD", "DDMMYY", "MMDDYY", "IS8601DA", "B8601DA")
TIMES = ("DATETIME", "E8601DT", "IS8601DT", "B8601DT")
NUMERIC = ("integer", "float", "double", "decimal")


def open_sheets(path: Path) -> dict[str, Callable[[], Sheet]]:
    """Every data set of the file, under its name."""
    if path.stat().st_size > MAX_BYTES:
        raise Unreadable("E101", f"larger than {grouped(MAX_BYTES)} bytes")
    content = json.loads(path.read_bytes().decode("utf-8-sig"), parse_constant=_refuse)
    return {name: partial(_sheet, columns, rows) for name, columns, rows in _datasets(content)}


def _refuse(constant: str):
    raise Unreadable("E104", f"not readable as .json: {constant} is no number of JSON")


def _datasets(content) -> list[tuple[str, list[dict], list[list]]]:
    """Name, columns and rows of each data set, in either version."""
    content = content if isinstance(content, dict) else {}
    if isinstance(content.get("columns"), list) and isinstance(content.get("rows", []), list):
        return [(str(content.get("name", "data")), content["columns"], content.get("rows", []))]
    groups = [content.get(part) for part in ("clinicalData", "referenceData")]
    datasets = [
        (str(group.get("name", oid)), group["items"], group.get("itemData", []))
        for part in groups
        if isinstance(part, dict)
        for oid, group in part.get("itemGroupData", {}).items()
    ]
    if not datasets:
        reason = "it is JSON, but no CDISC Dataset-JSON (`columns` and `rows`, or `clinicalData`); export it as .csv"
        raise Unreadable("E104", f"not readable as .json: {reason}")
    return datasets


def _sheet(columns: list[dict], rows: list[list]) -> Sheet:
    if len(columns) > MAX_COLUMNS:
        raise Unreadable("E101", f"more than {grouped(MAX_COLUMNS)} columns")
    for number, row in enumerate(rows, 2):
        if len(row) != len(columns):
            reason = f"not readable as .json: {len(row)} cells where there are {len(columns)} columns"
            raise Unreadable("E104", reason, row=number)
    cells = list(zip(*rows, strict=True)) or [()] * len(columns)
    texts, notes = [], []
    for column, values in zip(columns, cells, strict=True):
        if any(isinstance(value, dict | list) for value in values):
            raise Unreadable("E104", "not readable as .json: a cell that is a list", column=str(column["name"]))
        days = _unit_of_days(column)
        if days and any(isinstance(value, int | float) for value in values):
            notes.append(f"{column['name']}: numbers with the format {column['displayFormat']} were read as dates")
        shown_as = (lambda value, days=days: SAS_DAY_ZERO + value * days) if days else (lambda value: value)
        texts.append(text_array([shown_as(value) if isinstance(value, int | float) else value for value in values]))
    # a number of the row, which the format adds, is none of the data
    kept = [i for i, column in enumerate(columns) if column["name"] != "ITEMGROUPDATASEQ"]
    labels = {columns[i]["name"]: columns[i]["label"] for i in kept if columns[i].get("label")}
    return Sheet([str(columns[i]["name"]) for i in kept], text_frame([texts[i] for i in kept]), labels, tuple(notes))


def _unit_of_days(column: dict) -> dt.timedelta | None:
    """How long 1 is in a column of numbers that SAS shows as dates; nothing for other columns."""
    form = str(column.get("displayFormat") or "").upper()
    if column.get("dataType", column.get("type")) not in NUMERIC:
        return None
    if form.startswith(TIMES):
        return dt.timedelta(seconds=1)
    return dt.timedelta(days=1) if form.startswith(DAYS) else None
