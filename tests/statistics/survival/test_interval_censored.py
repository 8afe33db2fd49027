"""Turnbull's curve is the maximum, equals R and Kaplan-Meier where times are known; the test equals R's permutation."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_data import load_expected, make_tte

from lib.analyses.efficacy.survival import analyse
from lib.analyses.result import where
from lib.analyses.robustness.robustness import analyse_robustness
from lib.dataset import timing
from lib.dataset.dataset import load
from lib.show.sentences.robustness import sentence_scans
from lib.show.tables.robustness import table_intervals
from lib.statistics.survival import interval_censored, kaplan_meier
from lib.study.study import ROOT

EXPECTED = load_expected("interval")
OBSERVED = st.lists(
    st.tuples(st.integers(0, 12), st.sampled_from([0, 1, 2, 5, np.inf])).filter(lambda v: v[0] + v[1] > 0),
    min_size=1, max_size=25,
)  # fmt: skip


@pytest.fixture(scope="module")
def cohort():
    data = load("efficacy", study=str(ROOT / "data/rair_dtc"))
    analysis = analyse(data, data.study.primary)
    return data, analysis, timing.interval_frame(data, analysis["tte"])


def test_bounds_equal_r(cohort):
    """R: EM over the innermost intervals found by brute force; survfit(type = "interval2") stops about 1e-4 off."""
    rows = interval_censored.bound_landmarks(cohort[2], [12, 24, 36])
    for arm, expected in zip("ABC", EXPECTED["arms"], strict=True):
        own = where(rows, group=arm)
        np.testing.assert_allclose(own[["bound_low", "bound_high"]], expected["bounds"], rtol=1e-6)
        between = own["bound_low"] - 1e-3 <= expected["survfit"]
        assert (between & (expected["survfit"] <= own["bound_high"] + 1e-3)).all()


def test_permutation_test_equals_r(cohort):
    """R: scores from the EM; coin::independence_test gives the statistic, sample() the p-value."""
    scores = interval_censored.score_intervals(cohort[2]["left"], cohort[2]["right"])
    np.testing.assert_allclose(scores, EXPECTED["score"], rtol=1e-6, atol=1e-6)
    found = interval_censored.compare_intervals(cohort[2], 10_000, 1).iloc[0]
    assert found["chisq"] == pytest.approx(EXPECTED["chisq"], rel=1e-6)
    error = np.hypot(found["mc_error"], np.sqrt(EXPECTED["p"] * (1 - EXPECTED["p"]) / EXPECTED["resamples"]))
    assert abs(found["p_value"] - EXPECTED["p"]) < 4 * error


@settings(max_examples=150, deadline=None)
@given(OBSERVED)
def test_the_curve_is_the_maximum(values):
    """Gentleman and Geyer (1994): no interval, however chosen, could gain likelihood; every observation has some."""
    left = np.array([v[0] for v in values], float)
    right = left + [v[1] for v in values]
    curve = interval_censored.estimate_turnbull(left, right)
    assert curve["weight"].sum() == pytest.approx(1)
    known = (curve["left"] == curve["right"]).to_numpy()
    q, p = (curve[c].to_numpy() for c in ("left", "right"))
    inside = np.where(
        (left == right)[:, None], (p[None] == left[:, None]) & known[None],
        (p[None] <= right[:, None]) & np.where(known[None], q[None] > left[:, None], q[None] >= left[:, None]),
    )  # fmt: skip
    share = inside @ curve["weight"].to_numpy()
    assert (share > 0).all()
    assert (inside / share[:, None]).sum(axis=0).max() <= len(left) * (1 + 1e-6)
    np.testing.assert_allclose(interval_censored.score_intervals(left, right).sum(), 0, atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=2, max_size=20))
def test_known_times_give_kaplan_meier(patients):
    tte = make_tte({"A": patients})
    frame = tte.assign(left=tte["time"], right=tte["time"].where(tte["event"], np.inf))
    bounds = interval_censored.bound_landmarks(frame, [3.0, 7.0]).dropna(subset=["bound_low"])
    expected = kaplan_meier.estimate_landmark(tte, [3.0, 7.0])
    for row in bounds.itertuples():
        km = where(expected, time=row.time)["survival"].iat[0]
        if not np.isnan(km):
            assert row.bound_low <= km + 1e-6
            assert row.bound_high >= km - 1e-6
            if row.time < tte["time"].max():
                assert row.bound_high == pytest.approx(km, abs=1e-6)


def test_bounds_hold_the_median_that_r_puts_in_the_middle(cohort):
    """R: quantile(survfit(Surv(left, right, type = "interval2") ~ 1), 0.5)."""
    bounds = interval_censored.bound_median(cohort[2])
    medians = np.array([arm["median"] for arm in EXPECTED["arms"]])
    assert ((bounds["bound_low"] <= medians) & (medians <= bounds["bound_high"])).all()


def test_the_page_says_the_bounds(cohort):
    data, analysis, intervals = cohort
    bounds = interval_censored.bound_median(intervals).set_index("group")
    robust = analyse_robustness(data, analysis)
    said = f"{bounds.at['C', 'bound_low']:.1f} to {bounds.at['C', 'bound_high']:.1f} with Anlotinib + seeds"
    assert said in sentence_scans(robust)
    text = table_intervals(robust, analysis).to_text()
    assert f"{bounds.at['C', 'bound_low']:.1f} to {bounds.at['C', 'bound_high']:.1f}" in text
    assert where(robust["ways"], way="interval")["p_value"].notna().all()


def test_median_between_two_intervals_and_beyond():
    frame = pd.DataFrame({
        "arm": pd.Categorical(["A", "A", "B", "B", "B"], ordered=True),
        "left": [1.0, 5.0, 1.0, 2.0, 3.0], "right": [2.0, 6.0, 2.0, np.inf, np.inf],
    })  # fmt: skip
    found = interval_censored.bound_median(frame)
    assert found.loc[0, ["bound_low", "bound_high"]].tolist() == [1.0, 6.0]
    assert found.loc[1, "note"] == "not reached"
    with pytest.raises(ValueError, match="end before"):
        interval_censored.estimate_turnbull([2.0], [1.0])
