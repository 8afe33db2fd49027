"""Rules about laboratory markers, treatments and adverse events."""

from __future__ import annotations

__all__ = ["RULES"]

import difflib

import pandas as pd

from lib.intake.evidence import ONE_DAY, Evidence, look_up, needs
from lib.intake.recist import BASELINE_VISIT
from lib.study.yaml_file import Problem


@needs("markers.marker", "markers.value")
def marker_values(e: Evidence) -> list[Problem]:
    """E060, W046: a value on a log scale is positive; 0 needs below_limit and its limit; a value above the limit is that limit; without a value nothing was measured."""
    samples = e["markers"]
    log = samples["marker"].isin([marker.id for marker in e.study.markers if marker.scale == "log"])
    value, limited = samples["value"], samples["below_limit"] & samples["limit"].gt(0)
    above = samples["above_limit"].fillna(False).astype(bool)
    empty = samples[e.text("markers", "value").isna() & ~limited & ~above]
    unlimited = samples[samples["below_limit"] & ~samples["limit"].gt(0)]
    return [
        *e.problems("E060", "markers", samples[log & (value < 0)], "value", "must be above 0"),
        *e.problems("E060", "markers", samples[log & value.eq(0) & ~limited], "value",
                    "must be above 0; a value below the limit has below_limit 1 and the limit"),
        *e.problems("E060", "markers", unlimited, "limit", "below_limit is 1, so the limit must be given"),
        *e.problems("E060", "markers", samples[above & ~value.gt(0)], "value", "above_limit is 1, so this must be the upper limit of the assay, above 0"),
        *e.problems("E060", "markers", samples[above & samples["below_limit"]], "above_limit",
                    "below_limit is 1 too: a value is below the lower limit or above the upper one"),
        *e.problems("W046", "markers", empty, "value", "is empty: the sample counts as not measured"),
    ]  # fmt: skip


@needs("markers.marker", "markers.value")
def ordinal_values(e: Evidence) -> list[Problem]:
    """E060: a value on an ordinal scale is one of its levels, measured, and below no limit."""
    samples, problems = e["markers"], []
    for marker in e.study.markers:
        own = samples[samples["marker"].eq(marker.id)] if marker.levels else samples.iloc[:0]
        message = f"not a level of {marker.short}; there are {', '.join(level.value for level in marker.levels)}"
        problems += e.problems("E060", "markers", own[own["value"].notna() & ~own["value"].isin(marker.codes)], "value", message)
        problems += e.problems("E060", "markers", own[own["below_limit"]], "below_limit", f"{marker.short} is ordinal: its levels have no limit of detection")
    return problems


@needs("markers.patient_id", "markers.marker", "markers.visit")
def marker_baseline(e: Evidence) -> list[Problem]:
    """W061: a marker that is followed has a baseline sample, or no change from it."""
    samples, problems = e["markers"], []
    for marker in (marker for marker in e.study.markers if marker.role == "endpoint"):
        own = samples[samples["marker"].eq(marker.id) & samples["patient_id"].notna()]
        with_baseline = own.loc[own["visit"] == BASELINE_VISIT, "patient_id"]
        found = own[~own["patient_id"].isin(with_baseline)].drop_duplicates("patient_id")
        message = f"{marker.short} without a baseline sample (visit {BASELINE_VISIT}): no change can be computed, the patient counts in the values alone"
        problems += e.problems("W061", "markers", found, "visit", message)
    return problems


@needs("markers.marker", "markers.value", "markers.positive")
def positive_agrees(e: Evidence) -> list[Problem]:
    """W062: the laboratory's own "positive" agrees with the limit of study.yml."""
    samples, problems = e["markers"], []
    stated = e.text("markers", "positive").isin(["0", "1"])
    for marker in e.study.markers:
        if marker.interference:
            above = marker.interference.above
            of_other = samples["marker"].eq(marker.interference.marker) & samples["value"].notna() & stated
            beyond = samples["above_limit"].fillna(False).astype(bool) & (samples["value"] >= above)
            found = samples[of_other & (samples["positive"] != ((samples["value"] > above) | beyond))]
            message = f"contradicts the value {{value}}: positive is above {above:g}"
            problems += e.problems("W062", "markers", found, "positive", message)
    return problems


@needs("markers.reference_low", "markers.reference_high")
def reference_limits(e: Evidence) -> list[Problem]:
    """E065: the limits that a laboratory gives beside a value are in order."""
    samples = e["markers"]
    found = samples[samples["reference_low"] >= samples["reference_high"]]
    return e.problems("E065", "markers", found, "reference_low", "must be below reference_high {reference_high}")


