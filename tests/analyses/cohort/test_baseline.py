"""Table 1: tests against R, summaries by choice, missing values by arm, invariance to the order of patients."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from reference_data import load_expected
from study_builder import as_if_chosen, cell, write_study

from lib.analyses.cohort import baseline
from lib.dataset import dataset
from lib.show.tables import cohort as table_cohort
from lib.study.parts import own

RAIR, COLON = "data/rair_dtc", "data/colon"
THEIRS = {"age": "age_years", "nodes": "positive_nodes"}


def loaded(study=RAIR, **parameters):
    return dataset.load("cohort", study=study, **parameters)


@pytest.mark.parametrize("study", [RAIR, COLON])
def test_p_values_equal_r(study):
    """R: kruskal.test(x ~ arm); fisher.test(table) if a cell expects fewer than 5, else chisq.test(correct = FALSE)."""
    found = baseline.analyse_baseline(as_if_chosen(loaded(study)), p_values=True)["baseline_test"].set_index("variable")["p_value"]
    expected = load_expected("cohort")["tests"][study.removeprefix("data/")]
    for name, p_value in expected.items():
        variable = THEIRS.get(name, name) if study == COLON else name
        assert_allclose(found[variable], p_value, rtol=1e-6)


def test_the_test_is_named_per_row_and_off_by_default():
    data = as_if_chosen(loaded(COLON))
    assert "baseline_test" not in baseline.analyse_baseline(data)
    table = table_cohort.table_baseline(baseline.analyse_baseline(data, p_values=True))
    named = {row.cells[0]: row.cells[-1] for row in table.rows if row.kind == ""}
    assert named["Age, years"] == "Kruskal-Wallis"
    assert named["Sex"] == "chi-square"
    assert "Fisher" in named["Extent of local spread"] or named["Extent of local spread"] == "chi-square"
    assert [column.label for column in table.columns][-2:] == ["p", "Test"]


def test_balance_is_never_tested_where_chance_formed_the_arms():
    """Though it is asked for: the table says why there is none, and nothing is recorded."""
    found = baseline.analyse_baseline(loaded(COLON, show_p_values=True), p_values=True)
    assert "baseline_test" not in found
    table = table_cohort.table_baseline(found)
    assert [column.label for column in table.columns][-1] == "SMD"
    assert "chance formed the arms" in table.notes[-1]
    for quiet in (loaded(COLON), as_if_chosen(loaded(COLON, show_p_values=True))):
        notes = table_cohort.table_baseline(baseline.analyse_baseline(quiet, p_values=quiet.parameters.show_p_values)).notes
        assert not any("chance formed" in note for note in notes)


def test_missing_values_are_counted_by_arm():
    """Recounted from the file."""
    data = loaded()
    raw = pd.read_csv("data/rair_dtc/patients.csv")
    analysis = baseline.analyse_baseline(data)
    for variable, output in (("ecog", "baseline_missing"), ("cum_rai_gbq", "baseline_number")):
        frame = analysis[output]
        found = frame[frame["variable"] == variable].set_index("group")["n_missing"]
        expected = raw[variable].isna().groupby(raw["arm"]).sum()
        assert found[["A", "B", "C"]].tolist() == expected.tolist()
        assert found["overall"] == expected.sum() > 0


def test_counts_and_means_equal_a_recount():
    raw = pd.read_csv("data/rair_dtc/patients.csv")
    analysis = baseline.analyse_baseline(loaded())
    numbers = analysis["baseline_number"].set_index(["variable", "group"])
    for arm, part in raw.groupby("arm"):
        assert_allclose(
            numbers.loc[("age_years", arm), ["mean", "sd"]].astype(float), [part.age_years.mean(), part.age_years.std()]
        )
        shares = analysis["baseline_category"].set_index(["variable", "group"])
        assert shares.loc[("sex: F", arm), "count"] == (part.sex == "F").sum()


def test_mean_and_sd_by_choice_of_the_study(tmp_path):
    def ages_as_mean(text):
        return text.replace("{id: age_years, label: Age,", "{id: age_years, label: Age, summary: mean,")

    data = loaded(write_study(tmp_path, ages_as_mean).as_posix())
    table = table_cohort.table_baseline(baseline.analyse_baseline(data))
    row = next(row for row in table.rows if row.cells[0].startswith("Age"))
    ages = data.patients[own("age_years")].astype(float)
    assert row.cells[0] == "Age, years, mean (SD)"
    assert row.cells[4] == f"{ages.mean():.1f} ({ages.std():.1f})"
    assert any("mean (standard deviation)" in note and "median" in note for note in table.notes)


def test_the_order_of_patients_does_not_matter(tmp_path):
    one = baseline.analyse_baseline(loaded(write_study(tmp_path / "one").as_posix()), p_values=True)
    shuffled = write_study(tmp_path / "two", patients=lambda f: f.iloc[::-1]).as_posix()
    two = baseline.analyse_baseline(loaded(shuffled), p_values=True)
    for output in one:
        pd.testing.assert_frame_equal(one[output], two[output])


def test_a_missing_level_keeps_its_row_and_one_arm_has_no_smd(tmp_path):
    folder = write_study(tmp_path, patients=cell(0, "ecog", "")).as_posix()
    analysis = baseline.analyse_baseline(loaded(folder, arms=["A"]), p_values=True)
    assert "baseline_smd" not in analysis
    counts = analysis["baseline_category"].set_index("variable")
    assert counts.loc["ecog: 2", "count"] == 0
    assert counts.loc["ecog: 1", "n"] == 1
    assert np.isfinite(counts["proportion"]).all()
