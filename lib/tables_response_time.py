"""Results of response over time -> tables. Computes nothing."""

from __future__ import annotations

__all__ = ["table_response_incidence", "table_survival_by_response"]

import pandas as pd

from lib import tables
from lib.analysis import Analysis, where
from lib.dataset import Dataset
from lib.display import EMPTY, Block, Column, Row, Table, empty_if_absent
from lib.formats import (
    DASH,
    MASKED,
    format_duration,
    format_interval,
    format_median,
    format_p,
    format_percent,
    format_whole,
    is_masked,
)
from lib.labels import counted, decimals_of_time, groups_of, level_text, unit_label
from lib.response_time import NON_RESPONDER, RESPONDER

LABELS = {RESPONDER: "Response at the landmark", NON_RESPONDER: "No response"}


@empty_if_absent
def table_response_incidence(data: Dataset, timed: Analysis) -> Table:
    """Share of each arm with a first response by the end of each response visit, the others not censored away."""
    unit, rows = data.study.time.unit, []
    for time, part in timed["response_incidence"].groupby("time"):
        label = f"By {format_duration(round(time, 1), unit)}"
        rows.append(Row((label, *tables.cells(part, groups_of(data), _share))))
    notes = [
        f"Aalen-Johansen, log-log {level_text(data)} CI in %; number of first responses up to then. Progression and death before a response compete: they end the chance of one and are not censored. Times are the ends of the visits' windows.",
        *tables.notes_by_arm(data, timed["response_incidence"]),
    ]
    if "response_incidence_test" in timed:
        row = timed["response_incidence_test"].iloc[0]
        notes.append(
            f"All arms, Gray's test: {format_p(row['p_value'], symbol=True) if pd.notna(row['p_value']) else row['note']}."
        )
    columns = (Column("First response"), *tables.arm_columns(data))
    return Table("response_incidence", "Cumulative incidence of response", columns, tuple(rows), tuple(notes))


def _share(row: pd.Series) -> str:
    if pd.isna(row["estimate"]):
        return MASKED if is_masked(row) else "not estimable"
    interval = format_interval(row["ci_low"], row["ci_high"], 0, percent=True)
    return f"{format_percent(row['estimate'])} ({interval}); {format_whole(row['n_events'])}"


@empty_if_absent
def table_survival_by_response(data: Dataset, timed: Analysis) -> Table | Block:
    """Responders against non-responders, the clock set back to the landmark."""
    if "response_landmark" not in timed:
        return EMPTY
    d, unit, rows = decimals_of_time(data), data.study.time.unit, []
    for test in timed["response_landmark"].to_dict("records"):
        short = data.study.endpoint(test["variable"]).short
        heading = f"{short} from {format_duration(round(test['time'], 1), unit)} on: {counted(test)}; {format_whole(test['n_missing'])} left out"
        rows.append(Row((heading,), "group"))
        medians = where(timed["response_landmark_median"], variable=test["variable"], time=test["time"]).set_index(
            "group"
        )
        ratio = DASH if pd.isna(test["hr"]) else tables.format_with_interval(pd.Series(test), "hr", 2)
        for group, cells in ((RESPONDER, (ratio, format_p(test["p_value"]))), (NON_RESPONDER, ("1", ""))):
            row = medians.loc[group]
            events = f"{format_whole(row['n_events'])}/{format_whole(row['n'])}"
            median = format_median(row, d)
            rows.append(Row((LABELS[group], events, median, *cells), "sub"))
    columns = (
        Column("Group"),
        Column(f"Events / {unit_label(timed['response_landmark_median'])}"),
        Column(f"Median from the landmark, {unit}", f"{level_text(data)} CI"),
        Column("Hazard ratio", f"{level_text(data)} CI"),
        Column("p", "log-rank"),
    )
    notes = (
        "Left out: the event or the end of follow-up before the landmark, or not evaluable at the visit. All arms together. Responders were not made by lot: who responds may have had the better outlook anyway, so this says whom to expect well of and not that response prolongs life, nor which treatment is better.",
        *tables.notes_of(timed["response_landmark"]),
    )
    return Table("survival_by_response", "Survival by response, from a landmark on", columns, tuple(rows), notes)
