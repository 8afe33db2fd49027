"""Sentences from designed results, word for word: the right pair, the right number, and what stands where there is none."""

from dataclasses import replace
from math import nan

import pandas as pd
import pytest

from lib.analyses.cohort.checklist import count_answered
from lib.analyses.efficacy.course import Course
from lib.analyses.efficacy.markers import Levels
from lib.analyses.efficacy.response import ResponseRates
from lib.analyses.efficacy.survival import FollowUp, Survival
from lib.analyses.result import Absent
from lib.analyses.robustness.confounding import Weights
from lib.analyses.robustness.multiplicity import Multiplicity
from lib.analyses.safety.events import Harms
from lib.analyses.safety.events_in_time import HarmsInTime
from lib.batch import index
from lib.batch.workers import Outcome
from lib.dataset.dataset import load
from lib.report.page import Page
from lib.show.disclosure.audience import MASKED
from lib.show.formats import format_median, format_p
from lib.show.phrases import plural, said_count, said_share
from lib.show.sentences import cohort as say_cohort
from lib.show.sentences import course as say_course
from lib.show.sentences import design as say_design
from lib.show.sentences import markers as say_markers
from lib.show.sentences import response as say_response
from lib.show.sentences import safety as say_safety
from lib.show.sentences import survival as say_survival
from lib.show.tables import survival as table_survival
from lib.study.study import ROOT

PAIRS = ("B vs A", "C vs A", "C vs B")
A, B, C = "Anlotinib", "Iodine-125 seeds", "Anlotinib + seeds"
DOUBT = "The arms were not formed by chance, so this need not be an effect of treatment."
UNADJUSTED = "not adjusted for the number of pairs"


def _data(study="rair_dtc", notebook="efficacy", **parameters):
    return load(notebook, study=str(ROOT / "data" / study), **parameters)


THREE, TWO, SIX = _data(), _data(arms=["A", "C"]), _data(response_visits=[6.0])


def survival(p, adjusted=(0.9, 0.04, 0.03), gray=None, *, pairs=PAIRS, endpoint="lpfs", note="", method="Cox regression"):
    """A time-to-event analysis whose hazard ratios, limits and p-values all differ from one pair to the next."""
    rows = [
        {"group": pair, "hr": 0.2 + i / 10, "ci_low": 0.1 + i / 100, "ci_high": 0.7 + i / 10, "p_value": q / 2, "p_adjusted": q,
         "method": method, "note": note}
        for i, (pair, q) in enumerate(zip(pairs, adjusted, strict=True))
    ]  # fmt: skip
    frames = {
        "logrank": pd.DataFrame([{"group": "overall", "n_events": 42, "p_value": p, "note": note}]),
        "logrank_pairwise": pd.DataFrame(rows),
        "cox": pd.DataFrame(rows),
        "proportional_hazards": pd.DataFrame([{"group": "C vs A", "p_value": 0.001}, {"group": "overall", "p_value": 0.6}]),
    }
    if gray is not None:
        frames["gray"] = pd.DataFrame([{"group": "overall", "p_value": gray, "note": "not estimable: covariance is singular"}])
    return Survival(THREE, endpoint, frames)


def weighted(p=0.2, hr=0.5, ess=12.0, note=""):
    rows = [{"group": pair, "hr": hr + i, "ci_low": 0.3 + i, "ci_high": 0.9 + i, "p_value": p + i / 10, "note": note} for i, pair in enumerate(("C vs A", "B vs A"))]
    sizes = pd.DataFrame({"group": ["A", "B", "C"], "n": [14, 25, 13], "ess": [ess, 20.0, 12.0]})
    return Weights(THREE, "lpfs", {"weighted_cox": pd.DataFrame(rows), "effective_size": sizes})


HELD = {"p": nan, "adjusted": (nan,) * 3, "note": "not compared: fewer than 5 events"}
SPLIT = "The log-rank test compares rates among those whom the competing event has not taken away, Gray's test how many ever come to the event."
STATED = f"The hazard ratio of {C} vs {A} is 0.30 (95% CI 0.11 to 0.80, {UNADJUSTED})."


