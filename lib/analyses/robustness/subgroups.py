"""Does a comparison of arms hold within the declared subgroups? Hazard ratio or difference per level, and tests of interaction."""

from __future__ import annotations

__all__ = ["ResponseSubgroups", "Subgroups", "analyse_response_subgroups", "analyse_subgroups", "levels_of"]

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from lib.analyses.efficacy.survival import Survival
from lib.analyses.policy import too_few, withhold
from lib.analyses.result import Absent, Analysis, absent_if_absent, requires
from lib.dataset.dataset import Dataset
from lib.dataset.derived import response_frame
from lib.statistics import proportions
from lib.statistics.comparisons import count_below, name_pair
from lib.statistics.models import cox, logistic
from lib.statistics.multivariable.interaction import compare_levels
from lib.statistics.survival.event_table import OVERALL
from lib.study.parts import Subgroup, own

METHOD = "likelihood-ratio test, arm x subgroup against arm + subgroup (Cox regression, Efron ties)"


class Subgroups(Analysis):
    """An endpoint within subgroups, and the interactions."""


@absent_if_absent
def analyse_subgroups(data: Dataset, analysis: Survival) -> Subgroups | Absent:
    """Hazard ratio of the focus arm against the reference arm in every declared subgroup.

    Parameters
    ----------
    data : Dataset
    analysis : Survival
        Of `time_to_event.analyse`.

    Returns
    -------
    Subgroups
        `subgroup_count`: n and n_events of the two arms per level; `subgroup`: hr, interval per level, with the pair
        as group, from the model of all arms within the level; `variable` is "endpoint: subgroup: level" (for all
        patients "endpoint: all"). `interaction`: likelihood-ratio test per subgroup over all arms; `variable` is
        "endpoint: subgroup"; `interaction_tests`: how many of these were made. A row that cannot be estimated has NaN and a note. `Absent` without subgroups or with
        one arm. R: ``anova(coxph(S ~ arm + g), coxph(S ~ arm * g))``.
    """
    if absent := _why_none(data):
        return absent
    tte, name = analysis["tte"], analysis.variable
    outcome = tte[["arm", "time", "event"]]
    ratios, counts, tests = [_ratio(data, tte).assign(variable=f"{name}: all")], [], []
    counts.append(_counts(data, tte).assign(variable=f"{name}: all"))
    for subgroup in data.study.subgroups:
        levels = list(levels_of(subgroup, tte, data))
        for level, inside in levels:
            variable = f"{name}: {subgroup.id}: {level}"
            ratios.append(_ratio(data, outcome[inside]).assign(variable=variable))
            counts.append(_counts(data, outcome[inside]).assign(variable=variable))
        tests.append(_interaction(data, outcome, levels).assign(variable=f"{name}: {subgroup.id}"))
    frames = {"subgroup": ratios, "subgroup_count": counts, "interaction": tests}
    found = {output: pd.concat(rows, ignore_index=True) for output, rows in frames.items()}
    return Subgroups(data, name, found | {"interaction_tests": count_below(found["interaction"]["p_value"])})


def _why_none(data: Dataset) -> Absent | None:
    if len(data.arms) < 2:
        return Absent("With one arm there is no comparison to look at in subgroups.")
    return None if data.study.subgroups else Absent("This study declares no subgroups.")


class ResponseSubgroups(Analysis):
    """Objective response within subgroups, and the interactions."""


@requires("lesions", "measurements")
def analyse_response_subgroups(data: Dataset, visits: Sequence[float]) -> ResponseSubgroups | Absent:
    """Difference in objective response between focus and reference arm in every declared subgroup, at the first visit.

    Parameters
    ----------
    data : Dataset
    visits : sequence of float
        Response visits, in the study's time unit; the earliest is shown.

    Returns
    -------
    ResponseSubgroups
        `response_subgroup_count`: count and n (all treated who were due) of the two arms per level;
        `response_subgroup`: difference with the Miettinen-Nurminen interval; `response_interaction`: exact test per
        subgroup over all arms, in large studies the likelihood-ratio test (`logistic.compare_interaction`);
        `response_interaction_tests`: how many were made; `variable` as in `analyse_subgroups`, `time` the visit.
    """
    if absent := _why_none(data) or (None if visits else Absent("This study declares no response visit.")):
        return absent
    visit = min(visits)
    patients = data.patients.reset_index(drop=True).drop(columns=["response", "responder"], errors="ignore")
    derived = response_frame(data, visit).set_index("patient_id")[["response", "responder"]]
    patients = patients.join(derived, on="patient_id")
    patients = patients[patients["response"] != "not due"]
    ratios, counts, tests = [], [], []
    for variable, inside in [("response: all", pd.Series(True, patients.index)), *_named_levels(data, patients)]:
        rows = proportions.count_outcome(patients[inside], "responder")
        counts.append(rows[rows["group"].isin(data.contrast)].assign(variable=variable, method="count of patients"))
        found = proportions.estimate_risk_difference(rows, data.reference, level=data.parameters.level)
        ratios.append(found[found["group"] == name_pair(*data.contrast)].assign(variable=variable))
    for subgroup in data.study.subgroups:
        parts = {level: proportions.count_outcome(patients[inside], "responder") for level, inside in levels_of(subgroup, patients, data)}
        tests.append(logistic.compare_interaction(parts, _labels(data)).assign(variable=f"response: {subgroup.id}"))
    frames = {"subgroup": ratios, "subgroup_count": counts, "interaction": tests}
    found = {f"response_{output}": pd.concat(rows, ignore_index=True).assign(time=visit) for output, rows in frames.items()}
    made = count_below(found["response_interaction"]["p_value"])
    return ResponseSubgroups(data, "response", found | {"response_interaction_tests": made})


