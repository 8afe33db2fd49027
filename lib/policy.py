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

from lib.comparisons import adjust_holm
from lib.event_table import OVERALL
from lib.study_parts import Policy

# All that a comparison says; counts, `tau` and what was done (`method`) stay.
COMPARED = (
    *("estimate", "difference", "hr", "coef", "std_err", "ci_low", "ci_high"),
    *("statistic", "chisq", "df", "p_value", "p_adjusted", "mc_error", "min", "max"),
)


def too_few(n_events: int, policy: Policy) -> str:
    """Why so many events are not compared: "fewer than 5 events"; "" where they are enough."""
    least = policy.min_events
    return f"fewer than {least} event{'s' if least > 1 else ''}" if n_events < least else ""


def withhold(compared: pd.DataFrame, tte: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Take what a comparison says out of the rows that rest on too few events.

    Parameters
    ----------
    compared : DataFrame, one row per comparison
        `group`: ``overall`` (all arms) or ``x vs y``; `note`, and columns of `COMPARED`.
    tte : DataFrame, one row per patient who is compared
        `arm`, `event` (True = event).
    policy : Policy

    Returns
    -------
    DataFrame
        As `compared`, with NaN and the reason in `note`. `p_adjusted` counts the tests that are left. A row that said
        nothing keeps its own reason.
    """
    events = tte.loc[tte["event"].astype(bool), "arm"].astype(str).value_counts()
    counts = [
        events.sum() if g == OVERALL else sum(events.get(arm, 0) for arm in g.split(" vs ")) for g in compared["group"]
    ]
    reasons = np.array([too_few(count, policy) for count in counts], dtype=object)
    columns = [column for column in COMPARED if column in compared]
    held = (reasons != "") & compared[columns].notna().any(axis=1).to_numpy()
    left = compared.astype(dict.fromkeys(columns, float))
    left.loc[held, columns] = np.nan
    left.loc[held, "note"] = [f"not compared: {reason}" for reason in reasons[held]]
    return left.assign(p_adjusted=adjust_holm(left["p_value"])) if "p_adjusted" in left else left
