"""One time-to-event endpoint, analysed whole: curve, medians, landmarks, tests, hazard ratios, restricted means.

Chooses which estimators a report shows and applies the study's small-sample policy; computes nothing itself.
"""

from __future__ import annotations

__all__ = ["SAMPLE", "FollowUp", "Survival", "analyse", "analyse_follow_up", "estimates", "recompute", "sampled"]

from collections.abc import Callable
from dataclasses import replace

import pandas as pd

from lib.analyses.outputs import named
from lib.analyses.policy import too_few, withhold
from lib.analyses.result import Absent, Analysis
from lib.analyses.scale import common_ticks
from lib.dataset.dataset import Dataset
from lib.dataset.derived import time_to_event_frame
from lib.statistics.comparisons import add_number_needed, arm_pairs, count_below, name_pair
from lib.statistics.models import cox
from lib.statistics.second_engine import survival
from lib.statistics.survival import competing, kaplan_meier, logrank, rmst
from lib.statistics.survival.event_table import OVERALL, EventTable, count_events
from lib.study.endpoints import Endpoint
from lib.study.limits import LARGE

# Patients of a large study whose numbers are computed a second time, and the seed that draws them.
SAMPLE, SEED = 1_000, 20250228
COX_TESTS = {"likelihood_ratio": "likelihood ratio", "wald": "Wald", "score": "score"}
# Frames that compare arms.
COMPARISONS = {
    *("logrank", "logrank_pairwise", "logrank_trend", "rmst_difference", "rmst_ratio", "landmark_difference", "gray"),
    *("cox", *(f"cox_{name}" for name in COX_TESTS), "proportional_hazards"),
}


class Survival(Analysis):
    """An endpoint in time, by arm."""


def analyse(data: Dataset, endpoint: Endpoint | None) -> Survival | Absent:
    """Analyse one endpoint by arm.

    Parameters
    ----------
    data : Dataset
    endpoint : Endpoint or None
        None in a study that declares none.

    Returns
    -------
    Survival
        `events` (by arm and overall, with the share of patients and those without a known time), `median`, `quartile_1`, `quartile_3` (time by which 25 % and 75 % had the event), `follow_up` (reverse
        Kaplan-Meier), `landmark`, `at_risk` (at the ticks of the figure), and with two arms or more
        `landmark_difference`, `logrank`, `logrank_pairwise`, over ordered arms `logrank_trend`, `cox`, `cox_likelihood_ratio`, `cox_wald`, `cox_score`,
        `proportional_hazards`, `comparison_count` (tests of this list that were made), `rmst`, `rmst_difference`, `rmst_ratio`; with a competing event `cumulative_incidence` and `gray`.
        Data: `tte` (one row per patient with a known time), `curve` (steps). `Absent` without an endpoint, and where
        nobody has a known time.
    """
    tte = _known(data, endpoint)
    if isinstance(tte, Absent):
        return tte
    curve = kaplan_meier.estimate_curve(tte, level=data.parameters.level)
    return Survival(data, endpoint.id, estimates(tte, data, endpoint), {"tte": tte, "curve": curve})


def _known(data: Dataset, endpoint: Endpoint | None) -> pd.DataFrame | Absent:
    """Patients with a known time to the endpoint, or why there are none."""
    if endpoint is None:
        return Absent("This study declares no time-to-event endpoint.")
    tte = time_to_event_frame(data, endpoint)
    return tte if len(tte) else Absent(f"{endpoint.label}: no patient has a known time.", endpoint.id)


def _median(table: EventTable, data: Dataset) -> pd.DataFrame:
    """Medians, and who has no known time beside those who have one."""
    median = kaplan_meier.estimate_median(table, level=data.parameters.level)
    median.insert(list(median).index("n") + 1, "n_missing", [int(data.n[g] - n) for g, n in zip(median["group"], median["n"], strict=True)])
    return median


def estimates(tte: pd.DataFrame, data: Dataset, endpoint: Endpoint) -> dict[str, pd.DataFrame]:
    """The frames of `analyse`, from patients with a known time."""
    level, landmarks = data.parameters.level, list(data.landmarks(endpoint))
    table = count_events(tte)
    median = _median(table, data)
    frames = {
        "events": _events(data, median),
        "median": median,
        "quartile_1": _quantile(table, 0.25, level),
        "quartile_3": _quantile(table, 0.75, level),
        "follow_up": kaplan_meier.estimate_follow_up(tte, level=level),
        "landmark": kaplan_meier.estimate_landmark(table, landmarks, level=level).rename(columns={"survival": "estimate"}),
        "at_risk": kaplan_meier.count_at_risk(table, common_ticks(data, tte["time"].max())),
        "rmst": rmst.estimate_rmst(table, endpoint.tau, level),
    }
    if len(data.arms) > 1:
        frames |= _comparisons(tte, table, data, endpoint, landmarks)
    if endpoint.has_competing:
        frames["cumulative_incidence"] = competing.estimate_cumulative_incidence(tte, landmarks, level=level)
        if len(data.arms) > 1:
            frames["gray"] = competing.compare_gray(tte)
    frames = {n: withhold(data, tte, frame) if n in COMPARISONS else frame for n, frame in frames.items()}
    return frames | ({"comparison_count": _tests_made(frames)} if len(data.arms) > 1 else {})


