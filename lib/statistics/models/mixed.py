"""Repeated positive values on the log scale: means, ratios to baseline and tests from a mixed model.

The model has one mean per arm and visit and one intercept per patient; it is fitted as cell means, so an arm
without values at a visit costs that cell and nothing else. The fit itself lives in reml, rank tests of change
in ranks.
"""

__all__ = [
    "MixedFit",
    "compare_ratios",
    "compare_terms",
    "count_values",
    "estimate_ratios",
    "estimate_variance",
    "fit_mixed",
]

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from lib.statistics.comparisons import arm_pairs, name_pair, ordered_levels
from lib.statistics.models.reml import RandomIntercept, contrast_f, contrast_t, fit_random_intercept
from lib.statistics.models.reml_nested import fit_nested_intercepts

METHOD = "linear mixed model of the logarithm (arm x visit, random intercept per patient), REML"
NESTED = "linear mixed model of the logarithm (arm x visit, random intercepts per patient and per lesion in it), REML"
MAX_LOG_RATIO = 50.0
CONTRAST_COLUMNS = ["ratio", "ci_low", "ci_high", "coef", "std_err", "df", "statistic", "p_value"]


@dataclass(frozen=True, eq=False)
class MixedFit:
    """A fitted model and what its means stand for.

    Attributes
    ----------
    arms, visits : list
        In study order; the first visit is the baseline.
    counts : DataFrame of int, shape = (n_arms, n_visits)
        Values per cell.
    model : RandomIntercept
        One mean of log(value) per non-empty cell, arm by arm.
    """

    arms: list
    visits: list
    counts: pd.DataFrame
    model: RandomIntercept

    @property
    def method(self):
        """What was fitted, in words."""
        return METHOD if np.isnan(self.model.nested) else NESTED

    @property
    def cells(self):
        """(arm, visit) of each mean of the model, in its order."""
        return [(arm, at) for arm in self.arms for at in self.visits if self.counts.loc[arm, at] > 0]

    @property
    def gaps(self):
        """Plain names of the cells without values."""
        empty = [(arm, at) for arm in self.arms for at in self.visits if self.counts.loc[arm, at] == 0]
        return {(arm, at): f"arm {arm} has no value at visit {at:g}" for arm, at in empty}


def fit_mixed(samples, value="value", arm="arm", visit="time", *, within=None):
    """Fit log(value) ~ arm x visit with a random intercept per patient by restricted maximum likelihood.

    Parameters
    ----------
    samples : DataFrame, one row per patient and visit
        Columns `patient_id`, arm, visit (numeric, the smallest is the baseline) and value (> 0, any unit);
        rows with a missing value are left out.
    value, arm, visit : str
    within : str, optional
        Column of what is measured repeatedly inside a patient (lesions): another random intercept, and rows per
        patient, visit and lesion.

    Returns
    -------
    MixedFit
        R: ``lmer(log(value) ~ arm * factor(visit) + (1 | patient_id), REML = TRUE)``

    Raises
    ------
    ValueError
        If a value is not positive: replace values below the limit of detection first.

    References
    ----------
    Patterson HD, Thompson R. Biometrika 1971;58:545.
    """
    known = samples[samples[value].notna()]
    if (known[value] <= 0).any():
        found = int((known[value] <= 0).sum())
        raise ValueError(f"{value} must be positive to take its logarithm, but found {found} values <= 0")
    arms, visits = ordered_levels(samples[arm]), sorted(known[visit].unique())
    counts = pd.crosstab(pd.Categorical(known[arm], arms), pd.Categorical(known[visit], visits), dropna=False)
    counts = counts.reindex(index=arms, columns=visits, fill_value=0)
    cell = pd.Categorical(known[arm], arms).codes * len(visits) + pd.Categorical(known[visit], visits).codes
    occupied = np.flatnonzero(counts.to_numpy().ravel())
    design = (cell[:, None] == occupied[None, :]).astype(float)
    y = np.log(known[value].to_numpy(dtype=float))
    patient = pd.factorize(known["patient_id"])[0]
    if within is None:
        return MixedFit(arms, visits, counts, fit_random_intercept(y, design, patient))
    return MixedFit(arms, visits, counts, fit_nested_intercepts(y, design, patient, pd.factorize(known[within])[0]))


def count_values(fit):
    """Values behind each mean of the model.

    Parameters
    ----------
    fit : MixedFit

    Returns
    -------
    DataFrame, one row per arm and visit: `group`, `time`, `n`, `method`, `note`
    """
    tidy = fit.counts.rename_axis(index="group", columns="time").stack().rename("n").reset_index()
    return tidy.astype({"group": str, "time": float}).assign(method="values in the mixed model", note="")


def estimate_ratios(fit, level=0.95):
    """Ratio of each visit to baseline within each arm, back-transformed from the log scale.

    Parameters
    ----------
    fit : MixedFit

    Returns
    -------
    DataFrame, one row per arm and later visit: `group`, `time`, `ratio`, `ci_low`, `ci_high`, `coef` and
    `std_err` (log scale), `df`, `statistic` (t), `p_value` (not adjusted), `method`, `note`
        R: ``contrast(emmeans(fit, ~ visit | arm, lmer.df = "satterthwaite"), "trt.vs.ctrl", adjust = "none")``
    """
    rows = [(arm, at, {(arm, at): 1, (arm, fit.visits[0]): -1}) for arm in fit.arms for at in fit.visits[1:]]
    return _contrast_frame(fit, rows, level)


