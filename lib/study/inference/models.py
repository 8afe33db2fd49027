"""The part `models` of study.yml: what is held alike when arms are compared, and how it enters."""

from __future__ import annotations

__all__ = ["ModelCovariate", "Models"]

from typing import Annotated, Self

from pydantic import Field, model_validator

from lib.study.parts import Covariate, Frozen, Id

# A step of a logarithm is a factor: a hazard ratio per doubling unless study.yml says otherwise.
DOUBLING = 2.0
LEAST_FACTOR = 1.01
# No variable is measured in units so small or so large that a step lies beyond; one that does was typed wrongly.
Step = Annotated[float, Field(ge=1e-9, le=1e9)]


class ModelCovariate(Covariate):
    """A baseline variable of a regression.

    `step`: so many units of it are what an estimate is for (10 for "per 10 years"; of a logarithm the factor, 2 for
    "per doubling"). `spline`: a restricted cubic spline is shown beside the straight line, and linearity tested.
    """

    step: Step | None = None
    spline: bool = False

    @model_validator(mode="after")
    def _a_factor_is_above_one(self) -> Self:
        if self.log and self.step is not None and self.step < LEAST_FACTOR:
            raise ValueError(f"step of a logarithm is a factor above 1, of at least {LEAST_FACTOR}")
        return self

    @property
    def per(self) -> float:
        """The step in force."""
        return self.step or (DOUBLING if self.log else 1.0)


class Models(Frozen):
    """Regression beside the comparison of arms.

    `covariates`: held alike, the arm always in. `strata`: categories whose levels have baseline hazards of their own.
    `change_at`: a time, in the study's unit, at which a hazard ratio may change. `imputations`: how often a missing
    covariate is drawn.
    """

    covariates: tuple[ModelCovariate, ...] = Field(min_length=1, max_length=12)
    strata: tuple[Id, ...] = ()
    change_at: Annotated[float, Field(gt=0)] | None = None
    imputations: int = Field(20, ge=5, le=100)
