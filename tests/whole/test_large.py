"""What changes above the declared size (lib/study/limits.py), and that it stays near what it stands for.

Each approximation is held against the exact way at a size where both can be made, each shortcut against the long way.
"""

import os
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_data import load_tte
from scipy import stats

from lib.analyses.efficacy import course as efficacy_course  # fmt: skip
from lib.analyses.efficacy import marker_models  # fmt: skip
from lib.analyses.efficacy.survival import analyse
from lib.analyses.robustness.confounding import analyse_weights
from lib.analyses.robustness.robustness import analyse_robustness
from lib.analyses.safety import profiles
from lib.dataset.dataset import load
from lib.intake import handover  # fmt: skip
from lib.intake import tables as intake_tables  # fmt: skip
from lib.intake.files import read_sources
from lib.report.page import Page
from lib.show.plots import course as plot_course  # fmt: skip
from lib.show.plots import safety as plot_safety  # fmt: skip
from lib.show.plots.style import HALF_PIXEL, MANY_STEPS, thin_steps
from lib.show.plots.survival import plot_survival
from lib.show.sentences import course as say_course  # fmt: skip
from lib.show.sentences import markers as say_markers  # fmt: skip
from lib.show.sentences.robustness import sentence_power, sentence_single_patients, sentence_weights
from lib.show.tables.robustness import table_robustness
from lib.statistics.models import (
    cox,  # fmt: skip
    partial_likelihood,  # fmt: skip
)
from lib.statistics.models.concordance import _count_before, _count_pairs
from lib.statistics.models.design import make_design
from lib.statistics.survival import (
    logrank,  # fmt: skip
    sensitivity,  # fmt: skip
)
from lib.statistics.survival.event_table import distinct
from lib.statistics.weighting import (
    propensity,  # fmt: skip
    weighted_rmst,  # fmt: skip
)
from lib.study import yaml_file  # fmt: skip
from lib.study.limits import LARGE
from lib.study.parts import own
from lib.study.study import read_study

sys.path.append(str(Path(__file__).parents[1] / "bench"))
from large_study import make_patients, write_study

COVARIATES = [own("age_years"), own("positive_nodes"), own("sex")]
SAID = "because there are more than 3\u202f000 patients"


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    data = load("efficacy", study=str(write_study(tmp_path_factory.mktemp("study") / "large", LARGE + 500)))
    analysis = analyse(data, data.study.endpoint("death"))
    return data, analysis, analyse_robustness(data, analysis)


def test_what_does_not_scale_says_so_where_the_result_stands(large):
    data, analysis, robust = large
    rows = robust["ways"].set_index("way")
    for way in ("permutation", "leave_one_out", "fragile_event", "fragile_censored"):
        assert SAID in rows.at[way, "note"]
    assert "first-order approximation" in rows.at["leave_one_out", "method"]
    text = table_robustness(robust).to_text()
    assert text.count(SAID) == 4
    assert SAID in sentence_single_patients(robust)
    assert SAID in sentence_power(robust)
    assert SAID in sentence_weights(analyse_weights(data, analysis))
    page = Page("efficacy", data)
    page.record(analysis)
    assert "compared on a random sample of 1\u202f000 patients, " + SAID in page.self_check().text


def test_a_small_study_is_left_as_it_was():
    data = load("efficacy", study="data/colon")
    robust = analyse_robustness(data, analyse(data, data.study.endpoint("death")))
    assert not robust["ways"]["note"].str.contains("because there are more").any()


