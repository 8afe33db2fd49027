"""Who the patients are, what they were given and their serum markers, hung on skeleton and tumours.

Distributions follow the published series named beside them; everything else is an assumption (README.md).
"""

from __future__ import annotations

__all__ = ["Case", "admit", "patient_rows", "sample", "treat", "treatment_rows"]

import datetime as dt
from dataclasses import dataclass, field

import numpy as np
from scipy import stats
from skeleton import ARMS, CUTOFF, MONTH, Fate, Patient, on_time
from tumours import Course

HISTOLOGY = {"PTC": 0.77, "FTC": 0.15, "HCC": 0.04, "PDTC": 0.04}  # 11 PTC to 2 FTC in Front Oncol 2022, 773708
COURSES_OF_RAI = (0.18, 0.34, 0.26, 0.14, 0.08)  # 1 to 5
AGE = (59, 57, 55)  # mean; series of 57 to 59 years
TG_MEDIAN, TG_SIGMA = (330, 210, 260), 1.15  # ng/mL; 384 (211, 1605), 119 (83, 203) and 57 (9, 115) in three series
TG_RATIO = (0.34, 0.48, 0.22)  # at 6 months relative to baseline; 0.21 with anlotinib at 24 weeks in one series
TG_SPEED, TG_LIMIT = 2.5, 0.1  # months; functional sensitivity of the assay, ng/mL
TGAB_POSITIVE = (3, 4, 2)  # 17 %
TGAB_LIMIT = 40  # IU/mL, as in study.yml
STIMULATED = (0, 2, 0)  # patients whose samples are all drawn at high thyrotropin
MARKER_VISITS = (0, 3, 6, 12)
REDUCED = (5, 0, 5)  # 10 of 27 on anlotinib, 37 %; up to 50 % in the literature
LATER = "other systemic therapy"
LATER_SHARE = ((0.4, 0, 0.6), (0.1, 0.7, 0.2), (0.3, 0, 0.7))  # of seeds, anlotinib and others, by arm
STOPPED = (1, 0, 1)  # stopped for an adverse event; 10.5 % in ALTER01032


@dataclass
class Drug:
    """Days of first-line anlotinib; `end` None = still on it at the last contact."""

    start: int
    end: int | None
    start_dose: int
    lowest_dose: int
    stopped: bool = False

    @property
    def reduced(self) -> bool:
        """Whether the dose was lowered."""
        return self.lowest_dose < self.start_dose


@dataclass
class Case:
    """One patient with everything known."""

    id: str
    patient: Patient
    course: Course
    about: dict
    time_zero: dt.date
    drug: Drug | None = None
    seeds: dict[int, int] = field(default_factory=dict)  # lesion -> day of implantation
    later: list[dict] = field(default_factory=list)  # treatments after progression

    @property
    def arm(self) -> int:
        """Index of the arm."""
        return self.patient.arm

    def date(self, day: int | None) -> str:
        """ISO date of a day since time zero; empty for none."""
        return "" if day is None else (self.time_zero + dt.timedelta(days=int(day))).isoformat()

    def lesion_id(self, i: int) -> str:
        """Id of the i-th lesion."""
        return f"{self.id}-L{i + 1}"


def _choose(rng: np.random.Generator, arms: np.ndarray, counts: tuple[int, ...], allowed: np.ndarray) -> np.ndarray:
    """Mark counts[k] random patients of arm k among those allowed."""
    chosen = np.zeros(len(arms), dtype=bool)
    for k, count in enumerate(counts):
        chosen[rng.permutation(np.flatnonzero((arms == k) & allowed))[:count]] = True
    return chosen


