"""Regressions of arms and covariates against R: coxph, glm, cmprsk::crr, Firth's penalty on coxph (regression.R)."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_data import load_expected

from lib.statistics.models.cox import estimate_cox
from lib.statistics.models.design import make_design, pick_terms
from lib.statistics.models.firth import estimate_firth
from lib.statistics.multivariable.carried import PENALISED, PLAIN, TOO_FEW, UNSTABLE, judge_events
from lib.statistics.multivariable.odds import fit_odds
from lib.statistics.multivariable.ratios import fit_ratios
from lib.statistics.multivariable.subdistribution import estimate_subdistribution
from lib.statistics.second_engine.regression import Cox, FineGray, Logistic, fit_penalised, fit_plain
from lib.study.study import ROOT

R = load_expected("regression")
SETS = list(R["sets"])


def patients(name):
    data = pd.DataFrame(R["sets"][name]["data"])
    arms = list(dict.fromkeys(data["arm"]))
    return data.assign(arm=pd.Categorical(data["arm"], arms, ordered=True), g=pd.Categorical(data["g"], ["u", "v", "w"]), event=data["event"].astype(bool), time=data["time"].astype(float))


def colon():
    d = pd.read_csv(ROOT / "data/colon/patients.csv").rename(columns={"recurrence_status": "event"})
    d["arm"] = pd.Categorical(d["rx"], ["Obs", "Lev", "Lev+5FU"], ordered=True)
    d = d.assign(time=d["recurrence_days"] / 365.25, event=d["event"] == 1, age=d["age"] / 10, cause=d["event"])
    d["l"] = np.log2(d["nodes"].where(d["nodes"] > 0))
    for name in ("differ", "extent"):
        d[name] = pd.Categorical(d[name].astype("Int64").astype("string"))
    return d


def holds(found, expected, p=True):
    assert_allclose(found["coef"], expected["coef"], rtol=1e-6, atol=1e-9)
    assert_allclose(found["std_err"], expected["se"], rtol=1e-6)
    if p:
        assert_allclose(found["p_value"], expected["p"], rtol=1e-6)


def nested_hold(tests, expected):
    for row in tests.itertuples():
        own = expected[row.variable]
        assert_allclose([row.chisq, row.df, row.p_value], [own["chisq"], own["df"], own["p"]], rtol=1e-6, atol=1e-9)


def test_colon_equals_coxph():
    """coxph(Surv(t, recurrence_status) ~ rx + age + sex + obstruct + adhere + l + differ + extent + surg); nested models"""
    names = ["age", "sex", "obstruct", "adhere", "l", "differ", "extent", "surg"]
    d = colon()
    fitted = fit_ratios(d, make_design(d, "Obs", names), 0.95)
    holds(fitted.terms, R["colon"])
    nested_hold(fitted.tests.assign(variable=fitted.tests["variable"].replace("arm", "rx")), R["colon"]["lr"])
    assert fitted.terms["n"].iat[0] == 886
    assert not fitted.penalised


@pytest.mark.parametrize("name", R["colon"]["crude"])
def test_a_covariate_alone_equals_coxph(name):
    """coxph(Surv(t, recurrence_status) ~ x): no arm in it"""
    d = colon()
    design = make_design(d, "Obs", [name])
    alone = pick_terms(design, np.array([group == "overall" for group in design.groups]))
    holds(fit_ratios(d, alone, 0.95).terms, {key: np.atleast_1d(value) for key, value in R["colon"]["crude"][name].items()})


def test_strata_equal_coxph():
    """coxph(... ~ rx + age + sex + l + strata(extent, surg))"""
    d = colon()
    d = d[d["extent"].notna()].assign(stratum=lambda f: f["extent"].astype(str) + "|" + f["surg"].astype(str))
    holds(fit_ratios(d, make_design(d, "Obs", ["age", "sex", "l"]), 0.95, "stratum").terms, R["colon"]["stratified"])


@pytest.mark.parametrize("name", SETS)
def test_small_samples_equal_coxph(name):
    """coxph(Surv(time, event) ~ arm + x + g, ties = "efron"), nested models; n = 22, 52 (few and many ties), 300"""
    d = patients(name)
    fitted = fit_ratios(d, make_design(d, "a", ["x", "g"]), 0.95)
    holds(fitted.terms, R["sets"][name]["cox"])
    nested_hold(fitted.tests, R["sets"][name]["lr"])


@pytest.mark.parametrize("name", [name for name in SETS if R["sets"][name].get("firth")])
def test_the_penalty_equals_its_formula(name):
    """coxph(init = b, iter.max = 0)$loglik - log(det(var)) / 2 by optim, limits by uniroot: coxphf's likelihood"""
    d, expected = patients(name), R["sets"][name]["firth"]
    fitted = fit_ratios(d, make_design(d, "a", ["x", "g"]), 0.95, penalise=True)
    assert fitted.penalised
    assert_allclose(fitted.terms["coef"], expected["coef"], rtol=2e-5, atol=2e-6)  # as near as optim comes
    assert_allclose(fitted.terms["statistic"], expected["chisq"], rtol=1e-6, atol=1e-7)
    assert_allclose(fitted.tests.set_index("variable").at["g", "chisq"], expected["g"], rtol=1e-6)
    assert_allclose(np.log([fitted.terms["ci_low"].iat[0], fitted.terms["ci_high"].iat[0]]), [expected["low"], expected["high"]], rtol=1e-5)


