"""How well a model tells who has the event first, and how much of that it owes to having been fitted to these patients."""

from __future__ import annotations

__all__ = ["Discrimination", "draw_resamples", "estimate_discrimination"]

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from lib.statistics.models.concordance import concordance
from lib.statistics.models.design import Design
from lib.statistics.models.partial_likelihood import RiskSets, climb, fit_cox, make_risk_sets
from lib.statistics.multivariable.nested import Model

# Harrell, Lee and Mark, Stat Med 1996;15:361-387 (section 5.5): 100 to 200. More patients need fewer: the optimism, and what
# its resamples differ by, fall with the number of patients.
MOST, LEAST, ROWS = 200, 50, 200_000


class Discrimination(NamedTuple):
    """Concordance as fitted, its optimism, what is left; `slope` of the calibration; over how many resamples."""

    apparent: float
    optimism: float
    corrected: float
    slope: float
    n_resamples: int
    n_drawn: int


def draw_resamples(n: int, seed: int) -> np.ndarray:
    """Rows of each resample, shape (resamples, n): as many with replacement as there are patients."""
    times = min(MOST, max(LEAST, ROWS // max(n, 1)))
    return np.random.default_rng(seed).integers(n, size=(times, n))


def estimate_discrimination(tte: pd.DataFrame, model: Model, resamples: np.ndarray, strata: str | None = None) -> Discrimination:
    """Harrell's concordance of a model, with its optimism by the bootstrap.

    In each resample the model is fitted anew; it discriminates better there than among the patients as they are, and
    the mean of that difference is taken off. The slope is that of a Cox model of the patients as they are on what the resample's
    model predicts for them: below 1, predictions are too extreme.

    Parameters
    ----------
    tte : DataFrame, one row per patient
        As the model was fitted to, no covariate missing.
    model : Model
        Usable.
    resamples : ndarray of int, shape (resamples, n)
        Of `draw_resamples`. One in which the model cannot be fitted, or an arm has nobody left, is not counted.

    Notes
    -----
    R: ``concordance(coxph(...))``, ``coxph(..., tte[i, ])``, ``concordance(S ~ eta, reverse = TRUE)`` and
    ``coef(coxph(S ~ eta))`` for the same rows `i`; as ``rms::validate`` does.
    """
    x, rows = model.design.x, tte[["arm", "time", "event", *([strata] if strata else [])]].reset_index(drop=True)
    apparent = concordance(rows, x @ np.nan_to_num(model.fit.beta), strata)
    sets = make_risk_sets(rows, model.design, strata)
    gains, slopes = [], []
    for drawn in resamples:
        sample = rows.take(drawn)
        if sample["arm"].nunique() < rows["arm"].nunique():
            continue
        fit, _ = fit_cox(sample, Design(x[drawn], *model.design[1:4], np.ones(len(drawn), dtype=bool)), strata)
        if fit.separated or not fit.estimable.any():
            continue
        eta = x @ np.nan_to_num(fit.beta)
        gains.append(concordance(sample, eta[drawn], strata) - concordance(rows, eta, strata))
        slopes.append(_slope(replace(sets, x=(sets.x @ np.nan_to_num(fit.beta))[:, None])))
    optimism, slope = (float(np.mean(found)) if found else np.nan for found in (gains, slopes))
    return Discrimination(apparent, optimism, apparent - optimism, slope, len(gains), len(resamples))


def _slope(alone: RiskSets) -> float:
    """Coefficient of the only term, a prediction."""
    return float(climb(alone, alone.derivatives(np.zeros(1)))[0][0])
