"""How fast a marker changes in each patient, when it has progressed, and what a marker that spoils it says in its place.

Only for a marker of which study.yml declares `kinetics`, `progression` or `interference.surrogate`.
"""

from __future__ import annotations

__all__ = ["DOUBLING", "RISING", "TRENDS", "Rises", "Slopes", "Trends", "analyse_kinetics", "analyse_rises", "analyse_surrogate"]

import numpy as np
import pandas as pd

from lib.analyses.policy import withhold
from lib.analyses.result import Absent, Analysis, requires
from lib.analyses.scale import left_at_risk
from lib.dataset.dataset import Dataset
from lib.dataset.markers import INTERFERED, marker_frame, rise_frame, usable_samples
from lib.statistics import balance, proportions, ranks
from lib.statistics.models.slopes import estimate_slopes
from lib.statistics.survival import competing
from lib.study.clinic.markers import Marker
from lib.study.study import present

RISING, DOUBLING = "rising", "doubling"
# Whom the rule cannot be asked of stands last.
RISEN, DIED, FREE = "risen", "died", "free"
FELL, STABLE, ROSE, UNKNOWN = "fell", "stable", "rose", "unknown"
TRENDS = (FELL, STABLE, ROSE, UNKNOWN)
METHOD = "least-squares slope of the logarithm on time, patient by patient; quantiles of type 7"
NEVER = "not estimable: at this quantile a value neither rises nor falls"


class Slopes(Analysis):
    """How fast a marker changes, patient by patient."""


class Rises(Analysis):
    """When a marker has progressed."""


class Trends(Analysis):
    """How an interfering marker changes, of patients in whom the marker itself cannot be used."""


@requires("markers")
def analyse_kinetics(data: Dataset, marker: Marker) -> Slopes | Absent:
    """Doubling time and velocity of one marker, patient by patient, from all samples that count, visits or not.

    Values beyond a limit of the assay were not measured, and no line goes through them.

    Parameters
    ----------
    data : Dataset
    marker : Marker
        With `kinetics`.

    Returns
    -------
    Slopes
        Per arm: `<marker>_slope` (slopes of the logarithm per unit of time), `<marker>_doubling_time` (ln 2 divided by
        these quantiles, negative where the value halves), `<marker>_velocity` (slopes of the value itself),
        `<marker>_kinetics` (patients whose value rises, and doubles faster than declared, of those with a slope),
        `<marker>_no_slope` (patients without, by reason), with two arms or more `<marker>_slope_between`,
        `<marker>_slope_pairwise`, `<marker>_slope_shift` (tests of the slopes; the shift as ratio of the factors by
        which values grow in a unit of time). Data: `slopes`, one row per patient with a slope. Absent without any.
    """
    name, level = marker.id, data.parameters.level
    slopes, reasons = _slopes(data, marker)
    if slopes.empty:
        return Absent(f"{marker.label}: no doubling time ({', '.join(reasons['variable'].str.removeprefix(f'{name}: ').unique()) or 'no sample'}).", name)
    described = balance.estimate_quantiles(slopes, ["slope", "velocity"]).drop(columns="variable")
    half = len(described) // 2
    slope, velocity = described.iloc[:half], described.iloc[half:]
    frames = {
        f"{name}_slope": slope.assign(method=METHOD),
        f"{name}_doubling_time": _as_times(slope),
        f"{name}_velocity": velocity.assign(method="least-squares slope of the value on time, patient by patient; quantiles of type 7"),
        f"{name}_kinetics": _shares(slopes, marker, level),
        f"{name}_no_slope": reasons,
    }
    if len(data.arms) > 1:
        shift = ranks.estimate_shift(slopes, "slope", reference=data.reference, level=level).rename(columns={"difference": "ratio"})
        frames |= {
            f"{name}_slope_between": ranks.compare_ranks(slopes, "slope"),
            f"{name}_slope_pairwise": ranks.compare_ranks_pairwise(slopes, "slope", reference=data.reference),
            f"{name}_slope_shift": shift.assign(**{c: np.exp(shift[c]) for c in ("ratio", "ci_low", "ci_high")}),
        }
    return Slopes(data, name, frames, {"slopes": slopes})


