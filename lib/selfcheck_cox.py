"""Second engine of the Cox models: statsmodels' likelihood, Firth's penalty and cox.zph written out.

Part of `selfcheck`; calls nothing of `cox`, `firth` or the partial likelihood there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import statsmodels
from scipy import optimize, stats
from statsmodels.duration.hazard_regression import PHReg

__all__ = ["FORMULA", "STATSMODELS", "Rows", "recompute_cox", "wald"]

STATSMODELS, FORMULA = f"statsmodels {statsmodels.__version__}", "separate formula"
# loops over patients x events: a few seconds at this size
LOOP_PATIENTS = 3000

Rows = Iterator[tuple[str, float, str, float, str]]


def wald(estimate: float, error: float, z: float) -> dict[str, float]:
    """Normal limits, z and p of an estimate; NaN where its error is 0 or unknown."""
    usable = error if error > 0 else np.nan
    return {"std_err": error, "ci_low": estimate - z * usable, "ci_high": estimate + z * usable,
            "statistic": estimate / usable, "p_value": 2 * stats.norm.sf(abs(estimate / usable))}  # fmt: skip


def recompute_cox(tte: pd.DataFrame, names: list[str], reference: str, z: float) -> Rows:
    """Crude Cox model by statsmodels; with Firth's penalty on its Breslow likelihood where an arm has no event."""
    others = [name for name in names if name != reference]
    x = np.column_stack([(tte["arm"] == name).to_numpy(dtype=float) for name in others])
    if tte.groupby("arm", observed=True)["event"].sum().eq(0).any():
        breslow = PHReg(tte["time"], x, status=tte["event"].astype(int), ties="breslow")
        if np.linalg.eigvalsh(-breslow.hessian(np.zeros(len(others)))).min() > 1e-9:
            yield from _firth(breslow, others, reference, z)
        return  # else an arm is never at risk at an event, and the first engine says so
    model = PHReg(tte["time"], x, status=tte["event"].astype(int), ties="efron")
    beta = np.zeros(len(others))
    for _ in range(50):
        step = np.linalg.lstsq(model.hessian(beta), model.score(beta), rcond=None)[0]
        beta = beta - step
        if not np.abs(beta).max() < 15:
            return  # separated: the first engine says so
        if np.abs(step).max() < 1e-12:
            break
    information = -model.hessian(beta)
    if np.linalg.eigvalsh(information).min() < 1e-9:
        return  # not estimable: the first engine says so
    for name, b, error in zip(others, beta, np.sqrt(np.diag(np.linalg.inv(information))), strict=True):
        around = wald(b, error, z)
        limits = {column: np.exp(around[column]) for column in ("ci_low", "ci_high")}
        values = around | limits | {"coef": b, "hr": np.exp(b)}
        values |= {"n": len(tte), "n_events": int(tte["event"].sum())}
        for column, value in values.items():
            yield f"{name} vs {reference}", np.nan, f"cox.{column}", value, STATSMODELS
    yield from _overall(tte, x, model, beta)
    if len(tte) <= LOOP_PATIENTS:
        yield from _proportional(tte, x, beta, others, reference)


def _overall(tte: pd.DataFrame, x: np.ndarray, model: PHReg, beta: np.ndarray) -> Rows:
    """Likelihood-ratio, Wald and score test of all arms together."""
    zero, n_events = np.zeros(len(beta)), int(tte["event"].sum())
    start = model.score(zero)
    chisq = {
        "likelihood ratio": 2 * (model.loglike(beta) - model.loglike(zero)),
        "Wald": beta @ -model.hessian(beta) @ beta,
        "score": start @ np.linalg.solve(-model.hessian(zero), start),
    }
    shared = {"df": len(beta), "n": len(tte), "n_events": n_events, "events_per_variable": n_events / len(beta)}
    if len(tte) <= LOOP_PATIENTS:
        shared["concordance"] = _concordance(tte, x @ beta)
    for test, value in chisq.items():
        for column, number in (shared | {"chisq": value, "p_value": stats.chi2.sf(value, len(beta))}).items():
            yield "overall", np.nan, f"cox_overall.{column}[{test}]", number, STATSMODELS


def _concordance(tte: pd.DataFrame, risk: np.ndarray) -> float:
    """Share of pairs with a known order in which the higher risk came first, death by death."""
    time, event = tte["time"].to_numpy(), tte["event"].to_numpy(dtype=bool)
    won = pairs = 0.0
    for t, r in zip(time[event], risk[event], strict=True):
        later = risk[(time > t) | ((time == t) & ~event)]
        tied = np.isclose(later, r, rtol=0, atol=1e-9)
        won, pairs = won + (~tied & (later < r)).sum() + tied.sum() / 2, pairs + len(later)
    return won / pairs if pairs else np.nan


def _loss(model: PHReg, beta: np.ndarray) -> float:
    """Minus the log likelihood and half the log determinant of the information (Firth's penalty)."""
    sign, log_det = np.linalg.slogdet(-model.hessian(beta))
    return -(model.loglike(beta) + log_det / 2) if sign > 0 else np.inf


def _lowest(function: Callable, start: np.ndarray) -> tuple[np.ndarray, float]:
    """Minimise without derivatives."""
    if len(start) == 1:
        found = optimize.minimize_scalar(lambda b: function(np.array([b])), options={"xtol": 1e-10})
        return np.array([found.x]), found.fun
    for _ in range(2):  # a simplex started anew does not stay collapsed
        found = optimize.minimize(function, start, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-14})
        start = found.x
    return start, found.fun


def _firth(model: PHReg, others: list[str], reference: str, z: float) -> Rows:
    """Maximise statsmodels' Breslow likelihood with Firth's penalty by simplex, and profile it by bisection."""
    best, bottom = _lowest(lambda beta: _loss(model, beta), np.zeros(len(others)))

    def drop(value: float, j: int) -> float:
        rest = np.delete(best, j)
        if not len(rest):
            return 2 * (_loss(model, np.array([value])) - bottom)
        return 2 * (_lowest(lambda free: _loss(model, np.insert(free, j, value)), rest)[1] - bottom)

    for j, name in enumerate(others):
        values = {"hr": np.exp(best[j]), "p_value": stats.chi2.sf(drop(0.0, j), 1)}
        for column, far in (("ci_low", best[j] - 30), ("ci_high", best[j] + 30)):
            if drop(far, j) > z**2:
                values[column] = np.exp(optimize.brentq(lambda b, j=j: drop(b, j) - z**2, best[j], far, xtol=1e-9))
        for column, value in values.items():
            yield f"{name} vs {reference}", np.nan, f"cox.{column}", value, f"{STATSMODELS} likelihood, penalised here"


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
        yield "overall", np.nan, f"proportional_hazards.{column}[global]", value, FORMULA
