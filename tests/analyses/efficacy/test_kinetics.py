"""Slopes of a marker, its progression and its surrogate: against R on the sequential Mayo data, and on designed samples."""

import re

import numpy as np
import pytest
from marker_study import KINETICS, load_pbc, load_samples
from notebook_cells import run_notebook, without_drawing
from numpy.testing import assert_allclose
from reference_data import load_expected

from lib.analyses.efficacy import kinetics, marker_models, markers
from lib.analyses.result import Absent, where
from lib.show import say, table
from lib.statistics.survival import competing

R = load_expected("kinetics")
RULES = {"nadir": "over: nadir, confirmed: false", "nadir_confirmed": "over: nadir, confirmed: true", "baseline": "over: baseline, confirmed: false"}
SIZES = {"all": None, "forty": 40}
RULE = "progression: {{ratio: 1.5, at_least: 0.5, {}}}"


@pytest.fixture(scope="module", params=SIZES)
def mayo(request, tmp_path_factory):
    data = load_pbc(tmp_path_factory.mktemp(request.param), KINETICS, SIZES[request.param])
    return R[request.param], data, kinetics.analyse_kinetics(data, data.study.marker("m"))


def test_slopes_equal_r(mayo):
    """m <- lm(log(bili) ~ I(day / 365.25)); coef(summary(m))[2, 1:2]; confint(m)[2, ]; the same of bili itself"""
    expected, _, analysis = mayo
    slopes = analysis["slopes"].set_index("patient_id").loc[[f"p{number}" for number in expected["id"]]]
    assert len(slopes) == len(analysis["slopes"])
    reference, sure = np.array(expected["slope"]), slopes["std_err"].notna().to_numpy()
    assert_allclose(slopes["slope"], reference[:, 0], rtol=1e-6, atol=1e-12)
    assert_allclose(slopes.loc[sure, ["std_err", "ci_low", "ci_high"]], reference[sure, 1:], rtol=1e-6)
    assert (np.abs(reference[~sure, 1]) < 1e-9).all() and sure.sum() >= 0.9 * len(sure)
    measured = slopes["velocity_low"].notna().to_numpy()
    straight = np.array(expected["velocity"])
    assert_allclose(slopes["velocity"], straight[:, 0], rtol=1e-6, atol=1e-12)
    assert_allclose(slopes.loc[measured, ["velocity_low", "velocity_high"]], straight[measured, 2:], rtol=1e-6)


def test_summaries_of_slopes_equal_r(mayo):
    """quantile(s, c(.25, .5, .75)); kruskal.test(s, arm); wilcox.test(x, y, conf.int = TRUE); binom.test(sum(s > log(2) / 2), n)"""
    expected, _, analysis = mayo
    slope = analysis["m_slope"].set_index("group")
    times = analysis["m_doubling_time"].set_index("group")
    for arm, code in (("P", "0"), ("D", "1")):
        assert_allclose(slope.loc[arm, ["q1", "median", "q3"]].astype(float), expected["quartiles"][code], rtol=1e-6)
        assert_allclose(times.loc[arm, ["q1", "median", "q3"]].astype(float), np.log(2) / np.array(expected["quartiles"][code]), rtol=1e-6)
    between = analysis["m_slope_between"].iloc[0]
    assert_allclose(between[["chisq", "p_value"]].astype(float), expected["kruskal"], rtol=1e-6)
    shift = analysis["m_slope_shift"].iloc[0]
    assert_allclose(shift["p_value"], expected["p"], rtol=1e-6)
    if isinstance(expected["shift"], list):
        assert_allclose(shift[["ratio", "ci_low", "ci_high"]].astype(float), np.exp(expected["shift"]), rtol=1e-6)
    else:  # R has the median of the differences, but searches for the limits to four digits at this size
        assert_allclose(shift["ratio"], np.exp(expected["shift"]), rtol=1e-6)
    soon = where(analysis["m_kinetics"], variable="m: doubling").set_index("group")
    found = soon.loc[["P", "D"], ["count", "n", "ci_low", "ci_high"]].to_numpy(float)
    assert_allclose(found, expected["soon"], rtol=1e-6)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("rule", RULES)
