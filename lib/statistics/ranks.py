"""Rank tests: change within arms (signed rank), difference between arms (rank sum, Kruskal-Wallis, Dunn).

Exact distributions come from counting, with ties and zeros as they are: scipy 1.17.1 `wilcoxon` silently
turns to a normal approximation without correction when there are ties, and its "exact" is wrong then.
Hodges-Lehmann estimates take the same null distribution. Models of repeated values live in models.mixed.
"""

__all__ = ["compare_ranks", "compare_ranks_pairwise", "estimate_change", "estimate_shift", "signed_rank_p"]

import numpy as np
import pandas as pd
from scipy import stats

from lib.statistics.comparisons import adjust_holm, arm_pairs, name_pair, ordered_levels

# Above these numbers of values counting takes seconds and the normal approximation is as good.
SIGNED_RANK_LIMIT = 300
RANK_SUM_LIMIT = 120
# Sums or differences of two values that are listed, in 100 MB; among more, the few that are needed are searched for.
MOST_LISTED = 4_000_000
TOO_FEW = "no interval: too few values for this confidence level"


def estimate_change(frame, value, arm="arm", level=0.95):
    """Change from baseline within each arm: Hodges-Lehmann estimate and exact signed-rank test.

    Unchanged patients are left out of the test. The estimate and its interval keep them: they are evidence for 0,
    not missing.

    Parameters
    ----------
    frame : DataFrame, one row per patient
    value : str
        Column of changes (after - before, or any value that is compared with 0); missing values are left out.
    arm : str

    Returns
    -------
    DataFrame, one row per arm: `group`, `n`, `n_missing`, `n_zero`, `median`, `estimate` (median of the Walsh
    averages), `ci_low`, `ci_high`, `statistic` (sum of the positive ranks), `p_value`, `method`, `note`
        R: ``exactRankTests::wilcox.exact(x)``; interval ``wilcox.test(x, exact = TRUE, conf.int = TRUE)``

    References
    ----------
    Hollander M, Wolfe DA. Nonparametric Statistical Methods, sections 3.1-3.3. With ties the interval covers
    at least as often as it says: Noether GE. J Am Stat Assoc 1967;62:184.
    """
    rows = []
    for group in ordered_levels(frame[arm]):
        all_values = frame.loc[frame[arm] == group, value].to_numpy(dtype=float)
        x = all_values[~np.isnan(all_values)]
        statistic, p_value, method = signed_rank_p(x)
        estimate, low, high = _one_sample_shift(x, level)
        note = "not estimable: no value" if len(x) == 0 else "no patient changed" if not x.any() else ""
        if not note and np.isnan(low):
            note = TOO_FEW
        counts = {"n": len(x), "n_missing": len(all_values) - len(x), "n_zero": int((x == 0).sum())}
        shift = {"estimate": estimate, "ci_low": low, "ci_high": high}
        test = {"statistic": statistic, "p_value": p_value, "method": method, "note": note}
        median = np.median(x) if len(x) else np.nan
        rows.append({"group": group} | counts | {"median": median} | shift | test)
    return pd.DataFrame(rows)


def signed_rank_p(x):
    """Two-sided Wilcoxon signed-rank test of values against 0; zeros are left out.

    Parameters
    ----------
    x : array of float, shape = (n,), without missing values

    Returns
    -------
    statistic : float
        Sum of the ranks of the positive values.
    p_value : float
        1 if every value is 0, NaN without values.
    method : str
    """
    x = np.asarray(x, dtype=float)
    changed = x[x != 0]
    ranks = stats.rankdata(np.abs(changed))
    statistic = ranks[changed > 0].sum()
    name = "signed-rank test, zeros dropped"
    if len(x) == 0:
        return np.nan, np.nan, f"exact Wilcoxon {name}"
    if len(ranks) <= SIGNED_RANK_LIMIT:
        return statistic, _exact_p(_signed_rank_null(ranks), statistic), f"exact Wilcoxon {name}"
    z = _corrected_z(statistic, ranks.sum() / 2, (ranks**2).sum() / 4)
    return statistic, 2 * stats.norm.sf(z), f"Wilcoxon {name}, normal approximation with correction"


def compare_ranks(frame, value, arm="arm"):
    """Compare all arms at once: Kruskal-Wallis test, with ties.

    Parameters
    ----------
    frame : DataFrame, one row per patient
    value : str

    Returns
    -------
    DataFrame, one row: `group` (overall), `n`, `chisq`, `df`, `p_value`, `method`, `note`
        R: ``kruskal.test(value ~ arm)``
    """
    samples = [x for x in _samples(frame, value, arm).values() if len(x)]
    pooled = np.concatenate([*samples, []])
    note, chisq, df, p_value = "", np.nan, np.nan, np.nan
    if len(samples) < 2:
        note = "not estimable: fewer than two arms with values"
    elif np.ptp(pooled) == 0:
        note = "not estimable: all values are equal"
    else:
        (chisq, p_value), df = stats.kruskal(*samples), len(samples) - 1
    return pd.DataFrame([{
        "group": "overall", "n": len(pooled), "chisq": chisq, "df": df, "p_value": p_value,
        "method": "Kruskal-Wallis test", "note": note,
    }])  # fmt: skip


