"""Sentences of every subject from designed results, word for word, on each side of every branch; see also test_survival."""

from math import nan

import pandas as pd
import pytest

from lib.analyses.cohort.baseline import Baseline
from lib.analyses.cohort.conduct import BETWEEN, SCANS, Attendance, Exposure, Timing
from lib.analyses.cohort.flow import Completeness, Enrolment, Flow
from lib.analyses.efficacy.course import Course
from lib.analyses.efficacy.marker_models import Presence, Ratios
from lib.analyses.efficacy.other_events import FirstProgression, OtherEvents
from lib.analyses.efficacy.response import NON_RESPONDER, RESPONDER, ResponseRates, ResponseTime
from lib.analyses.efficacy.survival import Survival
from lib.analyses.robustness.confounding import EValues, Weights
from lib.analyses.robustness.robustness import Robustness
from lib.analyses.robustness.subgroups import Subgroups
from lib.analyses.safety.events import Harms
from lib.analyses.safety.events_in_time import HarmsInTime
from lib.analyses.safety.laboratory import Laboratory
from lib.dataset.dataset import load
from lib.show import say
from lib.show.disclosure.audience import MASKED

THREE, TWO = load("safety"), load("safety", arms=["A", "C"])
EFFICACY = load("efficacy", response_visits=[6.0])
A, B, C = "Anlotinib", "Iodine-125 seeds", "Anlotinib + seeds"
ARMS = ("A", "B", "C")
ALIKE = "which is no evidence that they are alike."


def by_arm(*rows, columns: str, **fixed):
    """A frame of one row per arm (and overall, where a fourth is given)."""
    frame = pd.DataFrame(list(rows), columns=columns.split())
    return frame.assign(group=[*ARMS, "overall"][: len(frame)], **fixed)


# ------------------------------------------------------------------ cohort


def test_completeness_is_each_arms_own():
    index = by_arm((0.91,), (0.82,), (0.73,), columns="estimate")
    lost = by_arm((1, 14), (nan, 25), (0, 0), columns="count n")
    found = Completeness(THREE, "os", {"follow_up_completeness": index, "follow_up_lost": lost})
    assert say.completeness(found) == (
        f"Follow-up for OS that was observed, of what was possible until the cut-off: 91% with {A} (1 of 14 lost) and 82% with {B} "
        "(a masked number of 25 lost). Lost: censored more than 180 days before the cut-off."
    )


def test_enrolment_runs_from_the_first_to_the_last_month_of_an_arm():
    dates = pd.to_datetime(["2020-03-02", "2021-07-15", "2019-05-05"])
    starts = pd.DataFrame({"arm": ["A", "A", "B"], "date": dates})
    assert say.enrolment(Enrolment(THREE, "", {}, {"starts": starts})) == f"First and last start of treatment: {A} March 2020 to July 2021, {B} May 2019 and {C} nobody."
    assert say.enrolment(Enrolment(THREE, "", {})) == ""


def exposure(between: dict):
    treated = [{"variable": f"{component.id}: treated", "group": "overall", "count": k, "n": 52, "proportion": k / 52}
               for component, k in zip(THREE.study.treatments.components, (27, 38), strict=True)]  # fmt: skip
    number = [{"variable": BETWEEN, "group": "overall", "unit": "patients", **between}]
    return Exposure(THREE, "", {"exposure_count": pd.DataFrame(treated), "exposure_number": pd.DataFrame(number)})


def test_exposure_says_how_long_only_part_of_a_combination_was_given():
    one, two = (component.label for component in THREE.study.treatments.components)
    start = f"Patients who received each component: {one} 27/52 (52%) and {two} 38/52 (73%)."
    assert say.exposure(exposure({"n": 0, "median": nan, "max": nan})) == start
    rest = "after the first; until then only part of the treatment was given."
    assert say.exposure(exposure({"n": 13, "median": 9, "max": 21})) == f"{start} In 13 patients with several components, the last began a median of 9 days (at most 21) {rest}"
    assert say.exposure(exposure({"n": 13, "median": 9, "max": nan})) == f"{start} In 13 patients with several components, the last began a median of 9 days {rest}"


