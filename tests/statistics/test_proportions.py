"""Proportions against R: expected/small_samples.json and proportions.json (proportions.R)."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_data import load_expected, numbers

from lib.statistics import proportions
from lib.statistics.comparisons import adjust_holm, arm_pairs
from lib.statistics.second_engine import shares

DRAWN = settings(deadline=None)
ARMS = ["a", "b", "c"]
RESPONSE = load_expected("small_samples")["response"]


def counts_of(count, n, arms=None):
    return pd.DataFrame({"group": arms or ARMS[: len(n)], "count": count, "n": n})


@st.composite
def some_counts(draw, arms=3, least=0, most=40):
    n = draw(st.lists(st.integers(least, most), min_size=arms, max_size=arms))
    return counts_of([draw(st.integers(0, size)) for size in n], n)


@pytest.mark.parametrize("case", RESPONSE)
def test_clopper_pearson_equals_r(case):
    """binom.test(x, n)$conf.int"""
    frame = proportions.estimate_proportion(counts_of(case["responders"], case["n"]))
    assert_allclose(frame[["ci_low", "ci_high"]][:3], case["clopper_pearson"], rtol=1e-9, atol=1e-12)
    assert frame.group.tolist() == [*ARMS, "overall"]
    assert frame["count"].iloc[-1] == sum(case["responders"])


@pytest.mark.parametrize("case", RESPONSE)
def test_overall_tests_equal_r(case):
    """fisher.test(t)$p.value; chisq.test(t, correct = FALSE)$p.value"""
    exact, chi = proportions.compare_proportions(counts_of(case["responders"], case["n"])).p_value
    assert_allclose(exact, case["fisher"], rtol=1e-6)
    assert_allclose(chi, numbers(case["chisq"])[0], rtol=1e-6)


@pytest.mark.parametrize("case", RESPONSE)
def test_pairs_equal_r(case):
    """fisher.test on two columns; newcombe() and miettinen_nurminen() of reference_small.R"""
    counts = counts_of(case["responders"], case["n"])
    order = [name.replace("-", " vs ") for name in case["pair"]]
    fisher = proportions.compare_proportions_pairwise(counts).set_index("group").loc[order]
    assert_allclose(fisher.p_value, case["pair_fisher"], rtol=1e-6)
    assert_allclose(fisher.p_adjusted, adjust_holm(case["pair_fisher"]), rtol=1e-6)
    newcombe = proportions.estimate_risk_difference(counts, interval="newcombe")
    newcombe = newcombe.set_index("group").loc[order]
    assert_allclose(newcombe[["difference", "ci_low", "ci_high"]], case["newcombe"], rtol=1e-6, atol=1e-9)
    score = proportions.estimate_risk_difference(counts).set_index("group").loc[order]
    assert_allclose(score[["ci_low", "ci_high"]], case["miettinen_nurminen"], rtol=1e-6, atol=1e-8)


def test_fisher_conditional_odds_ratio_equals_tight_r():
    """conditional() of proportions.R: the equations of fisher.test, solved to 1e-14"""
    for case in load_expected("proportions")["odds_ratio"]:
        row = proportions.estimate_odds_ratio(counts_of(case["count"], case["n"]), reference="b").iloc[0]
        found = row[["odds_ratio", "ci_low", "ci_high"]].astype(float)
        assert_allclose(found, numbers(case["value"]), rtol=1e-6)
        assert row.group == "a vs b"
        assert (row.note != "") == bool(np.isnan(found).any())


def test_mcnemar_equals_r():
    """binom.test(gained, gained + lost)$p.value"""
    for case in load_expected("proportions")["mcnemar"]:
        before, after = np.array(case["before"], dtype=bool), np.array(case["after"], dtype=bool)
        patients = pd.DataFrame({"arm": "a", "before": before, "after": after})
        row = proportions.compare_paired_proportions(patients, "before", "after").iloc[0]
        assert (row.n_gained, row.n_lost) == (case["gained"], case["lost"])
        assert_allclose(row.p_value, case["p"], rtol=1e-9)


def test_patients_are_counted_with_missing_apart():
    arm = pd.Categorical(["a", "a", "b", "b", "b"], categories=ARMS, ordered=True)
    patients = pd.DataFrame({"arm": arm, "response": [True, None, False, True, True]})
    counts = proportions.count_outcome(patients, "response")
    assert counts.to_dict("list") == {
        "group": ARMS, "count": [1, 2, 0], "n": [1, 3, 0], "n_missing": [1, 0, 0],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("count", "n", "reason"),
    [
        ([3, 0], [5, 0], "no patient in b"),
        ([0, 0], [5, 6], "same outcome"),
        ([5, 6], [5, 6], "same outcome"),
        ([0, 0], [0, 0], "no patient in b and a"),
    ],
)
def test_what_does_not_exist_is_nan_with_a_reason(count, n, reason):
    row = proportions.estimate_odds_ratio(counts_of(count, n)).iloc[0]
    assert np.isnan(row.odds_ratio)
    assert reason in row.note


def test_one_arm_has_an_interval_and_no_comparison():
    counts = counts_of([3], [9])
    assert len(proportions.estimate_proportion(counts)) == 1
    overall = proportions.compare_proportions(counts)
    assert overall.p_value.isna().all()
    assert overall.note.str.contains("fewer than two arms").all()
    assert proportions.estimate_risk_difference(counts).empty
    assert proportions.compare_proportions_pairwise(counts).empty


def test_unknown_names_are_refused():
    counts = counts_of([1, 2], [4, 5])
    with pytest.raises(ValueError, match="reference must be one of"):
        proportions.compare_proportions_pairwise(counts, reference="z")
    with pytest.raises(ValueError, match="interval must be one of"):
        proportions.estimate_risk_difference(counts, interval="wald")


def test_pairs_follow_study_order_and_reference():
    assert arm_pairs(ARMS) == [("b", "a"), ("c", "a"), ("c", "b")]
    assert arm_pairs(ARMS, "c") == [("a", "c"), ("b", "c"), ("b", "a")]


@DRAWN
@given(some_counts())
def test_everything_is_a_number_in_range_or_nan_with_a_reason(counts):
    single = proportions.estimate_proportion(counts)
    names = ("newcombe", "miettinen-nurminen")
    pairs = [proportions.estimate_risk_difference(counts, interval=name) for name in names]
    for frame, point in [(single, "proportion"), *((pair, "difference") for pair in pairs)]:
        known = frame.dropna(subset=[point])
        assert (known.ci_low <= known[point] + 1e-9).all()
        assert (known.ci_high >= known[point] - 1e-9).all()
        assert known[["ci_low", "ci_high"]].abs().le(1 + 1e-9).all(axis=None)
        assert (frame[point].isna() == frame.note.str.startswith("not estimable")).all()
    tests = proportions.compare_proportions_pairwise(counts)
    assert tests.p_value.dropna().between(0, 1).all()
    assert (tests.p_adjusted.dropna() >= tests.p_value.dropna() - 1e-12).all()


@DRAWN
@given(some_counts(arms=2, least=1, most=25))
def test_swapping_the_arms_mirrors_the_difference_and_inverts_the_ratio(counts):
    ahead = proportions.estimate_risk_difference(counts).iloc[0]
    back = proportions.estimate_risk_difference(counts, reference="b").iloc[0]
    assert_allclose([ahead.ci_low, ahead.ci_high], [-back.ci_high, -back.ci_low], atol=1e-8)
    ratio = proportions.estimate_odds_ratio(counts).iloc[0].odds_ratio
    inverse = proportions.estimate_odds_ratio(counts, reference="b").iloc[0].odds_ratio
    if not np.isnan(ratio) and not np.isnan(inverse):
        assert_allclose(ratio * inverse, 1, rtol=1e-6)


@DRAWN
@given(some_counts(arms=2, least=1, most=25))
def test_responders_and_others_may_change_places(counts):
    other = counts.assign(count=counts["n"] - counts["count"])
    found = [proportions.compare_proportions(frame).p_value for frame in (counts, other)]
    assert_allclose(found[0], found[1], rtol=1e-9)


@DRAWN
@given(st.lists(st.one_of(st.floats(0, 1), st.just(np.nan)), max_size=6))
def test_holm_is_monotone_and_leaves_nan_out(p_values):
    adjusted, p_values = adjust_holm(p_values), np.array(p_values, dtype=float)
    known = ~np.isnan(p_values)
    assert (np.isnan(adjusted) == ~known).all()
    assert_allclose(adjusted[known], adjust_holm(p_values[known]))
    assert (adjusted[known] >= p_values[known]).all()


TRENDS = load_expected("staples")["proportions"]


@pytest.mark.parametrize("name", TRENDS)
def test_cochran_armitage_equals_r(name):
    """prop.trend.test(count, n)"""
    case = TRENDS[name]
    counts = counts_of(case["count"], case["n"], [f"d{i}" for i in range(len(case["n"]))])
    row = proportions.compare_trend(counts).iloc[0]
    assert_allclose([row["chisq"], row["p_value"]], [case["chisq"], case["p"]], rtol=1e-6, atol=1e-300)
    assert (row["df"], row["note"]) == (1, "")
    again = shares.trend(tuple((count, n - count) for count, n in zip(case["count"], case["n"], strict=True)))
    assert_allclose([row[name] for name in again], list(again.values()), rtol=1e-6)


@given(some_counts(arms=2, least=1))
@DRAWN
def test_a_trend_of_two_arms_is_the_chi_square_test(counts):
    trend, chi = proportions.compare_trend(counts).iloc[0], proportions.compare_proportions(counts).iloc[1]
    assert_allclose([trend["chisq"], trend["p_value"]], [chi["chisq"], chi["p_value"]], rtol=1e-7, atol=1e-12)


@given(some_counts(arms=3))
@DRAWN
def test_a_trend_has_a_direction(counts):
    """Without patients, or with one outcome, there is none; the other outcome, or the order turned round, turns the sign."""
    row = proportions.compare_trend(counts).iloc[0]
    for other in (counts[::-1], counts.assign(count=counts["n"] - counts["count"])):
        assert_allclose(proportions.compare_trend(other).iloc[0]["statistic"], -row["statistic"], atol=1e-9)
    varied = (counts["n"] > 0).sum() > 1 and 0 < counts["count"].sum() < counts["n"].sum()
    assert (row["note"] == "") == varied == (not np.isnan(row["p_value"]))
