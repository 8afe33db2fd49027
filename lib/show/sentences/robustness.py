"""Sentences about robustness, power, subgroups and confounding, each tied to its numbers."""

from __future__ import annotations

__all__ = [
    "sentence_calendar", "sentence_definitions", "sentence_e_value", "sentence_power", "sentence_response_subgroups", "sentence_robustness",
    "sentence_scans", "sentence_single_patients", "sentence_subgroups", "sentence_weights",
]  # fmt: skip

import pandas as pd

from lib.analyses.result import where
from lib.analyses.robustness.confounding import Calendar, EValues, Weights, too_few_effective
from lib.analyses.robustness.definitions import DECLARED, Definitions
from lib.analyses.robustness.robustness import Robustness, answers
from lib.analyses.robustness.subgroups import ResponseSubgroups, Subgroups
from lib.dataset.dataset import Dataset
from lib.languages.notes import worded
from lib.languages.speech import N_, _, in_a_row
from lib.show.formats import (
    format_bounds,
    format_chance,
    format_ci,
    format_interval,
    format_limit,
    format_number,
    format_p,
    format_percent,
    format_whole,
    is_masked,
    said_p,
)
from lib.show.labels import OVERALL, covariate_label, decimals_of_time, inside, level_text, pair_label, years_of
from lib.show.phrases import format_duration, horizon, in_unit, joined, out_of, p_values, plural, unit_name
from lib.show.sentences.absent import reason_if_absent
from lib.show.sentences.cohort import LARGE_SMD
from lib.show.verdict import Pair, below, plain_note, say_interactions
from lib.show.ways import definition_label, level_label, way_label
from lib.statistics.comparisons import name_pair

# Below this power a test that finds nothing says little (the usual aim of a trial is 80 % or 90 %).
AIM, HALF = 0.8, 0.5
# Of endpoints.published_definition: the publication gives none.
NOT_STATED = N_("not stated")


@reason_if_absent
def sentence_robustness(robust: Robustness) -> str:
    """How many ways of asking there were, how their p-values spread, and what the answer hangs on."""
    data = robust.dataset
    ways, short = robust["ways"], data.study.endpoint(robust.variable).short
    counts, given = robust["robustness_tests"], answers(data, ways)
    if given.empty:
        return _("{short}: no way of asking could be answered: {plain_note}.", short=short, plain_note=worded(plain_note(ways["note"].iat[0])))
    under = given["p_value"].map(below)
    asked = where(counts, variable=f"{robust.variable}: answers").iloc[0]
    text = _("{short}: the same question was asked in {n_tests}; {p} {runs} and lies below {limit} in {out_of}.", short=short, n_tests=plural(asked['n_tests'], 'way'), p=said_p(), runs=_runs(given['p_value'].min(), given['p_value'].max()), limit=format_limit(), out_of=out_of(asked['n_below'], asked['n_tests']))
    if under.any() and not under.all():
        most = under.mean() >= HALF
        odd, side = (given[~under], _("not below {limit}", limit=format_limit())) if most else (given[under], _("below {limit}", limit=format_limit()))
        named = [_("“{way}” ({p})", way=way_label(data, robust, r.way, r.time), p=format_p(r.p_value, symbol=True)) for r in odd.head(3).itertuples()]
        more = _(" and {value} more", value=format_whole(len(odd) - 3)) if len(odd) > 3 else ""
        text += _(" It is {side} for {listed}{more}, so the answer depends on how the question is asked.", side=side, listed=joined(named), more=more)
    tests = where(counts, variable=f"{robust.variable}: p-values")["n_tests"].iat[0]
    if tests < 2:
        return text
    return _("{text} The table holds {p_values}, not adjusted for their number: they describe one answer and are no separate findings.", text=text, p_values=p_values(tests))


def _runs(low: float, high: float) -> str:
    """Such as "runs from 0.002 to 0.06"; "stays below 0.001" where no digit shows a difference, "is 0.06" where there is none."""
    first, last = map(_end, (low, high))
    if first != last:
        return _("runs from {first} to {last}", first=first, last=last)
    return _("is {first}", first=first) if low == high else _("stays {first}", first=first)


