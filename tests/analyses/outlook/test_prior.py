"""What is known of a hazard ratio and of response for readers of several minds: numbers, refusals, words, pictures."""

from dataclasses import replace

import numpy as np
import pytest
from designed_studies import CASES, write_case
from numpy.testing import assert_allclose
from random_study import Design, random_design, write_random
from scipy import integrate, stats
from study_builder import as_if_chosen

from lib import analyse
from lib.analyses.outlook.prior import analyse_prior_effect
from lib.analyses.outlook.prior_response import analyse_prior_response
from lib.analyses.result import Absent
from lib.analyses.verdicts import FITTED, REFUSED, WEAK
from lib.dataset.dataset import load
from lib.report.page import Page
from lib.report.results import to_rows
from lib.show import plot, say, table
from lib.study.inference.evidence import External, Published, Worthwhile

pytestmark = pytest.mark.thorough

RAIR, COLON = "data/rair_dtc", "data/colon"


def external(arm, against="", endpoint="", weight=0.5, **number):
    kind = "hazard_ratio" if against else "proportion"
    return External(arm=arm, against=against or None, endpoint=endpoint or None, label="Trial X", printed="as printed", citation="X 2020",
                    weight=weight, number=Published(kind=kind, **number))  # fmt: skip


def believing(study, *, worthwhile=None, found=(), **parameters):
    """A study in which other things are declared."""
    data = load("models", study=str(study), **parameters)
    return replace(data, study=data.study.model_copy(update={"worthwhile": worthwhile, "external": tuple(found)}))


def effect(data):
    return analyse_prior_effect(data, analyse.survival(data, data.study.primary))


def verdict(found):
    return found["verdicts"].iloc[0]


def by_prior(frame, column):
    return dict(zip(frame["variable"].str.rpartition(": ")[2], frame[column], strict=True))


def everything(found, response):
    """All that a page shows of it, as text."""
    shown = [
        say.prior_effect(found), plot.prior_effect(found), table.prior_effect(found), table.priors(found), table.prior_likelihoods(found),
        say.prior_response(response), plot.prior_response(response), table.prior_response(response),
    ]  # fmt: skip
    return " ".join(one.to_text() if hasattr(one, "to_text") else getattr(one, "alt", getattr(one, "text", one)) for one in shown)


def test_colon_is_normal_and_what_the_closed_formulas_say():
    """qnorm() of the precision-weighted mean of log(0.5992) and the prior"""
    found = effect(load("models", study=COLON))
    assert found["posterior_effect"]["method"].str.endswith("normal likelihood of the Cox estimate").all()
    survival = analyse.survival(found.dataset, found.dataset.study.primary)
    row, sd = survival.row("cox", "Lev5FU vs Obs"), np.log(0.75) / stats.norm.ppf(0.05)
    assert_allclose(found["posterior_effect"].loc[0, ["hr", "ci_low", "ci_high"]].astype(float), row[["hr", "ci_low", "ci_high"]].astype(float), rtol=1e-9)
    precision = row["std_err"] ** -2 + sd**-2
    mean = row["coef"] * row["std_err"] ** -2 / precision
    expected = {"hr": np.exp(mean), "probability_benefit": stats.norm.cdf(-mean * precision**0.5), "probability_worthwhile": stats.norm.cdf((np.log(0.75) - mean) * precision**0.5)}
    for column, value in expected.items():
        assert_allclose(by_prior(found["posterior_effect"], column)["sceptical"], value, rtol=1e-9)
    conflict = 2 * stats.norm.sf(abs(row["coef"]) / np.hypot(sd, row["std_err"]))
    assert_allclose(by_prior(found["prior_effect"], "conflict")["sceptical"], conflict, rtol=1e-9)
    assert verdict(found)["state"] == FITTED
    assert "about one worth having they do not" in verdict(found)["conclude"]
    assert "need not be an effect" not in say.prior_effect(found)


