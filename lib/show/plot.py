"""Every picture that a page can show: one line each. How it is drawn stands in `plots`, a file a subject.

A picture of what was drawn before is not drawn again (lib/kept).
"""

__all__ = [
    "ae_courses",
    "ae_first",
    "ae_grades",
    "ae_terms",
    "attendance",
    "balance",
    "differences",
    "dose",
    "enrolment",
    "evidence",
    "flow",
    "hazards",
    "immortal_days",
    "lab_shift",
    "lesion_control",
    "linearity",
    "liver",
    "missing",
    "next_trial",
    "prior_effect",
    "prior_response",
    "profiles",
    "proportional",
    "ratios",
    "regression",
    "response",
    "response_incidence",
    "response_subgroups",
    "rises",
    "robustness",
    "spider",
    "strategies",
    "subgroups",
    "summary",
    "survival",
    "swimmer",
    "timing",
    "trajectories",
    "waterfall",
    "weighted_curves",
]

from lib.kept.results import kept
from lib.show.plots.cohort import plot_attendance as attendance
from lib.show.plots.cohort import plot_enrolment as enrolment
from lib.show.plots.cohort import plot_flow as flow
from lib.show.plots.cohort import plot_timing as timing
from lib.show.plots.course import plot_spider as spider
from lib.show.plots.course import plot_swimmer as swimmer
from lib.show.plots.course import plot_waterfall as waterfall
from lib.show.plots.effects import plot_differences as differences
from lib.show.plots.effects import plot_hazards as hazards
from lib.show.plots.effects import plot_response_subgroups as response_subgroups
from lib.show.plots.laboratory import plot_lab_shift as lab_shift
from lib.show.plots.laboratory import plot_liver as liver
from lib.show.plots.markers import plot_ratios as ratios
from lib.show.plots.markers import plot_rises as rises
from lib.show.plots.markers import plot_summary as summary
from lib.show.plots.markers import plot_trajectories as trajectories
from lib.show.plots.models.fit import plot_linearity as linearity
from lib.show.plots.models.fit import plot_proportional as proportional
from lib.show.plots.models.immortal import plot_immortal_days as immortal_days
from lib.show.plots.models.immortal import plot_strategies as strategies
from lib.show.plots.models.imputation import plot_missing as missing
from lib.show.plots.models.next_trial import plot_next_trial as next_trial
from lib.show.plots.models.others import plot_evidence as evidence
from lib.show.plots.models.prior import plot_prior_effect as prior_effect
from lib.show.plots.models.prior import plot_prior_response as prior_response
from lib.show.plots.models.regression import plot_regression as regression
from lib.show.plots.response import plot_dose as dose
from lib.show.plots.response import plot_lesion_control as lesion_control
from lib.show.plots.response import plot_response as response
from lib.show.plots.response import plot_response_incidence as response_incidence
from lib.show.plots.robustness import plot_balance as balance
from lib.show.plots.robustness import plot_robustness as robustness
from lib.show.plots.robustness import plot_subgroups as subgroups
from lib.show.plots.robustness import plot_weighted_curves as weighted_curves
from lib.show.plots.safety import plot_ae_courses as ae_courses
from lib.show.plots.safety import plot_ae_first as ae_first
from lib.show.plots.safety import plot_ae_grades as ae_grades
from lib.show.plots.safety import plot_ae_terms as ae_terms
from lib.show.plots.safety import plot_profiles as profiles
from lib.show.plots.survival import plot_survival as survival

globals().update({name: kept(globals()[name]) for name in __all__})
