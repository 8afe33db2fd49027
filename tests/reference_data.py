"""Reference data sets and the values R gives for them (tests/reference)."""

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

__all__ = ["FOLDER", "SURVIVAL_SETS", "load_expected", "load_tte", "make_tte", "numbers"]

FOLDER = Path(__file__).parent / "reference"
SURVIVAL_SETS = (
    "colon_death", "colon_recurrence", "edge_flat_half", "edge_last_is_event", "edge_small_three_arm",
    "edge_ties_at_visits", "edge_zero_events_in_c", "lung", "veteran",
)  # fmt: skip


@lru_cache
def _read(name: str) -> pd.DataFrame:
    data = pd.read_csv(FOLDER / f"{name}.csv")
    arms = list(dict.fromkeys(data["arm"].astype(str)))  # order of first appearance, as in reference.R
    data["arm"] = pd.Categorical(data["arm"].astype(str), categories=arms, ordered=True)
    data["event"] = data["event"].astype(bool)
    return data.rename(columns={"competing": "cause"}).assign(patient_id=[f"P{i}" for i in range(len(data))])


def load_tte(name: str) -> pd.DataFrame:
    """One row per patient: patient_id, arm, time, event, and what else the file has."""
    return _read(name).copy()


@lru_cache
def load_expected(name: str) -> dict:
    """Values R wrote to expected/<name>.json; null = not reached or not estimable."""
    return json.loads((FOLDER / "expected" / f"{name}.json").read_text())


def numbers(values) -> np.ndarray:
    """Float array of a JSON number or list, null as NaN."""
    values = values if isinstance(values, list) else [values]
    return np.array([np.nan if v is None else v for v in values], dtype=float)


def make_tte(arms: dict[str, list[tuple[float, int]]]) -> pd.DataFrame:
    """Frame of patients given as (time, event) by arm, arms in the order given."""
    rows = [(arm, float(time), bool(event)) for arm, patients in arms.items() for time, event in patients]
    tte = pd.DataFrame(rows, columns=["arm", "time", "event"]).astype({"time": float, "event": bool})
    tte["arm"] = pd.Categorical(tte["arm"], categories=list(arms), ordered=True)
    return tte.assign(patient_id=[f"P{i}" for i in range(len(tte))])
