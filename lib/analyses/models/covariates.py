"""The covariates of a regression as columns: in the step in which they are read, categories as declared levels."""

from __future__ import annotations

__all__ = ["NONE_DECLARED", "declared_covariates", "model_frame", "said_step"]

import numpy as np
import pandas as pd

from lib.analyses.cohort.baseline import typed_baseline
from lib.dataset.dataset import Dataset
from lib.dataset.derived import baseline_frame
from lib.languages.speech import _
from lib.study.inference.models import ModelCovariate
from lib.study.parts import DAYS, own

# Units that stand in the plural; others ("mg/dL") have one form.
ONE = {unit: unit.removesuffix("s") for unit in DAYS}
NONE_DECLARED = (
    "no covariates are declared, and which ones are held alike decides the answer; name them under models "
    "in study.yml, best before the data are seen"
)


def declared_covariates(data: Dataset) -> tuple[ModelCovariate, ...]:
    """The covariates that are held alike: those of `models`, else those of `confounding`, else none."""
    study = data.study
    if study.models:
        return study.models.covariates
    return tuple(ModelCovariate(variable=c.variable, log=c.log) for c in (study.confounding.covariates if study.confounding else ()))


def model_frame(data: Dataset, tte: pd.DataFrame, covariates: tuple[ModelCovariate, ...]) -> pd.DataFrame:
    """Covariates beside an outcome.

    Parameters
    ----------
    data : Dataset
    tte : DataFrame, index patient_id
        Anything per patient: times and events, or a response.
    covariates : tuple of ModelCovariate

    Returns
    -------
    DataFrame
        `tte` with a column ``own.<variable>`` per covariate: a number in its step (a logarithm to the base of its step;
        NaN where it is missing or, for a logarithm, not above 0), or a category of the declared levels.
    """
    patients = typed_baseline(data, baseline_frame(data)).reindex(tte.index)
    columns = {}
    for covariate in covariates:
        values = patients[own(covariate.variable)]
        if covariate.log:
            columns[own(covariate.variable)] = np.log(values.where(values > 0)) / np.log(covariate.per)
        elif data.study.variable(covariate.variable).type == "category":
            columns[own(covariate.variable)] = values
        else:
            columns[own(covariate.variable)] = values / covariate.per
    return tte.assign(**columns)


def said_step(data: Dataset, covariate: ModelCovariate) -> str:
    """What an estimate of a number is for: "per doubling", "per 10 years", "per year"; "" for a category."""
    variable = data.study.variable(covariate.variable)
    if variable.type == "category":
        return ""
    if covariate.log:
        return _("per doubling") if covariate.per == 2 else _("per factor of {per}", per=f"{covariate.per:g}")
    if covariate.per == 1:
        return _("per {unit}", unit=_(ONE[variable.unit]) if variable.unit in ONE else variable.unit or "1")
    return _("per {number} {unit}", number=f"{covariate.per:g}", unit=variable.unit).rstrip()
