"""Studies in which a component takes time to be added, drawn from a seed with the truth known, and written as a folder.

    write_strategy(folder, draw_strategy(300, seed=1))

The younger and fitter add it sooner, and live longer anyway. Arm C is who ever added it, so that the arm is known only later.
"""

from __future__ import annotations

__all__ = ["WITHIN", "Truth", "draw_strategy", "strategy_of", "write_strategy"]

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

ZERO, WITHIN, MONTH = dt.date(2020, 1, 1), 60, 30.4375


@dataclass(frozen=True)
class Truth:
    """What is drawn: hazards per day; what adding multiplies the hazard by; how age and fitness change both.

    `force`: None (as patients did), "added" (who lives to the end of the period has added it by then) or "not added"
    (nobody adds it within the period).
    """

    hazard: float = 1 / 500
    ratio: float = 0.6
    adding: float = 0.012
    confounding: float = 0.5
    force: str | None = None
    ties: bool = False


def draw_strategy(n: int, seed: int, truth: Truth = Truth()) -> pd.DataFrame:
    """Patients of one drawn study: `time`, `event`, `added` (days; NaN = never), `age`, `fit`, all in days since time zero."""
    rng = np.random.default_rng(seed)
    z, fit = rng.normal(size=n), rng.random(n) < 0.5
    lean = truth.confounding * (z - 0.8 * (fit - 0.5))
    waits = 1 / (truth.adding * np.exp(-1.2 * lean))
    added = np.floor(rng.exponential(waits))
    if truth.force == "added":
        added = np.minimum(added, WITHIN)
    if truth.force == "not added":  # what comes after the period comes as to those who waited so long
        added = np.where(added <= WITHIN, WITHIN + 1 + np.floor(rng.exponential(waits)), added)
    # Nobody adds it long after the period.
    added = np.where(added > 2 * WITHIN, np.inf, added)
    untreated = rng.exponential(size=n) / (truth.hazard * np.exp(lean))
    before = np.minimum(added, untreated)
    death = before + (untreated - before) / truth.ratio
    end = rng.uniform(400, 1600, n)
    if truth.force:
        end = np.full(n, np.inf)
    time = np.ceil(np.minimum(death, end) / (30 if truth.ties else 1)) * (30 if truth.ties else 1)
    known = np.where(added <= time, added, np.nan)
    return pd.DataFrame({"time": time, "event": death <= end, "added": known, "age": np.round(60 + 10 * z), "fit": np.where(fit, "yes", "no")})


def strategy_of(**changed) -> dict:
    """study.yml of such a study."""
    os = {"events": ["death_date"], "censor": "last_contact_date", "landmarks": [6, 12, 24], "tau": 24, "definition": "to death"}
    return {
        "study": {"id": "strategy", "title": "Made up", "short_title": "Made up", "synthetic": False, "cutoff": "2030-12-31"},
        "design": {"allocation": "not_randomised"},
        "time": {"unit": "months", "days_per_unit": MONTH, "zero_label": "start of the drug"},
        "arms": [{"id": "A", "label": "Drug", "colour": "#0072B2"}, {"id": "C", "label": "Drug + implant", "colour": "#009E73"}],
        "reference_arm": "A", "focus_arm": "C",
        "tables": {name: {"file": f"{name}.csv"} for name in ("patients", "treatments")},
        "baseline": [
            {"id": "age", "label": "Age", "unit": "years", "type": "number", "min": 0, "max": 120},
            {"id": "fit", "label": "Fit", "type": "category", "levels": [{"value": "no", "label": "No"}, {"value": "yes", "label": "Yes"}]},
        ],
        "endpoints": [{"id": "os", "label": "Overall survival", "short": "OS", "role": "primary", **os}],
        "treatments": {"components": [
            {"id": "drug", "label": "Drug", "kind": "drug", "arms": ["A", "C"]},
            {"id": "implant", "label": "Implant", "kind": "local", "arms": ["C"]},
        ]},
        "models": {"covariates": [{"variable": "age", "step": 10}, {"variable": "fit"}]},
        "strategy": {"label": "Add an implant to the drug within 60 days", "arms": ["A", "C"], "add": "implant", "within_days": WITHIN},
        "policy": {"min_at_risk": 5, "min_events": 5},
    } | changed  # fmt: skip


def write_strategy(folder: Path, drawn: pd.DataFrame, study: dict | None = None, change: Callable[[pd.DataFrame], pd.DataFrame] = lambda rows: rows) -> Path:
    """Write study.yml and the tables; `change` is applied to the table of treatments."""
    def day(days: float) -> dt.date | None:
        return ZERO + dt.timedelta(days=int(days)) if np.isfinite(days) else None

    ids = [f"P{i:04d}" for i in range(len(drawn))]
    end = [day(t) for t in drawn["time"]]
    patients = pd.DataFrame({
        "patient_id": ids, "arm": np.where(drawn["added"].notna(), "C", "A"), "time_zero": ZERO, "age": drawn["age"], "fit": drawn["fit"],
        "death": drawn["event"].astype(int), "death_date": [e if died else None for e, died in zip(end, drawn["event"], strict=True)], "last_contact_date": end,
    })  # fmt: skip
    given = [(i, "drug", ZERO, 1) for i in ids] + [(i, "implant", day(a), 1) for i, a in zip(ids, drawn["added"], strict=True) if np.isfinite(a)]
    rows = pd.DataFrame(given, columns=["patient_id", "component", "start_date", "line"])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.yml").write_text(json.dumps(study or strategy_of(), indent=1), encoding="utf-8")  # JSON is YAML
    patients.to_csv(folder / "patients.csv", index=False, lineterminator="\n")
    change(rows).to_csv(folder / "treatments.csv", index=False, lineterminator="\n")
    return folder
