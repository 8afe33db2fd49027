"""Response over time equals R; landmarks leave out what cannot be known; sentences carry the numbers."""

import numpy as np
import pytest
from reference_data import load_expected, numbers
from study_builder import write_study

from lib.analyses.efficacy.response import NON_RESPONDER, RESPONDER, _first_response, analyse_response_time
from lib.analyses.result import where
from lib.dataset.dataset import load
from lib.show.display import EMPTY
from lib.show.plots.response import plot_response_incidence
from lib.show.sentences.response import sentence_response_time, sentence_survival_by_response
from lib.show.tables.response import table_response_incidence, table_survival_by_response
from lib.study.study import ROOT

EXPECTED = load_expected("tumour")
VISITS = (6.0, 12.0)


def _of(study="data/rair_dtc", visits=VISITS, **parameters):
    data = load("efficacy", study=str(ROOT / study), **parameters)
    return data, analyse_response_time(data, visits)


@pytest.fixture(scope="module")
def cohort():
    return _of()


def test_incidence_of_response_equals_r(cohort):
    """R: cmprsk::cuminc(time, cause, arm), timepoints at the ends of the windows; response derived in base R."""
    rows, expected = cohort[1]["response_incidence"], EXPECTED["incidence"]
    np.testing.assert_allclose(rows["estimate"], np.ravel(expected["estimate"]), rtol=1e-9)
    np.testing.assert_allclose(rows["std_err"] ** 2, np.ravel(expected["variance"]), rtol=1e-6)
    test = cohort[1]["response_incidence_test"].iloc[0]
    np.testing.assert_allclose([test["chisq"], test["p_value"]], expected["gray"], rtol=1e-6)


@pytest.mark.parametrize(("i", "endpoint", "visit"), [(0, "lpfs", 0), (1, "lpfs", 1), (2, "os", 0), (3, "os", 1)])
def test_landmark_by_response_equals_r(cohort, i, endpoint, visit):
    """R: survdiff, coxph and survfit(conf.type = "log-log") on the patients beyond the landmark."""
    expected, rows = EXPECTED["landmark"][i], where(cohort[1]["response_landmark"], variable=endpoint)
    row = rows.iloc[visit]
    assert row["n"] == expected["n"]
    assert row["n_missing"] == 52 - expected["n"]
    np.testing.assert_allclose([row["chisq"], row["hr"]], [expected["chisq"], expected["hr"]], rtol=1e-6)
    np.testing.assert_allclose([row["ci_low"], row["ci_high"]], expected["ci"], rtol=1e-6)
    medians = where(cohort[1]["response_landmark_median"], variable=endpoint, time=row["time"]).set_index("group")
    medians = medians.loc[[NON_RESPONDER, RESPONDER]]
    for column, name in (("median", "median"), ("ci_low", "low")):
        np.testing.assert_allclose(medians[column], numbers(expected[name]), rtol=1e-7)


def test_nobody_responds_after_progression_and_everybody_has_one_fate(cohort):
    data, _ = cohort
    frame = _first_response(data)
    assert len(frame) == len(data.patients)
    assert (frame["time"] >= 0).all()
    assert set(frame["cause"]) <= {0, 1, 2}
    assert (frame["event"] == (frame["cause"] == 1)).all()


def test_shares_grow_and_stay_shares(cohort):
    for _, part in cohort[1]["incidence_curve"].groupby("group"):
        assert part["estimate"].is_monotonic_increasing
        assert part["estimate"].between(0, 1).all()


def test_page_carries_the_numbers(cohort):
    _, timed = cohort
    row = timed["response_landmark"].iloc[0]
    assert f"{row['hr']:.2f} (95% CI {row['ci_low']:.2f} to {row['ci_high']:.2f}" in sentence_survival_by_response(timed)
    assert f"{100 * timed['response_incidence']['estimate'].iat[-1]:.0f}%" in sentence_response_time(timed)
    assert f"{row['hr']:.2f} (" in table_survival_by_response(timed).to_text()
    assert "By 12.8 months" in table_response_incidence(timed).to_text()
    last = timed["incidence_curve"].query("group == 'C'")["estimate"].iat[-1]
    assert f"Anlotinib + seeds {100 * last:.0f}% (" in plot_response_incidence(timed).alt


@pytest.mark.parametrize("parameters", [{"arms": ["B"]}, {"cutoff": "2019-06-30"}, {"visits": (3.0,)}])
def test_small_and_single_arms_are_said(parameters):
    _, timed = _of(**parameters)
    assert sentence_response_time(timed)
    assert sentence_survival_by_response(timed)
    assert len(table_survival_by_response(timed).rows) == 3 * len(timed["response_landmark"])


def test_six_patients_and_no_measurements(tmp_path):
    data = load("efficacy", study=str(write_study(tmp_path / "s")))
    timed = analyse_response_time(data, VISITS)
    assert "cannot be compared" in sentence_survival_by_response(timed)
    data, absent = _of("data/colon")
    assert table_response_incidence(absent) is EMPTY
    assert "no table of lesions" in sentence_response_time(absent)