def _end(p: float) -> str:
    shown = format_p(p)
    sign = {"<": N_("below {value}"), ">": N_("above {value}")}.get(shown[0])
    return _(sign, value=shown[1:]) if sign else shown


@reason_if_absent
def sentence_definitions(definitions: Definitions, fitting: dict[str, int], n_claims: int) -> str:
    """Which definitions of progression the published numbers of an endpoint fit, and whether the publication states one.

    `fitting`: how many of the `n_claims` published claims each definition reproduces.
    """
    endpoint = definitions.dataset.study.endpoint(definitions.variable)
    claims, fits, does = (_("published claim"), "fits", "does") if n_claims == 1 else (_("{n_claims} published claims", n_claims=format_whole(n_claims)), "fit", "do")
    whole = [_("“{definition}”", definition=definition_label(name)) for name, n in fitting.items() if n == n_claims and name != DECLARED]
    if fitting[DECLARED] == n_claims:
        also = _(", and as well {listed}", listed=joined(whole)) if whole else _(" and none of the other definitions of progression")
        text = _("{endpoint}: the {claims} {en} the endpoint as declared{also}.", endpoint=endpoint.short, claims=claims, en=fits, also=also)
    elif whole:
        text = _("{endpoint}: the {claims} {en} not fit the endpoint as declared but {listed}.", endpoint=endpoint.short, claims=claims, en=does, listed=joined(whole))
    else:
        best = max(fitting.values())
        near = [_("“{definition}”", definition=definition_label(name)) for name, n in fitting.items() if n == best]
        nearest = _("; {listed} {en} nearest, with {best} of {n_claims}", listed=joined(near), en="comes" if len(near) == 1 else "come", best=best, n_claims=n_claims) if best else ""
        text = _("{endpoint}: the {claims} {en} none of {n} definitions of progression{nearest}.", endpoint=endpoint.short, claims=claims, en=fits, n=len(fitting), nearest=nearest)
    stated = endpoint.published_definition
    if not stated:
        return text
    if stated in (NOT_STATED, _(NOT_STATED)):
        return _("{text} The publication does not state which one it used.", text=text)
    return _("{text} The publication states: “{stated}”.", text=text, stated=stated)


@reason_if_absent
def sentence_single_patients(robust: Robustness) -> str:
    """What the verdict hangs on: deletions, changed ends, the censored."""
    data = robust.dataset
    return in_a_row([_single_patients(data, robust["ways"]), _bounds(data, robust["ways"])])


def _single_patients(data: Dataset, ways: pd.DataFrame) -> str:
    each, fragile = where(ways, way="leave_one_out").iloc[0], ways[ways["way"].str.startswith("fragile")]
    if pd.isna(each["min"]):
        return ""
    said = _(" ({note})", note=worded(each["note"])) if each["note"] else ""
    text = _("With one patient left out at a time{said}, {p} {runs}, and the verdict would turn in {out_of} cases.", said=said, p=said_p(), runs=_runs(each['min'], each['max']), out_of=out_of(each['count'], each['n']))
    focus, known = data.study.arm(data.contrast[0]).label, fragile.dropna(subset=["count"])
    if known.empty:
        return _("{text} No change of how follow-up ended with {focus} alone would turn it.", text=text, focus=focus)
    row = known.sort_values("count", kind="stable").iloc[0]
    words = {"text": text, "also": _("also ") if each["count"] else "", "focus": focus, "some": _some(row), "p": format_p(row["p_value"], symbol=True)}
    if row["way"] == "fragile_event":
        return _("{text} It would {also}turn if, with {focus}, {some} had had the event when last seen ({p}).", **words)
    return _("{text} It would {also}turn if, with {focus}, {some} had been censored instead ({p}).", **words)


def _some(row: pd.Series) -> str:
    """How many of the censored, or of those with the event, the verdict hangs on."""
    censored, count, n = row["way"] == "fragile_event", format_whole(row["count"]), format_whole(row["n"])
    if row["count"] != row["n"]:
        return _("{count} of the {n} censored patients", count=count, n=n) if censored else _("{count} of the {n} patients with the event", count=count, n=n)
    if row["n"] == 1:
        return _("the only censored patient") if censored else _("the only patient with the event")
    if row["n"] == 2:
        return _("both censored patients") if censored else _("both patients with the event")
    return _("all {n} censored patients", n=n) if censored else _("all {n} patients with the event", n=n)


