"""Results -> sentences. Hedged by what n and p carry: never "no difference" from a large p, never "superior"."""

from __future__ import annotations

__all__ = [
    "crude_of",
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
    "weighted_of",
]

from collections.abc import Callable
from functools import wraps

import pandas as pd

from lib.analysis import Absent, Analysis, where
from lib.comparisons import name_pair
from lib.confounding import too_few_effective
from lib.dataset import Dataset, subgroup_label
from lib.formats import (
    MASKED,
    NOT_REACHED,
    format_duration,
    format_interval,
    format_number,
    format_p,
    format_percent,
    format_time,
    is_masked,
    joined,
    plural,
    said_share,
)
from lib.labels import OVERALL, counted, decimals_of_time, everybody, inside, level_text, pair_label
from lib.longitudinal import measure
from lib.other_events import OTHER_EVENTS
from lib.study_design import NOT_RANDOMISED, RANDOMISED
from lib.study_parts import Endpoint
from lib.tables import SMALL_ARM
from lib.verdict import (
    GRAY,
    Estimate,
    OverallTest,
    Pair,
    Weighted,
    below,
    exact_test,
    plain_note,
    say_arms,
    say_effect,
    say_pairs,
    say_tests,
    say_verdict,
    say_weighted,
)

# A difference of this size in a baseline variable is expected by chance with arms of about 13 to 25 patients.
LARGE_SMD = 0.4
# What such a difference means, by how the arms were formed.
IMBALANCE = {
    RANDOMISED: "The arms were formed by chance, so these differences are chance too; they can still bear on a result.",
    NOT_RANDOMISED: "The arms were not formed by chance, so every comparison may be confounded by them.",
    "": "Unless the arms were formed by chance, every comparison may be confounded by them.",
}
# Gray's test asks about something else than the log-rank test, so each can be right.
TWO_QUESTIONS = (
    "The log-rank test compares rates among those whom the competing event has not taken away, "
    "Gray's test how many ever come to the event."
)


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
    more = ", and in others" if len(above) > 4 else ""
    small = f" In arms this small {LARGE_SMD:g} is expected by chance." if data.n.min() < SMALL_ARM else ""
    return (
        f"The arms differ most in {joined(named)}{more} (largest standardized difference over all pairs).{small} "
        f"{IMBALANCE[data.study.allocation]}"
    )


def _label(data: Dataset, variable: str) -> str:
    return inside(data.study.variable(variable).label)


@reason_if_absent
def sentence_follow_up(data: Dataset, analysis: Analysis) -> str:
    """Median follow-up of each arm."""
    d, unit, found = decimals_of_time(data), data.study.time.unit, analysis["follow_up"].set_index("group")
    shown = [(arm.label, found.loc[arm.id]) for arm in data.arms if found.at[arm.id, "n"] != 0]
    parts = [f"{label} {MASKED if is_masked(row) else format_time(row['median'], d)}" for label, row in shown]
    never = " (NR = not reached)" if any(part.endswith(NOT_REACHED) for part in parts) else ""
    return f"Median follow-up for {data.study.endpoint(analysis.variable).short} by reverse Kaplan-Meier, in {unit}: {joined(parts)}{never}."


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
    endpoint, parts = data.study.endpoint(analysis.variable), []
    for arm in data.arms:
        row, follow_up = analysis.row("median", arm.id), analysis.row("follow_up", arm.id)
        if row["n"] != 0:
            value, followed = _reached(data, row, True), _reached(data, follow_up, False)
            parts.append(f"{value} with {arm.label} ({plural(row['n_events'], 'event')}, median follow-up {followed})")
    empty = [arm.label for arm in data.arms if analysis.row("median", arm.id)["n"] == 0]
    nobody = f" Nobody is counted with {joined(empty, 'or')}." if empty else ""
    whole = analysis.row("events", everybody(data))
    events, missing = f"{plural(whole['n_events'], 'event')} in {counted(whole)}", whole["n_missing"]
    unknown = f" {counted(whole, 'n_missing')} without a known time {'is' if missing == 1 else 'are'} left out." if missing else ""
    medians = f" The median was {joined(parts)}." if parts else ""
    return f"{endpoint.label}: {events}.{unknown}{medians}{nobody}"


def _reached(data: Dataset, row: pd.Series, with_interval: bool) -> str:
    """A median in words, with its interval or why there is none."""
    d, level = decimals_of_time(data), level_text(data)
    if is_masked(row):
        return MASKED
    value = "not reached" if pd.isna(row["median"]) else f"{format_time(row['median'], d)} {data.study.time.unit}"
    if not with_interval or pd.isna(row[["median", "ci_low"]]).all():
        return value
    if pd.isna(row["ci_low"]):
        return f"{value} (too few events for a {level} CI)"
    return f"{value} ({level} CI {format_interval(row['ci_low'], row['ci_high'], d, missing='not reached')})"


@reason_if_absent
def sentence_comparison(data: Dataset, analysis: Analysis, weights: Analysis | Absent | None = None) -> str:
    """Whether the arms differ, by all that was computed of it: all arms, pairs, competing event, weighted comparison."""
    if "logrank" not in analysis:
        return "With one arm there is nothing to compare."
    row, gray = analysis["logrank"].iloc[0], analysis["gray"].iloc[0] if "gray" in analysis else None
    tests = [OverallTest("log-rank", row["p_value"], row["note"], plural(row["n_events"], "event"))]
    if gray is not None:
        tests.append(OverallTest(GRAY, gray["p_value"], gray["note"], "which counts the competing event"))
    said = say_tests(f"the {data.study.endpoint(analysis.variable).short} curves", *tests, disagree=TWO_QUESTIONS)
    p_values = [test.p_value for test in tests]
    if pd.isna(p_values).all():
        return said
    pairs = [Pair(pair_label(data, r.group), r.p_adjusted) for r in analysis["logrank_pairwise"].itertuples()]
    crude, found = crude_of(data, analysis), weighted_of(data, weights)
    return say_verdict(
        data.study, said, say_pairs(pairs, p_values), say_effect(crude), say_weighted(crude, found) if found else "",
        differ=any(map(below, [*p_values, *(pair.p_adjusted for pair in pairs), found.p_value if found else 1.0])),
    )  # fmt: skip


