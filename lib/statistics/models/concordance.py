"""Harrell's concordance: how often the higher predicted risk has the event first."""

from __future__ import annotations

__all__ = ["concordance", "concordance_of_patterns"]

import numpy as np
import pandas as pd

from lib.statistics.survival.event_table import distinct, merge_times

# cells of a table that is small whatever the number of patients
DENSE = 10_000


def _count_before(ranks: np.ndarray, ends: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each query: how many of the first `ends` ranks are below, and how many equal, `values` (wavelet matrix)."""
    low, high, below = np.zeros_like(ends), ends, np.zeros_like(ends)
    for bit in reversed(range(int(ranks.max(initial=0)).bit_length())):
        ones = (ranks >> bit) & 1
        zeros_before = np.concatenate([[0], np.cumsum(1 - ones)])
        is_one = ((values >> bit) & 1).astype(bool)
        zero_low, zero_high = zeros_before[low], zeros_before[high]
        below = below + np.where(is_one, zero_high - zero_low, 0)
        low = np.where(is_one, zeros_before[-1] + low - zero_low, zero_low)
        high = np.where(is_one, zeros_before[-1] + high - zero_high, zero_high)
        ranks = np.concatenate([ranks[ones == 0], ranks[ones == 1]])
    return below, high - low


def _count_pairs(ranks: np.ndarray, later: np.ndarray, event: np.ndarray) -> tuple[float, int]:
    """Pairs in which the higher risk came first (ties in risk half), and pairs whose order is known."""
    ends, position = distinct(later)
    n_ranks = int(ranks.max(initial=0)) + 1
    if n_ranks * len(ends) <= max(len(ranks), DENSE):  # few different risks (the arms, say): count in a table
        cells, shape = ranks * len(ends) + position, (n_ranks, len(ends))
        everyone, dead = (np.bincount(c, minlength=shape[0] * shape[1]).reshape(shape) for c in (cells, cells[event]))
        after = everyone[:, ::-1].cumsum(axis=1)[:, ::-1] - everyone
        below = np.cumsum(after, axis=0) - after
        return (dead * below).sum() + (dead * after).sum() / 2, int((dead * after.sum(axis=0)).sum())
    order = np.argsort(-later, kind="stable")
    own = event[order]
    before = np.searchsorted(-later[order], -later[order][own], side="left")
    below, equal = _count_before(ranks[order], before, ranks[order][own])
    return below.sum() + equal.sum() / 2, int(before.sum())


def concordance(rows: pd.DataFrame, risk: np.ndarray, strata: str | None) -> float:
    """Harrell's C: of the pairs whose order of events is known, the share in which the higher risk came first.

    Pairs within a stratum; ties in risk count half. R: ``concordance(fit)`` (weights "n").
    """
    _, ranks = distinct(np.round(risk, 10))  # equal patients must tie despite rounding
    _, time = merge_times(rows["time"].to_numpy(dtype=float))
    event = rows["event"].to_numpy(dtype=bool)
    later = 2 * time + ~event  # a patient censored at the time of an event outlives it
    stratum = np.zeros(len(rows), int) if strata is None else pd.factorize(rows[strata])[0]
    concordant = pairs = 0.0
    for level in np.unique(stratum):
        own = stratum == level
        won, known = _count_pairs(ranks[own], later[own], event[own])
        concordant, pairs = concordant + won, pairs + known
    return concordant / pairs if pairs else np.nan


def concordance_of_patterns(risk: np.ndarray, at_risk: np.ndarray, events: np.ndarray) -> float:
    """As `concordance`, of patients who are counted by time and pattern.

    Parameters
    ----------
    risk : ndarray, shape (k,)
        Predicted risk of each pattern.
    at_risk, events : ndarray, shape (b, k)
        Patients at risk at each time of a stratum, and how many of them have the event then.
    """
    values, rank = distinct(np.round(risk, 10))
    by_rank = (rank[:, None] == np.arange(len(values))).astype(float)
    dead, outliving = events @ by_rank, (at_risk - events) @ by_rank
    below = np.cumsum(outliving, axis=1) - outliving
    pairs = (dead.sum(axis=1) * outliving.sum(axis=1)).sum()
    return float((dead * (below + outliving / 2)).sum() / pairs) if pairs else np.nan
