"""Cumulative incidence and Gray's test against R's cmprsk (reference.R, survival_more.R, gray.R)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_data import load_expected, load_tte, make_tte, numbers

from lib.statistics.survival.competing import compare_gray, estimate_cumulative_incidence, estimate_incidence_curve
from lib.statistics.survival.kaplan_meier import estimate_landmark

CLOSE = {"rtol": 1e-6, "atol": 1e-12}
SMALL = load_expected("survival_more")["gray"]
GRAY = load_expected("gray")
ABOVE = Path(__file__).parents[2] / "reference" / "gray" / "pooled_above_1.csv"


def small_tte(case):
    arms = pd.Categorical(case["arm"], categories=sorted(set(case["arm"])), ordered=True)
    return pd.DataFrame({"arm": arms, "time": np.array(case["time"], float), "cause": case["cause"]}).assign(
        event=lambda d: d["cause"] > 0
    )


def test_incidence_and_variance():
    """timepoints(cuminc(time, cause, arm), marks): est, var."""
    tte, expected = load_tte("colon_recurrence"), load_expected("colon_recurrence")["competing"]
    for name, est, var in zip(expected["curve"], expected["cif"], expected["var"], strict=True):
        arm, cause = name[:-2], int(name[-1])
        found = estimate_cumulative_incidence(tte, expected["time"], cause)
        found = found[found["group"] == arm]
        np.testing.assert_allclose(found["estimate"], est, **CLOSE)
        np.testing.assert_allclose(found["std_err"] ** 2, var, **CLOSE)


def test_gray():
    """cuminc(time, cause, arm)$Tests."""
    tte, expected = load_tte("colon_recurrence"), load_expected("colon_recurrence")["competing"]["gray"]
    for cause in (1, 2):
        found = compare_gray(tte, cause).iloc[0]
        np.testing.assert_allclose([found["chisq"], found["p_value"]],
                                   [expected["chisq"][cause - 1], expected["p"][cause - 1]], rtol=1e-6)  # fmt: skip


@pytest.mark.parametrize("case", SMALL)
def test_small_samples_with_ties(case):
    """The same calls on 12 to 80 patients. cmprsk gives NA past an arm's last time, here a curve that is over stays."""
    tte, arms = small_tte(case), sorted(set(case["arm"]))
    for cause in (1, 2):
        found = compare_gray(tte, cause).iloc[0]
        np.testing.assert_allclose(
            [found["chisq"], found["p_value"]], [case["chisq"][cause - 1], case["p"][cause - 1]], **CLOSE
        )
        rows = estimate_cumulative_incidence(tte, case["marks"], cause).set_index("group")
        for arm in arms:
            at = case["curve"].index(f"{arm} {cause}")
            est, var = numbers(case["est"][at]), numbers(case["var"][at])
            given = ~np.isnan(est)
            np.testing.assert_allclose(rows.loc[[arm], "estimate"].to_numpy()[given], est[given], **CLOSE)
            np.testing.assert_allclose(rows.loc[[arm], "std_err"].to_numpy()[given] ** 2, var[given], **CLOSE)


def assert_test_of_cmprsk(tte, tests):
    """R's statistic, p and degrees of freedom; where cmprsk has none (null) or a singular covariance (-1), a reason."""
    for cause, expected in zip((1, 2), tests, strict=True):
        found = compare_gray(tte, cause).iloc[0]
        if not expected or expected["chisq"] < 0:
            assert found[["chisq", "df", "p_value"]].isna().all()
            assert found["note"].startswith("not estimable: ")
        elif expected["least"] < 0:
            assert np.isnan(found["p_value"])
            assert "not positive definite" in found["note"]
        else:
            assert found["note"] == ""
            theirs = [expected[name] for name in ("chisq", "p", "df")]
            np.testing.assert_allclose(found[["chisq", "p_value", "df"]].astype(float), theirs, **CLOSE)


@pytest.mark.parametrize("kind", sorted({case["kind"] for case in GRAY["small"]}))
def test_gray_where_it_is_awkward(kind):
    """cuminc(time, cause, arm)$Tests on random cohorts of two to six arms."""
    cases = [case for case in GRAY["small"] if case["kind"] == kind]
    assert len(cases) == 12
    for case in cases:
        assert_test_of_cmprsk(small_tte(case), case["tests"])


