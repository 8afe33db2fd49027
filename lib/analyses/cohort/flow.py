"""Participant flow: who was screened, excluded, treated, analysed and followed, and whether every table agrees.

The steps come from dataset; here they go on to each endpoint, response visit and marker, and are held against the
denominators of all tables.
"""

from __future__ import annotations

__all__ = ["Completeness", "CountsDifferError", "Enrolment", "Flow", "analyse", "analyse_completeness", "analyse_enrolment", "check_counts"]

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from lib.analyses.outputs import find
from lib.analyses.result import PATIENTS, Absent, Analysis, unit_of
from lib.dataset.dataset import Dataset
from lib.dataset.derived import VOLUME, marker_frame, response_frame, time_to_event_frame, volume_frame
from lib.statistics import proportions
from lib.study.endpoints import Endpoint

COUNTED = "count of patients"
# Step of the flow that denominators must equal -> the columns by which the two are matched.
MATCHED = {
    "flow": ["group"],
    "flow_endpoint": ["variable", "group"],
    "flow_response_due": ["time", "group"],
    "flow_response_evaluable": ["time", "group"],
    "flow_marker": ["variable", "time", "group"],
    "flow_volume": ["variable", "time", "group"],
}
CLARK = "completeness index (Clark): observed over potential person-time, an event counting as complete"


class CountsDifferError(AssertionError):
    """A table counts other patients than the participant flow, in one plain sentence."""


class Flow(Analysis):
    """Participant flow: the denominators of every other analysis."""


def analyse(data: Dataset, visits: Sequence[float] = ()) -> Flow:
    """Participant flow, down to each analysis.

    Parameters
    ----------
    data : Dataset
    visits : sequence of float
        Response visits, in the study's time unit.

    Returns
    -------
    Flow
        `flow` (a row per step and arm; `variable` names the step, with the reason of an exclusion), `flow_endpoint`
        (patients with a known time), and where the study has the tables `flow_response_due` (everybody but those
        whose visit lies after the cut-off), `flow_response_evaluable`, `flow_volume` and `flow_marker` (patients with
        a usable value at the visit). `n` is always the number analysed. `data_queries` (open, and blocking).
    """
    flow = data.flow.assign(method=COUNTED)
    flow["variable"] = flow["step"] + flow["note"].map(lambda note: f": {note}" if note else "")
    frames = {"flow": flow}
    if data.study.endpoints:
        frames["flow_endpoint"] = _endpoints(data)
    if data.holds("lesions", "measurements") and visits:
        responses = {visit: response_frame(data, visit) for visit in visits}
        due = {visit: frame[frame["response"] != "not due"] for visit, frame in responses.items()}
        frames["flow_response_due"] = _over_visits(data, due)
        frames["flow_response_evaluable"] = _over_visits(data, {v: f[f["evaluable"]] for v, f in responses.items()})
        frames["flow_volume"] = _over_visits(data, _at_visits(volume_frame(data), visits)).assign(variable=VOLUME)
    markers = [m for m in data.study.markers if m.role == "endpoint"] if data.holds("markers") else []
    parts = []
    for marker in markers:
        values = marker_frame(data, marker)
        usable = values[(values["excluded"] == "") & values["value"].notna()]
        seen = marker.visits or tuple(sorted(values["visit"].unique()))
        parts.append(_over_visits(data, _at_visits(usable, seen)).assign(variable=marker.id))
    if parts:
        frames["flow_marker"] = pd.concat(parts, ignore_index=True)
    return Flow(data, "", frames | {"data_queries": _queries(data.queries)})


def _queries(queries: pd.DataFrame) -> pd.DataFrame:
    """Open data queries: all, and those that block a report."""
    counts = {"all": len(queries), "error": int((queries["severity"] == "error").sum())}
    rows = [(name, "overall", n) for name, n in counts.items()]
    return pd.DataFrame(rows, columns=["variable", "group", "n_queries"]).assign(method="count of data queries", note="")


def _endpoints(data: Dataset) -> pd.DataFrame:
    parts = []
    for endpoint in data.study.endpoints:
        parts.append(_count(data, time_to_event_frame(data, endpoint)).assign(variable=endpoint.id))
    return pd.concat(parts, ignore_index=True)


