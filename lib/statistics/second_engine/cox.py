"""Second engine of the Cox models: statsmodels; Firth's penalised likelihood and cox.zph written out.

Part of `survival` here; calls nothing of `cox`, `firth` or the partial likelihood there.
"""

from __future__ import annotations

__all__ = ["COX_TESTS", "FORMULA", "STATSMODELS", "Rows", "recompute_cox", "wald"]

from collections.abc import Iterator

import numpy as np
import pandas as pd
import statsmodels
from scipy import optimize, stats
from statsmodels.duration.hazard_regression import PHReg

# Outputs of the tests of all arms together.
COX_TESTS = ("cox_likelihood_ratio", "cox_wald", "cox_score")
STATSMODELS, FORMULA = f"statsmodels {statsmodels.__version__}", "separate formula"
# loops over patients x events: a few seconds at this size
LOOP_PATIENTS = 3000
# distances from the estimate within which a limit is looked for
FAR = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 25.0])
# what a pair's numbers are the other way round
TURNED = {"hr": "hr", "p_value": "p_value", "ci_low": "ci_high", "ci_high": "ci_low"}
# above any loss: a likelihood that has no value there
WALL = 1e9

Rows = Iterator[tuple[str, float, str, float, str]]


def wald(estimate: float, error: float, z: float) -> dict[str, float]:
    """Normal limits, z and p of an estimate; NaN where its error is 0 or unknown."""
    usable = error if error > 0 else np.nan
    return {"std_err": error, "ci_low": estimate - z * usable, "ci_high": estimate + z * usable,
            "statistic": estimate / usable, "p_value": 2 * stats.norm.sf(abs(estimate / usable))}  # fmt: skip


def recompute_cox(tte: pd.DataFrame, names: list[str], references: list[str], z: float) -> Rows:
    """Crude Cox model by statsmodels; with Firth's penalty on a likelihood written out here where an arm has no event.

    Numbers at risk and dead say where to begin; statsmodels, which is slow, only has to agree. The model is fitted
    once; what another arm is compared with another reference is a difference of its coefficients.
    """
    first = references[0]
    others = [name for name in names if name != first]
    if tte.groupby("arm", observed=True)["event"].sum().eq(0).any():
        for i, reference in enumerate(references):
            yield from _firth(tte, names, reference, z, before=references[:i], after=references[i + 1 :])
        return
    x = np.column_stack([(tte["arm"] == name).to_numpy(dtype=float) for name in others])
    model = PHReg(tte["time"], x, status=tte["event"].astype(int), ties="efron")
    zero = np.zeros(len(others))
    start, beta = (model.score(zero), model.hessian(zero)), _Counted(tte, [first, *others], efron=True).near()
    for _ in range(50):
        if not np.abs(beta).max() < 15:
            return  # separated: the first engine says so
        score, hessian = model.score(beta), model.hessian(beta)
        step = np.linalg.lstsq(hessian, score, rcond=None)[0]
        beta = beta - step
        if np.abs(step).max() < 1e-9:
            break
    if np.linalg.eigvalsh(-hessian).min() < 1e-9:
        return  # not estimable: the first engine says so
    sizes = {"n": len(tte), "n_events": int(tte["event"].sum())}
    coef, covariance = dict(zip([first, *others], np.append(0.0, beta), strict=True)), np.linalg.inv(-hessian)
    unit = {name: np.array([other == name for other in others], dtype=float) for name in coef}
    for name, reference in ((x, y) for y in references for x in names if x != y):
        b, apart = coef[name] - coef[reference], unit[name] - unit[reference]
        around = wald(b, np.sqrt(apart @ covariance @ apart), z)
        limits = {column: np.exp(around[column]) for column in ("ci_low", "ci_high")}
        for column, value in (around | limits | {"coef": b, "hr": np.exp(b)} | sizes).items():
            yield f"{name} vs {reference}", np.nan, f"cox.{column}", value, STATSMODELS
    chisq = {
        "cox_likelihood_ratio": 2 * (model.loglike(beta) - model.loglike(zero)),
        "cox_wald": beta @ -hessian @ beta,
        "cox_score": start[0] @ np.linalg.solve(-start[1], start[0]),
    }
    yield from _overall(tte, chisq, x @ beta, len(beta))
    if len(tte) <= LOOP_PATIENTS:
        yield from _proportional(tte, x, beta, others, first)


