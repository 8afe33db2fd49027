"""The same question, many answers: one endpoint compared by other tests, other definitions, other clocks, other cases.

Every way is a row; a way that a study cannot go stays as a row and says why. Chooses the ways, computes nothing.
"""

from __future__ import annotations

__all__ = ["WAYS", "Robustness", "analyse_robustness", "answers"]

from collections.abc import Callable

import numpy as np
import pandas as pd

from lib.analyses.efficacy.survival import Survival
from lib.analyses.policy import too_few, withhold
from lib.analyses.result import Absent, Analysis, absent_if_absent, where
from lib.analyses.robustness import definitions
from lib.dataset import timing
from lib.dataset.dataset import Dataset
from lib.dataset.derived import time_to_event_frame
from lib.statistics import balance
from lib.statistics.comparisons import count_below, name_pair
from lib.statistics.models import cox, firth
from lib.statistics.survival import competing, interval_censored, landmark, logrank, sensitivity
from lib.statistics.survival.event_table import OVERALL
from lib.study.endpoints import Endpoint
from lib.study.parts import own

# Of every random number here; the Monte Carlo error is shown beside what it made.
SEED, N_RESAMPLES, N_SIMULATIONS = 20250228, 10_000, 2_000

# Id -> (heading, what was done in plain words), in the order of the page. `{focus}` is the label of the focus arm.
TESTS = "Other tests of the same data"
EVENTS = "Other definitions of the event"
CLOCKS = "Other starts of the clock and other strata"
CASES = "Single patients and the censored"
WAYS = {
    "declared": (TESTS, "As declared: log-rank test"),
    "score": (TESTS, "Cox model: score test"),
    "likelihood_ratio": (TESTS, "Cox model: likelihood-ratio test"),
    "wald": (TESTS, "Cox model: Wald test"),
    "firth": (TESTS, "Cox model with Firth's penalty"),
    "peto": (TESTS, "Peto-Peto test (early events count more)"),
    "permutation": (TESTS, "Permutation log-rank test"),
    "rmst": (TESTS, "Difference in mean event-free time"),
    "pairwise": (TESTS, "Log-rank test of the pair, adjusted by Holm"),
    "first_event": (EVENTS, "Only {event} is an event, {other} censors"),
    "competing": (EVENTS, "Only {event} is an event, {other} competes: Gray's test"),
    "composite": (EVENTS, "{event} or {other}, whichever came first"),
    definitions.FIELD: (EVENTS, "Of progression only growth of what the arm treats counts"),
    definitions.CENSORED: (EVENTS, "Progression is growth, a new lesion censors"),
    definitions.COMPETING: (EVENTS, "Progression is growth, a new lesion competes: Gray's test"),
    definitions.IGNORED: (EVENTS, "Progression is growth, new lesions do not count"),
    "later_component": (CLOCKS, "Clock starts with the later component of a combination"),
    "landmark": (CLOCKS, "Only who is free of the event at {time}, clock restarted"),
    "midpoint": (CLOCKS, "Progression half-way between two scans"),
    "calendar": (CLOCKS, "Compared within calendar years of the start"),
    "interval": (CLOCKS, "Progression at an unknown time between two scans: permutation test"),
    "stratified": (CLOCKS, "Compared within the levels of {strata}"),
    "leave_one_out": (CASES, "Without each patient in turn: range of p"),
    "fragile_event": (CASES, "Fragility, {focus}: censored turned into events"),
    "fragile_censored": (CASES, "Fragility, {focus}: events turned into censored"),
    "worst": (CASES, "Worst case for {focus} among the censored"),
    "best": (CASES, "Best case for {focus} among the censored"),
}
# Bounds and reversals are no answers to the question, so they do not count among them.
NO_ANSWER = ("leave_one_out", "fragile_event", "fragile_censored", "worst", "best")
ONE_KIND = "the endpoint has one kind of event"
OUTCOME = ["arm", "time", "event"]
SHOWN = ["n", "n_missing", "n_events", "hr", "difference", "ci_low", "ci_high", "p_value", "p_adjusted", "mc_error", "min", "max",
         "count", "method", "note"]  # fmt: skip


