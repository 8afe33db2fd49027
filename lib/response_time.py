"""How soon a response comes, and whether those who have one live longer from then on.

A response competes with progression and death, after which none is counted. Survival by response begins at a landmark:
before it, responders were alive by definition. How long responses last is in response_course.
"""

from __future__ import annotations

__all__ = ["NON_RESPONDER", "RESPONDER", "analyse_response_time"]

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib import competing, cox, survival
from lib.analysis import Absent, Analysis, requires
from lib.comparisons import name_pair
from lib.dataset import Dataset
from lib.derivation import response_frame, time_to_event_frame
from lib.derivation_tumour import course_frame
from lib.landmark import compare_from_landmark, select_landmark
from lib.policy import withhold

RESPONDER, NON_RESPONDER = "responder", "non-responder"


@requires("lesions", "measurements")
def analyse_response_time(data: Dataset, visits: Sequence[float]) -> Analysis | Absent:
    """Cumulative incidence of response by arm, and survival of responders from each response visit on.

    Parameters
    ----------
    data : Dataset
    visits : sequence of float
        Response visits, in the study's time unit. Each is read at the end of its window, when its scan is in.

    Returns
    -------
    Analysis
        `response_incidence` (first response; progression or death without one competes; `time` is the end of the
        visit's window), with two arms or more `response_incidence_test` (Gray), and per endpoint (`variable`; not
        those for sensitivity) and visit `response_landmark` (responder vs non-responder: log-rank test and hazard
        ratio, clock from the end of the window, `n_missing`: the event or the end of follow-up before, or not
        evaluable) and `response_landmark_median` (median from there). Data: `incidence_curve`.
        R: ``cmprsk::cuminc``; ``survdiff``, ``coxph``, ``survfit`` on the patients beyond the landmark.
    """
    ends = [visit + data.study.visits.window_days[1] / data.study.time.days_per_unit for visit in visits]
    first, level = _first_response(data), data.parameters.level
    frames = {"response_incidence": competing.estimate_cumulative_incidence(first, ends, level=level)}
    if len(data.arms) > 1:
        frames["response_incidence_test"] = withhold(data, first, competing.compare_gray(first))
    compared, medians = [], []
    for endpoint in (e for e in data.study.endpoints if e.role != "sensitivity"):
        tte = time_to_event_frame(data, endpoint)
        for visit, end in zip(visits, ends, strict=True):
            grouped = tte.assign(response=_grouped(data, visit, tte))
            compared.append(_compare(data, grouped, end).assign(variable=endpoint.id, time=end))
            selected = select_landmark(grouped, "response", end)
            found = survival.estimate_median(selected, level=level)
            medians.append(
                found.assign(variable=endpoint.id, time=end, method=f"{found['method'].iat[0]}, from the landmark")
            )
    if compared:
        frames["response_landmark"] = pd.concat(compared, ignore_index=True)
        frames["response_landmark_median"] = pd.concat(medians, ignore_index=True)
    return Analysis("response", frames, {"incidence_curve": competing.estimate_incidence_curve(first, level=level), "competing": first})


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