def _overall(tte: pd.DataFrame, chisq: dict[str, float], risk: np.ndarray, df: int) -> Rows:
    """Likelihood-ratio, Wald and score test of all arms together, and what stands beside them."""
    n_events = int(tte["event"].sum())
    shared = {"df": df, "n": len(tte), "n_events": n_events, "events_per_variable": n_events / df}
    if len(tte) <= LOOP_PATIENTS:
        shared["concordance"] = _concordance(tte, risk)
    for test, value in chisq.items():
        for column, number in (shared | {"chisq": value, "p_value": stats.chi2.sf(value, df)}).items():
            yield "overall", np.nan, f"{test}.{column}", number, STATSMODELS


def _concordance(tte: pd.DataFrame, risk: np.ndarray) -> float:
    """Share of pairs with a known order in which the higher risk came first, death by death."""
    time, event = tte["time"].to_numpy(), tte["event"].to_numpy(dtype=bool)
    won = pairs = 0.0
    for t, r in zip(time[event], risk[event], strict=True):
        later = risk[(time > t) | ((time == t) & ~event)]
        tied = np.abs(later - r) <= 1e-9
        won, pairs = won + (~tied & (later < r)).sum() + tied.sum() / 2, pairs + len(later)
    return won / pairs if pairs else np.nan


