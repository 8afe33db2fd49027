"""What the next trial would need: for the effect that was seen, for the cautious end of its interval, for one worth having.

Events follow from an effect alone. Patients follow from events by what this study found of accrual, follow-up and loss.
"""

from __future__ import annotations

__all__ = ["LIMIT", "MOST_EVENTS", "POWERS", "SEEN", "WORTHWHILE", "NextTrial", "analyse_next_trial"]

from math import ceil, inf, isinf, nan
from typing import NamedTuple

import numpy as np
import pandas as pd

from lib.analyses.cohort.flow import analyse_completeness
from lib.analyses.efficacy.survival import Survival
from lib.analyses.outlook.best_response import count_best_responses
from lib.analyses.result import Absent, Analysis, absent_if_absent
from lib.analyses.verdicts import FITTED, REFUSED, WEAK, Verdict, as_sentence, said_formed, verdict_frame
from lib.dataset.dataset import Dataset
from lib.statistics import planning, proportions
from lib.statistics.comparisons import name_pair
from lib.statistics.survival import kaplan_meier
from lib.statistics.survival.event_table import OVERALL

POWERS = (0.8, 0.9)
SEEN, LIMIT, WORTHWHILE = "seen", "limit", "worthwhile"
# An allocation nearer to equal than this costs less than 1 % more events: 1 / (4 * 0.45 * 0.55) = 1.01.
NEARLY_EQUAL = 0.05
# More than the largest trials have; a formula that asks for more says that there is no effect to look for.
MOST_EVENTS = 100_000
# With fewer the two formulas lie on both sides of the power that is had, by five points and more (docs/trust.md).
FEW_EVENTS = 20
# One patient moves a share of fewer than ten patients by more than ten points.
LEAST_PATIENTS = 10
# From so few to so many events power is drawn.
DRAWN = (10, 2000)
NO_WORTHWHILE = "no {} worth having is declared (worthwhile in study.yml)"
PLAN_FOR = "A trial is planned for the smallest effect worth having, and not for the one seen: what made a study worth following up is on average too large."
OFF = "so the effect seen, and the assurance with it, may be wrong by more than chance"


class NextTrial(Analysis):
    """What the next trial of focus and reference arm would need."""


class Effect(NamedTuple):
    """An effect to plan for, or why there is none: a hazard ratio, or the share of responders with the arm named first."""

    term: str
    size: float
    why: str = ""


class Course(NamedTuple):
    """How the patients of the next trial are taken to come, stay and have events; NaN: not known here."""

    rate: float
    follow_up: float
    hazard: float
    loss: float


@absent_if_absent
def analyse_next_trial(data: Dataset, analysis: Survival) -> NextTrial | Absent:
    """Size of a trial of the focus against the reference arm, and of one of all arms.

    Parameters
    ----------
    data : Dataset
    analysis : Survival

    Returns
    -------
    NextTrial
        `next_trial` (per effect, power and allocation: events by Schoenfeld and by Freedman, patients, time to enrol
        them, assurance), `next_trial_assumed` (accrual, follow-up, hazard of the reference arm, loss, with where each
        comes from), with three arms or more `next_trial_arms` (events of one test of all), and with responses
        `next_response` (patients of each arm). Data: `curve` (power and assurance by events), `verdicts`. `Absent` for
        one arm.
    """
    if len(data.arms) < 2:
        return Absent("With one arm there is no comparison from which a trial could be planned.")
    pair, share = name_pair(*data.contrast), _share(data, analysis)
    ratio = analysis.row("cox", pair)
    effects = _effects(data, ratio)
    assumed = _assumed(data, analysis)
    course = Course(*(float(x) for x in assumed["estimate"]))
    allocations = {"equal": 0.5} | ({"as here": share} if NEARLY_EQUAL < abs(share - 0.5) < 0.5 else {})
    rows = [_row(effect, power, allocation, ratio, course) for effect in effects for allocation in allocations.items() for power in POWERS]
    method = "log-rank test, two-sided 5%: events (Schoenfeld 1981; Freedman 1982), assurance"
    frames = {"next_trial": pd.DataFrame(rows).assign(group=pair, method=method), "next_trial_assumed": assumed}
    verdicts = [_verdict(data, data.study.endpoint(analysis.variable).short, effects)]
    if len(data.arms) > 2:
        frames["next_trial_arms"] = _several(data, analysis)
    responses, judged = _responses(data, pair)
    frames |= {"next_response": responses} if responses is not None else {}
    return NextTrial(data, analysis.variable, frames, {"curve": _curve(effects, ratio), "verdicts": verdict_frame([*verdicts, *judged])})


