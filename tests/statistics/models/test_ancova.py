"""Analysis of covariance against R (staples.R), against its second engine, and what must hold whatever the data."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_data import load_expected
from scipy import stats

from lib.statistics.models.ancova import LEAST_IN_ARM, LEAST_RESIDUAL, estimate_ancova
from lib.statistics.second_engine import ancova as second

CASES = load_expected("staples")["ancova"]
INTERVAL = ["std_err", "ci_low", "ci_high"]


def patients_of(case):
    frame = pd.DataFrame({name: case[name] for name in ("arm", "baseline", "change")})
    return frame.assign(arm=pd.Categorical(frame["arm"], case["arms"], ordered=True))


@st.composite
def some_patients(draw, arms=3):
    """Arms of seven patients or more, about lines that share a slope."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes = draw(st.lists(st.integers(7, 20), min_size=arms, max_size=arms))
    arm = np.repeat([f"a{i}" for i in range(arms)], sizes)
    baseline = rng.normal(draw(st.sampled_from([0, 50, 1e4])), draw(st.sampled_from([0.1, 1, 20])), len(arm))
    return pd.DataFrame({"arm": pd.Categorical(arm, ordered=True), "baseline": baseline, "change": -0.3 * baseline + rng.normal(0, 2, len(arm))})


