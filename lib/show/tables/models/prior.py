"""Priors and posteriors -> tables, a row a reader. Computes nothing."""

from __future__ import annotations

__all__ = ["table_prior_effect", "table_prior_likelihoods", "table_prior_response", "table_priors"]

import pandas as pd

from lib.analyses.outlook.prior import CONFLICT, HISTORICAL, PriorEffect, earlier_results
from lib.analyses.outlook.prior_response import PriorResponse, earlier_shares
from lib.analyses.result import where
from lib.dataset.dataset import Dataset
from lib.languages.notes import worded
from lib.languages.speech import N_, _
from lib.show.display import EMPTY, Block, Column, Row, Table, empty_if_absent
from lib.show.formats import (
    DASH,
    capitalised,
    format_chance,
    format_interval,
    format_number,
    format_percent,
    format_points,
    format_whole,
)
from lib.show.labels import level_text, pair_label, reader_label, reader_title
from lib.show.phrases import format_duration, plural
from lib.show.tables.parts import format_with_interval, notes_of
from lib.show.ways import printed_label
from lib.statistics.bayes.normal import chance_of_each

CHANCES = ("probability_benefit", "probability_worthwhile", "probability_harm")
UNDECLARED = N_("study.yml names no smallest {what} worth having (worthwhile.{key}), so no probability of it is given: which effect is worth having is a decision.")


def _chance(probability: float) -> str:
    return DASH if pd.isna(probability) else format_chance(probability)


def _effect_columns(data: Dataset, *between: Column) -> tuple[Column, ...]:
    worth = data.study.worthwhile.hazard_ratio if data.study.worthwhile else None
    beyond = _("hazard ratio below {worth}", worth=format_number(worth, 2)) if worth else _("not declared")
    return (
        Column(capitalised(_("reader"))), *between, Column(_("Hazard ratio"), _("median, {level} credible interval", level=level_text(data))),
        Column(_("Benefit"), _("hazard ratio below 1")), Column(_("Benefit worth having"), beyond), Column(_("Harm"), _("hazard ratio above 1")),
    )  # fmt: skip


def _effect_cells(row: pd.Series) -> list[str]:
    return [format_with_interval(row, "hr", 2), *(_chance(row[name]) for name in CHANCES)]


@empty_if_absent
def table_prior_effect(found: PriorEffect) -> Table | Block:
    """What each reader now believes of the hazard ratio."""
    data, rows = found.dataset, found["posterior_effect"]
    if rows["hr"].isna().all():
        return EMPTY
    endpoint = data.study.endpoint(found.variable)
    worth = data.study.worthwhile
    first = data.study.arm(data.contrast[0]).label
    notes = (
        _(
            "{iat} of {iat2} in the two arms; the hazard ratio is the crude one, with no covariate held alike. Probabilities are degrees of belief after "
            "these data, one reader's each; below 1: fewer events with {first}.",
            iat=plural(rows['n_events'].iat[0], 'event'), iat2=plural(rows['n'].iat[0], 'patient'), first=first,
        ),
        *([_("Worth having: {why}.", why=worth.why)] if worth and worth.hazard_ratio and worth.why else []),
        *([] if worth and worth.hazard_ratio else [_(UNDECLARED, what=_("hazard ratio"), key="hazard_ratio")]),
        *_weights(data, rows, _("hazard ratio")),
        *notes_of(rows),
    )
    title = _("{endpoint}: what is known now, {pair_label}", endpoint=endpoint.short, pair_label=pair_label(data, rows['group'].iat[0]))
    shown = tuple(Row((reader_title(row["variable"]), *_effect_cells(row))) for __, row in rows.iterrows())
    return Table(f"{found.variable}_posterior", title, _effect_columns(data), shown, notes)


def _weights(data: Dataset, rows: pd.DataFrame, what: str) -> list[str]:
    """How far the data leave earlier results their weight."""
    kept = rows.dropna(subset="weight")
    return [_("Earlier results keep a weight of {chance} with these data ({what}).", chance=_chance(kept['weight'].iat[0]), what=what)] if len(kept) else []


