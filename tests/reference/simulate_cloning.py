"""Bias and coverage of clone-censor-weight where the truth is known: `PYTHONPATH=.:tests python tests/reference/simulate_cloning.py`.

Prints the rows of docs/trust.md, section "Simulated". The truth is that of 400,000 patients of whom each follows a strategy.
"""

import sys

import numpy as np
import pandas as pd
from strategy_study import MONTH, WITHIN, Truth, draw_strategy

from lib.analyses.models.immortal import LEAST_PER_COEFFICIENT
from lib.statistics.survival import kaplan_meier, rmst
from lib.statistics.weighting import strategies
from lib.statistics.weighting.cloning import ADDED, NOT_ADDED, STRATEGIES

COLUMNS, AT, TAU, MANY = ["age", "fit"], 12 * MONTH, 24 * MONTH, 400_000
# Patients -> studies, and what is drawn of them: in the small ones adding is so frequent that halves are alike.
SIZES = {27: 600, 300: 250}


def truth(design: Truth) -> tuple[float, float]:
    """True difference in shares without the event, and in restricted means (months)."""
    found = []
    for force in (NOT_ADDED, ADDED):
        time = draw_strategy(MANY, 7, Truth(design.hazard, design.ratio, design.adding, design.confounding, force))["time"]
        found.append(((time > AT).mean(), np.minimum(time, TAU).mean() / MONTH))
    return found[1][0] - found[0][0], found[1][1] - found[0][1]


def naive(patients: pd.DataFrame) -> list[tuple]:
    """Ever added from time zero: estimate and limits of both differences."""
    arm = pd.Categorical(np.where(patients["added"].notna(), ADDED, NOT_ADDED), categories=STRATEGIES)
    frame = patients.assign(arm=arm)
    share = kaplan_meier.compare_landmark(frame, [AT], NOT_ADDED).iloc[0]
    mean = rmst.compare_rmst(frame, NOT_ADDED, TAU).iloc[0]
    return [(share["difference"], share["ci_low"], share["ci_high"]), tuple(mean[["estimate", "ci_low", "ci_high"]] / MONTH)]


def cloned(patients: pd.DataFrame, percentile: float | None) -> list[tuple]:
    """The same of both strategies, refused as a report refuses it."""
    early = patients["added"] <= WITHIN
    if min(early.sum(), (~early & (patients["time"] > WITHIN)).sum()) < LEAST_PER_COEFFICIENT * len(COLUMNS):
        return [(np.nan,) * 3] * 2
    found = strategies.bootstrap_strategies(strategies.Question(patients, COLUMNS, WITHIN, [AT], TAU), percentiles=[percentile], n_resamples=200)[0]
    risk, mean = found["risk"].iloc[0], found["mean"].iloc[0]
    return [(risk["difference"], risk["ci_low"], risk["ci_high"]), tuple(mean[["estimate", "ci_low", "ci_high"]].astype(float) / MONTH)]


def main() -> None:
    """Print a row per size and method."""
    design = Truth()
    true = truth(design)
    print("truth", true, file=sys.stderr)
    for n, many in SIZES.items():
        drawn = [draw_strategy(n, seed).assign(fit=lambda rows: (rows["fit"] == "yes").astype(float)) for seed in range(many)]
        ways = {
            "ever added, from time zero": [naive(one) for one in drawn],
            "clone-censor-weight": [cloned(one, None) for one in drawn],
            "the same, weights truncated": [cloned(one, strategies.PERCENTILE) for one in drawn],
        }
        for way, found in ways.items():
            values = np.array(found, dtype=float)  # study, difference, (estimate, low, high)
            known = ~np.isnan(values).any(axis=(1, 2))
            bias = np.nanmean(values[known, :, 0], axis=0) - true
            inside = ((values[known, :, 1] <= true) & (true <= values[known, :, 2])).mean(axis=0)
            print(f"| {way} | {n} | {known.mean():.0%} of {many} | {100 * bias[0]:+.1f} of {100 * true[0]:+.1f} | {inside[0]:.0%} | {bias[1]:+.2f} of {true[1]:+.2f} | {inside[1]:.0%} |", flush=True)


if __name__ == "__main__":
    main()
