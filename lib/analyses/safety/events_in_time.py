"""Adverse events in time: rates per person-time at risk, first events with death competing, onset, courses.

Who is at risk when stands in `at_risk`; counts of patients, whenever it was, stand in events.
"""

from __future__ import annotations

__all__ = ["MOST_TERMS", "HarmsInTime", "analyse", "at_risk", "course_frame"]

import pandas as pd

from lib.analyses.policy import withhold
from lib.analyses.result import PATIENTS, Absent, Analysis, requires
from lib.analyses.safety.events import kinds_of_events
from lib.analyses.scale import left_at_risk
from lib.dataset.dataset import Dataset, once_per_dataset
from lib.statistics import rates
from lib.statistics.survival import competing
from lib.statistics.survival.event_table import OVERALL

DAYS_PER_YEAR, PER = 365.25, 100
# Rates are shown for so many terms, by number of patients.
MOST_TERMS = 10


class HarmsInTime(Analysis):
    """Adverse events: rates, first events, onset."""


@requires("adverse_events")
def analyse(data: Dataset) -> HarmsInTime | Absent:
    """Adverse events against the time in which they could have been seen.

    Parameters
    ----------
    data : Dataset
        With the table adverse_events.

    Returns
    -------
    HarmsInTime
        `ae_rate` (events with onset at risk per 100 patient-years at risk), `ae_first_rate` (patients with a first
        event per 100 patient-years until then), `ae_rate_ratio`, `ae_first_rate_ratio` (each pair of arms); `variable` names the
        kind (any, severe) or the term. `ae_onset` (events by where their onset lies: in the risk window of a
        component, in none, before time zero). `ae_first` (cumulative incidence of the first event at the landmarks of
        study.yml, death competing), `ae_first_at_risk` (at the ticks of the figure), `ae_first_gray`; `events_drawn` (patients with an event, and events, as the picture of
        all courses holds them). Data: `curve` (its steps), `courses` (one row per event).
        Absent for a study that does not say when observation began and ended.
    """
    risk = at_risk(data)
    if risk is None:
        return Absent("This study does not record when observation began or ended, so there is no person-time.")
    events, level = _emergent(data, risk), data.parameters.level
    parts = _parts(data, events)
    every = {name: _events_per_time(data, risk, part) for name, part in parts.items()}
    first = {name: _first_per_time(data, risk, part) for name, part in parts.items()}
    tte = _first_event(data, risk, events)
    frames = {
        "ae_rate": _rates(every, level).assign(unit="events"),
        "ae_first_rate": _rates(first, level, "patients with a first event"),
        "ae_onset": _onset(data, events),
        "ae_first": competing.estimate_cumulative_incidence(tte, data.study.adverse_events.landmarks, level=level),
    }
    if len(data.arms) > 1:
        frames["ae_rate_ratio"] = _ratios(every, data.reference, level)
        frames["ae_first_rate_ratio"] = _ratios(first, data.reference, level)
        frames["ae_first_gray"] = withhold(data, tte, competing.compare_gray(tte))
    frames["events_drawn"] = _drawn(data, course_frame(data))
    curve = competing.estimate_incidence_curve(tte, level=level)
    # Beyond the last event the curves only run on.
    longest = 2 * curve["time"].max() or tte["time"].max()
    frames["ae_first_at_risk"] = left_at_risk(data, tte, min(longest, tte["time"].max()))
    return HarmsInTime(data, "first_event", frames, {"curve": _with_risk(curve, tte), "courses": course_frame(data), "competing": tte})


def _drawn(data: Dataset, courses: pd.DataFrame) -> pd.DataFrame:
    """Patients with an event of all in the arm, and their events."""
    groups = [arm.id for arm in data.arms] + ([OVERALL] if len(data.arms) > 1 else [])
    own = {group: courses if group == OVERALL else courses[courses["arm"] == group] for group in groups}
    size = {**data.n, OVERALL: len(data.patients)}
    rows = [("patients", g, own[g]["patient_id"].nunique(), size[g], PATIENTS) for g in groups]
    rows += [("events", g, len(own[g]), len(own[g]), "events") for g in groups]
    frame = pd.DataFrame(rows, columns=["variable", "group", "count", "n", "unit"])
    return frame.assign(method="count of what a picture shows", note="")


def at_risk(data: Dataset) -> pd.DataFrame | None:
    """Days in which an adverse event of each patient counts.

    The union of the risk windows of the components the patient received as study treatment, each from the start of
    the component to so many days after its anchor (without an end: still given), cut at time zero and at the last
    contact or the data cut-off. Where a study declares no windows: from time zero to that end.

    Returns
    -------
    DataFrame, one row per patient and stretch without a gap
        patient_id, arm, zero (time zero), start, end (dates, the last day included). None if a date is not recorded.
    """
    patients = data.patients
    if "time_zero" not in patients or not ("last_contact_date" in patients or data.cutoff is not None):
        return None
    return _stretches(data)


