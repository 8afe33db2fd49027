"""How far a comparison of arms hangs on single patients, on the censored, and on the number of events.

Deletions and reversals are counted in the event table, so each costs as much as there are distinct times. In a large
study (limits) their number does not, and approximations take their place (large_sample); method and note say so.
"""

from __future__ import annotations

__all__ = ["BECOMES", "assume_extremes", "compare_without_each", "count_reversals", "estimate_power", "find_detectable"]

from collections.abc import Sequence
from math import sqrt

import numpy as np
import pandas as pd
from scipy import stats

from lib.statistics.comparisons import ALPHA
from lib.statistics.survival import large_sample
from lib.statistics.survival.event_table import OVERALL, EventTable, arm_names, count_events
from lib.statistics.survival.logrank import NO_EVENT, quadratic_forms, test_tables
from lib.study.limits import LARGE, because_large

BECOMES = ("event", "censored")


def compare_without_each(tte: pd.DataFrame, alpha: float = ALPHA) -> pd.DataFrame:
    """Log-rank test without each patient in turn.

    Parameters
    ----------
    tte : DataFrame, one row per patient
        `arm`, `time`, `event` (True = event).
    alpha : float
        Where the verdict turns.

    Returns
    -------
    DataFrame, one row, group ``overall``
        `n`, `n_events`, `min`, `max` (of the p-values), `count` (patients whose deletion takes p to the other side
        of alpha), `method`, `note`. R: ``survdiff(Surv(time, event) ~ arm, data[-i, ])`` for every i.
    """
    table = count_events(tte)
    whole = test_tables([table])
    found = {"group": OVERALL, "n": len(tte), "n_events": whole["n_events"], "min": np.nan, "max": np.nan}
    found |= {"count": np.nan, "method": "log-rank test without each patient in turn", "note": whole["note"]}
    if np.isnan(whole["p_value"]):
        return pd.DataFrame([found])
    if len(tte) > LARGE:
        found |= {"method": found["method"] + ", first-order approximation", "note": because_large("approximated")}
        p, times = large_sample.approximate_without_each(table)
    else:
        p, times = _without_each(table)
    if np.isnan(p).all():
        return pd.DataFrame([found | {"note": "not estimable: without any one patient no test is left"}])
    turned = (p < alpha) != (whole["p_value"] < alpha)
    return pd.DataFrame([found | {"min": np.nanmin(p), "max": np.nanmax(p), "count": int(times[turned].sum())}])


def _without_each(table: EventTable) -> tuple[np.ndarray, np.ndarray]:
    """P-value without a patient of each kind (same arm, time and end), and how many there are of it.

    Up to the patient's time the risk sets have one less in his arm, later ones are as they were: running sums.
    """
    whole, p_values, counts = _terms(table.n_events, table.n_risk), [], []
    for i, unit in enumerate(np.eye(len(table.arms))[:, :, None]):
        thinner = table.n_risk - unit
        fewer, last = _terms(table.n_events, thinner), _terms(table.n_events - unit, thinner)
        for own, at_end in ((table.n_events[i], last), (table.n_censored[i], fewer)):
            alike = np.flatnonzero(own)
            chisq, df = quadratic_forms(*(
                (np.cumsum(f, axis=0) - f + e + w.sum(axis=0) - np.cumsum(w, axis=0))[alike]
                for f, e, w in zip(fewer, at_end, whole, strict=True)
            ))  # fmt: skip
            p_values.append(np.where(df > 0, stats.chi2.sf(chisq, np.maximum(df, 1)), np.nan))
            counts.append(own[alike])
    return np.concatenate(p_values), np.concatenate(counts)


