"""Who the patients are and what they were given, hung on skeleton and tumours.

Distributions follow the published series named beside them; everything else is an assumption (README.md).
"""

from __future__ import annotations

__all__ = ["Case", "Drug", "admit", "choose", "patient_rows", "treat", "treatment_rows"]

import datetime as dt
from dataclasses import dataclass, field

import numpy as np
from skeleton import ARMS, CUTOFF, Fate, Patient
from tumours import D90_RATIO, D90_SPREAD, NODE, PRESCRIPTION, Course

HISTOLOGY = {"PTC": 0.77, "FTC": 0.15, "HCC": 0.04, "PDTC": 0.04}  # 11 PTC to 2 FTC in Front Oncol 2022, 773708
# The same with and without a node of the neck: follicular carcinoma goes by the blood to lung and bone, seldom to nodes.
HISTOLOGY_BY_NODE = {True: (0.86, 0.04, 0.05, 0.05), False: (0.47, 0.46, 0.04, 0.03)}
HISTOLOGY_SEED = 9  # the first with each of the four in each arm
COURSES_OF_RAI = (0.14, 0.34, 0.28, 0.15, 0.09)  # 1 to 5
AGE = (59, 57, 55)  # mean; series of 57 to 59 years
AGE_SEED = 5  # the first draw with p > 0.1 for age below 60 by arm and as many events of the young in C as of the old
ACTIVITY = (0.5, 0.6, 0.6, 0.7, 0.7, 0.8)  # mCi per seed
REDUCED = (5, 0, 5)  # 10 of 27 on anlotinib, 37 %; up to 50 % in the literature
# Other inhibitors and the day of their approval in China for this disease; one of those to be had is chosen.
OTHER_DRUGS = (("sorafenib", "2017-03-20"), ("lenvatinib", "2020-11-04"), ("donafenib", "2022-08-10"))
LATER_SHARE = ((0.4, 0, 0.6), (0.1, 0.7, 0.2), (0.3, 0, 0.7))  # of seeds, anlotinib and others, by arm
DISTANT = ("lung", "bone")  # where a new lesion is a distant one
STOPPED = (1, 0, 1)  # stopped for an adverse event; 10.5 % in ALTER01032
LAST_WEEKS = (7, 22)  # days before death in which a drug of a later line is stopped: at least, and over how many more
OLD = 75  # years, from which anlotinib starts at 10 mg
STOPPED_EARLY = (250, 465)  # days in which who stops the drug and has nothing else progresses: within a year of it
NORMAL_NODE = 10.0  # mm, short axis (RECIST 1.1)


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
    later: list[dict] = field(default_factory=list)  # treatments after progression
    samples: list = field(default_factory=list)  # of samples.Sample, those that were taken

    @property
    def seeds(self) -> dict[int, int]:
        """Implanted lesions and the day of each."""
        return self.course.implanted

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


def choose(rng: np.random.Generator, arms: np.ndarray, counts: tuple[int, ...], allowed: np.ndarray) -> np.ndarray:
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
            "distant": _distant(rng, patient, courses[i]),
        }
        time_zero = CUTOFF - dt.timedelta(days=patient.follow_up)
        cases.append(Case(f"SYN-{number:03d}", patient, courses[i], about, time_zero))
    _redraw_ages(cases)
    _redraw_histology(cases)
    # What a chart review does not find.
    unknown_ecog, unknown_rai = rng.permutation(len(cases))[:2]
    cases[unknown_ecog].about["ecog"] = ""
    cases[unknown_rai].about["cum_rai_gbq"] = ""
    return cases


def _redraw_ages(cases: list[Case]) -> None:
    """Deal the ages anew within each arm, so that by chance no age makes an arm better or worse."""
    rng = np.random.default_rng(AGE_SEED)
    for arm in range(len(ARMS)):
        own = [c for c in cases if c.arm == arm]
        for case, age in zip(own, rng.permutation([c.about["age_years"] for c in own]), strict=True):
            case.about["age_years"] = int(age)


