"""What a report may show to whom: kinds of output, small cells, single patients. Every other module asks here.

The rules of `mask_analysis`, where small means 1 to `policy.small_cell` - 1 patients:

1. A small count is masked, and so is a count whose rest (its denominator less the counts that make it up) is small.
2. Counts that add up to the same denominator (levels of a variable, grades of a term) are masked together.
3. A total is masked as soon as one of its arms is; with that, no sum over rows or columns gives a masked count back.
4. A count inside another (severe events among all) is masked if the difference is small.
5. What is computed from a masked count (share, interval, test, difference) is masked with it.
6. Smallest and largest values, and curves where few are at risk, belong to single patients and are left out.
"""

from __future__ import annotations

__all__ = ["KINDS", "allows", "mask_analysis", "restrict"]

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from lib.analysis import PLACES, Absent, Analysis
from lib.dataset import Dataset
from lib.parameters import Parameters
from lib.yamlfile import Problem, ProblemsFound

OVERALL = "overall"
# Made from masked counts, though the name does not begin like theirs.
MADE_FROM = {"baseline_smd": "baseline_category", "baseline_test": "baseline_category"}
# What an output shows -> who may see it.
KINDS = {
    "estimates": {"internal", "share"},
    "small cells": {"internal"},
    "listing": {"internal"},
    "profile": {"internal"},
    "patient ids": {"internal"},
    "single patients": {"internal"},
}
COUNTS = ("count", "n_events", "n_censored", "n_risk", "n_missing", "n_zero")
# A masked number of events gives away these, and they it.
GIVE_COUNTS_AWAY = {"rate", "n_risk"}
# Output -> what its variables have in common when they share a denominator.
FAMILIES = {
    "baseline_category": r"^(.*): ",
    "ae_grade": r"^(.*), grade ",
    "ae_events": r"^(.*), grade ",
    "response_category": r"^()",
    "flow": r"^()",
}
# Counts inside others: output (and variable), and the output (and variable) around it.
NESTED = (
    ("ae_term_severe", None, "ae_term", None),
    ("ae_system_severe", None, "ae_system", None),
    ("ae_overview", None, "ae_overview", "any"),
    ("ae_overview", "severe_procedure", "ae_overview", "severe"),
    ("ae_overview", "severe_procedure", "ae_overview", "related_procedure"),
    ("ae_attribution_severe", None, "ae_attribution", None),
    ("objective_response_treated", None, "disease_control_treated", None),
    ("objective_response_evaluable", None, "disease_control_evaluable", None),
)
# Outputs whose small cells the rules below are known to cover; any other is left out of a shared report.
VETTED = re.compile(
    r"median|quartile_\d|follow_up|landmark(_difference)?|at_risk|logrank(_pairwise)?|cox(_\w+)?|proportional_hazards"
    r"|rmst(_\w+)?|cumulative_incidence|gray|flow|baseline_\w+|ae_\w+|response_category"
    r"|(objective_response|disease_control)_(treated|evaluable)(_test|_chisq|_pairwise|_difference|_newcombe|_odds_ratio)?"
    r"|tests|\w+_(level|percent_change|within|between|pairwise|shift)|marker_excluded"
)
LEFT_OUT = "left out of a shared report"
NOT_VETTED = "This part counts single patients in ways that masking does not cover, so it is left out of a shared report."


def allows(parameters: Parameters, kind: str) -> bool:
    """Whether the report's audience may see this kind of output.

    Parameters
    ----------
    parameters : Parameters
    kind : str
        A key of `KINDS`.

    Raises
    ------
    KeyError
        For a kind that nobody has decided about.
    """
    return parameters.audience in KINDS[kind]


def restrict(data: Dataset) -> Dataset:
    """The dataset as its audience may have it: for a shared report without ids, and without single data queries.

    What never enters a notebook cannot leave it. Patients keep their order, so no number changes.

    Raises
    ------
    lib.yamlfile.ProblemsFound
        E110 when an arm in force is itself a small cell: its size stands on every page.
    """
    if allows(data.parameters, "patient ids"):
        return data
    least = data.study.policy.small_cell
    few = [arm.id for arm in data.arms if data.n[arm.id] < least]
    if few:
        message = f"cannot be shared: fewer than {least} patients (policy.small_cell) in arm {', '.join(few)}"
        raise ProblemsFound([Problem("E110", message, file="parameters", column="audience", value="share")])
    return replace(data, tables=_without_ids(data.tables), queries=_without_rows(data.queries))


