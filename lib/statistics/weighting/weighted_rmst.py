"""Restricted means after overlap weighting, with an interval from resampling patients.

The propensity is fitted again in every resample, so that the interval knows that the weights were estimated. All
resamples are done at once, as counts of patients: nothing loops over them.
"""

from __future__ import annotations

__all__ = ["bootstrap_weighted_rmst", "count_resamples", "estimate_resamples"]

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib.statistics.comparisons import name_pair
from lib.statistics.survival.event_table import TOLERANCE, merge_times
from lib.statistics.weighting.multinomial import fit_multinomial, probabilities
from lib.statistics.weighting.propensity import design_columns, estimate_propensity, make_overlap_weights
from lib.study.limits import LARGE, because_large

METHOD = "difference in restricted means with overlap weights"
# Numbers held at once per block of resamples: 32 MB.
BLOCK = 4_000_000
# Below this share of usable resamples the percentiles would describe a selection of them.
MIN_USABLE = 0.9
# In a large study: so many subsamples of so many patients; the standard error is known to 5 % of itself.
N_SUBSAMPLES, SUBSAMPLE = 200, 1_000


def count_resamples(n: int, n_resamples: int, seed: int) -> np.ndarray:
    """How often each of `n` patients is drawn in each resample (with replacement), shape (n_resamples, n)."""
    rng = np.random.default_rng(seed)
    return np.stack([np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(n_resamples)])


