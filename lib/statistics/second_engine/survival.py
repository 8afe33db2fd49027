"""The time-to-event numbers a second time, by other engines, and their comparison with the first.

Curves by statsmodels, log-rank tests and mean survival by lifelines, Cox models by statsmodels, the rest by formulas
written out here patient by patient. Nothing of `survival`, `logrank`, `cox`, `rmst` or the event table is called. Slow
and plain on purpose. What else a report holds is computed again in shares, ranks, competing and mixed; which
numbers of which analysis are, stands in recheck.
"""

from __future__ import annotations

__all__ = ["KEYS", "DisagreementError", "recompute", "verify"]

import warnings
from collections.abc import Sequence
from itertools import combinations

import lifelines
import numpy as np
import pandas as pd
from lifelines.statistics import multivariate_logrank_test
from lifelines.utils import restricted_mean_survival_time
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight

from lib.statistics.second_engine.cox import COX_TESTS, FORMULA, STATSMODELS, Rows, recompute_cox, wald
from lib.statistics.second_engine.shares import holm, numbers_needed

# What tells one number of a report from all others, as in results.csv.
KEYS = ["output", "variable", "group", "time", "statistic"]
LIFELINES = f"lifelines {lifelines.__version__}"
# values nearer to 0 than this are compared absolutely
SMALL = 1e-6
# Numbers that a disagreement names.
MOST_SAID = 10
# What a comparison that is not made keeps.
COUNTS = ("n", "n_events", "tau", "concordance", "events_per_variable")


class DisagreementError(ValueError):
    """Two engines give different values for one statistic."""


class _Arm:
    """Times and events of one arm, and its Kaplan-Meier curve by statsmodels."""

    def __init__(self, time: np.ndarray, event: np.ndarray):
        self.time, self.event, self.last = time, event, time.max()
        self.at, self.survival, self.error = np.empty(0), np.empty(0), np.empty(0)
        if event.any():
            with warnings.catch_warnings():  # 0 / 0 in the standard error where the last patient has the event
                warnings.simplefilter("ignore")
                curve = SurvfuncRight(time, event.astype(int))
                keep = curve.n_events > 0
                self.at, self.survival = curve.surv_times[keep], curve.surv_prob[keep]
                self.error = np.where(self.survival > 0, curve.surv_prob_se[keep], np.nan)

    def value(self, t: float) -> tuple[float, float]:
        """S(t) and its standard error; NaN beyond the last follow-up unless S is 0 by then."""
        past = np.flatnonzero(self.at <= t)
        s, error = (self.survival[past[-1]], self.error[past[-1]]) if len(past) else (1.0, 0.0)
        return (np.nan, np.nan) if t > self.last and s > 0 else (s, error)


def _limits(s: float, error: float, z: float) -> tuple[float, float]:
    """Log-log limits: S to the power exp(+-z SE / (S |log S|))."""
    if not 0 < s < 1:
        return np.nan, np.nan
    width = z * error / (s * -np.log(s))
    return s ** np.exp(width), s ** np.exp(-width)


def _drop_to(at: np.ndarray, band: list[float], p: float) -> float:
    """First time at which the band is at or below p, or the middle of the flat stretch at p (R's summary.survfit)."""
    for i, value in enumerate(band):
        if value < p - 1e-8:
            return at[i]
        if value <= p + 1e-8:
            after = [at[j] for j in range(i + 1, len(at)) if band[j] < value]
            return (at[i] + after[0]) / 2 if after else at[i]
    return np.nan


def _quantile(arm: _Arm, p: float, z: float) -> dict[str, float]:
    bands = [_limits(s, error, z) for s, error in zip(arm.survival, arm.error, strict=True)]
    return {
        "median" if p == 0.5 else "estimate": _drop_to(arm.at, list(arm.survival), p),
        "ci_low": _drop_to(arm.at, [low for low, _ in bands], p),
        "ci_high": _drop_to(arm.at, [high for _, high in bands], p),
        "n": len(arm.time), "n_events": int(arm.event.sum()),
    }  # fmt: skip


