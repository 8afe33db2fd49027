"""What takes the place of exact counts and simulations in large studies: first-order and chi-square approximations.

All of it is read off the event table, so it costs as much as there are distinct times. Used by sensitivity.
"""

from __future__ import annotations

__all__ = ["Reversal", "approximate_power", "approximate_reversal", "approximate_without_each"]

from typing import NamedTuple

import numpy as np
from scipy import stats

from lib.statistics.survival.event_table import EventTable
from lib.statistics.survival.logrank import test_tables


def _score(table: EventTable) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Observed less expected events (k,), their hypergeometric covariance (k, k), and each arm's share at risk (k, m)."""
    d, n = table.n_events.sum(axis=0), table.n_risk.sum(axis=0)
    share, spread = table.n_risk / np.maximum(n, 1), d * (n - d) / np.maximum(n - 1, 1)
    return table.n_events.sum(axis=1) - share @ d, np.diag(share @ spread) - (share * spread) @ share.T, share


def approximate_without_each(table: EventTable) -> tuple[np.ndarray, np.ndarray]:
    """P-value of the log-rank test without each patient, to first order.

    The patient's score residual is taken out of the score, and the spread of his event out of its covariance; that
    all later risk sets lose him changes the covariance by less than 1 / n and is left out.

    Parameters
    ----------
    table : EventTable

    Returns
    -------
    p_values : ndarray
        One for each arm, time and end that occurs.
    counts : ndarray of int
        Patients who are alike in these. R, exactly: ``survdiff(Surv(time, event) ~ arm, data[-i, ])``.
    """
    score, covariance, share = _score(table)
    inverse = np.linalg.pinv(covariance, rcond=1e-10, hermitian=True)
    weight = inverse @ score
    d, n = table.n_events.sum(axis=0), table.n_risk.sum(axis=0)
    hazard = d / np.maximum(n, 1)
    total, mean = np.cumsum(hazard), np.cumsum(hazard * share, axis=1)
    p_values, counts, df = [], [], np.linalg.matrix_rank(covariance, hermitian=True)
    for i, unit in enumerate(np.eye(len(share))):
        expected = unit[:, None] * total - mean
        for own, happened in ((table.n_events[i], 1.0), (table.n_censored[i], 0.0)):
            alike = np.flatnonzero(own)
            left = score[:, None] - (happened * (unit[:, None] - share) - expected)[:, alike]
            chisq = np.einsum("ij,ik,kj->j", left, inverse, left)
            chisq += happened * _pull(weight, share[:, alike])
            p_values.append(stats.chi2.sf(chisq, df))
            counts.append(own[alike])
    return np.concatenate(p_values), np.concatenate(counts)


def _pull(weight: np.ndarray, share: np.ndarray) -> np.ndarray:
    """W' (diag(share) - share share') w at each time: how much of chi-square one event's spread takes away."""
    return (weight**2) @ share - (weight @ share) ** 2


class Reversal(NamedTuple):
    """How many patients turn the verdict (NaN: not even all) and the p-value then."""

    count: float
    p_value: float


def approximate_reversal(table: EventTable, arm: int, step: int, alpha: float) -> Reversal:
    """How many of one arm's patients would have to end otherwise for the verdict to turn.

    They are changed in the order of what the change of each alone does to chi-square; after each change that order
    is not made anew, so the count is an upper bound of the least number that would do.

    Parameters
    ----------
    table : EventTable
    arm : int
        Row of the arm.
    step : int
        1: censored patients are given the event; -1: patients with the event are censored.
    alpha : float
    """
    score, covariance, share = _score(table)
    weight = np.linalg.pinv(covariance, rcond=1e-10, hermitian=True) @ score
    gain = step * (2 * (weight[arm] - weight @ share) - _pull(weight, share))
    order, below = np.argsort(gain, kind="stable"), test_tables([table])["p_value"] < alpha
    # A difference that is already there is pushed down to nothing; one that is not, up, or through nothing and up.
    down, up = order[gain[order] < 0], order[gain[order] > 0][::-1]
    asked = {"alpha": alpha, "weight": weight if below else None}
    found = [_search(table, arm, step, cells, **asked) for cells in ([down] if below else [down, up])]
    return min(found, key=lambda reversal: np.nan_to_num(reversal.count, nan=np.inf))


def _search(
    table: EventTable, arm: int, step: int, cells: np.ndarray, *, alpha: float, weight: np.ndarray | None
) -> Reversal:
    """Bisect for the least number of changes, cell after cell, that turns the verdict.

    With `weight` the verdict is p < alpha, and no more is changed once the difference along it is gone.
    """
    available = (table.n_censored if step > 0 else table.n_events)[arm, cells]
    before = np.cumsum(available) - available

    def changed(count: int) -> tuple[float, bool, bool]:
        """P-value after so many changes, whether the verdict has turned, and whether to look no further."""
        taken = np.clip(count - before, 0, available) * step
        events, censored = table.n_events.copy(), table.n_censored.copy()
        events[arm, cells] += taken
        censored[arm, cells] -= taken
        after = EventTable(table.arms, table.times, events, censored)
        p = test_tables([after])["p_value"]
        turned = bool((p < alpha) == (weight is None))
        return p, turned, turned or (weight is not None and weight @ _score(after)[0] <= 0)

    low, high = 0, int(available.sum())
    if not high or not changed(high)[2]:
        return Reversal(np.nan, np.nan)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if changed(middle)[2] else (middle, high)
    p, turned, _ = changed(high)
    return Reversal(float(high), p) if turned else Reversal(np.nan, np.nan)


def approximate_power(table: EventTable, rates: np.ndarray, alpha: float) -> float:
    """Power of the log-rank test of all arms when arm i has the exponential hazard `rates[i]`.

    Expected events and risk sets under these hazards and the observed censoring give the expected score; chi-square
    is then noncentral (Schoenfeld, Biometrika 1981;68:316-319, carried over to several arms).
    """
    present = table.n > 0
    start = np.ones((int(present.sum()), 1))
    followed = np.hstack([start, table.reversed().survival[present, :-1]])
    edges = np.concatenate([[0.0], table.times])
    free = np.exp(-rates[present, None] * edges)
    at_risk = table.n[present, None] * followed
    events, at_risk = at_risk * (free[:, :-1] - free[:, 1:]), at_risk * free[:, :-1]
    d, share = events.sum(axis=0), at_risk / np.maximum(at_risk.sum(axis=0), 1e-300)
    score, covariance = events.sum(axis=1) - share @ d, np.diag(share @ d) - (share * d) @ share.T
    df = int(present.sum()) - 1
    distance = float(score @ np.linalg.pinv(covariance, rcond=1e-10, hermitian=True) @ score)
    return float(stats.ncx2.sf(stats.chi2.isf(alpha, df), df, distance))
