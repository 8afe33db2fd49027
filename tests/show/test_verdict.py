"""Every verdict, word for word, from designed results: a reversed one, another pair's number or an exchanged name fails."""

from dataclasses import replace
from math import isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.show.verdict import (
    GRAY,
    Estimate,
    OverallTest,
    Pair,
    Weighted,
    below,
    by_chance,
    is_apart,
    plain_note,
    say_effect,
    say_interactions,
    say_many,
    say_pairs,
    say_tests,
    say_verdict,
    say_weighted,
)
from lib.study.study import ROOT, read_study

P = st.one_of(st.floats(0, 1), st.just(nan))
LOGRANK, NO_LOGRANK = OverallTest("log-rank", 0.02, more="42 events"), OverallTest("log-rank", 0.2, more="42 events")
LOST = OverallTest(GRAY, nan, "not estimable: no event of this kind")
WHY = "Two questions."
ALIKE = "which is no evidence that they are alike."


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        ([LOGRANK], "The OS curves differ (log-rank p = 0.020, 42 events)."),
        ([NO_LOGRANK], f"The test does not tell the OS curves apart (log-rank p = 0.200, 42 events), {ALIKE}"),
        ([OverallTest("exact", 0.05)], f"The test does not tell the OS curves apart (exact p = 0.050), {ALIKE}"),
        ([OverallTest("exact", 0.04999)], "The OS curves differ (exact p = 0.04999)."),
        ([OverallTest("exact", 0.0500004)], f"The test does not tell the OS curves apart (exact p = 0.0500004), {ALIKE}"),
        ([LOGRANK, OverallTest(GRAY, 0.01)], "The OS curves differ (log-rank p = 0.020, 42 events; Gray's test p = 0.010)."),
        (
            [NO_LOGRANK, OverallTest(GRAY, 0.7)],
            f"No test tells the OS curves apart (log-rank p = 0.200, 42 events; Gray's test p = 0.700), {ALIKE}",
        ),
        (
            [LOGRANK, OverallTest(GRAY, 0.113)],
            "Whether the OS curves differ depends on the test: by log-rank (p = 0.020, 42 events) they do, by Gray's test (p = 0.113) they are not told apart. Two questions.",
        ),
        (
            [NO_LOGRANK, OverallTest(GRAY, 0.013)],
            "Whether the OS curves differ depends on the test: by Gray's test (p = 0.013) they do, by log-rank (p = 0.200, 42 events) they are not told apart. Two questions.",
        ),
        (
            [LOGRANK, LOST],
            "The OS curves differ (log-rank p = 0.020, 42 events). Gray's test could not be made: no event of this kind.",
        ),
        (
            [OverallTest("log-rank", nan, "no test: 3 events in all"), replace(LOST, note="no test: 3 events in all")],
            "No test compares the OS curves: 3 events in all.",
        ),
        ([LOST, OverallTest("exact", nan)], "No test compares the OS curves: no event of this kind."),
        (
            [OverallTest("exact", nan, "masked: small cells")],
            "No test compares the OS curves: left out of a shared report, as it would tell small counts.",
        ),
    ],
)
def test_all_arms(tests, said):
    assert say_tests("the OS curves", *tests, disagree=WHY) == said


AB, CA, CB = Pair("B vs A", 0.9), Pair("C vs A", 0.03), Pair("C vs B", 0.04)


@pytest.mark.parametrize(
    ("pairs", "p_values", "said"),
    [
        ([AB], [0.01], ""),
        ([], [0.01], ""),
        ([AB, CA, CB], [0.01], "After Holm's adjustment over 3 pairs, C vs A (p = 0.030) and C vs B (p = 0.040) are told apart."),
        ([CB, Pair("B vs A", 0.0004), Pair("C vs A", 0.2)], [0.01], "After Holm's adjustment over 3 pairs, C vs B (p = 0.040) and B vs A (p < 0.001) are told apart."),
        ([AB, CA, Pair("C vs B", 0.3)], [0.01], "After Holm's adjustment over 3 pairs, C vs A (p = 0.030) is told apart."),
        ([AB, CA, CB], [0.01, 0.02], "After Holm's adjustment over 3 pairs, C vs A (p = 0.030) and C vs B (p = 0.040) are told apart."),
        ([AB, CA, CB], [0.1], "After Holm's adjustment over 3 pairs, p is below 0.05 for C vs A (p = 0.030) and C vs B (p = 0.040); the tests of all arms do not carry this, so it is exploratory."),
        ([AB, CA, AB], [0.01, 0.1], "After Holm's adjustment over 3 pairs, p is below 0.05 for C vs A (p = 0.030); the tests of all arms do not carry this, so it is exploratory."),
        ([AB, CA, AB], [nan], "After Holm's adjustment over 3 pairs, p is below 0.05 for C vs A (p = 0.030); the tests of all arms do not carry this, so it is exploratory."),
        ([AB, AB, AB], [0.01], "After Holm's adjustment over 3 pairs, no pair is told apart: which arms differ stays open."),
        ([AB, AB, AB], [0.01, 0.1], "After Holm's adjustment over 3 pairs, no pair is told apart: which arms differ stays open."),
        ([AB, AB, AB], [0.1], ""),
        ([AB, AB, AB], [nan], ""),
        ([AB, CA, Pair("C vs B", nan)], [0.01], "After Holm's adjustment over 2 pairs, C vs A (p = 0.030) is told apart. 1 pair could not be tested."),
        ([AB, Pair("C vs A", nan), Pair("C vs B", nan)], [0.01], "After Holm's adjustment over 1 pair, no pair is told apart: which arms differ stays open. 2 pairs could not be tested."),
        ([Pair("B vs A", nan)] * 3, [0.01], "No pair could be tested: which arms differ stays open."),
        ([Pair("B vs A", nan)] * 3, [0.1], ""),
    ],
)  # fmt: skip
def test_pairs_after_the_test_of_all_arms(pairs, p_values, said):
    assert say_pairs(pairs, p_values) == said


