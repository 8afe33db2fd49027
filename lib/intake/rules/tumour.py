"""Rules about lesions and their measurements, and whether a flagged progression is one by the response rule."""

from __future__ import annotations

__all__ = ["RULES"]

import pandas as pd

from lib.intake.evidence import Evidence, look_up, needs
from lib.intake.recist import ABSENT, ASSESSMENT, BASELINE_VISIT, DIAMETERS, derive_response
from lib.study.yaml_file import Problem

# Between two visits a tumour does not grow or shrink tenfold; centimetres for millimetres do.
JUMP = 10
# Columns without which no response can be derived.
LESION = ("lesion_id", "patient_id", "site", "target")
MEASUREMENT = ("lesion_id", "assessment_date", "visit", "longest_mm", "short_mm")
DATED = {"measurements": "assessment_date", "assessments": "assessment_date", "markers": "sample_date"}


@needs("lesions.lesion_id")
def known_lesions(e: Evidence) -> list[Problem]:
    """E040: a measured or treated lesion is in the table lesions, and is the patient's own."""
    known = e["lesions"].drop_duplicates("lesion_id").set_index("lesion_id")["patient_id"]
    problems = []
    for table in ("measurements", "treatments"):
        if e.holds(f"{table}.lesion_id"):
            found = e[table][e.unknown(table, "lesion_id", e.text("lesions", "lesion_id"))]
            message = f"no such lesion in {e.sources['lesions'].file}"
            problems += e.problems("E040", table, found, "lesion_id", message)
        if e.holds(f"{table}.lesion_id", f"{table}.patient_id"):
            given = e.text(table, "patient_id").astype(object)
            frame = e[table].assign(patient_id=given, owner=look_up(e[table]["lesion_id"], known))
            found = frame[frame["owner"].notna() & given.notna() & (given != frame["owner"])]
            problems += e.problems("E040", table, found, "lesion_id", "a lesion of another patient, {owner}")
    return problems


@needs("patients.patient_id", "lesions.target", "measurements.visit", "measurements.lesion_id")
def baseline_measured(e: Evidence) -> list[Problem]:
    """E041: every patient has a baseline sum of diameters."""
    patients, baseline = e["patients"], _baseline(e)
    without = patients[patients["patient_id"].notna() & ~patients["patient_id"].isin(baseline["patient_id"])]
    unmeasured = baseline[baseline["target"] & _not_measured(e, baseline)]
    message = f"no measurement at baseline (visit {BASELINE_VISIT}): response not computable"
    return [
        *e.problems("E041", "patients", without, "patient_id", message),
        *e.problems("E041", "measurements", unmeasured, "longest_mm", "a target without a diameter at baseline: "
                    "response not computable"),
    ]  # fmt: skip


@needs("patients.patient_id", "lesions.target", "lesions.patient_id")
def has_target(e: Evidence) -> list[Problem]:
    """E042: every patient with lesions has a target."""
    patients, lesions = e["patients"], e["lesions"]
    of_targets = lesions.loc[lesions["target"], "patient_id"]
    ids = patients["patient_id"]
    found = patients[ids.isin(lesions["patient_id"].dropna()) & ~ids.isin(of_targets)]
    return e.problems("E042", "patients", found, "patient_id", "no target lesion at baseline: response not computable")


@needs("measurements")
def axis_order(e: Evidence) -> list[Problem]:
    """E043: longest >= short >= third, and what is viable of a lesion is no longer than the lesion."""
    m, problems = e["measurements"], []
    viable = [("longest_mm", "viable_mm")] if "viable_mm" in m else []
    for larger, smaller in (DIAMETERS[:2], DIAMETERS[1:], *viable):
        found = m[m[smaller] > m[larger]]
        problems += e.problems("E043", "measurements", found, smaller, f"larger than {larger} {{{larger}}}")
    return problems


@needs("measurements")
def small_and_absent(e: Evidence) -> list[Problem]:
    """E044: a diameter of 0 is that of a vanished lesion, one too small to measure has its stated size."""
    m = e["measurements"]
    absent = m["status"].eq(ABSENT)
    size = e.study.response.too_small_mm if e.study.response else 5.0
    problems = []
    for axis in DIAMETERS:
        zero = m[m[axis].eq(0) & ~absent & ~m["too_small"]]
        there = m[absent & m[axis].gt(0)]
        other = m[m["too_small"] & m[axis].notna() & m[axis].ne(size)]
        problems += e.problems(
            "E044", "measurements", zero, axis, f"0 needs too_small 1 (and {size:g}) or status absent"
        )
        problems += e.problems("E044", "measurements", there, axis, "status is absent, so the diameter must be 0")
        problems += e.problems("E044", "measurements", other, axis, f"too_small is 1, so the diameter must be {size:g}")
    found = m[m["too_small"] & m["status"].isin(["measured", ABSENT])]
    return [
        *problems,
        *e.problems("E044", "measurements", found, "status", "too_small is 1, so status must be too_small"),
    ]


