"""Sentences about robustness, power, subgroups and confounding, each tied to its numbers."""

from __future__ import annotations

__all__ = [
    "sentence_calendar",
    "sentence_definitions",
    "sentence_e_value",
    "sentence_power",
    "sentence_response_subgroups",
    "sentence_robustness",
    "sentence_scans",
    "sentence_single_patients",
    "sentence_subgroups",
    "sentence_weights",
]

import pandas as pd

from lib.analyses.result import where
from lib.analyses.robustness.confounding import Calendar, EValues, Weights, too_few_effective
from lib.analyses.robustness.definitions import DECLARED, Definitions
from lib.analyses.robustness.robustness import Robustness, answers
from lib.analyses.robustness.subgroups import ResponseSubgroups, Subgroups
from lib.dataset.dataset import Dataset
from lib.show.formats import (
    format_bounds,
    format_chance,
    format_ci,
    format_duration,
    format_interval,
    format_limit,
    format_number,
    format_p,
    format_percent,
    format_whole,
    from_to,
    is_masked,
    joined,
    out_of,
    p_values,
    plural,
    said_p,
)
from lib.show.labels import OVERALL, covariate_label, decimals_of_time, inside, level_text, pair_label, years_of
from lib.show.sentences.absent import reason_if_absent
from lib.show.sentences.cohort import LARGE_SMD
from lib.show.verdict import Pair, below, plain_note, say_interactions
from lib.show.ways import definition_label, level_label, way_label
from lib.statistics.comparisons import name_pair

# Below this power a test that finds nothing says little (the usual aim of a trial is 80 % or 90 %).
AIM, HALF = 0.8, 0.5
# Of endpoints.published_definition: the publication gives none.
NOT_STATED = "not stated"


@reason_if_absent
def sentence_robustness(robust: Robustness) -> str:
    """How many ways of asking there were, how their p-values spread, and what the answer hangs on."""
    data = robust.dataset
    ways, short = robust["ways"], data.study.endpoint(robust.variable).short
    counts, given = robust["robustness_tests"], answers(data, ways)
    if given.empty:
        return f"{short}: no way of asking could be answered: {plain_note(ways['note'].iat[0])}."
    under = given["p_value"].map(below)
    asked = where(counts, variable=f"{robust.variable}: answers").iloc[0]
    text = (
        f"{short}: the same question was asked in {plural(asked['n_tests'], 'way')}; {said_p()} {_runs(given['p_value'].min(), given['p_value'].max())} "
        f"and lies below {format_limit()} in {out_of(asked['n_below'], asked['n_tests'])}."
    )
    if under.any() and not under.all():
        most = under.mean() >= HALF
        odd, side = (given[~under], f"not below {format_limit()}") if most else (given[under], f"below {format_limit()}")
        named = [
            f"“{way_label(data, robust, r.way, r.time)}” ({format_p(r.p_value, symbol=True)})"
            for r in odd.head(3).itertuples()
        ]
        more = f" and {format_whole(len(odd) - 3)} more" if len(odd) > 3 else ""
        text += f" It is {side} for {joined(named)}{more}, so the answer depends on how the question is asked."
    tests = where(counts, variable=f"{robust.variable}: p-values")["n_tests"].iat[0]
    if tests < 2:
        return text
    return f"{text} The table holds {p_values(tests)}, not adjusted for their number: they describe one answer and are no separate findings."


def _runs(low: float, high: float) -> str:
    """Such as "runs from 0.002 to 0.06"; "stays below 0.001" where no digit shows a difference, "is 0.06" where there is none."""
    first, last = (format_p(end).replace("<", "below ").replace(">", "above ") for end in (low, high))
    return from_to(first, last, "runs", "is" if low == high else "stays")


@reason_if_absent
def sentence_definitions(definitions: Definitions, fitting: dict[str, int], n_claims: int) -> str:
    """Which definitions of progression the published numbers of an endpoint fit, and whether the publication states one.

    `fitting`: how many of the `n_claims` published claims each definition reproduces.
    """
    endpoint = definitions.dataset.study.endpoint(definitions.variable)
    claims, fit, do = ("published claim", "fits", "does") if n_claims == 1 else (f"{format_whole(n_claims)} published claims", "fit", "do")
    whole = [f"“{definition_label(name)}”" for name, n in fitting.items() if n == n_claims and name != DECLARED]
    if fitting[DECLARED] == n_claims:
        also = f", and as well {joined(whole)}" if whole else " and none of the other definitions of progression"
        text = f"{endpoint.short}: the {claims} {fit} the endpoint as declared{also}."
    elif whole:
        text = f"{endpoint.short}: the {claims} {do} not fit the endpoint as declared but {joined(whole)}."
    else:
        best = max(fitting.values())
        near = [f"“{definition_label(name)}”" for name, n in fitting.items() if n == best]
        nearest = f"; {joined(near)} {'comes' if len(near) == 1 else 'come'} nearest, with {best} of {n_claims}" if best else ""
        text = f"{endpoint.short}: the {claims} {fit} none of {len(fitting)} definitions of progression{nearest}."
    stated = endpoint.published_definition
    if not stated:
        return text
    return f"{text} The publication {'does not state which one it used' if stated == NOT_STATED else f'states: “{stated}”'}."