def _slopes(data: Dataset, marker: Marker) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Slopes by patient, with doubling time and velocity; and counts of patients without, by reason and arm."""
    rule, level, per_unit = present(marker.kinetics), data.parameters.level, data.study.time.days_per_unit
    samples = _since(usable_samples(data, marker), rule.since)
    measured = samples[~samples["below_limit"] & ~samples["above_limit"]]
    days = (measured["date"] - measured["date"].min()).dt.days
    measured = measured.assign(time=days / per_unit, log=np.log(measured["value"].where(measured["value"] > 0)))
    found = estimate_slopes(measured, "log", level=level)
    straight = estimate_slopes(measured, "value", level=level)
    for ours, theirs in (("velocity", "slope"), ("velocity_low", "ci_low"), ("velocity_high", "ci_high")):
        found[ours] = found["patient_id"].map(straight.set_index("patient_id")[theirs])
    times = measured.dropna(subset="log").groupby("patient_id")["time"].nunique()
    few = found["patient_id"].map(times) < rule.min_values
    short = (found["span"] * per_unit).round() < rule.min_days
    patients = data.patients[["patient_id", "arm"]]
    frame = marker_frame(data, marker)
    excluded = frame["excluded"].ne("").groupby(frame["patient_id"]).all()
    why = pd.Series(np.where(patients["patient_id"].map(excluded).eq(True), "every sample left out", "no value within the limits of the assay"), patients.index)
    reason = pd.Series(np.select([few, short], [f"fewer than {rule.min_values} values", f"values of less than {rule.min_days} days"], ""), found["patient_id"])
    why = patients["patient_id"].map(reason).astype(object).where(patients["patient_id"].isin(found["patient_id"]), why)
    counts = patients.assign(variable=why)[why != ""].groupby(["arm", "variable"], observed=False)["patient_id"].size().rename("count").reset_index()
    counts = counts.rename(columns={"arm": "group"}).astype({"group": str})
    counts = counts.assign(variable=f"{marker.id}: " + counts["variable"].astype(str), method="count of patients", note="")
    arms = patients["arm"].cat.categories
    kept = found[~(few | short).to_numpy()].reset_index(drop=True)
    return kept.assign(arm=pd.Categorical(kept["arm"], arms, ordered=True), **_times(kept)), counts


def _since(samples: pd.DataFrame, since: str) -> pd.DataFrame:
    """Samples from the patient's baseline sample on, or from the lowest value after it; all, where there is no baseline."""
    baseline = samples[samples["visit"] == 0].groupby("patient_id")["date"].first()
    start = samples["patient_id"].map(baseline)
    samples = samples[~(samples["date"] < start)]
    if since == "baseline":
        return samples
    lowest = samples.sort_values(["value", "date"], kind="stable").groupby("patient_id")["date"].first()
    return samples[samples["date"] >= samples["patient_id"].map(lowest)]


def _times(slopes: pd.DataFrame) -> dict[str, pd.Series]:
    """Doubling time of each patient, negative where values halve; limits where the interval of the slope leaves out 0."""
    one_way = (slopes["ci_low"] > 0) | (slopes["ci_high"] < 0)
    return {
        "doubling": np.log(2) / slopes["slope"].where(slopes["slope"] != 0),
        "doubling_low": np.log(2) / slopes["ci_high"].where(one_way),
        "doubling_high": np.log(2) / slopes["ci_low"].where(one_way),
    }


def _as_times(slope: pd.DataFrame) -> pd.DataFrame:
    """Quantiles of slopes as the times in which a value doubles, or (below 0) halves."""
    times = slope[["group", "n", "n_missing", "median", "q1", "q3", "note"]].copy()
    still = (times[["median", "q1", "q3"]] == 0).any(axis=1)
    times[["median", "q1", "q3"]] = np.log(2) / times[["median", "q1", "q3"]].where(times[["median", "q1", "q3"]] != 0)
    return times.assign(note=times["note"].mask(still, NEVER), method="ln 2 divided by quantiles of slopes of the logarithm")