@pytest.mark.parametrize(
    ("data", "analysis", "weights", "said"),
    [
        (THREE, survival(0.01), None,
         f"The LPFS curves differ (log-rank p = 0.010, 42 events). After Holm's adjustment over 3 pairs, {C} vs {A} (p = 0.040) and {C} vs {B} (p = 0.030) are told apart. {STATED} {DOUBT}"),
        (THREE, survival(0.01, (0.02, 0.4, 0.5)), None,
         f"The LPFS curves differ (log-rank p = 0.010, 42 events). After Holm's adjustment over 3 pairs, {B} vs {A} (p = 0.020) is told apart. {STATED} The interval leaves out 1, but the test does not tell these two apart: interval and test are different approximations. {DOUBT}"),
        (THREE, survival(0.01, (0.2, 0.06, 0.5)), None,
         f"The LPFS curves differ (log-rank p = 0.010, 42 events). After Holm's adjustment over 3 pairs, no pair is told apart: which arms differ stays open. {STATED} The interval leaves out 1, but the test does not tell these two apart: the interval is not adjusted. {DOUBT}"),
        (THREE, survival(0.3, (0.9, 0.8, 0.9)), None,
         f"The test does not tell the LPFS curves apart (log-rank p = 0.300, 42 events), which is no evidence that they are alike. {STATED} The interval leaves out 1, but the test does not tell these two apart: interval and test are different approximations."),
        (THREE, survival(0.3), None,
         f"The test does not tell the LPFS curves apart (log-rank p = 0.300, 42 events), which is no evidence that they are alike. After Holm's adjustment over 3 pairs, p is below 0.05 for {C} vs {A} (p = 0.040) and {C} vs {B} (p = 0.030); the tests of all arms do not carry this, so it is exploratory. {STATED} {DOUBT}"),
        (THREE, survival(0.04, (0.9, 0.2, 0.3), 0.113, endpoint="ttlp"), None,
         f"Whether the TTLP curves differ depends on the test: by log-rank (p = 0.040, 42 events) they do, by Gray's test (p = 0.113, which counts the competing event) they are not told apart. {SPLIT} After Holm's adjustment over 3 pairs, no pair is told apart: which arms differ stays open. The cause-specific hazard ratio of {C} vs {A} is 0.30 (95% CI 0.11 to 0.80, {UNADJUSTED}). The interval leaves out 1, but the test does not tell these two apart: interval and test are different approximations. {DOUBT}"),
        (THREE, survival(0.01, gray=nan, endpoint="ttlp", method="Cox regression with Firth's penalty"), None,
         f"The TTLP curves differ (log-rank p = 0.010, 42 events). Gray's test could not be made: covariance is singular. After Holm's adjustment over 3 pairs, {C} vs {A} (p = 0.040) and {C} vs {B} (p = 0.030) are told apart. The cause-specific hazard ratio of {C} vs {A} with Firth's correction is 0.30 (95% CI 0.11 to 0.80, {UNADJUSTED}). {DOUBT}"),
        (THREE, survival(**HELD), weighted(), "No test compares the LPFS curves: fewer than 5 events."),
        (THREE, survival(0.01), weighted(), f"The LPFS curves differ (log-rank p = 0.010, 42 events). After Holm's adjustment over 3 pairs, {C} vs {A} (p = 0.040) and {C} vs {B} (p = 0.030) are told apart. {STATED} Weighted for age, sex and serum thyroglobulin, the ratio is 0.50 (0.30 to 0.90; p = 0.200, {UNADJUSTED}): no longer told apart, so these covariates may explain the difference. {DOUBT}"),
        (THREE, survival(0.3, (0.9, 0.8, 0.9)), weighted(0.01), f"The test does not tell the LPFS curves apart (log-rank p = 0.300, 42 events), which is no evidence that they are alike. {STATED} The interval leaves out 1, but the test does not tell these two apart: interval and test are different approximations. Weighted for age, sex and serum thyroglobulin, the ratio is 0.50 (0.30 to 0.90; p = 0.010, {UNADJUSTED}): told apart only so, and the answer depends on the weighting. {DOUBT}"),
        (THREE, survival(0.01), weighted(0.01, ess=6.9), f"The LPFS curves differ (log-rank p = 0.010, 42 events). After Holm's adjustment over 3 pairs, {C} vs {A} (p = 0.040) and {C} vs {B} (p = 0.030) are told apart. {STATED} Weighted for age, sex and serum thyroglobulin, the ratio is 0.50 (0.30 to 0.90; p = 0.010, {UNADJUSTED}), from too few effective patients for a conclusion. {DOUBT}"),
        (THREE, survival(0.01), Absent("Not weighted."), f"The LPFS curves differ (log-rank p = 0.010, 42 events). After Holm's adjustment over 3 pairs, {C} vs {A} (p = 0.040) and {C} vs {B} (p = 0.030) are told apart. {STATED} {DOUBT}"),
        (TWO, survival(0.01, (0.01,), pairs=("C vs A",)), None, f"The LPFS curves differ (log-rank p = 0.010, 42 events). The hazard ratio of {C} vs {A} is 0.20 (95% CI 0.10 to 0.70). {DOUBT}"),
        (_data(arms=["A", "C"], level=0.9), survival(0.07, (0.07,), pairs=("C vs A",)), None, f"The test does not tell the LPFS curves apart (log-rank p = 0.070, 42 events), which is no evidence that they are alike. The hazard ratio of {C} vs {A} is 0.20 (90% CI 0.10 to 0.70). The interval leaves out 1, but the test does not tell these two apart: it is one of 90%, while 0.05 is the limit of p at every level."),
        (_data("colon", arms=["Obs", "Lev5FU"]), survival(0.01, (0.01,), pairs=("Lev5FU vs Obs",), endpoint="death"), None, "The OS curves differ (log-rank p = 0.010, 42 events). The hazard ratio of Levamisole + fluorouracil vs Observation is 0.20 (95% CI 0.10 to 0.70)."),
        (_data(arms=["A"]), Survival(THREE, "os", {}), None, "With one arm there is nothing to compare."),
        (THREE, Absent("No endpoint."), None, "No endpoint."),
    ],
)  # fmt: skip
def test_a_comparison_follows_from_all_that_was_computed(data, analysis, weights, said):
    about = analysis if isinstance(analysis, Absent) else replace(analysis, dataset=data)
    assert say_survival.sentence_comparison(about, weights) == said


