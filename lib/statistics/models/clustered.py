"""Models of rows that share a patient (lesions, eyes): Cox regression, and lines and odds with one slope.

Estimates are those of independent rows; their covariance adds up within each patient what a row moves them by (the
sandwich of generalised estimating equations with independence). Small and own: an interval of the curve needs the whole
covariance, and statsmodels' GEE costs a second to import; tests hold this against it.
"""

from __future__ import annotations

__all__ = ["SlopeFit", "estimate_clustered_cox", "estimate_clustered_share", "estimate_slope", "fit_slope", "predict"]

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import expit, logit

from lib.statistics.models.cox import CoxModel, fit_robust
from lib.statistics.survival.event_table import OVERALL

Link = Literal["identity", "logit"]
# A log odds beyond it is on its way to infinity.
MAX_LOG_ODDS = 30.0
# Of 1: a standard error below it is rounding.
NOTHING = 1e-10
FEW = "not estimable: too few patients with the event for a robust variance"


@dataclass(frozen=True, eq=False)
class SlopeFit:
    """One intercept per arm and, unless it is a mean alone, one slope.

    Attributes
    ----------
    arms : list of str
        That have rows, in study order.
    beta : ndarray, shape (p,)
        Intercepts at the mean of the slope's column, then the slope; NaN where `note` says why.
    covariance : ndarray, shape (p, p)
        Cluster-robust.
    centre : float
        Mean of the slope's column.
    n, n_clusters : int
    link : str
    note : str
    """

    arms: list[str]
    beta: np.ndarray
    covariance: np.ndarray
    centre: float
    n: int
    n_clusters: int
    link: Link
    note: str

    @property
    def method(self) -> str:
        """What was fitted, in words."""
        what = "logistic" if self.link == "logit" else "linear"
        return f"{what} regression, cluster-robust interval by patient (t, patients - 1 df)"


def estimate_clustered_cox(tte: pd.DataFrame, reference: str, cluster: str, *, level: float = 0.95) -> CoxModel:
    """Hazard ratios of arms from rows that share a cluster, with the robust variance.

    Parameters
    ----------
    tte : DataFrame, one row per lesion
        `arm`, `time`, `event` (True = event; a competing one is a censoring) and the cluster.
    reference : str
        Arm that the others are compared with.
    cluster : str
        Column of whom a row belongs to.
    level : float

    Returns
    -------
    CoxModel
        `terms` as of `cox.estimate_weighted_cox`, the variance times G / (G - arms) and read with t of G - arms degrees (G
        clusters): of pairs of 5 to 25 patients 94 to 97 % of such intervals hold the truth, of those by z 86 to 94 %.
        `overall` holds the robust score test alone, as R has it: the log-rank test of rows that share a cluster, which
        exists where an arm has no event too; it rejects in 4 to 7 %.
        R: ``coxph(Surv(time, event) ~ arm, cluster = id)``, ``fit$rscore``

    References
    ----------
    Lin DY, Wei LJ. J Am Stat Assoc 1989;84:1074.
    """
    fit = fit_robust(tte.assign(_one=1.0), reference, "_one", level=level, cluster=cluster)
    terms = _of_few(fit.terms.drop(columns="naive_std_err"), tte, cluster, level)
    alike = terms["std_err"].lt(NOTHING)
    terms.loc[alike, ["std_err", "ci_low", "ci_high", "statistic", "p_value"]] = np.nan
    terms.loc[alike, "note"] = FEW
    known = np.isfinite(fit.score)
    overall = {
        "group": OVERALL, "test": "score", "chisq": fit.score, "df": float(fit.df) if known else np.nan,
        "p_value": float(stats.chi2.sf(fit.score, fit.df)), "n": len(tte), "n_events": int(tte["event"].sum()),
        "method": "log-rank test (score of Cox regression), robust by patient", "note": "" if known else FEW,
    }  # fmt: skip
    return CoxModel(terms, pd.DataFrame([overall]))


def _of_few(terms: pd.DataFrame, tte: pd.DataFrame, cluster: str, level: float) -> pd.DataFrame:
    """Errors, limits and tests of so few clusters that a robust variance is too small."""
    n, arms = tte[cluster].nunique(), tte["arm"].nunique()
    df = n - arms if n > arms else np.nan
    error = terms["std_err"] * np.sqrt(n / df)
    reach, statistic = stats.t.ppf(0.5 + level / 2, df) * error, terms["coef"] / error
    limits = {"ci_low": np.exp(terms["coef"] - reach), "ci_high": np.exp(terms["coef"] + reach)}
    method = f"Cox regression (Efron ties), robust Wald {level:.0%} interval by patient (t, patients - arms df)"
    return terms.assign(std_err=error, statistic=statistic, p_value=2 * stats.t.sf(statistic.abs(), df), method=method, **limits)


