"""A straight line through the values of each patient: slope per unit of time, with its interval."""

__all__ = ["estimate_slopes"]

import numpy as np
import pandas as pd
from scipy import stats

# Of the sum of squares: residuals smaller than this are rounding, and say nothing of how sure a slope is.
ON_A_LINE = 1e-20


def estimate_slopes(samples: pd.DataFrame, value: str, time: str = "time", level: float = 0.95) -> pd.DataFrame:
    """Least-squares slope of a value on time, for each patient alone.

    Parameters
    ----------
    samples : DataFrame, one row per sample
        `patient_id`, `arm`, `time`, and the value; rows without one are left out.
    value, time : str
        Columns.
    level : float
        Of the interval.

    Returns
    -------
    DataFrame, one row per patient with a value, in the order of the samples
        `patient_id`, `arm`, `n` (values), `span` (last time less first), `slope`, `std_err`, `ci_low`, `ci_high`
        (t distribution, n - 2 degrees of freedom), `note`. No slope where all times are equal, no interval where two
        values or values on one line leave nothing to judge it by. Equal values have slope 0 exactly.
        R: ``coef(summary(lm(value ~ time)))[2, ]``, ``confint(lm(value ~ time))[2, ]``
    """
    known = samples[["patient_id", "arm", time, value]].dropna()
    patient = known["patient_id"]
    by_patient = known.groupby("patient_id", sort=False)
    x, y = (known[c].astype(float) - by_patient[c].transform("mean") for c in (time, value))
    found = by_patient.agg(arm=("arm", "first"), n=(value, "size"), first=(time, "min"), last=(time, "max"), low=(value, "min"), high=(value, "max"))
    sxx, sxy, syy = ((a * b).groupby(patient, sort=False).sum() for a, b in ((x, x), (x, y), (y, y)))
    span = found["last"] - found["first"]
    equal = found["low"] == found["high"]
    slope = (sxy / sxx.where(span > 0)).where(~equal | ~(span > 0), 0.0)
    rest = ((y - x * patient.map(slope)) ** 2).groupby(patient, sort=False).sum()
    certain = equal | (rest <= ON_A_LINE * syy)
    freedom = (found["n"] - 2).astype(float)
    error = np.sqrt(rest / freedom.where((freedom > 0) & ~certain) / sxx)
    reach = error * stats.t.ppf(0.5 + level / 2, freedom.where(freedom > 0))
    found = found.assign(span=span, slope=slope, std_err=error, ci_low=slope - reach, ci_high=slope + reach)
    found["note"] = np.select(
        [~(span > 0), freedom <= 0, equal, certain],
        ["not estimable: all values of one time", "no interval: two values", "no interval: all values are equal",
         "no interval: the values lie on one line"], "",
    )  # fmt: skip
    return found.drop(columns=["first", "last", "low", "high"]).reset_index()
