"""Tables of what the next trial would need. Computes nothing."""

from __future__ import annotations

__all__ = ["table_next_trial", "table_next_trial_arms", "table_next_trial_response"]

from collections.abc import Iterator
from functools import partial

import pandas as pd

from lib.analyses.outlook.next_trial import SEEN, WORTHWHILE, NextTrial
from lib.dataset.dataset import Dataset
from lib.show.display import EMPTY, Block, Column, Row, Table, empty_if_absent
from lib.show.formats import DASH, capitalised, format_limit, format_number, format_percent, format_whole
from lib.show.labels import caveat, pair_label
from lib.show.ways import EFFECTS
from lib.statistics.comparisons import name_pair


@empty_if_absent
def table_next_trial(trial: NextTrial) -> Table:
    """Events and patients of a trial of two arms, by effect and power."""
    data, frame = trial.dataset, trial["next_trial"]
    endpoint, pair, unit = data.study.endpoint(trial.variable), name_pair(*data.contrast), data.study.time.unit
    timed, rows = frame["duration"].notna().any(), []
    for (term, how), part in frame.groupby(["term", "step"], sort=False):
        share = f", {format_percent(part['allocation'].iat[0])} of the patients with {data.study.arm(data.contrast[0]).label} as here" if how != "equal" else ""
        rows += _rows(f"{EFFECTS[term]}{share}", part, "events_needed", partial(_cells, timed=timed, decimals=1 if unit == "years" else 0))
    enrol = [Column(capitalised(unit), "to enrol them")] if timed else []
    columns = (
        Column("Effect, power"), Column("Hazard ratio"), Column("Events", "Schoenfeld"), Column("Events", "Freedman"), Column("Patients", "both arms"),
        *enrol, Column("Assurance"),
    )  # fmt: skip
    notes = (
        f"Two-sided log-rank test at {format_limit()}; two arms of one size unless said otherwise. The two formulas agree where the effect is small; where they do not, the truth lies between them. Patients are those of whom so many have the event by Schoenfeld.",
        f"Assurance: the chance that a trial of so many events finds fewer with the arm named first, over all hazard ratios that this study leaves possible. It supposes that nothing but chance stands between this study and the truth. {caveat(data.study, 'the effect seen, and with it the assurance,')}".strip(),
        *_why(data),
    )
    return Table(f"{trial.variable}_next_trial", f"{endpoint.short}, {pair_label(data, pair)}: what the next trial needs", columns, tuple(rows), notes, dash="not known from this study")


def _why(data: Dataset) -> list[str]:
    """Why the smallest effect worth having is what it is, as declared."""
    worth = data.study.worthwhile
    return [f"The smallest worth having, study.yml: {worth.why.rstrip('.')}."] if worth and worth.why else []


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
    notes = [note for note in dict.fromkeys(part["note"]) if note]
    known = part[part[column].notna()]
    everywhere = notes[0] if len(notes) == 1 and part["note"].nunique() == 1 else ""
    yield Row((f"{label}{f' ({everywhere})' if everywhere else ''}",), "group")
    for _, row in part.iterrows() if not everywhere else known.iterrows():
        own = "" if everywhere or not row["note"] else f" ({row['note']})"
        yield Row((f"{format_percent(row['power'])} power{own}", *cells(row)), "sub")


@empty_if_absent
def table_next_trial_arms(trial: NextTrial) -> Table | Block:
    """Events of one test of all arms; nothing for two."""
    if "next_trial_arms" not in trial:
        return EMPTY
    data, rows = trial.dataset, []
    labels = {SEEN: "Hazard ratios of all arms as seen", WORTHWHILE: "Two arms apart by the smallest ratio worth having, the others halfway between"}
    for term, part in trial["next_trial_arms"].groupby("term", sort=False):
        rows += _rows(labels[term], part, "events_needed", lambda row: (_count(row["events_needed"]),))
    endpoint = data.study.endpoint(trial.variable)
    notes = (
        f"Log-rank test of all arms of one size at {format_limit()}, by the noncentral chi-square distribution. Where ratios are far from 1 and events are tens, the power is some points lower than asked for. Estimates of several arms lie further apart than the truth.",
    )
    return Table(f"{trial.variable}_next_trial_arms", f"{endpoint.short}: events of a trial of all {format_whole(len(data.arms))} arms", (Column("Effect, power"), Column("Events", "all arms")), tuple(rows), notes)


@empty_if_absent
def table_next_trial_response(trial: NextTrial) -> Table | Block:
    """Patients of each arm for a difference in best objective responses; nothing in a study without."""
    if "next_response" not in trial:
        return EMPTY
    data, frame = trial.dataset, trial["next_response"]
    rows = []
    for term, part in frame.groupby("term", sort=False):
        rows += _rows(EFFECTS[term], part, "patients_needed", lambda row: (format_percent(row["estimate"]), _count(row["patients_needed"]), _count(row["patients_corrected"])))
    first, second = (data.study.arm(arm) for arm in data.contrast)
    columns = (Column("Effect, power"), Column("Responders", first.label, first.colour), Column("Patients an arm", "chi-square test"), Column("Patients an arm", "exact test, about"))
    notes = (
        f"Two-sided test at {format_limit()} (Fleiss, without and with continuity correction). Responders with {second.label} as here, best objective response; with {first.label} those that the effect makes of it.",
    )
    return Table("next_trial_response", f"Best objective response, {pair_label(data, name_pair(*data.contrast))}: what the next trial needs", columns, tuple(rows), notes)
