"""How alike the arms are: baseline characteristics by arm (Table 1).

Standardized differences instead of p-values: a test of baseline balance answers no question (STROBE item 14).
"""

from __future__ import annotations

__all__ = ["Baseline", "analyse_baseline", "as_declared", "typed_baseline"]

import pandas as pd

from lib.analyses.result import Analysis
from lib.dataset.dataset import Dataset
from lib.dataset.derived import baseline_frame
from lib.statistics import balance, proportions, ranks
from lib.study.parts import OWN, Variable

SPARSE = 5


class Baseline(Analysis):
    """Who was in the study, at baseline."""


def analyse_baseline(data: Dataset, p_values: bool = False) -> Baseline:
    """Baseline characteristics by arm and overall.

    Parameters
    ----------
    data : Dataset
    p_values : bool
        Add a test per variable, unless chance formed the arms (it would test what is known to be chance; CONSORT): Kruskal-Wallis for numbers; for categories the chi-square test, or where a cell is
        sparse (fewer than five expected) the exact test of Fisher, Freeman and Halton. `method` names it.

    Returns
    -------
    Baseline
        `baseline_number` (n, n_missing, mean, sd, median, q1, q3, min, max), `baseline_category` (count, n,
        proportion, per level; `variable` is "sex: F"), `baseline_missing` (n_missing per category), `baseline_smd`
        (standardized difference per pair of arms), `baseline_test`.
    """
    frame = typed_baseline(data, baseline_frame(data))
    numbers = [v.column for v in data.study.baseline if v.type != "category"]
    categories = [v.column for v in data.study.baseline if v.type == "category"]
    levels = balance.count_levels(frame, categories)
    missing = levels.drop_duplicates(["variable", "group"])[["variable", "group", "n_missing", "method", "note"]]
    counts = levels.drop(columns=["level", "n_missing"]).assign(variable=levels["variable"] + ": " + levels["level"])
    frames = {
        "baseline_number": balance.estimate_quantiles(frame, numbers),
        "baseline_category": counts,
        "baseline_missing": missing,
    }
    if len(data.arms) > 1:
        variables = [v.column for v in data.study.baseline]
        frames["baseline_smd"] = balance.compare_balance(frame, variables, reference=data.reference)
        if p_values and data.study.baseline and not data.study.by_design.by_chance:
            frames["baseline_test"] = pd.concat([_test(frame, v) for v in data.study.baseline], ignore_index=True)
    return Baseline(data, "", {name: as_declared(found) for name, found in frames.items()}, {"patients": frame})


def as_declared(found: pd.DataFrame) -> pd.DataFrame:
    """Results about columns of the study's own, whose `variable` then is as study.yml has it."""
    return found.assign(variable=found["variable"].astype(str).str.removeprefix(OWN))


def typed_baseline(data: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Categories as ordered levels of study.yml, everything else as numbers."""
    typed = {}
    for variable in data.study.baseline:
        codes = [level.value for level in variable.levels]
        values = frame[variable.column]
        typed[variable.column] = (
            pd.Categorical(values.astype("string"), categories=codes) if codes else values.astype("float64")
        )
    return frame.assign(**typed)


def _test(frame: pd.DataFrame, variable: Variable) -> pd.DataFrame:
    if variable.type == "category":
        table = pd.crosstab(frame[variable.column], frame["arm"], dropna=False)
        table = table.loc[frame[variable.column].cat.categories]  # patients without a known value take no part
        exact, chi_square = (proportions.compare_categories(table).iloc[[i]] for i in (0, 1))
        result = exact.drop(columns=["chisq", "df"]) if _sparse(table) else chi_square
    else:
        result = ranks.compare_ranks(frame, variable.column)
    return result.assign(variable=variable.column)


def _sparse(table: pd.DataFrame) -> bool:
    """Whether a cell of levels and arms that occur has fewer than five expected patients (Cochran 1954)."""
    seen = table.loc[table.sum(axis=1) > 0, table.sum(axis=0) > 0].to_numpy(float)
    expected = seen.sum(axis=1, keepdims=True) * seen.sum(axis=0, keepdims=True) / max(seen.sum(), 1)
    return bool((expected < SPARSE).any())