@needs("markers.reference_high")
def upper_limits(e: Evidence) -> list[Problem]:
    """E065: an upper limit is above 0, because values are told as its multiples."""
    samples = e["markers"]
    return e.problems("E065", "markers", samples[samples["reference_high"].eq(0)], "reference_high", "must be above 0")


@needs("markers.patient_id", "markers.marker", "markers.state")
def one_state(e: Evidence) -> list[Problem]:
    """W063: samples of a patient are compared in one state only."""
    samples, problems = e["markers"], []
    for marker in (marker for marker in e.study.markers if marker.match_state):
        own = samples[samples["marker"].eq(marker.id) & samples["state"].notna() & samples["patient_id"].notna()]
        own = own.sort_values("sample_date", kind="stable").assign(state=own["state"].astype(object))
        first = own.groupby("patient_id")["state"].transform("first")
        found = own.assign(first=first)[own["state"] != first].sort_index()
        message = f"{{state}}, but the first {marker.short} sample of the patient is {{first}}: not comparable"
        problems += e.problems("W063", "markers", found, "state", message)
    return problems


@needs("markers.marker", "markers.unit")
def marker_units(e: Evidence) -> list[Problem]:
    """E064: units are those that study.yml accepts."""
    samples, problems = e["markers"], []
    for marker in e.study.markers:
        own = samples[samples["marker"].eq(marker.id) & samples["unit"].notna()]
        found = own[~own["unit"].isin(list(marker.units))]
        message = f"not a unit of {marker.short}; accepted are {', '.join(marker.units)}"
        problems += e.problems("E064", "markers", found, "unit", message)
    return problems


def _first_line(e: Evidence) -> pd.DataFrame:
    """Treatments under study, later lines left out."""
    treatments = e["treatments"]
    return treatments[~treatments["line"].gt(1).fillna(False)]


@needs("treatments.component")
def known_components(e: Evidence) -> list[Problem]:
    """E080: a component is one of study.yml; a later therapy has a line of 2 or more."""
    known = [component.id for component in e.study.treatments.components] if e.study.treatments else []
    rows = _first_line(e)
    found = rows[rows["component"].notna() & ~rows["component"].isin(known)]
    near = [", ".join(difflib.get_close_matches(str(name)[:80], known, 1)) or "none" for name in found["component"]]
    message = (
        f"not a component of study.yml ({', '.join(known)}); nearest: {{near}}; a later therapy has line 2 or more"
    )
    return e.problems("E080", "treatments", found.assign(near=near), "component", message)


@needs("patients.arm", "treatments.patient_id", "treatments.component")
def components_of_arm(e: Evidence) -> list[Problem]:
    """E080: patients receive the components of their arm, all of them and no other."""
    patients, rows, problems = e["patients"], _first_line(e), []
    for component in e.study.treatments.components if e.study.treatments else ():
        has = patients["patient_id"].isin(rows.loc[rows["component"] == component.id, "patient_id"])
        due = patients["arm"].isin(component.arms)
        known = patients["arm"].notna() & patients["patient_id"].notna()
        without, surplus = f"arm {{arm}} without {component.id}", f"arm {{arm}} with {component.id}"
        hint = f"; {component.id} belongs to {', '.join(component.arms)} (see {e.sources['treatments'].file})"
        problems += e.problems("E080", "patients", patients[known & due & ~has], "arm", without + hint)
        problems += e.problems("E080", "patients", patients[known & ~due & has], "arm", surplus + hint)
    return problems


@needs("patients.time_zero", "treatments.patient_id", "treatments.start_date")
def starts_at_zero(e: Evidence) -> list[Problem]:
    """E081: time zero is the start of the first component."""
    if not e.study.treatments:
        return []
    rows = e["treatments"].assign(begin=e.of_patient("treatments", "time_zero"))
    early = rows[rows["start_date"] < rows["begin"]]
    patients = e["patients"]
    first = _first_line(e).groupby("patient_id")["start_date"].min()
    patients = patients.assign(first=look_up(patients["patient_id"], first))
    found = patients[(patients["first"] > patients["time_zero"])]
    return [
        *e.problems("E081", "treatments", early, "start_date", f"before {e.zero} {{begin}}"),
        *e.problems("E081", "patients", found, "time_zero", "not the start of the first component, {first}"),
    ]