def test_agreement_about_arms_that_chance_did_not_form_is_weak():
    """All readers see the same confounded comparison; of a trial the same numbers are fitted."""
    trial = load("models", study=COLON)
    chosen = effect(as_if_chosen(trial))
    assert verdict(effect(trial))["state"] == FITTED
    assert verdict(chosen)["state"] == WEAK
    assert "confounding" in verdict(chosen)["why"]
    shares = analyse_prior_response(load("models", study=RAIR), (6.0,))
    assert verdict(shares)["state"] == WEAK
    assert "confounding" in verdict(shares)["why"]
    assert "hardly moves" in verdict(shares)["conclude"]
    assert say.prior_response(shares).count("need not be an effect of treatment") == 1


def test_the_hazard_ratio_is_called_crude():
    """It stands below the adjusted one, and could be taken for it."""
    found = effect(load("models", study=COLON))
    assert "the crude hazard ratio of Levamisole + fluorouracil vs Observation is 0.60" in say.prior_effect(found)
    assert "the crude one" in table.prior_effect(found).to_text()
    survival = analyse.survival(found.dataset, found.dataset.study.primary)
    text = say.next_trial(analyse.next_trial(found.dataset, survival))
    assert "the effect seen (crude hazard ratio 0.60" in text
    assert "the smallest worth having (hazard ratio 0.75" in text


def test_few_events_are_not_normal_and_the_difference_is_shown():
    found = effect(load("models", study=RAIR))
    assert found["posterior_effect"]["method"].str.endswith("on a grid").all()
    exact, curve = (by_prior(found[name], "ci_low")["vague"] for name in ("posterior_effect", "posterior_effect_other"))
    assert exact < 0.95 * curve
    assert verdict(found)["state"] == WEAK
    text = say.prior_effect(found)
    for words in ("the answer depends on whom one asks", "in conflict for the sceptical reader", "weighs as much as 67 for the sceptical reader", "No prior knows of confounding", "need not be an effect of treatment"):
        assert text.count(words) == 1, words
    assert "proves" not in everything(found, analyse_prior_response(found.dataset, found.dataset.response_visits))


def test_an_earlier_trial_is_read_in_either_direction():
    forth = believing(COLON, found=[external("Lev5FU", "Obs", "recurrence", estimate=0.6, ci_low=0.45, ci_high=0.8)])
    back = believing(COLON, found=[external("Obs", "Lev5FU", "recurrence", estimate=1 / 0.6, ci_low=1 / 0.8, ci_high=1 / 0.45)])
    one, other = (effect(data)["posterior_effect"] for data in (forth, back))
    assert_allclose(one[["hr", "ci_low", "ci_high", "weight"]].astype(float), other[["hr", "ci_low", "ci_high", "weight"]].astype(float), rtol=1e-9)
    assert list(by_prior(one, "hr")) == ["vague", "historical"]
    assert by_prior(one, "weight")["historical"] > 0.5  # it foretold the estimate
    assert one["probability_worthwhile"].isna().all()
    assert "Nobody who doubts or hopes is asked" in say.prior_effect(effect(forth))
    assert "taken to hold here with a probability of 50%" in table.priors(effect(forth)).to_text()
    assert "as printed, taken to hold" in table.priors(effect(forth)).to_text()
    assert "as printed, of Observation vs Levamisole + fluorouracil, taken to hold" in table.priors(effect(back)).to_text()


def test_several_earlier_results_share_what_is_declared():
    """What is said of each adds up to what is recorded of them together."""
    one = external("Lev5FU", "Obs", "recurrence", weight=0.4, estimate=0.6, ci_low=0.45, ci_high=0.8)
    found = effect(believing(COLON, found=[one, one.model_copy(update={"label": "Trial Y", "weight": 0.6})]))
    assert_allclose(by_prior(found["prior_effect"], "weight")["historical"], 0.2 + 0.3)
    text = table.priors(found).to_text()
    assert "probability of 20% beforehand (declared 40%, shared by 2 results)" in text
    assert "probability of 30% beforehand (declared 60%, shared by 2 results)" in text


