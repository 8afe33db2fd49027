"""Studies of measured lesions: written from a few words, or drawn from a seed.

    write_lesions(folder, [Patient("P1", "A", death=400)], [Lesion("P1", "neck", {0: 30, 2: 20, 4: 40})])

writes a patient of arm A whose one target, in the neck, measured 30, 20 and 40 mm at months 0, 2 and 4. A month has 30 days.
`python tests/lesion_studies.py` writes the drawn ones of tests/reference/progression anew.
"""

from __future__ import annotations

__all__ = ["Lesion", "Patient", "draw_lesions", "frames_of", "study_of", "treatments", "with_kinds", "write_lesions", "write_reference", "write_treatments"]

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from lib.intake.recist import derive_response
from lib.study.clinic.tumour import Response

FOLDER = Path(__file__).parent / "reference" / "progression"
MONTH, ZERO = 30, dt.date(2020, 1, 1)
RULE = {"visits": [6], "node_sites": ["node"], "progression_column": "local_progression_date"}
SITES = {"neck": "local", "node": "regional", "lung": "distant"}
ARMS = {"A": ("Drug", "#0072B2"), "B": ("Implant", "#D55E00"), "C": ("Both", "#009E73")}
VISITS = (0, 2, 4, 6, 9, 12, 18, 24, 30)
REFERENCE = {"small": ((8, 9, 7), 5), "large": ((60, 70, 65), 6)}
MEASURED = ["lesion_id", "assessment_date", "visit", "longest_mm", "short_mm", "third_mm", "too_small", "status"]


@dataclass(frozen=True)
class Patient:
    """A patient; days count from time zero. `seen` is the last contact, if not the death."""

    id: str
    arm: str = "A"
    death: int | None = None
    seen: int = 1200
    distant: int | None = None


@dataclass(frozen=True)
class Lesion:
    """A lesion; `sizes`: month -> longest = short = third diameter, "absent", "small" or None (not measured)."""

    patient: str
    site: str
    sizes: dict[float, float | str | None] = field(default_factory=dict)
    target: bool = True
    treated: bool = False
    region: str = ""


def write_lesions(folder: Path, patients: Sequence[Patient], lesions: Sequence[Lesion], study: dict | None = None, *, without: Sequence[str] = ()) -> Path:
    """Write study.yml and the tables; progression is what the rule calls so. `without`: columns of lesions to leave out."""
    known, measured = _tables(lesions)
    known = known.drop(columns="region") if (known["region"] == "").all() else known
    people = pd.DataFrame(
        [(p.id, p.arm, ZERO, _day(p.death), _day(p.seen if p.death is None else p.death), _day(p.distant)) for p in patients],
        columns=["patient_id", "arm", "time_zero", "death_date", "last_contact_date", "distant_progression_date"],
    )
    return _write(folder, people, known.drop(columns=list(without)), measured, study or study_of(patients))


