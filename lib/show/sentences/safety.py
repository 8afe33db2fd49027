"""Results on adverse events -> sentences. Comparability of terms is never claimed from an overall test."""

from __future__ import annotations

__all__ = [
    "sentence_attribution",
    "sentence_first",
    "sentence_onset",
    "sentence_rates",
    "sentence_safety",
    "sentence_terms",
]

import pandas as pd

from lib.analyses.result import where
from lib.analyses.safety.events import Harms
from lib.analyses.safety.events_in_time import HarmsInTime
from lib.languages.speech import N_, _
from lib.show.formats import (
    exactness,
    format_ci,
    format_number,
    format_p,
    format_percent,
    format_whole,
    is_masked,
    said_p,
)
from lib.show.labels import OVERALL, counted
from lib.show.phrases import format_duration, joined, plural, said_count, said_share
from lib.show.sentences.absent import reason_if_absent
from lib.show.verdict import below, say_many


@reason_if_absent
def sentence_safety(safety: Harms) -> str:
    """Patients with any and with a severe event."""
    data = safety.dataset
    overview, settings = safety["ae_overview"], data.study.adverse_events
    parts = []
    for arm in data.arms:
        any_event, worst = (where(overview, variable=kind, group=arm.id).iloc[0] for kind in ("any", "severe"))
        parts.append(
            _("{share} ({severe_words}: {count}) with {arm}", share=said_share(any_event['count'], any_event['n']), severe_words=settings.severe_words, count=said_count(worst['count']), arm=arm.label)
        )
    mild = safety["ae_events_mild"]
    row = mild[mild["group"] == (OVERALL if len(data.arms) > 1 else data.arms[0].id)].iloc[0]
    known = row["n"] and not pd.isna(row["proportion"])
    share = (
        _(" Of {row}, {proportion} were below {words}.", row=counted(row), proportion=format_percent(row['proportion']), words=settings.words(settings.severe))
        if known
        else ""
    )
    return _("Patients with any adverse event: {listed}.{share}", listed=joined(parts), share=share)


@reason_if_absent
def sentence_terms(safety: Harms) -> str:
    """Which terms differ between arms: comparability overall is never comparability of terms."""
    data = safety.dataset
    if "ae_term_test" not in safety or safety["ae_term_test"].empty:
        return ""
    tests = safety["ae_term_test"].dropna(subset=["p_value"]).sort_values("p_value", kind="stable")
    if tests.empty:
        return _("No test of a term can be shown or made; nothing here says that the profiles are comparable.")
    hidden = sum(is_masked(row) for __, row in safety["ae_term_test"].iterrows())
    apart, said = tests[tests["p_value"].map(below)], say_many(tests["p_value"], "term", exactness(tests["mc_error"]), hidden)
    if apart.empty:
        return _("{said} Rare terms cannot be told apart at these sizes.", said=said)
    named = []
    for row in apart.head(3).itertuples():
        shares = where(safety["ae_term"], variable=row.variable)
        counts = _(", ").join(
            f"{data.study.arm(r['group']).label} {said_share(r['count'], r['n'])}"
            for __, r in shares[shares["group"] != OVERALL].iterrows()
        )
        named.append(_("{term} ({counts}; {p})", term=data.study.adverse_events.called(row.variable), counts=counts, p=format_p(row.p_value, symbol=True)))
    return _("{said} The smallest {p}: {listed}. Similar overall risks do not make the profiles comparable.", said=said, p=said_p(), listed=joined(named))


@reason_if_absent
def sentence_attribution(safety: Harms) -> str:
    """Events by attribution, so that a complication of a procedure is not read as toxicity of a drug."""
    data = safety.dataset
    if "ae_attribution_events" not in safety:
        return _("This study does not record what an event was attributed to.")
    parts = []
    for arm in data.arms:
        own = where(safety["ae_attribution_events"], group=arm.id).set_index("variable")
        total = own["n"].max() if len(own) else 0
        told = [
            _(label, n=said_count(own.loc[name, "count"]))
            for name, label in (("drug", N_("{n} to the drug")), ("procedure", N_("{n} to the procedure")), ("both", N_("{n} to both")))
            if name in own.index and own.loc[name, "count"] != 0
        ]
        if total != 0:
            parts.append(_("with {arm} ({n_events}), {told}", arm=arm.label, n_events=plural(total, "event"), told=joined(told) or _("none to a treatment")))
        else:
            parts.append(_("with {arm}, no event", arm=arm.label))
    return _("Attribution of events: {join}.", join=_("; ").join(parts)) if len(safety["ae_attribution_events"]) else ""


@reason_if_absent
def sentence_first(timed: HarmsInTime) -> str:
    """Risk of a first event at the study's first landmark."""
    data = timed.dataset
    if timed["ae_first"]["estimate"].isna().all():
        return ""
    time = timed["ae_first"].dropna(subset=["estimate"])["time"].min()
    parts = []
    for arm in data.arms:
        row = timed.row("ae_first", arm.id, time)
        known = pd.notna(row["ci_low"]) or pd.notna(row["ci_high"])
        shown = _(" ({interval})", interval=format_ci(data.parameters.level, row["ci_low"], row["ci_high"], 0, percent=True)) if known else ""
        share = format_percent(row["estimate"]) if pd.notna(row["estimate"]) else _gap(row, _("a masked share"), _("an unknown share"))
        parts.append(_("{share} with {arm}{shown}", share=share, arm=arm.label, shown=shown))
    when = format_duration(time, data.study.time.unit)
    return _("By {when} a first adverse event had occurred in {listed}, with death as a competing event.", when=when, listed=joined(parts))


@reason_if_absent
def sentence_onset(timed: HarmsInTime) -> str:
    """Events outside the risk windows."""
    data = timed.dataset
    group = OVERALL if len(data.arms) > 1 else data.arms[0].id
    onset = where(timed["ae_onset"], group=group).set_index("variable")
    outside, early = onset.loc["outside", "count"], onset.loc["before time zero", "count"]
    total = counted(onset.loc["any window"])
    if outside == 0 and early == 0:
        return _("All {total} began in the time at risk.", total=total)
    return _("Of {total}, {none_or} began in no risk window and {none_or2} before time zero; they are in the counts of patients, not in the rates.", total=total, none_or=_none_or(outside), none_or2=_none_or(early))


def _none_or(count: float) -> str:
    return _("none") if count == 0 else format_whole(count)


@reason_if_absent
def sentence_rates(timed: HarmsInTime) -> str:
    """First events per 100 patient-years at risk, by arm."""
    data = timed.dataset
    parts = []
    for arm in data.arms:
        row = where(timed["ae_first_rate"], variable="any", group=arm.id).iloc[0]
        if pd.isna(row["rate"]):
            parts.append(_("{gap} with {arm}", gap=_gap(row, _("a masked rate"), _("an unknown rate")), arm=arm.label))
            continue
        interval = format_ci(data.parameters.level, row["ci_low"], row["ci_high"], 0)
        parts.append(_("{rate} with {arm} ({interval})", rate=format_number(row['rate'], 0), arm=arm.label, interval=interval))
    known = timed["ae_first_rate"]["rate"].notna().any()
    return _("Patients with a first adverse event per 100 patient-years at risk: {listed}.", listed=joined(parts)) if known else ""


def _gap(row: pd.Series, masked: str, unknown: str) -> str:
    """What stands in the place of a number that is hidden or does not exist."""
    return masked if is_masked(row) else unknown