@pytest.mark.parametrize("name", SETS)
def test_odds_equal_glm(name):
    """glm(y ~ arm + x + g, binomial, epsilon = 1e-14), confint.default, drop1(test = "LRT"); R lets a separated fit run away"""
    d, expected = patients(name), R["sets"][name]["logistic"]
    d["event"] = d["y"].astype(bool)
    fitted = fit_odds(d, make_design(d, "a", ["x", "g"]), 0.95)
    if fitted.penalised:
        assert np.abs(expected["coef"]).max() > 10
        return
    holds(fitted.terms, {key: values[1:] for key, values in expected.items() if key in ("coef", "se", "p")})
    assert_allclose(np.log(fitted.terms[["ci_low", "ci_high"]]), expected["ci"][1:], rtol=1e-6, atol=1e-9)
    several = dict(zip(expected["lr"]["term"], zip(expected["lr"]["chisq"], expected["lr"]["df"], strict=True), strict=True))
    for row in fitted.tests.itertuples():
        assert_allclose([row.chisq, row.df], several[row.variable], rtol=1e-6)


@pytest.mark.parametrize("name", SETS)
def test_the_subdistribution_equals_crr(name):
    """cmprsk::crr(time, cause, model.matrix(~ arm [+ x])[, -1], gtol = 1e-13): arms alone, and with a covariate"""
    d, expected = patients(name), R["sets"][name]
    for covariates, key in (([], "arms"), (["x"], "gray")):
        holds(estimate_subdistribution(d, "a", covariates), {k: np.atleast_1d(v) for k, v in expected[key].items()}, p=False)


def test_without_a_competing_event_the_subdistribution_is_the_hazard():
    """Fine and Gray's model is Cox's where nothing competes (Breslow ties; here none are tied)."""
    d = patients("middle_300").assign(cause=lambda f: f["event"].astype(int))
    found, cox = estimate_subdistribution(d, "a", ["x"]), estimate_cox(d, "a", ["x"]).terms
    assert_allclose(found["hr"], cox["hr"], rtol=1e-8)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d.assign(event=False, cause=0), "no event"),
        (lambda d: d.assign(cause=d["cause"].where(d["arm"] != "b", 2), event=d["event"] & (d["arm"] != "b")), "0 or infinite"),
        (lambda d: d[d["arm"] == "a"], "no event informs"),
        (lambda d: d.iloc[:0], "no event"),
        (lambda d: d.assign(x=1.0), "no event informs"),
    ],
)
def test_a_subdistribution_that_cannot_be_estimated_has_a_reason(change, reason):
    found = estimate_subdistribution(change(patients("cohort_52")), "a", ["x"])
    assert found["hr"].isna().all()
    assert found["note"].str.contains(reason).all()