def fit_slope(rows: pd.DataFrame, outcome: str, slope: str, cluster: str, link: Link = "identity") -> SlopeFit:
    """Fit a line, or the log odds of a share, with one intercept per arm and one slope.

    Parameters
    ----------
    rows : DataFrame, one row per lesion
        `arm` (categorical), and the columns below without a missing value.
    outcome : str
        A number; of a share True and False, or pseudo-values.
    slope : str
        Numeric column; "" for means alone.
    cluster : str
        Column of whom a row belongs to.
    link : str

    Returns
    -------
    SlopeFit
        R: ``lm(y ~ 0 + arm + x)`` or ``glm(family = binomial)`` with
        ``sandwich::vcovCL(fit, cluster = id, type = "HC0")`` (cadjust: G / (G - 1))

    References
    ----------
    Liang KY, Zeger SL. Biometrika 1986;73:13.
    """
    arms = [str(arm) for arm in rows["arm"].cat.categories if (rows["arm"] == arm).any()]
    y, codes = rows[outcome].to_numpy(dtype=float), pd.factorize(rows[cluster])[0]
    value = rows[slope].to_numpy(dtype=float) if slope else np.empty(0)
    centre = float(value.mean()) if len(value) else 0.0
    x = np.column_stack([*(rows["arm"] == arm for arm in arms), *([value - centre] if slope else [])]).astype(float)
    n_clusters = len(set(codes))
    nothing = np.full(x.shape[1], np.nan)
    note = _unfit(x, y, rows["arm"].astype(str).to_numpy(), n_clusters, link)
    beta = None if note else _solve(x, y, link)
    if beta is None:
        note = note or f"not estimable: the values of {slope} separate those with the outcome from those without"
        return SlopeFit(arms, nothing, np.outer(nothing, nothing), centre, len(y), n_clusters, link, note)
    mean = expit(x @ beta) if link == "logit" else x @ beta
    bread = np.linalg.inv(_information(x, mean, link))
    scores = np.zeros((n_clusters, x.shape[1]))
    np.add.at(scores, codes, x * (y - mean)[:, None])
    covariance = n_clusters / (n_clusters - 1) * bread @ scores.T @ scores @ bread
    return SlopeFit(arms, beta, covariance, centre, len(y), n_clusters, link, "")


def _unfit(x: np.ndarray, y: np.ndarray, arm: np.ndarray, n_clusters: int, link: Link) -> str:
    """Why there is nothing to fit, or ""."""
    if n_clusters < 2:
        return "not estimable: fewer than two patients"
    if np.linalg.matrix_rank(x) < x.shape[1]:
        return "not estimable: the values do not vary within an arm"
    shares = pd.Series(y).groupby(arm).mean()
    if link == "logit" and not shares.between(0, 1, inclusive="neither").all():
        return "not estimable: all of an arm, or none of it, have the outcome"
    return ""


def _information(x: np.ndarray, mean: np.ndarray, link: Link) -> np.ndarray:
    weight = mean * (1 - mean) if link == "logit" else np.ones(len(mean))
    return (x.T * weight) @ x


def _solve(x: np.ndarray, y: np.ndarray, link: Link) -> np.ndarray | None:
    """Root of X'(y - mean), for a line in one step and for log odds by Newton's; None where it runs to infinity."""
    if link == "identity":
        return np.linalg.lstsq(x, y, rcond=None)[0]
    scale = np.sqrt((x**2).mean(axis=0))
    z, beta = x / scale, np.zeros(x.shape[1])
    for _ in range(200):
        mean = expit(z @ beta)
        step = np.linalg.lstsq(_information(z, mean, link), z.T @ (y - mean), rcond=None)[0]
        step *= min(1.0, 2.0 / max(np.abs(z @ step).max(), 1e-300))  # no odds move by more than e squared at once
        beta = beta + step
        if np.abs(z @ beta).max() > MAX_LOG_ODDS:
            return None
        if np.abs(z @ step).max() < 1e-12:
            return beta / scale
    return None


