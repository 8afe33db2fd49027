"""Harrell's concordance: how often the higher predicted risk has the event first."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.event_table import merge_times

__all__ = ["concordance"]


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


def concordance(rows: pd.DataFrame, risk: np.ndarray, strata: str | None) -> float:
    """Harrell's C: of the pairs whose order of events is known, the share in which the higher risk came first.

    Pairs within a stratum; ties in risk count half. R: ``concordance(fit)`` (weights "n").
    """
    _, ranks = np.unique(np.round(risk, 10), return_inverse=True)  # equal patients must tie despite rounding
    _, time = merge_times(rows["time"].to_numpy(dtype=float))
    event = rows["event"].to_numpy(dtype=bool)
    later = 2 * time + ~event  # a patient censored at the time of an event outlives it
    stratum = np.zeros(len(rows), int) if strata is None else pd.factorize(rows[strata])[0]
    concordant = pairs = 0.0
    for level in np.unique(stratum):
        order = np.flatnonzero(stratum == level)
        order = order[np.argsort(-later[order], kind="stable")]
        own = event[order]
        ends = np.searchsorted(-later[order], -later[order][own], side="left")
        below, equal = _count_before(ranks[order], ends, ranks[order][own])
        concordant, pairs = concordant + below.sum() + equal.sum() / 2, pairs + ends.sum()
    return concordant / pairs if pairs else np.nan
