"""Linear model with one random intercept per patient, fitted by restricted maximum likelihood (REML).

With one variance ratio to find, REML is the root of one score function, solved here to machine precision.
statsmodels 0.15 `MixedLM` stops early (variance off by 3.5e-4 with `converged=True`) and has no degrees of
freedom for its tests. What the means stand for is the business of mixed.
"""

__all__ = ["RandomIntercept", "contrast_f", "contrast_t", "fit_random_intercept", "no_fit", "variance_calculus"]

from dataclasses import dataclass

import numpy as np
from scipy import sparse, stats
from scipy.optimize import brentq

LOG_RATIOS = np.linspace(-14, 14, 113)  # log(between / within variance): the grid searched for the maximum
FLAT = 1e-8  # less is rounding: how far a deviance moves over the whole grid, an eigenvalue of the scaled information


@dataclass(frozen=True, eq=False)
class RandomIntercept:
    """A fitted model; all numbers are NaN, and `note` says why, where there is no fit.

    Attributes
    ----------
    means : array, shape = (n_means,)
    covariance : array, shape = (n_means, n_means)
    between, within : float
        Variance of the patients' intercepts and of the residuals.
    loglik : float
        Restricted log-likelihood, as R ``logLik(lmer(...))``.
    gradients : array, shape = (2, n_means, n_means)
        Derivatives of `covariance` by (between, within).
    observed : array, shape = (2, 2)
        Covariance of (between, within) from the observed information.
    note : str
    nested : float
        Variance of the intercepts of groups inside a patient; NaN in a model without them (see reml_nested).
        `gradients` and `observed` then have it between `between` and `within`.
    """

    means: np.ndarray
    covariance: np.ndarray
    between: float
    within: float
    loglik: float
    gradients: np.ndarray
    observed: np.ndarray
    note: str = ""
    nested: float = np.nan

    @property
    def is_fitted(self):
        """False if the data do not determine the model."""
        return bool(np.isfinite(self.within))


def fit_random_intercept(y, design, patient):
    """Fit y = design @ means + intercept[patient] + residual by REML.

    Parameters
    ----------
    y : array of float, shape = (n,)
    design : array of float, shape = (n, n_means)
        Of full column rank.
    patient : array of int, shape = (n,)
        0 .. n_patients - 1.

    Returns
    -------
    RandomIntercept
        R: ``lme4::lmer(y ~ 0 + design + (1 | patient), REML = TRUE)``

    References
    ----------
    Patterson HD, Thompson R. Biometrika 1971;58:545.
    """
    n, p = design.shape
    if n <= p:
        return no_fit(p, "not estimable: no more values than means")
    if np.bincount(patient).max() < 2:
        return no_fit(p, "not estimable: no patient has two values")
    profile = _Profile(y, design, patient)
    if profile.solve(0.0)[2] < 1e-12 * n:
        return no_fit(p, "not estimable: the values do not vary around their means")
    ratio = _best_ratio(profile)
    if np.isnan(ratio):
        return no_fit(p, "not estimable: too few values to tell the variance between patients from that within them")
    if np.isinf(ratio):
        return no_fit(p, "not estimable: the values do not vary within patients")
    means, inverse, residual, _ = profile.solve(ratio)
    within = residual / (n - p)
    loglik = -0.5 * (profile.deviance(ratio) + (n - p) * (1 + np.log(2 * np.pi / (n - p))))
    note = "the variance between patients is estimated as zero" if ratio == 0 else ""
    shrink = ratio / (1 + ratio * profile.sizes[patient])
    inverse_v = (np.eye(n) - (patient[:, None] == patient[None, :]) * shrink) / within
    calculus = variance_calculus(y, design, (patient,), np.array([ratio * within]), inverse_v)
    return RandomIntercept(means, inverse * within, ratio * within, within, loglik, *calculus, note)


def contrast_t(model, contrast):
    """Estimate, standard error and Satterthwaite's degrees of freedom of one contrast of the means.

    Parameters
    ----------
    model : RandomIntercept
    contrast : array, shape = (n_means,)

    References
    ----------
    Kuznetsova A et al. J Stat Softw 2017;82(13). R: ``lmerTest::contest1D(fit, contrast)``
    """
    variance = contrast @ model.covariance @ contrast
    slope = np.array([contrast @ gradient @ contrast for gradient in model.gradients])
    freedom = 2 * variance**2 / (slope @ model.observed @ slope)
    return contrast @ model.means, np.sqrt(variance), freedom


def contrast_f(model, contrasts):
    """F, numerator df, Satterthwaite's denominator df and p of several contrasts at once.

    Parameters
    ----------
    model : RandomIntercept
    contrasts : array of full row rank, shape = (n_contrasts, n_means)

    References
    ----------
    Fai AHT, Cornelius PL. J Stat Comput Simul 1996;54:363. R: ``lmerTest::contestMD(fit, contrasts)``
    """
    _, vectors = np.linalg.eigh(contrasts @ model.covariance @ contrasts.T)
    apart = [contrast_t(model, vector @ contrasts) for vector in vectors.T]
    statistic = np.mean([(estimate / error) ** 2 for estimate, error, _ in apart])
    count, freedom = len(apart), np.array([df for _, _, df in apart])
    if np.ptp(freedom) < 1e-8:  # lmerTest get_Fstat_ddf: equal df need no averaging
        df = freedom.mean()
    elif (freedom <= 2).any():
        df = 2.0
    else:
        expected = (freedom / (freedom - 2)).sum()
        df = 2 * expected / (expected - count)
    return statistic, count, df, stats.f.sf(statistic, count, df)