class Robustness(Analysis):
    """An endpoint by other tests, definitions and clocks."""


@absent_if_absent
def analyse_robustness(data: Dataset, analysis: Survival) -> Robustness | Absent:
    """Ask again, in every way of `WAYS`, whether the arms differ in one endpoint.

    Parameters
    ----------
    data : Dataset
    analysis : Survival
        Of `time_to_event.analyse`.

    Returns
    -------
    Robustness
        `robustness`: one row per way and group (`overall`: the test of all arms; the focus arm vs the reference arm:
        its hazard ratio; for restricted means and Holm each arm vs the reference arm); `variable` is
        "endpoint: way", `time` the landmark. `robustness_tests`: how many of these answer the question, and how many
        p-values there are in all, with those below 0.05. What rests on too few events says so (policy). `power`, `detectable` (see
        sensitivity), where scans are recorded `scan_interval` (days between scans by arm), where progression is found at
        scans `interval_median` and `interval_landmark` (bounds, as the time between scans is unknown), and for an endpoint of two
        kinds of event `incidence` and `incidence_other` (cumulative incidence of each, the other competing).
        `Absent` for one arm.
    """
    if len(data.arms) < 2:
        return Absent("With one arm there is no comparison whose robustness could be asked.")
    endpoint, tte = data.study.endpoint(analysis.variable), analysis["tte"]
    rows = pd.concat(
        [*_other_tests(data, analysis), *_other_events(data, endpoint, tte), *_other_progression(data, endpoint),
         *_other_clocks(data, endpoint, tte),
         *_other_cases(data, tte)], ignore_index=True)  # fmt: skip
    rows["variable"] = endpoint.id + ": " + rows["way"]
    others = [arm.id for arm in data.arms if arm.id != data.reference]
    frames = {
        "robustness": rows.drop(columns="way"),
        "robustness_tests": _count_tests(data, endpoint, rows),
        # What a test finds of the observed difference rises and falls with its p-value.
        "power": withhold(data, tte, sensitivity.estimate_power(tte, N_SIMULATIONS, SEED)),
        "detectable": sensitivity.find_detectable(tte, [(arm, data.reference) for arm in others]),
    }
    if data.holds("measurements"):
        gaps = balance.estimate_quantiles(timing.scan_gaps(data), ["days"])
        frames["scan_interval"] = gaps.drop(columns="variable").assign(method="days between two scans of a patient", unit="intervals")
    if endpoint.derived and not timing.why_no_midpoint(data, endpoint):
        intervals = timing.interval_frame(data, tte)
        frames["interval_median"] = interval_censored.bound_median(intervals)
        frames["interval_landmark"] = interval_censored.bound_landmarks(intervals, data.landmarks(endpoint))
    split = _two_causes(endpoint, tte)
    if split is not None:
        for name, cause in (("incidence", 1), ("incidence_other", 2)):
            frames[name] = competing.estimate_cumulative_incidence(
                split, data.landmarks(endpoint), cause, data.parameters.level
            )
    return Robustness(data, endpoint.id, frames, {"ways": rows} | ({} if split is None else {"competing": split}))


def answers(data: Dataset, ways: pd.DataFrame) -> pd.DataFrame:
    """One p-value per way that answers the question: of all arms, or of the contrast (after Holm where adjusted)."""
    asked = ways[~ways["way"].isin(NO_ANSWER)]
    asked = asked[(asked["group"] == OVERALL) | (asked["group"] == name_pair(*data.contrast))]
    return asked.assign(p_value=asked["p_adjusted"].fillna(asked["p_value"])).dropna(subset=["p_value"])


def _count_tests(data: Dataset, endpoint: Endpoint, ways: pd.DataFrame) -> pd.DataFrame:
    counted = {"answers": answers(data, ways)["p_value"], "p-values": ways["p_value"]}
    parts = [count_below(p).assign(variable=f"{endpoint.id}: {name}") for name, p in counted.items()]
    return pd.concat(parts, ignore_index=True)


