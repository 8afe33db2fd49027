"""Proportional hazards term by term: the test of cox.zph, and the residuals that it tests, over time."""

from __future__ import annotations

__all__ = ["check_terms", "scaled_residuals", "trends"]

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from lib.statistics.models.cox import against_change, km_scale
from lib.statistics.multivariable.nested import Model
from lib.statistics.multivariable.splines import number_of_knots, place_knots, spline_basis
from lib.statistics.survival.event_table import merge_times

METHOD = "score test of hazard ratios that change with 1 - Kaplan-Meier"


def check_terms(model: Model, parts: Mapping[str, Sequence[int]]) -> pd.DataFrame:
    """Test for several sets of terms whether their hazard ratios change over time.

    Parameters
    ----------
    model : Model
        Usable.
    parts : mapping
        Name of a set (a covariate with all its levels, all terms together) -> its columns of the design.

    Returns
    -------
    DataFrame, one row per set
        `part`, `chisq`, `df`, `p_value` (small = not proportional); NaN where no event tells.

    Notes
    -----
    R: ``cox.zph(fit, transform = "km", terms = TRUE)`` of survival >= 3.0; of one column ``terms = FALSE``.
    """
    score, against, squared = against_change(model.fit, model.sets)
    column = np.cumsum(model.fit.estimable) - 1
    rows = []
    for name, terms in parts.items():
        chosen = [int(column[j]) for j in terms if model.fit.estimable[j]]
        own = against[np.ix_(chosen, chosen)]
        known = len(chosen) > 0 and (np.diag(own) > 1e-9 * np.diag(squared)[chosen]).all() and np.linalg.matrix_rank(own, hermitian=True) == len(own)
        chisq = score[chosen] @ np.linalg.solve(own, score[chosen]) if known else np.nan
        df = float(len(chosen)) if known else np.nan
        rows.append({"part": name, "chisq": chisq, "df": df, "p_value": stats.chi2.sf(chisq, df) if known else np.nan})
    return pd.DataFrame(rows)


def scaled_residuals(tte: pd.DataFrame, model: Model, terms: Sequence[int]) -> pd.DataFrame:
    """Scaled Schoenfeld residuals: at each event, the log hazard ratio that it alone speaks for.

    Parameters
    ----------
    tte : DataFrame, one row per patient
        As the model was fitted to.
    model : Model
        Usable.
    terms : sequence of int
        Columns of the design that are estimable.

    Returns
    -------
    DataFrame, one row per event
        `time`, `gone` (1 - Kaplan-Meier just before it, centred as in the test), and a column per term, by its number,
        on the scale of the covariate. R: ``cox.zph(fit, transform = "km", terms = FALSE)$y``.
    """
    sets, used = model.sets, model.fit.estimable
    beta = model.fit.beta[used]
    _, mean = sets.term_means(sets.risks(beta)[1])
    ties = np.maximum(sets.per_block(sets.term_count), 1)
    expected = (sets.per_block(sets.term_count[:, None] * mean) / ties[:, None])[sets.block]
    events = np.repeat(np.arange(len(sets.x)), sets.events.astype(int))
    schoenfeld = (sets.x - expected)[events]
    scaled = schoenfeld @ np.linalg.inv(model.fit.best.information) * len(events) + beta
    column = np.cumsum(used) - 1
    found = {j: scaled[:, column[j]] / model.design.scale[j] for j in terms}
    times, _ = merge_times(tte["time"].to_numpy(dtype=float)[model.design.kept])
    at = sets.block[events]
    return pd.DataFrame({"time": times[sets.block_time[at]], "gone": km_scale(sets)[at], **found})


def trends(model: Model, residuals: pd.DataFrame, term: int, level: float) -> pd.DataFrame:
    """A straight line and a natural spline through the residuals of a term, over 1 - Kaplan-Meier.

    The line is what the test looks at; the spline has as many knots as a covariate's would (`number_of_knots`), and
    is the line again where the events lie at too few times.

    Returns
    -------
    DataFrame, one row per event
        `line` and `smooth`, with the limits of the smooth `low` and `high`: log hazard ratios. R: ``lm(zph$y ~ x)``, and
        for the limits the variance of plot.cox.zph.
    """
    x, y = residuals["gone"].to_numpy(), residuals[term].to_numpy()
    straight = np.column_stack([np.ones(len(x)), x])
    knots = place_knots(x, number_of_knots(len(x)))
    curved = np.column_stack([straight, spline_basis(x, knots)]) if len(knots) > 2 else straight
    variance = model.covariance[term, term] * len(x)
    found = [matrix @ np.linalg.lstsq(matrix, y, rcond=None)[0] for matrix in (straight, curved)]
    spread = np.einsum("ij,jk,ik->i", curved, np.linalg.pinv(curved.T @ curved), curved)
    reach = stats.norm.ppf(0.5 + level / 2) * np.sqrt(variance * spread)
    return pd.DataFrame({"line": found[0], "smooth": found[1], "low": found[1] - reach, "high": found[1] + reach})