@pytest.mark.parametrize("case", GRAY["many"], ids=lambda case: f"{case['n']} patients, {case['arms']} arms")
def test_gray_of_many(case):
    """cuminc(time, cause, arm)$Tests; the patients are whole numbers, as in gray.R."""
    i = np.arange(case["n"])
    of = np.minimum(i * 40503 % 65537 % 13, case["arms"] - 1)
    time = 1 + i * 7919 % 30011 * (of + 300)
    cause = np.array([0, 1, 2, 1, 1])[(i * 31 + i // 7 + of * (i % 3)) % 5]
    assert_test_of_cmprsk(small_tte({"arm": np.array(list("abcdef"))[of], "time": time, "cause": cause}), case["tests"])


def test_gray_where_the_pooled_incidence_passes_1():
    """cuminc(time, cause, arm)$Tests: 13.28976, p 0.00994."""
    assert_test_of_cmprsk(small_tte(pd.read_csv(ABOVE).to_dict("list")), GRAY["pooled_above_1"])
    assert compare_gray(small_tte(pd.read_csv(ABOVE).to_dict("list")))["p_value"].iat[0] == pytest.approx(
        0.00994, abs=5e-6
    )


@pytest.mark.parametrize(
    ("arms", "times", "causes", "why"),
    [
        ("aabb", [1, 2, 3, 4], [1, 0, 0, 0], ""),
        ("aabb", [1, 1, 2, 3], [0, 0, 1, 1], "no event of this kind while two arms"),
        ("aabbcc", [1, 1, 2, 3, 4, 4], [0, 0, 1, 1, 0, 0], "while patients of a and of another arm are at risk"),
        ("aabb", [1, 1, 1, 1], [1, 1, 1, 1], "singular"),
        ("aabb", [1, 2, 3, 4], [1, 1, 1, 1], ""),  # it reaches 1 where one arm alone is left
        # 16 of 20 at time 1, a tenth at 2 and at 3; then one patient of a and one of b are left
        (
            "aaaabccccccccccddddd",
            [1, 1, 1, 5, 6, *[1] * 10, 1, 1, 1, 2, 3],
            [1] * 20,
            "reaches 1 before the last event",
        ),
    ],
)
def test_gray_says_why_there_is_no_test(arms, times, causes, why):
    found = compare_gray(small_tte({"arm": list(arms), "time": times, "cause": causes})).iloc[0]
    assert why in found["note"]
    assert np.isnan(found["p_value"]) == bool(why)


def test_an_arm_without_patients_is_no_arm():
    tte = small_tte(SMALL[2])
    empty = tte.assign(arm=tte["arm"].cat.add_categories(["nobody"]))
    pd.testing.assert_frame_equal(compare_gray(empty), compare_gray(tte))


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(1, 6), st.integers(0, 2)), min_size=1, max_size=30),
    st.permutations(list("abcde")),
)
def test_gray_does_not_depend_on_the_order_of_the_arms(patients, names):
    arms, times, causes = (list(values) for values in zip(*patients, strict=True))
    one, two = (
        compare_gray(small_tte({"arm": [labels[arm] for arm in arms], "time": times, "cause": causes})).iloc[0]
        for labels in (list("abcde"), names)
    )
    df = len(set(arms)) - 1
    assert one["df"] == df or (np.isnan(one["df"]) and np.isnan(one["p_value"]) and one["note"])
    np.testing.assert_allclose(*([row["chisq"], row["df"], row["p_value"]] for row in (one, two)), rtol=1e-6, atol=1e-9)


def test_without_competing_events_incidence_is_one_minus_survival():
    tte = load_tte("veteran")
    tte["cause"] = tte["event"].astype(int)
    times = [30, 100, 300]
    risk, alive = estimate_cumulative_incidence(tte, times), estimate_landmark(tte, times)
    np.testing.assert_allclose(risk["estimate"], 1 - alive["survival"], rtol=1e-9)
    assert (estimate_cumulative_incidence(tte, times, cause=2)["estimate"] == 0).all()


def test_causes_and_event_free_add_up_to_one():
    tte = load_tte("colon_recurrence")
    times = np.quantile(tte["time"], [0.1, 0.5, 0.9])
    parts = [estimate_cumulative_incidence(tte, times, cause)["estimate"] for cause in (1, 2)]
    free = estimate_landmark(tte.assign(event=tte["cause"] > 0), times)["survival"]
    np.testing.assert_allclose(parts[0] + parts[1] + free, 1, rtol=1e-12)


def test_interval_is_log_log_and_missing_without_events():
    tte = load_tte("colon_recurrence")
    row = estimate_cumulative_incidence(tte, [726]).iloc[0]
    width = 1.959963984540054 * row["std_err"] / (row["estimate"] * np.log(row["estimate"]))
    expected = sorted(row["estimate"] ** np.exp([width, -width]))
    np.testing.assert_allclose([row["ci_low"], row["ci_high"]], expected, **CLOSE)
    none = estimate_cumulative_incidence(tte, [0.5]).iloc[0]
    assert none["estimate"] == 0 and np.isnan(none["ci_low"]) and none["note"].startswith("interval not estimable")


def test_an_incidence_of_one_has_no_limits():
    """Steps that sum to 1 - 1e-16 are 1: R's ``summary(survfit(Surv(time, cause) ~ 1), times = 20)`` has limits of 0 and 1 here."""
    time = np.array([2, 20, 4, 2, 18, 5, 2, 10, 12, 16, 12, 12, 6, 7.0])
    event = ~np.isin(np.arange(len(time)), [5, 10])
    tte = pd.DataFrame({"arm": pd.Categorical(["a"] * len(time)), "time": time, "event": event, "cause": event.astype(int)})
    row = estimate_cumulative_incidence(tte, [20]).iloc[0]
    assert row["estimate"] == 1 and np.isnan(row["ci_low"]) and np.isnan(row["ci_high"])
    assert row["note"] == "interval not estimable: every patient followed had the event"


def test_curve_ends_where_the_landmarks_are():
    tte = load_tte("colon_recurrence")
    curve = estimate_incidence_curve(tte)
    ends = curve.groupby("group", sort=False)[["estimate", "std_err"]].last()
    at = estimate_cumulative_incidence(tte, [2413]).set_index("group")
    last = curve[curve["time"] <= 2413].groupby("group", sort=False)["estimate"].last()
    np.testing.assert_allclose(last, at["estimate"], rtol=1e-12)
    assert (ends["estimate"] >= last).all() and (curve.groupby("group")["time"].first() == 0).all()


def test_no_event_of_the_cause_is_not_estimable():
    tte = make_tte({"a": [(1, 1), (2, 0)], "b": [(1, 0), (3, 1)]}).assign(cause=[2, 0, 0, 2])
    found = compare_gray(tte).iloc[0]
    assert np.isnan(found["p_value"]) and found["note"].startswith("not estimable")


def test_unknown_cause_is_refused():
    tte = make_tte({"a": [(1, 1), (2, 0)]})
    with pytest.raises(ValueError, match="need a column 'cause'"):
        compare_gray(tte)
    with pytest.raises(ValueError, match="cause must be 0, 1 or 2"):
        compare_gray(tte.assign(cause=[3, 0]))