def compare_ranks_pairwise(frame, value, arm="arm", reference=None):
    """Compare the arms two by two: Dunn's test, two-sided, with Holm's adjustment.

    Parameters
    ----------
    frame : DataFrame, one row per patient
    value : str
    reference : arm id, optional

    Returns
    -------
    DataFrame, one row per pair `x vs y`: `group`, `statistic` (z, positive when x ranks higher), `p_value`,
    `p_adjusted`, `method`, `note`
        R: ``rstatix::dunn_test(value ~ arm, p.adjust.method = "holm")``

    References
    ----------
    Dunn OJ. Technometrics 1964;6:241.
    """
    samples = _samples(frame, value, arm)
    pooled = np.concatenate([*samples.values(), []])
    n, ranks = len(pooled), stats.rankdata(pooled)
    ties = np.unique(pooled, return_counts=True)[1].astype(float)
    variance = n * (n + 1) / 12 - (ties**3 - ties).sum() / (12 * (n - 1)) if n > 1 else 0.0
    ends = np.cumsum([len(x) for x in samples.values()])
    ranks = dict(zip(samples, np.split(ranks, ends[:-1]), strict=True))
    rows = []
    for x, y in arm_pairs(samples, reference):
        empty = " and ".join(str(group) for group in (x, y) if len(samples[group]) == 0)
        note = f"not estimable: no value in {empty}" if empty else ""
        z = np.nan
        if not note and variance <= 1e-9 * n**2:
            note = "not estimable: all values are equal"
        elif not note:
            error = np.sqrt(variance * (1 / len(ranks[x]) + 1 / len(ranks[y])))
            z = (ranks[x].mean() - ranks[y].mean()) / error
        rows.append((name_pair(x, y), z, 2 * stats.norm.sf(abs(z)), note))
    pairs = pd.DataFrame(rows, columns=["group", "statistic", "p_value", "note"])
    pairs.insert(3, "p_adjusted", adjust_holm(pairs["p_value"]))
    pairs.insert(4, "method", "Dunn's test, two-sided, Holm over the pairs")
    return pairs


def estimate_shift(frame, value, arm="arm", reference=None, level=0.95):
    """Difference between two arms: Hodges-Lehmann shift, exact interval, exact rank-sum test.

    Parameters
    ----------
    frame : DataFrame, one row per patient
    value : str
    reference : arm id, optional

    Returns
    -------
    DataFrame, one row per pair `x vs y`: `group`, `difference` (median of all x - y), `ci_low`, `ci_high`,
    `p_value`, `p_adjusted` (Holm), `method`, `note`
        R: ``wilcox.test(x, y, exact = TRUE, conf.int = TRUE)``; p with ties
        ``coin::wilcox_test(value ~ arm, distribution = "exact")``
    """
    samples = _samples(frame, value, arm)
    rows = []
    for x, y in arm_pairs(samples, reference):
        row = {"group": name_pair(x, y), "difference": np.nan, "ci_low": np.nan, "ci_high": np.nan,
               "p_value": np.nan, "method": "Hodges-Lehmann shift, rank-sum test"}  # fmt: skip
        empty = " and ".join(str(group) for group in (x, y) if len(samples[group]) == 0)
        if empty:
            rows.append(row | {"note": f"not estimable: no value in {empty}"})
            continue
        row["difference"], row["ci_low"], row["ci_high"] = _two_sample_shift(samples[x], samples[y], level)
        row["p_value"], row["method"] = _rank_sum_p(samples[x], samples[y])
        rows.append(row | {"note": TOO_FEW if np.isnan(row["ci_low"]) else ""})
    columns = ["group", "difference", "ci_low", "ci_high", "p_value", "method", "note"]
    pairs = pd.DataFrame(rows, columns=columns)
    pairs.insert(5, "p_adjusted", adjust_holm(pairs["p_value"]))
    return pairs


def _samples(frame, value, arm):
    """Values per arm, missing ones left out."""
    known = frame[frame[value].notna()]
    return {group: known.loc[known[arm] == group, value].to_numpy(dtype=float) for group in ordered_levels(frame[arm])}


def _signed_rank_null(ranks):
    """Null distribution of twice the positive rank sum: each rank is in or out with probability 1/2."""
    doubled = np.rint(2 * ranks).astype(int)  # mid-ranks are halves
    null = np.zeros(doubled.sum() + 1)
    null[0] = 1.0
    for rank in doubled:
        shifted = null[: len(null) - rank].copy()
        null /= 2
        null[rank:] += shifted / 2
    return null


def _rank_sum_null(ranks, size):
    """Null distribution of twice the rank sum of a sample of `size`: all choices out of the ranks alike."""
    doubled = np.rint(2 * ranks).astype(int)
    ways = np.zeros((size + 1, np.sort(doubled)[::-1][:size].sum() + 1))
    ways[0, 0] = 1.0
    for rank in doubled:  # numpy reads the right-hand side before it writes: each rank is used once
        ways[1:, rank:] += ways[:-1, : ways.shape[1] - rank].copy()
    return ways[size] / ways[size].sum()


