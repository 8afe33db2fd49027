"""The self-check of a whole report: what is computed a second time, that every error in it is found, and what is said."""

import re
from dataclasses import replace

import pandas as pd
import pytest
from notebook_cells import NOTEBOOKS, shipped
from random_study import Design, write_random
from study_builder import as_if_chosen

from lib.analyses.cohort.baseline import analyse_baseline
from lib.analyses.efficacy.response import compare_outcome
from lib.analyses.outputs import named
from lib.analyses.result import Analysis
from lib.analyses.safety import events, events_in_time
from lib.dataset.dataset import load
from lib.report import recheck
from lib.report.page import Page
from lib.report.results import to_rows
from lib.statistics.second_engine.survival import KEYS, DisagreementError, verify

pytestmark = pytest.mark.thorough

SHARES, TIMES, BASELINE = "shares with their intervals and exact tests", "times to an event", "baseline characteristics"
EXPECTED = {
    "cohort": {TIMES, SHARES, BASELINE},
    "efficacy": set(recheck.KINDS) - {"rates", BASELINE, "models of imputed covariates", "regressions", "whether models fit"},
    "models": {TIMES, "cumulative incidences", "regressions", "whether models fit"},
    "robustness": {TIMES, SHARES, "changes within patients", "cumulative incidences"},
    "safety": {SHARES, "rates", "cumulative incidences"},
}
# Tests that no second engine makes: mixed models' F, resampling, weights, subgroups, and what robustness repeats.
ALONE = r"_model_term|robustness|definition_|propensity|weighted_cox|interaction|response_landmark"


@pytest.fixture(scope="module", params=NOTEBOOKS)
def page(request):
    """A report of the shipped study, its numbers, and those of the second engines."""
    report = shipped(request.param, "data/rair_dtc").names["page"]
    recorded = pd.concat(report._recorded, ignore_index=True)
    return report, recorded, recheck.recompute(report.data, report._analyses)


def test_what_a_reader_acts_on_is_computed_a_second_time(page):
    report, first, second = page
    found = verify(first, second)
    assert (found["kind"] != TIMES).sum() == (second["kind"] != TIMES).sum()  # nothing is computed in vain
    assert set(found["kind"]) == EXPECTED[report.name]
    tests = first[first["statistic"].eq("p_value") & first["value"].notna() & ~first["output"].str.contains(ALONE)]
    assert len(tests.merge(found, on=KEYS)) == len(tests)


def test_an_error_planted_in_any_number_is_found(page):
    """One number of each statistic of each output in turn, moved by 0.01 % (or there where none should be)."""
    _, first, second = page
    places = first.reset_index().merge(second[KEYS], on=KEYS)
    for (output, statistic), numbers in places.groupby(["output", "statistic"], sort=False):
        known = numbers[numbers["value"].notna()]
        row = (known if len(known) else numbers).iloc[-1]
        wrong = first.copy()
        wrong.loc[row["index"], "value"] = row["value"] * 1.0001 + 1e-9 if len(known) else 5.0
        again = second[second["output"].eq(output) & second["statistic"].eq(statistic)]
        with pytest.raises(DisagreementError, match=re.escape(f"{output}.{statistic}")):
            verify(wrong, again)


@pytest.mark.parametrize(
    ("output", "statistic"),
    [("ae_term", "ci_high"), ("ae_term_test", "p_value"), ("ae_rate_ratio", "ci_low"), ("ae_first", "std_err"), ("ae_first_gray", "chisq")],
)
def test_a_disagreement_stops_the_report(output, statistic):
    data = load("safety", study="data/rair_dtc")
    page = Page("safety", data)
    for analysis in (events.analyse(data), events_in_time.analyse(data)):
        if output in analysis:
            frame = analysis.frames[output]
            row = frame.index[frame[statistic].notna()][-1]
            frame.loc[row, statistic] *= 1.0001
        page.record(analysis)
    with pytest.raises(DisagreementError, match=f"{output}.{statistic}"):
        page.self_check()


# Between thousands.
THIN = "\u202f"


