"""Lesions, their implantation and their measurements up to progression, hung on the survival skeleton.

Which patients respond at 6 and 12 months is drawn first (the published counts); then sizes are drawn for each
patient until the stated response rule gives exactly that, progression at the skeleton's scan and at no other. A
seeded lesion shrinks as the dose is delivered, one that nobody treated does not. What follows progression, and what
the reader made of the scans, stands in readings.py.
"""

from __future__ import annotations

__all__ = ["HALF_LIFE", "TOO_SMALL", "Course", "grow", "sum_of_diameters"]

from dataclasses import dataclass, field

import numpy as np
from scipy import stats
from skeleton import MONTH, SCHEDULE, Patient, on_time

RESPONDERS_6 = (3, 8, 10)  # published: 21 %, 32 % and 77 % of 14, 25 and 13
RESPONDERS_12 = (5, 10, 8)  # assumed: "narrowed"
NEW_LESIONS = (1, 4, 1)  # progressions by a new lesion, assumed
COMPLETE = (0, 2, 3)  # patients meant to reach a complete response, assumed
NEW_NODE = 12.0  # mm, least short axis of a node that is called a new lesion
TOO_SMALL = 5.0  # mm, recorded for what is too small to measure (RECIST 1.1)
VANISHING = 8.0  # mm, below which a lesion of a complete responder can no longer be told from scar
SITES = ("cervical_lymph_node", "lung", "bone", "thyroid_bed")
NODE = SITES[0]
# Sites by arm differ on purpose: diffuse disease is given the drug, neck disease the seeds.
SITE_SHARE = ((0.28, 0.50, 0.13, 0.09), (0.62, 0.20, 0.12, 0.06), (0.50, 0.30, 0.13, 0.07))
NEW_SITE_SHARE = (0.55, 0.25, 0.05, 0.15)
# What is scanned in one session of implantation; the others follow in sessions of their own.
REGION = {"cervical_lymph_node": "neck", "thyroid_bed": "neck", "lung": "chest", "bone": "bone"}
IMPLANTED = {"cervical_lymph_node": 1.0, "thyroid_bed": 1.0, "lung": 0.65, "bone": 0.75}  # share of target lesions
LESION_SHARE = (0.35, 0.40, 0.25)  # 1, 2, 3 target lesions
MEDIAN_LONGEST, SIGMA_LONGEST = 31, 0.42
AFTER_LUNG, TOGETHER = 7, 21  # days from the last needle in the lung to the drug; most days between the components
HALF_LIFE = 59.4  # days, iodine-125
CLEARANCE = (25, 60)  # days in which killed tissue is cleared (mean), on top of the decay of the source
SLOW_CLEARANCE = (130, 260)  # where a response is seen at 12 months only
DRUG_SPEED = (36, 72)  # days in which the shrinkage by anlotinib is 63 % complete
SLOW_DRUG = (160, 270)
PRESCRIPTION = (80, 90, 100, 110, 120)  # Gy; 80 to 120 in the series of the same group (2024)
# Who responds was more often given more: shares of each prescription, of the others and of responders.
PRESCRIBED = ((0.16, 0.23, 0.26, 0.21, 0.14), (0.04, 0.12, 0.24, 0.33, 0.27))
DOSE_RANK = (0.08, 0.55)  # rank correlation of D90 and shrinkage at 6 months within an arm: some, and far from perfect
D90_RATIO, D90_SPREAD = 0.04, 0.09  # log of D90 over prescription, and its spread; D90 about 110 Gy
DOSE_EFFECT = 1.2  # how much more a lesion shrinks with a higher D90: exponent per relative difference from 110 Gy
FASTEST = 0.10  # growth a month, log of the diameter: the volume doubles in 70 days
NOISE = 0.03  # log-sd of one diameter, measured twice
MISSED, MISSED_FIRST, MISSED_AT_HOME = 0.08, 0.28, 0.6  # share of scans: any, that of month 1, in the pandemic's weeks
LARGEST = 110.0  # mm
PROBE = 50.0  # mm, the width of a linear probe: a larger node is measured by CT


