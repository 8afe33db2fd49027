"""The second computation of the regressions: which columns a model has, from what is shown of it."""

from __future__ import annotations

__all__ = ["recompute_regressions"]

from collections.abc import Iterator
from math import nan

import numpy as np
import pandas as pd

from lib.analyses.models.regression import Regression
from lib.analyses.models.response_regression import ResponseRegression
from lib.analyses.models.terms import STRATUM
from lib.analyses.result import Analysis
from lib.dataset.dataset import Dataset
from lib.report.rechecked.parts import Number, numbers
from lib.statistics.second_engine.regression import FORMULA, Cox, FineGray, Logistic, Model, fit_penalised, fit_plain
from lib.study.parts import own

# Events times patients: beyond, a matrix of both is too large, and maxima that are searched for take too long.
MOST, MOST_SEARCHED = 2_000_000, 20_000


def recompute_regressions(data: Dataset, analysis: Analysis) -> Iterator[Number]:
    """Coefficients, errors, intervals and tests, crude and adjusted; with Firth's penalty without the intervals."""
    if isinstance(analysis, Regression):
        for which in ("crude", "adjusted"):
            yield from _tables(data, analysis, f"regression_{which}", f"regression_{which}_test")
            yield from _tables(data, analysis, f"subdistribution_{which}")
    elif isinstance(analysis, ResponseRegression):
        for which in ("crude", "adjusted"):
            yield from _tables(data, analysis, f"response_regression_{which}", f"response_regression_{which}_test")


def _tables(data: Dataset, analysis: Analysis, output: str, test: str = "") -> Iterator[Number]:
    """Each model of an output: of a crude one a model per variable, else one of all."""
    if output not in analysis:
        return
    rows = analysis[output]
    whole = output.startswith("subdistribution") or output.endswith("adjusted")
    models = [rows] if whole else [part for _, part in rows.groupby([_base(name) for name in rows["variable"]], sort=False)]
    tests = analysis[test].set_index("variable") if test else pd.DataFrame()
    for terms in models:
        if len(terms) and terms["p_value"].notna().all():
            yield from _model(data, analysis, (output, test), terms, tests[tests.index.isin(list(map(_base, terms["variable"])))])


def _base(variable: str) -> str:
    """The variable of a term: "os: sex" of "os: sex: F"."""
    return ": ".join(variable.split(": ", 2)[:2])


def _column(patients: pd.DataFrame, variable: str, group: str) -> np.ndarray:
    if group != "overall":
        return np.asarray(patients["arm"].astype(str) == group.partition(" vs ")[0], dtype=float)
    _, name, *level = variable.split(": ", 2)
    values = patients[own(name)]
    return np.asarray(values.astype("string") == level[0] if level else values, dtype=float)


def _model(data: Dataset, analysis: Analysis, outputs: tuple[str, str], terms: pd.DataFrame, tests: pd.DataFrame) -> Iterator[Number]:
    """One model: its terms, and the tests of what has several."""
    (output, test), patients = outputs, analysis["modelled"]
    used = list(dict.fromkeys(own(name.split(": ", 2)[1]) for name in terms["variable"] if ": " in name))
    strata = STRATUM in patients and output.endswith("regression_adjusted")
    patients = patients[patients[[*used, *([STRATUM] if strata else [])]].notna().all(axis=1)]
    x = np.column_stack([_column(patients, v, g) for v, g in zip(terms["variable"], terms["group"], strict=True)])
    penalised, size = terms["method"].str.contains("Firth").any(), len(patients) * int(patients["event"].sum())
    if size > (MOST_SEARCHED if penalised else MOST):
        return
    model, skip = _written(output, patients, x, penalised, patients[STRATUM].to_numpy() if strata else None)
    bases = list(map(_base, terms["variable"]))
    several = {name: np.flatnonzero(np.array(bases) == name) + skip for name in tests.index}
    name = "odds_ratio" if "odds_ratio" in terms else "hr"
    values, again = fit_penalised(model, skip, several, name) if penalised else fit_plain(model, skip, several, name, data.parameters.level)
    time = float(terms["time"].iat[0]) if "time" in terms else nan
    for (_, row), found in zip(terms.iterrows(), values, strict=True):
        yield from numbers(output, (row["variable"], time), row["group"], found, FORMULA)
    for about, value in again.items():
        # Of arms that separate, the test of the efficacy page is the limit of the likelihood, which has no penalty.
        if pd.notna(tests.at[about, "p_value"]) and ("Firth" in tests.at[about, "method"]) == penalised:
            yield from numbers(test, (about, time), "overall", value, FORMULA)


def _written(output: str, patients: pd.DataFrame, x: np.ndarray, penalised: bool, stratum: np.ndarray | None) -> tuple[Model, int]:
    """The likelihood, and how many columns it has before those of the terms."""
    x = x - x.mean(axis=0)
    if output.startswith("response"):
        return Logistic(patients["event"].to_numpy(float), np.column_stack([np.ones(len(x)), x])), 1
    time = patients["time"].to_numpy(float).round(9)
    if output.startswith("subdistribution"):
        return FineGray(time, patients["cause"].to_numpy(int), x), 0
    return Cox(time, patients["event"].to_numpy(bool), x, stratum, breslow=penalised), 0
