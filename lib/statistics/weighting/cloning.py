"""Clones of patients under two strategies, when they leave one, and how likely they were to leave.

A component that takes time to be added is not known at time zero. So every patient is followed under both strategies
("add it within a period", "do not add it within it") until what was done fits one only; who left is stood for by those
like him who stayed (Hernan and Robins, Am J Epidemiol 2016;183:758-764; Maringe et al., Int J Epidemiol 2020;49:1719-1729).
Resamples are counts of patients and go through all of it at once.
"""

from __future__ import annotations

__all__ = ["ADDED", "NOT_ADDED", "PAIR", "STRATEGIES", "Clones", "Leaving", "fit_leaving", "make_clones", "stayed"]

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from lib.statistics.weighting.multinomial import MAX_SLOPE, NEWTON_STEPS, SCORE_AT_REST, SINGULAR

NOT_ADDED, ADDED = "not added", "added"
STRATEGIES, PAIR = (NOT_ADDED, ADDED), f"{ADDED} vs {NOT_ADDED}"
# Numbers held at once per block of resamples: 32 MB.
BLOCK = 4_000_000


@dataclass(frozen=True)
class Clones:
    """The clone of each patient under one strategy.

    Attributes
    ----------
    end : ndarray, shape (n,)
        When the clone's follow-up ends: event, end of follow-up, or leaving the strategy.
    event, left : ndarray of bool, shape (n,)
        Whether it ends with the event; whether because the strategy was left.
    days : ndarray, shape (k,)
        Distinct times at which somebody left, increasing.
    at_risk : ndarray of bool, shape (k, n)
        Who could have left at each of them.
    """

    end: np.ndarray
    event: np.ndarray
    left: np.ndarray
    days: np.ndarray
    at_risk: np.ndarray


@dataclass(frozen=True)
class Leaving:
    """Pooled logistic models of leaving, one per resample: `intercept` (b, k), `slope` (b, p), `fitted` (b,)."""

    intercept: np.ndarray
    slope: np.ndarray
    fitted: np.ndarray


def make_clones(patients: pd.DataFrame, within: float) -> dict[str, Clones]:
    """Follow every patient under both strategies.

    Parameters
    ----------
    patients : DataFrame, one row per patient
        `time`, `event` (True = event), `added` (time at which the component was added; NaN = never), in one unit.
    within : float
        End of the period in that unit; the component may be added on its last day.

    Returns
    -------
    dict of str to Clones
        Of `STRATEGIES`. Under NOT_ADDED a clone leaves when the component is added within the period (an event of the
        same time is owed to the other strategy); under ADDED at the end of the period, if the component is not added
        and the follow-up goes on. What was added after the event or the end of follow-up was not added.
    """
    time, event = patients["time"].to_numpy(dtype=float), patients["event"].to_numpy(dtype=bool)
    added = patients["added"].to_numpy(dtype=float, na_value=np.inf)
    added = np.where(np.isnan(added) | (added > time), np.inf, added)
    early = added <= within
    late = ~early & (time > within)
    end = {NOT_ADDED: np.where(early, added, time), ADDED: np.where(late, within, time)}
    left = {NOT_ADDED: early, ADDED: late}
    # All leave ADDED at one time, the end of the period, and among those who are followed beyond it.
    risk = {NOT_ADDED: end[NOT_ADDED], ADDED: np.where(time > within, np.inf, -np.inf)}
    clones = {}
    for name in STRATEGIES:
        days = np.unique(end[name][left[name]])
        clones[name] = Clones(end[name], event & ~left[name], left[name], days, risk[name][None] >= days[:, None])
    return clones