class _Counted:
    """Likelihood from the numbers at risk and dead in each arm, a row per time of death (Breslow).

    Efron: a row per death, the l-th of d tied ones with l / d of them taken out. Coefficients are those of every arm
    but the first, the reference.
    """

    def __init__(self, tte: pd.DataFrame, names: list[str], *, efron: bool):
        deaths = np.unique(tte.loc[tte["event"], "time"])
        times = [np.sort(tte.loc[tte["arm"] == name, "time"].to_numpy()) for name in names]
        ends = [tte.loc[(tte["arm"] == name) & tte["event"], "time"].to_numpy() for name in names]
        self.at_risk = np.column_stack([len(own) - np.searchsorted(own, deaths) for own in times])
        self.dead = np.column_stack([np.bincount(np.searchsorted(deaths, own), minlength=len(deaths)) for own in ends])
        if efron:
            d = self.dead.sum(axis=1)
            row = np.repeat(np.arange(len(d)), d)
            gone = (np.arange(len(row)) - np.repeat(np.cumsum(d) - d, d)) / d[row]
            self.at_risk = self.at_risk[row] - gone[:, None] * self.dead[row]
            self.dead = self.dead[row] / d[row, None]

    def near(self) -> np.ndarray:
        """Coefficients by Newton's method, as far as they go where the likelihood has no maximum."""
        beta = np.zeros(self.dead.shape[1] - 1)
        for _ in range(50):
            d, share, _ = self._parts(beta)
            step = np.linalg.lstsq(self.information(beta), self.dead[:, 1:].sum(axis=0) - d @ share, rcond=None)[0]
            beta = beta + step
            if np.abs(step).max() < 1e-12 or not np.abs(beta).max() < 15:
                break
        return beta

    def information(self, beta: np.ndarray) -> np.ndarray:
        """Minus the second derivatives of the likelihood without its penalty."""
        d, share, _ = self._parts(beta)
        return np.diag(d @ share) - (share * d[:, None]).T @ share

    def _parts(self, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Deaths of each row; share of the hazard of each arm; logarithm of the hazard of all."""
        hazard = self.at_risk * np.exp(np.append(0.0, beta))
        total = hazard.sum(axis=1, keepdims=True)
        return self.dead.sum(axis=1), (hazard / total)[:, 1:], np.log(total[:, 0])


class _Penalised(_Counted):
    """Breslow likelihood with Firth's penalty."""

    def loss(self, beta: np.ndarray) -> tuple[float, np.ndarray]:
        """Minus the log likelihood and half the log determinant of the information; its slopes."""
        d, share, logs = self._parts(beta)
        information = self.information(beta)
        eigenvalues = np.linalg.eigvalsh(information)
        if not eigenvalues.min() > 1e-13 * eigenvalues.max():  # a wall where nothing can be computed; it slopes back
            return WALL + beta @ beta, 2 * beta
        inverse = np.linalg.inv(information)
        pulled = share @ inverse
        third = np.diag(inverse) - 2 * pulled + (2 * (pulled * share).sum(axis=1) - share @ np.diag(inverse))[:, None]
        slopes = self.dead[:, 1:].sum(axis=0) - d @ share + d @ (share * third) / 2
        penalty = np.log(eigenvalues).sum() / 2
        return -(self.dead[:, 1:].sum(axis=0) @ beta - d @ logs + penalty), -slopes

    def lowest(self, start: np.ndarray, free: np.ndarray) -> tuple[np.ndarray, float]:
        """Minimise the loss over the free coefficients."""
        if not free.any():
            return start, self.loss(start)[0]

        def inner(part: np.ndarray) -> tuple[float, np.ndarray]:
            beta = start.copy()
            beta[free] = part
            value, slopes = self.loss(beta)
            return value, slopes[free]

        found, beta = optimize.minimize(inner, start[free], jac=True, method="BFGS", options={"gtol": 1e-10}), start.copy()
        beta[free] = found.x
        return beta, found.fun


def _firth(tte: pd.DataFrame, names: list[str], reference: str, z: float, *, before: list[str], after: list[str]) -> Rows:
    """Maximise the penalised likelihood, and find where its profile has fallen by the chi-square of the level.

    The penalty does not depend on the reference, so a pair of two references is computed with the first of them, and given
    there the other way round, too.
    """
    others = [name for name in names if name != reference]
    model = _Penalised(tte, [reference, *others], efron=False)
    if np.linalg.eigvalsh(model.information(np.zeros(len(others)))).min() <= 1e-9:
        return  # an arm is never at risk at an event, and the first engine says so
    free = np.ones(len(others), dtype=bool)
    best, bottom = model.lowest(np.zeros(len(others)), free)

    def drop(value: float, j: int) -> float:
        fixed = np.arange(len(others)) == j
        return 2 * (model.lowest(np.where(fixed, value, best), ~fixed)[1] - bottom)

    for j, name in ((j, name) for j, name in enumerate(others) if name not in before):
        values = {"hr": np.exp(best[j]), "p_value": stats.chi2.sf(drop(0.0, j), 1)}
        for column, side in (("ci_low", -1), ("ci_high", 1)):
            far = next((f for f in best[j] + side * FAR if drop(f, j) > z**2), None)
            if far is not None:  # the root of the drop is nearly a straight line, so quickly solved
                root = optimize.brentq(lambda b, j=j: np.sqrt(max(drop(b, j), 0)) - z, best[j], far, xtol=1e-10)
                values[column] = np.exp(root)
        for column, value in values.items():
            yield f"{name} vs {reference}", np.nan, f"cox.{column}", value, FORMULA
            if name in after:
                yield f"{reference} vs {name}", np.nan, f"cox.{TURNED[column]}", value if column == "p_value" else 1 / value, FORMULA


def _proportional(tte: pd.DataFrame, x: np.ndarray, beta: np.ndarray, others: list[str], reference: str) -> Rows:
    """Score test of cox.zph, summed death by death (Efron: the l-th of d tied deaths removes l / d of each)."""
    time, event = tte["time"].to_numpy(), tte["event"].to_numpy(dtype=bool)
    risk, p, s, before = np.exp(x @ beta), x.shape[1], 1.0, {}
    for t in np.unique(time[event]):
        before[t] = 1 - s
        s *= 1 - (event & (time == t)).sum() / (time >= t).sum()
    centre = np.mean([before[t] for t in time[event]])
    score, i11, i12, i22 = np.zeros(p), *(np.zeros((p, p)) for _ in range(3))
    for t, gone in before.items():
        g, dead = gone - centre, event & (time == t)
        score += g * x[dead].sum(axis=0)
        for k in range(dead.sum()):
            w = risk * ((time >= t) - dead * (k / dead.sum()))
            mean = w @ x / w.sum()
            spread = (x - mean).T @ ((x - mean) * w[:, None]) / w.sum()
            score -= g * mean
            i11, i12, i22 = i11 + spread, i12 + g * spread, i22 + g * g * spread
    left = i22 - i12 @ np.linalg.solve(i11, i12)
    if np.linalg.eigvalsh(left).min() <= 1e-9 * np.trace(i22):
        return
    for name, u, v in zip(others, score, np.diag(left), strict=True):
        for column, value in (("chisq", u * u / v), ("df", 1), ("p_value", stats.chi2.sf(u * u / v, 1))):
            yield f"{name} vs {reference}", np.nan, f"proportional_hazards.{column}", value, FORMULA
    chisq = score @ np.linalg.solve(left, score)
    for column, value in (("chisq", chisq), ("df", p), ("p_value", stats.chi2.sf(chisq, p))):
        yield "overall", np.nan, f"proportional_hazards.{column}", value, FORMULA
