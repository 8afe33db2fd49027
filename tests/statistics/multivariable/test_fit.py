"""Whether Cox models fit, against R: splines, cox.zph by term and its residuals, periods, interactions, optimism (fit.R)."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_data import load_expected, load_tte, make_tte

from lib.statistics.models.concordance import concordance
from lib.statistics.multivariable.interaction import compare_levels
from lib.statistics.multivariable.nested import compare_models, fit_model
from lib.statistics.multivariable.optimism import draw_resamples, estimate_discrimination
from lib.statistics.multivariable.periods import compare_periods, split_at
from lib.statistics.multivariable.proportional import check_terms, scaled_residuals, trends
from lib.statistics.multivariable.splines import DRAWN, Bend, bend_columns, number_of_knots, place_knots, spline_basis

R = {"rtol": 1e-6, "atol": 1e-9}
COVARIATES = ["x_age", "g"]
SETS = list(load_expected("fit"))


def prepared(name):
    """A data set as fit.R makes it, its reference arm, its strata, and R's values."""
    expected = load_expected("fit")[name]
    chosen = expected["set"]
    tte = load_tte(chosen["file"])
    tte = tte[tte[["x_age", chosen["g"]]].notna().all(axis=1)].reset_index(drop=True)
    g = tte["x_karno"] >= 60 if chosen["g"] == "x_karno" else tte[chosen["g"]]
    return tte.assign(g=g.astype("category")), str(tte["arm"].cat.categories[0]), chosen.get("strata"), expected


def assert_test(found, expected):
    """Chi-square, degrees of freedom and p."""
    assert_allclose([found["chisq"], found["df"], found["p_value"]], [expected["chisq"], expected["df"], expected["p"]], **R)


def assert_ratios(found, expected):
    """Hazard ratios with their limits."""
    for ours, theirs in (("hr", "hr"), ("ci_low", "low"), ("ci_high", "high")):
        assert_allclose(found[ours], np.atleast_1d(expected[theirs]), **R)


@pytest.mark.parametrize("name", SETS)
def test_splines(name):
    """anova(coxph(S ~ arm + x_age + g), coxph(S ~ arm + x_age + B + g)), B the basis of Hmisc::rcspline.eval; with splines::ns it is the same."""
    tte, reference, strata, expected = prepared(name)
    knots = place_knots(tte["x_age"].to_numpy(float), expected["set"]["k"])
    assert_allclose(knots, expected["knots"], **R)
    bend = Bend.estimate(tte, reference, COVARIATES, "x_age", knots, strata=strata)
    assert_test(bend.test, expected["bend"])
    assert_allclose(bend.test["chisq"], expected["bend"]["ns_chisq"], **R)
    some = bend.curve.iloc[[0, 20, 40, 60, 80]]
    assert_ratios(some, expected["bend"]["curve"])
    assert_allclose(some["value"].iloc[[0, -1]], np.quantile(tte["x_age"], DRAWN))
    assert_ratios(bend.quartiles.loc["spline"], {key: values[0] for key, values in expected["bend"]["quartiles"].items()})
    assert_allclose(bend.quartiles.loc["line", "hr"], expected["bend"]["straight"], **R)


@pytest.mark.parametrize("name", SETS)
def test_proportional_hazards_by_term(name):
    """cox.zph(fit, transform = "km", terms = TRUE)"""
    tte, reference, strata, expected = prepared(name)
    model = fit_model(tte, reference, COVARIATES, strata)
    places = range(len(model.design.terms))
    parts = {
        "arm": [j for j in places if model.design.terms[j].startswith("arm=")],
        "x_age": [model.place("x_age")],
        "g": [j for j in places if model.design.terms[j].startswith("g")],
        "GLOBAL": list(places),
    }
    found = check_terms(model, parts)
    assert found["part"].tolist() == expected["zph"]["term"]
    assert_allclose(found[["chisq", "df", "p_value"]], np.column_stack([expected["zph"][key] for key in ("chisq", "df", "p")]), **R)


