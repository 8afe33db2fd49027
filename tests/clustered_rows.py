"""Rows that share a patient, and what R gives for them (tests/reference/clustered.R)."""

from __future__ import annotations

__all__ = ["CASES", "drawn_rows", "rows_of"]

import functools

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from reference_data import load_expected

EXPECTED = load_expected("clustered")
CASES = {**EXPECTED["small"], **{f"made_{case['patients']}": case for case in EXPECTED["large"]}}


def _sequence(seed: int, n: int) -> np.ndarray:
    """Whole numbers below 2^53 throughout: the same in R."""
    states = np.empty(n)
    for i in range(n):
        seed = 16807 * seed % 2147483647
        states[i] = seed
    return states / 2147483647


def _made(n: int, arms: int) -> pd.DataFrame:
    """made() of clustered.R."""
    u = _sequence(n, 3 * n).reshape(3, n)
    own = (1 + np.floor(4 * u[0])).astype(int)
    d = pd.DataFrame({"id": np.repeat(np.arange(1, n + 1), own)})
    w, v, late = _sequence(n + 1, 4 * len(d)).reshape(4, len(d)), np.repeat(u[1], own), np.repeat(u[2], own)
    d["arm"], d["x"] = (d["id"] - 1) % arms, 80 + np.floor(60 * w[0] + 10 * late)
    begun, died, seen = 1 + np.floor(90 * v * w[1] * (1 + 0.3 * d["arm"])), 1 + np.floor(120 * late), 1 + np.floor(60 * w[2])
    d["time"] = np.minimum(np.minimum(begun, died), seen)
    d["cause"] = np.where(begun <= np.minimum(died, seen), 1, np.where(died <= seen, 2, 0))
    return d.assign(y=np.floor(1000 * (v + w[3] - 0.002 * d["x"])) / 1000)


@functools.cache
def _frame(name: str) -> pd.DataFrame:
    case = CASES[name]
    d = _made(case["patients"], 3) if "patients" in case else pd.DataFrame(case["data"])
    if "patients" in case:
        np.testing.assert_allclose(d[["id", "arm", "time", "cause", "x", "y"]].sum(), [case["sums"][k] for k in ("id", "arm", "time", "cause", "x", "y")] if isinstance(case["sums"], dict) else case["sums"])
    return finished(d)


def finished(d: pd.DataFrame) -> pd.DataFrame:
    """As the estimators take it: categorical arms, `patient_id`, `event` (cause 1)."""
    d = d.assign(arm=pd.Categorical(d["arm"].astype(int).astype(str)), patient_id=d["id"], time=d["time"].astype(float))
    return d.assign(event=d["cause"] == 1)


def rows_of(name: str) -> pd.DataFrame:
    """The rows of a case: patient_id, arm, time, event, cause, x, y."""
    return _frame(name).copy()


@st.composite
def drawn_rows(draw, least: int = 6, alone: bool = False):
    """Rows of two arms, one to four a patient, with ties; some event of interest in each arm."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(least, 20))
    own = np.ones(n, int) if alone else rng.integers(1, 5, n)
    d = pd.DataFrame({"id": np.repeat(np.arange(n), own)})
    d["arm"], d["time"], d["cause"] = d["id"] % 2, rng.integers(1, draw(st.sampled_from([6, 40])), len(d)), rng.integers(0, 3, len(d))
    d["x"], d["y"] = rng.integers(80, 140, len(d)), rng.normal(size=len(d)).round(2)
    for arm in (0, 1):
        d.loc[d.index[d["arm"] == arm][0], "cause"] = 1
    return finished(d)
