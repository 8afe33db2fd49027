"""Sheets and columns under names of their own -> tables and columns of the data model, and what had to be guessed.

A name is recognised by what people usually call it, written any way; nothing is taken for a table without the
columns that make it one. What the columns hold is tidied before (tidying) and checked later (intake.schemas).
"""

from __future__ import annotations

__all__ = [
    "MADE_OF",
    "NUMBER",
    "Known",
    "Outcome",
    "Proposal",
    "Recognised",
    "Words",
    "as_id",
    "as_label",
    "columns_called",
    "is_date",
    "is_numeric",
    "plain_name",
    "recognise",
    "values_of",
]

import itertools
import re
from collections import Counter
from collections.abc import Container
from dataclasses import dataclass, field

import pandas as pd

from lib.intake.new_study.questions import Questions
from lib.intake.new_study.words import CALLED, known_name
from lib.languages.notes import worded
from lib.languages.speech import ENGLISH, in_language
from lib.study.clinic.tumour import REGIONS

# Table -> the columns it may have; the first ones, up to the bar, make a sheet that table.
MADE_OF = {
    "measurements": "lesion_id longest_mm assessment_date | visit short_mm third_mm too_small status modality",
    "markers": "patient_id marker value | sample_date visit unit below_limit limit above_limit reference_low reference_high state positive",
    "adverse_events": "patient_id term grade | onset_date end_date system related serious action outcome",
    "treatments": "patient_id component start_date | end_date start_dose lowest_dose lesion_id n_seeds "
    "seed_activity_mci prescription_gy d90_gy line",
    "lesions": "lesion_id patient_id site | target treated region",
    "assessments": "patient_id assessment_date | visit reader_response new_lesion",
    "patients": "patient_id | arm time_zero last_tumour_assessment local_progression local_progression_date "
    "distant_progression_date death death_date last_contact_date excluded",
}
NUMBER = re.compile(r"-?\d+(\.\d+)?\Z")
DAY = r"\d{4}-\d\d-\d\d"
# A text, or one for each language.
Words = str | dict[str, str]
MOSTLY = 0.8  # of the filled cells are dates, so the column is one of dates


@dataclass(frozen=True)
class Recognised:
    """One sheet, taken for one table.

    Attributes
    ----------
    table : str
        Of the data model.
    sheet : str
    frame : DataFrame of text
        Under the file's own column names.
    columns : dict of str to str
        Our name -> the file's.
    """

    table: str
    sheet: str
    frame: pd.DataFrame
    columns: dict[str, str]

    @property
    def analysed(self) -> pd.DataFrame:
        """The rows without a reason of exclusion."""
        reason = self.columns.get("excluded")
        return self.frame[self.frame[reason].isna()] if reason else self.frame


def plain_name(text: str) -> str:
    """Write a name in small letters and digits with `_` between words: `Date of Death` -> `date_of_death`."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[0-9])(?=[A-Z][a-z])", " ", text)
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def recognise(sheets: dict[str, pd.DataFrame]) -> tuple[list[Recognised], list[str]]:
    """Take each sheet for the table that it is.

    Parameters
    ----------
    sheets : dict of str to DataFrame of text

    Returns
    -------
    recognised : list of Recognised
        At most one sheet per table: the one with most of its columns.
    others : list of str
        Sheets that are none of the tables, or a second one of a table.
    """
    candidates = [found for sheet, frame in sheets.items() if (found := _as_table(sheet, frame))]
    best = {}
    for found in candidates:
        earlier = best.get(found.table)
        if earlier is None or len(found.columns) > len(earlier.columns):
            best[found.table] = found
    if "patients" not in best and (only := _of_patients(sheets, best)):
        best = {table: found for table, found in best.items() if found.sheet != only.sheet} | {"patients": only}
    taken = {found.sheet for found in best.values()}
    return [best[table] for table in reversed(MADE_OF) if table in best], [s for s in sheets if s not in taken]


def _of_patients(sheets: dict[str, pd.DataFrame], best: dict[str, Recognised]) -> Recognised | None:
    """The sheet of patients where none has their ids, or one row per patient made it look like another table."""
    taken = {found.sheet: found for found in best.values()}
    for sheet, frame in sheets.items():
        columns = columns_called(frame, MADE_OF["patients"].replace("|", "").split())
        ids = frame[columns["patient_id"]] if "patient_id" in columns else None
        if (len(sheets) == 1 and sheet not in taken) or (ids is not None and ids.is_unique and len(ids) > 1):
            return Recognised("patients", sheet, frame, columns)
    return None


def _as_table(sheet: str, frame: pd.DataFrame) -> Recognised | None:
    for table in sorted(MADE_OF, key=lambda table: plain_name(sheet) != table):
        needed, _, others = MADE_OF[table].partition("|")
        columns = columns_called(frame, [*needed.split(), *others.split()], table != "patients")
        if "region" in columns and not frame[columns["region"]].dropna().isin(REGIONS).all():
            del columns["region"]  # of the body, or of the world
        if set(needed.split()) <= set(columns) and _fits(table, frame, columns):
            return Recognised(table, sheet, frame, columns)
    return None


def _fits(table: str, frame: pd.DataFrame, columns: dict[str, str]) -> bool:
    """Whether the cells are of the kind that makes it such a table: a term is a word, a date no number of days."""
    dates = [columns[name] for name in ("start_date", "assessment_date", "onset_date") if name in columns]
    numbers = [date for date in dates if is_numeric(frame[date]) and frame[date].notna().any()]
    if table == "adverse_events":
        return not numbers and not is_numeric(frame[columns["term"]])
    if table == "markers":  # times to an event stand under the same names in ADaM
        return not any(known_name(column) == "cnsr" for column in frame)
    return not numbers


def columns_called(frame: pd.DataFrame, wanted: list[str], prefixed: bool = False) -> dict[str, str]:
    """Our name -> the file's, for the columns that bear one of the usual names, after a prefix perhaps; the most usual name wins."""
    names = {re.sub("_dt$", "_date", known_name(column)): column for column in reversed(list(frame))}
    prefix = _prefix(list(names)) if prefixed else ""
    # A name as it stands goes before one that is only such without its prefix.
    theirs = {name.removeprefix(prefix): column for name, column in names.items()} | names
    found = {}
    for ours in wanted:
        name = next(
            (name for name in CALLED[ours].split() if name in theirs and theirs[name] not in found.values()), None
        )
        if name is not None:
            found[ours] = theirs[name]
    return found


