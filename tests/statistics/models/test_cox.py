"""Cox regression against R: coxph, cox.zph, coxphf (reference.R, zph.R, survival_more.R)."""

import numpy as np
import pytest
from reference_data import SURVIVAL_SETS, load_expected, load_tte, make_tte, numbers

from lib.statistics.models.cox import check_proportional_hazards, estimate_cox, estimate_weighted_cox
from lib.statistics.models.firth import estimate_firth

CLOSE = {"rtol": 1e-6, "atol": 1e-12}
# coxph stops at a relative change of 1e-9 in the likelihood; a coefficient near 0 is then good to 1e-8 absolutely
COX = {"rtol": 1e-6, "atol": 1e-8}
FITTED = [name for name in SURVIVAL_SETS if name != "edge_zero_events_in_c"]
ADJUSTED = [name for name in FITTED if "cox_adjusted" in load_expected(name)]
STRATIFIED = [name for name in FITTED if "stratified" in load_expected("survival_more")[name]]


def covariates(tte):
    return [column for column in tte if column.startswith("x_")]


def reference(name):
    return load_expected(name)["arms"][0]


def assert_terms(found, expected):
    for ours, theirs in (
        ("coef", "coef"),
        ("std_err", "se"),
        ("hr", "hr"),
        ("ci_low", "low"),
        ("ci_high", "high"),
        ("p_value", "p"),
    ):
        np.testing.assert_allclose(found[ours].to_numpy(dtype=float), numbers(expected[theirs]), **COX)


def assert_overall(found, expected):
    found = found.set_index("test")
    for test, key in (("likelihood ratio", "lrt"), ("score", "score")):
        row = found.loc[test]
        np.testing.assert_allclose([row["chisq"], row["df"], row["p_value"]], expected[key], **CLOSE)
    # summary.coxph rounds the Wald statistic to two decimals; test_wald compares the unrounded one
    assert round(found.loc["Wald", "chisq"], 2) == pytest.approx(expected["wald"][0], abs=1e-9)
    np.testing.assert_allclose(found["concordance"], expected["concordance"], **CLOSE)


@pytest.mark.parametrize("name", FITTED)
def test_arms(name):
    """coxph(Surv(time, event) ~ arm, ties = "efron")."""
    model = estimate_cox(load_tte(name), reference(name))
    assert_terms(model.terms, load_expected(name)["cox"])
    assert_overall(model.overall, load_expected(name)["cox"])
    assert (model.terms["note"] == "").all()


@pytest.mark.parametrize("name", ADJUSTED)
def test_covariates(name):
    """coxph(Surv(time, event) ~ arm + x_..., ties = "efron") on complete cases."""
    tte, expected = load_tte(name), load_expected(name)["cox_adjusted"]
    model = estimate_cox(tte, reference(name), covariates(tte))
    assert_terms(model.terms, expected)
    assert_overall(model.overall, expected)
    assert (model.terms["n"] == expected["n"]).all()
    left_out = len(tte) - expected["n"]
    assert model.terms["note"].str.contains(f"{left_out} patients? with a missing covariate").all() == bool(left_out)


@pytest.mark.parametrize("name", FITTED)
def test_wald(name):
    """fit$wald.test, concordance(fit)."""
    expected, found = load_expected("survival_more")[name]["cox"], estimate_cox(load_tte(name), reference(name)).overall
    np.testing.assert_allclose(found["chisq"], [expected["lrt"], expected["wald"], expected["score"]], **CLOSE)


@pytest.mark.parametrize("name", STRATIFIED)
def test_strata(name):
    """coxph(Surv(time, event) ~ arm + strata(stratum))."""
    expected = load_expected("survival_more")[name]["stratified"]
    model = estimate_cox(load_tte(name), reference(name), strata="stratum")
    for ours, theirs in (("coef", "coef"), ("std_err", "se"), ("p_value", "p")):
        np.testing.assert_allclose(model.terms[ours], numbers(expected[theirs]), **CLOSE)
    np.testing.assert_allclose(model.overall["chisq"], [expected["lrt"], expected["wald"], expected["score"]], **CLOSE)
    np.testing.assert_allclose(model.overall["concordance"], expected["concordance"], **CLOSE)