def test_a_ratio_that_changes_over_time_is_called_an_average():
    analysis = survival(0.01)
    analysis["proportional_hazards"].loc[1, "p_value"] = 0.02
    assert f"{STATED} The ratio changes over time (p = 0.020), so it is an average." in say_survival.sentence_comparison(analysis)


def medians(rows, n_missing=0):
    """Medians of the three arms, each (n, events, median, low, high, note), and follow-ups of 40, 41 and 42 months."""
    columns = ["n", "n_events", "median", "ci_low", "ci_high", "note"]
    frame = pd.DataFrame(rows, columns=columns).assign(group=["A", "B", "C"], n_missing=n_missing)
    followed = frame.assign(median=[40.0, 41.0, nan], note="")
    whole = frame[["n", "n_missing", "n_events"]].sum(skipna=False).to_frame().T.assign(group="overall", unit="patients")
    return Survival(THREE, "os", {"median": frame, "follow_up": followed, "events": whole})


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([(14, 8, 22.3, 19.1, nan, ""), (25, 13, 34.0, 24.2, 40.0, ""), (13, 1, nan, 35.5, nan, "not reached")],
         f"Overall survival: 22 events in 52 patients. The median was 22.3 months (95% CI 19.1 to not reached) with {A} (8 events, median follow-up 40.0 months), 34.0 months (95% CI 24.2 to 40.0) with {B} (13 events, median follow-up 41.0 months) and not reached (95% CI 35.5 to not reached) with {C} (1 event, median follow-up not reached)."),
        ([(1, 1, 5.0, nan, nan, "upper limit not reached"), (0, 0, nan, nan, nan, "not estimable: no patient"), (3, 0, nan, nan, nan, "not reached")],
         f"Overall survival: 1 event in 4 patients. The median was 5.0 months (too few events for a 95% CI) with {A} (1 event, median follow-up 40.0 months) and not reached with {C} (0 events, median follow-up not reached). Nobody is counted with {B}."),
        ([(14, nan, nan, nan, nan, MASKED), (25, nan, 34.0, 24.2, 40.0, ""), (13, nan, nan, nan, nan, "not reached")],
         f"Overall survival: a masked number of events in 52 patients. The median was masked with {A} (a masked number of events, median follow-up 40.0 months), 34.0 months (95% CI 24.2 to 40.0) with {B} (a masked number of events, median follow-up 41.0 months) and not reached with {C} (a masked number of events, median follow-up not reached)."),
    ],
)  # fmt: skip
def test_a_median_is_reached_not_reached_unknown_or_nobodys(rows, said):
    assert say_survival.sentence_survival(medians(rows)) == said