@pytest.mark.parametrize("name", ["colon_death", "colon_recurrence", "lung"])
def test_approximations_are_near_the_exact_way(name, monkeypatch):
    tte = load_tte(name)
    arm = tte["arm"].cat.categories[-1]
    exact = sensitivity.compare_without_each(tte), sensitivity.count_reversals(tte, arm), sensitivity.estimate_power(tte, 4000, 1)
    monkeypatch.setattr(sensitivity, "LARGE", 0)
    near = sensitivity.compare_without_each(tte), sensitivity.count_reversals(tte, arm), sensitivity.estimate_power(tte)
    for column in ("min", "max"):
        assert near[0][column].item() == pytest.approx(exact[0][column].item(), rel=0.05)
    assert near[0]["count"].item() == pytest.approx(exact[0]["count"].item(), abs=2)
    known = exact[1]["count"].notna() & near[1]["count"].notna()
    assert near[1].loc[known, "count"].tolist() == pytest.approx(exact[1].loc[known, "count"].tolist(), rel=0.15, abs=1)
    assert near[2]["power"].item() == pytest.approx(exact[2]["power"].item(), abs=0.04)


def test_the_permutation_test_is_held_against_chi_square(monkeypatch):
    """R: coin::logrank_test(Surv(time, event) ~ arm), asymptotic; chi-square itself is checked in test_logrank."""
    tte = load_tte("colon_recurrence")
    monkeypatch.setattr(logrank, "LARGE", 0)
    found, declared = logrank.compare_permutation(tte).iloc[0], logrank.compare_logrank(tte).iloc[0]
    assert found["p_value"] == stats.chi2.sf(found["chisq"], 2)
    assert found["chisq"] == pytest.approx(declared["chisq"], rel=0.1)
    assert np.isnan(found["mc_error"])


@given(st.lists(st.tuples(st.integers(1, 3), st.booleans(), st.integers(0, 2)), min_size=30, max_size=300))
@settings(max_examples=30, deadline=None)
def test_many_ties_by_nodes_equal_their_sum(rows):
    """Efron's sum over tied events, by eight nodes and one by one."""
    tte = pd.DataFrame(rows * 3, columns=["time", "event", "arm"]).astype({"time": float})
    tte["arm"] = pd.Categorical(tte["arm"].map({0: "A", 1: "B", 2: "C"}), ["A", "B", "C"], ordered=True)
    design, beta = make_design(tte, "A"), np.array([0.3, -0.2])
    found = []
    for ties in (8, 10**9):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(partial_likelihood, "MANY_TIES", ties)
            patch.setattr(partial_likelihood, "FEW_OF", 2)
            found.append(partial_likelihood.make_risk_sets(tte, design).derivatives(beta))
    for few, every in zip(*found, strict=True):
        assert few == pytest.approx(every, rel=1e-8, abs=1e-8)


def test_cox_of_a_registry_equals_r():
    """R: coxph(Surv(death_days, death_status) ~ rx, control = coxph.control(eps = 1e-12)), 100,000 patients.

    The table is that of tests/bench/large_study.py (numpy's generator is stable), written as CSV for R 4.2, survival 3.5-3.
    """
    patients = make_patients(100_000).to_pandas()
    arm = pd.Categorical(patients["rx"], ["Obs", "Lev", "Lev+5FU"], ordered=True)
    tte = pd.DataFrame({"arm": arm, "time": patients["death_days"].astype(float), "event": patients["death_status"] == 1})
    model, tests = cox.estimate_cox(tte, "Obs"), cox.check_proportional_hazards(tte, "Obs")
    assert model.terms["coef"].tolist() == pytest.approx([-1.52940228760510e-02, -2.81772961998977e-01], rel=1e-6)
    assert model.terms["std_err"].tolist() == pytest.approx([1.16757870532570e-02, 1.26228896300194e-02], rel=1e-6)
    ratio = 2 * (4.46501075922138e05 - 4.46194332367464e05)
    assert model.overall["chisq"].iat[0] == pytest.approx(ratio, rel=1e-6)
    assert tests["chisq"].tolist() == pytest.approx([0.46662715141357, 0.00501178890746, 0.53363811321018], rel=1e-6)


