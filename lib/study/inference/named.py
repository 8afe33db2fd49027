"""Rules between what is declared about comparisons and the rest of a study: ids that exist, covariates that are numbers."""

from __future__ import annotations

__all__ = ["Compared", "check_covariates", "ids_named"]

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from lib.study.inference.evidence import External
from lib.study.inference.models import Models
from lib.study.inference.strategy import Strategy
from lib.study.parts import Confounding, Sensitivity, Subgroup, Variable


class Compared(NamedTuple):
    """The parts of a study that say how its arms are compared."""

    models: Models | None
    strategy: Strategy | None
    external: Sequence[External]
    confounding: Confounding | None
    subgroups: Sequence[Subgroup]
    sensitivity: Sensitivity


def ids_named(
    compared: Compared, baseline: Sequence[Variable], arms: Collection[str], endpoints: Collection[str], components: Collection[str]
) -> Iterator[tuple[str, Collection[str], Collection[str]]]:
    """Yield (key, ids that exist, ids named there)."""
    variables = [v.id for v in baseline]
    yield "subgroups.variable", variables, [s.variable for s in compared.subgroups]
    yield "confounding.covariates.variable", variables, [c.variable for c in (compared.confounding.covariates if compared.confounding else ())]
    yield "sensitivity.strata", variables, compared.sensitivity.strata
    yield "external.arm", arms, [e.arm for e in compared.external]
    yield "external.against", arms, [e.against for e in compared.external if e.against]
    yield "external.endpoint", endpoints, [e.endpoint for e in compared.external if e.endpoint]
    if compared.models:
        yield "models.covariates.variable", variables, [c.variable for c in compared.models.covariates]
        categories = [v.id for v in baseline if v.type == "category" and v.source is None]
        yield "models.strata (a category of the table of patients)", categories, compared.models.strata
    if compared.strategy:
        yield "strategy.arms", arms, compared.strategy.arms
        yield "strategy.add", components, [compared.strategy.add]


def check_covariates(baseline: Sequence[Variable], confounding: Confounding | None, models: Models | None) -> None:
    """Refuse a logarithm, a step or a spline of a category, and a covariate that is named twice.

    Raises
    ------
    ValueError
        With the key and the variable.
    """
    categories = {v.id for v in baseline if v.type == "category"}
    for covariate in confounding.covariates if confounding else ():
        if covariate.log and covariate.variable in categories:
            raise ValueError(f"confounding.covariates: {covariate.variable} is a category and has no logarithm")
    named: set[str] = set()
    for one in models.covariates if models else ():
        if one.variable in categories and (one.log or one.spline or one.step is not None):
            raise ValueError(f"models.covariates: {one.variable} is a category and has no logarithm, step or spline")
        if models and (one.variable in named or one.variable in models.strata):
            raise ValueError(f"models: {one.variable} is named twice; a variable is a covariate once, or a stratum")
        named.add(one.variable)
