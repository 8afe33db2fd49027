"""Adverse events of the synthetic cohort: how many have any is fixed, which and when follows published series."""

from __future__ import annotations

__all__ = ["adverse_event_rows"]

from dataclasses import dataclass

import numpy as np
from clinic import Case

FREE = (2, 6, 1)  # patients without any event: 12/14, 19/25 and 12/13 have one, comparable as published
DRUG_TAIL, SEED_WINDOW = 30, 180  # days, the risk windows of study.yml


LASTING = 150  # days, from which an event may not end at all
SHARE = 0.85  # of the all-grade shares below: charts record less than a trial does


@dataclass(frozen=True)
class _Term:
    """One term: chance with the drug and with seeds, usual onset and duration (days), share of grade 2."""

    name: str
    system: str
    drug: float
    seeds: float
    onset: tuple[int, int]
    lasts: int
    grade_2: float
    sites: tuple[str, ...] = ()  # only after implantation there


_SKIN, _GUT = "Skin and subcutaneous tissue disorders", "Gastrointestinal disorders"
_GENERAL, _LAB = "General disorders and administration site conditions", "Investigations"
_FOOD, _CHEST = "Metabolism and nutrition disorders", "Respiratory, thoracic and mediastinal disorders"
_NECK = ("cervical_lymph_node", "thyroid_bed")
# Drug: all-grade shares of published anlotinib series (hand-foot 38-63 %, hypertension 26-77 %, proteinuria
# 34-61 %). Seeds: series of head-and-neck and lung implantation.
TERMS = (
    _Term("Hypertension", "Vascular disorders", 0.45, 0, (7, 75), 400, 0.55),
    _Term("Palmar-plantar erythrodysesthesia syndrome", _SKIN, 0.38, 0, (15, 120), 110, 0.4),
    _Term("Rash", _SKIN, 0.10, 0, (10, 90), 30, 0.2),
    _Term("Skin reaction at implantation site", _SKIN, 0, 0.20, (20, 100), 50, 0.2, _NECK),
    _Term("Diarrhoea", _GUT, 0.26, 0, (10, 150), 35, 0.25),
    _Term("Oral mucositis", _GUT, 0.20, 0, (10, 90), 30, 0.3),
    _Term("Nausea", _GUT, 0.12, 0.04, (2, 60), 15, 0.1),
    _Term("Fatigue", _GENERAL, 0.35, 0.16, (5, 120), 80, 0.3),
    _Term("Pain at implantation site", _GENERAL, 0, 0.38, (0, 6), 14, 0.25),
    _Term("Proteinuria", _LAB, 0.32, 0, (30, 200), 150, 0.35),
    _Term("Alanine aminotransferase increased", _LAB, 0.14, 0, (20, 150), 45, 0.15),
    _Term("Weight loss", _LAB, 0.14, 0.08, (40, 175), 120, 0.3),
    _Term("Hypertriglyceridaemia", _FOOD, 0.26, 0, (30, 180), 200, 0.3),
    _Term("Anorexia", _FOOD, 0.16, 0.08, (10, 120), 45, 0.2),
    _Term("Hypothyroidism", "Endocrine disorders", 0.26, 0, (30, 160), 220, 0.4),
    _Term("Cough", _CHEST, 0.05, 0.16, (3, 100), 30, 0.15),
    _Term("Hoarseness", _CHEST, 0.05, 0.12, (1, 40), 60, 0.2, _NECK),
    _Term("Pneumothorax", _CHEST, 0, 0.40, (0, 2), 7, 0.3, ("lung",)),
    _Term("Seed migration", _CHEST, 0, 0.06, (25, 150), 10, 0),
    _Term("Haematoma", "Injury, poisoning and procedural complications", 0, 0.16, (0, 3), 12, 0.1),
)
NEVER_OF_DRUG = {term.name for term in TERMS if not term.drug}
# Grade 3 by arm, one patient each. None is due to the implantation.
SEVERE = (
    ("Hypertension", "Palmar-plantar erythrodysesthesia syndrome"),
    ("Weight loss",),
    ("Hypertension", "Proteinuria"),
)


def adverse_event_rows(rng: np.random.Generator, cases: list[Case]) -> list[dict]:
    """Rows of adverse_events.csv, ordered by patient and onset, drawn until their number is as planned."""
    arms = [{c.id for c in cases if c.arm == k} for k in range(3)]
    while True:
        events = _draw(rng, cases)
        rows = [row for of_patient in events.values() for row in of_patient]
        rows.sort(key=lambda r: (r["patient_id"], r["day"], r["term"]))
        complete = all(sum(not events[i] for i in of_arm) == FREE[k] for k, of_arm in enumerate(arms))
        pressure = [sum(r["term"] == "Hypertension" and r["patient_id"] in of_arm for r in rows) for of_arm in arms]
        if complete and 92 <= len(rows) <= 110 and 4 <= pressure[0] <= 7 and 6 <= pressure[2] <= 9:
            return [{key: value for key, value in row.items() if key != "day"} for row in rows]


