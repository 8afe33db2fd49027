"""Fine and Gray's regression of the subdistribution hazard: what arms and covariates do to the cumulative incidence.

Who had a competing event stays at risk, with the weight of not having been censored since. All sums over a risk set are
cumulative sums, so the cost grows with the patients.
"""

from __future__ import annotations

__all__ = ["estimate_subdistribution"]

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from lib.statistics.models.design import Design, make_design
from lib.statistics.survival.event_table import merge_times

# Of the events: information below this is rounding. Steps of Newton's method; the largest move of a patient's logarithm.
LEAST_INFORMATION, STEPS, MAX_SPREAD = 1e-9, 60, 10.0
NOTHING = "not estimable: no event informs on this term"
SEPARATED = "not estimable: the ratio is 0 or infinite, as a group has no event or the covariates separate"


class _Weighted(NamedTuple):
    """Patients in the order of their times.

    `x` : (n, p); `cause` : 0 censored, 1 the event, 2 another; `at` : position of each time among the distinct ones;
    `stay` : share not yet censored just before each distinct time.
    """

    x: np.ndarray
    cause: np.ndarray
    at: np.ndarray
    stay: np.ndarray

    def per_time(self, values: np.ndarray) -> np.ndarray:
        """Sums of values by distinct time."""
        out = np.zeros((len(self.stay), *values.shape[1:]))
        np.add.at(out, self.at, values)
        return out


def _from_on(values: np.ndarray) -> np.ndarray:
    return values[::-1].cumsum(axis=0)[::-1]


def _before(values: np.ndarray) -> np.ndarray:
    return values.cumsum(axis=0) - values


class _Point(NamedTuple):
    """Likelihood and what follows from it at one place; means and sums by distinct time."""

    loglik: float
    score: np.ndarray
    information: np.ndarray
    risk: np.ndarray
    mean: np.ndarray
    hazard: np.ndarray
    gone: np.ndarray


def _prepare(tte: pd.DataFrame, design: Design) -> _Weighted:
    times, at = merge_times(tte["time"].to_numpy(float)[design.kept])
    cause = tte["cause"].to_numpy(int)[design.kept]
    left = _from_on(np.bincount(at, minlength=len(times)))
    censored = np.bincount(at, cause == 0, len(times))
    stay = np.concatenate([[1.0], np.cumprod(1 - censored / left)[:-1]]) if len(times) else np.ones(0)
    return _Weighted(design.x, cause, at, stay)


def _evaluate(rows: _Weighted, beta: np.ndarray) -> _Point:
    eta = rows.x @ beta
    eta = eta - eta.max()
    risk = np.exp(eta)
    p = rows.x.shape[1]
    products = (rows.x[:, :, None] * rows.x[:, None, :]).reshape(len(risk), -1)
    mass = risk[:, None] * np.column_stack([np.ones(len(risk)), rows.x, products])
    competing = (rows.cause == 2)[:, None]
    gone = _before(rows.per_time(np.where(competing, mass / rows.stay[rows.at][:, None], 0.0)))
    sums = _from_on(rows.per_time(mass)) + rows.stay[:, None] * gone
    own = rows.cause == 1
    d = np.bincount(rows.at, own, len(rows.stay))
    total = np.where(d > 0, sums[:, 0], 1.0)
    mean, square = sums[:, 1 : 1 + p] / total[:, None], sums[:, 1 + p :] / total[:, None]
    information = (d @ square).reshape(p, p) - (mean.T * d) @ mean
    return _Point(eta[own].sum() - d @ np.log(total), rows.x[own].sum(axis=0) - d @ mean, information, risk, mean, d / total, gone[:, : 1 + p])


def _climb(rows: _Weighted) -> tuple[np.ndarray, _Point, bool]:
    """Newton's method with halved steps; whether the likelihood still rises where the coefficients run away."""
    beta = np.zeros(rows.x.shape[1])
    at = _evaluate(rows, beta)
    step, least = beta, LEAST_INFORMATION * max(np.trace(at.information), 1e-300)
    for _ in range(STEPS):
        step = np.linalg.lstsq(at.information, at.score, rcond=None)[0]
        step = step / max(1.0, float(np.ptp(rows.x @ step)) / MAX_SPREAD)
        new = _evaluate(rows, beta + step)
        while not new.loglik >= at.loglik - 1e-12 * (1 + abs(at.loglik)) and np.abs(step).max() > 1e-13:
            step = step / 2
            new = _evaluate(rows, beta + step)
        beta, at = beta + step, new
        if np.abs(step).max() < 1e-11:
            break
    return beta, at, bool(np.abs(step).max() > 1e-6 or np.linalg.eigvalsh(at.information).min() < least)