def test_two_engines_agree_on_penalised_fits():
    """Cox and logistic likelihoods with a penalty, one written by risk sets, the other by a matrix."""
    d = patients("cohort_52")
    design = make_design(d, "a", ["x", "g"])
    x, several = design.x * design.scale, {"g": np.array([3, 4])}
    first = fit_ratios(d, design, 0.95, penalise=True)
    values, tests = fit_penalised(Cox(d["time"].to_numpy(), d["event"].to_numpy(), x, breslow=True), 0, several, "hr")
    assert_allclose(first.terms[["hr", "p_value"]], [[v["hr"], v["p_value"]] for v in values], rtol=1e-6)
    assert_allclose(first.tests.set_index("variable").at["g", "p_value"], tests["g"]["p_value"], rtol=1e-6)
    odds = fit_odds(d.assign(event=d["y"] == 1), design, 0.95, penalise=True)
    values, _ = fit_penalised(Logistic(d["y"].to_numpy(), np.column_stack([np.ones(52), x])), 1, {}, "odds_ratio")
    assert_allclose(odds.terms[["odds_ratio", "p_value"]], [[v["odds_ratio"], v["p_value"]] for v in values], rtol=1e-6)


def test_the_second_engine_equals_crr_too():
    """cmprsk::crr, event by event; greenwood's errors leave out that the censoring is estimated, so it is no engine here."""
    d, expected = patients("rough_52"), R["sets"]["rough_52"]["gray"]
    x = np.column_stack([d["arm"] == "b", d["arm"] == "c", d["x"]]).astype(float)
    values, _ = fit_plain(FineGray(d["time"].to_numpy(), d["cause"].to_numpy(), x), 0, {}, "hr", 0.95)
    assert_allclose([v["coef"] for v in values], expected["coef"], rtol=1e-6)
    assert_allclose([v["std_err"] for v in values], expected["se"], rtol=1e-6)


def test_events_carry_as_many_coefficients_as_the_thresholds_say():
    assert [judge_events(e, 2) for e in (20, 19, 10, 9, 4, 3, 0)] == [PLAIN, UNSTABLE, UNSTABLE, PENALISED, PENALISED, TOO_FEW, TOO_FEW]


def test_a_level_without_an_event_is_penalised():
    d = patients("cohort_52")
    d["event"] &= (d["g"] != "w").to_numpy()
    fitted = fit_ratios(d, make_design(d, "a", ["g"]), 0.95)
    assert fitted.penalised
    assert np.isfinite(fitted.terms[["hr", "p_value"]].to_numpy()).all()
    assert_allclose(fitted.terms["hr"], estimate_firth(d, "a", ["g"])["hr"], rtol=1e-9)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), n=st.integers(0, 40), share=st.sampled_from([0.0, 0.1, 0.5, 1.0]))
def test_whatever_the_data_there_are_ratios_or_a_reason(seed, n, share):
    rng = np.random.default_rng(seed)
    d = pd.DataFrame({"arm": pd.Categorical(rng.choice(["a", "b", "c"], n), ["a", "b", "c"]), "time": rng.integers(1, 6, n).astype(float)})
    d = d.assign(event=rng.random(n) < share, x=rng.integers(0, 3, n).astype(float), g=pd.Categorical(rng.choice(["u", "v"], n), ["u", "v", "w"]))
    d["cause"] = np.where(d["event"], 1, rng.integers(0, 2, n) * 2)
    design = make_design(d, "a", ["x", "g"])
    for terms, ratio in ((fit_ratios(d, design, 0.95).terms, "hr"), (fit_odds(d, design, 0.95).terms, "odds_ratio"), (estimate_subdistribution(d, "a", ["x", "g"]), "hr")):
        known = terms[ratio].notna()
        assert (terms.loc[known, ratio] > 0).all()
        assert terms.loc[~known, "note"].ne("").all()
