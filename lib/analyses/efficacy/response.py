"""Tumour response: rates at the response visits with exact intervals, time to it, survival by it, comparisons of arms.

The categories come from dataset.derived; the tests from statistics.
"""

from __future__ import annotations

__all__ = ["CATEGORIES", "DENOMINATORS", "NON_RESPONDER", "RESPONDER", "ResponseRates", "ResponseTime", "analyse", "analyse_response_time", "compare_outcome", "count_categories"]

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib.analyses.policy import withhold
from lib.analyses.result import Absent, Analysis, requires
from lib.analyses.scale import left_at_risk
from lib.dataset.course import course_frame
from lib.dataset.dataset import Dataset
from lib.dataset.derived import response_frame, time_to_event_frame
from lib.statistics import proportions
from lib.statistics.comparisons import add_number_needed, name_pair
from lib.statistics.models import cox
from lib.statistics.survival import competing, kaplan_meier
from lib.statistics.survival.landmark import compare_from_landmark, select_landmark

CATEGORIES = ("CR", "PR", "SD", "PD", "NE", "died", "missing", "not due")
UNASSESSED = ("NE", "died", "missing")
OUTCOMES = {"objective_response": "responder", "disease_control": "controlled"}
# All treated counts a patient who died or has no assessment as a non-responder; nobody whose visit is not yet due.
DENOMINATORS = ("treated", "evaluable")
RESPONDER, NON_RESPONDER = "responder", "non-responder"


class ResponseRates(Analysis):
    """Response by visit."""


@requires("lesions", "measurements")
def analyse(data: Dataset, visits: Sequence[float]) -> ResponseRates:
    """Response at each visit by arm.

    Parameters
    ----------
    data : Dataset
    visits : sequence of float
        Visits in the study's time unit.

    Returns
    -------
    ResponseRates
        `response_category` (count of each category), `response_unassessed` (patients without an assessment that can be
        evaluated, whose visit was due), then for `objective_response` and `disease_control` and both
        denominators: `<outcome>_<denominator>` (proportion, exact interval), `_test` (overall), `_pairwise` (Fisher,
        Holm), `_difference` (Miettinen-Nurminen; with the number needed to treat) and `_newcombe`, `_odds_ratio`.
    """
    patients = {visit: response_frame(data, visit) for visit in visits}
    frames: dict[str, list[pd.DataFrame]] = {"response_category": []}
    for visit, frame in patients.items():
        frames["response_category"].append(count_categories(frame).assign(time=visit))
        for outcome, column in OUTCOMES.items():
            for denominator in DENOMINATORS:
                chosen = (
                    frame[frame["response"] != "not due"] if denominator == "treated" else frame[frame["evaluable"]]
                )
                for name, part in compare_outcome(chosen, column, data).items():
                    frames.setdefault(f"{outcome}_{denominator}{name}", []).append(part.assign(time=visit))
    frames["response_unassessed"] = [count_unassessed(part) for part in frames["response_category"]]
    every = pd.concat([frame.assign(time=visit) for visit, frame in patients.items()], ignore_index=True)
    return ResponseRates(
        data, "response", {name: pd.concat(parts, ignore_index=True) for name, parts in frames.items()}, {"patients": every}
    )


def count_categories(frame: pd.DataFrame) -> pd.DataFrame:
    """Count the patients of each category, per arm and overall.

    Parameters
    ----------
    frame : DataFrame, one row per patient: `arm`, `response` (one of `CATEGORIES`)

    Returns
    -------
    DataFrame, one row per arm (and overall) and category: `group`, `variable`, `count`, `method`, `note`
    """
    counts = pd.crosstab(frame["arm"], frame["response"], dropna=False).reindex(columns=CATEGORIES, fill_value=0)
    counts.loc["overall"] = counts.sum()
    tidy = counts.rename_axis(index="group", columns="variable").stack().rename("count").reset_index()
    return tidy.assign(method="count of patients", note="")


def count_unassessed(categories: pd.DataFrame) -> pd.DataFrame:
    """Sum the categories of those who were due and have no category of response: rows as `count_categories`."""
    own = categories[categories["variable"].isin(UNASSESSED)]
    total = own.groupby("group", sort=False)["count"].sum().reset_index()
    return total.assign(time=categories["time"].iat[0], method="count of patients", note="")


def compare_outcome(frame: pd.DataFrame, column: str, data: Dataset) -> dict[str, pd.DataFrame]:
    """Proportion of patients with an outcome by arm, and every comparison of arms.

    Parameters
    ----------
    frame : DataFrame, one row per patient of the denominator
    column : str
        Column of bool (True = has the outcome).
    data : Dataset

    Returns
    -------
    dict of str to DataFrame
        "" (proportion), and with two arms or more `_test`, `_chisq`, `_pairwise`, `_difference`, `_newcombe`,
        `_odds_ratio`; over ordered arms `_trend` (Cochran-Armitage).
    """
    counts, level = proportions.count_outcome(frame, column), data.parameters.level
    results = {"": proportions.estimate_proportion(counts, level)}
    if len(data.arms) < 2:
        return results
    if data.ordered:
        results["_trend"] = proportions.compare_trend(counts)
    tests = proportions.compare_proportions(counts)
    difference = proportions.estimate_risk_difference
    return results | {
        "_test": tests.iloc[[0]].drop(columns=["chisq", "df"]),
        "_chisq": tests.iloc[[1]].drop(columns="mc_error"),
        "_pairwise": proportions.compare_proportions_pairwise(counts, data.reference),
        "_difference": add_number_needed(difference(counts, data.reference, level=level)),
        "_newcombe": difference(counts, data.reference, "newcombe", level),
        "_odds_ratio": proportions.estimate_odds_ratio(counts, data.reference, level),
    }


