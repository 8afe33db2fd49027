"""Frames of the tumour's course per patient: every assessment, best response, duration of response, treatments.

Computes no statistic. Response at one visit is derived in derived, the rule itself in recist.
"""

from __future__ import annotations

__all__ = ["assessment_frame", "course_frame", "lesion_frame", "treatment_frame"]

import pandas as pd

from lib.dataset.dataset import Dataset, once_per_dataset
from lib.dataset.derived import why_not_seen
from lib.dataset.progression import measured_responses
from lib.intake import recist
from lib.study.study import present

BEST_FIRST = ("CR", "PR", "SD", "PD", "NE")
RESPONDED = ("CR", "PR")
# Dates that show that somebody was alive; the last of them ends a patient's bar.
SEEN = ("last_contact_date", "last_tumour_assessment")


def assessment_frame(data: Dataset) -> pd.DataFrame:
    """Every assessment with its real time, the derived response and the reader's.

    Returns
    -------
    DataFrame, one row per patient and assessment, in order of date
        patient_id, arm, visit, date, time (since time zero, the study's unit; the baseline may lie before it), day,
        percent_change (of what the rule adds up, from baseline), response (CR, PR, SD, PD, NE; None at
        baseline), reader (the reader's category or None), known (bool: up to and including the first progression).
    """
    rows = measured_responses(data, present(data.response))
    own = data.patients.set_index("patient_id")[["arm", "time_zero"]]
    rows = rows.join(own, on="patient_id").rename(columns={"assessment_date": "date"})
    rows["day"] = (rows["date"] - rows["time_zero"]).dt.days
    rows["time"] = rows["day"] / data.study.time.days_per_unit
    rows["response"] = rows["response"].astype(object).where(rows["response"].notna(), None)
    rows["reader"] = _readings(data, rows)
    progressed = rows["response"].eq("PD")
    rows["known"] = progressed.groupby(rows["patient_id"]).cumsum() - progressed == 0
    columns = ["patient_id", "arm", "visit", "date", "time", "day", "percent_change", "response", "reader"]
    return rows.sort_values(["patient_id", "date"])[[*columns, "known"]].reset_index(drop=True)


def _readings(data: Dataset, rows: pd.DataFrame) -> pd.Series:
    readings = data.tables.get("assessments", pd.DataFrame())
    if "reader_response" not in readings:
        return pd.Series(None, index=rows.index, dtype=object)
    by_date = readings.drop_duplicates(["patient_id", "assessment_date"])
    found = rows[["patient_id", "date"]].merge(
        by_date[["patient_id", "assessment_date", "reader_response"]],
        how="left",
        left_on=["patient_id", "date"],
        right_on=["patient_id", "assessment_date"],
    )["reader_response"]
    return found.astype(object).where(found.notna(), None).set_axis(rows.index)


@once_per_dataset
def course_frame(data: Dataset) -> pd.DataFrame:
    """The course of every patient's tumour, from the first assessment to the last, whatever treatment followed.

    Best response: the best of CR, PR, SD before the first progression, else PD, else NE; SD earlier than
    `stable_days` after time zero is NE. Confirmed: a response that the next evaluable assessments still show at
    least `confirmation_days` later. Duration: from the first response to progression or death, else censored at the
    last assessment.

    Returns
    -------
    DataFrame, one row per patient
        patient_id, arm, best_response (CR, PR, SD, PD, NE, or why there is none: died, missing, not due), responder,
        controlled, confirmed (bool), best_change (smallest change of what the rule adds up, up to the first
        progression, %), no_change (why there is none, else ""), and in the study's unit from time zero: response_time,
        progression_time, last_assessment, follow_up; died (bool), duration, duration_event (bool, True = progressed
        or died).
    """
    patients = data.patients.reset_index(drop=True)
    rows = assessment_frame(data)
    after = rows[rows["response"].notna()]
    reasons = why_not_seen(data, min((v for v in present(data.study.visits).schedule if v > 0), default=0.0))
    courses = _courses(after, patients["patient_id"], reasons.reset_index(drop=True), data)
    frame = patients[["patient_id", "arm"]].join(courses)
    frame["responder"] = frame["best_response"].isin(RESPONDED)
    frame["controlled"] = frame["best_response"].isin([*RESPONDED, "SD"])
    death = _time(data, patients, "death_date")
    frame["died"] = death.notna()
    seen = pd.concat([frame["last_assessment"], *(_time(data, patients, column) for column in SEEN)], axis=1)
    frame["follow_up"] = death.fillna(seen.max(axis=1)).fillna(0.0)
    ended = pd.concat([frame["progression_time"], death], axis=1).min(axis=1)
    frame["duration_event"] = frame["responder"] & ended.notna()
    frame["duration"] = ended.fillna(frame["last_assessment"]) - frame["response_time"]
    return frame


