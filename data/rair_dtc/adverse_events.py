"""Adverse events of the synthetic cohort: how many have any is fixed, which and when follows published series.

Terms are those of CTCAE v5.0, in its spelling and under its classes. A term that a laboratory value decides begins on
the day of a sample (samples.py), and the values of that sample are made to agree with it.
"""

from __future__ import annotations

__all__ = ["Event", "adverse_event_rows", "draw_events"]

from dataclasses import dataclass

import numpy as np
from clinic import Case
from samples import drawn_on

FREE = (2, 6, 1)  # patients without any event: 12/14, 19/25 and 12/13 have one, comparable as published
DRUG_TAIL, SEED_WINDOW = 30, 180  # days, the risk windows of study.yml
LASTS_ON_DRUG = 0.35  # share of what lasts long that does not end before the drug
RECURS = 0.2  # share of passing events that come back
EARLY = 0.6  # share of the events on the drug that come in its first months; the rest comes at any time on it


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
    sites: tuple[str, ...] = ()  # with seeds only after implantation there
    test: str = ""  # decided by this laboratory value


_SKIN, _GUT, _LAB = "Skin and subcutaneous tissue disorders", "Gastrointestinal disorders", "Investigations"
_CHEST, _VESSEL = "Respiratory, thoracic and mediastinal disorders", "Vascular disorders"
_FOOD, _MUSCLE = "Metabolism and nutrition disorders", "Musculoskeletal and connective tissue disorders"
_NECK, _LUNG = ("cervical_lymph_node", "thyroid_bed"), ("lung",)
# Drug: within the all-grade shares of published anlotinib series (hypertension 26-77 %, hand-foot 17-63 %,
# proteinuria 34-61 %, triglycerides 40-69 %, cholesterol 44-54 %, TSH 54 %, mucositis 47 %, bleeding 34 %, fatigue
# 26 %, anorexia 18 %, AST 13 %, ALT 11 %). Seeds: series of implantation in the neck and the lung (pneumothorax
# 13-56 %, skin 7 %, nerve 2 %). What no series gives (diarrhea, nausea, rash, weight, neck pain) is assumed.
TERMS = (
    _Term("Hypertension", _VESSEL, 0.55, 0, (7, 75), 500, 0.75, (), "sbp"),
    _Term("Hematoma", _VESSEL, 0, 0.08, (0, 2), 12, 0),
    _Term("Palmar-plantar erythrodysesthesia syndrome", _SKIN, 0.48, 0, (15, 110), 90, 0.4),
    _Term("Rash maculo-papular", _SKIN, 0.12, 0, (10, 90), 30, 0.2),
    _Term("Diarrhea", _GUT, 0.30, 0, (10, 120), 30, 0.25),
    _Term("Mucositis oral", _GUT, 0.26, 0, (10, 90), 28, 0.3),
    _Term("Nausea", _GUT, 0.14, 0, (2, 60), 15, 0.1),
    _Term("Fatigue", "General disorders and administration site conditions", 0.26, 0.12, (5, 100), 80, 0.3),
    _Term("Neck pain", _MUSCLE, 0, 0.40, (0, 4), 12, 0.2, _NECK),
    _Term("Chest wall pain", _MUSCLE, 0, 0.35, (0, 3), 8, 0.15, _LUNG),
    _Term("Proteinuria", "Renal and urinary disorders", 0.42, 0, (30, 180), 150, 0.35, (), "uprot"),
    _Term("Alanine aminotransferase increased", _LAB, 0.14, 0, (25, 150), 45, 0.3, (), "alt"),
    _Term("Aspartate aminotransferase increased", _LAB, 0.03, 0, (25, 150), 45, 0, (), "ast"),
    _Term("Blood bilirubin increased", _LAB, 0.10, 0, (25, 150), 60, 0.3, (), "bili"),
    _Term("Cholesterol high", _LAB, 0.34, 0, (40, 180), 240, 0.15),
    _Term("Thyroid stimulating hormone increased", _LAB, 0.42, 0, (20, 100), 130, 0, (), "tsh"),
    _Term("Weight loss", _LAB, 0.18, 0.05, (40, 170), 150, 0.3),
    _Term("Hypertriglyceridemia", _FOOD, 0.42, 0, (28, 180), 200, 0.35, (), "trig"),
    _Term("Anorexia", _FOOD, 0.18, 0.05, (10, 110), 45, 0.2),
    _Term("Cough", _CHEST, 0.06, 0.16, (1, 60), 25, 0.15, _LUNG),
    _Term("Hoarseness", _CHEST, 0.14, 0.05, (3, 70), 60, 0.1, _NECK),
    _Term("Epistaxis", _CHEST, 0.15, 0, (15, 150), 5, 0),
    _Term("Pneumothorax", _CHEST, 0, 0.42, (0, 1), 7, 0.35, _LUNG),
    _Term("Bronchopulmonary hemorrhage", _CHEST, 0, 0.14, (0, 1), 4, 0, _LUNG),
    _Term("Dermatitis radiation", "Injury, poisoning and procedural complications", 0, 0.12, (25, 90), 45, 0.2, _NECK),
)
# Grade 3 where no drug is given: an illness that has nothing to do with the seeds. Days it lasts.
ILLNESS = _Term("Lung infection", "Infections and infestations", 0, 0, (20, 150), 16, 0)
BY_NAME = {term.name: term for term in TERMS}
# Grade 3 by arm, one patient each. None is due to the implantation.
SEVERE = (
    ("Hypertension", "Palmar-plantar erythrodysesthesia syndrome", "Mucositis oral"),
    ("Weight loss",),
    ("Hypertension", "Proteinuria", "Palmar-plantar erythrodysesthesia syndrome"),
)
STOPS = ("Palmar-plantar erythrodysesthesia syndrome", "Diarrhea", "Fatigue")
# For these the dose is not changed: blood pressure and lipids are treated, the rest is borne. Grade 3 is another matter.
TREATED_OTHERWISE = ("Hypertension", "Hypertriglyceridemia", "Cholesterol high", "Hoarseness", "Cough", "Nausea")
LUNG_INJURY = ("Pneumothorax", "Bronchopulmonary hemorrhage")  # on the drug it is interrupted until they have passed
THYROXINE = 42  # days until TSH shows a new dose of thyroxine
NOT_OF_TREATMENT = ("Weight loss", "Cough", "Anorexia", "Fatigue")  # also put down to the disease
TO_DISEASE = {True: 0.4, False: 0.1}  # share of these, after seeds and on the drug
WASTING, LAST_MONTHS = ("Weight loss", "Anorexia", "Fatigue"), 60  # who dies within so many days does not recover from these
LEAST_HYPERTENSION, MOST_HYPERTENSION, EVENTS = (5, 0, 6), (9, 0, 10), (170, 216)


