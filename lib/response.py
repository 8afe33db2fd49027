"""Tumour response at the response visits: counts, rates with exact intervals, and comparisons of arms.

The categories come from `dataset.response_frame`; the tests from proportions.
"""

from __future__ import annotations

__all__ = ["CATEGORIES", "DENOMINATORS", "analyse", "compare_outcome", "count_categories"]

from collections.abc import Sequence

import pandas as pd

from lib import proportions
from lib.analysis import Analysis, requires
from lib.dataset import Dataset
from lib.derivation import response_frame

CATEGORIES = ("CR", "PR", "SD", "PD", "NE", "died", "missing", "not due")
UNASSESSED = ("NE", "died", "missing")
OUTCOMES = {"objective_response": "responder", "disease_control": "controlled"}
# All treated counts a patient who died or has no assessment as a non-responder; nobody whose visit is not yet due.
DENOMINATORS = ("treated", "evaluable")


@requires("lesions", "measurements")
def analyse(data: Dataset, visits: Sequence[float]) -> Analysis:
    """Response at each visit by arm.

    Parameters
    ----------
    data : Dataset
    visits : sequence of float
        Visits in the study's time unit.

    Returns
    -------
    Analysis
        `response_category` (count of each category), `response_unassessed` (patients without an assessment that can be
        evaluated, whose visit was due), then for `objective_response` and `disease_control` and both
        denominators: `<outcome>_<denominator>` (proportion, exact interval), `_test` (overall), `_pairwise` (Fisher,
        Holm), `_difference` (Miettinen-Nurminen) and `_newcombe`, `_odds_ratio`.
    """
    patients = {visit: response_frame(data, visit) for visit in visits}
    frames: dict[str, list[pd.DataFrame]] = {"response_category": []}
    for visit, frame in patients.items():
        frames["response_category"].append(count_categories(frame).assign(time=visit))
        for outcome, column in OUTCOMES.items():
            for denominator in DENOMINATORS:
                chosen = (
                    frame[frame["response"] != "not due"] if denominator == "treated" else frame[frame["evaluable"]]
                )
                for name, part in compare_outcome(chosen, column, data).items():
                    frames.setdefault(f"{outcome}_{denominator}{name}", []).append(part.assign(time=visit))
    frames["response_unassessed"] = [count_unassessed(part) for part in frames["response_category"]]
    every = pd.concat([frame.assign(time=visit) for visit, frame in patients.items()], ignore_index=True)
    return Analysis(
        "response", {name: pd.concat(parts, ignore_index=True) for name, parts in frames.items()}, {"patients": every}
    )


def count_categories(frame: pd.DataFrame) -> pd.DataFrame:
    """Count the patients of each category, per arm and overall.

    Parameters
    ----------
    frame : DataFrame, one row per patient: `arm`, `response` (one of `CATEGORIES`)

    Returns
    -------
    DataFrame, one row per arm (and overall) and category: `group`, `variable`, `count`, `method`, `note`
    """
    counts = pd.crosstab(frame["arm"], frame["response"], dropna=False).reindex(columns=CATEGORIES, fill_value=0)
    counts.loc["overall"] = counts.sum()
    tidy = counts.rename_axis(index="group", columns="variable").stack().rename("count").reset_index()
    return tidy.assign(method="count of patients", note="")


def count_unassessed(categories: pd.DataFrame) -> pd.DataFrame:
    """Sum the categories of those who were due and have no category of response: rows as `count_categories`."""
    own = categories[categories["variable"].isin(UNASSESSED)]
    total = own.groupby("group", sort=False)["count"].sum().reset_index()
    return total.assign(time=categories["time"].iat[0], method="count of patients", note="")


def compare_outcome(frame: pd.DataFrame, column: str, data: Dataset) -> dict[str, pd.DataFrame]:
    """Proportion of patients with an outcome by arm, and every comparison of arms.

    Parameters
    ----------
    frame : DataFrame, one row per patient of the denominator
    column : str
        Column of bool (True = has the outcome).
    data : Dataset

    Returns
    -------
    dict of str to DataFrame
        "" (proportion), and with two arms or more `_test`, `_chisq`, `_pairwise`, `_difference`, `_newcombe`,
        `_odds_ratio`.
    """
    counts, level = proportions.count_outcome(frame, column), data.parameters.level
    results = {"": proportions.estimate_proportion(counts, level)}
    if len(data.arms) < 2:
        return results
    tests = proportions.compare_proportions(counts)
    difference = proportions.estimate_risk_difference
    return results | {
        "_test": tests.iloc[[0]].drop(columns=["chisq", "df"]),
        "_chisq": tests.iloc[[1]].drop(columns="mc_error"),
        "_pairwise": proportions.compare_proportions_pairwise(counts, data.reference),
        "_difference": difference(counts, data.reference, level=level),
        "_newcombe": difference(counts, data.reference, "newcombe", level),
        "_odds_ratio": proportions.estimate_odds_ratio(counts, data.reference, level),
    }
