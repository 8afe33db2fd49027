"""Cox models of imputed data sets a second time: the likelihood's derivatives from their definition, Rubin's rules by term.

Each data set costs one Newton step from the first engine's coefficients: at a maximum it leads nowhere, and from anywhere
else it leads away from what was recorded. Complete cases go through statsmodels, which needs a tenth of a second for one.
"""

from __future__ import annotations

__all__ = ["STATSMODELS", "complete", "design", "pooled"]

from collections.abc import Sequence
from math import exp, sqrt
from statistics import fmean, variance

import numpy as np
import pandas as pd
import statsmodels
from scipy.stats import norm
from scipy.stats import t as student
from statsmodels.duration.hazard_regression import PHReg

from lib.statistics.second_engine.cox import wald

STATSMODELS = f"statsmodels {statsmodels.__version__}"


def design(frame: pd.DataFrame, reference: str, covariates: Sequence[str]) -> pd.DataFrame:
    """Indicators of arms and levels, and numbers, under the names of their terms."""
    arms = pd.get_dummies(frame["arm"], dtype=float).drop(columns=reference).add_prefix("arm=")
    parts = [arms]
    for name in covariates:
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            levels = pd.get_dummies(frame[name].cat.remove_unused_categories(), dtype=float)
            parts.append(levels.iloc[:, 1:].add_prefix(f"{name}="))
        else:
            parts.append(frame[[name]].astype(float))
    return pd.concat(parts, axis=1)


def complete(frame: pd.DataFrame, x: pd.DataFrame, start: np.ndarray, level: float) -> dict[str, dict[str, float]]:
    """Statistics of each term of one Cox model with normal intervals, by statsmodels."""
    model = PHReg(frame["time"].to_numpy(float).round(9), x.to_numpy(), status=frame["event"].to_numpy(int), ties="efron")
    covariance, z = np.linalg.inv(-model.hessian(start)), norm.isf((1 - level) / 2)
    beta, errors = start + covariance @ model.score(start), np.sqrt(np.diag(covariance))
    return {term: {"coef": b, "hr": exp(b)} | _as_ratios(wald(b, error, z)) for term, b, error in zip(x, beta, errors, strict=True)}


def _as_ratios(values: dict[str, float]) -> dict[str, float]:
    return values | {side: exp(values[side]) for side in ("ci_low", "ci_high")}


def pooled(frames: Sequence[pd.DataFrame], designs: Sequence[pd.DataFrame], starts: Sequence[np.ndarray], level: float) -> dict[str, dict[str, float]]:
    """Statistics of each term over imputed data sets.

    Parameters
    ----------
    frames, designs : sequence of DataFrame
        `time` and `event`, and the columns of the model.
    starts : sequence of ndarray
        Coefficients of each data set by the first engine.
    level : float
    """
    estimates, squares = [], []
    for frame, x, start in zip(frames, designs, starts, strict=True):
        score, information = _efron(frame["time"].to_numpy(float).round(9), frame["event"].to_numpy(bool), x.to_numpy(), start)
        covariance = np.linalg.inv(information)
        estimates.append(start + covariance @ score)
        squares.append(np.diag(covariance))
    complete_df = max(int(frames[0]["event"].sum()) - designs[0].shape[1], 1)
    columns = zip(designs[0], np.transpose(estimates).tolist(), np.transpose(squares).tolist(), strict=True)
    return {term: _rubin(own, errors, complete_df, level) for term, own, errors in columns}


def _efron(time: np.ndarray, event: np.ndarray, x: np.ndarray, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Score and information as they are defined: the spread of the covariates in each risk set, event by event."""
    x = x - x.mean(axis=0)
    last_first = np.argsort(-time, kind="stable")
    time, event, x = time[last_first], event[last_first], x[last_first]
    risk = np.exp(x @ beta)[:, None]
    pairs = (x[:, :, None] * x[:, None, :]).reshape(len(x), -1)
    sums = risk * np.hstack([np.ones_like(risk), x, pairs])
    at_risk = sums.cumsum(axis=0)
    happened = np.flatnonzero(event)
    times, tied = np.unique(time[happened], return_counts=True)
    dead = np.array([sums[happened[(time[happened] == t)]].sum(axis=0) for t in times])
    through = np.searchsorted(-time, -times, side="right") - 1
    which = np.repeat(np.arange(len(times)), tied)
    share = (np.arange(len(which)) - np.repeat(np.cumsum(tied) - tied, tied)) / tied[which]
    left = at_risk[through][which] - share[:, None] * dead[which]
    p = x.shape[1]
    means, squares = left[:, 1 : p + 1] / left[:, :1], left[:, p + 1 :] / left[:, :1]
    information = squares.sum(axis=0).reshape(p, p) - means.T @ means
    return x[happened].sum(axis=0) - means.sum(axis=0), information


def _rubin(own: list[float], squares: list[float], complete_df: int, level: float) -> dict[str, float]:
    m, b = len(own), fmean(own)
    within, between = fmean(squares), variance(own)
    error = sqrt(within + between + between / m)
    relative = between * (m + 1) / m / within  # Rubin's r; r / (1 + r) is the share of the variance that is due to what is missing
    shown = (1 + complete_df) * complete_df / (complete_df + 3) / (1 + relative)
    df = 1 / (1 / shown + (relative / (1 + relative)) ** 2 / (m - 1))
    missing = (relative + 2 / (3 + df)) / (1 + relative) if between > 0 else 0.0
    half = student.isf((1 - level) / 2, df) * error
    return {
        "coef": b, "hr": exp(b), "std_err": error, "ci_low": exp(b - half), "ci_high": exp(b + half), "statistic": b / error, "df": df,
        "p_value": 2 * student.cdf(-abs(b / error), df), "missing_information": missing, "efficiency": m / (m + missing), "mc_error": sqrt(between / m),
    }  # fmt: skip