def admit(rng: np.random.Generator, patients: list[Patient], courses: list[Course]) -> list[Case]:
    """Number the patients by date of treatment and draw who they are."""
    order = sorted(range(len(patients)), key=lambda i: -patients[i].follow_up)
    cases = []
    for number, i in enumerate(order, start=1):
        patient = patients[i]
        n_rai = 1 + int(rng.choice(5, p=COURSES_OF_RAI))
        activity = rng.choice([3.7, 5.55, 5.55, 7.4], n_rai).sum()
        about = {
            "age_years": int(np.clip(round(rng.normal(AGE[patient.arm] + 3 * patient.dead, 10.5)), 24, 82)),
            "sex": "F" if rng.random() < 0.6 else "M",
            "histology": str(rng.choice(list(HISTOLOGY), p=list(HISTOLOGY.values()))),
            "ecog": int(rng.choice(3, p=(0.32, 0.50, 0.18) if patient.dead else (0.44, 0.49, 0.07))),
            "n_prior_rai": n_rai,
            "cum_rai_gbq": f"{activity * rng.uniform(0.97, 1.03):.1f}",
            "distant": _distant(rng, patient),
        }
        time_zero = CUTOFF - dt.timedelta(days=patient.follow_up)
        cases.append(Case(f"SYN-{number:03d}", patient, courses[i], about, time_zero))
    # What a chart review does not find.
    unknown_ecog, unknown_rai = rng.permutation(len(cases))[:2]
    cases[unknown_ecog].about["ecog"] = ""
    cases[unknown_rai].about["cum_rai_gbq"] = ""
    return cases


def _distant(rng: np.random.Generator, patient: Patient) -> int | None:
    """Day of distant progression: most who die without local progression have it, few others do."""
    chance = 0.8 if patient.dead and not patient.progressed else 0.4 if patient.dead else 0.12
    if rng.random() >= chance:
        return None
    return int(rng.uniform(0.45, 0.92) * patient.contact)


def patient_rows(cases: list[Case]) -> list[dict]:
    """Rows of patients.csv."""
    return [
        {
            "patient_id": c.id, "arm": ARMS[c.arm],
            **{key: value for key, value in c.about.items() if key != "distant"},
            "time_zero": c.date(0),
            "last_tumour_assessment": c.date(c.course.days[-1]),
            "local_progression": int(c.patient.progressed),
            "local_progression_date": c.date(c.patient.scan) if c.patient.progressed else "",
            "distant_progression_date": c.date(c.about["distant"]),
            "death": int(c.patient.dead),
            "death_date": c.date(c.patient.contact) if c.patient.dead else "",
            "last_contact_date": c.date(c.patient.contact),
        }
        for c in cases
    ]  # fmt: skip


def treat(rng: np.random.Generator, cases: list[Case]) -> None:
    """Give each patient the components of the arm, and some a later line."""
    arms = np.array([c.arm for c in cases])
    steady = np.array([not (c.patient.progressed and c.patient.visit <= 12) and c.patient.contact > 400 for c in cases])
    stopped = _choose(rng, arms, STOPPED, steady)
    reduced = _choose(rng, arms, REDUCED, ~stopped & np.array([c.patient.scan > 150 for c in cases]))
    for c, stops, lowers in zip(cases, stopped, reduced, strict=True):
        gap = _working(c.patient, int(rng.integers(0, 20))) if c.arm == 2 else 0
        seeds_first = rng.random() < 0.5
        if c.arm != 1:
            start_dose = 10 if c.about["age_years"] >= 75 else 12
            lowest = int(rng.choice([start_dose - 2, max(8, start_dose - 4)], p=[0.7, 0.3])) if lowers else start_dose
            start = gap if seeds_first else 0
            c.drug = Drug(start, _drug_end(rng, c.patient, bool(stops)), start_dose, lowest, bool(stops))
        if c.arm != 0:
            first = 0 if c.arm == 1 or seeds_first else gap
            c.seeds = {i: first for i, treated in enumerate(c.course.treated) if treated}
            *_, last = c.seeds
            if len(c.seeds) > 1 and rng.random() < 0.3:  # a second session
                c.seeds[last] = _working(c.patient, c.seeds[last] + int(rng.integers(14, 46)))
        c.later = _later_lines(rng, c)


def _working(p: Patient, day: int) -> int:
    """Return this day, or the Monday after."""
    return next(d for d in range(day, day + 3) if p.works(d))


