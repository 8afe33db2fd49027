"""Endpoints analysed whole: the real trial against R, and the small-sample policy."""

import numpy as np
import pandas as pd
import pytest
from reference_data import load_expected, numbers
from study_builder import write_study

from lib.analyses.efficacy import survival
from lib.analyses.result import where
from lib.dataset import dataset

ARMS = {"Obs": "Obs", "Lev": "Lev", "Lev+5FU": "Lev5FU"}
DAYS_PER_YEAR = 365.25


@pytest.fixture(scope="module")
def colon():
    return dataset.load("efficacy", study="data/colon")


@pytest.fixture(scope="module", params=["recurrence", "death"])
def trial(request, colon):
    analysis = survival.analyse(colon, colon.study.endpoint(request.param))
    return analysis, load_expected(f"colon_{request.param}")


def test_medians_equal_r(trial):
    """R: summary(survfit(Surv(time, event) ~ arm, conf.type = "log-log"))$table."""
    analysis, r = trial
    for ours, theirs in (("median", "median"), ("ci_low", "low"), ("ci_high", "high")):
        days = analysis["median"][ours].to_numpy() * DAYS_PER_YEAR
        np.testing.assert_allclose(days, numbers(r["median"]["log-log"][theirs]), rtol=1e-6)
    follow_up = analysis["follow_up"]["median"].to_numpy() * DAYS_PER_YEAR
    np.testing.assert_allclose(follow_up, numbers(r["reverse_km"]["median"]), rtol=1e-6)


def test_logrank_equals_r(trial):
    """R: survdiff(Surv(time, event) ~ arm); p.adjust(p, "holm")."""
    analysis, r = trial
    overall = analysis["logrank"].iloc[0]
    assert overall["chisq"] == pytest.approx(r["logrank"]["chisq"], rel=1e-6)
    assert overall["p_value"] == pytest.approx(r["logrank"]["p"], rel=1e-6)
    pairs = analysis["logrank_pairwise"].set_index("group")
    for name, raw, holm in zip(*r["pairwise"].values(), strict=True):
        first, second = (ARMS[arm] for arm in name.split(" vs "))
        assert pairs.loc[f"{second} vs {first}", "p_value"] == pytest.approx(raw, rel=1e-6)
        assert pairs.loc[f"{second} vs {first}", "p_adjusted"] == pytest.approx(holm, rel=1e-6)


def test_cox_equals_r(trial):
    """R: coxph(Surv(time, event) ~ arm, ties = "efron")."""
    analysis, r = trial
    terms = analysis["cox"].set_index("group").loc[["Lev vs Obs", "Lev5FU vs Obs"]]
    for ours, theirs in (("coef", "coef"), ("hr", "hr"), ("ci_low", "low"), ("ci_high", "high"), ("p_value", "p")):
        np.testing.assert_allclose(terms[ours], r["cox"][theirs], rtol=1e-6)
    for test, key in (("likelihood_ratio", "lrt"), ("score", "score")):
        row = analysis[f"cox_{test}"].iloc[0]
        np.testing.assert_allclose([row["chisq"], row["df"], row["p_value"]], r["cox"][key], rtol=1e-6)


def test_every_pair_is_compared_in_one_direction(trial):
    analysis, _ = trial
    pairs = ["Lev vs Obs", "Lev5FU vs Obs", "Lev5FU vs Lev"]
    for output in ("logrank_pairwise", "cox", "rmst_difference", "rmst_ratio"):
        assert sorted(analysis[output]["group"]) == sorted(pairs)
    coef = analysis["cox"].set_index("group")["coef"]
    assert coef["Lev5FU vs Lev"] == pytest.approx(coef["Lev5FU vs Obs"] - coef["Lev vs Obs"], rel=1e-6)


def test_the_tables_of_the_trial_are_those_of_r():
    """Source: data set colon of R's package survival, as tests/reference/colon_full.csv."""
    full = pd.read_csv("tests/reference/colon_full.csv").set_index(["id", "etype"])
    ours = pd.read_csv("data/colon/patients.csv").set_index("id")
    for kind, endpoint in ((1, "recurrence"), (2, "death")):
        part = full.xs(kind, level="etype").reindex(ours.index)
        assert (part["time"] == ours[f"{endpoint}_days"]).all()
        assert (part["status"] == ours[f"{endpoint}_status"]).all()
    columns = ["rx", "sex", "age", "obstruct", "perfor", "adhere", "nodes", "differ", "extent", "surg"]
    pd.testing.assert_frame_equal(full.xs(1, level="etype").reindex(ours.index)[columns], ours[columns])


