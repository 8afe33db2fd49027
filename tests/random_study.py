"""Studies of one to six arms, made from a seed: small arms, ties, missed visits, arms to which nothing happens.

    write_random(folder, Design(sizes=(7, 6), without_events=("B",)))

What is drawn is clean by the rules of intake, so that a report must come out of it; the disease is nobody's.
"""

from __future__ import annotations

__all__ = ["COLOURS", "LINES", "Design", "draw_tables", "random_design", "write_random"]

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lib.intake.recist import derive_response
from lib.study.study import read_study

# Okabe and Ito: told apart by the colour-blind; the six lines by those who print in grey.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
LINES = ("solid", "dashed", "dashdot", "dotted", "longdash", "dashdotdot")
LABELS = ("Standard care", "Drug one", "Drug two", "Drug one + implant", "Drug two + implant", "Implant")
SCHEDULE = (0, 3, 6, 9, 12, 18, 24, 36)
MONTH = 30.4375
TERMS = {
    "Nervous system disorders": ("Headache", "Dizziness"),
    "Gastrointestinal disorders": ("Nausea", "Diarrhoea"),
    "Procedural complications": ("Haematoma",),
}
SITES = ("node", "lung", "bone")


@dataclass(frozen=True)
class Design:
    """What is drawn: patients per arm, and what goes wrong.

    Attributes
    ----------
    sizes : tuple of int
        Patients of each arm.
    without_harm : tuple of str
        Arms (A, B, ...) without any adverse event.
    without_events : tuple of str
        Arms in which nobody progresses or dies.
    missed : float
        Chance that a visit, a sample or a diameter is missing.
    tied : bool
        Whether visits and deaths fall on the same days after time zero.
    hazard : float
        Deaths per month.
    """

    sizes: tuple[int, ...]
    seed: int = 0
    without_harm: tuple[str, ...] = ()
    without_events: tuple[str, ...] = ()
    missed: float = 0.15
    tied: bool = True
    hazard: float = 0.03

    @property
    def arms(self) -> str:
        """Ids of the arms."""
        return "ABCDEF"[: len(self.sizes)]


def random_design(seed: int) -> Design:
    """A design that is itself drawn: one to six arms of one to twelve patients."""
    rng = np.random.default_rng(seed)
    sizes = tuple(int(n) for n in rng.integers(1, 13, rng.integers(1, 7)))
    arms = "ABCDEF"[: len(sizes)]
    harmless, eventless = (tuple(a for a in arms if rng.random() < 0.25) for _ in range(2))
    return Design(sizes, seed, harmless, eventless, float(rng.choice([0.0, 0.15, 0.4])), bool(rng.integers(2)),
                  float(rng.choice([0.0, 0.02, 0.1])))  # fmt: skip