@dataclass
class Course:
    """Tumour course of one patient: one row of `axes` per scan, three diameters (mm) per lesion."""

    sites: list[str]
    modality: list[str]
    implanted: dict[int, int]  # lesion -> day of implantation
    drug_start: int | None
    prescription: int
    d90: dict[int, float]
    visits: list[int]
    days: list[int]
    axes: np.ndarray
    absent: np.ndarray
    response: list[str]
    growers: list[int]  # lesions whose growth is the progression
    new_site: str = ""
    new_axes: list[tuple] = field(default_factory=list)  # from the scan of progression on
    reader: list[str] = field(default_factory=list)

    @property
    def volume(self) -> np.ndarray:
        """Total target volume at each scan, cm3."""
        return (np.pi / 6 * self.axes.prod(axis=2)).sum(axis=1) / 1000

    def change(self, visit: int) -> float:
        """Volume at a visit relative to baseline, minus 1; NaN without that scan."""
        return self.volume[self.visits.index(visit)] / self.volume[0] - 1 if visit in self.visits else np.nan


@dataclass(frozen=True)
class _Plan:
    """What the tumour course of a patient must come to."""

    six: bool
    twelve: bool
    new_lesion: bool
    complete: bool


@dataclass(frozen=True)
class _Treated:
    """When and with how much each lesion was treated."""

    sites: list[str]
    drug_start: int | None
    implanted: dict[int, int]
    prescription: int
    d90: dict[int, float]


def grow(patients: list[Patient], seed: int) -> list[Course]:
    """Draw a tumour course for every patient, until the volumes behave as published.

    Parameters
    ----------
    patients : list of skeleton.Patient
    seed : int

    Returns
    -------
    list of Course
        In the order of `patients`, up to progression.

    Raises
    ------
    RuntimeError
        If 1500 cohorts were drawn in vain.
    """
    rng = np.random.default_rng(seed)
    for _ in range(1500):
        plans = _plan(rng, patients)
        courses = []
        for patient, plan in zip(patients, plans, strict=True):
            courses.append(_course(rng, patient, plan))
            if courses[-1] is None:
                break
        else:
            if _as_published(patients, courses) and _telling(patients, courses):
                return courses
    raise RuntimeError("no tumour courses with the published changes of volume")


def _plan(rng: np.random.Generator, patients: list[Patient]) -> list[_Plan]:
    """Choose responders (longer control makes response more likely), new lesions and complete responses."""
    score = np.array([np.log(p.lpfs[0]) + rng.normal(0, 1.0) for p in patients])
    arm = np.array([p.arm for p in patients])
    calm_6 = np.array([not (p.progressed and p.visit <= 6) for p in patients])
    calm_12 = np.array([p.visit >= 12 and not (p.progressed and p.visit == 12) for p in patients])
    progressed = np.array([p.progressed for p in patients])
    six = _best(score, arm, calm_6, RESPONDERS_6)
    twelve = _best(score + 3 * six, arm, calm_12, RESPONDERS_12)
    new = _best(rng.random(len(patients)), arm, progressed, NEW_LESIONS)
    complete = _best(score, arm, six & twelve & (new | ~progressed), COMPLETE)
    return [_Plan(*map(bool, row)) for row in zip(six, twelve, new, complete, strict=True)]


def _best(score: np.ndarray, arm: np.ndarray, allowed: np.ndarray, counts: tuple[int, ...]) -> np.ndarray:
    """Mark the `counts[k]` highest scores of arm k among those allowed."""
    chosen = np.zeros(len(score), dtype=bool)
    for k, count in enumerate(counts):
        candidates = np.flatnonzero((arm == k) & allowed)
        chosen[candidates[np.argsort(-score[candidates])][:count]] = True
    return chosen