def _tables(lesions: Sequence[Lesion]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables lesions and measurements."""
    known = [(f"{x.patient}-{i}", x.patient, x.site, int(x.target), int(x.treated), x.region) for i, x in enumerate(lesions)]
    rows = [_measured(f"{x.patient}-{i}", month, size) for i, x in enumerate(lesions) for month, size in x.sizes.items()]
    return pd.DataFrame(known, columns=["lesion_id", "patient_id", "site", "target", "treated", "region"]), pd.DataFrame(rows, columns=MEASURED)


def frames_of(lesions: Sequence[Lesion]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same as typed frames, as intake gives them."""
    known, measured = _tables(lesions)
    measured = measured.assign(assessment_date=pd.to_datetime(measured["assessment_date"]), too_small=measured["too_small"] == 1)
    return known.assign(target=known["target"] == 1), measured


def _day(day: float | None) -> dt.date | None:
    return None if day is None else ZERO + dt.timedelta(days=int(day))


def _measured(lesion: str, month: float, size: float | str | None) -> tuple:
    sizes = {"absent": (0.0, 0, "absent"), "small": (5.0, 1, "too_small")}.get(size, (size, 0, "measured"))
    return (lesion, _day(month * MONTH), month, *[sizes[0]] * 3, *sizes[1:])


def _write(folder: Path, people: pd.DataFrame, known: pd.DataFrame, measured: pd.DataFrame, study: dict) -> Path:
    """Write the tables, with the first progression by the rule and the last assessment of each patient."""
    dated = measured.assign(assessment_date=pd.to_datetime(measured["assessment_date"]), too_small=measured["too_small"] == 1)
    found = derive_response(known.assign(target=known["target"] == 1), dated, Response(**study.get("response", RULE)))
    first = found[found["response"] == "PD"].groupby("patient_id")["assessment_date"].min()
    last = people["patient_id"].map(found.groupby("patient_id")["assessment_date"].max())
    zero = pd.to_datetime(people["time_zero"])
    people = people.assign(
        local_progression_date=people["patient_id"].map(first).dt.date,
        last_tumour_assessment=last.fillna(zero).clip(lower=zero).dt.date,
        death=people["death_date"].notna().astype(int),
    )
    people["local_progression"] = people["local_progression_date"].notna().astype(int)
    if people["distant_progression_date"].isna().all():
        people = people.drop(columns="distant_progression_date")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.yml").write_text(json.dumps(study, indent=1), encoding="utf-8")  # JSON is YAML
    for name, frame in {"patients": people, "lesions": known, "measurements": measured}.items():
        frame.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    return folder


def study_of(patients: Sequence[Patient], **changed) -> dict:
    """study.yml of these patients: the declared endpoint counts what the rule calls progression, the other one a kind."""
    arms = [arm for arm in ARMS if arm in {p.arm for p in patients}]
    scans = {"censor": "last_tumour_assessment", "landmarks": [6, 12], "tau": 12}
    return {
        "study": {"id": "lesions", "title": "Made up", "short_title": "Made up", "synthetic": False, "cutoff": "2024-12-31"},
        "design": {"allocation": "not_randomised" if len(arms) > 1 else "single_arm"},
        "time": {"unit": "months", "days_per_unit": MONTH, "zero_label": "start"},
        "arms": [{"id": a, "label": ARMS[a][0], "colour": ARMS[a][1]} for a in arms],
        "reference_arm": arms[0], "focus_arm": arms[-1],
        "tables": {name: {"file": f"{name}.csv"} for name in ("patients", "lesions", "measurements")},
        "visits": {"schedule": list(VISITS), "window_days": [-20, 20]},
        "endpoints": [
            {"id": "pfs", "label": "Progression-free survival", "short": "PFS", "role": "primary",
             "events": ["local_progression_date", "death_date"], "definition": "to progression or death", **scans},
            {"id": "ttp", "label": "Time to progression", "short": "TTP", "role": "secondary", "events": ["local_progression_date"],
             "competing": ["death_date"], "definition": "to progression; death competes", **scans},
        ],
        "response": RULE, "sites": [{"value": s, "label": s.capitalize(), "region": r} for s, r in SITES.items()],
        "policy": {"min_at_risk": 1, "min_events": 2},
    } | changed  # fmt: skip


def treatments(study: dict) -> dict:
    """The same study with its treatments: arms B and C have a local component."""
    ids = [arm["id"] for arm in study["arms"]]
    kinds = {"drug": ("drug", "AC"), "implant": ("local", "BC")}
    parts = [{"id": n, "label": n, "kind": k, "arms": [a for a in ids if a in arms]} for n, (k, arms) in kinds.items()]
    tables = study["tables"] | {"treatments": {"file": "treatments.csv"}}
    return study | {"tables": tables, "treatments": {"components": [part for part in parts if part["arms"]]}}


def with_kinds(study: dict, *events: str, competing: Sequence[str] = ()) -> dict:
    """The same study with the endpoint `lc`, of these events."""
    endpoint = study["endpoints"][0] | {
        "id": "lc", "label": "Local control", "short": "LC", "role": "secondary", "events": list(events), "competing": list(competing),
        "definition": "to local progression",
    }  # fmt: skip
    return study | {"endpoints": [*study["endpoints"], endpoint]}


def draw_lesions(sizes: Sequence[int], seed: int) -> tuple[list[Patient], list[Lesion]]:
    """Patients of arms A, B, C: targets shrink and may grow again, new lesions come, diameters are missing, people die."""
    rng = np.random.default_rng(seed)
    patients, lesions = [], []
    for i, arm in enumerate("".join(a * n for a, n in zip("ABC", sizes, strict=True))):
        patient = f"P{i:03d}"
        death = int(rng.exponential({"A": 700, "B": 800, "C": 1100}[arm])) + 20
        seen = int(rng.uniform(200, 950))
        died = death <= seen
        end = min(death, seen)
        visits = [v for v in VISITS if v * MONTH < end and (v == 0 or rng.random() > 0.1)]
        distant = int(rng.uniform(20, end)) if end > 30 and rng.random() < 0.15 else None
        patients.append(Patient(patient, arm, death if died else None, seen, distant))
        for k in range(int(rng.integers(1, 4))):
            treated = arm != "A" and (k == 0 or rng.random() < 0.6)
            lesions.append(Lesion(patient, str(rng.choice(list(SITES))), _course(rng, visits, quick=not treated), True, treated))
        for v in visits[1:]:
            if rng.random() < 0.05:
                sizes_of_new = {w: round(float(rng.uniform(8, 30)), 1) for w in visits if w >= v}
                lesions.append(Lesion(patient, str(rng.choice(list(SITES))), sizes_of_new, False))
    return patients, lesions


def _course(rng, visits: list[float], *, quick: bool) -> dict:
    base, lowest = rng.uniform(16, 55), rng.uniform(0.05, 1.0)
    regrowth, turn = rng.choice([0.0, 0.04, 0.1 if quick else 0.05]), rng.choice([2, 4, 9])
    sizes: dict = {}
    for v in visits:
        size = round(float(base * (lowest + (1 - lowest) * np.exp(-v / 2) + regrowth * max(v - turn, 0))), 1)
        sizes[v] = size if v == 0 else None if rng.random() < 0.04 else "absent" if size < 2 else "small" if size <= 5 else size
    return sizes


def write_reference(folder: Path, name: str) -> Path:
    """Write a drawn study: `small` or `large`."""
    patients, lesions = draw_lesions(*REFERENCE[name])
    local, others = ("progression.in_field", "progression.local_untreated"), ("progression.distant", "death_date")
    study = with_kinds(treatments(study_of(patients)), *local, competing=others)
    return write_treatments(write_lesions(folder, patients, lesions, study), patients, study)


def write_treatments(folder: Path, patients: Sequence[Patient], study: dict) -> Path:
    """Write who was given what."""
    given = [(p.id, c["id"], ZERO) for p in patients for c in study["treatments"]["components"] if p.arm in c["arms"]]
    pd.DataFrame(given, columns=["patient_id", "component", "start_date"]).to_csv(folder / "treatments.csv", index=False, lineterminator="\n")
    return folder


if __name__ == "__main__":
    for name in REFERENCE:
        write_reference(FOLDER / name, name)