def test_a_trial_of_other_arms_or_another_endpoint_is_no_prior():
    ratio = {"estimate": 0.6, "ci_low": 0.45, "ci_high": 0.8}
    for others in (external("Lev", "Obs", "recurrence", **ratio), external("Lev5FU", "Obs", "death", **ratio)):
        assert list(by_prior(effect(believing(COLON, found=[others]))["posterior_effect"], "hr")) == ["vague"]


def test_a_result_that_asks_another_question_is_no_prior():
    """It is not put together with this study's either."""
    ratio = external("Lev5FU", "Obs", "recurrence", estimate=0.6, ci_low=0.45, ci_high=0.8).model_copy(update={"differs": "other drugs"})
    assert list(by_prior(effect(believing(COLON, found=[ratio]))["posterior_effect"], "hr")) == ["vague"]
    share = external("A", count=45, n=76)
    for differs, readers in (("", 2), ("another scale", 1)):
        found = analyse_prior_response(believing(RAIR, found=[share.model_copy(update={"differs": differs})]), (6.0,))
        assert found["posterior_share"]["variable"].nunique() == readers


def test_the_first_visit_is_the_earliest_in_whatever_order():
    found = analyse_prior_response(load("models", study=RAIR), (12.0, 6.0))
    assert set(found["posterior_share"]["time"]) == {6.0}


def test_a_trial_that_the_data_contradict_loses_its_weight_and_is_named():
    found = effect(believing(COLON, found=[external("Lev5FU", "Obs", "recurrence", weight=0.9, estimate=2, ci_low=1.6, ci_high=2.5)]))
    assert by_prior(found["posterior_effect"], "weight")["historical"] < 0.001
    assert by_prior(found["prior_effect"], "conflict")["historical"] < 0.001
    assert "in conflict for the reader of earlier results" in say.prior_effect(found)


def test_the_other_arm_as_reference_turns_all_round():
    one, other = (effect(load("models", study=COLON, arms=["Obs", "Lev5FU"], reference=arm)) for arm in ("Obs", "Lev5FU"))
    vague, turned = (frame["posterior_effect"].iloc[0] for frame in (one, other))
    assert_allclose([vague["hr"], vague["ci_low"], vague["probability_benefit"]], [1 / turned["hr"], 1 / turned["ci_high"], turned["probability_harm"]], rtol=1e-9)


def test_scepticism_is_a_parameter():
    usual, more = (effect(load("models", study=COLON, **given))["posterior_effect"] for given in ({}, {"scepticism": 0.01}))
    assert by_prior(usual, "hr")["sceptical"] < by_prior(more, "hr")["sceptical"] < 1
    assert by_prior(usual, "hr")["enthusiastic"] == by_prior(more, "hr")["enthusiastic"]


def test_response_by_numeric_integrals():
    """3 of 14 and 10 of 13; 45 of 76 before: integrals over prior x likelihood."""
    data = load("models", study=RAIR)
    found = analyse_prior_response(data, data.response_visits)
    row = found["posterior_share"].set_index(["variable", "group"]).loc["response: historical", "A"]
    density = lambda x: (0.5 * stats.beta.pdf(x, 45.5, 31.5) + 0.5 * stats.beta.pdf(x, 0.5, 0.5)) * stats.binom.pmf(row["count"], row["n"], x)  # noqa: E731
    total, first = (integrate.quad(f, 0, 1, points=[0.1, 0.3, 0.6], epsabs=1e-13, limit=200)[0] for f in (density, lambda x: x * density(x)))
    assert_allclose(row["estimate"], first / total, rtol=1e-6)
    assert_allclose(integrate.quad(density, 0, row["ci_high"], points=[0.1, 0.3, 0.5], epsabs=1e-13, limit=200)[0] / total, 0.975, atol=1e-6)
    apart = found["posterior_share_difference"].iloc[0]
    more = integrate.quad(lambda y: stats.beta.pdf(y, 3.5, 11.5) * stats.beta.sf(y, 10.5, 3.5), 0, 1, epsabs=1e-12)[0]
    assert_allclose(apart["probability_benefit"], more, atol=1e-9)
    assert apart["probability_harm"] == 1 - apart["probability_benefit"]
    text = say.prior_response(found)
    assert "“Objective response, ALTER01032: 45/76 (59%)”" in text
    assert "in conflict" in text
    assert "best response at any time" in text


