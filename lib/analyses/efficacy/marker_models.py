"""Markers as ratios to baseline from a mixed model, under several choices of samples; and who has a value when.

Rank tests of change are in markers; the model itself is statistics.models.mixed, that of single lesions lesions.
"""

from __future__ import annotations

__all__ = ["ALL", "MAIN", "PRESENCE", "MarkerModel", "Presence", "Ratios", "analyse_model", "analyse_presence"]

import numpy as np
import pandas as pd

from lib.analyses.result import Absent, Analysis, requires
from lib.dataset.dataset import Dataset
from lib.dataset.derived import VOLUME, marker_frame, volume_frame, why_not_seen
from lib.statistics.models import mixed
from lib.statistics.survival.event_table import OVERALL
from lib.study.clinic.markers import Marker
from lib.study.words import grouped

MAIN, ALL = "main analysis", "all samples"
# The mixed model costs the cube of its values; patients of a larger study are drawn, by this seed.
MOST_VALUES, SEED = 2_000, 20250228
PROGRESSION = ("local_progression_date", "distant_progression_date")
PRESENCE = ("value", "excluded", "died", "not due", "progressed", "missing")


class Ratios(Analysis):
    """A mixed model of values over time: ratios to baseline, within and between arms."""


class MarkerModel(Ratios):
    """A marker over time, by a mixed model."""


@requires("markers")
def analyse_model(data: Dataset, marker: Marker) -> MarkerModel | Absent:
    """Ratios to baseline of one marker from a mixed model of its logarithm.

    Parameters
    ----------
    data : Dataset
    marker : Marker

    Returns
    -------
    MarkerModel
        `<marker>_model_ratio` (each later visit against baseline, per arm), `<marker>_model_count` (patients with a
        value, per arm and visit), `<marker>_model_term` (F tests),
        `<marker>_model_variance`, with two arms or more `<marker>_model_comparison` (ratio of the ratios of two
        arms), and `<marker>_sensitivity` (the ratios again with all samples, with those up to the first progression,
        and without those below the limit of detection or above the upper one). Absent where the data do not determine the model: the rank
        tests of markers then stand alone.
    """
    values = marker_frame(data, marker)
    values = values[values["visit"].isin(marker.visits or values["visit"].unique())]
    values, sampled = _sampled(values)
    samples = _choices(values, data)
    why = _unfit(samples[MAIN], marker)
    fit = None if why else mixed.fit_mixed(samples[MAIN], visit="visit")
    if why or not fit.model.is_fitted:
        return Absent(
            f"{marker.label}: no mixed model ({why or fit.model.note}); the rank tests above stand in its place."
        )
    level, name = data.parameters.level, marker.id
    terms = mixed.compare_terms(fit)
    frames = {
        f"{name}_model_ratio": mixed.estimate_ratios(fit, level=level),
        f"{name}_model_count": mixed.count_values(fit),
        f"{name}_model_term": terms.assign(variable=name + ": " + terms["term"]),
        f"{name}_model_variance": mixed.estimate_variance(fit).assign(method=mixed.METHOD, unit="samples"),
    }
    if len(data.arms) > 1:
        frames[f"{name}_model_comparison"] = mixed.compare_ratios(fit, data.reference, level=level)
    fits = {MAIN: fit} | {c: mixed.fit_mixed(s, visit="visit") for c, s in samples.items() if c != MAIN and not _unfit(s, marker)}
    parts = [_ratios(fitted, f"{name}: {choice}", level) for choice, fitted in fits.items()]
    frames[f"{name}_sensitivity"] = pd.concat(parts, ignore_index=True)
    modelled = {"samples": pd.concat([s.assign(choice=c) for c, s in samples.items()])}
    if not sampled:
        return MarkerModel(data, name, frames, modelled)
    frames = {output: frame.assign(method=frame["method"] + ", " + sampled) for output, frame in frames.items()}
    return MarkerModel(data, name, frames, modelled | {"sampled": pd.DataFrame({"said": [sampled]})})