@pytest.mark.parametrize(("apart", "said"), [(0.1, ""), (0.11, " The arms differ most in Tumour scans (up to 11 points).")])
def test_attendance_names_what_differs_by_more_than_ten_points(apart, said):
    total = pd.DataFrame([{"variable": SCANS, "group": "overall", "count": 90, "n": 100, "proportion": 0.9, "difference": apart},
                          {"variable": "tg", "group": "overall", "count": 0, "n": 0, "proportion": nan, "difference": nan}])  # fmt: skip
    assert say.attendance(Attendance(THREE, "", {"attendance_total": total})) == f"Examinations made of those due, over all visits: Tumour scans 90/100 (90%).{said}"


@pytest.mark.parametrize(
    ("spread", "said"),
    [(6.9, "6.9 days apart: no arm lags a week behind another."), (7.0, "7.0 days apart: an arm that is scanned later finds its progressions later."), (nan, "")],
)
def test_timing_says_from_a_week_on_that_an_arm_lags(spread, said):
    interval = by_arm((10, 91, 120), (0, nan, nan), (8, 84, nan), columns="n median max")
    found = Timing(THREE, "", {"scan_interval": interval, "delay_spread": pd.DataFrame({"difference": [spread]})})
    start = f"Days between scans, median: 91 (at most 120) with {A}, no interval with {B} and 84 with {C}."
    assert say.timing(found) == (f"{start} Against the scheduled day the medians of the arms lie {said}" if said else start)


def test_flow_says_who_is_in_the_report_and_who_is_not():
    assert say.flow(Flow(THREE, "", {})) == f"52 patients are analysed: 14 with {A}, 25 with {B} and 13 with {C}."
    part = load("cohort", arms=["A"], subgroup="sex", subgroup_values=["F"])
    n = len(part.patients)
    assert say.flow(Flow(part, "", {})) == f"{n} patients are analysed: {n} with {A}. {B} and {C} are left out by parameter. Only the subgroup Sex: Female is analysed."


@pytest.mark.parametrize(
    ("smd", "said"),
    [
        ({"age_years": 0.4, "sex": 0.2}, "The largest standardized difference is 0.40 (age)."),
        ({"age_years": 0.2, "sex": 0.41}, "The arms differ most in sex (0.41) (standardized difference, the largest over all pairs of arms). In arms this small, 0.4 is expected by chance alone. The arms were not formed by chance, so such differences may confound every comparison."),
        ({"age_years": nan}, "No standardized difference can be estimated."),
    ],
)  # fmt: skip
def test_baseline_names_the_largest_difference(smd, said):
    frame = pd.DataFrame({"variable": list(smd), "smd": list(smd.values()), "group": "overall"})
    assert say.baseline(Baseline(THREE, "", {"baseline_smd": frame})) == said
    assert say.baseline(Baseline(THREE, "", {})) == "One arm: there is no balance to judge."


# ------------------------------------------------------------------ efficacy


def test_the_first_response_visit_is_the_first():
    data = load("efficacy", response_visits=[6.0, 12.0])
    rates = [{"group": a, "time": t, "count": k + t, "n": 25, "proportion": (k + t) / 25, "ci_low": 0.1, "ci_high": 0.5} for t in (6.0, 12.0) for k, a in enumerate(ARMS)]
    found = ResponseRates(data, "response", {"objective_response_treated": pd.DataFrame(rates)})
    first = f"At 6 months an objective response was seen in 6/25 (24%; 10 to 50) with {A}, 7/25 (28%; 10 to 50) with {B} and 8/25 (32%; 10 to 50) with {C}."
    assert say.first_response(found) == first
    later = f"At 12 months an objective response was seen in 12/25 (48%; 10 to 50) with {A}, 13/25 (52%; 10 to 50) with {B} and 14/25 (56%; 10 to 50) with {C}."
    assert say.later_response(found) == later, "sentence_later_response: what the key results do not hold"
    assert say.response(found) == f"{first} {later}"


@pytest.mark.parametrize(
    ("shares", "p", "said"),
    [
        ((0.2, 0.3, 0.4), 0.049, f"By 12.0 months a response had come in 20% with {A}, 30% with {B} and 40% with {C} (cumulative incidence; progression and death compete). The arms differ (Gray's test p = 0.049)."),
        ((0.2, nan, 0.4), 0.051, f"By 12.0 months a response had come in 20% with {A} and 40% with {C} (cumulative incidence; progression and death compete); it cannot be told how many had responded by 12.0 months with {B}. The test does not tell the arms apart (Gray's test p = 0.051), {ALIKE}"),
        ((nan, nan, nan), None, f"It cannot be told how many had responded by 12.0 months with {A}, {B} or {C}."),
    ],
)  # fmt: skip
def test_responses_over_time(shares, p, said):
    rows = [{"group": a, "time": t, "estimate": s / (2 if t == 6 else 1)} for t in (6.0, 12.0) for a, s in zip(ARMS, shares, strict=True)]
    frames = {"response_incidence": pd.DataFrame(rows)}
    if p is not None:
        frames["response_incidence_test"] = pd.DataFrame([{"p_value": p, "note": ""}])
    assert say.response_time(ResponseTime(EFFICACY, "response", frames)) == said


