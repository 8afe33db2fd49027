"""The survival skeleton of the synthetic cohort: who progresses, dies or leaves, and on which day.

Fifty-two fates are fixed (how many progress, die, leave); simulated annealing then moves whole days until the two
endpoints print the published medians and log-rank p-values at the same time. Lesions, markers and adverse
events are hung on the skeleton afterwards (tumours.py, clinic.py). Nothing here is a result of a real patient.
"""

from __future__ import annotations

__all__ = ["ARMS", "BEFORE_DEATH", "CUTOFF", "MONTH", "SCHEDULE", "Fate", "Patient", "nominal_day", "on_time", "search", "summary"]

import datetime as dt
import math
from collections import Counter
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property, lru_cache

import numpy as np
from workdays import PANDEMIC, is_open

CUTOFF = dt.date(2025, 2, 28)
MONTH = 30.4375  # days, 365.25 / 12, as in study.yml
SCHEDULE = (1, 3, 6, 9, 12, *range(18, 85, 6))  # months of the follow-up scans, as in study.yml
ARMS = ("A", "B", "C")


class Fate(Enum):
    """What happens to a patient."""

    PROGRESSED_DIED = "progression, then death"
    PROGRESSED_ALIVE = "progression, alive at the cut-off"
    PROGRESSED_LOST = "progression, then lost to follow-up"
    DIED = "death without progression"
    FREE = "neither, followed to the cut-off"
    LOST = "neither, lost to follow-up"
    DIED_EARLY = "death between the 6- and the 12-month scan"
    LOST_EARLY = "lost between the 9- and the 12-month scan"


PROGRESSED = (Fate.PROGRESSED_DIED, Fate.PROGRESSED_ALIVE, Fate.PROGRESSED_LOST)
DEAD = (Fate.PROGRESSED_DIED, Fate.DIED, Fate.DIED_EARLY)

# Counts per arm: an assumption. The published p = 0.023 needs nearly all of A and B to have an event.
FATES = (
    {Fate.PROGRESSED_DIED: 6, Fate.PROGRESSED_ALIVE: 4, Fate.DIED: 2, Fate.FREE: 1, Fate.LOST: 1},
    {Fate.PROGRESSED_DIED: 9, Fate.PROGRESSED_ALIVE: 8, Fate.PROGRESSED_LOST: 1, Fate.DIED: 3, Fate.DIED_EARLY: 1,
     Fate.FREE: 2, Fate.LOST_EARLY: 1},
    {Fate.PROGRESSED_DIED: 4, Fate.PROGRESSED_ALIVE: 2, Fate.DIED: 2, Fate.FREE: 4, Fate.LOST: 1},
)
# Days from time zero to the cut-off (28 Feb 2025), shortest and longest: enrolment windows differ by arm on
# purpose. A Sep 2018 - Sep 2023, B Apr 2018 - Dec 2022, C Nov 2018 - Mar 2023.
WINDOWS = ((525, 2370), (800, 2520), (720, 2290))
# Mean months to progression and to death without it, from which days are proposed.
MEAN_PROGRESSION = (18, 19, 34)
MEAN_DEATH = (20, 24, 38)
BEFORE_DEATH = 14  # days before death in which nobody is scanned any more
JITTER = (-9, 22)  # days around the nominal day of a scan, inside the window -12/+24 of study.yml

LPFS_MEDIAN_DAYS = ((566, 567), (568, 569), (1284, 1285))  # print 18.6, 18.7 and 42.2 months, not at an edge
OS_MEDIAN_DAYS = ((658, 683), (850, 1160), (1296, 1321))  # the lowest prints 22, the highest 43 months
# Assumed: few progress early (or the responses could not be met), and some are followed beyond the 36 months to
# which mean survival is restricted.
MOST_BY_6, MOST_BY_12, LEAST_BEYOND_36 = (1, 2, 0), (4, 7, 2), (2, 3, 5)
NEARLY = 0.6  # loss below which a start is worth more steps
LPFS_P = (0.02260, 0.02340)
OS_P = (0.42455, 0.42545)


