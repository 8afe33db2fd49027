"""Kaplan-Meier, quantiles, landmarks, at risk, follow-up and restricted means against R (reference.R)."""

import numpy as np
import pandas as pd
import pytest
from reference_data import SURVIVAL_SETS, load_expected, load_tte, make_tte, numbers

from lib.statistics.survival.event_table import count_events, merge_times
from lib.statistics.survival.kaplan_meier import (
    compare_landmark,
    count_at_risk,
    estimate_curve,
    estimate_follow_up,
    estimate_landmark,
    estimate_median,
    estimate_quantile,
)
from lib.statistics.survival.rmst import compare_rmst, estimate_rmst

CLOSE = {"rtol": 1e-6, "atol": 1e-12}


@pytest.mark.parametrize("name", SURVIVAL_SETS)
def test_median_and_limits(name):
    """summary(survfit(Surv(time, event) ~ arm, conf.type = "log-log"))$table; NA = not reached."""
    expected, found = load_expected(name)["median"]["log-log"], estimate_median(load_tte(name))
    for ours, theirs in (
        ("n", "n"),
        ("n_events", "events"),
        ("median", "median"),
        ("ci_low", "low"),
        ("ci_high", "high"),
    ):
        np.testing.assert_allclose(found[ours], numbers(expected[theirs]), **CLOSE)
    assert (found["note"] == "not reached").equals(found["median"].isna())


@pytest.mark.parametrize("name", SURVIVAL_SETS)
def test_quartiles(name):
    """quantile(survfit(...), c(.25, .75)); no curve here ends flat on a quartile, where R has two rules."""
    for p, key in ((0.25, "q25"), (0.75, "q75")):
        found = estimate_quantile(load_tte(name), p)
        np.testing.assert_allclose(found["estimate"], numbers(load_expected(name)["quartiles"][key]), **CLOSE)


@pytest.mark.parametrize("name", SURVIVAL_SETS)
def test_reverse_kaplan_meier(name):
    """summary(survfit(Surv(time, 1 - event) ~ arm, conf.type = "log-log"))$table."""
    tte = load_tte(name).drop(columns="cause", errors="ignore")  # reference.R knows one cause; test_time_to_event has two
    expected, found = load_expected(name)["reverse_km"], estimate_follow_up(tte)
    for ours, theirs in (
        ("n", "n"),
        ("n_events", "events"),
        ("median", "median"),
        ("ci_low", "low"),
        ("ci_high", "high"),
    ):
        np.testing.assert_allclose(found[ours], numbers(expected[theirs]), **CLOSE)


@pytest.mark.parametrize("name", SURVIVAL_SETS)
def test_landmarks(name):
    """summary(survfit(..., conf.type = "log-log"), times, extend = TRUE).

    Two deliberate differences: R carries the curve on beyond an arm's last follow-up, here it is not estimable; and
    R gives the interval 1 to 1 before an arm's first recorded time (NA from then on), here there is none.
    """
    tte, expected = load_tte(name), load_expected(name)["landmarks"]
    times = sorted(set(expected["time"]))
    reference = pd.DataFrame(expected).replace({None: np.nan}).drop_duplicates(["arm", "time"])
    found = estimate_landmark(tte, times)
    both = found.merge(reference, left_on=["group", "time"], right_on=["arm", "time"], suffixes=("", "_r"), how="left")
    assert len(both) == len(found) and (both["n_risk"] == both["n_risk_r"]).all()
    beyond = both["survival"].isna()
    last = both["group"].map(tte.groupby("arm", observed=True)["time"].max().rename(str)).astype(float)
    assert beyond.equals((both["time"] > last) & (both["surv"] > 0))
    assert both.loc[beyond, "note"].str.startswith("not estimable: beyond the last follow-up").all()
    known, unmoved = both[~beyond], both["surv"] == 1
    np.testing.assert_allclose(known["survival"], known["surv"].astype(float), **CLOSE)
    np.testing.assert_allclose(known["std_err"], known["std_err_r"].astype(float), **CLOSE)
    drawn = both[~unmoved & ~beyond]
    np.testing.assert_allclose(drawn["ci_low"], drawn["low"].astype(float), **CLOSE)
    np.testing.assert_allclose(drawn["ci_high"], drawn["high"].astype(float), **CLOSE)
    still = both[unmoved & ~beyond]
    assert still[["ci_low", "ci_high"]].isna().all(axis=None) and still["low"].isin([1, np.nan]).all()
    assert (still["note"] == "interval not estimable: no event yet").all()


