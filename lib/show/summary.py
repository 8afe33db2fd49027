"""What a page gives to the summary on top of index.html and of Word and PDF: its answer in a few cells and words.

A dict by page: `answer` and `weakens` are sentences, `effects` and `harms` tables as HTML, `sure` triples of what was asked,
a word and the address where it stands, `plain` what `lib.show.plain` says of the same. What a study does not hold is left out.
`lib.publish.summary` puts them together.
"""

from __future__ import annotations

__all__ = ["efficacy", "models", "robustness", "safety"]

from typing import Any

import pandas as pd

from lib.analyses.efficacy.response import ResponseRates
from lib.analyses.efficacy.survival import Survival
from lib.analyses.models.regression import Regression
from lib.analyses.result import Absent, where
from lib.analyses.robustness.confounding import Weights
from lib.analyses.robustness.robustness import Robustness
from lib.analyses.safety.events import Harms, kind_label
from lib.analyses.verdicts import REFUSED
from lib.dataset.dataset import Dataset, part_label
from lib.languages.notes import worded
from lib.languages.speech import N_, _, in_a_row
from lib.show import plain
from lib.show.display import Column, Row, Table, anchor, template
from lib.show.formats import (
    DASH,
    MASKED,
    format_count,
    format_interval,
    format_median,
    format_points,
    format_whole,
    is_masked,
)
from lib.show.labels import OVERALL, caveat, decimals_of_time, inside, level_text, pair_label
from lib.show.phrases import format_duration, horizon, joined, plural, said_share, unit_name
from lib.show.sentences.survival import crude_of, sentence_verdict, weighted_of
from lib.show.tables.parts import cells, format_rate, format_share, format_with_interval
from lib.show.verdict import STATES, Estimate, Weighted, below, plain_note
from lib.show.ways import criteria_label
from lib.statistics.comparisons import name_pair
from lib.study.limits import SMALL_ARM

# Of the overview of adverse events, what a safety physician asks for first.
HARMS = ("serious", "fatal", "severe", "stopped")
# What a dash in the table of effects stands for.
NOT_MADE = N_("not estimable, or not made, as arms are weighted against the reference alone")
# Where the words on certainty are told at length.
ALIKE = f"models.html#{anchor(N_('Does the answer hold when other things are held alike?'))}"
WAYS, CONFOUNDING = (
    f"robustness.html#{anchor(heading)}"
    for heading in (N_("How robust is the answer?"), N_("Could the arms differ for other reasons?"))
)


def efficacy(
    survival: Survival | Absent, weights: Weights | Absent, response: ResponseRates | Absent, others: list[Survival | Absent]
) -> dict[str, Any]:
    """Whether the arms differ and by how much, and what weakens that; nothing without an endpoint in time.

    Parameters
    ----------
    survival : Survival or Absent
        Of the endpoint that is shown first.
    weights : Weights or Absent
    response : ResponseRates or Absent
    others : list
        Further endpoints that the answer names.
    """
    told = plain.efficacy(survival, weights, response, others)
    given: dict[str, Any] = {"plain": {"outcomes": told}} if told else {}
    if isinstance(survival, Absent):
        return given
    data, known = survival.dataset, [one for one in others if isinstance(one, Survival)]
    if len(data.arms) == 1:
        return given | {"weakens": _weakens(data), "effects": _html(_one_arm(survival, response))}
    answer = in_a_row(sentence_verdict(one) for one in [survival, *known])
    return given | {"weakens": _weakens(data), "answer": answer, "effects": _html(_effects(survival, weights, response))}


def safety(harms: Harms | Absent) -> dict[str, Any]:
    """Patients of each arm with the harms that matter most; nothing without adverse events."""
    if isinstance(harms, Absent):
        return {}
    data, overview = harms.dataset, harms["ae_overview"]
    kinds = [kind for kind in HARMS if (overview["variable"] == kind).any()]
    rows = [
        Row((_arm(data, arm.id), *[cells(where(overview, variable=kind), [arm.id], format_share)[0] for kind in kinds]))
        for arm in data.arms
    ]
    columns = (Column(_("Patients with an adverse event, n (%)")), *[Column(worded(kind_label(data, kind))) for kind in kinds])
    given = {"plain": {"harms": plain.safety(harms)}}
    return given | ({"harms": _html(Table("summary_harms", _("Harms"), columns, tuple(rows)))} if kinds else {})