def _bounds(data: Dataset, ways: pd.DataFrame) -> str:
    cases, seen = [_case(data, ways, way) for way in ("worst", "best")], where(ways, way="declared", group=OVERALL)
    if not all(cases) or (seen["n"] == seen["n_events"]).all():
        return ""
    focus = data.study.arm(data.contrast[0]).label
    return _("Bounds from the censored patients: {cases} in the worst case for {focus}; {cases2} in the best.", cases=cases[0], focus=focus, cases2=cases[1])


def _case(data: Dataset, ways: pd.DataFrame, way: str) -> str:
    """P-value and hazard ratio of a bound, or "" without a test."""
    rows = where(ways, way=way).set_index("group")
    pair = name_pair(*data.contrast)
    if OVERALL not in rows.index or pd.isna(rows.at[OVERALL, "p_value"]):
        return ""
    ratio = rows["hr"].get(pair, float("nan"))
    # p is about all arms, the ratio about two of them.
    every, of = (_(" for all arms"), _(" of {pair_label}", pair_label=pair_label(data, pair))) if len(data.arms) > 2 else ("", "")
    shown = "" if pd.isna(ratio) else _(", hazard ratio{of} {ratio}", of=of, ratio=format_number(ratio, 2))
    return f"{format_p(rows.at[OVERALL, 'p_value'], symbol=True)}{every}{shown}"


@reason_if_absent
def sentence_power(robust: Robustness) -> str:
    """What a test of this size could have found."""
    data = robust.dataset
    row, short = robust["power"].iloc[0], data.study.endpoint(robust.variable).short
    if pd.isna(row["power"]):
        return _("No power is computed for {short}: {plain_note}.", short=inside(short), plain_note=worded(plain_note(row["note"])))
    error = worded(row["note"]) or _("Monte Carlo error {error}", error=_error(row['mc_error']))
    said = _(
        "Were the observed medians of {short} (event rates, where a median is not reached) the truth, a study of this size would find the arms "
        "different ({p} below {limit}) with a probability of {chance} ({error}, {n_events})",
        short=inside(short), p=said_p(), limit=format_limit(), chance=format_chance(row['power']), error=error, n_events=plural(row['n_events'], 'event'),
    )
    detectable = where(robust["detectable"], group=name_pair(*data.contrast)).iloc[0]
    effect = "" if pd.isna(detectable["hr"]) else _("; for {pair_label} only a hazard ratio below {hr} (or above {hr_above}) is found with 80% power", pair_label=pair_label(data, detectable['group']), hr=format_number(detectable['hr'], 2), hr_above=format_number(detectable['hr_above'], 2))
    above = not answers(data, robust["ways"])["p_value"].map(below).all()
    verdict = _(" A {p} above {limit} is therefore no sign of equality.", p=said_p(), limit=format_limit()) if above and row["power"] < AIM else ""
    return _("{said}{effect}.{verdict}", said=said, effect=effect, verdict=verdict)


def _error(mc_error: float) -> str:
    """A Monte Carlo error in percent, never said to be nothing."""
    return _("below {value}", value=format_percent(0.001, 1)) if mc_error < 0.001 else format_percent(mc_error, 1)


@reason_if_absent
def sentence_scans(robust: Robustness) -> str:
    """Whether the arms were looked at equally often."""
    data = robust.dataset
    if "scan_interval" not in robust:
        return ""
    gaps = robust["scan_interval"]
    parts = [_("{median} ({interval}) with {arm}", median=format_number(r.median, 0), interval=format_interval(r.q1, r.q3, 0), arm=data.study.arm(r.group).label)
             for r in gaps.itertuples() if r.group != OVERALL and r.n]  # fmt: skip
    if not parts:
        return ""
    return _("Median days between two scans (quartiles): {listed}; progression is found later where scans are further apart.{between_scans}", listed=joined(parts), between_scans=_between_scans(data, robust))