def _curves(
    arms: dict[str, _Arm], reverse: dict[str, _Arm], references: list[str], times: Sequence[float], z: float
) -> Rows:
    for name, arm in arms.items():
        for label, source, p in (("median", arm, 0.5), ("quartile_1", arm, 0.75), ("quartile_3", arm, 0.25),
                                 ("follow_up", reverse[name], 0.5)):  # fmt: skip
            for column, value in _quantile(source, p, z).items():
                yield name, np.nan, f"{label}.{column}", value, STATSMODELS
        for t in times:
            s, error = arm.value(t)
            low, high = _limits(s, error, z)
            values = {"n_risk": (arm.time >= t).sum(), "estimate": s, "std_err": error, "ci_low": low, "ci_high": high}
            for column, value in values.items():
                yield name, t, f"landmark.{column}", value, STATSMODELS
            yield name, t, "at_risk.n_risk", values["n_risk"], FORMULA
            for column, left in (("n_events", arm.event), ("n_censored", ~arm.event)):
                yield name, t, f"at_risk.{column}", (left & (arm.time < t)).sum(), FORMULA
            for reference in (r for r in references if r != name):
                other, other_error = arms[reference].value(t)
                group, total = f"{name} vs {reference}", float(np.hypot(error, other_error))
                apart = {"difference": s - other} | wald(s - other, total, z)
                for column, value in (apart | numbers_needed(apart)).items():
                    yield group, t, f"landmark_difference.{column}", value, STATSMODELS


def _logrank(tte: pd.DataFrame, names: list[str]) -> tuple[float, float] | None:
    """Chi-square and p by lifelines; None where no event happens while two of the arms are at risk, or all are left."""
    rows = tte[tte["arm"].isin(names)]
    for t in np.unique(rows.loc[rows["event"], "time"]):
        left = rows[rows["time"] >= t]
        dead = left["event"] & (left["time"] == t)
        if left["arm"].nunique() == len(names) and 0 < dead.sum() < len(left):
            found = multivariate_logrank_test(rows["time"], rows["arm"].astype(str), rows["event"])
            return found.test_statistic, stats.chi2.sf(found.test_statistic, len(names) - 1)
        break
    return None


def _sizes(tte: pd.DataFrame, names: Sequence[str], group: str, label: str) -> Rows:
    rows = tte[tte["arm"].isin(names)]
    yield group, np.nan, f"{label}.n", len(rows), FORMULA
    yield group, np.nan, f"{label}.n_events", int(rows["event"].sum()), FORMULA


def _tests(tte: pd.DataFrame, names: list[str], left_out: Sequence[str]) -> Rows:
    """Log-rank tests of all arms and of each pair, of which the arm that is named first comes second."""
    yield from _sizes(tte, names, "overall", "logrank")
    overall = _logrank(tte, names) if len(names) > 1 else None
    if overall is not None:
        for column, value in zip(("chisq", "p_value", "df"), (*overall, len(names) - 1), strict=True):
            yield "overall", np.nan, f"logrank.{column}", value, LIFELINES
    pairs = {f"{x} vs {y}": _logrank(tte, [y, x]) for y, x in combinations(names, 2)}
    for x, y in ((x, y) for y, x in combinations(names, 2)):
        yield from _sizes(tte, (x, y), f"{x} vs {y}", "logrank_pairwise")
    known = {group: pair for group, pair in pairs.items() if pair is not None and group not in left_out}
    for (group, (chisq, p)), adjusted in zip(known.items(), holm([p for _, p in known.values()]), strict=True):
        for column, value in (("chisq", chisq), ("df", 1), ("p_value", p), ("p_adjusted", adjusted)):
            yield group, np.nan, f"logrank_pairwise.{column}", value, LIFELINES