@dataclass
class Event:
    """One adverse event, in days since time zero; `end` None = ongoing at the last contact."""

    term: _Term
    grade: int
    day: int
    end: int | None
    related: str
    action: str = "none"
    serious: int = 0

    def active(self, day: int) -> bool:
        """Whether the event is there on this day."""
        return self.day <= day and (self.end is None or day < self.end)


def draw_events(rng: np.random.Generator, cases: list[Case]) -> dict[str, list[Event]]:
    """Events by patient, drawn until their number and that of hypertension are as planned."""
    arms = [{c.id for c in cases if c.arm == k} for k in range(3)]
    for _ in range(3000):
        events = _draw(rng, cases)
        free = tuple(sum(not events[i] for i in of_arm) for of_arm in arms)
        pressure = [sum(any(e.term.name == "Hypertension" for e in events[i]) for i in of_arm) for of_arm in arms]
        in_bounds = all(a <= b <= c for a, b, c in zip(LEAST_HYPERTENSION, pressure, MOST_HYPERTENSION, strict=True))
        total = sum(map(len, events.values()))
        if free == FREE and in_bounds and EVENTS[0] <= total <= EVENTS[1] and _liver_is_telling(events):
            return events
    raise RuntimeError("no adverse events as planned")


def _liver_is_telling(events: dict[str, list[Event]]) -> bool:
    """Whether two patients have a grade 2 of a transaminase, one of bilirubin, and nobody of both."""
    high = {test: {i for i, own in events.items() for e in own if e.term.test == test and e.grade == 2} for test in ("alt", "bili")}
    either = {i for i, own in events.items() if {"alt", "bili"} <= {e.term.test for e in own}}
    return len(high["alt"]) >= 2 and len(high["bili"]) >= 1 and not either


