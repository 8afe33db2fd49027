"""Odds of an outcome adjusted for other variables: logistic regression with Firth's penalty.

The penalty keeps the estimate finite when an arm has no or only responders, and takes away the small-sample
bias. Crude odds ratios live in proportions. Whether the odds ratios of arms are the same in every level of a subgroup
is asked of counts: exactly where all tables can be listed, and else without the penalty.
"""

__all__ = ["METHOD", "compare_interaction", "compare_penalised_odds", "estimate_adjusted_odds", "fit_penalised_odds"]

import warnings

import numpy as np
import pandas as pd
from scipy import stats
from scipy.optimize import brentq
from scipy.special import expit, log_expit
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

from lib.statistics import contingency
from lib.statistics.comparisons import ordered_levels
from lib.statistics.table_network import TooManyTables

METHOD = "logistic regression with Firth's penalty, profile interval and penalized likelihood-ratio test"
EXACT = "exact conditional test that the odds ratios of the arms are the same in every level (all tables counted)"
INTERACTION = "likelihood-ratio test, arm x subgroup against arm + subgroup (logistic regression)"


def estimate_adjusted_odds(patients, outcome, covariates=(), *, arm="arm", reference=None, level=0.95):
    """Odds ratios of arms and covariates by Firth's penalized likelihood.

    Parameters
    ----------
    patients : DataFrame, one row per patient
        Rows with a missing value in a used column are left out.
    outcome : str
        Column of bool (True = has the outcome).
    covariates : sequence of str
        Numeric (odds ratio per unit), bool, text or Categorical (against the first level).
    reference : arm id, optional
        By default the first in study order.

    Returns
    -------
    DataFrame, one row per term: `group` (`x vs y` for arms, else `overall`), `term`, `n`, `n_events`, `coef`,
    `std_err` (log scale), `odds_ratio`, `ci_low`, `ci_high`, `p_value`, `method`, `note`
        R: ``glm(family = binomial, method = "brglmFit", type = "AS_mean", epsilon = 1e-14)``; interval and
        test as ``logistf``

    References
    ----------
    Firth D. Biometrika 1993;80:27. Heinze G, Schemper M. Stat Med 2002;21:2409.
    """
    used = patients[[outcome, arm, *covariates]].dropna()
    arms = ordered_levels(patients[arm])
    first = arms[0] if reference is None else reference
    terms = [(f"{x} vs {first}", arm, (used[arm] == x).to_numpy(dtype=float)) for x in arms if x != first]
    for covariate in covariates:
        terms += [("overall", *term) for term in _covariate_terms(used[covariate])]
    y = used[outcome].to_numpy(dtype=float)
    x = np.column_stack([np.ones(len(y)), *(column for _, _, column in terms)])
    fitted, note = fit_penalised_odds(x, y, level)
    frame = pd.DataFrame(
        [(group, name, len(y), int(y.sum())) for group, name, _ in terms],
        columns=["group", "term", "n", "n_events"],
    )
    for position, column in enumerate(["coef", "std_err", "ci_low", "ci_high", "p_value"]):
        frame[column] = fitted[:, position]
    frame[["ci_low", "ci_high"]] = np.exp(frame[["ci_low", "ci_high"]])
    frame.insert(6, "odds_ratio", np.exp(frame["coef"]))
    return frame.assign(method=METHOD, note=note)


def compare_interaction(counts, labels, limit=contingency.LAYERED_LIMIT):
    """Test whether the odds ratios of the arms are the same in every level of a subgroup.

    Parameters
    ----------
    counts : dict of DataFrame
        Level -> `group`, `count`, `n`, one row per arm; a level without patients takes no part.
    labels : dict
        Arm id -> what a note calls it.
    limit : int
        Largest number of tables to list for the exact test; above it, and only there, the likelihood-ratio test.

    Returns
    -------
    DataFrame, one row: `group` (overall), `chisq`, `df`, `p_value`, `method`, `note`
        The exact test has no `chisq` and `df`; it is made where nobody or everybody of an arm in a level has the outcome
        too, and holds its level: 4 % where arms of 14, 25 and 13 do not interact, where the likelihood-ratio test can be
        made in 39 % of the cases.
        R: ``anova(glm(cbind(count, n - count) ~ arm + g, binomial), glm(... ~ arm * g, binomial), test = "LRT")``. That is
        not made where nobody or everybody of an arm in one of the levels has the outcome: the likelihood then has its
        maximum at infinity, where a chi-square approximation means nothing.
    """
    known = {level: rows.set_index("group") for level, rows in counts.items() if rows["n"].sum()}
    found = {"group": "overall", "chisq": np.nan, "df": np.nan, "p_value": np.nan, "method": INTERACTION}
    if len(known) < 2:
        return pd.DataFrame([found | {"note": "not tested: one level only"}])
    try:
        p_value = contingency.share_of_layers(*(np.array([rows[column] for rows in known.values()]) for column in ("count", "n")), limit)
        note = "not tested: the totals leave one table only" if np.isnan(p_value) else ""
        return pd.DataFrame([found | {"p_value": p_value, "method": EXACT, "note": note}])
    except TooManyTables:
        return _likelihood_ratio(known, labels, found)


