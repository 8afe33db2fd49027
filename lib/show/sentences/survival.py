"""Sentences on endpoints in time: what each arm reached, how the arms compare, other events."""

from __future__ import annotations

__all__ = [
    "IMBALANCE",
    "crude_of",
    "sentence_comparison",
    "sentence_definition",
    "sentence_first_progression",
    "sentence_needed",
    "sentence_other_events",
    "sentence_progression",
    "sentence_small",
    "sentence_survival",
    "sentence_verdict",
    "tests_of",
    "weighted_of",
]

import pandas as pd

from lib.analyses.efficacy.other_events import ANY, FIRST, OTHER_EVENTS, FirstProgression, OtherEvents, first_name
from lib.analyses.efficacy.response import ResponseRates
from lib.analyses.efficacy.survival import Survival
from lib.analyses.result import Absent, where
from lib.analyses.robustness.confounding import Weights, too_few_effective
from lib.dataset.dataset import Dataset
from lib.dataset.progression import ANY_NEW, BY_REGION, IN_FIELD, SUM
from lib.languages.notes import worded
from lib.languages.speech import N_, _, in_a_row
from lib.show.formats import (
    MASKED,
    format_ci,
    format_given,
    format_needed,
    format_number,
    format_percent,
    format_time,
    is_masked,
    p_value,
)
from lib.show.labels import (
    OVERALL,
    caveat,
    counted,
    decimals_of_time,
    everybody,
    inside,
    level_text,
    needed_to_treat,
    pair_label,
    rise_rule,
    variable_label,
)
from lib.show.phrases import format_duration, in_unit, joined, plural, said_share
from lib.show.sentences.absent import reason_if_absent
from lib.show.verdict import (
    GRAY,
    Estimate,
    OverallTest,
    Pair,
    Weighted,
    below,
    plain_note,
    say_effect,
    say_pairs,
    say_tests,
    say_verdict,
    say_weighted,
)
from lib.show.ways import field_label
from lib.statistics.comparisons import name_pair
from lib.study.clinic.markers import Marker
from lib.study.clinic.tumour import Response
from lib.study.design import NOT_RANDOMISED, RANDOMISED
from lib.study.endpoints import Endpoint
from lib.study.limits import SMALL_ARM

# Outcomes that numbers needed to treat are about.
FREE, RESPONDS = N_("is without the event"), N_("has an objective response")
# What such a difference means, by how the arms were formed.
IMBALANCE = {
    RANDOMISED: N_("The arms were formed by chance, so these differences are chance too; they can still bear on a result."),
    NOT_RANDOMISED: N_("The arms were not formed by chance, so such differences may confound every comparison."),
    "": N_("Unless the arms were formed by chance, such differences may confound every comparison."),
}
# Gray's test asks about something else than the log-rank test, so each can be right.
TWO_QUESTIONS = (
    N_("The log-rank test compares rates among those whom the competing event has not taken away, Gray's test how many ever come to the event.")
)


@reason_if_absent
def sentence_survival(analysis: Survival) -> str:
    """Events and medians by arm."""
    data = analysis.dataset
    endpoint, parts = data.study.endpoint(analysis.variable), []
    for arm in data.arms:
        row, follow_up = analysis.row("median", arm.id), analysis.row("follow_up", arm.id)
        if row["n"] != 0:
            value, followed = _reached(data, row, True), _reached(data, follow_up, False)
            parts.append(_("{value} with {arm} ({n_events}, median follow-up {followed})", value=value, arm=arm.label, n_events=plural(row['n_events'], 'event'), followed=followed))
    empty = [arm.label for arm in data.arms if analysis.row("median", arm.id)["n"] == 0]
    nobody = _(" Nobody is counted with {listed}.", listed=joined(empty, 'or')) if empty else ""
    whole = analysis.row("events", everybody(data))
    events, missing = _("{n_events} in {whole}", n_events=plural(whole['n_events'], 'event'), whole=counted(whole)), whole["n_missing"]
    unknown = _(" {whole} without a known time {en} left out.", whole=counted(whole, 'n_missing'), en='is' if missing == 1 else 'are') if missing else ""
    medians = _(" The median was {listed}.", listed=joined(parts)) if parts else ""
    return _("{endpoint}: {events}.{unknown}{medians}{nobody}", endpoint=endpoint.label, events=events, unknown=unknown, medians=medians, nobody=nobody)