def _course(rng: np.random.Generator, patient: Patient, plan: _Plan) -> Course | None:
    """Draw sizes until the rule gives what is planned; None if that is too rare."""
    for _ in range(40):
        sites, baseline = _baseline(rng, patient.arm, plan.complete)
        treated = _treat(rng, patient, sites, plan)
        visits, days = _scans(rng, patient, plan)
        for _ in range(60):
            ratio, growers = _ratio(rng, patient, plan, treated, np.array(days, float))
            axes, absent = _measure(rng, sites, baseline, ratio, plan.complete)
            response = _respond(sites, axes, patient.scan if plan.new_lesion else None, days)
            if axes.max() <= LARGEST and _fits(patient, plan, visits, response):
                modality = [_modality(rng, site, longest) for site, longest in zip(sites, baseline[:, 0], strict=True)]
                drug_start, implanted = _lung_before_drug(patient, treated)
                course = Course(sites, modality, implanted, drug_start, treated.prescription, treated.d90,
                                visits, days, axes, absent, response, growers)  # fmt: skip
                if plan.new_lesion:
                    _add_lesion(rng, course)
                return course
    return None


def _add_lesion(rng: np.random.Generator, course: Course) -> None:
    """Put a new lesion on the scan of progression; a thyroid bed has one recurrence."""
    while not course.new_site or (course.new_site == "thyroid_bed" and "thyroid_bed" in course.sites):
        course.new_site = str(rng.choice(SITES, p=NEW_SITE_SHARE))
    course.modality.append(_modality(rng, course.new_site, 0))
    axes = np.sort(rng.uniform(10, 18) * rng.uniform(0.65, 1, 3))[::-1]
    if course.new_site == NODE:  # a smaller one is a normal node
        axes = axes * max(1, NEW_NODE / axes[1])
    course.new_axes = [tuple(np.round(axes, 1))]


def _modality(rng: np.random.Generator, site: str, longest: float) -> str:
    """Ultrasound for superficial nodes; CT or MRI for what it does not reach or span. A lesion is followed by one of them."""
    if site == "bone" or (site == "thyroid_bed" and rng.random() < 0.4):
        return "MRI"
    return "US" if site == NODE and longest <= PROBE else "CT"


def _baseline(rng: np.random.Generator, arm: int, complete: bool) -> tuple[list[str], np.ndarray]:
    """Sites (at most two lesions each) and baseline diameters."""
    n = 1 + int(rng.choice(3, p=LESION_SHARE))
    sites: list[str] = []
    while len(sites) < n:
        site = str(rng.choice(SITES, p=SITE_SHARE[arm]))
        # a bone or a thyroid-bed lesion does not vanish, and one patient has one bed
        if sites.count(site) < (1 if site == "thyroid_bed" else 2) and not (complete and site in SITES[2:]):
            sites.append(site)
    sites.sort(key=SITES.index)
    axes = np.empty((n, 3))
    for i, site in enumerate(sites):
        while True:
            longest = MEDIAN_LONGEST * np.exp(rng.normal(0, SIGMA_LONGEST)) * (0.75 if complete else 1)
            short = longest * rng.uniform(0.58, 0.95)
            axes[i] = longest, short, short * rng.uniform(0.7, 1)
            # what vanishes was not large
            if (short >= 15 if site == NODE else longest >= 12) and longest <= (32 if complete else 75):
                break
    return sites, np.round(axes, 1)


def _treat(rng: np.random.Generator, patient: Patient, sites: list[str], plan: _Plan) -> _Treated:
    """Choose the lesions to implant and the days: one region a session, both sides of the chest one after the other."""
    gap = _open_day(patient, int(rng.integers(0, 20))) if patient.arm == 2 else 0
    seeds_first = rng.random() < 0.5
    drug_start = None if patient.arm == 1 else gap if seeds_first else 0
    if patient.arm == 0:
        return _Treated(sites, drug_start, {}, 0, {})
    chosen = [i for i, site in enumerate(sites) if plan.complete or rng.random() < IMPLANTED[site]] or [0]
    day = 0 if patient.arm == 1 or seeds_first else gap
    implanted: dict[int, int] = {}
    for i in chosen:
        if implanted:
            same_region = REGION[sites[i]] == REGION[sites[max(implanted)]]
            if not same_region or (REGION[sites[i]] == "chest" and rng.random() < 0.5):
                day = _open_day(patient, day + int(rng.integers(10, 36)))
        implanted[i] = day
    prescription = int(rng.choice(PRESCRIPTION, p=PRESCRIBED[plan.six or plan.twelve]))
    d90 = {i: round(float(prescription * np.exp(rng.normal(D90_RATIO, D90_SPREAD))), 1) for i in implanted}
    return _Treated(sites, drug_start, implanted, prescription, d90)


