"""Data sets of CDISC, tidied -> tables of the data model, and what the standard says of them."""

from __future__ import annotations

__all__ = ["Translation", "translated"]

import re
from dataclasses import dataclass

import pandas as pd

from lib.intake.new_study.questions import Questions
from lib.intake.new_study.recognition import Known, Recognised
from lib.intake.new_study.standards.datasets import ARMS, ID, Datasets
from lib.intake.new_study.standards.events import adverse_events, treatments
from lib.intake.new_study.standards.laboratory import assessments, markers
from lib.intake.new_study.standards.subjects import populations, subjects
from lib.intake.new_study.standards.times import with_times

# Variables of ADSL and DM that are known when a patient begins.
AT_BASELINE = re.compile(r"AGE|AGEGR\d|SEX|RACE|RACEGR\d|ETHNIC|COUNTRY|REGION\d?|STRAT\w*|\w*BL|\w*BLGR\d|EDUCLVL|DURDIS|DURDSGR1")
# For a file without labels.
CALLED = {"AGE": "Age", "SEX": "Sex", "RACE": "Race", "ETHNIC": "Ethnicity", "COUNTRY": "Country", "AGEGR1": "Age group"}
ANOTHER_ARM = "the arms are told apart by another column"
AFTERWARDS = "the standard does not say that it is known at baseline"


@dataclass(frozen=True)
class Translation:
    """Tables of the data model out of data sets.

    Attributes
    ----------
    tables : list of Recognised
    others : list of str
        Sheets that are no data set that is read.
    known : Known
        What the standard says of the columns of patients.
    said, missing : list of str
    """

    tables: list[Recognised]
    others: list[str]
    known: Known
    said: list[str]
    missing: list[str]


def translated(
    sheets: dict[str, list[str]], frames: dict[str, pd.DataFrame], labels: dict[str, dict[str, str]], questions: Questions
) -> Translation:
    """Make tables of data sets.

    Parameters
    ----------
    sheets : dict of str to list of str
        Data set -> its sheets, as `datasets.datasets_of` gives them.
    frames : dict of str to DataFrame of text
        Sheet -> its cells, tidied.
    labels : dict of str to dict of str to str
        Sheet -> variable -> label.
    questions : Questions
        Gets what decides a result.
    """
    found, known = Datasets(sheets, frames, labels, questions), Known()
    base = next(name for name in ("ADSL", "DM", "ADTTE") if name in sheets)
    units = set(frames[sheets[base][0]].get("AGEU", pd.Series(dtype=object)).dropna().str.lower())
    patients = subjects(found)
    known.labels |= CALLED | labels[sheets[base][0]]
    if len(units) == 1:
        known.units["AGE"] = units.pop()
    known.aside |= {
        column: ANOTHER_ARM if column in ARMS else AFTERWARDS
        for column in patients.frame
        if column not in (ID, *patients.columns.values()) and not AT_BASELINE.fullmatch(column)
    }
    known.populations = {flag: labels[sheets[base][0]].get(flag) or name for flag, name in populations(patients.analysed).items()}
    known.aside |= dict.fromkeys(known.populations, "it is an analysis population")
    # no other column is an outcome, whatever its name
    known.aside |= dict.fromkeys(("death", "death_date", "last_contact_date", "time_zero"), "no endpoint uses it")
    with_times(found, patients, known)
    tables = [patients, adverse_events(found, patients), treatments(found), markers(found, patients, known), assessments(found, known)]
    for name, what in (("TU", "lesions"), ("TR", "measurements")):
        if name in sheets:
            found.missing.append(f"{name} is not read: a diameter alone makes no table of {what} (three diameters of each lesion)")
    zero = {"time_zero"} if "time zero" in questions.open else set()  # which date it is, is asked
    if "ADTTE" not in sheets and not {"time_zero", "death_date"} <= set(patients.columns) | zero:
        found.missing.append("no ADTTE, and not both a time zero (RFSTDTC, TRTSDT, RANDDT) and a date of death (DTHDTC, DTHDT, DS): no survival")
    used = {sheet for name, of in sheets.items() if name not in ("TU", "TR") for sheet in of}
    said = [f"{', '.join(of)}: {name} of {'ADaM' if name.startswith('AD') else 'SDTM'}, by its variables." for name, of in sheets.items()]
    return Translation([one for one in tables if one], [s for s in frames if s not in used], known, [*said, *found.said], found.missing)
