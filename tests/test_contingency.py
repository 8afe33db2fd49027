"""Exact test of r x c tables against R (expected/small_samples.json) and against brute force."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_data import load_expected
from scipy import stats
from scipy.special import gammaln

from lib import contingency, proportions

REPEATABLE = settings(derandomize=True, deadline=None)
TABLES = load_expected("small_samples")["r_by_c"]
rows = st.integers(1, 3).map(lambda width: st.lists(st.integers(0, 4), min_size=width, max_size=width))
tables = rows.flatmap(lambda row: st.lists(row, min_size=1, max_size=3))


@pytest.mark.parametrize("case", TABLES)
def test_freeman_halton_equals_r(case):
    """fisher.test(table, workspace = 2e7)$p.value"""
    result = contingency.exact_test(case["table"])
    assert_allclose(result.p_value, case["fisher"], rtol=1e-6)
    assert result.mc_error == 0
    assert "all tables counted" in result.method


def brute_force(table):
    """All tables, cell by cell."""
    table = np.array(table)
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    weights = []
    for cells in product(*(range(min(r, c) + 1) for r in rows[:-1] for c in columns[:-1])):
        inner = np.array(cells, dtype=int).reshape(len(rows) - 1, len(columns) - 1)
        filled = np.column_stack([inner, rows[:-1] - inner.sum(axis=1)])
        filled = np.vstack([filled, columns - filled.sum(axis=0)])
        if (filled >= 0).all():
            weights.append(-gammaln(filled + 1).sum())
    weights = np.exp(weights)
    return weights[weights <= np.exp(-gammaln(table + 1).sum()) * (1 + 1e-7)].sum() / weights.sum()


@REPEATABLE
@given(tables)
def test_equals_brute_force(table):
    found = contingency.exact_test(table).p_value
    if np.sum(table) == 0:
        assert np.isnan(found)
    else:
        assert_allclose(found, brute_force(table), rtol=1e-8)


@REPEATABLE
@given(tables, st.randoms(use_true_random=False))
def test_order_and_direction_do_not_matter(table, shuffle):
    shuffled = [list(row) for row in table]
    shuffle.shuffle(shuffled)
    once, again, turned = (contingency.exact_test(t).p_value for t in (table, shuffled, np.transpose(table)))
    assert_allclose([again, turned], once, rtol=1e-9)


def test_large_tables_are_drawn_reproducibly_and_say_so():
    table = np.array(TABLES[3]["table"])
    drawn = contingency.exact_test(table, limit=10)
    assert drawn == contingency.exact_test(table, limit=10)
    assert drawn != contingency.exact_test(table, limit=10, seed=1)
    assert "100,000 random tables, seed" in drawn.method
    assert 0 < drawn.mc_error < 0.002
    assert abs(drawn.p_value - TABLES[3]["fisher"]) < 4 * drawn.mc_error


def test_frame_carries_the_monte_carlo_error():
    table = np.random.default_rng(5).integers(20, 40, (5, 4))
    exact, chi = proportions.compare_categories(table).itertuples(index=False)
    assert exact.mc_error > 0
    assert "random tables" in exact.method
    assert_allclose(chi.p_value, stats.chi2_contingency(table, correction=False).pvalue)
    assert chi.mc_error == 0


def test_empty_categories_and_arms_are_left_out():
    assert_allclose(
        contingency.exact_test([[3, 0, 8], [0, 0, 0], [11, 0, 17]]).p_value,
        contingency.exact_test([[3, 8], [11, 17]]).p_value,
    )
    assert np.isnan(contingency.chi_square([[3, 0], [4, 0]])).all()
    assert contingency.exact_test([[3, 8], [0, 0]]).p_value == 1
