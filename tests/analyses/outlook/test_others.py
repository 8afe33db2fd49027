"""Other studies beside this one: which are put together, which are not and why, and what is said and drawn of it."""

import json
import re

import numpy as np
import pytest
from designed_studies import Case, write_made
from numpy.testing import assert_allclose
from random_study import Design, write_random

from lib.analyses.efficacy.survival import analyse
from lib.analyses.outlook.others import analyse_evidence
from lib.analyses.result import Absent, where
from lib.analyses.verdicts import FITTED, REFUSED, WEAK
from lib.dataset.dataset import load
from lib.report.page import Page
from lib.show.display import EMPTY
from lib.show.plots.models.others import plot_evidence
from lib.show.sentences.models.others import sentence_evidence
from lib.show.tables.models.others import table_external, table_pooled

RATIOS = [(0.62, 0.45, 0.85), (0.8, 0.62, 1.03), (0.51, 0.33, 0.79), (0.95, 0.7, 1.29), (0.7, 0.55, 0.89)]
RANDOMISED = {"study": {"allocation": "randomised", "design": "Randomised trial"}}


def ratio(i, numbers, **more):
    """An entry of `external` with a hazard ratio."""
    estimate, low, high = numbers
    number = {"kind": "hazard_ratio", "estimate": estimate, "ci_low": low, "ci_high": high} | more.pop("number", {})
    return {"arm": "B", "against": "A", "endpoint": "ep", "label": f"Trial {i}", "printed": f"{estimate}", "citation": f"Author {i}", "number": number} | more


def median(i, estimate, low=None, high=None, **more):
    """An entry of `external` with a median."""
    limits = {name: value for name, value in (("ci_low", low), ("ci_high", high)) if value is not None}
    return {"arm": "A", "endpoint": "ep", "label": f"Cohort {i}", "printed": f"{estimate}", "citation": f"Author {i}", "number": {"kind": "median", "estimate": estimate} | limits} | more


def beside(folder, external, case=None, **parameters):
    """What others found beside a designed study."""
    write_made(folder, "made", case or Case())
    study = json.loads((folder / "study.yml").read_text())
    (folder / "study.yml").write_text(json.dumps(study | {"external": external}))
    data = load("models", study=str(folder), **parameters)
    return analyse_evidence(data, *(analyse(data, e) for e in data.study.endpoints))


def shown(evidence, drawn=False):
    """Everything that is shown, as words."""
    tables = [f(evidence) for f in (table_pooled, table_external)]
    text = "\n".join([sentence_evidence(evidence), *(t.to_text() for t in tables if t is not EMPTY), *(f.alt for f in plot_evidence(evidence) if drawn)])
    assert not re.search(r"\bnan\b|\binf\b|None|superior|no difference", text)
    return text


def test_five_hazard_ratios_and_this_study_are_put_together(tmp_path):
    """y <- log(hr); s <- log(high / low) / (2 * qnorm(0.975)); uniroot(Q, ...) and what follows: see pool_random"""
    evidence = beside(tmp_path / "s", [ratio(i, numbers) for i, numbers in enumerate(RATIOS, 1)], Case(**RANDOMISED))
    rows = evidence["evidence_pooled"].set_index("step")
    assert list(rows.index) == ["with this study", "others alone"]
    assert rows["n_studies"].tolist() == [6, 5]
    alone = rows.loc["others alone"]
    y, s = np.log([r[0] for r in RATIOS]), np.array([np.log(h / low) / (2 * 1.959963985) for _, low, h in RATIOS])
    w = 1 / (s**2 + alone["tau2"])
    assert np.exp(w @ y / w.sum()) == pytest.approx(alone["estimate"], rel=1e-8)
    assert (alone["pi_low"] < alone["ci_low"]) and (alone["ci_high"] < alone["pi_high"])
    assert evidence["evidence"]["unit"].value_counts().to_dict() == {"patients of another study": 5, "patients": 1}
    assert evidence["verdicts"]["state"].tolist() == [FITTED]
    text = shown(evidence, drawn=True)
    assert "6 estimates, this study's among them" in text
    assert "prediction interval" in text
    assert len(plot_evidence(evidence)) == 1


def test_a_study_whose_arms_were_chosen_weakens_it(tmp_path):
    evidence = beside(tmp_path / "s", [ratio(i, numbers) for i, numbers in enumerate(RATIOS[:3], 1)], Case(study={"allocation": "not randomised"}))
    assert evidence["verdicts"]["state"].tolist() == [WEAK]
    assert "not formed by chance" in shown(evidence)


