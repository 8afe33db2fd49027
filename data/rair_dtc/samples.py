"""Blood and urine samples: when they were taken, and the serum markers of the tumour as the analysers of the time print them.

The laboratory values that are watched for harm stand in laboratory.py, because they follow the adverse events.
"""

from __future__ import annotations

__all__ = ["Sample", "draw_markers", "drawn_on", "plan_samples", "shown"]

import datetime as dt
from dataclasses import dataclass

import numpy as np
from clinic import Case, choose
from scipy import stats
from skeleton import MONTH, on_time

TG_MEDIAN, TG_SIGMA = (330, 210, 260), 1.15  # ng/mL; 384 (211, 1605), 119 (83, 203) and 57 (9, 115) in three series
TG_RATIO = (0.34, 0.48, 0.22)  # at 6 months relative to baseline; 0.21 with anlotinib at 24 weeks in one series
TG_SPEED = 2.5  # months
TG_WITH_TSH = 0.1  # log of Tg per log of TSH: the tumour still listens a little to what thyroxine suppresses
TGAB_POSITIVE = (3, 4, 2)  # 17 %
TGAB_LIMIT = 40  # IU/mL, as in study.yml
# Measuring ranges before and from the day on which the laboratory changed its assays (assumed): Elecsys Tg, then Tg II
# (0.04 to 500 ng/mL); TSH; anti-Tg.
CHANGED = dt.date(2020, 7, 1)
RANGES = {"tg": ((0.1, 1000), (0.04, 500)), "tsh": ((0.01, 100), (0.005, 100)), "tgab": ((10, 4000), (10, 4000))}
UNITS = {"tg": "ng/mL", "tgab": "IU/mL", "tsh": "mIU/L"}
DILUTED = 0.6  # share of the samples above the range that were diluted and measured again (assumed)
TSH_LIMIT = 4.2  # mIU/L, upper limit of the laboratory
NOT_SUPPRESSED = 0.5  # mIU/L, above which nobody calls it so, though thyroxine is given
SUPPRESSED = (0.04, 1.0)  # median and log-sd of TSH under thyroxine
LOW_AGAIN = (0.05, 2.0)  # at the first sample on more thyroxine, with which the event ends
RISE = 4.0  # times, median rise of TSH with anlotinib until more thyroxine is given (it lowers uptake and deiodination)
TUMOUR_VISITS, SAFETY_VISITS = (0, 3, 6, 12, 18, 24, 36, 48, 60, 72), ((0, 1, 3, 6, 12, 24), (0, 3), (0, 1, 3, 6, 12, 24))
MISSED = {0: 0.0, 1: 0.12, 3: 0.12, 6: 0.04, 12: 0.10}
MISSED_LATER, MISSED_PROGRESSED, MISSED_AT_HOME = 0.2, 0.35, 0.6


@dataclass(frozen=True)
class Sample:
    """One visit to the laboratory; `tumour`: Tg, its antibody and TSH; `safety`: what is watched for harm."""

    visit: int
    day: int
    tumour: bool
    safety: bool


def plan_samples(rng: np.random.Generator, cases: list[Case]) -> None:
    """Give every patient the samples that were taken."""
    for case in cases:
        case.samples = []
        for visit in sorted({*TUMOUR_VISITS, *SAFETY_VISITS[case.arm]}):
            sample = _taken(rng, case, visit)
            if sample is not None:
                case.samples.append(sample)


def _taken(rng: np.random.Generator, c: Case, visit: int) -> Sample | None:
    while not c.patient.works(day := on_time(rng, visit, 3, 6) if visit else -int(rng.integers(0, 12))):
        pass
    progressed = c.patient.progressed and day > c.patient.scan
    share = MISSED_PROGRESSED if progressed else MISSED.get(visit, MISSED_LATER)
    if c.patient.at_home(day) and visit:
        share = MISSED_AT_HOME
    if rng.random() < share or day > c.patient.contact - 1:
        return None
    on_drug = c.drug is not None and (c.drug.end is None or day <= c.drug.end + 28)
    safety = visit in SAFETY_VISITS[c.arm] and (visit == 0 or on_drug or c.drug is None)
    tumour = visit in TUMOUR_VISITS
    return Sample(visit, day, tumour, safety) if tumour or safety else None


def drawn_on(c: Case, test: str) -> list[int]:
    """Days after baseline on which a value was measured that may decide an adverse event."""
    return [s.day for s in c.samples if s.visit > 0 and (s.safety or (test == "tsh" and s.tumour))]


def shown(value: float, marker: str) -> str:
    """A value with the digits that the analyser prints: three after the point below 1, four in all above."""
    if marker == "tgab":
        return f"{value:.1f}" if value < 1000 else f"{value:.0f}"
    return f"{value:.{3 if value < 1 else 2 if value < 100 else 1 if value < 1000 else 0}f}"


def draw_markers(rng: np.random.Generator, cases: list[Case], raised: dict[str, list]) -> list[dict]:
    """Rows of Tg, its antibody and TSH, drawn until Tg falls in every arm.

    Parameters
    ----------
    rng : numpy Generator
    cases : list of Case
    raised : dict
        Adverse events of each patient; those decided by TSH are met by its values.
    """
    arms = np.array([c.arm for c in cases])
    for _ in range(300):
        positive = choose(rng, arms, TGAB_POSITIVE, np.ones(len(cases), bool))
        flagged = zip(cases, positive, strict=True)
        rows = [row for case, flag in flagged for row in _of_patient(rng, case, flag, raised[case.id])]
        tg = [row for row in rows if row["marker"] == "tg"]
        below, above = ([row["visit"] for row in tg if row[flag]] for flag in ("below_limit", "above_limit"))
        with_antibody = {c.id for c, is_positive in zip(cases, positive, strict=True) if is_positive}
        falls = all(_falls(tg, cases, left_out) for left_out in (set(), with_antibody))
        if 3 <= len(below) <= 9 and 0 not in below and 5 <= len(above) <= 16 and above.count(0) <= 4 and falls:
            return rows
    raise RuntimeError("no thyroglobulin that falls in every arm")