def _reached(data: Dataset, row: pd.Series, with_interval: bool) -> str:
    """A median in words, with its interval or why there is none."""
    d, level = decimals_of_time(data), level_text(data)
    if is_masked(row):
        return _(MASKED)
    value = _("not reached") if pd.isna(row["median"]) else in_unit(format_time(row["median"], d), data.study.time.unit)
    if not with_interval or pd.isna(row[["median", "ci_low"]]).all():
        return value
    if pd.isna(row["ci_low"]):
        return _("{value} (too few events for a {level} CI)", value=value, level=level)
    return _("{label} ({note})", label=value, note=format_ci(data.parameters.level, row["ci_low"], row["ci_high"], d, missing=_("not reached")))


@reason_if_absent
def sentence_comparison(analysis: Survival, weights: Weights | Absent | None = None) -> str:
    """Whether the arms differ, by all that was computed of it: all arms, pairs, competing event, weighted comparison."""
    data = analysis.dataset
    if "logrank" not in analysis:
        return _("With one arm there is nothing to compare.")
    said, pairs = _verdict(analysis)
    p_values = [test.p_value for test in tests_of(analysis)]
    if pd.isna(p_values).all():
        return said
    crude, found = crude_of(data, analysis), weighted_of(data, weights)
    differ = any(map(below, [*p_values, *analysis["logrank_pairwise"]["p_adjusted"], found.p_value if found else 1.0]))
    weighted = say_weighted(crude, found) if found else ""
    return say_verdict(data.study, said, pairs, say_effect(crude), weighted, differ=differ)


@reason_if_absent
def sentence_verdict(analysis: Survival) -> str:
    """The verdict alone: the tests of all arms, and of the pairs where these carry them."""
    return in_a_row(_verdict(analysis))


def tests_of(analysis: Survival) -> list[OverallTest]:
    """Tests of all arms: log-rank, and Gray's where an event competes."""
    row, gray = analysis["logrank"].iloc[0], analysis["gray"].iloc[0] if "gray" in analysis else None
    tests = [OverallTest(_("log-rank"), row["p_value"], row["note"], plural(row["n_events"], "event"))]
    if gray is not None:
        tests.append(OverallTest(_(GRAY), gray["p_value"], gray["note"], _("which counts the competing event")))
    return tests


def _verdict(analysis: Survival) -> tuple[str, str]:
    """What the tests of all arms say, and what those of the pairs add."""
    data, tests = analysis.dataset, tests_of(analysis)
    p_values = [test.p_value for test in tests]
    said = say_tests(_("the {endpoint} curves", endpoint=inside(data.study.endpoint(analysis.variable).short)), *tests, disagree=_(TWO_QUESTIONS))
    pairs = [Pair(pair_label(data, r.group), r.p_adjusted) for r in analysis["logrank_pairwise"].itertuples()]
    return said, "" if pd.isna(p_values).all() else say_pairs(pairs, p_values)


def crude_of(data: Dataset, analysis: Survival) -> Estimate:
    """The hazard ratio of the comparison that carries the question, and the test that decides about it."""
    pair = name_pair(*data.contrast)
    row, test = analysis.row("cox", pair), analysis.row("logrank_pairwise", pair)
    constant = where(analysis["proportional_hazards"], group=OVERALL)["p_value"]
    competes = data.study.endpoint(analysis.variable).has_competing
    return Estimate(
        pair_label(data, pair), row["hr"], row["ci_low"], row["ci_high"], data.parameters.level,
        p_value=test["p_value"], p_adjusted=test["p_adjusted"], several=len(data.arms) > 2,
        name=_("cause-specific hazard ratio") if competes else _("hazard ratio"),
        how=_("with Firth's correction") if "Firth" in str(row["method"]) else "",
        p_constant=constant.iat[0] if len(constant) else float("nan"), note=row["note"],
    )  # fmt: skip


def weighted_of(data: Dataset, weights: Weights | Absent | None) -> Weighted | None:
    """The same comparison after weighting; None where nothing is weighted."""
    if weights is None or isinstance(weights, Absent):
        return None
    row, sizes = weights.row("weighted_cox", name_pair(*data.contrast)), weights["effective_size"]
    return Weighted(
        [variable_label(data, covariate.variable) for covariate in data.study.confounding.covariates],
        row["hr"], row["ci_low"], row["ci_high"], row["p_value"], not too_few_effective(sizes).any(), row["note"],
    )  # fmt: skip


@reason_if_absent
def sentence_definition(analysis: Survival | Absent) -> str:
    """What the endpoint is, and what counts as progression; nothing in a study that declares none."""
    if not analysis.variable:
        return ""
    data = analysis.dataset
    endpoint = data.study.endpoint(analysis.variable)
    said = [_("{endpoint}: {definition}.", endpoint=endpoint.label, definition=endpoint.definition), sentence_progression(data, endpoint)]
    said += [_progression_of(data.study.marker(name)) for name in endpoint.of_markers]
    return in_a_row(said)


