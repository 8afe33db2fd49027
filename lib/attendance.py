"""Whether patients were examined when due: missing scans and samples over the visits, and the timing of scans.

An arm that is scanned less often finds its progressions later; this is where it would show.
"""

from __future__ import annotations

__all__ = ["SCANS", "analyse_missing", "analyse_timing"]

import pandas as pd

from lib import balance
from lib.analysis import PATIENTS, Absent, Analysis
from lib.dataset import Dataset

SCANS = "scans"
DUE = "patients due: examined at the visit, or under observation until its window had closed"


def analyse_missing(data: Dataset) -> Analysis | Absent:
    """Patients examined at each scheduled visit, of those due.

    Due is who was examined at the visit, and who was still under observation when its window closed: alive, before
    the cut-off and, for scans, without the progression that the response rule looks for.

    Returns
    -------
    Analysis
        `attendance`: `count` of `n` due and `proportion`, by `variable` (scans, or the id of a marker), visit
        (`time`) and arm; `attendance_total`: the same over all visits (examinations, not patients), with the largest
        `difference` of two arms beside all of them.
    """
    examined = _examined(data)
    if not examined or data.study.visits is None or "time_zero" not in data.patients:
        return Absent("The study holds no table of visits, so missing examinations cannot be shown.")
    parts = []
    for name, (rows, visits) in examined.items():
        end = _observed_until(data, name)
        for visit in visits:
            parts.append(_attended(data, rows, visit, end).assign(variable=name, time=float(visit)))
    if not any(part["n"].any() for part in parts):
        return Absent("No examination has been due yet, so none can be missing.")
    attendance = pd.concat(parts, ignore_index=True)
    return Analysis("", {"attendance": attendance, "attendance_total": _over_visits(attendance)})


def _over_visits(attendance: pd.DataFrame) -> pd.DataFrame:
    """Examinations made of those due, and how far apart the arms are."""
    total = attendance.groupby(["variable", "group"], sort=False)[["count", "n"]].sum().reset_index()
    total["proportion"] = total["count"].div(total["n"]).where(total["n"] > 0)
    arms = total[total["group"] != "overall"].groupby("variable")["proportion"].agg(lambda p: p.max() - p.min())
    apart = total["variable"].map(arms).where(total["group"] == "overall")
    return total.assign(difference=apart, method=f"{DUE}; all visits", note="", unit="examinations")


def _examined(data: Dataset) -> dict[str, tuple[pd.DataFrame, list[float]]]:
    """Rows and visits of everything that is examined by visit: scans, then the markers."""
    found = {}
    if data.holds("measurements"):
        found[SCANS] = (data.tables["measurements"], list(data.study.visits.schedule) if data.study.visits else [])
    if data.holds("markers"):
        samples = data.tables["markers"]
        outcome = {visit for marker in data.study.markers for visit in marker.visits}
        for marker in data.study.markers:
            own = samples[(samples["marker"] == marker.id) & (samples["value"].notna() | samples["below_limit"])]
            found[marker.id] = (own, sorted(marker.visits or outcome or set(own["visit"])))
    return found


def _observed_until(data: Dataset, name: str) -> pd.Series:
    """Last day, per patient_id, on which an examination could have been due."""
    patients = data.patients.set_index("patient_id")
    dates = pd.DataFrame(index=patients.index)
    dates["cutoff"] = pd.Timestamp(data.cutoff) if data.cutoff else pd.Timestamp.max
    rule = data.study.response
    for column in ("death_date", rule.progression_column if rule and name == SCANS else None):
        if column in patients:
            dates[column] = patients[column]
    return dates.min(axis=1)


