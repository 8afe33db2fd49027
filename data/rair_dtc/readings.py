"""The scans after progression, and what the reader made of every scan."""

from __future__ import annotations

__all__ = ["follow_on", "kappa", "leave_bone", "read"]

from collections import Counter

import numpy as np
from clinic import Case
from skeleton import BEFORE_DEATH, MONTH, SCHEDULE, nominal_day, on_time
from tumours import LARGEST, NOISE, TOO_SMALL, sum_of_diameters

MISSED_LATER = 0.25  # share of scans after progression that are not made here (assumed)
# Log-sd of what a second pair of eyes measures: readers agree on response with kappa of about 0.6 to 0.8 (Yoon SH et
# al. Eur J Cancer 2016;53:5, a review of RECIST readings); the test of this cohort holds it to that.
READING = 0.2
GREW = 1.1  # times the nadir, below which nobody sees growth
CLEAR = (0.56, 0.86)  # times the baseline, outside of which everybody says the same of a response
UNREADABLE = 0.01  # share of scans the reader calls not evaluable
KAPPA = (0.66, 0.78)  # of all readings, and not far from it at 6 and at 12 months
KAPPA_VISIT = (0.55, 0.85)
BONE_LEAST, BONE_SHARE = 0.45, 0.6  # bone that shrank below this share of its diameter shrinks by that share of it only


def follow_on(rng: np.random.Generator, cases: list[Case]) -> None:
    """Add the scans after progression: what grew goes on growing, more slowly under a later treatment."""
    for case in cases:
        if case.patient.progressed:
            visits, days = _later_scans(rng, case)
            _grow_on(rng, case, days)
            case.course.visits += visits
            case.course.days += days
            case.course.response += ["PD"] * len(days)


def _later_scans(rng: np.random.Generator, case: Case) -> tuple[list[int], list[int]]:
    patient, visits, days = case.patient, [], []
    last = patient.scan
    for visit in SCHEDULE:
        if visit <= patient.visit or nominal_day(visit) > patient.contact - 20:
            continue
        while not patient.works(day := on_time(rng, visit, 4, 7)):
            pass
        missed = rng.random() < (0.6 if patient.at_home(day) else MISSED_LATER)
        if not missed and last + 20 < day < patient.contact - (BEFORE_DEATH if patient.dead else 2):
            visits.append(visit)
            days.append(day)
            last = day
    return visits, days


def _grow_on(rng: np.random.Generator, case: Case, days: list[int]) -> None:
    """Append the diameters of every lesion at these days."""
    course, n = case.course, len(case.course.sites)
    start = [tuple(axes) for axes in course.axes[-1]] + course.new_axes[-1:]
    grew = set(course.growers) | ({n} if course.new_site else set())
    pace = [_pace(rng, case, i) if i in grew else rng.uniform(-0.002, 0.004) for i in range(len(start))]
    rows, gone = [], []
    for day in days:
        size = [np.array(axes) * np.exp(_later_growth(case, i, pace[i], day)) for i, axes in enumerate(start)]
        noisy = [np.round(-np.sort(-axes * np.exp(rng.normal(0, 0.03, 3))), 1) for axes in size]
        rows.append([_recorded(axes, np.array(before)) for axes, before in zip(noisy, start, strict=True)])
        gone.append(course.absent[-1])
    if rows:
        course.axes = np.concatenate([course.axes, np.array([row[:n] for row in rows])])
        course.absent = np.concatenate([course.absent, np.array(gone)])
        course.new_axes += [tuple(row[n]) for row in rows if course.new_site]


def _pace(rng: np.random.Generator, case: Case, lesion: int) -> float:
    """Growth a month (log of the diameter) after progression: half of what it was in the year before."""
    course, last = case.course, case.patient.scan
    if lesion == len(course.sites):
        return rng.uniform(0.006, 0.02)
    earlier = [i for i, day in enumerate(course.days) if day < last]
    before = [i for i in earlier if course.days[i] >= last - 365] or earlier[-1:]
    least = min(course.axes[i, lesion, 0] for i in before)
    months = (last - max(course.days[i] for i in before if course.axes[i, lesion, 0] == least)) / MONTH
    return float(np.clip(0.5 * np.log(course.axes[-1, lesion, 0] / max(least, TOO_SMALL)) / months, 0.006, 0.022))


