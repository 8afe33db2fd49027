"""Priors and posteriors -> tables, a row a reader. Computes nothing."""

from __future__ import annotations

__all__ = ["table_prior_effect", "table_prior_likelihoods", "table_prior_response", "table_priors"]

import pandas as pd

from lib.analyses.outlook.prior import CONFLICT, HISTORICAL, PriorEffect, earlier_results
from lib.analyses.outlook.prior_response import PriorResponse, earlier_shares
from lib.analyses.result import where
from lib.dataset.dataset import Dataset
from lib.show.display import EMPTY, Block, Column, Row, Table, empty_if_absent
from lib.show.formats import (
    DASH,
    capitalised,
    format_chance,
    format_duration,
    format_interval,
    format_number,
    format_percent,
    format_points,
    format_whole,
    plural,
)
from lib.show.labels import level_text, pair_label, reader_label, reader_title
from lib.show.tables.parts import format_with_interval, notes_of
from lib.show.ways import printed_label
from lib.statistics.bayes.normal import chance_of_each

CHANCES = ("probability_benefit", "probability_worthwhile", "probability_harm")
UNDECLARED = "study.yml names no smallest {what} worth having (worthwhile.{key}), so no probability of it is given: which effect is worth having is a decision."


def _chance(probability: float) -> str:
    return DASH if pd.isna(probability) else format_chance(probability)


def _effect_columns(data: Dataset, *between: Column) -> tuple[Column, ...]:
    worth = data.study.worthwhile.hazard_ratio if data.study.worthwhile else None
    beyond = f"hazard ratio below {format_number(worth, 2)}" if worth else "not declared"
    return (
        Column("Reader"), *between, Column("Hazard ratio", f"median, {level_text(data)} credible interval"),
        Column("Benefit", "hazard ratio below 1"), Column("Benefit worth having", beyond), Column("Harm", "hazard ratio above 1"),
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
        f"{plural(rows['n_events'].iat[0], 'event')} of {plural(rows['n'].iat[0], 'patient')} in the two arms; the hazard ratio is the crude one, with no covariate held alike. Probabilities are degrees of belief after these data, one reader's each; below 1: fewer events with {first}.",
        *([f"Worth having: {worth.why}."] if worth and worth.hazard_ratio and worth.why else []),
        *([] if worth and worth.hazard_ratio else [UNDECLARED.format(what="hazard ratio", key="hazard_ratio")]),
        *_weights(data, rows, "hazard ratio"),
        *notes_of(rows),
    )
    title = f"{endpoint.short}: what is known now, {pair_label(data, rows['group'].iat[0])}"
    shown = tuple(Row((reader_title(row["variable"]), *_effect_cells(row))) for _, row in rows.iterrows())
    return Table(f"{found.variable}_posterior", title, _effect_columns(data), shown, notes)


def _weights(data: Dataset, rows: pd.DataFrame, what: str) -> list[str]:
    """How far the data leave earlier results their weight."""
    kept = rows.dropna(subset="weight")
    return [f"Earlier results keep a weight of {_chance(kept['weight'].iat[0])} with these data ({what})."] if len(kept) else []


@empty_if_absent
def table_priors(found: PriorEffect) -> Table | Block:
    """What each reader believed before, how much that says, and whether the data are in conflict with it."""
    if "prior_effect" not in found:
        return EMPTY
    data, rows = found.dataset, found["prior_effect"]
    shown = []
    for _, row in rows.iterrows():
        flat = not row["prior_size"]
        size = "none" if flat else format_number(row["prior_size"], 1)
        conflict = DASH if pd.isna(row["conflict"]) else format_number(row["conflict"], 3)
        shown.append(Row((reader_title(row["variable"]), size, *_effect_cells(row), conflict)))
    known = earlier_results(data, found.variable)
    earlier = [f"Earlier result: {e.label}, {printed_label(data, e)}, {_taken(e.weight, len(known))}, beside as much as one event would say around a ratio of 1. {e.citation}." for e in known]
    notes = (
        "Says as much as: effective sample size of the prior, 4 / variance of the log hazard ratio, in events. A mixture's holds what its doubt takes away.",
        *_made(data),
        *(earlier or ["No hazard ratio of these arms and this endpoint is declared under external, so there is no historical prior."]),
        f"Conflict: Box's prior predictive p-value, the probability under the prior of an estimate no likelier than this one (normal approximation; of earlier results without the part that doubts them). Below {format_number(CONFLICT, 2)}, prior and data disagree.",
    )
    endpoint = data.study.endpoint(found.variable)
    columns = (*_effect_columns(data, Column("Says as much as", "events")), Column("Conflict"))
    return Table(f"{found.variable}_priors", f"{endpoint.short}: what was believed before", columns, tuple(shown), notes)


def _taken(weight: float, among: int) -> str:
    """How likely one of so many earlier results was taken to hold: they share what is declared, as parts of one mixture."""
    shared = f" (declared {format_percent(weight)}, shared by {among} results)" if among > 1 else ""
    return f"taken to hold here with a probability of {format_percent(chance_of_each(weight, among))} beforehand{shared}"