def _at_visits(values: pd.DataFrame, visits: Sequence[float]) -> dict[float, pd.DataFrame]:
    return {visit: values[values["visit"] == visit] for visit in visits}


def _over_visits(data: Dataset, frames: dict[float, pd.DataFrame]) -> pd.DataFrame:
    parts = [_count(data, frame).assign(time=float(visit)) for visit, frame in frames.items()]
    return pd.concat(parts, ignore_index=True)


def _count(data: Dataset, rows: pd.DataFrame) -> pd.DataFrame:
    """Patients of `rows` per arm and overall, of those analysed; an arm with none keeps its row."""
    ids = data.patients["patient_id"]
    known = np.ones(len(ids), dtype=bool) if rows["patient_id"].equals(ids) else ids.isin(rows["patient_id"])
    chosen = data.patients["arm"][known]
    counts, n = chosen.value_counts(sort=False), data.n
    found = [(arm.id, int(counts[arm.id]), int(n[arm.id])) for arm in data.arms]
    if len(data.arms) > 1:
        found.append(("overall", len(chosen), len(data.patients)))
    return pd.DataFrame(found, columns=["group", "count", "n"]).assign(method=COUNTED, note="")


class Enrolment(Analysis):
    """When patients entered."""


def analyse_enrolment(data: Dataset) -> Enrolment | Absent:
    """Start of treatment over calendar time.

    Returns
    -------
    Enrolment
        `enrolment`: patients who started in each calendar year (`time`) by arm; data `starts` (arm, date, and
        `cumulative`, the patients of the arm who had started by then).
    """
    patients = data.patients
    if "time_zero" not in patients or patients["time_zero"].isna().all():
        return Absent("The study holds no calendar dates, so enrolment over time cannot be shown.")
    started = patients.dropna(subset="time_zero").sort_values("time_zero", kind="stable")
    years = started["time_zero"].dt.year
    every = range(int(years.min()), int(years.max()) + 1)
    frame = _over_visits(data, {year: started[years == year] for year in every})
    starts = started[["arm", "time_zero"]].rename(columns={"time_zero": "date"})
    starts["cumulative"] = starts.groupby("arm", observed=True).cumcount() + 1
    return Enrolment(data, "start", {"enrolment": frame.assign(method="patients by year of time zero")}, {"starts": starts})


def check_counts(flow: Flow, analyses: Iterable[Analysis]) -> int:
    """Hold the denominators of every table against the participant flow.

    Denominators for which the catalogue of outputs names a step must equal the flow's, with those of an endpoint stand
    all who lack it, and no other `n` of patients may exceed the number analysed in its arm.

    Parameters
    ----------
    flow : Flow
        As `analyse` returns it.
    analyses : iterable of Analysis

    Returns
    -------
    int
        How many denominators were compared.

    Raises
    ------
    CountsDifferError
    """
    compared, analysed = 0, flow["flow"][flow["flow"]["variable"] == "analysed"]
    most = dict(zip(analysed["group"], analysed["count"], strict=True))
    for analysis in analyses:
        for output, frame in analysis.frames.items():
            if "n" not in frame or "group" not in frame or output in flow:
                continue
            counted = _counted(analysis, output, frame)
            compared += _must_equal(flow, analysis, output, counted) + _must_not_exceed(most, output, counted)
            if output == "median":
                everybody = counted.assign(counted=counted["counted"] + frame["n_missing"], count=counted["group"].map(most))
                _refuse(output, everybody[everybody["counted"] != everybody["count"]])
    return compared


