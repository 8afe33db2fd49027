"""An export of REDCap, raw or with labels -> a sheet per repeating instrument and per event; its data dictionary, if given."""

from __future__ import annotations

__all__ = ["is_dictionary", "without_codes", "without_repeats"]

import re
from dataclasses import replace

import pandas as pd

from lib.intake.cells import TEXT, Sheet
from lib.study.yaml_file import shown

# Names of the columns in a raw export, and in one with labels.
EVENT = ("redcap_event_name", "Event Name")
INSTRUMENT = ("redcap_repeat_instrument", "Repeat Instrument")
INSTANCE = ("redcap_repeat_instance", "Repeat Instance")
VARIABLE, TYPE, LABEL = "Variable / Field Name", "Field Type", "Field Label"
CHOICES = "Choices, Calculations, OR Slider Labels"
CHOSEN = ("radio", "dropdown", "checkbox")
FIXED = {"yesno": {"1": "Yes", "0": "No"}, "truefalse": {"1": "True", "0": "False"}}


def is_dictionary(sheet: Sheet) -> bool:
    """Whether a sheet is the data dictionary that REDCap exports beside the data."""
    return VARIABLE in sheet.header and CHOICES in sheet.header


def without_codes(sheets: dict[str, Sheet], dictionary: Sheet) -> dict[str, Sheet]:
    """Put the labels of a data dictionary in the place of codes, and keep those of the variables."""
    rows = dictionary.frame.set_axis(dictionary.header, axis="columns").fillna("").astype(object).to_dict("records")
    labels, codes = {}, {}
    for row in rows:
        name, choices = row[VARIABLE], _choices(row)
        labels[name] = re.sub(r"<[^>]*>", "", row.get(LABEL, "")).strip()
        if row.get(TYPE) == "checkbox":
            # one column per choice: 1 is ticked
            labels |= {f"{name}___{_column(code)}": f"{labels[name]}: {label}" for code, label in choices.items()}
        elif choices:
            codes[name] = choices
    return {name: _labelled(sheet, labels, codes) for name, sheet in sheets.items()}


def _choices(row: dict) -> dict[str, str]:
    """Code -> label, as `1, Male | 2, Female` lists them."""
    kind = row.get(TYPE, "")
    if kind in FIXED:
        return FIXED[kind]
    if kind not in CHOSEN:
        return {}
    parted = [choice.partition(",") for choice in row[CHOICES].split("|")]
    return {code.strip(): label.strip() for code, comma, label in parted if comma and label.strip()}


def _column(code: str) -> str:
    """As REDCap writes a code in the name of a column: small, and _ for a minus sign."""
    return code.lower().replace("-", "_")


def _labelled(sheet: Sheet, labels: dict[str, str], codes: dict[str, dict[str, str]]) -> Sheet:
    frame, notes = sheet.frame.copy(), []
    for position, name in enumerate(sheet.header):
        words = codes.get(name, {})
        cells = frame.iloc[:, position]
        found = [code for code in words if cells.eq(code).any()]
        # two choices of one label stay apart by their codes
        if found and len(set(words.values())) == len(words):
            frame.isetitem(position, cells.astype(object).replace(words).astype(TEXT))
            said = ", ".join(f"{shown(code)} = {shown(words[code])}" for code in found)
            notes.append(f"{shown(name)}: labels of the data dictionary in the place of codes: {said}")
    known = {name: labels[name] for name in sheet.header if labels.get(name)}
    return replace(sheet, frame=frame, labels=sheet.labels | known, notes=(*sheet.notes, *notes))


def without_repeats(name: str, sheet: Sheet) -> dict[str, Sheet]:
    """Part an export in which instruments or events repeat.

    Parameters
    ----------
    name : str
        Of the sheet.
    sheet : Sheet

    Returns
    -------
    dict of str to Sheet
        The sheet itself, where nothing repeats. Else a sheet per repeating instrument, and for the other rows one per event,
        or one for several events that fill the same columns; each without the columns that it leaves empty.
    """
    places = {part: next((sheet.header.index(n) for n in names if n in sheet.header), None) for part, names in
              (("event", EVENT), ("instrument", INSTRUMENT), ("instance", INSTANCE))}  # fmt: skip
    if places["event"] is None and places["instrument"] is None:
        return {name: sheet}
    empty = pd.Series("", index=sheet.frame.index)
    event, instrument = (
        empty if places[part] is None else sheet.frame.iloc[:, places[part]].astype(object).fillna("")
        for part in ("event", "instrument")
    )
    parts = {text: instrument.eq(text) for text in instrument.unique() if text}
    parts |= _by_event(sheet, event, instrument.eq(""), list(places.values()), name)
    if len(parts) < 2:
        return {name: sheet}
    note = f"an export of REDCap: its {len(sheet.frame)} rows are parted by instrument and event into {', '.join(map(shown, parts))}"
    return {part: _part(sheet, rows, (*sheet.notes, note)) for part, rows in parts.items()}


def _by_event(sheet: Sheet, event: pd.Series, rows: pd.Series, own: list[int | None], name: str) -> dict[str, pd.Series]:
    """Rows of events that fill the same columns, under the name of the first event."""
    data = [i for i in range(len(sheet.header)) if i not in own]
    found: dict[frozenset, tuple[str, pd.Series]] = {}
    for text in event[rows].unique():
        these = rows & event.eq(text)
        filled = frozenset(i for i in data if sheet.frame.iloc[:, i][these].notna().any())
        first, before = found.get(filled, (text or name, these))
        found[filled] = (first, before | these)
    return dict(found.values())


def _part(sheet: Sheet, rows: pd.Series, notes: tuple[str, ...]) -> Sheet:
    frame = sheet.frame[rows]
    kept = [i for i in range(len(sheet.header)) if frame.iloc[:, i].notna().any()]
    header = [sheet.header[i] for i in kept]
    labels = {name: label for name, label in sheet.labels.items() if name in header}
    return Sheet(header, frame.iloc[:, kept], labels, notes)
