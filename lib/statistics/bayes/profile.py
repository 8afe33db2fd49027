"""The partial likelihood of one log hazard ratio, at every value of it: exact where a normal curve would not do."""

from __future__ import annotations

__all__ = ["profile_partial_likelihood"]

from typing import NamedTuple

import numpy as np
import pandas as pd

from lib.statistics.bayes.grid import LogLikelihood
from lib.statistics.models.design import make_design, without_event
from lib.statistics.models.partial_likelihood import RiskSets, fit_cox

# Values are STEP standard errors apart for NEAR of them on either side of the highest, then ever further: GROWTH times as
# far with each standard error.
STEP, NEAR, GROWTH = 1 / 8, 6.0, 1.12
# So far below its highest a likelihood is nothing; log hazard ratios beyond REACH are none that anybody has seen.
NOTHING, REACH = 40.0, 40.0
# Newton's steps: how many, how far each, and what is no gain any more.
ROUNDS, FARTHEST, SAME = 50, 5.0, 1e-10
# Standard error where the likelihood has no curvature to take one from.
USUAL_SE = 0.5


def profile_partial_likelihood(tte: pd.DataFrame, arm: str, reference: str, cover: tuple[float, float]) -> LogLikelihood | None:
    """Log partial likelihood (Efron ties) of the log hazard ratio of `arm` to `reference`, the other arms' ratios at their best.

    Parameters
    ----------
    tte : DataFrame, one row per patient
        `arm`, `time`, `event` (True = event).
    arm, reference : str
    cover : tuple of float
        Log hazard ratios that the values reach to at least.

    Returns
    -------
    LogLikelihood or None
        None where the events say nothing of the ratio.

    Notes
    -----
    R: ``coxph(Surv(time, event) ~ offset(b * (arm == x)) + others, ties = "efron")$loglik[2]`` at each b.
    """
    design = make_design(tte, reference)
    fit, sets = fit_cox(tte, design)
    term = f"arm={arm}"
    place = design.terms.index(term)
    if not fit.known[place] or without_event(tte, design)[place]:
        return None
    # Terms that the events say nothing of are not in the risk sets.
    column, scale = int(fit.estimable[:place].sum()), float(design.scale[place])
    beta, information = fit.beta[fit.estimable], fit.best.information
    # A likelihood that never falls has its highest value at infinity: it is looked at from no effect on.
    start = np.zeros(len(beta)) if fit.separated else beta
    others = np.arange(len(beta)) != column
    own = information[column, column] - information[column, others] @ np.linalg.pinv(information[np.ix_(others, others)]) @ information[others, column]
    se = USUAL_SE if fit.separated else float(own**-0.5) / scale
    model = _OneHeld(sets, column, scale)
    sides = [_walk(model, start, sign * se, cover[sign > 0]) for sign in (-1, 1)]
    x, value = (np.concatenate([sides[0][part][:0:-1], sides[1][part]]) for part in (0, 1))
    highest = value.max()
    peak = bool(max(value[0], value[-1]) < highest - NOTHING / 2)
    return LogLikelihood(x, value - highest, peak)


class _OneHeld(NamedTuple):
    """A model of which one coefficient is held, in the units of its design (log hazard ratio times `scale`)."""

    sets: RiskSets
    column: int
    scale: float

    def best(self, beta: np.ndarray) -> tuple[np.ndarray, float]:
        """The highest log likelihood over the other coefficients, by Newton's method, and where it is."""
        others = np.flatnonzero(np.arange(len(beta)) != self.column)
        now = self.sets.derivatives(beta)
        for _ in range(ROUNDS if len(others) else 0):
            move = np.linalg.lstsq(now.information[np.ix_(others, others)], now.score[others], rcond=None)[0]
            step = np.zeros(len(beta))
            step[others] = move / max(1.0, np.abs(move).max() / FARTHEST)
            after = self.sets.derivatives(beta + step)
            while not after.loglik >= now.loglik - SAME and np.abs(step).max() > SAME:
                step = step / 2
                after = self.sets.derivatives(beta + step)
            gained = after.loglik - now.loglik
            beta, now = beta + step, after
            if gained < SAME:
                break
        return beta, now.loglik


def _walk(model: _OneHeld, start: np.ndarray, step: float, end: float) -> tuple[np.ndarray, np.ndarray]:
    """Values from the start to one side, until the likelihood is nothing and the `end` is behind."""
    beta, x, value = start.copy(), [], []
    at = first = float(start[model.column] / model.scale)
    while True:
        beta[model.column] = at * model.scale
        beta, loglik = model.best(beta)
        x.append(at)
        value.append(loglik)
        behind = at >= end if step > 0 else at <= end
        if (behind and loglik < max(value) - NOTHING) or abs(at) >= REACH:
            return np.array(x), np.array(value)
        beyond = max(abs((at - first) / step) - NEAR, 0.0)
        at = float(np.clip(at + step * STEP * GROWTH**beyond, -REACH, REACH))