@reason_if_absent
def sentence_single_patients(robust: Robustness) -> str:
    """What the verdict hangs on: deletions, changed ends, the censored."""
    data = robust.dataset
    return f"{_single_patients(data, robust['ways'])} {_bounds(data, robust['ways'])}".strip()


def _single_patients(data: Dataset, ways: pd.DataFrame) -> str:
    each, fragile = where(ways, way="leave_one_out").iloc[0], ways[ways["way"].str.startswith("fragile")]
    if pd.isna(each["min"]):
        return ""
    said = f" ({each['note']})" if each["note"] else ""
    text = f"With one patient left out at a time{said}, {said_p()} {_runs(each['min'], each['max'])}, and the verdict would turn in {out_of(each['count'], each['n'])} cases."
    focus, known = data.study.arm(data.contrast[0]).label, fragile.dropna(subset=["count"])
    if known.empty:
        return f"{text} No change of how follow-up ended with {focus} alone would turn it."
    row = known.sort_values("count", kind="stable").iloc[0]
    who, turned = ("censored patient", "had had the event when last seen") if row["way"] == "fragile_event" else ("patient with the event", "had been censored instead")
    whole = {1: "the only", 2: "both"}.get(row["n"], f"all {format_whole(row['n'])}")
    some = whole if row["count"] == row["n"] else f"{format_whole(row['count'])} of the {format_whole(row['n'])}"
    many = who if row["n"] == 1 else who.replace("patient", "patients")
    also = "also " if each["count"] else ""
    return f"{text} It would {also}turn if, with {focus}, {some} {many} {turned} ({format_p(row['p_value'], symbol=True)})."


def _bounds(data: Dataset, ways: pd.DataFrame) -> str:
    cases, seen = [_case(data, ways, way) for way in ("worst", "best")], where(ways, way="declared", group=OVERALL)
    if not all(cases) or (seen["n"] == seen["n_events"]).all():
        return ""
    focus = data.study.arm(data.contrast[0]).label
    return f"Bounds from the censored patients: {cases[0]} in the worst case for {focus}; {cases[1]} in the best."


def _case(data: Dataset, ways: pd.DataFrame, way: str) -> str:
    """P-value and hazard ratio of a bound, or "" without a test."""
    rows = where(ways, way=way).set_index("group")
    pair = name_pair(*data.contrast)
    if OVERALL not in rows.index or pd.isna(rows.at[OVERALL, "p_value"]):
        return ""
    ratio = rows["hr"].get(pair, float("nan"))
    # p is about all arms, the ratio about two of them.
    every, of = (" for all arms", f" of {pair_label(data, pair)}") if len(data.arms) > 2 else ("", "")
    shown = "" if pd.isna(ratio) else f", hazard ratio{of} {format_number(ratio, 2)}"
    return f"{format_p(rows.at[OVERALL, 'p_value'], symbol=True)}{every}{shown}"


@reason_if_absent
def sentence_power(robust: Robustness) -> str:
    """What a test of this size could have found."""
    data = robust.dataset
    row, short = robust["power"].iloc[0], data.study.endpoint(robust.variable).short
    if pd.isna(row["power"]):
        return f"No power is computed for {inside(short)}: {plain_note(row['note'])}."
    error = row["note"] or f"Monte Carlo error {_error(row['mc_error'])}"
    said = f"Were the observed medians of {inside(short)} (event rates, where a median is not reached) the truth, a study of this size would find the arms different ({said_p()} below {format_limit()}) with a probability of {format_chance(row['power'])} ({error}, {plural(row['n_events'], 'event')})"
    detectable = where(robust["detectable"], group=name_pair(*data.contrast)).iloc[0]
    effect = (
        f"; for {pair_label(data, detectable['group'])} only a hazard ratio below {format_number(detectable['hr'], 2)} (or above {format_number(detectable['hr_above'], 2)}) is found with 80% power"
        if pd.notna(detectable["hr"])
        else ""
    )
    above = not answers(data, robust["ways"])["p_value"].map(below).all()
    verdict = f" A {said_p()} above {format_limit()} is therefore no sign of equality." if above and row["power"] < AIM else ""
    return f"{said}{effect}.{verdict}"