def _lung_before_drug(p: Patient, treated: _Treated) -> tuple[int | None, dict[int, int]]:
    """Start of the drug and days of implantation: no needle in the lung under the drug where the window allows that."""
    days, drug = treated.implanted, treated.drug_start
    lung = [i for i in days if treated.sites[i] == "lung"]
    if drug is None or not lung:
        return drug, days
    first = min(days.values())  # what waited for the drug does so no longer; sizes hardly know these few days
    earlier = {i: _open_day(p, day - first) for i, day in days.items()}
    start = _open_day(p, max(earlier[i] for i in lung) + AFTER_LUNG)
    return (drug, days) if start > TOGETHER else (max(drug, start), earlier)


def _open_day(p: Patient, day: int) -> int:
    """Return this day, or the next on which the clinic is open."""
    return next(d for d in range(day, day + 15) if p.works(d))


def _scans(rng: np.random.Generator, patient: Patient, plan: _Plan) -> tuple[list[int], list[int]]:
    """Visits and days of the scans; some are missed, those on which a planned response rests never."""
    before = [d for d in rng.permutation(np.arange(1, 13)) if patient.works(-d)]
    visits, days = [0], [-int(before[0])]
    needed = {visit for visit, planned in ((6, plan.six), (12, plan.twelve)) if planned}
    for visit in SCHEDULE:
        if visit > patient.visit:
            break
        while not patient.works(day := on_time(rng, visit, 3, 6)):
            pass
        share = MISSED_FIRST if visit == 1 else MISSED
        missed = rng.random() < (MISSED_AT_HOME if patient.at_home(day) else share)
        if visit == patient.visit or visit in needed or not missed:
            visits.append(visit)
            days.append(patient.scan if visit == patient.visit else day)
    return visits, days


def _killed(days: np.ndarray, clearance: float) -> np.ndarray:
    """Share of the final shrinkage by seeds: dose delivered by decay, then cleared (two exponentials in a row)."""
    decay, t = HALF_LIFE / np.log(2), np.maximum(days, 0)
    return 1 - (decay * np.exp(-t / decay) - clearance * np.exp(-t / clearance)) / (decay - clearance)


def _floor(rng: np.random.Generator, arm: int, plan: _Plan) -> float:
    """Draw the diameter, relative to baseline, to which treated lesions tend."""
    if plan.complete:
        return rng.uniform(0.05, 0.25)
    if plan.six and plan.twelve:
        return rng.uniform(*((0.42, 0.62), (0.25, 0.52), (0.22, 0.50))[arm])
    if plan.six:
        return rng.uniform(0.52, 0.64)  # shallow: may relapse without being a progression
    if plan.twelve:
        return rng.uniform(0.22, 0.50)
    return rng.uniform(*((0.80, 0.99), (0.66, 0.92), (0.56, 0.74))[arm])