@needs("treatments.component")
def doses(e: Evidence) -> list[Problem]:
    """E082: doses are those of the component, and the lowest is not above the first."""
    rows, problems = e["treatments"], []
    for component in e.study.treatments.components if e.study.treatments else ():
        own = rows[rows["component"] == component.id]
        allowed = ", ".join(f"{dose:g}" for dose in component.doses)
        for column in ("start_dose", "lowest_dose") if component.doses else ():
            found = own[own[column].notna() & ~own[column].isin(component.doses)]
            message = f"not a dose of {component.id}; allowed are {allowed} {component.dose_unit}"
            problems += e.problems("E082", "treatments", found, column, message)
    found = rows[rows["lowest_dose"] > rows["start_dose"]]
    return [*problems, *e.problems("E082", "treatments", found, "lowest_dose", "above start_dose {start_dose}")]


@needs("treatments.end_date")
def exposure_in_follow_up(e: Evidence) -> list[Problem]:
    """E084, W084: a treatment ends after it starts and by the last contact, or the day after."""
    rows = e["treatments"].assign(contact=e.of_patient("treatments", "last_contact_date"))
    backwards, late = rows["end_date"] < rows["start_date"], rows["end_date"] > rows["contact"] + ONE_DAY
    next_day = (rows["end_date"] > rows["contact"]) & ~late
    return [
        *e.problems("E084", "treatments", rows[backwards], "end_date", "before start_date {start_date}"),
        *e.problems("E084", "treatments", rows[late], "end_date", "after the last contact {contact}"),
        *e.problems("W084", "treatments", rows[next_day], "end_date", "the day after the last contact {contact}: taken as it is"),
    ]


def _fatal_by_rank(e: Evidence) -> pd.Series:
    """Events whose severity is death, on a scale that has one."""
    rank = e.study.adverse_events.fatal if e.study.adverse_events else None
    return e["adverse_events"]["grade"].eq(rank).fillna(False).astype(bool)


def _fatal_by_outcome(e: Evidence) -> pd.Series:
    return e["adverse_events"]["outcome"].eq("fatal")


def _death(e: Evidence) -> str:
    """The severity that is death, in words."""
    return e.study.adverse_events.words(e.study.adverse_events.fatal)


@needs("patients.death_date", "adverse_events.grade")
def fatal_severity(e: Evidence) -> list[Problem]:
    """E071: an event of the severity that is death needs one, on the day the event ends."""
    fatal = _fatal_by_rank(e) & e.of_patient("adverse_events", "patient_id").notna()
    events = e["adverse_events"].assign(died=e.of_patient("adverse_events", "death_date"))[fatal]
    if events.empty:
        return []
    alive, dead = events[events["died"].isna()], events[events["died"].notna()]
    other = dead[dead["died"] != dead["end_date"]]
    return [
        *e.problems("E071", "adverse_events", alive, "grade", f"{_death(e)} is death, but the patient has no death_date"),
        *e.problems("E071", "adverse_events", other, "end_date", f"a {_death(e)} event ends with the death on {{died}}"),
    ]


@needs("patients.death_date", "adverse_events.outcome")
def fatal_outcome(e: Evidence) -> list[Problem]:
    """E071: a fatal outcome needs a death, and an end that is recorded is its day."""
    fatal = _fatal_by_outcome(e) & ~_fatal_by_rank(e) & e.of_patient("adverse_events", "patient_id").notna()
    events = e["adverse_events"].assign(died=e.of_patient("adverse_events", "death_date"))[fatal]
    alive, dead = events[events["died"].isna()], events[events["died"].notna()]
    other = dead[dead["end_date"].notna() & (dead["died"] != dead["end_date"])]
    return [
        *e.problems("E071", "adverse_events", alive, "outcome", "fatal, but the patient has no death_date"),
        *e.problems("E071", "adverse_events", other, "end_date", "a fatal event ends with the death on {died}"),
    ]


@needs("adverse_events.outcome", "adverse_events.grade")
def outcome_agrees(e: Evidence) -> list[Problem]:
    """E071, W076: severity and outcome call the same events fatal."""
    events, by_rank, by_outcome = e["adverse_events"], _fatal_by_rank(e), _fatal_by_outcome(e)
    survived = events["outcome"].notna() & ~events["outcome"].isin(["fatal", "unknown"])
    if not e.study.adverse_events or e.study.adverse_events.fatal is None:
        return []
    less = f"fatal, but not {_death(e)}, which is death on this scale: counted as fatal"
    return [
        *e.problems("E071", "adverse_events", events[by_rank & survived], "outcome", f"contradicts {_death(e)}, which is death"),
        *e.problems("W076", "adverse_events", events[by_outcome & ~by_rank & events["grade"].notna()], "grade", less),
    ]


