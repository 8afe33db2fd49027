"""Lesions, their measurements and the reader's responses, hung on the survival skeleton.

Which patients respond at 6 and 12 months is drawn first (the published counts); then sizes are drawn for each
patient until the stated response rule gives exactly that, progression at the skeleton's scan and at no other.
"""

from __future__ import annotations

__all__ = ["TOO_SMALL", "Course", "grow"]

from dataclasses import dataclass, field

import numpy as np
from scipy import stats
from skeleton import SCHEDULE, Patient, on_time

RESPONDERS_6 = (3, 8, 10)  # published: 21 %, 32 % and 77 % of 14, 25 and 13
RESPONDERS_12 = (5, 10, 8)  # assumed: "narrowed"
NEW_LESIONS = (1, 4, 1)  # progressions by a new lesion, assumed
COMPLETE = (0, 2, 3)  # patients meant to reach a complete response, assumed
TOO_SMALL = 5.0  # mm, recorded for what is too small to measure (RECIST 1.1)
VANISHING = 8.0  # mm, below which a lesion of a complete responder can no longer be told from scar
SITES = ("cervical_lymph_node", "lung", "bone", "thyroid_bed")
# Sites by arm differ on purpose: diffuse disease is given the drug, neck disease the seeds.
SITE_SHARE = ((0.35, 0.45, 0.12, 0.08), (0.62, 0.20, 0.12, 0.06), (0.50, 0.30, 0.13, 0.07))
LESION_SHARE = (0.35, 0.40, 0.25)  # 1, 2, 3 target lesions
MEDIAN_LONGEST, SIGMA_LONGEST = 31, 0.42
# Months in which the shrinkage is 63 % complete: iodine-125 (half-life 59 days) acts slowly.
SPEED = ((1.6, 2.6), (3.0, 5.0), (1.3, 2.2))
NOISE = 0.03  # log-sd of one diameter, measured twice
READER_DISAGREES = 3  # patients in whom the reader says SD for PR, or the reverse


@dataclass
class Course:
    """Tumour course of one patient: one row of `axes` per scan, three diameters (mm) per lesion."""

    sites: list[str]
    visits: list[int]
    days: list[int]
    axes: np.ndarray
    absent: np.ndarray
    response: list[str]
    treated: list[bool]
    new_site: str = ""
    new_axes: tuple = ()
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


def grow(patients: list[Patient], seed: int) -> list[Course]:
    """Draw a tumour course for every patient, until the volumes behave as published.

    Parameters
    ----------
    patients : list of skeleton.Patient
    seed : int

    Returns
    -------
    list of Course
        In the order of `patients`.

    Raises
    ------
    RuntimeError
        If 200 cohorts were drawn in vain.
    """
    rng = np.random.default_rng(seed)
    for _ in range(200):
        plans = _plan(rng, patients)
        courses = [_course(rng, patient, plan) for patient, plan in zip(patients, plans, strict=True)]
        if None not in courses and _as_published(patients, courses):
            _read(rng, courses)
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
    for _ in range(25):
        sites, baseline = _baseline(rng, patient.arm, plan.complete)
        visits, days = _scans(rng, patient)
        for _ in range(60):
            ratio = _ratio(rng, patient, plan, np.array(visits, float))
            axes, absent = _measure(rng, sites, baseline, ratio, plan.complete)
            response = _respond(sites, axes, patient.scan if plan.new_lesion else None, days)
            if _fits(patient, plan, visits, response):
                treated = [patient.arm > 0 and (s != "lung" or rng.random() < 0.8) for s in sites]
                if patient.arm > 0 and not any(treated):
                    treated[0] = True
                course = Course(sites, visits, days, axes, absent, response, treated)
                if plan.new_lesion:
                    in_bed = "thyroid_bed" not in sites and rng.random() < 0.3
                    course.new_site = "thyroid_bed" if in_bed else "cervical_lymph_node"
                    course.new_axes = tuple(sorted(np.round(rng.uniform(8, 17) * rng.uniform(0.6, 1, 3), 1))[::-1])
                return course
    return None


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
            if (short >= 15 if site == SITES[0] else longest >= 12) and longest <= 75:
                break
    return sites, np.round(axes, 1)