def test_alike_patients_counted_equal_patients_listed(large):
    tte = large[1]["tte"].assign(male=lambda f: (f[own("sex")] == "1").astype(float))
    design = make_design(tte, "Obs", ["male"])
    counted = partial_likelihood.make_risk_sets(tte, design)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lib.statistics.models.design.LARGE", 10**9)
        listed = partial_likelihood.make_risk_sets(tte, design)
    assert len(counted.x) < len(listed.x) == len(tte)
    for few, every in zip(counted.derivatives(np.ones(3) / 4), listed.derivatives(np.ones(3) / 4), strict=True):
        assert few == pytest.approx(every, rel=1e-9)


pairs = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.booleans()), min_size=1, max_size=60)


@given(pairs)
def test_concordant_pairs_by_table_and_by_search(rows):
    ranks, time, event = (np.array(column) for column in zip(*rows, strict=True))
    later = 2 * time + ~event
    won, known = _count_pairs(ranks, later, event)
    order = np.argsort(-later, kind="stable")
    ends = np.searchsorted(-later[order], -later[order][event[order]], side="left")
    below, equal = _count_before(ranks[order], ends, ranks[order][event[order]])
    assert (won, known) == (below.sum() + equal.sum() / 2, ends.sum())


@given(st.lists(st.floats(-1e6, 1e6), max_size=40))
def test_distinct_values_are_those_of_numpy(values):
    values = np.array(values, dtype=float)
    found, expected = distinct(values), np.unique(values, return_inverse=True)
    assert [part.tolist() for part in found] == [part.tolist() for part in expected]


def test_intervals_from_subsamples_are_near_the_bootstrap(large):
    data, _, _ = large
    patients = data.patients.head(2_000).assign(time=lambda f: f[own("death.time")] / 365.25, event=lambda f: f[own("death.event")] == "1")
    ask = {"patients": patients, "covariates": [own("age_years")], "reference": "Obs", "tau": 5.0, "seed": 3}
    whole = weighted_rmst.bootstrap_weighted_rmst(**ask, n_resamples=300).set_index("group")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weighted_rmst, "LARGE", 0)
        patch.setattr(weighted_rmst, "SUBSAMPLE", 500)
        near = weighted_rmst.bootstrap_weighted_rmst(**ask).set_index("group")
    # One propensity, but two ways to fit it (statsmodels, and Newton's method for many samples): alike up to rounding,
    # which also depends on how many threads add up the products.
    assert near["estimate"].tolist() == pytest.approx(whole["estimate"].tolist(), rel=1e-9)
    assert near["std_err"].to_numpy() == pytest.approx(whole["std_err"].to_numpy(), rel=0.35)


def test_a_large_table_is_read_as_a_small_one(tmp_path, monkeypatch):
    """Each text checked once or in every row: the same frames, the same problems."""
    study = read_study(write_study(tmp_path / "study", 400))
    frame = pd.read_parquet(study.folder / "patients.parquet")
    frame.loc[[3, 5, 9], "age"], frame.loc[[7], "sex"], frame.loc[[8], "death_days"] = 101, 3, 0
    frame.to_parquet(study.folder / "patients.parquet")
    found = []
    for limit in (LARGE, 0):
        monkeypatch.setattr("lib.intake.cells.LARGE", limit)
        with pytest.raises(yaml_file.ProblemsFound) as caught:
            intake_tables.read_tables(study)
        found.append([problem.as_row() for problem in caught.value.problems])
    assert found[0] == found[1]
    assert len(found[0]) >= 5


@given(st.integers(MANY_STEPS + 1, 20_000), st.integers(0, 10))
@settings(max_examples=20, deadline=None)
def test_a_thinned_curve_is_nowhere_half_a_pixel_off(n, seed):
    rng = np.random.default_rng(seed)
    curve = np.cumprod(1 - rng.exponential(2 / n, n).clip(max=1))
    low = np.maximum(curve - 0.02, 0)
    kept = thin_steps(curve, low)
    drawn = kept[np.searchsorted(kept, np.arange(n), side="right") - 1]  # what a step curve shows at each time
    assert max(np.abs(curve - curve[drawn]).max(), np.abs(low - low[drawn]).max()) <= HALF_PIXEL
    assert {0, n - 1} <= set(kept)


