"""Priors and posteriors against R's integrals (bayes.R), scipy's, closed formulas, and what must hold of all of them."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_data import load_expected, load_tte, make_tte, numbers
from scipy import integrate, optimize, stats

from lib.statistics.bayes import grid, normal, shares
from lib.statistics.bayes.knowledge import read_off
from lib.statistics.bayes.profile import profile_partial_likelihood
from lib.statistics.models.cox import estimate_cox

EXACT = {"rtol": 1e-6, "atol": 1e-9}
R = load_expected("bayes")
effects = st.floats(-2, 2)
errors = st.floats(0.05, 1.5)
counts = st.integers(0, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def mixture(row):
    return normal.NormalMixture(*(tuple(np.atleast_1d(row[name]).tolist()) for name in ("weight", "mean", "sd")))


def betas(row, names=("weight", "a", "b")):
    return shares.BetaMixture(*(tuple(np.atleast_1d(row[name]).astype(float).tolist()) for name in names))


@pytest.mark.parametrize("row", R["effect"], ids=lambda row: f"{row['file']}-{row['arm']}")
def test_the_exact_partial_likelihood_and_its_posterior_equal_r(row):
    """coxph(Surv(time, event) ~ offset(b) + others, ties = "efron")$loglik; integrate(exp(loglik) * dnorm)"""
    tte = load_tte(row["file"])
    likelihood = profile_partial_likelihood(tte, row["arm"], tte["arm"].cat.categories[0], (-3.5, 3.5))
    spline = grid.CubicSpline(likelihood.x, likelihood.value)
    assert_allclose(spline(row["b"]) - spline(0), row["loglik"], rtol=1e-6, atol=2e-6)
    mean, sd = row["prior"]
    known = grid.combine(normal.NormalMixture((1.0,), (mean,), (sd,)), likelihood)
    assert_allclose([known.mean, float(known.cdf(0.0)), *(known.quantile(p) for p in (0.025, 0.975))], [row["mean"], row["below"], *row["ci"]], rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("row", R["normal"], ids=str)
def test_a_normal_posterior_equals_r(row):
    """integrate() over prior(x) * dnorm(x, estimate, std_err); as RBesT::postmix"""
    prior = mixture(row)
    known = normal.update(prior, row["estimate"], row["std_err"])
    assert_allclose(known.weight, numbers(row["posterior_weight"]), **EXACT)
    found = read_off(known, 0.95)
    assert_allclose([found["mean"], float(known.cdf(0.0)), found["ci_low"], found["ci_high"]], [row["posterior_mean"], row["below"], *row["ci"]], **EXACT)


@pytest.mark.parametrize("row", R["share"], ids=str)
def test_a_posterior_of_a_share_equals_r(row):
    """integrate() over prior(x) * dbinom(count, n, x); as RBesT::postmix"""
    known = shares.update(betas(row), row["count"], row["n"])
    assert_allclose(known.weight, numbers(row["posterior_weight"]), **EXACT)
    assert_allclose([known.mean, known.quantile(0.025), known.quantile(0.975)], [row["mean"], *row["ci"]], **EXACT)


@pytest.mark.parametrize("row", R["difference"], ids=lambda row: str(row["first"]))
def test_the_difference_of_two_shares_equals_r(row):
    """integrate(dbeta(y, a2, b2) * pbeta(y + d, a1, b1))"""
    known = shares.Difference(*(betas(row[name], ("w", "a", "b")) for name in ("first", "second")))
    assert_allclose(known.cdf(np.array(row["at"])), row["below"], **EXACT)


def test_prior_predictive_p_values_equal_r():
    """2 * pnorm(-abs(est - m) / sqrt(s^2 + se^2)); sum(p[p <= p[seen]]) of the beta-binomial"""
    doubt, hope = (normal.NormalMixture((1.0,), (mean,), (0.24,)) for mean in (0.0, -0.4))
    assert_allclose([normal.predict(prior, -1.1, 0.47) for prior in (doubt, hope)], R["predict"]["normal"], **EXACT)
    earlier = shares.BetaMixture((1.0,), (45.5,), (31.5,))
    found = [shares.predict(earlier, 3, 14), shares.predict(earlier, 8, 14), shares.predict(shares.JEFFREYS, 0, 9)]
    assert_allclose(found, R["predict"]["beta"], **EXACT)


def test_of_a_mixture_the_predictive_p_value_is_an_integral():
    prior = normal.NormalMixture((0.3, 0.7), (-1.0, 0.5), (0.2, 0.4))
    one, same = normal.NormalMixture((1.0,), (0.2,), (0.4,)), normal.NormalMixture((0.5, 0.5), (0.2, 0.2), (0.4, 0.4))
    assert_allclose(normal.predict(same, -0.9, 0.3), normal.predict(one, -0.9, 0.3), rtol=1e-9)
    density = lambda y: sum(w * stats.norm.pdf(y, m, np.hypot(s, 0.3)) for w, m, s in zip(*prior, strict=True))  # noqa: E731
    cut = density(1.1)
    x = np.linspace(-6, 6, 2001)
    turns = [optimize.brentq(lambda y: density(y) - cut, *x[i : i + 2]) for i in np.flatnonzero(np.diff(density(x) > cut))]
    assert len(turns) == 4
    inside = sum(integrate.quad(density, *turns[i : i + 2])[0] for i in (0, 2))
    assert_allclose(normal.predict(prior, 1.1, 0.3), 1 - inside, rtol=1e-9)


@given(effects, errors, effects, errors)
def test_one_normal_prior_is_conjugate(mean, sd, estimate, std_err):
    known = normal.update(normal.NormalMixture((1.0,), (mean,), (sd,)), estimate, std_err)
    precision = sd**-2 + std_err**-2
    assert_allclose([known.mean, known.variance], [(mean / sd**2 + estimate / std_err**2) / precision, 1 / precision], rtol=1e-9, atol=1e-12)


@given(effects, errors, st.floats(0.5, 0.99))
def test_without_a_prior_the_interval_is_that_of_the_likelihood(estimate, std_err, level):
    found = read_off(normal.update(normal.FLAT, estimate, std_err), level)
    reach = stats.norm.ppf(0.5 + level / 2) * std_err
    assert_allclose([found["median"], found["ci_low"], found["ci_high"]], [estimate, estimate - reach, estimate + reach], rtol=1e-9, atol=1e-12)


@settings(max_examples=40)
@given(st.lists(st.tuples(effects, errors), min_size=1, max_size=4), st.floats(0.05, 0.95), effects, errors)
def test_weights_sum_to_one_and_the_mixture_is_the_integral(found, weight, estimate, std_err):
    prior = normal.make_robust(found, [weight] * len(found))
    known = normal.update(prior, estimate, std_err)
    assert_allclose([sum(prior.weight), sum(known.weight)], 1, rtol=1e-12)
    assert_allclose(known.cdf(known.quantile(0.2)), 0.2, atol=1e-9)
    x = np.linspace(estimate - 10 * std_err, estimate + 10 * std_err, 40_001)
    joint = prior.pdf(x) * stats.norm.pdf(x, estimate, std_err)
    below = integrate.simpson(np.where(x <= x[18_000], joint, 0)[:18_001], x=x[:18_001]) / integrate.simpson(joint, x=x)
    assert_allclose(known.cdf(x[18_000]), below, atol=1e-6)


@given(effects, errors, effects, errors)
def test_swapped_arms_flip_signs_and_probabilities(mean, sd, estimate, std_err):
    one = normal.update(normal.make_robust([(mean, sd)], [0.5]), estimate, std_err)
    other = normal.update(normal.make_robust([(-mean, sd)], [0.5]), -estimate, std_err)
    assert_allclose(one.mean, -other.mean, rtol=1e-9, atol=1e-12)
    assert_allclose(one.cdf(0.3), 1 - other.cdf(-0.3), atol=1e-9)


@given(effects, errors, effects)
def test_more_data_leave_less_of_the_prior(mean, sd, estimate):
    """Each doubling of the events brings the posterior nearer to the estimate and makes it narrower."""
    prior = normal.NormalMixture((1.0,), (mean,), (sd,))
    known = [normal.update(prior, estimate, 2 / np.sqrt(events)) for events in (10, 20, 40, 80)]
    away = [abs(one.mean - estimate) for one in known]
    assert all(later <= earlier + 1e-12 for earlier, later in pairwise(away))
    assert all(later.variance < earlier.variance for earlier, later in pairwise(known))


def test_doubt_and_hope_are_as_declared():
    """Spiegelhalter, Freedman and Parmar: what is left to a benefit beyond the worthwhile, and to harm"""
    worth = np.log(0.67)
    assert_allclose([normal.doubt(worth, 0.05).cdf(worth), normal.doubt(worth, 0.05).cdf(0.0)], [0.05, 0.5], rtol=1e-12)
    assert_allclose([1 - normal.hope(worth, 0.05).cdf(0.0), normal.hope(worth, 0.05).cdf(worth)], [0.05, 0.5], rtol=1e-12)
    assert_allclose(normal.count_events(normal.doubt(worth, 0.05)), 4 * (stats.norm.ppf(0.05) / worth) ** 2, rtol=1e-12)
    assert normal.count_events(normal.FLAT) == 0
    assert_allclose(normal.read_interval(0.6, 0.4, 0.9, 0.95), [np.log(0.6), np.log(0.9 / 0.4) / (2 * 1.959963984540054)], rtol=1e-12)


@given(counts, st.floats(0.05, 0.95))
def test_shares_by_closed_formula(counted, weight):
    count, n = counted
    alone = shares.update(shares.JEFFREYS, count, n)
    assert_allclose([alone.mean, alone.quantile(0.3)], [(count + 0.5) / (n + 1), stats.beta.ppf(0.3, count + 0.5, n - count + 0.5)], rtol=1e-9)
    assert_allclose(shares.count_patients(alone), n + 1, rtol=1e-9)
    prior = shares.make_robust([(45, 76)], [weight])
    known = shares.update(prior, count, n)
    assert_allclose([sum(prior.weight), sum(known.weight)], 1, rtol=1e-12)
    mirrored = shares.update(shares.make_robust([(31, 76)], [weight]), n - count, n)
    assert_allclose([known.mean, known.quantile(0.2)], [1 - mirrored.mean, 1 - mirrored.quantile(0.8)], rtol=1e-6, atol=1e-9)
    assert_allclose(known.weight, mirrored.weight, rtol=1e-9)


@settings(max_examples=20)
@given(counts, counts, st.floats(-0.9, 0.9))
def test_differences_by_scipy(one, other, at):
    """scipy.integrate.quad over the quantiles of the second share."""
    first, second = (shares.update(shares.JEFFREYS, *counted) for counted in (one, other))
    known = shares.Difference(first, second)
    by_quantile = lambda u: float(first.cdf(stats.beta.ppf(u, second.a[0], second.b[0]) + at))  # noqa: E731
    corners = stats.beta.cdf([-at, 1 - at], second.a[0], second.b[0])
    expected = integrate.quad(by_quantile, 0, 1, points=np.clip(corners, 0, 1), limit=400, epsabs=1e-9)[0]
    assert_allclose(known.cdf(at), expected, atol=1e-6)
    flipped = shares.Difference(second, first)
    assert_allclose([known.cdf(at), known.mean], [1 - flipped.cdf(-at), -flipped.mean], atol=1e-6)
    assert_allclose(known.cdf(known.quantile(0.9)), 0.9, atol=1e-8)


def test_of_arms_of_very_different_size_the_difference_is_exact_too():
    """The narrower share is nearly a number: scipy.stats.beta.sf of the other beyond it."""
    wide, narrow = shares.update(shares.JEFFREYS, 3, 5), shares.update(shares.JEFFREYS, 1200, 3000)
    for first, second in ((wide, narrow), (narrow, wide)):
        known = shares.Difference(first, second)
        inner = integrate.quad(lambda y, a=first, b=second: float(b.pdf(np.array(y)) * a.cdf(y + 0.1)), 0, 0.9, points=[0.28, 0.3, 0.38, 0.4, 0.42, 0.5], limit=600, epsabs=1e-11)[0]
        assert_allclose(known.cdf(0.1), inner + 1 - second.cdf(0.9), atol=1e-7)


def test_many_events_make_the_exact_likelihood_normal():
    """Of 468 events: interval and estimate of coxph within a thirtieth of a standard error."""
    tte = load_tte("colon_recurrence")
    row = estimate_cox(tte, "Obs").terms.iloc[1]
    arm = row["group"].split(" vs ")[0]
    found = read_off(grid.combine(normal.FLAT, profile_partial_likelihood(tte, arm, "Obs", (0, 0))), 0.95)
    expected = [row["coef"], np.log(row["ci_low"]), np.log(row["ci_high"])]
    assert_allclose([found["median"], found["ci_low"], found["ci_high"]], expected, atol=row["std_err"] / 30)


def test_an_arm_without_an_event_needs_a_prior():
    tte = load_tte("edge_zero_events_in_c")
    likelihood = profile_partial_likelihood(tte, "c", "a", (-12, 12))
    assert not likelihood.peak
    assert grid.combine(normal.FLAT, likelihood) is None
    assert grid.combine(normal.doubt(np.log(0.67), 0.05), likelihood).quantile(0.5) < 0
    other = profile_partial_likelihood(tte, "b", "a", (-12, 12))
    assert other.peak
    assert_allclose(grid.combine(normal.FLAT, other).below[-1], 1, rtol=1e-9)


def test_without_any_event_nothing_is_said():
    quiet = make_tte({"a": [(5, 0), (6, 0)], "b": [(4, 0), (7, 0)], "c": [(4, 1), (7, 0)]})
    assert profile_partial_likelihood(quiet, "b", "a", (0, 0)) is None


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(1, 20), st.booleans()), min_size=6, max_size=24), st.integers(0, 3))
def test_any_small_study_gives_a_whole_posterior_or_none(patients, seed):
    arms = np.random.default_rng(seed).permutation(np.arange(len(patients)) % 3)
    tte = make_tte({arm: [p for p, of in zip(patients, arms, strict=True) if of == i] for i, arm in enumerate("abc")})
    likelihood = profile_partial_likelihood(tte, "c", "a", (-3, 3))
    if likelihood is None:
        return
    known = grid.combine(normal.doubt(-0.4, 0.05), likelihood)
    assert_allclose(known.below[-1], 1, rtol=1e-6)
    assert -3 < known.quantile(0.01) < known.quantile(0.5) < known.quantile(0.99) < 3
    mirrored = grid.combine(normal.doubt(-0.4, 0.05), profile_partial_likelihood(tte, "a", "c", (-3, 3)))
    assert_allclose([known.mean, float(known.cdf(0.2))], [-mirrored.mean, 1 - float(mirrored.cdf(-0.2))], atol=1e-6)


@pytest.mark.parametrize("end", [10.0, 60.0, 1e3, 1e6])
def test_priors_that_reach_beyond_any_ratio_leave_a_likelihood_of_numbers(end):
    likelihood = profile_partial_likelihood(make_tte({"a": [(4, 1), (7, 1), (9, 0)], "b": [(3, 1), (8, 1), (9, 0)]}), "b", "a", (-end, end))
    assert np.isfinite(likelihood.value).all() and (np.diff(likelihood.x) > 0).all()
    assert abs(likelihood.x).max() <= 40
    known = grid.combine(normal.NormalMixture((1.0,), (0.0,), (end,)), likelihood)
    assert_allclose(known.below[-1], 1, rtol=1e-6)
