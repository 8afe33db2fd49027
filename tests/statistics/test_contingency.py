"""Exact tests of tables against R (expected/contingency.json, small_samples.json) and complete enumeration in whole numbers."""

import csv
from fractions import Fraction
from math import comb, prod

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_data import FOLDER, load_expected
from scipy import stats

from lib.show.formats import exactness, format_exact_p
from lib.statistics import contingency, proportions

DRAWN = settings(deadline=None)
SMALL = load_expected("small_samples")["r_by_c"]
OF_R = load_expected("contingency")
MOST_TABLES = 20_000  # that complete enumeration goes through
small_rows = st.integers(1, 3).map(lambda width: st.lists(st.integers(0, 4), min_size=width, max_size=width))
small_tables = small_rows.flatmap(lambda row: st.lists(row, min_size=1, max_size=3))


@st.composite
def arms(draw):
    """Two-column table of arms from 1:1 to 10:1, together up to 3,000 patients; the property is rare, usual or common."""
    k = draw(st.integers(2, 6))
    ratios = [draw(st.integers(1, 10)) if i == 0 else 1 for i in range(k)]
    one = draw(st.integers(1, 3_000 // sum(ratios)))
    sizes = [one * ratio for ratio in ratios]
    rare = [draw(st.integers(0, min(n, draw(st.sampled_from([3, 12, 3_000]))))) for n in sizes]
    table = np.array([[x, n - x] for x, n in zip(rare, sizes, strict=True)])
    return table[:, ::-1] if draw(st.booleans()) else table


def ways(cells) -> int:
    """In how many ways patients of one row can have these categories."""
    return prod(comb(sum(cells[: i + 1]), cells[i]) for i in range(len(cells)))


def fillings(total, room):
    """All ways to spread a row over columns that have so much room."""
    if len(room) == 1:
        yield from [(total,)] if total <= room[0] else []
        return
    for x in range(max(0, total - sum(room[1:])), min(total, room[0]) + 1):
        yield from ((x, *rest) for rest in fillings(total - x, room[1:]))


def all_tables(rows, room):
    """The number of ways to each table with these margins."""
    if len(rows) == 1:
        yield ways(room)
        return
    for cells in fillings(rows[0], room):
        own = ways(cells)
        left = tuple(have - took for have, took in zip(room, cells, strict=True))
        yield from (own * rest for rest in all_tables(rows[1:], left))


def enumerated(table) -> Fraction:
    """P-value from whole numbers: tables in no more ways than the observed one, up to 1e-7 more, as R counts them."""
    table = [[int(x) for x in row] for row in table]
    observed = prod(ways(row) for row in table)
    every = list(all_tables([sum(row) for row in table], tuple(sum(column) for column in zip(*table, strict=True))))
    return Fraction(sum(n for n in every if n * 10**7 <= observed * (10**7 + 1)), sum(every))


def check_enumerated(table, rtol=1e-9):
    """In both orientations and with mirrored columns the same, and that of complete enumeration."""
    table = np.asarray(table)
    expected = enumerated(table)
    for same in (table, table[:, ::-1], table.T, table[::-1].T):
        found = contingency.exact_test(same)
        assert found.mc_error == 0
        if expected > Fraction(1, 10**300):
            assert abs(Fraction(found.p_value) / expected - 1) < rtol
        else:
            assert found.p_value < 1e-299


@pytest.mark.parametrize("case", SMALL)
def test_freeman_halton_equals_r(case):
    """fisher.test(table, workspace = 2e7)$p.value"""
    result = contingency.exact_test(case["table"])
    assert_allclose(result.p_value, case["fisher"], rtol=1e-6)
    assert result.mc_error == 0
    assert "all tables counted" in result.method


@pytest.mark.parametrize("kind", ["two_arms", "arms", "categories"])
def test_random_tables_equal_r(kind):
    """fisher.test(table, workspace = 2e7)$p.value, of two arms up to 1,000,000 patients; R gives 0 below 1e-300."""
    for case in OF_R[kind]:
        table = np.array(case["table"])
        for same in (table, table[:, ::-1].T):
            found = contingency.exact_test(same)
            assert_allclose(found.p_value, case["p"], rtol=1e-6, atol=1e-300)
            assert found.mc_error == 0


@pytest.mark.parametrize("name", ["job", "mp6"])
def test_the_tables_of_the_manual_of_r_are_counted(name):
    """fisher.test(Job), fisher.test(MP6) of ?fisher.test"""
    found = contingency.exact_test(OF_R["examples"][name]["table"])
    assert_allclose(found.p_value, OF_R["examples"][name]["p"], rtol=1e-9)
    assert found.mc_error == 0


def test_tables_that_differences_of_running_sums_got_wrong():
    """fisher.test(table)$p.value; high shares and unequal arms, and the same tables with their columns swapped"""
    for row in csv.DictReader((FOLDER / "exact_tests.csv").read_text("utf-8").splitlines()):
        table = np.array(row["table"].split(), dtype=int).reshape(-1, int(row["n_columns"]))
        for same in (table, table[:, ::-1], table.T):
            assert_allclose(contingency.exact_test(same).p_value, float(row["p_value"]), rtol=1e-6)


@settings(DRAWN, max_examples=60)
@given(arms())
def test_arms_of_up_to_3000_patients_equal_complete_enumeration(table):
    rest, column = sorted(table.sum(axis=1))[:-1], table.sum(axis=0).min()
    assume(column > 0)
    assume(prod(min(int(n), int(column)) + 1 for n in rest) <= MOST_TABLES)
    check_enumerated(table)


@pytest.mark.parametrize(
    "table",
    [
        [[400, 600], [430, 570], [455, 545]],
        [[900, 100], [930, 70], [948, 52]],
        [[1800, 200], [150, 50], [187, 13]],
        [[30, 470], [24, 476], [1, 1999]],
        [[40, 360], [200, 200], [352, 48]],
    ],
)
def test_three_large_arms_equal_complete_enumeration(table):
    """As above, without a list of all tables: for each first row, the ways to fill the second."""
    (a, b), (c, d), (e, f) = table
    first, second, third = ([comb(n, x) for x in range(n + 1)] for n in (a + b, c + d, e + f))
    responders, extreme = a + c + e, 0
    limit = first[a] * second[c] * third[e] * (10**7 + 1)
    for x in range(max(0, responders - c - d - e - f), min(a + b, responders) + 1):
        left, most = responders - x, limit // (first[x] * 10**7)
        pairs = [second[y] * third[left - y] for y in range(max(0, left - e - f), min(c + d, left) + 1)]
        extreme += first[x] * sum(pair for pair in pairs if pair <= most)
    expected = Fraction(extreme, comb(a + b + c + d + e + f, responders))
    for same in (table, np.array(table)[:, ::-1], np.transpose(table)):
        assert abs(Fraction(contingency.exact_test(same).p_value) / expected - 1) < 1e-9


@settings(DRAWN, max_examples=150)
@given(small_tables)
def test_small_tables_equal_complete_enumeration(table):
    table = np.array(table)
    if table.sum() == 0:
        assert np.isnan(contingency.exact_test(table).p_value)
    else:
        check_enumerated(table, rtol=1e-10)


@settings(DRAWN, max_examples=40)
@given(st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=4, max_size=5))
def test_tables_of_several_categories_equal_complete_enumeration(table):
    table = np.array(table)
    assume(table.sum())
    # fewest tables first: rows in which few patients are
    table = table[np.argsort(table.sum(axis=1))]
    assume(prod(comb(int(n) + 3, 3) for n in table.sum(axis=1)[:-1]) <= 5 * MOST_TABLES)
    check_enumerated(table, rtol=1e-10)


@settings(DRAWN, max_examples=80)
@given(st.integers(1, 10**7), st.integers(1, 10), st.floats(0, 1), st.floats(-4, 4))
def test_two_arms_of_any_size_equal_scipy(n, ratio, share, distance):
    """scipy.stats.fisher_exact, where no other table is as likely to 1e-7: one patient more or less is far from that."""
    sizes = np.array([n, n * ratio])
    spread = np.sqrt(max(share * (1 - share), 1e-12) / n)
    shares = np.clip([share, share + distance * spread], 0, 1)
    with_it = np.floor(sizes * shares).astype(int)
    table = np.column_stack([with_it, sizes - with_it])
    assume(table.sum(axis=0).all())
    found = contingency.exact_test(table)
    (first, second), (having, lacking), total = table.sum(axis=1) / 1.0, table.sum(axis=0), table.sum()
    assume(first * second * having * lacking < 1e6 * total**3)  # else neighbours of the mode are that close
    assert_allclose(found.p_value, stats.fisher_exact(table).pvalue, rtol=1e-6)
    assert_allclose(contingency.exact_test(table[:, ::-1].T).p_value, found.p_value, rtol=1e-9)
    assert found.mc_error == 0


def test_ties_of_two_large_arms_are_kept():
    """fisher.test(matrix(c(n/2 - k, n/2 + k, n/2 + k, n/2 - k), 2))$p.value: the mirrored table is as likely"""
    half, off = 2_000_000, 1_500
    table = [[half - off, half + off], [half + off, half - off]]
    lower = stats.hypergeom(4 * half, 2 * half, 2 * half).cdf(half - off)
    assert_allclose(contingency.exact_test(table).p_value, 2 * lower, rtol=1e-6)


def test_many_patients_in_several_categories_are_counted_too():
    """R: of random tables with these margins, r2dtable, about as many are no more likely; here those of scipy."""
    table = np.array([[4_200, 6, 1_800], [4_120, 11, 1_880], [4_160, 7, 1_830]])
    found, drawn = contingency.exact_test(table), contingency.exact_test(table, limit=0)
    assert found.mc_error == 0 < drawn.mc_error
    assert abs(found.p_value - drawn.p_value) < 4 * drawn.mc_error
    assert_allclose(contingency.exact_test(table[::-1, ::-1].T).p_value, found.p_value, rtol=1e-8)


def test_large_tables_are_drawn_reproducibly_and_say_so():
    table = np.array(SMALL[3]["table"])
    drawn = contingency.exact_test(table, limit=10)
    assert drawn == contingency.exact_test(table, limit=10)
    assert drawn != contingency.exact_test(table, limit=10, seed=1)
    assert "100\u202f000 random tables, seed" in drawn.method
    assert 0 < drawn.mc_error < 0.002
    assert abs(drawn.p_value - SMALL[3]["fisher"]) < 4 * drawn.mc_error


def test_frame_carries_the_monte_carlo_error():
    table = np.random.default_rng(5).integers(200, 400, (6, 6))
    drawn, chi = proportions.compare_categories(table).itertuples(index=False)
    assert drawn.mc_error > 0
    assert "random tables" in drawn.method
    assert_allclose(chi.p_value, stats.chi2_contingency(table, correction=False).pvalue)
    assert chi.mc_error == 0


def test_what_is_drawn_is_never_called_exact():
    counted, drawn = {"p_value": 0.0123, "mc_error": 0.0}, {"p_value": 0.0123, "mc_error": 0.00042}
    assert format_exact_p(counted) == "exact p = 0.012"
    assert format_exact_p(drawn) == "simulated p = 0.012, Monte Carlo error 0.0004"
    assert exactness([0.0, np.nan]) == "exact"
    assert exactness([0.001]) == "simulated, Monte Carlo error up to 0.0010"
    assert exactness([0.0, 0.001]) == "exact or simulated, Monte Carlo error up to 0.0010"


def test_empty_categories_and_arms_are_left_out():
    assert_allclose(
        contingency.exact_test([[3, 0, 8], [0, 0, 0], [11, 0, 17]]).p_value,
        contingency.exact_test([[3, 8], [11, 17]]).p_value,
    )
    assert np.isnan(contingency.chi_square([[3, 0], [4, 0]])).all()
    assert contingency.exact_test([[3, 8], [0, 0]]).p_value == 1
