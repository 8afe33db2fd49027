"""Every table that a page can show: one line each. What it holds stands in `tables`, a file a subject."""

__all__ = [
    "adjusted",
    "adjusted_subgroups",
    "ae_attribution",
    "ae_differences",
    "ae_first",
    "ae_grades",
    "ae_listing",
    "ae_onset",
    "ae_overview",
    "ae_rate_ratios",
    "ae_rates",
    "ae_terms",
    "agreement",
    "attendance",
    "balance",
    "baseline",
    "best_response",
    "change",
    "checklist",
    "comparisons",
    "criteria",
    "declarations",
    "detectable",
    "differences",
    "disagreements",
    "discrimination",
    "disposition",
    "dose",
    "duration",
    "enrolment",
    "excluded",
    "exposure",
    "external",
    "first_progression",
    "flow",
    "follow_up",
    "imputed",
    "incidence",
    "intervals",
    "kinetics",
    "lab_overview",
    "lab_shift",
    "lesion_control",
    "lesion_failures",
    "lesion_response",
    "level",
    "linearity",
    "liver",
    "liver_cases",
    "missing",
    "missing_patterns",
    "model_verdicts",
    "next_trial",
    "next_trial_arms",
    "next_trial_response",
    "other_events",
    "paired_response",
    "periods",
    "pooled",
    "populations",
    "presence",
    "prior_effect",
    "prior_likelihoods",
    "prior_response",
    "priors",
    "proportional",
    "published",
    "queries",
    "ratios",
    "regression",
    "response",
    "response_change",
    "response_incidence",
    "response_pairs",
    "response_subgroups",
    "rises",
    "risks_of_bias",
    "robustness",
    "same_question",
    "sensitivity",
    "shifts",
    "sites",
    "slopes",
    "strategies",
    "strategy_weights",
    "subdistribution",
    "subgroups",
    "surrogate",
    "survival",
    "survival_by_response",
    "target_trial",
    "timing",
    "weighted",
]

from lib.show.tables.cohort import table_baseline as baseline
from lib.show.tables.cohort import table_disposition as disposition
from lib.show.tables.cohort import table_flow as flow
from lib.show.tables.cohort import table_follow_up as follow_up
from lib.show.tables.cohort import table_populations as populations
from lib.show.tables.cohort import table_queries as queries
from lib.show.tables.conduct import table_attendance as attendance
from lib.show.tables.conduct import table_checklist as checklist
from lib.show.tables.conduct import table_declarations as declarations
from lib.show.tables.conduct import table_enrolment as enrolment
from lib.show.tables.conduct import table_exposure as exposure
from lib.show.tables.conduct import table_timing as timing
from lib.show.tables.confounding import table_balance as balance
from lib.show.tables.confounding import table_weighted as weighted
from lib.show.tables.course import table_agreement as agreement
from lib.show.tables.course import table_best_response as best_response
from lib.show.tables.course import table_disagreements as disagreements
from lib.show.tables.course import table_duration as duration
from lib.show.tables.course import table_first_progression as first_progression
from lib.show.tables.course import table_other_events as other_events
from lib.show.tables.course import table_paired_response as paired_response
from lib.show.tables.course import table_response_change as response_change
from lib.show.tables.course import table_sites as sites
from lib.show.tables.design import table_published as published
from lib.show.tables.design import table_risks_of_bias as risks_of_bias
from lib.show.tables.design import table_target_trial as target_trial
from lib.show.tables.laboratory import table_lab_overview as lab_overview
from lib.show.tables.laboratory import table_lab_shift as lab_shift
from lib.show.tables.laboratory import table_liver as liver
from lib.show.tables.laboratory import table_liver_cases as liver_cases
from lib.show.tables.markers.change import table_adjusted as adjusted
from lib.show.tables.markers.change import table_change as change
from lib.show.tables.markers.change import table_excluded as excluded
from lib.show.tables.markers.change import table_level as level
from lib.show.tables.markers.change import table_presence as presence
from lib.show.tables.markers.change import table_ratios as ratios
from lib.show.tables.markers.change import table_sensitivity as sensitivity
from lib.show.tables.markers.change import table_shifts as shifts
from lib.show.tables.markers.kinetics import table_kinetics as kinetics
from lib.show.tables.markers.kinetics import table_rises as rises
from lib.show.tables.markers.kinetics import table_slopes as slopes
from lib.show.tables.markers.kinetics import table_surrogate as surrogate
from lib.show.tables.models.fit import table_adjusted_subgroups as adjusted_subgroups
from lib.show.tables.models.fit import table_discrimination as discrimination
from lib.show.tables.models.fit import table_linearity as linearity
from lib.show.tables.models.fit import table_periods as periods
from lib.show.tables.models.fit import table_proportional as proportional
from lib.show.tables.models.immortal import table_same_question as same_question
from lib.show.tables.models.immortal import table_strategies as strategies
from lib.show.tables.models.immortal import table_strategy_weights as strategy_weights
from lib.show.tables.models.imputation import table_imputed as imputed
from lib.show.tables.models.imputation import table_missing as missing
from lib.show.tables.models.imputation import table_missing_patterns as missing_patterns
from lib.show.tables.models.next_trial import table_next_trial as next_trial
from lib.show.tables.models.next_trial import table_next_trial_arms as next_trial_arms
from lib.show.tables.models.next_trial import table_next_trial_response as next_trial_response
from lib.show.tables.models.others import table_external as external
from lib.show.tables.models.others import table_pooled as pooled
from lib.show.tables.models.prior import table_prior_effect as prior_effect
from lib.show.tables.models.prior import table_prior_likelihoods as prior_likelihoods
from lib.show.tables.models.prior import table_prior_response as prior_response
from lib.show.tables.models.prior import table_priors as priors
from lib.show.tables.models.regression import table_model_verdicts as model_verdicts
from lib.show.tables.models.regression import table_regression as regression
from lib.show.tables.models.regression import table_subdistribution as subdistribution
from lib.show.tables.response import table_criteria as criteria
from lib.show.tables.response import table_dose as dose
from lib.show.tables.response import table_lesion_control as lesion_control
from lib.show.tables.response import table_lesion_failures as lesion_failures
from lib.show.tables.response import table_lesion_response as lesion_response
from lib.show.tables.response import table_response as response
from lib.show.tables.response import table_response_incidence as response_incidence
from lib.show.tables.response import table_response_pairs as response_pairs
from lib.show.tables.response import table_survival_by_response as survival_by_response
from lib.show.tables.robustness import table_detectable as detectable
from lib.show.tables.robustness import table_incidence as incidence
from lib.show.tables.robustness import table_intervals as intervals
from lib.show.tables.robustness import table_response_subgroups as response_subgroups
from lib.show.tables.robustness import table_robustness as robustness
from lib.show.tables.robustness import table_subgroups as subgroups
from lib.show.tables.safety import table_ae_attribution as ae_attribution
from lib.show.tables.safety import table_ae_differences as ae_differences
from lib.show.tables.safety import table_ae_first as ae_first
from lib.show.tables.safety import table_ae_grades as ae_grades
from lib.show.tables.safety import table_ae_listing as ae_listing
from lib.show.tables.safety import table_ae_onset as ae_onset
from lib.show.tables.safety import table_ae_overview as ae_overview
from lib.show.tables.safety import table_ae_rate_ratios as ae_rate_ratios
from lib.show.tables.safety import table_ae_rates as ae_rates
from lib.show.tables.safety import table_ae_terms as ae_terms
from lib.show.tables.survival import table_comparisons as comparisons
from lib.show.tables.survival import table_differences as differences
from lib.show.tables.survival import table_survival as survival