def _labels(data: Dataset) -> dict[str, str]:
    return {arm.id: arm.label for arm in data.arms}


def _named_levels(data: Dataset, patients: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    for subgroup in data.study.subgroups:
        for level, inside in levels_of(subgroup, patients, data):
            yield f"response: {subgroup.id}: {level}", inside


def levels_of(subgroup: Subgroup, tte: pd.DataFrame, data: Dataset) -> Iterator[tuple[str, pd.Series]]:
    """Name of each level, as a parameter names it, and its patients."""
    values = tte[own(subgroup.variable)]
    if subgroup.cut is not None:
        yield f"<{subgroup.cut:g}", (values < subgroup.cut).fillna(False).astype(bool)
        yield f">={subgroup.cut:g}", (values >= subgroup.cut).fillna(False).astype(bool)
        return
    for level in data.study.variable(subgroup.variable).levels:
        yield level.value, (values.astype("string") == level.value).fillna(False).astype(bool)


def _counts(data: Dataset, tte: pd.DataFrame) -> pd.DataFrame:
    rows = [
        (arm, int((tte["arm"] == arm).sum()), int(tte.loc[tte["arm"] == arm, "event"].sum())) for arm in data.contrast
    ]
    return pd.DataFrame(rows, columns=["group", "n", "n_events"]).assign(method="count of patients")


def _ratio(data: Dataset, tte: pd.DataFrame) -> pd.DataFrame:
    """Hazard ratio of the contrast from the model of all arms, or why there is none."""
    pair, counts = name_pair(*data.contrast), _counts(data, tte)
    found = cox.estimate_cox(tte, data.reference, level=data.parameters.level).terms
    found = found[found["group"] == pair][["group", "hr", "ci_low", "ci_high", "method", "note"]]
    empty = [data.study.arm(arm).label for arm in counts.loc[counts["n"] == 0, "group"]]
    if empty:
        nothing = dict.fromkeys(("hr", "ci_low", "ci_high"), np.nan)
        return found.assign(**nothing, note=f"not estimable: no patient with {' or '.join(empty)}")
    return withhold(data, tte, found)


def _interaction(data: Dataset, tte: pd.DataFrame, levels: list[tuple[str, pd.Series]]) -> pd.DataFrame:
    present = [(level, inside) for level, inside in levels if inside.any()]
    found = {"group": OVERALL, "chisq": np.nan, "df": np.nan, "p_value": np.nan, "method": METHOD}
    if len(present) < 2:
        return pd.DataFrame([found | {"note": "not tested: one level only"}])
    known = np.logical_or.reduce([inside.to_numpy() for _, inside in present])
    if few := too_few(data, tte[known]):
        return pd.DataFrame([found | {"note": f"not tested: {few}"}])
    events = pd.DataFrame(
        {level: tte[inside].groupby("arm", observed=False)["event"].sum() for level, inside in present}
    )
    for level in events:
        quiet = [data.study.arm(str(arm)).label for arm in events.index[events[level] == 0]]
        if quiet:
            # The likelihood then has its maximum at infinity, where a chi-square approximation means nothing.
            return pd.DataFrame(
                [found | {"note": f"not tested: no event with {' or '.join(quiet)} in one of the levels"}]
            )
    test = compare_levels(tte[known], data.reference, {level: inside[known] for level, inside in present}).test
    if np.isnan(test["chisq"]):
        return pd.DataFrame([found | {"note": "not tested: too few events for a model with the interaction"}])
    return pd.DataFrame([found | test | {"note": ""}])
