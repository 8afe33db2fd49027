"""A hazard ratio before and after a declared time, where one number may not do for the whole follow-up."""

from __future__ import annotations

__all__ = ["AFTER", "BEFORE", "Periods", "compare_periods", "split_at"]

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from lib.statistics.comparisons import name_pair
from lib.statistics.multivariable.nested import compare_models, contrast, fit_model
from lib.statistics.survival.event_table import arm_names

BEFORE, AFTER = "before", "after"
PERIOD, LATER = "period", "later {}"


class Periods(NamedTuple):
    """`ratios` : one row per period and pair (`period`, `group`, `n`, `n_events`, `hr`, `ci_low`, `ci_high`); `test` : chisq, df, p_value."""

    ratios: pd.DataFrame
    test: dict[str, float]


def split_at(tte: pd.DataFrame, at: float, strata: str | None = None) -> pd.DataFrame:
    """One row per patient and period, with the patient's outcome in it; an event at that very time is before it.

    `period` names what has a baseline hazard of its own: whoever is followed later enters then, so that a period is a
    stratum. R: ``survSplit(Surv(time, event) ~ ., tte, cut = at)``.
    """
    early = tte.assign(time=np.minimum(tte["time"], at), event=tte["event"].astype(bool) & (tte["time"] <= at), **{PERIOD: BEFORE})
    rows = pd.concat([early, tte[tte["time"] > at].assign(**{PERIOD: AFTER})], ignore_index=True)
    stratum = rows[PERIOD] if strata is None else rows[PERIOD] + ": " + rows[strata].astype(str)
    return rows.assign(stratum_of_period=stratum)


def compare_periods(
    tte: pd.DataFrame, reference: str, covariates: Sequence[str], at: float, *, level: float = 0.95, strata: str | None = None
) -> Periods:
    """Hazard ratio of each arm before and after a time, everything else held alike over the whole follow-up.

    Parameters
    ----------
    tte : DataFrame, one row per patient
        `arm`, `time`, `event` and the columns of `covariates`, none of them missing.
    at : float
        In the unit of `time`.

    Returns
    -------
    Periods
        `n`: patients of both arms under observation when the period begins; `n_events`: their events in it. NaN where an
        arm has no event in a period.

    Notes
    -----
    R: ``coxph(Surv(start, time, event) ~ arm + x + arm:after)`` of the split rows, and ``anova`` against it without the
    last term.
    """
    rows = split_at(tte, at, strata)
    others = [arm for arm in arm_names(tte) if arm != reference]
    later = {LATER.format(j): ((rows["arm"] == arm) & (rows[PERIOD] == AFTER)).astype(float) for j, arm in enumerate(others)}
    rows = rows.assign(**later)
    smaller, larger = (fit_model(rows, reference, names, "stratum_of_period") for names in ([*covariates], [*covariates, *later]))
    found = []
    for period in (BEFORE, AFTER):
        weights = np.zeros((len(others), len(larger.coef)))
        for j, arm in enumerate(others):
            weights[j, larger.place(f"arm={arm}")] = 1.0
            weights[j, larger.place(LATER.format(j))] = float(period == AFTER)
        ratios = contrast(larger, weights, level)
        for j, arm in enumerate(others):
            both = rows[(rows[PERIOD] == period) & rows["arm"].isin([arm, reference])]
            sizes = {"period": period, "group": name_pair(arm, reference), "n": len(both), "n_events": int(both["event"].sum())}
            quiet = not larger.usable or not both.groupby("arm", observed=True)["event"].any().reindex([arm, reference], fill_value=False).all()
            found.append(sizes | {name: np.nan if quiet else ratios[name][j] for name in ("hr", "ci_low", "ci_high")})
    return Periods(pd.DataFrame(found), compare_models(smaller, larger))
