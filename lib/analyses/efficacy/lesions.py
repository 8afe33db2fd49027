"""Volumes of single lesions from a model that knows which lesions share a patient.

Lesions of one patient are alike; counted as if they were patients they would promise more than they hold. The total
volume per patient is in markers and stays the main analysis.
"""

from __future__ import annotations

__all__ = ["Lesions", "analyse_lesions"]

from collections.abc import Sequence

from lib.analyses.efficacy.marker_models import Ratios
from lib.analyses.result import Absent, requires
from lib.dataset.course import lesion_frame
from lib.dataset.dataset import Dataset
from lib.dataset.derived import LESION_VOLUME
from lib.statistics.models import mixed
from lib.statistics.survival.event_table import OVERALL

# The degrees of freedom need a matrix of values x values; beyond this they would take minutes and change nothing.
MOST_VALUES = 3000
COUNTED = "patients with several target lesions; mixed model of lesions"


class Lesions(Ratios):
    """Volume of single lesions, by a model of measurements."""


@requires("lesions", "measurements")
def analyse_lesions(data: Dataset, visits: Sequence[float]) -> Lesions | Absent:
    """Ratio of the volume of a lesion to its baseline, by arm and visit.

    Parameters
    ----------
    data : Dataset
    visits : sequence of float
        Visits after the baseline, in the study's time unit.

    Returns
    -------
    Lesions
        `lesion_volume_model_ratio`, `_model_count` (lesions with a volume, per arm and visit), `_model_term`, `_model_variance` (`var_between` patients, `var_lesions` of a
        patient, `var_within` lesions), with two arms or more `_model_comparison`; `lesion_volume_several` (patients
        with several target lesions). `Absent` where no patient has several or the data do not determine the model.
        R: ``lmer(log(volume) ~ arm * factor(visit) + (1 | patient / lesion), REML = TRUE)``
    """
    samples = lesion_frame(data)
    samples = samples[samples["visit"].isin([0.0, *visits])]
    lesions = samples.groupby("patient_id")["lesion_id"].nunique()
    why = _unfit(samples, lesions)
    fit = None if why else mixed.fit_mixed(samples, visit="visit", within="lesion_id")
    if why or not fit.model.is_fitted:
        return Absent(f"Single lesions are not modelled: {why or fit.model.note.removeprefix('not estimable: ')}.")
    level, name = data.parameters.level, LESION_VOLUME
    terms = mixed.compare_terms(fit)
    frames = {
        f"{name}_model_ratio": mixed.estimate_ratios(fit, level=level),
        f"{name}_model_count": mixed.count_values(fit).assign(unit="lesions"),
        f"{name}_model_term": terms.assign(variable=name + ": " + terms["term"]),
        f"{name}_model_variance": mixed.estimate_variance(fit).assign(
            method=fit.method, unit="measurements of lesions"
        ),
        f"{name}_several": _several(data, lesions),
    }
    if len(data.arms) > 1:
        frames[f"{name}_model_comparison"] = mixed.compare_ratios(fit, data.reference, level=level)
    return Lesions(data, name, frames, {"samples": samples.assign(choice="all")})


def _unfit(samples, lesions) -> str:
    """Why there is nothing to model, or ""."""
    if samples.empty or (lesions < 2).all():
        return "no patient has two target lesions, so the total volume per patient says the same"
    if samples["visit"].nunique() < 2 or samples["visit"].min() != 0:
        return "no volumes at baseline and at a later visit"
    if len(samples) > MOST_VALUES:
        return f"{len(samples)} volumes are more than the {MOST_VALUES} that the model takes; the total volume per patient stands in its place"
    return ""


def _several(data: Dataset, lesions):
    """Patients with two target lesions or more, of those with one, by arm and overall."""
    arm = data.patients.set_index("patient_id")["arm"].reindex(lesions.index)
    counts = (lesions >= 2).groupby(arm, observed=False).agg(n="size", count="sum").rename(index=str)
    if len(data.arms) > 1:
        counts.loc[OVERALL] = counts.sum()
    return counts.rename_axis("group").reset_index().astype({"n": int, "count": int}).assign(method=COUNTED, note="")