def _drug_end(rng: np.random.Generator, p: Patient, stopped: bool) -> int | None:
    if stopped:
        return int(rng.integers(100, 240))
    if p.progressed:
        return min(p.scan + int(rng.integers(0, 25)), p.contact)
    if p.dead:
        return p.contact - int(rng.integers(7, 60))
    if p.fate is not Fate.FREE:
        return p.contact
    return int(rng.integers(400, 1000)) if rng.random() < 0.5 and p.contact > 1100 else None


def _later_lines(rng: np.random.Generator, c: Case) -> list[dict]:
    """Return a second line after local progression in about two thirds: seeds, anlotinib or something else."""
    p = c.patient
    if not p.progressed or p.contact - p.scan < 60 or rng.random() > 0.65:
        return []
    start = _working(p, p.scan + int(rng.integers(26, 56)))
    end = min(start + round(rng.lognormal(np.log(260), 0.7)), p.contact)
    component = str(rng.choice(["seeds", "anlotinib", LATER], p=LATER_SHARE[c.arm]))
    if component == "seeds":
        return [{"component": "seeds", "start": start, "end": start, "lesion": 0}]
    dose = {"start_dose": 12, "lowest_dose": int(rng.choice([12, 10]))} if component == "anlotinib" else {}
    return [{"component": component, "start": start, "end": end, **dose}]


def _implant(rng: np.random.Generator, c: Case, lesion: int, at: int) -> dict:
    """One implantation: seeds by volume at the nearest scan before, activity and dose."""
    before = max(i for i, day in enumerate(c.course.days) if day <= max(at, 0))
    volume = np.pi / 6 * c.course.axes[before, lesion].prod() / 1000
    n_seeds = max(6, round((8 + 4.2 * volume**0.75) * np.exp(rng.normal(0, 0.12))))
    return {
        "lesion_id": c.lesion_id(lesion), "n_seeds": n_seeds,
        "seed_activity_mci": f"{rng.choice([0.5, 0.6, 0.6, 0.7, 0.7, 0.8]):.1f}",
        "prescription_gy": int(rng.choice([80, 90, 100, 100, 110, 110, 120])),
        "d90_gy": f"{112 + 11 * np.clip(rng.standard_t(9), -2.7, 3.1):.1f}",
    }  # fmt: skip


def treatment_rows(rng: np.random.Generator, cases: list[Case]) -> list[dict]:
    """Rows of treatments.csv, first line and later."""
    rows = []
    for c in cases:
        if c.drug:
            rows.append({"patient_id": c.id, "component": "anlotinib", "start_date": c.date(c.drug.start),
                         "end_date": c.date(c.drug.end), "start_dose": c.drug.start_dose,
                         "lowest_dose": c.drug.lowest_dose, "line": 1})  # fmt: skip
        for lesion, day in c.seeds.items():
            rows.append({"patient_id": c.id, "component": "seeds", "start_date": c.date(day), "end_date": c.date(day),
                         **_implant(rng, c, lesion, day), "line": 1})  # fmt: skip
        for later in c.later:
            row = {key: value for key, value in later.items() if key not in ("start", "end", "lesion")}
            row |= {"patient_id": c.id, "line": 2}
            row |= {f"{which}_date": c.date(later[which]) for which in ("start", "end")}
            rows.append(row | (_implant(rng, c, later["lesion"], later["start"]) if "lesion" in later else {}))
    return rows


def sample(rng: np.random.Generator, cases: list[Case]) -> list[dict]:
    """Rows of markers.csv: thyroglobulin, its antibody and thyrotropin, drawn until Tg falls in every arm."""
    arms = np.array([c.arm for c in cases])
    while True:
        positive = _choose(rng, arms, TGAB_POSITIVE, np.ones(len(cases), bool))
        stimulated = _choose(rng, arms, STIMULATED, ~positive)
        flagged = zip(cases, positive, stimulated, strict=True)
        rows = [row for case, *flags in flagged for row in _samples(rng, case, *flags)]
        below = [row["visit"] for row in rows if row["below_limit"]]
        with_antibody = {c.id for c, is_positive in zip(cases, positive, strict=True) if is_positive}
        falls = all(_falls(rows, cases, left_out) for left_out in (set(), with_antibody))
        if 3 <= len(below) <= 7 and 0 not in below and falls:
            return rows


