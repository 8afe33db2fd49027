"""Competing risks: cumulative incidence by arm (Aalen-Johansen) and Gray's test."""

from __future__ import annotations

__all__ = ["compare_gray", "estimate_cumulative_incidence", "estimate_incidence_curve", "log_log_limits"]

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from lib.statistics.survival.event_table import OVERALL, TOLERANCE, EventTable, count_events

# As R's qr(): a column that the others leave less of than this share depends on them.
DEPENDENT = 1e-7
# Of the number of events: a variance this small is rounding
NOTHING = 1e-12
# Of 1: an incidence that lacks less than this is 1 and has no limits; the rest is rounding of a sum
WHOLE = 1e-12


def _tables(tte: pd.DataFrame, cause: int) -> tuple[EventTable, np.ndarray]:
    """Event table of any event, and the events of one cause on the same times and arms, shape (k, m)."""
    if "cause" not in tte:
        raise ValueError("competing risks need a column 'cause': 0 censored, 1 event of interest, 2 competing event")
    causes = tte["cause"].to_numpy()
    if not np.isin(causes, (0, 1, 2)).all():
        raise ValueError(f"cause must be 0, 1 or 2, but found {sorted(set(causes) - {0, 1, 2})}")
    table = count_events(tte, causes > 0)
    return table, count_events(tte, causes == cause).n_events


def _left(curve: np.ndarray, start: float) -> np.ndarray:
    """Value just before each time of right-continuous step curves, shape (k, m)."""
    return np.hstack([np.full((len(curve), 1), start), curve[:, :-1]])


