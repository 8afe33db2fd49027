"""Kaplan-Meier by arm: curve, quantiles, survival at landmarks, patients at risk and follow-up.

All of it is read off the event table. Not here: tests between arms (logrank), restricted means (rmst), models (models.cox).
"""

from __future__ import annotations

__all__ = [
    "compare_landmark",
    "count_at_risk",
    "estimate_curve",
    "estimate_follow_up",
    "estimate_landmark",
    "estimate_median",
    "estimate_quantile",
    "normal_interval",
    "pointwise_interval",
]

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from lib.statistics.comparisons import as_float
from lib.statistics.survival.event_table import TOLERANCE, EventTable, count_events


def pointwise_interval(survival: np.ndarray, greenwood: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Limits of a Kaplan-Meier estimate from Greenwood's variance, symmetric on the scale of log(-log S).

    Parameters
    ----------
    survival, greenwood : ndarray of one shape
        S(t), and the variance of log S(t).
    level : float
        Confidence level.

    Returns
    -------
    low, high : ndarray
        NaN where S = 0 or 1: Greenwood's variance says nothing there.
        Equal to ``survival:::survfit_confint``; Kalbfleisch and Prentice 2002, section 1.4.1.
    """
    z = stats.norm.ppf(0.5 + level / 2)
    with np.errstate(all="ignore"):  # S of 0 or 1 and infinite variance become NaN below
        error, log_s = z * np.sqrt(greenwood), np.log(survival)
        low, high = (np.exp(log_s * np.exp(sign * error / log_s)) for sign in (-1, 1))
    undefined = (survival <= 0) | (survival >= 1)
    return np.where(undefined, np.nan, low), np.where(undefined, np.nan, high)


def standard_error(survival: np.ndarray, greenwood: np.ndarray) -> np.ndarray:
    """Greenwood's standard error of S(t); NaN once S = 0."""
    with np.errstate(invalid="ignore"):
        return survival * np.sqrt(greenwood)


def _method(level: float, what: str = "Kaplan-Meier") -> str:
    return f"{what}, log-log {level:.0%} interval (Greenwood)"


def _table(tte: pd.DataFrame | EventTable, overall: bool) -> EventTable:
    table = count_events(tte)
    return table.with_overall() if overall else table


def estimate_curve(tte: pd.DataFrame | EventTable, level: float = 0.95, overall: bool = False) -> pd.DataFrame:
    """Kaplan-Meier curve of each arm as steps.

    Parameters
    ----------
    tte : DataFrame, one row per patient, or EventTable
        `arm`, `time` (endpoint's unit), `event` (True = event); or what `count_events` made of them.
    level : float
        Confidence level.
    overall : bool
        Add a curve of all arms together, group ``overall``.

    Returns
    -------
    DataFrame, one row per arm and distinct time of that arm, the first at time 0
        `group`, `time`, `n_risk` (just before the time), `n_events`, `n_censored`, `survival` (just after it),
        `std_err`, `ci_low`, `ci_high`, `method`. Limits are NaN where S is 0, or 1 after time 0 (log-log).

    Notes
    -----
    R: ``survfit0(survfit(Surv(time, event) ~ arm, conf.type = "log-log"))``.
    """
    table = _table(tte, overall)
    low, high = pointwise_interval(table.survival, table.greenwood, level)
    columns = {
        "n_risk": table.n_risk, "n_events": table.n_events, "n_censored": table.n_censored,
        "survival": table.survival, "std_err": standard_error(table.survival, table.greenwood),
        "ci_low": low, "ci_high": high,
    }  # fmt: skip
    steps = []
    for row, arm in enumerate(table.arms):
        own = np.flatnonzero(table.n_events[row] + table.n_censored[row])
        step = pd.DataFrame({"time": table.times[own]} | {name: c[row, own] for name, c in columns.items()})
        if own.size and step["time"].iat[0] > 0:
            start = {"time": 0.0, "n_risk": table.n[row], "n_events": 0, "n_censored": 0, "survival": 1.0,
                     "std_err": 0.0, "ci_low": 1.0, "ci_high": 1.0}  # fmt: skip
            step = pd.concat([pd.DataFrame([start]), step], ignore_index=True)
        step.insert(0, "group", arm)
        steps.append(step)
    return pd.concat(steps, ignore_index=True).assign(method=_method(level))


def _first_crossing(times: np.ndarray, band: np.ndarray, p: float) -> float:
    """First time at which a band is <= p; half way to its next drop if it lies flat at p; NaN if never."""
    inside = np.flatnonzero(band < p + TOLERANCE)
    if not inside.size:
        return np.nan
    first = inside[0]
    lower = inside[band[inside] < band[first]]
    if abs(band[first] - p) < TOLERANCE and lower.size:
        return float((times[first] + times[lower[0]]) / 2)
    return float(times[first])


def estimate_quantile(tte: pd.DataFrame | EventTable, p: float, level: float = 0.95, overall: bool = False) -> pd.DataFrame:
    """Time by which a share of each arm has had the event, with a Brookmeyer-Crowley interval.

    Parameters
    ----------
    tte : DataFrame, one row per patient, or EventTable
        `arm`, `time`, `event`.
    p : float
        Share with the event, 0 < p < 1 (0.5 = median).
    level, overall
        As in `estimate_curve`; the limits are where the pointwise limits of the curve cross.

    Returns
    -------
    DataFrame, one row per arm
        `group`, `p`, `n`, `n_events`, `estimate`, `ci_low`, `ci_high` (endpoint's unit; NaN = not reached),
        `method`, `note`.

    Notes
    -----
    The quantile is the first time with S <= 1 - p, up to sqrt(eps); where the curve lies flat at exactly 1 - p, the
    middle between its two drops, and the first drop if there is no second. This is R's ``summary(survfit)$table``;
    R's ``quantile(survfit)`` differs in the last case only. lifelines compares with ``<=`` on floats and so misses
    S = 0.5 when it is 0.5000000000000001. Brookmeyer and Crowley, Biometrics 1982;38:29-41.
    """
    table = _table(tte, overall)
    low, high = pointwise_interval(table.survival, table.greenwood, level)
    rows = []
    for row, arm in enumerate(table.arms):
        bands = (table.survival[row], low[row], high[row])
        estimate, ci_low, ci_high = (_first_crossing(table.times, band, 1 - p) for band in bands)
        note = "" if table.n[row] else "not estimable: no patient"
        if table.n[row] and np.isnan(estimate):
            note = "not reached"
        elif table.n[row] and np.isnan(ci_high):
            note = "upper limit not reached"
        rows.append((arm, p, table.n[row], table.n_events[row].sum(), estimate, ci_low, ci_high, note))
    columns = ["group", "p", "n", "n_events", "estimate", "ci_low", "ci_high", "note"]
    method = _method(level, "Kaplan-Meier quantile, Brookmeyer-Crowley")
    return pd.DataFrame(rows, columns=columns).assign(method=method)


def estimate_median(tte: pd.DataFrame | EventTable, level: float = 0.95, overall: bool = False) -> pd.DataFrame:
    """Median time to the event by arm: `estimate_quantile` at 0.5, in a column `median` (NaN = not reached).

    R: ``summary(survfit(Surv(time, event) ~ arm, conf.type = "log-log"))$table``.
    """
    return estimate_quantile(tte, 0.5, level, overall).drop(columns="p").rename(columns={"estimate": "median"})


def estimate_follow_up(tte: pd.DataFrame, level: float = 0.95, overall: bool = False) -> pd.DataFrame:
    """Median follow-up by arm, by the reverse Kaplan-Meier estimator.

    An event cuts off the follow-up that would have been, a competing one (`cause` 2) too; censoring is what is waited
    for. `n_events` counts the censorings. Shape as `estimate_median`. Schemper and Smith, Control Clin Trials 1996;17:343-346.
    R: ``summary(survfit(Surv(time, cause == 0) ~ arm, conf.type = "log-log"))$table``.
    """
    censored = tte["cause"].eq(0) if "cause" in tte else ~tte["event"].astype(bool)
    reverse = estimate_median(tte.assign(event=censored), level, overall)
    return reverse.assign(method=reverse["method"].str.replace("Kaplan-Meier", "reverse Kaplan-Meier"))


def _landmark_note(survival: float, n: int) -> str:
    if not n:
        return "not estimable: no patient"
    if np.isnan(survival):
        return "not estimable: beyond the last follow-up of this arm"
    if survival == 1:
        return "interval not estimable: no event yet"
    return "" if survival > 0 else "interval not estimable: every patient followed had the event"


def estimate_landmark(
    tte: pd.DataFrame | EventTable, times: Sequence[float], level: float = 0.95, overall: bool = False
) -> pd.DataFrame:
    """Survival at fixed times by arm.

    Parameters
    ----------
    tte : DataFrame, one row per patient, or EventTable
        `arm`, `time`, `event`.
    times : sequence of float
        Landmarks in the endpoint's unit.
    level, overall
        As in `estimate_curve`.

    Returns
    -------
    DataFrame, one row per arm and landmark
        `group`, `time`, `n_risk` (time >= landmark), `survival`, `std_err`, `ci_low`, `ci_high`, `method`, `note`.
        Beyond the last follow-up of an arm all are NaN, unless its curve has come down to 0, where it stays.

    Notes
    -----
    R: ``summary(survfit(..., conf.type = "log-log"), times, extend = TRUE)``; with two differences: R carries the curve on
    beyond the last follow-up, and gives the interval 1 to 1 before an arm's first recorded time.
    """
    times = np.asarray(list(times), float)
    table = _table(tte, overall)
    index = table.last_index(times)
    start = np.ones((len(table.arms), 1))
    survival = np.hstack([start, table.survival])[:, index + 1]
    variance = np.hstack([0 * start, table.greenwood])[:, index + 1]
    ended = ~(times <= table.last_times[:, None] * (1 + TOLERANCE)) & ((survival > 0) | (table.n == 0)[:, None])
    survival, variance = np.where(ended, np.nan, survival), np.where(ended, np.nan, variance)
    low, high = pointwise_interval(survival, variance, level)
    error, at_risk = standard_error(survival, variance), table.at_risk(times)
    rows = [
        (arm, time, at_risk[i, j], survival[i, j], error[i, j], low[i, j], high[i, j],
         _landmark_note(survival[i, j], table.n[i]))
        for i, arm in enumerate(table.arms) for j, time in enumerate(times)
    ]  # fmt: skip
    columns = ["group", "time", "n_risk", "survival", "std_err", "ci_low", "ci_high", "note"]
    return pd.DataFrame(rows, columns=columns).assign(method=_method(level))


def compare_landmark(tte: pd.DataFrame | EventTable, times: Sequence[float], reference: str, level: float = 0.95) -> pd.DataFrame:
    """Difference in survival at fixed times, each arm against the reference arm.

    Parameters
    ----------
    tte, times, level
        As in `estimate_landmark`.
    reference : str
        Arm id that is subtracted.

    Returns
    -------
    DataFrame, one row per other arm and landmark
        `group` (``x vs reference``), `time`, `difference`, `std_err`, `ci_low`, `ci_high`, `statistic` (z),
        `p_value`, `method`, `note`. Normal interval on the sum of Greenwood's variances
        (Klein and Moeschberger 2003, section 7.8).
    """
    landmark = estimate_landmark(tte, times, level=level)
    base = landmark[landmark["group"] == reference]
    others = [arm for arm in landmark["group"].unique() if arm != reference]
    base = landmark[landmark["group"] == reference].reset_index(drop=True)
    frames = [pd.DataFrame(columns=["group", "time", "difference", "std_err"])]
    for arm in others:
        own = landmark[landmark["group"] == arm].reset_index(drop=True)
        frames.append(own[["time"]].assign(
            group=f"{arm} vs {reference}", difference=own["survival"] - base["survival"],
            std_err=np.hypot(own["std_err"], base["std_err"]),
            flat=own["std_err"].eq(0) | base["std_err"].eq(0),
        ))  # fmt: skip
    found = normal_interval(pd.concat(frames[1:] or frames, ignore_index=True), "difference", level)
    method = f"difference of Kaplan-Meier estimates, normal {level:.0%} interval (Greenwood)"
    return found.assign(method=method)


def normal_interval(frame: pd.DataFrame, estimate: str, level: float) -> pd.DataFrame:
    """Add normal limits, z and two-sided p to estimates with a `std_err`, and say where there are none.

    A column `flat` (one of the two arms compared has no variance, having had no event) becomes a caution in `note`.
    """
    flat = frame["flat"].astype(bool) if "flat" in frame else False
    frame = as_float(frame.drop(columns="flat", errors="ignore"), [estimate, "std_err"])
    error, z = frame["std_err"].where(frame["std_err"] > 0), stats.norm.ppf(0.5 + level / 2)
    frame["ci_low"], frame["ci_high"] = frame[estimate] - z * error, frame[estimate] + z * error
    frame["statistic"] = frame[estimate] / error
    frame["p_value"] = 2 * stats.norm.sf(frame["statistic"].abs())
    conditions = [frame[estimate].isna(), error.isna(), np.broadcast_to(flat, len(frame))]
    notes = [
        "not estimable: one arm has no estimate",
        "interval not estimable: no variance in one of the arms or in both",
        "interval too narrow: one arm has no event yet, so its variance counts as 0",
    ]
    return frame.assign(note=np.select(conditions, notes, ""))


def count_at_risk(tte: pd.DataFrame | EventTable, times: Sequence[float], overall: bool = False) -> pd.DataFrame:
    """Patients at risk, censored and with the event at fixed times by arm, for the rows under a curve (KMunicate).

    A patient whose event or censoring falls exactly on the time is still at risk, so the three add up to the arm.

    Returns
    -------
    DataFrame, one row per arm and time
        `group`, `time`, `n_risk`, `n_censored`, `n_events` (both before the time).
        R: ``summary(survfit(...), times, extend = TRUE)$n.risk``; the others at a time t
        ``tapply(time < t & status == 0, arm, sum)`` and ``tapply(time < t & status == 1, arm, sum)``.
    """
    times = np.asarray(list(times), float)
    table = _table(tte, overall)
    return pd.DataFrame({
        "group": np.repeat(table.arms, len(times)), "time": np.tile(times, len(table.arms)),
        "n_risk": table.at_risk(times).ravel(),
        "n_censored": table.before(times, table.n_censored).ravel(), "n_events": table.before(times, table.n_events).ravel(),
    })  # fmt: skip
