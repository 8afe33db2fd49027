"""results.csv: one row per statistic shown anywhere, unrounded. The names of statistics are fixed here."""

from __future__ import annotations

__all__ = ["COLUMNS", "KEY", "STATISTICS", "to_rows"]

from typing import Any

import numpy as np
import pandas as pd

from lib.analyses.outputs import find
from lib.analyses.result import PLACES, Analysis, unit_of
from lib.show.disclosure.counts import COUNTS

COLUMNS = ["report", "output", "variable", "group", "time", "statistic", "value", "method", "unit"]
KEY = ["report", "output", "variable", "group", "time", "statistic"]

# Name -> meaning; listed in data/README.md (a test compares the two).
STATISTICS = {
    "n": "how many of the unit are in the denominator",
    "n_events": "patients with the event; for reverse Kaplan-Meier, censored patients",
    "n_censored": "patients censored",
    "n_risk": "patients at risk just before the time",
    "n_missing": "patients without a known value",
    "n_zero": "patients without any change",
    "n_patients": "patients who have these, where the unit is a lesion",
    "count": "how many of the unit have the property",
    "proportion": "count / n",
    "n_gained": "patients without the property before and with it after",
    "n_lost": "patients with the property before and without it after",
    "estimate": "the estimate that the output names, in its unit",
    "std_err": "standard error of the estimate",
    "ci_low": "lower confidence limit of the output's estimate",
    "ci_high": "upper confidence limit of the output's estimate",
    "median": "median; empty = not reached",
    "q1": "first quartile (type 7)",
    "q3": "third quartile (type 7)",
    "mean": "arithmetic mean",
    "sd": "sample standard deviation",
    "min": "smallest value",
    "max": "largest value",
    "coef": "regression coefficient (log hazard ratio; log ratio in a mixed model)",
    "hr": "hazard ratio",
    "hr_above": "1 / hr: the hazard ratio in the other direction",
    "odds_ratio": "odds ratio: of two arms the conditional one; of a dose or a covariate per step of it",
    "difference": "first group minus second",
    "nnt": "number needed to treat: 1 / difference; below 0 where the group named first has less of it",
    "nnt_low": "1 / lower confidence limit of the difference; between limits of two signs lies infinity, not 0",
    "nnt_high": "1 / upper confidence limit of the difference",
    "ratio": "first group divided by second; of a dose by what a step of it multiplies",
    "rate": "events per person-time, per as much of it as the method says",
    "person_time": "time under observation",
    "person_time_potential": "time under observation had everybody without the event been seen until the data cut-off",
    "smd": "standardized difference",
    "tau": "end of the restricted mean",
    "statistic": "test statistic without a name of its own (z, rank sum)",
    "chisq": "chi-square statistic",
    "df": "degrees of freedom",
    "df_residual": "residual degrees of freedom of a linear model, or the denominator's of an F test",
    "p_value": "two-sided p-value",
    "p_adjusted": "p-value after Holm's adjustment over the pairs",
    "mc_error": "Monte Carlo standard error of the p-value or power, or of an imputed coefficient; 0 = exact",
    "power": "probability that the test finds the difference that was assumed",
    "events_per_variable": "events per coefficient of the model; of a response, responses or others, whichever are fewer",
    "concordance": "Harrell's concordance",
    "concordance_corrected": "Harrell's concordance less its optimism",
    "optimism": "by how much a concordance flatters the model, by bootstrap",
    "slope": "calibration slope, by bootstrap: below 1, predictions are too extreme",
    "spearman": "Spearman's rank correlation",
    "kappa": "Cohen's kappa, unweighted",
    "var_between": "variance between patients (log scale)",
    "var_lesions": "variance between lesions of a patient (log scale)",
    "var_within": "variance within patients (log scale)",
    "correlation": "intraclass correlation: share of the variance between patients",
    "correlation_lesions": "share of the variance between lesions of a patient",
    "loglik": "restricted log-likelihood",
    "observed": "observed events",
    "expected": "events expected under the null hypothesis",
    "bound_low": "least value that interval-censored times allow; no confidence limit",
    "bound_high": "largest value that interval-censored times allow; no confidence limit",
    "n_resamples": "resamples that could be used",
    "n_imputations": "imputed data sets",
    "missing_information": "fraction of the information that is missing",
    "efficiency": "precision with so many imputations, of that with infinitely many",
    "n_queries": "data queries",
    "n_items": "items of a checklist, elements or domains that the authors are asked about",
    "n_answered": "those of them that are answered",
    "n_tests": "tests, each counted once",
    "n_below": "tests with p below 0.05",
    "n_expected": "tests expected below 0.05 by chance, if nothing differed anywhere",
    "ess": "effective sample size, (sum of weights) squared / sum of squared weights",
    "prior_size": "effective sample size of a prior: events, 4 / variance of the log hazard ratio; of a share patients, mean (1 - mean) / variance - 1",
    "weight": "probability given to earlier results of holding in this study too",
    "conflict": "Box's prior predictive p-value: probability, under a prior, of data no likelier than these",
    "probability_benefit": "probability of a benefit, under a prior or a posterior: a hazard ratio below 1, more responders",
    "probability_worthwhile": "probability of a benefit beyond the smallest worth having (worthwhile)",
    "probability_harm": "probability of the opposite of a benefit",
    "e_value": "risk ratio that an unmeasured confounder needs to explain the hazard ratio away",
    "e_value_limit": "the same for the confidence limit next to 1",
    "allocation": "share of a planned trial's patients who get the arm named first",
    "events_needed": "events that a planned trial needs (Schoenfeld; of several arms Ahnn and Anderson)",
    "events_freedman": "the same by Freedman's formula",
    "patients_needed": "patients that a planned trial needs; for shares, in each arm",
    "patients_corrected": "the same for a test with continuity correction",
    "duration": "time to enrol them",
    "assurance": "probability that a planned trial finds the arm named first better, its effect as uncertain as it is now",
    "n_studies": "studies that are put together",
    "tau2": "variance between studies of logarithms, or of logits of shares",
    "i2": "share of the spread of studies that is not chance",
    "pi_low": "lower limit of the prediction interval: where the truth of a further study lies",
    "pi_high": "upper limit of the prediction interval",
}


