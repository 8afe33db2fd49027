"""Rules about patients: who they are, when they were followed, and what the flags and dates of events say."""

from __future__ import annotations

__all__ = ["RULES", "SYNTHETIC_PREFIX"]

import re

import pandas as pd

from lib.intake.cells import TEXT
from lib.intake.evidence import ONE_DAY, Evidence, needs
from lib.study.parts import FLAGS_OF_DATES
from lib.study.yaml_file import Problem, shown

# How ids of made-up patients begin, so that a table cannot be taken for the other kind.
SYNTHETIC_PREFIX = "SYN-"
PROGRESSIONS = ("local_progression_date", "distant_progression_date")
# Tables whose rows belong to a patient by their own column.
OF_PATIENT = ("lesions", "measurements", "assessments", "markers", "treatments", "adverse_events")


@needs("patients.patient_id")
def duplicate_ids(e: Evidence) -> list[Problem]:
    """E010: an id is given once."""
    problems = []
    for table, column in (("patients", "patient_id"), ("lesions", "lesion_id")):
        if e.holds(f"{table}.{column}"):
            ids = e.sources[table].frame[column].dropna().astype(TEXT)
            twice = ids[ids.duplicated(keep=False)]
            rows = twice.index.to_series().groupby(twice).agg(lambda r: " and ".join(map(str, r[:10])))
            second = twice[twice.groupby(twice).cumcount() == 1]
            found = pd.DataFrame({column: second, "rows": second.map(rows)})
            problems += e.problems(
                "E010", table, found, column, f"rows {{rows}} have the same {column}; it is given once"
            )
    return problems


@needs("patients.arm")
def empty_arms(e: Evidence) -> list[Problem]:
    """E013: every arm of study.yml has patients."""
    source = e.sources["patients"]
    empty = [arm for arm in e.study.arms if arm.id not in set(e["patients"]["arm"].dropna())]
    return [
        Problem("E013", f"arm {arm.code} has no patient", source.file, "", source.theirs["arm"], "", arm.code)
        for arm in empty
    ]


@needs("patients.patient_id")
def synthetic_banner(e: Evidence) -> list[Problem]:
    """E091: the banner of the report and the ids agree."""
    ids = e["patients"][["patient_id"]].dropna()
    marked = ids["patient_id"].astype(TEXT).str.startswith(SYNTHETIC_PREFIX).astype(bool)
    wrong = ids[marked != e.study.study.synthetic]
    n = len(wrong)
    message = (
        f"study.yml says synthetic: true, but {n} ids do not begin with {SYNTHETIC_PREFIX}; correct the one or the other"
        if e.study.study.synthetic
        else f"study.yml says synthetic: false, but {n} ids begin with {SYNTHETIC_PREFIX}; correct the one or the other"
    )
    return e.problems("E091", "patients", wrong.head(1), "patient_id", message)


@needs("patients")
def after_cutoff(e: Evidence) -> list[Problem]:
    """E021, E022: nothing is known after the data cut-off."""
    cutoff, patients, problems = e.study.study.cutoff, e["patients"], []
    for code, column in (("E021", "time_zero"), ("E022", "last_contact_date")):
        if cutoff is not None and e.holds(f"patients.{column}"):
            found = patients[patients[column] > pd.Timestamp(cutoff)]
            problems += e.problems(code, "patients", found, column, f"after the data cut-off {cutoff}")
    return problems


@needs("patients.time_zero", "patients.last_contact_date")
def follow_up(e: Evidence) -> list[Problem]:
    """E023, W033: follow-up lasts at least a day."""
    patients, column = e["patients"], "last_contact_date"
    days = (patients[column] - patients["time_zero"]).dt.days
    negative = f"negative follow-up: before {e.zero} {{time_zero}}"
    return [
        *e.problems("E023", "patients", patients[days < 0], column, negative),
        *e.problems("W033", "patients", patients[days == 0], column, "follow-up of 0 days: contributes no time"),
    ]