@needs("patients.time_zero", "adverse_events.onset_date")
def treatment_emergent(e: Evidence) -> list[Problem]:
    """W072: events begin under treatment, or within the risk window after it."""
    events = e["adverse_events"].assign(begin=e.of_patient("adverse_events", "time_zero"))
    early = events["onset_date"] < events["begin"]
    problems = e.problems("W072", "adverse_events", events[early], "onset_date", f"before {e.zero} {{begin}}: not "
                          "treatment-emergent")  # fmt: skip
    windows = e.study.adverse_events.risk_windows if e.study.adverse_events else ()
    if not windows or not e.holds("treatments.start_date", "treatments.component"):
        return problems
    inside = pd.Series(False, index=events.index)
    for window in windows:
        rows = _first_line(e)
        rows = rows[(rows["component"] == window.component) & rows["patient_id"].notna()]
        anchor = rows["start_date"] if window.anchor == "start" else rows["end_date"]
        # without an end the component is still given
        until = (anchor + pd.Timedelta(days=window.days)).fillna(pd.Timestamp.max)
        spans = rows[["patient_id", "start_date"]].assign(until=until)
        pairs = events[["patient_id", "onset_date"]].reset_index().merge(spans, on="patient_id")
        covered = pairs["onset_date"].between(pairs["start_date"], pairs["until"])
        inside |= inside.index.isin(pairs.loc[covered, "row"])
    late = events[~inside & ~early & events["onset_date"].notna() & events["begin"].notna()]
    return [*problems, *e.problems("W072", "adverse_events", late, "onset_date", "outside every risk window of "
                                   "study.yml: not treatment-emergent")]  # fmt: skip


@needs("adverse_events.onset_date")
def event_dates(e: Evidence) -> list[Problem]:
    """E073, W073: an event ends after it begins, and begins by the last contact or the day after; it may end later."""
    events = e["adverse_events"].assign(contact=e.of_patient("adverse_events", "last_contact_date"))
    late = events["onset_date"] > events["contact"] + ONE_DAY
    next_day = (events["onset_date"] > events["contact"]) & ~late
    goes_on = (events["end_date"] > events["contact"]) & ~late
    return [
        *e.problems("E073", "adverse_events", events[events["end_date"] < events["onset_date"]], "end_date",
                    "before onset_date {onset_date}"),
        *e.problems("E073", "adverse_events", events[late], "onset_date", "after the last contact {contact}"),
        *e.problems("W073", "adverse_events", events[next_day], "onset_date", "the day after the last contact {contact}: counted"),
        *e.problems("W073", "adverse_events", events[goes_on], "end_date",
                    "after the last contact {contact}: the event counts, and its end is taken as it is"),
    ]  # fmt: skip


@needs("adverse_events.term", "adverse_events.system")
def system_of_term(e: Evidence) -> list[Problem]:
    """E074: a term stands under its system."""
    events = e["adverse_events"]
    due = events["term"].astype(object).map(e.study.adverse_events.terms if e.study.adverse_events else {})
    found = events.assign(due=due)[due.notna() & events["system"].notna() & (events["system"].astype(object) != due)]
    return e.problems("E074", "adverse_events", found, "system", "{term} stands under {due} in study.yml")


@needs("adverse_events.patient_id", "adverse_events.term")
def events_once(e: Evidence) -> list[Problem]:
    """W075: the same event twice counts once too often."""
    cells = e.sources["adverse_events"].frame
    cells = cells[[column for column in e["adverse_events"] if column in cells]]
    found = e["adverse_events"][cells.duplicated()]
    return e.problems("W075", "adverse_events", found, "term", "the same row stands above: a duplicate?")


RULES = (
    marker_values,
    ordinal_values,
    marker_baseline,
    positive_agrees,
    reference_limits,
    upper_limits,
    one_state,
    marker_units,
    known_components,
    components_of_arm,
    starts_at_zero,
    doses,
    exposure_in_follow_up,
    fatal_severity,
    fatal_outcome,
    outcome_agrees,
    treatment_emergent,
    event_dates,
    system_of_term,
    events_once,
)
