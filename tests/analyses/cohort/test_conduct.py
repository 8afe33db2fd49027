"""Exposure: against R and recounts from the file; later lines apart; zero cells; the order of rows."""

import pandas as pd
import pytest
from numpy.testing import assert_allclose
from reference_data import load_expected
from study_builder import again, cell, write_study

from lib.analyses.cohort import conduct
from lib.analyses.result import Absent, where
from lib.dataset import dataset
from lib.show.tables import conduct as table_conduct

RAIR = "data/rair_dtc"
COLUMNS = ["n", "mean", "sd", "min", "q1", "median", "q3", "max"]


def analysed(study=RAIR, **parameters):
    data = dataset.load("cohort", study=str(study), **parameters)
    return data, conduct.analyse(data)


def count(analysis, variable, group):
    row = where(analysis["exposure_count"], variable=variable, group=group).iloc[0]
    return int(row["count"]), int(row["n"])


@pytest.mark.parametrize(("key", "variable"), [("seeds", "seeds: seeds"), ("d90", "seeds: d90")])
def test_seeds_and_dose_equal_r(key, variable):
    """R: tapply(n_seeds, patient_id, sum); quantile(x, type = 7), mean, sd."""
    _, found = analysed()
    frame = where(found["exposure_number"], variable=variable).set_index("group")
    for arm, expected in load_expected("cohort")[key].items():
        assert_allclose(frame.loc[arm, COLUMNS].astype(float), expected, rtol=1e-9)
    assert frame.loc["A", "n"] == 0
    assert pd.isna(frame.loc["A", "median"])


def test_days_between_components_equal_r():
    """R: abs(min(start of one) - min(start of the other)) per patient with both."""
    _, found = analysed()
    frame = where(found["exposure_number"], variable=conduct.BETWEEN).set_index("group")
    for group in ("C", "overall"):
        assert_allclose(frame.loc[group, COLUMNS].astype(float), load_expected("cohort")["between"], rtol=1e-9)


def test_counts_are_recounted_from_the_file():
    _, found = analysed()
    raw = pd.read_csv(f"{RAIR}/treatments.csv")
    arm = pd.read_csv(f"{RAIR}/patients.csv").set_index("patient_id")["arm"]
    first = raw[(raw["line"] == 1) & (raw["component"] == "anlotinib")].assign(arm=lambda t: t["patient_id"].map(arm))
    for group in ("A", "C"):
        own = first[first["arm"] == group]
        assert count(found, "anlotinib: treated", group) == (own["patient_id"].nunique(), (arm == group).sum())
        assert count(found, "anlotinib: reduced", group) == ((own.lowest_dose < own.start_dose).sum(), len(own))
        assert count(found, "anlotinib: lowest 8", group) == ((own.lowest_dose == 8).sum(), len(own))
        assert count(found, "anlotinib: ongoing", group) == (own["end_date"].isna().sum(), len(own))
    assert count(found, "anlotinib: treated", "B") == (0, 25)
    later = raw[raw["line"] > 1].drop_duplicates("patient_id")["patient_id"].map(arm).value_counts()
    assert {g: count(found, f"{conduct.LATER}: any", g)[0] for g in "ABC"} == later.to_dict()
    starts = [count(found, f"{conduct.FIRST}: {name}", "C") for name in ("anlotinib", "seeds", conduct.SAME_DAY)]
    assert sum(c for c, _ in starts) == 13
    assert {n for _, n in starts} == {13}


def test_a_drug_that_goes_on_is_counted_until_the_last_contact(tmp_path):
    _, ended = analysed(write_study(tmp_path / "ended"))
    _, going_on = analysed(write_study(tmp_path / "on", treatments=cell(0, "end_date", "")))
    before, after = (
        where(a["exposure_number"], variable="anlotinib: duration", group="A").iloc[0] for a in (ended, going_on)
    )
    assert (before["max"], after["max"]) == (200, 400)  # died on day 400
    assert count(going_on, "anlotinib: ongoing", "A") == (1, 2)


def test_a_second_session_adds_seeds_but_no_patient(tmp_path):
    _, once = analysed(write_study(tmp_path / "once"))
    _, twice = analysed(write_study(tmp_path / "twice", treatments=again(2, start_date="2020-03-14", n_seeds=10)))
    for analysis, seeds, sessions in ((once, 40, 1), (twice, 50, 2)):
        assert count(analysis, "seeds: treated", "B") == (2, 2)
        number = analysis["exposure_number"]
        assert where(number, variable="seeds: seeds", group="B")["max"].item() == seeds
        assert where(number, variable="seeds: sessions", group="B")["max"].item() == sessions


def test_a_later_line_is_no_study_treatment(tmp_path):
    folder = write_study(tmp_path, treatments=again(0, line="2", start_date="2021-02-01", end_date="2021-02-10"))
    _, found = analysed(folder)
    assert count(found, "anlotinib: treated", "A") == (2, 2)
    assert count(found, f"{conduct.LATER}: anlotinib", "A") == (1, 2)
    assert where(found["exposure_number"], variable="anlotinib: duration", group="A")["max"].item() == 200


def test_the_order_of_rows_does_not_matter(tmp_path):
    _, one = analysed(write_study(tmp_path / "one"))
    _, two = analysed(write_study(tmp_path / "two", treatments=lambda f: f.iloc[::-1]))
    for output in one:
        pd.testing.assert_frame_equal(one[output], two[output])


def test_the_table_shows_zeros_and_dashes():
    _, found = analysed()
    rows = {row.cells[0]: row.cells for row in table_conduct.table_exposure(found).rows if row.kind}
    assert rows["Seeds per patient"][1] == "–"
    assert rows["Started with 8 mg"][1] == "0/14 (0%)"
    assert rows["Dose reduced"][1:3] == ("5/14 (36%)", "–")


def test_a_study_without_treatments_says_so():
    _, found = analysed("data/colon")
    assert isinstance(found, Absent)
    assert "no table of treatments" in found.reason
