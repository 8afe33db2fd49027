"""Properties of the time-to-event statistics on any data: ties, empty and single-patient arms, no events, time 0."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from both_engines import compute, gather
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference_data import make_tte

from lib.statistics.models.cox import check_proportional_hazards, estimate_cox, estimate_weighted_cox
from lib.statistics.models.firth import estimate_firth
from lib.statistics.second_engine import survival
from lib.statistics.survival.competing import compare_gray, estimate_cumulative_incidence, estimate_incidence_curve
from lib.statistics.survival.event_table import count_events
from lib.statistics.survival.kaplan_meier import (
    compare_landmark,
    count_at_risk,
    estimate_curve,
    estimate_follow_up,
    estimate_landmark,
    estimate_median,
    estimate_quantile,
)
from lib.statistics.survival.landmark import compare_from_landmark
from lib.statistics.survival.logrank import (
    _scores,
    compare_logrank,
    compare_pairwise,
    compare_permutation,
)
from lib.statistics.survival.rmst import compare_rmst, estimate_rmst

ARMS = "abcdef"
patient = st.tuples(st.one_of(st.integers(0, 6), st.floats(0, 50)), st.integers(0, 1))
tied = st.tuples(st.integers(1, 8), st.integers(0, 1))


def cohorts(patients=patient, least=0, arms=(1, 6), size=8):
    def build(lists):
        return make_tte({ARMS[i]: rows for i, rows in enumerate(lists)})

    return st.lists(st.lists(patients, min_size=least, max_size=size), min_size=arms[0], max_size=arms[1]).map(build)


relaxed = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
quick = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
TIMES = [0, 2.5, 6]


def everything(tte):
    """All frames of the time-to-event statistics."""
    model, row = estimate_cox(tte, "a"), np.arange(len(tte))
    tte = tte.assign(cause=tte["event"] * (1 + row % 2), weight=1.0 + row % 3, x=row)
    return {
        "curve": estimate_curve(tte),
        "median": estimate_median(tte),
        "quartile": estimate_quantile(tte, 0.25),
        "follow_up": estimate_follow_up(tte),
        "landmark": estimate_landmark(tte, TIMES),
        "at_risk": count_at_risk(tte, TIMES),
        "landmark_difference": compare_landmark(tte, TIMES, "a"),
        "rmst": estimate_rmst(tte),
        "rmst_far": estimate_rmst(tte, tau=40),
        "rmst_both": compare_rmst(tte, "a"),
        "logrank": compare_logrank(tte),
        "peto": compare_logrank(tte, strata="cause", rho=1),
        "pairs": compare_pairwise(tte),
        "permutation": compare_permutation(tte, 50),
        "cox": model.terms,
        "overall": model.overall,
        "adjusted": estimate_cox(tte, "a", ["x"], strata="cause").terms,
        "zph": check_proportional_hazards(tte, "a"),
        "weighted": estimate_weighted_cox(tte, "a"),
        "incidence": estimate_cumulative_incidence(tte, TIMES),
        "incidence_curve": estimate_incidence_curve(tte, 2),
        "gray": compare_gray(tte),
        "response": compare_from_landmark(tte.assign(responder=tte["weight"] > 1), "responder", 2),
    }


def assert_sound(frames):
    """Probabilities within 0 and 1, limits around estimates, and a reason beside each missing p value."""
    for name, frame in frames.items():
        assert "method" in frame or name == "at_risk", name
        for column in {"p_value", "p_adjusted", "survival", "concordance"} & set(frame):
            values = frame[column].astype(float).dropna()
            assert ((values >= 0) & (values <= 1 + 1e-12)).all(), (name, column)
        if {"p_value", "note"} <= set(frame):
            assert (frame.loc[frame["p_value"].isna(), "note"] != "").all(), name
        for estimate in {"survival", "estimate", "difference", "hr", "median"} & set(frame) & {"ci_low"}:
            rows = frame[[estimate, "ci_low", "ci_high"]].dropna()
            assert (rows["ci_low"] <= rows[estimate] + 1e-9).all() and (rows[estimate] <= rows["ci_high"] + 1e-9).all()
        assert not np.isinf(frame.select_dtypes("number").to_numpy(dtype=float)).any(), name


@quick
@given(cohorts(size=6))
def test_any_cohort_gives_frames_without_warnings(tte):
    assert_sound(everything(tte))


AWKWARD = {
    "no patient": make_tte({"a": [], "b": []}),
    "one patient": make_tte({"a": [(3, 1)]}),
    "one patient per arm": make_tte({"a": [(3, 1)], "b": [(4, 1)], "c": [(5, 0)]}),
    "empty arm": make_tte({"a": [(1, 1), (2, 0)], "b": []}),
    "empty reference": make_tte({"a": [], "b": [(1, 1), (2, 0)]}),
    "all censored": make_tte({"a": [(1, 0), (2, 0)], "b": [(3, 0), (4, 0)]}),
    "no event in the reference": make_tte({"a": [(5, 0), (6, 0), (7, 0)], "b": [(1, 1), (2, 1), (9, 0)]}),
    "equal times": make_tte({"a": [(2, 1), (2, 0)], "b": [(2, 1), (2, 1)]}),
    "all at time 0": make_tte({"a": [(0, 1), (0, 1)], "b": [(0, 0), (0, 1)]}),
    "all die at once": make_tte({"a": [(2, 1), (2, 1)], "b": [(2, 1), (2, 1)]}),
    "gone before the first event": make_tte({"a": [(1, 0), (1, 0)], "b": [(2, 1), (3, 1)], "c": [(2, 1), (5, 0)]}),
    "tiny times": make_tte({"a": [(1e-12, 1), (2e-12, 1)], "b": [(3e-12, 0), (1e-12, 1)]}),
    "huge times": make_tte({"a": [(1e12, 1), (2e12, 1)], "b": [(3e12, 0), (1e12, 1)]}),
}


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_cohorts(name):
    frames = everything(AWKWARD[name])
    assert_sound(frames)
    assert_sound({"firth": estimate_firth(AWKWARD[name], "a")})


@pytest.mark.parametrize("name", ["no patient", "all censored", "one patient"])
def test_tests_without_information_say_why(name):
    frames = everything(AWKWARD[name])
    for test in ("logrank", "permutation", "gray", "overall"):
        assert frames[test]["p_value"].isna().all() and frames[test]["note"].str.startswith("not estimable").all()


@relaxed
@given(cohorts(tied, least=1, arms=(2, 4)), st.sampled_from([1 / 30.4375, 7.0, 365.25]))
def test_a_change_of_unit_changes_times_only(tte, factor):
    other = tte.assign(time=tte["time"] * factor)
    for test in (
        compare_logrank,
        compare_pairwise,
        lambda d: estimate_cox(d, "a").overall,
        lambda d: compare_rmst(d, "a"),
    ):
        np.testing.assert_allclose(
            test(other)["p_value"].astype(float), test(tte)["p_value"].astype(float), rtol=1e-6, atol=1e-9
        )
    np.testing.assert_allclose(estimate_median(other)["median"], estimate_median(tte)["median"] * factor, rtol=1e-9)
    np.testing.assert_allclose(estimate_rmst(other)["estimate"], estimate_rmst(tte)["estimate"] * factor, rtol=1e-9)


@relaxed
@given(cohorts(tied, least=1, arms=(2, 4)), st.randoms())
def test_the_order_of_arms_and_patients_does_not_matter_overall(tte, random):
    shuffled = tte.sample(frac=1, random_state=random.randrange(1000))
    arms = list(tte["arm"].cat.categories)
    random.shuffle(arms)
    shuffled["arm"] = shuffled["arm"].cat.reorder_categories(arms)
    for test in (compare_logrank, lambda d: compare_logrank(d, rho=1), lambda d: estimate_cox(d, arms[0]).overall):
        np.testing.assert_allclose(
            test(shuffled)["p_value"].astype(float), test(tte)["p_value"].astype(float), rtol=1e-6, atol=1e-9
        )
    a, b = (estimate_median(d).sort_values("group", ignore_index=True) for d in (tte, shuffled))
    pd.testing.assert_frame_equal(a, b)


@relaxed
@given(cohorts(tied, least=3, arms=(2, 2)))
def test_changing_the_reference_turns_the_sign(tte):
    one, two = (estimate_cox(tte, arm).terms.iloc[0] for arm in "ab")
    if np.isfinite(one["coef"]):
        np.testing.assert_allclose(
            [one["coef"], one["ci_low"], one["p_value"]],
            [-two["coef"], 1 / two["ci_high"], two["p_value"]],
            rtol=1e-6,
            atol=1e-7,
        )
    forth, back = (compare_rmst(tte, arm).iloc[0] for arm in "ab")
    np.testing.assert_allclose(
        [forth["estimate"], forth["ci_low"]], [-back["estimate"], -back["ci_high"]], rtol=1e-9, atol=1e-12
    )


@relaxed
@given(cohorts(least=1))
def test_everyone_twice_gives_the_same_curve(tte):
    once, twice = estimate_curve(tte), estimate_curve(pd.concat([tte, tte], ignore_index=True))
    np.testing.assert_allclose(twice["survival"], once["survival"], rtol=1e-9, atol=1e-15)
    np.testing.assert_array_equal(twice["n_risk"], 2 * once["n_risk"])


@relaxed
@given(cohorts(tied, least=1, arms=(2, 4)))
def test_who_was_counted_once_is_not_counted_otherwise(tte):
    table, (reference, *_) = count_events(tte), tte["arm"].cat.categories
    for estimate in (
        estimate_median, estimate_rmst, compare_logrank, compare_pairwise, lambda given: estimate_landmark(given, [1.0, 6.0]),
        lambda given: count_at_risk(given, [0.0, 6.0]), lambda given: compare_landmark(given, [6.0], reference), lambda given: compare_rmst(given, reference),
    ):  # fmt: skip
        pd.testing.assert_frame_equal(estimate(table), estimate(tte))
    with pytest.raises(ValueError, match="another event"):
        count_events(table, tte["event"].to_numpy())


@given(cohorts(least=1))
def test_the_event_table_loses_nobody(tte):
    table = count_events(tte)
    assert table.n.sum() == len(tte) and table.n_events.sum() == tte["event"].sum()
    assert (table.n_risk[:, 0] == table.n).all() and (np.diff(table.times) > 0).all()


@relaxed
@given(cohorts(least=1, arms=(2, 2), size=6))
def test_exact_permutation_counts_every_allocation(tte):
    """Against the plain enumeration of all C(n, n1) allocations."""
    found = compare_permutation(tte)["p_value"].iat[0]
    scores, arm = _scores(tte), (tte["arm"] == "a").to_numpy()
    if np.isfinite(found):
        sums = [abs(scores[list(pick)].sum()) for pick in combinations(range(len(tte)), int(arm.sum()))]
        assert found == pytest.approx(np.mean(np.array(sums) >= abs(scores[arm].sum()) - 1e-9), rel=1e-12)


@settings(quick, max_examples=10)
@given(cohorts(tied, least=1, arms=(1, 3), size=5))
def test_the_second_engine_agrees_on_any_cohort(tte):
    second = survival.recompute(tte, "a", landmark_times=[2, 5])
    # simplex and bisection of the penalised likelihood end at about 1e-7 of a coefficient
    survival.verify(gather(**compute(tte, "a", [2, 5])), second, tolerance=1e-5)
