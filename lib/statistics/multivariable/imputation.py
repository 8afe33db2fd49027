"""Multiple imputation by chained equations: numbers by predictive mean matching, categories by multinomial regression.

Written out because no kept library draws both: statsmodels' MICE matches numbers only, and leaves the spread of their
residuals at its estimate. All imputations are drawn at once, as a first axis of every array.
"""

from __future__ import annotations

__all__ = ["DONORS", "ITERATIONS", "impute", "impute_covariates", "predictors_of"]

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from lib.statistics.survival.event_table import arm_names, check_tte, merge_times

# As in R's mice: patients whose values may be taken, and rounds of the chain (there 5; ten cost little).
DONORS, ITERATIONS = 5, 10
# Of a linear model's cross products, so that covariates that explain each other can be told apart (mice: ridge).
RIDGE = 1e-5
# Normal prior of a standardized slope of a categorical model, its standard deviation: where covariates tell the levels
# apart the likelihood has no maximum (White, Daniel and Royston 2010; the width is that of Gelman et al. 2008).
PRIOR_SD = 2.5
# The step after one of 1e-5 is below 1e-9.
NEWTON_STEPS, LONGEST_STEP, AT_REST = 50, 2.0, 1e-5
# Predictions of standardized numbers that differ by less are the same.
ALIKE = 1e-9
# Numbers of all imputations that are held in memory at once.
AT_ONCE = 4_000_000


class _Column(NamedTuple):
    """What is imputed: numbers, or codes of levels (`levels` of them; 0: numbers); NaN where missing."""

    values: np.ndarray
    levels: int

    @property
    def missing(self) -> np.ndarray:
        return np.isnan(self.values)

    def known(self) -> np.ndarray:
        return self.values[~self.missing]

    def block(self, drawn: np.ndarray) -> np.ndarray:
        """Columns of a design, shape (m, n, b): the number, or an indicator of each level but the first."""
        return drawn[:, :, None] if not self.levels else (drawn[:, :, None] == np.arange(1, self.levels)).astype(float)


def impute_covariates(tte: pd.DataFrame, covariates: Sequence[str], m: int, seed: int) -> list[pd.DataFrame]:
    """Draw what is missing of the covariates of a Cox model.

    Each is drawn from its distribution given all others, the arm, whether the event happened, and the cumulative hazard
    of the patient's time (Nelson-Aalen, all arms together).

    Parameters
    ----------
    tte : DataFrame, one row per patient
        `arm`, `time`, `event` (True = event), and the covariates: numbers, or categories.
    covariates : sequence of str
    m : int
        Imputations.
    seed : int

    Returns
    -------
    list of DataFrame
        `tte`, m times, without a missing covariate.

    Raises
    ------
    ValueError
        For a covariate of which nothing is known.

    References
    ----------
    van Buuren S, Groothuis-Oudshoorn K. J Stat Softw 2011;45:1-67. White IR, Royston P. Stat Med 2009;28:1982.
    """
    check_tte(tte)
    if unknown := [name for name in covariates if tte[name].isna().all()]:
        raise ValueError(f"{unknown}: nothing is known, so nothing can be drawn")
    columns = [_column(tte[name]) for name in covariates]
    drawn = impute(columns, _outcome(tte), m, seed)
    lacking = [(name, column, values) for name, column, values in zip(covariates, columns, drawn, strict=True) if column.missing.any()]
    return [tte.assign(**{name: _as_was(tte[name], values[i]) for name, _, values in lacking}) for i in range(m)]


def predictors_of(tte: pd.DataFrame, covariates: Sequence[str]) -> int:
    """How many coefficients the largest equation of the chain has, beside its constant."""
    sizes = [max(_column(tte[name]).levels - 1, 1) for name in covariates]
    lacking = [size for name, size in zip(covariates, sizes, strict=True) if tte[name].isna().any()]
    return len(arm_names(tte)) - 1 + 2 + sum(sizes) - min(lacking, default=0)


def _column(values: pd.Series) -> _Column:
    """Levels that nobody has cannot be drawn, so they have no code."""
    if is_numeric_dtype(values) or is_bool_dtype(values):
        return _Column(values.to_numpy(dtype=float, na_value=np.nan), 0)
    used = values.astype("category").cat.remove_unused_categories().cat
    return _Column(np.where(used.codes < 0, np.nan, used.codes).astype(float), len(used.categories))