def test_progression_equals_r(size, rule, tmp_path):
    """cummin() by patient; f <- cuminc(time, cause, arm); timepoints(f, c(1, 3, 5)); f$Tests"""
    expected, data = R[size][rule], load_pbc(tmp_path, RULE.format(RULES[rule]), SIZES[size])
    analysis = kinetics.analyse_rises(data, data.study.marker("m"))
    known = analysis["competing"]
    by_id = known.assign(id=known["patient_id"].str[1:].astype(int)).sort_values("id")
    days = [np.nan if day == "NA" or day is None else day for day in expected["day"]]
    assert_allclose((by_id["time"] * 365.25).where(by_id["event"]), days, rtol=1e-9)
    counts = analysis["m_rise_count"].pivot(index="group", columns="variable", values="count").loc[["P", "D"], ["m: risen", "m: died", "m: free"]]
    assert counts.to_numpy().ravel().tolist() == expected["count"]
    at = competing.estimate_cumulative_incidence(known, [1, 3, 5])
    ours = at["estimate"].notna().to_numpy()
    assert_allclose(at.loc[ours, "estimate"], np.array(expected["est"])[ours], rtol=1e-6)
    assert_allclose(at.loc[ours, "std_err"] ** 2, np.array(expected["var"])[ours], rtol=1e-6)
    assert_allclose(analysis["m_rise_test"].iloc[0][["chisq", "p_value"]].astype(float), expected["gray"], rtol=1e-6)


def four(arm, name, *values, step=90):
    return [(name, arm, i * step, value) for i, value in enumerate(values)]


DESIGNED = [
    *four("A", "twice", 1, 2, 4, 8), *four("A", "half", 8, 4.1, 1.9, 1), *four("A", "same", 3, 3, 3, 3),
    *four("B", "two", 1, 2), *four("B", "short", 1, 2, 4, step=10), *four("B", "limits", "<0.1", 2, 3, ">500"),
    *four("B", "up", 1, 1.5, 1.6, 2.4),
]  # fmt: skip


def test_who_has_no_slope_is_counted_by_reason(tmp_path):
    data = load_samples(tmp_path, DESIGNED, KINETICS)
    analysis = kinetics.analyse_kinetics(data, data.study.marker("m"))
    counts = analysis["m_no_slope"].set_index(["group", "variable"])["count"]
    assert counts[counts > 0].to_dict() == {("B", "m: fewer than 3 values"): 2, ("B", "m: values of less than 180 days"): 1}
    slopes = analysis["slopes"].set_index("patient_id")
    assert slopes.loc["twice", "doubling"] == pytest.approx(90 / 365.25)
    assert slopes.loc["half", "doubling"] < 0 and np.isnan(slopes.loc["same", "doubling"])
    shown = str(table.kinetics(analysis)) + str(table.slopes(analysis))
    assert "stays (all values are equal)" in shown and "doubles in 0.25 years" in shown and "nan" not in shown


def test_what_is_told_in_words(tmp_path):
    data = load_samples(tmp_path, DESIGNED, f"{KINETICS}, {RULE.format(RULES['nadir'])}")
    marker = data.study.marker("m")
    said = say.kinetics(kinetics.analyse_kinetics(data, marker))
    assert "stays with Arm A (3 patients)" in said and "in less than 2 years in 2 of 4 patients" in said
    said = say.rises(kinetics.analyse_rises(data, marker))
    assert "1.5 times the lowest value before or more, and at least 0.5 mg/dL above it" in said and "death competes" in said


def test_without_a_slope_there_is_a_reason(tmp_path):
    data = load_samples(tmp_path, [*four("A", "a", 1, 2), *four("B", "b", 1, "<0.1", "<0.1")], KINETICS)
    absent = kinetics.analyse_kinetics(data, data.study.marker("m"))
    assert isinstance(absent, Absent) and "fewer than 3 values" in absent.reason