def _later_growth(case: Case, lesion: int, pace: float, day: int) -> float:
    """Log growth since the scan of progression; a later treatment shrinks for half a year, then growth resumes."""
    months = (day - case.patient.scan) / MONTH
    for later in case.later:
        under = np.clip((day - later["start"]) / MONTH, 0, 6)
        if "lesion" in later:
            return pace * months - (0.09 * under if later["lesion"] == lesion else 0)
        return pace * months - 0.035 * under
    return pace * months


def _recorded(axes: np.ndarray, before: np.ndarray) -> np.ndarray:
    """As written down: a lesion gone or too small at progression stays so, none is too large to be true."""
    if before[0] in (0.0, TOO_SMALL):
        return before
    if axes[0] <= TOO_SMALL:
        return np.full(3, TOO_SMALL)
    return np.minimum(axes, [LARGEST, LARGEST - 4, LARGEST - 9])


def read(rng: np.random.Generator, cases: list[Case]) -> None:
    """Let a reader measure again and judge by the same rule, until the two agree as readers do.

    Raises
    ------
    RuntimeError
        If 500 readings did not.
    """
    for _ in range(500):
        for case in cases:
            case.course.reader = _one_reading(rng, case)
        scans = [scan for c in cases for scan in zip(c.course.visits, c.course.reader, c.course.response, strict=True)]
        scans = [(visit, reader, rule) for visit, reader, rule in scans if rule]
        at = [kappa([(reader, rule) for seen, reader, rule in scans if seen == visit]) for visit in (6, 12)]
        overall = kappa([(reader, rule) for _, reader, rule in scans])
        if KAPPA[0] < overall < KAPPA[1] and all(KAPPA_VISIT[0] < k < KAPPA_VISIT[1] for k in at):
            return
    raise RuntimeError("no reading that agrees as readers do")


def _one_reading(rng: np.random.Generator, case: Case) -> list[str]:
    course = case.course
    total, gone = sum_of_diameters(course.sites, course.axes)
    seen = total * np.exp(rng.normal(0, READING / np.sqrt(len(course.sites)), len(total)))
    reading, progressed = [""], False
    for i in range(1, len(total)):
        nadir = seen[np.argmin(total[:i])]
        new = bool(course.new_site) and course.days[i] >= case.patient.scan
        grown = seen[i] >= 1.2 * nadir and seen[i] - nadir >= 50 and total[i] >= GREW * total[:i].min()
        # one scan late at most; a progression that the next scan does not show is taken back
        progressed = progressed or course.response[i - 1] == "PD" or (course.response[i] == "PD" and (grown or new))
        remnant = 0 < total[i] < 60 * len(course.sites)  # gone to one reader, still there to the other
        complete = gone[i] != (remnant and rng.random() < 0.25)
        shrunk = "CR" if complete else "PR" if _responds(seen[i] / seen[0], total[i] / total[0]) else "SD"
        status = "PD" if progressed or grown or new else shrunk
        reading.append("NE" if rng.random() < UNREADABLE else status)
    return reading


def _responds(seen: float, ratio: float) -> bool:
    """Whether the reader calls it a response: where it is clear there is nothing to differ about."""
    return ratio < CLEAR[0] or (ratio < CLEAR[1] and seen <= 0.7)


def leave_bone(cases: list[Case]) -> None:
    """Let a hole in the bone remain: its soft tissue shrinks, and no reader calls it gone."""
    rng = np.random.default_rng(1)
    for case in cases:
        course = case.course
        for i, site in enumerate(course.sites):
            ratio = course.axes[:, i] / course.axes[0, i]
            if site == "bone" and ratio[:, 0].min() < BONE_LEAST:
                noise = np.exp(rng.normal(0, NOISE, ratio[1:].shape))
                axes = course.axes[0, i] * (1 - BONE_SHARE * (1 - ratio[1:])) * noise
                course.axes[1:, i] = np.round(-np.sort(-axes, axis=1), 1)
                course.reader = ["PR" if status == "CR" else status for status in course.reader]


def kappa(pairs: list[tuple[str, str]]) -> float:
    """Cohen's kappa of two readings, unweighted."""
    n, one, other = len(pairs), Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    chance = sum(one[level] * other[level] for level in one) / n**2
    return (sum(a == b for a, b in pairs) / n - chance) / (1 - chance)
