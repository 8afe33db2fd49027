"""The event table: distinct times x arms, made in one pass over the patients.

Kaplan-Meier, log-rank, cumulative incidence and arm-only Cox are all computed from it, so after this pass they cost
as much as there are distinct times, not patients. Here: the table and its curves. Not here: the statistics shown.
"""

from __future__ import annotations

__all__ = ["OVERALL", "TOLERANCE", "EventTable", "arm_names", "check_tte", "count_events", "distinct", "merge_times"]

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

OVERALL = "overall"
# sqrt(machine epsilon), the tolerance of survival::aeqSurv ("timefix") and of its median rule
TOLERANCE = float(np.sqrt(np.finfo(float).eps))


@dataclass(frozen=True)
class EventTable:
    """Counts at each distinct time by arm.

    Attributes
    ----------
    arms : tuple of str, length k
        Arm ids in study order.
    times : ndarray, shape (m,)
        Distinct times, increasing, in the endpoint's unit; times that differ by float noise only are one time.
    n_events, n_censored : ndarray of int, shape (k, m)
        Events and censorings at each time.
    """

    arms: tuple[str, ...]
    times: np.ndarray
    n_events: np.ndarray
    n_censored: np.ndarray

    @cached_property
    def n_risk(self) -> np.ndarray:
        """Patients at risk just before each time, shape (k, m): an event at the time is still at risk."""
        leaving = self.n_events + self.n_censored
        return leaving[:, ::-1].cumsum(axis=1)[:, ::-1]

    @cached_property
    def n(self) -> np.ndarray:
        """Patients per arm, shape (k,)."""
        return (self.n_events + self.n_censored).sum(axis=1)

    @cached_property
    def survival(self) -> np.ndarray:
        """Kaplan-Meier product limit just after each time, shape (k, m)."""
        return np.cumprod(1 - self.n_events / np.maximum(self.n_risk, 1), axis=1)

    @cached_property
    def greenwood(self) -> np.ndarray:
        """Greenwood's variance of log S(t), shape (k, m): sum of d / (n (n - d)); infinite once S = 0."""
        n, d = self.n_risk, self.n_events
        left = n - d
        terms = np.where(left > 0, d / np.maximum(n * left, 1), np.where(d > 0, np.inf, 0.0))
        return terms.cumsum(axis=1)

    @cached_property
    def last_times(self) -> np.ndarray:
        """Largest time of each arm, shape (k,); NaN for an arm without a patient."""
        seen = (self.n_risk > 0).sum(axis=1)  # at risk until the last time and never again
        return np.concatenate([[np.nan], self.times])[seen]

    def only(self, *arms: str) -> EventTable:
        """Return the table of some of the arms, in the order asked for."""
        rows = [self.arms.index(arm) for arm in arms]
        return EventTable(tuple(arms), self.times, self.n_events[rows], self.n_censored[rows])

    def with_overall(self) -> EventTable:
        """Add all arms taken together as a last arm called ``overall``."""
        stack = [np.vstack([c, c.sum(axis=0, keepdims=True)]) for c in (self.n_events, self.n_censored)]
        return EventTable((*self.arms, OVERALL), self.times, *stack)

    def reversed(self) -> EventTable:
        """Swap events and censorings (reverse Kaplan-Meier: how long patients were watched)."""
        return EventTable(self.arms, self.times, self.n_censored, self.n_events)

    def last_index(self, times: np.ndarray) -> np.ndarray:
        """Index of the last distinct time <= each of `times` (-1: before all), up to float noise."""
        return np.searchsorted(self.times, np.asarray(times, float) * (1 + TOLERANCE), side="right") - 1

    def at_risk(self, times: np.ndarray) -> np.ndarray:
        """Patients with a time >= each of `times`, shape (k, len(times))."""
        padded = np.hstack([self.n_risk, np.zeros((len(self.arms), 1), dtype=int)])
        return padded[:, self._first_from(times)]

    def before(self, times: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Sum of counts at each time and arm (events, censorings) before each of `times`, shape (k, len(times))."""
        padded = np.hstack([np.zeros((len(self.arms), 1), dtype=int), counts.cumsum(axis=1)])
        return padded[:, self._first_from(times)]

    def _first_from(self, times: np.ndarray) -> np.ndarray:
        """Index of the first distinct time >= each of `times`, up to float noise."""
        return np.searchsorted(self.times, np.asarray(times, float) * (1 - TOLERANCE), side="left")


def arm_names(tte: pd.DataFrame) -> tuple[str, ...]:
    """Arm ids of a time-to-event frame in study order."""
    return tuple(str(arm) for arm in tte["arm"].cat.categories)


def check_tte(tte: pd.DataFrame) -> None:
    """Refuse a frame that is not one row per patient with usable `arm`, `time` and `event`.

    Raises
    ------
    ValueError
        Naming the column, what was found and what is needed.
    """
    for column in ("arm", "time", "event"):
        if column not in tte:
            raise ValueError(f"the time-to-event frame needs a column {column!r}, it has {list(tte.columns)}")
    if not isinstance(tte["arm"].dtype, pd.CategoricalDtype):
        raise ValueError(f"arm must be categorical in study order, but found {tte['arm'].dtype}")
    if not pd.api.types.is_bool_dtype(tte["event"].dtype):
        raise ValueError(f"event must be boolean (True = event), but found {tte['event'].dtype}")
    time = tte["time"].to_numpy(dtype=float, na_value=np.nan)
    if not (np.isfinite(time) & (time >= 0)).all():
        raise ValueError("time must be finite and >= 0 for every patient")
    if tte["arm"].isna().any():
        raise ValueError("arm must be known for every patient")


def distinct(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct values, increasing, and the position of each value among them: `numpy.unique`, in time linear in n."""
    codes, found = pd.factorize(values)
    order = np.argsort(found)
    position = np.empty(len(found), dtype=np.int64)
    position[order] = np.arange(len(found))
    return found[order], position[codes]


def merge_times(time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sort out the distinct times, joining neighbours that differ by float noise only.

    Same rule as ``survival::aeqSurv`` (the `timefix` of survfit, survdiff and coxph): a gap <= sqrt(eps), absolute
    or relative to the mean of the distinct times, is no gap.

    Returns
    -------
    times : ndarray, shape (m,)
        Distinct times, increasing.
    index : ndarray of int, shape (n,)
        For each patient, the position of his time in `times`.
    """
    values, index = distinct(np.asarray(time, float))
    gaps = np.diff(values)
    new = np.concatenate([[True], gaps > TOLERANCE * max(1.0, values.mean())]) if values.size else np.array([], bool)
    return values[new], (np.cumsum(new) - 1)[index]


def count_events(tte: pd.DataFrame | EventTable, event: np.ndarray | None = None) -> EventTable:
    """Count events and censorings at each distinct time by arm.

    Parameters
    ----------
    tte : DataFrame, one row per patient, or EventTable
        Columns `arm` (ordered categorical), `time` (endpoint's unit, >= 0), `event` (True = event). Patients who have
        been counted are not counted again: who asks several estimators counts once.
    event : ndarray of bool, optional
        Counted instead of the column `event` (one cause of several, say).

    Returns
    -------
    EventTable

    Raises
    ------
    ValueError
        From `check_tte`; or another event is asked of patients who have been counted.
    """
    if isinstance(tte, EventTable):
        if event is not None:
            raise ValueError("patients who have been counted cannot be counted by another event")
        return tte
    check_tte(tte)
    event = (tte["event"] if event is None else pd.Series(event)).to_numpy(dtype=bool)
    times, index = merge_times(tte["time"].to_numpy(dtype=float))
    arms = arm_names(tte)
    shape = (len(arms), len(times))
    cell = tte["arm"].cat.codes.to_numpy(dtype=np.int64) * len(times) + index
    counts = [np.bincount(cell[rows], minlength=shape[0] * shape[1]).reshape(shape) for rows in (event, ~event)]
    return EventTable(arms, times, *counts)