def no_fit(p, note):
    """Return a model of NaN with the reason."""

    def blank(*shape):
        return np.full(shape, np.nan)

    return RandomIntercept(
        means=blank(p), covariance=blank(p, p), between=np.nan, within=np.nan, loglik=np.nan,
        gradients=blank(2, p, p), observed=blank(2, 2), note=note,
    )  # fmt: skip


class _Profile:
    """Restricted deviance as a function of the variance ratio between / within, all else at its optimum."""

    def __init__(self, y, design, patient):
        self.y, self.design = y, design
        self.sizes = np.bincount(patient)
        self.n_free = len(y) - design.shape[1]
        self.design_sums = np.zeros((len(self.sizes), design.shape[1]))
        np.add.at(self.design_sums, patient, design)
        self.y_sums = np.bincount(patient, y)
        self.cross, self.cross_y = design.T @ design, design.T @ y

    def solve(self, ratio):
        """Solve for means, their covariance / within, residual sum of squares, residual sums per patient."""
        weight = ratio / (1 + ratio * self.sizes)  # (I + ratio 11')^-1 = I - weight 11'
        cross = self.cross - (self.design_sums.T * weight) @ self.design_sums
        means = np.linalg.solve(cross, self.cross_y - self.design_sums.T @ (weight * self.y_sums))
        residual = self.y - self.design @ means
        sums = self.y_sums - self.design_sums @ means
        return means, np.linalg.inv(cross), residual @ residual - (weight * sums**2).sum(), sums

    def deviance(self, ratio):
        """-2 log restricted likelihood without its constant."""
        _, inverse, residual, _ = self.solve(ratio)
        logs = np.log1p(ratio * self.sizes).sum() - np.linalg.slogdet(inverse)[1]
        return self.n_free * np.log(residual) + logs

    def score(self, ratio):
        """Differentiate the deviance by the ratio, in closed form."""
        _, inverse, residual, sums = self.solve(ratio)
        shrink = 1 / (1 + ratio * self.sizes) ** 2
        leverage = np.einsum("ij,jk,ik->i", self.design_sums, inverse, self.design_sums)
        return (
            (self.sizes / (1 + ratio * self.sizes)).sum()
            - self.n_free * (shrink * sums**2).sum() / residual
            - (shrink * leverage).sum()
        )


def _best_ratio(profile):
    """Variance ratio at the maximum; 0 if it lies at the boundary, inf if the likelihood rises on, NaN if it is flat."""
    grid = np.exp(LOG_RATIOS)
    deviances = [profile.deviance(ratio) for ratio in grid]
    best = int(np.argmin(deviances))
    if np.ptp(deviances) < FLAT:
        return np.nan
    if best == len(grid) - 1:
        return np.inf
    if profile.deviance(0.0) <= deviances[best] or best == 0:
        return 0.0
    low, high = LOG_RATIOS[best - 1], LOG_RATIOS[best + 1]
    if profile.score(np.exp(low)) * profile.score(np.exp(high)) > 0:
        return np.nan  # where it is flat, rounding alone chose the place
    return np.exp(brentq(lambda x: profile.score(np.exp(x)), low, high, xtol=1e-13))


def variance_calculus(y, design, groups, variances, inverse):
    """Differentiate the covariance by each variance; their uncertainties.

    With V = sum of variance ZZ' + within I, the observed information of the restricted likelihood is
    y'P Vi P Vj P y - tr(P Vi P Vj) / 2.

    Parameters
    ----------
    y, design
        As in `fit_random_intercept`.
    groups : tuple of array of int, shape = (n,)
        Whose intercepts are random: patients, and groups inside them.
    variances : array, shape = (n_groupings,)
    inverse : array, shape = (n, n)
        Of V.

    Returns
    -------
    tuple of array
        `gradients` and `observed` of `RandomIntercept`.

    Raises
    ------
    numpy.linalg.LinAlgError
        Where the values cannot tell the variances apart: their expected information, tr(P Vi P Vj) / 2, is singular.
    """
    n = len(y)
    weighted = inverse @ design
    covariance = np.linalg.inv(design.T @ weighted)
    project = inverse - weighted @ covariance @ weighted.T
    # Vi = root root'
    roots = [sparse.csr_array((np.ones(n), (np.arange(n), group))) for group in groups]
    roots.append(sparse.eye_array(n, format="csr"))
    inner = [[a.T @ project @ b for b in roots] for a in roots]
    ends = [root.T @ project @ y for root in roots]
    halves = [root.T @ weighted for root in roots]
    count = len(roots)
    pairs = [(i, j) for i in range(count) for j in range(count)]
    traces = np.array([(inner[i][j] ** 2).sum() for i, j in pairs]).reshape(count, count)
    curves = np.array([ends[i] @ inner[i][j] @ ends[j] for i, j in pairs]).reshape(count, count)
    free = np.ix_(*[np.flatnonzero([*(variances > 0), True])] * 2)  # at the boundary a variance is not estimated
    size = np.sqrt(np.diag(traces[free]))
    if np.linalg.matrix_rank(traces[free] / np.outer(size, size), tol=FLAT, hermitian=True) < len(size):
        raise np.linalg.LinAlgError("the likelihood is flat along some combination of the variances")
    observed = np.zeros((count, count))
    observed[free] = np.linalg.inv((curves - traces / 2)[free])
    moments = [half.T @ half for half in halves]
    gradients = np.array([covariance @ moment @ covariance for moment in moments])
    return gradients, observed
