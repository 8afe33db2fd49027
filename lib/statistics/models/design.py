"""The model matrix of a Cox model: arms and covariates as columns, and which patients are alike in them."""

from __future__ import annotations

__all__ = ["Design", "make_design", "number_patterns", "pick_terms", "without_event"]

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from lib.statistics.survival.event_table import arm_names, check_tte, distinct
from lib.study.limits import LARGE

# Patterns of covariates up to which patients of a large study are counted instead of listed
MAX_PATTERNS = 128


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
    rows, codes = tte.loc[kept, list(covariates)], tte["arm"].cat.codes.to_numpy()[kept]
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
    x /= scale
    terms, groups = (tuple(names) for names in zip(*columns, strict=True)) if columns else ((), ())
    return Design(x, scale, terms, groups, kept)


def pick_terms(design: Design, chosen: np.ndarray) -> Design:
    """Keep the chosen columns of a design."""
    if chosen.all():
        return design
    names = [tuple(n for n, use in zip(group, chosen, strict=True) if use) for group in (design.terms, design.groups)]
    return Design(design.x[:, chosen], design.scale[chosen], *names, design.kept)


def without_event(tte: pd.DataFrame, design: Design) -> np.ndarray:
    """Whether a term compares two arms neither of which has an event, shape (p,)."""
    events = set(tte.loc[design.kept & tte["event"].to_numpy(dtype=bool), "arm"].astype(str))
    return np.array([" vs " in group and events.isdisjoint(group.split(" vs ")) for group in design.groups], dtype=bool)


def number_patterns(design: Design, arm: np.ndarray) -> np.ndarray | None:
    """Number of each patient's pattern of covariates, or None where every patient is a row.

    The arms are always counted; with covariates patients are counted in a large study (limits) with few patterns.
    """
    if all(term.startswith("arm=") for term in design.terms):
        return arm
    if len(arm) <= LARGE:
        return None
    pattern = arm
    for column in design.x.T:
        values, codes = distinct(column)
        pattern = distinct(pattern * len(values) + codes)[1]
        if len(values) > MAX_PATTERNS or pattern.max() >= MAX_PATTERNS:
            return None
    return pattern
