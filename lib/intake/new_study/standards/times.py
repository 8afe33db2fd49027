"""ADTTE -> a time and a censoring per patient and parameter: columns of the table of patients, an endpoint each."""

from __future__ import annotations

__all__ = ["with_times"]

import re

import pandas as pd

from lib.intake.new_study.outcomes.outcome_names import unit_of
from lib.intake.new_study.recognition import Known, Outcome, Recognised
from lib.intake.new_study.standards.datasets import ID, Datasets
from lib.intake.new_study.words import UNIT_WORDS
from lib.study.parts import DAYS
from lib.study.yaml_file import Problem, ProblemsFound, shown

ROUNDED = 0.06  # in the unit: times are given with one decimal or more
UNITS = {word: unit for unit, called in UNIT_WORDS.items() for word in called}
IN_BRACKETS = re.compile(r"\s*[(\[][^)\]]*[)\]]\s*\Z")


def with_times(found: Datasets, patients: Recognised, known: Known) -> None:
    """Add to the patients the time and the censoring of each parameter; what they are called and their units to `known`."""
    times = found.frame("ADTTE")
    if times is None:
        return
    if "ANL01FL" in times and times["ANL01FL"].eq("Y").any():
        times = times[times["ANL01FL"].eq("Y")]
    times = times.dropna(subset=["PARAMCD"])
    twice = times[times.duplicated([ID, "PARAMCD"])]
    if len(twice):
        message = f"{len(twice)} patients have several rows of one PARAMCD; one row per patient and PARAMCD is needed (ANL01FL says which)"
        raise ProblemsFound([Problem("E003", message, file=found.sheet("ADTTE"), row=int(twice.index[0]), column="PARAMCD")])
    stray = set(times[ID]) - set(patients.frame[ID])
    if stray >= set(times[ID]) and len(times):
        message = f"no patient of it is in {patients.sheet}: {shown(min(stray))} here, {shown(patients.frame[ID].min())} there"
        raise ProblemsFound([Problem("E040", message, file=found.sheet("ADTTE"), column=ID)])
    if stray:
        found.said.append(f"{len(stray)} patients of ADTTE are not in {patients.sheet}, such as {shown(sorted(stray)[0])}: left out.")
    order = pd.to_numeric(times["PARAMN"], errors="coerce") if "PARAMN" in times else pd.Series(0, times.index)
    for code in times.assign(order=order).sort_values("order", kind="stable")["PARAMCD"].unique():
        _add(found, patients, known, times[times["PARAMCD"].eq(code)])


def _add(found: Datasets, patients: Recognised, known: Known, rows: pd.DataFrame) -> None:
    code = rows["PARAMCD"].iloc[0]
    text = rows["PARAM"].dropna().iloc[0] if "PARAM" in rows and rows["PARAM"].notna().any() else code
    lasted = _lasted(found, rows)
    unit = _unit(rows, text, lasted)
    if "AVAL" in rows and rows["AVAL"].notna().any():
        values = rows["AVAL"]
    else:
        values, unit = lasted.map(lambda days: str(int(days)), na_action="ignore"), "days"
        found.said.append(f"{code} has no AVAL: its times are the days from STARTDT to ADT, both counted.")
    time, event = f"AVAL_{code}", f"CNSR_{code}"
    for column, cells in ((time, values), (event, rows["CNSR"])):
        patients.frame[column] = cells.set_axis(rows[ID]).reindex(patients.frame[ID]).to_numpy()
    known.outcomes.append(Outcome(time, event, IN_BRACKETS.sub("", text), code))
    if unit:
        known.units[time] = unit


def _lasted(found: Datasets, rows: pd.DataFrame) -> pd.Series:
    """Days from STARTDT to ADT, both counted, as AVAL of ADaM counts them."""
    start, end = (pd.to_datetime(found.days(rows, name), format="%Y-%m-%d", errors="coerce") for name in ("STARTDT", "ADT"))
    return (end - start).dt.days + 1


def _unit(rows: pd.DataFrame, text: str, lasted: pd.Series) -> str:
    """The unit of AVAL: of AVALU, of the text of PARAM, else the one in which it is the days from STARTDT to ADT."""
    said = {UNITS.get(cell.casefold(), "") for cell in rows["AVALU"].dropna()} if "AVALU" in rows else set()
    if len(said) == 1 and "" not in said:
        return said.pop()
    if named := unit_of(text):
        return named
    values = pd.to_numeric(rows["AVAL"], errors="coerce") if "AVAL" in rows else pd.Series(dtype=float)
    both = values.notna() & lasted.notna()
    if both.sum() < 2 or values[both].nunique() < 2:
        return ""
    fitting = [
        unit
        for unit, days in DAYS.items()
        if any(((lasted[both] - less) / days - values[both]).abs().max() < (ROUNDED if unit != "days" else 1e-9) for less in (0, 1))
    ]
    return fitting[0] if len(fitting) == 1 else ""
