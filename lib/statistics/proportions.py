"""Proportions of patients by arm: exact intervals, exact tests, risk differences, odds ratios.

One frame goes in everywhere: `counts`, one row per arm in study order, columns `group`, `count` (patients
with the outcome) and `n` (patients assessed). `count_outcome` makes it from patients. The enumeration behind
the exact test lives in contingency, adjusted odds ratios in models.logistic, rates per person-time in rates.
"""

__all__ = [
    "compare_categories",
    "compare_paired_proportions",
    "compare_proportions",
    "compare_proportions_pairwise",
    "compare_trend",
    "count_outcome",
    "estimate_odds_ratio",
    "estimate_proportion",
    "estimate_risk_difference",
]

import numpy as np
import pandas as pd
from scipy import stats

from lib.statistics.comparisons import adjust_holm, arm_pairs, name_pair, ordered_levels
from lib.statistics.contingency import chi_square, exact_test
from lib.statistics.intervals import clopper_pearson, conditional_odds_ratio, miettinen_nurminen, newcombe

EMPTY_ARM = "not estimable: no patient in {}"
ONE_ARM = "not estimable: fewer than two arms with patients"


def count_outcome(patients, outcome, arm="arm"):
    """Count the patients with an outcome, per arm.

    Parameters
    ----------
    patients : DataFrame, one row per patient
    outcome : str
        Column of bool (True = has the outcome); a missing value leaves the patient out of `n`.
    arm : str
        Column of arm ids; an ordered Categorical gives the study order.

    Returns
    -------
    DataFrame, one row per arm: `group`, `count`, `n`, `n_missing`
    """
    rows, arms, values = [], patients[arm].to_numpy(dtype=object), patients[outcome]
    known = values.notna().to_numpy()
    having = values.where(known, False).to_numpy(dtype=bool)
    for group in ordered_levels(patients[arm]):
        own = arms == group
        n = int((own & known).sum())
        rows.append((group, int((own & having).sum()), n, int(own.sum()) - n))
    return pd.DataFrame(rows, columns=["group", "count", "n", "n_missing"])


def estimate_proportion(counts, level=0.95):
    """Proportion with the Clopper-Pearson interval, per arm and over all arms.

    Parameters
    ----------
    counts : DataFrame, one row per arm: `group`, `count`, `n`
    level : float

    Returns
    -------
    DataFrame, one row per arm and one `overall` (if there are several arms): `group`, `count`, `n`,
    `proportion`, `ci_low`, `ci_high`, `method`, `note`
        R: ``binom.test(count, n)$conf.int``
    """
    rows = [(group, int(count), int(n)) for group, count, n in zip(counts["group"], counts["count"], counts["n"], strict=True)]
    if len(rows) > 1:
        rows.append(("overall", sum(count for _, count, _ in rows), sum(n for *_, n in rows)))
    found = [(group, count, n, count / n if n else np.nan, *clopper_pearson(count, n, level),
              "proportion, exact Clopper-Pearson interval", "" if n else EMPTY_ARM.format(group))
             for group, count, n in rows]  # fmt: skip
    columns = ["group", "count", "n", "proportion", "ci_low", "ci_high", "method", "note"]
    return pd.DataFrame(found, columns=columns)


def compare_proportions(counts):
    """Compare the proportions of all arms at once: exact test and Pearson's chi-square.

    Parameters
    ----------
    counts : DataFrame, one row per arm: `group`, `count`, `n`

    Returns
    -------
    DataFrame, one row per test; columns as in `compare_categories`
    """
    return compare_categories(_two_by_k(counts))