def _over(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Divide, with 0 where there is nothing to divide by."""
    return np.divide(a, b, out=np.zeros(np.broadcast_shapes(np.shape(a), np.shape(b))), where=np.asarray(b) > 0)


def _incidence(table: EventTable, d1: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cumulative incidence just after each time, and Aalen's variance, shape (k, m).

    F(t) = sum of S(u-) d1(u) / n(u). With the tie factor 1 - (d - 1) / (n - 1) of a cause's d tied events, each cause
    adds S(u-)^2 d / n^2 times that factor; an event of interest moves F(t) by 1 - (F(t) - F(u)) / S(u), a competing
    one by -(F(t) - F(u)) / S(u) (Aalen, Ann Stat 1978;6:534-545; Gray, Ann Stat 1988;16:1141-1154).
    """
    n, d = table.n_risk, table.n_events
    before = _left(table.survival, 1.0)
    incidence = np.cumsum(before * _over(d1, n), axis=1)
    incidence[incidence > 1 - WHOLE] = 1.0

    def jump(events: np.ndarray) -> np.ndarray:
        ties = 1 - _over(np.maximum(events - 1, 0), n - 1)
        return before**2 * ties * _over(events, n.astype(float) ** 2)

    inverse = _over(1.0, table.survival)
    own, other = jump(d1), jump(d - d1) * (table.survival > 0)
    # Var F(t) = sum own (1 + (F(u) - F(t)) / S(u))^2 + sum other ((F(u) - F(t)) / S(u))^2, written as sums up to t
    a, b = 1 + incidence * inverse, incidence * inverse
    v1 = np.cumsum(own * a**2 + other * b**2, axis=1)
    v2 = np.cumsum((own * a + other * b) * inverse, axis=1)
    v3 = np.cumsum((own + other) * inverse**2, axis=1)
    return incidence, np.maximum(v1 - 2 * incidence * v2 + incidence**2 * v3, 0)


def log_log_limits(incidence: np.ndarray, std_err: np.ndarray, level: float, df: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Limits symmetric on the scale log(-log F), as survival::survfit(conf.type = "log-log") makes them from F; of t with `df` degrees."""
    z = stats.norm.ppf(0.5 + level / 2) if df is None else stats.t.ppf(0.5 + level / 2, df)
    with np.errstate(all="ignore"):
        log_f = np.log(incidence)
        low, high = (np.exp(log_f * np.exp(sign * z * std_err / (incidence * log_f))) for sign in (-1, 1))
    usable = (incidence > 0) & (incidence < 1) & (std_err > 0)
    return np.where(usable, low, np.nan), np.where(usable, high, np.nan)


def _method(level: float) -> str:
    return f"cumulative incidence (Aalen-Johansen), log-log {level:.0%} interval (Aalen's variance)"


def estimate_incidence_curve(tte: pd.DataFrame, cause: int = 1, level: float = 0.95) -> pd.DataFrame:
    """Cumulative incidence of one cause as steps, starting at time 0.

    Parameters
    ----------
    tte : DataFrame, one row per patient
        `arm`, `time`, `event`, `cause` (0 censored, 1 event of interest, 2 competing event).
    cause : int
        The cause whose incidence is wanted.
    level : float
        Confidence level.

    Returns
    -------
    DataFrame, one row per arm and time of an event of this cause, and one at time 0
        `group`, `time`, `estimate` (just after the time), `std_err`, `ci_low`, `ci_high`, `method`.
    """
    table, d1 = _tables(tte, cause)
    incidence, variance = _incidence(table, d1)
    steps = []
    for i, arm in enumerate(table.arms):
        own = np.flatnonzero(d1[i])
        estimate = np.concatenate([[0.0], incidence[i, own]])
        std_err = np.sqrt(np.concatenate([[0.0], variance[i, own]]))
        low, high = log_log_limits(estimate, std_err, level)
        steps.append(pd.DataFrame({
            "group": arm, "time": np.concatenate([[0.0], table.times[own]]), "estimate": estimate,
            "std_err": std_err, "ci_low": low, "ci_high": high,
        }))  # fmt: skip
    return pd.concat(steps, ignore_index=True).assign(method=_method(level))


def estimate_cumulative_incidence(
    tte: pd.DataFrame, times: Sequence[float], cause: int = 1, level: float = 0.95
) -> pd.DataFrame:
    """Cumulative incidence of one cause at fixed times by arm, the other cause competing.

    Parameters
    ----------
    tte, cause, level
        As in `estimate_incidence_curve`.
    times : sequence of float
        In the endpoint's unit.

    Returns
    -------
    DataFrame, one row per arm and time
        `group`, `time`, `n_risk` (time >= landmark), `n_events` (of this cause, up to the time), `estimate`,
        `std_err`, `ci_low`, `ci_high`, `method`, `note`. NaN beyond the last follow-up of an arm, unless nobody of it
        is left event-free.

    Notes
    -----
    R: ``cmprsk::timepoints(cmprsk::cuminc(time, cause, arm), times)``, whose variance (Aalen) differs from the delta
    method of ``survfit(Surv(time, factor(cause)) ~ arm)``; the interval is put on the log-log scale, cmprsk has none.
    """
    times = np.asarray(list(times), float)
    table, d1 = _tables(tte, cause)
    incidence, variance = (np.hstack([np.zeros((len(table.arms), 1)), c]) for c in _incidence(table, d1))
    counts = np.hstack([np.zeros((len(table.arms), 1), int), d1.cumsum(axis=1)])
    alive = np.hstack([np.ones((len(table.arms), 1)), table.survival])
    index, at_risk = table.last_index(times) + 1, table.at_risk(times)
    rows = []
    for i, arm in enumerate(table.arms):
        for j, (time, at) in enumerate(zip(times, index, strict=True)):
            note, values = "", (incidence[i, at], np.sqrt(variance[i, at]))
            if not table.n[i]:
                note, values = "not estimable: no patient", (np.nan, np.nan)
            elif time > table.last_times[i] * (1 + TOLERANCE) and alive[i, at] > 0:
                note = "not estimable: beyond the last follow-up of this arm"
                values = (np.nan, np.nan)
            elif not counts[i, at]:
                note = "interval not estimable: no event of this kind yet"
            elif incidence[i, at] == 1:
                note = "interval not estimable: every patient followed had the event"
            rows.append((arm, time, at_risk[i, j], counts[i, at], *values, note))
    found = pd.DataFrame(rows, columns=["group", "time", "n_risk", "n_events", "estimate", "std_err", "note"])
    found["ci_low"], found["ci_high"] = log_log_limits(found["estimate"].to_numpy(), found["std_err"].to_numpy(), level)
    return found.assign(method=_method(level))


@np.errstate(divide="ignore", invalid="ignore")
def _gray(table: EventTable, d1: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gray's scores by arm and their covariance, shapes (k,) and (k, k).

    With R_i(t) = n_i (1 - F_i(t-)) / S_i(t-), arm i scores d1_i - R_i d1 / sum(R). The covariance follows the paper's
    martingale form: an event of arm k at u moves the score of arm i by a_ik(u) less what u changes in F_k later, so
    that sums over later times are differences of cumulative sums c. The pooled incidence, a sum of d1 / sum(h), is no
    probability where arms are followed for different times: it may pass 1, and what is left of it is then negative.
    Not finite where nothing at all is left of it and an event follows.
    """
    n, d2 = table.n_risk, table.n_events - d1
    s, s_left = table.survival, _left(table.survival, 1.0)
    f_left = _left(np.cumsum(s_left * _over(d1, n), axis=1), 0.0)
    h = _over(n, s_left)  # subdistribution risk sets but for the factor 1 - F
    total, events = h.sum(axis=0), d1.sum(axis=0)
    pooled = np.cumsum(_over(events, total))
    left = 1 - np.concatenate([[0.0], pooled[:-1]])[: len(pooled)]
    left[np.abs(left) < TOLERANCE] = 0.0  # rounding would decide on which side of 1 the incidence is
    risk = h * (1 - f_left)
    score = (d1 - risk * _over(events, risk.sum(axis=0))).sum(axis=1)

    k = len(table.arms)
    a = np.eye(k)[:, :, None] * h[:, None, :] - h[:, None, :] * _over(h[None, :, :], total)
    # Where one arm alone is at risk, a is 0: nothing is compared, whatever is left.
    steps = a * np.divide(events, total * left, out=np.zeros_like(total), where=events > 0)
    c = np.cumsum(np.where(a == 0, 0.0, steps), axis=2)
    at_risk = n > 0
    gap = np.where(s > 0, _over(1 - pooled, s), 0.0)
    pooled_ties = 1 - _over(np.maximum(events - 1, 0) * np.ones_like(s), np.maximum(total * s_left - 1, 0))
    w1 = np.where(at_risk & (events > 0), pooled_ties * s_left * _over(events, total * n), 0.0)
    own_ties = 1 - _over(np.maximum(d2 - 1, 0), n - 1)
    w2 = np.where(s > 0, own_ties * s_left**2 * _over(d2, n.astype(float) ** 2), 0.0)
    t1 = 1 - gap
    move1, move2 = a - t1 * c, gap * c  # before what happens later is added: c(end) times the change in F
    end = c[:, :, -1:]
    return score, np.einsum("ikt,jkt,kt->ij", move1 + end * t1, move1 + end * t1, w1) + np.einsum(
        "ikt,jkt,kt->ij", move2 - end * gap, move2 - end * gap, w2
    )


def compare_gray(tte: pd.DataFrame, cause: int = 1) -> pd.DataFrame:
    """Gray's test that all arms have the same cumulative incidence of one cause.

    Parameters
    ----------
    tte : DataFrame, one row per patient
        `arm`, `time`, `event`, `cause` (0 censored, 1 event of interest, 2 competing event).
    cause : int
        The cause whose incidence is compared.

    Returns
    -------
    DataFrame, one row, group ``overall``
        `n`, `n_events` (of this cause), `chisq`, `df`, `p_value`, `method`, `note`.
        R: ``cmprsk::cuminc(time, cause, arm)$Tests``; Gray, Ann Stat 1988;16:1141-1154. Degrees of freedom are the
        arms with patients less one, or there is no test.
    """
    table, d1 = _tables(tte, cause)
    found = {"group": OVERALL, "n": int(table.n.sum()), "n_events": int(d1.sum()), "chisq": np.nan, "df": np.nan,
             "p_value": np.nan, "method": "Gray's test, chi-square approximation"}  # fmt: skip
    known = np.flatnonzero(table.n)
    at_risk = table.n_risk[np.ix_(known, np.flatnonzero(d1.any(axis=0)))] > 0
    shared = at_risk[:, at_risk.sum(axis=0) > 1]
    if not shared.any():
        return pd.DataFrame([found | {"note": "not estimable: no event of this kind while two arms are at risk"}])
    if not shared.any(axis=1).all():
        names = ", ".join(table.arms[i] for i in known[~shared.any(axis=1)])
        why = f"not estimable: no event of this kind while patients of {names} and of another arm are at risk"
        return pd.DataFrame([found | {"note": why}])
    score, covariance = _gray(table, d1)
    chosen, df = known[:-1], len(known) - 1  # the scores sum to 0
    score, covariance = score[chosen], covariance[np.ix_(chosen, chosen)]
    found["note"] = _why_no_test(covariance, found["n_events"])
    if not found["note"]:
        chisq = float(score @ np.linalg.solve(covariance, score))
        found |= {"chisq": chisq, "df": float(df), "p_value": float(stats.chi2.sf(chisq, df))}
    return pd.DataFrame([found])


def _why_no_test(covariance: np.ndarray, n_events: int) -> str:
    """Why scores with this covariance cannot be tested; "" where they can."""
    if not np.isfinite(covariance).all():
        return "not estimable: the pooled incidence reaches 1 before the last event"
    size, rest = np.linalg.norm(covariance, axis=0), np.abs(np.diag(np.linalg.qr(covariance, mode="r")))
    if (size < NOTHING * n_events).any() or (rest < DEPENDENT * size).any():
        return "not estimable: the scores of the arms do not vary independently (singular covariance)"
    if np.linalg.eigvalsh(covariance)[0] <= 0:
        return "not estimable: too many events at one time (the covariance is not positive definite)"
    return ""
