"""Models of rows that share a patient, against R (coxph cluster, sandwich::vcovCL), statsmodels' GEE and by brute force."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from clustered_rows import CASES, drawn_rows, rows_of
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lib.statistics.models.clustered import (
    FEW,
    estimate_clustered_cox,
    estimate_clustered_share,
    estimate_slope,
    fit_slope,
    predict,
)
from lib.statistics.models.cox import estimate_cox, estimate_weighted_cox
from lib.statistics.survival.clustered import estimate_pseudo_values

CLOSE = {"rtol": 1e-6, "atol": 1e-10}
DRAWN = settings(deadline=None, max_examples=30)


def _early(name):
    rows = rows_of(name)
    return rows.assign(early=rows["event"] & (rows["time"] <= CASES[name]["at"][1]))


@pytest.mark.parametrize("name", CASES)
def test_cox_equals_r(name):
    """R: coxph(Surv(time, cause == 1) ~ arm, cluster = id): coef, vcov times G / (G - arms), qt and pt with G - arms; rscore."""
    rows, expected = rows_of(name), CASES[name]["cox"]
    found = estimate_clustered_cox(rows, "0", "patient_id")
    assert_allclose(found.terms["coef"], np.atleast_1d(expected["coef"]), **CLOSE)
    for column, theirs in (("std_err", "se"), ("ci_low", "low"), ("ci_high", "high"), ("p_value", "p")):
        assert_allclose(found.terms[column], np.atleast_1d(expected[theirs]), **CLOSE)
    row = found.overall.iloc[0]
    assert_allclose(row["chisq"], expected["rscore"], rtol=1e-6)
    assert row["df"] == rows["arm"].nunique() - 1


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("kind", "outcome", "link"), [("odds", "early", "logit"), ("line", "y", "identity")])
def test_slopes_equal_r(name, kind, outcome, link):
    """R: glm(early ~ 0 + arm + x, binomial), lm(y ~ 0 + arm + x); vcovCL(fit, cluster = id, type = "HC0"); t with G - 1 df."""
    expected = CASES[name][kind]
    fit = fit_slope(_early(name), outcome, "x", "patient_id", link)
    assert_allclose(fit.beta, expected["coef"], **CLOSE)
    assert_allclose(np.sqrt(np.diag(fit.covariance)), expected["se"], **CLOSE)
    row = estimate_slope(fit, 10).iloc[0]
    assert_allclose([row["coef"], row["std_err"]], [10 * expected["coef"][-1], 10 * expected["se"][-1]], **CLOSE)
    assert_allclose(row["p_value"], expected["p"], rtol=1e-5)
    assert_allclose(row["ci_high"] - row["coef"], 10 * expected["reach"], **CLOSE)
    assert (row["n"], row["n_patients"]) == (CASES[name]["n"], CASES[name]["clusters"])


@pytest.mark.parametrize("name", CASES)
def test_odds_of_pseudo_values_equal_r(name):
    """R: survival::pseudo, the equations of glm(family = binomial) solved by hand, and the same sandwich."""
    rows, expected = rows_of(name), CASES[name]["odds_of_pseudo"]
    rows["kept"] = 1 - estimate_pseudo_values(rows, CASES[name]["at"][1])
    fit = fit_slope(rows, "kept", "x", "patient_id", "logit")
    assert_allclose(fit.beta, expected["coef"], **CLOSE)
    assert_allclose(np.sqrt(np.diag(fit.covariance)), expected["se"], **CLOSE)


@pytest.mark.parametrize("name", CASES)
def test_shares_equal_r(name):
    """R: glm(early ~ 1, binomial) of each arm, vcovCL(fit, cluster = id, type = "HC0"), plogis of the t interval."""
    found = estimate_clustered_share(_early(name), "early", "patient_id")
    assert_allclose(found[["estimate", "ci_low", "ci_high"]], CASES[name]["share"], **CLOSE)


@pytest.mark.parametrize("name", ["retinopathy", "made_25", "made_40"])
@pytest.mark.parametrize(("outcome", "family"), [("early", sm.families.Binomial()), ("y", sm.families.Gaussian())])
def test_gee_gives_the_same(name, outcome, family):
    """statsmodels: GEE with independence, whose sandwich lacks the factor G / (G - 1)."""
    rows = _early(name)
    fit = fit_slope(rows, outcome, "x", "patient_id", "logit" if outcome == "early" else "identity")
    x = np.column_stack([*(rows["arm"] == arm for arm in fit.arms), rows["x"] - fit.centre]).astype(float)
    theirs = sm.GEE(rows[outcome].astype(float), x, groups=rows["patient_id"], family=family, cov_struct=sm.cov_struct.Independence()).fit(ctol=1e-12, maxiter=100)
    assert_allclose(fit.beta, theirs.params, rtol=1e-6, atol=1e-9)
    assert_allclose(fit.covariance * (fit.n_clusters - 1) / fit.n_clusters, theirs.cov_params(), rtol=1e-5, atol=1e-12)
    assert_allclose(predict(fit, "1", rows["x"].to_numpy(float))["estimate"][rows["arm"].eq("1").to_numpy()], theirs.fittedvalues[rows["arm"] == "1"], rtol=1e-6)


def test_the_band_holds_the_interval_of_each_point():
    """A curve moved so that a dose is its zero has that point as its intercept."""
    rows = _early("retinopathy")
    fit = fit_slope(rows, "early", "x", "patient_id", "logit")
    band = predict(fit, "0", np.array([10.0, 40.0]))
    for at, row in zip((10.0, 40.0), band.itertuples(), strict=True):
        moved = sm.GLM(rows["early"].astype(float), np.column_stack([np.ones(len(rows)), rows["arm"] == "1", rows["x"] - at]).astype(float), family=sm.families.Binomial())
        theirs = moved.fit(tol=1e-12, cov_type="cluster", cov_kwds={"groups": rows["patient_id"], "use_correction": False})
        error = theirs.bse.iloc[0] if hasattr(theirs.bse, "iloc") else theirs.bse[0]
        logit = np.log(row.ci_high / (1 - row.ci_high)) - np.log(row.ci_low / (1 - row.ci_low))
        g = fit.n_clusters
        from scipy import stats  # noqa: PLC0415

        assert_allclose(logit / 2, stats.t.ppf(0.975, g - 1) * error * np.sqrt(g / (g - 1)), rtol=1e-5)


@DRAWN
@given(drawn_rows(least=8))
def test_leaving_out_each_patient_moves_the_slope_by_as_much(rows):
    """The jackknife over patients, by brute force: of a line, the same but for each patient's leverage."""
    assume(rows["x"].groupby(rows["arm"], observed=True).nunique().gt(2).all())
    fit = fit_slope(rows, "y", "x", "patient_id")
    x = np.column_stack([*(rows["arm"] == arm for arm in fit.arms), rows["x"] - fit.centre]).astype(float)
    bread, y = np.linalg.inv(x.T @ x), rows["y"].to_numpy()
    moves = []
    for patient in rows["patient_id"].unique():
        own = (rows["patient_id"] == patient).to_numpy()
        rest = [fit_slope(rows[~own], "y", "x", "patient_id")]
        assume(not rest[0].note and len(rest[0].arms) == len(fit.arms))
        shift = rest[0].beta[-1] - fit.beta[-1]
        residual = np.linalg.solve(np.eye(own.sum()) - x[own] @ bread @ x[own].T, y[own] - x[own] @ fit.beta)
        assert_allclose(shift, -(bread @ x[own].T @ residual)[-1], rtol=1e-6, atol=1e-9)
        moves.append((bread @ x[own].T @ (y[own] - x[own] @ fit.beta))[-1])
    g = len(moves)
    assert_allclose(fit.covariance[-1, -1], g / (g - 1) * np.sum(np.square(moves)), rtol=1e-8, atol=1e-15)


