"""Tables of what the next trial would need. Computes nothing."""

from __future__ import annotations

__all__ = ["table_next_trial", "table_next_trial_arms", "table_next_trial_response"]

from collections.abc import Iterator
from functools import partial

import pandas as pd

from lib.analyses.outlook.next_trial import SEEN, WORTHWHILE, NextTrial
from lib.dataset.dataset import Dataset
from lib.languages.notes import worded
from lib.languages.speech import _
from lib.show.display import EMPTY, Block, Column, Row, Table, empty_if_absent
from lib.show.formats import DASH, capitalised, format_limit, format_number, format_percent, format_whole
from lib.show.labels import caveat, pair_label
from lib.show.phrases import unit_name
from lib.show.ways import EFFECTS
from lib.statistics.comparisons import name_pair


@empty_if_absent
def table_next_trial(trial: NextTrial) -> Table:
    """Events and patients of a trial of two arms, by effect and power."""
    data, frame = trial.dataset, trial["next_trial"]
    endpoint, pair, unit = data.study.endpoint(trial.variable), name_pair(*data.contrast), data.study.time.unit
    timed, rows = frame["duration"].notna().any(), []
    for (term, how), part in frame.groupby(["term", "step"], sort=False):
        share = _(", {iat} of the patients with {arm} as here", iat=format_percent(part['allocation'].iat[0]), arm=data.study.arm(data.contrast[0]).label) if how != "equal" else ""
        rows += _rows(_(EFFECTS[term]) + share, part, "events_needed", partial(_cells, timed=timed, decimals=1 if unit == "years" else 0))
    enrol = [Column(capitalised(unit_name(unit)), _("to enrol them"))] if timed else []
    columns = (
        Column(_("Effect, power")), Column(_("Hazard ratio")), Column(_("Events"), _("Schoenfeld")), Column(_("Events"), _("Freedman")), Column(_("Patients"), _("both arms")),
        *enrol, Column(_("Assurance")),
    )  # fmt: skip
    notes = (
        _(
            "Two-sided log-rank test at {limit}; two arms of one size unless said otherwise. The two formulas agree where the effect is small; where "
            "they do not, the truth lies between them. Patients are those of whom so many have the event by Schoenfeld.",
            limit=format_limit(),
        ),
        _(
            "Assurance: the chance that a trial of so many events finds fewer with the arm named first, over all hazard ratios that this study leaves "
            "possible. It supposes that nothing but chance stands between this study and the truth. {caveat}",
            caveat=caveat(data.study, _("the effect seen, and with it the assurance,")),
        ).strip(),
        *_why(data),
    )
    return Table(f"{trial.variable}_next_trial", _("{endpoint}, {pair_label}: what the next trial needs", endpoint=endpoint.short, pair_label=pair_label(data, pair)), columns, tuple(rows), notes, dash=_("not known from this study"))


def _why(data: Dataset) -> list[str]:
    """Why the smallest effect worth having is what it is, as declared."""
    worth = data.study.worthwhile
    return [_("The smallest worth having, study.yml: {rstrip}.", rstrip=worth.why.rstrip('.'))] if worth and worth.why else []


def _cells(row: pd.Series, *, timed: bool, decimals: int) -> tuple[str, ...]:
    """A line of numbers; the time to enrol only in a study with dates."""
    return (
        format_number(row["hr"], 2), *(_count(row[name]) for name in ("events_needed", "events_freedman", "patients_needed")),
        *([format_number(row["duration"], decimals)] if timed else []), format_percent(row["assurance"]),
    )  # fmt: skip


def _count(number: float) -> str:
    return DASH if pd.isna(number) else format_whole(number)


def _rows(label: str, part: pd.DataFrame, column: str, cells) -> Iterator[Row]:
    """A heading with what is to be said of all its lines, and a line for each power with a number."""
    notes = [worded(note) for note in dict.fromkeys(part["note"]) if note]
    known = part[part[column].notna()]
    everywhere = notes[0] if len(notes) == 1 and part["note"].nunique() == 1 else ""
    yield Row((_("{label} ({note})", label=label, note=everywhere) if everywhere else label,), "group")
    for __, row in part.iterrows() if not everywhere else known.iterrows():
        own = "" if everywhere or not row["note"] else _(" ({note})", note=worded(row["note"]))
        yield Row((_("{power} power{own}", power=format_percent(row['power']), own=own), *cells(row)), "sub")


@empty_if_absent
def table_next_trial_arms(trial: NextTrial) -> Table | Block:
    """Events of one test of all arms; nothing for two."""
    if "next_trial_arms" not in trial:
        return EMPTY
    data, rows = trial.dataset, []
    labels = {SEEN: _("Hazard ratios of all arms as seen"), WORTHWHILE: _("Two arms apart by the smallest ratio worth having, the others halfway between")}
    for term, part in trial["next_trial_arms"].groupby("term", sort=False):
        rows += _rows(labels[term], part, "events_needed", lambda row: (_count(row["events_needed"]),))
    endpoint = data.study.endpoint(trial.variable)
    notes = (
        _(
            "Log-rank test of all arms of one size at {limit}, by the noncentral chi-square distribution. Where ratios are far from 1 and events are "
            "tens, the power is some points lower than asked for. Estimates of several arms lie further apart than the truth.",
            limit=format_limit(),
        ),
    )
    return Table(f"{trial.variable}_next_trial_arms", _("{endpoint}: events of a trial of all {n} arms", endpoint=endpoint.short, n=format_whole(len(data.arms))), (Column(_("Effect, power")), Column(_("Events"), _("all arms"))), tuple(rows), notes)


@empty_if_absent
def table_next_trial_response(trial: NextTrial) -> Table | Block:
    """Patients of each arm for a difference in best objective responses; nothing in a study without."""
    if "next_response" not in trial:
        return EMPTY
    data, frame = trial.dataset, trial["next_response"]
    rows = []
    for term, part in frame.groupby("term", sort=False):
        rows += _rows(_(EFFECTS[term]), part, "patients_needed", lambda row: (format_percent(row["estimate"]), _count(row["patients_needed"]), _count(row["patients_corrected"])))
    first, second = (data.study.arm(arm) for arm in data.contrast)
    columns = (Column(_("Effect, power")), Column(_("Responders"), first.label, first.colour), Column(_("Patients an arm"), _("chi-square test")), Column(_("Patients an arm"), _("exact test, about")))
    notes = (
        _(
            "Two-sided test at {limit} (Fleiss, without and with continuity correction). Responders with {second} as here, best objective response; with "
            "{first} those that the effect makes of it.",
            limit=format_limit(), second=second.label, first=first.label,
        ),
    )
    return Table("next_trial_response", _("Best objective response, {pair_label}: what the next trial needs", pair_label=pair_label(data, name_pair(*data.contrast))), columns, tuple(rows), notes)
