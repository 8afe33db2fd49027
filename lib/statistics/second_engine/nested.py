"""Second engine of what is asked of a Cox model: likelihood and cox.zph with a row per event and a column per patient.

Calls nothing of `models` or `multivariable`. A spline here is a sum of cardinal splines (scipy) instead of truncated powers, and
whoever enters a period late does so by a time of entry instead of by a stratum.
"""

from __future__ import annotations

__all__ = ["Events", "Fitted", "concordance", "independent", "likelihood_ratio", "natural_spline", "ratio", "score_test"]

from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.interpolate import CubicSpline

# Of the smallest eigenvalue of correlations: below, a column follows from the others.
SINGULAR = 1e-9
# Largest coefficient of a standardised column; beyond, the events are separated.
FAR = 15


class Fitted(NamedTuple):
    """Coefficients, their covariance, and the log likelihood at them."""

    coef: np.ndarray
    covariance: np.ndarray
    loglik: float


class Events:
    """Who is at risk at each event: `weight`, a row per event and a column per patient.

    Efron: the l-th of d tied events removes l / d of each of them; `breslow`: of none.
    """

    def __init__(
        self, time: np.ndarray, event: np.ndarray, *, entry: np.ndarray | None = None, strata: np.ndarray | None = None, breslow: bool = False
    ):
        self.mine = np.flatnonzero(event)
        at, stratum = time[self.mine][:, None], np.zeros(len(time)) if strata is None else strata
        together = stratum[self.mine][:, None] == stratum
        entered = np.ones(len(time), dtype=bool) if entry is None else entry < at
        tied = (time == at) & event & together & entered
        rank = np.tril(tied[:, self.mine], -1).sum(axis=1) * (not breslow)
        self.weight = ((time >= at) & together & entered) - tied * (rank / tied.sum(axis=1))[:, None]
        self.time, self.event = time, event

    def parts(self, x: np.ndarray, beta: np.ndarray, g: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Log likelihood, score and information, each event times its `g`."""
        eta = x @ beta
        eta = eta - eta.max()
        risk = np.exp(eta)
        total = self.weight @ risk
        mean = self.weight @ (risk[:, None] * x) / total[:, None]
        hazard = risk * (self.weight.T @ (g / total))
        information = (x.T * hazard) @ x - (mean.T * g) @ mean
        return float(g @ (eta[self.mine] - np.log(total))), g @ (x[self.mine] - mean), information

    def fit(self, x: np.ndarray) -> Fitted | None:
        """Fit a Cox model of independent columns by Newton's method; None where it separates."""
        centre, spread, ones = x.mean(axis=0), x.std(axis=0), np.ones(len(self.mine))
        z, beta = (x - centre) / spread, np.zeros(x.shape[1])
        for _ in range(40):
            loglik, score, information = self.parts(z, beta, ones)
            step = np.linalg.lstsq(information, score, rcond=None)[0]
            while self.parts(z, beta + step, ones)[0] < loglik - 1e-9 * (1 + abs(loglik)):  # too far: it falls
                step = step / 2
            beta = beta + step
            if not np.abs(beta).max() < FAR:
                return None
            if np.abs(step).max() < 1e-9:
                break
        loglik, _, information = self.parts(z, beta, ones)
        return Fitted(beta / spread, np.linalg.inv(information) / np.outer(spread, spread), loglik)

    def change_with_time(self, x: np.ndarray, coef: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Score of coefficients (of standardised columns) that change with 1 - Kaplan-Meier, and its variance given constant ones."""
        left, gone = 1.0, {}
        for t in np.unique(self.time[self.event]):
            gone[t] = 1 - left
            left *= 1 - (self.event & (self.time == t)).sum() / (self.time >= t).sum()
        before = np.array([gone[t] for t in self.time[self.mine]])
        g, spread = before - before.mean(), x.std(axis=0)
        z = (x - x.mean(axis=0)) / spread
        (_, _, once), (_, score, mixed), (_, _, twice) = (self.parts(z, coef * spread, g**power) for power in (0, 1, 2))
        return score, twice - mixed @ np.linalg.solve(once, mixed)


def independent(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The columns that do not follow from those before them."""
    kept: dict[str, np.ndarray] = {}
    for name, column in columns.items():
        if column.std() > 0:
            together = np.column_stack([*kept.values(), column])
            if together.shape[1] == 1 or np.linalg.eigvalsh(np.corrcoef(together.T)).min() > SINGULAR:
                kept[name] = column
    return kept


def _tested(chisq: float, df: int) -> dict[str, float]:
    return {"chisq": chisq, "df": float(df), "p_value": float(stats.chi2.sf(chisq, df))}


def likelihood_ratio(smaller: Fitted, larger: Fitted) -> dict[str, float]:
    """Test of what the larger model has beyond the smaller."""
    return _tested(2 * (larger.loglik - smaller.loglik), len(larger.coef) - len(smaller.coef))


def score_test(score: np.ndarray, variance: np.ndarray) -> dict[str, float]:
    """Test of a score of 0; nothing where its variance says nothing."""
    if not len(score) or np.linalg.eigvalsh(variance).min() <= SINGULAR * np.trace(variance):
        return {}
    return _tested(score @ np.linalg.solve(variance, score), len(score))


def ratio(fitted: Fitted, weights: np.ndarray, level: float) -> dict[str, float]:
    """A sum of coefficients as a hazard ratio with its interval."""
    coef, reach = weights @ fitted.coef, stats.norm.isf((1 - level) / 2) * np.sqrt(weights @ fitted.covariance @ weights)
    return {"hr": np.exp(coef), "ci_low": np.exp(coef - reach), "ci_high": np.exp(coef + reach)}


def natural_spline(values: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """A natural cubic spline through 1 at each knot but the first and 0 at the others, shape (n, k - 1); straight beyond."""
    through = CubicSpline(knots, np.eye(len(knots))[:, 1:], bc_type="natural")
    inside = np.clip(values, knots[0], knots[-1])
    return through(inside) + (values - inside)[:, None] * through(inside, 1)


def concordance(time: np.ndarray, event: np.ndarray, risk: np.ndarray, strata: np.ndarray | None = None) -> float:
    """Share of pairs with a known order in which the higher risk came first, death by death."""
    stratum, won, pairs = np.zeros(len(time)) if strata is None else strata, 0.0, 0.0
    for t, r, s in zip(time[event], risk[event], stratum[event], strict=True):
        later = risk[((time > t) | ((time == t) & ~event)) & (stratum == s)]
        tied = np.abs(later - r) <= 1e-9
        won, pairs = won + (~tied & (later < r)).sum() + tied.sum() / 2, pairs + len(later)
    return won / pairs if pairs else np.nan