def test_too_few_events_are_not_tested(tmp_path):
    write_study(tmp_path)
    data = dataset.load("efficacy", study=str(tmp_path))
    analysis = survival.analyse(data, data.study.endpoint("lpfs"))
    for output in ("logrank", "logrank_pairwise", "cox", "rmst_difference"):
        assert analysis[output]["p_value"].isna().all()
        assert analysis[output]["note"].str.contains("not compared: fewer than 5 events|not estimable").all()
    assert analysis["median"]["median"].notna().any()


@pytest.mark.parametrize(("least", "tested"), [(3, True), (4, False)])
def test_the_least_number_of_events_is_enough(least, tested, tmp_path):
    """Three events in all, none in one arm: with 3 asked for all arms and the pair that has them are tested."""
    write_study(tmp_path, study=lambda text: text.replace("min_events: 5", f"min_events: {least}"))
    data = dataset.load("efficacy", study=str(tmp_path))
    analysis = survival.analyse(data, data.study.endpoint("lpfs"))
    for output in ("logrank", "cox_likelihood_ratio", "cox_score"):
        assert analysis[output][["chisq", "p_value"]].notna().all(axis=None) == tested, output
    for output in ("logrank_pairwise", "cox"):
        pairs = analysis[output].set_index("group")
        assert pairs["p_value"].notna().to_dict() == {"B vs A": tested, "C vs A": False, "C vs B": False}
        assert pairs.at["C vs A", "note"] == f"not compared: fewer than {least} events"


def test_one_arm_has_curves_but_no_comparison(colon):
    data = dataset.load("efficacy", study="data/colon", arms=["Lev"])
    analysis = survival.analyse(data, data.study.endpoint("death"))
    assert "logrank" not in analysis
    assert analysis["median"]["group"].tolist() == ["Lev"]


STUDY = load_expected("study")


@pytest.fixture(
    scope="module", params=[(study, endpoint) for study, found in STUDY.items() for endpoint in found], ids="-".join
)
def shipped(request):
    study, endpoint = request.param
    data = dataset.load("efficacy", study=f"data/{study}")
    return survival.analyse(data, data.study.endpoint(endpoint)), STUDY[study][endpoint]


@pytest.mark.parametrize(
    "output",
    ["median", "follow_up", "landmark", "logrank", "logrank_pairwise", "cox", "cox_likelihood_ratio", "cox_wald",
     "cox_score", "proportional_hazards", "rmst"],
)  # fmt: skip
def test_the_shipped_studies_equal_r(shipped, output):
    """R derives the endpoints from the tables by itself and analyses them: tests/reference/study.R."""
    analysis, r = shipped
    ours, theirs = analysis[output], r[output]
    if "group" in theirs:
        keys = ["group", "time"] if "time" in theirs else ["group"]
        ours = ours.set_index(keys).loc[
            pd.MultiIndex.from_arrays([theirs[k] for k in keys]) if len(keys) > 1 else theirs["group"]
        ]
    for name in set(theirs) - {"group", "time"}:
        np.testing.assert_allclose(
            ours[name].to_numpy(float), numbers(theirs[name]).ravel(), rtol=1e-6, atol=1e-12, err_msg=name
        )


def test_competing_events_equal_r():
    """R: cmprsk::cuminc and timepoints (tests/reference/study.R)."""
    data = dataset.load("efficacy", study="data/rair_dtc")
    analysis, r = survival.analyse(data, data.study.endpoint("ttlp")), STUDY["rair_dtc"]["ttlp"]
    expected = r["cumulative_incidence"]
    for curve, values, variances in zip(expected["curve"], expected["estimate"], expected["variance"], strict=True):
        arm, cause = curve.split(" ")
        if cause != "1":
            continue
        own = where(analysis["cumulative_incidence"], group=arm).set_index("time").loc[expected["time"]]
        known = own["estimate"].notna().to_numpy()
        np.testing.assert_array_equal(known, np.isfinite(numbers(values)), err_msg="not estimable where R is not")
        assert known.any()
        np.testing.assert_allclose(own["estimate"][known], numbers(values)[known], rtol=1e-6)
        np.testing.assert_allclose(own["std_err"][known] ** 2, numbers(variances)[known], rtol=1e-6)
    assert analysis["gray"]["chisq"].item() == pytest.approx(r["gray"]["chisq"], rel=1e-6)
    assert analysis["gray"]["p_value"].item() == pytest.approx(r["gray"]["p_value"], rel=1e-6)
