"""Cox regression of arms and covariates, one at a time and together: the terms, and a test of each that has several.

With Firth's penalty where the likelihood has no maximum, or where it is asked for.
"""

from __future__ import annotations

__all__ = ["Fitted", "describe_columns", "fit_ratios"]

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from lib.statistics.models.cox import NO_INFORMATION, wald_terms
from lib.statistics.models.design import Design, pick_terms
from lib.statistics.models.firth import ESTIMATES, compare_penalised, estimate_penalised, leave_out_quiet
from lib.statistics.models.partial_likelihood import fit_cox
from lib.study.limits import LARGE, because_large

TOO_LARGE = f"not estimable: {because_large('the terms separate events from non-events, and the fit with a penalty is not made')}"


class Fitted(NamedTuple):
    """A regression: `terms` one row per column, `tests` one row per variable of several columns, whether with a penalty."""

    terms: pd.DataFrame
    tests: pd.DataFrame
    penalised: bool


def describe_columns(design: Design) -> dict[str, list[int]]:
    """Columns of each variable of a design: "arm" for the arms, else the name of the covariate.

    Names of covariates hold no sign of equality; levels may.
    """
    found: dict[str, list[int]] = {}
    for j, (term, group) in enumerate(zip(design.terms, design.groups, strict=True)):
        found.setdefault("arm" if group != "overall" else term.partition("=")[0], []).append(j)
    return found


def fit_ratios(tte: pd.DataFrame, design: Design, level: float, strata: str | None = None, *, penalise: bool = False) -> Fitted:
    """Hazard ratios of the columns of a design, and likelihood-ratio tests of its variables.

    Parameters
    ----------
    tte : DataFrame, one row per patient
        `arm`, `time`, `event`, and the column named by `strata`.
    design : Design
        Of `tte`.
    level : float
        Confidence level.
    strata : str, optional
        Column whose levels have baseline hazards of their own.
    penalise : bool
        Whether Firth's penalty is used although the likelihood may have a maximum.

    Returns
    -------
    Fitted
        `terms`: `term`, `group`, `n`, `n_events`, `coef`, `std_err`, `hr`, `ci_low`, `ci_high`, `statistic`, `p_value`,
        `method`, `note`; NaN and a reason where the events do not inform. `tests`: `variable` (``arm`` or the covariate),
        `chisq`, `df`, `p_value`, `method`, of the variables with several columns.

    Notes
    -----
    R: ``coxph(Surv(time, event) ~ arm + x + strata(s), ties = "efron")`` and ``drop1(fit, test = "Chisq")``; with the
    penalty ``coxphf::coxphf`` and ``coxphftest``.
    """
    fit, _ = fit_cox(tte, design, strata, None)
    several = {name: columns for name, columns in describe_columns(design).items() if len(columns) > 1}
    sizes = {"n": int(design.kept.sum()), "n_events": int(tte["event"].to_numpy(bool)[design.kept].sum())}
    every = pd.DataFrame({"term": design.terms, "group": design.groups}).assign(**sizes)
    penalised = penalise or fit.separated
    too_large = penalised and sizes["n"] > LARGE and "".join(describe_columns(design)) != "arm"
    why = TOO_LARGE if too_large else "" if fit.estimable.all() and fit.known.all() else NO_INFORMATION
    if why:
        nothing = every.assign(**dict.fromkeys(ESTIMATES, np.nan), method=_method(level), note=why)
        return Fitted(nothing, _tests(dict.fromkeys(several, np.nan), several, note=why), False)
    if penalised:
        found = estimate_penalised(tte, design, level, strata)
        chisq: Mapping[str, float] = compare_penalised(tte, design, several, strata)
    else:
        found = wald_terms(design, fit.beta, np.linalg.inv(fit.best.information), level).assign(method=_method(level), note="")
        chisq = {name: 2 * (fit.best.loglik - _without(tte, design, columns, strata)) for name, columns in several.items()}
    terms = every.merge(leave_out_quiet(found, tte, design), on=["term", "group"], sort=False)
    return Fitted(terms, _tests(chisq, several, " with Firth's penalty" if penalised else ""), penalised)


def _method(level: float) -> str:
    return f"Cox regression (Efron ties), Wald {level:.0%} interval"


def _without(tte: pd.DataFrame, design: Design, columns: list[int], strata: str | None) -> float:
    """Log likelihood of the same patients without some columns."""
    left = pick_terms(design, ~np.isin(np.arange(len(design.terms)), columns))
    return fit_cox(tte, left, strata, None)[0].best.loglik


def _tests(chisq: Mapping[str, float], several: Mapping[str, list[int]], how: str = "", note: str = "") -> pd.DataFrame:
    """One row per variable."""
    rows = [(name, chisq[name], float(len(columns))) for name, columns in several.items()]
    found = pd.DataFrame(rows, columns=["variable", "chisq", "df"]).astype({"chisq": float, "df": float})
    found["p_value"] = stats.chi2.sf(found["chisq"], found["df"])
    return found.assign(method=f"likelihood-ratio test of all terms of a variable (Cox regression{how})", note=note)