@pytest.mark.parametrize(("p", "verdict"), [(0.04, "Responders and non-responders differ (log-rank p = 0.040)."), (0.06, f"The test does not tell responders and non-responders apart (log-rank p = 0.060), {ALIKE}")])
def test_survival_by_response(p, verdict):
    landmark = pd.DataFrame([{"variable": "os", "time": 6.0, "hr": 0.44, "ci_low": 0.22, "ci_high": 0.88, "p_value": p}])
    medians = pd.DataFrame([{"variable": "os", "time": 6.0, "group": g, "n": n} for g, n in ((RESPONDER, 19), (NON_RESPONDER, 31))])
    found = ResponseTime(EFFICACY, "response", {"response_landmark": landmark, "response_landmark_median": medians})
    assert say.survival_by_response(found) == (
        f"Among those still free of the event at 6.0 months (19 {RESPONDER}s and 31 {NON_RESPONDER}s), the hazard ratio for OS with a response is 0.44 (95% CI 0.22 to 0.88). "
        f"{verdict} Response marks patients who do better; it is no proof that responding is what helped."
    )
    found["response_landmark"]["hr"] = nan
    assert say.survival_by_response(found).startswith("Responders cannot be compared with non-responders")


def test_duration_counts_responders_and_the_events_among_them():
    frame = by_arm((3, 2, 11.5), (0, 0, nan), (1, 0, nan), columns="n n_events median")
    assert say.duration(Course(EFFICACY, "course", {"duration_of_response": frame})) == (
        f"Median duration of response: 11.5 months with {A} (3 responders, 2 events), nobody responded with {B} and not reached with {C} (1 responder, 0 events)."
    )


@pytest.mark.parametrize(("apart", "said"), [(0, ""), (3, "; it differs in 3 of 50 patients")])
def test_agreement_with_the_reader(apart, said):
    frames = {"reader_total": pd.DataFrame([{"count": 90, "n": 100, "unit": "scans"}]), "reader_patients": pd.DataFrame([{"count": apart, "n": 50, "unit": "patients"}])}
    assert say.agreement(Course(EFFICACY, "course", frames)) == f"The derived category is the reader's at 90 of 100 scans{said}."


def test_concordance_of_volume_and_diameters():
    frame = pd.DataFrame([{"time": 6.0, "spearman": 0.876, "count": 40, "n": 45}, {"time": 12.0, "spearman": nan, "count": 0, "n": 1}])
    assert say.concordance(Course(EFFICACY, "course", {"volume_diameters": frame})) == "Changes of the volume and of the sum of diameters go together: Spearman's rank correlation 0.88 at 6 months (40 of 45 in the same direction)."


def test_other_events_are_those_of_each_arm():
    rows = [{"variable": v, "group": g, "count": k, "n": n, "proportion": k / n} for v, counts in (("distant_progression", (3, 5, nan)), ("death_without", (1, 0, 2))) for g, k, n in zip(ARMS, counts, (14, 25, 13), strict=True)]
    rows.append({"variable": "distant_progression", "group": "overall", "count": 10, "n": 52, "proportion": 0.19})
    said = say.other_events(OtherEvents(EFFICACY, "", {"other_events": pd.DataFrame(rows)}))
    assert f"3/14 (21%) with {A}, 5/25 (20%) with {B} and a masked number of 13 with {C}." in said
    assert f"1/14 (7%) with {A}, 0/25 (0%) with {B} and 2/13 (15%) with {C}." in said
    assert "10/52" not in said