def write_random(folder: Path, design: Design) -> Path:
    """Write study.yml and the tables of a design; the same design gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    # JSON is YAML.
    (folder / "study.yml").write_text(json.dumps(_study(design), indent=1), encoding="utf-8")
    for name, frame in draw_tables(design, read_study(folder).response).items():
        frame.convert_dtypes().to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    return folder


def _study(design: Design) -> dict:
    arms = design.arms
    drug, implant = [a for a in arms if a in "BCDE"], [a for a in arms if a in "DEF"]
    components = [{"id": "care", "label": "Standard care", "kind": "drug", "arms": ["A"]}]
    if drug:
        components.append({"id": "drug", "label": "Study drug", "kind": "drug", "arms": drug, "doses": [20, 10], "dose_unit": "mg"})  # fmt: skip
    if implant:
        components.append({"id": "implant", "label": "Implant", "kind": "local", "arms": implant})
    dates = {"censor": "last_contact_date", "landmarks": [6, 12, 24], "tau": 12}
    scans = {**dates, "censor": "last_tumour_assessment"}
    return {
        "study": {"id": f"study{design.seed}", "title": f"A made-up study of {len(arms)} arms", "short_title": "Made up",
                  "synthetic": True, "cutoff": "2024-12-31"},
        "time": {"unit": "months", "days_per_unit": MONTH, "zero_label": "first treatment"},
        "arms": [{"id": a, "label": LABELS[i], "colour": COLOURS[i], "line": LINES[i]} for i, a in enumerate(arms)],
        "reference_arm": "A", "focus_arm": arms[-1],
        "tables": {name: {"file": f"{name}.csv"} for name in ("patients", "lesions", "measurements", "assessments", "markers", "treatments", "adverse_events")},
        "visits": {"schedule": list(SCHEDULE), "window_days": [-20, 30]},
        "baseline": [
            {"id": "age", "label": "Age", "unit": "years", "type": "integer", "min": 18, "max": 99},
            {"id": "sex", "label": "Sex", "type": "category", "levels": [{"value": "F", "label": "Female"}, {"value": "M", "label": "Male"}]},
            {"id": "size", "label": "Tumour volume", "unit": "cm³", "type": "number", "decimals": 1, "source": {"kind": "volume"}},
            {"id": "crp0", "label": "C-reactive protein", "unit": "mg/L", "type": "number", "decimals": 1, "source": {"kind": "marker", "marker": "crp"}},
        ],
        "endpoints": [
            {"id": "pfs", "label": "Progression-free survival", "short": "PFS", "role": "primary",
             "events": ["local_progression_date", "death_date"], "definition": "from the first treatment to progression or death", **scans},
            {"id": "os", "label": "Overall survival", "short": "OS", "role": "secondary", "events": ["death_date"],
             "definition": "from the first treatment to death", **dates},
            {"id": "ttp", "label": "Time to progression", "short": "TTP", "role": "sensitivity", "events": ["local_progression_date"],
             "competing": ["death_date"], "definition": "from the first treatment to progression; death competes", **scans},
        ],
        "response": {"visits": [6, 12], "node_sites": ["node"], "confirmation_days": 28, "stable_days": 42,
                     "progression_column": "local_progression_date"},
        "sites": [{"value": site, "label": site.capitalize()} for site in SITES],
        "markers": [
            {"id": "crp", "label": "C-reactive protein", "short": "CRP", "unit": "mg/L", "units": {"mg/L": 1}, "scale": "log", "visits": [0, 3, 6, 12]},
            {"id": "pain", "label": "Pain score", "short": "Pain", "unit": "points", "units": {"points": 1}, "scale": "linear", "visits": [0, 3, 6, 12]},
        ],
        "treatments": {"components": components},
        "adverse_events": {"dictionary": "CTCAE v5.0", "systems": TERMS, "landmarks": [1, 3],
                           "risk_windows": [{"component": c["id"], "anchor": "start", "days": 365} for c in components]},
        "subgroups": [{"id": "sex", "variable": "sex"}, {"id": "age60", "variable": "age", "label": "Age 60 years", "cut": 60}],
        "sensitivity": {"landmarks": [1, 3]},
        "confounding": {"covariates": [{"variable": "age"}, {"variable": "sex"}]},
        "policy": {"min_at_risk": 3, "min_events": 4},
    }  # fmt: skip


def draw_tables(design: Design, response) -> dict[str, pd.DataFrame]:
    """The tables of a design; progression is what the response rule calls so."""
    rng = np.random.default_rng(design.seed)
    rows = {name: [] for name in ("patients", "lesions", "measurements", "assessments", "markers", "treatments", "adverse_events")}  # fmt: skip
    ids = [(f"SYN-{arm}{i:02d}", arm) for arm, n in zip(design.arms, design.sizes, strict=True) for i in range(1, n + 1)]
    for patient, arm in ids:
        _draw_patient(rng, design, rows, patient, arm)
    tables = {name: pd.DataFrame(part) for name, part in rows.items()}
    tables["adverse_events"] = pd.DataFrame(rows["adverse_events"], columns=["patient_id", "term", "grade", "onset_date", "end_date", "related", "serious", "action"])  # fmt: skip
    _mark_progression(tables, response, rng)
    return tables


def _draw_patient(rng, design: Design, rows: dict, patient: str, arm: str) -> None:
    zero = dt.date(2019, 1, 1) + dt.timedelta(days=int(rng.integers(0, 900)))
    calm = arm in design.without_events
    death = rng.exponential(1 / design.hazard) if design.hazard and not calm else np.inf
    death = np.ceil(death) if design.tied else death
    seen = float(rng.choice([6, 12, 24, 40]) if design.tied else rng.uniform(2, 42))
    last = min(death, seen)
    on = _calendar(zero)
    died = death <= seen
    rows["patients"].append({
        "patient_id": patient, "arm": arm, "age": int(rng.integers(35, 85)), "sex": str(rng.choice(["F", "M"])),
        "time_zero": zero, "death": int(died), "death_date": on(death) if died else None, "last_contact_date": on(last),
    })  # fmt: skip
    visits = [v for v in SCHEDULE if v == 0 or (v < last and rng.random() > design.missed)]
    _draw_tumours(rng, design, rows, patient, visits=visits, on=on, calm=calm)
    _draw_markers(rng, design, rows, patient, visits=visits, on=on)
    for component, arms in (("care", "A"), ("drug", "BCDE"), ("implant", "DEF")):
        if arm in arms:
            local = component == "implant"
            end = None if local or rng.random() < 0.2 else on(min(last, rng.uniform(1, 9)))
            dose = {"start_dose": 20, "lowest_dose": int(rng.choice([20, 10]))} if component == "drug" else {}
            rows["treatments"].append({"patient_id": patient, "component": component, "start_date": zero, "end_date": end, **dose})  # fmt: skip
    if arm not in design.without_harm:
        terms = [term for terms in TERMS.values() for term in terms]
        for term in sorted(rng.choice(terms, rng.integers(0, 4), replace=False)):
            start = rng.uniform(0, min(last, 10))
            rows["adverse_events"].append({
                "patient_id": patient, "term": term, "grade": int(rng.choice([1, 2, 3, 4], p=[0.5, 0.3, 0.15, 0.05])),
                "onset_date": on(start), "end_date": None if rng.random() < 0.2 else on(min(last, start + 1)),
                "related": str(rng.choice(["drug", "procedure", "both", "no"])), "serious": int(rng.random() < 0.2),
                "action": str(rng.choice(["none", "reduced", "interrupted", "stopped"])),
            })  # fmt: skip


def _calendar(zero: dt.date):
    return lambda months: zero + dt.timedelta(days=int(months * MONTH))


def _draw_tumours(rng, design: Design, rows: dict, patient: str, *, visits: list, on, calm: bool) -> None:
    """Lesions that shrink, and in some patients grow again."""
    nadir, regrowth = rng.uniform(0.2, 1.0), 0.0 if calm else rng.choice([0.0, 0.03, 0.08])
    for k in range(int(rng.integers(1, 4))):
        lesion, site = f"{patient}-{k + 1}", str(rng.choice(SITES))
        longest = rng.uniform(24, 60)
        axes = np.array([longest, longest * 0.8, longest * 0.6])
        rows["lesions"].append({"lesion_id": lesion, "patient_id": patient, "site": site, "target": 1})
        for visit in visits:
            factor = 1 if visit == 0 else nadir + (1 - nadir) * np.exp(-visit / 3) + regrowth * max(visit - 6, 0)
            sizes = np.round(axes * factor, 1)
            missing = visit > 0 and rng.random() < design.missed / 3
            rows["measurements"].append({
                "lesion_id": lesion, "assessment_date": on(visit) if visit else on(-0.2), "visit": visit,
                **dict(zip(("longest_mm", "short_mm", "third_mm"), [None] * 3 if missing else sizes, strict=True)),
            })  # fmt: skip


def _draw_markers(rng, design: Design, rows: dict, patient: str, *, visits: list, on) -> None:
    base = rng.lognormal(3, 1)
    for visit in visits:
        if visit <= 12 and (visit == 0 or rng.random() > design.missed):
            day = {"patient_id": patient, "sample_date": on(visit), "visit": visit}
            value = round(base * np.exp(-0.1 * visit + rng.normal(0, 0.3)), 2)
            rows["markers"].append({**day, "marker": "crp", "value": max(value, 0.1), "unit": "mg/L", "below_limit": int(value <= 0.1), "limit": 0.1})  # fmt: skip
            rows["markers"].append({**day, "marker": "pain", "value": int(rng.integers(0, 11)), "unit": "points"})


def _mark_progression(tables: dict[str, pd.DataFrame], response, rng) -> None:
    """Flag the first progression by the rule, and end the scans there."""
    measurements = tables["measurements"]
    measurements["assessment_date"] = pd.to_datetime(measurements["assessment_date"])
    derived = derive_response(tables["lesions"].assign(target=True), measurements, response)
    first = derived[derived["response"] == "PD"].groupby("patient_id")["assessment_date"].min()
    owner = tables["lesions"].set_index("lesion_id")["patient_id"]
    until = measurements["lesion_id"].map(owner).map(first)
    measurements = tables["measurements"] = measurements[~(measurements["assessment_date"] > until)]
    derived = derived[~(derived["assessment_date"] > derived["patient_id"].map(first))]
    patients = tables["patients"]
    last = derived.groupby("patient_id")["assessment_date"].max()
    zero = pd.to_datetime(patients["time_zero"])
    patients["last_tumour_assessment"] = patients["patient_id"].map(last).fillna(zero).clip(lower=zero).dt.date
    patients["local_progression_date"] = patients["patient_id"].map(first).dt.date
    patients["local_progression"] = patients["local_progression_date"].notna().astype(int)
    seen = derived[["patient_id", "assessment_date", "visit"]].assign(reader_response=derived["response"].astype(object))
    other = (rng.random(len(seen)) < 0.1) & seen["reader_response"].notna()
    seen["reader_response"] = seen["reader_response"].mask(other, "SD")
    tables["assessments"] = seen
    measurements["assessment_date"] = measurements["assessment_date"].dt.date
