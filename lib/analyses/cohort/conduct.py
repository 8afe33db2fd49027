"""How the study was run: what the patients received, which visits were attended, and when scans were made.

Study treatment is line 1; later lines are counted apart. Components, their kind and labels come from study.yml.
"""

from __future__ import annotations

__all__ = ["BETWEEN", "FIRST", "LATER", "SAME_DAY", "SCANS", "Attendance", "Exposure", "Timing", "analyse", "analyse_missing", "analyse_timing"]

import pandas as pd

from lib.analyses.result import PATIENTS, Absent, Analysis, requires
from lib.dataset.dataset import Dataset
from lib.statistics import balance
from lib.study.clinic.treatment import Component

BETWEEN, FIRST, LATER = "between components", "first component", "later line"
SAME_DAY = "same day"
# Lesion-level columns of a local therapy -> name of the measure.
PER_LESION = {"prescription_gy": "prescription", "d90_gy": "d90"}
SCANS = "scans"
DUE = "patients due: examined at the visit, or under observation until its window had closed"


class Exposure(Analysis):
    """What treatment was given."""


@requires("treatments")
def analyse(data: Dataset) -> Exposure:
    """Exposure to each component by arm.

    Parameters
    ----------
    data : Dataset
        With the table treatments.

    Returns
    -------
    Exposure
        `exposure_count` (count of n patients: of all analysed for "treated" and later lines, of those who received the
        component for its doses, of those with several components for which came first; `variable` is "drug: treated", "drug: ongoing", "drug: reduced",
        "drug: start 12", "drug: lowest 8", "first component: drug", "later line: any", ...) and `exposure_number`
        (n, mean, sd, median, quartiles, range; `variable` is "drug: duration" in days from the first to the last day,
        "local: seeds", "local: activity" (mCi) per patient, "local: d90" and "local: prescription" (Gy) per lesion,
        "local: lowest d90" per patient, and "between components", the days from the first to the last component's
        start in patients who received several). Zero cells are kept.
    """
    rows = data.tables["treatments"].assign(line=lambda t: t["line"].fillna(1).astype(int))
    study, later = rows[rows["line"] == 1], rows[rows["line"] > 1]
    counts: dict[str, tuple[pd.Series, pd.Series]] = {}
    everybody = data.patients["patient_id"]
    numbers: list[pd.DataFrame] = []
    for component in data.study.treatments.components:
        own = study[study["component"] == component.id]
        counts[f"{component.id}: treated"] = (own["patient_id"], everybody)
        describe = _drug if component.kind == "drug" else _local
        more, described = describe(data, component, own)
        counts |= {name: (ids, own["patient_id"]) for name, ids in more.items()}
        numbers += described
    several, more, described = _between(data, study)
    counts |= {name: (ids, several) for name, ids in more.items()}
    counts[f"{LATER}: any"] = (later["patient_id"], everybody)
    counts |= {f"{LATER}: {name}": (part["patient_id"], everybody) for name, part in later.groupby("component")}
    frames = {"exposure_count": _counts(data, counts), "exposure_number": pd.concat([*numbers, *described])}
    return Exposure(data, "", {name: frame.reset_index(drop=True) for name, frame in frames.items()})


def _drug(data: Dataset, component: Component, own: pd.DataFrame) -> tuple[dict, list[pd.DataFrame]]:
    """Duration, and the dose at the start and the lowest one."""
    name, by_patient = component.id, own.groupby("patient_id")
    ongoing = own[own["end_date"].isna()]["patient_id"]
    last = own["end_date"].fillna(own["patient_id"].map(_last_seen(data)))
    ended = last.groupby(own["patient_id"]).max()
    duration = (ended - by_patient["start_date"].min()).dt.days
    counts = {f"{name}: ongoing": ongoing}
    first = own.sort_values("start_date", kind="stable").groupby("patient_id")["start_dose"].first()
    lowest = by_patient["lowest_dose"].min()
    if first.notna().any() or lowest.notna().any():
        counts |= {f"{name}: start {dose:g}": _ids(first == dose) for dose in component.doses}
        counts |= {f"{name}: lowest {dose:g}": _ids(lowest == dose) for dose in component.doses}
        counts[f"{name}: reduced"] = _ids(lowest < first)
    return counts, [_number(data, f"{name}: duration", duration)]