def test_follow_up_explains_what_was_not_reached_only_where_something_was_not():
    frames = medians([(14, 8, 1.0, 1.0, 1.0, ""), (0, 0, nan, nan, nan, ""), (13, 6, 1.0, 1.0, 1.0, "")]).frames
    analysis = FollowUp(THREE, "os", frames)
    assert say_cohort.sentence_follow_up(analysis) == f"Median follow-up for OS by reverse Kaplan-Meier, in months: {A} 40.0 and {C} NR (NR = not reached)."
    analysis["follow_up"]["median"] = 39.0
    assert say_cohort.sentence_follow_up(analysis).endswith(f"{A} 39.0 and {C} 39.0.")


@pytest.mark.parametrize(
    ("ratios", "said"),
    [
        ({"B vs A": 0.2, "C vs A": nan}, f"No event with {A}. Hazard ratios of it come from Firth's penalised model."),
        ({"B vs A": nan, "C vs A": nan, "C vs B": 0.4}, f"No event with {A}. No hazard ratio can be estimated there."),
        (None, f"No event with {A}."),
    ],
)
def test_an_arm_without_an_event_says_what_its_ratios_are(ratios, said):
    found = medians([(14, 0, nan, nan, nan, ""), (25, 5, 1.0, 1.0, 1.0, ""), (13, 5, 1.0, 1.0, 1.0, "")])
    cox = {"cox": pd.DataFrame({"group": list(ratios), "hr": list(ratios.values())})} if ratios else {}
    found = Survival(THREE, "os", found.frames | cox)
    assert say_survival.sentence_small(found).endswith(said)


RESPONDERS = ((3, 14), (8, 25), (10, 13))


def responses(p, adjusted=(0.9, 0.02, 0.03), mc_error=0.0, note="", counts=RESPONDERS):
    rates = [
        {"group": arm, "count": k, "n": n, "proportion": k / n if n else nan, "ci_low": 0.1 + i / 10, "ci_high": 0.5 + i / 10}
        for i, (arm, (k, n)) in enumerate(zip("ABC", counts, strict=True))
    ]
    test = {"group": "overall", "p_value": p, "mc_error": mc_error, "note": note}
    frames = {"": rates, "_test": [test], "_pairwise": [{"group": g, "p_adjusted": q} for g, q in zip(PAIRS, adjusted, strict=True)]}
    return ResponseRates(THREE, "response", {f"objective_response_treated{k}": pd.DataFrame(v).assign(time=6.0) for k, v in frames.items()})


