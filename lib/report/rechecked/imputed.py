"""The Cox models of imputed covariates and of complete cases, a second time."""

from __future__ import annotations

__all__ = ["recompute_imputed"]

from collections.abc import Iterator
from math import isnan

import numpy as np

from lib.analyses.result import Analysis
from lib.dataset.dataset import Dataset
from lib.report.rechecked.parts import Number, numbers, places
from lib.statistics.second_engine import imputed
from lib.statistics.second_engine.cox import FORMULA
from lib.statistics.survival.event_table import OVERALL
from lib.study.limits import LARGE
from lib.study.parts import OWN


def recompute_imputed(data: Dataset, analysis: Analysis) -> Iterator[Number]:
    """Hazard ratios by Rubin's rules from every imputed data set, and of the patients of whom nothing was imputed."""
    if "completed" not in analysis or len(analysis["kept"]) > LARGE:
        return
    level, every = data.parameters.level, analysis["completed"]
    covariates = [name for name in every if name.startswith(OWN)]
    frames = [frame for _, frame in every.groupby("imputation", sort=True)]
    designs = [imputed.design(frame, data.reference, covariates) for frame in frames]
    starts = analysis["fits"][list(designs[0])].to_numpy()
    yield from _recorded(analysis, "imputed_cox", imputed.pooled(frames, designs, starts, level), FORMULA)
    whole = analysis["kept"].dropna(subset=covariates)
    x, start = imputed.design(whole, data.reference, covariates), _coefficients(analysis)
    if set(x) == set(start) and not analysis["complete_cox"]["method"].str.contains("Firth").any():
        found = imputed.complete(whole, x, np.array([start[term] for term in x]), level)
        yield from _recorded(analysis, "complete_cox", found, imputed.STATSMODELS)


def _place(analysis: Analysis, term: str) -> tuple[str, str]:
    """Variable and group of a term."""
    name, _, level = term.partition("=")
    if name == "arm":
        return analysis.variable, f"{level} vs {analysis.dataset.reference}"
    return f"{analysis.variable}: {name.removeprefix(OWN)}{f': {level}' if level else ''}", OVERALL


def _coefficients(analysis: Analysis) -> dict[str, float]:
    """Those of complete cases that are known, by term."""
    rows = analysis["complete_cox"].set_index(["variable", "group"])["coef"].dropna().to_dict()
    placed = {term: _place(analysis, term) for term in analysis["fits"]}
    return {term: rows[place] for term, place in placed.items() if place in rows}


def _recorded(analysis: Analysis, output: str, found: dict[str, dict[str, float]], engine: str) -> Iterator[Number]:
    """Those of the recorded terms that have an estimate, under the places of results.csv."""
    by_place = {(place[0], group): row for place, rows in places(analysis, output).items() for group, row in rows.items()}
    for term, values in found.items():
        variable, group = _place(analysis, term)
        if (variable, group) in by_place and not isnan(by_place[variable, group]["coef"]):
            yield from numbers(output, (variable, None), group, values, engine)