@pytest.mark.parametrize("name", SURVIVAL_SETS)
def test_restricted_means(name):
    """survRM2::rmst2(time, event, arm, tau) by pairs; without events R's interval has no width, ours is NaN."""
    tte = load_tte(name)
    for pair in load_expected(name)["rmst"]:
        versus, reference = pair["pair"].split(" - ") if " - " in pair["pair"] else pair["pair"].split("-")
        means = estimate_rmst(tte, pair["tau"]).set_index("group")
        for arm, key in ((reference, "reference"), (versus, "versus")):
            found = means.loc[arm, ["estimate", "std_err", "ci_low", "ci_high"]].to_numpy(dtype=float)
            theirs = numbers(pair[key])
            theirs[2:] = np.nan if theirs[1] == 0 else theirs[2:]
            np.testing.assert_allclose(found, theirs, **CLOSE)
        rows = compare_rmst(tte, reference, pair["tau"]).set_index(["group", "contrast"])
        found = rows.loc[(f"{versus} vs {reference}", "difference"), ["estimate", "ci_low", "ci_high", "p_value"]]
        np.testing.assert_allclose(found.to_numpy(dtype=float), numbers(pair["difference"]), **CLOSE)


def test_rmst_ratio_is_the_log_ratio_with_the_delta_method():
    """rmst2's ratio: log ratio +- z sqrt(se1^2 / m1^2 + se0^2 / m0^2), from the reference means and errors."""
    pair = load_expected("veteran")["rmst"][0]
    (m0, s0, *_), (m1, s1, *_) = pair["reference"], pair["versus"]
    versus, reference = pair["pair"].split(" - ")
    found = compare_rmst(load_tte("veteran"), reference, pair["tau"]).set_index(["group", "contrast"])
    row = found.loc[(f"{versus} vs {reference}", "ratio")]
    width = 1.959963984540054 * np.hypot(s1 / m1, s0 / m0)
    expected = [m1 / m0, m1 / m0 * np.exp(-width), m1 / m0 * np.exp(width)]
    np.testing.assert_allclose(row[["estimate", "ci_low", "ci_high"]].to_numpy(dtype=float), expected, **CLOSE)


def test_tau_is_the_smallest_largest_time_and_beyond_it_there_is_nothing():
    tte = make_tte({"a": [(2, 1), (9, 0)], "b": [(1, 1), (5, 0)]})
    assert estimate_rmst(tte)["tau"].tolist() == [5, 5]
    beyond = estimate_rmst(tte, tau=6).set_index("group")
    assert np.isnan(beyond.loc["b", "estimate"]) and "beyond the last follow-up" in beyond.loc["b", "note"]
    assert np.isfinite(beyond.loc["a", "estimate"])
    assert compare_rmst(tte, "a", tau=6)["estimate"].isna().all()


def test_median_on_a_flat_half():
    """survfit print: half way to the next drop, the first drop if there is none (R: 2.5, and 2 for 1, 2, 3+, 4+)."""
    flat = make_tte({"a": [(1, 1), (2, 1), (3, 0), (4, 0)], "b": [(1, 1), (2, 1), (3, 1), (4, 1)]})
    assert estimate_median(flat)["median"].tolist() == [2, 2.5]


@pytest.mark.parametrize("n", [6, 8, 14, 18, 20, 44, 58, 60])
def test_median_of_an_even_arm_without_censoring_is_the_middle(n):
    """S = 0.5 comes out as 0.5000000000000001 for these n; lifelines and statsmodels take it for not yet reached."""
    tte = make_tte({"a": [(t, 1) for t in range(1, n + 1)]})
    assert estimate_median(tte)["median"].tolist() == [(n + 1) / 2]


def test_curve_starts_at_zero_and_counts_everyone():
    tte = load_tte("edge_ties_at_visits")
    curve = estimate_curve(tte)
    for arm, steps in curve.groupby("group"):
        own = tte[tte["arm"] == arm]
        assert steps["time"].iat[0] == 0 and steps["survival"].iat[0] == 1 and steps["n_risk"].iat[0] == len(own)
        assert steps["n_events"].sum() == own["event"].sum() and steps["n_censored"].sum() == (~own["event"]).sum()
        assert steps["survival"].is_monotonic_decreasing and steps["time"].is_monotonic_increasing


def test_event_at_time_zero_replaces_the_start():
    """survfit0: no row is put before an event at time 0."""
    curve = estimate_curve(make_tte({"a": [(0, 1), (1, 0)]}))
    assert curve["time"].tolist() == [0, 1] and curve["survival"].tolist() == [0.5, 0.5]


