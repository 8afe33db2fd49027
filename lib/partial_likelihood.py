"""Cox's partial likelihood: design, risk sets, derivatives (Efron or Breslow ties, strata, weights) and its maximum.

Shared by cox and firth. Patients who are alike (same stratum, time and arm) are one row with a count, so a model with
the arm alone costs as much as there are distinct times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from lib.event_table import arm_names, check_tte, merge_times

__all__ = [
    "Derivatives",
    "Design",
    "Fit",
    "RiskSets",
    "fit_cox",
    "make_design",
    "make_risk_sets",
    "pick_terms",
    "sum_rows"]

# Largest change of a log hazard ratio between two patients in one iteration; ten times as much is separation (e^200)
MAX_SPREAD = 20.0


class Design(NamedTuple):
    """Model matrix of the patients with complete covariates.

    `x` : ndarray, shape (n, p), columns centred and divided by `scale`; `terms` : names of the columns; `groups` :
    ``x vs reference`` for an arm, else ``overall``; `kept` : mask over the rows of the frame.
    """

    x: np.ndarray
    scale: np.ndarray
    terms: tuple[str, ...]
    groups: tuple[str, ...]
    kept: np.ndarray


class Derivatives(NamedTuple):
    """Log partial likelihood, gradient (p,) and information (p, p)."""

    loglik: float
    score: np.ndarray
    information: np.ndarray


def make_design(tte: pd.DataFrame, reference: str, covariates: Sequence[str] = ()) -> Design:
    """Indicator columns of the arms (against `reference`) and columns of the covariates.

    Numeric and boolean covariates enter as they are, others as indicators against their first level. Rows with a
    missing covariate are left out.

    Raises
    ------
    ValueError
        For a reference that is no arm, or a covariate that is no column.
    """
    check_tte(tte)
    arms = arm_names(tte)
    if reference not in arms:
        raise ValueError(f"reference must be one of the arms {list(arms)}, but found {reference!r}")
    missing = [name for name in covariates if name not in tte]
    if missing:
        raise ValueError(f"covariates {missing} are not columns of the frame: {list(tte.columns)}")
    kept = tte[list(covariates)].notna().all(axis=1).to_numpy(dtype=bool) if covariates else np.ones(len(tte), bool)
    rows, codes = tte[kept], tte["arm"].cat.codes.to_numpy()[kept]
    others = [arm for arm in arms if arm != reference]
    columns = {(f"arm={arm}", f"{arm} vs {reference}"): codes == arms.index(arm) for arm in others}
    for name in covariates:
        values = rows[name]
        if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            columns[name, "overall"] = values
        else:
            levels = values.astype("category").cat.remove_unused_categories().cat.categories
            columns |= {(f"{name}={level}", "overall"): values == level for level in levels[1:]}
    x = np.column_stack([np.asarray(c, float) for c in columns.values()]) if columns else np.empty((len(rows), 0))
    x = x - x.mean(axis=0) if len(x) else x
    scale = np.sqrt((x**2).mean(axis=0)) if len(x) else np.ones(x.shape[1])
    scale = np.where(scale > 0, scale, 1.0)
    terms, groups = (tuple(names) for names in zip(*columns, strict=True)) if columns else ((), ())
    return Design(x / scale, scale, terms, groups, kept)


def sum_rows(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Sum the rows of each block; blocks are contiguous and begin at `starts`."""
    return np.add.reduceat(values, starts, axis=0) if len(starts) else values[:0]


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
    term_block, term_share, term_weight : ndarray, shape (t,)
        One term per factor of the likelihood: its block, Efron's share of the tied events that is taken out of the
        risk set (0 for Breslow), and its weight (Efron: mean weight of the tied events; Breslow: their sum).
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
    order: np.ndarray

    def at_risk(self, values: np.ndarray) -> np.ndarray:
        """Sum row values over each block's risk set: the rows of its stratum from the block on."""
        parts = np.split(sum_rows(values, self.starts), self.stratum_starts[1:])
        return np.concatenate([part[::-1].cumsum(axis=0)[::-1] for part in parts])

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


def make_risk_sets(
    tte: pd.DataFrame,
    design: Design,
    strata: str | None = None,
    weights: str | None = None,
    ties: Literal["efron", "breslow"] = "efron",
) -> RiskSets:
    """Sort and count the patients of a design into risk sets.

    Where the arm is the only term and nobody is weighted, patients of one stratum, time and arm become one row.
    """
    rows = tte[design.kept]
    times, index = merge_times(rows["time"].to_numpy(dtype=float))
    event = rows["event"].to_numpy(dtype=bool)
    stratum = np.zeros(len(rows), int) if strata is None else pd.factorize(rows[strata], sort=True)[0]
    block_key = stratum.astype(np.int64) * len(times) + index
    weight = np.ones(len(rows)) if weights is None else rows[weights].to_numpy(dtype=float)
    order = np.argsort(block_key, kind="stable")
    if weights is None and all(term.startswith("arm=") for term in design.terms):
        arm = rows["arm"].cat.codes.to_numpy(dtype=np.int64)
        cells, first, inverse = np.unique(block_key * 128 + arm, return_index=True, return_inverse=True)
        count, events = np.bincount(inverse, minlength=len(cells)), np.bincount(inverse, event, len(cells))
        x, weight, block_key = design.x[first], np.ones(len(cells)), cells // 128
    else:
        count, events = np.ones(len(rows)), event[order].astype(float)
        x, weight, block_key = design.x[order], weight[order], block_key[order]
    blocks, starts, block = np.unique(block_key, return_index=True, return_inverse=True)
    block_stratum, block_time = np.divmod(blocks, max(len(times), 1))
    stratum_starts = np.unique(block_stratum, return_index=True)[1]
    d = sum_rows(events, starts)
    tied_weight = sum_rows(events * weight, starts)
    if ties == "efron":
        term_block = np.repeat(np.arange(len(d)), d.astype(int))
        rank = np.arange(len(term_block)) - np.repeat(np.cumsum(d) - d, d.astype(int))
        share, term_weight = rank / d[term_block], (tied_weight / np.maximum(d, 1))[term_block]
    else:
        term_block = np.flatnonzero(d)
        share, term_weight = np.zeros(len(term_block)), tied_weight[term_block]
    ties_of = (term_block, share, term_weight)
    return RiskSets(x, weight, count, events, starts, block, block_time, stratum_starts, *ties_of, order)


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


def _climb(sets: RiskSets, null: Derivatives) -> tuple[np.ndarray, Derivatives, bool]:
    """Newton's method with step halving.

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
    found, best, separated = _climb(sets, null)
    beta = np.full(p, np.nan)
    beta[estimable] = found
    return Fit(beta, estimable, known, separated, null, best), sets


def pick_terms(design: Design, chosen: np.ndarray) -> Design:
    """Keep the chosen columns of a design."""
    names = [tuple(n for n, use in zip(group, chosen, strict=True) if use) for group in (design.terms, design.groups)]
    return Design(design.x[:, chosen], design.scale[chosen], *names, design.kept)