@pytest.mark.parametrize("name", CASES)
def test_adjusted_means_and_differences_equal_r(name):
    """lm(), hatvalues(), a variance for each arm, and the sandwich of them; oneway.test() where all have the same baseline."""
    case = CASES[name]
    found = estimate_ancova(patients_of(case), case["arms"][0], case["level"])
    assert_allclose(found["mean"][["estimate", *INTERVAL, "df_residual"]], case["mean"], rtol=1e-6)
    columns = ["difference", "std_err", "ci_low", "ci_high", "statistic", "p_value", "df_residual"]
    assert_allclose(found["difference"][columns], case["difference"], rtol=1e-6, atol=1e-12)
    overall = found["test"].iloc[0]
    assert_allclose(overall[["statistic", "df", "p_value", "df_residual", "coef"]].astype(float), [*case["F"], case["slope"]], rtol=1e-6, atol=1e-12)
    assert overall["n"] == len(case["arm"]) == found["mean"]["n"].sum()
    assert not found["mean"]["note"].str.startswith("not").any()
    alike = estimate_ancova(patients_of(case).assign(baseline=1.0), case["arms"][0])["test"].iloc[0]
    assert_allclose(alike[["statistic", "p_value"]].astype(float), case["welch"], rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_the_second_engine_agrees(name):
    case = CASES[name]
    patients = patients_of(case)
    found, again = estimate_ancova(patients, case["arms"][0]), second.fit(patients, case["arms"])
    for output in ("mean", "difference"):
        for row in found[output].to_dict("records"):
            values = again.contrast(row["group"], 0.95) | ({"difference": again.contrast(row["group"], 0.95)["estimate"]} if output == "difference" else {})
            shown = [key for key in values if key in row]
            assert len(shown) >= 5
            assert_allclose([row[key] for key in shown], [values[key] for key in shown], rtol=1e-6, atol=1e-12)
    row = found["test"].iloc[0]
    for key, value in again.overall().items():
        assert_allclose(row[key], value, rtol=1e-6, atol=1e-12)


@given(some_patients(2))
@settings(deadline=None)
def test_equal_baselines_make_it_the_t_test(patients):
    """t.test(change ~ arm)"""
    found = estimate_ancova(patients.assign(baseline=7.0), "a0")
    x, y = (patients.loc[patients["arm"] == arm, "change"] for arm in ("a1", "a0"))
    test, row = stats.ttest_ind(x, y, equal_var=False), found["difference"].iloc[0]
    low, high = test.confidence_interval()
    assert_allclose(row[["difference", "ci_low", "ci_high", "statistic", "p_value", "df_residual"]].astype(float),
                    [x.mean() - y.mean(), low, high, test.statistic, test.pvalue, test.df], rtol=1e-8, atol=1e-10)  # fmt: skip
    assert "same baseline" in row["note"]


@given(some_patients(2))
@settings(deadline=None)
def test_of_two_arms_the_test_is_that_of_their_difference(patients):
    found = estimate_ancova(patients, "a0")
    pair, overall = found["difference"].iloc[0], found["test"].iloc[0]
    assert_allclose(overall[["statistic", "df_residual", "p_value"]].astype(float), [pair["statistic"] ** 2, pair["df_residual"], pair["p_value"]], rtol=1e-6, atol=1e-12)


@given(some_patients(2))
@settings(deadline=None)
def test_arms_that_start_alike_keep_their_difference(patients):
    """With the same baselines in both arms nothing is adjusted away; only the error grows smaller or larger."""
    first = patients[patients["arm"] == "a0"]
    other = first.assign(arm=pd.Categorical(["a1"] * len(first), ["a0", "a1"], ordered=True), change=np.sin(np.arange(len(first))))
    both = pd.concat([first.assign(arm=first["arm"].cat.set_categories(["a0", "a1"])), other], ignore_index=True)
    found = estimate_ancova(both, "a0")["difference"].iloc[0]
    assert_allclose(found["difference"], other["change"].mean() - first["change"].mean(), rtol=1e-6, atol=1e-6)


@given(some_patients(), st.floats(-50, 50), st.sampled_from([0.01, 3.0, 1000.0]))
@settings(deadline=None)
def test_units_and_order_of_patients_change_nothing(patients, shift, scale):
    """Another zero of the scale moves no difference; another unit multiplies it; the slope and p stay."""
    found = estimate_ancova(patients, "a1")
    moved = patients.assign(baseline=scale * patients["baseline"] + shift, change=scale * patients["change"]).sample(frac=1, random_state=1)
    again = estimate_ancova(moved, "a1")
    assert_allclose(again["difference"]["difference"], scale * found["difference"]["difference"], rtol=1e-5, atol=1e-8 * scale)
    assert_allclose(again["test"]["p_value"], found["test"]["p_value"], rtol=1e-4, atol=1e-12)


def test_what_is_refused():
    rng = np.random.default_rng(4)
    arm = pd.Categorical(np.repeat(["a", "b", "c"], [12, 12, LEAST_IN_ARM - 1]), ["a", "b", "c", "d"], ordered=True)
    patients = pd.DataFrame({"arm": arm, "baseline": rng.normal(size=len(arm)), "change": rng.normal(size=len(arm))})
    found = estimate_ancova(patients, "a")
    means, pairs = found["mean"].set_index("group"), found["difference"].set_index("group")
    assert means["n"].tolist() == [12, 12, LEAST_IN_ARM - 1, 0]
    assert means["estimate"].notna().tolist() == [True, True, False, False]
    assert f"fewer than {LEAST_IN_ARM} patients" in means.at["c", "note"]
    assert pairs["p_value"].notna().tolist() == [True, False, False]
    assert found["test"]["n"].iat[0] == 24
    assert estimate_ancova(patients, "d")["difference"]["difference"].isna().all(), "nobody to compare with"
    few = estimate_ancova(patients[patients["arm"].isin(["a", "b"])].groupby("arm", observed=True).head(6), "a")
    assert few["mean"]["estimate"].isna().all()
    assert set(few["difference"]["note"].iloc[:1]) == {f"not estimable: fewer than {LEAST_RESIDUAL} residual degrees of freedom"}
    told = estimate_ancova(patients.assign(baseline=patients["arm"].cat.codes.astype(float)), "a")
    assert "cannot be told from the arm" in told["test"]["note"].iat[0]
    still = estimate_ancova(patients.assign(change=patients["change"].where(patients["arm"] != "b", 1.0), baseline=1.0), "a")
    assert "do not vary about the line in one of the arms" in still["test"]["note"].iat[0]
    straight = estimate_ancova(patients.assign(change=2 * patients["baseline"]), "a")
    assert "do not vary" in straight["test"]["note"].iat[0]
    nobody = estimate_ancova(patients.iloc[:0], "a")
    assert nobody["mean"]["n"].sum() == 0
    assert nobody["mean"]["estimate"].isna().all()


def test_a_missing_value_leaves_the_patient_out():
    case = CASES["anorexia"]
    patients = patients_of(case)
    more = pd.concat([patients, patients.head(5).assign(change=np.nan), patients.head(3).assign(baseline=np.nan)], ignore_index=True)
    assert_allclose(estimate_ancova(more, "CBT")["mean"][["n", "estimate"]].astype(float), estimate_ancova(patients, "CBT")["mean"][["n", "estimate"]].astype(float))


@pytest.mark.parametrize(("sizes", "spreads"), [((10, 19, 10), (3, 1, 1)), ((5, 12, 5), (1, 1, 3))])
def test_arms_that_spread_unevenly_are_not_called_different_too_often(sizes, spreads):
    """No arm differs, and about 5 % of pairs and of tests of all arms say so; with one variance for all 17 and 20 %."""
    rng = np.random.default_rng(8)
    arm = pd.Categorical(np.repeat(["a", "b", "c"], sizes), ordered=True)
    spread, rejected = np.repeat(spreads, sizes), []
    for _ in range(250):
        baseline = rng.normal(size=len(arm))
        found = estimate_ancova(pd.DataFrame({"arm": arm, "baseline": baseline, "change": -0.3 * baseline + spread * rng.normal(size=len(arm))}), "a")
        rejected.append(pd.concat([found["difference"]["p_value"], found["test"]["p_value"]]) < 0.05)
    assert np.mean(rejected, axis=0).max() < 0.1