@DRAWN
@given(drawn_rows(least=8, alone=True))
def test_one_row_per_patient_is_the_analysis_of_patients(rows):
    """The coefficient is that of Cox's model of patients, and the variance that of independent rows."""
    found, plain = estimate_clustered_cox(rows, "0", "patient_id").terms, estimate_cox(rows, "0").terms
    assume("Firth" not in plain["method"].iat[0] and found["note"].eq("").all())
    assert_allclose(found["coef"], plain["coef"], rtol=1e-6, atol=1e-9)
    by_row = estimate_weighted_cox(rows.assign(w=1.0), "0", "w")
    few = len(rows) / (len(rows) - rows["arm"].nunique())
    assert_allclose(found["std_err"], np.sqrt(few) * by_row["std_err"], rtol=1e-9)


@DRAWN
@given(drawn_rows(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(rows, random):
    order = list(range(len(rows)))
    random.shuffle(order)
    mixed = rows.iloc[order]
    for f in (lambda r: estimate_clustered_cox(r, "0", "patient_id").overall.drop(columns=["method", "note"]),
              lambda r: estimate_clustered_share(r, "event", "patient_id").drop(columns=["method", "note"]),
              lambda r: estimate_slope(fit_slope(r, "y", "x", "patient_id"), 1).drop(columns=["method", "note"])):  # fmt: skip
        pd.testing.assert_frame_equal(f(mixed), f(rows), rtol=1e-6, atol=1e-9)


@DRAWN
@given(drawn_rows(least=8))
def test_more_lesions_that_fare_the_same_tell_nothing_more(rows):
    """Every lesion twice: interval and test of a line and of a share stay as they are."""
    twice = pd.concat([rows, rows], ignore_index=True)
    kept = ["coef", "std_err", "ci_low", "ci_high", "p_value", "n_patients"]
    assert_allclose(*(estimate_slope(fit_slope(f, "y", "x", "patient_id"), 1)[kept] for f in (twice, rows)), rtol=1e-6, atol=1e-9)
    kept = ["estimate", "std_err", "ci_low", "ci_high", "n_patients"]
    assert_allclose(*(estimate_clustered_share(f, "event", "patient_id")[kept] for f in (twice, rows)), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", ["retinopathy", "made_40", "made_2000"])
def test_cox_of_doubled_lesions_is_no_surer(name):
    """Ties that the doubling makes move the estimate a little (Efron); the naive error shrinks by the root of two."""
    rows = rows_of(name)
    once, twice = (estimate_clustered_cox(f, "0", "patient_id").terms for f in (rows, pd.concat([rows, rows], ignore_index=True)))
    assert_allclose(twice["std_err"], once["std_err"], rtol=0.06)
    naive = estimate_cox(pd.concat([rows, rows], ignore_index=True), "0").terms
    assert (naive["std_err"] < 0.75 * estimate_cox(rows, "0").terms["std_err"]).all()


def test_an_arm_without_an_event_has_a_test_and_no_ratio():
    """R: coxph(Surv(time, cause == 1 & arm == 0) ~ arm, cluster = id)$rscore, of survival::retinopathy."""
    rows = rows_of("retinopathy")
    rows["event"] &= rows["arm"] == "0"
    found = estimate_clustered_cox(rows, "0", "patient_id")
    assert np.isnan(found.terms["hr"].iat[0])
    assert found.terms["note"].iat[0] == "not estimable: no event in 1"
    assert_allclose(found.overall["chisq"], 86.7977831589, rtol=1e-6)


def test_what_cannot_be_estimated_is_said():
    rows = _early("made_25")
    one = rows[rows["patient_id"] == rows["patient_id"].iat[0]]
    assert fit_slope(one, "y", "x", "patient_id").note == "not estimable: fewer than two patients"
    assert fit_slope(rows.iloc[:0], "y", "x", "patient_id").note == "not estimable: fewer than two patients"
    assert "do not vary" in fit_slope(rows.assign(x=100), "y", "x", "patient_id").note
    assert "all of an arm" in fit_slope(rows.assign(early=rows["early"] & (rows["arm"] == "0")), "early", "x", "patient_id", "logit").note
    apart = rows.assign(early=rows["x"] > rows["x"].median())
    assert "separate" in fit_slope(apart, "early", "x", "patient_id", "logit").note
    assert estimate_slope(fit_slope(apart, "early", "x", "patient_id", "logit"), 10)["coef"].isna().all()
    none = estimate_clustered_share(rows.assign(early=False), "early", "patient_id")
    assert (none["estimate"] == 0).all()
    assert none[["std_err", "ci_low", "ci_high"]].isna().all(axis=None)
    quiet = estimate_clustered_cox(rows.assign(event=False), "0", "patient_id")
    assert quiet.overall["note"].iat[0] == FEW
    assert np.isnan(quiet.overall["p_value"].iat[0])


def test_an_arm_of_one_patient_has_a_curve_whose_variance_is_not_below_zero():
    """Its intercept meets its own lesions: what is left of the variance is rounding."""
    rows = rows_of("made_25")
    for patient in rows["patient_id"].unique():
        one = rows[(rows["arm"] == "0") | (rows["patient_id"] == patient)]
        fit = fit_slope(one, "y", "x", "patient_id")
        for arm in fit.arms:
            assert predict(fit, arm, np.linspace(60, 160, 50))[["ci_low", "ci_high"]].notna().all(axis=None)