def robustness(
    survival: Survival | Absent, robust: Robustness | Absent, weights: Weights | Absent
) -> dict[str, list[list[str]]]:
    """What other ways of asking make of the answer, in a few words each; nothing where no arms are compared."""
    if isinstance(survival, Absent) or isinstance(robust, Absent):
        return {}
    data, ways = survival.dataset, robust["ways"]
    declared = where(ways, way="declared", group=OVERALL).iloc[0]
    said = [
        [_("Weighted"), _adjusted(data, crude_of(data, survival), weighted_of(data, weights)), CONFOUNDING],
        [_("Competing event"), _competing(declared, where(ways, way="competing", group=OVERALL).iloc[0]), WAYS],
        [_("Without each patient in turn"), _left_out(where(ways, way="leave_one_out").iloc[0]), WAYS],
    ]
    return {"sure": said}


def models(regression: Regression | Absent) -> dict[str, list[list[str]]]:
    """The hazard ratio with the covariates held alike and the verdict on its model; nothing where no arms are compared."""
    if isinstance(regression, Absent):
        return {}
    verdict = regression["verdicts"].iloc[0]
    if verdict["state"] == REFUSED:
        return {"sure": [[_("Adjusted hazard ratio"), _("refused: {rstrip}", rstrip=inside(worded(verdict["why"].rstrip(".")))), ALIKE]]}
    pair = name_pair(*regression.dataset.contrast)
    row = where(regression["regression_adjusted"], variable=regression.variable, group=pair).iloc[0]
    return {"sure": [[_("Adjusted hazard ratio"), _("{estimate}; {state}", estimate=_estimate(row, "hr", 2), state=inside(_(STATES[verdict["state"]]))), ALIKE]]}


# ---------------------------------------------------------------- effects


def _effects(survival: Survival, weights: Weights | Absent, response: ResponseRates | Absent) -> Table:
    """A row per comparison: hazard ratio, the same weighted, difference in means, difference in response."""
    data = survival.dataset
    pairs = _asked(data, survival["cox"]["group"].tolist())
    unit, level, d = data.study.time.unit, f"{level_text(data)} CI", decimals_of_time(data)
    mean = survival["rmst_difference"]
    tau = format_duration(horizon(survival["rmst"]["tau"].max()), unit)
    shown = [
        (Column(_("Hazard ratio"), level), cells(survival["cox"], pairs, lambda r: _estimate(r, "hr", 2))),
        (Column(_("More {unit} without event", unit=unit_name(unit)), _("mean up to {tau}, {level}", tau=tau, level=level)), cells(mean, pairs, lambda r: _estimate(r, "estimate", d))),
    ]
    note = _("{endpoint}. Hazard ratio below 1: fewer events with the arm named first.", endpoint=data.study.endpoint(survival.variable).label)
    if isinstance(weights, Weights):
        shown.insert(1, (Column(_("Hazard ratio, weighted"), level), cells(weights["weighted_cox"], pairs, lambda r: _estimate(r, "hr", 2))))
    if isinstance(response, ResponseRates) and data.response_visits:
        visit = data.response_visits[0]
        column = Column(_("Response at {duration}", duration=format_duration(visit, unit)), _("difference in points, {level}", level=level))
        shown.append((column, [_response(response, visit, pair) for pair in pairs]))
    rows = [Row((_compares(data, pair), *[column[i] for __, column in shown])) for i, pair in enumerate(pairs)]
    against = f"vs {data.study.arm(data.reference).label}"
    first = Column(_("Arm"), _("{against}, where no other arm is named", against=against)) if len(pairs) >= len(data.arms) else Column(_("Arm"), against)
    columns = (first, *[column for column, __ in shown])
    return Table("summary_effects", _("Effects"), columns, tuple(rows), (note,), _(NOT_MADE))


def _compares(data: Dataset, pair: str) -> str:
    """The arm that is compared with the reference, which the head of the column names; else both arms."""
    first, second = pair.split(" vs ")
    return data.study.arm(first).label if second == data.reference else pair_label(data, pair)


def _asked(data: Dataset, pairs: list[str]) -> list[str]:
    """Comparisons that the question names: of the focus arm with the reference and with its own parts, then the others with the reference."""
    focus, reference = data.contrast
    beside = [arm.id for arm in data.arms if arm.id not in (focus, reference)]
    asked = [(focus, reference), *[(focus, arm) for arm in beside if _is_part(data, arm, focus)], *[(arm, reference) for arm in beside]]
    either = [next((p for p in (name_pair(a, b), name_pair(b, a)) if p in pairs), "") for a, b in asked]
    return list(dict.fromkeys(filter(None, either)))


def _is_part(data: Dataset, arm: str, whole: str) -> bool:
    """Whether an arm receives some components of treatment of another and no others, so that this one is more than either alone."""
    given = data.study.treatments.components if data.study.treatments else ()
    own, all_of = ({component.id for component in given if one in component.arms} for one in (arm, whole))
    return bool(own) and own < all_of


def _estimate(row: pd.Series, column: str, decimals: int) -> str:
    return _(MASKED) if pd.isna(row[column]) and is_masked(row) else format_with_interval(row, column, decimals)


