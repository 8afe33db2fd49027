"""Sentences about prior knowledge: what each reader believes now, and how much that depends on whom one asks."""

from __future__ import annotations

__all__ = ["sentence_prior_effect", "sentence_prior_response"]

import pandas as pd

from lib.analyses.outlook.prior import CONFLICT, VAGUE, PriorEffect, reads_alike
from lib.analyses.outlook.prior_response import PriorResponse, earlier_shares
from lib.analyses.result import where
from lib.dataset.dataset import Dataset
from lib.languages.speech import _, in_a_row
from lib.show.formats import (
    capitalised,
    format_chance,
    format_interval,
    format_number,
    format_percent,
    format_points,
    format_whole,
)
from lib.show.labels import caveat, level_text, pair_label, reader_label
from lib.show.phrases import format_duration, joined, plural
from lib.show.sentences.absent import reason_if_absent
from lib.show.verdict import plain_note


@reason_if_absent
def sentence_prior_effect(found: PriorEffect) -> str:
    """The hazard ratio for each reader, whether the readers agree, and which prior the data contradict."""
    data, rows = found.dataset, found["posterior_effect"]
    short, pair = data.study.endpoint(found.variable).short, pair_label(data, rows["group"].iat[0])
    known = rows.dropna(subset="hr")
    if known.empty:
        return _("{short}: prior knowledge about the hazard ratio of {pair} meets no estimate: {plain_note}.", short=short, pair=pair, plain_note=plain_note(rows['note'].iat[0]))
    estimates = [_("{ratio} ({interval}) {reader}", ratio=format_number(r.hr, 2), interval=format_interval(r.ci_low, r.ci_high, 2), reader=reader_label(r.variable)) for r in known.itertuples()]
    parts = [
        _("{short}: with these data the crude hazard ratio of {pair} is {listed} (medians, {level} credible intervals).", short=short, pair=pair, listed=joined(estimates), level=level_text(data)),
        *(_("There is none {reader_label}: {plain_note}.", reader_label=reader_label(row['variable']), plain_note=plain_note(row['note'])) for __, row in rows[rows["hr"].isna()].iterrows()),
        _depends(data, known),
        _undeclared(data),
        _surprised(found["prior_effect"]),
        _heavier(found["prior_effect"], rows),
        _confounding(data),
    ]
    return in_a_row(parts)


def _depends(data: Dataset, known: pd.DataFrame) -> str:
    """Between which readers the probabilities run, and what follows from that."""
    first, worth = data.study.arm(data.contrast[0]).label, known["probability_worthwhile"].notna().any()
    text = _("The probability of fewer events with {first} {runs}", first=first, runs=_runs(known, 'probability_benefit'))
    if worth:
        text += _(", and that of a benefit worth having (a ratio below {hazard_ratio}) {runs}", hazard_ratio=format_number(data.study.worthwhile.hazard_ratio, 2), runs=_runs(known, 'probability_worthwhile'))
    if len(known) == 1:
        return _("{text}.", text=text)
    if reads_alike(known, "probability_benefit", "probability_worthwhile"):
        return _("{text}: it hardly matters whom one asks.", text=text)
    if reads_alike(known, "probability_benefit"):
        return _("{text}: it hardly matters whom one asks about a benefit, but about one worth having it does.", text=text)
    return _("{text}: the answer depends on whom one asks.", text=text)


def _undeclared(data: Dataset) -> str:
    """Why doubt and hope are not asked."""
    if data.study.worthwhile and data.study.worthwhile.hazard_ratio:
        return ""
    return _(
        "Nobody who doubts or hopes is asked: study.yml names no smallest hazard ratio worth having (worthwhile.hazard_ratio), and which effect is "
        "worth having is a decision.",
    )


def _runs(known: pd.DataFrame, column: str) -> str:
    """Such as "runs from 86% for the sceptical reader to 99% for the enthusiastic reader"."""
    ordered = known.dropna(subset=column).sort_values(column, kind="stable")
    low, high = (format_chance(ordered[column].iat[i]) for i in (0, -1))
    if low == high:
        return _("is {low} {part}", low=low, part=_("whomever one asks") if len(ordered) > 1 else reader_label(ordered['variable'].iat[0]))
    return _("runs from {low} {reader_label} to {high} {reader_label2}", low=low, reader_label=reader_label(ordered['variable'].iat[0]), high=high, reader_label2=reader_label(ordered['variable'].iat[-1]))