def test_without_what_is_worth_having_no_probability_of_it_is_given():
    found = analyse_prior_response(believing(RAIR), (6.0,))
    assert found["posterior_share_difference"]["probability_worthwhile"].isna().all()
    assert "names no smallest difference in response worth having" in table.prior_response(found).to_text()
    assert verdict(found)["state"] == WEAK


@pytest.mark.parametrize("name", CASES)
def test_every_case_has_its_words_and_numbers(name, tmp_path):
    data = load("models", study=str(write_case(tmp_path, name)))
    found = [external(*data.contrast, data.study.primary.id, estimate=0.8, ci_low=0.6, ci_high=1.1)] if len(data.arms) > 1 else []
    data = replace(data, study=data.study.model_copy(update={"worthwhile": Worthwhile(hazard_ratio=0.7), "external": tuple(found)}))
    analysed = effect(data)
    text = everything(analysed, analyse_prior_response(data, data.response_visits))
    assert "nan" not in text
    if name == "one_arm":
        assert isinstance(analysed, Absent)
        return
    to_rows("models", analysed)
    known = analysed["posterior_effect"].dropna(subset="hr")
    chances = known[["probability_benefit", "probability_worthwhile", "probability_harm"]]
    assert ((chances >= 0) & (chances <= 1)).all().all()
    assert ((known["ci_low"] < known["hr"]) & (known["hr"] < known["ci_high"])).all()
    assert (known["probability_worthwhile"] <= known["probability_benefit"]).all()
    if name in ("no_event", "withheld"):
        assert known.empty
        assert verdict(analysed)["state"] == REFUSED
        assert plot.prior_effect(analysed).text == ""
    if name == "one_arm_without_event":
        assert list(by_prior(known, "hr")) == ["sceptical", "enthusiastic", "historical"]
        assert "There is none without a prior" in text
        assert verdict(analysed)["why"].startswith("The data alone set no limit")


@pytest.mark.parametrize("design", [*map(random_design, range(3)), Design((1, 4), seed=104, missed=0.4), Design((9,), seed=101)], ids=str)
def test_drawn_studies_with_any_earlier_share(design, tmp_path):
    data = load("models", study=str(write_random(tmp_path, design)))
    found = [external(arm.id, count=count, n=40) for arm, count in zip(data.arms, (0, 40, 13, 1, 39, 20), strict=False)]
    data = replace(data, study=data.study.model_copy(update={"external": tuple(found), "worthwhile": Worthwhile(hazard_ratio=0.7, response_difference=0.15)}))
    response = analyse_prior_response(data, data.response_visits)
    to_rows("models", response)
    assert "nan" not in everything(effect(data), response)
    weights = response["posterior_share"]["weight"].dropna()
    assert len(weights)
    assert weights.between(0, 1).all()
    shown = response["posterior_share"]
    assert ((shown["ci_low"] <= shown["median"]) & (shown["median"] <= shown["ci_high"])).all()


def test_a_shared_report_leaves_it_out():
    data = load("models", study=RAIR, audience="share")
    page = Page("models", data)
    found = page.analyse(analyse.prior_effect, page.analyse(analyse.survival, page.endpoint))
    assert isinstance(found, Absent)
    assert not page.results["output"].str.contains("prior|posterior").any()
