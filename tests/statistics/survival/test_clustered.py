"""Cumulative incidence of rows that share a patient, against R (clustered.R), and by brute force."""

import numpy as np
import pandas as pd
import pytest
from clustered_rows import CASES, drawn_rows, rows_of
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_data import numbers

from lib.statistics.survival import clustered, competing
from lib.statistics.survival.clustered import (
    ALIKE,
    estimate_clustered_curve,
    estimate_clustered_incidence,
    estimate_pseudo_values,
)

CLOSE = {"rtol": 1e-6, "atol": 1e-12}
DRAWN = settings(deadline=None, max_examples=40)
TIMES = [2.0, 5.0, 12.0]


def _errors(rows, times=TIMES, cluster="patient_id"):
    """Standard errors without the factor for few clusters."""
    found = estimate_clustered_incidence(rows, times, cluster).set_index(["group", "time"])["std_err"]
    n = rows.groupby("arm", observed=False)[cluster].nunique().rename(index=str)
    return found * np.sqrt((n - 1) / n).reindex(found.index, level=0)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("cause", [1, 2])
def test_incidence_equals_r(name, cause):
    """R: residuals(survfit(Surv(time, factor(cause)) ~ arm, id = row), type = "pstate"), rowsum by patient, G / (G - 1); log-log limits of survfit with qt."""
    case, rows = CASES[name], rows_of(name)
    for kind, cluster in (("curve", "patient_id"), ("alone", "row")):
        found = estimate_clustered_incidence(rows.assign(row=range(len(rows))), case["at"], cluster, cause)
        expected = pd.DataFrame({column: numbers(value) for column, value in case[kind][str(cause)].items()})
        known = found["estimate"].notna().to_numpy()  # R goes on beyond the last follow-up of an arm
        assert known.sum() >= len(found) - 2
        assert_allclose(found["estimate"][known], expected["estimate"][known], **CLOSE)
        inside = known & (expected["estimate"] > 0).to_numpy()
        for column, theirs in (("std_err", "se"), ("ci_low", "low"), ("ci_high", "high")):
            assert_allclose(found[column][inside], expected[theirs][inside], **CLOSE)


@pytest.mark.parametrize("name", CASES)
def test_one_kind_of_event_equals_r(name):
    """R: survfit(Surv(time, cause == 1) ~ arm, cluster = id): surv, std.err."""
    case, rows = CASES[name], rows_of(name)
    found = estimate_clustered_incidence(rows.assign(cause=rows["event"].astype(int)), case["at"], "patient_id")
    known = found["estimate"].notna()
    assert_allclose(1 - found["estimate"][known], numbers(case["one_kind"]["survival"])[known], **CLOSE)
    n = rows.groupby("arm", observed=False)["patient_id"].nunique().rename(index=str)
    few = np.sqrt(found["group"].map(n / (n - 1)).astype(float))
    assert_allclose(found["std_err"][known], (few * numbers(case["one_kind"]["se"]))[known], **CLOSE)


@pytest.mark.parametrize("name", CASES)
def test_pseudo_values_equal_r(name):
    """R: survival::pseudo(survfit(Surv(time, factor(cause)) ~ arm, id = row), times = t)."""
    case = CASES[name]
    found = estimate_pseudo_values(rows_of(name), case["at"][1])
    assert_allclose(found.head(12), case["pseudo"]["first"], **CLOSE)
    assert_allclose((found**2).sum(), case["pseudo"]["squares"], rtol=1e-6)


def _derivative(rows, times, cause=1):
    """How the incidence of one arm moves with the weight of each row: every row counted once more, a thousandth of it."""
    whole, found = 1000, []
    for i in range(-1, len(rows)):
        weight = np.full(len(rows), float(whole)) + (np.arange(len(rows)) == i)
        found.append(_weighted_incidence(rows, weight / whole, times, cause))
    return (np.array(found[1:]) - found[0]) * whole


def _weighted_incidence(rows, weight, times, cause):
    time, causes = rows["time"].to_numpy(), rows["cause"].to_numpy()
    values, alive, total, steps = [], 1.0, 0.0, sorted(set(time[causes > 0]))
    for t in [*times]:
        alive, total = 1.0, 0.0
        for u in steps:
            if u <= t:
                at_risk = weight[time >= u].sum()
                total += alive * weight[(time == u) & (causes == cause)].sum() / at_risk
                alive *= 1 - weight[(time == u) & (causes > 0)].sum() / at_risk
        values.append(total)
    return values


