"""Which data set of ADaM or SDTM a sheet is, told by its variables alone, and which of them are read.

Names of variables, codes and rules are those of the ADaM and SDTM implementation guides.
"""

from __future__ import annotations

__all__ = ["Datasets", "datasets_of", "first_filled", "matches", "selected"]

import re
from dataclasses import dataclass, field, replace

import pandas as pd

from lib.intake.new_study.headers import Headed
from lib.intake.new_study.questions import Questions

ID = "USUBJID"
# Data set -> variables that it has, each one of several, and those that it never has.
VARIABLES = {
    "ADTTE": ("PARAMCD CNSR AVAL|ADT", ""),
    "ADRS": ("PARAMCD AVALC ADT", "CNSR"),
    "ADLB": ("PARAMCD AVAL A1LO|A1HI|ANRLO|ANRHI|LBTESTCD|LBSEQ", "CNSR"),
    "ADAE": ("AEDECOD|AETERM ASTDT|TRTEMFL", ""),
    "AE": ("AEDECOD|AETERM AESTDTC", ""),
    "DS": ("DSDECOD DSSTDTC", ""),
    "EX": ("EXTRT EXSTDTC", ""),
    "LB": ("LBTESTCD LBSTRESN|LBSTRESC", ""),
    "RS": ("RSTESTCD RSSTRESC|RSORRES", ""),
    "TU": ("TUTESTCD", ""), "TR": ("TRTESTCD", ""),
    "ADSL": ("TRT01P|TRT01A|TRTSDT|SAFFL|ITTFL|FASFL|RANDDT", "PARAMCD AETERM AEDECOD CMTRT"),
    "DM": ("ARM|ACTARM|RFSTDTC", "PARAMCD AETERM AEDECOD CMTRT VISITNUM"),
}  # fmt: skip
ONE_ROW = ("ADSL", "DM")  # per patient
SLIP = 0.1  # of the rows are of a patient who stands there already: a slip; more are another data set
WHOLE, PARTLY = r"\d{4}-\d\d-\d\d", r"\d{4}(-\d\d)?(T.*)?|\d{4}-.*|-+.*"
RESPONSES = {"CR", "PR", "SD", "PD", "NE", "NON-CR/NON-PD"}
ARMS = ("TRT01P", "TRT01A", "TRTP", "TRTA", "ARM", "ACTARM")
POPULATIONS = ("ITTFL", "MITTFL", "FASFL", "RANDFL", "SAFFL", "EFFFL", "PPROTFL", "ENRLFL")
SUBJECT = re.compile(
    r"ARMCD|ACTARMCD|ARMNRS|AGE|AGEU|AGEGR\d|SEX|RACE|RACEGR\d|ETHNIC|COUNTRY|REGION\d?|SITEID|STRAT\w*|\w*BL|\w*BLGR\d|EDUCLVL|DURDIS|DURDSGR1|"
    r"RANDDT|TRTSDT|TRTEDT|RFSTDTC|RFXSTDTC|RFXENDTC|RFENDTC|RFPENDTC|DTHFL|DTHDT|DTHDTC|LSTALVDT|EOSDT|EOSSTT|DCSREAS|DCDECOD|"
    + "|".join(ARMS + POPULATIONS)
)
# Data set -> its variables that are read.
READ = {
    "ADTTE": "PARAM PARAMCD PARAMN AVAL AVALU CNSR STARTDT ADT ANL01FL",
    "ADRS": "PARAM PARAMCD AVALC ADT AVISIT ANL01FL",
    "ADLB": "PARAM PARAMCD AVAL AVALC AVALU LBSTRESU A1LO A1HI ANRLO ANRHI LBSTNRLO LBSTNRHI AVISIT ADT LBDTC ANL01FL ABLFL",
    "AE": "AEDECOD AETERM AEBODSYS AESOC AETOXGR ATOXGR AESEV ASEV AEREL AESER AEOUT AEACN ASTDT AENDT AESTDTC AEENDTC TRTEMFL AEOCCUR",
    "DS": "DSDECOD DSSTDTC DSCAT",
    "EX": "EXTRT EXDOSE EXSTDTC EXENDTC",
    "LB": "LBTEST LBTESTCD LBSPEC LBSTRESN LBSTRESC LBSTRESU LBSTNRLO LBSTNRHI LBDTC VISIT LBBLFL LBLOBXFL",
    "RS": "RSTESTCD RSSTRESC RSORRES RSDTC RSEVAL RSACPTFL VISIT",
    "TU": "TUTESTCD", "TR": "TRTESTCD",
}  # fmt: skip
READ["ADAE"] = READ["AE"]