def _shares(slopes: pd.DataFrame, marker: Marker, level: float) -> pd.DataFrame:
    limit = present(marker.kinetics).doubling_below
    # Slope against slope: a doubling time just at the limit is not below it.
    asked = {RISING: slopes["slope"] > 0} | ({DOUBLING: slopes["slope"] > np.log(2) / limit * (1 + 1e-12)} if limit else {})
    parts = [
        proportions.estimate_proportion(proportions.count_outcome(slopes.assign(has=has), "has"), level).assign(variable=f"{marker.id}: {what}")
        for what, has in asked.items()
    ]
    return pd.concat(parts, ignore_index=True)


@requires("markers")
def analyse_rises(data: Dataset, marker: Marker) -> Rises | Absent:
    """Cumulative incidence of progression of one marker, with death competing.

    Parameters
    ----------
    data : Dataset
    marker : Marker
        With `progression`.

    Returns
    -------
    Rises
        `<marker>_rise_count` (patients who progressed so, died before, neither, or of whom it cannot be known, by
        reason), `<marker>_rise_incidence` when the samples of the marker's visits are in, `<marker>_rise_at_risk`, with two arms
        or more `<marker>_rise_test` (Gray). Data: `incidence_curve`, `competing` (one row per patient). Absent without
        time zero, and where it can be known of nobody.
        R: ``cmprsk::cuminc``
    """
    name, level = marker.id, data.parameters.level
    if "time_zero" not in data.patients:
        return Absent(f"{marker.label}: when it progressed cannot be told, because the study has no time zero.", name)
    rises = rise_frame(data, marker)
    known = _competing(data, rises[rises["why"] == ""])
    visits = sorted(v for v in marker.visits or usable_samples(data, marker)["visit"].unique() if v > 0)
    if known.empty or not visits:
        return Absent(f"{marker.label}: nobody has a sample from which on a rise could be told.", name)
    ends = _ends(data, visits, float(known.groupby("arm", observed=True)["time"].max().min()))
    curve = competing.estimate_incidence_curve(known, level=level)
    frames = {
        f"{name}_rise_count": _count_rises(rises, known, name),
        f"{name}_rise_incidence": competing.estimate_cumulative_incidence(known, ends, level=level),
        f"{name}_rise_at_risk": left_at_risk(data, known, 1.05 * max(float(curve["time"].max()), *ends)),
    }
    if len(data.arms) > 1:
        frames[f"{name}_rise_test"] = withhold(data, known, competing.compare_gray(known))
    return Rises(data, name, frames, {"incidence_curve": curve, "competing": known})


def _ends(data: Dataset, visits: list[float], followed: float) -> list[float]:
    """When the samples of each visit are in: the end of its window, or where an arm is followed no further before it."""
    window = data.study.visits.window_days[1] / data.study.time.days_per_unit if data.study.visits else 0.0
    return [max(visit, min(visit + window, followed)) for visit in visits]


def _competing(data: Dataset, rises: pd.DataFrame) -> pd.DataFrame:
    """Time to progression; `cause` 2 is death before it, 0 the last sample that counts."""
    own = data.patients.loc[rises.index]
    died = own["death_date"] if "death_date" in own else pd.Series(pd.NaT, own.index, dtype="datetime64[ns]")
    cause = np.where(rises["date"].notna(), 1, np.where(died.notna(), 2, 0))
    end = rises["date"].fillna(died).fillna(rises["last"])
    time = ((end - own["time_zero"]).dt.days / data.study.time.days_per_unit).clip(lower=0)
    return rises[["patient_id", "arm"]].assign(time=time, event=cause == 1, cause=cause).dropna(subset="time")


