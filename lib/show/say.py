"""Every sentence that a page can say: one line each. Its words stand in `sentences`, a file a subject.

A sentence on several analyses is a list of one each; of an analysis that a study has no data for it is the reason.
"""

__all__ = [
    "adjusted_subgroups",
    "agreement",
    "attendance",
    "attribution",
    "baseline",
    "best_response",
    "calendar",
    "change",
    "checklists",
    "comparison",
    "completeness",
    "concordance",
    "criteria",
    "declared",
    "definition",
    "discrimination",
    "dose",
    "duration",
    "e_value",
    "enrolment",
    "evidence",
    "exposure",
    "first",
    "first_progression",
    "first_response",
    "flow",
    "follow_up",
    "immortal",
    "imputed",
    "kinetics",
    "laboratory",
    "later_response",
    "lesion_control",
    "lesions",
    "linearity",
    "liver",
    "model",
    "model_fit",
    "model_verdicts",
    "needed",
    "next_trial",
    "onset",
    "other_events",
    "paired_response",
    "periods",
    "power",
    "presence",
    "prior_effect",
    "prior_response",
    "proportional",
    "queries",
    "rates",
    "regression",
    "response",
    "response_regression",
    "response_subgroups",
    "response_time",
    "rises",
    "robustness",
    "safety",
    "scans",
    "single_patients",
    "small",
    "strategies",
    "subdistribution",
    "subgroups",
    "surrogate",
    "survival",
    "survival_by_response",
    "terms",
    "tests",
    "timing",
    "undrawn",
    "weights",
]

from lib.show.sentences.cohort import sentence_attendance as attendance
from lib.show.sentences.cohort import sentence_baseline as baseline
from lib.show.sentences.cohort import sentence_checklists as checklists
from lib.show.sentences.cohort import sentence_completeness as completeness
from lib.show.sentences.cohort import sentence_enrolment as enrolment
from lib.show.sentences.cohort import sentence_exposure as exposure
from lib.show.sentences.cohort import sentence_flow as flow
from lib.show.sentences.cohort import sentence_follow_up as follow_up
from lib.show.sentences.cohort import sentence_queries as queries
from lib.show.sentences.cohort import sentence_timing as timing
from lib.show.sentences.course import sentence_agreement as agreement
from lib.show.sentences.course import sentence_best_response as best_response
from lib.show.sentences.course import sentence_concordance as concordance
from lib.show.sentences.course import sentence_duration as duration
from lib.show.sentences.course import sentence_paired_response as paired_response
from lib.show.sentences.course import sentence_undrawn as undrawn
from lib.show.sentences.design import sentence_declared as declared
from lib.show.sentences.design import sentence_tests as tests
from lib.show.sentences.laboratory import sentence_laboratory as laboratory
from lib.show.sentences.laboratory import sentence_liver as liver
from lib.show.sentences.markers import sentence_change as change
from lib.show.sentences.markers import sentence_kinetics as kinetics
from lib.show.sentences.markers import sentence_lesions as lesions
from lib.show.sentences.markers import sentence_model as model
from lib.show.sentences.markers import sentence_presence as presence
from lib.show.sentences.markers import sentence_rises as rises
from lib.show.sentences.markers import sentence_surrogate as surrogate
from lib.show.sentences.models.fit import sentence_adjusted_subgroups as adjusted_subgroups
from lib.show.sentences.models.fit import sentence_discrimination as discrimination
from lib.show.sentences.models.fit import sentence_linearity as linearity
from lib.show.sentences.models.fit import sentence_model_fit as model_fit
from lib.show.sentences.models.fit import sentence_periods as periods
from lib.show.sentences.models.fit import sentence_proportional as proportional
from lib.show.sentences.models.immortal import sentence_immortal as immortal
from lib.show.sentences.models.immortal import sentence_strategies as strategies
from lib.show.sentences.models.imputation import sentence_imputed as imputed
from lib.show.sentences.models.next_trial import sentence_next_trial as next_trial
from lib.show.sentences.models.others import sentence_evidence as evidence
from lib.show.sentences.models.prior import sentence_prior_effect as prior_effect
from lib.show.sentences.models.prior import sentence_prior_response as prior_response
from lib.show.sentences.models.regression import sentence_model_verdicts as model_verdicts
from lib.show.sentences.models.regression import sentence_regression as regression
from lib.show.sentences.models.regression import sentence_response_regression as response_regression
from lib.show.sentences.models.regression import sentence_subdistribution as subdistribution
from lib.show.sentences.response import sentence_criteria as criteria
from lib.show.sentences.response import sentence_dose as dose
from lib.show.sentences.response import sentence_first_response as first_response
from lib.show.sentences.response import sentence_later_response as later_response
from lib.show.sentences.response import sentence_lesion_control as lesion_control
from lib.show.sentences.response import sentence_response as response
from lib.show.sentences.response import sentence_response_time as response_time
from lib.show.sentences.response import sentence_survival_by_response as survival_by_response
from lib.show.sentences.robustness import sentence_calendar as calendar
from lib.show.sentences.robustness import sentence_e_value as e_value
from lib.show.sentences.robustness import sentence_power as power
from lib.show.sentences.robustness import sentence_response_subgroups as response_subgroups
from lib.show.sentences.robustness import sentence_robustness as robustness
from lib.show.sentences.robustness import sentence_scans as scans
from lib.show.sentences.robustness import sentence_single_patients as single_patients
from lib.show.sentences.robustness import sentence_subgroups as subgroups
from lib.show.sentences.robustness import sentence_weights as weights
from lib.show.sentences.safety import sentence_attribution as attribution
from lib.show.sentences.safety import sentence_first as first
from lib.show.sentences.safety import sentence_onset as onset
from lib.show.sentences.safety import sentence_rates as rates
from lib.show.sentences.safety import sentence_safety as safety
from lib.show.sentences.safety import sentence_terms as terms
from lib.show.sentences.survival import sentence_comparison as comparison
from lib.show.sentences.survival import sentence_definition as definition
from lib.show.sentences.survival import sentence_first_progression as first_progression
from lib.show.sentences.survival import sentence_needed as needed
from lib.show.sentences.survival import sentence_other_events as other_events
from lib.show.sentences.survival import sentence_small as small
from lib.show.sentences.survival import sentence_survival as survival
