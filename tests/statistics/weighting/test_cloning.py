"""Clones, leaving, weights, curves and differences equal base R and survival, and know where they cannot be had."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_data import FOLDER, load_expected
from strategy_study import WITHIN, Truth, draw_strategy

from lib.statistics.survival import kaplan_meier
from lib.statistics.survival.time_dependent import NOT_FITTED, estimate_time_dependent, split_at
from lib.statistics.weighting import strategies
from lib.statistics.weighting.cloning import ADDED, NOT_ADDED, STRATEGIES, fit_leaving, make_clones
from lib.statistics.weighting.strategies import Question

EXPECTED, COLUMNS, TIMES, TAU = load_expected("cloning"), ["age", "fit"], [365.0, 730.0], 730.0
DESIGN = Truth()
SETS = ("small", "large", "ties")


def read(name: str) -> pd.DataFrame:
    rows = pd.read_csv(FOLDER / f"cloning_{name}.csv")
    return rows.assign(event=rows["event"] == 1, fit=rows["fit"].astype(float))


def drawn(seed: int, n: int = 60, truth: Truth = DESIGN) -> pd.DataFrame:
    rows = draw_strategy(n, seed, truth)
    return rows.assign(fit=(rows["fit"] == "yes").astype(float))


def one(patients: pd.DataFrame, columns=COLUMNS, within=WITHIN, percentile=None) -> strategies.Answers:
    return strategies.estimate_answers(Question(patients, columns, within, TIMES, TAU), np.ones((1, len(patients))), [percentile])[0]


def asked(patients: pd.DataFrame) -> Question:
    return Question(patients, COLUMNS, WITHIN, TIMES, TAU)


@pytest.mark.parametrize("name", SETS)
def test_models_of_leaving_equal_r(name):
    """glm(leaves ~ 0 + factor(day) + age + fit, binomial) on a row per patient at risk and day of leaving"""
    found = strategies.estimate_leaving(asked(read(name))).set_index("group")
    for group, key in ((NOT_ADDED, "none"), (ADDED, "adds")):
        assert_allclose(found.loc[group, "coef"], EXPECTED[name]["slopes"][key]["coef"], rtol=1e-6)
        assert_allclose(found.loc[group, "std_err"], EXPECTED[name]["slopes"][key]["se"], rtol=1e-6)


@pytest.mark.parametrize("name", SETS)
def test_shares_means_and_hazard_ratio_equal_r(name):
    """survfit(Surv(start, stop, event) ~ 1, weights = w); coxph(... ~ strategy, weights = w, ties = "breslow")"""
    found, expected = one(read(name)), EXPECTED[name]
    assert_allclose(found.share[0], expected["share"], rtol=1e-6)
    assert_allclose(found.mean[0], expected["mean"], rtol=1e-6)
    assert_allclose(found.log_hr[0], expected["log_hr"], rtol=1e-6)


@pytest.mark.parametrize("name", SETS)
def test_weights_and_curves_equal_r(name):
    """min, median, max and Kish's size of the weights of who stayed; f$surv of survfit(weights = w)"""
    patients, expected = read(name), EXPECTED[name]
    sizes, curves = strategies.describe_weights(asked(patients)), strategies.estimate_curves(asked(patients))
    for i, group in enumerate(STRATEGIES):
        weights = np.array(expected["weights"][i])
        row = sizes.set_index("group").loc[group]
        spread = [len(weights), weights.min(), np.median(weights), weights.max(), weights.sum() ** 2 / (weights**2).sum()]
        assert_allclose(row[["n", "min", "median", "max", "ess"]].astype(float), spread, rtol=1e-6)
        steps = curves[curves["group"] == group].set_index("time")["survival"]
        assert_allclose(steps.loc[expected["curve"][i]["time"]], expected["curve"][i]["surv"], rtol=1e-6)


