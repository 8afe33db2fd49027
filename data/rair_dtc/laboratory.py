"""Laboratory values that are watched for harm: at baseline, and on the days of the samples as the adverse events say."""

from __future__ import annotations

__all__ = ["TESTS", "draw_safety"]

from dataclasses import dataclass

import numpy as np
from clinic import Case
from samples import Sample


@dataclass(frozen=True)
class Test:
    """One value: unit, upper limits of men and women, where grades 2, 3 and 4 begin (times the limit), usual value."""

    id: str
    unit: str
    high: tuple[float, float]
    grades: tuple[float, float, float]
    usual: float
    spread: float  # log-sd between patients
    within: float  # log-sd within a patient
    digits: int


# Limits of the Chinese standards WS/T 404 where they differ by sex; grades of CTCAE v5.0. The ratio of urine protein to
# creatinine (g/g) stands for grams in 24 hours. Systolic pressure: grade 1 from 120, 2 from 140, 3 from 160 mmHg.
TESTS = (
    Test("alt", "U/L", (50, 40), (3, 5, 20), 20, 0.32, 0.18, 0),
    Test("ast", "U/L", (40, 35), (3, 5, 20), 21, 0.22, 0.15, 0),
    Test("bili", "µmol/L", (26, 21), (1.5, 3, 10), 10.5, 0.28, 0.18, 1),
    Test("alp", "U/L", (125, 135), (2.5, 5, 20), 80, 0.20, 0.08, 0),
    Test("trig", "mmol/L", (1.7, 1.7), (2.01, 3.35, 6.7), 1.25, 0.32, 0.14, 2),
    Test("uprot", "g/g", (0.15, 0.15), (6.67, 23.3, 99), 0.07, 0.30, 0.22, 2),
    Test("sbp", "mmHg", (119, 119), (1.17, 1.34, 1.6), 125, 0.06, 0.035, 0),
)
PASSING = 21  # days before the end of an event in which its value is normal again, or it would not end
MISSING = 0.03  # share of single values that a sample lacks: clotted, lost, not asked for


def draw_safety(rng: np.random.Generator, cases: list[Case], events: dict[str, list]) -> list[dict]:
    """Rows of the laboratory values: in the range of the grade while an event lasts, else without one of grade 2.

    Parameters
    ----------
    rng : numpy Generator
    cases : list of Case
    events : dict of str to list of adverse_events.Event
        By patient.
    """
    rows = []
    for c in cases:
        man = c.about["sex"] == "M"
        for test in TESTS:
            high = test.high[0 if man else 1]
            own = _usual(rng, c, test, high, events[c.id])
            for s in c.samples:
                began = any(e.term.test == test.id and e.day == s.day for e in events[c.id])
                if s.safety and (s.visit == 0 or began or rng.random() >= MISSING):
                    value = _value(rng, test, s, events[c.id], high=high, own=own)
                    rows.append({
                        "patient_id": c.id, "sample_date": c.date(s.day), "visit": s.visit, "marker": test.id,
                        "value": f"{value:.{test.digits}f}", "unit": test.unit, "below_limit": 0, "above_limit": 0,
                        "reference_high": f"{high:g}",
                    })  # fmt: skip
    return rows


def _usual(rng: np.random.Generator, c: Case, test: Test, high: float, events: list) -> float:
    """Draw what a patient usually has; normal where an event will be the first abnormal value."""
    most = {"sbp": 135.0, "trig": 1.9 * high}.get(test.id, 0.85 * high)
    if test.id == "alp" and "bone" in c.course.sites:
        return float(test.usual * 1.35 * np.exp(rng.normal(0, 0.15)))
    if test.id == "trig" and any(e.term.test == "trig" for e in events):
        most = 0.85 * high
    return float(min(test.usual * np.exp(rng.normal(0, test.spread)), most))


def _value(rng, test: Test, s: Sample, events: list, *, high: float, own: float) -> float:
    """One value, with the digits of the analyser."""
    active = [e for e in events if e.term.test == test.id and e.active(s.day)]
    if not active and test.id == "ast" and any(e.term.test == "alt" and e.active(s.day) for e in events):
        return _written(rng, test, high * rng.uniform(0.75, 0.98))  # the two rise together
    if not active:
        # Above the limit without an event now and then, as a chart calls it without significance; never grade 2.
        value = own * np.exp(rng.normal(0, test.within))
        return _written(rng, test, min(value, 138 if test.id == "sbp" else 0.95 * test.grades[0] * high))
    grade, first = active[0].grade, s.day <= active[0].day
    bounds = (1.0, *test.grades)
    least, most = bounds[grade - 1], min(bounds[grade], 1.8 * bounds[grade - 1])
    if not first:  # treated, or on a lower dose: up to the grade, and often less
        least = bounds[max(grade - 2, 0)]
    if test.id == "sbp":
        low, top = ((128, 139), (142, 158), (162, 176))[grade - 1]
        return _written(rng, test, rng.uniform(low, top) if first else rng.uniform(122, 138))
    if not first and active[0].end is not None and active[0].end - s.day <= PASSING:
        least, most = 0.6, 0.98
    span = np.log(most / least)
    return _written(rng, test, high * least * np.exp(span * rng.uniform(0.12, 0.88)))


def _written(rng: np.random.Generator, test: Test, value: float) -> float:
    """Blood pressure is read in steps of 2 mmHg, and often rounded to 5 or 10."""
    if test.id != "sbp":
        return float(value)
    tens = 10 * round(value / 10)
    return float(tens if tens < 140 and rng.random() < 0.25 else 2 * round(value / 2))
