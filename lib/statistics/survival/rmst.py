"""Restricted mean survival time (area under the Kaplan-Meier curve up to tau): by arm, difference and ratio."""

from __future__ import annotations

__all__ = ["compare_rmst", "estimate_rmst"]

import numpy as np
import pandas as pd
from scipy import stats

from lib.statistics.survival.event_table import TOLERANCE, EventTable, count_events
from lib.statistics.survival.kaplan_meier import normal_interval

COLUMNS = ["group", "tau", "n", "n_events", "estimate", "std_err", "ci_low", "ci_high", "note"]


def _areas(table: EventTable, tau: float) -> tuple[np.ndarray, np.ndarray]:
    """Area under each curve up to tau, and its standard error.

    SE^2 = sum over event times t <= tau of A(t, tau)^2 d / (n (n - d)), A = area from t to tau; a time at which all
    who are left have the event leaves no area and adds nothing (Klein and Moeschberger 2003, section 4.5).
    """
    inside = table.times <= tau
    edges = np.concatenate([[0.0], table.times[inside], [tau]])
    start = np.ones((len(table.arms), 1))
    areas = np.hstack([start, table.survival[:, inside]]) * np.diff(edges)
    rest = areas[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]
    n, d = table.n_risk[:, inside], table.n_events[:, inside]
    terms = np.where(n > d, d / np.maximum(n * (n - d), 1), 0.0)
    return areas.sum(axis=1), np.sqrt((rest**2 * terms).sum(axis=1))


def _default_tau(table: EventTable) -> float:
    last = table.last_times[table.n > 0]
    return float(last.min()) if last.size else np.nan


def estimate_rmst(tte: pd.DataFrame | EventTable, tau: float | None = None, level: float = 0.95) -> pd.DataFrame:
    """Mean event-free time up to tau, by arm.

    Parameters
    ----------
    tte : DataFrame, one row per patient, or EventTable
        `arm`, `time`, `event`.
    tau : float, optional
        Horizon in the endpoint's unit. Default: the smallest of the arms' largest times, the longest horizon that
        every arm's data reach.
    level : float
        Confidence level.

    Returns
    -------
    DataFrame, one row per arm
        `group`, `tau`, `n`, `n_events` (up to tau), `estimate` (endpoint's unit), `std_err`, `ci_low`, `ci_high`,
        `method`, `note`. NaN if tau lies beyond the arm's last follow-up, unless its curve has come down to 0.
        R: ``survRM2::rmst2(time, event, arm, tau)``, where an arm without events gets an interval of no width;
        here it gets none.
    """
    table = count_events(tte)
    tau = _default_tau(table) if tau is None else float(tau)
    if np.isnan(tau):
        area = error = np.full(len(table.arms), np.nan)
    else:
        area, error = _areas(table, tau)
    z = stats.norm.ppf(0.5 + level / 2)
    rows = []
    for i, arm in enumerate(table.arms):
        n_events = table.n_events[i, table.times <= tau].sum()
        last, alive = table.last_times[i], table.survival[i, -1] > 0 if table.times.size else True
        if not table.n[i]:
            rows.append((arm, tau, 0, 0, *[np.nan] * 4, "not estimable: no patient"))
        elif tau > last * (1 + TOLERANCE) and alive:
            note = "not estimable: tau lies beyond the last follow-up of this arm"
            rows.append((arm, tau, table.n[i], n_events, *[np.nan] * 4, note))
        elif error[i] == 0:
            note = "interval not estimable: no event that leaves patients at risk before tau"
            rows.append((arm, tau, table.n[i], n_events, area[i], 0.0, np.nan, np.nan, note))
        else:
            limits = area[i] + np.array([-z, z]) * error[i]
            rows.append((arm, tau, table.n[i], n_events, area[i], error[i], *limits, ""))
    method = f"area under the Kaplan-Meier curve up to tau, normal {level:.0%} interval"
    return pd.DataFrame(rows, columns=COLUMNS).assign(method=method)


def compare_rmst(tte: pd.DataFrame | EventTable, reference: str, tau: float | None = None, level: float = 0.95) -> pd.DataFrame:
    """Difference and ratio of restricted means, each arm against the reference arm.

    Parameters
    ----------
    tte, tau, level
        As in `estimate_rmst`; tau is common to all arms.
    reference : str
        Arm id that is subtracted, or divided by.

    Returns
    -------
    DataFrame, two rows per other arm
        `group` (``x vs reference``), `tau`, `contrast` (``difference`` in the endpoint's unit, ``ratio``),
        `estimate`, `std_err` (of the log for the ratio), `ci_low`, `ci_high`, `statistic` (z), `p_value`,
        `method`, `note`. R: ``survRM2::rmst2(...)$unadjusted.result``; Royston and Parmar 2013, 13:152.
    """
    means = estimate_rmst(tte, tau, level).set_index("group")
    others = [arm for arm in means.index if arm != reference]
    rows = []
    for arm in others:
        x, y = means.loc[arm], means.loc[reference]
        group, flat = f"{arm} vs {reference}", 0 in (x["std_err"], y["std_err"])
        error = np.hypot(x["std_err"], y["std_err"])
        rows.append((group, x["tau"], "difference", x["estimate"] - y["estimate"], error, flat))
        if x["estimate"] > 0 and y["estimate"] > 0:
            log_ratio = np.log(x["estimate"]) - np.log(y["estimate"])
            error = np.hypot(x["std_err"] / x["estimate"], y["std_err"] / y["estimate"])
        else:
            log_ratio = error = np.nan
        rows.append((group, x["tau"], "ratio", log_ratio, error, flat))
    found = pd.DataFrame(rows, columns=["group", "tau", "contrast", "estimate", "std_err", "flat"])
    found = normal_interval(found, "estimate", level)
    ratio, limits = found["contrast"] == "ratio", ["estimate", "ci_low", "ci_high"]
    found.loc[ratio, limits] = np.exp(found.loc[ratio, limits])
    return found.assign(method=f"restricted means by Kaplan-Meier, normal {level:.0%} interval (ratio: on the log)")
