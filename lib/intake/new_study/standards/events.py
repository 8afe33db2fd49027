"""ADAE or AE -> adverse events; EX -> treatments: in the words of the data model."""

from __future__ import annotations

__all__ = ["adverse_events", "treatments"]

import pandas as pd

from lib.intake.new_study.recognition import Recognised, is_numeric
from lib.intake.new_study.standards.datasets import ID, Datasets, first_filled

RELATED = {
    "drug": {"y", "yes", "related", "possible", "possibly related", "probable", "probably related", "definite", "definitely related", "certain"},
    "no": {"n", "no", "none", "not related", "unrelated"},
}
ACTIONS = {
    "none": {"dose not changed", "none"}, "reduced": {"dose reduced"},
    "interrupted": {"drug interrupted", "dose interrupted"}, "stopped": {"drug withdrawn", "permanently discontinued"},
}  # fmt: skip
EMERGENT, ALL_EVENTS = "emergent", "all"
EARLIEST, LEAVE_OUT = "earliest", "leave out"


def adverse_events(found: Datasets, patients: Recognised) -> Recognised | None:
    """One row per event; which events count, and what an incomplete onset is, is asked."""
    frame = found.frame("ADAE", "AE")
    if frame is None:
        return None
    if "AEOCCUR" in frame and frame["AEOCCUR"].eq("N").any():
        found.said.append(f"{frame['AEOCCUR'].eq('N').sum()} events that did not occur (AEOCCUR is N) are left out.")
        frame = frame[~frame["AEOCCUR"].eq("N")]
    frame = _emergent(found, frame)
    term = first_filled(frame, "AEDECOD", "AETERM")
    frame = frame.assign(term=term)[term.notna()]
    events = pd.DataFrame({"patient_id": frame[ID], "term": frame["term"]}, frame.index)
    events["system"] = first_filled(frame, "AEBODSYS", "AESOC")
    grades = [v for v in ("AETOXGR", "ATOXGR", "AESEV", "ASEV") if v in frame and frame[v].notna().any()]
    if not grades:
        found.missing.append(f"{found.sheet('ADAE', 'AE')} has neither AETOXGR nor AESEV: no table of adverse events")
        return None
    # two scales in one column would be none; that of which most events have a grade
    grade = max(grades, key=lambda v: frame[v].notna().sum())
    events["grade"] = frame[grade]
    found.said.append(f"The severity of adverse events is {grade}.")
    events["onset_date"] = _onset(found, frame, patients)
    events["end_date"] = found.days(frame, "AENDT", "AEENDTC")
    if "AEREL" in frame:
        events["related"] = _related(found, frame["AEREL"])
    if "AEACN" in frame:
        events["action"] = frame["AEACN"].str.casefold().map({word: ours for ours, called in ACTIONS.items() for word in called})
    for ours, theirs in (("serious", "AESER"), ("outcome", "AEOUT")):
        if theirs in frame:
            events[ours] = frame[theirs]
    if "serious" in events:
        events["serious"] = events["serious"].map({"Y": "1", "N": "0", "1": "1", "0": "0"}).astype(object)
    if found.questions.answered.get("incomplete onset") == LEAVE_OUT:
        events = events[events["onset_date"].notna()]
    events = events.dropna(axis="columns", how="all").astype(object)
    events = events.where(events.notna(), None)
    return Recognised("adverse_events", found.sheet("ADAE", "AE"), events, {c: c for c in events})


def _emergent(found: Datasets, frame: pd.DataFrame) -> pd.DataFrame:
    if "TRTEMFL" not in frame or frame["TRTEMFL"].eq("Y").all() or not frame["TRTEMFL"].eq("Y").any():
        return frame
    emergent = frame["TRTEMFL"].eq("Y")
    options = {EMERGENT: f"{emergent.sum()} of {len(frame)} events count, those of TRTEMFL", ALL_EVENTS: f"all {len(frame)} events count"}
    answer = found.questions.ask("adverse events", "Which adverse events count: those that began under treatment, or all?", options)
    return frame[emergent] if answer == EMERGENT else frame


