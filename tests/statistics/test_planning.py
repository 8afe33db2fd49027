"""Sizes of the next trial: R's values, published examples, and what has to hold for any numbers."""

from math import inf, isclose, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_data import load_expected
from scipy import stats

from lib.statistics import planning

R = load_expected("next_trial")
RATIOS, SHARES, POWERS = st.floats(0.05, 0.98), st.floats(0.1, 0.9), st.floats(0.55, 0.99)


@pytest.mark.parametrize("case", R["two"])
def test_events_equal_r(case):
    """(qnorm(0.975) + qnorm(power))^2 / (share * (1 - share) * log(hr)^2), and * (1 + k * hr)^2 / (k * (1 - hr)^2) with k <- share / (1 - share)"""
    found = [f(case["hr"], case["power"], case["share"]) for f in (planning.events_by_schoenfeld, planning.events_by_freedman)]
    assert_allclose(found, [case["schoenfeld"], case["freedman"]], rtol=1e-9)


def test_events_equal_what_was_published():
    """Collett, Modelling Survival Data in Medical Research, 2nd ed. 2003, example 10.1: 133 deaths; Trials 2015;16:213, table 1 (half of
    whose patients have the event, and who come in fours)."""
    assert int(planning.events_by_schoenfeld(0.57, 0.9)) == 133
    for ratio, patients in ((1.25, 1264), (1.5, 384), (1.75, 204), (2.0, 132)):
        assert 0 <= patients - 2 * planning.events_by_schoenfeld(ratio, 0.8) < 4


@pytest.mark.parametrize("case", R["assurance"])
def test_assurance_equals_the_integral_in_r(case):
    """integrate(function(b) pnorm(-b / s - qnorm(0.975)) * dnorm(b, coef, std_err), ...), s <- 1 / sqrt(events * share * (1 - share))"""
    assert_allclose(planning.estimate_assurance(case["events"], case["coef"], case["std_err"], case["share"]), case["assurance"], rtol=1e-6)


@pytest.mark.parametrize("case", R["seen"])
def test_share_with_the_event_equals_the_integral_in_r(case):
    """integrate(function(u) h / (h + l) * (1 - exp(-(h + l) * u)) / accrual, follow_up, follow_up + accrual)"""
    assert_allclose(planning.estimate_event_share(case["hazard"], case["follow_up"], case["accrual"], case["loss"]), case["share"], rtol=1e-6)


@pytest.mark.parametrize("case", R["several"])
def test_events_of_several_arms_equal_r(case):
    """uniroot(function(l) pchisq(qchisq(0.95, k - 1), k - 1, l, lower.tail = FALSE) - power, ...)$root / (sum(p * b^2) - sum(p * b)^2)"""
    assert_allclose(planning.events_of_several(case["coefs"], case["power"], case["shares"]), case["events"], rtol=1e-6)


@pytest.mark.parametrize("case", R["shares"])
def test_patients_for_two_shares_equal_r(case):
    """power.prop.test(p1 = first, p2 = second, power = power, tol = 1e-12)$n; n / 4 * (1 + sqrt(1 + 4 / (n * abs(first - second))))^2"""
    found = [planning.patients_by_fleiss(case["first"], case["second"], case["power"], corrected=c) for c in (False, True)]
    assert_allclose(found, [case["n"], case["corrected"]], rtol=1e-6)


@given(RATIOS, POWERS, SHARES)
def test_the_events_have_the_power(hr, power, share):
    events = planning.events_by_schoenfeld(hr, power, share)
    assert isclose(planning.estimate_power(events, hr, share), power, rel_tol=1e-9)
    assert isclose(planning.events_by_schoenfeld(1 / hr, power, 1 - share), events, rel_tol=1e-9)
    assert isclose(planning.events_by_freedman(1 / hr, power, 1 - share), planning.events_by_freedman(hr, power, share), rel_tol=1e-9)
    assert planning.events_by_schoenfeld(hr, power) <= events * (1 + 1e-9)


@given(RATIOS, POWERS)
def test_one_test_of_two_arms_is_the_test_of_two_arms(hr, power):
    """But for the tail on the other side, which the noncentral chi-square counts as well."""
    one, two = planning.events_of_several([0, log(hr)], power), planning.events_by_schoenfeld(hr, power)
    assert one <= two * (1 + 1e-9)
    assert isclose(one, two, rel_tol=0.01)


@given(st.floats(-2, 1), st.floats(0.02, 1.5), SHARES)
def test_assurance_never_exceeds_the_probability_of_a_benefit(coef, std_err, share):
    found = planning.estimate_assurance(np.array([1.0, 10, 100, 1e4, 1e8]), coef, std_err, share)
    most = stats.norm.cdf(-coef / std_err)
    assert (found <= max(most, 0.025) + 1e-9).all()
    assert isclose(found[-1], most, abs_tol=2e-3 / std_err)


@given(st.floats(1, 2000), st.floats(0.001, 2), RATIOS, st.floats(0.5, 200), st.tuples(st.sampled_from([0.1, 3.0, 500.0, inf]), st.floats(0, 0.5)))
def test_so_many_patients_have_so_many_events(events, hazard, hr, follow_up, comes_and_goes):
    rate, loss = comes_and_goes
    n, time = planning.patients_for_events(events, (hazard, hr * hazard), (0.5, 0.5), follow_up=follow_up, rate=rate, loss=loss)
    had = [planning.estimate_event_share(h, follow_up, time, loss) for h in (hazard, hr * hazard)]
    assert isclose(n * sum(had) / 2, events, rel_tol=1e-6)
    assert n >= events
    assert time == pytest.approx(n / rate)


def test_what_no_size_finds():
    assert planning.events_by_schoenfeld(1, 0.8) == planning.events_by_freedman(1, 0.8) == planning.events_of_several([0, 0, 0], 0.8) == inf
    assert planning.patients_by_fleiss(0.4, 0.4, 0.8) == inf
    assert planning.patients_for_events(10, (0, 0), (0.5, 0.5), follow_up=12) == (inf, inf)
    assert planning.estimate_event_share(0, 12, 6, 0) == 0


def test_halfway_is_where_a_test_finds_least():
    b = planning.halfway(0.6, 3)
    least = planning.events_of_several(b, 0.8)
    for between in np.linspace(0, log(0.6), 9):
        assert planning.events_of_several([0, log(0.6), between], 0.8) <= least * (1 + 1e-9)


def test_trials_of_the_computed_size_find_what_they_are_planned_for():
    """The simulation of tests/bench/next_trial.py, small: 66 events for a hazard ratio of 0.5."""
    rng, events, trials = np.random.default_rng(1), 66, 800
    arm = np.tile(np.arange(132) < 66, (trials, 1))
    time = rng.exponential(1, arm.shape) / np.where(arm, 0.5, 1)
    arm = np.take_along_axis(arm, np.argsort(time, axis=1), axis=1)
    share = (np.cumsum(arm[:, ::-1], axis=1)[:, ::-1] / np.arange(132, 0, -1))[:, :events]
    z = (arm[:, :events] - share).sum(axis=1) / np.sqrt((share * (1 - share)).sum(axis=1))
    assert planning.events_by_schoenfeld(0.5, 0.8) == pytest.approx(65.3, abs=0.1)
    assert np.mean(z < -1.959964) == pytest.approx(0.8, abs=0.045)
