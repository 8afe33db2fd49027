"""Which row belongs to which patient: an id for every row, and one row for every patient.

Rows are numbered where each is a patient. Several rows of a patient are recognised, and what is meant by them is asked.
"""

from __future__ import annotations

__all__ = ["NUMBERED", "with_one_row_per_patient", "with_patients", "with_pseudonyms"]

import re
from dataclasses import replace

import pandas as pd

from lib.intake.new_study.outcomes.event_codes import EVENT, Codes, codes_of
from lib.intake.new_study.outcomes.outcome_names import Pair, outcome_columns, paired
from lib.intake.new_study.questions import Questions
from lib.intake.new_study.recognition import Recognised, is_numeric, plain_name
from lib.intake.new_study.words import CALLED, ENDPOINT_KEYS, known_name, words
from lib.study.yaml_file import Problem, ProblemsFound, shown

MOST_ROWS_PER_PATIENT = 4
# Names that say that a patient has several rows.
SPANS = (
    ("start", "stop"), ("time0", "time1"), ("tstart", "tstop"), ("start_time", "stop_time"), ("entry", "exit"), ("time1", "time2"), ("begin", "end"),
)  # fmt: skip
REPEATED = words("visit visitnum enum episode recurrence_number line cycle eye side organ lesion tooth")
SLIP = 0.1  # of the patients stand twice: a slip, which the check of the study names, and no structure
NUMBERED, PSEUDONYM = "patient number", "patient id"
FEWEST_PATIENTS = 5  # that a column without a known name may tell
FIRST, LAST, EACH, FIRST_EVENT, ROW = "first", "last", "each", "first event", "each row"


def with_patients(found: Recognised, questions: Questions) -> tuple[Recognised, list[str]]:
    """Give the table of patients an id and one row per patient.

    Parameters
    ----------
    found : Recognised
    questions : Questions
        Gets the question what several rows of a patient mean.

    Returns
    -------
    Recognised, list of str
        What was done, in sentences.

    Raises
    ------
    ProblemsFound
        E003: several rows per patient and nothing that says whose they are.
    """
    frame = found.frame.copy()
    patient = _id_column(frame, questions)
    if patient is None:
        if "id" not in {*questions.open, *questions.answered}:
            _refuse_without_id(found)
        found, first = _numbered(found)
        if "id" in questions.open:
            return found, []
        return found, [f"The file has no column of ids: its rows are numbered as patients, {first} the first."]
    columns = {ours: theirs for ours, theirs in found.columns.items() if theirs != patient and ours != "patient_id"}
    found = replace(found, frame=frame, columns={"patient_id": patient, **columns})
    twice = frame[patient].duplicated() & frame[patient].notna()
    if not twice.any() or (twice.sum() <= SLIP * frame[patient].nunique() and not _span(frame)):
        return found, []
    spread, key = with_one_row_per_patient(frame, patient)
    if key:
        said = [f"The file has several rows per patient, told apart by {key}; each became columns of its own."]
        return _with(found, spread), said
    return _asked(found, patient, questions)


def with_pseudonyms(frame: pd.DataFrame, personal: list[str]) -> pd.DataFrame:
    """Take columns out that name a person; where they alone tell whose a row is, numbers in their order stand in their place.

    Parameters
    ----------
    frame : DataFrame of text
    personal : list of str
        Of its columns.
    """
    left = frame.drop(columns=personal)
    known = any(known_name(column) in CALLED["patient_id"].split() for column in left)
    telling = next((column for column in personal if not known and _tells_patients(frame, column)), None)
    if telling is not None:
        codes = pd.factorize(frame[telling])[0] + 1
        left.insert(0, PSEUDONYM, [f"P{code:0{max(3, len(str(codes.max())))}d}" for code in codes])
    return left


def _id_column(frame: pd.DataFrame, questions: Questions) -> str | None:
    """The column of ids: by its name, else one that numbers the rows."""
    names = {}
    for column in frame:
        names.setdefault(known_name(column), column)
    called = [names[name] for name in CALLED["patient_id"].split() if name in names]
    called = [column for column in dict.fromkeys(called) if frame[column].notna().any() and (frame[column].nunique() > 1 or len(frame) == 1)]
    called = [column for column in called if "." not in "".join(frame[column].dropna().head(20)) or not is_numeric(frame[column])]
    unique = [column for column in called if frame[column].is_unique]
    if called and unique and called[0] not in unique:
        options = {
            called[0]: f"{frame[called[0]].nunique()} patients with several rows",
            unique[0]: f"{len(frame)} patients, each row is one",
        }
        return questions.ask("id", "Which column holds the id of a patient?", options, first=True) or called[0]
    if called:
        return called[0]
    several = {column: f"{frame[column].nunique()} patients with several rows" for column in frame if _tells_patients(frame, column)}
    if several:
        options = several | {ROW: f"{len(frame)} patients, each row is one"}
        answer = questions.ask("id", "Which column tells the rows of a patient?", options, first=True)
        if answer in several:
            return answer
    return _numbering(frame)