@dataclass(frozen=True)
class Patient:
    """Days since time zero; `scan` is the scan of progression, or the last scan of those without."""

    arm: int
    fate: Fate
    follow_up: int
    contact: int
    visit: int
    scan: int

    @cached_property
    def progressed(self) -> bool:
        """Whether local progression was seen."""
        return self.fate in PROGRESSED

    @cached_property
    def dead(self) -> bool:
        """Whether the patient died before the cut-off."""
        return self.fate in DEAD

    @cached_property
    def lpfs(self) -> tuple[int, bool]:
        """Time to local progression or death, and whether it was an event."""
        return (self.contact, True) if self.dead and not self.progressed else (self.scan, self.progressed)

    @cached_property
    def os(self) -> tuple[int, bool]:
        """Time to death, and whether it was an event."""
        return self.contact, self.dead

    def date(self, day: int) -> dt.date:
        """Calendar date of a day since time zero."""
        return CUTOFF - dt.timedelta(days=self.follow_up - int(day))

    def on_weekday(self, day: int) -> bool:
        """Whether this day is one from Monday to Friday."""
        return (CUTOFF.weekday() + day - self.follow_up) % 7 < 5

    def works(self, day: int) -> bool:
        """Whether the clinic is open on this day: Monday to Friday, and no public holiday."""
        return is_open(self.date(day))

    def at_home(self, day: int) -> bool:
        """Whether this day lies in the weeks of the pandemic in which outpatients stayed at home."""
        return PANDEMIC[0] <= self.date(day) <= PANDEMIC[1]


def nominal_day(visit: float) -> int:
    """Day of a visit given in months."""
    return round(visit * MONTH)


def _last_visit(day: int) -> int:
    """Return the last scheduled visit that can have taken place by this day."""
    return max((v for v in SCHEDULE if nominal_day(v) + JITTER[0] <= day), default=0)


def on_time(rng: np.random.Generator, visit: float, late: float, spread: float) -> int:
    """Draw the day of a visit, `late` days after its nominal day on average."""
    return nominal_day(visit) + int(np.clip(round(rng.normal(late, spread)), *JITTER))


def _draw(rng: np.random.Generator, arm: int, fate: Fate) -> Patient:
    """Propose a patient from the assumed distributions, until one is possible."""
    while True:
        follow_up = int(rng.integers(WINDOWS[arm][0], WINDOWS[arm][1] + 1))
        contact = follow_up - int(rng.integers(0, 36))
        visit, scan = 0, 0
        if fate in PROGRESSED:
            visit = _last_visit(round((4 + rng.exponential(MEAN_PROGRESSION[arm] - 4)) * MONTH))
            scan = on_time(rng, visit, 4, 8)
        if fate is Fate.PROGRESSED_DIED:
            contact = scan + 25 + round(rng.lognormal(math.log(300), 0.8))
        elif fate is Fate.DIED:
            contact = round((5 + rng.exponential(MEAN_DEATH[arm])) * MONTH)
        elif fate is Fate.DIED_EARLY:
            contact = int(rng.integers(230, 350))
        elif fate is Fate.LOST_EARLY:
            contact = int(rng.integers(285, 345))
        elif fate in (Fate.LOST, Fate.PROGRESSED_LOST):
            contact = int(rng.integers(300, max(301, follow_up - 120)))
        if fate not in PROGRESSED:
            visit = _last_visit(contact - 15)
            scan = on_time(rng, visit, 4, 8)
        patient = Patient(arm, fate, follow_up, contact, visit, scan)
        if _possible(patient):
            return patient


def _possible(p: Patient) -> bool:
    """Whether the days of a patient fit each other, the windows and the cut-off."""
    low, high = WINDOWS[p.arm]
    lost = p.fate in (Fate.LOST, Fate.PROGRESSED_LOST, Fate.LOST_EARLY)
    offset = p.scan - nominal_day(p.visit)
    return (
        low <= p.follow_up <= high
        and p.visit >= 6
        and JITTER[0] <= offset <= JITTER[1]
        and p.on_weekday(0)
        and p.on_weekday(p.scan)
        and p.scan + (20 if p.progressed else 0) <= p.contact
        and (p.progressed or p.visit == _last_visit(p.contact - 15))
        and p.contact <= p.follow_up - (5 if p.dead else 120 if lost else 0)
        and (p.dead or lost or p.contact >= p.follow_up - 35)
        and (p.fate is not Fate.DIED_EARLY or 230 <= p.contact <= 350)
        and (p.fate is not Fate.LOST_EARLY or (p.visit == 9 and p.contact <= 345))
    )


