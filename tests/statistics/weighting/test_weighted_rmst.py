"""Weighted restricted means and their resamples equal R; the interval is deterministic and knows what it cannot use."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_data import load_expected

from lib.analyses.efficacy.survival import analyse
from lib.analyses.robustness import confounding
from lib.dataset.dataset import load
from lib.show.sentences.robustness import sentence_weights
from lib.show.tables.confounding import table_weighted
from lib.statistics.survival import rmst
from lib.statistics.weighting import propensity
from lib.statistics.weighting.weighted_rmst import bootstrap_weighted_rmst, count_resamples, estimate_resamples
from lib.study.parts import own
from lib.study.study import ROOT

EXPECTED = load_expected("weighted_rmst")
COVARIATES = [own("age_years"), own("sex"), own("log tg_baseline")]


@pytest.fixture(scope="module")
def cohort():
    data = load("efficacy", study=str(ROOT / "data/rair_dtc"))
    analysis = analyse(data, data.study.primary)
    return data, analysis, confounding.analyse_weights(data, analysis)


@pytest.fixture(scope="module")
def patients(cohort):
    _, analysis, weights = cohort
    return weights["patients"].merge(analysis["tte"][["patient_id", "time", "event"]], on="patient_id")


def test_resamples_equal_r(patients):
    """R: multinom(arm ~ scale(age) + sex + scale(log_tg), reltol = 1e-16); survfit(weights = w), area up to 36."""
    i = np.arange(52)
    drawn = [(i * (2 * b + 1) + i**2 // (b + 2)) % 52 for b in range(1, 9)]
    counts = np.stack([np.ones(52, dtype=int), *(np.bincount(d, minlength=52) for d in drawn)])
    found = estimate_resamples(patients, COVARIATES, ["A", "B", "C"], 36, counts)
    np.testing.assert_allclose(found, [EXPECTED["patients"], *EXPECTED["resamples"]], rtol=1e-5)


def test_the_estimate_is_the_area_under_the_weighted_curve(cohort):
    """The curve of `propensity.estimate_weighted_curve`, whose weights come from another optimiser."""
    curve = cohort[2]["weighted_curve"]
    means = {}
    for arm, steps in curve[curve["time"] < 36].groupby("group"):
        means[arm] = float((steps["survival"] * np.diff([*steps["time"], 36])).sum())
    row = cohort[2].row("weighted_rmst", "C vs A")
    assert row["estimate"] == pytest.approx(means["C"] - means["A"], rel=1e-7)
    assert row["ci_low"] < row["estimate"] < row["ci_high"]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_without_a_covariate_that_differs_nothing_is_weighted(seed):
    """Twins of every patient in the other arm: all weights are 1/2 and the difference is the unweighted one."""
    rng = np.random.default_rng(seed)
    x, time, event = rng.normal(size=30), rng.integers(1, 20, 60).astype(float), rng.random(60) < 0.7
    arm = pd.Categorical(["A"] * 30 + ["B"] * 30, ordered=True)
    frame = pd.DataFrame({"arm": arm, "x": [*x, *x], "time": time, "event": event})
    tau = frame.groupby("arm", observed=True)["time"].max().min()
    found = estimate_resamples(frame, ["x"], ["A", "B"], tau, np.ones((1, 60), dtype=int))[0]
    np.testing.assert_allclose(found, rmst.estimate_rmst(frame, tau)["estimate"], rtol=1e-9)
    scores, _ = propensity.estimate_propensity(frame, ["x"], "A")
    np.testing.assert_allclose(scores, 0.5, rtol=1e-9)


def test_the_interval_is_deterministic_and_resamples_patients(patients):
    one, other = (bootstrap_weighted_rmst(patients, COVARIATES, "A", 36, n_resamples=60, seed=s) for s in (1, 1))
    pd.testing.assert_frame_equal(one, other)
    assert not one.equals(bootstrap_weighted_rmst(patients, COVARIATES, "A", 36, n_resamples=60, seed=2))
    counts = count_resamples(52, 40, 3)
    assert (counts.sum(axis=1) == 52).all()
    assert (counts == 0).any()


def test_arms_that_the_covariates_tell_apart_get_no_interval():
    frame = pd.DataFrame({
        "arm": pd.Categorical(["A"] * 8 + ["B"] * 8, ordered=True), "x": [*range(8), *range(7, 15)],
        "time": np.arange(1.0, 17.0), "event": True,
    })  # fmt: skip
    row = bootstrap_weighted_rmst(frame, ["x"], "A", 8, n_resamples=50, seed=1).iloc[0]
    assert np.isnan(row["ci_low"])
    assert "propensity could be fitted in" in row["note"]


def test_tau_beyond_the_follow_up_is_not_estimable(patients):
    row = bootstrap_weighted_rmst(patients, COVARIATES, "A", 500, n_resamples=20).iloc[1]
    assert np.isnan(row["estimate"])
    assert "beyond the last follow-up" in row["note"]


def test_sentence_and_table_carry_the_interval(cohort):
    data, analysis, weights = cohort
    row = weights.row("weighted_rmst", "C vs A")
    said = f"{row['estimate']:.1f} months (95% CI {row['ci_low']:.1f} to {row['ci_high']:.1f} by bootstrap".replace("-", "−")
    assert said in sentence_weights(weights)
    text = table_weighted(weights, confounding.analyse_e_values(data, analysis)).to_text()
    assert f"{row['estimate']:.1f} (" in text