def crude_of(data: Dataset, analysis: Analysis) -> Estimate:
    """The hazard ratio of the comparison that carries the question, and the test that decides about it."""
    pair = name_pair(*data.contrast)
    row, test = analysis.row("cox", pair), analysis.row("logrank_pairwise", pair)
    constant = where(analysis["proportional_hazards"], group=OVERALL)["p_value"]
    competes = data.study.endpoint(analysis.variable).has_competing
    return Estimate(
        pair_label(data, pair), row["hr"], row["ci_low"], row["ci_high"], data.parameters.level,
        p_value=test["p_value"], p_adjusted=test["p_adjusted"], several=len(data.arms) > 2,
        name="cause-specific hazard ratio" if competes else "hazard ratio",
        how="with Firth's correction" if "Firth" in str(row["method"]) else "",
        p_constant=constant.iat[0] if len(constant) else float("nan"), note=row["note"],
    )  # fmt: skip


def weighted_of(data: Dataset, weights: Analysis | Absent | None) -> Weighted | None:
    """The same comparison after weighting; None where nothing is weighted."""
    if weights is None or isinstance(weights, Absent):
        return None
    row, sizes = weights.row("weighted_cox", name_pair(*data.contrast)), weights["effective_size"]
    return Weighted(
        [_label(data, covariate.variable) for covariate in data.study.confounding.covariates],
        row["hr"], row["ci_low"], row["ci_high"], row["p_value"], not too_few_effective(sizes).any(), row["note"],
    )  # fmt: skip


@reason_if_absent
def sentence_response(data: Dataset, response: Analysis, visit: float) -> str:
    """Objective response at one visit, with the exact test."""
    rates = where(response["objective_response_treated"], time=visit)
    parts = []
    for arm in data.arms:
        row = rates[rates["group"] == arm.id].iloc[0]
        interval = format_interval(row["ci_low"], row["ci_high"], 0, percent=True)
        told = said_share(row["count"], row["n"])
        told += f" ({format_percent(row['proportion'])}; {interval})" if pd.notna(row["proportion"]) else ""
        parts.append(f"{told} with {arm.label}" if row["n"] else f"nobody due with {arm.label}")
    text = f"At {format_duration(visit, data.study.time.unit)} an objective response was seen in {joined(parts)}."
    if "objective_response_treated_test" not in response:
        return text
    test = where(response["objective_response_treated_test"], time=visit).iloc[0]
    pairs = where(response["objective_response_treated_pairwise"], time=visit)
    return f"{text} {say_arms(data, exact_test(test), pairs)}"


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
            f"{format_number(rows['median'].iat[0], decimals)}{unit} with {arm.label} ({plural(rows['n'].iat[0], 'patient')}, {format_p(within['p_value'].iat[0], symbol=True)})"
        )
    if all(part.startswith("no value") for part in parts):
        return ""
    text = f"{quantity.label} at {format_duration(visit, data.study.time.unit)}, median change from baseline: {joined(parts)}."
    if f"{name}_between" not in analysis:
        return text
    test = where(analysis[f"{name}_between"], time=visit).iloc[0]
    pairs = where(analysis[f"{name}_pairwise"], time=visit)
    return f"{text} {say_arms(data, OverallTest('Kruskal-Wallis', test['p_value'], test['note']), pairs, 'the changes of the arms')}"


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
        shares = [f"{said_share(r['count'], r['n'])}{_percent(r)} with {data.study.arm(r['group']).label}" for _, r in rows.iterrows()]
        parts += [f"{OTHER_EVENTS[name]}: {joined(shares)}."] if shares else []
    return " ".join(parts)


def _percent(row: pd.Series) -> str:
    """Such as " (21%)", or "" for a masked share or nobody."""
    return "" if pd.isna(row["proportion"]) else f" ({format_percent(row['proportion'])})"


@reason_if_absent
def sentence_small(data: Dataset, analysis: Analysis) -> str:
    """What the small numbers of a time-to-event analysis forbid to read into it; empty where they are not small."""
    small = [f"{arm.label} ({data.n[arm.id]})" for arm in data.arms if data.n[arm.id] < SMALL_ARM]
    said = [f"Small arms: {joined(small)}. Intervals are wide, and one patient more or less can move a p-value."] if small else []
    if "logrank" in analysis and pd.isna((test := analysis["logrank"].iloc[0])["p_value"]):
        said.append(f"The arms are not compared: {plain_note(test['note'])}.")
    bare = [arm for arm in data.arms if analysis.row("median", arm.id)["n_events"] == 0]
    if bare:
        said.append(f"No event with {joined([arm.label for arm in bare], 'or')}.{_without_event(analysis, [arm.id for arm in bare])}")
    return " ".join(said)


def _without_event(analysis: Analysis, arms: list[str]) -> str:
    """What becomes of the hazard ratios of arms without an event."""
    if "cox" not in analysis:
        return ""
    about = analysis["cox"]["group"].str.split(" vs ").map(lambda pair: bool(set(pair) & set(arms)))
    if analysis["cox"].loc[about, "hr"].notna().any():
        return f" Hazard ratios of {'it' if len(arms) == 1 else 'these'} come from Firth's penalised model."
    return " No hazard ratio can be estimated there."
