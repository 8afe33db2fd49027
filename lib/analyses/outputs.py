"""The catalogue of outputs: every name under which a result is recorded, and all that is known of it. One row each.

What is not in it cannot be recorded. Who adds an analysis enters its outputs here; what the columns mean stands in
catalogue. How a shared report masks, what is compared first, which denominators must agree with the participant flow,
which tests are counted where: all that is read from here.
"""

from __future__ import annotations

__all__ = ["OUTPUTS", "find", "named"]

import functools

from lib.analyses.catalogue import (
    AGAIN,
    ALL,
    BEFORE_COLON,
    CONFIRMATORY,
    COURSE,
    EXAMINED,
    EXPLORATORY,
    NOT_EXAMINED,
    OVERLAP,
    SPREAD,
    TERM,
    Headline,
    Output,
    Same,
    Within,
)

PATIENTS = "patients"

OUTPUTS = (
    # Who takes part, and for how long
    Output("flow", PATIENTS, EXAMINED, denominator=OVERLAP, headline=Headline("flow", "Patients analysed", "count", "count", (), ("analysed",))),
    Output("flow_endpoint", PATIENTS, EXAMINED),
    Output("flow_response_due", PATIENTS, EXAMINED),
    Output("flow_response_evaluable", PATIENTS, EXAMINED),
    Output("flow_volume", PATIENTS, EXAMINED),
    Output("flow_marker", PATIENTS, EXAMINED),
    Output("data_queries", "data queries", EXAMINED),
    Output("enrolment", PATIENTS, EXAMINED, time=SPREAD),
    Output("follow_up_completeness", PATIENTS, EXAMINED),
    Output("follow_up_lost", PATIENTS, EXAMINED),
    Output("exposure_count", PATIENTS, EXAMINED),
    Output("exposure_number", "patients or lesions", EXAMINED),
    Output("attendance", PATIENTS, EXAMINED),
    Output("attendance_total", "examinations", EXAMINED, sums="attendance"),
    Output("scan_interval", "intervals", EXAMINED),
    Output("scan_interval_visit", "intervals", EXAMINED),
    Output("scan_longest", PATIENTS, EXAMINED),
    Output("scan_delay", "scans", EXAMINED),
    Output("delay_spread", "", NOT_EXAMINED),
    Output("reporting", "items", EXAMINED),
    # Baseline
    Output("baseline_number", PATIENTS, EXAMINED, step="flow", known_only=True),
    Output("baseline_category", PATIENTS, EXAMINED, denominator=BEFORE_COLON, step="flow", known_only=True),
    Output("baseline_missing", PATIENTS, EXAMINED),
    Output("baseline_smd", "", EXAMINED, made_from="baseline_category"),
    Output("baseline_test", PATIENTS, EXAMINED, tests=EXPLORATORY, made_from="baseline_category", known_only=True),
    # Times to an event
    Output("events", PATIENTS, EXAMINED, same=(Same("n", "median", "n"), Same("n_events", "median", "n_events"), Same("n_missing", "median", "n_missing"))),
    Output("median", PATIENTS, EXAMINED,
        step="flow_endpoint",
        headline=Headline("endpoint", "{name}: median, {unit}", "median", "time", ("n_events", "n"))),
    Output("quartile_1", PATIENTS, EXAMINED, step="flow_endpoint"),
    Output("quartile_3", PATIENTS, EXAMINED, step="flow_endpoint"),
    Output("follow_up", PATIENTS, EXAMINED, step="flow_endpoint", source="Schemper M, Smith TL. Control Clin Trials 1996;17:343-346. doi:10.1016/0197-2456(96)00075-X"),
    Output("landmark", PATIENTS, EXAMINED, time=COURSE),
    Output("landmark_difference", "", EXAMINED, tests=EXPLORATORY, made_from="landmark"),
    Output("at_risk", PATIENTS, EXAMINED, time=COURSE, least_missed=True, never_shared=("n_censored", "n_events")),
    Output("rmst", PATIENTS, EXAMINED),
    Output("rmst_difference", "", EXAMINED, tests=EXPLORATORY),
    Output("rmst_ratio", "", EXAMINED, tests=EXPLORATORY),
    Output("cox", PATIENTS, EXAMINED, tests=EXPLORATORY, headline=Headline("endpoint", "{name}: hazard ratio", "hr", "ratio")),
    Output("cox_likelihood_ratio", PATIENTS, EXAMINED, tests=EXPLORATORY),
    Output("cox_wald", PATIENTS, EXAMINED, tests=EXPLORATORY),
    Output("cox_score", PATIENTS, EXAMINED, tests=EXPLORATORY),
    Output("proportional_hazards", "", EXAMINED, tests=EXPLORATORY, source="Grambsch PM, Therneau TM. Biometrika 1994;81:515-526. doi:10.1093/biomet/81.3.515"),
    Output("logrank", PATIENTS, EXAMINED, tests=CONFIRMATORY, counted_in="comparison_count",
        headline=Headline("endpoint", "{name}: log-rank p", "p_value", "p", ("n_events", "n"))),
    Output("logrank_pairwise", PATIENTS, EXAMINED, tests=EXPLORATORY, counted_in="comparison_count"),
    Output("cumulative_incidence", PATIENTS, EXAMINED, time=COURSE),
    Output("gray", PATIENTS, EXAMINED, tests=EXPLORATORY, counted_in="comparison_count"),
    Output("comparison_count", "tests", EXAMINED),
    # Response at visits
    Output("response_category", PATIENTS, EXAMINED, denominator=ALL),
    Output("response_unassessed", PATIENTS, EXAMINED),
    Output("objective_response_treated", PATIENTS, EXAMINED,
        within=(Within("disease_control_treated"),),
        step="flow_response_due",
        headline=Headline("response", "Objective response at {time} {unit}", "proportion", "percent", ("count", "n"))),
    Output("objective_response_treated_test", "", EXAMINED, tests=EXPLORATORY, made_from="objective_response_treated"),
    Output("objective_response_treated_chisq", "", EXAMINED, tests=EXPLORATORY, made_from="objective_response_treated"),
    Output("objective_response_treated_pairwise", "", EXAMINED, tests=EXPLORATORY, made_from="objective_response_treated"),
    Output("objective_response_treated_difference", "", EXAMINED, made_from="objective_response_treated"),
    Output("objective_response_treated_newcombe", "", EXAMINED, made_from="objective_response_treated", source="Newcombe RG. Stat Med 1998;17:873-890. doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I"),
    Output("objective_response_treated_odds_ratio", "", EXAMINED, made_from="objective_response_treated"),
    Output("objective_response_evaluable", PATIENTS, EXAMINED,
        same=(Same("count", "objective_response_treated", "count"), Same("n", "disease_control_evaluable", "n")),
        step="flow_response_evaluable"),
    Output("objective_response_evaluable_test", "", EXAMINED, tests=EXPLORATORY, made_from="objective_response_evaluable"),
    Output("objective_response_evaluable_chisq", "", EXAMINED, tests=EXPLORATORY, made_from="objective_response_evaluable"),
    Output("objective_response_evaluable_pairwise", "", EXAMINED, tests=EXPLORATORY, made_from="objective_response_evaluable"),
    Output("objective_response_evaluable_difference", "", EXAMINED, made_from="objective_response_evaluable"),
    Output("objective_response_evaluable_newcombe", "", EXAMINED, made_from="objective_response_evaluable", source="Newcombe RG. Stat Med 1998;17:873-890. doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I"),
    Output("objective_response_evaluable_odds_ratio", "", EXAMINED, made_from="objective_response_evaluable"),
    Output("disease_control_treated", PATIENTS, EXAMINED, step="flow_response_due"),
    Output("disease_control_treated_test", "", EXAMINED, tests=EXPLORATORY, made_from="disease_control_treated"),
    Output("disease_control_treated_chisq", "", EXAMINED, tests=EXPLORATORY, made_from="disease_control_treated"),
    Output("disease_control_treated_pairwise", "", EXAMINED, tests=EXPLORATORY, made_from="disease_control_treated"),
    Output("disease_control_treated_difference", "", EXAMINED, made_from="disease_control_treated"),
    Output("disease_control_treated_newcombe", "", EXAMINED, made_from="disease_control_treated", source="Newcombe RG. Stat Med 1998;17:873-890. doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I"),
    Output("disease_control_treated_odds_ratio", "", EXAMINED, made_from="disease_control_treated"),
    Output("disease_control_evaluable", PATIENTS, EXAMINED, same=(Same("count", "disease_control_treated", "count"),), step="flow_response_evaluable"),
    Output("disease_control_evaluable_test", "", EXAMINED, tests=EXPLORATORY, made_from="disease_control_evaluable"),
    Output("disease_control_evaluable_chisq", "", EXAMINED, tests=EXPLORATORY, made_from="disease_control_evaluable"),
    Output("disease_control_evaluable_pairwise", "", EXAMINED, tests=EXPLORATORY, made_from="disease_control_evaluable"),
    Output("disease_control_evaluable_difference", "", EXAMINED, made_from="disease_control_evaluable"),
    Output("disease_control_evaluable_newcombe", "", EXAMINED, made_from="disease_control_evaluable", source="Newcombe RG. Stat Med 1998;17:873-890. doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I"),
    Output("disease_control_evaluable_odds_ratio", "", EXAMINED, made_from="disease_control_evaluable"),
    Output("response_change", PATIENTS, NOT_EXAMINED, denominator=ALL),
    Output("response_change_first", PATIENTS, NOT_EXAMINED),
    Output("response_change_last", PATIENTS, NOT_EXAMINED),
    Output("response_change_treated", PATIENTS, NOT_EXAMINED, tests=EXPLORATORY, source="McNemar Q. Psychometrika 1947;12:153-157. doi:10.1007/BF02295996"),
    Output("response_change_evaluable", PATIENTS, NOT_EXAMINED, tests=EXPLORATORY, source="McNemar Q. Psychometrika 1947;12:153-157. doi:10.1007/BF02295996"),
    # Best response, its course and its duration
    Output("best_response", PATIENTS, EXAMINED, denominator=ALL),
    Output("best_objective_response", PATIENTS, EXAMINED, within=(Within("best_disease_control"),)),
    Output("best_objective_response_test", "", EXAMINED, tests=EXPLORATORY, made_from="best_objective_response"),
    Output("best_objective_response_chisq", "", EXAMINED, tests=EXPLORATORY, made_from="best_objective_response"),
    Output("best_objective_response_pairwise", "", EXAMINED, tests=EXPLORATORY, made_from="best_objective_response"),
    Output("best_objective_response_difference", "", EXAMINED, made_from="best_objective_response"),
    Output("best_objective_response_newcombe", "", EXAMINED, made_from="best_objective_response", source="Newcombe RG. Stat Med 1998;17:873-890. doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I"),
    Output("best_objective_response_odds_ratio", "", EXAMINED, made_from="best_objective_response"),
    Output("best_disease_control", PATIENTS, EXAMINED),
    Output("best_disease_control_test", "", EXAMINED, tests=EXPLORATORY, made_from="best_disease_control"),
    Output("best_disease_control_chisq", "", EXAMINED, tests=EXPLORATORY, made_from="best_disease_control"),
    Output("best_disease_control_pairwise", "", EXAMINED, tests=EXPLORATORY, made_from="best_disease_control"),
    Output("best_disease_control_difference", "", EXAMINED, made_from="best_disease_control"),
    Output("best_disease_control_newcombe", "", EXAMINED, made_from="best_disease_control", source="Newcombe RG. Stat Med 1998;17:873-890. doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I"),
    Output("best_disease_control_odds_ratio", "", EXAMINED, made_from="best_disease_control"),
    Output("confirmed_response", PATIENTS, EXAMINED, within=(Within("best_objective_response"),)),
    Output("best_change", PATIENTS, EXAMINED),
    Output("duration_of_response", PATIENTS, EXAMINED, same=(Same("n", "best_objective_response", "count"),)),
    Output("time_to_response", PATIENTS, EXAMINED, same=(Same("n", "best_objective_response", "count"),)),
    Output("response_incidence", PATIENTS, NOT_EXAMINED),
    Output("response_at_risk", PATIENTS, NOT_EXAMINED, time=COURSE),
    Output("response_incidence_test", PATIENTS, NOT_EXAMINED, tests=EXPLORATORY),
    Output("response_landmark", PATIENTS, NOT_EXAMINED, tests=EXPLORATORY),
    Output("response_landmark_median", PATIENTS, NOT_EXAMINED),
    Output("course_count", PATIENTS, NOT_EXAMINED),
    Output("reader_agreement", PATIENTS, EXAMINED),
    Output("reader_total", "assessments", NOT_EXAMINED),
    Output("reader_patients", PATIENTS, NOT_EXAMINED),
    Output("volume_diameters", PATIENTS, NOT_EXAMINED),
    Output("other_events", PATIENTS, EXAMINED),
    Output("lesion_sites", PATIENTS, EXAMINED),
    # Markers and tumour volume
    Output("*_level", PATIENTS, EXAMINED, step="flow_marker"),
    Output("volume_level", PATIENTS, EXAMINED, step="flow_volume"),
    Output("*_percent_change", PATIENTS, EXAMINED),
    Output("*_absolute_change", PATIENTS, EXAMINED),
    Output("*_change_ratio", PATIENTS, EXAMINED, same=(Same("n", "*_percent_change", "n"),)),
    Output("*_within", PATIENTS, EXAMINED, tests=EXPLORATORY, source="Wilcoxon F. Biometrics Bull 1945;1:80-83. doi:10.2307/3001968"),
    Output("*_between", PATIENTS, EXAMINED, tests=EXPLORATORY),
    Output("*_pairwise", "", EXAMINED, tests=EXPLORATORY, made_from="*_within"),
    Output("*_shift", "", EXAMINED, tests=EXPLORATORY, made_from="*_within"),
    Output("*_drawn", PATIENTS, NOT_EXAMINED),
    Output("*_presence", PATIENTS, EXAMINED, denominator=BEFORE_COLON),
    Output("*_below_limit", "samples", NOT_EXAMINED),
    Output("*_above_limit", "samples", NOT_EXAMINED),
    Output("marker_excluded", PATIENTS, EXAMINED, denominator=OVERLAP),
    Output("*_model_ratio", "", EXAMINED, tests=EXPLORATORY),
    Output("*_model_comparison", "", EXAMINED, tests=EXPLORATORY),
    Output("*_model_term", "", EXAMINED, tests=EXPLORATORY),
    Output("*_model_variance", "samples or measurements of lesions", EXAMINED),
    Output("*_model_count", "patients or lesions", NOT_EXAMINED),
    Output("*_sensitivity", PATIENTS, EXAMINED, never_shared=("n",)),
    Output("*_several", PATIENTS, EXAMINED),
    Output("published_range", "", NOT_EXAMINED),
    # How sure this is
    Output("declared", "items", EXAMINED),
    Output("component_gap", PATIENTS, EXAMINED),
    Output("robustness", PATIENTS, EXAMINED, tests=AGAIN, never_shared=("n", "n_missing", "n_events", "count")),
    Output("robustness_tests", "tests", EXAMINED),
    Output("power", PATIENTS, EXAMINED),
    Output("detectable", PATIENTS, EXAMINED),
    Output("incidence", PATIENTS, EXAMINED, time=COURSE),
    Output("incidence_other", PATIENTS, EXAMINED, time=COURSE),
    Output("interval_median", PATIENTS, NOT_EXAMINED),
    Output("interval_landmark", PATIENTS, NOT_EXAMINED),
    Output("subgroup", "", EXAMINED),
    Output("subgroup_count", PATIENTS, NOT_EXAMINED),
    Output("interaction", "", EXAMINED, tests=EXPLORATORY, counted_in="interaction_tests"),
    Output("interaction_tests", "tests", NOT_EXAMINED),
    Output("propensity", PATIENTS, EXAMINED, tests=EXPLORATORY),
    Output("balance_before", "", EXAMINED, tells_counts=True),
    Output("balance_after", "", EXAMINED, tells_counts=True),
    Output("effective_size", PATIENTS, EXAMINED),
    Output("weighted_at_risk", PATIENTS, NOT_EXAMINED, time=COURSE),
    Output("weighted_cox", PATIENTS, EXAMINED, tests=EXPLORATORY),
    Output("unweighted_cox", PATIENTS, EXAMINED, tests=EXPLORATORY),
    Output("weighted_rmst", PATIENTS, EXAMINED, source="Efron B, Tibshirani RJ. An Introduction to the Bootstrap, 1993; Austin PC. Stat Med 2016;35:5642-5655. doi:10.1002/sim.7084"),
    Output("e_value", "", EXAMINED, source="VanderWeele TJ, Ding P. Ann Intern Med 2017;167:268-274. doi:10.7326/M16-2607"),
    Output("tests", "tests", EXAMINED),
    # Adverse events
    Output("ae_term", PATIENTS, EXAMINED, step="flow"),
    Output("ae_term_test", "", EXAMINED, tests=EXPLORATORY, counted_in="term_tests", made_from="ae_term"),
    Output("ae_term_difference", "", EXAMINED, made_from="ae_term"),
    Output("term_tests", "tests", NOT_EXAMINED),
    Output("ae_term_severe", PATIENTS, EXAMINED, within=(Within("ae_term"),), step="flow"),
    Output("ae_system", PATIENTS, EXAMINED, least_missed=True, step="flow"),
    Output("ae_system_severe", PATIENTS, EXAMINED, within=(Within("ae_system"),), least_missed=True, step="flow"),
    Output("ae_overview", PATIENTS, EXAMINED,
        within=(Within("ae_overview", "", "any"), Within("ae_overview", "severe_procedure", "severe"), Within("ae_overview", "severe_procedure", "related_procedure"), Within("ae_overview", "fatal", "death")),
        step="flow",
        headline=Headline("harms", "Patients with an adverse event: {name}", "proportion", "percent", ("count", "n"), ("any", "severe", "serious"))),
    Output("ae_overview_test", "", EXAMINED, tests=EXPLORATORY, made_from="ae_overview"),
    Output("ae_overview_difference", "", EXAMINED, made_from="ae_overview"),
    Output("ae_attribution", PATIENTS, EXAMINED, within=(Within("ae_overview", "", "any"),), least_missed=True, step="flow"),
    Output("ae_attribution_severe", PATIENTS, EXAMINED, within=(Within("ae_attribution"), Within("ae_overview", "", "severe")), step="flow"),
    Output("ae_attribution_events", "events", EXAMINED, denominator=ALL),
    Output("ae_grade", PATIENTS, EXAMINED, denominator=TERM, least_missed=True, step="flow"),
    Output("ae_events", "events", EXAMINED, denominator=TERM, least_missed=True),
    Output("ae_events_mild", "events", EXAMINED),
    Output("ae_rate", "events", EXAMINED, source="Garwood F. Biometrika 1936;28:437-442. doi:10.1093/biomet/28.3-4.437"),
    Output("ae_rate_ratio", "", EXAMINED, tests=EXPLORATORY, made_from="ae_rate"),
    Output("ae_first_rate", PATIENTS, EXAMINED, source="Garwood F. Biometrika 1936;28:437-442. doi:10.1093/biomet/28.3-4.437"),
    Output("ae_first_rate_ratio", "", EXAMINED, tests=EXPLORATORY, made_from="ae_first_rate"),
    Output("ae_first", PATIENTS, EXAMINED, time=COURSE),
    Output("ae_first_at_risk", PATIENTS, EXAMINED, time=COURSE, least_missed=True),
    Output("ae_first_gray", PATIENTS, EXAMINED, tests=EXPLORATORY),
    Output("ae_onset", "events", EXAMINED),
    Output("events_drawn", "patients or events", NOT_EXAMINED),
    # Laboratory
    Output("lab_shift", PATIENTS, EXAMINED, denominator=BEFORE_COLON, step="flow"),
    Output("lab_worse", PATIENTS, EXAMINED),
    Output("lab_high", PATIENTS, NOT_EXAMINED),
    Output("lab_peak", PATIENTS, EXAMINED),
    Output("liver_quadrant", PATIENTS, EXAMINED, denominator=ALL),
    Output("liver_hys_law", PATIENTS, EXAMINED, within=(Within("liver_quadrant", "hy_law", "hy"),)),
)  # fmt: skip

_BY_NAME = {output.name: output for output in OUTPUTS}


@functools.cache
def find(name: str, variable: str = "") -> Output:
    """The row of an output of an analysis about `variable`; names of other outputs in it are then of that variable.

    Raises
    ------
    ValueError
        If the catalogue has no such output.
    """
    pattern = "*" + name.removeprefix(variable) if variable and name.startswith(f"{variable}_") else name
    output = _BY_NAME.get(name) or _BY_NAME.get(pattern)
    if output is None or "*" in name:
        raise ValueError(f"{name}: no such output; enter it in the catalogue, lib/analyses/outputs.py")
    same = tuple(same._replace(output=same.output.replace("*", variable)) for same in output.same)
    return output._replace(name=name, same=same, made_from=output.made_from.replace("*", variable))


def named(**facts: object) -> list[str]:
    """Names of the outputs of which all `facts` hold, in the order of the catalogue.

    Examples
    --------
    >>> named(counted_in="comparison_count")
    ['logrank', 'logrank_pairwise', 'gray']
    """
    return [output.name for output in OUTPUTS if all(getattr(output, key) == fact for key, fact in facts.items())]
