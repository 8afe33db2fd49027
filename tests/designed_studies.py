"""Small studies of ready-made times, one for each case that a report has to put into words.

    write_case(folder, "competing")

What is drawn comes from a seed; a case names what it differs in from two arms of 30 patients whose curves lie apart.
"""

from __future__ import annotations

__all__ = ["CASES", "Case", "write_case", "write_made"]

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from random_study import COLOURS, LINES


@dataclass(frozen=True)
class Case:
    """Patients and hazards (events per month) of each arm, and what stands in study.yml beside the usual.

    Attributes
    ----------
    sizes, hazards : tuple
        One value per arm.
    competing : tuple of float
        Hazard of the competing event of each arm; empty: there is none.
    follow_up : float
        Months after which everybody is censored.
    confounded : bool
        Whether older patients are in the later arms and have the event earlier, whatever the arm.
    study, policy : dict
        Further keys of `study` and of `policy`.
    """

    sizes: tuple[int, ...] = (30, 30)
    hazards: tuple[float, ...] = (0.12, 0.04)
    competing: tuple[float, ...] = ()
    follow_up: float = 36.0
    confounded: bool = False
    seed: int = 1
    unit: str = "months"
    study: dict = field(default_factory=dict)
    policy: dict = field(default_factory=dict)


CASES = {
    "apart": Case(),
    "just_apart": Case(hazards=(0.08, 0.07)),
    "not_apart": Case(hazards=(0.08, 0.08), seed=3),
    "not_reached": Case(hazards=(0.012, 0.004)),
    "one_arm": Case(sizes=(25,), hazards=(0.06,)),
    "three_arms": Case(sizes=(25, 25, 25), hazards=(0.1, 0.11, 0.03), unit="weeks"),
    "masked": Case(sizes=(24, 26), hazards=(0.02, 0.005)),
    "withheld": Case(hazards=(0.009, 0.008), policy={"min_events": 20}),
    "one_arm_without_event": Case(sizes=(14, 13), hazards=(0.06, 0.0)),
    "no_event": Case(sizes=(8, 9), hazards=(0.0, 0.0)),
    "competing": Case(sizes=(60, 60), hazards=(0.06, 0.05), competing=(0.005, 0.15), unit="years"),
    "randomised": Case(study={"allocation": "randomised", "design": "Randomised trial"}),
    "confounded": Case(sizes=(45, 45), hazards=(0.05, 0.05), confounded=True),
}
DAYS = {"days": 1.0, "weeks": 7.0, "months": 30.4375, "years": 365.25}


def write_case(folder: Path, name: str) -> Path:
    """Write study.yml and the patients of a case; the same case gives the same bytes."""
    return write_made(folder, name, CASES[name])


def write_made(folder: Path, name: str, case: Case, labels: Sequence[str] = ()) -> Path:
    """Write a case that is not in the list; its arms may have other labels."""
    folder.mkdir(parents=True, exist_ok=True)
    study = _study(name, case)
    study["arms"] = [arm | {"label": label} for arm, label in zip(study["arms"], labels, strict=True)] if labels else study["arms"]
    (folder / "study.yml").write_text(json.dumps(study, indent=1), encoding="utf-8")
    _patients(case).to_csv(folder / "patients.csv", index=False, lineterminator="\n")
    return folder


def _patients(case: Case) -> pd.DataFrame:
    """Times in days; status 0 censored, 1 the event, 2 the competing one."""
    rng = np.random.default_rng(case.seed)
    arm = np.repeat(np.arange(len(case.sizes)), case.sizes)
    n = len(arm)
    age = rng.integers(40, 76, n) + (14 * arm if case.confounded else 0)
    hazard = np.array(case.hazards)[arm] * (np.exp((age - 58) / 9) if case.confounded else 1)
    other = np.array(case.competing)[arm] if case.competing else np.zeros(n)
    seen = rng.uniform(0.5 * case.follow_up, case.follow_up, n)
    with np.errstate(divide="ignore"):
        waits = np.column_stack([seen, *(rng.exponential(1, n) / h for h in (hazard, other))])
    return pd.DataFrame({
        "patient_id": [f"P{i:03d}" for i in range(n)], "arm": np.array(list("ABCDEF"))[arm], "age": age,
        "sex": rng.choice(["F", "M"], n), "days": np.ceil(waits.min(axis=1) * DAYS["months"]).astype(int), "status": waits.argmin(axis=1),
    })  # fmt: skip


def _study(name: str, case: Case) -> dict:
    arms = "ABCDEF"[: len(case.sizes)]
    months = DAYS["months"] / DAYS[case.unit]
    codes = {"event": "1", "censored": "0"} | ({"competing": "2"} if case.competing else {})
    return {
        "study": {"id": name, "title": f"Designed: {name}", "short_title": name, "synthetic": False, "design": "Cohort"} | case.study,
        "time": {"unit": case.unit, "days_per_unit": DAYS[case.unit], "zero_label": "start"},
        "arms": [{"id": a, "label": f"Drug {a}", "colour": COLOURS[i], "line": LINES[i]} for i, a in enumerate(arms)],
        "reference_arm": "A", "focus_arm": arms[-1],
        "tables": {"patients": {"file": "patients.csv"}},
        "baseline": [
            {"id": "age", "label": "Age", "unit": "years", "type": "integer"},
            {"id": "sex", "label": "Sex", "type": "category", "levels": [{"value": "F", "label": "Female"}, {"value": "M", "label": "Male"}]},
        ],
        "endpoints": [{
            "id": "ep", "label": "Event-free survival", "short": "EFS", "role": "primary", "definition": "from start to the event",
            "landmarks": [round(12 * months, 2), round(24 * months, 2)], "tau": round(12 * months, 2),
            "time": {"column": "days", "unit": "days"}, "event": {"column": "status", **codes},
        }],
        "subgroups": [{"id": "sex", "variable": "sex"}],
        "sensitivity": {"landmarks": [round(3 * months, 2)]},
        "confounding": {"covariates": [{"variable": "age"}]},
        "policy": {"min_at_risk": 5, "min_events": 5, "small_cell": 5} | case.policy,
    }  # fmt: skip
