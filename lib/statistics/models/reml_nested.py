"""Linear model with random intercepts of patients and of groups inside a patient (lesions), fitted by REML.

As in reml, the variances relative to that of the residuals are found where the restricted deviance is least; its
gradient is in closed form, so nothing grows faster than the number of values. One level alone is reml's.
"""

from __future__ import annotations

__all__ = ["fit_nested_intercepts"]

import numpy as np
from scipy.optimize import minimize, root

from lib.statistics.models.reml import RandomIntercept, no_fit, variance_calculus

# Square roots of the variance ratios: where the search starts, and below what a component counts as zero.
STARTS, ZERO = ((1.0, 1.0), (0.2, 2.0), (2.0, 0.2)), 1e-4
# A ratio that grows without end: values do not vary within a lesion.
RUNAWAY = 1e6


def fit_nested_intercepts(y: np.ndarray, design: np.ndarray, patient: np.ndarray, group: np.ndarray) -> RandomIntercept:
    """Fit y = design @ means + intercept[patient] + intercept[group] + residual by REML.

    Parameters
    ----------
    y : array of float, shape = (n,)
    design : array of float, shape = (n, n_means)
        Of full column rank.
    patient, group : array of int, shape = (n,)
        0 .. number - 1; every group belongs to one patient.

    Returns
    -------
    RandomIntercept
        With `nested`, the variance of the groups' intercepts.
        R: ``lme4::lmer(y ~ 0 + design + (1 | patient / group), REML = TRUE)``
    """
    n, p = design.shape
    why = _too_little(n, p, patient, group)
    if why:
        return no_fit(p, f"not estimable: {why}")
    profile = _Profile(y, design, patient, group)
    if profile.solve(np.zeros(2))[2] < 1e-12 * n:
        return no_fit(p, "not estimable: the values do not vary around their means")
    ratios = _best_ratios(profile)
    if ratios.max() > RUNAWAY:
        return no_fit(p, "not estimable: the values do not vary within lesions")
    means, inverse, residual, _, _ = profile.solve(ratios)
    within = residual / (n - p)
    loglik = -0.5 * (profile.deviance(ratios) + (n - p) * (1 + np.log(2 * np.pi / (n - p))))
    zero = [name for name, ratio in zip(("patients", "lesions of a patient"), ratios, strict=True) if ratio == 0]
    note = f"the variance between {' and between '.join(zero)} is estimated as zero" if zero else ""
    variances = ratios * within
    covariance = within * np.eye(n)
    for labels, variance in zip((patient, group), variances, strict=True):
        covariance += variance * (labels[:, None] == labels[None, :])
    try:
        calculus = variance_calculus(y, design, (patient, group), variances, np.linalg.inv(covariance))
    except np.linalg.LinAlgError:  # the likelihood is flat in one of the variances
        return no_fit(p, "not estimable: too few values to tell the variances apart")
    return RandomIntercept(
        means, inverse * within, variances[0], within, loglik, *calculus, note, nested=float(variances[1])
    )


def _too_little(n: int, p: int, patient: np.ndarray, group: np.ndarray) -> str:
    """Why the model has too little to stand on, or ""."""
    if n <= p:
        return "no more values than means"
    if len(np.unique(group)) == len(np.unique(patient)):
        return "no patient has two lesions"
    return "no lesion has two values" if np.bincount(group).max() < 2 else ""