def _redraw_histology(cases: list[Case]) -> None:
    """Draw the histology anew, by whether the disease is in nodes of the neck."""
    rng = np.random.default_rng(HISTOLOGY_SEED)
    for case in cases:
        shares = HISTOLOGY_BY_NODE[NODE in (*case.course.sites, case.course.new_site)]
        case.about["histology"] = str(rng.choice(list(HISTOLOGY), p=shares))


def _distant(rng: np.random.Generator, patient: Patient, course: Course) -> int | None:
    """Day of distant progression: most who die without local progression have it, few others do.

    It is found after the last scan that shows none: what a scan shows elsewhere is a new lesion, and a progression.
    """
    if course.new_site in DISTANT:
        return patient.scan
    chance = 0.8 if patient.dead and not patient.progressed else 0.4 if patient.dead else 0.12
    if rng.random() >= chance:
        return None
    day = patient.scan + int(rng.uniform(0.45, 0.92) * (patient.contact - patient.scan))
    return next((d for d in range(day, patient.scan, -1) if patient.works(d)), None)


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
    """Give each patient of A and C the drug, and some a later line; what is implanted the tumour's course says."""
    arms = np.array([c.arm for c in cases])
    steady = np.array([not (c.patient.progressed and c.patient.visit <= 12) and c.patient.contact > 400 for c in cases])
    soon = np.array([c.patient.progressed and STOPPED_EARLY[0] < c.patient.scan < STOPPED_EARLY[1] for c in cases])
    stopped = choose(rng, arms, STOPPED, np.where(arms == 0, soon, steady))
    reduced = choose(rng, arms, REDUCED, ~stopped & np.array([c.patient.scan > 150 for c in cases]))
    for c, stops, lowers in zip(cases, stopped, reduced, strict=True):
        if c.course.drug_start is not None:
            start_dose = _start_dose(c, 0)
            lowest = int(rng.choice([start_dose - 2, max(8, start_dose - 4)], p=[0.7, 0.3])) if lowers else start_dose
            end = _drug_end(rng, c.patient, bool(stops))
            c.drug = Drug(c.course.drug_start, end, start_dose, lowest, bool(stops))
            if c.about["distant"] and end and c.patient.scan < end < c.about["distant"]:  # that is why it ends
                c.about["distant"] = next((d for d in range(end, c.patient.scan, -1) if c.patient.works(d)), c.about["distant"])
        c.later = _later_lines(rng, c)


def _start_dose(c: Case, day: int) -> int:
    """Return the dose of anlotinib (mg) with which a patient starts on a day."""
    return 10 if c.about["age_years"] + day / 365.25 >= OLD else 12


def _working(p: Patient, day: int) -> int:
    """Return this day, or the next on which the clinic is open."""
    return next(d for d in range(day, day + 15) if p.works(d))


def _until(p: Patient, day: int) -> int | None:
    """Return this day; death if that is first, and none for who lives and is still treated at the last contact."""
    if day < p.contact:
        return day
    return p.contact if p.dead else None


def _drug_end(rng: np.random.Generator, p: Patient, stopped: bool) -> int | None:
    if stopped:
        return int(rng.integers(100, 240))
    if p.progressed:
        return _until(p, p.scan + int(rng.integers(0, 25)))
    if p.dead:
        return p.contact - int(rng.integers(7, 60))
    if p.fate is not Fate.FREE:
        return None
    return int(rng.integers(400, 1000)) if rng.random() < 0.5 and p.contact > 1100 else None