def test_where_it_progressed_first_is_led_by_the_most_frequent():
    rows = [{"variable": v, "group": g, "count": k, "n": n, "proportion": k / n}
            for v, counts in (("any", (9, 12, 5, 26)), ("in_field growth", (2, 3, nan, nan)), ("regional new", (4, 2, 1, 7)), ("distant new", (1, 1, 1, 3)))
            for g, k, n in zip((*ARMS, "overall"), counts, (14, 25, 13, 52), strict=True)]  # fmt: skip
    said = say.first_progression(FirstProgression(EFFICACY, "", {"first_progression": pd.DataFrame(rows)}))
    assert said == (
        f"Any progression: 9/14 (64%) with {A}, 12/25 (48%) with {B} and 5/13 (38%) with {C}. "
        f"Most often it was first “Regional: a new lesion”: 4/14 (29%) with {A}, 2/25 (8%) with {B} and 1/13 (8%) with {C}."
    )
    masked = pd.DataFrame(rows).assign(count=nan, proportion=nan)
    assert say.first_progression(FirstProgression(EFFICACY, "", {"first_progression": masked})).count(".") == 1


def test_the_definition_is_the_endpoints_own():
    said = say.definition(Survival(EFFICACY, "os", {}))
    assert said == f"Overall survival: {EFFICACY.study.endpoint('os').definition}."
    assert "Progression is the first assessment at which" in say.definition(Survival(EFFICACY, "lpfs", {}))


@pytest.mark.parametrize(("p", "verdict"), [(0.04, "The courses of the arms differ (F test over all visits p = 0.040)."), (0.05, f"The test does not tell the courses of the arms apart (F test over all visits p = 0.050), {ALIKE}")])
def test_a_mixed_model_is_told_at_its_last_visit(p, verdict):
    rows = [{"group": a, "time": t, "ratio": r if t == 12 else 9.9, "ci_low": 0.1, "ci_high": 0.9} for t in (6.0, 12.0) for a, r in zip(ARMS, (0.5, 0.4, nan), strict=True)]
    frames = {"tg_model_ratio": pd.DataFrame(rows), "tg_model_term": pd.DataFrame([{"term": "visit", "p_value": 0.9, "note": ""}, {"term": "arm x visit", "p_value": p, "note": ""}])}
    frames["tg_model_count"] = pd.DataFrame([{"group": a, "time": t, "n": 9} for t in (6.0, 12.0) for a in ARMS])
    assert say.model(Ratios(EFFICACY, "tg", frames)) == (
        f"Serum thyroglobulin at 12 months as a ratio to baseline, from the mixed model: 0.50 (0.10 to 0.90) with {A}, 0.40 (0.10 to 0.90) with {B} and not estimable with {C}. {verdict}"
    )


def test_presence_says_why_patients_are_gone():
    counts = {"value": 30, "died": 5, "progressed": 0, "missing": 17}
    frame = pd.DataFrame([{"variable": f"tg: {state}", "time": t, "group": "overall", "count": k if t == 12 else 1} for t in (6.0, 12.0) for state, k in counts.items()])
    assert say.presence(Presence(EFFICACY, "tg", {"tg_presence": frame})) == (
        "At 12 months, 30 of 52 patients still have a value that counts; 5 had died before, so the medians of later visits describe those who fared better."
    )


# ------------------------------------------------------------------ safety


def test_patients_with_any_and_with_a_severe_event():
    rows = [{"variable": v, "group": a, "count": k, "n": n} for v, counts in (("any", (12, 20, nan)), ("severe", (3, nan, 4))) for a, k, n in zip(ARMS, counts, (14, 25, 13), strict=True)]
    mild = pd.DataFrame([{"group": "overall", "n": 100, "count": 88, "proportion": 0.88, "unit": "events"}])
    assert say.safety(Harms(THREE, "", {"ae_overview": pd.DataFrame(rows), "ae_events_mild": mild})) == (
        f"Patients with any adverse event: 12/14 (grade 3 or higher: 3) with {A}, 20/25 (grade 3 or higher: a masked number) with {B} and a masked number of 13 "
        f"(grade 3 or higher: 4) with {C}. Of 100 events, 88% were below grade 3."
    )


def test_events_are_attributed_to_what_they_were_attributed_to():
    rows = [{"variable": v, "group": g, "count": k, "n": n} for g, n, counts in (("A", 20, (20, 0, 0)), ("B", 30, (0, 12, 0)), ("C", 0, (0, 0, 0))) for v, k in zip(("drug", "procedure", "both"), counts, strict=True)]
    said = say.attribution(Harms(THREE, "", {"ae_attribution_events": pd.DataFrame(rows)}))
    assert said == f"Attribution of events: with {A} (20 events), 20 to the drug; with {B} (30 events), 12 to the procedure; with {C}, no event."
    assert say.attribution(Harms(THREE, "", {})) == "This study does not record what an event was attributed to."