def _ratio(rng, patient: Patient, plan: _Plan, treated: _Treated, days: np.ndarray):
    """Diameter relative to baseline (scan x lesion): shrinkage of what was treated, then perhaps regrowth."""
    floor, late = _floor(rng, patient.arm, plan), plan.twelve and not plan.six
    clearance = rng.uniform(*(SLOW_CLEARANCE if late else CLEARANCE))
    speed = rng.uniform(*(SLOW_DRUG if late else DRUG_SPEED))
    by_drug = 0.0 if treated.drug_start is None else 1 - np.exp(-np.maximum(days - treated.drug_start, 0) / speed)
    growers, growth = _growth(rng, patient, plan, treated, days)
    ratio = np.empty((len(days), len(treated.sites)))
    for i in range(len(treated.sites)):
        own = np.exp(rng.normal(0, 0.15))
        if i in treated.implanted:
            by_seeds = _killed(days - treated.implanted[i], clearance)
            done = by_seeds if treated.drug_start is None else 0.5 * by_drug + 0.5 * by_seeds
            own *= np.exp(DOSE_EFFECT * (treated.d90[i] / 110 - 1))
        elif treated.drug_start is not None:  # the drug alone does half of what both do
            done, own = by_drug, own * (0.55 if treated.implanted else 1)
        else:  # nobody treats it
            done, own = 0.0, 0.0
        shrunk = floor**own
        ratio[:, i] = (shrunk + (1 - shrunk) * (1 - done)) * np.exp(growth[:, i])
    return ratio, growers


def _growth(rng, patient: Patient, plan: _Plan, treated: _Treated, days: np.ndarray):
    """Which lesions progress, and the growth of each (log of the diameter): steady in what was never treated."""
    n = len(treated.sites)
    growth = np.zeros((len(days), n))
    months, untreated = np.maximum(days, 0) / MONTH, [i for i in range(n) if i not in treated.implanted]
    alone = untreated if patient.arm == 1 else []
    for i in range(n):
        pace = rng.uniform(0.001, 0.006) * months if i in alone else rng.uniform(0, 0.003) * np.maximum(months - 9, 0)
        growth[:, i] = 0 if plan.complete else pace
    growers: list[int] = []
    if patient.progressed and not plan.new_lesion:
        growers = _choose_growers(rng, n, untreated, treated)
        for i in growers:
            factor = rng.uniform(1.25, 1.7) if len(growers) == n else rng.uniform(1.35, 2.2)
            latest = max(0.0, patient.scan - MONTH * np.log(factor) / FASTEST)
            start = 0.0 if i in alone else min(patient.scan * rng.uniform(0.3, 0.85), latest)
            growth[:, i] = np.log(factor) * np.maximum(days - start, 0) / (patient.scan - start)
    elif plan.six and not plan.twelve:
        growth += (rng.uniform(0.015, 0.035) * np.clip(months - 6, 0, 8))[:, None]  # a relapse that halts
    return growers, growth


def _choose_growers(rng, n: int, untreated: list[int], treated: _Treated) -> list[int]:
    """Choose an untreated target often, else one implanted with a low dose, or everything."""
    if treated.implanted and untreated and rng.random() < 0.85:
        return untreated
    if n == 1 or rng.random() < 0.35:
        return list(range(n))
    weight = np.array([np.exp(-0.05 * (treated.d90.get(i, 110) - 110)) for i in range(n)])
    return [int(rng.choice(n, p=weight / weight.sum()))]


def _measure(rng, sites: list[str], baseline: np.ndarray, ratio: np.ndarray, complete: bool):
    """Diameters at every scan (scan x lesion x axis, one decimal), and which lesions have vanished."""
    axes = baseline[None] * ratio[:, :, None]
    axes = np.round(-np.sort(-axes * np.exp(rng.normal(0, NOISE, axes.shape)), axis=2), 1)
    axes[0] = baseline
    node = np.array([site == NODE for site in sites])
    small = axes[:, :, 0] <= np.where(node | (not complete), TOO_SMALL, VANISHING)
    # once too small, a node, or any lesion of those meant to respond completely, is gone at the scan after
    gone = np.zeros_like(small)
    gone[1:] = np.maximum.accumulate(small, axis=0)[:-1] & (node | complete)
    axes[small] = TOO_SMALL
    axes[gone] = 0.0
    return axes, gone


