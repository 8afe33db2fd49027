"""Competing events a second time: cumulative incidence by its definition, time after time; Gray's test by greenwood.

Part of the self-check; calls nothing of `competing` or the event table. One row per patient goes in everywhere: `arm`,
`time`, `cause` (0 censored, 1 the event, 2 a competing one).
"""

from __future__ import annotations

__all__ = ["FORMULA", "clustered_incidence", "gray", "incidence", "moves"]

from math import inf, isnan, log, nan, sqrt

import numpy as np
import pandas as pd
from scipy import stats

FORMULA = "separate formula"


def incidence(time: np.ndarray, cause: np.ndarray, at: float, level: float) -> dict[str, float]:
    """Cumulative incidence of cause 1 in one arm up to `at`, Aalen's standard error, and log-log limits."""
    n_risk, n_events = int((time >= at).sum()), int(((cause == 1) & (time <= at)).sum())
    found = {"n_risk": n_risk, "n_events": n_events, "estimate": nan, "std_err": nan, "ci_low": nan, "ci_high": nan}
    if not len(time):
        return found
    steps, alive, total = [], 1.0, 0.0
    for t in np.unique(time[(cause > 0) & (time <= at)]):
        n, own, other = int((time >= t).sum()), int(((time == t) & (cause == 1)).sum()), int(((time == t) & (cause == 2)).sum())
        before, total = alive, total + alive * own / n
        alive *= 1 - (own + other) / n
        steps.append((n, own, other, before, alive if alive > 1e-12 else 0.0, total))
    if at > time.max() * (1 + 1e-9) and alive > 1e-12:
        return found
    total = 1.0 if total > 1 - 1e-12 else total  # a rest of rounding would have limits
    variance = sum(_moved(step, total) for step in steps)
    error = sqrt(max(variance, 0.0))
    return found | {"estimate": total, "std_err": error} | _log_log(total, error, level)


def _moved(step: tuple, total: float) -> float:
    """Variance that the events of one time add to the incidence `total` at the end.

    An event of interest moves it by 1 - (total - so far) / S, a competing one by -(total - so far) / S; tied events
    of one cause among n at risk are drawn without putting back.
    """
    n, own, other, before, alive, so_far = step
    later = (total - so_far) / alive if alive else 0.0

    def drawn(d: int) -> float:
        return before**2 * d / n**2 * (1 - (d - 1) / (n - 1) if d > 1 and n > 1 else 1.0)

    return drawn(own) * (1 - later) ** 2 + (drawn(other) * later**2 if alive else 0.0)


def clustered_incidence(time: np.ndarray, cause: np.ndarray, patient: np.ndarray, at: float, level: float) -> dict[str, float]:
    """As `incidence` of rows that share patients: what each row moves it by, added up per patient, squared and summed."""
    found = incidence(time, cause, at, level)
    if isnan(found["estimate"]):
        return found
    moved = moves(time, cause, at)
    error = sqrt(sum(moved[patient == name].sum() ** 2 for name in dict.fromkeys(patient)))
    n = len(set(patient))
    error = error * sqrt(n / (n - 1)) if error > 1e-12 and n > 1 else 0.0  # rounding: nothing moves what is 0 or 1
    return found | {"std_err": error} | _log_log(found["estimate"], error, level, n - 1)


def moves(time: np.ndarray, cause: np.ndarray, at: float) -> np.ndarray:
    """What each row of one arm moves its incidence of cause 1 up to `at` by.

    A row moves it by its event less what was expected of it, at every time at which it is at risk: of the event of
    interest times 1 - later, of a competing one times -later, where `later` is what is still to come, over S.
    """
    steps, alive, total = [], 1.0, 0.0
    for t in np.unique(time[(cause > 0) & (time <= at)]):
        n, own, other = int((time >= t).sum()), ((time == t) & (cause == 1)), ((time == t) & (cause == 2))
        before, total = alive, total + alive * own.sum() / n
        alive *= 1 - (own.sum() + other.sum()) / n
        steps.append((time >= t, own, other, before / n, alive if alive > 1e-12 else 0.0, total))
    moved = np.zeros(len(time))
    for at_risk, own, other, share, left, so_far in steps:
        later = (total - so_far) / left if left else 0.0
        expected = [at_risk * events.sum() / at_risk.sum() for events in (own, other)]
        moved += share * ((1 - later) * (own - expected[0]) - later * (other - expected[1]))
    return moved


def _log_log(f: float, error: float, level: float, df: float = inf) -> dict[str, float]:
    """Limits symmetric on the scale log(-log F), by the normal distribution or t."""
    if not 0 < f < 1 or not error > 0:
        return {"ci_low": nan, "ci_high": nan}
    reach = stats.t.isf((1 - level) / 2, df) * error / (f * log(f))
    with np.errstate(over="ignore"):  # a limit of 0
        return {"ci_low": float(f ** np.exp(-reach)), "ci_high": float(f ** np.exp(reach))}


def gray(tte: pd.DataFrame, cause: int = 1) -> tuple[str, dict[str, float]] | None:
    """Engine, chi-square, degrees of freedom and p of Gray's test; None where the engine has no number."""
    import greenwood  # noqa: PLC0415  # a report without competing events does without

    states = pd.Categorical(tte["cause"].map({0: "censored", cause: "event", 3 - cause: "other"}), ["censored", "event", "other"])
    response = greenwood.Surv(tte["time"].to_numpy(dtype=float), event=states)
    try:
        with np.errstate(all="ignore"):
            test = greenwood.grays_test(response, tte["arm"].astype(str).tolist())
    except (ValueError, np.linalg.LinAlgError):  # no event, one arm, or a singular covariance
        return None
    if isnan(test.statistic):
        return None
    return f"greenwood {greenwood.__version__}", {"chisq": test.statistic, "df": test.df, "p_value": test.p_value}