@needs("measurements.longest_mm")
def tenfold_jump(e: Evidence) -> list[Problem]:
    """W045: ten times larger or smaller than at the visit before."""
    m = e["measurements"]
    m = m[m["longest_mm"].gt(0) & ~m["too_small"] & m["lesion_id"].notna()]
    m = m.sort_values(["lesion_id", "assessment_date"])
    m = m.assign(before=m.groupby("lesion_id")["longest_mm"].shift())
    found = m[(m["longest_mm"] >= JUMP * m["before"]) | (m["before"] >= JUMP * m["longest_mm"])].sort_index()
    message = f"a {JUMP}-fold jump: {{before}} mm at the visit before; are the units the same?"
    return e.problems("W045", "measurements", found, "longest_mm", message)


@needs("measurements.lesion_id", "measurements.assessment_date")
def measured_once(e: Evidence) -> list[Problem]:
    """E047: one row per lesion and date."""
    keys = ["lesion_id", "assessment_date"]
    m = e["measurements"].dropna(subset=keys)
    found = m[m.duplicated(keys)]
    first = m[~m.duplicated(keys)].reset_index().set_index(keys)["row"]
    rows = first.reindex(pd.MultiIndex.from_frame(found[keys])).to_numpy()
    return e.problems("E047", "measurements", found.assign(other=rows), "assessment_date",
                      "the same lesion and date as in row {other}")  # fmt: skip


@needs("patients.time_zero", "measurements.visit")
def in_schedule(e: Evidence) -> list[Problem]:
    """W048: visits are those of the schedule, on time."""
    if e.study.visits is None:
        return []
    problems, (early, late) = [], e.study.visits.window_days
    for table in ("measurements", "assessments"):
        if e.holds(f"{table}.visit", f"{table}.assessment_date"):
            frame = e[table]
            planned = frame["visit"].isin(e.study.visits.schedule)
            days = (frame["assessment_date"] - e.of_patient(table, "time_zero")).dt.days
            off = days - (frame["visit"] * e.study.time.days_per_unit).round()
            found = frame.assign(off=off)
            unplanned = found[frame["visit"].notna() & ~planned]
            untimely = found[planned & ((off < early) | (off > late))]
            message = f"{{off}} days from the visit's date; the window is {early:+d} to {late:+d} days"
            problems += e.problems("W048", table, unplanned, "visit", "not a visit of the schedule in study.yml")
            problems += e.problems("W048", table, untimely, "assessment_date", message)
    return problems


@needs("lesions.site", "lesions.target", "measurements.short_mm", "measurements.visit")
def node_measurable(e: Evidence) -> list[Problem]:
    """E049: a target node has the short axis that the response rule asks for."""
    if e.study.response is None:
        return []
    baseline, least = _baseline(e), e.study.response.node_min_short_mm
    nodes = baseline["target"] & baseline["site"].isin(e.study.response.node_sites)
    found = baseline[nodes & (baseline["short_mm"] < least)]
    message = f"a lymph node is measurable from a short axis of {least:g} mm; it cannot be a target"
    return e.problems("E049", "measurements", found, "short_mm", message)


@needs("lesions.patient_id", "measurements.visit", "measurements.assessment_date")
def new_lesions(e: Evidence) -> list[Problem]:
    """W050: a lesion first seen after the baseline is a new one, that is, progression; said unless it is recorded."""
    found = e["measurements"].loc[_first_seen_late(e)]
    column = e.study.response.progression_column if e.study.response else None
    if column and e.holds(f"patients.{column}"):
        recorded = e.of_patient("measurements", column).reindex(found.index) <= found["assessment_date"]
        found = found[~recorded]
    return e.problems("W050", "measurements", found, "lesion_id", "first seen after the baseline: a new lesion, "
                      "which is progression (PD) by the rule")  # fmt: skip