@pytest.mark.parametrize("name", [name for name in SETS if name != "colon_stratified"])
def test_residuals_and_trends(name):
    """cox.zph(fit, transform = "km", terms = FALSE)$y; lm(y ~ x), lm(y ~ ns(x)) with the variance of plot.cox.zph"""
    tte, reference, strata, expected = prepared(name)
    model = fit_model(tte, reference, COVARIATES, strata)
    arms = [j for j, term in enumerate(model.design.terms) if term.startswith("arm=")]
    residuals = scaled_residuals(tte, model, arms)
    assert_allclose(np.sort(residuals["time"]), np.sort(tte.loc[tte["event"], "time"]))
    for j, theirs in zip(arms, expected["residuals"], strict=True):
        assert_allclose(np.sort(residuals[j])[::7], theirs["y"], rtol=1e-6)
        drawn = trends(model, residuals, j, 0.95).iloc[::7]
        assert_allclose(drawn["line"], theirs["line"], rtol=1e-6, atol=1e-7)
        assert_allclose(drawn["smooth"], theirs["smooth"], rtol=1e-6, atol=1e-7)
        assert_allclose(drawn["high"] - drawn["smooth"], theirs["reach"], rtol=1e-6)


@pytest.mark.parametrize("name", SETS)
def test_periods(name):
    """coxph(Surv(tstart, time, event) ~ arm + x_age + g + later1 + later2, survSplit(Surv(time, event) ~ ., d, cut = at))"""
    tte, reference, strata, expected = prepared(name)
    found = compare_periods(tte, reference, COVARIATES, expected["set"]["at"], strata=strata)
    assert_test(found.test, expected["periods"]["test"])
    for period in ("before", "after"):
        assert_ratios(found.ratios[found.ratios["period"] == period], expected["periods"][period])
    assert found.ratios[["n", "n_events"]].to_numpy().tolist() == expected["periods"]["sizes"]


@pytest.mark.parametrize("name", SETS)
def test_interactions(name):
    """anova(coxph(S ~ arm + x_age + g + h), coxph(S ~ arm * h + x_age + g)), h = x_age above its median"""
    tte, reference, strata, expected = prepared(name)
    high = tte["x_age"] > tte["x_age"].median()
    found = compare_levels(tte, reference, {"low": ~high, "high": high}, COVARIATES, strata=strata)
    assert_test(found.test, expected["levels"]["test"])
    for level in ("low", "high"):
        assert_ratios(found.ratios[found.ratios["level"] == level], expected["levels"][level])


@pytest.mark.parametrize("name", SETS)
def test_optimism_of_the_same_resamples(name):
    """concordance(coxph(S ~ arm + x_age + g, d[i, ])) there less in d; coef(coxph(S ~ eta)) in d; R's own rows i"""
    tte, reference, strata, expected = prepared(name)
    theirs = expected["discrimination"]
    model = fit_model(tte, reference, COVARIATES, strata)
    found = estimate_discrimination(tte, model, np.array(theirs["rows"]) - 1, strata)
    assert (found.n_resamples, found.n_drawn) == (theirs["used"], len(theirs["rows"]))
    shown = [found.apparent, found.optimism, found.corrected, found.slope]
    assert_allclose(shown, [theirs["apparent"], theirs["optimism"], theirs["apparent"] - theirs["optimism"], theirs["slope"]], **R)


def test_resamples_are_the_same_in_every_run():
    assert (draw_resamples(52, 1) == draw_resamples(52, 1)).all()
    assert draw_resamples(52, 1).shape == (200, 52)
    assert draw_resamples(2_000, 1).shape == (100, 2_000)
    assert draw_resamples(9_000, 1).shape == (50, 9_000)


def test_a_model_of_noise_discriminates_only_in_appearance():
    """Twelve covariates of 60 patients that have nothing to do with the event: what is left is near a half."""
    rng = np.random.default_rng(5)
    tte = make_tte({"a": [(t, True) for t in rng.exponential(1, 30)], "b": [(t, True) for t in rng.exponential(1, 30)]})
    names = [f"z{i}" for i in range(12)]
    tte[names] = rng.normal(size=(60, 12))
    found = estimate_discrimination(tte, fit_model(tte, "a", names), draw_resamples(60, 3))
    assert found.apparent > 0.6
    assert abs(found.corrected - 0.5) < abs(found.apparent - 0.5)
    assert found.slope < 0.7


@pytest.mark.parametrize(("events", "knots"), [(0, 3), (29, 3), (30, 4), (99, 4), (100, 5), (5_000, 5)])
def test_number_of_knots(events, knots):
    assert number_of_knots(events) == knots


