"""Tumour response over the whole course: best and confirmed response, change between visits, duration, readers.

Response at each single visit is in response; this module adds what needs several assessments of a patient.
"""

from __future__ import annotations

__all__ = ["Course", "analyse_course", "undrawn"]

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib.analyses.efficacy.response import compare_outcome, count_categories
from lib.analyses.result import PATIENTS, Analysis, requires
from lib.dataset.course import assessment_frame, course_frame, treatment_frame
from lib.dataset.dataset import Dataset
from lib.dataset.derived import response_frame, volume_frame
from lib.statistics import proportions
from lib.statistics.survival import kaplan_meier
from lib.statistics.survival.event_table import OVERALL

RATES = {"best_objective_response": "responder", "best_disease_control": "controlled"}
CONCORDANCE = "Spearman's rank correlation of the changes of volume and of the sum of diameters; count: same direction"
KAPPA = "Cohen's kappa, unweighted"


class Course(Analysis):
    """Course of the tumour from scan to scan."""


@requires("lesions", "measurements")
def analyse_course(data: Dataset, visits: Sequence[float]) -> Course:
    """Response over the whole course by arm.

    Parameters
    ----------
    data : Dataset
    visits : sequence of float
        Response visits, in the study's time unit; the first and the last are compared with each other.

    Returns
    -------
    Course
        `best_response` (count of each category; adds up to all patients), `best_objective_response` and
        `best_disease_control` (proportion of all treated, exact interval; `_test`, `_pairwise`, `_difference` and so
        on as in response), `confirmed_response` (where the study declares confirmation), `best_change` (n, median,
        quartiles, range, n_missing), `duration_of_response` (Kaplan-Meier in responders), `time_to_response`
        (median, quartiles, range in responders); with two visits or more `response_change` (count of each pair
        "first -> last"; `response_change_first` and `_last` of each category) and `response_change_treated`, `response_change_evaluable` (exact McNemar); with readings
        `volume_diameters` (rank correlation of both changes per visit), `reader_agreement` (agreement and kappa per visit), `reader_total` (agreement over all assessments) and `reader_patients`
        (patients in whom they differ); `course_count` (patients whose change can be drawn, who reached a partial
        response, how their courses end, who responded, progressed, died). Data: `course` (one row per patient), `assessments`,
        `treatments`, `disagreements`.
    """
    level, course, assessments = data.parameters.level, course_frame(data), assessment_frame(data)
    # A patient whose first assessment is not yet due can have no best response.
    due = course[course["best_response"] != "not due"]
    frames = {"best_response": count_categories(course.rename(columns={"best_response": "response"}))}
    for outcome, column in RATES.items():
        frames |= {f"{outcome}{name}": part for name, part in compare_outcome(due, column, data).items()}
    if data.response.confirmation_days is not None:
        counts = proportions.count_outcome(due, "confirmed")
        frames["confirmed_response"] = proportions.estimate_proportion(counts, level)
    responders = course[course["responder"]]
    tte = responders.assign(time=responders["duration"], event=responders["duration_event"])
    frames["best_change"] = _describe(course, "best_change")
    frames["duration_of_response"] = kaplan_meier.estimate_median(tte, level=level)
    frames["time_to_response"] = _describe(responders, "response_time")
    if len(visits) > 1:
        frames |= _change_between(data, min(visits), max(visits))
    frames["course_count"] = _count_courses(data, course)
    frames |= _agreement(assessments)
    frames |= _concordance(data, assessments, visits)
    both = assessments[assessments["reader"].notna() & assessments["response"].notna()]
    return Course(data, "response", frames, {
        "course": course, "assessments": assessments, "treatments": treatment_frame(data),
        "disagreements": both[both["reader"] != both["response"]].reset_index(drop=True),
    })  # fmt: skip


def _describe(patients: pd.DataFrame, column: str) -> pd.DataFrame:
    """n, missing, median, quartiles (type 7) and range per arm; an arm without values keeps its row with n = 0."""
    grouped = patients.groupby("arm", observed=False)[column]
    summary = grouped.agg(n="count", size="size", median="median", min="min", max="max")
    summary["q1"], summary["q3"] = grouped.quantile(0.25), grouped.quantile(0.75)
    summary["n_missing"] = summary.pop("size") - summary["n"]
    tidy = summary.rename_axis("group").reset_index()
    return tidy.assign(group=tidy["group"].astype(str), method="median, quartiles (type 7) and range", note="")


def _count_courses(data: Dataset, course: pd.DataFrame) -> pd.DataFrame:
    """Patients of each arm, and of all, of whom a statement holds: what the pictures of single patients show."""
    drawn, progressed = course["no_change"] == "", course["progression_time"].notna()
    everyone = pd.Series(True, course.index)
    reasons = {f"not drawn: {why}": (course["no_change"] == why, everyone) for why in sorted(set(course["no_change"]) - {""})}
    held = {
        "drawn": (drawn, everyone), **reasons,
        "reached a partial response": (course["best_change"] <= data.response.partial_percent, drawn),
        "drawn: progressed": (progressed, drawn), "drawn: died": (~progressed & course["died"], drawn),
        "drawn: left": (~progressed & ~course["died"], drawn), "responded": (course["responder"], everyone),
        "progressed": (progressed, everyone), "died": (course["died"], everyone), "alive": (~course["died"], everyone),
    }  # fmt: skip
    groups = {arm.id: course["arm"] == arm.id for arm in data.arms}
    groups |= {OVERALL: everyone} if len(data.arms) > 1 else {}
    rows = [
        (name, group, int((holds & among & own).sum()), int((among & own).sum()))
        for name, (holds, among) in held.items()
        for group, own in groups.items()
    ]
    frame = pd.DataFrame(rows, columns=["variable", "group", "count", "n"])
    return frame.assign(method="count of patients", note="")