def _error(mc_error: float) -> str:
    """A Monte Carlo error in percent, never said to be nothing."""
    return f"below {format_percent(0.001, 1)}" if mc_error < 0.001 else format_percent(mc_error, 1)


@reason_if_absent
def sentence_scans(robust: Robustness) -> str:
    """Whether the arms were looked at equally often."""
    data = robust.dataset
    if "scan_interval" not in robust:
        return ""
    gaps = robust["scan_interval"]
    parts = [f"{format_number(r.median, 0)} ({format_interval(r.q1, r.q3, 0)}) with {data.study.arm(r.group).label}"
             for r in gaps.itertuples() if r.group != OVERALL and r.n]  # fmt: skip
    return (
        f"Median days between two scans (quartiles): {joined(parts)}; progression is found later where scans are further apart.{_between_scans(data, robust)}"
        if parts
        else ""
    )


def _between_scans(data: Dataset, robust: Robustness) -> str:
    """What the unknown time between two scans leaves of the medians and of the comparison."""
    if "interval_median" not in robust:
        return ""
    d, unit = decimals_of_time(data), data.study.time.unit
    parts = [
        f"{format_bounds(r.bound_low, r.bound_high, d, missing='not reached')} with {data.study.arm(r.group).label}"
        for _, r in robust["interval_median"].iterrows()
        if r["n"] != 0 and not is_masked(r)
    ]
    if not parts:
        return ""
    p = where(robust["ways"], way="interval")["p_value"].iat[0]
    test = f"; a permutation test of these intervals gives {format_p(p, symbol=True)}" if pd.notna(p) else ""
    return f" Each progression came at an unknown time since the scan before; curves that allow for this have medians, in {unit}, of {joined(parts)}{test}."


@reason_if_absent
def sentence_subgroups(subgroups: Subgroups) -> str:
    """What the tests of interaction say; never that an effect is confined to a subgroup."""
    data = subgroups.dataset
    return _interactions(data, subgroups["interaction"], subgroups["subgroup"]["hr"])


@reason_if_absent
def sentence_response_subgroups(subgroups: ResponseSubgroups) -> str:
    """What the tests of interaction say of the response."""
    rows = subgroups["response_subgroup"]
    when = format_duration(rows["time"].iat[0], subgroups.dataset.study.time.unit)
    return f"Objective response at {when}: {inside(_interactions(subgroups.dataset, subgroups['response_interaction'], rows['difference']))}"


def _interactions(data: Dataset, tests: pd.DataFrame, estimates: pd.Series) -> str:
    made = tests.dropna(subset=["p_value"])
    gone = " A row that cannot be estimated says so." if estimates.isna().any() else ""
    if made.empty:
        reasons = [f"{level_label(data, r.variable + ': ')[0]} ({plain_note(r.note)})" for r in tests.itertuples()]
        return f"No interaction could be tested: {joined(reasons)}.{gone}"
    return f"{say_interactions([Pair(level_label(data, r.variable + ': ')[0], r.p_value) for r in made.itertuples()])}{gone}"