def _count_rises(rises: pd.DataFrame, known: pd.DataFrame, name: str) -> pd.DataFrame:
    """Everybody by what became of the marker, or why that cannot be known."""
    state = rises["why"].copy()
    state.loc[known.index] = known["cause"].map({1: RISEN, 2: DIED, 0: FREE})
    order = [RISEN, DIED, FREE, *sorted(set(state) - {RISEN, DIED, FREE, ""})]
    counts = pd.crosstab(rises["arm"], state, dropna=False).reindex(columns=order, fill_value=0)
    tidy = counts.rename_axis(index="group", columns="state").stack().rename("count").reset_index()
    tidy = tidy.assign(variable=f"{name}: " + tidy["state"], method="count of patients", note="").astype({"group": str})
    return tidy[["variable", "group", "count", "method", "note"]]


@requires("markers")
def analyse_surrogate(data: Dataset, marker: Marker) -> Trends | Absent:
    """Trend of the interfering marker, of patients in whom it leaves the marker itself without a use.

    Parameters
    ----------
    data : Dataset
    marker : Marker
        With `interference.surrogate`.

    Returns
    -------
    Trends
        `<marker>_surrogate` (patients whose last value fell or rose by as much as declared, or did neither; unknown:
        without a value before and after, or with values beyond a limit that leave it open) and
        `<marker>_surrogate_ratio` (ratio to baseline by visit). Absent where nobody has an interfering marker.
    """
    name, interference = marker.id, present(marker.interference)
    own = marker_frame(data, marker)
    patients = data.patients.loc[data.patients["patient_id"].isin(own.loc[own["excluded"] == INTERFERED, "patient_id"]), ["patient_id", "arm"]]
    other = data.study.marker(interference.marker)
    if patients.empty:
        return Absent(f"{marker.label}: nobody is left out because of {other.label}.", name)
    samples = usable_samples(data, other)
    samples = samples[samples["patient_id"].isin(patients["patient_id"])]
    first = samples[samples["visit"] == 0].drop_duplicates("patient_id").set_index("patient_id")
    later = samples[samples["visit"] > 0].copy()
    # From a baseline of zero there is no ratio.
    later["ratio"] = later["value"] / later["patient_id"].map(first["value"].where(first["value"] > 0))
    later["from_above"] = later["patient_id"].map(first["above_limit"]).eq(True)
    last = later.dropna(subset="ratio").groupby("patient_id").tail(1).set_index("patient_id")
    trend = patients["patient_id"].map(_trend(last, present(interference.surrogate))).fillna(UNKNOWN)
    counts = pd.crosstab(patients["arm"], pd.Categorical(trend, TRENDS), dropna=False)
    tidy = counts.rename_axis(index="group", columns="state").stack().rename("count").reset_index().astype({"group": str, "state": str})
    sizes = patients["arm"].value_counts()
    tidy = tidy.assign(variable=f"{name}: " + tidy["state"], n=[int(sizes[g]) for g in tidy["group"]], method="count of patients, last value against baseline", note="")
    ratios = later[~later["from_above"]].dropna(subset="ratio")
    parts = [balance.estimate_quantiles(at, ["ratio"]).assign(time=visit) for visit, at in ratios.groupby("visit")]
    frames = {f"{name}_surrogate": tidy[["variable", "group", "count", "n", "method", "note"]]}
    if parts:
        frames[f"{name}_surrogate_ratio"] = pd.concat(parts, ignore_index=True).drop(columns="variable")
    return Trends(data, name, frames)


def _trend(last: pd.DataFrame, limits) -> pd.Series:
    """Fell, rose or stable, by the last ratio; a bound that leaves it open is unknown."""
    fell, rose = last["ratio"] <= limits.fell, last["ratio"] >= limits.rose
    # From a baseline above the limit the ratio is at most this, to a value above the limit at least.
    open_below = last["from_above"] & ~fell
    open_above = last["above_limit"] & ~last["from_above"] & ~rose
    return pd.Series(np.select([open_below | open_above | (last["from_above"] & last["above_limit"]), fell, rose], [UNKNOWN, FELL, ROSE], STABLE), last.index, dtype=object)
