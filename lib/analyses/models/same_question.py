"""What a component adds, asked in the usual ways: ever added from time zero, from a landmark, as a treatment that begins in time."""

from __future__ import annotations

__all__ = ["LANDMARK", "NAIVE", "TIME_DEPENDENT", "answer_otherwise"]

import numpy as np
import pandas as pd

from lib.analyses.policy import withhold
from lib.dataset.dataset import Dataset
from lib.statistics.models import cox
from lib.statistics.multivariable.carried import FEW
from lib.statistics.survival import kaplan_meier, landmark, rmst, time_dependent
from lib.statistics.weighting.cloning import ADDED, NOT_ADDED, PAIR
from lib.statistics.weighting.strategies import Question

NAIVE, LANDMARK, TIME_DEPENDENT = "ever added", "landmark", "time-dependent"
ADJUSTED = ", adjusted"


def answer_otherwise(data: Dataset, patients: pd.DataFrame, question: Question) -> dict[str, pd.DataFrame]:
    """Answers that do not clone.

    Parameters
    ----------
    data : Dataset
    patients : DataFrame, one row per patient
        `time`, `event`, `added` (NaN = never), in the study's unit; whoever has a covariate missing too.
    question : Question
        The end of its period is the landmark; of its patients the covariates are known.

    Returns
    -------
    dict of str to DataFrame
        `strategy_hr` (crude, and adjusted where the events allow), `strategy_risk`, `strategy_mean`; `variable` is the
        way, `group` "added vs not added".
    """
    covariates, within = question.patients[list(question.columns)], question.within
    ever = _grouped(patients, patients["added"].notna())
    late = landmark.select_landmark(_grouped(patients, patients["added"] <= within), "arm", within).drop(columns="study_arm")
    ratios = [*_ratios(data, NAIVE, ever, covariates), *_ratios(data, LANDMARK, late, covariates), *_in_time(data, patients, ever, covariates)]
    risk, mean = [], []
    for way, frame, start in ((NAIVE, ever, 0.0), (LANDMARK, late, within)):
        level, counted = data.parameters.level, {"variable": way, "n": len(frame), "n_events": int(frame["event"].sum())}
        if frame["arm"].nunique() < 2:
            continue
        share = kaplan_meier.compare_landmark(frame, [t - start for t in question.times], NOT_ADDED, level=level)
        area = rmst.compare_rmst(frame, NOT_ADDED, question.tau - start, level) if question.tau > start else pd.DataFrame(columns=["group", "contrast"])
        share[["ci_low", "ci_high"]] = share[["ci_low", "ci_high"]].clip(-1, 1)  # no more than all patients
        risk.append(withhold(data, frame, share).assign(time=list(question.times), **counted))
        mean.append(withhold(data, frame, area[area["contrast"] == "difference"]).assign(**counted))
    kept = {
        "strategy_hr": (ratios, ["variable", "group", "n", "n_events", "hr", "ci_low", "ci_high", "method", "note"]),
        "strategy_risk": (risk, ["variable", "group", "time", "n", "n_events", "difference", "ci_low", "ci_high", "method", "note"]),
        "strategy_mean": (mean, ["variable", "group", "tau", "n", "n_events", "estimate", "ci_low", "ci_high", "method", "note"]),
    }
    return {name: (pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()).reindex(columns=columns) for name, (parts, columns) in kept.items()}


def _grouped(patients: pd.DataFrame, added: pd.Series) -> pd.DataFrame:
    names = np.where(added, ADDED, NOT_ADDED)
    return patients.assign(arm=pd.Categorical(names, categories=[NOT_ADDED, ADDED], ordered=True))


def _ratios(data: Dataset, way: str, frame: pd.DataFrame, covariates: pd.DataFrame) -> list[pd.DataFrame]:
    """Hazard ratio, crude and with the covariates held alike."""
    if frame["arm"].nunique() < 2:
        note = f"not estimable: nobody is {'added' if (frame['arm'] == NOT_ADDED).all() else 'not added'}" if len(frame) else "not estimable: nobody is left"
        return [pd.DataFrame([{"variable": way, "group": PAIR, "n": len(frame), "n_events": int(frame["event"].sum()), "method": "not made", "note": note}])]
    known, level = _with(frame, covariates), data.parameters.level
    found = [cox.estimate_cox(frame, NOT_ADDED, level=level).terms.assign(variable=way)]
    if _enough(known, covariates):
        found.append(cox.estimate_cox(known, NOT_ADDED, list(covariates), level=level).terms.assign(variable=way + ADJUSTED))
    return [withhold(data, known, part[part["group"] == PAIR]) for part in found]


def _in_time(data: Dataset, patients: pd.DataFrame, ever: pd.DataFrame, covariates: pd.DataFrame) -> list[pd.DataFrame]:
    rows, known = [], _with(patients, covariates)
    asked = [(TIME_DEPENDENT, patients, [])] + ([(TIME_DEPENDENT + ADJUSTED, known, list(covariates))] if _enough(known, covariates) else [])
    for way, frame, columns in asked:
        found = time_dependent.estimate_time_dependent(frame, columns, data.parameters.level)
        rows.append(withhold(data, ever, pd.DataFrame([found | {"variable": way, "group": PAIR}])))
    return rows


def _with(frame: pd.DataFrame, covariates: pd.DataFrame) -> pd.DataFrame:
    """The patients with all covariates known, and these; one that does not vary among them is left out by the model."""
    return frame.drop(columns=[c for c in covariates if c in frame]).join(covariates, how="inner")


def _enough(known: pd.DataFrame, covariates: pd.DataFrame) -> bool:
    """Whether there are covariates, which all vary, and events enough for them and the treatment."""
    varies = len(covariates.columns) > 0 and bool((known[list(covariates)].nunique() > 1).all())
    return varies and int(known["event"].sum()) >= FEW * (len(covariates.columns) + 1)