def test_the_page_says_what_was_checked_and_what_was_not():
    said = shipped("efficacy", "data/rair_dtc").names["page"].self_check()
    assert said.record["ok"] is True
    counts = [int(number.replace(THIN, "")) for number in re.findall(rf"([\d{THIN}]+) of ([\d{THIN}]+) numbers", said.text)[0]]
    checked, alone = said.text.split("Not computed a second time: ")
    parts = [[int(n.replace(THIN, "")) for n in re.findall(rf"\(([\d{THIN}]+)\)", part)] for part in (checked, alone)]
    assert sum(parts[0]) == counts[0]
    assert sum(parts[0]) + sum(parts[1]) == counts[1]
    for kind in (*EXPECTED["efficacy"], "greenwood", "statsmodels", "lifelines", "counts"):
        assert kind in said.text


def test_nothing_checked_is_no_agreement():
    """The trial without a table of adverse events: its safety page holds no number."""
    shown = shipped("safety", "data/colon")
    verdicts = {record["id"]: record for record in shown.records("verdict")}
    assert verdicts["self_check"]["ok"] is None
    assert verdicts["self_check"]["text"] == "Self-check: nothing was checked. This report holds no number."
    assert verdicts["counts"]["ok"] is None
    only_counts = Page("safety", load("safety", study="data/colon"))
    assert only_counts.self_check().record["ok"] is None


@pytest.mark.parametrize("arms", ["", "A", "AB", "ABC"])
@pytest.mark.parametrize("has", [True, False])
def test_arms_without_patients(arms, has):
    """Of a denominator that only some arms have patients in, or none, in which all have the outcome or nobody has."""
    data = load("efficacy", study="data/rair_dtc")
    design = data.study.design.model_copy(update={"ordered_arms": True})
    data = replace(data, study=data.study.model_copy(update={"design": design}))
    patients = data.patients[data.patients["arm"].isin(list(arms))].assign(has=has)
    rate = "best_objective_response"
    analysis = Analysis(data, "response", {f"{rate}{name}": part for name, part in compare_outcome(patients, "has", data).items()})
    first, second = to_rows("", analysis), recheck.recompute(data, [analysis])
    assert len(verify(first, second)) == len(second)
    assert {rate, *named(made_from=rate)} == set(second["output"])


@pytest.mark.parametrize("study", ["rair_dtc", "colon"])
def test_tests_of_the_baseline(study):
    """Where they are asked for: Kruskal-Wallis, chi-square and Freeman-Halton, each with an error planted."""
    data = as_if_chosen(load("cohort", study=f"data/{study}", show_p_values=True))
    page = Page("cohort", data)
    analysis = page.record(analyse_baseline(data, p_values=True))
    first = page._recorded[0]
    second = recheck.recompute(data, [analysis]).query("output == 'baseline_test'")
    tests = first[first["output"].eq("baseline_test") & first["statistic"].eq("p_value")]
    assert len(verify(first, second)) == len(second)
    assert len(second[second["statistic"] == "p_value"]) == len(tests) == len(data.study.baseline)
    for row in tests.index:
        with pytest.raises(DisagreementError, match=r"baseline_test\.p_value"):
            verify(first.assign(value=first["value"].where(first.index != row, first["value"] * 1.0001)), second)


@pytest.mark.parametrize(
    ("sizes", "parameters"),
    [
        ((7, 9, 5), {"level": 0.8}), ((7, 9, 5), {"arms": ["A", "C"]}), ((7, 9, 5), {"arms": ["B"]}), ((1, 3, 4), {}),
        ((1, 3, 4), {"reference": "C"}), ((12, 8), {"cutoff": "2021-06-30"}), ((25, 18, 30), {}), ((5, 4, 4, 5, 4, 4), {}),
    ],
)  # fmt: skip
def test_any_study_agrees(sizes, parameters, tmp_path):
    """Studies drawn at random: an arm without harm, none that dies, one patient, other levels, arms and cut-offs."""
    design = Design(sizes, seed=sum(sizes), without_harm=("B",), without_events=("A",), missed=0.2)
    data = load("safety", study=str(write_random(tmp_path, design)), **parameters)
    page = Page("safety", data)
    for analysis in (events.analyse(data), events_in_time.analyse(data)):
        page.record(analysis)
    assert "agree" in page.self_check().text