def _local(data: Dataset, component: Component, own: pd.DataFrame) -> tuple[dict, list[pd.DataFrame]]:
    """Sessions and lesions; seeds and activity per patient; prescribed and absorbed dose per lesion."""
    name, by_patient = component.id, own.groupby("patient_id")
    measures = {"sessions": by_patient["start_date"].nunique(), "lesions": by_patient["lesion_id"].nunique()}
    if own["n_seeds"].notna().any():
        seeds = own["n_seeds"].astype(float)
        measures["seeds"] = seeds.groupby(own["patient_id"]).sum(min_count=1)
        if own["seed_activity_mci"].notna().any():
            measures["activity"] = (seeds * own["seed_activity_mci"]).groupby(own["patient_id"]).sum(min_count=1)
    numbers = [_number(data, f"{name}: {measure}", values) for measure, values in measures.items()]
    for column, measure in PER_LESION.items():
        if own[column].notna().any():
            per_lesion = own.set_index("patient_id")[column]
            numbers.append(_number(data, f"{name}: {measure}", per_lesion, "lesions", "treated lesions"))
    if own["d90_gy"].notna().any():
        numbers.append(_number(data, f"{name}: lowest d90", by_patient["d90_gy"].min()))
    return {}, numbers


def _between(data: Dataset, study: pd.DataFrame) -> tuple[pd.Series, dict, list[pd.DataFrame]]:
    """Patients with several components; which came first and the days between the starts: the source of immortal time."""
    known = [component.id for component in data.study.treatments.components]
    study = study[study["component"].isin(known)]
    starts = study.groupby(["patient_id", "component"])["start_date"].min().unstack()
    starts = starts[starts.notna().sum(axis=1) > 1]
    if starts.empty:
        return pd.Series(dtype=object), {}, []
    days = (starts.max(axis=1) - starts.min(axis=1)).dt.days
    apart = starts[days > 0]
    first = apart.idxmin(axis=1) if len(apart) else pd.Series(dtype=object)
    counts = {f"{FIRST}: {name}": _ids(first == name) for name in known if name in starts}
    counts |= {f"{FIRST}: {SAME_DAY}": _ids(days == 0)}
    return pd.Series(starts.index), counts, [_number(data, BETWEEN, days)]


def _last_seen(data: Dataset) -> pd.Series:
    """Last day on which a patient is known to be under observation; the cut-off where a study has no such date."""
    patients = data.patients.set_index("patient_id")
    if "last_contact_date" in patients:
        return patients["last_contact_date"]
    return pd.Series(pd.Timestamp(data.cutoff) if data.cutoff else pd.NaT, index=patients.index)


def _ids(chosen: pd.Series) -> pd.Series:
    return pd.Series(chosen.index[chosen.fillna(False).astype(bool)])


def _counts(data: Dataset, counts: dict[str, tuple[pd.Series, pd.Series]]) -> pd.DataFrame:
    """Patients with each property among those whom it can concern, per arm and overall."""
    groups = [(arm.id, data.patients[data.patients["arm"] == arm.id]) for arm in data.arms]
    groups += [("overall", data.patients)] if len(groups) > 1 else []
    rows = [
        (name, group, int(part["patient_id"].isin(ids).sum()), int(part["patient_id"].isin(among).sum()))
        for name, (ids, among) in counts.items()
        for group, part in groups
    ]
    frame = pd.DataFrame(rows, columns=["variable", "group", "count", "n"])
    proportion = frame["count"].div(frame["n"]).where(frame["n"] > 0)
    return frame.assign(proportion=proportion, method="count of patients", note="")


def _number(data: Dataset, name: str, values: pd.Series, unit: str = PATIENTS, who: str = PATIENTS) -> pd.DataFrame:
    """Describe values indexed by patient_id, per arm and overall; an arm without any keeps its row with n = 0."""
    arm = data.patients.set_index("patient_id")["arm"]
    values = values[values.index.isin(arm.index)].astype(float)
    frame = pd.DataFrame({"value": values.to_numpy(), "arm": arm.reindex(values.index).to_numpy()})
    frame["arm"] = pd.Categorical(frame["arm"], categories=[a.id for a in data.arms], ordered=True)
    method = f"{who}; quantiles of type 7"
    return balance.estimate_quantiles(frame, ["value"]).assign(variable=name, method=method, unit=unit)


class Attendance(Analysis):
    """Who came to the visits."""


def analyse_missing(data: Dataset) -> Attendance | Absent:
    """Patients examined at each scheduled visit, of those due.

    Due is who was examined at the visit, and who was still under observation when its window closed: alive, before
    the cut-off and, for scans, without the progression that the response rule looks for.

    Returns
    -------
    Attendance
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
    return Attendance(data, "", {"attendance": attendance, "attendance_total": _over_visits(attendance)})


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


class Timing(Analysis):
    """How far from its visit a scan lies."""


def analyse_timing(data: Dataset) -> Timing | Absent:
    """Days between successive scans of a patient, and how far scans lie from their scheduled day.

    Returns
    -------
    Timing
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
    return Timing(data, SCANS, frames)


def _spread(delays: pd.DataFrame) -> pd.DataFrame:
    medians = delays.loc[(delays["group"] != "overall") & (delays["n"] > 0), "median"]
    apart = float(medians.max() - medians.min()) if len(medians) > 1 else float("nan")
    return pd.DataFrame(
        [{"group": "overall", "difference": apart, "method": "largest difference of two medians", "note": ""}]
    )


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
