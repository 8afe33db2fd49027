"""What can be asked of a study: one line a task. A page asks: `page.analyse(analyse.survival, page.endpoint)`.

Each takes the dataset first and gives a `result.Analysis`, or an `Absent` that says why not. How each is done stands in
`analyses`, a room per notebook.
"""

__all__ = [
    "adverse_events",
    "adverse_events_in_time",
    "attendance",
    "baseline",
    "calendar",
    "completeness",
    "course",
    "criteria",
    "declared",
    "dose",
    "e_values",
    "enrolment",
    "evidence",
    "exposure",
    "first_progression",
    "flow",
    "follow_up",
    "immortal",
    "imputed",
    "kinetics",
    "laboratory",
    "lesion_control",
    "lesion_response",
    "lesions",
    "marker",
    "marker_model",
    "model_fit",
    "next_trial",
    "other_events",
    "populations",
    "presence",
    "prior_effect",
    "prior_response",
    "profiles",
    "regression",
    "reporting",
    "response",
    "response_regression",
    "response_subgroups",
    "response_time",
    "rises",
    "robustness",
    "shifts",
    "sites",
    "subgroups",
    "surrogate",
    "survival",
    "tests",
    "timing",
    "verdicts",
    "volume",
    "weights",
]

from lib.analyses.cohort.baseline import analyse_baseline as baseline
from lib.analyses.cohort.checklist import count_answered as reporting
from lib.analyses.cohort.checklist import count_declared as declared
from lib.analyses.cohort.conduct import analyse as exposure
from lib.analyses.cohort.conduct import analyse_missing as attendance
from lib.analyses.cohort.conduct import analyse_timing as timing
from lib.analyses.cohort.flow import analyse as flow
from lib.analyses.cohort.flow import analyse_completeness as completeness
from lib.analyses.cohort.flow import analyse_enrolment as enrolment
from lib.analyses.cohort.populations import analyse_populations as populations
from lib.analyses.efficacy.course import analyse_course as course
from lib.analyses.efficacy.dose_response import analyse_dose as dose
from lib.analyses.efficacy.kinetics import analyse_kinetics as kinetics
from lib.analyses.efficacy.kinetics import analyse_rises as rises
from lib.analyses.efficacy.kinetics import analyse_surrogate as surrogate
from lib.analyses.efficacy.lesion_control import analyse_lesion_control as lesion_control
from lib.analyses.efficacy.lesion_control import analyse_lesion_response as lesion_response
from lib.analyses.efficacy.lesions import analyse_lesions as lesions
from lib.analyses.efficacy.marker_models import analyse_model as marker_model
from lib.analyses.efficacy.marker_models import analyse_presence as presence
from lib.analyses.efficacy.markers import analyse_marker as marker
from lib.analyses.efficacy.markers import analyse_volume as volume
from lib.analyses.efficacy.other_events import analyse_first_progression as first_progression
from lib.analyses.efficacy.other_events import analyse_other_events as other_events
from lib.analyses.efficacy.other_events import analyse_sites as sites
from lib.analyses.efficacy.response import analyse as response
from lib.analyses.efficacy.response import analyse_response_time as response_time
from lib.analyses.efficacy.shifts import analyse_shifts as shifts
from lib.analyses.efficacy.survival import analyse as survival
from lib.analyses.efficacy.survival import analyse_follow_up as follow_up
from lib.analyses.models.fit import analyse_model_fit as model_fit
from lib.analyses.models.immortal import analyse_immortal as immortal
from lib.analyses.models.imputation import analyse_imputed as imputed
from lib.analyses.models.regression import analyse_regression as regression
from lib.analyses.models.response_regression import analyse_response_regression as response_regression
from lib.analyses.outlook.next_trial import analyse_next_trial as next_trial
from lib.analyses.outlook.others import analyse_evidence as evidence
from lib.analyses.outlook.prior import analyse_prior_effect as prior_effect
from lib.analyses.outlook.prior_response import analyse_prior_response as prior_response
from lib.analyses.robustness.confounding import analyse_calendar as calendar
from lib.analyses.robustness.confounding import analyse_e_values as e_values
from lib.analyses.robustness.confounding import analyse_weights as weights
from lib.analyses.robustness.criteria import analyse_criteria as criteria
from lib.analyses.robustness.multiplicity import count_tests as tests
from lib.analyses.robustness.robustness import analyse_robustness as robustness
from lib.analyses.robustness.subgroups import analyse_response_subgroups as response_subgroups
from lib.analyses.robustness.subgroups import analyse_subgroups as subgroups
from lib.analyses.safety.events import analyse as adverse_events
from lib.analyses.safety.events_in_time import analyse as adverse_events_in_time
from lib.analyses.safety.laboratory import analyse as laboratory
from lib.analyses.safety.profiles import choose_profiles as profiles
from lib.analyses.verdicts import collect_verdicts as verdicts