def _draw(rng: np.random.Generator, cases: list[Case]) -> dict[str, list[Event]]:
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


def _of_patient(rng: np.random.Generator, c: Case, severe: str | None) -> list[Event]:
    """Draw the events of one patient: at least one, and what the changes of the dose were made for."""
    for _ in range(400):
        events: list[Event] = []
        for term in TERMS:
            if term.name == severe or rng.random() < _chance(c, term):
                events += _episodes(rng, c, term, term.name == severe)
        if c.drug and c.drug.stopped:
            events.append(_stop(rng, c))
            events = [e for e in events if e.term.name != events[-1].term.name or e is events[-1]]
        events += _with_alanine(rng, events)
        events.sort(key=lambda e: (e.day, e.term.name))
        if events and (severe is None or any(e.grade == 3 for e in events)) and _act(rng, c, events):
            return events
    raise RuntimeError(f"no events for {c.id}")


def _with_alanine(rng: np.random.Generator, events: list[Event]) -> list[Event]:
    """Return the rise of the other transaminase that mostly goes with one of ALT."""
    if any(e.term.test == "ast" for e in events):
        return []
    term = BY_NAME["Aspartate aminotransferase increased"]
    return [Event(term, 1, e.day, e.end, e.related) for e in events if e.term.test == "alt" and rng.random() < 0.75]


def _chance(c: Case, term: _Term) -> float:
    seeds = term.seeds if c.seeds and (not term.sites or _sites(c) & set(term.sites)) else 0
    return 1 - (1 - (term.drug if c.drug else 0)) * (1 - seeds)


def _sites(c: Case) -> set[str]:
    return {c.course.sites[lesion] for lesion in c.seeds}


def _episodes(rng: np.random.Generator, c: Case, term: _Term, severe: bool) -> list[Event]:
    """One event, and some that pass come back while the drug is given."""
    here = bool(c.seeds) and (not term.sites or bool(_sites(c) & set(term.sites)))
    of_seeds = here and term.seeds > 0 and (not c.drug or rng.random() < term.seeds / (term.seeds + term.drug))
    grade = 3 if severe else 1 + int(rng.random() < term.grade_2)
    first = _event(rng, c, term, grade, of_seeds=of_seeds)
    if first is None:
        return []
    if of_seeds or first.end is None or term.lasts > 120 or rng.random() > RECURS:
        return [first]
    again = _event(rng, c, term, min(grade, 2), of_seeds=False, after=first.end + 20)
    return [first] if again is None else [first, again]


def _event(rng, c: Case, term: _Term, grade: int, *, of_seeds: bool, after: int = 0) -> Event | None:
    """One event inside the time at risk and the observation; None if it would fall outside."""
    if of_seeds:
        lesions = [i for i in c.seeds if not term.sites or c.course.sites[i] in term.sites]
        start = c.seeds[int(rng.choice(lesions))]
        last = start + SEED_WINDOW
    else:
        start = c.drug.start
        last = c.patient.contact if c.drug.end is None else c.drug.end
    last = min(last, c.patient.contact - 2)
    day = _onset(rng, term, start, last, of_seeds=of_seeds, after=after)
    if term.test:
        days = [d for d in drawn_on(c, term.test) if d >= day]
        day = days[0] if days else last + 1
    if day > last:
        return None
    end = _end(rng, c, term, day, of_seeds=of_seeds)
    related = _cause(rng, c, term, of_seeds)
    if term.name in LUNG_INJURY and c.drug and c.drug.start <= day <= (c.drug.end or c.patient.contact):
        return Event(term, grade, day, end, "both", "interrupted")
    if related == "both" and not any(0 <= day - start <= SEED_WINDOW for start in c.seeds.values()):
        related = "drug"
    return Event(term, grade, day, end, related)