def _tells_patients(frame: pd.DataFrame, column: str) -> bool:
    """Whether a column, whatever its name, may tell whose a row is.

    Each of its values is in as many rows, as two eyes of everybody; or rows of the same value stand together and have
    something else in common which is not merely sorted with it, as a group of ages is with age.
    """
    cells = frame[column]
    rows = cells.value_counts()
    if cells.isna().any() or len(rows) < FEWEST_PATIENTS or len(cells) - len(rows) <= SLIP * len(rows):
        return False
    if is_numeric(cells) and "." in "".join(cells.head(20)):
        return False
    if rows.nunique() == 1 or _runs(cells) > len(rows):
        return rows.nunique() == 1
    unsorted = [name for name in frame if _runs(frame[name]) > frame[name].nunique(dropna=False) > 1]
    return any((frame.groupby(column)[name].nunique(dropna=False) == 1).all() for name in unsorted)


def _runs(cells: pd.Series) -> int:
    """How often the value changes from row to row, and one."""
    filled = cells.fillna("")
    return int(filled.ne(filled.shift()).sum())


def _numbering(frame: pd.DataFrame) -> str | None:
    """The first column, should it number the rows 1, 2, 3 ... (as R writes them) or a column called so."""
    for position, column in enumerate(frame):
        numbers = pd.to_numeric(frame[column], errors="coerce")
        named = known_name(column) not in REPEATED
        of_rows = (position == 0 and named) or re.search(r"(^|_)(seq|seqno|no|nr|row|index|rownames)(_|$)", plain_name(column))
        if of_rows and len(frame) > 1 and numbers.notna().all() and (numbers.diff().dropna() == 1).all() and numbers.iloc[0] in (0, 1):
            return column
    return None


def _span(frame: pd.DataFrame) -> tuple[str, str] | None:
    """Columns of the beginning and end of an interval of time, as numbers."""
    names = {known_name(column): column for column in frame}
    for start, stop in SPANS:
        if start in names and stop in names and is_numeric(frame[names[start]]) and is_numeric(frame[names[stop]]):
            return names[start], names[stop]
    return None


def _numbered(found: Recognised) -> tuple[Recognised, str]:
    """Every row is a patient of its own, known by its number; and the first of these ids."""
    frame, width = found.frame.copy(), max(3, len(str(len(found.frame))))
    ids = [f"P{number:0{width}d}" for number in range(1, len(frame) + 1)]
    frame.insert(0, NUMBERED, ids)
    return replace(found, frame=frame, columns={**found.columns, "patient_id": NUMBERED}), ids[0]


def _refuse_without_id(found: Recognised) -> None:
    repeated = [column for column in found.frame if known_name(column) in REPEATED and found.frame[column].nunique() > 1]
    why = _span(found.frame) or repeated[:1]
    if why:
        message = (
            f"several rows belong to one patient, as {', '.join(map(shown, why))} says, and no column tells whose they are: "
            "add a column of patient ids (patient_id, subject, id ...)"
        )
        raise ProblemsFound([Problem("E003", message, file=found.sheet)])


