"""How many tests a report holds, how many of them were announced, and how many would be below 0.05 by chance."""

from __future__ import annotations

__all__ = ["Multiplicity", "count_tests", "is_declared"]

import pandas as pd

from lib.analyses import catalogue
from lib.analyses.outputs import named
from lib.analyses.result import Analysis
from lib.dataset.dataset import Dataset
from lib.statistics.comparisons import count_below

ALL, CONFIRMATORY = "all", "confirmatory"
METHOD = "tests recorded in this report, each counted once"


class Multiplicity(Analysis):
    """How many tests a page holds."""


def count_tests(data: Dataset, results: pd.DataFrame) -> Multiplicity:
    """Count the p-values among recorded results.

    Confirmatory is one test alone: the log-rank test of all arms for the endpoint that study.yml declares primary,
    in all patients and arms at the study's own cut-off. Everything else is exploratory.

    Parameters
    ----------
    data : Dataset
    results : DataFrame
        Rows of results.csv.

    Returns
    -------
    Multiplicity
        `tests`, one row for `all` and one for `confirmatory`: `n_tests`, `n_below` (p below 0.05) and `n_expected`
        (0.05 times the tests: below 0.05 on average if nothing differed anywhere; it holds for tests that depend on
        each other too). An adjusted p-value is no test of its own.
    """
    tests = results[(results["statistic"] == "p_value") & results["value"].notna()]
    about = tests["variable"].astype(str).str.replace(r":.*", "", regex=True)
    seen = pd.MultiIndex.from_frame(tests.assign(variable=about)[["variable", "group", "value"]])
    own = ~tests["output"].isin(named(tests=catalogue.AGAIN))
    twice = ~own & tests.duplicated(["variable", "group", "value"])
    tests = tests.loc[((own | ~seen.isin(seen[own])) & ~twice).astype(bool)]
    primary = data.study.primary
    announced = tests["output"].isin(named(tests=catalogue.CONFIRMATORY)) & tests["variable"].eq(primary.id if primary else "") & is_declared(data)
    rows = [
        count_below(part["value"], METHOD).assign(variable=name)
        for name, part in ((ALL, tests), (CONFIRMATORY, tests.loc[announced.astype(bool)]))
    ]
    return Multiplicity(data, "", {"tests": pd.concat(rows, ignore_index=True)})


def is_declared(data: Dataset) -> bool:
    """Whether the report shows what the study announced: a primary endpoint, everybody, every arm, the full time."""
    chosen = data.parameters
    return (
        data.study.primary is not None
        and data.study.primary.role == "primary"
        and not chosen.subgroup
        and chosen.population in ("", *(part.id for part in data.study.populations if part.default))
        and len(data.arms) == len(data.study.arms)
        and data.cutoff == data.study.study.cutoff
    )