@needs("patients.time_zero", "patients.death_date")
def death_after_time_zero(e: Evidence) -> list[Problem]:
    """E023: nobody dies before follow-up begins; with a last contact, that is held against it."""
    if e.holds("patients.last_contact_date"):
        return []
    patients = e["patients"]
    early = patients[patients["death_date"] < patients["time_zero"]]
    return e.problems("E023", "patients", early, "death_date", f"negative follow-up: before {e.zero} {{time_zero}}")


@needs("patients")
def no_time(e: Evidence) -> list[Problem]:
    """W033: a ready-made time of 0."""
    patients, problems = e["patients"], []
    times = {endpoint.time.column: endpoint.time_column for endpoint in e.study.endpoints if endpoint.time}
    for column in times.values():
        found = patients[patients[column] == 0]
        problems += e.problems("W033", "patients", found, column, "a time of 0: contributes no time")
    return problems


@needs("patients")
def endpoint_is_known(e: Evidence) -> list[Problem]:
    """E102, E103, W034: a ready-made time and its event stand together; who has neither is not counted for the endpoint."""
    problems, patients = [], e["patients"]
    for endpoint in (endpoint for endpoint in e.study.endpoints if not endpoint.derived):
        time, event = endpoint.time_column, endpoint.event_column
        if not e.holds(f"patients.{time}", f"patients.{event}"):
            continue
        no_time, no_event = e.empty("patients", time), e.empty("patients", event)
        both = patients[no_time & no_event]
        for code, empty, column, given in (
            ("E103", no_time & ~no_event, time, endpoint.event.column),
            ("E102", no_event & ~no_time, event, endpoint.time.column),
        ):
            message = f"is empty, though {given} is given; both are given, or neither where {endpoint.label} is not known"
            problems += e.problems(code, "patients", patients[empty], column, message)
        said = f"{len(both)} of {len(patients)} patients have neither {endpoint.time.column} nor {endpoint.event.column}: they do not count for {endpoint.label}"
        problems += e.problems("W034", "patients", both.head(1), time, said)
    return problems


@needs("patients.death", "patients.death_date")
def death_has_date(e: Evidence) -> list[Problem]:
    """E024, E025: death and its date go together."""
    return _flag_and_date(e, "death_date", "E024", "E025")


@needs("patients.local_progression", "patients.local_progression_date")
def progression_has_date(e: Evidence) -> list[Problem]:
    """E027: local progression and its date go together."""
    return _flag_and_date(e, "local_progression_date", "E027", "E027")


def _flag_and_date(e: Evidence, date: str, without: str, undue: str) -> list[Problem]:
    patients, flag = e["patients"], FLAGS_OF_DATES[date]
    flags, dates = e.text("patients", flag), e.text("patients", date)
    missing = patients[flags.eq("1").fillna(False) & dates.isna()]
    surplus = patients[flags.eq("0").fillna(False) & dates.notna()]
    return [
        *e.problems(without, "patients", missing, date, f"{flag} is 1, so {date} must be given"),
        *e.problems(undue, "patients", surplus, date, f"{flag} is 0, so {date} must be empty"),
    ]


@needs("patients.death_date", "patients.last_contact_date")
def death_is_last_contact(e: Evidence) -> list[Problem]:
    """E026, W026: contact ends with death, or the day before."""
    p = e["patients"]
    both = p["death_date"].notna() & p["last_contact_date"].notna()
    next_day = both & (p["death_date"] - p["last_contact_date"] == ONE_DAY)
    found = p[both & (p["death_date"] != p["last_contact_date"]) & ~next_day]
    message = "differs from last_contact_date {last_contact_date}; after a death both are the same day"
    said = "the day after last_contact_date {last_contact_date}: the day of death is taken"
    return [
        *e.problems("E026", "patients", found, "death_date", message),
        *e.problems("W026", "patients", p[next_day], "death_date", said),
    ]


