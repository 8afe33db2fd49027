"""Could the arms differ for other reasons? Propensity, overlap weights, balance, weighted comparison, calendar, E-value.

A weighted comparison removes what the declared covariates explain and nothing else.
"""

from __future__ import annotations

__all__ = ["Calendar", "EValues", "Weights", "analyse_calendar", "analyse_e_values", "analyse_weights", "too_few_effective"]

import numpy as np
import pandas as pd

from lib.analyses.cohort.baseline import as_declared, typed_baseline
from lib.analyses.cohort.flow import analyse_enrolment
from lib.analyses.efficacy.survival import Survival
from lib.analyses.policy import withhold
from lib.analyses.result import Absent, Analysis, absent_if_absent
from lib.analyses.scale import left_at_risk
from lib.dataset import timing
from lib.dataset.dataset import Dataset
from lib.dataset.derived import baseline_frame
from lib.statistics import balance
from lib.statistics.comparisons import name_pair
from lib.statistics.models import cox
from lib.statistics.weighting import propensity, weighted_rmst
from lib.study.parts import own

# Below ten effective patients in an arm the robust standard error of a weighted model is too small to be believed
# (Fay and Graubard, Biometrics 2001;57:1198-1206, on sandwich estimators in small samples).
MIN_EFFECTIVE = 10
COMPARISONS = ("weighted_cox", "weighted_rmst", "unweighted_cox")
# Of the interval of the weighted difference in means.
SEED, N_RESAMPLES = 20250228, 2000


def too_few_effective(sizes: pd.DataFrame) -> pd.Series:
    """Which arms hold too few effective patients after weighting for a conclusion."""
    return (sizes["ess"] < MIN_EFFECTIVE) | (sizes["ess"] < sizes["n"] / 2)


class Weights(Analysis):
    """An endpoint after weighting for the declared confounders."""


@absent_if_absent
def analyse_weights(data: Dataset, analysis: Survival) -> Weights | Absent:
    """Compare the arms after weighting for the declared covariates.

    Parameters
    ----------
    data : Dataset
    analysis : Survival
        Of `time_to_event.analyse`.

    Returns
    -------
    Weights
        `propensity` (coefficients; `variable` is the term), `balance_before`, `balance_after` (standardized
        differences of every baseline variable, the weighted patients only), `effective_size` (n, n_missing, ess by
        arm), `weighted_cox` (each arm vs the reference arm, robust interval), `weighted_rmst` (difference in restricted
        means, bootstrap interval), `unweighted_cox` (the same patients), `weighted_at_risk` (they, unweighted, at the ticks of the figure).
        Data: `patients` (baseline, weight), `scores` (a column per arm), `weighted_curve`. `Absent` where no covariate is declared, there
        is one arm, or the propensity cannot be estimated.
    """
    if len(data.arms) < 2:
        return Absent("With one arm there is nothing to weight.")
    if data.study.confounding is None and data.study.by_design.by_chance:
        return Absent("The arms were formed by chance, so the comparison is not weighted.")
    if data.study.confounding is None:
        return Absent("This study declares no covariates that may confound, so the comparison is not weighted.")
    level, patients = data.parameters.level, typed_baseline(data, baseline_frame(data))
    patients = patients[patients.index.isin(analysis["tte"].index)].copy()
    covariates = data.study.confounding.covariates
    names = {own(c.variable): own(f"log {c.variable}" if c.log else c.variable) for c in covariates}
    for column in (own(c.variable) for c in covariates if c.log):
        patients[names[column]] = np.log(patients[column].where(patients[column] > 0))
    kept = patients[patients[list(names.values())].notna().all(axis=1)]
    if empty := [arm.label for arm in data.arms if not (kept["arm"] == arm.id).any()]:
        return Absent(f"The comparison cannot be weighted: nobody with {' or '.join(empty)} has a known time and all covariates.")
    try:
        scores, terms = propensity.estimate_propensity(
            kept, list(names.values()), data.reference, level
        )
    except ValueError as error:
        return Absent(f"The comparison cannot be weighted: {error}.")
    kept = kept.assign(weight=propensity.make_overlap_weights(scores, kept["arm"]))
    # Both frames hold the patients of the data set in its order, so their rows need not be looked up by id.
    tte = kept.assign(**analysis["tte"].loc[kept.index, ["time", "event"]]).reset_index(drop=True)
    variables = list(dict.fromkeys([*names.values(), *(v.column for v in data.study.baseline if v.column not in names)]))
    before, after = (
        balance.compare_balance(kept, variables, reference=data.reference, weight=w) for w in (None, "weight")
    )
    frames = {
        "propensity": as_declared(terms.rename(columns={"term": "variable"})),
        "balance_before": as_declared(before.assign(method=before["method"] + ", before weighting")),
        "balance_after": as_declared(after.assign(method=after["method"] + ", overlap weights")),
        "effective_size": _effective_size(data, patients, kept),
        "weighted_cox": cox.estimate_weighted_cox(tte, data.reference, level=level).drop(columns="naive_std_err"),
        "weighted_rmst": _weighted_rmst(data, analysis.variable, tte, list(names.values())),
        "weighted_at_risk": left_at_risk(data, tte, tte["time"].max()),
        "unweighted_cox": cox.estimate_cox(tte, data.reference, level=level).terms,
    }
    frames |= {name: withhold(data, tte, frames[name]) for name in COMPARISONS}
    curve = propensity.estimate_weighted_curve(tte)
    return Weights(data, analysis.variable, frames, {"patients": kept, "scores": scores, "weighted_curve": curve})


