"""The least number of events at which arms are compared: one rule and one sentence for every output.

`policy.min_events` of study.yml. A comparison rests on the events of the arms that it compares, among the patients that
it is made of: of all arms for a test of all, of the two for a pair, within a subgroup, weighted, or from a landmark on.
With fewer, its rows keep who was counted and why there is nothing else. An interval goes with its p-value, which follows
from it as from a coefficient and its standard error. What describes an arm alone (its curve, median, mean) compares
nothing and stays; exact tests of counts and rates hold at any number and are not concerned.
"""

from __future__ import annotations

__all__ = ["too_few", "withhold"]

import numpy as np
import pandas as pd

from lib.dataset.dataset import Dataset
from lib.statistics.comparisons import adjust_holm, as_float
from lib.statistics.survival.event_table import OVERALL

# All that a comparison says; counts, `tau` and what was done (`method`) stay.
COMPARED = (
    *("estimate", "difference", "nnt", "nnt_low", "nnt_high", "hr", "coef", "std_err", "ci_low", "ci_high"),
    *("statistic", "chisq", "df", "p_value", "p_adjusted", "mc_error", "min", "max", "power"),
)


def too_few(data: Dataset, tte: pd.DataFrame, group: str = OVERALL) -> str:
    """Why arms are not compared: "fewer than 5 events"; "" where their events are enough.

    Parameters
    ----------
    data : Dataset
    tte : DataFrame, one row per patient who is compared
        `arm`, `event` (True = event).
    group : str
        ``overall`` (all arms) or ``x vs y``.
    """
    return _reason(data, _count_by_arm(tte), group)


def _count_by_arm(tte: pd.DataFrame) -> dict[str, int]:
    codes, arms = pd.factorize(tte["arm"])
    counts = np.bincount(codes[tte["event"].to_numpy(dtype=bool)], minlength=len(arms))
    return dict(zip(map(str, arms), counts.tolist(), strict=True))


def _reason(data: Dataset, events: dict[str, int], group: str) -> str:
    least = data.study.policy.min_events
    counts = [sum(events.values())] if group == OVERALL else [events.get(arm, 0) for arm in group.split(" vs ")]
    if data.parameters.audience == "share":
        # Whether arms are compared must not tell a count that is masked: it counts as one event.
        counts = [1 if 0 < count < data.study.policy.small_cell else count for count in counts]
    return f"fewer than {least} event{'s' if least > 1 else ''}" if sum(counts) < least else ""


def withhold(data: Dataset, tte: pd.DataFrame, compared: pd.DataFrame) -> pd.DataFrame:
    """Take what a comparison says out of the rows that rest on too few events.

    Parameters
    ----------
    data, tte
        As in `too_few`.
    compared : DataFrame, one row per comparison
        `group`, `note`, and columns of `COMPARED`.

    Returns
    -------
    DataFrame
        As `compared`, with NaN and the reason in `note`. `p_adjusted` counts the tests that are left. A row that said
        nothing keeps its own reason.
    """
    events = _count_by_arm(tte)
    reasons = np.array([_reason(data, events, group) for group in compared["group"]], dtype=object)
    columns = [column for column in COMPARED if column in compared]
    left = as_float(compared, columns)
    if (reasons != "").any():
        held = (reasons != "") & compared[columns].notna().any(axis=1).to_numpy()
        left.loc[held, columns] = np.nan
        left.loc[held, "note"] = [f"not compared: {reason}" for reason in reasons[held]]
    return left.assign(p_adjusted=adjust_holm(left["p_value"])) if "p_adjusted" in left else left
