"""Who belongs to which analysis population, and how each patient's part in the study ended."""

from __future__ import annotations

__all__ = ["NOT_RECORDED", "Populations", "analyse_populations"]

import pandas as pd

from lib.analyses.result import Absent, Analysis
from lib.dataset.dataset import Dataset
from lib.statistics import proportions

NOT_RECORDED = "not recorded"


class Populations(Analysis):
    """Patients by population and disposition."""


def analyse_populations(data: Dataset) -> Populations | Absent:
    """Count the patients of each population, and of each way in which a part in the study ended.

    Parameters
    ----------
    data : Dataset

    Returns
    -------
    Populations
        `population` (patients who belong to it; `variable` is its id) and `disposition` (patients by what study.yml lists,
        and those of whom nothing is recorded; `variable` is the code), each of all analysed, by arm and overall. Absent
        where study.yml declares neither.
    """
    patients, frames = data.patients, {}
    if data.study.populations:
        inside = {p.id: patients[p.flag] == p.inside for p in data.study.populations}
        frames["population"] = _shares(patients, inside, "patients of the population")
    ended = data.study.disposition
    if ended is not None:
        how = patients[ended.flag].astype(object).fillna(NOT_RECORDED)
        names = dict.fromkeys([*(level.value for level in ended.levels), *([NOT_RECORDED] if how.eq(NOT_RECORDED).any() else [])])
        frames["disposition"] = _shares(patients, {name: how == name for name in names}, "patients by disposition")
    return Populations(data, "", frames) if frames else Absent("This study declares no analysis populations and no disposition.")


def _shares(patients: pd.DataFrame, belongs: dict[str, pd.Series], method: str) -> pd.DataFrame:
    parts = []
    for name, flag in belongs.items():
        counts = proportions.count_outcome(patients[["arm"]].assign(belongs=flag.astype(bool)), "belongs")
        parts.append(proportions.estimate_proportion(counts).drop(columns=["ci_low", "ci_high"]).assign(variable=name, method=method))
    return pd.concat(parts, ignore_index=True)