def _onset(found: Datasets, frame: pd.DataFrame, patients: Recognised) -> pd.Series:
    """The day of onset; where it is not whole, the earliest that it can be under treatment, or the event is left out, as answered."""
    said = first_filled(frame, "ASTDT", "AESTDTC")
    onset = found.days(frame, "ASTDT", "AESTDTC")
    open_ = onset.isna()
    if not open_.any():
        return onset
    text = f"{open_.sum()} of {len(frame)} adverse events have no whole day of onset. What becomes of them?"
    options = {
        EARLIEST: "they begin on the first day of the month or year that is known, on time zero where that is later in it or nothing is known",
        LEAVE_OUT: f"{(~open_).sum()} events count",
    }
    if found.questions.ask("incomplete onset", text, options) != EARLIEST:
        return onset
    zero = patients.frame.set_index(ID)["time_zero"] if "time_zero" in patients.frame else pd.Series(dtype=object)
    zeros = frame[ID].map(zero.dropna().drop_duplicates() if not zero.index.is_unique else zero)
    for row in frame.index[open_]:
        known = str(said[row] or "")
        known = known if known[:4].isdigit() else ""
        known = known[:7] if len(known) >= 7 and known[5:7].isdigit() else known[:4]
        begins = zeros[row] if isinstance(zeros[row], str) and zeros[row].startswith(known) else None
        onset[row] = begins or (f"{known}-01-01"[:10] if len(known) == 4 else f"{known}-01" if known else None)
    return onset


def _related(found: Datasets, cells: pd.Series) -> pd.Series:
    roles = {word: ours for ours, called in RELATED.items() for word in called}
    meaning = {}
    for value in sorted(cells.dropna().unique()):
        meaning[value] = roles.get(value.casefold())
        if meaning[value] is None:
            count = cells.eq(value).sum()
            options = {"related": f"{count} events are related to the drug by it", "not related": f"{count} events are not"}
            answer = found.questions.ask(f"AEREL = {value}", f"Is an event related to the drug whose AEREL is {value}?", options)
            meaning[value] = answer and {"related": "drug", "not related": "no"}[answer]
    related = [value for value, ours in meaning.items() if ours == "drug"]
    found.said.append(f"Related to the drug are events whose AEREL is {', '.join(related) or '(none)'}.")
    return cells.map(meaning)


def treatments(found: Datasets) -> Recognised | None:
    """One row per patient and drug: from the first day to the last, the first dose and the lowest."""
    frame = found.frame("EX")
    if frame is None:
        return None
    frame = frame.assign(start=found.days(frame, "EXSTDTC"), end=found.days(frame, "EXENDTC")).dropna(subset="EXTRT")
    begun = frame["start"].notna()
    if not begun.all():
        found.said.append(f"{(~begun).sum()} rows of EX without a day of the start are left out.")
        frame = frame[begun]
    if frame.empty:
        return None
    frame = frame.sort_values("start", kind="stable")
    groups = frame.groupby([ID, "EXTRT"], sort=False)
    given = pd.DataFrame({"start_date": groups["start"].min(), "end_date": groups["end"].max()})
    if "EXDOSE" in frame and is_numeric(frame["EXDOSE"]):
        doses = frame.assign(dose=pd.to_numeric(frame["EXDOSE"], errors="coerce")).groupby([ID, "EXTRT"], sort=False)["dose"]
        for ours, numbers in (("start_dose", doses.first()), ("lowest_dose", doses.min())):
            given[ours] = numbers.map(lambda number: f"{number:g}", na_action="ignore")
    given = given.reset_index().rename(columns={ID: "patient_id", "EXTRT": "component"}).astype(object)
    given.index = pd.RangeIndex(2, 2 + len(given), name="row")
    if len(given) < len(frame):
        found.said.append(f"{len(frame)} rows of EX are {len(given)} treatments: from the first day of a drug to the last, pauses within them.")
    given = given.where(given.notna(), None).dropna(axis="columns", how="all")
    return Recognised("treatments", found.sheet("EX"), given, {c: c for c in given})
