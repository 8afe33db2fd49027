"""Results -> sentences. Hedged by what n and p carry: never "no difference" from a large p, never "superior"."""

from __future__ import annotations

__all__ = [
    "ALPHA",
    "reason_if_absent",
    "sentence_baseline",
    "sentence_change",
    "sentence_comparison",
    "sentence_endpoint",
    "sentence_flow",
    "sentence_follow_up",
    "sentence_other_events",
    "sentence_progression",
    "sentence_queries",
    "sentence_response",
    "sentence_small",
    "sentence_survival",
]

from collections.abc import Callable
from functools import wraps

import pandas as pd

from lib.analysis import Absent, Analysis, where
from lib.comparisons import ALPHA
from lib.dataset import Dataset, subgroup_label
from lib.formats import (
    MASKED,
    format_count,
    format_duration,
    format_exact_p,
    format_interval,
    format_number,
    format_p,
    format_percent,
    format_time,
    format_whole,
    joined,
    plural,
)
from lib.labels import decimals_of_time, level_text, pair_label
from lib.longitudinal import measure
from lib.other_events import OTHER_EVENTS
from lib.study_parts import Endpoint
from lib.tables import SMALL_ARM

# A difference of this size in a baseline variable is expected by chance with arms of about 13 to 25 patients.
LARGE_SMD = 0.4


def reason_if_absent(say: Callable) -> Callable:
    """Let a sentence say why there is no analysis."""

    @wraps(say)
    def checked(data, analysis, *arguments):
        return analysis.reason if isinstance(analysis, Absent) else say(data, analysis, *arguments)

    return checked


def sentence_flow(data: Dataset) -> str:
    """Who is in the report."""
    arms = joined([f"{data.n[arm.id]} {arm.label}" for arm in data.arms])
    subgroup = subgroup_label(data.study, data.parameters)
    restricted = f" Only the subgroup {subgroup} is analysed." if subgroup else ""
    left_out = [arm.label for arm in data.study.arms if arm.id not in [a.id for a in data.arms]]
    arms_out = f" {joined(left_out)} {'is' if len(left_out) == 1 else 'are'} left out by parameter." if left_out else ""
    return f"{plural(len(data.patients), 'patient')} {'is' if len(data.patients) == 1 else 'are'} analysed: {arms}.{arms_out}{restricted}"


def sentence_baseline(data: Dataset, baseline: Analysis) -> str:
    """Which variables differ most between the arms."""
    if "baseline_smd" not in baseline:
        return "One arm: there is no balance to judge."
    largest = (
        where(baseline["baseline_smd"], group="overall")
        .dropna(subset=["smd"])
        .sort_values("smd", ascending=False, kind="stable")
    )
    if largest.empty:
        return "No standardized difference can be estimated."
    above = largest[largest["smd"] > LARGE_SMD]
    if above.empty:
        first = largest.iloc[0]
        return f"The largest standardized difference is {format_number(first['smd'], 2)} ({_label(data, first['variable'])})."
    named = [f"{_label(data, r.variable)} ({format_number(r.smd, 2)})" for r in above.head(4).itertuples()]
    more = f" and {len(above) - 4} more" if len(above) > 4 else ""
    return (
        f"The arms differ most in {joined(named)}{more} (largest standardized difference over all pairs). "
        + ("At these sizes 0.4 is expected by chance; the arms were not formed by chance, so every comparison below may be confounded."
           if data.n.min() < 30 else "Comparisons below may be confounded by them unless the arms were formed by chance.")
    )  # fmt: skip


def _label(data: Dataset, variable: str) -> str:
    label = data.study.variable(variable).label
    return label if label[:2].isupper() else label[0].lower() + label[1:]


@reason_if_absent
def sentence_follow_up(data: Dataset, analysis: Analysis) -> str:
    """Median follow-up of each arm."""
    d, unit = decimals_of_time(data), data.study.time.unit
    parts = [f"{arm.label} {format_time(analysis.row('follow_up', arm.id)['median'], d)}" for arm in data.arms]
    return f"Median follow-up for {data.study.endpoint(analysis.variable).short} by reverse Kaplan-Meier, in {unit}: {joined(parts)} (NR = not reached)."


