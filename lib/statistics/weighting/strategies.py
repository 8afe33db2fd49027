"""Two strategies compared by cloning, censoring and weighting: curves, differences at a time, restricted means, hazard ratio.

Weights are not stabilised: within a strategy a numerator cancels from the curve, and without one each strategy stands
for all patients. Intervals come from resampling patients, with the models of leaving fitted again in each resample.
"""

from __future__ import annotations

__all__ = ["N_RESAMPLES", "PERCENTILE", "Answers", "Question", "bootstrap_strategies", "describe_weights", "estimate_answers", "estimate_curves", "estimate_leaving"]

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import expit

from lib.statistics.balance import effective_sample_size
from lib.statistics.survival.event_table import TOLERANCE
from lib.statistics.weighting.cloning import BLOCK, PAIR, STRATEGIES, Clones, fit_leaving, make_clones, stayed
from lib.statistics.weighting.weighted_rmst import MIN_USABLE, count_resamples
from lib.statistics.weighting.weighted_steps import log_hazard_ratio, product_limit, read_off
from lib.study.limits import LARGE, because_large

# The limits of a percentile interval from so many move by a tenth of its width at most from one seed to the next.
N_RESAMPLES, SEED = 300, 20250228
# In a large study: so many subsamples of so many patients.
N_SUBSAMPLES, SUBSAMPLE = 200, 1_000
# Weights above this percentile of those who stayed are set to it where they are truncated (Cole and Hernan, Am J
# Epidemiol 2008;168:656-664). Of a few dozen patients the 99 % percentile would be the largest weight itself.
PERCENTILE = 0.95
METHOD = "pooled logistic model of leaving a strategy, maximum likelihood"


class Question(NamedTuple):
    """What is asked of whom.

    `patients`: DataFrame, one row per patient: `time`, `event`, `added` (as in `cloning.make_clones`) and the covariates;
    `columns`: names of these, numeric, none constant or missing; `within`: end of the period; `times`: at which the share
    without the event is read off; `tau`: horizon of the restricted mean, beyond whose last time a curve goes on flat. All
    in one unit.
    """

    patients: pd.DataFrame
    columns: Sequence[str]
    within: float
    times: Sequence[float]
    tau: float

    def clones(self) -> dict[str, Clones]:
        """The clones of the patients."""
        return make_clones(self.patients, self.within)

    def design(self) -> np.ndarray:
        """Covariates with mean 0 and standard deviation 1, shape (n, p)."""
        x = self.patients[list(self.columns)].to_numpy(dtype=float).reshape(len(self.patients), -1)
        return (x - x.mean(axis=0)) / x.std(axis=0)


class Answers(NamedTuple):
    """What each resample says: `share` (b, 2, times) event-free, `mean` (b, 2) restricted, `log_hr` (b,); NaN: not fitted."""

    share: np.ndarray
    mean: np.ndarray
    log_hr: np.ndarray


