"""Times known only to lie between two examinations: Turnbull's curve, bounds of the median, a permutation test.

A progression found at a scan happened at some time since the scan before. The curve puts weight on the intervals that
the data can tell apart and leaves open where inside them the events lie.
"""

from __future__ import annotations

__all__ = ["bound_landmarks", "bound_median", "compare_intervals", "estimate_turnbull", "score_intervals"]

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.optimize import nnls

from lib.statistics.survival.event_table import OVERALL, TOLERANCE, arm_names
from lib.statistics.survival.logrank import permute_scores

METHOD = "Turnbull's curve of interval-censored times (nonparametric maximum likelihood)"
# Relative gain at which no interval could take more weight; at most so many steps; a weight that is as good as none.
AT_REST, EM_STEPS, NEWTON_STEPS, SMALL = 1e-10, 100, 200, 1e-7


def estimate_turnbull(left: np.ndarray, right: np.ndarray) -> pd.DataFrame:
    """Weights of the intervals in which events lie.

    Parameters
    ----------
    left, right : array of float, shape (n,)
        The event lies in (left, right]; left = right: it is known; right = inf: it has not happened by `left`.

    Returns
    -------
    DataFrame, one row per innermost interval that got weight, in order of time
        `left`, `right` (as above; the event lies in between), `weight` (> 0; they sum to 1).

    Raises
    ------
    ValueError
        If an interval ends before it begins.

    Notes
    -----
    Turnbull, J R Stat Soc B 1976;38:290-295; computed by constrained Newton steps (Wang, J R Stat Soc B 2007;69:185-198)
    until no interval could gain. R: ``survfit(Surv(left, right, type = "interval2") ~ 1)``, which stops its EM early.
    """
    left, right = np.asarray(left, float), np.asarray(right, float)
    if not (right >= left).all():
        raise ValueError("an interval must not end before it begins")
    pairs, counts = np.unique(np.column_stack([left, right]), axis=0, return_counts=True)
    starts, ends, inside = _innermost(pairs[:, 0], pairs[:, 1])
    weight = _maximise(inside, counts.astype(float))
    kept = weight > TOLERANCE
    found = pd.DataFrame({"left": starts[kept], "right": ends[kept], "weight": weight[kept]})
    return found.assign(weight=found["weight"] / found["weight"].sum())