def _without_ids(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Running numbers instead of the ids of patients and lesions, in every table."""
    renamed = dict(tables)
    for column, word, owner in (("patient_id", "patient", "patients"), ("lesion_id", "lesion", "lesions")):
        if owner not in tables:
            continue
        ids = sorted(tables[owner][column].dropna().astype(str).unique())
        numbers = {old: f"{word}{i:06d}" for i, old in enumerate(ids)}
        for name, frame in renamed.items():
            if column in frame:
                renamed[name] = frame.assign(**{column: frame[column].map(numbers)})
    return renamed


def _without_rows(queries: pd.DataFrame) -> pd.DataFrame:
    """Data queries without what points to a patient; rule, table and column stay, so that they can be counted."""
    return queries.assign(row="", patient_id="", value="", message=LEFT_OUT)


def mask_analysis(data: Dataset, analysis: Analysis) -> Analysis | Absent:
    """Mask small cells and whatever would give them back; leave out the rows of single patients.

    Parameters
    ----------
    data : Dataset
    analysis : Analysis

    Returns
    -------
    Analysis or Absent
        The same frames with the same rows; what is masked is missing. `Absent` if a frame is not vetted; of the
        participant flow the vetted part stays.
    """
    vetted = {name: frame for name, frame in analysis.frames.items() if VETTED.fullmatch(name)}
    if len(vetted) < len(analysis.frames) and "flow" not in vetted:
        return Absent(NOT_VETTED)
    analysis = replace(analysis, frames=vetted)
    small = data.study.policy.small_cell
    sizes = pd.Series({**data.n, OVERALL: len(data.patients)})
    hidden = {name: _small_rows(name, f, sizes, small) for name, f in analysis.frames.items() if "count" in f}
    for rule in NESTED:
        _hide_nested(analysis.frames, hidden, rule, small)
    for name, rows in hidden.items():
        _hide_totals(name, analysis.frames[name], rows)
    masked = {}
    for name, frame in analysis.frames.items():
        if name in hidden:
            known = {"person_time", "n"} if _complete(frame, sizes) else {"person_time"}
            masked[name] = _blank(frame, hidden[name], known)
        else:
            masked[name] = _mask_other(frame, small, _hidden_of(name, frame, analysis.frames, hidden))
        masked[name] = masked[name].assign(**{c: np.nan for c in ("min", "max") if c in frame})
    masked = _mask_events(masked)
    kept = {name: _trim_curve(f, small) for name, f in analysis.data.items() if "patient_id" not in f}
    return Analysis(analysis.variable, masked, kept)


def _is_small(values: pd.Series, small: int) -> pd.Series:
    return values.between(0, small, inclusive="neither")


def _family(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """What the rows that add up to one denominator have in common; one column per part of the key."""
    variables = frame["variable"].astype(str) if "variable" in frame else pd.Series("", index=frame.index)
    pattern = FAMILIES.get(name)
    common = variables.map(lambda v: (re.match(pattern, v) or [v, v])[1]) if pattern else variables
    time = frame["time"].astype(float) if "time" in frame else pd.Series(0.0, index=frame.index)
    return pd.DataFrame({"common": common, "time": time.fillna(-1.0), "group": frame["group"].astype(str)})


def _small_rows(name: str, frame: pd.DataFrame, sizes: pd.Series, small: int) -> pd.Series:
    """Rows of a frame of counts that rules 1 and 2 mask, totals not yet among them."""
    family = _family(name, frame)
    keys = [family[column] for column in family]
    found = _is_small(frame["count"].astype(float), small)
    if "n" in frame:
        n = frame["n"].astype(float)
        found |= _is_small(n - frame["count"].groupby(keys).transform("sum"), small)
        if not frame["method"].str.contains("events").any():
            found |= _is_small(family["group"].map(sizes) - n, small)
    if name == "flow":
        found |= _is_small(frame["count"].groupby(keys).transform("max") - frame["count"], small)
    return found.groupby(keys).transform("any")


def _hide_nested(frames: dict, hidden: dict[str, pd.Series], rule: tuple, small: int) -> None:
    """Rule 4: mask the inner count where the one around it exceeds it by a small number."""
    inner, variable, outer, around = rule
    if inner not in frames or outer not in frames:
        return

    def keyed(name: str, common: str | None) -> pd.Series:
        frame, family = frames[name], _family(name, frames[name])
        rows = family["common"] == common if common else pd.Series(True, index=frame.index)
        return frame["count"][rows].astype(float).set_axis(pd.MultiIndex.from_frame(family[rows]))

    outside = keyed(outer, around)
    family = _family(inner, frames[inner]).assign(count=frames[inner]["count"].astype(float))
    for index, row in family[family["common"] == variable if variable else slice(None)].iterrows():
        largest = outside.get((around or row["common"], row["time"], row["group"]))
        if largest is not None and 0 < largest - row["count"] < small:
            hidden[inner][index] = True


def _hide_totals(name: str, frame: pd.DataFrame, rows: pd.Series) -> None:
    """Rule 3: mask a total as soon as one of its arms is masked."""
    family = _family(name, frame)
    together = [family["common"], family["time"]]
    rows |= rows.groupby(together).transform("any") & (family["group"] == OVERALL)


def _complete(frame: pd.DataFrame, sizes: pd.Series) -> bool:
    """Whether every denominator is the size of the arm, which the page's header tells anyway."""
    return "n" in frame and bool((frame["n"] == frame["group"].astype(str).map(sizes)).all())


def _blank(frame: pd.DataFrame, rows: pd.Series, keep: set[str] = frozenset()) -> pd.DataFrame:
    """The frame with every statistic of these rows missing."""
    blanked = frame.copy()
    for column in set(frame) - PLACES - keep:
        blanked[column] = frame[column].astype(float).mask(rows)
    if "note" in frame and rows.any() and "step" not in frame:
        blanked["note"] = frame["note"].mask(rows, "masked: small cells")
    return blanked


def _hidden_of(name: str, frame: pd.DataFrame, frames: dict, hidden: dict) -> pd.Series:
    """Rule 5: rows made from masked counts; `x_difference` is made from `x`."""
    rows = pd.Series(False, index=frame.index)
    sources = [source for source in hidden if name.startswith(f"{source}_") or MADE_FROM.get(name) == source]
    if not sources:
        return rows
    source = max(sources, key=len)
    family = _family(source, frames[source])[hidden[source]]
    own = _family(name, frame)
    for index, row in own.iterrows():
        same = family[(family["common"] == row["common"]) & (family["time"] == row["time"])]["group"]
        rows[index] = bool(set(same) & set(row["group"].split(" vs "))) or (row["group"] == OVERALL and len(same) > 0)
    return rows


def _mask_other(frame: pd.DataFrame, small: int, made_from_masked: pd.Series) -> pd.DataFrame:
    """A frame of other statistics: small counts in it, and rows about few patients."""
    few = _is_small(frame["n"].astype(float), small) if "n" in frame else pd.Series(False, index=frame.index)
    rows = made_from_masked | few
    masked = frame.copy()
    for column in [c for c in COUNTS if c in frame]:
        values = frame[column].astype(float)
        found = _is_small(values, small)
        if column in ("n_missing", "n_events") and "n" in frame:
            found |= _is_small(frame["n"].astype(float) - values, small)
        if GIVE_COUNTS_AWAY & set(frame):
            rows |= found
        masked[column] = values.mask(found)
        if column == "n_missing" and "n" in frame:
            masked["n"] = frame["n"].astype(float).mask(found)
    return _blank(masked, rows)


def _mask_events(frames: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The events of a time-to-event analysis, in no row where one arm's are masked: pairs and totals give them back."""
    about = [name for name, f in frames.items() if "n_events" in f and not GIVE_COUNTS_AWAY & set(f)]
    if not any(frames[name]["n_events"].isna().any() for name in about):
        return frames
    columns = ("n_events", "events_per_variable", "observed", "expected")
    return frames | {name: frames[name].assign(**{c: np.nan for c in columns if c in frames[name]}) for name in about}


def _trim_curve(curve: pd.DataFrame, small: int) -> pd.DataFrame:
    """Steps with enough patients at risk, without the marks of single censored patients."""
    if "n_risk" in curve:
        curve = curve[curve["n_risk"] >= small].reset_index(drop=True)
    return curve.assign(n_censored=0) if "n_censored" in curve else curve
