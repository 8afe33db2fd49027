"""Regressions of a study: what is fitted, weakened, refused and why; who is left out; what a shared report holds."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from random_study import Design, write_random

from lib import analyse
from lib.analyses.models.covariates import NONE_DECLARED
from lib.analyses.result import Absent
from lib.dataset.dataset import load
from lib.report.page import Page
from lib.show import plot, say, summary, table
from lib.show.disclosure.audience import restrict
from lib.study.inference.models import Models
from lib.study.parts import own

SEX, AGE = {"variable": "sex"}, {"variable": "age", "step": 10}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """Eighty patients of three arms with many events."""
    return load("models", study=str(write_random(tmp_path_factory.mktemp("study"), Design((25, 28, 27), seed=3, hazard=0.08))))


def asked(data, *covariates, change=None, **more):
    """The regression of the first endpoint with these covariates, of changed patients."""
    models = Models(covariates=covariates, **more) if covariates else None
    data = replace(data, study=data.study.model_copy(update={"models": models, "confounding": None}))
    if change:
        data = replace(data, tables=data.tables | {"patients": change(data.patients)})
    return analyse.regression(data, analyse.survival(data, data.study.primary))


def verdict(found):
    return tuple(found["verdicts"].iloc[0][["state", "why"]])


def test_what_the_events_carry_is_fitted(cohort):
    found = asked(cohort, SEX, AGE)
    assert verdict(found) == ("fitted", "")
    arms = found["regression_adjusted"].query("variable == 'pfs'")
    assert arms["group"].tolist() == ["B vs A", "C vs A"]
    assert found["regression_fit"].at[0, "df"] == 4
    assert found["regression_same"]["hr"].tolist() == pytest.approx(found["regression_crude"]["hr"].iloc[:2].tolist())


def few(n):
    """Events of the first so many patients alone: those of the others come after the cut-off."""
    return lambda p: p.assign(local_progression_date=p["local_progression_date"].where(np.arange(len(p)) < n), death_date=p["death_date"].where(np.arange(len(p)) < n))


@pytest.mark.parametrize(("n", "state", "said"), [(48, "weak", "ten events per coefficient."), (22, "weak", "five events per coefficient, so Firth's penalty"), (9, "refused", "two events per coefficient")])
def test_fewer_events_carry_less(cohort, n, state, said):
    found = asked(cohort, SEX, AGE, change=few(n))
    got, why = verdict(found)
    assert (got, said in why) == (state, True), (why, found["regression_fit"].to_dict("records"))
    assert ("regression_adjusted" in found) == (state != "refused")


@pytest.mark.parametrize(
    ("covariates", "change", "reason"),
    [
        ((), None, NONE_DECLARED),
        ((SEX,), lambda p: p.assign(**{own("sex"): "F"}), "Sex is the same in all patients"),
        ((SEX,), lambda p: p.assign(**{own("sex"): pd.NA}), "nobody with"),
        ((AGE,), lambda p: p.assign(**{own("age"): p[own("age")].where(p["arm"] != "C")}), "nobody with Drug two has a known value"),
        ((SEX, AGE), lambda p: p.assign(**{own("age"): (p[own("sex")] == "F").astype(float)}), "Age follows from the arms and the covariates"),
        ((AGE,), lambda p: p.assign(**{own("age"): (p["arm"] == "B").astype(float)}), "Age follows from the arms"),
        ((SEX,), lambda p: p.assign(**{own("sex"): p[own("sex")].where(p[own("sex")] != "F").where(p.index != p.index[0], "F"), own("age"): np.nan}), ""),
    ],
    ids=["none", "constant", "all missing", "arm missing", "collinear", "follows from the arm", "one patient of a level"],
)
def test_what_the_data_cannot_carry_is_refused_with_a_reason(cohort, covariates, change, reason):
    found = asked(cohort, *covariates, change=change)
    state, why = verdict(found)
    if reason:
        assert state == "refused"
        assert reason.lower() in why.lower()
        assert "regression_adjusted" not in found
        assert found["reason"]["reason"].iat[0] in say.regression(found)
    assert "nan" not in table.regression(found).to_text()
    assert plot.regression(found).svg


def test_no_covariate_is_chosen_in_silence(cohort):
    found = asked(cohort)
    names = {name.split(": ")[1] for name in found["regression_crude"]["variable"] if ": " in name}
    assert names == {v.id for v in cohort.study.baseline}
    assert "No adjusted model: no covariates are declared" in " ".join(table.regression(found).notes)


def test_who_is_left_out_is_said(cohort):
    found = asked(cohort, SEX, AGE, change=lambda p: p.assign(**{own("age"): p[own("age")].where(np.arange(len(p)) >= 7)}))
    assert found["regression_fit"].at[0, "n_missing"] == 7
    assert "leaves out 7 patients without a known value of age (7)" in " ".join(table.regression(found).notes)
    assert "left out" in verdict(found)[1]
    assert f"in the {len(cohort.patients) - 7} patients with known covariates" in say.regression(found)


def test_a_regression_of_responses_says_that_it_leaves_strata_out():
    data = load("models")
    asked_for = Models(covariates=({"variable": "age_years", "step": 10},), strata=("sex",))
    for models, said in ((asked_for, True), (asked_for.model_copy(update={"strata": ()}), False)):
        found = analyse.response_regression(replace(data, study=data.study.model_copy(update={"models": models})), (6.0,))
        assert ("The declared strata are not in this model." in table.regression(found).to_text()) == said


def test_strata_are_crossed_and_an_unknown_one_is_left_out(cohort):
    change = lambda p: p.assign(**{own("sex"): p[own("sex")].where(np.arange(len(p)) >= 5)})  # noqa: E731
    found = asked(cohort, AGE, strata=("sex",), change=change)
    assert found["regression_fit"].loc[0, ["n_missing", "df"]].tolist() == [5, 3]
    assert found["regression_adjusted"]["method"].str.endswith("stratified").all()


def test_an_arm_without_an_event_is_penalised_and_weak(cohort):
    quiet = lambda p: p.assign(local_progression_date=p["local_progression_date"].where(p["arm"] != "C"), death_date=p["death_date"].where(p["arm"] != "C"))  # noqa: E731
    found = asked(cohort, SEX, change=quiet)
    assert verdict(found)[0] == "weak"
    assert "Firth's penalty" in verdict(found)[1]
    assert found["regression_adjusted"]["hr"].notna().all()


def test_with_one_arm_nothing_is_adjusted():
    data = load("models", study="data/rair_dtc", arms=["A"])
    found = analyse.regression(data, analyse.survival(data, data.study.primary))
    assert isinstance(found, Absent)
    assert summary.models(found) == {}
    assert isinstance(analyse.verdicts(data, [found]), Absent)


def test_a_shared_report_holds_no_regression_and_no_verdict():
    """Nobody has examined what a ratio and its interval tell of the counts: verdicts, which follow from events, go with them."""
    data = load("models", study="data/rair_dtc", audience="share")
    page = Page("models", restrict(data))
    found = page.analyse(analyse.regression, page.analyse(analyse.survival, page.endpoint))
    assert isinstance(found, Absent)
    assert "left out of a shared report" in say.regression(found)
    assert isinstance(page.analyse(analyse.verdicts, [found]), Absent)
    assert not page.results["output"].str.contains("regression|verdict").any()


def test_the_summary_takes_the_adjusted_ratio_and_its_verdict():
    data = load("models", study="data/rair_dtc")
    found = analyse.regression(data, analyse.survival(data, data.study.primary))
    asked, said, address = summary.models(found)["sure"][0]
    assert (asked, said) == ("Adjusted hazard ratio", "0.42 (0.15 to 1.12); weak")
    assert address.startswith("models.html#does-the-answer-hold")


def test_the_subgroup_in_force_is_held_alike_already():
    data = load("models", study="data/rair_dtc", subgroup="sex", subgroup_values=["F"])
    found = analyse.regression(data, analyse.survival(data, data.study.primary))
    assert not found["regression_count"]["variable"].str.contains("sex").any()
    assert verdict(found)[0] == "weak"


@pytest.mark.parametrize(("visit", "rarer"), [(6.0, 21), (12.0, None)])
def test_responses_are_those_of_all_treated_who_were_due(visit, rarer):
    data = load("models", study="data/rair_dtc")
    found = analyse.response_regression(data, [visit])
    treated = analyse.response(data, [visit])["objective_response_treated"].set_index("group")
    counts = found["response_regression_count"].query("variable == 'response'").set_index("group")
    assert counts["n_events"].tolist() == treated.loc[counts.index, "count"].tolist()
    assert counts["n"].tolist() == treated.loc[counts.index, "n"].tolist()
    if rarer:
        assert found["response_regression_fit"].at[0, "events_per_variable"] == rarer / 5
    assert (found["response_regression_crude"]["time"] == visit).all()
