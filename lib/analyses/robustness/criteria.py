"""What the answer would be by other response criteria: the same measurements, read by each rule that they serve.

The criteria are those of lib.study.clinic; the response at a visit is derived in dataset.derived.
"""

from __future__ import annotations

__all__ = ["BENEFIT", "DECLARED", "Criteria", "analyse_criteria"]

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pandas as pd

from lib.analyses.efficacy.response import compare_outcome
from lib.analyses.result import Analysis, requires
from lib.dataset.course import assessment_frame, course_frame
from lib.dataset.dataset import Dataset, why_not_by
from lib.dataset.derived import response_frame, why_not_seen
from lib.statistics import proportions
from lib.study.clinic.tumour import CRITERIA

DECLARED, BENEFIT = "declared", "clinical_benefit"


class Criteria(Analysis):
    """Objective response by several criteria, and clinical benefit."""


@requires("lesions", "measurements")
def analyse_criteria(data: Dataset, visits: Sequence[float]) -> Criteria:
    """Objective response of all treated patients by each criteria, at each visit, and clinical benefit by the declared rule.

    Parameters
    ----------
    data : Dataset
    visits : sequence of float
        Response visits, in the study's time unit.

    Returns
    -------
    Criteria
        `criteria` (proportion of all treated whose visit was due, exact interval), with two arms or more
        `criteria_test`, `criteria_pairwise` and `criteria_difference` (as for `objective_response_treated`), and
        `criteria_changed` (patients who are responders by one rule and not by the declared one), `criteria_evaluable`
        (patients whom a rule can assess at the visit, with the proportion of all); arms are not compared by a rule that can
        assess fewer than `policy.min_at_risk` patients of one of them; `variable` is
        `DECLARED`, a key of `CRITERIA` or `BENEFIT`, `time` the visit, of a benefit its least duration. Criteria that
        what was measured does not serve have no row. Data: `left_out` (they, and why).

    Notes
    -----
    Clinical benefit: a complete or partial response before the first progression, or no progression nor death for
    `response.benefit_days` after time zero with an assessment at that time (less the days by which a visit may come
    early) or later that shows none.
    """
    declared = replace(data, parameters=data.parameters.model_copy(update={"criteria": ""}))
    reasons = {name: why_not_by(name, data.tables) for name in CRITERIA}
    frames: dict[str, list[pd.DataFrame]] = {}
    for variable, time, patients in _answers(declared, [n for n, why in reasons.items() if not why], visits):
        for name, part in _compared(data, patients).items():
            frames.setdefault(f"criteria{name}", []).append(part.assign(variable=variable, time=time))
    left_out = pd.DataFrame([(n, why) for n, why in reasons.items() if why], columns=["variable", "note"])
    kept = ("criteria", "criteria_test", "criteria_pairwise", "criteria_difference", "criteria_evaluable", "criteria_changed")
    return Criteria(
        data, "response", {name: pd.concat(frames[name], ignore_index=True) for name in kept if name in frames}, {"left_out": left_out}
    )


def _compared(data: Dataset, patients: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The outcome by arm, with its comparisons where enough of each arm can be assessed."""
    found = compare_outcome(patients, "responder", data)
    if "evaluable" not in patients:
        return found
    assessed = proportions.count_outcome(patients, "evaluable")
    found["_evaluable"] = proportions.estimate_proportion(assessed, data.parameters.level)
    if "changed" in patients:
        found["_changed"] = _changed(patients)
    few = (assessed["count"] < data.study.policy.min_at_risk).any()
    return {name: part for name, part in found.items() if not few or name in ("", "_evaluable", "_changed")}


def _answers(declared: Dataset, criteria: Sequence[str], visits: Sequence[float]) -> Iterator[tuple[str, float, pd.DataFrame]]:
    """Variable, time and one row per patient who was due, with `responder`, by each rule."""
    for visit in visits:
        first = response_frame(declared, visit)
        due = first["response"] != "not due"
        yield DECLARED, visit, first[due]
        for name in criteria:
            by = replace(declared, parameters=declared.parameters.model_copy(update={"criteria": name}))
            other = response_frame(by, visit)
            yield name, visit, other.assign(changed=other["responder"] != first["responder"])[due]
    yield BENEFIT, _benefit_time(declared), _benefit(declared)


def _benefit_time(data: Dataset) -> float:
    return data.response.benefit_days / data.study.time.days_per_unit


def _benefit(data: Dataset) -> pd.DataFrame:
    """Patients whose disease had time to stay stable, and whether it did or responded."""
    days, early = data.response.benefit_days, data.study.visits.window_days[0]
    course, rows = course_frame(data), assessment_frame(data)
    controlled = rows[rows["known"] & rows["response"].isin(["CR", "PR", "SD"])]
    last = course["patient_id"].map(controlled.groupby("patient_id")["day"].max())
    ended = course["progression_time"].fillna(course["follow_up"].where(course["died"])) * data.study.time.days_per_unit
    stable = (last >= days + early) & ~(ended.round() < days)
    due = (why_not_seen(data, _benefit_time(data)) != "not due").to_numpy()
    return course[["patient_id", "arm"]].assign(responder=course["responder"] | stable)[due]


def _changed(patients: pd.DataFrame) -> pd.DataFrame:
    row = {"group": "overall", "n": len(patients), "count": int(patients["changed"].sum()), "method": "count of patients", "note": ""}
    return pd.DataFrame([row])
