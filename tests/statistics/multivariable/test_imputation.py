"""Chained equations: what is drawn against distributions that are known, and frames of any kind."""

import lifelines
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_data import FOLDER, load_expected, make_tte
from scipy import optimize

from lib.statistics.multivariable import imputation
from lib.statistics.multivariable.imputation import DONORS, PRIOR_SD, impute, impute_covariates, predictors_of

COLON = FOLDER.parent.parent / "data" / "colon" / "patients.csv"



def cohort(n, seed, missing=0.3, arms="AB"):
    """Patients with a number, a category of three levels and a number that is known; some of the first two missing."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    x = 0.8 * z + rng.normal(size=n)
    level = pd.Categorical(np.array(["low", "mid", "high"])[(x + rng.normal(size=n) > [[-0.5], [0.5]]).sum(axis=0)], categories=["low", "mid", "high"], ordered=True)
    tte = pd.DataFrame({"arm": pd.Categorical(rng.choice(list(arms), n), categories=list(arms), ordered=True), "time": rng.exponential(np.exp(-x / 2)), "event": rng.random(n) < 0.7, "x": x, "level": level, "z": z})
    tte.loc[rng.random(n) < missing, "x"] = np.nan
    tte.loc[rng.random(n) < missing, "level"] = np.nan
    return tte


def test_nelson_aalen_equals_r():
    """survfit(Surv(recurrence_days, recurrence_status) ~ 1, ctype = 1)$cumhaz"""
    patients, expected = pd.read_csv(COLON), load_expected("imputation")["nelson_aalen"]
    tte = pd.DataFrame({"arm": pd.Categorical(patients["rx"]), "time": patients["recurrence_days"].astype(float), "event": patients["recurrence_status"] == 1})
    hazard = imputation._outcome(tte)[:, -1]
    last = [hazard[tte["time"] <= at].max() for at in expected["time"]]
    assert_allclose(last, expected["hazard"], rtol=1e-6)
    fitter = lifelines.NelsonAalenFitter(nelson_aalen_smoothing=False).fit(tte["time"], tte["event"])
    assert_allclose(hazard, fitter.cumulative_hazard_at_times(tte["time"]), rtol=1e-9)


def test_a_number_comes_from_its_posterior():
    """x = 1 + 2 z + e, sd 0.5, z known: draws at z have mean 1 + 2 z and spread 0.5; each is a value that somebody has."""
    rng = np.random.default_rng(4)
    known, missing, m = 400, 400, 400
    z = np.repeat([0.0, 1.0], (known + missing) // 2)
    x = 1 + 2 * z + 0.5 * rng.normal(size=known + missing)
    gone = np.arange(known + missing) % 2 == 0
    drawn = impute([(np.where(gone, np.nan, x), 0)], z[:, None], m, seed=1)[0]
    assert (drawn[:, ~gone] == x[~gone]).all()
    assert np.isin(drawn[:, gone], x[~gone]).all()  # somebody's value each
    for at in (0.0, 1.0):
        own, others = drawn[:, gone & (z == at)], x[~gone & (z == at)]
        assert_allclose(own.mean(), others.mean(), atol=0.02)
        assert_allclose(own.std(), others.std(), rtol=0.1)


def test_the_model_is_drawn_too():
    """With k known and j missing the mean of j draws has variance s^2 (1 / k + 1 / j) over imputations.

    Without draws of the model the first part, here half of it, would be missing.
    """
    n, m = 240, 600
    gone = np.arange(n) % 2 == 0
    level = (np.arange(n) % 8 < 4).astype(float)  # half of those known
    codes = impute([(np.where(gone, np.nan, level), 2)], np.zeros((n, 1)), m, seed=2)[0][:, gone]
    share = level[~gone].mean()
    assert_allclose(codes.mean(), share, atol=0.01)
    assert_allclose(codes.mean(axis=1).var(), share * (1 - share) * (2 / (n // 2)), rtol=0.15)
    varied = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        z = rng.normal(size=n)
        x = z + rng.normal(size=n)
        varied.append(impute([(np.where(gone, np.nan, x), 0)], z[:, None], 200, seed=seed)[0][:, gone].mean(axis=1).var())
    assert_allclose(np.mean(varied), 2 / (n // 2), rtol=0.25)


@pytest.mark.parametrize("seed", range(12))
def test_a_donor_is_any_of_the_nearest(seed):
    """Each of the nearest five with a fifth, of those that tie for the last places any, as counted one by one."""
    rng = np.random.default_rng(seed)
    near = rng.integers(0, 4, rng.integers(2, 15)).astype(float) if seed % 2 else rng.normal(size=rng.integers(2, 15))
    far = rng.integers(-1, 5, 3).astype(float) if seed % 3 else 2 * rng.normal(size=3)
    picked = np.array([imputation._match(near, far, rng) for _ in range(2000)])
    donors = min(DONORS, len(near))
    for i, value in enumerate(far):
        gaps = np.abs(near - value)
        last = np.sort(gaps)[donors - 1]
        chance, tied = np.where(gaps < last - 1e-9, 1 / donors, 0.0), np.abs(gaps - last) <= 1e-9
        chance[tied] = (1 - chance.sum()) / tied.sum()
        assert_allclose(np.bincount(picked[:, i], minlength=len(near)) / 2000, chance, atol=0.05)


def test_levels_come_from_their_cells():
    """Of a predictor with two values a logistic model is saturated: shares drawn are those known in each cell."""
    z = np.repeat([0.0, 1.0], 600)
    level = np.concatenate([np.repeat([0.0, 1.0, 2.0], [300, 180, 120]), np.repeat([0.0, 1.0, 2.0], [60, 180, 360])])
    gone = np.arange(1200) % 3 == 0
    drawn = impute([(np.where(gone, np.nan, level), 3)], z[:, None], 200, seed=5)[0]
    for at in (0.0, 1.0):
        cell = z == at
        known = [(level[cell & ~gone] == k).mean() for k in range(3)]
        assert_allclose([(drawn[:, cell & gone] == k).mean() for k in range(3)], known, atol=0.02)


def test_the_mode_is_that_of_a_general_optimizer():
    rng = np.random.default_rng(8)
    x = np.column_stack([np.ones(60), rng.normal(size=(60, 2))])
    own = np.eye(3)[rng.integers(3, size=60)]
    beta, information = imputation._fit_levels(x[None], own)

    def loss(flat):
        logits = np.column_stack([np.zeros(60), x @ flat.reshape(2, 3).T])
        prior = (flat.reshape(2, 3)[:, 1:] ** 2).sum() / (2 * PRIOR_SD**2)
        return -(own * logits).sum() + np.log(np.exp(logits).sum(axis=1)).sum() + prior

    best = optimize.minimize(loss, np.zeros(6), method="BFGS", options={"gtol": 1e-10})
    assert_allclose(beta[0].ravel(), best.x, atol=1e-6)
    step = 1e-3
    second = [[(loss(best.x + step * (a + b)) - loss(best.x + step * (a - b)) - loss(best.x - step * (a - b)) + loss(best.x - step * (a + b))) / (4 * step**2) for a in np.eye(6)] for b in np.eye(6)]
    assert_allclose(information[0], second, rtol=1e-4, atol=1e-4)


def test_levels_that_a_number_tells_apart_are_drawn_on_their_side():
    """The likelihood has no maximum, the posterior has."""
    z = np.linspace(-2, 2, 60)
    level = (z > 0).astype(float)
    gone = np.zeros(60, dtype=bool)
    gone[[2, 57]] = True
    drawn = impute([(np.where(gone, np.nan, level), 2)], z[:, None], 200, seed=6)[0]
    assert (drawn[:, 2] == 0).mean() > 0.95
    assert (drawn[:, 57] == 1).mean() > 0.95


def test_a_number_of_which_two_are_known():
    values = np.array([1.0, 5.0, np.nan, np.nan])
    drawn = impute([(values, 0)], np.arange(4.0)[:, None], 20, seed=1)[0]
    assert set(drawn[:, 2:].ravel()) == {1.0, 5.0}


@settings(max_examples=25)
@given(n=st.integers(6, 60), seed=st.integers(0, 1000), missing=st.floats(0.05, 0.6), arms=st.sampled_from(["AB", "ABC", "ABCDEF"]))
def test_any_frame_is_completed(n, seed, missing, arms):
    tte = cohort(n, seed, missing, arms)
    if tte[["x", "level"]].isna().all().any():
        with pytest.raises(ValueError, match="nothing is known"):
            impute_covariates(tte, ["x", "level", "z"], 3, 1)
        return
    done = impute_covariates(tte, ["x", "level", "z"], 3, 1)
    for frame in done:
        assert frame.notna().all(axis=None)
        assert list(frame.columns) == list(tte.columns)
        for name in ("x", "level"):
            known = tte[name].notna()
            assert (frame.loc[known, name].astype(str) == tte.loc[known, name].astype(str)).all()
            assert set(frame[name].astype(str)) <= set(tte.loc[known, name].astype(str))


def test_the_same_seed_is_the_same_draw():
    tte = cohort(80, 1)
    one, two, other = (impute_covariates(tte, ["x", "level", "z"], 5, seed) for seed in (1, 1, 2))
    assert all(a.equals(b) for a, b in zip(one, two, strict=True))
    assert not all(a.equals(b) for a, b in zip(one, other, strict=True))
    assert not one[0].equals(one[1])


def test_parts_that_fit_into_memory(monkeypatch):
    tte = cohort(80, 1)
    monkeypatch.setattr(imputation, "AT_ONCE", 3 * 80 * 8)
    assert len(impute_covariates(tte, ["x", "level", "z"], 10, 1)) == 10


def test_predictors():
    tte = cohort(80, 1, arms="ABC")
    # two arms, event and hazard; of the number the two indicators and z, of the category the number and z
    assert predictors_of(tte, ["x", "level", "z"]) == 2 + 2 + 3
    assert predictors_of(tte, ["z"]) == 2 + 2 + 1


def test_arms_without_patients_and_odd_columns():
    tte = make_tte({"A": [(i, i % 2) for i in range(1, 13)], "B": [], "C": [(i, i % 3 == 0) for i in range(1, 13)]})
    tte = tte.assign(**{"own.a b=c": [None, *range(23)], "own.flag": pd.array([True, False, None] * 8, dtype="boolean")})
    done = impute_covariates(tte, ["own.a b=c", "own.flag"], 5, 1)
    assert all(frame[["own.a b=c", "own.flag"]].notna().all(axis=None) for frame in done)