def _between_scans(data: Dataset, robust: Robustness) -> str:
    """What the unknown time between two scans leaves of the medians and of the comparison."""
    if "interval_median" not in robust:
        return ""
    d, unit = decimals_of_time(data), data.study.time.unit
    parts = [
        _("{bounds} with {arm}", bounds=format_bounds(r.bound_low, r.bound_high, d, missing=_("not reached")), arm=data.study.arm(r.group).label)
        for __, r in robust["interval_median"].iterrows()
        if r["n"] != 0 and not is_masked(r)
    ]
    if not parts:
        return ""
    p = where(robust["ways"], way="interval")["p_value"].iat[0]
    test = _("; a permutation test of these intervals gives {p}", p=format_p(p, symbol=True)) if pd.notna(p) else ""
    return _(" Each progression came at an unknown time since the scan before; curves that allow for this have medians, in {unit}, of {listed}{test}.", unit=unit_name(unit), listed=joined(parts), test=test)


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
    return _("Objective response at {when}: {interactions}", when=when, interactions=inside(_interactions(subgroups.dataset, subgroups['response_interaction'], rows['difference'])))


def _interactions(data: Dataset, tests: pd.DataFrame, estimates: pd.Series) -> str:
    made = tests.dropna(subset=["p_value"])
    gone = _(" A row that cannot be estimated says so.") if estimates.isna().any() else ""
    if made.empty:
        reasons = [f"{level_label(data, r.variable + ': ')[0]} ({worded(plain_note(r.note))})" for r in tests.itertuples()]
        return _("No interaction could be tested: {listed}.{gone}", listed=joined(reasons), gone=gone)
    return f"{say_interactions([Pair(level_label(data, r.variable + ': ')[0], r.p_value) for r in made.itertuples()])}{gone}"


@reason_if_absent
def sentence_weights(weights: Weights) -> str:
    """What weighting changes, and whether there are enough patients for it."""
    data = weights.dataset
    before, after = (where(weights[f"balance_{w}"], group=OVERALL).set_index("variable")["smd"] for w in ("before", "after"))
    modelled = list(before.index[: len(data.study.confounding.covariates)])
    sizes = weights["effective_size"]
    parts = [_("{ess} of {n} with {arm}", ess=format_number(r.ess, 1), n=format_whole(r.n), arm=data.study.arm(r.group).label) for r in sizes.itertuples() if r.n]
    pair, small = name_pair(*data.contrast), sizes[too_few_effective(sizes)]
    crude, weighted = (weights.row(f"{name}_cox", pair) for name in ("unweighted", "weighted"))
    verdict = (
        _("That is too few with {listed}: the weighted comparison stands here for completeness and carries no conclusion.", listed=joined([data.study.arm(g).label for g in small['group']]))
        if len(small)
        else _("With arms this small the robust interval is rather too narrow.") if sizes["ess"].min() < 30 and pd.notna(weighted["ci_low"]) else ""
    )
    shown = format_ci(data.parameters.level, weighted['ci_low'], weighted['ci_high'], 2)
    shown += _("; {p}", p=format_p(weighted["p_value"], symbol=True)) if pd.notna(weighted["p_value"]) else _("; not tested")
    was, now = (format_number(row["hr"], 2) for row in (crude, weighted))
    ratio = (
        _("There is no weighted hazard ratio to set beside the crude one: {plain_note}.", plain_note=worded(plain_note(weighted["note"] or crude["note"])))
        if pd.isna(weighted["hr"]) or pd.isna(crude["hr"])
        else _("The hazard ratio of {pair} changes from {was} to {now} with weighting ({shown}).", pair=pair_label(data, pair), was=was, now=now, shown=shown)
        if was != now
        else _("The hazard ratio of {pair} stays {now} with weighting ({shown}).", pair=pair_label(data, pair), now=now, shown=shown)
    )
    largest = [smd[modelled].max(skipna=False) for smd in (before, after)]
    was, now = (format_number(size, 2) for size in largest)
    moved = (
        "" if pd.isna(largest).any()
        else _("the largest standardized difference among these changes from {was} to {now}; ", was=was, now=now)
        if was != now
        else _("the largest standardized difference among these stays {now}; ", now=now)
    )
    parts = [
        _("Weighted for {listed}, {moved}the effective sample size is {listed2}.", listed=joined([inside(covariate_label(data, v)) for v in modelled]), moved=moved, listed2=joined(parts)),
        verdict, ratio, _weighted_means(data, weights), _left_unbalanced(data, after, modelled),
        _("Weighting removes what these covariates explain; what was not measured stays."),
    ]  # fmt: skip
    return in_a_row(parts)


