"""Rubin's rules: R's values, limits in which the answer is known, and models that cannot be put together."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_data import FOLDER, load_expected, make_tte
from scipy import stats

from lib.statistics.models.cox import estimate_cox
from lib.statistics.multivariable.rubin import estimate_imputed_cox, pool

COLON = FOLDER.parent.parent / "data" / "colon" / "patients.csv"


def filled():
    """The trial, five times, what is missing filled in by the rule of imputation.R."""
    patients = pd.read_csv(COLON)
    arm = pd.Categorical(patients["rx"], categories=["Obs", "Lev", "Lev+5FU"], ordered=True)
    tte = pd.DataFrame({"arm": arm, "time": patients["recurrence_days"].astype(float), "event": patients["recurrence_status"] == 1, "age": patients["age"]})
    row = np.arange(1, len(tte) + 1)
    for k in range(1, 6):
        nodes, differ = patients["nodes"].fillna(pd.Series((row + 3 * k) % 7 + 1)), patients["differ"].fillna(pd.Series((row * k) % 3 + 1))
        yield tte.assign(nodes=nodes, differ=pd.Categorical(differ.astype(int).astype(str)))


def test_pooled_cox_equals_r():
    """pool(lapply(filled, coxph, formula = Surv(time, event) ~ rx + age + nodes + factor(differ))), rubin1987: imputation.R"""
    found, expected = estimate_imputed_cox(list(filled()), "Obs", ["age", "nodes", "differ"]).terms, load_expected("imputation")
    assert list(found["term"]) == ["arm=Lev", "arm=Lev+5FU", "age", "nodes", "differ=2", "differ=3"]
    for statistic in ("coef", "std_err", "df", "hr", "ci_low", "ci_high", "p_value", "missing_information"):
        assert_allclose(found[statistic], expected[statistic], rtol=1e-6, err_msg=statistic)
    assert (found[["n", "n_events", "n_imputations"]].drop_duplicates().to_numpy() == [929, 468, 5]).all()


def test_by_hand():
    """Estimates 1 and 3 with variance 4: T = 4 + 1.5 * 2 = 7, half of it (3 / 7) between; mc = sqrt(2 / 2)."""
    row = pool(np.array([[1.0], [3.0]]), np.array([[4.0], [4.0]]), 100).iloc[0]
    share, observed = 3 / 7, 101 / 103 * 100 * 4 / 7
    df = 1 / (share**2 + 1 / observed)
    assert_allclose(row[["coef", "std_err", "df", "mc_error"]].astype(float), [2, np.sqrt(7), df, 1])
    missing = (0.75 + 2 / (df + 3)) / 1.75
    assert_allclose([row["missing_information"], row["efficiency"]], [missing, 1 / (1 + missing / 2)])
    assert_allclose(row["ci_high"] - 2, stats.t.ppf(0.975, df) * np.sqrt(7))


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=30), st.floats(0.01, 4), st.floats(1, 1e4))
def test_more_is_never_known_than_with_everything(estimates, variance, events):
    """The error is never below that of a complete data set, the degrees of freedom never above."""
    row = pool(np.array(estimates)[:, None], np.full((len(estimates), 1), variance), events).iloc[0]
    assert row["std_err"] >= np.sqrt(variance) * (1 - 1e-12)
    assert 0 < row["df"] <= events
    assert 0 <= row["missing_information"] <= 1
    assert 0.5 <= row["efficiency"] <= 1


def test_nothing_missing_is_the_one_model():
    frame = next(filled())
    found = estimate_imputed_cox([frame] * 4, "Obs", ["age", "nodes"]).terms
    alone = estimate_cox(frame, "Obs", ["age", "nodes"]).terms
    assert_allclose(found[["coef", "std_err"]], alone[["coef", "std_err"]], rtol=1e-9)
    assert (found[["missing_information", "mc_error"]] == 0).all(axis=None)


def test_one_imputation_is_refused():
    with pytest.raises(ValueError, match="one imputation"):
        pool(np.ones((1, 2)), np.ones((1, 2)), 10)


def test_what_separates_or_says_nothing_is_refused():
    tte = make_tte({"A": [(i, i % 2) for i in range(1, 13)], "B": [(i, 0) for i in range(1, 13)]})
    assert estimate_imputed_cox([tte, tte], "A", []).reason == "the arms or covariates separate events from non-events"
    flat = make_tte({"A": [(i, i % 2) for i in range(1, 13)], "B": [(i + 0.5, i % 3 == 0) for i in range(1, 13)]}).assign(x=1.0)
    refused = estimate_imputed_cox([flat, flat], "A", ["x"])
    assert (refused.reason, refused.of) == ("the events say nothing of", ("x",))
    assert refused.terms.empty