def _innermost(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Intervals between a left end and the next right end, and whether each observation contains each of them.

    At one time, a known event begins before an interval ends, and an interval opens only after it.
    """
    known = left == right
    begins = np.column_stack([left, np.where(known, 0, 2)])
    finishes = np.column_stack([right, np.ones(len(right))])
    both = np.vstack([begins, finishes])
    _, place = np.unique(both, axis=0, return_inverse=True)
    place = place.ravel()
    first, last = place[: len(left)], place[len(left) :]
    is_left = np.zeros(place.max() + 1, dtype=bool)
    is_left[first] = True
    at = np.flatnonzero(is_left[:-1] & ~is_left[1:])
    value = np.empty(place.max() + 1)
    value[place] = both[:, 0]
    inside = (first[:, None] <= at[None, :]) & (at[None, :] + 1 <= last[:, None])
    return value[at], value[at + 1], inside.astype(float)


def _maximise(inside: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Weights of the intervals at the maximum of sum(counts log(inside @ weight)).

    Steps of the EM algorithm first; then Newton's, in the intervals that have weight or could gain the most.
    """
    # The last row of the least squares holds the sum of the weights at 1.
    roots, together = np.sqrt(counts)[:, None], 1e3 * np.sqrt(counts.sum())
    n, weight = counts.sum(), np.full(inside.shape[1], 1 / inside.shape[1])
    for step in range(EM_STEPS + NEWTON_STEPS):
        relative = inside / (inside @ weight)[:, None]
        gain = relative.T @ counts / n
        if gain.max() <= 1 + AT_REST:
            break
        target = weight * gain
        if step >= EM_STEPS:
            padded = np.concatenate([[-np.inf], gain, [-np.inf]])
            peaks = (gain >= padded[:-2]) & (gain >= padded[2:]) & (gain > 1)
            open_ = np.flatnonzero((weight > SMALL * weight.max()) | peaks)
            steps, _ = nnls(
                np.vstack([roots * relative[:, open_], np.full(len(open_), together)]),
                np.append(2 * roots, together),
                maxiter=50 * len(open_),
            )
            newton = np.zeros_like(weight)
            newton[open_] = steps / max(steps.sum(), TOLERANCE)
            target = _best_of(inside, counts, weight, target, newton)
        weight = target
    return weight


def _best_of(
    inside: np.ndarray, counts: np.ndarray, weight: np.ndarray, expected: np.ndarray, target: np.ndarray
) -> np.ndarray:
    """The largest step towards Newton's target that gains more than the step of the EM algorithm, else that."""

    def loglik(w: np.ndarray) -> float:
        share = inside @ w
        return float(counts @ np.log(share)) if (share > 0).all() else -np.inf

    best, reached = expected, loglik(expected)
    for part in 0.5 ** np.arange(12):
        step = (1 - part) * weight + part * target
        if loglik(step) > reached:
            return step
    return best


def _survival_before(curve: pd.DataFrame, times: np.ndarray) -> np.ndarray:
    """Largest S(t) that the curve allows: only intervals that have ended by then count."""
    return 1 - np.array([curve.loc[curve["right"] <= t * (1 + TOLERANCE), "weight"].sum() for t in times])


def _survival_after(curve: pd.DataFrame, times: np.ndarray) -> np.ndarray:
    """Smallest S(t): intervals that have begun before it count too."""
    begun = [(curve["left"] < t * (1 - TOLERANCE)) | (curve["right"] <= t * (1 + TOLERANCE)) for t in times]
    return 1 - np.array([curve.loc[b, "weight"].sum() for b in begun])


def bound_median(intervals: pd.DataFrame) -> pd.DataFrame:
    """Interval in which the median of each arm lies.

    Parameters
    ----------
    intervals : DataFrame, one row per patient
        `arm` (ordered categorical), `left`, `right`.

    Returns
    -------
    DataFrame, one row per arm
        `group`, `n`, `bound_low`, `bound_high` (both in the endpoint's unit; the same where the time is known; from
        the one interval to the next where the curve is 1/2 between them), `method`, `note`. They are no confidence limits: they say what the schedule of examinations leaves open.
    """
    rows = []
    for arm in arm_names(intervals):
        own = intervals[intervals["arm"] == arm]
        found = {
            "group": arm,
            "n": len(own),
            "bound_low": np.nan,
            "bound_high": np.nan,
            "note": "not estimable: no patient",
        }
        if len(own):
            curve = estimate_turnbull(own["left"], own["right"])
            reached, passed = (
                curve[curve["weight"].cumsum() >= min(0.5 + sign * TOLERANCE, 1 - TOLERANCE)].iloc[0]
                for sign in (-1, 1)
            )
            finite = np.isfinite(passed["right"])
            found |= {
                "note": "" if finite else "upper bound not reached" if np.isfinite(reached["right"]) else "not reached"
            }
            found["bound_low"] = reached["left"] if np.isfinite(reached["right"]) else np.nan
            found["bound_high"] = passed["right"] if finite else np.nan
        rows.append(found)
    return pd.DataFrame(rows).assign(method=f"{METHOD}, bounds of the median")


def bound_landmarks(intervals: pd.DataFrame, times: Sequence[float]) -> pd.DataFrame:
    """Bounds of the event-free share at fixed times by arm: `group`, `time`, `n`, `bound_low`, `bound_high`."""
    rows, times = [], np.asarray(list(times), float)
    for arm in arm_names(intervals):
        own = intervals[intervals["arm"] == arm]
        seen = own["right"].where(np.isfinite(own["right"]), own["left"]).max() if len(own) else 0.0
        low = high = np.full(len(times), np.nan)
        if len(own):
            curve = estimate_turnbull(own["left"], own["right"])
            low, high = _survival_after(curve, times), _survival_before(curve, times)
        for time, a, b in zip(times, low, high, strict=True):
            beyond = len(own) > 0 and time > seen * (1 + TOLERANCE) and b > TOLERANCE
            note = (
                "not estimable: no patient" if not len(own) else "not estimable: beyond the last follow-up of this arm"
            )
            known = len(own) > 0 and not beyond
            rows.append(
                (arm, time, len(own), *((max(a, 0.0), b) if known else (np.nan, np.nan)), "" if known else note)
            )
    columns = ["group", "time", "n", "bound_low", "bound_high", "note"]
    return pd.DataFrame(rows, columns=columns).assign(method=f"{METHOD}, bounds of the event-free share")


def score_intervals(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Score of each patient under proportional hazards, from the curve of all together; they sum to 0.

    With S the curve, (S(L) log S(L) - S(R) log S(R)) / (S(L) - S(R)): positive for an early event. Finkelstein,
    Biometrics 1986;42:845-854; known events count as intervals of one time.
    """
    left, right = np.asarray(left, float), np.asarray(right, float)
    curve = estimate_turnbull(left, right)
    known = left == right
    at_left = np.where(
        known, 1 - np.array([curve.loc[curve["right"] < t * (1 - TOLERANCE), "weight"].sum() for t in left]),
        _survival_before(curve, left),
    )  # fmt: skip
    at_right = np.where(np.isfinite(right), _survival_before(curve, np.where(np.isfinite(right), right, 0)), 0.0)
    at_left, at_right = (np.clip(s, 0, 1) for s in (at_left, at_right))

    def entropy(s: np.ndarray) -> np.ndarray:
        return np.where(s > TOLERANCE, s * np.log(np.maximum(s, TOLERANCE)), 0.0)

    return (entropy(at_left) - entropy(at_right)) / (at_left - at_right)


def compare_intervals(intervals: pd.DataFrame, n_resamples: int = 10_000, seed: int = 0) -> pd.DataFrame:
    """Test that all arms have the same curve, by random allocation of the patients' scores.

    Parameters
    ----------
    intervals : DataFrame, one row per patient
        `arm`, `left`, `right`.
    n_resamples, seed : int
        As in `logrank.compare_permutation`.

    Returns
    -------
    DataFrame, one row, group ``overall``
        `n`, `n_events`, `chisq`, `df`, `p_value`, `mc_error`, `method`, `note`. It assumes that the arms were examined
        on the same schedule: where they were not, allocations are not alike.
        R: ``coin::independence_test(score ~ arm, distribution = "asymptotic")`` gives `chisq`.
    """
    scores = score_intervals(intervals["left"], intervals["right"])
    found = {"group": OVERALL, "n": len(intervals), "n_events": int(np.isfinite(intervals["right"]).sum())}
    return permute_scores(
        found, scores, intervals["arm"], "permutation test of interval-censored times", n_resamples=n_resamples, seed=seed
    )