def _scans(rng: np.random.Generator, patient: Patient) -> tuple[list[int], list[int]]:
    """Visits and days of the scans; some early or late ones are missed, those at 6 and 12 months never."""
    visits, days = [0], [-int(next(d for d in rng.permutation(np.arange(1, 11)) if patient.works(-d)))]
    for visit in SCHEDULE:
        if visit > patient.visit:
            break
        missed = rng.random() < (0.30 if visit == 1 else 0.07)
        while not patient.works(day := on_time(rng, visit, 3, 6)):
            pass
        if visit == patient.visit or visit in (6, 12) or not missed:
            visits.append(visit)
            days.append(patient.scan if visit == patient.visit else day)
    return visits, days


def _ratio(rng: np.random.Generator, patient: Patient, plan: _Plan, t: np.ndarray) -> np.ndarray:
    """Diameter relative to baseline at the visits `t` (months): shrinkage to a floor, then perhaps regrowth."""
    speed = rng.uniform(*SPEED[patient.arm])
    if plan.complete:
        floor = rng.uniform(0.10, 0.30)
    elif plan.six and plan.twelve:
        floor = rng.uniform(*((0.45, 0.64), (0.36, 0.60), (0.25, 0.52))[patient.arm])
    elif plan.six:
        floor = rng.uniform(0.55, 0.66)  # shallow: may relapse without being a progression
    elif plan.twelve:
        floor, speed = rng.uniform(0.35, 0.62), rng.uniform(5, 9)
    else:
        floor = rng.uniform(*((0.76, 0.98), (0.70, 0.92), (0.66, 0.78))[patient.arm])
    shrunk = floor + (1 - floor) * np.exp(-t / speed)
    growth = np.zeros_like(t)
    if patient.progressed and not plan.new_lesion:
        start = patient.visit * rng.uniform(0.35, 0.9)
        factor = rng.uniform(1.22, 1.7)
        growth = np.log(factor) * np.maximum(t - start, 0) / (patient.visit - start)
    elif plan.six and not plan.twelve:
        growth = rng.uniform(0.01, 0.03) * np.maximum(t - 6, 0)
    elif not plan.complete:
        growth = rng.uniform(0, 0.003) * np.maximum(t - 9, 0)
    return shrunk * np.exp(growth)


def _measure(rng, sites: list[str], baseline: np.ndarray, ratio: np.ndarray, complete: bool):
    """Diameters at every scan (scan x lesion x axis, one decimal), and which lesions have vanished."""
    own = np.exp(rng.normal(0, 0.18, len(sites)))
    axes = baseline[None] * (ratio[:, None] ** own)[:, :, None]
    axes = np.round(-np.sort(-axes * np.exp(rng.normal(0, NOISE, axes.shape)), axis=2), 1)
    axes[0] = baseline
    node = np.array([site == SITES[0] for site in sites])
    small = axes[:, :, 0] <= np.where(node | (not complete), TOO_SMALL, VANISHING)
    # once too small, a node, or any lesion of those meant to respond completely, is gone at the scan after
    gone = np.zeros_like(small)
    gone[1:] = np.maximum.accumulate(small, axis=0)[:-1] & (node | complete)
    axes[small] = TOO_SMALL
    axes[gone] = 0.0
    return axes, gone


def _respond(sites: list[str], axes: np.ndarray, new_lesion_day: int | None, days: list[int]) -> list[str]:
    """Response at each scan by the rule of study.yml, in whole tenths of a millimetre."""
    node = np.array([site == SITES[0] for site in sites])
    diameter = np.rint(10 * np.where(node, axes[:, :, 1], axes[:, :, 0])).astype(int)
    total = diameter.sum(axis=1)
    gone = ((diameter == 0) | (node & (diameter < 100))).all(axis=1)
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
    return (
        1e-4 < between < 9e-4
        and max(within) < 0.03
        and all(m[2] < min(m[0], m[1]) - 0.1 for m in medians)
        and 15 < np.median(baseline) < 26
        and np.quantile(baseline, 0.75) < 50
        and baseline.max() < 140
        and len(set(every[6])) == len(patients)  # all scanned at 6 months, no ties
    )


def _read(rng: np.random.Generator, courses: list[Course]) -> None:
    """Let the reader agree with the rule, save for one borderline scan in a few patients."""
    borderline = []
    for i, course in enumerate(courses):
        course.reader = list(course.response)
        node = np.array([site == SITES[0] for site in course.sites])
        total = np.where(node, course.axes[:, :, 1], course.axes[:, :, 0]).sum(axis=1)
        near = [(abs(total[k] / total[0] - 0.7), i, k) for k, r in enumerate(course.response) if r in ("PR", "SD")]
        borderline += [min(near)] if near else []
    for _, i, k in sorted(borderline)[:READER_DISAGREES]:
        courses[i].reader[k] = "SD" if courses[i].response[k] == "PR" else "PR"