def _events(data: Dataset, median: pd.DataFrame) -> pd.DataFrame:
    """Patients and events behind the medians of the arms, and of all."""
    counts = median[["group", "n", "n_missing", "n_events"]]
    if len(data.arms) > 1:
        counts = pd.concat([counts, counts.drop(columns="group").sum().to_frame().T.assign(group=OVERALL)], ignore_index=True)
    known = counts["n"].where(counts["n"] > 0)
    return counts.assign(proportion=(counts["n_events"] / known).astype(float), method="count of patients", note="")


def _tests_made(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Tests of all arms and of their pairs that gave a p-value."""
    return count_below(pd.concat([frames[name]["p_value"] for name in named(counted_in="comparison_count") if name in frames]))


class FollowUp(Analysis):
    """How long patients were followed for an endpoint."""


def analyse_follow_up(data: Dataset, endpoint: Endpoint | None) -> FollowUp | Absent:
    """Follow-up of one endpoint by arm: `follow_up`, as in `analyse`."""
    tte = _known(data, endpoint)
    if isinstance(tte, Absent):
        return tte
    frames = {"follow_up": kaplan_meier.estimate_follow_up(tte, level=data.parameters.level)}
    return FollowUp(data, endpoint.id, frames, {"tte": tte})


def sampled(data: Dataset, analysis: Analysis) -> Analysis | None:
    """Of a large study (limits), one sample of SAMPLE patients analysed alike: second engines loop over patients."""
    if "tte" not in analysis or len(analysis["tte"]) <= LARGE:
        return None
    tte = analysis["tte"].sample(SAMPLE, random_state=SEED)
    found = estimates(tte, data, data.study.endpoint(analysis.variable))
    return replace(analysis, dataset=data, frames={name: frame for name, frame in found.items() if name in analysis.frames}, data={"tte": tte})


def recompute(data: Dataset, analysis: Analysis) -> pd.DataFrame:
    """Compute the numbers of `analyse` again by other engines: rows as of `second_engine.survival.recompute`."""
    endpoint = data.study.endpoint(analysis.variable)
    references = [*dict.fromkeys(pair.split(" vs ")[1] for pair in _pairs(data))] or [data.reference]
    tte, left_out = analysis["tte"], [g for g in (OVERALL, *_pairs(data)) if too_few(data, analysis["tte"], g)]
    return survival.recompute(
        tte, references, data.parameters.level, data.landmarks(endpoint), endpoint.tau,
        variable=analysis.variable, outputs=list(analysis.frames), left_out=left_out,
    )  # fmt: skip


def _quantile(table: EventTable, p: float, level: float) -> pd.DataFrame:
    return kaplan_meier.estimate_quantile(table, p, level=level).drop(columns="p")


def _comparisons(
    tte: pd.DataFrame, table: EventTable, data: Dataset, endpoint: Endpoint, landmarks: list[float]
) -> dict[str, pd.DataFrame]:
    level, reference, tau = data.parameters.level, data.reference, endpoint.tau
    means = _every_pair(data, lambda y: rmst.compare_rmst(table, y, tau, level))
    models = {arm.id: cox.estimate_cox(tte, arm.id, level=level) for arm in data.arms}
    # Tests of all arms are the same whatever the reference, as long as somebody is in it.
    known = set(tte["arm"])
    present = reference if reference in known else next(arm.id for arm in data.arms if arm.id in known)
    overall = models[present].overall
    differences = kaplan_meier.compare_landmark(table, landmarks, reference, level=level)
    return {
        # The share that would be left if nobody had the competing event is no share of patients, and counts none of them.
        "landmark_difference": differences if tte["cause"].eq(2).any() else add_number_needed(differences),
        "logrank": logrank.compare_logrank(table),
        "logrank_pairwise": _named_as_pairs(data, logrank.compare_pairwise(table)),
        **({"logrank_trend": logrank.compare_trend(table)} if data.ordered else {}),
        "cox": _every_pair(data, lambda y: models[y].terms),
        **{f"cox_{name}": overall[overall["test"] == test] for name, test in COX_TESTS.items()},
        "proportional_hazards": cox.check_proportional_hazards(tte, present),
        "rmst_difference": means[means["contrast"] == "difference"].drop(columns="contrast"),
        "rmst_ratio": means[means["contrast"] == "ratio"].drop(columns="contrast"),
    }


def _pairs(data: Dataset) -> list[str]:
    """Every comparison `x vs y`, the reference arm always second."""
    return [name_pair(x, y) for x, y in arm_pairs([arm.id for arm in data.arms], data.reference)]


def _every_pair(data: Dataset, compare: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    """Comparisons of all pairs from a function that compares with one reference: the same model, read from each arm."""
    frames = [compare(arm.id) for arm in data.arms]
    found = pd.concat(frames, ignore_index=True)
    return found[found["group"].isin(_pairs(data))].reset_index(drop=True)


def _named_as_pairs(data: Dataset, found: pd.DataFrame) -> pd.DataFrame:
    """Name the pairs of a symmetric test as the other comparisons do."""
    flipped = {" vs ".join(reversed(pair.split(" vs "))): pair for pair in _pairs(data)}
    return found.assign(group=found["group"].replace(flipped))
