"""Cox's partial likelihood: risk sets, derivatives (Efron or Breslow ties, strata, weights) and its maximum.

Shared by cox and firth. Patients who are alike (same stratum, time and arm) are one row with a count, and so are many
tied events, so a model with the arm alone costs as much as there are distinct times.
"""

from __future__ import annotations

__all__ = ["CountedSets", "Derivatives", "Fit", "RiskSets", "climb", "fit_cox", "make_risk_sets", "sum_rows"]

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from lib.statistics.models.design import Design, number_patterns, pick_terms
from lib.statistics.survival.event_table import distinct, merge_times
from lib.study.limits import LARGE

# Of more tied events than this, at most a sixteenth of those at risk, NODES stand for all in Efron's sums.
MANY_TIES, NODES, FEW_OF = 32, 8, 16
# Largest change of a log hazard ratio between two patients in one iteration; ten times as much is separation (e^200)
MAX_SPREAD = 20.0


class Derivatives(NamedTuple):
    """Log partial likelihood, gradient (p,) and information (p, p)."""

    loglik: float
    score: np.ndarray
    information: np.ndarray


def sum_rows(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Sum the rows of each block; blocks are contiguous and begin at `starts`."""
    return np.add.reduceat(values, starts, axis=0) if len(starts) else values[:0]


def _from_block_on(blocks: np.ndarray, stratum_starts: np.ndarray) -> np.ndarray:
    """Sum block values over the blocks of their stratum from each one on."""
    parts = np.split(blocks, stratum_starts[1:])
    return np.concatenate([part[::-1].cumsum(axis=0)[::-1] for part in parts])


@dataclass(frozen=True)
class RiskSets:
    """Rows sorted by stratum and time, blocks of one stratum and time, and the ties among their events.

    Attributes
    ----------
    x : ndarray, shape (r, p)
    weight, count, events : ndarray, shape (r,)
        Case weight; patients the row stands for, and how many of them had the event at its time.
    starts : ndarray of int, shape (b,)
        First row of each block. `block` : ndarray, shape (r,), block of each row.
    block_time : ndarray of int, shape (b,)
        Position of the block's time among the distinct times of all strata.
    stratum_starts : ndarray of int
        First block of each stratum.
    term_block, term_share, term_weight, term_count : ndarray, shape (t,)
        One term per factor of the likelihood: its block, Efron's share of the tied events that is taken out of the
        risk set (0 for Breslow), its weight (Efron: mean weight of the tied events; Breslow: their sum), and how many
        factors it stands for (contained in the weight; see `_tied`).
    order : ndarray of int
        Patients in the order of the rows, where each row is one patient.
    """

    x: np.ndarray
    weight: np.ndarray
    count: np.ndarray
    events: np.ndarray
    starts: np.ndarray
    block: np.ndarray
    block_time: np.ndarray
    stratum_starts: np.ndarray
    term_block: np.ndarray
    term_share: np.ndarray
    term_weight: np.ndarray
    term_count: np.ndarray
    order: np.ndarray

    def at_risk(self, values: np.ndarray) -> np.ndarray:
        """Sum row values over each block's risk set: the rows of its stratum from the block on."""
        return _from_block_on(sum_rows(values, self.starts), self.stratum_starts)

    def so_far(self, blocks: np.ndarray) -> np.ndarray:
        """Cumulative sum of block values inside each stratum, up to and with the block."""
        return np.concatenate([part.cumsum(axis=0) for part in np.split(blocks, self.stratum_starts[1:])])

    def per_block(self, values: np.ndarray) -> np.ndarray:
        """Sum term values by block; blocks without an event get 0."""
        out = np.zeros((len(self.starts), *values.shape[1:]), dtype=values.dtype)
        with_events, first = np.unique(self.term_block, return_index=True)
        out[with_events] = sum_rows(values, first)
        return out

    def risks(self, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Linear predictor, shifted so that none is above 0 (the likelihood does not change), and its exponential."""
        eta = self.x @ beta
        eta = eta - (eta.real.max() if eta.size else 0.0)
        return eta, np.exp(eta)

    def term_means(self, risk: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weighted risk sum (t,) and mean covariates (t, p) of the risk set of each term."""
        mass = (self.weight * risk)[:, None] * np.column_stack([np.ones(len(self.x)), self.x])
        everyone = self.at_risk(self.count[:, None] * mass)[self.term_block]
        tied = sum_rows(self.events[:, None] * mass, self.starts)[self.term_block]
        sums = everyone - self.term_share[:, None] * tied
        return sums[:, 0], sums[:, 1:] / sums[:, :1]

    def derivatives(self, beta: np.ndarray, g: np.ndarray | None = None, power: int = 0) -> Derivatives:
        """Log likelihood, score and information at `beta`, each block's share multiplied by ``g ** power``.

        With every row's cumulative hazard H, the information is X' diag(mass H) X minus the sum of the outer products
        of the terms' means. Also for complex `beta` (complex-step derivatives).

        Parameters
        ----------
        beta : ndarray, shape (p,)
        g : ndarray, shape (b,), optional
            Block weights, a function of time (needed for the proportional-hazards test only).
        power : int
            0 for the likelihood itself.
        """
        factor = np.ones(len(self.starts)) if g is None else g**power
        eta, risk = self.risks(beta)
        total, mean = self.term_means(risk)
        weight = self.term_weight * factor[self.term_block]
        own = self.weight * self.events * factor[self.block]
        hazard = weight / total
        mass = (
            self.weight
            * risk
            * (
                self.count * self.so_far(self.per_block(hazard))[self.block]
                - self.events * self.per_block(hazard * self.term_share)[self.block]
            )
        )
        information = (self.x.T * mass) @ self.x - (mean.T * weight) @ mean
        return Derivatives(own @ eta - weight @ np.log(total), own @ self.x - weight @ mean, information)


@dataclass(frozen=True)
class CountedSets(RiskSets):
    """Risk sets of a large study whose patients are counted: sums over a risk set are sums over a few patterns.

    Attributes
    ----------
    patterns : ndarray, shape (k, p)
        Covariates of each pattern.
    risk_by, events_by : ndarray, shape (b, k)
        Patients at risk, and events, of each block by pattern.
    """

    patterns: np.ndarray
    risk_by: np.ndarray
    events_by: np.ndarray

    def derivatives(self, beta: np.ndarray, g: np.ndarray | None = None, power: int = 0) -> Derivatives:
        """As `RiskSets.derivatives`, at a cost that grows with blocks times patterns."""
        factor = np.ones(len(self.starts)) if g is None else g**power
        eta = self.patterns @ beta
        eta = eta - (eta.real.max() if eta.size else 0.0)
        risk = np.exp(eta)
        mass = risk[:, None] * np.column_stack([np.ones(len(risk)), self.patterns])
        sums = (self.risk_by @ mass)[self.term_block] - self.term_share[:, None] * (self.events_by @ mass)[self.term_block]
        total, mean = sums[:, 0], sums[:, 1:] / sums[:, :1]
        weight, own = self.term_weight * factor[self.term_block], factor @ self.events_by
        hazard = weight / total
        tied = self.per_block(hazard * self.term_share)
        expected = risk * (self.per_block(hazard) @ self.risk_by - tied @ self.events_by)
        information = (self.patterns.T * expected) @ self.patterns - (mean.T * weight) @ mean
        return Derivatives(own @ eta - weight @ np.log(total), own @ self.patterns - weight @ mean, information)


def make_risk_sets(
    tte: pd.DataFrame,
    design: Design,
    strata: str | None = None,
    weights: str | None = None,
    ties: Literal["efron", "breslow"] = "efron",
) -> RiskSets:
    """Sort and count the patients of a design into risk sets.

    Where the arm is the only term and nobody is weighted, patients of one stratum, time and arm become one row; in a
    large study (limits) also those with the same of few patterns of covariates.
    """
    kept = design.kept
    times, index = merge_times(tte["time"].to_numpy(dtype=float)[kept])
    event = tte["event"].to_numpy(dtype=bool)[kept]
    stratum = np.zeros(len(index), int) if strata is None else pd.factorize(tte.loc[kept, strata], sort=True)[0]
    block_key = stratum.astype(np.int64) * len(times) + index
    pattern = None if weights is not None else number_patterns(design, tte["arm"].cat.codes.to_numpy(dtype=np.int64)[kept])
    if pattern is not None:
        alike = int(pattern.max(initial=0)) + 1
        cells, inverse = distinct(block_key * alike + pattern)
        one_of = np.zeros(alike, dtype=np.int64)
        one_of[pattern] = np.arange(len(pattern))
        order = np.empty(0, dtype=np.int64)
        count, events = np.bincount(inverse, minlength=len(cells)), np.bincount(inverse, event, len(cells))
        x, weight, block_key = design.x[one_of[cells % alike]], np.ones(len(cells)), cells // alike
    else:
        order = np.argsort(block_key, kind="stable")
        weight = np.ones(len(index)) if weights is None else tte[weights].to_numpy(dtype=float)[kept]
        count, events = np.ones(len(index)), event[order].astype(float)
        x, weight, block_key = design.x[order], weight[order], block_key[order]
    new = np.diff(block_key, prepend=-1) > 0
    starts, block = np.flatnonzero(new), np.cumsum(new) - 1
    block_stratum, block_time = np.divmod(block_key[starts], max(len(times), 1))
    stratum_starts = np.unique(block_stratum, return_index=True)[1]
    d = sum_rows(events, starts)
    tied_weight = sum_rows(events * weight, starts)
    if ties == "efron":
        left = _from_block_on(sum_rows(count, starts), stratum_starts)
        term_block, rank, term_count = _tied(d.astype(int), left)
        share, term_weight = rank / d[term_block], (tied_weight / np.maximum(d, 1))[term_block] * term_count
    else:
        term_block = np.flatnonzero(d)
        share, term_weight, term_count = np.zeros(len(term_block)), tied_weight[term_block], d[term_block]
    ties_of = (term_block, share, term_weight, term_count)
    sets = (x, weight, count, events, starts, block, block_time, stratum_starts, *ties_of, order)
    if pattern is None or len(index) <= LARGE:
        return RiskSets(*sets)
    at, shape = block * alike + cells % alike, (len(starts), alike)
    leaving, dead = (np.bincount(at, values, shape[0] * shape[1]).reshape(shape) for values in (count, events))
    return CountedSets(*sets, design.x[one_of], _from_block_on(leaving, stratum_starts), dead)


def _tied(d: np.ndarray, at_risk: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Block, rank among the tied events, and count, of each of Efron's terms.

    A sum over the ranks 0 ... d - 1 of many ties is a sum over the nodes of the Gauss rule for equally weighted whole
    numbers (zeros of the discrete Chebyshev polynomials; Gautschi 2004, section 1.5.2), exact up to degree
    2 NODES - 1. Efron's terms are all but linear in the rank where few of those at risk have the event.

    Parameters
    ----------
    d, at_risk : ndarray of int, shape (b,)
        Events of each block, and patients at risk.
    """
    many = (d > MANY_TIES) & (d * FEW_OF <= at_risk)
    block = np.repeat(np.arange(len(d)), np.where(many, NODES, d))
    position = np.arange(len(block)) - np.searchsorted(block, block)
    rank, count = position.astype(float), np.ones(len(block))
    if many.any():
        sizes, which = np.unique(d[many], return_inverse=True)
        k = np.arange(1, NODES)
        beside = np.sqrt(k**2 * (sizes[:, None] ** 2 - k**2) / (4.0 * (4 * k**2 - 1)))
        jacobi = np.zeros((len(sizes), NODES, NODES))
        jacobi[:, k, k - 1] = jacobi[:, k - 1, k] = beside
        nodes, vectors = np.linalg.eigh(jacobi)
        chosen = many[block]
        rank[chosen] = (nodes + (sizes[:, None] - 1) / 2)[which].ravel()
        count[chosen] = (sizes[:, None] * vectors[:, 0, :] ** 2)[which].ravel()
    return block, rank, count


class Fit(NamedTuple):
    """Coefficients on the scale of the design (NaN where not estimable), and the likelihood at 0 and at them.

    `estimable` terms are in the fit; `known` are those whose own effect the events inform.
    """

    beta: np.ndarray
    estimable: np.ndarray
    known: np.ndarray
    separated: bool
    null: Derivatives
    best: Derivatives


def _estimable(information: np.ndarray, events: float) -> np.ndarray:
    """Mask of the terms on which the events inform, a term explained by earlier ones left out (columns have sd 1)."""
    kept: list[int] = []
    for j in range(len(information)):
        with_j = information[np.ix_([*kept, j], [*kept, j])]
        own = with_j[-1, -1] - with_j[-1, :-1] @ np.linalg.solve(with_j[:-1, :-1], with_j[:-1, -1])
        if own > 1e-9 * events:
            kept.append(j)
    return np.isin(np.arange(len(information)), kept)


def _known(information: np.ndarray, events: float) -> np.ndarray:
    """Mask of the terms whose own effect the events inform.

    A term may be kept in the fit and yet stand for another contrast: without the reference arm at risk at any event,
    the first of the other arms takes its place. An effect is known if its unit vector lies in the row space of the
    information.
    """
    if not information.size:
        return np.zeros(len(information), dtype=bool)
    values, vectors = np.linalg.eigh(information)
    informed = vectors[:, values > 1e-9 * events]
    return (informed**2).sum(axis=1) > 1 - 1e-6


def _spread(sets: RiskSets, beta: np.ndarray) -> float:
    """Largest difference in log hazard between two patients."""
    eta = sets.x @ beta
    return float(np.ptp(eta)) if eta.size else 0.0


def climb(sets: RiskSets, null: Derivatives) -> tuple[np.ndarray, Derivatives, bool]:
    """Newton's method with step halving, from 0, where the derivatives are `null`.

    Separated: the likelihood has stopped rising, but the coefficients still move, or there is no information left.
    """
    beta, at = np.zeros(sets.x.shape[1]), null
    step = beta
    for _ in range(60):
        step = np.linalg.lstsq(at.information, at.score, rcond=None)[0]
        step = step / max(1.0, _spread(sets, step) / MAX_SPREAD)
        new = sets.derivatives(beta + step)
        noise = 1e-12 * (1 + abs(at.loglik))
        while not new.loglik >= at.loglik - noise and np.abs(step).max() > 1e-12:
            step = step / 2
            new = sets.derivatives(beta + step)
        still = abs(new.loglik - at.loglik) <= 1e-14 * abs(at.loglik)
        beta, at = beta + step, new
        if still or _spread(sets, beta) > 10 * MAX_SPREAD:
            break
    left = np.linalg.eigvalsh(at.information).min(initial=np.inf)
    separated = np.abs(step).max(initial=0.0) > 1e-4 or left < 1e-8 * np.trace(null.information)
    return beta, at, bool(separated)


def fit_cox(
    tte: pd.DataFrame, design: Design, strata: str | None = None, weights: str | None = None
) -> tuple[Fit, RiskSets]:
    """Fit a Cox model (Efron ties), with the terms on which the events inform; also return its risk sets."""
    sets = make_risk_sets(tte, design, strata, weights)
    p = len(design.terms)
    null = sets.derivatives(np.zeros(p))
    events = float(sets.weight @ sets.events)
    estimable = _estimable(null.information, events)
    # Of covariates that explain each other the first stands for all, as in R; an arm stands for itself only.
    of_arm = np.array([term.startswith("arm=") for term in design.terms], dtype=bool)
    known = np.where(of_arm, _known(null.information, events), estimable)
    if not estimable.all():
        sets = make_risk_sets(tte, pick_terms(design, estimable), strata, weights)
        null = sets.derivatives(np.zeros(estimable.sum()))
    found, best, separated = climb(sets, null)
    beta = np.full(p, np.nan)
    beta[estimable] = found
    return Fit(beta, estimable, known, separated, null, best), sets
