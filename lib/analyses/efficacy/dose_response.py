"""Dose and response of treated lesions: whether a higher D90 goes with control, and with a smaller volume.

One intercept per arm and one slope, so that arms which differ in dose and in what else they give are not mixed up; a dose
was chosen by somebody, so a slope is no proof of an effect. Every interval knows which lesions share a patient.
"""

from __future__ import annotations

__all__ = ["LEAST_PATIENTS", "STEP", "DoseResponse", "analyse_dose"]

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib.analyses.efficacy.lesion_control import NO_TREATED
from lib.analyses.result import Absent, Analysis, requires
from lib.dataset.course import lesion_frame
from lib.dataset.dataset import Dataset
from lib.dataset.lesions import dose_frame, treated_frame
from lib.statistics.models import clustered as models
from lib.statistics.survival import clustered

# Effects are per so many Gy: about the spread of D90 between lesions.
STEP = 10.0
# Cameron and Miller (J Hum Resour 2015;50:317): cluster-robust errors of very few clusters are too small.
LEAST_PATIENTS = 10
# Points of a curve.
FINE = 41
SLOPE = ("coef", "std_err", "ci_low", "ci_high", "df", "statistic", "p_value")


class DoseResponse(Analysis):
    """What goes with the dose of a lesion."""


@requires("lesions", "measurements")
def analyse_dose(data: Dataset, visits: Sequence[float]) -> DoseResponse | Absent:
    """D90 against local control at a landmark, and against the volume at each response visit.

    Parameters
    ----------
    data : Dataset
    visits : sequence of float
        Visits in the study's time unit.

    Returns
    -------
    DoseResponse
        `dose_control` (odds ratio of control per 10 Gy at the last landmark that can be read in every arm with a dose and at which
        `policy.min_at_risk` patients are followed: logistic regression of pseudo-values of the cumulative incidence of
        progression, death competing) and `dose_volume` (by what 10 Gy multiply the ratio of the volume to the baseline,
        at each visit); rows that rest on too few patients say so. Data: `control_curve`, `volume_curve` (`group`, `x`
        and a band), `lesions`, `volumes` (one row per lesion, and visit). `Absent` where no treated lesion has a dose.
    """
    lesions = treated_frame(data)
    if lesions.empty:
        return Absent(NO_TREATED)
    lesions = lesions.merge(dose_frame(data), on="lesion_id")
    if lesions.empty:
        return Absent("No D90 of a treated lesion is recorded (treatments: lesion_id, d90_gy), so control is not related to dose.")
    lesions["arm"] = lesions["arm"].cat.remove_unused_categories()
    control, control_curve, used = _control(data, lesions)
    volumes = _volumes(data, lesions)
    volume, volume_curve = _volume(data, volumes, visits)
    frames = {"dose_control": control.assign(unit="lesions"), "dose_volume": volume.assign(unit="lesions"), "dose_count": _count(data, used, volumes)}
    drawn = {"control_curve": control_curve, "volume_curve": volume_curve, "lesions": used, "volumes": volumes}
    return DoseResponse(data, "dose", frames, drawn)


def _count(data: Dataset, used: pd.DataFrame, volumes: pd.DataFrame) -> pd.DataFrame:
    """Lesions with a dose, and patients who have them, of each arm: those whose control, and those whose volume is known."""
    rows = []
    for name, lesions in (("control", used), ("volume", volumes.drop_duplicates("lesion_id"))):
        for arm in data.arms:
            own = lesions[lesions["arm"] == arm.id]
            rows.append((name, arm.id, own["lesion_id"].nunique(), own["patient_id"].nunique()))
    frame = pd.DataFrame(rows, columns=["variable", "group", "count", "n_patients"])
    return frame.assign(method="count of lesions", unit="lesions", note="")


def _curves(data: Dataset, fit: models.SlopeFit, rows: pd.DataFrame) -> pd.DataFrame:
    """The curve of each arm over its own doses; no band from so few patients that their variance is not known."""
    if fit.note:
        return _curves_of_none()
    parts = []
    for arm in fit.arms:
        own = rows[rows["arm"] == arm]
        curve = models.predict(fit, arm, np.linspace(own["d90"].min(), own["d90"].max(), FINE), data.parameters.level)
        few = own["patient_id"].nunique() < data.study.policy.min_at_risk
        parts.append(curve.assign(group=arm, **({"ci_low": np.nan, "ci_high": np.nan} if few else {})))
    return pd.concat(parts, ignore_index=True)


def _held(found: pd.DataFrame, note: str) -> pd.DataFrame:
    """A slope, or who was counted and why there is none."""
    return found.assign(**dict.fromkeys(SLOPE, np.nan), note=note) if note else found