def _influence(rows: _Weighted, at: _Point) -> np.ndarray:
    """What each patient adds to the score, and what the estimated censoring does to it (Fine and Gray, their eta and psi)."""
    p = rows.x.shape[1]
    hazard = at.hazard[:, None] * np.column_stack([np.ones(len(at.hazard)), at.mean])
    kept, later = hazard.cumsum(axis=0)[rows.at], _from_on(rows.stay[:, None] * hazard)
    beyond = np.vstack([later[1:], np.zeros(1 + p)])[rows.at] / rows.stay[rows.at][:, None]
    expected = kept + np.where((rows.cause == 2)[:, None], beyond, 0.0)
    eta = (rows.cause == 1)[:, None] * (rows.x - at.mean[rows.at])
    eta -= at.risk[:, None] * (rows.x * expected[:, :1] - expected[:, 1:])
    turned = at.gone[:, 1:] * later[:, :1] - at.gone[:, :1] * later[:, 1:]
    left = _from_on(np.bincount(rows.at, minlength=len(rows.stay)))[:, None]
    censored = np.bincount(rows.at, rows.cause == 0, len(rows.stay))[:, None]
    psi = (rows.cause == 0)[:, None] * (turned / left)[rows.at] - (turned * censored / left**2).cumsum(axis=0)[rows.at]
    return eta + psi


def estimate_subdistribution(tte: pd.DataFrame, reference: str, covariates: Sequence[str] = (), level: float = 0.95) -> pd.DataFrame:
    """Subdistribution hazard ratios of arms and covariates by Fine and Gray's model.

    Parameters
    ----------
    tte : DataFrame, one row per patient
        `arm`, `time`, `cause` (0 censored, 1 the event, 2 a competing one), `event` (cause 1), and the covariates.
    reference : str
        Arm that the others are compared with.
    covariates : sequence of str
        Numeric columns as they are, others as indicators; patients with a missing one are left out.
    level : float
        Confidence level.

    Returns
    -------
    DataFrame, one row per term
        `term`, `group`, `n`, `n_events`, `coef`, `std_err`, `hr` (of the subdistribution; above 1: a higher cumulative
        incidence), `ci_low`, `ci_high`, `statistic`, `p_value`, `method`, `note`. NaN and the reason in all rows where one
        term cannot be estimated.

    Notes
    -----
    R: ``cmprsk::crr(time, cause, X, gtol = 1e-12)``: censoring by Kaplan-Meier over all patients, Breslow ties, variance
    that allows for the censoring being estimated. Fine and Gray, J Am Stat Assoc 1999;94:496-509.
    """
    design = make_design(tte, reference, covariates)
    rows = _prepare(tte, design)
    found = pd.DataFrame({"term": design.terms, "group": design.groups})
    found = found.assign(n=len(rows.cause), n_events=int((rows.cause == 1).sum()), method=f"Fine-Gray model, robust Wald {level:.0%} interval", note="")
    columns = ["coef", "std_err", "hr", "ci_low", "ci_high", "statistic", "p_value"]
    if not len(found) or not (rows.cause == 1).any():
        return found.assign(**dict.fromkeys(columns, np.nan), note=NOTHING)
    null = _evaluate(rows, np.zeros(len(design.terms))).information
    if np.linalg.eigvalsh(null).min() < LEAST_INFORMATION * (rows.cause == 1).sum():
        return found.assign(**dict.fromkeys(columns, np.nan), note=NOTHING)
    beta, at, separated = _climb(rows)
    if separated:
        return found.assign(**dict.fromkeys(columns, np.nan), note=SEPARATED)
    moved = _influence(rows, at) @ np.linalg.inv(at.information)
    coef, error = beta / design.scale, np.sqrt((moved**2).sum(axis=0)) / design.scale
    reach = stats.norm.isf((1 - level) / 2) * error
    values = (coef, error, np.exp(coef), np.exp(coef - reach), np.exp(coef + reach), coef / error, 2 * stats.norm.sf(np.abs(coef / error)))
    return found.assign(**dict(zip(columns, values, strict=True)))