class _Profile:
    """Restricted deviance as a function of both variance ratios to the residual variance, all else at its optimum."""

    def __init__(self, y: np.ndarray, design: np.ndarray, patient: np.ndarray, group: np.ndarray):
        self.y, self.design = y, design
        self.sizes = np.bincount(group)
        self.owner = np.zeros(len(self.sizes), dtype=int)
        self.owner[group] = patient
        self.n_patients, self.n_free = patient.max() + 1, len(y) - design.shape[1]
        both = np.column_stack([design, y])
        self.sums = np.zeros((len(self.sizes), both.shape[1]))
        np.add.at(self.sums, group, both)
        self.cross = both.T @ both

    def _by_patient(self, values: np.ndarray) -> np.ndarray:
        """Sum over the lesions of each patient."""
        total = np.zeros((self.n_patients, *values.shape[1:]))
        np.add.at(total, self.owner, values)
        return total

    def _parts(self, ratios: np.ndarray) -> tuple[np.ndarray, ...]:
        """Shrinkage of lesions, their share and that of patients in the inverse of the covariance, weights of patients."""
        shrink = 1 / (1 + ratios[1] * self.sizes)
        weight = self._by_patient(self.sizes * shrink)
        return shrink, ratios[1] * shrink, ratios[0] / (1 + ratios[0] * weight), weight

    def solve(self, ratios: np.ndarray) -> tuple[np.ndarray, ...]:
        """Solve for means, their covariance / within, residual sum of squares, and sums of design and residuals."""
        shrink, own, other, _ = self._parts(ratios)
        above = self._by_patient(shrink[:, None] * self.sums)
        cross = self.cross - (self.sums.T * own) @ self.sums - (above.T * other) @ above
        inverse = np.linalg.inv(cross[:-1, :-1])
        means = inverse @ cross[:-1, -1]
        to_residual = np.append(-means, 1.0)
        residual = self.y - self.design @ means
        lesions, patients = self.sums @ to_residual, above @ to_residual
        squares = residual @ residual - own @ lesions**2 - other @ patients**2
        return means, inverse, squares, (self.sums[:, :-1], lesions), (above[:, :-1], patients)

    def deviance(self, ratios: np.ndarray) -> float:
        """-2 log restricted likelihood without its constant."""
        _, inverse, squares, _, _ = self.solve(ratios)
        *_, weight = self._parts(ratios)
        logs = np.log1p(ratios[1] * self.sizes).sum() + np.log1p(ratios[0] * weight).sum()
        return self.n_free * np.log(squares) + logs - np.linalg.slogdet(inverse)[1]

    def gradient(self, ratios: np.ndarray) -> np.ndarray:
        """Differentiate the deviance by the ratios of patients and of lesions."""
        _, inverse, squares, by_lesion, by_patient = self.solve(ratios)
        shrink, _, other, weight = self._parts(ratios)
        share = 1 / (1 + ratios[0] * weight)

        def projected(lesions: np.ndarray, patients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            """Sums over patients and over lesions of the inverse covariance times a column (or several)."""
            wide = (slice(None), None) if lesions.ndim > 1 else slice(None)
            inside = (other * 1.0)[self.owner] * self.sizes * shrink
            return share[wide] * patients, shrink[wide] * lesions - inside[wide] * patients[self.owner]

        traces = ((weight * share).sum(), (self.sizes * shrink - other[self.owner] * (self.sizes * shrink) ** 2).sum())
        of_residual = projected(by_lesion[1], by_patient[1])
        of_design = projected(by_lesion[0], by_patient[0])
        return np.array([
            trace - self.n_free * (residual**2).sum() / squares - np.einsum("ij,jk,ik->", design, inverse, design)
            for trace, residual, design in zip(traces, of_residual, of_design, strict=True)
        ])  # fmt: skip


def _best_ratios(profile: _Profile) -> np.ndarray:
    """Variance ratios of patients and lesions at the maximum; 0 where it lies at the boundary."""

    def slope(roots: np.ndarray) -> np.ndarray:
        return 2 * roots * profile.gradient(roots**2)

    bounds = [(0.0, RUNAWAY)] * 2
    found = [
        minimize(lambda t: profile.deviance(t**2), start, jac=slope, method="L-BFGS-B", bounds=bounds,
                 options={"ftol": 1e-15, "gtol": 1e-9})
        for start in STARTS
    ]  # fmt: skip
    best = min(found, key=lambda fit: fit.fun).x
    free = best > ZERO
    ratios = np.where(free, best, 0.0) ** 2
    if free.any() and best.max() < RUNAWAY**0.5:

        def score(logs: np.ndarray) -> np.ndarray:
            at = ratios.copy()
            at[free] = np.exp(logs)
            return profile.gradient(at)[free] * at[free]

        polished = root(score, np.log(ratios[free]), tol=1e-12)
        if np.abs(polished.x - np.log(ratios[free])).max() < 1e-2:
            ratios[free] = np.exp(polished.x)
    return ratios