def _falls(rows: list[dict], cases: list[Case], without: set[str]) -> bool:
    """Whether Tg falls from baseline to 3, 6 and 12 months in every arm (p < 0.05; ties only by a limit)."""
    tg = {(r["patient_id"], r["visit"]): float(r["value"]) for r in rows}
    for visit in (3, 6, 12):
        for k in range(3):
            ids = [c.id for c in cases if c.arm == k and c.id not in without and (c.id, visit) in tg]
            change = np.log([tg[i, visit] / tg[i, 0] for i in ids])
            if np.median(change) >= 0 or stats.wilcoxon(change[change != 0], method="exact").pvalue >= 0.03:
                return False
    return True


def _of_patient(rng: np.random.Generator, c: Case, positive: bool, events: list) -> list[dict]:
    """All samples of one patient."""
    bulk = np.log(c.course.volume[0] / 20)
    base = TG_MEDIAN[c.arm] * np.exp(0.5 * bulk + rng.normal(0, TG_SIGMA)) * (0.03 if positive else 1)
    antibody = np.exp(rng.normal(np.log(220), 0.7)) + 2 * TGAB_LIMIT if positive else min(np.exp(rng.normal(np.log(13), 0.35)), 26)
    own_tsh = min(SUPPRESSED[0] * np.exp(rng.normal(0, SUPPRESSED[1])), 0.5)
    rows = []
    for s in c.samples:
        values = {}
        tsh = _tsh(rng, c, s, own_tsh, events)
        if s.tumour:
            tumour = _log_ratio(rng, c, s)
            values["tg"] = base * np.exp(tumour + TG_WITH_TSH * np.log(tsh / own_tsh))
            trend = 0.45 * max(tumour, -2.5) if positive else 0.0  # the antibody follows what it is made against, slowly
            values["tgab"] = antibody * np.exp(trend + rng.normal(0, 0.08))
        if s.tumour or (c.drug and s.visit == 1):
            values["tsh"] = tsh
        state = "suppressed" if tsh <= NOT_SUPPRESSED else ""
        rows += [_row(rng, c, s, marker, value) | {"state": state} for marker, value in values.items()]
    return rows


def _row(rng: np.random.Generator, c: Case, s: Sample, marker: str, value: float) -> dict:
    """One value inside the range of the assay of the day, or the limit that it lies beyond."""
    low, high = RANGES[marker][c.time_zero + dt.timedelta(days=s.day) >= CHANGED]
    below, above = value < low, value > high and (marker != "tg" or rng.random() > DILUTED)
    text = f"{low:g}" if below else f"{high:g}" if above else shown(value, marker)
    return {
        "patient_id": c.id, "sample_date": c.date(s.day), "visit": s.visit, "marker": marker, "value": text,
        "unit": UNITS[marker], "below_limit": int(below), "above_limit": int(above), "limit": f"{low:g}",
    }  # fmt: skip


def _tsh(rng: np.random.Generator, c: Case, s: Sample, own: float, events: list) -> float:
    """TSH under thyroxine: suppressed; higher in the first months of the drug, until the dose of thyroxine is raised."""
    high = [e for e in events if e.term.test == "tsh"]
    if any(e.day == s.day for e in high):
        return TSH_LIMIT * np.exp(rng.uniform(0.06, 0.75))
    if any(e.day < s.day and (e.end is None or s.day <= e.end) for e in high):  # more thyroxine is given
        return np.exp(rng.uniform(np.log(LOW_AGAIN[0]), np.log(LOW_AGAIN[1])))
    value = own * np.exp(rng.normal(0, 0.35))
    if c.drug and 0 < s.day - c.drug.start < 150 and (c.drug.end is None or s.day <= c.drug.end):
        value *= RISE * np.exp(rng.normal(0, 0.6))
    return min(value, 0.9 * TSH_LIMIT)


def _log_ratio(rng: np.random.Generator, c: Case, s: Sample) -> float:
    """Log of Tg relative to baseline: the course of the arm and of the tumour itself, up after progression."""
    if s.visit == 0:
        return 0.0
    scan = max(i for i, at in enumerate(c.course.days) if at <= s.day + 15)
    own = np.log(max(c.course.volume[scan], 0.005 * c.course.volume[0]) / c.course.volume[0])
    course = np.log(TG_RATIO[c.arm]) * (1 - np.exp(-s.visit / TG_SPEED)) / (1 - np.exp(-6 / TG_SPEED))
    since = max(0.0, (s.day - c.patient.scan) / MONTH) if c.patient.progressed else 0.0
    risen = 0.6 * min(since, 3) / 3 + 0.02 * min(since, 36) if since else 0.0
    under = any(later["start"] + 30 < s.day < later["start"] + 400 for later in c.later)
    vanished = -3.0 if c.course.response[scan] == "CR" else 0
    return 0.7 * course + 0.35 * own + risen - 0.5 * under + vanished + rng.normal(0, 0.2)