def _end(rng: np.random.Generator, c: Case, term: _Term, day: int, *, of_seeds: bool) -> int | None:
    """Draw the day on which an event that began on `day` is over; None if that was not seen."""
    end = day + max(2, round(rng.lognormal(np.log(term.lasts), 0.5)))
    if not of_seeds:
        if term.lasts >= 150 and rng.random() < LASTS_ON_DRUG:
            end = c.patient.contact + 1
        if c.drug.end is not None and end > c.drug.end:  # what the drug does passes after it
            end = c.drug.end + int(rng.integers(12, 60))
    if term.test == "tsh":  # ends with the first sample that shows what more thyroxine has done
        return next((d for d in drawn_on(c, "tsh") if d >= day + THYROXINE), None)
    return None if end > c.patient.contact else end


def _onset(rng, term: _Term, start: int, last: int, *, of_seeds: bool, after: int) -> int:
    """Draw the day of onset: with the drug mostly in its first months, else at any time on it."""
    early = start + int(rng.integers(term.onset[0], term.onset[1] + 1))
    if after:
        return after + int(rng.integers(0, 120))
    if of_seeds or rng.random() < EARLY or last - start <= term.onset[1]:
        return early
    return start + int(rng.integers(term.onset[0], last - start + 1))


def _cause(rng: np.random.Generator, c: Case, term: _Term, of_seeds: bool) -> str:
    """To what the event is put down."""
    if (term.name in NOT_OF_TREATMENT and rng.random() < TO_DISEASE[of_seeds]) or (term.name == "Cough" and not of_seeds):
        return "no"
    if of_seeds:
        if term.name in ("Weight loss", "Anorexia"):
            return "no"
        return "both" if c.drug and term.drug and rng.random() < 0.5 else "procedure"
    return "both" if c.seeds and term.seeds and not term.sites and rng.random() < 0.3 else "drug"


def _stop(rng: np.random.Generator, c: Case) -> Event:
    """Return the event for which the drug was stopped, a few days before its last day."""
    term = BY_NAME[str(rng.choice(STOPS))]
    day = c.drug.end - int(rng.integers(1, 9))
    return Event(term, 2, day, c.drug.end + int(rng.integers(10, 45)), "drug", "stopped")


def _act(rng: np.random.Generator, c: Case, events: list[Event]) -> bool:
    """Say what was done about each event; False if no event was there for a change of the dose that is recorded."""
    for event in events:
        if event.term.name == "Pneumothorax" and event.grade == 2:
            event.serious = 1  # a drain, in hospital
        if event.grade == 3:
            event.serious = int(rng.random() < 0.6)
            event.related = "no" if not c.drug else "drug"
            if not c.drug:  # nobody whose tumour shrinks loses a fifth of the weight
                event.term, event.end, event.serious = ILLNESS, event.day + ILLNESS.lasts, 1
    if not c.drug:
        return True
    last = c.patient.contact if c.drug.end is None else c.drug.end
    due = [e for e in events if e.grade >= 2 and e.related in ("drug", "both") and c.drug.start < e.day <= last
           and (e.grade == 3 or e.term.name not in TREATED_OTHERWISE)]  # fmt: skip
    open_to = [e for e in due if e.action == "none"]
    steps = (c.drug.start_dose - c.drug.lowest_dose) // 2
    if len({e.day for e in open_to}) < steps:
        return False
    for event in sorted(open_to, key=lambda e: (-e.grade, e.day))[:steps]:
        event.action = "reduced"
    for event in open_to:
        if event.action == "none" and (event.grade == 3 or rng.random() < 0.2):
            event.action = "interrupted"
    return len({e.day for e in due if e.action == "reduced"}) == steps


def _end_seen(c: Case, event: Event) -> int | None:
    """Return the last day of an event; none for what goes with dying and was there in the last weeks."""
    lasts = c.patient.dead and event.term.name in WASTING and event.end is not None and event.end > c.patient.contact - LAST_MONTHS
    return None if lasts else event.end


def adverse_event_rows(cases: list[Case], events: dict[str, list[Event]]) -> list[dict]:
    """Rows of adverse_events.csv, ordered by patient and onset."""
    return [
        {
            "patient_id": c.id, "term": e.term.name, "system": e.term.system, "grade": e.grade,
            "onset_date": c.date(e.day), "end_date": c.date(end), "related": e.related, "serious": e.serious,
            "action": e.action, "outcome": "recovered" if end is not None else "not recovered",
        }
        for c in cases for e in events[c.id] for end in [_end_seen(c, e)]
    ]  # fmt: skip