def _exact_p(null, statistic):
    """Two-sided p: probability of being at least as far from the mean as the observed statistic."""
    doubled = np.arange(len(null))
    centre = (doubled * null).sum()
    far = np.abs(doubled - centre) >= np.abs(2 * statistic - centre) - 1e-6
    return float(min(1.0, null[far].sum()))


def _corrected_z(statistic, mean, variance):
    """Distance from the mean in standard deviations, half a step nearer (continuity correction)."""
    return max(abs(statistic - mean) - 0.5, 0.0) / np.sqrt(variance)


def _rank_sum_p(x, y):
    """Two-sided rank-sum p-value and its method; exact unless there are too many values."""
    n, ranks = len(x) + len(y), stats.rankdata(np.r_[x, y])
    statistic, m = ranks[: len(x)].sum(), min(len(x), len(y))
    name = "Hodges-Lehmann shift"
    if np.ptp(ranks) == 0:
        return 1.0, f"{name}, exact interval and rank-sum test"
    if n <= RANK_SUM_LIMIT:
        smaller = statistic if m == len(x) else ranks.sum() - statistic
        return _exact_p(_rank_sum_null(ranks, m), smaller), f"{name}, exact interval and rank-sum test"
    variance = len(x) * len(y) / n * ranks.var(ddof=1)
    p_value = 2 * stats.norm.sf(_corrected_z(statistic, len(x) * (n + 1) / 2, variance))
    return p_value, f"{name}, normal approximation with correction"


def _one_sample_shift(x, level):
    """Median of the Walsh averages and the two of them that bound the interval."""
    n = len(x)
    if n == 0:
        return np.nan, np.nan, np.nan
    if n <= SIGNED_RANK_LIMIT:
        depth = _depth(_signed_rank_null(np.arange(1, n + 1))[::2], level)
    else:
        depth = int(n * (n + 1) / 4 - stats.norm.ppf((1 + level) / 2) * np.sqrt(n * (n + 1) * (2 * n + 1) / 24))
    return tuple(value / 2 for value in _median_and_bounds(x, x, depth, once=True))


def _two_sample_shift(x, y, level):
    """Median of all differences x - y and the two of them that bound the interval."""
    m, n = sorted((len(x), len(y)))
    if m + n <= RANK_SUM_LIMIT:
        depth = _depth(_rank_sum_null(np.arange(1, m + n + 1), m)[m * (m + 1) :: 2], level)
    else:
        depth = int(m * n / 2 - stats.norm.ppf((1 + level) / 2) * np.sqrt(m * n * (m + n + 1) / 12))
    return _median_and_bounds(x, -y, depth)


def _depth(null, level):
    """Smallest k of which P(<= k) is at least half of what the level leaves."""
    return int(np.searchsorted(np.cumsum(null), (1 - level) / 2 * (1 - 1e-12)))


def _median_and_bounds(x, y, depth, once=False):
    """Median of all sums of a value of `x` and one of `y`, and the two at a depth from either end; NaN at depth 0.

    `once` is for two values of one sample, whose order does not count.
    """
    x, y = np.sort(x), np.sort(y)
    size = len(x) * (len(x) + 1) // 2 if once else len(x) * len(y)
    middle = [(size - 1) // 2, size // 2]
    ends = [depth - 1, size - depth] if depth > 0 else []
    if size <= MOST_LISTED:
        sums = x[:, None] + y
        values = np.sort(sums[np.triu_indices(len(x))] if once else sums.ravel())[middle + ends]
    else:
        found = {position: _find_sum(x, y, position, once) for position in {*middle, *ends}}
        values = np.array([found[position] for position in middle + ends])
    low, high = values[2:] if ends else (np.nan, np.nan)
    return values[:2].mean(), low, high


def _find_sum(x, y, position, once=False):
    """Sum at a position from 0 on in ascending order, without a list of all; `x` and `y` are in ascending order.

    The sums in question are halved by counting those up to the value in the middle of them, as of each value of `x`
    the first few of `y` make them.
    """
    low, high = x[0] + y[0], x[-1] + y[-1]
    least, most = np.zeros(len(x), dtype=np.int64), np.full(len(x), len(y))
    before = np.arange(len(x)) if once else 0  # these have been counted with an earlier value
    while low < high:
        middle = min(low + (high - low) / 2, np.nextafter(high, low))
        reach = _count_up_to(middle, x, y, least, most)
        if np.maximum(reach - before, 0).sum() > position:
            most, some = reach, reach > 0
            high = (x[some] + y[reach[some] - 1]).max()
        else:
            least, some = reach, reach < len(y)
            low = (x[some] + y[reach[some]]).min()
    return low


def _count_up_to(value, x, y, least, most):
    """For each of `x`, with how many of `y` its sum is no larger than a value; known to be from `least` to `most`."""
    while (least < most).any():
        middle = (least + most + 1) // 2
        fits = x + y[middle - 1] <= value
        least, most = np.where(fits, middle, least), np.where(fits, most, middle - 1)
    return least
