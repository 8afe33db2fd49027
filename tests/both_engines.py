"""What the second engine is held against: everything that the first one computes for a data set."""

from lib.analyses.result import Analysis
from lib.report.results import to_rows
from lib.statistics.comparisons import add_number_needed
from lib.statistics.models.cox import check_proportional_hazards, estimate_cox
from lib.statistics.survival.kaplan_meier import (
    compare_landmark,
    count_at_risk,
    estimate_follow_up,
    estimate_landmark,
    estimate_median,
    estimate_quantile,
)
from lib.statistics.survival.logrank import compare_logrank, compare_pairwise
from lib.statistics.survival.rmst import compare_rmst, estimate_rmst


def compute(tte, reference, times, level=0.95):
    """Compute what the second engine recomputes with the library itself."""
    model, means = estimate_cox(tte, reference, level=level), compare_rmst(tte, reference, level=level)
    overall = {f"cox_{test.lower().replace(' ', '_')}": part for test, part in model.overall.groupby("test")}
    return {
        "median": estimate_median(tte, level=level), "follow_up": estimate_follow_up(tte, level=level),
        "quartile_1": estimate_quantile(tte, 0.25, level=level).drop(columns="p"),
        "quartile_3": estimate_quantile(tte, 0.75, level=level).drop(columns="p"),
        "landmark": estimate_landmark(tte, times, level=level).rename(columns={"survival": "estimate"}),
        "at_risk": count_at_risk(tte, times),
        "landmark_difference": add_number_needed(compare_landmark(tte, times, reference, level=level)),
        "logrank": compare_logrank(tte), "logrank_pairwise": compare_pairwise(tte),
        "cox": model.terms.drop(columns="term"), **overall,
        "proportional_hazards": check_proportional_hazards(tte, reference), "rmst": estimate_rmst(tte, level=level),
        "rmst_difference": means[means["contrast"] == "difference"].drop(columns="contrast"),
        "rmst_ratio": means[means["contrast"] == "ratio"].drop(columns="contrast"),
    }  # fmt: skip


def gather(**frames):
    """As rows of results.csv."""
    return to_rows("", Analysis(None, "", frames))
