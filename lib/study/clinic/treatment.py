"""What was given, and who belongs to which analysis population, and how each part in the study ended."""

from __future__ import annotations

__all__ = ["Component", "Disposition", "Population", "Treatments"]

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lib.study.parts import Code, Frozen, Id, Label, Level, Told, own, unique


class Population(Frozen):
    """An analysis population: patients whose `column` holds `inside`; everybody else's holds `outside`."""

    id: Id
    label: Label
    column: Id
    inside: Annotated[Code, Field(min_length=1)] = "1"
    outside: Annotated[Code, Field(min_length=1)] = "0"
    # Whether a report is about it unless another one is asked for.
    default: bool = False

    @property
    def flag(self) -> str:
        """Its column in the frames of patients."""
        return own(f"{self.id}.population")

    @model_validator(mode="after")
    def _tells_patients_apart(self) -> Self:
        if self.inside == self.outside:
            raise ValueError(f"populations: {self.id}: inside and outside are both {self.inside}, so nobody can be told apart")
        if self.column in ("patient_id", "arm"):
            raise ValueError(f"populations: {self.id}: {self.column} tells who a patient is, not in which population")
        return self


class Disposition(Frozen):
    """How each patient's part in the study ended: a column of patients, and its codes in the order of a report."""

    column: Id
    levels: tuple[Level, ...] = Field(min_length=1, max_length=20)

    @property
    def flag(self) -> str:
        """Its column in the frames of patients."""
        return own("disposition")

    @model_validator(mode="after")
    def _levels_are_told_apart(self) -> Self:
        unique("level", [level.value for level in self.levels])
        return self


class Component(Frozen):
    """A treatment component; `arms` are those whose patients receive it."""

    id: Id
    label: Label
    kind: Literal["drug", "local"]
    arms: tuple[Id, ...]
    doses: tuple[float, ...] = ()
    dose_unit: Told = ""


class Treatments(Frozen):
    """The components of treatment."""

    components: tuple[Component, ...]