@empty_if_absent
def table_priors(found: PriorEffect) -> Table | Block:
    """What each reader believed before, how much that says, and whether the data are in conflict with it."""
    if "prior_effect" not in found:
        return EMPTY
    data, rows = found.dataset, found["prior_effect"]
    shown = []
    for __, row in rows.iterrows():
        flat = not row["prior_size"]
        size = _("none") if flat else format_number(row["prior_size"], 1)
        conflict = DASH if pd.isna(row["conflict"]) else format_number(row["conflict"], 3)
        shown.append(Row((reader_title(row["variable"]), size, *_effect_cells(row), conflict)))
    known = earlier_results(data, found.variable)
    earlier = [_("Earlier result: {e}, {printed_label}, {taken}, beside as much as one event would say around a ratio of 1. {citation}.", e=e.label, printed_label=printed_label(data, e), taken=_taken(e.weight, len(known)), citation=e.citation) for e in known]
    notes = (
        _("Says as much as: effective sample size of the prior, 4 / variance of the log hazard ratio, in events. A mixture's holds what its doubt takes away."),
        *_made(data),
        *(earlier or [_("No hazard ratio of these arms and this endpoint is declared under external, so there is no historical prior.")]),
        _(
            "Conflict: Box's prior predictive p-value, the probability under the prior of an estimate no likelier than this one (normal approximation; "
            "of earlier results without the part that doubts them). Below {conflict}, prior and data disagree.",
            conflict=format_number(CONFLICT, 2),
        ),
    )
    endpoint = data.study.endpoint(found.variable)
    columns = (*_effect_columns(data, Column(_("Says as much as"), _("events"))), Column(_("Conflict")))
    return Table(f"{found.variable}_priors", _("{endpoint}: what was believed before", endpoint=endpoint.short), columns, tuple(shown), notes)


def _taken(weight: float, among: int) -> str:
    """How likely one of so many earlier results was taken to hold: they share what is declared, as parts of one mixture."""
    shared = _(" (declared {weight}, shared by {among} results)", weight=format_percent(weight), among=among) if among > 1 else ""
    return _("taken to hold here with a probability of {chance_of_each} beforehand{shared}", chance_of_each=format_percent(chance_of_each(weight, among)), shared=shared)


def _made(data: Dataset) -> list[str]:
    """How doubt and hope are put into numbers."""
    if not (data.study.worthwhile and data.study.worthwhile.hazard_ratio):
        return [_(
            "Doubt and hope are not put into numbers: study.yml names no smallest hazard ratio worth having (worthwhile.hazard_ratio), and which effect "
            "is worth having is a decision.",
        )]
    return [_(
        "Sceptical: normal around a ratio of 1, with the probability of a benefit worth having that stands here; enthusiastic: normal around the "
        "smallest ratio worth having, with the probability of harm that stands here. Without a prior: every log hazard ratio is as likely as every "
        "other.",
    )]


@empty_if_absent
def table_prior_likelihoods(found: PriorEffect) -> Table | Block:
    """The same posteriors by the likelihood that was not used."""
    if "posterior_effect_other" not in found:
        return EMPTY
    data, shown = found.dataset, []
    for output, used in (("posterior_effect", _("used above")), ("posterior_effect_other", _("for comparison"))):
        rows = found[output]
        shown.append(Row((capitalised(_("{likelihood} ({used})", likelihood=worded(rows["method"].iat[0].partition(" and ")[2]), used=used)),), "group"))
        shown += [Row((reader_title(row["variable"]), *_effect_cells(row)), "sub") for __, row in rows.iterrows()]
    notes = (_("The normal likelihood is used where, without a prior, its interval ends within a tenth of a standard error of the exact one's."),)
    endpoint = data.study.endpoint(found.variable)
    return Table(f"{found.variable}_likelihoods", _("{endpoint}: two likelihoods", endpoint=endpoint.short), _effect_columns(data), tuple(shown), notes)


