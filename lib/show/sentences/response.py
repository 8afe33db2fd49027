"""Sentences on tumour response: rates, time to it, survival by it."""

from __future__ import annotations

__all__ = [
    "sentence_criteria",
    "sentence_first_response",
    "sentence_later_response",
    "sentence_response",
    "sentence_response_time",
    "sentence_survival_by_response",
]

import pandas as pd

from lib.analyses.efficacy.criteria import DECLARED, Criteria
from lib.analyses.efficacy.response import NON_RESPONDER, RESPONDER, ResponseRates, ResponseTime
from lib.analyses.result import where
from lib.dataset.dataset import Dataset
from lib.show.formats import (
    capitalised,
    format_ci,
    format_duration,
    format_interval,
    format_number,
    format_p,
    format_percent,
    format_whole,
    joined,
    said_share,
)
from lib.show.labels import inside
from lib.show.sentences.absent import reason_if_absent
from lib.show.verdict import GRAY, OverallTest, below, exact_test, say_arms, say_tests
from lib.show.ways import criteria_label


@reason_if_absent
def sentence_response(response: ResponseRates) -> str:
    """Objective response at every response visit, with the exact test."""
    return " ".join(_at_visit(response, visit) for visit in response.dataset.response_visits)


@reason_if_absent
def sentence_first_response(response: ResponseRates) -> str:
    """Objective response at the first response visit."""
    return " ".join(_at_visit(response, visit) for visit in response.dataset.response_visits[:1])


@reason_if_absent
def sentence_later_response(response: ResponseRates) -> str:
    """Objective response at the response visits after the first."""
    return " ".join(_at_visit(response, visit) for visit in response.dataset.response_visits[1:])


def _at_visit(response: ResponseRates, visit: float) -> str:
    data = response.dataset
    rates = where(response["objective_response_treated"], time=visit)
    parts = []
    for arm in data.arms:
        row = rates[rates["group"] == arm.id].iloc[0]
        interval = format_interval(row["ci_low"], row["ci_high"], 0, percent=True)
        told = said_share(row["count"], row["n"])
        told += f" ({format_percent(row['proportion'])}; {interval})" if pd.notna(row["proportion"]) else ""
        parts.append(f"{told} with {arm.label}" if row["n"] else f"nobody due with {arm.label}")
    by = f" by {inside(criteria_label(data, data.criteria))}" if data.criteria else ""
    text = f"At {format_duration(visit, data.study.time.unit)} an objective response{by} was seen in {joined(parts)}."
    if "objective_response_treated_test" not in response:
        return text
    test = where(response["objective_response_treated_test"], time=visit).iloc[0]
    pairs = where(response["objective_response_treated_pairwise"], time=visit)
    return f"{text} {say_arms(data, exact_test(test), pairs)}"


@reason_if_absent
def sentence_response_time(timed: ResponseTime) -> str:
    """Share of each arm with a response by the last response visit."""
    data = timed.dataset
    rows = timed["response_incidence"]
    end = rows["time"].max()
    last = rows[rows["time"] == end]
    parts = [
        f"{format_percent(r.estimate)} with {data.study.arm(r.group).label}"
        for r in last[last["estimate"].notna()].itertuples()
    ]
    unknown = [data.study.arm(group).label for group in last.loc[last["estimate"].isna(), "group"]]
    when = f"{format_number(end, 1)} {data.study.time.unit}"
    text = f"By {when} a response had come in {joined(parts)} (cumulative incidence; progression and death compete)"
    if unknown:
        never = f"it cannot be told how many had responded by {when} with {joined(unknown, 'or')}"
        text = f"{text}; {never}" if parts else capitalised(never)
    if "response_incidence_test" not in timed:
        return f"{text}."
    test = timed["response_incidence_test"].iloc[0]
    return f"{text}. {say_arms(data, OverallTest(GRAY, test['p_value'], test['note']))}"


@reason_if_absent
def sentence_survival_by_response(timed: ResponseTime) -> str:
    """Responders against non-responders from the last landmark at which both can be compared."""
    data = timed.dataset
    if "response_landmark" not in timed:
        return ""
    known = timed["response_landmark"].dropna(subset=["hr", "p_value"])
    if known.empty:
        return "Responders cannot be compared with non-responders: too few events or patients beyond the landmark."
    row = known.iloc[0]
    medians = timed["response_landmark_median"]
    medians = medians[(medians["variable"] == row["variable"]) & (medians["time"] == row["time"])].set_index("group")
    sizes = [f"{format_whole(medians.at[g, 'n'])} {g}s" for g in (RESPONDER, NON_RESPONDER)]
    short, unit = data.study.endpoint(row["variable"]).short, data.study.time.unit
    verdict = say_tests("responders and non-responders", OverallTest("log-rank", row["p_value"]))
    return (
        f"Among those still free of the event at {format_number(row['time'], 1)} {unit} ({joined(sizes)}), the hazard ratio for {inside(short)} with a response is "
        f"{format_number(row['hr'], 2)} ({format_ci(data.parameters.level, row['ci_low'], row['ci_high'], 2)}). {verdict} Response marks patients who do better; it is no proof that responding is what helped."
    )


@reason_if_absent
def sentence_criteria(criteria: Criteria) -> str:
    """Whether the verdict on the response hangs on the criteria, visit by visit."""
    data = criteria.dataset
    if "criteria_test" not in criteria:
        return ""
    tests = criteria["criteria_test"].dropna(subset=["p_value"])
    declared = tests[tests["variable"] == DECLARED].set_index("time")["p_value"]
    said = [_by_criteria(data, time, tests[tests["time"] == time], p) for time, p in declared.items()]
    return " ".join(said) or "By no criteria could the response of the arms be compared."


def _by_criteria(data: Dataset, time: float, tests: pd.DataFrame, declared: float) -> str:
    """What other criteria make of the verdict at one visit."""
    others = tests[tests["variable"] != DECLARED]
    when, verdict = format_duration(time, data.study.time.unit), "tell the arms apart" if below(declared) else "do not tell the arms apart"
    start = f"At {when} the declared criteria {verdict} ({format_p(declared, symbol=True)})"
    if others.empty:
        return f"{start}; no others could be applied."
    turned = others[others["p_value"].map(below) != below(declared)]
    shown = joined([f"{inside(criteria_label(data, r.variable))} ({format_p(r.p_value, symbol=True)})" for r in (others if turned.empty else turned).itertuples()])
    if turned.empty:
        return f"{start}, {'and so do' if below(declared) else 'nor do'} {shown}."
    return f"{start}; by {shown} the verdict is the other one, so it depends on how a response is defined."