def _trend(tte: pd.DataFrame) -> Rows:
    """Log-rank test for trend: at each event, how far the place of its arm lies from the mean of those at risk."""
    place, time, event = tte["arm"].cat.codes.to_numpy(float), tte["time"].to_numpy(), tte["event"].to_numpy()
    away = variance = 0.0
    for t in np.unique(time[event]):
        left, dead = place[time >= t], place[event & (time == t)]
        away += dead.sum() - len(dead) * left.mean()
        variance += left.var() * len(dead) * (len(left) - len(dead)) / max(len(left) - 1, 1)
    if variance > 1e-10:
        z = away / np.sqrt(variance)
        for column, value in (("statistic", z), ("chisq", z**2), ("df", 1), ("p_value", 2 * stats.norm.sf(abs(z)))):
            yield "overall", np.nan, f"logrank_trend.{column}", value, FORMULA


def _means(arms: dict[str, _Arm], references: list[str], tau: float | None, z: float) -> Rows:
    tau = min(arm.last for arm in arms.values()) if tau is None else tau
    means = {}
    for name, arm in arms.items():
        if np.isnan(arm.value(tau)[0]):
            continue
        fitter = lifelines.KaplanMeierFitter().fit(arm.time, arm.event)
        area = float(restricted_mean_survival_time(fitter, t=tau))
        curve, variance = fitter.survival_function_["KM_estimate"], 0.0
        so_far = pd.Series(np.cumsum(np.diff(curve.index, prepend=0) * curve.shift(fill_value=1)), curve.index)
        for t in np.unique(arm.time[arm.event & (arm.time <= tau)]):
            n, d = (arm.time >= t).sum(), (arm.event & (arm.time == t)).sum()
            if n > d:  # lifelines' own variance is that of the survival times, not of their mean
                variance += (area - so_far[t]) ** 2 * d / (n * (n - d))
        means[name] = area, np.sqrt(variance)
        reach = z * means[name][1] or np.nan
        values = {"estimate": area, "std_err": means[name][1], "ci_low": area - reach, "ci_high": area + reach,
                  "tau": tau, "n": len(arm.time), "n_events": (arm.event & (arm.time <= tau)).sum()}  # fmt: skip
        for column, value in values.items():
            yield name, np.nan, f"rmst.{column}", value, LIFELINES
    for name, reference in ((x, y) for y in references for x in means if y in means and x != y):
        (x, sx), (y, sy), group = means[name], means[reference], f"{name} vs {reference}"
        for column, value in (wald(x - y, float(np.hypot(sx, sy)), z) | {"estimate": x - y, "tau": tau}).items():
            yield group, np.nan, f"rmst_difference.{column}", value, LIFELINES
        if x > 0 and y > 0:
            around = wald(np.log(x / y), float(np.hypot(sx / x, sy / y)), z)
            limits = {column: np.exp(around[column]) for column in ("ci_low", "ci_high")}
            for column, value in (around | limits | {"estimate": x / y, "tau": tau}).items():
                yield group, np.nan, f"rmst_ratio.{column}", value, LIFELINES


def _without_noise(time: np.ndarray) -> np.ndarray:
    """Each time, or the first of those that follow each other by a gap that R takes for none (`aeqSurv`)."""
    values, index = np.unique(time, return_inverse=True)
    new = np.diff(values, prepend=-np.inf) > np.sqrt(np.finfo(float).eps) * max(1.0, values.mean())
    return values[new][np.cumsum(new)[index] - 1]