def _terms(events: np.ndarray, at_risk: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What each time adds to observed less expected events, shape (m, k), and to their covariance, shape (m, k, k)."""
    d, n = events.sum(axis=0), at_risk.sum(axis=0)
    share = (at_risk / np.maximum(n, 1)).T
    spread = d * (n - d) / np.maximum(n - 1, 1)
    return events.T - share * d[:, None], spread[:, None, None] * _products(share)


def _products(share: np.ndarray) -> np.ndarray:
    """Covariance of one event over the arms, diag(p) - pp', for shares at risk of shape (m, k): shape (m, k, k)."""
    return share[:, :, None] * (np.eye(share.shape[1]) - share[:, None, :])


def count_reversals(tte: pd.DataFrame, arm: str, alpha: float = ALPHA) -> pd.DataFrame:
    """Fragility: how many patients of one arm would have to end otherwise for the verdict to turn.

    A censored patient is given the event at the time of censoring (or a patient with the event is censored at its
    time), each time the one who moves the log-rank p-value most, until p lies on the other side of alpha.

    Parameters
    ----------
    tte, alpha
        As in `compare_without_each`.
    arm : str
        The arm whose patients are changed.

    Returns
    -------
    DataFrame, one row per direction (`variable`: event, censored), group `arm`
        `n` (patients that could be changed), `count` (how many turn the verdict; NaN = not even all), `p_value`
        (after the change), `method`, `note`. Walsh et al., J Clin Epidemiol 2014;67:622-628, carried over to time to
        event. Each p-value equals R's ``survdiff`` on the changed data.
    """
    table = count_events(tte)
    reverse = _reverse_many if len(tte) > LARGE else _reverse
    found = pd.DataFrame([reverse(table, table.arms.index(arm), becomes, alpha) for becomes in BECOMES])
    order = "in the order of what each alone does" if len(tte) > LARGE else "one by one"
    return found.assign(group=arm, method=f"log-rank test after changing the patients who move p most, {order}")


def _reverse_many(table: EventTable, i: int, becomes: str, alpha: float) -> dict:
    first, step = test_tables([table]), 1 if becomes == "event" else -1
    found = {"variable": becomes, "n": int((table.n_censored if step > 0 else table.n_events)[i].sum())}
    if np.isnan(first["p_value"]):
        return found | {"count": np.nan, "p_value": np.nan, "note": first["note"]}
    count, p_value = large_sample.approximate_reversal(table, i, step, alpha)
    note = because_large("an upper bound" if count > 0 else f"no change of these {found['n']} was found to turn the verdict")
    return found | {"count": count, "p_value": p_value, "note": note}


def _reverse(table: EventTable, i: int, becomes: str, alpha: float) -> dict:
    first = test_tables([table])
    step = 1 if becomes == "event" else -1
    left = (table.n_censored if becomes == "event" else table.n_events)[i].copy()
    found = {"variable": becomes, "n": int(left.sum()), "count": np.nan, "p_value": np.nan, "note": first["note"]}
    if np.isnan(first["p_value"]):
        return found
    below, changed = first["p_value"] < alpha, 0
    while left.any():
        candidates = np.flatnonzero(left)
        chisq = _chisq_after(table, i, candidates, step)
        j = candidates[np.argmin(chisq) if below else np.argmax(chisq)]
        events, censored = table.n_events.copy(), table.n_censored.copy()
        events[i, j], censored[i, j], left[j], changed = (
            events[i, j] + step,
            censored[i, j] - step,
            left[j] - 1,
            changed + 1,
        )
        table = EventTable(table.arms, table.times, events, censored)
        p = test_tables([table])["p_value"]
        if np.isnan(p) or (p < alpha) != below:
            return found | {"count": changed, "p_value": p}
    return found | {"note": {0: "there is no such patient", 1: "the only one does not turn the verdict"}.get(found["n"], f"not even all {found['n']} turn the verdict")}


def _chisq_after(table: EventTable, i: int, candidates: np.ndarray, step: int) -> np.ndarray:
    """Chi-square after one more (or one less) event of arm i at each candidate time: the risk sets stay as they are."""
    unit = step * np.eye(len(table.arms))[:, [i]]
    now = _terms(table.n_events, table.n_risk)
    then = _terms((table.n_events + unit)[:, candidates], table.n_risk[:, candidates])
    chisq, _ = quadratic_forms(*(n.sum(axis=0) - n[candidates] + t for n, t in zip(now, then, strict=True)))
    return np.nan_to_num(chisq)


def assume_extremes(tte: pd.DataFrame, arm: str) -> dict[str, pd.DataFrame]:
    """Frames that end the censored patients in the worst and in the best way for one arm.

    Worst: its censored patients have the event when last seen, those of the other arms stay free of it up to the
    longest time of all. Best: the other way round.

    Returns
    -------
    dict of str to DataFrame
        `worst`, `best`: as `tte`, with `time` and `event` changed.
    """
    own, censored, longest = (tte["arm"] == arm).to_numpy(), ~tte["event"].to_numpy(dtype=bool), tte["time"].max()

    def ended(unlucky: np.ndarray) -> pd.DataFrame:
        lucky = censored & ~unlucky
        return tte.assign(
            time=tte["time"].where(~lucky, longest), event=tte["event"].astype(bool) | (censored & unlucky)
        )

    return {"worst": ended(own), "best": ended(~own)}


def estimate_power(tte: pd.DataFrame, n_simulations: int = 2000, seed: int = 0, alpha: float = ALPHA) -> pd.DataFrame:
    """Power of the log-rank test of all arms, were the observed medians the truth.

    Each arm keeps its size; event times are exponential with the arm's observed median (without a median: with its
    events per person-time), censoring times are drawn from the arm's reverse Kaplan-Meier curve.

    Parameters
    ----------
    tte, alpha
        As in `compare_without_each`.
    n_simulations, seed : int
        Of numpy's default generator.

    Returns
    -------
    DataFrame, one row, group ``overall``
        `n`, `n_events`, `power`, `mc_error` (Monte Carlo standard error), `method`, `note`. Checked against a
        simulation by R's ``survdiff`` within both Monte Carlo errors.
    """
    table = count_events(tte)
    rates, present = _rates(table), table.n > 0
    found = {"group": OVERALL, "n": len(tte), "n_events": int(table.n_events.sum()), "power": np.nan}
    found |= {"mc_error": np.nan, "note": NO_EVENT}
    found["method"] = (
        f"log-rank test in {n_simulations} simulated studies, exponential with the observed medians, censoring as observed, seed {seed}"
    )
    if not found["n_events"] or present.sum() < 2:
        return pd.DataFrame([found])
    if len(tte) > LARGE:
        found["method"] = "log-rank test, noncentral chi-square, exponential with the observed medians, censoring as observed"
        found |= {"note": because_large("approximated"), "power": large_sample.approximate_power(table, rates, alpha)}
        return pd.DataFrame([found])
    rng, arms, k = np.random.default_rng(seed), np.repeat(np.arange(len(table.n)), table.n), int(present.sum())
    shown = np.cumsum(present)[arms] - 1
    chunk, chisq = max(1, 400_000 // len(tte)), []  # 10 MB of risk sets at a time
    for start in range(0, n_simulations, chunk):
        b = min(chunk, n_simulations - start)
        with np.errstate(divide="ignore"):
            times = rng.exponential(size=(b, len(arms))) / rates[arms]
        chisq.append(_chisq_of_each(times, _draw_censoring(rng, table, arms, b), shown))
    power = float(np.mean(stats.chi2.sf(np.concatenate(chisq), k - 1) < alpha))
    return pd.DataFrame([found | {"power": power, "mc_error": sqrt(power * (1 - power) / n_simulations), "note": ""}])


def _rates(table: EventTable) -> np.ndarray:
    """Exponential hazard by arm from the median, or from events per person-time where there is none."""
    person_time = (table.n_events + table.n_censored) @ table.times
    rates = table.n_events.sum(axis=1) / np.where(person_time > 0, person_time, 1.0)
    for i, survival in enumerate(table.survival):
        reached = np.flatnonzero(survival <= 0.5 + 1e-8)
        if reached.size and table.times[reached[0]] > 0:
            rates[i] = np.log(2) / table.times[reached[0]]
    return rates


def _draw_censoring(rng: np.random.Generator, table: EventTable, arms: np.ndarray, b: int) -> np.ndarray:
    """Censoring times, shape (b, n), by inverting each arm's reverse Kaplan-Meier curve (its last time beyond)."""
    drawn, followed = np.empty((b, len(arms))), table.reversed().survival
    for i in np.unique(arms):
        own = np.flatnonzero(table.n_events[i] + table.n_censored[i])
        index = np.searchsorted(1 - followed[i, own], rng.random((b, int((arms == i).sum()))))
        drawn[:, arms == i] = table.times[own][np.minimum(index, len(own) - 1)]
    return drawn


def _chisq_of_each(times: np.ndarray, censoring: np.ndarray, arms: np.ndarray) -> np.ndarray:
    """Log-rank chi-square of each simulated study of arms 0 to k - 1; no two events are tied."""
    event, observed = times <= censoring, np.minimum(times, censoring)
    order = np.argsort(observed, axis=1)
    happened = np.take_along_axis(event, order, axis=1)[:, None]
    # shape (b, k - 1, n): of every arm but the last, which the others determine
    own = arms[order][:, None] == np.arange(arms.max())[:, None]
    share = own[..., ::-1].cumsum(axis=2)[..., ::-1] / np.arange(len(arms), 0, -1) * happened
    score = (own & happened).sum(axis=2) - share.sum(axis=2)
    covariance = -share @ share.transpose(0, 2, 1)
    diagonal = np.arange(score.shape[1])
    covariance[:, diagonal, diagonal] += share.sum(axis=2)
    inverse = np.linalg.pinv(covariance, rcond=1e-10, hermitian=True)
    return np.einsum("bi,bij,bj->b", score, inverse, score)


def find_detectable(
    tte: pd.DataFrame, pairs: Sequence[tuple[str, str]], power: float = 0.8, alpha: float = ALPHA
) -> pd.DataFrame:
    """Hazard ratio that the log-rank test of two arms would find with a given power, at the observed events.

    Parameters
    ----------
    tte, alpha
        As in `compare_without_each`.
    pairs : sequence of (x, y)
        Arm x compared with arm y.
    power : float

    Returns
    -------
    DataFrame, one row per pair
        `group`, `n`, `n_events`, `hr` (below 1: one this small, or smaller, is found with that power), `hr_above` (its
        inverse: one this large, or larger), `method`, `note`. R: ``exp(-(qnorm(1 - alpha / 2) + qnorm(power)) / sqrt(d * p * (1 - p)))``
        with d events and a share p of patients in one of the arms (Schoenfeld, Biometrika 1981;68:316-319).
    """
    reach, rows = stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(power), []
    known = set(arm_names(tte))
    for x, y in pairs:
        if not {x, y} <= known:
            raise ValueError(f"{x} and {y} must be arms, but the arms are {sorted(known)}")
        sizes = [int((tte["arm"] == arm).sum()) for arm in (x, y)]
        events = int(tte.loc[tte["arm"].isin([x, y]), "event"].sum())
        possible = bool(events) and min(sizes) > 0
        share = sizes[0] / max(sum(sizes), 1)
        ratio = np.exp(-reach / sqrt(events * share * (1 - share))) if possible else np.nan
        rows.append({
            "group": f"{x} vs {y}", "n": sum(sizes), "n_events": events, "hr": ratio, "hr_above": 1 / ratio,
            "note": "" if possible else "not estimable: no event in these arms",
        })  # fmt: skip
    method = f"smallest effect found with {power:.0%} power at the observed number of events (Schoenfeld)"
    return pd.DataFrame(rows, columns=["group", "n", "n_events", "hr", "hr_above", "note"]).assign(method=method)