def _off_holidays(p: Patient) -> Patient:
    """Move a patient by whole weeks until treatment and last scan fall on no holiday; days since time zero stay."""
    weeks = sorted(range(-8, 9), key=lambda k: (abs(k), k))
    moved = (replace(p, follow_up=p.follow_up + 7 * k) for k in weeks)
    return next(q for q in moved if _possible(q) and q.works(0) and q.works(q.scan))


def _before_death(p: Patient) -> Patient:
    """Move the last scan of who died without progression away from death, where its window allows; no endpoint knows that day."""
    if not p.dead or p.progressed:
        return p
    earliest = nominal_day(p.visit) + JITTER[0]
    days = [d for d in range(min(p.scan, p.contact - BEFORE_DEATH), earliest - 1, -1) if p.works(d)]
    return replace(p, scan=days[0]) if days else p


def _nudge(rng: np.random.Generator, p: Patient) -> Patient:
    """Move one day of a patient a little."""
    step = int(rng.geometric(0.15)) * (1 if rng.random() < 0.5 else -1)
    choice = rng.integers(3)
    if choice == 0:
        return replace(p, scan=p.scan + step)
    if choice == 1:
        return replace(p, contact=p.contact + step)
    return replace(p, follow_up=p.follow_up + 4 * step, contact=p.contact + (0 if p.dead else 4 * step))


def _counts(time: np.ndarray, event: np.ndarray, member: np.ndarray):
    """Event times, numbers at risk and numbers of events, one column per arm."""
    at = np.unique(time[event])
    risk = (time[None, :] >= at[:, None]) @ member
    events = ((time[None, :] == at[:, None]) & event) @ member
    return at, risk, events


def _log_rank(risk: np.ndarray, events: np.ndarray) -> float:
    """p-value of the log-rank test of the arms that are columns (2 or 3)."""
    n, d = risk.sum(1), events.sum(1)
    share = risk / np.maximum(n, 1)[:, None]
    weight = d * (n - d) / np.maximum(n - 1, 1)
    gap = (events - d[:, None] * share).sum(0)
    if risk.shape[1] == 2:
        variance = (weight * share[:, 0] * share[:, 1]).sum()
        return math.erfc(math.sqrt(gap[0] ** 2 / variance / 2))
    s, t = share[:, 0], share[:, 1]
    v11, v22, v12 = (weight * s * (1 - s)).sum(), (weight * t * (1 - t)).sum(), -(weight * s * t).sum()
    chisq = (gap[0] ** 2 * v22 - 2 * gap[0] * gap[1] * v12 + gap[1] ** 2 * v11) / (v11 * v22 - v12**2)
    return math.exp(-chisq / 2)  # the chi-square distribution with 2 degrees of freedom


def _median(at: np.ndarray, risk: np.ndarray, events: np.ndarray) -> tuple[float, float]:
    """Median of one arm, and how badly it is placed (0 = well: clear of 0.5, alone, five at risk)."""
    own = events > 0
    at, risk, events = at[own], risk[own], events[own]
    curve = np.cumprod(1 - events / risk)
    below = np.flatnonzero(curve <= 0.5)
    if not below.size:
        return 4000.0, 1.0
    i = below[0]
    clear = min(0.5 - curve[i], (curve[i - 1] if i else 1.0) - 0.5)
    crowd = np.count_nonzero(np.abs(at - at[i]) <= 4) - 1 + events[i] - 1
    return float(at[i]), max(0.0, 0.011 - clear) * 20 + 0.3 * crowd + 0.3 * max(0, 5 - risk[i])


def _outside(value: float, low: float, high: float) -> float:
    return max(low - value, value - high, 0.0)