def _share(data: Dataset, analysis: Survival) -> float:
    """Share of the focus arm among the patients of both arms with a known time."""
    sizes = analysis["tte"]["arm"].value_counts()
    first, second = (int(sizes.get(arm, 0)) for arm in data.contrast)
    return first / max(first + second, 1)


def _effects(data: Dataset, ratio: pd.Series) -> list[Effect]:
    """The hazard ratios to plan for."""
    seen, limit, worth = ratio["hr"], ratio["ci_high"], data.study.worthwhile
    if np.isnan(seen):
        why = str(ratio["note"]) or "no hazard ratio"
        found = [Effect(SEEN, nan, why), Effect(LIMIT, nan, why)]
    elif seen >= 1:
        why = "the arm named first has no fewer events here: nothing to plan a trial for"
        found = [Effect(SEEN, nan, why), Effect(LIMIT, nan, why)]
    elif not limit < 1:
        why = "no upper limit" if np.isnan(limit) else "the interval holds 1: for its limit no size suffices"
        found = [Effect(SEEN, float(seen), "the interval holds 1: there may be no effect to find"), Effect(LIMIT, nan, why)]
    else:
        found = [Effect(SEEN, float(seen)), Effect(LIMIT, float(limit))]
    declared = worth.hazard_ratio if worth else None
    return [*found, Effect(WORTHWHILE, declared) if declared else Effect(WORTHWHILE, nan, NO_WORTHWHILE.format("hazard ratio"))]


def _row(effect: Effect, power: float, allocation: tuple[str, float], ratio: pd.Series, course: Course) -> dict:
    """One line: an effect, a power and an allocation (its name and share)."""
    how, share = allocation
    row = {"variable": f"{effect.term}, power {power:.0%}, {how}", "term": effect.term, "step": how, "hr": effect.size, "power": power, "allocation": share}
    row |= dict.fromkeys(("events_needed", "events_freedman", "patients_needed", "duration", "assurance"), nan)
    if np.isnan(effect.size):
        return row | {"note": effect.why}
    events, others = (_whole(count(effect.size, power, share)) for count in (planning.events_by_schoenfeld, planning.events_by_freedman))
    if max(events, others) > MOST_EVENTS:
        return row | {"note": f"more than {MOST_EVENTS} events: no trial is that large"}
    few = f"so few events that the formulas are rough: fewer than {FEW_EVENTS}" if events < FEW_EVENTS else ""
    row |= {"events_needed": events, "events_freedman": others, "note": "; ".join(filter(None, [effect.why, few]))}
    if pd.notna(ratio["std_err"]):
        row["assurance"] = planning.estimate_assurance(events, ratio["coef"], ratio["std_err"], share)
    patients, duration = _patients(events, effect.size, share, course)
    return row | {"patients_needed": patients, "duration": duration}


def _patients(events: float, hr: float, share: float, course: Course) -> tuple[float, float]:
    """Patients and the time that their enrolment takes; NaN where this study does not tell."""
    if np.isnan(course.hazard) or np.isnan(course.follow_up):
        return nan, nan
    rate, loss = (_nan_as(value, other) for value, other in ((course.rate, inf), (course.loss, 0.0)))
    found, duration = planning.patients_for_events(events, (hr * course.hazard, course.hazard), (share, 1 - share), follow_up=course.follow_up, rate=rate, loss=loss)
    return (nan, nan) if isinf(found) else (_whole(found), nan if isinf(rate) else duration)