@once_per_dataset
def _stretches(data: Dataset) -> pd.DataFrame:
    """As `at_risk`, of a study that records the dates."""
    patients = data.patients
    zero = patients["time_zero"]
    last = patients["last_contact_date"] if "last_contact_date" in patients else pd.Series(pd.NaT, patients.index)
    last = last.fillna(pd.Timestamp(data.cutoff)) if data.cutoff is not None else last
    if data.cutoff is not None:
        last = last.clip(upper=pd.Timestamp(data.cutoff))
    own = patients[["patient_id", "arm"]].assign(zero=zero, last=last)
    windows = _windows(data)
    if windows is None:
        return own.assign(start=own["zero"], end=own["last"]).drop(columns="last").reset_index(drop=True)
    spans = windows.merge(own, on="patient_id")
    spans["start"] = spans["start"].clip(lower=spans["zero"])
    spans["end"] = spans["until"].fillna(pd.Timestamp.max).clip(upper=spans["last"])
    spans = spans[spans["end"] >= spans["start"]].sort_values(["patient_id", "start", "end"])
    # A stretch begins where a window starts after everything before it has ended.
    before = spans.groupby("patient_id")["end"].cummax().groupby(spans["patient_id"]).shift()
    stretch = (before.isna() | (spans["start"] > before)).cumsum()
    union = spans.groupby(["patient_id", stretch], sort=True).agg(
        arm=("arm", "first"), zero=("zero", "first"), start=("start", "min"), end=("end", "max")
    )
    return union.reset_index("patient_id").reset_index(drop=True)


def _windows(data: Dataset) -> pd.DataFrame | None:
    """Risk windows of every patient and component: patient_id, component, start, until; None if none is declared."""
    # Markers can be watched for harm in a study that declares no adverse events.
    declared = data.study.adverse_events.risk_windows if data.study.adverse_events else ()
    if not declared or not data.holds("treatments"):
        return None
    given = data.tables["treatments"]
    given = given[given["line"].fillna(1) == 1] if "line" in given else given
    parts = []
    for window in declared:
        rows = given[given["component"] == window.component]
        anchor = rows["start_date"] if window.anchor == "start" else rows["end_date"]
        until = anchor + pd.Timedelta(days=window.days)
        parts.append(rows[["patient_id", "component"]].assign(start=rows["start_date"], until=until))
    return pd.concat(parts, ignore_index=True)


def _emergent(data: Dataset, risk: pd.DataFrame) -> pd.DataFrame:
    """Every event with its arm, and whether its onset lies in the time at risk (`inside`)."""
    events = data.tables["adverse_events"].reset_index(drop=True)
    pairs = events[["patient_id", "onset_date"]].reset_index().merge(risk, on="patient_id")
    inside = pairs["onset_date"].between(pairs["start"], pairs["end"])
    arm = data.patients.set_index("patient_id")["arm"].astype(str)
    known = events.index.isin(pairs.loc[inside, "index"])
    return events.assign(arm=events["patient_id"].map(arm), inside=known)


