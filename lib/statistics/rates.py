"""Events per person-time by arm: exact Poisson intervals and rate ratios.

One frame goes in: `events`, one row per arm in study order, columns `group`, `n_events` and `person_time`
(any unit; the rate is per that unit). Proportions of patients live in proportions.
"""

__all__ = ["compare_rates", "estimate_rate"]

import numpy as np
import pandas as pd
from scipy import stats

from lib.statistics.comparisons import adjust_holm, arm_pairs, name_pair
from lib.statistics.intervals import clopper_pearson

NO_TIME = "not estimable: no person-time in {}"


def estimate_rate(events, level=0.95, per=1):
    """Rate of events with the exact (Garwood) interval, per arm and over all arms.

    Parameters
    ----------
    events : DataFrame, one row per arm: `group`, `n_events`, `person_time` (> 0, or 0 for an empty arm)
    level : float
    per : float
        Units of person-time that a rate is given for.

    Returns
    -------
    DataFrame, one row per arm and one `overall` (if there are several arms): `group`, `n_events`,
    `person_time`, `rate`, `ci_low` (0 without events), `ci_high`, `method`, `note`
        R: ``per * poisson.test(n_events, person_time)$conf.int``

    References
    ----------
    Garwood F. Biometrika 1936;28:437.
    """
    rows = events[["group", "n_events", "person_time"]].astype({"group": object})
    if len(rows) > 1:
        rows.loc[len(rows)] = ["overall", rows["n_events"].sum(), rows["person_time"].sum()]
    x = rows["n_events"].astype(float)
    time = rows["person_time"].where(rows["person_time"] > 0).astype(float)
    alpha = (1 - level) / 2
    lower = stats.gamma.ppf(alpha, x.where(x > 0, 1.0))  # a gamma of shape 0 is a point at 0
    empty = [NO_TIME.format(group) for group in rows["group"]]
    return rows.assign(
        rate=per * x / time,
        ci_low=per * np.where(x > 0, lower, 0.0) / time,
        ci_high=per * stats.gamma.isf(alpha, x + 1) / time,
        method="events per person-time, exact Poisson interval",
        note=np.where(time.isna(), empty, ""),
    )


def compare_rates(events, reference=None, level=0.95):
    """Ratio of two rates with exact interval and test, for every pair of arms.

    Given the sum of the two counts, the first is binomial: the interval is Clopper-Pearson's, transformed.

    Parameters
    ----------
    events : DataFrame, one row per arm: `group`, `n_events`, `person_time`
    reference : arm id, optional

    Returns
    -------
    DataFrame, one row per pair `x vs y`: `group`, `ratio` (x / y), `ci_low`, `ci_high`, `p_value`,
    `p_adjusted` (Holm), `method`, `note`; an infinite value is NaN with a note
        R: ``poisson.test(c(x, y), c(time_x, time_y))``
    """
    arms = events.set_index("group")
    rows = [
        {"group": name_pair(x, y)} | _ratio(arms.loc[x], arms.loc[y], level)
        for x, y in arm_pairs(arms.index, reference)
    ]
    pairs = pd.DataFrame(rows, columns=["group", "ratio", "ci_low", "ci_high", "p_value", "note"])
    pairs.insert(5, "p_adjusted", adjust_holm(pairs["p_value"]))
    pairs.insert(6, "method", "rate ratio, exact conditional interval and test, Holm over the pairs")
    return pairs


def _ratio(x, y, level):
    """Ratio, limits and p-value of one pair; what is infinite or undefined is NaN with the reason."""
    empty = " and ".join(str(arm.name) for arm in (x, y) if not arm["person_time"] > 0)
    if empty:
        return {"note": NO_TIME.format(empty)}
    total = int(x["n_events"] + y["n_events"])
    if total == 0:
        return {"ci_low": 0.0, "p_value": 1.0, "note": "not estimable: no event in either arm"}
    share = x["person_time"] / (x["person_time"] + y["person_time"])
    test = stats.binomtest(int(x["n_events"]), total, share)
    time_ratio = y["person_time"] / x["person_time"]
    values = [test.statistic, *clopper_pearson(int(x["n_events"]), total, level)]
    ratio, low, high = (p / (1 - p) * time_ratio if p < 1 else np.nan for p in values)
    note = "" if y["n_events"] else f"ratio and upper limit are infinite: no event in {y.name}"
    return {"ratio": ratio, "ci_low": low, "ci_high": high, "p_value": test.pvalue, "note": note}