def _nan_as(value: float, other: float) -> float:
    """A number, or what stands for one that is not known."""
    return other if np.isnan(value) else value


def _whole(number: float) -> float:
    """Whole events or patients, rounded up; what a division left of a whole number does not count."""
    return number if isinf(number) else float(ceil(number - 1e-9))


def _assumed(data: Dataset, analysis: Survival) -> pd.DataFrame:
    """What patients are derived by, and where it comes from: rows as the fields of `Course`."""
    unit, tte = data.study.time.unit, analysis["tte"]
    per = f"per {unit.removesuffix('s')}"
    rows = [("accrual", OVERALL, *_accrual(data), f"patients {per}")]
    follow_up = kaplan_meier.estimate_follow_up(tte, overall=True).set_index("group").at[OVERALL, "median"]
    rows.append(("follow_up", OVERALL, follow_up, "" if pd.notna(follow_up) else "the median follow-up is not reached", f"{unit}, median of reverse Kaplan-Meier"))
    reference = tte[tte["arm"] == data.reference]
    events, time = int(reference["event"].sum()), float(reference["time"].sum())
    hazard = events / time if events and time > 0 else nan
    rows.append(("hazard", data.reference, hazard, "no event in the reference arm" if np.isnan(hazard) else "", f"events {per} under observation"))
    rows.append(("loss", OVERALL, *_loss(data, analysis), f"{per} under observation: lost or with a competing event"))
    return pd.DataFrame(rows, columns=["variable", "group", "estimate", "note", "method"])


def _accrual(data: Dataset) -> tuple[float, str]:
    """Patients who began per unit of time between the first and the last day on which one did."""
    if "time_zero" not in data.patients:
        return nan, "no dates"
    days = data.patients["time_zero"].dropna()
    span = (days.max() - days.min()).days / data.study.time.days_per_unit if len(days) else 0
    return (len(days) / span, "") if span > 0 else (nan, "no time passed between the first and the last patient")


def _loss(data: Dataset, analysis: Survival) -> tuple[float, str]:
    """Patients who left without the event before the end, per time under observation."""
    tte, complete = analysis["tte"], analyse_completeness(data, data.study.endpoint(analysis.variable))
    time, competing = float(tte["time"].sum()), int(tte["cause"].eq(2).sum())
    if not time > 0:
        return nan, "no time under observation"
    if isinstance(complete, Absent):
        return competing / time, f"{'all with a competing event; ' if competing else ''}no dates, so nobody is known to be lost"
    lost = complete["follow_up_lost"]
    return (int(lost[lost["group"] != OVERALL]["count"].sum()) + competing) / time, ""


def _several(data: Dataset, analysis: Survival) -> pd.DataFrame:
    """Events of one log-rank test of all arms of one size."""
    others = [arm.id for arm in data.arms if arm.id != data.reference]
    ratios = [analysis.row("cox", name_pair(arm, data.reference)) for arm in others]
    coefs, worth = [0.0, *(float(row["coef"]) for row in ratios)], data.study.worthwhile
    declared = worth.hazard_ratio if worth else None
    missing = next((str(row["note"]) or "no hazard ratio" for row in ratios if np.isnan(row["coef"])), "")
    found = [
        (SEEN, None if missing else coefs, missing),
        (WORTHWHILE, planning.halfway(declared, len(data.arms)) if declared else None, "" if declared else NO_WORTHWHILE.format("hazard ratio")),
    ]
    rows = []
    for term, logs, note in found:
        for power in POWERS:
            events = nan if logs is None else _whole(planning.events_of_several(logs, power))
            large = events > MOST_EVENTS
            rows.append({
                "variable": f"{term}, power {power:.0%}", "term": term, "group": OVERALL, "power": power, "df": len(coefs) - 1,
                "events_needed": nan if large else events, "note": f"more than {MOST_EVENTS} events: no trial is that large" if large else note,
            })  # fmt: skip
    return pd.DataFrame(rows).assign(method="log-rank test of all arms, 5%, noncentral chi-square (Ahnn and Anderson 1998)")


