"""Restricted cubic splines: whether the log hazard is a straight line in a number."""

from __future__ import annotations

__all__ = ["Bend", "bend_columns", "number_of_knots", "place_knots", "spline_basis"]

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from lib.statistics.multivariable.nested import Model, compare_models, contrast, fit_model

# Harrell, Regression Modeling Strategies, 2nd ed. 2015, table 2.3: at which quantiles so many knots lie.
QUANTILES = {3: (0.1, 0.5, 0.9), 4: (0.05, 0.35, 0.65, 0.95), 5: (0.05, 0.275, 0.5, 0.725, 0.95)}
# The same, section 2.4.6: three below 30 events, five from 100 on.
FEW, MANY = 30, 100
# The curve is drawn between these quantiles: beyond, single patients draw it.
DRAWN, POINTS = (0.05, 0.95), 81
NAME = "bend {}"


def number_of_knots(n_events: int) -> int:
    """Knots for so many events."""
    return 3 if n_events < FEW else 4 if n_events < MANY else 5


def place_knots(values: np.ndarray, k: int) -> np.ndarray:
    """Knots at Harrell's quantiles (type 7); those that fall together, because values are tied, are one."""
    return np.unique(np.quantile(values, QUANTILES[k]))


def spline_basis(values: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """What a restricted cubic spline has beyond the straight line, shape (n, k - 2).

    Cubic between the knots, linear beyond the outer two. R: ``Hmisc::rcspline.eval(x, knots)``; with `x` itself it spans
    what ``splines::ns(x, knots = inner, Boundary.knots = outer)`` spans.
    """
    *inner, before, last = knots
    gap = last - before

    def cube(knot: float) -> np.ndarray:
        return np.maximum(values - knot, 0.0) ** 3

    columns = [cube(knot) - cube(before) * (last - knot) / gap + cube(last) * (before - knot) / gap for knot in inner]
    return np.column_stack(columns) / (last - knots[0]) ** 2


def bend_columns(tte: pd.DataFrame, variable: str, knots: np.ndarray) -> pd.DataFrame:
    """Add the columns of a spline beside the number's own, with names that no variable has."""
    basis = spline_basis(tte[variable].to_numpy(dtype=float), knots)
    return tte.assign(**{NAME.format(i): column for i, column in enumerate(basis.T)})


class Bend(NamedTuple):
    """A covariate as a curve beside the straight line.

    `test` : chi-square, df and p of the bend; `curve` : DataFrame, one row per drawn value (`value`, `line`, `hr`,
    `ci_low`, `ci_high` against the median); `quartiles` : the third against the first quartile, rows `line` and `spline`
    (`hr`, `ci_low`, `ci_high`, `q1`, `q3`); `knots` : ndarray.
    """

    test: dict[str, float]
    curve: pd.DataFrame
    quartiles: pd.DataFrame
    knots: np.ndarray

    @classmethod
    def estimate(cls, tte: pd.DataFrame, reference: str, covariates: Sequence[str], variable: str, knots: np.ndarray,
                 *, level: float = 0.95, strata: str | None = None, straight: Model | None = None) -> Bend | None:  # fmt: skip
        """Fit the spline of one of the covariates, the others as they are; None where it cannot be fitted.

        Parameters
        ----------
        tte : DataFrame, one row per patient
            `arm`, `time`, `event` and the columns of `covariates`, none of them missing.
        variable : str
            Which of the covariates, a number.
        knots : ndarray, shape (3 or more,)
            Rising.
        straight : Model, optional
            The model with the straight line, if it is fitted already.

        Notes
        -----
        R: ``anova(coxph(S ~ arm + x + z), coxph(S ~ arm + ns(x, ...) + z))``; the curve is ``(B(x) - B(median)) beta``
        with the variance of that sum.
        """
        bent_tte = bend_columns(tte, variable, knots)
        bends = [NAME.format(i) for i in range(len(knots) - 2)]
        line = straight or fit_model(tte, reference, covariates, strata)
        bent = fit_model(bent_tte, reference, [*covariates, *bends], strata)
        test = compare_models(line, bent)
        if np.isnan(test["chisq"]):
            return None
        values = tte[variable].to_numpy(dtype=float)
        drawn = np.linspace(*np.quantile(values, DRAWN), POINTS)

        def ratios(model: Model, to: np.ndarray, at: float) -> dict[str, np.ndarray]:
            weights = np.zeros((len(to), len(model.coef)))
            weights[:, model.place(variable)] = to - at
            if model is bent:
                places = [model.place(name) for name in bends]
                weights[:, places] = spline_basis(to, knots) - spline_basis(np.array([at]), knots)
            return contrast(model, weights, level)

        q1, median, q3 = np.quantile(values, [0.25, 0.5, 0.75])
        around = ratios(bent, drawn, median)
        shown = {name: around[name] for name in ("hr", "ci_low", "ci_high")}
        curve = pd.DataFrame({"value": drawn, "line": ratios(line, drawn, median)["hr"], **shown})
        apart = [{name: found[0] for name, found in ratios(model, np.array([q3]), q1).items()} for model in (line, bent)]
        quartiles = pd.DataFrame(apart, index=["line", "spline"])[["hr", "ci_low", "ci_high"]].assign(q1=q1, q3=q3)
        return cls(test, curve, quartiles, knots)