@needs("patients.patient_id")
def seen_alive(e: Evidence) -> list[Problem]:
    """E051: nothing is measured after death or the last contact."""
    problems = []
    for table, date in DATED.items():
        if e.holds(f"{table}.{date}"):
            for end, after in (("death_date", "after death on {end}"), ("last_contact_date", "after the last contact on {end}")):
                frame = e[table].assign(end=e.of_patient(table, end), died=e.of_patient(table, "death_date"))
                known = frame["died"].notna() & (end != "death_date")
                found = frame[(frame[date] > frame["end"]) & ~known]
                problems += e.problems("E051", table, found, date, after)
    return problems


@needs("lesions.target", "lesions.site")
def not_too_many_targets(e: Evidence) -> list[Problem]:
    """W052: RECIST follows at most five targets, two per organ."""
    if e.study.response is None:
        return []
    targets = e["lesions"][e["lesions"]["target"]]
    limits = {
        ("patient_id",): e.study.response.max_targets,
        ("patient_id", "site"): e.study.response.max_targets_per_site,
    }
    problems = []
    for by, limit in limits.items():
        nth = targets.groupby(list(by), observed=True).cumcount() + 1
        message = (
            f"target {{nth}} of the site; the response rule follows at most {limit}"
            if "site" in by
            else f"target {{nth}} of the patient; the response rule follows at most {limit}"
        )
        problems += e.problems("W052", "lesions", targets.assign(nth=nth)[nth > limit], "target", message)
    return problems


@needs("lesions.target", "lesions.patient_id", "measurements.assessment_date", "measurements.visit")
def all_targets_measured(e: Evidence) -> list[Problem]:
    """E053, W054: at every assessment each target has a row; one without a diameter makes the response NE."""
    m = e["measurements"].dropna(subset=[*ASSESSMENT, "lesion_id"])
    targets = e["lesions"][e["lesions"]["target"]].dropna(subset=["lesion_id", "patient_id"])
    first = m.groupby("lesion_id")["assessment_date"].min()
    # A target first seen after the baseline is a new lesion (W050); one that was never seen is missing at baseline.
    began = look_up(targets["lesion_id"], first)
    baseline = look_up(targets["patient_id"], _baseline_date(e))
    targets = targets[baseline.notna() & ~(began > baseline)].assign(baseline=baseline, began=began)
    visits = m.reset_index().drop_duplicates(ASSESSMENT)[[*ASSESSMENT, "visit", "row"]]
    due = targets[["lesion_id", "patient_id", "baseline", "began"]].merge(visits, on="patient_id")
    due = due[
        (due["assessment_date"] == due["baseline"])
        | ((due["assessment_date"] > due["baseline"]) & due["began"].notna())
    ]
    there = pd.MultiIndex.from_frame(m[["lesion_id", "assessment_date"]])
    missing = due[~pd.MultiIndex.from_frame(due[["lesion_id", "assessment_date"]]).isin(there)].set_index("row")
    empty = m[m["lesion_id"].isin(targets["lesion_id"]) & _not_measured(e, m) & m["visit"].ne(BASELINE_VISIT)]
    return [
        *e.problems("E053", "measurements", missing, "lesion_id", "target {lesion_id} has no row at visit {visit} "
                    "({assessment_date}) while others have: sum not computable; add its row (empty diameters = NE)"),
        *e.problems("W054", "measurements", empty, "longest_mm", "a target without a diameter: the response at this "
                    "visit is not evaluable (NE)"),
    ]  # fmt: skip


@needs("patients.patient_id", *(f"lesions.{c}" for c in LESION), *(f"measurements.{c}" for c in MEASUREMENT))
def progression_by_rule(e: Evidence) -> list[Problem]:
    """E029, E030, E031: the flagged progression is the first one that the response rule gives."""
    column = e.study.response.progression_column if e.study.response else None
    if not column or not e.holds(f"patients.{column}"):
        return []
    derived = _derived(e)
    first = derived[derived["response"] == "PD"].groupby("patient_id")["assessment_date"].min()
    status = derived.set_index(ASSESSMENT)["response"].astype(object)
    p = e["patients"].dropna(subset=["patient_id"])
    p = p.assign(date=p[column], first=look_up(p["patient_id"], first))
    flagged = p[p["date"].notna()]
    at_date = pd.MultiIndex.from_arrays([flagged["patient_id"], flagged["date"]])
    flagged = flagged.assign(rule=status.reindex(at_date).to_numpy())
    assessed = at_date.isin(_assessed(e))
    unconfirmed = flagged[assessed & flagged["rule"].ne("PD")]
    unconfirmed = unconfirmed.assign(rule=unconfirmed["rule"].fillna("no response (no measurement after the baseline)"))
    earlier = flagged[flagged["rule"].eq("PD") & (flagged["first"] < flagged["date"])]
    unflagged = p[e.text("patients", column).reindex(p.index).isna() & p["first"].notna()]
    return [
        *e.problems("E029", "patients", flagged[~assessed], column, "not the date of an assessment of this patient"),
        *e.problems("E030", "patients", unconfirmed, column, "not confirmed: the rule says {rule} on {date}"),
        *e.problems("E030", "patients", earlier, column, "the rule says PD already on {first}"),
        *e.problems("E031", "patients", unflagged, column, "empty, but the rule says PD on {first}"),
    ]