def test_two_others_and_this_study_are_the_fewest(tmp_path):
    three = beside(tmp_path / "s", [ratio(i, numbers) for i, numbers in enumerate(RATIOS[:2], 1)])
    assert three["evidence_pooled"]["step"].tolist() == ["with this study"]
    two = beside(tmp_path / "t", [ratio(1, RATIOS[0])])
    assert two["evidence_pooled"]["estimate"].isna().all()
    assert two["verdicts"]["state"].tolist() == [REFUSED]
    assert table_pooled(two) is EMPTY
    assert "There are 2 estimates that can be put together" in shown(two, drawn=True)


def test_a_ratio_the_other_way_round_is_turned(tmp_path):
    turned = ratio(1, [1 / RATIOS[0][i] for i in (0, 2, 1)], arm="A", against="B")
    one = beside(tmp_path / "s", [turned, *(ratio(i, n) for i, n in enumerate(RATIOS[1:], 2))])
    other = beside(tmp_path / "t", [ratio(i, n) for i, n in enumerate(RATIOS, 1)])
    for name in ("estimate", "ci_low", "pi_high", "tau2"):
        assert_allclose(one["evidence_pooled"][name], other["evidence_pooled"][name], rtol=1e-9)


def test_the_level_of_each_interval_counts(tmp_path):
    narrow = [(e, e * (low / e) ** (1.644854 / 1.959964), e * (h / e) ** (1.644854 / 1.959964)) for e, low, h in RATIOS]
    one = beside(tmp_path / "s", [ratio(i, n, number={"level": 0.9}) for i, n in enumerate(narrow)])
    other = beside(tmp_path / "t", [ratio(i, n) for i, n in enumerate(RATIOS)])
    assert_allclose(one["evidence_pooled"]["tau2"], other["evidence_pooled"]["tau2"], rtol=1e-4)
    assert "Trial 0 (90% CI)" in shown(one, drawn=True)


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (ratio(9, (0.7, 0.5, 1.0), differs="death alone was the event"), "it asks another question: death alone was the event"),
        (ratio(9, (0.9, 0.3, 0.95)), "does not lie in the middle of its interval"),
    ],
)
def test_what_asks_another_question_or_looks_wrong_is_left_out(tmp_path, odd, why):
    evidence = beside(tmp_path / "s", [odd, *(ratio(i, n) for i, n in enumerate(RATIOS, 1))])
    assert evidence["evidence_pooled"]["n_studies"].tolist() == [6, 5]
    assert "Trial 9 is left out: " in shown(evidence)
    assert why in shown(evidence)


def test_medians_need_two_limits(tmp_path):
    evidence = beside(tmp_path / "s", [median(1, 8.0, 6.0, 10.5), median(2, 40.5, 28.3), median(3, 9.0)])
    assert evidence["evidence_pooled"]["estimate"].isna().all()
    text = shown(evidence, drawn=True)
    assert "Cohort 2 is left out: it gives no interval with two limits" in text
    assert "40.5 (28.3 to NR)" in text
    assert "9.0 (no interval)" in text
    pooled = beside(tmp_path / "t", [median(1, 8.0, 6.0, 10.5), median(2, 7.0, 5.0, 10.0), median(3, 9.0, 7.0, 11.5)])
    assert pooled["evidence_pooled"]["n_studies"].tolist() == [4, 3]
    shown(pooled, drawn=True)


def test_medians_that_this_study_does_not_reach(tmp_path):
    case = Case(hazards=(0.004, 0.004))
    evidence = beside(tmp_path / "s", [median(1, 80.0, 60.0, 105.0), median(2, 70.0, 50.0, 100.0), median(3, 90.0, 70.0, 115.0)], case)
    assert evidence["evidence_pooled"]["step"].tolist() == ["others alone"]
    text = shown(evidence, drawn=True)
    assert "This study is left out: the median is not reached here" in text
    assert "without this study's" in text


def test_responses_of_others(tmp_path):
    folder = write_random(tmp_path / "s", Design((20, 20), seed=9))
    path = folder / "study.yml"
    entry = {"arm": "A", "printed": "as counted", "citation": "Author"}
    others = [entry | {"label": f"Series {i}", "number": {"kind": "proportion", "count": c, "n": n}} for i, (c, n) in enumerate([(0, 12), (30, 60), (7, 30)])]
    study = json.loads(path.read_text()) if path.read_text().startswith("{") else None
    path.write_text(json.dumps(study | {"external": others}) if study else path.read_text() + "external: " + json.dumps(others) + "\n")
    data = load("models", study=str(folder))
    evidence = analyse_evidence(data, analyse(data, data.study.primary))
    assert evidence["evidence_pooled"]["n_studies"].tolist() == [4, 3]
    assert evidence["evidence_pooled"]["estimate"].between(0, 1).all()
    assert "0/12 (0%)" in shown(evidence, drawn=True)