def estimate_slope(fit: SlopeFit, step: float, level: float = 0.95) -> pd.DataFrame:
    """The slope per `step` of its column, with its interval and test.

    Parameters
    ----------
    fit : SlopeFit
    step : float
        Such as 10, for the effect of ten more of the column's unit.
    level : float

    Returns
    -------
    DataFrame, one row
        `group` (overall), `n`, `n_patients`, `coef`, `std_err`, `ci_low`, `ci_high` (of the coefficient), `df`,
        `statistic` (t), `p_value`, `method`, `note`.
        R: ``lmtest::coeftest(fit, vcov, df = G - 1)``
    """
    coef, error = step * fit.beta[-1], step * np.sqrt(fit.covariance[-1, -1])
    known = error > NOTHING
    error = error if known else np.nan
    df = float(fit.n_clusters - 1) if known else np.nan
    reach = stats.t.ppf(0.5 + level / 2, df) * error
    note = fit.note or ("" if known else "interval not estimable: the patients do not differ from the line")
    return pd.DataFrame([{
        "group": OVERALL, "n": fit.n, "n_patients": fit.n_clusters, "coef": coef, "std_err": error, "ci_low": coef - reach,
        "ci_high": coef + reach, "df": df, "statistic": coef / error, "p_value": 2 * stats.t.sf(abs(coef / error), df),
        "method": fit.method, "note": note,
    }])  # fmt: skip


def predict(fit: SlopeFit, arm: str, at: np.ndarray, level: float = 0.95) -> pd.DataFrame:
    """The curve of an arm with its pointwise band: `x`, `estimate`, `ci_low`, `ci_high`, on the scale of the outcome.

    Parameters
    ----------
    fit : SlopeFit
    arm : str
        One of `fit.arms`.
    at : ndarray
        Values of the slope's column.
    level : float
    """
    x = np.zeros((len(at), len(fit.beta)))
    x[:, fit.arms.index(arm)], x[:, -1] = 1.0, at - fit.centre
    middle = x @ fit.beta
    variance = np.maximum(np.einsum("ij,jk,ik->i", x, fit.covariance, x), 0.0)  # rounding may lie below
    reach = stats.t.ppf(0.5 + level / 2, fit.n_clusters - 1) * np.sqrt(variance)
    shown = expit if fit.link == "logit" else np.asarray
    return pd.DataFrame({"x": at, "estimate": shown(middle), "ci_low": shown(middle - reach), "ci_high": shown(middle + reach)})


def estimate_clustered_share(rows: pd.DataFrame, outcome: str, cluster: str, level: float = 0.95) -> pd.DataFrame:
    """Share of the rows of each arm with an outcome, and a logit interval that knows which rows share a cluster.

    Parameters
    ----------
    rows : DataFrame, one row per lesion
        `arm` (categorical), the outcome and the cluster.
    outcome : str
        Column of bool.
    cluster : str
        Column of whom a row belongs to.
    level : float

    Returns
    -------
    DataFrame, one row per arm
        `group`, `count`, `n`, `n_patients`, `estimate`, `std_err`, `ci_low`, `ci_high`, `method`, `note`. No interval
        where all or none have the outcome.
        R: ``glm(y ~ 1, binomial)``, ``sandwich::vcovCL(fit, cluster = id, type = "HC0")``, t with G - 1 df
    """
    found = []
    for arm in rows["arm"].cat.categories:
        own = rows[rows["arm"] == arm]
        fit = fit_slope(own, outcome, "", cluster, "logit") if len(own) else None
        share = float(own[outcome].mean()) if len(own) else np.nan
        error = np.sqrt(fit.covariance[0, 0]) if fit else np.nan
        error = error if error > NOTHING else np.nan
        reach = stats.t.ppf(0.5 + level / 2, fit.n_clusters - 1) * error if fit and error > 0 else np.nan
        low, high = (expit(logit(share) + side * reach) for side in (-1, 1)) if error > 0 else (np.nan, np.nan)
        note = "" if error > 0 or not len(own) else "interval not estimable: one patient, or all patients fared alike"
        found.append((arm, int(own[outcome].sum()), len(own), own[cluster].nunique(), share, error * share * (1 - share), low, high, note))
    columns = ["group", "count", "n", "n_patients", "estimate", "std_err", "ci_low", "ci_high", "note"]
    method = f"share, logit {level:.0%} cluster-robust interval by patient (t, patients - 1 df)"
    return pd.DataFrame(found, columns=columns).assign(method=method)