def test_a_curve_with_few_steps_is_not_thinned():
    assert thin_steps(np.linspace(1, 0, MANY_STEPS)).tolist() == list(range(MANY_STEPS))


def test_a_picture_of_many_patients_stays_small(tmp_path):
    data = load("efficacy", study=str(write_study(tmp_path / "large", 20_000)))
    assert len(plot_survival(analyse(data, data.study.primary)).svg) < 600_000


def test_concordance_of_counted_patients_equals_that_of_listed_ones(large):
    """R: concordance(fit)$concordance counts the same pairs; held in test_cox for the patients listed."""
    tte = large[1]["tte"].assign(male=lambda f: (f[own("sex")] == "1").astype(float))
    found = []
    for limit in (LARGE, 10**9):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(partial_likelihood, "LARGE", limit)
            found.append(cox.estimate_cox(tte, "Obs", ["male"], strata=own("extent")))
    assert found[0].overall["concordance"].tolist() == pytest.approx(found[1].overall["concordance"].tolist(), rel=1e-12)
    assert found[0].terms["coef"].tolist() == pytest.approx(found[1].terms["coef"].tolist(), rel=1e-9)


def test_the_propensity_of_counted_patients_is_that_of_listed_ones(large):
    patients = large[0].patients[["arm", *COVARIATES]].dropna()
    found = []
    for limit in (0, 10**9):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(propensity, "LARGE", limit)
            found.append(propensity.estimate_propensity(patients, COVARIATES, "Obs"))
    for alike, listed in zip(*found, strict=True):
        numbers = [part.select_dtypes("number").to_numpy() for part in (alike, listed)]
        assert numbers[0] == pytest.approx(numbers[1], rel=1e-7)


def test_covariates_that_tell_the_arms_apart_are_refused_in_a_large_study(large):
    patients = large[0].patients.assign(told=lambda f: f["arm"].cat.codes.astype(float))
    with pytest.raises(ValueError, match="tell the arms apart completely"):
        propensity.estimate_propensity(patients, ["told"], "Obs")


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="no file in memory here, so every notebook reads the tables")
def test_the_tables_of_a_large_study_are_read_once(tmp_path, monkeypatch):
    study = read_study(write_study(tmp_path / "study", LARGE + 1))
    tables = intake_tables.read_tables(study)
    assert handover.take(study) is None
    with handover.offered(study, tables):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("lib.dataset.dataset.read_tables", None)
            given = load("cohort", study=str(study.folder))
        taken = handover.take(study)
        (study.folder / "patients.parquet").touch()
        assert handover.take(study) is None  # the file has changed: it is read again
    assert handover.take(study) is None
    pd.testing.assert_frame_equal(taken["patients"], tables["patients"])
    pd.testing.assert_frame_equal(given.patients, load("cohort", study=str(study.folder)).patients)


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="no file in memory here, so every notebook reads the tables")
def test_a_file_that_is_not_ours_is_never_unpickled(tmp_path):
    """The place may be another file's by the time a kernel looks."""
    study = read_study(write_study(tmp_path / "study", 400))
    ours, other = tmp_path / "ours", tmp_path / "other"
    with handover.offered(study, intake_tables.read_tables(study)):
        mark, place = os.environ[handover.VARIABLE].split()
        ours.write_bytes(Path(place).read_bytes())
        other.write_bytes(b"another".ljust(len(mark)) + ours.read_bytes()[len(mark) :])
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(handover.VARIABLE, f"{mark} {ours}")
            assert handover.take(study) is not None
            patch.setenv(handover.VARIABLE, f"{mark} {other}")
            assert handover.take(study) is None