def _draw(rng: np.random.Generator, cases: list[Case]) -> dict[str, list[dict]]:
    """Events by patient."""
    must = {c.id for c in cases if c.drug and (c.drug.reduced or c.drug.stopped)}
    severe: dict[str, str] = {}
    for k, names in enumerate(SEVERE):
        fitting = [c.id for c in cases if c.arm == k and (k == 1 or c.drug.reduced)]
        severe |= dict(zip(rng.permutation(fitting)[: len(names)].tolist(), names, strict=True))
    free: set[str] = set()
    for k, count in enumerate(FREE):
        candidates = [c.id for c in cases if c.arm == k and c.id not in must | set(severe)]
        free |= set(rng.permutation(candidates)[:count].tolist())
    return {c.id: [] if c.id in free else _of_patient(rng, c, severe.get(c.id)) for c in cases}


def _of_patient(rng: np.random.Generator, c: Case, severe: str | None) -> list[dict]:
    """Draw the events of one patient: at least one, and one to blame for a reduction or a stop."""
    for _ in range(300):
        rows = []
        for term in TERMS:
            if term.name == severe or rng.random() < _chance(c, term):
                row = _event(rng, c, term, 3 if term.name == severe else 1 + (rng.random() < term.grade_2))
                if row:
                    rows.append(row)
        if rows and (severe is None or any(r["grade"] == 3 for r in rows)) and _blame(rng, c, rows):
            return rows
    return []


def _chance(c: Case, term: _Term) -> float:
    sites = {c.course.sites[lesion] for lesion in c.seeds}
    seeds = term.seeds if c.seeds and (not term.sites or sites & set(term.sites)) else 0
    return 1 - (1 - (SHARE * term.drug if c.drug else 0)) * (1 - seeds)


def _event(rng: np.random.Generator, c: Case, term: _Term, grade: int) -> dict | None:
    """One event inside the risk window and the observation; None if it would fall outside."""
    of_seeds = term.name in NEVER_OF_DRUG or bool(c.seeds and term.sites and rng.random() < 0.6)
    if of_seeds or not c.drug:
        start = min(c.seeds.values())
        last = start + SEED_WINDOW
    else:
        start = c.drug.start
        last = c.patient.contact if c.drug.end is None else c.drug.end + DRUG_TAIL
    day = start + int(rng.integers(term.onset[0], term.onset[1] + 1))
    if day > min(last, c.patient.contact - 1):
        return None
    end = day + max(1, round(rng.lognormal(np.log(term.lasts), 0.6)))
    ongoing = end > c.patient.contact or (term.lasts >= LASTING and rng.random() < 0.3)
    return {
        "patient_id": c.id, "term": term.name, "system": term.system, "grade": grade, "onset_date": c.date(day),
        "end_date": "" if ongoing else c.date(end),
        "related": _cause(rng, c, term, of_seeds), "serious": int(grade == 3 and rng.random() < 0.6),
        "action": "none", "day": day,
    }  # fmt: skip


def _cause(rng: np.random.Generator, c: Case, term: _Term, of_seeds: bool) -> str:
    """To what the event is put down."""
    if of_seeds:
        return "procedure"
    if not c.drug:
        return "procedure" if rng.random() < 0.35 and term.name != "Weight loss" else "no"
    if term.name in ("Cough", "Hoarseness", "Weight loss") and rng.random() < 0.5:
        return "no"
    return "both" if c.arm == 2 and term.seeds and rng.random() < 0.3 else "drug"


def _blame(rng: np.random.Generator, c: Case, rows: list[dict]) -> bool:
    """Name the event that made the dose be lowered or the drug be stopped; False if there is none that could."""
    for row in rows:
        if row["term"] == "Pneumothorax" and row["grade"] == 2:
            row["serious"] = 1  # grade 2: a drain, in hospital
        if row["grade"] == 3 and row["related"] == "both":
            row["related"] = "drug"
    if not c.drug:
        return True
    due = [r for r in rows if r["grade"] >= 2 and r["related"] in ("drug", "both")]
    if c.drug.stopped:
        due = [r for r in due if r["day"] < c.drug.end]
    if c.drug.reduced or c.drug.stopped:
        if not due:
            return False
        max(due, key=lambda r: r["grade"])["action"] = "reduced" if c.drug.reduced else "stopped"
    for row in due:
        if row["action"] == "none" and not c.drug.stopped and rng.random() < 0.25:
            row["action"] = "interrupted"
    return True