def _surprised(priors: pd.DataFrame) -> str:
    """Which priors are in conflict with the data."""
    rare = priors[priors["conflict"] < CONFLICT]
    if rare.empty:
        return ""
    said = [_("{reader_label} ({chance} of such studies)", reader_label=reader_label(r.variable), chance=format_chance(r.conflict)) for r in rare.itertuples()]
    return _(
        "Prior and data are in conflict {listed}: so rare would an estimate no likelier than this one be, were that prior right (Box's prior "
        "predictive p-value).",
        listed=joined(said),
    )


def _heavier(priors: pd.DataFrame, rows: pd.DataFrame) -> str:
    """That a prior says more than the data do."""
    heavy = priors[priors["prior_size"] > rows["n_events"].iat[0]]
    if heavy.empty:
        return ""
    said = [_("{events} {reader}", events=format_number(r.prior_size, 0), reader=reader_label(r.variable)) for r in heavy.itertuples()]
    return _("Beside the {iat} of these arms the prior weighs as much as {listed}, and decides more than they do.", iat=plural(rows['n_events'].iat[0], 'event'), listed=joined(said))


def _confounding(data: Dataset) -> str:
    warning = caveat(data.study, _("what a posterior says"))
    return _("No prior knows of confounding. {warning}", warning=warning) if warning else ""


@reason_if_absent
def sentence_prior_response(found: PriorResponse) -> str:
    """The share of responders without a prior and with an earlier result, the conflict of the two, and the difference of the arms."""
    data, now = found.dataset, found["posterior_share"]
    when = format_duration(now["time"].iat[0], data.study.time.unit)
    asked = list(data.contrast) if len(data.arms) > 1 else [arm.id for arm in data.arms]
    now = now[now["group"].isin(asked)]
    if now.empty:
        return _("Objective response at {when}: nobody with {listed} was due.", when=when, listed=joined([data.study.arm(arm).label for arm in asked], 'or'))
    alone = [
        _("{share} with {arm} ({count}/{n})", share=_share(row), arm=data.study.arm(row['group']).label, count=format_whole(row['count']), n=format_whole(row['n']))
        for __, row in where(now, variable=f"response: {VAGUE}").iterrows()
    ]
    parts = [
        _("Objective response at {when}, without a prior: {listed} (medians, {level} credible intervals).", when=when, listed=joined(alone), level=level_text(data)),
        *(_believed(found, row) for __, row in now.dropna(subset="weight").iterrows()),
        _apart(found),
        caveat(data.study, _("what a posterior says")) if len(asked) > 1 else "",
    ]
    return in_a_row(parts)


def _share(row: pd.Series) -> str:
    return f"{format_percent(row['median'])} ({format_interval(row['ci_low'], row['ci_high'], 0, percent=True)})"


def _believed(found: PriorResponse, row: pd.Series) -> str:
    """What an earlier result makes of an arm's share, what the data leave of the belief in it, and whether they contradict it."""
    data = found.dataset
    prior = where(found["prior_share"], variable=row["variable"], group=row["group"]).iloc[0]
    named = joined([_("“{label}: {printed}”", label=e.label, printed=e.printed) for e in earlier_shares(data, row["group"])])
    text = (
        _("Whoever gave {named} a probability of {weight} of holding here too comes to {share} with {arm}, and now gives it {chance}.", named=named, weight=format_percent(prior['weight']), share=_share(row), arm=data.study.arm(row['group']).label, chance=format_chance(row['weight']))
    )
    if not prior["conflict"] < CONFLICT:
        return text
    return (
        _(
            "{text} Earlier result and data are in conflict: were it right here, a count no likelier than this one would come in {chance} of such "
            "studies (Box's prior predictive p-value). Other patients, or a best response at any time beside the response at one visit, may be why.",
            text=text, chance=format_chance(prior['conflict']),
        )
    )


def _apart(found: PriorResponse) -> str:
    """The difference of the two arms for each reader."""
    if "posterior_share_difference" not in found:
        return ""
    data, rows = found.dataset, found["posterior_share_difference"]
    worth = data.study.worthwhile.response_difference if data.study.worthwhile else None
    said = []
    for row in rows.itertuples():
        enough = _(", of more than {points} points {chance}", points=format_points(worth), chance=format_chance(row.probability_worthwhile)) if worth else ""
        interval = format_interval(row.ci_low, row.ci_high, 0, percent=True)
        said.append(_("{points} points ({interval}) {reader_label}, the probability of more responders {chance}{enough}", points=format_points(row.difference), interval=interval, reader_label=reader_label(row.variable), chance=format_chance(row.probability_benefit), enough=enough))
    return _("{pair_label}: {join}.", pair_label=capitalised(pair_label(data, rows['group'].iat[0])), join=_("; ").join(said))