def compare_categories(table):
    """Compare a categorical outcome between arms: Fisher-Freeman-Halton test and Pearson's chi-square.

    Parameters
    ----------
    table : DataFrame or array of int, shape = (n_categories, n_arms)

    Returns
    -------
    DataFrame, two rows (exact, chi-square): `group` (overall), `chisq`, `df`, `p_value`, `mc_error`
    (0 unless random tables were drawn), `method`, `note`
        R: ``fisher.test(table)`` and ``chisq.test(table, correct = FALSE)``
    """
    table = np.asarray(table)
    n_arms = int((table.sum(axis=0) > 0).sum())
    one_category = "all patients have the same outcome: only one table is possible"
    note = ONE_ARM if n_arms < 2 else one_category if (table.sum(axis=1) > 0).sum() < 2 else ""
    exact, (chisq, df, p_value) = exact_test(table), chi_square(table)
    rows = [
        (np.nan, np.nan, exact.p_value if n_arms > 1 else np.nan, exact.mc_error, exact.method, note),
        (chisq, df, p_value, 0.0, "Pearson chi-square test without continuity correction", note),
    ]
    frame = pd.DataFrame(rows, columns=["chisq", "df", "p_value", "mc_error", "method", "note"])
    frame.insert(0, "group", "overall")
    return frame


def compare_proportions_pairwise(counts, reference=None):
    """Compare the arms two by two: Fisher's exact test with Holm's adjustment over the pairs.

    Parameters
    ----------
    counts : DataFrame, one row per arm: `group`, `count`, `n`
    reference : arm id, optional
        The arm that the others are compared with first; by default the first in study order.

    Returns
    -------
    DataFrame, one row per pair `x vs y`: `group`, `p_value`, `p_adjusted`, `method`, `note`
        R: ``fisher.test(table)$p.value``, ``p.adjust(p, "holm")``
    """

    def test(x, y):
        p_value = exact_test(_table([x, y])).p_value
        note = "" if 0 < x["count"] + y["count"] < x["n"] + y["n"] else "all patients of both arms have the same outcome"
        return {"p_value": p_value, "note": note}

    frame = _per_pair(counts, reference, test, "Fisher's exact test, Holm over the pairs", ["p_value"])
    frame.insert(2, "p_adjusted", adjust_holm(frame["p_value"]))
    return frame


def compare_trend(counts):
    """Compare the proportions of arms in their order: the Cochran-Armitage test, arms scored 1, 2, 3 and so on.

    Parameters
    ----------
    counts : DataFrame, one row per arm in order: `group`, `count`, `n`

    Returns
    -------
    DataFrame, one row: `group` (overall), `statistic` (z; above 0: more along the order), `chisq`, `df`, `p_value`, `method`, `note`
        R: ``prop.trend.test(count, n)``
    """
    count, n = counts["count"].to_numpy(float), counts["n"].to_numpy(float)
    score, total, share = np.arange(1.0, len(n) + 1), n.sum(), count.sum() / max(n.sum(), 1)
    away = score - (n @ score) / max(total, 1)
    variance = share * (1 - share) * (n @ away**2)
    values = dict.fromkeys(("statistic", "chisq", "df", "p_value"), np.nan)
    if (n > 0).sum() < 2:
        note = ONE_ARM
    elif not 0 < count.sum() < total:
        note = "not estimable: all patients have the same outcome"
    else:
        z, note = float(away @ count / np.sqrt(variance)), ""
        values = {"statistic": z, "chisq": z**2, "df": 1.0, "p_value": stats.chi2.sf(z**2, 1)}
    return pd.DataFrame([{"group": "overall"} | values | {"method": "Cochran-Armitage test for trend", "note": note}])


def estimate_risk_difference(counts, reference=None, interval="miettinen-nurminen", level=0.95):
    """Difference of two proportions with a score interval, for every pair of arms.

    Parameters
    ----------
    counts : DataFrame, one row per arm: `group`, `count`, `n`
    reference : arm id, optional
    interval : {"miettinen-nurminen", "newcombe"}

    Returns
    -------
    DataFrame, one row per pair `x vs y` (x - y): `group`, `difference`, `ci_low`, `ci_high`, `method`, `note`

    Raises
    ------
    ValueError
        If `interval` is unknown.
    """
    functions = {"miettinen-nurminen": miettinen_nurminen, "newcombe": newcombe}
    if interval not in functions:
        raise ValueError(f"interval must be one of {sorted(functions)}, but found {interval!r}")

    def estimate(x, y):
        low, high = functions[interval](x["count"], x["n"], y["count"], y["n"], level)
        return {"difference": x["count"] / x["n"] - y["count"] / y["n"], "ci_low": low, "ci_high": high}

    method = f"risk difference, {interval.title()} score interval"
    return _per_pair(counts, reference, estimate, method, ["difference", "ci_low", "ci_high"])