class ResponseTime(Analysis):
    """Time to response, and survival by response."""


@requires("lesions", "measurements")
def analyse_response_time(data: Dataset, visits: Sequence[float]) -> ResponseTime | Absent:
    """Cumulative incidence of response by arm, and survival of responders from each response visit on.

    Parameters
    ----------
    data : Dataset
    visits : sequence of float
        Response visits, in the study's time unit. Each is read at the end of its window, when its scan is in.

    Returns
    -------
    ResponseTime
        `response_incidence` (first response; progression or death without one competes; `time` is the end of the
        visit's window), `response_at_risk` (without response, progression or death, at the ticks of the figure), with two arms or more `response_incidence_test` (Gray), and per endpoint (`variable`; not
        those for sensitivity) and visit `response_landmark` (responder vs non-responder: log-rank test and hazard
        ratio, clock from the end of the window, `n_missing`: the event or the end of follow-up before, or not
        evaluable) and `response_landmark_median` (median from there). Data: `incidence_curve`.
        R: ``cmprsk::cuminc``; ``survdiff``, ``coxph``, ``survfit`` on the patients beyond the landmark.
    """
    ends = [visit + data.study.visits.window_days[1] / data.study.time.days_per_unit for visit in visits]
    first, level = _first_response(data), data.parameters.level
    curve = competing.estimate_incidence_curve(first, level=level)
    longest = 1.05 * max(float(curve["time"].max()), *ends)
    frames = {
        "response_incidence": competing.estimate_cumulative_incidence(first, ends, level=level),
        "response_at_risk": left_at_risk(data, first, longest),
    }
    if len(data.arms) > 1:
        frames["response_incidence_test"] = withhold(data, first, competing.compare_gray(first))
    compared, medians = [], []
    for endpoint in (e for e in data.study.endpoints if e.role != "sensitivity"):
        tte = time_to_event_frame(data, endpoint)
        for visit, end in zip(visits, ends, strict=True):
            grouped = tte.assign(response=_grouped(data, visit, tte))
            compared.append(_compare(data, grouped, end).assign(variable=endpoint.id, time=end))
            selected = select_landmark(grouped, "response", end)
            found = kaplan_meier.estimate_median(selected, level=level)
            medians.append(
                found.assign(variable=endpoint.id, time=end, method=f"{found['method'].iat[0]}, from the landmark")
            )
    if compared:
        frames["response_landmark"] = pd.concat(compared, ignore_index=True)
        frames["response_landmark_median"] = pd.concat(medians, ignore_index=True)
    return ResponseTime(
        data, "response",
        frames,
        {"incidence_curve": curve, "competing": first},
    )


def _first_response(data: Dataset) -> pd.DataFrame:
    """Time to the first response; `cause` 2 is progression or death before one, 0 the last assessment without any."""
    course = course_frame(data)
    died = data.patients["death_date"] if "death_date" in data.patients else pd.Series(pd.NaT, data.patients.index)
    days = (died - data.patients["time_zero"]).dt.days.set_axis(data.patients["patient_id"])
    death = course["patient_id"].map(days) / data.study.time.days_per_unit
    other = pd.concat([course["progression_time"], death], axis=1).min(axis=1)
    responded = course["response_time"].notna()
    cause = np.where(responded, 1, np.where(other.notna(), 2, 0))
    time = course["response_time"].fillna(other).fillna(course["last_assessment"]).fillna(0.0).clip(lower=0)
    return course[["patient_id", "arm"]].assign(time=time, event=cause == 1, cause=cause)


def _grouped(data: Dataset, visit: float, tte: pd.DataFrame) -> pd.Series:
    """Whether each patient of `tte` was a responder at the visit; missing where that was not evaluable."""
    frame = response_frame(data, visit).set_index("patient_id")
    named = frame["responder"].map({True: RESPONDER, False: NON_RESPONDER}).where(frame["evaluable"])
    return pd.Series(
        pd.Categorical(tte["patient_id"].map(named), [NON_RESPONDER, RESPONDER], ordered=True), index=tte.index
    )


def _compare(data: Dataset, grouped: pd.DataFrame, end: float) -> pd.DataFrame:
    """Log-rank test and hazard ratio of responders against non-responders beyond the landmark."""
    test = compare_from_landmark(grouped, "response", end).drop(columns="landmark")
    selected = select_landmark(grouped, "response", end)
    pair = name_pair(RESPONDER, NON_RESPONDER)
    row = test.rename(columns={"n_excluded": "n_missing"}).assign(group=pair, hr=np.nan, ci_low=np.nan, ci_high=np.nan)
    if selected["arm"].nunique() < 2:
        return row
    term = cox.estimate_cox(selected, NON_RESPONDER, level=data.parameters.level).terms.iloc[0]
    said = "; ".join(note for note in dict.fromkeys([row["note"].iat[0], term["note"]]) if note)
    row = row.assign(hr=term["hr"], ci_low=term["ci_low"], ci_high=term["ci_high"], note=said)
    return withhold(data, selected, row)
