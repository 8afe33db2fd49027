"""Curves, areas and hazard ratios from weighted counts at each time of an event, of many resamples at once."""

from __future__ import annotations

__all__ = ["log_hazard_ratio", "product_limit", "read_off"]

from collections.abc import Sequence

import numpy as np

from lib.statistics.survival.event_table import TOLERANCE

NEWTON_STEPS, AT_REST, LARGEST = 40, 1e-10, 30.0


def product_limit(at_risk: np.ndarray, events: np.ndarray) -> np.ndarray:
    """Product limit, shape (b, m)."""
    hazard = np.divide(events, at_risk, out=np.zeros_like(events), where=~(at_risk <= TOLERANCE))
    return np.cumprod(np.clip(1 - hazard, 0, 1), axis=1)


def read_off(curves: np.ndarray, grid: np.ndarray, times: Sequence[float], tau: float) -> tuple[np.ndarray, np.ndarray]:
    """Share without the event at each time, shape (b, 2, times), and area up to tau, shape (b, 2)."""
    padded = np.concatenate([np.ones((*curves.shape[:2], 1)), curves], axis=2)
    share = padded[:, :, np.searchsorted(grid, np.asarray(times, dtype=float) * (1 + TOLERANCE), side="right")]
    inside = grid[grid < tau]
    return share, padded[:, :, : len(inside) + 1] @ np.diff(np.concatenate([[0.0], inside, [tau]]))


def log_hazard_ratio(both: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Of ADDED against NOT_ADDED by the weighted partial likelihood, Breslow ties, shape (b,); NaN: no event in one."""
    (risk0, events0), (risk1, events1) = both
    events, ones = events0 + events1, events1.sum(axis=1)
    beta = np.zeros(len(events))
    with np.errstate(all="ignore"):
        for _ in range(NEWTON_STEPS):
            exposed = risk1 * np.exp(beta)[:, None]
            share = np.where(events > 0, exposed / (exposed + risk0), 0.0)
            score, information = ones - (events * share).sum(axis=1), (events * share * (1 - share)).sum(axis=1)
            step = np.clip(score / information, -2, 2)
            beta = np.where(np.isfinite(step), beta + step, np.nan)
            if (np.abs(np.nan_to_num(step)) < AT_REST).all():
                break
    known = (ones > 0) & (events0.sum(axis=1) > 0) & (np.abs(beta) < LARGEST)
    return np.where(known, beta, np.nan)