def estimate_resamples(
    patients: pd.DataFrame, covariates: Sequence[str], arms: Sequence[str], tau: float, counts: np.ndarray
) -> np.ndarray:
    """Weighted restricted mean of each arm in each resample.

    Parameters
    ----------
    patients : DataFrame, one row per patient, no missing covariate
        `arm`, `time`, `event` (True = event) and the covariates.
    covariates : sequence of str
        As in `propensity.estimate_propensity`.
    arms : sequence of str
        Arms of the propensity model.
    tau : float
        Horizon in the endpoint's unit; beyond its last time a curve goes on flat.
    counts : ndarray of int, shape (b, n_patients)
        How often each patient is in each resample; all 1 for the patients themselves.

    Returns
    -------
    ndarray, shape (b, n_arms)
        NaN where the propensity of a resample cannot be fitted (an arm without patients, or told apart).
    """
    x = design_columns(patients, covariates)
    design = np.column_stack([np.ones(len(x)), (x - x.mean()) / x.std(ddof=0)])
    own = _indicators(patients, arms)
    step = max(1, BLOCK // (len(patients) * max(design.shape[1] * len(arms), 1)))
    parts = []
    for start in range(0, len(counts), step):
        block = counts[start : start + step].astype(float)
        weights = block * _overlap_weights(design, own, block)
        parts.append(_restricted_means(weights, own, *_outcome(patients), tau))
    return np.concatenate(parts)


def _indicators(patients: pd.DataFrame, arms: Sequence[str]) -> np.ndarray:
    """1 in the column of each patient's arm."""
    return np.stack([(patients["arm"] == arm).to_numpy(dtype=float) for arm in arms], axis=1)


def _overlap_weights(design: np.ndarray, own: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Overlap weight of each patient from the multinomial propensity of each resample."""
    beta, fitted = fit_multinomial(design, own, counts)
    with np.errstate(all="ignore"):  # a fit that ran off is dropped
        probability = probabilities(design, beta)
        weights = 1 / (probability * own.T[None]).sum(axis=1) / (1 / probability).sum(axis=1)
    return np.where(fitted[:, None], weights, np.nan)


def _outcome(patients: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    return patients["time"].to_numpy(dtype=float), patients["event"].to_numpy(dtype=bool)


def _restricted_means(
    weights: np.ndarray, own: np.ndarray, time: np.ndarray, event: np.ndarray, tau: float
) -> np.ndarray:
    """Area under the weighted Kaplan-Meier curve up to tau, shape (b, n_arms)."""
    times, index = merge_times(time)
    order = np.argsort(index, kind="stable")
    starts = np.searchsorted(index[order], np.arange(len(times)))
    inside = times <= tau * (1 + TOLERANCE)
    edges = np.diff(np.concatenate([[0.0], np.minimum(times[inside], tau), [tau]]))
    means = np.empty((len(weights), own.shape[1]))
    for arm in range(own.shape[1]):
        leaving = np.add.reduceat((weights * own[:, arm])[:, order], starts, axis=1)
        events = np.add.reduceat((weights * (own[:, arm] * event))[:, order], starts, axis=1)
        at_risk = leaving[:, ::-1].cumsum(axis=1)[:, ::-1]
        share = np.divide(events, at_risk, out=np.zeros_like(events), where=at_risk > TOLERANCE)
        survival = np.cumprod(np.clip(1 - share[:, inside], 0, 1), axis=1)
        means[:, arm] = np.hstack([np.ones((len(weights), 1)), survival]) @ edges
    means[np.isnan(weights).any(axis=1)] = np.nan
    return means


def bootstrap_weighted_rmst(
    patients: pd.DataFrame,
    covariates: Sequence[str],
    reference: str,
    tau: float | None,
    *,
    level: float = 0.95,
    n_resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Difference in weighted restricted means, each arm against the reference arm, with a percentile interval.

    Parameters
    ----------
    patients, covariates
        As in `estimate_resamples`.
    reference : str
    tau : float, optional
        Default: the smallest of the arms' largest times.
    level : float
    n_resamples, seed : int
        Resamples of all patients with replacement, and the seed of numpy's default generator.

    Returns
    -------
    DataFrame, one row per other arm
        `group`, `tau`, `n`, `estimate` (endpoint's unit; above 0: longer without event with the arm named first),
        `std_err` (standard deviation over the resamples), `ci_low`, `ci_high`, `n_resamples` (that could
        be used), `method`, `note`. Efron, Tibshirani 1993, chapter 13; Austin, Stat Med 2016;35:5642.
        R: ``multinom`` and ``survfit(weights = w)`` in each resample, ``quantile(type = 7)``.
    """
    arms = [arm for arm in patients["arm"].cat.categories if (patients["arm"] == arm).any()]
    last = patients.groupby("arm", observed=True)["time"].max()
    tau = float(last.min()) if tau is None else tau
    method = f"{METHOD}, {level:.0%} percentile interval of {n_resamples} resamples of patients (seed {seed}), propensity fitted in each"
    patients, said = patients[["arm", "time", "event", *covariates]], ""
    if len(patients) > LARGE:
        scores, _ = estimate_propensity(patients, covariates, reference)
        weights = make_overlap_weights(scores, patients["arm"]).to_numpy()[None]
        ones = _restricted_means(weights, _indicators(patients, arms), *_outcome(patients), tau)[0]
        drawn, n_resamples = _subsamples(patients, covariates, arms, tau, seed), N_SUBSAMPLES
        known = drawn[~np.isnan(drawn).any(axis=1)]
        centre = known.mean(axis=0) if len(known) else ones
        drawn = ones + (drawn - centre) * np.sqrt(SUBSAMPLE / len(patients))
        said = because_large(f"interval from {N_SUBSAMPLES} subsamples")
        method = f"{METHOD}, {level:.0%} percentile interval of {N_SUBSAMPLES} random subsamples of {SUBSAMPLE} patients (seed {seed}), scaled to all, propensity fitted in each"
    else:
        ones = estimate_resamples(patients, covariates, arms, tau, np.ones((1, len(patients)), dtype=int))[0]
        drawn = estimate_resamples(patients, covariates, arms, tau, count_resamples(len(patients), n_resamples, seed))
    usable = ~np.isnan(drawn).any(axis=1)
    limits, rows = [0.5 - level / 2, 0.5 + level / 2], []
    for arm in (arm for arm in arms if arm != reference):
        x, y = arms.index(arm), arms.index(reference)
        found = {"group": name_pair(arm, reference), "tau": tau, "n": len(patients), "estimate": ones[x] - ones[y],
                 "std_err": np.nan, "ci_low": np.nan, "ci_high": np.nan, "n_resamples": int(usable.sum()), "note": said}  # fmt: skip
        beyond = [a for a in (arm, reference) if tau > last[a] * (1 + TOLERANCE) and not _ends_at_zero(patients, a)]
        if beyond:
            found |= {
                "estimate": np.nan,
                "note": f"not estimable: tau lies beyond the last follow-up of {', '.join(beyond)}",
            }
        elif usable.mean() < MIN_USABLE:
            found["note"] = (
                f"no interval: the propensity could be fitted in {usable.sum()} of {n_resamples} resamples only"
            )
        else:
            differences = drawn[usable, x] - drawn[usable, y]
            low, high = np.quantile(differences, limits)
            found |= {"std_err": float(differences.std(ddof=1)), "ci_low": float(low), "ci_high": float(high)}
        rows.append(found)
    return pd.DataFrame(rows).assign(method=method)


def _subsamples(patients: pd.DataFrame, covariates: Sequence[str], arms: Sequence[str], tau: float, seed: int):
    """Weighted restricted means in subsamples without replacement (Politis and Romano, Ann Stat 1994;22:2031-2050)."""
    rng, ones = np.random.default_rng(seed), np.ones((1, SUBSAMPLE))
    x, own = design_columns(patients, covariates).to_numpy(), _indicators(patients, arms)
    (time, event), found = _outcome(patients), []
    for _ in range(N_SUBSAMPLES):
        rows = rng.choice(len(patients), SUBSAMPLE, replace=False)
        part = x[rows][:, x[rows].std(axis=0) > 0]
        design = np.column_stack([ones[0], (part - part.mean(axis=0)) / part.std(axis=0)])
        weights = _overlap_weights(design, own[rows], ones)
        found.append(_restricted_means(weights, own[rows], time[rows], event[rows], tau))
    return np.concatenate(found)


def _ends_at_zero(patients: pd.DataFrame, arm: str) -> bool:
    """Whether everybody left at the arm's last time had the event then."""
    own = patients[patients["arm"] == arm]
    return bool(own.loc[own["time"] == own["time"].max(), "event"].all())