def test_from_the_nadir_on_a_slope_is_that_of_the_rise(tmp_path):
    rows = [*four("A", "a", 8, 4, 1, 2, 4, 8), *four("B", "b", 8, "<0.1", 1, 2, 4), *four("B", "c", 8, 4, 2, 1)]
    keys = "kinetics: {since: nadir, min_values: 3, doubling_below: 2}"
    analysis = kinetics.analyse_kinetics(data := load_samples(tmp_path, rows, keys), data.study.marker("m"))
    slopes = analysis["slopes"].set_index("patient_id")
    assert_allclose(slopes["doubling"], 90 / 365.25)
    assert list(slopes.index) == ["a", "b"] and slopes["n"].tolist() == [4, 3]


@pytest.mark.parametrize(
    ("factor", "shift", "unit"), [(100, 0, ("years", 365.25)), (1, 400, ("years", 365.25)), (0.01, 1000, ("years", 365.25)), (1, 0, ("months", 30.4375))]
)
def test_neither_the_unit_nor_the_day_of_entry_changes_a_doubling_time(tmp_path, factor, shift, unit):
    rng = np.random.default_rng(7)
    rows = [(f"s{i}", "AB"[i % 2], int(90 * k + rng.integers(0, 20)), round(float(np.exp(rng.normal(1, 0.6))), 3)) for i in range(12) for k in range(5)]
    moved = [(patient, arm, day + shift, value * factor) for patient, arm, day, value in rows]
    found = []
    for name, own, (called, per_unit) in (("a", rows, ("years", 365.25)), ("b", moved, unit)):
        data = load_samples(tmp_path / name, own, KINETICS, unit=called, per_unit=per_unit)
        slopes = kinetics.analyse_kinetics(data, data.study.marker("m"))["slopes"]
        found.append((slopes["doubling"] * per_unit, slopes["velocity"] / per_unit, slopes["doubling_low"] * per_unit))
    assert_allclose(found[1][0], found[0][0], rtol=1e-9)
    assert_allclose(found[1][1], found[0][1] * factor, rtol=1e-9)
    assert_allclose(found[1][2], found[0][2], rtol=1e-9)


SURROGATE = "interference: {marker: anti, above: 40, surrogate: {fell: 0.5, rose: 1.5}}"


def antibody(arm, name, *values):
    return [*four(arm, name, *[3] * len(values)), *[(name, arm, 90 * i, value, "anti") for i, value in enumerate(values)]]


def test_the_interfering_marker_stands_in_for_the_one_that_it_spoils(tmp_path):
    rows = [
        *antibody("A", "fell", 100, 70, 50), *antibody("A", "rose", 100, 150), *antibody("A", "stable", 100, 50, 51), *antibody("A", "once", 90),
        *antibody("B", "late", 30, 45), *antibody("B", "above", ">400", 100), *antibody("B", "open", ">400", 390), *antibody("B", "beyond", 100, ">140"),
        *antibody("B", "none", 10, 40),
    ]  # fmt: skip
    data = load_samples(tmp_path, rows, SURROGATE)
    analysis = kinetics.analyse_surrogate(data, data.study.marker("m"))
    counts = analysis["m_surrogate"].set_index(["group", "variable"])["count"]
    expected = {("A", "fell"): 1, ("A", "rose"): 1, ("A", "stable"): 1, ("A", "unknown"): 1, ("B", "rose"): 1, ("B", "fell"): 1, ("B", "unknown"): 2}
    assert {(group, variable[3:]): n for (group, variable), n in counts.items() if n} == expected
    assert (analysis["m_surrogate"].groupby("group")["count"].sum() == 4).all()
    ratio = where(analysis["m_surrogate_ratio"], group="A", time=1.0).iloc[0]
    assert (ratio["n"], ratio["median"]) == (3, 0.7)
    assert "In 8 patients serum marker cannot be used" in say.surrogate(analysis) and "3 cannot be told" in say.surrogate(analysis)
    assert "1/4" in str(table.surrogate(analysis))


