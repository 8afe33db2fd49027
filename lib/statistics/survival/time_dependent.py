"""Cox regression in which a patient counts as treated from the day of the treatment on, and as untreated before."""

from __future__ import annotations

__all__ = ["estimate_time_dependent", "split_at"]

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from lifelines import CoxTimeVaryingFitter
from lifelines.exceptions import ConvergenceError
from scipy import stats

# A coefficient of a standardized covariate beyond it, or with such a standard error, is one that runs off.
LARGEST, WIDEST, PRECISION = 15.0, 50.0, 1e-9
NOT_FITTED = "not estimable: no event while treated, or none while untreated"


def split_at(patients: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Intervals (start, stop] of each patient, untreated and treated.

    Parameters
    ----------
    patients : DataFrame, one row per patient
        `time`, `event`, `added` (time of the treatment; NaN = never), and `columns`.
    columns : sequence of str

    Returns
    -------
    DataFrame, one or two rows per patient
        `patient` (a number), `start`, `stop`, `event`, `treated` (0 or 1), and the columns. An interval of no length is left out. R: ``tmerge``.
    """
    added = patients["added"].where(patients["added"] < patients["time"], patients["time"]).fillna(patients["time"])
    kept = patients[list(columns)].assign(patient=np.arange(len(patients)))
    before = kept.assign(start=0.0, stop=added, event=patients["event"] & (added == patients["time"]), treated=0.0)
    after = kept.assign(start=added, stop=patients["time"], event=patients["event"], treated=1.0)
    rows = pd.concat([before, after])
    return rows[rows["stop"] > rows["start"]].reset_index(drop=True)


def estimate_time_dependent(patients: pd.DataFrame, columns: Sequence[str] = (), level: float = 0.95) -> dict:
    """Hazard ratio of being treated.

    Parameters
    ----------
    patients, columns
        As in `split_at`; the columns are numeric and not constant.
    level : float

    Returns
    -------
    dict
        `n`, `n_events`, `coef`, `std_err`, `hr`, `ci_low`, `ci_high`, `method`, `note`. R:
        ``coxph(Surv(start, stop, event) ~ treated + x, ties = "efron")``. The engine is lifelines'; statsmodels' takes who begins at a time for at risk at it, and differs by
        1 %.
    """
    rows = split_at(patients, columns)
    found = dict.fromkeys(("coef", "std_err", "hr", "ci_low", "ci_high"), np.nan) | {
        "n": len(patients), "n_events": int(rows["event"].sum()), "note": "",
        "method": f"Cox regression with a treatment that begins in time (Efron ties), Wald {level:.0%} interval",
    }  # fmt: skip
    if rows.loc[rows["event"], "treated"].nunique() < 2:
        return found | {"note": NOT_FITTED}
    fit = _fit(rows, columns)
    if fit is None:
        return found | {"note": "not estimable: nobody is at risk with it and without it at once, or the covariates separate events from non-events"}
    coef, error = fit
    limits = np.exp(coef + np.array([-1, 1]) * stats.norm.ppf(0.5 + level / 2) * error)
    return found | {"coef": coef, "std_err": error, "hr": float(np.exp(coef)), "ci_low": float(limits[0]), "ci_high": float(limits[1])}


def _fit(rows: pd.DataFrame, columns: Sequence[str]) -> tuple[float, float] | None:
    """Coefficient of being treated and its standard error; None where the likelihood has no maximum."""
    x = rows[list(columns)].to_numpy(dtype=float).reshape(len(rows), -1)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    frame = rows[["patient", "start", "stop", "event", "treated"]].join(pd.DataFrame(x).add_prefix("x"))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # a fit that runs off is found here, whatever the library says of it
        try:
            fit = CoxTimeVaryingFitter().fit(
                frame, id_col="patient", start_col="start", stop_col="stop", event_col="event", fit_options={"precision": PRECISION}
            )
        except (ConvergenceError, np.linalg.LinAlgError, ValueError):
            return None
    coef, error = fit.params_, fit.standard_errors_
    if not np.isfinite([*coef, *error]).all() or np.abs(coef).max() > LARGEST or error.max() > WIDEST:
        return None
    return float(coef["treated"]), float(error["treated"])