@reason_if_absent
def sentence_weights(weights: Weights) -> str:
    """What weighting changes, and whether there are enough patients for it."""
    data = weights.dataset
    before, after = (
        where(weights[f"balance_{w}"], group=OVERALL).set_index("variable")["smd"] for w in ("before", "after")
    )
    modelled = list(before.index[: len(data.study.confounding.covariates)])
    sizes = weights["effective_size"]
    parts = [
        f"{format_number(r.ess, 1)} of {format_whole(r.n)} with {data.study.arm(r.group).label}" for r in sizes.itertuples() if r.n
    ]
    pair, small = name_pair(*data.contrast), sizes[too_few_effective(sizes)]
    crude, weighted = (weights.row(f"{name}_cox", pair) for name in ("unweighted", "weighted"))
    verdict = (
        f"That is too few with {joined([data.study.arm(g).label for g in small['group']])}: the weighted comparison stands here for completeness and carries no conclusion."
        if len(small)
        else "With arms this small the robust interval is rather too narrow."
        if sizes["ess"].min() < 30 and pd.notna(weighted["ci_low"])
        else ""
    )
    shown = format_ci(data.parameters.level, weighted['ci_low'], weighted['ci_high'], 2)
    shown += f"; {format_p(weighted['p_value'], symbol=True)}" if pd.notna(weighted["p_value"]) else "; not tested"
    ratio = (
        f"The hazard ratio of {pair_label(data, pair)} {from_to(format_number(crude['hr'], 2), format_number(weighted['hr'], 2), 'changes', 'stays')} with weighting ({shown})."
        if pd.notna(weighted["hr"]) and pd.notna(crude["hr"])
        else f"There is no weighted hazard ratio to set beside the crude one: {plain_note(weighted['note'] or crude['note'])}."
    )
    largest = [smd[modelled].max(skipna=False) for smd in (before, after)]
    moved = (
        ""
        if pd.isna(largest).any()
        else f"the largest standardized difference among these {from_to(format_number(largest[0], 2), format_number(largest[1], 2), 'changes', 'stays')}; "
    )
    parts = [
        f"Weighted for {joined([inside(covariate_label(data, v)) for v in modelled])}, {moved}the effective sample size is {joined(parts)}.",
        verdict, ratio, _weighted_means(data, weights), _left_unbalanced(data, after, modelled),
        "Weighting removes what these covariates explain; what was not measured stays.",
    ]  # fmt: skip
    return " ".join(filter(None, parts))


def _weighted_means(data: Dataset, weights: Weights) -> str:
    """The weighted difference in restricted means, and whether its interval leaves the sign open."""
    pair = name_pair(*data.contrast)
    row, unit = weights.row("weighted_rmst", pair), data.study.time.unit
    if pd.isna(row["ci_low"]):
        return ""
    sign = "which holds zero" if row["ci_low"] <= 0 <= row["ci_high"] else "which leaves out zero"
    d, how = decimals_of_time(data), row["note"] or "by bootstrap"
    interval = format_ci(data.parameters.level, row["ci_low"], row["ci_high"], d)
    return f"The weighted mean up to {format_duration(row['tau'], unit)} differs by {format_number(row['estimate'], d)} {unit} ({interval} {how}, {sign})."


def _left_unbalanced(data: Dataset, after: pd.Series, modelled: list[str]) -> str:
    """The variables outside the model that weighting leaves furthest apart."""
    others = after.drop(modelled).dropna().sort_values(ascending=False, kind="stable")
    others = others[others > LARGE_SMD].head(3)
    if others.empty:
        return ""
    named = [f"{inside(covariate_label(data, v))} ({format_number(smd, 2)})" for v, smd in others.items()]
    return f"Outside the model the arms stay apart in {joined(named)}."


@reason_if_absent
def sentence_e_value(e_values: EValues) -> str:
    """How strong an unmeasured confounder would have to be."""
    data = e_values.dataset
    row = e_values.row("e_value", name_pair(*data.contrast))
    pair = pair_label(data, row["group"])
    if pd.isna(row["e_value"]):
        return f"An E-value for {pair} cannot be computed."
    limit = (
        ""
        if pd.isna(row["e_value_limit"])
        else f"; its {level_text(data)} interval holds 1, so no confounder is needed to make it compatible with no effect"
        if row["e_value_limit"] == 1
        else f"; to move its {level_text(data)} interval to 1, {format_number(row['e_value_limit'], 2)} would do"
    )
    return f"To explain the hazard ratio of {pair} away, an unmeasured confounder would have to be linked to both treatment and outcome by a risk ratio of at least {format_number(row['e_value'], 2)} each{limit}. No outcome that the treatment cannot affect was recorded, so this cannot be checked further."


@reason_if_absent
def sentence_calendar(calendar: Calendar) -> str:
    """Whether the arms come from the same years, and how much immortal time a combination holds."""
    data = calendar.dataset
    counts = calendar["enrolment"]
    parts = []
    for arm in data.arms:
        years = years_of(counts, arm.id)
        parts += [f"{arm.label} {years}"] if years else []
    text = f"Years of start: {joined(parts)}." if parts else ""
    if "component_gap" not in calendar:
        return text
    gaps = [f"{format_number(r.median, 0)} days ({format_interval(r.min, r.max, 0)}) with {data.study.arm(r.group).label}"
            for r in calendar["component_gap"].itertuples() if pd.notna(r.min)]  # fmt: skip
    return (
        f"{text} Between the components of a combination lay a median (range) of {joined(gaps)}. A patient has to live through these days without the event to have both; the comparison with the later start stands above."
        if gaps
        else text
    )