def test_nobody_interfered_with_is_said(tmp_path):
    data = load_samples(tmp_path, [*antibody("A", "a", 10, 20), *antibody("B", "b", 10, 20)], SURROGATE)
    assert "nobody is left out" in kinetics.analyse_surrogate(data, data.study.marker("m")).reason


def test_an_excluded_patient_has_neither_slope_nor_progression(tmp_path):
    rows = [*antibody("A", "a", 100, 20, 20, 20), *four("A", "c", 1, 2, 4, 9), *four("B", "b", 1, 2, 4, 9)]
    data = load_samples(tmp_path, rows, f"{SURROGATE}, {KINETICS}, {RULE.format(RULES['nadir'])}")
    marker = data.study.marker("m")
    slopes, rises = kinetics.analyse_kinetics(data, marker), kinetics.analyse_rises(data, marker)
    assert set(slopes["slopes"]["patient_id"]) == set(rises["competing"]["patient_id"]) == {"b", "c"}
    left = where(slopes["m_no_slope"], group="A").set_index("variable")["count"]
    assert left["m: every sample left out"] == 1
    assert where(rises["m_rise_count"], group="A", variable="m: every sample left out")["count"].iat[0] == 1


def test_frames_name_each_patient_once(mayo):
    _, data, analysis = mayo
    n = analysis["m_slope"].set_index("group")["n"] + analysis["m_no_slope"].groupby("group")["count"].sum().reindex(["P", "D"], fill_value=0)
    assert n[["P", "D"]].to_dict() == {arm: int(size) for arm, size in data.n.items()}
    assert not analysis["slopes"]["patient_id"].duplicated().any()


@pytest.mark.notebook
@pytest.mark.parametrize("audience", ["internal", "share"])
def test_a_page_shows_what_is_declared_and_nothing_else(tmp_path, monkeypatch, audience):
    without_drawing(monkeypatch)
    plain = load_pbc(tmp_path / "plain", "visits: [0, 1, 2]", 60).study.folder
    assert not {"doubl", "had risen"} & set(re.findall("doubl|had risen", run_notebook("efficacy", monkeypatch, study=str(plain), audience=audience).text))
    asked = load_pbc(tmp_path / "asked", f"visits: [0, 1, 2], {KINETICS}, {RULE.format(RULES['nadir'])}", 60).study.folder
    shown = run_notebook("efficacy", monkeypatch, study=str(asked), audience=audience)
    inside = audience == "internal"
    assert ("how fast it changes" in shown.text and "doubling time by patient" in shown.text and "had risen to 1.5 times" in shown.text) == inside
    assert ("p12 " in shown.text) <= inside
    assert {"m_slope", "m_rise_incidence"} <= set(shown.names["page"].results["output"]) or not inside


@pytest.mark.parametrize(("late", "few", "told"), [({"A": 1, "B": 6}, "3 years", "2 years"), ({"A": 5, "B": 4}, "3 years", "2 years"), ({"A": 5, "B": 6}, "", "3 years")])
def test_visits_with_few_patients_are_named_and_lead_no_sentence(tmp_path, late, few, told):
    """Later samples of some: the table says of which visits few have a value, and the sentence is about the last of the others."""
    rng = np.random.default_rng(3)
    rows = [(f"{arm}{i}", arm, 365 * k, round(float(np.exp(rng.normal(3, 1))), 2)) for arm in "AB" for i in range(8) for k in range(3)]
    rows += [(f"{arm}{i}", arm, 365 * 3, round(float(np.exp(rng.normal(3, 1))), 2)) for arm, n in late.items() for i in range(n)]
    data = load_samples(tmp_path, rows, "visits: [0, 1, 2, 3]")
    marker = data.study.marker("m")
    model = marker_models.analyse_model(data, marker)
    for shown in (table.change(markers.analyse_marker(data, marker)), table.ratios(model)):
        notes = [note for note in shown.notes if "read these rows as single cases" in note]
        assert [few in note for note in notes] == ([True] if few else [])
    assert f"Serum marker at {told} as a ratio" in say.model(model)