def _rows(way: str, frame: pd.DataFrame, time: float = np.nan) -> pd.DataFrame:
    """Rows of one way, from what a test or estimator gave."""
    return frame.reindex(columns=["group", *SHOWN]).assign(way=way, time=time).fillna({"note": ""})


def _impossible(way: str, why: str, time: float = np.nan) -> pd.DataFrame:
    """The row of a way that this study cannot go."""
    return _rows(way, pd.DataFrame([{"group": OVERALL, "method": "not made", "note": f"not made: {why}"}]), time)


def _again(
    data: Dataset, way: str, tte: pd.DataFrame, time: float = np.nan, *, left: int = 0, strata: str | None = None
) -> pd.DataFrame:
    """Log-rank test of all arms and hazard ratio of the focus arm, on changed data or within strata.

    `left` are the patients left out: the event or the end of follow-up came before the clock starts, or no stratum is known.
    """
    model = cox.estimate_cox(tte, data.reference, level=data.parameters.level, strata=strata).terms
    ratio = where(model, group=name_pair(*data.contrast)).drop(columns=["n", "n_events", "p_value"])
    test, ratio = (withhold(data, tte, f) for f in (logrank.compare_logrank(tte, strata=strata), ratio))
    test = test.assign(n_missing=left or np.nan)
    return pd.concat([_rows(way, test, time), _rows(way, ratio, time)], ignore_index=True)


def _other_tests(data: Dataset, analysis: Survival) -> list[pd.DataFrame]:
    tte, pair, level = analysis["tte"], name_pair(*data.contrast), data.parameters.level
    ratio = where(analysis["cox"], group=pair).drop(columns=["p_value", "n", "n_events"])
    to_reference = [name_pair(arm.id, data.reference) for arm in data.arms if arm.id != data.reference]
    means = analysis["rmst_difference"].rename(columns={"estimate": "difference"})
    pairs = analysis["logrank_pairwise"]
    penalised = where(firth.estimate_firth(tte, data.reference, level=level), group=pair)
    peto, shuffled = logrank.compare_logrank(tte, rho=1), logrank.compare_permutation(tte, N_RESAMPLES, SEED)
    penalised, peto, shuffled = (withhold(data, tte, frame) for frame in (penalised, peto, shuffled))
    return [
        _rows("declared", analysis["logrank"]),
        _rows("declared", ratio),
        *[_rows(way, analysis[f"cox_{way}"]) for way in ("score", "likelihood_ratio", "wald")],
        _rows("firth", penalised),
        _rows("peto", peto),
        _rows("permutation", shuffled),
        _rows("rmst", means[means["group"].isin(to_reference)]),
        _rows("pairwise", pairs[pairs["group"].isin(to_reference)]),
    ]


def _two_causes(endpoint: Endpoint, tte: pd.DataFrame) -> pd.DataFrame | None:
    """Frame whose `cause` tells the first kind of event (1) from every other (2); None for one kind."""
    if endpoint.has_competing:
        return tte.assign(event=tte["cause"] == 1)
    if len(endpoint.events) < 2:
        return None
    first = tte["event"] & (tte["decided_by"] == endpoint.events[0])
    return tte.assign(cause=np.where(first, 1, np.where(tte["event"], 2, 0)), event=first)


def _other_events(data: Dataset, endpoint: Endpoint, tte: pd.DataFrame) -> list[pd.DataFrame]:
    split = _two_causes(endpoint, tte)
    if split is None:
        return [_impossible(way, ONE_KIND) for way in ("first_event", "competing")]
    gray = withhold(data, split, competing.compare_gray(split))
    found = [_again(data, "first_event", split), _rows("competing", gray)]
    if endpoint.has_competing:
        found.append(_again(data, "composite", split.assign(event=split["cause"] > 0)))
    return found