def test_resamples_as_counts_equal_resampled_patients_in_r():
    """The same on d[drawn, ]: patients drawn twice stand twice in every model."""
    patients = read("large")
    i = np.arange(len(patients))
    picks = [(i * (2 * b + 1) + i**2 // (b + 2)) % len(patients) for b in (1, 2, 3)]
    counts = np.stack([np.bincount(pick, minlength=len(patients)) for pick in picks])
    found = strategies.estimate_answers(asked(patients), counts)[0]
    for b, expected in enumerate(EXPECTED["large"]["resamples"]):
        assert_allclose(found.share[b], expected["share"], rtol=1e-6)
        assert_allclose(found.mean[b], expected["mean"], rtol=1e-6)
        assert_allclose(found.log_hr[b], expected["log_hr"], rtol=1e-6)


@pytest.mark.parametrize("name", SETS)
def test_a_treatment_that_begins_in_time_equals_r(name):
    """tmerge(d, d, id = id, dies = event(time, event), treated = tdc(added)); coxph(Surv(tstart, tstop, dies) ~ treated + age + fit)"""
    for columns, key in (([], "crude"), (COLUMNS, "adjusted")):
        found = estimate_time_dependent(read(name), columns)
        assert_allclose([found["coef"], found["std_err"]], EXPECTED[name]["timed"][key], rtol=1e-6)


def test_truncated_resamples_cap_as_repeated_patients():
    """The 95 % percentile (type 7) of a resample is that of its patients, each as often as drawn."""
    patients, rng = drawn(4, 80), np.random.default_rng(1)
    pick = np.sort(rng.integers(0, 80, 80))
    counted = strategies.estimate_answers(asked(patients), np.bincount(pick, minlength=80)[None], [0.95])[0]
    repeated = one(patients.iloc[pick].reset_index(drop=True), percentile=0.95)
    for a, b in zip(counted, repeated, strict=True):
        assert_allclose(a, b, rtol=1e-7)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(15, 60))
def test_what_holds_for_any_patients(seed, n):
    patients = drawn(seed, n)
    clones = make_clones(patients, WITHIN)
    both = [clones[name] for name in STRATEGIES]
    # Nobody leaves both; who stays in one has the whole follow-up there, and every event is seen by some clone.
    assert not (both[0].left & both[1].left).any()
    assert (np.maximum(both[0].end, both[1].end) == patients["time"]).all()
    assert ((both[0].event | both[1].event) == patients["event"]).all()
    assert (clones[ADDED].end[clones[ADDED].left] == WITHIN).all()
    found = one(patients)
    for share in found.share[np.isfinite(found.log_hr)].ravel():
        assert np.isnan(share) or 0 <= share <= 1


def test_without_covariates_the_curve_weights_nobody_apart():
    """With the same chance for all, weights cancel: Kaplan-Meier of the clones, censored where they leave."""
    patients = drawn(9, 90)
    found = one(patients, columns=[])
    for i, (name, clones) in enumerate(make_clones(patients, WITHIN).items()):
        frame = pd.DataFrame({"arm": pd.Categorical([name] * 90), "time": clones.end, "event": clones.event})
        expected = kaplan_meier.estimate_landmark(frame, TIMES)["survival"]
        assert_allclose(found.share[0, i], expected, rtol=1e-9)


def test_units_of_time_change_nothing():
    patients = drawn(3, 70)
    months = patients.assign(time=patients["time"] / 30.0, added=patients["added"] / 30.0)
    one_, other = one(patients), strategies.estimate_answers(Question(months, COLUMNS, WITHIN / 30, [t / 30 for t in TIMES], TAU / 30), np.ones((1, 70)))[0]
    assert_allclose(one_.share, other.share, rtol=1e-9)
    assert_allclose(one_.mean, other.mean * 30, rtol=1e-9)


def test_a_covariate_that_tells_who_adds_is_refused():
    patients = drawn(2, 60)
    told = patients.assign(age=np.where(patients["added"] <= WITHIN, 70.0, 50.0))
    with pytest.raises(ValueError, match="tell who adds"):
        strategies.estimate_leaving(asked(told))
    assert np.isnan(one(told).share).any()


def test_where_everybody_adds_nobody_stays():
    patients = drawn(2, 40).assign(added=0.0)
    clones = make_clones(patients, WITHIN)[NOT_ADDED]
    assert clones.left.all()
    assert not fit_leaving(clones, np.empty((40, 0)), np.ones((1, 40))).fitted[0]


def test_what_lies_beyond_the_follow_up_is_not_estimated():
    patients = drawn(5, 80)
    patients = patients.assign(event=patients["event"] & (patients["time"] < patients["time"].max()))
    found = strategies.bootstrap_strategies(Question(patients, COLUMNS, WITHIN, [365.0, 5000.0], 5000.0), n_resamples=20)[0]
    late = found["risk"][found["risk"]["time"] == 5000]
    assert late["difference"].isna().all() and late["note"].str.startswith("not estimable").all()
    assert found["mean"]["estimate"].isna().all()
    assert found["risk"].loc[found["risk"]["time"] == 365, "difference"].notna().all()


def test_a_seed_is_a_result_and_few_usable_resamples_are_none():
    patients = drawn(6, 80)
    first, again = (strategies.bootstrap_strategies(asked(patients), n_resamples=40)[0] for _ in (1, 2))
    assert all(first[name].equals(again[name]) for name in first)
    few = patients.assign(fit=((patients["added"] <= WITHIN) & (np.arange(80) != patients.index[patients["added"].isna()][0])).astype(float))
    few.loc[few.index[few["added"].isna()][0], "fit"] = 1.0
    ratio = strategies.bootstrap_strategies(Question(few, ["fit"], WITHIN, TIMES, TAU), n_resamples=40)[0]["ratio"].iloc[0]
    assert np.isnan(ratio["ci_low"]) and "resamples only" in ratio["note"]


def test_a_small_simulation_is_near_the_truth_where_the_naive_answer_is_not():
    """True difference at 365 days 7.7 points (tests/reference/simulate_cloning.py)."""
    true, errors, naive = 0.0766, [], []
    for seed in range(4):
        patients = drawn(seed, 2_500)
        share = one(patients).share[0]
        errors.append(share[1, 0] - share[0, 0] - true)
        frame = patients.assign(arm=pd.Categorical(np.where(patients["added"].notna(), "1", "0")))
        naive.append(kaplan_meier.compare_landmark(frame, [365.0], "0")["difference"].iat[0] - true)
    assert abs(np.mean(errors)) < 0.03
    assert np.mean(naive) > 0.15


def test_a_large_study_is_resampled_in_parts(monkeypatch):
    monkeypatch.setattr(strategies, "N_SUBSAMPLES", 40)
    patients = drawn(1, 3_100)
    found = strategies.bootstrap_strategies(Question(patients, COLUMNS, 20.0, TIMES, TAU))[0]
    assert "subsamples" in found["risk"]["method"].iat[0]
    assert (found["risk"]["ci_low"] < found["risk"]["difference"]).all() and (found["risk"]["difference"] < found["risk"]["ci_high"]).all()


@pytest.mark.parametrize(("added", "why"), [(np.nan, NOT_FITTED), (0.0, NOT_FITTED)])
def test_a_treatment_of_nobody_or_everybody_has_no_ratio(added, why):
    assert estimate_time_dependent(drawn(1).assign(added=added))["note"] == why


def test_a_treatment_on_the_last_day_is_none():
    """tmerge leaves out an interval of no length."""
    rows = split_at(pd.DataFrame({"time": [5.0, 5.0, 5.0], "event": [True, True, False], "added": [5.0, 0.0, 2.0]}), [])
    assert rows[["patient", "start", "stop", "event", "treated"]].values.tolist() == [
        [0, 0.0, 5.0, True, 0.0], [2, 0.0, 2.0, False, 0.0], [1, 0.0, 5.0, True, 1.0], [2, 2.0, 5.0, False, 1.0],
    ]  # fmt: skip