def _asked(found: Recognised, patient: str, questions: Questions) -> tuple[Recognised, list[str]]:
    """Ask what several rows of a patient mean, and do it."""
    frame, span = found.frame, _span(found.frame)
    rows, patients = len(frame), frame[patient].nunique()
    options = {
        FIRST: f"{patients} patients, each with the first of the rows as they stand in the file",
        LAST: f"{patients} patients, each with the last of the rows as they stand in the file",
        EACH: f"{rows} patients, every row is one: {patient} begins anew, as in another group or centre",
    }
    pair, starts = None, None
    if span:
        starts = pd.to_numeric(frame[span[0]], errors="coerce").groupby(frame[patient]).min()
        pair = _event_of(frame, span, questions)
        if pair and (starts <= 0).all():
            options = {
                FIRST_EVENT: f"{patients} patients, each until the end of the first interval with an event, or of the last interval; "
                "everything else as in the first row"
            }
        elif pair:
            message = (
                f"{int((starts > 0).sum())} patients are observed only from after time zero on ({shown(span[0])} begins above 0): "
                "an analysis of such delayed entry is not offered; one row per patient, with time from entry, is needed"
            )
            raise ProblemsFound([Problem("E003", message, file=found.sheet, column=shown(span[0]))])
    what = f"intervals from {span[0]} to {span[1]}" if span else "repeated events, paired organs or visits"
    text = f"{rows} rows are of {patients} patients, told by {patient}: {what}. Which rows make the analysis?"
    answer = questions.ask("rows", text, options, first=len(options) > 1)
    if answer == FIRST_EVENT and pair:
        codes = _codes_by_patient(frame, patient, pair, questions)
        if codes:
            reduced = _until_first_event(frame, patient, pair, codes).drop(columns=[span[0]])
            return _with(found, reduced), [f"One row per patient: until the first event in {pair.event}, at {pair.time}."]
    if answer is None and pair and len(options) == 1:  # what its values mean is asked with the same words as later
        _codes_by_patient(frame, patient, pair, questions)
    if answer == EACH:
        found, first = _numbered(found)
        return found, [f"Every row is a patient: numbered, {first} the first, as {patient} is given to several."]
    keep = "last" if answer == LAST or (answer is None and pair) else "first"
    reduced = frame.drop_duplicates(patient, keep=keep)
    if answer is None:
        return _with(found, reduced), []
    if keep == "last":
        return _with(found, reduced), [f"{rows} rows of {patients} patients: the last row of each is taken."]
    return _with(found, reduced), [f"{rows} rows of {patients} patients: the first row of each is taken."]


def _event_of(frame: pd.DataFrame, span: tuple[str, str], questions: Questions) -> Pair | None:
    """The column that says whether an interval ends with an event: by its name, or the only one that may be."""
    others = frame.drop(columns=[span[0]])
    event = next((p.event for p in paired(others, Questions(questions.given)) if p.time == span[1] and p.event), "")
    events = [event] if event else outcome_columns(others.drop(columns=[span[1]]))[1]
    return Pair(span[1], events[0]) if len(events) == 1 else None


def _codes_by_patient(frame: pd.DataFrame, patient: str, pair: Pair, questions: Questions) -> Codes | None:
    """What the event's values mean, asked with the number of patients who ever have each."""
    once = frame.drop_duplicates([patient, pair.event])
    return codes_of(once[pair.event].dropna(), pair.event, questions, patients=frame[patient].nunique())


def _until_first_event(frame: pd.DataFrame, patient: str, pair: Pair, codes: Codes) -> pd.DataFrame:
    times = pd.to_numeric(frame[pair.time], errors="coerce")
    ordered = frame.assign(**{"": times}).sort_values("", kind="stable").drop(columns="")
    happened = ordered[ordered[pair.event].map(codes.roles).eq(EVENT)].drop_duplicates(patient)
    last = ordered.drop_duplicates(patient, keep="last")
    decisive = pd.concat([happened, last[~last[patient].isin(happened[patient])]]).set_index(patient)
    first = ordered.drop_duplicates(patient).sort_index().copy()
    for column in (pair.time, pair.event):
        first[column] = decisive[column].reindex(first[patient]).to_numpy()
    return first


def _with(found: Recognised, frame: pd.DataFrame) -> Recognised:
    return replace(found, frame=frame, columns={ours: theirs for ours, theirs in found.columns.items() if theirs in frame})


def with_one_row_per_patient(frame: pd.DataFrame, patient: str) -> tuple[pd.DataFrame, str]:
    """Spread a table with one row per patient and endpoint to one row per patient.

    Parameters
    ----------
    frame : DataFrame of text
    patient : str
        Its column of patient ids.

    Returns
    -------
    frame : DataFrame of text
        What differs between the rows of a patient stands in one column per row: `time_etype_1`, `time_etype_2`.
        As it was, where no column says that the rows are different endpoints.
    key : str
        The column that told the rows apart; empty where nothing was done.
    """
    rows = frame.groupby(patient, sort=False).size()
    if rows.empty or rows.nunique() != 1 or not 1 < rows.iloc[0] <= MOST_ROWS_PER_PATIENT:
        return frame, ""
    varying = [
        name for name in frame if name != patient and (frame.groupby(patient)[name].nunique(dropna=False) > 1).any()
    ]
    keys = [
        name
        for name in varying
        if known_name(name) in ENDPOINT_KEYS and frame[name].nunique() == rows.iloc[0] and not frame.duplicated([patient, name]).any()
    ]
    if not keys:
        return frame, ""
    key = keys[0]
    spread = [name for name in varying if name != key]
    fixed = frame.drop(columns=varying).drop_duplicates(patient)
    parts = [
        part.set_index(patient)[spread].add_suffix(f"_{plain_name(key)}_{plain_name(value)}")
        for value, part in frame.groupby(key, sort=True)
    ]
    return fixed.join(pd.concat(parts, axis="columns"), on=patient), key