def _prefix(names: list[str]) -> str:
    """What a form puts before its names, such as "ae_" of ae_term, ae_grade and ae_start; "" if nothing."""
    firsts = Counter(name.partition("_")[0] for name in names if "_" in name)
    first, count = firsts.most_common(1)[0] if firsts else ("", 0)
    return f"{first}_" if count >= 3 else ""


@dataclass(frozen=True)
class Outcome:
    """A ready-made endpoint that a standard defines: its columns, 0 being the event, and what it is called."""

    time: str
    event: str
    label: str
    short: str


@dataclass
class Known:
    """What file or standard say of the tables, so that it need not be guessed.

    Attributes
    ----------
    labels, units : dict of str to str
        Column of patients (or "markers: code") -> what it is, and its unit.
    outcomes : list of Outcome
    aside : dict of str to str
        Column -> why it is no baseline variable.
    populations : dict of str to str
        Column of patients, Y or N -> the analysis population that it tells.
    unit : str
        In which visits are counted.
    """

    labels: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    aside: dict[str, str] = field(default_factory=dict)
    populations: dict[str, str] = field(default_factory=dict)
    unit: str = ""


@dataclass
class Proposal:
    """What study.yml could say.

    Attributes
    ----------
    questions : Questions
        What decides a result and is not certain.
    known : Known
    study : dict
        The content of study.yml.
    guesses : dict of str to list of str
        Top-level key -> why it reads as it does.
    left_out : dict of str to str
        "table: column" -> why it is taken out of the frames.
    aside : dict of str to str
        "table: column" -> why study.yml does not name it, though the table holds it.
    missing : list of str
        What the study does not hold, and what follows.
    languages : tuple of str
        In which study.yml gives what it says in words that are not the tables' own; English is the first.
    """

    questions: Questions
    known: Known = field(default_factory=Known)
    study: dict = field(default_factory=dict)
    guesses: dict[str, list[str]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    aside: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    languages: tuple[str, ...] = (ENGLISH,)

    def own(self, text: str) -> Words:
        """Words that are not the tables' own, as study.yml has them: in each language of the study, or alone where they read the same in all."""
        said = {}
        for code in self.languages:
            with in_language(code):
                said[code] = worded(text)
        return said if len(set(said.values())) > 1 else text

    def say(self, key: str, sentence: str) -> None:
        """Add the reason of a guess."""
        self.guesses.setdefault(key, []).append(sentence)

    def kept_aside(self, found: Recognised, reasons: dict[str, str]) -> None:
        """Columns that no part of the proposal uses; they are kept, so that study.yml can name them."""
        self.aside |= {f"{found.table}: {column}": reason for column, reason in reasons.items()}

    def leave_out(self, found: Recognised, reasons: dict[str, str]) -> None:
        """Take columns out of a table: column -> why."""
        found.frame.drop(columns=list(reasons), inplace=True)
        self.left_out |= {f"{found.table}: {column}": reason for column, reason in reasons.items()}


def as_id(text: str, otherwise: str, taken: Container[str] = ()) -> str:
    """Make an id for study.yml: letters, digits and `_`, a letter first; numbered where it is `taken` already.

    Two names in Chinese, or "CRP-a" and "CRP a", would else be one.
    """
    name = plain_name(text)[:40]
    name = name if name[:1].isalpha() else f"{otherwise}_{name}"[:40].rstrip("_")
    numbered = (f"{name[:36]}_{again}" for again in itertools.count(2))
    return name if name not in taken else next(other for other in numbered if other not in taken)


def as_label(text: str) -> str:
    """Make a label of a name: `age_at_diagnosis` -> `Age at diagnosis`."""
    words = re.sub(r"[_\s]+", " ", text).strip()
    return words[:1].upper() + words[1:]


def values_of(cells: pd.Series) -> list[str]:
    """List the different values; numbers in order of size, texts in that of the alphabet."""
    values = list(cells.dropna().unique())
    numbers = all(NUMBER.match(value) for value in values)
    return sorted(values, key=float) if numbers else sorted(values)


def is_date(cells: pd.Series) -> bool:
    """Whether most filled cells are dates."""
    filled = cells.dropna()
    return len(filled) > 0 and bool(filled.str.fullmatch(DAY).mean() > MOSTLY)


def is_numeric(cells: pd.Series) -> bool:
    """Whether nearly all filled cells are numbers."""
    filled = cells.dropna()
    return len(filled) > 0 and filled.map(lambda cell: bool(NUMBER.match(cell))).mean() > 0.9