def test_float_noise_is_no_time_difference():
    """survival's timefix: 0.1 + 0.2, 0.3 and 0.1 * 3 are one time (n.risk of survfit)."""
    noisy = load_expected("survival_more")["noisy"]
    rows = list(zip(noisy["time"], noisy["event"], noisy["arm"], strict=True))
    tte = make_tte({name: [(t, e) for t, e, arm in rows if arm == name] for name in "ab"})
    assert count_events(tte).n_risk.sum(axis=0).tolist() == noisy["n_risk"]
    assert merge_times(np.array([0.3, 0.1 + 0.2, 0.6]))[1].tolist() == [0, 0, 1]


def test_event_on_the_tick_is_still_at_risk():
    tte = make_tte({"a": [(0.1 + 0.2, 1), (0.3, 0), (2, 1)]})
    counts = count_at_risk(tte, [0, 0.3, 0.31, 2, 3])
    assert counts["n_risk"].tolist() == [3, 3, 1, 1, 0]
    assert counts["n_censored"].tolist() == [0, 0, 1, 1, 1]
    assert counts["n_events"].tolist() == [0, 0, 1, 1, 2]


@pytest.mark.parametrize("name", SURVIVAL_SETS)
def test_difference_at_a_landmark(name):
    """summary(survfit)$surv and $std.err of two arms: difference, root of the summed squares, normal interval.

    Without variance in both there is no interval; without it in one, the interval is the other's and says so.
    """
    expected = pd.DataFrame(load_expected(name)["landmarks"]).replace({None: np.nan}).drop_duplicates(["arm", "time"])
    times, arms = sorted(set(expected["time"])), list(dict.fromkeys(expected["arm"]))
    expected = expected.set_index(["arm", "time"])[["surv", "std_err"]].astype(float)
    found = compare_landmark(load_tte(name), times, arms[0])
    assert len(found) == (len(arms) - 1) * len(times)
    known = found.dropna(subset=["difference"])
    other = known["group"].str.removesuffix(f" vs {arms[0]}")
    x, y = (expected.loc[list(zip(arm, known["time"], strict=True))].to_numpy() for arm in (other, [arms[0]] * len(known)))
    difference, error = x[:, 0] - y[:, 0], np.hypot(x[:, 1], y[:, 1])
    np.testing.assert_allclose(known["difference"], difference, atol=1e-12, rtol=1e-6)
    np.testing.assert_allclose(known["std_err"], error, **CLOSE)
    for limit, z in (("ci_low", -1.959963984540054), ("ci_high", 1.959963984540054)):
        np.testing.assert_allclose(known[limit], np.where(error > 0, difference + z * error, np.nan), atol=1e-12, rtol=1e-6)
    one_flat = (error > 0) & ((x[:, 1] == 0) | (y[:, 1] == 0))
    assert known["note"].str.startswith("interval too narrow").tolist() == one_flat.tolist()


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("time", -1.0, "time must be finite and >= 0"),
        ("time", np.nan, "time must be"),
        ("event", 2, "event must be"),
    ],
)
def test_unusable_frames_are_refused(column, value, message):
    tte = make_tte({"a": [(1, 1), (2, 0)]})
    tte[column] = value
    with pytest.raises(ValueError, match=message):
        estimate_median(tte)


def test_overall_row_pools_the_arms():
    tte = load_tte("veteran")
    pooled = tte.assign(arm=pd.Categorical(["all"] * len(tte), ordered=True))
    found, alone = estimate_median(tte, overall=True).iloc[-1], estimate_median(pooled).iloc[0]
    assert found["group"] == "overall" and found["n"] == len(tte)
    assert found[["median", "ci_low", "ci_high"]].tolist() == alone[["median", "ci_low", "ci_high"]].tolist()


@pytest.mark.parametrize("n", [1, 12, 4000])
def test_censored_and_events_before_a_time_are_counted_as_r_counts_them(n):
    """R: tapply(time < t & status == 1, arm, sum), tapply(time < t & status == 0, arm, sum); ties, and an arm without events."""
    drawn = np.random.default_rng(n)
    times = drawn.integers(1, 30, (2, n)) / 2
    tte = make_tte({"a": list(zip(times[0], drawn.integers(0, 2, n), strict=True)), "b": [(time, 0) for time in times[1]]})
    counts = count_at_risk(tte, [0, 0.5, 5, 5.25, 40])
    assert len(counts) == 10
    for row in counts.itertuples():
        own = tte[tte["arm"] == row.group]
        before = own[own["time"] < row.time]
        assert (row.n_risk, row.n_events, row.n_censored) == (len(own) - len(before), before["event"].sum(), (before["event"] == 0).sum())