def _weighted_means(data: Dataset, weights: Weights) -> str:
    """The weighted difference in restricted means, and whether its interval leaves the sign open."""
    pair = name_pair(*data.contrast)
    row, unit = weights.row("weighted_rmst", pair), data.study.time.unit
    if pd.isna(row["ci_low"]):
        return ""
    sign = _("which holds zero") if row["ci_low"] <= 0 <= row["ci_high"] else _("which leaves out zero")
    d, how = decimals_of_time(data), worded(row["note"]) or _("by bootstrap")
    interval = format_ci(data.parameters.level, row["ci_low"], row["ci_high"], d)
    return _("The weighted mean up to {duration} differs by {difference} ({interval} {how}, {sign}).", duration=format_duration(horizon(row['tau']), unit), difference=in_unit(format_number(row['estimate'], d), unit), interval=interval, how=how, sign=sign)


def _left_unbalanced(data: Dataset, after: pd.Series, modelled: list[str]) -> str:
    """The variables outside the model that weighting leaves furthest apart."""
    others = after.drop(modelled).dropna().sort_values(ascending=False, kind="stable")
    others = others[others > LARGE_SMD].head(3)
    if others.empty:
        return ""
    named = [f"{inside(covariate_label(data, v))} ({format_number(smd, 2)})" for v, smd in others.items()]
    return _("Outside the model the arms stay apart in {listed}.", listed=joined(named))


@reason_if_absent
def sentence_e_value(e_values: EValues) -> str:
    """How strong an unmeasured confounder would have to be."""
    data = e_values.dataset
    row = e_values.row("e_value", name_pair(*data.contrast))
    pair = pair_label(data, row["group"])
    if pd.isna(row["e_value"]):
        return _("An E-value for {pair} cannot be computed.", pair=pair)
    limit = (
        "" if pd.isna(row["e_value_limit"])
        else _("; its {level} interval holds 1, so no confounder is needed to make it compatible with no effect", level=level_text(data))
        if row["e_value_limit"] == 1
        else _("; to move its {level} interval to 1, {e_value_limit} would do", level=level_text(data), e_value_limit=format_number(row['e_value_limit'], 2))
    )
    return _(
        "To explain the hazard ratio of {pair} away, an unmeasured confounder would have to be linked to both treatment and outcome by a risk ratio "
        "of at least {e_value} each{limit}. No outcome that the treatment cannot affect was recorded, so this cannot be checked further.",
        pair=pair, e_value=format_number(row['e_value'], 2), limit=limit,
    )


@reason_if_absent
def sentence_calendar(calendar: Calendar) -> str:
    """Whether the arms come from the same years, and how much immortal time a combination holds."""
    data = calendar.dataset
    counts = calendar["enrolment"]
    parts = [f"{arm.label} {years}" for arm in data.arms if (years := years_of(counts, arm.id))]
    text = _("Years of start: {listed}.", listed=joined(parts)) if parts else ""
    if "component_gap" not in calendar:
        return text
    gaps = [_("{median} days ({interval}) with {arm}", median=format_number(r.median, 0), interval=format_interval(r.min, r.max, 0), arm=data.study.arm(r.group).label)
            for r in calendar["component_gap"].itertuples() if pd.notna(r.min)]  # fmt: skip
    if not gaps:
        return text
    return _(
        "{text} Between the components of a combination lay a median (range) of {listed}. A patient has to live through these days without the event "
        "to have both; the comparison with the later start stands above.",
        text=text, listed=joined(gaps),
    )
