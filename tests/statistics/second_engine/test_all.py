"""Each second engine against the first, on any counts, values and times: they share nothing but the answer."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lib.statistics import proportions, rates
from lib.statistics import ranks as statistics_ranks
from lib.statistics.contingency import exact_test
from lib.statistics.models import mixed
from lib.statistics.second_engine import competing as second_engine_competing
from lib.statistics.second_engine import mixed as second_engine_mixed
from lib.statistics.second_engine import ranks, shares
from lib.statistics.survival import competing

quick = settings(max_examples=60, deadline=None)
levels = st.sampled_from([0.8, 0.9, 0.95, 0.99])


def same(first, second) -> bool:
    """Equal to 1e-6, absolutely so near 0; a missing number is one on both sides."""
    first, second = float(first), float(second)
    if np.isnan(first) or np.isnan(second):
        return np.isnan(first) and np.isnan(second)
    return abs(first - second) <= 1e-6 * max(abs(first), abs(second), 1e-6)


def agree(first: pd.Series, second: dict) -> None:
    assert {name: (first[name], value) for name, value in second.items() if not same(first[name], value)} == {}


@st.composite
def arms(draw, most=400, size=2):
    """Counts and patients of some arms."""
    n = [draw(st.integers(1, most)) for _ in range(size)]
    return [(draw(st.one_of(st.sampled_from([0, patients]), st.integers(0, patients))), patients) for patients in n]


def frame(counted) -> pd.DataFrame:
    count, n = zip(*counted, strict=True)
    return pd.DataFrame({"group": list("abcd")[: len(n)], "count": count, "n": n})


@quick
@given(arms(), levels)
def test_shares_differences_and_odds_ratios(counted, level):
    (y, n_y), (x, n_x) = counted
    counts = frame(counted)
    agree(proportions.estimate_proportion(counts, level).iloc[0], shares.share(y, n_y, level))
    for interval, limits in (("miettinen-nurminen", shares.score_interval), ("newcombe", shares.newcombe)):
        first = proportions.estimate_risk_difference(counts, "a", interval, level).iloc[0]
        agree(first, dict(zip(("ci_low", "ci_high"), limits(x, n_x, y, n_y, level), strict=True)))
    agree(proportions.estimate_odds_ratio(counts, "a", level).iloc[0], shares.odds_ratio(x, n_x, y, n_y, level))


@quick
@given(st.one_of(arms(most=3000), arms(most=150, size=3), arms(most=25, size=4)))
def test_tests_of_shares(counted):
    table = tuple((count, n - count) for count, n in counted)
    p_value = shares.exact_p(table)
    assert p_value is not None  # every such table is listed
    assert same(exact_test(np.array(table).T).p_value, p_value)
    agree(proportions.compare_proportions(frame(counted)).iloc[1], shares.chi_square(table))


@quick
@given(st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=2, max_size=4))
def test_tests_of_categories(table):
    first = exact_test(np.array(table))
    assume(first.mc_error == 0)
    assert same(first.p_value, shares.exact_p(tuple(table)))


def test_a_table_that_is_too_large_is_not_listed():
    assert shares.exact_p(((300, 700), (400, 600), (500, 500))) is None


@quick
@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar(gained, lost):
    patients = pd.DataFrame({"arm": "a", "before": [False] * gained + [True] * lost + [True], "after": [True] * gained + [False] * lost + [True]})
    first = proportions.compare_paired_proportions(patients, "before", "after").iloc[0]
    assert same(first["p_value"], shares.mcnemar_p(gained, lost))


@quick
@given(st.lists(st.tuples(st.integers(0, 200), st.floats(0, 500)), min_size=2, max_size=2), levels)
def test_rates(counted, level):
    (y, time_y), (x, time_x) = ((n, 0.0 if time < 1e-3 else time) for n, time in counted)
    events = pd.DataFrame({"group": ["a", "b"], "n_events": [y, x], "person_time": [time_y, time_x]})
    agree(rates.estimate_rate(events, level).iloc[0], shares.rate(y, time_y, level))
    agree(rates.compare_rates(events, "a", level).iloc[0], shares.rate_ratio(x, time_x, y, time_y, level))


@st.composite
def samples(draw, size=2):
    """Values of some arms, from none to many, with ties or without."""
    digits, seed = draw(st.sampled_from([0, 1, 6])), draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    n = [draw(st.sampled_from([0, 1, 2, 5, 12, 30, 65])) for _ in range(size)]
    return {arm: np.round(rng.normal(0.3 * i, 1, k), digits) for i, (arm, k) in enumerate(zip("abc", n, strict=False))}


@quick
@given(st.integers(2, 3).flatmap(samples), levels)
def test_rank_tests(values, level):
    arm = pd.Categorical(np.repeat(list(values), [len(x) for x in values.values()]), list(values), ordered=True)
    patients = pd.DataFrame({"arm": arm, "value": np.concatenate(list(values.values()))})
    for row in statistics_ranks.estimate_change(patients, "value", level=level).to_dict("records"):
        own = values[row["group"]]
        agree(row, ranks.signed_rank(own) | ranks.walsh_shift(own, level))
    agree(statistics_ranks.compare_ranks(patients, "value").iloc[0], ranks.kruskal(list(values.values())))
    for row in statistics_ranks.compare_ranks_pairwise(patients, "value").to_dict("records"):
        agree(row, {"statistic": ranks.dunn_z(values, *row["group"].split(" vs "))})
    for row in statistics_ranks.estimate_shift(patients, "value", level=level).to_dict("records"):
        x, y = (values[arm] for arm in row["group"].split(" vs "))
        agree(row, ranks.shift(x, y, level) | {"p_value": ranks.rank_sum_p(x, y)})


def test_a_p_value_near_nothing():
    """300 patients who nearly all improve: 3e-17, and no rounding of a sum of 90,000 chances stops the report."""
    x = np.round(np.random.default_rng(0).normal(0.55, 1, 300), 1)
    first, second = statistics_ranks.signed_rank_p(x)[1], ranks.signed_rank(x)["p_value"]
    assert 0 < second < 1e-12
    assert first == pytest.approx(second, rel=1e-9)


def test_approximate_rank_tests():
    """Above the sizes that are counted, both take the normal distribution."""
    rng = np.random.default_rng(4)
    x, y = np.round(rng.normal(0.1, 1, 400), 1), rng.normal(0, 1, 90)
    patients = pd.DataFrame({"arm": ["b"] * 400 + ["a"] * 90, "value": np.concatenate([x, y])})
    first = statistics_ranks.estimate_change(patients, "value").set_index("group").loc["b"]
    agree(first, ranks.signed_rank(x) | ranks.walsh_shift(x, 0.95))
    pair = statistics_ranks.estimate_shift(patients, "value").iloc[0]
    agree(pair, ranks.shift(x, y, 0.95) | {"p_value": ranks.rank_sum_p(x, y)})


@st.composite
def cohorts(draw):
    """Times, causes and arms; whole days or none, everybody censored or nobody."""
    n, k, seed = draw(st.sampled_from([6, 20, 60, 150])), draw(st.integers(2, 4)), draw(st.integers(0, 10_000))
    chances = draw(st.sampled_from([(0.3, 0.4, 0.3), (0.1, 0.8, 0.1), (0.6, 0.2, 0.2), (0, 0.5, 0.5)]))
    rng = np.random.default_rng(seed)
    cause = rng.choice([0, 1, 2], n, p=chances)
    arm = pd.Categorical(rng.choice(list("abcd")[:k], n), list("abcd")[:k], ordered=True)
    time = np.round(rng.exponential(10, n), draw(st.sampled_from([0, 1, 5])))
    return pd.DataFrame({"arm": arm, "time": time, "event": cause == 1, "cause": cause})


@quick
@given(cohorts(), levels)
def test_cumulative_incidence(tte, level):
    for row in competing.estimate_cumulative_incidence(tte, [0, 1, 5, 20, 100], level=level).to_dict("records"):
        own = tte[tte["arm"] == row["group"]]
        agree(row, second_engine_competing.incidence(own["time"].to_numpy(), own["cause"].to_numpy(), row["time"], level))


@quick
@given(cohorts())
def test_gray(tte):
    first, second = competing.compare_gray(tte).iloc[0], second_engine_competing.gray(tte)
    assume(not np.isnan(first["chisq"]))
    assert second is not None
    agree(first, second[1])


@pytest.mark.parametrize("within", [None, "lesion_id"])
@pytest.mark.parametrize("seed", range(6))
def test_mixed_models(within, seed):
    rng = np.random.default_rng(seed)
    rows = [
        (f"P{p}", "AB"[p % 2], f"P{p}-{lesion}", visit, np.exp(patient + own + rng.normal(0, 0.4) - 0.1 * visit))
        for p in range(int(rng.integers(8, 30))) for patient in [rng.normal(0, 1)]
        for lesion in range(int(rng.integers(1, 4)) if within else 1) for own in [rng.normal(0, 0.6) if within else 0]
        for visit in (0, 3, 6) if rng.random() < 0.85
    ]  # fmt: skip
    samples = pd.DataFrame(rows, columns=["patient_id", "arm", "lesion_id", "visit", "value"])
    first, second = mixed.fit_mixed(samples, visit="visit", within=within), second_engine_mixed.fit(samples, "visit", within)
    variances = mixed.estimate_variance(first).iloc[0]
    assert second is not None or min(variances["var_between"], variances.get("var_lesions", 1.0)) < 1e-4
    if second is None:
        pytest.skip("a variance is estimated as zero, where the second engine has no number")
    agree(variances, second.variances | {"loglik": second.loglik})
    for row in mixed.compare_ratios(first).to_dict("records"):
        x, y = row["group"].split(" vs ")
        weights = {(x, row["time"]): 1, (x, 0.0): -1, (y, row["time"]): -1, (y, 0.0): 1}
        agree(row, dict(zip(("coef", "std_err"), second.contrast(weights), strict=True)))


def test_a_step_to_where_nothing_can_be_inverted_is_no_error(monkeypatch):
    """On the way to the root the likelihood can be asked where its matrices are singular: then there is no second number."""

    def singular(*_, **__):
        raise np.linalg.LinAlgError("Singular matrix")

    rng = np.random.default_rng(1)
    rows = [(f"p{i}", "AB"[i % 2], visit, np.exp(rng.normal(between, 0.3))) for i, between in enumerate(rng.normal(0, 1, 20)) for visit in (0, 3, 6)]
    samples = pd.DataFrame(rows, columns=["patient_id", "arm", "visit", "value"])
    samples["arm"] = pd.Categorical(samples["arm"], ["A", "B"], ordered=True)
    assert second_engine_mixed.fit(samples, "visit", None) is not None
    monkeypatch.setattr(second_engine_mixed.optimize, "root", singular)
    assert second_engine_mixed.fit(samples, "visit", None) is None
