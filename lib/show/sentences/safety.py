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
from lib.show.formats import (
    exactness,
    format_ci,
    format_duration,
    format_number,
    format_p,
    format_percent,
    format_whole,
    is_masked,
    joined,
    plural,
    said_count,
    said_p,
    said_share,
)
from lib.show.labels import OVERALL, counted
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
            f"{said_share(any_event['count'], any_event['n'])} ({settings.severe_words}: {said_count(worst['count'])}) with {arm.label}"
        )
    mild = safety["ae_events_mild"]
    row = mild[mild["group"] == (OVERALL if len(data.arms) > 1 else data.arms[0].id)].iloc[0]
    known = row["n"] and not pd.isna(row["proportion"])
    share = (
        f" Of {counted(row)}, {format_percent(row['proportion'])} were below {settings.words(settings.severe)}."
        if known
        else ""
    )
    return f"Patients with any adverse event: {joined(parts)}.{share}"


@reason_if_absent
def sentence_terms(safety: Harms) -> str:
    """Which terms differ between arms: comparability overall is never comparability of terms."""
    data = safety.dataset
    if "ae_term_test" not in safety or safety["ae_term_test"].empty:
        return ""
    tests = safety["ae_term_test"].dropna(subset=["p_value"]).sort_values("p_value", kind="stable")
    if tests.empty:
        return "No test of a term can be shown or made; nothing here says that the profiles are comparable."
    hidden = sum(is_masked(row) for _, row in safety["ae_term_test"].iterrows())
    apart, said = tests[tests["p_value"].map(below)], say_many(tests["p_value"], "term", exactness(tests["mc_error"]), hidden)
    if apart.empty:
        return f"{said} Rare terms cannot be told apart at these sizes."
    named = []
    for row in apart.head(3).itertuples():
        shares = where(safety["ae_term"], variable=row.variable)
        counts = ", ".join(
            f"{data.study.arm(r['group']).label} {said_share(r['count'], r['n'])}"
            for _, r in shares[shares["group"] != OVERALL].iterrows()
        )
        named.append(f"{row.variable} ({counts}; {format_p(row.p_value, symbol=True)})")
    return f"{said} The smallest {said_p()}: {joined(named)}. Similar overall risks do not make the profiles comparable."


@reason_if_absent
def sentence_attribution(safety: Harms) -> str:
    """Events by attribution, so that a complication of a procedure is not read as toxicity of a drug."""
    data = safety.dataset
    if "ae_attribution_events" not in safety:
        return "This study does not record what an event was attributed to."
    parts = []
    for arm in data.arms:
        own = where(safety["ae_attribution_events"], group=arm.id).set_index("variable")
        total = own["n"].max() if len(own) else 0
        told = [
            f"{said_count(own.loc[name, 'count'])} to {label}"
            for name, label in (("drug", "the drug"), ("procedure", "the procedure"), ("both", "both"))
            if name in own.index and own.loc[name, "count"] != 0
        ]
        events = f" ({plural(total, 'event')}), {joined(told) or 'none to a treatment'}" if total != 0 else ", no event"
        parts.append(f"with {arm.label}{events}")
    return f"Attribution of events: {'; '.join(parts)}." if len(safety["ae_attribution_events"]) else ""


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
        shown = f" ({format_ci(data.parameters.level, row['ci_low'], row['ci_high'], 0, percent=True)})" if known else ""
        share = format_percent(row["estimate"]) if pd.notna(row["estimate"]) else _gap(row, "share")
        parts.append(f"{share} with {arm.label}{shown}")
    when = format_duration(time, data.study.time.unit)
    return f"By {when} a first adverse event had occurred in {joined(parts)}, with death as a competing event."


@reason_if_absent
def sentence_onset(timed: HarmsInTime) -> str:
    """Events outside the risk windows."""
    data = timed.dataset
    group = OVERALL if len(data.arms) > 1 else data.arms[0].id
    onset = where(timed["ae_onset"], group=group).set_index("variable")
    outside, early = onset.loc["outside", "count"], onset.loc["before time zero", "count"]
    total = counted(onset.loc["any window"])
    if outside == 0 and early == 0:
        return f"All {total} began in the time at risk."
    return f"Of {total}, {_none_or(outside)} began in no risk window and {_none_or(early)} before time zero; they are in the counts of patients, not in the rates."


def _none_or(count: float) -> str:
    return "none" if count == 0 else format_whole(count)


@reason_if_absent
def sentence_rates(timed: HarmsInTime) -> str:
    """First events per 100 patient-years at risk, by arm."""
    data = timed.dataset
    parts = []
    for arm in data.arms:
        row = where(timed["ae_first_rate"], variable="any", group=arm.id).iloc[0]
        if pd.isna(row["rate"]):
            parts.append(f"{_gap(row, 'rate')} with {arm.label}")
            continue
        interval = format_ci(data.parameters.level, row["ci_low"], row["ci_high"], 0)
        parts.append(f"{format_number(row['rate'], 0)} with {arm.label} ({interval})")
    known = timed["ae_first_rate"]["rate"].notna().any()
    return f"Patients with a first adverse event per 100 patient-years at risk: {joined(parts)}." if known else ""


def _gap(row: pd.Series, what: str) -> str:
    """What stands in the place of a number that is hidden or does not exist."""
    return f"{'a masked' if is_masked(row) else 'an unknown'} {what}"