def test_the_risk_of_a_first_event_is_told_at_the_first_landmark():
    rows = [{"group": a, "time": t, "estimate": e if t == 1 else 0.9, "ci_low": low, "ci_high": 0.7, "note": note}
            for t in (1.0, 3.0) for a, e, low, note in zip(ARMS, (0.42, nan, nan), (0.2, nan, nan), ("", MASKED, ""), strict=True)]  # fmt: skip
    frame = pd.DataFrame(rows)
    frame.loc[frame["estimate"].isna(), "ci_high"] = nan
    assert say.first(HarmsInTime(THREE, "", {"ae_first": frame})) == (
        f"By 1 month a first adverse event had occurred in 42% with {A} (95% CI 20 to 70), a masked share with {B} and an unknown share with {C}, with death as a competing event."
    )


@pytest.mark.parametrize(("outside", "early", "said"), [(0, 0, "All 90 events began in the time at risk."), (7, 2, "Of 90 events, 7 began in no risk window and 2 before time zero; they are in the counts of patients, not in the rates.")])
def test_onset(outside, early, said):
    rows = pd.DataFrame([{"variable": v, "group": "overall", "count": k, "n": 90, "unit": "events"} for v, k in (("any window", 81), ("outside", outside), ("before time zero", early))])
    assert say.onset(HarmsInTime(THREE, "", {"ae_onset": rows})) == said


def test_rates_are_those_of_first_events_of_any_kind():
    rows = [{"variable": v, "group": a, "rate": r * f, "ci_low": 10.0, "ci_high": 99.0, "note": note} for v, f in (("any", 1), ("severe", 0.1)) for a, r, note in zip(ARMS, (55.0, nan, nan), ("", MASKED, ""), strict=True)]
    assert say.rates(HarmsInTime(THREE, "", {"ae_first_rate": pd.DataFrame(rows)})) == (
        f"Patients with a first adverse event per 100 patient-years at risk: 55 with {A} (95% CI 10 to 99), a masked rate with {B} and an unknown rate with {C}."
    )


def liver(cases: tuple, n: float = 40.0):
    rows = by_arm((cases[0], 10), (cases[1], 20), (cases[2], 0), (sum(cases), n), columns="count n", unit="patients")
    return Laboratory(THREE, "", {"liver_hys_law": rows.assign(proportion=rows["count"] / rows["n"].where(rows["n"] > 0))})


def test_laboratory_and_hys_law():
    assert say.liver(Laboratory(load("efficacy", study="data/colon"), "", {})) == "This study names no liver tests, so Hy's law is not assessed."
    assert say.liver(liver((0, 0, 0))).startswith("No patient of 40 with both tests meets the biochemical criteria of Hy's law;")
    assert say.liver(liver((0, 0, 0), 0.0)).startswith("No patient has a transaminase and a bilirubin in the time at risk")
    assert say.liver(liver((1, 0, 0))).startswith(f"Biochemical criteria of Hy's law: 1 patient (1/10 (10%) with {A}, 0/20 (0%) with {B} and nobody sampled twice with {C}).")
    assert "2 patients (" in say.liver(liver((1, 1, 0)))
    assert say.laboratory(Laboratory(load("efficacy", study="data/colon"), "", {})) == "Worse at risk than at baseline: ."


def test_laboratory_names_the_values_that_worsened_most():
    """Of seven values the three of which an arm has the largest share; a masked share stands behind every other."""
    shares = {"alt": (1, 2, 0), "ast": (nan, nan, nan), "bili": (0, 0, 3), "alp": (0, 0, 0), "trig": (5, 1, 9), "uprot": (2, 0, 1), "sbp": (4, 0, 2)}
    rows = pd.concat([by_arm(*((k, 10) for k in counts), columns="count n", variable=name, unit="patients") for name, counts in shares.items()])
    said = say.laboratory(Laboratory(THREE, "", {"lab_worse": rows.assign(proportion=rows["count"] / rows["n"])}))
    assert said.startswith(f"Worse at risk than at baseline: Triglycerides 5/10 (50%) with {A}, 1/10 (10%) with {B} and 9/10 (90%) with {C}; Systolic pressure 4/10")
    assert said.endswith(f"; Bilirubin 0/10 (0%) with {A}, 0/10 (0%) with {B} and 3/10 (30%) with {C}; and 4 more in the table.")