def _other_progression(data: Dataset, endpoint: Endpoint) -> list[pd.DataFrame]:
    """The endpoint by other meanings of progression; nothing where it has no other."""
    found = []
    for way, other in definitions.redefine(data, endpoint).items():
        if way == definitions.FIELD and (why := definitions.why_no_field(data)):
            found.append(_impossible(way, why))
            continue
        tte = time_to_event_frame(data, other)
        if way == definitions.COMPETING:
            # The same patients: who leaves with a new lesion is censored by the log-rank test, and competes in Gray's.
            found += [_again(data, definitions.CENSORED, tte), _rows(way, withhold(data, tte, competing.compare_gray(tte)))]
        else:
            found.append(_again(data, way, tte))
    return found


def _other_clocks(data: Dataset, endpoint: Endpoint, tte: pd.DataFrame) -> list[pd.DataFrame]:
    def changed(way: str, why_not: str, change: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        return (
            _impossible(way, why_not) if why_not else _again(data, way, frame := change(), left=len(tte) - len(frame))
        )

    ready = "" if endpoint.derived else "the endpoint comes as a time without dates"
    landmarks = data.study.sensitivity.landmarks
    found = [
        changed("later_component", ready or timing.why_no_components(data), lambda: timing.shifted_frame(data, tte)),
        *[_from_landmark(data, tte, time) for time in landmarks],
        *([] if landmarks else [_impossible("landmark", "the study declares no landmark (sensitivity)")]),
        changed("midpoint", ready or timing.why_no_midpoint(data, endpoint), lambda: timing.midpoint_time(data, tte)),
    ]
    found += [_between_scans(data, tte, ready or timing.why_no_midpoint(data, endpoint)), _stratified(data, tte)]
    if "time_zero" not in tte:
        return [*found, _impossible("calendar", "the study holds no date of time zero")]
    test = logrank.compare_logrank(tte[OUTCOME].assign(year=tte["time_zero"].dt.year.astype(int)), strata="year")
    return [*found, _rows("calendar", withhold(data, tte, test))]


def _between_scans(data: Dataset, tte: pd.DataFrame, why_not: str) -> pd.DataFrame:
    """Permutation test of the intervals in which the events lie."""
    if why_not := why_not or too_few(data, tte):
        return _impossible("interval", why_not)
    intervals = timing.interval_frame(data, tte)
    return _rows("interval", interval_censored.compare_intervals(intervals, N_RESAMPLES, SEED))


def _stratified(data: Dataset, tte: pd.DataFrame) -> pd.DataFrame:
    """Log-rank test and hazard ratio within the declared strata, all of them crossed."""
    strata = [own(variable) for variable in data.study.sensitivity.strata]
    if not strata:
        return _impossible("stratified", "not recorded: the study declares no site or other stratum (sensitivity.strata)")
    known = tte.loc[tte[strata].notna().all(axis=1), [*OUTCOME, *strata]]
    known = known.assign(stratum=known.groupby(strata, observed=True).ngroup())
    return _again(data, "stratified", known, left=len(tte) - len(known), strata="stratum")


def _from_landmark(data: Dataset, tte: pd.DataFrame, time: float) -> pd.DataFrame:
    frame = landmark.select_landmark(tte[OUTCOME], "arm", time)
    if len(frame) == len(tte):
        return _impossible(
            "landmark", "nobody had the event or left before, so it would be the declared test again", time
        )
    return _again(data, "landmark", frame, time, left=len(tte) - len(frame))


def _other_cases(data: Dataset, tte: pd.DataFrame) -> list[pd.DataFrame]:
    if why := too_few(data, tte):
        return [_impossible(way, why) for way, (heading, _) in WAYS.items() if heading == CASES]
    focus, tte = data.contrast[0], tte[OUTCOME]
    reversals = sensitivity.count_reversals(tte, focus)
    extremes = sensitivity.assume_extremes(tte, focus)
    return [
        _rows("leave_one_out", sensitivity.compare_without_each(tte)),
        *[_rows(f"fragile_{row}", where(reversals, variable=row)) for row in sensitivity.BECOMES],
        *[_again(data, way, extremes[way]) for way in ("worst", "best")],
    ]