@needs("lesions.patient_id", "measurements.lesion_id", "assessments.new_lesion")
def new_lesion_agrees(e: Evidence) -> list[Problem]:
    """W055: the reader's new lesion is in the measurements, and the reverse."""
    seen = pd.MultiIndex.from_frame(e["measurements"].loc[_first_seen_late(e), ASSESSMENT])
    readings = e["assessments"].dropna(subset=ASSESSMENT)
    measured = pd.MultiIndex.from_frame(readings[ASSESSMENT]).isin(seen)
    stated = ~e.empty("assessments", "new_lesion").loc[readings.index]
    more, less = (
        readings[stated & readings["new_lesion"] & ~measured],
        readings[stated & ~readings["new_lesion"] & measured],
    )
    return [
        *e.problems("W055", "assessments", more, "new_lesion", "1, but no new lesion is measured on {assessment_date}"),
        *e.problems("W055", "assessments", less, "new_lesion", "0, but a new lesion is measured on {assessment_date}"),
    ]


def _first_seen_late(e: Evidence) -> pd.Index:
    """Rows in which a lesion is seen for the first time, after the baseline of its patient."""
    m = e["measurements"]
    m = m[m["lesion_id"].notna() & m["assessment_date"].notna() & ~m["status"].eq(ABSENT)]
    m = m.sort_values("assessment_date", kind="stable").drop_duplicates("lesion_id").sort_index()
    return m.index[m["assessment_date"] > look_up(m["patient_id"], _baseline_date(e))]


def _derived(e: Evidence) -> pd.DataFrame:
    lesions = e["lesions"].dropna(subset=["lesion_id", "patient_id"]).drop_duplicates("lesion_id")
    measured = e["measurements"].drop_duplicates(["lesion_id", "assessment_date"])
    return derive_response(lesions, measured, e.study.response)


def _assessed(e: Evidence) -> pd.MultiIndex:
    """Patient and date of every assessment, in whichever table."""
    tables = [e[name][ASSESSMENT] for name in ("measurements", "assessments") if e.holds(f"{name}.assessment_date")]
    return pd.MultiIndex.from_frame(pd.concat(tables).drop_duplicates())


def _baseline(e: Evidence) -> pd.DataFrame:
    """Measurements at baseline, with `site` and `target` of the lesion."""
    baseline = e["measurements"][e["measurements"]["visit"] == BASELINE_VISIT]
    lesions = e["lesions"].dropna(subset=["lesion_id"]).drop_duplicates("lesion_id").set_index("lesion_id")
    return baseline.assign(
        site=look_up(baseline["lesion_id"], lesions["site"]),
        target=look_up(baseline["lesion_id"], lesions["target"]).eq(True),
    )


def _baseline_date(e: Evidence) -> pd.Series:
    """First date of visit 0 of each patient."""
    baseline = e["measurements"][e["measurements"]["visit"] == BASELINE_VISIT]
    return baseline.groupby("patient_id")["assessment_date"].min()


def _not_measured(e: Evidence, m: pd.DataFrame) -> pd.Series:
    """Rows that say: this lesion was not measured."""
    return e.empty("measurements", "longest_mm").loc[m.index] & ~m["too_small"] & ~m["status"].eq(ABSENT)


RULES = (
    known_lesions,
    baseline_measured,
    has_target,
    axis_order,
    small_and_absent,
    tenfold_jump,
    measured_once,
    in_schedule,
    node_measurable,
    new_lesions,
    seen_alive,
    not_too_many_targets,
    all_targets_measured,
    progression_by_rule,
    new_lesion_agrees,
)
