"""Comparing survival by something that happens after time zero (a response, say): from a landmark on only.

Comparing it from time zero would credit responders with the time that they had to live through to respond (immortal
time; Anderson, Cain and Gelber, J Clin Oncol 1983;1:710-719).
"""

from __future__ import annotations

__all__ = ["compare_from_landmark", "select_landmark"]

import pandas as pd

from lib.statistics.survival.event_table import TOLERANCE, check_tte
from lib.statistics.survival.logrank import compare_logrank


def select_landmark(tte: pd.DataFrame, by: str, landmark: float | None) -> pd.DataFrame:
    """Patients still event-free and followed after the landmark, grouped by what was known then, clock restarted.

    Parameters
    ----------
    tte : DataFrame, one row per patient
        `arm`, `time`, `event`, and the column `by`.
    by : str
        Column with the post-baseline group; ordered categorical, or its values are sorted. Must be known at the
        landmark. Patients for whom it is missing are left out.
    landmark : float
        In the endpoint's unit.

    Returns
    -------
    DataFrame
        A time-to-event frame for every function of this library: `arm` holds the groups of `by`, `time` counts from
        the landmark (> 0); the arm of the study stays in `study_arm`.

    Raises
    ------
    ValueError
        If no landmark is given, it is not positive, or `by` is no column.
    """
    check_tte(tte)
    if by not in tte:
        raise ValueError(f"{by!r} is not a column of the frame: {list(tte.columns)}")
    if landmark is None:
        raise ValueError(
            f"survival by {by!r} needs a landmark: the group is known only after time zero, and patients had to "
            "survive until then to get into it, so a comparison from time zero favours them whatever the treatment does"
        )
    if not landmark > 0:
        raise ValueError(f"the landmark must be a time > 0, but found {landmark!r}")
    rows = tte[(tte["time"] > landmark * (1 + TOLERANCE)) & tte[by].notna()]
    groups = rows[by] if isinstance(rows[by].dtype, pd.CategoricalDtype) else pd.Categorical(rows[by], ordered=True)
    groups = pd.Series(groups, index=rows.index)
    groups = groups.cat.rename_categories([str(name) for name in groups.cat.categories])
    return rows.assign(study_arm=rows["arm"], arm=groups, time=rows["time"] - landmark)


def compare_from_landmark(tte: pd.DataFrame, by: str, landmark: float | None = None) -> pd.DataFrame:
    """Log-rank test between post-baseline groups, from a landmark on.

    Parameters as in `select_landmark`.

    Returns
    -------
    DataFrame, one row, group ``overall``
        As `compare_logrank`, with `landmark` and `n_excluded` (event or end of follow-up up to the landmark, or group
        unknown). R: ``survdiff(Surv(time - landmark, event) ~ by, subset = time > landmark)``.

    Raises
    ------
    ValueError
        As `select_landmark`; without a landmark in particular.
    """
    rows = select_landmark(tte, by, landmark)
    found = compare_logrank(rows).assign(landmark=float(landmark), n_excluded=len(tte) - len(rows))
    return found.assign(method=f"landmark analysis at {landmark:g}, {found['method'].iat[0]}")
