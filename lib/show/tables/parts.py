"""What tables have in common: a column per arm, cells of an interval or a rate, notes. Computes nothing."""

from __future__ import annotations

__all__ = [
    "LEVEL",
    "NEEDED",
    "arm_columns",
    "cells",
    "count_cell",
    "format_difference",
    "format_rate",
    "format_share",
    "format_with_interval",
    "notes_by_arm",
    "notes_of",
    "visit_label",
]

import pandas as pd

from lib.dataset.dataset import Dataset
from lib.languages.notes import worded
from lib.languages.speech import N_, _
from lib.show.display import Column
from lib.show.formats import (
    DASH,
    MASKED,
    capitalised,
    format_interval,
    format_number,
    format_percent,
    format_points,
    format_whole,
)
from lib.show.labels import share
from lib.show.phrases import format_duration

# An interval at another level than the limit of p can seem to contradict it.
LEVEL = N_(
    "Verdicts hold {p} against {limit} at every level of the intervals, so that a {level} CI can leave out 1 where {p} is above it, or hold 1 "
    "where {p} is below.",
)
# What a number needed to treat says, and how one that leads through infinity is read.
NEEDED = (
    N_(
        "NNTB 6: of 6 patients treated with the arm named first instead of the arm named second, one more {one} (number needed to benefit); NNTH: "
        "one fewer (to harm). Whole patients, rounded up. A {level} CI that holds 0 points leads through infinity: NNTB 6 (NNTB 3 to ∞ to NNTH 20) "
        "reaches from one more of 3 over none at all to one fewer of 20. Where the difference is 0 there is no number.",
    )
)


def arm_columns(data: Dataset, overall: bool = False) -> list[Column]:
    """One column per arm in force, with its n and colour, and optionally one for all."""
    columns = [Column(arm.label, f"n = {data.n[arm.id]}", arm.colour) for arm in data.arms]
    return columns + ([Column(_("All"), f"n = {len(data.patients)}")] if overall and len(data.arms) > 1 else [])


def notes_by_arm(data: Dataset, *frames: pd.DataFrame) -> list[str]:
    """Return the plain sentences that the statistics left, each once, with the arm they are about."""
    labels = {arm.id: arm.label for arm in data.arms}
    said = [
        _("{name}: {title}", name=labels.get(row["group"], row["group"]), title=worded(row["note"]))
        for frame in frames
        for __, row in frame.iterrows()
        if row["note"] and not str(row["note"]).startswith(("not reached", "upper limit", "masked"))
    ]
    return [_("{note}.", note=note) for note in dict.fromkeys(said)]


def notes_of(*frames: pd.DataFrame) -> list[str]:
    """Return the plain sentences that the statistics left, each once."""
    notes = [str(note) for frame in frames if "note" in frame for note in frame["note"] if note]
    return [
        _("{note}.", note=capitalised(worded(note)))
        for note in dict.fromkeys(notes)
        if not note.startswith(("not reached", "upper limit"))
    ]


def cells(frame: pd.DataFrame, groups: list[str], show) -> list[str]:
    """Show one string per group, a dash where the frame has no row for it."""
    rows = {row["group"]: row for __, row in frame.iterrows()}
    return [show(rows[group]) if group in rows else DASH for group in groups]


def format_share(row: pd.Series) -> str:
    """Count and share of a row: "3 (21%)"; a masked count alone."""
    count = format_whole(row["count"])
    return count if pd.isna(row["count"]) else f"{count} ({format_percent(row['proportion'])})"


def format_with_interval(row: pd.Series, column: str, decimals: int) -> str:
    """Estimate and interval of a row: "0.41 (0.22 to 0.76)"; a dash alone if there is no estimate."""
    estimate = format_number(row[column], decimals)
    return f"{estimate} ({format_interval(row['ci_low'], row['ci_high'], decimals)})" if estimate != DASH else DASH


def format_difference(row: pd.Series) -> str:
    """Difference of two shares in percentage points, with its interval: "35 (4 to 60)"."""
    if pd.isna(row["difference"]):
        return DASH
    return f"{format_points(row['difference'])} ({format_interval(row['ci_low'], row['ci_high'], 0, percent=True)})"


def format_rate(row: pd.Series) -> str:
    """Count, denominator, percentage and exact interval; a dash where nobody is in the denominator."""
    if not row["n"]:
        return DASH
    if pd.isna(row["count"]):
        return _(MASKED)
    return f"{share(row)}; {format_interval(row['ci_low'], row['ci_high'], 0, percent=True)}"


def visit_label(data: Dataset, time: float) -> str:
    """Such as "6 months"; the first one by its name."""
    return _("Baseline") if time == 0 else format_duration(time, data.study.time.unit)


def count_cell(row: pd.Series) -> str:
    """A count alone, where its denominator stands in the same column."""
    return f"{format_whole(row['count'])}"