def estimate_leaving(question: Question, level: float = 0.95) -> pd.DataFrame:
    """What made patients leave a strategy: one row per strategy and covariate column.

    Parameters
    ----------
    question : Question
    level : float

    Returns
    -------
    DataFrame
        `term`, `group` (strategy that is left), `n` (patients who could leave), `count` (who left), `coef` (log odds
        of leaving per unit), `std_err`, `ci_low`, `ci_high`, `method`, `note`.

    Raises
    ------
    ValueError
        If a model cannot be fitted: the covariates tell who leaves, or nobody stays.
    """
    design, scale = question.design(), question.patients[list(question.columns)].std(ddof=0).to_numpy()
    z, parts = stats.norm.ppf(0.5 + level / 2), []
    for name, clones in question.clones().items():
        model = fit_leaving(clones, design, np.ones((1, len(design))))
        if not model.fitted[0]:
            raise ValueError("the covariates tell who adds the component, or nobody like them does otherwise")
        coef, error = model.slope[0] / scale, _errors(clones, design, model) / scale
        parts.append(pd.DataFrame({
            "term": list(question.columns), "group": name, "n": int(clones.at_risk.any(axis=0).sum()), "count": int(clones.left.sum()),
            "coef": coef, "std_err": error, "ci_low": coef - z * error, "ci_high": coef + z * error,
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True).assign(method=f"{METHOD}, Wald {level:.0%} interval", note="")


def _errors(clones: Clones, design: np.ndarray, model) -> np.ndarray:
    """Standard errors of the slopes."""
    k, patient = np.nonzero(clones.at_risk)
    if not len(k):
        return np.full(design.shape[1], np.nan)
    rows = np.hstack([np.eye(len(clones.days))[k], design[patient]])
    chance = expit(model.intercept[0][k] + design[patient] @ model.slope[0])
    covariance = np.linalg.inv((rows * (chance * (1 - chance))[:, None]).T @ rows)
    return np.sqrt(np.diag(covariance))[len(clones.days) :]


def _weights(clones: Clones, design: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Weight of each clone up to the first time of leaving, and just after each, shape (b, k + 1, n); NaN: not fitted."""
    model = fit_leaving(clones, design, counts)
    with np.errstate(divide="ignore"):
        weights = 1 / stayed(model, design)
    weights[~model.fitted] = np.nan
    return weights


def _truncated(clones: Clones, weights: np.ndarray, counts: np.ndarray, percentile: float | None) -> np.ndarray:
    """The same weights, those above a percentile of who stayed set to it."""
    if percentile is None:
        return weights
    return np.minimum(weights, _cap(weights[:, -1], counts * _staying(clones), percentile)[:, None, None])


def _staying(clones: Clones) -> np.ndarray:
    """Clones that are followed beyond the last time at which somebody left."""
    return ~clones.left & (clones.end > (clones.days[-1] if len(clones.days) else -np.inf))


def _cap(weights: np.ndarray, counts: np.ndarray, percentile: float) -> np.ndarray:
    """Percentile (type 7) of each resample's weights, each as often as it was drawn, shape (b,)."""
    order = np.argsort(weights, axis=1, kind="stable")
    ordered, cumulative = np.take_along_axis(weights, order, 1), np.take_along_axis(counts, order, 1).cumsum(axis=1)
    place = np.maximum(cumulative[:, -1] - 1, 0) * percentile
    low, high = (np.take_along_axis(ordered, (cumulative <= at[:, None]).sum(axis=1, keepdims=True).clip(max=ordered.shape[1] - 1), 1)[:, 0]
                 for at in (np.floor(place), np.ceil(place)))  # fmt: skip
    with np.errstate(invalid="ignore"):  # of a fit that ran off
        return low + (place - np.floor(place)) * (high - low)


def _counted(clones: Clones, weights: np.ndarray, counts: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted clones at risk just before each time, and with the event at it, each of shape (b, m)."""
    segment = np.searchsorted(clones.days, times, side="left")  # leaving at a time comes after the events of that time
    at_risk, events = np.zeros((2, len(counts), len(times)))
    for k in np.unique(segment):
        own = segment == k
        weighted = counts * weights[:, k]
        at_risk[:, own] = weighted @ (clones.end[:, None] >= times[own]).astype(float)
        events[:, own] = weighted @ ((clones.end[:, None] == times[own]) & clones.event[:, None]).astype(float)
    return at_risk, events


def estimate_answers(question: Question, counts: np.ndarray, percentiles: Sequence[float | None] = (None,)) -> list[Answers]:
    """Compare the strategies in each of many resamples.

    Parameters
    ----------
    question : Question
    counts : ndarray, shape (b, n)
        How often each patient is in each resample; all 1 for the patients themselves.
    percentiles : sequence of float or None
        Weights above such a percentile are set to it; None: they stay.

    Returns
    -------
    list of Answers
        One for each of `percentiles`. R: ``survfit(Surv(start, stop, event) ~ strategy, weights = w)`` and
        ``coxph(Surv(start, stop, event) ~ strategy, weights = w, ties = "breslow")`` of the clones.
    """
    grid, clones, design = _event_times(question.patients), question.clones(), question.design()
    size = max(1, BLOCK // (len(design) * (2 + max(len(c.days) for c in clones.values()))))
    parts: list[list[Answers]] = [[] for _ in percentiles]
    for start in range(0, len(counts), size):
        block = counts[start : start + size].astype(float)
        weights = {name: _weights(clones[name], design, block) for name in STRATEGIES}
        for part, percentile in zip(parts, percentiles, strict=True):
            both = [_counted(clones[name], _truncated(clones[name], weights[name], block, percentile), block, grid) for name in STRATEGIES]
            curves = np.stack([product_limit(*one) for one in both], axis=1)
            part.append(Answers(*read_off(curves, grid, question.times, question.tau), log_hazard_ratio(both)))
    return [_joined(part) for part in parts]


def _joined(parts: Sequence[Answers]) -> Answers:
    return Answers(*(np.concatenate(one) for one in zip(*parts, strict=True)))


def _event_times(patients: pd.DataFrame) -> np.ndarray:
    return np.unique(patients.loc[patients["event"].astype(bool), "time"].to_numpy(dtype=float))


def estimate_curves(question: Question) -> pd.DataFrame:
    """Weighted curve of each strategy.

    Returns
    -------
    DataFrame, one row per strategy and time of an event, the first at time 0
        `group`, `time`, `survival` (just after it); each ends where the last of its clones is followed.
    """
    grid, design, ones = _event_times(question.patients), question.design(), np.ones((1, len(question.patients)))
    parts = []
    for name, clones in question.clones().items():
        curve = product_limit(*_counted(clones, _weights(clones, design, ones), ones, grid))[0]
        last = clones.end.max()
        kept = grid <= last
        times, shares = [0.0, *grid[kept]], [1.0, *curve[kept]]
        parts.append(pd.DataFrame({"group": name, "time": [*times, last], "survival": [*shares, shares[-1]]}))
    return pd.concat(parts, ignore_index=True).drop_duplicates(["group", "time"], ignore_index=True)


def describe_weights(question: Question, percentile: float | None = None) -> pd.DataFrame:
    """Weights of the clones that stayed in a strategy, once nobody can leave it any more.

    Returns
    -------
    DataFrame, one row per strategy
        `group`, `n`, `min`, `median`, `max`, `ess` (Kish), `method`, `note`.
    """
    design, ones, rows = question.design(), np.ones((1, len(question.patients))), []
    for name, clones in question.clones().items():
        weights = _truncated(clones, _weights(clones, design, ones), ones, percentile)[0, -1][_staying(clones)]
        spread = {"min": weights.min(), "median": np.median(weights), "max": weights.max(), "ess": effective_sample_size(pd.Series(weights))} if len(weights) else {}
        rows.append({"group": name, "n": len(weights)} | spread)
    said = "" if percentile is None else f", truncated at their {percentile:.0%} percentile"
    return pd.DataFrame(rows, columns=["group", "n", "min", "median", "max", "ess"]).assign(
        method=f"inverse probability of not having left, not stabilised{said}; effective size (Kish)", note="")  # fmt: skip


def bootstrap_strategies(
    question: Question, *,
    level: float = 0.95, percentiles: Sequence[float | None] = (None,), n_resamples: int = N_RESAMPLES, seed: int = SEED,
) -> list[dict[str, pd.DataFrame]]:  # fmt: skip
    """Differences between the strategies with percentile intervals.

    Parameters
    ----------
    question : Question
    level : float
    percentiles : sequence of float or None
        As in `estimate_answers`.
    n_resamples, seed : int
        Resamples of patients with replacement, and the seed of numpy's default generator.

    Returns
    -------
    list of dict of str to DataFrame, one for each of `percentiles`
        `share`: per strategy and time `estimate` (without the event) with its interval; `risk`: per time `difference`
        of these shares, ADDED minus NOT_ADDED; `mean`: `estimate` (difference in restricted means), `tau`; `ratio`:
        `hr`. Each with `ci_low`, `ci_high`, `n_resamples` (that could be used), `method`, `note`. Not estimable beyond
        the follow-up of a strategy.
    """
    ones = estimate_answers(question, np.ones((1, len(question.patients))), percentiles)
    drawn, factor, by = _drawn(question, percentiles, n_resamples, seed)
    last = {name: _last(clones) for name, clones in question.clones().items()}
    found = []
    for one, resampled, percentile in zip(ones, drawn, percentiles, strict=True):
        said = "" if percentile is None else f", weights truncated at their {percentile:.0%} percentile"
        method = f"clones, artificial censoring and weights{said}; {level:.0%} percentile interval of {by}, weights estimated in each"
        spread = Answers(*(_scaled(a, b, factor) for a, b in zip(resampled, one, strict=True)))
        frames = _frames(one, spread, question, level)
        found.append({name: _within_follow_up(frame.assign(method=method), last) for name, frame in frames.items()})
    return found


def _frames(one: Answers, drawn: Answers, question: Question, level: float) -> dict[str, pd.DataFrame]:
    """Estimates with the percentiles of their resamples."""

    def rows(values: np.ndarray, resampled: np.ndarray, name: str, places: Sequence[dict]) -> pd.DataFrame:
        limits = [_limits(column, level) for column in np.atleast_2d(resampled.T)]
        return pd.DataFrame([place | {name: value} | limit for place, value, limit in zip(places, np.atleast_1d(values), limits, strict=True)])

    times = question.times
    share = [rows(one.share[0, i], drawn.share[:, i], "estimate", [{"group": group, "time": t} for t in times]) for i, group in enumerate(STRATEGIES)]
    risk = rows(one.share[0, 1] - one.share[0, 0], drawn.share[:, 1] - drawn.share[:, 0], "difference", [{"group": PAIR, "time": t} for t in times])
    mean = rows(one.mean[:, 1] - one.mean[:, 0], drawn.mean[:, 1] - drawn.mean[:, 0], "estimate", [{"group": PAIR, "tau": question.tau}])
    ratio = rows(one.log_hr, drawn.log_hr, "hr", [{"group": PAIR}])
    ratio[["hr", "ci_low", "ci_high"]] = np.exp(ratio[["hr", "ci_low", "ci_high"]])
    return {"share": pd.concat(share, ignore_index=True), "risk": risk, "mean": mean, "ratio": ratio}


def _drawn(question: Question, percentiles: Sequence[float | None], n_resamples: int, seed: int) -> tuple[list[Answers], float, str]:
    """Answers of the resamples, what their spread is to be multiplied by, and how they were drawn."""
    n = len(question.patients)
    if n <= LARGE:
        counts = count_resamples(n, n_resamples, seed)
        return estimate_answers(question, counts, percentiles), 1.0, f"{n_resamples} resamples of patients (seed {seed})"
    rng, ones, parts = np.random.default_rng(seed), np.ones((1, SUBSAMPLE)), []
    for _ in range(N_SUBSAMPLES):
        part = question.patients.iloc[rng.choice(n, SUBSAMPLE, replace=False)]
        kept = [c for c in question.columns if part[c].std(ddof=0) > 0]
        parts.append(estimate_answers(question._replace(patients=part, columns=kept), ones, percentiles))
    by = because_large(f"{N_SUBSAMPLES} random subsamples of {SUBSAMPLE} patients (seed {seed}), scaled to all")
    return [_joined(one) for one in zip(*parts, strict=True)], float(np.sqrt(SUBSAMPLE / n)), by


def _scaled(drawn: np.ndarray, one: np.ndarray, factor: float) -> np.ndarray:
    """Draws around the estimate, their spread multiplied (Politis and Romano, Ann Stat 1994;22:2031-2050)."""
    return drawn if factor == 1 else one + (drawn - one) * factor


def _limits(drawn: np.ndarray, level: float) -> dict:
    usable = drawn[np.isfinite(drawn)]
    if len(usable) < MIN_USABLE * len(drawn):
        why = f"no interval: the answer could be given in {len(usable)} of {len(drawn)} resamples only"
        return {"ci_low": np.nan, "ci_high": np.nan, "n_resamples": len(usable), "note": why}
    low, high = np.quantile(usable, [0.5 - level / 2, 0.5 + level / 2])
    return {"ci_low": float(low), "ci_high": float(high), "n_resamples": len(usable), "note": ""}


def _last(clones: Clones) -> float:
    """The last time of which a strategy knows anything; infinite where its curve comes down to 0."""
    ends = clones.end == clones.end.max()
    return np.inf if clones.event[ends].all() else float(clones.end.max())


def _within_follow_up(frame: pd.DataFrame, last: Mapping[str, float]) -> pd.DataFrame:
    """Without what lies beyond the last follow-up of a strategy it is about."""
    until = frame["group"].map(last).fillna(min(last.values()))
    at = frame["time"] if "time" in frame else frame.get("tau", pd.Series(0.0, frame.index))
    beyond = at > until * (1 + TOLERANCE)
    values = [c for c in ("estimate", "difference", "hr", "ci_low", "ci_high") if c in frame]
    frame.loc[beyond, values] = np.nan
    frame.loc[beyond, "note"] = "not estimable: beyond the last follow-up of a strategy"
    return frame