def compare_ratios(fit, reference=None, level=0.95):
    """Ratio of two arms' ratios to baseline, for every pair of arms and later visit.

    Parameters
    ----------
    fit : MixedFit
    reference : arm id, optional

    Returns
    -------
    DataFrame, one row per pair `x vs y` and later visit; columns as in `estimate_ratios`
        R: ``contrast(emmeans(fit, ~ arm * visit), interaction = c("revpairwise", "trt.vs.ctrl"))``
    """
    rows = []
    for x, y in arm_pairs(fit.arms, reference):
        for at in fit.visits[1:]:
            start = fit.visits[0]
            rows.append((name_pair(x, y), at, {(x, at): 1, (x, start): -1, (y, at): -1, (y, start): 1}))
    return _contrast_frame(fit, rows, level)


def estimate_variance(fit):
    """Variance components, intraclass correlation and restricted log-likelihood.

    Returns
    -------
    DataFrame, one row: `group` (overall), `n`, `var_between`, with lesions `var_lesions`, `var_within` (log scale
    squared), `correlation` (share of the variance between patients), with lesions `correlation_lesions`, `loglik`, `method`, `note`
        R: ``VarCorr(fit)``, ``logLik(fit)``
    """
    model = fit.model
    lesions = {} if np.isnan(model.nested) else {"var_lesions": model.nested}
    total = model.between + model.within + sum(lesions.values())
    shares = {f"correlation{name.removeprefix('var')}": variance / total for name, variance in lesions.items()}
    return pd.DataFrame([{
        "group": "overall", "n": int(fit.counts.to_numpy().sum()), "var_between": model.between, **lesions,
        "var_within": model.within, "correlation": model.between / total, **shares,
        "loglik": model.loglik, "method": fit.method, "note": model.note,
    }])  # fmt: skip


def compare_terms(fit):
    """Type III F tests of arm, visit and their interaction.

    Returns
    -------
    DataFrame, one row per term (`arm`, `visit`, `arm x visit`): `group` (overall), `term`, `statistic` (F),
    `df`, `df_residual` (Satterthwaite), `p_value`, `method`, `note`
        R: ``lmerTest::anova(fit, type = 3, ddf = "Satterthwaite")``
    """
    n_arms, n_visits = len(fit.arms), len(fit.visits)
    by_arm, by_visit = _from_first(n_arms), _from_first(n_visits)
    hypotheses = {
        "arm": np.kron(by_arm, np.ones(n_visits) / max(n_visits, 1)),
        "visit": np.kron(np.ones(n_arms) / max(n_arms, 1), by_visit),
        "arm x visit": np.kron(by_arm, by_visit),
    }
    rows = []
    for term, contrasts in hypotheses.items():
        values, note = (np.nan,) * 4, fit.model.note
        if len(contrasts) == 0:
            note = "not estimable: fewer than two levels"
        elif fit.gaps:
            note = "not estimable: " + "; ".join(fit.gaps.values())
        elif fit.model.is_fitted:
            values = contrast_f(fit.model, contrasts)
        rows.append(("overall", term, *values, f"type III F test, {fit.method}, Satterthwaite df", note))
    columns = ["group", "term", "statistic", "df", "df_residual", "p_value", "method", "note"]
    return pd.DataFrame(rows, columns=columns)


def _contrast_frame(fit, rows, level):
    """One row per (group, time, weights of cells): estimate, interval and t test on both scales."""
    cells, tidy = fit.cells, []
    for group, time, weights in rows:
        values, note = {}, fit.model.note
        missing = [fit.gaps[cell] for cell in weights if cell in fit.gaps]
        if missing:
            note = "not estimable: " + "; ".join(missing)
        elif fit.model.is_fitted:
            contrast = np.array([weights.get(cell, 0.0) for cell in cells])
            values = _back_transform(*contrast_t(fit.model, contrast), level)
            note = note or ("no interval: too few values to know their variance" if np.isnan(values["ci_high"]) else "")
        tidy.append({"group": group, "time": time, "note": note} | values)
    frame = pd.DataFrame(tidy, columns=["group", "time", *CONTRAST_COLUMNS, "note"])
    frame[CONTRAST_COLUMNS] = frame[CONTRAST_COLUMNS].astype(float)
    frame.insert(frame.columns.get_loc("note"), "method", f"{fit.method}, Satterthwaite df")
    return frame


def _back_transform(coef, std_err, df, level):
    """Ratio with its interval beside the estimate, standard error and t test on the log scale."""
    margin, statistic = stats.t.ppf((1 + level) / 2, df) * std_err, coef / std_err
    # With hardly a degree of freedom the margin exceeds any ratio that could be written down.
    margin = margin if coef + margin < MAX_LOG_RATIO else np.nan
    ratios = np.exp([coef, coef - margin, coef + margin])
    return dict(zip(
        CONTRAST_COLUMNS, [*ratios, coef, std_err, df, statistic, 2 * stats.t.sf(abs(statistic), df)],
        strict=True,
    ))  # fmt: skip


def _from_first(n):
    """Contrasts of each later level with the first, shape = (n - 1, n)."""
    return np.eye(n)[1:] - np.eye(n)[:1] if n > 1 else np.zeros((0, n))