def _counted(analysis: Analysis, output: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The patients that a frame accounts for: `n`, and in Table 1 those without a known value."""
    n = frame["n"].astype(float)
    if find(output, analysis.variable).known_only:
        n = n + (frame["n_missing"] if "n_missing" in frame else _missing(analysis, frame))
    return pd.DataFrame({
        "variable": frame.get("variable", analysis.variable), "group": frame["group"],
        "time": frame.get("time", np.nan), "counted": n, "unit": unit_of(frame),
    })  # fmt: skip


def _missing(analysis: Analysis, frame: pd.DataFrame) -> pd.Series:
    if "baseline_missing" not in analysis or "variable" not in frame:
        return pd.Series(0, index=frame.index)
    missing = analysis["baseline_missing"].set_index(["variable", "group"])["n_missing"]
    keys = zip(frame["variable"].str.split(": ").str[0], frame["group"], strict=True)
    return pd.Series([missing.get(key, 0) for key in keys], index=frame.index)


def _must_equal(flow: Flow, analysis: Analysis, output: str, counted: pd.DataFrame) -> int:
    source = find(output, analysis.variable).step
    if source not in flow:
        return 0
    expected, keys = flow[source], MATCHED[source]
    expected = expected[expected["variable"] == "analysed"] if source == "flow" else expected
    both = counted.merge(expected[[*keys, "count"]], on=keys)
    _refuse(output, both[both["counted"] != both["count"]])
    return len(both)


def _must_not_exceed(most: dict[str, int], output: str, counted: pd.DataFrame) -> int:
    count = np.array([most.get(group, np.nan) for group in counted["group"]])
    held = ~np.isnan(count) & counted["unit"].eq(PATIENTS).to_numpy()
    if (more := held & (counted["counted"].to_numpy() > count)).any():
        _refuse(output, counted.assign(count=count)[more])
    return int(held.sum())


def _refuse(output: str, wrong: pd.DataFrame) -> None:
    if len(wrong):
        row = wrong.iloc[0]
        place = ", ".join(f"{row[key]}" for key in ("variable", "group", "time") if str(row[key]) not in ("", "nan"))
        raise CountsDifferError(
            f"{output} ({place}) counts {row['counted']:g} patients, the participant flow {int(row['count'])}"
        )


class Completeness(Analysis):
    """How complete the follow-up for an endpoint is."""


def analyse_completeness(data: Dataset, endpoint: Endpoint | None) -> Completeness | Absent:
    """Completeness of follow-up for one endpoint.

    Everybody without an event could have been followed until the data cut-off; the index is the time that was
    observed over the time that could have been, 1 when nobody was lost.

    Parameters
    ----------
    data : Dataset
    endpoint : Endpoint or None
        Derived from dates; None in a study that declares none.

    Returns
    -------
    Completeness
        `follow_up_completeness` (`estimate`, `person_time` and `person_time_potential` in the study's unit, per arm
        and overall), `follow_up_lost` (patients censored more than `policy.lost_after_days` before the cut-off, of
        all analysed).

    References
    ----------
    Clark TG, Altman DG, De Stavola BL. Lancet 2002;359:1309-1310.
        R: ``sum(time) / sum(ifelse(event, time, cutoff - start))``
    """
    if endpoint is None:
        return Absent("This study declares no time-to-event endpoint.")
    if not endpoint.derived or data.cutoff is None:
        return Absent("The study holds no calendar dates or no data cut-off, so completeness cannot be judged.")
    tte = time_to_event_frame(data, endpoint)
    per_unit = data.study.time.days_per_unit
    until_cutoff = (pd.Timestamp(data.cutoff) - tte["time_zero"]).dt.days / per_unit
    tte["potential"] = tte["time"].where(tte["cause"] != 0, until_cutoff)
    # Days between dates are whole: what the division left of them does not decide.
    tte["lost"] = ((tte["potential"] - tte["time"]) * per_unit).round() > data.study.policy.lost_after_days
    return Completeness(data, endpoint.id, {"follow_up_completeness": _completeness(data, tte), "follow_up_lost": _lost(tte)})


def _completeness(data: Dataset, tte: pd.DataFrame) -> pd.DataFrame:
    groups = [(arm.id, tte[tte["arm"] == arm.id]) for arm in data.arms]
    groups += [("overall", tte)] if len(groups) > 1 else []
    rows = []
    for group, part in groups:
        observed, potential = float(part["time"].sum()), float(part["potential"].sum())
        index = observed / potential if potential > 0 else float("nan")
        rows.append((group, len(part), index, observed, potential, "" if potential > 0 else "not estimable: no time"))
    columns = ["group", "n", "estimate", "person_time", "person_time_potential", "note"]
    return pd.DataFrame(rows, columns=columns).assign(method=CLARK)


def _lost(tte: pd.DataFrame) -> pd.DataFrame:
    counts = proportions.estimate_proportion(proportions.count_outcome(tte[["arm", "lost"]], "lost"))
    return counts.drop(columns=["ci_low", "ci_high"]).assign(method="count of patients", note="")
