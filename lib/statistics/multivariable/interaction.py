"""Interaction of the arm with levels of something else: test, and the hazard ratio within each level."""

from __future__ import annotations

__all__ = ["Interaction", "compare_levels"]

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from lib.statistics.comparisons import name_pair
from lib.statistics.multivariable.nested import compare_models, contrast, fit_model
from lib.statistics.survival.event_table import arm_names

LEVEL, PRODUCT = "level {}", "product {} {}"


class Interaction(NamedTuple):
    """`test` : chisq, df, p_value; `ratios` : one row per level and pair (`level`, `group`, `hr`, `ci_low`, `ci_high`); `coefficients` of the larger model."""

    test: dict[str, float]
    ratios: pd.DataFrame
    coefficients: int


def compare_levels(
    tte: pd.DataFrame, reference: str, levels: Mapping[str, pd.Series], covariates: Sequence[str] = (),
    *, level: float = 0.95, strata: str | None = None,
) -> Interaction:  # fmt: skip
    """Likelihood-ratio test of arm x level against arm + level, and hazard ratios within the levels.

    Parameters
    ----------
    tte : DataFrame, one row per patient
        `arm`, `time`, `event` and the columns of `covariates`, none of them missing.
    levels : mapping
        Name of a level -> mask over the rows; each patient is in one of them.

    Returns
    -------
    Interaction
        NaN where a model cannot be fitted. R: ``anova(coxph(S ~ arm + g + x), coxph(S ~ arm * g + x))``; ratios are sums
        of the larger model's coefficients.
    """
    others = [arm for arm in arm_names(tte) if arm != reference]
    masks = list(levels.values())
    alone = {LEVEL.format(i): mask.astype(float) for i, mask in enumerate(masks) if i}
    products = {PRODUCT.format(i, j): (mask & (tte["arm"] == arm)).astype(float) for i, mask in enumerate(masks) if i for j, arm in enumerate(others)}
    frame = tte.assign(**alone, **products)
    smaller, larger = (fit_model(frame, reference, [*covariates, *alone, *more], strata) for more in ((), products))
    weights = np.zeros((len(masks) * len(others), len(larger.coef)))
    for i in range(len(masks)):
        for j, arm in enumerate(others):
            weights[i * len(others) + j, larger.place(f"arm={arm}")] = 1.0
            if i:
                weights[i * len(others) + j, larger.place(PRODUCT.format(i, j))] = 1.0
    found = contrast(larger, weights, level)
    names = [(name, name_pair(arm, reference)) for name in levels for arm in others]
    ratios = pd.DataFrame(names, columns=["level", "group"])
    for column in ("hr", "ci_low", "ci_high"):
        ratios[column] = found[column] if larger.usable else np.nan
    return Interaction(compare_models(smaller, larger), ratios, larger.df)
