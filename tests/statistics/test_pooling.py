"""Random effects: R's values, statsmodels', and what has to hold for any studies."""

from math import isclose, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_data import load_expected
from statsmodels.stats.meta_analysis import combine_effects

from lib.statistics import pooling

STUDIES = st.lists(st.tuples(st.floats(-3, 3), st.floats(0.02, 2)), min_size=3, max_size=30)


@pytest.mark.parametrize("case", load_expected("next_trial")["pooled"])
def test_random_effects_equal_r(case):
    """uniroot(function(t) {w <- 1 / (s^2 + t); sum(w * (y - weighted.mean(y, w))^2) - (k - 1)}, c(0, 100), tol = 1e-15)$root and what follows
    from it, with qt(0.975, k - 1) and qt(0.975, k - 2): see pool_random"""
    found = pooling.pool_random(case["y"], case["s"], case["level"])
    expected = [case["estimate"], case["std_err"], *case["ci"], case["tau2"], case["chisq"], case["i2"], *case["pi"]]
    shown = [found.estimate, found.std_err, found.ci_low, found.ci_high, found.tau2, found.chisq, found.i2, found.low, found.high]
    assert_allclose(shown, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("k", [3, 8, 60])
def test_random_effects_equal_statsmodels(k):
    """To what its iteration leaves; its intervals have no least standard error."""
    rng = np.random.default_rng(k)
    y, s = rng.normal(-0.3, 0.6, k), rng.uniform(0.1, 0.3, k)
    found, other = pooling.pool_random(y, s), combine_effects(y, s**2, use_t=True)
    assert_allclose([found.estimate, found.tau2, found.chisq, found.i2], [other.mean_effect_re, other.tau2, other.q, other.i2], rtol=1e-4)
    assert_allclose([found.ci_low, found.ci_high], other.conf_int()[3], rtol=1e-4)


@given(STUDIES, st.floats(-5, 5))
def test_what_holds_for_any_studies(studies, moved):
    y, s = (np.array(part) for part in zip(*studies, strict=True))
    found, shifted, turned = pooling.pool_random(y, s), pooling.pool_random(y + moved, s), pooling.pool_random(-y[::-1], s[::-1])
    assert isclose(shifted.estimate, found.estimate + moved, abs_tol=1e-6)
    assert isclose(turned.estimate, -found.estimate, abs_tol=1e-6)
    assert min(y) - 1e-9 <= found.estimate <= max(y) + 1e-9
    assert found.std_err >= 1 / sqrt(sum(1 / s**2)) * (1 - 1e-9)
    assert found.low <= found.ci_low <= found.ci_high <= found.high
    assert 0 <= found.i2 < 1
    # Paule and Mandel: what is left of the spread is what is expected, or there is less of it even without any between.
    weight = 1 / (s**2 + found.tau2)
    left = float(weight @ (y - found.estimate) ** 2)
    assert isclose(left, len(y) - 1, rel_tol=1e-6) or (found.tau2 < 1e-9 and left < len(y) - 1 + 1e-6)


def test_studies_that_agree_have_no_interval_of_nothing():
    found = pooling.pool_random([-0.3, -0.3, -0.3], [0.2, 0.2, 0.2])
    assert found.tau2 == found.i2 == 0
    assert found.std_err == pytest.approx(0.2 / sqrt(3))


def test_fewer_than_three_are_not_pooled():
    with pytest.raises(ValueError, match="2 estimates"):
        pooling.pool_random([0, 1], [1, 1])


@pytest.mark.parametrize(("low", "high", "level", "std_err"), [(0.5, 2, 0.95, 0.353653), (0.5, 2, 0.9, 0.4214036)])
def test_standard_errors_from_limits(low, high, level, std_err):
    """log(high / low) / (2 * qnorm((1 + level) / 2))"""
    assert pooling.from_limits(low, high, level) == pytest.approx(std_err, rel=1e-5)


def test_logits_of_shares():
    """qlogis(45 / 76); sqrt(1 / 45 + 1 / 31); of none of ten half a patient on either side"""
    assert pooling.as_logit(45, 76) == pytest.approx((log(45 / 31), sqrt(1 / 45 + 1 / 31)))
    assert pooling.as_logit(0, 10) == pytest.approx((log(0.5 / 10.5), sqrt(2 + 1 / 10.5)))
    assert pooling.as_logit(10, 10)[0] == -pooling.as_logit(0, 10)[0]