def _as_was(values: pd.Series, drawn: np.ndarray) -> pd.Series:
    """Drawn numbers, or codes as the levels that they stand for; what was known as it was."""
    if is_numeric_dtype(values) or is_bool_dtype(values):
        return pd.Series(drawn, values.index)
    used = values.astype("category").cat.remove_unused_categories().cat.categories
    return pd.Series(pd.Categorical.from_codes(drawn.astype(int), used), values.index)


def _outcome(tte: pd.DataFrame) -> np.ndarray:
    """Arm, event and cumulative hazard at the patient's own time, a column each."""
    event = tte["event"].to_numpy(dtype=float)
    times, index = merge_times(tte["time"].to_numpy(dtype=float))
    at_risk = np.bincount(index, minlength=len(times))[::-1].cumsum()[::-1]
    hazard = np.cumsum(np.bincount(index, event, len(times)) / at_risk)[index]
    arms = tte["arm"].cat.codes.to_numpy()
    return np.column_stack([*(arms == i for i in range(1, len(arm_names(tte)))), event, hazard]).astype(float)


def impute(columns: Sequence[_Column], complete: np.ndarray, m: int, seed: int) -> list[np.ndarray]:
    """Draw the missing values of columns that predict each other.

    Parameters
    ----------
    columns : sequence of (values, levels)
        Numbers, or codes of `levels` levels each of which occurs; NaN where missing.
    complete : ndarray, shape (n, f)
        What predicts them and is known of everybody.
    m, seed : int

    Returns
    -------
    list of ndarray, shape (m, n)
    """
    columns = [_Column(*column) for column in columns]
    rng = np.random.default_rng(seed)
    width = complete.shape[1] + sum(max(column.levels, 1) for column in columns)
    parts = np.array_split(np.arange(m), max(1, -(-m * len(complete) * width // AT_ONCE)))
    chains = [_chain(columns, complete, len(part), rng) for part in parts if len(part)]
    return [np.concatenate(values) for values in zip(*chains, strict=True)]


def _chain(columns: list[_Column], complete: np.ndarray, m: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Start at values drawn from those known, then draw each column in turn, the one with the fewest missing first."""
    drawn = []
    for column in columns:
        start = np.repeat(column.values[None], m, axis=0)
        start[:, column.missing] = rng.choice(column.known(), (m, int(column.missing.sum())))
        drawn.append(start)
    lacking = sorted((j for j, column in enumerate(columns) if column.missing.any()), key=lambda j: int(columns[j].missing.sum()))
    fixed = np.broadcast_to(complete, (m, *complete.shape))
    for _ in range(ITERATIONS if len(lacking) > 1 else 1):
        for j in lacking:
            others = [columns[i].block(drawn[i]) for i in range(len(columns)) if i != j]
            design = _standardized(np.concatenate([fixed, *others], axis=2), ~columns[j].missing)
            draw = _draw_levels if columns[j].levels else _draw_numbers
            drawn[j][:, columns[j].missing] = draw(design, columns[j], rng)
    return drawn


def _standardized(design: np.ndarray, known: np.ndarray) -> np.ndarray:
    """A column of 1, and the others by their mean and spread among those known; without spread they stay at 0."""
    middle, spread = design[:, known].mean(axis=1, keepdims=True), design[:, known].std(axis=1, keepdims=True)
    flat = spread < 1e-12
    scaled = np.where(flat, 0.0, (design - middle) / np.where(flat, 1.0, spread))
    return np.concatenate([np.ones((*design.shape[:2], 1)), scaled], axis=2)


def _draw_numbers(design: np.ndarray, column: _Column, rng: np.random.Generator) -> np.ndarray:
    """Predictive mean matching, shape (m, missing): a drawn model's predictions beside those of the estimated one.

    Coefficients and the spread of the residuals are drawn from their posterior (flat prior); the value is that of one
    of the `DONORS` patients whose predictions are nearest (type 1 of van Buuren, Flexible Imputation, 3.4.2).
    """
    known = ~column.missing
    x, y = design[:, known], column.known()
    middle, spread = y.mean(), y.std() or 1.0
    y = (y - middle) / spread
    across = x.transpose(0, 2, 1)
    products = across @ x
    products += RIDGE * np.eye(x.shape[2]) * np.diagonal(products, axis1=1, axis2=2)[:, None, :] + 1e-12 * np.eye(x.shape[2])
    beta = np.linalg.solve(products, across @ y[:, None])
    rest = ((y[:, None] - x @ beta) ** 2).sum(axis=(1, 2))
    sigma = np.sqrt(rest / rng.chisquare(max(len(y) - x.shape[2], 1), len(x)))
    taken = beta + sigma[:, None, None] * _spread(products, rng)
    near, far = (x @ beta)[:, :, 0], (design[:, ~known] @ taken)[:, :, 0]
    return np.array([column.known()[_match(*pair, rng)] for pair in zip(near, far, strict=True)])


def _match(near: np.ndarray, far: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """For each of `far` the position of one of the `DONORS` nearest of `near`; of several that are as near, any.

    Patients who are alike in all that predicts are as near as each other: were a few taken for everybody, whole groups
    would get the values of these few.
    """
    order = np.argsort(near, kind="stable")
    ordered, donors = near[order], min(DONORS, len(near))
    window = np.searchsorted(ordered, far)[:, None] + np.arange(-donors, donors)
    outside = (window < 0) | (window >= len(near))
    gaps = np.where(outside, np.inf, np.abs(far[:, None] - ordered[window.clip(0, len(near) - 1)]))
    reach = np.sort(gaps, axis=1)[:, donors - 1]
    # positions nearer than the last donor are inner, those as near as it stand to both sides of them
    low, high = np.searchsorted(ordered, far - reach - ALIKE), np.searchsorted(ordered, far + reach + ALIKE)
    start = np.searchsorted(ordered, far - reach + ALIKE)
    inner = np.maximum(np.searchsorted(ordered, far + reach - ALIKE) - start, 0)
    start = np.minimum(start, high - inner)
    pick, tied = rng.integers(donors, size=len(far)), (rng.random(len(far)) * (high - low - inner)).astype(int)
    beside = low + tied + np.where(low + tied >= start, inner, 0)
    return order[np.where(pick < inner, start + pick, beside)]


def _draw_levels(design: np.ndarray, column: _Column, rng: np.random.Generator) -> np.ndarray:
    """Codes, shape (m, missing), from a multinomial model whose coefficients are drawn from their normal posterior."""
    known, others = ~column.missing, column.levels - 1
    if not others:
        return np.zeros((len(design), int(column.missing.sum())))
    x = design[:, known]
    own = (column.known()[:, None] == np.arange(column.levels)).astype(float)
    beta, information = _fit_levels(x, own)
    taken = beta + _spread(information, rng).reshape(len(x), others, -1)
    below = np.cumsum(_chances(design[:, column.missing], taken), axis=2)[:, :, :-1]
    return (rng.random((*below.shape[:2], 1)) > below).sum(axis=2).astype(float)


def _fit_levels(x: np.ndarray, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Posterior mode, shape (m, levels - 1, q), and information there, by Newton's method."""
    m, q, others = len(x), x.shape[2], own.shape[1] - 1
    precision = np.tile(np.append(0.0, np.full(q - 1, PRIOR_SD**-2)), others)
    beta = np.zeros((m, others, q))
    for _ in range(NEWTON_STEPS):
        chance = _chances(x, beta)[:, :, 1:]
        score = ((own[:, 1:] - chance).transpose(0, 2, 1) @ x).reshape(m, -1) - precision * beta.reshape(m, -1)
        information = np.empty((m, others, q, others, q))
        for i in range(others):
            for j in range(others):
                weight = chance[:, :, i] * ((i == j) - chance[:, :, j])
                information[:, i, :, j, :] = (x * weight[:, :, None]).transpose(0, 2, 1) @ x
        whole = information.reshape(m, others * q, others * q) + np.diag(precision)
        step = np.linalg.solve(whole, score[:, :, None])[:, :, 0]
        longest = np.abs(step).max(axis=1, keepdims=True)
        beta = beta + (step / np.maximum(1.0, longest / LONGEST_STEP)).reshape(m, others, q)
        if longest.max() < AT_REST:
            break
    return beta, whole


def _chances(x: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Probability of each level, shape (m, n, levels)."""
    logits = np.concatenate([np.zeros((*x.shape[:2], 1)), x @ beta.transpose(0, 2, 1)], axis=2)
    odds = np.exp(logits - logits.max(axis=2, keepdims=True))
    return odds / odds.sum(axis=2, keepdims=True)


def _spread(information: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Normal draws, shape (m, q, 1), whose covariance is the inverse of the information."""
    root = np.linalg.cholesky(information)
    return np.linalg.solve(root.transpose(0, 2, 1), rng.standard_normal((*information.shape[:2], 1)))
