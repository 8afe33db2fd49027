"""Second engine of the regressions: likelihoods written out with a row per event and a column per patient.

Part of the self-check; calls nothing of `models` or `multivariable`. Cox, Firth and Fine-Gray differ in what weight a patient
has in the risk set of an event, and in nothing else.
"""

from __future__ import annotations

__all__ = ["FORMULA", "Cox", "FineGray", "Logistic", "Model", "fit_penalised", "fit_plain"]

from collections.abc import Mapping

import numpy as np
from scipy import optimize, stats

from lib.statistics.second_engine.nested import Events

FORMULA = "separate formula"
STEPS = 60


class Model:
    """A log likelihood with its slopes; `x` of shape (patients, terms)."""

    x: np.ndarray

    def parts(self, beta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Log likelihood, score and information."""
        raise NotImplementedError

    def climb(self) -> np.ndarray:
        """Coefficients at the maximum, by Newton's method."""
        beta = np.zeros(self.x.shape[1])
        for _ in range(STEPS):
            loglik, score, information = self.parts(beta)
            step = np.linalg.solve(information, score)
            step = step / max(1.0, np.abs(self.x @ step).max() / 5)
            while self.parts(beta + step)[0] < loglik - 1e-9 * (1 + abs(loglik)):  # too far: it falls
                step = step / 2
            beta = beta + step
            if np.abs(step).max() < 1e-12:
                break
        return beta

    def errors(self, beta: np.ndarray) -> np.ndarray:
        """Standard errors."""
        return np.sqrt(np.diag(np.linalg.inv(self.parts(beta)[2])))

    def penalised(self, beta: np.ndarray) -> float:
        """Log likelihood and half the log determinant of the information."""
        loglik, _, information = self.parts(beta)
        sign, logdet = np.linalg.slogdet(information)
        return loglik + logdet / 2 if sign > 0 else -1e9 - beta @ beta

    def climb_penalised(self, held: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, float]:
        """Coefficients and value at the penalised maximum, those of `held` being 0."""
        free, beta = ~held, np.where(held, 0.0, start)
        if not free.any():
            return beta, self.penalised(beta)

        def loss(part: np.ndarray) -> float:
            beta[free] = part
            return -self.penalised(beta)

        found = optimize.minimize(loss, beta[free], jac="3-point", method="BFGS", options={"gtol": 1e-9})
        beta[free] = found.x
        return beta, -found.fun


class Cox(Model):
    """Efron's likelihood (`breslow`: Breslow's), within strata."""

    def __init__(self, time: np.ndarray, event: np.ndarray, x: np.ndarray, stratum: np.ndarray | None = None, *, breslow: bool = False):
        self.x, self.events = x, Events(time, event, strata=stratum, breslow=breslow)

    def parts(self, beta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """As `Model.parts`."""
        return self.events.parts(self.x, beta, np.ones(len(self.events.mine)))


class FineGray(Cox):
    """Fine and Gray's likelihood: who had another event (cause 2) stays, with the chance of not having been censored since."""

    def __init__(self, time: np.ndarray, cause: np.ndarray, x: np.ndarray):
        super().__init__(time, cause == 1, x, breslow=True)
        self.time, self.cause = time, cause
        leaving = np.unique(time[cause == 0])
        stays = np.array([1 - ((time == u) & (cause == 0)).sum() / (time >= u).sum() for u in leaving])
        before = np.array([stays[leaving < t].prod() for t in time])
        mine = self.events.mine
        gone = (cause == 2) & (time < time[mine][:, None])
        self.events.weight = self.events.weight + gone * before[mine][:, None] / before

    def errors(self, beta: np.ndarray) -> np.ndarray:
        """Standard errors that allow for the censoring being estimated."""
        risk, (_, _, information) = np.exp(self.x @ beta), self.parts(beta)
        mine, weight = self.events.mine, self.events.weight
        total = weight @ risk
        mean = weight @ (risk[:, None] * self.x) / total[:, None]
        share = weight * risk / total[:, None]
        moved = -(share.sum(axis=0)[:, None] * self.x - share.T @ mean)
        moved[mine] += self.x[mine] - mean
        for u in np.unique(self.time[self.cause == 0]):
            late, other = self.time[mine] >= u, (self.cause == 2) & (self.time < u)
            part = share[np.ix_(late, other)]
            pull = (part.sum(axis=0)[:, None] * self.x[other] - part.T @ mean[late]).sum(axis=0)
            left, leaving = self.time >= u, (self.time == u) & (self.cause == 0)
            moved += np.outer(leaving / left.sum() - left * leaving.sum() / left.sum() ** 2, pull)
        influence = moved @ np.linalg.inv(information)
        return np.sqrt((influence**2).sum(axis=0))


class Logistic(Model):
    """Likelihood of a yes or no; the first column of `x` is 1."""

    def __init__(self, y: np.ndarray, x: np.ndarray):
        self.y, self.x = y.astype(float), x

    def parts(self, beta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """As `Model.parts`."""
        eta = self.x @ beta
        p = 1 / (1 + np.exp(-np.clip(eta, -500, 500)))
        return float((self.y * eta - np.logaddexp(0, eta)).sum()), self.x.T @ (self.y - p), (self.x.T * (p * (1 - p))) @ self.x


Ratios = list[dict[str, float]]
Tests = dict[str, dict[str, float]]


def _test(chisq: float, df: int) -> dict[str, float]:
    return {"chisq": chisq, "df": float(df), "p_value": stats.chi2.sf(chisq, df)}


def _without(model: Model, columns: np.ndarray) -> float:
    """The largest log likelihood without some columns."""
    kept, whole = np.setdiff1d(np.arange(model.x.shape[1]), columns), model.x
    try:
        model.x = whole[:, kept]
        return model.parts(model.climb() if len(kept) else np.zeros(0))[0]
    finally:
        model.x = whole


def fit_plain(model: Model, skip: int, several: Mapping[str, np.ndarray], name: str, level: float) -> tuple[Ratios, Tests]:
    """Ratios (called `name`) of the columns from `skip` on with Wald intervals and tests, and tests of `several` columns."""
    beta = model.climb()
    best, errors, values = model.parts(beta)[0], model.errors(beta), []
    for coef, error in zip(beta[skip:], errors[skip:], strict=True):
        reach = stats.norm.isf((1 - level) / 2) * error
        limits = {"ci_low": np.exp(coef - reach), "ci_high": np.exp(coef + reach)}
        values.append({"coef": coef, "std_err": error, name: np.exp(coef), **limits, "p_value": 2 * stats.norm.sf(abs(coef / error))})
    return values, {about: _test(2 * (best - _without(model, columns)), len(columns)) for about, columns in several.items()}


def fit_penalised(model: Model, skip: int, several: Mapping[str, np.ndarray], name: str) -> tuple[Ratios, Tests]:
    """The same with Firth's penalty, by likelihood-ratio tests; without the intervals.

    A search finds a coefficient to 1e-8: of the ratio that is enough, of a coefficient next to 0 it is not.
    """
    p, spread = model.x.shape[1], model.x.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    model.x = model.x / spread  # steady steps; the determinant changes by a constant
    beta, best = model.climb_penalised(np.zeros(p, bool), np.zeros(p))

    def fall(columns: np.ndarray) -> float:
        return max(2 * (best - model.climb_penalised(np.isin(np.arange(p), columns), beta)[1]), 0.0)

    coef, errors = beta / spread, model.errors(beta) / spread
    alone = {j: stats.chi2.sf(fall(np.array([j])), 1) for j in range(skip, p)}
    values = [{"std_err": errors[j], name: np.exp(coef[j]), "p_value": alone[j]} for j in alone]
    return values, {about: _test(fall(columns), len(columns)) for about, columns in several.items()}