@needs("patients.time_zero")
def progression_in_follow_up(e: Evidence) -> list[Problem]:
    """E028, W028: progression lies between time zero and the last contact, or the day after where that is no death."""
    patients, problems = e["patients"], []
    end = patients[["death_date", "last_contact_date"]].min(axis=1)
    with_end = patients.assign(end=end)
    for column in PROGRESSIONS:
        if e.holds(f"patients.{column}"):
            alive = patients["death_date"].isna()
            next_day = alive & (patients[column] - end == ONE_DAY)
            late, early = with_end[(patients[column] > end) & ~next_day], with_end[patients[column] < patients["time_zero"]]
            said = "the day after the last contact {end}: the day of progression is taken"
            problems += e.problems("W028", "patients", with_end[next_day], column, said)
            after = "after death or last contact {end}: time to progression would be longer than survival"
            problems += e.problems("E028", "patients", late, column, after)
            problems += e.problems("E028", "patients", early, column, f"before {e.zero} {{time_zero}}")
    return problems


@needs("patients.time_zero", "patients.last_tumour_assessment")
def last_assessment_in_follow_up(e: Evidence) -> list[Problem]:
    """E032: the last tumour assessment lies between time zero and the last contact."""
    patients, column = e["patients"], "last_tumour_assessment"
    early, late = patients[column] < patients["time_zero"], patients[column] > patients["last_contact_date"]
    return [
        *e.problems("E032", "patients", patients[early], column, f"before {e.zero} {{time_zero}}"),
        *e.problems("E032", "patients", patients[late], column, "after last_contact_date {last_contact_date}"),
    ]


@needs("patients")
def positive_together(e: Evidence) -> list[Problem]:
    """E014: a variable is above 0 if and only if another one is (`positive_iff`)."""
    patients, problems = e["patients"], []
    for variable in e.study.baseline:
        if not variable.positive_iff:
            continue
        own, other = variable.column, e.study.variable(variable.positive_iff).column
        if e.holds(f"patients.{own}", f"patients.{other}"):
            both = patients[patients[[own, other]].notna().all(axis=1)]
            found = both[(both[own] > 0) != (both[other] > 0)]
            found = found.assign(other=found[other])
            message = f"must be above 0 if and only if {variable.positive_iff} is, which is {{other}}"
            problems += e.problems("E014", "patients", found, own, message)
    return problems


@needs("patients.patient_id")
def known_patients(e: Evidence) -> list[Problem]:
    """E040: every row of another table belongs to a patient."""
    tables, problems = [table for table in OF_PATIENT if e.holds(f"{table}.patient_id")], []
    known = e.sources["patients"].frame["patient_id"] if tables else pd.Series(dtype=object)
    alike: dict[str, list[str]] = {}
    for table in tables:
        ids = e.text(table, "patient_id")
        found = e[table][e.unknown(table, "patient_id", known)]
        for patient in sorted(set(known.dropna())) if len(found) and not alike else ():
            alike.setdefault(_bare(patient), []).append(patient)
        near = ids[found.index].map({wrong: _meant(wrong, alike) for wrong in ids[found.index].unique()})
        found = found.assign(near=near.astype(object))
        message = f"no such patient in {e.sources['patients'].file}{{near}}"
        problems += e.problems("E040", table, found, "patient_id", message)
    return problems


def _bare(patient: str) -> str:
    """An id without what people write or leave out: capitals, blanks and signs, zeros before a number."""
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", re.sub(r"[\W_]+", " ", patient.casefold())).replace(" ", "")


def _meant(wrong: str, alike: dict[str, list[str]]) -> str:
    """Which patient may be meant: the one whose id differs by no more than that, should there be just one."""
    same = alike.get(_bare(wrong), [])
    return f" (did you mean {shown(same[0])}?)" if len(same) == 1 else ""


RULES = (
    duplicate_ids,
    empty_arms,
    synthetic_banner,
    after_cutoff,
    follow_up,
    death_after_time_zero,
    no_time,
    endpoint_is_known,
    death_has_date,
    progression_has_date,
    death_is_last_contact,
    progression_in_follow_up,
    last_assessment_in_follow_up,
    positive_together,
    known_patients,
)