def _falls(rows: list[dict], cases: list[Case], without: set[str]) -> bool:
    """Whether Tg falls from baseline to 3, 6 and 12 months in every arm (p < 0.05; ties only by a limit)."""
    tg = {(r["patient_id"], r["visit"]): float(r["value"]) for r in rows if r["marker"] == "tg"}
    for visit in (3, 6, 12):
        for k in range(3):
            ids = [c.id for c in cases if c.arm == k and c.id not in without and (c.id, visit) in tg]
            change = np.log([tg[i, visit] / tg[i, 0] for i in ids])
            if np.median(change) >= 0 or stats.wilcoxon(change, method="exact").pvalue >= 0.03:
                return False
    return True


def _samples(rng: np.random.Generator, c: Case, positive: bool, stimulated: bool) -> list[dict]:
    """All samples of one patient."""
    bulk = np.log(c.course.volume[0] / 20)
    base = TG_MEDIAN[c.arm] * np.exp(0.5 * bulk + rng.normal(0, TG_SIGMA)) * (0.03 if positive else 1)
    antibody = np.exp(rng.normal(*((np.log(220), 0.7) if positive else (np.log(13), 0.35))))
    antibody = antibody + 2 * TGAB_LIMIT if positive else min(antibody, TGAB_LIMIT * 0.65)
    rows = []
    for visit in MARKER_VISITS:
        while not c.patient.works(day := on_time(rng, visit, 3, 6) if visit else -int(rng.integers(0, 9))):
            pass
        missed = rng.random() < {3: 0.12, 12: 0.08}.get(visit, 0)
        if day > c.patient.contact or missed:
            continue
        value = base * np.exp(_log_ratio(rng, c, visit, day))
        # anlotinib raises thyrotropin a little
        tsh = rng.uniform(38, 95) if stimulated else np.exp(rng.normal(np.log(0.12 if c.drug and visit else 0.05), 0.8))
        common = {"patient_id": c.id, "sample_date": c.date(day), "visit": visit, "below_limit": 0, "limit": "",
                  "state": "stimulated" if stimulated else "suppressed"}  # fmt: skip
        tg = {"value": f"{value:.1f}" if value < 100 else f"{value:.0f}", "unit": "ng/mL", "limit": f"{TG_LIMIT}"}
        if value < TG_LIMIT:
            tg |= {"value": f"{TG_LIMIT}", "below_limit": 1}
        rows.append(common | {"marker": "tg"} | tg)
        tgab = antibody * np.exp(rng.normal(0, 0.12))
        rows.append(common | {"marker": "tgab", "value": f"{tgab:.1f}", "unit": "IU/mL"})
        rows.append(common | {"marker": "tsh", "value": f"{min(max(tsh, 0.01), 100):.2f}", "unit": "mIU/L"})
    return rows


def _log_ratio(rng: np.random.Generator, c: Case, visit: int, day: int) -> float:
    """Log of Tg relative to baseline: the course of the arm and of the tumour itself, up after progression."""
    if visit == 0:
        return 0.0
    scan = max(i for i, at in enumerate(c.course.days) if at <= day + 15)
    own = np.log(max(c.course.volume[scan], 0.005 * c.course.volume[0]) / c.course.volume[0])
    course = np.log(TG_RATIO[c.arm]) * (1 - np.exp(-visit / TG_SPEED)) / (1 - np.exp(-6 / TG_SPEED))
    risen = 0.025 * max(0, day - c.patient.scan) / MONTH * 4 if c.patient.progressed else 0
    vanished = -3.0 if c.course.response[scan] == "CR" else 0
    return 0.7 * course + 0.35 * own + risen + vanished + rng.normal(0, 0.38)
