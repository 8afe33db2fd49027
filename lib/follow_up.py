"""How complete the follow-up is: observed over potential time, and who was last seen long before the cut-off."""

from __future__ import annotations

__all__ = ["analyse_completeness"]

import pandas as pd

from lib import proportions
from lib.analysis import Absent, Analysis
from lib.dataset import Dataset
from lib.derivation import time_to_event_frame
from lib.study_parts import Endpoint

CLARK = "completeness index (Clark): observed over potential person-time, an event counting as complete"


def analyse_completeness(data: Dataset, endpoint: Endpoint | None) -> Analysis | Absent:
    """Completeness of follow-up for one endpoint.

    Everybody without an event could have been followed until the data cut-off; the index is the time that was
    observed over the time that could have been, 1 when nobody was lost.

    Parameters
    ----------
    data : Dataset
    endpoint : Endpoint or None
        Derived from dates; None in a study that declares none.

    Returns
    -------
    Analysis
        `follow_up_completeness` (`estimate`, `person_time` and `person_time_potential` in the study's unit, per arm
        and overall), `follow_up_lost` (patients censored more than `policy.lost_after_days` before the cut-off, of
        all analysed).

    References
    ----------
    Clark TG, Altman DG, De Stavola BL. Lancet 2002;359:1309-1310.
        R: ``sum(time) / sum(ifelse(event, time, cutoff - start))``
    """
    if endpoint is None:
        return Absent("This study declares no time-to-event endpoint.")
    if not endpoint.derived or data.cutoff is None:
        return Absent("The study holds no calendar dates or no data cut-off, so completeness cannot be judged.")
    tte = time_to_event_frame(data, endpoint)
    per_unit = data.study.time.days_per_unit
    until_cutoff = (pd.Timestamp(data.cutoff) - tte["time_zero"]).dt.days / per_unit
    tte["potential"] = tte["time"].where(tte["cause"] != 0, until_cutoff)
    tte["lost"] = (tte["potential"] - tte["time"]) * per_unit > data.study.policy.lost_after_days
    return Analysis(endpoint.id, {"follow_up_completeness": _completeness(data, tte), "follow_up_lost": _lost(tte)})


def _completeness(data: Dataset, tte: pd.DataFrame) -> pd.DataFrame:
    groups = [(arm.id, tte[tte["arm"] == arm.id]) for arm in data.arms]
    groups += [("overall", tte)] if len(groups) > 1 else []
    rows = []
    for group, part in groups:
        observed, potential = float(part["time"].sum()), float(part["potential"].sum())
        index = observed / potential if potential > 0 else float("nan")
        rows.append((group, len(part), index, observed, potential, "" if potential > 0 else "not estimable: no time"))
    columns = ["group", "n", "estimate", "person_time", "person_time_potential", "note"]
    return pd.DataFrame(rows, columns=columns).assign(method=CLARK)


def _lost(tte: pd.DataFrame) -> pd.DataFrame:
    counts = proportions.estimate_proportion(proportions.count_outcome(tte[["arm", "lost"]], "lost"))
    return counts.drop(columns=["ci_low", "ci_high"]).assign(method="count of patients", note="")
