"""Multinomial logistic regression of many weighted samples at once, by Newton's method.

Used where patients are counted (resamples, patients who are alike); a single small sample goes through statsmodels.
"""

from __future__ import annotations

__all__ = ["MAX_SLOPE", "fit_multinomial", "information_at", "probabilities"]

import numpy as np

# A standardized slope of 15 is an odds ratio of 3 million: the covariates tell the arms apart, and Newton runs off.
MAX_SLOPE = 15.0
NEWTON_STEPS = 30
# Per patient: where Newton's method has arrived. An information with this condition number has no inverse.
SCORE_AT_REST, SINGULAR = 1e-12, 1e14


def fit_multinomial(design: np.ndarray, own: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Maximum likelihood coefficients of each sample.

    Parameters
    ----------
    design : ndarray, shape (n, p)
        The first column is 1, the others have mean 0 and standard deviation 1.
    own : ndarray, shape (n, k)
        1 in the column of the group that the row belongs to; coefficients are relative to the first group.
    counts : ndarray, shape (b, n)
        How often each row is in each sample.

    Returns
    -------
    beta : ndarray, shape (b, k - 1, p)
    fitted : ndarray of bool, shape (b,)
        False where the covariates tell the groups apart, or a group is empty.
    """
    beta = np.zeros((len(counts), own.shape[1] - 1, design.shape[1]))
    open_ = np.flatnonzero(((counts @ own) > 0).all(axis=1))
    fitted = np.zeros(len(counts), dtype=bool)
    at_rest = SCORE_AT_REST * counts.sum(axis=1, keepdims=True)
    with np.errstate(all="ignore"):  # a fit that runs off is dropped
        for _ in range(NEWTON_STEPS):
            if not len(open_):  # from the start, where no sample holds every group
                break
            score, information = _calculus(design, own, counts[open_], beta[open_])
            done = (np.abs(score) < at_rest[open_]).all(axis=1)
            fitted[open_[done]] = True
            going = ~done & (np.linalg.cond(np.where(np.isfinite(information), information, 0.0)) < SINGULAR)
            going &= (np.abs(beta[open_][:, :, 1:]) < MAX_SLOPE).all(axis=(1, 2))
            open_ = open_[going]
            steps = np.linalg.solve(information[going], score[going][:, :, None])[:, :, 0]
            beta[open_] += steps.reshape(len(open_), *beta.shape[1:])
    return beta, fitted


def information_at(design: np.ndarray, own: np.ndarray, counts: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Information of each sample, shape (b, (k - 1) p, (k - 1) p), group after group."""
    return _calculus(design, own, counts, beta)[1]


def _calculus(
    design: np.ndarray, own: np.ndarray, counts: np.ndarray, beta: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Score, shape (b, k), and information, shape (b, k, k), of each sample's multinomial likelihood."""
    b, others, p = beta.shape
    later = probabilities(design, beta)[:, 1:]
    score = (counts[:, None, :] * (own[:, 1:].T[None] - later)) @ design
    information = np.empty((b, others, p, others, p))
    for i in range(others):
        for j in range(others):
            spread = counts * later[:, i] * ((i == j) - later[:, j])
            information[:, i, :, j, :] = (design.T[None] * spread[:, None, :]) @ design
    return score.reshape(b, -1), information.reshape(b, others * p, others * p)


def probabilities(design: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Probability of each group, shape (b, k, n)."""
    logits = np.concatenate([np.zeros((len(beta), 1, len(design))), beta @ design.T], axis=1)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)