def _made(data: Dataset) -> list[str]:
    """How doubt and hope are put into numbers."""
    if not (data.study.worthwhile and data.study.worthwhile.hazard_ratio):
        return ["Doubt and hope are not put into numbers: study.yml names no smallest hazard ratio worth having (worthwhile.hazard_ratio), and which effect is worth having is a decision."]
    return ["Sceptical: normal around a ratio of 1, with the probability of a benefit worth having that stands here; enthusiastic: normal around the smallest ratio worth having, with the probability of harm that stands here. Without a prior: every log hazard ratio is as likely as every other."]


@empty_if_absent
def table_prior_likelihoods(found: PriorEffect) -> Table | Block:
    """The same posteriors by the likelihood that was not used."""
    if "posterior_effect_other" not in found:
        return EMPTY
    data, shown = found.dataset, []
    for output, used in (("posterior_effect", "used above"), ("posterior_effect_other", "for comparison")):
        rows = found[output]
        shown.append(Row((capitalised(f"{rows['method'].iat[0].partition(' and ')[2]} ({used})"),), "group"))
        shown += [Row((reader_title(row["variable"]), *_effect_cells(row)), "sub") for _, row in rows.iterrows()]
    notes = ("The normal likelihood is used where, without a prior, its interval ends within a tenth of a standard error of the exact one's.",)
    endpoint = data.study.endpoint(found.variable)
    return Table(f"{found.variable}_likelihoods", f"{endpoint.short}: two likelihoods", _effect_columns(data), tuple(shown), notes)


@empty_if_absent
def table_prior_response(found: PriorResponse) -> Table:
    """What each reader believed and believes of the share of responders, by arm, and of the difference."""
    data, shown = found.dataset, []
    for name in dict.fromkeys(found["posterior_share"]["variable"]):
        shown.append(Row((reader_title(name),), "group"))
        prior = where(found["prior_share"], variable=name).set_index("group")
        for _, row in where(found["posterior_share"], variable=name).iterrows():
            before = prior.loc[row["group"]]
            count = f"{format_whole(row['count'])}/{format_whole(row['n'])}"
            conflict = DASH if pd.isna(before["conflict"]) else format_number(before["conflict"], 3)
            shown.append(Row((data.study.arm(row["group"]).label, _share(before), format_number(before["prior_size"], 1), count, _share(row), conflict), "sub"))
    notes = (
        f"All {data.study.by_design.entered} who were due. Medians, with {level_text(data)} credible intervals. Without a prior: Jeffreys', which says as much as one patient.",
        "Says as much as: effective sample size of the prior in patients, mean (1 - mean) / variance - 1; a mixture's holds what its doubt takes away.",
        *_earlier_notes(found),
        *_difference_notes(found),
    )
    when = format_duration(found["posterior_share"]["time"].iat[0], data.study.time.unit)
    columns = (Column("Reader and arm"), Column("Believed before"), Column("Says as much as", "patients"), Column("Responders / n"), Column("Known now"), Column("Conflict"))
    return Table("response_posterior", f"Objective response at {when}: what is known now", columns, tuple(shown), notes)


def _share(row: pd.Series) -> str:
    return f"{format_percent(row['median'])} ({format_interval(row['ci_low'], row['ci_high'], 0, percent=True)})"


def _earlier_notes(found: PriorResponse) -> list[str]:
    data = found.dataset
    earlier = [e for arm in data.arms for e in earlier_shares(data, arm.id)]
    if HISTORICAL not in {name.rpartition(": ")[2] for name in found["prior_share"]["variable"]}:
        return ["No share of responders of these arms is declared under external, so there is no historical prior."]
    of_arm = {arm.id: len(earlier_shares(data, arm.id)) for arm in data.arms}
    said = [f"Earlier result with {data.study.arm(e.arm).label}: {e.label}, {e.printed}, {_taken(e.weight, of_arm[e.arm])}, beside as much as one patient would say. {e.citation}." for e in earlier]
    return [
        *said, "An earlier share is of the best response at any time, which is never below the response at one visit.", *_weights(data, found["posterior_share"], "share of responders"),
        f"Conflict: Box's prior predictive p-value, the probability of a count no likelier than this one, were the earlier result right here; below {format_number(CONFLICT, 2)} they disagree.",
    ]  # fmt: skip


def _difference_notes(found: PriorResponse) -> list[str]:
    """The difference under each prior; what is missing where no probability of a worthwhile one is given."""
    if "posterior_share_difference" not in found:
        return []
    data, rows = found.dataset, found["posterior_share_difference"]
    worth = data.study.worthwhile.response_difference if data.study.worthwhile else None
    said = []
    for _, row in rows.iterrows():
        beyond = f"; of more than {format_points(worth)} points {_chance(row['probability_worthwhile'])}" if worth else ""
        said.append(
            f"{pair_label(data, row['group'])}, {reader_label(row['variable'])}: {format_points(row['difference'])} points ({format_interval(row['ci_low'], row['ci_high'], 0, percent=True)}); "
            f"probability of more responders {_chance(row['probability_benefit'])}{beyond}; of fewer {_chance(row['probability_harm'])}."
        )
    return said if worth else [*said, UNDECLARED.format(what="difference in response", key="response_difference")]