def _later_lines(rng: np.random.Generator, c: Case) -> list[dict]:
    """Return a second line after local progression in about two thirds: seeds, anlotinib or something else."""
    p = c.patient
    if not p.progressed or p.contact - p.scan < 60 or rng.random() > 0.65:
        return []
    start = _working(p, p.scan + int(rng.integers(26, 56)))
    end = _until(p, start + round(rng.lognormal(np.log(260), 0.7)))
    if end == p.contact:  # nobody swallows it on the last day
        end -= LAST_WEEKS[0] + start % LAST_WEEKS[1]
    component = str(rng.choice(["seeds", "anlotinib", "other"], p=LATER_SHARE[c.arm]))
    if component == "other":
        component = str(rng.choice([name for name, since in OTHER_DRUGS if since <= c.date(start)]))
    if component == "seeds":  # into what progressed
        return [{"component": "seeds", "start": start, "end": start, "lesion": _worst(c.course)}]
    if component != "anlotinib":
        return [{"component": component, "start": start, "end": end}]
    dose, step = _start_dose(c, start), int(rng.choice([0, 2]))
    return [{"component": component, "start": start, "end": end, "start_dose": dose, "lowest_dose": dose - step}]


def _worst(course: Course) -> int:
    """Return the new lesion, else the one that grew most in mm; no node that is small enough to be a normal one."""
    if course.new_site:
        return len(course.sites)
    size = np.where(np.array(course.sites) == NODE, course.axes[:, :, 1], course.axes[:, :, 0])
    gain = size[-1] - size.min(axis=0)
    large = [i for i, site in enumerate(course.sites) if site != NODE or size[-1, i] >= NORMAL_NODE]
    return max(large, key=lambda i: gain[i])


def _implant(rng: np.random.Generator, c: Case, lesion: int, at: int, batch: float) -> dict:
    """One implantation: seeds for the volume at the nearest scan before and the dose, of the activity of the batch."""
    course, first_line = c.course, c.seeds.get(lesion) == at
    before = max(i for i, day in enumerate(course.days) if day <= max(at, 0))
    axes = course.new_axes[0] if lesion == len(course.sites) else course.axes[before, lesion]
    dose = course.prescription if first_line else int(rng.choice(PRESCRIPTION[1:]))
    d90 = course.d90[lesion] if first_line else dose * np.exp(rng.normal(D90_RATIO, D90_SPREAD))
    millicuries = (8 + 4.2 * (np.pi / 6 * np.prod(axes) / 1000) ** 0.75) * 0.65 * dose / 105
    return {
        "lesion_id": c.lesion_id(lesion), "n_seeds": max(4, round(millicuries / batch * np.exp(rng.normal(0, 0.10)))),
        "seed_activity_mci": f"{batch:.1f}", "prescription_gy": dose, "d90_gy": f"{d90:.1f}",
    }  # fmt: skip


def treatment_rows(rng: np.random.Generator, cases: list[Case]) -> list[dict]:
    """Rows of treatments.csv, first line and later."""
    rows = []
    for c in cases:
        batch = {day: float(rng.choice(ACTIVITY)) for day in sorted(set(c.seeds.values()))}  # delivered for a session
        if c.drug:
            rows.append({"patient_id": c.id, "component": "anlotinib", "start_date": c.date(c.drug.start),
                         "end_date": c.date(c.drug.end), "start_dose": c.drug.start_dose,
                         "lowest_dose": c.drug.lowest_dose, "line": 1})  # fmt: skip
        for lesion, day in c.seeds.items():
            rows.append({"patient_id": c.id, "component": "seeds", "start_date": c.date(day), "end_date": c.date(day),
                         **_implant(rng, c, lesion, day, batch[day]), "line": 1})  # fmt: skip
        for later in c.later:
            row = {key: value for key, value in later.items() if key not in ("start", "end", "lesion")}
            row |= {"patient_id": c.id, "line": 2}
            row |= {f"{which}_date": c.date(later[which]) for which in ("start", "end")}
            if "lesion" in later:
                row |= _implant(rng, c, later["lesion"], later["start"], float(rng.choice(ACTIVITY)))
            rows.append(row)
    return rows