def _progression_of(marker: Marker) -> str:
    return _("{marker} has progressed at {rise_rule}; who has no sample that counts to begin with is left out.", marker=marker.label, rise_rule=rise_rule(marker))


def sentence_progression(data: Dataset, endpoint: Endpoint) -> str:
    """What counts as progression where an endpoint rests on scans: the rule, new lesions, and which lesions."""
    rule = data.study.response
    if rule is not None and endpoint.kinds:
        return _kinds_of_progression(data, endpoint, rule)
    if rule is None or rule.progression_column not in (*endpoint.events, *endpoint.competing):
        return ""
    return (
        _(
            "Progression is the first assessment at which the {rule} rule says so: a sum of the target lesions' diameters at least "
            "{progression_percent}% and {progression_mm} mm above the smallest before, or a new lesion. All targets count, locally treated or not.",
            rule=worded(rule.rule), progression_percent=format_number(rule.progression_percent, 0), progression_mm=format_given(rule.progression_mm),
        )
    )


def _kinds_of_progression(data: Dataset, endpoint: Endpoint, rule: Response) -> str:
    """What counts as progression where an endpoint names its kinds."""
    kinds, said = set(endpoint.kinds), []
    grown = _("at least {progression_percent}% and {progression_mm} mm above the smallest before", progression_percent=format_number(rule.progression_percent, 0), progression_mm=format_given(rule.progression_mm))
    if kinds - {ANY_NEW, SUM}:
        said.append(_("A lesion has grown at the first assessment at which its own diameter is {grown}; treated are {field_label}.", grown=grown, field_label=field_label(data)))
    if kinds & set(BY_REGION.values()):
        said.append(_("Progression outside these is an untreated target that has grown or a new lesion, named by its region."))
    if SUM in kinds:
        said.append(_("The targets have grown when the sum of their diameters is {grown}, whatever new lesions there are.", grown=grown))
    if kinds - {IN_FIELD, SUM}:
        said.append(_("New is a lesion first seen after the baseline."))
    return in_a_row(said)


@reason_if_absent
def sentence_other_events(other: OtherEvents) -> str:
    """Distant progression and later treatment by arm, which a difference in survival may rest on."""
    data = other.dataset
    frame, parts = other["other_events"], []
    for name in ("distant_progression", "later_line", "death_without"):
        rows = frame[(frame["variable"] == name) & frame["group"].isin([arm.id for arm in data.arms])]
        shares = [_("{share}{percent} with {arm}", share=said_share(r['count'], r['n']), percent=_percent(r), arm=data.study.arm(r['group']).label) for __, r in rows.iterrows()]
        parts += [_("{other_events}: {listed}.", other_events=worded(OTHER_EVENTS[name]), listed=joined(shares))] if shares else []
    return in_a_row(parts)


@reason_if_absent
def sentence_first_progression(first: FirstProgression) -> str:
    """How many progressed in each arm, and where most of them did so first."""
    data, frame = first.dataset, first["first_progression"]
    labels = {first_name(*key): label for key, label in FIRST.items()}
    overall = frame[(frame["group"] == frame["group"].iat[-1]) & (frame["variable"] != ANY)].dropna(subset="count")
    most = [] if overall.empty else [overall.loc[overall["count"].astype(float).idxmax(), "variable"]]
    parts = []
    for name in (ANY, *most):
        rows = where(frame, variable=name).set_index("group")
        shares = [_("{share}{percent} with {arm}", share=said_share(rows.at[arm.id, 'count'], rows.at[arm.id, 'n']), percent=_percent(rows.loc[arm.id]), arm=arm.label) for arm in data.arms]
        listed = joined(shares)
        parts.append(_("Any progression: {listed}.", listed=listed) if name == ANY else _("Most often it was first “{label}”: {listed}.", label=worded(labels[name]), listed=listed))
    return in_a_row(parts)


def _percent(row: pd.Series) -> str:
    """Such as " (21%)", or "" for a masked share or nobody."""
    return "" if pd.isna(row["proportion"]) else _(" ({note})", note=format_percent(row["proportion"]))