# ------------------------------------------------------------------ robustness


def ways(p_values: dict, **columns):
    """One row per way; all other columns are empty."""
    frame = pd.DataFrame({"way": list(p_values), "p_value": list(p_values.values())})
    return frame.assign(**({"group": "overall", "time": nan, "note": "", "n": 52, "n_events": 30, "min": nan, "max": nan, "count": nan, "hr": nan, "p_adjusted": nan} | columns))


def robust(frame, **frames):
    counts = pd.DataFrame([{"variable": f"os: {what}", "n_tests": n, "n_below": k} for what, n, k in (
        ("answers", frame["p_value"].notna().sum(), (frame["p_value"] < 0.05).sum()), ("p-values", frame["p_value"].notna().sum(), (frame["p_value"] < 0.05).sum()))])  # fmt: skip
    return Robustness(EFFICACY, "os", {"robustness_tests": counts, **frames}, {"ways": frame})


@pytest.mark.parametrize(
    ("power", "error", "said"),
    [(0.5, 0.011, "probability of 50% (Monte Carlo error 1.1%,"), (0.991, 0.0021, "probability of more than 99% (Monte Carlo error 0.2%,"),
     (1.0, 0.0, "probability of more than 99% (Monte Carlo error below 0.1%,"), (0.004, 0.0014, "probability of less than 1% (Monte Carlo error 0.1%,")],
)  # fmt: skip
def test_no_probability_is_certain_and_no_error_nothing(power, error, said):
    frame = pd.DataFrame([{"power": power, "mc_error": error, "n_events": 42, "note": ""}])
    assert said in say.power(robust(ways({"declared": 0.01}), power=frame, detectable=pd.DataFrame([{"group": "C vs A", "hr": nan, "hr_above": nan}])))


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.0002, 0.0003, "p stays below 0.001 and"), (0.0002, 0.04, "p runs from below 0.001 to 0.040 and"), (0.02, 0.02, "p is 0.020 and"),
     (0.3, 0.9999, "p runs from 0.300 to above 0.999 and"), (0.0201, 0.0202, "p stays 0.020 and")],
)  # fmt: skip
def test_equal_ends_are_said_once_and_signs_in_words(low, high, said):
    assert said in say.robustness(robust(ways({"declared": low, "score": high})))


@pytest.mark.parametrize(
    ("turned", "said"),
    [(0, "in none of 52 cases. It would turn"), (3, "in 3 of 52 cases. It would also turn"), (52, "in all 52 cases. It would also turn")],
)
@pytest.mark.parametrize(
    ("row", "change"),
    [
        (("fragile_event", 2, 5), f"if, with {C}, 2 of the 5 censored patients had had the event when last seen"),
        (("fragile_event", 1, 1), f"if, with {C}, the only censored patient had had the event when last seen"),
        (("fragile_event", 2, 2), f"if, with {C}, both censored patients had had the event when last seen"),
        (("fragile_censored", 7, 7), f"if, with {C}, all 7 patients with the event had been censored instead"),
        (("fragile_censored", 1, 1), f"if, with {C}, the only patient with the event had been censored instead"),
    ],
)
def test_single_patients_are_told_in_words_for_none_one_both_and_all(turned, said, row, change):
    way, count, n = row
    frame = ways({"declared": 0.01, "leave_one_out": nan, way: 0.06}).set_index("way", drop=False)
    frame.loc["leave_one_out", ["min", "max", "count", "n"]] = 0.008, 0.06, turned, 52
    frame.loc[way, ["count", "n"]] = count, n
    text = say.single_patients(robust(frame.reset_index(drop=True)))
    assert f"With one patient left out at a time, p runs from 0.008 to 0.060, and the verdict would turn {said} {change} (p = 0.060)." in text


@pytest.mark.parametrize(
    ("power", "p", "ends"),
    [(0.79, 0.06, " A p above 0.05 is therefore no sign of equality."), (0.8, 0.06, ""), (0.79, 0.04, "")],
)
def test_power_is_told_with_what_it_means(power, p, ends):
    found = robust(
        ways({"declared": p}), power=pd.DataFrame([{"power": power, "mc_error": 0.004, "n_events": 42, "note": ""}]),
        detectable=pd.DataFrame([{"group": g, "hr": h, "hr_above": 1 / h} for g, h in (("B vs A", 0.2), ("C vs A", 0.4))]),
    )  # fmt: skip
    assert say.power(found) == (
        "Were the observed medians of OS (event rates, where a median is not reached) the truth, a study of this size would find the arms different "
        f"(p below 0.05) with a probability of {round(100 * power)}% (Monte Carlo error 0.4%, 42 events); for {C} vs {A} only a hazard ratio below 0.40 (or above 2.50) is found with 80% power.{ends}"
    )