SEEN = f"At 6 months an objective response was seen in 3/14 (21%; 10 to 50) with {A}, 8/25 (32%; 20 to 60) with {B} and 10/13 (77%; 30 to 70) with {C}."


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (responses(0.008), f"{SEEN} The arms differ (exact p = 0.008). After Holm's adjustment over 3 pairs, {C} vs {A} (p = 0.020) and {C} vs {B} (p = 0.030) are told apart."),
        (responses(0.04, (0.06, 0.4, 0.5)), f"{SEEN} The arms differ (exact p = 0.040). After Holm's adjustment over 3 pairs, no pair is told apart: which arms differ stays open."),
        (responses(0.2, (0.6, 0.4, 0.5)), f"{SEEN} The test does not tell the arms apart (exact p = 0.200), which is no evidence that they are alike."),
        (responses(0.008, mc_error=0.0009), f"{SEEN} The arms differ (simulated p = 0.008, Monte Carlo error 0.0009). After Holm's adjustment over 3 pairs, {C} vs {A} (p = 0.020) and {C} vs {B} (p = 0.030) are told apart."),
        (responses(nan, (nan,) * 3, nan, MASKED, ((nan, 14), (8, 25), (0, 0))), f"At 6 months an objective response was seen in a masked number of 14 with {A}, 8/25 (32%; 20 to 60) with {B} and nobody due with {C}. No test compares the arms: left out of a shared report, as it would tell small counts."),
    ],
)  # fmt: skip
def test_responses(found, said):
    assert say_response.sentence_response(replace(found, dataset=SIX)) == said


def test_best_responses_are_judged_by_the_same_rule():
    found = responses(0.04, (0.06, 0.4, 0.5))
    frames = {name.replace("objective_response_treated", "best_objective_response"): frame for name, frame in found.frames.items()}
    assert say_course.sentence_best_response(Course(THREE, "course", frames)) == (
        f"An objective response was the best response in 3/14 (21%) with {A}, 8/25 (32%) with {B} and 10/13 (77%) with {C}. "
        "The arms differ (exact p = 0.040). After Holm's adjustment over 3 pairs, no pair is told apart: which arms differ stays open."
    )


def test_gains_and_losses():
    row = {"group": "overall", "time": 12.0, "n": 52, "n_gained": 1, "n_lost": 9, "p_value": 0.02, "note": ""}
    say = lambda **other: say_course.sentence_paired_response(Course(THREE, "course", {"response_change_treated": pd.DataFrame([row | other])}))  # noqa: E731
    start = "From the first response visit to 12 months, 1 response was gained and 9 lost among 52 patients."
    assert say() == f"{start} Gains and losses differ (exact McNemar p = 0.020)."
    assert say(p_value=0.2) == f"{start} The test does not tell gains and losses apart (exact McNemar p = 0.200), which is no evidence that they are alike."
    assert "left out of a shared report" in say(n=nan, n_gained=nan, n_lost=nan, p_value=nan, note=MASKED)


def changes(p, adjusted=(0.9, 0.02, 0.2)):
    at = {"time": 6.0}
    described = [{"group": a, "n": n, "median": m} for a, n, m in zip("ABC", (14, 1, 0), (-42.6, 5.0, nan), strict=True)]
    within = [{"group": a, "p_value": q} for a, q in zip("ABC", (0.013, 0.5, nan), strict=True)]
    frames = {
        "percent_change": described, "within": within, "between": [{"group": "overall", "p_value": p, "note": "not estimable: all values are equal"}],
        "pairwise": [{"group": g, "p_adjusted": q} for g, q in zip(PAIRS, adjusted, strict=True)],
    }  # fmt: skip
    return Levels(THREE, "tg", {f"tg_{name}": pd.DataFrame(rows).assign(**at) for name, rows in frames.items()})


CHANGED = f"Serum thyroglobulin at 6 months, median change from baseline: −43% with {A} (14 patients, p = 0.013), 5% with {B} (1 patient, p = 0.500) and no value with {C}."


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (changes(0.01), f"{CHANGED} The changes of the arms differ (Kruskal-Wallis p = 0.010). After Holm's adjustment over 3 pairs, {C} vs {A} (p = 0.020) is told apart."),
        (changes(0.06, (0.9, 0.2, 0.2)), f"{CHANGED} The test does not tell the changes of the arms apart (Kruskal-Wallis p = 0.060), which is no evidence that they are alike."),
        (changes(nan, (nan,) * 3), f"{CHANGED} No test compares the changes of the arms: all values are equal."),
    ],
)  # fmt: skip
def test_changes_of_a_marker(found, said):
    assert say_markers.sentence_change(replace(found, dataset=SIX)) == said