def _courses(rows: pd.DataFrame, patient_ids: pd.Series, reasons: pd.Series, data: Dataset) -> pd.DataFrame:
    """A row per patient: `rows` are all assessments after the baseline, in order of date, `reasons` why there may be none."""
    rule, response, own = present(data.response), rows["response"], rows["patient_id"]
    early = response.eq("SD") & (rows["day"] < rule.stable_days)
    of_each = {
        "best_response": response.mask(early, "NE").map({category: place for place, category in enumerate(BEST_FIRST)}),
        "best_change": rows["percent_change"].where(rows["known"]),
        "response_time": rows["time"].where(response.isin(RESPONDED)),
        "progression_time": rows["time"].where(response.eq("PD")),
    }
    found = pd.DataFrame(of_each).groupby(own).min().assign(last_assessment=rows.groupby("patient_id")["time"].max())
    found = found.reindex(patient_ids).reset_index(drop=True)
    unmeasured = reasons.map({"died": "died before the first assessment", "not due": "first assessment not yet due"})
    why = unmeasured.fillna("no assessment after baseline").mask(patient_ids.isin(own), f"no {rule.measured} to compare")
    confirmed = _confirmed(rows, rule.confirmation_days) if rule.confirmation_days is not None else []
    return pd.DataFrame({
        "best_response": found["best_response"].map(dict(enumerate(BEST_FIRST))).astype(object).fillna(reasons),
        "confirmed": patient_ids.isin(confirmed), "best_change": found["best_change"],
        "no_change": why.where(found["best_change"].isna(), ""),
        **{name: found[name] for name in ("response_time", "progression_time", "last_assessment")},
    })  # fmt: skip


def _confirmed(rows: pd.DataFrame, days: int) -> pd.Index:
    """Patients of whom some response is still one, without anything else between, at least `days` later."""
    rows = rows[rows["response"] != "NE"]
    good = rows["response"].isin(RESPONDED)
    runs = rows.assign(run=(~good).cumsum())[good]  # constant as long as every assessment is a response
    lengths = runs.groupby(["patient_id", "run"])["day"].agg(["min", "max"])
    return lengths.index.get_level_values(0)[lengths["max"] - lengths["min"] >= days]


def _time(data: Dataset, patients: pd.DataFrame, column: str) -> pd.Series:
    """Time since time zero of a date column, in the study's unit; missing where the study has no such column."""
    dates = patients[column] if column in patients else pd.Series(pd.NaT, patients.index)
    return (dates - patients["time_zero"]).dt.days / data.study.time.days_per_unit


@once_per_dataset
def lesion_frame(data: Dataset) -> pd.DataFrame:
    """Volume of every target lesion at every visit, each once.

    Returns
    -------
    DataFrame, one row per lesion and visit
        patient_id, arm, lesion_id, visit, value (cm3, > 0: a vanished lesion counts as too small to measure).
    """
    rule = present(data.study.response)
    rows = recist.derive_lesion_volume(data.tables["lesions"], data.tables["measurements"], rule.too_small_mm)
    rows = rows.sort_values(["patient_id", "lesion_id", "assessment_date"]).drop_duplicates(["lesion_id", "visit"])
    arm = data.patients.set_index("patient_id")["arm"]
    rows["arm"] = pd.Categorical(rows["patient_id"].map(arm), categories=arm.cat.categories, ordered=True)
    columns = ["patient_id", "arm", "lesion_id", "visit"]
    return rows.rename(columns={"volume_cm3": "value"})[[*columns, "value"]].reset_index(drop=True)


def treatment_frame(data: Dataset) -> pd.DataFrame:
    """Treatments on the time axis of the study.

    Returns
    -------
    DataFrame, one row per patient, component and course
        patient_id, component (label), kind (drug or local), line (1 = study treatment), start, end (the study's unit
        since time zero; missing = going on when last seen).
    """
    columns = ["patient_id", "component", "kind", "line", "start", "end"]
    if not data.holds("treatments"):
        return pd.DataFrame(columns=columns)
    rows = data.tables["treatments"].merge(data.patients[["patient_id", "time_zero"]], on="patient_id")
    known = {c.id: c for c in data.study.treatments.components} if data.study.treatments else {}
    rows["kind"] = [known[c].kind if c in known else "drug" for c in rows["component"]]
    rows["component"] = [known[c].label if c in known else c for c in rows["component"]]
    rows["line"] = rows["line"].fillna(1).astype(int) if "line" in rows else 1
    rows["start"], end = _time(data, rows, "start_date"), _time(data, rows, "end_date")
    return rows.assign(end=end)[columns].drop_duplicates().reset_index(drop=True)