@reason_if_absent
def sentence_small(analysis: Survival) -> str:
    """What the small numbers of a time-to-event analysis forbid to read into it; empty where they are not small."""
    data = analysis.dataset
    small = [_("{label} ({note})", label=arm.label, note=data.n[arm.id]) for arm in data.arms if data.n[arm.id] < SMALL_ARM]
    said = [_("Small arms: {listed}. Intervals are wide, and one patient more or less can move a {p_value}.", listed=joined(small), p_value=p_value())] if small else []
    if "logrank" in analysis and pd.isna((test := analysis["logrank"].iloc[0])["p_value"]):
        said.append(_("The arms are not compared: {plain_note}.", plain_note=plain_note(test['note'])))
    bare = [arm for arm in data.arms if analysis.row("median", arm.id)["n_events"] == 0]
    if bare:
        said.append(_("No event with {listed}.{without_event}", listed=joined([arm.label for arm in bare], 'or'), without_event=_without_event(analysis, [arm.id for arm in bare])))
    return in_a_row(said)


def _without_event(analysis: Survival, arms: list[str]) -> str:
    """What becomes of the hazard ratios of arms without an event."""
    if "cox" not in analysis:
        return ""
    about = analysis["cox"]["group"].str.split(" vs ").map(lambda pair: bool(set(pair) & set(arms)))
    if analysis["cox"].loc[about, "hr"].notna().any():
        return _(" Hazard ratios of {en} come from Firth's penalised model.", en='it' if len(arms) == 1 else 'these')
    return _(" No hazard ratio can be estimated there.")


@reason_if_absent
def sentence_needed(analysis: Survival, response: ResponseRates | Absent) -> str:
    """How many patients stand behind one more without the event, or with a response, of the comparison that carries the question."""
    data = analysis.dataset
    if len(data.arms) < 2:
        return ""
    frames = {FREE: _carried(analysis)} if "nnt" in analysis["landmark_difference"] else {}
    if not isinstance(response, Absent) and "objective_response_treated_difference" in response:
        frames[RESPONDS] = response["objective_response_treated_difference"]
    at = {outcome: _asked(where(frame, group=name_pair(*data.contrast)), first=outcome == RESPONDS) for outcome, frame in frames.items() if len(frame)}
    said = in_a_row(_needed(data, row, _(outcome)) for outcome, row in at.items())
    return in_a_row([said, caveat(data.study)]) if any(row is not None and _one_way(row) for row in at.values()) else said


def _carried(analysis: Survival) -> pd.DataFrame:
    """Differences at the landmarks at which enough patients of each arm are at risk, of all where there is no such landmark."""
    frame, data = analysis["landmark_difference"], analysis.dataset
    least = analysis["landmark"][analysis["landmark"]["group"].isin(data.contrast)].groupby("time")["n_risk"].min()
    carried = least.index[least >= data.study.policy.min_at_risk]
    return frame[frame["time"].isin(carried)] if len(carried) else frame


def _asked(rows: pd.DataFrame, *, first: bool) -> pd.Series | None:
    """The first or the last difference that is known."""
    known = rows.dropna(subset=["difference"]).sort_values("time")
    return None if known.empty else known.iloc[0 if first else -1]


def _one_way(row: pd.Series) -> bool:
    """Whether a number needed says more or fewer: there is one, and its interval does not lead through infinity."""
    return pd.notna(row["nnt"]) and not row["ci_low"] < 0 < row["ci_high"]


def _needed(data: Dataset, row: pd.Series | None, outcome: str) -> str:
    """A number needed in words, or why there is none."""
    focus, reference = (data.study.arm(arm).label for arm in data.contrast)
    if row is None:
        return _("No number needed to treat of who {outcome} with {focus} instead of {reference}: the difference cannot be estimated or is not shown.", outcome=outcome, focus=focus, reference=reference)
    when = format_duration(row["time"], data.study.time.unit)
    if pd.isna(row["nnt"]):
        return _("Of patients treated with {focus} or {reference}, as many {outcome} at {when}: the difference is 0, so there is no number needed to treat.", focus=focus, reference=reference, outcome=outcome, when=when)
    if not _one_way(row):
        return _("With {focus} instead of {reference} it is open whether one more or one fewer {outcome} at {when}: {needed_to_treat}, {level} CI.", focus=focus, reference=reference, outcome=outcome, when=when, needed_to_treat=needed_to_treat(row), level=level_text(data))
    more = N_("Of {needed} patients treated with {focus} instead of {reference}, one more {outcome} at {when}: {needed_to_treat}, {level} CI.")
    fewer = N_("Of {needed} patients treated with {focus} instead of {reference}, one fewer {outcome} at {when}: {needed_to_treat}, {level} CI.")
    return _(more if row["nnt"] > 0 else fewer, needed=format_needed(row["nnt"]), focus=focus, reference=reference, outcome=outcome, when=when, needed_to_treat=needed_to_treat(row), level=level_text(data))