def terms(p_values, notes, mc_error=0.0):
    tests = pd.DataFrame({"variable": list(p_values), "p_value": list(p_values.values()), "mc_error": mc_error, "note": notes})
    counts = [{"variable": t, "group": a, "count": k, "n": n} for t in p_values for a, k, n in zip(("A", "B", "C", "overall"), (5, 0, 6, 11), (14, 25, 13, 52), strict=True)]
    return Harms(THREE, "", {"ae_term_test": tests, "ae_term": pd.DataFrame(counts)})


COUNTS = f"{A} 5/14, {B} 0/25, {C} 6/13"


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (terms({"Rash": 0.2, "Cough": 0.0001}, ""), f"1 of 2 terms tested has p below 0.05 (exact); by chance alone fewer than one would (descriptive, not adjusted for their number). The smallest p: Cough ({COUNTS}; p < 0.001). Similar overall risks do not make the profiles comparable."),
        (terms({"Rash": 0.2, "Cough": nan}, ["", MASKED]), "1 test of a term is left out of a shared report. None of 1 term tested has p below 0.05 (exact); by chance alone fewer than one would (descriptive, not adjusted for their number). Rare terms cannot be told apart at these sizes."),
        (terms({"Rash": 0.2, "Cough": 0.3}, "", 0.004), "None of 2 terms tested has p below 0.05 (simulated, Monte Carlo error up to 0.0040); by chance alone fewer than one would (descriptive, not adjusted for their number). Rare terms cannot be told apart at these sizes."),
        (terms({"Rash": nan}, MASKED), "No test of a term can be shown or made; nothing here says that the profiles are comparable."),
    ],
)  # fmt: skip
def test_terms_are_counted_and_never_a_verdict(found, said):
    assert say_safety.sentence_terms(found) == said


def counted(n, below, own):
    return Multiplicity(THREE, "", {"tests": pd.DataFrame({"variable": ["all", "confirmatory"], "n_tests": [n, own], "n_below": [below, 0]})})


@pytest.mark.parametrize(
    ("data", "found", "said"),
    [
        (THREE, counted(70, 45, 1), "This page holds 70 p-values, each counted once. One of them is confirmatory, the log-rank test of all arms for LPFS; all others are exploratory. 45 p-values lie below 0.05; if nothing differed anywhere, about 4 would by chance."),
        (THREE, counted(1, 1, 0), "This page holds 1 p-value, each counted once. Not one of them is confirmatory: the log-rank test of all arms for LPFS could not be made. 1 p-value lies below 0.05; if nothing differed anywhere, fewer than one would by chance."),
        (TWO, counted(9, 0, 0), "This page holds 9 p-values, each counted once. Not one of them is confirmatory: this report shows a part of the study or a study without a declared primary endpoint. 0 p-values lie below 0.05; if nothing differed anywhere, fewer than one would by chance."),
        (THREE, counted(0, 0, 0), "This page holds no p-value."),
    ],
)  # fmt: skip
def test_how_many_tests_there_are(data, found, said):
    assert say_design.sentence_tests(replace(found, dataset=data)).startswith(said)


def test_an_interval_at_another_level_is_said_to_hold_no_verdict():
    for level, noted in ((0.95, False), (0.9, True), (0.99, True)):
        found = replace(survival(0.3, gray=0.2), dataset=_data(level=level))
        rest = {
            "rmst": pd.DataFrame([{"group": "A", "tau": 36.0}]), "cox_likelihood_ratio": pd.DataFrame([{"note": ""}]), "comparison_count": pd.DataFrame([{"n_tests": 4}]),
            "rmst_difference": pd.DataFrame([{"group": "C vs A", "estimate": 1.0, "ci_low": 0.1, "ci_high": 2.0, "note": ""}]),
        }  # fmt: skip
        notes = table_survival.table_comparisons(replace(found, frames=found.frames | rest)).notes
        assert any(f"a {100 * level:g}% CI can leave out 1" in note for note in notes) == noted
        assert "The pairwise tests are exploratory: the tests of all arms do not carry them." in notes