def _weighted_rmst(data: Dataset, variable: str, patients: pd.DataFrame, covariates: list[str]) -> pd.DataFrame:
    endpoint = data.study.endpoint(variable)
    return weighted_rmst.bootstrap_weighted_rmst(
        patients, covariates, data.reference, endpoint.tau,
        level=data.parameters.level, n_resamples=N_RESAMPLES, seed=SEED,
    )  # fmt: skip


def _effective_size(data: Dataset, patients: pd.DataFrame, kept: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for arm in (arm.id for arm in data.arms):
        own, every = kept[kept["arm"] == arm], patients[patients["arm"] == arm]
        ess = balance.effective_sample_size(own["weight"]) if len(own) else np.nan
        rows.append({"group": arm, "n": len(own), "n_missing": len(every) - len(own), "ess": ess})
    return pd.DataFrame(rows).assign(method="effective sample size (Kish) under overlap weights")


class EValues(Analysis):
    """How strong an unmeasured confounder would have to be."""


@absent_if_absent
def analyse_e_values(data: Dataset, analysis: Survival) -> EValues | Absent:
    """How strong an unmeasured confounder would have to be: `e_value` for each arm vs the reference arm.

    `Absent` for one arm, or where the arms were formed by chance.
    """
    if len(data.arms) < 2:
        return Absent("With one arm there is no comparison that a confounder could explain.")
    if not data.study.by_design.may_be_confounded:
        return Absent("The arms were formed by chance, so no E-value is computed: nothing unmeasured led to a treatment.")
    model = analysis["cox"]
    groups = [name_pair(arm.id, data.reference) for arm in data.arms if arm.id != data.reference]
    share = float(analysis["tte"]["event"].mean())
    model = model[model["group"].isin(groups)]
    values = [propensity.estimate_e_value(r.hr, r.ci_low, r.ci_high, share) for r in model.itertuples()]
    found = pd.DataFrame(values, columns=["e_value", "e_value_limit"], index=model.index)
    found = pd.concat([model[["group", "hr", "ci_low", "ci_high", "note"]], found], axis=1)
    return EValues(
        data, analysis.variable, {"e_value": found.assign(method="E-value of the hazard ratio (VanderWeele and Ding)")}
    )


class Calendar(Analysis):
    """When the arms were treated."""


def analyse_calendar(data: Dataset) -> Calendar | Absent:
    """When patients of each arm started, and the days between the components of a combination.

    Returns
    -------
    Calendar
        `enrolment` as in `analyse_enrolment`; `component_gap`: days between the first and the last
        start of the components, per arm that combines them (`count`: on the same day). `Absent` without dates.
    """
    enrolment = analyse_enrolment(data)
    if isinstance(enrolment, Absent):
        return Absent(
            "This study holds no dates, so neither calendar time nor the time between components can be shown."
        )
    frames = {"enrolment": enrolment["enrolment"]}
    if not timing.why_no_components(data):
        gaps = timing.component_frame(data)
        found = balance.estimate_quantiles(gaps, ["gap_days"]).drop(columns="variable")
        found = found[(found["n"] > 0) & (found["group"] != "overall")]
        same = gaps[gaps["gap_days"] == 0].groupby("arm", observed=False).size()
        frames["component_gap"] = found.assign(
            count=[int(same.get(group, 0)) for group in found["group"]],
            method="days between the starts of the components",
        )
    return Calendar(data, "", frames)