CLEAR = Estimate("C vs A", 0.33, 0.13, 0.84, p_value=0.01, p_adjusted=0.01)
OPEN = Estimate("C vs A", 0.83, 0.33, 1.84, p_value=0.4, p_adjusted=0.4)
CI = "The hazard ratio of C vs A is 0.33 (95% CI 0.13 to 0.84)."


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (CLEAR, CI),
        (OPEN, "The hazard ratio of C vs A is 0.83 (95% CI 0.33 to 1.84)."),
        (replace(CLEAR, hr=3.0, ci_low=1.2, ci_high=7.7), "The hazard ratio of C vs A is 3.00 (95% CI 1.20 to 7.70)."),
        (replace(CLEAR, several=True), "The hazard ratio of C vs A is 0.33 (95% CI 0.13 to 0.84, not adjusted for the number of pairs)."),
        (replace(CLEAR, several=True, p_adjusted=0.06), "The hazard ratio of C vs A is 0.33 (95% CI 0.13 to 0.84, not adjusted for the number of pairs). The interval leaves out 1, but the test does not tell these two apart: the interval is not adjusted."),
        (replace(CLEAR, several=True, p_value=0.06, p_adjusted=0.06), "The hazard ratio of C vs A is 0.33 (95% CI 0.13 to 0.84, not adjusted for the number of pairs). The interval leaves out 1, but the test does not tell these two apart: interval and test are different approximations."),
        (replace(CLEAR, p_value=0.06, p_adjusted=0.06), f"{CI} The interval leaves out 1, but the test does not tell these two apart: interval and test are different approximations."),
        (replace(OPEN, p_value=0.04, p_adjusted=0.04), "The hazard ratio of C vs A is 0.83 (95% CI 0.33 to 1.84). The interval holds 1, but the test tells these two apart: interval and test are different approximations."),
        (replace(CLEAR, level=0.9, p_value=0.06, p_adjusted=0.06), "The hazard ratio of C vs A is 0.33 (90% CI 0.13 to 0.84). The interval leaves out 1, but the test does not tell these two apart: it is one of 90%, while 0.05 is the limit of p at every level."),
        (replace(OPEN, level=0.99, p_value=0.02, p_adjusted=0.02), "The hazard ratio of C vs A is 0.83 (99% CI 0.33 to 1.84). The interval holds 1, but the test tells these two apart: it is one of 99%, while 0.05 is the limit of p at every level."),
        (replace(CLEAR, p_value=nan, p_adjusted=nan), CI),
        (replace(CLEAR, p_constant=0.01), f"{CI} The ratio changes over time (p = 0.010), so it is an average."),
        (replace(CLEAR, p_constant=0.051), CI),
        (replace(CLEAR, how="with Firth's correction", name="cause-specific hazard ratio"), "The cause-specific hazard ratio of C vs A with Firth's correction is 0.33 (95% CI 0.13 to 0.84)."),
        (replace(CLEAR, hr=nan, ci_low=nan, ci_high=nan, note="not compared: fewer than 5 events"), "There is no hazard ratio of C vs A: fewer than 5 events."),
        (replace(CLEAR, ci_low=nan, ci_high=nan), "The hazard ratio of C vs A is 0.33, without an interval."),
    ],
)  # fmt: skip
def test_the_estimate_never_contradicts_the_test_in_silence(found, said):
    assert say_effect(found) == said


LESS = Weighted(["age", "sex"], 0.41, 0.2, 0.8, 0.01)
START = "Weighted for age and sex, the ratio is 0.41 (0.20 to 0.80; p = 0.010)"