def _parts(data: Dataset, events: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Events at risk: any, severe, and the most frequent terms."""
    inside = events[events["inside"]]
    kinds = kinds_of_events(data, inside)
    common = inside.groupby(inside["term"].astype(str))["patient_id"].nunique()
    terms = sorted(common.index, key=lambda term: (-common[term], term))[:MOST_TERMS]
    return {kind: inside[kinds[kind]] for kind in ("any", "severe")} | {t: inside[inside["term"] == t] for t in terms}


def _years(data: Dataset, spans: pd.DataFrame) -> list[float]:
    """Patient-years of each arm."""
    days = (spans["end"] - spans["start"]).dt.days.groupby(spans["arm"].astype(str)).sum()
    return [float(days.get(arm.id, 0)) / DAYS_PER_YEAR for arm in data.arms]


def _events_per_time(data: Dataset, risk: pd.DataFrame, part: pd.DataFrame) -> pd.DataFrame:
    counts = part["arm"].value_counts()
    groups = [arm.id for arm in data.arms]
    n_events = [int(counts.get(group, 0)) for group in groups]
    return pd.DataFrame({"group": groups, "n_events": n_events, "person_time": _years(data, risk)})


def _first_per_time(data: Dataset, risk: pd.DataFrame, part: pd.DataFrame) -> pd.DataFrame:
    """Patients with an event, and the time at risk until it."""
    onset = risk["patient_id"].map(part.groupby("patient_id")["onset_date"].min())
    until = risk.assign(end=risk["end"].where(onset.isna() | (onset > risk["end"]), onset))
    return _events_per_time(data, until[until["end"] >= until["start"]], part.drop_duplicates("patient_id"))


def _rates(parts: dict[str, pd.DataFrame], level: float, what: str = "events") -> pd.DataFrame:
    found = [rates.estimate_rate(part, level, PER).assign(variable=name) for name, part in parts.items()]
    method = f"{what} per {PER} patient-years at risk, exact Poisson interval"
    return pd.concat(found, ignore_index=True).rename(columns={"n_events": "count"}).assign(method=method)


def _ratios(parts: dict[str, pd.DataFrame], reference: str, level: float) -> pd.DataFrame:
    found = [rates.compare_rates(part, reference, level).assign(variable=name) for name, part in parts.items()]
    return pd.concat(found, ignore_index=True)


def _onset(data: Dataset, events: pd.DataFrame) -> pd.DataFrame:
    """Events by where their onset lies; an event in the windows of two components counts in both."""
    zero = data.patients.set_index("patient_id")["time_zero"]
    early = events["onset_date"] < events["patient_id"].map(zero)
    places = {"any window": events["inside"], "outside": ~events["inside"] & ~early, "before time zero": early}
    windows = _windows(data)
    for component in [] if windows is None else dict.fromkeys(windows["component"]):
        own = windows[windows["component"] == component]
        pairs = events[["patient_id", "onset_date"]].reset_index().merge(own, on="patient_id")
        covered = pairs["onset_date"].between(pairs["start"], pairs["until"].fillna(pd.Timestamp.max))
        places[f"window {component}"] = pd.Series(events.index.isin(pairs.loc[covered, "index"]), events.index)
    groups = [arm.id for arm in data.arms] + (["overall"] if len(data.arms) > 1 else [])
    rows = []
    for place, found in places.items():
        for group in groups:
            own = pd.Series(True, events.index) if group == "overall" else events["arm"] == group
            rows.append((place, group, int((found & own).sum()), int(own.sum())))
    frame = pd.DataFrame(rows, columns=["variable", "group", "count", "n"])
    return frame.assign(method="count of events by onset", note="", unit="events")


def _first_event(data: Dataset, risk: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """Time from time zero to the first event at risk, death competing; censored where the time at risk ends.

    patient_id, arm, time (in the study's unit), event, cause (0 censored, 1 event, 2 death). A patient who was never
    at risk is censored at time zero.
    """
    patients = data.patients.reset_index(drop=True)
    end = patients["patient_id"].map(risk.groupby("patient_id")["end"].max())
    onset = patients["patient_id"].map(events[events["inside"]].groupby("patient_id")["onset_date"].min())
    died = patients["death_date"] if "death_date" in patients else pd.Series(pd.NaT, patients.index)
    zero = patients["time_zero"]
    cause = onset.notna().astype(int).where(onset.notna() | ~(died <= end), 2)
    stop = onset.fillna(end).fillna(zero)
    days = (stop - zero).dt.days
    frame = patients[["patient_id", "arm"]].assign(time=days / data.study.time.days_per_unit, event=cause == 1)
    return frame.assign(cause=cause)


def _with_risk(curve: pd.DataFrame, tte: pd.DataFrame) -> pd.DataFrame:
    """Steps with the numbers at risk just before, and leaving at, each, up to the last time seen in an arm."""
    times = {str(arm): own["time"] for arm, own in tte.groupby("arm", observed=True)}
    last = curve.groupby("group", sort=False).tail(1)
    last = last[last["group"].astype(str).isin(times)]
    end = [max(times[str(group)].max(), time) for group, time in zip(last["group"], last["time"], strict=True)]
    curve = pd.concat([curve[curve["group"].astype(str).isin(times)], last.assign(time=end)], ignore_index=True)
    n_risk = [int((times[str(r.group)] >= r.time).sum()) for r in curve.itertuples()]
    left = [tte[(tte["arm"].astype(str) == str(r.group)) & (tte["time"] == r.time)]["cause"] for r in curve.itertuples()]
    first = [int((causes == 1).sum()) for causes in left]
    return curve.assign(n_risk=n_risk, n_events=first, n_censored=[len(c) - n for c, n in zip(left, first, strict=True)])


@once_per_dataset
def course_frame(data: Dataset) -> pd.DataFrame:
    """Every event as a stretch of time since time zero.

    Returns
    -------
    DataFrame, one row per event, sorted by arm, patient and onset
        patient_id, arm, term, grade, start, end (in the study's unit), ongoing (no end recorded: shown to the last
        contact or cut-off), and the table's other columns.
    """
    events, patients = data.tables["adverse_events"], data.patients.set_index("patient_id")
    zero = events["patient_id"].map(patients["time_zero"])
    last = pd.Series(pd.Timestamp(data.cutoff) if data.cutoff else pd.NaT, events.index)
    if "last_contact_date" in patients:
        last = events["patient_id"].map(patients["last_contact_date"]).fillna(last)
    ongoing = events["end_date"].isna()
    end = events["end_date"].fillna(last).fillna(events["onset_date"])
    unit = data.study.time.days_per_unit
    frame = events.assign(
        arm=pd.Categorical(
            events["patient_id"].map(patients["arm"].astype(str)), [a.id for a in data.arms], ordered=True
        ),
        start=(events["onset_date"] - zero).dt.days / unit,
        end=(end - zero).dt.days / unit,
        ongoing=ongoing,
    )
    return frame.sort_values(["arm", "patient_id", "start", "term"], ignore_index=True)