@pytest.mark.parametrize("cluster", [None, "pair"])
@pytest.mark.parametrize("name", FITTED)
def test_weights(name, cluster):
    """coxph(Surv(time, event) ~ arm, weights, robust = TRUE, cluster)."""
    tte = load_tte(name)
    row = np.arange(len(tte))
    tte = tte.assign(weight=0.5 + (row + 1) * 7 % 11 / 4, pair=row // 2)
    expected = load_expected("survival_more")[name]["clustered" if cluster else "weighted"]
    found = estimate_weighted_cox(tte, reference(name), cluster=cluster)
    for ours, theirs in (("coef", "coef"), ("std_err", "se"), ("naive_std_err", "naive"), ("p_value", "p")):
        np.testing.assert_allclose(found[ours], numbers(expected[theirs]), **CLOSE)


@pytest.mark.parametrize(("name", "key"), [(name, key) for name in FITTED for key in load_expected("zph")[name]])
def test_proportional_hazards(name, key):
    """cox.zph(fit, transform = "km", terms = FALSE); R's fit itself is good to 1e-9 only."""
    expected = load_expected("zph")[name][key]
    tte = load_tte(name)
    found = check_proportional_hazards(
        tte,
        reference(name),
        covariates(tte) if key == "cox_adjusted" else (),
        "stratum" if key == "cox_stratified" else None,
    )
    for ours, theirs in (("chisq", "chisq"), ("df", "df"), ("p_value", "p")):
        np.testing.assert_allclose(found[ours].to_numpy(dtype=float), numbers(expected[theirs]), **COX)
    assert found["term"].iat[-1] == "global"


@pytest.mark.parametrize("name", [name for name in SURVIVAL_SETS if "firth" in load_expected(name)])
def test_firth(name):
    """coxphf(Surv(time, event) ~ arm, pl = TRUE), which gives no p where its step goes too far."""
    expected, found = load_expected(name)["firth"], estimate_firth(load_tte(name), reference(name))
    for ours, key in (("coef", "coef"), ("hr", "hr"), ("ci_low", "low"), ("ci_high", "high"), ("p_value", "p")):
        theirs = numbers(expected[key])
        given = ~np.isnan(theirs)
        np.testing.assert_allclose(found[ours].to_numpy()[given], theirs[given], rtol=1e-6, atol=1e-8)
    assert found["p_value"].notna().all()


def test_an_arm_without_events_switches_to_firth_and_says_so():
    """coxph gives coef -21.7, se 12649; its likelihood-ratio and score tests are the limits here."""
    name = "edge_zero_events_in_c"
    model, expected = estimate_cox(load_tte(name), "a"), load_expected(name)
    np.testing.assert_allclose(model.terms["coef"], expected["firth"]["coef"], rtol=1e-6)
    assert (
        model.terms["method"].str.contains("Firth").all() and model.terms["note"].str.startswith("no event in c").all()
    )
    overall = model.overall.set_index("test")
    np.testing.assert_allclose(overall.loc["likelihood ratio", "chisq"], expected["cox"]["lrt"][0], rtol=1e-6)
    np.testing.assert_allclose(overall.loc["score", "chisq"], expected["cox"]["score"][0], rtol=1e-6)
    np.testing.assert_allclose(overall["concordance"], expected["cox"]["concordance"], rtol=1e-6)
    assert np.isnan(overall.loc["Wald", "chisq"]) and overall.loc["Wald", "note"].startswith("not estimable")
    zph = check_proportional_hazards(load_tte(name), "a")
    assert zph["chisq"].isna().all() and zph["note"].str.startswith("not estimable: no event in c").all()


def test_separating_covariate_switches_to_firth():
    tte = make_tte({"a": [(1, 1), (2, 1), (3, 1), (4, 0)], "b": [(1, 1), (3, 0), (4, 1), (5, 0)]})
    tte["x_late"] = tte["time"] > 2
    model = estimate_cox(tte, "a", ["x_late"])
    assert model.terms["note"].str.startswith("the covariates separate").all()
    assert np.isfinite(model.terms[["coef", "p_value"]].to_numpy(dtype=float)).all()


def test_terms_without_information_are_not_estimable():
    """coxph gives NA for a constant, and for a column that others explain."""
    tte = load_tte("lung").assign(x_one=1.0, x_double=lambda d: 2 * d["x_age"])
    model = estimate_cox(tte, "male", ["x_age", "x_one", "x_double"])
    alone = estimate_cox(tte, "male", ["x_age"])
    found = model.terms.set_index("term")["coef"]
    assert found[["x_one", "x_double"]].isna().all()
    np.testing.assert_allclose(found[["arm=female", "x_age"]], alone.terms["coef"], rtol=1e-9)
    assert model.overall["df"].tolist() == [2, 2, 2]


def test_categorical_covariate_equals_its_indicators():
    tte = load_tte("veteran")
    tte["x_class"] = np.where(tte["x_karno"] < 40, "low", np.where(tte["x_karno"] < 70, "mid", "top"))
    tte["x_mid"], tte["x_top"] = (tte["x_class"] == "mid").astype(int), tte["x_class"] == "top"
    by_class, by_hand = (estimate_cox(tte, "squamous", c).terms for c in (["x_class"], ["x_mid", "x_top"]))
    np.testing.assert_allclose(by_class["coef"], by_hand["coef"], rtol=1e-12)
    assert by_class["term"].tolist()[-2:] == ["x_class=mid", "x_class=top"]


def test_few_events_per_variable_are_announced():
    few = estimate_cox(load_tte("edge_flat_half"), "a").overall
    enough = estimate_cox(load_tte("veteran"), "squamous").overall
    assert few["note"].str.startswith("only 5.5 events per variable").all() and (enough["note"] == "").all()


def test_unknown_reference_and_covariate_are_refused():
    with pytest.raises(ValueError, match="reference must be one of the arms"):
        estimate_cox(load_tte("lung"), "Male")
    with pytest.raises(ValueError, match="not columns of the frame"):
        estimate_cox(load_tte("lung"), "male", ["x_weight"])
    with pytest.raises(ValueError, match="finite weight > 0"):
        estimate_weighted_cox(load_tte("lung").assign(weight=0.0), "male")


def test_one_weight_for_all_changes_only_the_naive_variance():
    """Weights of 1: the plain coefficients, with Lin and Wei's robust variance."""
    tte = load_tte("veteran").assign(weight=1.0)
    weighted, plain = estimate_weighted_cox(tte, "squamous"), estimate_cox(tte, "squamous").terms
    np.testing.assert_allclose(weighted["coef"], plain["coef"], rtol=1e-9)
    np.testing.assert_allclose(weighted["naive_std_err"], plain["std_err"], rtol=1e-9)


def test_a_contrast_without_its_reference_is_not_estimable():
    """The reference is never at risk at an event: R's coxph labels C against B as "B vs A"; nothing is known of A."""
    tte = make_tte({
        "a": [(1, 0), (1.5, 0), (1.7, 0), (1.9, 0)],
        "b": [(3, 1), (4, 1), (6, 1), (9, 0), (7, 1)],
        "c": [(5, 1), (8, 0), (9, 1), (10, 0), (12, 0)],
    })  # fmt: skip
    terms = estimate_cox(tte, "a").terms
    assert terms["hr"].isna().all()
    assert terms["note"].str.startswith("not estimable").all()
    known = estimate_cox(tte, "b").terms.set_index("group")
    assert known["hr"].notna().to_dict() == {"a vs b": False, "c vs b": True}
    assert known.loc["c vs b", "coef"] == pytest.approx(-1.1817, abs=1e-4)
    assert check_proportional_hazards(tte, "a")["p_value"].iloc[:2].isna().all()


@pytest.mark.parametrize(("n", "said"), [(1, "1 patient with a missing covariate is left out"), (2, "2 patients with a missing covariate are left out")])
def test_who_is_left_out_is_counted_in_words(n, said):
    tte = load_tte(FITTED[0])
    tte = tte.assign(x=np.where(np.arange(len(tte)) < n, np.nan, np.arange(len(tte)) % 7))
    assert estimate_cox(tte, str(tte["arm"].cat.categories[0]), ["x"]).terms["note"].str.contains(said).all()
