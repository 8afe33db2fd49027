"""Log-rank tests between arms: overall, stratified, weighted (G-rho), pairwise and by permutation."""

from __future__ import annotations

__all__ = [
    "NO_EVENT",
    "compare_logrank",
    "compare_pairwise",
    "compare_permutation",
    "compare_trend",
    "permute_scores",
    "quadratic_form",
    "quadratic_forms",
    "test_tables",
]

from collections.abc import Iterable
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
from scipy import stats

from lib.statistics.comparisons import adjust_holm
from lib.statistics.survival.event_table import OVERALL, EventTable, check_tte, count_events, merge_times
from lib.study.limits import LARGE, because_large

NO_EVENT = "not estimable: no event while two arms are at risk"
# halves of 2^20 subset sums (8 MB each) are made in well under a second
EXACT_PATIENTS = 40


def _weights(table: EventTable, rho: float) -> np.ndarray:
    """S(t-)^rho with the pooled Kaplan-Meier curve (Fleming and Harrington 1991, section 7.2)."""
    d, n = table.n_events.sum(axis=0), table.n_risk.sum(axis=0)
    before = np.concatenate([[1.0], np.cumprod(1 - d / np.maximum(n, 1))[:-1]])[: len(d)]
    return before**rho


def _moments(table: EventTable, rho: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weighted observed and expected events by arm, and the hypergeometric covariance of their difference."""
    d, n = table.n_events.sum(axis=0), table.n_risk.sum(axis=0)
    weight, share = _weights(table, rho), table.n_risk / np.maximum(n, 1)
    observed, expected = table.n_events @ weight, share @ (weight * d)
    spread = weight**2 * d * (n - d) / np.maximum(n - 1, 1)
    return observed, expected, np.diag(share @ spread) - (share * spread) @ share.T


def quadratic_form(difference: np.ndarray, covariance: np.ndarray) -> tuple[float, int]:
    """Quadratic form by the generalised inverse, and its rank: arms that were never at risk at an event drop out."""
    chisq, rank = quadratic_forms(difference[None], covariance[None])
    return float(chisq[0]), int(rank[0])


def quadratic_forms(differences: np.ndarray, covariances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`quadratic_form` of a stack, shapes (b, k) and (b, k, k): both of shape (b,); NaN and 0 where nothing varies."""
    inverses, values = np.linalg.pinv(covariances, rcond=1e-10, hermitian=True), np.linalg.eigvalsh(covariances)
    chisq = (differences[:, None, :] @ inverses @ differences[:, :, None])[:, 0, 0]
    varies = np.trace(covariances, axis1=1, axis2=2) > 0
    rank = (values > 1e-10 * values.max(axis=1, keepdims=True)).sum(axis=1)
    return np.where(varies, chisq, np.nan), np.where(varies, rank, 0)


def _stratum_tables(tte: pd.DataFrame | EventTable, strata: str | None) -> list[EventTable]:
    if strata is None:
        return [count_events(tte)]
    if tte[strata].isna().any():
        raise ValueError(f"{strata!r} must be known for every patient; {tte[strata].isna().sum()} are missing")
    return [count_events(part) for _, part in tte.groupby(strata, sort=True, observed=True)]


def test_tables(tables: Iterable[EventTable], rho: float = 0.0) -> dict:
    """Test one event table, or several as strata: n, n_events, chisq, df, p_value, note."""
    tables = list(tables)
    if not tables or tables[0].n_events.size == 0:
        chisq, df = np.nan, 0
    else:
        parts = zip(*(_moments(t, rho) for t in tables), strict=True)
        observed, expected, covariance = (sum(part) for part in parts)
        chisq, df = quadratic_form(observed - expected, covariance)
    return {
        "n": int(sum(t.n.sum() for t in tables)), "n_events": int(sum(t.n_events.sum() for t in tables)),
        "chisq": chisq, "df": df or np.nan, "p_value": stats.chi2.sf(chisq, df) if df else np.nan,
        "note": "" if df else NO_EVENT,
    }  # fmt: skip


def _method(strata: str | None, rho: float) -> str:
    name = "log-rank test" if rho == 0 else f"weighted log-rank test, rho = {rho:g}, gamma = 0"
    return name + (f", stratified by {strata}" if strata else "") + ", chi-square approximation"


def compare_logrank(tte: pd.DataFrame | EventTable, strata: str | None = None, rho: float = 0.0) -> pd.DataFrame:
    """Test that all arms have the same survival.

    Parameters
    ----------
    tte : DataFrame, one row per patient, or (without strata) EventTable
        `arm`, `time`, `event` (True = event), and the column named by `strata`.
    strata : str, optional
        Column within whose levels patients are compared.
    rho : float
        Weights S(t-)^rho: 0 the log-rank test; 1 Peto and Peto's.

    Returns
    -------
    DataFrame, one row, group ``overall``
        `n`, `n_events`, `chisq`, `df`, `p_value` (two-sided), `method`, `note`.

    Notes
    -----
    R: ``survdiff(Surv(time, event) ~ arm + strata(s), rho = rho)``, degrees of freedom included: arms without
    anybody at risk at an event do not count. lifelines' weightings="peto" is another test than rho = 1.
    """
    found = pd.DataFrame([{"group": OVERALL} | test_tables(_stratum_tables(tte, strata), rho)])
    return found.assign(method=_method(strata, rho))


def compare_pairwise(tte: pd.DataFrame | EventTable) -> pd.DataFrame:
    """Log-rank test of each pair of arms, with p values adjusted for their number (Holm).

    Parameters
    ----------
    tte
        As in `compare_logrank`.

    Returns
    -------
    DataFrame, one row per pair
        `group` (``x vs y``, y first in study order), `n`, `n_events`, `chisq`, `df`, `p_value`, `p_adjusted`
        (over the pairs that have a p value), `method`, `note`. Empty for a single arm.
        R: ``survdiff`` on each pair, ``p.adjust(p, "holm")``.
    """
    table = count_events(tte)
    rows = [
        {"group": f"{x} vs {y}"} | test_tables([table.only(y, x)])
        for y, x in combinations(table.arms, 2)
    ]
    found = pd.DataFrame(rows, columns=["group", "n", "n_events", "chisq", "df", "p_value", "note"])
    found["p_adjusted"] = adjust_holm(found["p_value"])
    return found.assign(method=f"{_method(None, 0)}, holm adjustment")


def compare_trend(tte: pd.DataFrame | EventTable) -> pd.DataFrame:
    """Log-rank test for a trend over arms in their order, scored 1, 2, 3 and so on (Tarone 1975).

    Parameters
    ----------
    tte
        As in `compare_logrank`; the categories of `arm` in order.

    Returns
    -------
    DataFrame, one row, group ``overall``
        `statistic` (z; above 0: more events than expected along the order), `chisq`, `df`, `p_value`, `method`, `note`.
        R: ``s <- survdiff(Surv(time, event) ~ arm); w <- seq_along(s$n); sum(w * (s$obs - s$exp))^2 / (w %*% s$var %*% w)``
    """
    table = count_events(tte)
    values = dict.fromkeys(("statistic", "chisq", "df", "p_value"), np.nan) | {"note": NO_EVENT}
    if table.n_events.size:
        observed, expected, covariance = _moments(table, 0.0)
        score = np.arange(1.0, len(observed) + 1)
        variance = float(score @ covariance @ score)
        # Of one arm after another at risk alone, rounding leaves less than this.
        if variance > 1e-10:
            z = float(score @ (observed - expected)) / np.sqrt(variance)
            values = {"statistic": z, "chisq": z**2, "df": 1.0, "p_value": stats.chi2.sf(z**2, 1), "note": ""}
    return pd.DataFrame([{"group": OVERALL} | values]).assign(method="log-rank test for trend, chi-square approximation")


def _scores(tte: pd.DataFrame) -> np.ndarray:
    """Log-rank score of each patient: event minus the pooled Nelson-Aalen hazard up to his time; they sum to 0."""
    check_tte(tte)
    times, index = merge_times(tte["time"].to_numpy(dtype=float))
    event = tte["event"].to_numpy(dtype=float)
    d, leaving = np.bincount(index, event, len(times)), np.bincount(index, minlength=len(times))
    return event - np.cumsum(d / leaving[::-1].cumsum()[::-1])[index]


def _exact_two_arms(scores: np.ndarray, size: int, observed: float) -> float:
    """P(|sum of `size` of the scores| >= |observed|) over all choices, counted by splitting the patients in two halves.

    Sums within each half are listed by the number of patients taken and matched by sorting, so 2^(n/2) sums stand for
    C(n, size) choices (the split-up algorithm of van de Wiel, Comput Stat Data Anal 2001;35:233-249).
    """
    cut = abs(observed) * (1 - 1e-10) - 1e-12  # sums equal to the observed one up to rounding count as equal

    def by_count(half: np.ndarray) -> list[np.ndarray]:
        sums, counts = np.zeros(1), np.zeros(1, dtype=int)
        for score in half:
            sums, counts = np.concatenate([sums, sums + score]), np.concatenate([counts, counts + 1])
        return [sums[counts == k] for k in range(len(half) + 1)]

    left, right = (by_count(half) for half in np.array_split(scores, 2))
    extreme = 0
    for k, sums in enumerate(left):
        if 0 <= size - k < len(right):
            other = np.sort(right[size - k])
            high = len(other) - np.searchsorted(other, cut - sums, side="left")
            low = np.searchsorted(other, -cut - sums, side="right")
            extreme += int(np.minimum(high + low, len(other)).sum())
    return extreme / comb(len(scores), size)


def _resampled(scores: np.ndarray, sizes: np.ndarray, observed: float, n_resamples: int, seed: int) -> float:
    """Share of random allocations with a statistic at least as large, the observed allocation counted as one."""
    rng, extreme, done = np.random.default_rng(seed), 0, 0
    chunk = max(1, min(n_resamples, 2_000_000 // len(scores)))  # 16 MB of shuffled scores at a time
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    while done < n_resamples:
        block = min(chunk, n_resamples - done)
        shuffled = rng.permuted(np.tile(scores, (block, 1)), axis=1)
        sums = np.add.reduceat(shuffled, starts, axis=1)
        extreme += int(((sums**2 / sizes).sum(axis=1) >= observed * (1 - 1e-10)).sum())
        done += block
    return (extreme + 1) / (n_resamples + 1)


def compare_permutation(tte: pd.DataFrame, n_resamples: int = 10_000, seed: int = 0) -> pd.DataFrame:
    """Permutation log-rank test: how often a random allocation to arms differs as much as the real one.

    Parameters
    ----------
    tte : DataFrame, one row per patient
        `arm`, `time`, `event`.
    n_resamples : int
        Random allocations, where not all can be counted.
    seed : int
        Of numpy's default generator.

    Returns
    -------
    DataFrame, one row, group ``overall``
        `n`, `n_events`, `chisq`, `df`, `p_value`, `mc_error` (standard error of p from resampling; 0 = exact),
        `method`, `note`.

    Notes
    -----
    Every allocation is counted for two arms of together at most 40 patients; otherwise p = (1 + extreme) /
    (1 + resamples) (Phipson and Smyth 2010). In a large study (limits) the statistic is held against chi-square. It is
    the score form with the permutation variance, R's ``coin::logrank_test(Surv(time, event) ~ arm)``; it is not
    survdiff's, and assumes equal censoring in the arms.
    """
    found = {"group": OVERALL, "n": len(tte), "n_events": int(tte["event"].sum())}
    return permute_scores(found, _scores(tte), tte["arm"], "permutation log-rank test", n_resamples=n_resamples, seed=seed)


def permute_scores(
    counts: dict, scores: np.ndarray, arm: pd.Series, method: str, *, n_resamples: int, seed: int
) -> pd.DataFrame:
    """Compare sums of scores between arms with those of random allocations.

    Parameters
    ----------
    counts : dict
        `group`, `n`, `n_events` of the row.
    scores : ndarray, shape (n,)
        One per patient; they sum to 0.
    arm : Series
        Categorical in study order.
    method : str
        Name of the test, to which the way of counting is added.
    n_resamples, seed : int
        As in `compare_permutation`.

    Returns
    -------
    DataFrame, one row
        As `compare_permutation`.
    """
    codes = arm.cat.codes.to_numpy()
    present, codes, sizes = np.unique(codes, return_inverse=True, return_counts=True)
    found = counts | dict.fromkeys(("chisq", "df", "p_value", "mc_error"), np.nan) | {"method": method, "note": NO_EVENT}
    if len(present) < 2 or not np.abs(scores).max() > 1e-12:
        return pd.DataFrame([found])
    sums = np.bincount(codes, scores)
    between = float((sums**2 / sizes).sum())
    found |= {"chisq": (len(scores) - 1) * between / float(scores @ scores), "df": len(present) - 1, "note": ""}
    if len(present) == 2 and len(scores) <= EXACT_PATIENTS:
        p, error, how = _exact_two_arms(scores, int(sizes[0]), float(sums[0])), 0.0, "every allocation counted"
    elif len(scores) > LARGE:
        p, error, how = stats.chi2.sf(found["chisq"], found["df"]), np.nan, "chi-square approximation"
        found["note"] = because_large(how)
    else:
        p = _resampled(scores, sizes, between, n_resamples, seed)
        error = float(np.sqrt(p * (1 - p) / n_resamples))
        how = f"{n_resamples} random allocations, seed {seed}"
    return pd.DataFrame([found | {"p_value": p, "mc_error": error, "method": f"{method}, {how}"}])