def _few(rows: pd.DataFrame) -> str:
    """Why no slope is shown where patients are too few, or ""."""
    return f"not estimated: fewer than {LEAST_PATIENTS} patients" if rows["patient_id"].nunique() < LEAST_PATIENTS else ""


def _landmark(data: Dataset, lesions: pd.DataFrame) -> float:
    """The last landmark that can be read in each arm and at which enough patients are followed; NaN without any."""
    times = data.landmarks(data.study.primary) if data.study.primary else data.response_visits
    known = clustered.estimate_clustered_incidence(lesions, times, "patient_id")
    left = {time: lesions.loc[lesions["time"] >= time, "patient_id"].nunique() for time in times}
    good = [time for time, part in known.groupby("time") if part["estimate"].notna().all() and left[time] >= data.study.policy.min_at_risk]
    return max(good, default=np.nan)


def _control(data: Dataset, lesions: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Odds of control per step of dose, the curves, and the lesions with their state at the landmark."""
    level, time = data.parameters.level, _landmark(data, lesions)
    used = _at_landmark(lesions, time)
    note = _unread(data, used, time)
    fit = models.fit_slope(used, "kept", "d90", "patient_id", "logit")
    found = _held(models.estimate_slope(fit, STEP, level), note)
    odds = {"odds_ratio": np.exp(found["coef"]), "ci_low": np.exp(found["ci_low"]), "ci_high": np.exp(found["ci_high"])}
    method = f"{fit.method}, of pseudo-values (infinitesimal jackknife)"
    found = found.assign(time=time, n_events=int(used["failed"].sum()), **odds, method=method)
    return found, _curves_of_none() if note else _curves(data, fit, used), used


def _at_landmark(lesions: pd.DataFrame, time: float) -> pd.DataFrame:
    """Lesions with `failed` (grown by then) and `kept` (pseudo-value of control), of arms in which some failed and some did not.

    An arm in which nothing, or everything, failed tells nothing about dose.
    """
    failed = lesions["event"] & (lesions["time"] <= time)
    by_arm = failed.groupby(lesions["arm"], observed=True)
    used = lesions.assign(failed=failed)[by_arm.transform("any") & ~by_arm.transform("all")]
    used["arm"] = used["arm"].cat.remove_unused_categories()
    return used.assign(kept=1 - clustered.estimate_pseudo_values(used, time) if len(used) else 0.0)


def _unread(data: Dataset, used: pd.DataFrame, time: float) -> str:
    """Why control is not related to dose: nobody followed, or too few patients with a lesion that failed, or that did not."""
    policy = data.study.policy
    if np.isnan(time):
        return f"not estimated: no landmark at which {policy.min_at_risk} patients are still followed"
    least, patients = policy.min_events, used.groupby("failed")["patient_id"].nunique()
    if patients.get(True, 0) < least:
        return f"not estimated: fewer than {least} patients with progression of such a lesion"
    if patients.get(False, 0) < least:
        return f"not estimated: fewer than {least} patients without progression of such a lesion"
    return _few(used)


def _curves_of_none() -> pd.DataFrame:
    return pd.DataFrame({"group": pd.Series(dtype=object)} | {name: pd.Series(dtype=float) for name in ("x", "estimate", "ci_low", "ci_high")})


def _volumes(data: Dataset, lesions: pd.DataFrame) -> pd.DataFrame:
    """Ratio of each lesion's volume to its baseline and its logarithm, at every later visit."""
    found = lesion_frame(data).drop(columns=["patient_id", "arm"]).merge(lesions[["lesion_id", "patient_id", "arm", "d90"]], on="lesion_id")
    baseline = found[found["visit"] == 0].set_index("lesion_id")["value"]
    found["ratio"] = found["value"] / found["lesion_id"].map(baseline)
    found["log_ratio"] = np.log(found["ratio"])
    return found[(found["visit"] > 0) & found["log_ratio"].notna()].reset_index(drop=True)


def _volume(data: Dataset, volumes: pd.DataFrame, visits: Sequence[float]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """By what a step of dose multiplies the volume ratio at each visit, and the curves of the visits."""
    level, rows, curves = data.parameters.level, [], []
    for visit in visits:
        used = volumes[volumes["visit"] == visit]
        note, fit = _few(used), models.fit_slope(used, "log_ratio", "d90", "patient_id")
        found = _held(models.estimate_slope(fit, STEP, level), note)
        shown = {"ratio": np.exp(found["coef"]), "ci_low": np.exp(found["ci_low"]), "ci_high": np.exp(found["ci_high"])}
        rows.append(found.assign(time=visit, **shown, method=f"{fit.method}, of the logarithm"))
        curve = _curves_of_none() if note else _curves(data, fit, used)
        curves.append(curve.assign(visit=visit, **{name: np.exp(curve[name]) for name in ("estimate", "ci_low", "ci_high")}))
    return pd.concat(rows, ignore_index=True), pd.concat(curves, ignore_index=True)