def test_tied_values_have_fewer_knots():
    """quantile(c(0, 0, 0, 0, 0, 0, 1, 2, 3, 4), c(.05, .275, .5, .725, .95))"""
    assert_allclose(place_knots(np.array([0.0] * 6 + [1, 2, 3, 4]), 5), [0, 1.525, 3.55])
    assert len(place_knots(np.array([2.0] * 9), 5)) == 1


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=5, unique=True), st.floats(0.1, 50))
def test_a_spline_is_straight_beyond_its_knots(knots, reach):
    """Second differences are 0 outside the outer knots, whatever these are."""
    knots = np.sort(np.round(knots, 1))
    if len(np.unique(knots)) < len(knots):
        return
    for outside in (knots[0] - reach * np.arange(3), knots[-1] + reach * np.arange(3)):
        columns = spline_basis(outside, knots)
        assert columns.shape == (3, len(knots) - 2)
        assert np.abs(np.diff(columns, 2, axis=0)).max() <= 1e-6 * max(1.0, np.abs(columns).max(), np.abs(knots).max() + reach)


def test_a_line_that_is_straight_has_no_bend():
    """The same model in other units: chi-square does not move, the curve follows the units."""
    tte, reference, _, _ = prepared("lung")
    scaled = tte.assign(x_age=tte["x_age"] / 10)
    bends = [Bend.estimate(frame, reference, COVARIATES, "x_age", place_knots(frame["x_age"].to_numpy(float), 4)) for frame in (tte, scaled)]
    assert_allclose(bends[0].test["chisq"], bends[1].test["chisq"], rtol=1e-8)
    assert_allclose(bends[0].curve["hr"], bends[1].curve["hr"], rtol=1e-8)
    assert_allclose(bends[0].curve["value"], 10 * bends[1].curve["value"])


def test_events_at_the_very_time_are_before_it():
    """survSplit(Surv(time, event) ~ ., d, cut = 3)"""
    tte = make_tte({"a": [(1, 1), (3, 1), (5, 0)], "b": [(3, 0), (4, 1)]})
    rows = split_at(tte, 3)
    assert rows[["time", "event", "period"]].to_numpy().tolist() == [
        [1, True, "before"], [3, True, "before"], [3, False, "before"], [3, False, "before"], [3, False, "before"],
        [5, False, "after"], [4, True, "after"],
    ]  # fmt: skip


def separated():
    """All events of one arm, none of the other."""
    return make_tte({"a": [(t, 1) for t in range(1, 9)], "b": [(t, 0) for t in range(2, 10)]}).assign(x=[*range(8), *range(8)])


def test_nothing_is_compared_where_a_model_cannot_be_fitted():
    tte = separated()
    model = fit_model(tte, "a", ["x"])
    assert not model.usable
    assert np.isnan(compare_models(model, model)["chisq"])
    assert Bend.estimate(tte, "a", ["x"], "x", np.array([1.0, 3, 6])) is None
    assert compare_periods(tte, "a", ["x"], 4.5).ratios["hr"].isna().all()
    assert compare_levels(tte, "a", {"low": tte["x"] < 4, "high": tte["x"] >= 4}).ratios["hr"].isna().all()


def test_a_period_in_which_an_arm_has_no_event_has_no_ratio():
    tte = make_tte({"a": [(t, 1) for t in range(1, 13)], "b": [(t + 0.5, t > 6) for t in range(1, 13)]})
    found = compare_periods(tte, "a", [], 6)
    assert found.ratios["hr"].isna().all()  # the larger model separates
    assert found.ratios["n_events"].tolist() == [6, 12]
    assert np.isnan(found.test["p_value"])


def test_bends_take_no_name_of_the_study():
    """A variable may have any name but that of a column of ours, which holds a space."""
    tte = prepared("lung")[0]
    added = set(bend_columns(tte, "x_age", np.array([40.0, 60, 75]))) - set(tte)
    assert added == {"bend 0"}


def test_concordance_as_fitted_is_the_models_own():
    tte, reference, _, _ = prepared("veteran")
    model = fit_model(tte, reference, COVARIATES)
    own = concordance(tte, model.design.x @ model.fit.beta, None)
    assert estimate_discrimination(tte, model, draw_resamples(len(tte), 1)[:2]).apparent == own
    assert isinstance(own, float) and pd.notna(own)