def recompute(
    tte: pd.DataFrame,
    reference: str | Sequence[str],
    level: float = 0.95,
    landmark_times: Sequence[float] = (),
    tau: float | None = None,
    *,
    variable: str = "",
    outputs: Sequence[str] | None = None,
    left_out: Sequence[str] = (),
) -> pd.DataFrame:
    """Compute medians, landmarks, tests, hazard ratios and restricted means by second engines.

    Parameters
    ----------
    tte : DataFrame, one row per patient
        `arm`, `time`, `event`, and `cause` where events compete (follow-up ends with either).
    reference : str or sequence of str
        Arms that each of the others is compared with; proportional hazards are tested for the first.
    level : float
        Confidence level.
    landmark_times : sequence of float
        In the endpoint's unit.
    tau : float, optional
        Horizon of the restricted means (default: the smallest of the arms' largest times).
    variable : str
        What the numbers are about, for results.csv: the endpoint.
    outputs : sequence of str, optional
        Outputs that will be compared (default: all); tests, means and models without one are left out.
    left_out : sequence of str
        Comparisons (``overall``, ``x vs y``) that are not made: who is counted is all that is told of them, and Holm's
        adjustment counts the others.

    Returns
    -------
    DataFrame, one row per number
        `KEYS`, `value`, `engine`. What a second engine cannot do is not there.
    """
    if tte.empty:
        return pd.DataFrame(columns=[*KEYS, "value", "engine"])
    tte = tte.assign(time=_without_noise(tte["time"].to_numpy(float)), event=tte["event"].astype(bool))
    z, asked_for = stats.norm.isf((1 - level) / 2), [reference] if isinstance(reference, str) else reference
    split = {str(name): rows for name, rows in tte.groupby("arm", observed=True)}
    arms = {name: _Arm(rows["time"].to_numpy(), rows["event"].to_numpy()) for name, rows in split.items()}
    ended = tte["cause"].ne(0) if "cause" in tte else tte["event"]
    reverse = {name: _Arm(rows["time"].to_numpy(), ~ended[rows.index].to_numpy(bool)) for name, rows in split.items()}
    references = [name for name in asked_for if name in arms]

    def asked(*names: str) -> bool:
        return outputs is None or not set(names).isdisjoint(outputs)

    rows = [*_curves(arms, reverse, references, landmark_times, z)]
    if asked("logrank", "logrank_pairwise"):
        rows += _tests(tte, list(dict.fromkeys([*references, *arms])), left_out)
    if outputs and "logrank_trend" in outputs:
        rows += _trend(tte)
    if asked("rmst", "rmst_difference", "rmst_ratio"):
        rows += _means(arms, references, tau, z)
    if asked("cox", *COX_TESTS, "proportional_hazards") and references and len(arms) > 1 and tte["event"].any():
        rows += recompute_cox(tte, list(arms), references, z)
    found = pd.DataFrame(rows, columns=["group", "time", "statistic", "value", "engine"])
    found[["output", "statistic"]] = found["statistic"].str.split(".", expand=True)
    found = found.assign(variable=variable).astype({"time": float, "value": float})
    told = found["statistic"].isin(COUNTS) | ~found["group"].isin(left_out)
    return found.loc[told, [*KEYS, "value", "engine"]].reset_index(drop=True)


def verify(first: pd.DataFrame, second: pd.DataFrame, tolerance: float = 1e-6) -> pd.DataFrame:
    """Compare two computations number by number.

    Parameters
    ----------
    first : DataFrame
        Rows of results.csv: `KEYS`, `value`.
    second : DataFrame
        `KEYS`, `value`, `engine`.
    tolerance : float
        Largest relative difference allowed (absolute below 1e-6). NaN agrees with NaN only.

    Returns
    -------
    DataFrame, one row per number of both
        The columns of `second`, and `difference`.

    Raises
    ------
    DisagreementError
        If a difference is above the tolerance, naming the number and both values; or if nothing could be compared.
    """
    both = second.merge(first[[*KEYS, "value"]], on=KEYS, how="inner", suffixes=("", "_first"), validate="one_to_one")
    if both.empty:
        raise DisagreementError("nothing was compared: the two computations share no statistic")
    a, b = both["value_first"].astype(float), both["value"].astype(float)
    relative = (a - b).abs() / np.maximum(np.maximum(a.abs(), b.abs()), SMALL)
    both["difference"] = relative.where(a.notna() | b.notna(), 0.0).where(a.notna() == b.notna(), np.inf)
    wrong = both[both["difference"] > tolerance]
    if len(wrong):
        found = f"{len(wrong)} of {len(both)} numbers differ by more than {tolerance:g}"
        raise DisagreementError(f"{found}: {'; '.join(_said(row) for row in wrong.head(MOST_SAID).itertuples())}")
    return both.drop(columns="value_first")


def _said(row) -> str:
    """Which number it is, and both values."""
    about = f" ({row.variable})" if row.variable else ""
    at = "" if np.isnan(row.time) else f" at {row.time:g}"
    return (
        f"{row.output}.{row.statistic}{about}, {row.group}{at}: {row.value_first!r} here, {row.value!r} by {row.engine}"
    )