@pytest.mark.parametrize(("p", "said"), [(0.049, "p is below 0.05 for Sex: a question for another study and no finding."), (0.05, "No test tells subgroups apart, which is no evidence that the comparison is the same in all: such tests find only large differences.")])
def test_subgroups_are_questions(p, said):
    frames = {"interaction": pd.DataFrame([{"variable": "os: sex", "p_value": p, "note": ""}, {"variable": "os: ecog", "p_value": nan, "note": "x"}]), "subgroup": pd.DataFrame({"hr": [0.5, nan]})}
    shown = f"p = {p:.3f}"
    assert say.subgroups(Subgroups(EFFICACY, "os", frames)) == f"Tests of interaction with the arm: Sex ({shown}). {said} A row that cannot be estimated says so."


@pytest.mark.parametrize(
    ("limit", "said"),
    [(1.0, "; its 95% interval holds 1, so no confounder is needed to make it compatible with no effect."), (1.7, "; to move its 95% interval to 1, 1.70 would do."), (nan, ".")],
)
def test_the_e_value_of_the_pair_that_carries_the_question(limit, said):
    frame = pd.DataFrame([{"group": "B vs A", "e_value": 9.0, "e_value_limit": 8.0}, {"group": "C vs A", "e_value": 3.21, "e_value_limit": limit}])
    assert say.e_value(EValues(EFFICACY, "os", {"e_value": frame})).startswith(
        f"To explain the hazard ratio of {C} vs {A} away, an unmeasured confounder would have to be linked to both treatment and outcome by a risk ratio of at least 3.21 each{said} No outcome"
    )


def weighted(ess=(31.0, 32.0, 33.0), low=-2.0, tau=36.0):
    pairs = ("B vs A", "C vs A")
    cox = lambda hr: pd.DataFrame({"group": pairs, "hr": [9.0, hr], "ci_low": [8.0, hr / 2], "ci_high": [10.0, hr * 2], "p_value": [0.9, 0.03], "note": ""})  # noqa: E731
    variables = [variable.variable for variable in EFFICACY.study.confounding.covariates]
    balance = lambda size: pd.DataFrame({"group": "overall", "variable": [*variables, "histology"], "smd": [size, size / 2, size / 4, 0.5]})  # noqa: E731
    rmst = pd.DataFrame({"group": pairs, "estimate": [7.0, 3.0], "ci_low": [6.0, low], "ci_high": [8.0, 5.0], "tau": tau, "note": ""})
    sizes = pd.DataFrame({"group": ARMS, "n": [40, 50, 45], "ess": ess})
    return Weights(EFFICACY, "os", {"unweighted_cox": cox(0.4), "weighted_cox": cox(0.6), "balance_before": balance(0.8), "balance_after": balance(0.1),
                                    "weighted_rmst": rmst, "effective_size": sizes})  # fmt: skip


def test_weights_say_what_changes_and_for_whom_they_are_too_few():
    said = say.weights(weighted())
    assert "the largest standardized difference among these changes from 0.80 to 0.10; the effective sample size is" in said
    assert f"31.0 of 40 with {A}, 32.0 of 50 with {B} and 33.0 of 45 with {C}. The hazard" in said
    assert f"The hazard ratio of {C} vs {A} changes from 0.40 to 0.60 with weighting (95% CI 0.30 to 1.20; p = 0.030)." in said
    assert "The weighted mean up to 36 months differs by 3.0 months (95% CI −2.0 to 5.0 by bootstrap, which holds zero)." in said
    assert "Outside the model the arms stay apart in histology (0.50)." in said
    assert "The weighted mean up to 1 month differs by" in say.weights(weighted(tau=1.0))
    assert "which leaves out zero)" in say.weights(weighted(low=0.1))
    assert "With arms this small the robust interval is rather too narrow." in say.weights(weighted(ess=(29.9, 32.0, 33.0)))
    assert f"That is too few with {B}:" in say.weights(weighted(ess=(31.0, 9.9, 33.0)))