def sum_of_diameters(sites: list[str], axes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum at each scan in whole tenths of a millimetre, and whether every target is gone."""
    node = np.array([site == NODE for site in sites])
    diameter = np.rint(10 * np.where(node, axes[:, :, 1], axes[:, :, 0])).astype(int)
    return diameter.sum(axis=1), ((diameter == 0) | (node & (diameter < 100))).all(axis=1)


def _respond(sites: list[str], axes: np.ndarray, new_lesion_day: int | None, days: list[int]) -> list[str]:
    """Response at each scan by the rule of study.yml, in whole tenths of a millimetre."""
    total, gone = sum_of_diameters(sites, axes)
    response = [""]
    for i in range(1, len(days)):
        nadir = total[:i].min()
        if (10 * total[i] >= 12 * nadir and total[i] - nadir >= 50) or days[i] == new_lesion_day:
            response.append("PD")
        elif gone[i]:
            response.append("CR")
        else:
            response.append("PR" if 10 * total[i] <= 7 * total[0] else "SD")
    return response


def _fits(patient: Patient, plan: _Plan, visits: list[int], response: list[str]) -> bool:
    """Whether the responses are those planned, with progression at the right scan only."""
    at = dict(zip(visits, response, strict=True))
    progressions = [visit for visit, status in at.items() if status == "PD"]
    responds = [at.get(visit) in ("CR", "PR") for visit in (6, 12)]
    ever_complete = any(at.get(visit) == "CR" for visit in visits if visit <= 18)
    return (
        progressions == ([patient.visit] if patient.progressed else [])
        and responds == [plan.six, plan.twelve]
        and ever_complete == plan.complete
    )


def _as_published(patients: list[Patient], courses: list[Course]) -> bool:
    """Volume falls in every arm, most in C, and the arms differ with p < 0.001 at 6 months."""
    arm = np.array([p.arm for p in patients])
    every = {visit: np.array([c.change(visit) for c in courses]) for visit in (3, 6, 12)}
    change = {v: [values[(arm == k) & ~np.isnan(values)] for k in range(3)] for v, values in every.items()}
    medians = [[np.median(values) for values in change[v]] for v in (3, 6)]
    between = stats.kruskal(*change[6]).pvalue
    within = [stats.wilcoxon(values, method="exact").pvalue for values in (*change[6], *change[12][1:])]
    baseline = np.array([c.volume[0] for c in courses])
    seen = every[6][~np.isnan(every[6])]
    return (
        2e-5 < between < 9e-4
        and max(within) < 0.03
        and all(m[2] < min(m[0], m[1]) - 0.1 for m in medians)
        and 15 < np.median(baseline) < 26
        and np.quantile(baseline, 0.75) < 50
        and baseline.max() < 140
        and 1 <= len(patients) - len(seen) <= 3  # a scan at 6 months is missed now and then
        and len(set(seen)) == len(seen)
    )


def _telling(patients: list[Patient], courses: list[Course]) -> bool:
    """Whether there is something to ask: about where it progressed and in what, and why who got which treatment."""
    nodes = [np.mean([site == NODE for p, c in zip(patients, courses, strict=True) if p.arm == k for site in c.sites]) for k in range(3)]
    if not nodes[0] < min(nodes[1:]):
        return False
    alone = [0, 0, 0]
    for patient, course in zip(patients, courses, strict=True):
        alone[patient.arm] += bool(course.growers) and not set(course.growers) & set(course.implanted)
    if alone[1] < 2 or alone[2] < 1 or not {"cervical_lymph_node", "lung"} <= {c.new_site for c in courses}:
        return False
    return all(DOSE_RANK[0] < _dose_rank(patients, courses, arm) < DOSE_RANK[1] for arm in (1, 2))


def _dose_rank(patients: list[Patient], courses: list[Course], arm: int) -> float:
    """Rank correlation of D90 and the shrinkage of the lesion at 6 months."""
    pairs = [
        (dose, 1 - c.axes[c.visits.index(6), i].prod() / c.axes[0, i].prod())
        for p, c in zip(patients, courses, strict=True) if p.arm == arm and 6 in c.visits for i, dose in c.d90.items()
    ]  # fmt: skip
    return float(stats.spearmanr(*zip(*pairs, strict=True)).statistic)
