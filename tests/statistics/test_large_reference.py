"""Numbers of 2,000 to 1,000,000 patients against R: expected/large.json (large.R); the small ones stand beside each module.

Ways that only pay at such sizes are held against the plain ones at small sizes too.
"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_data import load_expected, numbers
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from lib.statistics import intervals, proportions, ranks, rates
from lib.statistics.second_engine import ranks as second_engine_ranks
from lib.statistics.second_engine import shares
from lib.statistics.survival import competing, kaplan_meier, rmst

LARGE = load_expected("large")
DRAWN = settings(deadline=None)
ARMS = ["a", "b", "c"]
LIMITS = ["ci_low", "ci_high"]


def sequence(seed, n):
    """Whole numbers below 2^53 throughout: the same in R."""
    states = np.empty(n)
    for i in range(n):
        seed = 16807 * seed % 2147483647
        states[i] = seed
    return states / 2147483647


@pytest.fixture(scope="module", params=LARGE["patients"], ids=lambda case: str(case["n"]))
def case(request):
    """patients() of large.R, and what R gives for them."""
    n = request.param["n"]
    u = sequence(n, 8 * n).reshape(8, n)
    arm = np.floor(3 * u[0])
    begun, censored = 1 + np.floor(3000 * u[1] * u[1] * (1 + 0.1 * arm)), 1 + np.floor(3000 * u[2])
    frame = pd.DataFrame({
        "arm": arm, "time": np.minimum(begun, censored),
        "cause": np.where(begun <= censored, np.where(u[3] < 0.3, 2, 1), 0),
        "score": np.floor(100 * (u[4] - u[5] + 0.02 * arm)), "fine": np.floor(1e9 * (u[6] - u[7] * u[4] + 0.01 * arm)),
        "before": u[4] < 0.4, "after": u[5] < 0.41,
    })  # fmt: skip
    assert frame.sum().tolist() == request.param["sums"]
    frame["arm"] = pd.Categorical(frame["arm"].map(dict(enumerate(ARMS))), ARMS, ordered=True)
    return frame.assign(event=frame["cause"] > 0), request.param


def counts_of(count, n):
    return pd.DataFrame({"group": ARMS[: len(n)], "count": count, "n": n}).astype({"count": int, "n": int})


@pytest.mark.parametrize("expected", LARGE["shares"], ids=lambda e: f"{e['count']}/{e['n']}")
def test_limits_of_a_share(expected):
    """binom.test(count, n)$conf.int; prop.test(count, n, correct = FALSE)$conf.int"""
    found = proportions.estimate_proportion(counts_of([expected["count"]], [expected["n"]])).iloc[0]
    assert_allclose(found[LIMITS].astype(float), expected["limits"], rtol=1e-8)
    wilson = proportion_confint(expected["count"], expected["n"], method="wilson")  # what newcombe() is made of
    assert_allclose(wilson, expected["wilson"], rtol=1e-8, atol=1e-15)


@pytest.mark.parametrize("expected", LARGE["pairs"], ids=lambda e: f"{e['count']}/{e['n']}")
def test_two_shares(expected):
    """conditional() (fisher.test, solved to 1e-20), limits() (Miettinen-Nurminen) and newcombe() of large.R"""
    counts = counts_of(expected["count"], expected["n"])
    ratio = proportions.estimate_odds_ratio(counts, reference="b").iloc[0]
    assert_allclose(ratio[["odds_ratio", *LIMITS]].astype(float), numbers(expected["odds_ratio"]), rtol=1e-8)
    for interval, name in (("miettinen-nurminen", "score"), ("newcombe", "newcombe")):
        found = proportions.estimate_risk_difference(counts, reference="b", interval=interval).iloc[0]
        assert_allclose(found[LIMITS].astype(float), expected[name], rtol=1e-8)


@pytest.mark.parametrize("expected", LARGE["ratios"], ids=lambda e: f"{e['n_events']}/{e['time']}")
def test_rates_and_their_ratio(expected):
    """poisson.test(n_events, time), of one arm and of two"""
    events = pd.DataFrame({"group": ARMS[:2], "n_events": expected["n_events"], "person_time": expected["time"]})
    assert_allclose(rates.estimate_rate(events)[LIMITS].iloc[:2], expected["rates"], rtol=1e-8)
    found = rates.compare_rates(events, reference="b").iloc[0]
    assert_allclose(found[["ratio", *LIMITS]].astype(float), [expected["ratio"], *expected["limits"]], rtol=1e-8)
    assert found["p_value"] == pytest.approx(expected["p"], rel=1e-6, abs=1e-300)


def test_survival(case):
    """survfit(Surv(time, event) ~ arm, conf.type = "log-log"): summary at 100 and 700 days, and of the table"""
    tte, expected = case
    found = kaplan_meier.estimate_landmark(tte, [100, 700]).sort_values(["group", "time"])
    for column, name in (
        ("survival", "surv"),
        ("std_err", "std_err"),
        ("ci_low", "low"),
        ("ci_high", "high"),
        ("n_risk", "n_risk"),
    ):
        assert_allclose(found[column], expected["curve"][name], rtol=1e-9)
    assert_allclose(kaplan_meier.estimate_median(tte)[["median", *LIMITS]], expected["median"], rtol=1e-12)


def test_restricted_means(case):
    """summary(survfit(Surv(time, event) ~ arm), rmean = 1000)$table; the difference by the normal distribution"""
    tte, expected = case
    assert_allclose(rmst.estimate_rmst(tte, 1000)[["estimate", "std_err"]], expected["rmst"], rtol=1e-9)
    found = rmst.compare_rmst(tte, "a", 1000).query("contrast == 'difference'").iloc[0]
    assert_allclose(
        found[["estimate", "std_err", *LIMITS, "p_value"]].astype(float), expected["rmst_difference"], rtol=1e-8
    )


def test_gray(case):
    """cuminc(time, cause, arm)$Tests; its p-value is 1 - pchisq, so 0 below 1e-16"""
    tte, expected = case
    found = competing.compare_gray(tte).iloc[0]
    assert [found["chisq"], found["df"]] == pytest.approx([expected["gray"][0], expected["gray"][2]], rel=1e-9)
    assert found["p_value"] == pytest.approx(expected["gray"][1], rel=1e-6, abs=1e-15)


def test_ranks(case):
    """kruskal.test(score ~ arm); wilcox.test(x, exact = FALSE); wilcox.test(x, y, exact = FALSE)"""
    frame, expected = case
    overall = ranks.compare_ranks(frame, "score").iloc[0]
    assert_allclose(overall[["chisq", "df", "p_value"]].astype(float), expected["kruskal"], rtol=1e-8)
    change = ranks.estimate_change(frame, "score").set_index("group").loc["b"]
    assert_allclose(change[["statistic", "p_value"]].astype(float), expected["signed_rank"], rtol=1e-8)
    shift = ranks.estimate_shift(frame, "score").set_index("group").loc["b vs a"]
    assert shift["p_value"] == pytest.approx(expected["rank_sum"], rel=1e-8)


def test_shifts_with_ties(case):
    """shift() of large.R: all sums of two distinct values, each as often as it occurs"""
    frame, expected = case
    change = ranks.estimate_change(frame, "score").set_index("group").loc["b"]
    assert change[["estimate", *LIMITS]].tolist() == expected["change"]
    shift = ranks.estimate_shift(frame, "score").set_index("group").loc["b vs a"]
    assert shift[["difference", *LIMITS]].tolist() == expected["shift"]


def test_shifts_without_ties(case):
    """wilcox.test(x, y, exact = FALSE, correct = FALSE, conf.int = TRUE, tol.root = 1e-3), which searches where it is 0

    It stops at a sum beside the one counted to, or between the two: good to a few of their distances, which are a part
    in 100,000 of the spread (1e9) at 2,000 patients and one whole number at 200,000.
    """
    frame, expected = case
    near = 6e10 / len(frame) ** 2
    change = ranks.estimate_change(frame, "fine").set_index("group").loc["b"]
    assert_allclose(change[["estimate", *LIMITS]].astype(float), expected["fine_change"], rtol=0, atol=near)
    shift = ranks.estimate_shift(frame, "fine").set_index("group").loc["b vs a"]
    assert_allclose(shift[["difference", *LIMITS]].astype(float), expected["fine_shift"], rtol=0, atol=near)


def test_mcnemar(case):
    """binom.test(gained, gained + lost)$p.value"""
    frame, expected = case
    found = proportions.compare_paired_proportions(frame, "before", "after").iloc[-1]
    assert_allclose(found[["n_gained", "n_lost", "p_value"]].astype(float), expected["mcnemar"], rtol=1e-8)


# Values of every size, with ties, and sums that rounding makes alike.
values = st.lists(
    st.one_of(st.integers(-4, 4).map(float), st.floats(-1e15, 1e15), st.sampled_from([0.1, 0.2, 0.3, 1e-9])),
    min_size=1,
    max_size=12,
)


@DRAWN
@given(values, values)
def test_a_sum_is_found_as_in_the_list_of_all(x, y):
    x, y = np.sort(x), np.sort(y)
    listed = np.sort((x[:, None] + y).ravel())
    assert [ranks._find_sum(x, y, k) for k in range(len(listed))] == listed.tolist()
    listed = np.sort((x[:, None] + x)[np.triu_indices(len(x))])
    assert [ranks._find_sum(x, x, k, once=True) for k in range(len(listed))] == listed.tolist()


@DRAWN
@given(values, values, st.integers(1, 25))
def test_shifts_that_are_searched_are_those_that_are_listed(x, y, times):
    """And both are those of the second engine; up to where there are too many values to count the exact distribution."""
    x, y = np.array(x * times), np.array(y)
    found = []
    for most in (10**9, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ranks, "MOST_LISTED", most)
            found.append([*ranks._two_sample_shift(x, y, 0.95), *ranks._one_sample_shift(x, 0.95)])
    assert_allclose(found[1], found[0], rtol=0, atol=0)
    two, one = second_engine_ranks.shift(x, y, 0.95), second_engine_ranks.walsh_shift(x[:100], 0.95)
    assert_allclose(found[0][:3], list(two.values()), rtol=1e-15)
    assert_allclose(ranks._one_sample_shift(x[:100], 0.95), list(one.values())[1:], rtol=1e-15)


@pytest.mark.parametrize(("m", "n"), [(1, 150), (150, 1), (1, 5000), (2, 200), (3, 200)])
def test_one_value_against_many_has_no_limits(m, n):
    """The normal depth is below 1: no sum stands there, whatever the size of the other arm."""
    frame = pd.DataFrame({"arm": pd.Categorical(["x"] * m + ["y"] * n), "value": np.arange(m + n, dtype=float)})
    found = ranks.estimate_shift(frame, "value").iloc[0]
    depth = int(m * n / 2 - stats.norm.ppf(0.975) * np.sqrt(m * n * (m + n + 1) / 12))
    assert np.isnan(found["ci_low"]) == np.isnan(found["ci_high"]) == (depth < 1)
    assert (found["note"] != "") == (depth < 1)
    assert not found["ci_low"] > found["difference"]


@st.composite
def two_arms(draw, most=60):
    n, m = draw(st.integers(1, most)), draw(st.integers(1, most))
    return draw(st.integers(0, n)), n, draw(st.integers(0, m)), m


@DRAWN
@given(two_arms())
def test_conditional_odds_ratio_is_that_of_scipy(arms):
    x, n, y, m = arms
    if 0 < x + y < n + m:
        other = stats.contingency.odds_ratio([[x, n - x], [y, m - y]], kind="conditional")
        found = intervals.conditional_odds_ratio(x, n, y, m)
        assert_allclose(found, [other.statistic, *other.confidence_interval(0.95)], rtol=1e-7)


@DRAWN
@given(two_arms(), st.sampled_from([1, 10, 1000]))
def test_score_limits_are_those_of_the_second_engine(arms, more):
    x, n, y, m = arms
    found = intervals.miettinen_nurminen(x, n * more, y, m * more)
    assert_allclose(found, shares.score_interval(x, n * more, y, m * more, 0.95), rtol=1e-9, atol=1e-12)


@DRAWN
@given(two_arms(2000))
def test_score_limits_of_the_others_are_the_same_with_the_other_sign(arms):
    x, n, y, m = arms
    low, high = intervals.miettinen_nurminen(x, n, y, m)
    assert intervals.miettinen_nurminen(n - x, n, m - y, m) == pytest.approx((-high, -low), rel=1e-9, abs=1e-12)
    assert intervals.miettinen_nurminen(y, m, x, n) == pytest.approx((-high, -low), rel=1e-9, abs=1e-12)


@DRAWN
@given(
    st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.sampled_from([0.8, 0.95, 0.999])
)
def test_limits_of_a_share_are_those_of_scipy(share, level):
    other = stats.binomtest(*share).proportion_ci(level, method="exact")
    assert_allclose(intervals.clopper_pearson(*share, level), [other.low, other.high], rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("expected", LARGE["pairs"], ids=lambda e: f"{e['count']}/{e['n']}")
def test_second_engine_of_shares(expected):
    """binom.test, conditional() and limits() of large.R: a second engine that is less exact would stop a report."""
    (x, y), (n, m) = expected["count"], expected["n"]
    assert_allclose(shares.score_interval(x, n, y, m, 0.95), expected["score"], rtol=1e-6)
    found = list(shares.odds_ratio(x, n, y, m, 0.95).values())
    assert_allclose(found, numbers(expected["odds_ratio"]), rtol=1e-7)


def test_second_engine_of_limits_and_of_many_changes(case):
    """binom.test(count, n)$conf.int; binom.test(gained, gained + lost)$p.value"""
    for one in LARGE["shares"]:
        found = shares.share(one["count"], one["n"], 0.95)
        assert_allclose([found["ci_low"], found["ci_high"]], one["limits"], rtol=1e-8)
    gained, lost, p_value = case[1]["mcnemar"]
    assert shares.mcnemar_p(gained, lost) == pytest.approx(p_value, rel=1e-8)