def test_the_shipped_cohort_is_not_put_together():
    data = load("models", study="data/rair_dtc")
    evidence = analyse_evidence(data, *(analyse(data, e) for e in data.study.endpoints))
    assert evidence["verdicts"]["state"].tolist() == [REFUSED, REFUSED]
    table = table_external(evidence)
    assert table.rows[0].cells[3].startswith("18.6 (")
    assert table.rows[1].cells[3].startswith("5/14 (36%)")
    text = shown(evidence, drawn=True)
    assert "progression anywhere was the event" in text
    assert len(plot_evidence(evidence)) == 2
    only = load("models", study="data/rair_dtc", arms=["B", "C"])
    absent = analyse_evidence(only, analyse(only, only.study.primary))
    assert isinstance(absent, Absent)
    assert "names no results of other studies" in sentence_evidence(absent)
    assert table_external(absent) is EMPTY


def test_a_ratio_of_the_pair_the_other_way_round_says_so_and_stands_turned_beside_this_study(tmp_path):
    """As printed it would read as harm where the other study saw a benefit."""
    entry = ratio(1, (1.5, 0.9, 2.5), arm="A", against="B", printed="1.50 (0.90 to 2.50)")
    straight = ratio(2, (0.67, 0.4, 1.11), printed="0.67 (0.40 to 1.11)")
    evidence = beside(tmp_path / "s", [entry, straight])
    turned, same = (row.cells for row in table_external(evidence).rows)
    first, second = (evidence.dataset.study.arm(arm).label for arm in "AB")
    assert turned[0] == same[0] == f"{second} vs {first}"
    assert turned[2] == f"1.50 (0.90 to 2.50), of {first} vs {second}; turned round 0.67 (0.40 to 1.11)"
    assert same[2] == "0.67 (0.40 to 1.11)"
    shared = table_external(Absent("left out", dataset=evidence.dataset))
    assert shared.rows[0].cells[2] == f"1.50 (0.90 to 2.50), of {first} vs {second}"


def test_words_without_numbers_stand_beside(tmp_path):
    entry = {"arm": "A", "label": "Old series", "printed": "about a year", "citation": "Author", "endpoint": "ep"}
    evidence = beside(tmp_path / "s", [entry, {"arm": "B", "label": "Responses", "printed": "half", "citation": "Author"}])
    assert evidence["evidence_pooled"].empty
    assert plot_evidence(evidence) == []
    text = shown(evidence)
    assert "declared in words alone" in text
    assert "this study holds no responses" in text
    assert where(evidence["evidence"], term="median")["estimate"].notna().all()


def test_a_shared_report_shows_what_others_printed_alone():
    data = load("models", study="data/rair_dtc", audience="share")
    page = Page("models", data)
    survivals = [page.analyse(analyse, e) for e in data.study.endpoints]
    evidence = page.analyse(analyse_evidence, *survivals)
    table = table_external(evidence)
    assert {row.cells[3] for row in table.rows} == {"left out of a shared report"}
    assert "40.5 months" in table.to_text()
    assert "18.6" not in table.to_text()


@pytest.mark.parametrize("case", [Case(sizes=(2, 2)), Case(hazards=(0.0, 0.0)), Case(sizes=(14, 13), hazards=(0.06, 0.0)), Case(sizes=(300, 300)), Case(policy={"min_events": 200})])
def test_any_study_has_estimates_or_reasons(tmp_path, case):
    evidence = beside(tmp_path / "s", [*(ratio(i, n) for i, n in enumerate(RATIOS)), median(1, 8.0, 6.0, 10.5)], case)
    frame = evidence["evidence"]
    assert (frame["estimate"].notna() | (frame["note"] != "")).all()
    assert where(evidence["evidence_pooled"], term="hazard_ratio")["estimate"].notna().all()
    shown(evidence)


@pytest.mark.parametrize(("estimates", "level"), [([(1e-5, 0.9e-5, 1.111e-5), (9e5, 8.1e5, 1e6)], 0.95), ([(0.5, 0.45, 0.555), (2.0, 1.8, 2.222)], 0.999)])
def test_estimates_too_far_apart_for_an_interval_are_not_put_together(estimates, level, tmp_path):
    evidence = beside(tmp_path, [ratio(i, numbers) for i, numbers in enumerate(estimates, 1)], level=level)
    rows = evidence["evidence_pooled"]
    assert rows["estimate"].isna().all() and rows["n_studies"].tolist() == [3]
    assert "There are 3 estimates that lie too far apart" in shown(evidence, drawn=True)
    assert evidence["verdicts"]["state"].tolist() == [REFUSED]


def test_two_results_of_one_name_are_both_counted(tmp_path):
    evidence = beside(tmp_path, [ratio(1, numbers) for numbers in RATIOS])
    assert evidence["evidence_pooled"]["n_studies"].tolist() == [6, 5]