@pytest.mark.parametrize(
    ("crude", "found", "said"),
    [
        (CLEAR, LESS, f"{START}: told apart as well."),
        (OPEN, LESS, f"{START}: told apart only so, and the answer depends on the weighting."),
        (CLEAR, replace(LESS, p_value=0.2), f"{START.replace('0.010', '0.200')}: no longer told apart, so these covariates may explain the difference."),
        (OPEN, replace(LESS, p_value=0.2), f"{START.replace('0.010', '0.200')}: not told apart either."),
        (CLEAR, replace(LESS, hr=2.0, ci_low=1.1, ci_high=4), "Weighted for age and sex, the ratio is 2.00 (1.10 to 4.00; p = 0.010): told apart the other way round, so the answer depends on the weighting."),
        (replace(CLEAR, several=True), LESS, "Weighted for age and sex, the ratio is 0.41 (0.20 to 0.80; p = 0.010, not adjusted for the number of pairs): told apart as well."),
        (CLEAR, replace(LESS, enough=False), f"{START}, from too few effective patients for a conclusion."),
        (CLEAR, replace(LESS, p_value=nan), "Weighted for age and sex, the ratio is 0.41 (0.20 to 0.80), which is not tested."),
        (CLEAR, Weighted(["age"], nan, nan, nan, nan, note="not estimable: no event in A"), "Weighted for age, there is none: no event in A."),
        (CLEAR, Weighted(["age"], nan, nan, nan, nan), "Weighted for age, there is none: not estimable."),
    ],
)  # fmt: skip
def test_what_weighting_makes_of_it(crude, found, said):
    assert say_weighted(crude, found) == said


@pytest.mark.parametrize(
    ("p_values", "said"),
    [
        ([0.01], "1 of 1 term tested has p below 0.05 (exact); by chance alone fewer than one would (descriptive, not adjusted for their number)."),
        ([0.01, 0.02, 0.05, *[0.6] * 37], "2 of 40 terms tested have p below 0.05 (exact); by chance alone about 2 would (descriptive, not adjusted for their number)."),
        ([0.2, 0.05], "None of 2 terms tested has p below 0.05 (exact); by chance alone fewer than one would (descriptive, not adjusted for their number)."),
    ],
)  # fmt: skip
def test_many_tests_are_counted(p_values, said):
    assert say_many(p_values, "term", "exact") == said


def test_interactions_are_questions():
    low, high = Pair("Age", 0.03), Pair("Sex", 0.4)
    assert say_interactions([high, low]) == (
        "Tests of interaction with the arm: Sex (p = 0.400) and Age (p = 0.030). p is below 0.05 for Age: not adjusted for "
        "2 tests, a question for another study and no finding."
    )
    assert say_interactions([low]).endswith("for Age: a question for another study and no finding.")
    assert say_interactions([high]) == (
        "Tests of interaction with the arm: Sex (p = 0.400). No test tells subgroups apart, which is no evidence that the "
        "comparison is the same in all: such tests find only large differences."
    )


def test_the_parts_stand_in_their_order_and_the_design_has_the_last_word():
    chosen, randomised = (read_study(ROOT / "data" / name) for name in ("rair_dtc", "colon"))
    doubt = "The arms were not formed by chance, so this need not be an effect of treatment."
    assert say_verdict(chosen, "One.", "", "Two.", differ=True) == f"One. Two. {doubt}"
    assert say_verdict(chosen, "One.", differ=False) == "One."
    assert say_verdict(randomised, "One.", differ=True) == "One."


@pytest.mark.parametrize(
    ("note", "plain"),
    [("no test: 3 events", "3 events"), ("not compared: fewer than 5 events", "fewer than 5 events"), ("not estimable: none", "none"), ("not tested: x", "x"), ("other", "other"), ("", "not estimable")],
)  # fmt: skip
def test_a_note_gives_its_reason(note, plain):
    assert plain_note(note) == plain


@given(st.lists(P, max_size=4))
def test_apart_is_what_all_known_tests_say(p_values):
    known = [p for p in p_values if not isnan(p)]
    assert is_apart(p_values) == (len(known) > 0 and max(known) < 0.05)
    assert [below(p) for p in known] == [p < 0.05 for p in known]


@given(P, P, st.lists(P, min_size=2, max_size=6))
def test_no_sentence_holds_a_gap_or_claims_equality(crude, gray, adjusted):
    said = f"{say_tests('the curves', OverallTest('log-rank', crude), OverallTest(GRAY, gray))} {say_pairs([Pair('a', p) for p in adjusted], [crude, gray])}"
    assert "nan" not in said
    assert "–" not in said
    differ = said.startswith("The curves differ")
    assert differ == (is_apart([crude, gray]))
    assert ("told apart." in said and "are not told apart." not in said and "is exploratory" not in said and "no pair" not in said) <= differ


@pytest.mark.parametrize(("n", "said"), [(1, "fewer than one"), (19, "fewer than one"), (20, "about 1"), (70, "about 4")])
def test_what_chance_gives(n, said):
    assert by_chance(n) == said