def test_the_same_large_table_as_csv_and_as_parquet(tmp_path):
    """Texts that stand in many rows are held once, whatever the file; what is read is the same."""
    study = read_study(write_study(tmp_path / "study", LARGE + 1))
    parquet, typed = read_sources(study)[0]["patients"], intake_tables.read_tables(study)["patients"]
    pd.read_parquet(study.folder / "patients.parquet").convert_dtypes().to_csv(study.folder / "patients.csv", index=False)
    (study.folder / "patients.parquet").unlink()
    file = study.folder / "study.yml"
    file.write_text(file.read_text("utf-8").replace("patients.parquet", "patients.csv"), encoding="utf-8", newline="\n")
    study = read_study(study.folder)
    assert isinstance(parquet.frame["sex"].dtype, pd.CategoricalDtype)
    assert read_sources(study)[0]["patients"].frame.dtypes.tolist() == parquet.frame.dtypes.tolist()
    pd.testing.assert_frame_equal(intake_tables.read_tables(study)["patients"], typed)


def test_a_small_file_that_unpacks_to_too_many_cells_is_refused(tmp_path, monkeypatch):
    study = read_study(write_study(tmp_path / "study", 400))
    monkeypatch.setattr("lib.intake.formats.parquet.MAX_CELLS", 1000)
    with pytest.raises(yaml_file.ProblemsFound, match="more than 4\u202f000\u202f000\u202f000 bytes, 1\u202f000 cells or 1\u202f000 columns"):
        intake_tables.read_tables(study)




def test_the_mixed_model_of_many_samples_is_that_of_a_random_part(monkeypatch):
    data = load("efficacy", study="data/rair_dtc")
    marker = data.study.markers[0]
    whole = marker_models.analyse_model(data, marker)
    assert "sampled" not in whole
    monkeypatch.setattr(marker_models, "MOST_VALUES", 120)
    part = marker_models.analyse_model(data, marker)
    counted = f"{marker.id}_model_count"
    assert part[counted]["n"].sum() <= 130 < whole[counted]["n"].sum()
    method = part[f"{marker.id}_model_ratio"]["method"].iat[0]
    said = re.search(r"of a random sample of \d+ patients, because the model takes at most 120 samples", method)[0]
    assert said in say_markers.sentence_model(part)
    assert "random sample" not in say_markers.sentence_model(whole)


def test_patients_of_a_large_study_are_not_drawn_one_by_one(monkeypatch):
    data = load("efficacy", study="data/rair_dtc")
    course = efficacy_course.analyse_course(data, [6.0])
    monkeypatch.setattr("lib.show.display.DRAWN", 10)
    for plot in (plot_course.plot_waterfall, plot_course.plot_spider, plot_course.plot_swimmer):
        assert SAID.replace("3\u202f000", "10") in plot(course).text
    monkeypatch.setattr("lib.show.sentences.course.DRAWN", 10)
    assert "drawn" not in say_course.sentence_undrawn(course)


def test_of_many_patients_with_a_picture_of_their_own_the_first_are_drawn(monkeypatch):
    data = load("safety", study="data/rair_dtc")
    chosen = profiles.choose_profiles(data)
    asked = list(chosen["chosen"]["patient_id"])
    assert len(asked) > 3 and len(plot_safety.plot_profiles(chosen)) == len(asked), "few are all drawn"
    monkeypatch.setattr(plot_safety, "PROFILES", 3)
    note, *figures = plot_safety.plot_profiles(chosen)
    assert [figure.title.split(",")[0] for figure in figures] == [f"Patient {patient}" for patient in asked[:3]]
    assert f"Of {len(asked)} patients with a picture of their own the first 3 are drawn" in note.text
    monkeypatch.setattr(plot_safety, "DRAWN", 10)
    assert SAID.replace("3\u202f000", "10") in plot_safety.plot_profiles(chosen).text
    assert len(plot_safety.plot_profiles(profiles.choose_profiles(data, asked[-1]))) == 1, "whoever is named is drawn in any study"