def _attended(data: Dataset, rows: pd.DataFrame, visit: float, end: pd.Series) -> pd.DataFrame:
    patients = data.patients[["patient_id", "arm", "time_zero"]]
    seen = patients["patient_id"].isin(rows[rows["visit"] == visit]["patient_id"])
    days = visit * data.study.time.days_per_unit + (data.study.visits.window_days[1] if visit else 0)
    closed = patients["time_zero"] + pd.to_timedelta(days, unit="D")
    due = seen | (closed <= patients["patient_id"].map(end)) | (visit == 0)
    groups = [(arm.id, patients["arm"] == arm.id) for arm in data.arms]
    groups += [("overall", patients["arm"].notna())] if len(groups) > 1 else []
    found = [(group, int((seen & own).sum()), int((due & own).sum())) for group, own in groups]
    frame = pd.DataFrame(found, columns=["group", "count", "n"])
    return frame.assign(proportion=frame["count"].div(frame["n"]).where(frame["n"] > 0), method=DUE, note="")


def analyse_timing(data: Dataset) -> Analysis | Absent:
    """Days between successive scans of a patient, and how far scans lie from their scheduled day.

    Returns
    -------
    Analysis
        `scan_interval` (all intervals of an arm; n counts intervals), `scan_longest` (each patient's longest),
        `scan_delay` (days after the scheduled day, negative before it; n counts scans after baseline), with two arms or
        more `delay_spread` (largest difference of two arms' median delays),
        `scan_interval_visit` (intervals that end at each visit, `time`): n, median, quartiles, range, mean, sd.
    """
    if not data.holds("measurements") or "time_zero" not in data.patients:
        return Absent("The study holds no table of measurements, so there are no intervals between scans to show.")
    scans = _scans(data)
    later = scans.dropna(subset="interval")
    longest = later.groupby(["patient_id", "arm"], observed=True)["interval"].max().reset_index()
    parts = [
        _describe(part, "interval", "intervals between scans", "intervals").assign(time=float(visit))
        for visit, part in later.groupby("visit")
    ]
    frames = {
        "scan_interval": _describe(later, "interval", "intervals between scans", "intervals"),
        "scan_longest": _describe(longest, "interval", "patients; longest of each", PATIENTS),
        "scan_delay": _describe(scans[scans["visit"] > 0], "delay", "scans after baseline", "scans"),
    }
    if len(data.arms) > 1:
        frames["delay_spread"] = _spread(frames["scan_delay"])
    if parts:
        frames["scan_interval_visit"] = pd.concat(parts, ignore_index=True)
    return Analysis(SCANS, frames)


def _spread(delays: pd.DataFrame) -> pd.DataFrame:
    medians = delays.loc[(delays["group"] != "overall") & (delays["n"] > 0), "median"]
    apart = float(medians.max() - medians.min()) if len(medians) > 1 else float("nan")
    return pd.DataFrame([{"group": "overall", "difference": apart, "method": "largest difference of two medians", "note": ""}])


def _scans(data: Dataset) -> pd.DataFrame:
    """One row per patient and day of a scan: visit, days since the one before, days after the scheduled day."""
    scans = data.tables["measurements"][["patient_id", "assessment_date", "visit"]]
    scans = scans.sort_values(["patient_id", "assessment_date", "visit"], kind="stable")
    scans = scans.drop_duplicates(["patient_id", "assessment_date"]).reset_index(drop=True)
    patients = data.patients.set_index("patient_id")
    scans["arm"] = pd.Categorical(
        scans["patient_id"].map(patients["arm"].astype(str)), categories=[a.id for a in data.arms], ordered=True
    )
    scans["interval"] = scans.groupby("patient_id")["assessment_date"].diff().dt.days
    planned = scans["visit"] * data.study.time.days_per_unit
    scans["delay"] = (scans["assessment_date"] - scans["patient_id"].map(patients["time_zero"])).dt.days - planned
    return scans


def _describe(values: pd.DataFrame, column: str, method: str, unit: str) -> pd.DataFrame:
    frame = balance.estimate_quantiles(values, [column])
    return frame.drop(columns=["variable", "n_missing"]).assign(method=f"{method}; quantiles of type 7", unit=unit)