def _response(response: ResponseRates, visit: float, pair: str) -> str:
    """Such as "10/13 vs 3/14: 55 (18 to 79)"; what a shared report hides is said to be masked."""
    rates = where(response["objective_response_treated"], time=visit).set_index("group")
    row = where(response["objective_response_treated_difference"], time=visit, group=pair).iloc[0]
    if pd.isna(row["difference"]):
        return _(MASKED) if is_masked(row) else DASH
    shares = " vs ".join(said_share(rates.loc[arm, "count"], rates.loc[arm, "n"]) for arm in pair.split(" vs "))
    return f"{shares}: {format_points(row['difference'])} ({format_interval(row['ci_low'], row['ci_high'], 0, percent=True)})"


def _one_arm(survival: Survival, response: ResponseRates | Absent) -> Table:
    """What the only arm came to."""
    data = survival.dataset
    arm, unit, level, d = data.arms[0].id, data.study.time.unit, level_text(data), decimals_of_time(data)
    events, mean = survival.row("events", arm), survival.row("rmst", arm)
    shown = [
        (Column(_("Events")), format_count(events["n_events"], events["n"], events["proportion"])),
        (Column(_("Median, {unit}", unit=unit_name(unit)), f"{level} CI"), format_median(survival.row("median", arm), d)),
        (Column(_("Mean {unit} without event", unit=unit_name(unit)), _("up to {duration}, {level} CI", duration=format_duration(horizon(mean['tau']), unit), level=level)), _estimate(mean, "estimate", d)),
    ]
    if isinstance(response, ResponseRates) and data.response_visits:
        visit = data.response_visits[0]
        rate = format_rate(response.row("objective_response_treated", arm, visit))
        shown.append((Column(_("Response at {duration}", duration=format_duration(visit, unit)), f"%; {level} CI"), rate))
    row = Row((_arm(data, arm), *[cell for __, cell in shown]))
    label = data.study.endpoint(survival.variable).label
    return Table("summary_effects", label, (Column(_("Arm")), *[column for column, __ in shown]), (row,))


def _arm(data: Dataset, arm: str) -> str:
    return f"{data.study.arm(arm).label} (n = {format_whole(data.n[arm])})"


def _html(table: Table) -> str:
    return template("table.html").render(table=table)


# ---------------------------------------------------------------- what weakens it, and how sure it is


def _weakens(data: Dataset) -> str:
    """Whom the answer leaves out, what it is not by, and what design and size take from it; "" for all of a large trial."""
    part = part_label(data.study, data.parameters)
    compared = len(data.arms) > 1
    small = [format_whole(data.n[arm.id]) for arm in data.arms if data.n[arm.id] < SMALL_ARM]
    said = [_("A part of the patients alone: {part}.", part=part)] if part else []
    said += [_("Response by {criteria_label}, not by the declared rule.", criteria_label=inside(criteria_label(data, data.criteria)))] if data.criteria else []
    said += [caveat(data.study, N_("a difference")) if compared else _("With one arm, nothing is compared.")]
    said += [_("Small {en}: {listed} patients.", en='arm' if len(small) == 1 else 'arms', listed=joined(small))] if small else []
    return in_a_row(said)


def _adjusted(data: Dataset, crude: Estimate, found: Weighted | None) -> str:
    """What weighting does to the comparison that carries the question."""
    if found is None:
        return _("not needed: arms formed by chance") if data.study.by_design.by_chance else _("not made")
    if pd.isna(found.hr) or pd.isna(found.p_value):
        return _without(found.note)
    if not found.enough:
        return _("too few patients for a conclusion")
    was, now = below(crude.p_adjusted), below(found.p_value)
    turned = was and now and (crude.hr - 1) * (found.hr - 1) < 0
    return _("turned round") if turned else _compared(was, now)


def _compared(was: bool, now: bool) -> str:
    """What a second verdict says beside the first."""
    if was == now:
        return _("holds") if was else _("not told apart either")
    return _("no longer told apart") if was else _("told apart only so")


def _competing(declared: pd.Series, found: pd.Series) -> str:
    if pd.isna(found["p_value"]) or pd.isna(declared["p_value"]):
        return _without(found["note"] or declared["note"])
    return _compared(below(declared["p_value"]), below(found["p_value"]))


def _left_out(row: pd.Series) -> str:
    """How many deletions of one patient turn the verdict."""
    if pd.isna(row["count"]) or pd.isna(row["n"]):
        return _without(row["note"])
    return _("turned by {count} of {n}", count=format_whole(row['count']), n=plural(row['n'], 'patient')) if row["count"] else _("nobody turns it")


def _without(note: str) -> str:
    """Why there is no answer, as short as the notes of statistics allow."""
    return _(MASKED) if note.startswith(MASKED) else _("not made: {plain_note}", plain_note=worded(plain_note(note))) if note else _("not made")