@empty_if_absent
def table_prior_response(found: PriorResponse) -> Table:
    """What each reader believed and believes of the share of responders, by arm, and of the difference."""
    data, shown = found.dataset, []
    for name in dict.fromkeys(found["posterior_share"]["variable"]):
        shown.append(Row((reader_title(name),), "group"))
        prior = where(found["prior_share"], variable=name).set_index("group")
        for __, row in where(found["posterior_share"], variable=name).iterrows():
            before = prior.loc[row["group"]]
            count = f"{format_whole(row['count'])}/{format_whole(row['n'])}"
            conflict = DASH if pd.isna(before["conflict"]) else format_number(before["conflict"], 3)
            shown.append(Row((data.study.arm(row["group"]).label, _share(before), format_number(before["prior_size"], 1), count, _share(row), conflict), "sub"))
    notes = (
        _("All {entered} who were due. Medians, with {level} credible intervals. Without a prior: Jeffreys', which says as much as one patient.", entered=_(data.study.by_design.entered), level=level_text(data)),
        _("Says as much as: effective sample size of the prior in patients, mean (1 - mean) / variance - 1; a mixture's holds what its doubt takes away."),
        *_earlier_notes(found),
        *_difference_notes(found),
    )
    when = format_duration(found["posterior_share"]["time"].iat[0], data.study.time.unit)
    columns = (Column(_("Reader and arm")), Column(_("Believed before")), Column(_("Says as much as"), _("patients")), Column(_("Responders / n")), Column(_("Known now")), Column(_("Conflict")))
    return Table("response_posterior", _("Objective response at {when}: what is known now", when=when), columns, tuple(shown), notes)


def _share(row: pd.Series) -> str:
    return f"{format_percent(row['median'])} ({format_interval(row['ci_low'], row['ci_high'], 0, percent=True)})"


def _earlier_notes(found: PriorResponse) -> list[str]:
    data = found.dataset
    earlier = [e for arm in data.arms for e in earlier_shares(data, arm.id)]
    if HISTORICAL not in {name.rpartition(": ")[2] for name in found["prior_share"]["variable"]}:
        return [_("No share of responders of these arms is declared under external, so there is no historical prior.")]
    of_arm = {arm.id: len(earlier_shares(data, arm.id)) for arm in data.arms}
    said = [_("Earlier result with {arm}: {e}, {printed}, {taken}, beside as much as one patient would say. {citation}.", arm=data.study.arm(e.arm).label, e=e.label, printed=e.printed, taken=_taken(e.weight, of_arm[e.arm]), citation=e.citation) for e in earlier]
    return [
        *said, _("An earlier share is of the best response at any time, which is never below the response at one visit."), *_weights(data, found["posterior_share"], _("share of responders")),
        _(
            "Conflict: Box's prior predictive p-value, the probability of a count no likelier than this one, were the earlier result right here; below "
            "{conflict} they disagree.",
            conflict=format_number(CONFLICT, 2),
        ),
    ]  # fmt: skip


def _difference_notes(found: PriorResponse) -> list[str]:
    """The difference under each prior; what is missing where no probability of a worthwhile one is given."""
    if "posterior_share_difference" not in found:
        return []
    data, rows = found.dataset, found["posterior_share_difference"]
    worth = data.study.worthwhile.response_difference if data.study.worthwhile else None
    said = []
    for __, row in rows.iterrows():
        beyond = _("; of more than {points} points {chance}", points=format_points(worth), chance=_chance(row['probability_worthwhile'])) if worth else ""
        said.append(
            _("{pair_label}, {reader_label}: {points} points ({interval}); probability of more responders {chance}{beyond}; of fewer {chance2}.", pair_label=pair_label(data, row['group']), reader_label=reader_label(row['variable']), points=format_points(row['difference']), interval=format_interval(row['ci_low'], row['ci_high'], 0, percent=True), chance=_chance(row['probability_benefit']), beyond=beyond, chance2=_chance(row['probability_harm']))
        )
    return said if worth else [*said, _(UNDECLARED, what=_("difference in response"), key="response_difference")]