@dataclass(frozen=True)
class Datasets:
    """Data sets that were recognised.

    Attributes
    ----------
    sheets : dict of str to list of str
        Data set -> sheets; laboratory data may stand in several.
    frames : dict of str to DataFrame of text
        By the sheet.
    labels : dict of str to dict of str to str
        Sheet -> variable -> label.
    questions : Questions
    said, missing : list of str
        What was done with them; what they lack.
    """

    sheets: dict[str, list[str]]
    frames: dict[str, pd.DataFrame]
    labels: dict[str, dict[str, str]]
    questions: Questions
    said: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def frame(self, *names: str) -> pd.DataFrame | None:
        """The first of these data sets that is there, all its sheets below one another."""
        for name in names:
            if name in self.sheets:
                frames = [self.frames[sheet] for sheet in self.sheets[name]]
                return frames[0].copy() if len(frames) == 1 else pd.concat(frames, ignore_index=True)
        return None

    def sheet(self, *names: str) -> str:
        """The sheets of the first of these data sets that is there."""
        return ", ".join(next((self.sheets[name] for name in names if name in self.sheets), []))

    def label(self, dataset: str, variable: str) -> str:
        """What the file says a variable is; empty where it says nothing."""
        return next((text for sheet in self.sheets.get(dataset, []) if (text := self.labels[sheet].get(variable))), "")

    def days(self, frame: pd.DataFrame, *variables: str) -> pd.Series:
        """Row by row the first of these variables that is a whole date; a row with none but a part of one is empty, and counted."""
        days = first_filled(frame.assign(**{v: frame[v].where(matches(frame[v], WHOLE)) for v in variables if v in frame}), *variables)
        others = first_filled(frame, *variables)
        partly = days.isna() & matches(others, PARTLY)
        if partly.any():
            said = f"{', '.join(v for v in variables if v in frame)}: {partly.sum()} dates without a day, such as {others[partly].iloc[0]}, are empty."
            self.said.extend([said] if said not in self.said else [])
        # what is no date at all stays, for the check to name it
        return days.where(days.notna() | partly, others)


def datasets_of(sheets: dict[str, Headed]) -> dict[str, list[str]]:
    """Data set -> the sheets that are it; none without patients (ADSL, DM or ADTTE)."""
    found: dict[str, list[str]] = {}
    for sheet, headed in sheets.items():
        name = _dataset(headed.frame)
        if name and (name == "ADLB" or name not in found):
            found.setdefault(name, []).append(sheet)
    return found if {"ADSL", "DM", "ADTTE"} & set(found) else {}


def _dataset(frame: pd.DataFrame) -> str:
    names = {str(column).upper() for column in frame}
    if ID not in names:
        return ""
    for name, (needed, never) in VARIABLES.items():
        if not all(names & set(group.split("|")) for group in needed.split()) or names & set(never.split()):
            continue
        upper = frame.rename(columns=str.upper)
        if name == "ADRS" and not upper["AVALC"].isin(RESPONSES).any():
            continue
        if name not in ONE_ROW or upper[ID].duplicated().sum() <= SLIP * len(upper):
            return name
    return ""


def selected(sheets: dict[str, Headed], found: dict[str, list[str]]) -> dict[str, Headed]:
    """The same sheets, of each data set only the variables that are read, in capitals."""
    names = {sheet: name for name, of in found.items() for sheet in of}
    cut = dict(sheets)
    for sheet, name in names.items():
        headed = sheets[sheet]
        frame = headed.frame.rename(columns=str.upper)
        wanted = {ID, *READ.get(name, "").split()}
        kept = [c for c in frame if c in wanted or (name in (*ONE_ROW, "ADTTE") and SUBJECT.fullmatch(c))]
        labels = {variable.upper(): label for variable, label in headed.labels.items()}
        cut[sheet] = replace(headed, frame=frame[kept], labels=labels)
    return cut


def first_filled(frame: pd.DataFrame, *variables: str) -> pd.Series:
    """Row by row the first of these variables that holds anything."""
    cells = pd.Series(None, frame.index, dtype=object)
    for variable in variables:
        if variable in frame:
            cells = cells.where(cells.notna(), frame[variable])
    return cells


def matches(cells: pd.Series, pattern: str) -> pd.Series:
    """Which cells are wholly of a pattern, whatever their case; an empty one is not."""
    return cells.astype("string").str.fullmatch(pattern, case=False).fillna(False).astype(bool)