@lru_cache(maxsize=64)  # most moves leave one of the two endpoints as it was
def _endpoint(arms: tuple[int, ...], outcomes: tuple[tuple[int, bool], ...]) -> dict:
    """Compute medians, their placing, and p-values of one endpoint."""
    time, event = np.array([t for t, _ in outcomes]), np.array([e for _, e in outcomes])
    member = np.array(arms)[:, None] == np.arange(3)
    at, risk, events = _counts(time, event, member.astype(int))
    medians = [_median(at, risk[:, k], events[:, k]) for k in range(3)]
    return {
        "median": [m for m, _ in medians],
        "placing": sum(badness for _, badness in medians),
        "p": _log_rank(risk, events),
        "pairs": {pair: _log_rank(risk[:, list(pair)], events[:, list(pair)]) for pair in ((2, 0), (2, 1), (1, 0))},
    }


def summary(patients: list[Patient]) -> dict:
    """Medians (days) and p-values of both endpoints, for the search and for printing."""
    arms = tuple(p.arm for p in patients)
    outcomes = {"lpfs": tuple(p.lpfs for p in patients), "os": tuple(p.os for p in patients)}
    return {endpoint: _endpoint(arms, pairs) for endpoint, pairs in outcomes.items()}


def _loss(patients: list[Patient]) -> float:
    """Distance from everything that is wanted; 0 = all met."""
    found = summary(patients)
    lpfs, os = found["lpfs"], found["os"]
    loss = lpfs["placing"] + os["placing"]
    for endpoint, wanted in ((lpfs, LPFS_MEDIAN_DAYS), (os, OS_MEDIAN_DAYS)):
        loss += sum(min(_outside(m, *w) / 60, 3) for m, w in zip(endpoint["median"], wanted, strict=True))
    for endpoint, (low, high) in ((lpfs, LPFS_P), (os, OS_P)):
        loss += 2 * _outside(math.log(endpoint["p"]), math.log(low), math.log(high))
    loss += sum(_outside(lpfs["pairs"][pair], 0, 0.035) * 20 for pair in ((2, 0), (2, 1)))
    loss += sum(_outside(p, 0.12, 1) * 5 for p in os["pairs"].values())
    by_six = Counter(p.arm for p in patients if p.progressed and p.visit <= 6)
    by_twelve = Counter(p.arm for p in patients if p.progressed and p.visit <= 12)
    long = Counter(p.arm for p in patients if p.lpfs[0] > 36.5 * MONTH)
    for arm in range(3):
        loss += 0.3 * max(0, by_six[arm] - MOST_BY_6[arm]) + 0.3 * max(0, by_twelve[arm] - MOST_BY_12[arm])
        loss += 0.3 * max(0, LEAST_BEYOND_36[arm] - long[arm])
    return loss


def search(seed: int, restarts: int = 60, steps: int = 14_000) -> list[Patient]:
    """Find a skeleton that prints the published numbers.

    Parameters
    ----------
    seed : int
        Seed of the generator; the same seed gives the same patients.
    restarts, steps : int
        Fresh starts tried at most, and annealing steps in each; as many again, cooler, when it is nearly there.

    Returns
    -------
    list of Patient
        Arm A first, then B, then C.

    Raises
    ------
    RuntimeError
        If no start met every condition.
    """
    rng = np.random.default_rng(seed)
    fates = [(arm, fate) for arm, counts in enumerate(FATES) for fate, n in counts.items() for _ in range(n)]
    for _ in range(restarts):
        patients = [_draw(rng, arm, fate) for arm, fate in fates]
        loss = _loss(patients)
        for step in range(2 * steps):
            done = step / steps % 1
            if step == steps and loss > NEARLY:
                break
            hot = 0.3 if step < steps else 0.05
            i = int(rng.integers(len(patients)))
            fresh = rng.random() < hot * (1 - done)
            proposal = _draw(rng, *fates[i]) if fresh else _nudge(rng, patients[i])
            if not _possible(proposal):
                continue
            trial = [*patients[:i], proposal, *patients[i + 1:]]
            trial_loss = _loss(trial)
            temperature = hot * 0.01**done
            if trial_loss <= loss or rng.random() < math.exp((loss - trial_loss) / temperature):
                patients, loss = trial, trial_loss
            if loss == 0:
                return [_before_death(_off_holidays(patient)) for patient in patients]
    raise RuntimeError(f"no skeleton found in {restarts} restarts; the last was {loss:.3f} away")