def _likelihood_ratio(known, labels, found):
    """Likelihood-ratio test of the interaction in a table too large to list."""
    table = pd.concat(known, names=["level"]).reset_index()
    extreme = table.loc[(table["count"] == 0) | (table["count"] == table["n"]), "group"]
    if len(extreme):
        named = " and ".join(labels[arm] for arm in dict.fromkeys(extreme))
        return pd.DataFrame([found | {"note": f"not tested: with {named} nobody or everybody in one of the levels"}])
    terms = pd.get_dummies(table[["group", "level"]].astype(str), drop_first=True, dtype=float)
    outcome = np.column_stack([table["count"], table["n"] - table["count"]])
    with warnings.catch_warnings():  # a fit of every cell is no separation: nobody and everybody are ruled out above
        warnings.simplefilter("ignore", PerfectSeparationWarning)
        additive = GLM(outcome, np.column_stack([np.ones(len(table)), terms]), family=Binomial()).fit(tol=1e-14)
    df = (table["group"].nunique() - 1) * (len(known) - 1)  # of the model with the interaction, which fits every cell
    p_value = stats.chi2.sf(additive.deviance, df)
    return pd.DataFrame([found | {"chisq": additive.deviance, "df": df, "p_value": p_value, "note": ""}])


def _covariate_terms(values):
    """Name and column of a numeric covariate, or of each level but the first."""
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return [(values.name, values.to_numpy(dtype=float))]
    levels = [level for level in ordered_levels(values) if (values == level).any()]
    return [(f"{values.name} = {level}", (values == level).to_numpy(dtype=float)) for level in levels[1:]]


def fit_penalised_odds(x, y, level):
    """Coefficient, standard error, limits and p of each column of `x` but the first, the intercept; NaN and why not."""
    nothing = np.full((x.shape[1] - 1, 5), np.nan)
    if len(y) == 0 or y.min() == y.max():
        return nothing, "not estimable: all patients have the same outcome"
    if np.linalg.matrix_rank(x) < x.shape[1]:
        return nothing, "not estimable: an arm or level is empty, or the variables determine each other"
    scale = np.r_[1.0, x[:, 1:].std(axis=0)]
    shift = np.r_[0.0, x[:, 1:].mean(axis=0)]  # centred and scaled: same odds ratios, steady steps
    z = (x - shift) / scale
    beta, top = _maximise(z, y, np.zeros(z.shape[1]))
    errors = np.sqrt(np.diag(np.linalg.inv(_information(z, beta))))
    drop = stats.chi2.ppf(level, 1) / 2
    rows = []
    for j in range(1, z.shape[1]):

        def loss(value, j=j):
            return top - _maximise(z, y, np.where(np.arange(len(beta)) == j, value, beta), fixed=j)[1]

        low, high = (_cross(loss, drop, beta[j], side * errors[j]) for side in (-1, 1))
        values = np.array([beta[j], errors[j], low, high]) / scale[j]
        rows.append([*values, stats.chi2.sf(2 * max(loss(0.0), 0.0), 1)])
    return np.array(rows).reshape(-1, 5), ""


def compare_penalised_odds(x, y, columns):
    """Twice the fall of the penalized log likelihood as `columns` of `x` are held at 0; R: ``logistf::logistftest``."""
    held = np.isin(np.arange(x.shape[1]), columns)
    beta, top = _maximise(x, y, np.zeros(x.shape[1]))
    return 2 * max(top - _maximise(x, y, np.where(held, 0.0, beta), fixed=columns)[1], 0.0)


def _information(x, beta):
    """Fisher information of the logistic model."""
    p = expit(x @ beta)
    return (x.T * (p * (1 - p))) @ x


def _penalized(x, y, beta):
    """Log-likelihood plus half the log determinant of the information (Jeffreys' prior)."""
    eta = x @ beta
    likelihood = (y * log_expit(eta) + (1 - y) * log_expit(-eta)).sum()
    return likelihood + 0.5 * np.linalg.slogdet(_information(x, beta))[1]


def _maximise(x, y, start, fixed=(), tolerance=1e-11):
    """Take Newton steps on Firth's modified score, halved if the likelihood falls; columns may be fixed."""
    beta, free = start.astype(float), ~np.isin(np.arange(x.shape[1]), fixed)
    value = _penalized(x, y, beta)
    noise = 1e-12 * (1 + abs(value))
    for _ in range(200):
        p = expit(x @ beta)
        inverse = np.linalg.inv(_information(x, beta))
        leverage = p * (1 - p) * np.einsum("ij,jk,ik->i", x, inverse, x)
        score = x.T @ (y - p + leverage * (0.5 - p))
        step = np.zeros(len(beta))
        step[free] = np.linalg.solve(_information(x, beta)[np.ix_(free, free)], score[free])
        step *= min(1.0, 2.0 / np.abs(step).max(initial=1e-300))
        # A step that gains next to nothing went twice as far as the top, and would come back for ever.
        while _penalized(x, y, beta + step) < value + score @ step / 4 - noise and np.abs(step).max() > tolerance:
            step /= 2
        beta, value = beta + step, _penalized(x, y, beta + step)
        if np.abs(step).max(initial=0.0) < tolerance:
            break
    return beta, value


def _cross(loss, drop, start, step):
    """Value beyond `start`, in the direction of `step`, at which the profile has lost `drop`."""
    for reach in range(2, 42, 2):
        if loss(start + reach * step) > drop:
            return brentq(lambda value: loss(value) - drop, start, start + reach * step, xtol=1e-10)
    return np.nan