@pytest.mark.parametrize(
    ("row", "shown", "alone"),
    [
        ((14, 18.65, 9.1, nan, ""), "18.7 (9.1 to NR)", "18.7"),
        ((14, 18.65, 9.1, 20.0, ""), "18.7 (9.1 to 20.0)", "18.7"),
        ((14, nan, 9.1, nan, ""), "NR (9.1 to NR)", "NR"),
        ((14, nan, nan, nan, "not reached"), "NR", "NR"),
        ((1, 5.0, nan, nan, "upper limit not reached"), "5.0 (–)", "5.0"),
        ((0, nan, nan, nan, "not estimable: no patient"), "–", "–"),
        ((14, nan, nan, nan, MASKED), "masked", "masked"),
    ],
)
def test_a_median_in_a_table(row, shown, alone):
    row = dict(zip(("n", "median", "ci_low", "ci_high", "note"), row, strict=True))
    assert format_median(row) == shown
    assert format_median(row, interval=False) == alone


def test_a_batch_tells_a_median_without_interval_from_one_that_is_not_reached():
    about = Outcome("r", "s", statistic="median", n=1.0, estimate=5.0)
    assert index._estimate(about) == "5.0 (–)"
    assert index._estimate(replace(about, estimate=None)) == "NR"
    assert index._estimate(replace(about, statistic="hr", estimate=None)) == "–"


@pytest.mark.parametrize(
    ("p", "shown"),
    [(0.05, "0.050"), (0.0496, "0.0496"), (0.04999, "0.04999"), (0.0504, "0.0504"), (0.050004, "0.050004"), (0.0495, "0.0495"), (0.0494, "0.049"), (0.0506, "0.051")],
)  # fmt: skip
def test_a_p_value_never_hides_on_which_side_of_the_limit_it_lies(p, shown):
    assert format_p(p) == shown


def test_masked_counts_read_as_such():
    assert [said_count(3), said_count(nan)] == ["3", "a masked number"]
    assert [said_share(3, 14), said_share(nan, 14), said_share(nan, nan)] == ["3/14", "a masked number of 14", "a masked number of a masked number"]
    assert [plural(1, "event"), plural(2, "event"), plural(nan, "event")] == ["1 event", "2 events", "a masked number of events"]


def test_a_page_without_a_second_engine_says_so_and_gets_no_tick():
    page = Page("safety", _data(notebook="safety"))
    page.record(HarmsInTime(THREE, "", {"ae_first_gray": pd.DataFrame([{"group": "overall", "p_value": 0.4, "method": "Gray's test"}])}))
    shown = page.self_check()
    assert shown.text.startswith("Self-check: nothing was checked.")
    assert "no time-to-event" not in shown.text
    assert shown.record["ok"] is None


@pytest.mark.parametrize(
    ("note", "named"),
    [
        ("no event in A, C, so Firth's penalised Cox regression is used", f"no event in {A} and {C}, so Firth's penalised Cox regression is used"),
        ("not estimable: no value in B", f"not estimable: no value in {B}"),
        ("not estimable: no patient in A and B", f"not estimable: no patient in {A} and {B}"),
        ("arm A has no value at visit 6; arm B has no value at visit 12", f"{A} has no value at visit 6; {B} has no value at visit 12"),
        ("A note about no arm: no event in Australia", "A note about no arm: no event in Australia"),
        ("", ""),
    ],
)
def test_notes_call_arms_as_a_reader_knows_them(note, named):
    page = Page("efficacy", THREE)
    frame = pd.DataFrame([{"group": "A", "n": 1, "note": note, "method": "m"}])
    shown = page.record(Survival(THREE, "os", {"median": frame}, {"ways": frame}))
    assert [shown[name]["note"].item() for name in ("median", "ways")] == [named, named]


def test_a_randomised_trial_is_told_of_its_own_guideline():
    told = {}
    for study in ("colon", "rair_dtc"):
        data = _data(study, "cohort")
        told[study] = say_cohort.sentence_checklists(count_answered(data))
    assert ["CONSORT" in said for said in told.values()] == [True, False]