def sentence_queries(queries: pd.DataFrame) -> str:
    """How many data queries are open, and how many of them block a report."""
    if queries.empty:
        return "No data query is open: every rule of intake holds."
    if blocking := int((queries["severity"] == "error").sum()):
        n = plural(len(queries), "data query", "data queries")
        return f"{blocking} of {n} {'has' if blocking == 1 else 'have'} to be answered before a report can be made."
    return f"{plural(len(queries), 'data query', 'data queries')} {'is' if len(queries) == 1 else 'are'} open; none of them stops the analysis."


@reason_if_absent
def sentence_survival(data: Dataset, analysis: Analysis) -> str:
    """Events and medians by arm."""
    endpoint, d, unit = data.study.endpoint(analysis.variable), decimals_of_time(data), data.study.time.unit
    median = analysis["median"]
    parts = []
    for arm in data.arms:
        row, follow_up = analysis.row("median", arm.id), analysis.row("follow_up", arm.id)["median"]
        interval = format_interval(row["ci_low"], row["ci_high"], d, missing="not reached")
        value = "not reached" if pd.isna(row["median"]) else f"{format_time(row['median'], d)} {unit}"
        value += "" if pd.isna(row["median"]) else f" ({level_text(data)} CI {interval})"
        followed = f"{format_time(follow_up, d)} {unit}" if pd.notna(follow_up) else "not reached"
        parts.append(f"{value} with {arm.label} ({plural(row['n_events'], 'event')}, median follow-up {followed})")
    events = (
        f"{plural(median['n_events'].sum(skipna=False), 'event')} in {plural(median['n'].sum(skipna=False), 'patient')}"
    )
    missing = median["n_missing"].sum(skipna=False)
    unknown = f" {plural(missing, 'patient')} without a known time {'is' if missing == 1 else 'are'} left out." if missing else ""
    return f"{endpoint.label}: {events}.{unknown} The median was {joined(parts)}."


@reason_if_absent
def sentence_comparison(data: Dataset, analysis: Analysis) -> str:
    """What the test of all arms says, and what it cannot say."""
    if "logrank" not in analysis:
        return "With one arm there is nothing to compare."
    short, test = data.study.endpoint(analysis.variable).short, analysis["logrank"].iloc[0]
    if pd.isna(test["p_value"]):
        return f"{short} is not compared by a test: {test['note'] or 'not estimable'}."
    p = f"log-rank {format_p(test['p_value'], symbol=True)}, {plural(test['n_events'], 'event')}"
    if "gray" in analysis:
        gray = format_p(analysis["gray"]["p_value"].iat[0], symbol=True)
        p += f"; with the competing event taken into account, Gray {gray}"
    effect = _hazard_ratio(data, analysis)
    if test["p_value"] >= ALPHA:
        return f"The test does not tell the {short} curves apart ({p}). That is no evidence of equality: {effect}."
    pairs = analysis["logrank_pairwise"]
    apart = [pair_label(data, r.group) for r in pairs.itertuples() if r.p_adjusted < ALPHA]
    detail = f" Pairs with p below 0.05 after Holm's adjustment: {joined(apart) if apart else 'none'}."
    not_random = " The arms were not formed by chance, so this need not be an effect of treatment."
    return (
        f"{effect[0].upper()}{effect[1:]}; the {short} curves differ ({p})."
        f"{detail if len(data.arms) > 2 else ''}{not_random if data.study.confounding else ''}"
    )


def _hazard_ratio(data: Dataset, analysis: Analysis) -> str:
    """The hazard ratio of the arm that carries the question (or of the first pair), with its interval."""
    pairs = analysis["cox"]
    own = pairs[pairs["group"] == f"{data.focus} vs {data.reference}"]
    row = (own if len(own) else pairs).iloc[0]
    label = pair_label(data, row["group"])
    if pd.isna(row["hr"]):
        return f"the hazard ratio of {label} cannot be estimated"
    interval = format_interval(row["ci_low"], row["ci_high"], 2)
    return f"the hazard ratio of {label} is {format_number(row['hr'], 2)} ({level_text(data)} CI {interval})"