def _change_between(data: Dataset, first: float, last: float) -> dict[str, pd.DataFrame]:
    """Each patient's category at the first visit against that at the last, and whether response was gained or lost."""
    early, late = (response_frame(data, visit) for visit in (first, last))
    pairs = early[["patient_id", "arm"]].assign(first=early["response"], last=late["response"])
    counts = pairs.groupby(["arm", "first", "last"], observed=False).size().rename("count").reset_index()
    counts = counts[counts["count"] > 0]
    matrix = counts.assign(
        group=counts["arm"].astype(str),
        variable=counts["first"] + " -> " + counts["last"],
        time=last,
        method="count of patients, category at the first -> at the last response visit",
        note="",
    )
    both = early[["patient_id", "arm"]].assign(before=early["responder"], after=late["responder"])
    due = (early["response"] != "not due") & (late["response"] != "not due")
    evaluable = early["evaluable"] & late["evaluable"]
    tests = {
        f"response_change_{name}": proportions.compare_paired_proportions(both[chosen], "before", "after").assign(
            time=last
        )
        for name, chosen in (("treated", due), ("evaluable", evaluable))
    }
    columns = ["group", "variable", "time", "count", "method", "note"]
    margins = {
        f"response_change_{end}": matrix.assign(variable=matrix[end])
        .groupby(["group", "variable", "time", "method", "note"], sort=False)["count"].sum().reset_index()
        for end in ("first", "last")
    }  # fmt: skip
    return {"response_change": matrix[columns].reset_index(drop=True), **margins, **tests}


def _agreement(assessments: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Derived category against the reader's, visit by visit: a patient counts once in each row."""
    read = assessments[assessments["reader"].notna() & assessments["response"].notna()]
    both = read.drop_duplicates(["patient_id", "visit"])
    if both.empty:
        return {}
    differs = read["response"] != read["reader"]
    patients = read.loc[differs, "patient_id"].nunique(), read["patient_id"].nunique()
    totals = {
        "reader_total": _overall(int((~differs).sum()), len(read), "assessments", "agreement"),
        "reader_patients": _overall(*patients, PATIENTS, "patients with an assessment on which the two differ"),
    }
    rows = []
    for visit, part in both.groupby("visit"):
        kappa, note = _kappa(part["response"], part["reader"])
        agree = int((part["response"] == part["reader"]).sum())
        rows.append(("overall", visit, len(part), agree, agree / len(part), kappa, f"agreement, {KAPPA}", note))
    columns = ["group", "time", "n", "count", "proportion", "kappa", "method", "note"]
    return {"reader_agreement": pd.DataFrame(rows, columns=columns), **totals}


def _overall(count: int, n: int, unit: str, method: str) -> pd.DataFrame:
    row = {"group": OVERALL, "count": count, "n": n, "proportion": count / n, "unit": unit, "method": method, "note": ""}
    return pd.DataFrame([row])


def _concordance(data: Dataset, assessments: pd.DataFrame, visits: Sequence[float]) -> dict[str, pd.DataFrame]:
    """Change of the volume against change of the sum of diameters, and whether both rank the patients alike.

    R: ``cor(volume, diameters, method = "spearman")``
    """
    if data.response.measure == "volume":  # they would be compared with themselves
        return {}
    volumes = volume_frame(data)[["patient_id", "visit", "percent_change"]]
    both = assessments[["patient_id", "visit", "percent_change"]].merge(
        volumes, on=["patient_id", "visit"], suffixes=("", "_volume")
    )
    both = both.dropna().drop_duplicates(["patient_id", "visit"])
    rows = []
    for visit in visits:
        part = both[both["visit"] == visit]
        diameters, volume = part["percent_change"], part["percent_change_volume"]
        constant = len(part) < 3 or diameters.nunique() < 2 or volume.nunique() < 2
        rank = np.nan if constant else diameters.rank().corr(volume.rank())
        alike = int((np.sign(diameters) == np.sign(volume)).sum())
        note = "not estimable: fewer than three patients, or no variation" if constant else ""
        rows.append(("overall", visit, len(part), alike, rank, CONCORDANCE, note))
    columns = ["group", "time", "n", "count", "spearman", "method", "note"]
    return {"volume_diameters": pd.DataFrame(rows, columns=columns)} if rows else {}


def _kappa(one: pd.Series, other: pd.Series) -> tuple[float, str]:
    """Agreement beyond chance; NaN where both use one and the same category.

    References
    ----------
    Cohen J. Educ Psychol Meas 1960;20:37.
    """
    levels = sorted({*one, *other})
    table = pd.crosstab(one, other).reindex(index=levels, columns=levels, fill_value=0).to_numpy() / len(one)
    expected = table.sum(axis=0) @ table.sum(axis=1)
    if np.isclose(expected, 1):
        return np.nan, "no kappa: both used one category only"
    return (np.trace(table) - expected) / (1 - expected), ""


def undrawn(course: Course) -> pd.DataFrame:
    """Patients whom waterfall and spider cannot draw: `patient_id`, `arm`, `no_change` (why)."""
    patients = course["course"]
    return patients.loc[patients["no_change"] != "", ["patient_id", "arm", "no_change"]]