@DRAWN
@given(drawn_rows())
def test_the_variance_is_that_of_moving_each_patients_weight(rows):
    """By brute force, without a formula: the weight of each row is moved a little, the moves of a patient are added."""
    found = _errors(rows)
    for arm, own in rows.groupby("arm", observed=True):
        moves = _derivative(own.reset_index(drop=True), TIMES)
        errors = np.sqrt((pd.DataFrame(moves).groupby(own["patient_id"].to_numpy()).sum() ** 2).sum())
        for time, error in zip(TIMES, errors, strict=True):
            if not np.isnan(found[arm, time]):
                assert_allclose(found[arm, time], error, rtol=5e-3, atol=1e-5)


@DRAWN
@given(drawn_rows(alone=True))
def test_one_row_per_patient_is_the_analysis_of_patients(rows):
    by_patient = estimate_clustered_incidence(rows, TIMES, "patient_id")
    by_row = estimate_clustered_incidence(rows.assign(row=range(len(rows))), TIMES, "row")
    pd.testing.assert_frame_equal(by_patient, by_row)
    plain = competing.estimate_cumulative_incidence(rows, TIMES)
    same = ["group", "time", "n_risk", "n_events", "estimate"]
    pd.testing.assert_frame_equal(by_patient[same], plain[same])


@DRAWN
@given(drawn_rows(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(rows, random):
    order = list(range(len(rows)))
    random.shuffle(order)
    mixed = rows.iloc[order]
    for found, again in zip(*((estimate_clustered_incidence(f, TIMES, "patient_id"), estimate_clustered_curve(f, "patient_id")) for f in (rows, mixed)), strict=True):
        pd.testing.assert_frame_equal(found, again, rtol=1e-9)
    assert_allclose(estimate_pseudo_values(mixed, 1.0).sort_index(), estimate_pseudo_values(rows, 1.0), rtol=1e-9)


@DRAWN
@given(drawn_rows())
def test_more_lesions_that_fare_the_same_tell_nothing_more(rows):
    """Every lesion twice: the interval stays; taken as so many patients it would shrink by the root of two."""
    twice = pd.concat([rows, rows], ignore_index=True)
    assert_allclose(_errors(twice), _errors(rows), rtol=1e-9, atol=1e-12)
    once, naive = (_errors(f.assign(row=range(len(f))), cluster="row") for f in (rows, twice))
    assert_allclose(naive, once / np.sqrt(2), rtol=1e-9, atol=1e-12)


def test_lesions_that_are_alike_count_as_their_patients():
    """Where all lesions of a patient share their fate, the interval is that of patients, not of lesions."""
    rows = rows_of("made_40")
    first = rows.drop_duplicates("patient_id")
    alike = first.loc[first.index.repeat(3)].reset_index(drop=True)
    assert_allclose(_errors(alike), _errors(first), rtol=1e-9)


@DRAWN
@given(drawn_rows())
def test_without_censoring_a_pseudo_value_is_whether_it_happened(rows):
    rows = rows[rows["cause"] > 0]
    found = estimate_pseudo_values(rows, 3.0)
    assert_allclose(found, (rows["cause"] == 1) & (rows["time"] <= 3), atol=1e-9)


def test_the_curve_has_the_values_of_its_times():
    rows = rows_of("retinopathy")
    curve = estimate_clustered_curve(rows, "patient_id")
    at = estimate_clustered_incidence(rows, curve.loc[curve["group"] == "1", "time"], "patient_id")
    columns = ["estimate", "std_err", "ci_low", "ci_high"]
    assert_allclose(curve.loc[curve["group"] == "1", columns], at.loc[at["group"] == "1", columns], rtol=1e-9)


def test_parts_of_a_large_set_are_put_together(monkeypatch):
    rows = rows_of("retinopathy")
    whole = estimate_clustered_curve(rows, "patient_id")
    monkeypatch.setattr(clustered, "MOST_CELLS", 1000)
    pd.testing.assert_frame_equal(estimate_clustered_curve(rows, "patient_id"), whole)


def test_one_patient_and_no_patient_have_no_interval():
    rows = rows_of("kidney").query("patient_id in (1, 2)")
    rows = rows.assign(arm=rows["arm"].cat.add_categories("2"))
    alone = rows[rows["patient_id"] == 1].assign(time=[3.0, 9.0], cause=[1, 0], event=[True, False])
    row = estimate_clustered_incidence(alone, [5.0], "patient_id").set_index("group")
    own, empty = row.loc[alone["arm"].iat[0]], row.loc["2"]
    assert own["estimate"] == pytest.approx(0.5)
    assert own["note"] == ALIKE
    assert own[["std_err", "ci_low", "ci_high"]].isna().all()
    assert empty["note"] == "not estimable: no patient"
    assert np.isnan(empty["std_err"])