@reason_if_absent
def sentence_response(data: Dataset, response: Analysis, visit: float) -> str:
    """Objective response at one visit, with the exact test."""
    rates = where(response["objective_response_treated"], time=visit)
    parts = []
    for arm in data.arms:
        row = rates[rates["group"] == arm.id].iloc[0]
        share = f"{format_whole(row['count'])}/{format_whole(row['n'])}"
        interval = format_interval(row["ci_low"], row["ci_high"], 0, percent=True)
        told = f"{share} ({format_percent(row['proportion'])}; {interval})" if pd.notna(row["proportion"]) else MASKED
        parts.append(f"{told} with {arm.label}" if row["n"] else f"nobody due with {arm.label}")
    text = f"At {format_duration(visit, data.study.time.unit)} an objective response was seen in {joined(parts)}."
    if "objective_response_treated_test" in response:
        test = where(response["objective_response_treated_test"], time=visit).iloc[0]
        if pd.notna(test["p_value"]):
            verdict = (
                "The arms differ"
                if test["p_value"] < ALPHA
                else "The test does not tell the arms apart, which is not evidence of equal response"
            )
            text += f" {verdict} ({format_exact_p(test)})."
    return text


@reason_if_absent
def sentence_change(data: Dataset, analysis: Analysis, visit: float) -> str:
    """Median change at one visit by arm, and the within-arm tests."""
    name, parts, quantity = analysis.variable, [], measure(data.study, analysis.variable)
    unit, decimals = ("%", 0) if quantity.change_unit == "%" else (f" {quantity.change_unit}", 1)
    for arm in data.arms:
        rows = where(analysis[f"{name}_{quantity.described}"], group=arm.id, time=visit)
        within = where(analysis[f"{name}_within"], group=arm.id, time=visit)
        if rows.empty or within.empty or not rows["n"].iat[0]:
            parts.append(f"no value with {arm.label}")
            continue
        parts.append(
            f"{format_number(rows['median'].iat[0], decimals)}{unit} with {arm.label} (n = {format_whole(rows['n'].iat[0])}, {format_p(within['p_value'].iat[0], symbol=True)})"
        )
    if all(part.startswith("no value") for part in parts):
        return ""
    return f"{quantity.label} at {format_duration(visit, data.study.time.unit)}, median change from baseline: {joined(parts)}."


def sentence_endpoint(data: Dataset, endpoint: Endpoint | None) -> str:
    """What the endpoint is, and what counts as progression; nothing in a study that declares none."""
    if endpoint is None:
        return ""
    return f"{endpoint.label}: {endpoint.definition}. {sentence_progression(data, endpoint)}".strip()


def sentence_progression(data: Dataset, endpoint: Endpoint) -> str:
    """What counts as progression where an endpoint rests on scans: the rule, new lesions, and which lesions."""
    rule = data.study.response
    if rule is None or rule.progression_column not in (*endpoint.events, *endpoint.competing):
        return ""
    return (
        f"Progression is the first assessment at which the {rule.rule} rule says so: a sum of the target lesions' diameters at least "
        f"{format_number(rule.progression_percent, 0)}% and {rule.progression_mm:g} mm above the smallest before, or a new lesion. All targets count, locally treated or not."
    )


@reason_if_absent
def sentence_other_events(data: Dataset, other: Analysis) -> str:
    """Distant progression and later treatment by arm, which a difference in survival may rest on."""
    frame, parts = other["other_events"], []
    for name in ("distant_progression", "later_line", "death_without"):
        rows = frame[(frame["variable"] == name) & frame["group"].isin([arm.id for arm in data.arms])]
        shares = [f"{format_count(r['count'], r['n'])} with {data.study.arm(r['group']).label}" for _, r in rows.iterrows()]
        parts += [f"{OTHER_EVENTS[name]}: {joined(shares)}."] if shares else []
    return " ".join(parts)


@reason_if_absent
def sentence_small(data: Dataset, analysis: Analysis) -> str:
    """What the small numbers of a time-to-event analysis forbid to read into it; empty where they are not small."""
    small = [f"{arm.label} ({data.n[arm.id]})" for arm in data.arms if data.n[arm.id] < SMALL_ARM]
    said = [f"Small arms: {joined(small)}. Intervals are wide, and one patient more or less can move a p-value."] if small else []
    events = analysis["median"]["n_events"].sum(skipna=False)
    if events < data.study.policy.min_events:
        said.append(f"{plural(events, 'event')} in all: too few for any test.")
    bare = [arm.label for arm in data.arms if analysis.row("median", arm.id)["n_events"] == 0]
    if bare:
        said.append(f"No event with {joined(bare)}: no hazard ratio can be estimated there without a correction.")
    return " ".join(said)