def fit_leaving(clones: Clones, design: np.ndarray, counts: np.ndarray) -> Leaving:
    """Pooled logistic regression of leaving a strategy, with an intercept for each time at which somebody left.

    Parameters
    ----------
    clones : Clones
    design : ndarray, shape (n, p)
        Covariates, standardized.
    counts : ndarray, shape (b, n)
        How often each patient is in each resample.

    Returns
    -------
    Leaving
        Not fitted where the covariates tell who leaves, or nobody stays. R:
        ``glm(left ~ 0 + factor(day) + x, binomial)`` on a row per patient at risk and day on which somebody left.
    """
    rows, b = _pool(clones, design), len(counts)
    model = Leaving(np.full((b, len(clones.days)), -np.inf), np.zeros((b, design.shape[1])), np.ones(b, dtype=bool))
    step = max(1, BLOCK // max(len(rows.y), 1))
    for start in range(0, b if len(rows.y) else 0, step):
        block = slice(start, start + step)
        weight = counts[block][:, rows.patient].astype(float)
        model.intercept[block], model.slope[block], model.fitted[block] = _newton(rows, weight)
    return model


class _Pooled(NamedTuple):
    """A row per patient at risk and time at which somebody left, time after time.

    `patient`, `time`: their numbers; `starts`: first row of each time; `y`: 1 = left; `x`: covariates; `squares`: their products.
    """

    patient: np.ndarray
    time: np.ndarray
    starts: np.ndarray
    y: np.ndarray
    x: np.ndarray
    squares: np.ndarray

    def per_time(self, values: np.ndarray) -> np.ndarray:
        """Sums over the rows of each time, shape (b, k)."""
        return np.add.reduceat(values, self.starts, axis=1)


def _pool(clones: Clones, design: np.ndarray) -> _Pooled:
    k, patient = np.nonzero(clones.at_risk)
    y = (clones.left[patient] & (clones.end[patient] == clones.days[k])).astype(float)
    x = design[patient]
    squares = (x[:, :, None] * x[:, None, :]).reshape(len(x), design.shape[1] ** 2)
    return _Pooled(patient, k, np.searchsorted(k, np.arange(len(clones.days))), y, x, squares)


def _newton(rows: _Pooled, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Maximum likelihood of each resample; a time at which nobody left in it has no hazard there."""
    at_risk, leaving = rows.per_time(weight), rows.per_time(weight * rows.y)
    used, slope = leaving > 0, np.zeros((len(weight), rows.x.shape[1]))
    with np.errstate(all="ignore"):
        intercept = np.where(used, np.log(leaving) - np.log(at_risk - leaving), -np.inf)
    stays = (leaving < at_risk).any(axis=1) & ((leaving < at_risk) | ~used).all(axis=1)
    going, fitted = np.flatnonzero(stays), np.zeros(len(weight), dtype=bool)
    at_rest = SCORE_AT_REST * np.maximum(at_risk.sum(axis=1), 1)
    with np.errstate(all="ignore"):  # a fit that runs off is dropped
        for _ in range(NEWTON_STEPS):
            if not len(going):
                break
            by_time, score, inner, cross, outer = _calculus(rows, weight[going], used[going], intercept[going], slope[going])
            done = (np.abs(by_time) < at_rest[going, None]).all(axis=1) & (np.abs(score) < at_rest[going, None]).all(axis=1)
            fitted[going[done]] = True
            move = ~done & _is_sound(outer) & (np.abs(slope[going]) < MAX_SLOPE).all(axis=1)
            going, by_time, score, inner, cross, outer = (part[move] for part in (going, by_time, score, inner, cross, outer))
            turned = score - np.einsum("bkp,bk->bp", cross, by_time / inner)
            by = np.linalg.solve(outer, turned[:, :, None])[:, :, 0]
            slope[going] += by
            intercept[going] += (by_time - np.einsum("bkp,bp->bk", cross, by)) / inner
    return intercept, slope, fitted


def _is_sound(information: np.ndarray) -> np.ndarray:
    """Whether the information about the slopes of each resample has an inverse."""
    finite = np.isfinite(information).all(axis=(1, 2))
    return finite & (np.linalg.cond(np.where(finite[:, None, None], information, 0.0)) < SINGULAR) if information.shape[1] else finite


def _calculus(rows: _Pooled, weight: np.ndarray, used: np.ndarray, intercept: np.ndarray, slope: np.ndarray) -> tuple[np.ndarray, ...]:
    """Score of intercepts (b, k) and slopes (b, p); information of intercepts (its diagonal), of both, and of slopes given intercepts."""
    (b, _), p = weight.shape, rows.x.shape[1]
    chance = 1 / (1 + np.exp(-(intercept[:, rows.time] + slope @ rows.x.T)))
    rest, spread = weight * (rows.y - chance), weight * chance * (1 - chance)
    by_time, inner = np.where(used, rows.per_time(rest), 0.0), np.where(used, rows.per_time(spread), 1.0)
    cross = np.empty((*inner.shape, p))
    for i in range(p):
        cross[:, :, i] = rows.per_time(spread * rows.x[:, i])
    outer = (spread @ rows.squares).reshape(b, p, p) - np.einsum("bkp,bkq->bpq", cross / inner[:, :, None], cross)
    return by_time, rest @ rows.x, inner, cross, outer


def stayed(model: Leaving, design: np.ndarray) -> np.ndarray:
    """Probability of not having left, shape (b, k + 1, n): before the first time of leaving, and just after each."""
    with np.errstate(over="ignore"):
        stay = 1 / (1 + np.exp(model.intercept[:, :, None] + (model.slope @ design.T)[:, None, :]))
    ones = np.ones((len(stay), 1, len(design)))
    return np.concatenate([ones, np.cumprod(stay, axis=1)], axis=1)
