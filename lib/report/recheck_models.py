"""The second computation of the regressions: which columns a model has, from what is shown of it."""

from __future__ import annotations

__all__ = ["recompute_regressions"]

from collections.abc import Iterator
from math import nan

import numpy as np
import pandas as pd
from scipy import stats

from lib.analyses.models.regression import Regression
from lib.analyses.models.response_regression import ResponseRegression
from lib.analyses.result import Analysis
from lib.dataset.dataset import Dataset
from lib.report.recheck_parts import Number, numbers
from lib.statistics.second_engine.regression import FORMULA, Cox, FineGray, Logistic, Model, ratio_of
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
            yield from _model(data, analysis, output, test, terms, tests[tests.index.isin(list(map(_base, terms["variable"])))])


def _base(variable: str) -> str:
    """The variable of a term: "os: sex" of "os: sex: F"."""
    return ": ".join(variable.split(": ", 2)[:2])


def _column(patients: pd.DataFrame, variable: str, group: str) -> np.ndarray:
    if group != "overall":
        return (patients["arm"].astype(str) == group.split(" vs ")[0]).to_numpy(float)
    _, name, *level = variable.split(": ", 2)
    values = patients[own(name)]
    return (values.astype("string") == level[0]).to_numpy(float) if level else values.to_numpy(float)


def _model(data: Dataset, analysis: Analysis, output: str, test: str, terms: pd.DataFrame, tests: pd.DataFrame) -> Iterator[Number]:
    patients = analysis["modelled"]
    used = list(dict.fromkeys(own(name.split(": ", 2)[1]) for name in terms["variable"] if ": " in name))
    strata = "stratum" in patients and output.endswith("regression_adjusted")
    patients = patients[patients[[*used, *(["stratum"] if strata else [])]].notna().all(axis=1)]
    x = np.column_stack([_column(patients, v, g) for v, g in zip(terms["variable"], terms["group"], strict=True)])
    penalised, size = terms["method"].str.contains("Firth").any(), len(patients) * int(patients["event"].sum())
    if size > (MOST_SEARCHED if penalised else MOST):
        return
    fit = _penalised if penalised else _plain
    model, skip = _written(output, patients, x, penalised, patients["stratum"].to_numpy() if strata else None)
    bases = list(map(_base, terms["variable"]))
    several = {name: np.flatnonzero(np.array(bases) == name) + skip for name in tests.index}
    values, chisq = fit(model, skip, several, data.parameters.level, "odds_ratio" if "odds_ratio" in terms else "hr")
    time = float(terms["time"].iat[0]) if "time" in terms else nan
    for (_, row), found in zip(terms.iterrows(), values, strict=True):
        yield from numbers(output, (row["variable"], time), row["group"], found, FORMULA)
    for name, (value, df) in chisq.items():
        # Of arms that separate, the test of the efficacy page is the limit of the likelihood, which has no penalty.
        if pd.notna(tests.at[name, "p_value"]) and ("Firth" in tests.at[name, "method"]) == penalised:
            found = {"chisq": value, "df": float(df), "p_value": stats.chi2.sf(value, df)}
            yield from numbers(test, (name, time), "overall", found, FORMULA)


def _written(output: str, patients: pd.DataFrame, x: np.ndarray, penalised: bool, stratum: np.ndarray | None) -> tuple[Model, int]:
    """The likelihood, and how many columns it has before those of the terms."""
    x = x - x.mean(axis=0)
    if output.startswith("response"):
        return Logistic(patients["event"].to_numpy(float), np.column_stack([np.ones(len(x)), x])), 1
    time = patients["time"].to_numpy(float).round(9)
    if output.startswith("subdistribution"):
        return FineGray(time, patients["cause"].to_numpy(int), x), 0
    return Cox(time, patients["event"].to_numpy(bool), x, stratum, breslow=penalised), 0


def _without(model: Model, columns: np.ndarray) -> float:
    """The largest log likelihood without some columns."""
    kept, whole = np.setdiff1d(np.arange(model.x.shape[1]), columns), model.x
    try:
        model.x = whole[:, kept]
        return model.parts(model.climb() if len(kept) else np.zeros(0))[0]
    finally:
        model.x = whole


def _plain(model: Model, skip: int, several: dict[str, np.ndarray], level: float, name: str) -> tuple[list[dict], dict]:
    beta = model.climb()
    best, errors = model.parts(beta)[0], model.errors(beta)
    values = [ratio_of(b, e, level, name) for b, e in zip(beta[skip:], errors[skip:], strict=True)]
    return values, {variable: (2 * (best - _without(model, columns)), len(columns)) for variable, columns in several.items()}


def _penalised(model: Model, skip: int, several: dict[str, np.ndarray], level: float, name: str) -> tuple[list[dict], dict]:
    p = model.x.shape[1]
    spread = np.where(model.x.std(axis=0) > 0, model.x.std(axis=0), 1.0)
    model.x = model.x / spread  # steady steps; the determinant changes by a constant
    beta, best = model.climb_penalised(np.zeros(p, bool), np.zeros(p))

    def fall(columns: object) -> float:
        return max(2 * (best - model.climb_penalised(np.isin(np.arange(p), columns), beta)[1]), 0.0)

    coef, errors = beta / spread, model.errors(beta) / spread
    values = [{"coef": coef[j], "std_err": errors[j], name: np.exp(coef[j]), "p_value": stats.chi2.sf(fall(j), 1)} for j in range(skip, p)]
    return values, {variable: (fall(columns), len(columns)) for variable, columns in several.items()}