def to_rows(report: str, analysis: Analysis) -> pd.DataFrame:
    """Turn an analysis into rows of results.csv.

    Parameters
    ----------
    report : str
        cohort, efficacy, robustness, models or safety.
    analysis : Analysis

    Returns
    -------
    DataFrame, one row per statistic, columns `COLUMNS`; `unit` is what a count counts, else empty

    Raises
    ------
    ValueError
        If an output is not in the catalogue or is not what it says there, if a frame holds a statistic that has no name
        in `STATISTICS`, or the same row twice.
    """
    parts: dict[str, list[Any]] = {column: [] for column in COLUMNS}
    for output, frame in analysis.frames.items():
        _hold(output, analysis.variable, frame)
        unknown = [c for c in frame if c not in STATISTICS and c not in PLACES]
        if unknown:
            raise ValueError(f"{output}: no such statistic as {', '.join(unknown)}; see STATISTICS in results.py")
        always = {"report": report, "output": output, "variable": analysis.variable, "time": np.nan, "method": "count"}
        places = {c: frame[c].tolist() if c in frame else [always[c]] * len(frame) for c in (*always, "group")}
        for statistic in (c for c in frame if c in STATISTICS):
            units = unit_of(frame).tolist() if statistic in COUNTS else [""] * len(frame)
            own = {"statistic": [statistic] * len(frame), "value": frame[statistic].astype(float).tolist(), "unit": units}
            for column, added in (places | own).items():
                parts[column] += added
    rows = pd.DataFrame(parts)
    twice = rows[rows.duplicated(KEY)]
    if len(twice):
        raise ValueError(f"the same statistic twice: {twice.iloc[0][KEY].to_dict()}")
    return rows


def _hold(output: str, variable: str, frame: pd.DataFrame) -> None:
    """Hold an output against what the catalogue says of it: that it is there, what it counts, whether it tests."""
    row = find(output, variable)
    units = set(unit_of(frame)) if set(COUNTS) & set(frame) else set()
    if unknown := sorted(units - set(row.counts.split(" or "))):
        raise ValueError(f"{output} counts {', '.join(unknown)}; lib/analyses/outputs.py says {row.counts or 'nothing'}")
    if len(frame) and "p_value" in frame and not row.tests:
        raise ValueError(f"{output} holds p-values; lib/analyses/outputs.py names no family of tests for it")