def _sampled(values: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """All samples of as many random patients as the model takes, and how that is said; "" where it takes all."""
    patients = values["patient_id"].unique()
    taken = len(patients) * MOST_VALUES // max(len(values), 1)
    if taken >= len(patients):
        return values, ""
    chosen = np.random.default_rng(SEED).choice(np.sort(patients), taken, replace=False)
    said = f"of a random sample of {grouped(taken)} patients, because the model takes at most {grouped(MOST_VALUES)} samples"
    return values[values["patient_id"].isin(chosen)], said


def _choices(values: pd.DataFrame, data: Dataset) -> dict[str, pd.DataFrame]:
    """Samples of the main analysis and of each sensitivity analysis that leaves in or out any other."""
    main = values[(values["excluded"] == "") & (values["unchanged"] == "")]
    found = {
        ALL: values,
        "samples above the limit of detection": main[~main["below_limit"].fillna(False).astype(bool)],
        "samples below the upper limit of the assay": main[~main["above_limit"]],
    }
    first = pd.to_datetime(main["patient_id"].map(_progressed(data)))
    found["samples up to the first progression"] = main[~(main["date"] > first)]
    return {MAIN: main} | {choice: chosen for choice, chosen in found.items() if len(chosen) != len(main)}


def _progressed(data: Dataset) -> pd.Series:
    """Date of the first progression per patient_id; missing for a patient or a study without one."""
    dates = [column for column in PROGRESSION if column in data.patients]
    first = data.patients[dates].min(axis=1) if dates else pd.Series(pd.NaT, data.patients.index)
    return pd.to_datetime(first).set_axis(data.patients["patient_id"])


def _unfit(samples: pd.DataFrame, marker: Marker) -> str:
    """Why these samples cannot even be given to the model, or ""."""
    if marker.scale != "log":
        return "it is not analysed on the log scale"
    if (samples["value"] <= 0).any():
        return "a value of zero is not marked as below the limit of detection"
    if samples["visit"].nunique() < 2 or samples["visit"].min() != 0:
        return "no values at baseline and at a later visit"
    return ""


def _ratios(fit: mixed.MixedFit, variable: str, level: float) -> pd.DataFrame:
    """Ratios under one choice of samples, with the values behind each."""
    ratios = mixed.estimate_ratios(fit, level=level)[["group", "time", "ratio", "ci_low", "ci_high", "method", "note"]]
    counts = fit.counts.stack().to_dict()
    n = [int(counts[row.group, row.time]) for row in ratios.itertuples()]
    return ratios.assign(variable=variable, n=n)


class Presence(Analysis):
    """Who has a value at each visit."""


def analyse_presence(data: Dataset, marker: Marker | None = None) -> Presence | Absent:
    """Who has a value at each visit, and why the others have none.

    Parameters
    ----------
    data : Dataset
    marker : Marker, optional
        Without it, tumour volume at the response visits.

    Returns
    -------
    Presence
        `<variable>_presence` (count of patients with a value, with an excluded sample, who died, whose visit is not
        yet due, who have none after they progressed, who are missing otherwise; adds up to the arm at each visit, and to all patients) and, for a marker, `<variable>_below_limit`
        (samples below the limit of detection) and, where there are any, `<variable>_above_limit`.
    """
    if marker is None:
        return _volume_presence(data)
    return _marker_presence(data, marker)


@requires("lesions", "measurements")
def _volume_presence(data: Dataset) -> Presence:
    visits = (0.0, *data.response_visits)
    frame = _presence(data, VOLUME, volume_frame(data).assign(excluded=""), visits)
    return Presence(data, VOLUME, {f"{VOLUME}_presence": frame})


@requires("markers")
def _marker_presence(data: Dataset, marker: Marker) -> Presence:
    values = marker_frame(data, marker)
    visits = marker.visits or tuple(sorted(values["visit"].unique()))
    values = values[values["visit"].isin(visits)]
    below = _count_limited(values, "below_limit")
    above = _count_limited(values, "above_limit")
    return Presence(data, marker.id, {
        f"{marker.id}_presence": _presence(data, marker.id, values, visits),
        f"{marker.id}_below_limit": below.assign(method="samples below the limit of detection; analysed as limit / sqrt(2)"),
    } | ({
        f"{marker.id}_above_limit": above.assign(method="samples above the limit of the assay; analysed as that limit")
    } if above["count"].any() else {}))  # fmt: skip


def _count_limited(values: pd.DataFrame, flag: str) -> pd.DataFrame:
    """Samples beyond a limit, of all, by visit and arm."""
    flagged = values.assign(flagged=values[flag].fillna(False).astype(bool))
    counts = flagged.groupby(["visit", "arm"], observed=False)["flagged"].agg(n="size", count="sum").reset_index()
    counts = counts.rename(columns={"visit": "time", "arm": "group"}).astype({"group": str})
    return counts.assign(note="", unit="samples")


def _presence(data: Dataset, variable: str, values: pd.DataFrame, visits: tuple[float, ...]) -> pd.DataFrame:
    """Patients per visit, arm and reason; every patient counts once at each visit."""
    parts = []
    patients = data.patients.set_index("patient_id")
    zero = patients.get("time_zero", pd.Series(pd.NaT, patients.index))
    progressed = (_progressed(data) - zero).dt.days.to_numpy()
    for visit in visits:
        at = values[values["visit"] == visit].drop_duplicates("patient_id").set_index("patient_id")["excluded"]
        state = data.patients["patient_id"].map(at.where(at == "", "excluded").replace("", "value")).astype(object)
        why = why_not_seen(data, visit)
        before = progressed < visit * data.study.time.days_per_unit + data.study.visits.window_days[1]
        state = state.where(state.notna(), why.where(~((why == "missing") & before), "progressed"))
        counts = pd.crosstab(data.patients["arm"], state, dropna=False).reindex(columns=PRESENCE, fill_value=0)
        if len(data.arms) > 1:
            counts = pd.concat([counts.rename(index=str), counts.sum().to_frame(OVERALL).T])
        tidy = counts.rename_axis(index="group", columns="state").stack().rename("count").reset_index()
        parts.append(tidy.assign(time=visit, variable=f"{variable}: " + tidy["state"]))
    frame = pd.concat(parts, ignore_index=True).astype({"group": str})
    return frame[["group", "time", "variable", "count"]].assign(method="count of patients", note="")