def estimate_odds_ratio(counts, reference=None, level=0.95):
    """Conditional maximum-likelihood odds ratio with its exact interval, for every pair of arms.

    Parameters
    ----------
    counts : DataFrame, one row per arm: `group`, `count`, `n`
    reference : arm id, optional

    Returns
    -------
    DataFrame, one row per pair `x vs y`: `group`, `odds_ratio`, `ci_low`, `ci_high`, `method`, `note`; an
    infinite value is NaN with a note
        R: ``fisher.test(table)``, whose ``uniroot`` tolerance of 1e-4 leaves it good to 3 digits only.
    """

    def estimate(x, y):
        if not 0 < x["count"] + y["count"] < x["n"] + y["n"]:
            return {"note": "not estimable: all patients of both arms have the same outcome"}
        odds_ratio, low, high = conditional_odds_ratio(x["count"], x["n"], y["count"], y["n"], level)
        values = {"odds_ratio": odds_ratio, "ci_low": low, "ci_high": high}
        note = "no upper limit: a cell of the table is zero" if np.isinf(high) else ""
        return {k: np.nan if np.isinf(v) else v for k, v in values.items()} | {"note": note}

    method = "conditional odds ratio, exact interval"
    return _per_pair(counts, reference, estimate, method, ["odds_ratio", "ci_low", "ci_high"])


def compare_paired_proportions(patients, before, after, arm="arm"):
    """Exact McNemar test of an outcome at two times in the same patients, per arm and over all.

    Parameters
    ----------
    patients : DataFrame, one row per patient
    before, after : str
        Columns of bool (True = has the outcome); patients with one of them missing are left out.

    Returns
    -------
    DataFrame, one row per arm and one `overall`: `group`, `n`, `n_missing`, `n_gained`, `n_lost`,
    `difference` (after - before), `p_value`, `method`, `note`
        R: ``binom.test(n_gained, n_gained + n_lost)``
    """
    arms = ordered_levels(patients[arm])
    parts = [(group, patients[patients[arm] == group]) for group in arms]
    if len(arms) > 1:
        parts.append(("overall", patients[patients[arm].notna()]))
    rows = []
    for group, part in parts:
        known = part[[before, after]].dropna().astype(bool)
        gained = int((~known[before] & known[after]).sum())
        lost = int((known[before] & ~known[after]).sum())
        n, changed = len(known), gained + lost
        note = EMPTY_ARM.format(group) if n == 0 else "" if changed else "no patient changed"
        p_value = stats.binomtest(gained, changed).pvalue if changed else 1.0 if n else np.nan
        difference = (gained - lost) / n if n else np.nan
        rows.append((group, n, len(part) - n, gained, lost, difference, p_value, note))
    columns = ["group", "n", "n_missing", "n_gained", "n_lost", "difference", "p_value", "note"]
    frame = pd.DataFrame(rows, columns=columns)
    frame.insert(len(columns) - 1, "method", "exact McNemar test (binomial on the patients who changed)")
    return frame


def _per_pair(counts, reference, estimate, method, columns):
    """One row per pair of arms; a pair with an empty arm has NaN and the reason."""
    arms = {group: {"count": int(count), "n": int(n)} for group, count, n in zip(counts["group"], counts["count"], counts["n"], strict=True)}
    rows = []
    for x, y in arm_pairs(arms, reference):
        empty = " and ".join(str(group) for group in (x, y) if arms[group]["n"] == 0)
        values = {"note": EMPTY_ARM.format(empty)} if empty else estimate(arms[x], arms[y])
        rows.append({"group": name_pair(x, y), "method": method, "note": ""} | values)
    return pd.DataFrame(rows, columns=["group", *columns, "method", "note"])


def _two_by_k(counts):
    """Table with the patients who have the outcome in the first row, the others in the second."""
    return np.array([counts["count"], counts["n"] - counts["count"]], dtype=np.int64)


def _table(arms):
    """Two-row table of a few arms, as `_two_by_k`."""
    return _two_by_k(pd.DataFrame(list(arms)))