def _responses(data: Dataset, pair: str) -> tuple[pd.DataFrame | None, list[Verdict]]:
    """Patients of each arm for the difference in best objective responses, and what becomes of it."""
    counts = count_best_responses(data)
    if counts is None:
        return None, []
    arms = counts.set_index("group").loc[list(data.contrast)]
    rates = (arms["count"] / arms["n"].where(arms["n"] > 0)).to_numpy(float)
    found = proportions.estimate_risk_difference(counts, data.reference, level=data.parameters.level).set_index("group").loc[pair]
    few = bool((arms["n"] < LEAST_PATIENTS).any())
    effects, worth = _differences(rates, float(found["ci_low"]), few=few), data.study.worthwhile
    gain = worth.response_difference if worth else None
    effects.append(_worthwhile(rates[1], gain, few=few))
    rows = []
    for effect in effects:
        for power in POWERS:
            known = not np.isnan(effect.size)
            sizes = [_whole(planning.patients_by_fleiss(effect.size, rates[1], power, corrected=c)) if known else nan for c in (False, True)]
            rows.append({
                "variable": f"response {effect.term}, power {power:.0%}", "term": effect.term, "group": pair, "power": power, "estimate": effect.size,
                "difference": effect.size - rates[1], "patients_needed": sizes[0], "patients_corrected": sizes[1], "note": effect.why,
            })  # fmt: skip
    method = "chi-square test of two shares, two-sided 5%, without and with continuity correction (Fleiss, Tytun and Ury 1980)"
    return pd.DataFrame(rows).assign(method=method), [_verdict(data, "best objective response", effects)]


def _differences(rates: np.ndarray, low: float, *, few: bool) -> list[Effect]:
    """The share of responders seen with the arm named first, and at the cautious end of the difference's interval."""
    difference = rates[0] - rates[1]
    if few or np.isnan(difference) or difference <= 0:
        why = f"fewer than {LEAST_PATIENTS} patients in an arm" if few else "the arm named first has no more responses here: nothing to plan a trial for"
        return [Effect(SEEN, nan, why), Effect(LIMIT, nan, why)]
    if low > 0:
        return [Effect(SEEN, rates[0]), Effect(LIMIT, min(rates[1] + low, 1.0))]
    return [
        Effect(SEEN, rates[0], "the interval of the difference holds 0: there may be none to find"),
        Effect(LIMIT, nan, "the interval of the difference holds 0: for its limit no size suffices"),
    ]


def _worthwhile(rate: float, gain: float | None, *, few: bool) -> Effect:
    """The share of responders that would be worth having."""
    if gain is None:
        return Effect(WORTHWHILE, nan, NO_WORTHWHILE.format("gain in responders"))
    if few:
        return Effect(WORTHWHILE, nan, f"fewer than {LEAST_PATIENTS} patients in an arm")
    room = rate + gain <= 1
    return Effect(WORTHWHILE, rate + gain if room else nan, "" if room else "the reference arm leaves no room for it")


def _curve(effects: list[Effect], ratio: pd.Series) -> pd.DataFrame:
    """Power for each effect, and assurance, by events of two arms of one size."""
    events = np.unique(np.geomspace(*DRAWN, 120).round())
    known = {effect.term: planning.estimate_power(events, effect.size) for effect in effects if not np.isnan(effect.size)}
    if pd.notna(ratio["std_err"]):
        known["assurance"] = planning.estimate_assurance(events, ratio["coef"], ratio["std_err"])
    return pd.DataFrame({"events": events} | known)


def _verdict(data: Dataset, about: str, effects: list[Effect]) -> Verdict:
    seen, worth = effects[0], effects[2]
    name = f"Size of the next trial, {about}"
    if np.isnan(seen.size) and np.isnan(worth.size):
        return Verdict(name, REFUSED, f"{as_sentence(seen.why)} {as_sentence(worth.why)}")
    whys = [seen.why, worth.why, f"{said_formed(data)}, {OFF}" if data.study.by_design.may_be_confounded else ""]
    return Verdict(name, WEAK if any(whys) else FITTED, " ".join(filter(None, map(as_sentence, whys))), PLAN_FOR)
